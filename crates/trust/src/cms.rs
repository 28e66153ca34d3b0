//! CMS signed data (RFC 5652), as far as seals (CAdES) and time-stamp tokens need it: one signer, SHA-256.
//!
//! Verification is over the bytes that arrived. What is written is DER with sorted sets; what is read may carry
//! sets in any order, because OpenSSL writes some unsorted.

use identity::asn1::oid::{self, Oid};
use identity::asn1::{DerError, Element, Reader, tag, write};
use identity::key::{Algorithm, Signature};
use identity::x509::path::SubIndication;
use identity::x509::{Certificate, Crl};
use model::{Digest, Instant};

// LIMIT: a signed message is at most 1 MiB and carries at most 32 certificates and 32 revocation lists.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
const CARRIED_MAX: usize = 32;

/// RFC 5652 section 5.1: signed data with exactly one signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedMessage {
    pub content_type: Oid,
    pub content: Option<Vec<u8>>,
    pub certificates: Vec<Certificate>,
    pub crls: Vec<Crl>,
    signer: Signer,
}

/// RFC 5652 section 5.3: what the one signer says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signer {
    id: SignerId,
    digest_is_sha256: bool,
    /// The signed attributes as they are signed: with the tag of a SET.
    attributes: Vec<u8>,
    signature: Option<Signature>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SignerId {
    Issued { issuer: Vec<u8>, serial: Vec<u8> },
    Key(Vec<u8>),
}

/// Why bytes are no such message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CmsError {
    Der(DerError),
    TooLarge,
    /// It is not signed data, or lacks signed attributes.
    Form,
    /// There is not exactly one signer.
    Signers(usize),
}

impl From<DerError> for CmsError {
    fn from(error: DerError) -> CmsError {
        CmsError::Der(error)
    }
}

impl SignedMessage {
    pub fn read(bytes: &[u8]) -> Result<SignedMessage, CmsError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(CmsError::TooLarge);
        }
        let mut outer = Reader::only(bytes, tag::SEQUENCE)?.inside();
        if outer.oid()? != oid::SIGNED_DATA {
            return Err(CmsError::Form);
        }
        let wrapped = outer.take(tag::CONTEXT_CONSTRUCTED_0)?;
        outer.end()?;
        let mut data = Reader::only(wrapped.value, tag::SEQUENCE)?.inside();
        data.take(tag::INTEGER)?.small()?;
        data.take(tag::SET)?;
        let (content_type, content) = read_content(data.take(tag::SEQUENCE)?)?;
        let mut certificates = Vec::new();
        if let Some(set) = data.optional(tag::CONTEXT_CONSTRUCTED_0)? {
            let mut inside = set.inside();
            while !inside.is_empty() {
                // A certificate of a kind that is not read here is left out; if it was needed, that shows.
                certificates.extend(Certificate::from_der(inside.element()?.raw).ok());
            }
        }
        let mut crls = Vec::new();
        if let Some(set) = data.optional(0xa1)? {
            let mut inside = set.inside();
            while !inside.is_empty() {
                crls.extend(Crl::from_der(inside.element()?.raw).ok());
            }
        }
        if certificates.len() > CARRIED_MAX || crls.len() > CARRIED_MAX {
            return Err(CmsError::TooLarge);
        }
        let signers = data.take(tag::SET)?.inside().all(tag::SEQUENCE)?;
        data.end()?;
        let [signer] = signers.as_slice() else { return Err(CmsError::Signers(signers.len())) };
        Ok(SignedMessage { content_type, content, certificates, crls, signer: read_signer(*signer)? })
    }

    /// RFC 5652 section 10.2.4: the signer's certificate among those carried.
    pub fn signer_certificate(&self) -> Option<&Certificate> {
        self.certificates.iter().find(|one| match &self.signer.id {
            SignerId::Issued { issuer, serial } => one.issuer().der() == issuer && one.serial() == serial,
            SignerId::Key(id) => one.extensions().subject_key_id.as_ref() == Some(id),
        })
    }

    /// RFC 5652 section 11.3: the time that the signer claims.
    pub fn claimed_time(&self) -> Option<Instant> {
        let value = self.attribute(&oid::SIGNING_TIME)?;
        Reader::new(value).element().ok()?.time().ok()
    }

    /// RFC 5652 section 5.4 and RFC 5035: does the signer's certificate, bound by the signed attributes, sign this
    /// digest of the content?
    pub fn check(&self, content: &Digest) -> Result<&Certificate, SubIndication> {
        let certificate = self.signer_certificate().ok_or(SubIndication::NoSigningCertificateFound)?;
        let key = certificate.key().ok_or(SubIndication::CryptoConstraintsFailure)?;
        let signature = self.signer.signature.as_ref().ok_or(SubIndication::CryptoConstraintsFailure)?;
        if !self.signer.digest_is_sha256 {
            return Err(SubIndication::CryptoConstraintsFailure);
        }
        let attribute = |oid: &Oid| self.attribute(oid).ok_or(SubIndication::SigConstraintsFailure);
        let digest = attribute(&oid::MESSAGE_DIGEST)?;
        if digest != write::octets(&content.0) {
            return Err(SubIndication::HashFailure);
        }
        if attribute(&oid::CONTENT_TYPE)? != write::oid(&self.content_type) {
            return Err(SubIndication::SigConstraintsFailure);
        }
        if !key.verifies(&self.signer.attributes, signature) {
            return Err(SubIndication::SigCryptoFailure);
        }
        let named = named_certificate(attribute(&oid::SIGNING_CERTIFICATE_V2)?);
        if named.map_err(|_| SubIndication::FormatFailure)? != Some(certificate.fingerprint().to_vec()) {
            return Err(SubIndication::SigConstraintsFailure);
        }
        Ok(certificate)
    }

    /// The one value of a signed attribute; `None` when it is absent, doubled or has several values.
    fn attribute(&self, wanted: &Oid) -> Option<&[u8]> {
        let set = Reader::only(&self.signer.attributes, tag::SET).ok()?;
        let mut found = None;
        for attribute in set.inside().all(tag::SEQUENCE).ok()? {
            let mut inside = attribute.inside();
            if inside.oid().ok()? != *wanted {
                continue;
            }
            let values = inside.take(tag::SET).ok()?;
            let mut values = values.inside();
            let value = values.element().ok()?;
            if found.is_some() || !values.is_empty() || !inside.is_empty() {
                return None;
            }
            found = Some(value.raw);
        }
        found
    }
}

