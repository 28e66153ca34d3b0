//! The transfer process protocol, DSP 2025-1, for both parties.

use crate::machine::{Arrival, Effect, Event, Fault, Peer, Phase, Process, Role, Step};
use crate::message::transfer::{
    DataAddress, TransferCompletion, TransferError, TransferProcess, TransferRequest, TransferStart,
    TransferSuspension, TransferTermination,
};
use crate::message::{Context, Grounds, Message, Received};
use crate::paths;
use serde::{Deserialize, Serialize};

/// The states of DSP 2025-1 (transfer process states), and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// The consumer asked.
    Requested,
    /// Data may flow.
    Started,
    /// Data may not flow for now.
    Suspended,
    /// Done; final.
    Completed,
    /// Ended early; final.
    Terminated,
}

impl Phase for State {
    const ALL: &'static [State] =
        &[State::Requested, State::Started, State::Suspended, State::Completed, State::Terminated];
    const ENDED: State = State::Terminated;

    fn name(self) -> &'static str {
        match self {
            State::Requested => "REQUESTED",
            State::Started => "STARTED",
            State::Suspended => "SUSPENDED",
            State::Completed => "COMPLETED",
            State::Terminated => "TERMINATED",
        }
    }

    fn is_final(self) -> bool {
        matches!(self, State::Completed | State::Terminated)
    }

    fn rank(self) -> u8 {
        self as u8
    }

    fn sends(from: Option<State>, by: Role, to: State) -> bool {
        use State::{Completed, Requested, Started, Suspended, Terminated};
        matches!(
            (from, by, to),
            (None, Role::Consumer, Requested)
                | (Some(Requested), Role::Provider, Started)
                | (Some(Started), _, Suspended | Completed | Terminated)
                | (Some(Suspended), _, Started | Terminated)
                | (Some(Requested), _, Terminated)
        )
    }

    fn takes(from: State, by: Role, to: State) -> bool {
        State::sends(Some(from), by, to)
    }

    fn renews(self, by: Role) -> bool {
        // A provider answers a resumption by the consumer with a start of its own, and renews an address so.
        self == State::Started && by == Role::Provider
    }

    fn brings(from: State, to: State) -> bool {
        to == State::Requested || (from, to) == (State::Requested, State::Started)
    }

    fn lost(theirs: State, by: Role, ours: State) -> bool {
        // An Eclipse EDC that is slow writes its own request over the start that it has answered already.
        by == Role::Provider && theirs == State::Requested && matches!(ours, State::Started | State::Suspended)
    }

    fn acknowledge(self, provider_pid: &str, consumer_pid: &str) -> Message {
        Message::TransferProcess(TransferProcess {
            context: Context::default(),
            provider_pid: provider_pid.to_owned(),
            consumer_pid: consumer_pid.to_owned(),
            state: self,
        })
    }

    fn refuse(provider_pid: &str, consumer_pid: &str, grounds: Grounds) -> Message {
        Message::TransferError(TransferError::new(provider_pid, consumer_pid, None, grounds))
    }

    fn insist(self, provider_pid: &str, consumer_pid: &str, id: String, grounds: Grounds) -> Option<Message> {
        match self {
            State::Suspended => Some(Message::TransferSuspensionMessage(TransferSuspension::new(
                provider_pid,
                consumer_pid,
                Some(id),
                grounds,
            ))),
            State::Terminated => Some(Message::TransferTerminationMessage(TransferTermination::new(
                provider_pid,
                consumer_pid,
                Some(id),
                grounds,
            ))),
            State::Requested | State::Started | State::Completed => None,
        }
    }

    fn path(self, _: Role, _: bool) -> &'static str {
        match self {
            State::Requested => paths::TRANSFER_REQUEST,
            State::Started => paths::TRANSFER_START,
            State::Suspended => paths::TRANSFER_SUSPENSION,
            State::Completed => paths::TRANSFER_COMPLETION,
            State::Terminated => paths::TRANSFER_TERMINATION,
        }
    }

    fn ask_path() -> &'static str {
        paths::TRANSFER
    }
}

/// What our own side may want.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Start or resume; a provider gives the address for pull.
    Start(Option<DataAddress>),
    /// Provider, started: send the address again, which a consumer that resumed may wait for.
    Renew(DataAddress),
    /// Suspend, with grounds that carry no private fact.
    Suspend(Grounds),
    /// Complete.
    Complete,
    /// End it, with grounds that carry no private fact.
    Terminate(Grounds),
}

