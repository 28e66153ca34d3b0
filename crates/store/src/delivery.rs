//! What has arrived: chunks in order, and the manifests that commit to them.

use crate::column::{self, int, limit};
use crate::error::StoreError;
use crate::participant::Participant;
use crate::store::Store;
use crate::together::Together;
use model::manifest::{Chunk, Manifest};
use model::{Digest, Instant};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::ops::Range;

/// What noting something came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It is on the disk, with these leaves.
    Now(Range<u64>),
    /// The very same was noted before; nothing was written.
    Before,
}

/// How far a flow has come.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Progress {
    /// Chunks that are durable; the next has this number.
    pub n_chunks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub n_rows: u64,
    /// The position in the source after the last; empty before the first.
    pub position: String,
}

/// A manifest as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredManifest {
    /// The transfer.
    pub transfer: String,
    /// Its number within the transfer, from 0.
    pub sequence: u64,
    /// Its digest.
    pub digest: Digest,
    /// When it was committed here.
    pub at: Instant,
    /// Its canonical bytes.
    pub body: Vec<u8>,
}

const COLUMNS: &str = "transfer, number, digest, at, body";

impl Store {
    /// Notes that chunk `number` of a flow is durable, and the position in the source after it.
    ///
    /// `Stale` when it is not the next one, or when another chunk has that number.
    pub fn note_chunk(
        &self,
        participant: &Participant,
        flow: &str,
        number: u64,
        chunk: &Chunk,
        position: &str,
        together: Together,
    ) -> Result<Noted, StoreError> {
        column::name("flow", flow)?;
        let (participant, flow) = (participant.clone(), flow.to_owned());
        let (chunk, position) = (chunk.clone(), position.to_owned());
        self.write(move |c| note(c, &participant, &flow, number, &chunk, &position, together))
    }

    /// Notes several chunks of a flow, the first with this number, in one commit: all of them or none.
    ///
    /// `Stale` as for [`Store::note_chunk`].
    pub fn note_chunks(
        &self,
        participant: &Participant,
        flow: &str,
        first: u64,
        chunks: Vec<(Chunk, Together)>,
    ) -> Result<Vec<Noted>, StoreError> {
        column::name("flow", flow)?;
        let (participant, flow) = (participant.clone(), flow.to_owned());
        self.write(move |c| {
            let numbered = (first..).zip(chunks);
            numbered.map(|(n, (chunk, together))| note(c, &participant, &flow, n, &chunk, "", together)).collect()
        })
    }

