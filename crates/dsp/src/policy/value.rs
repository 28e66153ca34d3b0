//! Comparing operand values without floats: decimals, dates and date-times, durations in days, text.

use model::{CivilDate, Instant};
use std::cmp::Ordering;

/// What kind of value an operand has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Text or IRI: equality and membership only.
    Text,
    /// A decimal number.
    Number,
    /// An `xsd:date` or `xsd:dateTime`.
    Time,
    /// An `xsd:duration` of weeks, days, hours, minutes and seconds.
    Duration,
    /// Whichever of these both sides are.
    Any,
}

/// A value that can be ordered. A day is an interval, so that "until 31 December" includes that day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// A decimal, scaled by 10^[`SCALE`].
    Number(i128),
    /// From the first to the last millisecond, UTC.
    Time(i64, i64),
    /// Milliseconds.
    Duration(i64),
}

/// LIMIT: digits behind the decimal point.
pub const SCALE: usize = 9;
/// LIMIT: digits before the decimal point.
const WHOLE_MAX: usize = 24;
const DAY_MS: i64 = 86_400_000;

/// Reads text as a value of the domain.
pub fn parse(domain: Domain, text: &str) -> Option<Ordered> {
    match domain {
        Domain::Text => None,
        Domain::Number => decimal(text).map(Ordered::Number),
        Domain::Time => time(text),
        Domain::Duration => duration(text).map(Ordered::Duration),
        Domain::Any => decimal(text)
            .map(Ordered::Number)
            .or_else(|| time(text))
            .or_else(|| duration(text).map(Ordered::Duration)),
    }
}

/// Compares two values; none if they are of different kinds or a day is compared with a moment in it.
pub fn compare(a: Ordered, b: Ordered) -> Option<Ordering> {
    match (a, b) {
        (Ordered::Number(a), Ordered::Number(b)) => Some(a.cmp(&b)),
        (Ordered::Duration(a), Ordered::Duration(b)) => Some(a.cmp(&b)),
        (Ordered::Time(a_low, a_high), Ordered::Time(b_low, b_high)) => {
            // A moment within a day equals that day: neither before nor after it.
            if a_high < b_low {
                Some(Ordering::Less)
            } else if a_low > b_high {
                Some(Ordering::Greater)
            } else if (b_low <= a_low && a_high <= b_high) || (a_low <= b_low && b_high <= a_high) {
                Some(Ordering::Equal)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// Tells whether two texts are the same value in the domain; `1.0` equals `1`, `2026-01-01T09:00:00+09:00` equals midnight UTC.
pub fn same(domain: Domain, a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (parse(domain, a), parse(domain, b)) {
        (Some(a), Some(b)) => compare(a, b) == Some(Ordering::Equal),
        _ => false,
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn decimal(text: &str) -> Option<i128> {
    let (minus, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    if !digits(whole) || !digits(fraction) || whole.len() > WHOLE_MAX || fraction.len() > SCALE {
        return None;
    }
    let scaled: i128 = format!("{whole}{fraction:0<SCALE$}").parse().ok()?;
    Some(if minus { -scaled } else { scaled })
}

fn time(text: &str) -> Option<Ordered> {
    let Some((day, clock)) = text.split_once('T') else {
        let first = Instant::start_of(text.strip_suffix('Z').unwrap_or(text).parse::<CivilDate>().ok()?, 0).0;
        return Some(Ordered::Time(first, first + DAY_MS - 1));
    };
    let zone_at = clock.find(['Z', '+', '-']);
    let (clock, zone) = clock.split_at(zone_at.unwrap_or(clock.len()));
    let offset_minutes = match zone {
        // Without a zone the moment is not known to the hour; UTC is what DSP's own examples use.
        "" | "Z" => 0,
        _ => {
            let (h, m) = zone.get(1..)?.split_once(':')?;
            let minutes = two(h, 14)? * 60 + two(m, 59)?;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = whole.split(':');
    let (hour, minute) = (two(parts.next()?, 23)?, two(parts.next()?, 59)?);
    // DSP's examples leave the seconds out, which xsd:dateTime does not allow; we read them.
    let second = parts.next().map_or(Some(0), |s| two(s, 59))?;
    if parts.next().is_some() || !digits(fraction) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let first = Instant::start_of(day.parse().ok()?, 0).0;
    let at = first + ((hour * 60 + minute - offset_minutes) * 60 + second) * 1000 + millis;
    Some(Ordered::Time(at, at))
}

fn two(text: &str, max: i64) -> Option<i64> {
    if text.len() != 2 || !digits(text) {
        return None;
    }
    text.parse().ok().filter(|n| *n <= max)
}

/// Reads an `xsd:duration` without years and months, whose length no calendar-free reader knows.
pub fn duration(text: &str) -> Option<i64> {
    let (date, clock) = match text.strip_prefix('P')?.split_once('T') {
        Some((date, clock)) if !clock.is_empty() => (date, clock),
        Some(_) => return None,
        None => (text.strip_prefix('P')?, ""),
    };
    let mut total: i64 = 0;
    let mut any = false;
    for (mut rest, units) in [
        (date, [('W', 7 * DAY_MS), ('D', DAY_MS), ('_', 0)]),
        (clock, [('H', 3_600_000), ('M', 60_000), ('S', 1000)]),
    ] {
        for (letter, size) in units {
            if let Some((number, after)) = rest.split_once(letter) {
                if !digits(number) {
                    return None;
                }
                total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(size)?)?;
                (rest, any) = (after, true);
            }
        }
        if !rest.is_empty() {
            return None;
        }
    }
    any.then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders() {
        let order = |d, a, b| compare(parse(d, a).unwrap(), parse(d, b).unwrap());
        assert_eq!(order(Domain::Number, "1.0", "1"), Some(Ordering::Equal));
        assert_eq!(order(Domain::Number, "-2.5", "-2.49"), Some(Ordering::Less));
        assert_eq!(
            order(Domain::Number, "100000000000000000000", "99999999999999999999"),
            Some(Ordering::Greater)
        );
        assert_eq!(
            order(Domain::Time, "2023-12-31T06:00Z", "2023-12-31T15:00:00+09:00"),
            Some(Ordering::Equal)
        );
        assert_eq!(order(Domain::Time, "2023-12-31T23:59:59.999Z", "2023-12-31"), Some(Ordering::Equal));
        assert_eq!(order(Domain::Time, "2024-01-01T00:00:00Z", "2023-12-31"), Some(Ordering::Greater));
        assert_eq!(order(Domain::Duration, "P1W", "P6DT24H"), Some(Ordering::Equal));
        assert_eq!(order(Domain::Any, "10", "9"), Some(Ordering::Greater));
        for bad in ["", "1e5", "P1Y", "PT", "P", "1.2.3", "2023-02-30", "2023-01-01T24:00Z", "NaN"] {
            assert_eq!(parse(Domain::Any, bad), None, "{bad}");
        }
    }
}
