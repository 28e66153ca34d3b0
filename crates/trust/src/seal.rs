//! Electronic seals: CAdES baseline B (ETSI EN 319 122-1), detached, over bytes that stay beside it.
//!
//! The key stays outside: `prepare` gives a draft, the draft gives the bytes to sign, `finish` takes the signature.

use std::fmt;

use identity::asn1::DerError;
use identity::asn1::oid;
use identity::key::Signature;
use identity::x509::path::{Purpose, Question, Revocation, SubIndication, Validation, When, validate};
use identity::x509::{Certificate, Crl};
use model::{Digest, Instant};

use crate::cms::{CmsError, NotSigned, SignedDraft, SignedMessage};

/// Why bytes are no seal, or no seal is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// The bytes are not the DER of signed data.
    Der(DerError),
    /// The seal is larger than is read.
    TooLarge,
    /// It is not detached signed data with signed attributes.
    Form,
    /// It has not exactly one signer.
    Signers(usize),
    /// The certificate's key is of a kind that does not seal here.
    Key,
    /// The signature is not one by the certificate's key over the draft.
    Signature,
}

impl SealError {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            SealError::Der(_) => "seal-der",
            SealError::TooLarge => "seal-too-large",
            SealError::Form => "seal-form",
            SealError::Signers(_) => "seal-signers",
            SealError::Key => "seal-key",
            SealError::Signature => "seal-signature",
        }
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SealError::Der(error) => write!(f, "the seal is not strict DER: {error}"),
            SealError::TooLarge => write!(f, "the seal is larger than is read"),
            SealError::Form => write!(f, "not a detached CAdES seal"),
            SealError::Signers(count) => write!(f, "a seal has one signer, this one has {count}"),
            SealError::Key => write!(f, "the certificate's key is of a kind that does not seal here"),
            SealError::Signature => write!(f, "the signature is not one by the certificate's key"),
        }
    }
}

impl std::error::Error for SealError {}

impl From<CmsError> for SealError {
    fn from(error: CmsError) -> SealError {
        match error {
            CmsError::Der(error) => SealError::Der(error),
            CmsError::TooLarge => SealError::TooLarge,
            CmsError::Form => SealError::Form,
            CmsError::Signers(count) => SealError::Signers(count),
        }
    }
}

impl From<NotSigned> for SealError {
    fn from(error: NotSigned) -> SealError {
        match error {
            NotSigned::Key => SealError::Key,
            NotSigned::Signature => SealError::Signature,
        }
    }
}

/// A seal that lacks only its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft(SignedDraft);

impl Draft {
    /// RFC 5652 section 5.4: the bytes to sign, a SET of the signed attributes in DER.
    pub fn to_sign(&self) -> &[u8] {
        self.0.to_sign()
    }

    /// RFC 5652 section 5.1: adds the signature, checks it and gives the seal in DER (a `.p7s`).
    pub fn finish(self, signature: &Signature) -> Result<Vec<u8>, SealError> {
        Ok(self.0.finish(signature)?)
    }
}

/// ETSI EN 319 122-1 section 6.3: prepares a baseline B seal over a content of this SHA-256, by the holder of this
/// certificate, who claims this time. `chain` (the issuers, without the anchor) is carried along.
pub fn prepare(
    content: &Digest,
    signer: &Certificate,
    chain: &[Certificate],
    signing_time: Instant,
) -> Result<Draft, SealError> {
    Ok(Draft(SignedDraft::new(oid::DATA, None, content, signer, chain, Some(signing_time))?))
}

/// A seal that is read and not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal(SignedMessage);

impl Seal {
    /// RFC 5652 section 5: reads the DER of a detached seal with one signer.
    pub fn read(bytes: &[u8]) -> Result<Seal, SealError> {
        let message = SignedMessage::read(bytes)?;
        if message.content.is_some() || message.content_type != oid::DATA {
            return Err(SealError::Form);
        }
        Ok(Seal(message))
    }

    /// The certificate that the seal names as its signer's: a claim until verified.
    pub fn signer(&self) -> Option<&Certificate> {
        self.0.signer_certificate()
    }

    /// All certificates that the seal carries.
    pub fn certificates(&self) -> &[Certificate] {
        &self.0.certificates
    }

    /// RFC 5652 section 11.3: the time that the signer claims; it proves nothing.
    pub fn claimed_time(&self) -> Option<Instant> {
        self.0.claimed_time()
    }

    /// ETSI EN 319 102-1 section 5.3: judges the seal over a content of this digest, by its profile, its signature
    /// and the path of its certificate.
    ///
    /// The profile: one signer, the signing certificate bound by its SHA-256, signing time present, a certificate of
    /// a legal person for sealing.
    pub fn verify(&self, content: &Digest, to: &Trust<'_>, when: When) -> Validation {
        let certificate = match self.0.check(content) {
            Ok(certificate) => certificate,
            Err(sub) => return failed(sub),
        };
        if self.claimed_time().is_none()
            || certificate.subject().attribute(&oid::ORGANIZATION_IDENTIFIER).is_none()
        {
            return Validation::Indeterminate(SubIndication::SigConstraintsFailure);
        }
        to.path(certificate, &self.0.certificates, &self.0.crls, Purpose::Seal, when)
    }
}

/// What a verification trusts, and what it knows of revocation: all from the caller.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// The anchors, from outside and never from what is verified.
    pub anchors: &'a [Certificate],
    /// Further certificates that may lie on the path.
    pub intermediates: &'a [Certificate],
    /// Revocation lists, which are believed only when signed by the issuer.
    pub crls: &'a [Crl],
    /// Whether revocation must be known.
    pub revocation: Revocation,
}

impl Trust<'_> {
    /// Judges the path of a certificate, with what a message carries beside what is held.
    pub(crate) fn path(
        &self,
        certificate: &Certificate,
        carried: &[Certificate],
        carried_crls: &[Crl],
        purpose: Purpose,
        when: When,
    ) -> Validation {
        let intermediates = [self.intermediates, carried].concat();
        let crls = [self.crls, carried_crls].concat();
        validate(&Question {
            certificate,
            intermediates: &intermediates,
            anchors: self.anchors,
            crls: &crls,
            when,
            purpose,
            revocation: self.revocation,
        })
    }
}

/// ETSI EN 319 102-1 table 6: which sub-indications fail for good and which leave the answer open.
pub(crate) fn failed(sub: SubIndication) -> Validation {
    match sub {
        SubIndication::FormatFailure
        | SubIndication::HashFailure
        | SubIndication::SigCryptoFailure
        | SubIndication::Revoked
        | SubIndication::Expired
        | SubIndication::NotYetValid => Validation::TotalFailed(sub),
        _ => Validation::Indeterminate(sub),
    }
}
