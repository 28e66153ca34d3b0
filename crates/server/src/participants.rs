//! Many participants behind the doors of one process: each is a node of its own, with a folder, a store, keys, tokens and a
//! configuration that no other reaches. They share the rulebook and the addresses.
//!
//! Participant `aoi` is below `/p/aoi`: its protocol, data and claims at the door for peers, its `/v1` at the door for
//! people. INVARIANT: what comes below `/p/aoi` reaches the routes of `aoi` alone, which hold its node and no other; its
//! tokens open nothing elsewhere, not even for who runs the process.

use crate::carrier::shared::Shared;
use crate::node_server::{StartError, member, member_routes};
use crate::people::{State, router};
use axum::Router;
use decide::engine::Engine;
use node::agent::Node;
use node::config::{Config, Law};
use node::error::ActError;
use node::mark::Mark;
use node::ports::SignError;
use node::quota::Quotas;
use rulebook::book::Rulebook;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

mod door;
#[cfg(test)]
mod tests;

pub(crate) use door::{Described, held, is_month, refused, routes};
pub use door::{peers_router, people_router};

/// The folder of participants, in that of the process.
pub const FOLDER: &str = "participants";
/// LIMIT: participants of one process.
pub const PARTICIPANTS_MAX: usize = 1_000;
/// The name of a configuration in its folder; and that of one who was released, which no start reads.
const CONFIG: &str = "tegata.toml";
const RELEASED: &str = "tegata.toml.released";
/// LIMIT: participants that are started at once when the process starts.
const STARTED_AT_ONCE: usize = 8;
/// LIMIT: how long a release waits for what was begun.
const RELEASED_IN: Duration = Duration::from_secs(5);
/// LIMIT: characters of a participant's short name.
const NAME_CHARS_MAX: usize = 40;

/// The door for people and programs of a participant, and its first token if it was just made.
pub type People = Box<dyn Fn(&Arc<Node>) -> Result<(State, Option<String>), StartError> + Send + Sync>;

/// Why a participant is not taken in.
#[derive(Debug)]
pub enum AddError {
    /// The short name is none.
    Name,
    /// The id is no DID.
    Did,
    /// The short name or the id is another's.
    Taken,
    /// There are as many as there may be.
    Full,
    /// Its folder cannot be made.
    Folder(String),
    /// It does not start.
    Start(StartError),
}

impl AddError {
    /// The stable code.
    pub fn code(&self) -> String {
        match self {
            Self::Name => "participants/name".into(),
            Self::Did => "participants/did".into(),
            Self::Taken => "participants/taken".into(),
            Self::Full => "participants/full".into(),
            Self::Folder(_) => "participants/folder".into(),
            Self::Start(e) => e.code(),
        }
    }
}

impl fmt::Display for AddError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(f, "a short name has small letters, digits and hyphens, at most {NAME_CHARS_MAX}"),
            Self::Did => f.write_str("a participant's id is a DID, such as did:web:aoi.example"),
            Self::Taken => f.write_str("the short name or the id belongs to another participant here"),
            Self::Full => write!(f, "there are {PARTICIPANTS_MAX} participants here, which is the limit"),
            Self::Folder(line) => f.write_str(line),
            Self::Start(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for AddError {}

/// Who is to be taken in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newcomer {
    /// Its short name, by which it is found below `/p/`.
    pub name: String,
    /// Its id.
    pub did: String,
    /// Its name for people.
    #[serde(default)]
    pub title: String,
    /// The id of the intermediary that acts for it, if one does: the chain is followed from one to the next.
    #[serde(default)]
    pub through: Option<String>,
    /// Ids of rules or layers that may open its flows though they were read once: its own choice, none by default.
    #[serde(default)]
    pub accept_drafted: Vec<String>,
    /// How much it may have and move, where it is not what every newcomer gets.
    #[serde(default)]
    pub quotas: Quotas,
}

