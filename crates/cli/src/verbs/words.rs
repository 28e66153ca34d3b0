//! `tegata words`: the words that a transfer is described in.

use crate::{rules_source, verdict::Voice};
use clap::Args;
use model::text::Text;
use rulebook::{
    bind::absent_when_unsaid,
    search::{Found, named},
    vocabulary::{Domain, Fact},
};
use std::process::ExitCode;

/// Find the words for a transfer: facts with their values, places, measures. Searches ids, names and questions in both languages.
#[derive(Args)]
#[command(after_help = "Examples:\n  tegata words                      # all facts\n  tegata words data.categories      # one fact, its question and values\n  tegata words consent\n  tegata words clauses eu           # measures with both words\n  tegata words 位置")]
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
    let lines = match one {
        Some(fact) => whole(fact, voice),
        None => book.find(&words.words).iter().map(|f| line(f, voice)).collect(),
    };
    if lines.is_empty() {
        errln!("error[TGT-C002]: nothing is called `{}`; `tegata words` lists all facts", words.words.join(" "));
        return ExitCode::from(2);
    }
    super::print_lines(&lines);
    ExitCode::SUCCESS
}

/// How facts about a party are told: once for each role.
fn slot(fact: &Fact) -> String {
    match fact.id.strip_prefix("party.") {
        Some(rest) => format!("exporter.{rest} recipient.{rest}"),
        None => fact.id.clone(),
    }
}

fn line(found: &Found<'_>, voice: Voice) -> String {
    let say = |text: &Text| text.in_(voice.language).to_string();
    match found {
        Found::Fact(fact) => format!("{:<44} {}", slot(fact), say(&fact.label)),
        Found::Value(fact, word) => format!("  {:<42} {}", format!("{}={}", fact.id, word.id), say(&word.label)),
        Found::Place(code, name) => format!("{code:<44} {}", say(name)),
        Found::Measure(m) => format!("--measure {:<34} {}", m.id, say(&m.label)),
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
