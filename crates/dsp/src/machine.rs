//! What negotiation and transfer share: one process between two parties, moved by messages that may be lost or repeated.
//!
//! A move of ours is made before it is sent and stays *pending* until the peer answers. A message of the peer may cross it;
//! then what lies nearer to the end wins (terminated, completed, suspended, started), and whoever cannot be sure asks the
//! peer for its state. So both sides reach the same state whatever the channel does, if it delivers at last.

use crate::message::{Grounds, Message, Received};
use crate::paths;
use model::Digest;
use serde::{Deserialize, Serialize};
use std::fmt;

/// LIMIT: messages remembered per process, by which repeats are known.
pub const SEEN_MAX: usize = 64;

/// The two parties of a process, DSP 2025-1 (terminology).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Asks for a dataset.
    Consumer,
    /// Offers a dataset.
    Provider,
}

impl Role {
    /// Returns the other party.
    pub fn other(self) -> Role {
        match self {
            Role::Consumer => Role::Provider,
            Role::Provider => Role::Consumer,
        }
    }
}

/// Who the peer is, as the caller has established; this room compares it and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Peer(pub String);

/// The states of a protocol and the moves between them.
pub trait Phase: Copy + Eq + fmt::Debug + Sized + 'static {
    /// Every state.
    const ALL: &'static [Self];
    /// The state of a process that was ended early.
    const ENDED: Self;

    /// Returns the name on the wire.
    fn name(self) -> &'static str;
    /// Tells whether no move leaves the state.
    fn is_final(self) -> bool;
    /// Orders states by nearness to the end, for messages that cross.
    fn rank(self) -> u8;
    /// Tells whether the figure of the specification has this move; `None` is the start.
    fn sends(from: Option<Self>, by: Role, to: Self) -> bool;
    /// Tells whether we take this move from a peer, which the text allows more freely than the figure.
    fn takes(from: Self, by: Role, to: Self) -> bool;
    /// Tells whether the message that makes this move brings content that a bare state does not tell.
    fn brings(from: Self, to: Self) -> bool;
    /// Makes the acknowledgement that tells the state.
    fn acknowledge(self, provider_pid: &str, consumer_pid: &str) -> Message;
    /// Makes the error body of the protocol.
    fn refuse(provider_pid: &str, consumer_pid: &str, grounds: Grounds) -> Message;
    /// Makes the message that brings the peer to this state, if it needs no content.
    fn insist(self, provider_pid: &str, consumer_pid: &str, id: String, grounds: Grounds) -> Option<Message>;
    /// Returns the path, at the receiver, of the message that makes this move.
    fn path(self, receiver: Role, first: bool) -> &'static str;
    /// Returns the path at which the state is asked for.
    fn ask_path() -> &'static str;
}

/// An answer to a message, stored so that a repeat gets the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Message,
}

/// Why a message or command moves nothing. The answer to it is [`Process::error`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The peer has no such process; also said to a peer who is not the party (404).
    NotFound,
    /// The protocol has no such move from here (400).
    IllegalMove {
        /// The state we are in.
        from: &'static str,
        /// The state asked for.
        to: &'static str,
    },
    /// An earlier move is still on its way; the same message may be repeated later (503).
    Busy,
    /// A pid or another field contradicts the process (400).
    Mismatch {
        /// The field.
        field: &'static str,
    },
    /// The message does not belong to this protocol or cannot open a process (400).
    WrongMessage {
        /// Its `@type`.
        kind: &'static str,
    },
}

impl Fault {
    /// Returns the HTTP status that the binding prescribes.
    pub fn status(&self) -> u16 {
        match self {
            Fault::NotFound => 404,
            Fault::Busy => 503,
            Fault::IllegalMove { .. } | Fault::Mismatch { .. } | Fault::WrongMessage { .. } => 400,
        }
    }

    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::NotFound => "dsp/not-found",
            Fault::IllegalMove { .. } => "dsp/illegal-move",
            Fault::Busy => "dsp/busy",
            Fault::Mismatch { .. } => "dsp/mismatch",
            Fault::WrongMessage { .. } => "dsp/wrong-message",
        }
    }

    /// Returns what an error body says about it.
    pub fn grounds(&self) -> Grounds {
        Grounds::of(self.code(), [self.to_string()])
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NotFound => f.write_str("no such process"),
            Fault::IllegalMove { from, to } => write!(f, "no move from `{from}` to `{to}` for this party"),
            Fault::Busy => f.write_str("an earlier message is still on its way; repeat later"),
            Fault::Mismatch { field } => write!(f, "`{field}` contradicts the process"),
            Fault::WrongMessage { kind } => write!(f, "`{kind}` is not expected here"),
        }
    }
}

