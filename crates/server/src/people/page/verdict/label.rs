//! Slots, values, costs and days in words.

use crate::people::{
    asked::{self, Asked},
    tongue::{Tongue, word_of},
};
use decide::decision::Remedy;
use rulebook::{bind::Known, book::Rulebook};

/// Days, money and loss of use of a way.
pub fn cost(t: Tongue, r: &Remedy) -> String {
    let mut parts = vec![
        words::say(t.0, "days", &[("n", words::Arg::Number(r.days))]),
        t.with("money", &[("n", &thousands(r.money))]),
    ];
    if r.utility_loss > 0 {
        parts.push(words::say(t.0, "loss", &[("n", words::Arg::Number(r.utility_loss))]));
    }
    parts.join(" · ")
}

/// A number with its thousands apart.
fn thousands(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(c);
    }
    if n < 0 { format!("−{out}") } else { out }
}

pub(super) fn due(t: Tongue, book: &Rulebook, id: &str) -> String {
    use rulebook::law::Due;
    match book.obligations.iter().find(|o| o.head.id == id).map(|o| &o.due) {
        Some(Due::DaysAfter { days, fact, calendar }) => {
            let word = if calendar.is_some() { "page-due-working-days" } else { "page-due-days" };
            t.with(word, &[("n", &days.to_string()), ("fact", &slot_label(t, book, fact))])
        }
        Some(other) => t.word(&format!("page-due-{}", word_of(other))),
        None => String::new(),
    }
}

/// The name of a slot.
pub fn slot_label(t: Tongue, book: &Rulebook, slot: &str) -> String {
    let label = book.vocabulary.of_slot(slot).map(|f| t.text(&f.label).to_string()).unwrap_or_else(|| slot.to_string());
    match slot.split('.').next() {
        Some("exporter") => t.with("page-of-role", &[("role", &t.word("who-exporter")), ("what", &label)]),
        Some("recipient") => t.with("page-of-role", &[("role", &t.word("who-recipient")), ("what", &label)]),
        _ => label,
    }
}

/// The values of a slot in words.
pub fn said_label(t: Tongue, book: &Rulebook, slot: &str, asked: &Asked) -> String {
    in_words(t, book, slot, &asked.values(slot))
}

/// The values that were said of a slot in words.
pub fn values_label(t: Tongue, book: &Rulebook, slot: &str, said: &model::fact::Said) -> String {
    in_words(t, book, slot, &asked::spoken_words(&said.value))
}

/// What is known as values.
pub(super) fn known_values(known: &Known) -> Vec<String> {
    match known {
        Known::Values(words) | Known::Members(words) if !words.is_empty() => words.iter().cloned().collect(),
        other => vec![other.to_string()],
    }
}

pub(super) fn in_words(t: Tongue, book: &Rulebook, slot: &str, values: &[String]) -> String {
    let Some(fact) = book.vocabulary.of_slot(slot) else { return String::new() };
    let labels: Vec<String> = values.iter().map(|v| match v.as_str() {
        "none" => t.word("page-none-of-these"),
        v => t.text(&book.vocabulary.label(fact, v)).to_string(),
    }).collect();
    labels.join(t.word("page-comma").as_str())
}
