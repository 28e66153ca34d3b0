//! Protocol processes, both roles and both protocols: a message or an answer comes in, a process moves, all of it commits
//! together, and only then is anything sent.

use crate::act::offer::Handling;
use crate::act::trace::{Trace, Trouble};
use crate::live::Live;
use crate::act::turn::law_of;
use crate::agent::{Caller, Node, lock};
use crate::error::ActError;
use crate::ports::{Request, fresh_name};
use dsp::machine::{Answer, Effect, Event, Fault, How, Move, Peer, Phase, Process, Role, Step};
use dsp::message::negotiation::ContractNegotiationError;
use dsp::message::transfer::TransferError;
use dsp::message::{Grounds, Message, Received};
use dsp::negotiation::{self, Negotiation};
use dsp::policy::Policy;
use dsp::policy::evaluate::{self, Context};
use dsp::policy::operands::Operands;
use dsp::transfer::{self, Transfer};
use dsp::{profile, reason};
use model::Instant;
use model::event::EventKind;
use model::fact::Spoken;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::keep::{DocumentKind, Expect, Keep};
use store::outbox::{Outgoing, Queued};
use store::process::{
    Answer as StoredAnswer, Move as StoredMove, Moved, ProcessId, ProcessKind, StoredProcess, Waiting,
};
use std::sync::Mutex;
use store::{StoreError, Together, crash_point};

/// LIMIT: processes of a kind that are listed at once.
pub(crate) const PROCESSES_MAX: usize = 1000;
/// LIMIT: how often a move is tried anew when another came first.
const TRIES_MAX: usize = 8;

/// An answer on its way out: status and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The body, JSON.
    pub body: Vec<u8>,
}

impl Answered {
    pub(crate) fn of(answer: &Answer) -> Self {
        Self { status: answer.status, body: answer.body.to_bytes() }
    }
}

/// A process of either protocol.
pub(crate) trait Held: Serialize + DeserializeOwned + Clone + Sized {
    type State: Phase;
    type Command;
    const KIND: ProcessKind;

    fn process(&self) -> &Process<Self::State>;
    fn step(&self, event: Event<Self::Command, Self::State>) -> Step<Self>;
    fn opened(from: &Peer, own_pid: &str, received: &Received) -> Result<(Self, Vec<Effect>), Fault>;
    fn refused(grounds: Grounds) -> Message;
    fn grounds(&self) -> &Grounds;
    /// What a move is in the log, if it is told there.
    fn kind_of(moved: &Move) -> Option<EventKind>;
    /// The peer's pid that an opening message brings.
    fn opener(message: &Message) -> Option<&str>;
    /// What the process is about: a dataset, an agreement.
    fn about(&self) -> &str;
    /// The agreement that this state puts in force, as it is found later.
    fn agreement(&self) -> Option<String>;
    /// Those of a node that are open.
    fn live(node: &Node) -> &Mutex<Live>;
}

/// Under which id an agreement is kept: ours are unique here, those of a peer among its own.
pub(crate) fn agreement_key(role: Role, peer: &str, agreement: &str) -> String {
    match role {
        Role::Provider => agreement.to_owned(),
        Role::Consumer => format!("{peer}|{agreement}"),
    }
}

impl Held for Negotiation {
    type State = negotiation::State;
    type Command = negotiation::Command;
    const KIND: ProcessKind = ProcessKind::Negotiation;

    fn process(&self) -> &Process<Self::State> {
        Negotiation::process(self)
    }
    fn step(&self, event: Event<Self::Command, Self::State>) -> Step<Self> {
        Negotiation::step(self, event)
    }
    fn opened(from: &Peer, own_pid: &str, received: &Received) -> Result<(Self, Vec<Effect>), Fault> {
        Negotiation::opened(from, own_pid, received)
    }
    fn refused(grounds: Grounds) -> Message {
        Message::ContractNegotiationError(ContractNegotiationError::new("", "", grounds))
    }
    fn grounds(&self) -> &Grounds {
        self.ended()
    }
    fn kind_of(moved: &Move) -> Option<EventKind> {
        Some(if moved.to == "FINALIZED" { EventKind::Agreed } else { EventKind::Negotiated })
    }
    fn opener(message: &Message) -> Option<&str> {
        match message {
            Message::ContractRequestMessage(m) => Some(&m.consumer_pid),
            Message::ContractOfferMessage(m) => Some(&m.provider_pid),
            _ => None,
        }
    }
    fn about(&self) -> &str {
        self.latest_offer().target().unwrap_or_default()
    }
    fn agreement(&self) -> Option<String> {
        let process = self.process();
        let agreed = self.agreement().filter(|_| self.state() == negotiation::State::Finalized)?;
        Some(agreement_key(process.role, &process.peer.0, agreed.id()))
    }
    fn live(node: &Node) -> &Mutex<Live> {
        &node.negotiations_open
    }
}

