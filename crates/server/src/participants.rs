//! Many participants behind the doors of one process: each is a node of its own, with a folder, a store, keys, tokens and a
//! configuration that no other reaches. They share the rulebook and the addresses.
//!
//! Participant `aoi` is below `/p/aoi`: its protocol, data and claims at the door for peers, its `/v1` at the door for
//! people. INVARIANT: what comes below `/p/aoi` reaches the routes of `aoi` alone, which hold its node and no other; its
//! tokens open nothing elsewhere, not even for who runs the process.

use crate::node_server::{StartError, member, member_routes};
use crate::people::{State, router};
use crate::people::principal::{Bearer, Manage, Operate};
use crate::problem::{Kind, Problem};
use crate::tls::Peer;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, Request, State as Held};
use axum::http::uri::PathAndQuery;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use decide::engine::Engine;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use model::CivilDate;
use node::agent::Node;
use node::config::{Config, Law};
use rulebook::book::Rulebook;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The folder of participants, in that of the process.
pub const FOLDER: &str = "participants";
/// LIMIT: participants of one process.
pub const PARTICIPANTS_MAX: usize = 1_000;
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
}

struct Member {
    node: Arc<Node>,
    peers: Router,
    people: Router,
}

/// The participants of one process beside the one that runs it.
pub struct Participants {
    host: Config,
    /// Where peers reach the process.
    address: String,
    engine: Arc<Mutex<Engine>>,
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
            engine: Arc::new(Mutex::new(Engine::new(book))),
            people,
            members: RwLock::default(),
        };
        let mut names: Vec<String> = std::fs::read_dir(all.folder())
            .map(|entries| entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        names.sort();
        // LIMIT: those beyond the limit are not started.
        names.truncate(PARTICIPANTS_MAX);
        let mut failed = Vec::new();
        for name in names {
            let file = all.folder().join(&name).join("tegata.toml");
            if !file.is_file() {
                continue;
            }
            let started =
                Config::read(&file).map_err(StartError::Config).and_then(|config| all.start(&name, config));
            if let Err(e) = started {
                failed.push((name, e));
            }
        }
        (Arc::new(all), failed)
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
        let file = folder.join("tegata.toml");
        if !file.is_file() {
            std::fs::write(&file, self.first_config(newcomer).render()).map_err(wrong)?;
        }
        // A folder that was enrolled before is taken as it is, if it is the newcomer's.
        let config = Config::read(&file).map_err(|e| AddError::Start(StartError::Config(e)))?;
        if config.participant != newcomer.did {
            return Err(AddError::Taken);
        }
        self.start(name, config).map_err(AddError::Start)
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
            law: Law { accept_drafted: newcomer.accept_drafted.clone(), ..Law::default() },
            ..Config::default()
        }
    }

    fn start(&self, name: &str, config: Config) -> Result<Option<String>, StartError> {
        let address = format!("{}/p/{name}", self.address);
        let node = member(config, &self.host, &address, self.engine.clone())?;
        let (people, token) = (self.people)(&node)?;
        let one = Member { peers: member_routes(&node), people: router(people), node };
        self.members.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), one);
        Ok(token)
    }

    /// The register: who is here, through whom, and where.
    pub fn register(&self) -> Vec<Value> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        let row = |(name, member): (&String, &Member)| {
            let config = member.node.config();
            json!({ "name": name, "id": member.node.id(), "title": config.name, "through": self.chain(&members, config),
                "protocol": member.node.protocol_address(), "api": format!("/p/{name}/v1") })
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
            Door::Peers => m.peers.clone(),
            Door::People => m.people.clone(),
        })
    }
}

#[derive(Clone, Copy)]
enum Door {
    Peers,
    People,
}

/// What lies below `/p/` at the door for peers.
pub fn peers_router(all: &Arc<Participants>) -> Router {
    below(all, Door::Peers)
}

/// What lies below `/p/` at the door for people.
pub fn people_router(all: &Arc<Participants>) -> Router {
    below(all, Door::People)
}

fn below(all: &Arc<Participants>, door: Door) -> Router {
    let all = all.clone();
    let pass = move |Path((name, _)): Path<(String, String)>, request: Request| {
        let routes = all.routes(&name, door);
        async move {
            match routes {
                Some(routes) => passed(routes, &name, request).await,
                None => Problem::of(Kind::NotFound, format!("no participant `{name}`")).into_response(),
            }
        }
    };
    Router::new().route("/p/{name}/{*rest}", any(pass))
}

