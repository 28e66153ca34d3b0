//! Exact rationals, so that two implementations of a measure agree bit for bit.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{cmp::Ordering, fmt, str::FromStr};

/// A non-negative rational in lowest terms, written `1/11`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: u128,
    denominator: u128,
}

/// The text is neither `a/b`, nor a decimal such as `0.09`, nor a whole number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotARatio {
    text: String,
}

impl fmt::Display for NotARatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a ratio; write it as `1/11` or `0.09`", self.text)
    }
}

impl std::error::Error for NotARatio {}

// LIMIT: decimals of at most 18 digits after the point.
const DECIMALS_MAX: usize = 18;

impl Ratio {
    /// Zero.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    /// One.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// Makes `numerator / denominator` in lowest terms; nothing over zero is no ratio.
    pub fn of(numerator: u128, denominator: u128) -> Option<Self> {
        let divisor = gcd(numerator, denominator);
        (denominator > 0).then(|| Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    /// Like [`Ratio::of`] for a share of a count; of nothing it is zero.
    pub fn share(part: u64, whole: u64) -> Self {
        Self::of(part.into(), whole.into()).unwrap_or(Self::ZERO)
    }

    /// Numerator and denominator in lowest terms.
    pub fn parts(self) -> (u128, u128) {
        (self.numerator, self.denominator)
    }

    /// The sum, if it can be written.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let left = self.numerator.checked_mul(other.denominator)?;
        let right = other.numerator.checked_mul(self.denominator)?;
        Self::of(left.checked_add(right)?, self.denominator.checked_mul(other.denominator)?)
    }

    /// The difference, if it is not below zero and can be written.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let left = self.numerator.checked_mul(other.denominator)?;
        let right = other.numerator.checked_mul(self.denominator)?;
        Self::of(left.checked_sub(right)?, self.denominator.checked_mul(other.denominator)?)
    }

    /// The nearest float, for people and for observed figures only.
    pub fn to_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// Renders as a percentage rounded down to the given number of decimals (`12.34%`).
    pub fn percent(self, decimals: u32) -> String {
        let scale = 10u128.pow(decimals.min(9));
        let scaled = self.numerator.saturating_mul(100).saturating_mul(scale) / self.denominator;
        match decimals {
            0 => format!("{scaled}%"),
            n => format!("{}.{:0width$}%", scaled / scale, scaled % scale, width = n.min(9) as usize),
        }
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

impl Ord for Ratio {
    // By continued fractions: cross products could overflow, quotients cannot.
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (self.parts(), other.parts());
        let mut flipped = false;
        loop {
            let order = (a.0 / a.1).cmp(&(b.0 / b.1));
            let (left, right) = (a.0 % a.1, b.0 % b.1);
            let order = match (order, left, right) {
                (Ordering::Equal, 0, 0) => return Ordering::Equal,
                (Ordering::Equal, 0, _) => Ordering::Less,
                (Ordering::Equal, _, 0) => Ordering::Greater,
                (Ordering::Equal, _, _) => {
                    (a, b) = ((a.1, left), (b.1, right));
                    flipped = !flipped;
                    continue;
                }
                (order, _, _) => order,
            };
            return if flipped { order.reverse() } else { order };
        }
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => write!(f, "{}", self.numerator),
            d => write!(f, "{}/{d}", self.numerator),
        }
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Ratio {
    type Err = NotARatio;

    fn from_str(text: &str) -> Result<Self, NotARatio> {
        let wrong = || NotARatio { text: text.into() };
        let digits = |t: &str| {
            (!t.is_empty() && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u128>().ok()).flatten()
        };
        if let Some((above, below)) = text.split_once('/') {
            return Self::of(digits(above).ok_or_else(wrong)?, digits(below).ok_or_else(wrong)?)
                .ok_or_else(wrong);
        }
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        if decimals.len() > DECIMALS_MAX {
            return Err(wrong());
        }
        let scale = 10u128.pow(decimals.len() as u32);
        let (whole, decimals) = (digits(whole).ok_or_else(wrong)?, digits(decimals).ok_or_else(wrong)?);
        let numerator = whole.checked_mul(scale).and_then(|w| w.checked_add(decimals)).ok_or_else(wrong)?;
        Self::of(numerator, scale).ok_or_else(wrong)
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn r(text: &str) -> Ratio {
        text.parse().unwrap()
    }

    #[test]
    fn text_is_read_exactly_and_written_in_lowest_terms() {
        for (text, written) in
            [("2/22", "1/11"), ("0.09", "9/100"), ("3", "3"), ("0.50", "1/2"), ("0/7", "0")]
        {
            assert_eq!(r(text).to_string(), written);
        }
        for wrong in ["", "1/0", "-1", "1e3", ".5", "0.1.2", "one"] {
            assert!(wrong.parse::<Ratio>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn order_is_that_of_the_numbers_even_where_cross_products_overflow() {
        assert!(r("1/11") > r("0.09") && r("1/12") < r("0.09") && r("2/4") == r("1/2"));
        let huge = u128::MAX;
        let (a, b) = (Ratio::of(huge - 1, huge).unwrap(), Ratio::of(huge - 2, huge - 1).unwrap());
        assert!(a > b && a < Ratio::ONE);
        for (n, d, m, e) in (1..12u128).flat_map(|n| {
            (1..12).flat_map(move |d| (1..12).flat_map(move |m| (1..12).map(move |e| (n, d, m, e))))
        }) {
            assert_eq!(Ratio::of(n, d).unwrap().cmp(&Ratio::of(m, e).unwrap()), (n * e).cmp(&(m * d)));
        }
    }

    #[test]
    fn percentages_round_down() {
        assert_eq!(
            (r("1/11").percent(2), r("2/3").percent(0), Ratio::ONE.percent(1)),
            ("9.09%".into(), "66%".into(), "100.0%".into())
        );
    }
}
