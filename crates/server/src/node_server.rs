//! A node behind its doors: opens keys and store, binds TLS, serves peers, and lets the node act.

use crate::authority::enroll::{Enrolled, JoinError, Newcomer, join};
use crate::carrier::reach::Reach;
use crate::carrier::shared::{Shared, SharingCarrier};
use crate::carrier::{Limits as CarrierLimits, Terms, TlsCarrier};
use crate::tls::{Clients, Door, Files, Limits, Listening, TlsError, bind};
use crate::{claims_door, data_door, dataflow_door, dsp_door, test_identity};
use axum::Router;
use decide::engine::Engine;
use identity::asn1::oid;
use identity::x509::Certificate;
use node::agent::Node;
use node::config::{Config, ConfigError, Mode};
use node::error::ActError;
use node::keys::FileSigner;
use node::ports::{Carrier, MachineClock, Request, SignError};
use rulebook::book::Rulebook;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What marks a certificate of the demo's authority; production refuses it.
pub const INVENTED: &str = "(invented)";

/// Why a node does not start.
#[derive(Debug)]
pub enum StartError {
    /// The address cannot be listened at, or a TLS file cannot be used.
    Tls(TlsError),
    /// A key cannot be used.
    Sign(SignError),
    /// The store cannot be opened, or the node cannot act.
    Act(ActError),
    /// The configuration is refused.
    Config(ConfigError),
    /// `listen` is no address.
    Address(String),
    /// The crash point is refused.
    CrashPoint(String),
}