/// What a transfer is about, from its request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The agreement that permits it.
    pub agreement_id: String,
    /// The format of a distribution.
    pub format: String,
    /// Where to push; none means that the consumer pulls.
    pub push_to: Option<DataAddress>,
}

/// One transfer process as one party holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    process: Process<State>,
    subject: Subject,
    address: Option<DataAddress>,
    grounds: Grounds,
}

impl Transfer {
    /// Opens as consumer: asks the provider at `address`; `callback` is where we listen.
    pub fn request(
        provider: Peer,
        own_pid: &str,
        address: &str,
        callback: &str,
        subject: Subject,
    ) -> (Transfer, Vec<Effect>) {
        let message = Message::TransferRequestMessage(TransferRequest {
            context: Context::default(),
            id: Some(format!("{own_pid}#1")),
            consumer_pid: own_pid.to_owned(),
            agreement_id: subject.agreement_id.clone(),
            format: subject.format.clone(),
            data_address: subject.push_to.clone(),
            callback_address: callback.to_owned(),
        });
        let (process, effects) =
            Process::open(Role::Consumer, provider, own_pid, address, State::Requested, message);
        (Transfer::of(process, subject), effects)
    }

    /// Is opened by a consumer. The answer is 201.
    ///
    /// The caller has looked for a process of this peer and pid first, and given a repeat to its `step`.
    pub fn opened(from: &Peer, own_pid: &str, received: &Received) -> Result<(Transfer, Vec<Effect>), Fault> {
        let Message::TransferRequestMessage(m) = &received.message else {
            return Err(Fault::WrongMessage { kind: received.message.kind() });
        };
        if !paths::is_callback(&m.callback_address) {
            return Err(Fault::Mismatch { field: "callbackAddress" });
        }
        let got = Arrival {
            from,
            to: State::Requested,
            provider_pid: None,
            consumer_pid: None,
            digest: received.digest,
            named: received.named,
        };
        let (process, effects) =
            Process::opened(Role::Provider, own_pid, &m.consumer_pid, &m.callback_address, got);
        let subject = Subject {
            agreement_id: m.agreement_id.clone(),
            format: m.format.clone(),
            push_to: m.data_address.clone(),
        };
        Ok((Transfer::of(process, subject), effects))
    }

    fn of(process: Process<State>, subject: Subject) -> Transfer {
        Transfer { process, subject, address: None, grounds: Grounds::default() }
    }

    /// Returns the process: role, peer, pids, state.
    pub fn process(&self) -> &Process<State> {
        &self.process
    }

    /// Returns the state.
    pub fn state(&self) -> State {
        self.process.state()
    }

    /// Returns agreement, format and push address.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Returns where to pull from, once a start said so.
    pub fn address(&self) -> Option<&DataAddress> {
        self.address.as_ref()
    }

    /// Returns the code and reasons of the latest suspension or termination, of either party.
    pub fn grounds(&self) -> &Grounds {
        &self.grounds
    }

    /// Moves, or says why not.
    pub fn step(&self, event: Event<Command, State>) -> Step<Transfer> {
        match event {
            Event::Received { from, message } => self.receive(&from, &message),
            Event::Command(command) => self.command(command),
            Event::Answered { status, body } => {
                let peer_pid = match &body {
                    Some(Message::TransferProcess(m)) if self.process.role == Role::Consumer => {
                        Some(m.provider_pid.as_str())
                    }
                    _ => None,
                };
                self.keep(self.process.answered(status, peer_pid))
            }
            Event::Told { state, at } => self.keep(self.process.told(state, at)),
            Event::Timeout => self.keep(self.process.timeout()),
        }
    }

