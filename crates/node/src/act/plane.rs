//! Our control plane and the data planes of others: registered, told what to do, heard; by Data Plane Signaling.
//!
//! A document for each transfer says what its data plane told last. A thread of its own compares it with the transfer
//! process and sends what is due (`dsp::signaling::due`), again until it is answered; so a slow data plane holds up no
//! protocol message, and nothing is lost with a process that dies in between.
//!
//! LIMIT: a data plane of others stops when it is told to; no lease of ours stops it when it cannot be reached.

mod call;
mod hear;
pub mod register;

use self::call::Answered;
use crate::act::offer::Handling;
use crate::act::process::At;
use crate::act::trace::Trouble;
use crate::agent::{Node, lock};
use crate::error::ActError;
use dsp::machine::{Peer, Role};
use dsp::message::Grounds;
use dsp::message::transfer::DataAddress;
use dsp::paths::with_id;
use dsp::signaling::flow::State;
use dsp::signaling::message::{FlowMessage, Notice, Status};
use dsp::signaling::{Signal, due, path};
use dsp::transfer::{self, Subject, Transfer};
use model::Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use store::keep::{DocumentKind, Expect, Keep};
use store::{StoreError, Together};

/// LIMIT: signals sent for one transfer in one round.
const SIGNALS_MAX: usize = 3;
/// What the document of a transfer is about while its data plane has not ended.
const OPEN: &str = "signal/open";
const ENDED: &str = "signal/ended";

/// What a data plane told of one transfer.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Signaled {
    plane: String,
    /// The data plane's id of the flow.
    flow: Option<String>,
    /// Its state as it was told last; none before it took the flow.
    state: Option<State>,
    /// Where the data are, or where they may be pushed to.
    address: Option<DataAddress>,
    /// What went wrong at the data plane.
    error: Option<String>,
    /// Why it did not take the flow.
    refused: Option<String>,
    /// What will be asked of the provider when our side is prepared.
    wish: Option<Wish>,
    /// How many messages were answered; the next has this number in its id.
    n_answered: u64,
}

/// How a data plane of others stands with a transfer, for people and programs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlaneStanding {
    /// The data plane.
    pub plane: String,
    /// Its id of the flow, once told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// Its state as it told last; none while it has not taken the flow.
    pub state: Option<State>,
    /// What went wrong there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Why it did not take the flow; a transfer that we wanted is then not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What holds up a signal to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

/// A transfer that we ask for when our data plane is ready.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Wish {
    peer: String,
    address: String,
    subject: Subject,
    dataset: String,
}

impl Signaled {
    fn of(plane: &str, wish: Option<Wish>) -> Self {
        Self {
            plane: plane.to_owned(),
            flow: None,
            state: None,
            address: None,
            error: None,
            refused: None,
            wish,
            n_answered: 0,
        }
    }

    fn take(&mut self, status: Status) {
        self.state = Some(status.state);
        if !status.data_flow_id.is_empty() {
            self.flow = Some(status.data_flow_id);
        }
        if status.data_address.is_some() {
            self.address = status.data_address;
        }
        if status.error.as_deref().is_some_and(|e| !e.is_empty()) {
            self.error = status.error;
        }
    }
}

impl Node {
    fn signaled(&self, pid: &str) -> Result<Option<(Signaled, u64)>, ActError> {
        let kept = self.store.kept(&self.participant, DocumentKind::Flow, &format!("signal:{pid}"))?;
        let read = |k: store::keep::Kept| {
            let held = serde_json::from_slice(&k.body).map_err(|e| ActError::evidence("node/signal", e))?;
            Ok((held, k.version))
        };
        kept.map(read).transpose()
    }

    fn signal_keep(&self, pid: &str, held: &Signaled, expect: Expect) -> Result<Keep, ActError> {
        let over = held.refused.is_some() || held.state.is_some_and(State::is_final);
        Ok(Keep {
            kind: DocumentKind::Flow,
            id: format!("signal:{pid}"),
            about: Some(if over { ENDED } else { OPEN }.to_owned()),
            at: self.now(),
            body: serde_json::to_vec(held).map_err(|e| ActError::evidence("node/signal", e))?,
            expect,
        })
    }

