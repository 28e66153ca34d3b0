//! Proof: seals, stamps, and the log's checkpoints with their cosignatures.
//!
//! Order: the event commits with its state, then tiles, the compare-and-swap of the checkpoint row, the log's signature, the
//! witness's cosignature, the seal, the stamp. A witness or stamp that is late never holds up a delivery.

use crate::agent::{Node, lock};
use crate::error::ActError;
use crate::ports::{Request, random};
use identity::x509::path::Revocation;
use identity::x509::{Certificate, Crl};
use model::Digest;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::crash_point;
use store::log::{CheckpointRow, Swap};
use store::part::{Subject, SubjectKind};
use tlog::appender::Appender;
use tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tlog::key::VerifierKey;
use tlog::merkle::{self, Hash};
use tlog::tile::{Reader, Tile};
use tlog::witness::{self, parse_conflict};
use trust::seal::{self, Trust};
use trust::timestamp;

/// LIMIT: leaves read at once.
const PAGE: usize = 4096;

/// What this process knows of its log.
#[derive(Default)]
pub(crate) struct LogState {
    leaves: Vec<Hash>,
    tree: Appender,
    tiles: BTreeMap<Tile, Vec<u8>>,
    /// What the witness has seen, once it said so.
    witnessed: Option<u64>,
    /// The checkpoint that was signed last, with its size.
    latest: Option<(u64, SignedCheckpoint)>,
    cosigned: bool,
}

/// How far the evidence of an entry reaches by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// In the log.
    Recorded,
    /// Under a checkpoint that the witness cosigned.
    Witnessed,
}

/// What a verification trusts, with the lists that are at hand.
pub(crate) fn trust_of<'a>(anchors: &'a [Certificate], crls: &'a [Crl]) -> Trust<'a> {
    let revocation = if crls.is_empty() { Revocation::IfGiven } else { Revocation::Required };
    Trust { anchors, intermediates: &[], crls, revocation }
}

impl Node {
    /// Seals a content of this digest (CAdES baseline B).
    pub fn seal(&self, content: &Digest) -> Result<Vec<u8>, ActError> {
        let draft = seal::prepare(content, self.signer.certificate(), &[], self.now())
            .map_err(|e| ActError::evidence(e.code(), e))?;
        let signature = self.signer.seal(draft.to_sign())?;
        draft.finish(&signature).map_err(|e| ActError::evidence(e.code(), e))
    }

    /// Has this digest stamped (RFC 3161); the token must answer this very request.
    pub fn stamp(&self, imprint: &Digest) -> Result<Vec<u8>, ActError> {
        let Some(url) = &self.config.authority.time_stamp else {
            return Err(ActError::evidence("node/no-stamper", "no time-stamping authority is configured"));
        };
        let request = timestamp::Request::new(*imprint, random()?);
        let reply =
            self.carrier.send(Request::post(url.clone(), "application/timestamp-query", request.to_der()))?;
        let wrong = |e: timestamp::StampError| ActError::nonsense(url, e);
        let token = timestamp::read_response(&reply.body).map_err(wrong)?;
        let read = timestamp::Token::read(&token).map_err(wrong)?;
        if read.imprint() != imprint || read.nonce() != request.nonce.as_deref() {
            return Err(ActError::nonsense(url, "the token answers another request"));
        }
        let lists: Vec<Crl> = lock(&self.watched).list.clone().into_iter().collect();
        let judged = read.verify(imprint, Some(&request), &trust_of(&self.anchors, &lists));
        match judged.passed() {
            true => Ok(token),
            false => Err(ActError::nonsense(url, judged)),
        }
    }

    /// Whether something was committed since the checkpoint was brought up to the last entry, with the witness's cosignature.
    fn log_is_behind(&self) -> bool {
        self.logged.load(Ordering::SeqCst) != self.store.n_commits()
    }

    /// Whether there is something to do for the log: entries without a checkpoint, deliveries without evidence.
    pub(crate) fn log_is_wanted(&self) -> bool {
        self.log_is_behind() || self.has_unproven()
    }

