//! `did:web` (W3C CCG) and DID documents (W3C DID 1.0): identifier ⇄ address, keys by id and relationship.
//!
//! LIMIT: keys are read as `publicKeyJwk` alone; `did:webvh` with its history comes later.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::json;
use crate::key::PublicKey;

/// did:web section 3.1: an identifier that is an address of the web.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DidWeb(String);

/// Why a text is no `did:web` identifier, or bytes are no document of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DidError {
    /// The text is not a `did:web` identifier in its one form.
    Identifier,
    /// The bytes are not a DID document.
    Document,
    /// The document describes another identifier.
    OtherSubject,
}

impl DidError {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            DidError::Identifier => "did-identifier",
            DidError::Document => "did-document",
            DidError::OtherSubject => "did-other-subject",
        }
    }
}

impl fmt::Display for DidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DidError::Identifier => "not a `did:web` identifier",
            DidError::Document => "not a DID document",
            DidError::OtherSubject => "the document describes another identifier",
        })
    }
}

impl std::error::Error for DidError {}

impl DidWeb {
    /// did:web section 3.1: reads an identifier such as `did:web:example.org%3A8443:firm`.
    pub fn parse(text: &str) -> Result<DidWeb, DidError> {
        let rest = text.strip_prefix("did:web:").ok_or(DidError::Identifier)?;
        let mut segments = rest.split(':');
        let host = segments.next().unwrap_or_default();
        let (name, port) = match host.split_once("%3A") {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        };
        let label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        // did:web section 3.1: an address instead of a name is not allowed.
        let address = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let port_fits = port.is_none_or(|port| {
            !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
        });
        let plain = |segment: &str| {
            let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
            !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(unreserved)
        };
        if address || !name.split('.').all(label) || !port_fits || !segments.all(plain) {
            return Err(DidError::Identifier);
        }
        Ok(DidWeb(text.to_owned()))
    }

    /// did:web section 3.2: the address of the document.
    pub fn url(&self) -> String {
        format!("https://{}{}", self.host(), self.path())
    }

    /// did:web section 3.2: the host of the document, with its port where there is one.
    pub fn host(&self) -> String {
        self.segments().0.replace("%3A", ":")
    }

    /// did:web section 3.2: the path of the document on its host.
    pub fn path(&self) -> String {
        match self.segments().1 {
            None => "/.well-known/did.json".to_owned(),
            Some(path) => format!("/{}/did.json", path.replace(':', "/")),
        }
    }

    fn segments(&self) -> (&str, Option<&str>) {
        let rest = self.0.strip_prefix("did:web:").unwrap_or_default();
        rest.split_once(':').map_or((rest, None), |(host, path)| (host, Some(path)))
    }

    /// did:web section 3.2, backwards: the identifier whose document lies at this address.
    pub fn from_url(url: &str) -> Result<DidWeb, DidError> {
        let rest = url.strip_prefix("https://").ok_or(DidError::Identifier)?;
        let rest = rest.strip_suffix("/did.json").ok_or(DidError::Identifier)?;
        let (host, path) = match rest.split_once('/') {
            Some((host, path)) => (host, Some(path)),
            None => return Err(DidError::Identifier),
        };
        let path = match path {
            Some(".well-known") | None => String::new(),
            Some(path) => format!(":{}", path.replace('/', ":")),
        };
        DidWeb::parse(&format!("did:web:{}{path}", host.replace(':', "%3A")))
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DidWeb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// DID 1.0 section 5.3: what a key of a document may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relationship {
    /// To prove control, as in a login.
    Authentication,
    /// To sign statements, such as credentials and receipts.
    AssertionMethod,
    /// To invoke a capability.
    CapabilityInvocation,
}

impl Relationship {
    fn member(self) -> &'static str {
        match self {
            Relationship::Authentication => "authentication",
            Relationship::AssertionMethod => "assertionMethod",
            Relationship::CapabilityInvocation => "capabilityInvocation",
        }
    }
}

/// How much of a peer's papers must be in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Rigor {
    /// All that the specifications demand.
    #[default]
    Full,
    /// Papers as early drafts had them: a document that states no relationship lets each of its keys do everything, and
    /// a credential of the old model may lack its context and its base type. For tests alone.
    Drafts,
}

