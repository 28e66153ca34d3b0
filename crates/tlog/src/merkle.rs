//! Hashes, roots and proofs of the Merkle tree of RFC 6962 section 2 and RFC 9162 section 2.1.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha2::{Digest as _, Sha256};
use std::fmt;

#[cfg(test)]
mod tests;

/// LIMIT: the largest tree size that is read or built, 2^63 - 1, as programs in Go hold sizes in an `int64`.
pub const SIZE_MAX: u64 = i64::MAX as u64;

/// LIMIT: the largest number of hashes in one proof, which is also the limit of c2sp.org/tlog-witness.
pub const PROOF_LEN_MAX: usize = 63;

/// Bytes of one hash.
pub const HASH_BYTES: usize = 32;

/// A SHA-256 hash of a leaf, a node or a tree, per RFC 6962 section 2.1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; HASH_BYTES]);

impl Hash {
    /// The root of the empty tree, per RFC 6962 section 2.1: the hash of the empty string.
    pub const EMPTY: Self = Self([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]);

    /// Takes 32 bytes that are already a hash.
    #[must_use]
    pub const fn new(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads a hash from exactly 32 bytes.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Parses standard base64 with padding, per c2sp.org/tlog-checkpoint; any other spelling is refused.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        BASE64_STANDARD.decode(text).ok().and_then(|bytes| Self::read(&bytes))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// Hashes one entry as a leaf, per RFC 6962 section 2.1: SHA-256 of 0x00 and the entry.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash(Sha256::new_with_prefix([0x00]).chain_update(entry).finalize().into())
}

/// Hashes two children as a node, per RFC 6962 section 2.1: SHA-256 of 0x01, left and right.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash(Sha256::new_with_prefix([0x01]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// A perfect subtree: the leaves `index << level .. (index + 1) << level`, whose hash never changes once they exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    level: u8,
    index: u64,
}

impl Position {
    /// Names the perfect subtree of 2^`level` leaves at `index`; none if it ends beyond `SIZE_MAX`.
    #[must_use]
    pub fn new(level: u8, index: u64) -> Option<Self> {
        let width = 1_u64.checked_shl(level.into())?;
        let end = index.checked_add(1)?.checked_mul(width)?;
        (end <= SIZE_MAX).then_some(Self { level, index })
    }

    /// The height of the subtree: 0 for a leaf.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.level
    }

    /// How many subtrees of the same height stand to its left.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.index
    }

    /// The first leaf after the subtree: the least tree size in which it exists.
    #[must_use]
    pub const fn end(self) -> u64 {
        (self.index + 1) << self.level
    }
}

/// Why a root or proof could not be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError<E> {
    /// The tree is larger than `SIZE_MAX`, the index is not in it, or the old size exceeds the new one.
    OutOfRange,
    /// The reader of hashes failed.
    Read(E),
}

impl<E> BuildError<E> {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OutOfRange => "tlog/out-of-range",
            Self::Read(_) => "tlog/hash-unreadable",
        }
    }
}

impl<E: fmt::Display> fmt::Display for BuildError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange => f.write_str("no such leaf or tree size"),
            Self::Read(fault) => write!(f, "a hash of the tree could not be read: {fault}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for BuildError<E> {}

/// Computes the root of the first `size` leaves, per RFC 6962 section 2.1, reading only perfect subtrees.
///
/// # Errors
/// `size` is above `SIZE_MAX`, or a hash cannot be read.
pub fn root<E>(size: u64, mut read: impl FnMut(Position) -> Result<Hash, E>) -> Result<Hash, BuildError<E>> {
    if size > SIZE_MAX {
        return Err(BuildError::OutOfRange);
    }
    range_hash(0, size, &mut read).map_err(BuildError::Read)
}

/// Builds an inclusion proof, per RFC 6962 section 2.1.1: from the leaf's sibling up to the root's child.
///
/// # Errors
/// The tree has no such leaf, or a hash cannot be read.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    mut read: impl FnMut(Position) -> Result<Hash, E>,
) -> Result<Vec<Hash>, BuildError<E>> {
    if index >= size || size > SIZE_MAX {
        return Err(BuildError::OutOfRange);
    }
    let (mut low, mut high) = (0, size);
    let mut path = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        let (sibling_low, sibling_high) = if index < middle { (middle, high) } else { (low, middle) };
        path.push(range_hash(sibling_low, sibling_high, &mut read).map_err(BuildError::Read)?);
        if index < middle {
            high = middle;
        } else {
            low = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// Builds a consistency proof, per RFC 6962 section 2.1.2; it is empty from size zero and between equal sizes.
///
/// # Errors
/// The old size exceeds the new one, or a hash cannot be read.
pub fn consistency_proof<E>(
    old: u64,
    new: u64,
    mut read: impl FnMut(Position) -> Result<Hash, E>,
) -> Result<Vec<Hash>, BuildError<E>> {
    if old > new || new > SIZE_MAX {
        return Err(BuildError::OutOfRange);
    }
    if old == 0 {
        return Ok(Vec::new());
    }
    let (mut low, mut high) = (0, new);
    let mut path = Vec::new();
    // The verifier holds the old root, so the old tree itself is not sent when it is a perfect left part.
    while old != high {
        let middle = low + split(high - low);
        let (sibling_low, sibling_high) = if old <= middle { (middle, high) } else { (low, middle) };
        path.push(range_hash(sibling_low, sibling_high, &mut read).map_err(BuildError::Read)?);
        if old <= middle {
            high = middle;
        } else {
            low = middle;
        }
    }
    if low != 0 {
        path.push(range_hash(low, high, &mut read).map_err(BuildError::Read)?);
    }
    path.reverse();
    Ok(path)
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// The index is not in the tree, the sizes are in the wrong order, or above `SIZE_MAX`.
    OutOfRange,
    /// The proof has too few or too many hashes for these sizes.
    Length,
    /// The proof leads to another root.
    Root,
}

impl Unproven {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OutOfRange => "tlog/proof-out-of-range",
            Self::Length => "tlog/proof-length",
            Self::Root => "tlog/proof-root",
        }
    }
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "the proof is for no such leaf or tree size",
            Self::Length => "the proof has the wrong number of hashes",
            Self::Root => "the proof leads to another root",
        })
    }
}

