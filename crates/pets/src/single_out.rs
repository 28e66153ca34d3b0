//! Which combinations of columns single people out: picked on a part of the records, counted on all.

use crate::cell::Cells;
use crate::classify::Finding;
use crate::dictionary::Role;
use crate::intern::Codes;
use serde::Serialize;
use std::cell::OnceCell;
use std::collections::BTreeMap;

mod tally;

use tally::{Left, Tally, Told};

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

/// The codes of the first rows, column by column.
#[derive(Debug)]
pub(crate) struct Rows {
    codes: Vec<Codes>,
    columns: Vec<Vec<u32>>,
    /// How often each code of a column comes, counted when it is first asked for.
    counts: Vec<OnceCell<Vec<u64>>>,
}

impl Rows {
    pub(crate) fn of_width(width: usize) -> Self {
        let (codes, columns) = (vec![Codes::default(); width], vec![Vec::new(); width]);
        Self { codes, columns, counts: vec![OnceCell::new(); width] }
    }

    /// Codes one column of a batch as far as there is room; says from which row on there is none.
    pub(crate) fn push(&mut self, index: usize, cells: Option<&Cells<'_>>, rows: usize) -> usize {
        let (Some(codes), Some(column)) = (self.codes.get_mut(index), self.columns.get_mut(index)) else {
            return 0;
        };
        self.counts.get_mut(index).map(OnceCell::take);
        let room = rows.min(ROWS_MAX.saturating_sub(column.len()));
        match cells {
            Some(cells) => {
                column.reserve(room);
                cells.each(0..room, |text| column.push(codes.code(text)));
            }
            None => column.resize(column.len() + room, codes.code(None)),
        }
        room
    }

    /// How often each value of a column was coded; missing first.
    pub(crate) fn counted(&self, index: usize) -> Vec<(Option<&str>, u64)> {
        let Some(codes) = self.codes.get(index) else { return Vec::new() };
        (0..).zip(self.counts(index)).filter(|(_, n)| **n > 0).map(|(code, n)| (codes.text(code), *n)).collect()
    }

