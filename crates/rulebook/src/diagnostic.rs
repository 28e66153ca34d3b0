//! What is wrong in a text, where, and what to do.

use serde::Serialize;
use std::fmt;

/// A stretch of one source text, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize)]
pub struct Span {
    /// Index of the text in the list that was parsed.
    pub file: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the rulebook loads.
    Warning,
    /// The rulebook does not load.
    Error,
}

/// One finding about a human text: a stable code, a message, a place, and help.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Diagnostic {
    /// Stable code, `TGT-R…` for rules, `TGT-T…` for transfers.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// One line: what is wrong.
    pub message: String,
    /// Where, when the text is at hand.
    pub span: Option<Span>,
    /// What to do.
    pub help: String,
}

impl Diagnostic {
    /// Makes an error.
    pub fn error(code: &'static str, span: impl Into<Option<Span>>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), span: span.into(), help: help.into() }
    }

    /// Makes a warning.
    pub fn warning(code: &'static str, span: impl Into<Option<Span>>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message, help) }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        if !self.help.is_empty() {
            write!(f, " ({})", self.help)?;
        }
        Ok(())
    }
}

/// The word nearest to a mistyped one, when one is near enough to suggest.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = length.div_ceil(2).clamp(1, 3);
    known
        .into_iter()
        // As many edits as the lengths differ by, at least: a long word is not held against each short one.
        .filter(|k| k.chars().count().abs_diff(length) <= limit)
        .map(|k| (distance(word, k), k))
        .filter(|(d, _)| *d <= limit)
        .min()
        .map(|(_, k)| k)
}

/// The help line for an unknown word.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|k| format!("did you mean `{k}`?")).unwrap_or_default()
}

/// Edits between two words; a swap of neighbors counts as one, since fingers make it so.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let width = b.len() + 1;
    let mut cost: Vec<usize> = (0..width).collect();
    let at = |cost: &[usize], i: usize, j: usize| cost.get(i * width + j).copied().unwrap_or(usize::MAX / 2);
    for (i, ca) in a.iter().enumerate() {
        cost.push(i + 1);
        for (j, cb) in b.iter().enumerate() {
            let mut best = (at(&cost, i, j) + usize::from(ca != cb)).min(at(&cost, i, j + 1) + 1).min(at(&cost, i + 1, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(cb) && b.get(j - 1) == Some(ca);
            if swapped {
                best = best.min(at(&cost, i - 1, j - 1) + 1);
            }
            cost.push(best);
        }
    }
    cost.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        assert_eq!(nearest("recipiant.place", ["recipient.place", "hop.mode"]), Some("recipient.place"));
        assert_eq!(nearest("zebra", ["recipient.place", "hop.mode"]), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("gaet", "gate"), 1);
    }
}
