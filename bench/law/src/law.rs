//! How fast the law is answered, on one thread, with the real rulebook: processor time of the thread, so that what else the
//! machine does counts little.
//!
//! `cargo run --release --manifest-path bench/law/Cargo.toml --bin law`. Nothing is asserted about time. Names of parts after
//! `--` leave the others out: `answers`, `judge`, `edit`, `lines`, `many`, `hygiene`; `N lines` takes another number of them.

#[path = "../../../crates/decide/tests/reference/generate.rs"]
mod generate;
#[path = "../../../crates/decide/tests/reference/evaluator.rs"]
mod evaluator;
mod real;

use decide::{
    change, common,
    decision::Verdict,
    engine::Engine,
    judge::{Bits, Room},
    knowledge::Knowledge,
    lexicon::{ANY, Packed, Shape},
    line,
    matrix::ENDS,
    remedy::{self, Hand},
    table::Table,
};
use generate::Draw;
use model::{AsOf, transfer::Transfer};
use rulebook::book::Rulebook;
use cpu_time::ThreadTime;
use std::{collections::{BTreeMap, BTreeSet}, hint::black_box, path::Path, time::Duration};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules");
    let wanted = |part: &str| args.is_empty() || args.iter().any(|a| a == part);
    let n_lines = args.iter().find_map(|a| a.parse().ok()).unwrap_or(1_000_000);
    let cases = cases(Path::new(root));
    let t = ThreadTime::now();
    let (book, _) = Rulebook::parse(real::sources(Path::new(root)));
    println!("rules: {} layers, {} rules and entries, {} measures, {} worked cases; parsed in {:?}", book.layers.len(), book.heads().len(), book.measures.len(), cases.cases.len(), t.elapsed());
    let as_of = AsOf::then("2026-11-22".parse().expect("a day"));
    let mut engine = Engine::new(book.clone());
    let t = ThreadTime::now();
    let table = engine.table(as_of).expect("it compiles");
    println!("compiled for one day, nothing made before: {:?}; {} units, {} nodes, {} KiB", t.elapsed(), engine.units().len(), table.size().0, engine.units().bytes() / 1024);
    let packed = pack(&book, &cases, &table);
    if wanted("edit") {
        edit(&engine, &book, as_of);
    }
    if wanted("answers") {
        answers(&mut engine, &table, &cases, &packed, as_of);
    }
    if wanted("judge") {
        judge(&table, &known(&table, &packed));
    }
    if wanted("lines") {
        lines(&mut engine, &table, as_of, n_lines);
    }
    if wanted("many") {
        many(&mut engine, &table, &packed, as_of);
    }
    if wanted("hygiene") {
        hygiene(&book);
    }
}

fn hygiene(book: &Rulebook) {
    let t = ThreadTime::now();
    let found = decide::hygiene::report(book).expect("it compiles");
    let mut kinds: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    found.iter().for_each(|f| kinds.entry(format!("{:?}", f.what)).or_default().push(&f.id));
    println!("hygiene of every day on which the law changes: {} found in {:?}", found.len(), t.elapsed());
    for (kind, ids) in kinds {
        println!("  {kind}: {} ({})", ids.len(), ids.iter().take(12).copied().collect::<Vec<_>>().join(", "));
    }
}

fn cases(root: &Path) -> Rulebook {
    let mut sources = real::sources(root);
    for entry in std::fs::read_dir(root.join("cases")).expect("cases") {
        let path = entry.expect("cases").path();
        let text = std::fs::read_to_string(&path).expect("cases");
        sources.push(rulebook::book::Source { path: format!("cases/{}", path.file_name().unwrap_or_default().to_string_lossy()), text });
    }
    Rulebook::parse(sources).0
}

/// The median of some runs, for each of `n` things done in a run.
fn each(n: usize, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..7).map(|_| {
        let t = ThreadTime::now();
        run();
        t.elapsed()
    }).collect();
    times.sort();
    times[3] / n.max(1) as u32
}

fn pack(book: &Rulebook, cases: &Rulebook, table: &Table) -> Vec<Packed> {
    let bound = cases.cases.iter().filter_map(|c| book.bind(&Transfer::single(c.given.iter().cloned())).ok());
    bound.map(|b| table.lexicon.pack(&b.crossings[0].facts, table.as_of.on)).collect()
}

