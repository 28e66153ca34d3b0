//! `tegata duties`: what contracts leave to be done after delivery, on both sides, and a person's word that it was done.

use crate::{door::{Asking, Fault, part}, verdict::Voice};
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;
use words::{Arg, say};

/// Duties after delivery: what is owed, by whom, until when, and what is overdue.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata duties --dir boston                                              all, overdue ones first
  tegata duties --attest ID --says \"deleted from the warehouse\" --dir boston    your word; it goes to the provider and into the log

Exit codes: 0 nothing is overdue, 12 something is, 2 usage, 3 no node serves.")]
pub struct Duties {
    /// Say that this duty of yours was done.
    #[arg(long, value_name = "ID", requires = "says")]
    attest: Option<String>,
    /// What was done.
    #[arg(long, value_name = "TEXT", requires = "attest")]
    says: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

/// Runs the verb.
pub fn run(duties: Duties) -> ExitCode {
    match tell(&duties) {
        Ok((lines, overdue)) => {
            super::print_lines(&lines);
            if overdue { ExitCode::from(12) } else { ExitCode::SUCCESS }
        }
        Err(fault) => fault.exit(),
    }
}

fn tell(duties: &Duties) -> Result<(Vec<String>, bool), Fault> {
    let door = duties.asking.door()?;
    let voice = duties.asking.voice();
    if let (Some(id), Some(says)) = (&duties.attest, &duties.says) {
        let answer = door.post(&format!("/v1/duties/{}/attest", part(id)), &json!({ "says": says }))?;
        return Ok((vec![if duties.asking.json { answer.to_string() } else { line(&answer, voice) }], false));
    }
    let answer = door.get("/v1/duties")?;
    let all = answer.get("duties").and_then(Value::as_array).cloned().unwrap_or_default();
    let overdue = all.iter().any(|d| d.get("overdue").and_then(Value::as_bool) == Some(true));
    if duties.asking.json {
        return Ok((vec![answer.to_string()], overdue));
    }
    let mut lines: Vec<String> = all.iter().map(|d| line(d, voice)).collect();
    if lines.is_empty() {
        lines.push(voice.word("duties-none"));
    }
    Ok((lines, overdue))
}

/// One duty in a line, and what to do in a second one.
pub fn line(duty: &Value, voice: Voice) -> String {
    let text = |pointer: &str| duty.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_string();
    let yes = |key: &str| duty.get(key).and_then(Value::as_bool) == Some(true);
    let says = match voice.language {
        model::text::Language::En => text("/says/en"),
        model::text::Language::Ja => text("/says/ja"),
    };
    let moment = |key: &str| duty.get(key).and_then(Value::as_i64).map(|ms| model::Instant(ms).to_string());
    let due = moment("due").unwrap_or_else(|| voice.word("duties-no-day"));
    let who = voice.word(if yes("ours") { "duties-ours" } else { "duties-theirs" });
    let standing = match (duty.get("done").is_some_and(|d| !d.is_null()), yes("overdue")) {
        (true, _) => voice.word(if text("/done/how") == "program" { "duties-done" } else { "duties-attested" }),
        (false, true) => voice.word("duties-overdue"),
        (false, false) => voice.word("duties-open"),
    };
    let mark = if yes("overdue") { "■" } else { "·" };
    let mut out = format!("{mark} {}  {standing}  {who} {}  {}  {due}\n    {says}", text("/id"), text("/peer"), text("/dataset"));
    if let Some(untold) = duty.get("untold").and_then(Value::as_str) {
        out.push_str(&format!("\n    {}", say(voice.language, "duties-untold", &[("why", Arg::Text(untold))])));
    }
    if yes("needs_person") {
        out.push_str(&format!("\n    {}", say(voice.language, "duties-attest", &[("id", Arg::Text(&text("/id")))])));
    }
    out
}
