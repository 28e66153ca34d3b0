//! Protocol processes, both roles and both protocols: a message or an answer comes in, a process moves, all of it commits
//! together, and only then is anything sent.

mod held;
mod opening;

pub(crate) use held::Held;
pub(crate) use opening::OpeningName;

use crate::act::trace::Trace;
use crate::agent::{Caller, Node, lock};
use crate::crew::Work;
use crate::error::ActError;
use crate::ports::{Request, fresh_name};
use dsp::machine::{Answer, Effect, Event, Fault, How, Move, Peer, Phase, Role, Step};
use dsp::message::{Grounds, Message, Received};
use dsp::negotiation::Negotiation;
use dsp::reason;
use dsp::transfer::Transfer;
use model::Instant;
use model::event::EventKind;
use std::cell::RefCell;
use store::keep::{DocumentKind, Expect, Keep};
use store::outbox::Outgoing;
use store::process::{
    Answer as StoredAnswer, Move as StoredMove, Moved, ProcessId, ProcessKind, StoredProcess, Waiting,
};
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

/// Under which id an agreement is kept: ours are unique here, those of a peer among its own.
pub(crate) fn agreement_key(role: Role, peer: &str, agreement: &str) -> String {
    match role {
        Role::Provider => agreement.to_owned(),
        Role::Consumer => format!("{peer}|{agreement}"),
    }
}

/// A process with the version that was read.
pub(crate) struct At<H> {
    pub(crate) held: H,
    /// None: it is new.
    pub(crate) version: Option<u64>,
    /// When it moved last.
    pub(crate) at: Instant,
    /// A move of the peer that is not on the disk yet: it commits with the next move of ours, or else alone.
    before: RefCell<Before>,
}

/// What a move of the peer waits for.
#[derive(Default)]
enum Before {
    /// There is none.
    #[default]
    Nothing,
    /// Something to commit with.
    Draft(Box<Draft>),
    /// It is on the disk, and this is what the peer is told.
    Said(Option<Answered>),
}

