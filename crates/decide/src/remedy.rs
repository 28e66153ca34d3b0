//! Ways through: minimal sets of measures that open every state left possible (DESIGN section 4, REMEDIES).

use crate::{
    decision::{MeasureAnswer, Remedy},
    diagram::{Forced, NodeId},
    hash::QuickMap,
    knowledge::{Knowledge, Truth},
    table::{MeasureTable, Table},
    verdict::{Carried, refusals},
};
use rulebook::book::Rulebook;
use std::{cell::{OnceCell, RefCell}, collections::BTreeSet};

// LIMIT: ways shown; beyond, `more` is said.
const REMEDIES_MAX: usize = 32;
// LIMIT: sets tried while looking for them.
const TRIED_MAX: usize = 4_096;

/// Which measures are at hand, as numbers of the table's measures, ascending; told when first asked.
#[derive(Clone, Debug, Default)]
pub struct Hand(OnceCell<AtHand>);

/// Measures whose precondition surely holds, and those whose precondition may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AtHand {
    /// Surely.
    pub sure: Vec<usize>,
    /// Perhaps, the sure ones too.
    pub maybe: Vec<usize>,
}

impl Hand {
    /// Tells them.
    pub fn of(&self, table: &Table, k: &Knowledge) -> &AtHand {
        self.0.get_or_init(|| at_hand(table, k))
    }
}

fn at_hand(table: &Table, k: &Knowledge) -> AtHand {
    let mut out = AtHand::default();
    // Measures of one law share their precondition.
    let mut known: Vec<(NodeId, Truth)> = Vec::new();
    for (i, m) in table.offered(&k.packed).filter_map(|i| table.measures.get(i).map(|m| (i, m))) {
        let when = match known.iter().find(|(when, _)| *when == m.when) {
            Some((_, truth)) => *truth,
            None => {
                let truth = k.truth_beside(table, m.when);
                known.push((m.when, truth));
                truth
            }
        };
        match with_determinations(table, k, m, when) {
            Truth::Yes => {
                out.sure.push(i);
                out.maybe.push(i);
            }
            Truth::Open => out.maybe.push(i),
            Truth::No => {}
        }
    }
    out
}

/// Whether a measure can be taken whose precondition has this truth.
fn with_determinations(table: &Table, k: &Knowledge, m: &MeasureTable, when: Truth) -> Truth {
    let mut truth = when;
    for (axis, fine) in &m.determinations {
        let allowed = k.beside(table).cells(&table.beside, &k.packed, *axis);
        // Made and failed, the route is closed; expired or contradictory, it is not sure that it can be made.
        truth = match truth {
            Truth::No => Truth::No,
            _ if allowed.and(fine).is_empty() => Truth::No,
            t if allowed.without(fine).is_empty() => t,
            _ => Truth::Open,
        };
    }
    truth
}

/// What must not refuse after measures: the functions that may refuse, and those that some candidate works upon.
pub struct Watched<'a> {
    table: &'a Table,
    k: &'a Knowledge,
    functions: Vec<Watch>,
    uncovered: bool,
}

/// One function, with what was found of it.
struct Watch {
    at: (usize, NodeId),
    /// The candidates that work upon its layer: all that a set can change.
    by: Vec<usize>,
    /// By which of them are taken, a bit each: whether it still may refuse.
    known: RefCell<QuickMap<u128, bool>>,
}

impl<'a> Watched<'a> {
    /// Looks at what may refuse, or may come to refuse by one of these measures.
    pub fn of(table: &'a Table, k: &'a Knowledge, carried: &[Carried], candidates: &[usize]) -> Self {
        let watch = |at: (usize, NodeId)| {
            let effects = table.layers.get(at.0).map(|l| l.effects()).unwrap_or_default();
            let mut by: Vec<usize> = effects.iter().map(|(m, _, _)| *m).filter(|m| candidates.binary_search(m).is_ok()).collect();
            by.dedup();
            Watch { at, by, known: RefCell::default() }
        };
        let counts = |w: &Watch| !w.by.is_empty() || k.can(table, w.at.0, w.at.1, &Forced::NONE);
        let functions = refusals(table, k, carried).map(watch).filter(counts).collect();
        Self { table, k, functions, uncovered: k.may_be_uncovered(table) }
    }