impl Held for Transfer {
    type State = transfer::State;
    type Command = transfer::Command;
    const KIND: ProcessKind = ProcessKind::Transfer;

    fn process(&self) -> &Process<Self::State> {
        Transfer::process(self)
    }
    fn step(&self, event: Event<Self::Command, Self::State>) -> Step<Self> {
        Transfer::step(self, event)
    }
    fn opened(from: &Peer, own_pid: &str, received: &Received) -> Result<(Self, Vec<Effect>), Fault> {
        Transfer::opened(from, own_pid, received)
    }
    fn refused(grounds: Grounds) -> Message {
        Message::TransferError(TransferError::new("", "", None, grounds))
    }
    fn grounds(&self) -> &Grounds {
        Transfer::grounds(self)
    }
    fn kind_of(moved: &Move) -> Option<EventKind> {
        match (moved.from.as_deref(), moved.to.as_str()) {
            (Some("SUSPENDED"), "STARTED") => Some(EventKind::FlowResumed),
            (_, "STARTED") => Some(EventKind::FlowOpened),
            (_, "SUSPENDED" | "TERMINATED") => Some(EventKind::FlowStopped),
            _ => None,
        }
    }
    fn opener(message: &Message) -> Option<&str> {
        match message {
            Message::TransferRequestMessage(m) => Some(&m.consumer_pid),
            _ => None,
        }
    }
    fn about(&self) -> &str {
        &self.subject().agreement_id
    }
    fn agreement(&self) -> Option<String> {
        None
    }
    fn live(node: &Node) -> &Mutex<Live> {
        &node.transfers_open
    }
}

/// A process with the version that was read.
pub(crate) struct At<H> {
    pub(crate) held: H,
    pub(crate) version: u64,
    /// When it moved last.
    pub(crate) at: Instant,
}

impl Node {
    /// Takes a message of the negotiation protocol; `pid` is the one in the path, none for an opening message.
    pub fn receive_negotiation(&self, from: &Caller, pid: Option<&str>, body: &[u8]) -> Answered {
        self.receive::<Negotiation>(from, pid, body)
    }

    /// Takes a message of the transfer protocol.
    pub fn receive_transfer(&self, from: &Caller, pid: Option<&str>, body: &[u8]) -> Answered {
        self.receive::<Transfer>(from, pid, body)
    }

    /// Tells the state of a negotiation to its peer.
    pub fn tell_negotiation(&self, from: &Caller, pid: &str) -> Answered {
        self.tell::<Negotiation>(from, pid)
    }

    /// Tells the state of a transfer process to its peer.
    pub fn tell_transfer(&self, from: &Caller, pid: &str) -> Answered {
        self.tell::<Transfer>(from, pid)
    }

    /// A negotiation of ours.
    pub fn negotiation(&self, pid: &str) -> Result<Option<Negotiation>, ActError> {
        Ok(self.load::<Negotiation>(pid)?.map(|at| at.held))
    }

    /// A transfer process of ours.
    pub fn transfer(&self, pid: &str) -> Result<Option<Transfer>, ActError> {
        Ok(self.load::<Transfer>(pid)?.map(|at| at.held))
    }

    /// All transfer processes of ours.
    pub fn transfers(&self) -> Result<Vec<Transfer>, ActError> {
        Ok(self.all::<Transfer>()?.into_iter().map(|at| at.held).collect())
    }

    /// All negotiations of ours.
    pub fn negotiations(&self) -> Result<Vec<Negotiation>, ActError> {
        Ok(self.all::<Negotiation>()?.into_iter().map(|at| at.held).collect())
    }

