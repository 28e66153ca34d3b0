//! Values that an act cannot read: a day that could be two days, a word among numbers. They become missing, and are counted.

use crate::calendar::{read_day, read_parts};
use crate::cell::Cells;
use crate::number::Decimal;
use crate::plan::{Act, Plan};
use arrow_array::RecordBatch;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Values of a column, before records are left out, that became missing because its act could not read them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Unread {
    /// How many.
    pub values: u64,
    /// Of so many that were there.
    pub of: u64,
}

/// Unread values of a hundred beyond which a column is warned of: what is missing then is no longer a slip of the pen.
pub const UNREAD_PERCENT_MAX: u64 = 1;

impl Unread {
    /// True when so much of a column is gone that a person should look before the release is used.
    pub fn is_many(&self) -> bool {
        u128::from(self.values) * 100 > u128::from(self.of) * u128::from(UNREAD_PERCENT_MAX)
    }

    /// Counts values of which it is known whether they were read.
    pub(crate) fn add(&mut self, values: u64, is_read: bool) {
        self.of += values;
        self.values += if is_read { 0 } else { values };
    }
}

/// Counts in a table what the plan's acts cannot read, without transforming it.
pub(crate) fn unread(plan: &Plan, batches: &[RecordBatch]) -> BTreeMap<String, Unread> {
    let mut out = BTreeMap::new();
    for (name, act) in plan.columns.iter().filter(|(_, act)| has_to_read(act)) {
        let mut unread = Unread::default();
        for batch in batches {
            let Some(cells) = batch.column_by_name(name).and_then(Cells::of) else { continue };
            let persons = match act {
                Act::Shift { person, .. } => batch.column_by_name(person).and_then(Cells::of),
                _ => None,
            };
            for (row, text) in (0..cells.len()).filter_map(|row| Some((row, cells.text(row)?))) {
                // A day without a person has no amount to move by.
                let stays = !matches!(act, Act::Shift { .. }) || persons.as_ref().is_some_and(|p| p.text(row).is_some());
                unread.add(1, stays && reads(act, &text));
            }
        }
        out.insert(name.clone(), unread);
    }
    out
}

/// Whether an act looks into a value, so that it may fail to read it.
pub(crate) fn has_to_read(act: &Act) -> bool {
    match act {
        Act::Bin { .. } | Act::Clamp { .. } | Act::Date { .. } | Act::Map { .. } | Act::Ip { .. } | Act::Shift { .. } => true,
        Act::Local { of } => of.iter().any(has_to_read),
        Act::Keep | Act::Drop | Act::Suppress | Act::Prefix { .. } | Act::Pseudonym { .. } | Act::Token { .. } | Act::Range => false,
    }
}

/// Whether an act, or each of several, gives a value for this one.
pub(crate) fn reads(act: &Act, text: &str) -> bool {
    match act {
        Act::Bin { .. } | Act::Clamp { .. } => text.parse::<Decimal>().is_ok(),
        Act::Date { .. } => read_parts(text).is_some(),
        Act::Shift { .. } => read_day(text).is_some(),
        Act::Map { to, otherwise } => otherwise.is_some() || to.contains_key(text),
        Act::Ip { .. } => text.parse::<IpAddr>().is_ok(),
        Act::Local { of } => of.iter().all(|act| reads(act, text)),
        Act::Keep | Act::Drop | Act::Suppress | Act::Prefix { .. } | Act::Pseudonym { .. } | Act::Token { .. } | Act::Range => true,
    }
}
