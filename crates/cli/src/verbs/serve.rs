//! `tegata serve`: the pages and `/v1` over the rules in this program.

use crate::rules_source;
use clap::Args;
use node::{config::Config, desk::Desk};
use server::node_acts::{DOOR_FILE, DoorFile, NodeActs};
use server::node_server::StartError;
use server::participants::{self, Participants};
use server::people::{
    self, Mode, State, acts::NoNode,
    principal::{Doorkeeper, Principal, Role},
};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

/// Serve the pages and the API on this machine. An empty directory is enough: every setting has a default.
#[derive(Args)]
#[command(after_help = "Examples:
  tegata serve                             pages on http://127.0.0.1:4777
  tegata serve --listen 127.0.0.1:0 --dir ./data
  tegata serve --dir munich                a node that was enrolled: its flows are on the pages
  tegata serve --config tegata.toml        the same, by its configuration
  tegata serve --mode demo                 prints a link that opens the pages")]
pub struct Serve {
    /// Where pages and API listen (default: the configuration's `pages`, 127.0.0.1:4777); beyond loopback TLS is needed and this verb refuses.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The folder; one that was enrolled has a tegata.toml, and a whole node runs on it. Tokens are kept there (hashed).
    #[arg(long, default_value = "tegata-data", value_name = "FOLDER")]
    dir: PathBuf,
    /// Run a whole node on this configuration: peers by TLS at its `listen`, pages at its `pages`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// production, or demo: a link opens the pages (default: the configuration's).
    #[arg(long)]
    mode: Option<String>,
    #[command(flatten)]
    common: super::Common,
}

/// The tokens of a desk.
pub struct AtTheDesk(pub Arc<Desk>);

impl Doorkeeper for AtTheDesk {
    fn admit(&self, secret: &str) -> Option<Principal> {
        let holder = self.0.admit(secret)?;
        let role = match holder.role {
            "operator" => Role::Operator,
            "admin" => Role::Admin,
            "act" => Role::Act,
            "auditor" => Role::Auditor,
            "regulator" => Role::Regulator,
            "plane" => Role::Plane,
            _ => Role::Read,
        };
        Some(Principal { participant: self.0.participant().into(), token: holder.token, role })
    }

    fn still(&self, token: &str) -> bool {
        self.0.still(token)
    }
}

/// Who keeps a door that has no tokens yet: nobody comes in.
struct Nobody;

impl Doorkeeper for Nobody {
    fn admit(&self, _: &str) -> Option<Principal> {
        None
    }

    fn still(&self, _: &str) -> bool {
        false
    }
}

/// The door for people and programs of a participant behind the doors of this process, and its first token if it has none.
fn people_of(doors: &State, node: &Arc<node::agent::Node>, listen: SocketAddr) -> Result<(State, Option<String>), StartError> {
    let mut desk = Desk::of(node);
    let (first, local) = (desk.first_token()?, desk.local_secret()?);
    let desk = Arc::new(desk);
    let below = node.address().rsplit_once("/p/").map(|(_, name)| format!("/p/{name}")).unwrap_or_default();
    let file = DoorFile {
        address: format!("http://{listen}{below}"),
        protocol: Some(node.protocol_address()),
        participant: node.id().to_owned(),
        token: local,
    };
    // Without it the participant's verbs do not find the door; its token opens it all the same.
    let _written = file.write(&node.config().directory);
    Ok((with_node(doors.beside(AtTheDesk(desk.clone())), node, &desk), first))
}

/// The participant that owns what a program without a node remembers.
const PARTICIPANT: &str = "local";

/// Runs the verb.
pub fn run(serve: Serve) -> ExitCode {
    match open(&serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            errln!("{e}");
            ExitCode::from(2)
        }
    }
}

/// Lets this process open as many files as the system grants: many peers at once, or many participants, hold some each.
fn open_many_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let granted = getrlimit(Resource::Nofile).maximum;
        // What the system refuses all the same stays as it was.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: granted, maximum: granted });
    }
}

