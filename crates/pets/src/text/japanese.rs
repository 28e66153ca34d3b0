//! Japanese text: addresses by their prefecture and town, names by the lists and what follows them, foreign names in
//! Katakana by the point between their parts.

use super::{Spots, Surety};
use crate::classify::Knowledge;
use crate::dictionary::Role;
use crate::words::is_japanese;
use std::ops::Range;

const HONORIFICS: [&str; 16] = [
    "様", "さん", "氏", "先生", "殿", "くん", "ちゃん", "さま", "君", "選手", "監督", "投手", "議員", "社長", "教授", "博士",
];
/// What may follow a name whose given part no list has.
const PARTICLES: [char; 12] = ['は', 'が', 'の', 'を', 'と', 'に', 'も', 'や', '（', '、', '・', '。'];
// LIMIT: an address after its prefecture is read to so many characters.
const ADDRESS_CHARS_MAX: usize = 40;
// LIMIT: family and given names of the lists have at most so many characters.
const FAMILY_CHARS_MAX: usize = 4;
const GIVEN_CHARS_MAX: usize = 4;
// LIMIT: a part of a foreign name has at most so many characters, a name so many parts.
const PART_CHARS_MAX: usize = 9;
const PARTS_MAX: usize = 4;

/// Looks at the character at `at`; names are read from `floor` on. Says how far a name was read.
pub(super) fn find(text: &str, at: usize, floor: usize, knowledge: &Knowledge, spots: &mut Spots) -> usize {
    let Some(rest) = text.get(at..) else { return at };
    let Some(c) = rest.chars().next() else { return at };
    match c {
        '〒' => postcode(at, rest, spots),
        '都' | '道' | '府' | '県' => address(text, at, spots),
        _ => {}
    }
    if at < floor || !is_japanese(c) {
        return at;
    }
    let before = text.get(..at).and_then(|t| t.chars().next_back());
    if is_katakana(c) {
        if before.is_some_and(|c| is_katakana(c) || c == '・') {
            return at;
        }
        let (end, is_name) = foreign(rest, before, knowledge);
        if is_name {
            spots.add(Surety::Name, at..at + end, "person-name", Role::DirectIdentifier);
        }
        return at + end;
    }
    let Some(name) = name(text, at, before.is_some_and(is_han), knowledge) else { return at };
    let end = name.end;
    spots.add(Surety::Name, name, "person-name", Role::DirectIdentifier);
    end
}

fn is_han(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c) || c == '々'
}

fn is_katakana(c: char) -> bool {
    ('\u{30a1}'..='\u{30fa}').contains(&c) || c == 'ー'
}

// 〒984-7289
fn postcode(at: usize, rest: &str, spots: &mut Spots) {
    let mark = '〒'.len_utf8();
    let number = rest.get(mark..).unwrap_or("");
    let length = number
        .char_indices()
        .find(|(_, c)| !(c.is_numeric() || "- ‐－".contains(*c)))
        .map_or(number.len(), |(at, _)| at);
    if length >= 7 {
        spots.add(Surety::Place, at..at + mark + length, "address", Role::DirectIdentifier);
    }
}

// 〇〇県〇〇市…1-2-3: a prefecture, a town, a number.
fn address(text: &str, at: usize, spots: &mut Spots) {
    let before = text.get(..at).unwrap_or("");
    let name: usize = before.chars().rev().take(3).take_while(|c| is_han(*c)).map(char::len_utf8).sum();
    let end = at + '県'.len_utf8();
    if name < 6 {
        return;
    }
    let goes_on = |c: &char| is_japanese(*c) || c.is_numeric() || "-－‐の".contains(*c);
    let tail = text.get(end..).unwrap_or("");
    let length: usize = tail.chars().take(ADDRESS_CHARS_MAX).take_while(goes_on).map(char::len_utf8).sum();
    let rest = tail.get(..length).unwrap_or("");
    if rest.contains(['市', '区', '町', '村', '郡']) && rest.contains(|c: char| c.is_numeric()) {
        spots.add(Surety::Place, at - name..end + rest.len(), "address", Role::DirectIdentifier);
    }
}

// ジョン・スミス: where a text of Katakana parts ends, and whether it reads as a person's name.
fn foreign(rest: &str, before: Option<char>, knowledge: &Knowledge) -> (usize, bool) {
    let (mut end, mut parts, mut longest, mut here) = (0, 1, 0, 0);
    for (at, c) in rest.char_indices() {
        match c {
            c if is_katakana(c) => here += 1,
            '・' | '＝' if here > 0 => (parts, here) = (parts + 1, 0),
            _ => break,
        }
        longest = longest.max(here);
        end = at + c.len_utf8();
    }
    let is_row = (2..=PARTS_MAX).contains(&parts) && here > 1 && longest <= PART_CHARS_MAX;
    if !is_row || before.is_some_and(|c| matches!(c, '「' | '『')) {
        return (end, false);
    }
    let (name, after) = rest.split_at_checked(end).unwrap_or_default();
    // `…・ヤンキース社`, `…」`: a thing or a body.
    let goes_on = after.starts_with(|c: char| is_han(c) || matches!(c, '」' | '』')) && !is_honored(after);
    (end, !goes_on && !knowledge.words.is_no_name_ja(name))
}

fn is_honored(after: &str) -> bool {
    // Told by the first character nearly always, which is three bytes in all of them.
    let first = after.as_bytes().first_chunk::<3>();
    HONORIFICS.iter().any(|h| h.as_bytes().first_chunk::<3>() == first && after.starts_with(h))
}

/// A name that begins here: a listed family name, then a given name, a space between or not; or an honorific.
fn name(text: &str, at: usize, inside_word: bool, knowledge: &Knowledge) -> Option<Range<usize>> {
    let words = &knowledge.words;
    let rest = text.get(at..)?;
    if !words.may_begin_family_ja(rest.chars().next()?) {
        return None;
    }
    for (family, length) in prefixes(rest, FAMILY_CHARS_MAX).filter(|(name, _)| words.is_family_ja(name)) {
        let after = rest.get(family.len()..)?;
        let spaced = after.strip_prefix([' ', '\u{3000}']).unwrap_or(after);
        let from = at + family.len() + (after.len() - spaced.len());
        for (given, count) in prefixes(spaced, GIVEN_CHARS_MAX).filter(|(name, _)| words.is_given_ja(name)) {
            let tail = spaced.get(given.len()..).unwrap_or("");
            // Inside a compound of characters a name is told only by two listed parts of some length.
            let runs_on = tail.starts_with(is_han) && !is_honored(tail);
            let short = count == 1 && length == 1 || inside_word && (count == 1 || length == 1);
            if !runs_on && !short {
                return Some(at..from + given.len());
            }
        }
        if inside_word {
            // 担当鈴木様
            return (length > 1 && is_honored(spaced)).then(|| at..at + family.len());
        }
        // A family name of one character is too often a word of its own.
        if length > 1 && is_honored(spaced) {
            return Some(at..at + family.len());
        }
        let unknown: usize = spaced.chars().take_while(|c| is_han(*c)).count();
        let given: usize = spaced.chars().take(unknown).map(char::len_utf8).sum();
        let follows = spaced.get(given..).is_some_and(|t| t.starts_with(PARTICLES));
        if length > 1 && unknown == 2 && follows && words.may_end_given_ja(spaced.get(..given)?) {
            return Some(at..from + given);
        }
    }
    None
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
