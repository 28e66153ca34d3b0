//! Doors for people and programs over the rulebook and the engine: `/v1` and the pages.
//!
//! A page shows nothing that `/v1` cannot return. Law is public; everything else needs a token. This module prints
//! nothing: whoever starts it says where it listens.
//!
//! Path of a question: request → [`guard`](self) (host, headers) → a typed extractor of [`principal`] → facts of
//! [`asked`](self) → the engine on a blocking thread → a decision document or a page.
//!
//! ```no_run
//! use server::people::{self, Mode, State, principal::{OneToken, Principal, Role}};
//! # async fn example(book: rulebook::book::Rulebook) -> std::io::Result<()> {
//! let who = Principal { participant: "me".into(), token: "demo".into(), role: Role::Act };
//! let state = State::new(book, Mode::Demo, OneToken::new("a secret of at least 32 bytes …", who));
//! let door = people::bind("127.0.0.1:4777".parse().unwrap(), state).await?;
//! let link = people::link(door.address(), "a secret of at least 32 bytes …");
//! door.serve(std::future::pending()).await
//! # }
//! ```

pub mod acts;
mod api;
pub(crate) mod asked;
mod bench;
mod feeds;
mod guard;
mod listen;
pub mod office;
mod openapi;
mod page;
pub mod flows;
pub mod principal;
mod session;
mod tongue;

pub use listen::{Door, bind, bind_tls, held, serve};

use crate::participants::{Participants, people_router};
use crate::problem::{Kind, Problem};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, Uri, header},
    middleware,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use decide::engine::Engine;
use flows::{Flows, NoFlows};
use model::{CivilDate, Instant};
use principal::Doorkeeper;
use rulebook::{book::Rulebook, lookup as law};
use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::Semaphore;

/// How strict the doors are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// The default: a page session is opened by typing a token into the page.
    #[default]
    Production,
    /// A page session may also be opened by a link that carries the printed token; pages say that this is a demo.
    Demo,
}

/// Where corrections of rules are reported.
pub const CORRECTIONS: &str = "https://github.com/tegata/tegata/issues/new";

/// LIMIT: questions that wait for the engine; the next one is told to come again.
const WAITING_MAX: usize = 32;

/// What every door holds.
#[derive(Clone)]
pub struct State {
    book: Arc<Rulebook>,
    /// Reads the rulebook again with its worked cases, which decide nothing and are not held.
    whole: Option<Arc<dyn Fn() -> Option<Rulebook> + Send + Sync>>,
    participants: Option<Arc<Participants>>,
    engine: Arc<Mutex<Engine>>,
    mode: Mode,
    keeper: Arc<dyn Doorkeeper>,
    flows: Arc<dyn Flows>,
    pub(crate) acts: Arc<dyn acts::Acts>,
    node: Option<Arc<node::agent::Node>>,
    today: Arc<dyn Fn() -> CivilDate + Send + Sync>,
    sessions: Arc<session::Sessions>,
    hygiene: Arc<page::hygiene::Shelf>,
    feeds: Arc<feeds::Shelf>,
    bench: Arc<bench::Shelf>,
    turns: Arc<Semaphore>,
    hosts: Arc<Vec<String>>,
    corrections: Arc<str>,
    tls: bool,
}

impl State {
    /// Starts with a rulebook that loads, the wall clock in UTC, and no flows.
    pub fn new(book: impl Into<Arc<Rulebook>>, mode: Mode, keeper: impl Doorkeeper + 'static) -> Self {
        let book = book.into();
        Self::made(book.clone(), Arc::new(Mutex::new(Engine::growing(book))), mode, Arc::new(keeper))
    }

    fn made(book: Arc<Rulebook>, engine: Arc<Mutex<Engine>>, mode: Mode, keeper: Arc<dyn Doorkeeper>) -> Self {
        Self {
            whole: None,
            participants: None,
            engine,
            book,
            mode,
            keeper,
            flows: Arc::new(NoFlows),
            acts: Arc::new(acts::NoNode::default()),
            node: None,
            today: Arc::new(wall_day),
            sessions: Arc::default(),
            hygiene: Arc::default(),
            feeds: Arc::default(),
            bench: Arc::default(),
            turns: Arc::new(Semaphore::new(WAITING_MAX)),
            hosts: Arc::default(),
            corrections: Arc::from(CORRECTIONS),
            tls: false,
        }
    }