fn open(serve: &Serve) -> Result<(), String> {
    open_many_files();
    let book = Arc::new(rules_source::load_law(serve.common.rules.as_deref())?);
    let file = serve.config.clone().or_else(|| Some(serve.dir.join("tegata.toml")).filter(|f| f.is_file()));
    let config = match &file {
        None => None,
        Some(path) => Some(Config::read(path).map_err(|e| format!("error[{}]: {e}", e.code()))?),
    };
    let mode = match (serve.mode.as_deref(), config.as_ref().map(|c| c.mode)) {
        (Some("demo"), _) | (None, Some(node::config::Mode::Demo)) => Mode::Demo,
        (Some("production") | None, _) => Mode::Production,
        (Some(other), _) => return Err(format!("error[TGT-C002]: `{other}` is no mode; production or demo")),
    };
    let pages = config.as_ref().map_or_else(|| Config::default().pages, |c| c.pages.clone());
    let listen = match serve.listen {
        Some(given) => given,
        None => pages.parse().map_err(|_| format!("error[config/listen]: `pages = \"{pages}\"` is no address such as `127.0.0.1:4777`"))?,
    };
    // A token is shown once: it is not made before it is sure that there is somewhere to use it.
    let listener = std::net::TcpListener::bind(listen).map_err(|e| in_use(listen, &e))?;
    let listen = listener.local_addr().map_err(|e| in_use(listen, &e))?;
    let said = |e: node::error::ActError| format!("error[{}]: {e}", e.code());
    let rules = serve.common.rules.clone();
    // Every door of this process shares rulebook and tables; a door of its own tokens is made of it for each participant.
    let doors = State::new(book.clone(), mode, Nobody).with_whole(move || rules_source::load(rules.as_deref()).ok());
    let mut others = None;
    let node = match config {
        None => None,
        Some(config) => {
            let of = doors.clone();
            let taking = |host: &Arc<node::agent::Node>| {
                let (all, failed) = Participants::open(host, book.clone(), Box::new(move |node| people_of(&of, node, listen)));
                for (name, e) in failed {
                    errln!("error[{}]: participant `{name}` does not start: {e}", e.code());
                }
                let routes = participants::peers_router(&all);
                others = Some(all);
                Some(routes)
            };
            Some(server::node_server::start(config, book.clone(), taking).map_err(|e| format!("error[{}]: {e}", e.code()))?)
        }
    };
    let mut desk = match &node {
        Some(running) => Desk::of(running.node()),
        None => Desk::open(&serve.dir, PARTICIPANT).map_err(said)?,
    };
    let first = desk.first_token().map_err(said)?;
    let token = desk.local_secret().map_err(said)?;
    let desk = Arc::new(desk);
    let directory = node.as_ref().map_or_else(|| serve.dir.clone(), |n| n.node().config().directory.clone());
    let state = doors.beside(AtTheDesk(desk.clone()));
    let state = match &others {
        Some(all) => state.with_participants(all.clone()),
        None => state,
    };
    let state = match &node {
        None => state.with_acts(NoNode(Some(desk.clone()))).with_directory(&directory),
        Some(running) => with_node(state, running.node(), &desk),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| format!("error[TGT-C001]: {e}"))?;
    let done = runtime.block_on(async {
        let door = people::held(listener, state).map_err(|e| in_use(listen, &e))?;
        let mut lines = vec![format!("http://{}/", door.address())];
        if let Some(running) = &node {
            lines.push(format!("node {} at {} (protocol: {})", running.node().id(), running.address(), running.node().protocol_address()));
        }
        if let Some(secret) = &first {
            lines.push(format!("admin token, shown once: {secret}"));
        }
        if mode == Mode::Demo {
            lines.push(format!("open: {}", people::link(door.address(), &token)));
        }
        let file = DoorFile {
            address: format!("http://{}", door.address()),
            protocol: node.as_ref().map(|n| n.node().protocol_address()),
            participant: desk.participant().to_string(),
            token: token.clone(),
        };
        file.write(&directory).map_err(|e| format!("error[TGT-C001]: `{}`: {e}", directory.join(DOOR_FILE).display()))?;
        super::print_lines(&lines);
        door.serve(server::authority::asked_to_end()).await.map_err(|e| format!("error[TGT-C001]: {e}"))
    });
    DoorFile::remove(&directory);
    if let Some(all) = others {
        all.stop();
    }
    if let Some(running) = node {
        running.stop();
    }
    done
}

/// Pages and API of a node: its flows, its acts, its legal day.
pub fn with_node(state: State, node: &Arc<node::agent::Node>, desk: &Arc<Desk>) -> State {
    let clock = node.clone();
    state
        .with_flows(server::node_flows::NodeFlows(node.clone()))
        .with_acts(NodeActs::new(node.clone(), desk.clone()))
        .with_node(node.clone())
        .with_today(move || clock.legal_day())
}

fn in_use(address: SocketAddr, e: &std::io::Error) -> String {
    match e.kind() {
        std::io::ErrorKind::AddrInUse => format!("error[TGT-C010]: `{address}` is in use; choose another with --listen 127.0.0.1:0"),
        _ => format!("error[TGT-C010]: cannot listen on `{address}`: {e}"),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    #[test]
    fn as_many_files_as_are_granted_may_be_open() {
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: Some(256), maximum }).unwrap();
        super::open_many_files();
        assert_eq!(getrlimit(Resource::Nofile).current, maximum);
    }
}
