//! The engine against the reference evaluator, on random rulebooks (as rule text), transfers and days.
//!
//! `TEGATA_CASES=5000 cargo test -p decide --test agreement` draws more rulebooks than the default.

#[path = "reference/evaluator.rs"]
mod evaluator;
#[path = "reference/generate.rs"]
mod generate;

use decide::{
    decision::{Decision, Missing, Verdict},
    engine::Engine,
};
use evaluator::{Case, Reference};
use generate::{Draw, Text};
use model::{AsOf, transfer::Transfer};
use rulebook::{
    bind::Bound,
    book::Rulebook,
    expr::Expr,
    law::{Due, Head, IfBreached, Obligation},
};
use std::collections::{BTreeMap, BTreeSet};

const SEED: u64 = 20_261_122;
const TRANSFERS_PER_DAY: usize = 24;

/// How many rulebooks to draw.
fn n_books() -> usize {
    std::env::var("TEGATA_CASES").ok().and_then(|t| t.parse().ok()).unwrap_or(400)
}

fn draw_of(n: usize) -> Draw {
    Draw(SEED + n as u64 * 7_919)
}

/// What the engine offers, as sets of measure ids.
fn offered(d: &Decision) -> BTreeSet<BTreeSet<String>> {
    d.crossings[0].remedies.iter().map(|r| r.measures.iter().map(|m| m.id.clone()).collect()).collect()
}

/// What the engine asks for, under the reference's names.
fn asked(d: &Decision) -> BTreeSet<String> {
    let name = |m: &Missing| match m {
        Missing::Fact { slot, .. } | Missing::Judgment { slot, .. } => slot.clone(),
        Missing::Disputed { id, .. } => format!("reading {id}"),
        Missing::NotCovered { layer, .. } => format!("gap {layer}"),
    };
    d.crossings[0].missing.iter().map(name).collect()
}

/// Whether the definition of what matters is exact here: nothing is forced by a constraint, and no rule is missing.
fn can_be_asked(book: &Rulebook) -> bool {
    let covered = book.layers.values().any(|l| l.covers == Some(Expr::Const(true)));
    covered && book.vocabulary.constraints.is_empty() && book.layers.values().all(|l| l.gaps.is_empty())
}

/// The lint refuses a rulebook with a double-edged measure, and the engine relies on it.
fn linted(book: &Rulebook, reference: &Reference) -> Rulebook {
    let worse = reference.double_edged();
    let mut out = book.clone();
    out.measures.retain(|m| !worse.contains(&m.id));
    out
}

#[derive(Default)]
struct Tally {
    verdicts: BTreeMap<&'static str, usize>,
    n_cases: usize,
    n_remedies: usize,
    n_questions: usize,
    faults: Vec<String>,
}

impl Tally {
    /// Compares one answer with the text's.
    fn compare(
        &mut self,
        reference: &Reference,
        case: &Case,
        decision: &Decision,
        expected: Verdict,
    ) -> Result<(), String> {
        self.n_cases += 1;
        *self.verdicts.entry(expected.word()).or_default() += 1;
        if decision.verdict != expected {
            return Err(format!("verdict: the text gives {expected:?}, the engine {:?}", decision.verdict));
        }
        if expected == Verdict::Conditional {
            self.n_remedies += 1;
            let (ours, theirs) = (reference.remedies(case), offered(decision));
            if ours != theirs {
                return Err(format!("remedies: the text gives {ours:?}, the engine {theirs:?}"));
            }
        }
        if expected == Verdict::Undetermined && can_be_asked(reference.book) {
            self.n_questions += 1;
            // Layers are weighed one by one, so a fact may be asked that the others make idle; none that matters is left out.
            let (least, theirs, most) =
                (reference.matters(case), asked(decision), reference.matters_to_a_layer(case));
            // Where a measure hangs on what is not known, that is asked last, and not weighed.
            let exact = case.sure != case.maybe || least.is_subset(&theirs) && theirs.is_subset(&most);
            if !exact || theirs.is_empty() {
                return Err(format!(
                    "questions: the text gives {least:?} to {most:?}, the engine {theirs:?}"
                ));
            }
        }
        Ok(())
    }

    /// One rulebook on some days with some transfers; of each day at most so many cases of one verdict.
    fn book(&mut self, n: usize, text: &Text, draw: &mut Draw) {
        let book = text.parse();
        for _ in 0..2 {
            let as_of = generate::as_of(draw);
            let reference = Reference::new(&book, as_of);
            let mut engine = Engine::new(linted(&book, &reference));
            let mut kept: BTreeMap<&'static str, usize> = BTreeMap::new();
            for _ in 0..TRANSFERS_PER_DAY {
                let facts = generate::facts(draw, &text.slots);
                let said = format!("{facts:?}");
                let Ok(bound) = book.bind(&Transfer::single(facts)) else { continue };
                let case = reference.case(&bound.crossings[0]);
                if case.states.is_empty() {
                    continue;
                }
                let expected = reference.verdict(&case);
                let kept = kept.entry(expected.word()).or_default();
                *kept += 1;
                if *kept > if expected == Verdict::Conditional { 4 } else { 1 } {
                    continue;
                }
                let decision = engine.decide(&bound, as_of).unwrap();
                if let Err(fault) = self.compare(&reference, &case, &decision, expected) {
                    self.faults.push(format!("{fault}\nrulebook {n}, {as_of:?}, {said}\n{}", text.law()));
                }
            }
        }
    }
}