impl std::error::Error for Fault {}

/// How a state came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// By a message of the peer.
    Received,
    /// By our own command.
    Commanded,
    /// The peer refused our move and we went back.
    RolledBack,
    /// The peer told another state that the protocol allows.
    Adopted,
    /// The two states could not be joined; the process ends, as the specification demands.
    Diverged,
    /// The peer refused to open the process.
    Refused,
}

/// One line for the record: who moved the process where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Whose move.
    pub by: Role,
    /// From which state; none at the start.
    pub from: Option<String>,
    /// To which state.
    pub to: String,
    /// How it came.
    pub how: How,
    /// The digest of the message, if a message of the peer made the move.
    pub digest: Option<Digest>,
}

/// Something to be done outside, in order, committed with the state.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Answer the message that came in.
    Answer(Answer),
    /// Put a message in the outbox; repeat the same bytes until it is answered.
    Send {
        /// Where to.
        url: String,
        /// What.
        message: Message,
    },
    /// Take the pending message out of the outbox; it has no more use, though a copy may still arrive.
    Withdraw,
    /// The pending message is settled.
    Settle,
    /// GET the peer's state and come back with [`Event::Told`].
    Ask {
        /// Where.
        url: String,
        /// To be given back, so that an old answer is known.
        at: u32,
    },
    /// Write into the record.
    Record(Move),
    /// Data may flow, or flow again.
    StartFlow {
        /// Where to pull from or push to, if a message said so.
        address: Option<crate::message::transfer::DataAddress>,
    },
    /// No further byte may flow.
    StopFlow,
}

/// What an event does.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<P> {
    /// The process is now this; commit it with the effects, then do them.
    Next(P, Vec<Effect>),
    /// The message came before; answer as then, change nothing.
    Repeat(Answer),
    /// Nothing moves.
    Illegal(Fault),
}

impl<P> Step<P> {
    /// Maps the process and its effects.
    pub(crate) fn map<Q>(self, f: impl FnOnce(P, Vec<Effect>) -> (Q, Vec<Effect>)) -> Step<Q> {
        match self {
            Step::Next(process, effects) => {
                let (process, effects) = f(process, effects);
                Step::Next(process, effects)
            }
            Step::Repeat(answer) => Step::Repeat(answer),
            Step::Illegal(fault) => Step::Illegal(fault),
        }
    }
}

/// What happens to a process.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<C, S> {
    /// A message came in from a peer whose identity is established.
    Received {
        /// From whom.
        from: Peer,
        /// What.
        message: Received,
    },
    /// Our own side wants something.
    Command(C),
    /// The peer answered the pending message. After a 5xx (or 408, 425, 429) nothing happens until [`Event::Timeout`],
    /// which the caller raises when its back-off has passed.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The body, if it was a message.
        body: Option<Message>,
    },
    /// The peer told its state, or that it knows no such process.
    Told {
        /// The state.
        state: Option<S>,
        /// As given in [`Effect::Ask`].
        at: u32,
    },
    /// No answer came in time, or the back-off after a 5xx has passed.
    Timeout,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Seen<S> {
    digest: Digest,
    status: u16,
    state: S,
    moves: u32,
    named: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pending<S> {
    base: Option<S>,
    to: S,
    url: String,
    message: Message,
    crossed: bool,
    refused: bool,
    /// The process was ended before the peer told its pid; said to it as soon as it does.
    then_end: Option<Grounds>,
}

/// One process as one party holds it; the states of the protocol are its only states.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process<S> {
    /// Which party we are.
    pub role: Role,
    /// Who the other is.
    pub peer: Peer,
    /// Our id of the process.
    pub own_pid: String,
    /// The peer's id, once known.
    pub peer_pid: Option<String>,
    /// Where the peer listens.
    pub address: String,
    state: S,
    moves: u32,
    sent: u32,
    pending: Option<Pending<S>>,
    /// While the peer is asked for its state: our moves when we asked.
    asking: Option<u32>,
    asked: u32,
    seen: Vec<Seen<S>>,
}

