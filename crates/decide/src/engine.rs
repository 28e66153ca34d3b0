//! `decide`: bound knowledge and a rulebook to a decision.

use crate::{
    ask::{self, Classes},
    axis::TooManyCells,
    decision::{Clause, ClauseKind, CrossingAnswer, Decision, LayerAnswer, Missing, Verdict},
    diagram::NodeId,
    explain,
    knowledge::{Knowledge, Truth},
    remedy,
    table::Table,
};
use model::{AsOf, CivilDate, citation::{Review, Seen}};
use rulebook::{
    bind::{Bound, Crossing},
    book::Rulebook,
    law::OutKind,
};
use std::collections::{BTreeMap, HashMap};

/// A rulebook with the tables made from it so far, one for each as-of.
#[derive(Debug)]
pub struct Engine {
    /// The rulebook.
    pub book: Rulebook,
    tables: BTreeMap<AsOf, Table>,
}

// LIMIT: tables kept; the oldest as-of is dropped first.
const TABLES_MAX: usize = 64;

impl Engine {
    /// Starts with no table made.
    pub fn new(book: Rulebook) -> Self {
        Self { book, tables: BTreeMap::new() }
    }

    /// The table for a day, made when first asked for.
    pub fn table(&mut self, as_of: AsOf) -> Result<&mut Table, TooManyCells> {
        if !self.tables.contains_key(&as_of) {
            if self.tables.len() >= TABLES_MAX {
                self.tables.pop_first();
            }
            let table = Table::compile(&self.book, as_of)?;
            self.tables.insert(as_of, table);
        }
        self.tables.get_mut(&as_of).ok_or_else(|| TooManyCells(String::new()))
    }

    /// Decides a bound transfer for a day, with reasons, ways through and what is missing.
    pub fn decide(&mut self, bound: &Bound, as_of: AsOf) -> Result<Decision, TooManyCells> {
        self.table(as_of)?;
        let Self { book, tables } = self;
        let table = tables.get_mut(&as_of).ok_or_else(|| TooManyCells(String::new()))?;
        Ok(decide(table, book, bound))
    }

    /// Decides, and says until when the answer holds with no new fact.
    pub fn decide_with_horizon(&mut self, bound: &Bound, as_of: AsOf) -> Result<Decision, TooManyCells> {
        let mut decision = self.decide(bound, as_of)?;
        decision.holds_until = self.holds_until(bound, as_of, decision.verdict)?;
        Ok(decision)
    }

    /// The verdict alone.
    pub fn verdict(&mut self, bound: &Bound, as_of: AsOf) -> Result<Verdict, TooManyCells> {
        self.table(as_of)?;
        let Self { book, tables } = self;
        let table = tables.get_mut(&as_of).ok_or_else(|| TooManyCells(String::new()))?;
        Ok(verdicts(table, book, bound).into_iter().max_by_key(|v| v.severity()).unwrap_or(Verdict::Undetermined))
    }

    /// The first day after `as_of.on` on which the verdict is another one, from what is published by now.
    pub fn holds_until(&mut self, bound: &Bound, as_of: AsOf, verdict: Verdict) -> Result<Option<CivilDate>, TooManyCells> {
        let mut days = self.book.boundaries();
        for crossing in &bound.crossings {
            days.extend(crossing.facts.values().filter_map(|f| f.until));
            for o in &self.book.obligations {
                days.extend(crate::knowledge::last_day(&self.book, &o.head.id, &crossing.facts).map(|d| d.plus_days(1)));
            }
        }
        days.retain(|d| *d > as_of.on);
        days.sort();
        days.dedup();
        // LIMIT: days looked at; boundaries in the future are few.
        for day in days.into_iter().take(48) {
            if self.verdict(bound, AsOf { on: day, published_by: as_of.published_by.max(as_of.on) })? != verdict {
                return Ok(Some(day));
            }
        }
        Ok(None)
    }
}

/// The verdicts of all crossings, in order, without reasons.
pub fn verdicts(table: &Table, book: &Rulebook, bound: &Bound) -> Vec<Verdict> {
    let known: Vec<Knowledge> = bound.crossings.iter().map(|c| Knowledge::of(table, book, c)).collect();
    (0..bound.crossings.len())
        .map(|i| {
            let extra = carried(table, book, bound, &known, i);
            let (sure, maybe) = known.get(i).map(|k| remedy::at_hand(table, k)).unwrap_or_default();
            known.get(i).map_or(Verdict::Undetermined, |k| verdict(table, k, &functions(&extra), &sure, &maybe))
        })
        .collect()
}

