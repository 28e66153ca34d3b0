//! The nouns of law: instruments, layers, and the blocks that the kernel knows (DESIGN section 4).

use crate::{diagnostic::Span, expr::Expr};
use model::{
    AsOf, CivilDate,
    citation::{Citation, Force, Review, Seen},
    text::Text,
};
use serde::Serialize;

/// When a block begins to be in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// From this day.
    On(CivilDate),
    /// Enacted, start not set: not in force, and reported.
    Unknown,
}

/// What every block of law carries.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    /// Its id, a permanent public name.
    pub id: String,
    /// The provision as a lawyer cites it.
    pub cites: String,
    /// As it was cited on days before others, the earliest first: an act that was renumbered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cites_until: Vec<(CivilDate, String)>,
    /// One plain sentence.
    pub says: Text,
    /// Official link.
    pub source: String,
    /// How strongly it binds.
    pub force: Force,
    /// First day in force.
    pub from: Start,
    /// First day no longer in force.
    pub until: Option<CivilDate>,
    /// The day from which the text was public.
    pub published: Option<CivilDate>,
    /// Seen from this day on, it never counted.
    pub annulled: Option<CivilDate>,
    /// The day it was read.
    pub read: CivilDate,
    /// What was read.
    pub seen: Seen,
    /// What happened to our reading.
    pub review: Review,
    /// How sure the writer is.
    pub sure: Sure,
    /// What a lawyer should doubt.
    pub doubt: String,
    /// The heading it stands under.
    pub heading: String,
    /// The prose above it.
    pub prose: String,
    /// The instrument of its file.
    pub instrument: String,
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
}

/// How sure the writer of a block is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sure {
    /// Check first.
    Low,
    /// Consistent, not compared word by word.
    Medium,
    /// Read and compared.
    High,
}

impl Head {
    /// Whether the block counts on a day, from texts public by a day (DESIGN section 4, TIME).
    pub fn counts(&self, as_of: AsOf) -> bool {
        let Start::On(from) = self.from else { return false };
        self.published.unwrap_or(from) <= as_of.published_by
            && from <= as_of.on
            && self.until.is_none_or(|u| as_of.on < u)
            && self.annulled.is_none_or(|a| as_of.published_by < a)
    }

    /// The days on which it begins or ceases to count.
    pub fn boundaries(&self) -> impl Iterator<Item = CivilDate> {
        let from = match self.from {
            Start::On(d) => Some(d),
            Start::Unknown => None,
        };
        [from, self.until, self.published, self.annulled].into_iter().flatten()
    }

    /// The provision as a lawyer cites it on a day.
    pub fn cites_on(&self, on: CivilDate) -> &str {
        self.cites_until.iter().find(|(until, _)| on < *until).map_or(&self.cites, |(_, then)| then)
    }

    /// The dated citation of this block, as cited on a day.
    pub fn citation(&self, on: CivilDate) -> Citation {
        Citation {
            cites: self.cites_on(on).to_string(),
            source: self.source.clone(),
            from: match self.from {
                Start::On(d) => Some(d),
                Start::Unknown => None,
            },
            until: self.until,
            force: self.force,
            review: self.review,
            seen: self.seen,
            read: self.read,
        }
    }
}

/// An instrument: one file.
#[derive(Clone, Debug, Serialize)]
pub struct Instrument {
    /// Shared keys, defaults for its blocks.
    pub head: Head,
    /// Its title.
    pub title: Text,
    /// Its official number.
    pub number: String,
    /// Which language binds.
    pub language: String,
}

/// A body of rules that applies to a crossing.
#[derive(Clone, Debug, Serialize)]
pub struct Layer {
    /// Its id: `eu.gdpr`.
    pub id: String,
    /// Its name.
    pub label: Text,
    /// Its civil day, in minutes east of UTC.
    pub zone_minutes: i32,
    /// A, B or C.
    pub tier: char,
    /// Who enforces it.
    pub authority: Text,
    /// When it applies, from places, parties and sector.
    pub applies: Expr,
    /// The exporters' places for which it is the general answer; elsewhere its silence is not an answer.
    pub covers: Option<Expr>,
    /// The layer that it stands in for, where it applies.
    pub replaces: Option<String>,
    /// What it checks.
    pub checked: Text,
    /// What it does not check.
    pub not_checked: Text,
    /// Questions inside it for which we hold no rule.
    pub gaps: Vec<Gap>,
    /// The weakest standing of its file.
    pub head: Head,
}

/// A question for which we hold no rule.
#[derive(Clone, Debug, Serialize)]
pub struct Gap {
    /// Its name within the layer.
    pub name: String,
    /// When it may matter.
    pub when: Expr,
    /// Said to people.
    pub says: Text,
}

/// What a layer reaches.
#[derive(Clone, Debug, Serialize)]
pub struct Scope {
    /// Shared keys.
    pub head: Head,
    /// Its layer.
    pub layer: String,
    /// The acts, data and holders it reaches.
    pub reaches: Expr,
}

/// Why something lies outside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutKind {
    /// The law does not reach it.
    NotReached,
    /// Not personal for the holder who counts.
    NotPersonal,
    /// No transfer in the law's sense.
    NoTransfer,
    /// Exempt by article.
    Exempt,
}

/// An act that the layer does not reach, with the duties that remain.
#[derive(Clone, Debug, Serialize)]
pub struct Out {
    /// Shared keys.
    pub head: Head,
    /// Its layer.
    pub layer: String,
    /// Why.
    pub kind: OutKind,
    /// When.
    pub when: Expr,
    /// The duties that remain.
    pub remains: Text,
}

