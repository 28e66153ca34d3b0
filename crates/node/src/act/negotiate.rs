//! Negotiations: the moves that are ours to make, each after law and contract were asked.

use crate::act::counter::measures_of;
use crate::act::offer::Handling;
use crate::act::process::{At, agreement_key};
use crate::act::turn::law_of;
use crate::agent::{Node, lock};
use crate::error::ActError;
use crate::ports::fresh_name;
use dsp::machine::{Peer, Phase, Role};
use dsp::message::Grounds;
use dsp::negotiation::{self, Negotiation};
use dsp::policy::Policy;
use dsp::reason;
use store::keep::{DocumentKind, Expect, Keep};
use store::Together;

/// The code of an end because what is told of an act does not hold together.
pub const UNDECIDED: &str = "tegata/undecided";

impl Node {
    /// Makes the move that is ours to make in a negotiation, if there is one.
    pub(crate) fn move_negotiation(&self, pid: &str) -> Result<(), ActError> {
        match self.load::<Negotiation>(pid)? {
            Some(at) => self.advance_negotiation(&at).map(drop),
            None => Ok(()),
        }
    }

    pub(crate) fn advance_negotiation(&self, at: &At<Negotiation>) -> Result<bool, ActError> {
        let process = at.held.process();
        if process.state().is_final() {
            let moved = self.follow_up(&at.held)?;
            if process.is_settled() {
                lock(&self.negotiations_open).forget(&process.own_pid);
            }
            return Ok(moved);
        }
        if !process.is_settled() || self.negotiation_handling(&at.held)? == Handling::Manual {
            return Ok(false);
        }
        if let Some(grounds) = self.refused_by_peer(&process.own_pid) {
            return self.command(at, negotiation::Command::Terminate(grounds), Together::default());
        }
        match (process.role, process.state()) {
            (Role::Provider, negotiation::State::Requested | negotiation::State::Accepted) => {
                self.agree(at, Handling::Automatic)
            }
            (Role::Provider, negotiation::State::Verified) => self.finalize(at, Handling::Automatic),
            (Role::Consumer, negotiation::State::Agreed) => self.verify_agreement(at, Handling::Automatic),
            (Role::Consumer, negotiation::State::Offered) => self.answer_offer(at),
            _ => Ok(false),
        }
    }

    /// Who makes our moves in a negotiation.
    pub fn negotiation_handling(&self, held: &Negotiation) -> Result<Handling, ActError> {
        match held.process().role {
            Role::Consumer => self.wish_handling(&held.process().own_pid),
            Role::Provider => {
                let offer = self.offer_of(held.latest_offer().target().unwrap_or_default())?;
                Ok(offer.map(|offer| offer.handling.negotiation).unwrap_or_default())
            }
        }
    }

    /// Ends a negotiation that may not go on; what a person wanted is refused to the person instead.
    fn refuse(
        &self,
        at: &At<Negotiation>,
        by: Handling,
        grounds: Grounds,
        together: Together,
    ) -> Result<bool, ActError> {
        match by {
            Handling::Automatic => self.command(at, negotiation::Command::Terminate(grounds), together),
            Handling::Manual => {
                self.store.append_events(&self.participant, together.leaves)?;
                Err(ActError::refused(&grounds))
            }
        }
    }

    /// Ends a negotiation that cannot be decided by what is told of the act: the peer hears that, and no fact; whoever wonders
    /// here is told what is wrong (`tegata why`). Other failures pass, and are tried again.
    fn undecided(&self, at: &At<Negotiation>, by: Handling, failed: ActError) -> Result<bool, ActError> {
        if by == Handling::Manual || !matches!(failed, ActError::Facts(_) | ActError::Rules(_) | ActError::Asked { .. }) {
            return Err(failed);
        }
        let pid = &at.held.process().own_pid;
        lock(&self.memory).undecided(pid, failed.to_string());
        let line = "the provider cannot decide by what it knows of this transfer".to_owned();
        self.command(at, negotiation::Command::Terminate(Grounds::of(UNDECIDED, [line])), Together::default())
    }

