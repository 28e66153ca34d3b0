//! What a witness answers to `add-checkpoint`, per c2sp.org/tlog-witness: request in, new state and cosignature out.

use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint, parse_decimal};
use crate::cosignature::{Cosigner, Timestamp};
use crate::key::{Algorithm, KeyError, KeyName, VerifierKey};
use crate::merkle::{self, Hash, PROOF_LEN_MAX, SIZE_MAX, Unproven};
use crate::note::{NOTE_BYTES_MAX, Note, NoteError, Signature};
use crate::proof;
use std::collections::BTreeMap;
use std::fmt;

#[cfg(test)]
mod tests;

/// LIMIT: the largest request that is read: an old size, 63 hashes and a note.
pub const REQUEST_BYTES_MAX: usize = 32 + PROOF_LEN_MAX * 45 + NOTE_BYTES_MAX;

/// LIMIT: the longest answer to a conflict: a decimal number and a newline.
const CONFLICT_BYTES_MAX: usize = 20;

/// The media type of the answer to a conflict.
pub const SIZE_MEDIA_TYPE: &str = "text/x.tlog.size";

/// Why a request cannot be read: all of these are answered with 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The request exceeds `REQUEST_BYTES_MAX`.
    Limit,
    /// The first line is not `old` and a number in its one spelling.
    Old,
    /// A line is no hash in base64, there are more than 63, or no empty line follows.
    Proof,
    /// The checkpoint is refused.
    Checkpoint(CheckpointError),
}

impl RequestError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Limit => "tlog/witness-limit",
            Self::Old => "tlog/witness-old",
            Self::Proof => "tlog/witness-proof-form",
            Self::Checkpoint(fault) => fault.code(),
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit => f.write_str("the request is too large"),
            Self::Old => f.write_str("a request starts with `old` and a tree size"),
            Self::Proof => write!(f, "the proof is at most {PROOF_LEN_MAX} lines of one hash each"),
            Self::Checkpoint(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for RequestError {}

/// The body of an `add-checkpoint` request, per c2sp.org/tlog-witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    old: u64,
    proof: Vec<Hash>,
    checkpoint: SignedCheckpoint,
}

impl Request {
    /// Asks to cosign a checkpoint, with a consistency proof from the size that the witness has cosigned before.
    ///
    /// # Errors
    /// The old size or the number of hashes exceeds its limit.
    pub fn new(old: u64, proof: Vec<Hash>, checkpoint: SignedCheckpoint) -> Result<Self, RequestError> {
        if old > SIZE_MAX {
            return Err(RequestError::Old);
        }
        if proof.len() > PROOF_LEN_MAX {
            return Err(RequestError::Proof);
        }
        Ok(Self { old, proof, checkpoint })
    }

    /// Parses the body of a request strictly.
    ///
    /// # Errors
    /// The bytes are no request.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > REQUEST_BYTES_MAX {
            return Err(RequestError::Limit);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| RequestError::Old)?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(RequestError::Proof)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(parse_decimal);
        let old = old.ok_or(RequestError::Old)?;
        let proof = proof::parse_hashes(lines).ok_or(RequestError::Proof)?;
        let checkpoint = SignedCheckpoint::parse(checkpoint.as_bytes()).map_err(RequestError::Checkpoint)?;
        Self::new(old, proof, checkpoint)
    }

    /// The origin that it claims: whose state to read.
    #[must_use]
    pub const fn origin(&self) -> &KeyName {
        self.checkpoint.origin()
    }
}

impl fmt::Display for Request {
    /// Writes the body of the request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Why a witness does not cosign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request cannot be read.
    Request(RequestError),
    /// The old size exceeds that of the checkpoint.
    OldExceedsNew,
    /// The witness does not know this log.
    UnknownLog(KeyName),
    /// No known key of the log signed, or the signature of one does not verify.
    Signature(NoteError),
    /// The witness last cosigned this size.
    Conflict(u64),
    /// The root of a tree without leaves is not that of the empty tree.
    EmptyRoot,
    /// The proof does not hold, or the same size has another root: this may be proof that the log misbehaves.
    Inconsistent(Unproven),
    /// The caller passed the state of another log.
    ForeignState,
}

impl Refusal {
    /// The HTTP status, per c2sp.org/tlog-witness.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Request(_) | Self::OldExceedsNew => 400,
            Self::Signature(_) => 403,
            Self::UnknownLog(_) => 404,
            Self::Conflict(_) => 409,
            Self::EmptyRoot | Self::Inconsistent(_) => 422,
            Self::ForeignState => 500,
        }
    }

    /// The media type of the body.
    #[must_use]
    pub const fn media_type(&self) -> &'static str {
        match self {
            Self::Conflict(_) => SIZE_MEDIA_TYPE,
            _ => "text/plain; charset=utf-8",
        }
    }

    /// The body: for a conflict the size that the witness knows, else the reason.
    #[must_use]
    pub fn body(&self) -> String {
        match self {
            Self::Conflict(size) => format!("{size}\n"),
            other => format!("{other}\n"),
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Request(fault) => fault.code(),
            Self::OldExceedsNew => "tlog/witness-old-exceeds-new",
            Self::UnknownLog(_) => "tlog/witness-log-unknown",
            Self::Signature(fault) => fault.code(),
            Self::Conflict(_) => "tlog/witness-conflict",
            Self::EmptyRoot => "tlog/witness-empty-root",
            Self::Inconsistent(_) => "tlog/witness-inconsistent",
            Self::ForeignState => "tlog/witness-state",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(fault) => fault.fmt(f),
            Self::OldExceedsNew => f.write_str("the old size exceeds that of the checkpoint"),
            Self::UnknownLog(origin) => write!(f, "the log `{origin}` is not known here"),
            Self::Signature(fault) => fault.fmt(f),
            Self::Conflict(size) => write!(f, "the last cosigned size is `{size}`"),
            Self::EmptyRoot => f.write_str("the root is not that of the empty tree"),
            Self::Inconsistent(fault) => {
                write!(f, "the checkpoint does not follow from the last one: {fault}")
            }
            Self::ForeignState => f.write_str("the state is that of another log"),
        }
    }
}

