//! Our data plane under a control plane of others, by Data Plane Signaling: it says what shall flow, the law whether.
//!
//! Path of a flow: a message of a registered control plane → [`dsp::signaling::flow::Flow`] → for a provider the agreement,
//! the law and a pass, as for a transfer of our own → a document and what is to be told, in one transaction → the answer →
//! bytes ([`bytes`], each chunk under a lease) → what our side has to tell, again until it is heard.
//!
//! INVARIANT: a control plane of others clears nothing. Without an agreement with the recipient that we hold, or that the
//! control plane shows, and without a decision that opens, no byte goes.

mod access;
pub mod by_hand;
pub mod bytes;

use crate::act::flow::Clearing;
use crate::act::offer::Handling;
use crate::act::operate::Concluded;
use crate::act::plane::register::Registered;
use crate::agent::{Node, lock};
use crate::error::ActError;
use crate::ports::{Request, fresh_name};
use access::Access;
use dsp::machine::{Fault as Refusal, Peer, Role};
use dsp::message::terms::Terms;
use dsp::message::transfer::DataAddress;
use dsp::paths::{join, with_id};
use dsp::signaling::flow::{Event, Fault, Flow, State, Told};
use dsp::signaling::message::{FlowMessage, Notice, Status};
use dsp::signaling::{Direction, Signal, http, path};
use model::event::EventKind;
use model::{Digest, Instant};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::keep::{DocumentKind, Expect, Keep};
use store::{StoreError, Together};

/// LIMIT: data flows that are listed at once.
const FLOWS_MAX: usize = 1000;
/// LIMIT: how often an act is tried anew when another came first.
const TRIES_MAX: usize = 8;
/// LIMIT: things to be told of one flow that wait; the oldest is dropped.
const TELL_MAX: usize = 16;

/// A data flow that we carry, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Carried {
    flow: Flow,
    /// The control plane's id here: that of its token.
    owner: String,
    /// By what the other side gets at our endpoint.
    access: Option<Access>,
    /// When the other side's address came, from which its lifetime counts.
    address_at: Instant,
    /// What the control plane is still to hear.
    tell: Vec<Telling>,
    /// All bytes went or came, so many.
    bytes: Option<u64>,
    /// It was tried often enough.
    gave_up: bool,
}

/// Something to be told.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Telling {
    told: Told,
    status: Status,
}

fn faulty(fault: Fault) -> ActError {
    match fault {
        Fault::Illegal { from, signal } => {
            ActError::Protocol(Refusal::IllegalMove { from: from.name(), to: signal })
        }
        _ => ActError::Asked { code: fault.code(), detail: fault.to_string() },
    }
}

fn malformed(e: &dsp::json::Malformed) -> ActError {
    ActError::Asked { code: e.code(), detail: e.to_string() }
}

fn asked(code: &'static str, detail: impl Into<String>) -> ActError {
    ActError::Asked { code, detail: detail.into() }
}

impl Node {
    /// Prepares a flow to us, or the endpoint at which a provider may push.
    pub fn prepare_dataflow(&self, owner: &str, body: &[u8]) -> Result<Status, ActError> {
        let message = FlowMessage::read(body).map_err(|e| malformed(&e))?;
        if let Some(before) = self.begun_before(owner, &message)? {
            return Ok(before);
        }
        self.check_message(owner, &message)?;
        let ready = !self.config.signaling.by_hand.contains(&message.dataset_id);
        let flow = Flow::prepare(&fresh_name()?, message, ready).map_err(faulty)?;
        self.open_dataflow(owner, flow)
    }

