//! Tiles of 256 hashes and their paths, per c2sp.org/tlog-tiles.

use crate::merkle::{self, HASH_BYTES, Hash, Position};
use std::collections::BTreeMap;
use std::fmt;

/// The height of the subtree that one tile holds.
pub const HEIGHT: u8 = 8;

/// Hashes in a full tile, and entries in a full bundle.
pub const WIDTH: u16 = 1 << HEIGHT;

/// LIMIT: the highest level that a path may name, per c2sp.org/tlog-tiles.
pub const LEVEL_MAX: u8 = 63;

/// LIMIT: the longest path that is read; an index of 64 bits has seven elements.
pub const PATH_BYTES_MAX: usize = 64;

/// LIMIT: levels that a tree of at most `merkle::SIZE_MAX` leaves can have.
pub(crate) const LEVELS: u8 = 8;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The entries themselves: an entry bundle.
    Entries,
    /// Hashes: 0 has leaf hashes, each next one the hashes of full tiles of the level below.
    Hashes(u8),
}

/// The name of one tile or entry bundle, per c2sp.org/tlog-tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: Level,
    index: u64,
    width: u16,
}

impl Tile {
    /// Names a tile of `width` hashes or entries; none unless the width is 1 to 256 and the level at most 63.
    #[must_use]
    pub fn new(level: Level, index: u64, width: u16) -> Option<Self> {
        let level_fits = match level {
            Level::Entries => true,
            Level::Hashes(l) => l <= LEVEL_MAX,
        };
        (level_fits && (1..=WIDTH).contains(&width)).then_some(Self { level, index, width })
    }

    /// Names the tile at this place as it stands in a tree of `size` leaves: full, partial, or none.
    #[must_use]
    pub fn at(level: Level, index: u64, size: u64) -> Option<Self> {
        let shift = match level {
            Level::Entries => 0,
            Level::Hashes(l) => u32::from(l) * u32::from(HEIGHT),
        };
        let hashes = size.checked_shr(shift).unwrap_or(0);
        let start = index.checked_mul(WIDTH.into())?;
        let width = hashes.checked_sub(start)?.min(WIDTH.into());
        Self::new(level, index, u16::try_from(width).ok()?)
    }

    /// Names the partial tiles of hashes at the right edge of a tree of `size` leaves, lowest level first.
    ///
    /// Their contents are all that one needs in order to go on appending.
    #[must_use]
    pub fn edge(size: u64) -> Vec<Self> {
        (0..LEVELS)
            .filter_map(|l| {
                let hashes = size >> (l * HEIGHT);
                Self::at(Level::Hashes(l), hashes / u64::from(WIDTH), size)
            })
            .collect()
    }

    /// Names the tile that holds a perfect subtree's hash, or the hashes it is folded from, in a tree of `size` leaves.
    #[must_use]
    pub fn holding(position: Position, size: u64) -> Option<Self> {
        if position.end() > size {
            return None;
        }
        let (level, first) = Self::place(position);
        Self::at(Level::Hashes(level), first >> HEIGHT, size)
    }

    /// The tile level of a position, and the number of its first hash within that level.
    fn place(position: Position) -> (u8, u64) {
        let level = position.level() / HEIGHT;
        (level, position.index() << (position.level() % HEIGHT))
    }

    /// What it holds.
    #[must_use]
    pub const fn level(self) -> Level {
        self.level
    }

    /// Its number within the level.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds, 1 to 256.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Whether it can still grow.
    #[must_use]
    pub const fn is_partial(self) -> bool {
        self.width < WIDTH
    }

    /// The same tile when it is full: where to look when a partial one is gone.
    #[must_use]
    pub const fn full(self) -> Self {
        Self { width: WIDTH, ..self }
    }

    /// The path below the log's prefix, such as `tile/0/x001/234.p/5`.
    #[must_use]
    pub fn path(self) -> String {
        self.to_string()
    }

    /// Parses a path below the log's prefix; any spelling but the one of `path` is refused.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        if path.len() > PATH_BYTES_MAX {
            return None;
        }
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let level = match level {
            "entries" => Level::Entries,
            number => Level::Hashes(number.parse().ok()?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok()?),
            None => (rest, WIDTH),
        };
        let mut index: u64 = 0;
        for element in number.split('/') {
            let digits = element.strip_prefix('x').unwrap_or(element);
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        // Rendering again settles every question of zeros, signs, lengths and marks at once.
        Self::new(level, index, width).filter(|tile| tile.path() == path)
    }

    /// Reads the hashes of this tile from its bytes, exactly 32 for each of its width; none for an entry bundle.
    #[must_use]
    pub fn read(self, bytes: &[u8]) -> Option<Vec<Hash>> {
        if self.level == Level::Entries || bytes.len() != usize::from(self.width) * HASH_BYTES {
            return None;
        }
        bytes.chunks_exact(HASH_BYTES).map(Hash::read).collect()
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Level::Entries => f.write_str("tile/entries/")?,
            Level::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let mut elements = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            elements.push(rest % 1000);
            rest /= 1000;
        }
        for (left, element) in elements.iter().enumerate().rev() {
            if left > 0 {
                write!(f, "x{element:03}/")?;
            } else {
                write!(f, "{element:03}")?;
            }
        }
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// The bytes of a tile: its hashes one after the other.
#[must_use]
pub fn to_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.as_bytes()).copied().collect()
}

/// Why a hash could not be had from tiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TileError<E> {
    /// A tree of this size has no such subtree.
    Absent(Position),
    /// The tile has not 32 bytes for each hash of its width.
    Length(Tile),
    /// The tile could not be fetched.
    Fetch(E),
}

