//! `tegata draft`: the papers that a transfer needs, filled from its facts.

use super::asked::Asked;
use clap::Args;
use decide::{
    decision::{ClauseKind, CrossingAnswer},
    engine::Engine,
    knowledge::Truth,
};
use model::{AsOf, CivilDate, transfer::Transfer};
use node::determination::draw_up;
use rulebook::{
    bind::{Bound, Crossing, Known},
    book::Rulebook,
    form::{BLANK, Form, Paper},
};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use words::{Arg, say};

/// The papers that a transfer needs (assessments, annexes to clauses, notices), filled from its facts; without --form, which they are.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata draft transfer.toml                                   which papers this transfer needs, and for what
  tegata draft transfer.toml --form eu.form.tia --out tia.md   one of them; what is not known stays a blank: ______
  tegata draft --from JP --to IN --data contact --form jp.form.notice_28 --lang ja
  tegata draft --all                                           every form

An assessment ends in a block to fill in; `tegata determine` makes a record of it that `check --determination` takes.
Clauses of fixed text are named by version, never copied. No lawyer has reviewed the forms; each says what was read.")]
pub struct Draft {
    #[command(flatten)]
    asked: Asked,
    /// The form to fill, by id.
    #[arg(long, value_name = "ID")]
    form: Option<String>,
    /// Write the paper here instead of printing it.
    #[arg(long, value_name = "FILE", requires = "form")]
    out: Option<PathBuf>,
    /// Write over a paper that is there.
    #[arg(long, requires = "out")]
    force: bool,
    /// List every form.
    #[arg(long, conflicts_with_all = ["form", "file"])]
    all: bool,
    /// The hop that it is about, where the transfer has several.
    #[arg(long, value_name = "HOP")]
    hop: Option<String>,
    /// The name of the exporter, where the file does not say it.
    #[arg(long, value_name = "NAME")]
    exporter: Option<String>,
    /// The name of the recipient, where the file does not say it.
    #[arg(long, value_name = "NAME")]
    recipient: Option<String>,
    /// The civil day whose law is asked for (default: today).
    #[arg(long, value_name = "DAY")]
    as_of: Option<String>,
    #[command(flatten)]
    common: super::Common,
}

/// Runs the verb.
pub fn run(draft: Draft) -> ExitCode {
    super::finish(answer(&draft))
}

fn answer(draft: &Draft) -> Result<Vec<String>, String> {
    let book = crate::rules_source::load_law(draft.common.rules.as_deref())?;
    let language = draft.common.voice().language;
    if draft.all {
        let mut lines = vec![say(language, "papers-all", &[])];
        lines.extend(book.forms.iter().map(|f| listed(f, &f.serves, draft)));
        return Ok(lines);
    }
    let on = match &draft.as_of {
        Some(day) => day.parse::<CivilDate>().map_err(|e| format!("error[TGT-C003]: {e}"))?,
        None => super::today(),
    };
    let transfer = draft.asked.transfer(&book)?;
    let bound = book.bind(&transfer).map_err(|ds| super::faults(&ds))?;
    match &draft.form {
        Some(id) => {
            let text = paper(draft, &book, &transfer, &bound, id, on)?;
            let Some(path) = &draft.out else { return Ok(text.lines().map(str::to_string).collect()) };
            // A paper that a person has filled in is not lost by a slip.
            if path.exists() && !draft.force {
                return Err(format!("error[TGT-C001]: `{}` is there already; --force writes over it", path.display()));
            }
            super::write_whole(path, text.as_bytes())?;
            let (name, blanks) = (path.display().to_string(), text.matches(BLANK).count() as i64);
            Ok(vec![say(language, "paper-written", &[("path", Arg::Text(&name)), ("blanks", Arg::Number(blanks))])])
        }
        None => needed(draft, book, &bound, on),
    }
}

