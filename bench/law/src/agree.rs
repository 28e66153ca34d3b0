//! The agreement run: the reference evaluator, by enumeration, against the compiled table.
//!
//! `cargo xtask agree --cases 10000000` draws random rulebooks (as rule text), days and partial facts
//! until so many cases are counted, each verdict at least a tenth of them; then it samples the real rulebook clause by
//! clause, at least a hundred states with each clause true and a hundred with it false where both can be. It ends with
//! an error at the first disagreement.

#[path = "../../../crates/decide/tests/reference/evaluator.rs"]
mod evaluator;
#[path = "../../../crates/decide/tests/reference/generate.rs"]
mod generate;
#[path = "real.rs"]
mod real;

use decide::{
    decision::Verdict,
    judge::{Bits, Room},
    lexicon::Lexicon,
    table::{Table, Units},
};
use evaluator::{Reference, State};
use generate::{Draw, Kinds};
use model::{AsOf, transfer::Transfer};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, atomic::{AtomicBool, Ordering}},
    time::Instant,
};

/// What is counted so far.
#[derive(Default)]
struct Tally {
    verdicts: BTreeMap<&'static str, u64>,
    drawn: u64,
    rulebooks: u64,
    /// By kind of clause: cases in which some clause of that kind held, and in which one did not.
    clauses: BTreeMap<&'static str, (u64, u64)>,
    fault: Option<String>,
}

// A rulebook with more states than this is left to the tests that draw fewer cases.
const STATES_MAX: usize = 700;

fn main() -> Result<(), String> {
    let args: Vec<String> = std::env::args().collect();
    let number = |name: &str, otherwise: u64| args.iter().position(|a| a == name).and_then(|i| args.get(i + 1)).and_then(|n| n.parse().ok()).unwrap_or(otherwise);
    let (wanted, seed) = (number("--cases", 100_000), number("--seed", 20_261_122));
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let (tally, done, begun) = (Mutex::new(Tally::default()), AtomicBool::new(false), Instant::now());
    std::thread::scope(|scope| {
        for t in 0..n_threads {
            let (tally, done) = (&tally, &done);
            scope.spawn(move || {
                let mut n = seed.wrapping_mul(1_000_003) + t;
                while !done.load(Ordering::Relaxed) {
                    one_rulebook(n, wanted, tally, done);
                    n += n_threads;
                }
            });
        }
    });
    let tally = tally.into_inner().map_err(|e| e.to_string())?;
    if let Some(fault) = tally.fault {
        return Err(fault);
    }
    let counted: u64 = tally.verdicts.values().sum();
    println!("{counted} cases counted of {} compared, {} rulebooks and days, in {:?}", tally.drawn, tally.rulebooks, begun.elapsed());
    for (v, n) in &tally.verdicts {
        println!("  {v}: {n} ({}.{} %)", n * 100 / counted, n * 1_000 / counted % 10);
        if n * 10 < counted {
            return Err(format!("only {n} of {counted} are {v}"));
        }
    }
    for (kind, (yes, no)) in &tally.clauses {
        println!("  a {kind} held in {yes} cases, did not in {no}");
        if *yes < 100 || *no < 100 {
            return Err(format!("a {kind} did not decide a hundred cases each way"));
        }
    }
    if args.iter().any(|a| a == "--no-real") {
        return Ok(());
    }
    real::agree(&args.iter().position(|a| a == "--rules").and_then(|i| args.get(i + 1)).cloned().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules").into()))
}

/// The states of a small rulebook, with what the reference says of each, told once.
struct States<'a> {
    reference: Reference<'a>,
    all: Vec<State>,
    touched: Vec<bool>,
    /// By state and set of offers (a bit each): which layers refuse afterwards (a bit each).
    refusals: HashMap<(u32, u32), u32>,
    available: Vec<Vec<bool>>,
}

impl<'a> States<'a> {
    fn of(reference: Reference<'a>) -> Self {
        let everything: Vec<Vec<usize>> = reference.variables.iter().map(|v| (0..v.domain.len()).collect()).collect();
        let all = reference.states(&everything);
        let touched = all.iter().map(|s| reference.is_touched(s)).collect();
        let available = reference.offers.iter().map(|o| all.iter().map(|s| reference.can(o, s)).collect()).collect();
        Self { reference, all, touched, refusals: HashMap::new(), available }
    }

    fn refused(&mut self, state: usize, offers: u32) -> u32 {
        let (reference, all) = (&self.reference, &self.all);
        *self.refusals.entry((state as u32, offers)).or_insert_with(|| {
            let taken = reference.offers.iter().enumerate().filter(|(i, _)| offers >> i & 1 == 1).map(|(_, o)| o);
            let after = reference.after(&all[state], taken);
            reference.refusals(&after).enumerate().filter(|(_, r)| *r).fold(0, |bits, (i, _)| bits | 1 << i)
        })
    }

    /// DESIGN section 4, VERDICT, over the states that are left.
    fn verdict(&mut self, states: &[usize]) -> Verdict {
        let of = |want: &dyn Fn(&Vec<bool>) -> bool| self.available.iter().enumerate().filter(|(_, a)| want(a)).fold(0u32, |bits, (i, _)| bits | 1 << i);
        let sure = of(&|a| states.iter().all(|s| a[*s]));
        let maybe = of(&|a| states.iter().any(|s| a[*s]));
        if !states.iter().any(|s| self.touched[*s]) {
            Verdict::OutOfScope
        } else if states.iter().all(|s| self.refused(*s, 0) == 0) {
            Verdict::Permitted
        } else if states.iter().fold(u32::MAX, |bits, s| bits & self.refused(*s, maybe)) != 0 {
            Verdict::Prohibited
        } else if states.iter().all(|s| self.refused(*s, sure) == 0) {
            Verdict::Conditional
        } else {
            Verdict::Undetermined
        }
    }
}

