//! A dated pointer to a provision.

use crate::date::CivilDate;
use serde::{Deserialize, Serialize};

/// Where a rule stands in law, and how well we have read it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Citation {
    /// The provision as a lawyer cites it: `GDPR Art. 46(2)(c)`.
    pub cites: String,
    /// Official link.
    pub source: String,
    /// First day in force; `None` when enacted with the start not set.
    pub from: Option<CivilDate>,
    /// First day no longer in force, if an end is known.
    pub until: Option<CivilDate>,
    /// Statute, decision, judgment, guidance …
    pub force: Force,
    /// What happened to our reading of it.
    pub review: Review,
    /// What was read.
    pub seen: Seen,
    /// The day it was read.
    pub read: CivilDate,
}

/// How strongly a text binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    /// An act of the legislature or an EU regulation.
    Statute,
    /// Rules made under a statute.
    Delegated,
    /// An authority's binding decision or list.
    Decision,
    /// A court's judgment.
    Judgment,
    /// Non-binding guidance.
    Guidance,
    /// Observed practice.
    Practice,
}

/// What happened to a rule, weakest first (notes/law-writing.md, section 3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// Was wrong; affected decisions are listed.
    Withdrawn,
    /// Instrument known, not modeled.
    Signpost,
    /// Older than its interval, or its feed changed.
    Stale,
    /// Two readings.
    Disputed,
    /// One reading by a machine.
    DraftedMachine,
    /// One reading by a person.
    DraftedPerson,
    /// A second, independent reading by a machine.
    CheckedMachine,
    /// A second, independent reading by a person.
    CheckedPerson,
    /// A named lawyer reviewed it.
    LawyerReviewed,
    /// The authority confirmed it in writing.
    AuthorityConfirmed,
}

/// What text was in front of the reader.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// Nothing; from memory.
    Memory,
    /// Somebody's account of it.
    Secondary,
    /// A translation without standing.
    UnofficialTranslation,
    /// The authority's translation.
    OfficialTranslation,
    /// The binding text.
    Original,
}
