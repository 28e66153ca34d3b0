//! A table made for one question answers that question as the whole table does, and all that say more: on random rulebooks
//! and on every worked case's facts.

#[path = "reference/evaluator.rs"]
mod evaluator;
#[path = "reference/generate.rs"]
mod generate;
#[path = "reference/rules.rs"]
mod rules;

use decide::{
    decision::{Decision, Verdict},
    engine::{self, Engine},
    given::Given,
    index::Index,
    lexicon::Lexicon,
    table::{Table, Units},
};
use evaluator::Reference;
use generate::{Draw, Text};
use model::{
    AsOf,
    fact::Said,
    transfer::{Dataset, Hop, Party, Transfer},
};
use rulebook::{bind::Bound, book::Rulebook, law::Case};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const SEED: u64 = 9_223;
const N_BOOKS: usize = 250;
const N_TRANSFERS: usize = 16;

type Facts = Vec<(String, Said)>;

/// A random rulebook without double-edged measures, for a day.
fn drawn(n: usize) -> (Draw, Text, Rulebook, AsOf) {
    let mut draw = Draw(SEED + n as u64 * 15_485_863);
    let text = generate::text(&mut draw);
    let (mut book, as_of) = (text.parse(), generate::as_of(&mut draw));
    let worse = Reference::new(&book, as_of).double_edged();
    book.measures.retain(|m| !worse.contains(&m.id));
    (draw, text, book, as_of)
}

/// Two hops: the facts of parties and acts by hop, those of data and people once.
fn journey(first: &Facts, second: &Facts) -> Transfer {
    let of = |facts: &Facts, prefixes: &[&str]| -> BTreeMap<String, Said> {
        facts.iter().filter(|(s, _)| prefixes.iter().any(|p| s.starts_with(p))).cloned().collect()
    };
    let party = |facts: &Facts, role: &str| Party {
        name: None,
        facts: of(facts, &[role]).into_iter().map(|(s, v)| (s.replacen(role, "party.", 1), v)).collect(),
    };
    let act = |facts: &Facts| of(facts, &["hop.", "volume.", "consent.", "safe.", "judge."]);
    let hop = |id: &str, from: &str, to: &str, after: Option<&str>, facts: &Facts| Hop {
        id: Some(id.into()),
        from: from.into(),
        to: to.into(),
        data: vec!["data".into()],
        after: after.map(str::to_string),
        facts: act(facts),
    };
    let subjects = BTreeMap::from([("people".to_string(), of(first, &["subjects."]))]);
    Transfer {
        id: None,
        parties: BTreeMap::from([
            ("a".into(), party(first, "exporter.")),
            ("b".into(), party(first, "recipient.")),
            ("c".into(), party(second, "recipient.")),
        ]),
        datasets: BTreeMap::from([("data".into(), Dataset { name: None, facts: of(first, &["data."]), subjects })]),
        hops: vec![hop("one", "a", "b", None, first), hop("two", "b", "c", Some("one"), second)],
    }
}

/// All that a person is told, as text.
fn told(engine: &mut Engine, bound: &Bound, as_of: AsOf) -> (Verdict, String) {
    let supposed = engine.suppose(bound, as_of).unwrap();
    let decision = engine.decide_with_horizon(bound, as_of).unwrap();
    let ahead = engine.ahead(bound, as_of).unwrap();
    (decision.verdict, serde_json::to_string_pretty(&(decision, supposed, ahead)).unwrap())
}

#[test]
fn one_question_is_answered_as_all_are() {
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    for n in 0..N_BOOKS {
        let (mut draw, text, book, as_of) = drawn(n);
        let (mut whole, mut few) = (Engine::new(book.clone()), Engine::for_few(book.clone()));
        for i in 0..N_TRANSFERS {
            let facts = generate::facts(&mut draw, &text.slots);
            let transfer = match i % 4 {
                0 => journey(&facts, &generate::facts(&mut draw, &text.slots)),
                _ => Transfer::single(facts.clone()),
            };
            let Ok(bound) = book.bind(&transfer) else { continue };
            let (expected, got) = (told(&mut whole, &bound, as_of), told(&mut few, &bound, as_of));
            *seen.entry(expected.0.word()).or_default() += 1;
            assert_eq!(expected.1, got.1, "rulebook {n}, {as_of:?}, {facts:?}\n{}", text.law());
            // What says more is answered from the same table.
            let less: Facts = facts.iter().filter(|_| draw.percent(50)).cloned().collect();
            let mut few = Engine::for_few(book.clone());
            if let (Ok(less), 1..4) = (book.bind(&Transfer::single(less)), i % 4) {
                few.decide(&less, as_of).unwrap();
                assert_eq!(expected.1, told(&mut few, &bound, as_of).1, "rulebook {n}, {as_of:?}, {facts:?}\n{}", text.law());
            }
        }
    }
    println!("{seen:?}");
    assert_eq!(seen.len(), 5);
}

