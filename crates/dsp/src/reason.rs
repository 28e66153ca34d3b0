//! Refusals that say by which rule: one line of text in a message's `reason`, readable by people and by us.
//!
//! A line rather than an object, because JSON-LD readers drop the terms of an object that no context defines. It names rule,
//! article and rulebook, never a fact about a person or a party.

use crate::message::Grounds;
use serde_json::Value;
use std::fmt;

/// The code of a refusal by law.
pub const BY_LAW: &str = "tegata/law";
/// The code of a refusal by the policy of the contract.
pub const BY_POLICY: &str = "tegata/policy";
/// LIMIT: bytes of one line that we read.
const LINE_MAX: usize = 2_048;

/// One rule that refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule's id, such as `eu.gdpr.44`.
    pub rule: String,
    /// The article for people, such as `GDPR Article 44`.
    pub article: String,
    /// The day for which was decided, ISO 8601.
    pub as_of: String,
    /// The digest of the rulebook.
    pub rulebook: String,
    /// The cheapest measure that would open it, by its id, if there is one.
    pub cure: Option<String>,
}

const KEYS: [&str; 5] = ["rule", "article", "as-of", "rulebook", "cure"];

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = [
            Some(&self.rule),
            Some(&self.article),
            Some(&self.as_of),
            Some(&self.rulebook),
            self.cure.as_ref(),
        ];
        let mut first = true;
        for (key, value) in KEYS.iter().zip(values) {
            if let Some(value) = value {
                let clean: String =
                    value.chars().map(|c| if c == ';' || c.is_control() { ' ' } else { c }).collect();
                write!(f, "{}{key}={}", if first { "" } else { "; " }, clean.trim())?;
                first = false;
            }
        }
        Ok(())
    }
}

impl Refusal {
    /// Reads one entry of a `reason`; anything else than a line of ours gives nothing.
    pub fn read(entry: &Value) -> Option<Refusal> {
        // Some peers wrap the text: `{"@value": …}` or `{"message": …}`.
        let text = match entry {
            Value::String(text) => text.as_str(),
            Value::Object(map) => map.get("@value").or_else(|| map.get("message"))?.as_str()?,
            _ => return None,
        };
        if text.len() > LINE_MAX {
            return None;
        }
        let mut found: [Option<String>; 5] = Default::default();
        for part in text.split(';') {
            let (key, value) = part.trim().split_once('=')?;
            let slot = KEYS.iter().position(|k| *k == key).and_then(|n| found.get_mut(n))?;
            if slot.replace(value.trim().to_owned()).is_some() {
                return None;
            }
        }
        let [rule, article, as_of, rulebook, cure] = found;
        Some(Refusal { rule: rule?, article: article?, as_of: as_of?, rulebook: rulebook?, cure })
    }
}

/// Makes the grounds of a termination, suspension or error from the rules that refuse.
pub fn by_law<'a>(refusals: impl IntoIterator<Item = &'a Refusal>) -> Grounds {
    Grounds::of(BY_LAW, refusals.into_iter().map(Refusal::to_string))
}

/// Returns the rules that a peer named in its grounds.
pub fn refusals(grounds: &Grounds) -> Vec<Refusal> {
    grounds.reason.iter().filter_map(Refusal::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_reads_back() {
        let refusal = Refusal {
            rule: "eu.gdpr.44".into(),
            article: "GDPR Article 44".into(),
            as_of: "2020-07-16".into(),
            rulebook: "ab".repeat(32),
            cure: Some("eu.measure.scc".into()),
        };
        let grounds = by_law([&refusal]);
        assert_eq!(refusals(&grounds), std::slice::from_ref(&refusal));
        assert_eq!(Refusal::read(&json!({ "@value": refusal.to_string() })), Some(refusal.clone()));
        let without = Refusal { cure: None, ..refusal };
        assert_eq!(Refusal::read(&json!(without.to_string())), Some(without));
        for other in [json!("Policy violation"), json!({}), json!("rule=a; rule=b"), json!(1)] {
            assert_eq!(Refusal::read(&other), None);
        }
    }

    #[test]
    fn a_value_cannot_smuggle_a_field() {
        let refusal = Refusal {
            rule: "x; cure=nothing".into(),
            article: "a\nb".into(),
            as_of: "2026-01-01".into(),
            rulebook: "r".into(),
            cure: None,
        };
        let read = Refusal::read(&json!(refusal.to_string())).unwrap();
        assert_eq!(read.cure, None);
    }
}
