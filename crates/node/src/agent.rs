//! The node: what one participant's agent holds, and the threads that act for it.

use crate::act::process::OpeningName;
use crate::act::revocation::Watched;
use crate::act::turn::Running;
use crate::config::{Config, Mode};
use crate::act::claims::Known;
use crate::keyring::Keyring;
use crate::error::ActError;
use crate::live::Live;
use crate::mark::Mark;
use crate::act::catalog::Conditions;
use crate::act::check::Decisions;
use crate::act::outbox::Taken;
use crate::crew::Crew;
use crate::act::trace::Memory;
use crate::ports::{Carrier, Clock, Signer, fresh_name, random};
use crate::prove::LogState;
use crate::quota::Quotas;
use crate::rounds::Rounds;
use decide::engine::Engine;
use identity::x509::{AltName, Certificate};
use model::event::{Event, EventKind};
use model::{CivilDate, Digest, Instant};
use rulebook::book::Rulebook;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::keep::{DocumentKind, Expect, Keep};
use store::log::Leaf;
use store::process::ProcessId;
use store::{Participant, Store, Together};
use tlog::entry::{Commitment, Salt, Tag};

/// Locks; a thread that panicked while it held the lock leaves values that each verb checks anyway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A peer at the door: who its TLS certificate says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its id.
    pub id: String,
    /// The certificate that it showed, if that is its proof.
    pub certificate: Option<Certificate>,
    /// Whether it proved itself by a token of its own and the credentials that we require.
    by_claims: bool,
}

impl Caller {
    /// Reads the id from a certificate whose path the TLS layer has judged: its URI that is a DID.
    pub fn of(certificate: Certificate) -> Option<Self> {
        let id = certificate.extensions().alt_names.iter().find_map(|name| match name {
            AltName::Uri(uri) if uri.starts_with("did:") => Some(uri.clone()),
            _ => None,
        })?;
        Some(Self { id, certificate: Some(certificate), by_claims: false })
    }

    /// A peer of the test identity: whoever its header says, believed by a node in demo mode alone.
    pub fn unproved(id: &str) -> Self {
        Self { id: id.to_owned(), certificate: None, by_claims: false }
    }

    /// INVARIANT: made only where a token and what it leads to were verified ([`Node::identify`]).
    pub(crate) fn by_claims(id: &str) -> Self {
        Self { id: id.to_owned(), certificate: None, by_claims: true }
    }

    /// Whether claims are its proof.
    pub fn has_claims(&self) -> bool {
        self.by_claims
    }
}

/// One participant's agent.
pub struct Node {
    pub(crate) config: Config,
    pub(crate) address: String,
    pub(crate) store: Store,
    pub(crate) participant: Participant,
    /// The law; nodes of one process may share it.
    pub(crate) engine: Arc<Mutex<Engine>>,
    pub(crate) carrier: Arc<dyn Carrier>,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) anchors: Vec<Certificate>,
    /// Names this process as a holder of leases.
    pub(crate) holder: String,
    pub(crate) legal: Mutex<Option<CivilDate>>,
    pub(crate) flows: Mutex<BTreeMap<String, Arc<Running>>>,
    pub(crate) pulls: Mutex<BTreeSet<String>>,
    /// Transfers that started and may have to be pulled.
    pub(crate) wanted: Mutex<BTreeSet<String>>,
    pub(crate) negotiations_open: Mutex<Live>,
    pub(crate) transfers_open: Mutex<Live>,
    /// Transfers whose bytes a data plane of others moves.
    pub(crate) signals_open: Mutex<Live>,
    /// Held while a question of another policy engine is counted.
    pub(crate) observing: Mutex<()>,
    /// Data flows that we carry for control planes of others.
    pub(crate) dataflows_open: Mutex<Live>,
    /// Messages that peers took and that are not written down as settled.
    pub(crate) answered: Mutex<BTreeMap<ProcessId, Taken>>,
    pub(crate) quotas: Mutex<Quotas>,
    pub(crate) marks: Mutex<Vec<Mark>>,
    pub(crate) crew: Crew,
    /// Messages that open a process and are being decided on.
    pub(crate) openings: Mutex<BTreeSet<OpeningName>>,
    pub(crate) memory: Mutex<Memory>,
    pub(crate) conditions: Mutex<Conditions>,
    pub(crate) decisions: Mutex<Decisions>,
    pub(crate) watched: Mutex<Watched>,
    pub(crate) log: Mutex<LogState>,
    /// Deliveries whose receipt came and whose evidence is not made yet, by manifest.
    pub(crate) unproven: Mutex<BTreeSet<Digest>>,
    pub(crate) keyring: Mutex<Keyring>,
    pub(crate) known: Mutex<Known>,
    /// Requests for credentials that are approved and not delivered.
    pub(crate) issuing: Mutex<BTreeSet<String>>,
    pub(crate) rounds: Rounds,
    /// When duties are to be looked at next, in milliseconds of the clock.
    pub(crate) duties_at: AtomicI64,
    /// The number of commits of the store up to which the log's checkpoint reaches.
    pub(crate) logged: AtomicU64,
    /// Grows whenever something that a decision rests on has changed.
    pub(crate) epoch: AtomicU64,
    stop: AtomicBool,
    bell: (Mutex<u64>, Condvar),
}

