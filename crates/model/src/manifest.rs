//! The unit of commitment of a flow: an ordered list of content-addressed chunks, sealed once.

use crate::{canonical, digest::Digest};
use serde::{Deserialize, Serialize};

/// One content-addressed piece of the delivered bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunk {
    /// SHA-256 of exactly the delivered bytes; also the chunk's name.
    pub id: Digest,
    /// Length in bytes.
    pub bytes: u64,
    /// Rows in it (0 when the bytes are opaque).
    pub rows: u64,
}

/// What was delivered under a pass: chunks in order, and what it rests on.
///
/// Sealed once (CAdES) and time-stamped; nothing is signed per record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this form.
    pub version: u32,
    /// The transfer process that the bytes belong to.
    pub transfer: String,
    /// Rises by one with each manifest of a transfer, from 0.
    pub sequence: u64,
    /// The agreement they move under.
    pub agreement: String,
    /// Digest of the decision that opened.
    pub decision: Digest,
    /// Digest of the rulebook it was decided by.
    pub rulebook: Digest,
    /// Digest of the report when a release was moved; absent for raw bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Digest>,
    /// Column names in order; empty for opaque bytes.
    pub schema: Vec<String>,
    /// The chunks in order.
    pub chunks: Vec<Chunk>,
    /// Position in the source after the last chunk (an offset, or a broker's position as text).
    pub position: String,
    /// Digest of the manifest before, none for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
}

impl Manifest {
    /// The manifest's digest: SHA-256 of its canonical bytes.
    pub fn digest(&self) -> Result<Digest, canonical::CanonicalError> {
        Ok(Digest::of(&canonical::to_bytes(self)?))
    }

    /// Total length of the chunks, in bytes.
    pub fn bytes(&self) -> u64 {
        self.chunks.iter().map(|c| c.bytes).sum()
    }
}
