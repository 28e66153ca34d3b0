//! Running flows: leases that are renewed while the decision stands, and what happens when it turns.
//!
//! A decision turns when the legal day moves, facts change or a certificate is revoked. A flow also stops when the store
//! or, after a grace, the revocation list cannot be reached. What was cured is decided afresh and goes on at the next chunk.

use crate::act::check::{READ_ONCE, articles, headline, refusals};
use crate::act::negotiate::At;
use crate::act::offer::{Offer, case_id};
use crate::agent::{Caller, Node, lock};
use crate::config::Mode;
use crate::error::ActError;
use crate::ports::{Request, random};
use dataplane::encode::Encoding;
use dataplane::flow::{Content, Flow, Lease, Stopped};
use decide::decision::{Decision, Remedy};
use dsp::machine::Role;
use dsp::message::Grounds;
use dsp::message::transfer::DataAddress;
use dsp::transfer::{Command, State, Transfer};
use identity::x509::Crl;
use model::event::EventKind;
use model::fact::{Said, Spoken};
use model::{Digest, Instant};
use pass::{Ground, Pass, Scope};
use pets::plan::Plan;
use pets::pseudonym::{Domain, DomainKey};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::keep::{DocumentKind, Expect, Keep};
use store::lease::{LeaseAsk, Renewal, Standing};
use store::status::StatusSeen;
use store::{StoreError, Together};

/// The code of a flow that stops because its decision turned.
pub const LAW_TURNED: &str = "node/law-turned";
/// The code of a flow whose peer's certificate is revoked.
pub const REVOKED: &str = "node/revoked";
/// The code of a flow whose lease was not renewed.
pub const LEASE_OUT: &str = "node/lease-out";
/// The code of a flow that waits a moment while it is decided afresh.
pub const DECIDING: &str = "node/deciding";
/// The code of a flow whose protocol process is not started.
pub const NOT_STARTED: &str = "node/not-started";
/// The code of a flow whose lease another process or the end of the flow took away.
pub const LEASE_OVER: &str = "node/lease-over";
/// The code of a flow that stops because revocation cannot be known.
pub const STATUS_UNKNOWN: &str = "node/status-unknown";

/// What the law says on one act.
pub(crate) struct Judged {
    pub(crate) transfer: model::transfer::Transfer,
    pub(crate) decision: Decision,
}

/// Judges the act with a peer afresh.
pub(crate) fn law_of(node: &Node, offer: &Offer, peer: &str) -> Result<Judged, ActError> {
    let transfer = node.case_with(offer, peer)?;
    let decision = node.decide(&transfer)?;
    Ok(Judged { transfer, decision })
}

/// Whether a flow may go on, as the flow itself asks before each chunk.
pub(crate) struct Gate {
    until: AtomicI64,
    /// While the law is being asked afresh: no chunk passes under a decision of yesterday.
    held: AtomicBool,
    stopped: Mutex<Option<Stopped>>,
}

impl Gate {
    pub(crate) fn stop(&self, why: Stopped) {
        lock(&self.stopped).get_or_insert(why);
    }

    pub(crate) fn stopped(&self) -> Option<Stopped> {
        lock(&self.stopped).clone()
    }
}

/// A flow that this process runs.
pub(crate) struct Running {
    pub(crate) flow: Mutex<Flow>,
    pub(crate) gate: Mutex<Arc<Gate>>,
    pub(crate) dataset: String,
    pub(crate) peer: String,
    lease_epoch: AtomicU64,
    judged_epoch: AtomicU64,
    decision: Mutex<Digest>,
}

/// What is known of revocation, and of the certificates that peers showed.
#[derive(Default)]
pub(crate) struct Watched {
    pub(crate) list: Option<Crl>,
    seen_at: Option<Instant>,
    asked_at: Option<Instant>,
    since: Option<Instant>,
    serials: BTreeMap<String, BTreeSet<Vec<u8>>>,
    told: BTreeSet<Vec<u8>>,
}

/// What the store keeps of a flow beside its lease: never the pass.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FlowRecord {
    pub(crate) dataset: String,
    pub(crate) peer: String,
    pub(crate) agreement: String,
    /// Hash of the bearer token.
    pub(crate) token: Digest,
}

