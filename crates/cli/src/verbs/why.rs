//! `tegata why`: why a transfer may or may not go, or why a negotiation or flow of one's node stands where it stands.

use crate::{door::{self, Door, Fault, Which, part}, verdict::Voice};
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;
use words::{Arg, say};

/// Why: of a transfer file, the whole tree of conditions; of a negotiation or flow of your node, whose move it is and which rule stops it.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata why transfer.toml                 as `tegata check transfer.toml --explain`
  tegata why --dir boston                  every negotiation and flow of the node
  tegata why ID --dir boston               one of them")]
pub struct Why {
    /// A transfer file, or the id of a negotiation or flow; nothing: all of them.
    what: Option<String>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    common: super::Common,
}

/// Runs the verb.
pub fn run(why: Why) -> ExitCode {
    if let Some(file) = why.what.as_ref().filter(|w| std::path::Path::new(w).is_file()) {
        return super::check::explain(file, &why.common);
    }
    door::end(tell(&why))
}

/// The moves in two lanes, ours left and theirs right; then why, what to do, and what binds.
fn explained(told: &Value, voice: Voice) -> Vec<String> {
    let language = match voice.language {
        model::text::Language::En => "en",
        model::text::Language::Ja => "ja",
    };
    let said = |v: &Value| v.get(language).and_then(Value::as_str).unwrap_or_default().to_string();
    let list = |key: &str| told.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let pad = |text: &str| " ".repeat(26usize.saturating_sub(text.chars().count()));
    let (ours, theirs) = (voice.word("page-lane-ours"), voice.word("page-lane-theirs"));
    let mut out = vec![format!("    {ours}{}│ {theirs}", pad(&ours))];
    for step in list("steps") {
        let state = step.get("state").and_then(Value::as_str).unwrap_or_default();
        let at = step.get("at").and_then(Value::as_i64).map(|ms| model::Instant(ms).to_string()).unwrap_or_default();
        match step.get("ours").and_then(Value::as_bool) {
            Some(true) => out.push(format!("    {state}{}│{}  {at}", pad(state), " ".repeat(14))),
            _ => out.push(format!("    {}│ {state}{}  {at}", " ".repeat(26), " ".repeat(13usize.saturating_sub(state.len())))),
        }
    }
    out.push(format!("    {}", told.get("why").map(&said).unwrap_or_default()));
    out.push(format!("    → {}", told.get("todo").map(&said).unwrap_or_default()));
    for choice in list("choices") {
        let act = choice.get("act").and_then(Value::as_str).unwrap_or_default();
        out.push(format!("      {act}: {}", choice.get("says").map(&said).unwrap_or_default()));
    }
    for line in list("terms") {
        out.push(format!("      {}", said(&line)));
    }
    out
}

fn tell(why: &Why) -> Result<Vec<String>, Fault> {
    let door = Door::find(&why.which)?;
    let voice = why.common.voice();
    let mut out = Vec::new();
    let list = |path: &str, key: &str| -> Result<Vec<Value>, Fault> {
        Ok(door.get(path)?.get(key).and_then(Value::as_array).cloned().unwrap_or_default())
    };
    let wanted = |v: &Value| why.what.as_ref().is_none_or(|id| v.get("id").and_then(Value::as_str) == Some(id));
    let text = |v: &Value, pointer: &str| v.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_string();
    let negotiations = door.get("/v1/negotiations")?;
    // A revocation stops what is asked for before there is a process to tell of it.
    for told in negotiations.get("revoked").and_then(Value::as_array).into_iter().flatten().filter(|_| why.what.is_none()) {
        out.push(format!("■ {} — {}", text(told, "/code"), say(voice.language, "why-revoked", &[("who", Arg::Text(&text(told, "/who")))])));
    }
    for n in negotiations.get("negotiations").and_then(Value::as_array).into_iter().flatten().filter(|v| wanted(v)) {
        let turn = voice.word(&format!("why-move-{}", text(n, "/move_of")));
        out.push(format!("{}  {}  {} · {}", text(n, "/id"), text(n, "/dataset"), text(n, "/state"), turn));
        out.push(format!("    {} {}", text(n, "/role"), text(n, "/peer")));
        if n.get("waits_for_answer").and_then(Value::as_bool) == Some(true) {
            out.push(format!("    {}", voice.word("why-waits")));
        }
        // Asked about one of them: the two lanes, why, and what to do.
        let mut known: Vec<Value> = Vec::new();
        if why.what.is_some() {
            let told = door.get(&format!("/v1/negotiations/{}/explained", part(&text(n, "/id"))))?;
            known = told.get("reasons").and_then(Value::as_array).cloned().unwrap_or_default();
            out.extend(explained(&told, voice));
        }
        if let Some(ended) = n.get("ended").filter(|e| !e.is_null()) {
            out.push(format!("    ■ {}", text(ended, "/code")));
            let mut lines = super::get::lines_of(ended, voice);
            // What we know of the end and the peer was not told.
            let more = known.iter().filter_map(Value::as_str).filter(|l| !l.starts_with("rule=") && !lines.iter().any(|said| said == l));
            lines.extend(more.map(str::to_string).collect::<Vec<_>>());
            out.extend(lines.iter().map(|l| format!("      {l}")));
        }
    }
    for f in list("/v1/flows", "flows")?.iter().filter(|v| wanted(v)) {
        let count = |pointer: &str| f.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
        let delivered = say(voice.language, "why-delivered", &[("chunks", Arg::Number(count("/delivered/chunks"))), ("bytes", Arg::Number(count("/delivered/bytes")))]);
        out.push(format!("{}  {}  {} · {delivered}", text(f, "/id"), text(f, "/dataset"), text(f, "/state")));
        if let Some(stop) = f.get("stop").filter(|s| !s.is_null()) {
            let says = match voice.language {
                model::text::Language::En => text(stop, "/says/en"),
                model::text::Language::Ja => text(stop, "/says/ja"),
            };
            out.push(format!("    ■ {} ({}) — {says}", text(stop, "/cites"), text(stop, "/rule")));
        }
    }
    // What is overdue is said with all, and with the flow that it belongs to.
    let duties = list("/v1/duties", "duties")?;
    let overdue = duties.iter().filter(|d| d.get("overdue").and_then(Value::as_bool) == Some(true));
    for d in overdue.filter(|d| why.what.as_ref().is_none_or(|id| d.get("transfer").and_then(Value::as_str) == Some(id))) {
        out.push(super::duties::line(d, voice));
    }
    match (&why.what, out.is_empty()) {
        (Some(id), true) => {
            // The door says it in the same words as for every thing that is not there.
            door.get(&format!("/v1/negotiations/{}", part(id)))?;
            Ok(out)
        }
        (None, true) => Ok(vec![voice.word("why-nothing")]),
        _ => Ok(out),
    }
}