/// DID 1.0 section 5: a document whose subject was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct DidDocument {
    subject: String,
    members: Map<String, Value>,
}

impl DidDocument {
    /// DID 1.0 section 6.2: reads the document of this subject.
    pub fn from_json(subject: &str, bytes: &[u8]) -> Result<DidDocument, DidError> {
        let Ok(Value::Object(members)) = json::parse(bytes) else { return Err(DidError::Document) };
        match members.get("id").and_then(Value::as_str) {
            Some(id) if id == subject => Ok(DidDocument { subject: subject.to_owned(), members }),
            Some(_) => Err(DidError::OtherSubject),
            None => Err(DidError::Document),
        }
    }

    /// DID 1.0 section 5.1: whom the document describes.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// DID 1.0 section 5.3: the key with this id (a full DID URL or `#fragment`), if it has this relationship.
    ///
    /// A key that the document merely lists, or that another subject controls, is not given.
    pub fn key(&self, id: &str, relationship: Relationship) -> Option<PublicKey> {
        let full = if id.starts_with('#') { format!("{}{id}", self.subject) } else { id.to_owned() };
        let listed = self.members.get(relationship.member())?.as_array()?;
        let method = listed.iter().find_map(|entry| match entry {
            Value::String(reference) if self.absolute(reference) == full => self.method(&full),
            Value::Object(method) if self.has_id(method, &full) => Some(method),
            _ => None,
        })?;
        if method.get("controller").and_then(Value::as_str) != Some(&self.subject) {
            return None;
        }
        PublicKey::from_jwk(method.get("publicKeyJwk")?).ok()
    }

    /// DCP section 4.3.3: the key that a token names, or without a name the only one there is.
    pub fn key_or_only(
        &self,
        id: Option<&str>,
        relationship: Relationship,
        rigor: Rigor,
    ) -> Option<PublicKey> {
        let methods = self.members.get("verificationMethod").and_then(Value::as_array);
        let id = match (id, methods.map(Vec::as_slice)) {
            (Some(id), _) => self.absolute(id),
            (None, Some([only])) => self.absolute(only.get("id")?.as_str()?),
            (None, _) => return None,
        };
        if rigor == Rigor::Drafts && !self.members.contains_key(relationship.member()) {
            return PublicKey::from_jwk(self.method(&id)?.get("publicKeyJwk")?).ok();
        }
        self.key(&id, relationship)
    }

    /// DID 1.0 section 5.4: the address of the first service of this type.
    pub fn service(&self, kind: &str) -> Option<&str> {
        let services = self.members.get("service")?.as_array()?;
        services
            .iter()
            .find(|service| service.get("type").and_then(Value::as_str) == Some(kind))?
            .get("serviceEndpoint")?
            .as_str()
    }

    fn method(&self, full: &str) -> Option<&Map<String, Value>> {
        let methods = self.members.get("verificationMethod")?.as_array()?;
        methods.iter().filter_map(Value::as_object).find(|method| self.has_id(method, full))
    }

    fn has_id(&self, method: &Map<String, Value>, full: &str) -> bool {
        method.get("id").and_then(Value::as_str).is_some_and(|id| self.absolute(id) == full)
    }

    fn absolute(&self, reference: &str) -> String {
        if reference.starts_with('#') { format!("{}{reference}", self.subject) } else { reference.to_owned() }
    }
}

/// A key of a document that is to be rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name within the document.
    pub fragment: String,
    /// The key.
    pub key: PublicKey,
    /// What it may be used for; a key that only verifies what it once signed asserts and does nothing else.
    pub uses: Vec<Relationship>,
}

/// DID 1.0 section 5: the document of a subject with these keys (fragment and key) and services (fragment, type,
/// address); every key may authenticate and assert.
pub fn render(subject: &DidWeb, keys: &[(&str, &PublicKey)], services: &[(&str, &str, &str)]) -> Value {
    let uses = vec![Relationship::Authentication, Relationship::AssertionMethod];
    let method = |(fragment, key): &(&str, &PublicKey)| Method {
        fragment: (*fragment).to_owned(),
        key: **key,
        uses: uses.clone(),
    };
    render_methods(subject, &keys.iter().map(method).collect::<Vec<_>>(), services)
}