    /// Judges a request: the law and the contract, both must open.
    ///
    /// A person may agree to other terms than those of the catalog, if every word of them is understood.
    pub(crate) fn agree(&self, at: &At<Negotiation>, by: Handling) -> Result<bool, ActError> {
        let process = at.held.process();
        let asked = at.held.latest_offer();
        let refuse = |grounds: Grounds, together: Together| self.refuse(at, by, grounds, together);
        let offered = self.offer_of(asked.target().unwrap_or_default())?;
        let seen = offered.as_ref().map(|offer| self.is_seen_by(offer, &process.peer.0)).transpose()?;
        let Some(offer) = offered.filter(|_| seen == Some(true)) else {
            return refuse(
                Grounds::of("tegata/no-offer", ["this dataset is not offered".to_owned()]),
                Together::default(),
            );
        };
        // What was accepted are terms of ours, with the measures that we offered.
        let accepted = process.state() == negotiation::State::Accepted;
        let measures = if accepted { measures_of(asked) } else { Vec::new() };
        let judged = match self.law_with(&offer, &process.peer.0, &measures) {
            Ok(judged) => judged,
            Err(failed) => return self.undecided(at, by, failed),
        };
        let together = Together::leaf(self.decided(&process.own_pid, &judged.decision)?);
        if !self.opens(&judged.decision) {
            if by == Handling::Automatic && self.counter(at, &offer, &judged)? {
                return Ok(true);
            }
            return refuse(self.grounds(&judged.decision), together);
        }
        let ours = match by {
            Handling::Automatic if measures.is_empty() => self.terms_of(&offer)?.with_target(&offer.dataset),
            Handling::Automatic | Handling::Manual => asked.clone(),
        };
        if let Err(lines) = self.contract_opens(&ours, asked, &judged.transfer, &process.peer.0)? {
            return refuse(Grounds::of(reason::BY_POLICY, lines), together);
        }
        // What was offered is agreed to, word for word: a peer may have left out words that change nothing.
        let agreement = ours
            .to_agreement(&fresh_name()?, self.id(), &process.peer.0, &self.now().to_string())
            .map_err(|e| ActError::evidence("node/agreement", e))?;
        let mut together = together;
        // The measures that were agreed are facts of the case from now on; what is told is read afresh each time.
        if let Some(taken) = &judged.taken {
            together.keeps.push(Keep {
                kind: DocumentKind::Transfer,
                id: crate::act::case::case_id(&offer.dataset, &process.peer.0),
                about: Some(offer.dataset.clone()),
                at: self.now(),
                body: serde_json::to_vec(taken).map_err(|e| ActError::evidence("node/case", e))?,
                expect: Expect::Any,
            });
        }
        self.command(at, negotiation::Command::Agree(agreement), together)
    }

    pub(crate) fn finalize(&self, at: &At<Negotiation>, by: Handling) -> Result<bool, ActError> {
        let process = at.held.process();
        let dataset = at.held.agreement().and_then(|a| a.target()).unwrap_or_default();
        let Some(offer) = self.offer_of(dataset)? else {
            let gone = Grounds::of("tegata/no-offer", ["this dataset is no longer offered".to_owned()]);
            return self.refuse(at, by, gone, Together::default());
        };
        let judged = match law_of(self, &offer, &process.peer.0, None) {
            Ok(judged) => judged,
            Err(failed) => return self.undecided(at, by, failed),
        };
        let together = Together::leaf(self.decided(&process.own_pid, &judged.decision)?);
        if !self.opens(&judged.decision) {
            return self.refuse(at, by, self.grounds(&judged.decision), together);
        }
        self.command(at, negotiation::Command::Finalize, together)
    }

    pub(crate) fn verify_agreement(&self, at: &At<Negotiation>, by: Handling) -> Result<bool, ActError> {
        let fits = at.held.agreement().is_some_and(|agreement| {
            let (asked, agreed) = (Policy::of_terms(at.held.latest_offer()), Policy::of_terms(agreement));
            let same = matches!((asked, agreed), (Ok(asked), Ok(agreed)) if agreed.same_rules(&asked));
            same && agreement.target() == at.held.latest_offer().target()
                && agreement.assignee() == Some(self.id())
        });
        match fits {
            true => self.command(at, negotiation::Command::Verify, Together::default()),
            false => {
                let other =
                    Grounds::of(reason::BY_POLICY, ["the agreement is not what was asked for".to_owned()]);
                self.refuse(at, by, other, Together::default())
            }
        }
    }

    /// The agreed negotiation under which a peer may ask for a transfer.
    pub(crate) fn agreed_with(&self, agreement: &str, peer: &Peer) -> Result<Option<Negotiation>, ActError> {
        self.agreement_of(Role::Provider, agreement, peer)
    }

    /// The negotiation that an agreement in force comes from; `role` is ours in it.
    pub(crate) fn agreement_of(
        &self,
        role: Role,
        agreement: &str,
        peer: &Peer,
    ) -> Result<Option<Negotiation>, ActError> {
        let key = agreement_key(role, &peer.0, agreement);
        let Some(kept) = self.store.kept(&self.participant, DocumentKind::Agreement, &key)? else {
            return Ok(None);
        };
        let found = self.load::<Negotiation>(kept.about.as_deref().unwrap_or_default())?;
        Ok(found.map(|at| at.held).filter(|n| {
            let process = n.process();
            process.peer == *peer && process.role == role && n.state() == negotiation::State::Finalized
        }))
    }
}
