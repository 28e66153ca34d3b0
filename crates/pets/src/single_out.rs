//! Which combinations of columns single people out: exact search over small sets of columns.

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

    pub(crate) fn push(&mut self, cells: &[Option<Cells<'_>>], rows: usize) {
        let room = ROWS_MAX.saturating_sub(self.columns.first().map_or(0, Vec::len));
        for ((codes, column), cells) in self.codes.iter_mut().zip(&mut self.columns).zip(cells) {
            column.extend(
                (0..rows.min(room))
                    .map(|row| codes.code(cells.as_ref().and_then(|c| c.text(row)).as_deref())),
            );
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.columns.first().map_or(0, |c| c.len() as u64)
    }

    /// The most powerful combinations of one, two and three columns that do not identify alone, then all quasi-identifiers.
    pub(crate) fn singling_out(&self, findings: &[Finding]) -> Vec<SinglingOut> {
        let candidates = self.candidates(findings);
        let mut found: [Vec<SinglingOut>; 3] = Default::default();
        let start = vec![0u32; self.len() as usize];
        for (i, &a) in candidates.iter().enumerate() {
            let one = self.refine(&start, a);
            note(&mut found, 0, self.count(&[a], &one, findings));
            for (j, &b) in candidates.iter().enumerate().skip(i + 1) {
                let two = self.refine(&one, b);
                note(&mut found, 1, self.count(&[a, b], &two, findings));
                for &c in candidates.iter().skip(j + 1) {
                    let three = self.refine(&two, c);
                    note(&mut found, 2, self.count(&[a, b, c], &three, findings));
                }
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
            let classes = quasi.iter().fold(start, |classes, &column| self.refine(&classes, column));
            out.push(SinglingOut { all_quasi: true, ..self.count(&quasi, &classes, findings) });
        }
        out
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

    fn refine(&self, classes: &[u32], column: usize) -> Vec<u32> {
        let mut pairs = Pairs::default();
        let codes = self.columns.get(column).map_or(&[][..], Vec::as_slice);
        classes.iter().zip(codes).map(|(&class, &code)| step(&mut pairs, class, code)).collect()
    }

    fn count(&self, columns: &[usize], classes: &[u32], findings: &[Finding]) -> SinglingOut {
        let mut sizes = vec![0u64; classes.iter().max().map_or(0, |&m| m as usize + 1)];
        for &class in classes {
            if let Some(size) = sizes.get_mut(class as usize) {
                *size += 1;
            }
        }
        let below = |limit: u64| sizes.iter().filter(|&&size| size < limit).sum();
        let names = columns.iter().filter_map(|&c| findings.get(c)).map(|f| f.column.clone()).collect();
        SinglingOut {
            columns: names,
            uniques: below(2),
            below_ten: below(11),
            of: self.len(),
            all_quasi: false,
        }
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
