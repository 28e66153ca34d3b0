//! A copy of the store while it runs, and a store from such a copy.

use crate::crash::crash_point;
use crate::error::StoreError;
use crate::lock::Lock;
use crate::store::{self, FILE_NAME, Store};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// LIMIT: how often a copy that found the store locked is tried again, and how long it waits between.
const TRIES_MAX: u32 = 50;
const TRY_AGAIN: Duration = Duration::from_millis(20);

impl Store {
    /// Copies everything that is committed now to a new file, while verbs go on; all or nothing under that name.
    ///
    /// A copy is as secret as the store. A store restored from it knows nothing of what came later: it must ask its
    /// witnesses before it signs.
    pub fn backup(&self, target: &Path) -> Result<(), StoreError> {
        if target.exists() {
            return Err(StoreError::Occupied { directory: target.display().to_string() });
        }
        Self::backup_of(self.directory(), target)
    }

    /// Copies the store of a directory, also while another process runs on it.
    pub fn backup_of(directory: &Path, target: &Path) -> Result<(), StoreError> {
        if target.exists() {
            return Err(StoreError::Occupied { directory: target.display().to_string() });
        }
        let from = store::reader(&directory.join(FILE_NAME))?;
        let whole = beside(target);
        copy(&from, &whole).and_then(|()| {
            crash_point("store.backup.copied");
            publish(&whole, target, "store.backup")
        })
    }

    /// Makes the store of an empty directory from a copy, after checking it.
    pub fn restore(copy_of: &Path, directory: &Path) -> Result<(), StoreError> {
        std::fs::create_dir_all(directory)?;
        let _lock = Lock::take(directory)?;
        let target = directory.join(FILE_NAME);
        if target.exists() {
            return Err(StoreError::Occupied { directory: directory.display().to_string() });
        }
        let from = store::reader(copy_of)?;
        verify(&from, copy_of)?;
        let whole = beside(&target);
        copy(&from, &whole)?;
        crash_point("store.restore.copied");
        publish(&whole, &target, "store.restore")
    }
}

/// The name under which a copy is written until it is whole.
fn beside(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Copies in one step, so that the copy is one committed state whatever is written meanwhile.
fn copy(from: &Connection, whole: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(whole) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let result = copy_to(from, whole);
    if result.is_err() {
        // Half a copy is of no use to anybody.
        let _ = std::fs::remove_file(whole);
    }
    result
}

fn copy_to(from: &Connection, whole: &Path) -> Result<(), StoreError> {
    let mut to = Connection::open(whole)?;
    let backup = Backup::new(from, &mut to)?;
    for _ in 0..TRIES_MAX {
        match backup.step(-1)? {
            StepResult::Done => {
                drop(backup);
                // The copy is one file: its own log is folded in.
                to.execute_batch("PRAGMA journal_mode = DELETE")?;
                return verify(&to, whole);
            }
            _ => std::thread::sleep(TRY_AGAIN),
        }
    }
    Err(StoreError::Disk { detail: "the store stayed locked".into() })
}

/// Refuses a file that is not a whole store of ours.
fn verify(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    if store::check(connection, file)? {
        return Err(StoreError::NotAStore { path: file.display().to_string() });
    }
    let word: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    match word.as_str() {
        "ok" => Ok(()),
        _ => Err(StoreError::Damaged { detail: word }),
    }
}

/// Gives a whole file its name: sync, rename, sync the directory.
fn publish(whole: &Path, target: &Path, act: &str) -> Result<(), StoreError> {
    File::open(whole)?.sync_all()?;
    crash_point(&format!("{act}.synced"));
    std::fs::rename(whole, target)?;
    crash_point(&format!("{act}.renamed"));
    let parent = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()?;
    Ok(())
}
