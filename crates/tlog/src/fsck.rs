//! Checking a stored log from its entries up: every tile, and the root.

use crate::appender::Appender;
use crate::bundle::{self, BundleError};
use crate::merkle::{self, HASH_BYTES, Hash, SIZE_MAX};
use crate::tile::{Level, Tile, WIDTH};
use std::fmt;

/// LIMIT: how many findings are listed.
pub const FINDINGS_MAX: usize = 100;

/// Something in a stored log that is not as the entries say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A tile or bundle is not there.
    Missing(Tile),
    /// A bundle does not hold the entries of its name.
    Bundle(Tile, BundleError),
    /// A tile has the wrong length.
    Length(Tile),
    /// A tile has another hash than the entries lead to, the first of them at this place of the tile.
    Differs(Tile, u16),
    /// The entries lead to this root, not to that of the checkpoint.
    Root(Hash),
}

impl Finding {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "tlog/fsck-missing",
            Self::Bundle(..) => "tlog/fsck-bundle",
            Self::Length(_) => "tlog/fsck-length",
            Self::Differs(..) => "tlog/fsck-differs",
            Self::Root(_) => "tlog/fsck-root",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(tile) => write!(f, "`{tile}` is missing"),
            Self::Bundle(tile, fault) => write!(f, "`{tile}`: {fault}"),
            Self::Length(tile) => write!(f, "`{tile}` has the wrong length"),
            Self::Differs(tile, at) => write!(f, "`{tile}` has another hash at `{at}` than the entries say"),
            Self::Root(root) => write!(f, "the entries lead to the root `{root}`"),
        }
    }
}

/// What a check of a log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Entries that were read and hashed.
    pub entries: u64,
    /// The root that they lead to; none if a bundle was not readable.
    pub root: Option<Hash>,
    /// What is wrong, at most `FINDINGS_MAX` of it.
    pub findings: Vec<Finding>,
    /// Whether there was more to find than is listed.
    pub more: bool,
}

impl Report {
    /// Whether every entry, tile and the root agree.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.more = true;
        }
    }
}

/// Recomputes a log of `size` entries from its bundles and compares all its tiles and the root.
///
/// `fetch` answers none for what is not there; where a partial tile is gone, the full one is asked for instead.
/// Reading stops at the first bundle that is missing or malformed, as nothing after it can be hashed.
///
/// # Errors
/// `fetch` failed.
pub fn check<E>(
    size: u64,
    root: &Hash,
    mut fetch: impl FnMut(Tile) -> Result<Option<Vec<u8>>, E>,
) -> Result<Report, E> {
    let size = size.min(SIZE_MAX);
    let mut report = Report { entries: 0, root: None, findings: Vec::new(), more: false };
    let mut appender = Appender::new();
    while let Some(tile) = Tile::at(Level::Entries, appender.size() / u64::from(WIDTH), size) {
        let leaves = match read_leaves(tile, &mut fetch)? {
            Ok(leaves) => leaves,
            Err(finding) => {
                report.add(finding);
                return Ok(report);
            }
        };
        // INVARIANT: the size is within its limit, so an append is never refused.
        let Ok(filled) = appender.absorb(&leaves) else { break };
        report.entries = appender.size();
        compare(&filled, &mut fetch, &mut report)?;
        if appender.size() == size {
            break;
        }
    }
    compare(&appender.partial_tiles(), &mut fetch, &mut report)?;
    let found = appender.root();
    report.root = Some(found);
    if found != *root {
        report.add(Finding::Root(found));
    }
    Ok(report)
}

/// The leaf hashes of a bundle, or why they cannot be had.
fn read_leaves<E>(
    tile: Tile,
    fetch: &mut impl FnMut(Tile) -> Result<Option<Vec<u8>>, E>,
) -> Result<Result<Vec<Hash>, Finding>, E> {
    let Some((found, bytes)) = fetch_either(tile, fetch)? else { return Ok(Err(Finding::Missing(tile))) };
    Ok(match bundle::read(found, &bytes) {
        Ok(entries) => Ok(entries.into_iter().take(tile.width().into()).map(merkle::leaf_hash).collect()),
        Err(fault) => Err(Finding::Bundle(found, fault)),
    })
}

