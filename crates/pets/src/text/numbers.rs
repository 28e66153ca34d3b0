//! Numbers in running text that point at a person: identifiers with a check, and telephone numbers.

use super::{Spots, Surety, streets};
use crate::catalogue::Scheme;
use crate::classify::Knowledge;
use crate::classify::forms::is_phone;
use crate::dictionary::Role;
use crate::ratio::Ratio;
use crate::words::{Header, Words};
use std::cell::OnceCell;
use std::ops::Range;

/// Bytes looked at before a number for a word that announces it.
const CONTEXT_BYTES: usize = 40;
const PHONE_CONTEXT_BYTES: usize = 16;
// LIMIT: a number with its separators is at most so long.
const NUMBER_BYTES_MAX: usize = 40;
/// Letters that an identifier has as a word of their own.
const LETTERS_MAX: usize = 4;
/// Fewer digits than these point at nobody.
const DIGITS_MIN: usize = 6;

/// Reads the number with the digit at `digit`, not before `floor`; says how far was read.
pub(super) fn find(text: &str, floor: usize, digit: usize, knowledge: &Knowledge, spots: &mut Spots) -> usize {
    if let Some((range, kind)) = with_colons(text, floor, digit) {
        let end = range.end;
        spots.add(Surety::Number, range, kind, Role::LinkingCode);
        return end;
    }
    let stretch = stretch(text, floor, digit);
    let end = stretch.end.max(digit + 1);
    let Some(inside) = text.get(stretch.clone()) else { return end };
    let digits = inside.bytes().filter(u8::is_ascii_digit).count();
    let is_long = digits >= DIGITS_MIN || !inside.is_ascii();
    if digits >= 4 && inside.bytes().filter(|b| *b == b'.').count() >= 3 && address(inside, stretch.start, spots) {
        return end;
    }
    let found = is_long && within(text, stretch.start, inside, knowledge, spots);
    if !found && let Some(range) = streets::after_number(text, stretch.start, digit, knowledge) {
        let end = range.end;
        spots.add(Surety::Place, range, "address", Role::DirectIdentifier);
        return end;
    }
    end
}

/// Bytes that an address with colons has at most, and colons that one has at least: a time of day has as many and is none.
const COLONS_BYTES_MAX: usize = 39;
const COLONS_MIN: usize = 2;

/// The address of a machine that is written with colons: of the internet (version 6), or of its card.
fn with_colons(text: &str, floor: usize, digit: usize) -> Option<(Range<usize>, &'static str)> {
    let of_it = |b: &&u8| b.is_ascii_hexdigit() || **b == b':';
    let bytes = text.as_bytes();
    let before = bytes.get(floor..digit)?.iter().rev().take(COLONS_BYTES_MAX).take_while(of_it).count();
    let after = bytes.get(digit..)?.iter().take(COLONS_BYTES_MAX).take_while(of_it).count();
    let found = text.get(digit - before..digit + after)?;
    if found.bytes().filter(|b| *b == b':').count() < COLONS_MIN {
        return None;
    }
    // A colon before or behind it belongs to the sentence, two to the address.
    let start = digit - before + usize::from(found.starts_with(':') && !found.starts_with("::"));
    let end = digit + after - usize::from(found.ends_with(':') && !found.ends_with("::"));
    let is_apart = |b: Option<&u8>| b.is_none_or(|b| !b.is_ascii_alphanumeric());
    let value = text.get(start..end).filter(|_| is_apart(bytes.get(end)) && is_apart(start.checked_sub(1).and_then(|at| bytes.get(at))))?;
    let is_card = || value.len() == 17 && value.split(':').all(|pair| pair.len() == 2) && value.contains(|c: char| c.is_ascii_alphabetic());
    let kind = if value.parse::<std::net::Ipv6Addr>().is_ok() { "ip-address" } else if is_card() { "mac-address" } else { return None };
    Some((start..end, kind))
}

// Four numbers up to 255 with points between.
fn address(inside: &str, offset: usize, spots: &mut Spots) -> bool {
    let dotted = |b: &u8| b.is_ascii_digit() || *b == b'.';
    let from = inside.bytes().position(|b| b.is_ascii_digit()).unwrap_or(0);
    let length = inside.as_bytes().get(from..).unwrap_or(&[]).iter().take_while(|b| dotted(b)).count();
    let value = inside.get(from..from + length).unwrap_or("").trim_end_matches('.');
    let is_address = value.parse::<std::net::Ipv4Addr>().is_ok();
    if is_address {
        let from = offset + from;
        spots.add(Surety::Number, from..from + value.len(), "ip-address", Role::LinkingCode);
    }
    is_address
}