    /// Brings the log's checkpoint up to its entries, and waits for more.
    pub(crate) fn look_after_log(self: &Arc<Self>) {
        let (rings, n_commits) = (self.rings(), self.store.n_commits());
        // What fails now is tried again; recording goes on meanwhile.
        if let Ok(cosigned) = self.advance_log()
            && (cosigned || self.config.authority.witness.is_none())
        {
            self.logged.store(n_commits, Ordering::SeqCst);
            self.prove_deliveries();
        }
        // Who needs a proof at once asks for it; otherwise entries gather for one checkpoint.
        std::thread::sleep(Duration::from_millis(self.config.limits.checkpoint_ms));
        if self.log_is_wanted() {
            self.wait(rings, Duration::from_millis(500));
        }
    }

    /// Brings checkpoint and cosignature up to the last entry; tells whether the witness cosigned it.
    pub fn advance_log(&self) -> Result<bool, ActError> {
        let mut log = lock(&self.log);
        self.ask_witness(&mut log)?;
        self.grow(&mut log)?;
        let here = log.tree.size();
        if let Some(witnessed) = log.witnessed.filter(|w| *w > here) {
            return Err(ActError::LogBehind { witnessed, here });
        }
        if log.latest.as_ref().is_none_or(|(size, _)| *size != here) {
            self.sign_checkpoint(&mut log)?;
        }
        if !log.cosigned {
            self.cosign(&mut log)?;
        }
        Ok(log.cosigned)
    }

    /// Reads the entries that came since, and makes their tiles.
    fn grow(&self, log: &mut LogState) -> Result<(), ActError> {
        loop {
            let page = self.store.leaves(&self.participant, log.leaves.len() as u64, PAGE)?;
            if page.is_empty() {
                return Ok(());
            }
            let hashes: Vec<Hash> = page.iter().map(|l| merkle::leaf_hash(&l.commitment)).collect();
            let growth = log.tree.append(&hashes).map_err(|e| ActError::evidence(e.code(), e))?;
            log.leaves.extend(hashes);
            log.tiles.extend(growth.tiles);
        }
    }

    /// Asks the witness once, at the start, what it has seen, by an empty checkpoint: it commits to nothing.
    fn ask_witness(&self, log: &mut LogState) -> Result<(), ActError> {
        let Some(base) = self.config.authority.witness.as_ref().filter(|_| log.witnessed.is_none()) else {
            return Ok(());
        };
        let origin = self.signer.log().verifier().name().clone();
        let empty = Checkpoint::new(origin, 0, Hash::EMPTY)
            .and_then(|c| c.sign(self.signer.log()))
            .map_err(|e| ActError::evidence(e.code(), e))?;
        let request = witness::Request::new(0, Vec::new(), empty).map_err(|e| ActError::nonsense(base, e))?;
        let reply = self.carrier.send(Request::post(
            format!("{base}/add-checkpoint"),
            "text/plain",
            request.to_string().into_bytes(),
        ))?;
        log.witnessed = match reply.status {
            200 => Some(0),
            409 => Some(
                parse_conflict(&reply.body)
                    .ok_or_else(|| ActError::nonsense(base, "a conflict without a size"))?,
            ),
            status => return Err(ActError::nonsense(base, format!("status {status} to a checkpoint"))),
        };
        Ok(())
    }

    fn sign_checkpoint(&self, log: &mut LogState) -> Result<(), ActError> {
        let old = self.store.checkpoint(&self.participant)?;
        let root = log.tree.root();
        let origin = self.signer.log().verifier().name().clone();
        let checkpoint =
            Checkpoint::new(origin, log.tree.size(), root).map_err(|e| ActError::evidence(e.code(), e))?;
        let row = CheckpointRow {
            size: log.tree.size(),
            root: *root.as_bytes(),
            body: checkpoint.to_string().into_bytes(),
        };
        if old.as_ref() != Some(&row) {
            crash_point("prove.swap.before");
            match self.store.swap_checkpoint(&self.participant, old, row)? {
                Swap::Swapped => {}
                // INVARIANT: only who swapped the row signs.
                Swap::Other(_) => return Ok(()),
            }
            crash_point("prove.swap.after");
        }
        let size = log.tree.size();
        let signed = checkpoint.sign(self.signer.log()).map_err(|e| ActError::evidence(e.code(), e))?;
        (log.latest, log.cosigned) = (Some((size, signed)), false);
        Ok(())
    }