/// What a message says that concerns the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'a, S> {
    pub(crate) from: &'a Peer,
    pub(crate) to: S,
    pub(crate) provider_pid: Option<&'a str>,
    pub(crate) consumer_pid: Option<&'a str>,
    pub(crate) digest: Digest,
    pub(crate) named: bool,
}

enum Way {
    Advance { settle: bool, withdraw: bool, crossed: bool },
    Stay,
    AlreadyThere,
    Busy,
    Refuse,
}

impl<S: Phase> Process<S> {
    /// Makes the process of the party that opens it; the opening message is pending.
    pub(crate) fn open(
        role: Role,
        peer: Peer,
        own_pid: &str,
        address: &str,
        to: S,
        message: Message,
    ) -> (Self, Vec<Effect>) {
        let url = paths::join(address, S::path(to, role.other(), true));
        let pending = Pending {
            base: None,
            to,
            url: url.clone(),
            message: message.clone(),
            crossed: false,
            refused: false,
            then_end: None,
        };
        let process = Process {
            role,
            peer,
            own_pid: own_pid.to_owned(),
            peer_pid: None,
            address: address.to_owned(),
            state: to,
            moves: 1,
            sent: 1,
            pending: Some(pending),
            asking: None,
            asked: 0,
            seen: Vec::new(),
        };
        let record = process.moved(role, None, How::Commanded, None);
        (process, vec![record, Effect::Send { url, message }])
    }

    /// Makes the process of the party that is asked to open it, with the answer 201.
    pub(crate) fn opened(
        role: Role,
        own_pid: &str,
        peer_pid: &str,
        address: &str,
        got: Arrival<'_, S>,
    ) -> (Self, Vec<Effect>) {
        let mut process = Process {
            role,
            peer: got.from.clone(),
            own_pid: own_pid.to_owned(),
            peer_pid: Some(peer_pid.to_owned()),
            address: address.to_owned(),
            state: got.to,
            moves: 1,
            sent: 0,
            pending: None,
            asking: None,
            asked: 0,
            seen: Vec::new(),
        };
        process.remember(&got, 201);
        let record = process.moved(role.other(), None, How::Received, Some(got.digest));
        let answer = Effect::Answer(Answer { status: 201, body: process.acknowledgement() });
        (process, vec![record, answer])
    }

    /// Returns the state.
    pub fn state(&self) -> S {
        self.state
    }

    /// Tells whether a message of ours awaits its answer.
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Tells whether both sides are known to hold this state.
    pub fn is_settled(&self) -> bool {
        self.pending.is_none() && self.asking.is_none()
    }

    fn is_unsure(&self) -> bool {
        self.asking.is_some() || self.pending.as_ref().is_some_and(|p| p.crossed)
    }

    /// Returns the number of moves made, which grows with each.
    pub fn moves(&self) -> u32 {
        self.moves
    }

    /// Returns the provider's pid, empty while unknown.
    pub fn provider_pid(&self) -> &str {
        match self.role {
            Role::Provider => &self.own_pid,
            Role::Consumer => self.peer_pid.as_deref().unwrap_or_default(),
        }
    }

    /// Returns the consumer's pid, empty while unknown.
    pub fn consumer_pid(&self) -> &str {
        match self.role {
            Role::Consumer => &self.own_pid,
            Role::Provider => self.peer_pid.as_deref().unwrap_or_default(),
        }
    }

    /// Makes the object that tells the state, the answer to a GET.
    pub fn acknowledgement(&self) -> Message {
        self.state.acknowledge(self.provider_pid(), self.consumer_pid())
    }

    /// Makes the error answer to a message that this process refused.
    pub fn error(&self, fault: &Fault) -> Answer {
        self.refusal(fault.status(), fault.grounds())
    }

    /// Makes an error answer of other grounds, such as a rule of law; it moves nothing.
    pub fn refusal(&self, status: u16, grounds: Grounds) -> Answer {
        Answer { status, body: S::refuse(self.provider_pid(), self.consumer_pid(), grounds) }
    }

    /// Returns the id that the next message of ours will carry.
    pub(crate) fn next_id(&self) -> String {
        format!("{}#{}", self.own_pid, self.sent + 1)
    }