/// Where data must be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Localization {
    /// A copy here.
    CopyHere,
    /// First here.
    FirstHere,
    /// Only here.
    OnlyHere,
}

/// Forbidden; no route opens it.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    /// Shared keys.
    pub head: Head,
    /// Its layer.
    pub layer: String,
    /// When.
    pub when: Expr,
    /// The kind of localization, if it is one.
    pub localization: Option<Localization>,
    /// Another transfer that would pass.
    pub alternative: Text,
}

/// Forbidden unless one route is met.
#[derive(Clone, Debug, Serialize)]
pub struct Gate {
    /// Shared keys.
    pub head: Head,
    /// Its layer.
    pub layer: String,
    /// When.
    pub when: Expr,
}

/// A way through a gate.
#[derive(Clone, Debug, Serialize)]
pub struct Route {
    /// Shared keys.
    pub head: Head,
    /// Its gate.
    pub gate: String,
    /// The law's own order, 1 first.
    pub rank: u32,
    /// What it needs.
    pub need: Expr,
    /// What it does not free you from.
    pub not_dispense: Text,
    /// Must hold on every later hop.
    pub carries: Option<Expr>,
}

/// When an obligation falls due.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// Before the act.
    Before,
    /// So many days after the day of a fact.
    DaysAfter {
        /// Number of days.
        days: i32,
        /// The slot of a date fact.
        fact: String,
        /// The calendar whose working days alone count.
        #[serde(skip_serializing_if = "Option::is_none")]
        calendar: Option<String>,
    },
    /// When a person asks.
    OnRequest,
    /// As long as it lasts.
    Standing,
}

/// What follows from missing an obligation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IfBreached {
    /// The transfer is unlawful from the start.
    FromStart,
    /// Unlawful from the breach.
    FromBreach,
    /// A fine or order; the transfer stays valid.
    SideDuty,
}

/// A duty beside.
#[derive(Clone, Debug, Serialize)]
pub struct Obligation {
    /// Shared keys.
    pub head: Head,
    /// Its layer.
    pub layer: String,
    /// When it arises.
    pub when: Expr,
    /// When it is met; absent = never recorded as met.
    pub done: Option<Expr>,
    /// When it falls due.
    pub due: Due,
    /// What follows from missing it.
    pub if_breached: IfBreached,
    /// The route that it belongs to.
    pub route: Option<String>,
}

/// A list with dated entries.
#[derive(Clone, Debug, Serialize)]
pub struct List {
    /// Shared keys.
    pub head: Head,
    /// Its name.
    pub label: Text,
    /// Known to be complete as of this day.
    pub complete_as_of: CivilDate,
    /// Its entries.
    pub entries: Vec<Entry>,
}

/// One entry of a list; its head's id is `list#KEY` or `list#KEY.2` for a second one.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Shared keys.
    pub head: Head,
    /// The place.
    pub key: String,
    /// The scope of the entry.
    pub when: Option<Expr>,
    /// A note.
    pub note: String,
}

/// What a person can do so that it may go.
#[derive(Clone, Debug, Serialize)]
pub struct MeasureOffer {
    /// Its id.
    pub id: String,
    /// The layer whose law it serves; empty for any of its jurisdiction, the first part of its id.
    pub layer: String,
    /// Its name.
    pub label: Text,
    /// The facts it makes true: (slot, value).
    pub does: Vec<Effect>,
    /// Its precondition, with that of its layer.
    pub when: Option<Expr>,
    /// Who decides.
    pub decides: String,
    /// Whole US dollars, an order of size.
    pub money: i64,
    /// Days until it stands.
    pub days: i64,
    /// Percent of use lost.
    pub utility_loss: i64,
    /// A note for people.
    pub note: Text,
    /// First and last day it is offered, and its place.
    pub head: Head,
}

/// One fact that a measure makes true.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Effect {
    /// The slot.
    pub slot: String,
    /// The value it takes, or the member that is added to a set.
    pub value: String,
}

/// Two defensible readings.
#[derive(Clone, Debug, Serialize)]
pub struct Disputed {
    /// Its id, used in `reading ID is a`.
    pub id: String,
    /// The question.
    pub question: Text,
    /// One reading.
    pub a: Text,
    /// The other.
    pub b: Text,
    /// Who holds the first.
    pub holders_a: String,
    /// Who holds the second.
    pub holders_b: String,
    /// Shared keys.
    pub head: Head,
}

/// A worked case.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: Text,
    /// The named source.
    pub source: String,
    /// The day it is judged for.
    pub as_of: AsOf,
    /// Facts in flat form.
    pub given: Vec<(String, model::fact::Said)>,
    /// The verdict word expected.
    pub expect: String,
    /// Rule ids that must be among the deciding clauses.
    pub by: Vec<String>,
    /// Citations that must be among those of the deciding clauses.
    pub by_cite: Vec<String>,
    /// A set of measures that must be offered.
    pub way: Vec<String>,
    /// Facts that must be among what is asked.
    pub missing: Vec<String>,
    /// Its near twin.
    pub twin: Option<String>,
    /// Who wrote the expectation, and when in relation to the rule.
    pub author: String,
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
}

/// Why something that hygiene finds is meant to be so.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// Its id.
    pub id: String,
    /// What is found, in the word of hygiene: `never_applies`.
    pub what: String,
    /// The clauses, measures, layers, facts or places; `all` for every one.
    pub of: Vec<String>,
    /// Why.
    pub because: Text,
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
}

impl Explained {
    /// Whether it speaks of this.
    pub fn is_about(&self, what: &str, id: &str) -> bool {
        self.what == what && self.of.iter().any(|o| o == "all" || o == id)
    }
}
