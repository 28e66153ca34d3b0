//! An invented authority in a temporary directory, with certificates as good or bad as a test wants them.

use crate::authority::ca::Ca;
use crate::authority::folder::{Folder, Readers};
use identity::certificate::Profile;
use identity::x509::{AltName, Certificate, Name, Revoked};
use model::Instant;
use node::ports::{Clock, MachineClock};
use std::path::PathBuf;

pub(crate) const MINUTE_MS: i64 = 60_000;

/// A directory with a root and what it issued.
pub(crate) struct Town {
    /// Removed with the town.
    _dir: tempfile::TempDir,
    folder: Folder,
    ca: Ca,
}

impl Town {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::without_lock(dir.path()).unwrap();
        let ca = Ca::open(&folder, "https://localhost/crl.der".into(), MachineClock.now()).unwrap();
        Self { _dir: dir, folder, ca }
    }

    pub(crate) fn anchors(&self) -> PathBuf {
        self.folder.place("ca.pem")
    }

    /// Certificate and key for `localhost`, good for an hour.
    pub(crate) fn good(&self, name: &str) -> (PathBuf, PathBuf) {
        self.identity(name, "localhost", 60 * MINUTE_MS)
    }

    /// Certificate and key for this host, which end so long after now.
    pub(crate) fn identity(&self, name: &str, host: &str, lasting_ms: i64) -> (PathBuf, PathBuf) {
        let now = MachineClock.now();
        let key = self.folder.key(&format!("{name}.key")).unwrap();
        let names = vec![AltName::Dns(host.into()), AltName::Uri(format!("did:web:{name}.example"))];
        let subject = Name::new().common_name(name);
        let profile = Profile::Node { names };
        let made =
            self.ca.issue_until(subject, key.public().unwrap(), profile, now, Instant(now.0 + lasting_ms));
        self.folder.write(&format!("{name}.pem"), Readers::All, made.unwrap().to_pem().as_bytes()).unwrap();
        (self.folder.place(&format!("{name}.pem")), self.folder.place(&format!("{name}.key")))
    }

    /// Replaces `crl.pem` by a list of these names.
    pub(crate) fn revoke(&self, names: &[&str]) -> PathBuf {
        let now = MachineClock.now();
        let entry = |name: &&str| {
            let pem = std::fs::read_to_string(self.folder.place(&format!("{name}.pem"))).unwrap();
            let serial = Certificate::from_pem(&pem).unwrap()[0].serial().to_vec();
            Revoked { serial, at: Instant(now.0 - 1_000), reason: Some(1) }
        };
        let entries: Vec<Revoked> = names.iter().map(entry).collect();
        let crl = self.ca.revocation_list(1, &entries, now).unwrap();
        self.folder.write("crl.pem", Readers::All, crl.to_pem().as_bytes()).unwrap();
        self.folder.place("crl.pem")
    }

    /// Replaces a file whole.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        self.folder.write(name, Readers::All, bytes).unwrap();
    }
}
