//! Protocol processes and the answers given to messages: a transition is on the disk before its answer is sent, and a
//! repeat of the message gets the same answer.

use crate::column::{self, int, limit, words};
use crate::error::StoreError;
use crate::outbox;
use crate::participant::Participant;
use crate::recent;
use crate::store::Store;
use crate::together::Together;
use model::{Digest, Instant};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::ops::Range;

words! {
    /// Which protocol a process belongs to.
    ProcessKind {
        /// A contract negotiation, DSP 2025-1.
        Negotiation = "negotiation",
        /// A transfer process, DSP 2025-1.
        Transfer = "transfer",
        /// What one flow sends besides: receipts, evidence.
        Flow = "flow",
    }
}

/// A process of a participant by the id that it gave it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId {
    /// Which protocol.
    pub kind: ProcessKind,
    /// Our id of it.
    pub pid: String,
}

impl ProcessId {
    /// Names a process.
    pub fn new(kind: ProcessKind, pid: impl Into<String>) -> Self {
        Self { kind, pid: pid.into() }
    }
}

/// An answer to a message, by which its repeats are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who sent the message.
    pub peer: String,
    /// The process as the message names it; for the first message of a process, the peer's pid.
    pub process: String,
    /// The digest of the message's body.
    pub digest: Digest,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// What becomes of the messages of the process that wait in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Waiting {
    /// They stay and are repeated until answered.
    #[default]
    Stay,
    /// They leave: answered, or of no more use.
    Leave,
}

/// One move of a process with all that belongs to it.
#[derive(Clone, Debug)]
pub struct Move {
    /// Which process.
    pub process: ProcessId,
    /// The version that the caller read; none when the process is new.
    pub from: Option<u64>,
    /// Who the peer is.
    pub peer: String,
    /// The peer's id of the process, once known.
    pub peer_pid: Option<String>,
    /// The protocol state reached.
    pub state: String,
    /// The process, as its room encodes it.
    pub body: Vec<u8>,
    /// When.
    pub at: Instant,
    /// What becomes of messages that wait; new ones are in [`Together::sends`].
    pub waiting: Waiting,
    /// The answer to the message that made the move, if one did.
    pub answer: Option<Answer>,
}

impl Move {
    /// The process as it stands after the move.
    fn stands(&self) -> StoredProcess {
        StoredProcess {
            process: self.process.clone(),
            version: self.from.map_or(1, |version| version + 1),
            state: self.state.clone(),
            peer: self.peer.clone(),
            peer_pid: self.peer_pid.clone(),
            at: self.at,
            body: self.body.clone(),
        }
    }
}

/// What a move came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It is on the disk.
    Done {
        /// The version now.
        version: u64,
        /// The numbers of its leaves.
        leaves: Range<u64>,
    },
    /// The message came before: answer as then; nothing was written.
    Repeat(Answer),
}

/// A process as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProcess {
    /// Which process.
    pub process: ProcessId,
    /// Grows by one with each move, from 1.
    pub version: u64,
    /// The protocol state.
    pub state: String,
    /// Who the peer is.
    pub peer: String,
    /// The peer's id of the process, once known.
    pub peer_pid: Option<String>,
    /// When it moved last.
    pub at: Instant,
    /// The process, as its room encodes it.
    pub body: Vec<u8>,
}

const COLUMNS: &str = "kind, pid, version, state, peer, peer_pid, at, body";

/// Found by the index in a question of its own: asked for the whole row in the order of its key, all processes are read.
pub(crate) fn of_peer() -> String {
    format!(
        "SELECT {COLUMNS} FROM process WHERE participant = ?1 AND kind = ?2 AND pid =
         (SELECT min(pid) FROM process WHERE participant = ?1 AND kind = ?2 AND peer = ?3 AND peer_pid = ?4)"
    )
}

