//! Check rules of identifiers: arithmetic on characters, parametrized by the catalogue, no country in code.

use model::CivilDate;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// One rule that a value of the right shape must satisfy. Positions count characters from 0.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum Rule {
    /// A weighted sum, modulo, gives a check character or a fixed remainder.
    Weighted(Weighted),
    /// The Luhn formula (ISO/IEC 7812-1, annex B) over the value, letters written out as two digits.
    Luhn {
        /// Digits put before the value for the sum alone.
        #[serde(default)]
        prefix: String,
        /// Accepted for readers of the catalogue: letters always expand.
        #[serde(default)]
        letters: Option<String>,
    },
    /// The Verhoeff scheme: the dihedral group of order ten.
    Verhoeff,
    /// ISO/IEC 7064 MOD 97-10: the number, letters as 10 to 35, is 1 modulo 97.
    #[serde(rename = "mod97-10")]
    Mod97 {
        /// Characters moved from the front to the end before.
        #[serde(default)]
        rotate: usize,
    },
    /// The other systems of ISO/IEC 7064.
    Iso7064 {
        /// Which.
        system: Iso7064,
    },
    /// A number read from the value, modulo, equals a part of it or names a check character.
    Modulo(Modulo),
    /// A day of the calendar stands in the value.
    Date {
        /// Where it begins.
        at: usize,
        /// Y, M and D for its digits; a single M is a month letter `ABCDEHLMPRST`.
        format: String,
        /// What may have been added to the day.
        #[serde(default = "nothing")]
        day_plus: Vec<u32>,
        /// What may have been added to the month.
        #[serde(default = "nothing")]
        month_plus: Vec<u32>,
    },
    /// A part of the value is, or is not, among texts or ranges `11-15`.
    Range {
        /// From and up to.
        at: [usize; 2],
        /// One of these, if any are given.
        #[serde(default)]
        allow: Vec<String>,
        /// None of these.
        #[serde(default)]
        deny: Vec<String>,
    },
    /// Among the first digits exactly one occurs more than once, two or three times, and not three in a row.
    OneRepeat {
        /// How many digits are looked at.
        first: usize,
    },
}

/// Systems of ISO/IEC 7064.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum Iso7064 {
    /// MOD 11-2, check digit 0–9 or X.
    #[serde(rename = "11-2")]
    Mod11_2,
    /// MOD 11,10.
    #[serde(rename = "11-10")]
    Mod11_10,
    /// MOD 37,36.
    #[serde(rename = "37-36")]
    Mod37_36,
}

/// A weighted sum.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighted {
    /// A weight for each position.
    weights: Vec<i64>,
    /// The positions, the first ones by default.
    #[serde(default)]
    positions: Option<Vec<usize>>,
    /// What the sum is divided by.
    modulus: i64,
    /// Added to the sum.
    #[serde(default)]
    plus: i64,
    /// The check character for each remainder; the remainder's own digit by default.
    #[serde(default)]
    table: Option<String>,
    /// Where the check character stands; after the last weight by default.
    #[serde(default)]
    at: Option<usize>,
    /// The remainder that the whole must have, instead of a check character.
    #[serde(default)]
    equals: Option<i64>,
    /// The value of `A`; 10 by default.
    #[serde(default)]
    letters: Option<i64>,
    /// Values are places in this text, instead.
    #[serde(default)]
    alphabet: Option<String>,
    /// Values of single characters, before all else.
    #[serde(default)]
    values: BTreeMap<char, i64>,
    /// Values of `0`–`9` and `A`–`Z` on odd places (first, third, …).
    #[serde(default)]
    odd: Vec<i64>,
    /// Letters written out before the sum.
    #[serde(default)]
    expand: BTreeMap<char, String>,
    /// A second set of weights, used when the first gives the remainder `then_when`.
    #[serde(default)]
    then: Vec<i64>,
    /// The remainder that calls for the second set; 1 by default (eleven minus it would be ten).
    #[serde(default)]
    then_when: Option<i64>,
}

/// A number modulo.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modulo {
    /// The parts of the value that make the number.
    number: Vec<[usize; 2]>,
    /// Digits put before.
    #[serde(default)]
    prefix: String,
    /// Texts that stand for others, replaced once.
    #[serde(default)]
    replace: BTreeMap<String, String>,
    /// Replaced at this place only.
    #[serde(default)]
    replace_at: Option<usize>,
    /// What it is divided by.
    modulus: u64,
    /// The remainder is subtracted from this.
    #[serde(default)]
    complement: Option<u64>,
    /// The part that the result must equal.
    #[serde(default)]
    equals: Option<[usize; 2]>,
    /// The check character for each result, instead.
    #[serde(default)]
    table: Option<String>,
    /// Where it stands.
    #[serde(default)]
    at: usize,
}

fn nothing() -> Vec<u32> {
    vec![0]
}

impl Rule {
    /// True for check digits, false for dates, ranges and repeats.
    pub fn is_arithmetic(&self) -> bool {
        !matches!(self, Self::Date { .. } | Self::Range { .. } | Self::OneRepeat { .. })
    }

