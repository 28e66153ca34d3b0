//! `tegata observed`: what would have been refused, of what a policy engine of others asked.

use crate::door::{Asking, Fault, end, part};
use clap::Args;
use model::CivilDate;
use serde_json::Value;
use std::{collections::BTreeMap, process::ExitCode};
use words::{Arg, say};

/// What another policy engine asked, and what would have been refused here: counts by rule, counter-party and day.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata observed --dir munich                                            the last thirty days
  tegata observed --dir munich --from 2026-11-01 --until 2026-11-30 --counterparty did:web:boston.example
  tegata observed --dir munich --json

The engine asks by POST /v1/checks?observe=true, which blocks nothing. Exit codes: 0 done, 2 usage, 3 no node serves.")]
pub struct Observed {
    /// The first day, UTC (default: thirty days before the last).
    #[arg(long, value_name = "DAY")]
    from: Option<CivilDate>,
    /// The last day, UTC (default: today).
    #[arg(long, value_name = "DAY")]
    until: Option<CivilDate>,
    /// Of this counter-party alone.
    #[arg(long, value_name = "ID")]
    counterparty: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

/// Runs the verb.
pub fn run(observed: Observed) -> ExitCode {
    end(tell(&observed))
}

fn tell(observed: &Observed) -> Result<Vec<String>, Fault> {
    let days = [("from", observed.from), ("until", observed.until)];
    let days = days.into_iter().filter_map(|(key, day)| day.map(|day| format!("{key}={day}")));
    let of = observed.counterparty.as_ref().map(|id| format!("counterparty={}", part(id)));
    let query: Vec<String> = days.chain(of).collect();
    let answer = observed.asking.door()?.get(&format!("/v1/checks/observed?{}", query.join("&")))?;
    Ok(if observed.asking.json { vec![answer.to_string()] } else { lines(&answer, observed) })
}

fn number(of: &Value, key: &str) -> u64 {
    of.get(key).and_then(Value::as_u64).unwrap_or_default()
}

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What a map counts, most first.
fn counted<'a>(of: &'a Value, key: &str, n: impl Fn(&Value) -> u64) -> Vec<(&'a str, u64, &'a Value)> {
    let map = of.get(key).and_then(Value::as_object);
    let mut all: Vec<_> = map.into_iter().flatten().map(|(name, value)| (name.as_str(), n(value), value)).collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    all
}

fn lines(answer: &Value, observed: &Observed) -> Vec<String> {
    let voice = observed.asking.voice();
    let none = Value::Null;
    let total = answer.get("total").unwrap_or(&none);
    let totals = |of: &Value| {
        let n = ["asked", "let", "refused", "unjudged"].map(|key| (key, number(of, key).to_string()));
        say(voice.language, "observed-total", &n.each_ref().map(|(key, n)| (*key, Arg::Text(n))))
    };
    let mut out = vec![format!("{} – {}: {}", text(answer, "from"), text(answer, "until"), totals(total))];
    if number(total, "asked") == 0 {
        out.push(voice.word("observed-none"));
        return out;
    }
    let rules = counted(total, "rules", |rule| number(rule, "n"));
    if !rules.is_empty() {
        out.push(voice.word("observed-rules"));
    }
    for (rule, n, named) in rules {
        let cures = counted(named, "cures", |n| n.as_u64().unwrap_or_default());
        let cures: Vec<String> = cures.into_iter().take(3).map(|(cure, n, _)| format!("{cure} ({n})")).collect();
        let cures = if cures.is_empty() { voice.word("observed-no-cure") } else { cures.join(", ") };
        out.push(format!("  {n:>6}  {}  {rule}  → {cures}", words::cite(voice.language, text(named, "article"))));
    }
    let missing = counted(total, "missing", |n| n.as_u64().unwrap_or_default());
    if !missing.is_empty() {
        out.push(voice.word("observed-missing"));
        out.extend(missing.into_iter().map(|(slot, n, _)| format!("  {n:>6}  {slot}")));
    }
    let days = answer.get("days").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (key, heading) in [("counterparty", "observed-parties"), ("day", "observed-days")] {
        out.push(voice.word(heading));
        let mut by: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
        for day in days {
            let sum = by.entry(text(day, key)).or_default();
            ["asked", "let", "refused", "unjudged"].iter().zip(sum).for_each(|(name, sum)| *sum += number(day, name));
        }
        for (name, [asked, let_go, refused, unjudged]) in by {
            let of = serde_json::json!({ "asked": asked, "let": let_go, "refused": refused, "unjudged": unjudged });
            out.push(format!("  {name}: {}", totals(&of)));
        }
    }
    if answer.get("left_off") == Some(&Value::Bool(true)) {
        out.push(voice.word("observed-left-off"));
    }
    out
}