    /// Finds what is open with planes of others after a start.
    pub(crate) fn take_up_planes(&self) -> Result<(), ActError> {
        let mut after: Option<String> = None;
        loop {
            let kept =
                self.store.kept_about(&self.participant, DocumentKind::Flow, OPEN, after.as_deref(), 1000)?;
            for pid in kept.iter().filter_map(|k| k.id.strip_prefix("signal:")) {
                lock(&self.signals_open).touch(pid);
            }
            match kept.last() {
                Some(last) if kept.len() == 1000 => after = Some(last.id.clone()),
                _ => break,
            }
        }
        self.take_up_dataflows()
    }

    /// Says to planes of others what is due.
    pub(crate) fn look_after_planes(self: &Arc<Self>) {
        let rings = self.rings();
        let due = lock(&self.signals_open).due();
        for pid in due {
            // What fails stays where it is and is tried again.
            if let Err(ActError::Store(StoreError::Stale { .. })) = self.advance_signals(&pid) {
                lock(&self.signals_open).touch(&pid);
            }
        }
        self.advance_dataflows();
        self.wait(rings, Duration::from_millis(100));
    }

    /// How the data plane of others stands with a transfer of ours.
    pub fn plane_standing(&self, pid: &str) -> Result<PlaneStanding, ActError> {
        let missing = || ActError::NotFound { what: "transfer with a data plane of others", name: pid.to_owned() };
        let (held, _) = self.signaled(pid)?.ok_or_else(missing)?;
        Ok(PlaneStanding {
            plane: held.plane,
            flow: held.flow,
            state: held.state,
            error: held.error,
            refused: held.refused,
            trouble: self.trouble(pid),
        })
    }

    /// Whether a data plane of others was asked to take a transfer.
    pub(crate) fn is_elsewhere(&self, pid: &str) -> Result<bool, ActError> {
        Ok(self.signaled(pid)?.is_some())
    }

    /// The address that a data plane of others gave for a transfer of ours.
    pub(crate) fn address_elsewhere(&self, pid: &str) -> Result<Option<DataAddress>, ActError> {
        Ok(self.signaled(pid)?.and_then(|(held, _)| held.address))
    }

    /// Starts a transfer whose bytes a data plane of others gives: cleared, told to start, and when it has, started.
    pub(crate) fn begin_elsewhere(&self, at: &At<Transfer>, plane: &str) -> Result<bool, ActError> {
        use transfer::Command;
        let process = at.held.process();
        let end = |grounds: Grounds| self.command(at, Command::Terminate(grounds), Together::default());
        let (held, address) = match self.signaled(&process.own_pid)? {
            None => (None, None),
            Some((held, _)) => (Some(held.state), held.address.clone()),
        };
        if let Some((held, _)) = self.signaled(&process.own_pid)?
            && let Some(why) = held.refused
        {
            return end(Grounds::of(
                "dps/refused",
                [format!("the data plane does not take the flow: {why}")],
            ));
        }
        match held {
            Some(None | Some(State::Starting)) => Ok(false),
            Some(Some(State::Started)) => match self.open_flow(&at.held, false)? {
                crate::act::flow::Opened::Flows(_) => {
                    self.command(at, Command::Start(address), Together::default())
                }
                crate::act::flow::Opened::Shut(grounds) => end(grounds),
            },
            Some(Some(_)) => end(Grounds::of("dps/ended", ["the data plane has ended the flow".to_owned()])),
            None => match self.open_flow(&at.held, true)? {
                crate::act::flow::Opened::Shut(grounds) => end(grounds),
                crate::act::flow::Opened::Flows(_) => {
                    let keep = self.signal_keep(&process.own_pid, &Signaled::of(plane, None), Expect::New)?;
                    self.store.keep(&self.participant, keep, Together::default())?;
                    lock(&self.signals_open).touch(&process.own_pid);
                    self.ring();
                    Ok(false)
                }
            },
        }
    }

    /// Asks our data plane of others to prepare a transfer, which is asked for when it has; returns our id of it.
    pub(crate) fn prepare_elsewhere(
        &self,
        plane: &str,
        pid: String,
        peer: &Peer,
        address: &str,
        subject: Subject,
        dataset: &str,
    ) -> Result<String, ActError> {
        self.data_plane(plane)?;
        let wish =
            Wish { peer: peer.0.clone(), address: address.to_owned(), subject, dataset: dataset.to_owned() };
        let keep = self.signal_keep(&pid, &Signaled::of(plane, Some(wish)), Expect::New)?;
        let plan = self.pull_plan(&pid, Handling::Manual)?;
        self.store.keep(&self.participant, keep, Together { keeps: vec![plan], ..Together::default() })?;
        lock(&self.signals_open).touch(&pid);
        self.ring();
        Ok(pid)
    }

