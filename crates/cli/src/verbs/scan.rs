//! `tegata scan`: what each column holds, with evidence, and which columns single people out; in running text, who is named.

use crate::verdict::Voice;
use clap::Args;
use pets::{
    classify::{Evidence, Finding, Scan as Found},
    dictionary::Role,
};
use pets::text::{Spot, covered};
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};
use words::{Arg, say};

/// Look at a table or a text: what identifies people, alone or together. Nothing leaves the machine; no value is printed.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata scan patients.csv
  tegata scan export.parquet --json
  tegata scan list.xlsx --dictionary list.dictionary.toml    write what was found, to correct by hand
  tegata scan letter.txt                                     persons, numbers and addresses in English and Japanese text
  tegata scan letter.txt --cover letter.covered.txt          the text with each of them covered by its kind

A text is .txt, .md, .eml, .log, or any file with --text, in UTF-8 or Shift_JIS. A detector overlooks: a person has the last look.")]
pub struct Scan {
    /// A table (.csv in UTF-8 or Shift_JIS, .jsonl, .xlsx, .parquet, .arrow) or a text (.txt, .md, .eml, .log).
    file: PathBuf,
    /// The file is running text, whatever its name.
    #[arg(long, conflicts_with = "dictionary")]
    text: bool,
    /// Write the text with each find covered by its kind: `[person-name]`.
    #[arg(long, value_name = "FILE", conflicts_with = "dictionary")]
    cover: Option<PathBuf>,
    /// Write the findings as a dictionary that a person corrects and `tegata protect` takes.
    #[arg(long, value_name = "FILE")]
    dictionary: Option<PathBuf>,
    /// Write over a dictionary that is there.
    #[arg(long, requires = "dictionary")]
    force: bool,
    /// Print the findings as one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: super::Common,
}

/// Runs the verb.
pub fn run(scan: Scan) -> ExitCode {
    let extension = scan.file.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let is_text = scan.text || ["txt", "md", "eml", "log"].contains(&extension.as_str());
    match if is_text { read(&scan) } else { look(&scan) } {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            errln!("{e}");
            ExitCode::from(2)
        }
    }
}

/// LIMIT: finds listed one by one; the sums by kind are of all.
const LISTED_MAX: usize = 60;

fn read(scan: &Scan) -> Result<(), String> {
    let wrong = |e: node::protect::ProtectError| format!("error[{}]: {e}", e.code());
    let (text, spots) = node::protect::scan_text(&scan.file, &node::protect::knowledge().map_err(wrong)?).map_err(wrong)?;
    if let Some(path) = &scan.cover {
        let same = std::fs::canonicalize(path).is_ok_and(|p| std::fs::canonicalize(&scan.file).is_ok_and(|f| p == f));
        if same {
            return Err("error[TGT-C004]: what is read and what is written must be different files".into());
        }
        super::write_whole(path, covered(&text, &spots).as_bytes())?;
        errln!("{}", path.display());
    }
    let places = places(&text, &spots);
    if scan.json {
        let found: Vec<serde_json::Value> = spots
            .iter()
            .zip(&places)
            .map(|(s, (line, from))| {
                serde_json::json!({ "kind": s.kind, "role": s.role, "line": line, "column": from, "from": s.range.start, "to": s.range.end })
            })
            .collect();
        super::print_lines(&[serde_json::Value::from(found).to_string()]);
        return Ok(());
    }
    let voice = scan.common.voice();
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    let mut out = Vec::new();
    for (n, (spot, (line, column))) in spots.iter().zip(&places).enumerate() {
        *sums.entry(&spot.kind).or_default() += 1;
        if n < LISTED_MAX {
            let at = format!("{line}:{column}");
            out.push(format!("  {at:<10} {:<22} {}", spot.kind, voice.word(&format!("role-{}", spot.role.word()))));
        }
    }
    if spots.len() > LISTED_MAX {
        out.push(format!("  … +{}", spots.len() - LISTED_MAX));
    }
    let kinds: Vec<String> = sums.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
    let lines = text.lines().count() as i64;
    out.push(say(voice.language, "scan-text-summary", &[("lines", Arg::Number(lines)), ("n", Arg::Number(spots.len() as i64)), ("kinds", Arg::Text(&kinds.join(", ")))]));
    super::print_lines(&out);
    Ok(())
}

