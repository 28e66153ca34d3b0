//! The verdict of one crossing (DESIGN section 4, VERDICT): what is asked of each layer, and in which order.

use crate::{
    decision::Verdict,
    diagram::{Forced, NodeId},
    knowledge::{Knowledge, Truth},
    remedy,
    table::Table,
};
use rulebook::{bind::Bound, book::Rulebook};

/// What the routes of earlier hops refuse here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The route.
    pub route: String,
    /// Its layer.
    pub layer: usize,
    /// What it refuses, in that layer's unit.
    pub refused: NodeId,
    /// Whether it binds for sure: a route that is only perhaps met binds perhaps.
    pub sure: bool,
}

/// The functions that must not hold: what each live layer refuses, and what is carried.
pub fn refusals<'a>(table: &'a Table, k: &'a Knowledge, carried: &'a [Carried]) -> impl Iterator<Item = (usize, NodeId)> + 'a {
    let own = k.live.iter().filter_map(|i| table.layers.get(*i).map(|l| (*i, l.law().refuses)));
    own.chain(carried.iter().map(|c| (c.layer, c.refused)))
}

/// What the routes of earlier hops carry to a crossing.
pub fn carried(table: &Table, book: &Rulebook, bound: &Bound, known: &[Knowledge], index: usize) -> Vec<Carried> {
    let mut out: Vec<Carried> = Vec::new();
    let Some(this) = bound.crossings.get(index) else { return out };
    let carries = if this.after.is_some() { table.carries() } else { return out };
    let mut after = this.after.clone();
    // LIMIT: as many steps back as there are crossings; circles were refused when bound.
    for _ in 0..bound.crossings.len() {
        let Some(hop) = after else { break };
        let earlier = bound.crossings.iter().position(|c| c.hop == hop && c.dataset == this.dataset && c.group == this.group);
        let Some((i, k)) = earlier.and_then(|i| known.get(i).map(|k| (i, k))) else { break };
        // A satisfied route binds later hops where its gate stands in the way of the earlier one. One that is only perhaps
        // satisfied binds perhaps: it keeps later hops from opening, and forbids nothing, so that knowing more of the first
        // hop takes nothing back.
        for (l, layer) in k.live.iter().filter_map(|l| table.layers.get(*l).map(|t| (*l, t))) {
            for gate in &layer.law().gates {
                let when = k.truth(table, l, gate.when);
                for r in gate.routes.iter().filter(|_| when != Truth::No) {
                    let met = r.carried.map_or(Truth::No, |_| k.truth(table, l, r.need));
                    if met == Truth::No {
                        continue;
                    }
                    let id = layer.clause(r.clause);
                    let sure = when == Truth::Yes && met == Truth::Yes;
                    if let Some((layer, refused)) = carries.get(id).copied() {
                        out.push(Carried { route: id.to_string(), layer, refused, sure });
                    }
                }
            }
        }
        after = bound.crossings.get(i).and_then(|c| c.after.clone());
    }
    let _ = book;
    out
}

/// Decides one crossing.
pub fn verdict(table: &Table, k: &Knowledge, carried: &[Carried], hand: &remedy::Hand) -> Verdict {
    let none = Forced::NONE;
    // Facts that exclude each other only together leave no state, and of no state everything is true: nothing opens.
    if !k.is_possible(table) {
        return Verdict::Undetermined;
    }
    let uncovered = k.may_be_uncovered(table);
    let touched = k.live.iter().any(|i| table.layers.get(*i).is_some_and(|l| k.can(table, *i, l.law().touched, &none)));
    let bound = carried.iter().any(|c| k.can(table, c.layer, c.refused, &none));
    if !uncovered && !touched && !bound {
        return Verdict::OutOfScope;
    }
    let may_refuse = |i: usize, f: NodeId| k.can(table, i, f, &none);
    let all: Vec<(usize, NodeId)> = refusals(table, k, carried).collect();
    if !uncovered && !all.iter().any(|(i, f)| may_refuse(*i, *f)) {
        return Verdict::Permitted;
    }
    // What lets it through as it is may refuse it after measures: a layer that some measure works upon is asked again.
    let worked_upon = |i: usize| table.layers.get(i).is_some_and(|l| !l.effects().is_empty());
    let refusing: Vec<(usize, NodeId)> = all.into_iter().filter(|(i, f)| worked_upon(*i) || may_refuse(*i, *f)).collect();
    let hand = hand.of(table, k);
    let taken = |set: &[usize]| {
        let mut taken = vec![false; table.measures.len()];
        set.iter().for_each(|m| taken.iter_mut().skip(*m).take(1).for_each(|t| *t = true));
        taken
    };
    let after = |i: usize, set: &[bool]| table.layers.get(i).map(|l| l.forced(|m| set.get(m).copied().unwrap_or(false))).unwrap_or_default();
    let (maybe, sure) = (taken(&hand.maybe), taken(&hand.sure));
    let surely_bound = |i: usize, f: NodeId| {
        table.layers.get(i).is_some_and(|l| l.law().refuses == f) || carried.iter().any(|c| c.sure && c.layer == i && c.refused == f)
    };
    for (i, f) in refusing.iter().filter(|(i, f)| surely_bound(*i, *f)) {
        if !k.can_not(table, *i, *f, &after(*i, &maybe)) {
            return Verdict::Prohibited;
        }
    }
    if !uncovered && refusing.iter().all(|(i, f)| !k.can(table, *i, *f, &after(*i, &sure))) {
        return Verdict::Conditional;
    }
    Verdict::Undetermined
}