/// A stop as it is kept with the lease and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The stable code.
    pub code: String,
    /// Rule ids and articles.
    pub rules: Vec<String>,
    /// One line for people.
    pub says: String,
    /// When, by the wall clock.
    pub at: Instant,
    /// The legal day.
    pub legal_day: model::CivilDate,
}

impl Node {
    /// Lets a peer in, or says why not: a certificate that is revoked opens no door.
    pub fn admit(&self, caller: &Caller) -> Result<(), Stopped> {
        let serial = caller.certificate.serial().to_vec();
        let mut watched = lock(&self.watched);
        let revoked = watched.list.as_ref().is_some_and(|list| list.entry(&serial).is_some());
        watched.serials.entry(caller.id.clone()).or_default().insert(serial);
        match revoked {
            true => Err(revoked_words(&caller.id)),
            false => Ok(()),
        }
    }

    /// Moves transfer processes of which we are the provider; tells whether any moved.
    pub(crate) fn advance_transfers(&self) -> Result<bool, ActError> {
        let mut moved = false;
        for at in self.all::<Transfer>()? {
            let process = at.held.process();
            if process.role != Role::Provider {
                continue;
            }
            let done = match process.state() {
                State::Completed | State::Terminated => self.close(&process.own_pid.clone()),
                _ if !process.is_settled() => Ok(false),
                State::Requested => self.begin(&at),
                State::Started => self.keep_up(&at),
                State::Suspended => self.resume(&at),
            };
            moved |= match done {
                Err(ActError::Store(StoreError::Stale { .. })) => false,
                done => done?,
            };
        }
        Ok(moved)
    }

    /// Answers a transfer request: decides afresh, and starts with a pass or ends with the reason.
    fn begin(&self, at: &At<Transfer>) -> Result<bool, ActError> {
        match self.open_flow(&at.held, true)? {
            Opened::Flows(address) => self.command(at, Command::Start(Some(address)), Together::default()),
            Opened::Shut(grounds) => self.command(at, Command::Terminate(grounds), Together::default()),
        }
    }

    /// Looks after a started flow: suspends one that stopped, takes up one that a restart left.
    fn keep_up(&self, at: &At<Transfer>) -> Result<bool, ActError> {
        let pid = &at.held.process().own_pid;
        let running = lock(&self.flows).get(pid).cloned();
        match running {
            Some(running) => {
                let gate = lock(&running.gate).clone();
                match gate.stopped() {
                    // The process was stopped by its states alone and is started again.
                    Some(stopped) if stopped.code == NOT_STARTED => match self.open_flow(&at.held, false)? {
                        Opened::Flows(_) => Ok(true),
                        Opened::Shut(grounds) => {
                            self.command(at, Command::Suspend(grounds), Together::default())
                        }
                    },
                    Some(stopped) if stopped.code == LEASE_OVER => Ok(false),
                    Some(stopped) => self.command(
                        at,
                        Command::Suspend(self.stop_grounds(&running, &stopped)?),
                        Together::default(),
                    ),
                    None => Ok(false),
                }
            }
            None if self.is_ended(pid)? => Ok(false),
            None => match self.open_flow(&at.held, false)? {
                Opened::Flows(_) => Ok(true),
                Opened::Shut(grounds) => self.command(at, Command::Suspend(grounds), Together::default()),
            },
        }
    }

    /// Decides a flow afresh that we suspended, once something has changed.
    fn resume(&self, at: &At<Transfer>) -> Result<bool, ActError> {
        let pid = &at.held.process().own_pid;
        let ours = self.store.lease(&self.participant, pid)?.is_some_and(|l| l.standing == Standing::Turned);
        let epoch = self.epoch.load(Ordering::SeqCst);
        let tried = lock(&self.flows).get(pid).map(|r| r.judged_epoch.swap(epoch, Ordering::SeqCst));
        if !ours || tried == Some(epoch) {
            return Ok(false);
        }
        match self.open_flow(&at.held, false)? {
            Opened::Flows(address) => self.command(at, Command::Start(Some(address)), Together::default()),
            Opened::Shut(_) => Ok(false),
        }
    }

    fn is_ended(&self, pid: &str) -> Result<bool, ActError> {
        Ok(self.store.lease(&self.participant, pid)?.is_some_and(|l| l.standing == Standing::Ended))
    }

