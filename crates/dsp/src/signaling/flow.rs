//! A data flow as a data plane holds it, and how signals move it.

use super::Direction;
use super::message::{FlowMessage, Status};
use crate::machine::Role;
use crate::message::transfer::DataAddress;
use serde::{Deserialize, Serialize};
use std::fmt;

/// LIMIT: ids of messages that a flow remembers, by which repeats are known.
const SEEN_MAX: usize = 64;

/// The states of Data Plane Signaling 1.0 (data flow state machine), and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Nothing was done yet.
    Initialized,
    /// The consumer's side is being made ready.
    Preparing,
    /// The consumer's side is ready.
    Prepared,
    /// The flow is being opened.
    Starting,
    /// Data may flow.
    Started,
    /// Data may not flow for now.
    Suspended,
    /// Done; final.
    Completed,
    /// Ended early; final.
    Terminated,
}

impl State {
    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        matches!(self, State::Completed | State::Terminated)
    }

    /// Whether what was asked for is still being made ready, which an answer says with 202.
    pub fn is_coming(self) -> bool {
        matches!(self, State::Preparing | State::Starting)
    }

    /// The protocol's word.
    pub fn name(self) -> &'static str {
        match self {
            State::Initialized => "INITIALIZED",
            State::Preparing => "PREPARING",
            State::Prepared => "PREPARED",
            State::Starting => "STARTING",
            State::Started => "STARTED",
            State::Suspended => "SUSPENDED",
            State::Completed => "COMPLETED",
            State::Terminated => "TERMINATED",
        }
    }
}

/// Why a signal is refused. Nothing moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The flow's state has no such move.
    Illegal {
        /// The state.
        from: State,
        /// What was signaled.
        signal: &'static str,
    },
    /// The profile's name does not end in `-pull` or `-push`.
    Profile,
    /// A pull is started with an address, which only its provider can give.
    AddressUnwanted,
    /// A push is started without the address to push to.
    AddressMissing,
}

impl Fault {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Fault::Illegal { .. } => "dps/illegal-signal",
            Fault::Profile => "dps/profile",
            Fault::AddressUnwanted => "dps/address-unwanted",
            Fault::AddressMissing => "dps/address-missing",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Illegal { from, signal } => write!(f, "`{signal}` does not follow {}", from.name()),
            Fault::Profile => f.write_str("the name of the profile ends neither in `-pull` nor in `-push`"),
            Fault::AddressUnwanted => f.write_str("a pull is started without `dataAddress`"),
            Fault::AddressMissing => f.write_str("a push is started with the `dataAddress` to push to"),
        }
    }
}

/// What a data plane tells its control plane by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Told {
    /// The flow is prepared.
    Prepared,
    /// The flow is started.
    Started,
    /// All data went.
    Completed,
    /// It cannot go on; this moves nothing.
    Errored,
}

impl Told {
    /// The last part of the path.
    pub fn word(self) -> &'static str {
        match self {
            Told::Prepared => "prepared",
            Told::Started => "started",
            Told::Completed => "completed",
            Told::Errored => "errored",
        }
    }

    /// Reads the last part of the path.
    pub fn of(word: &str) -> Option<Told> {
        [Told::Prepared, Told::Started, Told::Completed, Told::Errored].into_iter().find(|t| t.word() == word)
    }
}

/// What happens to a flow that exists.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The control plane: the provider has started; for pull the address follows.
    Started(Option<DataAddress>),
    /// The control plane: suspend.
    Suspend,
    /// The control plane: go on, at a new address if there is one.
    Resume(Option<DataAddress>),
    /// The control plane: it is done.
    Completed,
    /// The control plane: it has ended early.
    Terminate,
    /// Ours: what was being made ready is ready.
    Ready,
    /// Ours: all data went.
    Done,
    /// Ours: it cannot go on.
    Failed(String),
}

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Event::Started(_) => "started",
            Event::Suspend => "suspend",
            Event::Resume(_) => "resume",
            Event::Completed => "completed",
            Event::Terminate => "terminate",
            Event::Ready => "ready",
            Event::Done => "done",
            Event::Failed(_) => "failed",
        }
    }
}

/// One data flow as its data plane holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    id: String,
    role: Role,
    state: State,
    asked: FlowMessage,
    address: Option<DataAddress>,
    error: Option<String>,
    seen: Vec<String>,
}

