//! Ways through: minimal sets of measures that open every state left possible (DESIGN section 4, REMEDIES).

use crate::{
    decision::{MeasureAnswer, Remedy},
    diagram::NodeId,
    knowledge::{Knowledge, Truth},
    table::Table,
};
use rulebook::book::Rulebook;
use std::collections::{BTreeSet, HashMap};

// LIMIT: ways shown; beyond, `more` is said.
const REMEDIES_MAX: usize = 32;
// LIMIT: sets tried while looking for them.
const TRIED_MAX: usize = 4_096;

/// Which measures are at hand: (sure, maybe), as indices of the table's measures.
pub fn at_hand(table: &Table, k: &Knowledge) -> (Vec<usize>, Vec<usize>) {
    let (mut sure, mut maybe) = (Vec::new(), Vec::new());
    let mut diagram_not = NotCache::default();
    for (i, m) in table.measures.iter().enumerate() {
        let mut truth = k.truth(table, m.when, diagram_not.not(table, m.when));
        for (axis, fine) in &m.determinations {
            let allowed = k.allowed.get(*axis).copied().unwrap_or_default();
            let ok = allowed.iter().filter(|c| fine.has(*c)).count();
            // Made and failed, the route is closed; expired or contradictory, it is not sure that it can be made.
            truth = match (truth, ok) {
                (Truth::No, _) | (_, 0) => Truth::No,
                (t, n) if n == allowed.len() => t,
                _ => Truth::Open,
            };
        }
        match truth {
            Truth::Yes => {
                sure.push(i);
                maybe.push(i);
            }
            Truth::Open => maybe.push(i),
            Truth::No => {}
        }
    }
    (sure, maybe)
}

/// Negations of functions that were not compiled with theirs.
#[derive(Default)]
pub struct NotCache(HashMap<NodeId, NodeId>);

impl NotCache {
    /// The negation if the table holds it; a function never negated reads as possibly false, which is the safe side.
    pub fn not(&mut self, table: &Table, f: NodeId) -> NodeId {
        *self.0.entry(f).or_insert_with(|| table.diagram.negation(f).unwrap_or(crate::diagram::TRUE))
    }
}

/// The cells that a set of measures fixes. Where two fix one axis, the one listed first in the rulebook stands.
pub fn forced(table: &Table, set: impl IntoIterator<Item = usize>) -> HashMap<usize, usize> {
    let mut out = HashMap::new();
    for (axis, cell) in set.into_iter().filter_map(|i| table.measures.get(i)).flat_map(|m| m.sets.iter().copied()) {
        out.entry(axis).or_insert(cell);
    }
    out
}

/// Whether no layer (and nothing carried) refuses in any possible state after these measures.
pub fn opens_after(table: &Table, k: &Knowledge, extra: &[NodeId], set: &BTreeSet<usize>) -> bool {
    let forced = forced(table, set.iter().copied());
    let uncovered = k.can(table, table.uncovered, &forced);
    !uncovered && table.layers.iter().map(|l| l.refuses).chain(extra.iter().copied()).all(|f| !k.can(table, f, &forced))
}

/// All minimal sets within `sure` that open, best first; the flag says that there are more.
pub fn remedies(table: &Table, book: &Rulebook, k: &Knowledge, extra: &[NodeId], sure: &[usize]) -> (Vec<Remedy>, bool) {
    let helpful = of_this_place(table, book, k, extra, helpful(table, k, extra, sure));
    let mut found: Vec<BTreeSet<usize>> = Vec::new();
    let mut tried: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
    let mut queue: Vec<BTreeSet<usize>> = vec![helpful];
    let mut more = false;
    // Every minimal set other than a found one misses one of its members, so each is met by leaving members out in turn.
    while let Some(within) = queue.pop() {
        if !tried.insert(within.clone()) {
            continue;
        }
        if tried.len() > TRIED_MAX || found.len() >= REMEDIES_MAX {
            more = true;
            break;
        }
        let minimal = match found.iter().find(|f| f.is_subset(&within)) {
            Some(known) => known.clone(),
            None if opens_after(table, k, extra, &within) => {
                let minimal = minimize(table, k, extra, within.clone());
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
    let mut remedies: Vec<Remedy> = found.iter().map(|set| answer(table, book, k, set)).collect();
    // What a legislature or court would have to do is no way that a person can take: it is shown, but last.
    let out_of_hand = |r: &Remedy| r.measures.iter().any(|m| m.decides == "legislature" || m.decides == "court");
    remedies.sort_by_key(|r| (out_of_hand(r), r.rank, r.money, r.days, r.utility_loss, r.measures.len(), r.measures.first().map(|m| m.id.clone())));
    (remedies, more)
}

fn helpful(table: &Table, k: &Knowledge, extra: &[NodeId], sure: &[usize]) -> BTreeSet<usize> {
    let mut support: BTreeSet<usize> = BTreeSet::new();
    for f in table.layers.iter().map(|l| l.refuses).chain(extra.iter().copied()) {
        if k.can(table, f, &HashMap::new()) {
            support.extend(table.diagram.support(f));
        }
    }
    let changes = |i: &usize| {
        table.measures.get(*i).is_some_and(|m| {
            m.sets.iter().any(|(axis, cell)| support.contains(axis) && k.allowed.get(*axis).is_some_and(|a| a.len() > 1 || !a.has(*cell)))
        })
    };
    sure.iter().copied().filter(changes).collect()
}

/// Measures of the jurisdictions whose layers may apply, if those suffice: another country's form of consent may do the
/// same to the facts, but is not what a person here is told to obtain. Ids begin with the jurisdiction.
fn of_this_place(table: &Table, book: &Rulebook, k: &Knowledge, extra: &[NodeId], all: BTreeSet<usize>) -> BTreeSet<usize> {
    let none = HashMap::new();
    let place = |id: &str| id.split('.').next().unwrap_or_default().to_string();
    let here: BTreeSet<String> = table.layers.iter().filter(|l| k.can(table, l.applies, &none)).map(|l| place(&l.id)).collect();
    let ours = |i: &usize| table.measures.get(*i).and_then(|m| book.measures.get(m.measure)).is_some_and(|m| here.contains(&place(&m.id)));
    let own: BTreeSet<usize> = all.iter().copied().filter(ours).collect();
    if opens_after(table, k, extra, &own) { own } else { all }
}

fn minimize(table: &Table, k: &Knowledge, extra: &[NodeId], mut set: BTreeSet<usize>) -> BTreeSet<usize> {
    // Later measures first: the rulebook lists the law's own order, so what is kept tends to be what stands nearer to the rule.
    for member in set.clone().into_iter().rev() {
        set.remove(&member);
        if !opens_after(table, k, extra, &set) {
            set.insert(member);
        }
    }
    set
}

fn answer(table: &Table, book: &Rulebook, k: &Knowledge, set: &BTreeSet<usize>) -> Remedy {
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
    let forced = forced(table, set.iter().copied());
    let (mut rank, mut routes) = (0, Vec::new());
    for gate in table.layers.iter().flat_map(|l| &l.gates).filter(|g| k.can(table, g.when, &forced)) {
        let best = gate.routes.iter().find(|(_, need)| {
            let not = table.diagram.negation(*need).unwrap_or(crate::diagram::TRUE);
            !k.can(table, not, &forced)
        });
        if let Some(route) = best.and_then(|(i, _)| book.routes.get(*i)) {
            rank = rank.max(route.rank);
            routes.push(route.head.id.clone());
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
