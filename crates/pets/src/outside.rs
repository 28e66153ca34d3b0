//! Classes of a table that is larger than memory: what does not fit goes out sorted into parts, and comes back part by part.
//!
//! A class is named by 128 bits of hash of its values, so that two classes of a hundred million are confounded once in
//! 10^22 tables; counts are exact otherwise. Where the parts lie is the caller's: this room writes no file.

use crate::cell::Cells;
use crate::intern::Mixed;
use crate::measure::{NotCounted, Sizes};
use arrow_array::RecordBatch;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

/// Parts that are written now and read back later.
pub trait Spill {
    /// Why a part could not be written or read.
    type Failed;
    /// Appends bytes to a part, from 0 to [`PARTS`] less one.
    fn put(&mut self, part: usize, bytes: &[u8]) -> Result<(), Self::Failed>;
    /// Takes a part back, whole; an unwritten one is empty.
    fn take(&mut self, part: usize) -> Result<Vec<u8>, Self::Failed>;
}

/// Into how many parts classes are spread.
pub const PARTS: usize = 256;
/// Bytes of an entry: class, value of a sensitive column, records.
const ENTRY: usize = 28;
/// Bytes that an entry takes at most: 49 in a table that may be half empty, as much again while it grows or pours out.
const HELD: usize = 160;

/// Why a table could not be counted.
#[derive(Debug)]
pub enum NotMeasured<F> {
    /// A column is missing or cannot be read.
    NotCounted(NotCounted),
    /// The spill failed.
    Spill(F),
}

/// What was counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counted {
    /// Classes by their size.
    pub sizes: Sizes,
    /// For each sensitive column, the fewest different values of a class; a missing value is one.
    pub distinct_l: BTreeMap<String, u64>,
    /// Bytes that went out.
    pub spilled: u64,
}

type Key = (u128, u64);

/// Counts classes batch by batch within a limit of memory.
#[derive(Debug)]
pub struct Outside<S> {
    quasi: Vec<String>,
    sensitive: Vec<String>,
    held: HashMap<Key, u32, BuildHasherDefault<Mixed>>,
    held_max: usize,
    spill: S,
    spilled: u64,
}

impl<S: Spill> Outside<S> {
    /// Begins. About `memory` bytes are used for entries; fewer than a megabyte is a megabyte.
    pub fn of(quasi: &[String], sensitive: &[String], memory: usize, spill: S) -> Self {
        let held_max = memory.max(1 << 20) / HELD;
        Self { quasi: quasi.to_vec(), sensitive: sensitive.to_vec(), held: HashMap::default(), held_max, spill, spilled: 0 }
    }

    /// Counts a batch.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), NotMeasured<S::Failed>> {
        let read = |name: &String| {
            let array = batch.column_by_name(name).ok_or_else(|| NotCounted::MissingColumn(name.clone()))?;
            Cells::of(array).ok_or_else(|| NotCounted::Unreadable(name.clone()))
        };
        let quasi = self.quasi.iter().map(read).collect::<Result<Vec<_>, _>>().map_err(NotMeasured::NotCounted)?;
        let sensitive = self.sensitive.iter().map(read).collect::<Result<Vec<_>, _>>().map_err(NotMeasured::NotCounted)?;
        for row in 0..batch.num_rows() {
            let (mut low, mut high) = (Mixed::default(), Mixed::default());
            // Two hashes from two beginnings; the number of bytes ends each value, so values do not run together.
            high.write_u64(SECOND);
            for cells in &quasi {
                let text = cells.text(row);
                for hash in [&mut low, &mut high] {
                    match text.as_deref() {
                        Some(text) => hash.write(text.as_bytes()),
                        None => hash.write_u64(u64::MAX),
                    }
                }
            }
            let class = u128::from(high.finish()) << 64 | u128::from(low.finish());
            self.add((class, 0));
            for (place, cells) in (1u64..).zip(&sensitive) {
                let mut value = Mixed::default();
                value.write(cells.text(row).as_deref().unwrap_or("").as_bytes());
                // The upper bits tell the column: 1 and up, so that 0 stays the class itself.
                self.add((class, place << 48 | value.finish() >> 16));
            }
            if self.held.len() > self.held_max {
                self.pour()?;
            }
        }
        Ok(())
    }

    fn add(&mut self, key: Key) {
        *self.held.entry(key).or_default() += 1;
    }

    fn pour(&mut self) -> Result<(), NotMeasured<S::Failed>> {
        let mut parts: Vec<Vec<u8>> = vec![Vec::new(); PARTS];
        for ((class, value), n) in self.held.drain() {
            if let Some(part) = parts.get_mut(part(class)) {
                part.extend_from_slice(&class.to_le_bytes());
                part.extend_from_slice(&value.to_le_bytes());
                part.extend_from_slice(&n.to_le_bytes());
            }
        }
        for (number, bytes) in parts.iter().enumerate().filter(|(_, bytes)| !bytes.is_empty()) {
            self.spilled += bytes.len() as u64;
            self.spill.put(number, bytes).map_err(NotMeasured::Spill)?;
        }
        Ok(())
    }

    /// Ends: adds up part by part.
    pub fn finish(mut self) -> Result<Counted, NotMeasured<S::Failed>> {
        let mut sizes: BTreeMap<u64, u64> = BTreeMap::new();
        let mut fewest: Vec<u64> = vec![u64::MAX; self.sensitive.len()];
        if self.spilled == 0 {
            let entries = std::mem::take(&mut self.held).into_iter().map(|(key, n)| (key, u64::from(n))).collect();
            add_up(entries, &mut sizes, &mut fewest);
        } else {
            self.pour()?;
            for part in 0..PARTS {
                let bytes = self.spill.take(part).map_err(NotMeasured::Spill)?;
                add_up(bytes.as_chunks::<ENTRY>().0.iter().filter_map(entry).collect(), &mut sizes, &mut fewest);
            }
        }
        let distinct = |n: u64| if n == u64::MAX { 0 } else { n };
        Ok(Counted {
            sizes: Sizes::counted(sizes),
            distinct_l: self.sensitive.iter().cloned().zip(fewest.into_iter().map(distinct)).collect(),
            spilled: self.spilled,
        })
    }
}

