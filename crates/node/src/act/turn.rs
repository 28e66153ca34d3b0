//! Running flows: leases that are renewed while the decision stands, and what happens when it turns.
//!
//! A decision turns when the legal day moves, facts change or a certificate is revoked. A flow also stops when the store
//! or, after a grace, the revocation list cannot be reached. Each renewal decides afresh.

use crate::act::check::{Decided, READ_ONCE, articles, headline, refusals};
use crate::act::case::Taken;
use crate::act::contract::Contract;
use crate::act::offer::Offer;
use crate::agent::{Node, lock};
use crate::determination::Weighed;
use crate::error::ActError;
use dataplane::flow::{Flow, Lease, Stopped};
use decide::decision::Decision;
use model::{CivilDate, Digest, Instant};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::Together;
use store::lease::{Renewal, Standing};

/// The code of a flow that stops because its decision turned.
pub const LAW_TURNED: &str = "node/law-turned";
/// The code of a flow that stops because a judgment that it rested on is over.
pub const JUDGMENT_OVER: &str = "node/judgment-over";
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
    pub(crate) decision: Arc<Decided>,
    /// What the judgments that we hold came to for it.
    pub(crate) judgments: Vec<Weighed>,
    /// The measures that were put into it, if they are not kept yet.
    pub(crate) taken: Option<Taken>,
}

/// Judges the act with a peer afresh; `flow` is the flow that it is about, if there is one.
pub(crate) fn law_of(node: &Node, offer: &Offer, peer: &str, flow: Option<&str>) -> Result<Judged, ActError> {
    let case = node.case_of(offer, peer, &node.taken(offer, peer)?, flow)?;
    let decision = node.decide(&case.transfer)?;
    Ok(Judged { transfer: case.transfer, decision, judgments: case.judgments, taken: None })
}

/// Whether a flow may go on, as the flow itself asks before each chunk.
pub(crate) struct Gate {
    until: AtomicI64,
    /// While the law is being asked afresh: no chunk passes under a decision of yesterday.
    held: AtomicBool,
    stopped: Mutex<Option<Stopped>>,
}

impl Gate {
    /// A gate that is open until then.
    pub(crate) fn until(until: Instant) -> Self {
        Self { until: AtomicI64::new(until.0), held: AtomicBool::new(false), stopped: Mutex::new(None) }
    }

    pub(crate) fn stop(&self, why: Stopped) {
        lock(&self.stopped).get_or_insert(why);
    }

    pub(crate) fn stopped(&self) -> Option<Stopped> {
        lock(&self.stopped).clone()
    }
}

/// Who gives the bytes of a flow.
pub(crate) enum Bytes {
    /// We do.
    Ours(Box<Mutex<Flow>>),
    /// A data plane of others, which we tell to stop when the pass no longer stands.
    Theirs(Mutex<pass::Pass>),
}

/// A flow that this process runs.
pub(crate) struct Running {
    pub(crate) bytes: Bytes,
    pub(crate) gate: Mutex<Arc<Gate>>,
    pub(crate) dataset: String,
    pub(crate) peer: String,
    /// What was agreed, asked again as the law is.
    pub(crate) contract: Contract,
    pub(crate) lease_epoch: AtomicU64,
    pub(crate) judged_epoch: AtomicU64,
    pub(crate) decision: Mutex<Digest>,
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
    pub(crate) fn lease_of(&self, gate: &Arc<Gate>) -> Lease {
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
        match self.stands(pid, running) {
            Ok(Ok(())) => {}
            Ok(Err(stopped)) => self.turn(pid, running, stopped),
            // Nobody knows: the lease is out until a renewal has asked again.
            Err(_) => lock(&running.gate).until.store(0, Ordering::SeqCst),
        }
        running.judged_epoch.store(epoch, Ordering::SeqCst);
    }

