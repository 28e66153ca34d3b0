//! Classes at a point of the lattice, made from those of a finer point that was counted before.
//!
//! Coarsening only merges classes, so one record of each class of a finer point is enough to make those of a coarser
//! one: the search counts a few thousand representatives at most points, not every combination again.

use super::{Rung, Table, is_finer};
use crate::intern::{MISSING, Mixed};
use std::hash::Hasher;
use std::rc::Rc;

/// The classes at one point.
pub(super) struct Grouping {
    /// Records of each class.
    pub(super) sizes: Vec<u64>,
    point: Vec<usize>,
    /// A combination of each class.
    pub(super) examples: Vec<u32>,
    /// Its codes side by side, where the table has them so.
    packed: Vec<u64>,
    finer: Option<Rc<Grouping>>,
    /// The class of each class of the finer grouping.
    to: Vec<u32>,
}

impl Grouping {
    /// The class of each combination.
    pub(super) fn classes(&self) -> Vec<u32> {
        let mut classes = self.to.clone();
        let mut finer = self.finer.clone();
        // From here down to single combinations: what a class below became, its members became.
        while let Some(below) = finer {
            classes = below.to.iter().map(|&c| classes.get(c as usize).copied().unwrap_or(0)).collect();
            finer = below.finer.clone();
        }
        classes
    }

    fn all(table: &Table) -> Self {
        let all: Vec<u32> = (0..).take(table.counts.len()).collect();
        Self {
            sizes: table.counts.clone(),
            point: vec![0; table.columns.len()],
            examples: all.clone(),
            packed: table.packed.as_ref().map(|p| p.combinations.clone()).unwrap_or_default(),
            finer: None,
            to: all,
        }
    }

    fn coarser(self: &Rc<Self>, table: &Table, point: &[usize]) -> Self {
        let keys = self.packed_keys(table, point).unwrap_or_else(|| self.keys(table, point));
        let (to, count) = number(&keys);
        let (mut sizes, mut examples) = (vec![0u64; count], vec![0u32; count]);
        for ((&class, &size), &example) in to.iter().zip(&self.sizes).zip(&self.examples) {
            if let Some((slot, kept)) = sizes.get_mut(class as usize).zip(examples.get_mut(class as usize)) {
                *slot += size;
                *kept = example;
            }
        }
        let packed = match &table.packed {
            Some(all) => examples.iter().map(|&e| all.combinations.get(e as usize).copied().unwrap_or(0)).collect(),
            None => Vec::new(),
        };
        Self { sizes, point: point.to_vec(), examples, packed, finer: Some(self.clone()), to }
    }

    /// What each example becomes, column beside column, in one pass: only columns above their first rung are looked up.
    fn packed_keys(&self, table: &Table, point: &[usize]) -> Option<Vec<u64>> {
        let fields = &table.packed.as_ref()?.fields;
        let mut same: u64 = 0;
        let mut changed: Vec<(u32, u64, &[u32])> = Vec::with_capacity(fields.len());
        for (((shift, mask), column), &rung) in fields.iter().zip(&table.columns).zip(point) {
            match column.rungs.get(rung).filter(|rung| rung.codes > 1) {
                None => {}
                Some(rung) if rung.is_same() => same |= mask << shift,
                Some(rung) => changed.push((*shift, *mask, &rung.to)),
            }
        }
        let key = |packed: &u64| {
            changed.iter().fold(packed & same, |key, (shift, mask, to)| {
                key | u64::from(to.get((packed >> shift & mask) as usize).copied().unwrap_or(MISSING)) << shift
            })
        };
        Some(self.packed.iter().map(key).collect())
    }

    /// Codes of each example packed into one number, numbered anew where it would overflow.
    fn keys(&self, table: &Table, point: &[usize]) -> Vec<u64> {
        let mut keys = vec![0u64; self.examples.len()];
        let mut room: u64 = 1;
        for ((column, codes), &rung) in table.columns.iter().zip(&table.codes).zip(point) {
            let Some(rung) = column.rungs.get(rung).filter(|rung| rung.codes > 1) else { continue };
            room = match room.checked_mul(rung.codes) {
                Some(room) => room,
                None => {
                    keys = number(&keys).0.into_iter().map(u64::from).collect();
                    (keys.len() as u64).saturating_mul(rung.codes)
                }
            };
            for (key, &example) in keys.iter_mut().zip(&self.examples) {
                let code = codes.get(example as usize).map_or(MISSING, |&code| coarse(rung, code));
                *key = *key * rung.codes + u64::from(code);
            }
        }
        keys
    }
}

fn coarse(rung: &Rung, code: u32) -> u32 {
    rung.to.get(code as usize).copied().unwrap_or(MISSING)
}

// LIMIT: groupings kept to start from.
const KEPT_MAX: usize = 512;

/// Groupings that were made, to make coarser ones from.
pub(super) struct Groupings {
    all: Rc<Grouping>,
    kept: Vec<Rc<Grouping>>,
    /// False for ladders whose rungs cut across each other: then each point is counted from single combinations.
    nested: bool,
}

impl Groupings {
    pub(super) fn of(table: &Table) -> Self {
        Self { all: Rc::new(Grouping::all(table)), kept: Vec::new(), nested: table.is_nested() }
    }

    /// The classes at a point, made from the finer grouping with the fewest.
    pub(super) fn at(&mut self, table: &Table, point: &[usize]) -> Rc<Grouping> {
        let finer = self.kept.iter().filter(|g| is_finer(&g.point, point)).min_by_key(|g| g.sizes.len());
        let made = Rc::new(finer.unwrap_or(&self.all).coarser(table, point));
        if !self.nested {
            return made;
        }
        if self.kept.len() >= KEPT_MAX {
            // The one with most classes helps least.
            let most = self.kept.iter().enumerate().max_by_key(|(_, g)| g.sizes.len()).map(|(at, _)| at);
            most.map(|at| self.kept.swap_remove(at));
        }
        self.kept.push(made.clone());
        made
    }
}

/// Equal keys get equal numbers, from 0 in order of first sight; and how many there are.
fn number(keys: &[u64]) -> (Vec<u32>, usize) {
    let mask = (keys.len().max(8) * 2).next_power_of_two() - 1;
    // Open addressing: a slot holds the number of its key and one, or 0 when free.
    let mut slots = vec![0u32; mask + 1];
    let mut firsts: Vec<u64> = Vec::new();
    let numbers = keys.iter().map(|&key| {
        let mut hash = Mixed::default();
        hash.write_u64(key);
        let mut at = hash.finish() as usize & mask;
        loop {
            let Some(slot) = slots.get_mut(at) else { return 0 };
            match slot.checked_sub(1) {
                Some(number) if firsts.get(number as usize) == Some(&key) => return number,
                Some(_) => at = (at + 1) & mask,
                None => {
                    firsts.push(key);
                    *slot = u32::try_from(firsts.len()).unwrap_or(u32::MAX);
                    return *slot - 1;
                }
            }
        }
    });
    let numbers = numbers.collect();
    (numbers, firsts.len())
}
