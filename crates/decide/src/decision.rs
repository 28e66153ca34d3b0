//! The answer: a verdict with its reasons, ways through, and what is missing.

use crate::knowledge::Truth;
use model::{
    AsOf, CivilDate, Digest, canonical,
    citation::{Citation, Review, Seen},
    text::Text,
};
use rulebook::law::{IfBreached, OutKind};
use serde::Serialize;

/// The five verdicts (DESIGN section 4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The rules do not reach this.
    OutOfScope,
    /// May go.
    Permitted,
    /// Not as it is; may go if …
    Conditional,
    /// May not go.
    Prohibited,
    /// Cannot tell.
    Undetermined,
}

impl Verdict {
    /// Whether a pass can be made of it. Nothing else opens.
    pub fn opens(self) -> bool {
        matches!(self, Self::OutOfScope | Self::Permitted)
    }

    /// The order in which hops are compared: opens < conditional < undetermined < prohibited.
    pub fn severity(self) -> u8 {
        match self {
            Self::OutOfScope => 0,
            Self::Permitted => 1,
            Self::Conditional => 2,
            Self::Undetermined => 3,
            Self::Prohibited => 4,
        }
    }

    /// The word in files and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::OutOfScope => "out_of_scope",
            Self::Permitted => "permitted",
            Self::Conditional => "conditional",
            Self::Prohibited => "prohibited",
            Self::Undetermined => "undetermined",
        }
    }
}

/// The kernel's kinds of clause, as they appear in reasons.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClauseKind {
    /// What a layer reaches.
    Scope,
    /// What it does not.
    Out,
    /// A bar.
    Bar,
    /// A gate.
    Gate,
    /// A route.
    Route,
    /// An obligation.
    Obligation,
    /// What an earlier hop's route carries here.
    Carried,
    /// A question that we hold no rule for.
    Gap,
}

/// One clause with its truth and place in law.
#[derive(Clone, Debug, Serialize)]
pub struct Clause {
    /// The rule's id.
    pub id: String,
    /// Its kind.
    pub kind: ClauseKind,
    /// Its layer.
    pub layer: String,
    /// Whether its condition holds.
    pub truth: Truth,
    /// One plain sentence.
    pub says: Text,
    /// Where it stands in law.
    pub citation: Citation,
    /// For a route that is not met: its first unmet conditions, in the rule's words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
    /// The law's own order, for routes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// For routes: what it does not free you from; for outs: the duties that remain; for bars: another transfer that would pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<Text>,
    /// The entries of lists that carry it, or that would and do not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<EntryAnswer>,
}

impl Clause {
    /// The entries that carry it, or may.
    pub fn carriers(&self) -> impl Iterator<Item = &EntryAnswer> {
        self.entries.iter().filter(|e| e.role.carries())
    }

    /// The entries that would carry it, and count no more or not yet.
    pub fn lapsed(&self) -> impl Iterator<Item = &EntryAnswer> {
        self.entries.iter().filter(|e| e.role.lapsed())
    }

    /// The entries that would carry it: they have ended, do not count yet, or their own scope is not met.
    pub fn barely(&self) -> impl Iterator<Item = &EntryAnswer> {
        self.entries.iter().filter(|e| e.role.lapsed() || e.role == EntryRole::FallsShort)
    }

    /// Everything that was read for it: its own provision, then the entries that carry it.
    pub fn rests_on(&self) -> impl Iterator<Item = &Citation> {
        std::iter::once(&self.citation).chain(self.carriers().map(|e| &e.citation))
    }
}

/// How an entry of a list stands to a clause that asks the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryRole {
    /// The clause holds by it.
    Carries,
    /// It may hold by it.
    MayCarry,
    /// In force for the place, and its own scope is not (surely) met.
    FallsShort,
    /// It would carry, and has ended.
    Ended,
    /// It would carry, and a judgment removed it from the beginning.
    Annulled,
    /// It would carry, and does not count yet.
    NotYet,
}

impl EntryRole {
    /// Whether the clause rests on it.
    pub fn carries(self) -> bool {
        matches!(self, Self::Carries | Self::MayCarry)
    }

    /// Whether it counts no more, or not yet.
    pub fn lapsed(self) -> bool {
        matches!(self, Self::Ended | Self::Annulled | Self::NotYet)
    }

