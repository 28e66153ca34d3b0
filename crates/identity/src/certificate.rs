//! Makes certificates and revocation lists without ever holding a key: `prepare` gives a draft, the draft gives the
//! bytes to sign, `finish` takes the signature, checks it, and gives the certificate.

use std::fmt;

use model::Instant;

use crate::asn1::oid::{self, Oid};
use crate::asn1::write;
use crate::key::{PublicKey, Signature};
use crate::x509::{AltName, Certificate, Crl, Name, Revoked, key_usage};

/// RFC 5280: what a certificate is made for, which settles its extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Issues certificates and revocation lists; at most so many authorities may follow below it.
    Authority {
        /// The path length constraint.
        path_len: u8,
    },
    /// A node on the network: TLS server and client, by these names.
    Node {
        /// DNS names, addresses and URIs.
        names: Vec<AltName>,
    },
    /// ETSI EN 319 412-3: seals for a legal person; its subject must carry an organization identifier.
    Seal {
        /// URIs that name the same person, such as its `did:web` identifier.
        names: Vec<AltName>,
    },
    /// RFC 3161 section 2.3: stamps time and does nothing else.
    TimeStamping,
}

/// RFC 5280 section 4.1.2: what is asked of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Whom the certificate names.
    pub subject: Name,
    /// The subject's key.
    pub key: PublicKey,
    /// RFC 5280 section 4.1.2.2: random bytes from the caller; the top bit is cleared.
    pub serial: [u8; 16],
    /// The first instant at which it is valid, cut to seconds.
    pub not_before: Instant,
    /// The last instant at which it is valid, cut to seconds.
    pub not_after: Instant,
    /// What it is for.
    pub profile: Profile,
    /// Where the issuer publishes its revocation list.
    pub crl_url: Option<String>,
}

/// Why no certificate or list is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueError {
    /// The issuer's certificate is no authority's, or its key is of an unknown kind.
    NoAuthority,
    /// It would end before it begins, or outlive its issuer.
    Validity,
    /// A seal certificate needs an organization identifier in the subject.
    NoOrganizationIdentifier,
    /// A name holds characters that its field cannot carry.
    Name,
    /// The signature is not one by the issuer over the draft.
    Signature,
}

impl IssueError {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            IssueError::NoAuthority => "issue-no-authority",
            IssueError::Validity => "issue-validity",
            IssueError::NoOrganizationIdentifier => "issue-no-organization-identifier",
            IssueError::Name => "issue-name",
            IssueError::Signature => "issue-signature",
        }
    }
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IssueError::NoAuthority => "the issuer's certificate is no authority's",
            IssueError::Validity => "the certificate would end before it begins or outlive its issuer",
            IssueError::NoOrganizationIdentifier => "a seal certificate needs an organization identifier",
            IssueError::Name => "a name holds characters that its field cannot carry",
            IssueError::Signature => "the signature is not one by the issuer over the draft",
        })
    }
}

impl std::error::Error for IssueError {}

/// Who signs the certificate.
#[derive(Clone, Copy, Debug)]
pub enum Issuer<'a> {
    /// The subject itself: an anchor.
    Itself,
    /// The authority with this certificate.
    Authority(&'a Certificate),
}

/// A certificate that lacks only its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    tbs: Vec<u8>,
    issuer: PublicKey,
}

impl Draft {
    /// The bytes that the issuer signs.
    pub fn to_sign(&self) -> &[u8] {
        &self.tbs
    }

    /// RFC 5280 section 4.1.1.3: adds the signature and checks it.
    pub fn finish(self, signature: &Signature) -> Result<Certificate, IssueError> {
        let der = assemble(&self.tbs, &self.issuer, signature)?;
        Certificate::from_der(&der).map_err(|_| IssueError::Name)
    }
}

/// A revocation list that lacks only its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlDraft {
    tbs: Vec<u8>,
    issuer: PublicKey,
}

impl CrlDraft {
    /// The bytes that the issuer signs.
    pub fn to_sign(&self) -> &[u8] {
        &self.tbs
    }

    /// RFC 5280 section 5.1.1.3: adds the signature and checks it.
    pub fn finish(self, signature: &Signature) -> Result<Crl, IssueError> {
        let der = assemble(&self.tbs, &self.issuer, signature)?;
        Crl::from_der(&der).map_err(|_| IssueError::Name)
    }
}

