//! Holds k, l, entropy l, α, t and β of extracts of UCI Adult and of the Census-Income table against pycanon's record
//! (`tests/oracle/extracts.json`), to 1e-9.
//!
//! cargo run -p pets --example extracts -- FOLDER, with the tables that `tests/oracle/extracts.py` names. Exit code 1 when one differs.

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use pets::measure::Classes;
use serde_json::Value;
use std::{error::Error, path::Path, process::ExitCode, sync::Arc};

const RECORD: &str = include_str!("../tests/oracle/extracts.json");

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: extracts FOLDER (with adult.csv and census.csv)")?;
    let record: serde_json::Map<String, Value> = serde_json::from_str(RECORD)?;
    let mut worst = 0f64;
    for (name, said) in &record {
        let text = |key: &str| said.get(key).and_then(Value::as_str).ok_or("the record lacks a text");
        let bytes = std::fs::read(Path::new(&folder).join(text("file")?))?;
        if model::Digest::of(&bytes).to_string() != text("sha256")? {
            return Err(format!("`{}` is not the table of the record", text("file")?).into());
        }
        let records = said.get("records").and_then(Value::as_u64).ok_or("the record lacks a number")? as usize;
        let quasi: Vec<String> = serde_json::from_value(said.get("quasi").cloned().unwrap_or_default())?;
        let sensitive = text("sensitive")?.to_string();
        let mut classes = Classes::of(&quasi, std::slice::from_ref(&sensitive));
        classes.push(&table(std::str::from_utf8(&bytes)?, text("file")? == "adult.csv", records)?).map_err(|e| e.to_string())?;
        let measures = classes.measure();
        let of = measures.diversity.get(&sensitive).ok_or("nothing was measured")?;
        let ours = [
            ("k", measures.sizes.k().unwrap_or(0) as f64),
            ("l", of.distinct_l as f64),
            // pycanon rounds entropy l down to a whole number.
            ("entropy_l", (of.entropy_l + 1e-9).floor()),
            ("alpha", of.alpha.to_f64()),
            ("t", of.t_ordered.unwrap_or(of.t_equal).to_f64()),
            ("beta", of.beta.to_f64()),
        ];
        for (what, ours) in ours {
            let theirs = said.get(what).and_then(Value::as_f64).ok_or("the record lacks a measure")?;
            let apart = (ours - theirs).abs() / theirs.abs().max(1.0);
            println!("{name}: {what} {ours} (pycanon {theirs}){}", if apart > 1e-9 { ", NOT the same" } else { "" });
            worst = worst.max(apart);
        }
    }
    println!("greatest difference {worst:.1e}");
    Ok(if worst <= 1e-9 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The first records of a table without quotes; columns of one without a header are c0, c1 and so on.
fn table(text: &str, has_header: bool, records: usize) -> Result<RecordBatch, Box<dyn Error>> {
    let mut rows: Vec<Vec<&str>> = text.lines().take(records + usize::from(has_header)).map(|l| l.split(',').map(str::trim).collect()).collect();
    let names: Vec<String> = match has_header {
        true => rows.remove(0).into_iter().map(str::to_string).collect(),
        false => (0..rows.first().map_or(0, Vec::len)).map(|i| format!("c{i}")).collect(),
    };
    let column = |i: usize| Arc::new(rows.iter().map(|r| r.get(i).copied()).collect::<StringArray>()) as ArrayRef;
    Ok(RecordBatch::try_from_iter(names.iter().enumerate().map(|(i, n)| (n.as_str(), column(i))))?)
}
