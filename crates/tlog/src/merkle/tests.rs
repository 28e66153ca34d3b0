use super::*;
use std::collections::BTreeMap;
use std::convert::Infallible;

/// The eight leaves and the values below are the published test vectors of the Certificate Transparency
/// implementations of RFC 6962 (Apache-2.0, facts only).
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn hash(text: &str) -> Hash {
    Hash::read(&unhex(text)).unwrap()
}

/// RFC 6962 section 2.1, as it is written: the naive reference.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::EMPTY,
        [leaf] => *leaf,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}

/// RFC 6962 section 2.1.1, as it is written.
fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut proof, sibling) = if m < k {
        (path(m, &leaves[..k]), mth(&leaves[k..]))
    } else {
        (path(m - k, &leaves[k..]), mth(&leaves[..k]))
    };
    proof.push(sibling);
    proof
}

/// RFC 6962 section 2.1.2, as it is written.
fn subproof(m: usize, leaves: &[Hash], complete: bool) -> Vec<Hash> {
    let n = leaves.len();
    if m == n {
        return if complete { Vec::new() } else { vec![mth(leaves)] };
    }
    let k = n.next_power_of_two() / 2;
    let (mut proof, sibling) = if m <= k {
        (subproof(m, &leaves[..k], complete), mth(&leaves[k..]))
    } else {
        (subproof(m - k, &leaves[k..], false), mth(&leaves[..k]))
    };
    proof.push(sibling);
    proof
}

/// Every perfect subtree over these leaves.
fn subtrees(leaves: &[Hash]) -> BTreeMap<Position, Hash> {
    let mut all = BTreeMap::new();
    let mut row = leaves.to_vec();
    for level in 0.. {
        for (index, hash) in row.iter().enumerate() {
            all.insert(Position::new(level, index as u64).unwrap(), *hash);
        }
        row = row.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
        if row.is_empty() {
            return all;
        }
    }
    all
}

fn reader(all: &BTreeMap<Position, Hash>) -> impl FnMut(Position) -> Result<Hash, Infallible> + '_ {
    |position| Ok(all[&position])
}

fn vector_leaves() -> Vec<Hash> {
    LEAVES.iter().map(|leaf| leaf_hash(&unhex(leaf))).collect()
}

#[test]
fn roots_are_the_published_ones() {
    let all = subtrees(&vector_leaves());
    assert_eq!(root(0, reader(&all)).unwrap(), Hash::EMPTY);
    assert_eq!(Hash::EMPTY.as_bytes(), &<[u8; 32]>::from(Sha256::digest(b"")));
    for (n, expected) in ROOTS.iter().enumerate() {
        assert_eq!(root(n as u64 + 1, reader(&all)).unwrap(), hash(expected), "size {}", n + 1);
    }
}

