//! Time-stamps (RFC 3161, ETSI EN 319 422): requests, tokens, responses; making them for a time-stamping authority
//! whose key stays outside, and verifying those of anybody.

use std::fmt;

use identity::asn1::oid::{self, Oid};
use identity::asn1::{DerError, Element, Reader, tag, write};
use identity::key::Signature;
use identity::x509::Certificate;
use identity::x509::path::{Purpose, SubIndication, Validation, When};
use model::{Digest, Instant};

use crate::cms::{CmsError, NotSigned, SignedDraft, SignedMessage, is_sha256, sha256};
use crate::seal::{Trust, failed};

// LIMIT: a nonce has at most 32 bytes; a request at most 4 KiB.
const NONCE_BYTES_MAX: usize = 32;
const REQUEST_BYTES_MAX: usize = 4 << 10;

/// Why bytes are no request, token or response, or no token is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StampError {
    /// The bytes are not the DER of one.
    Der(DerError),
    /// They are more than is read.
    TooLarge,
    /// They are of another kind or version.
    Form,
    /// The digest is not SHA-256.
    Algorithm,
    /// The policy that is asked for is none of this authority.
    Policy,
    /// RFC 3161 section 2.4.2: the authority refused, with this status and text.
    Refused(u64, String),
    /// The token has not exactly one signer.
    Signers(usize),
    /// The certificate's key is of a kind that does not sign here.
    Key,
    /// The signature is not one by the certificate's key over the draft.
    Signature,
}

impl StampError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            StampError::Der(_) => "stamp-der",
            StampError::TooLarge => "stamp-too-large",
            StampError::Form => "stamp-form",
            StampError::Algorithm => "stamp-algorithm",
            StampError::Policy => "stamp-policy",
            StampError::Refused(..) => "stamp-refused",
            StampError::Signers(_) => "stamp-signers",
            StampError::Key => "stamp-key",
            StampError::Signature => "stamp-signature",
        }
    }

    /// RFC 3161 section 2.4.2: the number of the failure bit that tells a client why it got no token.
    fn failure_bit(&self) -> u8 {
        match self {
            StampError::Algorithm => 0,
            StampError::Policy => 15,
            StampError::Der(_) => 5,
            StampError::TooLarge | StampError::Form | StampError::Signers(_) => 2,
            StampError::Refused(..) | StampError::Key | StampError::Signature => 25,
        }
    }
}

impl fmt::Display for StampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StampError::Der(error) => write!(f, "not strict DER: {error}"),
            StampError::TooLarge => write!(f, "larger than is read"),
            StampError::Form => write!(f, "not a time-stamp request, token or response"),
            StampError::Algorithm => write!(f, "the digest is not SHA-256"),
            StampError::Policy => write!(f, "the policy is none of this authority"),
            StampError::Refused(status, text) => {
                write!(f, "the authority refused with status {status}: `{text}`")
            }
            StampError::Signers(count) => write!(f, "a token has one signer, this one has {count}"),
            StampError::Key => write!(f, "the certificate's key is of a kind that does not sign here"),
            StampError::Signature => write!(f, "the signature is not one by the certificate's key"),
        }
    }
}

impl std::error::Error for StampError {}

impl From<DerError> for StampError {
    fn from(error: DerError) -> StampError {
        StampError::Der(error)
    }
}

impl From<CmsError> for StampError {
    fn from(error: CmsError) -> StampError {
        match error {
            CmsError::Der(error) => StampError::Der(error),
            CmsError::TooLarge => StampError::TooLarge,
            CmsError::Form => StampError::Form,
            CmsError::Signers(count) => StampError::Signers(count),
        }
    }
}

impl From<NotSigned> for StampError {
    fn from(error: NotSigned) -> StampError {
        match error {
            NotSigned::Key => StampError::Key,
            NotSigned::Signature => StampError::Signature,
        }
    }
}

/// RFC 3161 section 2.4.1: what is asked of a time-stamping authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The SHA-256 of what is to be stamped.
    pub imprint: Digest,
    /// Random bytes that tie the answer to the question.
    pub nonce: Option<Vec<u8>>,
    /// The policy asked for, if any.
    pub policy: Option<Oid>,
    /// Shall the token carry the authority's certificate?
    pub certificate: bool,
}

impl Request {
    /// Asks for a stamp on this digest, with a nonce and the certificate in the token.
    pub fn new(imprint: Digest, nonce: [u8; 16]) -> Request {
        Request { imprint, nonce: Some(trimmed(&nonce)), policy: None, certificate: true }
    }

