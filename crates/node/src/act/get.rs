//! Gets a dataset: catalog, negotiation, transfer, chunk after chunk, receipt. What was begun goes on after a restart.

use crate::act::negotiate::At;
use crate::act::offer::FORMAT_PULL;
use crate::act::provide::Handover;
use crate::agent::{Node, lock};
use crate::error::ActError;
use crate::ports::{Reply, Request, fresh_name};
use crate::prove::trust_of;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dataplane::chunk::CHUNK_BYTES_MAX;
use dataplane::sink::DirectorySink;
use dsp::machine::{Peer, Role};
use dsp::message::Context;
use dsp::message::Message;
use dsp::message::catalog::{Catalog, CatalogRequest};
use dsp::negotiation::{self, Negotiation};
use dsp::paths;
use dsp::transfer::{Command, State, Subject as TransferSubject, Transfer};
use identity::x509::path::When;
use model::event::EventKind;
use model::manifest::{Chunk, Manifest};
use model::{Digest, canonical};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::keep::{DocumentKind, Expect, Keep};
use store::part::{Part, Subject, SubjectKind};
use store::{StoreError, Together, crash_point};
use trust::receipt::{DeliveryEvent, Receipt};
use trust::seal::Seal;

/// What is wanted, kept so that it goes on after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wish {
    dataset: String,
    /// The provider's base address of the protocol.
    provider: String,
    /// Our transfer, once it was asked for.
    transfer: Option<String>,
}

/// What a get came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    /// Our id of the transfer.
    pub transfer: String,
    /// The file.
    pub path: PathBuf,
    /// The digest of its manifest.
    pub manifest: Digest,
    /// Its bytes.
    pub bytes: u64,
}

impl Node {
    /// Reads a provider's catalog; `provider` is its base address of the protocol (`https://host/dsp`).
    pub fn catalog_of(&self, provider: &str) -> Result<Catalog, ActError> {
        let message = Message::CatalogRequestMessage(CatalogRequest {
            context: Context::default(),
            filter: Vec::new(),
        });
        let url = paths::join(provider, paths::CATALOG_REQUEST);
        let request =
            Request::post(url, "application/json", message.to_bytes()).up_to(dsp::json::CATALOG_BYTES_MAX);
        let reply = self.carrier.send(request)?;
        if !reply.is_success() {
            return Err(refused_reply(provider, &reply));
        }
        Catalog::read(&reply.body).map_err(|e| ActError::nonsense(provider, e))
    }

    /// Begins to get a dataset; returns our id of the negotiation. The rest happens by itself.
    pub fn ask_for(&self, provider: &str, dataset: &str) -> Result<String, ActError> {
        let catalog = self.catalog_of(provider)?;
        let missing = || ActError::NotFound { what: "dataset in the catalog", name: dataset.to_owned() };
        let offered = catalog.dataset.iter().find(|d| d.id == dataset).ok_or_else(missing)?;
        let terms = offered.has_policy.first().ok_or_else(missing)?.with_target(dataset);
        let who = catalog
            .participant_id
            .clone()
            .ok_or_else(|| ActError::nonsense(provider, "a catalog without participant"))?;
        let pid = fresh_name()?;
        let (held, effects) =
            Negotiation::request(Peer(who), &pid, provider, &self.protocol_address(), terms);
        let wish = Wish { dataset: dataset.to_owned(), provider: provider.to_owned(), transfer: None };
        let together = Together { keeps: vec![self.wish(&pid, &wish, Expect::New)?], ..Together::default() };
        self.commit(None, &held, effects, None, together)?;
        Ok(pid)
    }

    /// Gets a dataset and waits for it; a refusal by the peer comes back with its rules.
    pub fn get(&self, provider: &str, dataset: &str, at_most: Duration) -> Result<Got, ActError> {
        let negotiation = self.ask_for(provider, dataset)?;
        let transfer = self.until("the transfer", at_most, || self.begun(&negotiation))?;
        self.until("the data", at_most, || self.got(&transfer))
    }