fn one_rulebook(n: u64, wanted: u64, tally: &Mutex<Tally>, done: &AtomicBool) {
    let mut draw = Draw(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut text = generate::text(&mut draw);
    // Most drawn laws forbid for good or for nothing; a gate that measures open makes *conditional* common enough.
    if let Some(layer) = text.layers.first().cloned().filter(|_| draw.percent(60)) {
        let need = generate::expression(&mut draw, &text, Kinds::Measures);
        text.blocks.push(generate::block(&mut draw, "gate", "more.gate", &format!("layer: {layer}\nwhen: yes\n")));
        text.blocks.push(generate::block(&mut draw, "route", "more.gate.r", &format!("gate: more.gate\nrank: 1\nneed: {need}\n")));
        text.blocks.push(generate::measure(&mut draw, &text, 7));
    }
    let mut book = text.parse();
    let as_of: AsOf = generate::as_of(&mut draw);
    let small = Reference::sized(&book, as_of).is_some_and(|n| n <= STATES_MAX);
    if !small {
        return;
    }
    let worse = Reference::new(&book, as_of).double_edged();
    book.measures.retain(|m| !worse.contains(&m.id));
    let mut states = States::of(Reference::new(&book, as_of));
    let lexicon = Arc::new(Lexicon::of(&book.vocabulary).expect("small"));
    let table = Table::compile_with(&Arc::new(book.clone()), as_of, lexicon, &mut Units::default()).expect("small");
    let mut room = Room::default();
    let (mut counts, mut clauses, mut drawn) = (BTreeMap::<&str, u64>::new(), BTreeMap::<&str, (u64, u64)>::new(), 0);
    let mut rich = false;
    for i in 0..4_000 {
        if i == 200 && !rich {
            break;
        }
        let facts = generate::facts(&mut draw, &text.slots);
        let Ok(bound) = book.bind(&Transfer::single(facts.clone())) else { continue };
        let crossing = &bound.crossings[0];
        let allowed: Vec<u64> = states.reference.allowed(crossing).iter().map(|a| a.iter().fold(0, |bits, v| bits | 1 << v)).collect();
        let left: Vec<usize> = (0..states.all.len()).filter(|s| states.all[*s].iter().zip(&allowed).all(|(v, a)| a >> v & 1 == 1)).collect();
        if left.is_empty() {
            continue;
        }
        drawn += 1;
        let expected = states.verdict(&left);
        let head = table.judge(&Bits::of(&table, table.lexicon.pack(&crossing.facts, as_of.on)), &mut room);
        if head.verdict != expected {
            let mut t = tally.lock().expect("no thread panics");
            t.fault.get_or_insert(format!("the text gives {expected:?}, the table {:?}\nrulebook {n}, {as_of:?}, {facts:?}\n{}", head.verdict, text.law()));
            done.store(true, Ordering::Relaxed);
            return;
        }
        rich |= expected == Verdict::Conditional;
        *counts.entry(expected.word()).or_default() += 1;
        let k = decide::knowledge::Knowledge::of(&table, crossing);
        if i % 8 == 0 {
            count_clauses(&table, &k, &mut clauses);
        }
    }
    let mut t = tally.lock().expect("no thread panics");
    t.drawn += drawn;
    t.rulebooks += 1;
    for (kind, (yes, no)) in clauses {
        let at = t.clauses.entry(kind).or_default();
        *at = (at.0 + yes, at.1 + no);
    }
    for (v, n) in counts {
        // No verdict counts for more than three tenths, so that none can be less than a tenth unnoticed.
        let at = t.verdicts.entry(v).or_default();
        *at = (*at + n).min(wanted * 3 / 10);
    }
    let counted: u64 = t.verdicts.values().sum();
    let least = t.verdicts.values().min().copied().unwrap_or(0);
    if counted >= wanted && t.verdicts.len() == 5 && least * 10 >= counted {
        done.store(true, Ordering::Relaxed);
    }
}

fn count_clauses(table: &Table, k: &decide::knowledge::Knowledge, out: &mut BTreeMap<&'static str, (u64, u64)>) {
    use decide::knowledge::Truth;
    for (i, layer) in table.layers.iter().enumerate() {
        let law = layer.law();
        let mut note = |kind: &'static str, f| {
            let at = out.entry(kind).or_default();
            match k.truth(table, i, f) {
                Truth::Yes => at.0 += 1,
                Truth::No => at.1 += 1,
                Truth::Open => {}
            }
        };
        note("layer", law.applies);
        law.scopes.iter().for_each(|(_, f)| note("scope", *f));
        law.outs.iter().for_each(|(_, f)| note("out", *f));
        law.bars.iter().for_each(|(_, f)| note("bar", *f));
        law.gaps.iter().for_each(|(_, f)| note("gap", *f));
        law.obligations.iter().for_each(|(_, _, late, _)| note("late obligation", *late));
        for g in &law.gates {
            note("gate", g.when);
            g.routes.iter().for_each(|r| note("route", r.need));
        }
    }
}