    /// Starts a flow from us: agreement and law are asked as for a transfer of our own.
    pub fn start_dataflow(&self, owner: &str, body: &[u8]) -> Result<Status, ActError> {
        let message = FlowMessage::read(body).map_err(|e| malformed(&e))?;
        if let Some(before) = self.begun_before(owner, &message)? {
            return Ok(before);
        }
        self.check_message(owner, &message)?;
        if let Some(address) = &message.data_address {
            http::check(&message.profile, address, self.demands())
                .map_err(|e| asked(e.code(), e.to_string()))?;
        }
        let missing = || ActError::NotFound { what: "offer", name: message.dataset_id.clone() };
        let offer = self.offer_of(&message.dataset_id)?.ok_or_else(missing)?;
        if offer.plane.is_some() {
            return Err(asked("dps/elsewhere", "another data plane gives the bytes of this dataset"));
        }
        let ready = offer.handling.transfer == Handling::Automatic;
        let flow = Flow::start(&fresh_name()?, message, ready).map_err(faulty)?;
        self.learn_agreement(owner, flow.asked())?;
        self.clear_dataflow(&flow)?;
        self.open_dataflow(owner, flow)
    }

    /// Tells a flow something. A repeat, by the id of the message, changes nothing.
    pub fn signal_dataflow(
        &self,
        owner: &str,
        id: &str,
        signal: Signal,
        body: &[u8],
    ) -> Result<Status, ActError> {
        // The end is told with an empty body.
        let notice = match signal {
            Signal::Completed => Notice::default(),
            _ => Notice::read(body).map_err(|e| malformed(&e))?,
        };
        for _ in 0..TRIES_MAX {
            match self.signal_once(owner, id, signal, &notice) {
                Err(ActError::Store(StoreError::Stale { .. })) => {}
                done => return done,
            }
        }
        Err(ActError::Protocol(Refusal::Busy))
    }

    fn signal_once(
        &self,
        owner: &str,
        id: &str,
        signal: Signal,
        notice: &Notice,
    ) -> Result<Status, ActError> {
        let (mut held, version) = self.carried_by(owner, id)?;
        if !notice.message_id.is_empty() && held.flow.has_seen(&notice.message_id) {
            return Ok(held.flow.status(fresh_name()?, None));
        }
        if let Some(address) = &notice.data_address {
            http::check(&held.flow.asked().profile, address, self.demands())
                .map_err(|e| asked(e.code(), e.to_string()))?;
        }
        let address = notice.data_address.clone();
        let event = match signal {
            Signal::Started => Event::Started(address),
            Signal::Suspend => Event::Suspend,
            Signal::Resume => Event::Resume(address),
            Signal::Completed => Event::Completed,
            Signal::Terminate => Event::Terminate,
        };
        let before = held.flow.state();
        let (flow, _) = held.flow.step(event).map_err(faulty)?;
        held.flow = flow;
        held.flow.saw(&notice.message_id);
        if notice.data_address.is_some() {
            held.address_at = self.now();
        }
        let (provides, started) = (held.flow.role() == Role::Provider, held.flow.state() == State::Started);
        let mut ours = None;
        match (provides, started) {
            (true, true) if before != State::Started => {
                self.clear_dataflow(&held.flow)?;
                ours = self.mint_address(&mut held)?;
            }
            // INVARIANT: no byte passes between the commit and the answer.
            (true, false) => self.halt(id),
            _ => {}
        }
        held.gave_up = false;
        self.keep_carried(&held, Expect::Version(version), Vec::new())?;
        if held.flow.state().is_final() {
            self.close(id)?;
        }
        Ok(held.flow.status(fresh_name()?, ours))
    }

    /// How a flow stands, for its control plane.
    pub fn dataflow_status(&self, owner: &str, id: &str) -> Result<Status, ActError> {
        let (held, _) = self.carried_by(owner, id)?;
        Ok(held.flow.status(fresh_name()?, None))
    }

