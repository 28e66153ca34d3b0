//! Disclosure measures: how few people share a description, and what sharing it gives away.
//!
//! Counts accumulate batch by batch in [`Classes`]; [`Classes::measure`] turns them into exact figures. The order
//! of rows and the cut into batches do not matter.

use crate::cell::Cells;
use crate::intern::{Codes, Mixed, Paths};
use crate::ratio::Ratio;
use arrow_array::RecordBatch;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::BuildHasherDefault;

mod sensitive;

pub use sensitive::Diversity;
pub(crate) use sensitive::Whole;

/// Why a batch cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotCounted {
    /// The table lacks a column that is to be counted.
    MissingColumn(String),
    /// The column holds lists, structs or bytes.
    Unreadable(String),
    /// There are more distinct values or classes than one accumulator counts, or than the allowed memory holds.
    TooMany,
    /// Parts could not be kept beside.
    Spill(String),
}

impl fmt::Display for NotCounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingColumn(name) => {
                write!(f, "column `{name}` is to be counted and is not in the table (pets/missing-column)")
            }
            Self::Unreadable(name) => {
                write!(f, "column `{name}` has no single values to count (pets/unreadable-column)")
            }
            Self::TooMany => {
                write!(f, "there are more distinct values or classes than fit the memory for counting (pets/too-many-classes)")
            }
            Self::Spill(why) => write!(f, "parts of the table cannot be kept: {why} (pets/spill)"),
        }
    }
}

impl std::error::Error for NotCounted {}

// LIMIT: distinct values of a column, and classes, in one accumulator; half of what a code can hold.
const CODES_MAX: usize = 1 << 31;

// LIMIT: rounds of leaving out classes that are too far from what remains; the report says if one is left.
const CLOSENESS_ROUNDS_MAX: usize = 16;

/// (class, value) → records.
type Within = HashMap<(u32, u32), u64, BuildHasherDefault<Mixed>>;

/// Counts equivalence classes of some columns, and the values of sensitive columns within each.
///
/// LIMIT: memory grows with distinct values and classes, not with rows; `outside` counts more than memory holds.
#[derive(Debug, Clone)]
pub struct Classes {
    quasi: Vec<String>,
    sensitive: Vec<String>,
    codes: Vec<Codes>,
    paths: Paths,
    sizes: Vec<u64>,
    values: Vec<Codes>,
    within: Vec<Within>,
}

impl Classes {
    /// Starts to count classes of the quasi-identifiers; without any, all records are one class.
    pub fn of(quasi: &[String], sensitive: &[String]) -> Self {
        Self {
            quasi: quasi.to_vec(),
            sensitive: sensitive.to_vec(),
            codes: vec![Codes::default(); quasi.len()],
            paths: Paths::of_width(quasi.len()),
            sizes: Vec::new(),
            values: vec![Codes::default(); sensitive.len()],
            within: vec![Within::default(); sensitive.len()],
        }
    }

    /// Counts the rows of a batch and returns the class of each, as an id that is stable within this accumulator.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<Vec<u32>, NotCounted> {
        let quasi = readers(batch, &self.quasi)?;
        let sensitive = readers(batch, &self.sensitive)?;
        let most =
            self.codes.iter().chain(&self.values).map(Codes::len).max().unwrap_or(0).max(self.sizes.len());
        if most + batch.num_rows() > CODES_MAX {
            return Err(NotCounted::TooMany);
        }
        let mut classes = vec![0u32; batch.num_rows()];
        for (index, (cells, codes)) in quasi.iter().zip(&mut self.codes).enumerate() {
            let mut rows = classes.iter_mut();
            cells.each(0..batch.num_rows(), |text| {
                let code = codes.code(text);
                if let Some(class) = rows.next() {
                    *class = self.paths.step(index, *class, code);
                }
            });
        }
        for &class in &classes {
            if class as usize >= self.sizes.len() {
                self.sizes.resize(class as usize + 1, 0);
            }
            if let Some(size) = self.sizes.get_mut(class as usize) {
                *size += 1;
            }
        }
        for ((cells, values), within) in sensitive.iter().zip(&mut self.values).zip(&mut self.within) {
            let mut rows = classes.iter();
            cells.each(0..batch.num_rows(), |text| {
                let value = values.code(text);
                if let Some(&class) = rows.next() {
                    *within.entry((class, value)).or_default() += 1;
                }
            });
        }
        Ok(classes)
    }

    /// The number of records counted in a class so far.
    pub fn size(&self, class: u32) -> u64 {
        self.sizes.get(class as usize).copied().unwrap_or(0)
    }

    /// The classes that may be released: of `k` records, `l` distinct values and at most `t` away from what is released.
    pub(crate) fn good(&self, k: u64, l: u64, t: Ratio) -> Vec<bool> {
        let mut good: Vec<bool> = self.sizes.iter().map(|&size| size >= k).collect();
        let rows = |within: &Within| {
            let mut rows: Vec<(u32, u32, u64)> =
                within.iter().map(|(&(class, code), &n)| (class, code, n)).collect();
            rows.sort_unstable();
            rows
        };
        let columns: Vec<Vec<(u32, u32, u64)>> = self.within.iter().map(rows).collect();
        for class in columns.iter().flat_map(|rows| rows.chunk_by(|a, b| a.0 == b.0)) {
            if let Some(good) = class.first().and_then(|row| good.get_mut(row.0 as usize)) {
                *good &= class.len() as u64 >= l;
            }
        }
        // Leaving a class out moves the whole that the others are compared with.
        for _ in 0..CLOSENESS_ROUNDS_MAX {
            let before = good.clone();
            for (values, rows) in self.values.iter().zip(&columns).filter(|_| t < Ratio::ONE) {
                let is_good = |class: u32| before.get(class as usize) == Some(&true);
                let released: Vec<(u32, u32, u64)> =
                    rows.iter().copied().filter(|row| is_good(row.0)).collect();
                let whole = Whole::of(values, &released);
                for class in released.chunk_by(|a, b| a.0 == b.0) {
                    let Some(&(id, _, _)) = class.first() else { continue };
                    if let Some(good) = good.get_mut(id as usize) {
                        *good &= whole.distance(self.size(id), class) <= t;
                    }
                }
            }
            if good == before {
                break;
            }
        }
        good
    }

    /// The exact measures of what was counted.
    pub fn measure(&self) -> Measures {
        let mut sizes = BTreeMap::new();
        for &size in &self.sizes {
            *sizes.entry(size).or_default() += 1;
        }
        let diversity = self.sensitive.iter().zip(self.values.iter().zip(&self.within));
        let diversity = diversity
            .map(|(name, (values, within))| (name.clone(), Diversity::of(&self.sizes, values, within)));
        Measures {
            quasi: self.quasi.clone(),
            sizes: Sizes { classes_by_size: sizes },
            diversity: diversity.collect(),
        }
    }
}

