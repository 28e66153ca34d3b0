//! Finding, measuring and transforming personal data, timed on one core.
//!
//! `run` beside this crate fetches the tables, calls this program and the peers, and prints both with the ratio.
//! Each line is `name<TAB>number<TAB>unit`, the best of several rounds; what is timed is said where it is timed. Times are
//! processor time of the one thread, so that what else the machine does disturbs them least.

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use cpu_time::ThreadTime;
use pets::classify::Scan;
use pets::dictionary::{Dictionary, Entry, Role, SaidBy};
use pets::measure::Classes;
use pets::plan::{Act, Plan};
use pets::profile::Profile;
use pets::protect::{Request, protect};
use pets::pseudonym::{Domain, DomainKey};
use pets::transform::Border;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[path = "../../../crates/pets/tests/common/knowledge.rs"]
mod house;

use house::knowledge;

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let usage = "usage: bench-data FOLDER [measures|lattice|text|csv|pseudonyms|release] (FOLDER with adult.csv, letters.txt, arx/ where there)";
    let folder = std::env::args().nth(1).ok_or(usage)?;
    let (folder, part) = (Path::new(&folder), std::env::args().nth(2));
    let asked = |name: &str| part.as_deref().is_none_or(|part| part == name);
    if asked("measures") {
        measures(folder)?;
    }
    if asked("lattice") {
        lattice(folder)?;
    }
    if asked("text") {
        text(folder)?;
    }
    if asked("csv") {
        csv(folder)?;
    }
    if asked("pseudonyms") {
        pseudonyms()?;
    }
    if asked("release") {
        release()?;
    }
    Ok(())
}

fn say(name: &str, number: f64, unit: &str) {
    println!("{name}\t{number:.4}\t{unit}");
}

/// The shortest of `rounds` runs.
fn best<T>(rounds: usize, mut run: impl FnMut() -> T) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..rounds {
        let start = ThreadTime::now();
        black_box(run());
        best = best.min(start.elapsed());
    }
    best
}

/// A table of text columns; the files here have no quotes.
fn table(text: &str, separator: char) -> Result<RecordBatch, Failed> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().ok_or("empty table")?.split(separator).map(str::trim).collect();
    let rows: Vec<Vec<&str>> =
        lines.filter(|l| !l.is_empty()).map(|l| l.split(separator).map(str::trim).collect()).collect();
    let column = |i: usize| Arc::new(rows.iter().map(|r| r.get(i).copied()).collect::<StringArray>()) as ArrayRef;
    Ok(RecordBatch::try_from_iter(names.iter().enumerate().map(|(i, n)| (*n, column(i))))?)
}

/// All class measures of UCI Adult at once: counting and k, l, entropy l, α, t, β of one sensitive column.
fn measures(folder: &Path) -> Result<(), Failed> {
    let adult = table(&std::fs::read_to_string(folder.join("adult.csv"))?, ',')?;
    let quasi: Vec<String> =
        ["age", "education", "occupation", "relationship", "sex", "native-country"].map(String::from).into();
    let sensitive = vec!["income".to_string()];
    let mut last = None;
    let spent = best(20, || {
        let mut classes = Classes::of(&quasi, &sensitive);
        classes.push(&adult).map(|_| last = Some(classes.measure()))
    });
    let measures = last.ok_or("adult.csv was not counted")?;
    let income = measures.diversity.get("income").ok_or("no income")?;
    say("adult.rows", adult.num_rows() as f64, "records");
    say("adult.k", measures.sizes.k().unwrap_or(0) as f64, "");
    say("adult.l", income.distinct_l as f64, "");
    println!("adult.t\t{}\t", income.t_ordered.unwrap_or(income.t_equal).to_f64());
    println!("adult.beta\t{}\t", income.beta.to_f64());
    say("adult.measures", spent.as_secs_f64() * 1e3, "ms");
    Ok(())
}

