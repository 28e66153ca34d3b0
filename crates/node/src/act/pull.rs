//! Pulls the chunks of one transfer: each is on the disk before it counts, and some are on the way meanwhile.
//!
//! Some threads share the work: one asks for the next chunk while another comes and is looked at, one writes what came, one
//! syncs what was written and notes it, several chunks at once when the disk is slow. The window says how many chunks may be asked for
//! and not yet be on the disk; after a crash at most that many are asked for again.

use crate::act::provide::Handover;
use crate::act::trace::Trouble;
use crate::agent::{Node, lock};
use crate::error::ActError;
use crate::ports::{Began, Reply, Request, fresh_name};
use crate::prove::trust_of;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dataplane::chunk::{CHUNK_BYTES_MAX, Piece};
use dataplane::sink::{DirectorySink, SinkError};
use dsp::message::Grounds;
use dsp::transfer::{Command, State, Transfer};
use identity::x509::path::When;
use model::event::EventKind;
use model::manifest::{Chunk, Manifest};
use model::{Digest, Instant, canonical};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::ScopedJoinHandle;
use std::time::Duration;
use store::part::{Part, Subject, SubjectKind};
use store::{StoreError, Together, crash_point};
use trust::receipt::{DeliveryEvent, Receipt};
use trust::seal::Seal;

/// LIMIT: chunks of one transfer that may be asked for and not yet be on the disk.
pub const WINDOW_MAX: usize = 16;

/// What one round of pulling came to.
enum Pulled {
    Done,
    NotStarted,
    Again,
}

/// How the asking for chunks ended.
enum Asked {
    /// There is no chunk after those that were asked for.
    All(Transfer),
    Ended(Pulled),
}

/// A chunk that came, and its number.
type Came = (u64, Piece);

/// The answer to a question for a chunk.
enum Fetched {
    Chunk(Piece),
    Other(Reply),
}

/// A thread that fetches a chunk.
type Fetching<'scope> = ScopedJoinHandle<'scope, Result<Fetched, ActError>>;

