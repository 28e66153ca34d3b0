//! `tegata offer`: a file in the catalog of one's node, with what is known of it for the law.

use super::told::{Facts, Told, facts};
use crate::door::{self, Asking, Door, Fault};
use clap::Args;
use node::act::judgment::Judgment;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};
use words::{Arg, say};

/// Offer a file from your node. The facts are those that `tegata check` takes; peers see the law's condition, never the facts.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata offer study.csv --dir munich --facts transfer.toml --to did:web:boston.example
  tegata offer release.csv --dir munich --facts transfer.toml --report report.json      what `tegata protect` made
  tegata offer study.csv --dir munich --facts transfer.toml --determination tia.json --meter 'volume.NAME=1200, this year'
  tegata offer --dir munich --determination tia-2027.json                           a judgment made again
  tegata offer study.csv --dir munich --facts transfer.toml --terms use.json --word cx-policy:Membership=active --to did:web:boston.example
  tegata offer --dir munich                                                         what is offered

Facts of the recipient in the file are what you know of the participant that --to names. Exit codes: 0 done, 2 usage, 3 the
node refuses (such as an offer to which the law leaves no way at all), or no node serves.")]
pub struct Offer {
    /// The file; without one, what is offered is listed.
    file: Option<PathBuf>,
    /// Its id in the catalog (default: urn:dataset:FILE).
    #[arg(long, value_name = "ID")]
    dataset: Option<String>,
    /// Its name, for people (default: the file's).
    #[arg(long)]
    title: Option<String>,
    #[command(flatten)]
    told: Told,
    /// What that participant is in the words of policies, OPERAND=VALUE, such as cx-policy:Membership=active.
    #[arg(long = "word", value_name = "OPERAND=VALUE", requires = "to")]
    word: Vec<String>,
    /// Terms of use as ODRL, JSON; the law's condition is added. A word that nobody here decides is refused.
    #[arg(long, value_name = "FILE")]
    terms: Option<PathBuf>,
    /// Who sees the offer, as ODRL with the action access (default: every peer).
    #[arg(long, value_name = "FILE")]
    access: Option<PathBuf>,
    /// The report of `tegata protect` on exactly this file.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// A judgment that was concluded (`tegata determine`), for the node to rest on; without a file to offer, it is only told. Repeat for more.
    #[arg(long = "determination", value_name = "FILE")]
    determinations: Vec<PathBuf>,
    /// A counter of the law that the people of the dataset count towards, FACT=PEOPLE; with the window behind it where the rules do not say it.
    #[arg(long, value_name = "FACT=PEOPLE[, WINDOW]")]
    meter: Vec<String>,
    #[command(flatten)]
    asking: Asking,
}

/// Runs the verb.
pub fn run(offer: Offer) -> ExitCode {
    door::end(give(&offer))
}

fn give(offer: &Offer) -> Result<Vec<String>, Fault> {
    let told = tell_judgments(offer)?;
    let Some(file) = &offer.file else { return if told.is_empty() { list(offer) } else { Ok(told) } };
    let source = std::fs::canonicalize(file).map_err(|e| Fault::usage(format!("error[TGT-C001]: cannot read `{}`: {e}", file.display())))?;
    let Facts { ours, theirs } = offer.told.read()?;
    let measured = match &offer.report {
        Some(report) => Some(node::protect::measured(report, &source).map_err(|e| format!("error[{}]: {e}", e.code()))?),
        None => None,
    };
    let ours = match &measured {
        Some(m) => ours.into_iter().chain([super::check::report_fact(&m.profile)]).collect(),
        None => ours,
    };
    let door = offer.asking.door()?;
    if let Some(peer) = offer.told.peer(theirs, words_of(&offer.word)?)? {
        door.post("/v1/peers", &peer)?;
    }
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let dataset = offer.dataset.clone().unwrap_or_else(|| format!("urn:dataset:{}", name.split('.').next().unwrap_or_default()));
    let mut body = json!({ "dataset": dataset, "title": offer.title.clone().unwrap_or(name), "source": source, "facts": facts(ours) });
    if let (Some(m), Some(map)) = (measured, body.as_object_mut()) {
        map.insert("release".into(), json!({ "report": m.report, "content": m.content }));
    }
    let meter = offer.meter.iter().map(|text| metered(text)).collect::<Result<Vec<_>, _>>()?;
    if let (false, Some(map)) = (meter.is_empty(), body.as_object_mut()) {
        map.insert("meter".into(), meter.into());
    }
    for (key, file) in [("terms", &offer.terms), ("access", &offer.access)] {
        if let (Some(file), Some(map)) = (file, body.as_object_mut()) {
            map.insert(key.into(), policy_file(file)?);
        }
    }
    let before = offers(&door)?.into_iter().any(|o| o.get("dataset").and_then(Value::as_str) == Some(dataset.as_str()));
    let nowhere = body.pointer("/facts").and_then(Value::as_object).is_none_or(|facts| !facts.contains_key("exporter.place"));
    let answer = door.post("/v1/offers", &body)?;
    if offer.asking.json {
        return Ok(vec![answer.to_string()]);
    }
    let provider = answer.get("provider").and_then(Value::as_str).unwrap_or_default();
    let language = offer.asking.voice().language;
    let mut lines = told;
    lines.push(say(language, "offer-done", &[("dataset", Arg::Text(&dataset))]));
    if before {
        lines.push(say(language, "offer-replaced", &[("dataset", Arg::Text(&dataset))]));
    }
    if nowhere {
        lines.push(say(language, "offer-nowhere", &[]));
    }
    lines.push(say(language, "offer-next", &[("provider", Arg::Text(provider)), ("dataset", Arg::Text(&dataset))]));
    Ok(lines)
}