    /// The word in files and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Carries => "carries",
            Self::MayCarry => "may_carry",
            Self::FallsShort => "falls_short",
            Self::Ended => "ended",
            Self::Annulled => "annulled",
            Self::NotYet => "not_yet",
        }
    }
}

/// One entry of a list behind a clause: the decision, certification or designation that the rule itself only points to.
#[derive(Clone, Debug, Serialize)]
pub struct EntryAnswer {
    /// Its id: `list#PLACE`.
    pub id: String,
    /// The list.
    pub list: String,
    /// The list's name.
    pub label: Text,
    /// How it stands to the clause.
    pub role: EntryRole,
    /// Where it stands in law.
    pub citation: Citation,
    /// The day of the judgment that removed it from the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annulled: Option<CivilDate>,
    /// The conditions of its own scope that hold: an entry for those who are themselves on a list says so here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<Text>,
    /// The conditions of its own scope that do not (surely) hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
    /// What its file notes about its scope.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// One condition that is not (surely) met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// The slot asked about, or `reading ID`.
    pub slot: String,
    /// The condition in words.
    pub says: Text,
    /// Not met, or not known.
    pub truth: Truth,
}

/// How one layer answers.
#[derive(Clone, Debug, Serialize)]
pub struct LayerAnswer {
    /// Its id.
    pub layer: String,
    /// Its name.
    pub label: Text,
    /// Whether it applies.
    pub applies: Truth,
    /// Whether it reaches the act.
    pub reaches: Truth,
    /// Whether it refuses.
    pub refuses: Truth,
    /// What it checked.
    pub checked: Text,
    /// What it did not.
    pub not_checked: Text,
    /// The clauses that speak, in the order of the law.
    pub clauses: Vec<Clause>,
}

/// One obligation that goes with the answer.
#[derive(Clone, Debug, Serialize)]
pub struct ObligationAnswer {
    /// The rule's id.
    pub id: String,
    /// One plain sentence.
    pub says: Text,
    /// Where it stands in law.
    pub citation: Citation,
    /// Whether it arises.
    pub truth: Truth,
    /// When it is due, in words of the format.
    pub due: String,
    /// The last day, when it can be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_day: Option<CivilDate>,
    /// Whether what was said shows it done.
    pub done: bool,
    /// Whether its last day has passed and nothing said shows it done.
    pub overdue: bool,
    /// What follows from missing it.
    pub if_breached: IfBreached,
}

/// One thing to do, in a way through.
#[derive(Clone, Debug, Serialize)]
pub struct MeasureAnswer {
    /// The measure's id.
    pub id: String,
    /// Its name.
    pub label: Text,
    /// Who decides it.
    pub decides: String,
    /// Whole US dollars, an order of size.
    pub money: i64,
    /// Days until it stands.
    pub days: i64,
    /// Percent of use lost.
    pub utility_loss: i64,
    /// A note.
    pub note: Text,
    /// The facts that it makes true, as `--fact` takes them.
    pub makes: Vec<String>,
}

/// A minimal set of measures that opens.
#[derive(Clone, Debug, Serialize)]
pub struct Remedy {
    /// The measures.
    pub measures: Vec<MeasureAnswer>,
    /// The law's own order of the routes it takes; lower is nearer to the rule.
    pub rank: u32,
    /// The routes that it opens.
    pub routes: Vec<String>,
    /// Sum of money.
    pub money: i64,
    /// Longest number of days.
    pub days: i64,
    /// Sum of percent.
    pub utility_loss: i64,
}

/// Why the answer cannot be told yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Missing {
    /// A fact, and who knows it.
    Fact {
        /// The slot.
        slot: String,
        /// The question.
        ask: Text,
        /// Who knows.
        knows: String,
    },
    /// A judgment, and who may make it.
    Judgment {
        /// The slot.
        slot: String,
        /// The question.
        ask: Text,
        /// Who may make it.
        by: String,
    },
    /// Two readings.
    Disputed {
        /// The question's id.
        id: String,
        /// The question.
        question: Text,
        /// One reading, and its holders.
        a: Text,
        /// The other.
        b: Text,
    },
    /// We hold no rule.
    NotCovered {
        /// The layer.
        layer: String,
        /// What is not held.
        says: Text,
    },
}

