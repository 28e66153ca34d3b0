//! The search: one rung for each quasi-identifier, so that the profile is met at the least loss.
//!
//! A plan is a point of a lattice. Its loss with no record left out is a sum over columns, known without counting, and
//! its true loss is never less; so points are counted in the order of that bound until it reaches the best loss found.
//! Coarser rungs only merge classes, and merged classes are never smaller nor less diverse, so whatever is finer than a
//! failing point fails: from each failing point the search climbs to one from which no step keeps failing, and skips all
//! that lies below it (the monotonicity that Samarati 2001 and LeFevre, DeWitt, Ramakrishnan 2005 use).

use super::{NotProtected, Over, Proposal};
use crate::cell::Cells;
use crate::dictionary::Role;
use crate::intern::{Codes, Mixed, Paths};
use crate::measure::{NotCounted, Whole};
use crate::plan::{Act, Plan};
use crate::pseudonym::DomainKey;
use crate::ratio::Ratio;
use crate::transform::Cell;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

mod grouping;
mod packed;
mod recode;

pub(super) use recode::{local, mondrian};

use grouping::{Grouping, Groupings};
use packed::Packed;

// LIMIT: lattices up to this many points are searched for the optimum, larger ones by a greedy walk.
const POINTS_MAX: usize = 1_000_000;
/// Loss is counted in millionths of a record and column, rounded down: whole numbers, so the choice is the same everywhere.
const MILLIONTHS: u64 = 1_000_000;
// LIMIT: a column counts at most so many times.
const WEIGHT_MAX: u32 = 1000;
/// Records that may be left out when the profile names no share.
const LEFT_OUT_USUAL: (u64, u64) = (1, 20);

/// One quasi-identifier.
struct Column {
    name: String,
    rungs: Vec<Rung>,
    /// What a record loses that loses the column.
    whole: u64,
}

struct Rung {
    act: Act,
    /// What each code becomes.
    to: Vec<u32>,
    /// Number of codes that it can become; 1 when all look alike.
    codes: u64,
    /// Millionths lost by a record with each code, times the column's weight.
    loss: Vec<u64>,
    /// The sum over all records.
    bound: u64,
}

/// A sensitive column: (combination, value, records), and how its values are spread over all records.
type Sensitive = (Vec<(u32, u32, u64)>, Whole);

/// Distinct combinations of quasi-identifier values with their counts.
pub(super) struct Table {
    columns: Vec<Column>,
    /// For each column, its values by code, and the code of each combination.
    values: Vec<Codes>,
    codes: Vec<Vec<u32>>,
    counts: Vec<u64>,
    /// The combination of each record.
    rows: Vec<u32>,
    /// The codes of each combination side by side in one number, where they fit.
    packed: Option<Packed>,
    sensitive: Vec<Sensitive>,
    records: u64,
    k: u64,
    l: u64,
    t: Ratio,
    left_out_max: u64,
    risk_average: Ratio,
}

struct Count {
    left_out: u64,
    loss: u64,
    allowed: bool,
}

pub(super) fn search(request: &Over<'_>, fixed: &Plan) -> Result<Proposal, NotProtected> {
    let table = Table::of(request, Rows::Forgotten)?;
    let points: Option<usize> = table.columns.iter().try_fold(1usize, |n, c| n.checked_mul(c.rungs.len()));
    let (point, optimal, tried) = match points {
        Some(n) if n <= POINTS_MAX => table.optimum(n),
        _ => table.walk(),
    };
    let mut plan = fixed.clone();
    for (column, rung) in table.columns.iter().zip(point).filter_map(|(c, r)| Some((c, c.rungs.get(r)?))) {
        plan.columns.insert(column.name.clone(), rung.act.clone());
    }
    Ok(Proposal { plan, optimal, tried })
}

/// Whether the combination of each record is remembered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    Kept,
    Forgotten,
}

// Bytes that a combination takes with its codes and its path, at most.
const COMBINATION_BYTES: usize = 16;
const STEP_BYTES: usize = 40;