fn answers(engine: &mut Engine, table: &Table, cases: &Rulebook, packed: &[Packed], as_of: AsOf) {
    let bounds: Vec<_> = cases.cases.iter().filter_map(|c| engine.book.bind(&Transfer::single(c.given.iter().cloned())).ok()).collect();
    println!("worked cases as described ({}):", bounds.len());
    println!("  bind                     {:?}", each(bounds.len(), || cases.cases.iter().for_each(|c| drop(black_box(engine.book.bind(&Transfer::single(c.given.iter().cloned())))))));
    let mut room = Room::default();
    println!("  head from packed facts   {:?}", each(packed.len(), || packed.iter().for_each(|p| drop(black_box(table.judge(&Bits::of(table, p.clone()), &mut room))))));
    println!("  verdict                  {:?}", each(bounds.len(), || bounds.iter().for_each(|b| drop(black_box(engine.verdict(b, as_of))))));
    println!("  full decision            {:?}", each(bounds.len(), || bounds.iter().for_each(|b| drop(black_box(engine.decide(b, as_of))))));
    let conditional: Vec<Knowledge> = packed.iter().map(|p| Knowledge::packed(table, p.clone())).filter(|k| decide::verdict::verdict(table, k, &[], &Hand::default()) == Verdict::Conditional).collect();
    let sure: Vec<Vec<usize>> = conditional.iter().map(|k| Hand::default().of(table, k).sure.clone()).collect();
    println!("  all smallest ways, a pair ({} conditional) {:?}", conditional.len(), each(conditional.len(), || conditional.iter().zip(&sure).for_each(|(k, s)| drop(black_box(remedy::remedies(table, &engine.book, k, &[], s))))));
}

/// Worked cases with everything said: what is open takes a value at random that leaves the verdict told.
fn known(table: &Table, packed: &[Packed]) -> Vec<Bits> {
    let mut draw = Draw(99);
    let mut room = Room::default();
    let mut out = Vec::new();
    for p in packed.iter().cycle().take(packed.len() * 6) {
        let mut facts = p.clone();
        for slot in table.lexicon.slots() {
            let at = facts.0.get(slot.at).copied().unwrap_or(0);
            match slot.shape {
                Shape::Choice if at == ANY => slot.say_word(draw.below(slot.values.words.len()), &mut facts),
                Shape::Set if at == 0 => slot.say_set(Default::default(), &mut facts),
                Shape::Count if facts.0.get(slot.at + 1) == Some(&(i64::MAX as u64)) => slot.say_range(10, 10, &mut facts),
                Shape::Day if at == i64::MIN as u64 => slot.say_range(20_000, 20_000, &mut facts),
                _ => {}
            }
        }
        let bits = Bits::of(table, facts);
        if table.judge_known(&bits, &mut room).is_some() {
            out.push(bits);
        }
    }
    out
}

fn judge(table: &Table, known: &[Bits]) {
    let mut room = Room::default();
    let mut by: BTreeMap<&str, Vec<&Bits>> = BTreeMap::new();
    known.iter().for_each(|b| by.entry(table.judge(b, &mut room).verdict.word()).or_default().push(b));
    println!("judge, packed facts, all known ({}): {:?}", known.len(), each(known.len() * 20, || (0..20).for_each(|_| known.iter().for_each(|b| drop(black_box(table.judge(black_box(b), &mut room)))))));
    for (v, bits) in by {
        println!("  {v} ({}): {:?}", bits.len(), each(bits.len() * 20, || (0..20).for_each(|_| bits.iter().for_each(|b| drop(black_box(table.judge(black_box(b), &mut room)))))));
    }
}

fn edit(engine: &Engine, book: &Rulebook, as_of: AsOf) {
    let mut sources = book.sources.clone();
    if let Some(act) = sources.iter_mut().find(|s| s.path == "th/pdpa.md") {
        act.text = act.text.replacen("\nreaches: ", "\nreaches: hop.same_group and ", 1);
    }
    let t = ThreadTime::now();
    let (book, _) = Rulebook::parse(sources);
    let parsed = t.elapsed();
    let mut revised = engine.revised(book);
    let t = ThreadTime::now();
    revised.table(as_of).expect("it compiles");
    println!("after an edit of one file: all files read again in {parsed:?}, compiled in {:?}", t.elapsed());
}

