//! Verifiable credentials of both profiles: made as a draft to sign, read as what its issuer says.
//!
//! Data model 2.0 is enveloped by VC-JOSE-COSE: the payload is the credential. Data model 1.1 stands as the `vc` claim of a
//! JWT, whose own times and names count beside those of the credential; where they differ, the stricter one holds.

use model::Instant;
use serde_json::{Map, Value, json};

use super::{Fault, Profile};
use crate::did::Rigor;
use crate::json;
use crate::jwt::{self, Draft, Header, Jws};
use crate::key::Algorithm;
use crate::status::{ListForm, StatusEntry};

const CONTEXT_11: &str = "https://www.w3.org/2018/credentials/v1";
const CONTEXT_20: &str = "https://www.w3.org/ns/credentials/v2";
const CONTEXT_LIST_2021: &str = "https://w3id.org/vc/status-list/2021/v1";
const BASE: &str = "VerifiableCredential";

// LIMIT: types, status entries, schemas and subjects of one credential.
const MANY_MAX: usize = 16;

/// VC Data Model: where the shape of the claims is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaRef {
    /// How the shape is applied: `JsonSchema` or `JsonSchemaValidator2018`.
    pub kind: String,
    /// Where it lies.
    pub url: String,
}

/// What an issuer says of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// By which profile it is made.
    pub profile: Profile,
    /// Its id, if it has one.
    pub id: Option<String>,
    /// Its types, the base type with them where it is stated.
    pub kinds: Vec<String>,
    /// Who says it: a DID.
    pub issuer: String,
    /// Of whom, and what: each with an `id`.
    pub subjects: Vec<Map<String, Value>>,
    /// From when on.
    pub valid_from: Option<Instant>,
    /// Until when.
    pub valid_until: Option<Instant>,
    /// Where it may be revoked or suspended.
    pub status: Vec<StatusEntry>,
    /// What shape the claims have.
    pub schemas: Vec<SchemaRef>,
}

/// A signed credential that was read and is not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What it says.
    pub credential: Credential,
    /// All of it, for the schema.
    pub document: Value,
    /// The token itself.
    pub jws: Jws,
}