/// The optimum of 12,960 plans on ARX's own table and ladders, where the folder has them.
fn lattice(folder: &Path) -> Result<(), Failed> {
    let arx = folder.join("arx");
    let Ok(text) = std::fs::read_to_string(arx.join("adult.csv")) else {
        println!("arx\tno table\tsee bench/data/README.md");
        return Ok(());
    };
    let batch = table(&text, ';')?;
    let mut dictionary = Dictionary::default();
    for field in batch.schema().fields() {
        let name = field.name();
        let ladder = std::fs::read_to_string(arx.join(format!("adult_hierarchy_{name}.csv")))?;
        let steps: Vec<Vec<&str>> = ladder.lines().map(|l| l.split(';').collect()).collect();
        let height = steps.first().map_or(0, Vec::len);
        let to = |level: usize| -> BTreeMap<String, String> {
            steps.iter().filter_map(|s| Some((s.first()?.to_string(), s.get(level)?.to_string()))).collect()
        };
        let ladder = (1..height.saturating_sub(1)).map(|i| Act::Map { to: to(i), otherwise: None }).collect();
        let entry = Entry {
            role: Role::QuasiIdentifier,
            kind: None,
            said_by: SaidBy::Person,
            ladder,
            weight: 1,
            act: None,
        };
        dictionary.columns.insert(name.clone(), entry);
    }
    let profile = include_str!("../../../profiles/eu-wp216-k11.toml")
        .replace("k = 11", "k = 5")
        .replace("most = \"1/10\"", "most = \"0.04\"");
    let profile = Profile::parse(&profile).map_err(|faults| format!("{faults:?}"))?;
    let (knowledge, batches) = (knowledge(), [batch]);
    let request = Request { batches: &batches, dictionary: &dictionary, profile: &profile, knowledge: &knowledge, key: None };
    let mut out = None;
    let spent = best(5, || out = protect(request).ok());
    let out = out.ok_or("nothing protected")?;
    println!("arx.average_risk\t{}\t", out.report.exact.risk_average.to_f64());
    say("arx.plans_counted", out.tried as f64, "of 12,960");
    // Search, transformation, look at the result and report in all.
    say("arx.protect", spent.as_secs_f64() * 1e3, "ms");
    let spent = best(5, || pets::protect::propose(request).map(|found| found.tried));
    say("arx.search", spent.as_secs_f64() * 1e3, "ms");
    Ok(())
}

/// Scans a text column and a table of columns: bytes of cells a second.
fn text(folder: &Path) -> Result<(), Failed> {
    let knowledge = knowledge();
    let letters = std::fs::read_to_string(folder.join("letters.txt"))?;
    let bytes = letters.len();
    let spots = letters.lines().map(|l| pets::text::find(l, &knowledge).len()).sum::<usize>();
    let spent = best(9, || letters.lines().map(|l| pets::text::find(l, &knowledge).len()).sum::<usize>());
    say("letters.spots", spots as f64, "");
    say("letters.find", bytes as f64 / 1e6 / spent.as_secs_f64(), "MB/s");
    let column: StringArray = letters.lines().map(Some).collect();
    let batch = RecordBatch::try_from_iter([("note", Arc::new(column) as ArrayRef)])?;
    let batches = [batch];
    let spent = best(9, || Scan::of(&batches, &knowledge));
    say("letters.scan", bytes as f64 / 1e6 / spent.as_secs_f64(), "MB/s");
    let adult = std::fs::read_to_string(folder.join("adult.csv"))?;
    let batches = [table(&adult, ',')?];
    let spent = best(9, || Scan::of(&batches, &knowledge));
    say("adult.scan", adult.len() as f64 / 1e6 / spent.as_secs_f64(), "MB/s");
    Ok(())
}

/// UCI Adult ten times over as CSV, read from a file into batches: as it is, with each cell in quotes, and with line breaks and
/// doubled quotes in one cell of five as well; and the same scanned. Bytes of the file a second.
fn csv(folder: &Path) -> Result<(), Failed> {
    const TIMES: usize = 10;
    let (adult, knowledge) = (std::fs::read_to_string(folder.join("adult.csv"))?, knowledge());
    let (header, body) = adult.split_once('\n').ok_or("empty table")?;
    let cells = |write: &dyn Fn(usize, &str) -> String| {
        let line = |line: &str| line.split(',').enumerate().map(|(at, cell)| write(at, cell)).collect::<Vec<_>>().join(",") + "\n";
        let body: String = body.lines().filter(|l| !l.is_empty()).map(line).collect();
        format!("{header}\n{}", body.repeat(TIMES))
    };
    let odd = |at: usize, cell: &str| if at % 5 == 0 { format!("\"{cell} \"\"so\"\"\n\"") } else { format!("\"{cell}\"") };
    let texts = [("plain", cells(&|_, cell| cell.into())), ("quoted", cells(&|_, cell| format!("\"{cell}\""))), ("broken", cells(&odd))];
    let path = std::env::temp_dir().join(format!("bench-csv-{}.csv", std::process::id()));
    for (name, text) in texts {
        std::fs::write(&path, &text)?;
        let rate = |spent: Duration| text.len() as f64 / 1e6 / spent.as_secs_f64();
        let read = || dataplane::table::Table::open(&path, None).and_then(dataplane::table::Table::all);
        let rows: usize = read()?.iter().map(RecordBatch::num_rows).sum();
        let spent = best(5, read);
        say(&format!("csv.{name}.read"), rate(spent), &format!("MB/s, {rows} records"));
        let spent = best(5, || {
            let mut table = dataplane::table::Table::open(&path, None)?;
            let mut scanner = pets::classify::Scanner::new(table.schema());
            while let Some(batch) = table.batch()? {
                scanner.push(&batch);
            }
            Ok::<_, dataplane::sheet::SheetError>(scanner.finish(&knowledge))
        });
        say(&format!("csv.{name}.scan"), rate(spent), "MB/s");
    }
    Ok(std::fs::remove_file(&path)?)
}