/// DID 1.0 section 5: the document of a subject, each key with its own uses.
pub fn render_methods(subject: &DidWeb, methods: &[Method], services: &[(&str, &str, &str)]) -> Value {
    let id = |fragment: &str| format!("{subject}#{fragment}");
    let listed = |method: &Method| {
        json!({ "id": id(&method.fragment), "type": "JsonWebKey2020", "controller": subject.as_str(),
            "publicKeyJwk": method.key.to_jwk() })
    };
    let services: Vec<Value> = services
        .iter()
        .map(|(fragment, kind, url)| json!({ "id": id(fragment), "type": kind, "serviceEndpoint": url }))
        .collect();
    let mut document = json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
        "id": subject.as_str(),
        "verificationMethod": methods.iter().map(listed).collect::<Vec<_>>(),
        "service": services,
    });
    for relationship in
        [Relationship::Authentication, Relationship::AssertionMethod, Relationship::CapabilityInvocation]
    {
        let keys: Vec<String> =
            methods.iter().filter(|m| m.uses.contains(&relationship)).map(|m| id(&m.fragment)).collect();
        if let (false, Some(members)) = (keys.is_empty(), document.as_object_mut()) {
            members.insert(relationship.member().to_owned(), json!(keys));
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the did:web specification, section 3.2.
    #[test]
    fn identifiers_and_addresses() {
        for (did, url) in [
            ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
            ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
            ("did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"),
            ("did:web:localhost%3A7001", "https://localhost:7001/.well-known/did.json"),
        ] {
            let parsed = DidWeb::parse(did).unwrap();
            assert_eq!(parsed.url(), url);
            assert_eq!(DidWeb::from_url(url), Ok(parsed));
        }
        for wrong in [
            "did:web:",
            "did:web:10.0.0.1",
            "did:web:a..b",
            "did:web:a%3Ab",
            "did:web:a%3A0",
            "did:web:a:..:b",
            "did:web:a::b",
            "did:web:a/b",
            "did:web:A.example",
            "did:web:a%2Fb",
            "did:key:z6Mk",
            "did:web:a:b%2e%2e",
        ] {
            assert_eq!(DidWeb::parse(wrong), Err(DidError::Identifier), "{wrong}");
        }
    }

    #[test]
    fn a_key_counts_only_in_its_relationship() {
        let did = DidWeb::parse("did:web:a.example").unwrap();
        let signing = p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap();
        let key = PublicKey::p256(signing.verifying_key().to_sec1_point(true).as_bytes()).unwrap();
        let mut made = render(&did, &[("seal", &key)], &[("dsp", "DataService", "https://a.example/dsp")]);
        let read = |value: &Value| DidDocument::from_json("did:web:a.example", value.to_string().as_bytes());
        let document = read(&made).unwrap();
        assert_eq!(document.key("#seal", Relationship::AssertionMethod), Some(key));
        assert_eq!(document.key("did:web:a.example#seal", Relationship::Authentication), Some(key));
        assert_eq!(document.key("#seal", Relationship::CapabilityInvocation), None);
        assert_eq!(document.key("#other", Relationship::AssertionMethod), None);
        assert_eq!(document.service("DataService"), Some("https://a.example/dsp"));
        // Without a name the only key counts, in its relationships; drafts that state none let it do everything.
        let only = |relationship, rigor| read(&made).unwrap().key_or_only(None, relationship, rigor);
        assert_eq!(only(Relationship::Authentication, Rigor::Full), Some(key));
        assert_eq!(only(Relationship::CapabilityInvocation, Rigor::Full), None);
        assert_eq!(only(Relationship::CapabilityInvocation, Rigor::Drafts), Some(key));
        let two = render(&did, &[("seal", &key), ("next", &key)], &[]);
        assert_eq!(read(&two).unwrap().key_or_only(None, Relationship::Authentication, Rigor::Full), None);
        made["verificationMethod"][0]["controller"] = json!("did:web:b.example");
        assert_eq!(read(&made).unwrap().key("#seal", Relationship::AssertionMethod), None);
        made["id"] = json!("did:web:b.example");
        assert_eq!(read(&made), Err(DidError::OtherSubject));
    }
}
