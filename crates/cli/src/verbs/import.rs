//! `tegata import`: what an Eclipse EDC offers, as offers of one's own node. The EDC is only read.

mod plan;
mod tell;

use self::plan::{Asset, Outcome, Plan, Wanted};
use super::told::{Facts, Told, facts};
use crate::door::{Asking, Door, Fault};
use crate::edc::policy::Why;
use crate::edc::{Management, Unread};
use clap::Args;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode};

/// Take over what an Eclipse EDC offers: its assets, policies and contract definitions become offers of your node.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata import --edc http://127.0.0.1:8181/management --dir munich --facts transfer.toml --files data      what would be offered; nothing is changed
  tegata import --edc http://127.0.0.1:8181/management --dir munich --facts transfer.toml --files data --apply
  tegata import --edc http://127.0.0.1:8181/management --edc-key-file key --asset a-1 --asset a-2 --plane warehouse --facts transfer.toml --apply

The EDC is only read. A policy comes over whole or not at all: what is not understood keeps its assets out, with the reason. The
same command again offers only what is new. Exit codes: 0 everything that the EDC offers came over, 1 something did not, 2 usage,
3 the EDC or the node does not answer.")]
pub struct Import {
    /// The management API of an Eclipse EDC, with its path.
    #[arg(long, value_name = "URL")]
    edc: String,
    /// A file with the key of that API.
    #[arg(long, value_name = "FILE")]
    edc_key_file: Option<PathBuf>,
    #[command(flatten)]
    told: Told,
    /// The folder with the data: the file of an asset has its id as its name, with any ending.
    #[arg(long, value_name = "FOLDER", conflicts_with = "plane")]
    files: Option<PathBuf>,
    /// The registered data plane of others that gives the data; it knows a dataset by the asset's id.
    #[arg(long, value_name = "ID")]
    plane: Option<String>,
    /// Only this asset. Repeat for more.
    #[arg(long, value_name = "ID")]
    asset: Vec<String>,
    /// Only what this contract definition offers, where several offer one asset on different terms. Repeat for more.
    #[arg(long, value_name = "ID")]
    definition: Vec<String>,
    /// Take a policy without any rule to let everybody, as EDC does; ODRL says that it lets nobody.
    #[arg(long)]
    no_rule_is_open: bool,
    /// Offer what can be taken over.
    #[arg(long)]
    apply: bool,
    /// Only tell what would be offered, as without --apply.
    #[arg(long, conflicts_with = "apply")]
    dry_run: bool,
    /// Replace offers of the same datasets that differ.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    asking: Asking,
}

/// Runs the verb.
pub fn run(import: Import) -> ExitCode {
    match take(&import) {
        Ok(plan) => {
            super::print_lines(&tell::lines(&plan, &import));
            if plan.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(fault) => fault.exit(),
    }
}

impl From<Unread> for Fault {
    fn from(unread: Unread) -> Self {
        Self { line: format!("error[TGT-C017]: {}; {}", unread.says, unread.help), exit: 3 }
    }
}

fn take(import: &Import) -> Result<Plan, Fault> {
    let Facts { ours, theirs } = import.told.read()?;
    let peer = import.told.peer(theirs, Default::default())?;
    let edc = Management::at(&import.edc, key(import)?.as_deref());
    if !edc.is_v3() {
        return Err(Fault::usage(format!("error[TGT-C002]: `{}`: version 3 of the management API is read, and no other", import.edc)));
    }
    let door = import.asking.door()?;
    let wheel = super::wheel("");
    let found = plan::read(&edc, &|kind, n| wheel.set_message(format!("{kind}: {n}")))?;
    let wanted = Wanted {
        assets: &import.asset,
        definitions: &import.definition,
        no_rule_is_open: import.no_rule_is_open,
        files: import.files.as_deref(),
        plane: import.plane.as_deref(),
        facts: facts(ours),
    };
    let mut plan = plan::make(found, &wanted)?;
    if let (true, Some(peer)) = (import.apply, peer) {
        door.post("/v1/peers", &peer)?;
    }
    let n = plan.assets.len();
    for at in 0..n {
        wheel.set_message(format!("{} / {n}", at + 1));
        let done = plan.assets.get_mut(at).map_or(Ok(()), |asset| settle(asset, import, &door));
        if let Err(fault) = done {
            return Err(stopped(fault, &plan, &wheel));
        }
    }
    wheel.finish_and_clear();
    Ok(plan)
}

fn key(import: &Import) -> Result<Option<String>, Fault> {
    Ok(import.edc_key_file.as_deref().map(super::read_text).transpose()?.map(|key| key.trim().to_owned()))
}

/// Says how far it came before the node went away: what was offered stays, and the same command goes on.
fn stopped(fault: Fault, plan: &Plan, wheel: &ProgressBar) -> Fault {
    wheel.finish_and_clear();
    let offered = plan.count(|o| matches!(o, Outcome::Offered | Outcome::Replaced));
    Fault { line: format!("{}; {offered} of {} assets were offered, the same command goes on", fault.line, plan.assets.len()), ..fault }
}

/// Asks the node what an asset would come to; offers it, if that was ordered.
fn settle(asset: &mut Asset, import: &Import, door: &Door) -> Result<(), Fault> {
    let Some(body) = asset.body.clone() else { return Ok(()) };
    let refused = |line: String| Outcome::Refused(vec![Why { code: "import/node", at: String::new(), what: line }]);
    asset.outcome = match door.try_post("/v1/offers?check=true", &body)? {
        Err(line) => refused(line),
        Ok(answer) => match answer.get("stands").and_then(Value::as_str) {
            Some("same") => Outcome::Same,
            Some("new") if !import.apply => Outcome::New,
            Some("new") => offered(door, &body, Outcome::Offered)?.unwrap_or_else(refused),
            Some("other") if !import.replace => Outcome::Other,
            Some("other") if !import.apply => Outcome::New,
            Some("other") => offered(door, &body, Outcome::Replaced)?.unwrap_or_else(refused),
            _ => return Err(Fault { line: "error[TGT-C011]: the node is older than this program".into(), exit: 3 }),
        },
    };
    Ok(())
}

fn offered(door: &Door, body: &Value, outcome: Outcome) -> Result<Result<Outcome, String>, Fault> {
    Ok(door.try_post("/v1/offers", body)?.map(|_| outcome))
}

/// The body of an offer.
fn body(dataset: &str, title: &str, wanted: &Wanted<'_>, source: Option<&std::path::Path>) -> Value {
    let mut body = json!({ "dataset": dataset, "title": title, "facts": wanted.facts });
    if let Some(map) = body.as_object_mut() {
        if let Some(source) = source {
            map.insert("source".into(), json!(source));
        }
        if let Some(plane) = wanted.plane {
            map.insert("plane".into(), plane.into());
        }
    }
    body
}
