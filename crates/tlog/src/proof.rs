//! Offline proofs that an entry is in a log, per c2sp.org/tlog-proof: the content of a `.tlog-proof` file.

use crate::checkpoint::{CheckpointError, SignedCheckpoint, parse_decimal};
use crate::merkle::{self, Hash, PROOF_LEN_MAX, Unproven};
use crate::note::NOTE_BYTES_MAX;
use crate::policy::{Accepted, Period, Policy, Rejected};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use std::fmt;

/// The first line of every proof.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// LIMIT: the most extra bytes, which nothing authenticates.
pub const EXTRA_BYTES_MAX: usize = 64 * 1024;

/// LIMIT: the largest proof that is read: lines of header, extra, index and hashes, and a note.
pub const PROOF_BYTES_MAX: usize = NOTE_BYTES_MAX + EXTRA_BYTES_MAX * 4 / 3 + PROOF_LEN_MAX * 45 + 128;

/// Why a proof cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// The proof, its extra data or the number of its hashes exceeds a limit.
    Limit,
    /// The first line is not that of a proof of this version.
    Header,
    /// The extra line is no base64.
    Extra,
    /// The index line is missing, or no number in its one spelling.
    Index,
    /// A line is no hash in base64, or no empty line follows them.
    Hash,
    /// The checkpoint is refused.
    Checkpoint(CheckpointError),
}

impl ProofError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Limit => "tlog/proof-limit",
            Self::Header => "tlog/proof-header",
            Self::Extra => "tlog/proof-extra",
            Self::Index => "tlog/proof-index",
            Self::Hash => "tlog/proof-hash",
            Self::Checkpoint(fault) => fault.code(),
        }
    }
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit => f.write_str("the proof is too large"),
            Self::Header => write!(f, "a proof starts with `{HEADER}`"),
            Self::Extra => f.write_str("the extra line is not in base64"),
            Self::Index => f.write_str("the index line is missing or malformed"),
            Self::Hash => f.write_str("a line of the inclusion proof is malformed"),
            Self::Checkpoint(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for ProofError {}

/// Why a proof does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refuted {
    /// The policy does not accept the checkpoint.
    Checkpoint(Rejected),
    /// The entry is not at this index of the tree.
    Inclusion(Unproven),
}

impl Refuted {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Checkpoint(fault) => fault.code(),
            Self::Inclusion(fault) => fault.code(),
        }
    }
}

impl fmt::Display for Refuted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint(fault) => fault.fmt(f),
            Self::Inclusion(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Refuted {}

/// An index, an inclusion proof and a signed checkpoint: all that one needs beside the entry and a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    extra: Option<Vec<u8>>,
    index: u64,
    path: Vec<Hash>,
    checkpoint: SignedCheckpoint,
}

impl Proof {
    /// Puts together what `merkle::inclusion_proof` built for the size of the checkpoint.
    ///
    /// # Errors
    /// The proof has more than 63 hashes.
    pub fn new(index: u64, path: Vec<Hash>, checkpoint: SignedCheckpoint) -> Result<Self, ProofError> {
        if path.len() > PROOF_LEN_MAX {
            return Err(ProofError::Limit);
        }
        Ok(Self { extra: None, index, path, checkpoint })
    }

    /// Adds opaque data of the application, which nothing authenticates.
    ///
    /// # Errors
    /// The data exceeds `EXTRA_BYTES_MAX`.
    pub fn with_extra(self, extra: Vec<u8>) -> Result<Self, ProofError> {
        if extra.len() > EXTRA_BYTES_MAX {
            return Err(ProofError::Limit);
        }
        Ok(Self { extra: Some(extra), ..self })
    }