    /// Our transfer of a negotiation, once it was begun.
    pub fn begun(&self, negotiation: &str) -> Result<Option<String>, ActError> {
        let Some(held) = self.negotiation(negotiation)? else { return Ok(None) };
        if held.state() == negotiation::State::Terminated {
            return Err(refused(held.ended()));
        }
        Ok(self.wish_of(negotiation)?.and_then(|(wish, _)| wish.transfer))
    }

    /// What a transfer came to, once it is complete.
    pub fn got(&self, transfer: &str) -> Result<Option<Got>, ActError> {
        let Some(held) = self.transfer(transfer)? else { return Ok(None) };
        if held.state() == State::Terminated {
            return Err(refused(held.grounds()));
        }
        if held.state() != State::Completed {
            return Ok(None);
        }
        let Some(stored) = self.manifest_of(held.process().provider_pid())? else { return Ok(None) };
        let manifest: Manifest =
            serde_json::from_slice(&stored.body).map_err(|e| ActError::evidence("node/manifest", e))?;
        let path = self.folder(transfer).join(self.file_name(&held)?);
        Ok(Some(Got {
            transfer: transfer.to_owned(),
            path,
            manifest: stored.digest,
            bytes: manifest.bytes(),
        }))
    }

    fn wish(&self, negotiation: &str, wish: &Wish, expect: Expect) -> Result<Keep, ActError> {
        Ok(Keep {
            kind: DocumentKind::Flow,
            id: format!("wish:{negotiation}"),
            about: Some(wish.dataset.clone()),
            at: self.now(),
            body: serde_json::to_vec(wish).map_err(|e| ActError::evidence("node/wish", e))?,
            expect,
        })
    }

    fn wish_of(&self, negotiation: &str) -> Result<Option<(Wish, u64)>, ActError> {
        let kept = self.store.kept(&self.participant, DocumentKind::Flow, &format!("wish:{negotiation}"))?;
        Ok(kept.and_then(|k| Some((serde_json::from_slice(&k.body).ok()?, k.version))))
    }

