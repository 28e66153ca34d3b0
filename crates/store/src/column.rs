//! Whole numbers, digests and names between Rust and columns.

use crate::error::StoreError;
use crate::participant::NAME_BYTES_MAX;
use model::{Digest, Instant};
use rusqlite::Row;

/// LIMIT: bytes of one body: a process, a document, a message, an event, a part of evidence.
pub const BODY_BYTES_MAX: usize = 16 << 20;

/// LIMIT: rows that one verb returns.
pub const ROWS_MAX: usize = 10_000;

pub(crate) fn int(n: u64) -> Result<i64, StoreError> {
    i64::try_from(n).map_err(|_| StoreError::Shape { field: "number", rule: "is below 2^63" })
}

pub(crate) fn limit(n: usize) -> i64 {
    n.min(ROWS_MAX) as i64
}

/// INVARIANT: columns of counts are written by [`int`], so they are never negative.
pub(crate) fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(|n| u64::try_from(n).unwrap_or_default())
}

pub(crate) fn instant(row: &Row<'_>, at: usize) -> rusqlite::Result<Instant> {
    row.get(at).map(Instant)
}

pub(crate) fn instant_if(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Instant>> {
    row.get::<_, Option<i64>>(at).map(|t| t.map(Instant))
}

pub(crate) fn digest(row: &Row<'_>, at: usize) -> rusqlite::Result<Digest> {
    row.get::<_, [u8; 32]>(at).map(Digest)
}

pub(crate) fn name(field: &'static str, text: &str) -> Result<(), StoreError> {
    if text.is_empty() || text.len() > NAME_BYTES_MAX {
        return Err(StoreError::Shape { field, rule: "has 1 to 4096 bytes" });
    }
    Ok(())
}

pub(crate) fn body(bytes: &[u8]) -> Result<(), StoreError> {
    if bytes.len() > BODY_BYTES_MAX {
        return Err(StoreError::Shape { field: "body", rule: "has at most 16 MiB" });
    }
    Ok(())
}

/// Reads an enum's word; an unknown one means that the file was changed by another hand.
pub(crate) fn word<T>(row: &Row<'_>, at: usize, parse: fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = row.get(at)?;
    parse(&text).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(
            at,
            rusqlite::types::Type::Text,
            format!("unknown word `{text}`").into(),
        )
    })
}

/// An enum whose values are words in a column, each of which is public and never reused.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$of])* $variant),+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the word in the store.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word)
            }
        }
    };
}
pub(crate) use words;
