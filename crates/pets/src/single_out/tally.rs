//! Counts how many records share a class and a code: by a table of all pairs where it is small, else by open addressing.

/// Records that some columns do not yet describe alone, with their classes.
#[derive(Clone, Default)]
pub(super) struct Left {
    /// Record and class.
    rows: Vec<(u32, u32)>,
    /// How many classes there are, numbered from 0 without gaps.
    count: usize,
    /// Records that the columns describe alone.
    alone: u64,
}

impl Left {
    /// So many records, all in one class.
    pub(super) fn all(rows: u32) -> Self {
        Self { rows: (0..rows).map(|row| (row, 0)).collect(), count: 1, alone: 0 }
    }

    pub(super) fn told(&self) -> Told {
        Told { alone: self.alone, few: 0, together: self.rows.len() as u64, classes: self.count as u64 }
    }
}

/// How the records fall into classes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Told {
    /// Records that are alone.
    pub(super) alone: u64,
    /// Records that are together with at most nine others.
    pub(super) few: u64,
    /// Records that are not alone, and their classes.
    pub(super) together: u64,
    pub(super) classes: u64,
}

impl Told {
    /// Notes a class of so many.
    pub(super) fn note(&mut self, size: u64) {
        match size {
            0 => {}
            1 => self.alone += 1,
            _ => {
                self.few += if size <= FEW { size } else { 0 };
                self.together += size;
                self.classes += 1;
            }
        }
    }
}

const FEW: u64 = 10;
// LIMIT: pairs of class and code that have a place each rather than by hash: half a megabyte.
const DIRECT_MAX: usize = 1 << 17;
/// Marks a place that counts no more and holds the number of its class.
const NUMBERED: u32 = 1 << 31;

/// Places for counting that are used again and again.
#[derive(Default)]
pub(super) struct Tally {
    /// The place of each record.
    at: Vec<u32>,
    /// How many records have the place.
    ///
    /// INVARIANT: all zero between two calls; clearing what was counted costs less than clearing all.
    counts: Vec<u32>,
    /// Which pair has the place, where it is not told by the place itself; says nothing where nothing is counted.
    keys: Vec<u64>,
}

impl Tally {
    /// The classes that one more column makes; who is alone stays so, and is only counted from then on.
    pub(super) fn refine(&mut self, from: &Left, codes: &[u32], width: usize) -> Left {
        self.count(from, codes, width);
        let mut out = Left { alone: from.alone, ..Left::default() };
        out.rows.reserve(from.rows.len());
        let mut next = 0;
        for (&(row, _), &at) in from.rows.iter().zip(&self.at) {
            let Some(count) = self.counts.get_mut(at as usize) else { continue };
            if *count == 1 {
                out.alone += 1;
                continue;
            }
            if *count < NUMBERED {
                *count = NUMBERED | next;
                next += 1;
            }
            out.rows.push((row, *count & !NUMBERED));
        }
        out.count = next as usize;
        self.clear();
        out
    }

    /// What one more column singles out.
    pub(super) fn tell(&mut self, from: &Left, codes: &[u32], width: usize) -> Told {
        let pairs = self.count(from, codes, width);
        let in_few = |at: &u32| self.counts.get(*at as usize).is_some_and(|count| *count <= FEW as u32);
        let few = self.at.iter().filter(|at| in_few(at)).count() as u64;
        self.clear();
        Told { few: few - pairs.alone(), ..self.told(from, pairs) }
    }

    /// The same without those who are together with few: one pass less, for combinations of which most are passed over.
    pub(super) fn glance(&mut self, from: &Left, codes: &[u32], width: usize) -> Told {
        let pairs = self.count(from, codes, width);
        self.clear();
        self.told(from, pairs)
    }

    fn told(&self, from: &Left, pairs: Pairs) -> Told {
        let together = self.at.len() as u64 - pairs.alone();
        Told { alone: from.alone + pairs.alone(), few: 0, together, classes: pairs.shared }
    }

