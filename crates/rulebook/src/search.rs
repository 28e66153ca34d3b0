//! The words that facts are told in, found by a person's word for them.

use crate::{
    book::Rulebook,
    vocabulary::{Domain, Fact, Word},
};
use model::text::Text;

// LIMIT: more values than this are not listed in a line of help.
const LISTED_MAX: usize = 14;

/// Something that can be said of a transfer.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// A fact, with its values.
    Fact(&'a Fact),
    /// One value of a fact.
    Value(&'a Fact, &'a Word),
    /// A place: code and name.
    Place(&'a str, &'a Text),
    /// A measure, taken by its id.
    Measure(&'a crate::law::MeasureOffer),
}

impl Rulebook {
    /// Everything whose id, name or question holds all of these words, in either language: facts first, then values, places and
    /// measures, each in the order of ids. No words find all facts.
    pub fn find(&self, words: &[String]) -> Vec<Found<'_>> {
        let words: Vec<String> = words.iter().map(|w| w.to_lowercase()).collect();
        let holds = |id: &str, texts: &[&Text]| {
            words.iter().all(|w| id.to_lowercase().contains(w) || texts.iter().any(|t| t.en.to_lowercase().contains(w) || t.ja.contains(w)))
        };
        let facts = self.vocabulary.facts.values();
        let mut found: Vec<Found<'_>> = facts.clone().filter(|f| holds(&f.id, &[&f.label, &f.ask])).map(Found::Fact).collect();
        if words.is_empty() {
            return found;
        }
        for fact in facts {
            found.extend(named(&fact.domain).iter().filter(|w| holds(&w.id, &texts_of(w))).map(|w| Found::Value(fact, w)));
        }
        let is_place = |code: &str, name: &Text| words.iter().all(|w| code.to_lowercase() == *w) || holds("", &[name]);
        found.extend(self.vocabulary.places.iter().filter(|(code, name)| is_place(code, name)).map(|(code, name)| Found::Place(code, name)));
        found.extend(self.measures.iter().filter(|m| holds(&m.id, &[&m.label, &m.head.says])).map(Found::Measure));
        found
    }
}

fn texts_of(word: &Word) -> Vec<&Text> {
    std::iter::once(&word.label).chain(&word.spoken).collect()
}

/// The words of a domain that has words of its own.
pub fn named(domain: &Domain) -> &[Word] {
    match domain {
        Domain::OneOf(words) | Domain::SetOf(words) => words,
        Domain::YesNo | Domain::Count | Domain::Date | Domain::Place | Domain::Places => &[],
    }
}

/// The line of help for a word that is no value of a fact: the value that was probably meant, else all of them, else where they are listed.
pub fn help_for_value(word: &str, fact: &Fact) -> String {
    let words = named(&fact.domain);
    let lower = word.to_lowercase();
    let part = |w: &&Word| lower.chars().count() > 3 && w.id.split('_').any(|p| p == lower);
    let spoken = |w: &&Word| lower.chars().count() > 3 && w.label.en.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|p| p == lower);
    let meant = words.iter().find(|w| w.id.eq_ignore_ascii_case(word) || w.is_called(word)).map(|w| w.id.as_str());
    let meant = meant.or_else(|| words.iter().find(part).map(|w| w.id.as_str()));
    let meant = meant.or_else(|| crate::diagnostic::nearest(word, words.iter().map(|w| w.id.as_str())));
    match meant.or_else(|| words.iter().find(spoken).map(|w| w.id.as_str())) {
        Some(value) => format!("did you mean `{value}`?"),
        None if words.len() <= LISTED_MAX => format!("its values are {}", words.iter().map(|w| w.id.as_str()).collect::<Vec<_>>().join(", ")),
        None => format!("`tegata words {}` lists its values", fact.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Source;

    fn book() -> Rulebook {
        let text = "```fact data.categories\non: data\nkind: given\ndomain: set of\nvalue precise_location: where somebody is | 位置\nvalue education: schooling | 教育\n\
                    knows: exporter\nlabel: Categories | 種類\nask: What is in it? | 何が入っていますか。\n```\n\
                    ```spoken data.categories\nvalue precise_location: GPS, whereabouts | 居場所、動線\n```\n";
        Rulebook::parse(vec![Source { path: "vocabulary/x.md".into(), text: text.into() }]).0
    }

    #[test]
    fn a_persons_word_finds_the_value_that_it_means() {
        let book = book();
        let fact = &book.vocabulary.facts["data.categories"];
        assert_eq!(help_for_value("location", fact), "did you mean `precise_location`?");
        assert_eq!(help_for_value("Education", fact), "did you mean `education`?");
        assert_eq!(help_for_value("schooling", fact), "did you mean `education`?");
        assert_eq!(help_for_value("gps", fact), "did you mean `precise_location`?");
        assert_eq!(help_for_value("動線", fact), "did you mean `precise_location`?");
        assert_eq!(help_for_value("dna", fact), "its values are precise_location, education");
    }

    #[test]
    fn both_languages_are_searched() {
        let book = book();
        let ids = |words: &[&str]| -> Vec<String> {
            let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
            book.find(&words).iter().map(|f| match f {
                Found::Fact(fact) => fact.id.clone(),
                Found::Value(fact, word) => format!("{}={}", fact.id, word.id),
                Found::Place(code, _) => code.to_string(),
                Found::Measure(m) => m.id.clone(),
            }).collect()
        };
        assert_eq!(ids(&["位置"]), ["data.categories=precise_location"]);
        assert_eq!(ids(&["whereabouts"]), ["data.categories=precise_location"]);
        assert_eq!(ids(&["what", "in it"]), ["data.categories"]);
        assert_eq!(ids(&[]), ["data.categories"]);
        assert!(ids(&["nothing of the kind"]).is_empty());
    }
}