    /// The doors of another participant over the same rulebook and tables; nothing else is shared.
    #[must_use]
    pub fn beside(&self, keeper: impl Doorkeeper + 'static) -> Self {
        let (whole, hosts, corrections) = (self.whole.clone(), self.hosts.clone(), self.corrections.clone());
        let made = Self::made(self.book.clone(), self.engine.clone(), self.mode, Arc::new(keeper));
        Self { whole, hosts, corrections, ..made }
    }

    /// Takes in participants beside the one that runs the process.
    #[must_use]
    pub fn with_participants(self, all: Arc<Participants>) -> Self {
        Self { participants: Some(all), ..self }
    }

    pub(crate) fn participants(&self) -> Option<Arc<Participants>> {
        self.participants.clone()
    }

    /// Reads the rulebook with its worked cases this way; without it those that the rulebook holds are all.
    #[must_use]
    pub fn with_whole(self, read: impl Fn() -> Option<Rulebook> + Send + Sync + 'static) -> Self {
        Self { whole: Some(Arc::new(read)), ..self }
    }

    /// The rulebook with its worked cases; the one that is held, if the texts are no longer those that it was made of.
    pub(crate) fn whole(&self) -> Arc<Rulebook> {
        let read = self.whole.as_ref().and_then(|read| read()).filter(|b| b.digest() == self.book.digest());
        read.map_or_else(|| self.book.clone(), Arc::new)
    }

    /// Shows these flows.
    #[must_use]
    pub fn with_flows(self, flows: impl Flows + 'static) -> Self {
        Self { flows: Arc::new(flows), ..self }
    }

    /// Acts by this node.
    #[must_use]
    pub fn with_acts(self, acts: impl acts::Acts + 'static) -> Self {
        Self { acts: Arc::new(acts), ..self }
    }

    /// Lets programs act for this node, in whose directory the doors keep their book.
    #[must_use]
    pub fn with_node(self, node: Arc<node::agent::Node>) -> Self {
        Self { node: Some(node.clone()), ..self.with_directory(&node.config().directory) }
    }

    /// Keeps the book of spent privacy in this directory; without one it ends with the process.
    #[must_use]
    pub fn with_directory(self, directory: &Path) -> Self {
        Self { bench: Arc::new(bench::Shelf::in_directory(directory)), ..self }
    }

    pub(crate) fn node(&self) -> Option<Arc<node::agent::Node>> {
        self.node.clone()
    }

    /// Whom a secret belongs to.
    pub(crate) fn admit(&self, secret: &str) -> Option<principal::Principal> {
        self.keeper.admit(secret)
    }

    /// Takes the civil day from this clock: the legal clock of a demo.
    #[must_use]
    pub fn with_today(self, today: impl Fn() -> CivilDate + Send + Sync + 'static) -> Self {
        Self { today: Arc::new(today), ..self }
    }

    /// Serves these host names beside loopback.
    #[must_use]
    pub fn with_hosts(self, hosts: Vec<String>) -> Self {
        Self { hosts: Arc::new(hosts), ..self }
    }

    /// Sends corrections of rules to this address, which takes `title` and `body`.
    #[must_use]
    pub fn with_corrections(self, address: &str) -> Self {
        Self { corrections: Arc::from(address), ..self }
    }

    fn day(&self) -> CivilDate {
        (self.today)()
    }

    /// Asks the engine, off the threads that serve.
    async fn think<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Engine) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = self.turns.clone().try_acquire_owned().map_err(|_| Problem::of(Kind::Busy, ""))?;
        let engine = self.engine.clone();
        let thought = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            question(&mut engine.lock().unwrap_or_else(PoisonError::into_inner))
        });
        thought.await.map_err(|_| Problem::of(Kind::WentWrong, ""))
    }
}

impl State {
    /// Works on data, off the threads that serve.
    pub(crate) async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let turn = self.turns.clone().try_acquire_owned().map_err(|_| Problem::of(Kind::Busy, ""))?;
        let worked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        worked.await.map_err(|_| Problem::of(Kind::WentWrong, ""))
    }
}

fn wall_now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

