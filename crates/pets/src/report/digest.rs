//! Tables and acts in a form that everybody gets alike: digests of rows, names of acts.

use crate::cell::Cells;
use crate::outside::{PARTS, Spill};
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
    let mut rows = RowsSorted::held();
    // Nothing goes out, so nothing fails.
    batches.iter().for_each(|batch| drop(rows.push(batch)));
    rows.finish().map_or_else(|_| Digest::of(b""), |(content, _, _)| content)
}

/// Where parts go.
type Place = Box<dyn Spill<Failed = String>>;

/// Digests of rows, put in order; beyond a limit of memory they go out into parts by their first byte.
pub(crate) struct RowsSorted {
    names: Option<Sha256>,
    held: Vec<Digest>,
    out: Option<(usize, Place)>,
    spilled: u64,
}

impl RowsSorted {
    /// All in memory.
    pub(crate) fn held() -> Self {
        Self { names: None, held: Vec::new(), out: None, spilled: 0 }
    }

    /// Within a limit.
    pub(crate) fn within(memory: usize, place: Place) -> Self {
        Self { out: Some((memory.max(1 << 16) / size_of::<Digest>() / 2, place)), ..Self::held() }
    }

    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<(), String> {
        self.names.get_or_insert_with(|| {
            let mut whole = Sha256::new();
            batch.schema().fields().iter().for_each(|f| feed(&mut whole, Some(f.name())));
            whole
        });
        self.held.extend(row_digests(batch));
        match &self.out {
            Some((most, _)) if self.held.len() > *most => self.pour(),
            _ => Ok(()),
        }
    }

    fn pour(&mut self) -> Result<(), String> {
        let Some((_, place)) = &mut self.out else { return Ok(()) };
        self.held.sort_unstable();
        for part in self.held.chunk_by(|a, b| a.0.first() == b.0.first()) {
            let number = part.first().and_then(|d| d.0.first()).map_or(0, |b| usize::from(*b) % PARTS);
            let bytes: Vec<u8> = part.iter().flat_map(|d| d.0).collect();
            self.spilled += bytes.len() as u64;
            place.put(number, &bytes)?;
        }
        self.held.clear();
        Ok(())
    }

    /// The content's digest, how many rows are there once, and the bytes that went out.
    pub(crate) fn finish(mut self) -> Result<(Digest, u64, u64), String> {
        let mut whole = self.names.take().unwrap_or_default();
        let mut alone = 0;
        let mut add = |mut rows: Vec<Digest>| {
            rows.sort_unstable();
            alone += rows.chunk_by(|a, b| a == b).filter(|same| same.len() == 1).count() as u64;
            rows.iter().for_each(|row| whole.update(row.0));
        };
        if self.spilled == 0 {
            add(self.held);
        } else {
            self.pour()?;
            for part in 0..PARTS {
                let bytes = self.out.as_mut().map_or_else(|| Ok(Vec::new()), |(_, place)| place.take(part))?;
                add(bytes.as_chunks::<32>().0.iter().map(|d| Digest(*d)).collect());
            }
        }
        Ok((Digest(whole.finalize().into()), alone, self.spilled))
    }
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