impl std::error::Error for Unproven {}

/// Verifies an inclusion proof, per RFC 9162 section 2.1.3.2.
///
/// The size must come from a verified checkpoint: a proof alone does not bind it.
///
/// # Errors
/// The proof does not hold.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), Unproven> {
    if index >= size || size > SIZE_MAX {
        return Err(Unproven::OutOfRange);
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(Unproven::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            climb_to_right_child(&mut node, &mut last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, hash == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(Unproven::Root),
        _ => Err(Unproven::Length),
    }
}

/// Verifies a consistency proof, per RFC 9162 section 2.1.4.2; the empty tree is consistent with any, by an empty proof.
///
/// # Errors
/// The proof does not hold.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), Unproven> {
    if old > new || new > SIZE_MAX {
        return Err(Unproven::OutOfRange);
    }
    if old == 0 || old == new {
        let expected = if old == 0 { &Hash::EMPTY } else { new_root };
        return match (proof.is_empty(), old_root == expected) {
            (true, true) => Ok(()),
            (true, false) => Err(Unproven::Root),
            (false, _) => Err(Unproven::Length),
        };
    }
    // An old tree that is a perfect subtree is its own first hash.
    let (first, rest) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        proof.split_first().ok_or(Unproven::Length)?
    };
    let (mut node, mut last) = (old - 1, new - 1);
    let shift = node.trailing_ones();
    node >>= shift;
    last >>= shift;
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(Unproven::Length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            climb_to_right_child(&mut node, &mut last);
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, old_hash == *old_root && new_hash == *new_root) {
        (0, true) => Ok(()),
        (0, false) => Err(Unproven::Root),
        _ => Err(Unproven::Length),
    }
}

/// Skips the levels at which the rightmost node has no sibling.
fn climb_to_right_child(node: &mut u64, last: &mut u64) {
    while *node & 1 == 0 && *node != 0 {
        *node >>= 1;
        *last >>= 1;
    }
}

/// The largest power of two smaller than `n`, which is at least 2: where RFC 6962 splits a tree.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The hash of the leaves `low..high`, where `low` is a multiple of every perfect subtree that the range splits into.
fn range_hash<E>(
    mut low: u64,
    high: u64,
    read: &mut impl FnMut(Position) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let mut peaks = Vec::new();
    while low < high {
        let level = (high - low).ilog2() as u8;
        peaks.push(read(Position { level, index: low >> level })?);
        low += 1 << level;
    }
    Ok(fold_peaks(&peaks))
}

/// The root over perfect subtrees of falling height, left to right.
pub(crate) fn fold_peaks(peaks: &[Hash]) -> Hash {
    let mut right_to_left = peaks.iter().rev();
    let Some(mut root) = right_to_left.next().copied() else { return Hash::EMPTY };
    for left in right_to_left {
        root = node_hash(left, &root);
    }
    root
}

/// The root of a perfect subtree, given its 2^k hashes of one level.
pub(crate) fn fold_perfect(hashes: &[Hash]) -> Hash {
    // INVARIANT: callers pass a power of two; an odd tail would be dropped by the pairing below.
    debug_assert!(hashes.len().is_power_of_two());
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        level = level
            .chunks_exact(2)
            .filter_map(|pair| match pair {
                [left, right] => Some(node_hash(left, right)),
                _ => None,
            })
            .collect();
    }
    level.first().copied().unwrap_or(Hash::EMPTY)
}
