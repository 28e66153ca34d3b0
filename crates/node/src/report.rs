//! What happened in a transfer, for pages, programs and people: state, counts, why it stopped, evidence.

use crate::act::turn::Cause;
use crate::agent::Node;
use crate::error::ActError;
use dsp::machine::Role;
use dsp::reason;
use dsp::transfer::Transfer;
use model::event::Event;
use model::{Digest, Instant};
use serde::Serialize;
use store::part::{Subject, SubjectKind};

/// One transfer as it stands here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlowReport {
    /// Our id of the process.
    pub id: String,
    /// `provider` or `consumer`.
    pub role: Role,
    /// The other party.
    pub peer: String,
    /// The agreement.
    pub agreement: String,
    /// The dataset, where it is known.
    pub dataset: String,
    /// The protocol's state.
    pub state: String,
    /// Chunks that are durable here (consumer) or were given (provider).
    pub chunks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Why it stands still, if it does: rule and article, since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StopReport>,
    /// The manifest, once committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// Parts of evidence that are here: `seal`, `stamp`, `receipt`.
    pub parts: Vec<String>,
}

/// Why a flow stands still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StopReport {
    /// The stable code.
    pub code: String,
    /// Rules and articles, as the peer was told.
    pub rules: Vec<String>,
    /// One line.
    pub says: String,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
    /// The measures of the cheapest way through, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

/// One negotiation as it stands here: whose move it is, and why it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NegotiationReport {
    /// Our id of the process.
    pub id: String,
    /// `provider` or `consumer`.
    pub role: Role,
    /// The other party.
    pub peer: String,
    /// The dataset.
    pub dataset: String,
    /// The protocol's state.
    pub state: String,
    /// `ours`, `theirs`, or `nobody` when it came to its end.
    pub move_of: &'static str,
    /// Whether a message of ours awaits its answer; it is sent again until it has one.
    pub waits_for_answer: bool,
    /// Why it ended early, if it did: code, then rules and articles or lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<EndReport>,
    /// Our id of the transfer that followed, once begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<String>,
}

/// Why a process ended early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndReport {
    /// The stable code.
    pub code: String,
    /// Rules with their articles, where the law refused.
    pub rules: Vec<String>,
    /// The lines that were said.
    pub says: Vec<String>,
    /// The measures of the cheapest way through, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

fn end_of(grounds: &dsp::message::Grounds) -> EndReport {
    let refusals = reason::refusals(grounds);
    EndReport {
        code: grounds.code.clone().unwrap_or_default(),
        rules: refusals.iter().map(|r| format!("{} ({})", r.rule, r.article)).collect(),
        says: grounds.reason.iter().filter_map(|r| r.as_str().map(str::to_owned)).collect(),
        cure: refusals.into_iter().find_map(|r| r.cure),
    }
}

impl Node {
    /// Reports every negotiation that is known here.
    pub fn negotiation_reports(&self) -> Result<Vec<NegotiationReport>, ActError> {
        self.negotiations()?.iter().map(|n| self.report_negotiation(n)).collect()
    }

    /// Reports one negotiation by our id.
    pub fn negotiation_report(&self, pid: &str) -> Result<NegotiationReport, ActError> {
        let missing = || ActError::NotFound { what: "negotiation", name: pid.to_owned() };
        self.report_negotiation(&self.negotiation(pid)?.ok_or_else(missing)?)
    }

    fn report_negotiation(&self, held: &dsp::negotiation::Negotiation) -> Result<NegotiationReport, ActError> {
        use dsp::machine::Phase as _;
        let process = held.process();
        let state = held.state();
        let terms = held.agreement().unwrap_or_else(|| held.latest_offer());
        let move_of = match (state.is_final(), process.is_pending() || process.is_move_of(process.role.other())) {
            (true, _) => "nobody",
            (false, true) => "theirs",
            (false, false) => "ours",
        };
        let ended = state == dsp::negotiation::State::Terminated;
        Ok(NegotiationReport {
            id: process.own_pid.clone(),
            role: process.role,
            peer: process.peer.0.clone(),
            dataset: terms.target().unwrap_or_default().to_owned(),
            state: state.name().to_owned(),
            move_of,
            waits_for_answer: process.is_pending(),
            ended: ended.then(|| end_of(held.ended())),
            transfer: if ended { None } else { self.begun(&process.own_pid).ok().flatten() },
        })
    }

