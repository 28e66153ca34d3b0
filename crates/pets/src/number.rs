//! Exact decimal numbers, so that a value on the edge of a bin falls on the same side everywhere.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// A decimal number in billionths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i128);

// LIMIT: nine decimals are kept, more are cut off toward zero; whole parts of at most 18 digits.
const DECIMALS: usize = 9;
const ONE: i128 = 1_000_000_000;
const WHOLE_DIGITS_MAX: usize = 18;

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// The whole number.
    pub fn whole(value: i64) -> Self {
        Self(i128::from(value) * ONE)
    }

    /// True for whole numbers.
    pub fn is_whole(self) -> bool {
        self.0 % ONE == 0
    }

    /// The greatest `origin + n × width` that is not above this number; itself when the width is not positive.
    pub fn floor_to(self, width: Self, origin: Self) -> Self {
        if width.0 <= 0 { self } else { Self((self.0 - origin.0).div_euclid(width.0) * width.0 + origin.0) }
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// So many times this number.
    pub(crate) fn times(self, n: i64) -> Self {
        Self(self.0.saturating_mul(n.into()))
    }

    /// How often the other number fits in whole; none where it is not positive.
    pub(crate) fn over(self, other: Self) -> Option<i64> {
        (other.0 > 0).then(|| i64::try_from(self.0.div_euclid(other.0)).ok())?
    }

    /// One of `n` equal shares, rounded to so many decimals, halves away from zero.
    pub(crate) fn shared_by(self, n: usize, decimals: u32) -> Self {
        let unit = ONE / 10i128.pow(decimals.min(DECIMALS as u32));
        let whole = i128::try_from(n.max(1)).unwrap_or(1).saturating_mul(unit);
        let units = (self.0.abs().saturating_mul(2).saturating_add(whole)).div_euclid(whole.saturating_mul(2));
        Self(self.0.signum() * units * unit)
    }

    /// How many whole units of ten to the minus `decimals` (nine at most) fit; none beyond what 64 bits hold.
    pub fn units(self, decimals: u32) -> Option<i64> {
        let unit = ONE / 10i128.pow(decimals.min(DECIMALS as u32));
        i64::try_from(self.0.div_euclid(unit)).ok()
    }

    /// The nearest float, for observed figures only.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }
}

/// The text is not a plain decimal number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotANumber;

impl fmt::Display for NotANumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number is digits with at most one point, such as `12.5`")
    }
}

impl std::error::Error for NotANumber {}

impl FromStr for Decimal {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > WHOLE_DIGITS_MAX || !plain(whole) || !plain(decimals) {
            return Err(NotANumber);
        }
        let mut value = whole.parse::<i128>().map_err(|_| NotANumber)? * ONE;
        let mut unit = ONE;
        for digit in decimals.bytes().take(DECIMALS) {
            unit /= 10;
            value += i128::from(digit - b'0') * unit;
        }
        Ok(Self(if negative { -value } else { value }))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, value) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (whole, rest) = (value / ONE.unsigned_abs(), value % ONE.unsigned_abs());
        match rest {
            0 => write!(f, "{sign}{whole}"),
            _ => write!(f, "{sign}{whole}.{}", format!("{rest:09}").trim_end_matches('0')),
        }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0 / ONE) {
            Ok(whole) if self.is_whole() => s.serialize_i64(whole),
            _ => s.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl de::Visitor<'_> for Reader {
            type Value = Decimal;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Decimal, E> {
                Ok(Decimal::whole(value))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Decimal, E> {
                i64::try_from(value).map(Decimal::whole).map_err(E::custom)
            }
            // A float in a plan is read through its shortest text: `0.5` is one half.
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Decimal, E> {
                value.to_string().parse().map_err(E::custom)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
                text.parse().map_err(E::custom)
            }
        }
        d.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_and_bins_have_hard_edges() {
        let d = |t: &str| t.parse::<Decimal>().unwrap();
        assert_eq!(d("-0.50").to_string(), "-0.5");
        assert_eq!(d("0.3").floor_to(d("0.1"), Decimal::ZERO), d("0.3"));
        assert_eq!(d("-1").floor_to(d("5"), Decimal::ZERO), d("-5"));
        assert_eq!(d("84.999").floor_to(d("5"), Decimal::ZERO), d("80"));
        assert_eq!(d("22").floor_to(d("5"), d("1")), d("21"));
        for wrong in ["", "-", "1e3", "1,000", "NaN", "inf", "1.2.3", "0x1"] {
            assert!(wrong.parse::<Decimal>().is_err(), "{wrong}");
        }
    }
}
