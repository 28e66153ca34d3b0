//! The strictest common rule: one set of measures under which one transfer may go to every destination, or the
//! destinations that exclude each other.
//!
//! What is said stays the same everywhere; only the destination moves. The answer is exact: every smallest set, unless
//! the limits are said to be reached. What leaving one destination out would save is answered by leaving it out.

use crate::{
    decision::{MeasureAnswer, Verdict},
    diagram::{Diagram, FALSE, Forced, NodeId, TRUE},
    gather::{Day, Law},
    given::Given,
    knowledge::Knowledge,
    lexicon::{Packed, TooManyCells},
    matrix::ENDS,
    remedy::{self, Hand, Watched},
    table::Table,
    unit::Unit,
    verdict,
};
use rulebook::book::Rulebook;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The common rule of some destinations.
#[derive(Clone, Debug, Serialize)]
pub struct Common {
    /// Each destination by itself.
    pub alone: Vec<Alone>,
    /// Smallest sets of measures that open all those that can be opened, best first. One empty set: nothing is needed.
    pub standards: Vec<Standard>,
    /// Whether there may be more of them.
    pub more: bool,
    /// Destinations that no measure at hand opens: they are not in the standard.
    pub left_out: Vec<String>,
    /// Destinations that exclude each other, whatever is still open turns out to be.
    pub against: Vec<Against>,
    /// Whether exclusions were not looked for, since so many laws may apply to what is left open.
    pub too_open: bool,
    /// What leaving a destination out of the best standard would save; those that save nothing do not bind.
    pub binding: Vec<Binding>,
}

/// One destination by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alone {
    /// The destination.
    pub place: String,
    /// The verdict as things are.
    pub verdict: Verdict,
    /// The clauses that refuse, or may, and are not lifted by what can surely be done.
    pub by: Vec<String>,
}

/// One set of measures for all.
#[derive(Clone, Debug, Serialize)]
pub struct Standard {
    /// The measures, and the destinations that need each.
    pub measures: Vec<(MeasureAnswer, Vec<String>)>,
    /// The law's own order of the routes that it takes, at the destination where it is worst.
    pub rank: u32,
    /// Sum of money.
    pub money: i64,
    /// Longest number of days.
    pub days: i64,
    /// Sum of percent.
    pub utility_loss: i64,
}

/// No common standard: these destinations against each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Against {
    /// The smallest group found that cannot be served together; each of its members alone can.
    pub places: Vec<String>,
    /// What each of them rests on.
    pub by: Vec<String>,
}

/// What leaving one destination out saves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// The destination.
    pub place: String,
    /// Money.
    pub money: i64,
    /// Days.
    pub days: i64,
    /// Percent of use.
    pub utility_loss: i64,
    /// Measures that nobody else needs.
    pub measures: Vec<String>,
}

// LIMIT: destinations asked about together.
const DESTINATIONS_MAX: usize = 512;
// LIMIT: laws that are held against each other. What all of them say at once grows as the product of what each says: where
// facts are missing, dozens may apply, and memory would be spent on an answer that more facts give for nothing.
const LAWS_TOGETHER_MAX: usize = 12;

struct There {
    place: String,
    k: Knowledge,
    sure: Vec<usize>,
}

/// Finds the common rule of some destinations for one transfer as described.
pub fn rule(table: &Table, book: &Rulebook, facts: &Packed, destinations: &[String]) -> Result<Common, TooManyCells> {
    let slot = table.lexicon.slot(ENDS[1]);
    let mut all = Vec::new();
    for place in destinations.iter().take(DESTINATIONS_MAX) {
        let mut there = facts.clone();
        if let Some((slot, value)) = slot.and_then(|s| s.values.index(place).map(|v| (s, v))) {
            slot.say_word(value, &mut there);
        }
        let k = Knowledge::packed(table, there);
        let hand = Hand::default();
        let sure = hand.of(table, &k).sure.clone();
        all.push((verdict::verdict(table, &k, &[], &hand), There { place: place.clone(), k, sure }));
    }
    let alone = all.iter().map(|(v, t)| Alone { place: t.place.clone(), verdict: *v, by: not_lifted(table, t) }).collect();
    let (served, left): (Vec<_>, Vec<_>) = all.into_iter().map(|(_, t)| t).partition(|t| opens_with_all(table, t));
    let (against, too_open) = exclusions(table, book, &left)?.map_or((Vec::new(), true), |against| (against, false));
    let watched = watched(table, &served);
    let all: Vec<&Served<'_>> = watched.iter().collect();
    let (sets, more) = standards(&all);
    let mut standards: Vec<Standard> = sets.iter().map(|s| standard(table, book, &all, s)).collect();
    standards.sort_by_key(cost);
    let binding = binding(table, book, &watched, standards.first());
    Ok(Common { alone, standards, more, left_out: left.into_iter().map(|t| t.place).collect(), against, too_open, binding })
}

