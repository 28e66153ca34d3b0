//! Recoding by classes: finer than one rung for all, at the price that a value is not always written alike.
//!
//! Both methods cut classes into parts that each meet k, l and t. Parts that happen to be written alike merge again, which
//! makes them larger, no less diverse and no farther from the whole.

use super::super::{NotProtected, Request};
use super::{Column, Rows, Rung, Table};
use crate::calendar::read_day;
use crate::cell::Cells;
use crate::intern::{Codes, MISSING};
use crate::number::Decimal;
use crate::plan::{Act, Plan};
use crate::ratio::Ratio;
use crate::transform::{Border, Cell};
use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A plan with the batches that it gave.
pub(in crate::protect) struct Recoded {
    pub(in crate::protect) plan: Plan,
    pub(in crate::protect) batches: Vec<RecordBatch>,
}

/// A class: its combinations, and the rung of each column.
struct Class {
    combinations: Vec<u32>,
    point: Vec<usize>,
}

/// Goes down from a plan's rungs, class by class: the column that gains most first, as long as every part is good.
pub(in crate::protect) fn local(
    request: &Request<'_>,
    plan: &Plan,
    kept: &[BooleanArray],
) -> Result<Option<Recoded>, NotProtected> {
    let mut table = Table::of(&request.over(), Rows::Kept)?;
    let point = table.stands_at(request, plan);
    let mut classes: BTreeMap<Vec<u32>, BTreeSet<u32>> = BTreeMap::new();
    let kept: Vec<bool> = kept.iter().flat_map(|batch| batch.values().iter()).collect();
    for (&combination, _) in table.rows.iter().zip(&kept).filter(|(_, kept)| **kept) {
        classes.entry(table.written(combination, &point)).or_default().insert(combination);
    }
    let spread = table.spread();
    let mut open: Vec<Class> = classes
        .into_values()
        .map(|class| Class { combinations: class.into_iter().collect(), point: point.clone() })
        .collect();
    let mut done: Vec<Class> = Vec::new();
    while let Some(class) = open.pop() {
        match table.finer(&class, &spread) {
            Some(parts) => open.extend(parts),
            None => done.push(class),
        }
    }
    let mut of = vec![None; table.counts.len()];
    for class in &done {
        for &combination in &class.combinations {
            if let Some(slot) = of.get_mut(combination as usize) {
                *slot = Some(&class.point);
            }
        }
    }
    let mut acts: BTreeMap<String, Act> = BTreeMap::new();
    for (place, column) in table.columns.iter().enumerate() {
        let used: BTreeSet<usize> = done.iter().filter_map(|c| c.point.get(place).copied()).collect();
        let mut rungs = used.iter().filter_map(|&r| column.rungs.get(r)).map(|rung| rung.act.clone());
        let act = match (rungs.next(), used.len()) {
            (Some(act), 1) => act,
            (Some(act), _) => Act::Local { of: [act].into_iter().chain(rungs).collect() },
            (None, _) => continue,
        };
        if plan.columns.get(&column.name) != Some(&act) {
            acts.insert(column.name.clone(), act);
        }
    }
    let write = |place: usize, combination: u32, text: Option<&str>| {
        let point = of.get(combination as usize).copied().flatten()?;
        let rung = table.columns.get(place)?.rungs.get(*point.get(place)?)?;
        Cell::of(&rung.act, &table.columns.get(place)?.name, request.key).apply(text?)
    };
    table.release(request, plan, acts, write).map(Some)
}