    /// Moves a flow by ourselves, and notes what its control plane is to hear.
    fn move_dataflow(&self, id: &str, event: Event, bytes: Option<u64>) -> Result<(), ActError> {
        for _ in 0..TRIES_MAX {
            let (mut held, version) = self.carried(id)?;
            let (flow, told) = held.flow.step(event.clone()).map_err(faulty)?;
            held.flow = flow;
            held.bytes = bytes.or(held.bytes);
            held.gave_up |= matches!(event, Event::Failed(_));
            let address = match event {
                Event::Ready => self.mint_address(&mut held)?,
                _ => None,
            };
            if let Some(told) = told {
                let status = held.flow.status(fresh_name()?, address);
                held.tell.push(Telling { told, status });
                if held.tell.len() > TELL_MAX {
                    held.tell.remove(0);
                }
            }
            let mut leaves = Vec::new();
            if let Event::Failed(_) = event {
                leaves.push(self.leaf(&self.event(EventKind::FlowStopped, id))?);
            }
            match self.keep_carried(&held, Expect::Version(version), leaves) {
                Err(ActError::Store(StoreError::Stale { .. })) => {}
                Err(e) => return Err(e),
                Ok(()) if held.flow.state().is_final() => return self.close(id).map(drop),
                Ok(()) => return Ok(()),
            }
        }
        Err(ActError::Protocol(Refusal::Busy))
    }

    /// The answer to a message that came before; another message about a process that has a flow is refused.
    fn begun_before(&self, owner: &str, message: &FlowMessage) -> Result<Option<Status>, ActError> {
        let about = about(owner, &message.process_id);
        let kept = self.store.kept_about(&self.participant, DocumentKind::Dataflow, &about, None, 1)?;
        let Some(kept) = kept.first() else { return Ok(None) };
        let mut held = read(&kept.body)?;
        if held.flow.asked().message_id != message.message_id {
            return Err(asked("dps/flow-exists", "this process has a flow already"));
        }
        // The token of the first answer is not kept, so a repeat is given another.
        let address = self.mint_address(&mut held)?;
        self.keep_carried(&held, Expect::Version(kept.version), Vec::new())?;
        Ok(Some(held.flow.status(fresh_name()?, address)))
    }

    fn check_message(&self, owner: &str, message: &FlowMessage) -> Result<(), ActError> {
        if self.registered("control", owner)?.is_none() {
            let says =
                format!("the control plane `{owner}` is not registered: PUT it to `controlplanes` first");
            return Err(asked("dps/not-registered", says));
        }
        match message.participant_id == self.id() {
            true => Ok(()),
            false => Err(asked("dps/other-participant", format!("this data plane serves `{}`", self.id()))),
        }
    }

    fn demands(&self) -> http::Demands {
        http::Demands { clear: self.config.test_identity, renewable: self.config.signaling.renewable_only }
    }

    fn open_dataflow(&self, owner: &str, flow: Flow) -> Result<Status, ActError> {
        let mut held = Carried {
            flow,
            owner: owner.to_owned(),
            access: None,
            address_at: self.now(),
            tell: Vec::new(),
            bytes: None,
            gave_up: false,
        };
        let address = self.mint_address(&mut held)?;
        self.keep_carried(&held, Expect::New, Vec::new())?;
        Ok(held.flow.status(fresh_name()?, address))
    }

    /// Asks agreement and law whether bytes may go from us; what they refuse is said with rule and article.
    fn clear_dataflow(&self, flow: &Flow) -> Result<(), ActError> {
        let message = flow.asked();
        let peer = Peer(message.counter_party_id.clone());
        let agreed = self.agreed_with(&message.agreement_id, &peer)?;
        let target = agreed.as_ref().and_then(|n| n.agreement()).and_then(|a| a.target());
        if target.is_some_and(|target| target != message.dataset_id) {
            return Err(asked("dps/other-dataset", "the agreement is about another dataset"));
        }
        // Tokens of data flows are kept with the flow: nothing is fetched by the one of a transfer.
        let token = Digest::of(b"");
        let asked = Clearing { pid: flow.id(), agreement: &message.agreement_id, peer: &peer, token };
        match self.clear(&asked)? {
            None => Ok(()),
            Some(grounds) => Err(ActError::refused(&grounds)),
        }
    }

