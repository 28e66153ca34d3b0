//! The worked cases of `rules/cases`: each passes, each differs from its twin, and most rules decide one.

#[path = "reference/rules.rs"]
mod rules;

use decide::{
    case::{self, Outcome},
    decision::{Decision, Verdict},
    engine::Engine,
};
use model::{AsOf, transfer::Transfer};
use rulebook::{bind::Bound, book::Rulebook, law::Case};
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

/// The rulebook without one block of law or list entry.
fn without(book: &Rulebook, id: &str) -> Rulebook {
    let mut out = book.clone();
    out.scopes.retain(|b| b.head.id != id);
    out.outs.retain(|b| b.head.id != id);
    out.bars.retain(|b| b.head.id != id);
    out.gates.retain(|b| b.head.id != id);
    out.routes.retain(|b| b.head.id != id);
    out.obligations.retain(|b| b.head.id != id);
    out.lists.values_mut().for_each(|l| l.entries.retain(|e| e.head.id != id));
    out
}

type Answers = BTreeMap<AsOf, Vec<(Bound, Verdict)>>;

// Days looked at for one rule; each costs a table. So the count is a lower bound.
const DAYS_MAX: usize = 3;

/// Whether the verdict of some case turns when the rule is taken out.
fn decides_a_case(book: &Rulebook, id: &str, answers: &Answers) -> bool {
    let (_, head) = book.heads().into_iter().find(|(_, h)| h.id == id).unwrap();
    let mut days: Vec<_> = answers.iter().filter(|(day, _)| head.counts(**day)).collect();
    days.sort_by_key(|(_, cases)| std::cmp::Reverse(cases.len()));
    let mut engine = Engine::new(without(book, id));
    days.into_iter().take(DAYS_MAX).any(|(day, cases)| {
        cases.iter().any(|(bound, verdict)| engine.verdict(bound, *day).unwrap() != *verdict)
    })
}

/// Takes out every fortieth rule, or each one when `TEGATA_CASES` is set (minutes), and counts those that turn a case.
#[test]
fn most_rules_decide_a_case() {
    let book = rules::parse(rules::sources());
    let mut engine = Engine::new(book.clone());
    let mut answers = Answers::new();
    let all = std::env::var("TEGATA_CASES").is_ok();
    for c in by_day(&book).into_values().filter(|cases| all || cases.len() > 4).flatten() {
        let bound = book.bind(&Transfer::single(c.given.iter().cloned())).unwrap();
        let verdict = engine.verdict(&bound, c.as_of).unwrap();
        answers.entry(c.as_of).or_default().push((bound, verdict));
    }
    let ids: Vec<String> =
        book.heads().into_iter().map(|(_, h)| h.id.clone()).step_by(if all { 1 } else { 40 }).collect();
    let (book, answers, ids) = (&book, &answers, &ids);
    let idle: Vec<&String> = std::thread::scope(|scope| {
        let half = |i: usize| {
            scope.spawn(move || {
                ids.iter()
                    .skip(i)
                    .step_by(2)
                    .filter(|id| !decides_a_case(book, id, answers))
                    .collect::<Vec<_>>()
            })
        };
        [half(0), half(1)].into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    let (n, turning) = (ids.len(), ids.len() - idle.len());
    println!("{turning} of {n} rules and list entries turn a case when taken out; these do not: {idle:?}");
    // Most idle ones are entries of lists, each like its neighbors.
    let least = if all { 419 } else { n / 2 };
    assert!(turning >= least, "only {turning} of {n} rules turn a case; {least} did");
}
