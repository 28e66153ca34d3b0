//! What is usually so where nobody has said it, as the vocabulary tells it: for a second, provisional look beside an answer that
//! waits for facts.
//!
//! INVARIANT: no verdict rests on it. A missing fact stays unknown in every decision; what is supposed here is named to the
//! person, who may say it and ask again.

use crate::{
    bind::{Bound, Crossing, Known, contradicts},
    book::{Rulebook, parse_said},
    diagnostic::Diagnostic,
    vocabulary::{Domain, Fact},
};
use model::fact::{Said, Spoken};
use serde::Serialize;

/// The usual value of a fact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Usual {
    /// A value, written as in a transfer: `yes`, `company`, `none`.
    Value(String),
    /// The place of the party that the fact is about.
    OwnPlace,
    /// The place of the exporter.
    ExporterPlace,
}

impl Usual {
    /// Reads the value of a `usual:` line.
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "" => None,
            "party.place" => Some(Self::OwnPlace),
            "exporter.place" => Some(Self::ExporterPlace),
            value => Some(Self::Value(value.to_string())),
        }
    }
}

impl Rulebook {
    /// Every `usual:` line names a value that its fact takes.
    pub(crate) fn check_usual(&self, diagnostics: &mut Vec<Diagnostic>) {
        for fact in self.vocabulary.facts.values() {
            let slot = fact.id.replacen("party.", "exporter.", 1);
            let places = matches!(fact.domain, Domain::Place | Domain::Places);
            let wrong = match &fact.usual {
                None => None,
                Some(Usual::Value(value)) => self.bind_fact(&slot, &parse_said(value)).err().map(|d| d.message),
                Some(_) if places => None,
                Some(_) => Some(format!("`{}` takes no place", fact.id)),
            };
            if let Some(message) = wrong {
                diagnostics.push(Diagnostic::error("TGT-R008", fact.span, message, "`usual` is a value of the fact"));
            }
        }
    }

    /// The same transfer with what is usually so where nobody has said it, and the slots supposed, crossing by crossing. Nothing is
    /// supposed that contradicts what was said.
    pub fn suppose(&self, bound: &Bound) -> (Bound, Vec<Vec<String>>) {
        let mut supposed = bound.clone();
        let slots = self.vocabulary.slots();
        let added = supposed.crossings.iter_mut().map(|c| slots.iter().filter(|s| self.suppose_one(c, s)).cloned().collect()).collect();
        (supposed, added)
    }

    fn suppose_one(&self, crossing: &mut Crossing, slot: &str) -> bool {
        let known = |c: &Crossing| c.facts.contains_key(slot);
        let said = self.vocabulary.of_slot(slot).filter(|_| !known(crossing)).and_then(|fact| said(fact, slot, crossing));
        let Some(Ok(Some(fact))) = said.map(|s| self.bind_fact(slot, &s)) else { return false };
        crossing.facts.insert(slot.to_string(), fact);
        if contradicts(self, crossing) {
            crossing.facts.remove(slot);
        }
        known(crossing)
    }
}

/// The usual value as somebody would say it.
fn said(fact: &Fact, slot: &str, crossing: &Crossing) -> Option<Said> {
    let place_of = |role: &str| match crossing.facts.get(&format!("{role}.place")).map(|f| &f.known) {
        Some(Known::Values(v)) if v.len() == 1 => v.first().cloned(),
        _ => None,
    };
    let place = match fact.usual.as_ref()? {
        Usual::Value(value) => return Some(parse_said(value)),
        Usual::OwnPlace => place_of(slot.split_once('.')?.0)?,
        Usual::ExporterPlace => place_of("exporter")?,
    };
    Some(Said::claim(match fact.domain {
        Domain::Places => Spoken::Words(vec![place]),
        _ => Spoken::Word(place),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Source;
    use model::transfer::Transfer;

    const WORDS: &str = "```places iso\nvalue DE: Germany | ドイツ\nvalue JP: Japan | 日本\n```\n\
        ```fact party.place\non: party\nkind: given\ndomain: place\nknows: exporter\nlabel: Place | 場所\nask: Where? | どこ。\n```\n\
        ```fact party.targets\non: party\nkind: given\ndomain: places\nknows: exporter\nlabel: Targets | 対象\nask: Which? | どこ。\nusual: party.place\n```\n\
        ```fact hop.same\non: hop\nkind: given\ndomain: yes_no\nknows: exporter\nlabel: Same | 同じ\nask: Same? | 同じですか。\nusual: no\n```\n\
        ```fact hop.other\non: hop\nkind: given\ndomain: yes_no\nknows: exporter\nlabel: Other | 他\nask: Other? | 他ですか。\n```\n\
        ```constraint c\nnever: hop.other and not hop.same\nsays: Other is the same | 他は同じ\n```\n";

    fn book(words: &str) -> (Rulebook, Vec<Diagnostic>) {
        Rulebook::parse(vec![Source { path: "vocabulary/x.md".into(), text: words.into() }])
    }

    #[test]
    fn what_is_usual_fills_what_nobody_said_and_contradicts_nothing() {
        let (book, findings) = book(WORDS);
        assert!(findings.is_empty(), "{findings:?}");
        let of = |facts: &[(&str, &str)]| {
            let flat: Vec<_> = facts.iter().map(|(s, v)| (s.to_string(), parse_said(v))).collect();
            book.suppose(&book.bind(&Transfer::single(flat)).unwrap()).1.remove(0)
        };
        assert_eq!(of(&[("exporter.place", "DE")]), ["hop.same", "exporter.targets"]);
        assert_eq!(of(&[("exporter.place", "DE"), ("exporter.targets", "{JP}"), ("hop.other", "yes")]), Vec::<String>::new());
    }

    #[test]
    fn a_usual_value_that_the_fact_does_not_take_is_a_finding() {
        let (_, findings) = book(&WORDS.replace("usual: no", "usual: perhaps"));
        assert_eq!(findings[0].code, "TGT-R008");
    }
}
