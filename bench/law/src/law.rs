//! How fast the law is answered, on one thread, with the real rulebook: processor time of the thread, so that what else the
//! machine does counts little.
//!
//! `cargo run --release --manifest-path bench/law/Cargo.toml --bin law`. Nothing is asserted about time. Names of parts after
//! `--` leave the others out: `sizes`, `answers`, `judge`, `edit`, `lines`, `many`, `hygiene`; `N lines` takes another number of them.

#[path = "../../../crates/decide/tests/reference/generate.rs"]
mod generate;
#[path = "../../../crates/decide/tests/reference/evaluator.rs"]
mod evaluator;
mod known;
mod real;

use decide::{
    change, common,
    decision::Verdict,
    engine::Engine,
    judge::{Bits, Room},
    knowledge::Knowledge,
    lexicon::Packed,
    line,
    matrix::ENDS,
    remedy::{self, Hand},
    table::Table,
};
use generate::Draw;
use known::{cases, each, known, pack};
use model::{AsOf, transfer::Transfer};
use rulebook::book::Rulebook;
use cpu_time::ThreadTime;
use std::{collections::{BTreeMap, HashSet}, fmt::Write, hint::black_box, path::Path, sync::Arc, time::{Duration, Instant}};

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
    println!("table of one day, nothing made before: {:?}; {} units, {} KiB", t.elapsed(), engine.units().len(), engine.units().bytes() / 1024);
    first(&book, &cases, as_of);
    let t = ThreadTime::now();
    table.make();
    println!("all its laws made: {:?}; {} nodes, {} KiB and which clause speaks", t.elapsed(), table.size().0, engine.units().bytes() / 1024);
    let packed = pack(&book, &cases, &table);
    if wanted("sizes") {
        sizes(&table, &packed);
    }
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

/// What the first answer of a day costs, and that of all worked cases one after the other, with nothing made before.
fn first(book: &Rulebook, cases: &Rulebook, as_of: AsOf) {
    let bounds: Vec<_> = cases.cases.iter().filter_map(|c| book.bind(&Transfer::single(c.given.iter().cloned())).ok()).collect();
    let book = Arc::new(book.clone());
    let mut times: Vec<Duration> = bounds.iter().step_by((bounds.len() / 40).max(1)).map(|bound| {
        let t = ThreadTime::now();
        let _decided = black_box(Engine::new(book.clone()).decide(bound, as_of));
        t.elapsed()
    }).collect();
    times.sort();
    let (mut engine, t) = (Engine::new(book), ThreadTime::now());
    bounds.iter().for_each(|b| drop(black_box(engine.decide(b, as_of))));
    println!("first decision with nothing made before, {} worked cases: median {:?}, slowest {:?}; decisions of all {} one after the other: {:?}", times.len(), times[times.len() / 2], times[times.len() - 1], bounds.len(), t.elapsed());
}

/// The largest layers, and how many stay live for a worked case.
fn sizes(table: &Table, packed: &[Packed]) {
    let size = |l: &decide::table::LayerTable| format!("{} {} nodes, {} axes", l.id, l.linked().unit.diagram.len(), l.axes().list.len());
    let mut all: Vec<_> = table.layers.iter().collect();
    all.sort_by_key(|l| std::cmp::Reverse(l.linked().unit.diagram.len()));
    let live: usize = packed.iter().map(|p| table.live(p).count()).sum();
    println!("largest: {}", all.iter().take(5).map(|l| size(l)).collect::<Vec<_>>().join("; "));
    println!("layers that stay live for a worked case: {:.1} of {}", live as f64 / packed.len() as f64, table.layers.len());
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
    let from = table.lexicon.slot(ENDS[0]).map_or(0, |s| s.at);
    let mut draw = Draw(5);
    let categories = words(table, "data.categories");
    let sectors = words(table, "exporter.sector");
    let text: Vec<(usize, String)> = (0..n).map(|i| {
        let (from, to) = (draw.of(places).clone(), draw.of(places).clone());
        let line = format!(
            "{{\"id\":\"t{i}\",\"exporter.place\":\"{from}\",\"recipient.place\":\"{to}\",\"exporter.targets\":[\"{from}\"],\"exporter.person\":\"company\",\"exporter.capacity\":[\"controller\"],\"exporter.sector\":[\"{}\"],\"data.categories\":[\"{}\"],\"data.about_people\":true,\"data.identifiable_for_exporter\":\"identified\",\"data.identifiable_for_recipient\":\"identified\",\"hop.separate_person\":{},\"hop.recipient_sees_clear\":true,\"subjects.employees\":{},\"subjects.located_in\":[\"{from}\"],\"hop.mode\":[\"send_copy\"],\"hop.same_group\":{}}}",
            draw.of(&sectors), draw.of(&categories), draw.percent(90), draw.percent(30), draw.percent(40)
        );
        (draw.below(tables.len()), line)
    }).collect();
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    let begun = Instant::now();
    let shares: Vec<Share> = std::thread::scope(|scope| {
        let tables = &tables;
        let threads: Vec<_> = text.chunks(text.len().div_ceil(n_threads).max(1)).map(|part| scope.spawn(move || share(tables, part, from))).collect();
        threads.into_iter().map(|t| t.join().expect("no thread panics")).collect()
    });
    let wall = begun.elapsed();
    let took: Duration = shares.iter().map(|s| s.took).sum();
    let (short, bytes) = shares.iter().fold((0, 0), |a, s| (a.0 + s.short, a.1 + s.out.len()));
    let answers: HashSet<_> = shares.into_iter().flat_map(|s| s.answers).collect();
    let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
    answers.iter().for_each(|a| *verdicts.entry(a.2.word()).or_default() += 1);
    println!("{n} JSON lines over {} days: {wall:?} on {n_threads} threads, {took:?} of processor, {:?} each; {short} the short way, {bytes} bytes of answers; {} different by day, origin, verdict and rule: {verdicts:?}", tables.len(), took / n, answers.len());
}

/// What one thread made of its lines.
struct Share {
    out: String,
    answers: HashSet<(usize, Option<u64>, Verdict, Option<usize>, Option<usize>)>,
    short: u32,
    took: Duration,
}

fn share(tables: &[Arc<Table>], lines: &[(usize, String)], from: usize) -> Share {
    let (mut room, mut packed) = (Room::default(), Packed::default());
    let mut s = Share { out: String::with_capacity(lines.len() * 80), answers: HashSet::new(), short: 0, took: Duration::ZERO };
    let t = ThreadTime::now();
    for (day, line) in lines {
        let table = &tables[*day];
        table.lexicon.clear(&mut packed);
        let id = line::pack(&table.lexicon, line, &mut packed);
        s.short += u32::from(id.is_ok());
        let bits = Bits::of(table, std::mem::take(&mut packed));
        let head = table.judge(&bits, &mut room);
        let _written = writeln!(s.out, "{{\"id\":\"{}\",\"verdict\":\"{}\",\"by\":\"{}\"}}", id.ok().and_then(|n| n.id).unwrap_or_default(), head.verdict.word(), table.named(&head));
        s.answers.insert((*day, bits.facts().0.get(from).copied(), head.verdict, head.layer, head.clause));
        packed = bits.into_facts();
    }
    s.took = t.elapsed();
    s
}

/// The words of a slot.
fn words(table: &Table, slot: &str) -> Vec<String> {
    table.lexicon.slot(slot).expect("a slot").values.words.clone()
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
