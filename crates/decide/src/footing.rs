//! What an opening rests on: which of its rules were read once only.
//!
//! A rule that was read once clears with a warning and opens no flow unless the operator accepts it by name. Whoever
//! reads a rule wrongly would otherwise move data by a mistake that nobody else has looked for.

use crate::{
    decision::{Clause, ClauseKind, Decision, EntryAnswer, LayerAnswer, Verdict},
    knowledge::Truth,
};
use model::{CivilDate, citation::Review};
use std::collections::BTreeSet;

/// One thing that an opening rests on and that no rule read twice carries: rules of which any one is enough.
#[derive(Clone, Debug)]
pub struct ReadOnce<'a> {
    /// The layer.
    pub layer: &'a str,
    /// The rules, in the order of the law; each of them opens by itself.
    pub rules: Vec<&'a Clause>,
}

impl ReadOnce<'_> {
    /// What an operator has accepted of it by name: a rule, with the entries that carry it, in words for the evidence.
    ///
    /// A rule is accepted by its own name or by that of its layer; an entry of a list by its own, by that of its list or by
    /// that of the layer that asks the list. A signpost and what was withdrawn cannot be accepted: nobody has read what
    /// they would have to carry.
    pub fn accepted(&self, names: &[String]) -> Option<String> {
        let named = |ids: &[&str]| names.iter().any(|n| ids.contains(&n.as_str()));
        let rule = |c: &Clause| !is_weak(c.citation.review) || is_drafted(c.citation.review) && named(&[&c.id, &c.layer]);
        let entry = |c: &Clause, e: &EntryAnswer| is_drafted(e.citation.review) && named(&[&e.id, &e.list, &c.layer]);
        self.rules.iter().find(|c| rule(c) && weak_entries(c).all(|e| entry(c, e))).map(|c| weak_names(c))
    }

    /// The rules for people: `eu.x.1 (Art. 1), eu.x.2 (Art. 2)`; of a rule that was read twice, the entries that were not.
    pub fn names(&self) -> String {
        self.rules.iter().map(|c| weak_names(c)).collect::<Vec<_>>().join(", ")
    }

    /// The entries of lists among them that were read once.
    pub fn entries(&self) -> Vec<&EntryAnswer> {
        self.rules.iter().flat_map(|c| weak_entries(c)).collect()
    }
}

/// Rule and article, and the entry of a list that carries it: `eu.x.1 (Art. 1) by eu.list#JP (Decision 1)`.
pub fn line(clause: &Clause) -> String {
    let rule = format!("{} ({})", clause.id, clause.citation.cites);
    let entries: Vec<String> = clause.carriers().map(entry_line).collect();
    if entries.is_empty() { rule } else { format!("{rule} by {}", entries.join(", ")) }
}

/// An entry and where it stands in law.
pub fn entry_line(entry: &EntryAnswer) -> String {
    format!("{} ({})", entry.id, entry.citation.cites)
}

/// The clauses of a decision that an entry of a list carries, in words for the evidence, each once.
pub fn carried_by_entries(decision: &Decision) -> Vec<String> {
    let clauses = decision.crossings.iter().flat_map(|c| &c.deciding).filter(|c| c.carriers().next().is_some());
    let mut seen = BTreeSet::new();
    clauses.map(line).filter(|l| seen.insert(l.clone())).collect()
}

fn weak_entries(clause: &Clause) -> impl Iterator<Item = &EntryAnswer> {
    clause.carriers().filter(|e| is_weak(e.citation.review))
}

fn is_strong(clause: &Clause) -> bool {
    !is_weak(clause.citation.review) && weak_entries(clause).next().is_none()
}

/// What of a clause was read once: itself, and the entries that carry it.
fn weak_names(clause: &Clause) -> String {
    let own = is_weak(clause.citation.review).then(|| format!("{} ({})", clause.id, clause.citation.cites));
    own.into_iter().chain(weak_entries(clause).map(entry_line)).collect::<Vec<_>>().join(" + ")
}

/// Days after which the reading of a rule is shown as old.
pub const READING_DAYS: i32 = 90;
/// The same for an entry of a list: lists change more often than acts.
pub const ENTRY_DAYS: i32 = 30;