/// Cuts all records in halves along the widest column, as long as both halves are good.
pub(in crate::protect) fn mondrian(request: &Request<'_>, plan: &Plan) -> Result<Option<Recoded>, NotProtected> {
    let mut table = Table::of(&request.over(), Rows::Kept)?;
    let spread = table.spread();
    // A column whose ranges the profile does not permit stays on the lattice's rung, and cuts by that.
    let ranged = |name: &str| {
        request.dictionary.columns.get(name).is_some_and(|e| e.act.is_none() && request.profile.permits(e, &Act::Range))
    };
    let places: Vec<usize> = (0..table.columns.len())
        .filter(|&p| table.columns.get(p).is_some_and(|c| ranged(&c.name)))
        .collect();
    let point = table.stands_at(request, plan);
    let orders: Vec<Vec<u32>> = table.values.iter().map(order).collect();
    let mut open: Vec<Vec<u32>> = Vec::new();
    let mut fixed: BTreeMap<Vec<u32>, Vec<u32>> = BTreeMap::new();
    for combination in 0..table.counts.len() as u32 {
        let mut written = table.written(combination, &point);
        places.iter().for_each(|&p| written.get_mut(p).into_iter().for_each(|w| *w = 0));
        fixed.entry(written).or_default().push(combination);
    }
    open.extend(fixed.into_values());
    if open.iter().any(|class| !table.is_good(class, &spread)) {
        return Ok(None);
    }
    let mut done: Vec<Vec<u32>> = Vec::new();
    while let Some(class) = open.pop() {
        match table.halves(&class, &places, &orders, &spread) {
            Some((low, high)) => open.extend([low, high]),
            None => done.push(class),
        }
    }
    let mut labels: Vec<BTreeMap<usize, Option<String>>> = Vec::with_capacity(done.len());
    let mut of = vec![0usize; table.counts.len()];
    for (number, class) in done.iter().enumerate() {
        for &combination in class {
            if let Some(slot) = of.get_mut(combination as usize) {
                *slot = number;
            }
        }
        let label = |&place: &usize| (place, table.range(place, class, &orders));
        labels.push(places.iter().map(label).collect());
    }
    let names = places.iter().filter_map(|&p| table.columns.get(p)).map(|c| (c.name.clone(), Act::Range));
    let acts: BTreeMap<String, Act> = names.collect();
    let write = |place: usize, combination: u32, _: Option<&str>| {
        labels.get(*of.get(combination as usize)?)?.get(&place)?.clone()
    };
    table.release(request, plan, acts, write).map(Some)
}

/// For each sensitive column, the values of each combination.
type Spread = Vec<Vec<Vec<(u32, u64)>>>;

/// Places of the values of a column, missing first: as numbers, as days, or as words.
fn order(values: &Codes) -> Vec<u32> {
    let texts = |code: u32| values.text(code).unwrap_or("");
    let mut codes: Vec<u32> = (1..values.len() as u32).collect();
    let numbers: Option<Vec<Decimal>> = codes.iter().map(|&c| texts(c).parse().ok()).collect();
    let days: Option<Vec<i32>> =
        codes.iter().map(|&c| read_day(texts(c)).map(|d| d.days_since_epoch())).collect();
    match (numbers, days) {
        (Some(numbers), _) => codes.sort_by_key(|&c| numbers.get(c as usize - 1).copied()),
        (None, Some(days)) => codes.sort_by_key(|&c| days.get(c as usize - 1).copied()),
        (None, None) => codes.sort_by(|&a, &b| texts(a).cmp(texts(b))),
    }
    let mut places = vec![0; values.len()];
    for (place, code) in (1..).zip(codes) {
        if let Some(slot) = places.get_mut(code as usize) {
            *slot = place;
        }
    }
    places
}

// LIMIT: words of a class that are written out; a class with more says `*`.
const WORDS_MAX: usize = 8;

impl Table {
    /// The rung of each column in a plan. An act that is on no rung becomes the column's only one.
    fn stands_at(&mut self, request: &Request<'_>, plan: &Plan) -> Vec<usize> {
        let mut point = Vec::with_capacity(self.columns.len());
        for ((column, values), codes) in self.columns.iter_mut().zip(&self.values).zip(&self.codes) {
            let Some(act) = plan.columns.get(&column.name) else {
                point.push(0);
                continue;
            };
            let place = column.rungs.iter().position(|rung| rung.act == *act).unwrap_or_else(|| {
                let mut per_code = vec![0u64; values.len()];
                for (&code, count) in codes.iter().zip(&self.counts) {
                    per_code.get_mut(code as usize).into_iter().for_each(|n| *n += count);
                }
                let rung = Rung::of(act.clone(), &column.name, values, &per_code, column.whole, request.key);
                column.rungs = vec![rung];
                0
            });
            point.push(place);
        }
        point
    }

