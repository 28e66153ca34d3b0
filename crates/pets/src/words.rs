//! Header words, value lists and name lists: what columns hold, as data.

use crate::dictionary::Role;
use crate::intern::Mixed;
use model::text::Text;
use serde::Deserialize;
use std::collections::HashSet;
use std::fmt;
use std::hash::BuildHasherDefault;
use std::ops::Range;

/// A kind of column that is told by words and values rather than by check digits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Stable name: `birth-date`.
    pub id: String,
    /// For people.
    pub title: Text,
    /// What it does to privacy.
    pub role: Role,
    /// Header words that announce it.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Words beside which a header means something else.
    #[serde(default)]
    pub unless: Vec<String>,
    /// What nearly all of its values are.
    #[serde(default)]
    pub values: HashSet<String>,
}

/// All kinds and the lists of names.
#[derive(Clone, Debug)]
pub struct Words {
    kinds: Vec<Kind>,
    names: Names,
    family_ja_begins: HashSet<char, BuildHasherDefault<Mixed>>,
    units: HashSet<String>,
}

type Listed = HashSet<String, BuildHasherDefault<Mixed>>;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    family: Listed,
    given: Listed,
    family_ja: Listed,
    given_ja: Listed,
    companies: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Units {
    words: HashSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    kind: Vec<Kind>,
    names: Names,
    units: Units,
}

/// The text is no word list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotWords {
    /// Where in the text, in bytes, if one place is at fault.
    pub span: Option<Range<usize>>,
    message: String,
}

impl fmt::Display for NotWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pets/not-words)", self.message)
    }
}

impl std::error::Error for NotWords {}

/// How a header announces something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announced {
    /// The word that matched.
    pub word: String,
    /// True when the word is the whole header.
    pub whole: bool,
}

impl Words {
    /// Parses the lists; `profiles/words.toml` describes the format.
    pub fn parse(text: &str) -> Result<Self, NotWords> {
        let document: Document = toml::from_str(text)
            .map_err(|e| NotWords { span: e.span(), message: e.message().to_string() })?;
        let family_ja_begins =
            document.names.family_ja.iter().filter_map(|name| name.chars().next()).collect();
        let Document { kind: kinds, names, units } = document;
        Ok(Self { kinds, names, family_ja_begins, units: units.words })
    }

    /// The kinds.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Whether any of the words announces the column; the longest that does.
    pub fn announced(&self, header: &Header, words: &[String], unless: &[String]) -> Option<Announced> {
        if unless.iter().any(|word| header.holds(word)) {
            return None;
        }
        let found = words
            .iter()
            .filter(|word| header.is(word) || header.holds(word))
            .max_by_key(|w| (header.is(w), w.chars().count()))?;
        Some(Announced { word: found.clone(), whole: header.is(found) })
    }

    /// Reads a column's header.
    pub fn header(&self, column: &str) -> Header {
        Header::of(column, &self.units)
    }

    /// True when the text reads like a person's name by the lists of frequent names.
    pub fn is_name(&self, text: &str) -> bool {
        let tokens: Vec<String> = text
            .split([' ', '\u{3000}', '・', ',', '，'])
            .filter(|t| !t.is_empty())
            .map(str::to_lowercase)
            .collect();
        match tokens.as_slice() {
            [] => false,
            [alone] => self.is_joined_name(alone),
            tokens if tokens.len() <= 4 => {
                tokens.iter().all(|t| {
                    t.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '-' | '\'' | '\u{3005}'))
                }) && tokens.iter().any(|t| {
                    [&self.names.family, &self.names.given, &self.names.family_ja, &self.names.given_ja]
                        .iter()
                        .any(|list| list.contains(t))
                })
            }
            _ => false,
        }
    }

    /// True when a word of the text marks a company.
    pub fn is_company(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        let mut words = lower.split(|c: char| !(c.is_alphanumeric() || c == '&')).filter(|w| !w.is_empty());
        words.any(|w| self.names.companies.iter().any(|c| c == w))
            || self.names.companies.iter().any(|c| !c.is_ascii() && lower.contains(c.as_str()))
    }

    /// True for a frequent given name in Latin script.
    pub fn is_given(&self, word: &str) -> bool {
        is_listed(&self.names.given, word)
    }

    /// True for a frequent family name in Latin script.
    pub fn is_family(&self, word: &str) -> bool {
        is_listed(&self.names.family, word)
    }

    /// True for a frequent Japanese given name.
    pub fn is_given_ja(&self, word: &str) -> bool {
        self.names.given_ja.contains(word)
    }

    /// True when some frequent Japanese family name begins so; a quick look before [`Words::is_family_ja`].
    pub(crate) fn may_begin_family_ja(&self, c: char) -> bool {
        self.family_ja_begins.contains(&c)
    }

    /// True for a frequent Japanese family name.
    pub fn is_family_ja(&self, word: &str) -> bool {
        self.names.family_ja.contains(word)
    }

    // 佐藤花子 without a space: a family name of two characters or more in front, one to three behind; or one listed name alone.
    fn is_joined_name(&self, text: &str) -> bool {
        if self.names.family.contains(text)
            || self.names.given.contains(text)
            || self.names.family_ja.contains(text)
            || self.names.given_ja.contains(text)
        {
            return true;
        }
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        if !(3..=7).contains(&ends.len()) || !text.chars().all(is_japanese) {
            return false;
        }
        ends.iter().skip(2).take(2).any(|&at| {
            text.split_at_checked(at).is_some_and(|(family, given)| {
                self.names.family_ja.contains(family) && (1..=3).contains(&given.chars().count())
            })
        })
    }
}

