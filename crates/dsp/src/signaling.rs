//! Data Plane Signaling 1.0-RC3: how a control plane tells a data plane what to do with one data flow, and what it hears.
//!
//! Both sides are here as values: [`message`] (read within limits, checked, written), [`flow`] (the state machine of a data
//! plane), [`due`] (what a control plane has to tell its data plane, from how the transfer process stands), [`http`] (the
//! published profile of HTTP, and renewal of its tokens), [`path`]s.
//!
//! A control plane remembers what its data plane said last and compares it with the transfer process. What to say follows
//! from the two alone, so that nothing is lost with a process that dies between a move and a signal.

pub mod flow;
pub mod http;
pub mod message;

use crate::machine::Role;
use crate::transfer;
use flow::State;

/// The paths of the binding, relative to the base address of either side; `{id}` is a flow's, `{transfer}` a process's id.
pub mod path {
    /// Data plane: prepare a flow.
    pub const PREPARE: &str = "/dataflows/prepare";
    /// Data plane: start a flow.
    pub const START: &str = "/dataflows/start";
    /// Data plane: the provider has started.
    pub const STARTED: &str = "/dataflows/{id}/started";
    /// Data plane: suspend.
    pub const SUSPEND: &str = "/dataflows/{id}/suspend";
    /// Data plane: resume.
    pub const RESUME: &str = "/dataflows/{id}/resume";
    /// Data plane: terminate.
    pub const TERMINATE: &str = "/dataflows/{id}/terminate";
    /// Data plane: the other side is done.
    pub const COMPLETED: &str = "/dataflows/{id}/completed";
    /// Data plane: how a flow stands.
    pub const STATUS: &str = "/dataflows/{id}/status";
    /// Control plane: what a data plane tells of a flow, by the last part.
    pub const TOLD: &str = "/transfers/{transfer}/dataflow/{told}";
    /// Control plane: the agreement under which a transfer runs.
    pub const AGREEMENT: &str = "/transfers/{transfer}/agreement";
}

/// Which way the bytes of a profile are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The consumer asks for them at the provider's endpoint.
    Pull,
    /// The provider delivers them to the consumer's endpoint.
    Push,
}

impl Direction {
    /// Tells it from the name of a profile, which ends in `-pull` or `-push`.
    pub fn of(profile: &str) -> Option<Direction> {
        let (_, end) = profile.rsplit_once('-')?;
        match end.to_ascii_lowercase().as_str() {
            "pull" => Some(Direction::Pull),
            "push" => Some(Direction::Push),
            _ => None,
        }
    }
}

/// What a control plane tells its data plane of a flow that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The provider has started.
    Started,
    /// Suspend.
    Suspend,
    /// Go on.
    Resume,
    /// It is done.
    Completed,
    /// It has ended early.
    Terminate,
}

impl Signal {
    /// The path of the signal.
    pub fn path(self) -> &'static str {
        match self {
            Signal::Started => path::STARTED,
            Signal::Suspend => path::SUSPEND,
            Signal::Resume => path::RESUME,
            Signal::Completed => path::COMPLETED,
            Signal::Terminate => path::TERMINATE,
        }
    }

    /// The state of a data plane that has obeyed.
    pub fn brings(self) -> State {
        match self {
            Signal::Started | Signal::Resume => State::Started,
            Signal::Suspend => State::Suspended,
            Signal::Completed => State::Completed,
            Signal::Terminate => State::Terminated,
        }
    }
}

/// What a control plane has to tell its data plane next: from its role, the state of the transfer process, and the state
/// that the data plane told last. None: the two stand together, or it is the data plane's turn.
///
/// Prepare and start are not here: they make the flow, and are sent before the process reaches the state that they serve.
pub fn due(role: Role, process: transfer::State, plane: State) -> Option<Signal> {
    use transfer::State as P;
    if plane.is_final() {
        return None;
    }
    match (process, plane) {
        (P::Terminated, _) => Some(Signal::Terminate),
        // A consumer's data plane hears of the start before it hears of the end.
        (P::Started | P::Completed, State::Prepared) if role == Role::Consumer => Some(Signal::Started),
        (P::Completed, State::Started | State::Suspended) => Some(Signal::Completed),
        (P::Started, State::Suspended) => Some(Signal::Resume),
        (P::Suspended, State::Started) => Some(Signal::Suspend),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use transfer::State as P;

    #[test]
    fn the_name_of_a_profile_tells_the_direction() {
        assert_eq!(Direction::of(http::PULL), Some(Direction::Pull));
        assert_eq!(Direction::of("HttpData-PULL"), Some(Direction::Pull));
        assert_eq!(Direction::of("com.test.mqtt-push-com.test.mqtt"), None);
        assert_eq!(Direction::of("s3"), None);
    }

    #[test]
    fn whatever_a_control_plane_missed_the_data_plane_follows_to_the_end() {
        for role in [Role::Provider, Role::Consumer] {
            let begins = if role == Role::Provider { State::Started } else { State::Prepared };
            for process in [P::Requested, P::Started, P::Suspended, P::Completed, P::Terminated] {
                let (mut plane, mut told) = (begins, 0);
                while let Some(signal) = due(role, process, plane) {
                    plane = signal.brings();
                    told += 1;
                    assert!(told <= 2, "{role:?} {process:?} does not settle");
                }
                let ends = matches!(process, P::Completed | P::Terminated);
                assert_eq!(plane.is_final(), ends, "{role:?} {process:?} leaves the data plane {plane:?}");
            }
        }
    }

    #[test]
    fn a_data_plane_that_has_ended_is_told_nothing() {
        for process in [P::Requested, P::Started, P::Suspended, P::Completed, P::Terminated] {
            for plane in [State::Completed, State::Terminated] {
                assert_eq!(due(Role::Provider, process, plane), None);
                assert_eq!(due(Role::Consumer, process, plane), None);
            }
        }
    }

    #[test]
    fn a_flow_that_the_data_plane_still_makes_ready_waits() {
        assert_eq!(due(Role::Provider, P::Requested, State::Starting), None);
        assert_eq!(due(Role::Consumer, P::Suspended, State::Prepared), None);
        assert_eq!(due(Role::Provider, P::Terminated, State::Starting), Some(Signal::Terminate));
    }
}