/// Decides with a table at hand.
pub fn decide(table: &mut Table, book: &Rulebook, bound: &Bound) -> Decision {
    let known: Vec<Knowledge> = bound.crossings.iter().map(|c| Knowledge::of(table, book, c)).collect();
    let mut crossings = Vec::with_capacity(known.len());
    for (i, (crossing, k)) in bound.crossings.iter().zip(&known).enumerate() {
        let extra = carried(table, book, bound, &known, i);
        crossings.push(answer(table, book, crossing, k, &extra));
    }
    let verdict = crossings.iter().map(|c| c.verdict).max_by_key(|v| v.severity()).unwrap_or(Verdict::Undetermined);
    let deciding: Vec<&Clause> = crossings.iter().flat_map(|c| &c.deciding).collect();
    let weakest_review: Option<Review> = deciding.iter().map(|c| c.citation.review).min();
    let weakest_seen: Option<Seen> = deciding.iter().map(|c| c.citation.seen).min();
    let oldest_read = deciding.iter().map(|c| c.citation.read).min();
    Decision {
        verdict,
        as_of: table.as_of,
        rulebook: book.digest(),
        transfer: bound.transfer,
        weakest_review,
        weakest_seen,
        oldest_read,
        holds_until: None,
        crossings,
    }
}

type Carried = Vec<(String, NodeId)>;

fn functions(carried: &Carried) -> Vec<NodeId> {
    carried.iter().map(|(_, f)| *f).collect()
}

/// What the routes of earlier hops carry to this one: (route, function that refuses).
fn carried(table: &Table, book: &Rulebook, bound: &Bound, known: &[Knowledge], index: usize) -> Carried {
    let mut out = Carried::new();
    let Some(this) = bound.crossings.get(index) else { return out };
    let mut after = this.after.clone();
    // LIMIT: as many steps back as there are crossings; circles were refused when bound.
    for _ in 0..bound.crossings.len() {
        let Some(hop) = after else { break };
        let earlier = bound.crossings.iter().position(|c| c.hop == hop && c.dataset == this.dataset && c.group == this.group);
        let Some((i, k)) = earlier.and_then(|i| known.get(i).map(|k| (i, k))) else { break };
        // A route binds later hops only where its gate stands in the way of the earlier one. Where no route is surely
        // met, each that may be met binds: knowing more about the first hop must never close what was open.
        for gate in table.layers.iter().flat_map(|l| &l.gates).filter(|g| explain::truth(table, k, g.when) != Truth::No) {
            let truths: Vec<(usize, Truth)> = gate.routes.iter().map(|(ri, need)| (*ri, explain::truth(table, k, *need))).collect();
            let wanted = if truths.iter().any(|(_, t)| *t == Truth::Yes) { Truth::Yes } else { Truth::Open };
            for (ri, _) in truths.iter().filter(|(_, t)| *t == wanted) {
                let Some(route) = book.routes.get(*ri) else { continue };
                if let Some((_, refused)) = table.carries.get(&route.head.id) {
                    out.push((route.head.id.clone(), *refused));
                }
            }
        }
        after = bound.crossings.get(i).and_then(|c| c.after.clone());
    }
    out
}

fn verdict(table: &Table, k: &Knowledge, extra: &[NodeId], sure: &[usize], maybe: &[usize]) -> Verdict {
    let none = HashMap::new();
    // Facts that exclude each other only together leave no state, and of no state everything is true: nothing opens.
    if !k.can(table, crate::diagram::TRUE, &none) {
        return Verdict::Undetermined;
    }
    let uncovered = k.can(table, table.uncovered, &none);
    let refusals = || table.layers.iter().map(|l| l.refuses).chain(extra.iter().copied());
    let gap_open = uncovered || table.layers.iter().any(|l| l.gaps.iter().any(|(_, f)| k.can(table, *f, &none)));
    let reached = table.layers.iter().any(|l| k.can(table, l.reaches, &none)) || extra.iter().any(|f| k.can(table, *f, &none));
    if !reached && !gap_open {
        return Verdict::OutOfScope;
    }
    if !uncovered && refusals().all(|f| !k.can(table, f, &none)) {
        return Verdict::Permitted;
    }
    let may = remedy::forced(table, maybe.iter().copied());
    let lawful = |f: NodeId| table.diagram.negation(f).unwrap_or(crate::diagram::TRUE);
    if refusals().any(|f| !k.can(table, lawful(f), &may)) {
        return Verdict::Prohibited;
    }
    let surely = remedy::forced(table, sure.iter().copied());
    if !uncovered && refusals().all(|f| !k.can(table, f, &surely)) {
        return Verdict::Conditional;
    }
    Verdict::Undetermined
}

