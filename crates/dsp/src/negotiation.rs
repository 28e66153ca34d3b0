//! The contract negotiation protocol, DSP 2025-1, for both parties.

use crate::machine::{Arrival, Effect, Event, Fault, Peer, Phase, Process, Role, Step};
use crate::message::negotiation::{
    AgreementVerification, ContractAgreement, ContractNegotiation, ContractNegotiationError, ContractOffer,
    ContractRequest, EventType, NegotiationEvent, NegotiationTermination,
};
use crate::message::terms::Terms;
use crate::message::{Context, Grounds, Message, Received};
use crate::paths;
use serde::{Deserialize, Serialize};

/// The states of DSP 2025-1 (contract negotiation states), and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// The consumer asked or countered.
    Requested,
    /// The provider offered.
    Offered,
    /// The consumer accepted the offer.
    Accepted,
    /// The provider agreed.
    Agreed,
    /// The consumer verified the agreement.
    Verified,
    /// The agreement is in force; final.
    Finalized,
    /// Ended without agreement; final.
    Terminated,
}

impl Phase for State {
    const ALL: &'static [State] = &[
        State::Requested,
        State::Offered,
        State::Accepted,
        State::Agreed,
        State::Verified,
        State::Finalized,
        State::Terminated,
    ];
    const ENDED: State = State::Terminated;

    fn name(self) -> &'static str {
        match self {
            State::Requested => "REQUESTED",
            State::Offered => "OFFERED",
            State::Accepted => "ACCEPTED",
            State::Agreed => "AGREED",
            State::Verified => "VERIFIED",
            State::Finalized => "FINALIZED",
            State::Terminated => "TERMINATED",
        }
    }

    fn is_final(self) -> bool {
        matches!(self, State::Finalized | State::Terminated)
    }

    fn rank(self) -> u8 {
        self as u8
    }

    fn sends(from: Option<State>, by: Role, to: State) -> bool {
        use State::{Accepted, Agreed, Finalized, Offered, Requested, Terminated, Verified};
        matches!(
            (from, by, to),
            (None | Some(Offered), Role::Consumer, Requested)
                | (None | Some(Requested), Role::Provider, Offered)
                | (Some(Requested | Accepted), Role::Provider, Agreed)
                | (Some(Offered), Role::Consumer, Accepted)
                | (Some(Agreed), Role::Consumer, Verified)
                | (Some(Verified), Role::Provider, Finalized)
                | (Some(Requested | Offered), _, Terminated)
                | (Some(Accepted | Verified), Role::Provider, Terminated)
                | (Some(Agreed), Role::Consumer, Terminated)
        )
    }

    fn takes(from: State, by: Role, to: State) -> bool {
        // The text lets either party terminate at any state; the figure does not. We send by the figure.
        State::sends(Some(from), by, to) || to == State::Terminated && !from.is_final()
    }

    fn renews(self, _: Role) -> bool {
        false
    }

    fn brings(_: State, to: State) -> bool {
        matches!(to, State::Requested | State::Offered | State::Agreed)
    }

    fn acknowledge(self, provider_pid: &str, consumer_pid: &str) -> Message {
        Message::ContractNegotiation(ContractNegotiation {
            context: Context::default(),
            provider_pid: provider_pid.to_owned(),
            consumer_pid: consumer_pid.to_owned(),
            state: self,
        })
    }

    fn refuse(provider_pid: &str, consumer_pid: &str, grounds: Grounds) -> Message {
        Message::ContractNegotiationError(ContractNegotiationError::new(provider_pid, consumer_pid, grounds))
    }

    fn insist(self, provider_pid: &str, consumer_pid: &str, id: String, grounds: Grounds) -> Option<Message> {
        (self == State::Terminated).then(|| {
            Message::ContractNegotiationTerminationMessage(NegotiationTermination {
                context: Context::default(),
                id: Some(id),
                provider_pid: provider_pid.to_owned(),
                consumer_pid: consumer_pid.to_owned(),
                code: grounds.code,
                reason: grounds.reason,
            })
        })
    }

    fn path(self, _: Role, first: bool) -> &'static str {
        match (self, first) {
            (State::Requested, true) => paths::NEGOTIATION_REQUEST,
            (State::Requested, false) => paths::NEGOTIATION_COUNTER,
            (State::Offered, true) => paths::NEGOTIATION_OFFERS,
            (State::Offered, false) => paths::NEGOTIATION_OFFER,
            (State::Agreed, _) => paths::NEGOTIATION_AGREEMENT,
            (State::Verified, _) => paths::NEGOTIATION_VERIFICATION,
            (State::Accepted | State::Finalized, _) => paths::NEGOTIATION_EVENTS,
            (State::Terminated, _) => paths::NEGOTIATION_TERMINATION,
        }
    }

    fn ask_path() -> &'static str {
        paths::NEGOTIATION
    }
}

/// What our own side may want.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Consumer: answer the offer with another one.
    Counter(Terms),
    /// Provider: offer.
    Offer(Terms),
    /// Consumer: accept the offer.
    Accept,
    /// Provider: agree; see [`Terms::to_agreement`].
    Agree(Terms),
    /// Consumer: verify the agreement.
    Verify,
    /// Provider: finalize.
    Finalize,
    /// End it, with grounds that carry no private fact.
    Terminate(Grounds),
}

