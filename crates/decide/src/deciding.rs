//! Which clauses carry a verdict (DESIGN section 4, VERDICT).

use crate::{
    decision::{Clause, ClauseKind, LayerAnswer, Missing, Remedy, Verdict},
    knowledge::Truth,
};
use rulebook::{bind::Crossing, book::Rulebook};

/// The clauses that carry the verdict (DESIGN section 4, VERDICT).
pub fn deciding(layers: &[LayerAnswer], verdict: Verdict, remedies: &[Remedy], missing: &[Missing], failed: &[&str]) -> Vec<Clause> {
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
                // What may not go is refused by a law that surely applies: one that may apply elsewhere is no reason for it.
                let is_reason = verdict == Verdict::Conditional || layer.applies == Truth::Yes;
                if layer.refuses != Truth::No && is_reason {
                    let speaks = |c: &&Clause| verdict == Verdict::Conditional || c.truth == Truth::Yes;
                    out.extend(of(ClauseKind::Bar).filter(speaks).cloned());
                    out.extend(shut_gates(layer).cloned());
                    out.extend(of(ClauseKind::Obligation).cloned());
                    let used = |c: &&Clause| remedies.iter().take(4).any(|r| r.routes.contains(&c.id));
                    // A route that a failed judgment closed is part of the reason.
                    let closed = |c: &&Clause| c.unmet.iter().any(|u| failed.contains(&u.slot.as_str()));
                    // So is one that an entry would open that counts no more, or not yet, or does not reach so far.
                    let barely = |c: &&Clause| c.truth == Truth::No && c.barely().next().is_some();
                    out.extend(of(ClauseKind::Route).filter(|c| used(c) || closed(c) || barely(c)).cloned());
                    // What we hold no rule for may be the very thing that refuses.
                    out.extend(of(ClauseKind::Gap).filter(speaks).cloned());
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
pub fn failed_slots<'a>(book: &Rulebook, crossing: &'a Crossing) -> Vec<&'a str> {
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