    fn clear(&mut self) {
        for &at in &self.at {
            if let Some(count) = self.counts.get_mut(at as usize) {
                *count = 0;
            }
        }
    }

    fn make_room(&mut self, places: usize) {
        if self.counts.len() < places {
            self.counts.resize(places, 0);
        }
    }

    /// Counts the records of each pair.
    fn count(&mut self, from: &Left, codes: &[u32], width: usize) -> Pairs {
        self.at.clear();
        let code = |row: u32| codes.get(row as usize).copied().unwrap_or(0);
        let pairs = from.rows.iter().map(|&(row, class)| (class, code(row)));
        let room = from.count.saturating_mul(width);
        let mut seen = Pairs::default();
        if room <= DIRECT_MAX {
            self.make_room(room);
            let counts = &mut self.counts;
            self.at.extend(pairs.map(|(class, code)| {
                let at = class * width as u32 + code;
                if let Some(count) = counts.get_mut(at as usize) {
                    *count += 1;
                    seen.note(*count);
                }
                at
            }));
            return seen;
        }
        let bits = (from.rows.len() * 2).next_power_of_two().max(2).ilog2();
        self.make_room(1 << bits);
        self.keys.resize(self.keys.len().max(1 << bits), 0);
        for (class, code) in pairs {
            let key = u64::from(class) << 32 | u64::from(code);
            let mut at = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - bits)) as usize;
            // INVARIANT: at most half of the places are taken, so a free one comes.
            while let (Some(count), Some(taken)) = (self.counts.get_mut(at), self.keys.get_mut(at)) {
                if *count == 0 {
                    *taken = key;
                }
                if *taken == key {
                    *count += 1;
                    seen.note(*count);
                    break;
                }
                at = (at + 1) & ((1 << bits) - 1);
            }
            self.at.push(at as u32);
        }
        seen
    }
}

/// How many pairs of class and code there are, and how many of them several records share.
#[derive(Clone, Copy, Default)]
struct Pairs {
    all: u64,
    shared: u64,
}

impl Pairs {
    /// One record more; `count` is how many its pair has with it.
    fn note(&mut self, count: u32) {
        self.all += u64::from(count == 1);
        self.shared += u64::from(count == 2);
    }

    fn alone(self) -> u64 {
        self.all - self.shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    // Counted with maps of the codes themselves, for columns that need a table and columns that need a hash.
    #[test]
    fn classes_are_those_of_the_codes_side_by_side() {
        let column = |rows: u32, width: u32, salt: u32| -> Vec<u32> {
            (0..rows).map(|row| (row.wrapping_mul(2_654_435_761).rotate_left(salt) >> 7) % width).collect()
        };
        for (rows, widths) in [(500, [2, 3, 5]), (3000, [2000, 7, 400]), (3000, [9, 900, 60]), (1, [1, 1, 1]), (0, [1, 1, 1])] {
            let columns: Vec<Vec<u32>> = (0..).zip(widths).map(|(i, width)| column(rows, width, i * 5 + 3)).collect();
            let naive = |upto: usize| {
                let mut sizes: BTreeMap<Vec<u32>, u64> = BTreeMap::new();
                (0..rows as usize).for_each(|row| *sizes.entry(columns.iter().take(upto).map(|c| c[row]).collect()).or_default() += 1);
                let mut told = Told::default();
                sizes.values().for_each(|&n| told.note(n));
                told
            };
            let mut tally = Tally::default();
            let mut left = Left::all(rows);
            for (n, (codes, width)) in columns.iter().zip(widths).enumerate() {
                assert_eq!(tally.tell(&left, codes, width as usize), naive(n + 1), "{widths:?} {n}");
                assert_eq!(tally.glance(&left, codes, width as usize), Told { few: 0, ..naive(n + 1) }, "{widths:?} {n}");
                left = tally.refine(&left, codes, width as usize);
                assert_eq!(Told { few: 0, ..naive(n + 1) }, left.told(), "{widths:?} {n}");
            }
        }
    }
}