    /// Parses a `.tlog-proof` file strictly: rendering it again gives the same bytes.
    ///
    /// # Errors
    /// The bytes are no proof.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(ProofError::Limit);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ProofError::Header)?;
        let rest = text.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('\n'));
        let rest = rest.ok_or(ProofError::Header)?;
        let (head, checkpoint) = rest.split_once("\n\n").ok_or(ProofError::Hash)?;
        let mut lines = head.split('\n');
        let mut line = lines.next().unwrap_or_default();
        let mut extra = None;
        if let Some(data) = line.strip_prefix("extra ") {
            let data = BASE64_STANDARD.decode(data).map_err(|_| ProofError::Extra)?;
            if data.len() > EXTRA_BYTES_MAX {
                return Err(ProofError::Limit);
            }
            extra = Some(data);
            line = lines.next().unwrap_or_default();
        }
        let index = line.strip_prefix("index ").and_then(parse_decimal).ok_or(ProofError::Index)?;
        let path = parse_hashes(lines).ok_or(ProofError::Hash)?;
        let checkpoint = SignedCheckpoint::parse(checkpoint.as_bytes()).map_err(ProofError::Checkpoint)?;
        Ok(Self { extra, ..Self::new(index, path, checkpoint)? })
    }

    /// The application's opaque data, which nothing authenticates.
    #[must_use]
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// The index that is claimed for the entry.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The inclusion proof.
    #[must_use]
    pub fn path(&self) -> &[Hash] {
        &self.path
    }

    /// The checkpoint that it leads to, unverified.
    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// Verifies that the entry with this leaf hash is in a log that the policy accepts, per c2sp.org/tlog-proof.
    ///
    /// # Errors
    /// The policy does not accept the checkpoint, or the entry is not at the index of its tree.
    pub fn verify<'p>(
        &self,
        leaf: &Hash,
        policy: &'p Policy,
        within: Period,
    ) -> Result<Accepted<'p>, Refuted> {
        let accepted = policy.verify(&self.checkpoint, within).map_err(Refuted::Checkpoint)?;
        let tree = accepted.checkpoint();
        merkle::verify_inclusion(leaf, self.index, tree.size(), &self.path, tree.root())
            .map_err(Refuted::Inclusion)?;
        Ok(accepted)
    }
}