    /// True when the value, upper-case ASCII of the right shape, satisfies the rule. What cannot be computed fails.
    pub fn holds(&self, value: &str) -> bool {
        let computed = match self {
            Self::Weighted(rule) => rule.holds(value),
            Self::Luhn { prefix, .. } => luhn(prefix, value),
            Self::Verhoeff => verhoeff(value),
            Self::Mod97 { rotate } => mod97(value, *rotate),
            Self::Iso7064 { system } => system.holds(value),
            Self::Modulo(rule) => rule.holds(value),
            Self::Date { at, format, day_plus, month_plus } => date(value, *at, format, day_plus, month_plus),
            Self::Range { at, allow, deny } => range(value, *at, allow, deny),
            Self::OneRepeat { first } => one_repeat(value, *first),
        };
        computed.unwrap_or(false)
    }
}

fn digit_or_letter(c: char) -> Option<i64> {
    c.to_digit(36).filter(|_| !c.is_ascii_lowercase()).map(i64::from)
}

impl Weighted {
    fn holds(&self, value: &str) -> Option<bool> {
        if self.expand.is_empty() {
            return self.holds_expanded(value.as_bytes());
        }
        let mut expanded = Vec::with_capacity(value.len() * 2);
        for byte in value.bytes() {
            match self.expand.get(&char::from(byte)) {
                Some(text) => expanded.extend(text.bytes()),
                None => expanded.push(byte),
            }
        }
        self.holds_expanded(&expanded)
    }

    fn holds_expanded(&self, value: &[u8]) -> Option<bool> {
        let mut remainder = self.remainder(&self.weights, value)?;
        if !self.then.is_empty() && remainder == self.then_when.unwrap_or(1) {
            remainder = self.remainder(&self.then, value)?;
        }
        if let Some(expected) = self.equals {
            return Some(remainder == expected);
        }
        let check = char::from(*value.get(self.at.unwrap_or(self.weights.len()))?);
        let expected = match &self.table {
            Some(table) => table.chars().nth(remainder.try_into().ok()?)?,
            None => char::from_digit(remainder.try_into().ok()?, 10)?,
        };
        Some(check == expected)
    }

    fn remainder(&self, weights: &[i64], value: &[u8]) -> Option<i64> {
        let mut sum = self.plus;
        for (index, weight) in weights.iter().enumerate() {
            let position = match &self.positions {
                Some(positions) => *positions.get(index)?,
                None => index,
            };
            sum = sum.checked_add(weight.checked_mul(self.value(*value.get(position)?, position)?)?)?;
        }
        (self.modulus > 0).then(|| sum.rem_euclid(self.modulus))
    }

    fn value(&self, byte: u8, position: usize) -> Option<i64> {
        let c = char::from(byte);
        if !self.values.is_empty() && let Some(&value) = self.values.get(&c) {
            return Some(value);
        }
        if let Some(alphabet) = &self.alphabet {
            return alphabet.chars().position(|a| a == c).and_then(|p| i64::try_from(p).ok());
        }
        let plain = digit_or_letter(c)?;
        if !self.odd.is_empty() && position.is_multiple_of(2) {
            return self.odd.get(usize::try_from(plain).ok()?).copied();
        }
        Some(if plain >= 10 { plain - 10 + self.letters.unwrap_or(10) } else { plain })
    }
}

fn luhn(prefix: &str, value: &str) -> Option<bool> {
    // From the last digit on, every other one is doubled; a letter is two digits.
    let (mut sum, mut doubled) = (0, false);
    let mut add = |digit: i64| {
        sum += if doubled { 2 * digit / 10 + 2 * digit % 10 } else { digit };
        doubled = !doubled;
    };
    for c in value.chars().rev().chain(prefix.chars().rev()) {
        match digit_or_letter(c)? {
            digit @ 0..=9 => add(digit),
            letter => {
                add(letter % 10);
                add(letter / 10);
            }
        }
    }
    Some(sum % 10 == 0)
}

fn verhoeff(value: &str) -> Option<bool> {
    // Multiplication in the dihedral group of order ten, and the permutation by place (Verhoeff 1969).
    let times = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b) % 5 + 5,
        (false, true) => (a + 10 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    const ONCE: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let mut sum = 0;
    for (place, c) in value.chars().rev().enumerate() {
        let mut digit = c.to_digit(10)?;
        for _ in 0..place % 8 {
            digit = *ONCE.get(digit as usize)?;
        }
        sum = times(sum, digit);
    }
    Some(sum == 0)
}

fn mod97(value: &str, rotate: usize) -> Option<bool> {
    let (front, back) = value.split_at_checked(rotate)?;
    let mut remainder = 0;
    for c in back.chars().chain(front.chars()) {
        let v = digit_or_letter(c)?;
        remainder = (remainder * if v < 10 { 10 } else { 100 } + v) % 97;
    }
    Some(remainder == 1)
}

