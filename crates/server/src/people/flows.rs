//! Flows as pages show them: plain values, filled by whoever moves data.

use super::principal::Principal;
use decide::decision::Remedy;
use model::{CivilDate, Instant, fact::Said, text::Text};
use serde::Serialize;
use trust::verify::{Level, Report};

/// How a flow stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowState {
    /// Agreed, not yet moving.
    Waiting,
    /// Moving.
    Running,
    /// Stopped by its decision: the verdict turned.
    Stopped,
    /// Paused by a party.
    Suspended,
    /// Everything was delivered.
    Completed,
    /// Ended before everything was delivered.
    Terminated,
}

impl FlowState {
    /// The word in files and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Suspended => "suspended",
            Self::Completed => "completed",
            Self::Terminated => "terminated",
        }
    }
}

/// One end of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct End {
    /// Its name, for people.
    pub name: String,
    /// Its place.
    pub place: String,
}

/// What was delivered so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// Chunks that the receiver holds durably.
    pub chunks: u64,
    /// Chunks in all, when known.
    pub chunks_all: Option<u64>,
    /// Bytes of the delivered chunks.
    pub bytes: u64,
    /// When the last of them was delivered.
    pub last_at: Option<Instant>,
}

/// Why and when a flow was stopped.
#[derive(Clone, Debug, Serialize)]
pub struct Stop {
    /// The rule that refuses, by id.
    pub rule: String,
    /// The paragraph as a lawyer cites it.
    pub cites: String,
    /// The rule in one sentence.
    pub says: Text,
    /// The first day of the law that refuses.
    pub since: CivilDate,
    /// When the flow was stopped.
    pub at: Instant,
    /// What the rules say about that which was delivered before; empty when they say nothing.
    pub about_delivered: Text,
    /// Ways through, best first.
    pub remedies: Vec<Remedy>,
}

/// A flow.
#[derive(Clone, Debug, Serialize)]
pub struct FlowView {
    /// Its id: the transfer process.
    pub id: String,
    /// What moves.
    pub dataset: String,
    /// Who gives.
    pub from: End,
    /// Who gets.
    pub to: End,
    /// How it stands.
    pub state: FlowState,
    /// When it began.
    pub began: Option<Instant>,
    /// What was delivered.
    pub delivered: Delivered,
    /// Why it was stopped, when it was.
    pub stop: Option<Stop>,
    /// How far its evidence reaches.
    #[serde(serialize_with = "level_code")]
    pub evidence: Option<Level>,
    /// The facts that it was decided on, so that the question can be asked again.
    #[serde(skip)]
    pub facts: Vec<(String, Said)>,
}

fn level_code<S: serde::Serializer>(level: &Option<Level>, s: S) -> Result<S::Ok, S::Error> {
    match level {
        Some(l) => s.serialize_some(l.code()),
        None => s.serialize_none(),
    }
}

/// Whoever moves data, as the pages need it. Calls may block; they run off the serving threads.
pub trait Flows: Send + Sync {
    /// The flows of the principal's participant, those that need a person first.
    fn all(&self, who: &Principal) -> Vec<FlowView>;
    /// One of them.
    fn one(&self, who: &Principal, id: &str) -> Option<FlowView>;
    /// Records that these measures are in place and decides the flow anew; the error is one line for the person.
    fn cure(&self, who: &Principal, id: &str, measures: &[String]) -> Result<(), Text>;
    /// The verification of its evidence, step by step.
    fn evidence(&self, who: &Principal, id: &str) -> Option<Report>;
}

/// No flows: the doors without a node.
#[derive(Clone, Copy, Debug)]
pub struct NoFlows;

impl Flows for NoFlows {
    fn all(&self, _: &Principal) -> Vec<FlowView> {
        Vec::new()
    }

    fn one(&self, _: &Principal, _: &str) -> Option<FlowView> {
        None
    }

    fn cure(&self, _: &Principal, _: &str, _: &[String]) -> Result<(), Text> {
        Err(Text::of("there is no such flow", "該当するフローはありません"))
    }

    fn evidence(&self, _: &Principal, _: &str) -> Option<Report> {
        None
    }
}