fn compare<E>(
    expected: &[(Tile, Vec<u8>)],
    fetch: &mut impl FnMut(Tile) -> Result<Option<Vec<u8>>, E>,
    report: &mut Report,
) -> Result<(), E> {
    for (tile, bytes) in expected {
        let Some((found, stored)) = fetch_either(*tile, fetch)? else {
            report.add(Finding::Missing(*tile));
            continue;
        };
        if stored.len() != usize::from(found.width()) * HASH_BYTES {
            report.add(Finding::Length(found));
            continue;
        }
        let differs = bytes.chunks(HASH_BYTES).zip(stored.chunks(HASH_BYTES)).position(|(a, b)| a != b);
        if let Some(at) = differs {
            report.add(Finding::Differs(found, at as u16));
        }
    }
    Ok(())
}

/// A tile, or the full one if it is partial and gone, as c2sp.org/tlog-tiles lets a log delete it.
fn fetch_either<E>(
    tile: Tile,
    fetch: &mut impl FnMut(Tile) -> Result<Option<Vec<u8>>, E>,
) -> Result<Option<(Tile, Vec<u8>)>, E> {
    if let Some(bytes) = fetch(tile)? {
        return Ok(Some((tile, bytes)));
    }
    if !tile.is_partial() {
        return Ok(None);
    }
    Ok(fetch(tile.full())?.map(|bytes| (tile.full(), bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    type Stored = BTreeMap<Tile, Vec<u8>>;

    fn log(size: u64) -> (Hash, Stored) {
        let entries: Vec<[u8; 8]> = (0..size).map(u64::to_be_bytes).collect();
        let leaves: Vec<Hash> = entries.iter().map(|entry| merkle::leaf_hash(entry)).collect();
        let growth = Appender::new().append(&leaves).unwrap();
        let bundles = bundle::write(0, &entries).unwrap();
        (growth.root, growth.tiles.into_iter().chain(bundles).collect())
    }

    fn run(size: u64, root: &Hash, stored: &Stored) -> Report {
        check(size, root, |tile| Ok::<_, Infallible>(stored.get(&tile).cloned())).unwrap()
    }

    #[test]
    fn a_sound_log_is_clean() {
        for size in [0, 1, 255, 256, 257, 1000, 66_000] {
            let (root, stored) = log(size);
            let report = run(size, &root, &stored);
            assert_eq!(report, Report { entries: size, root: Some(root), findings: vec![], more: false });
        }
    }

    #[test]
    fn every_damaged_file_is_named() {
        let (root, stored) = log(1000);
        for (tile, bytes) in &stored {
            let mut damaged = stored.clone();
            let last = bytes.len() - 1;
            damaged.get_mut(tile).unwrap()[last] ^= 1;
            let report = run(1000, &root, &damaged);
            let named = report.findings.iter().any(|finding| match finding {
                Finding::Differs(t, at) => t == tile && *at == tile.width() - 1,
                // A changed entry is seen in the tile above it and in the root.
                Finding::Root(_) => tile.level() == Level::Entries,
                _ => false,
            });
            assert!(named, "{tile}: {report:?}");
            let mut lost = stored.clone();
            lost.remove(tile);
            assert_eq!(run(1000, &root, &lost).findings, [Finding::Missing(*tile)]);
            let expected = match tile.level() {
                Level::Entries => Finding::Bundle(*tile, BundleError::Malformed),
                Level::Hashes(_) => Finding::Length(*tile),
            };
            let mut cut = stored.clone();
            cut.get_mut(tile).unwrap().pop();
            assert_eq!(run(1000, &root, &cut).findings, std::slice::from_ref(&expected));
            let mut long = stored.clone();
            long.get_mut(tile).unwrap().push(0);
            assert_eq!(run(1000, &root, &long).findings, [expected]);
        }
    }

    #[test]
    fn a_wrong_root_is_found() {
        let (root, stored) = log(300);
        assert_eq!(run(300, &Hash::EMPTY, &stored).findings, [Finding::Root(root)]);
    }

    #[test]
    fn an_old_size_is_checked_in_a_log_that_has_grown() {
        let (old_root, _) = log(100);
        let (_, stored) = log(600);
        // The partial tiles of the old size are gone; the full ones hold the same hashes and more.
        assert!(run(100, &old_root, &stored).is_clean());
    }

    #[test]
    fn findings_have_a_limit() {
        let (root, mut stored) = log(256 * 150);
        stored.retain(|tile, _| tile.level() == Level::Entries);
        let report = run(256 * 150, &root, &stored);
        assert_eq!((report.findings.len(), report.more), (FINDINGS_MAX, true));
    }
}
