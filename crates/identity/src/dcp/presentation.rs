//! DCP section 5.4.3: presentations, made for one verifier and judged by one.
//!
//! [`judge`] takes what somebody resolved and names what it still lacks; it asks for a status list or a schema only after
//! the credential that names it was verified.

use std::collections::{BTreeMap, BTreeSet};

use model::Instant;
use serde_json::{Value, json};

use super::credential::{Credential, Signed};
use super::scope::Scope;
use super::token::SKEW_S;
use super::{Fault, Profile, schema};
use crate::did::{DidDocument, DidWeb, Relationship, Rigor};
use crate::jwt::{self, Draft, Expect, Header, Jws, JwtError};
use crate::key::{Algorithm, PublicKey};
use crate::status::{StatusEntry, StatusList, StatusPurpose};

const CONTEXT_11: &str = "https://www.w3.org/2018/credentials/v1";
const CONTEXT_20: &str = "https://www.w3.org/ns/credentials/v2";
const BASE: &str = "VerifiablePresentation";
const ENVELOPED: &str = "data:application/vc+jwt,";
const ALGORITHMS: [Algorithm; 2] = [Algorithm::Es256, Algorithm::EdDsa];

// LIMIT: presentations in one answer, credentials in one presentation.
const PRESENTATIONS_MAX: usize = 8;
const CREDENTIALS_MAX: usize = 64;

/// Credentials of one profile that their holder shows to one verifier.
#[derive(Clone, Copy, Debug)]
pub struct Presentation<'a> {
    /// By which profile, that of each credential.
    pub profile: Profile,
    /// Who shows them: a DID.
    pub holder: &'a str,
    /// To whom: a DID.
    pub verifier: &'a str,
    /// Its own name.
    pub id: &'a str,
    /// Now.
    pub issued_at: Instant,
    /// How long it lives, in seconds.
    pub lives_s: i64,
    /// The signed credentials.
    pub credentials: &'a [&'a str],
}

impl Presentation<'_> {
    /// Prepares the presentation, to be signed by the holder's key of this DID URL.
    pub fn prepare(&self, algorithm: Algorithm, key_id: &str) -> Draft {
        let now = self.issued_at.0.div_euclid(1_000);
        let mut claims = json!({
            "iss": self.holder, "sub": self.holder, "aud": self.verifier, "jti": self.id,
            "nbf": now, "iat": now, "exp": now.saturating_add(self.lives_s),
        });
        let (typ, context) = match self.profile {
            Profile::Vc20Bssl => ("vp+jwt", CONTEXT_20),
            Profile::Vc11Sl2021 => ("JWT", CONTEXT_11),
        };
        let shown: Vec<Value> = match self.profile {
            Profile::Vc20Bssl => self.credentials.iter().map(|one| enveloped(one)).collect(),
            Profile::Vc11Sl2021 => self.credentials.iter().map(|one| json!(one)).collect(),
        };
        let vp = json!({
            "@context": [context], "type": [BASE], "holder": self.holder, "verifiableCredential": shown,
        });
        if let Some(claims) = claims.as_object_mut() {
            match (self.profile, vp) {
                (Profile::Vc20Bssl, Value::Object(members)) => claims.extend(members),
                (_, vp) => drop(claims.insert("vp".into(), vp)),
            }
        }
        jwt::prepare(&Header::new(algorithm, typ).with_key_id(key_id), claims.to_string().as_bytes())
    }
}

fn enveloped(credential: &str) -> Value {
    json!({
        "@context": CONTEXT_20, "type": "EnvelopedVerifiableCredential",
        "id": format!("{ENVELOPED}{credential}"),
    })
}

/// Something that lies elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// The document of a DID.
    Document(String),
    /// A status list, as its issuer signed it.
    StatusList(String),
    /// The shape of claims.
    Schema(String),
}

/// What somebody resolved.
#[derive(Clone, Debug, Default)]
pub struct Material {
    /// Documents by DID.
    pub documents: BTreeMap<String, DidDocument>,
    /// Signed status lists by address.
    pub lists: BTreeMap<String, String>,
    /// Schemas by address.
    pub schemas: BTreeMap<String, Value>,
}

/// Why there is no answer yet, or what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanting {
    /// These are needed first.
    Missing(BTreeSet<Resource>),
    /// It is refused; whose credential, or what of it.
    Refused(Fault, String),
}

/// What a verifier expects.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The verifier: a DID.
    pub verifier: &'a str,
    /// Who shows them: the bearer whose token was verified.
    pub holder: &'a str,
    /// What was asked for, each to be there.
    pub scopes: &'a [Scope],
    /// Does the word of this issuer count for credentials of this type?
    pub trusted: &'a dyn Fn(&str, &str) -> bool,
    /// The instant of judgement.
    pub now: Instant,
    /// How strict.
    pub rigor: Rigor,
}

