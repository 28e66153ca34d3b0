//! Worked cases: the rulebook's own tests, run by the engine.

use crate::{decision::Decision, engine::Engine, table::TooManyCells};
use model::transfer::Transfer;
use rulebook::{diagnostic::Diagnostic, law::Case};

/// How a case came out.
#[derive(Debug)]
pub enum Outcome {
    /// As expected.
    Passed,
    /// Otherwise; each line says one difference.
    Failed(Vec<String>),
    /// Its facts do not speak the vocabulary.
    Unread(Vec<Diagnostic>),
}

/// Runs one case.
pub fn run(engine: &mut Engine, case: &Case) -> Result<(Outcome, Option<Decision>), TooManyCells> {
    let transfer = Transfer::single(case.given.iter().cloned());
    let bound = match engine.book.bind(&transfer) {
        Ok(bound) => bound,
        Err(diagnostics) => return Ok((Outcome::Unread(diagnostics), None)),
    };
    let decision = engine.decide(&bound, case.as_of)?;
    let mut wrong = Vec::new();
    if decision.verdict.word() != case.expect {
        wrong.push(format!("expected {}, decided {}", case.expect, decision.verdict.word()));
    }
    // An entry of a list that carries a deciding clause decides too.
    let clauses = || decision.crossings.iter().flat_map(|c| &c.deciding);
    let mut deciding = decision.deciding_ids();
    deciding.extend(clauses().flat_map(|c| c.carriers()).map(|e| e.id.as_str()));
    for id in case.by.iter().filter(|id| !deciding.contains(&id.as_str())) {
        wrong.push(format!("`{id}` does not decide; {} do", deciding.join(", ")));
    }
    let cites: Vec<&str> = clauses().flat_map(|c| c.rests_on()).map(|c| c.cites.as_str()).collect();
    for cite in case.by_cite.iter().filter(|c| !cites.iter().any(|x| x.contains(c.as_str()))) {
        wrong.push(format!("`{cite}` is not cited; {} are", cites.join("; ")));
    }
    let crossing = decision.worst();
    if !case.way.is_empty() {
        let offered = crossing.is_some_and(|c| {
            c.remedies.iter().any(|r| case.way.iter().all(|w| r.measures.iter().any(|m| &m.id == w)) && r.measures.len() == case.way.len())
        });
        if !offered {
            wrong.push(format!("the way {} is not offered", case.way.join(" + ")));
        }
    }
    for slot in &case.missing {
        let asked = crossing.is_some_and(|c| c.missing.iter().any(|m| match m {
            crate::decision::Missing::Fact { slot: s, .. } | crate::decision::Missing::Judgment { slot: s, .. } => s == slot,
            crate::decision::Missing::Disputed { id, .. } => id == slot,
            crate::decision::Missing::NotCovered { layer, .. } => layer == slot,
        }));
        if !asked {
            wrong.push(format!("`{slot}` is not asked for"));
        }
    }
    let outcome = if wrong.is_empty() { Outcome::Passed } else { Outcome::Failed(wrong) };
    Ok((outcome, Some(decision)))
}
