//! Documents that a node keeps by id: datasets, offers, agreements, decisions, registers. Their bytes are not opened here.

use crate::column::{self, int, limit, words};
use crate::error::StoreError;
use crate::participant::Participant;
use crate::recent;
use crate::store::Store;
use crate::together::Together;
use model::Instant;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::ops::Range;

words! {
    /// What a document is.
    DocumentKind {
        /// A dataset that is or may be offered.
        Dataset = "dataset",
        /// An offer.
        Offer = "offer",
        /// An agreement; about: its negotiation.
        Agreement = "agreement",
        /// A decision; about: the transfer it judged.
        Decision = "decision",
        /// The legal act as it was judged.
        Transfer = "transfer",
        /// A flow's plan: what, whence, where to.
        Flow = "flow",
        /// A judgement that somebody who may make it has made.
        Determination = "determination",
        /// A certification of a party.
        Certification = "certification",
        /// A register of transfers that is watched.
        Register = "register",
        /// A row of a register; about: its register.
        Entry = "entry",
        /// A report of de-identification.
        Report = "report",
        /// A counter-party.
        Peer = "peer",
        /// A tile of the log, derived.
        Tile = "tile",
        /// A credential that we hold.
        Credential = "credential",
        /// A credential that somebody offers us.
        CredentialOffer = "credential-offer",
        /// What we asked an issuer for.
        CredentialRequest = "credential-request",
        /// What we issue: a definition.
        Issuable = "issuable",
        /// A request to us as an issuer; about: its holder.
        Issuance = "issuance",
        /// A credential that we issued; about: its holder.
        Issued = "issued",
        /// A control plane or a data plane of others that is registered here.
        Plane = "plane",
        /// A data flow that we carry for a control plane of others; about: that plane and its process.
        Dataflow = "dataflow",
        /// What a contract leaves to be done after a delivery; about: whether something is still to come of it.
        Duty = "duty",
        /// What a policy engine of others asked, counted; about: the day.
        Observation = "observation",
        /// A setting that outlives the process, such as the legal clock of the demo.
        Setting = "setting",
    }
}

/// What must stand before a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Expect {
    /// Anything.
    #[default]
    Any,
    /// Nothing yet.
    New,
    /// This version.
    Version(u64),
    /// Anything; but if it is new, no more than so many of its kind may then be there.
    Within(u64),
}

/// A document to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// What it is.
    pub kind: DocumentKind,
    /// Its id.
    pub id: String,
    /// What it belongs to; documents are found by it.
    pub about: Option<String>,
    /// When.
    pub at: Instant,
    /// Its bytes.
    pub body: Vec<u8>,
    /// What must stand before.
    pub expect: Expect,
}

/// A document as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it is.
    pub kind: DocumentKind,
    /// Its id.
    pub id: String,
    /// Grows by one with each write, from 1.
    pub version: u64,
    /// What it belongs to.
    pub about: Option<String>,
    /// When it was written last.
    pub at: Instant,
    /// Its bytes.
    pub body: Vec<u8>,
}

const COLUMNS: &str = "kind, id, version, about, at, body";

/// Found by the index in a question of its own, for the same reason as processes of a peer.
pub(crate) fn about_it() -> String {
    format!(
        "SELECT {COLUMNS} FROM kept WHERE participant = ?1 AND kind = ?2 AND id IN
         (SELECT id FROM kept WHERE participant = ?1 AND kind = ?2 AND about = ?3 AND id > ?4 ORDER BY id LIMIT ?5)
         ORDER BY id"
    )
}

impl Store {
    /// Keeps a document; returns the numbers of the leaves. `Stale` when something else stands than was expected.
    pub fn keep(
        &self,
        participant: &Participant,
        document: Keep,
        together: Together,
    ) -> Result<Range<u64>, StoreError> {
        let participant = participant.clone();
        self.write(move |c| {
            keep(c, &participant, &document)?;
            together.commit(c, &participant)
        })
    }

    /// Returns a document.
    pub fn kept(
        &self,
        participant: &Participant,
        kind: DocumentKind,
        id: &str,
    ) -> Result<Option<Kept>, StoreError> {
        let read = || {
            self.read(|c| {
                let sql =
                    format!("SELECT {COLUMNS} FROM kept WHERE participant = ?1 AND kind = ?2 AND id = ?3");
                let mut statement = c.prepare_cached(&sql)?;
                let key = params![participant.as_str(), kind.as_str(), id];
                Ok(statement.query_row(key, stored).optional()?)
            })
        };
        self.recent.document(participant.as_str(), kind, id, read)
    }