/// One negotiation as one party holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Negotiation {
    process: Process<State>,
    offer: Terms,
    agreement: Option<Terms>,
    ended: Grounds,
}

impl Negotiation {
    /// Opens as consumer: asks the provider at `address`; `callback` is where we listen.
    pub fn request(
        provider: Peer,
        own_pid: &str,
        address: &str,
        callback: &str,
        offer: Terms,
    ) -> (Negotiation, Vec<Effect>) {
        let message = Message::ContractRequestMessage(ContractRequest {
            context: Context::default(),
            id: Some(format!("{own_pid}#1")),
            consumer_pid: own_pid.to_owned(),
            provider_pid: None,
            offer: offer.clone(),
            callback_address: Some(callback.to_owned()),
        });
        let (process, effects) =
            Process::open(Role::Consumer, provider, own_pid, address, State::Requested, message);
        (Negotiation::of(process, offer), effects)
    }

    /// Opens as provider: offers to the consumer at `address`; `callback` is where we listen.
    pub fn offer(
        consumer: Peer,
        own_pid: &str,
        address: &str,
        callback: &str,
        offer: Terms,
    ) -> (Negotiation, Vec<Effect>) {
        let message = Message::ContractOfferMessage(ContractOffer {
            context: Context::default(),
            id: Some(format!("{own_pid}#1")),
            provider_pid: own_pid.to_owned(),
            consumer_pid: None,
            offer: offer.clone(),
            callback_address: Some(callback.to_owned()),
        });
        let (process, effects) =
            Process::open(Role::Provider, consumer, own_pid, address, State::Offered, message);
        (Negotiation::of(process, offer), effects)
    }

    /// Is opened by a peer: a request makes us provider, an offer consumer. The answer is 201.
    ///
    /// The caller has looked for a process of this peer and pid first, and given a repeat to its `step`.
    pub fn opened(
        from: &Peer,
        own_pid: &str,
        received: &Received,
    ) -> Result<(Negotiation, Vec<Effect>), Fault> {
        let (role, to, peer_pid, callback, offer) = match &received.message {
            Message::ContractRequestMessage(m) if m.provider_pid.is_none() => {
                (Role::Provider, State::Requested, &m.consumer_pid, &m.callback_address, &m.offer)
            }
            Message::ContractOfferMessage(m) if m.consumer_pid.is_none() => {
                (Role::Consumer, State::Offered, &m.provider_pid, &m.callback_address, &m.offer)
            }
            other => return Err(Fault::WrongMessage { kind: other.kind() }),
        };
        let callback = callback.as_deref().filter(|c| paths::is_callback(c));
        let Some(callback) = callback else { return Err(Fault::Mismatch { field: "callbackAddress" }) };
        let got = Arrival {
            from,
            to,
            provider_pid: None,
            consumer_pid: None,
            digest: received.digest,
            named: received.named,
        };
        let (process, effects) = Process::opened(role, own_pid, peer_pid, callback, got);
        Ok((Negotiation::of(process, offer.clone()), effects))
    }

    /// Records an agreement that was concluded elsewhere: by another connector, or on paper. Nothing is sent.
    pub fn concluded(role: Role, peer: Peer, own_pid: &str, address: &str, agreement: Terms) -> Negotiation {
        let process = Process::ended_elsewhere(role, peer, own_pid, address, State::Finalized);
        Negotiation { agreement: Some(agreement.clone()), ..Negotiation::of(process, agreement) }
    }

    fn of(process: Process<State>, offer: Terms) -> Negotiation {
        Negotiation { process, offer, agreement: None, ended: Grounds::default() }
    }

    /// Returns the process: role, peer, pids, state.
    pub fn process(&self) -> &Process<State> {
        &self.process
    }

    /// Returns the state.
    pub fn state(&self) -> State {
        self.process.state()
    }

    /// Returns the latest offer, of either party.
    pub fn latest_offer(&self) -> &Terms {
        &self.offer
    }

    /// Returns the agreement from AGREED on; it binds in FINALIZED alone.
    pub fn agreement(&self) -> Option<&Terms> {
        self.agreement.as_ref()
    }

    /// Returns the code and reasons of a termination, of either party.
    pub fn ended(&self) -> &Grounds {
        &self.ended
    }

    /// Moves, or says why not.
    pub fn step(&self, event: Event<Command, State>) -> Step<Negotiation> {
        match event {
            Event::Received { from, message } => self.receive(&from, &message),
            Event::Command(command) => self.command(command),
            Event::Answered { status, body } => {
                let peer_pid = match (&body, self.process.role) {
                    (Some(Message::ContractNegotiation(m)), Role::Consumer) => Some(m.provider_pid.as_str()),
                    (Some(Message::ContractNegotiation(m)), Role::Provider) => Some(m.consumer_pid.as_str()),
                    _ => None,
                };
                self.keep(self.process.answered(status, peer_pid))
            }
            Event::Told { state, at } => self.keep(self.process.told(state, at)),
            Event::Timeout => self.keep(self.process.timeout()),
        }
    }

