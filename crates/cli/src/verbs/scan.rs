//! `tegata scan`: what each column holds, with evidence, and which columns single people out.

use crate::verdict::Voice;
use clap::Args;
use pets::{
    classify::{Evidence, Finding, Scan as Found},
    dictionary::Role,
};
use std::{path::PathBuf, process::ExitCode};
use words::{Arg, say};

/// Look at a table: which columns identify people, alone or together. Nothing leaves the machine; no value is printed.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata scan patients.csv
  tegata scan export.parquet --json
  tegata scan list.xlsx --dictionary list.dictionary.toml    write what was found, to correct by hand")]
pub struct Scan {
    /// A table: .csv (UTF-8 or Shift_JIS), .xlsx or .parquet.
    file: PathBuf,
    /// Write the findings as a dictionary that a person corrects and `tegata protect` takes.
    #[arg(long, value_name = "FILE")]
    dictionary: Option<PathBuf>,
    /// Print the findings as one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: super::Common,
}

/// Runs the verb.
pub fn run(scan: Scan) -> ExitCode {
    match look(&scan) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            errln!("{e}");
            ExitCode::from(2)
        }
    }
}

fn look(scan: &Scan) -> Result<(), String> {
    let wrong = |e: node::protect::ProtectError| format!("error[{}]: {e}", e.code());
    let wheel = super::wheel(&scan.file.display().to_string());
    let found = node::protect::scan(&scan.file, &node::protect::knowledge().map_err(wrong)?).map_err(wrong)?;
    wheel.finish_and_clear();
    if let Some(path) = &scan.dictionary {
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
        let kind = c.found.as_ref().map(|f| f.kind.clone()).unwrap_or_else(|| "–".into());
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
        Evidence::Contradicted { unfitting, of } => format!("contradicted {unfitting}/{of}"),
    }).collect();
    parts.push(format!("{:+} dB", found.decibans));
    parts.join(", ")
}