impl Table {
    fn of(request: &Over<'_>, keep: Rows) -> Result<Self, NotProtected> {
        let profile = request.profile;
        let schema = request.schema()?;
        let of_role = |role: Role| -> Vec<String> {
            let has = |f: &str| {
                request.dictionary.columns.get(f).is_some_and(|e| e.role == role && e.act != Some(Act::Drop))
            };
            let names = schema.fields().iter().map(|f| f.name().clone());
            names.filter(|f| has(f) && super::is_readable(&schema, f)).collect()
        };
        let (quasi, sensitive) = (of_role(Role::QuasiIdentifier), of_role(Role::Sensitive));
        let sensitive =
            if profile.distinct_l() > 1 || profile.closeness() < Ratio::ONE { sensitive } else { Vec::new() };
        let mut codes = vec![Codes::default(); quasi.len()];
        let mut values = vec![Codes::default(); sensitive.len()];
        let mut paths = Paths::of_width(quasi.len());
        let mut counts: Vec<u64> = Vec::new();
        let mut rows: Vec<u32> = Vec::new();
        let mut combinations: Vec<Vec<u32>> = vec![Vec::new(); quasi.len()];
        let mut pairs = vec![HashMap::<(u32, u32), u64>::new(); sensitive.len()];
        let mut row_codes: Vec<u32> = Vec::with_capacity(quasi.len());
        let most = request.memory.unwrap_or(usize::MAX);
        request.source.each(&mut |batch| {
            let read = |name: &String| {
                let array =
                    batch.column_by_name(name).ok_or_else(|| NotCounted::MissingColumn(name.clone()))?;
                Cells::of(array).ok_or_else(|| NotCounted::Unreadable(name.clone()))
            };
            let quasi = quasi.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            let sensitive = sensitive.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                row_codes.clear();
                row_codes.extend(quasi.iter().zip(&mut codes).map(|(c, codes)| codes.code(c.text(row).as_deref())));
                let combination = paths.class(row_codes.iter().copied());
                if keep == Rows::Kept {
                    rows.push(combination);
                }
                match counts.get_mut(combination as usize) {
                    Some(count) => *count += 1,
                    None => {
                        counts.push(1);
                        combinations.iter_mut().zip(&row_codes).for_each(|(column, &code)| column.push(code));
                    }
                }
                for ((cells, values), pairs) in sensitive.iter().zip(&mut values).zip(&mut pairs) {
                    *pairs.entry((combination, values.code(cells.text(row).as_deref()))).or_default() += 1;
                }
            }
            let held = counts.len() * (COMBINATION_BYTES + quasi.len() * STEP_BYTES) + pairs.iter().map(|p| p.len() * STEP_BYTES).sum::<usize>();
            if held > most { Err(NotCounted::TooMany.into()) } else { Ok(()) }
        })?;
        let records: u64 = counts.iter().sum();
        let (part, whole) = profile
            .left_out()
            .map_or((u128::from(LEFT_OUT_USUAL.0), u128::from(LEFT_OUT_USUAL.1)), Ratio::parts);
        let mut table = Self {
            columns: Vec::with_capacity(quasi.len()),
            packed: Packed::of(&codes, &combinations),
            codes: combinations,
            values: Vec::new(),
            counts,
            rows,
            sensitive: pairs.into_iter().zip(&values).map(|(pairs, values)| spread(pairs, values)).collect(),
            records,
            k: profile.k(),
            l: profile.distinct_l(),
            t: profile.closeness(),
            left_out_max: u64::try_from(u128::from(records) * part / whole).unwrap_or(0),
            risk_average: profile.risk_average(),
        };
        for (index, (name, codes)) in quasi.into_iter().zip(&codes).enumerate() {
            let column = table.column(request, index, name, codes);
            table.columns.push(column);
        }
        table.values = codes;
        Ok(table)
    }

    fn column(&self, request: &Over<'_>, index: usize, name: String, codes: &Codes) -> Column {
        let mut per_code = vec![0u64; codes.len()];
        for (&code, count) in self.codes.get(index).into_iter().flatten().zip(&self.counts) {
            if let Some(n) = per_code.get_mut(code as usize) {
                *n += count;
            }
        }
        let Some(entry) = request.dictionary.columns.get(&name) else {
            return Column { name, rungs: Vec::new(), whole: 0 };
        };
        let values = (1..codes.len()).filter_map(|code| codes.text(u32::try_from(code).ok()?));
        let acts = request.knowledge.ladders.of(entry, values);
        let chosen = entry.act.is_some();
        let whole = MILLIONTHS * u64::from(entry.weight.min(WEIGHT_MAX));
        let mut rungs: Vec<Rung> = Vec::new();
        for act in acts.into_iter().filter(|act| chosen || request.profile.permits(entry, act)) {
            let rung = Rung::of(act, &name, codes, &per_code, whole, request.key);
            // A rung that changes nothing over the one before only makes the lattice larger.
            if rungs.last().is_none_or(|last| last.to != rung.to || rung.act == Act::Drop) {
                rungs.push(rung);
            }
        }
        Column { name, rungs, whole }
    }

    /// True when each rung only merges what the one before tells apart, as ladders are meant to.
    fn is_nested(&self) -> bool {
        let pairs = self.columns.iter().flat_map(|c| c.rungs.iter().zip(c.rungs.iter().skip(1)));
        pairs.into_iter().all(|(before, rung)| rung.merges(before))
    }

    /// The point of least loss, by bound and pruning.
    fn optimum(&self, points: usize) -> (Vec<usize>, bool, u64) {
        let mut order: Vec<(u64, usize)> = (0..points).map(|n| (self.bound(&self.point(n)), n)).collect();
        order.sort_unstable();
        let mut failing: Vec<Vec<usize>> = Vec::new();
        // Points that hold: whatever is coarser holds too, so a climb need not count it.
        let mut holding: Vec<Vec<usize>> = Vec::new();
        let mut groupings = Groupings::of(self);
        let (mut best, mut tried): (Option<(u64, usize)>, u64) = (None, 0);
        for (bound, n) in order {
            if best.is_some_and(|(loss, _)| bound >= loss) {
                break;
            }
            let point = self.point(n);
            if failing.iter().rev().any(|f| is_finer(&point, f)) {
                continue;
            }
            tried += 1;
            let count = self.count(&groupings.at(self, &point), &point);
            if count.left_out > self.left_out_max {
                let summit = self.climb(point, failing.len(), (&failing, &mut holding), &mut groupings, &mut tried);
                failing.push(summit);
                continue;
            }
            holding.push(point);
            if count.allowed && best.is_none_or(|(loss, _)| count.loss < loss) {
                best = Some((count.loss, n));
            }
        }
        let point = best.map_or_else(
            || self.columns.iter().map(|c| c.rungs.len().saturating_sub(1)).collect(),
            |(_, n)| self.point(n),
        );
        (point, true, tried)
    }

    // Raises column after column as far as the point keeps failing; begins elsewhere each time, for different summits.
    fn climb(
        &self,
        mut point: Vec<usize>,
        begin: usize,
        (failing, holding): (&[Vec<usize>], &mut Vec<Vec<usize>>),
        groupings: &mut Groupings,
        tried: &mut u64,
    ) -> Vec<usize> {
        let width = point.len();
        for index in (0..width).map(|i| (i + begin) % width) {
            let (mut fails, mut holds) = (
                point.get(index).copied().unwrap_or(0),
                self.columns.get(index).map_or(0, |c| c.rungs.len()),
            );
            while fails + 1 < holds {
                let middle = fails.midpoint(holds);
                set(&mut point, index, middle);
                let known_to_fail = failing.iter().any(|f| is_finer(&point, f));
                let known_to_hold = !known_to_fail && holding.iter().any(|h| is_finer(h, &point));
                let fails_here = if known_to_fail || known_to_hold {
                    known_to_fail
                } else {
                    *tried += 1;
                    self.left_out(&groupings.at(self, &point)).1 > self.left_out_max
                };
                if fails_here {
                    fails = middle;
                } else {
                    holds = middle;
                    if !known_to_hold {
                        holding.push(point.clone());
                    }
                }
            }
            set(&mut point, index, fails);
        }
        point
    }

    fn point(&self, mut n: usize) -> Vec<usize> {
        let rung = |c: &Column| {
            let rung = n % c.rungs.len().max(1);
            n /= c.rungs.len().max(1);
            rung
        };
        self.columns.iter().map(rung).collect()
    }

    fn bound(&self, point: &[usize]) -> u64 {
        self.columns.iter().zip(point).filter_map(|(c, &r)| c.rungs.get(r)).map(|rung| rung.bound).sum()
    }

    /// A greedy walk up from the finest point, then down again wherever the profile stays met.
    fn walk(&self) -> (Vec<usize>, bool, u64) {
        let mut point = vec![0usize; self.columns.len()];
        let mut groupings = Groupings::of(self);
        let (mut tried, mut here) = (1, self.count(&groupings.at(self, &point), &point));
        while !here.allowed {
            let mut best: Option<(f64, Vec<usize>, Count)> = None;
            for (index, column) in self.columns.iter().enumerate() {
                let Some(&rung) = point.get(index).filter(|&&r| r + 1 < column.rungs.len()) else { continue };
                let mut next = point.clone();
                set(&mut next, index, rung + 1);
                let count = self.count(&groupings.at(self, &next), &next);
                tried += 1;
                let gained = here.left_out.saturating_sub(count.left_out) as f64 + 1.0;
                let paid = self.bound(&next).saturating_sub(self.bound(&point)) as f64 + 1.0;
                if best.as_ref().is_none_or(|(rate, _, _)| gained / paid > *rate) {
                    best = Some((gained / paid, next, count));
                }
            }
            let Some((_, next, count)) = best else { break };
            (point, here) = (next, count);
        }
        let mut improved = here.allowed;
        while improved {
            improved = false;
            for index in 0..point.len() {
                let Some(&rung) = point.get(index).filter(|&&r| r > 0) else { continue };
                let mut next = point.clone();
                set(&mut next, index, rung - 1);
                let count = self.count(&groupings.at(self, &next), &next);
                tried += 1;
                if count.allowed && count.loss < here.loss {
                    (point, here, improved) = (next, count, true);
                }
            }
        }
        (point, false, tried)
    }

    /// Which classes are good, and how many records are in the others.
    fn left_out(&self, grouping: &Grouping) -> (Vec<bool>, u64) {
        let sizes = &grouping.sizes;
        let classes = if self.sensitive.is_empty() { Vec::new() } else { grouping.classes() };
        let mut good: Vec<bool> = sizes.iter().map(|&size| size >= self.k).collect();
        for (rows, whole) in &self.sensitive {
            let mut counts: HashMap<u64, u64, BuildHasherDefault<Mixed>> = HashMap::default();
            for &(combination, value, records) in rows {
                let class = classes.get(combination as usize).copied().unwrap_or(0);
                *counts.entry(u64::from(class) << 32 | u64::from(value)).or_default() += records;
            }
            let mut rows: Vec<(u32, u32, u64)> =
                counts.into_iter().map(|(key, n)| ((key >> 32) as u32, key as u32, n)).collect();
            rows.sort_unstable();
            for class in rows.chunk_by(|a, b| a.0 == b.0) {
                let Some(place) = class.first().map(|row| row.0 as usize) else { continue };
                let Some((good, size)) = good.get_mut(place).zip(sizes.get(place)) else { continue };
                *good = *good
                    && class.len() as u64 >= self.l
                    && (self.t >= Ratio::ONE || whole.distance(*size, class) <= self.t);
            }
        }
        let out = sizes.iter().zip(&good).filter(|(_, good)| !**good).map(|(size, _)| size).sum();
        (good, out)
    }

    fn count(&self, grouping: &Grouping, point: &[usize]) -> Count {
        let (good, left_out) = self.left_out(grouping);
        let kept = self.records - left_out;
        let average = Ratio::share(good.iter().filter(|&&g| g).count() as u64, kept);
        let allowed = left_out <= self.left_out_max && kept > 0 && average <= self.risk_average;
        let loss = if allowed { self.loss(grouping, &good, left_out, point) } else { 0 };
        Count { left_out, loss, allowed }
    }

    // What a record loses follows from what it became, so one record of a class tells the loss of all; and most classes
    // are good, so the loss of all records is known and that of the others taken away.
    fn loss(&self, grouping: &Grouping, good: &[bool], left_out: u64, point: &[usize]) -> u64 {
        let rungs: Vec<(&Vec<u32>, &Rung)> = self
            .columns
            .iter()
            .zip(&self.codes)
            .zip(point)
            .filter_map(|((column, codes), &rung)| Some((codes, column.rungs.get(rung)?)))
            .collect();
        let whole = left_out * self.columns.iter().map(|c| c.whole).sum::<u64>();
        let mut loss = whole + self.bound(point);
        for ((size, &example), _) in grouping.sizes.iter().zip(&grouping.examples).zip(good).filter(|(_, good)| !**good) {
            for (codes, rung) in &rungs {
                let code = codes.get(example as usize).copied().unwrap_or(0);
                loss -= size * rung.loss.get(code as usize).copied().unwrap_or(0);
            }
        }
        loss
    }
}

