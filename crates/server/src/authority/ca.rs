//! The root that issues certificates and revocation lists.
//!
//! LIMIT: the root issues directly; there is no intermediate authority, so one revocation list covers everything.

use super::folder::{Folder, Readers};
use super::{AuthorityError, name};
use identity::certificate::{Issuer, Order, Profile, prepare, prepare_crl};
use identity::key::PublicKey;
use identity::x509::{Certificate, Crl, Name, Revoked};
use model::Instant;
use node::keys::SealKey;
use node::ports::random;

pub(crate) const ROOT: &str = "ca.pem";

const HOUR_MS: i64 = 3_600_000;
const YEAR_MS: i64 = 365 * 24 * HOUR_MS;

/// How far before now things begin to hold, so that a verifier whose clock is a little behind believes them.
///
/// A list dated back claims nothing untrue: it names every revocation up to now, and so each up to its date.
pub(crate) const BACKDATED_MS: i64 = HOUR_MS;

/// How long a list may be relied on; it is renewed when half of this is over.
pub(crate) const LIST_MS: i64 = 24 * HOUR_MS;

/// A root key with its certificate.
#[derive(Debug)]
pub(crate) struct Ca {
    root: Certificate,
    key: SealKey,
    crl_url: String,
}

impl Ca {
    /// Loads the root, or makes it; what it issues will name this address of its revocation list.
    pub(crate) fn open(folder: &Folder, crl_url: String, now: Instant) -> Result<Self, AuthorityError> {
        let key = folder.key("ca.key")?;
        let pem = folder.once(ROOT, Readers::All, || {
            let order = Order {
                subject: name().common_name("Demo Root"),
                key: key.public()?,
                serial: random()?,
                not_before: Instant(now.0 - 48 * HOUR_MS),
                not_after: Instant(now.0 + 20 * YEAR_MS),
                profile: Profile::Authority { path_len: 0 },
                crl_url: None,
            };
            let draft = prepare(&order, Issuer::Itself)?;
            let signature = key.sign(draft.to_sign())?;
            Ok(draft.finish(&signature)?.to_pem().into_bytes())
        })?;
        let mut roots =
            Certificate::from_pem(&String::from_utf8_lossy(&pem)).map_err(|e| folder.broken(ROOT, e))?;
        match roots.pop() {
            Some(root) if root.key() == Some(&key.public()?) => Ok(Self { root, key, crl_url }),
            _ => Err(folder.broken(ROOT, "it is not the certificate of `ca.key`")),
        }
    }

    pub(crate) fn root(&self) -> &Certificate {
        &self.root
    }

    /// Issues a certificate for two years, or for ten to whoever stamps time.
    pub(crate) fn issue(
        &self,
        subject: Name,
        key: PublicKey,
        profile: Profile,
        now: Instant,
    ) -> Result<Certificate, AuthorityError> {
        let years = if profile == Profile::TimeStamping { 10 } else { 2 };
        let not_after = Instant(now.0 + years * YEAR_MS).min(self.root.not_after());
        self.issue_until(subject, key, profile, now, not_after)
    }

    /// Issues a certificate that holds until then.
    pub(crate) fn issue_until(
        &self,
        subject: Name,
        key: PublicKey,
        profile: Profile,
        now: Instant,
        not_after: Instant,
    ) -> Result<Certificate, AuthorityError> {
        let not_before = Instant(now.0 - BACKDATED_MS).max(self.root.not_before());
        let crl_url = Some(self.crl_url.clone());
        let order = Order { subject, key, serial: random()?, not_before, not_after, profile, crl_url };
        let draft = prepare(&order, Issuer::Authority(&self.root))?;
        let signature = self.key.sign(draft.to_sign())?;
        Ok(draft.finish(&signature)?)
    }

    /// Signs a revocation list.
    pub(crate) fn revocation_list(
        &self,
        number: u64,
        revoked: &[Revoked],
        now: Instant,
    ) -> Result<Crl, AuthorityError> {
        let (from, until) = (Instant(now.0 - BACKDATED_MS), Instant(now.0 + LIST_MS));
        let draft = prepare_crl(&self.root, number, from, until, revoked)?;
        let signature = self.key.sign(draft.to_sign())?;
        Ok(draft.finish(&signature)?)
    }
}
