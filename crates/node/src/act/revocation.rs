//! Revocation: the list that is fetched again and again, and the peers whose certificates it names.

use crate::act::turn::{REVOKED, STATUS_UNKNOWN};
use crate::agent::{Caller, Node, lock};
use crate::config::Mode;
use crate::ports::Request;
use dataplane::flow::Stopped;
use identity::x509::{Certificate, Crl};
use model::event::EventKind;
use model::{Digest, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use store::Together;
use store::status::StatusSeen;

/// What is known of revocation, and of the certificates that peers showed.
#[derive(Default)]
pub(crate) struct Watched {
    pub(crate) list: Option<Crl>,
    seen_at: Option<Instant>,
    asked_at: Option<Instant>,
    since: Option<Instant>,
    serials: BTreeMap<String, BTreeSet<Vec<u8>>>,
    told: BTreeSet<Vec<u8>>,
}

impl Node {
    /// Lets a peer in, or says why not: a certificate that is revoked opens no door.
    pub fn admit(&self, caller: &Caller) -> Result<(), Stopped> {
        if caller.has_claims() {
            return Ok(());
        }
        let Some(certificate) = &caller.certificate else {
            return match self.config.mode == Mode::Demo && self.config.test_identity {
                true => Ok(()),
                false => Err(Stopped {
                    code: "peer/no-certificate".into(),
                    rules: Vec::new(),
                    says: "a peer shows its certificate".into(),
                }),
            };
        };
        let serial = certificate.serial().to_vec();
        let mut watched = lock(&self.watched);
        let revoked = watched.list.as_ref().is_some_and(|list| list.entry(&serial).is_some());
        watched.serials.entry(caller.id.clone()).or_default().insert(serial);
        match revoked {
            true => Err(revoked_words(&caller.id)),
            false => Ok(()),
        }
    }

    /// Ids of those whose certificates the newest list names: this node's own first, then peers that came to it.
    pub fn revoked(&self) -> Vec<String> {
        let watched = lock(&self.watched);
        let Some(list) = &watched.list else { return Vec::new() };
        let is_named = |serial: &[u8]| list.entry(serial).is_some();
        let own = [&self.config.keys.tls_certificate, &self.config.keys.seal_certificate].into_iter().any(|file| {
            let pem = std::fs::read_to_string(self.config.file(file)).unwrap_or_default();
            Certificate::from_pem(&pem).unwrap_or_default().first().is_some_and(|c| is_named(c.serial()))
        });
        let peers = watched.serials.iter().filter(|(_, serials)| serials.iter().any(|s| is_named(s)));
        own.then(|| self.id().to_owned()).into_iter().chain(peers.map(|(id, _)| id.clone())).collect()
    }

    /// Whether what is known of revocation stops flows to a peer.
    pub(crate) fn revocation_stops(&self, peer: &str) -> Option<Stopped> {
        self.config.authority.revocation_list.as_ref()?;
        let watched = lock(&self.watched);
        let known = watched.serials.get(peer).into_iter().flatten();
        let revoked =
            |serial: &Vec<u8>| watched.list.as_ref().is_some_and(|list| list.entry(serial).is_some());
        if known.into_iter().any(revoked) {
            return Some(revoked_words(peer));
        }
        let since = watched.seen_at.or(watched.since)?;
        let age = self.now().0 - since.0;
        (age > self.config.limits.status_grace_ms).then(|| Stopped {
            code: STATUS_UNKNOWN.into(),
            rules: Vec::new(),
            says: format!("the revocation list could not be fetched for {age} ms"),
        })
    }

    /// Fetches the revocation list, and waits for the next time.
    pub(crate) fn look_after_status(self: &Arc<Self>) {
        let Some(url) = self.config.authority.revocation_list.clone() else { return };
        {
            let mut watched = lock(&self.watched);
            watched.since = watched.since.or_else(|| Some(self.now()));
        }
        self.fetch_status(&url);
        let pause = u64::try_from(self.config.limits.status_ms).unwrap_or(250);
        std::thread::sleep(Duration::from_millis(pause));
    }

    fn fetch_status(self: &Arc<Self>, url: &str) {
        lock(&self.watched).asked_at = Some(self.now());
        let Ok(reply) = self.carrier.send(Request::get(url)) else { return };
        let lists = Crl::from_pem(&String::from_utf8_lossy(&reply.body)).unwrap_or_default();
        let signed =
            |list: &Crl| self.anchors.iter().any(|a| a.key().is_some_and(|key| list.is_signed_by(key)));
        let Some(list) = lists.into_iter().find(|l| reply.is_success() && signed(l)) else { return };
        let now = self.now();
        let older = |known: &Crl| known.number() > list.number();
        if lock(&self.watched).list.as_ref().is_some_and(older) {
            return;
        }
        let (fresh, back) = {
            let mut watched = lock(&self.watched);
            let unknown = watched.seen_at.is_none_or(|at| now.0 - at.0 > self.config.limits.status_grace_ms);
            watched.seen_at = Some(now);
            let told: Vec<Vec<u8>> = list
                .revoked()
                .iter()
                .map(|r| r.serial.clone())
                .filter(|s| !watched.told.contains(s))
                .collect();
            watched.told.extend(told.iter().cloned());
            let new = watched.list.as_ref().map(Crl::number) != Some(list.number());
            watched.list = Some(list.clone());
            ((new, told), unknown)
        };
        if back || !fresh.1.is_empty() {
            self.judge_running();
            self.changed();
        }
        if fresh.0 {
            let mut together = Together::default();
            for serial in &fresh.1 {
                let mut event = self.event(EventKind::RevocationSeen, &hex(serial));
                event.binds.insert("list".into(), Digest::of(list.der()));
                together.leaves.extend(self.leaf(&event));
            }
            let seen = StatusSeen {
                source: url.into(),
                issued_at: list.this_update(),
                seen_at: now,
                body: list.der().to_vec(),
            };
            // What is not remembered is fetched again in a moment.
            let _ = self.store.remember_status(&self.participant, seen, together);
        }
    }
}

fn revoked_words(peer: &str) -> Stopped {
    Stopped {
        code: REVOKED.into(),
        rules: Vec::new(),
        says: format!("the certificate of `{peer}` is revoked"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