/// DCP section 5.4.3: judges what a holder showed; gives the credentials that were asked for.
pub fn judge(shown: &[Value], terms: &Terms<'_>, material: &Material) -> Result<Vec<Credential>, Wanting> {
    let refused = |fault: Fault, about: &str| Wanting::Refused(fault, about.to_owned());
    if shown.len() > PRESENTATIONS_MAX {
        return Err(refused(Fault::PresentationMalformed, "too many"));
    }
    let mut missing = BTreeSet::new();
    let mut good = Vec::new();
    for presentation in shown {
        let text = presentation.as_str().ok_or_else(|| refused(Fault::PresentationMalformed, ""))?;
        for text in opened(text, terms, material, &mut missing)? {
            let signed = Signed::read(&text, terms.rigor).map_err(|fault| refused(fault, ""))?;
            let about = signed.credential.own_kinds().next().unwrap_or_default().to_owned();
            if !signed.credential.is_about(terms.holder) {
                return Err(Wanting::Refused(Fault::CredentialHolder, about));
            }
            match verify(&signed, material, terms.now, terms.rigor) {
                Ok(()) => good.push(signed.credential),
                Err(Wanting::Missing(more)) => missing.extend(more),
                Err(refused) => return Err(refused),
            }
        }
    }
    if !missing.is_empty() {
        return Err(Wanting::Missing(missing));
    }
    let mut counted: Vec<Credential> = Vec::new();
    for scope in terms.scopes {
        let mut covering = good.iter().filter(|credential| scope.covers(credential)).peekable();
        if covering.peek().is_none() {
            return Err(Wanting::Refused(Fault::Missing, scope.to_string()));
        }
        let counts = |credential: &&Credential| {
            let trusted = |kind: &str| (terms.trusted)(&credential.issuer, kind);
            match scope {
                Scope::Type(kind) => trusted(kind),
                Scope::Id(_) => credential.own_kinds().any(trusted),
            }
        };
        let found: Vec<&Credential> = covering.filter(counts).collect();
        if found.is_empty() {
            return Err(Wanting::Refused(Fault::IssuerNotTrusted, scope.to_string()));
        }
        for credential in found {
            if !counted.contains(credential) {
                counted.push(credential.clone());
            }
        }
    }
    Ok(counted)
}

/// Verifies one presentation; gives the signed credentials in it.
fn opened(
    text: &str,
    terms: &Terms<'_>,
    material: &Material,
    missing: &mut BTreeSet<Resource>,
) -> Result<Vec<String>, Wanting> {
    let refused = |fault: Fault| Wanting::Refused(fault, String::new());
    let malformed = || refused(Fault::PresentationMalformed);
    let jws = Jws::parse(text).map_err(|_| malformed())?;
    let key_id = jws.header().key_id.clone().ok_or_else(|| refused(Fault::PresentationKey))?;
    // The key must be the holder's: who shows a presentation is who made it.
    if key_id.split('#').next() != Some(terms.holder) {
        return Err(refused(Fault::PresentationHolder));
    }
    let Some(document) = material.documents.get(terms.holder) else {
        missing.insert(Resource::Document(terms.holder.to_owned()));
        return Ok(Vec::new());
    };
    let key = document.key_or_only(Some(&key_id), Relationship::Authentication, terms.rigor);
    let key = key.ok_or_else(|| refused(Fault::PresentationKey))?;
    let expect = Expect {
        audience: terms.verifier,
        typ: None,
        algorithms: &ALGORITHMS,
        now: terms.now,
        skew_s: SKEW_S,
        age_s_max: None,
    };
    let claims = jwt::verify(&jws, &key, &expect).map_err(|e| {
        refused(match e {
            JwtError::Audience => Fault::PresentationAudience,
            JwtError::Signature | JwtError::Algorithm => Fault::PresentationSignature,
            JwtError::Expired | JwtError::NotYetValid | JwtError::TooOld => Fault::PresentationTime,
            JwtError::Malformed | JwtError::Critical | JwtError::Type => Fault::PresentationMalformed,
        })
    })?;
    let by_holder = |name: Option<&str>| name.is_none_or(|name| name == terms.holder);
    if !by_holder(claims.issuer.as_deref()) || !by_holder(claims.subject.as_deref()) {
        return Err(refused(Fault::PresentationHolder));
    }
    let typ = jws.header().typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
    let typ = typ.trim_start_matches("application/");
    let (profile, vp) = match claims.members.get("vp") {
        Some(vp) => (Profile::Vc11Sl2021, vp.as_object()),
        None => (Profile::Vc20Bssl, Some(&claims.members)),
    };
    let fits = match profile {
        Profile::Vc20Bssl => matches!(typ, "vp+jwt" | "vp+ld+json+jwt"),
        Profile::Vc11Sl2021 => typ == "jwt",
    };
    let vp = vp.filter(|_| fits).ok_or_else(malformed)?;
    let is_one = match vp.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == BASE),
        kind => kind.and_then(Value::as_str) == Some(BASE),
    };
    if !is_one || !by_holder(vp.get("holder").and_then(Value::as_str)) {
        return Err(malformed());
    }
    let inside = match vp.get("verifiableCredential") {
        None => Vec::new(),
        Some(Value::Array(all)) if all.len() <= CREDENTIALS_MAX => all.iter().collect(),
        Some(Value::Array(_)) => return Err(malformed()),
        Some(one) => vec![one],
    };
    let credential = |value: &Value| match (profile, value) {
        (Profile::Vc11Sl2021, Value::String(text)) => Ok(text.clone()),
        (Profile::Vc20Bssl, Value::Object(object)) => {
            let id = object.get("id").and_then(Value::as_str);
            id.and_then(|id| id.strip_prefix(ENVELOPED)).map(str::to_owned).ok_or_else(malformed)
        }
        _ => Err(refused(Fault::PresentationMixed)),
    };
    let texts: Vec<String> = inside.into_iter().map(credential).collect::<Result<_, _>>()?;
    for text in &texts {
        if Signed::read(text, terms.rigor).is_ok_and(|signed| signed.credential.profile != profile) {
            return Err(refused(Fault::PresentationMixed));
        }
    }
    Ok(texts)
}

