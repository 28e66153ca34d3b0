//! `tegata diff`: what a change of law does, region by region, and which rows of a register turn.

use super::register;
use crate::{rules_source, verdict::Voice};
use clap::Args;
use decide::{
    change::{self, Region, Side, Stands},
    engine::Engine,
};
use model::{AsOf, CivilDate};
use std::{path::{Path, PathBuf}, process::ExitCode};
use words::{Arg, say};

/// Compare two days, or two folders of rules, by what they answer: each change with a transfer that shows it.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata diff 2020-07-15 2020-07-16 --layer eu
  tegata diff 2026-11-22 2026-12-02 --register register.xlsx
  tegata diff old/rules new/rules

For what begins and ends as text: tegata rules diff. Exit codes: 0 nothing closes, 10 something closes, 2 usage.")]
pub struct Diff {
    /// A day, or a folder of rules.
    from: String,
    /// A later day, or another folder.
    to: String,
    /// Only layers whose id begins so.
    #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    layer: String,
    /// Show regions that only rest on another clause too.
    #[arg(long)]
    all: bool,
    /// The list of transfers that a firm keeps: which rows turn.
    #[arg(long, value_name = "FILE")]
    register: Option<PathBuf>,
    /// For a register: HEADER=fact.
    #[arg(long, value_name = "HEADER=FACT")]
    column: Vec<String>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: super::Common,
}

/// Runs the verb.
pub fn run(diff: Diff) -> ExitCode {
    match answer(&diff) {
        Ok(code) => ExitCode::from(code),
        Err(e) => {
            eprintln!("{e}");
            ExitCode::from(2)
        }
    }
}

fn answer(diff: &Diff) -> Result<u8, String> {
    let days = [&diff.from, &diff.to].map(|t| t.parse::<CivilDate>().ok());
    let (mut before, a, mut after, b) = match days {
        [Some(a), Some(b)] => {
            let book = rules_source::load_law(diff.common.rules.as_deref())?;
            (Engine::new(book.clone()), AsOf::then(a), Engine::new(book), AsOf::then(b))
        }
        [None, None] => {
            let today = AsOf::then(super::today());
            let [a, b] = [&diff.from, &diff.to].map(|f| rules_source::load_law(Some(Path::new(f))));
            (Engine::new(a?), today, Engine::new(b?), today)
        }
        _ => return Err("error[TGT-C003]: give two days, or two folders of rules".into()),
    };
    report(&mut before, a, &mut after, b, &Shown { layer: &diff.layer, all: diff.all, register: diff.register.as_deref(), column: &diff.column, json: diff.json, voice: diff.common.voice() })
}

/// What is to be shown of a change.
pub struct Shown<'a> {
    /// Only layers whose id begins so.
    pub layer: &'a str,
    /// Regions that only rest on another clause too.
    pub all: bool,
    /// Rows of a register.
    pub register: Option<&'a Path>,
    /// What its columns stand for.
    pub column: &'a [String],
    /// As one document.
    pub json: bool,
    /// How to speak.
    pub voice: Voice,
}

/// Prints what turns between two sides; 10 if something closes.
pub fn report(before: &mut Engine, a: AsOf, after: &mut Engine, b: AsOf, shown: &Shown<'_>) -> Result<u8, String> {
    let mut regions = change::effect(before, a, after, b).map_err(super::too_many)?;
    regions.retain(|r| r.layer.starts_with(shown.layer) && (shown.all || r.turns()));
    let register = shown.register.map(|file| register::read(before, file, shown.column)).transpose()?;
    let transfers: Vec<_> = register.iter().flat_map(|r| &r.rows).map(|row| row.transfer()).collect();
    let turns = change::turns(before, a, after, b, &transfers).map_err(super::too_many)?;
    let closes = if register.is_some() {
        turns.iter().any(|t| t.before.opens() && !t.after.opens())
    } else {
        regions.iter().any(|r| r.before.stands != Stands::Refused && r.after.stands == Stands::Refused)
    };
    let voice = shown.voice;
    let row = |n: usize| register.as_ref().and_then(|r| r.rows.get(n));
    if shown.json {
        let rows: Vec<_> = turns.iter().map(|t| serde_json::json!({ "line": row(t.row).map(|r| r.line), "id": row(t.row).map(|r| r.id.clone()), "before": t.before, "after": t.after })).collect();
        let document = serde_json::json!({ "schema": "tegata.effect.1", "before": a, "after": b, "rulebooks": [before.book.digest(), after.book.digest()], "regions": regions, "rows": rows });
        super::print_lines(&[document.to_string()]);
    } else {
        let mut out = vec![say(voice.language, "effect-regions", &[("n", Arg::Number(regions.len() as i64))])];
        regions.iter().for_each(|r| out.extend(lines(after, before, r, voice)));
        if register.is_some() {
            out.push(say(voice.language, "effect-rows", &[("n", Arg::Number(turns.len() as i64)), ("all", Arg::Number(transfers.len() as i64))]));
            for t in &turns {
                let (line, id) = row(t.row).map(|r| (r.line, r.id.clone())).unwrap_or_default();
                out.push(format!("{line:>4} {id:<14} {} → {}", voice.verdict(t.before), voice.verdict(t.after)));
            }
        }
        super::print_lines(&out);
    }
    Ok(if closes { 10 } else { 0 })
}

fn lines(after: &Engine, before: &Engine, r: &Region, voice: Voice) -> Vec<String> {
    let side = |engine: &Engine, s: &Side| {
        let word = voice.word(match s.stands {
            Stands::Outside => "effect-outside",
            Stands::Open => "effect-open",
            Stands::Refused => "effect-refused",
        });
        match s.clause.as_ref().and_then(|c| engine.book.head(c)) {
            Some(h) => format!("{word} ({})", voice.provision(&h.cites)),
            None => word,
        }
    };
    let facts: Vec<String> = r.witness.iter().map(|(s, v)| format!("{s}={}", node::question::plain(v))).collect();
    let verdicts = r.verdicts.map(|(a, b)| format!("; {} → {}", voice.verdict(a), voice.verdict(b))).unwrap_or_default();
    vec![
        format!("{}: {} → {}{verdicts}", r.layer, side(before, &r.before), side(after, &r.after)),
        format!("    {}", facts.join(" ")),
    ]
}