/// Line and character of each spot, from 1; spots come in the order of the text.
fn places(text: &str, spots: &[Spot]) -> Vec<(usize, usize)> {
    let (mut line, mut start, mut from) = (1, 0, 0);
    let mut out = Vec::with_capacity(spots.len());
    for spot in spots {
        let between = text.get(from..spot.range.start).unwrap_or_default();
        line += between.matches('\n').count();
        if let Some(at) = between.rfind('\n') {
            start = from + at + 1;
        }
        from = spot.range.start;
        out.push((line, text.get(start..from).unwrap_or_default().chars().count() + 1));
    }
    out
}

fn look(scan: &Scan) -> Result<(), String> {
    let wrong = |e: node::protect::ProtectError| format!("error[{}]: {e}", e.code());
    let wheel = super::wheel(&scan.file.display().to_string());
    let found = node::protect::scan(&scan.file, &node::protect::knowledge().map_err(wrong)?).map_err(wrong)?;
    wheel.finish_and_clear();
    if let Some(path) = &scan.dictionary {
        // What a person has corrected is not lost by a slip.
        if path.exists() && !scan.force {
            return Err(format!("error[TGT-C001]: `{}` is there already; --force writes over it", path.display()));
        }
        let text = found.dictionary().render().map_err(|e| format!("error[TGT-N004]: {e}"))?;
        super::write_whole(path, text.as_bytes())?;
        errln!("{}", path.display());
    }
    if scan.json {
        super::print_lines(&[serde_json::to_string(&found).unwrap_or_default()]);
    } else {
        super::print_lines(&lines(&found, scan.common.voice()));
    }
    Ok(())
}

/// The findings for people.
pub fn lines(found: &Found, voice: Voice) -> Vec<String> {
    let mut out = Vec::new();
    let width = found.columns.iter().map(|c| c.column.chars().count()).max().unwrap_or(0).min(28);
    for c in &found.columns {
        let role = voice.word(&format!("role-{}", c.role.word()));
        let kinds: Vec<&str> = c.found.iter().chain(c.as_likely()).map(|f| f.kind.as_str()).collect();
        let kind = if kinds.is_empty() { "–".into() } else { kinds.join(" | ") };
        out.push(format!("  {:<width$}  {:<24} {kind:<22} {}", c.column, role, evidence(c)));
    }
    out.push(String::new());
    for s in found.singling_out.iter().take(4) {
        out.push(say(voice.language, "scan-singles-out", &[
            ("columns", Arg::Text(&s.columns.join(" + "))),
            ("n", Arg::Number(s.uniques as i64)),
            ("of", Arg::Number(s.of as i64)),
        ]));
    }
    let personal = found.columns.iter().filter(|c| !matches!(c.role, Role::NonPersonal)).count();
    out.push(say(voice.language, "scan-summary", &[("rows", Arg::Number(found.rows as i64)), ("columns", Arg::Number(found.columns.len() as i64)), ("n", Arg::Number(personal as i64))]));
    out
}

fn evidence(c: &Finding) -> String {
    let Some(found) = &c.found else { return String::new() };
    let mut parts: Vec<String> = found.evidence.iter().filter(|w| w.decibans > 0).map(|w| match &w.evidence {
        Evidence::Header { word, .. } => format!("header `{word}`"),
        Evidence::CheckDigits { passing, fitting, chance, .. } => format!("check digits {passing}/{fitting} (chance {})", chance.percent(1)),
        Evidence::Form { fitting, of } => format!("form {fitting}/{of}"),
        Evidence::List { listed, of } => format!("listed {listed}/{of}"),
        Evidence::AllDifferent { distinct, records } => format!("all different {distinct}/{records}"),
        Evidence::Mentions { mentioning, of } => format!("mentions {mentioning}/{of}"),
        Evidence::Table { country, columns } => format!("{columns} columns of {country}"),
        Evidence::Contradicted { unfitting, of } => format!("contradicted {unfitting}/{of}"),
    }).collect();
    parts.push(format!("{:+} dB", found.decibans));
    parts.join(", ")
}
