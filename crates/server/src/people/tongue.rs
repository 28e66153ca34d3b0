//! The language of a page: words by id, texts of law, and days as people write them.

use model::{CivilDate, Instant, text::{Language, Text}};
use serde::Serialize;
use std::borrow::Cow;
use words::{Arg, say};

/// A language, with what a page says in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tongue(pub Language);

impl Tongue {
    /// The tongue of a path's first part.
    pub fn of(code: &str) -> Option<Self> {
        match code {
            "en" => Some(Self(Language::En)),
            "ja" => Some(Self(Language::Ja)),
            _ => None,
        }
    }

    /// The tongue of a path; English for paths that have none.
    pub fn of_path(path: &str) -> Self {
        path.split('/').nth(1).and_then(Self::of).unwrap_or(Self(Language::En))
    }

    /// The tongue that a browser prefers.
    pub fn preferred(accept: &str) -> Self {
        let ja = accept.split(',').position(|p| p.trim_start().starts_with("ja"));
        let en = accept.split(',').position(|p| p.trim_start().starts_with("en"));
        match (ja, en) {
            (Some(j), Some(e)) if j < e => Self(Language::Ja),
            (Some(_), None) => Self(Language::Ja),
            _ => Self(Language::En),
        }
    }

    /// A provision as it is cited in this tongue.
    pub fn cite(self, cites: &str) -> Cow<'_, str> {
        words::cite(self.0, cites)
    }

    /// `en` or `ja`.
    pub fn code(self) -> &'static str {
        match self.0 {
            Language::En => "en",
            Language::Ja => "ja",
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        Self(match self.0 {
            Language::En => Language::Ja,
            Language::Ja => Language::En,
        })
    }

    /// A message.
    pub fn word(self, id: &str) -> String {
        say(self.0, id, &[])
    }

    /// A message with texts in it.
    pub fn with(self, id: &str, texts: &[(&str, &str)]) -> String {
        let args: Vec<(&str, Arg<'_>)> = texts.iter().map(|(n, t)| (*n, Arg::Text(t))).collect();
        say(self.0, id, &args)
    }

    /// A message about a number `n`.
    pub fn count(self, id: &str, n: usize) -> String {
        say(self.0, id, &[("n", Arg::Number(i64::try_from(n).unwrap_or(i64::MAX)))])
    }

    /// A text of law in this language.
    pub fn text(self, text: &Text) -> &str {
        text.in_(self.0)
    }

    /// A day as people write it.
    pub fn day(self, day: CivilDate) -> String {
        let (y, m, d) = day.parts();
        let (y, d) = (y.to_string(), d.to_string());
        say(self.0, "page-day", &[("y", Arg::Text(&y)), ("m", Arg::Number(i64::from(m))), ("d", Arg::Text(&d))])
    }

    /// A moment: the day and the time of day in UTC.
    pub fn moment(self, at: Instant) -> String {
        let seconds = at.0.div_euclid(1_000).rem_euclid(86_400);
        let time = format!("{:02}:{:02}:{:02} UTC", seconds / 3_600, seconds / 60 % 60, seconds % 60);
        self.with("page-moment", &[("day", &self.day(at.day(0))), ("time", &time)])
    }

    /// The message whose id ends in a value's word: `review-` and `Review::Stale` say `review-stale`.
    pub fn of_value(self, prefix: &str, value: &impl Serialize) -> String {
        self.word(&format!("{prefix}{}", word_of(value)))
    }

    /// Who decides, knows or judges.
    pub fn who(self, id: &str) -> String {
        self.word(&format!("who-{id}"))
    }

    /// A count of bytes in a unit that people read.
    pub fn bytes(self, n: u64) -> String {
        let units = ["B", "kB", "MB", "GB", "TB"];
        let mut unit = 0;
        let mut tenths = n.saturating_mul(10);
        while tenths >= 10_000 && unit + 1 < units.len() {
            tenths /= 1_000;
            unit += 1;
        }
        let name = units.get(unit).copied().unwrap_or("B");
        if unit == 0 { format!("{n} {name}") } else { format!("{}.{} {name}", tenths / 10, tenths % 10) }
    }
}

/// The word that a value has in files.
pub fn word_of(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_string)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_moments_and_sizes_are_written_as_people_write_them() {
        let (en, ja) = (Tongue(Language::En), Tongue(Language::Ja));
        let day: CivilDate = "2020-07-16".parse().unwrap();
        assert_eq!((en.day(day).as_str(), ja.day(day).as_str()), ("16 July 2020", "2020年7月16日"));
        assert_eq!(en.bytes(999), "999 B");
        assert_eq!(en.bytes(8_388_608), "8.3 MB");
        assert_eq!(en.moment(Instant(1_594_900_805_000)), "16 July 2020, 12:00:05 UTC");
    }

    #[test]
    fn the_browser_is_heard() {
        assert_eq!(Tongue::preferred("ja,en-US;q=0.7").code(), "ja");
        assert_eq!(Tongue::preferred("en-GB,ja;q=0.5").code(), "en");
        assert_eq!(Tongue::preferred("fr").code(), "en");
    }
}
