//! `tegata get`: a dataset from a provider: agreed, carried chunk by chunk, received with evidence.

use crate::{door::{self, Asking, Door, Fault, part, quoted}, verdict::Voice};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::{io::IsTerminal, path::PathBuf, process::ExitCode, time::{Duration, Instant}};
use words::{Arg, say};

/// Get a dataset: negotiate, and receive it chunk by chunk. It goes on in the node when this verb ends.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata get https://127.0.0.1:8443/dsp urn:dataset:study --dir boston --out study.csv
  tegata get --go-on NEGOTIATION --dir boston --out study.csv          waits again for one that was begun

Exit codes: 0 it is here, 3 the provider refused (its rules are printed), the flow stands still, or nobody answers; 2 usage.")]
pub struct Get {
    /// The provider's address: https://host/dsp.
    #[arg(required_unless_present = "go_on")]
    provider: Option<String>,
    /// The dataset's id, as in the catalog.
    #[arg(required_unless_present = "go_on")]
    dataset: Option<String>,
    /// Wait for a negotiation that was begun.
    #[arg(long, value_name = "ID", conflicts_with_all = ["provider", "dataset"])]
    go_on: Option<String>,
    /// Copy it here (default: it stays in the node's folder).
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How long to wait without progress.
    #[arg(long, default_value = "60", value_name = "SECONDS")]
    wait: u64,
    #[command(flatten)]
    asking: Asking,
}

impl Get {
    /// The arguments with which the same node is asked again, and the same file written.
    fn again(&self) -> String {
        let mut more = self.asking.which.again();
        if let Some(out) = &self.out {
            more.push_str(&format!(" --out {}", quoted(&out.display().to_string())));
        }
        more
    }
}

/// Runs the verb.
pub fn run(get: Get) -> ExitCode {
    door::end(fetch(&get))
}

fn fetch(get: &Get) -> Result<Vec<String>, Fault> {
    if let Some(out) = get.out.as_ref().filter(|o| o.exists()) {
        return Err(Fault::usage(format!("error[TGT-C001]: `{}` is there already", out.display())));
    }
    let door = get.asking.door()?;
    let voice = get.asking.voice();
    let id = match (&get.go_on, &get.provider, &get.dataset) {
        (Some(id), _, _) => id.clone(),
        (None, Some(provider), Some(dataset)) => {
            let begun = door.post("/v1/negotiations", &json!({ "provider": provider, "dataset": dataset }))?;
            begun.get("negotiation").and_then(Value::as_str).unwrap_or_default().to_string()
        }
        _ => return Err(Fault::usage("error[TGT-C002]: say from whom and what")),
    };
    let bar = if std::io::stderr().is_terminal() && !get.asking.json { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
        bar.set_style(style);
    }
    let answer = wait(get, &door, &id, &bar, voice)?;
    bar.finish_and_clear();
    let at = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_string();
    let mut path = PathBuf::from(at("/file/path"));
    if let Some(out) = &get.out {
        copy(&path, out)?;
        path.clone_from(out);
    }
    if get.asking.json {
        return Ok(vec![answer.to_string()]);
    }
    let bytes = answer.pointer("/file/bytes").and_then(Value::as_u64).unwrap_or(0);
    let transfer = at("/flow/id");
    Ok(vec![
        say(voice.language, "get-done", &[("file", Arg::Text(&path.display().to_string())), ("bytes", Arg::Number(bytes as i64)), ("manifest", Arg::Text(&at("/file/manifest")))]),
        say(voice.language, "get-next", &[("transfer", Arg::Text(&transfer)), ("dir", Arg::Text(&get.asking.which.dir.display().to_string()))]),
    ])
}

/// Copies whole or not at all.
fn copy(from: &std::path::Path, to: &std::path::Path) -> Result<(), Fault> {
    let mut part = to.as_os_str().to_os_string();
    part.push(".part");
    let done = std::fs::copy(from, &part).and_then(|_| std::fs::rename(&part, to));
    done.map_err(|e| {
        let _gone = std::fs::remove_file(&part);
        Fault::usage(format!("error[TGT-C001]: cannot write `{}`: {e}", to.display()))
    })
}

/// Looks until the file is whole, the provider refuses, or nothing moves for too long.
fn wait(get: &Get, door: &Door, id: &str, bar: &ProgressBar, voice: Voice) -> Result<Value, Fault> {
    let path = format!("/v1/negotiations/{}", part(id));
    let mut moved = Instant::now();
    let mut seen = String::new();
    loop {
        let answer = door.get(&path)?;
        if answer.get("file").is_some_and(|f| !f.is_null()) {
            return Ok(answer);
        }
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_string();
        if let Some(ended) = answer.pointer("/negotiation/ended").filter(|e| !e.is_null()) {
            return Err(refused(ended, voice));
        }
        let stopped = answer.pointer("/flow/stopped").filter(|s| !s.is_null());
        if let (Some(stopped), "TERMINATED") = (stopped, text("/flow/state").as_str()) {
            return Err(refused(stopped, voice));
        }
        let count = |key: &str| answer.pointer(&format!("/flow/{key}")).and_then(Value::as_u64).unwrap_or(0);
        let now = format!("{} {} {} {}", text("/negotiation/state"), text("/flow/state"), count("chunks"), count("bytes"));
        if now != seen {
            moved = Instant::now();
            seen = now;
        }
        let stands = stopped.map(|s| lines_of(s, voice).join("; ")).unwrap_or_default();
        bar.set_message(format!("{} {} · {} chunks, {} bytes  {stands}", text("/negotiation/state"), text("/flow/state"), count("chunks"), count("bytes")));
        bar.tick();
        if moved.elapsed() > Duration::from_secs(get.wait) {
            let mut line = say(voice.language, "get-still", &[("n", Arg::Number(get.wait as i64)), ("id", Arg::Text(id)), ("more", Arg::Text(&get.again()))]);
            if !stands.is_empty() {
                line.push_str(&format!("\n  {stands}"));
            }
            return Err(Fault { line, exit: 3 });
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn refused(ended: &Value, voice: Voice) -> Fault {
    // A refusal without a word of its own still has a code that the list of codes explains.
    let code = ended.get("code").and_then(Value::as_str).filter(|c| !c.is_empty()).unwrap_or("peer/refused").to_string();
    let mut line = say(voice.language, "get-refused", &[("code", Arg::Text(&code))]);
    lines_of(ended, voice).iter().for_each(|l| line.push_str(&format!("\n  {l}")));
    Fault { line, exit: 3 }
}

/// Rules, what was said, and the cheapest cure of a refusal or stop.
pub fn lines_of(ended: &Value, voice: Voice) -> Vec<String> {
    let mut out = Vec::new();
    for key in ["rules", "says"] {
        match ended.get(key) {
            // A line that names a rule is for programs; the rule is said above it.
            Some(Value::Array(all)) => out.extend(all.iter().filter_map(Value::as_str).filter(|l| !l.starts_with("rule=")).map(str::to_string)),
            Some(Value::String(s)) if !s.is_empty() => out.push(s.clone()),
            _ => {}
        }
    }
    if let Some(cure) = ended.get("cure").and_then(Value::as_str) {
        out.push(format!("{}: {cure}", voice.word("ways")));
    }
    out
}
