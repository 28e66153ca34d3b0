//! Finds persons in running text, English and Japanese: addresses of mail, telephone numbers, identifiers, names, places.
//!
//! A single number proves little, so an identifier is reported only if chance hardly passes its check, or if a word
//! that announces it stands before it.

use crate::catalogue::{Scheme, Verdict};
use crate::classify::Knowledge;
use crate::classify::forms::{is_email, is_phone};
use crate::dictionary::Role;
use crate::ratio::Ratio;
use crate::words::is_japanese;
use std::ops::Range;

/// A place in a text that points at a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spot {
    /// Where, in bytes.
    pub range: Range<usize>,
    /// What: `email`, `phone`, `person-name`, `address`, or a scheme of the catalogue.
    pub kind: String,
    /// What it does to privacy.
    pub role: Role,
}

/// Characters looked at before a number for a word that announces it.
const CONTEXT_BYTES: usize = 40;
// LIMIT: texts are looked at up to this many bytes.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// Finds spots, in the order of the text, without overlap.
pub fn find(text: &str, knowledge: &Knowledge) -> Vec<Spot> {
    let text = match text.char_indices().find(|(at, _)| *at >= TEXT_BYTES_MAX) {
        Some((at, _)) => text.get(..at).unwrap_or(text),
        None => text,
    };
    let mut spots = Vec::new();
    mails(text, &mut spots);
    numbers(text, knowledge, &mut spots);
    addresses(text, &mut spots);
    names(text, knowledge, &mut spots);
    spots.sort_by_key(|s| (s.range.start, std::cmp::Reverse(s.range.end)));
    let mut end = 0;
    spots.retain(|s| {
        let apart = s.range.start >= end;
        if apart {
            end = s.range.end;
        }
        apart
    });
    spots
}

fn spot(spots: &mut Vec<Spot>, range: Range<usize>, kind: &str, role: Role) {
    if !spots.iter().any(|s| s.range.start < range.end && range.start < s.range.end) {
        spots.push(Spot { range, kind: kind.into(), role });
    }
}

fn mails(text: &str, spots: &mut Vec<Spot>) {
    for (at, _) in text.match_indices('@') {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
        let start =
            text.get(..at).map_or(at, |before| at - before.chars().rev().take_while(|&c| plain(c)).count());
        let length = text.get(at + 1..).map_or(0, |after| after.chars().take_while(|&c| plain(c)).count());
        let end = at + 1 + length;
        let found = text.get(start..end).unwrap_or("").trim_end_matches(['.', '-']);
        if is_email(found) {
            spot(spots, start..start + found.len(), "email", Role::DirectIdentifier);
        }
    }
}

/// Runs of digits, letters among them, joined by single separators.
fn runs(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut begun: Option<usize> = None;
    let mut last_kept = 0;
    let mut separated = false;
    for (at, c) in text.char_indices().chain([(text.len(), '\n')]) {
        let kept = c.is_ascii_alphanumeric()
            || ('\u{ff10}'..='\u{ff19}').contains(&c)
            || (c == '+' && begun.is_none())
            || (c == '(' && begun.is_none());
        let separator = matches!(c, '-' | '.' | ' ' | '/' | '(' | ')' | '\u{2010}' | '\u{ff0d}' | '\u{2212}');
        match (begun, kept, separator) {
            (None, true, _) => (begun, last_kept, separated) = (Some(at), at + c.len_utf8(), false),
            (Some(_), true, _) => (last_kept, separated) = (at + c.len_utf8(), false),
            (Some(_), false, true) if !separated || matches!(c, ' ' | '(') => separated = true,
            (Some(start), false, _) => {
                out.push(start..last_kept);
                (begun, last_kept, separated) = ((c == '+').then_some(at), at + c.len_utf8(), false);
            }
            (None, false, _) => {}
        }
    }
    out
}

fn numbers(text: &str, knowledge: &Knowledge, spots: &mut Vec<Spot>) {
    for run in runs(text) {
        let Some(inside) = text.get(run.clone()) else { continue };
        // Words may stand before or after the number within the run: look at what is between word boundaries.
        let starts: Vec<usize> = boundaries(inside, true);
        let ends: Vec<usize> = boundaries(inside, false);
        'starts: for &from in &starts {
            for &to in ends.iter().rev().filter(|&&to| to > from + 5 && to - from <= 40) {
                let Some(value) = inside.get(from..to) else { continue };
                if value.chars().filter(|c| c.is_numeric()).count() < 6 {
                    continue;
                }
                let range = run.start + from..run.start + to;
                if let Some(scheme) = identifier(value, text.get(..range.start).unwrap_or(""), knowledge) {
                    spot(spots, range, &scheme.id, scheme.role);
                    continue 'starts;
                }
                if is_phone(value) {
                    spot(spots, range, "phone", Role::DirectIdentifier);
                    continue 'starts;
                }
            }
        }
    }
}