fn table_for(book: &Arc<Rulebook>, lexicon: &Arc<Lexicon>, bound: &Bound, as_of: AsOf) -> Table {
    let given = Given::of(book, lexicon, bound, as_of.on);
    Table::compile_for(&given, book, as_of, lexicon.clone(), &mut Units::default()).unwrap()
}

/// A test of the test: the table of another question gives another answer, and is said not to cover this one.
#[test]
fn the_table_of_another_question_is_noticed() {
    let (mut n_other, mut n_covered, mut n_all) = (0, 0, 0);
    for n in 0..N_BOOKS {
        let (mut draw, text, book, as_of) = drawn(n);
        let lexicon = Arc::new(Lexicon::of(&book.vocabulary).unwrap());
        let (index, book) = (Index::of(&book), Arc::new(book));
        let mut bound = || book.bind(&Transfer::single(generate::facts(&mut draw, &text.slots))).ok();
        let (Some(a), Some(b)) = (bound(), bound()) else { continue };
        let [of_a, of_b] = [&a, &b].map(|x| engine::decide(&table_for(&book, &lexicon, x, as_of), &book, &index, &b));
        let text = |d: &Decision| serde_json::to_string(d).unwrap();
        let differs = text(&of_a) != text(&of_b);
        let covers = Given::of(&book, &lexicon, &a, as_of.on).covers(&Given::of(&book, &lexicon, &b, as_of.on), &lexicon);
        assert!(!(covers && differs), "rulebook {n}: covered, and another answer");
        n_other += usize::from(differs);
        n_covered += usize::from(covers);
        n_all += 1;
    }
    println!("{n_other} of {n_all} come out otherwise from another question's table; {n_covered} are covered by it");
    assert!(n_other * 3 > n_all && n_covered < n_all / 4);
}

/// Every case's facts; without `TEGATA_CASES` those of the day with most of them, and of every twelfth day.
#[test]
fn worked_cases_are_answered_as_from_whole_tables() {
    let book = rules::parse(rules::sources());
    let mut days: BTreeMap<AsOf, Vec<Case>> = BTreeMap::new();
    for c in &book.cases {
        days.entry(c.as_of).or_default().push(c.clone());
    }
    let step = if std::env::var("TEGATA_CASES").is_ok() { 1 } else { 12 };
    let most = days.values().map(Vec::len).max().unwrap();
    let chosen = days.values().enumerate().filter(|(i, cases)| i % step == 0 || cases.len() == most);
    let (book, mut n, mut verdicts) = (Arc::new(book), 0, BTreeSet::new());
    let (mut whole, mut few) = (Engine::new(book.clone()), Engine::for_few(book.clone()));
    for c in chosen.flat_map(|(_, cases)| cases) {
        let Ok(bound) = book.bind(&Transfer::single(c.given.iter().cloned())) else { continue };
        let [a, b] = [&mut whole, &mut few].map(|e| e.decide(&bound, c.as_of).unwrap());
        assert_eq!(serde_json::to_string_pretty(&a).unwrap(), serde_json::to_string_pretty(&b).unwrap(), "{}", c.id);
        verdicts.insert(a.verdict.word());
        n += 1;
    }
    println!("{n} cases, {verdicts:?}");
    assert!(n >= 100 && verdicts.len() == 5);
}

#[test]
fn an_engine_that_grows_answers_the_same_before_and_after() {
    let book = Arc::new(rules::parse(rules::sources()));
    let as_of = AsOf::then("2026-11-22".parse().unwrap());
    let (mut whole, mut growing) = (Engine::new(book.clone()), Engine::growing(book.clone()));
    let places: Vec<&String> = book.vocabulary.places.keys().step_by(5).collect();
    let mut made = Vec::new();
    for place in &places {
        let facts = [("exporter.place", "DE"), ("recipient.place", place.as_str())].map(|(slot, v)| (slot.to_string(), rulebook::book::parse_said(v)));
        let bound = book.bind(&Transfer::single(facts)).unwrap();
        let [a, b] = [&mut whole, &mut growing].map(|e| e.decide(&bound, as_of).unwrap());
        assert_eq!(serde_json::to_string(&a).unwrap(), serde_json::to_string(&b).unwrap(), "{place}");
        made.push(growing.units().len());
    }
    assert!(made.first() == Some(&0) && made.last() > Some(&0), "a whole table is made once the questions are many: {made:?}");
}
