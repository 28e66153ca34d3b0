//! Delivery evidence (ETSI EN 319 522-2 and -3 event names): what the receiver signs about what it got.
//!
//! A receipt is canonical JSON in a compact JWS with the receiver's certificates in `x5c`. It names digests and
//! processes, never content or a person.

use std::fmt;

use identity::asn1::oid;
use identity::jwt::{self, Header, Jws, JwtError};
use identity::key::Signature;
use identity::x509::path::{Purpose, SubIndication, Validation, When};
use identity::x509::{AltName, Certificate};
use model::{Digest, Instant, canonical};
use serde::{Deserialize, Serialize};

use crate::seal::{Trust, failed};

/// The `typ` of a receipt, so that no other token passes for one.
pub const TYP: &str = "erds-evidence+jws";

/// ETSI EN 319 522-3 section 5: the events of a delivery that are attested here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeliveryEvent {
    /// A.1: the sender's side took the content on.
    #[serde(rename = "http://uri.etsi.org/19522/Event/SubmissionAcceptance")]
    SubmissionAcceptance,
    /// A.2: the sender's side refused it.
    #[serde(rename = "http://uri.etsi.org/19522/Event/SubmissionRejection")]
    SubmissionRejection,
    /// B.3: no verified receipt came in time.
    #[serde(rename = "http://uri.etsi.org/19522/Event/RelayFailure")]
    RelayFailure,
    /// E.1: the recipient has it.
    #[serde(rename = "http://uri.etsi.org/19522/Event/ContentHandover")]
    ContentHandover,
    /// E.2: the recipient could not be given it.
    #[serde(rename = "http://uri.etsi.org/19522/Event/ContentHandoverFailure")]
    ContentHandoverFailure,
}

impl DeliveryEvent {
    /// Is it one that needs a reason?
    pub fn negative(self) -> bool {
        !matches!(self, DeliveryEvent::SubmissionAcceptance | DeliveryEvent::ContentHandover)
    }
}

/// ETSI EN 319 522-2 section 8: one piece of delivery evidence, in its field names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The version of this form, 1.
    pub version: u32,
    /// A name for this piece of evidence, new each time.
    #[serde(rename = "EvidenceIdentifier")]
    pub id: String,
    /// What happened.
    #[serde(rename = "ERDSEventId")]
    pub event: DeliveryEvent,
    /// When, by the issuer's clock.
    #[serde(rename = "EventTime")]
    pub at: Instant,
    /// Why, for an event that is negative.
    #[serde(rename = "EventReasons", default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Who attests: the DID or organization identifier that the certificate of the signature carries.
    #[serde(rename = "EvidenceIssuerDetails")]
    pub issuer: String,
    /// Who sent.
    #[serde(rename = "SenderDetails")]
    pub sender: String,
    /// Who was to receive.
    #[serde(rename = "RecipientDetails")]
    pub recipient: String,
    /// The transfer process.
    #[serde(rename = "MessageIdentifier")]
    pub transfer: String,
    /// The agreement that it moved under.
    pub agreement: String,
    /// The digest of the manifest that was received, and with it of every chunk.
    pub manifest: Digest,
    /// The sequence number of that manifest.
    pub sequence: u64,
}

/// Does the certificate name this party, by a URI such as its DID, or by its organization identifier?
pub(crate) fn names(certificate: &Certificate, party: &str) -> bool {
    certificate.extensions().alt_names.contains(&AltName::Uri(party.to_owned()))
        || certificate.subject().attribute(&oid::ORGANIZATION_IDENTIFIER) == Some(party)
}

/// Why there is no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptError {
    /// The token is not a compact JWS of this type.
    Token(JwtError),
    /// The content is not a receipt in canonical form.
    Form,
    /// An event that is negative needs a reason.
    Reason,
    /// There is no certificate to sign with.
    NoCertificate,
}

impl ReceiptError {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            ReceiptError::Token(error) => error.code(),
            ReceiptError::Form => "receipt-form",
            ReceiptError::Reason => "receipt-reason",
            ReceiptError::NoCertificate => "receipt-no-certificate",
        }
    }
}

impl fmt::Display for ReceiptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReceiptError::Token(error) => write!(f, "{error}"),
            ReceiptError::Form => write!(f, "not a receipt in canonical form"),
            ReceiptError::Reason => write!(f, "an event that is negative needs a reason"),
            ReceiptError::NoCertificate => write!(f, "no certificate to sign a receipt with"),
        }
    }
}

impl std::error::Error for ReceiptError {}

/// A receipt that lacks only its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft(jwt::Draft);

impl Draft {
    /// RFC 7515 section 5.1: the bytes to sign.
    pub fn to_sign(&self) -> &[u8] {
        self.0.to_sign()
    }

    /// RFC 7515 section 7.1: adds the signature and gives the token.
    pub fn finish(self, signature: &Signature) -> Result<String, ReceiptError> {
        self.0.finish(signature).map_err(ReceiptError::Token)
    }
}

impl Receipt {
    /// ETSI EN 319 522-2: prepares the signed form, by the holder of the first certificate; the others lead from it
    /// towards the anchor, which stays away.
    pub fn prepare(&self, chain: &[Certificate]) -> Result<Draft, ReceiptError> {
        if self.event.negative() && self.reasons.is_empty() {
            return Err(ReceiptError::Reason);
        }
        let key = chain.first().and_then(Certificate::key).ok_or(ReceiptError::NoCertificate)?;
        let payload = canonical::to_bytes(self).map_err(|_| ReceiptError::Form)?;
        let header = Header::new(key.algorithm(), TYP).with_chain(chain);
        Ok(Draft(jwt::prepare(&header, &payload)))
    }

    /// Reads a receipt without judging its signature.
    pub fn read(token: &str) -> Result<(Receipt, Jws), ReceiptError> {
        let jws = Jws::parse(token).map_err(ReceiptError::Token)?;
        if jws.header().typ.as_deref() != Some(TYP) {
            return Err(ReceiptError::Token(JwtError::Type));
        }
        let payload = jws.unverified_payload();
        let receipt: Receipt = serde_json::from_slice(payload).map_err(|_| ReceiptError::Form)?;
        // The canonical form is the only one, so that a receipt cannot say two things.
        let canonical = canonical::to_bytes(&receipt).map_err(|_| ReceiptError::Form)?;
        let reasoned = !receipt.event.negative() || !receipt.reasons.is_empty();
        if canonical != payload || receipt.version != 1 || !reasoned {
            return Err(ReceiptError::Form);
        }
        Ok((receipt, jws))
    }

    /// ETSI EN 319 102-1: judges the signature of a receipt that was read with its token, and the path of its
    /// certificate, which must be a seal's and name the issuer.
    pub fn verify(&self, jws: &Jws, to: &Trust<'_>, when: When) -> Validation {
        let chain = &jws.header().chain;
        let Some(certificate) = chain.first() else {
            return failed(SubIndication::NoSigningCertificateFound);
        };
        let Some(key) = certificate.key() else { return failed(SubIndication::CryptoConstraintsFailure) };
        if jws.verify(key).is_err() {
            return failed(SubIndication::SigCryptoFailure);
        }
        if !names(certificate, &self.issuer) {
            return failed(SubIndication::SigConstraintsFailure);
        }
        to.path(certificate, chain, &[], Purpose::Seal, when)
    }
}
