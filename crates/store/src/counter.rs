//! Counters that law sets thresholds on: how many, within a window of days. They count and judge nothing.

use crate::column::{self, int};
use crate::error::StoreError;
use crate::participant::Participant;
use crate::store::Store;
use crate::together::Together;
use model::CivilDate;
use rusqlite::{Connection, OptionalExtension, params};
use std::ops::Range;

/// A count to be added. The same id again replaces its count, so a repeat counts once and the true number can follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The counter.
    pub counter: String,
    /// What is counted: a transfer and the number of its manifest, say.
    pub id: String,
    /// The civil day that it falls on.
    pub on: CivilDate,
    /// How many.
    pub n: u64,
    /// The first day of the window that the cap looks at; it ends with `on`.
    pub window_from: CivilDate,
    /// The sum within the window, this one included, that is refused when exceeded.
    pub cap: Option<u64>,
}

impl Store {
    /// Adds to a counter; returns the sum within the window, this one included, or `Exceeded`.
    pub fn reserve(
        &self,
        participant: &Participant,
        reservation: Reservation,
        together: Together,
    ) -> Result<(u64, Range<u64>), StoreError> {
        let participant = participant.clone();
        self.write(move |c| {
            let total = reserve(c, &participant, &reservation)?;
            Ok((total, together.commit(c, &participant)?))
        })
    }

    /// Returns the sum of a counter from one day to another, both included.
    pub fn counted(
        &self,
        participant: &Participant,
        counter: &str,
        from: CivilDate,
        to: CivilDate,
    ) -> Result<u64, StoreError> {
        self.read(|c| sum(c, participant, counter, from, to))
    }

    /// Returns what stands under an id: on which day, and how many.
    pub fn reserved(&self, participant: &Participant, counter: &str, id: &str) -> Result<Option<(CivilDate, u64)>, StoreError> {
        self.read(|c| {
            let sql = "SELECT day, n FROM counted WHERE participant = ?1 AND counter = ?2 AND id = ?3";
            let found = c
                .prepare_cached(sql)?
                .query_row(params![participant.as_str(), counter, id], |row| Ok((row.get::<_, i32>(0)?, column::count(row, 1)?)))
                .optional()?;
            Ok(found.map(|(day, n)| (CivilDate::from_days(day), n)))
        })
    }

    /// Takes a count back, because nothing moved.
    pub fn release(
        &self,
        participant: &Participant,
        counter: &str,
        id: &str,
        together: Together,
    ) -> Result<Range<u64>, StoreError> {
        let (participant, counter, id) = (participant.clone(), counter.to_owned(), id.to_owned());
        self.write(move |c| {
            let sql = "DELETE FROM counted WHERE participant = ?1 AND counter = ?2 AND id = ?3";
            match c.prepare_cached(sql)?.execute(params![participant.as_str(), counter, id])? {
                0 => Err(StoreError::NotFound { what: "reservation" }),
                _ => together.commit(c, &participant),
            }
        })
    }
}

/// Adds to a counter inside a transaction.
pub(crate) fn reserve(c: &Connection, participant: &Participant, r: &Reservation) -> Result<u64, StoreError> {
    column::name("counter", &r.counter)?;
    column::name("id", &r.id)?;
    let sql = "INSERT INTO counted (participant, counter, id, day, n) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (participant, counter, id) DO UPDATE SET day = ?4, n = ?5";
    let day = r.on.days_since_epoch();
    c.prepare_cached(sql)?.execute(params![participant.as_str(), r.counter, r.id, day, int(r.n)?])?;
    let total = sum(c, participant, &r.counter, r.window_from, r.on)?;
    match r.cap {
        Some(cap) if total > cap => Err(StoreError::Exceeded { counter: r.counter.clone(), total, cap }),
        _ => Ok(total),
    }
}

fn sum(
    c: &Connection,
    participant: &Participant,
    counter: &str,
    from: CivilDate,
    to: CivilDate,
) -> Result<u64, StoreError> {
    let sql = "SELECT sum(n) FROM counted
               WHERE participant = ?1 AND counter = ?2 AND day >= ?3 AND day <= ?4";
    let key = params![participant.as_str(), counter, from.days_since_epoch(), to.days_since_epoch()];
    let total = c.prepare_cached(sql)?.query_row(key, |row| row.get::<_, Option<i64>>(0)).optional()?;
    Ok(total.flatten().map_or(0, |n| u64::try_from(n).unwrap_or_default()))
}
