//! One party as a process of its own: this test program again, led by lines on its standard input; each command is
//! answered by one line.

use dsp::machine::Phase as _;
use node::act::offer::Offer;
use node::agent::Node;
use node::config::{Config, Mode, PeerFacts};
use rulebook::book::{Rulebook, Source};
use serde_json::{Value, json};
use server::node_server::{enroll, revoke};
use std::fs;
use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;

/// The rules as a program that serves holds them: without the worked cases, which decide nothing.
fn rules() -> Rulebook {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut sources = Vec::new();
    let mut stack = vec![root.clone()];
    while let Some(dir) = stack.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path != root.join("cases") {
                stack.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                sources.push(Source { path: name, text: fs::read_to_string(&path).unwrap() });
            }
        }
    }
    Rulebook::parse(sources).0
}

/// Runs as the party that the environment names; returns when its standard input ends.
pub fn run_if_asked() {
    let Ok(kind) = std::env::var("TEGATA_TEST_PARTY") else { return };
    let dir = std::env::var("TEGATA_TEST_DIRECTORY").unwrap();
    match kind.as_str() {
        "authority" => authority(Path::new(&dir)),
        "writer" => write_and_die(Path::new(&dir)),
        _ => run(Path::new(&dir)),
    }
    std::process::exit(0);
}

/// Syncs two files, one of them with its name, and nothing of a third; then dies.
fn write_and_die(dir: &Path) {
    let write = |name: &str, first: &[u8], sync: bool| {
        let mut file = fs::File::create(dir.join(name)).unwrap();
        file.write_all(first).unwrap();
        if sync {
            file.sync_all().unwrap();
        }
        file.write_all(&[b'x'; 2_000]).unwrap();
    };
    write("named", &[b'a'; 600], true);
    fs::File::open(dir).unwrap().sync_all().unwrap();
    write("nameless", b"b", true);
    write("nothing", b"c", false);
    fs::remove_file(dir.join("old")).unwrap();
    std::process::abort();
}

fn say(value: Value) {
    let mut out = std::io::stdout().lock();
    // The test harness may have begun a line.
    writeln!(out, "\n{value}").unwrap();
    out.flush().unwrap();
}

fn lines(mut answer: impl FnMut(&Value) -> Value) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let Ok(command) = serde_json::from_str::<Value>(&line) else { continue };
        if command["do"] == "quit" {
            return;
        }
        say(answer(&command));
    }
}

/// The demo's authority, and what its operator does with participants.
fn authority(dir: &Path) {
    let running = server::authority::start(dir, "127.0.0.1:0".parse().unwrap()).unwrap();
    let base = running.url().to_owned();
    say(json!({ "ready": base }));
    lines(|command| {
        let done = match text(command, "do") {
            "enroll" => {
                let mut config = Config {
                    mode: Mode::Demo,
                    participant: text(command, "id").to_owned(),
                    name: text(command, "name").to_owned(),
                    directory: Path::new(text(command, "dir")).to_owned(),
                    listen: text(command, "listen").to_owned(),
                    address: command["address"].as_str().map(str::to_owned),
                    chunk_bytes: command["chunk_bytes"].as_u64().unwrap_or(8 << 20) as usize,
                    window: command["window"].as_u64().unwrap_or(1) as usize,
                    legal_day: text(command, "day").parse().ok(),
                    ..Config::default()
                };
                if let Some(grace) = command["grace_ms"].as_i64() {
                    config.limits.status_grace_ms = grace;
                }
                fs::create_dir_all(&config.directory).unwrap();
                let token = running.enrollment_token().unwrap();
                let (country, organization) = (text(command, "country"), text(command, "organization"));
                enroll(&mut config, &base, &running.ca_pem_path, &token, country, organization).map(drop)
            }
            "revoke" => {
                revoke(&base, &running.ca_pem_path, &running.operator_token().unwrap(), text(command, "id"))
            }
            other => panic!("no command `{other}`"),
        };
        match done {
            Ok(()) => json!({ "ok": null }),
            Err(e) => json!({ "error": format!("{}: {e}", e.code()) }),
        }
    });
}