fn cost(s: &Standard) -> (bool, u32, i64, i64, i64, usize, Option<String>) {
    let out_of_hand = s.measures.iter().any(|(m, _)| m.decides == "legislature" || m.decides == "court");
    (out_of_hand, s.rank, s.money, s.days, s.utility_loss, s.measures.len(), s.measures.first().map(|(m, _)| m.id.clone()))
}

fn opens_with_all(table: &Table, t: &There) -> bool {
    Watched::of(table, &t.k, &[], &t.sure).opens(&t.sure.iter().copied().collect())
}

fn not_lifted(table: &Table, t: &There) -> Vec<String> {
    let sure: BTreeSet<usize> = t.sure.iter().copied().collect();
    let mut out = Vec::new();
    for (i, layer) in t.k.live.iter().filter_map(|i| table.layers.get(*i).map(|l| (*i, l))) {
        if !remedy::still_refuses(table, &t.k, (i, layer.law().refuses), &sure) {
            continue;
        }
        let forced = layer.forced(|m| sure.contains(&m));
        let law = layer.law();
        let can = |f| t.k.can(table, i, f, &forced);
        let clauses = law.bars.iter().filter(|(_, f)| can(*f)).map(|(c, _)| *c);
        let gates = law.gates.iter().filter(|g| can(g.when)).map(|g| g.clause);
        let late = law.obligations.iter().filter(|(_, _, late, binds)| *binds && can(*late)).map(|(c, _, _, _)| *c);
        out.extend(clauses.chain(gates).chain(late).map(|c| layer.clause(c).to_string()));
        out.extend(law.gaps.iter().filter(|(_, f)| can(*f)).map(|_| layer.id.clone()));
    }
    out
}

/// One destination that can be served, with what is watched there and the measures that help.
struct Served<'a> {
    there: &'a There,
    watched: Watched<'a>,
    helpful: BTreeSet<usize>,
}

fn watched<'a>(table: &'a Table, served: &'a [There]) -> Vec<Served<'a>> {
    // Whatever is at hand there may be asked about, those that only help elsewhere too.
    let one = |t: &'a There| Served { there: t, watched: Watched::of(table, &t.k, &[], &t.sure), helpful: remedy::helpful(table, &t.k, &[], &t.sure) };
    served.iter().map(one).collect()
}