impl Store {
    /// Commits a move, its answer, its messages and its events; `Stale` when another move came first.
    pub fn move_process(
        &self,
        participant: &Participant,
        moved: Move,
        together: Together,
    ) -> Result<Moved, StoreError> {
        check(&moved)?;
        let participant = participant.clone();
        self.write(move |c| {
            if let Some(asked) = &moved.answer
                && let Some(answer) = answer(c, &participant, &asked.peer, &asked.process, &asked.digest)?
            {
                return Ok(Moved::Repeat(answer));
            }
            let version = step(c, &participant, &moved)?;
            if let Some(answer) = &moved.answer {
                record(c, &participant, answer, moved.at)?;
            }
            if moved.waiting == Waiting::Leave {
                outbox::leave(c, &participant, &moved.process)?;
            }
            Ok(Moved::Done { version, leaves: together.commit(c, &participant)? })
        })
    }

    /// Records the answer to a message that moved nothing, such as a refusal; returns the one that stands.
    pub fn record_answer(
        &self,
        participant: &Participant,
        given: Answer,
        at: Instant,
        together: Together,
    ) -> Result<Answer, StoreError> {
        column::name("peer", &given.peer)?;
        column::name("process", &given.process)?;
        column::body(&given.body)?;
        let participant = participant.clone();
        self.write(move |c| {
            if let Some(before) = answer(c, &participant, &given.peer, &given.process, &given.digest)? {
                return Ok(before);
            }
            record(c, &participant, &given, at)?;
            together.commit(c, &participant)?;
            Ok(given)
        })
    }

    /// Returns the answer that a message got before, if it came before.
    pub fn answer(
        &self,
        participant: &Participant,
        peer: &str,
        process: &str,
        digest: &Digest,
    ) -> Result<Option<Answer>, StoreError> {
        self.read(|c| answer(c, participant, peer, process, digest))
    }

    /// Returns a process by our id.
    pub fn process(
        &self,
        participant: &Participant,
        process: &ProcessId,
    ) -> Result<Option<StoredProcess>, StoreError> {
        let read = || {
            self.read(|c| {
                let sql = format!(
                    "SELECT {COLUMNS} FROM process WHERE participant = ?1 AND kind = ?2 AND pid = ?3"
                );
                let mut statement = c.prepare_cached(&sql)?;
                let key = params![participant.as_str(), process.kind.as_str(), process.pid];
                Ok(statement.query_row(key, stored).optional()?)
            })
        };
        self.recent.process(participant.as_str(), process, read)
    }

    /// Returns a process by the peer's id of it.
    pub fn process_of_peer(
        &self,
        participant: &Participant,
        kind: ProcessKind,
        peer: &str,
        peer_pid: &str,
    ) -> Result<Option<StoredProcess>, StoreError> {
        self.read(|c| {
            let mut statement = c.prepare_cached(&of_peer())?;
            let key = params![participant.as_str(), kind.as_str(), peer, peer_pid];
            Ok(statement.query_row(key, stored).optional()?)
        })
    }

    /// Returns our ids of at most `n` processes of a kind that are in none of these states, in order, after one id.
    pub fn processes_but(
        &self,
        participant: &Participant,
        kind: ProcessKind,
        states: &[&str],
        after: Option<&str>,
        n: usize,
    ) -> Result<Vec<String>, StoreError> {
        self.read(|c| {
            let marks = vec!["?"; states.len()].join(", ");
            let sql = format!(
                "SELECT pid FROM process WHERE participant = ? AND kind = ? AND pid > ?
                 AND state NOT IN ({marks}) ORDER BY pid LIMIT ?"
            );
            let (participant, kind) = (participant.as_str(), kind.as_str());
            let (after, n) = (after.unwrap_or(""), limit(n));
            let mut values: Vec<&dyn rusqlite::ToSql> = vec![&participant, &kind, &after];
            values.extend(states.iter().map(|s| s as &dyn rusqlite::ToSql));
            values.push(&n);
            let mut statement = c.prepare_cached(&sql)?;
            Ok(statement.query_map(values.as_slice(), |row| row.get(0))?.collect::<Result<_, _>>()?)
        })
    }