    fn cosign(&self, log: &mut LogState) -> Result<(), ActError> {
        let (Some(base), Some(key)) = (&self.config.authority.witness, &self.config.authority.witness_key)
        else {
            return Ok(());
        };
        let (Some((size, signed)), Some(old)) = (log.latest.clone(), log.witnessed) else { return Ok(()) };
        let tiles = &log.tiles;
        let mut reader = Reader::new(size, |tile| tiles.get(&tile).cloned().ok_or("no such tile"));
        let proof = merkle::consistency_proof(old, size, |position| reader.hash(position))
            .map_err(|e| ActError::evidence("node/consistency", e))?;
        let request =
            witness::Request::new(old, proof, signed.clone()).map_err(|e| ActError::nonsense(base, e))?;
        let body = request.to_string().into_bytes();
        let reply = self.carrier.send(Request::post(format!("{base}/add-checkpoint"), "text/plain", body))?;
        match reply.status {
            200 => {
                let key = VerifierKey::parse(key).map_err(|e| ActError::evidence("node/witness-key", e))?;
                let mut signed = signed;
                signed.attach(&reply.body, &[key]).map_err(|e| ActError::nonsense(base, e))?;
                let subject = Subject::new(SubjectKind::Checkpoint, size.to_string());
                self.keep_part(&subject, "signed", signed.to_string().as_bytes(), None)?;
                (log.latest, log.cosigned, log.witnessed) = (Some((size, signed)), true, Some(size));
                Ok(())
            }
            409 => {
                log.witnessed = parse_conflict(&reply.body).or(log.witnessed);
                Ok(())
            }
            status => Err(ActError::nonsense(base, format!("status {status} to a checkpoint"))),
        }
    }

    /// The signed checkpoint and how far it reaches, as anybody may read it.
    pub fn checkpoint(&self) -> Option<(String, Reach)> {
        let log = lock(&self.log);
        let reach = if log.cosigned { Reach::Witnessed } else { Reach::Recorded };
        log.latest.as_ref().map(|(_, c)| (c.to_string(), reach))
    }

    /// A tile of the log by its path below the log's prefix, as anybody may read it.
    pub fn tile(&self, path: &str) -> Option<Vec<u8>> {
        let tile = Tile::parse(path)?;
        lock(&self.log).tiles.get(&tile).cloned()
    }

    /// The policy by which outsiders believe this log: its key, and the witness's.
    pub fn log_policy(&self) -> String {
        let log = format!("log {}\n", self.signer.log().verifier());
        match &self.config.authority.witness_key {
            Some(key) => format!("{log}witness authority {key}\ngroup all 1 authority\nquorum all\n"),
            None => format!("{log}quorum none\n"),
        }
    }

    /// The proof that an entry stands in the log (C2SP tlog-proof).
    pub fn log_proof(&self, number: u64) -> Result<String, ActError> {
        let log = lock(&self.log);
        let latest = log.latest.clone().filter(|(size, _)| *size > number);
        let (size, signed) = latest.ok_or(ActError::TooLate { what: "a checkpoint over the entry" })?;
        let tiles = &log.tiles;
        let mut reader = Reader::new(size, |tile| tiles.get(&tile).cloned().ok_or("no such tile"));
        let path = merkle::inclusion_proof(number, size, |position| reader.hash(position))
            .map_err(|e| ActError::evidence("node/inclusion", e))?;
        let proof = tlog::proof::Proof::new(number, path, signed)
            .map_err(|e| ActError::evidence("node/inclusion", e))?;
        Ok(proof.to_string())
    }
}