impl fmt::Display for Proof {
    /// Writes the content of the `.tlog-proof` file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", BASE64_STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Parses lines of one hash each; none if a line is another thing or there is one line too many.
pub(crate) fn parse_hashes<'t>(lines: impl Iterator<Item = &'t str>) -> Option<Vec<Hash>> {
    let hashes: Option<Vec<Hash>> = lines.take(PROOF_LEN_MAX + 1).map(Hash::parse).collect();
    hashes.filter(|hashes| hashes.len() <= PROOF_LEN_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appender::Appender;
    use crate::checkpoint::Checkpoint;
    use crate::cosignature::{Cosigner, Timestamp};
    use crate::key::KeyName;
    use crate::note::Signer;
    use crate::tile::{Reader, Tile};
    use std::collections::BTreeMap;

    struct World {
        policy: Policy,
        leaves: Vec<Hash>,
        tiles: BTreeMap<Tile, Vec<u8>>,
        signed: SignedCheckpoint,
    }

    impl World {
        fn new(size: u64) -> Self {
            let name = |text| KeyName::parse(text).unwrap();
            let log = Signer::new(name("example.com/fancylog"), &[1; 32]);
            let witness = Cosigner::new(name("witness1.example"), &[2; 32]);
            let leaves: Vec<Hash> = (0..size).map(|n| merkle::leaf_hash(&n.to_be_bytes())).collect();
            let growth = Appender::new().append(&leaves).unwrap();
            let checkpoint = Checkpoint::new(name("example.com/fancylog"), size, growth.root).unwrap();
            let line = format!("{}\n", witness.cosign(&checkpoint, Timestamp::new(1000).unwrap()));
            let mut signed = checkpoint.sign(&log).unwrap();
            signed.attach(line.as_bytes(), &[witness.verifier().clone()]).unwrap();
            let policy = format!("log {}\nwitness w {}\nquorum w\n", log.verifier(), witness.verifier());
            let policy = Policy::parse(policy.as_bytes()).unwrap();
            Self { policy, leaves, tiles: growth.tiles.into_iter().collect(), signed }
        }

        fn prove(&self, index: u64) -> Proof {
            let size = self.leaves.len() as u64;
            let mut reader = Reader::new(size, |tile| self.tiles.get(&tile).cloned().ok_or(tile));
            let path = merkle::inclusion_proof(index, size, |p| reader.hash(p)).unwrap();
            Proof::new(index, path, self.signed.clone()).unwrap()
        }

        fn verify(&self, proof: &Proof, leaf: u64) -> Result<(), Refuted> {
            let period = Period::up_to(Timestamp::new(2000).unwrap());
            proof.verify(&self.leaves[leaf as usize], &self.policy, period).map(|_| ())
        }
    }

    #[test]
    fn proofs_read_back_and_verify() {
        for size in [1, 2, 3, 700] {
            let world = World::new(size);
            for index in [0, size / 2, size - 1] {
                let proof = world.prove(index);
                let text = proof.to_string();
                assert_eq!(Proof::parse(text.as_bytes()).as_ref(), Ok(&proof));
                world.verify(&proof, index).unwrap();
                let extra = proof.with_extra(b"opaque".to_vec()).unwrap();
                let text = extra.to_string();
                assert_eq!(text.lines().nth(1), Some("extra b3BhcXVl"));
                assert_eq!(Proof::parse(text.as_bytes()).as_ref(), Ok(&extra));
                world.verify(&extra, index).unwrap();
            }
        }
    }

    #[test]
    fn another_entry_is_refuted() {
        let world = World::new(700);
        let proof = world.prove(17);
        assert_eq!(world.verify(&proof, 18), Err(Refuted::Inclusion(Unproven::Root)));
        let moved = Proof { index: 18, ..proof.clone() };
        assert_eq!(world.verify(&moved, 17), Err(Refuted::Inclusion(Unproven::Root)));
        let beyond = Proof { index: 700, ..proof };
        assert_eq!(world.verify(&beyond, 17), Err(Refuted::Inclusion(Unproven::OutOfRange)));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let world = World::new(5);
        let bytes = world.prove(2).to_string().into_bytes();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut forged = bytes.clone();
                forged[at] ^= 1 << bit;
                let holds = Proof::parse(&forged).is_ok_and(|proof| world.verify(&proof, 2).is_ok());
                assert!(!holds, "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        let world = World::new(5);
        let good = world.prove(2).to_string();
        let checkpoint = world.signed.to_string();
        let head = good.strip_suffix(&checkpoint).unwrap();
        assert!(head.ends_with("\n\n"));
        let hash = Hash::EMPTY.to_string();
        let check = |text: String, expected: ProofError| {
            assert_eq!(Proof::parse(text.as_bytes()), Err(expected), "{text:?}");
        };
        check(good.replacen("@v1", "@v2", 1), ProofError::Header);
        check(good.replacen("index", "extra\nindex", 1), ProofError::Index);
        check(good.replacen("index", "extra ?\nindex", 1), ProofError::Extra);
        check(good.replacen("index 2", "index 02", 1), ProofError::Index);
        check(good.replacen("index 2\n", "", 1), ProofError::Index);
        check(good.replacen("index 2\n", "index 2\nnonsense\n", 1), ProofError::Hash);
        check(good.replacen("index 2\n", "index 2\r\n", 1), ProofError::Index);
        check(good.replacen('\n', "\n\n", 1), ProofError::Index);
        check(head.to_owned(), ProofError::Checkpoint(CheckpointError::Note(crate::note::NoteError::Form)));
        check(head.trim_end().to_owned() + "\n" + &checkpoint, ProofError::Hash);
        let long = format!("{HEADER}\nindex 2\n{}\n{checkpoint}", format!("{hash}\n").repeat(64));
        check(long, ProofError::Hash);
        let longest = format!("{HEADER}\nindex 2\n{}\n{checkpoint}", format!("{hash}\n").repeat(63));
        assert!(Proof::parse(longest.as_bytes()).is_ok());
        let none = format!("{HEADER}\nindex 0\n\n{checkpoint}");
        assert!(Proof::parse(none.as_bytes()).is_ok_and(|proof| proof.path().is_empty()));
        assert_eq!(Proof::parse(&vec![b'a'; PROOF_BYTES_MAX + 1]), Err(ProofError::Limit));
    }
}