    fn close(&self, pid: &str) -> Result<bool, ActError> {
        if lock(&self.flows).remove(pid).is_none() {
            return Ok(false);
        }
        match self.store.end_lease(&self.participant, pid, self.now(), Together::default()) {
            Ok(_) | Err(StoreError::Stale { .. } | StoreError::NotFound { .. }) => Ok(true),
            Err(e) => Err(e.into()),
        }
    }

    /// Issues a pass and opens the flow, or says why the law or the contract does not open.
    fn open_flow(&self, transfer: &Transfer, fresh: bool) -> Result<Opened, ActError> {
        let process = transfer.process();
        let pid = process.own_pid.clone();
        let agreement = transfer.subject().agreement_id.clone();
        let Some(negotiation) = self.agreed_with(&agreement, &process.peer)? else {
            return Ok(Opened::Shut(Grounds::of(
                "tegata/no-agreement",
                ["no such agreement in force".to_owned()],
            )));
        };
        let dataset = negotiation.agreement().and_then(|a| a.target()).unwrap_or_default().to_owned();
        let Some(offer) = self.offer_of(&dataset)? else {
            return Ok(Opened::Shut(Grounds::of(
                "tegata/no-offer",
                ["this dataset is no longer offered".to_owned()],
            )));
        };
        if let Some(stopped) = self.revocation_stops(&process.peer.0) {
            return Ok(Opened::Shut(Grounds::of(&stopped.code, [stopped.says])));
        }
        let judged_epoch = self.epoch.load(Ordering::SeqCst);
        let judged = law_of(self, &offer, &process.peer.0)?;
        let content = self.content(&offer, &process.peer.0)?;
        let scope = Scope {
            exporter: self.id().into(),
            recipient: process.peer.0.clone(),
            dataset: dataset.clone(),
            form: content.form(),
        };
        let now = self.now();
        let names = &self.config.law.accept_drafted;
        let pass = match Pass::issue(&judged.decision, Ground::Agreement(&negotiation), &scope, names, now) {
            Ok(pass) => pass,
            Err(pass::Refused::DoesNotOpen | pass::Refused::ReadOnce(_)) => {
                let decided = self.decided(&pid, &judged.decision)?;
                self.store.append_events(&self.participant, vec![decided])?;
                return Ok(Opened::Shut(self.grounds(&judged.decision)));
            }
            Err(refused) => return Ok(Opened::Shut(Grounds::of(refused.code(), [refused.to_string()]))),
        };
        let (address, token) = self.data_address(transfer, fresh)?;
        let mut event = self.event(EventKind::PassIssued, &pid);
        event.legal_day = Some(judged.decision.as_of.on);
        event.binds.insert("decision".into(), pass.decision());
        event.binds.insert("rulebook".into(), pass.rulebook());
        event.binds.extend(negotiation.agreement().map(|a| ("agreement".to_owned(), a.digest())));
        event.rules = accepted_lines(&pass);
        let record = FlowRecord {
            dataset: dataset.clone(),
            peer: process.peer.0.clone(),
            agreement,
            token: Digest::of(token.as_bytes()),
        };
        let together = Together {
            leaves: vec![self.decided(&pid, &judged.decision)?, self.leaf(&event)?],
            keeps: vec![Keep {
                kind: DocumentKind::Flow,
                id: pid.clone(),
                about: Some(dataset.clone()),
                at: now,
                body: serde_json::to_vec(&record).map_err(|e| ActError::evidence("node/flow", e))?,
                expect: Expect::Any,
            }],
            ..Together::default()
        };
        let until = Instant(now.0 + self.config.limits.lease_ms);
        let ask = LeaseAsk {
            flow: pid.clone(),
            decision: pass.decision(),
            holder: self.holder.clone(),
            at: now,
            until,
        };
        let (epoch, _) = self.store.issue_lease(&self.participant, ask, together)?;
        let gate = Arc::new(Gate {
            until: AtomicI64::new(until.0),
            held: AtomicBool::new(false),
            stopped: Mutex::new(None),
        });
        let decision = pass.decision();
        let lease = self.lease_of(&gate);
        let running = lock(&self.flows).get(&pid).cloned();
        match running {
            Some(running) => {
                lock(&running.flow).renew(pass, lease)?;
                *lock(&running.gate) = gate;
                *lock(&running.decision) = decision;
                running.lease_epoch.store(epoch, Ordering::SeqCst);
                running.judged_epoch.store(judged_epoch, Ordering::SeqCst);
            }
            None => {
                let flow = match Flow::open(pass, content, lease, self.config.chunk_bytes) {
                    Ok(flow) => flow,
                    Err(e) => return Ok(Opened::Shut(Grounds::of(e.code(), [e.to_string()]))),
                };
                let running = Running {
                    flow: Mutex::new(flow),
                    gate: Mutex::new(gate),
                    dataset,
                    peer: process.peer.0.clone(),
                    lease_epoch: AtomicU64::new(epoch),
                    judged_epoch: AtomicU64::new(judged_epoch),
                    decision: Mutex::new(decision),
                };
                lock(&self.flows).insert(pid, Arc::new(running));
            }
        }
        Ok(Opened::Flows(address))
    }

