//! A set of words, kept as hashes: tens of thousands of names in a megabyte, looked up without a comparison of texts.

use crate::intern::Mixed;
use serde::Deserialize;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// Words in lower case.
///
/// INVARIANT: two words share 64 bits of hash once in 10^14 lists of ours; a list is evidence, never proof.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Vec<String>")]
pub(crate) struct Listed {
    hashes: HashSet<u64, BuildHasherDefault<Mixed>>,
    /// What words begin with, outside ASCII.
    pub(crate) firsts: HashSet<char>,
}

impl Listed {
    pub(crate) fn of<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut out = Self::default();
        for word in words {
            out.hashes.insert(hash(word));
            out.firsts.extend(word.chars().next().filter(|c| !c.is_ascii()));
        }
        out
    }

    /// Takes in the words of another.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.hashes.extend(&other.hashes);
        self.firsts.extend(&other.firsts);
    }

    pub(crate) fn contains(&self, word: &str) -> bool {
        self.has(hash(word))
    }

    /// Whether it has the word with this hash.
    pub(crate) fn has(&self, hash: u64) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(&hash)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    pub(crate) fn hashes(&self) -> impl Iterator<Item = u64> {
        self.hashes.iter().copied()
    }
}

impl From<Vec<String>> for Listed {
    fn from(words: Vec<String>) -> Self {
        Self::of(words.iter().map(String::as_str))
    }
}

/// A set of characters of the basic plane, a bit for each; others are in none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chars {
    bits: Vec<u64>,
}

impl Chars {
    pub(crate) fn of(chars: impl Iterator<Item = char>) -> Self {
        let mut bits = vec![0u64; 1 << 10];
        for c in chars.map(u32::from) {
            bits.get_mut(c as usize / 64).into_iter().for_each(|word| *word |= 1 << (c % 64));
        }
        Self { bits }
    }

    pub(crate) fn contains(&self, c: char) -> bool {
        let c = u32::from(c);
        self.bits.get(c as usize / 64).is_some_and(|word| word >> (c % 64) & 1 == 1)
    }
}

pub(crate) fn hash(word: &str) -> u64 {
    let mut hash = Mixed::default();
    hash.write(word.as_bytes());
    hash.finish()
}
