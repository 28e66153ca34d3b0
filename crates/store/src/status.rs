//! Statuses of certificates and certifications as they were last seen, with the times by which their age is judged.

use crate::column;
use crate::error::StoreError;
use crate::participant::Participant;
use crate::store::Store;
use crate::together::Together;
use model::Instant;
use rusqlite::{OptionalExtension, params};
use std::ops::Range;

/// A status list, or the word on one certificate, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSeen {
    /// Where it came from: the list's address, or the certificate it speaks of.
    pub source: String,
    /// When its issuer made it.
    pub issued_at: Instant,
    /// When it was fetched here.
    pub seen_at: Instant,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// What remembering a status came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remembered {
    /// It is the newest; the leaves.
    Newest(Range<u64>),
    /// A newer one was seen before, which stands; nothing was written.
    Older(StatusSeen),
}

impl Store {
    /// Remembers a status; an issuer's older word never replaces a newer one.
    pub fn remember_status(
        &self,
        participant: &Participant,
        status: StatusSeen,
        together: Together,
    ) -> Result<Remembered, StoreError> {
        column::name("source", &status.source)?;
        column::body(&status.body)?;
        let participant = participant.clone();
        self.write(move |c| {
            let sql = "INSERT INTO status (participant, source, issued_at, seen_at, body)
                       VALUES (?1, ?2, ?3, ?4, ?5)
                       ON CONFLICT (participant, source) DO UPDATE
                       SET issued_at = ?3, seen_at = ?4, body = ?5
                       WHERE status.issued_at < ?3 OR (status.issued_at = ?3 AND status.seen_at <= ?4)";
            let (issued, seen) = (status.issued_at.0, status.seen_at.0);
            let row = params![participant.as_str(), status.source, issued, seen, status.body];
            if c.prepare_cached(sql)?.execute(row)? == 1 {
                return Ok(Remembered::Newest(together.commit(c, &participant)?));
            }
            let stands = seen_last(c, &participant, &status.source)?;
            stands.map(Remembered::Older).ok_or(StoreError::Stale { what: "status" })
        })
    }

    /// Returns the status that was seen last from a source.
    pub fn status(&self, participant: &Participant, source: &str) -> Result<Option<StatusSeen>, StoreError> {
        self.read(|c| seen_last(c, participant, source))
    }
}

fn seen_last(
    c: &rusqlite::Connection,
    participant: &Participant,
    source: &str,
) -> Result<Option<StatusSeen>, StoreError> {
    let sql = "SELECT issued_at, seen_at, body FROM status WHERE participant = ?1 AND source = ?2";
    let mut statement = c.prepare_cached(sql)?;
    let row = statement.query_row(params![participant.as_str(), source], |row| {
        Ok(StatusSeen {
            source: source.to_owned(),
            issued_at: column::instant(row, 0)?,
            seen_at: column::instant(row, 1)?,
            body: row.get(2)?,
        })
    });
    Ok(row.optional()?)
}