    fn receive(&self, from: &Peer, received: &Received) -> Step<Transfer> {
        let (to, provider_pid, consumer_pid) = match &received.message {
            Message::TransferRequestMessage(m) => (State::Requested, None, &m.consumer_pid),
            Message::TransferStartMessage(m) => (State::Started, Some(&m.provider_pid), &m.consumer_pid),
            Message::TransferSuspensionMessage(m) => {
                (State::Suspended, Some(&m.provider_pid), &m.consumer_pid)
            }
            Message::TransferCompletionMessage(m) => {
                (State::Completed, Some(&m.provider_pid), &m.consumer_pid)
            }
            Message::TransferTerminationMessage(m) => {
                (State::Terminated, Some(&m.provider_pid), &m.consumer_pid)
            }
            other => return Step::Illegal(Fault::WrongMessage { kind: other.kind() }),
        };
        let step = self.process.receive(Arrival {
            from,
            to,
            provider_pid: provider_pid.map(String::as_str),
            consumer_pid: Some(consumer_pid.as_str()),
            digest: received.digest,
            named: received.named,
        });
        self.carry(step, |next, moved| match &received.message {
            Message::TransferStartMessage(m)
                if m.data_address.is_some() && next.state() == State::Started =>
            {
                next.address = m.data_address.clone();
            }
            Message::TransferSuspensionMessage(m) if moved => {
                next.grounds = Grounds { code: m.code.clone(), reason: m.reason.clone() };
            }
            Message::TransferTerminationMessage(m) if moved => {
                next.grounds = Grounds { code: m.code.clone(), reason: m.reason.clone() };
            }
            _ => {}
        })
    }

    fn command(&self, command: Command) -> Step<Transfer> {
        let id = Some(self.process.next_id());
        let provider_pid = self.process.provider_pid();
        let consumer_pid = self.process.consumer_pid();
        let (to, message) = match &command {
            Command::Start(data_address) => (
                State::Started,
                Message::TransferStartMessage(TransferStart {
                    context: Context::default(),
                    id,
                    provider_pid: provider_pid.to_owned(),
                    consumer_pid: consumer_pid.to_owned(),
                    data_address: data_address.clone(),
                }),
            ),
            Command::Renew(data_address) => {
                let message = Message::TransferStartMessage(TransferStart {
                    context: Context::default(),
                    id,
                    provider_pid: provider_pid.to_owned(),
                    consumer_pid: consumer_pid.to_owned(),
                    data_address: Some(data_address.clone()),
                });
                return self.carry(self.process.renew(message), |next, _| next.address = Some(data_address.clone()));
            }
            Command::Complete => (
                State::Completed,
                Message::TransferCompletionMessage(TransferCompletion {
                    context: Context::default(),
                    id,
                    provider_pid: provider_pid.to_owned(),
                    consumer_pid: consumer_pid.to_owned(),
                }),
            ),
            Command::Suspend(grounds) => (
                State::Suspended,
                Message::TransferSuspensionMessage(TransferSuspension::new(
                    provider_pid,
                    consumer_pid,
                    id,
                    grounds.clone(),
                )),
            ),
            Command::Terminate(grounds) => (
                State::Terminated,
                Message::TransferTerminationMessage(TransferTermination::new(
                    provider_pid,
                    consumer_pid,
                    id,
                    grounds.clone(),
                )),
            ),
        };
        let grounds = match &command {
            Command::Suspend(grounds) | Command::Terminate(grounds) => grounds.clone(),
            Command::Start(_) | Command::Renew(_) | Command::Complete => Grounds::default(),
        };
        let step = self.process.command(to, message, &grounds);
        self.carry(step, |next, _| match command {
            Command::Start(Some(address)) => next.address = Some(address),
            Command::Suspend(grounds) | Command::Terminate(grounds) => next.grounds = grounds,
            Command::Start(None) | Command::Renew(_) | Command::Complete => {}
        })
    }

    fn keep(&self, step: Step<Process<State>>) -> Step<Transfer> {
        self.carry(step, |_, _| ())
    }

    /// Wraps the process and adds what a change of state means for the flow of data.
    fn carry(&self, step: Step<Process<State>>, f: impl FnOnce(&mut Transfer, bool)) -> Step<Transfer> {
        step.map(|process, mut effects| {
            let moved = process.moves() != self.process.moves();
            let mut next = Transfer { process, ..self.clone() };
            f(&mut next, moved);
            let renewed = next.address != self.address;
            match (self.state() == State::Started, next.state() == State::Started) {
                (was, true) if !was || renewed => {
                    let address = next.subject.push_to.clone().or_else(|| next.address.clone());
                    effects.push(Effect::StartFlow { address });
                }
                // Stopping comes first: no byte may pass between the commit and the answer.
                (true, false) => effects.insert(0, Effect::StopFlow),
                _ => {}
            }
            (next, effects)
        })
    }
}
