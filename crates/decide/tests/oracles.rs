//! Brute force beside what answers many questions at once: the fast head, the common rule, the effect of a change, and
//! the matrix, on random rulebooks of at most twelve facts.

#[path = "reference/evaluator.rs"]
mod evaluator;
#[path = "reference/generate.rs"]
mod generate;

use decide::{
    change,
    common,
    engine::Engine,
    judge::{Bits, Room},
    lexicon::Lexicon,
    line,
};
use evaluator::{Case, Reference};
use generate::{Draw, Text};
use model::{
    AsOf,
    fact::{Said, Spoken},
    transfer::Transfer,
};
use rulebook::book::Rulebook;
use std::collections::{BTreeMap, BTreeSet};

const PLACES: [&str; 4] = ["AA", "AA-X", "BB", "CC"];

fn n_books() -> usize {
    std::env::var("TEGATA_CASES").ok().and_then(|t| t.parse().ok()).unwrap_or(240)
}

fn drawn(n: usize) -> (Draw, Text, Rulebook, AsOf) {
    let mut draw = Draw(4_711 + n as u64 * 15_485_863);
    let text = generate::text(&mut draw);
    let as_of = generate::as_of(&mut draw);
    let mut book = text.parse();
    let worse = Reference::new(&book, as_of).double_edged();
    book.measures.retain(|m| !worse.contains(&m.id));
    (draw, text, book, as_of)
}

type Facts = Vec<(String, Said)>;

fn at(facts: &Facts, place: &str) -> Facts {
    let mut out: Facts = facts.iter().filter(|(s, _)| s != "recipient.place").cloned().collect();
    out.push(("recipient.place".into(), Said::claim(Spoken::Word(place.into()))));
    out
}

#[test]
fn the_fast_head_is_the_verdict() {
    let mut seen: BTreeMap<(&str, bool), usize> = BTreeMap::new();
    for n in 0..n_books() {
        let (mut draw, text, book, as_of) = drawn(n);
        let mut engine = Engine::new(book.clone());
        let table = engine.table(as_of).unwrap();
        let mut room = Room::default();
        for i in 0..40 {
            let facts = if i % 2 == 0 { generate::facts(&mut draw, &text.slots) } else { generate::all_facts(&mut draw, &text.slots) };
            let Ok(bound) = book.bind(&Transfer::single(facts.clone())) else { continue };
            let bits = Bits::of(&table, table.lexicon.pack(&bound.crossings[0].facts, as_of.on));
            let (head, known) = (table.judge(&bits, &mut room), table.judge_known(&bits, &mut room));
            let verdict = engine.verdict(&bound, as_of).unwrap();
            assert_eq!(head.verdict, verdict, "{facts:?}\n{as_of:?}\n{}", text.law());
            *seen.entry((verdict.word(), known.is_some())).or_default() += 1;
        }
    }
    println!("{seen:?}");
    assert!(seen[&("permitted", true)] > 50 && seen[&("prohibited", true)] > 50 && seen[&("conditional", true)] > 5);
}

#[test]
fn a_flat_line_packs_the_same_bits() {
    let mut n_plain = 0;
    for n in 0..n_books() {
        let (mut draw, text, book, as_of) = drawn(n);
        let lexicon = Lexicon::of(&book.vocabulary).unwrap();
        for _ in 0..20 {
            let facts: Facts = generate::facts(&mut draw, &text.slots).into_iter().map(|(s, v)| (s, Said::claim(v.value))).collect();
            let object: serde_json::Map<String, serde_json::Value> = facts.iter().map(|(s, v)| (s.clone(), serde_json::to_value(&v.value).unwrap())).collect();
            let mut packed = lexicon.nothing();
            let short = line::pack(&lexicon, &serde_json::Value::Object(object).to_string(), &mut packed);
            let long = book.bind(&Transfer::single(facts.clone()));
            if let (Ok(_), Ok(bound)) = (short, &long) {
                assert_eq!(packed, lexicon.pack(&bound.crossings[0].facts, as_of.on), "{facts:?}");
                n_plain += 1;
            }
        }
    }
    println!("{n_plain} lines took the short way");
    assert!(n_plain > 1_000);
}

/// What a set of measures comes to at one destination, by enumeration: only those surely at hand there count.
fn opens_there(reference: &Reference, case: &Case, set: &BTreeSet<String>) -> bool {
    let chosen: Vec<usize> = case.sure.iter().copied().filter(|i| set.contains(&reference.offers[*i].id)).collect();
    case.states.iter().all(|s| reference.lawful(&reference.after(s, chosen.iter().map(|i| &reference.offers[*i]))))
}

