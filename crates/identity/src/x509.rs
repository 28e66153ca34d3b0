//! X.509 certificates and revocation lists (RFC 5280): strict DER in, typed values out; no trust is decided here.
//!
//! [`path`] decides whether a certificate leads to an anchor.

mod crl;
mod name;
pub mod path;

use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Instant;
use sha2::{Digest as _, Sha256};

use crate::asn1::oid::{self, Oid};
use crate::asn1::{DerError, Element, Reader, tag};
use crate::key::{Algorithm, PublicKey, Signature};

// LIMIT: a certificate is at most 64 KiB.
const CERTIFICATE_BYTES_MAX: usize = 64 << 10;

/// RFC 5280: why bytes are no certificate or revocation list that can be read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum X509Error {
    /// The bytes are not the DER of one.
    Der(DerError),
    /// The armor of a PEM text is broken or holds something else.
    Pem,
    /// The bytes are more than is read.
    TooLarge,
    /// An extension stands twice.
    DoubledExtension,
    /// It is not a version 3 certificate or a version 2 list.
    Version,
    /// The algorithm named inside differs from the one outside.
    AlgorithmDiffers,
}

impl X509Error {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            X509Error::Der(_) => "x509-der",
            X509Error::Pem => "x509-pem",
            X509Error::TooLarge => "x509-too-large",
            X509Error::DoubledExtension => "x509-doubled-extension",
            X509Error::Version => "x509-version",
            X509Error::AlgorithmDiffers => "x509-algorithm-differs",
        }
    }
}

impl fmt::Display for X509Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            X509Error::Der(error) => write!(f, "not strict DER: {error}"),
            X509Error::Pem => write!(f, "the PEM text is broken"),
            X509Error::TooLarge => write!(f, "the certificate or list is larger than is read"),
            X509Error::DoubledExtension => write!(f, "an extension stands twice"),
            X509Error::Version => write!(f, "neither a version 3 certificate nor a version 2 list"),
            X509Error::AlgorithmDiffers => {
                write!(f, "the signature algorithm inside differs from the one outside")
            }
        }
    }
}

impl std::error::Error for X509Error {}

impl From<DerError> for X509Error {
    fn from(error: DerError) -> X509Error {
        X509Error::Der(error)
    }
}

/// RFC 5280 section 4.1.2.4: a distinguished name.
///
/// LIMIT: two names are equal when their DER is; the case folding of RFC 5280 section 7.1 is not done.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name {
    der: Vec<u8>,
    attributes: Vec<(Oid, String)>,
}

/// RFC 5280 section 4.2.1.6: one alternative name of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AltName {
    /// A DNS name.
    Dns(String),
    /// A URI, such as a `did:web` identifier.
    Uri(String),
    /// An address, 4 or 16 bytes.
    Ip(Vec<u8>),
    /// A mailbox.
    Email(String),
}

/// RFC 5280 section 4.2.1.3: the named bits of key usage, number 0 at the top.
pub mod key_usage {
    /// `digitalSignature`.
    pub const DIGITAL_SIGNATURE: u16 = 0x8000;
    /// `nonRepudiation`, also called `contentCommitment`.
    pub const NON_REPUDIATION: u16 = 0x4000;
    /// `keyCertSign`.
    pub const CERTIFICATE_SIGN: u16 = 0x0400;
    /// `cRLSign`.
    pub const CRL_SIGN: u16 = 0x0200;
}

/// RFC 5280 section 4.2.1.9: what the basic constraints say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// May the subject issue certificates?
    pub authority: bool,
    /// How many further authorities may follow below it.
    pub path_len: Option<u64>,
}

