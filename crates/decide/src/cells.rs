//! Small sets of small numbers: cells of an axis, values of a fact.

/// Numbers below 512.
#[derive(Clone, Copy, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Cells([u64; WORDS]);

impl PartialEq for Cells {
    /// All words at once: quicker than word after word.
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

/// The words of a set.
pub const WORDS: usize = 8;

/// The most cells that an axis, and the most words that a fact, may have.
// LIMIT: kinds of one fact that the rules may tell apart.
pub const CELLS_MAX: usize = 64 * WORDS;

impl Cells {
    /// The first `n`.
    pub fn first(n: usize) -> Self {
        let mut cells = Self::default();
        for (i, word) in cells.0.iter_mut().enumerate() {
            *word = match n.saturating_sub(i * 64) {
                0 => 0,
                left if left >= 64 => u64::MAX,
                left => (1 << left) - 1,
            };
        }
        cells
    }

    /// One.
    pub fn one(i: usize) -> Self {
        let mut cells = Self::default();
        cells.insert(i);
        cells
    }

    /// Writes the 64 bits from `i` × 64 on.
    pub fn put_word(&mut self, i: usize, word: u64) {
        self.0.iter_mut().skip(i).take(1).for_each(|w| *w = word);
    }

    /// Adds one.
    pub fn insert(&mut self, i: usize) {
        if let Some(word) = self.0.get_mut(i / 64) {
            *word |= 1 << (i % 64);
        }
    }

    /// Whether it is in.
    pub fn has(&self, i: usize) -> bool {
        self.0.get(i / 64).is_some_and(|w| w >> (i % 64) & 1 == 1)
    }

    /// How many are in.
    pub fn len(&self) -> usize {
        self.0.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Whether none is in.
    pub fn is_empty(&self) -> bool {
        self.0.iter().fold(0, |any, w| any | w) == 0
    }

    /// The one that is in, if it is alone.
    pub fn only(&self) -> Option<usize> {
        let mut found = None;
        for (i, word) in self.0.iter().enumerate().filter(|(_, w)| **w != 0) {
            if found.is_some() || word & (word - 1) != 0 {
                return None;
            }
            found = Some(i * 64 + word.trailing_zeros() as usize);
        }
        found
    }

    /// The lowest.
    pub fn lowest(&self) -> Option<usize> {
        self.0.iter().position(|w| *w != 0).map(|i| i * 64 + self.0.get(i).map_or(0, |w| w.trailing_zeros() as usize))
    }

    /// Those in both.
    pub fn and(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    /// Those in either.
    pub fn or(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    /// Those that are not in the other.
    pub fn without(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    fn zip(&self, other: &Self, f: impl Fn(u64, u64) -> u64) -> Self {
        let mut out = Self::default();
        for ((slot, a), b) in out.0.iter_mut().zip(self.0).zip(other.0) {
            *slot = f(a, b);
        }
        out
    }

    /// The 64 bits from `i` × 64 on.
    pub fn word(&self, i: usize) -> u64 {
        self.0.get(i).copied().unwrap_or(0)
    }

    /// Ascending.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(i, mut word)| {
            std::iter::from_fn(move || {
                (word != 0).then(|| {
                    let bit = word.trailing_zeros() as usize;
                    word &= word - 1;
                    i * 64 + bit
                })
            })
        })
    }
}

impl FromIterator<usize> for Cells {
    fn from_iter<I: IntoIterator<Item = usize>>(items: I) -> Self {
        let mut cells = Self::default();
        items.into_iter().for_each(|i| cells.insert(i));
        cells
    }
}
