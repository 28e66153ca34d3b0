//! Japanese text: addresses by their prefecture and town, names by the lists and what follows them.

use super::{Spot, spot};
use crate::classify::Knowledge;
use crate::dictionary::Role;
use crate::words::is_japanese;

const HONORIFICS: [&str; 8] = ["様", "さん", "氏", "先生", "殿", "くん", "ちゃん", "さま"];
// LIMIT: an address after its prefecture is read to so many characters.
const ADDRESS_CHARS_MAX: usize = 40;
// LIMIT: family and given names of the lists have at most so many characters.
const FAMILY_CHARS_MAX: usize = 4;
const GIVEN_CHARS_MAX: usize = 3;

pub(super) fn find(text: &str, knowledge: &Knowledge, spots: &mut Vec<Spot>) {
    let mut names = Vec::new();
    let mut free = 0;
    // A lead byte of three-byte characters, where all of Japanese is.
    let leads = text.bytes().enumerate().filter(|(_, b)| (0xe3..=0xe9).contains(b)).map(|(at, _)| at);
    for at in leads {
        let Some(rest) = text.get(at..) else { continue };
        let Some(c) = rest.chars().next() else { continue };
        match c {
            '〒' => postcode(at, rest, spots),
            '都' | '道' | '府' | '県' => address(text, at, spots),
            _ => {}
        }
        if at >= free
            && is_japanese(c)
            && let Some(end) = name(text, at, knowledge)
        {
            spot(&mut names, at..end, "person-name", Role::DirectIdentifier);
            free = end;
        }
    }
    // A town may be called as a family is: addresses are surer.
    spots.append(&mut names);
}

// 〒984-7289
fn postcode(at: usize, rest: &str, spots: &mut Vec<Spot>) {
    let mark = '〒'.len_utf8();
    let number = rest.get(mark..).unwrap_or("");
    let length = number
        .char_indices()
        .find(|(_, c)| !(c.is_numeric() || "- ‐－".contains(*c)))
        .map_or(number.len(), |(at, _)| at);
    if length >= 7 {
        spot(spots, at..at + mark + length, "address", Role::DirectIdentifier);
    }
}

// 〇〇県〇〇市…1-2-3: a prefecture, a town, a number.
fn address(text: &str, at: usize, spots: &mut Vec<Spot>) {
    let han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
    let before = text.get(..at).unwrap_or("");
    let name: usize = before.chars().rev().take(3).take_while(han).map(char::len_utf8).sum();
    let end = at + '県'.len_utf8();
    if name < 6 {
        return;
    }
    let goes_on = |c: &char| is_japanese(*c) || c.is_numeric() || "-－‐の".contains(*c);
    let tail = text.get(end..).unwrap_or("");
    let length: usize = tail.chars().take(ADDRESS_CHARS_MAX).take_while(goes_on).map(char::len_utf8).sum();
    let rest = tail.get(..length).unwrap_or("");
    if rest.contains(['市', '区', '町', '村', '郡']) && rest.contains(|c: char| c.is_numeric()) {
        spot(spots, at - name..end + rest.len(), "address", Role::DirectIdentifier);
    }
}

/// Where a name ends that begins here: a listed family name, then a given name, a space between or not; or an honorific.
fn name(text: &str, at: usize, knowledge: &Knowledge) -> Option<usize> {
    let words = &knowledge.words;
    let rest = text.get(at..)?;
    if !words.may_begin_family_ja(rest.chars().next()?) {
        return None;
    }
    let (family, length) = prefixes(rest, FAMILY_CHARS_MAX).find(|(name, _)| words.is_family_ja(name))?;
    let after = rest.get(family.len()..)?;
    let spaced = after.strip_prefix([' ', '\u{3000}']).unwrap_or(after);
    let from = at + family.len() + (after.len() - spaced.len());
    if let Some((given, _)) = prefixes(spaced, GIVEN_CHARS_MAX).find(|(name, _)| words.is_given_ja(name)) {
        return Some(from + given.len());
    }
    // A family name of one character is too often a word of its own.
    (length > 1 && HONORIFICS.iter().any(|h| spaced.starts_with(h))).then_some(at + family.len())
}

/// The first characters of a text, from `most` of them down to one, with their number.
fn prefixes(text: &str, most: usize) -> impl Iterator<Item = (&str, usize)> {
    let mut ends = [0; FAMILY_CHARS_MAX];
    let mut count = 0;
    for ((at, c), end) in text.char_indices().take(most).zip(&mut ends) {
        *end = at + c.len_utf8();
        count += 1;
    }
    (0..count).rev().filter_map(move |n| Some((text.get(..*ends.get(n)?)?, n + 1)))
}
