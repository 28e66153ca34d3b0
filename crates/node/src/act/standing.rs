//! How processes stand: the protocol's state, whose move it is, what holds it up; one by one and as lists.

use crate::act::offer::Handling;
use crate::act::process::{At, Held, PROCESSES_MAX};
use crate::act::trace::Trouble;
use crate::agent::Node;
use crate::error::ActError;
use dsp::machine::{Phase, Role};
use dsp::message::terms::Terms;
use dsp::negotiation::Negotiation;
use dsp::transfer::Transfer;
use model::Instant;
use serde::Serialize;
use serde_json::Value;

/// A process as both parties see it, and whose move it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// Our id.
    pub id: String,
    /// Their id, once known.
    pub peer_pid: Option<String>,
    /// Our role.
    pub role: Role,
    /// The other party.
    pub peer: String,
    /// Where it listens.
    pub address: String,
    /// The protocol's state.
    pub state: &'static str,
    /// `ours`, `theirs`, `either` or `nobody`: who can bring it forward.
    pub whose_move: &'static str,
    /// The states to which we can bring it now.
    pub open_moves: Vec<&'static str>,
    /// Whether a message of ours awaits its answer.
    pub on_its_way: bool,
    /// What holds that message or the pull up, if something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// Who makes our moves.
    pub handling: Handling,
    /// The dataset of a negotiation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// The latest offer of a negotiation, of either party.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<Value>,
    /// The agreement from AGREED on; of a transfer, the id of the one it is under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Value>,
    /// The format of a transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The code of the latest suspension or termination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its reasons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Value>,
    /// When it moved last.
    pub at: Instant,
}

/// Which processes are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// After this id, none: from the first.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

impl Node {
    /// How a negotiation stands.
    pub fn negotiation_standing(&self, pid: &str) -> Result<Standing, ActError> {
        let at = self.held::<Negotiation>(pid)?;
        let handling = self.negotiation_handling(&at.held)?;
        let held = &at.held;
        Ok(Standing {
            dataset: held.latest_offer().target().map(str::to_owned),
            offer: Some(held.latest_offer().to_value()),
            agreement: Negotiation::agreement(held).map(Terms::to_value),
            ..self.standing(&at, handling)
        })
    }

    /// How a transfer stands.
    pub fn transfer_standing(&self, pid: &str) -> Result<Standing, ActError> {
        let at = self.held::<Transfer>(pid)?;
        let handling = match at.held.process().role {
            Role::Consumer => self.pull_handling(pid)?,
            Role::Provider => self.handling_of(&at.held)?,
        };
        let subject = at.held.subject();
        Ok(Standing {
            dataset: Some(self.dataset_of(&at.held)?).filter(|d| !d.is_empty()),
            agreement: Some(subject.agreement_id.clone().into()),
            format: Some(subject.format.clone()),
            ..self.standing(&at, handling)
        })
    }

    /// The negotiations, in the order of their ids.
    pub fn negotiation_standings(&self, listing: &Listing) -> Result<Vec<Standing>, ActError> {
        self.pids::<Negotiation>(listing)?.iter().map(|pid| self.negotiation_standing(pid)).collect()
    }

    /// The transfers, in the order of their ids.
    pub fn transfer_standings(&self, listing: &Listing) -> Result<Vec<Standing>, ActError> {
        self.pids::<Transfer>(listing)?.iter().map(|pid| self.transfer_standing(pid)).collect()
    }

    fn pids<H: Held>(&self, listing: &Listing) -> Result<Vec<String>, ActError> {
        let n = listing.limit.clamp(1, PROCESSES_MAX);
        Ok(self.store.processes_but(&self.participant, H::KIND, &[], listing.after.as_deref(), n)?)
    }

    fn standing<H: Held>(&self, at: &At<H>, handling: Handling) -> Standing {
        let process = at.held.process();
        let can = |party| process.is_move_of(party);
        let whose_move = match (can(process.role), can(process.role.other())) {
            _ if process.state().is_final() => "nobody",
            (true, true) => "either",
            (true, false) => "ours",
            (false, true) => "theirs",
            (false, false) => "nobody",
        };
        let grounds = at.held.grounds();
        Standing {
            id: process.own_pid.clone(),
            peer_pid: process.peer_pid.clone(),
            role: process.role,
            peer: process.peer.0.clone(),
            address: process.address.clone(),
            state: process.state().name(),
            whose_move,
            open_moves: process.open_moves().into_iter().map(Phase::name).collect(),
            on_its_way: process.is_pending(),
            trouble: self.trouble(&process.own_pid).filter(|_| !process.state().is_final()),
            handling,
            dataset: None,
            offer: None,
            agreement: None,
            format: None,
            code: grounds.code.clone(),
            reasons: grounds.reason.clone(),
            at: at.at,
        }
    }
}