/// Waits for the body of a chunk and hands it on; false when nobody takes it.
fn hand_on(coming: Option<(u64, Fetching<'_>)>, to: &SyncSender<Came>) -> Result<bool, ActError> {
    let Some((number, fetching)) = coming else { return Ok(true) };
    match fetching.join() {
        Ok(Ok(Fetched::Chunk(piece))) => Ok(to.send((number, piece)).is_ok()),
        Ok(Err(error)) => Err(error),
        Ok(Ok(Fetched::Other(_))) | Err(_) => Ok(false),
    }
}

impl Node {
    /// Pulls until the transfer is complete or no longer started; what fails is tried again.
    pub(crate) fn pull_until_done(&self, pid: &str) {
        let mut sink = None;
        let mut patience: u64 = 25;
        while !self.is_stopping() {
            let rings = self.rings();
            let have = self.store.progress(&self.participant, pid).map(|p| p.n_chunks);
            let pulled = self.pull(pid, &mut sink);
            let now = self.store.progress(&self.participant, pid).map(|p| p.n_chunks);
            let stands = matches!((have, now), (Ok(have), Ok(now)) if have == now);
            let failed = pulled.as_ref().err().map(|e| (e.code(), e.to_string()));
            let pause = match pulled {
                Ok(Pulled::Done | Pulled::NotStarted) => {
                    lock(&self.memory).trouble(pid, None);
                    return;
                }
                // What was received and acknowledged is not asked for again, so this cannot end well.
                Err(ActError::Sink(lost @ SinkError::Changed { .. })) => match self.give_up(pid, &lost) {
                    Ok(true) => return,
                    Ok(false) | Err(_) => 1_000,
                },
                Err(ActError::Store(e)) if Self::beyond_bytes(&e).is_some() => match self.stand_still(pid, &e) {
                    Ok(true) => return,
                    Ok(false) | Err(_) => 1_000,
                },
                // A disk that failed is not asked in haste.
                Err(ActError::Sink(_)) => 1_000,
                // LIMIT: the pauses between tries that bring nothing grow to half a second; a ring ends each of them.
                Ok(Pulled::Again) | Err(_) if stands => {
                    patience = (patience * 2).min(500);
                    patience
                }
                Ok(Pulled::Again) | Err(_) => {
                    patience = 25;
                    50
                }
            };
            self.tell_trouble(pid, failed, pause);
            self.wait(rings, Duration::from_millis(pause));
        }
    }

    /// Remembers for people what holds up a pull, or that nothing does.
    fn tell_trouble(&self, pid: &str, failed: Option<(String, String)>, pause: u64) {
        let again_at = Instant(self.now().0 + i64::try_from(pause).unwrap_or(i64::MAX / 2));
        let attempts = self.trouble(pid).map_or(1, |before| before.attempts + 1);
        let trouble = failed.map(|(code, says)| Trouble { code, says, attempts, again_at });
        lock(&self.memory).trouble(pid, trouble);
    }

    /// Ends a transfer whose received file is no longer what it was; tells whether it did.
    fn give_up(&self, pid: &str, lost: &SinkError) -> Result<bool, ActError> {
        let Some(at) = self.load::<Transfer>(pid)? else { return Ok(true) };
        let grounds = Grounds::of(lost.code(), [lost.to_string()]);
        self.command(&at, Command::Terminate(grounds), Together::default())
    }

    /// Suspends a transfer whose next chunks are beyond what we may take this month; tells whether it did.
    fn stand_still(&self, pid: &str, error: &StoreError) -> Result<bool, ActError> {
        let (Some(at), Some(stopped)) = (self.load::<Transfer>(pid)?, Self::beyond_bytes(error)) else { return Ok(true) };
        self.command(&at, Command::Suspend(Grounds::of(&stopped.code, [stopped.says])), Together::default())
    }

    /// Pulls chunks while the transfer is started, then ends the transfer.
    fn pull(&self, pid: &str, sink: &mut Option<DirectorySink>) -> Result<Pulled, ActError> {
        let have = self.store.progress(&self.participant, pid)?.n_chunks;
        let mut open = match sink.take().filter(|s| s.n_put() == have) {
            Some(sink) => sink,
            None => DirectorySink::open(&self.folder(pid), crash_point, &self.chunks_of(pid)?)?,
        };
        let pulled = match self.pull_chunks(pid, &mut open) {
            Ok(Asked::All(held)) => self.finish(&mut open, pid, &held),
            Ok(Asked::Ended(pulled)) => Ok(pulled),
            Err(e) => Err(e),
        };
        *sink = Some(open);
        pulled
    }

    fn pull_chunks(&self, pid: &str, sink: &mut DirectorySink) -> Result<Asked, ActError> {
        let window = self.config.window.clamp(1, WINDOW_MAX);
        let (have, syncer) = (sink.n_put(), sink.syncer());
        // LIMIT: one chunk waits here while one is written and one is on its way; written ones hold no memory.
        let (send, came) = sync_channel::<Came>(1);
        let (write, written) = sync_channel::<Chunk>(window);
        let (tell, kept) = sync_channel::<u64>(window);
        std::thread::scope(|scope| {
            let start = |name: &str| std::thread::Builder::new().name(name.into());
            let writer = start("write").spawn_scoped(scope, move || {
                for (number, piece) in came {
                    sink.put(number, &piece)?;
                    if write.send(piece.chunk().clone()).is_err() {
                        break;
                    }
                }
                Ok(())
            });
            let keeper = start("keep").spawn_scoped(scope, move || {
                let mut next = have;
                while let Ok(first) = written.recv() {
                    let chunks: Vec<Chunk> = std::iter::once(first).chain(written.try_iter()).collect();
                    let n_chunks = chunks.len() as u64;
                    syncer.sync()?;
                    self.note(pid, next, chunks)?;
                    next += n_chunks;
                    if tell.send(n_chunks).is_err() {
                        break;
                    }
                }
                Ok(())
            });
            let asked = self.ask_for_chunks(pid, have, window, send, &kept);
            let ended = [writer, keeper].into_iter().map(|thread| match thread.map(|t| t.join()) {
                Ok(Ok(done)) => done.map(|()| true),
                _ => Ok(false),
            });
            match ended.collect::<Result<Vec<bool>, ActError>>()?.iter().all(|done| *done) {
                true => asked,
                false => Ok(Asked::Ended(Pulled::Again)),
            }
        })
    }

    /// Asks for chunk after chunk, at most a window ahead of what is on the disk.
    ///
    /// While the body of one chunk is on its way, the next is asked for: the provider notes it meanwhile.
    fn ask_for_chunks(
        &self,
        pid: &str,
        have: u64,
        window: usize,
        send: SyncSender<Came>,
        kept: &Receiver<u64>,
    ) -> Result<Asked, ActError> {
        let (mut durable, mut next) = (have, have);
        std::thread::scope(|scope| {
            let mut coming: Option<(u64, Fetching<'_>)> = None;
            loop {
                while next - durable >= window as u64 {
                    // What is on its way can only become durable when it is handed on.
                    if !hand_on(coming.take(), &send)? {
                        return Ok(Asked::Ended(Pulled::Again));
                    }
                    match kept.recv() {
                        Ok(n_chunks) => durable += n_chunks,
                        // The keeper says why.
                        Err(_) => return Ok(Asked::Ended(Pulled::Again)),
                    }
                }
                durable += kept.try_iter().sum::<u64>();
                let started =
                    self.transfer(pid)?.filter(|t| t.state() == State::Started && !self.is_stopping());
                let Some(held) = started else {
                    hand_on(coming.take(), &send)?;
                    return Ok(Asked::Ended(Pulled::NotStarted));
                };
                let (tell, began) = channel();
                let (of, have) = (held.clone(), durable);
                let fetching =
                    std::thread::Builder::new().name("fetch".into()).spawn_scoped(scope, move || {
                        // Nobody listens any more when the round has ended.
                        let tell = Box::new(move || tell.send(()).unwrap_or(()));
                        self.fetch_chunk(&of, next, have, tell)
                    });
                let Ok(fetching) = fetching else { return Ok(Asked::Ended(Pulled::Again)) };
                let began = began.recv().is_ok();
                if !hand_on(coming.take(), &send)? {
                    return Ok(Asked::Ended(Pulled::Again));
                }
                if began {
                    coming = Some((next, fetching));
                    next += 1;
                    continue;
                }
                return match fetching.join() {
                    Ok(Ok(Fetched::Other(reply))) if reply.status == 204 => Ok(Asked::All(held)),
                    Ok(Err(error)) => Err(error),
                    // The provider stands still: its message will tell, or it goes on.
                    _ => Ok(Asked::Ended(Pulled::Again)),
                };
            }
        })
    }

    fn fetch(&self, held: &Transfer, what: &str, have: u64, began: Began) -> Result<Reply, ActError> {
        let address = held
            .address()
            .ok_or(ActError::NotFound { what: "data address", name: held.process().own_pid.clone() })?;
        let endpoint = address.endpoint.as_deref().unwrap_or_default();
        let token = address.property("authorization").unwrap_or_default();
        let request = Request::get(format!("{endpoint}/{what}"))
            .with("authorization", format!("Bearer {token}"))
            .with("tegata-have", have.to_string())
            .up_to(CHUNK_BYTES_MAX);
        let request = self.introduced_beside(request, &held.process().peer.0)?;
        crash_point("get.fetch.before");
        let reply = self.carrier.send_and_tell(request, began);
        crash_point("get.fetch.after");
        Ok(reply?)
    }

    /// Fetches a chunk and looks whether its bytes are what the digest says.
    fn fetch_chunk(
        &self,
        held: &Transfer,
        number: u64,
        have: u64,
        began: Began,
    ) -> Result<Fetched, ActError> {
        let reply = self.fetch(held, &number.to_string(), have, began)?;
        if reply.status != 200 {
            return Ok(Fetched::Other(reply));
        }
        let wrong = |what: String| ActError::nonsense(&held.process().peer.0, what);
        let said = |name: &str| reply.header(name).unwrap_or_default();
        let id: Digest =
            said("tegata-chunk").parse().map_err(|_| wrong(format!("chunk {number} without its digest")))?;
        let rows = said("tegata-rows").parse().unwrap_or(0);
        let piece = Piece::of(reply.body, rows);
        match piece.chunk().id == id {
            true => Ok(Fetched::Chunk(piece)),
            false => Err(wrong(format!("chunk {number} is not what its digest says"))),
        }
    }

    /// Notes chunks that are on the disk, each with its leaf, in one commit.
    fn note(&self, pid: &str, first: u64, chunks: Vec<Chunk>) -> Result<(), ActError> {
        let counts = self.counted_with(Vec::new(), pid, &chunks)?;
        let mut noted = Vec::with_capacity(chunks.len());
        for (number, chunk) in (first..).zip(chunks) {
            let mut event = self.event(EventKind::ChunkReceived, pid);
            event.binds.insert("chunk".into(), chunk.id);
            event.counts = [("number".into(), number), ("bytes".into(), chunk.bytes)].into();
            noted.push((chunk, Together::leaf(self.leaf(&event)?)));
        }
        if let Some((_, last)) = noted.last_mut() {
            last.reservations = counts.reservations;
        }
        crash_point("get.note.before");
        self.store.note_chunks(&self.participant, pid, first, noted)?;
        crash_point("get.note.after");
        Ok(())
    }

    /// Checks the manifest against what is here, joins the file, signs the receipt and hands it over.
    fn finish(&self, sink: &mut DirectorySink, pid: &str, held: &Transfer) -> Result<Pulled, ActError> {
        let provider_pid = held.process().provider_pid().to_owned();
        let reply = self.fetch(held, "manifest", 0, Box::new(|| ()))?;
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
        // Before the receipt: whoever acknowledges has the duties on its own disk.
        if let Ok((signed, _)) = Receipt::read(&receipt) {
            self.schedule_duties(held, signed.at, true)?;
        }
        crash_point("get.receipt.before");
        let address = held.address().and_then(|a| a.endpoint.clone()).unwrap_or_default();
        let token = held.address().and_then(|a| a.property("authorization")).unwrap_or_default();
        let request = Request::post(format!("{address}/receipt"), "application/jose", receipt.into_bytes())
            .with("authorization", format!("Bearer {token}"));
        let reply = self.carrier.send(self.introduced_beside(request, &held.process().peer.0)?)?;
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
        self.receipted(digest);
        Ok(text)
    }

    pub(crate) fn folder(&self, pid: &str) -> PathBuf {
        let plain: String =
            pid.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        self.config.directory.join("received").join(plain)
    }

    pub(crate) fn file_name(&self, held: &Transfer) -> Result<String, ActError> {
        let dataset = Some(self.dataset_of(held)?).filter(|d| !d.is_empty()).unwrap_or_else(|| "data".into());
        let last = dataset.rsplit([':', '/']).next().unwrap_or("data");
        let plain: String =
            last.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
        let plain = plain.trim_start_matches('.');
        Ok(if plain.is_empty() { "data".into() } else { plain.into() })
    }
}
