//! The same of a table that is larger than memory: pairs of values go out sorted into parts by the original value, and what
//! they add up to into parts by the released one.
//!
//! A value is named by 128 bits of hash; counts are exact otherwise.

use super::{ColumnLoss, Sum};
use crate::cell::Cells;
use crate::plan::Plan;
use crate::transform::{Unread, has_to_read};
use crate::outside::{PARTS, Spill, name};
use crate::intern::Mixed;
use arrow_array::{BooleanArray, RecordBatch};
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

/// A value in parts; 0 is a missing one.
type Value = u128;
type Place = Box<dyn Spill<Failed = String>>;
/// Column, original value, released value.
type Pair = (u16, Value, Value);
/// Column, released value.
type Seen = (u16, Value);

/// Bytes of a pair in a part: column, both values, all records, released records.
const PAIR: usize = 2 + 16 + 16 + 8 + 8;
/// Bytes of a released value in a part: column, value, original values, all records, released records.
const SEEN: usize = 2 + 16 + 8 + 8 + 8;
/// Bytes that an entry takes in memory at most, in a table that may be half empty and while it pours out.
const HELD: usize = 240;

/// Counts pairs of original and released values within a limit of memory.
pub(crate) struct LossesOutside {
    names: Vec<String>,
    unread: Vec<Unread>,
    held: HashMap<Pair, (u64, u64), BuildHasherDefault<Mixed>>,
    held_max: usize,
    by_original: Place,
    by_released: Place,
    spilled: u64,
    records: u64,
    kept: u64,
}

impl LossesOutside {
    pub(crate) fn of(memory: usize, by_original: Place, by_released: Place) -> Self {
        let held_max = memory.max(1 << 20) / HELD;
        Self { names: Vec::new(), unread: Vec::new(), held: HashMap::default(), held_max, by_original, by_released, spilled: 0, records: 0, kept: 0 }
    }

    pub(crate) fn push(&mut self, before: &RecordBatch, after: &RecordBatch, released: &BooleanArray) -> Result<(), String> {
        self.records += before.num_rows() as u64;
        self.kept += released.true_count() as u64;
        if self.names.is_empty() {
            self.names = before.schema().fields().iter().map(|f| f.name().clone()).collect();
            self.unread = vec![Unread::default(); self.names.len()];
        }
        for ((column, array), field) in (0u16..).zip(before.columns()).zip(before.schema().fields()) {
            let Some(old) = Cells::of(array) else { continue };
            let new = after.column_by_name(field.name()).and_then(Cells::of);
            for row in 0..before.num_rows() {
                let from = name(old.text(row).as_deref());
                let to = name(new.as_ref().and_then(|c| c.text(row)).as_deref());
                let count = self.held.entry((column, from, to)).or_default();
                count.0 += 1;
                count.1 += u64::from(row < released.len() && released.value(row));
                if let Some(unread) = self.unread.get_mut(usize::from(column)).filter(|_| from != 0) {
                    unread.add(1, to != 0);
                }
            }
            if self.held.len() > self.held_max {
                self.pour()?;
            }
        }
        Ok(())
    }

    fn pour(&mut self) -> Result<(), String> {
        let mut parts: Vec<Vec<u8>> = vec![Vec::new(); PARTS];
        for ((column, from, to), (all, released)) in self.held.drain() {
            let Some(part) = parts.get_mut(part(from)) else { continue };
            part.extend_from_slice(&column.to_le_bytes());
            part.extend_from_slice(&from.to_le_bytes());
            part.extend_from_slice(&to.to_le_bytes());
            part.extend_from_slice(&all.to_le_bytes());
            part.extend_from_slice(&released.to_le_bytes());
        }
        self.spilled += put(&mut *self.by_original, &parts)?;
        Ok(())
    }

    /// What the acts could not read, of each column whose act has to.
    pub(crate) fn unread(&self, plan: &Plan) -> BTreeMap<String, Unread> {
        let counted = self.names.iter().zip(&self.unread);
        let read = counted.filter(|(name, _)| plan.columns.get(*name).is_some_and(has_to_read));
        read.map(|(name, unread)| (name.clone(), *unread)).collect()
    }

    /// The loss of each column, and the bytes that went out.
    pub(crate) fn finish(mut self) -> Result<(BTreeMap<String, ColumnLoss>, u64), String> {
        let mut seen = SeenHeld { held: HashMap::default(), held_max: self.held_max, place: self.by_released, spilled: 0 };
        let mut sums: Vec<Sum> = vec![Sum::default(); self.names.len()];
        if self.spilled == 0 {
            let pairs: Vec<(Pair, (u64, u64))> = self.held.drain().collect();
            seen.add_up(pairs, &mut sums)?;
        } else {
            let mut rest = Self { by_released: Box::new(Nowhere), ..self };
            rest.pour()?;
            self = rest;
            for part in 0..PARTS {
                let bytes = self.by_original.take(part)?;
                seen.add_up(bytes.as_chunks::<PAIR>().0.iter().map(pair).collect(), &mut sums)?;
            }
        }
        let spilled = self.spilled + seen.finish(&mut sums, self.records, self.kept)?;
        let losses = self.names.into_iter().zip(&sums).map(|(name, sum)| (name, sum.loss(self.records, self.kept)));
        Ok((losses.collect(), spilled))
    }
}