/// The forms that serve a measure, route or obligation of the answer.
fn needed(draft: &Draft, book: Rulebook, bound: &Bound, on: CivilDate) -> Result<Vec<String>, String> {
    let language = draft.common.voice().language;
    let mut engine = Engine::for_few(book);
    let (mut asked, mut laws) = (BTreeSet::new(), BTreeSet::new());
    // Where facts are missing the papers are those that would be needed if the usual holds; the papers leave such facts blank.
    let (usual, _) = engine.book.suppose(bound);
    for bound in [bound, &usual] {
        let decision = engine.decide(bound, AsOf::then(on)).map_err(super::too_many)?;
        asked.extend(decision.crossings.iter().flat_map(spoken_of));
        let layers = decision.crossings.iter().flat_map(|c| &c.layers).filter(|l| l.applies != Truth::No);
        laws.extend(layers.map(|l| jurisdiction(&l.layer).to_string()));
    }
    asked.extend(bound.crossings.iter().flat_map(|c| in_place(&engine.book, c)).filter(|id| laws.contains(jurisdiction(id))));
    let serves = |f: &Form| -> Vec<String> { f.serves.iter().filter(|id| asked.contains(*id)).cloned().collect() };
    let of: Vec<(&Form, Vec<String>)> = engine.book.forms.iter().map(|f| (f, serves(f))).filter(|(_, ids)| !ids.is_empty()).collect();
    let Some((first, _)) = of.first() else { return Ok(vec![say(language, "papers-none", &[])]) };
    let day = on.to_string();
    let mut lines = vec![say(language, "papers-of", &[("date", Arg::Text(&day))])];
    lines.extend(of.iter().map(|(f, ids)| listed(f, ids, draft)));
    let file = draft.asked.file.as_ref().map_or_else(|| "…".to_string(), |f| f.display().to_string());
    let command = format!("tegata draft {file} --form {} --out paper.md", first.head.id);
    lines.push(say(language, "papers-write", &[("command", Arg::Text(&command))]));
    Ok(lines)
}

/// The ids that an answer speaks of: measures of its ways, routes that are met, obligations that arise or may.
fn spoken_of(c: &CrossingAnswer) -> Vec<String> {
    let measures = c.remedies.iter().flat_map(|r| r.measures.iter().map(|m| m.id.clone()));
    let met = |d: &&decide::decision::Clause| d.kind == ClauseKind::Route && d.truth == Truth::Yes;
    let routes = c.layers.iter().flat_map(|l| l.clauses.iter()).chain(&c.deciding).filter(met).map(|d| d.id.clone());
    let obligations = c.obligations.iter().filter(|o| o.truth != Truth::No).map(|o| o.id.clone());
    measures.chain(routes).chain(obligations).collect()
}

/// The law that an id belongs to: its first part.
fn jurisdiction(id: &str) -> &str {
    id.split('.').next().unwrap_or_default()
}

/// The measures that what was said shows in place, of whatever law.
fn in_place(book: &Rulebook, crossing: &Crossing) -> Vec<String> {
    let has = |slot: &str, value: &str| match crossing.facts.get(slot).map(|f| &f.known) {
        Some(Known::Members(m)) => m.contains(value),
        Some(Known::Values(v)) => v.len() == 1 && v.contains(value),
        _ => false,
    };
    let stands = |m: &&rulebook::law::MeasureOffer| m.does.iter().all(|e| has(&e.slot, &e.value));
    book.measures.iter().filter(stands).map(|m| m.id.clone()).collect()
}

fn listed(form: &Form, ids: &[String], draft: &Draft) -> String {
    let language = draft.common.voice().language;
    let kind = say(language, &format!("paper-kind-{}", form.kind.word()), &[]);
    let ids = say(language, "paper-for", &[("ids", Arg::Text(&ids.join(", ")))]);
    format!("  {:<28} {} — {kind}, {}; {ids}", form.head.id, form.title.in_(language), form.head.cites)
}

fn paper(draft: &Draft, book: &Rulebook, transfer: &Transfer, bound: &Bound, id: &str, on: CivilDate) -> Result<String, String> {
    let form = book.form(id).ok_or_else(|| {
        let near = rulebook::diagnostic::did_you_mean(id, book.forms.iter().map(|f| f.head.id.as_str()));
        format!("error[TGT-C015]: there is no form `{id}`; {}", if near.is_empty() { "`tegata draft --all` lists them" } else { &near })
    })?;
    let crossing = one(draft, bound)?;
    let name = |flag: &Option<String>, party: &str| flag.clone().or_else(|| transfer.parties.get(party).and_then(|p| p.name.clone()));
    let (exporter, recipient) = (name(&draft.exporter, &crossing.from), name(&draft.recipient, &crossing.to));
    let data = transfer.datasets.get(&crossing.dataset).and_then(|d| d.name.clone());
    let about = Paper { crossing, exporter: exporter.as_deref(), recipient: recipient.as_deref(), data: data.as_deref(), today: on, transfer: bound.transfer };
    Ok(draw_up(book, form, &about, draft.common.voice().language))
}

/// The crossing that the paper is about.
fn one<'a>(draft: &Draft, bound: &'a Bound) -> Result<&'a Crossing, String> {
    let here: Vec<&Crossing> = bound.crossings.iter().filter(|c| draft.hop.as_ref().is_none_or(|h| *h == c.hop)).collect();
    match here.as_slice() {
        [one] => Ok(one),
        [] => Err(format!("error[TGT-C015]: there is no hop `{}`", draft.hop.as_deref().unwrap_or_default())),
        _ => Err("error[TGT-C015]: a paper is about one hop with one dataset and one group of people; name one with --hop, or draw it up from a file of that hop".into()),
    }
}