    fn counts(&self, index: usize) -> &[u64] {
        let count = || {
            // Neighbors are often equal; two tables, so that one does not wait for the other.
            let (mut odd, mut even) = (vec![0u64; self.width(index)], vec![0u64; self.width(index)]);
            let one = |counts: &mut [u64], code: u32| counts.get_mut(code as usize).into_iter().for_each(|n| *n += 1);
            let (pairs, rest) = self.column(index).as_chunks::<2>();
            for &[a, b] in pairs {
                one(&mut odd, a);
                one(&mut even, b);
            }
            rest.iter().for_each(|&code| one(&mut odd, code));
            odd.iter_mut().zip(even).for_each(|(n, more)| *n += more);
            odd
        };
        self.counts.get(index).map_or(&[], |counts| counts.get_or_init(count))
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
        let step = (self.len() as usize).div_ceil(PICKED_ROWS).max(1);
        let mut found: [Vec<SinglingOut>; 3] = Default::default();
        for &column in &candidates {
            note(&mut found, 0, self.said(&[column], self.alone(column), findings));
        }
        let mut counted = Counted { rows: self, tally: Tally::default(), left: BTreeMap::new() };
        for (size, picked) in (1..).zip(self.picks(&candidates, step)) {
            for columns in picked.best(step == 1) {
                note(&mut found, size, self.said(&columns, counted.told(&columns), findings));
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
            out.push(SinglingOut { all_quasi: true, ..self.said(&quasi, counted.told(&quasi), findings) });
        }
        out
    }

    /// Pairs and triples by what they single out among every n-th record.
    fn picks(&self, candidates: &[usize], step: usize) -> [Picked; 2] {
        let part = |&column: &usize| (column, self.part(column, step));
        let mut columns: Vec<(usize, Coded)> = candidates.iter().map(part).collect();
        // What singles out most comes first: few records are then left to look at.
        columns.sort_by_key(|(column, coded)| (std::cmp::Reverse(coded.width), *column));
        let all = Left::all(self.len().div_ceil(step as u64) as u32);
        let mut tally = Tally::default();
        let (mut pairs, mut triples) = (Picked::default(), Picked::default());
        for (i, (a, first)) in columns.iter().enumerate() {
            let one = tally.refine(&all, &first.codes, first.width);
            for (j, (b, second)) in columns.iter().enumerate().skip(i + 1) {
                let two = tally.refine(&one, &second.codes, second.width);
                pairs.note(two.told(), [*a, *b].into());
                for (c, third) in columns.iter().skip(j + 1) {
                    triples.note(tally.glance(&two, &third.codes, third.width), [*a, *b, *c].into());
                }
            }
        }
        [pairs, triples]
    }

    /// Every n-th code of a column, numbered anew without gaps.
    fn part(&self, column: usize, step: usize) -> Coded {
        let mut anew = vec![u32::MAX; self.width(column)];
        let mut width = 0;
        let mut number = |&code: &u32| {
            let new = anew.get_mut(code as usize)?;
            if *new == u32::MAX {
                *new = width;
                width += 1;
            }
            Some(*new)
        };
        let codes = self.column(column).iter().step_by(step).filter_map(&mut number).collect();
        Coded { codes, width: width as usize }
    }

    fn column(&self, column: usize) -> &[u32] {
        self.columns.get(column).map_or(&[], Vec::as_slice)
    }

    fn width(&self, column: usize) -> usize {
        self.codes.get(column).map_or(1, Codes::len)
    }

    /// What a column singles out by itself.
    fn alone(&self, column: usize) -> Told {
        let mut told = Told::default();
        self.counts(column).iter().for_each(|&n| told.note(n));
        told
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

    fn said(&self, columns: &[usize], told: Told, findings: &[Finding]) -> SinglingOut {
        let names = columns.iter().filter_map(|&c| findings.get(c)).map(|f| f.column.clone()).collect();
        SinglingOut {
            columns: names,
            uniques: told.alone,
            below_ten: told.alone + told.few,
            of: self.len(),
            all_quasi: false,
        }
    }
}

/// A column as numbers below its width.
struct Coded {
    codes: Vec<u32>,
    width: usize,
}

/// Combinations counted on all records; what one or two columns leave is kept for others that begin with them.
struct Counted<'a> {
    rows: &'a Rows,
    tally: Tally,
    left: BTreeMap<Vec<usize>, Left>,
}

impl Counted<'_> {
    fn told(&mut self, columns: &[usize]) -> Told {
        // The order does not change what is counted; what is rich in values leaves few records to the next.
        let mut order = columns.to_vec();
        order.sort_by_key(|&column| (std::cmp::Reverse(self.rows.width(column)), column));
        let Some((last, before)) = order.split_last() else { return Told::default() };
        let (mut all, mut begun) = (Left::all(self.rows.len() as u32), 0);
        for end in (1..=before.len().min(2)).rev() {
            if let Some(known) = before.get(..end).and_then(|key| self.left.get(key)) {
                (all, begun) = (known.clone(), end);
                break;
            }
        }
        for (place, &column) in before.iter().enumerate().skip(begun) {
            all = self.tally.refine(&all, self.rows.column(column), self.rows.width(column));
            if place < 2 {
                self.left.insert(before.iter().take(place + 1).copied().collect(), all.clone());
            }
        }
        self.tally.tell(&all, self.rows.column(*last), self.rows.width(*last))
    }
}

/// Combinations with what they single out among a part of the records.
#[derive(Default)]
struct Picked {
    found: Vec<(u64, u64, Vec<usize>)>,
}

impl Picked {
    fn note(&mut self, told: Told, mut columns: Vec<usize>) {
        // After those alone, those whose classes are small on average.
        let crowd = told.together / told.classes.max(1);
        columns.sort_unstable();
        self.found.push((told.alone, u64::MAX - crowd, columns));
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