fn read_content(element: Element<'_>) -> Result<(Oid, Option<Vec<u8>>), CmsError> {
    let mut inside = element.inside();
    let content_type = inside.oid()?;
    let content = match inside.optional(tag::CONTEXT_CONSTRUCTED_0)? {
        Some(wrapped) => Some(Reader::only(wrapped.value, tag::OCTET_STRING)?.value.to_vec()),
        None => None,
    };
    inside.end()?;
    Ok((content_type, content))
}

fn read_signer(element: Element<'_>) -> Result<Signer, CmsError> {
    let mut inside = element.inside();
    inside.take(tag::INTEGER)?.small()?;
    let id = match inside.peek() {
        Some(tag::CONTEXT_0) => SignerId::Key(inside.element()?.value.to_vec()),
        _ => {
            let mut pair = inside.take(tag::SEQUENCE)?.inside();
            let issuer = pair.take(tag::SEQUENCE)?.raw.to_vec();
            let serial = pair.take(tag::INTEGER)?.unsigned()?.to_vec();
            pair.end()?;
            SignerId::Issued { issuer, serial }
        }
    };
    let digest_algorithm = inside.take(tag::SEQUENCE)?;
    let attributes = inside.optional(tag::CONTEXT_CONSTRUCTED_0)?.ok_or(CmsError::Form)?;
    let algorithm = Algorithm::from_der(inside.take(tag::SEQUENCE)?.raw);
    let signature = inside.take(tag::OCTET_STRING)?.value;
    // Unsigned attributes prove nothing here and are not looked at.
    inside.optional(0xa1)?;
    inside.end()?;
    let mut signed = attributes.raw.to_vec();
    if let Some(first) = signed.first_mut() {
        *first = tag::SET;
    }
    Ok(Signer {
        id,
        digest_is_sha256: is_sha256(digest_algorithm),
        attributes: signed,
        signature: algorithm.and_then(|algorithm| Signature::from_der(algorithm, signature)),
    })
}

/// RFC 5754 section 2: SHA-256, with parameters absent or NULL.
pub(crate) fn is_sha256(algorithm: Element<'_>) -> bool {
    let plain = sha256();
    let with_null = write::sequence(&[&write::oid(&oid::SHA256), &write::null()]);
    algorithm.raw == plain || algorithm.raw == with_null
}

