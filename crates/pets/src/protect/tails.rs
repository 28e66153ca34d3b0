//! Peculiar values: ends of numbers and rare words that too few records share are coded or left out.

use super::{NotProtected, Over};
use crate::dictionary::Entry;
use crate::examine::Values;
use crate::measure::NotCounted;
use crate::number::Decimal;
use crate::plan::{Act, Plan};
use arrow_array::BooleanArray;
use std::collections::BTreeMap;

/// New acts for columns whose rarest end or word is shared by fewer records than the profile demands.
pub(super) fn acts(over: &Over<'_>, plan: &Plan, kept: &[BooleanArray]) -> Result<BTreeMap<String, Act>, NotProtected> {
    let border = super::border(over, plan)?;
    let concerned = |name: &&str| {
        let entry = over.dictionary.columns.get(*name)?;
        let least = over.profile.shared_values(entry.role)?;
        may_change(entry, plan.columns.get(*name)).then_some(least)
    };
    // Values before and after of each column that may change, among records that are released.
    let mut columns: Vec<(String, u64, Values, Values)> = plan
        .released()
        .filter_map(|name| Some((name.to_string(), concerned(&name)?, Values::default(), Values::default())))
        .collect();
    if columns.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut kept = kept.iter();
    over.source.each(&mut |batch| {
        let mask = kept.next().ok_or(NotProtected::Empty)?;
        let after = border.apply(batch)?;
        let mut bytes = 0;
        for (name, _, was, is) in &mut columns {
            was.push(batch, name, Some(mask))?;
            is.push(&after, name, Some(mask))?;
            bytes += was.bytes() + is.bytes();
        }
        if over.memory.is_some_and(|most| bytes > most) { Err(NotCounted::TooMany.into()) } else { Ok(()) }
    })?;
    let rare = columns.into_iter().filter(|(_, least, _, is)| is.rarest().least.is_some_and(|n| n < *least));
    Ok(rare.map(|(name, least, was, _)| (name, act(was, least))).collect())
}

// What a person chose stays; the report will say that it is not enough.
fn may_change(entry: &Entry, act: Option<&Act>) -> bool {
    entry.act.is_none() && matches!(act, Some(Act::Keep | Act::Clamp { .. } | Act::Map { .. }))
}

fn act(values: Values, least: u64) -> Act {
    let counts: BTreeMap<String, u64> = values.into_counts().collect();
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