impl Credential {
    /// Its types but the base type.
    pub fn own_kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.iter().map(String::as_str).filter(|kind| *kind != BASE)
    }

    /// Does every subject have this id?
    pub fn is_about(&self, did: &str) -> bool {
        let named = |subject: &Map<String, Value>| subject.get("id").and_then(Value::as_str) == Some(did);
        !self.subjects.is_empty() && self.subjects.iter().all(named)
    }

    /// Does it hold at this moment, as far as its own words go?
    pub fn in_time(&self, now: Instant, skew_s: i64) -> Result<(), Fault> {
        let skew = skew_s.saturating_mul(1_000);
        if self.valid_from.is_some_and(|from| from.0 > now.0.saturating_add(skew)) {
            return Err(Fault::CredentialNotYetValid);
        }
        match self.valid_until.is_some_and(|until| until <= now) {
            true => Err(Fault::CredentialExpired),
            false => Ok(()),
        }
    }

    /// Prepares the signed form, to be signed by the issuer's key of this DID URL.
    pub fn prepare(&self, algorithm: Algorithm, key_id: &str) -> Draft {
        let (typ, payload) = match self.profile {
            Profile::Vc20Bssl => ("vc+jwt", self.payload_20()),
            Profile::Vc11Sl2021 => ("JWT", self.payload_11()),
        };
        let header = Header::new(algorithm, typ).with_key_id(key_id);
        jwt::prepare(&header, payload.to_string().as_bytes())
    }

    /// The members that both data models share.
    fn shared(&self, context: &[&str]) -> Map<String, Value> {
        let mut vc = Map::new();
        vc.insert("@context".into(), json!(context));
        if let Some(id) = &self.id {
            vc.insert("id".into(), json!(id));
        }
        let kinds: Vec<&str> = [BASE].into_iter().chain(self.own_kinds()).collect();
        vc.insert("type".into(), json!(kinds));
        vc.insert("issuer".into(), json!(self.issuer));
        let one = |mut all: Vec<Value>| if all.len() == 1 { all.remove(0) } else { Value::Array(all) };
        vc.insert("credentialSubject".into(), one(self.subjects.iter().map(|s| json!(s)).collect()));
        if !self.status.is_empty() {
            vc.insert("credentialStatus".into(), one(self.status.iter().map(StatusEntry::to_json).collect()));
        }
        if !self.schemas.is_empty() {
            let named = |schema: &SchemaRef| json!({ "id": schema.url, "type": schema.kind });
            vc.insert("credentialSchema".into(), one(self.schemas.iter().map(named).collect()));
        }
        vc
    }

    fn payload_20(&self) -> Value {
        let mut vc = self.shared(&[CONTEXT_20]);
        for (member, at) in [("validFrom", self.valid_from), ("validUntil", self.valid_until)] {
            if let Some(at) = at {
                vc.insert(member.into(), json!(at.to_string()));
            }
        }
        vc.insert("iss".into(), json!(self.issuer));
        Value::Object(vc)
    }

    fn payload_11(&self) -> Value {
        let mut vc = match self.status.is_empty() {
            true => self.shared(&[CONTEXT_11]),
            false => self.shared(&[CONTEXT_11, CONTEXT_LIST_2021]),
        };
        let mut claims = Map::new();
        claims.insert("iss".into(), json!(self.issuer));
        for (claim, value) in
            [("sub", self.subjects.first().and_then(|s| s.get("id"))), ("jti", vc.get("id"))]
        {
            if let Some(value) = value {
                claims.insert(claim.into(), value.clone());
            }
        }
        let times = [
            ("issuanceDate", ["nbf", "iat"].as_slice(), self.valid_from),
            ("expirationDate", &["exp"], self.valid_until),
        ];
        for (member, numeric, at) in times {
            let Some(at) = at else { continue };
            vc.insert(member.into(), json!(at.to_string()));
            for claim in numeric {
                claims.insert((*claim).to_owned(), json!(at.0.div_euclid(1_000)));
            }
        }
        claims.insert("vc".into(), Value::Object(vc));
        Value::Object(claims)
    }
}

impl Signed {
    /// Reads a credential of either profile.
    pub fn read(text: &str, rigor: Rigor) -> Result<Signed, Fault> {
        let bad = Fault::CredentialMalformed;
        let jws = Jws::parse(text).map_err(|_| bad)?;
        let Ok(Value::Object(claims)) = json::parse(jws.unverified_payload()) else { return Err(bad) };
        let (profile, document) = match claims.get("vc") {
            Some(vc) => (Profile::Vc11Sl2021, vc.clone()),
            None => (Profile::Vc20Bssl, Value::Object(claims.clone())),
        };
        let typ = jws.header().typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        let typ = typ.trim_start_matches("application/");
        let fits = match profile {
            // An older draft of the enveloped form named itself longer.
            Profile::Vc20Bssl => matches!(typ, "vc+jwt" | "vc+ld+json+jwt"),
            Profile::Vc11Sl2021 => typ == "jwt",
        };
        let vc = document.as_object().filter(|_| fits).ok_or(bad)?;
        let credential = read_members(vc, profile, rigor).ok_or(bad)?;
        let credential = bounded(credential, &claims, rigor).ok_or(bad)?;
        Ok(Signed { credential, document, jws })
    }
}

fn present<'a>(map: &'a Map<String, Value>, member: &str) -> Option<&'a Value> {
    map.get(member).filter(|value| !value.is_null())
}