struct Member {
    node: Arc<Node>,
    doors: State,
    /// Both are made when somebody first comes: many are never asked.
    peers: OnceLock<Router>,
    people: OnceLock<Router>,
}

/// The participants of one process beside the one that runs it.
pub struct Participants {
    host: Config,
    /// Where peers reach the process.
    address: String,
    engine: Arc<Mutex<Engine>>,
    /// Threads that carry for all, and revocation lists, fetched once for all; none while there is nobody.
    shared: OnceLock<Arc<Shared>>,
    people: People,
    members: RwLock<BTreeMap<String, Member>>,
}

impl fmt::Debug for Participants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Participants").field("folder", &self.folder()).finish_non_exhaustive()
    }
}

impl Participants {
    /// Starts every participant that has a folder. One that does not start is told of, and keeps no other from starting.
    pub fn open(host: &Node, book: Arc<Rulebook>, people: People) -> (Arc<Self>, Vec<(String, StartError)>) {
        let all = Self {
            host: host.config().clone(),
            address: host.address().to_owned(),
            engine: Arc::new(Mutex::new(Engine::growing(book))),
            shared: OnceLock::new(),
            people,
            members: RwLock::default(),
        };
        let mut names: Vec<String> = std::fs::read_dir(all.folder())
            .map(|entries| entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        names.sort();
        // LIMIT: those beyond the limit are not started.
        names.truncate(PARTICIPANTS_MAX);
        // A start waits for the disk several times; many wait together.
        let (names, failed) = (Mutex::new(names.into_iter()), Mutex::new(BTreeMap::new()));
        let next = || names.lock().unwrap_or_else(PoisonError::into_inner).next();
        let start = || {
            while let Some(name) = next() {
                if let Err(e) = all.start_folder(&name) {
                    failed.lock().unwrap_or_else(PoisonError::into_inner).insert(name, e);
                }
            }
        };
        std::thread::scope(|scope| (0..STARTED_AT_ONCE).for_each(|_| drop(scope.spawn(start))));
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        (Arc::new(all), failed.into_iter().collect())
    }

    /// Starts whoever a folder belongs to, if it belongs to anybody.
    fn start_folder(&self, name: &str) -> Result<(), StartError> {
        let file = self.folder().join(name).join(CONFIG);
        if !file.is_file() {
            return Ok(());
        }
        let config = Config::read(&file).map_err(StartError::Config)?;
        self.start(name, config).map(drop)
    }

    fn folder(&self) -> PathBuf {
        self.host.directory.join(FOLDER)
    }

    /// Takes somebody in: makes the folder and starts the node; returns the first token, which is shown once.
    pub fn add(&self, newcomer: &Newcomer) -> Result<Option<String>, AddError> {
        let name = &newcomer.name;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(plain) || name.starts_with('-') {
            return Err(AddError::Name);
        }
        if !newcomer.did.starts_with("did:") || newcomer.did.split(':').count() < 3 {
            return Err(AddError::Did);
        }
        {
            let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
            if members.len() >= PARTICIPANTS_MAX {
                return Err(AddError::Full);
            }
            let taken = |m: &Member| m.node.id() == newcomer.did;
            if members.contains_key(name) || newcomer.did == self.host.participant || members.values().any(taken) {
                return Err(AddError::Taken);
            }
        }
        let folder = self.folder().join(name);
        let wrong = |e: std::io::Error| AddError::Folder(format!("`{}`: {e}", folder.display()));
        std::fs::create_dir_all(&folder).map_err(wrong)?;
        let (file, released) = (folder.join(CONFIG), folder.join(RELEASED));
        if !file.is_file() && released.is_file() {
            // Who was released comes back with what it had; nobody else comes in its place.
            let before = Config::read(&released).map_err(|e| AddError::Start(StartError::Config(e)))?;
            if before.participant != newcomer.did {
                return Err(AddError::Taken);
            }
            std::fs::rename(&released, &file).map_err(wrong)?;
        }
        if !file.is_file() {
            std::fs::write(&file, self.first_config(newcomer).render()).map_err(wrong)?;
        }
        // A folder that was enrolled before is taken, if it is the newcomer's, with what is told of it now.
        let config = Config::read(&file).map_err(|e| AddError::Start(StartError::Config(e)))?;
        if config.participant != newcomer.did {
            return Err(AddError::Taken);
        }
        let config = self.rewritten(name, |c| {
            c.quotas = Quotas::OF_A_NEWCOMER.with(c.quotas).with(newcomer.quotas);
            c.through = newcomer.through.clone().or(c.through.take());
            if !newcomer.accept_drafted.is_empty() {
                c.law.accept_drafted.clone_from(&newcomer.accept_drafted);
            }
        })?;
        self.start(name, config).map_err(AddError::Start)
    }

    /// Sets quotas of a participant, from now on and after a restart; what is not told stays. None: there is no such one.
    pub fn set_quotas(&self, name: &str, told: Quotas) -> Result<Option<Quotas>, AddError> {
        let Some(node) = self.node(name) else { return Ok(None) };
        let quotas = node.quotas().with(told);
        self.rewritten(name, |config| config.quotas = quotas)?;
        node.set_quotas(quotas);
        Ok(Some(quotas))
    }

    /// Stops a participant and serves it no longer, also after a restart; its folder stays, and it may be taken in again.
    /// Tells whether the folder is free by now: what was begun is let come to its end. None: there is no such one.
    pub fn release(&self, name: &str) -> Result<Option<bool>, AddError> {
        let (file, released) = (self.folder().join(name).join(CONFIG), self.folder().join(name).join(RELEASED));
        let member = {
            let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
            let Some(member) = members.remove(name) else { return Ok(None) };
            member
        };
        let node = member.node.clone();
        node.stop();
        drop(member);
        let wrong = |e: std::io::Error| AddError::Folder(format!("`{}`: {e}", file.display()));
        std::fs::rename(&file, &released).map_err(wrong)?;
        let end = Instant::now() + RELEASED_IN;
        while Arc::strong_count(&node) > 1 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        // The last to hold it closes its store, here and before the answer.
        Ok(Some(Arc::into_inner(node).is_some()))
    }

    /// Changes the configuration of a participant, whole or not at all, and reads it.
    fn rewritten(&self, name: &str, change: impl FnOnce(&mut Config)) -> Result<Config, AddError> {
        let file = self.folder().join(name).join(CONFIG);
        let wrong = |e: std::io::Error| AddError::Folder(format!("`{}`: {e}", file.display()));
        let not_read = |e| AddError::Start(StartError::Config(e));
        // Its paths stay as they are written: the folder may be moved.
        let written = Config::parse(&std::fs::read_to_string(&file).map_err(wrong)?).map_err(not_read)?;
        let mut whole = written.clone();
        change(&mut whole);
        if whole != written {
            let part = file.with_extension("part");
            std::fs::write(&part, whole.render()).and_then(|()| std::fs::rename(&part, &file)).map_err(wrong)?;
        }
        Config::read(&file).map_err(not_read)
    }

    fn first_config(&self, newcomer: &Newcomer) -> Config {
        let title = if newcomer.title.is_empty() { &newcomer.name } else { &newcomer.title };
        Config {
            mode: self.host.mode,
            participant: newcomer.did.clone(),
            name: title.clone(),
            through: newcomer.through.clone(),
            directory: ".".into(),
            test_identity: self.host.test_identity,
            limits: self.host.limits,
            legal_day: self.host.legal_day,
            quotas: Quotas::OF_A_NEWCOMER.with(newcomer.quotas),
            law: Law { accept_drafted: newcomer.accept_drafted.clone(), ..Law::default() },
            ..Config::default()
        }
    }

    fn start(&self, name: &str, mut config: Config) -> Result<Option<String>, StartError> {
        // INVARIANT: nobody behind the doors of another is without quotas.
        config.quotas = Quotas::OF_A_NEWCOMER.with(config.quotas);
        let address = format!("{}/p/{name}", self.address);
        let node = member(config, &self.host, &address, self.engine.clone(), &self.shared()?)?;
        let (doors, token) = (self.people)(&node)?;
        let one = Member { node, doors, peers: OnceLock::new(), people: OnceLock::new() };
        self.members.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), one);
        Ok(token)
    }

    fn shared(&self) -> Result<Arc<Shared>, StartError> {
        if let Some(shared) = self.shared.get() {
            return Ok(shared.clone());
        }
        let failed = |e| StartError::Act(ActError::Sign(SignError(format!("no threads: {e}"))));
        let made = Shared::start().map_err(failed)?;
        Ok(self.shared.get_or_init(|| made).clone())
    }

    /// The register: who is here, through whom, and where.
    pub fn register(&self) -> Vec<Value> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        let row = |(name, member): (&String, &Member)| {
            let config = member.node.config();
            json!({ "name": name, "id": member.node.id(), "title": config.name, "through": self.chain(&members, config),
                "protocol": member.node.protocol_address(), "api": format!("/p/{name}/v1"), "quotas": member.node.quotas(),
                "marks": marks(&member.node), "chain": self.links(&members, config) })
        };
        members.iter().map(row).collect()
    }

    /// Who acts for a participant, from the nearest on: the chain of those who are here, and the first who is not.
    fn chain(&self, members: &BTreeMap<String, Member>, config: &Config) -> Vec<String> {
        let mut chain: Vec<String> = Vec::new();
        let mut next = config.through.clone();
        while let Some(id) = next.take().filter(|id| !chain.contains(id)) {
            let found = members.values().find(|m| m.node.id() == id);
            next = found.and_then(|m| m.node.config().through.clone());
            chain.push(id);
        }
        chain
    }

    /// The chain with what is known of each link that is here: its certifications.
    fn links(&self, members: &BTreeMap<String, Member>, config: &Config) -> Vec<Value> {
        let link = |id: String| {
            let here = members.values().find(|m| m.node.id() == id);
            json!({ "marks": here.map(|m| marks(&m.node)), "here": here.is_some(), "id": id })
        };
        self.chain(members, config).into_iter().map(link).collect()
    }

    /// Records certifications of a participant, in place of those before; what runs is judged afresh. None: there is no such one.
    pub fn set_marks(&self, name: &str, marks: Vec<Mark>) -> Result<Option<Vec<Value>>, AddError> {
        let Some(node) = self.node(name) else { return Ok(None) };
        node.check_marks(&marks).map_err(|e| AddError::Start(StartError::Act(e)))?;
        self.rewritten(name, |config| config.mark.clone_from(&marks))?;
        node.set_marks(marks).map_err(|e| AddError::Start(StartError::Act(e)))?;
        Ok(Some(self::marks(&node)))
    }

    /// The node of a participant.
    pub fn node(&self, name: &str) -> Option<Arc<Node>> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members.get(name).map(|m| m.node.clone())
    }

    /// Stops all of them.
    pub fn stop(&self) {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members.values().for_each(|m| m.node.stop());
    }

    fn routes(&self, name: &str, door: Door) -> Option<Router> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members.get(name).map(|m| match door {
            Door::Peers => m.peers.get_or_init(|| member_routes(&m.node)).clone(),
            Door::People => m.people.get_or_init(|| router(m.doors.clone())).clone(),
        })
    }
}

/// The certifications of a participant, and whether each counts today.
fn marks(node: &Node) -> Vec<Value> {
    let on = node.legal_day();
    let row = |m: &Mark| json!({ "scheme": m.scheme, "id": m.id, "by": m.by, "until": m.until, "counts": m.counts(on) });
    node.marks().iter().map(row).collect()
}

/// By which door somebody comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    Peers,
    People,
}