    /// Asks for the transfer of a negotiation that was agreed; tells whether it did.
    pub(crate) fn follow_up(&self, held: &Negotiation) -> Result<bool, ActError> {
        let process = held.process();
        if process.role != Role::Consumer || held.state() != negotiation::State::Finalized {
            return Ok(false);
        }
        let Some((mut wish, version)) = self.wish_of(&process.own_pid)?.filter(|(w, _)| w.transfer.is_none())
        else {
            return Ok(false);
        };
        let Some(agreement) = held.agreement().map(|a| a.id().to_owned()) else { return Ok(false) };
        let pid = fresh_name()?;
        let subject = TransferSubject { agreement_id: agreement, format: FORMAT_PULL.into(), push_to: None };
        let (transfer, effects) =
            Transfer::request(process.peer.clone(), &pid, &wish.provider, &self.protocol_address(), subject);
        wish.transfer = Some(pid);
        let keep = self.wish(&process.own_pid, &wish, Expect::Version(version))?;
        let together = Together { keeps: vec![keep], ..Together::default() };
        match self.commit(None, &transfer, effects, None, together) {
            Ok(_) => Ok(true),
            Err(ActError::Store(StoreError::Stale { .. })) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Sends and moves what is due, until the node stops; pulls have threads of their own.
    pub(crate) fn act_loop(self: &Arc<Self>) {
        while !self.is_stopping() {
            let rings = self.rings();
            // What fails stays where it is and is tried again.
            let moved = [self.send_outbox(), self.advance_negotiations(), self.advance_transfers()];
            let moved = moved.into_iter().any(|round| round.unwrap_or(false));
            self.start_pulls();
            if !moved {
                self.wait(rings, Duration::from_millis(100));
            }
        }
    }

    fn start_pulls(self: &Arc<Self>) {
        let Ok(all) = self.all::<Transfer>() else { return };
        for At { held, .. } in all {
            let process = held.process();
            let pid = process.own_pid.clone();
            let wanted = process.role == Role::Consumer && held.state() == State::Started;
            if !wanted || held.address().is_none() || !lock(&self.pulls).insert(pid.clone()) {
                continue;
            }
            let node = Arc::clone(self);
            let name = pid.clone();
            let spawned = std::thread::Builder::new().name("pull".into()).spawn(move || {
                while !node.is_stopping() {
                    let rings = node.rings();
                    match node.pull(&pid) {
                        Ok(Pulled::Done | Pulled::NotStarted) => break,
                        Ok(Pulled::Again) | Err(_) => node.wait(rings, Duration::from_millis(50)),
                    }
                }
                lock(&node.pulls).remove(&pid);
                node.ring();
            });
            if spawned.is_err() {
                lock(&self.pulls).remove(&name);
            }
        }
    }

    /// Pulls chunks while the transfer is started, each durable before the next is asked for, then ends the transfer.
    fn pull(&self, pid: &str) -> Result<Pulled, ActError> {
        let sink = DirectorySink::open(&self.folder(pid), crash_point)?;
        loop {
            if self.is_stopping() {
                return Ok(Pulled::NotStarted);
            }
            let Some(held) = self.transfer(pid)?.filter(|t| t.state() == State::Started) else {
                return Ok(Pulled::NotStarted);
            };
            let have = self.store.progress(&self.participant, pid)?.n_chunks;
            let reply = self.fetch(&held, &have.to_string(), have)?;
            match reply.status {
                200 => self.keep_chunk(&sink, pid, have, reply)?,
                204 => return self.finish(&sink, pid, &held),
                // The provider stands still: its message will tell, or it goes on.
                _ => return Ok(Pulled::Again),
            }
        }
    }

    fn fetch(&self, held: &Transfer, what: &str, have: u64) -> Result<Reply, ActError> {
        let address = held
            .address()
            .ok_or(ActError::NotFound { what: "data address", name: held.process().own_pid.clone() })?;
        let endpoint = address.endpoint.as_deref().unwrap_or_default();
        let token = address.property("authorization").unwrap_or_default();
        let request = Request::get(format!("{endpoint}/{what}"))
            .with("authorization", format!("Bearer {token}"))
            .with("tegata-have", have.to_string())
            .up_to(CHUNK_BYTES_MAX);
        Ok(self.carrier.send(request)?)
    }

    fn keep_chunk(&self, sink: &DirectorySink, pid: &str, number: u64, reply: Reply) -> Result<(), ActError> {
        let said = |name: &str| reply.header(name).unwrap_or_default();
        let wrong = |what: &str| ActError::nonsense(pid, what);
        let id: Digest = said("tegata-chunk").parse().map_err(|_| wrong("a chunk without its digest"))?;
        let rows = said("tegata-rows").parse().unwrap_or(0);
        let chunk = Chunk { id, bytes: reply.body.len() as u64, rows };
        // The sink looks whether the bytes are what the digest says.
        sink.put(number, &id, &reply.body)?;
        let mut event = self.event(EventKind::ChunkReceived, pid);
        event.binds.insert("chunk".into(), id);
        event.counts = [("number".into(), number), ("bytes".into(), chunk.bytes)].into();
        crash_point("get.note.before");
        self.store.note_chunk(
            &self.participant,
            pid,
            number,
            &chunk,
            "",
            Together::leaf(self.leaf(&event)?),
        )?;
        crash_point("get.note.after");
        Ok(())
    }

    /// Checks the manifest against what is here, joins the file, signs the receipt and hands it over.
    fn finish(&self, sink: &DirectorySink, pid: &str, held: &Transfer) -> Result<Pulled, ActError> {
        let provider_pid = held.process().provider_pid().to_owned();
        let reply = self.fetch(held, "manifest", 0)?;
        if reply.status != 200 {
            return Ok(Pulled::Again);
        }
        let from = held.process().peer.0.clone();
        let handover: Handover =
            serde_json::from_slice(&reply.body).map_err(|e| ActError::nonsense(&from, e))?;
        let manifest = self.check_handover(pid, held, &handover)?;
        let chunks = manifest.chunks.clone();
        sink.assemble(&chunks, &self.file_name(held)?)?;
        let digest = self.commit_received(&provider_pid, &manifest, &handover)?;
        let receipt = self.receipt(pid, held, &manifest, &digest)?;
        crash_point("get.receipt.before");
        let address = held.address().and_then(|a| a.endpoint.clone()).unwrap_or_default();
        let token = held.address().and_then(|a| a.property("authorization")).unwrap_or_default();
        let request = Request::post(format!("{address}/receipt"), "application/jose", receipt.into_bytes())
            .with("authorization", format!("Bearer {token}"));
        let reply = self.carrier.send(request)?;
        crash_point("get.receipt.after");
        if !reply.is_success() {
            return Ok(Pulled::Again);
        }
        let Some(at) = self.load::<Transfer>(pid)? else { return Ok(Pulled::NotStarted) };
        match self.command(&at, Command::Complete, Together::default())? {
            true => Ok(Pulled::Done),
            false => Ok(Pulled::Again),
        }
    }

    fn check_handover(&self, pid: &str, held: &Transfer, handover: &Handover) -> Result<Manifest, ActError> {
        let from = &held.process().peer.0;
        let wrong = |what: &str| ActError::nonsense(from, what);
        let manifest: Manifest =
            serde_json::from_str(&handover.manifest).map_err(|e| ActError::nonsense(from, e))?;
        let canonical = canonical::to_bytes(&manifest).map_err(|e| ActError::nonsense(from, e))?;
        if canonical != handover.manifest.as_bytes() {
            return Err(wrong("a manifest that is not canonical"));
        }
        let ours = self.chunks_of(pid)?;
        let about = manifest.transfer == held.process().provider_pid()
            && manifest.agreement == held.subject().agreement_id;
        if !about || manifest.chunks != ours {
            return Err(wrong("a manifest of other data than was received"));
        }
        let seal = STANDARD.decode(&handover.seal).map_err(|e| ActError::nonsense(from, e))?;
        let seal = Seal::read(&seal).map_err(|e| ActError::nonsense(from, e))?;
        let lists: Vec<_> = lock(&self.watched).list.clone().into_iter().collect();
        let judged =
            seal.verify(&Digest::of(&canonical), &trust_of(&self.anchors, &lists), When::UsedAt(self.now()));
        let by_peer = seal
            .signer()
            .is_some_and(|c| c.extensions().alt_names.contains(&identity::x509::AltName::Uri(from.clone())));
        match judged.passed() && by_peer {
            true => Ok(manifest),
            false => Err(wrong(&format!("a seal that does not hold: {judged}"))),
        }
    }

    fn commit_received(
        &self,
        provider_pid: &str,
        manifest: &Manifest,
        handover: &Handover,
    ) -> Result<Digest, ActError> {
        let digest = Digest::of(handover.manifest.as_bytes());
        let subject = Subject::new(SubjectKind::Manifest, digest.to_string());
        let decoded = |text: &String| STANDARD.decode(text).unwrap_or_default();
        let part = |name: &str, body: Vec<u8>| Part {
            subject: subject.clone(),
            name: name.into(),
            at: self.now(),
            body,
        };
        let mut parts = vec![part("seal", decoded(&handover.seal))];
        parts.extend(handover.stamp.as_ref().map(|s| part("stamp", decoded(s))));
        let mut event = self.event(EventKind::ManifestCommitted, provider_pid);
        event.binds = [
            ("manifest".into(), digest),
            ("decision".into(), manifest.decision),
            ("rulebook".into(), manifest.rulebook),
        ]
        .into();
        event.counts =
            [("chunks".into(), manifest.chunks.len() as u64), ("bytes".into(), manifest.bytes())].into();
        let together = Together { leaves: vec![self.leaf(&event)?], parts, ..Together::default() };
        self.store.commit_manifest(&self.participant, manifest, self.now(), together)?;
        Ok(digest)
    }

    /// The receipt of a delivery: signed once, kept, and given again the same.
    fn receipt(
        &self,
        pid: &str,
        held: &Transfer,
        manifest: &Manifest,
        digest: &Digest,
    ) -> Result<String, ActError> {
        let subject = Subject::new(SubjectKind::Manifest, digest.to_string());
        if let Some(kept) = self.part(&subject, "receipt")? {
            return Ok(String::from_utf8_lossy(&kept).into_owned());
        }
        let receipt = Receipt {
            version: 1,
            id: fresh_name()?,
            event: DeliveryEvent::ContentHandover,
            at: self.now(),
            reasons: Vec::new(),
            issuer: self.id().to_owned(),
            sender: held.process().peer.0.clone(),
            recipient: self.id().to_owned(),
            transfer: manifest.transfer.clone(),
            agreement: manifest.agreement.clone(),
            manifest: *digest,
            sequence: manifest.sequence,
        };
        let wrong = |e: trust::receipt::ReceiptError| ActError::evidence(e.code(), e);
        let draft = receipt.prepare(std::slice::from_ref(self.signer.certificate())).map_err(wrong)?;
        let signature = self.signer.seal(draft.to_sign())?;
        let text = draft.finish(&signature).map_err(wrong)?;
        let mut event = self.event(EventKind::Received, pid);
        event.binds = [("manifest".into(), *digest), ("receipt".into(), Digest::of(text.as_bytes()))].into();
        self.keep_part(&subject, "receipt", text.as_bytes(), Some(&event))?;
        Ok(text)
    }

    fn folder(&self, pid: &str) -> PathBuf {
        let plain: String =
            pid.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        self.config.directory.join("received").join(plain)
    }

    fn file_name(&self, held: &Transfer) -> Result<String, ActError> {
        let mut dataset = String::from("data");
        for negotiation in self.negotiations()? {
            let agreed = negotiation.agreement().filter(|a| a.id() == held.subject().agreement_id);
            if let Some(target) = agreed.and_then(|a| a.target()) {
                dataset = target.to_owned();
            }
        }
        let last = dataset.rsplit([':', '/']).next().unwrap_or("data");
        let plain: String =
            last.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
        let plain = plain.trim_start_matches('.');
        Ok(if plain.is_empty() { "data".into() } else { plain.into() })
    }
}

/// What a peer's refusal says, when it says it in a form that we know: a problem document or an error of the protocol.
fn refused_reply(provider: &str, reply: &Reply) -> ActError {
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let text = |key: &str| body.get(key).and_then(serde_json::Value::as_str).filter(|t| !t.is_empty());
    let line = |t: &str| t.chars().take(200).collect::<String>();
    match (text("code"), text("detail").or_else(|| text("title"))) {
        (Some(code), says) => ActError::Refused { code: line(code), reasons: says.map(line).into_iter().collect() },
        (None, _) => ActError::nonsense(provider, format!("status {} to a catalog request", reply.status)),
    }
}

enum Pulled {
    Done,
    NotStarted,
    Again,
}

fn refused(grounds: &dsp::message::Grounds) -> ActError {
    ActError::Refused {
        code: grounds.code.clone().unwrap_or_else(|| "peer/refused".into()),
        reasons: grounds.reason.iter().filter_map(|r| r.as_str().map(str::to_owned)).collect(),
    }
}
