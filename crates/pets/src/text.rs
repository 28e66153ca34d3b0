//! Finds persons in running text, English and Japanese: addresses of mail, telephone numbers, identifiers, names, places.
//!
//! A single number proves little, so an identifier is reported only if chance hardly passes its check, or if a word
//! that announces it stands before it. The text is read once: each byte is of a class, most classes mean nothing, and
//! the others (`@`, a digit, a capital, a lead byte of Japanese) call the search that may begin or end there.

use crate::classify::Knowledge;
use crate::classify::forms::is_email;
use crate::dictionary::Role;
use std::borrow::Cow;
use std::ops::Range;

mod japanese;
mod names;
mod numbers;
mod streets;

/// A place in a text that points at a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spot {
    /// Where, in bytes.
    pub range: Range<usize>,
    /// What: `email`, `phone`, `person-name`, `address`, or a scheme of the catalogue.
    pub kind: Cow<'static, str>,
    /// What it does to privacy.
    pub role: Role,
}

/// What a byte may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Nothing,
    At,
    Digit,
    /// A capital, or the lead byte of a letter that may be one.
    Capital,
    /// The lead byte of characters of three bytes, where all of Japanese is.
    Japanese,
    /// The lead byte of full-width digits.
    Wide,
}

const CLASSES: [Class; 256] = {
    let mut out = [Class::Nothing; 256];
    let mut byte = 0;
    while byte < 256 {
        out[byte] = match byte as u8 {
            b'@' => Class::At,
            b'0'..=b'9' => Class::Digit,
            b'A'..=b'Z' | 0xc3..=0xd1 => Class::Capital,
            0xe3..=0xe9 => Class::Japanese,
            0xef => Class::Wide,
            _ => Class::Nothing,
        };
        byte += 1;
    }
    out
};

/// How sure a search is: of spots that overlap, the surest stays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Surety {
    Mail,
    Number,
    Place,
    Name,
}

/// Spots in the order in which they were found, without overlap.
struct Spots {
    kept: Vec<(Surety, Spot)>,
}

impl Spots {
    fn add(&mut self, surety: Surety, range: Range<usize>, kind: impl Into<Cow<'static, str>>, role: Role) {
        // What is found later reaches back over at most a few.
        while let Some((before, last)) = self.kept.last() {
            if last.range.end <= range.start {
                break;
            }
            if *before <= surety {
                return;
            }
            self.kept.pop();
        }
        self.kept.push((surety, Spot { range, kind: kind.into(), role }));
    }
}

/// Finds spots, in the order of the text, without overlap.
pub fn find(text: &str, knowledge: &Knowledge) -> Vec<Spot> {
    let mut spots = Spots { kept: Vec::new() };
    let bytes = text.as_bytes();
    // Up to where each search has read, so that none reads a stretch twice.
    let (mut number_to, mut name_to, mut japanese_to) = (0, 0, 0);
    let mut at = 0;
    while let Some(step) = bytes.get(at..).and_then(|rest| rest.iter().position(|&b| class(b) != Class::Nothing)) {
        at += step;
        match bytes.get(at).map_or(Class::Nothing, |&b| class(b)) {
            Class::Nothing => {}
            Class::At => mail(text, at, &mut spots),
            Class::Digit => {
                if at >= number_to {
                    number_to = numbers::find(text, number_to, at, knowledge, &mut spots);
                }
            }
            Class::Wide => {
                let is_wide = matches!(bytes.get(at..at + 3), Some([0xef, 0xbc, 0x90..=0x99]));
                if at >= number_to && is_wide {
                    number_to = numbers::find(text, number_to, at, knowledge, &mut spots);
                }
                at += 2;
            }
            Class::Capital => {
                if at >= name_to && text.is_char_boundary(at) {
                    name_to = names::find(text, at, knowledge, &mut spots);
                }
            }
            Class::Japanese => {
                let floor = japanese_to;
                japanese_to = japanese_to.max(japanese::find(text, at, floor, knowledge, &mut spots));
                at += 2;
            }
        }
        at += 1;
    }
    spots.kept.into_iter().map(|(_, spot)| spot).collect()
}

fn class(byte: u8) -> Class {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(Class::Nothing)
}

/// The text with each spot covered by its kind: `Call [person-name] at [phone]`.
pub fn covered(text: &str, spots: &[Spot]) -> String {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for spot in spots {
        out.push_str(text.get(from..spot.range.start).unwrap_or(""));
        out.push('[');
        out.push_str(&spot.kind);
        out.push(']');
        from = spot.range.end;
    }
    out.push_str(text.get(from..).unwrap_or(""));
    out
}

// LIMIT: what stands before or after an `@` is read to so many bytes.
const MAIL_BYTES_MAX: usize = 128;

fn mail(text: &str, at: usize, spots: &mut Spots) {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"._%+-".contains(b);
    let bytes = text.as_bytes();
    let before = bytes.get(at.saturating_sub(MAIL_BYTES_MAX)..at).unwrap_or(&[]);
    let start = at - before.iter().rev().take_while(|b| plain(b)).count();
    let after = bytes.get(at + 1..).unwrap_or(&[]);
    let end = at + 1 + after.iter().take(MAIL_BYTES_MAX).take_while(|b| plain(b)).count();
    let found = text.get(start..end).unwrap_or("").trim_end_matches(['.', '-']);
    if is_email(found) {
        spots.add(Surety::Mail, start..start + found.len(), "email", Role::DirectIdentifier);
    }
}

#[cfg(test)]
mod tests;
