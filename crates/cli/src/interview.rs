//! The interview: asks only what still matters, until the answer is settled.

use crate::{transfer_file, verdict::Voice};
use decide::{decision::{Missing, Verdict}, engine::Engine};
use node::question::known_place;
use model::{AsOf, fact::Said, transfer::Transfer};
use rulebook::vocabulary::{Domain, Fact, Vocabulary, Word};
use std::{collections::{BTreeSet, VecDeque}, io::{BufRead, Write}};
use words::{Arg, say};

/// What a person thinks of first.
const FIRST: [&str; 3] = ["exporter.place", "recipient.place", "data.categories"];
/// So many answers more settle a usual question.
const QUESTIONS_USUAL: usize = 5;
// LIMIT: questions in one interview.
const QUESTIONS_MAX: usize = 40;

/// Asks until the verdict is settled or nothing more is known; returns the facts said.
pub fn run(engine: &mut Engine, mut flat: Vec<(String, Said)>, as_of: AsOf, voice: Voice) -> Result<Vec<(String, Said)>, String> {
    let mut input = std::io::stdin().lock();
    errln!("{}", voice.word("interview-start"));
    let mut asked: BTreeSet<String> = flat.iter().map(|(s, _)| s.clone()).collect();
    let (mut answers, mut said) = (0, 0);
    // What the person said to be otherwise than usual is asked before all else.
    let (mut usual_asked, mut otherwise) = (false, VecDeque::new());
    for _ in 0..QUESTIONS_MAX {
        // What is mostly so is asked in one question, once it is known what goes where.
        if !usual_asked && FIRST.iter().all(|slot| asked.contains(*slot)) {
            usual_asked = true;
            match usual(&mut input, engine, &mut flat, &mut asked, as_of, voice)? {
                Some(Usual::Said(slots)) => {
                    answers += 1;
                    said += 1;
                    otherwise = slots;
                }
                Some(Usual::Unknown) => {}
                None => break,
            }
        }
        let slot = match otherwise.pop_front() {
            Some(slot) => Some(slot),
            None => next(engine, &flat, &asked, answers, as_of)?,
        };
        let Some(slot) = slot else { break };
        asked.insert(slot.clone());
        let Some(fact) = engine.book.vocabulary.of_slot(&slot).cloned() else { continue };
        match ask(&mut input, &engine.book.vocabulary, &fact, &slot, voice)? {
            Reply::Said(value) => {
                answers += usize::from(!FIRST.contains(&slot.as_str()));
                said += 1;
                transfer_file::add(&mut flat, &format!("{slot}={value}"))?;
            }
            Reply::Unknown => {}
            Reply::End => break,
        }
    }
    errln!("{}\n", say(voice.language, "interview-settled", &[("n", Arg::Number(said))]));
    Ok(flat)
}

/// The next slot to ask: the two places and the kind of data first, then what the engine says matters most.
fn next(engine: &mut Engine, flat: &[(String, Said)], asked: &BTreeSet<String>, answers: usize, as_of: AsOf) -> Result<Option<String>, String> {
    if let Some(first) = FIRST.iter().find(|slot| !asked.contains(**slot)) {
        return Ok(Some((*first).into()));
    }
    let bound = engine.book.bind(&Transfer::single(flat.to_vec())).map_err(|ds| super::verbs::faults(&ds))?;
    let decision = engine.decide(&bound, as_of).map_err(super::verbs::too_many)?;
    let Some(worst) = decision.worst() else { return Ok(None) };
    let open = |slot: &String| !asked.contains(slot);
    Ok(match decision.verdict {
        Verdict::Undetermined => worst.missing.iter().find_map(|m| match m {
            Missing::Fact { slot, .. } | Missing::Judgment { slot, .. } if open(slot) => Some(slot.clone()),
            _ => None,
        }),
        // It may go with measures; a question more may show that it needs none, first those that nobody can guess.
        Verdict::Conditional if answers < QUESTIONS_USUAL => {
            let guessed = |slot: &&String| engine.book.vocabulary.of_slot(slot).is_some_and(|f| !f.usual.is_empty());
            let (usual, other): (Vec<&String>, Vec<&String>) = worst.would_open.iter().filter(|s| open(s)).partition(guessed);
            other.into_iter().chain(usual).next().cloned()
        }
        _ => None,
    })
}

