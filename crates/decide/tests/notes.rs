//! Where the engine and the text of DESIGN section 4 part today, each with the smallest rulebook that shows it.
//!
//! Each test asserts what the engine answers now and says what the text would give; when one fails, the engine has
//! come nearer to the text (or further from it), and the note goes.

#[path = "reference/evaluator.rs"]
mod evaluator;
#[path = "reference/generate.rs"]
mod generate;

use decide::{decision::Verdict, engine::Engine};
use evaluator::Reference;
use model::{
    AsOf,
    fact::{Said, Spoken},
    transfer::{Dataset, Hop, Party, Transfer},
};
use rulebook::book::{Rulebook, Source};
use std::collections::BTreeMap;

const LAYER: &str = "```layer l\nlabel: L | L\nzone: Z\ntier: A\napplies: yes\ncovers: yes\nchecked: C | C\nnot_checked: N | N\n```\n\
    ```scope l.scope\nlayer: l\nreaches: yes\ncites: A\nsays: S | S\n```\n";

fn words(ids: &[(&str, &str)]) -> String {
    ids.iter().map(|(id, kind)| format!("```fact {id}\non: hop\nkind: {kind}\ndomain: yes_no\nlabel: W | W\nask: W | W\nknows: exporter\n```\n")).collect()
}

fn parse(ids: &[(&str, &str)], law: &str) -> Rulebook {
    let law = generate::instrument("act") + LAYER + law;
    generate::parse(
        [("a.md", words(ids)), ("b.md", law)].map(|(path, text)| Source { path: path.into(), text }).to_vec(),
    )
}

fn today() -> AsOf {
    AsOf::then("2024-06-01".parse().unwrap())
}

fn said(id: &str, yes: bool) -> (String, Said) {
    (id.to_string(), Said::claim(Spoken::YesNo(yes)))
}

/// The lint names a double-edged measure and refuses the rulebook; an engine that is given it all the same counts the
/// measure as taken when it looks for *may not go*.
#[test]
fn a_double_edged_measure_that_escapes_the_lint_prohibits() {
    let law = "```bar l.sealed\nlayer: l\nwhen: safe.sealed\ncites: A\nsays: S | S\n```\n\
        ```bar l.flag\nlayer: l\nwhen: hop.flag\ncites: A\nsays: S | S\n```\n\
        ```measure m\nlayer: l\nlabel: M | M\ndoes: safe.sealed is yes\ndecides: exporter\n```\n";
    let book = parse(&[("safe.sealed", "measure"), ("hop.flag", "given")], law);
    let bound = book.bind(&Transfer::single([])).unwrap();
    let reference = Reference::new(&book, today());
    assert_eq!(
        reference.verdict(&reference.case(&bound.crossings[0])),
        Verdict::Undetermined,
        "the text: no such measure is offered"
    );
    let mut engine = Engine::new(book.clone());
    assert_eq!(engine.verdict(&bound, today()).unwrap(), Verdict::Prohibited);
    // Knowing more turns it, which P1 excludes.
    let known = book.bind(&Transfer::single([said("hop.flag", false)])).unwrap();
    assert_eq!(engine.verdict(&known, today()).unwrap(), Verdict::Permitted);
}

/// Layers that refuse by turns: no state is lawful and nothing can be done, yet no single layer refuses in every state.
/// The text says *cannot tell*, and so does the engine.
#[test]
fn layers_that_refuse_by_turns_do_not_prohibit() {
    let law = "```bar l.flag\nlayer: l\nwhen: hop.flag\ncites: A\nsays: S | S\n```\n\
        ```layer m\nlabel: L | L\nzone: Z\ntier: A\napplies: yes\nchecked: C | C\nnot_checked: N | N\n```\n\
        ```scope m.scope\nlayer: m\nreaches: yes\ncites: A\nsays: S | S\n```\n\
        ```bar m.flag\nlayer: m\nwhen: not hop.flag\ncites: A\nsays: S | S\n```\n";
    let book = parse(&[("hop.flag", "given")], law);
    let bound = book.bind(&Transfer::single([])).unwrap();
    let reference = Reference::new(&book, today());
    let case = reference.case(&bound.crossings[0]);
    assert!(case.states.iter().all(|s| !reference.lawful(s)));
    assert_eq!(reference.verdict(&case), Verdict::Undetermined);
    assert_eq!(Engine::new(book).verdict(&bound, today()).unwrap(), Verdict::Undetermined);
}

