//! What a participant did in a month, in numbers: for whoever runs the process, who reads no content, and for the participant.

use crate::act::process::PROCESSES_MAX;
use crate::agent::Node;
use crate::error::ActError;
use dsp::machine::Phase;
use dsp::negotiation::State;
use model::Instant;
use model::manifest::Manifest;
use serde::Serialize;
use std::collections::BTreeSet;
use store::process::ProcessKind;

/// LIMIT: deliveries that are counted, the newest first.
const DELIVERIES_MAX: usize = 100_000;

/// The figures of one month, by UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// What is offered now.
    pub offers: u64,
    /// Agreements that came into force in the month.
    pub contracts: u64,
    /// Other parties of these agreements.
    pub pairs: u64,
    /// Deliveries committed in the month, given and taken.
    pub deliveries: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Node {
    /// Counts one month, named as `2026-11`.
    pub fn figures(&self, month: &str) -> Result<Figures, ActError> {
        let within = |at: Instant| at.day(0).to_string().starts_with(&format!("{month}-"));
        let mut figures = Figures { offers: self.n_offers()?, ..Figures::default() };
        let (mut peers, mut after) = (BTreeSet::new(), None::<String>);
        loop {
            let page = self.store.processes(
                &self.participant,
                ProcessKind::Negotiation,
                after.as_deref(),
                PROCESSES_MAX,
            )?;
            for one in page.iter().filter(|p| p.state == State::Finalized.name() && within(p.at)) {
                figures.contracts += 1;
                peers.insert(one.peer.clone());
            }
            match page.last() {
                Some(last) if page.len() == PROCESSES_MAX => after = Some(last.process.pid.clone()),
                _ => break,
            }
        }
        figures.pairs = peers.len() as u64;
        for stored in self.store.manifests_newest(&self.participant, DELIVERIES_MAX)? {
            if within(stored.at) {
                let read: Result<Manifest, _> = serde_json::from_slice(&stored.body);
                figures.deliveries += 1;
                figures.bytes += read.map_err(|e| ActError::evidence("node/manifest", e))?.bytes();
            }
        }
        Ok(figures)
    }
}
