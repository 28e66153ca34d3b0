//! Which combinations of columns single people out: picked on a part of the records, counted on all.

use crate::cell::Cells;
use crate::classify::Finding;
use crate::dictionary::Role;
use crate::intern::{Codes, Pairs, step};
use serde::Serialize;

/// What one combination of columns singles out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SinglingOut {
    /// The columns, in the table's order.
    pub columns: Vec<String>,
    /// Records that this combination describes alone.
    pub uniques: u64,
    /// Records that it describes together with at most nine others.
    pub below_ten: u64,
    /// Records that were counted.
    pub of: u64,
    /// True for the set of all proposed quasi-identifiers.
    pub all_quasi: bool,
}

// LIMIT: records on which combinations are counted, columns that are combined, combinations reported per size.
const ROWS_MAX: usize = 100_000;
const COLUMNS_MAX: usize = 16;
const REPORTED: usize = 5;
// LIMIT: records on which combinations are picked.
const PICKED_ROWS: usize = 4096;
// LIMIT: pairs of class and value that are looked up in a table rather than by hash: half a megabyte.
const DIRECT_MAX: usize = 1 << 17;

/// The codes of the first rows, column by column.
#[derive(Debug)]
pub(crate) struct Rows {
    codes: Vec<Codes>,
    columns: Vec<Vec<u32>>,
}

impl Rows {
    pub(crate) fn of_width(width: usize) -> Self {
        Self { codes: vec![Codes::default(); width], columns: vec![Vec::new(); width] }
    }

    /// Codes one column of a batch as far as there is room; says from which row on there is none.
    pub(crate) fn push(&mut self, index: usize, cells: Option<&Cells<'_>>, rows: usize) -> usize {
        let (Some(codes), Some(column)) = (self.codes.get_mut(index), self.columns.get_mut(index)) else {
            return 0;
        };
        let room = rows.min(ROWS_MAX.saturating_sub(column.len()));
        column.extend((0..room).map(|row| codes.code(cells.and_then(|c| c.text(row)).as_deref())));
        room
    }

    /// How often each value of a column was coded; missing first.
    pub(crate) fn counted(&self, index: usize) -> Vec<(Option<&str>, u64)> {
        let (Some(codes), Some(column)) = (self.codes.get(index), self.columns.get(index)) else {
            return Vec::new();
        };
        let mut counts = vec![0u64; codes.len()];
        for &code in column {
            if let Some(count) = counts.get_mut(code as usize) {
                *count += 1;
            }
        }
        (0..).zip(counts).filter(|(_, n)| *n > 0).map(|(code, n)| (codes.text(code), n)).collect()
    }

    pub(crate) fn len(&self) -> u64 {
        self.columns.first().map_or(0, |c| c.len() as u64)
    }

    /// How many records combinations are picked on.
    pub(crate) fn picked(&self) -> u64 {
        self.len().min(PICKED_ROWS as u64)
    }

    /// The most powerful combinations of one, two and three columns that do not identify alone, then all quasi-identifiers.
    ///
    /// Single columns are counted on all records. Pairs and triples are picked on every n-th record, twice as many as are
    /// reported, and the picked ones counted on all. Who is alone among all is alone among a part, so a combination that
    /// singles out a share p of all singles out p of the part, but for chance: with 4,096 records less than p − 0.04 comes
    /// once in 10^5 (Hoeffding). What looks stronger in the part than it is can only take places; it is counted out again.
    pub(crate) fn singling_out(&self, findings: &[Finding]) -> Vec<SinglingOut> {
        let candidates = self.candidates(findings);
        let all = self.every(1);
        let step = (self.len() as usize).div_ceil(PICKED_ROWS).max(1);
        let part = self.every(step);
        let mut found: [Vec<SinglingOut>; 3] = Default::default();
        let (mut pairs, mut triples) = (Picked::default(), Picked::default());
        for (i, &a) in candidates.iter().enumerate() {
            note(&mut found, 0, self.count(&[a], &self.refine(&all, a), findings));
            let one = self.refine(&part, a);
            for (j, &b) in candidates.iter().enumerate().skip(i + 1) {
                let two = self.refine(&one, b);
                pairs.note(&two, &[a, b]);
                for &c in candidates.iter().skip(j + 1) {
                    triples.note(&self.refine(&two, c), &[a, b, c]);
                }
            }
        }
        for (size, picked) in [(1, pairs), (2, triples)] {
            for columns in picked.best(step == 1) {
                let classes = columns.iter().fold(all.clone(), |classes, &column| self.refine(&classes, column));
                note(&mut found, size, self.count(&columns, &classes, findings));
            }
        }
        let mut out: Vec<SinglingOut> = found.into_iter().flatten().collect();
        let quasi: Vec<usize> = findings
            .iter()
            .enumerate()
            .filter(|(_, f)| f.role == Role::QuasiIdentifier)
            .map(|(i, _)| i)
            .collect();
        if !quasi.is_empty() {
            let classes = quasi.iter().fold(all, |classes, &column| self.refine(&classes, column));
            out.push(SinglingOut { all_quasi: true, ..self.count(&quasi, &classes, findings) });
        }
        out
    }

    /// Every n-th record, all in one class.
    fn every(&self, step: usize) -> Refined {
        let rows: Vec<u32> = (0..self.len() as u32).step_by(step).collect();
        Refined { classes: vec![0; rows.len()], rows, alone: 0, count: 1 }
    }