    /// Takes a message of the peer.
    pub(crate) fn receive(&self, got: Arrival<'_, S>) -> Step<Self> {
        if *got.from != self.peer {
            return Step::Illegal(Fault::NotFound);
        }
        if let Err(fault) = self.same_pids(&got) {
            return Step::Illegal(fault);
        }
        if let Some(seen) = self.repeat_of(&got) {
            let body = match seen.status {
                200 | 201 => seen.state.acknowledge(self.provider_pid(), self.consumer_pid()),
                _ => self.error(&self.illegal(got.to)).body,
            };
            return Step::Repeat(Answer { status: seen.status, body });
        }
        let mut next = self.clone();
        if next.peer_pid.is_none() {
            next.peer_pid = match self.role {
                Role::Consumer => got.provider_pid.map(str::to_owned),
                Role::Provider => got.consumer_pid.map(str::to_owned),
            };
        }
        let mut effects = Vec::new();
        match self.way(got.to) {
            Way::Busy => return Step::Illegal(Fault::Busy),
            // While a crossing is not cleared up, our state is not sure enough to refuse by.
            Way::Refuse | Way::AlreadyThere if self.is_unsure() => return Step::Illegal(Fault::Busy),
            Way::Refuse => return Step::Illegal(self.illegal(got.to)),
            Way::AlreadyThere => {
                // Remembered, so that a copy that lingers cannot take effect when the state has moved on.
                next.remember(&got, 400);
                let answer = next.error(&self.illegal(got.to));
                return Step::Next(next, vec![Effect::Answer(answer)]);
            }
            Way::Stay => {
                if let Some(pending) = next.pending.as_mut() {
                    pending.crossed = true;
                }
                next.remember(&got, 200);
            }
            Way::Advance { settle, withdraw, crossed } => {
                next.advance(got.to);
                if settle || withdraw {
                    next.pending = None;
                    effects.push(if withdraw { Effect::Withdraw } else { Effect::Settle });
                } else if let Some(pending) = next.pending.as_mut() {
                    pending.crossed |= crossed;
                }
                next.remember(&got, 200);
                effects.push(next.moved(
                    self.role.other(),
                    Some(self.state),
                    How::Received,
                    Some(got.digest),
                ));
            }
        }
        effects.push(Effect::Answer(Answer { status: 200, body: next.acknowledgement() }));
        Step::Next(next, effects)
    }

    fn way(&self, to: S) -> Way {
        let by = self.role.other();
        let advance = Way::Advance { settle: false, withdraw: false, crossed: false };
        let Some(pending) = self.pending.as_ref().filter(|p| p.to == self.state) else {
            // Nothing on its way, or what is on its way was already overtaken by the peer.
            return match S::takes(self.state, by, to) {
                true => advance,
                false if to == self.state && !to.is_final() => Way::AlreadyThere,
                false => Way::Refuse,
            };
        };
        let from_base = pending.base.is_some_and(|base| S::takes(base, by, to));
        let from_here = S::takes(self.state, by, to);
        if from_base && to == pending.to {
            return Way::Stay;
        }
        if to.is_final() && to.rank() > pending.to.rank() && (from_base || from_here) {
            return Way::Advance { settle: false, withdraw: true, crossed: false };
        }
        // The peer wants back to where our move came from: it may have taken our move, or sent before it came.
        let ambiguous =
            pending.base == Some(to) && S::takes(to, self.role, pending.to) && S::takes(to, by, pending.to);
        match from_here {
            true if ambiguous && to.rank() > pending.to.rank() => {
                Way::Advance { settle: false, withdraw: false, crossed: true }
            }
            true if ambiguous => Way::Busy,
            true => Way::Advance { settle: true, withdraw: false, crossed: false },
            false => Way::Refuse,
        }
    }

    /// Makes a move of our own.
    pub(crate) fn command(&self, to: S, message: Message, grounds: &Grounds) -> Step<Self> {
        let overtakes = to == S::ENDED && !self.state.is_final();
        if !self.is_settled() && !overtakes {
            return Step::Illegal(Fault::Busy);
        }
        if !S::sends(Some(self.state), self.role, to) {
            return Step::Illegal(self.illegal(to));
        }
        let mut next = self.clone();
        let mut effects = Vec::new();
        next.advance(to);
        next.asking = None;
        effects.push(next.moved(self.role, Some(self.state), How::Commanded, None));
        if self.peer_pid.is_none() {
            // The opening stays on its way: only its answer tells at which pid the peer can be told of the end.
            if let Some(pending) = next.pending.as_mut() {
                pending.then_end = Some(grounds.clone());
            }
            return Step::Next(next, effects);
        }
        if self.pending.is_some() {
            effects.push(Effect::Withdraw);
        }
        let base = match self.pending.as_ref() {
            Some(pending) => pending.base,
            None => Some(self.state),
        };
        effects.push(next.put(base, to, message));
        Step::Next(next, effects)
    }