fn run(dir: &Path) {
    let config = Config::read(&dir.join("tegata.toml")).unwrap();
    let server = match server::node_server::start(config, rules(), |_| None) {
        Ok(server) => server,
        Err(e) => {
            eprintln!("error[{}]: {e}", e.code());
            std::process::exit(3);
        }
    };
    say(json!({ "ready": server.address() }));
    let node = server.node().clone();
    lines(|command| match act(&node, command) {
        Ok(value) => json!({ "ok": value }),
        Err(why) => json!({ "error": why }),
    });
}

fn text<'a>(command: &'a Value, key: &str) -> &'a str {
    command[key].as_str().unwrap_or_default()
}

fn act(node: &Arc<Node>, command: &Value) -> Result<Value, String> {
    let wrong = |e: node::error::ActError| format!("{}: {e}", e.code());
    let read = |e: serde_json::Error| e.to_string();
    match text(command, "do") {
        "offer" => {
            let offer: Offer = serde_json::from_value(command["offer"].clone()).map_err(read)?;
            node.offer(&offer).map(|t| t.to_value()).map_err(wrong)
        }
        "know" => {
            let peer: PeerFacts = serde_json::from_value(command["peer"].clone()).map_err(read)?;
            node.know_peer(&peer).map(|()| Value::Null).map_err(wrong)
        }
        "catalog" => node.catalog_of(text(command, "provider")).map(|c| c.to_value()).map_err(wrong),
        "ask" => {
            node.ask_for(text(command, "provider"), text(command, "dataset")).map(Value::from).map_err(wrong)
        }
        "begun" => node.begun(text(command, "negotiation")).map(|t| json!(t)).map_err(wrong),
        "got" => node
            .got(text(command, "transfer"))
            .map(|g| {
                g.map_or(Value::Null, |g| json!({ "path": g.path, "manifest": g.manifest, "bytes": g.bytes }))
            })
            .map_err(wrong),
        "provider_pid" => {
            let held = node.transfer(text(command, "transfer")).map_err(wrong)?;
            Ok(json!(held.map(|t| t.process().provider_pid().to_owned())))
        }
        "day" => {
            let day = text(command, "day").parse().map_err(|_| "no day".to_owned())?;
            let before = std::time::Instant::now();
            node.move_legal_day(day).map_err(wrong)?;
            Ok(json!({ "micros": before.elapsed().as_micros() as u64 }))
        }
        // Every process of both protocols as it stands, by the ids of both sides.
        "processes" => {
            let row = |kind: &str, id: &str, peer: Option<&str>, state: &str, settled: bool| {
                json!({ "kind": kind, "id": id, "peer_pid": peer, "state": state, "settled": settled })
            };
            let mut all = Vec::new();
            for held in node.negotiations().map_err(wrong)? {
                let (p, state) = (held.process(), held.state());
                all.push(row("negotiation", &p.own_pid, p.peer_pid.as_deref(), state.name(), p.is_settled()));
            }
            for held in node.transfers().map_err(wrong)? {
                let (p, state) = (held.process(), held.state());
                all.push(row("transfer", &p.own_pid, p.peer_pid.as_deref(), state.name(), p.is_settled()));
            }
            Ok(json!(all))
        }
        "report" => node.report().map(|r| json!(r)).map_err(wrong),
        "events" => node.events(text(command, "process")).map(|e| json!(e)).map_err(wrong),
        "leaves" => {
            let n = node.log_size().map_err(wrong)?;
            let all: Result<Vec<_>, _> = (0..n).map(|number| node.entry(number)).collect();
            all.map(|events| json!(events)).map_err(wrong)
        }
        "cures" => node.cures(text(command, "flow")).map(|r| json!(r)).map_err(wrong),
        "cure" => {
            let all = node.cures(text(command, "flow")).map_err(wrong)?;
            let first = all.first().ok_or("no way through")?;
            let decision = node.cure(text(command, "flow"), first).map_err(wrong)?;
            Ok(
                json!({ "verdict": decision.verdict, "measures": first.measures.iter().map(|m| &m.id).collect::<Vec<_>>() }),
            )
        }
        "evidence" => {
            let digest = text(command, "manifest").parse().map_err(|_| "no digest".to_owned())?;
            let container = node.evidence(&digest).map_err(wrong)?;
            fs::write(text(command, "to"), container).map_err(|e| e.to_string())?;
            Ok(Value::Null)
        }
        "policy" => Ok(json!(node.log_policy())),
        "log" => node.log_size().map(|n| json!(n)).map_err(wrong),
        other => Err(format!("no command `{other}`")),
    }
}