/// DCP section 5.4.3, steps 4 to 7: verifies one credential: key, issuer, signature, time, status, shape.
pub fn verify(signed: &Signed, material: &Material, now: Instant, rigor: Rigor) -> Result<(), Wanting> {
    let credential = &signed.credential;
    let about = credential.own_kinds().next().unwrap_or_default();
    let refused = |fault: Fault| Wanting::Refused(fault, about.to_owned());
    let key_id = signed.jws.header().key_id.as_deref().ok_or_else(|| refused(Fault::CredentialKey))?;
    let key = issuers_key(key_id, &credential.issuer, material, rigor).map_err(|wanting| match wanting {
        None => refused(Fault::CredentialKey),
        Some(resource) => Wanting::Missing([resource].into()),
    })?;
    signed.jws.verify(&key).map_err(|_| refused(Fault::CredentialSignature))?;
    credential.in_time(now, SKEW_S).map_err(refused)?;
    let mut missing = BTreeSet::new();
    for entry in &credential.status {
        match standing(entry, &credential.issuer, material, now, rigor) {
            Ok(None) => {}
            Ok(Some(StatusPurpose::Revocation)) => return Err(refused(Fault::CredentialRevoked)),
            Ok(Some(StatusPurpose::Suspension)) => return Err(refused(Fault::CredentialSuspended)),
            Err(None) => return Err(refused(Fault::StatusUnknown)),
            Err(Some(resource)) => drop(missing.insert(resource)),
        }
    }
    for shape in &credential.schemas {
        let Some(schema) = material.schemas.get(&shape.url) else {
            missing.insert(Resource::Schema(shape.url.clone()));
            continue;
        };
        let fits = match shape.kind.as_str() {
            "JsonSchema" => schema::check(schema, &signed.document).is_ok(),
            "JsonSchemaValidator2018" => {
                let fits = |subject| schema::check(schema, &Value::Object(subject)).is_ok();
                credential.subjects.iter().cloned().all(fits)
            }
            _ => false,
        };
        if !fits {
            return Err(refused(Fault::Shape));
        }
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Wanting::Missing(missing)),
    }
}

/// The key of an issuer that this DID URL names; `Err(None)` when there is none, else what is needed to tell.
fn issuers_key(
    key_id: &str,
    issuer: &str,
    material: &Material,
    rigor: Rigor,
) -> Result<PublicKey, Option<Resource>> {
    if key_id.split('#').next() != Some(issuer) || DidWeb::parse(issuer).is_err() {
        return Err(None);
    }
    let document = material.documents.get(issuer);
    let document = document.ok_or_else(|| Some(Resource::Document(issuer.to_owned())))?;
    document.key_or_only(Some(key_id), Relationship::AssertionMethod, rigor).ok_or(None)
}

/// What a status list says of an entry: nothing, or the purpose of the bit that is set.
fn standing(
    entry: &StatusEntry,
    issuer: &str,
    material: &Material,
    now: Instant,
    rigor: Rigor,
) -> Result<Option<StatusPurpose>, Option<Resource>> {
    let token = material.lists.get(&entry.list);
    let token = token.ok_or_else(|| Some(Resource::StatusList(entry.list.clone())))?;
    let jws = Jws::parse(token.trim()).map_err(|_| None)?;
    let key_id = jws.header().key_id.as_deref().ok_or(None)?;
    // LIMIT: a list is signed by the issuer of the credential; one that another party keeps is not believed.
    let key = issuers_key(key_id, issuer, material, rigor)?;
    let list = StatusList::verify(token.trim(), &key).map_err(|_| None)?;
    if list.issuer != issuer {
        return Err(None);
    }
    let set = list.is_set(entry, now).map_err(|_| None)?;
    Ok(set.then_some(entry.purpose))
}

#[cfg(test)]
mod tests;
