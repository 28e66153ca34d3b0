//! `tegata watch`: keeps a register, and tells what turns and when as rules change.

use super::register;
use crate::rules_source;
use clap::Args;
use decide::engine::Engine;
use model::{AsOf, CivilDate, Digest};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

/// Keep a list of transfers: what turned since the last look, and what will turn on which day.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata watch register.xlsx                first look: remembers, and tells what will turn
  tegata watch register.xlsx                later: tells what turned since, and by which rule
  tegata watch register.csv --as-of 2024-03-23 --until 2024-03-24

Exit code: 0 nothing turned for the worse, 10 something did.")]
pub struct Watch {
    /// The list of transfers that a firm keeps (.xlsx or .csv).
    register: PathBuf,
    /// The civil day whose law is asked for (default: today).
    #[arg(long, value_name = "DAY")]
    as_of: Option<CivilDate>,
    /// Also answer for this later day and tell the difference.
    #[arg(long, value_name = "DAY")]
    until: Option<CivilDate>,
    /// Where the last look is remembered (default: beside the register).
    #[arg(long, value_name = "FILE")]
    memory: Option<PathBuf>,
    /// Do not remember this look.
    #[arg(long)]
    dry_run: bool,
    /// Say what a column stands for: HEADER=fact.
    #[arg(long, value_name = "HEADER=FACT")]
    column: Vec<String>,
    #[command(flatten)]
    common: super::Common,
}

/// What is remembered of a look.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    schema: String,
    on: CivilDate,
    rulebook: String,
    rows: BTreeMap<String, Remembered>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    verdict: String,
    opens: bool,
    by: Vec<String>,
    /// The digest of the row's facts: tells an edited row from a changed law. Older memories have none.
    #[serde(default)]
    facts: Option<Digest>,
}

/// Runs the verb.
pub fn run(watch: Watch) -> ExitCode {
    match look(&watch) {
        Ok(worse) => ExitCode::from(if worse { 10 } else { 0 }),
        Err(e) => {
            errln!("{e}");
            ExitCode::from(2)
        }
    }
}

fn look(watch: &Watch) -> Result<bool, String> {
    let voice = watch.common.voice();
    let mut engine = Engine::new(rules_source::load_law(watch.common.rules.as_deref())?);
    let on = watch.as_of.unwrap_or_else(super::today);
    if let Some(until) = watch.until.filter(|until| *until < on) {
        return Err(format!("error[TGT-C003]: --until {until} lies before the day that is asked for, {on}"));
    }
    let register = register::read(&engine, &watch.register, &watch.column)?;
    if let Some((id, lines)) = register.doubled().first() {
        // What is remembered is remembered by name.
        return Err(format!("error[TGT-C007]: two rows of `{}` have the name `{id}` (lines {lines}); give each its own", watch.register.display()));
    }
    let answers = register::decide(&mut engine, &register, AsOf::then(on), true)?;
    let memory = watch.memory.clone().unwrap_or_else(|| {
        let mut name = watch.register.file_name().unwrap_or_default().to_os_string();
        name.push(".tegata-watch.json");
        watch.register.with_file_name(name)
    });
    let before = remembered(&memory)?;
    let mut out = Vec::new();
    let mut worse = false;
    for (row, answer) in register.rows.iter().zip(&answers) {
        let Ok(decision) = answer else { continue };
        let old = before.as_ref().and_then(|l| l.rows.get(&row.id));
        if let Some(old) = old.filter(|o| o.verdict != decision.verdict.word()) {
            worse |= old.opens && !decision.verdict.opens();
            let since = before.as_ref().map(|l| l.on.to_string()).unwrap_or_default();
            let same_rules = before.as_ref().is_some_and(|l| l.rulebook == engine.book.digest().to_string());
            let why = match old.facts {
                Some(facts) if facts != decision.transfer => "watch-by-row",
                _ if !same_rules => "watch-by-rules",
                _ => "watch-by-day",
            };
            out.push(format!("{:<14} {} → {} ({since}; {})", row.id, voice.word(&format!("verdict-{}", old.verdict)), voice.verdict(decision.verdict), voice.word(why)));
            out.push(format!("       {}", decision.worst().map(|c| super::check::one_line(c, voice)).unwrap_or_default()));
        }
        if let Some(day) = decision.holds_until {
            let then = engine.book.bind(&row.transfer()).ok().map(|b| engine.decide(&b, AsOf { on: day, published_by: day })).transpose().map_err(super::too_many)?;
            let (verdict, why) = then.map(|d| (voice.verdict(d.verdict), d.worst().map(|c| super::check::one_line(c, voice)).unwrap_or_default())).unwrap_or_default();
            out.push(format!("{:<14} {} → {verdict} {day}", row.id, voice.verdict(decision.verdict)));
            out.push(format!("       {why}"));
        }
    }
    if let Some(until) = watch.until {
        let later = register::decide(&mut engine, &register, AsOf::then(until), false)?;
        for ((row, a), b) in register.rows.iter().zip(&answers).zip(&later) {
            if let (Ok(a), Ok(b)) = (a, b) {
                if a.verdict != b.verdict || a.deciding_ids() != b.deciding_ids() {
                    worse |= a.verdict.opens() && !b.verdict.opens();
                    out.push(format!("{:<14} {on} {} → {until} {}", row.id, voice.verdict(a.verdict), voice.verdict(b.verdict)));
                    out.push(format!("       {}", b.worst().map(|c| super::check::one_line(c, voice)).unwrap_or_default()));
                }
            }
        }
    }
    if before.is_none() && !watch.dry_run {
        out.insert(0, words::say(voice.language, "watch-first", &[("n", words::Arg::Number(answers.len() as i64))]));
    } else if out.is_empty() {
        out.push(voice.word("watch-nothing"));
    }
    let shut = answers.iter().filter(|a| !a.as_ref().is_ok_and(|d| d.verdict.opens())).count();
    out.push(words::say(voice.language, "watch-count", &[("n", words::Arg::Number(answers.len() as i64)), ("shut", words::Arg::Number(shut as i64))]));
    super::print_lines(&out);
    if !watch.dry_run {
        let rows = register.rows.iter().zip(&answers).filter_map(|(row, a)| {
            let d = a.as_ref().ok()?;
            let by = d.deciding_ids().into_iter().map(str::to_string).collect();
            Some((row.id.clone(), Remembered { verdict: d.verdict.word().into(), opens: d.verdict.opens(), by, facts: Some(d.transfer) }))
        });
        let look = Look { schema: "tegata.watch.1".into(), on, rulebook: engine.book.digest().to_string(), rows: rows.collect() };
        super::write_whole(&memory, serde_json::to_string_pretty(&look).unwrap_or_default().as_bytes())?;
        errln!("{}", words::say(voice.language, "watch-remembered", &[("path", words::Arg::Text(&memory.display().to_string()))]));
    }
    Ok(worse)
}

fn remembered(path: &std::path::Path) -> Result<Option<Look>, String> {
    match std::fs::read_to_string(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(format!("error[TGT-C001]: cannot read `{}`: {e}", path.display())),
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|e| format!("error[TGT-C005]: `{}` is not what watch remembered: {e}; delete it to begin anew", path.display())),
    }
}
