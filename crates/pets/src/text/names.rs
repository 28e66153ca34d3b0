//! Names of people in Latin script: two capitalized words of which the lists know enough, or one after a title.

use super::{Spot, spot};
use crate::classify::Knowledge;
use crate::dictionary::Role;
use crate::words::is_japanese;

const TITLES: [&str; 8] = ["mr", "mrs", "ms", "miss", "dr", "prof", "sir", "madam"];

pub(super) fn find(text: &str, knowledge: &Knowledge, spots: &mut Vec<Spot>) {
    let words = &knowledge.words;
    let mut at = 0;
    while let Some(from) = next_capital(text, at) {
        at = word_end(text, from);
        let (Some(second), Some((start, first))) = (text.get(from..at), word_before(text, from)) else {
            continue;
        };
        if second.chars().nth(1).is_none() {
            continue;
        }
        let title = TITLES.iter().any(|t| first.eq_ignore_ascii_case(t));
        let is_given = || is_capitalized(first) && words.is_given(first);
        let is_name = |second: &str| {
            words.is_family(second)
                || !words.is_given(second) && second.len() > 2 && !is_sentence_start(text, start)
        };
        if title || is_given() && is_name(second) {
            spot(spots, if title { from } else { start }..at, "person-name", Role::DirectIdentifier);
        }
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !is_japanese(c) || c == '\''
}

fn is_capitalized(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_uppercase) && chars.next().is_some()
}

/// The next capital that begins a word and follows a space: nothing else can be the second part of a name.
fn next_capital(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let begins = |pair: &[u8]| matches!(pair, [b' ', b'A'..=b'Z' | 0xc3..=0xe1]);
    let mut at = from.saturating_sub(1);
    loop {
        at += bytes.get(at..)?.windows(2).position(begins)? + 1;
        let first = text.get(at..).and_then(|rest| rest.chars().next());
        if at >= from && first.is_some_and(|c| c.is_uppercase() && is_letter(c)) {
            return Some(at);
        }
    }
}

fn word_end(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or("");
    rest.char_indices().find(|(_, c)| !is_letter(*c)).map_or(text.len(), |(at, _)| from + at)
}

/// The word before, parted by a space, or by a period and a space as after `Mr.`.
fn word_before(text: &str, from: usize) -> Option<(usize, &str)> {
    let before = text.get(..from)?.strip_suffix(' ')?;
    let before = before.strip_suffix('.').unwrap_or(before);
    let start = before.char_indices().rev().take_while(|(_, c)| is_letter(*c)).last().map(|(at, _)| at)?;
    Some((start, before.get(start..)?))
}

fn is_sentence_start(text: &str, at: usize) -> bool {
    text.get(..at)
        .is_none_or(|before| before.trim_end().is_empty() || before.trim_end().ends_with(['.', '!', '?']))
}
