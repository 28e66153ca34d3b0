//! Reads days as tables write them: ISO, slashes, dots, Japanese; in the Gregorian calendar, the Japanese eras, the calendar of
//! the Republic of China, and the Buddhist era.

use model::CivilDate;

/// Era names with the Gregorian year before their first year (Era Name Act 1979 and its predecessors; the Republic of China's).
const ERAS: [(&str, &str, i32); 7] = [
    ("令和", "R", 2018),
    ("平成", "H", 1988),
    ("昭和", "S", 1925),
    ("大正", "T", 1911),
    ("明治", "M", 1867),
    ("民國", "民國", 1911),
    ("民国", "民国", 1911),
];

/// Years of the Buddhist era that Thai tables have, where they are not marked; nobody's day lies so far ahead in ours.
const BUDDHIST: std::ops::Range<u32> = 2400..2700;
const BUDDHIST_AHEAD: u32 = 543;

/// The Gregorian year of a year that stands in a table.
fn gregorian(year: u32) -> u32 {
    if BUDDHIST.contains(&year) { year - BUDDHIST_AHEAD } else { year }
}

/// Year, month and day of what [`read_day`] reads.
pub(crate) fn read_parts(text: &str) -> Option<(i32, u32, u32)> {
    let text = text.trim();
    if let Some((year, month, day)) = iso_parts(text.as_bytes()) {
        let year = i32::try_from(gregorian(year)).ok()?;
        return CivilDate::of(year, month, day).map(|_| (year, month, day));
    }
    read_day(text).map(CivilDate::parts)
}

/// Reads a day; a text that could mean two days (`03/04/2020`) is not read.
pub fn read_day(text: &str) -> Option<CivilDate> {
    let text = text.trim();
    // `R2.7.1` is the shortest.
    if text.len() < 6 || !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let date = text.split_once(['T', ' ']).map_or(text, |(date, _)| date);
    if let Some(day) = read_iso(date.as_bytes()) {
        return day;
    }
    if let Some(rest) = ERAS.iter().find_map(|e| date.strip_prefix(e.0).map(|rest| (rest, e.2))) {
        return read_era(rest.0, rest.1);
    }
    if let Some((rest, before)) = ERAS.iter().find_map(|e| {
        date.strip_prefix(e.1).filter(|r| r.starts_with(|c: char| c.is_ascii_digit())).map(|r| (r, e.2))
    }) {
        return read_era(rest, before);
    }
    let parts: Vec<&str> = date.split(['-', '/', '.', '年', '月', '日']).filter(|p| !p.is_empty()).collect();
    match parts.as_slice() {
        [packed] if packed.len() == 8 => {
            let part = |range: std::ops::Range<usize>| packed.get(range).and_then(number);
            of(part(0..4)?, part(4..6)?, part(6..8)?)
        }
        [year, month, day] if year.len() == 4 => of(number(year)?, number(month)?, number(day)?),
        [first, second, year] if year.len() == 4 => {
            let (first, second, year) = (number(first)?, number(second)?, number(year)?);
            match (first, second) {
                // Dots put the day first wherever they are used.
                _ if date.contains('.') => of(year, second, first),
                (13.., _) => of(year, second, first),
                (_, 13..) => of(year, first, second),
                (same, other) if same == other => of(year, first, second),
                _ => None,
            }
        }
        _ => None,
    }
}

// `2020-07-16`, which nearly all are, without looking for anything else; none when it is not of that form.
fn read_iso(text: &[u8]) -> Option<Option<CivilDate>> {
    iso_parts(text).map(|(year, month, day)| of(year, month, day))
}

fn iso_parts(text: &[u8]) -> Option<(u32, u32, u32)> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let digits = |part: &[u8]| {
        part.iter().try_fold(0u32, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
    };
    Some((digits(&[*y1, *y2, *y3, *y4])?, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?))
}

fn read_era(rest: &str, before: i32) -> Option<CivilDate> {
    let rest = rest.replace('元', "1");
    let parts: Vec<&str> = rest.split(['年', '月', '日', '.', '-', '/']).filter(|p| !p.is_empty()).collect();
    let [year, month, day] = parts.as_slice() else { return None };
    CivilDate::of(before + i32::try_from(number(year)?).ok()?, number(month)?, number(day)?)
}

fn number(text: &str) -> Option<u32> {
    (!text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

fn of(year: u32, month: u32, day: u32) -> Option<CivilDate> {
    CivilDate::of(i32::try_from(gregorian(year)).ok()?, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_four_calendars_are_read_and_doubtful_ones_are_not() {
        let day = CivilDate::of(2020, 7, 16);
        for text in [
            "2020-07-16",
            "2020/7/16",
            "20200716",
            "16.07.2020",
            "16/7/2020",
            "7/16/2020",
            "2020年7月16日",
            "令和2年7月16日",
            "R2.7.16",
            "2020-07-16T08:00:00Z",
            "民國109年7月16日",
            "民国109年7月16日",
            "16/07/2563",
            "2563-07-16",
        ] {
            assert_eq!(read_day(text), day, "{text}");
            assert_eq!(read_parts(text), Some((2020, 7, 16)), "{text}");
        }
        assert_eq!(read_day("令和元年5月1日"), CivilDate::of(2019, 5, 1));
        assert_eq!(read_day("昭和64年1月7日"), CivilDate::of(1989, 1, 7));
        // A leap day of the one calendar is looked for in the other.
        assert_eq!(read_parts("2567-02-29"), Some((2024, 2, 29)));
        for text in ["03/04/2020", "03/04/2563", "民國109年2月30日", "2020-13-01", "2020-02-30", "", "12", "Rose", "1.2"] {
            assert_eq!((read_day(text), read_parts(text)), (None, None), "{text}");
        }
    }
}
