use super::*;
use crate::merkle::leaf_hash;
use crate::tile::Reader;
use std::collections::BTreeMap;

fn leaves(n: u64) -> Vec<Hash> {
    (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

/// Appends in batches of these sizes, over and over, and keeps what a store would hold.
fn store(leaves: &[Hash], batches: &[usize]) -> (Appender, BTreeMap<Tile, Vec<u8>>) {
    let mut appender = Appender::new();
    let mut stored = BTreeMap::new();
    let mut rest = leaves;
    for batch in batches.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, later) = rest.split_at((*batch).min(rest.len()));
        let growth = appender.append(now).unwrap();
        for (tile, bytes) in growth.tiles {
            assert_eq!(bytes.len(), usize::from(tile.width()) * 32);
            assert_eq!(stored.insert(tile, bytes), None, "`{tile}` was written twice");
        }
        rest = later;
    }
    (appender, stored)
}

#[test]
fn batching_changes_no_tile() {
    let leaves = leaves(70_000);
    let (whole, whole_tiles) = store(&leaves, &[70_000]);
    let (parts, part_tiles) = store(&leaves, &[1, 255, 256, 257, 3, 5000]);
    assert_eq!(whole, parts);
    for (tile, bytes) in &whole_tiles {
        assert_eq!(part_tiles.get(tile), Some(bytes), "`{tile}`");
    }
    // The example of the specification: 273 full and one partial, one full and one partial, one partial.
    assert_eq!(whole_tiles.len(), 277);
    assert_eq!(whole_tiles.keys().filter(|tile| !tile.is_partial()).count(), 274);
    let full = |tiles: &BTreeMap<Tile, Vec<u8>>| tiles.keys().filter(|t| !t.is_partial()).count();
    assert_eq!(full(&whole_tiles), full(&part_tiles));
}

#[test]
fn every_checkpoint_has_its_partial_tiles() {
    let leaves = leaves(1300);
    let mut appender = Appender::new();
    let mut stored = BTreeMap::new();
    for batch in leaves.chunks(13) {
        stored.extend(appender.append(batch).unwrap().tiles);
        for tile in Tile::edge(appender.size()) {
            assert!(stored.contains_key(&tile), "`{tile}` at size {}", appender.size());
        }
    }
}

#[test]
fn roots_and_proofs_come_from_tiles_alone() {
    let leaves = leaves(66_000);
    let (appender, stored) = store(&leaves, &[66_000]);
    let size = appender.size();
    let fetch = |tile: Tile| stored.get(&tile).cloned().ok_or(tile);
    let mut reader = Reader::new(size, fetch);
    assert_eq!(merkle::root(size, |p| reader.hash(p)).unwrap(), appender.root());
    for index in [0, 1, 255, 256, 65_535, 65_536, 65_999] {
        let mut reader = Reader::new(size, fetch);
        let proof = merkle::inclusion_proof(index, size, |p| reader.hash(p)).unwrap();
        merkle::verify_inclusion(&leaves[index as usize], index, size, &proof, &appender.root()).unwrap();
    }
    for old in [1_usize, 255, 256, 257, 512, 65_535, 65_536, 65_537, 66_000] {
        let (before, _) = store(&leaves[..old], &[old]);
        let mut reader = Reader::new(size, fetch);
        let proof = merkle::consistency_proof(old as u64, size, |p| reader.hash(p)).unwrap();
        merkle::verify_consistency(old as u64, &before.root(), size, &appender.root(), &proof).unwrap();
    }
}

#[test]
fn roots_agree_with_the_tree_of_hashes() {
    let leaves = leaves(600);
    let mut appender = Appender::new();
    assert_eq!(appender.root(), Hash::EMPTY);
    for (n, leaf) in leaves.iter().enumerate() {
        let growth = appender.append(&[*leaf]).unwrap();
        let whole = store(&leaves[..=n], &[n + 1]).0;
        assert_eq!((growth.size, growth.root), (n as u64 + 1, whole.root()));
    }
    // An independent way to the same root: the proofs' reader over the leaves alone.
    let by_leaves = merkle::root(600, |p| {
        let (start, end) = ((p.end() - (1 << p.level())) as usize, p.end() as usize);
        Ok::<_, std::convert::Infallible>(merkle::fold_perfect(&leaves[start..end]))
    });
    assert_eq!(by_leaves.unwrap(), appender.root());
}

#[test]
fn a_tree_is_taken_up_where_it_was_left() {
    let leaves = leaves(66_000);
    for size in [0_usize, 1, 255, 256, 257, 65_535, 65_536, 65_537] {
        let (left, stored) = store(&leaves[..size], &[100, 1000]);
        let mut fetched = Vec::new();
        let mut resumed = Appender::resume(size as u64, &left.root(), |tile| {
            fetched.push(tile);
            stored.get(&tile).cloned().ok_or(tile)
        })
        .unwrap();
        assert_eq!(resumed, left);
        assert_eq!(fetched, Tile::edge(size as u64));
        let mut straight = left.clone();
        assert_eq!(resumed.append(&leaves[size..]), straight.append(&leaves[size..]));
    }
}

#[test]
fn a_damaged_edge_is_refused() {
    let (left, stored) = store(&leaves(1000), &[1000]);
    let flipped = Appender::resume(1000, &left.root(), |tile| {
        let mut bytes = stored[&tile].clone();
        bytes[31] ^= 1;
        Ok::<_, std::convert::Infallible>(bytes)
    });
    assert!(matches!(flipped, Err(AppendError::Root(_))));
    let short = Appender::resume(1000, &left.root(), |tile| {
        Ok::<_, std::convert::Infallible>(stored[&tile][1..].to_vec())
    });
    assert!(matches!(short, Err(AppendError::Length(_))));
    let missing = Appender::resume(1000, &left.root(), Err);
    assert!(matches!(missing, Err(AppendError::Fetch(_))));
    let older = Appender::resume(999, &left.root(), |tile| stored.get(&tile).cloned().ok_or(tile));
    assert!(matches!(older, Err(AppendError::Fetch(_))));
}

#[test]
fn the_largest_tree_does_not_grow() {
    let mut full = Appender { size: SIZE_MAX, ..Appender::new() };
    let before = full.clone();
    assert_eq!(full.append(&[Hash::EMPTY]), Err(AppendError::Size));
    assert_eq!(full, before);
}
