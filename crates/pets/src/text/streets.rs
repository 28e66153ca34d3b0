//! Addresses in Latin script: a number and a kind of street beside capitalized words.

use super::names;
use crate::classify::Knowledge;
use crate::words::{Part, Words};
use std::ops::Range;

// LIMIT: words between the number and the kind of street.
const WORDS_MAX: usize = 5;
/// A house has a number of at most so many digits.
const DIGITS_MAX: usize = 5;

/// `488 Victor Hugo Street`: from the number on, if the digit at `digit` begins one and a street follows.
pub(super) fn after_number(text: &str, floor: usize, digit: usize, knowledge: &Knowledge) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let digits = bytes.get(digit..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    let begins = digit == floor || !bytes.get(digit - 1).is_some_and(u8::is_ascii_alphanumeric);
    if digits > DIGITS_MAX || !begins {
        return None;
    }
    let mut at = digit + digits;
    let mut found = None;
    for _ in 0..WORDS_MAX {
        let space = matches!(bytes.get(at), Some(b' ')).then_some(at + 1)?;
        let word = names::word(text, space);
        if !word.starts_with(char::is_uppercase) && knowledge.words.part(word) != Part::Particle {
            break;
        }
        at = space + word.len();
        if knowledge.words.is_street(word) && at > digit + digits + 2 {
            found = Some(at);
        }
        if bytes.get(at) != Some(&b' ') {
            break;
        }
    }
    Some(digit..tail(text, found?))
}

/// `Lindenstraße 12`: a row of words with a street among them, and the number behind.
pub(super) fn before_number(text: &str, row: Range<usize>) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = row.end;
    if bytes.get(at) == Some(&b'.') {
        at += 1;
    }
    if bytes.get(at) == Some(&b',') {
        at += 1;
    }
    at += usize::from(bytes.get(at) == Some(&b' '));
    let digits = bytes.get(at..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    (1..=DIGITS_MAX).contains(&digits).then(|| row.start..tail(text, at + digits))
}

/// True when a house number or a kind of street stands beside, so that the words are a place's.
pub(super) fn surround(text: &str, range: Range<usize>, words: &Words) -> bool {
    let before = text.get(..range.start).unwrap_or("").trim_end_matches([' ', ',']);
    if before.ends_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    let bare = before.trim_end_matches('.');
    let start = bare.char_indices().rev().take_while(|(_, c)| c.is_alphabetic()).last().map_or(bare.len(), |(at, _)| at);
    // `Dr` is a drive and a doctor: a title is no street.
    let word = bare.get(start..).unwrap_or("");
    if !word.is_empty() && words.part(word) == Part::Street {
        return true;
    }
    let after = text.get(range.end..).unwrap_or("");
    let after = after.strip_prefix(',').unwrap_or(after);
    let Some(rest) = after.strip_prefix(' ') else { return false };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let ends = !rest.as_bytes().get(digits).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'/'));
    (1..=DIGITS_MAX).contains(&digits) && ends || words.is_street(names::word(rest, 0))
}

// LIMIT: what follows the street is read to so many bytes.
const TAIL_BYTES_MAX: usize = 80;

/// Flat, postcode, town and country behind a street, as far as capitals and numbers go on.
fn tail(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or("");
    let rest = rest.get(..rest.floor_char_boundary(TAIL_BYTES_MAX)).unwrap_or(rest);
    let (mut end, mut fresh, mut has_number) = (0, false, false);
    for (at, c) in rest.char_indices() {
        match c {
            ' ' | ',' | '\n' | '.' => fresh = true,
            c if fresh && c.is_lowercase() => break,
            c if c.is_alphanumeric() || c == '-' => {
                fresh = false;
                has_number |= c.is_ascii_digit();
                end = at + c.len_utf8();
            }
            _ => break,
        }
    }
    // Without a number behind it, what follows may be the next sentence.
    if has_number { from + end } else { from }
}