fn assemble(tbs: &[u8], issuer: &PublicKey, signature: &Signature) -> Result<Vec<u8>, IssueError> {
    if !issuer.verifies(tbs, signature) {
        return Err(IssueError::Signature);
    }
    Ok(write::sequence(&[tbs, &issuer.algorithm().to_der(), &write::bits(&signature.to_der())]))
}

/// RFC 5280 section 4: prepares a certificate for signing.
pub fn prepare(order: &Order, issuer: Issuer<'_>) -> Result<Draft, IssueError> {
    let (issuer_key, issuer_name) = match issuer {
        Issuer::Itself => (order.key, &order.subject),
        Issuer::Authority(certificate) => {
            let key = authority_key(certificate)?;
            // Whole seconds on both sides, since that is all a certificate holds.
            let (starts, ends) = (order.not_before.seconds(), order.not_after.seconds());
            if starts < certificate.not_before().seconds() || ends > certificate.not_after().seconds() {
                return Err(IssueError::Validity);
            }
            (key, certificate.subject())
        }
    };
    if order.not_before > order.not_after {
        return Err(IssueError::Validity);
    }
    if matches!(order.profile, Profile::Seal { .. })
        && order.subject.attribute(&oid::ORGANIZATION_IDENTIFIER).is_none()
    {
        return Err(IssueError::NoOrganizationIdentifier);
    }
    let mut serial = order.serial;
    // Twenty octets at most and never negative; never zero either, which some readers refuse.
    serial[0] = serial[0] & 0x7f | 0x40;
    let tbs = write::sequence(&[
        &write::explicit(0, &write::small(2)),
        &write::unsigned(&serial),
        &issuer_key.algorithm().to_der(),
        issuer_name.der(),
        &write::sequence(&[&write::time(order.not_before), &write::time(order.not_after)]),
        order.subject.der(),
        &order.key.to_spki(),
        &write::explicit(3, &extensions(order, &issuer_id(issuer, &issuer_key))?),
    ]);
    Ok(Draft { tbs, issuer: issuer_key })
}

/// RFC 5280 section 5: prepares a revocation list for signing; entries are put in order of their serial numbers.
pub fn prepare_crl(
    issuer: &Certificate,
    number: u64,
    this_update: Instant,
    next_update: Instant,
    revoked: &[Revoked],
) -> Result<CrlDraft, IssueError> {
    let key = authority_key(issuer)?;
    if this_update > next_update {
        return Err(IssueError::Validity);
    }
    let mut entries: Vec<&Revoked> = revoked.iter().collect();
    entries.sort_by(|a, b| a.serial.cmp(&b.serial));
    entries.dedup_by(|a, b| a.serial == b.serial);
    let entries: Vec<u8> = entries.into_iter().flat_map(crl_entry).collect();
    // RFC 5280 section 5.1.2.6: with no entry the list of entries is absent.
    let entries = if entries.is_empty() { Vec::new() } else { write::sequence(&[&entries]) };
    let extensions = write::sequence(&[
        &extension(
            &oid::AUTHORITY_KEY_ID,
            Weight::Plain,
            &authority_key_id(&issuer_id(Issuer::Authority(issuer), &key)),
        ),
        &extension(&oid::CRL_NUMBER, Weight::Plain, &write::small(number)),
    ]);
    let tbs = write::sequence(&[
        &write::small(1),
        &key.algorithm().to_der(),
        issuer.subject().der(),
        &write::time(this_update),
        &write::time(next_update),
        &entries,
        &write::explicit(0, &extensions),
    ]);
    Ok(CrlDraft { tbs, issuer: key })
}

fn crl_entry(entry: &Revoked) -> Vec<u8> {
    let reason = entry.reason.map(|reason| {
        let value = write::element(crate::asn1::tag::ENUMERATED, &[reason]);
        write::sequence(&[&extension(&oid::REASON_CODE, Weight::Plain, &value)])
    });
    write::sequence(&[
        &write::unsigned(&entry.serial),
        &write::time(entry.at),
        reason.as_deref().unwrap_or_default(),
    ])
}