    /// Sends what is due for one transfer.
    fn advance_signals(&self, pid: &str) -> Result<(), ActError> {
        for _ in 0..SIGNALS_MAX {
            let Some((held, version)) = self.signaled(pid)? else {
                lock(&self.signals_open).forget(pid);
                return Ok(());
            };
            if held.refused.is_some() || held.state.is_some_and(State::is_final) {
                lock(&self.signals_open).forget(pid);
                return Ok(());
            }
            let at = self.load::<Transfer>(pid)?;
            let went_on = match (&at, held.state, &held.wish) {
                (None, None, Some(wish)) => {
                    self.open_at_plane(pid, &held, version, path::PREPARE, wish, Role::Consumer)?
                }
                (None, Some(State::Prepared), Some(_)) => self.ask_provider(pid, held, version)?,
                (Some(at), None, _) if at.held.state() == transfer::State::Requested => {
                    let process = at.held.process();
                    let wish = Wish {
                        peer: process.peer.0.clone(),
                        address: process.address.clone(),
                        subject: at.held.subject().clone(),
                        dataset: self.dataset_of(&at.held)?,
                    };
                    self.open_at_plane(pid, &held, version, path::START, &wish, Role::Provider)?
                }
                // It ended before the data plane heard of it.
                (Some(at), None, _) if is_over(at) => {
                    let held = Signaled { refused: Some("the transfer ended before".into()), ..held };
                    self.keep_signaled(pid, &held, version)?;
                    false
                }
                (Some(at), Some(state), _) => {
                    let process = at.held.process();
                    match due(process.role, process.state(), state) {
                        Some(signal) => self.signal(pid, &at.held, held, version, signal)?,
                        None => self.tell_new_address(at, &held)?,
                    }
                }
                _ => false,
            };
            if !went_on {
                return Ok(());
            }
        }
        lock(&self.signals_open).touch(pid);
        Ok(())
    }

    fn keep_signaled(&self, pid: &str, held: &Signaled, version: u64) -> Result<(), ActError> {
        let keep = self.signal_keep(pid, held, Expect::Version(version))?;
        self.store.keep(&self.participant, keep, Together::default())?;
        lock(&self.transfers_open).touch_known(pid);
        lock(&self.signals_open).touch(pid);
        self.ring();
        Ok(())
    }

    /// Asks a data plane to take the flow of a transfer.
    fn open_at_plane(
        &self,
        pid: &str,
        held: &Signaled,
        version: u64,
        at: &str,
        wish: &Wish,
        role: Role,
    ) -> Result<bool, ActError> {
        let message = FlowMessage {
            message_id: format!("{pid}#{}", held.n_answered),
            participant_id: self.id().to_owned(),
            counter_party_id: wish.peer.clone(),
            dataspace_context: self.id().to_owned(),
            process_id: pid.to_owned(),
            agreement_id: wish.subject.agreement_id.clone(),
            dataset_id: wish.dataset.clone(),
            profile: wish.subject.format.clone(),
            // LIMIT: credentials of the other party stay here; its id is what a data plane learns.
            claims: [("sub".to_owned(), Value::String(wish.peer.clone()))].into_iter().collect(),
            metadata: None,
            labels: Vec::new(),
            data_address: wish.subject.push_to.clone().filter(|_| role == Role::Provider),
        };
        let mut next = Signaled { n_answered: held.n_answered + 1, ..held.clone() };
        match self.say_to_plane(&held.plane, at, &json!(message))? {
            Answered::Later { code, says } => {
                self.plane_trouble(pid, Some((code, says)));
                return Ok(false);
            }
            Answered::Refuses(why) => next.refused = Some(why),
            Answered::Good(reply) => {
                let coming = if role == Role::Consumer { State::Preparing } else { State::Starting };
                match Status::read(&reply.body) {
                    Ok(status) => next.take(status),
                    Err(_) if reply.status == 202 => next.state = Some(coming),
                    Err(e) => next.refused = Some(format!("its answer is not understood: {e}")),
                }
            }
        }
        self.plane_trouble(pid, None);
        self.keep_signaled(pid, &next, version)?;
        Ok(true)
    }