impl Iso7064 {
    fn holds(self, value: &str) -> Option<bool> {
        let pure = |modulus: i64, radix: i64| {
            let mut sum = 0;
            for (index, c) in value.chars().enumerate() {
                let v = if c == 'X' && index + 1 == value.len() {
                    10
                } else {
                    digit_or_letter(c).filter(|&v| v < radix.max(10))?
                };
                sum = (sum * radix + v) % modulus;
            }
            Some(sum == 1)
        };
        let hybrid = |modulus: i64| {
            let mut check = modulus;
            for (index, c) in value.chars().enumerate() {
                let v = digit_or_letter(c).filter(|&v| v < modulus)?;
                if index + 1 == value.len() {
                    return Some((check + v) % modulus == 1);
                }
                let sum = (check + v) % modulus;
                check = if sum == 0 { modulus } else { sum } * 2 % (modulus + 1);
            }
            None
        };
        match self {
            Self::Mod11_2 => pure(11, 2),
            Self::Mod11_10 => hybrid(10),
            Self::Mod37_36 => hybrid(36),
        }
    }
}

impl Modulo {
    fn holds(&self, value: &str) -> Option<bool> {
        let mut text = Cow::Borrowed(value);
        for (from, to) in &self.replace {
            match self.replace_at {
                Some(at) if text.get(at..).is_some_and(|t| t.starts_with(from)) => {
                    text.to_mut().replace_range(at..at + from.len(), to)
                }
                Some(_) => {}
                None if text.contains(from) => text = Cow::Owned(text.replacen(from, to, 1)),
                None => {}
            }
        }
        let mut number: u64 = 0;
        let parts = self.number.iter().map(|&[from, to]| text.get(from..to));
        for part in std::iter::once(Some(self.prefix.as_str())).chain(parts) {
            for c in part?.chars() {
                number = number.checked_mul(10)?.checked_add(c.to_digit(10)?.into())?;
            }
        }
        let remainder = number.checked_rem(self.modulus)?;
        let result = match self.complement {
            Some(complement) => complement.checked_sub(remainder)?,
            None => remainder,
        };
        if let Some([from, to]) = self.equals {
            return Some(text.get(from..to)?.parse::<u64>().ok()? == result);
        }
        let expected = self.table.as_ref()?.chars().nth(result.try_into().ok()?)?;
        Some(text.chars().nth(self.at)? == expected)
    }
}

fn date(value: &str, at: usize, format: &str, day_plus: &[u32], month_plus: &[u32]) -> Option<bool> {
    let text = value.get(at..at + format.len())?;
    let part = |which: char| -> Option<u32> {
        let from = format.find(which)?;
        let part = text.get(from..from + format.matches(which).count())?;
        match (which, part.len()) {
            ('M', 1) => "ABCDEHLMPRST".find(part).map(|p| p as u32 + 1),
            _ => part.parse().ok(),
        }
    };
    let (year, month, day) = (part('Y')?, part('M')?, part('D')?);
    // Two digits of a year leave the century open, three the millennium; a day that exists in any is a day.
    let years: &[u32] = match format.matches('Y').count() {
        2 => &[1900, 2000],
        3 if year >= 800 => &[1000],
        3 => &[2000],
        _ => &[0],
    };
    let exists = |century: &u32, month: u32, day: u32| {
        // Days before 1900 are outside the calendar's range; the same day of the next cycle has the same length.
        let year = i32::try_from(century + year).unwrap_or(0);
        CivilDate::of(if (1800..1900).contains(&year) { year + 400 } else { year }, month, day).is_some()
    };
    let mut found = false;
    for (plus_day, plus_month) in day_plus.iter().flat_map(|d| month_plus.iter().map(move |m| (d, m))) {
        if let (Some(day), Some(month)) = (day.checked_sub(*plus_day), month.checked_sub(*plus_month)) {
            found |= years.iter().any(|century| exists(century, month, day));
        }
    }
    Some(found)
}

fn range(value: &str, [from, to]: [usize; 2], allow: &[String], deny: &[String]) -> Option<bool> {
    let part = value.get(from..to)?;
    let within = |entry: &String| match entry.split_once('-') {
        Some((low, high)) => part.len() == low.len() && (low..=high).contains(&part),
        None => part == entry,
    };
    Some((allow.is_empty() || allow.iter().any(within)) && !deny.iter().any(within))
}

fn one_repeat(value: &str, first: usize) -> Option<bool> {
    let digits = value.get(..first)?.as_bytes();
    let mut counts = [0usize; 10];
    for digit in digits {
        *counts.get_mut(usize::from(digit.checked_sub(b'0')?))? += 1;
    }
    let repeated: Vec<usize> = counts.into_iter().filter(|&n| n > 1).collect();
    let in_a_row = digits.windows(3).any(|w| matches!(w, [a, b, c] if a == b && b == c));
    Some(matches!(repeated.as_slice(), [2 | 3]) && !in_a_row)
}