/// Keyed pseudonyms of twelve-digit numbers, one column of 200,000.
fn pseudonyms() -> Result<(), Failed> {
    let domain = Domain { recipient: "r".into(), purpose: "p".into(), period: "2026".into() };
    let key = DomainKey::derive(&[7; 32], &domain)?;
    let column: StringArray = (0..200_000u64).map(|n| Some(format!("{:012}", n * 7_919))).collect();
    let batch = RecordBatch::try_from_iter([("number", Arc::new(column) as ArrayRef)])?;
    let plan = Plan::parse("[columns.number]\nact = 'pseudonym'")?;
    let border = Border::prepare(&plan, &batch.schema(), Some(key))?;
    let spent = best(5, || border.apply(&batch).map(|b| b.num_rows()));
    say("pseudonyms", 0.2 / spent.as_secs_f64(), "M/s");
    Ok(())
}

/// Twelve columns, 400,000 records: writing CSV alone against de-identifying in flight and writing.
fn release() -> Result<(), Failed> {
    const ROWS: u64 = 400_000;
    let text = |f: &dyn Fn(u64) -> String| Arc::new((0..ROWS).map(|n| Some(f(n))).collect::<StringArray>()) as ArrayRef;
    let batch = RecordBatch::try_from_iter([
        ("patient", text(&|n| format!("{:08}", n * 31))),
        ("name", text(&|n| format!("Person {n}"))),
        ("age", text(&|n| (n % 97).to_string())),
        ("birth", text(&|n| format!("19{:02}-{:02}-{:02}", n % 90 + 10, n % 12 + 1, n % 28 + 1))),
        ("postcode", text(&|n| format!("{:03}-{:04}", n % 900, n % 9999))),
        ("weight", text(&|n| format!("{}.{}", 40 + n % 70, n % 10))),
        ("a", text(&|n| (n * 17 % 1000).to_string())),
        ("b", text(&|n| (n * 13 % 1000).to_string())),
        ("c", text(&|n| format!("measured value {}", n % 50))),
        ("d", text(&|n| format!("{}", n % 2))),
        ("e", text(&|n| format!("ward {}", n % 12))),
        ("f", text(&|n| format!("{}", n % 300))),
    ])?;
    let plan = Plan::parse(
        "[columns.patient]\nact='pseudonym'\n[columns.name]\nact='drop'\n[columns.age]\nact='bin'\nwidth=10\nabove=80\n\
         [columns.birth]\nact='date'\nto='year'\n[columns.postcode]\nact='prefix'\nkeep=3\n[columns.weight]\nact='clamp'\nbelow=45\nabove=100\n\
         [columns.a]\nact='keep'\n[columns.b]\nact='keep'\n[columns.c]\nact='keep'\n[columns.d]\nact='keep'\n[columns.e]\nact='keep'\n[columns.f]\nact='keep'",
    )?;
    let domain = Domain { recipient: "r".into(), purpose: "p".into(), period: "2026".into() };
    let border = Border::prepare(&plan, &batch.schema(), Some(DomainKey::derive(&[7; 32], &domain)?))?;
    let slices: Vec<RecordBatch> = (0..ROWS as usize).step_by(8192).map(|at| batch.slice(at, 8192.min(ROWS as usize - at))).collect();
    let write = |batches: &mut dyn Iterator<Item = RecordBatch>| -> usize {
        let mut out = arrow_csv::Writer::new(Vec::with_capacity(64 << 20));
        for batch in batches {
            if out.write(&batch).is_err() {
                return 0;
            }
        }
        out.into_inner().len()
    };
    let alone = best(7, || write(&mut slices.iter().cloned()));
    let both = best(7, || write(&mut slices.iter().filter_map(|b| border.apply(b).ok())));
    say("write.alone", ROWS as f64 / 1e6 / alone.as_secs_f64(), "M records/s");
    say("write.deidentified", ROWS as f64 / 1e6 / both.as_secs_f64(), "M records/s");
    say("write.ratio", alone.as_secs_f64() / both.as_secs_f64(), "of the write alone");
    Ok(())
}