/// A route of the first hop that is only perhaps satisfied binds the second perhaps, even beside one that is surely
/// satisfied and binds nobody: knowing more of the first hop takes nothing back (P1).
#[test]
fn a_route_that_may_be_satisfied_binds_perhaps() {
    let law = "```gate l.gate\nlayer: l\nwhen: not hop.onward\ncites: A\nsays: S | S\n```\n\
        ```route l.gate.free\ngate: l.gate\nrank: 1\nneed: yes\ncites: A\nsays: S | S\n```\n\
        ```route l.gate.bound\ngate: l.gate\nrank: 2\nneed: hop.flag\ncarries: not hop.onward\ncites: A\nsays: S | S\n```\n";
    let book = parse(&[("hop.flag", "given"), ("hop.onward", "given")], law);
    let mut engine = Engine::new(book.clone());
    let mut verdict = |first: Vec<(String, Said)>| {
        let bound = book.bind(&journey(first, vec![said("hop.onward", true)])).unwrap();
        engine.verdict(&bound, today()).unwrap()
    };
    assert_eq!(verdict(vec![said("hop.onward", false)]), Verdict::Undetermined);
    assert_eq!(verdict(vec![said("hop.onward", false), said("hop.flag", true)]), Verdict::Prohibited);
    assert_eq!(verdict(vec![said("hop.onward", false), said("hop.flag", false)]), Verdict::Permitted);
}

/// A layer that lets a transfer through as it is may refuse it after what another layer asks for: every layer is asked
/// again. Found by the agreement run.
#[test]
fn what_a_measure_shuts_elsewhere_prohibits() {
    let words = "```fact judge.own\non: hop\nkind: determination\nby: exporter\ndomain: one of\nlabel: W | W\nask: W | W\nknows: exporter\n```\n";
    let law = "```gate l.gate\nlayer: l\nwhen: yes\ncites: A\nsays: S | S\n```\n\
        ```route l.gate.r\ngate: l.gate\nrank: 1\nneed: determined 'judge.own' by exporter\ncites: A\nsays: S | S\n```\n\
        ```layer m\nlabel: L | L\nzone: Z\ntier: A\napplies: yes\nchecked: C | C\nnot_checked: N | N\n```\n\
        ```scope m.scope\nlayer: m\nreaches: yes\ncites: A\nsays: S | S\n```\n\
        ```bar m.bar\nlayer: m\nwhen: judge.own is passes\ncites: A\nsays: S | S\n```\n\
        ```measure l.x\nlabel: M | M\ndoes: judge.own is passes\ndecides: exporter\n```\n";
    let law = generate::instrument("act") + LAYER + law;
    let book = generate::parse([("a.md", words.to_string()), ("b.md", law)].map(|(path, text)| Source { path: path.into(), text }).to_vec());
    let mut engine = Engine::new(book.clone());
    let bound = book.bind(&Transfer::single([])).unwrap();
    let table = engine.table(today()).unwrap();
    let bits = decide::judge::Bits::of(&table, table.lexicon.pack(&bound.crossings[0].facts, today().on));
    let head = table.judge_known(&bits, &mut decide::judge::Room::default());
    assert_eq!(engine.verdict(&bound, today()).unwrap(), Verdict::Prohibited);
    assert_eq!(head.map(|h| h.verdict), Some(Verdict::Prohibited));
}

fn journey(first: Vec<(String, Said)>, second: Vec<(String, Said)>) -> Transfer {
    let hop = |id: &str, from: &str, to: &str, after: Option<&str>, facts: Vec<(String, Said)>| Hop {
        id: Some(id.into()),
        from: from.into(),
        to: to.into(),
        data: vec!["data".into()],
        after: after.map(str::to_string),
        facts: facts.into_iter().collect(),
    };
    Transfer {
        id: None,
        parties: ["a", "b", "c"].map(|p| (p.to_string(), Party::default())).into(),
        datasets: BTreeMap::from([("data".into(), Dataset::default())]),
        hops: vec![hop("one", "a", "b", None, first), hop("two", "b", "c", Some("one"), second)],
    }
}