impl Rung {
    /// True when every value stays what it is.
    fn is_same(&self) -> bool {
        self.act == Act::Keep
    }

    /// True when what looks alike on the rung before looks alike here.
    fn merges(&self, before: &Rung) -> bool {
        let mut image: HashMap<u32, u32, BuildHasherDefault<Mixed>> = HashMap::default();
        self.codes == 1
            || before.to.iter().zip(&self.to).all(|(&b, &here)| *image.entry(b).or_insert(here) == here)
    }
}

fn is_finer(point: &[usize], than: &[usize]) -> bool {
    point.iter().zip(than).all(|(a, b)| a <= b)
}

impl Rung {
    fn of(
        act: Act,
        name: &str,
        codes: &Codes,
        per_code: &[u64],
        whole: u64,
        key: Option<&DomainKey>,
    ) -> Self {
        let cell = Cell::of(&act, name, key);
        let mut coarse = Codes::default();
        let to: Vec<u32> = (0..codes.len())
            .map(|code| {
                coarse.code(
                    u32::try_from(code)
                        .ok()
                        .and_then(|code| codes.text(code))
                        .and_then(|text| cell.apply(text))
                        .as_deref(),
                )
            })
            .collect();
        let occurs = |code: &usize| per_code.get(*code).is_some_and(|&n| n > 0);
        let mut alike = vec![0u128; coarse.len()];
        for code in (0..to.len()).filter(occurs) {
            if let Some(n) = to.get(code).and_then(|&c| alike.get_mut(c as usize)) {
                *n += 1;
            }
        }
        let others = alike.iter().sum::<u128>().saturating_sub(1);
        let lost = |&c: &u32| {
            let same = alike.get(c as usize).copied().unwrap_or(1).saturating_sub(1);
            let share = (same * u128::from(whole)).checked_div(others).and_then(|v| u64::try_from(v).ok());
            if act == Act::Drop { whole } else { share.unwrap_or(0) }
        };
        let loss: Vec<u64> = to.iter().map(lost).collect();
        let bound = loss.iter().zip(per_code).map(|(&loss, &n)| loss * n).sum();
        let flat = alike.iter().filter(|&&n| n > 0).count() < 2;
        Self { act, to, codes: if flat { 1 } else { coarse.len() as u64 }, loss, bound }
    }
}

fn set(point: &mut [usize], index: usize, rung: usize) {
    if let Some(slot) = point.get_mut(index) {
        *slot = rung;
    }
}

fn spread(pairs: HashMap<(u32, u32), u64>, values: &Codes) -> Sensitive {
    let mut rows: Vec<(u32, u32, u64)> =
        pairs.into_iter().map(|((combination, value), n)| (combination, value, n)).collect();
    rows.sort_unstable();
    let whole = Whole::of(values, &rows);
    (rows, whole)
}

#[cfg(test)]
mod tests;
