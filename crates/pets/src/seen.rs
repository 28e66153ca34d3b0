//! The plan as it shows in released data alone: for releases whose maker's plan is not at hand.
//!
//! INVARIANT: what is not recognized counts as kept, so that a clause that asks for treatment is not met by a guess.

use crate::cell::Cells;
use crate::dictionary::Dictionary;
use crate::number::Decimal;
use crate::plan::{Act, DateUnit, Plan};
use crate::transform::could_give;
use arrow_array::RecordBatch;
use std::collections::BTreeSet;

/// Kinds whose four digits are a year.
const DAYS: [&str; 4] = ["date", "birth-date", "event-date", "time"];
// LIMIT: distinct values after which a column that is not yet understood counts as kept.
const DISTINCT_MAX: usize = 1 << 20;

/// Tells from the values what was done to each column.
pub fn plan(released: &[RecordBatch], dictionary: &Dictionary) -> Plan {
    let mut out = Plan::default();
    let Some(first) = released.first() else { return out };
    for field in first.schema().fields() {
        let kind = dictionary.columns.get(field.name()).and_then(|e| e.kind.as_deref());
        let values = distinct(released, field.name());
        let act = values.and_then(|values| act(&values, kind)).unwrap_or(Act::Keep);
        out.columns.insert(field.name().clone(), act);
    }
    out
}

fn distinct(released: &[RecordBatch], name: &str) -> Option<BTreeSet<String>> {
    let mut values = BTreeSet::new();
    for batch in released {
        let cells = Cells::of(batch.column_by_name(name)?)?;
        for row in 0..cells.len() {
            if let Some(text) = cells.text(row)
                && !values.contains(text.as_ref())
            {
                values.insert(text.into_owned());
            }
        }
        if values.len() > DISTINCT_MAX {
            return None;
        }
    }
    Some(values)
}

fn act(values: &BTreeSet<String>, kind: Option<&str>) -> Option<Act> {
    if values.is_empty() {
        return Some(Act::Suppress);
    }
    let is_name = |v: &String| v.len() == 32 && v.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if values.iter().all(is_name) {
        return Some(Act::Pseudonym { namespace: None });
    }
    let mut candidates = vec![bin(values), clamp(values), prefix(values)];
    if kind.is_some_and(|k| DAYS.contains(&k)) {
        let units = [DateUnit::Month, DateUnit::Quarter, DateUnit::Year, DateUnit::Decade];
        candidates.extend(units.map(|to| Some(Act::Date { to })));
    }
    candidates.into_iter().flatten().find(|act| values.iter().all(|v| could_give(act, v)))
}

/// The coded ends: `<20` and `>=85`, at most one of each.
fn ends(values: &BTreeSet<String>) -> Option<(Option<Decimal>, Option<Decimal>)> {
    let mut below = values.iter().filter_map(|v| v.strip_prefix('<'));
    let mut above = values.iter().filter_map(|v| v.strip_prefix(">="));
    let (low, high) = (below.next(), above.next());
    if below.next().is_some() || above.next().is_some() {
        return None;
    }
    let number = |t: Option<&str>| t.map(|t| t.parse::<Decimal>()).transpose().ok();
    Some((number(low)?, number(high)?))
}

fn bin(values: &BTreeSet<String>) -> Option<Act> {
    let (below, above) = ends(values)?;
    let edges = |v: &String| {
        let (low, high) = v.strip_prefix('[')?.strip_suffix(')')?.split_once(',')?;
        Some((low.parse::<Decimal>().ok()?, high.parse::<Decimal>().ok()?))
    };
    let bins: Vec<(Decimal, Decimal)> = values.iter().filter_map(edges).collect();
    // A bin beside a coded end may be cut short; the widest is whole.
    let (low, high) = *bins.iter().max_by_key(|(low, high)| high.minus(*low))?;
    let width = high.minus(low);
    (width > Decimal::ZERO).then(|| Act::Bin { width, origin: origin(low, width), below, above })
}

fn origin(low: Decimal, width: Decimal) -> Decimal {
    low.minus(low.floor_to(width, Decimal::ZERO))
}

fn clamp(values: &BTreeSet<String>) -> Option<Act> {
    let (below, above) = ends(values)?;
    (below.is_some() || above.is_some()).then_some(Act::Clamp { below, above })
}

fn prefix(values: &BTreeSet<String>) -> Option<Act> {
    let lengths = values.iter().map(|v| v.strip_suffix('*').map(|t| t.chars().count()));
    let keep = lengths.collect::<Option<Vec<usize>>>()?.into_iter().max()?;
    Some(Act::Prefix { keep })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, StringArray};
    use std::sync::Arc;

    #[test]
    fn what_shows_is_recognized_and_all_else_counts_as_kept() {
        let check = |kind: &str, values: &[&str], expect: &str| {
            let array = Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
            let table = vec![RecordBatch::try_from_iter([("x", array)]).unwrap()];
            let dictionary =
                Dictionary::parse(&format!("[columns.x]\nrole='quasi-identifier'\nkind='{kind}'")).unwrap();
            let plan = plan(&table, &dictionary);
            let expect = Plan::parse(&format!("[columns.x]\n{expect}")).unwrap();
            assert_eq!(plan, expect, "{values:?}");
        };
        check("age", &["[20,30)", "[30,40)", ">=85", "[80,85)"], "act='bin'\nwidth=10\nabove=85");
        check("age", &["[25,35)", "[35,45)", "<25"], "act='bin'\nwidth=10\norigin=5\nbelow=25");
        check("age", &["20", "33", ">=85"], "act='clamp'\nabove=85");
        check("birth-date", &["1980", "1981"], "act='date'\nto='year'");
        check("event-date", &["2020-01", "2020-11"], "act='date'\nto='month'");
        check("age", &["1980", "1981"], "act='keep'");
        check("postcode", &["984*", "100*"], "act='prefix'\nkeep=3");
        check("id", &["8f11f543a170aa74ce33bd3764610fb7"], "act='pseudonym'");
        check("age", &["[20,30)", "31"], "act='keep'");
        check("age", &["[20,30)", "[28,38)"], "act='keep'");
        check("age", &["20", ">=85", ">=90"], "act='keep'");
    }
}