/// RFC 5280 section 4.2: the extensions that are understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// Basic constraints.
    pub basic_constraints: Option<BasicConstraints>,
    /// The bits of key usage.
    pub key_usage: Option<u16>,
    /// The purposes of extended key usage, in order.
    pub purposes: Option<Vec<Oid>>,
    /// Is extended key usage marked critical?
    pub purposes_critical: bool,
    /// Subject key identifier.
    pub subject_key_id: Option<Vec<u8>>,
    /// Authority key identifier.
    pub authority_key_id: Option<Vec<u8>>,
    /// Alternative names; those of kinds that are not understood are left out.
    pub alt_names: Vec<AltName>,
    /// Addresses of revocation lists.
    pub crl_urls: Vec<String>,
    /// Critical extensions that are not understood: a path through this certificate is refused.
    pub unknown_critical: Vec<Oid>,
}

/// RFC 5280 section 4.1: a certificate with the bytes it arrived in.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    tbs: Range<usize>,
    serial: Vec<u8>,
    issuer: Name,
    subject: Name,
    not_before: Instant,
    not_after: Instant,
    key: Option<PublicKey>,
    extensions: Extensions,
    signature: Option<Signature>,
}

impl Certificate {
    /// RFC 5280 section 4.1: reads the DER of one certificate.
    pub fn from_der(bytes: &[u8]) -> Result<Certificate, X509Error> {
        if bytes.len() > CERTIFICATE_BYTES_MAX {
            return Err(X509Error::TooLarge);
        }
        let mut outer = Reader::only(bytes, tag::SEQUENCE)?.inside();
        let signed = Signed::read(&mut outer)?;
        let mut tbs = signed.tbs.inside();
        let version = tbs.optional(tag::CONTEXT_CONSTRUCTED_0)?.ok_or(X509Error::Version)?;
        if Reader::only(version.value, tag::INTEGER)?.small()? != 2 {
            return Err(X509Error::Version);
        }
        let serial = tbs.take(tag::INTEGER)?.unsigned()?.to_vec();
        if tbs.take(tag::SEQUENCE)?.raw != signed.algorithm {
            return Err(X509Error::AlgorithmDiffers);
        }
        let issuer = Name::read(tbs.take(tag::SEQUENCE)?)?;
        let mut validity = tbs.take(tag::SEQUENCE)?.inside();
        let (not_before, not_after) = (validity.element()?.time()?, validity.element()?.time()?);
        validity.end()?;
        let subject = Name::read(tbs.take(tag::SEQUENCE)?)?;
        let key = PublicKey::from_spki(tbs.take(tag::SEQUENCE)?.raw)?.ok();
        // The unique identifiers of version 2 are skipped, as everybody does.
        tbs.optional(0x81)?;
        tbs.optional(0x82)?;
        let extensions = match tbs.optional(0xa3)? {
            Some(wrapped) => read_extensions(Reader::only(wrapped.value, tag::SEQUENCE)?)?,
            None => Extensions::default(),
        };
        tbs.end()?;
        let start = bytes.len() - outer_content_len(bytes)?;
        Ok(Certificate {
            tbs: start..start + signed.tbs.raw.len(),
            der: bytes.to_vec(),
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            key,
            extensions,
            signature: signed.signature,
        })
    }

    /// RFC 7468: reads all certificates of a PEM text, in order; text between them is ignored.
    pub fn from_pem(text: &str) -> Result<Vec<Certificate>, X509Error> {
        read_pem(text, "CERTIFICATE")?.iter().map(|der| Certificate::from_der(der)).collect()
    }

    /// RFC 7468: the certificate as PEM text.
    pub fn to_pem(&self) -> String {
        render_pem("CERTIFICATE", &self.der)
    }

    /// The DER as it arrived.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The bytes that the issuer signed.
    pub fn tbs(&self) -> &[u8] {
        self.der.get(self.tbs.clone()).unwrap_or_default()
    }

    /// The serial number, big-endian without sign octet.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// The issuer's name.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// The subject's name.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The first instant at which it is valid.
    pub fn not_before(&self) -> Instant {
        self.not_before
    }

    /// The last instant at which it is valid.
    pub fn not_after(&self) -> Instant {
        self.not_after
    }

    /// The subject's key, if it is of a kind known here.
    pub fn key(&self) -> Option<&PublicKey> {
        self.key.as_ref()
    }

