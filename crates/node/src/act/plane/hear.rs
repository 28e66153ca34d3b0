//! What data planes of others tell of transfers, and what they may ask.

use super::Signaled;
use crate::agent::Node;
use crate::error::ActError;
use dsp::machine::{Fault, Peer, Role};
use dsp::signaling::flow::{State, Told};
use dsp::signaling::message::Status;
use dsp::transfer::{self, Transfer};
use model::event::EventKind;
use serde_json::{Value, json};
use store::keep::Expect;
use store::{StoreError, Together};

/// LIMIT: how often what was told is tried anew when another move came first.
const TRIES_MAX: usize = 8;

impl Node {
    /// Hears from a data plane of a transfer; `who` is the plane whose token it showed, none for the participant itself.
    pub fn hear_of_flow(
        &self,
        who: Option<&str>,
        pid: &str,
        told: Told,
        body: &[u8],
    ) -> Result<(), ActError> {
        let status =
            Status::read(body).map_err(|e| ActError::Asked { code: e.code(), detail: e.to_string() })?;
        for _ in 0..TRIES_MAX {
            match self.hear_once(who, pid, told, &status) {
                Err(ActError::Store(StoreError::Stale { .. })) => {}
                done => return done,
            }
        }
        Err(ActError::Protocol(Fault::Busy))
    }

    fn hear_once(&self, who: Option<&str>, pid: &str, told: Told, status: &Status) -> Result<(), ActError> {
        let (held, version) = self.signaled_to(who, pid)?;
        let state = held.state;
        let mut next = held;
        next.take(status.clone());
        let illegal = |to: &'static str| {
            let from = state.map_or("INITIALIZED", State::name);
            Err(ActError::Protocol(Fault::IllegalMove { from, to }))
        };
        match told {
            Told::Prepared | Told::Started => {
                let to = if told == Told::Prepared { State::Prepared } else { State::Started };
                let coming = [None, Some(State::Preparing), Some(State::Starting), Some(State::Prepared)];
                next.state = Some(to);
                match state {
                    // A repeat, or what was answered at once already.
                    Some(s) if s == to => return Ok(()),
                    s if coming.contains(&s) => {}
                    _ => return illegal(to.name()),
                }
                self.keep_signaled(pid, &next, version)
            }
            Told::Completed => {
                next.state = Some(State::Completed);
                match state {
                    Some(State::Completed) => return Ok(()),
                    Some(State::Started) => {}
                    _ => return illegal("COMPLETED"),
                }
                let keep = self.signal_keep(pid, &next, Expect::Version(version))?;
                let at = self.held::<Transfer>(pid)?;
                let together = Together { keeps: vec![keep.clone()], ..Together::default() };
                if !self.command(&at, transfer::Command::Complete, together)? {
                    // The peer completed it in the same moment, or the process is not where data may end.
                    match at.held.state() {
                        transfer::State::Completed => {
                            self.store.keep(&self.participant, keep, Together::default())?;
                        }
                        _ => return Err(ActError::Protocol(Fault::Busy)),
                    }
                }
                self.ring();
                Ok(())
            }
            Told::Errored => {
                next.state = state;
                let says = status
                    .error
                    .clone()
                    .filter(|e| !e.is_empty())
                    .unwrap_or_else(|| "no reason given".into());
                let says: String = says.chars().take(500).collect();
                next.error = Some(says.clone());
                let mut event = self.event(EventKind::FlowStopped, pid);
                event.rules = vec!["told by the data plane: it cannot go on".into()];
                let keep = self.signal_keep(pid, &next, Expect::Version(version))?;
                self.store.keep(&self.participant, keep, Together::leaf(self.leaf(&event)?))?;
                // An operator decides: it moves nothing and the other party does not hear of it.
                self.plane_trouble(pid, Some(("dps/errored".into(), says)));
                Ok(())
            }
        }
    }

    fn signaled_to(&self, who: Option<&str>, pid: &str) -> Result<(Signaled, u64), ActError> {
        let missing = || ActError::NotFound { what: "transfer of this data plane", name: pid.to_owned() };
        let (held, version) = self.signaled(pid)?.ok_or_else(missing)?;
        match who.is_none_or(|who| who == held.plane) {
            true => Ok((held, version)),
            false => Err(missing()),
        }
    }

    /// The agreement under which a transfer runs, for its data plane.
    pub fn agreement_for_plane(&self, who: Option<&str>, pid: &str) -> Result<Value, ActError> {
        let (held, _) = self.signaled_to(who, pid)?;
        let (agreement, peer, role) = match (&held.wish, self.load::<Transfer>(pid)?) {
            (Some(wish), _) => (wish.subject.agreement_id.clone(), Peer(wish.peer.clone()), Role::Consumer),
            (None, Some(at)) => {
                let process = at.held.process();
                (at.held.subject().agreement_id.clone(), process.peer.clone(), process.role)
            }
            (None, None) => return Err(ActError::NotFound { what: "transfer", name: pid.to_owned() }),
        };
        let found = self.agreement_of(role, &agreement, &peer)?;
        let terms = found.as_ref().and_then(|n| n.agreement()).map(|terms| terms.to_value());
        let mut body =
            terms.ok_or_else(|| ActError::NotFound { what: "agreement in force", name: agreement })?;
        if let Some(map) = body.as_object_mut() {
            map.insert("@context".into(), json!([dsp::schema::CONTEXT]));
        }
        Ok(body)
    }
}