impl Flow {
    /// Opens on the consumer's side; `ready` tells whether nothing is left to be made ready.
    pub fn prepare(id: &str, asked: FlowMessage, ready: bool) -> Result<Flow, Fault> {
        Direction::of(&asked.profile).ok_or(Fault::Profile)?;
        let state = if ready { State::Prepared } else { State::Preparing };
        Ok(Flow::new(id, Role::Consumer, state, asked))
    }

    /// Opens on the provider's side.
    pub fn start(id: &str, asked: FlowMessage, ready: bool) -> Result<Flow, Fault> {
        match (Direction::of(&asked.profile).ok_or(Fault::Profile)?, &asked.data_address) {
            (Direction::Pull, Some(_)) => return Err(Fault::AddressUnwanted),
            (Direction::Push, None) => return Err(Fault::AddressMissing),
            _ => {}
        }
        let state = if ready { State::Started } else { State::Starting };
        let address = asked.data_address.clone();
        Ok(Flow { address, ..Flow::new(id, Role::Provider, state, asked) })
    }

    fn new(id: &str, role: Role, state: State, asked: FlowMessage) -> Flow {
        let seen = vec![asked.message_id.clone()];
        Flow { id: id.to_owned(), role, state, asked, address: None, error: None, seen }
    }

    /// Our id of it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whose side we carry.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.state
    }

    /// What it was opened with.
    pub fn asked(&self) -> &FlowMessage {
        &self.asked
    }

    /// Which way its bytes are asked for.
    pub fn direction(&self) -> Direction {
        Direction::of(&self.asked.profile).unwrap_or(Direction::Pull)
    }

    /// Where the other side's data plane is, once it is known.
    pub fn address(&self) -> Option<&DataAddress> {
        self.address.as_ref()
    }

    /// What went wrong last.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Whether a message came before.
    pub fn has_seen(&self, message_id: &str) -> bool {
        self.seen.iter().any(|id| id == message_id)
    }

    /// Remembers a message, by which its repeat is known.
    pub fn saw(&mut self, message_id: &str) {
        self.seen.push(message_id.to_owned());
        if self.seen.len() > SEEN_MAX {
            self.seen.remove(0);
        }
    }

    /// Gives it another address of the other side, as when its access was renewed.
    pub fn readdress(&mut self, address: DataAddress) {
        self.address = Some(address);
    }

    /// Moves, and tells what the control plane is to hear of it; or says why not.
    pub fn step(&self, event: Event) -> Result<(Flow, Option<Told>), Fault> {
        use State::{Completed, Prepared, Preparing, Started, Starting, Suspended, Terminated};
        let (to, told) = match (&event, self.state) {
            (Event::Started(_), Prepared) if self.role == Role::Consumer => (Started, None),
            (Event::Suspend, Started) => (Suspended, None),
            (Event::Resume(_), Suspended) => (Started, None),
            (Event::Completed, Started) => (Completed, None),
            // Both sides may find out at once that all went.
            (Event::Completed, Completed) => (Completed, None),
            (Event::Terminate, state) if state != Completed => (Terminated, None),
            (Event::Ready, Preparing) => (Prepared, Some(Told::Prepared)),
            (Event::Ready, Starting) => (Started, Some(Told::Started)),
            (Event::Done, Started) => (Completed, Some(Told::Completed)),
            (Event::Failed(_), state) if !state.is_final() => (state, Some(Told::Errored)),
            _ => return Err(Fault::Illegal { from: self.state, signal: event.name() }),
        };
        let mut next = Flow { state: to, ..self.clone() };
        match event {
            Event::Started(Some(address)) | Event::Resume(Some(address)) => next.address = Some(address),
            Event::Failed(error) => next.error = Some(error),
            _ => {}
        }
        Ok((next, told))
    }

    /// How it stands, as it is told; `address` is ours, if the other side needs it.
    pub fn status(&self, message_id: String, address: Option<DataAddress>) -> Status {
        Status {
            message_id,
            data_flow_id: self.id.clone(),
            state: self.state,
            data_address: address,
            error: self.error.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Map;

    fn asked(profile: &str, address: Option<DataAddress>) -> FlowMessage {
        FlowMessage {
            message_id: "m".into(),
            participant_id: "p".into(),
            counter_party_id: "c".into(),
            dataspace_context: "s".into(),
            process_id: "t".into(),
            agreement_id: "a".into(),
            dataset_id: "d".into(),
            profile: profile.into(),
            claims: Map::new(),
            metadata: None,
            labels: Vec::new(),
            data_address: address,
        }
    }

    fn there() -> DataAddress {
        DataAddress::new("x", "https://a.example")
    }

    /// Walks a flow through events; the states that it reached and what it told.
    fn walk(mut flow: Flow, events: &[Event]) -> Result<(State, Vec<Told>), Fault> {
        let mut told = Vec::new();
        for event in events {
            let (next, says) = flow.step(event.clone())?;
            told.extend(says);
            flow = next;
        }
        Ok((flow.state(), told))
    }

    #[test]
    fn a_consumer_prepares_is_started_is_suspended_goes_on_and_completes() {
        let flow = Flow::prepare("f", asked("x-pull", None), true).unwrap();
        let way = [Event::Started(Some(there())), Event::Suspend, Event::Resume(None), Event::Done];
        assert_eq!(walk(flow, &way), Ok((State::Completed, vec![Told::Completed])));
    }

    #[test]
    fn what_is_not_ready_at_once_says_when_it_is() {
        let flow = Flow::prepare("f", asked("x-push", None), false).unwrap();
        assert!(flow.state().is_coming());
        assert_eq!(walk(flow, &[Event::Ready]), Ok((State::Prepared, vec![Told::Prepared])));
        let flow = Flow::start("f", asked("x-push", Some(there())), false).unwrap();
        assert_eq!(
            walk(flow, &[Event::Ready, Event::Completed]),
            Ok((State::Completed, vec![Told::Started]))
        );
    }

    #[test]
    fn a_pull_starts_without_address_and_a_push_with_one() {
        assert_eq!(
            Flow::start("f", asked("x-pull", Some(there())), true).unwrap_err(),
            Fault::AddressUnwanted
        );
        assert_eq!(Flow::start("f", asked("x-push", None), true).unwrap_err(), Fault::AddressMissing);
        assert_eq!(Flow::start("f", asked("x", None), true).unwrap_err(), Fault::Profile);
        let push = Flow::start("f", asked("x-push", Some(there())), true).unwrap();
        assert_eq!(push.address(), Some(&there()));
    }

    #[test]
    fn started_is_for_the_consumer_alone() {
        let flow = Flow::start("f", asked("x-pull", None), false).unwrap();
        assert!(matches!(flow.step(Event::Started(None)), Err(Fault::Illegal { from: State::Starting, .. })));
    }

    #[test]
    fn every_state_but_the_end_can_be_terminated_and_the_end_is_the_end() {
        let begin = Flow::prepare("f", asked("x-pull", None), false).unwrap();
        let ways: [&[Event]; 4] = [
            &[],
            &[Event::Ready],
            &[Event::Ready, Event::Started(None)],
            &[Event::Ready, Event::Started(None), Event::Suspend],
        ];
        for way in ways {
            let events: Vec<Event> = way.iter().cloned().chain([Event::Terminate]).collect();
            assert_eq!(walk(begin.clone(), &events).unwrap().0, State::Terminated, "{way:?}");
            let after: Vec<Event> = events.into_iter().chain([Event::Resume(None)]).collect();
            assert!(walk(begin.clone(), &after).is_err());
        }
        let done = walk(begin, &[Event::Ready, Event::Started(None), Event::Completed, Event::Terminate]);
        assert!(done.is_err(), "what is complete is not terminated");
    }

    #[test]
    fn an_error_moves_nothing_and_is_told() {
        let flow = Flow::prepare("f", asked("x-pull", None), true).unwrap();
        let (next, told) = flow.step(Event::Failed("no route".into())).unwrap();
        assert_eq!(
            (next.state(), told, next.error()),
            (State::Prepared, Some(Told::Errored), Some("no route"))
        );
    }

    #[test]
    fn a_repeat_is_known_by_its_id() {
        let mut flow = Flow::prepare("f", asked("x-pull", None), true).unwrap();
        assert!(flow.has_seen("m") && !flow.has_seen("n"));
        for n in 0..SEEN_MAX {
            flow.saw(&n.to_string());
        }
        assert!(!flow.has_seen("m") && flow.has_seen("63"));
    }
}
