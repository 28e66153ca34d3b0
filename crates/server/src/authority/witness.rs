//! c2sp.org/tlog-witness: cosigns what follows from what it has cosigned before, and stores that before it answers.

use super::AuthorityError;
use super::folder::{Folder, Readers};
use model::{Digest, Instant};
use std::collections::BTreeMap;
use std::sync::Arc;
use tlog::checkpoint::Checkpoint;
use tlog::cosignature::{Cosigner, Timestamp};
use tlog::key::{KeyName, VerifierKey};
use tlog::note::Note;
use tlog::witness::{Refusal, Request, Witness};

const SEED: &str = "witness.seed";
const NAME: &str = "witness.name";
const ENDING: &str = ".checkpoint";

/// A witness with what it has seen; whoever holds the lock on it judges and stores in one step.
#[derive(Debug)]
pub(super) struct Desk {
    folder: Arc<Folder>,
    name: KeyName,
    seed: [u8; 32],
    witness: Witness,
    seen: BTreeMap<KeyName, Checkpoint>,
}

impl Desk {
    pub(super) fn open(folder: Arc<Folder>, logs: Vec<VerifierKey>) -> Result<Self, AuthorityError> {
        let seed = folder.seed(SEED)?;
        // The name differs from authority to authority; seed and name belong together for good.
        let text = folder.once(NAME, Readers::All, || {
            Ok(format!("demo-authority.example/witness-{}\n", Digest::of(&seed).short()).into_bytes())
        })?;
        let name = String::from_utf8_lossy(&text);
        let name = KeyName::parse(name.trim()).map_err(|e| folder.broken(NAME, e))?;
        let witness = witness(&folder, &name, &seed, logs)?;
        let mut seen = BTreeMap::new();
        for file in folder.names(ENDING)? {
            let bytes = folder.read(&file)?.unwrap_or_default();
            // INVARIANT: a file that cannot be read stops the start: to forget it would be to allow a fork.
            let note = Note::parse(&bytes).map_err(|e| folder.broken(&file, e))?;
            note.verify([witness.verifier()]).map_err(|e| folder.broken(&file, e))?;
            let checkpoint = Checkpoint::parse(note.text()).map_err(|e| folder.broken(&file, e))?;
            seen.insert(checkpoint.origin().clone(), checkpoint);
        }
        Ok(Self { folder, name, seed, witness, seen })
    }

    /// Takes up the logs that have enrolled.
    pub(super) fn know(&mut self, logs: Vec<VerifierKey>) -> Result<(), AuthorityError> {
        self.witness = witness(&self.folder, &self.name, &self.seed, logs)?;
        Ok(())
    }

    /// The key that verifies its cosignatures, as a verifier key string.
    pub(super) fn verifier(&self) -> String {
        self.witness.verifier().to_string()
    }

    /// Status, media type and body of the answer to `add-checkpoint`.
    pub(super) fn answer(
        &mut self,
        body: &[u8],
        now: Instant,
    ) -> Result<(u16, &'static str, String), AuthorityError> {
        match self.judge(body, now)? {
            Ok(line) => Ok((200, "text/plain; charset=utf-8", line)),
            Err(refusal) => Ok((refusal.status(), refusal.media_type(), refusal.body())),
        }
    }

    fn judge(&mut self, body: &[u8], now: Instant) -> Result<Result<String, Refusal>, AuthorityError> {
        let request = match Request::parse(body) {
            Ok(request) => request,
            Err(fault) => return Ok(Err(Refusal::Request(fault))),
        };
        let seconds = u64::try_from(now.seconds()).ok().and_then(Timestamp::new);
        let seconds = seconds.ok_or_else(|| self.folder.broken(SEED, "the clock stands before 1970"))?;
        let cosigned = match self.witness.add_checkpoint(&request, self.seen.get(request.origin()), seconds) {
            Ok(cosigned) => cosigned,
            Err(refusal) => return Ok(Err(refusal)),
        };
        // The origin is a stranger's text, so the file is named by its digest.
        let file = format!("{}{ENDING}", Digest::of(cosigned.state.origin().as_str().as_bytes()));
        self.folder.write(&file, Readers::All, cosigned.published.to_string().as_bytes())?;
        let line = cosigned.body();
        self.seen.insert(cosigned.state.origin().clone(), cosigned.state);
        Ok(Ok(line))
    }
}

fn witness(
    folder: &Folder,
    name: &KeyName,
    seed: &[u8; 32],
    logs: Vec<VerifierKey>,
) -> Result<Witness, AuthorityError> {
    Witness::new(Cosigner::new(name.clone(), seed), logs)
        .map_err(|e| folder.broken(super::register::REGISTER, e))
}
