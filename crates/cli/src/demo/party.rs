//! One party of the demo as a process of its own: orders come as JSON lines on standard input, answers go out on standard output.
//!
//! This is how the demo's director speaks to nodes that run apart; peers speak the Dataspace Protocol over TLS as ever.

use crate::{
    rules_source,
    verbs::serve::{AtTheDesk, with_node},
};
use model::{CivilDate, Digest, transfer::Facts};
use node::{
    act::offer::Offer,
    agent::Node,
    config::{Config, PeerFacts},
    desk::Desk,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use server::people::{self, Mode, State};
use std::{
    collections::BTreeMap,
    io::{BufRead, Write},
    path::{Path, PathBuf},
    sync::Arc,
};
use trust::bundle::{self, Unsealed};

/// What the director may ask of a party.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Order {
    /// Offer a file.
    Offer {
        /// The dataset's id.
        dataset: String,
        /// Its title.
        title: String,
        /// The file.
        source: PathBuf,
        /// Facts by slot.
        facts: Facts,
    },
    /// Know a peer, for the law.
    Know {
        /// Its id.
        id: String,
        /// Its facts, as `recipient.…`.
        facts: Facts,
    },
    /// Begin to get a dataset.
    Ask {
        /// The provider's base address of the protocol.
        provider: String,
        /// The dataset.
        dataset: String,
    },
    /// The transfer of a negotiation, once begun.
    Begun {
        /// Our id of the negotiation.
        negotiation: String,
    },
    /// What a transfer came to.
    Got {
        /// Our id of the transfer.
        transfer: String,
    },
    /// All transfers.
    Report,
    /// Move the legal clock.
    Move {
        /// The day.
        day: CivilDate,
    },
    /// Ways through for a stopped flow.
    Cures {
        /// Our id of the transfer.
        transfer: String,
    },
    /// Take one.
    Cure {
        /// Our id of the transfer.
        transfer: String,
        /// Which, from 0.
        way: usize,
    },
    /// Write the evidence of a manifest, and the log policy, as files.
    Evidence {
        /// The manifest.
        manifest: Digest,
        /// The container.
        container: PathBuf,
        /// The policy.
        policy: PathBuf,
    },
    /// What a dishonest sender would do: put other files into a container and seal and stamp it again with its own key.
    Reseal {
        /// The honest container.
        container: PathBuf,
        /// Files by name, with their new text.
        replace: BTreeMap<String, String>,
        /// The forged container.
        out: PathBuf,
    },
    /// Advance the log now.
    Advance,
    /// End.
    Stop,
}

/// Runs a party until it is told to stop or its director is gone.
pub fn run(config: &Path, rules: Option<&Path>, pages: Pages) -> Result<(), String> {
    let config = Config::read(config).map_err(|e| format!("error[{}]: {e}", e.code()))?;
    let book = rules_source::load_law(rules)?;
    let server = server::node_server::start(config, book.clone(), |_| None).map_err(|e| format!("error[{}]: {e}", e.code()))?;
    let node = server.node().clone();
    let link = match pages {
        Pages::Served => Some(serve_pages(&node, book)?),
        Pages::None => None,
    };
    answer(&json!({ "ready": { "address": server.address(), "protocol": node.protocol_address(), "id": node.id(), "pages": link } }));
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let order: Order = match serde_json::from_str(&line) {
            Ok(order) => order,
            Err(e) => {
                answer(&json!({ "error": e.to_string() }));
                continue;
            }
        };
        if matches!(order, Order::Stop) {
            break;
        }
        answer(&match obey(&node, order) {
            Ok(value) => json!({ "ok": value }),
            Err(e) => json!({ "error": e }),
        });
    }
    server.stop();
    Ok(())
}

/// Whether a party serves its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// On a free port of this machine.
    Served,
    /// Not at all.
    None,
}

