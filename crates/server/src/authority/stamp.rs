//! RFC 3161: the time-stamping authority. Its serial numbers never repeat, also after a kill.

use super::AuthorityError;
use super::ca::Ca;
use super::folder::{Folder, Readers};
use super::name;
use identity::asn1::oid::Oid;
use identity::certificate::Profile;
use identity::x509::Certificate;
use model::Instant;
use node::keys::SealKey;
use std::sync::Arc;
use trust::timestamp::{self, Request, StampError};

const CERTIFICATE: &str = "time.pem";
const SERIALS: &str = "time.serials";

/// Numbers are taken from the disk in blocks: one sync serves so many stamps, and a kill wastes at most as many.
const BLOCK: u64 = 1_000;

/// An OID under a UUID, which needs no registration (ITU-T X.667): stamps for demos, good to a second.
const POLICY: &str = "2.25.198261957437240921850362740185529103471";

/// A key that stamps time and does nothing else.
#[derive(Debug)]
pub(super) struct Desk {
    folder: Arc<Folder>,
    key: SealKey,
    certificate: Certificate,
    policy: Oid,
    next: u64,
    reserved: u64,
    last: Instant,
}

impl Desk {
    pub(super) fn open(folder: Arc<Folder>, ca: &Ca, now: Instant) -> Result<Self, AuthorityError> {
        let key = folder.key("time.key")?;
        let pem = folder.once(CERTIFICATE, Readers::All, || {
            let subject = name().common_name("Demo Time");
            Ok(ca.issue(subject, key.public()?, Profile::TimeStamping, now)?.to_pem().into_bytes())
        })?;
        let found = Certificate::from_pem(&String::from_utf8_lossy(&pem))
            .map_err(|e| folder.broken(CERTIFICATE, e))?;
        let certificate =
            found.into_iter().next().ok_or_else(|| folder.broken(CERTIFICATE, "it is empty"))?;
        if certificate.key() != Some(&key.public()?) {
            return Err(folder.broken(CERTIFICATE, "it is not the certificate of `time.key`"));
        }
        let policy = Oid::from_dotted(POLICY).map_err(|e| folder.broken(CERTIFICATE, e))?;
        let next = match folder.read(SERIALS)? {
            None => 1,
            Some(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                text.trim().parse().map_err(|e| folder.broken(SERIALS, e))?
            }
        };
        Ok(Self { folder, key, certificate, policy, next, reserved: next, last: Instant(i64::MIN) })
    }

    /// The reply to a request: a token, or a refusal with its reason.
    pub(super) fn answer(&mut self, request: &[u8], now: Instant) -> Result<Vec<u8>, AuthorityError> {
        let serial = match Request::read(request) {
            Ok(_) => self.serial()?,
            Err(reason) => return Ok(timestamp::refuse(&reason)),
        };
        // A clock that is set back never makes a later stamp look earlier than one before it.
        self.last = self.last.max(now);
        match self.token(request, serial) {
            Ok(token) => Ok(timestamp::grant(&token)),
            Err(reason) => Ok(timestamp::refuse(&reason)),
        }
    }

    fn token(&self, request: &[u8], serial: u64) -> Result<Vec<u8>, StampError> {
        let request = Request::read(request)?;
        let draft =
            timestamp::prepare(&request, &self.certificate, &self.policy, &serial.to_be_bytes(), self.last)?;
        let signature = self.key.sign(draft.to_sign()).map_err(|_| StampError::Key)?;
        draft.finish(&signature)
    }

    fn serial(&mut self) -> Result<u64, AuthorityError> {
        if self.next >= self.reserved {
            let reserved = self.next + BLOCK;
            self.folder.write(SERIALS, Readers::All, format!("{reserved}\n").as_bytes())?;
            self.reserved = reserved;
        }
        let serial = self.next;
        self.next += 1;
        Ok(serial)
    }
}