/// A member that stands once or as a list, none of it of another kind than `read` takes.
fn many<T>(map: &Map<String, Value>, member: &str, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    match present(map, member) {
        None => Some(Vec::new()),
        Some(Value::Array(all)) if all.len() <= MANY_MAX => all.iter().map(read).collect(),
        Some(Value::Array(_)) => None,
        Some(one) => Some(vec![read(one)?]),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn read_members(vc: &Map<String, Value>, profile: Profile, rigor: Rigor) -> Option<Credential> {
    let full = rigor == Rigor::Full;
    let kinds = many(vc, "type", text)?;
    let (context, from, until) = match profile {
        Profile::Vc20Bssl => (CONTEXT_20, "validFrom", "validUntil"),
        Profile::Vc11Sl2021 => (CONTEXT_11, "issuanceDate", "expirationDate"),
    };
    let first = match vc.get("@context") {
        Some(Value::Array(all)) => all.first().and_then(Value::as_str),
        Some(one) => one.as_str(),
        None => None,
    };
    if kinds.is_empty() || full && (first != Some(context) || !kinds.iter().any(|kind| kind == BASE)) {
        return None;
    }
    let issuer = match vc.get("issuer")? {
        Value::String(did) => did.clone(),
        object => text(object.get("id")?)?,
    };
    let instant = |member: &str| match present(vc, member) {
        None => Some(None),
        Some(value) => value.as_str()?.parse::<Instant>().ok().map(Some),
    };
    let schema =
        |value: &Value| Some(SchemaRef { kind: text(value.get("type")?)?, url: text(value.get("id")?)? });
    // A status that is not understood cannot be looked up, so the credential is not read at all.
    let status = many(vc, "credentialStatus", StatusEntry::from_json)?;
    let form = match profile {
        Profile::Vc20Bssl => ListForm::Bitstring,
        Profile::Vc11Sl2021 => ListForm::List2021,
    };
    if full && status.iter().any(|entry| entry.form != form) {
        return None;
    }
    Some(Credential {
        profile,
        id: present(vc, "id").map(|id| text(id).ok_or(())).transpose().ok()?,
        kinds,
        issuer,
        subjects: many(vc, "credentialSubject", |one| one.as_object().cloned())?,
        valid_from: instant(from)?,
        valid_until: instant(until)?,
        status,
        schemas: many(vc, "credentialSchema", schema)?,
    })
}

/// Narrows a credential by the claims of the token around it, which must not contradict it.
fn bounded(mut credential: Credential, claims: &Map<String, Value>, rigor: Rigor) -> Option<Credential> {
    if let Some(issuer) = present(claims, "iss") {
        (issuer.as_str() == Some(&credential.issuer)).then_some(())?;
    }
    if let (Some(subject), Rigor::Full) = (present(claims, "sub"), rigor) {
        credential.is_about(subject.as_str()?).then_some(())?;
    }
    let seconds = |claim: &str| match present(claims, claim) {
        None => Some(None),
        Some(value) => value.as_i64()?.checked_mul(1_000).map(Instant).map(Some),
    };
    let (from, until) = (seconds("nbf")?, seconds("exp")?);
    credential.valid_from = credential.valid_from.max(from);
    credential.valid_until = match (credential.valid_until, until) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    Some(credential)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::key::Signature;
    use crate::status::StatusPurpose;
    use p256::ecdsa::signature::Signer as _;

    pub fn sign(draft: Draft, seed: u8) -> String {
        let key = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
        let signature: p256::ecdsa::Signature = key.sign(draft.to_sign());
        draft.finish(&Signature::from_bytes(Algorithm::Es256, &signature.to_bytes()).unwrap()).unwrap()
    }

    pub fn membership(profile: Profile) -> Credential {
        let form = match profile {
            Profile::Vc20Bssl => ListForm::Bitstring,
            Profile::Vc11Sl2021 => ListForm::List2021,
        };
        let list = format!("https://issuer.example/status/{}", profile.alias());
        Credential {
            profile,
            id: Some("urn:uuid:1".into()),
            kinds: vec![BASE.into(), "Member".into()],
            issuer: "did:web:issuer.example".into(),
            subjects: vec![
                json!({ "id": "did:web:a.example", "since": "2020" }).as_object().unwrap().clone(),
            ],
            valid_from: Some(Instant(1_795_000_000_000)),
            valid_until: Some(Instant(1_795_003_600_000)),
            status: vec![StatusEntry { form, list, purpose: StatusPurpose::Revocation, index: 3 }],
            schemas: vec![SchemaRef { kind: "JsonSchema".into(), url: "https://issuer.example/s".into() }],
        }
    }

    #[test]
    fn what_is_made_is_read_back() {
        for profile in Profile::ALL {
            let made = membership(profile);
            let token = sign(made.prepare(Algorithm::Es256, "did:web:issuer.example#k"), 9);
            assert_eq!(Signed::read(&token, Rigor::Full).unwrap().credential, made, "{}", profile.alias());
        }
    }

    #[test]
    fn the_token_around_a_credential_narrows_it() {
        let payload = membership(Profile::Vc11Sl2021).payload_11();
        let with = |claim: &str, value: Value| {
            let mut payload = payload.clone();
            payload[claim] = value;
            let draft = jwt::prepare(&Header::new(Algorithm::Es256, "JWT"), payload.to_string().as_bytes());
            Signed::read(&sign(draft, 9), Rigor::Full).map(|signed| signed.credential)
        };
        assert_eq!(with("exp", json!(1_795_000_010)).unwrap().valid_until, Some(Instant(1_795_000_010_000)));
        assert_eq!(with("nbf", json!(1_795_000_100)).unwrap().valid_from, Some(Instant(1_795_000_100_000)));
        for (claim, value) in [
            ("iss", json!("did:web:else.example")),
            ("sub", json!("did:web:else.example")),
            ("exp", json!("soon")),
            ("vc", json!({ "type": ["Member"] })),
        ] {
            assert_eq!(with(claim, value), Err(Fault::CredentialMalformed), "{claim}");
        }
    }

    #[test]
    fn drafts_may_lack_what_the_model_demands() {
        let mut payload = membership(Profile::Vc11Sl2021).payload_11();
        payload["sub"] = json!("a name of its own");
        payload["vc"]["type"] = json!(["Member"]);
        payload["vc"]["@context"] = json!("urn:uuid:1");
        payload["vc"]["expirationDate"] = Value::Null;
        let draft = jwt::prepare(&Header::new(Algorithm::Es256, "JWT"), payload.to_string().as_bytes());
        let token = sign(draft, 9);
        assert_eq!(Signed::read(&token, Rigor::Full).map(|_| ()), Err(Fault::CredentialMalformed));
        assert_eq!(Signed::read(&token, Rigor::Drafts).unwrap().credential.kinds, ["Member"]);
    }

    #[test]
    fn it_holds_in_its_time() {
        let credential = membership(Profile::Vc20Bssl);
        let at = |seconds: i64| credential.in_time(Instant(seconds * 1_000), 20);
        assert_eq!(at(1_794_999_979), Err(Fault::CredentialNotYetValid));
        assert_eq!(at(1_794_999_981), Ok(()));
        assert_eq!(at(1_795_003_599), Ok(()));
        assert_eq!(at(1_795_003_600), Err(Fault::CredentialExpired));
    }

    #[test]
    fn a_status_that_is_not_understood_is_no_credential() {
        let mut payload = membership(Profile::Vc20Bssl).payload_20();
        payload["credentialStatus"] = json!({ "id": "x", "type": "RevocationList2020Status" });
        let draft = jwt::prepare(&Header::new(Algorithm::Es256, "vc+jwt"), payload.to_string().as_bytes());
        assert_eq!(Signed::read(&sign(draft, 9), Rigor::Full).map(|_| ()), Err(Fault::CredentialMalformed));
    }
}
