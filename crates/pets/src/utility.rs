//! What a transformation costs: loss and drift of each column, exactly.

use crate::cell::Cells;
use crate::intern::{Codes, MISSING};
use crate::plan::{Act, Plan};
use crate::ratio::Ratio;
use crate::transform::{Unread, has_to_read, reads};
use arrow_array::{BooleanArray, RecordBatch};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

mod outside;

pub(crate) use outside::LossesOutside;

/// What one column lost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ColumnLoss {
    /// 0 = each value is still told from every other, 1 = none is. For each record, the number of other original values
    /// that look the same now, over the number of other original values; a record left out counts 1; averaged.
    pub loss: Ratio,
    /// Total variation between the released values of all records and of those that were released: what leaving
    /// records out has shifted.
    pub drift: Ratio,
    /// Distinct values before.
    pub distinct_before: u64,
    /// Distinct values after.
    pub distinct_after: u64,
}

/// Counts pairs of original and transformed values, batch by batch.
#[derive(Debug, Default)]
pub struct Losses {
    columns: BTreeMap<String, Pairs>,
    records: u64,
    kept: u64,
}

#[derive(Debug, Default)]
struct Pairs {
    before: Codes,
    after: Codes,
    /// (before, after) → all records, records released.
    counts: HashMap<(u32, u32), (u64, u64)>,
}

impl Losses {
    /// Counts a batch before and after, row by row, and which rows are released. Columns that are gone after count as missing.
    pub fn push(&mut self, before: &RecordBatch, after: &RecordBatch, released: &BooleanArray) {
        self.records += before.num_rows() as u64;
        self.kept += released.true_count() as u64;
        for (field, array) in before.schema().fields().iter().zip(before.columns()) {
            let pairs = self.columns.entry(field.name().clone()).or_default();
            let Some(old) = Cells::of(array) else { continue };
            let new = after.column_by_name(field.name()).and_then(Cells::of);
            for row in 0..before.num_rows() {
                let from = pairs.before.code(old.text(row).as_deref());
                let to = pairs.after.code(new.as_ref().and_then(|c| c.text(row)).as_deref());
                let count = pairs.counts.entry((from, to)).or_default();
                count.0 += 1;
                count.1 += u64::from(row < released.len() && released.value(row));
            }
        }
    }

    /// The loss of each column.
    pub fn finish(&self) -> BTreeMap<String, ColumnLoss> {
        self.columns.iter().map(|(name, pairs)| (name.clone(), self.column(pairs))).collect()
    }

    /// What the acts could not read, of each column whose act has to.
    pub fn unread(&self, plan: &Plan) -> BTreeMap<String, Unread> {
        let read = plan.columns.iter().filter(|(_, act)| has_to_read(act));
        read.filter_map(|(name, act)| Some((name.clone(), self.columns.get(name)?.unread(act)))).collect()
    }

    fn column(&self, pairs: &Pairs) -> ColumnLoss {
        let mut originals: HashMap<u32, u128> = HashMap::new();
        let mut values: HashMap<u32, (u128, u128)> = HashMap::new();
        let mut distinct = std::collections::HashSet::new();
        for (&(from, to), &(all, released)) in &pairs.counts {
            *originals.entry(to).or_default() += 1;
            distinct.insert(from);
            let value = values.entry(to).or_default();
            (value.0, value.1) = (value.0 + u128::from(all), value.1 + u128::from(released));
        }
        let distinct_before = distinct.iter().filter(|&&code| code != MISSING).count() as u64;
        let mut sum = Sum { distinct: distinct.len() as u64, distinct_before, ..Sum::default() };
        for (to, (all, released)) in &values {
            sum.add(*to == MISSING, originals.get(to).copied().unwrap_or(1), *all, *released, self.records, self.kept);
        }
        sum.loss(self.records, self.kept)
    }
}

impl Pairs {
    fn unread(&self, act: &Act) -> Unread {
        let mut unread = Unread::default();
        for (&(from, to), &(all, _)) in self.counts.iter().filter(|((from, _), _)| *from != MISSING) {
            // Class by class, only records that are released were written.
            let is_read = match act {
                Act::Local { .. } => self.before.text(from).is_some_and(|text| reads(act, text)),
                _ => to != MISSING,
            };
            unread.add(all, is_read);
        }
        unread
    }
}

/// What the values of a column add up to.
#[derive(Debug, Default, Clone)]
struct Sum {
    /// Original values, a missing one among them.
    distinct: u64,
    distinct_before: u64,
    distinct_after: u64,
    /// Over released records, other original values that look the same now.
    alike: u128,
    /// Half the sum of absolute differences, which is the sum of the positive ones.
    shifted: u128,
}

impl Sum {
    fn add(&mut self, is_missing: bool, originals: u128, all: u128, released: u128, records: u64, kept: u64) {
        self.alike += released * (originals - 1);
        self.shifted += (released * u128::from(records)).saturating_sub(all * u128::from(kept));
        self.distinct_after += u64::from(!is_missing && released > 0);
    }

    fn loss(&self, records: u64, kept: u64) -> ColumnLoss {
        let (records, kept) = (u128::from(records), u128::from(kept));
        let loss = match u128::from(self.distinct.saturating_sub(1)) {
            0 => Ratio::of(records - kept, records),
            others => Ratio::of(self.alike + (records - kept) * others, records * others),
        };
        ColumnLoss {
            loss: loss.unwrap_or(Ratio::ZERO),
            drift: Ratio::of(self.shifted, records * kept).unwrap_or(Ratio::ZERO),
            distinct_before: self.distinct_before,
            distinct_after: self.distinct_after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::transform::Border;
    use arrow_array::{ArrayRef, StringArray};
    use std::sync::Arc;

    #[test]
    fn loss_and_drift_by_hand() {
        let column = |v: &[&str]| Arc::new(StringArray::from(v.to_vec())) as ArrayRef;
        let before = RecordBatch::try_from_iter([
            ("age", column(&["21", "22", "23", "31"])),
            ("name", column(&["a", "b", "c", "d"])),
            ("city", column(&["x", "x", "x", "x"])),
        ])
        .unwrap();
        let plan = Plan::parse(
            "[columns.age]\nact='bin'\nwidth=10\n[columns.name]\nact='drop'\n[columns.city]\nact='keep'",
        )
        .unwrap();
        let after = Border::prepare(&plan, &before.schema(), None).unwrap().apply(&before).unwrap();
        let r = |t: &str| t.parse::<Ratio>().unwrap();
        let mut all = Losses::default();
        all.push(&before, &after, &vec![true; 4].into());
        let all = all.finish();
        // Three records look like two others of three: 3 × 2/3, the fourth like none; over four.
        assert_eq!((all["age"].loss, all["age"].drift), (r("1/2"), r("0")));
        assert_eq!((all["name"].loss, all["name"].distinct_after), (r("1"), 0));
        assert_eq!(all["city"].loss, r("0"));
        let mut three = Losses::default();
        three.push(&before, &after, &vec![true, true, true, false].into());
        let three = three.finish();
        assert_eq!((three["age"].loss, three["age"].drift), (r("3/4"), r("1/4")));
        assert_eq!(three["city"].loss, r("1/4"));
    }
}