    fn lease_of(&self, gate: &Arc<Gate>) -> Lease {
        let (gate, clock) = (Arc::clone(gate), Arc::clone(&self.clock));
        Box::new(move || match gate.stopped() {
            Some(stopped) => Err(stopped),
            None if gate.held.load(Ordering::SeqCst) => Err(Stopped {
                code: DECIDING.into(),
                rules: Vec::new(),
                says: "the law is being asked afresh".into(),
            }),
            None if clock.now().0 <= gate.until.load(Ordering::SeqCst) => Ok(()),
            None => Err(Stopped {
                code: LEASE_OUT.into(),
                rules: Vec::new(),
                says: "the lease was not renewed in time: store or law could not be asked".into(),
            }),
        })
    }

    fn content(&self, offer: &Offer, peer: &str) -> Result<Content, ActError> {
        let path = offer.source.clone();
        Ok(match (&offer.plan, &offer.release) {
            (_, Some(release)) => Content::Staged { path, report: release.report, content: release.content },
            (Some(plan), None) => {
                let plan = Plan::parse(plan).map_err(|e| ActError::Facts(vec![e.to_string()]))?;
                let secret = crate::keys::seed(&self.config.directory.join("pseudonym.seed"))?;
                let domain =
                    Domain { recipient: peer.into(), purpose: offer.dataset.clone(), period: "1".into() };
                let key =
                    DomainKey::derive(&secret, &domain).map_err(|e| ActError::Facts(vec![e.to_string()]))?;
                Content::InFlight { path, plan, key: Some(key), encoding: Encoding::Csv }
            }
            (None, None) => Content::File(path),
        })
    }

    /// The address to pull from: the one that was given before, or a new one with a fresh token.
    fn data_address(&self, transfer: &Transfer, fresh: bool) -> Result<(DataAddress, String), ActError> {
        if let Some(address) = transfer.address().filter(|_| !fresh) {
            let token = address.property("authorization").unwrap_or_default().to_owned();
            return Ok((address.clone(), token));
        }
        let token = Digest(random()?).to_string();
        let endpoint = format!("{}/data/{}", self.address, dsp::paths::segment(&transfer.process().own_pid));
        let address =
            DataAddress::new("https://w3id.org/idsa/v4.1/HTTP", endpoint).with_bearer(token.clone());
        Ok((address, token))
    }

    /// Stops a flow at once, in this process; what is durable follows.
    pub(crate) fn halt(&self, pid: &str) {
        if let Some(running) = lock(&self.flows).get(pid) {
            let says = "the transfer process is no longer started".to_owned();
            lock(&running.gate).stop(Stopped { code: NOT_STARTED.into(), rules: Vec::new(), says });
        }
    }

    /// Decides every running flow afresh; those that no longer open stop before this returns.
    pub(crate) fn judge_running(self: &Arc<Self>) {
        let running: Vec<(String, Arc<Running>)> =
            lock(&self.flows).iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        let gates: Vec<Arc<Gate>> = running.iter().map(|(_, flow)| lock(&flow.gate).clone()).collect();
        // INVARIANT: from here on no chunk passes before its flow is decided afresh.
        gates.iter().for_each(|gate| gate.held.store(true, Ordering::SeqCst));
        for ((pid, flow), gate) in running.iter().zip(&gates) {
            if gate.stopped().is_none() {
                self.judge(pid, flow);
            }
            gate.held.store(false, Ordering::SeqCst);
        }
    }

