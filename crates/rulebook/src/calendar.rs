//! Working days: which days of a place count where a law gives working days, and the last day that they lead to.
//!
//! A year that a calendar does not hold has no day off: the last day comes sooner than in truth, never later.

use crate::{
    block::Line,
    book::Rulebook,
    law::{Due, Head},
    read::Reader,
};
use model::{CivilDate, text::Text};
use serde::Serialize;
use std::collections::BTreeMap;

// LIMIT: days that a deadline is counted over.
const DAYS_MAX: i32 = 3_660;

const WEEK: [&str; 7] = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];

/// The working days of a place.
#[derive(Clone, Debug, Serialize)]
pub struct Calendar {
    /// Shared keys.
    pub head: Head,
    /// Its name.
    pub label: Text,
    /// Days of the week on which nobody works, as days since the epoch modulo seven.
    rest: Vec<i32>,
    /// The years that are held.
    years: BTreeMap<i32, Year>,
}

/// What differs from the week in one year.
#[derive(Clone, Debug, Default, Serialize)]
struct Year {
    /// Holidays, first and last day.
    closed: Vec<(CivilDate, CivilDate)>,
    /// Days of rest on which people work.
    open: Vec<CivilDate>,
}

impl Calendar {
    /// Whether a day counts.
    pub fn works(&self, day: CivilDate) -> bool {
        let Some(year) = self.years.get(&day.parts().0) else { return true };
        let closed = year.closed.iter().any(|(first, last)| (*first..=*last).contains(&day));
        let rests = self.rest.contains(&day.days_since_epoch().rem_euclid(7));
        year.open.contains(&day) || !closed && !rests
    }

    /// The day on which so many working days have passed; the day that is counted from is not one of them.
    pub fn after(&self, from: CivilDate, days: i32) -> CivilDate {
        let (mut day, mut left) = (from, days);
        while left > 0 {
            day = day.plus_days(1);
            left -= i32::from(self.works(day));
        }
        day
    }
}

impl Rulebook {
    /// The last day on which what falls due so is in time, where it is counted from a day.
    pub fn last_day(&self, due: &Due, from: CivilDate) -> Option<CivilDate> {
        let Due::DaysAfter { days, calendar, .. } = due else { return None };
        Some(match calendar.as_ref().and_then(|id| self.calendars.get(id)) {
            Some(calendar) => calendar.after(from, *days),
            None => from.plus_days(*days),
        })
    }

    /// The first day to count from whose last day is not before this one: what counts from earlier is late.
    pub fn first_in_time(&self, due: &Due, on: CivilDate) -> Option<CivilDate> {
        let Due::DaysAfter { days, .. } = due else { return None };
        // No calendar gives less time than as many days of the week.
        let mut first = on.plus_days(days.saturating_neg());
        for _ in 0..DAYS_MAX {
            let before = first.plus_days(-1);
            if self.last_day(due, before)? < on {
                break;
            }
            first = before;
        }
        Some(first)
    }
}

/// Reads `N days after FACT` and `N working days after FACT by CALENDAR`.
pub(crate) fn read_due(value: &str) -> Option<Due> {
    let (count, rest) = value.split_once(" days after ")?;
    let (count, working) = match count.strip_suffix(" working") {
        Some(count) => (count, true),
        None => (count, false),
    };
    let (fact, calendar) = match rest.split_once(" by ") {
        Some((fact, calendar)) => (fact, Some(calendar.trim().to_string())),
        None => (rest, None),
    };
    let days = count.trim().parse().ok().filter(|n| (0..=DAYS_MAX).contains(n))?;
    let one_word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    let told = working == calendar.is_some() && one_word(fact.trim()) && calendar.as_deref().is_none_or(one_word);
    told.then(|| Due::DaysAfter { days, fact: fact.trim().to_string(), calendar })
}