pub(crate) fn wall_day() -> CivilDate {
    wall_now().day(0)
}

/// The link that opens a page session in a demo.
pub fn link(address: SocketAddr, secret: &str) -> String {
    format!("http://{address}/en/enter?token={}", asked::escape(secret))
}

/// All doors for people and programs.
pub fn router(state: State) -> Router {
    let pages = Router::new()
        .route("/", get(first))
        .route("/style.css", get(page::style))
        .route("/icon.svg", get(page::icon))
        .route("/feed.atom", get(feeds::atom))
        .route("/feed.json", get(feeds::json))
        .route("/problems", get(page::problems))
        .route("/problems/{slug}", get(page::problems))
        .route("/{tongue}", get(page::home::get))
        .route("/{tongue}/", get(page::home::get))
        .route("/{tongue}/enter", get(page::session_page::get).post(page::session_page::post))
        .route("/{tongue}/leave", post(page::session_page::leave))
        .route("/{tongue}/check", get(page::check::get))
        .route("/{tongue}/verdict", get(page::verdict::get))
        .route("/{tongue}/countries", get(page::country::all))
        .route("/{tongue}/country/{place}", get(page::country::get))
        .route("/{tongue}/layer/{layer}", get(page::country::layer))
        .route("/{tongue}/rule/{id}", get(page::rule::today))
        .route("/{tongue}/rule/{id}/{date}", get(page::rule::get))
        .route("/{tongue}/changes", get(page::changes::get))
        .route("/{tongue}/effect/{day}", get(page::effect::get))
        .route("/{tongue}/compare", get(page::compare::get))
        .route("/{tongue}/report", get(page::report::get))
        .route("/{tongue}/hygiene", get(page::hygiene::get))
        .route("/{tongue}/register", get(page::register::get).post(page::register::post))
        .route("/{tongue}/matrix", get(page::matrix::get))
        .route("/{tongue}/map", get(page::matrix::get))
        .route("/{tongue}/bench", get(page::bench::get))
        .route("/{tongue}/bench/table", post(page::bench::put))
        .route("/{tongue}/bench/ask", post(page::bench::ask))
        .route("/{tongue}/bench/{file}", get(page::bench::download))
        .route("/{tongue}/negotiations", get(page::negotiation::all))
        .route("/{tongue}/negotiations/{id}", get(page::negotiation::get))
        .route("/{tongue}/negotiations/{id}/{act}", post(page::negotiation::act))
        .route("/{tongue}/duties/{id}/attest", post(page::duty::attest))
        .route("/{tongue}/participants", get(page::participants::get).post(page::participants::post))
        .route("/{tongue}/flows", get(page::flow::all))
        .route("/{tongue}/observed", get(page::observed::get))
        .route("/{tongue}/claims", get(page::claims::get).post(page::claims::post))
        .route("/{tongue}/judgments", get(page::judgments::get).post(page::judgments::post))
        .route("/{tongue}/flows/{id}", get(page::flow::get))
        .route("/{tongue}/flows/{id}/cure", post(page::flow::cure))
        .route("/{tongue}/flows/{id}/evidence", get(page::evidence::get));
    let others = state.participants().map(|all| people_router(&all)).unwrap_or_default();
    Router::new()
        .merge(pages)
        .merge(api::routes())
        .merge(acts::routes())
        .merge(crate::space::routes())
        .merge(crate::duties::routes())
        .merge(crate::observed::routes())
        .merge(crate::claims::routes())
        .merge(crate::signaling::routes())
        .merge(crate::participants::routes())
        .fallback(nothing)
        .method_not_allowed_fallback(not_offered)
        .layer(DefaultBodyLimit::max(guard::BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
        .merge(others)
}

async fn first(headers: HeaderMap) -> Redirect {
    let accept = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    Redirect::to(&format!("/{}/", tongue::Tongue::preferred(accept).code()))
}

async fn nothing(uri: Uri) -> Response {
    let problem = Problem::of(Kind::NotFound, uri.path());
    let for_people = ["/en", "/ja"].iter().any(|p| uri.path().starts_with(p));
    if for_people { page::refused(&uri, &problem) } else { problem.into_response() }
}

async fn not_offered() -> Problem {
    Problem::of(Kind::NotOffered, "")
}

#[cfg(test)]
mod tests;
