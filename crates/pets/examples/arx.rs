//! Holds our optima on ARX's own table against the record of ARX's (`tests/oracle/arx.tsv`).
//!
//! cargo run -p pets --example arx -- FOLDER, where FOLDER is `data/` of a checkout of ARX: its table and hierarchies are not
//! ours to keep. Exit code 1 when an optimum or its risk differs.

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use pets::dictionary::{Dictionary, Entry, Role, SaidBy};
use pets::plan::Act;
use pets::profile::Profile;
use pets::protect::{Request, protect};
use std::{collections::BTreeMap, error::Error, path::Path, process::ExitCode, sync::Arc, time::Instant};

#[path = "../tests/common/knowledge.rs"]
mod knowledge;

const RECORD: &str = include_str!("../tests/oracle/arx.tsv");
const PROFILE: &str = include_str!("../../../profiles/eu-wp216-k11.toml");
/// The order of levels in the record.
const ORDER: [&str; 9] =
    ["sex", "age", "race", "marital-status", "education", "native-country", "workclass", "occupation", "salary-class"];
/// Cases of the record: the share that may be left out, and whether the salary class is to be diverse instead of told apart by.
const CASES: [(&str, &str, bool); 3] = [("nine", "0.04", false), ("nine, any left out", "1", false), ("eight, 2-diverse", "0.04", true)];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: arx FOLDER (data/ of a checkout of ARX)")?;
    let (batch, dictionary) = table(Path::new(&folder))?;
    let (batches, knowledge, mut same) = ([batch], knowledge::knowledge(), true);
    for (name, left_out, is_diverse) in CASES {
        let record = RECORD.lines().map(|l| l.split('\t').collect::<Vec<_>>()).find(|l| l.first() == Some(&name)).ok_or("no such case")?;
        let text = PROFILE.replace("k = 11", "k = 5").replace("most = \"1/10\"", &format!("most = \"{left_out}\""));
        let profile = Profile::parse(&text).map_err(|e| format!("{e:?}"))?;
        let mut dictionary = dictionary.clone();
        if let Some(entry) = dictionary.columns.get_mut("salary-class").filter(|_| is_diverse) {
            (entry.role, entry.act) = (Role::Sensitive, Some(Act::Keep));
        }
        let start = Instant::now();
        let request = Request { batches: &batches, dictionary: &dictionary, profile: &profile, knowledge: &knowledge, key: None };
        let out = protect(request)?;
        let spent = start.elapsed();
        let order = ORDER.iter().filter(|n| !is_diverse || **n != "salary-class");
        let levels: Vec<String> = order.map(|n| level(&dictionary, n, out.plan.columns.get(*n)).to_string()).collect();
        let (levels, risk) = (levels.join(" "), out.report.exact.risk_average.to_f64());
        let theirs: f64 = record.get(4).ok_or("no risk")?.parse()?;
        let agrees = out.optimal && record.get(1) == Some(&levels.as_str()) && (risk - theirs).abs() < 1e-15;
        println!("{name}: {levels}, average risk {risk} (ARX {theirs}), {} plans counted, {spent:.1?}: {}", out.tried, if agrees { "the same" } else { "NOT the same" });
        same &= agrees;
    }
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn level(dictionary: &Dictionary, name: &str, act: Option<&Act>) -> usize {
    let ladder = dictionary.columns.get(name).map_or(&[][..], |e| &e.ladder);
    match act {
        Some(Act::Keep) => 0,
        Some(act) => ladder.iter().position(|rung| rung == act).map_or(ladder.len() + 1, |at| at + 1),
        None => ladder.len() + 1,
    }
}

fn table(folder: &Path) -> Result<(RecordBatch, Dictionary), Box<dyn Error>> {
    let text = std::fs::read_to_string(folder.join("adult.csv"))?;
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(';').collect();
    let rows: Vec<Vec<&str>> = lines.map(|l| l.split(';').collect()).collect();
    let column = |i: usize| Arc::new(rows.iter().map(|r| r.get(i).copied()).collect::<StringArray>()) as ArrayRef;
    let batch = RecordBatch::try_from_iter(names.iter().enumerate().map(|(i, n)| (*n, column(i))))?;
    let mut dictionary = Dictionary::default();
    for name in names {
        let text = std::fs::read_to_string(folder.join(format!("adult_hierarchy_{name}.csv")))?;
        let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split(';').collect()).collect();
        let rungs = rows.first().map_or(0, Vec::len);
        let rung = |i: usize| {
            let pair = |r: &Vec<&str>| Some((r.first()?.to_string(), r.get(i)?.to_string()));
            Act::Map { to: rows.iter().filter_map(pair).collect::<BTreeMap<_, _>>(), otherwise: None }
        };
        // The top of ARX's ladders is one value for all, which is to drop the column here.
        let ladder = (1..rungs.saturating_sub(1)).map(rung).collect();
        let entry = Entry { role: Role::QuasiIdentifier, kind: None, said_by: SaidBy::Person, ladder, weight: 1, act: None };
        dictionary.columns.insert(name.to_string(), entry);
    }
    Ok((batch, dictionary))
}