impl<E> TileError<E> {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Absent(_) => "tlog/hash-absent",
            Self::Length(_) => "tlog/tile-length",
            Self::Fetch(_) => "tlog/tile-unreadable",
        }
    }
}

impl<E: fmt::Display> fmt::Display for TileError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(at) => write!(f, "the tree has no subtree `{}` at level {}", at.index(), at.level()),
            Self::Length(tile) => write!(f, "`{tile}` has the wrong length"),
            Self::Fetch(fault) => write!(f, "a tile could not be fetched: {fault}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for TileError<E> {}

/// Answers for the hashes of a tree of one size out of its tiles, fetching each tile once.
///
/// What it reads is trusted no more than its source: a proof built from it must be verified against a signed root.
#[derive(Debug)]
pub struct Reader<F> {
    size: u64,
    fetch: F,
    held: BTreeMap<Tile, Vec<Hash>>,
}

impl<F> Reader<F> {
    /// Reads a tree of `size` leaves through `fetch`, which returns the bytes of a tile.
    pub const fn new(size: u64, fetch: F) -> Self {
        Self { size, fetch, held: BTreeMap::new() }
    }

    /// The hash of a perfect subtree; pass it on as `|position| reader.hash(position)`.
    ///
    /// # Errors
    /// The tree has no such subtree, or its tile cannot be fetched or has the wrong length.
    pub fn hash<E>(&mut self, position: Position) -> Result<Hash, TileError<E>>
    where
        F: FnMut(Tile) -> Result<Vec<u8>, E>,
    {
        let tile = Tile::holding(position, self.size).ok_or(TileError::Absent(position))?;
        if !self.held.contains_key(&tile) {
            let bytes = (self.fetch)(tile).map_err(TileError::Fetch)?;
            self.held.insert(tile, tile.read(&bytes).ok_or(TileError::Length(tile))?);
        }
        let (_, first) = Tile::place(position);
        let start = (first % u64::from(WIDTH)) as usize;
        let count = 1_usize << (position.level() % HEIGHT);
        self.held
            .get(&tile)
            .and_then(|hashes| hashes.get(start..start + count))
            .map(merkle::fold_perfect)
            .ok_or(TileError::Absent(position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(level: u8, index: u64, width: u16) -> Tile {
        Tile::new(Level::Hashes(level), index, width).unwrap()
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        for (value, path) in [
            (tile(0, 0, 256), "tile/0/000"),
            (tile(1, 1_234_067, 256), "tile/1/x001/x234/067"),
            (tile(0, 273, 112), "tile/0/273.p/112"),
            (tile(63, 999, 1), "tile/63/999.p/1"),
            (tile(2, 1000, 255), "tile/2/x001/000.p/255"),
            (Tile::new(Level::Entries, 7, 256).unwrap(), "tile/entries/007"),
            (Tile::new(Level::Entries, 70_000, 3).unwrap(), "tile/entries/x070/000.p/3"),
            (tile(0, u64::MAX, 256), "tile/0/x018/x446/x744/x073/x709/x551/615"),
        ] {
            assert_eq!(value.path(), path);
            assert_eq!(Tile::parse(path), Some(value), "{path}");
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for path in [
            "",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/0000",
            "tile/00/000",
            "tile/64/000",
            "tile/-1/000",
            "tile/+1/000",
            "tile/0/x000/000",
            "tile/0/001/000",
            "tile/0/x001",
            "tile/0/+01",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/1/",
            "tile/0/000.p/1.p/1",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "/tile/0/000",
            "tile/0/../000",
            "tile/data/000",
            "tile/entries/",
        ] {
            assert_eq!(Tile::parse(path), None, "{path}");
        }
        assert_eq!(Tile::new(Level::Hashes(0), 0, 0), None);
        assert_eq!(Tile::new(Level::Hashes(0), 0, 257), None);
        assert_eq!(Tile::new(Level::Hashes(64), 0, 1), None);
    }

    #[test]
    fn the_example_of_seventy_thousand() {
        let at = |level, index| Tile::at(Level::Hashes(level), index, 70_000);
        assert_eq!(at(0, 272), Some(tile(0, 272, 256)));
        assert_eq!(at(0, 273), Some(tile(0, 273, 112)));
        assert_eq!(at(0, 274), None);
        assert_eq!(at(1, 0), Some(tile(1, 0, 256)));
        assert_eq!(at(1, 1), Some(tile(1, 1, 17)));
        assert_eq!(at(2, 0), Some(tile(2, 0, 1)));
        assert_eq!(at(3, 0), None);
        assert_eq!(at(63, 0), None);
        assert_eq!(Tile::edge(70_000), [tile(0, 273, 112), tile(1, 1, 17), tile(2, 0, 1)]);
        assert_eq!(Tile::edge(256), [tile(1, 0, 1)]);
        assert_eq!(Tile::edge(0), []);
        assert_eq!(Tile::at(Level::Entries, 0, 0), None);
        assert_eq!(Tile::at(Level::Entries, u64::MAX, u64::MAX), None);
    }

    #[test]
    fn a_tile_of_the_wrong_length_is_refused() {
        assert!(tile(0, 0, 2).read(&[0; 64]).is_some());
        assert!(tile(0, 0, 2).read(&[0; 63]).is_none());
        assert!(tile(0, 0, 2).read(&[0; 96]).is_none());
        let mut reader = Reader::new(5, |_| Ok::<_, std::convert::Infallible>(vec![0; 31]));
        let leaf = Position::new(0, 4).unwrap();
        assert_eq!(reader.hash(leaf), Err(TileError::Length(tile(0, 0, 5))));
        let beyond = Position::new(0, 5).unwrap();
        assert_eq!(reader.hash(beyond), Err(TileError::Absent(beyond)));
    }
}