impl std::error::Error for Refusal {}

/// What a witness remembers and answers when it cosigns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The new state of this log: store it, in place of the one that was read, before anything is answered.
    pub state: Checkpoint,
    /// The cosignature.
    pub cosignature: Signature,
    /// The checkpoint with the log's verified signatures and the cosignature, for whoever monitors the witness.
    pub published: SignedCheckpoint,
}

impl Cosigned {
    /// The body of the answer: the signature line.
    #[must_use]
    pub fn body(&self) -> String {
        format!("{}\n", self.cosignature)
    }
}

/// A witness: its key and the logs that it knows.
#[derive(Debug)]
pub struct Witness {
    cosigner: Cosigner,
    logs: BTreeMap<KeyName, Vec<VerifierKey>>,
}

impl Witness {
    /// Knows the logs with these keys; a key's name is its log's origin, and a log may have several.
    ///
    /// # Errors
    /// A key is not of the type with which logs sign.
    pub fn new(cosigner: Cosigner, logs: impl IntoIterator<Item = VerifierKey>) -> Result<Self, KeyError> {
        let mut known: BTreeMap<KeyName, Vec<VerifierKey>> = BTreeMap::new();
        for key in logs {
            if key.algorithm() != Algorithm::Ed25519 {
                return Err(KeyError::Algorithm(key.algorithm().byte()));
            }
            known.entry(key.name().clone()).or_default().push(key);
        }
        Ok(Self { cosigner, logs: known })
    }

    /// The key that verifies its cosignatures.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        self.cosigner.verifier()
    }

    /// Judges an `add-checkpoint` request against the last checkpoint that it cosigned for this origin.
    ///
    /// Read `last_seen`, call this and store the new state in one transaction, else two requests at once could roll
    /// the log back; answer only after the state is durable.
    ///
    /// # Errors
    /// The checkpoint is not cosigned; `status`, `media_type` and `body` say what to answer.
    pub fn add_checkpoint(
        &self,
        request: &Request,
        last_seen: Option<&Checkpoint>,
        now: Timestamp,
    ) -> Result<Cosigned, Refusal> {
        let origin = request.origin();
        let keys = self.logs.get(origin).ok_or_else(|| Refusal::UnknownLog(origin.clone()))?;
        request.checkpoint.note().verify(keys).map_err(Refusal::Signature)?;
        let new = request.checkpoint.claimed();
        if request.old > new.size() {
            return Err(Refusal::OldExceedsNew);
        }
        if last_seen.is_some_and(|seen| seen.origin() != origin) {
            return Err(Refusal::ForeignState);
        }
        let (size, root) = last_seen.map_or((0, Hash::EMPTY), |seen| (seen.size(), *seen.root()));
        if request.old != size {
            return Err(Refusal::Conflict(size));
        }
        if new.size() == 0 && *new.root() != Hash::EMPTY {
            return Err(Refusal::EmptyRoot);
        }
        merkle::verify_consistency(size, &root, new.size(), new.root(), &request.proof)
            .map_err(Refusal::Inconsistent)?;
        self.cosign(&request.checkpoint, keys, now)
    }

    fn cosign(
        &self,
        signed: &SignedCheckpoint,
        keys: &[VerifierKey],
        now: Timestamp,
    ) -> Result<Cosigned, Refusal> {
        let state = signed.claimed().clone();
        let cosignature = self.cosigner.cosign(&state, now);
        let by_log = |s: &&Signature| keys.iter().any(|key| key.name() == s.name() && key.id() == s.id());
        let mut signatures: Vec<Signature> =
            signed.note().signatures().iter().filter(by_log).cloned().collect();
        signatures.push(cosignature.clone());
        let published = Note::new(signed.note().text(), signatures)
            .map_err(CheckpointError::Note)
            .and_then(|note| SignedCheckpoint::parse(note.to_string().as_bytes()))
            .map_err(|fault| Refusal::Request(RequestError::Checkpoint(fault)))?;
        Ok(Cosigned { state, cosignature, published })
    }
}

/// Parses the body of a 409 answer: the size that the witness last cosigned.
#[must_use]
pub fn parse_conflict(body: &[u8]) -> Option<u64> {
    if body.len() > CONFLICT_BYTES_MAX {
        return None;
    }
    let size = parse_decimal(std::str::from_utf8(body).ok()?.strip_suffix('\n')?)?;
    (size <= SIZE_MAX).then_some(size)
}
