//! Whose rows: the first argument of every verb.

use crate::error::StoreError;
use std::fmt;

/// LIMIT: bytes of a participant's id, and of every other id, URL and name that the store takes.
pub const NAME_BYTES_MAX: usize = 4096;

/// A participant of the data space by its id, such as a DID; the first part of every key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Participant(String);

impl Participant {
    /// Takes an id of 1 to 4,096 bytes.
    pub fn new(id: &str) -> Result<Self, StoreError> {
        if id.is_empty() || id.len() > NAME_BYTES_MAX {
            return Err(StoreError::Shape { field: "participant", rule: "has 1 to 4096 bytes" });
        }
        Ok(Self(id.to_owned()))
    }

    /// Returns the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