    /// The extensions.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The SHA-256 of the DER, which names this one certificate.
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(&self.der).into()
    }

    /// Is the signature on this certificate one by that key?
    pub fn is_signed_by(&self, issuer: &PublicKey) -> bool {
        self.signature.as_ref().is_some_and(|signature| issuer.verifies(self.tbs(), signature))
    }

    /// Is the signature of an algorithm known here?
    pub fn has_known_signature(&self) -> bool {
        self.signature.is_some()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({} by {})", self.subject, self.issuer)
    }
}

/// RFC 5280 section 5.3: one entry of a revocation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The serial number of the certificate, big-endian without sign octet.
    pub serial: Vec<u8>,
    /// Since when it is revoked.
    pub at: Instant,
    /// RFC 5280 section 5.3.1: the reason code, if one is given.
    pub reason: Option<u8>,
}

/// RFC 5280 section 5.1: a revocation list with the bytes it arrived in.
#[derive(Clone, PartialEq, Eq)]
pub struct Crl {
    der: Vec<u8>,
    tbs: Range<usize>,
    issuer: Name,
    this_update: Instant,
    next_update: Option<Instant>,
    revoked: Vec<Revoked>,
    number: Option<u64>,
    unknown_critical: bool,
    signature: Option<Signature>,
}

/// The three parts of everything signed in X.509.
struct Signed<'a> {
    tbs: Element<'a>,
    algorithm: &'a [u8],
    signature: Option<Signature>,
}

impl<'a> Signed<'a> {
    fn read(outer: &mut Reader<'a>) -> Result<Signed<'a>, DerError> {
        let tbs = outer.take(tag::SEQUENCE)?;
        let algorithm = outer.take(tag::SEQUENCE)?.raw;
        let bits = outer.take(tag::BIT_STRING)?.whole_bits()?;
        outer.end()?;
        let signature = Algorithm::from_der(algorithm).and_then(|known| Signature::from_der(known, bits));
        Ok(Signed { tbs, algorithm, signature })
    }
}

fn outer_content_len(bytes: &[u8]) -> Result<usize, DerError> {
    Ok(Reader::only(bytes, tag::SEQUENCE)?.value.len())
}

/// The identifier of an extension, whether it is critical, and its content.
type Extension<'a> = (Oid, bool, &'a [u8]);

