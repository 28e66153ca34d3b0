//! Certifications (a scheme's mark on an organization) and accords (a rule that authorities co-sign): small typed
//! values in canonical JSON, signed as compact JWS by keys that a DID document names.
//!
//! A verification answers its questions one by one and never with a bare yes: whoever relies on a mark sees which
//! of them is open.

use std::fmt;

use identity::jwt::{self, Header, Jws};
use identity::key::{Algorithm, PublicKey};
use identity::status::{ListForm, StatusEntry, StatusList, StatusPurpose};
use model::{CivilDate, Digest, Instant, canonical};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The `typ` of a signed certification.
pub const CERTIFICATION_TYP: &str = "tegata-certification+jws";
/// The `typ` of a signature on an accord.
pub const ACCORD_TYP: &str = "tegata-accord+jws";

/// Why bytes are no certification or accord, or none is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// The token is not a compact JWS of this type.
    Token,
    /// The content is not a record in canonical form.
    Form,
}

impl RecordError {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            RecordError::Token => "record-token",
            RecordError::Form => "record-form",
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RecordError::Token => "not a signed record of this type",
            RecordError::Form => "not a record in canonical form",
        })
    }
}

impl std::error::Error for RecordError {}

/// Where the status of a certification stands (W3C Bitstring Status List).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusAt {
    /// The address of the list.
    pub list: String,
    /// The number of the bit.
    pub index: u64,
}

/// A scheme's mark on an organization, as an accountability agent grants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certification {
    /// The version of this form, 1.
    pub version: u32,
    /// A name for this one certification.
    pub id: String,
    /// The scheme, such as `global-cbpr`.
    pub scheme: String,
    /// The version of the scheme's requirements.
    pub requirements: String,
    /// Who grants it, a DID.
    pub issuer: String,
    /// Whom it is granted to, a DID.
    pub holder: String,
    /// The identifier of the holder as a legal person, as in its seal certificate.
    pub organization_identifier: String,
    /// The economy in which it is granted.
    pub economy: String,
    /// What it covers, in the scheme's words.
    pub scope: Vec<String>,
    /// The first day.
    pub from: CivilDate,
    /// The last day.
    pub until: CivilDate,
    /// Where its status stands.
    pub status: StatusAt,
}

/// One answer of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// It cannot be told from what is held.
    Open,
}

impl Answer {
    fn of(yes: bool) -> Answer {
        if yes { Answer::Yes } else { Answer::No }
    }
}

/// The five questions about a certification, each with its own answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificationAnswers {
    /// Did the issuer's key sign it?
    pub signature: Answer,
    /// Is the issuer one that is trusted for this scheme?
    pub issuer: Answer,
    /// Does its term cover the day?
    pub term: Answer,
    /// Is it not revoked, by a list that speaks for this instant?
    pub status: Answer,
    /// Is its holder the organization in question?
    pub holder: Answer,
}

impl CertificationAnswers {
    /// Do all five say yes?
    pub fn holds(&self) -> bool {
        [self.signature, self.issuer, self.term, self.status, self.holder].iter().all(|a| *a == Answer::Yes)
    }
}

/// What a certification is asked.
#[derive(Clone, Copy, Debug)]
pub struct CertificationQuestion<'a> {
    /// The issuer's key, as its DID document gives it for assertions.
    pub key: Option<&'a PublicKey>,
    /// The pairs of scheme and issuer that are trusted.
    pub trusted: &'a [(&'a str, &'a str)],
    /// The status list, already verified by the issuer's key.
    pub status: Option<&'a StatusList>,
    /// The DID of the organization in question.
    pub holder: &'a str,
    /// The instant, and with it the day in UTC.
    pub now: Instant,
}

impl Certification {
    /// RFC 7515: prepares the signed form.
    pub fn prepare(&self, algorithm: Algorithm, key_id: &str) -> Result<jwt::Draft, RecordError> {
        prepare(self, CERTIFICATION_TYP, algorithm, key_id)
    }

    /// Reads a certification without judging it.
    pub fn read(token: &str) -> Result<(Certification, Jws), RecordError> {
        let (certification, jws): (Certification, Jws) = read(token, CERTIFICATION_TYP)?;
        if certification.version == 1 { Ok((certification, jws)) } else { Err(RecordError::Form) }
    }