    /// RFC 3161 section 2.4.1: the DER.
    pub fn to_der(&self) -> Vec<u8> {
        let policy = self.policy.as_ref().map(write::oid);
        let nonce = self.nonce.as_ref().map(|nonce| write::unsigned(nonce));
        write::sequence(&[
            &write::small(1),
            &imprint_der(&self.imprint),
            policy.as_deref().unwrap_or_default(),
            nonce.as_deref().unwrap_or_default(),
            &if self.certificate { write::yes() } else { Vec::new() },
        ])
    }

    /// RFC 3161 section 2.4.1: reads the DER; extensions are refused, since none is understood.
    pub fn read(bytes: &[u8]) -> Result<Request, StampError> {
        if bytes.len() > REQUEST_BYTES_MAX {
            return Err(StampError::TooLarge);
        }
        let mut inside = Reader::only(bytes, tag::SEQUENCE)?.inside();
        if inside.take(tag::INTEGER)?.small()? != 1 {
            return Err(StampError::Form);
        }
        let imprint = read_imprint(inside.take(tag::SEQUENCE)?)?;
        let policy = match inside.peek() {
            Some(tag::OID) => Some(inside.oid()?),
            _ => None,
        };
        let nonce = read_nonce(inside.optional(tag::INTEGER)?)?;
        let certificate = match inside.optional(tag::BOOLEAN)? {
            Some(flag) => flag.boolean()?,
            None => false,
        };
        if !inside.is_empty() {
            return Err(StampError::Form);
        }
        Ok(Request { imprint, nonce, policy, certificate })
    }
}

fn trimmed(nonce: &[u8]) -> Vec<u8> {
    let skip = nonce.iter().take_while(|byte| **byte == 0).count().min(nonce.len().saturating_sub(1));
    nonce.iter().skip(skip).copied().collect()
}

fn imprint_der(imprint: &Digest) -> Vec<u8> {
    write::sequence(&[&sha256(), &write::octets(&imprint.0)])
}

fn read_imprint(element: Element<'_>) -> Result<Digest, StampError> {
    let mut inside = element.inside();
    let algorithm = inside.take(tag::SEQUENCE)?;
    let digest = inside.take(tag::OCTET_STRING)?.value;
    inside.end()?;
    match (is_sha256(algorithm), digest.try_into()) {
        (true, Ok(digest)) => Ok(Digest(digest)),
        _ => Err(StampError::Algorithm),
    }
}

fn read_nonce(element: Option<Element<'_>>) -> Result<Option<Vec<u8>>, StampError> {
    let Some(element) = element else { return Ok(None) };
    let nonce = element.unsigned()?;
    if nonce.len() > NONCE_BYTES_MAX { Err(StampError::TooLarge) } else { Ok(Some(nonce.to_vec())) }
}

/// A token that lacks only its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft(SignedDraft);

impl Draft {
    /// RFC 5652 section 5.4: the bytes that the authority signs.
    pub fn to_sign(&self) -> &[u8] {
        self.0.to_sign()
    }

    /// RFC 3161 section 2.4.2: adds the signature, checks it and gives the token in DER.
    pub fn finish(self, signature: &Signature) -> Result<Vec<u8>, StampError> {
        Ok(self.0.finish(signature)?)
    }
}

/// RFC 3161 section 2.4.2: prepares the token that answers a request at this instant. The serial number must be one
/// that this authority never used before.
pub fn prepare(
    request: &Request,
    authority: &Certificate,
    policy: &Oid,
    serial: &[u8],
    at: Instant,
) -> Result<Draft, StampError> {
    if request.policy.as_ref().is_some_and(|asked| asked != policy) {
        return Err(StampError::Policy);
    }
    let nonce = request.nonce.as_ref().map(|nonce| write::unsigned(nonce));
    let info = write::sequence(&[
        &write::small(1),
        &write::oid(policy),
        &imprint_der(&request.imprint),
        &write::unsigned(serial),
        &write::generalized_time(at),
        // The clock is good to a second; no more is promised.
        &write::sequence(&[&write::small(1)]),
        nonce.as_deref().unwrap_or_default(),
    ]);
    // LIMIT: the certificate is always carried, also when not asked for: a token that outlives its authority's
    // website must be verifiable. RFC 3161 asks to leave it out then; `openssl ts -verify` does not mind.
    let digest = Digest::of(&info);
    Ok(Draft(SignedDraft::new(oid::TST_INFO, Some(info), &digest, authority, &[], None)?))
}

/// RFC 3161 section 2.4.2: the response that grants this token.
pub fn grant(token: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::sequence(&[&write::small(0)]), token])
}

