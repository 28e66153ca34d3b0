//! A sample of a column's distinct values that does not depend on the order of rows.

use crate::intern::Mixed;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

// LIMIT: distinct values kept of a column; beyond, those with the smallest hashes.
const KEPT: usize = 8192;

/// Keeps the distinct values with the smallest hashes, each with its count.
///
/// INVARIANT: what is kept depends on the set of values alone, because a value once above the bar never comes back.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    counts: HashMap<Box<str>, u64, BuildHasherDefault<Mixed>>,
    bar: u64,
    rows: u64,
    missing: u64,
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self { counts: HashMap::default(), bar: u64::MAX, rows: 0, missing: 0 }
    }

    pub(crate) fn push(&mut self, text: Option<&str>) {
        self.push_many(text, 1);
    }

    /// True while nothing was pushed.
    pub(crate) fn is_fresh(&self) -> bool {
        self.rows == 0
    }

    /// Counts a value that occurs so many times.
    pub(crate) fn push_many(&mut self, text: Option<&str>, times: u64) {
        self.rows += times;
        let Some(text) = text else {
            self.missing += times;
            return;
        };
        if let Some(count) = self.counts.get_mut(text) {
            *count += times;
        } else if hash(text) <= self.bar {
            self.counts.insert(text.into(), times);
            if self.counts.len() > 2 * KEPT {
                self.prune();
            }
        }
    }

    fn prune(&mut self) {
        let mut hashes: Vec<u64> = self.counts.keys().map(|text| hash(text)).collect();
        if hashes.len() > KEPT {
            let (_, bar, _) = hashes.select_nth_unstable(KEPT - 1);
            self.bar = *bar;
            let bar = *bar;
            self.counts.retain(|text, _| hash(text) <= bar);
        }
    }

    /// What was kept, smallest hash first: the first so many values are a sample of the values, whatever the order of rows.
    pub(crate) fn finish(mut self) -> Kept {
        self.prune();
        let distinct = self.distinct();
        let mut hashed: Vec<(u64, Box<str>, u64)> =
            self.counts.into_iter().map(|(text, n)| (hash(&text), text, n)).collect();
        hashed.sort_unstable();
        let values = hashed.into_iter().map(|(_, text, n)| (text, n)).collect();
        Kept { values, rows: self.rows, missing: self.missing, distinct, is_whole: self.bar == u64::MAX }
    }

    /// Number of distinct values: exact while all are kept, else estimated from the bar.
    fn distinct(&self) -> u64 {
        match self.bar {
            u64::MAX => self.counts.len() as u64,
            bar => ((self.counts.len() as f64 - 1.0) / (bar as f64 / u64::MAX as f64)) as u64,
        }
    }
}

/// A finished sample.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    values: Vec<(Box<str>, u64)>,
    rows: u64,
    missing: u64,
    distinct: u64,
    is_whole: bool,
}

impl Kept {
    /// The sample of values that were all counted before, each given once: the number of distinct ones is exact.
    pub(crate) fn of_counted<'a>(counted: impl Iterator<Item = (Option<&'a str>, u64)>) -> Self {
        let (mut rows, mut missing) = (0, 0);
        let mut hashed: Vec<(u64, &str, u64)> = Vec::new();
        for (text, times) in counted {
            rows += times;
            match text {
                Some(text) => hashed.push((hash(text), text, times)),
                None => missing += times,
            }
        }
        let distinct = hashed.len() as u64;
        if hashed.len() > KEPT {
            hashed.select_nth_unstable(KEPT - 1);
            hashed.truncate(KEPT);
        }
        hashed.sort_unstable();
        let values = hashed.into_iter().map(|(_, text, n)| (text.into(), n)).collect();
        Self { values, rows, missing, distinct, is_whole: true }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    /// Number of distinct values, counted or estimated.
    pub(crate) fn distinct(&self) -> u64 {
        self.distinct
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(text, _)| text.as_ref())
    }

    pub(crate) fn counted(&self) -> impl Iterator<Item = (&str, u64)> {
        self.values.iter().map(|(text, n)| (text.as_ref(), *n))
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}

// FNV-1a, then mixed; fixed, so that two runs keep the same values.
fn hash(text: &str) -> u64 {
    let mut h: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        h = (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    h ^= h >> 32;
    h = h.wrapping_mul(0xd6e8_feb8_6659_fd93);
    h ^ (h >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_sample_does_not_depend_on_the_order_of_rows() {
        let kept = |values: &mut dyn Iterator<Item = u32>| {
            let mut sample = Sample::new();
            values.for_each(|v| sample.push(Some(&v.to_string())));
            let sample = sample.finish();
            assert!((55_000..65_000).contains(&sample.distinct()), "{}", sample.distinct());
            sample.counted().map(|(t, n)| (t.to_string(), n)).collect::<BTreeSet<_>>()
        };
        let forward = kept(&mut (0..60_000).chain(0..60_000));
        assert_eq!(forward, kept(&mut (0..60_000).rev().chain(0..60_000)));
        assert_eq!(forward.len(), KEPT);
        assert!(forward.iter().all(|(_, n)| *n == 2));
        let texts: Vec<String> = (0..60_000).map(|v| v.to_string()).collect();
        let counted = Kept::of_counted(texts.iter().map(|t| (Some(t.as_str()), 2)).chain([(None, 5)]));
        assert_eq!((counted.rows(), counted.missing(), counted.distinct()), (120_005, 5, 60_000));
        assert_eq!(forward, counted.counted().map(|(t, n)| (t.to_string(), n)).collect());
    }
}