    /// Whether nothing refuses in any possible state after these measures, all of them candidates.
    pub fn opens(&self, set: &BTreeSet<usize>) -> bool {
        !self.uncovered && !self.functions.iter().any(|w| w.refuses(self.table, self.k, set))
    }
}

impl Watch {
    fn refuses(&self, table: &Table, k: &Knowledge, set: &BTreeSet<usize>) -> bool {
        // LIMIT: candidates on one layer whose sets are remembered; with more of them each set is asked anew.
        if self.by.len() > 128 {
            return still_refuses(table, k, self.at, set);
        }
        let taken = self.by.iter().enumerate().filter(|(_, m)| set.contains(m)).fold(0, |bits, (i, _)| bits | 1 << i);
        if let Some(known) = self.known.borrow().get(&taken) {
            return *known;
        }
        let refuses = still_refuses(table, k, self.at, set);
        self.known.borrow_mut().insert(taken, refuses);
        refuses
    }
}

/// Whether one function still may refuse after these measures.
pub fn still_refuses(table: &Table, k: &Knowledge, (layer, f): (usize, NodeId), set: &BTreeSet<usize>) -> bool {
    let forced = table.layers.get(layer).map(|l| l.forced(|m| set.contains(&m))).unwrap_or_default();
    k.can(table, layer, f, &forced)
}

/// All ⊆-minimal sets within `whole` that open, as far as the limits go; the flag says that there may be more.
pub fn minimal_sets(whole: BTreeSet<usize>, mut opens: impl FnMut(&BTreeSet<usize>) -> bool) -> (Vec<BTreeSet<usize>>, bool) {
    let mut found: Vec<BTreeSet<usize>> = Vec::new();
    let mut tried: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
    let mut queue: Vec<BTreeSet<usize>> = vec![whole];
    // Every minimal set other than a found one misses one of its members, so each is met by leaving members out in turn.
    while let Some(within) = queue.pop() {
        if !tried.insert(within.clone()) {
            continue;
        }
        if tried.len() > TRIED_MAX || found.len() >= REMEDIES_MAX {
            return (found, true);
        }
        let minimal = match found.iter().find(|f| f.is_subset(&within)) {
            Some(known) => known.clone(),
            None if opens(&within) => {
                let minimal = minimize(within.clone(), &mut opens);
                found.push(minimal.clone());
                minimal
            }
            None => continue,
        };
        for member in minimal {
            let mut without = within.clone();
            without.remove(&member);
            queue.push(without);
        }
    }
    (found, false)
}

fn minimize(mut set: BTreeSet<usize>, opens: &mut impl FnMut(&BTreeSet<usize>) -> bool) -> BTreeSet<usize> {
    // Later measures first: the rulebook lists the law's own order, so what is kept tends to be what stands nearer to the rule.
    for member in set.clone().into_iter().rev() {
        set.remove(&member);
        if !opens(&set) {
            set.insert(member);
        }
    }
    set
}

/// All minimal sets within `sure` that open, best first; the flag says that there are more.
pub fn remedies(table: &Table, book: &Rulebook, k: &Knowledge, carried: &[Carried], sure: &[usize]) -> (Vec<Remedy>, bool) {
    let helpful = helpful(table, k, carried, sure);
    let candidates: Vec<usize> = helpful.iter().copied().collect();
    let watched = Watched::of(table, k, carried, &candidates);
    let own = of_this_place(table, book, k, &helpful);
    let whole = if own.len() < helpful.len() && watched.opens(&own) { own } else { helpful };
    let (found, more) = minimal_sets(whole, |set| watched.opens(set));
    let mut remedies: Vec<Remedy> = found.iter().map(|set| answer(table, book, k, set)).collect();
    rank(&mut remedies);
    (remedies, more)
}

