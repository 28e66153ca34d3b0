//! A header as words, in any of the ways that headers are written.

use super::is_japanese;
use std::collections::HashSet;

/// A column's header as words.
#[derive(Clone, Debug)]
pub struct Header {
    full: String,
    short: String,
}

impl Header {
    // `BirthDate`, `birth_date`, `birth-date` and `Birth date (JST)` read alike.
    pub(super) fn of(column: &str, units: &HashSet<String>) -> Self {
        let mut spaced = String::with_capacity(column.len() + 8);
        let mut before = ' ';
        for c in column.chars() {
            let breaks = c.is_uppercase() && before.is_lowercase();
            if breaks {
                spaced.push(' ');
            }
            let separates = !(c.is_alphanumeric() || c == '\u{3012}');
            spaced.extend(if separates { ' ' } else { c }.to_lowercase());
            before = c;
        }
        let tokens: Vec<&str> = spaced.split_whitespace().collect();
        let kept: Vec<&str> = tokens.iter().copied().filter(|t| !units.contains(*t)).collect();
        Self {
            full: tokens.join(" "),
            short: if kept.is_empty() { tokens.join(" ") } else { kept.join(" ") },
        }
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.full == word || self.short == word
    }

    // As whole tokens; in scripts without spaces as a part, if it is longer than one character.
    pub(super) fn holds(&self, word: &str) -> bool {
        // Many words are asked for: most are told apart by their length and script.
        if word.len() > self.full.len() || word.is_empty() {
            return false;
        }
        if !word.is_ascii() {
            if self.full.is_ascii() {
                return false;
            }
            if word.chars().any(|c| is_japanese(c) || ('\u{ac00}'..='\u{d7a3}').contains(&c)) {
                return word.chars().count() > 1 && self.full.contains(word);
            }
        }
        let (mut rest, word) = (self.full.as_bytes(), word.as_bytes());
        loop {
            if rest.strip_prefix(word).is_some_and(|after| after.first().is_none_or(|b| *b == b' ')) {
                return true;
            }
            match rest.iter().position(|b| *b == b' ').and_then(|at| rest.get(at + 1..)) {
                Some(after) => rest = after,
                None => return false,
            }
        }
    }
}