/// Gives a request to the routes of one participant, which know nothing of what lies above them.
async fn passed(routes: Router, name: &str, mut request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
    let rest = path.strip_prefix("/p/").and_then(|p| p.strip_prefix(name)).unwrap_or("/");
    // Who the peer is goes along; what was read out of the path stays here, lest it be taken for a part of theirs.
    let peer = request.extensions_mut().remove::<Peer>();
    request.extensions_mut().clear();
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    // The document of a DID with a path lies where the DID says, which begins with ours.
    let whole = path.ends_with("/did.json");
    if let (false, Ok(uri)) = (whole, rest.parse::<Uri>()) {
        *request.uri_mut() = uri;
    }
    match TowerToHyperService::new(routes).call(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

/// `/v1/participants`, for whoever runs the process.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/v1/participants", get(listed).post(taken_in))
        .route("/v1/participants/{name}/figures", get(figures))
}

fn held(state: &State) -> Result<Arc<Participants>, Problem> {
    state.participants().ok_or_else(|| Problem::of(Kind::NoNode, "start with `--config`"))
}

/// The register of participants of this process.
#[utoipa::path(get, path = "/v1/participants", tag = "server", security(("token" = [])),
    responses((status = 200, description = "each with name, id, through whom it acts, address", body = Object)))]
async fn listed(Held(state): Held<State>, _who: Bearer<Operate>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "participants": held(&state)?.register() })))
}

/// Takes a participant in: its folder, store and keys are made, and it is reached at once.
#[utoipa::path(post, path = "/v1/participants", tag = "server", security(("token" = [])),
    request_body(content = Object, description = "`name` (small letters, digits, hyphens), `did`; if wanted `title`, `through` (the id of the intermediary that acts for it), `accept_drafted`"),
    responses((status = 201, description = "where it is, and its admin token, shown once", body = Object),
        (status = 409, description = "name or id are another's, or there are too many", body = Problem, content_type = "application/problem+json")))]
async fn taken_in(Held(state): Held<State>, _who: Bearer<Manage>, body: Bytes) -> Result<Response, Problem> {
    let newcomer: Newcomer = crate::space::read(&body)?;
    let all = held(&state)?;
    let name = newcomer.name.clone();
    let of = all.clone();
    let added = tokio::task::spawn_blocking(move || of.add(&newcomer)).await;
    let token = added.map_err(|_| Problem::of(Kind::WentWrong, ""))?.map_err(|e| {
        let kind = match e {
            AddError::Name | AddError::Did => Kind::ActNotUnderstood,
            AddError::Taken | AddError::Full => Kind::ActRefused,
            AddError::Folder(_) | AddError::Start(_) => Kind::ActFailed,
        };
        Problem::of(kind, format!("{}: {e}", e.code()))
    })?;
    let node = all.node(&name).ok_or_else(|| Problem::of(Kind::WentWrong, ""))?;
    let told = json!({ "name": name, "id": node.id(), "protocol": node.protocol_address(),
        "api": format!("/p/{name}/v1"), "token": token });
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Month {
    month: Option<String>,
}

/// What a participant did in a month: offers, contracts, pairs, bytes. Numbers only: whoever runs the process reads no
/// content.
#[utoipa::path(get, path = "/v1/participants/{name}/figures", tag = "server", security(("token" = [])),
    params(("name" = String, Path, description = "its short name"), ("month" = Option<String>, Query, description = "such as 2026-11; this month if absent")),
    responses((status = 200, description = "figures", body = Object), (status = 404, description = "no such participant", body = Problem, content_type = "application/problem+json")))]
async fn figures(
    Held(state): Held<State>,
    _who: Bearer<Operate>,
    Path(name): Path<String>,
    Query(asked): Query<Month>,
) -> Result<Json<Value>, Problem> {
    let missing = || Problem::of(Kind::NotFound, format!("no participant `{name}`"));
    let node = held(&state)?.node(&name).ok_or_else(missing)?;
    let is_month = |m: &String| m.len() == 7 && format!("{m}-01").parse::<CivilDate>().is_ok();
    if let Some(other) = asked.month.as_ref().filter(|m| !is_month(m)) {
        return Err(Problem::of(Kind::ActNotUnderstood, format!("`{other}` is no month such as 2026-11")));
    }
    let done = tokio::task::spawn_blocking(move || {
        let month = asked.month.unwrap_or_else(|| node.now().day(0).to_string().chars().take(7).collect());
        node.figures(&month).map(|figures| json!({ "name": name, "month": month, "figures": figures }))
    });
    done.await.map_err(|_| Problem::of(Kind::WentWrong, ""))?.map(Json).map_err(|e| Problem::act(&e))
}

/// What of `/v1` is described here.
#[derive(utoipa::OpenApi)]
#[openapi(paths(listed, taken_in, figures))]
pub(crate) struct Described;

#[cfg(test)]
mod tests;