    fn tell<H: Held>(&self, from: &Caller, pid: &str) -> Answered {
        match self.load::<H>(pid) {
            Ok(Some(at)) if at.held.process().peer.0 == from.id => {
                Answered { status: 200, body: at.held.process().acknowledgement().to_bytes() }
            }
            Ok(_) => refusal::<H>(404, Fault::NotFound.grounds()),
            Err(e) => refusal::<H>(503, Grounds::of(&e.code(), [])),
        }
    }

    fn receive<H: Held>(&self, from: &Caller, pid: Option<&str>, body: &[u8]) -> Answered {
        let received = match Received::read(body) {
            Ok(received) => received,
            Err(e) => return refusal::<H>(400, Grounds::of(e.code(), [e.to_string()])),
        };
        for _ in 0..TRIES_MAX {
            match self.take::<H>(from, pid, &received) {
                Err(ActError::Store(StoreError::Stale { .. })) => {}
                Ok(answered) => return answered,
                // The peer repeats later; why our store or keys fail is not for it.
                Err(e) => return refusal::<H>(503, Grounds::of(&e.code(), [])),
            }
        }
        refusal::<H>(503, Fault::Busy.grounds())
    }

    fn take<H: Held>(
        &self,
        from: &Caller,
        pid: Option<&str>,
        received: &Received,
    ) -> Result<Answered, ActError> {
        let peer = Peer(from.id.clone());
        let known = match (pid, H::opener(&received.message)) {
            (Some(pid), _) => self.load::<H>(pid)?,
            (None, Some(theirs)) => {
                match self.store.process_of_peer(&self.participant, H::KIND, &peer.0, theirs)? {
                    Some(stored) => Some(read_stored::<H>(&stored)?),
                    None => None,
                }
            }
            (None, None) => {
                return Ok(refusal::<H>(400, Fault::WrongMessage { kind: received.message.kind() }.grounds()));
            }
        };
        let (version, step) = match (known, pid) {
            (Some(at), _) => {
                let step = at.held.step(Event::Received { from: peer, message: received.clone() });
                if let Step::Illegal(fault) = &step {
                    return Ok(match fault {
                        Fault::NotFound => refusal::<H>(404, fault.grounds()),
                        _ => Answered::of(&at.held.process().error(fault)),
                    });
                }
                (Some(at.version), step)
            }
            (None, Some(_)) => return Ok(refusal::<H>(404, Fault::NotFound.grounds())),
            (None, None) => match H::opened(&peer, &fresh_name()?, received) {
                Ok((held, effects)) => (None, Step::Next(held, effects)),
                Err(fault) => return Ok(refusal::<H>(fault.status(), fault.grounds())),
            },
        };
        match step {
            Step::Next(next, effects) => {
                let answer = self.commit(version, &next, effects, Some(received), Together::default())?;
                Ok(answer
                    .unwrap_or(Answered { status: 200, body: next.process().acknowledgement().to_bytes() }))
            }
            Step::Repeat(answer) => Ok(Answered::of(&answer)),
            Step::Illegal(fault) => Ok(refusal::<H>(fault.status(), fault.grounds())),
        }
    }

    /// Makes a move of our own; tells whether the machine let it.
    pub(crate) fn command<H: Held>(
        &self,
        at: &At<H>,
        command: H::Command,
        together: Together,
    ) -> Result<bool, ActError> {
        match at.held.step(Event::Command(command)) {
            Step::Next(next, effects) => {
                self.commit(Some(at.version), &next, effects, None, together)?;
                Ok(true)
            }
            Step::Repeat(_) | Step::Illegal(_) => Ok(false),
        }
    }

