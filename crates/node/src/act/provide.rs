//! Gives chunks, the evidence of what was given, and takes the receipt.

use crate::act::flow::{FlowRecord, footing_lines};
use crate::act::turn::Bytes;
use crate::agent::{Caller, Node, lock};
use crate::error::ActError;
use crate::prove::trust_of;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dataplane::chunk::Piece;
use dataplane::flow::{FlowError, Stopped};
use dataplane::manifest;
use dsp::machine::Role;
use dsp::reason;
use dsp::transfer::State;
use identity::x509::path::When;
use model::Digest;
use model::event::EventKind;
use serde::{Deserialize, Serialize};
use store::keep::DocumentKind;
use store::part::{Part, Subject, SubjectKind};
use store::{StoreError, Together, crash_point};
use trust::receipt::{DeliveryEvent, Receipt};

/// The answer to a pull.
#[derive(Debug)]
pub enum Given {
    /// The chunk.
    Chunk(Piece),
    /// There is none after the last.
    End,
    /// The flow stands still.
    Stopped(Stopped),
    /// The request is refused.
    Refused {
        /// The HTTP status.
        status: u16,
        /// A stable code.
        code: String,
        /// One line.
        says: String,
    },
}

/// What the receiver is given when all chunks went: the manifest with its seal and, when it came in time, its stamp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handover {
    /// The manifest's canonical bytes as text.
    pub manifest: String,
    /// The seal (CAdES, DER) in base64.
    pub seal: String,
    /// The time-stamp token over the seal (RFC 3161, DER) in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<String>,
}

fn refused(status: u16, code: &str, says: impl Into<String>) -> Given {
    Given::Refused { status, code: code.to_owned(), says: says.into() }
}

impl Node {
    /// Gives chunk `number` of a transfer to its peer, if token, protocol state and lease let it.
    pub fn give_chunk(&self, from: &Caller, pid: &str, number: u64, token: &str) -> Given {
        if let Err(given) = self.may_pull(from, pid, token) {
            return given;
        }
        let Some(running) = lock(&self.flows).get(pid).cloned() else {
            return match self.manifest_of(pid) {
                Ok(Some(_)) => Given::End,
                _ => refused(503, "node/starting", "the flow is being opened"),
            };
        };
        let Bytes::Ours(flow) = &running.bytes else {
            return refused(404, "node/elsewhere", "another data plane gives the bytes of this transfer");
        };
        let mut flow = lock(flow);
        let piece = match flow.chunk(number) {
            Ok(piece) => piece,
            Err(FlowError::Stopped(stopped)) => return Given::Stopped(stopped),
            Err(error) => {
                let stopped =
                    Stopped { code: error.code().to_owned(), rules: Vec::new(), says: error.to_string() };
                drop(flow);
                self.turn(pid, &running, stopped.clone());
                return Given::Stopped(stopped);
            }
        };
        let Some(piece) = piece else {
            return match self.finish_flow(pid, number, &flow) {
                Ok(true) => Given::End,
                Ok(false) => {
                    refused(416, "node/no-such-chunk", "there are chunks before this one that were not given")
                }
                Err(e) => refused(503, &e.code(), "the manifest could not be committed"),
            };
        };
        let metered = match self.more_rows(&running.dataset, &running.peer, pid, piece.chunk().rows) {
            Ok(reservations) => reservations,
            Err(e) => return refused(503, &e.code(), "the meter could not be read"),
        };
        let counts = match self.counted_with(metered, pid, std::slice::from_ref(piece.chunk())) {
            Ok(counts) => counts,
            Err(e) => return refused(503, &e.code(), "the quota could not be read"),
        };
        crash_point("provide.note.before");
        let noted = self.store.note_chunk(&self.participant, pid, number, piece.chunk(), "", counts);
        crash_point("provide.note.after");
        match noted {
            Ok(_) => Given::Chunk(piece),
            Err(StoreError::Stale { .. }) => refused(
                409,
                "node/source-changed",
                "the source is not what it was, or a chunk before this one is missing",
            ),
            Err(e) => match Self::beyond_bytes(&e) {
                Some(stopped) => {
                    drop(flow);
                    self.turn(pid, &running, stopped.clone());
                    Given::Stopped(stopped)
                }
                None => refused(503, e.code(), "the store could not note the chunk"),
            },
        }
    }