/// RFC 3161 section 2.4.2: the response that refuses, with the reason in words and as a failure bit.
pub fn refuse(reason: &StampError) -> Vec<u8> {
    let text = write::sequence(&[&write::utf8(&reason.to_string())]);
    let bit = reason.failure_bit();
    let bytes: Vec<u8> = (0..=bit / 8).map(|at| if at == bit / 8 { 0x80 >> (bit % 8) } else { 0 }).collect();
    let failure = write::element(tag::BIT_STRING, &[&[7 - bit % 8], &bytes[..]].concat());
    write::sequence(&[&write::sequence(&[&write::small(2), &text, &failure])])
}

/// RFC 3161 section 2.4.2: takes the token out of a response, or tells why there is none.
pub fn read_response(bytes: &[u8]) -> Result<Vec<u8>, StampError> {
    let mut inside = Reader::only(bytes, tag::SEQUENCE)?.inside();
    let mut status = inside.take(tag::SEQUENCE)?.inside();
    let number = status.take(tag::INTEGER)?.small()?;
    let text = match status.optional(tag::SEQUENCE)? {
        Some(texts) => {
            let texts = texts.inside().all(tag::UTF8_STRING)?;
            let texts: Result<Vec<String>, DerError> = texts.iter().map(Element::text).collect();
            texts?.join("; ")
        }
        None => String::new(),
    };
    // 0 is granted, 1 granted with modifications.
    if number > 1 {
        return Err(StampError::Refused(number, text.chars().take(200).collect()));
    }
    let token = inside.take(tag::SEQUENCE)?.raw.to_vec();
    inside.end()?;
    Ok(token)
}

/// RFC 3161 section 2.4.2: a token that is read and not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    message: SignedMessage,
    policy: Oid,
    imprint: Digest,
    serial: Vec<u8>,
    at: Instant,
    nonce: Option<Vec<u8>>,
}

impl Token {
    /// RFC 3161 section 2.4.2: reads the DER of a token.
    pub fn read(bytes: &[u8]) -> Result<Token, StampError> {
        let message = SignedMessage::read(bytes)?;
        let content = match (&message.content, message.content_type == oid::TST_INFO) {
            (Some(content), true) => content,
            _ => return Err(StampError::Form),
        };
        let mut inside = Reader::only(content, tag::SEQUENCE)?.inside();
        if inside.take(tag::INTEGER)?.small()? != 1 {
            return Err(StampError::Form);
        }
        let policy = inside.oid()?;
        let imprint = read_imprint(inside.take(tag::SEQUENCE)?)?;
        let serial = inside.take(tag::INTEGER)?.unsigned()?.to_vec();
        let at = inside.take(tag::GENERALIZED_TIME)?.time()?;
        inside.optional(tag::SEQUENCE)?;
        inside.optional(tag::BOOLEAN)?;
        let nonce = read_nonce(inside.optional(tag::INTEGER)?)?;
        inside.optional(tag::CONTEXT_CONSTRUCTED_0)?;
        if inside.peek() == Some(0xa1) {
            // An extension could change what the token says; none is understood.
            return Err(StampError::Form);
        }
        inside.end()?;
        Ok(Token { policy, imprint, serial, at, nonce, message })
    }

    /// The time that the token states: a claim until verified.
    pub fn time(&self) -> Instant {
        self.at
    }

    /// The policy of the authority.
    pub fn policy(&self) -> &Oid {
        &self.policy
    }

    /// The serial number, big-endian without sign octet.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// What was stamped.
    pub fn imprint(&self) -> &Digest {
        &self.imprint
    }

    /// The nonce of the request.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// The certificate that the token names as its authority's: a claim until verified.
    pub fn authority(&self) -> Option<&Certificate> {
        self.message.signer_certificate()
    }

    /// RFC 3161 section 2.4.2 with ETSI EN 319 102-1 section 5.4: judges the token on this digest, with the path of
    /// its certificate at the time it states; with a request, also that it answers this very request.
    pub fn verify(&self, imprint: &Digest, request: Option<&Request>, to: &Trust<'_>) -> Validation {
        if self.imprint != *imprint {
            return Validation::TotalFailed(SubIndication::HashFailure);
        }
        if let Some(request) = request {
            let policy_fits = request.policy.as_ref().is_none_or(|policy| *policy == self.policy);
            if request.nonce != self.nonce || request.imprint != self.imprint || !policy_fits {
                return Validation::Indeterminate(SubIndication::SigConstraintsFailure);
            }
        }
        let info = self.message.content.as_deref().unwrap_or_default();
        match self.message.check(&Digest::of(info)) {
            Err(sub) => failed(sub),
            Ok(certificate) => {
                let SignedMessage { certificates, crls, .. } = &self.message;
                to.path(certificate, certificates, crls, Purpose::TimeStamping, When::UsedAt(self.at))
            }
        }
    }
}
