//! Names that no list has, told by what such names are made of: for columns, where many values speak together.

use super::{Words, is_japanese};

/// How much of a value reads like a Chinese name, family name and given name or given name alone.
#[derive(Clone, Copy, Default)]
pub(crate) struct MadeOf {
    /// Characters of the given name.
    pub(crate) of: u64,
    /// Those of them that many given names have.
    pub(crate) usual: u64,
}

impl Words {
    /// True for a town that is written as one word.
    pub(crate) fn is_town(&self, text: &str) -> bool {
        super::is_listed(&self.many.towns, text)
    }

    /// True for a Japanese name written as it is spoken: さくら, サトウ.
    pub(crate) fn is_kana_name(&self, word: &str) -> bool {
        let is_kana = |c: char| ('\u{3041}'..='\u{3096}').contains(&c) || ('\u{30a1}'..='\u{30f6}').contains(&c) || c == 'ー';
        if word.chars().nth(1).is_none() || !word.chars().all(is_kana) {
            return false;
        }
        // Katakana stand 96 places behind Hiragana.
        let fold = |c: char| if ('\u{30a1}'..='\u{30f6}').contains(&c) { char::from_u32(c as u32 - 96).unwrap_or(c) } else { c };
        self.many.kana.contains(&word.chars().map(fold).collect::<String>())
    }

    /// True for a Chinese family name, of all that there are.
    fn is_family_zh(&self, text: &str) -> bool {
        self.names.family_zh.contains(text) || self.names.family_zh_all.contains(text)
    }

    /// True for a Korean or Chinese family name alone, of all that there are.
    pub(crate) fn is_east_asian_family(&self, word: &str) -> bool {
        self.is_family_zh(word) || self.names.family_ko.contains(word) || self.names.family_ko_all.contains(word)
    }

    /// True for what reads like a Korean or Chinese given name alone: each part is one that such names are made of. Much
    /// else is, too, so that a column needs it of most of its values.
    pub(crate) fn is_east_asian_given(&self, word: &str) -> bool {
        let count = word.chars().count();
        let made_of = |parts: &str| word.chars().all(|c| parts.contains(c));
        count == 2 && made_of(&self.names.given_ko) || (1..=2).contains(&count) && made_of(&self.names.given_zh)
    }

    /// What a value of one or two Chinese characters would be made of as a given name.
    pub(crate) fn given_zh(&self, value: &str) -> Option<MadeOf> {
        let count = value.chars().count();
        ((1..=2).contains(&count) && value.chars().all(is_han)).then(|| self.made_of(value))
    }

    /// The same for a value of a Chinese family name and one or two characters behind it.
    pub(crate) fn full_zh(&self, value: &str) -> Option<MadeOf> {
        let count = value.chars().count();
        if !(2..=4).contains(&count) || !value.chars().all(is_han) {
            return None;
        }
        let parted = [2, 1].into_iter().filter_map(|n| value.split_at_checked(value.char_indices().nth(n)?.0));
        let mut named = parted.filter(|(family, given)| self.is_family_zh(family) && given.chars().count() <= 2);
        named.next().map(|(_, given)| self.made_of(given))
    }

    fn made_of(&self, given: &str) -> MadeOf {
        let usual = given.chars().filter(|c| self.names.given_zh.contains(*c)).count();
        MadeOf { of: given.chars().count() as u64, usual: usual as u64 }
    }

    /// True for three or four Korean syllables of which the last two are such as given names have.
    pub(crate) fn is_full_ko(&self, value: &str) -> bool {
        let count = value.chars().filter(|c| *c != ' ').count();
        let is_name = |c: char| c == ' ' || is_hangul(c);
        (3..=4).contains(&count) && value.chars().all(is_name) && value.chars().rev().take(2).all(|c| self.names.given_ko.contains(c))
    }

    /// True for one Korean syllable.
    pub(crate) fn is_syllable(&self, value: &str) -> bool {
        let mut chars = value.chars();
        chars.next().is_some_and(is_hangul) && chars.next().is_none()
    }
}

fn is_hangul(c: char) -> bool {
    ('\u{ac00}'..='\u{d7a3}').contains(&c)
}

fn is_han(c: char) -> bool {
    is_japanese(c) && c >= '\u{3400}'
}

/// How many words with a capital a value is made of, if it is made of nothing else.
pub(crate) fn capitals(value: &str) -> Option<usize> {
    let is_word = |word: &str| {
        word.starts_with(char::is_uppercase)
            && word.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-'))
            && word.chars().any(char::is_lowercase)
    };
    let mut words = 0;
    for word in value.split(' ') {
        if !is_word(word) {
            return None;
        }
        words += 1;
    }
    Some(words)
}