    fn put(&mut self, base: Option<S>, to: S, message: Message) -> Effect {
        let path = paths::with_id(
            S::path(to, self.role.other(), false),
            self.peer_pid.as_deref().unwrap_or_default(),
        );
        let url = paths::join(&self.address, &path);
        self.sent += 1;
        self.pending = Some(Pending {
            base,
            to,
            url: url.clone(),
            message: message.clone(),
            crossed: false,
            refused: false,
            then_end: None,
        });
        Effect::Send { url, message }
    }

    /// Takes the peer's answer to the pending message.
    pub(crate) fn answered(&self, status: u16, peer_pid: Option<&str>) -> Step<Self> {
        let Some(pending) = self.pending.as_ref() else { return Step::Next(self.clone(), Vec::new()) };
        let mut next = self.clone();
        match status {
            200..=299 => {
                if next.peer_pid.is_none() {
                    next.peer_pid = peer_pid.map(str::to_owned);
                }
                next.pending = None;
                let mut effects = vec![Effect::Settle];
                let (provider_pid, consumer_pid) = (next.provider_pid(), next.consumer_pid());
                let end = pending.then_end.clone().filter(|_| next.peer_pid.is_some());
                match end.and_then(|g| S::ENDED.insist(provider_pid, consumer_pid, next.next_id(), g)) {
                    Some(message) => effects.push(next.put(Some(pending.to), S::ENDED, message)),
                    None if pending.crossed && !self.state.is_final() => effects.push(next.ask()),
                    None => {}
                }
                Step::Next(next, effects)
            }
            // Not now: the outbox waits, then says so with `Event::Timeout`.
            408 | 425 | 429 => Step::Next(next, Vec::new()),
            400..=499 if pending.base.is_none() => {
                next.pending = None;
                let mut effects = vec![Effect::Settle];
                if !self.state.is_final() {
                    next.advance(S::ENDED);
                    effects.push(next.moved(self.role.other(), Some(self.state), How::Refused, None));
                }
                Step::Next(next, effects)
            }
            400..=499 => {
                if let Some(pending) = next.pending.as_mut() {
                    pending.refused = true;
                }
                let ask = next.ask();
                Step::Next(next, vec![ask])
            }
            _ => Step::Next(next, Vec::new()),
        }
    }

    fn ask(&mut self) -> Effect {
        self.asking = Some(self.moves);
        self.asked += 1;
        let path = paths::with_id(S::ask_path(), self.peer_pid.as_deref().unwrap_or_default());
        Effect::Ask { url: paths::join(&self.address, &path), at: self.asked }
    }

    /// Does again what got no answer.
    pub(crate) fn timeout(&self) -> Step<Self> {
        let mut next = self.clone();
        let effects = match (self.asking.is_some(), self.pending.as_ref()) {
            (true, _) => vec![next.ask()],
            (false, Some(p)) => vec![Effect::Send { url: p.url.clone(), message: p.message.clone() }],
            (false, None) => Vec::new(),
        };
        Step::Next(next, effects)
    }