    fn judge(&self, pid: &str, running: &Running) {
        let epoch = self.epoch.load(Ordering::SeqCst);
        let judged = match self.revocation_stops(&running.peer) {
            Some(stopped) => Err(stopped),
            None => self.judged_again(running),
        };
        running.judged_epoch.store(epoch, Ordering::SeqCst);
        if let Err(stopped) = judged {
            self.turn(pid, running, stopped);
        }
    }

    fn judged_again(&self, running: &Running) -> Result<(), Stopped> {
        let cannot = |e: ActError| Stopped {
            code: e.code(),
            rules: Vec::new(),
            says: format!("the law could not be asked: {e}"),
        };
        let offer = self.offer_of(&running.dataset).map_err(cannot)?.ok_or_else(|| Stopped {
            code: "node/no-offer".into(),
            rules: Vec::new(),
            says: "the dataset is no longer offered".into(),
        })?;
        let judged = law_of(self, &offer, &running.peer).map_err(cannot)?;
        *lock(&running.decision) = judged.decision.digest();
        if let Some(rules) = self.read_once(&judged.decision) {
            let says = format!("the opening rests on rules that were read once: {}", rules.join("; "));
            return Err(Stopped { code: READ_ONCE.into(), rules, says });
        }
        match judged.decision.verdict.opens() {
            true => Ok(()),
            false => Err(Stopped {
                code: LAW_TURNED.into(),
                rules: refusals(&judged.decision)
                    .iter()
                    .map(|r| format!("{} ({})", r.rule, r.article))
                    .collect(),
                says: headline(&judged.decision),
            }),
        }
    }

    /// Stops a flow and writes down why: the gate first, so that no chunk passes; then the lease; then the peer is told.
    pub(crate) fn turn(&self, pid: &str, running: &Running, why: Stopped) {
        lock(&running.gate).stop(why.clone());
        let cause = Cause {
            code: why.code,
            rules: why.rules,
            says: why.says,
            at: self.now(),
            legal_day: self.legal_day(),
        };
        let body = serde_json::to_vec(&cause).unwrap_or_default();
        // A store that cannot be written renews no lease either, so the flow stays stopped.
        let _ = self.store.turn(&self.participant, pid, body, cause.at, Together::default());
        self.ring();
    }

    fn stop_grounds(&self, running: &Running, stopped: &Stopped) -> Result<Grounds, ActError> {
        if stopped.code == LAW_TURNED
            && let Some(offer) = self.offer_of(&running.dataset)?
        {
            let judged = law_of(self, &offer, &running.peer)?;
            if !self.opens(&judged.decision) {
                return Ok(self.grounds(&judged.decision));
            }
        }
        Ok(Grounds::of(&stopped.code, [stopped.says.clone()]))
    }

    /// Renews leases and looks at what decisions rest on, until the node stops.
    pub(crate) fn lease_loop(self: &Arc<Self>) {
        let mut seen = (self.epoch.load(Ordering::SeqCst), self.legal_day());
        while !self.is_stopping() {
            let now = (self.epoch.load(Ordering::SeqCst), self.legal_day());
            if now != seen {
                self.judge_running();
                seen = now;
            }
            self.renew_leases();
            std::thread::sleep(Duration::from_millis(self.config.limits.watch_ms));
        }
    }

    fn renew_leases(&self) {
        let flows: Vec<(String, Arc<Running>)> =
            lock(&self.flows).iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        for (pid, running) in flows {
            let gate = lock(&running.gate).clone();
            if gate.stopped().is_some() {
                continue;
            }
            if let Some(stopped) = self.revocation_stops(&running.peer) {
                self.turn(&pid, &running, stopped);
                continue;
            }
            let until = Instant(self.now().0 + self.config.limits.lease_ms);
            // LIMIT: a lease is renewed when half of it has passed.
            if gate.until.load(Ordering::SeqCst) - self.now().0 > self.config.limits.lease_ms / 2 {
                continue;
            }
            match self.store.renew_lease(
                &self.participant,
                &pid,
                running.lease_epoch.load(Ordering::SeqCst),
                until,
            ) {
                Ok(Renewal::Renewed(until)) => gate.until.store(until.0, Ordering::SeqCst),
                Ok(Renewal::Over(lease)) => {
                    let says = match lease.standing {
                        Standing::Ended => "the flow has ended",
                        Standing::Turned | Standing::Running => "the lease was turned",
                    };
                    gate.stop(Stopped { code: LEASE_OVER.into(), rules: Vec::new(), says: says.into() });
                }
                // Not renewed: the flow stops by itself when the lease has run out.
                Err(_) => {}
            }
        }
    }