fn answer(table: &mut Table, book: &Rulebook, crossing: &Crossing, k: &Knowledge, carried: &Carried) -> CrossingAnswer {
    let extra = functions(carried);
    let (sure, maybe) = remedy::at_hand(table, k);
    let verdict = verdict(table, k, &extra, &sure, &maybe);
    let layers: Vec<LayerAnswer> = (0..table.layers.len()).filter_map(|i| explain::layer(table, book, k, i)).collect();
    let (remedies, more_remedies) = match verdict {
        Verdict::Conditional => remedy::remedies(table, book, k, &extra, &sure),
        _ => (Vec::new(), false),
    };
    let mut classes = Classes::of(table, k, &extra, &maybe);
    let missing = match verdict {
        Verdict::Undetermined => ask::missing(table, book, k, &mut classes),
        _ => Vec::new(),
    };
    let would_open = match verdict {
        Verdict::Conditional => classes.ranked(table, k).into_iter().take(6).collect(),
        _ => Vec::new(),
    };
    let obligations = if verdict == Verdict::OutOfScope { Vec::new() } else { explain::obligations(table, book, k, crossing) };
    let mut deciding = deciding(&layers, verdict, &remedies, &missing, &failed_slots(book, crossing));
    deciding.extend(carried_clauses(table, book, k, carried, verdict));
    CrossingAnswer {
        hop: crossing.hop.clone(),
        from: crossing.from.clone(),
        to: crossing.to.clone(),
        dataset: crossing.dataset.clone(),
        group: crossing.group.clone(),
        outside: outside_kinds(book, &layers, verdict),
        verdict,
        deciding,
        layers,
        remedies,
        more_remedies,
        missing,
        would_open,
        obligations,
    }
}

fn carried_clauses(table: &Table, book: &Rulebook, k: &Knowledge, carried: &Carried, verdict: Verdict) -> Vec<Clause> {
    if verdict.opens() {
        return Vec::new();
    }
    let mut out = Vec::new();
    for (route, refused) in carried {
        let truth = explain::truth(table, k, *refused);
        if let Some(r) = book.routes.iter().find(|r| &r.head.id == route).filter(|_| truth != Truth::No) {
            out.push(Clause {
                id: r.head.id.clone(),
                kind: ClauseKind::Carried,
                layer: book.gates.iter().find(|g| g.head.id == r.gate).map(|g| g.layer.clone()).unwrap_or_default(),
                truth,
                says: r.head.says.clone(),
                citation: r.head.citation(),
                unmet: Vec::new(),
                rank: None,
                beside: None,
            });
        }
    }
    out
}

fn outside_kinds(book: &Rulebook, layers: &[LayerAnswer], verdict: Verdict) -> Vec<OutKind> {
    if verdict != Verdict::OutOfScope {
        return Vec::new();
    }
    let mut kinds: Vec<OutKind> = layers
        .iter()
        .flat_map(|l| &l.clauses)
        .filter(|c| c.kind == ClauseKind::Out && c.truth == Truth::Yes)
        .filter_map(|c| book.outs.iter().find(|o| o.head.id == c.id).map(|o| o.kind))
        .collect();
    if kinds.is_empty() {
        kinds.push(OutKind::NotReached);
    }
    kinds.sort();
    kinds.dedup();
    kinds
}

