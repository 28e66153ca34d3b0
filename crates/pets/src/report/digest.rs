//! Tables and acts in a form that everybody gets alike: digests of rows, names of acts.

use crate::cell::Cells;
use crate::plan::Act;
use arrow_array::RecordBatch;
use model::Digest;
use sha2::{Digest as _, Sha256};

/// What was done to a column, in words of a report.
// INVARIANT: no value of the data: a mapping shows how many values it has and never which.
pub(super) fn describe(act: &Act) -> String {
    let end = |name: &str, value: &Option<crate::number::Decimal>| {
        value.map_or(String::new(), |v| format!(", {name} {v}"))
    };
    match act {
        Act::Keep => "keep".into(),
        Act::Drop => "drop".into(),
        Act::Suppress => "suppress".into(),
        Act::Bin { width, below, above, .. } => {
            format!("bin of {width}{}{}", end("below", below), end("above", above))
        }
        Act::Clamp { below, above } => format!("clamp{}{}", end("below", below), end("above", above)),
        Act::Date { to } => format!(
            "date to {}",
            match to {
                crate::plan::DateUnit::Month => "month",
                crate::plan::DateUnit::Quarter => "quarter",
                crate::plan::DateUnit::Year => "year",
                crate::plan::DateUnit::Decade => "decade",
            }
        ),
        Act::Prefix { keep } => format!("first {keep} characters"),
        Act::Map { to, .. } => format!("map of {} values", to.len()),
        Act::Pseudonym { .. } => "keyed pseudonym".into(),
        Act::Token { .. } => "reversible token".into(),
        Act::Shift { person, days } => format!("shift by {person}, at most {days} days"),
        Act::Ip { v4, v6 } => format!("network of {v4} or {v6} bits"),
        Act::Local { of } => {
            let of: Vec<String> = of.iter().map(describe).collect();
            format!("by class: {}", of.join("; "))
        }
        Act::Range => "range of the class".into(),
    }
}

/// The worst of what was judged, and what was not.
/// SHA-256 of the released columns' names and of the sorted digests of rows: equal for equal tables in any order.
pub fn content(batches: &[RecordBatch]) -> Digest {
    let mut whole = Sha256::new();
    if let Some(first) = batches.first() {
        first.schema().fields().iter().for_each(|f| feed(&mut whole, Some(f.name())));
    }
    let mut rows: Vec<Digest> = batches.iter().flat_map(row_digests).collect();
    rows.sort_unstable();
    rows.iter().for_each(|row| whole.update(row.0));
    Digest(whole.finalize().into())
}

/// The digest of each row: SHA-256 over its cells in order.
pub(crate) fn row_digests(batch: &RecordBatch) -> Vec<Digest> {
    let cells: Vec<Option<Cells<'_>>> = batch.columns().iter().map(Cells::of).collect();
    let digest = |row: usize| {
        let mut digest = Sha256::new();
        cells.iter().for_each(|c| feed(&mut digest, c.as_ref().and_then(|c| c.text(row)).as_deref()));
        Digest(digest.finalize().into())
    };
    (0..batch.num_rows()).map(digest).collect()
}

/// The digest of a row of so many missing values.
pub(crate) fn empty_row(width: usize) -> Digest {
    let mut digest = Sha256::new();
    (0..width).for_each(|_| feed(&mut digest, None));
    Digest(digest.finalize().into())
}

// Missing is one byte, a value its length and its bytes: no two rows read alike.
fn feed(digest: &mut Sha256, text: Option<&str>) {
    match text {
        None => digest.update([0]),
        Some(text) => {
            digest.update([1]);
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        }
    }
}