    /// Reports every transfer that is known here.
    pub fn report(&self) -> Result<Vec<FlowReport>, ActError> {
        self.transfers()?.iter().map(|t| self.report_one(t)).collect()
    }

    /// Reports one transfer by our id.
    pub fn report_of(&self, pid: &str) -> Result<FlowReport, ActError> {
        let missing = || ActError::NotFound { what: "transfer", name: pid.to_owned() };
        self.report_one(&self.transfer(pid)?.ok_or_else(missing)?)
    }

    fn report_one(&self, transfer: &Transfer) -> Result<FlowReport, ActError> {
        let process = transfer.process();
        let progress = self.store.progress(&self.participant, &process.own_pid)?;
        let manifest = self.manifest_of(process.provider_pid())?.map(|m| m.digest);
        let parts = match &manifest {
            Some(digest) => self
                .store
                .parts(&self.participant, &Subject::new(SubjectKind::Manifest, digest.to_string()))?,
            None => Vec::new(),
        };
        Ok(FlowReport {
            id: process.own_pid.clone(),
            role: process.role,
            peer: process.peer.0.clone(),
            agreement: transfer.subject().agreement_id.clone(),
            dataset: self.dataset_of(transfer)?,
            state: serde_json::to_value(transfer.state())
                .ok()
                .and_then(|v| v.as_str().map(str::to_owned))
                .unwrap_or_default(),
            chunks: progress.n_chunks,
            bytes: progress.bytes,
            stopped: self.stop_of(transfer)?,
            manifest,
            parts: parts.into_iter().map(|p| p.name).collect(),
        })
    }

    pub(crate) fn dataset_of(&self, transfer: &Transfer) -> Result<String, ActError> {
        let process = transfer.process();
        let found = self.agreement_of(process.role, &transfer.subject().agreement_id, &process.peer)?;
        let target = found.as_ref().and_then(|n| n.agreement()).and_then(|a| a.target());
        Ok(target.unwrap_or_default().to_owned())
    }

    fn stop_of(&self, transfer: &Transfer) -> Result<Option<StopReport>, ActError> {
        use dsp::transfer::State;
        let grounds = transfer.grounds();
        let lease = self.store.lease(&self.participant, &transfer.process().own_pid)?;
        let cause: Option<Cause> = lease
            .filter(|l| l.cause.is_some())
            .and_then(|l| l.cause)
            .and_then(|c| serde_json::from_slice(&c).ok());
        if !matches!(transfer.state(), State::Suspended | State::Terminated) && cause.is_none() {
            return Ok(None);
        }
        let refusals = reason::refusals(grounds);
        let told: Vec<String> = grounds.reason.iter().filter_map(|r| r.as_str().map(str::to_owned)).collect();
        Ok(Some(StopReport {
            code: cause.as_ref().map(|c| c.code.clone()).or_else(|| grounds.code.clone()).unwrap_or_default(),
            rules: match refusals.is_empty() {
                false => refusals.iter().map(|r| format!("{} ({})", r.rule, r.article)).collect(),
                true => cause.as_ref().map(|c| c.rules.clone()).unwrap_or_default(),
            },
            says: cause.as_ref().map(|c| c.says.clone()).unwrap_or_else(|| told.join(" | ")),
            since: cause.map(|c| c.at),
            cure: refusals.into_iter().find_map(|r| r.cure),
        }))
    }

    /// The events of one process, in order, with their numbers in the log.
    pub fn events(&self, process: &str) -> Result<Vec<(u64, Event)>, ActError> {
        // LIMIT: events shown of one process.
        let stored = self.store.events_of(&self.participant, process, 0, 1 << 16)?;
        Ok(stored
            .into_iter()
            .filter_map(|e| Some((e.number, serde_json::from_slice(&e.opening?.1).ok()?)))
            .collect())
    }

    /// One entry of the log with what it commits to, unless that was erased.
    pub fn entry(&self, number: u64) -> Result<Option<Event>, ActError> {
        let stored = self.store.event(&self.participant, number)?;
        Ok(stored.and_then(|e| serde_json::from_slice(&e.opening?.1).ok()))
    }

    /// How many entries the log has.
    pub fn log_size(&self) -> Result<u64, ActError> {
        Ok(self.store.log_size(&self.participant)?)
    }

    /// Makes a copy of the store while the node runs.
    pub fn backup(&self, to: &std::path::Path) -> Result<(), ActError> {
        self.store.backup(to).map(drop).map_err(ActError::from)
    }
}