/// What a character is to a number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Digit,
    Letter,
    /// Between parts of a number; a space or a parenthesis may come after another.
    Separator,
    Space,
    Plus,
    /// Outside ASCII: looked at more closely.
    Wide,
    Other,
}

const SIGNS: [Sign; 256] = {
    let mut out = [Sign::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        out[byte] = match byte as u8 {
            b'0'..=b'9' => Sign::Digit,
            b'A'..=b'Z' | b'a'..=b'z' => Sign::Letter,
            b'-' | b'.' | b'/' | b')' => Sign::Separator,
            b' ' | b'(' => Sign::Space,
            b'+' => Sign::Plus,
            0x80.. => Sign::Wide,
            _ => Sign::Other,
        };
        byte += 1;
    }
    out
};

impl Sign {
    /// The sign at a place, and its bytes; full-width digits and hyphens count as those of ASCII.
    fn at(bytes: &[u8], at: usize) -> Option<(Self, usize)> {
        let byte = *bytes.get(at)?;
        let sign = SIGNS.get(usize::from(byte)).copied().unwrap_or(Self::Other);
        if sign != Self::Wide {
            return Some((sign, 1));
        }
        Some(match (byte, bytes.get(at + 1..at + 3)) {
            (0xef, Some([0xbc, 0x90..=0x99])) => (Self::Digit, 3),
            (0xef, Some([0xbc, 0x8d])) | (0xe2, Some([0x80, 0x90] | [0x88, 0x92])) => (Self::Separator, 3),
            (0xf0.., _) => (Self::Other, 4),
            (0xe0.., _) => (Self::Other, 3),
            _ => (Self::Other, 2),
        })
    }

    fn is_kept(self) -> bool {
        matches!(self, Self::Digit | Self::Letter)
    }
}