#[test]
fn the_common_rule_is_what_enumeration_finds() {
    let (mut n_sets, mut n_left, mut n_against, mut n_asked) = (0, 0, 0, 0);
    for n in 0..n_books() {
        let (mut draw, mut text, mut book, as_of) = drawn(n);
        if draw.percent(40) {
            book = excluding(&mut draw, &mut text, as_of);
        }
        let reference = Reference::new(&book, as_of);
        let mut engine = Engine::new(book.clone());
        let table = engine.table(as_of).unwrap();
        for _ in 0..6 {
            let facts = generate::facts(&mut draw, &text.slots);
            let mut cases = Vec::new();
            for place in PLACES {
                if let Ok(bound) = book.bind(&Transfer::single(at(&facts, place))) {
                    cases.push((place, reference.case(&bound.crossings[0]), table.lexicon.pack(&bound.crossings[0].facts, as_of.on)));
                }
            }
            if cases.len() < PLACES.len() || cases.iter().any(|(_, c, _)| c.states.is_empty()) {
                continue;
            }
            n_asked += 1;
            let places: Vec<String> = PLACES.iter().map(|p| p.to_string()).collect();
            let found = common::rule(&table, &book, &cases[0].2, &places).unwrap();
            let all = |c: &Case| -> BTreeSet<String> { c.sure.iter().map(|i| reference.offers[*i].id.clone()).collect() };
            let left: Vec<&str> = cases.iter().filter(|(_, c, _)| !opens_there(&reference, c, &all(c))).map(|(p, _, _)| *p).collect();
            assert_eq!(found.left_out, left, "{facts:?}\n{}", text.law());
            let served: Vec<&Case> = cases.iter().filter(|(p, _, _)| !left.contains(p)).map(|(_, c, _)| c).collect();
            let offers: Vec<String> = served.iter().flat_map(|c| all(c)).collect::<BTreeSet<_>>().into_iter().collect();
            let sets: Vec<BTreeSet<String>> = (0..1usize << offers.len())
                .map(|bits| (0..offers.len()).filter(|i| bits >> i & 1 == 1).map(|i| offers[i].clone()).collect())
                .filter(|set| served.iter().all(|c| opens_there(&reference, c, set)))
                .collect();
            let minimal: BTreeSet<BTreeSet<String>> = sets.iter().filter(|s| !sets.iter().any(|o| o != *s && o.is_subset(s))).cloned().collect();
            let ours: BTreeSet<BTreeSet<String>> = found.standards.iter().map(|s| s.measures.iter().map(|(m, _)| m.id.clone()).collect()).collect();
            if !served.is_empty() && !found.more {
                assert_eq!(ours, minimal, "{facts:?}\n{as_of:?}\n{}", text.law());
            }
            n_sets += ours.iter().filter(|s| !s.is_empty()).count();
            n_left += usize::from(!left.is_empty());
            n_against += check_against(&reference, &cases, &found);
        }
    }
    println!("{n_asked} asked; {n_sets} sets, {n_left} leave some out, {n_against} name destinations against each other");
    assert!(n_sets > 30 && n_left > 30 && n_against > 0);
}

/// The same law, and of one condition one place forbids the presence, another the absence.
fn excluding(draw: &mut Draw, text: &mut Text, as_of: AsOf) -> Rulebook {
    let condition = generate::atom(draw, text, generate::Kinds::Given);
    for (id, place, not) in [("x.with", "BB", ""), ("x.without", "CC", "not ")] {
        let keys = format!("layer: l0\nwhen: recipient.place is {place} and {not}({condition})\n");
        text.blocks.push(format!("```bar {id}\ncites: Act, {id}\nsays: S | S\n{keys}```\n"));
    }
    let mut book = text.parse();
    let worse = Reference::new(&book, as_of).double_edged();
    book.measures.retain(|m| !worse.contains(&m.id));
    book
}

/// The states that one destination leaves open, with the destination forgotten, in which all that may be done opens it.
fn lawful_states(reference: &Reference, case: &Case) -> BTreeSet<Vec<usize>> {
    let place = reference.variables.iter().position(|v| v.name == "recipient.place");
    let opens = |s: &&Vec<usize>| reference.lawful(&reference.after(s, case.maybe.iter().map(|i| &reference.offers[*i])));
    case.states
        .iter()
        .filter(opens)
        .map(|s| {
            let mut s = s.clone();
            place.map(|p| s[p] = 0);
            s
        })
        .collect()
}