/// Serves the pages until the process ends, and returns the link that opens them.
fn serve_pages(node: &Arc<Node>, book: rulebook::book::Rulebook) -> Result<String, String> {
    let mut desk = Desk::of(node);
    let secret = desk.local_secret().map_err(|e| e.to_string())?;
    let desk = Arc::new(desk);
    let state = State::new(book, Mode::Demo, AtTheDesk(desk.clone()));
    let state = with_node(state, node, &desk);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(|e| e.to_string())?;
    let door = runtime.block_on(people::bind(([127, 0, 0, 1], 0).into(), state)).map_err(|e| e.to_string())?;
    let link = people::link(door.address(), &secret);
    std::thread::spawn(move || drop(runtime.block_on(door.serve(std::future::pending()))));
    Ok(link)
}

fn answer(value: &Value) {
    let mut out = std::io::stdout().lock();
    let _gone = writeln!(out, "{value}").and_then(|()| out.flush());
}

fn obey(node: &Arc<Node>, order: Order) -> Result<Value, String> {
    let said = |e: node::error::ActError| format!("{}: {e}", e.code());
    Ok(match order {
        Order::Offer { dataset, title, source, facts } => {
            let terms = node.offer(&Offer { dataset, title, source, facts, plan: None, release: None, meter: Vec::new(), handling: Default::default(), plane: None, terms: None, access: None }).map_err(said)?;
            serde_json::to_value(terms).unwrap_or_default()
        }
        Order::Know { id, facts } => json!(node.know_peer(&PeerFacts { id, facts, ..Default::default() }).map_err(said)?),
        Order::Ask { provider, dataset } => json!(node.ask_for(&provider, &dataset).map_err(said)?),
        Order::Begun { negotiation } => json!(node.begun(&negotiation).map_err(said)?),
        Order::Got { transfer } => match node.got(&transfer).map_err(said)? {
            None => Value::Null,
            Some(got) => json!({ "path": got.path, "manifest": got.manifest, "bytes": got.bytes }),
        },
        Order::Report => serde_json::to_value(node.report().map_err(said)?).unwrap_or_default(),
        Order::Move { day } => json!(node.move_legal_day(day).map_err(said)?),
        Order::Cures { transfer } => serde_json::to_value(node.cures(&transfer).map_err(said)?).unwrap_or_default(),
        Order::Cure { transfer, way } => {
            let cures = node.cures(&transfer).map_err(said)?;
            let cure = cures.get(way).ok_or("there is no such way")?;
            let decision = node.cure(&transfer, cure).map_err(said)?;
            json!({ "verdict": decision.verdict, "deciding": decision.deciding_ids() })
        }
        Order::Evidence { manifest, container, policy } => {
            std::fs::write(&container, node.evidence(&manifest).map_err(said)?).map_err(|e| e.to_string())?;
            std::fs::write(&policy, node.log_policy()).map_err(|e| e.to_string())?;
            Value::Null
        }
        Order::Reseal { container, replace, out } => {
            let bytes = std::fs::read(&container).map_err(|e| e.to_string())?;
            let mut files = bundle::container::read(&bytes).map_err(|e| e.to_string())?;
            files.retain(|name, _| !name.starts_with("META-INF/"));
            files.extend(replace.into_iter().map(|(name, text)| (name, text.into_bytes())));
            let wrong = |e: bundle::BundleError| format!("{}: {e}", e.code());
            let unsealed = Unsealed::new(files).map_err(wrong)?;
            let seal = node.seal(&Digest::of(unsealed.manifest())).map_err(said)?;
            let unstamped = unsealed.sealed(seal);
            let token = node.stamp(&Digest::of(unstamped.manifest())).map_err(said)?;
            std::fs::write(&out, unstamped.stamped(token).to_bytes().map_err(wrong)?).map_err(|e| e.to_string())?;
            Value::Null
        }
        Order::Advance => json!(node.advance_log().map_err(said)?),
        Order::Stop => Value::Null,
    })
}
