//! Small whole numbers for values: the counting engine sees codes, never text.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The code of a missing value; missing is a value of its own in every count.
pub(crate) const MISSING: u32 = 0;

/// Gives each distinct text of a column a code, from 1 in order of first sight.
#[derive(Debug, Default, Clone)]
pub(crate) struct Codes {
    /// Keys with their codes, by open addressing; code 0 is a free place. At most half are taken.
    places: Vec<(u64, u32)>,
    /// All texts, one after the other, and where each ends.
    texts: String,
    ends: Vec<usize>,
}

/// Keys from here on are hashes of longer texts; a smaller one is the text itself, with its length.
const HASHED: u64 = 1 << 63;

/// Up to seven bytes are the key as they are, so that equal keys are equal texts; nearly all cells of tables are so short.
fn key(text: &[u8]) -> u64 {
    if text.len() < 8 {
        return tail(text) | (text.len() as u64) << 56;
    }
    let mut hash = Mixed::default();
    hash.write(text);
    hash.finish() | HASHED
}

impl Codes {
    pub(crate) fn code(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return MISSING };
        let key = key(text.as_bytes());
        let mut at = self.home(key);
        while let Some(&(taken, code)) = self.places.get(at) {
            if code == 0 {
                break;
            }
            if taken == key && (key < HASHED || self.text(code) == Some(text)) {
                return code;
            }
            at = (at + 1) & (self.places.len() - 1);
        }
        self.add(key, text)
    }

    fn home(&self, key: u64) -> usize {
        // Without a place yet there is none to begin at.
        let bits = self.places.len().checked_ilog2().unwrap_or(0);
        (key.wrapping_mul(0xD6E8_FEB8_6659_FD93).checked_shr(64 - bits).unwrap_or(0)) as usize
    }

    #[cold]
    fn add(&mut self, key: u64, text: &str) -> u32 {
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
        // INVARIANT: `Classes::push` refuses long before 2^32 values, so no two values share a code.
        let code = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        if self.ends.len() * 2 > self.places.len() {
            let wider = vec![(0, 0); (self.places.len() * 2).max(PLACES_MIN)];
            let taken = std::mem::replace(&mut self.places, wider);
            taken.into_iter().filter(|(_, code)| *code != 0).for_each(|(key, code)| self.put(key, code));
        }
        self.put(key, code);
        code
    }

    fn put(&mut self, key: u64, code: u32) {
        let mut at = self.home(key);
        while let Some(place) = self.places.get_mut(at) {
            if place.1 == 0 {
                *place = (key, code);
                return;
            }
            at = (at + 1) & (self.places.len() - 1);
        }
    }

    /// The text of a code; `None` for missing.
    pub(crate) fn text(&self, code: u32) -> Option<&str> {
        let place = (code as usize).checked_sub(1)?;
        let begin = place.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.texts.get(begin..*self.ends.get(place)?)
    }

    /// Number of codes, missing included.
    pub(crate) fn len(&self) -> usize {
        self.ends.len() + 1
    }
}

const PLACES_MIN: usize = 64;

/// Folds a row's codes into one class id, column by column: a class is a path in a trie of codes.
#[derive(Debug, Default, Clone)]
pub(crate) struct Paths {
    steps: Vec<Pairs>,
}

pub(crate) type Pairs = HashMap<u64, u32, BuildHasherDefault<Mixed>>;

impl Paths {
    pub(crate) fn of_width(width: usize) -> Self {
        Self { steps: vec![Pairs::default(); width] }
    }

    /// One step of a path: the class after the column at `index`, for one row.
    pub(crate) fn step(&mut self, index: usize, class: u32, code: u32) -> u32 {
        self.steps.get_mut(index).map_or(class, |pairs| step(pairs, class, code))
    }

    /// The class of a row of codes; rows with equal codes get equal classes, from 0 in order of first sight.
    pub(crate) fn class(&mut self, codes: impl IntoIterator<Item = u32>) -> u32 {
        let mut class = 0;
        for (pairs, code) in self.steps.iter_mut().zip(codes) {
            class = step(pairs, class, code);
        }
        class
    }
}

pub(crate) fn step(pairs: &mut Pairs, class: u32, code: u32) -> u32 {
    let next = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
    *pairs.entry(u64::from(class) << 32 | u64::from(code)).or_insert(next)
}

/// Up to seven bytes as one number below 2^56; texts of one length have numbers of their own.
fn tail(bytes: &[u8]) -> u64 {
    // Two loads that overlap cover four to seven bytes, and show each of them somewhere alone.
    let half = |part: Option<&[u8; 4]>| u64::from(part.map_or(0, |p| u32::from_le_bytes(*p)));
    match bytes.len() {
        4.. => half(bytes.first_chunk()) | half(bytes.last_chunk()) << 24,
        _ => bytes.iter().fold(0, |word, &b| word << 8 | u64::from(b)),
    }
}

/// A multiply-and-fold hash, eight bytes at a time. Fixed: a holder who crafts collisions slows down their own counting.
#[derive(Default, Clone, Copy)]
pub(crate) struct Mixed(u64);

impl Hasher for Mixed {
    fn write_u32(&mut self, value: u32) {
        self.write_u64(value.into());
    }
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks::<8>();
        for chunk in chunks {
            self.write_u64(u64::from_le_bytes(*chunk));
        }
        self.write_u64(tail(rest) ^ (bytes.len() as u64) << 56);
    }
    fn write_u8(&mut self, value: u8) {
        self.0 ^= u64::from(value).rotate_left(57);
    }
    fn write_u64(&mut self, value: u64) {
        let product = u128::from(value ^ self.0 ^ 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_one_code_and_each_code_its_text() {
        let mut codes = Codes::default();
        // All texts of up to five of three letters, then long ones that differ in one place.
        let mut texts: Vec<String> = vec![String::new()];
        for n in 0..363 {
            texts.extend(["a", "b", "\0"].map(|c| format!("{}{c}", texts[n])));
        }
        texts.extend((0..3000).map(|n| format!("a text of more than seven bytes {n}")));
        texts.remove(0);
        let given: Vec<u32> = texts.iter().map(|t| codes.code(Some(t))).collect();
        assert_eq!(given, (1..=texts.len() as u32).collect::<Vec<u32>>());
        for (text, code) in texts.iter().zip(given) {
            assert_eq!((codes.code(Some(text)), codes.text(code)), (code, Some(text.as_str())));
        }
        assert_eq!((codes.code(None), codes.text(MISSING), codes.len()), (MISSING, None, texts.len() + 1));
    }
}
