//! Peculiar values: ends of numbers and rare words that too few records share are coded or left out.

use super::{NotProtected, Request};
use crate::cell::Cells;
use crate::dictionary::Entry;
use crate::examine::rarest;
use crate::number::Decimal;
use crate::plan::{Act, Plan};
use arrow_array::BooleanArray;
use arrow_array::RecordBatch;
use arrow_select::filter::filter_record_batch;
use std::collections::BTreeMap;

/// New acts for columns whose rarest end or word is shared by fewer records than the profile demands.
pub(super) fn acts(
    request: &Request<'_>,
    plan: &Plan,
    kept: &[Vec<bool>],
) -> Result<BTreeMap<String, Act>, NotProtected> {
    let border = super::border(request, plan)?;
    let (mut before, mut after) = (Vec::with_capacity(kept.len()), Vec::with_capacity(kept.len()));
    for (batch, kept) in request.batches.iter().zip(kept) {
        let mask = BooleanArray::from(kept.clone());
        before.push(filter_record_batch(batch, &mask).map_err(crate::transform::Refusal::from)?);
        after.push(
            filter_record_batch(&border.apply(batch)?, &mask).map_err(crate::transform::Refusal::from)?,
        );
    }
    let mut out = BTreeMap::new();
    for name in plan.released() {
        let Some(entry) = request.dictionary.columns.get(name) else { continue };
        let Some(least) = request.profile.shared_values(entry.role) else { continue };
        if rarest(&after, name)?.least.is_none_or(|n| n >= least)
            || !may_change(entry, plan.columns.get(name))
        {
            continue;
        }
        out.insert(name.to_string(), act(&before, name, least));
    }
    Ok(out)
}

// What a person chose stays; the report will say that it is not enough.
fn may_change(entry: &Entry, act: Option<&Act>) -> bool {
    entry.act.is_none() && matches!(act, Some(Act::Keep | Act::Clamp { .. } | Act::Map { .. }))
}

fn act(batches: &[RecordBatch], name: &str, least: u64) -> Act {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for batch in batches {
        let Some(cells) = batch.column_by_name(name).and_then(Cells::of) else { return Act::Drop };
        for row in 0..batch.num_rows() {
            if let Some(text) = cells.text(row) {
                *counts.entry(text.into_owned()).or_default() += 1;
            }
        }
    }
    match counts.iter().map(|(text, &n)| Some((text.parse::<Decimal>().ok()?, n))).collect::<Option<Vec<_>>>()
    {
        Some(mut numbers) => {
            numbers.sort_unstable();
            clamp(&numbers, least)
        }
        None => {
            let to: BTreeMap<String, String> = counts
                .into_iter()
                .filter(|(_, n)| *n >= least)
                .map(|(text, _)| (text.clone(), text))
                .collect();
            if to.is_empty() { Act::Drop } else { Act::Map { to, otherwise: None } }
        }
    }
}

// The tightest ends that enough records share; where both would meet, the column goes.
fn clamp(numbers: &[(Decimal, u64)], least: u64) -> Act {
    let mut sum = 0;
    let mut from_below = numbers.iter().skip_while(|(_, n)| {
        sum += n;
        sum < least
    });
    let first_is_shared = numbers.first().is_some_and(|(_, n)| *n >= least);
    let below = if first_is_shared { None } else { from_below.nth(1).map(|(value, _)| *value) };
    let mut sum = 0;
    let above = numbers.iter().rev().find(|(_, n)| {
        sum += n;
        sum >= least
    });
    let last_is_shared = numbers.last().is_some_and(|(_, n)| *n >= least);
    let above_value = if last_is_shared { None } else { above.map(|(value, _)| *value) };
    let enough = above.is_some() && (first_is_shared || below.is_some());
    match (below, above_value) {
        _ if !enough => Act::Drop,
        (Some(below), Some(above)) if below > above => Act::Drop,
        (Some(below), None) if numbers.last().is_some_and(|(value, _)| below > *value) => Act::Drop,
        (below, above) => Act::Clamp { below, above },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_ends_by_hand() {
        let d = Decimal::whole;
        let numbers = |v: &[(i64, u64)]| v.iter().map(|&(value, n)| (d(value), n)).collect::<Vec<_>>();
        let check =
            |v: &[(i64, u64)], least, expect: Act| assert_eq!(clamp(&numbers(v), least), expect, "{v:?}");
        check(
            &[(1, 1), (2, 2), (3, 5), (8, 2), (9, 1)],
            3,
            Act::Clamp { below: Some(d(3)), above: Some(d(8)) },
        );
        check(&[(1, 3), (2, 1), (9, 1), (10, 2)], 3, Act::Clamp { below: None, above: Some(d(9)) });
        check(&[(1, 3), (9, 3)], 3, Act::Clamp { below: None, above: None });
        check(&[(1, 1), (2, 1)], 3, Act::Drop);
        check(&[(1, 1), (2, 2)], 3, Act::Drop);
    }
}
