//! Header words, value lists and name lists: what columns hold, as data.

use crate::dictionary::Role;
use crate::words::listed::{Chars, Listed};
use crate::intern::Mixed;
use model::text::Text;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::BuildHasherDefault;
use std::ops::Range;

mod address;
mod country;
mod header;
mod known;
mod listed;
mod unlisted;

pub use header::Header;
pub(crate) use known::{Known, Part};
pub(crate) use unlisted::{MadeOf, capitals};

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
    /// What nearly all of its values are, in lower case.
    #[serde(default)]
    pub(crate) values: Listed,
    /// There are more values than the list has: one outside it speaks against nothing.
    #[serde(default)]
    pub open: bool,
}

/// What speaks for a country in the columns beside a number.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Country {
    /// Its code: `EE`.
    pub id: String,
    /// What telephone numbers begin with there, without the plus.
    #[serde(default)]
    phones: Vec<String>,
    /// Its names, towns, streets and names of people, in lower case.
    #[serde(default)]
    words: Listed,
}

/// All kinds and the lists of names.
#[derive(Clone, Debug)]
pub struct Words {
    kinds: Vec<Kind>,
    countries: Vec<Country>,
    names: Names,
    many: Many,
    /// What words are by the lists, by hash: one look tells all.
    known: HashMap<u64, Known, BuildHasherDefault<Mixed>>,
    /// All Japanese names, frequent or not, and what they begin and end with.
    family_ja: Listed,
    given_ja: Listed,
    family_ja_begins: Chars,
    given_ja_ends: Chars,
    /// Endings of words for streets, by their last byte.
    street_endings: Vec<Vec<String>>,
    /// Words of companies, and those that are joined to a name.
    companies: Listed,
    companies_joined: Vec<String>,
    units: HashSet<String>,
}

/// The long lists: seldom names among them, so that a column needs more of them than of the frequent ones.
#[derive(Clone, Debug, Default)]
struct Many {
    kana: Listed,
    towns: Listed,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    family: Listed,
    given: Listed,
    family_ja: Listed,
    given_ja: Listed,
    family_ko: Listed,
    family_zh: Listed,
    // The seldom ones.
    family_ko_all: Listed,
    family_zh_all: Listed,
    // Syllables and characters that Korean and Chinese given names are made of.
    given_ko: String,
    given_zh: String,
    companies: Vec<String>,
    streets: Listed,
    street_endings: Vec<String>,
    // Words with a capital: that are no names, that end what a body is called, that are names too, inside names, before them.
    no_names: Listed,
    bodies: Listed,
    words_too: Listed,
    particles: Listed,
    titles: Listed,
    cues: Vec<String>,
    verbs: Listed,
    no_names_ja: Vec<String>,
    /// Words before the number of a thing.
    things: Vec<String>,
}

