//! Civil days, instants, and the pair of days that a legal question is asked for.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// A day of the proleptic Gregorian calendar, as ISO 8601 writes it (`2020-07-16`). Ordered by time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate {
    days: i32,
}

/// The text is not a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotADate {
    text: String,
}

impl fmt::Display for NotADate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let year = self.text.split('-').next().filter(|y| y.len() == 4).and_then(|y| y.parse::<i32>().ok());
        match year.filter(|y| !(YEAR_MIN..=YEAR_MAX).contains(y)) {
            Some(_) => write!(f, "`{}` lies outside of the years {YEAR_MIN} to {YEAR_MAX}; leave an open end out", self.text),
            None => write!(f, "`{}` is not a day; write it as `2020-07-16`", self.text),
        }
    }
}

impl std::error::Error for NotADate {}

// LIMIT: years 1900 to 2200; law outside is not our subject and typing errors are caught.
const YEAR_MIN: i32 = 1900;
const YEAR_MAX: i32 = 2200;

impl CivilDate {
    /// Makes a day of year, month (1–12) and day of month, if there is such a day.
    pub fn of(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(YEAR_MIN..=YEAR_MAX).contains(&year) || !(1..=12).contains(&month) {
            return None;
        }
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let longest = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        (1..=longest).contains(&day).then(|| Self { days: days_from_civil(year, month, day) })
    }

    /// Days since 1970-01-01.
    pub fn days_since_epoch(self) -> i32 {
        self.days
    }

    /// The day that lies this many days since 1970-01-01.
    pub fn from_days(days: i32) -> Self {
        Self { days }
    }

    /// The day `n` days later (earlier when negative).
    pub fn plus_days(self, n: i32) -> Self {
        Self { days: self.days.saturating_add(n) }
    }

    /// Year, month and day of month.
    pub fn parts(self) -> (i32, u32, u32) {
        civil_from_days(self.days)
    }
}

// Both conversions follow the well-known era arithmetic for the proleptic Gregorian calendar.
fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let shifted = (month as i32 + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day as i32 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted + 2) / 5 + 1) as u32;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 } as u32;
    let year = year_of_era + era * 400 + i32::from(month <= 2);
    (year, month, day)
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = self.parts();
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}

impl fmt::Debug for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CivilDate {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let wrong = || NotADate { text: text.chars().take(40).collect() };
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
            return Err(wrong());
        }
        let number = |r: std::ops::Range<usize>| {
            text.get(r).filter(|s| s.bytes().all(|b| b.is_ascii_digit())).and_then(|s| s.parse::<u32>().ok())
        };
        match (number(0..4), number(5..7), number(8..10)) {
            (Some(y), Some(m), Some(d)) => Self::of(y as i32, m, d).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }
}

impl Serialize for CivilDate {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CivilDate {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A moment in UTC, in milliseconds since 1970-01-01T00:00:00Z; written as RFC 3339 with milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Instant(pub i64);

impl Instant {
    /// The civil day of this moment in a zone of fixed offset (minutes east of UTC).
    pub fn day(self, offset_minutes: i32) -> CivilDate {
        let local = self.0 + i64::from(offset_minutes) * 60_000;
        CivilDate::from_days(local.div_euclid(86_400_000) as i32)
    }

    /// The first moment of a civil day in a zone of fixed offset.
    pub fn start_of(day: CivilDate, offset_minutes: i32) -> Self {
        Self(i64::from(day.days) * 86_400_000 - i64::from(offset_minutes) * 60_000)
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.day(0);
        let ms = self.0.rem_euclid(86_400_000);
        write!(f, "{day}T{:02}:{:02}:{:02}.{:03}Z", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
    }
}

impl FromStr for Instant {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let wrong = || NotADate { text: text.chars().take(40).collect() };
        let (day, clock) = text.strip_suffix('Z').and_then(|t| t.split_once('T')).ok_or_else(wrong)?;
        let day: CivilDate = day.parse()?;
        let (hms, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
        let mut parts = hms.split(':').map(|p| p.parse::<i64>().ok().filter(|_| p.len() == 2));
        let (Some(Some(h)), Some(Some(m)), Some(Some(s)), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        if h > 23 || m > 59 || s > 59 || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let millis: i64 = format!("{fraction:0<3}").get(..3).and_then(|t| t.parse().ok()).ok_or_else(wrong)?;
        Ok(Self(i64::from(day.days) * 86_400_000 + ((h * 60 + m) * 60 + s) * 1000 + millis))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The day a legal question is asked for: the law of day `on`, from texts public by `published_by`.
///
/// With `published_by` equal to `on` the answer is the law as understood then; with a later day, the same
/// past as understood from there (an annulment works back).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct AsOf {
    /// The civil day whose law is asked for, in each rule's own zone.
    pub on: CivilDate,
    /// Only texts public by this day count.
    pub published_by: CivilDate,
}

impl AsOf {
    /// The law of a day as understood on that day.
    pub fn then(on: CivilDate) -> Self {
        Self { on, published_by: on }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_three_centuries_goes_there_and_back() {
        let first = CivilDate::of(1900, 1, 1).unwrap();
        let mut day = first;
        while day < CivilDate::of(2200, 12, 31).unwrap() {
            let (y, m, d) = day.parts();
            assert_eq!(CivilDate::of(y, m, d), Some(day));
            assert_eq!(day.to_string().parse(), Ok(day));
            day = day.plus_days(1);
        }
        assert_eq!(CivilDate::of(1970, 1, 1).unwrap().days_since_epoch(), 0);
        assert_eq!(CivilDate::of(2000, 3, 1).unwrap().days_since_epoch(), 11_017);
    }

    #[test]
    fn impossible_days_are_refused() {
        for text in ["2021-02-29", "2021-13-01", "2021-1-1", "20210101", "0000-01-01", "2021-00-10", "+021-01-01"] {
            assert!(text.parse::<CivilDate>().is_err(), "{text}");
        }
    }

    #[test]
    fn instants_print_as_rfc_3339() {
        let t: Instant = "2020-07-16T09:30:15.042Z".parse().unwrap();
        assert_eq!(t.to_string(), "2020-07-16T09:30:15.042Z");
        assert_eq!("2020-07-15T23:30:00Z".parse::<Instant>().unwrap().day(60).to_string(), "2020-07-16");
        assert!("2020-07-16 09:30:15Z".parse::<Instant>().is_err());
    }
}