    /// Commits a move with everything that belongs to it, then does what must be done at once.
    pub(crate) fn commit<H: Held>(
        &self,
        version: Option<u64>,
        next: &H,
        effects: Vec<Effect>,
        received: Option<&Received>,
        mut together: Together,
    ) -> Result<Option<Answered>, ActError> {
        let process = next.process();
        let id = ProcessId::new(H::KIND, process.own_pid.clone());
        let (mut waiting, mut answer, mut ask) = (Waiting::Stay, None, None);
        let mut changed = false;
        for effect in effects {
            changed |= matches!(effect, Effect::Record(_));
            match effect {
                Effect::Answer(given) => answer = Some(Answered::of(&given)),
                Effect::Send { url, message } => {
                    together.sends.push(Outgoing { process: id.clone(), url, body: message.to_bytes() });
                }
                Effect::Withdraw | Effect::Settle => waiting = Waiting::Leave,
                Effect::Record(moved) => together.leaves.extend(self.recorded(next, &moved)?),
                Effect::Ask { url, at } => ask = Some((url, at)),
                // INVARIANT: no byte passes between the commit and the answer.
                Effect::StopFlow => self.halt(&process.own_pid),
                // Seen by its state, once that is on the disk.
                Effect::StartFlow { .. } => {}
            }
        }
        if let Some(agreement) = next.agreement().filter(|_| changed) {
            together.keeps.push(Keep {
                kind: DocumentKind::Agreement,
                id: agreement,
                about: Some(process.own_pid.clone()),
                at: self.now(),
                body: b"{}".to_vec(),
                expect: Expect::Any,
            });
        }
        let stored = match (received, &answer) {
            // A body without an id counts as a repeat only by the machine's own memory.
            (Some(received), Some(answer)) if received.named => Some(StoredAnswer {
                peer: process.peer.0.clone(),
                process: process.own_pid.clone(),
                digest: received.digest,
                status: answer.status,
                body: answer.body.clone(),
            }),
            _ => None,
        };
        let moved = StoredMove {
            process: id,
            from: version,
            peer: process.peer.0.clone(),
            peer_pid: process.peer_pid.clone(),
            state: process.state().name().to_owned(),
            body: serde_json::to_vec(next).map_err(|e| ActError::evidence("node/process", e))?,
            at: self.now(),
            waiting,
            answer: stored,
        };
        crash_point("node.move.before");
        let moved = self.store.move_process(&self.participant, moved, together)?;
        crash_point("node.move.after");
        if let Moved::Repeat(before) = moved {
            return Ok(Some(Answered { status: before.status, body: before.body }));
        }
        lock(H::live(self)).touch(&process.own_pid);
        if changed {
            lock(&self.memory).note(Trace {
                process: H::KIND.as_str(),
                id: process.own_pid.clone(),
                role: process.role,
                peer: process.peer.0.clone(),
                state: process.state().name(),
                about: next.about().to_owned(),
                at: self.now(),
            });
        }
        self.ring();
        if let Some((url, at)) = ask {
            self.ask::<H>(&process.own_pid.clone(), &url, at)?;
        }
        Ok(answer)
    }

    fn recorded<H: Held>(&self, next: &H, moved: &Move) -> Result<Option<store::log::Leaf>, ActError> {
        let Some(kind) = H::kind_of(moved).filter(|_| moved.how != How::RolledBack) else { return Ok(None) };
        let mut event = self.event(kind, &next.process().own_pid);
        event.binds.extend(moved.digest.map(|d| ("message".to_owned(), d)));
        event.rules =
            reason::refusals(next.grounds()).iter().map(|r| format!("{} ({})", r.rule, r.article)).collect();
        event.legal_day = reason::refusals(next.grounds()).first().and_then(|r| r.as_of.parse().ok());
        if kind == EventKind::Negotiated {
            // The state reached is part of what happened, as a rule of the protocol.
            event.rules.insert(0, format!("dsp {}", moved.to));
        }
        self.leaf(&event).map(Some)
    }

    /// Asks the peer for its state and takes what it tells.
    fn ask<H: Held>(&self, pid: &str, url: &str, asked_at: u32) -> Result<(), ActError> {
        let Ok(reply) = self.carrier.send(self.introduced(Request::get(url))) else { return Ok(()) };
        let told = match (reply.status, Received::read(&reply.body).map(|r| r.message)) {
            (404, _) => None,
            (200, Ok(Message::ContractNegotiation(m))) => Some(m.state.name().to_owned()),
            (200, Ok(Message::TransferProcess(m))) => Some(m.state.name().to_owned()),
            _ => return Ok(()),
        };
        let state = told.and_then(|name| H::State::ALL.iter().copied().find(|s| s.name() == name));
        let Some(at) = self.load::<H>(pid)? else { return Ok(()) };
        match at.held.step(Event::Told { state, at: asked_at }) {
            Step::Next(next, effects) => {
                // A second question of the same round is left to the next time-out.
                let effects = effects.into_iter().filter(|e| !matches!(e, Effect::Ask { .. })).collect();
                self.commit(Some(at.version), &next, effects, None, Together::default()).map(drop)
            }
            Step::Repeat(_) | Step::Illegal(_) => Ok(()),
        }
    }

