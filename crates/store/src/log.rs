//! The leaves of the transparency log and the row that holds its last checkpoint.
//!
//! INVARIANT: a participant's leaves are numbered 0, 1, 2 … without a gap, in the order of commit, and each commits with
//! the state that it tells of; the number of a leaf is its index in the tree.

use crate::column::{self, int, limit};
use crate::error::StoreError;
use crate::participant::Participant;
use crate::store::Store;
use crate::together::Together;
use model::Instant;
use model::canonical::{self, CanonicalError};
use model::event::Event;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::ops::Range;

/// One event on its way into the log.
#[derive(Clone, PartialEq, Eq)]
pub struct Leaf {
    kind: String,
    process: String,
    at: Instant,
    event: Vec<u8>,
    salt: [u8; 32],
    commitment: [u8; 32],
}

// The salt keeps the commitment from being guessed, so it is not printed.
impl std::fmt::Debug for Leaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leaf")
            .field("kind", &self.kind)
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

impl Leaf {
    /// Makes the leaf of an event; `commit` is given its canonical bytes and returns the commitment to them and the salt.
    pub fn new(
        event: &Event,
        salt: [u8; 32],
        commit: impl FnOnce(&[u8]) -> [u8; 32],
    ) -> Result<Self, CanonicalError> {
        let bytes = canonical::to_bytes(event)?;
        let kind = serde_json::to_value(event.kind).ok();
        let kind = kind.as_ref().and_then(|k| k.as_str()).unwrap_or_default().to_owned();
        let commitment = commit(&bytes);
        Ok(Self { kind, process: event.process.clone(), at: event.at, event: bytes, salt, commitment })
    }
}

/// One leaf as it stands in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredLeaf {
    /// Its number, which is its index in the tree.
    pub number: u64,
    /// The commitment: the 32 bytes of the log entry.
    pub commitment: [u8; 32],
}

/// One leaf with what it commits to.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number, which is its index in the tree.
    pub number: u64,
    /// The commitment: the 32 bytes of the log entry.
    pub commitment: [u8; 32],
    /// The kind of the event, as `model::event::EventKind` is written.
    pub kind: String,
    /// The process of the event.
    pub process: String,
    /// When it happened.
    pub at: Instant,
    /// The salt and the event's canonical bytes, unless erased.
    pub opening: Option<([u8; 32], Vec<u8>)>,
}

impl std::fmt::Debug for StoredEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredEvent")
            .field("number", &self.number)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// The last tree head that may be signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckpointRow {
    /// Leaves in the tree.
    pub size: u64,
    /// Its root.
    pub root: [u8; 32],
    /// The bytes that will be signed, or whatever the caller needs to sign them again.
    pub body: Vec<u8>,
}

/// What a compare-and-swap found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Swap {
    /// The new row is in place.
    Swapped,
    /// The row is another than was expected; nothing was written.
    Other(Option<CheckpointRow>),
}

impl Store {
    /// Appends events that tell of no other state; returns their numbers.
    pub fn append_events(
        &self,
        participant: &Participant,
        leaves: Vec<Leaf>,
    ) -> Result<Range<u64>, StoreError> {
        let participant = participant.clone();
        self.write(move |c| append(c, &participant, &leaves))
    }

    /// Returns how many leaves the log has.
    pub fn log_size(&self, participant: &Participant) -> Result<u64, StoreError> {
        self.read(|c| size(c, participant))
    }