enum Reply {
    Said(String),
    Unknown,
    End,
}

fn ask(input: &mut impl BufRead, vocabulary: &Vocabulary, fact: &Fact, slot: &str, voice: Voice) -> Result<Reply, String> {
    errln!("\n{} [{slot}]", question(fact, slot, voice));
    for (i, w) in offered(fact).iter().enumerate() {
        errln!("  {:>2}. {}", i + 1, w.label.in_(voice.language));
    }
    let hint = voice.word(match &fact.domain {
        Domain::YesNo => "interview-yes-no",
        Domain::OneOf(_) => "interview-choose-one",
        Domain::SetOf(_) => "interview-choose-many",
        Domain::Count => "interview-count",
        Domain::Date => "interview-date",
        Domain::Place => "interview-place-hint",
        Domain::Places => "interview-places-hint",
    });
    loop {
        errput!("  ({hint}) > ");
        std::io::stderr().flush().map_err(|e| e.to_string())?;
        let mut line = String::new();
        if input.read_line(&mut line).map_err(|e| e.to_string())? == 0 {
            return Ok(Reply::End);
        }
        let line = line.trim();
        if line.is_empty() || line == "?" {
            errln!("  {}", voice.word("interview-unknown"));
            return Ok(Reply::Unknown);
        }
        match understand(vocabulary, fact, line) {
            Some(value) => return Ok(Reply::Said(value)),
            None => errln!("  {}", say(voice.language, "interview-not-understood", &[("said", Arg::Text(line))])),
        }
    }
}

/// What was said of the usual.
enum Usual {
    /// It holds, but for these slots.
    Said(VecDeque<String>),
    /// It is not known, or there is nothing to ask at once.
    Unknown,
}

/// Asks at once for everything that would settle it, or leave fewer to ask, if it is as usual; what the person confirms is said. None at the end of the input.
fn usual(
    input: &mut impl BufRead,
    engine: &mut Engine,
    flat: &mut Vec<(String, Said)>,
    asked: &mut BTreeSet<String>,
    as_of: AsOf,
    voice: Voice,
) -> Result<Option<Usual>, String> {
    let bound = engine.book.bind(&Transfer::single(flat.to_vec())).map_err(|ds| super::verbs::faults(&ds))?;
    let supposed = engine.usual(&bound, as_of).map_err(super::verbs::too_many)?;
    let facts: Vec<(String, String)> = supposed.into_iter().filter(|(slot, _)| !asked.contains(slot)).map(|(slot, f)| (slot, f.known.to_string())).collect();
    // Two or three are asked one by one as well.
    if facts.len() < 3 {
        return Ok(Some(Usual::Unknown));
    }
    errln!("\n{}", voice.word("interview-usual"));
    for (i, (slot, known)) in facts.iter().enumerate() {
        errln!("  {:>2}. {}: {} [{slot}]", i + 1, named(engine, slot, voice), crate::memo::in_words(&engine.book, slot, known, voice));
    }
    loop {
        errput!("  ({}) > ", voice.word("interview-usual-hint"));
        std::io::stderr().flush().map_err(|e| e.to_string())?;
        let mut line = String::new();
        if input.read_line(&mut line).map_err(|e| e.to_string())? == 0 {
            return Ok(None);
        }
        let line = line.trim().to_lowercase();
        if line.is_empty() || line == "?" {
            errln!("  {}", voice.word("interview-unknown"));
            return Ok(Some(Usual::Unknown));
        }
        let Some(numbers) = otherwise(&line, facts.len()) else {
            errln!("  {}", say(voice.language, "interview-not-understood", &[("said", Arg::Text(&line))]));
            continue;
        };
        let mut slots = VecDeque::new();
        for (i, (slot, known)) in facts.into_iter().enumerate() {
            if numbers.contains(&(i + 1)) {
                slots.push_back(slot);
                continue;
            }
            transfer_file::add(flat, &format!("{slot}={known}"))?;
            asked.insert(slot);
        }
        return Ok(Some(Usual::Said(slots)));
    }
}