/// RFC 5754 section 2: SHA-256 without parameters.
pub(crate) fn sha256() -> Vec<u8> {
    write::sequence(&[&write::oid(&oid::SHA256)])
}

/// RFC 5035 section 3: the SHA-256 of the first certificate named; `None` when another digest is used.
fn named_certificate(attribute: &[u8]) -> Result<Option<Vec<u8>>, DerError> {
    let mut inside = Reader::only(attribute, tag::SEQUENCE)?.inside();
    let mut first = inside.take(tag::SEQUENCE)?.inside().take(tag::SEQUENCE)?.inside();
    if let Some(algorithm) = first.optional(tag::SEQUENCE)?
        && !is_sha256(algorithm)
    {
        return Ok(None);
    }
    Ok(Some(first.take(tag::OCTET_STRING)?.value.to_vec()))
}

/// Signed data that lacks only its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedDraft {
    content_type: Oid,
    content: Option<Vec<u8>>,
    attributes: Vec<u8>,
    signer: Certificate,
    carried: Vec<Certificate>,
    algorithm: Algorithm,
}

/// Why a signature does not complete a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotSigned {
    Key,
    Signature,
}

impl SignedDraft {
    /// RFC 5652 section 5.4: the attributes that are signed, for a content of this digest. `content` is carried
    /// inside when given, else the message is detached; `chain` is carried beside the signer's certificate.
    pub fn new(
        content_type: Oid,
        content: Option<Vec<u8>>,
        digest: &Digest,
        signer: &Certificate,
        chain: &[Certificate],
        signing_time: Option<Instant>,
    ) -> Result<SignedDraft, NotSigned> {
        let algorithm = signer.key().ok_or(NotSigned::Key)?.algorithm();
        let attribute =
            |oid: &Oid, value: Vec<u8>| write::sequence(&[&write::oid(oid), &write::set_of(vec![value])]);
        // RFC 5035 section 4: SHA-256 is the default and therefore not written.
        let named = write::sequence(&[&write::octets(&signer.fingerprint())]);
        let mut attributes = vec![
            attribute(&oid::CONTENT_TYPE, write::oid(&content_type)),
            attribute(&oid::MESSAGE_DIGEST, write::octets(&digest.0)),
            attribute(&oid::SIGNING_CERTIFICATE_V2, write::sequence(&[&write::sequence(&[&named])])),
        ];
        if let Some(at) = signing_time {
            attributes.push(attribute(&oid::SIGNING_TIME, write::time(at)));
        }
        let mut carried = vec![signer.clone()];
        carried.extend(chain.iter().filter(|one| *one != signer).cloned());
        Ok(SignedDraft {
            content_type,
            content,
            attributes: write::set_of(attributes),
            signer: signer.clone(),
            carried,
            algorithm,
        })
    }

    pub fn to_sign(&self) -> &[u8] {
        &self.attributes
    }

    pub fn finish(&self, signature: &Signature) -> Result<Vec<u8>, NotSigned> {
        let key = self.signer.key().ok_or(NotSigned::Key)?;
        if !key.verifies(&self.attributes, signature) {
            return Err(NotSigned::Signature);
        }
        // RFC 5652 section 5.1: version 3 when the content is not plain data.
        let version = if self.content_type == oid::DATA { 1 } else { 3 };
        let content = match &self.content {
            Some(content) => write::explicit(0, &write::octets(content)),
            None => Vec::new(),
        };
        let carried = write::set_of(self.carried.iter().map(|one| one.der().to_vec()).collect());
        let id = write::sequence(&[self.signer.issuer().der(), &write::unsigned(self.signer.serial())]);
        let signer = write::sequence(&[
            &write::small(1),
            &id,
            &sha256(),
            &retagged(&self.attributes),
            &self.algorithm.to_der(),
            &write::octets(&signature.to_der()),
        ]);
        let data = write::sequence(&[
            &write::small(version),
            &write::set_of(vec![sha256()]),
            &write::sequence(&[&write::oid(&self.content_type), &content]),
            &retagged(&carried),
            &write::set_of(vec![signer]),
        ]);
        Ok(write::sequence(&[&write::oid(&oid::SIGNED_DATA), &write::explicit(0, &data)]))
    }
}

/// A SET with the implicit tag [0] in place of its own.
fn retagged(set: &[u8]) -> Vec<u8> {
    let mut out = set.to_vec();
    if let Some(first) = out.first_mut() {
        *first = tag::CONTEXT_CONSTRUCTED_0;
    }
    out
}