    /// Returns at most `n` processes of a kind, ordered by our id, after one id (none: from the first).
    pub fn processes(
        &self,
        participant: &Participant,
        kind: ProcessKind,
        after: Option<&str>,
        n: usize,
    ) -> Result<Vec<StoredProcess>, StoreError> {
        self.read(|c| {
            let sql = format!(
                "SELECT {COLUMNS} FROM process
                 WHERE participant = ?1 AND kind = ?2 AND pid > ?3 ORDER BY pid LIMIT ?4"
            );
            let mut statement = c.prepare_cached(&sql)?;
            let key = params![participant.as_str(), kind.as_str(), after.unwrap_or(""), limit(n)];
            Ok(statement.query_map(key, stored)?.collect::<Result<_, _>>()?)
        })
    }
}

fn check(moved: &Move) -> Result<(), StoreError> {
    column::name("pid", &moved.process.pid)?;
    column::name("peer", &moved.peer)?;
    column::name("state", &moved.state)?;
    column::body(&moved.body)?;
    if let Some(answer) = &moved.answer {
        column::name("process", &answer.process)?;
        column::body(&answer.body)?;
    }
    Ok(())
}

/// Writes the new state if the process is where the caller saw it.
fn step(c: &Connection, participant: &Participant, moved: &Move) -> Result<u64, StoreError> {
    let id = &moved.process;
    recent::wrote_process(participant.as_str(), id, None);
    let changed = match moved.from {
        // A process of a peer has one of ours: of two that were begun by the same message, the first stands.
        None => c
            .prepare_cached(
                "INSERT INTO process (participant, kind, pid, version, state, peer, peer_pid, at, body)
                 SELECT ?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8 WHERE ?6 IS NULL OR NOT EXISTS
                   (SELECT 1 FROM process WHERE participant = ?1 AND kind = ?2 AND peer = ?5 AND peer_pid = ?6)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                participant.as_str(),
                id.kind.as_str(),
                id.pid,
                moved.state,
                moved.peer,
                moved.peer_pid,
                moved.at.0,
                moved.body
            ])?,
        Some(version) => c
            .prepare_cached(
                "UPDATE process SET version = version + 1, state = ?4, peer = ?5, peer_pid = ?6, at = ?7,
                 body = ?8 WHERE participant = ?1 AND kind = ?2 AND pid = ?3 AND version = ?9",
            )?
            .execute(params![
                participant.as_str(),
                id.kind.as_str(),
                id.pid,
                moved.state,
                moved.peer,
                moved.peer_pid,
                moved.at.0,
                moved.body,
                int(version)?
            ])?,
    };
    match changed {
        0 => Err(StoreError::Stale { what: "process" }),
        _ => {
            let stands = moved.stands();
            let version = stands.version;
            recent::wrote_process(participant.as_str(), id, Some(stands));
            Ok(version)
        }
    }
}

fn record(c: &Connection, participant: &Participant, answer: &Answer, at: Instant) -> Result<(), StoreError> {
    let sql = "INSERT INTO answer (participant, peer, process, digest, status, body, at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    c.prepare_cached(sql)?.execute(params![
        participant.as_str(),
        answer.peer,
        answer.process,
        answer.digest.0,
        answer.status,
        answer.body,
        at.0
    ])?;
    Ok(())
}

fn answer(
    c: &Connection,
    participant: &Participant,
    peer: &str,
    process: &str,
    digest: &Digest,
) -> Result<Option<Answer>, StoreError> {
    let sql = "SELECT status, body FROM answer
               WHERE participant = ?1 AND peer = ?2 AND process = ?3 AND digest = ?4";
    let mut statement = c.prepare_cached(sql)?;
    let row = statement.query_row(params![participant.as_str(), peer, process, digest.0], |row| {
        Ok(Answer {
            peer: peer.to_owned(),
            process: process.to_owned(),
            digest: *digest,
            status: row.get(0)?,
            body: row.get(1)?,
        })
    });
    Ok(row.optional()?)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredProcess> {
    Ok(StoredProcess {
        process: ProcessId { kind: column::word(row, 0, ProcessKind::parse)?, pid: row.get(1)? },
        version: column::count(row, 2)?,
        state: row.get(3)?,
        peer: row.get(4)?,
        peer_pid: row.get(5)?,
        at: column::instant(row, 6)?,
        body: row.get(7)?,
    })
}
