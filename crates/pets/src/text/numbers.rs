//! Numbers in running text that point at a person: identifiers with a check, and telephone numbers.

use super::{Spot, spot};
use crate::catalogue::{Scheme, Verdict};
use crate::classify::Knowledge;
use crate::classify::forms::is_phone;
use crate::dictionary::Role;
use crate::ratio::Ratio;
use std::ops::Range;

/// Characters looked at before a number for a word that announces it.
const CONTEXT_BYTES: usize = 40;
// LIMIT: a number with its separators is at most so long.
const NUMBER_BYTES_MAX: usize = 40;
/// Fewer digits than these point at nobody.
const DIGITS_MIN: usize = 6;

pub(super) fn find(text: &str, knowledge: &Knowledge, spots: &mut Vec<Spot>) {
    let mut at = 0;
    while let Some(digit) = next_digit(text.as_bytes(), at) {
        let stretch = stretch(text, at, digit);
        at = stretch.end.max(digit + 1);
        if let Some(inside) = text.get(stretch.clone()) {
            within(text, stretch.start, inside, knowledge, spots);
        }
    }
}

fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let wide = |at: usize| matches!(rest.get(at..at + 3), Some([0xef, 0xbc, 0x90..=0x99]));
    rest.iter()
        .enumerate()
        .position(|(at, b)| b.is_ascii_digit() || *b == 0xef && wide(at))
        .map(|at| from + at)
}

fn is_kept(c: char) -> bool {
    c.is_ascii_alphanumeric() || ('\u{ff10}'..='\u{ff19}').contains(&c)
}

fn is_separator(c: char) -> bool {
    matches!(c, '-' | '.' | ' ' | '/' | '(' | ')' | '\u{2010}' | '\u{ff0d}' | '\u{2212}')
}

/// What may belong to the number with this digit: letters and digits joined by single separators, as far as a number reaches.
fn stretch(text: &str, floor: usize, digit: usize) -> Range<usize> {
    let from = text.ceil_char_boundary(digit.saturating_sub(NUMBER_BYTES_MAX).max(floor));
    let (mut begun, mut kept_to, mut last_digit, mut separated) = (None, from, digit, false);
    for (at, c) in text.get(from..).unwrap_or("").char_indices().map(|(at, c)| (from + at, c)) {
        if at > last_digit + NUMBER_BYTES_MAX {
            break;
        }
        match begun {
            None if is_kept(c) || c == '+' || c == '(' => (begun, kept_to) = (Some(at), at + c.len_utf8()),
            None => continue,
            Some(_) if is_kept(c) => kept_to = at + c.len_utf8(),
            Some(_) if is_separator(c) && (!separated || matches!(c, ' ' | '(')) => {
                separated = true;
                continue;
            }
            Some(_) if at > digit => break,
            Some(_) => begun = (c == '+').then_some(at),
        }
        separated = false;
        if c.is_numeric() {
            last_digit = last_digit.max(at);
        }
    }
    begun.unwrap_or(digit)..kept_to
}

/// A place where a number may begin or end, with what stands before it.
#[derive(Clone, Copy)]
struct Edge {
    at: usize,
    digits: usize,
    kept: usize,
}

/// Where words begin, and where they end.
fn edges(inside: &str) -> (Vec<Edge>, Vec<Edge>) {
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    let mut edge = Edge { at: 0, digits: 0, kept: 0 };
    let mut before = ' ';
    for (at, c) in inside.char_indices() {
        edge.at = at;
        let is_word = c.is_alphanumeric();
        if (is_word || c == '+' || c == '(') && !before.is_alphanumeric() {
            starts.push(edge);
        }
        if !is_word && before.is_alphanumeric() {
            ends.push(edge);
        }
        edge.digits += usize::from(c.is_numeric());
        edge.kept += usize::from(is_word);
        before = c;
    }
    if before.is_alphanumeric() {
        ends.push(Edge { at: inside.len(), ..edge });
    }
    (starts, ends)
}

// Words may stand before or after the number: look at what is between word boundaries, the longest first.
fn within(text: &str, offset: usize, inside: &str, knowledge: &Knowledge, spots: &mut Vec<Spot>) {
    let (starts, ends) = edges(inside);
    let mut free = 0;
    for from in starts {
        if from.at < free {
            continue;
        }
        let near = ends.partition_point(|e| e.at <= from.at + NUMBER_BYTES_MAX);
        let far_enough = ends.get(..near).unwrap_or(&[]).iter().rev();
        for to in far_enough.take_while(|e| e.digits >= from.digits + DIGITS_MIN) {
            let Some(value) = inside.get(from.at..to.at) else { continue };
            let range = offset + from.at..offset + to.at;
            let before = text.get(..range.start).unwrap_or("");
            if let Some(scheme) = identifier(value, to.kept - from.kept, before, knowledge) {
                spot(spots, range, &scheme.id, scheme.role);
            } else if is_phone(value) {
                spot(spots, range, "phone", Role::DirectIdentifier);
            } else {
                continue;
            }
            free = to.at;
            break;
        }
    }
}

/// The scheme that a number is of: announced by a word before it, or too unlikely by chance.
fn identifier<'a>(value: &str, kept: usize, before: &str, knowledge: &'a Knowledge) -> Option<&'a Scheme> {
    let schemes = knowledge.catalogue.schemes().iter();
    let mut passing = schemes.filter(|s| s.may_have(kept) && s.judge(value) == Verdict::Passes).peekable();
    passing.peek()?;
    let from = before.ceil_char_boundary(before.len().saturating_sub(CONTEXT_BYTES));
    let context = knowledge.words.header(before.get(from..).unwrap_or(""));
    let unlikely = Ratio::share(11, 1000);
    let told = passing.filter_map(|s| {
        let announced = knowledge.words.announced(&context, &s.headers, &[]).is_some();
        (announced || (s.is_arithmetic() && s.chance <= unlikely)).then_some((!announced, s.chance, s))
    });
    told.min_by_key(|(unannounced, chance, _)| (*unannounced, *chance)).map(|(_, _, scheme)| scheme)
}
