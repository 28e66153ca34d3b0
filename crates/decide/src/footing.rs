//! What an opening rests on: which of its rules were read once only.
//!
//! A rule that was read once clears with a warning and opens no flow unless the operator accepts it by name. Whoever
//! reads a rule wrongly would otherwise move data by a mistake that nobody else has looked for.

use crate::{
    decision::{Clause, ClauseKind, Decision, LayerAnswer, Verdict},
    knowledge::Truth,
};
use model::{CivilDate, citation::Review};

/// One thing that an opening rests on and that no rule read twice carries: rules of which any one is enough.
#[derive(Clone, Debug)]
pub struct ReadOnce<'a> {
    /// The layer.
    pub layer: &'a str,
    /// The rules, in the order of the law; each of them opens by itself.
    pub rules: Vec<&'a Clause>,
}

impl ReadOnce<'_> {
    /// The rule that an operator has accepted by its own name or by that of its layer.
    ///
    /// A signpost and a withdrawn rule cannot be accepted: nobody has read what they would have to carry.
    pub fn accepted(&self, names: &[String]) -> Option<&Clause> {
        let named = |c: &&&Clause| names.iter().any(|n| *n == c.id || *n == c.layer);
        self.rules.iter().find(|c| named(c) && is_drafted(c.citation.review)).copied()
    }

    /// The rules for people: `eu.x.1 (Art. 1), eu.x.2 (Art. 2)`.
    pub fn names(&self) -> String {
        self.rules.iter().map(|c| format!("{} ({})", c.id, c.citation.cites)).collect::<Vec<_>>().join(", ")
    }
}

/// Days after which a reading is shown as old.
pub const READING_DAYS: i32 = 90;

/// The rules of an opening that no second reading carries; nothing for a decision that does not open.
pub fn read_once(decision: &Decision) -> Vec<ReadOnce<'_>> {
    if !decision.verdict.opens() {
        return Vec::new();
    }
    let each = decision.crossings.iter().flat_map(|c| c.layers.iter().map(move |l| (l, c.verdict == Verdict::OutOfScope)));
    let all = each.flat_map(|(l, only)| footings(l, only).into_iter().map(move |rules| ReadOnce { layer: &l.layer, rules }));
    let mut out: Vec<ReadOnce<'_>> = Vec::new();
    for rests in all {
        let once = !rests.rules.is_empty() && rests.rules.iter().all(|c| is_weak(c.citation.review));
        let known = |o: &ReadOnce<'_>| o.names() == rests.names();
        if once && !out.iter().any(known) {
            out.push(rests);
        }
    }
    out
}

/// Deciding rules whose reading is older than its interval on a day, with the day they were read.
pub fn stale(decision: &Decision, today: CivilDate) -> Vec<(&str, CivilDate)> {
    let mut out: Vec<(&str, CivilDate)> = Vec::new();
    for clause in decision.crossings.iter().flat_map(|c| &c.deciding) {
        let old = clause.citation.read.plus_days(READING_DAYS) < today;
        if old && !out.iter().any(|(id, _)| *id == clause.id) {
            out.push((clause.id.as_str(), clause.citation.read));
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
        (false, true) if scopes.iter().all(|c| !is_weak(c.citation.review)) => Vec::new(),
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