    fn may_pull(&self, from: &Caller, pid: &str, token: &str) -> Result<(), Given> {
        let unknown = || refused(404, "node/not-found", "no such transfer");
        let transfer = self.transfer(pid).ok().flatten().ok_or_else(unknown)?;
        let process = transfer.process();
        if process.peer.0 != from.id || process.role != Role::Provider {
            return Err(unknown());
        }
        let record = self.flow_record(pid).ok().flatten().ok_or_else(unknown)?;
        if Digest::of(token.as_bytes()) != record.token {
            return Err(refused(403, "node/token", "the token is not that of this transfer"));
        }
        match process.state() {
            State::Started => Ok(()),
            State::Completed => Err(Given::End),
            State::Requested => Err(refused(503, "node/starting", "the transfer is not started yet")),
            State::Suspended | State::Terminated => {
                let rules = reason::refusals(transfer.grounds());
                let says = rules.first().map(|r| format!("{} ({})", r.article, r.rule)).unwrap_or_default();
                Err(Given::Stopped(Stopped {
                    code: transfer.grounds().code.clone().unwrap_or_else(|| "node/not-started".into()),
                    rules: rules.iter().map(|r| format!("{} ({})", r.rule, r.article)).collect(),
                    says,
                }))
            }
        }
    }

    pub(crate) fn flow_record(&self, pid: &str) -> Result<Option<FlowRecord>, ActError> {
        let kept = self.store.kept(&self.participant, DocumentKind::Flow, pid)?;
        Ok(kept.and_then(|k| serde_json::from_slice(&k.body).ok()))
    }

    /// Commits the manifest when the last chunk was given; false while there are others.
    pub(crate) fn finish_flow(&self, pid: &str, number: u64, flow: &dataplane::flow::Flow) -> Result<bool, ActError> {
        if self.manifest_of(pid)?.is_some() {
            return Ok(true);
        }
        let chunks = self.chunks_of(pid)?;
        if chunks.len() as u64 != number {
            return Ok(false);
        }
        let position = chunks.iter().map(|c| c.bytes).sum::<u64>().to_string();
        let made = manifest::assemble(flow.pass(), pid, flow.columns().to_vec(), chunks, position, None);
        let digest = made.digest().map_err(|e| ActError::evidence("node/manifest", e))?;
        let mut event = self.event(EventKind::ManifestCommitted, pid);
        event.legal_day = Some(flow.pass().legal().on);
        event.binds = [
            ("manifest".into(), digest),
            ("decision".into(), made.decision),
            ("rulebook".into(), made.rulebook),
        ]
        .into();
        event.counts = [("chunks".into(), made.chunks.len() as u64), ("bytes".into(), made.bytes())].into();
        event.rules = footing_lines(flow.pass());
        crash_point("provide.manifest.before");
        self.store.commit_manifest(
            &self.participant,
            &made,
            self.now(),
            Together::leaf(self.leaf(&event)?),
        )?;
        crash_point("provide.manifest.after");
        Ok(true)
    }

    /// All chunks of a flow that are noted here.
    pub(crate) fn chunks_of(&self, flow: &str) -> Result<Vec<model::manifest::Chunk>, ActError> {
        // LIMIT: chunks of one flow; at 4 MiB that is 4 TiB.
        const CHUNKS_MAX: u64 = 1 << 20;
        const PAGE: usize = 4096;
        let mut all = Vec::new();
        while (all.len() as u64) < CHUNKS_MAX {
            let page = self.store.chunks(&self.participant, flow, all.len() as u64, PAGE)?;
            let more = page.len() == PAGE;
            all.extend(page);
            if !more {
                break;
            }
        }
        Ok(all)
    }

    /// The manifest of a transfer, once committed, by the provider's id of the transfer.
    pub(crate) fn manifest_of(
        &self,
        transfer: &str,
    ) -> Result<Option<store::delivery::StoredManifest>, ActError> {
        Ok(self.store.manifests_of(&self.participant, transfer, 0, 1)?.into_iter().next())
    }

    /// Gives manifest, seal and stamp when all chunks went.
    pub fn give_evidence(&self, from: &Caller, pid: &str, token: &str) -> Result<Handover, Given> {
        match self.may_pull(from, pid, token) {
            // What was delivered is proved also when the flow ended or turned after its last chunk.
            Ok(()) | Err(Given::End | Given::Stopped(_)) => {}
            Err(given) => return Err(given),
        }
        self.handover(pid).map_err(|e| refused(503, &e.code(), "the evidence is not ready")).and_then(
            |found| found.ok_or_else(|| refused(409, "node/not-complete", "not all chunks were given yet")),
        )
    }