/// A million distinct lines over origins, destinations, days and counts.
fn lines(engine: &mut Engine, table: &Table, as_of: AsOf, n: u32) {
    let days: Vec<AsOf> = engine.book.boundaries().into_iter().filter(|d| *d > "2020-01-01".parse().expect("a day") && *d <= as_of.on).step_by(6).map(AsOf::then).collect();
    let tables: Vec<_> = days.iter().map(|d| engine.table(*d).expect("it compiles")).collect();
    let places = &table.lexicon.slot(ENDS[0]).expect("places").values.words;
    let mut draw = Draw(5);
    let categories = ["contact", "salary_hr", "health", "account", "precise_location", "biometric", "genetic", "technical"];
    let text: Vec<(usize, String)> = (0..n).map(|i| {
        let (from, to) = (draw.of(places).clone(), draw.of(places).clone());
        let line = format!(
            "{{\"id\":\"t{i}\",\"exporter.place\":\"{from}\",\"recipient.place\":\"{to}\",\"exporter.targets\":[\"{from}\"],\"exporter.person\":\"company\",\"exporter.capacity\":[\"controller\"],\"exporter.sector\":[\"{}\"],\"data.categories\":[\"{}\"],\"data.about_people\":true,\"data.identifiable_for_exporter\":\"identified\",\"data.identifiable_for_recipient\":\"identified\",\"hop.separate_person\":{},\"hop.recipient_sees_clear\":true,\"subjects.employees\":{},\"subjects.located_in\":[\"{from}\"],\"hop.mode\":[\"send_copy\"],\"hop.same_group\":{}}}",
            draw.of(&["retail", "manufacturing", "health", "finance"]), draw.of(&categories), draw.percent(90), draw.percent(30), draw.percent(40)
        );
        (draw.below(tables.len()), line)
    }).collect();
    let (mut room, mut packed) = (Room::default(), Packed::default());
    let (mut answers, mut short) = (BTreeSet::new(), 0);
    let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
    let t = ThreadTime::now();
    for (day, line) in &text {
        let table = &tables[*day];
        table.lexicon.clear(&mut packed);
        if line::pack(&table.lexicon, line, &mut packed).is_ok() {
            short += 1;
        }
        let bits = Bits::of(table, std::mem::take(&mut packed));
        let head = table.judge(&bits, &mut room);
        *verdicts.entry(head.verdict.word()).or_default() += 1;
        answers.insert((*day, bits.facts().0.get(table.lexicon.slot(ENDS[0]).map_or(0, |s| s.at)).copied(), head.verdict.word(), table.named(&head).to_string()));
        packed = bits.into_facts();
    }
    let took = t.elapsed();
    println!("{n} JSON lines over {} days, one thread: {took:?}, {:?} each; {short} the short way; {} different answers by day, origin, verdict and rule; {verdicts:?}", tables.len(), took / n, answers.len());
}

fn many(engine: &mut Engine, table: &Table, packed: &[Packed], as_of: AsOf) {
    let mut room = Room::default();
    let (origins, destinations) = (table.kinds(&ENDS[..1]), table.kinds(&ENDS[1..]));
    let profile = &packed[0];
    println!("matrix, {} kinds of origin by {} of destination: {:?}", origins.len(), destinations.len(), each(1, || drop(black_box(table.heads(profile, &origins, &destinations, &mut room)))));
    let places: Vec<String> = table.lexicon.slot(ENDS[1]).expect("places").values.words.iter().step_by(6).take(40).cloned().collect();
    let mut times: Vec<Duration> = packed.iter().step_by((packed.len() / 60).max(1)).map(|p| {
        let t = ThreadTime::now();
        let _found = black_box(common::rule(table, &engine.book, p, &places));
        t.elapsed()
    }).collect();
    times.sort();
    println!("common rule of {} destinations, {} profiles: median {:?}, p99 {:?}", places.len(), times.len(), times[times.len() / 2], times[times.len() * 99 / 100]);
    let (mut a, mut b) = (Engine::new(engine.book.clone()), Engine::new(engine.book.clone()));
    let earlier = AsOf::then("2026-01-01".parse().expect("a day"));
    let t = ThreadTime::now();
    let regions = change::effect(&mut a, earlier, &mut b, as_of).expect("it compiles");
    println!("effect of {} to {}: {} regions in {:?}", earlier.on, as_of.on, regions.len(), t.elapsed());
}