fn readers<'a>(batch: &'a RecordBatch, names: &[String]) -> Result<Vec<Cells<'a>>, NotCounted> {
    let reader = |name: &String| {
        let array = batch.column_by_name(name).ok_or_else(|| NotCounted::MissingColumn(name.clone()))?;
        Cells::of(array).ok_or_else(|| NotCounted::Unreadable(name.clone()))
    };
    names.iter().map(reader).collect()
}

/// How many classes there are of each size; every measure of singling out follows from it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sizes {
    classes_by_size: BTreeMap<u64, u64>,
}

impl Sizes {
    /// Makes it from the sizes of the classes; a class of nobody is none.
    pub fn of(sizes: impl IntoIterator<Item = u64>) -> Self {
        let mut classes_by_size = BTreeMap::new();
        for size in sizes.into_iter().filter(|&size| size > 0) {
            *classes_by_size.entry(size).or_default() += 1;
        }
        Self { classes_by_size }
    }

    /// Makes it from the number of classes of each size.
    pub(crate) fn counted(mut classes_by_size: BTreeMap<u64, u64>) -> Self {
        classes_by_size.remove(&0);
        Self { classes_by_size }
    }

    /// Number of records.
    pub fn records(&self) -> u64 {
        self.classes_by_size.iter().map(|(size, classes)| size * classes).sum()
    }

    /// Number of classes.
    pub fn classes(&self) -> u64 {
        self.classes_by_size.values().sum()
    }

    /// k: the size of the smallest class; none of an empty table.
    pub fn k(&self) -> Option<u64> {
        self.classes_by_size.keys().next().copied()
    }

    /// Records in classes smaller than `k`.
    pub fn records_below(&self, k: u64) -> u64 {
        self.classes_by_size.range(..k).map(|(size, classes)| size * classes).sum()
    }

    /// Records whose class is theirs alone.
    pub fn uniques(&self) -> u64 {
        self.records_below(2)
    }

    /// Prosecutor risk, greatest: one over the smallest class.
    pub fn risk_max(&self) -> Ratio {
        self.k().map_or(Ratio::ZERO, |k| Ratio::share(1, k))
    }

    /// Prosecutor risk, average over records: classes over records. The marketer's risk on the sample is the same figure.
    pub fn risk_average(&self) -> Ratio {
        Ratio::share(self.classes(), self.records())
    }

    /// Records whose risk (one over the size of their class) is above the limit.
    pub fn records_above(&self, limit: Ratio) -> u64 {
        let above = |size: &u64| Ratio::share(1, *size) > limit;
        self.classes_by_size
            .iter()
            .filter(|(size, _)| above(size))
            .map(|(size, classes)| size * classes)
            .sum()
    }