    fn handover(&self, pid: &str) -> Result<Option<Handover>, ActError> {
        let Some(stored) = self.manifest_of(pid)? else { return Ok(None) };
        let subject = Subject::new(SubjectKind::Manifest, stored.digest.to_string());
        let seal = match self.part(&subject, "seal")? {
            Some(seal) => seal,
            None => {
                let seal = self.seal(&stored.digest)?;
                let mut event = self.event(EventKind::Sealed, pid);
                event.binds = [("manifest".into(), stored.digest), ("seal".into(), Digest::of(&seal))].into();
                self.keep_part(&subject, "seal", &seal, Some(&event))?;
                // Another caller may have sealed at the same moment; what stands first counts.
                self.part(&subject, "seal")?.unwrap_or(seal)
            }
        };
        let stamp = match self.part(&subject, "stamp")? {
            Some(stamp) => Some(stamp),
            // A stamp that is late does not hold up the delivery; the level of the evidence says so.
            None => match self.stamp(&Digest::of(&seal)) {
                Ok(stamp) => {
                    let mut event = self.event(EventKind::Stamped, pid);
                    event.binds =
                        [("manifest".into(), stored.digest), ("stamp".into(), Digest::of(&stamp))].into();
                    self.keep_part(&subject, "stamp", &stamp, Some(&event))?;
                    self.part(&subject, "stamp")?
                }
                Err(_) => None,
            },
        };
        Ok(Some(Handover {
            manifest: String::from_utf8_lossy(&stored.body).into_owned(),
            seal: STANDARD.encode(seal),
            stamp: stamp.map(|s| STANDARD.encode(s)),
        }))
    }

    pub(crate) fn part(&self, subject: &Subject, name: &str) -> Result<Option<Vec<u8>>, ActError> {
        let parts = self.store.parts(&self.participant, subject)?;
        Ok(parts.into_iter().find(|p| p.name == name).map(|p| p.body))
    }

    pub(crate) fn keep_part(
        &self,
        subject: &Subject,
        name: &str,
        body: &[u8],
        event: Option<&model::event::Event>,
    ) -> Result<(), ActError> {
        let part = Part { subject: subject.clone(), name: name.into(), at: self.now(), body: body.to_vec() };
        let together = match event {
            Some(event) => Together::leaf(self.leaf(event)?),
            None => Together::default(),
        };
        match self.store.keep_part(&self.participant, part, together) {
            Ok(_) | Err(StoreError::Stale { .. }) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Takes the receiver's receipt: signed by the peer's seal, for exactly this manifest. A repeat changes nothing.
    pub fn take_receipt(&self, from: &Caller, pid: &str, token: &str, text: &str) -> Result<(), Given> {
        match self.may_pull(from, pid, token) {
            Ok(()) | Err(Given::End | Given::Stopped(_)) => {}
            Err(given) => return Err(given),
        }
        let failed = |e: ActError| refused(503, &e.code(), "the receipt could not be kept");
        let stored = self.manifest_of(pid).map_err(failed)?;
        let Some(stored) = stored else {
            return Err(refused(409, "node/not-complete", "not all chunks were given yet"));
        };
        let subject = Subject::new(SubjectKind::Manifest, stored.digest.to_string());
        if self.part(&subject, "receipt").map_err(failed)?.is_some() {
            return Ok(());
        }
        self.check_receipt(from, pid, &stored.digest, text)
            .map_err(|says| refused(422, "node/receipt", says))?;
        if let (Some(held), Ok((signed, _))) = (self.transfer(pid).map_err(failed)?, Receipt::read(text)) {
            self.schedule_duties(&held, signed.at, false).map_err(failed)?;
        }
        let mut event = self.event(EventKind::Received, pid);
        event.binds =
            [("manifest".into(), stored.digest), ("receipt".into(), Digest::of(text.as_bytes()))].into();
        crash_point("provide.receipt.before");
        self.keep_part(&subject, "receipt", text.as_bytes(), Some(&event)).map_err(failed)?;
        crash_point("provide.receipt.after");
        self.receipted(&stored.digest);
        self.ring();
        Ok(())
    }

    fn check_receipt(&self, from: &Caller, pid: &str, manifest: &Digest, text: &str) -> Result<(), String> {
        let (receipt, jws) = Receipt::read(text).map_err(|e| e.to_string())?;
        let about = receipt.transfer == pid && receipt.manifest == *manifest && receipt.sequence == 0;
        if !about || receipt.issuer != from.id || receipt.recipient != from.id || receipt.sender != self.id()
        {
            return Err("the receipt is for another delivery or by another party".into());
        }
        if receipt.event != DeliveryEvent::ContentHandover {
            return Err("the receiver does not say that it has the data".into());
        }
        let lists: Vec<_> = lock(&self.watched).list.clone().into_iter().collect();
        let judged = receipt.verify(&jws, &trust_of(&self.anchors, &lists), When::UsedAt(self.now()));
        match judged.passed() {
            true => Ok(()),
            false => Err(format!("the signature of the receipt does not hold: {judged}")),
        }
    }
}