    /// Answers the five questions about a certification that was read with its token.
    pub fn answers(&self, jws: &Jws, question: &CertificationQuestion<'_>) -> CertificationAnswers {
        let day = question.now.day(0);
        let entry = StatusEntry {
            form: ListForm::Bitstring,
            list: self.status.list.clone(),
            purpose: StatusPurpose::Revocation,
            index: usize::try_from(self.status.index).unwrap_or(usize::MAX),
        };
        let status = question.status.filter(|list| list.issuer == self.issuer);
        CertificationAnswers {
            signature: question.key.map_or(Answer::Open, |key| Answer::of(jws.verify(key).is_ok())),
            issuer: Answer::of(question.trusted.contains(&(self.scheme.as_str(), self.issuer.as_str()))),
            term: Answer::of(self.from <= day && day <= self.until),
            status: match status.map(|list| list.is_set(&entry, question.now)) {
                Some(Ok(revoked)) => Answer::of(!revoked),
                Some(Err(_)) | None => Answer::Open,
            },
            holder: Answer::of(self.holder == question.holder),
        }
    }
}

/// One authority of an accord, and the power by which it may join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccordParty {
    /// The authority, a DID.
    pub authority: String,
    /// The jurisdiction that it speaks for.
    pub place: String,
    /// The provision that it claims the power from.
    pub power: String,
}

/// A rule that authorities of several jurisdictions co-sign: a protection profile, a term and a cap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accord {
    /// The version of this form, 1.
    pub version: u32,
    /// A name for this accord.
    pub id: String,
    /// The digest of the protection profile that it rests on.
    pub profile: Digest,
    /// The authorities.
    pub parties: Vec<AccordParty>,
    /// The first day.
    pub from: CivilDate,
    /// The last day.
    pub until: CivilDate,
    /// The most people whose data may move under it.
    pub people_max: u64,
    /// Is it invented, for a demonstration? Whatever rests on it is tainted by that.
    pub invented: bool,
}

impl Accord {
    /// RFC 7515: prepares one authority's signature on the accord.
    pub fn prepare(&self, algorithm: Algorithm, key_id: &str) -> Result<jwt::Draft, RecordError> {
        prepare(self, ACCORD_TYP, algorithm, key_id)
    }

    /// The parties, each with whether its signature is among these tokens, by the key that `key_of` gives for it.
    ///
    /// A token over another text, even one that differs in a single byte, counts for nobody.
    pub fn signatures<'a>(
        &'a self,
        tokens: &[&str],
        key_of: &dyn Fn(&str) -> Option<PublicKey>,
    ) -> Vec<(&'a AccordParty, Answer)> {
        let signed: Vec<Jws> = tokens
            .iter()
            .filter_map(|token| read::<Accord>(token, ACCORD_TYP).ok())
            .filter(|(accord, _)| accord == self)
            .map(|(_, jws)| jws)
            .collect();
        let answer = |party: &AccordParty| match key_of(&party.authority) {
            Some(key) => Answer::of(signed.iter().any(|jws| jws.verify(&key).is_ok())),
            None => Answer::Open,
        };
        self.parties.iter().map(|party| (party, answer(party))).collect()
    }
}

fn prepare<T: Serialize>(
    record: &T,
    typ: &str,
    algorithm: Algorithm,
    key_id: &str,
) -> Result<jwt::Draft, RecordError> {
    let payload = canonical::to_bytes(record).map_err(|_| RecordError::Form)?;
    Ok(jwt::prepare(&Header::new(algorithm, typ).with_key_id(key_id), &payload))
}

fn read<T: Serialize + DeserializeOwned>(token: &str, typ: &str) -> Result<(T, Jws), RecordError> {
    let jws = Jws::parse(token).map_err(|_| RecordError::Token)?;
    if jws.header().typ.as_deref() != Some(typ) {
        return Err(RecordError::Token);
    }
    let record: T = serde_json::from_slice(jws.unverified_payload()).map_err(|_| RecordError::Form)?;
    match canonical::to_bytes(&record) {
        Ok(canonical) if canonical == jws.unverified_payload() => Ok((record, jws)),
        _ => Err(RecordError::Form),
    }
}