    /// Compares our state with the one that the peer told.
    pub(crate) fn told(&self, theirs: Option<S>, at: u32) -> Step<Self> {
        let mut next = self.clone();
        // Only the answer to the latest question counts; an older one tells an older state.
        if self.asking.is_none() || at != self.asked {
            return Step::Next(next, Vec::new());
        }
        if self.asking != Some(self.moves) {
            let ask = next.ask();
            return Step::Next(next, vec![ask]);
        }
        next.asking = None;
        let refused = next.pending.take_if(|p| p.refused);
        let mut effects: Vec<Effect> = refused.iter().map(|_| Effect::Settle).collect();
        let Some(theirs) = theirs else {
            next.end_here(&mut effects);
            return Step::Next(next, effects);
        };
        if theirs == self.state {
            return Step::Next(next, effects);
        }
        let by = self.role.other();
        match refused.filter(|p| p.to == self.state) {
            Some(p) => {
                let back =
                    p.base.is_some_and(|b| b == theirs || S::takes(b, by, theirs) && S::brings(b, theirs));
                match p.base {
                    // What the peer's message brings is still to come, so we wait for it where we were.
                    Some(base) if back => next.become_state(base, How::RolledBack, &mut effects),
                    Some(base) if reaches(base, theirs) => {
                        next.become_state(theirs, How::Adopted, &mut effects)
                    }
                    _ if p.to.is_final() => {
                        effects.push(next.moved(by, Some(self.state), How::Diverged, None))
                    }
                    _ => next.end(&mut effects),
                }
            }
            None if self.state.is_final() => {
                effects.push(next.moved(by, Some(self.state), How::Diverged, None))
            }
            None if theirs.rank() > self.state.rank() && reaches(self.state, theirs) => {
                next.become_state(theirs, How::Adopted, &mut effects);
            }
            None => {
                let insist = self.state.insist(
                    self.provider_pid(),
                    self.consumer_pid(),
                    self.next_id(),
                    Grounds::default(),
                );
                match insist.filter(|_| S::takes(theirs, self.role, self.state)) {
                    Some(message) => effects.push(next.put(Some(theirs), self.state, message)),
                    None => next.end(&mut effects),
                }
            }
        }
        Step::Next(next, effects)
    }

    fn become_state(&mut self, to: S, how: How, effects: &mut Vec<Effect>) {
        let from = self.state;
        self.advance(to);
        effects.push(self.moved(self.role.other(), Some(from), how, None));
    }

    fn end_here(&mut self, effects: &mut Vec<Effect>) {
        if !self.state.is_final() {
            self.become_state(S::ENDED, How::Diverged, effects);
        }
    }

    /// Ends the process, here and if the protocol lets us at the peer: states that differ must end, DSP 2025-1.
    fn end(&mut self, effects: &mut Vec<Effect>) {
        let base = self.state;
        let grounds = Grounds::of("dsp/diverged", ["the two sides held different states".to_owned()]);
        let message = S::ENDED.insist(self.provider_pid(), self.consumer_pid(), self.next_id(), grounds);
        self.end_here(effects);
        if let Some(message) = message {
            effects.push(self.put(Some(base), S::ENDED, message));
        }
    }

    fn advance(&mut self, to: S) {
        self.state = to;
        self.moves += 1;
    }

    fn moved(&self, by: Role, from: Option<S>, how: How, digest: Option<Digest>) -> Effect {
        let from = from.map(|s| s.name().to_owned());
        Effect::Record(Move { by, from, to: self.state.name().to_owned(), how, digest })
    }

    fn illegal(&self, to: S) -> Fault {
        Fault::IllegalMove { from: self.state.name(), to: to.name() }
    }

    fn same_pids(&self, got: &Arrival<'_, S>) -> Result<(), Fault> {
        let pairs = [
            (got.provider_pid, self.provider_pid(), "providerPid", self.role == Role::Provider),
            (got.consumer_pid, self.consumer_pid(), "consumerPid", self.role == Role::Consumer),
        ];
        for (said, held, field, own) in pairs {
            let known = own || self.peer_pid.is_some();
            if known && said.is_some_and(|said| said != held) {
                return Err(Fault::Mismatch { field });
            }
        }
        Ok(())
    }

    fn repeat_of(&self, got: &Arrival<'_, S>) -> Option<&Seen<S>> {
        // INVARIANT: a body without `@id` counts as a repeat only while nothing has moved since, because two acts may
        // look alike (suspend, resume, suspend).
        self.seen.iter().find(|s| s.digest == got.digest && (s.named || s.moves == self.moves))
    }

    fn remember(&mut self, got: &Arrival<'_, S>, status: u16) {
        let seen =
            Seen { digest: got.digest, status, state: self.state, moves: self.moves, named: got.named };
        self.seen.push(seen);
        if self.seen.len() > SEEN_MAX {
            self.seen.remove(0);
        }
    }
}

fn reaches<S: Phase>(from: S, to: S) -> bool {
    let mut known = vec![from];
    let mut n = 0;
    while let Some(at) = known.get(n).copied() {
        n += 1;
        for next in S::ALL {
            let step = [Role::Consumer, Role::Provider]
                .into_iter()
                .any(|by| S::takes(at, by, *next) && !S::brings(at, *next));
            if step && !known.contains(next) {
                known.push(*next);
            }
        }
    }
    to != from && known.contains(&to)
}