    /// Takes over an agreement that our side has concluded by its other control plane, if that shows it.
    fn learn_agreement(&self, owner: &str, message: &FlowMessage) -> Result<(), ActError> {
        let peer = Peer(message.counter_party_id.clone());
        let Some(Registered::Control(plane)) = self.registered("control", owner)? else { return Ok(()) };
        if self.agreed_with(&message.agreement_id, &peer)?.is_some() {
            return Ok(());
        }
        let url = join(&plane.endpoint, path::AGREEMENT)
            .replace("{transfer}", &dsp::paths::segment(&message.process_id));
        let request = self.to_plane(owner, Request::get(url))?;
        let reply = self.carrier.send(request).ok().filter(|r| r.is_success());
        let Some(Value::Object(mut agreement)) = reply.and_then(|r| dsp::json::read(&r.body).ok()) else {
            return Ok(());
        };
        agreement.remove("@context");
        let agreement = Terms::of(agreement);
        if agreement.id() != message.agreement_id {
            return Err(asked("dps/other-agreement", "the control plane shows another agreement"));
        }
        let concluded = Concluded { role: Role::Provider, peer: peer.0, address: plane.endpoint, agreement };
        self.record_agreement(concluded).map(drop)
    }

    fn carried(&self, id: &str) -> Result<(Carried, u64), ActError> {
        let kept = self.store.kept(&self.participant, DocumentKind::Dataflow, id)?;
        let kept = kept.ok_or_else(|| ActError::NotFound { what: "data flow", name: id.to_owned() })?;
        Ok((read(&kept.body)?, kept.version))
    }

    /// A flow of one control plane; those of others are not found.
    fn carried_by(&self, owner: &str, id: &str) -> Result<(Carried, u64), ActError> {
        let found = self.carried(id)?;
        match found.0.owner == owner {
            true => Ok(found),
            false => Err(ActError::NotFound { what: "data flow", name: id.to_owned() }),
        }
    }

    fn keep_carried(
        &self,
        held: &Carried,
        expect: Expect,
        leaves: Vec<store::log::Leaf>,
    ) -> Result<(), ActError> {
        let document = Keep {
            kind: DocumentKind::Dataflow,
            id: held.flow.id().to_owned(),
            about: Some(about(&held.owner, &held.flow.asked().process_id)),
            at: self.now(),
            body: serde_json::to_vec(held).map_err(|e| ActError::evidence("node/dataflow", e))?,
            expect,
        };
        self.store.keep(&self.participant, document, Together { leaves, ..Together::default() })?;
        lock(&self.dataflows_open).touch(held.flow.id());
        self.ring();
        Ok(())
    }

    /// Finds the flows that have not ended, or of which something is still to be told.
    pub(crate) fn take_up_dataflows(&self) -> Result<(), ActError> {
        let mut after: Option<String> = None;
        loop {
            let kept = self.store.kept_all(
                &self.participant,
                DocumentKind::Dataflow,
                after.as_deref(),
                FLOWS_MAX,
            )?;
            for one in &kept {
                let held = read(&one.body)?;
                if !held.flow.state().is_final() || !held.tell.is_empty() {
                    lock(&self.dataflows_open).touch(&one.id);
                }
            }
            match kept.last() {
                Some(last) if kept.len() == FLOWS_MAX => after = Some(last.id.clone()),
                _ => return Ok(()),
            }
        }
    }

    /// Tells what is to be told, and moves the bytes that are ours to move.
    pub(crate) fn advance_dataflows(self: &Arc<Self>) {
        let due = lock(&self.dataflows_open).due();
        for id in due {
            match self.advance_dataflow(&id) {
                Ok(()) => {}
                Err(ActError::NotFound { .. }) => lock(&self.dataflows_open).forget(&id),
                Err(ActError::Store(StoreError::Stale { .. })) => lock(&self.dataflows_open).touch(&id),
                // It stays where it is and is looked at again.
                Err(_) => {}
            }
        }
    }