/// A value as 128 bits of hash; 0 for a missing one.
pub(crate) fn name(text: Option<&str>) -> u128 {
    let Some(text) = text else { return 0 };
    let (mut low, mut high) = (Mixed::default(), Mixed::default());
    high.write_u64(SECOND);
    low.write(text.as_bytes());
    high.write(text.as_bytes());
    (u128::from(high.finish()) << 64 | u128::from(low.finish())).max(1)
}

/// Where the second of two hashes begins.
const SECOND: u64 = 0x5bd1_e995_9e37_79b9;

fn part(class: u128) -> usize {
    (class >> 120) as usize % PARTS
}

fn entry(bytes: &[u8; ENTRY]) -> Option<(Key, u64)> {
    let (class, rest) = bytes.split_first_chunk::<16>()?;
    let (value, n) = rest.split_first_chunk::<8>()?;
    let n = u32::from_le_bytes(*n.first_chunk::<4>()?);
    Some(((u128::from_le_bytes(*class), u64::from_le_bytes(*value)), n.into()))
}

/// Sorts the entries of a part and reads class after class.
fn add_up(mut entries: Vec<(Key, u64)>, sizes: &mut BTreeMap<u64, u64>, fewest: &mut [u64]) {
    entries.sort_unstable();
    for class in entries.chunk_by(|a, b| a.0.0 == b.0.0) {
        let size: u64 = class.iter().filter(|e| e.0.1 == 0).map(|e| e.1).sum();
        *sizes.entry(size).or_default() += 1;
        for (place, fewest) in (1u64..).zip(&mut *fewest) {
            let values = class.chunk_by(|a, b| a.0 == b.0).filter(|v| v.first().is_some_and(|e| e.0.1 >> 48 == place));
            *fewest = (*fewest).min(values.count() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::tests::{health, table};
    use crate::measure::Classes;

    #[derive(Default)]
    struct Memory(BTreeMap<usize, Vec<u8>>);

    impl Spill for Memory {
        type Failed = ();
        fn put(&mut self, part: usize, bytes: &[u8]) -> Result<(), ()> {
            self.0.entry(part).or_default().extend_from_slice(bytes);
            Ok(())
        }
        fn take(&mut self, part: usize) -> Result<Vec<u8>, ()> {
            Ok(self.0.remove(&part).unwrap_or_default())
        }
    }

    fn counted(batches: &[RecordBatch], quasi: &[String], sensitive: &[String], held_max: usize) -> Counted {
        let mut outside = Outside::of(quasi, sensitive, 0, Memory::default());
        outside.held_max = held_max;
        batches.iter().for_each(|b| outside.push(b).unwrap());
        outside.finish().unwrap()
    }

    #[test]
    fn spilled_or_not_the_classes_are_those_of_memory() {
        let batches = table(health(), 700);
        let names: Vec<String> = batches[0].schema().fields().iter().map(|f| f.name().clone()).collect();
        for (width, held_max) in [(1, 10), (3, 100), (5, 37), (5, 1 << 20), (names.len() - 1, 500)] {
            let (quasi, sensitive) = (&names[..width], &names[names.len() - 1..]);
            let mut classes = Classes::of(quasi, sensitive);
            batches.iter().for_each(|b| drop(classes.push(b).unwrap()));
            let measures = classes.measure();
            let out = counted(&batches, quasi, sensitive, held_max);
            assert_eq!(out.sizes, measures.sizes, "{width} {held_max}");
            assert_eq!(out.distinct_l[&sensitive[0]], measures.diversity[&sensitive[0]].distinct_l);
            assert_eq!(out.spilled > 0, held_max < 1 << 20);
        }
    }

    #[test]
    fn odd_tables_have_an_answer() {
        let of = |text: &str| counted(&table(text, 2), &["a".into()], &["b".into()], 1);
        assert_eq!(of("a,b\n1,x").sizes.k(), Some(1));
        let empty = of("a,b\n,\n,\n,");
        assert_eq!((empty.sizes.k(), empty.distinct_l["b"]), (Some(3), 1));
        let mut outside = Outside::of(&["z".into()], &[], 0, Memory::default());
        assert!(matches!(outside.push(&table("a\n1", 1)[0]), Err(NotMeasured::NotCounted(_))));
        assert_eq!(Outside::of(&["a".into()], &["b".into()], 0, Memory::default()).finish().unwrap().sizes.k(), None);
    }
}