    /// Our data plane is ready: asks the provider.
    fn ask_provider(&self, pid: &str, held: Signaled, version: u64) -> Result<bool, ActError> {
        let Some(wish) = held.wish.clone() else { return Ok(false) };
        let subject = Subject { push_to: held.address.clone().or(wish.subject.push_to), ..wish.subject };
        let held = Signaled { wish: None, ..held };
        let keep = self.signal_keep(pid, &held, Expect::Version(version))?;
        let (transfer, effects) =
            Transfer::request(Peer(wish.peer), pid, &wish.address, &self.protocol_address(), subject);
        self.commit(None, &transfer, effects, None, Together { keeps: vec![keep], ..Together::default() })?;
        Ok(false)
    }

    /// Tells a data plane what is due.
    fn signal(
        &self,
        pid: &str,
        transfer: &Transfer,
        held: Signaled,
        version: u64,
        signal: Signal,
    ) -> Result<bool, ActError> {
        let flow = held.flow.clone().unwrap_or_else(|| pid.to_owned());
        let process = transfer.process();
        // A provider's data plane gave the address; a consumer's is told it.
        let address = transfer.address().cloned().filter(|_| process.role == Role::Consumer);
        let notice = Notice {
            message_id: format!("{pid}#{}", held.n_answered),
            data_address: address.filter(|_| matches!(signal, Signal::Started | Signal::Resume)),
            reason: match signal {
                Signal::Suspend | Signal::Terminate => reason_of(transfer.grounds()),
                _ => None,
            },
        };
        let body = if signal == Signal::Completed { json!({}) } else { json!(notice) };
        let mut next = Signaled { n_answered: held.n_answered + 1, ..held.clone() };
        match self.say_to_plane(&held.plane, &with_id(signal.path(), &flow), &body)? {
            Answered::Later { code, says } => {
                self.plane_trouble(pid, Some((code, says)));
                return Ok(false);
            }
            Answered::Refuses(why) => {
                next.error = Some(format!("it refused `{}`: {why}", notice_word(signal)));
                next.state = Some(self.state_at_plane(&held.plane, &flow)?.unwrap_or(State::Terminated));
                if next.state == held.state {
                    // It stands where it was and will not go on: nothing more is to be said to it.
                    next.refused = next.error.clone();
                }
            }
            Answered::Good(reply) => {
                match Status::read(&reply.body) {
                    Ok(status) => next.take(status),
                    Err(_) => next.state = Some(signal.brings()),
                };
            }
        }
        self.plane_trouble(pid, None);
        self.keep_signaled(pid, &next, version)?;
        Ok(true)
    }

    /// Our data plane gave another address than the consumer knows: it is told, once our last message is answered.
    fn tell_new_address(&self, at: &At<Transfer>, held: &Signaled) -> Result<bool, ActError> {
        let process = at.held.process();
        let gives = process.role == Role::Provider
            && process.state() == transfer::State::Started
            && held.state == Some(State::Started)
            && at.held.subject().push_to.is_none();
        match held.address.clone().filter(|new| gives && Some(new) != at.held.address()) {
            Some(new) => self.command(at, transfer::Command::Renew(new), Together::default()),
            None => Ok(false),
        }
    }

    fn plane_trouble(&self, pid: &str, failed: Option<(String, String)>) {
        let attempts = self.trouble(pid).map_or(1, |before| before.attempts + 1);
        let again_at = Instant(self.now().0 + 1_000);
        let trouble = failed.map(|(code, says)| Trouble { code, says, attempts, again_at });
        lock(&self.memory).trouble(pid, trouble);
    }
}

fn is_over(at: &At<Transfer>) -> bool {
    matches!(at.held.state(), transfer::State::Completed | transfer::State::Terminated)
}

fn notice_word(signal: Signal) -> &'static str {
    signal.path().rsplit('/').next().unwrap_or_default()
}

fn reason_of(grounds: &Grounds) -> Option<String> {
    let lines = grounds.reason.iter().filter_map(Value::as_str);
    let all: Vec<&str> = grounds.code.as_deref().into_iter().chain(lines).collect();
    (!all.is_empty()).then(|| all.join("; "))
}