    /// Whether what is known of revocation stops flows to a peer.
    fn revocation_stops(&self, peer: &str) -> Option<Stopped> {
        self.config.authority.revocation_list.as_ref()?;
        let watched = lock(&self.watched);
        let known = watched.serials.get(peer).into_iter().flatten();
        let revoked =
            |serial: &Vec<u8>| watched.list.as_ref().is_some_and(|list| list.entry(serial).is_some());
        if known.into_iter().any(revoked) {
            return Some(revoked_words(peer));
        }
        let since = watched.seen_at.or(watched.since)?;
        let age = self.now().0 - since.0;
        (age > self.config.limits.status_grace_ms).then(|| Stopped {
            code: STATUS_UNKNOWN.into(),
            rules: Vec::new(),
            says: format!("the revocation list could not be fetched for {age} ms"),
        })
    }

    /// Fetches the revocation list again and again, until the node stops.
    pub(crate) fn status_loop(self: &Arc<Self>) {
        let Some(url) = self.config.authority.revocation_list.clone() else { return };
        lock(&self.watched).since = Some(self.now());
        while !self.is_stopping() {
            self.fetch_status(&url);
            let pause = u64::try_from(self.config.limits.status_ms).unwrap_or(250);
            std::thread::sleep(Duration::from_millis(pause));
        }
    }

    fn fetch_status(&self, url: &str) {
        lock(&self.watched).asked_at = Some(self.now());
        let Ok(reply) = self.carrier.send(Request::get(url)) else { return };
        let lists = Crl::from_pem(&String::from_utf8_lossy(&reply.body)).unwrap_or_default();
        let signed =
            |list: &Crl| self.anchors.iter().any(|a| a.key().is_some_and(|key| list.is_signed_by(key)));
        let Some(list) = lists.into_iter().find(|l| reply.is_success() && signed(l)) else { return };
        let now = self.now();
        let older = |known: &Crl| known.number() > list.number();
        if lock(&self.watched).list.as_ref().is_some_and(older) {
            return;
        }
        let (fresh, back) = {
            let mut watched = lock(&self.watched);
            let unknown = watched.seen_at.is_none_or(|at| now.0 - at.0 > self.config.limits.status_grace_ms);
            watched.seen_at = Some(now);
            let told: Vec<Vec<u8>> = list
                .revoked()
                .iter()
                .map(|r| r.serial.clone())
                .filter(|s| !watched.told.contains(s))
                .collect();
            watched.told.extend(told.iter().cloned());
            let new = watched.list.as_ref().map(Crl::number) != Some(list.number());
            watched.list = Some(list.clone());
            ((new, told), unknown)
        };
        if back || !fresh.1.is_empty() {
            self.changed();
        }
        if fresh.0 {
            let mut together = Together::default();
            for serial in &fresh.1 {
                let mut event = self.event(EventKind::RevocationSeen, &hex(serial));
                event.binds.insert("list".into(), Digest::of(list.der()));
                together.leaves.extend(self.leaf(&event));
            }
            let seen = StatusSeen {
                source: url.into(),
                issued_at: list.this_update(),
                seen_at: now,
                body: list.der().to_vec(),
            };
            // What is not remembered is fetched again in a moment.
            let _ = self.store.remember_status(&self.participant, seen, together);
        }
    }

    /// The ways through that the law offers for a flow that stopped, cheapest first.
    pub fn cures(&self, pid: &str) -> Result<Vec<Remedy>, ActError> {
        let (offer, record) = self.flow_offer(pid)?;
        let judged = law_of(self, &offer, &record.peer)?;
        Ok(judged.decision.worst().map(|c| c.remedies.clone()).unwrap_or_default())
    }