/// The law's own order first, then money, days and loss; what is out of everyone's hand last.
pub fn rank(remedies: &mut [Remedy]) {
    // What a legislature or court would have to do is no way that a person can take: it is shown, but last.
    let out_of_hand = |r: &Remedy| r.measures.iter().any(|m| m.decides == "legislature" || m.decides == "court");
    remedies.sort_by_key(|r| (out_of_hand(r), r.rank, r.money, r.days, r.utility_loss, r.measures.len(), r.measures.first().map(|m| m.id.clone())));
}

/// Measures that change something on which a refusal hangs.
pub fn helpful(table: &Table, k: &Knowledge, carried: &[Carried], sure: &[usize]) -> BTreeSet<usize> {
    let mut out = BTreeSet::new();
    for (i, f) in refusals(table, k, carried).filter(|(i, f)| k.can(table, *i, *f, &Forced::NONE)) {
        let (Some(layer), Some(view)) = (table.layers.get(i), k.view(table, i)) else { continue };
        let support = layer.linked().unit.support(f);
        let changes = |axis: usize, cell: usize| support.binary_search(&axis).is_ok() && view.cells(layer.linked(), &k.packed, axis).only() != Some(cell);
        out.extend(layer.effects().iter().filter(|(m, axis, cell)| sure.binary_search(m).is_ok() && changes(*axis, *cell)).map(|(m, _, _)| *m));
    }
    out
}

/// Measures of the jurisdictions whose layers may apply: another country's form of consent may do the same to the facts,
/// but is not what a person here is told to obtain, if those suffice. Ids begin with the jurisdiction.
fn of_this_place(table: &Table, book: &Rulebook, k: &Knowledge, all: &BTreeSet<usize>) -> BTreeSet<usize> {
    fn place(id: &str) -> &str {
        id.split('.').next().unwrap_or_default()
    }
    let applies = |i: &usize| table.layers.get(*i).filter(|l| k.can(table, *i, l.law().applies, &Forced::NONE));
    let here: BTreeSet<&str> = k.live.iter().filter_map(applies).map(|l| place(&l.id)).collect();
    let ours = |i: &usize| table.measures.get(*i).and_then(|m| book.measures.get(m.measure)).is_some_and(|m| here.contains(place(&m.id)));
    all.iter().copied().filter(ours).collect()
}

/// A set of measures as an answer, with the routes that it opens.
pub fn answer(table: &Table, book: &Rulebook, k: &Knowledge, set: &BTreeSet<usize>) -> Remedy {
    let measures: Vec<MeasureAnswer> = set
        .iter()
        .filter_map(|i| table.measures.get(*i).and_then(|m| book.measures.get(m.measure)))
        .map(|m| MeasureAnswer {
            id: m.id.clone(),
            label: m.label.clone(),
            decides: m.decides.clone(),
            money: m.money,
            days: m.days,
            utility_loss: m.utility_loss,
            note: m.note.clone(),
            makes: m.does.iter().map(|e| format!("{}={}", e.slot, e.value)).collect(),
        })
        .collect();
    let (mut rank, mut routes) = (0, Vec::new());
    for (i, layer) in k.live.iter().filter_map(|i| table.layers.get(*i).map(|l| (*i, l))) {
        let forced = layer.forced(|m| set.contains(&m));
        for gate in layer.law().gates.iter().filter(|g| k.can(table, i, g.when, &forced)) {
            let best = gate.routes.iter().find(|r| !k.can_not(table, i, r.need, &forced));
            if let Some(r) = best {
                let id = layer.clause(r.clause);
                rank = rank.max(layer.rank(r.clause));
                routes.push(id.to_string());
            }
        }
    }
    Remedy {
        rank,
        routes,
        money: measures.iter().map(|m| m.money).sum(),
        days: measures.iter().map(|m| m.days).max().unwrap_or(0),
        utility_loss: measures.iter().map(|m| m.utility_loss).sum(),
        measures,
    }
}
