//! Messages that are decided and not yet answered, in order per process.

use crate::column::{self, int, limit};
use crate::error::StoreError;
use crate::log;
use crate::participant::Participant;
use crate::process::{ProcessId, ProcessKind};
use crate::store::Store;
use crate::together::Together;
use model::Instant;
use rusqlite::{Connection, Row, params};
use std::ops::Range;

/// A message to be sent: the same bytes until it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The process that it belongs to.
    pub process: ProcessId,
    /// Where to.
    pub url: String,
    /// What.
    pub body: Vec<u8>,
}

/// A message that waits in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Its number: rises with each message of the participant and is never given twice.
    pub number: u64,
    /// How often it was sent in vain.
    pub attempts: u64,
    /// When it may be sent again.
    pub not_before: Instant,
    /// The message.
    pub message: Outgoing,
}

const COLUMNS: &str = "number, kind, pid, url, body, attempts, not_before";

/// Found by the index in a question of its own, for the same reason as processes of a peer.
pub(crate) fn of_process() -> String {
    format!(
        "SELECT {COLUMNS} FROM outbox WHERE participant = ?1 AND number IN
         (SELECT number FROM outbox WHERE participant = ?1 AND kind = ?2 AND pid = ?3 ORDER BY number LIMIT ?4)
         ORDER BY number"
    )
}

impl Store {
    /// Returns at most `n` processes whose first message is due, with that message's address; takes nothing.
    ///
    /// One process alone sends from a directory, so who sends what need not be on the disk: after a crash it is due again.
    pub fn outbox_due(
        &self,
        participant: &Participant,
        now: Instant,
        n: usize,
    ) -> Result<Vec<(ProcessId, String)>, StoreError> {
        self.read(|c| {
            let sql = "SELECT kind, pid, url FROM outbox AS head
                       WHERE participant = ?1 AND not_before <= ?2 AND NOT EXISTS (
                         SELECT 1 FROM outbox AS before WHERE before.participant = ?1
                         AND before.kind = head.kind AND before.pid = head.pid AND before.number < head.number)
                       ORDER BY number LIMIT ?3";
            let mut statement = c.prepare_cached(sql)?;
            let rows = statement.query_map(params![participant.as_str(), now.0, limit(n)], |row| {
                let kind = column::word(row, 0, ProcessKind::parse)?;
                Ok((ProcessId { kind, pid: row.get(1)? }, row.get(2)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Returns the messages of one process that wait, in order, without taking them.
    pub fn outbox(&self, participant: &Participant, process: &ProcessId) -> Result<Vec<Queued>, StoreError> {
        self.read(|c| {
            let mut statement = c.prepare_cached(&of_process())?;
            let key = params![participant.as_str(), process.kind.as_str(), process.pid, limit(usize::MAX)];
            Ok(statement.query_map(key, queued)?.collect::<Result<_, _>>()?)
        })
    }

    /// Tells how many messages wait, and when the first of them may next be sent.
    pub fn outbox_depth(&self, participant: &Participant) -> Result<(u64, Option<Instant>), StoreError> {
        self.read(|c| {
            let sql = "SELECT count(*), min(not_before) FROM outbox WHERE participant = ?1";
            let mut statement = c.prepare_cached(sql)?;
            Ok(statement.query_row(params![participant.as_str()], |row| {
                Ok((column::count(row, 0)?, column::instant_if(row, 1)?))
            })?)
        })
    }

    /// Settles one message that needs no move of its process, such as a receipt.
    pub fn settle(
        &self,
        participant: &Participant,
        number: u64,
        together: Together,
    ) -> Result<Range<u64>, StoreError> {
        let (participant, number) = (participant.clone(), int(number)?);
        self.write(move |c| {
            let sql = "DELETE FROM outbox WHERE participant = ?1 AND number = ?2";
            match c.prepare_cached(sql)?.execute(params![participant.as_str(), number])? {
                0 => Err(StoreError::NotFound { what: "message" }),
                _ => together.commit(c, &participant),
            }
        })
    }

    /// Puts a message off after it was sent in vain; one that is settled meanwhile stays settled.
    pub fn put_off(
        &self,
        participant: &Participant,
        number: u64,
        not_before: Instant,
    ) -> Result<(), StoreError> {
        let (participant, number) = (participant.clone(), int(number)?);
        self.write(move |c| {
            let sql = "UPDATE outbox SET attempts = attempts + 1, not_before = ?3
                       WHERE participant = ?1 AND number = ?2";
            match c.prepare_cached(sql)?.execute(params![participant.as_str(), number, not_before.0])? {
                0 => Err(StoreError::NotFound { what: "message" }),
                _ => Ok(()),
            }
        })
    }

    /// Makes every message due, at the start of the one process that sends them.
    pub fn wake_outbox(&self, participant: &Participant, now: Instant) -> Result<(), StoreError> {
        let participant = participant.clone();
        self.write(move |c| {
            let sql = "UPDATE outbox SET not_before = ?2 WHERE participant = ?1 AND not_before > ?2";
            c.prepare_cached(sql)?.execute(params![participant.as_str(), now.0])?;
            Ok(())
        })
    }
}

/// Queues a message inside a transaction.
pub(crate) fn queue(c: &Connection, participant: &Participant, message: &Outgoing) -> Result<(), StoreError> {
    column::name("pid", &message.process.pid)?;
    column::name("url", &message.url)?;
    column::body(&message.body)?;
    let number = log::next(c, participant, "outbox", 1)?.start;
    let sql = "INSERT INTO outbox (participant, number, kind, pid, url, body, attempts, not_before)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0)";
    c.prepare_cached(sql)?.execute(params![
        participant.as_str(),
        int(number)?,
        message.process.kind.as_str(),
        message.process.pid,
        message.url,
        message.body
    ])?;
    Ok(())
}

/// Takes all messages of a process out, inside a transaction.
pub(crate) fn leave(
    c: &Connection,
    participant: &Participant,
    process: &ProcessId,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM outbox WHERE participant = ?1 AND kind = ?2 AND pid = ?3";
    c.prepare_cached(sql)?.execute(params![participant.as_str(), process.kind.as_str(), process.pid])?;
    Ok(())
}

fn queued(row: &Row<'_>) -> rusqlite::Result<Queued> {
    let process = ProcessId { kind: column::word(row, 1, ProcessKind::parse)?, pid: row.get(2)? };
    Ok(Queued {
        number: column::count(row, 0)?,
        attempts: column::count(row, 5)?,
        not_before: column::instant(row, 6)?,
        message: Outgoing { process, url: row.get(3)?, body: row.get(4)? },
    })
}
