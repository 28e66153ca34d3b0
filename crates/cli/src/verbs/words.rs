//! `tegata words`: the words that a transfer is described in.

use crate::{rules_source, verdict::Voice};
use clap::Args;
use model::text::Text;
use rulebook::{
    bind::absent_when_unsaid,
    book::Rulebook,
    census,
    search::{Found, named},
    vocabulary::{Domain, Fact},
};
use std::process::ExitCode;
use words::{Arg, say};

/// Find the words for a transfer: facts with their values, places, measures. Searches ids, names and questions in both languages.
#[derive(Args)]
#[command(after_help = "Examples:\n  tegata words                      # all facts\n  tegata words data.categories      # one fact, its question and values\n  tegata words consent\n  tegata words clauses eu           # measures with both words\n  tegata words 位置\n  tegata words Thailand             # also the facts that the law of a place asks")]
pub struct Words {
    /// What to look for; all words must be found.
    words: Vec<String>,
    #[command(flatten)]
    common: super::Common,
}

/// Runs the verb.
pub fn run(words: Words) -> ExitCode {
    let book = match rules_source::load(words.common.rules.as_deref()) {
        Ok(book) => book,
        Err(e) => {
            errln!("{e}");
            return ExitCode::from(2);
        }
    };
    let voice = words.common.voice();
    let one = match words.words.as_slice() {
        [id] => book.vocabulary.of_slot(id).or_else(|| book.vocabulary.facts.get(id)),
        _ => None,
    };
    let mut lines: Vec<String> = match one {
        Some(fact) => whole(fact, voice),
        None => book.find(&words.words).iter().map(|f| line(f, voice)).collect(),
    };
    lines.extend(asked_by_law_of(&book, &words.words.join(" "), voice));
    if lines.is_empty() {
        errln!("error[TGT-C002]: nothing is called `{}`; `tegata words` lists all facts", words.words.join(" "));
        return ExitCode::from(2);
    }
    super::print_lines(&lines);
    ExitCode::SUCCESS
}

/// What the laws of a place ask, a law after the other; nothing for what is no place.
fn asked_by_law_of(book: &Rulebook, text: &str, voice: Voice) -> Vec<String> {
    let Some(place) = node::question::known_place(&book.vocabulary, text) else { return Vec::new() };
    let own = format!("{}.", place.to_lowercase().replace('-', "."));
    let mut lines = Vec::new();
    for layer in book.layers.values().filter(|l| l.id.starts_with(&own)) {
        lines.push(say(voice.language, "words-asked-by", &[("law", Arg::Text(layer.label.in_(voice.language))), ("id", Arg::Text(&layer.id))]));
        for slot in census::slots_of(book, layer) {
            let label = book.vocabulary.of_slot(slot).map(|f| f.label.in_(voice.language).to_string()).unwrap_or_default();
            lines.push(format!("  {slot:<42} {label}"));
        }
    }
    lines
}

/// How facts about a party are told: once for each role.
fn slot(fact: &Fact) -> String {
    match fact.id.strip_prefix("party.") {
        Some(rest) => format!("exporter.{rest} recipient.{rest}"),
        None => fact.id.clone(),
    }
}

fn line(found: &Found<'_>, voice: Voice) -> String {
    let told = |text: &Text| text.in_(voice.language).to_string();
    match found {
        Found::Fact(fact) => format!("{:<44} {}", slot(fact), told(&fact.label)),
        Found::Value(fact, word) => format!("  {:<42} {}", format!("{}={}", fact.id, word.id), told(&word.label)),
        Found::Place(code, name) => format!("{code:<44} {}", told(name)),
        Found::Measure(m) => format!("--measure {:<34} {}", m.id, told(&m.label)),
    }
}

/// One fact in full: what it is asked by, what it takes, what it is when nobody has said it.
fn whole(fact: &Fact, voice: Voice) -> Vec<String> {
    let mut lines = vec![slot(fact), format!("  {}", fact.ask.in_(voice.language).replace("{party}", voice.word("words-party").as_str()))];
    lines.push(format!("  {}", voice.word(match fact.domain {
        Domain::YesNo => "words-yes-no",
        Domain::OneOf(_) => "words-one-of",
        Domain::SetOf(_) => "words-set-of",
        Domain::Count => "words-count",
        Domain::Date => "words-date",
        Domain::Place => "words-place",
        Domain::Places => "words-places",
    })));
    lines.extend(named(&fact.domain).iter().map(|w| format!("    {:<28} {}", w.id, w.label.in_(voice.language))));
    let unsaid = if absent_when_unsaid(fact) { "words-unsaid-absent" } else { "words-unsaid-unknown" };
    lines.push(format!("  {}", voice.word(unsaid)));
    lines
}
