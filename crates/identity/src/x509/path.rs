//! Path validation (RFC 5280 section 6) at a given instant to given anchors, answered in the words of
//! ETSI EN 319 102-1: passed, failed or indeterminate, with a sub-indication, or what is missing.

use std::fmt;

use model::Instant;

use super::{Certificate, Crl, Name, key_usage};
use crate::asn1::oid;

// LIMIT: a path has at most 8 certificates, and at most 64 are looked at to find one.
const PATH_LEN_MAX: usize = 8;
const CANDIDATES_MAX: usize = 64;

/// What the certificate at the end of the path is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It seals: key usage allows signing, extended key usage names e-mail protection and not time-stamping.
    Seal,
    /// RFC 3161 section 2.3: it stamps time, by a critical extended key usage of that alone.
    TimeStamping,
    /// It is a TLS server.
    TlsServer,
    /// It is a TLS client.
    TlsClient,
}

/// The instant for which the question is asked, and what is known about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The certificate is used at this very instant: one that is expired or revoked fails.
    UsedAt(Instant),
    /// ETSI EN 319 102-1, proof of existence: what was signed existed by this instant, perhaps long before, so that
    /// an expiry or revocation in between leaves the answer open.
    ExistedBy(Instant),
}

impl When {
    /// The instant itself.
    pub fn instant(self) -> Instant {
        match self {
            When::UsedAt(at) | When::ExistedBy(at) => at,
        }
    }
}

/// Whether revocation lists are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// Every certificate below the anchor needs a list that covers the instant.
    Required,
    /// Lists that are given are used; none is asked for.
    IfGiven,
}

/// RFC 5280 section 6.1.1: everything that a path is judged by, resolved by the caller.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The certificate that is asked about.
    pub certificate: &'a Certificate,
    /// Certificates that may stand between it and an anchor.
    pub intermediates: &'a [Certificate],
    /// The certificates that are trusted, from outside.
    pub anchors: &'a [Certificate],
    /// Revocation lists.
    pub crls: &'a [Crl],
    /// The instant.
    pub when: When,
    /// The purpose.
    pub purpose: Purpose,
    /// Whether revocation must be known.
    pub revocation: Revocation,
}

/// ETSI EN 319 102-1 section 5.1.3: the sub-indications that are given here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubIndication {
    /// The bytes are not of the format.
    FormatFailure,
    /// A digest differs from the one that was signed.
    HashFailure,
    /// The signature does not verify with the key.
    SigCryptoFailure,
    /// Revoked when it was used.
    Revoked,
    /// Expired when it was used.
    Expired,
    /// Not valid yet when it was used.
    NotYetValid,
    /// The signature lacks what the profile asks for.
    SigConstraintsFailure,
    /// The certificate or its path may not be used for this.
    ChainConstraintsFailure,
    /// An algorithm or key is not accepted here.
    CryptoConstraintsFailure,
    /// No path leads to an anchor that was given.
    NoCertificateChainFound,
    /// The certificate of the signer is not there.
    NoSigningCertificateFound,
    /// Revoked by now, and nothing proves that it was signed before.
    RevokedNoPoe,
    /// Expired by now, and nothing proves that it was signed before.
    OutOfBoundsNoPoe,
    /// The times contradict each other.
    TimestampOrderFailure,
    /// What was signed is not there.
    SignedDataNotFound,
    /// Revocation is not known for the instant; a later try may know.
    TryLater,
}