    /// What a combination becomes at a point, column by column.
    fn written(&self, combination: u32, point: &[usize]) -> Vec<u32> {
        let of = |((column, codes), &rung): ((&Column, &Vec<u32>), &usize)| {
            let code = codes.get(combination as usize).copied().unwrap_or(MISSING);
            column.rungs.get(rung).and_then(|rung| rung.to.get(code as usize)).copied().unwrap_or(MISSING)
        };
        self.columns.iter().zip(&self.codes).zip(point).map(of).collect()
    }

    fn spread(&self) -> Spread {
        let of = |(rows, _): &super::Sensitive| {
            let mut out = vec![Vec::new(); self.counts.len()];
            for &(combination, value, n) in rows {
                out.get_mut(combination as usize).into_iter().for_each(|v| v.push((value, n)));
            }
            out
        };
        self.sensitive.iter().map(of).collect()
    }

    fn size(&self, class: &[u32]) -> u64 {
        class.iter().filter_map(|&c| self.counts.get(c as usize)).sum()
    }

    fn is_good(&self, class: &[u32], spread: &Spread) -> bool {
        let size = self.size(class);
        let diverse = |(values, (_, whole)): (&Vec<Vec<(u32, u64)>>, &super::Sensitive)| {
            let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
            for (value, n) in class.iter().filter_map(|&c| values.get(c as usize)).flatten() {
                *counts.entry(*value).or_default() += n;
            }
            let rows: Vec<(u32, u32, u64)> = counts.into_iter().map(|(value, n)| (0, value, n)).collect();
            rows.len() as u64 >= self.l && (self.t >= Ratio::ONE || whole.distance(size, &rows) <= self.t)
        };
        size >= self.k && spread.iter().zip(&self.sensitive).all(diverse)
    }

    /// The parts of a class with one column a rung finer: the column that loses least afterwards, if all parts are good.
    fn finer(&self, class: &Class, spread: &Spread) -> Option<Vec<Class>> {
        let mut best: Option<(u64, Vec<Class>)> = None;
        for (place, column) in self.columns.iter().enumerate() {
            let rung = *class.point.get(place)?;
            let (Some(finer), Some(here)) = (rung.checked_sub(1).and_then(|r| column.rungs.get(r)), column.rungs.get(rung))
            else {
                continue;
            };
            let mut parts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            let mut gain = 0u64;
            for &combination in &class.combinations {
                let code = self.codes.get(place)?.get(combination as usize).copied().unwrap_or(MISSING) as usize;
                let lost = |rung: &Rung| rung.loss.get(code).copied().unwrap_or(0);
                let count = self.counts.get(combination as usize).copied().unwrap_or(0);
                gain += count * lost(here).saturating_sub(lost(finer));
                parts.entry(finer.to.get(code).copied().unwrap_or(MISSING)).or_default().push(combination);
            }
            if best.as_ref().is_some_and(|(most, _)| gain <= *most) || !parts.values().all(|p| self.is_good(p, spread)) {
                continue;
            }
            let mut point = class.point.clone();
            super::set(&mut point, place, rung - 1);
            let parts = parts.into_values().map(|combinations| Class { combinations, point: point.clone() });
            best = Some((gain, parts.collect()));
        }
        best.map(|(_, parts)| parts)
    }

