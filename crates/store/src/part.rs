//! Parts of evidence: the seal, stamp, receipt and cosignatures that gather around a manifest or a checkpoint.

use crate::column::{self, limit, words};
use crate::error::StoreError;
use crate::participant::Participant;
use crate::store::Store;
use crate::together::Together;
use model::Instant;
use rusqlite::{Connection, OptionalExtension, params};
use std::ops::Range;

words! {
    /// What a part of evidence belongs to.
    SubjectKind {
        /// A manifest, by its digest.
        Manifest = "manifest",
        /// A checkpoint of the log, by its size.
        Checkpoint = "checkpoint",
        /// An agreement, by its id.
        Agreement = "agreement",
        /// A report of de-identification, by its digest.
        Report = "report",
    }
}

/// What parts gather around.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// What it is.
    pub kind: SubjectKind,
    /// Its id.
    pub id: String,
}

impl Subject {
    /// Names a subject.
    pub fn new(kind: SubjectKind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }
}

/// A part of evidence; once kept it never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it belongs to.
    pub subject: Subject,
    /// Its name: `seal`, `stamp`, `receipt`, `cosignature:NAME` …
    pub name: String,
    /// When it was kept.
    pub at: Instant,
    /// Its bytes.
    pub body: Vec<u8>,
}

impl Store {
    /// Keeps a part; returns the leaves. The same bytes again change nothing but write what comes together;
    /// `Stale` when other bytes have that name.
    pub fn keep_part(
        &self,
        participant: &Participant,
        part: Part,
        together: Together,
    ) -> Result<Range<u64>, StoreError> {
        let participant = participant.clone();
        self.write(move |c| {
            keep(c, &participant, &part)?;
            together.commit(c, &participant)
        })
    }

    /// Returns the parts of a subject, ordered by name.
    pub fn parts(&self, participant: &Participant, subject: &Subject) -> Result<Vec<Part>, StoreError> {
        self.read(|c| {
            let sql = "SELECT name, at, body FROM part
                       WHERE participant = ?1 AND kind = ?2 AND id = ?3 ORDER BY name LIMIT ?4";
            let mut statement = c.prepare_cached(sql)?;
            let key = params![participant.as_str(), subject.kind.as_str(), subject.id, limit(usize::MAX)];
            let rows = statement.query_map(key, |row| {
                Ok(Part {
                    subject: subject.clone(),
                    name: row.get(0)?,
                    at: column::instant(row, 1)?,
                    body: row.get(2)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Returns at most `n` subjects, oldest first, that have one part and lack another, so that it can be made up for.
    pub fn lacking(
        &self,
        participant: &Participant,
        kind: SubjectKind,
        has: &str,
        lacks: &str,
        n: usize,
    ) -> Result<Vec<Subject>, StoreError> {
        self.read(|c| {
            let sql = "SELECT id FROM part AS had
                       WHERE participant = ?1 AND kind = ?2 AND name = ?3 AND NOT EXISTS (
                         SELECT 1 FROM part AS other WHERE other.participant = ?1 AND other.kind = ?2
                         AND other.id = had.id AND other.name = ?4)
                       ORDER BY at, id LIMIT ?5";
            let mut statement = c.prepare_cached(sql)?;
            let key = params![participant.as_str(), kind.as_str(), has, lacks, limit(n)];
            let rows = statement.query_map(key, |row| Ok(Subject { kind, id: row.get(0)? }))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Keeps a part inside a transaction.
pub(crate) fn keep(c: &Connection, participant: &Participant, part: &Part) -> Result<(), StoreError> {
    column::name("id", &part.subject.id)?;
    column::name("name", &part.name)?;
    column::body(&part.body)?;
    let kind = part.subject.kind.as_str();
    let sql = "INSERT INTO part (participant, kind, id, name, at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT DO NOTHING";
    let row = params![participant.as_str(), kind, part.subject.id, part.name, part.at.0, part.body];
    if c.prepare_cached(sql)?.execute(row)? == 1 {
        return Ok(());
    }
    let sql = "SELECT body FROM part WHERE participant = ?1 AND kind = ?2 AND id = ?3 AND name = ?4";
    let key = params![participant.as_str(), kind, part.subject.id, part.name];
    let stands: Option<Vec<u8>> = c.prepare_cached(sql)?.query_row(key, |row| row.get(0)).optional()?;
    match stands.as_deref() == Some(&*part.body) {
        true => Ok(()),
        false => Err(StoreError::Stale { what: "part" }),
    }
}