fn check_against(reference: &Reference, cases: &[(&str, Case, decide::lexicon::Packed)], found: &common::Common) -> usize {
    for against in &found.against {
        let of = |p: &String| lawful_states(reference, &cases.iter().find(|(place, _, _)| place == p).unwrap().1);
        let sets: Vec<BTreeSet<Vec<usize>>> = against.places.iter().map(of).collect();
        assert!(sets.iter().all(|s| !s.is_empty()), "each alone can be served: {against:?}");
        let mut both = sets[0].clone();
        sets[1..].iter().for_each(|s| both = both.intersection(s).cloned().collect());
        assert!(both.is_empty(), "they exclude each other: {against:?}");
    }
    found.against.len()
}

/// Every pair of stands of every layer, by enumeration, against the regions found; and each witness lies where it should.
#[test]
fn the_effect_of_a_change_is_what_enumeration_finds() {
    let (mut n_regions, mut n_turning) = (0, 0);
    for n in 0..n_books() {
        let (mut draw, text, book, as_of) = drawn(n);
        let other = if draw.percent(50) { AsOf { on: as_of.on.plus_days(400), published_by: as_of.published_by.max(as_of.on.plus_days(400)) } } else { as_of };
        let mut later = book.clone();
        if other == as_of {
            later.bars.retain(|_| draw.percent(50));
            later.routes.retain(|_| draw.percent(70));
        }
        let found = change::effect(&mut Engine::new(book.clone()), as_of, &mut Engine::new(later.clone()), other).unwrap();
        // Cells are cut by what both sides ask: a reference over both sees every value.
        let (a, b) = (Reference::new(&book, as_of), Reference::new(&later, other));
        if a.variables.len() != b.variables.len() || a.variables.iter().zip(&b.variables).any(|(x, y)| x.domain != y.domain) || a.n_states() > 200_000 {
            continue;
        }
        let states = a.states(&a.variables.iter().map(|v| (0..v.domain.len()).collect()).collect::<Vec<_>>());
        let mut expected: BTreeMap<String, BTreeSet<(bool, bool)>> = BTreeMap::new();
        for s in &states {
            for (layer, (x, y)) in book.layers.keys().zip(a.refusals(s).zip(b.refusals(s))) {
                if x != y {
                    expected.entry(layer.clone()).or_default().insert((x, y));
                }
            }
        }
        let mut ours: BTreeMap<String, BTreeSet<(bool, bool)>> = BTreeMap::new();
        for r in &found {
            let pair = (r.before.stands == change::Stands::Refused, r.after.stands == change::Stands::Refused);
            if pair.0 != pair.1 {
                ours.entry(r.layer.clone()).or_default().insert(pair);
                n_turning += 1;
            }
            n_regions += 1;
        }
        assert_eq!(ours, expected, "{as_of:?} {other:?}\n{}", text.law());
    }
    println!("{n_regions} regions, {n_turning} of them open or close");
    assert!(n_regions > 80 && n_turning > 40);
}

#[test]
fn every_cell_of_the_matrix_is_the_verdict() {
    let mut n_cells = 0;
    for n in 0..n_books() / 2 {
        let (mut draw, text, book, as_of) = drawn(n);
        let mut engine = Engine::new(book.clone());
        let table = engine.table(as_of).unwrap();
        let facts: Facts = generate::facts(&mut draw, &text.slots).into_iter().filter(|(s, _)| !s.ends_with(".place")).collect();
        let Ok(bound) = book.bind(&Transfer::single(facts.clone())) else { continue };
        let matrix = table.matrix(&table.lexicon.pack(&bound.crossings[0].facts, as_of.on), &[]);
        for (row, froms) in matrix.cells.iter().zip(&matrix.origins) {
            for (cell, tos) in row.iter().zip(&matrix.destinations) {
                for (from, to) in froms.iter().flat_map(|f| tos.iter().map(move |t| (f, t))) {
                    let mut all = at(&facts, to);
                    all.push(("exporter.place".into(), Said::claim(Spoken::Word(from.clone()))));
                    // A pair that contradicts the profile is told when it is asked about; the matrix, which knows that an
                    // expired fact is not said, cannot tell it.
                    let Ok(bound) = book.bind(&Transfer::single(all)) else { continue };
                    assert_eq!(cell.verdict, engine.verdict(&bound, as_of).unwrap(), "{from} to {to} {facts:?}\n{}", text.law());
                    n_cells += 1;
                }
            }
        }
    }
    println!("{n_cells} pairs");
    assert!(n_cells > 500);
}