const LEGAL_DAY: &str = "legal-day";

impl Node {
    /// Starts a node on a configuration: opens its store, takes up the legal day that was set last.
    ///
    /// `address` is where peers reach it; the caller has bound it. Nothing acts before [`Node::run`].
    pub fn start(
        config: Config,
        address: &str,
        book: impl Into<Arc<Rulebook>>,
        carrier: Arc<dyn Carrier>,
        signer: Arc<dyn Signer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, ActError> {
        let engine = Arc::new(Mutex::new(Engine::growing(book)));
        Self::start_sharing(config, address, engine, carrier, signer, clock)
    }

    /// The same with the law of another node: their decisions are their own, the tables are made once.
    pub fn start_sharing(
        config: Config,
        address: &str,
        engine: Arc<Mutex<Engine>>,
        carrier: Arc<dyn Carrier>,
        signer: Arc<dyn Signer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, ActError> {
        let store = Store::open(&config.directory)?;
        let participant = Participant::new(&config.participant)?;
        let text = std::fs::read_to_string(config.file(&config.keys.anchors)).unwrap_or_default();
        let anchors = Certificate::from_pem(&text).map_err(|e| ActError::evidence("node/anchors", e))?;
        let legal = match store.kept(&participant, DocumentKind::Setting, LEGAL_DAY)? {
            Some(kept) if config.mode == Mode::Demo => String::from_utf8_lossy(&kept.body).parse().ok(),
            _ => config.legal_day,
        };
        let rulebook = lock(&engine).book.digest();
        let node = Arc::new(Self {
            address: address.trim_end_matches('/').to_owned(),
            store,
            participant,
            engine,
            carrier,
            signer,
            clock,
            anchors,
            holder: fresh_name()?,
            legal: Mutex::new(legal),
            flows: Mutex::default(),
            pulls: Mutex::default(),
            wanted: Mutex::default(),
            negotiations_open: Mutex::default(),
            transfers_open: Mutex::default(),
            signals_open: Mutex::default(),
            observing: Mutex::default(),
            dataflows_open: Mutex::default(),
            answered: Mutex::default(),
            quotas: Mutex::new(config.quotas),
            marks: Mutex::new(config.mark.clone()),
            crew: Crew::default(),
            openings: Mutex::default(),
            memory: Mutex::new(Memory::new(&fresh_name()?)),
            conditions: Mutex::default(),
            decisions: Mutex::default(),
            watched: Mutex::default(),
            log: Mutex::default(),
            unproven: Mutex::default(),
            keyring: Mutex::default(),
            known: Mutex::default(),
            issuing: Mutex::default(),
            rounds: Rounds::default(),
            duties_at: AtomicI64::new(0),
            logged: AtomicU64::new(u64::MAX),
            epoch: AtomicU64::new(1),
            stop: AtomicBool::new(false),
            bell: (Mutex::new(0), Condvar::new()),
            config,
        });
        let mut event = node.event(EventKind::RulesLoaded, "rulebook");
        event.binds.insert("rulebook".into(), rulebook);
        node.store.append_events(&node.participant, vec![node.leaf(&event)?])?;
        node.store.wake_outbox(&node.participant, node.now())?;
        node.take_up()?;
        node.find_unproven();
        node.take_up_claims()?;
        node.take_up_planes()?;
        Ok(node)
    }

    /// Starts the thread that acts: messages, moves and pulls; it begins the rounds that are wanted.
    pub fn run(self: &Arc<Self>) -> std::io::Result<()> {
        let node = Arc::clone(self);
        std::thread::Builder::new().name("acts".into()).spawn(move || node.act_loop()).map(drop)
    }

    /// Asks the threads to end; flows stop at their next chunk.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.crew.wake();
        self.ring();
    }

    /// Whether the threads shall end.
    pub fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether invented things may be used here.
    pub fn is_demo(&self) -> bool {
        self.config.mode == Mode::Demo
    }

    /// The participant's id.
    pub fn id(&self) -> &str {
        self.participant.as_str()
    }

    /// Where peers reach it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The base address of the Dataspace Protocol.
    pub fn protocol_address(&self) -> String {
        format!("{}/dsp", self.address)
    }

    /// Now, by the wall clock.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The civil day whose law counts: that of the legal clock in the demo, else today in UTC.
    pub fn legal_day(&self) -> CivilDate {
        lock(&self.legal).unwrap_or_else(|| self.now().day(0))
    }

    /// Moves the legal clock of the demo; running flows are decided afresh before this returns.
    pub fn move_legal_day(self: &Arc<Self>, day: CivilDate) -> Result<(), ActError> {
        if self.config.mode != Mode::Demo {
            return Err(ActError::DemoOnly("the legal clock"));
        }
        let document = Keep {
            kind: DocumentKind::Setting,
            id: LEGAL_DAY.into(),
            about: None,
            at: self.now(),
            body: day.to_string().into_bytes(),
            expect: Expect::Any,
        };
        self.store.keep(&self.participant, document, Together::default())?;
        *lock(&self.legal) = Some(day);
        self.judge_running();
        self.changed();
        Ok(())
    }

    /// Notes that something has changed on which decisions rest.
    pub(crate) fn changed(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        lock(&self.decisions).forget();
        lock(&self.negotiations_open).touch_all();
        lock(&self.transfers_open).touch_all();
        self.ring();
    }

    /// Wakes whoever waits.
    pub(crate) fn ring(&self) {
        *lock(&self.bell.0) += 1;
        self.bell.1.notify_all();
    }

    /// The number of rings so far; to be taken before looking at what one waits for.
    pub(crate) fn rings(&self) -> u64 {
        *lock(&self.bell.0)
    }

    /// Waits for the next ring after `seen`, or so long.
    pub(crate) fn wait(&self, seen: u64, at_most: Duration) {
        let guard = lock(&self.bell.0);
        let waited = self.bell.1.wait_timeout_while(guard, at_most, |rings| *rings == seen);
        drop(waited);
    }

    /// Waits until `look` finds something, but not longer than `at_most`.
    pub(crate) fn until<T>(
        &self,
        what: &'static str,
        at_most: Duration,
        mut look: impl FnMut() -> Result<Option<T>, ActError>,
    ) -> Result<T, ActError> {
        let end = std::time::Instant::now() + at_most;
        loop {
            let rings = self.rings();
            if let Some(found) = look()? {
                return Ok(found);
            }
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() || self.is_stopping() {
                return Err(ActError::TooLate { what });
            }
            self.wait(rings, left.min(Duration::from_millis(100)));
        }
    }

    /// An event of now.
    pub(crate) fn event(&self, kind: EventKind, process: &str) -> Event {
        Event {
            kind,
            at: self.now(),
            legal_day: None,
            process: process.to_owned(),
            binds: BTreeMap::new(),
            rules: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    /// The leaf of an event, with a salt of its own.
    pub(crate) fn leaf(&self, event: &Event) -> Result<Leaf, ActError> {
        let salt: [u8; 32] = random()?;
        let tag = Tag::new(trust::EVENT_TAG).ok_or_else(|| ActError::evidence("node/tag", "no such tag"))?;
        let commit = |bytes: &[u8]| *Commitment::new(&tag, &Salt::new(salt), bytes).as_bytes();
        Leaf::new(event, salt, commit).map_err(|e| ActError::evidence("node/event", e))
    }

    /// The digest of the rulebook in force here.
    pub fn rulebook(&self) -> Digest {
        lock(&self.engine).book.digest()
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("participant", &self.participant).finish_non_exhaustive()
    }
}