    // Quasi-identifiers first, then what is rich in values; a column that identifies alone would hide all others.
    fn candidates(&self, findings: &[Finding]) -> Vec<usize> {
        let mut out: Vec<(bool, std::cmp::Reverse<u64>, usize)> = Vec::new();
        for (index, finding) in findings.iter().enumerate() {
            if !finding.role.identifies_alone() && finding.role != Role::NonPersonal && finding.distinct > 1 {
                out.push((finding.role != Role::QuasiIdentifier, std::cmp::Reverse(finding.distinct), index));
            }
        }
        out.sort_unstable();
        let mut columns: Vec<usize> = out.into_iter().take(COLUMNS_MAX).map(|(_, _, index)| index).collect();
        columns.sort_unstable();
        columns
    }

    // Who is alone stays alone under every further column, and is only counted from then on.
    fn refine(&self, from: &Refined, column: usize) -> Refined {
        let codes = self.columns.get(column).map_or(&[][..], Vec::as_slice);
        let code = |row: u32| codes.get(row as usize).copied().unwrap_or(0);
        let width = self.codes.get(column).map_or(1, Codes::len);
        let mut next: Vec<u32> = Vec::with_capacity(from.rows.len());
        let mut sizes: Vec<u32> = Vec::new();
        let mut count = |id: u32| {
            match sizes.get_mut(id as usize) {
                Some(size) => *size += 1,
                None => sizes.push(1),
            }
            next.push(id);
        };
        // A table of all pairs is looked up without hashing where clearing it costs less than the rows.
        let room = from.count * width;
        if room <= DIRECT_MAX && room <= from.rows.len() * 8 {
            let (mut ids, mut last) = (vec![0u32; room], 0);
            for (&row, &class) in from.rows.iter().zip(&from.classes) {
                if let Some(id) = ids.get_mut(class as usize * width + code(row) as usize) {
                    if *id == 0 {
                        last += 1;
                        *id = last;
                    }
                    count(*id - 1);
                }
            }
        } else {
            let mut pairs = Pairs::default();
            for (&row, &class) in from.rows.iter().zip(&from.classes) {
                count(step(&mut pairs, class, code(row)));
            }
        }
        let alone = sizes.iter().filter(|&&size| size == 1).count() as u64;
        // Classes of several, numbered anew without gaps.
        let mut last = 0;
        let renumbered: Vec<u32> = sizes
            .iter()
            .map(|&size| {
                last += u32::from(size > 1);
                if size > 1 { last } else { 0 }
            })
            .collect();
        let left = next.len() - alone as usize;
        let mut out = Refined {
            rows: Vec::with_capacity(left),
            classes: Vec::with_capacity(left),
            alone: from.alone + alone,
            count: last as usize,
        };
        for (&row, &id) in from.rows.iter().zip(&next) {
            if let Some(class) = renumbered.get(id as usize).and_then(|n| n.checked_sub(1)) {
                out.rows.push(row);
                out.classes.push(class);
            }
        }
        out
    }

    fn count(&self, columns: &[usize], refined: &Refined, findings: &[Finding]) -> SinglingOut {
        let mut sizes = vec![0u64; refined.count];
        for &class in &refined.classes {
            if let Some(size) = sizes.get_mut(class as usize) {
                *size += 1;
            }
        }
        let few: u64 = sizes.iter().filter(|&&size| size < 11).sum();
        let names = columns.iter().filter_map(|&c| findings.get(c)).map(|f| f.column.clone()).collect();
        SinglingOut {
            columns: names,
            uniques: refined.alone,
            below_ten: refined.alone + few,
            of: self.len(),
            all_quasi: false,
        }
    }
}

/// Rows that some columns do not yet describe alone, with their classes.
#[derive(Clone)]
struct Refined {
    rows: Vec<u32>,
    classes: Vec<u32>,
    /// Rows that they do.
    alone: u64,
    /// How many classes there are.
    count: usize,
}

/// Combinations with what they single out among a part of the records.
#[derive(Default)]
struct Picked {
    found: Vec<(u64, u64, Vec<usize>)>,
}

impl Picked {
    fn note(&mut self, classes: &Refined, columns: &[usize]) {
        // After those alone, those whose classes are small on average.
        let crowd = (classes.rows.len() / classes.count.max(1)) as u64;
        self.found.push((classes.alone, u64::MAX - crowd, columns.to_vec()));
    }

    /// Those to be counted on all records; all that were picked on all of them.
    fn best(mut self, on_all: bool) -> impl Iterator<Item = Vec<usize>> {
        self.found.sort_unstable_by(|a, b| b.cmp(a));
        let most = if on_all { self.found.len().min(REPORTED * 4) } else { REPORTED * 2 };
        self.found.into_iter().take(most).map(|(_, _, columns)| columns)
    }
}

fn note(found: &mut [Vec<SinglingOut>; 3], size: usize, new: SinglingOut) {
    let Some(list) = found.get_mut(size) else { return };
    if new.below_ten == 0 {
        return;
    }
    let place = list.partition_point(|old| (old.uniques, old.below_ten) >= (new.uniques, new.below_ten));
    list.insert(place, new);
    list.truncate(REPORTED);
}