#[test]
fn the_engine_agrees_with_the_text() {
    let mut tally = Tally::default();
    for n in 0..n_books() {
        let mut draw = draw_of(n);
        let text = generate::text(&mut draw);
        tally.book(n, &text, &mut draw);
    }
    let Tally { verdicts, n_cases, n_remedies, n_questions, mut faults } = tally;
    println!("{n_cases} cases, {n_remedies} with remedies, {n_questions} with questions: {verdicts:?}");
    // The shortest text shows a fault best.
    faults.sort_by_key(String::len);
    assert!(
        faults.is_empty(),
        "{} disagreements, such as\n{}",
        faults.len(),
        faults[..faults.len().min(3)].join("\n----\n")
    );
    for (verdict, count) in &verdicts {
        assert!(count * 10 >= n_cases, "only {count} of {n_cases} are {verdict}");
    }
    assert_eq!(verdicts.len(), 5);
}

const KINDS: [&str; 7] = ["scope", "out", "bar", "gate", "route", "obligation", "layer"];

/// Turns round the condition of one block of this kind that counts on the day; says whether there is one.
fn flip(book: &mut Rulebook, kind: &str, as_of: AsOf, draw: &mut Draw) -> bool {
    let counts = |h: &Head| h.counts(as_of);
    let mut conditions: Vec<&mut Expr> = match kind {
        "scope" => book.scopes.iter_mut().filter(|b| counts(&b.head)).map(|b| &mut b.reaches).collect(),
        "out" => book.outs.iter_mut().filter(|b| counts(&b.head)).map(|b| &mut b.when).collect(),
        "bar" => book.bars.iter_mut().filter(|b| counts(&b.head)).map(|b| &mut b.when).collect(),
        "gate" => book.gates.iter_mut().filter(|b| counts(&b.head)).map(|b| &mut b.when).collect(),
        "route" => book.routes.iter_mut().filter(|b| counts(&b.head)).map(|b| &mut b.need).collect(),
        "obligation" => {
            let refuses = |o: &&mut Obligation| {
                o.head.counts(as_of) && o.if_breached != IfBreached::SideDuty && o.due != Due::OnRequest
            };
            book.obligations.iter_mut().filter(refuses).map(|b| &mut b.when).collect()
        }
        _ => book.layers.values_mut().map(|l| &mut l.applies).collect(),
    };
    let n = conditions.len();
    let chosen = conditions.get_mut(draw.below(n));
    chosen.map(|e| **e = Expr::Not(Box::new((**e).clone()))).is_some()
}

/// A test of the test: one condition flipped in the reference alone must be noticed.
#[test]
fn a_flipped_condition_is_noticed() {
    let mut noticed: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
    for n in 0..400 {
        let mut draw = draw_of(n);
        let text = generate::text(&mut draw);
        let (book, as_of) = (text.parse(), generate::as_of(&mut draw));
        let (mut flipped, kind) = (book.clone(), *draw.of(&KINDS));
        if !flip(&mut flipped, kind, as_of, &mut draw) {
            continue;
        }
        let reference = Reference::new(&flipped, as_of);
        let mut engine = Engine::new(linted(&book, &Reference::new(&book, as_of)));
        let differs = (0..4 * TRANSFERS_PER_DAY).any(|_| {
            let Ok(bound) = book.bind(&Transfer::single(generate::facts(&mut draw, &text.slots))) else {
                return false;
            };
            let case = reference.case(&bound.crossings[0]);
            !case.states.is_empty() && engine.verdict(&bound, as_of).unwrap() != reference.verdict(&case)
        });
        let (seen, all) = noticed.entry(kind).or_default();
        *seen += usize::from(differs);
        *all += 1;
    }
    println!("flips noticed, of all: {noticed:?}");
    // A block may be shadowed by another or lie out of reach: not every flip can show, but of each kind many do.
    for kind in KINDS {
        let (seen, all) = noticed[kind];
        // A duty binds only where the layer reaches, and only once late; most drawn ones never do.
        let share = if kind == "obligation" { 20 } else { 5 };
        assert!(seen * share >= all, "of {all} flips of a {kind} only {seen} were noticed");
    }
}

/// Two constraints that leave no state together, though neither is broken by what is said.
#[test]
fn facts_that_leave_no_state_never_open() {
    let words = "```fact hop.a\non: hop\nkind: given\ndomain: yes_no\nlabel: a | a\nask: a | a\nknows: exporter\n```\n\
        ```fact hop.b\non: hop\nkind: given\ndomain: yes_no\nlabel: b | b\nask: b | b\nknows: exporter\n```\n\
        ```constraint c.1\nnever: hop.a and hop.b\nsays: S | S\n```\n```constraint c.2\nnever: hop.a and not hop.b\nsays: S | S\n```\n";
    let law = "```layer l\nlabel: L | L\nzone: Z\ntier: A\napplies: yes\ncovers: yes\nchecked: C | C\nnot_checked: N | N\n```\n\
        ```scope l.1\nlayer: l\nreaches: yes\ncites: A\nsays: S | S\n```\n```bar l.2\nlayer: l\nwhen: yes\ncites: A\nsays: S | S\n```\n";
    let sources = [("a.md", words.to_string()), ("b.md", generate::instrument("i") + law)];
    let book = generate::parse(
        sources.map(|(path, text)| rulebook::book::Source { path: path.into(), text }).to_vec(),
    );
    let yes = model::fact::Said::claim(model::fact::Spoken::YesNo(true));
    // Bind may refuse such facts; where it does not, the answer must not open.
    let bound: Result<Bound, _> = book.bind(&Transfer::single([("hop.a".to_string(), yes)]));
    if let Ok(bound) = bound {
        let day = AsOf::then("2024-06-01".parse().unwrap());
        let verdict = Engine::new(book).verdict(&bound, day).unwrap();
        assert!(!verdict.opens(), "contradictory facts came out {verdict:?}");
    }
}
