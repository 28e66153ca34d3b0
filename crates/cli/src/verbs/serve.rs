//! `tegata serve`: the pages and `/v1` over the rules in this program.

use crate::rules_source;
use clap::Args;
use node::desk::Desk;
use server::people::{
    self, Mode, State,
    principal::{Doorkeeper, Principal, Role},
};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

/// Serve the pages and the API on this machine. An empty directory is enough: every setting has a default.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata serve                             pages on http://127.0.0.1:4777
  tegata serve --listen 127.0.0.1:0 --dir ./data
  tegata serve --config tegata.toml        a node with its flows on the pages
  tegata serve --mode demo                 prints a link that opens the pages")]
pub struct Serve {
    /// Where to listen; beyond loopback TLS is needed and this verb refuses.
    #[arg(long, default_value = "127.0.0.1:4777", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where tokens are kept (hashed).
    #[arg(long, default_value = "tegata-data", value_name = "FOLDER")]
    dir: PathBuf,
    /// Run a whole node on this configuration (tegata.toml): peers by TLS at its `listen`, pages at --listen.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// production, or demo (a link opens the pages).
    #[arg(long, default_value = "production")]
    mode: String,
    #[command(flatten)]
    common: super::Common,
}

struct AtTheDesk(Arc<Desk>);

impl Doorkeeper for AtTheDesk {
    fn admit(&self, secret: &str) -> Option<Principal> {
        let holder = self.0.admit(secret)?;
        let role = match holder.role {
            "operator" => Role::Operator,
            "admin" => Role::Admin,
            "act" => Role::Act,
            "auditor" => Role::Auditor,
            "regulator" => Role::Regulator,
            _ => Role::Read,
        };
        Some(Principal { participant: PARTICIPANT.into(), token: holder.token, role })
    }

    fn still(&self, token: &str) -> bool {
        self.0.still(token)
    }
}

/// The participant that owns what a program without a node remembers.
const PARTICIPANT: &str = "local";

/// Runs the verb.
pub fn run(serve: Serve) -> ExitCode {
    match open(&serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::from(2)
        }
    }
}

fn open(serve: &Serve) -> Result<(), String> {
    let mode = match serve.mode.as_str() {
        "demo" => Mode::Demo,
        "production" => Mode::Production,
        other => return Err(format!("error[TGT-C002]: `{other}` is no mode; production or demo")),
    };
    let book = rules_source::load(serve.common.rules.as_deref())?;
    let said = |e: node::error::ActError| format!("error[{}]: {e}", e.code());
    // A token is shown once: it is not made before it is sure that there is somewhere to use it.
    drop(std::net::TcpListener::bind(serve.listen).map_err(|e| in_use(serve.listen, &e))?);
    let desk = Arc::new(Desk::open(&serve.dir, PARTICIPANT).map_err(said)?);
    let first = desk.first_token().map_err(said)?;
    let node = match &serve.config {
        None => None,
        Some(path) => {
            let config = node::config::Config::read(path).map_err(|e| format!("error[{}]: {e}", e.code()))?;
            let running = server::node_server::start(config, book.clone(), |_| None).map_err(|e| format!("error[{}]: {e}", e.code()))?;
            super::print_lines(&[format!("node {} at {}", running.node().id(), running.address())]);
            Some(running)
        }
    };
    let state = State::new(book, mode, AtTheDesk(desk));
    let state = match &node {
        None => state,
        Some(running) => {
            let clock = running.node().clone();
            state.with_flows(server::node_flows::NodeFlows(running.node().clone())).with_today(move || clock.legal_day())
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| format!("error[TGT-C001]: {e}"))?;
    runtime.block_on(async {
        let door = people::bind(serve.listen, state).await.map_err(|e| in_use(serve.listen, &e))?;
        let mut lines = vec![format!("http://{}/", door.address())];
        if let Some(secret) = &first {
            lines.push(format!("admin token, shown once: {secret}"));
            if mode == Mode::Demo {
                lines.push(format!("open: {}", people::link(door.address(), secret)));
            }
        }
        super::print_lines(&lines);
        door.serve(server::authority::asked_to_end()).await.map_err(|e| format!("error[TGT-C001]: {e}"))
    })
}

fn in_use(address: SocketAddr, e: &std::io::Error) -> String {
    match e.kind() {
        std::io::ErrorKind::AddrInUse => format!("error[TGT-C010]: `{address}` is in use; choose another with --listen 127.0.0.1:0"),
        _ => format!("error[TGT-C010]: cannot listen on `{address}`: {e}"),
    }
}