/// Which of so many are otherwise: none after yes, all after no, else those with the numbers said.
fn otherwise(line: &str, n: usize) -> Option<Vec<usize>> {
    match line {
        "y" | "yes" | "はい" => Some(Vec::new()),
        "n" | "no" | "いいえ" => Some((1..=n).collect()),
        numbers => numbers.split([',', '、', ' ']).filter(|p| !p.is_empty()).map(|p| p.parse().ok().filter(|i| (1..=n).contains(i))).collect(),
    }
}

/// The name of a fact, with whose it is.
fn named(engine: &Engine, slot: &str, voice: Voice) -> String {
    let label = engine.book.vocabulary.of_slot(slot).map(|f| f.label.in_(voice.language).to_string()).unwrap_or_default();
    match slot.split_once('.') {
        Some((role @ ("exporter" | "recipient"), _)) => format!("{} ({})", label, voice.word(&format!("who-{role}"))),
        _ => label,
    }
}

/// The words to choose from; "none of these" is said by 0, once.
fn offered(fact: &Fact) -> Vec<&Word> {
    match &fact.domain {
        Domain::OneOf(words) => words.iter().collect(),
        Domain::SetOf(words) => words.iter().filter(|w| w.id != "none").collect(),
        _ => Vec::new(),
    }
}

fn question(fact: &Fact, slot: &str, voice: Voice) -> String {
    match slot {
        "exporter.place" => voice.word("interview-from"),
        "recipient.place" => voice.word("interview-to"),
        _ => {
            let who = if slot.starts_with("recipient.") { "who-recipient" } else { "who-exporter" };
            fact.ask.in_(voice.language).replace("{party}", &voice.word(who))
        }
    }
}

fn understand(vocabulary: &Vocabulary, fact: &Fact, line: &str) -> Option<String> {
    let lower = line.to_lowercase();
    match &fact.domain {
        Domain::YesNo => match lower.as_str() {
            "y" | "yes" | "はい" | "1" | "ある" | "する" => Some("yes".into()),
            "n" | "no" | "いいえ" | "0" | "なし" | "ない" | "しない" => Some("no".into()),
            _ => None,
        },
        Domain::Place => known_place(vocabulary, line),
        Domain::Places if is_none(&lower) => Some("none".into()),
        Domain::Places => {
            let codes: Option<Vec<String>> = line.split([',', '、']).map(|p| known_place(vocabulary, p)).collect();
            codes.map(|c| format!("{{{}}}", c.join(",")))
        }
        Domain::OneOf(_) => choice(&offered(fact), &lower),
        Domain::SetOf(_) => {
            if is_none(&lower) {
                return Some("none".into());
            }
            let chosen: Option<Vec<String>> = lower.split([',', '、']).map(|w| choice(&offered(fact), w.trim())).collect();
            chosen.map(|c| format!("{{{}}}", c.join(",")))
        }
        Domain::Count => line.replace([',', '_'], "").parse::<u64>().ok().map(|n| n.to_string()),
        Domain::Date => line.parse::<model::CivilDate>().ok().map(|d| d.to_string()),
    }
}

fn is_none(lower: &str) -> bool {
    ["0", "none", "なし", "無し", "ない"].contains(&lower)
}

fn choice(words: &[&Word], text: &str) -> Option<String> {
    let by_number = text.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).and_then(|i| words.get(i));
    by_number.or_else(|| words.iter().find(|w| w.id == text || w.label.en.eq_ignore_ascii_case(text) || w.label.ja == text)).map(|w| w.id.clone())
}

#[cfg(test)]
mod tests {
    use super::otherwise;

    #[test]
    fn what_is_otherwise_is_said_by_numbers() {
        assert_eq!(otherwise("y", 3), Some(Vec::new()));
        assert_eq!(otherwise("いいえ", 3), Some(vec![1, 2, 3]));
        assert_eq!(otherwise("2、 3", 3), Some(vec![2, 3]));
        for wrong in ["4", "0", "2,x", "maybe"] {
            assert_eq!(otherwise(wrong, 3), None, "{wrong}");
        }
    }
}
