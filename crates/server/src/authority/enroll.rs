//! Enrollment: what a participant asks, how it proves that it holds its keys, and the asking side.
//!
//! A PKCS #10 request carries one key; a participant has three (TLS, seal, log) that must come under one name, so the
//! request is one JSON object, signed in canonical form (RFC 8785) by the key of TLS and by that of the seal.

use super::AuthorityError;
use super::folder::{Folder, Readers};
use super::register::{hex, unhex};
use identity::certificate::Profile;
use identity::did::DidWeb;
use identity::key::{Algorithm, PublicKey, Signature};
use identity::x509::{AltName, Certificate};
use model::canonical;
use node::ports::{Carrier, CarrierError, Request, SignError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use tlog::key::{KeyName, VerifierKey};

/// What the signatures begin with, so that they can be taken for nothing else.
const CONTEXT: &[u8] = b"tegata/enroll/v1\n";

/// LIMIT: hosts of one participant, and bytes of its name.
const HOSTS_MAX: usize = 16;
const NAME_BYTES_MAX: usize = 64;

/// What a participant asks of the authority.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrollment {
    /// The one-time token of `enrollment.token`.
    pub token: String,
    /// Its identifier, a `did:web`.
    pub did: String,
    /// Its name, for people.
    pub name: String,
    /// Two letters of ISO 3166-1.
    pub country: String,
    /// ETSI EN 319 412-1 section 5.1.4: the identifier of a legal person, such as `NTRJP-1234567890123`.
    pub organization_identifier: String,
    /// Names and addresses at which its node is reached.
    pub hosts: Vec<String>,
    /// The public key of its TLS, a JSON Web Key.
    pub tls_key: Value,
    /// The public key of its seal, a JSON Web Key.
    pub seal_key: Value,
    /// The key of its log as a verifier key string, which the witness then knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_key: Option<String>,
}

/// The two keys of an enrollment that are certified.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    pub(super) tls: PublicKey,
    pub(super) seal: PublicKey,
}

impl Enrollment {
    /// The bytes that both keys sign.
    pub fn to_sign(&self) -> Result<Vec<u8>, canonical::CanonicalError> {
        Ok([CONTEXT, &canonical::to_bytes(self)?].concat())
    }

    /// Checks the form of everything; whether it is true, a demo cannot know.
    pub(super) fn check(&self) -> Result<Keys, String> {
        let line = |text: &str| {
            !text.trim().is_empty() && text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control)
        };
        DidWeb::parse(&self.did).map_err(|e| format!("`did`: {e}"))?;
        if !line(&self.name) {
            return Err(format!("`name` is one line of at most {NAME_BYTES_MAX} bytes"));
        }
        if self.country.len() != 2 || !self.country.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err("`country` is two capital letters".into());
        }
        let id = &self.organization_identifier;
        let (kind, rest) = id.split_once('-').unwrap_or_default();
        if !line(id)
            || !id.is_ascii()
            || kind.len() != 5
            || !kind.bytes().all(|b| b.is_ascii_uppercase())
            || rest.is_empty()
        {
            return Err("`organization_identifier` looks like `NTRJP-1234567890123`".into());
        }
        if self.hosts.is_empty()
            || self.hosts.len() > HOSTS_MAX
            || !self.hosts.iter().all(|host| alt_name(host).is_some())
        {
            return Err(format!("`hosts` are 1 to {HOSTS_MAX} names in small letters, or addresses"));
        }
        let key = |name: &str, jwk: &Value| match PublicKey::from_jwk(jwk) {
            Ok(key) if key.algorithm() == Algorithm::Es256 => Ok(key),
            _ => Err(format!("`{name}` is no P-256 key as a JSON Web Key")),
        };
        let keys = Keys { tls: key("tls_key", &self.tls_key)?, seal: key("seal_key", &self.seal_key)? };
        if keys.tls == keys.seal {
            return Err("`tls_key` and `seal_key` are two keys".into());
        }
        if let Some(log) = &self.log_key {
            let log = VerifierKey::parse(log).map_err(|e| format!("`log_key`: {e}"))?;
            if log.algorithm() != tlog::key::Algorithm::Ed25519 {
                return Err("`log_key` is of a kind with which logs do not sign".into());
            }
        }
        Ok(keys)
    }

    pub(super) fn tls_profile(&self) -> Profile {
        let uri = AltName::Uri(self.did.clone());
        let hosts = self.hosts.iter().filter_map(|host| alt_name(host));
        Profile::Node { names: hosts.chain([uri]).collect() }
    }
}

fn alt_name(host: &str) -> Option<AltName> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Some(AltName::Ip(super::octets(ip)));
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    (host.len() <= 253 && host.split('.').all(label)).then(|| AltName::Dns(host.to_owned()))
}

/// An enrollment with the proofs that its keys are held, in hex (`r ‖ s`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedEnrollment {
    /// What is asked.
    pub enrollment: Enrollment,
    /// The signature by the key of TLS.
    pub tls_proof: String,
    /// The signature by the key of the seal.
    pub seal_proof: String,
}

impl SignedEnrollment {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    pub(super) fn check_proofs(&self, keys: &Keys) -> Result<(), String> {
        let message = self.enrollment.to_sign().map_err(|e| e.to_string())?;
        for (name, key, proof) in
            [("tls_proof", &keys.tls, &self.tls_proof), ("seal_proof", &keys.seal, &self.seal_proof)]
        {
            let signature = unhex(proof).and_then(|bytes| Signature::from_bytes(Algorithm::Es256, &bytes));
            if !signature.is_some_and(|signature| key.verifies(&message, &signature)) {
                return Err(format!("`{name}` is no signature by that key over this enrollment"));
            }
        }
        Ok(())
    }
}