/// What may belong to the number with this digit: letters and digits joined by single separators, as far as a number reaches.
fn stretch(text: &str, floor: usize, digit: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let from = text.ceil_char_boundary(digit.saturating_sub(NUMBER_BYTES_MAX).max(floor));
    let (mut begun, mut kept_to, mut last_digit, mut separated) = (None, from, digit, false);
    let mut at = from;
    while let Some((sign, length)) = Sign::at(bytes, at).filter(|_| at <= last_digit + NUMBER_BYTES_MAX) {
        let here = at;
        at += length;
        if sign.is_kept() {
            begun = begun.or(Some(here));
            (kept_to, separated) = (at, false);
            if sign == Sign::Digit {
                last_digit = last_digit.max(here);
            }
            continue;
        }
        let opens = sign == Sign::Plus || bytes.get(here) == Some(&b'(');
        match begun {
            None if opens => (begun, kept_to) = (Some(here), at),
            None => continue,
            Some(_) if sign == Sign::Space || sign == Sign::Separator && !separated => {
                separated = true;
                continue;
            }
            Some(_) if here > digit => break,
            Some(_) => begun = (sign == Sign::Plus).then_some(here),
        }
        separated = false;
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

/// Where a number may begin, and where it may end: at words with a digit, and at the few letters that some have before or
/// behind (`AB 12 34 56 C`). Words of every day are neither.
fn edges(inside: &str) -> (Vec<Edge>, Vec<Edge>) {
    let (mut starts, mut ends) = (Vec::with_capacity(4), Vec::with_capacity(4));
    let mut edge = Edge { at: 0, digits: 0, kept: 0 };
    let mut word: Option<Edge> = None;
    let mut close = |word: Edge, end: Edge| {
        let text = inside.get(word.at..end.at).unwrap_or("");
        let short = text.len() <= LETTERS_MAX && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if end.digits > word.digits || short {
            starts.push(word);
            ends.push(end);
        }
    };
    let mut at = 0;
    while let Some((sign, length)) = Sign::at(inside.as_bytes(), at) {
        edge.at = at;
        at += length;
        match (sign.is_kept(), word) {
            (true, None) => word = Some(edge),
            (false, Some(begun)) => {
                close(begun, edge);
                word = None;
            }
            _ => {}
        }
        edge.digits += usize::from(sign == Sign::Digit);
        edge.kept += usize::from(sign.is_kept());
    }
    edge.at = inside.len();
    if let Some(begun) = word {
        close(begun, edge);
    }
    // A plus or a parenthesis before a number is part of it.
    let marked = |start: &Edge| inside.get(..start.at).is_some_and(|t| t.ends_with(['+', '(']));
    let more: Vec<Edge> = starts.iter().filter(|s| marked(s)).map(|s| Edge { at: s.at - 1, ..*s }).collect();
    for edge in more {
        let place = starts.partition_point(|s| s.at < edge.at);
        starts.insert(place, edge);
        if edge.at > 0 && inside.get(..edge.at).is_some_and(|t| t.ends_with(['+', '('])) {
            starts.insert(place, Edge { at: edge.at - 1, ..edge });
        }
    }
    (starts, ends)
}

// Words may stand before or after the number: look at what is between word boundaries, the longest first.
fn within(text: &str, offset: usize, inside: &str, knowledge: &Knowledge, spots: &mut Spots) -> bool {
    let (starts, ends) = edges(inside);
    let (mut free, mut found) = (0, false);
    for from in starts {
        if from.at < free {
            continue;
        }
        let before = Before::of(text.get(..offset + from.at).unwrap_or(""), knowledge);
        let near = ends.partition_point(|e| e.at <= from.at + NUMBER_BYTES_MAX);
        let far_enough = ends.get(..near).unwrap_or(&[]).iter().rev();
        for to in far_enough.take_while(|e| e.digits >= from.digits + DIGITS_MIN) {
            let Some(value) = inside.get(from.at..to.at) else { continue };
            let range = offset + from.at..offset + to.at;
            if let Some(scheme) = identifier(value, to.kept - from.kept, &before, knowledge) {
                spots.add(Surety::Number, range, scheme.id.clone(), scheme.role);
            } else if is_phone(value) || is_said_phone(value, &before, knowledge) {
                spots.add(Surety::Number, range, "phone", Role::DirectIdentifier);
            } else {
                continue;
            }
            (free, found) = (to.at, true);
            break;
        }
    }
    found
}

/// The words before a number, read when they are first asked for.
struct Before<'a> {
    text: &'a str,
    words: &'a Words,
    far: OnceCell<Header>,
    near: OnceCell<Header>,
}

impl<'a> Before<'a> {
    fn of(text: &'a str, knowledge: &'a Knowledge) -> Self {
        Self { text, words: &knowledge.words, far: OnceCell::new(), near: OnceCell::new() }
    }

    fn last(&self, bytes: usize) -> Header {
        let from = self.text.ceil_char_boundary(self.text.len().saturating_sub(bytes));
        self.words.header(self.text.get(from..).unwrap_or(""))
    }

    /// What may announce an identifier.
    fn far(&self) -> &Header {
        self.far.get_or_init(|| self.last(CONTEXT_BYTES))
    }

    /// What may announce a telephone number.
    fn near(&self) -> &Header {
        self.near.get_or_init(|| self.last(PHONE_CONTEXT_BYTES))
    }
}

/// The scheme that a number is of: announced by a word before it, or too unlikely by chance.
fn identifier<'a>(value: &str, kept: usize, before: &Before<'_>, knowledge: &'a Knowledge) -> Option<&'a Scheme> {
    let mut passing = knowledge.catalogue.passing(value, kept).peekable();
    passing.peek()?;
    let context = before.far();
    let unlikely = Ratio::share(11, 1000);
    let told = passing.filter_map(|s| {
        let announced = knowledge.words.announced(context, &s.headers, &[]).is_some();
        let alone = s.alone && !knowledge.words.is_of_a_thing(context);
        let told = announced || alone || s.is_arithmetic() && s.chance <= unlikely;
        told.then_some((!announced, s.chance, s))
    });
    told.min_by_key(|(unannounced, chance, _)| (*unannounced, *chance)).map(|(_, _, scheme)| scheme)
}

// A number of seven digits or more after a word for telephones, however it is written.
fn is_said_phone(value: &str, before: &Before<'_>, knowledge: &Knowledge) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let plain = value.bytes().all(|b| b.is_ascii_digit() || b"+-. ()/".contains(&b));
    if !plain || !(7..=15).contains(&digits) {
        return false;
    }
    let phone = knowledge.words.kinds().iter().find(|kind| kind.id == "phone");
    phone.is_some_and(|kind| knowledge.words.announced(before.near(), &kind.headers, &[]).is_some())
}