impl StartError {
    /// The stable code.
    pub fn code(&self) -> String {
        match self {
            Self::Tls(e) => e.code().into(),
            Self::Sign(_) => "node/sign".into(),
            Self::Act(e) => e.code(),
            Self::Config(e) => e.code().into(),
            Self::Address(_) => "config/listen".into(),
            Self::CrashPoint(_) => "config/crash-point".into(),
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(e) => write!(f, "{e}"),
            Self::Sign(e) => write!(f, "{e}"),
            Self::Act(e) => write!(f, "{e}"),
            Self::Config(e) => write!(f, "{e}"),
            Self::Address(text) => write!(f, "`listen = \"{text}\"` is no address such as `127.0.0.1:8443`"),
            Self::CrashPoint(text) => write!(f, "{text}"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<TlsError> for StartError {
    fn from(e: TlsError) -> Self {
        Self::Tls(e)
    }
}

impl From<SignError> for StartError {
    fn from(e: SignError) -> Self {
        Self::Sign(e)
    }
}

impl From<ActError> for StartError {
    fn from(e: ActError) -> Self {
        Self::Act(e)
    }
}

/// Enrolls a participant at the demo's authority and writes the configuration as `tegata.toml` into its directory.
///
/// `base` is the authority's address, `anchors` its root certificate, `token` its enrollment token of now. Keys that are
/// there already are kept; so is everything in the configuration but the services of the authority.
pub fn enroll(
    config: &mut Config,
    base: &str,
    anchors: &Path,
    token: &str,
    country: &str,
    organization_identifier: &str,
) -> Result<Enrolled, JoinError> {
    let files = |e: TlsError| JoinError::Files(crate::authority::AuthorityError::Tls(e));
    let carrier = TlsCarrier::open(Terms::new(anchors).reaching(Reach::Anywhere)).map_err(files)?;
    let newcomer = Newcomer {
        did: config.participant.clone(),
        name: config.name.clone(),
        country: country.to_owned(),
        organization_identifier: organization_identifier.to_owned(),
        hosts: vec!["127.0.0.1".into(), "localhost".into()],
        log_origin: config.log_origin(),
    };
    let enrolled = join(&carrier, base, token, &newcomer, &config.directory)?;
    config.authority = node::config::Authority {
        revocation_list: Some(enrolled.revocation_list.clone()),
        time_stamp: Some(enrolled.time_stamp.clone()),
        witness: Some(enrolled.witness.clone()),
        witness_key: Some(enrolled.witness_key.clone()),
    };
    let path = config.directory.join("tegata.toml");
    std::fs::write(&path, config.render()).map_err(|e| {
        JoinError::Files(crate::authority::AuthorityError::File { path: path.clone(), detail: e.to_string() })
    })?;
    Ok(enrolled)
}

/// Revokes all certificates of a participant of the demo's authority; `token` is the operator's.
pub fn revoke(base: &str, anchors: &Path, token: &str, did: &str) -> Result<(), JoinError> {
    let files = |e: TlsError| JoinError::Files(crate::authority::AuthorityError::Tls(e));
    let carrier = TlsCarrier::open(Terms::new(anchors).reaching(Reach::Anywhere)).map_err(files)?;
    let body = serde_json::json!({ "did": did }).to_string().into_bytes();
    let request = Request::post(format!("{base}/revoke"), "application/json", body)
        .with("authorization", format!("Bearer {token}"));
    let reply = carrier.send(request).map_err(JoinError::Carrier)?;
    match reply.is_success() {
        true => Ok(()),
        false => Err(JoinError::Refused(
            reply.status,
            String::from_utf8_lossy(&reply.body).chars().take(200).collect(),
        )),
    }
}

/// A node that runs, until it is stopped or dropped.
#[derive(Debug)]
pub struct NodeServer {
    node: Arc<Node>,
    listening: Option<Listening>,
}

/// Starts a node on a configuration: port 0 takes a free one, [`NodeServer::address`] tells which.
///
/// `pages` adds further routes of this node, such as the pages for people.
pub fn start(
    config: Config,
    book: impl Into<Arc<Rulebook>>,
    pages: impl FnOnce(&Arc<Node>) -> Option<Router>,
) -> Result<NodeServer, StartError> {
    let book = book.into();
    refuse_invented(&config)?;
    config.check_law(&book).map_err(StartError::Config)?;
    node::arm_crash_point(&config).map_err(StartError::CrashPoint)?;
    let at: SocketAddr = config.listen.parse().map_err(|_| StartError::Address(config.listen.clone()))?;
    let listener = bind(at)?;
    let local = listener.local_addr().map_err(|e| StartError::Address(e.to_string()))?;
    let scheme = if config.test_identity { "http" } else { "https" };
    let address = config.address.clone().unwrap_or_else(|| format!("{scheme}://{local}"));
    if config.test_identity {
        test_identity::check(&config, local)?;
        test_identity::make_keys(&config)?;
    }
    let (anchors, certificate, key) = (
        config.file(&config.keys.anchors),
        config.file(&config.keys.tls_certificate),
        config.file(&config.keys.tls_key),
    );
    let node = open(config, &address, Arc::new(Mutex::new(Engine::growing(book))), None)?;
    let mut router = member_routes(&node);
    if let Some(pages) = pages(&node) {
        router = router.merge(pages);
    }
    // Peers show a certificate, people do not; each route says what it needs.
    let files = Files { certificate, key, clients: Clients::Asked(anchors), revoked: None };
    let door = match node.config().test_identity {
        true => Door::in_the_clear(Limits::default()),
        false => Door::open(files, Limits::default())?,
    };
    let listening = Listening::start(listener, router, door)?;
    node.run().map_err(|e| StartError::Act(ActError::Sign(SignError(format!("no threads: {e}")))))?;
    Ok(NodeServer { node, listening: Some(listening) })
}

/// Opens keys, carrier and store of a node that will be reached at this address.
fn open(
    config: Config,
    address: &str,
    engine: Arc<Mutex<Engine>>,
    with: Option<&Arc<Shared>>,
) -> Result<Arc<Node>, StartError> {
    let terms = Terms::new(config.file(&config.keys.anchors)).reaching(reach(&config)).within(limits(&config));
    let shown = (config.file(&config.keys.tls_certificate), config.file(&config.keys.tls_key));
    let terms = match config.test_identity {
        true => terms.clear_on_loopback(),
        false => terms.showing(shown.0, shown.1),
    };
    let carrier: Arc<dyn Carrier> = match with {
        None => Arc::new(TlsCarrier::open(terms)?),
        Some(with) => Arc::new(SharingCarrier {
            own: TlsCarrier::on(with.threads.clone(), terms)?,
            with: with.clone(),
            url: config.authority.revocation_list.clone(),
            // LIMIT: a revocation is known so much later than by a node that fetches for itself.
            age_max: Duration::from_millis(u64::try_from(config.limits.status_ms / 2).unwrap_or_default()),
        }),
    };
    let signer = FileSigner::open(
        &config.file(&config.keys.seal_certificate),
        &config.file(&config.keys.seal_key),
        &config.log_origin(),
        &config.file(&config.keys.log_seed),
    )?;
    Ok(Node::start_sharing(config, address, engine, carrier, Arc::new(signer), Arc::new(MachineClock))?)
}

/// Starts the node of a participant behind the doors of a host, which has its mode and its way of knowing peers.
pub(crate) fn member(
    config: Config,
    host: &Config,
    address: &str,
    engine: Arc<Mutex<Engine>>,
    with: &Arc<Shared>,
) -> Result<Arc<Node>, StartError> {
    // INVARIANT: nobody is in demo mode behind a door of production.
    if config.mode != host.mode || config.test_identity != host.test_identity {
        return Err(StartError::Config(ConfigError::DemoOnly("a participant of another mode than its host")));
    }
    refuse_invented(&config)?;
    config.check_law(&engine.lock().unwrap_or_else(PoisonError::into_inner).book).map_err(StartError::Config)?;
    if config.test_identity {
        test_identity::make_keys(&config)?;
    }
    let node = open(config, address, engine, Some(with))?;
    node.run().map_err(|e| StartError::Act(ActError::Sign(SignError(format!("no threads: {e}")))))?;
    Ok(node)
}

/// What peers reach of one node.
pub(crate) fn member_routes(node: &Arc<Node>) -> Router {
    dsp_door::router(node.clone())
        .merge(data_door::router(node.clone()))
        .merge(dataflow_door::router(node.clone()))
        .merge(claims_door::router(node.clone()))
}

impl NodeServer {
    /// The node, for its acts.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Where peers reach it.
    pub fn address(&self) -> &str {
        self.node.address()
    }

    /// Stops: running answers are given, flows stop at their next chunk.
    pub fn stop(mut self) {
        self.node.stop();
        if let Some(listening) = self.listening.take() {
            listening.stop();
        }
    }
}

impl Drop for NodeServer {
    fn drop(&mut self) {
        self.node.stop();
    }
}

/// In production no certificate of the demo's authority is an anchor.
fn refuse_invented(config: &Config) -> Result<(), StartError> {
    if config.mode == Mode::Demo {
        return Ok(());
    }
    let text = std::fs::read_to_string(config.file(&config.keys.anchors)).unwrap_or_default();
    let anchors = Certificate::from_pem(&text).unwrap_or_default();
    let invented = |c: &Certificate| {
        let named = [oid::ORGANIZATION, oid::COMMON_NAME];
        named.iter().any(|kind| c.subject().attribute(kind).is_some_and(|name| name.contains(INVENTED)))
    };
    match anchors.iter().any(invented) {
        true => Err(StartError::Config(ConfigError::DemoOnly("the demo's authority as anchor"))),
        false => Ok(()),
    }
}

/// The demo's nodes share one machine; in production only the configured services may lie on an inner address.
fn reach(config: &Config) -> Reach {
    if config.mode == Mode::Demo {
        return Reach::Anywhere;
    }
    let services =
        [&config.authority.revocation_list, &config.authority.time_stamp, &config.authority.witness];
    let host = |url: &String| {
        url.strip_prefix("https://").and_then(|rest| rest.split('/').next()).map(str::to_owned)
    };
    let services = services.into_iter().flatten().filter_map(host);
    Reach::Outside { also: services.chain(config.peers.allow.iter().cloned()).collect() }
}

fn limits(config: &Config) -> CarrierLimits {
    let most = Duration::from_millis(config.limits.answer_ms);
    CarrierLimits { connect: most.min(Duration::from_secs(5)), first_byte: most, ..CarrierLimits::default() }
}