impl SubIndication {
    /// ETSI EN 319 102-1: the name in the standard.
    pub fn code(self) -> &'static str {
        match self {
            SubIndication::FormatFailure => "FORMAT_FAILURE",
            SubIndication::HashFailure => "HASH_FAILURE",
            SubIndication::SigCryptoFailure => "SIG_CRYPTO_FAILURE",
            SubIndication::Revoked => "REVOKED",
            SubIndication::Expired => "EXPIRED",
            SubIndication::NotYetValid => "NOT_YET_VALID",
            SubIndication::SigConstraintsFailure => "SIG_CONSTRAINTS_FAILURE",
            SubIndication::ChainConstraintsFailure => "CHAIN_CONSTRAINTS_FAILURE",
            SubIndication::CryptoConstraintsFailure => "CRYPTO_CONSTRAINTS_FAILURE",
            SubIndication::NoCertificateChainFound => "NO_CERTIFICATE_CHAIN_FOUND",
            SubIndication::NoSigningCertificateFound => "NO_SIGNING_CERTIFICATE_FOUND",
            SubIndication::RevokedNoPoe => "REVOKED_NO_POE",
            SubIndication::OutOfBoundsNoPoe => "OUT_OF_BOUNDS_NO_POE",
            SubIndication::TimestampOrderFailure => "TIMESTAMP_ORDER_FAILURE",
            SubIndication::SignedDataNotFound => "SIGNED_DATA_NOT_FOUND",
            SubIndication::TryLater => "TRY_LATER",
        }
    }

    /// The same for a person.
    pub fn says(self) -> &'static str {
        match self {
            SubIndication::FormatFailure => "the bytes are not of the format",
            SubIndication::HashFailure => "what was signed is not what is here",
            SubIndication::SigCryptoFailure => "the signature does not verify with its key",
            SubIndication::Revoked => "the certificate was revoked before it was used",
            SubIndication::Expired => "the certificate had expired when it was used",
            SubIndication::NotYetValid => "the certificate was not valid yet when it was used",
            SubIndication::SigConstraintsFailure => "the signature lacks what its profile asks for",
            SubIndication::ChainConstraintsFailure => "the certificate or its path may not be used for this",
            SubIndication::CryptoConstraintsFailure => "an algorithm or key is not accepted",
            SubIndication::NoCertificateChainFound => "the certificate leads to none of the anchors that you gave",
            SubIndication::NoSigningCertificateFound => "the certificate of the signer is not there",
            SubIndication::RevokedNoPoe => "the certificate is revoked by now, and nothing proves that this was signed before",
            SubIndication::OutOfBoundsNoPoe => "the certificate has expired by now, and nothing proves that this was signed before",
            SubIndication::TimestampOrderFailure => "the times contradict each other",
            SubIndication::SignedDataNotFound => "what was signed is not there",
            SubIndication::TryLater => "whether the certificate was revoked is not known for that time; a newer list may tell",
        }
    }
}

impl fmt::Display for SubIndication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What must be fetched before the question can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The certificate with this subject, which issued one that is held.
    Issuer(Name),
    /// A revocation list of this issuer that covers the instant.
    Crl {
        /// The issuer.
        issuer: Name,
        /// Where the certificate says that it is.
        urls: Vec<String>,
    },
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Issuer(name) => write!(f, "the certificate of `{name}`"),
            Resource::Crl { issuer, .. } => write!(f, "a revocation list of `{issuer}` for that time"),
        }
    }
}

/// ETSI EN 319 102-1 section 5.1.3: the answer about a certificate and its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Validation {
    /// TOTAL-PASSED: the path, from the certificate to the anchor.
    TotalPassed(Vec<Certificate>),
    /// TOTAL-FAILED.
    TotalFailed(SubIndication),
    /// INDETERMINATE.
    Indeterminate(SubIndication),
    /// INDETERMINATE for want of these; asked again with them it is answered.
    Missing(Vec<Resource>),
}

impl Validation {
    /// Did it pass?
    pub fn passed(&self) -> bool {
        matches!(self, Validation::TotalPassed(_))
    }

    /// ETSI EN 319 102-1: the sub-indication, unless it passed.
    pub fn sub_indication(&self) -> Option<SubIndication> {
        match self {
            Validation::TotalPassed(_) => None,
            Validation::TotalFailed(sub) | Validation::Indeterminate(sub) => Some(*sub),
            Validation::Missing(resources) => {
                Some(if resources.iter().any(|resource| matches!(resource, Resource::Issuer(_))) {
                    SubIndication::NoCertificateChainFound
                } else {
                    SubIndication::TryLater
                })
            }
        }
    }
}

impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Validation::TotalPassed(_) => write!(f, "TOTAL-PASSED"),
            Validation::TotalFailed(sub) => write!(f, "TOTAL-FAILED {sub}"),
            Validation::Indeterminate(sub) => write!(f, "INDETERMINATE {sub}"),
            Validation::Missing(resources) => {
                write!(f, "INDETERMINATE, missing")?;
                for (at, resource) in resources.iter().enumerate() {
                    write!(f, "{} {resource}", if at == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}

/// RFC 5280 section 6: finds a path to an anchor and judges it.
///
/// Of several paths the first that passes counts; if none does, the answer about the first is given.
pub fn validate(question: &Question<'_>) -> Validation {
    let mut paths = Vec::new();
    let mut search = Search { question, looked_at: 0, missing: Vec::new(), unknown_algorithm: false };
    search.extend(vec![question.certificate], &mut paths);
    let mut first = None;
    for path in &paths {
        let answer = judge(question, path);
        if answer.passed() {
            return answer;
        }
        first.get_or_insert(answer);
    }
    if let Some(answer) = first {
        return answer;
    }
    if search.unknown_algorithm {
        return Validation::Indeterminate(SubIndication::CryptoConstraintsFailure);
    }
    // With no anchor at all nothing that could be fetched would help.
    if search.missing.is_empty() || question.anchors.is_empty() {
        return Validation::Indeterminate(SubIndication::NoCertificateChainFound);
    }
    Validation::Missing(search.missing)
}

struct Search<'q, 'a> {
    question: &'q Question<'a>,
    looked_at: usize,
    missing: Vec<Resource>,
    unknown_algorithm: bool,
}

impl<'a> Search<'_, 'a> {
    /// Extends a path by every issuer whose name and signature fit; an anchor ends it.
    fn extend(&mut self, path: Vec<&'a Certificate>, found: &mut Vec<Vec<&'a Certificate>>) {
        let Some(last) = path.last().copied() else { return };
        if path.len() >= PATH_LEN_MAX {
            return;
        }
        if !last.has_known_signature() {
            self.unknown_algorithm = true;
            return;
        }
        let mut issued = false;
        for anchor in self.question.anchors {
            if signs(anchor, last) && !path.contains(&anchor) {
                issued = true;
                found.push([&path[..], &[anchor]].concat());
            }
        }
        for candidate in self.question.intermediates {
            self.looked_at += 1;
            if self.looked_at > CANDIDATES_MAX {
                return;
            }
            let self_issued = candidate.subject() == candidate.issuer();
            if signs(candidate, last) && !self_issued && !path.contains(&candidate) {
                issued = true;
                self.extend([&path[..], &[candidate]].concat(), found);
            }
        }
        let self_issued = last.subject() == last.issuer();
        // An issuer that is held but did not sign this is a forgery, which no further certificate cures.
        let namesake = self.question.anchors.iter().chain(self.question.intermediates);
        let same_key = |other: &Certificate| {
            other.subject() == last.issuer()
                && other.extensions().subject_key_id == last.extensions().authority_key_id
        };
        if !issued && !self_issued && !namesake.into_iter().any(same_key) {
            self.missing.push(Resource::Issuer(last.issuer().clone()));
        }
    }
}

fn signs(issuer: &Certificate, subject: &Certificate) -> bool {
    issuer.subject() == subject.issuer() && issuer.key().is_some_and(|key| subject.is_signed_by(key))
}

fn judge(question: &Question<'_>, path: &[&Certificate]) -> Validation {
    let authorities_below = |at: usize| at.saturating_sub(1) as u64;
    for (at, certificate) in path.iter().enumerate() {
        let extensions = certificate.extensions();
        if !extensions.unknown_critical.is_empty() {
            return Validation::Indeterminate(SubIndication::ChainConstraintsFailure);
        }
        if at > 0 {
            let allowed = extensions.basic_constraints.is_some_and(|basic| {
                basic.authority && basic.path_len.is_none_or(|most| authorities_below(at) <= most)
            });
            let may_sign = extensions.key_usage.is_none_or(|usage| usage & key_usage::CERTIFICATE_SIGN != 0);
            if !allowed || !may_sign {
                return Validation::Indeterminate(SubIndication::ChainConstraintsFailure);
            }
        }
    }
    if let Some(leaf) = path.first()
        && !serves(leaf, question.purpose)
    {
        return Validation::Indeterminate(SubIndication::ChainConstraintsFailure);
    }
    for certificate in path {
        if let Some(answer) = out_of_time(certificate, question.when) {
            return answer;
        }
    }
    let mut missing = Vec::new();
    for pair in path.windows(2) {
        let [certificate, issuer] = pair else { continue };
        match revocation(question, certificate, issuer) {
            Standing::Good => {}
            Standing::Unknown => missing.push(Resource::Crl {
                issuer: certificate.issuer().clone(),
                urls: certificate.extensions().crl_urls.clone(),
            }),
            Standing::Revoked => {
                return match question.when {
                    When::UsedAt(_) => Validation::TotalFailed(SubIndication::Revoked),
                    When::ExistedBy(_) => Validation::Indeterminate(SubIndication::RevokedNoPoe),
                };
            }
        }
    }
    if !missing.is_empty() && question.revocation == Revocation::Required {
        return Validation::Missing(missing);
    }
    Validation::TotalPassed(path.iter().map(|certificate| (*certificate).clone()).collect())
}

fn out_of_time(certificate: &Certificate, when: When) -> Option<Validation> {
    if when.instant() < certificate.not_before() {
        return Some(Validation::TotalFailed(SubIndication::NotYetValid));
    }
    if when.instant() > certificate.not_after() {
        return Some(match when {
            When::UsedAt(_) => Validation::TotalFailed(SubIndication::Expired),
            When::ExistedBy(_) => Validation::Indeterminate(SubIndication::OutOfBoundsNoPoe),
        });
    }
    None
}

/// RFC 5280 sections 4.2.1.3 and 4.2.1.12: may this certificate be used for that?
fn serves(certificate: &Certificate, purpose: Purpose) -> bool {
    let extensions = certificate.extensions();
    let names = |purpose: &oid::Oid| extensions.purposes.as_ref().is_some_and(|all| all.contains(purpose));
    let usage = |bits: u16| extensions.key_usage.is_none_or(|usage| usage & bits != 0);
    let signing = usage(key_usage::DIGITAL_SIGNATURE | key_usage::NON_REPUDIATION);
    let authority = extensions.basic_constraints.is_some_and(|basic| basic.authority);
    !authority
        && match purpose {
            Purpose::Seal => signing && names(&oid::EMAIL_PROTECTION) && !names(&oid::TIME_STAMPING),
            Purpose::TimeStamping => {
                let alone = extensions.purposes.as_deref() == Some(&[oid::TIME_STAMPING][..]);
                signing && alone && extensions.purposes_critical
            }
            Purpose::TlsServer => usage(key_usage::DIGITAL_SIGNATURE) && names(&oid::SERVER_AUTH),
            Purpose::TlsClient => usage(key_usage::DIGITAL_SIGNATURE) && names(&oid::CLIENT_AUTH),
        }
}

enum Standing {
    Good,
    Revoked,
    Unknown,
}

/// RFC 5280 section 6.3, without indirect and delta lists.
fn revocation(question: &Question<'_>, certificate: &Certificate, issuer: &Certificate) -> Standing {
    let at = question.when.instant();
    let may_sign = issuer.extensions().key_usage.is_none_or(|usage| usage & key_usage::CRL_SIGN != 0);
    let mut standing = Standing::Unknown;
    for crl in question.crls {
        let signed = issuer.key().is_some_and(|key| crl.is_signed_by(key));
        if crl.issuer() != certificate.issuer() || !signed || !may_sign {
            continue;
        }
        // A later list may tell of a revocation that already held at the instant.
        if crl.entry(certificate.serial()).is_some_and(|entry| entry.at <= at) {
            return Standing::Revoked;
        }
        if crl.this_update() <= at && crl.next_update().is_some_and(|next| at <= next) {
            standing = Standing::Good;
        }
    }
    standing
}
