//! The store of one directory: opening it, and how verbs reach the writer and the readers.

use crate::error::StoreError;
use crate::lock::Lock;
use crate::recent::Recent;
use crate::writer::{self, Queue};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
    /// None while the store rests.
    writer: Mutex<Option<Writing>>,
    readers: Mutex<Vec<Connection>>,
    n_commits: Arc<AtomicU64>,
    pub(crate) recent: Arc<Recent>,
    /// Whether a commit failed, so that nothing is written until a new process looks at the disk.
    stopped: Arc<AtomicBool>,
    opened: Instant,
    /// Milliseconds from the opening to the last verb.
    used_ms: AtomicU64,
    _lock: Lock,
}

/// The way to the writer, and its thread.
#[derive(Debug)]
struct Writing {
    queue: Queue,
    thread: std::thread::JoinHandle<()>,
}

impl Writing {
    /// The writer's connection closes with its thread, which commits what waits and ends when the last way to it is gone.
    fn end(self) {
        drop(self.queue);
        let _ = self.thread.join();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        let held = Lock::take(directory)?;
        let store = Self {
            directory: directory.to_owned(),
            writer: Mutex::default(),
            readers: Mutex::default(),
            n_commits: Arc::default(),
            recent: Arc::default(),
            stopped: Arc::default(),
            opened: Instant::now(),
            used_ms: AtomicU64::new(0),
            _lock: held,
        };
        store.queue()?;
        std::fs::File::open(directory)?.sync_all()?;
        Ok(store)
    }

    /// The way to the writer; a store that rests wakes.
    fn queue(&self) -> Result<Queue, StoreError> {
        let mut writer = lock(&self.writer);
        self.used_ms.store(self.elapsed_ms(), Ordering::Relaxed);
        if let Some(writing) = &*writer {
            return Ok(writing.queue.clone());
        }
        let file = self.directory.join(FILE_NAME);
        let connection = Connection::open(&file)?;
        prepare(&connection, &file)?;
        let wal = self.directory.join(format!("{FILE_NAME}-wal"));
        let tells = writer::Tells {
            n_commits: Arc::clone(&self.n_commits),
            recent: Arc::clone(&self.recent),
            stopped: Arc::clone(&self.stopped),
        };
        let (queue, thread) = writer::start(connection, wal, tells)?;
        *writer = Some(Writing { queue: queue.clone(), thread });
        Ok(queue)
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Lets go of files, threads and memory if nothing was written or read for so long; the next verb takes them again. The
    /// directory stays held.
    pub fn rest(&self, after: Duration) {
        let unused_ms = self.elapsed_ms().saturating_sub(self.used_ms.load(Ordering::Relaxed));
        if u128::from(unused_ms) < after.as_millis() || self.stopped.load(Ordering::Relaxed) {
            return;
        }
        let mut writer = lock(&self.writer);
        lock(&self.readers).clear();
        if let Some(writing) = writer.take() {
            // Whoever comes now waits until the files are closed.
            writing.end();
            self.recent.forget();
        }
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
        self.queue()?.submit(verb)
    }

    /// Reads what is committed.
    pub(crate) fn read<T>(
        &self,
        verb: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.used_ms.store(self.elapsed_ms(), Ordering::Relaxed);
        let kept = lock(&self.readers).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => {
                // The files of a store that rests are made ready by who may write.
                self.queue()?;
                reader(&self.directory.join(FILE_NAME))?
            }
        };
        let result = verb(&connection);
        let mut readers = lock(&self.readers);
        if readers.len() < READERS_MAX {
            readers.push(connection);
        }
        result
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // The writer's connection closes last, so that it folds the log into the file. Only then the lock is let go.
        lock(&self.readers).clear();
        if let Some(writing) = lock(&self.writer).take() {
            writing.end();
        }
    }
}

/// Opens a connection that cannot write.
pub(crate) fn reader(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    settle(&connection)?;
    // LIMIT: what a reader holds of the file; there may be many of them.
    connection.pragma_update(None, "cache_size", -512)?;
    Ok(connection)
}

/// What every connection does alike.
fn settle(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_MAX)?;
    connection.set_prepared_statement_cache_capacity(128);
    // A statement is planned once, whatever is bound to it; else each limit that is bound has it read and planned anew.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Makes the schema, or checks that it is one that we know; sets how durable a commit is.
fn prepare(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    settle(connection)?;
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
