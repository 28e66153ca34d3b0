//! Names in an answer of the management API, written out: what a prefix stands for is said by the answer itself, and nothing
//! is guessed. A name whose meaning is not said is no name that we know, whatever it looks like.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What the `@context` of one answer says of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    prefixes: BTreeMap<String, String>,
    vocabulary: Option<String>,
}

impl Names {
    /// Reads the context of an answer; the error is an address whose names would have to be fetched.
    pub fn of(context: Option<&Value>) -> Result<Self, String> {
        let mut names = Self::default();
        match context {
            None | Some(Value::Null) => {}
            Some(Value::Array(many)) => many.iter().try_for_each(|one| names.take(one))?,
            Some(one) => names.take(one)?,
        }
        Ok(names)
    }

    fn take(&mut self, context: &Value) -> Result<(), String> {
        match context {
            Value::Object(map) => self.define(map),
            Value::String(url) => return Err(url.clone()),
            other => return Err(other.to_string()),
        }
        Ok(())
    }

    fn define(&mut self, map: &Map<String, Value>) {
        for (name, meaning) in map {
            let meaning = meaning.as_str().or_else(|| meaning.get("@id").and_then(Value::as_str));
            match (name.as_str(), meaning) {
                ("@vocab", Some(meaning)) => self.vocabulary = Some(meaning.to_owned()),
                (name, Some(meaning)) if !name.starts_with('@') => {
                    self.prefixes.insert(name.to_owned(), meaning.to_owned());
                }
                _ => {}
            }
        }
    }

    /// A key written out; none if nothing says what it means.
    pub fn key(&self, key: &str) -> Option<String> {
        match key.starts_with('@') {
            true => Some(key.to_owned()),
            false => self.id(key).or_else(|| {
                let plain = !key.contains(':');
                let defined = self.prefixes.get(key).filter(|_| plain).cloned();
                defined.or_else(|| self.vocabulary.as_ref().filter(|_| plain).map(|v| format!("{v}{key}")))
            }),
        }
    }

    /// An id written out; none for one that is bare or has a prefix that nothing explains.
    pub fn id(&self, id: &str) -> Option<String> {
        if id.contains("://") || id.starts_with("urn:") || id.starts_with("did:") {
            return Some(id.to_owned());
        }
        let (prefix, local) = id.split_once(':')?;
        self.prefixes.get(prefix).map(|long| format!("{long}{local}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_means_what_the_answer_says_and_nothing_else() {
        let names = Names::of(Some(&json!({ "@vocab": "https://w3id.org/edc/v0.0.1/ns/", "odrl": "http://www.w3.org/ns/odrl/2/", "cx-policy": "https://w3id.org/catenax/policy/" }))).unwrap();
        let key = |name: &str| names.key(name).unwrap_or_default();
        assert_eq!(key("odrl:permission"), "http://www.w3.org/ns/odrl/2/permission");
        assert_eq!(key("assetsSelector"), "https://w3id.org/edc/v0.0.1/ns/assetsSelector");
        assert_eq!(key("@type"), "@type");
        assert_eq!(names.id("cx-policy:Membership").as_deref(), Some("https://w3id.org/catenax/policy/Membership"), "an older release is not the newest");
        for unknown in ["dpv:Purpose", "Membership"] {
            assert_eq!(names.id(unknown), None, "{unknown}");
        }
        let bare = Names::of(None).unwrap();
        assert_eq!((bare.key("permission"), bare.id("odrl:use")), (None, None));
        assert!(Names::of(Some(&json!(["https://elsewhere.example/context"]))).is_err());
    }
}