#[test]
fn proofs_are_the_published_ones() {
    let all = subtrees(&vector_leaves());
    let inclusion: [(u64, u64, &[&str]); 5] = [
        (0, 1, &[]),
        (
            0,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            &[
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        (
            1,
            5,
            &[
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    for (index, size, expected) in inclusion {
        let expected: Vec<Hash> = expected.iter().map(|h| hash(h)).collect();
        assert_eq!(inclusion_proof(index, size, reader(&all)).unwrap(), expected, "{index} in {size}");
    }
    let consistency: [(u64, u64, &[&str]); 4] = [
        (1, 1, &[]),
        (
            1,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            &[
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            &[
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    for (old, new, expected) in consistency {
        let expected: Vec<Hash> = expected.iter().map(|h| hash(h)).collect();
        assert_eq!(consistency_proof(old, new, reader(&all)).unwrap(), expected, "{old} to {new}");
    }
}

/// Numbers that look random and are the same on every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn flip(&mut self, hash: &Hash) -> Hash {
        let mut bytes = *hash.as_bytes();
        bytes[self.below(32)] ^= 1 << self.below(8);
        Hash::new(bytes)
    }

    fn leaves(&mut self, n: usize) -> Vec<Hash> {
        (0..n).map(|_| leaf_hash(&self.next().to_le_bytes())).collect()
    }
}

const SIZES: usize = 300;

#[test]
fn every_inclusion_proof_holds_and_no_flipped_bit_does() {
    let mut dice = Dice(6962);
    let leaves = dice.leaves(SIZES);
    let all = subtrees(&leaves);
    for size in 1..=SIZES as u64 {
        let root = root(size, reader(&all)).unwrap();
        assert_eq!(root, mth(&leaves[..size as usize]));
        for index in 0..size {
            let leaf = leaves[index as usize];
            let proof = inclusion_proof(index, size, reader(&all)).unwrap();
            let verify = |leaf: &Hash, index, proof: &[Hash], root: &Hash| {
                verify_inclusion(leaf, index, size, proof, root)
            };
            verify(&leaf, index, &proof, &root).unwrap();
            assert_eq!(verify(&dice.flip(&leaf), index, &proof, &root), Err(Unproven::Root));
            assert_eq!(verify(&leaf, index, &proof, &dice.flip(&root)), Err(Unproven::Root));
            assert!(verify(&leaf, index ^ (1 << dice.below(10)), &proof, &root).is_err());
            let mut long = proof.clone();
            long.push(leaf);
            assert_eq!(verify(&leaf, index, &long, &root), Err(Unproven::Length));
            if let Some(at) = (!proof.is_empty()).then(|| dice.below(proof.len())) {
                let mut forged = proof.clone();
                forged[at] = dice.flip(&forged[at]);
                assert_eq!(verify(&leaf, index, &forged, &root), Err(Unproven::Root));
                assert_eq!(verify(&leaf, index, &proof[1..], &root), Err(Unproven::Length));
            }
        }
    }
}

#[test]
fn every_consistency_proof_holds_and_no_flipped_bit_does() {
    let mut dice = Dice(9162);
    let leaves = dice.leaves(SIZES);
    let all = subtrees(&leaves);
    let roots: Vec<Hash> = (0..=SIZES as u64).map(|n| root(n, reader(&all)).unwrap()).collect();
    for new in 0..=SIZES {
        for old in 0..=new {
            let proof = consistency_proof(old as u64, new as u64, reader(&all)).unwrap();
            let verify = |old_root: &Hash, new_root: &Hash, proof: &[Hash]| {
                verify_consistency(old as u64, old_root, new as u64, new_root, proof)
            };
            verify(&roots[old], &roots[new], &proof).unwrap();
            assert!(verify(&dice.flip(&roots[old]), &roots[new], &proof).is_err());
            // From nothing, any tree follows: there the new root is not bound by the proof.
            if old > 0 {
                assert!(verify(&roots[old], &dice.flip(&roots[new]), &proof).is_err());
            }
            let mut long = proof.clone();
            long.push(roots[new]);
            assert_eq!(verify(&roots[old], &roots[new], &long), Err(Unproven::Length));
            if let Some(at) = (!proof.is_empty()).then(|| dice.below(proof.len())) {
                let mut forged = proof.clone();
                forged[at] = dice.flip(&forged[at]);
                assert!(verify(&roots[old], &roots[new], &forged).is_err());
                assert!(verify(&roots[old], &roots[new], &proof[..proof.len() - 1]).is_err());
            }
        }
    }
}

#[test]
fn proofs_are_those_of_the_text_of_the_rfc() {
    let mut dice = Dice(70);
    let leaves = dice.leaves(70);
    let all = subtrees(&leaves);
    for size in 1..=70_usize {
        for index in 0..size {
            let ours = inclusion_proof(index as u64, size as u64, reader(&all)).unwrap();
            assert_eq!(ours, path(index, &leaves[..size]));
        }
        for old in 1..=size {
            let ours = consistency_proof(old as u64, size as u64, reader(&all)).unwrap();
            assert_eq!(ours, subproof(old, &leaves[..size], true));
        }
    }
}

#[test]
fn what_lies_outside_the_tree_is_refused() {
    let all = subtrees(&vector_leaves());
    assert_eq!(inclusion_proof(8, 8, reader(&all)), Err(BuildError::OutOfRange));
    assert_eq!(inclusion_proof(0, SIZE_MAX + 1, reader(&all)), Err(BuildError::OutOfRange));
    assert_eq!(consistency_proof(5, 4, reader(&all)), Err(BuildError::OutOfRange));
    assert_eq!(verify_inclusion(&Hash::EMPTY, 0, 0, &[], &Hash::EMPTY), Err(Unproven::OutOfRange));
    assert_eq!(verify_inclusion(&Hash::EMPTY, 0, u64::MAX, &[], &Hash::EMPTY), Err(Unproven::OutOfRange));
    assert_eq!(verify_consistency(2, &Hash::EMPTY, 1, &Hash::EMPTY, &[]), Err(Unproven::OutOfRange));
    assert_eq!(Position::new(63, 0), None);
    assert_eq!(Position::new(64, 0), None);
    assert_eq!(Position::new(0, u64::MAX), None);
    assert_eq!(Position::new(62, 0).map(Position::end), Some(1 << 62));
}

#[test]
fn a_node_is_no_leaf() {
    let all = subtrees(&vector_leaves());
    let root = root(8, reader(&all)).unwrap();
    assert_eq!(verify_inclusion(&root, 0, 8, &[], &root), Err(Unproven::Length));
    let proof = inclusion_proof(0, 8, reader(&all)).unwrap();
    let parent = all[&Position::new(1, 0).unwrap()];
    assert_eq!(verify_inclusion(&parent, 0, 8, &proof[1..], &root), Err(Unproven::Length));
    assert_eq!(verify_consistency(1, &root, 8, &root, &[]), Err(Unproven::Length));
}

#[test]
fn the_largest_tree_has_proofs_within_the_limit() {
    let same = |_: Position| Ok::<_, Infallible>(Hash::EMPTY);
    assert_eq!(inclusion_proof(0, SIZE_MAX, same).unwrap().len(), PROOF_LEN_MAX);
    assert!(consistency_proof(SIZE_MAX - 1, SIZE_MAX, same).unwrap().len() <= PROOF_LEN_MAX);
}

#[test]
fn a_hash_has_one_spelling() {
    let text = Hash::EMPTY.to_string();
    assert_eq!(text, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_eq!(Hash::parse(&text), Some(Hash::EMPTY));
    for wrong in [&text[..43], "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=", "", " "] {
        assert_eq!(Hash::parse(wrong), None, "{wrong}");
    }
}