    fn receive(&self, from: &Peer, received: &Received) -> Step<Negotiation> {
        let (to, provider_pid, consumer_pid) = match &received.message {
            Message::ContractRequestMessage(m) => {
                (State::Requested, m.provider_pid.as_ref(), Some(&m.consumer_pid))
            }
            Message::ContractOfferMessage(m) => {
                (State::Offered, Some(&m.provider_pid), m.consumer_pid.as_ref())
            }
            Message::ContractAgreementMessage(m) => {
                (State::Agreed, Some(&m.provider_pid), Some(&m.consumer_pid))
            }
            Message::ContractAgreementVerificationMessage(m) => {
                (State::Verified, Some(&m.provider_pid), Some(&m.consumer_pid))
            }
            Message::ContractNegotiationEventMessage(m) => match m.event_type {
                EventType::Accepted => (State::Accepted, Some(&m.provider_pid), Some(&m.consumer_pid)),
                EventType::Finalized => (State::Finalized, Some(&m.provider_pid), Some(&m.consumer_pid)),
            },
            Message::ContractNegotiationTerminationMessage(m) => {
                (State::Terminated, Some(&m.provider_pid), Some(&m.consumer_pid))
            }
            other => return Step::Illegal(Fault::WrongMessage { kind: other.kind() }),
        };
        let step = self.process.receive(Arrival {
            from,
            to,
            provider_pid: provider_pid.map(String::as_str),
            consumer_pid: consumer_pid.map(String::as_str),
            digest: received.digest,
            named: received.named,
        });
        step.map(|process, effects| {
            let moved = process.moves() != self.process.moves();
            let mut next = Negotiation { process, ..self.clone() };
            match &received.message {
                Message::ContractRequestMessage(m) if moved => next.offer = m.offer.clone(),
                Message::ContractOfferMessage(m) if moved => next.offer = m.offer.clone(),
                Message::ContractAgreementMessage(m) if moved => next.agreement = Some(m.agreement.clone()),
                Message::ContractNegotiationTerminationMessage(m) if moved => {
                    next.ended = Grounds { code: m.code.clone(), reason: m.reason.clone() };
                }
                _ => {}
            }
            (next, effects)
        })
    }

    fn command(&self, command: Command) -> Step<Negotiation> {
        let id = Some(self.process.next_id());
        let context = Context::default();
        let provider_pid = self.process.provider_pid().to_owned();
        let consumer_pid = self.process.consumer_pid().to_owned();
        let (to, message) = match &command {
            Command::Counter(offer) => (
                State::Requested,
                Message::ContractRequestMessage(ContractRequest {
                    context,
                    id,
                    consumer_pid,
                    provider_pid: Some(provider_pid),
                    offer: offer.clone(),
                    callback_address: None,
                }),
            ),
            Command::Offer(offer) => (
                State::Offered,
                Message::ContractOfferMessage(ContractOffer {
                    context,
                    id,
                    provider_pid,
                    consumer_pid: Some(consumer_pid),
                    offer: offer.clone(),
                    callback_address: None,
                }),
            ),
            Command::Agree(agreement) => (
                State::Agreed,
                Message::ContractAgreementMessage(ContractAgreement {
                    context,
                    id,
                    provider_pid,
                    consumer_pid,
                    agreement: agreement.clone(),
                }),
            ),
            Command::Verify => (
                State::Verified,
                Message::ContractAgreementVerificationMessage(AgreementVerification {
                    context,
                    id,
                    provider_pid,
                    consumer_pid,
                }),
            ),
            Command::Accept | Command::Finalize => {
                let (to, event_type) = match command {
                    Command::Accept => (State::Accepted, EventType::Accepted),
                    _ => (State::Finalized, EventType::Finalized),
                };
                let event = NegotiationEvent { context, id, provider_pid, consumer_pid, event_type };
                (to, Message::ContractNegotiationEventMessage(event))
            }
            Command::Terminate(grounds) => (
                State::Terminated,
                Message::ContractNegotiationTerminationMessage(NegotiationTermination {
                    context,
                    id,
                    provider_pid,
                    consumer_pid,
                    code: grounds.code.clone(),
                    reason: grounds.reason.clone(),
                }),
            ),
        };
        let grounds = match &command {
            Command::Terminate(grounds) => grounds.clone(),
            _ => Grounds::default(),
        };
        self.process.command(to, message, &grounds).map(|process, effects| {
            let mut next = Negotiation { process, ..self.clone() };
            match command {
                Command::Counter(offer) | Command::Offer(offer) => next.offer = offer,
                Command::Agree(agreement) => next.agreement = Some(agreement),
                Command::Terminate(grounds) => next.ended = grounds,
                Command::Accept | Command::Verify | Command::Finalize => {}
            }
            (next, effects)
        })
    }

    fn keep(&self, step: Step<Process<State>>) -> Step<Negotiation> {
        step.map(|process, effects| (Negotiation { process, ..self.clone() }, effects))
    }
}