/// Long lists of names, a name a line; see `profiles/README.md` for where ours come from.
#[derive(Clone, Copy, Debug)]
pub struct NameLists<'a> {
    /// Given names in Latin script, lower case.
    pub given: &'a str,
    /// Family names in Latin script, lower case.
    pub family: &'a str,
    /// Japanese given names.
    pub given_ja: &'a str,
    /// Japanese family names.
    pub family_ja: &'a str,
    /// Given names in scripts that are neither Latin nor Japanese.
    pub given_scripts: &'a str,
    /// Family names in such scripts.
    pub family_scripts: &'a str,
    /// Japanese names as they are spoken, in Hiragana.
    pub kana: &'a str,
    /// Towns of one word in Latin script, lower case: what speaks against names of people.
    pub towns: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Units {
    words: HashSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    country: Vec<Country>,
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
        let Document { country: countries, kind: kinds, names, units } = document;
        let mut known: HashMap<u64, Known, BuildHasherDefault<Mixed>> = HashMap::default();
        let lists = [
            (&names.given, Known::GIVEN),
            (&names.family, Known::FAMILY),
            (&names.words_too, Known::WORD_TOO),
            (&names.verbs, Known::VERB),
        ];
        for (list, what) in lists {
            list.hashes().for_each(|hash| known.entry(hash).or_default().add(what));
        }
        // What a word is called last wins: a title before a street before a body.
        let parts = [
            (&names.no_names, Part::Other),
            (&names.particles, Part::Particle),
            (&names.bodies, Part::Body),
            (&names.streets, Part::Street),
            (&names.titles, Part::Title),
        ];
        for (list, part) in parts {
            let is_street = part == Part::Street;
            for hash in list.hashes() {
                let word = known.entry(hash).or_default();
                word.part = part;
                word.add(if is_street { Known::STREET } else { 0 });
            }
        }
        let mut street_endings = vec![Vec::new(); 256];
        for end in &names.street_endings {
            let place = end.bytes().next_back().and_then(|last| street_endings.get_mut(usize::from(last)));
            place.into_iter().for_each(|ends| ends.push(end.clone()));
        }
        let (family_ja, given_ja) = (names.family_ja.clone(), names.given_ja.clone());
        let family_ja_begins = Chars::of(family_ja.firsts.iter().copied());
        let companies = Listed::of(names.companies.iter().map(String::as_str));
        let joined = names.companies.iter().filter(|c| c.chars().any(is_unspaced));
        let companies_joined = joined.cloned().collect();
        Ok(Self {
            kinds,
            countries,
            names,
            many: Many::default(),
            known,
            family_ja,
            given_ja,
            family_ja_begins,
            given_ja_ends: Chars::default(),
            street_endings,
            companies,
            companies_joined,
            units: units.words,
        })
    }

    /// The same with long lists of names beside the frequent ones.
    pub fn with_names(mut self, lists: NameLists<'_>) -> Self {
        let listed = |texts: &[&str]| Listed::of(texts.iter().flat_map(|t| t.lines()).filter(|line| !line.is_empty()));
        for (texts, what) in [([lists.given, lists.given_scripts], Known::GIVEN), ([lists.family, lists.family_scripts], Known::FAMILY)] {
            listed(&texts).hashes().for_each(|hash| self.known.entry(hash).or_default().add(what));
        }
        self.family_ja.extend(&listed(&[lists.family_ja]));
        self.given_ja.extend(&listed(&[lists.given_ja]));
        self.many = Many { kana: listed(&[lists.kana]), towns: listed(&[lists.towns]) };
        self.given_ja_ends = Chars::of(lists.given_ja.lines().filter_map(|name| name.chars().next_back()));
        self.family_ja_begins = Chars::of(self.family_ja.firsts.iter().copied());
        self
    }

    /// The kinds.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The country of a code.
    pub(crate) fn country(&self, id: &str) -> Option<&Country> {
        self.countries.iter().find(|c| c.id == id)
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
        // `s.r.o.` and `d.d.`, as they stand, without the last dot.
        let mut dotted = lower.split_whitespace().map(|w| w.trim_end_matches(['.', ','])).filter(|w| w.contains('.'));
        words.any(|w| self.companies.contains(w))
            || dotted.any(|w| self.companies.contains(w))
            || !lower.is_ascii() && self.companies_joined.iter().any(|c| lower.contains(c.as_str()))
    }

    /// True when at least half of the words are in the long lists of names: what a column of names shows in most values.
    pub(crate) fn is_listed_name(&self, text: &str) -> bool {
        let (mut words, mut listed) = (0, 0);
        for word in text.split([' ', '\u{3000}', '・', ',', '，', '-']).filter(|word| !word.is_empty()) {
            if word.bytes().any(|b| b.is_ascii_digit()) {
                return false;
            }
            words += 1;
            listed += u32::from(self.is_given(word) || self.is_family(word) || self.is_east_asian_name(word));
        }
        listed > 0 && listed * 2 >= words
    }

    // A listed name, or a listed family name and a given name behind it.
    fn is_east_asian_name(&self, word: &str) -> bool {
        let count = word.chars().count();
        let family = |list: &Listed, ends: std::ops::RangeInclusive<usize>, longest: usize| {
            ends.filter_map(|n| word.char_indices().nth(n)).any(|(at, _)| {
                let (family, given) = word.split_at_checked(at).unwrap_or_default();
                list.contains(family) && (1..=longest).contains(&given.chars().count())
            })
        };
        if word.chars().all(|c| ('\u{ac00}'..='\u{d7a3}').contains(&c)) {
            let is_place = count > 2 && word.ends_with(['시', '군', '구', '읍', '면', '동', '리', '도']);
            return count == 1 && self.names.family_ko.contains(word)
                || (2..=4).contains(&count) && !is_place && family(&self.names.family_ko, 1..=2, 2);
        }
        if !word.chars().all(is_japanese) {
            return false;
        }
        self.is_family_ja(word)
            || self.is_given_ja(word)
            || self.is_kana_name(word)
            || self.is_joined_name(word)
            || (2..=4).contains(&count)
                && (1..=3).filter_map(|n| word.char_indices().nth(n)).any(|(at, _)| {
                    let (family, given) = word.split_at_checked(at).unwrap_or_default();
                    self.is_family_ja(family) && self.is_given_ja(given)
                })
            || self.names.family_zh.contains(word)
            || (2..=3).contains(&count) && !word.ends_with(['市', '县', '省', '区']) && family(&self.names.family_zh, 1..=1, 2)
    }

    /// True for a given name in Latin script.
    pub fn is_given(&self, word: &str) -> bool {
        self.known(word).is_given()
    }

    /// True for a family name in Latin script.
    pub fn is_family(&self, word: &str) -> bool {
        self.known(word).is_family()
    }

    /// True for a Japanese given name.
    pub fn is_given_ja(&self, word: &str) -> bool {
        self.given_ja.contains(word)
    }

    /// True when some Japanese family name begins so; a quick look before [`Words::is_family_ja`].
    pub(crate) fn may_begin_family_ja(&self, c: char) -> bool {
        self.family_ja_begins.contains(c)
    }

    /// True for a Japanese family name.
    pub fn is_family_ja(&self, word: &str) -> bool {
        self.family_ja.contains(word)
    }

    /// True when some Japanese given name ends as this text does, in all of its characters.
    pub(crate) fn may_end_given_ja(&self, text: &str) -> bool {
        text.chars().all(|c| self.given_ja_ends.contains(c))
    }

    /// What a word is by the lists.
    pub(crate) fn known(&self, word: &str) -> Known {
        lower_hash(word).and_then(|hash| self.known.get(&hash)).copied().unwrap_or_default()
    }

    /// What a capitalized word is besides a name.
    pub(crate) fn part(&self, word: &str) -> Part {
        self.known(word).part
    }

    /// True when the words before a number say that it is an order's, a parcel's, a device's.
    pub(crate) fn is_of_a_thing(&self, context: &Header) -> bool {
        self.names.things.iter().any(|word| context.holds(word))
    }

    /// True when the text ends with words after which a name comes.
    pub(crate) fn announces_name(&self, before: &str) -> bool {
        let before = before.trim_end_matches([' ', '"', '(']).as_bytes();
        self.names.cues.iter().any(|cue| {
            let end = before.len().checked_sub(cue.len()).and_then(|at| before.get(at..));
            let begins = before.len().checked_sub(cue.len() + 1).and_then(|at| before.get(at));
            end.is_some_and(|end| end.eq_ignore_ascii_case(cue.as_bytes()))
                && begins.is_none_or(|b| !b.is_ascii_alphanumeric())
        })
    }

    /// True when a Katakana text is rather a thing's or a body's name.
    pub(crate) fn is_no_name_ja(&self, text: &str) -> bool {
        self.names.no_names_ja.iter().any(|word| text.contains(word.as_str()))
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

impl Kind {
    /// True when the value is one of those that nearly all of such a column are.
    pub(crate) fn lists(&self, value: &str) -> bool {
        let hash = lower_hash(value).unwrap_or_else(|| listed::hash(&value.to_lowercase()));
        self.values.has(hash)
    }
}

// In lower case, without an allocation where the word is ASCII, as most are.
fn is_listed(list: &Listed, word: &str) -> bool {
    lower_hash(word).is_some_and(|hash| list.has(hash))
}

fn lower_hash(word: &str) -> Option<u64> {
    let mut lower = [0u8; NAME_BYTES_MAX];
    let lower = lower.get_mut(..word.len())?;
    if !word.is_ascii() {
        return Some(listed::hash(&word.to_lowercase()));
    }
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).ok().map(listed::hash)
}

// Scripts that are written without spaces between words, Korean among them: a body's word is joined to its name there.
fn is_unspaced(c: char) -> bool {
    is_japanese(c) || matches!(c, '\u{ac00}'..='\u{d7a3}' | '\u{0e00}'..='\u{0e7f}' | '㈱' | '（')
}

pub(crate) fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{3005}')
}

#[cfg(test)]
mod tests;