// LIMIT: boundaries looked at in one run, so that a page of digits costs no more than a line.
const BOUNDARIES_MAX: usize = 24;

fn boundaries(text: &str, starts: bool) -> Vec<usize> {
    let word = |c: char| c.is_alphanumeric() || c == '+' || c == '(';
    let mut out = Vec::new();
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if starts && word(c) && !before.is_alphanumeric() {
            out.push(at);
        }
        if !starts && !c.is_alphanumeric() && before.is_alphanumeric() {
            out.push(at);
        }
        before = c;
    }
    if !starts && before.is_alphanumeric() {
        out.push(text.len());
    }
    out.truncate(BOUNDARIES_MAX);
    out
}

/// The scheme that a number is of: announced by a word before it, or too unlikely by chance.
fn identifier<'a>(value: &str, before: &str, knowledge: &'a Knowledge) -> Option<&'a Scheme> {
    let from = before
        .char_indices()
        .rev()
        .map(|(at, _)| at)
        .take_while(|at| before.len() - at <= CONTEXT_BYTES)
        .last();
    let context = knowledge.words.header(from.and_then(|at| before.get(at..)).unwrap_or(""));
    let unlikely = Ratio::share(11, 1000);
    let passing = knowledge.catalogue.schemes().iter().filter(|s| s.judge(value) == Verdict::Passes);
    let told = passing.filter_map(|s| {
        let announced = knowledge.words.announced(&context, &s.headers, &[]).is_some();
        (announced || (s.is_arithmetic() && s.chance <= unlikely)).then_some((!announced, s.chance, s))
    });
    told.min_by_key(|(unannounced, chance, _)| (*unannounced, *chance)).map(|(_, _, scheme)| scheme)
}

const PREFECTURE_ENDS: [&str; 4] = ["都", "道", "府", "県"];

// 〒984-7289, and 〇〇県〇〇市…1-2-3: a prefecture, a town, a number.
fn addresses(text: &str, spots: &mut Vec<Spot>) {
    for (at, mark) in text.match_indices('〒') {
        let length = text.get(at + mark.len()..).map_or(0, |rest| {
            rest.char_indices()
                .find(|(_, c)| !(c.is_numeric() || "- ‐－".contains(*c)))
                .map_or(rest.len(), |(at, _)| at)
        });
        if length >= 7 {
            spot(spots, at..at + mark.len() + length, "address", Role::DirectIdentifier);
        }
    }
    for (at, end) in
        PREFECTURE_ENDS.iter().flat_map(|mark| text.match_indices(mark).map(|(at, m)| (at, at + m.len())))
    {
        let han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
        let name: usize = text
            .get(..at)
            .map_or(0, |before| before.chars().rev().take(3).take_while(han).map(char::len_utf8).sum());
        if name < 6 {
            continue;
        }
        let rest: String = text
            .get(end..)
            .unwrap_or("")
            .chars()
            .take(40)
            .take_while(|c| is_japanese(*c) || c.is_numeric() || "-－‐の".contains(*c))
            .collect();
        if rest.contains(['市', '区', '町', '村', '郡']) && rest.contains(|c: char| c.is_numeric()) {
            spot(spots, at - name..end + rest.len(), "address", Role::DirectIdentifier);
        }
    }
}

const HONORIFICS: [&str; 8] = ["様", "さん", "氏", "先生", "殿", "くん", "ちゃん", "さま"];
const TITLES: [&str; 8] = ["mr", "mrs", "ms", "miss", "dr", "prof", "sir", "madam"];

fn names(text: &str, knowledge: &Knowledge, spots: &mut Vec<Spot>) {
    japanese_names(text, knowledge, spots);
    let words: Vec<(usize, &str)> = latin_words(text);
    let capital = |w: &str| w.chars().next().is_some_and(char::is_uppercase) && w.chars().count() > 1;
    for (index, &(at, word)) in words.iter().enumerate() {
        let next = words.get(index + 1).filter(|(from, w)| {
            capital(w) && text.get(at + word.len()..*from).is_some_and(|gap| gap == " " || gap == ". ")
        });
        let Some(&(from, second)) = next else { continue };
        let title = TITLES.contains(&word.to_lowercase().as_str());
        let named = capital(word)
            && knowledge.words.is_given(word)
            && (knowledge.words.is_family(second)
                || !knowledge.words.is_given(second) && second.len() > 2 && !is_sentence_start(text, at));
        if title
            || named
            || (capital(word) && knowledge.words.is_family(second) && knowledge.words.is_given(word))
        {
            spot(
                spots,
                if title { from } else { at }..from + second.len(),
                "person-name",
                Role::DirectIdentifier,
            );
        }
    }
}

