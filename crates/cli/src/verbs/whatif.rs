//! `tegata whatif`: a draft laid over the rules, and what it would do.

use super::diff::{Shown, report};
use crate::{complaint, rules_source};
use clap::Args;
use decide::{change, engine::Engine};
use model::{AsOf, CivilDate};
use rulebook::book::{Source, loads};
use std::{path::PathBuf, process::ExitCode};

/// Lay a draft over the rules, or strike something, and see what would turn before it binds.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata whatif --draft draft.md register.xlsx          a rule file that replaces or adds to the rules
  tegata whatif --draft eu/gdpr-chapter-v.md=draft.md   in the place of this file
  tegata whatif --strike eu.adequacy#JP register.csv    an entry of a list falls

Exit codes: 0 nothing closes, 10 something closes, 2 usage.")]
pub struct WhatIf {
    /// The list of transfers that a firm keeps.
    register: Option<PathBuf>,
    /// A rule file of the draft, [PATH=]FILE: it takes the place of PATH below the rules (default: its own name).
    #[arg(long, value_name = "FILE", required_unless_present = "strike")]
    draft: Vec<String>,
    /// A rule id, list entry or words of a citation that falls.
    #[arg(long, value_name = "WHAT")]
    strike: Vec<String>,
    /// The civil day whose law is asked for (default: today).
    #[arg(long, value_name = "DAY")]
    as_of: Option<CivilDate>,
    /// The day for the draft, if it begins later.
    #[arg(long, value_name = "DAY")]
    then: Option<CivilDate>,
    /// Show regions that only rest on another clause too.
    #[arg(long)]
    all: bool,
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
pub fn run(verb: WhatIf) -> ExitCode {
    match answer(&verb) {
        Ok(code) => ExitCode::from(code),
        Err(e) => {
            eprintln!("{e}");
            ExitCode::from(2)
        }
    }
}

fn answer(verb: &WhatIf) -> Result<u8, String> {
    let book = rules_source::load_law(verb.common.rules.as_deref())?;
    let draft = verb.draft.iter().map(|d| source(d)).collect::<Result<Vec<_>, _>>()?;
    let (mut drafted, findings) = change::overlaid(&book, draft);
    if !loads(&findings) {
        complaint::print(&findings, &drafted.sources);
        return Err("error[TGT-R000]: with this draft the rules do not load".into());
    }
    for what in &verb.strike {
        if drafted.strike(what).is_empty() {
            return Err(format!("error[TGT-C006]: no rule or list entry matches `{what}`"));
        }
    }
    let on = verb.as_of.unwrap_or_else(super::today);
    let then = verb.then.unwrap_or(on);
    let mut before = Engine::new(book);
    let mut after = before.revised(drafted);
    let shown = Shown { layer: "", all: verb.all, register: verb.register.as_deref(), column: &verb.column, json: verb.json, voice: verb.common.voice() };
    report(&mut before, AsOf::then(on), &mut after, AsOf::then(then), &shown)
}

fn source(text: &str) -> Result<Source, String> {
    let (path, file) = text.split_once('=').map_or((None, text), |(p, f)| (Some(p), f));
    let read = std::fs::read_to_string(file).map_err(|e| format!("error[TGT-C001]: cannot read `{file}`: {e}"))?;
    let name = PathBuf::from(file).file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Source { path: path.map_or_else(|| format!("draft/{name}"), str::to_string), text: read })
}