    /// Asks revocation and the law whether a flow may go on; an error says that they could not be asked.
    fn stands(&self, pid: &str, running: &Running) -> Result<Result<(), Stopped>, ActError> {
        if let Some(stopped) = self.revocation_stops(&running.peer) {
            return Ok(Err(stopped));
        }
        let Some(offer) = self.offer_of(&running.dataset)? else {
            let says = "the dataset is no longer offered".to_owned();
            return Ok(Err(Stopped { code: "node/no-offer".into(), rules: Vec::new(), says }));
        };
        if let Err(stopped) = self.contract_stands(&running.contract, &running.peer, false)? {
            return Ok(Err(stopped));
        }
        let judged = law_of(self, &offer, &running.peer, Some(pid))?;
        *lock(&running.decision) = judged.decision.digest();
        if let Some(rules) = self.read_once(&judged.decision) {
            let says = format!("the opening rests on rules that were read once: {}", rules.join("; "));
            return Ok(Err(Stopped { code: READ_ONCE.into(), rules, says }));
        }
        if judged.decision.verdict.opens() {
            return Ok(Ok(()));
        }
        let rules = refusals(&judged.decision).iter().map(|r| format!("{} ({})", r.rule, r.article)).collect();
        Ok(Err(why_turned(&judged, rules)))
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
        lock(&self.transfers_open).touch(pid);
        lock(&self.dataflows_open).touch(pid);
        self.ring();
    }

    /// Looks at what decisions of running flows rest on, by what was seen the last time, and renews leases.
    pub(crate) fn look_after_leases(self: &Arc<Self>, seen: &mut Option<(u64, CivilDate)>) {
        let now = (self.epoch.load(Ordering::SeqCst), self.legal_day());
        let is_new = match seen {
            Some(seen) => *seen != now,
            // Whoever opened the first flow decided it a moment ago.
            None => lock(&self.flows).values().any(|flow| flow.judged_epoch.load(Ordering::SeqCst) != now.0),
        };
        if is_new {
            self.judge_running();
        }
        *seen = Some(now);
        self.renew_leases();
        std::thread::sleep(Duration::from_millis(self.config.limits.watch_ms));
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
            // LIMIT: a lease is renewed when half of it has passed.
            if gate.until.load(Ordering::SeqCst) - self.now().0 <= self.config.limits.lease_ms / 2 {
                self.renew_lease(&pid, &running, &gate);
            }
        }
    }

    /// Decides afresh and renews. What cannot be asked or written is not renewed: the flow stops when its lease is out,
    /// and goes on when both answer again.
    fn renew_lease(&self, pid: &str, running: &Running, gate: &Gate) {
        match self.stands(pid, running) {
            Ok(Ok(())) => {}
            Ok(Err(stopped)) => return self.turn(pid, running, stopped),
            Err(_) => return,
        }
        let until = Instant(self.now().0 + self.config.limits.lease_ms);
        let epoch = running.lease_epoch.load(Ordering::SeqCst);
        match self.store.renew_lease(&self.participant, pid, epoch, until) {
            Ok(Renewal::Renewed(until)) => gate.until.store(until.0, Ordering::SeqCst),
            Ok(Renewal::Over(lease)) => {
                let says = match lease.standing {
                    Standing::Ended => "the flow has ended",
                    Standing::Turned | Standing::Running => "the lease was turned",
                };
                gate.stop(Stopped { code: LEASE_OVER.into(), rules: Vec::new(), says: says.into() });
            }
            Err(_) => {}
        }
    }
}

/// Why a flow stops whose decision no longer opens: a judgment that is over is named, by what it was about and its last day.
fn why_turned(judged: &Judged, rules: Vec<String>) -> Stopped {
    let says = headline(&judged.decision);
    let on = judged.decision.as_of.on;
    let over = judged.judgments.iter().find(|w| w.counts().is_none() && w.record.until <= on);
    match over {
        Some(w) => Stopped {
            code: JUDGMENT_OVER.into(),
            rules,
            says: format!("the judgment on `{}` counts no longer since {}; {says}", w.record.fact, w.record.until),
        },
        None => Stopped { code: LAW_TURNED.into(), rules, says },
    }
}

/// What a decision looks like to people, for pages and reports.
pub fn verdict_lines(decision: &Decision) -> Vec<String> {
    std::iter::once(headline(decision)).chain(articles(decision)).collect()
}
