//! The distinct values of a column, and what is asked about them more than once.

use super::forms::year_of;
use crate::catalogue::{self, Scheme};
use crate::intern::Codes;
use crate::sample::Kept;
use crate::words::is_japanese;
use std::cell::OnceCell;

/// The values of a column, with what many kinds ask about them, computed once.
pub(super) struct Values<'a> {
    pub(super) sample: &'a Kept,
    pub(super) of: u64,
    folded: OnceCell<Vec<Option<String>>>,
    years: OnceCell<Vec<i32>>,
    pub(super) counts: Counts,
    /// Whether any value has a letter, or a character of another script.
    pub(super) has_letters: bool,
}

/// How many of the first values have so many letters and digits as schemes read them; none where no scheme reads them.
pub(super) struct Counts([u64; 128]);

impl Counts {
    fn of(sample: &Kept) -> Self {
        let mut counts = [0; 128];
        for folded in sample.values().take(GLANCE).filter_map(catalogue::folded) {
            let kept = folded.bytes().filter(u8::is_ascii_alphanumeric).count();
            if let Some(n) = counts.get_mut(kept.min(127)) {
                *n += 1;
            }
        }
        Self(counts)
    }

    /// At most so many of the first values have the shape of the scheme.
    pub(super) fn may_fit(&self, scheme: &Scheme) -> u64 {
        (0..).zip(&self.0).filter(|(kept, n)| **n > 0 && scheme.may_have(*kept)).map(|(_, n)| n).sum()
    }
}

impl<'a> Values<'a> {
    pub(super) fn of(sample: &'a Kept) -> Self {
        let is_letter = |b: u8| b.is_ascii_alphabetic() || !b.is_ascii();
        let has_letters = sample.values().any(|v| v.bytes().any(is_letter));
        let (folded, years) = (OnceCell::new(), OnceCell::new());
        Self { sample, of: sample.len() as u64, folded, years, counts: Counts::of(sample), has_letters }
    }

    /// All values beside what schemes read.
    pub(super) fn folded(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let folded = self.folded.get_or_init(|| self.sample.values().map(catalogue::folded).collect());
        self.sample.values().zip(folded.iter().map(Option::as_deref))
    }

    /// The years of the values that are days; none is looked for where none of the first is one.
    pub(super) fn years(&self) -> &[i32] {
        self.years.get_or_init(|| {
            let none = self.count(|v| year_of(v).is_some()) == 0;
            if none { Vec::new() } else { self.sample.values().filter_map(year_of).collect() }
        })
    }

    /// How many values fit. Where none of the first does, none: what fits a tenth of the values is missed once in a million.
    pub(super) fn count(&self, fits: impl Fn(&str) -> bool) -> u64 {
        let first = self.sample.values().take(GLANCE).filter(|v| fits(v)).count();
        if first == 0 { 0 } else { (first + self.sample.values().skip(GLANCE).filter(|v| fits(v)).count()) as u64 }
    }

    /// Whether nine in ten of the first values have more bytes than this.
    pub(super) fn are_long(&self, most: usize) -> bool {
        let first = || self.sample.values().take(GLANCE);
        first().filter(|v| v.len() > most).count() * 10 >= first().count() * 9
    }

    /// How many looks the first values have.
    pub(super) fn looks(&self) -> usize {
        let looks: std::collections::BTreeSet<String> = self.sample.values().take(LOOKED_AT).map(look).collect();
        looks.len()
    }

    // Looks with ties broken by text, so that the answer is one.
    pub(super) fn look(&self) -> Option<String> {
        let (mut looks, mut counts) = (Codes::default(), vec![0u64]);
        let mut text = String::new();
        for (value, n) in self.sample.counted().take(LOOKED_AT) {
            text.clear();
            write_look(value, &mut text);
            let code = looks.code(Some(&text)) as usize;
            counts.resize(counts.len().max(code + 1), 0);
            counts.get_mut(code).into_iter().for_each(|count| *count += n);
        }
        let counted = (0..).zip(counts).filter_map(|(code, n)| Some((looks.text(code)?, n)));
        counted.max_by_key(|(text, n)| (*n, std::cmp::Reverse(*text))).map(|(text, _)| text.to_string())
    }
}

// LIMIT: values looked at before it is said that none fits; values whose looks are counted.
pub(super) const GLANCE: usize = 128;
const LOOKED_AT: usize = 512;
// LIMIT: a look shows at most this many characters.
const LOOK_MAX: usize = 24;

fn look(value: &str) -> String {
    let mut out = String::new();
    write_look(value, &mut out);
    out
}

fn write_look(value: &str, out: &mut String) {
    let mask = |c: char| match c {
        '0'..='9' => '9',
        c if is_japanese(c) => '字',
        c if c.is_uppercase() => 'A',
        c if c.is_alphabetic() => 'a',
        c if c.is_numeric() => '9',
        c => c,
    };
    let mut chars = value.chars();
    out.extend(chars.by_ref().take(LOOK_MAX).map(mask));
    if chars.next().is_some() {
        out.push('…');
    }
}
