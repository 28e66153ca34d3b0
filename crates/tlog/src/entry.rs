//! The entry of the log: a commitment to an event that cannot be guessed and can be forgotten.

use crate::merkle::{self, Hash};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Bytes of a salt.
pub const SALT_BYTES: usize = 32;

/// LIMIT: the longest tag.
pub const TAG_BYTES_MAX: usize = 255;

/// The kind of thing that is committed to, so that no commitment can be read as one of another kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

impl Tag {
    /// Takes a name of 1 to 255 visible ASCII characters, such as `example.org/event/v1`; none for any other.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let visible = name.bytes().all(|b| b.is_ascii_graphic());
        (visible && (1..=TAG_BYTES_MAX).contains(&name.len())).then(|| Self(format!("{name}\n")))
    }

    /// The bytes that are hashed: the name and a newline, so that no tag is the beginning of another.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// 32 random bytes of one entry, kept off the log: without them the commitment says nothing about the event.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; SALT_BYTES]);

impl Salt {
    /// Takes bytes from a source of cryptographic randomness, fresh for each entry.
    #[must_use]
    pub const fn new(bytes: [u8; SALT_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes, to be stored beside the event.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; SALT_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(kept)")
    }
}

/// The bytes of one log entry: SHA-256 of tag, salt and the event's canonical bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment([u8; 32]);

impl Commitment {
    /// Commits to an event's canonical bytes under a tag and a salt.
    ///
    /// Whoever holds all three can check it; once salt and event are deleted, nobody can learn either from it.
    #[must_use]
    pub fn new(tag: &Tag, salt: &Salt, event: &[u8]) -> Self {
        let hash = Sha256::new_with_prefix(tag.as_bytes()).chain_update(salt.0).chain_update(event);
        Self(hash.finalize().into())
    }

    /// Takes 32 bytes that are already a commitment, such as an entry read from a log.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The entry as it stands in a bundle.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash of the entry as a leaf of the tree.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        merkle::leaf_hash(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts() {
        let tag = Tag::new("example.org/event/v1").unwrap();
        let salt = Salt::new([7; 32]);
        let entry = Commitment::new(&tag, &salt, b"{}");
        // printf 'example.org/event/v1\n' and 32 bytes 0x07 and '{}', piped to `sha256sum`.
        let by_hand: [u8; 32] =
            Sha256::digest([b"example.org/event/v1\n".as_slice(), &[7; 32], b"{}"].concat()).into();
        assert_eq!(entry.as_bytes(), &by_hand);
        assert_ne!(entry, Commitment::new(&Tag::new("example.org/event/v2").unwrap(), &salt, b"{}"));
        assert_ne!(entry, Commitment::new(&tag, &Salt::new([8; 32]), b"{}"));
        assert_ne!(entry, Commitment::new(&tag, &salt, b"{ }"));
        assert_eq!(entry.leaf_hash(), merkle::leaf_hash(&by_hand));
    }

    #[test]
    fn a_tag_is_one_visible_word() {
        for wrong in ["", "a b", "a\n", "é", &"x".repeat(256)] {
            assert_eq!(Tag::new(wrong), None, "{wrong:?}");
        }
        assert!(Tag::new(&"x".repeat(255)).is_some());
    }

    #[test]
    fn a_salt_is_not_printed() {
        assert_eq!(format!("{:?}", Salt::new([65; 32])), "Salt(kept)");
    }
}
