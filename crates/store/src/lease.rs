//! Leases of flows: a pass is not stored, what is stored is whether the decision behind it still stands.
//!
//! A flow renews its lease each second and asks before each chunk. Whatever turns the decision ends the epoch: no renewal,
//! no chunk. A restart renews nothing; it decides afresh and issues the next epoch.

use crate::column::{self, int, limit, words};
use crate::error::StoreError;
use crate::participant::Participant;
use crate::store::Store;
use crate::together::Together;
use model::{Digest, Instant};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::ops::Range;

words! {
    /// Whether a flow may go on.
    Standing {
        /// The decision stands.
        Running = "running",
        /// The decision turned; the flow stops.
        Turned = "turned",
        /// The flow came to its end.
        Ended = "ended",
    }
}

/// What a flow asks for when its pass was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseAsk {
    /// The flow.
    pub flow: String,
    /// The decision that opened.
    pub decision: Digest,
    /// Who runs it: a name of the process, given at its start.
    pub holder: String,
    /// Now.
    pub at: Instant,
    /// Until when it holds without renewal.
    pub until: Instant,
}

/// A lease as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The flow.
    pub flow: String,
    /// Grows with each issue and each turn; a renewal names the epoch that it was issued with.
    pub epoch: u64,
    /// Until when it holds without renewal.
    pub until: Instant,
    /// Who runs it.
    pub holder: String,
    /// Whether the flow may go on.
    pub standing: Standing,
    /// The decision that it rests on.
    pub decision: Digest,
    /// Why it turned, as the caller encodes it: rule, article, kind.
    pub cause: Option<Vec<u8>>,
    /// When it was issued, turned or ended.
    pub changed_at: Instant,
}

/// What a renewal came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The flow may go on until then.
    Renewed(Instant),
    /// The epoch is over: the lease turned, ended, or was issued anew.
    Over(Lease),
}

const COLUMNS: &str = "flow, epoch, until, holder, standing, decision, cause, changed_at";

impl Store {
    /// Issues the next epoch of a flow's lease, with the record of its pass; returns epoch and leaves.
    ///
    /// `Stale` while another holder runs the flow and its lease has not run out.
    pub fn issue_lease(
        &self,
        participant: &Participant,
        ask: LeaseAsk,
        together: Together,
    ) -> Result<(u64, Range<u64>), StoreError> {
        column::name("flow", &ask.flow)?;
        column::name("holder", &ask.holder)?;
        let participant = participant.clone();
        self.write(move |c| {
            let sql = "INSERT INTO lease
                (participant, flow, epoch, until, holder, standing, decision, cause, changed_at)
                VALUES (?1, ?2, 1, ?3, ?4, 'running', ?5, NULL, ?6)
                ON CONFLICT (participant, flow) DO UPDATE SET epoch = lease.epoch + 1, until = ?3,
                holder = ?4, standing = 'running', decision = ?5, cause = NULL, changed_at = ?6
                WHERE lease.standing <> 'running' OR lease.holder = ?4 OR lease.until <= ?6
                RETURNING epoch";
            let key =
                params![participant.as_str(), ask.flow, ask.until.0, ask.holder, ask.decision.0, ask.at.0];
            let epoch = c.prepare_cached(sql)?.query_row(key, |row| column::count(row, 0)).optional()?;
            let epoch = epoch.ok_or(StoreError::Stale { what: "lease" })?;
            Ok((epoch, together.commit(c, &participant)?))
        })
    }

    /// Renews a lease while its epoch lasts.
    pub fn renew_lease(
        &self,
        participant: &Participant,
        flow: &str,
        epoch: u64,
        until: Instant,
    ) -> Result<Renewal, StoreError> {
        let (participant, flow, epoch) = (participant.clone(), flow.to_owned(), int(epoch)?);
        self.write(move |c| {
            let sql = "UPDATE lease SET until = ?4
                       WHERE participant = ?1 AND flow = ?2 AND epoch = ?3 AND standing = 'running'";
            let changed =
                c.prepare_cached(sql)?.execute(params![participant.as_str(), flow, epoch, until.0])?;
            if changed > 0 {
                return Ok(Renewal::Renewed(until));
            }
            lease(c, &participant, &flow)?.map(Renewal::Over).ok_or(StoreError::NotFound { what: "lease" })
        })
    }

    /// Turns a running flow, with the event that tells why; returns the leaves. `Stale` when it no longer runs.
    pub fn turn(
        &self,
        participant: &Participant,
        flow: &str,
        cause: Vec<u8>,
        at: Instant,
        together: Together,
    ) -> Result<Range<u64>, StoreError> {
        column::body(&cause)?;
        self.close_epoch(participant, flow, Standing::Turned, Some(cause), at, together)
    }

    /// Ends a flow that came to its end; returns the leaves. `Stale` when it no longer runs.
    pub fn end_lease(
        &self,
        participant: &Participant,
        flow: &str,
        at: Instant,
        together: Together,
    ) -> Result<Range<u64>, StoreError> {
        self.close_epoch(participant, flow, Standing::Ended, None, at, together)
    }

    /// Returns a lease.
    pub fn lease(&self, participant: &Participant, flow: &str) -> Result<Option<Lease>, StoreError> {
        self.read(|c| lease(c, participant, flow))
    }

    /// Returns at most `n` leases of a standing, ordered by flow, after one flow (none: from the first).
    pub fn leases(
        &self,
        participant: &Participant,
        standing: Standing,
        after: Option<&str>,
        n: usize,
    ) -> Result<Vec<Lease>, StoreError> {
        self.read(|c| {
            let sql = format!(
                "SELECT {COLUMNS} FROM lease WHERE participant = ?1 AND standing = ?2 AND flow > ?3
                 ORDER BY flow LIMIT ?4"
            );
            let mut statement = c.prepare_cached(&sql)?;
            let key = params![participant.as_str(), standing.as_str(), after.unwrap_or(""), limit(n)];
            Ok(statement.query_map(key, stored)?.collect::<Result<_, _>>()?)
        })
    }

    fn close_epoch(
        &self,
        participant: &Participant,
        flow: &str,
        standing: Standing,
        cause: Option<Vec<u8>>,
        at: Instant,
        together: Together,
    ) -> Result<Range<u64>, StoreError> {
        let (participant, flow) = (participant.clone(), flow.to_owned());
        self.write(move |c| {
            let sql = "UPDATE lease SET epoch = epoch + 1, standing = ?3, cause = ?4, changed_at = ?5
                       WHERE participant = ?1 AND flow = ?2 AND standing = 'running'";
            let row = params![participant.as_str(), flow, standing.as_str(), cause, at.0];
            match (c.prepare_cached(sql)?.execute(row)?, lease(c, &participant, &flow)?) {
                (0, None) => Err(StoreError::NotFound { what: "lease" }),
                (0, Some(_)) => Err(StoreError::Stale { what: "lease" }),
                _ => together.commit(c, &participant),
            }
        })
    }
}

fn lease(c: &Connection, participant: &Participant, flow: &str) -> Result<Option<Lease>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM lease WHERE participant = ?1 AND flow = ?2");
    let mut statement = c.prepare_cached(&sql)?;
    Ok(statement.query_row(params![participant.as_str(), flow], stored).optional()?)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Lease> {
    Ok(Lease {
        flow: row.get(0)?,
        epoch: column::count(row, 1)?,
        until: column::instant(row, 2)?,
        holder: row.get(3)?,
        standing: column::word(row, 4, Standing::parse)?,
        decision: column::digest(row, 5)?,
        cause: row.get(6)?,
        changed_at: column::instant(row, 7)?,
    })
}
