//! Why the store could not answer or did not commit.

use std::fmt;

/// Why a verb changed nothing; whichever it is, no part of the verb is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// Another process holds the directory.
    Held {
        /// The directory.
        directory: String,
        /// What the holder wrote about itself.
        by: String,
    },
    /// The store was written by a newer program.
    Newer {
        /// The version of its schema.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file is no store of ours.
    NotAStore {
        /// The file.
        path: String,
    },
    /// A restore would overwrite a store.
    Occupied {
        /// The directory.
        directory: String,
    },
    /// The disk is full.
    DiskFull,
    /// Somebody else moved first; read again and decide afresh.
    Stale {
        /// What moved.
        what: &'static str,
    },
    /// There is none for this participant.
    NotFound {
        /// What was asked for.
        what: &'static str,
    },
    /// A counter would pass its cap.
    Exceeded {
        /// The counter.
        counter: String,
        /// The sum that it would have reached.
        total: u64,
        /// The cap.
        cap: u64,
    },
    /// A value has a form that the store does not take.
    Shape {
        /// The field.
        field: &'static str,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// What was read back cannot be right.
    Damaged {
        /// What the engine or the check said.
        detail: String,
    },
    /// The disk or the engine failed.
    Disk {
        /// What the engine said.
        detail: String,
    },
    /// The writer ended, because the store is being closed or because an earlier commit failed.
    Stopped {
        /// Why.
        why: String,
    },
}

impl StoreError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Held { .. } => "store/held",
            Self::Newer { .. } => "store/newer",
            Self::NotAStore { .. } => "store/not-a-store",
            Self::Occupied { .. } => "store/occupied",
            Self::DiskFull => "store/disk-full",
            Self::Stale { .. } => "store/stale",
            Self::NotFound { .. } => "store/not-found",
            Self::Exceeded { .. } => "store/exceeded",
            Self::Shape { .. } => "store/shape",
            Self::Damaged { .. } => "store/damaged",
            Self::Disk { .. } => "store/disk",
            Self::Stopped { .. } => "store/stopped",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { directory, by } => write!(f, "`{directory}` is held by {by}"),
            Self::Newer { found, known } => write!(
                f,
                "the store has schema {found}, this program knows schemas up to {known}; use the newer program"
            ),
            Self::NotAStore { path } => write!(f, "`{path}` is not a store"),
            Self::Occupied { directory } => {
                write!(f, "`{directory}` is there already; name one that is not")
            }
            Self::DiskFull => f.write_str("the disk is full; nothing was written"),
            Self::Stale { what } => write!(f, "the {what} has moved meanwhile; nothing was written"),
            Self::NotFound { what } => write!(f, "no such {what}"),
            Self::Exceeded { counter, total, cap } => {
                write!(f, "counter `{counter}` would reach {total}, its cap is {cap}")
            }
            Self::Shape { field, rule } => write!(f, "`{field}` {rule}"),
            Self::Damaged { detail } => write!(f, "the store is damaged: {detail}"),
            Self::Disk { detail } => write!(f, "the store cannot be read or written: {detail}"),
            Self::Stopped { why } => write!(f, "the store takes no more writes: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(Code::DiskFull) => Self::DiskFull,
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => Self::Damaged { detail },
            _ => Self::Disk { detail },
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Disk { detail: error.to_string() },
        }
    }
}
