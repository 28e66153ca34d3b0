//! What the detectors say of labeled tables and texts: `detect FOLDER` writes `found.tsv` and `found.ours.jsonl` there.
//!
//! `detect` beside this crate makes or brings the labeled sets, runs this and the peer, and scores both with one program.

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};
use pets::classify::{Knowledge, Scan};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

#[path = "../../../../crates/pets/tests/common/knowledge.rs"]
mod house;

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let folder = std::env::args().nth(1).ok_or("usage: detect FOLDER")?;
    let folder = Path::new(&folder);
    let knowledge = house::knowledge();
    columns(folder, &knowledge)?;
    texts(folder, &knowledge)
}

fn read(path: &Path) -> Result<Vec<RecordBatch>, Failed> {
    let first = BufReader::new(File::open(path)?).lines().next().ok_or("no header")??;
    // Headers here hold no commas.
    let fields: Vec<Field> = first.split(',').map(|n| Field::new(n.trim_matches('"'), DataType::Utf8, true)).collect();
    let reader = arrow_csv::ReaderBuilder::new(Arc::new(Schema::new(fields))).with_header(true).build(File::open(path)?)?;
    Ok(reader.collect::<Result<_, _>>()?)
}

fn columns(folder: &Path, knowledge: &Knowledge) -> Result<(), Failed> {
    let mut out = File::create(folder.join("found.tsv"))?;
    let mut files: Vec<_> = std::fs::read_dir(folder.join("tables"))?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(|f| f.file_name());
    for file in files {
        let name = file.file_name().to_string_lossy().into_owned();
        let mut parts = name.split('.');
        let (Some(table), Some(variant)) = (parts.next(), parts.next()) else { continue };
        let scan = Scan::of(&read(&file.path())?, knowledge);
        for (index, finding) in scan.columns.iter().enumerate() {
            let kind = finding.found.as_ref().map_or("", |c| c.kind.as_str());
            let role = serde_json::to_value(finding.role)?;
            let beside: Vec<&str> = finding.as_likely().map(|c| c.kind.as_str()).collect();
            writeln!(out, "{table}\t{variant}\t{index}\t{kind}\t{}\t{}", role.as_str().unwrap_or(""), beside.join("|"))?;
        }
    }
    Ok(())
}

fn texts(folder: &Path, knowledge: &Knowledge) -> Result<(), Failed> {
    let Ok(lines) = File::open(folder.join("texts.jsonl")) else { return Ok(()) };
    let mut out = File::create(folder.join("found.ours.jsonl"))?;
    let (mut bytes, mut spent) = (0, std::time::Duration::ZERO);
    for line in BufReader::new(lines).lines() {
        let item: serde_json::Value = serde_json::from_str(&line?)?;
        let text = item.get("text").and_then(|t| t.as_str()).unwrap_or_default();
        let start = std::time::Instant::now();
        let spots = pets::text::find(text, knowledge);
        spent += start.elapsed();
        bytes += text.len();
        // The labels count characters, we count bytes.
        let chars = |at: usize| text.get(..at).map_or(0, |t| t.chars().count());
        let spans: Vec<_> = spots.iter().map(|s| (chars(s.range.start), chars(s.range.end), &s.kind)).collect();
        writeln!(out, "{}", serde_json::to_string(&spans)?)?;
    }
    println!("ours\t{:.4}\tMB/s", bytes as f64 / 1e6 / spent.as_secs_f64());
    Ok(())
}
