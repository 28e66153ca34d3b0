//! What happened, as one leaf of the log: digests and places in law, never a person.

use crate::{date::Instant, digest::Digest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The kind of an event. The URIs of EN 319 522-3 are used where one fits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A transfer was judged.
    Decided,
    /// A negotiation reached a protocol state.
    Negotiated,
    /// Both sides hold one agreement.
    Agreed,
    /// A pass was issued.
    PassIssued,
    /// A flow opened.
    FlowOpened,
    /// A chunk was durably received.
    ChunkReceived,
    /// A flow stopped because its decision turned, with rule and article.
    FlowStopped,
    /// A stopped flow goes on.
    FlowResumed,
    /// A manifest was committed.
    ManifestCommitted,
    /// A manifest was sealed.
    Sealed,
    /// A seal was time-stamped.
    Stamped,
    /// The receiver acknowledged (EN 319 522-3 `ContentHandover`).
    Received,
    /// A certificate or certification was seen revoked.
    RevocationSeen,
    /// Something was erased here.
    Erased,
    /// What a contract leaves to be done after delivery was done, or said to be done.
    DutyFulfilled,
    /// It was not done in time.
    DutyOverdue,
    /// Rules were loaded.
    RulesLoaded,
    /// A judgment that somebody made was taken up.
    JudgmentTaken,
    /// A judgment was given up.
    JudgmentGivenUp,
}

/// One event. Commits with the state that it tells of; its salted commitment is a leaf of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When, by the node's wall clock.
    pub at: Instant,
    /// The legal day it was judged for, when law was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_day: Option<crate::date::CivilDate>,
    /// The process it belongs to: a transfer, negotiation or flow id.
    pub process: String,
    /// Digests it binds, by role (`manifest`, `decision`, `agreement`, `rulebook`, `chunk` …).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub binds: BTreeMap<String, Digest>,
    /// Rule ids and articles that decided; never a private fact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Whole numbers that matter (bytes, rows, sequence).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
}
