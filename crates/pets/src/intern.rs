//! Small whole numbers for values: the counting engine sees codes, never text.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The code of a missing value; missing is a value of its own in every count.
pub(crate) const MISSING: u32 = 0;

/// Gives each distinct text of a column a code, from 1 in order of first sight.
#[derive(Debug, Default, Clone)]
pub(crate) struct Codes {
    codes: HashMap<Box<str>, u32, BuildHasherDefault<Mixed>>,
    texts: Vec<Box<str>>,
}

impl Codes {
    pub(crate) fn code(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return MISSING };
        if let Some(&code) = self.codes.get(text) {
            return code;
        }
        self.texts.push(text.into());
        // INVARIANT: `Classes::push` refuses long before 2^32 values, so no two values share a code.
        let code = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.codes.insert(text.into(), code);
        code
    }

    /// The text of a code; `None` for missing.
    pub(crate) fn text(&self, code: u32) -> Option<&str> {
        self.texts.get((code as usize).checked_sub(1)?).map(AsRef::as_ref)
    }

    /// Number of codes, missing included.
    pub(crate) fn len(&self) -> usize {
        self.texts.len() + 1
    }
}

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
        // Two loads that overlap cover four to seven bytes.
        let half = |part: Option<&[u8; 4]>| u64::from(part.map_or(0, |p| u32::from_le_bytes(*p)));
        let rest = match rest.len() {
            4.. => half(rest.first_chunk()) | half(rest.last_chunk()) << 24,
            _ => rest.iter().fold(0, |word, &b| word << 8 | u64::from(b)),
        };
        self.write_u64(rest ^ (bytes.len() as u64) << 56);
    }
    fn write_u8(&mut self, value: u8) {
        self.0 ^= u64::from(value).rotate_left(57);
    }
    fn write_u64(&mut self, value: u64) {
        let product = u128::from(value ^ self.0 ^ 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}