    /// Sends what is due; tells whether anything was.
    pub(crate) fn send_outbox(&self) -> Result<bool, ActError> {
        let now = self.now();
        let limits = self.config.limits;
        // A look costs nothing, taking is a write.
        let (_, due) = self.store.outbox_depth(&self.participant)?;
        if due.is_none_or(|due| due > now) {
            return Ok(false);
        }
        let hidden =
            Instant(now.0 + i64::try_from(limits.answer_ms).unwrap_or(i64::MAX / 2) + limits.repeat_ms);
        // LIMIT: messages sent in one round; a slow peer holds up the others of its round.
        let taken = self.store.take_outbox(&self.participant, now, hidden, 8)?;
        for queued in &taken {
            crash_point("node.send.before");
            let message = &queued.message;
            let request = Request::post(message.url.clone(), "application/json", message.body.clone());
            let reply = self.carrier.send(self.introduced(request));
            crash_point("node.send.after");
            let settled = match message.process.kind {
                ProcessKind::Negotiation => self.answered::<Negotiation>(queued, &reply),
                ProcessKind::Transfer => self.answered::<Transfer>(queued, &reply),
                ProcessKind::Flow => self
                    .store
                    .settle(&self.participant, queued.number, Together::default())
                    .map(|_| ())
                    .map_err(ActError::from),
            };
            if let Err(ActError::Store(StoreError::Stale { .. })) = settled {
                // Another message moved the process meanwhile: the answer is asked for again.
                let _ = self.store.put_off(&self.participant, queued.number, now);
            }
        }
        Ok(!taken.is_empty())
    }

    fn answered<H: Held>(
        &self,
        queued: &Queued,
        reply: &Result<crate::ports::Reply, crate::ports::CarrierError>,
    ) -> Result<(), ActError> {
        let Some(at) = self.load::<H>(&queued.message.process.pid)? else { return Ok(()) };
        let event = match reply {
            Ok(reply) if reply.status >= 500 || matches!(reply.status, 408 | 425 | 429) => None,
            Ok(reply) => Some(Event::Answered {
                status: reply.status,
                body: Received::read(&reply.body).ok().map(|r| r.message),
            }),
            Err(_) => None,
        };
        let later = Instant(self.now().0 + back_off(self.config.limits.repeat_ms, queued.attempts));
        let Some(event) = event else {
            self.store.put_off(&self.participant, queued.number, later)?;
            let (code, says) = match reply {
                Ok(reply) => (format!("http/{}", reply.status), "the peer is not ready".to_owned()),
                Err(e) => (e.code().to_owned(), e.to_string()),
            };
            let trouble = Trouble { code, says, attempts: queued.attempts, again_at: later };
            lock(&self.memory).trouble(&queued.message.process.pid, Some(trouble));
            return Ok(());
        };
        {
            let mut memory = lock(&self.memory);
            memory.trouble(&queued.message.process.pid, None);
            memory.refusal(&queued.message.process.pid, reply.as_ref().ok().and_then(refusal_of));
        }
        match at.held.step(event) {
            Step::Next(next, effects) => {
                let settles = effects.iter().any(|e| matches!(e, Effect::Settle | Effect::Withdraw));
                self.commit(Some(at.version), &next, effects, None, Together::default())?;
                if !settles {
                    // It may have been settled by what the peer told.
                    let _ = self.store.put_off(&self.participant, queued.number, later);
                }
            }
            Step::Repeat(_) | Step::Illegal(_) => {}
        }
        Ok(())
    }