/// A place that nothing goes to.
struct Nowhere;

impl Spill for Nowhere {
    type Failed = String;
    fn put(&mut self, _: usize, _: &[u8]) -> Result<(), String> {
        Err("no place for parts".into())
    }
    fn take(&mut self, _: usize) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }
}

/// For each released value: original values, all records, released records.
struct SeenHeld {
    held: HashMap<Seen, (u64, u64, u64), BuildHasherDefault<Mixed>>,
    held_max: usize,
    place: Place,
    spilled: u64,
}

impl SeenHeld {
    fn add_up(&mut self, mut pairs: Vec<(Pair, (u64, u64))>, sums: &mut [Sum]) -> Result<(), String> {
        pairs.sort_unstable();
        for original in pairs.chunk_by(|a, b| (a.0.0, a.0.1) == (b.0.0, b.0.1)) {
            let Some(&((column, from, _), _)) = original.first() else { continue };
            if let Some(sum) = sums.get_mut(usize::from(column)) {
                sum.distinct += 1;
                sum.distinct_before += u64::from(from != 0);
            }
            for same in original.chunk_by(|a, b| a.0 == b.0) {
                let Some(&((_, _, to), _)) = same.first() else { continue };
                let entry = self.held.entry((column, to)).or_default();
                let sum = |of: fn(&(u64, u64)) -> u64| same.iter().map(|(_, n)| of(n)).sum::<u64>();
                *entry = (entry.0 + 1, entry.1 + sum(|n| n.0), entry.2 + sum(|n| n.1));
            }
        }
        if self.held.len() > self.held_max { self.pour() } else { Ok(()) }
    }

    fn pour(&mut self) -> Result<(), String> {
        let mut parts: Vec<Vec<u8>> = vec![Vec::new(); PARTS];
        for ((column, to), (originals, all, released)) in self.held.drain() {
            let Some(part) = parts.get_mut(part(to)) else { continue };
            part.extend_from_slice(&column.to_le_bytes());
            part.extend_from_slice(&to.to_le_bytes());
            [originals, all, released].iter().for_each(|n| part.extend_from_slice(&n.to_le_bytes()));
        }
        self.spilled += put(&mut *self.place, &parts)?;
        Ok(())
    }

    fn finish(mut self, sums: &mut [Sum], records: u64, kept: u64) -> Result<u64, String> {
        let mut add = |entries: Vec<(Seen, (u64, u64, u64))>| {
            for same in entries.chunk_by(|a, b| a.0 == b.0) {
                let Some(&((column, to), _)) = same.first() else { continue };
                let total = |of: fn(&(u64, u64, u64)) -> u64| same.iter().map(|(_, n)| u128::from(of(n))).sum::<u128>();
                if let Some(sum) = sums.get_mut(usize::from(column)) {
                    sum.add(to == 0, total(|n| n.0), total(|n| n.1), total(|n| n.2), records, kept);
                }
            }
        };
        if self.spilled == 0 {
            add(self.held.into_iter().collect());
            return Ok(0);
        }
        self.pour()?;
        for part in 0..PARTS {
            let bytes = self.place.take(part)?;
            let mut entries: Vec<_> = bytes.as_chunks::<SEEN>().0.iter().map(seen).collect();
            entries.sort_unstable();
            add(entries);
        }
        Ok(self.spilled)
    }
}

fn put(place: &mut dyn Spill<Failed = String>, parts: &[Vec<u8>]) -> Result<u64, String> {
    let mut bytes = 0;
    for (number, part) in parts.iter().enumerate().filter(|(_, part)| !part.is_empty()) {
        bytes += part.len() as u64;
        place.put(number, part)?;
    }
    Ok(bytes)
}

fn part(value: Value) -> usize {
    (value >> 120) as usize % PARTS
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> u128 {
    let mut out = [0u8; 16];
    if let (Some(from), Some(to)) = (bytes.get(at..at + N), out.get_mut(..N)) {
        to.copy_from_slice(from);
    }
    u128::from_le_bytes(out)
}

fn pair(bytes: &[u8; PAIR]) -> (Pair, (u64, u64)) {
    let n = |at| number::<8>(bytes, at) as u64;
    ((number::<2>(bytes, 0) as u16, number::<16>(bytes, 2), number::<16>(bytes, 18)), (n(34), n(42)))
}

fn seen(bytes: &[u8; SEEN]) -> (Seen, (u64, u64, u64)) {
    let n = |at| number::<8>(bytes, at) as u64;
    ((number::<2>(bytes, 0) as u16, number::<16>(bytes, 2)), (n(18), n(26), n(34)))
}
