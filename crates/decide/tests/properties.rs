//! What is always true (DESIGN section 4, TRUE), on random rulebooks and on the real one; and journeys.
//!
//! P1 knowing more never takes back an answer. P2 more law opens nothing. P3 one more offer closes nothing.
//! P4 the order of rules and files is irrelevant.

#[path = "reference/evaluator.rs"]
mod evaluator;
#[path = "reference/generate.rs"]
mod generate;
#[path = "reference/rules.rs"]
mod rules;

use decide::{
    decision::{CrossingAnswer, Verdict},
    engine::Engine,
};
use evaluator::{Reference, Value, Variable};
use generate::{Draw, Kinds, Text};
use model::{
    AsOf, CivilDate,
    fact::{Said, Spoken, Standing},
    transfer::{Dataset, Hop, Party, Transfer},
};
use rulebook::{
    bind::{Bound, Known},
    book::Rulebook,
    vocabulary::{Domain, FactKind},
};
use std::collections::{BTreeMap, BTreeSet};

const SEED: u64 = 68_000;
const N_BOOKS: usize = 150;
const N_TRANSFERS: usize = 30;

fn draw_of(n: usize) -> Draw {
    Draw(SEED + n as u64 * 104_729)
}

type Facts = Vec<(String, Said)>;

fn bind(book: &Rulebook, facts: &Facts) -> Option<Bound> {
    book.bind(&Transfer::single(facts.iter().cloned())).ok()
}

/// A random rulebook without double-edged measures, for a day.
fn drawn(draw: &mut Draw) -> (Text, Rulebook, AsOf) {
    let text = generate::text(draw);
    let (mut book, as_of) = (text.parse(), generate::as_of(draw));
    let worse = Reference::new(&book, as_of).double_edged();
    book.measures.retain(|m| !worse.contains(&m.id));
    (text, book, as_of)
}

/// Whether some state is left: facts that exclude each other only together are not for these properties.
fn is_possible(reference: &Reference, bound: &Bound) -> bool {
    !reference.case(&bound.crossings[0]).states.is_empty()
}

/// Facts whose absence means *unknown*; a measure that is not said is absent, which is another thing to know.
fn can_be_unknown(book: &Rulebook, slot: &str) -> bool {
    let fact = book.vocabulary.of_slot(slot).unwrap();
    match fact.kind {
        FactKind::Given | FactKind::Counter => true,
        FactKind::Determination => fact.by.as_deref() != Some("exporter"),
        FactKind::Measure => false,
    }
}

fn ways(a: &CrossingAnswer) -> BTreeSet<BTreeSet<String>> {
    a.remedies.iter().map(|r| r.measures.iter().map(|m| m.id.clone()).collect()).collect()
}