    /// Makes the moves that are ours to make in negotiations; tells whether any was made.
    pub(crate) fn advance_negotiations(&self) -> Result<bool, ActError> {
        let mut moved = false;
        let due = lock(&self.negotiations_open).due();
        for pid in due {
            let Some(at) = self.load::<Negotiation>(&pid)? else { continue };
            match self.advance_negotiation(&at) {
                Err(ActError::Store(StoreError::Stale { .. })) => {
                    lock(&self.negotiations_open).touch(&pid);
                    moved = true;
                }
                Err(e) => {
                    lock(&self.negotiations_open).touch(&pid);
                    return Err(e);
                }
                Ok(done) => moved |= done,
            }
        }
        Ok(moved)
    }

    fn advance_negotiation(&self, at: &At<Negotiation>) -> Result<bool, ActError> {
        let process = at.held.process();
        if process.state().is_final() {
            let moved = self.follow_up(&at.held)?;
            if process.is_settled() {
                lock(&self.negotiations_open).forget(&process.own_pid);
            }
            return Ok(moved);
        }
        if !process.is_settled() || self.negotiation_handling(&at.held)? == Handling::Manual {
            return Ok(false);
        }
        if let Some(grounds) = self.refused_by_peer(&process.own_pid) {
            return self.command(at, negotiation::Command::Terminate(grounds), Together::default());
        }
        match (process.role, process.state()) {
            (Role::Provider, negotiation::State::Requested | negotiation::State::Accepted) => {
                self.agree(at, Handling::Automatic)
            }
            (Role::Provider, negotiation::State::Verified) => self.finalize(at, Handling::Automatic),
            (Role::Consumer, negotiation::State::Agreed) => self.verify_agreement(at, Handling::Automatic),
            (Role::Consumer, negotiation::State::Offered) => {
                let grounds =
                    Grounds::of("tegata/not-asked-for", ["another offer than ours is not taken".to_owned()]);
                self.command(at, negotiation::Command::Terminate(grounds), Together::default())
            }
            _ => Ok(false),
        }
    }

    /// Who makes our moves in a negotiation.
    pub fn negotiation_handling(&self, held: &Negotiation) -> Result<Handling, ActError> {
        match held.process().role {
            Role::Consumer => self.wish_handling(&held.process().own_pid),
            Role::Provider => {
                let offer = self.offer_of(held.latest_offer().target().unwrap_or_default())?;
                Ok(offer.map(|offer| offer.handling.negotiation).unwrap_or_default())
            }
        }
    }

    /// Finds what is open after a start: processes that did not end, and agreements whose transfer was not asked for.
    pub(crate) fn take_up(&self) -> Result<(), ActError> {
        self.take_up_kind::<Negotiation>()?;
        self.take_up_kind::<Transfer>()?;
        for negotiation in self.open_wishes()? {
            lock(&self.negotiations_open).touch(&negotiation);
        }
        Ok(())
    }

    fn take_up_kind<H: Held>(&self) -> Result<(), ActError> {
        let ended: Vec<&str> = H::State::ALL.iter().filter(|s| s.is_final()).map(|s| s.name()).collect();
        let mut after: Option<String> = None;
        loop {
            let some =
                self.store.processes_but(&self.participant, H::KIND, &ended, after.as_deref(), PROCESSES_MAX)?;
            for pid in &some {
                lock(H::live(self)).touch(pid);
            }
            match some.last() {
                Some(last) if some.len() == PROCESSES_MAX => after = Some(last.clone()),
                _ => break,
            }
        }
        Ok(())
    }

    /// Says who we are where nothing else does: under the test identity.
    pub(crate) fn introduced(&self, request: Request) -> Request {
        if !self.config.test_identity {
            return request;
        }
        let audience = request.url.split('/').take(3).collect::<Vec<_>>().join("/");
        let who = serde_json::json!({ "clientId": self.id(), "audience": audience, "region": "any" });
        request.with("authorization", who.to_string())
    }

    /// Ends a negotiation that may not go on; what a person wanted is refused to the person instead.
    fn refuse(
        &self,
        at: &At<Negotiation>,
        by: Handling,
        grounds: Grounds,
        together: Together,
    ) -> Result<bool, ActError> {
        match by {
            Handling::Automatic => self.command(at, negotiation::Command::Terminate(grounds), together),
            Handling::Manual => {
                self.store.append_events(&self.participant, together.leaves)?;
                Err(ActError::refused(&grounds))
            }
        }
    }