/// The rules of an opening that no second reading carries; nothing for a decision that does not open.
pub fn read_once(decision: &Decision) -> Vec<ReadOnce<'_>> {
    if !decision.verdict.opens() {
        return Vec::new();
    }
    let each = decision.crossings.iter().flat_map(|c| c.layers.iter().map(move |l| (l, c.verdict == Verdict::OutOfScope)));
    let all = each.flat_map(|(l, only)| footings(l, only).into_iter().map(move |rules| ReadOnce { layer: &l.layer, rules }));
    let mut out: Vec<ReadOnce<'_>> = Vec::new();
    for rests in all {
        let once = !rests.rules.is_empty() && rests.rules.iter().all(|c| !is_strong(c));
        let known = |o: &ReadOnce<'_>| o.names() == rests.names();
        if once && !out.iter().any(known) {
            out.push(rests);
        }
    }
    out
}

/// Deciding rules and entries whose reading is older than its interval on a day, with the day they were read.
pub fn stale(decision: &Decision, today: CivilDate) -> Vec<(&str, CivilDate)> {
    let mut out: Vec<(&str, CivilDate)> = Vec::new();
    for clause in decision.crossings.iter().flat_map(|c| &c.deciding) {
        let rule = (clause.id.as_str(), clause.citation.read, READING_DAYS);
        let entries = clause.carriers().map(|e| (e.id.as_str(), e.citation.read, ENTRY_DAYS));
        for (id, read, days) in std::iter::once(rule).chain(entries) {
            if read.plus_days(days) < today && !out.iter().any(|(known, _)| *known == id) {
                out.push((id, read));
            }
        }
    }
    out
}

/// What a layer's opening rests on: each inner list is one thing, carried by any one of its rules.
///
/// A layer that looks at other things altogether carries nothing while another layer opens; where no layer reaches the
/// act (`only_outside`), that is all that the answer rests on.
fn footings(layer: &LayerAnswer, only_outside: bool) -> Vec<Vec<&Clause>> {
    if layer.reaches == Truth::No {
        let mut rests = outside(layer);
        if !only_outside {
            rests.retain(|rules| rules.iter().any(|c| c.kind == ClauseKind::Out));
        }
        return rests;
    }
    let mut out: Vec<Vec<&Clause>> = Vec::new();
    let mut gates: Vec<Vec<&Clause>> = Vec::new();
    for clause in &layer.clauses {
        match (clause.kind, gates.last_mut()) {
            (ClauseKind::Gate, _) => gates.push(Vec::new()),
            (ClauseKind::Route, Some(routes)) => routes.push(clause),
            _ => {}
        }
    }
    for routes in &gates {
        let of = |truth| routes.iter().copied().filter(move |c| c.truth == truth);
        match of(Truth::Yes).count() {
            // No single one is sure; together they are, so each of them is needed.
            0 => out.extend(of(Truth::Open).map(|c| vec![c])),
            _ => out.push(of(Truth::Yes).collect()),
        }
    }
    if gates.is_empty() {
        out.push(layer.clauses.iter().filter(|c| c.kind == ClauseKind::Scope && c.truth != Truth::No).collect());
    }
    out
}

/// What keeps an act outside a layer: one exception that holds, or else every scope that does not reach it.
fn outside(layer: &LayerAnswer) -> Vec<Vec<&Clause>> {
    let of = |kind, truth| layer.clauses.iter().filter(move |c| c.kind == kind && c.truth == truth);
    let outs: Vec<&Clause> = of(ClauseKind::Out, Truth::Yes).collect();
    let scopes: Vec<&Clause> = of(ClauseKind::Scope, Truth::No).collect();
    let all_no = layer.clauses.iter().filter(|c| c.kind == ClauseKind::Scope).count() == scopes.len();
    match (outs.is_empty(), all_no) {
        (false, true) if scopes.iter().all(|c| is_strong(c)) => Vec::new(),
        (false, _) => vec![outs],
        (true, true) => scopes.into_iter().map(|c| vec![c]).collect(),
        // No single rule keeps it outside: whatever plays a part is needed.
        (true, false) => layer.clauses.iter().filter(|c| matches!(c.kind, ClauseKind::Out | ClauseKind::Scope)).map(|c| vec![c]).collect(),
    }
}

fn is_drafted(review: Review) -> bool {
    matches!(review, Review::DraftedMachine | Review::DraftedPerson)
}

fn is_weak(review: Review) -> bool {
    is_drafted(review) || matches!(review, Review::Withdrawn | Review::Signpost)
}
