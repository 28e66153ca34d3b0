//! Names of people in Latin script: capitalized words in a row, and what stands before and after them.
//!
//! A row is cut at words that are no names (days, places, `Street`, `Bank`). What is left is a name after a title or after
//! words that announce one (`my name is`), with an initial inside, or when the lists know enough of it. One word alone
//! needs more: a listed given name inside a sentence, or at its beginning before a verb.

use super::{Spots, Surety, streets};
use crate::classify::Knowledge;
use crate::dictionary::Role;
use crate::words::{Known, Part, Words, is_japanese};

// LIMIT: words of a row.
const WORDS_MAX: usize = 6;
// LIMIT: bytes looked at before a name.
const BEFORE_BYTES: usize = 32;

#[derive(Clone, Copy)]
struct Word<'a> {
    at: usize,
    text: &'a str,
    known: Known,
}

impl Word<'_> {
    fn end(&self) -> usize {
        self.at + self.text.len()
    }

    fn is_initial(&self) -> bool {
        self.text.chars().nth(1).is_none()
    }

    fn is_shouted(&self) -> bool {
        !self.is_initial() && !self.text.chars().any(char::is_lowercase)
    }
}

/// Reads the row that begins with the capital at `from`; says how far was read.
pub(super) fn find(text: &str, from: usize, knowledge: &Knowledge, spots: &mut Spots) -> usize {
    let words = &knowledge.words;
    let after_letter = text.get(..from).and_then(|t| t.chars().next_back()).is_some_and(|c| c.is_alphanumeric() || c == '@');
    if after_letter || !text.get(from..).and_then(|t| t.chars().next()).is_some_and(|c| c.is_uppercase()) {
        return from + 1;
    }
    let row = row(text, from, words);
    let end = row.last().map_or(from + 1, Word::end);
    let (mut begun, mut title) = (0, false);
    for (index, word) in row.iter().enumerate() {
        let inside = matches!(word.known.part, Part::Name) || word.known.part == Part::Particle && index > begun;
        if inside {
            continue;
        }
        let segment = row.get(begun..index).unwrap_or(&[]);
        // `Marina Fort Street`, `Davis Bank`: what a street or a body is called after is no person met.
        if !matches!(word.known.part, Part::Street | Part::Body) {
            judge(text, segment, title, words, spots);
        }
        (begun, title) = (index + 1, word.known.part == Part::Title);
    }
    judge(text, row.get(begun..).unwrap_or(&[]), title, words, spots);
    let is_street = row.iter().any(|w| w.known.part == Part::Street || words.is_known_street(w.text, w.known));
    if is_street && let Some(range) = streets::before_number(text, from..end) {
        spots.add(Surety::Place, range, "address", Role::DirectIdentifier);
    }
    end
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !is_japanese(c)
}

/// The word at a place: letters, with single apostrophes and hyphens between.
pub(super) fn word(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or("");
    let ascii = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    if rest.as_bytes().get(ascii).is_none_or(|b| b.is_ascii() && !matches!(b, b'\'' | b'-')) {
        return rest.get(..ascii).unwrap_or("");
    }
    let mut end = 0;
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let joins = matches!(c, '\'' | '’' | '-') && end > 0 && chars.peek().is_some_and(|(_, c)| c.is_uppercase());
        if !is_letter(c) && !joins {
            break;
        }
        end = at + c.len_utf8();
    }
    rest.get(..end).unwrap_or("")
}

fn row<'a>(text: &'a str, from: usize, words: &Words) -> Vec<Word<'a>> {
    let mut out: Vec<Word<'a>> = Vec::with_capacity(WORDS_MAX);
    let mut at = from;
    while out.len() < WORDS_MAX {
        let next = word(text, at);
        if next.is_empty() {
            break;
        }
        let capital = next.starts_with(char::is_uppercase);
        let known = words.known(next);
        if !capital && (known.part != Part::Particle || out.is_empty()) {
            break;
        }
        out.push(Word { at, text: next, known });
        at += next.len();
        let bytes = text.as_bytes();
        if bytes.get(at) == Some(&b'.') && (known.part == Part::Title || next.chars().nth(1).is_none()) {
            at += 1;
        }
        if bytes.get(at) != Some(&b' ') {
            break;
        }
        at += 1;
    }
    // A particle belongs to a name only if a capital follows it.
    while out.last().is_some_and(|w| w.known.part == Part::Particle && !w.text.starts_with(char::is_uppercase)) {
        out.pop();
    }
    out
}

fn judge(text: &str, segment: &[Word<'_>], title: bool, words: &Words, spots: &mut Spots) {
    let (Some(first), Some(last)) = (segment.first(), segment.last()) else { return };
    let before = text.get(..first.at).unwrap_or("");
    let before = before.get(before.ceil_char_boundary(before.len().saturating_sub(BEFORE_BYTES))..).unwrap_or("");
    let range = first.at..last.end();
    let is_name = if streets::surround(text, range.clone(), words) {
        false
    } else if title {
        true
    } else if words.announces_name(before) {
        !first.is_shouted() && !first.is_initial()
    } else {
        match segment {
            [alone] => is_single_name(text, *alone, before, words),
            _ => is_full_name(segment),
        }
    };
    if is_name {
        spots.add(Surety::Name, range, "person-name", Role::DirectIdentifier);
    }
}

// Two words or more: an initial between unknown words, or lists that know the first or the last.
fn is_full_name(segment: &[Word<'_>]) -> bool {
    let (Some(first), Some(last)) = (segment.first(), segment.last()) else { return false };
    if segment.len() > 5 || last.is_initial() {
        return false;
    }
    let initials = segment.iter().filter(|w| w.is_initial()).count();
    let (given, family) = (first.known.is_given(), last.known.is_family());
    if segment.iter().any(Word::is_shouted) {
        return given && family;
    }
    if initials > 0 {
        return !first.is_initial() || family || last.known.is_given();
    }
    // `Szabó Katalin` has the family name in front. `Grace Period`: a word of every day carries only another that the lists know.
    let sure = |w: &Word<'_>, known: bool| known && !w.known.is_word_too();
    given && family && !(first.known.is_word_too() && last.known.is_word_too())
        || sure(first, given)
        || sure(last, family)
        || first.known.is_family() && last.known.is_given()
}

fn is_single_name(text: &str, alone: Word<'_>, before: &str, words: &Words) -> bool {
    if alone.text.len() < 3 || alone.is_shouted() || !alone.known.is_given() || alone.known.is_word_too() {
        return false;
    }
    let lead = before.trim_end_matches([' ', '"']);
    let begins = lead.is_empty() || lead.ends_with(['.', '!', '?', ':', '\n']);
    if !begins {
        return before.ends_with(' ');
    }
    // At the beginning of a sentence any word has a capital: only a verb or a mark tells.
    let after = text.get(alone.end()..).unwrap_or("");
    match after.chars().next() {
        None | Some('\n' | ':' | ',') => true,
        Some('\'' | '’') => after.chars().nth(1) == Some('s'),
        Some(' ') => words.known(word(text, alone.end() + 1)).is_verb(),
        _ => false,
    }
}