    /// Of the records that are alone here, how many a model expects to be alone in a population of this size too, in
    /// thousandths. The sample's own class sizes stand for the population's (Zayatz 1991, binomial sampling): an estimate,
    /// high rather than low. None when the sample is not smaller than the population.
    pub fn expected_population_uniques(&self, population: u64) -> Option<u64> {
        let share = self.records() as f64 / population as f64;
        if self.records() == 0 || share >= 1.0 {
            return None;
        }
        // Chance that a class of `size` in the population leaves exactly one in the sample.
        let leaves_one = |size: u64| size as f64 * share * (1.0 - share).powf(size as f64 - 1.0);
        let weights = self.by_size().map(|(size, classes)| (size, classes as f64 * leaves_one(size)));
        let (mut alone, mut all) = (0.0, 0.0);
        for (size, weight) in weights {
            all += weight;
            alone += if size == 1 { weight } else { 0.0 };
        }
        let chance = if all > 0.0 { alone / all } else { 0.0 };
        Some((self.uniques() as f64 * chance * 1000.0).round() as u64)
    }

    /// Classes by size, smallest first.
    pub fn by_size(&self) -> impl Iterator<Item = (u64, u64)> {
        self.classes_by_size.iter().map(|(&size, &classes)| (size, classes))
    }
}

/// The exact measures of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Measures {
    /// The quasi-identifiers that make the classes.
    pub quasi: Vec<String>,
    /// Class sizes.
    pub sizes: Sizes,
    /// For each sensitive column, what the classes give away.
    pub diversity: BTreeMap<String, Diversity>,
}

/// Journalist and marketer risk against a population table (k-map): the attacker does not know who is in the sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct PopulationRisk {
    /// Records of the population table.
    pub population: u64,
    /// Size of the smallest population class that a record of the sample falls in.
    pub k_map: u64,
    /// Journalist risk, greatest: one over `k_map`.
    pub journalist_max: Ratio,
    /// Marketer risk: the average over the sample of one over the size of the population class; for each size of class the
    /// sum is rounded down to 10⁻¹², so that it can be written.
    pub marketer: Ratio,
    /// Records of the sample that are alone in it and alone in the population: identified by whoever knows the population.
    pub population_uniques: u64,
    /// Records of the sample that fall in no class of the population table.
    pub unmatched: u64,
}

const MARKETER_UNIT: u128 = 1_000_000_000_000;

/// Measures a sample against a table of the population in which it lies (k-map); the population in the same coarse values.
/// None when nothing matches.
pub fn against_population(
    sample: &[RecordBatch],
    population: &[RecordBatch],
    quasi: &[String],
) -> Result<Option<PopulationRisk>, NotCounted> {
    let mut classes = Classes::of(quasi, &[]);
    for batch in population {
        classes.push(batch)?;
    }
    let known = classes.sizes.clone();
    let (mut unmatched, mut matched) = (0u64, 0u64);
    // Class → records of the sample in it.
    let mut here: BTreeMap<u32, u64> = BTreeMap::new();
    for batch in sample {
        for class in classes.push(batch)? {
            match known.get(class as usize) {
                Some(_) => {
                    matched += 1;
                    *here.entry(class).or_default() += 1;
                }
                None => unmatched += 1,
            }
        }
    }
    let sizes = || here.iter().filter_map(|(&class, &n)| Some((*known.get(class as usize)?, n)));
    let Some(k_map) = sizes().map(|(size, _)| size).min() else { return Ok(None) };
    let mut by_size: BTreeMap<u64, u64> = BTreeMap::new();
    for (size, n) in sizes() {
        *by_size.entry(size).or_default() += n;
    }
    let sum: u128 = by_size.iter().map(|(&size, &n)| u128::from(n) * MARKETER_UNIT / u128::from(size)).sum();
    Ok(Some(PopulationRisk {
        population: known.iter().sum(),
        k_map,
        journalist_max: Ratio::share(1, k_map),
        marketer: Ratio::of(sum, u128::from(matched + unmatched) * MARKETER_UNIT).unwrap_or(Ratio::ZERO),
        population_uniques: sizes().filter(|&(size, n)| size == 1 && n == 1).count() as u64,
        unmatched,
    }))
}

/// Measures several releases of the same people together: who can be told apart by all of them.
///
/// Each release gives, for each original record in one common order, the class that [`Classes::push`] returned, or none
/// where the record was left out. Returns the sizes of the intersections; records that no release holds are not counted.
pub fn across(releases: &[Vec<Option<u32>>]) -> Sizes {
    let records = releases.iter().map(Vec::len).max().unwrap_or(0);
    let mut paths = Paths::of_width(releases.len());
    let mut sizes: Vec<u64> = Vec::new();
    for row in 0..records {
        let seen = releases.iter().map(|release| release.get(row).copied().flatten());
        if seen.clone().all(|class| class.is_none()) {
            continue;
        }
        // Being in one release and not in another tells people apart as well: absence is a value.
        let class = paths.class(seen.map(|class| class.map_or(0, |class| class + 1)));
        match sizes.get_mut(class as usize) {
            Some(size) => *size += 1,
            None => sizes.push(1),
        }
    }
    Sizes::of(sizes)
}

#[cfg(test)]
mod tests;
