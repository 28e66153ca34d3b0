//! What negotiation and transfer share: one process between two parties, moved by messages that may be lost or repeated.
//!
//! A move of ours is made before it is sent and stays *pending* until the peer answers. A message of the peer may cross it;
//! then what lies nearer to the end wins (terminated, completed, suspended, started), and whoever cannot be sure asks the
//! peer for its state. So both sides reach the same state whatever the channel does, if it delivers at last. The moves
//! themselves are in `machine/process.rs`.

mod process;

use crate::message::{Grounds, Message, Received};
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
    /// Tells whether a peer may say again that we are where we are: it renews what the state rests on and moves nothing.
    fn renews(self, by: Role) -> bool;
    /// Tells whether the message that makes this move brings content that a bare state does not tell.
    fn brings(from: Self, to: Self) -> bool;
    /// Tells whether a peer that says it is there has lost a move of ours that it had answered, so that it can be made anew.
    fn lost(_theirs: Self, _by: Role, _ours: Self) -> bool {
        false
    }
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

/// Makes the error answer of a protocol where there is no process to speak for: unknown, not the peer's, or not opened.
///
/// The pids are taken from the message, since the schema demands both; those it lacks are empty.
pub fn refuse<S: Phase>(message: Option<&Message>, status: u16, grounds: Grounds) -> Answer {
    let (provider_pid, consumer_pid) = message.map(Message::pids).unwrap_or_default();
    Answer {
        status,
        body: S::refuse(provider_pid.unwrap_or_default(), consumer_pid.unwrap_or_default(), grounds),
    }
}

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