    /// Takes one way through: its measures were agreed and recorded by those who decide them, and become facts.
    ///
    /// The flow is decided afresh; if it opens, it goes on at its next chunk.
    pub fn cure(&self, pid: &str, remedy: &Remedy) -> Result<Decision, ActError> {
        let (offer, record) = self.flow_offer(pid)?;
        let mut transfer = self.case_with(&offer, &record.peer)?;
        let makes: Vec<&String> = remedy.measures.iter().flat_map(|m| &m.makes).collect();
        for line in makes {
            let Some((slot, value)) = line.split_once('=') else { continue };
            put_fact(
                &mut transfer,
                self.id(),
                &record.peer,
                &offer.dataset,
                slot,
                rulebook::book::parse_said(value),
            );
        }
        let decision = self.decide(&transfer)?;
        let body = serde_json::to_vec(&transfer).map_err(|e| ActError::evidence("node/case", e))?;
        let document = Keep {
            kind: DocumentKind::Transfer,
            id: case_id(&offer.dataset, &record.peer),
            about: Some(offer.dataset.clone()),
            at: self.now(),
            body,
            expect: Expect::Any,
        };
        self.store.keep(&self.participant, document, Together::leaf(self.decided(pid, &decision)?))?;
        self.changed();
        Ok(decision)
    }

    /// The legal act behind a flow that we provide, and what the law says on it now.
    pub fn flow_case(&self, pid: &str) -> Result<(model::transfer::Transfer, Decision), ActError> {
        let (offer, record) = self.flow_offer(pid)?;
        let judged = law_of(self, &offer, &record.peer)?;
        Ok((judged.transfer, judged.decision))
    }

    pub(crate) fn flow_offer(&self, pid: &str) -> Result<(Offer, FlowRecord), ActError> {
        let missing = |what| ActError::NotFound { what, name: pid.to_owned() };
        let kept =
            self.store.kept(&self.participant, DocumentKind::Flow, pid)?.ok_or_else(|| missing("flow"))?;
        let record: FlowRecord = serde_json::from_slice(&kept.body).map_err(|_| missing("flow"))?;
        let offer = self.offer_of(&record.dataset)?.ok_or_else(|| missing("offer"))?;
        Ok((offer, record))
    }

    /// Whether invented things may be used here.
    pub fn is_demo(&self) -> bool {
        self.config.mode == Mode::Demo
    }
}

enum Opened {
    Flows(DataAddress),
    Shut(Grounds),
}

fn revoked_words(peer: &str) -> Stopped {
    Stopped {
        code: REVOKED.into(),
        rules: Vec::new(),
        says: format!("the certificate of `{peer}` is revoked"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Puts a fact where its slot belongs; members of a set add up.
fn put_fact(
    transfer: &mut model::transfer::Transfer,
    own: &str,
    peer: &str,
    dataset: &str,
    slot: &str,
    said: Said,
) {
    let party = |rest: &str| format!("party.{rest}");
    let facts = match slot.split_once('.') {
        Some(("exporter", rest)) => transfer.parties.get_mut(own).map(|p| (party(rest), &mut p.facts)),
        Some(("recipient", rest)) => transfer.parties.get_mut(peer).map(|p| (party(rest), &mut p.facts)),
        Some(("data", _)) => transfer.datasets.get_mut(dataset).map(|d| (slot.to_owned(), &mut d.facts)),
        Some(("subjects", _)) => transfer
            .datasets
            .get_mut(dataset)
            .and_then(|d| d.subjects.values_mut().next())
            .map(|facts| (slot.to_owned(), facts)),
        _ => transfer.hops.first_mut().map(|h| (slot.to_owned(), &mut h.facts)),
    };
    let Some((id, facts)) = facts else { return };
    let merged = match (facts.get(&id).map(|s| &s.value), &said.value) {
        (Some(Spoken::Words(before)), Spoken::Word(word)) => {
            let mut words = before.clone();
            words.push(word.clone());
            words.dedup();
            Said { value: Spoken::Words(words), ..said }
        }
        (Some(Spoken::Word(before)), Spoken::Word(word))
            if before != word && !slot.starts_with("assessment") =>
        {
            Said { value: Spoken::Words(vec![before.clone(), word.clone()]), ..said }
        }
        _ => said,
    };
    facts.insert(id, merged);
}

/// What the evidence says of rules that were read once and that the operator accepted by name.
pub(crate) fn accepted_lines(pass: &Pass) -> Vec<String> {
    pass.accepted().iter().map(|rule| format!("read once, accepted by the operator: {rule}")).collect()
}

/// What a decision looks like to people, for pages and reports.
pub fn verdict_lines(decision: &Decision) -> Vec<String> {
    std::iter::once(headline(decision)).chain(articles(decision)).collect()
}