    /// A class in two along the column whose values spread widest, or the next, where both halves are good.
    fn halves(&self, class: &[u32], places: &[usize], orders: &[Vec<u32>], spread: &Spread) -> Option<(Vec<u32>, Vec<u32>)> {
        let rank = |place: usize, combination: u32| -> u32 {
            let code = self.codes.get(place).and_then(|c| c.get(combination as usize)).copied().unwrap_or(MISSING);
            orders.get(place).and_then(|o| o.get(code as usize)).copied().unwrap_or(0)
        };
        let mut widths: Vec<(Ratio, usize)> = Vec::new();
        for &place in places {
            let ranks = class.iter().map(|&c| rank(place, c));
            let (Some(least), Some(most)) = (ranks.clone().min(), ranks.max()) else { continue };
            let values = self.values.get(place).map_or(1, Codes::len) as u64;
            if most > least {
                widths.push((Ratio::share(u64::from(most - least), values), place));
            }
        }
        widths.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, place) in widths {
            let mut sorted: Vec<(u32, u32)> = class.iter().map(|&c| (rank(place, c), c)).collect();
            sorted.sort_unstable();
            let (whole, mut so_far) = (self.size(class), 0);
            let mut cut = 0;
            for &(rank, combination) in &sorted {
                if so_far * 2 >= whole {
                    break;
                }
                so_far += self.counts.get(combination as usize).copied().unwrap_or(0);
                cut = rank;
            }
            // All of one value go to one side; where the middle value reaches to the end, the cut comes before it.
            let last = sorted.last().map_or(0, |s| s.0);
            let cut = if cut == last { sorted.iter().map(|s| s.0).filter(|&r| r < last).max()? } else { cut };
            let (low, high): (Vec<_>, Vec<_>) = sorted.into_iter().partition(|(rank, _)| *rank <= cut);
            let side = |side: Vec<(u32, u32)>| side.into_iter().map(|(_, c)| c).collect::<Vec<u32>>();
            let (low, high) = (side(low), side(high));
            if self.is_good(&low, spread) && self.is_good(&high, spread) {
                return Some((low, high));
            }
        }
        None
    }

    /// How a class writes a column: its value, a range, the words, or `*`.
    fn range(&self, place: usize, class: &[u32], orders: &[Vec<u32>]) -> Option<String> {
        let (values, order) = (self.values.get(place)?, orders.get(place)?);
        let codes = class.iter().filter_map(|&c| self.codes.get(place)?.get(c as usize).copied());
        let mut ranked: Vec<(u32, u32)> =
            codes.map(|code| (order.get(code as usize).copied().unwrap_or(0), code)).collect();
        ranked.sort_unstable();
        ranked.dedup();
        let text = |at: Option<&(u32, u32)>| at.and_then(|(_, code)| values.text(*code));
        let (first, last) = (text(ranked.first()), text(ranked.last()));
        if ranked.len() == 1 {
            return first.map(str::to_string);
        }
        // Someone without a value beside others with one.
        let (Some(first), Some(last)) = (first, last) else { return Some("*".into()) };
        let ordered = |t: &str| t.parse::<Decimal>().is_ok() || read_day(t).is_some();
        if ordered(first) && ordered(last) {
            return Some(format!("[{first},{last}]"));
        }
        if ranked.len() > WORDS_MAX {
            return Some("*".into());
        }
        let words: Vec<&str> = ranked.iter().filter_map(|(_, code)| values.text(*code)).collect();
        Some(words.join("|"))
    }

    /// The batches under a plan, with the columns of `acts` written anew by combination.
    fn release(
        &self,
        request: &Request<'_>,
        plan: &Plan,
        acts: BTreeMap<String, Act>,
        write: impl Fn(usize, u32, Option<&str>) -> Option<String>,
    ) -> Result<Recoded, NotProtected> {
        let schema = request.batches.first().ok_or(NotProtected::Empty)?.schema();
        // Columns that are written anew go out as text, whatever the plan made of them.
        let mut through = plan.clone();
        through.columns.extend(acts.keys().map(|name| (name.clone(), Act::Suppress)));
        let border = Border::prepare(&through, &schema, request.key.cloned())?;
        let mut from = 0;
        let mut batches = Vec::with_capacity(request.batches.len());
        for batch in request.batches {
            let after = border.apply(batch)?;
            let mut columns: Vec<ArrayRef> = after.columns().to_vec();
            let rows = self.rows.get(from..from + batch.num_rows()).unwrap_or(&[]);
            from += batch.num_rows();
            for (place, column) in self.columns.iter().enumerate().filter(|(_, c)| acts.contains_key(&c.name)) {
                let Some(cells) = batch.column_by_name(&column.name).and_then(Cells::of) else { continue };
                let mut out = StringBuilder::with_capacity(rows.len(), rows.len() * 8);
                for (row, &combination) in rows.iter().enumerate() {
                    out.append_option(write(place, combination, cells.text(row).as_deref()));
                }
                if let Ok(at) = after.schema().index_of(&column.name)
                    && let Some(slot) = columns.get_mut(at)
                {
                    *slot = Arc::new(out.finish());
                }
            }
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let made = RecordBatch::try_new_with_options(after.schema(), columns, &options);
            batches.push(made.map_err(crate::transform::Refusal::from)?);
        }
        let mut plan = plan.clone();
        plan.columns.extend(acts);
        Ok(Recoded { plan, batches })
    }
}