    /// Returns at most `n` chunks of a flow from a number on, in order.
    pub fn chunks(
        &self,
        participant: &Participant,
        flow: &str,
        from: u64,
        n: usize,
    ) -> Result<Vec<Chunk>, StoreError> {
        let from = int(from)?;
        self.read(|c| {
            let sql = "SELECT digest, bytes, n_rows FROM chunk
                       WHERE participant = ?1 AND flow = ?2 AND number >= ?3 ORDER BY number LIMIT ?4";
            let mut statement = c.prepare_cached(sql)?;
            let rows = statement.query_map(params![participant.as_str(), flow, from, limit(n)], chunk)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Tells how far a flow has come.
    pub fn progress(&self, participant: &Participant, flow: &str) -> Result<Progress, StoreError> {
        self.read(|c| {
            let sql = "SELECT count(*), coalesce(sum(bytes), 0), coalesce(sum(n_rows), 0),
                       coalesce((SELECT position FROM chunk WHERE participant = ?1 AND flow = ?2
                                 ORDER BY number DESC LIMIT 1), '')
                       FROM chunk WHERE participant = ?1 AND flow = ?2";
            let mut statement = c.prepare_cached(sql)?;
            Ok(statement.query_row(params![participant.as_str(), flow], |row| {
                Ok(Progress {
                    n_chunks: column::count(row, 0)?,
                    bytes: column::count(row, 1)?,
                    n_rows: column::count(row, 2)?,
                    position: row.get(3)?,
                })
            })?)
        })
    }

    /// Commits a manifest. `Stale` unless it is the next of its transfer and names the one before it.
    pub fn commit_manifest(
        &self,
        participant: &Participant,
        manifest: &Manifest,
        at: Instant,
        together: Together,
    ) -> Result<Noted, StoreError> {
        let wrong = |_| StoreError::Shape { field: "manifest", rule: "has a canonical form" };
        let body = model::canonical::to_bytes(manifest).map_err(wrong)?;
        column::name("transfer", &manifest.transfer)?;
        column::body(&body)?;
        let digest = Digest::of(&body);
        let (transfer, sequence, previous) =
            (manifest.transfer.clone(), manifest.sequence, manifest.previous);
        let participant = participant.clone();
        self.write(move |c| {
            if manifest_by_digest(c, &participant, &digest)?.is_some() {
                return Ok(Noted::Before);
            }
            let last = last_manifest(c, &participant, &transfer)?;
            let next = last.as_ref().map_or(0, |(number, _)| number + 1);
            if (sequence, previous) != (next, last.map(|(_, digest)| digest)) {
                return Err(StoreError::Stale { what: "manifest" });
            }
            let sql = "INSERT INTO manifest (participant, transfer, number, digest, at, body)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let row = params![participant.as_str(), transfer, int(sequence)?, digest.0, at.0, body];
            c.prepare_cached(sql)?.execute(row)?;
            Ok(Noted::Now(together.commit(c, &participant)?))
        })
    }

    /// Returns a manifest by its digest.
    pub fn manifest(
        &self,
        participant: &Participant,
        digest: &Digest,
    ) -> Result<Option<StoredManifest>, StoreError> {
        self.read(|c| manifest_by_digest(c, participant, digest))
    }

    /// Returns at most `n` manifests of a transfer from a number on, in order.
    pub fn manifests_of(
        &self,
        participant: &Participant,
        transfer: &str,
        from: u64,
        n: usize,
    ) -> Result<Vec<StoredManifest>, StoreError> {
        let from = int(from)?;
        self.read(|c| {
            let sql = format!(
                "SELECT {COLUMNS} FROM manifest WHERE participant = ?1 AND transfer = ?2 AND number >= ?3
                 ORDER BY number LIMIT ?4"
            );
            let mut statement = c.prepare_cached(&sql)?;
            let rows =
                statement.query_map(params![participant.as_str(), transfer, from, limit(n)], stored)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Returns the `n` manifests that were committed last, newest first.
    pub fn manifests_newest(
        &self,
        participant: &Participant,
        n: usize,
    ) -> Result<Vec<StoredManifest>, StoreError> {
        self.read(|c| {
            let sql = format!(
                "SELECT {COLUMNS} FROM manifest WHERE participant = ?1
                 ORDER BY at DESC, transfer, number DESC LIMIT ?2"
            );
            let mut statement = c.prepare_cached(&sql)?;
            let rows = statement.query_map(params![participant.as_str(), limit(n)], stored)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn note(
    c: &Connection,
    participant: &Participant,
    flow: &str,
    number: u64,
    chunk: &Chunk,
    position: &str,
    together: Together,
) -> Result<Noted, StoreError> {
    let next = next_number(c, participant, flow)?;
    if number < next && chunk_at(c, participant, flow, number)?.is_some_and(|before| before == *chunk) {
        return Ok(Noted::Before);
    }
    if number != next {
        return Err(StoreError::Stale { what: "chunk" });
    }
    let sql = "INSERT INTO chunk (participant, flow, number, digest, bytes, n_rows, position)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (number, bytes, n_rows) = (int(number)?, int(chunk.bytes)?, int(chunk.rows)?);
    let row = params![participant.as_str(), flow, number, chunk.id.0, bytes, n_rows, position];
    c.prepare_cached(sql)?.execute(row)?;
    Ok(Noted::Now(together.commit(c, participant)?))
}

fn next_number(c: &Connection, participant: &Participant, flow: &str) -> Result<u64, StoreError> {
    let sql = "SELECT coalesce(max(number) + 1, 0) FROM chunk WHERE participant = ?1 AND flow = ?2";
    let mut statement = c.prepare_cached(sql)?;
    Ok(statement.query_row(params![participant.as_str(), flow], |row| column::count(row, 0))?)
}

fn chunk_at(
    c: &Connection,
    participant: &Participant,
    flow: &str,
    number: u64,
) -> Result<Option<Chunk>, StoreError> {
    let sql = "SELECT digest, bytes, n_rows FROM chunk WHERE participant = ?1 AND flow = ?2 AND number = ?3";
    let mut statement = c.prepare_cached(sql)?;
    Ok(statement.query_row(params![participant.as_str(), flow, int(number)?], chunk).optional()?)
}

fn chunk(row: &Row<'_>) -> rusqlite::Result<Chunk> {
    Ok(Chunk { id: column::digest(row, 0)?, bytes: column::count(row, 1)?, rows: column::count(row, 2)? })
}

fn manifest_by_digest(
    c: &Connection,
    participant: &Participant,
    digest: &Digest,
) -> Result<Option<StoredManifest>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM manifest WHERE participant = ?1 AND digest = ?2");
    let mut statement = c.prepare_cached(&sql)?;
    Ok(statement.query_row(params![participant.as_str(), digest.0], stored).optional()?)
}

fn last_manifest(
    c: &Connection,
    participant: &Participant,
    transfer: &str,
) -> Result<Option<(u64, Digest)>, StoreError> {
    let sql = "SELECT number, digest FROM manifest WHERE participant = ?1 AND transfer = ?2
               ORDER BY number DESC LIMIT 1";
    let mut statement = c.prepare_cached(sql)?;
    let row = statement.query_row(params![participant.as_str(), transfer], |row| {
        Ok((column::count(row, 0)?, column::digest(row, 1)?))
    });
    Ok(row.optional()?)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredManifest> {
    Ok(StoredManifest {
        transfer: row.get(0)?,
        sequence: column::count(row, 1)?,
        digest: column::digest(row, 2)?,
        at: column::instant(row, 3)?,
        body: row.get(4)?,
    })
}