    /// Returns at most `n` documents of a kind, ordered by id, after one id (none: from the first).
    pub fn kept_all(
        &self,
        participant: &Participant,
        kind: DocumentKind,
        after: Option<&str>,
        n: usize,
    ) -> Result<Vec<Kept>, StoreError> {
        self.read(|c| {
            let sql = format!(
                "SELECT {COLUMNS} FROM kept WHERE participant = ?1 AND kind = ?2 AND id > ?3
                 ORDER BY id LIMIT ?4"
            );
            let mut statement = c.prepare_cached(&sql)?;
            let key = params![participant.as_str(), kind.as_str(), after.unwrap_or(""), limit(n)];
            Ok(statement.query_map(key, stored)?.collect::<Result<_, _>>()?)
        })
    }

    /// Returns at most `n` documents of a kind that belong to something, ordered by id, after one id.
    pub fn kept_about(
        &self,
        participant: &Participant,
        kind: DocumentKind,
        about: &str,
        after: Option<&str>,
        n: usize,
    ) -> Result<Vec<Kept>, StoreError> {
        self.read(|c| {
            let mut statement = c.prepare_cached(&about_it())?;
            let key = params![participant.as_str(), kind.as_str(), about, after.unwrap_or(""), limit(n)];
            Ok(statement.query_map(key, stored)?.collect::<Result<_, _>>()?)
        })
    }

    /// Forgets a document.
    pub fn forget(
        &self,
        participant: &Participant,
        kind: DocumentKind,
        id: &str,
        together: Together,
    ) -> Result<Range<u64>, StoreError> {
        let (participant, id) = (participant.clone(), id.to_owned());
        self.write(move |c| {
            recent::wrote_document(participant.as_str(), kind, &id);
            let sql = "DELETE FROM kept WHERE participant = ?1 AND kind = ?2 AND id = ?3";
            match c.prepare_cached(sql)?.execute(params![participant.as_str(), kind.as_str(), id])? {
                0 => Err(StoreError::NotFound { what: "document" }),
                _ => together.commit(c, &participant),
            }
        })
    }
}

/// Keeps a document inside a transaction.
pub(crate) fn keep(c: &Connection, participant: &Participant, document: &Keep) -> Result<(), StoreError> {
    column::name("id", &document.id)?;
    column::body(&document.body)?;
    recent::wrote_document(participant.as_str(), document.kind, &document.id);
    const INSERT: &str = "INSERT INTO kept (participant, kind, id, version, about, at, body)
                          VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6) ON CONFLICT";
    const REPLACE: &str = "SET version = kept.version + 1, about = ?4, at = ?5, body = ?6";
    let row = params![
        participant.as_str(),
        document.kind.as_str(),
        document.id,
        document.about,
        document.at.0,
        document.body
    ];
    let changed = match document.expect {
        Expect::Any => {
            let sql = format!("{INSERT} (participant, kind, id) DO UPDATE {REPLACE}");
            c.prepare_cached(&sql)?.execute(row)?
        }
        Expect::New => c.prepare_cached(&format!("{INSERT} DO NOTHING"))?.execute(row)?,
        Expect::Within(most) => {
            let known = "SELECT 1 FROM kept WHERE participant = ?1 AND kind = ?2 AND id = ?3";
            let kind = document.kind.as_str();
            let known = c.prepare_cached(known)?.exists(params![participant.as_str(), kind, document.id])?;
            if !known {
                let all = "SELECT count(*) FROM kept WHERE participant = ?1 AND kind = ?2";
                let total = c.prepare_cached(all)?.query_row(params![participant.as_str(), kind], |row| column::count(row, 0))? + 1;
                if total > most {
                    return Err(StoreError::Exceeded { counter: kind.into(), total, cap: most });
                }
            }
            c.prepare_cached(&format!("{INSERT} (participant, kind, id) DO UPDATE {REPLACE}"))?.execute(row)?
        }
        Expect::Version(version) => {
            let version = int(version)?;
            let sql = format!(
                "UPDATE kept {REPLACE} WHERE participant = ?1 AND kind = ?2 AND id = ?3
                 AND version = {version}"
            );
            c.prepare(&sql)?.execute(row)?
        }
    };
    match changed {
        0 => Err(StoreError::Stale { what: "document" }),
        _ => Ok(()),
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        kind: column::word(row, 0, DocumentKind::parse)?,
        id: row.get(1)?,
        version: column::count(row, 2)?,
        about: row.get(3)?,
        at: column::instant(row, 4)?,
        body: row.get(5)?,
    })
}
