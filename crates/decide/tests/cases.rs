//! The worked cases of `rules/cases`: each passes, each differs from its twin, and most rules decide one.

#[path = "reference/rules.rs"]
mod rules;

use decide::{
    case::{self, Outcome},
    decision::Decision,
    decisive::Worked,
    engine::Engine,
};
use model::AsOf;
use rulebook::{book::Rulebook, law::Case};
use std::collections::{BTreeMap, BTreeSet};

/// Cases that fail today, each with the reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// The cases by day, so that each day's table is made once.
fn by_day(book: &Rulebook) -> BTreeMap<AsOf, Vec<Case>> {
    let mut out: BTreeMap<AsOf, Vec<Case>> = BTreeMap::new();
    for c in &book.cases {
        out.entry(c.as_of).or_default().push(c.clone());
    }
    out
}

/// What a person would see of an answer: its verdict, the clauses, the ways, the questions.
fn outcome(d: &Decision) -> String {
    let crossing = d.worst().unwrap();
    let ways: BTreeSet<Vec<&str>> =
        crossing.remedies.iter().map(|r| r.measures.iter().map(|m| m.id.as_str()).collect()).collect();
    let deciding: BTreeSet<&str> = d.deciding_ids().into_iter().collect();
    format!("{:?} by {deciding:?} ways {ways:?} missing {:?}", d.verdict, crossing.missing)
}

#[test]
fn every_case_passes_and_differs_from_its_twin() {
    let book = rules::parse(rules::sources());
    let days = by_day(&book);
    let mut engine = Engine::new(book);
    let (mut failed, mut outcomes) = (Vec::new(), BTreeMap::new());
    for c in days.values().flatten() {
        let (result, decision) = case::run(&mut engine, c).unwrap();
        outcomes.extend(decision.map(|d| (c.id.clone(), outcome(&d))));
        match result {
            Outcome::Passed => {}
            Outcome::Failed(lines) => failed.push(format!("{}: {}", c.id, lines.join("; "))),
            Outcome::Unread(findings) => failed.push(format!("{}: {findings:?}", c.id)),
        }
    }
    println!("{} cases on {} days", outcomes.len(), days.len());
    assert!(outcomes.len() >= 900);
    for (id, reason) in EXCEPTIONS {
        assert!(
            failed.iter().any(|f| f.starts_with(&format!("{id}: "))),
            "`{id}` passes now, though: {reason}"
        );
    }
    failed.retain(|f| !EXCEPTIONS.iter().any(|(id, _)| f.starts_with(&format!("{id}: "))));
    assert!(failed.is_empty(), "{} cases fail:\n{}", failed.len(), failed.join("\n"));
    let same = |c: &&Case| c.twin.as_ref().is_some_and(|t| outcomes.get(t) == outcomes.get(&c.id));
    let same: Vec<_> =
        days.values().flatten().filter(same).map(|c| format!("{}: {}", c.id, outcomes[&c.id])).collect();
    assert!(same.is_empty(), "cases that come out as their twin does:\n{}", same.join("\n"));
}

/// Takes out every fortieth rule and list entry (`tegata rules decisive` takes out each) and counts those that turn a case.
#[test]
fn most_rules_decide_a_case() {
    let worked = Worked::of(rules::parse(rules::sources())).unwrap();
    let ids: Vec<String> = worked.ids().step_by(40).map(String::from).collect();
    let idle: Vec<&String> = ids.iter().filter(|id| !worked.turns(id).unwrap()).collect();
    let (n, turning) = (ids.len(), ids.len() - idle.len());
    println!("{turning} of {n} rules and list entries turn a case when taken out; these do not: {idle:?}");
    assert!(turning * 2 >= n, "only {turning} of {n} rules turn a case");
}