/// What is offered now.
fn offers(door: &Door) -> Result<Vec<Value>, Fault> {
    Ok(door.get("/v1/offers")?.get("offers").and_then(Value::as_array).cloned().unwrap_or_default())
}

/// `FACT=PEOPLE`, and a window behind a comma.
fn metered(text: &str) -> Result<Value, Fault> {
    let wrong = || Fault::usage(format!("error[TGT-C002]: `{text}` is no counter with people, such as volume.NAME=1200 or 'volume.NAME=1200, this year'"));
    let (fact, rest) = text.split_once('=').ok_or_else(wrong)?;
    let (people, window) = rest.split_once(',').map_or((rest, None), |(people, window)| (people, Some(window.trim())));
    let people: u64 = people.trim().parse().map_err(|_| wrong())?;
    Ok(match window {
        Some(window) => json!({ "fact": fact.trim(), "people": people, "window": window }),
        None => json!({ "fact": fact.trim(), "people": people }),
    })
}

/// Tells the node of judgments.
fn tell_judgments(offer: &Offer) -> Result<Vec<String>, Fault> {
    let language = offer.asking.voice().language;
    let mut lines = Vec::new();
    for path in &offer.determinations {
        let (record, seal) = super::check::judgment_files(path)?;
        let wrong = || Fault::usage(format!("error[TGT-C015]: `{}`: this is no judgment that `tegata determine` wrote", path.display()));
        let judgment = Judgment::of_files(&record, seal.as_deref()).ok_or_else(wrong)?;
        let held = offer.asking.door()?.post("/v1/determinations", &json!(judgment))?;
        let text = |key: &str| held.pointer(key).and_then(Value::as_str).unwrap_or_default();
        let (fact, until) = (text("/record/fact"), text("/record/until"));
        lines.push(say(language, "judgment-taken", &[("fact", Arg::Text(fact)), ("until", Arg::Text(until))]));
    }
    Ok(lines)
}

/// What was said by `--word`: an operand and all its values.
fn words_of(given: &[String]) -> Result<BTreeMap<&str, Vec<&str>>, Fault> {
    let mut words: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for word in given {
        let pair = word.split_once('=').filter(|(operand, value)| !operand.is_empty() && !value.is_empty());
        let wrong = || Fault::usage(format!("error[TGT-C002]: `{word}` is no OPERAND=VALUE such as cx-policy:Membership=active"));
        let (operand, value) = pair.ok_or_else(wrong)?;
        words.entry(operand).or_default().push(value);
    }
    Ok(words)
}

/// A policy as it lies in a file; what it says is looked at by the node.
fn policy_file(path: &std::path::Path) -> Result<Value, Fault> {
    let text = std::fs::read_to_string(path).map_err(|e| Fault::usage(format!("error[TGT-C001]: cannot read `{}`: {e}", path.display())))?;
    let value: Value = serde_json::from_str(&text).map_err(|e| Fault::usage(format!("error[TGT-C001]: `{}` is no JSON: {e}", path.display())))?;
    match value.is_object() {
        true => Ok(value),
        false => Err(Fault::usage(format!("error[TGT-C001]: `{}` is no policy: one JSON object is", path.display()))),
    }
}

fn list(offer: &Offer) -> Result<Vec<String>, Fault> {
    let answer = offer.asking.door()?.get("/v1/offers")?;
    if offer.asking.json {
        return Ok(vec![answer.to_string()]);
    }
    let all = answer.get("offers").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
    let mut out: Vec<String> = all.iter().map(|o| {
        let hidden = text(o, "hidden");
        format!("{}  {}  {}{}", text(o, "dataset"), text(o, "title"), text(o, "source"), if hidden.is_empty() { String::new() } else { format!("  ✗ {hidden}") })
    }).collect();
    if out.is_empty() {
        out.push(offer.asking.voice().word("offer-none"));
    }
    Ok(out)
}