    /// Judges a request: the law and the contract, both must open.
    ///
    /// A person may agree to other terms than those of the catalog, if every word of them is understood.
    pub(crate) fn agree(&self, at: &At<Negotiation>, by: Handling) -> Result<bool, ActError> {
        let process = at.held.process();
        let asked = at.held.latest_offer();
        let refuse = |grounds: Grounds, together: Together| self.refuse(at, by, grounds, together);
        let Some(offer) = self.offer_of(asked.target().unwrap_or_default())? else {
            return refuse(
                Grounds::of("tegata/no-offer", ["this dataset is not offered".to_owned()]),
                Together::default(),
            );
        };
        let judged = law_of(self, &offer, &process.peer.0)?;
        let together = Together::leaf(self.decided(&process.own_pid, &judged.decision)?);
        if !self.opens(&judged.decision) {
            return refuse(self.grounds(&judged.decision), together);
        }
        let ours = match by {
            Handling::Automatic => self.terms_of(&offer)?.with_target(&offer.dataset),
            Handling::Manual => asked.clone(),
        };
        if let Err(line) = self.contract_opens(&ours, asked, &judged.transfer, &process.peer.0) {
            return refuse(Grounds::of(reason::BY_POLICY, [line]), together);
        }
        // What was offered is agreed to, word for word: a peer may have left out words that change nothing.
        let agreement = ours
            .to_agreement(&fresh_name()?, self.id(), &process.peer.0, &self.now().to_string())
            .map_err(|e| ActError::evidence("node/agreement", e))?;
        let mut together = together;
        together.keeps.push(Keep {
            kind: DocumentKind::Transfer,
            id: crate::act::offer::case_id(&offer.dataset, &process.peer.0),
            about: Some(offer.dataset.clone()),
            at: self.now(),
            body: serde_json::to_vec(&judged.transfer).map_err(|e| ActError::evidence("node/case", e))?,
            expect: Expect::Any,
        });
        self.command(at, negotiation::Command::Agree(agreement), together)
    }

    /// The contract's question: the terms are those that we offer, and their conditions hold for this peer.
    fn contract_opens(
        &self,
        ours: &dsp::message::terms::Terms,
        asked: &dsp::message::terms::Terms,
        transfer: &model::transfer::Transfer,
        peer: &str,
    ) -> Result<(), String> {
        let read = |terms| {
            Policy::of_terms(terms).map_err(|e| e.first().map(ToString::to_string).unwrap_or_default())
        };
        let (ours, asked) = (read(ours)?, read(asked)?);
        if !asked.same_rules(&ours) {
            return Err("the terms are not those of the offer".into());
        }
        let mut context = Context::at(self.now()).with(profile::RULEBOOK, [self.rulebook().to_string()]);
        for (id, said) in transfer.parties.get(peer).map(|p| &p.facts).into_iter().flatten() {
            let slot = id.replacen("party.", "recipient.", 1);
            context = context.with(&format!("{}{slot}", profile::FACT), words(&said.value));
        }
        let outcome = evaluate::evaluate(&asked, "use", &Operands::standard(), &context);
        match outcome.opens() {
            true => Ok(()),
            false => Err("a condition of the offer is not met".into()),
        }
    }

    pub(crate) fn finalize(&self, at: &At<Negotiation>, by: Handling) -> Result<bool, ActError> {
        let process = at.held.process();
        let dataset = at.held.agreement().and_then(|a| a.target()).unwrap_or_default();
        let Some(offer) = self.offer_of(dataset)? else {
            let gone = Grounds::of("tegata/no-offer", ["this dataset is no longer offered".to_owned()]);
            return self.refuse(at, by, gone, Together::default());
        };
        let judged = law_of(self, &offer, &process.peer.0)?;
        let together = Together::leaf(self.decided(&process.own_pid, &judged.decision)?);
        if !self.opens(&judged.decision) {
            return self.refuse(at, by, self.grounds(&judged.decision), together);
        }
        self.command(at, negotiation::Command::Finalize, together)
    }