fn authority_key(certificate: &Certificate) -> Result<PublicKey, IssueError> {
    let authority = certificate.extensions().basic_constraints.is_some_and(|basic| basic.authority);
    match certificate.key() {
        Some(key) if authority => Ok(*key),
        _ => Err(IssueError::NoAuthority),
    }
}

fn issuer_id(issuer: Issuer<'_>, key: &PublicKey) -> Vec<u8> {
    match issuer {
        Issuer::Authority(certificate) => certificate.extensions().subject_key_id.clone(),
        Issuer::Itself => None,
    }
    .unwrap_or_else(|| key.identifier().to_vec())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    Critical,
    Plain,
}

fn extension(oid: &Oid, weight: Weight, value: &[u8]) -> Vec<u8> {
    let critical = if weight == Weight::Critical { write::yes() } else { Vec::new() };
    write::sequence(&[&write::oid(oid), &critical, &write::octets(value)])
}

fn authority_key_id(id: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::implicit(0, id)])
}

fn purposes(oids: &[Oid]) -> Vec<u8> {
    let all: Vec<u8> = oids.iter().flat_map(write::oid).collect();
    write::sequence(&[&all])
}

fn extensions(order: &Order, issuer_id: &[u8]) -> Result<Vec<u8>, IssueError> {
    use Weight::{Critical, Plain};
    let (basic, usage) = match &order.profile {
        Profile::Authority { path_len } => (
            write::sequence(&[&write::yes(), &write::small(u64::from(*path_len))]),
            key_usage::CERTIFICATE_SIGN | key_usage::CRL_SIGN,
        ),
        Profile::Seal { .. } => {
            (write::sequence(&[]), key_usage::DIGITAL_SIGNATURE | key_usage::NON_REPUDIATION)
        }
        Profile::Node { .. } | Profile::TimeStamping => (write::sequence(&[]), key_usage::DIGITAL_SIGNATURE),
    };
    let mut list = vec![
        extension(&oid::BASIC_CONSTRAINTS, Critical, &basic),
        extension(&oid::KEY_USAGE, Critical, &write::named_bits(usage)),
        extension(&oid::SUBJECT_KEY_ID, Plain, &write::octets(&order.key.identifier())),
        extension(&oid::AUTHORITY_KEY_ID, Plain, &authority_key_id(issuer_id)),
    ];
    match &order.profile {
        Profile::Authority { .. } => {}
        Profile::Node { names } => {
            list.push(extension(
                &oid::EXTENDED_KEY_USAGE,
                Plain,
                &purposes(&[oid::SERVER_AUTH, oid::CLIENT_AUTH]),
            ));
            list.push(extension(&oid::ALT_NAME, Plain, &alt_names(names)?));
        }
        Profile::Seal { names } => {
            list.push(extension(&oid::EXTENDED_KEY_USAGE, Plain, &purposes(&[oid::EMAIL_PROTECTION])));
            if !names.is_empty() {
                list.push(extension(&oid::ALT_NAME, Plain, &alt_names(names)?));
            }
        }
        Profile::TimeStamping => {
            list.push(extension(&oid::EXTENDED_KEY_USAGE, Critical, &purposes(&[oid::TIME_STAMPING])));
        }
    }
    if let Some(url) = &order.crl_url {
        let full = write::explicit(0, &write::implicit(6, ascii(url)?));
        let point = write::sequence(&[&write::explicit(0, &full)]);
        list.push(extension(&oid::CRL_POINTS, Plain, &write::sequence(&[&point])));
    }
    Ok(write::sequence(&[&list.concat()]))
}

fn alt_names(names: &[AltName]) -> Result<Vec<u8>, IssueError> {
    let mut list = Vec::new();
    for name in names {
        list.extend(match name {
            AltName::Email(text) => write::implicit(1, ascii(text)?),
            AltName::Dns(text) => write::implicit(2, ascii(text)?),
            AltName::Uri(text) => write::implicit(6, ascii(text)?),
            AltName::Ip(bytes) if matches!(bytes.len(), 4 | 16) => write::implicit(7, bytes),
            AltName::Ip(_) => return Err(IssueError::Name),
        });
    }
    Ok(write::sequence(&[&list]))
}

fn ascii(text: &str) -> Result<&[u8], IssueError> {
    if text.is_ascii() { Ok(text.as_bytes()) } else { Err(IssueError::Name) }
}
