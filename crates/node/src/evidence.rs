//! The evidence of a delivery: one container, made and stamped when its receipt came, and kept.

use crate::agent::{Node, lock};
use crate::error::ActError;
use model::Digest;
use store::log::StoredEvent;
use store::part::{Subject, SubjectKind};
use tlog::policy::Policy;
use trust::bundle::container::Files;
use trust::bundle::{Unsealed, file};
use trust::script::VERIFY_SH;
use trust::verify::{Anchors, Inputs};

/// The part of a manifest that is its evidence.
const CONTAINER: &str = "container";
// LIMIT: deliveries whose evidence is made up for after a start.
const FOUND_MAX: usize = 1 << 10;

impl Node {
    /// The evidence of a delivery as one container (ASiC-E), by the digest of its manifest: the one that was made when the
    /// receipt came, else one made now.
    pub fn evidence(&self, manifest: &Digest) -> Result<Vec<u8>, ActError> {
        let subject = Subject::new(SubjectKind::Manifest, manifest.to_string());
        match self.part(&subject, CONTAINER)? {
            Some(kept) => Ok(kept),
            None => self.container(manifest),
        }
    }

    /// Names a delivery whose receipt came: its evidence is made and stamped as soon as the witness has cosigned it, so that
    /// a certificate that is revoked later takes nothing from it.
    pub(crate) fn receipted(&self, manifest: &Digest) {
        lock(&self.unproven).insert(*manifest);
    }

    /// Names again the deliveries whose evidence was not made before this process came up.
    pub(crate) fn find_unproven(&self) {
        let found = self.store.lacking(&self.participant, SubjectKind::Manifest, "receipt", CONTAINER, FOUND_MAX);
        let digests = found.unwrap_or_default().into_iter().filter_map(|s| s.id.parse::<Digest>().ok());
        lock(&self.unproven).extend(digests);
    }

    /// Whether the evidence of a delivery waits to be made.
    pub(crate) fn has_unproven(&self) -> bool {
        self.config.authority.time_stamp.is_some() && !lock(&self.unproven).is_empty()
    }

    /// Makes and keeps the evidence of deliveries whose receipts came, as far as it can be had; the rest is tried again.
    pub(crate) fn prove_deliveries(&self) {
        if !self.has_unproven() {
            return;
        }
        let due: Vec<Digest> = lock(&self.unproven).iter().copied().collect();
        for manifest in due {
            let subject = Subject::new(SubjectKind::Manifest, manifest.to_string());
            let kept = self.container(&manifest).and_then(|bytes| self.keep_part(&subject, CONTAINER, &bytes, None));
            match kept {
                // What cannot be made, because its event was erased, is not tried again; who asks for it is told why.
                Ok(()) | Err(ActError::Evidence { .. } | ActError::NotFound { .. }) => {
                    lock(&self.unproven).remove(&manifest);
                }
                // An authority does not answer now: the others are not tried either.
                Err(_) => return,
            }
        }
    }

    /// Makes the container.
    ///
    /// The event in it is the one that tells of the receipt, or of the manifest while there is none.
    fn container(&self, manifest: &Digest) -> Result<Vec<u8>, ActError> {
        let missing = || ActError::NotFound { what: "manifest", name: manifest.to_string() };
        let stored = self.store.manifest(&self.participant, manifest)?.ok_or_else(missing)?;
        let subject = Subject::new(SubjectKind::Manifest, manifest.to_string());
        let parts = self.store.parts(&self.participant, &subject)?;
        let event = self.telling(&stored.transfer, manifest)?.ok_or_else(missing)?;
        let Some((salt, bytes)) = event.opening.clone() else {
            return Err(ActError::evidence("node/erased", "the event was erased"));
        };
        self.advance_log()?;
        let mut files = Files::new();
        let mut put = |name: &str, bytes: Vec<u8>| drop(files.insert(name.to_owned(), bytes));
        put(file::DELIVERY, stored.body);
        for part in parts {
            match part.name.as_str() {
                "seal" => put(file::DELIVERY_SEAL, part.body),
                "stamp" => put(file::DELIVERY_STAMP, part.body),
                "receipt" => put(file::RECEIPT, part.body),
                _ => {}
            }
        }
        put(file::EVENT, bytes);
        put(file::EVENT_SALT, format!("{}\n", Digest(salt)).into_bytes());
        put(file::LOG_PROOF, self.log_proof(event.number)?.into_bytes());
        if let Some(list) = &lock(&self.watched).list {
            put(file::REVOCATION, list.to_pem().into_bytes());
        }
        put(file::SCRIPT, VERIFY_SH.as_bytes().to_vec());
        let wrong = |e: trust::bundle::BundleError| ActError::evidence(e.code(), e);
        let unsealed = Unsealed::new(files).map_err(wrong)?;
        let seal = self.seal(&Digest::of(unsealed.manifest()))?;
        let unstamped = unsealed.sealed(seal);
        let token = self.stamp(&Digest::of(unstamped.manifest()))?;
        unstamped.stamped(token).to_bytes().map_err(wrong)
    }

    /// Makes the evidence of a delivery and verifies it by our own anchors, log and witness.
    pub fn verify_own(&self, manifest: &Digest) -> Result<trust::verify::Report, ActError> {
        let container = self.evidence(manifest)?;
        let log = Policy::parse(self.log_policy().as_bytes()).ok();
        let anchors = Anchors { certificates: self.anchors.clone(), log };
        let inputs =
            Inputs { container: &container, anchors: &anchors, crls: &[], data: None, now: self.now() };
        Ok(trust::verify::verify(inputs))
    }

    /// The event that tells of a delivery: the receipt's, else the manifest's.
    fn telling(&self, process: &str, manifest: &Digest) -> Result<Option<StoredEvent>, ActError> {
        // LIMIT: events of one process that are looked through.
        const EVENTS_MAX: usize = 1 << 16;
        let names = self.names_of(process)?;
        let mut found: Option<StoredEvent> = None;
        for name in names {
            for event in self.store.events_of(&self.participant, &name, 0, EVENTS_MAX)? {
                let tells = matches!(event.kind.as_str(), "received" | "manifest_committed");
                let Some((_, bytes)) = event.opening.as_ref().filter(|_| tells) else { continue };
                let read: Option<model::event::Event> = serde_json::from_slice(bytes).ok();
                if read.is_some_and(|e| e.binds.get("manifest") == Some(manifest))
                    && found.as_ref().is_none_or(|f| f.kind != "received")
                {
                    found = Some(event);
                }
            }
        }
        Ok(found)
    }

    /// Our names of a process that a manifest names by the provider's id.
    fn names_of(&self, provider_pid: &str) -> Result<Vec<String>, ActError> {
        let mut names = vec![provider_pid.to_owned()];
        for transfer in self.transfers()? {
            if transfer.process().provider_pid() == provider_pid && transfer.process().own_pid != provider_pid
            {
                names.push(transfer.process().own_pid.clone());
            }
        }
        Ok(names)
    }
}