/// What commits with a move, gathered from the effects of one or two steps.
#[derive(Default)]
struct Draft {
    together: Together,
    waiting: Waiting,
    answer: Option<Answered>,
    stored: Option<StoredAnswer>,
    ask: Option<(String, u32)>,
    traces: Vec<Trace>,
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
                // It may be free again when the peer repeats.
                Err(e @ ActError::Quota { .. }) => return refusal::<H>(503, Grounds::of(&e.code(), [e.to_string()])),
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
                return Ok(refusal::<H>(
                    400,
                    Fault::WrongMessage { kind: received.message.kind() }.grounds(),
                ));
            }
        };
        // Whoever repeats an opening message while it is being decided on is told to come again.
        let _opening = match (&known, H::opener(&received.message)) {
            (None, Some(theirs)) => match self.opening(H::KIND, &peer.0, theirs) {
                Some(opening) => Some(opening),
                None => return Ok(refusal::<H>(503, Fault::Busy.grounds())),
            },
            _ => None,
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
                (at.version, step)
            }
            (None, Some(_)) => return Ok(refusal::<H>(404, Fault::NotFound.grounds())),
            (None, None) => match H::opened(&peer, &fresh_name()?, received) {
                Ok((held, effects)) => (None, Step::Next(held, effects)),
                Err(fault) => return Ok(refusal::<H>(fault.status(), fault.grounds())),
            },
        };
        match step {
            Step::Next(next, effects) => self.take_step(version, next, effects, received),
            Step::Repeat(answer) => Ok(Answered::of(&answer)),
            Step::Illegal(fault) => Ok(refusal::<H>(fault.status(), fault.grounds())),
        }
    }

    /// Commits the peer's move, with the move of ours that follows from it at once if there is one.
    fn take_step<H: Held>(
        &self,
        version: Option<u64>,
        next: H,
        effects: Vec<Effect>,
        received: &Received,
    ) -> Result<Answered, ActError> {
        let acknowledged = Answered { status: 200, body: next.process().acknowledgement().to_bytes() };
        let mut draft = Draft::default();
        self.gather(&mut draft, &next, effects, Some(received))?;
        let before = RefCell::new(Before::Draft(Box::new(draft)));
        let at = At { held: next, version, at: self.now(), before };
        let followed = match at.held.process().state().is_final() {
            true => Ok(()),
            false => H::follow(self, &at),
        };
        let said = match at.before.take() {
            // Nothing followed, or what should could not be made out: that is tried again by itself.
            Before::Draft(draft) => self.commit_draft(version, &at.held, *draft)?,
            Before::Said(said) => said,
            Before::Nothing => {
                followed?;
                None
            }
        };
        Ok(said.unwrap_or(acknowledged))
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
                let mut draft = match at.before.take() {
                    Before::Draft(draft) => *draft,
                    Before::Nothing | Before::Said(_) => Draft::default(),
                };
                draft.join(together);
                self.gather(&mut draft, &next, effects, None)?;
                let said = self.commit_draft(at.version, &next, draft)?;
                at.before.replace(Before::Said(said));
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
        together: Together,
    ) -> Result<Option<Answered>, ActError> {
        let mut draft = Draft { together, ..Draft::default() };
        self.gather(&mut draft, next, effects, received)?;
        self.commit_draft(version, next, draft)
    }

    /// Gathers what the effects of a step come to.
    fn gather<H: Held>(
        &self,
        draft: &mut Draft,
        next: &H,
        effects: Vec<Effect>,
        received: Option<&Received>,
    ) -> Result<(), ActError> {
        let process = next.process();
        let id = ProcessId::new(H::KIND, process.own_pid.clone());
        let (mut changed, mut answer) = (false, None);
        for effect in effects {
            changed |= matches!(effect, Effect::Record(_));
            match effect {
                Effect::Answer(given) => answer = Some(Answered::of(&given)),
                Effect::Send { url, message } => {
                    let sent = Outgoing { process: id.clone(), url, body: message.to_bytes() };
                    draft.together.sends.push(sent);
                }
                Effect::Withdraw | Effect::Settle => draft.waiting = Waiting::Leave,
                Effect::Record(moved) => draft.together.leaves.extend(self.recorded(next, &moved)?),
                Effect::Ask { url, at } => draft.ask = Some((url, at)),
                // INVARIANT: no byte passes between the commit and the answer.
                Effect::StopFlow => self.halt(&process.own_pid),
                // Seen by its state, once that is on the disk.
                Effect::StartFlow { .. } => {}
            }
        }
        if changed {
            draft.traces.push(Trace {
                process: H::KIND.as_str(),
                id: process.own_pid.clone(),
                role: process.role,
                peer: process.peer.0.clone(),
                state: process.state().name(),
                about: next.about().to_owned(),
                at: self.now(),
            });
            draft.together.keeps.extend(next.agreement().map(|agreement| Keep {
                kind: DocumentKind::Agreement,
                id: agreement,
                about: Some(process.own_pid.clone()),
                at: self.now(),
                body: b"{}".to_vec(),
                expect: Expect::Any,
            }));
        }
        if let (Some(received), Some(answer)) = (received, answer) {
            // A body without an id counts as a repeat only by the machine's own memory.
            draft.stored = received.named.then(|| StoredAnswer {
                peer: process.peer.0.clone(),
                process: process.own_pid.clone(),
                digest: received.digest,
                status: answer.status,
                body: answer.body.clone(),
            });
            draft.answer = Some(answer);
        }
        Ok(())
    }

    fn commit_draft<H: Held>(
        &self,
        version: Option<u64>,
        next: &H,
        draft: Draft,
    ) -> Result<Option<Answered>, ActError> {
        let process = next.process();
        let id = ProcessId::new(H::KIND, process.own_pid.clone());
        if (version, H::KIND) == (None, ProcessKind::Negotiation) && !process.state().is_final() {
            self.may_negotiate()?;
        }
        let leaves = draft.waiting == Waiting::Leave;
        let calls: Vec<String> = draft.together.sends.iter().map(|s| host_of(&s.url)).collect();
        let moved = StoredMove {
            process: id.clone(),
            from: version,
            peer: process.peer.0.clone(),
            peer_pid: process.peer_pid.clone(),
            state: process.state().name().to_owned(),
            body: serde_json::to_vec(next).map_err(|e| ActError::evidence("node/process", e))?,
            at: self.now(),
            waiting: draft.waiting,
            answer: draft.stored,
        };
        crash_point("node.move.before");
        let moved = self.store.move_process(&self.participant, moved, draft.together)?;
        crash_point("node.move.after");
        if let Moved::Repeat(before) = moved {
            return Ok(Some(Answered { status: before.status, body: before.body }));
        }
        if leaves {
            lock(&self.answered).remove(&id);
        }
        let ours = process.is_settled() || process.state().is_final();
        lock(H::live(self)).moved(&process.own_pid, ours);
        lock(&self.signals_open).touch_known(&process.own_pid);
        if !draft.traces.is_empty() {
            let mut memory = lock(&self.memory);
            draft.traces.into_iter().for_each(|trace| memory.note(trace));
        }
        for peer in calls {
            self.crew.add(Work::Send(id.clone(), peer));
        }
        self.ring();
        if let Some((url, at)) = draft.ask {
            self.ask::<H>(&process.own_pid.clone(), &url, at)?;
        }
        Ok(draft.answer)
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
        let Some(peer) = self.load::<H>(pid)?.map(|at| at.held.process().peer.0.clone()) else { return Ok(()) };
        let Ok(request) = self.introduced(Request::get(url), &peer) else { return Ok(()) };
        let Ok(reply) = self.carrier.send(request) else { return Ok(()) };
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
                self.commit(at.version, &next, effects, None, Together::default()).map(drop)
            }
            Step::Repeat(_) | Step::Illegal(_) => Ok(()),
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
            let some = self.store.processes_but(
                &self.participant,
                H::KIND,
                &ended,
                after.as_deref(),
                PROCESSES_MAX,
            )?;
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
}

pub(crate) fn read_stored<H: Held>(stored: &StoredProcess) -> Result<At<H>, ActError> {
    let held = serde_json::from_slice(&stored.body).map_err(|e| ActError::evidence("node/process", e))?;
    Ok(At { held, version: Some(stored.version), at: stored.at, before: RefCell::default() })
}

impl Draft {
    /// Takes in what commits with a further move.
    fn join(&mut self, more: Together) {
        let Together { leaves, keeps, sends, parts, reservations, finished } = more;
        let here = &mut self.together;
        here.leaves.extend(leaves);
        here.keeps.extend(keeps);
        here.sends.extend(sends);
        here.parts.extend(parts);
        here.reservations.extend(reservations);
        here.finished = finished.or(here.finished.take());
    }
}

/// Scheme, host and port of an address.
pub(crate) fn host_of(url: &str) -> String {
    url.split('/').take(3).collect::<Vec<_>>().join("/")
}

fn refusal<H: Held>(status: u16, grounds: Grounds) -> Answered {
    Answered { status, body: H::refused(grounds).to_bytes() }
}