    pub(crate) fn verify_agreement(&self, at: &At<Negotiation>, by: Handling) -> Result<bool, ActError> {
        let fits = at.held.agreement().is_some_and(|agreement| {
            let (asked, agreed) = (Policy::of_terms(at.held.latest_offer()), Policy::of_terms(agreement));
            let same = matches!((asked, agreed), (Ok(asked), Ok(agreed)) if agreed.same_rules(&asked));
            same && agreement.target() == at.held.latest_offer().target()
                && agreement.assignee() == Some(self.id())
        });
        match fits {
            true => self.command(at, negotiation::Command::Verify, Together::default()),
            false => {
                let other =
                    Grounds::of(reason::BY_POLICY, ["the agreement is not what was asked for".to_owned()]);
                self.refuse(at, by, other, Together::default())
            }
        }
    }

    pub(crate) fn load<H: Held>(&self, pid: &str) -> Result<Option<At<H>>, ActError> {
        let stored = self.store.process(&self.participant, &ProcessId::new(H::KIND, pid))?;
        stored.as_ref().map(read_stored).transpose()
    }

    pub(crate) fn all<H: Held>(&self) -> Result<Vec<At<H>>, ActError> {
        let all = self.store.processes(&self.participant, H::KIND, None, PROCESSES_MAX)?;
        all.iter().map(read_stored).collect()
    }

    /// The agreed negotiation under which a peer may ask for a transfer.
    pub(crate) fn agreed_with(&self, agreement: &str, peer: &Peer) -> Result<Option<Negotiation>, ActError> {
        self.agreement_of(Role::Provider, agreement, peer)
    }

    /// The negotiation that an agreement in force comes from; `role` is ours in it.
    pub(crate) fn agreement_of(
        &self,
        role: Role,
        agreement: &str,
        peer: &Peer,
    ) -> Result<Option<Negotiation>, ActError> {
        let key = agreement_key(role, &peer.0, agreement);
        let Some(kept) = self.store.kept(&self.participant, DocumentKind::Agreement, &key)? else {
            return Ok(None);
        };
        let found = self.load::<Negotiation>(kept.about.as_deref().unwrap_or_default())?;
        Ok(found.map(|at| at.held).filter(|n| {
            let process = n.process();
            process.peer == *peer && process.role == role && n.state() == negotiation::State::Finalized
        }))
    }
}

/// What a peer says when it refuses a message for good.
fn refusal_of(reply: &crate::ports::Reply) -> Option<String> {
    let refuses = (400..500).contains(&reply.status) && !matches!(reply.status, 408 | 425 | 429);
    refuses.then(|| {
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let reasons = body.get("reason").and_then(|r| r.as_array()).cloned().unwrap_or_default();
        let said: Vec<&str> = reasons.iter().filter_map(|r| r.as_str()).collect();
        // LIMIT: characters of a peer's words that are kept.
        format!("status {} {}", reply.status, said.join(" | ")).trim().chars().take(500).collect()
    })
}

/// How long a message waits that was sent so often: doubled each time, a minute at most.
fn back_off(repeat_ms: i64, attempts: u64) -> i64 {
    /// LIMIT: the longest wait between two attempts.
    const LONGEST_MS: i64 = 60_000;
    let doubled = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    repeat_ms.saturating_mul(1 << doubled).clamp(repeat_ms.min(LONGEST_MS), LONGEST_MS)
}

pub(crate) fn read_stored<H: Held>(stored: &StoredProcess) -> Result<At<H>, ActError> {
    let held = serde_json::from_slice(&stored.body).map_err(|e| ActError::evidence("node/process", e))?;
    Ok(At { held, version: stored.version, at: stored.at })
}

fn refusal<H: Held>(status: u16, grounds: Grounds) -> Answered {
    Answered { status, body: H::refused(grounds).to_bytes() }
}

fn words(value: &Spoken) -> Vec<String> {
    match value {
        Spoken::YesNo(b) => vec![if *b { "yes" } else { "no" }.into()],
        Spoken::Number(n) => vec![n.to_string()],
        Spoken::Word(w) => vec![w.clone()],
        // "None of them" is an answer too.
        Spoken::Words(w) if w.is_empty() => vec!["none".into()],
        Spoken::Words(w) => w.clone(),
        Spoken::Range { at_least, at_most } => vec![at_least.to_string(), at_most.to_string()],
    }
}