/// The clauses that carry the verdict (DESIGN section 4, VERDICT).
fn deciding(layers: &[LayerAnswer], verdict: Verdict, remedies: &[crate::decision::Remedy], missing: &[Missing], failed: &[&str]) -> Vec<Clause> {
    let mut out: Vec<Clause> = Vec::new();
    for layer in layers {
        let of = |kind: ClauseKind| layer.clauses.iter().filter(move |c| c.kind == kind);
        let outside = || of(ClauseKind::Out).filter(|c| c.truth == Truth::Yes).chain(of(ClauseKind::Scope).filter(|c| c.truth == Truth::No));
        match verdict {
            Verdict::OutOfScope => out.extend(outside().cloned()),
            Verdict::Permitted => {
                if layer.reaches == Truth::No {
                    out.extend(outside().cloned());
                } else {
                    out.extend(met_routes(layer).into_iter().cloned());
                    out.extend(outside().filter(|c| c.kind == ClauseKind::Out).cloned());
                    if out.iter().all(|c| c.layer != layer.layer) {
                        out.extend(of(ClauseKind::Scope).filter(|c| c.truth == Truth::Yes).cloned());
                    }
                }
            }
            Verdict::Prohibited | Verdict::Conditional => {
                if layer.refuses != Truth::No {
                    out.extend(of(ClauseKind::Bar).filter(|c| verdict == Verdict::Conditional || c.truth == Truth::Yes).cloned());
                    out.extend(shut_gates(layer).cloned());
                    out.extend(of(ClauseKind::Obligation).cloned());
                    let used = |c: &&Clause| remedies.iter().take(4).any(|r| r.routes.contains(&c.id));
                    // A route that a failed judgment closed is part of the reason.
                    let closed = |c: &&Clause| c.unmet.iter().any(|u| failed.contains(&u.slot.as_str()));
                    out.extend(of(ClauseKind::Route).filter(|c| used(c) || closed(c)).cloned());
                }
            }
            Verdict::Undetermined => {
                if layer.refuses == Truth::Open {
                    out.extend(of(ClauseKind::Bar).chain(of(ClauseKind::Gap)).chain(of(ClauseKind::Obligation)).cloned());
                    out.extend(shut_gates(layer).cloned());
                    out.extend(of(ClauseKind::Route).filter(|c| c.truth == Truth::Open || is_asked(c, missing)).cloned());
                    out.extend(of(ClauseKind::Out).filter(|c| c.truth == Truth::Open).cloned());
                } else if layer.refuses == Truth::Yes {
                    out.extend(shut_gates(layer).cloned());
                }
            }
        }
    }
    // What surely applies speaks before what may.
    let surely = |c: &Clause| layers.iter().any(|l| l.layer == c.layer && l.applies == Truth::Yes);
    let elsewhere = |c: &Clause| c.kind == ClauseKind::Scope && c.truth == Truth::No;
    out.sort_by_key(|c| (!surely(c), elsewhere(c)));
    out
}

/// Determinations that were made and failed.
fn failed_slots<'a>(book: &Rulebook, crossing: &'a Crossing) -> Vec<&'a str> {
    let failed = |known: &rulebook::bind::Known| matches!(known, rulebook::bind::Known::Values(v) if v.contains("fails"));
    let determined = |slot: &str| book.vocabulary.of_slot(slot).is_some_and(|f| f.kind == rulebook::vocabulary::FactKind::Determination);
    crossing.facts.iter().filter(|(slot, f)| failed(&f.known) && determined(slot)).map(|(slot, _)| slot.as_str()).collect()
}

/// Gates that may be shut: one of their routes is not surely met and none is.
fn shut_gates(layer: &LayerAnswer) -> impl Iterator<Item = &Clause> {
    let mut gates: Vec<(&Clause, bool)> = Vec::new();
    for c in &layer.clauses {
        match c.kind {
            ClauseKind::Gate => gates.push((c, false)),
            ClauseKind::Route if c.truth == Truth::Yes => {
                if let Some(last) = gates.last_mut() {
                    last.1 = true;
                }
            }
            _ => {}
        }
    }
    gates.into_iter().filter(|(_, met)| !met).map(|(c, _)| c)
}

/// The routes through each gate that are met; where no single one is surely met, those that may be.
fn met_routes(layer: &LayerAnswer) -> Vec<&Clause> {
    let routes = || layer.clauses.iter().filter(|c| c.kind == ClauseKind::Route);
    let sure: Vec<&Clause> = routes().filter(|c| c.truth == Truth::Yes).collect();
    if sure.is_empty() { routes().filter(|c| c.truth == Truth::Open).collect() } else { sure }
}

fn is_asked(c: &Clause, missing: &[Missing]) -> bool {
    c.unmet.iter().any(|u| missing.iter().any(|m| matches!(m, Missing::Fact { slot, .. } | Missing::Judgment { slot, .. } if *slot == u.slot)))
}
