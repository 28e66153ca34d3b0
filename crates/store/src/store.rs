//! The store of one directory: opening it, and how verbs reach the writer and the readers.

use crate::error::StoreError;
use crate::lock::Lock;
use crate::recent::Recent;
use crate::writer::{self, Queue};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The name of the file in a store's directory; the write-ahead log and its index lie beside it.
pub const FILE_NAME: &str = "tegata.sqlite";

/// The newest schema that this program knows.
pub const SCHEMA_VERSION: i64 = 1;

/// Marks the file as ours: the bytes `TGTA`.
const APPLICATION_ID: i64 = 0x5447_5441;

/// LIMIT: connections kept open for readers; more are opened and closed when needed.
const READERS_MAX: usize = 40;

/// LIMIT: how long a connection waits for a lock that another one of this process has.
const BUSY_MAX: Duration = Duration::from_millis(500);

/// What one node remembers, for any number of participants, in one directory that one process holds.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    queue: Option<Queue>,
    writer: Option<std::thread::JoinHandle<()>>,
    readers: Mutex<Vec<Connection>>,
    n_commits: Arc<AtomicU64>,
    pub(crate) recent: Arc<Recent>,
    _lock: Lock,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

impl Store {
    /// Opens the store of a directory and makes both when they are not there yet.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(directory)?;
        let lock = Lock::take(directory)?;
        let file = directory.join(FILE_NAME);
        let connection = Connection::open(&file)?;
        prepare(&connection, &file)?;
        std::fs::File::open(directory)?.sync_all()?;
        let n_commits = Arc::new(AtomicU64::new(0));
        let recent = Arc::new(Recent::default());
        let wal = directory.join(format!("{FILE_NAME}-wal"));
        let (queue, thread) = writer::start(connection, wal, Arc::clone(&n_commits), Arc::clone(&recent))?;
        Ok(Self {
            directory: directory.to_owned(),
            queue: Some(queue),
            writer: Some(thread),
            readers: Mutex::new(Vec::new()),
            n_commits,
            recent,
            _lock: lock,
        })
    }

    /// Returns the directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns how many commits were made since opening; verbs that arrive together share one.
    #[must_use]
    pub fn n_commits(&self) -> u64 {
        self.n_commits.load(Ordering::Relaxed)
    }

    /// Runs a verb in a savepoint of the next commit; `Ok` means that it is on the disk.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.queue {
            Some(queue) => queue.submit(verb),
            None => Err(StoreError::Stopped { why: "the store was closed".into() }),
        }
    }

    /// Reads what is committed.
    pub(crate) fn read<T>(
        &self,
        verb: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => reader(&self.directory.join(FILE_NAME))?,
        };
        let result = verb(&connection);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_MAX {
            readers.push(connection);
        }
        result
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // The writer's connection closes last, so that it folds the log into the file; it commits what waits and ends when
        // the last way to it is gone. Only then the lock is let go.
        self.readers.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        self.queue = None;
        if let Some(thread) = self.writer.take() {
            let _ = thread.join();
        }
    }
}

/// Opens a connection that cannot write.
pub(crate) fn reader(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_MAX)?;
    connection.set_prepared_statement_cache_capacity(128);
    // LIMIT: what a reader holds of the file; there may be many of them.
    connection.pragma_update(None, "cache_size", -512)?;
    Ok(connection)
}

/// Makes the schema, or checks that it is one that we know; sets how durable a commit is.
fn prepare(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_MAX)?;
    connection.set_prepared_statement_cache_capacity(128);
    let fresh = check(connection, file)?;
    // INVARIANT: a commit is on the disk when it returns: the log is synced with each, fully where the system tells the
    // two kinds of sync apart.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;",
    )?;
    if fresh {
        let schema = include_str!("sqlite.sql");
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {schema}
             PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        ))?;
    }
    // A table that came later is made where it lacks: stores of before are opened as they are.
    connection.execute_batch(include_str!("later.sql"))?;
    Ok(())
}

/// Refuses what is not ours, damaged at first sight, or newer than we know; tells whether it is still empty.
pub(crate) fn check(connection: &Connection, file: &Path) -> Result<bool, StoreError> {
    let not_ours = || StoreError::NotAStore { path: file.display().to_string() };
    let pragma = |name: &str| {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).map_err(|e| {
            match e.sqlite_error_code() {
                Some(rusqlite::ErrorCode::NotADatabase) => not_ours(),
                _ => e.into(),
            }
        })
    };
    let (id, version) = (pragma("application_id")?, pragma("user_version")?);
    let n_tables =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0))?;
    match (id, version) {
        (0, 0) if n_tables == 0 => Ok(true),
        (APPLICATION_ID, SCHEMA_VERSION) => Ok(false),
        (APPLICATION_ID, found) if found > SCHEMA_VERSION => {
            Err(StoreError::Newer { found, known: SCHEMA_VERSION })
        }
        _ => Err(not_ours()),
    }
}

#[cfg(test)]
mod tests;
