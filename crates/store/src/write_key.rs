//! Idempotency keys of writes on `/v1`: a repeat gets the first answer, another request under the same key is refused.

use crate::column::{self, limit};
use crate::error::StoreError;
use crate::participant::Participant;
use crate::store::Store;
use model::{Digest, Instant};
use rusqlite::{Connection, params};

/// What a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is new and now ours: do the write and finish it.
    Ours,
    /// The same request is under way since then, or was lost then with its process.
    Begun(Instant),
    /// The same request was answered so.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// Another request came under this key.
    Another,
}

/// The answer under a key; commits with the write itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The key.
    pub key: String,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Store {
    /// Claims a key for a request, known by the digest of its body.
    pub fn claim_key(
        &self,
        participant: &Participant,
        key: &str,
        request: &Digest,
        at: Instant,
    ) -> Result<Claim, StoreError> {
        column::name("key", key)?;
        let (participant, key, request) = (participant.clone(), key.to_owned(), *request);
        self.write(move |c| {
            let sql = "INSERT INTO write_key (participant, name, digest, at, status, body)
                       VALUES (?1, ?2, ?3, ?4, NULL, NULL) ON CONFLICT DO NOTHING";
            if c.prepare_cached(sql)?.execute(params![participant.as_str(), key, request.0, at.0])? == 1 {
                return Ok(Claim::Ours);
            }
            let sql = "SELECT digest, at, status, body FROM write_key WHERE participant = ?1 AND name = ?2";
            let mut statement = c.prepare_cached(sql)?;
            Ok(statement.query_row(params![participant.as_str(), key], |row| {
                let answer = row.get::<_, Option<u16>>(2)?.zip(row.get::<_, Option<Vec<u8>>>(3)?);
                Ok(match answer {
                    _ if column::digest(row, 0)? != request => Claim::Another,
                    Some((status, body)) => Claim::Answered { status, body },
                    None => Claim::Begun(column::instant(row, 1)?),
                })
            })?)
        })
    }

    /// Finishes a key whose write changed nothing, such as a refused one.
    pub fn finish_key(&self, participant: &Participant, finished: Finished) -> Result<(), StoreError> {
        let participant = participant.clone();
        self.write(move |c| finish(c, &participant, &finished))
    }

    /// Gives a claimed key up, so that the request may be tried again.
    pub fn release_key(&self, participant: &Participant, key: &str) -> Result<(), StoreError> {
        let (participant, key) = (participant.clone(), key.to_owned());
        self.write(move |c| {
            let sql = "DELETE FROM write_key WHERE participant = ?1 AND name = ?2 AND status IS NULL";
            match c.prepare_cached(sql)?.execute(params![participant.as_str(), key])? {
                0 => Err(StoreError::NotFound { what: "key" }),
                _ => Ok(()),
            }
        })
    }

    /// Forgets at most `n` keys and stored answers of before a moment; returns how many.
    ///
    /// After that a repeat of such an old message is judged as a new one.
    pub fn forget_answers(
        &self,
        participant: &Participant,
        before: Instant,
        n: usize,
    ) -> Result<u64, StoreError> {
        let participant = participant.clone();
        self.write(move |c| {
            let keys = "DELETE FROM write_key WHERE participant = ?1 AND name IN
                        (SELECT name FROM write_key WHERE participant = ?1 AND at < ?2 LIMIT ?3)";
            let answers = "DELETE FROM answer WHERE participant = ?1 AND (peer, process, digest) IN
                           (SELECT peer, process, digest FROM answer
                            WHERE participant = ?1 AND at < ?2 LIMIT ?3)";
            let mut forgotten = 0;
            for sql in [keys, answers] {
                let key = params![participant.as_str(), before.0, limit(n)];
                forgotten += c.prepare_cached(sql)?.execute(key)? as u64;
            }
            Ok(forgotten)
        })
    }
}

/// Finishes a claimed key inside a transaction.
pub(crate) fn finish(c: &Connection, participant: &Participant, done: &Finished) -> Result<(), StoreError> {
    column::body(&done.body)?;
    let sql = "UPDATE write_key SET status = ?3, body = ?4
               WHERE participant = ?1 AND name = ?2 AND status IS NULL";
    let row = params![participant.as_str(), done.key, done.status, done.body];
    match c.prepare_cached(sql)?.execute(row)? {
        0 => Err(StoreError::NotFound { what: "key" }),
        _ => Ok(()),
    }
}
