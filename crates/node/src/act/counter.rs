//! Counter-offers: where the law refuses a request as it is and there is a way through that we are ready to take, the provider
//! offers it as a condition of the contract, with rule, article, day and rulebook; a consumer that is ready too accepts.
//!
//! Who is ready for what stands in `[law] measures`. The law is asked before the offer (with the measures it must open) and
//! again before the agreement; a measure that was agreed is a fact of the case from then on, as one that a person records.

use crate::act::check::refusals;
use crate::act::offer::Offer;
use crate::act::process::At;
use crate::act::turn::{Judged, law_of};
use crate::agent::Node;
use crate::error::ActError;
use decide::decision::Remedy;
use dsp::machine::Role;
use dsp::message::Grounds;
use dsp::message::terms::Terms;
use dsp::negotiation::{self, Command, Negotiation};
use dsp::policy::{Place, Policy};
use dsp::profile::{self, BECAUSE, MEASURE};
use store::Together;

/// LIMIT: ways through that are tried for a counter-offer.
const WAYS_MAX: usize = 8;

/// The code of a consumer that does not take a measure.
pub const DECLINED: &str = "tegata/measure-declined";

/// What an offer or agreement says of measures: their ids.
pub(crate) fn measures_of(terms: &Terms) -> Vec<String> {
    Policy::of_terms(terms).map(|policy| profile::said_of(&policy, MEASURE)).unwrap_or_default()
}

impl Node {
    /// Offers the cheapest way through that we are ready to take; false when there is none, and the request is refused.
    ///
    /// LIMIT: once in a negotiation, in answer to its first request.
    pub(crate) fn counter(&self, at: &At<Negotiation>, offer: &Offer, judged: &Judged) -> Result<bool, ActError> {
        let process = at.held.process();
        let first = process.state() == negotiation::State::Requested && process.moves() <= 1;
        let ready = &self.config.law.measures;
        if process.role != Role::Provider || !first || ready.is_empty() {
            return Ok(false);
        }
        let read = |terms: &Terms| Policy::of_terms(terms).ok();
        let ours = self.terms_of(offer)?.with_target(&offer.dataset);
        let (Some(policy), Some(asked)) = (read(&ours), read(at.held.latest_offer())) else { return Ok(false) };
        if !asked.same_rules(&policy) {
            return Ok(false);
        }
        let ways = judged.decision.worst().map(|c| c.remedies.as_slice()).unwrap_or_default();
        let takes = |way: &&Remedy| way.measures.iter().all(|m| ready.contains(&m.id));
        for way in ways.iter().filter(takes).take(WAYS_MAX) {
            let with = self.judged_with(offer, &process.peer.0, way)?;
            if !self.opens(&with.decision) {
                continue;
            }
            let measures: Vec<String> = way.measures.iter().map(|m| m.id.clone()).collect();
            let because: Vec<String> = refusals(&judged.decision).iter().map(ToString::to_string).collect();
            let mut next = profile::with_measures(&policy, &measures, &because);
            next.id = format!("{}+{}", policy.id, measures.join("+"));
            let together = Together::leaf(self.decided(&process.own_pid, &judged.decision)?);
            return self.command(at, Command::Offer(next.to_terms(Place::Message)), together);
        }
        Ok(false)
    }

    /// The law on the act when a way through is taken.
    fn judged_with(&self, offer: &Offer, peer: &str, way: &Remedy) -> Result<Judged, ActError> {
        let taken = self.taken_with(offer, peer, way)?;
        let case = self.case_of(offer, peer, &taken, None)?;
        let decision = self.decide(&case.transfer)?;
        Ok(Judged { transfer: case.transfer, decision, judgments: case.judgments, taken: Some(taken) })
    }

    /// The law on an act whose contract carries measures: with them if they are still a way through, else as it is.
    pub(crate) fn law_with(&self, offer: &Offer, peer: &str, measures: &[String]) -> Result<Judged, ActError> {
        let judged = law_of(self, offer, peer, None)?;
        if measures.is_empty() || self.opens(&judged.decision) {
            return Ok(judged);
        }
        let ways = judged.decision.worst().map(|c| c.remedies.clone()).unwrap_or_default();
        let same = |way: &&Remedy| {
            way.measures.len() == measures.len() && way.measures.iter().all(|m| measures.contains(&m.id))
        };
        match ways.iter().find(same) {
            Some(way) => self.judged_with(offer, peer, way),
            None => Ok(judged),
        }
    }

    /// Answers an offer that came instead of an agreement: accepted if it is what we asked for and measures that we are
    /// ready to take, declined with its reasons if not.
    pub(crate) fn answer_offer(&self, at: &At<Negotiation>) -> Result<bool, ActError> {
        let decline = |code: &str, lines: Vec<String>| {
            self.command(at, Command::Terminate(Grounds::of(code, lines)), Together::default())
        };
        let other = || decline("tegata/not-asked-for", vec!["another offer than ours is not taken".to_owned()]);
        let asked = self.asked_terms(&at.held.process().own_pid)?;
        let offered = Policy::of_terms(at.held.latest_offer());
        let (Some(Ok(asked)), Ok(offered)) = (asked.as_ref().map(Policy::of_terms), offered) else { return other() };
        let measures = profile::said_of(&offered, MEASURE);
        if measures.is_empty() || !profile::without_measures(&offered).same_rules(&asked) {
            return other();
        }
        let unready: Vec<&String> = measures.iter().filter(|m| !self.config.law.measures.contains(m)).collect();
        if unready.is_empty() {
            return self.command(at, Command::Accept, Together::default());
        }
        let mut lines: Vec<String> = unready.iter().map(|m| format!("not ready to take the measure {m}")).collect();
        lines.extend(profile::said_of(&offered, BECAUSE));
        decline(DECLINED, lines)
    }
}