// LIMIT: longer words are no listed names.
const NAME_BYTES_MAX: usize = 32;

// In lower case, without an allocation where the word is ASCII, as most are.
fn is_listed(list: &Listed, word: &str) -> bool {
    let mut lower = [0u8; NAME_BYTES_MAX];
    match lower.get_mut(..word.len()) {
        Some(lower) if word.is_ascii() => {
            lower.copy_from_slice(word.as_bytes());
            lower.make_ascii_lowercase();
            std::str::from_utf8(lower).is_ok_and(|word| list.contains(word))
        }
        Some(_) => list.contains(&word.to_lowercase()),
        None => false,
    }
}

pub(crate) fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{3005}')
}

/// A column's header as words.
#[derive(Clone, Debug)]
pub struct Header {
    full: String,
    short: String,
}

impl Header {
    // `BirthDate`, `birth_date`, `birth-date` and `Birth date (JST)` read alike.
    fn of(column: &str, units: &HashSet<String>) -> Self {
        let mut spaced = String::with_capacity(column.len() + 8);
        let mut before = ' ';
        for c in column.chars() {
            let breaks = c.is_uppercase() && before.is_lowercase();
            if breaks {
                spaced.push(' ');
            }
            let separates = !(c.is_alphanumeric() || c == '\u{3012}');
            spaced.extend(if separates { ' ' } else { c }.to_lowercase());
            before = c;
        }
        let tokens: Vec<&str> = spaced.split_whitespace().collect();
        let kept: Vec<&str> = tokens.iter().copied().filter(|t| !units.contains(*t)).collect();
        Self {
            full: tokens.join(" "),
            short: if kept.is_empty() { tokens.join(" ") } else { kept.join(" ") },
        }
    }

    fn is(&self, word: &str) -> bool {
        self.full == word || self.short == word
    }

    // As whole tokens; in scripts without spaces as a part, if it is longer than one character.
    fn holds(&self, word: &str) -> bool {
        if word.chars().any(is_japanese) || word.chars().any(|c| ('\u{ac00}'..='\u{d7a3}').contains(&c)) {
            return word.chars().count() > 1 && self.full.contains(word);
        }
        self.full.match_indices(word).any(|(at, _)| {
            let before = self.full.get(..at).is_none_or(|t| t.is_empty() || t.ends_with(' '));
            let after = self.full.get(at + word.len()..).is_none_or(|t| t.is_empty() || t.starts_with(' '));
            before && after
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        Words::parse(include_str!("../../../profiles/words.toml")).unwrap()
    }

    #[test]
    fn headers_announce_kinds_in_several_languages() {
        let words = words();
        let check = |header: &str, expect: &str| {
            let header_words = words.header(header);
            let best = words
                .kinds()
                .iter()
                .filter_map(|k| Some((words.announced(&header_words, &k.headers, &k.unless)?, k)))
                .max_by_key(|(a, _)| (a.whole, a.word.chars().count()))
                .map(|(_, k)| k.id.as_str());
            assert_eq!(best.unwrap_or(""), expect, "{header}");
        };
        check("BirthDate", "birth-date");
        check("患者生年月日", "birth-date");
        check("Geburtsdatum", "birth-date");
        check("Name", "person-name");
        check("product_name", "");
        check("病名", "health");
        check("会員番号", "record-number");
        check("height_cm", "health");
        check("household_income", "income");
        check("mail-address", "email");
        check("우편번호", "postcode");
        check("vibration_mm_s", "");
        check("machine", "");
    }

    #[test]
    fn names_are_told_in_both_scripts_and_places_are_not() {
        let words = words();
        for name in
            ["佐藤 花子", "佐藤花子", "長谷川誠", "Lisa Lee", "Hoffmann, Klaus", "田中", "O'Brien, Mary"]
        {
            assert!(words.is_name(name), "{name}");
        }
        for other in ["東京都", "high school", "never married", "press-1", "A-1234", "糖尿病", "", "山"]
        {
            assert!(!words.is_name(other), "{other}");
        }
    }
}