    fn advance_dataflow(self: &Arc<Self>, id: &str) -> Result<(), ActError> {
        let (held, version) = self.carried(id)?;
        if let Some(telling) = held.tell.first().cloned() {
            return self.tell_control_plane(held, version, &telling);
        }
        if held.flow.state().is_final() {
            lock(&self.dataflows_open).forget(id);
            return Ok(());
        }
        if held.flow.state() != State::Started {
            return Ok(());
        }
        if held.flow.role() == Role::Provider {
            self.look_after(&held)?;
        }
        let ours_to_move = match (held.flow.role(), held.flow.direction()) {
            (Role::Consumer, Direction::Pull) => held.flow.address().is_some(),
            (Role::Provider, Direction::Push) => true,
            (Role::Consumer, Direction::Push) | (Role::Provider, Direction::Pull) => false,
        };
        if ours_to_move && held.bytes.is_none() && !held.gave_up {
            self.start_moving(id);
        }
        Ok(())
    }

    /// A flow from us whose decision turned: its control plane hears why, and it goes on when the law opens again.
    fn look_after(&self, held: &Carried) -> Result<(), ActError> {
        let id = held.flow.id();
        let Some(running) = lock(&self.flows).get(id).cloned() else { return Ok(()) };
        let Some(stopped) = lock(&running.gate).clone().stopped() else { return Ok(()) };
        let epoch = self.epoch.load(Ordering::SeqCst);
        if running.judged_epoch.swap(epoch, Ordering::SeqCst) != epoch
            && self.clear_dataflow(&held.flow).is_ok()
        {
            return Ok(());
        }
        let says = [vec![stopped.says], stopped.rules].concat().join("; ");
        match held.flow.error() == Some(says.as_str()) {
            true => Ok(()),
            false => self.move_dataflow(id, Event::Failed(says), None),
        }
    }

    fn tell_control_plane(&self, mut held: Carried, version: u64, telling: &Telling) -> Result<(), ActError> {
        let Some(Registered::Control(plane)) = self.registered("control", &held.owner)? else {
            return Ok(());
        };
        let at = path::TOLD
            .replace("{transfer}", &dsp::paths::segment(&held.flow.asked().process_id))
            .replace("{told}", telling.told.word());
        let body = json!(telling.status).to_string().into_bytes();
        let request = Request::post(join(&plane.endpoint, &at), "application/json", body);
        let reply = self.carrier.send(self.to_plane(&held.owner, request)?)?;
        // What it refuses for good is not said again.
        let heard = reply.is_success()
            || (400..500).contains(&reply.status) && !matches!(reply.status, 401 | 408 | 425 | 429);
        if heard {
            held.tell.retain(|t| t.status.message_id != telling.status.message_id);
            self.keep_carried(&held, Expect::Version(version), Vec::new())?;
        }
        Ok(())
    }

    /// Where the other side gets at us, if it needs to: to pull from us, or to push to us. Each time with new tokens.
    fn mint_address(&self, held: &mut Carried) -> Result<Option<DataAddress>, ActError> {
        let flow = &held.flow;
        let needed = match (flow.role(), flow.direction()) {
            (Role::Provider, Direction::Pull) => flow.state() == State::Started,
            (Role::Consumer, Direction::Push) => flow.state() == State::Prepared,
            _ => false,
        };
        if !needed {
            return Ok(None);
        }
        let profile = flow.asked().profile.as_str();
        let kind = if [http::PULL, http::PUSH].contains(&profile) { profile } else { http::PLAIN };
        let endpoint = format!("{}{}", self.address, with_id("/dataflows/{id}", flow.id()));
        let (access, tokens) = Access::mint(flow.id(), self.now(), self.config.signaling.token_s)?;
        let address = DataAddress::new(kind, endpoint).with_bearer(tokens.access);
        held.access = Some(access);
        Ok(Some(match flow.direction() {
            Direction::Push => address,
            Direction::Pull => http::Renewal {
                refresh_token: tokens.refresh,
                expires_in_s: self.config.signaling.token_s,
                endpoint: format!("{}/dataflows/token", self.address),
            }
            .put(address),
        }))
    }
}

fn about(owner: &str, process: &str) -> String {
    format!("{owner}|{process}")
}

fn read(body: &[u8]) -> Result<Carried, ActError> {
    serde_json::from_slice(body).map_err(|e| ActError::evidence("node/dataflow", e))
}
