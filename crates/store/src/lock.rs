//! One process per directory: a lock file that says who holds it.

use crate::error::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// A directory held by this process until dropped; the operating system lets go when the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the directory, or says which process holds it.
    pub(crate) fn take(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join("lock");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => {
                // The text is for people; the lock is the operating system's.
                file.set_len(0)?;
                file.rewind()?;
                write!(file, "process {}", std::process::id())?;
                file.flush()?;
                Ok(Self { file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut by = String::new();
                // LIMIT: what a foreign file says about its holder is cut at 80 bytes.
                let read = Read::by_ref(&mut file).take(80).read_to_string(&mut by);
                let by =
                    if read.is_ok() && by.starts_with("process ") { by } else { "another process".into() };
                Err(StoreError::Held { directory: directory.display().to_string(), by })
            }
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would not do: a child that is just being started shares the open file until it runs its own program.
        let _ = self.file.unlock();
    }
}
