//! Entry bundles: up to 256 entries, each behind its length, per c2sp.org/tlog-tiles.

use crate::tile::{Level, Tile, WIDTH};
use std::fmt;

/// LIMIT: the largest entry, as its length is a 16-bit number.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// LIMIT: the largest bundle.
pub const BUNDLE_BYTES_MAX: usize = (2 + ENTRY_BYTES_MAX) * WIDTH as usize;

/// Why a bundle could not be written or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundleError {
    /// An entry is longer than `ENTRY_BYTES_MAX`.
    EntryLength,
    /// The first entry is not the first of a bundle.
    Misaligned,
    /// The bytes end inside an entry, or go on after the last one.
    Malformed,
}

impl BundleError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::EntryLength => "tlog/entry-length",
            Self::Misaligned => "tlog/bundle-misaligned",
            Self::Malformed => "tlog/bundle-malformed",
        }
    }
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EntryLength => write!(f, "an entry is longer than {ENTRY_BYTES_MAX} bytes"),
            Self::Misaligned => write!(f, "a bundle starts at a multiple of {WIDTH}"),
            Self::Malformed => f.write_str("the bundle does not hold exactly the entries of its name"),
        }
    }
}

impl std::error::Error for BundleError {}

/// Writes the bundles of the entries from `first` on, which is a multiple of 256: full ones, then the partial one.
///
/// To bring a log from `old` to `new` leaves, pass the entries from `old / 256 * 256` to `new`.
///
/// # Errors
/// `first` is not a multiple of 256, or an entry is too long.
pub fn write<T: AsRef<[u8]>>(first: u64, entries: &[T]) -> Result<Vec<(Tile, Vec<u8>)>, BundleError> {
    if !first.is_multiple_of(WIDTH.into()) {
        return Err(BundleError::Misaligned);
    }
    let mut bundles = Vec::new();
    for (index, chunk) in (first / u64::from(WIDTH)..).zip(entries.chunks(WIDTH.into())) {
        let mut bytes = Vec::new();
        for entry in chunk.iter().map(AsRef::as_ref) {
            let length = u16::try_from(entry.len()).map_err(|_| BundleError::EntryLength)?;
            bytes.extend(length.to_be_bytes());
            bytes.extend(entry);
        }
        let tile = Tile::new(Level::Entries, index, chunk.len() as u16).ok_or(BundleError::Misaligned)?;
        bundles.push((tile, bytes));
    }
    Ok(bundles)
}

/// Reads the entries of a bundle: exactly as many as its name says, and nothing after them.
///
/// # Errors
/// The bytes are cut short or go on.
pub fn read(tile: Tile, bytes: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    if tile.level() != Level::Entries {
        return Err(BundleError::Malformed);
    }
    let mut entries = Vec::with_capacity(tile.width().into());
    let mut rest = bytes;
    for _ in 0..tile.width() {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(BundleError::Malformed)?;
        let (entry, after) =
            after.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(BundleError::Malformed)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(BundleError::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_read_back() {
        let entries: Vec<Vec<u8>> = (0..600_usize).map(|n| vec![n as u8; n]).collect();
        let bundles = write(512, &entries).unwrap();
        let widths: Vec<_> = bundles.iter().map(|(tile, _)| (tile.index(), tile.width())).collect();
        assert_eq!(widths, [(2, 256), (3, 256), (4, 88)]);
        let read_back: Vec<Vec<u8>> = bundles
            .iter()
            .flat_map(|(tile, bytes)| read(*tile, bytes).unwrap())
            .map(<[u8]>::to_vec)
            .collect();
        assert_eq!(read_back, entries);
    }

    #[test]
    fn one_byte_more_or_less_is_refused() {
        let (tile, bytes) = write(0, &[b"ab".as_slice(), b""]).unwrap().remove(0);
        assert_eq!(bytes, [0, 2, b'a', b'b', 0, 0]);
        for cut in 0..bytes.len() {
            assert_eq!(read(tile, &bytes[..cut]), Err(BundleError::Malformed));
        }
        assert_eq!(read(tile, &[bytes.as_slice(), &[0]].concat()), Err(BundleError::Malformed));
        let hashes = Tile::new(Level::Hashes(0), 0, 2).unwrap();
        assert_eq!(read(hashes, &bytes), Err(BundleError::Malformed));
    }

    #[test]
    fn limits_are_kept() {
        let (_, bytes) = write(0, &vec![vec![7; ENTRY_BYTES_MAX]; 256]).unwrap().remove(0);
        assert_eq!(bytes.len(), BUNDLE_BYTES_MAX);
        assert_eq!(write(0, &[vec![7; ENTRY_BYTES_MAX + 1]]), Err(BundleError::EntryLength));
        assert_eq!(write(1, &[b""]), Err(BundleError::Misaligned));
    }
}
