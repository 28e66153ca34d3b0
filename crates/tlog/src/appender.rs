//! The right edge of a growing tree: leaf hashes go in, the new root and the tiles to write come out.

use crate::merkle::{self, Hash, SIZE_MAX};
use crate::tile::{self, HEIGHT, LEVELS, Level, Tile, WIDTH};
use std::fmt;

#[cfg(test)]
mod tests;

/// A tree that can grow, per RFC 6962 section 2.1: its size and the hashes of its partial tiles.
///
/// What comes out depends on the leaves alone, never on how they were batched, so tiles can always be rebuilt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appender {
    size: u64,
    /// INVARIANT: one row for each tile level, with `(size >> 8 * level) % 256` hashes.
    edge: Vec<Vec<Hash>>,
}

/// What an append made: store the tiles before a checkpoint of this size is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// Leaves in the tree.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// Each tile that is new or wider than before and its bytes: full ones as they filled, then the partial ones.
    pub tiles: Vec<(Tile, Vec<u8>)>,
}

/// Why an appender cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendError<E> {
    /// The tree would exceed `merkle::SIZE_MAX` leaves.
    Size,
    /// A tile of the right edge could not be fetched.
    Fetch(E),
    /// A tile of the right edge has the wrong length.
    Length(Tile),
    /// The right edge leads to this other root: tiles or checkpoint are damaged, rebuild the tiles from the leaves.
    Root(Hash),
}

impl<E> AppendError<E> {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Size => "tlog/tree-size",
            Self::Fetch(_) => "tlog/tile-unreadable",
            Self::Length(_) => "tlog/tile-length",
            Self::Root(_) => "tlog/edge-root",
        }
    }
}

impl<E: fmt::Display> fmt::Display for AppendError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size => write!(f, "a tree has at most {SIZE_MAX} leaves"),
            Self::Fetch(fault) => write!(f, "a tile could not be fetched: {fault}"),
            Self::Length(tile) => write!(f, "`{tile}` has the wrong length"),
            Self::Root(root) => write!(f, "the tiles at the right edge lead to the root `{root}`"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for AppendError<E> {}

impl Default for Appender {
    fn default() -> Self {
        Self::new()
    }
}

impl Appender {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self { size: 0, edge: vec![Vec::new(); LEVELS.into()] }
    }

    /// Takes up a tree of `size` leaves from its partial tiles, those of `Tile::edge(size)`.
    ///
    /// # Errors
    /// A tile cannot be fetched or has the wrong length, or the root is not the given one.
    pub fn resume<E>(
        size: u64,
        root: &Hash,
        mut fetch: impl FnMut(Tile) -> Result<Vec<u8>, E>,
    ) -> Result<Self, AppendError<E>> {
        if size > SIZE_MAX {
            return Err(AppendError::Size);
        }
        let mut appender = Self { size, ..Self::new() };
        for (level, row) in (0..LEVELS).zip(&mut appender.edge) {
            if let Some(tile) = partial_tile(level, size) {
                let bytes = fetch(tile).map_err(AppendError::Fetch)?;
                *row = tile.read(&bytes).ok_or(AppendError::Length(tile))?;
            }
        }
        let found = appender.root();
        if found == *root { Ok(appender) } else { Err(AppendError::Root(found)) }
    }

    /// Leaves in the tree.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = Vec::new();
        for row in self.edge.iter().rev() {
            let mut rest = row.as_slice();
            while !rest.is_empty() {
                let (perfect, after) = rest.split_at(1 << rest.len().ilog2());
                peaks.push(merkle::fold_perfect(perfect));
                rest = after;
            }
        }
        merkle::fold_peaks(&peaks)
    }

    /// Appends leaf hashes and says which tiles to write; when it refuses, the tree is unchanged.
    ///
    /// # Errors
    /// The tree would exceed `merkle::SIZE_MAX` leaves.
    pub fn append(&mut self, leaves: &[Hash]) -> Result<Growth, AppendError<std::convert::Infallible>> {
        let old = self.size;
        let mut tiles = self.absorb(leaves)?;
        tiles.extend(self.partial_tiles().into_iter().filter(|(tile, _)| !existed(*tile, old)));
        Ok(Growth { size: self.size, root: self.root(), tiles })
    }

    /// Appends leaf hashes and returns the tiles that filled, without the partial ones.
    pub(crate) fn absorb(
        &mut self,
        leaves: &[Hash],
    ) -> Result<Vec<(Tile, Vec<u8>)>, AppendError<std::convert::Infallible>> {
        let new = self.size.checked_add(leaves.len() as u64).filter(|new| *new <= SIZE_MAX);
        let new = new.ok_or(AppendError::Size)?;
        let mut filled = Vec::new();
        for leaf in leaves {
            self.push(*leaf, &mut filled);
        }
        // INVARIANT: each leaf was counted once.
        debug_assert_eq!(self.size, new);
        Ok(filled)
    }

    /// The partial tiles of the tree as it stands, lowest level first.
    pub(crate) fn partial_tiles(&self) -> Vec<(Tile, Vec<u8>)> {
        (0..LEVELS)
            .zip(&self.edge)
            .filter_map(|(level, row)| Some((partial_tile(level, self.size)?, tile::to_bytes(row))))
            .collect()
    }

    fn push(&mut self, leaf: Hash, filled: &mut Vec<(Tile, Vec<u8>)>) {
        self.size += 1;
        let mut carry = leaf;
        for (level, row) in (0..LEVELS).zip(&mut self.edge) {
            row.push(carry);
            if row.len() < WIDTH.into() {
                return;
            }
            let index = (self.size >> ((level + 1) * HEIGHT)) - 1;
            filled.extend(Tile::new(Level::Hashes(level), index, WIDTH).map(|t| (t, tile::to_bytes(row))));
            carry = merkle::fold_perfect(row);
            row.clear();
        }
    }
}

/// The partial tile of one level in a tree of `size` leaves.
fn partial_tile(level: u8, size: u64) -> Option<Tile> {
    let hashes = size >> (level * HEIGHT);
    Tile::at(Level::Hashes(level), hashes / u64::from(WIDTH), size)
}

/// Whether the tree of `size` leaves already had this very tile, at this width.
fn existed(tile: Tile, size: u64) -> bool {
    Tile::at(tile.level(), tile.index(), size) == Some(tile)
}
