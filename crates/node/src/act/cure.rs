//! Ways through for a flow that stopped, and what happens when one is taken.

use crate::act::flow::FlowRecord;
use crate::act::offer::{Offer, case_id};
use crate::act::turn::law_of;
use crate::agent::Node;
use crate::error::ActError;
use decide::decision::{Decision, Remedy};
use model::fact::{Said, Spoken};
use store::Together;
use store::keep::{DocumentKind, Expect, Keep};

impl Node {
    /// The ways through that the law offers for a flow that stopped, cheapest first.
    pub fn cures(&self, pid: &str) -> Result<Vec<Remedy>, ActError> {
        let (offer, record) = self.flow_offer(pid)?;
        let judged = law_of(self, &offer, &record.peer)?;
        Ok(judged.decision.worst().map(|c| c.remedies.clone()).unwrap_or_default())
    }

    /// Takes one way through: its measures were agreed and recorded by those who decide them, and become facts.
    ///
    /// The flow is decided afresh; if it opens, it goes on at its next chunk.
    pub fn cure(&self, pid: &str, remedy: &Remedy) -> Result<Decision, ActError> {
        let (offer, record) = self.flow_offer(pid)?;
        let mut transfer = self.case_with(&offer, &record.peer)?;
        put_makes(&mut transfer, self.id(), &record.peer, &offer.dataset, remedy);
        let decision = self.decide(&transfer)?;
        let body = serde_json::to_vec(&transfer).map_err(|e| ActError::evidence("node/case", e))?;
        let document = Keep {
            kind: DocumentKind::Transfer,
            id: case_id(&offer.dataset, &record.peer),
            about: Some(offer.dataset.clone()),
            at: self.now(),
            body,
            expect: Expect::Any,
        };
        self.store.keep(&self.participant, document, Together::leaf(self.decided(pid, &decision)?))?;
        self.changed();
        Ok(decision)
    }

    /// The legal act behind a flow that we provide, and what the law says on it now.
    pub fn flow_case(&self, pid: &str) -> Result<(model::transfer::Transfer, Decision), ActError> {
        let (offer, record) = self.flow_offer(pid)?;
        let judged = law_of(self, &offer, &record.peer)?;
        Ok((judged.transfer, judged.decision))
    }

    pub(crate) fn flow_offer(&self, pid: &str) -> Result<(Offer, FlowRecord), ActError> {
        let missing = |what| ActError::NotFound { what, name: pid.to_owned() };
        let kept =
            self.store.kept(&self.participant, DocumentKind::Flow, pid)?.ok_or_else(|| missing("flow"))?;
        let record: FlowRecord = serde_json::from_slice(&kept.body).map_err(|_| missing("flow"))?;
        let offer = self.offer_of(&record.dataset)?.ok_or_else(|| missing("offer"))?;
        Ok((offer, record))
    }
}

/// Puts what the measures of a way through make true into a case.
pub(crate) fn put_makes(
    transfer: &mut model::transfer::Transfer,
    own: &str,
    peer: &str,
    dataset: &str,
    remedy: &Remedy,
) {
    for line in remedy.measures.iter().flat_map(|m| &m.makes) {
        let Some((slot, value)) = line.split_once('=') else { continue };
        put_fact(transfer, own, peer, dataset, slot, rulebook::book::parse_said(value));
    }
}

/// Puts a fact where its slot belongs; members of a set add up.
fn put_fact(
    transfer: &mut model::transfer::Transfer,
    own: &str,
    peer: &str,
    dataset: &str,
    slot: &str,
    said: Said,
) {
    let party = |rest: &str| format!("party.{rest}");
    let facts = match slot.split_once('.') {
        Some(("exporter", rest)) => transfer.parties.get_mut(own).map(|p| (party(rest), &mut p.facts)),
        Some(("recipient", rest)) => transfer.parties.get_mut(peer).map(|p| (party(rest), &mut p.facts)),
        Some(("data", _)) => transfer.datasets.get_mut(dataset).map(|d| (slot.to_owned(), &mut d.facts)),
        Some(("subjects", _)) => transfer
            .datasets
            .get_mut(dataset)
            .and_then(|d| d.subjects.values_mut().next())
            .map(|facts| (slot.to_owned(), facts)),
        _ => transfer.hops.first_mut().map(|h| (slot.to_owned(), &mut h.facts)),
    };
    let Some((id, facts)) = facts else { return };
    let merged = match (facts.get(&id).map(|s| &s.value), &said.value) {
        (Some(Spoken::Words(before)), Spoken::Word(word)) => {
            let mut words = before.clone();
            words.push(word.clone());
            words.dedup();
            Said { value: Spoken::Words(words), ..said }
        }
        (Some(Spoken::Word(before)), Spoken::Word(word))
            if before != word && !slot.starts_with("assessment") =>
        {
            Said { value: Spoken::Words(vec![before.clone(), word.clone()]), ..said }
        }
        _ => said,
    };
    facts.insert(id, merged);
}
