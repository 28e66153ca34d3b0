//! What counts once: names of tokens that were shown, remembered until they could not be shown again anyway.

use crate::column;
use crate::error::StoreError;
use crate::participant::Participant;
use crate::store::Store;
use model::Instant;
use rusqlite::{Connection, params};

// LIMIT: outlived names that one call forgets beside its own work, so that the table stays as large as what lives.
const FORGET_MAX: usize = 16;

impl Store {
    /// Notes that a name was used, until a moment; tells whether this is the first time.
    ///
    /// `by` is whose name it is: two parties may use the same one.
    pub fn first_use(
        &self,
        participant: &Participant,
        by: &str,
        name: &str,
        now: Instant,
        until: Instant,
    ) -> Result<bool, StoreError> {
        column::name("by", by)?;
        column::name("name", name)?;
        let (participant, by, name) = (participant.clone(), by.to_owned(), name.to_owned());
        self.write(move |c| {
            forget(c, &participant, now)?;
            let sql = "INSERT INTO once (participant, by, name, until) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT DO NOTHING";
            let row = params![participant.as_str(), by, name, until.0];
            Ok(c.prepare_cached(sql)?.execute(row)? == 1)
        })
    }
}

fn forget(c: &Connection, participant: &Participant, now: Instant) -> Result<(), StoreError> {
    let sql = "DELETE FROM once WHERE participant = ?1 AND (by, name) IN
               (SELECT by, name FROM once WHERE participant = ?1 AND until < ?2 LIMIT ?3)";
    c.prepare_cached(sql)?.execute(params![participant.as_str(), now.0, column::limit(FORGET_MAX)])?;
    Ok(())
}
