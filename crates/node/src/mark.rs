//! Marks: certifications of the participant that whoever runs the process has seen and keeps in its register, each with its end.
//!
//! As a fact of the law a mark is a word of `party.listed`, evidenced, until its end. What a peer has is told of the peer.

use crate::act::catalog::Conditions;
use crate::agent::{Node, lock};
use crate::error::ActError;
use model::CivilDate;
use model::fact::{Said, Spoken, Standing};
use model::transfer::Transfer;
use rulebook::vocabulary::Domain;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// LIMIT: marks of one participant.
const MARKS_MAX: usize = 20;
/// The fact that says on which lists a party is, and by what it is certified.
const LISTED: &str = "party.listed";

/// A certification that was seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The scheme, as the vocabulary names it among the values of `party.listed`: `cbpr`, say.
    pub scheme: String,
    /// The number or name of the certificate.
    pub id: String,
    /// Who granted it.
    pub by: String,
    /// The first day on which it no longer counts.
    pub until: CivilDate,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} by {} until {}", self.scheme, self.id, self.by, self.until)
    }
}

impl Mark {
    /// Whether it counts on a day.
    pub fn counts(&self, on: CivilDate) -> bool {
        on < self.until
    }
}

impl Node {
    /// The marks as they stand, those that are over included.
    pub fn marks(&self) -> Vec<Mark> {
        lock(&self.marks).clone()
    }

    /// Whether these are marks that the law knows.
    pub fn check_marks(&self, marks: &[Mark]) -> Result<(), ActError> {
        let wrong = |detail: String| Err(ActError::Asked { code: "node/mark", detail });
        if marks.len() > MARKS_MAX {
            return wrong(format!("a participant has at most {MARKS_MAX} marks"));
        }
        let engine = lock(&self.engine);
        let known = match engine.book.vocabulary.facts.get(LISTED).map(|fact| &fact.domain) {
            Some(Domain::SetOf(words)) => words.iter().map(|w| w.id.as_str()).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        match marks.iter().find(|m| !known.contains(&m.scheme.as_str())) {
            Some(odd) => wrong(format!("`{}` is no scheme of `{LISTED}`; there are {}", odd.scheme, known.join(", "))),
            None => Ok(()),
        }
    }

    /// Puts other marks in their place; what runs is judged afresh before this returns.
    pub fn set_marks(self: &Arc<Self>, marks: Vec<Mark>) -> Result<(), ActError> {
        self.check_marks(&marks)?;
        *lock(&self.marks) = marks;
        *lock(&self.conditions) = Conditions::default();
        self.judge_running();
        self.changed();
        Ok(())
    }

    /// Puts our marks into an act of ours: of a scheme in which we have one, the mark alone says whether it counts.
    ///
    /// INVARIANT: where nothing was told of the lists, they stay unknown: a mark says nothing of the others.
    pub(crate) fn lay_marks(&self, transfer: &mut Transfer) {
        let marks = lock(&self.marks);
        let Some(facts) = transfer.parties.get_mut(self.id()).map(|p| &mut p.facts) else { return };
        let Some(told) = facts.get(LISTED).filter(|said| !marks.is_empty() && !said.is_unknown()) else { return };
        let before = match &told.value {
            Spoken::Words(words) => words.clone(),
            Spoken::Word(word) => vec![word.clone()],
            _ => return,
        };
        let on = self.legal_day();
        let others = before.into_iter().filter(|word| marks.iter().all(|m| m.scheme != *word));
        let held: Vec<&Mark> = marks.iter().filter(|m| m.counts(on)).collect();
        let mut words: Vec<String> = others.chain(held.iter().map(|m| m.scheme.clone())).collect();
        words.sort();
        words.dedup();
        let said = Said {
            value: Spoken::Words(words),
            standing: if held.is_empty() { told.standing } else { Standing::Evidenced },
            on: told.on,
            until: held.iter().map(|m| m.until).chain(told.until).min(),
            by: held.first().map(|m| m.by.clone()).or_else(|| told.by.clone()),
            document: held.first().map(|m| m.id.clone()).or_else(|| told.document.clone()),
        };
        facts.insert(LISTED.to_owned(), said);
    }
}