fn is_sentence_start(text: &str, at: usize) -> bool {
    text.get(..at)
        .is_none_or(|before| before.trim_end().is_empty() || before.trim_end().ends_with(['.', '!', '?']))
}

fn latin_words(text: &str) -> Vec<(usize, &str)> {
    let letter = |c: char| c.is_alphabetic() && !is_japanese(c) || c == '\'';
    let mut out = Vec::new();
    let mut begun: Option<usize> = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (begun, letter(c)) {
            (None, true) => begun = Some(at),
            (Some(from), false) => {
                out.extend(text.get(from..at).map(|w| (from, w)));
                begun = None;
            }
            _ => {}
        }
    }
    out
}

// A listed family name, then a given name, a space between or not; or then an honorific.
fn japanese_names(text: &str, knowledge: &Knowledge, spots: &mut Vec<Spot>) {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let end_of = |index: usize| chars.get(index).map_or(text.len(), |(at, _)| *at);
    let mut index = 0;
    while let Some(&(at, c)) = chars.get(index) {
        let longest = is_japanese(c)
            .then(|| {
                (1..=4).rev().find(|&n| {
                    index + n <= chars.len()
                        && text.get(at..end_of(index + n)).is_some_and(|t| knowledge.words.is_family_ja(t))
                })
            })
            .flatten();
        let Some(length) = longest else {
            index += 1;
            continue;
        };
        let after = end_of(index + length);
        let rest = text.get(after..).unwrap_or("");
        let spaced = rest.strip_prefix([' ', '\u{3000}']).unwrap_or(rest);
        let gap = rest.len() - spaced.len();
        let given = (1..=3).rev().find_map(|n| {
            let end: usize = spaced.chars().take(n).map(char::len_utf8).sum();
            spaced
                .get(..end)
                .filter(|t| t.chars().count() == n && knowledge.words.is_given_ja(t))
                .map(|_| end)
        });
        // A family name of one character is too often a word of its own.
        let found = match given {
            Some(end) => Some(after + gap + end),
            None if length > 1 && HONORIFICS.iter().any(|h| spaced.starts_with(h)) => Some(after),
            None => None,
        };
        match found {
            Some(end) => {
                spot(spots, at..end, "person-name", Role::DirectIdentifier);
                index = chars.partition_point(|(from, _)| *from < end);
            }
            None => index += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::tests::knowledge;

    #[test]
    fn spots_in_letters_of_both_languages() {
        let knowledge = knowledge();
        let check = |text: &str, expect: &[(&str, &str)]| {
            let found: Vec<(String, &str)> =
                find(text, &knowledge).into_iter().map(|s| (s.kind, &text[s.range])).collect();
            let found: Vec<(&str, &str)> = found.iter().map(|(k, t)| (k.as_str(), *t)).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("Please write to lisa.lee@example.com.", &[("email", "lisa.lee@example.com")]);
        check(
            "Call Mr. Brown at +44 20 7946 0958 today",
            &[("person-name", "Brown"), ("phone", "+44 20 7946 0958")],
        );
        check(
            "Seen with James Wilson yesterday; blood pressure 138/78, weight 53.5 kg.",
            &[("person-name", "James Wilson")],
        );
        check(
            "佐藤花子様の電話番号は090-0123-4567です。",
            &[("person-name", "佐藤花子"), ("phone", "090-0123-4567")],
        );
        check(
            "担当の鈴木さんに連絡。マイナンバー：123456789018",
            &[("person-name", "鈴木"), ("jp-my-number", "123456789018")],
        );
        check(
            "住所は東京都千代田区霞が関1-2-3、〒100-0013",
            &[("address", "東京都千代田区霞が関1-2-3"), ("address", "〒100-0013")],
        );
        check(
            "Card 4111 1111 1111 1111, IBAN GB82 WEST 1234 5698 7654 32.",
            &[("payment-card", "4111 1111 1111 1111"), ("iban", "GB82 WEST 1234 5698 7654 32")],
        );
    }

    #[test]
    fn words_and_order_numbers_are_no_persons() {
        let knowledge = knowledge();
        for text in [
            "The order 123456789018 was shipped on 2026-04-01 at 10:30.",
            "Mark the frame, will you? Grace period ends.",
            "本田の工場の林を東へ進む。",
            "Temperature rose to 48.5 and 1,250 units were made in 2025.",
            "山口県の人口は減った。",
            "Version 10.2.33 build 20260401.",
        ] {
            assert_eq!(find(text, &knowledge), [], "{text}");
        }
    }
}
