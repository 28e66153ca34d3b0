//! Ways through for a flow that stopped, and what happens when one is taken.

use crate::act::flow::FlowRecord;
use crate::act::case::case_id;
use crate::act::offer::Offer;
use crate::act::turn::law_of;
use crate::agent::Node;
use crate::error::ActError;
use decide::decision::{Decision, Remedy};
use store::Together;
use store::keep::{DocumentKind, Expect, Keep};

impl Node {
    /// The ways through that the law offers for a flow that stopped, cheapest first.
    pub fn cures(&self, pid: &str) -> Result<Vec<Remedy>, ActError> {
        let (offer, record) = self.flow_offer(pid)?;
        let judged = law_of(self, &offer, &record.peer, Some(pid))?;
        Ok(judged.decision.worst().map(|c| c.remedies.clone()).unwrap_or_default())
    }

    /// Takes one way through: its measures were agreed and recorded by those who decide them, and become facts.
    ///
    /// The flow is decided afresh; if it opens, it goes on at its next chunk.
    pub fn cure(&self, pid: &str, remedy: &Remedy) -> Result<Decision, ActError> {
        let (offer, record) = self.flow_offer(pid)?;
        let taken = self.taken_with(&offer, &record.peer, remedy)?;
        let case = self.case_of(&offer, &record.peer, &taken, Some(pid))?;
        let decision = self.decide(&case.transfer)?;
        let body = serde_json::to_vec(&taken).map_err(|e| ActError::evidence("node/case", e))?;
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
        Ok(decision.decision().clone())
    }

    /// The legal act behind a flow that we provide, and what the law says on it now.
    pub fn flow_case(&self, pid: &str) -> Result<(model::transfer::Transfer, Decision), ActError> {
        let (offer, record) = self.flow_offer(pid)?;
        let judged = law_of(self, &offer, &record.peer, Some(pid))?;
        Ok((judged.transfer, judged.decision.decision().clone()))
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