/// P1: what may be said of `less` when `more` is known.
fn knowing_more(less: &CrossingAnswer, more: &CrossingAnswer) -> Result<(), String> {
    let wrong = Err(format!("{:?} became {:?}", less.verdict, more.verdict));
    match less.verdict {
        v if v.opens() && !more.verdict.opens() => wrong,
        Verdict::Prohibited if more.verdict != Verdict::Prohibited => wrong,
        Verdict::Conditional if more.verdict.opens() => Ok(()),
        Verdict::Conditional if more.verdict != Verdict::Conditional => wrong,
        Verdict::Conditional => match ways(less)
            .into_iter()
            .find(|w| !more.more_remedies && !ways(more).iter().any(|m| m.is_subset(w)))
        {
            Some(lost) => Err(format!("the way {lost:?} no longer suffices; {:?} do", ways(more))),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

#[test]
fn p1_knowing_more_takes_nothing_back() {
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    for n in 0..N_BOOKS {
        let mut draw = draw_of(n);
        let (text, book, as_of) = drawn(&mut draw);
        let (reference, mut engine) = (Reference::new(&book, as_of), Engine::new(book.clone()));
        for _ in 0..N_TRANSFERS {
            let more = generate::facts(&mut draw, &text.slots);
            let less: Facts =
                more.iter().filter(|(s, _)| !can_be_unknown(&book, s) || draw.percent(60)).cloned().collect();
            let (Some(a), Some(b)) = (bind(&book, &less), bind(&book, &more)) else { continue };
            if less.len() == more.len() || !is_possible(&reference, &b) {
                continue;
            }
            let (a, b) = (engine.decide(&a, as_of).unwrap(), engine.decide(&b, as_of).unwrap());
            *seen.entry(a.verdict.word()).or_default() += 1;
            if let Err(fault) = knowing_more(&a.crossings[0], &b.crossings[0]) {
                panic!("{fault}\n{as_of:?} {less:?}\nthen {more:?}\n{}", text.law());
            }
        }
    }
    println!("answers before more was known: {seen:?}");
    assert_eq!(seen.len(), 5);
}

/// One more block of law: a bar, a gate, an obligation, a gap, or a layer that adds.
fn more_law(draw: &mut Draw, t: &Text) -> Text {
    let mut out = t.clone();
    let layer = draw.of(&t.layers).clone();
    let when = generate::expression(draw, t, Kinds::Any);
    match draw.below(5) {
        0 => out.blocks.push(generate::block(
            draw,
            "bar",
            "new.bar",
            &format!("layer: {layer}\nwhen: {when}\n"),
        )),
        1 => out.blocks.push(generate::block(
            draw,
            "gate",
            "new.gate",
            &format!("layer: {layer}\nwhen: {when}\n"),
        )),
        2 => out.blocks.push(generate::obligation(draw, t, &layer, "new.duty", "")),
        3 => {
            let block =
                out.blocks.iter_mut().find(|b| b.starts_with(&format!("```layer {layer}\n"))).unwrap();
            *block = block.replacen("not_checked:", &format!("gap new: {when} ; G | G\nnot_checked:"), 1);
        }
        _ => {
            out.blocks.push(format!("```layer new\nlabel: L | L\nzone: Z\ntier: A\napplies: {when}\nchecked: C | C\nnot_checked: N | N\n```\n"));
            out.blocks.push(generate::block(draw, "scope", "new.scope", "layer: new\nreaches: yes\n"));
            let shut = generate::expression(draw, t, Kinds::Any);
            out.blocks.push(generate::block(
                draw,
                "gate",
                "new.gate",
                &format!("layer: new\nwhen: {shut}\n"),
            ));
        }
    }
    out
}

#[test]
fn p2_more_law_opens_nothing() {
    let (mut n_shut, mut n_closed) = (0, 0);
    for n in 0..N_BOOKS {
        let mut draw = draw_of(n);
        let text = generate::text(&mut draw);
        let more = more_law(&mut draw, &text);
        let (as_of, book) = (generate::as_of(&mut draw), text.parse());
        let reference = Reference::new(&book, as_of);
        let (mut before, mut after) = (Engine::new(book.clone()), Engine::new(more.parse()));
        for _ in 0..N_TRANSFERS {
            let facts = generate::facts(&mut draw, &text.slots);
            let Some(bound) = bind(&book, &facts).filter(|b| is_possible(&reference, b)) else { continue };
            let (a, b) = (before.verdict(&bound, as_of).unwrap(), after.verdict(&bound, as_of).unwrap());
            assert!(a.opens() || !b.opens(), "{a:?} became {b:?}\n{as_of:?} {facts:?}\n{}", more.law());
            n_shut += usize::from(!a.opens());
            n_closed += usize::from(a.opens() && !b.opens());
        }
    }
    println!("{n_shut} stayed shut, {n_closed} were closed");
    assert!(n_shut > 200 && n_closed > 20);
}

#[test]
fn p3_one_more_offer_closes_nothing() {
    let (mut n_open, mut n_opened) = (0, 0);
    for n in 0..N_BOOKS {
        let mut draw = draw_of(n);
        let (text, book, as_of) = drawn(&mut draw);
        let mut more = text.clone();
        more.blocks.push(generate::measure(&mut draw, &text, 9));
        let mut richer = more.parse();
        let worse = Reference::new(&richer, as_of).double_edged();
        if worse.contains("m.9") {
            continue;
        }
        richer.measures.retain(|m| !worse.contains(&m.id));
        let reference = Reference::new(&book, as_of);
        let (mut before, mut after) = (Engine::new(book.clone()), Engine::new(richer));
        for _ in 0..N_TRANSFERS {
            let facts = generate::facts(&mut draw, &text.slots);
            let Some(bound) = bind(&book, &facts).filter(|b| is_possible(&reference, b)) else { continue };
            let (a, b) = (before.verdict(&bound, as_of).unwrap(), after.verdict(&bound, as_of).unwrap());
            let kept = !a.opens() || b.opens();
            let still = a != Verdict::Conditional || b == Verdict::Conditional;
            assert!(
                kept && still && (a == Verdict::Prohibited || b != Verdict::Prohibited),
                "{a:?} became {b:?}\n{as_of:?} {facts:?}\n{}",
                more.law()
            );
            n_open += usize::from(a.opens() || a == Verdict::Conditional);
            n_opened += usize::from(a == Verdict::Prohibited && b == Verdict::Conditional);
        }
    }
    println!("{n_open} stayed open, {n_opened} were opened");
    assert!(n_open > 200 && n_opened > 3);
}

/// What does not depend on the order in which the rules were read.
fn unordered(a: &CrossingAnswer) -> String {
    let deciding: BTreeSet<&str> = a.deciding.iter().map(|c| c.id.as_str()).collect();
    let missing: BTreeSet<String> = a.missing.iter().map(|m| format!("{m:?}")).collect();
    format!("{:?} {deciding:?} {:?} {missing:?}", a.verdict, ways(a))
}

#[test]
fn p4_the_order_of_rules_and_files_is_irrelevant() {
    for n in 0..N_BOOKS {
        let mut draw = draw_of(n);
        let text = generate::text(&mut draw);
        let (as_of, book) = (generate::as_of(&mut draw), text.parse());
        let mut engines = [Engine::new(book.clone()), Engine::new(generate::parse(text.shuffled(&mut draw)))];
        for _ in 0..N_TRANSFERS {
            let facts = generate::facts(&mut draw, &text.slots);
            let Some(bound) = bind(&book, &facts) else { continue };
            let [a, b] =
                engines.each_mut().map(|e| unordered(&e.decide(&bound, as_of).unwrap().crossings[0]));
            assert_eq!(a, b, "{as_of:?} {facts:?}\n{}", text.law());
        }
    }
}

/// Two hops, everything known of the first: its satisfied routes bind the second.
#[test]
fn what_a_route_carries_binds_the_next_hop() {
    let (mut n_carried, mut n_bound) = (0, 0);
    for n in 0..4 * N_BOOKS {
        let mut draw = draw_of(n);
        let (text, book, as_of) = drawn(&mut draw);
        let (mut reference, mut engine) = (Reference::new(&book, as_of), Engine::new(book.clone()));
        for _ in 0..6 {
            let first = generate::all_facts(&mut draw, &text.slots);
            let second = generate::facts(&mut draw, &text.slots);
            let Ok(bound) = book.bind(&journey(&first, &second)) else { continue };
            reference.carried.clear();
            let case = reference.case(&bound.crossings[0]);
            // Not every slot is spoken of in the rules, but each that is, is known: gaps and readings alone stay open.
            let Some(state) = case.states.first() else { continue };
            let alone = reference.case(&bound.crossings[1]);
            if alone.states.is_empty()
                || book.disputed.len() + book.layers.values().map(|l| l.gaps.len()).sum::<usize>() > 0
            {
                continue;
            }
            let before = reference.verdict(&alone);
            reference.carried = reference.carries(state);
            let expected = reference.verdict(&reference.case(&bound.crossings[1]));
            let decided = engine.decide(&bound, as_of).unwrap();
            let got = decided.crossings[1].verdict;
            // Whether a later hop that meets what is carried is out of scope or permitted, the text leaves open.
            let equal = got == expected || got.opens() && expected.opens();
            assert!(
                equal,
                "the text gives {expected:?}, the engine {got:?}\n{as_of:?} {first:?}\nthen {second:?}\n{}",
                text.law()
            );
            let worst = decided.crossings.iter().map(|c| c.verdict).max_by_key(|v| v.severity()).unwrap();
            assert_eq!(decided.verdict, worst);
            n_carried += usize::from(!reference.carried.is_empty());
            n_bound += usize::from(before != expected);
        }
    }
    println!("{n_carried} second hops were bound, {n_bound} came out otherwise for it");
    assert!(n_carried > 100 && n_bound > 20);
}

/// The first later day on which the verdict differs, found by asking for each day.
#[test]
fn an_answer_holds_until_the_day_it_says() {
    let mut n_turning = 0;
    for n in 0..60 {
        let mut draw = draw_of(n);
        let (text, book, _) = drawn(&mut draw);
        let as_of = AsOf::then("2022-05-01".parse().unwrap());
        let mut engine = Engine::new(book.clone());
        let Some(bound) = bind(&book, &generate::facts(&mut draw, &text.slots)) else { continue };
        let verdict = engine.verdict(&bound, as_of).unwrap();
        // From texts that are public by now.
        let mut days = (1..800).map(|i| AsOf { on: as_of.on.plus_days(i), published_by: as_of.published_by });
        let turns = days.find(|day| engine.verdict(&bound, *day).unwrap() != verdict).map(|day| day.on);
        let said = engine.holds_until(&bound, as_of, verdict).unwrap();
        assert_eq!(said.filter(|d| *d < as_of.on.plus_days(800)), turns, "{}", text.law());
        n_turning += usize::from(turns.is_some());
    }
    println!("{n_turning} of 60 turn within 800 days");
    assert!(n_turning > 5);
}

/// `a` to `b` with the first facts, `b` to `c` with the second; data and people are the same.
fn journey(first: &Facts, second: &Facts) -> Transfer {
    let of = |facts: &Facts, prefix: &str| {
        facts.iter().filter(|(s, _)| s.starts_with(prefix)).cloned().collect::<BTreeMap<String, Said>>()
    };
    let place = |facts: &Facts, slot: &str| {
        facts.iter().filter(|(s, _)| s == slot).map(|(_, v)| ("party.place".to_string(), v.clone())).collect()
    };
    let party = |facts| Party { name: None, facts };
    let act = |facts: &Facts| {
        facts
            .iter()
            .filter(|(s, _)| {
                ["hop.", "volume.", "consent.", "safe.", "judge."].iter().any(|p| s.starts_with(p))
            })
            .cloned()
            .collect()
    };
    let hop = |id: &str, from: &str, to: &str, after: Option<&str>, facts: &Facts| Hop {
        id: Some(id.into()),
        from: from.into(),
        to: to.into(),
        data: vec!["data".into()],
        after: after.map(str::to_string),
        facts: act(facts),
    };
    let data = Dataset {
        name: None,
        facts: of(first, "data."),
        subjects: BTreeMap::from([("people".into(), of(first, "subjects."))]),
    };
    Transfer {
        id: None,
        parties: BTreeMap::from([
            ("a".into(), party(place(first, "exporter.place"))),
            ("b".into(), party(place(first, "recipient.place"))),
            ("c".into(), party(place(second, "recipient.place"))),
        ]),
        datasets: BTreeMap::from([("data".into(), data)]),
        hops: vec![hop("one", "a", "b", None, first), hop("two", "b", "c", Some("one"), second)],
    }
}

// ---- the real rulebook ------------------------------------------------------------------------------------------

/// The worked cases of the day on which most of them are judged.
fn real() -> (Rulebook, AsOf, Vec<Facts>) {
    let book = rules::parse(rules::sources());
    let mut days: BTreeMap<AsOf, Vec<Facts>> = BTreeMap::new();
    for c in &book.cases {
        days.entry(c.as_of).or_default().push(c.given.clone());
    }
    let (as_of, cases) = days.into_iter().max_by_key(|(_, cases)| cases.len()).unwrap();
    (book, as_of, cases)
}

#[test]
fn p1_holds_for_the_real_rulebook() {
    let (book, as_of, cases) = real();
    let mut engine = Engine::new(book.clone());
    let mut draw = draw_of(1);
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    for facts in &cases {
        let bound = bind(&book, facts).unwrap();
        let verdict = engine.verdict(&bound, as_of).unwrap();
        for keep in [97, 90, 60] {
            let less: Facts = facts
                .iter()
                .filter(|(s, _)| !can_be_unknown(&book, s) || draw.percent(keep))
                .cloned()
                .collect();
            let a = engine.verdict(&bind(&book, &less).unwrap(), as_of).unwrap();
            *seen.entry(a.word()).or_default() += 1;
            let kept = match a {
                Verdict::Undetermined => true,
                Verdict::Prohibited => verdict == a,
                Verdict::Conditional => verdict == a || verdict.opens(),
                _ => verdict.opens(),
            };
            assert!(kept, "{a:?} became {verdict:?}\n{less:?}\nthen {facts:?}");
        }
    }
    println!("answers before more was known: {seen:?}");
    assert_eq!(seen.len(), 5);
}

/// Blocks of law in the real vocabulary, each alone in a file of its own.
const MORE_LAW: [&str; 5] = [
    "```bar new.bar\nlayer: eu.gdpr\nwhen: data.categories has any {health}\n",
    "```gate new.gate\nlayer: jp.appi\nwhen: recipient.place in {US} or hop.same_group\n",
    "```obligation new.duty\nlayer: cn.pipl\nwhen: yes\ndue: before\nif_breached: from_start\n",
    "```bar new.bar\nlayer: eu.gdpr\nwhen: recipient.place on eu.adequacy and hop.same_group\n",
    "```layer new.layer\nlabel: L | L\nzone: Z\ntier: A\napplies: exporter.place in {TH, GB}\nchecked: C | C\nnot_checked: N | N\ngap all: hop.same_group ; G | G\n",
];

#[test]
fn p2_and_p4_hold_for_the_real_rulebook() {
    let (book, as_of, cases) = real();
    let bounds: Vec<Bound> = cases.iter().map(|f| bind(&book, f).unwrap()).collect();
    let verdicts = |book: Rulebook| -> Vec<Verdict> {
        let mut engine = Engine::new(book);
        bounds.iter().map(|b| engine.verdict(b, as_of).unwrap()).collect()
    };
    let before = verdicts(book);
    let sources =
        || rules::sources().into_iter().filter(|s| !s.path.starts_with("cases/")).collect::<Vec<_>>();
    for law in MORE_LAW {
        let mut more = sources();
        let text = generate::instrument("new.act") + law + "cites: Act\nsays: S | S\n```\n";
        more.push(rulebook::book::Source { path: "new.md".into(), text });
        let after = verdicts(rules::parse(more));
        let closed = before.iter().zip(&after).filter(|(a, b)| a.opens() && !b.opens()).count();
        println!("{closed} of {} are closed by {}", before.len(), law.lines().next().unwrap());
        assert!(before.iter().zip(&after).all(|(a, b)| a.opens() || !b.opens()), "{law}");
    }
    let mut turned = sources();
    let n = turned.len();
    turned.iter_mut().enumerate().for_each(|(i, s)| s.path = format!("{:03}/{}", n - i, s.path));
    assert_eq!(verdicts(rules::parse(turned)), before, "the files in reverse order");
}

/// Every fact known: the engine opens iff the rules, read aloud in that one state, refuse under no reading.
#[test]
fn the_real_rulebook_read_aloud_agrees_where_all_is_known() {
    let (book, as_of, cases) = real();
    let mut engine = Engine::new(book.clone());
    let domains = Reference::facts_of(&book, as_of);
    let (mut n_open, mut n_shut) = (0, 0);
    for (n, given) in cases.iter().enumerate() {
        let mut draw = draw_of(n);
        let said: BTreeMap<&str, &Said> = given.iter().map(|(s, v)| (s.as_str(), v)).collect();
        let state: BTreeMap<String, Value> = domains
            .iter()
            .map(|v| (v.name.clone(), known(&book, v, said.get(v.name.as_str()).copied(), &mut draw)))
            .collect();
        let facts: Facts = state
            .iter()
            .map(|(slot, v)| {
                (slot.clone(), Said { standing: Standing::Verified, ..Said::claim(spoken(&book, slot, v)) })
            })
            .collect();
        let reference = Reference::at(&book, as_of, state);
        let Some(bound) = bind(&book, &facts).filter(|_| reference.is_state(&reference.first())) else {
            continue;
        };
        let opens = engine.verdict(&bound, as_of).unwrap().opens();
        let readings = reference.readings();
        if opens != readings.iter().all(|s| reference.lawful(s)) {
            let refusing = readings.iter().flat_map(|s| book.layers.keys().zip(reference.refusals(s)).filter(|(_, refuses)| *refuses));
            let refusing: BTreeSet<&String> = refusing.map(|(layer, _)| layer).collect();
            panic!("the engine opens: {opens}; {refusing:?} refuse {facts:?}");
        }
        *if opens { &mut n_open } else { &mut n_shut } += 1;
    }
    println!("{n_open} open and {n_shut} shut, with all facts known");
    assert!(n_open > 0 && n_shut > 0);
}

/// The value that is said, or one drawn: mostly the plainest.
fn known(book: &Rulebook, v: &Variable, said: Option<&Said>, draw: &mut Draw) -> Value {
    let bound = said.and_then(|s| book.bind_fact(&v.name, s).unwrap());
    let cell =
        |n: i64| v.domain.iter().rev().find(|d| matches!(d, Value::From(x) if *x <= n)).unwrap().clone();
    let fact = book.vocabulary.of_slot(&v.name).unwrap();
    match (bound.map(|b| b.known), &fact.domain) {
        (Some(Known::Values(ws)), _) => Value::Word(ws.into_iter().next().unwrap()),
        (Some(Known::Members(ms)), _) => Value::Set(ms),
        (Some(Known::Range(lo, _)), _) => cell(lo),
        (Some(Known::Day(d)), _) => cell(i64::from(d.days_since_epoch())),
        (None, Domain::SetOf(_) | Domain::Places) => {
            let words: Vec<String> = book.vocabulary.values(fact).into_iter().map(str::to_string).collect();
            Value::Set((0..2).filter_map(|_| draw.percent(25).then(|| draw.of(&words).clone())).collect())
        }
        (None, _) if fact.kind == FactKind::Determination => Value::Word("not_made".into()),
        (None, _) => draw.of(&v.domain).clone(),
    }
}

fn spoken(book: &Rulebook, slot: &str, value: &Value) -> Spoken {
    let is_date = book.vocabulary.of_slot(slot).unwrap().domain == Domain::Date;
    match value {
        Value::Word(w) => Spoken::Word(w.clone()),
        Value::Set(ms) => Spoken::Words(ms.iter().cloned().collect()),
        Value::From(n) if is_date => Spoken::Word(CivilDate::from_days((*n).max(-20_000) as i32).to_string()),
        Value::From(n) => Spoken::Number(*n),
        Value::Bit(_) => unreachable!("no fact is a bit"),
    }
}

#[test]
fn p3_holds_for_the_real_rulebook() {
    let (book, as_of, cases) = real();
    // That no offered measure makes a lawful state unlawful, `hygiene.rs` looks for on every day.
    let mut engine = Engine::new(book.clone());
    let bounds: Vec<Bound> = cases.iter().map(|f| bind(&book, f).unwrap()).collect();
    let all: Vec<Verdict> = bounds.iter().map(|b| engine.verdict(b, as_of).unwrap()).collect();
    // Seen from the other side: with every sixth measure not offered, nothing is more open.
    for skip in 0..6 {
        let mut fewer = book.clone();
        let mut i = 0;
        fewer.measures.retain(|_| {
            i += 1;
            i % 6 != skip
        });
        let mut engine = Engine::new(fewer);
        for (bound, with) in bounds.iter().zip(&all) {
            let without = engine.verdict(bound, as_of).unwrap();
            let closes = without.opens() && !with.opens()
                || without == Verdict::Conditional && *with != Verdict::Conditional;
            assert!(!closes, "{without:?} became {with:?} by an offer: {bound:?}");
        }
    }
}
