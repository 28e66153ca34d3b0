//! Tokens of principals: only their hashes are on the disk.

use crate::column::{self, limit, words};
use crate::error::StoreError;
use crate::participant::Participant;
use crate::store::Store;
use crate::together::Together;
use model::{Digest, Instant};
use rusqlite::{OptionalExtension, Row, params};
use std::ops::Range;

words! {
    /// What the holder of a token may do.
    Role {
        /// Runs the node: backup, clock of the demo, settings.
        Operator = "operator",
        /// Makes tokens and everything below.
        Admin = "admin",
        /// Decides, offers, moves, and everything below.
        Act = "act",
        /// Reads what the participant has.
        Read = "read",
        /// Reads evidence and the log.
        Auditor = "auditor",
        /// Reads what a regulator may see.
        Regulator = "regulator",
        /// A control plane or a data plane of others: signals data flows, under its token's id, and nothing else.
        Plane = "plane",
    }
}

/// A token to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Its id, by which it is listed and revoked.
    pub id: String,
    /// The secret that its holder shows; hashed here, never written.
    pub secret: String,
    /// What its holder may do.
    pub role: Role,
    /// Whom or what it was made for.
    pub label: String,
    /// When.
    pub made_at: Instant,
    /// From when on it is no longer taken.
    pub expires_at: Option<Instant>,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

/// A token as it is listed: without its secret, which nobody here has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// What its holder may do.
    pub role: Role,
    /// Whom or what it was made for.
    pub label: String,
    /// When it was made.
    pub made_at: Instant,
    /// From when on it is no longer taken.
    pub expires_at: Option<Instant>,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
}

/// LIMIT: bytes of the shortest secret; a token is random, so its hash needs no salt and no stretching.
const SECRET_BYTES_MIN: usize = 32;

const COLUMNS: &str = "id, role, label, made_at, expires_at, revoked_at";

impl Store {
    /// Makes a token; `Stale` when its id or its secret is taken.
    pub fn make_token(
        &self,
        participant: &Participant,
        token: NewToken,
        together: Together,
    ) -> Result<Range<u64>, StoreError> {
        if token.secret.len() < SECRET_BYTES_MIN {
            return Err(StoreError::Shape { field: "secret", rule: "has at least 32 bytes" });
        }
        column::name("id", &token.id)?;
        let participant = participant.clone();
        self.write(move |c| {
            let sql = "INSERT INTO token
                       (participant, id, hash, role, label, made_at, expires_at, revoked_at)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL) ON CONFLICT DO NOTHING";
            let changed = c.prepare_cached(sql)?.execute(params![
                participant.as_str(),
                token.id,
                hash(&token.secret).0,
                token.role.as_str(),
                token.label,
                token.made_at.0,
                token.expires_at.map(|t| t.0)
            ])?;
            match changed {
                0 => Err(StoreError::Stale { what: "token" }),
                _ => together.commit(c, &participant),
            }
        })
    }

    /// Returns the token that a secret belongs to, if it is good now.
    pub fn token(
        &self,
        participant: &Participant,
        secret: &str,
        now: Instant,
    ) -> Result<Option<Token>, StoreError> {
        self.read(|c| {
            let sql = format!(
                "SELECT {COLUMNS} FROM token WHERE participant = ?1 AND hash = ?2
                 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?3)"
            );
            let mut statement = c.prepare_cached(&sql)?;
            Ok(statement
                .query_row(params![participant.as_str(), hash(secret).0, now.0], stored)
                .optional()?)
        })
    }

    /// Returns every token, ordered by id.
    pub fn tokens(&self, participant: &Participant) -> Result<Vec<Token>, StoreError> {
        self.read(|c| {
            let sql = format!("SELECT {COLUMNS} FROM token WHERE participant = ?1 ORDER BY id LIMIT ?2");
            let mut statement = c.prepare_cached(&sql)?;
            let rows = statement.query_map(params![participant.as_str(), limit(usize::MAX)], stored)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Revokes a token; one that is revoked already stays so.
    pub fn revoke_token(
        &self,
        participant: &Participant,
        id: &str,
        at: Instant,
        together: Together,
    ) -> Result<Range<u64>, StoreError> {
        let (participant, id) = (participant.clone(), id.to_owned());
        self.write(move |c| {
            let sql =
                "UPDATE token SET revoked_at = coalesce(revoked_at, ?3) WHERE participant = ?1 AND id = ?2";
            match c.prepare_cached(sql)?.execute(params![participant.as_str(), id, at.0])? {
                0 => Err(StoreError::NotFound { what: "token" }),
                _ => together.commit(c, &participant),
            }
        })
    }
}

fn hash(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Token> {
    Ok(Token {
        id: row.get(0)?,
        role: column::word(row, 1, Role::parse)?,
        label: row.get(2)?,
        made_at: column::instant(row, 3)?,
        expires_at: column::instant_if(row, 4)?,
        revoked_at: column::instant_if(row, 5)?,
    })
}
