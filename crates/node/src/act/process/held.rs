//! The two protocols behind one door: what a negotiation and a transfer have in common as processes of a node.

use super::{At, agreement_key};
use crate::agent::Node;
use crate::error::ActError;
use crate::live::Live;
use dsp::machine::{Effect, Event, Fault, Move, Peer, Phase, Process, Step};
use dsp::message::negotiation::ContractNegotiationError;
use dsp::message::transfer::TransferError;
use dsp::message::{Grounds, Message, Received};
use dsp::negotiation::{self, Negotiation};
use dsp::transfer::{self, Transfer};
use model::event::EventKind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Mutex;
use store::process::ProcessKind;

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
    /// Makes the move of ours that follows from a move of the peer, if it follows from what is at hand.
    fn follow(node: &Node, at: &At<Self>) -> Result<(), ActError>;
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
    fn follow(node: &Node, at: &At<Self>) -> Result<(), ActError> {
        node.advance_negotiation(at).map(drop)
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
    fn follow(_: &Node, _: &At<Self>) -> Result<(), ActError> {
        // A start rests on a flow that was opened, and that on the transfer: one after the other.
        Ok(())
    }
}