/// Every smallest set that opens all of them.
fn standards(watched: &[&Served<'_>]) -> (Vec<BTreeSet<usize>>, bool) {
    let whole: BTreeSet<usize> = watched.iter().flat_map(|s| s.helpful.iter().copied()).collect();
    // Destinations that failed last are asked first: most sets fail at the same few.
    let mut order: Vec<usize> = (0..watched.len()).collect();
    remedy::minimal_sets(whole, |set| {
        let failing = order.iter().position(|i| {
            watched.get(*i).is_some_and(|s| {
                let here: BTreeSet<usize> = set.iter().copied().filter(|m| s.there.sure.binary_search(m).is_ok()).collect();
                !s.watched.opens(&here)
            })
        });
        if let Some(at) = failing {
            let place = order.remove(at);
            order.insert(0, place);
        }
        failing.is_none()
    })
}

fn standard(table: &Table, book: &Rulebook, served: &[&Served<'_>], set: &BTreeSet<usize>) -> Standard {
    let mut needs: BTreeMap<usize, Vec<String>> = set.iter().map(|m| (*m, Vec::new())).collect();
    let mut rank = 0;
    let mut answers = BTreeMap::new();
    for Served { there: t, watched, .. } in served {
        let here: BTreeSet<usize> = set.iter().copied().filter(|m| t.sure.binary_search(m).is_ok()).collect();
        for m in &here {
            let mut without = here.clone();
            without.remove(m);
            if !watched.opens(&without) {
                needs.entry(*m).or_default().push(t.place.clone());
            }
        }
        let answer = remedy::answer(table, book, &t.k, &here);
        rank = rank.max(answer.rank);
        answers.extend(answer.measures.into_iter().map(|m| (m.id.clone(), m)));
    }
    let id = |m: &usize| table.measures.get(*m).and_then(|m| book.measures.get(m.measure)).map(|m| m.id.clone()).unwrap_or_default();
    let measures: Vec<(MeasureAnswer, Vec<String>)> = needs.into_iter().filter_map(|(m, places)| answers.get(&id(&m)).cloned().map(|a| (a, places))).collect();
    Standard {
        rank,
        money: measures.iter().map(|(m, _)| m.money).sum(),
        days: measures.iter().map(|(m, _)| m.days).max().unwrap_or(0),
        utility_loss: measures.iter().map(|(m, _)| m.utility_loss).sum(),
        measures,
    }
}

fn binding(table: &Table, book: &Rulebook, served: &[Served<'_>], best: Option<&Standard>) -> Vec<Binding> {
    let Some(best) = best.filter(|b| !b.measures.is_empty() && served.len() > 1) else { return Vec::new() };
    let mut out = Vec::new();
    for (i, t) in served.iter().map(|s| s.there).enumerate() {
        // Only a destination that needs some measure of the standard can bind.
        if !best.measures.iter().any(|(_, places)| places.contains(&t.place)) {
            continue;
        }
        let others: Vec<&Served<'_>> = served.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, o)| o).collect();
        let (sets, _) = standards(&others);
        let mut left: Vec<Standard> = sets.iter().map(|s| standard(table, book, &others, s)).collect();
        left.sort_by_key(cost);
        let Some(without) = left.first().filter(|s| cost(s) < cost(best)) else { continue };
        let kept: BTreeSet<&str> = without.measures.iter().map(|(m, _)| m.id.as_str()).collect();
        out.push(Binding {
            place: t.place.clone(),
            money: best.money - without.money,
            days: best.days - without.days,
            utility_loss: best.utility_loss - without.utility_loss,
            measures: best.measures.iter().map(|(m, _)| m.id.clone()).filter(|m| !kept.contains(m.as_str())).collect(),
        });
    }
    out.sort_by_key(|b| (std::cmp::Reverse(b.money), std::cmp::Reverse(b.days), b.place.clone()));
    out
}

/// Groups among the destinations left out that exclude each other: for each alone some way things may still be opens it.
/// Nothing where too many laws may apply.
fn exclusions(table: &Table, book: &Rulebook, left: &[There]) -> Result<Option<Vec<Against>>, TooManyCells> {
    let day = Day::of(book, table.as_of);
    let mut involved: BTreeSet<usize> = BTreeSet::new();
    for t in left {
        involved.extend(t.k.live.iter().copied().filter(|i| table.layers.get(*i).is_some_and(|l| t.k.can(table, *i, l.law().refuses, &Forced::NONE))));
    }
    let laws: Vec<Law<'_>> = involved.iter().filter_map(|i| table.layers.get(*i)).filter_map(|l| day.layers.iter().find(|x| x.id == l.id)).map(|l| day.law(l)).collect();
    if left.len() < 2 || laws.is_empty() {
        return Ok(Some(Vec::new()));
    }
    if laws.len() > LAWS_TOGETHER_MAX {
        return Ok(None);
    }
    let pairs: Vec<(&Day<'_>, &Law<'_>)> = laws.iter().map(|l| (&day, l)).collect();
    // What is said alike of every one of them need not be told apart.
    let given = Given::told(book, &table.lexicon, left.iter().map(|t| t.k.packed.clone()));
    let unit = std::sync::Arc::new(Unit::together_for(&given, &pairs, &table.lexicon)?);
    let linked = table.linked(unit.clone());
    let mut joint = unit.axes.diagram();
    let mut lawful: Vec<(NodeId, &There)> = Vec::new();
    for t in left {
        let f = lawful_there(table, &mut joint, &linked, t);
        // One that nothing opens excludes nobody: it stands alone.
        if f != FALSE {
            lawful.push((f, t));
        }
    }
    let mut out: Vec<Against> = Vec::new();
    let mut group: Vec<(NodeId, &There)> = Vec::new();
    for (f, t) in lawful {
        let together = joint.all(group.iter().map(|(g, _)| *g).chain([f]).collect::<Vec<_>>());
        if together != FALSE {
            group.push((f, t));
            continue;
        }
        // The smallest part of the group that this one excludes.
        let mut part = group.clone();
        for i in (0..part.len()).rev() {
            let mut fewer = part.clone();
            fewer.remove(i);
            if joint.all(fewer.iter().map(|(g, _)| *g).chain([f]).collect::<Vec<_>>()) == FALSE {
                part = fewer;
            }
        }
        let members: Vec<&There> = part.iter().map(|(_, t)| *t).chain([t]).collect();
        out.push(Against { places: members.iter().map(|t| t.place.clone()).collect(), by: members.iter().flat_map(|t| not_lifted(table, t)).collect::<BTreeSet<_>>().into_iter().collect() });
    }
    Ok(Some(out))
}

/// When everything that may be done at one destination leaves nothing refused there, over what is still open.
fn lawful_there(table: &Table, joint: &mut Diagram, linked: &crate::linked::Linked, t: &There) -> NodeId {
    let hand = Hand::default();
    let maybe = &hand.of(table, &t.k).maybe;
    let allowed = linked.allowed(&t.k.packed);
    let forced = table.effects_on(&linked.unit, |m| maybe.binary_search(&m).is_ok());
    let mut after = allowed.clone();
    forced.iter().for_each(|(axis, cell)| after.iter_mut().skip(axis).take(1).for_each(|c| *c = crate::cells::Cells::one(cell)));
    let mut lawful = joint.import(&linked.unit.diagram, linked.unit.constraint, &allowed);
    for law in &linked.unit.laws {
        let refuses = joint.import(&linked.unit.diagram, law.refuses, &after);
        let not = joint.not(refuses);
        lawful = joint.and(lawful, not);
    }
    let covered = if t.k.may_be_uncovered(table) { FALSE } else { TRUE };
    joint.and(lawful, covered)
}