/// The answer for one crossing.
#[derive(Clone, Debug, Serialize)]
pub struct CrossingAnswer {
    /// The hop.
    pub hop: String,
    /// The party that gives.
    pub from: String,
    /// The party that gets.
    pub to: String,
    /// The dataset.
    pub dataset: String,
    /// The group of people.
    pub group: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it lies outside, for each layer that applies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<OutKind>,
    /// The clauses that decide, most important first.
    pub deciding: Vec<Clause>,
    /// Every layer that may apply.
    pub layers: Vec<LayerAnswer>,
    /// Ways through, best first.
    pub remedies: Vec<Remedy>,
    /// Whether there are more ways than listed.
    pub more_remedies: bool,
    /// What is missing, most useful first.
    pub missing: Vec<Missing>,
    /// Circumstances that, if known to be so, would open it without measures.
    pub would_open: Vec<String>,
    /// Disputed questions of which one reading would open it without measures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disputes: Vec<Missing>,
    /// Obligations that go with it.
    pub obligations: Vec<ObligationAnswer>,
}

/// The whole answer.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    /// The worst of the crossings.
    pub verdict: Verdict,
    /// The day it answers for.
    pub as_of: AsOf,
    /// The rulebook it was decided by.
    pub rulebook: Digest,
    /// The transfer as described.
    pub transfer: Digest,
    /// The crossings.
    pub crossings: Vec<CrossingAnswer>,
    /// The weakest review state among the deciding rules.
    pub weakest_review: Option<Review>,
    /// The weakest text that was read among them.
    pub weakest_seen: Option<Seen>,
    /// The oldest reading among them.
    pub oldest_read: Option<CivilDate>,
    /// The first day on which the verdict could change with no new fact, as far as published texts tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds_until: Option<CivilDate>,
}

impl CrossingAnswer {
    /// Of an answer that waits for facts: the clause of a law that refuses the transfer as it is whatever the facts are. What is
    /// still open is then only whether something cures it.
    pub fn shut_by(&self) -> Option<&Clause> {
        let held = |l: &LayerAnswer| l.clauses.iter().all(|c| c.kind != ClauseKind::Gap || c.truth == Truth::No);
        let refusing = |layer: &str| self.layers.iter().any(|l| l.layer == layer && l.refuses == Truth::Yes && held(l));
        let speaks = |c: &&Clause| c.kind == ClauseKind::Gate || c.kind == ClauseKind::Bar && c.truth == Truth::Yes;
        let waits = self.verdict == Verdict::Undetermined;
        self.deciding.iter().filter(|_| waits).filter(speaks).find(|c| refusing(&c.layer))
    }

    /// The clauses whose review states an answer inherits. Of one that waits for facts, those of laws that surely apply: what
    /// some other country's law would add is not known yet, and is listed beside.
    pub fn weighing(&self) -> Vec<&Clause> {
        let sure = |clause: &&Clause| self.layers.iter().any(|l| l.layer == clause.layer && l.applies == Truth::Yes);
        let narrowed: Vec<&Clause> = self.deciding.iter().filter(sure).collect();
        match self.verdict == Verdict::Undetermined && !narrowed.is_empty() {
            true => narrowed,
            false => self.deciding.iter().collect(),
        }
    }
}

impl Decision {
    /// The provision among the deciding ones that was least well read: by review state, then by the text that was read.
    pub fn weakest(&self) -> Option<&Citation> {
        let read = self.crossings.iter().flat_map(CrossingAnswer::weighing).flat_map(Clause::rests_on);
        read.filter(|c| !c.cites.is_empty()).min_by_key(|c| (c.review, c.seen))
    }

    /// SHA-256 of the canonical bytes: equal facts, day and rulebook give an equal digest.
    pub fn digest(&self) -> Digest {
        canonical::to_bytes(self).map(|b| Digest::of(&b)).unwrap_or_else(|_| Digest::of(b"unreadable decision"))
    }

    /// The crossing that decides the whole: the first of the worst.
    pub fn worst(&self) -> Option<&CrossingAnswer> {
        self.crossings.iter().find(|c| c.verdict == self.verdict)
    }

    /// Ids of all deciding clauses.
    pub fn deciding_ids(&self) -> Vec<&str> {
        self.crossings.iter().flat_map(|c| c.deciding.iter().map(|d| d.id.as_str())).collect()
    }
}