fn extension_list(list: Element<'_>) -> Result<Vec<Extension<'_>>, X509Error> {
    let mut found: Vec<Extension<'_>> = Vec::new();
    for extension in list.inside().all(tag::SEQUENCE)? {
        let mut inside = extension.inside();
        let oid = inside.oid()?;
        let critical = match inside.optional(tag::BOOLEAN)? {
            Some(flag) => flag.boolean()?,
            None => false,
        };
        let value = inside.take(tag::OCTET_STRING)?.value;
        inside.end()?;
        if found.iter().any(|(earlier, _, _)| *earlier == oid) {
            return Err(X509Error::DoubledExtension);
        }
        found.push((oid, critical, value));
    }
    Ok(found)
}

fn read_extensions(list: Element<'_>) -> Result<Extensions, X509Error> {
    let mut known = Extensions::default();
    for (oid, critical, value) in extension_list(list)? {
        if oid == oid::BASIC_CONSTRAINTS {
            known.basic_constraints = Some(read_basic_constraints(value)?);
        } else if oid == oid::KEY_USAGE {
            known.key_usage = Some(read_named_bits(Reader::only(value, tag::BIT_STRING)?)?);
        } else if oid == oid::EXTENDED_KEY_USAGE {
            let purposes = Reader::only(value, tag::SEQUENCE)?.inside().all(tag::OID)?;
            let purposes: Result<Vec<Oid>, DerError> =
                purposes.iter().map(|purpose| Oid::from_content(purpose.value)).collect();
            known.purposes = Some(purposes?);
            known.purposes_critical = critical;
        } else if oid == oid::SUBJECT_KEY_ID {
            known.subject_key_id = Some(Reader::only(value, tag::OCTET_STRING)?.value.to_vec());
        } else if oid == oid::AUTHORITY_KEY_ID {
            let mut inside = Reader::only(value, tag::SEQUENCE)?.inside();
            known.authority_key_id = inside.optional(0x80)?.map(|id| id.value.to_vec());
        } else if oid == oid::ALT_NAME {
            known.alt_names = read_alt_names(Reader::only(value, tag::SEQUENCE)?)?;
        } else if oid == oid::CRL_POINTS {
            known.crl_urls = read_crl_urls(Reader::only(value, tag::SEQUENCE)?)?;
        } else if oid == oid::POLICIES {
            // Policies are not processed: with no policy asked for, RFC 5280 section 6.1 accepts any.
        } else if critical {
            known.unknown_critical.push(oid);
        }
    }
    Ok(known)
}

fn read_basic_constraints(value: &[u8]) -> Result<BasicConstraints, DerError> {
    let mut inside = Reader::only(value, tag::SEQUENCE)?.inside();
    let authority = match inside.optional(tag::BOOLEAN)? {
        Some(flag) => flag.boolean()?,
        None => false,
    };
    let path_len = match inside.optional(tag::INTEGER)? {
        Some(number) => Some(number.small()?),
        None => None,
    };
    inside.end()?;
    Ok(BasicConstraints { authority, path_len })
}

fn read_named_bits(element: Element<'_>) -> Result<u16, DerError> {
    match element.value {
        [0] => Ok(0),
        [unused, first] if *unused < 8 => Ok(u16::from(*first) << 8),
        [unused, first, second] if *unused < 8 => Ok(u16::from(*first) << 8 | u16::from(*second)),
        _ => Err(DerError::Value),
    }
}

fn read_alt_names(list: Element<'_>) -> Result<Vec<AltName>, DerError> {
    let mut names = Vec::new();
    let mut inside = list.inside();
    while !inside.is_empty() {
        let name = inside.element()?;
        let text = || std::str::from_utf8(name.value).map(str::to_owned).map_err(|_| DerError::Value);
        match name.tag {
            0x81 => names.push(AltName::Email(text()?)),
            0x82 => names.push(AltName::Dns(text()?)),
            0x86 => names.push(AltName::Uri(text()?)),
            0x87 => names.push(AltName::Ip(name.value.to_vec())),
            _ => {}
        }
    }
    Ok(names)
}

fn read_crl_urls(list: Element<'_>) -> Result<Vec<String>, DerError> {
    let mut urls = Vec::new();
    for point in list.inside().all(tag::SEQUENCE)? {
        let Some(name) = point.inside().optional(0xa0)? else { continue };
        let Some(full) = name.inside().optional(0xa0)? else { continue };
        let mut inside = full.inside();
        while !inside.is_empty() {
            let name = inside.element()?;
            if name.tag == 0x86 {
                urls.push(std::str::from_utf8(name.value).map_err(|_| DerError::Value)?.to_owned());
            }
        }
    }
    Ok(urls)
}

/// RFC 7468: the contents of all blocks with this label.
pub fn read_pem(text: &str, label: &str) -> Result<Vec<Vec<u8>>, X509Error> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut blocks = Vec::new();
    let mut body: Option<String> = None;
    for line in text.lines() {
        let line = line.trim_end();
        if line == begin {
            if body.replace(String::new()).is_some() {
                return Err(X509Error::Pem);
            }
        } else if line == end {
            let base64 = body.take().ok_or(X509Error::Pem)?;
            blocks.push(STANDARD.decode(base64).map_err(|_| X509Error::Pem)?);
        } else if let Some(body) = &mut body {
            body.push_str(line);
        }
    }
    if body.is_some() { Err(X509Error::Pem) } else { Ok(blocks) }
}

/// RFC 7468: one block with this label, 64 characters a line.
pub fn render_pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}
