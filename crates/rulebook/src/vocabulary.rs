//! The typed vocabulary: which facts there are, what values they take, who knows them.

use model::{fact::Standing, text::Text};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a fact hangs on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearer {
    /// A party: `exporter.…`, `recipient.…` in expressions.
    Party,
    /// A hop.
    Hop,
    /// A dataset.
    Data,
    /// A group of people in a dataset.
    Subjects,
}

/// How a fact behaves when nobody has stated it (DESIGN section 4, KNOWLEDGE).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// A circumstance: unsaid is unknown.
    Given,
    /// A safeguard: unsaid is absent.
    Measure,
    /// A judgment somebody makes and records.
    Determination,
    /// A count that includes this transfer: unsaid is unknown, may be an interval.
    Counter,
}

/// A word of a finite domain, with its text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Word {
    /// The word in files and programs.
    pub id: String,
    /// The word for people.
    pub label: Text,
    /// What people call it besides, with commas between: it is found by these, and they decide nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spoken: Option<Text>,
}

impl Word {
    /// A word that is found by its id and label alone.
    pub fn new(id: impl Into<String>, label: Text) -> Self {
        Self { id: id.into(), label, spoken: None }
    }

    /// Whether people call it so, in either language; case is not looked at.
    pub fn is_called(&self, name: &str) -> bool {
        let names = self.spoken.iter().flat_map(|t| t.en.split(',').chain(t.ja.split('、')));
        names.map(str::trim).any(|n| n.to_lowercase() == name.to_lowercase())
    }
}

/// The values that a fact takes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "type", content = "values")]
pub enum Domain {
    /// Yes or no.
    YesNo,
    /// Exactly one of the words.
    OneOf(Vec<Word>),
    /// Any of the words together, or none.
    SetOf(Vec<Word>),
    /// A whole number, not negative.
    Count,
    /// A civil day.
    Date,
    /// One place.
    Place,
    /// Any places together, or none.
    Places,
}

/// The results of a determination, in domain order; `not_made` first.
pub const RESULTS: [(&str, &str, &str); 4] = [
    ("not_made", "not made", "未実施"),
    ("passes", "made: passes", "実施済み:適合"),
    ("passes_with_measures", "made: passes with measures", "実施済み:措置を条件に適合"),
    ("fails", "made: fails", "実施済み:不適合"),
];

/// One fact of the vocabulary.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Fact {
    /// Its id: `party.place`, `hop.mode`.
    pub id: String,
    /// What it hangs on.
    pub on: Bearer,
    /// Its kind.
    pub kind: FactKind,
    /// Its values.
    pub domain: Domain,
    /// Its name.
    pub label: Text,
    /// A question to a person; `{party}` stands for the party's role.
    pub ask: Text,
    /// Who knows it.
    pub knows: String,
    /// Who may make the determination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// A weaker standing counts as not said.
    pub needs: Standing,
    /// The DPV term nearest to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpv: Option<String>,
    /// What is usually so, and where; no verdict rests on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub usual: Vec<crate::usual::Usual>,
    /// Over which days a counter adds up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<crate::window::Window>,
    /// The file that declares it.
    #[serde(skip)]
    pub span: crate::diagnostic::Span,
}

/// Facts, places and constraints.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Vocabulary {
    /// Facts by id.
    pub facts: BTreeMap<String, Fact>,
    /// Places by code.
    pub places: BTreeMap<String, Text>,
    /// States that cannot be.
    #[serde(skip)]
    pub constraints: Vec<Constraint>,
}

/// Facts that contradict each other.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// Its id.
    pub id: String,
    /// This never holds.
    pub never: crate::expr::Expr,
    /// Said to people when it would.
    pub says: Text,
}

/// The role that a party fact is asked for.
pub const ROLES: [&str; 2] = ["exporter", "recipient"];

impl Vocabulary {
    /// The fact that a slot of an expression stands for: `recipient.place` → `party.place`.
    pub fn of_slot(&self, slot: &str) -> Option<&Fact> {
        match slot.split_once('.') {
            Some((role, rest)) if ROLES.contains(&role) => self.facts.get(&format!("party.{rest}")),
            Some(("party", _)) => None,
            _ => self.facts.get(slot),
        }
    }

    /// All slots in order: party facts once for each role.
    pub fn slots(&self) -> Vec<String> {
        let mut out = Vec::new();
        for fact in self.facts.values() {
            match fact.id.strip_prefix("party.") {
                Some(rest) => out.extend(ROLES.iter().map(|role| format!("{role}.{rest}"))),
                None => out.push(fact.id.clone()),
            }
        }
        out
    }

    /// Whether this place or a word of the fact's domain exists.
    pub fn has_value(&self, fact: &Fact, value: &str) -> bool {
        match &fact.domain {
            Domain::YesNo => matches!(value, "yes" | "no"),
            Domain::OneOf(words) | Domain::SetOf(words) => words.iter().any(|w| w.id == value),
            Domain::Place | Domain::Places => self.places.contains_key(value),
            Domain::Count | Domain::Date => false,
        }
    }

    /// The values of a fact, for suggestions.
    pub fn values<'a>(&'a self, fact: &'a Fact) -> Vec<&'a str> {
        match &fact.domain {
            Domain::YesNo => vec!["yes", "no"],
            Domain::OneOf(words) | Domain::SetOf(words) => words.iter().map(|w| w.id.as_str()).collect(),
            Domain::Place | Domain::Places => self.places.keys().map(String::as_str).collect(),
            Domain::Count | Domain::Date => Vec::new(),
        }
    }

    /// The text of a value for people.
    pub fn label(&self, fact: &Fact, value: &str) -> Text {
        match &fact.domain {
            Domain::YesNo if value == "yes" => Text::of("yes", "はい"),
            Domain::YesNo if value == "no" => Text::of("no", "いいえ"),
            Domain::OneOf(words) | Domain::SetOf(words) => {
                words.iter().find(|w| w.id == value).map(|w| w.label.clone()).unwrap_or_else(|| Text::of(value, value))
            }
            Domain::Place | Domain::Places => self.places.get(value).cloned().unwrap_or_else(|| Text::of(value, value)),
            _ => Text::of(value, value),
        }
    }
}
