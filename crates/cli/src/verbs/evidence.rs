//! `tegata evidence`: the container of a delivery, with what checks it.

use crate::door::{self, Door, Fault, Which, part};
use clap::Args;
use serde_json::Value;
use std::{path::PathBuf, process::ExitCode, time::{Duration, Instant}};
use words::{Arg, say};

/// Write the evidence of a delivery to a folder: the container, the log's policy and verify.sh. Anchors come from elsewhere.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata evidence --dir munich --out evidence                      of the newest delivery
  tegata evidence TRANSFER --dir munich --out evidence
  sh evidence/verify.sh --anchors authority/ca.pem --policy evidence/log.policy evidence/evidence.asice study.csv")]
pub struct Evidence {
    /// The transfer's id at this node (default: the newest that is complete).
    transfer: Option<String>,
    /// The folder; it is made, and nothing in it is overwritten.
    #[arg(long, default_value = "evidence", value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    common: super::Common,
}

// LIMIT: how long seal, stamp, cosignature and receipt are waited for after the last chunk.
const WAIT: Duration = Duration::from_secs(20);

/// Runs the verb.
pub fn run(evidence: Evidence) -> ExitCode {
    door::end(write(&evidence))
}

fn write(evidence: &Evidence) -> Result<Vec<String>, Fault> {
    let place = |name: &str| evidence.out.join(name);
    if let Some(there) = ["evidence.asice", "log.policy", "verify.sh"].into_iter().map(place).find(|p| p.exists()) {
        return Err(Fault::usage(format!("error[TGT-C001]: `{}` is there already", there.display())));
    }
    let door = Door::find(&evidence.which)?;
    let id = match &evidence.transfer {
        Some(id) => id.clone(),
        None => newest(&door)?,
    };
    let end = Instant::now() + WAIT;
    let container = loop {
        match door.bytes(&format!("/v1/flows/{}/container", part(&id))) {
            Ok(bytes) => break bytes,
            // What follows the last chunk takes a moment: the checkpoint and its cosignature.
            Err(fault) if fault.exit != 2 && Instant::now() < end => std::thread::sleep(Duration::from_millis(200)),
            Err(fault) => return Err(fault),
        }
    };
    let log = door.get("/v1/log")?;
    let policy = log.get("policy").and_then(Value::as_str).unwrap_or_default();
    std::fs::create_dir_all(&evidence.out).map_err(|e| Fault::usage(format!("error[TGT-C001]: `{}`: {e}", evidence.out.display())))?;
    super::write_together(&[
        (place("evidence.asice"), container.as_slice()),
        (place("log.policy"), policy.as_bytes()),
        (place("verify.sh"), trust::script::VERIFY_SH.as_bytes()),
    ])?;
    let out = evidence.out.display().to_string();
    let language = evidence.common.voice().language;
    Ok(vec![
        say(language, "evidence-done", &[("transfer", Arg::Text(&id)), ("out", Arg::Text(&out))]),
        format!("  sh {out}/verify.sh --anchors ANCHORS.pem --policy {out}/log.policy {out}/evidence.asice DATA"),
        say(language, "evidence-anchors", &[]),
    ])
}

fn newest(door: &Door) -> Result<String, Fault> {
    let answer = door.get("/v1/flows")?;
    let flows = answer.get("flows").and_then(Value::as_array).cloned().unwrap_or_default();
    let done = flows.iter().filter(|f| f.pointer("/delivered/chunks_all").is_some_and(|n| !n.is_null()));
    let newest = done.max_by_key(|f| f.get("began").map(Value::to_string)).and_then(|f| f.get("id")?.as_str().map(str::to_string));
    newest.ok_or_else(|| Fault { line: "error[node/not-found]: no delivery is complete here yet".into(), exit: 1 })
}