    /// Returns at most `n` leaves from a number on, in order.
    pub fn leaves(
        &self,
        participant: &Participant,
        from: u64,
        n: usize,
    ) -> Result<Vec<StoredLeaf>, StoreError> {
        let from = int(from)?;
        self.read(|c| {
            let sql = "SELECT number, commitment FROM leaf
                       WHERE participant = ?1 AND number >= ?2 ORDER BY number LIMIT ?3";
            let mut statement = c.prepare_cached(sql)?;
            let rows = statement.query_map(params![participant.as_str(), from, limit(n)], |row| {
                Ok(StoredLeaf { number: column::count(row, 0)?, commitment: row.get(1)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Returns one leaf with what it commits to.
    pub fn event(&self, participant: &Participant, number: u64) -> Result<Option<StoredEvent>, StoreError> {
        let number = int(number)?;
        self.read(|c| {
            let sql = "SELECT number, commitment, kind, process, at, salt, event FROM leaf
                       WHERE participant = ?1 AND number = ?2";
            let mut statement = c.prepare_cached(sql)?;
            Ok(statement.query_row(params![participant.as_str(), number], stored).optional()?)
        })
    }

    /// Returns at most `n` events of one process from a number on, in order.
    pub fn events_of(
        &self,
        participant: &Participant,
        process: &str,
        from: u64,
        n: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let from = int(from)?;
        self.read(|c| {
            let sql = "SELECT number, commitment, kind, process, at, salt, event FROM leaf
                       WHERE participant = ?1 AND process = ?2 AND number >= ?3 ORDER BY number LIMIT ?4";
            let mut statement = c.prepare_cached(sql)?;
            let rows = statement.query_map(params![participant.as_str(), process, from, limit(n)], stored)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Erases salt and payload of one leaf; the commitment stays, and nobody can learn the event from it.
    pub fn erase_event(
        &self,
        participant: &Participant,
        number: u64,
        together: Together,
    ) -> Result<Range<u64>, StoreError> {
        let (participant, number) = (participant.clone(), int(number)?);
        self.write(move |c| {
            let sql = "UPDATE leaf SET salt = NULL, event = NULL WHERE participant = ?1 AND number = ?2";
            match c.prepare_cached(sql)?.execute(params![participant.as_str(), number])? {
                0 => Err(StoreError::NotFound { what: "event" }),
                _ => together.commit(c, &participant),
            }
        })
    }

    /// Returns the last checkpoint that may be signed.
    pub fn checkpoint(&self, participant: &Participant) -> Result<Option<CheckpointRow>, StoreError> {
        self.read(|c| checkpoint(c, participant))
    }

    /// Puts a new checkpoint in place of the one that the caller read; sign only after `Swapped`.
    ///
    /// Refuses a tree that is smaller than the last, or larger than the log.
    pub fn swap_checkpoint(
        &self,
        participant: &Participant,
        old: Option<CheckpointRow>,
        new: CheckpointRow,
    ) -> Result<Swap, StoreError> {
        column::body(&new.body)?;
        let participant = participant.clone();
        self.write(move |c| {
            let found = checkpoint(c, &participant)?;
            if found != old {
                return Ok(Swap::Other(found));
            }
            if old.is_some_and(|old| new.size < old.size || (new.size == old.size && new.root != old.root)) {
                return Err(StoreError::Shape { field: "checkpoint", rule: "never goes back" });
            }
            if new.size > size(c, &participant)? {
                return Err(StoreError::Shape { field: "checkpoint", rule: "covers leaves of the log only" });
            }
            let sql = "INSERT INTO checkpoint (participant, size, root, body) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (participant) DO UPDATE
                       SET size = excluded.size, root = excluded.root, body = excluded.body";
            let row = params![participant.as_str(), int(new.size)?, new.root, new.body];
            c.prepare_cached(sql)?.execute(row)?;
            Ok(Swap::Swapped)
        })
    }
}

/// Appends leaves inside a transaction and returns their numbers.
pub(crate) fn append(
    c: &Connection,
    participant: &Participant,
    leaves: &[Leaf],
) -> Result<Range<u64>, StoreError> {
    let numbers = next(c, participant, "leaf", leaves.len() as u64)?;
    let sql = "INSERT INTO leaf (participant, number, commitment, kind, process, at, salt, event)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut statement = c.prepare_cached(sql)?;
    for (number, leaf) in numbers.clone().zip(leaves) {
        column::name("process", &leaf.process)?;
        column::body(&leaf.event)?;
        statement.execute(params![
            participant.as_str(),
            int(number)?,
            leaf.commitment,
            leaf.kind,
            leaf.process,
            leaf.at.0,
            leaf.salt,
            leaf.event
        ])?;
    }
    Ok(numbers)
}

/// Takes the next `n` numbers of a sequence; a transaction that is rolled back gives them back.
pub(crate) fn next(
    c: &Connection,
    participant: &Participant,
    name: &str,
    n: u64,
) -> Result<Range<u64>, StoreError> {
    let sql = "INSERT INTO sequence (participant, name, next) VALUES (?1, ?2, ?3)
               ON CONFLICT (participant, name) DO UPDATE SET next = sequence.next + excluded.next
               RETURNING next";
    if n == 0 {
        let at = reached(c, participant, name)?;
        return Ok(at..at);
    }
    let mut statement = c.prepare_cached(sql)?;
    let end =
        statement.query_row(params![participant.as_str(), name, int(n)?], |row| column::count(row, 0))?;
    Ok(end - n..end)
}

fn size(c: &Connection, participant: &Participant) -> Result<u64, StoreError> {
    reached(c, participant, "leaf")
}

fn reached(c: &Connection, participant: &Participant, name: &str) -> Result<u64, StoreError> {
    let mut statement = c.prepare_cached("SELECT next FROM sequence WHERE participant = ?1 AND name = ?2")?;
    let row =
        statement.query_row(params![participant.as_str(), name], |row| column::count(row, 0)).optional()?;
    Ok(row.unwrap_or(0))
}

fn checkpoint(c: &Connection, participant: &Participant) -> Result<Option<CheckpointRow>, StoreError> {
    let mut statement = c.prepare_cached("SELECT size, root, body FROM checkpoint WHERE participant = ?1")?;
    let row = statement.query_row(params![participant.as_str()], |row| {
        Ok(CheckpointRow { size: column::count(row, 0)?, root: row.get(1)?, body: row.get(2)? })
    });
    Ok(row.optional()?)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    let (salt, event): (Option<[u8; 32]>, Option<Vec<u8>>) = (row.get(5)?, row.get(6)?);
    Ok(StoredEvent {
        number: column::count(row, 0)?,
        commitment: row.get(1)?,
        kind: row.get(2)?,
        process: row.get(3)?,
        at: column::instant(row, 4)?,
        opening: salt.zip(event),
    })
}