/// What a participant gets: certificates, and where to find the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolled {
    /// PEM.
    pub tls_certificate: String,
    /// PEM.
    pub seal_certificate: String,
    /// PEM of the root.
    pub anchors: String,
    /// Where the revocation list lies, PEM.
    pub revocation_list: String,
    /// Where time-stamps are had.
    pub time_stamp: String,
    /// The base address of the witness.
    pub witness: String,
    /// The witness's key as a verifier key string.
    pub witness_key: String,
    /// The `credentialStatus` of this participant.
    pub status: Value,
}

/// Who wants to enroll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// Its identifier, a `did:web`.
    pub did: String,
    /// Its name, for people.
    pub name: String,
    /// Two letters of ISO 3166-1.
    pub country: String,
    /// The identifier of a legal person, such as `NTRJP-1234567890123`.
    pub organization_identifier: String,
    /// Names and addresses at which its node is reached.
    pub hosts: Vec<String>,
    /// The name of its log.
    pub log_origin: String,
}

/// Why nobody enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JoinError {
    /// The authority gave no answer.
    Carrier(CarrierError),
    /// The authority refused, with this status and reason.
    Refused(u16, String),
    /// What the authority answers is not what was asked.
    Nonsense(String),
    /// Keys or certificates cannot be kept.
    Files(AuthorityError),
}

impl JoinError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Carrier(e) => e.code(),
            Self::Refused(..) => "enroll/refused",
            Self::Nonsense(_) => "enroll/nonsense",
            Self::Files(e) => e.code(),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Carrier(e) => e.fmt(f),
            Self::Refused(status, why) => write!(f, "the authority refuses with status {status}: {why}"),
            Self::Nonsense(why) => write!(f, "the authority answers what was not asked: {why}"),
            Self::Files(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for JoinError {}

impl From<AuthorityError> for JoinError {
    fn from(e: AuthorityError) -> Self {
        Self::Files(e)
    }
}

impl From<SignError> for JoinError {
    fn from(e: SignError) -> Self {
        Self::Files(AuthorityError::Key(e))
    }
}

/// Enrolls: makes `tls.key`, `seal.key` and `log.seed` in the directory where they are missing, asks, and puts
/// `tls.pem`, `seal.pem` and `anchors.pem` beside them: the names that a node's configuration has by default.
///
/// An answer that got lost does no harm: the keys are kept, and the authority knows them again with the next token.
pub fn join(
    carrier: &dyn Carrier,
    base: &str,
    token: &str,
    newcomer: &Newcomer,
    dir: &Path,
) -> Result<Enrolled, JoinError> {
    let folder = Folder::without_lock(dir)?;
    let (tls, seal) = (folder.key("tls.key")?, folder.key("seal.key")?);
    let origin = KeyName::parse(&newcomer.log_origin).map_err(|e| JoinError::Nonsense(e.to_string()))?;
    let log = tlog::note::Signer::new(origin, &folder.seed("log.seed")?);
    let enrollment = Enrollment {
        token: token.to_owned(),
        did: newcomer.did.clone(),
        name: newcomer.name.clone(),
        country: newcomer.country.clone(),
        organization_identifier: newcomer.organization_identifier.clone(),
        hosts: newcomer.hosts.clone(),
        tls_key: tls.public()?.to_jwk(),
        seal_key: seal.public()?.to_jwk(),
        log_key: Some(log.verifier().to_string()),
    };
    let nonsense = |e: &dyn fmt::Display| JoinError::Nonsense(e.to_string());
    let message = enrollment.to_sign().map_err(|e| nonsense(&e))?;
    let (tls_proof, seal_proof) = (hex(tls.sign(&message)?.bytes()), hex(seal.sign(&message)?.bytes()));
    let request = SignedEnrollment { enrollment, tls_proof, seal_proof };
    let body = serde_json::to_vec(&request).map_err(|e| nonsense(&e))?;
    let address = format!("{}/enroll", base.trim_end_matches('/'));
    let reply = carrier.send(Request::post(address, "application/json", body)).map_err(JoinError::Carrier)?;
    if !reply.is_success() {
        let why: Option<Value> = serde_json::from_slice(&reply.body).ok();
        let why =
            why.as_ref().and_then(|v| v.get("detail")).and_then(Value::as_str).unwrap_or("no reason given");
        return Err(JoinError::Refused(reply.status, why.chars().take(200).collect()));
    }
    let enrolled: Enrolled = serde_json::from_slice(&reply.body).map_err(|e| nonsense(&e))?;
    for (pem, key) in [(&enrolled.tls_certificate, &tls), (&enrolled.seal_certificate, &seal)] {
        let found = Certificate::from_pem(pem).map_err(|e| nonsense(&e))?;
        if found.first().and_then(Certificate::key) != Some(&key.public()?) {
            return Err(JoinError::Nonsense("a certificate is of another key".into()));
        }
    }
    folder.write("tls.pem", Readers::All, enrolled.tls_certificate.as_bytes())?;
    folder.write("seal.pem", Readers::All, enrolled.seal_certificate.as_bytes())?;
    folder.write("anchors.pem", Readers::All, enrolled.anchors.as_bytes())?;
    Ok(enrolled)
}
