//! A form and what is known of one crossing into a paper; what is not known stays a blank with its question.

use super::{Form, Piece};
use crate::{
    bind::{BoundFact, Crossing, Known, certainly},
    book::Rulebook,
    vocabulary::{Bearer, Domain, Fact, FactKind},
};
use model::{CivilDate, Digest, text::Language};
use std::collections::{BTreeMap, BTreeSet};

/// What stands where a person has to write.
pub const BLANK: &str = "______";

/// What a paper is about, beside the facts.
#[derive(Clone, Debug)]
pub struct Paper<'a> {
    /// The hop, its dataset and its group of people.
    pub crossing: &'a Crossing,
    /// The name of the party that gives.
    pub exporter: Option<&'a str>,
    /// The name of the party that gets.
    pub recipient: Option<&'a str>,
    /// The name of the dataset.
    pub data: Option<&'a str>,
    /// The day that the paper is drawn up.
    pub today: CivilDate,
    /// The transfer as described.
    pub transfer: Digest,
}

/// A paper with its blanks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filled {
    /// The text, Markdown.
    pub text: String,
    /// How many places a person still has to fill.
    pub blanks: usize,
}

impl Rulebook {
    /// Fills a form in a language.
    pub fn fill(&self, form: &Form, paper: &Paper<'_>, language: Language) -> Filled {
        let mut text = String::new();
        self.write(form.pieces(language), paper, language, &mut text);
        let text = joined(text.trim());
        Filled { blanks: text.matches(BLANK).count(), text }
    }

    fn write(&self, pieces: &[Piece], paper: &Paper<'_>, language: Language, out: &mut String) {
        for piece in pieces {
            match piece {
                Piece::Plain(text) => out.push_str(text),
                Piece::Place(slot, _) => out.push_str(&self.place(slot, paper, language)),
                Piece::When(e, _) if certainly(e, paper.crossing) == Some(false) => {}
                Piece::When(_, inner) => self.write(inner, paper, language, out),
            }
        }
    }

    fn place(&self, slot: &str, paper: &Paper<'_>, language: Language) -> String {
        let name = |name: Option<&str>| name.map_or_else(|| BLANK.to_string(), str::to_string);
        match slot {
            "exporter.name" => name(paper.exporter),
            "recipient.name" => name(paper.recipient),
            "data.name" => name(paper.data),
            "today" => paper.today.to_string(),
            "rulebook" => self.digest().to_string(),
            "transfer" => paper.transfer.to_string(),
            slot => match (self.vocabulary.of_slot(slot), paper.crossing.facts.get(slot)) {
                (Some(fact), Some(known)) => self.in_words(fact, known, language),
                (Some(fact), None) => format!("{BLANK} ({})", fact.ask.in_(language).replace("{party}", party(slot, language))),
                (None, _) => BLANK.into(),
            },
        }
    }

    /// What is known of a fact in words.
    pub fn in_words(&self, fact: &Fact, known: &BoundFact, language: Language) -> String {
        let none = if language == Language::Ja { "なし" } else { "none" };
        let listed = |words: &BTreeSet<String>| {
            let comma = if language == Language::Ja { "、" } else { ", " };
            words.iter().map(|w| self.vocabulary.label(fact, w).in_(language).to_string()).collect::<Vec<_>>().join(comma)
        };
        match &known.known {
            Known::Members(m) if m.is_empty() => none.into(),
            Known::Values(words) | Known::Members(words) => listed(words),
            Known::Range(..) | Known::Day(_) => known.known.to_string(),
        }
    }

    /// The given facts that a judgment about a crossing rests on: slot and value. Safeguards, counts and the days of the act itself
    /// (signed on, asked on) are left out: they come and go without touching what was judged.
    pub fn circumstances(&self, crossing: &Crossing) -> BTreeMap<String, String> {
        let lasts = |f: &Fact| f.kind == FactKind::Given && !(f.on == Bearer::Hop && f.domain == Domain::Date);
        let given = |slot: &str| self.vocabulary.of_slot(slot).is_some_and(lasts);
        crossing.facts.iter().filter(|(slot, _)| given(slot)).map(|(slot, f)| (slot.clone(), f.known.to_string())).collect()
    }
}

fn party(slot: &str, language: Language) -> &'static str {
    match (slot.starts_with("exporter."), language) {
        (true, Language::Ja) => "送り手",
        (true, Language::En) => "the exporter",
        (false, Language::Ja) => "受け手",
        (false, Language::En) => "the recipient",
    }
}

/// Several empty lines in a row, which parts left out leave behind, become one.
fn joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let mut empty = false;
    for line in text.lines() {
        if !(line.trim().is_empty() && empty) {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        empty = line.trim().is_empty();
    }
    out
}