/// Reads a `calendar` block.
pub(crate) fn read_calendar(r: &mut Reader<'_>, head: Head) -> Calendar {
    let rest: Vec<i32> = r.words("rest").iter().filter_map(|w| WEEK.iter().position(|d| d == w)).map(|n| n as i32).collect();
    if rest.len() != r.words("rest").len() || rest.len() > 6 {
        r.fault("TGT-R008", head.span, format!("`rest` of `{}` does not name days of the week", head.id), "for example `rest: saturday, sunday`; at least one day is left");
    }
    let mut years: BTreeMap<i32, Year> = BTreeMap::new();
    for line in r.lines("closed") {
        let (year, spans) = of_year(r, line);
        years.entry(year).or_default().closed.extend(spans);
    }
    for line in r.lines("open") {
        let (year, spans) = of_year(r, line);
        years.entry(year).or_default().open.extend(spans.iter().map(|(first, _)| *first));
    }
    Calendar { label: r.text("label"), rest, years, head }
}

/// `closed 2026: 01-01..01-03 02-15`: the year, and its spans of days.
fn of_year(r: &mut Reader<'_>, line: &Line) -> (i32, Vec<(CivilDate, CivilDate)>) {
    let day = |text: &str| format!("{}-{text}", line.argument).parse::<CivilDate>().ok();
    let span = |text: &str| {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        day(first).zip(day(last)).filter(|(first, last)| first <= last)
    };
    let words: Vec<&str> = line.value.split([' ', ',']).filter(|w| !w.is_empty()).collect();
    let spans: Vec<_> = words.iter().filter_map(|w| span(w)).collect();
    if spans.len() != words.len() || line.argument.parse::<i32>().is_err() {
        let help = "a year, then days of it: `closed 2026: 01-01..01-03 05-01`";
        r.fault("TGT-R009", line.value_span, format!("`{}` are no days of the year `{}`", line.value, line.argument), help);
    }
    (line.argument.parse().unwrap_or_default(), spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Source;

    const LAW: &str = "```instrument x\ntitle: X | X\nnumber: 1\nsource: https://example.org\nread: 2026-01-01\n```\n\
        ```calendar x.days\nlabel: Days | 日\ncites: Notice 1\nrest: saturday, sunday\nclosed 2026: 02-15..02-23 05-01\nopen 2026: 02-28\n```\n";

    fn book() -> Rulebook {
        Rulebook::parse(vec![Source { path: "x.md".into(), text: LAW.into() }]).0
    }

    fn due(text: &str) -> Due {
        read_due(text).unwrap()
    }

    #[test]
    fn holidays_and_days_of_rest_do_not_count_and_days_that_replace_them_do() {
        let (book, due) = (book(), due("5 working days after mechanism.signed_on by x.days"));
        let last = |from: &str| book.last_day(&due, from.parse().unwrap()).unwrap().to_string();
        assert_eq!(last("2026-03-02"), "2026-03-09", "a week without holidays");
        assert_eq!(last("2026-02-13"), "2026-02-28", "nine days closed, then a Saturday that is worked");
        assert_eq!(last("2025-12-30"), "2026-01-06", "2025 is not held: its last day counts, then a Thursday, a Friday, a Monday, a Tuesday");
    }

    #[test]
    fn the_first_day_in_time_is_the_first_whose_last_day_has_not_passed() {
        let (book, due) = (book(), due("5 working days after mechanism.signed_on by x.days"));
        let mut day: CivilDate = "2025-12-20".parse().unwrap();
        for _ in 0..420 {
            let first = book.first_in_time(&due, day).unwrap();
            assert!(book.last_day(&due, first).unwrap() >= day, "{day}: {first} is in time");
            assert!(book.last_day(&due, first.plus_days(-1)).unwrap() < day, "{day}: the day before {first} is late");
            day = day.plus_days(1);
        }
    }

    #[test]
    fn what_is_no_count_is_not_read() {
        for text in ["5 days", "5 working days after x.y", "5 days after x.y by z", "-1 days after x.y", "5 days after x y", "days after x.y"] {
            assert_eq!(read_due(text), None, "{text}");
        }
        assert_eq!(due("3 days after x.y"), Due::DaysAfter { days: 3, fact: "x.y".into(), calendar: None });
    }

    #[test]
    fn days_that_do_not_exist_are_underlined() {
        let text = LAW.replace("02-15..02-23", "02-15..02-30");
        let (_, findings) = Rulebook::parse(vec![Source { path: "x.md".into(), text }]);
        assert!(findings.iter().any(|f| f.code == "TGT-R009" && f.message.contains("02-30")), "{findings:?}");
    }
}
