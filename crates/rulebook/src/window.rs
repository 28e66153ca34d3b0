//! The window of a counter: over which days a law adds up, as its vocabulary says.

use model::CivilDate;
use serde::{Deserialize, Serialize};
use std::fmt;

// LIMIT: months of a window.
const MONTHS_MAX: u32 = 120;

/// Over which days a count is added up, the day asked about included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    /// Since 1 January of the year.
    ThisYear,
    /// Since 1 January of the year before.
    ThisAndLastYear,
    /// So many months back.
    Months(u32),
}

/// A window, and whether each recipient has a count of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    /// The days.
    pub span: Span,
    /// Whether what goes to one recipient is counted apart from what goes to another.
    pub by_recipient: bool,
}

impl Window {
    /// Reads `this year`, `this and last year` or `12 months`, with `by recipient` behind it where each has a count of its own.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (span, by_recipient) = match text.strip_suffix("by recipient") {
            Some(rest) => (rest.trim(), true),
            None => (text, false),
        };
        let span = match span {
            "this year" => Span::ThisYear,
            "this and last year" => Span::ThisAndLastYear,
            other => {
                let months = other.strip_suffix("months")?.trim().parse().ok()?;
                (1..=MONTHS_MAX).contains(&months).then_some(Span::Months(months))?
            }
        };
        Some(Self { span, by_recipient })
    }

    /// The first day of the window that ends with this one.
    pub fn from(self, on: CivilDate) -> CivilDate {
        let (year, month, day) = on.parts();
        let first = |year| CivilDate::of(year, 1, 1);
        let from = match self.span {
            Span::ThisYear => first(year),
            Span::ThisAndLastYear => first(year - 1),
            Span::Months(n) => {
                let index = year * 12 + month as i32 - 1 - n as i32;
                let (y, m) = (index.div_euclid(12), index.rem_euclid(12) as u32 + 1);
                // The same day so many months back, or the last of that month: a day too many errs to the strict side.
                (1..=day).rev().find_map(|d| CivilDate::of(y, m, d))
            }
        };
        from.unwrap_or(on)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.span {
            Span::ThisYear => f.write_str("this year")?,
            Span::ThisAndLastYear => f.write_str("this and last year")?,
            Span::Months(n) => write!(f, "{n} months")?,
        }
        f.write_str(if self.by_recipient { " by recipient" } else { "" })
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}

impl TryFrom<String> for Window {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::read(&text).ok_or_else(|| format!("`{text}` is no window: `this year`, `this and last year` or `12 months`, then `by recipient` if each has its own"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(window: &str, on: &str) -> String {
        Window::read(window).unwrap().from(on.parse().unwrap()).to_string()
    }

    #[test]
    fn a_window_ends_with_the_day_and_begins_where_the_law_says() {
        assert_eq!(from("this year", "2026-11-22"), "2026-01-01");
        assert_eq!(from("this and last year", "2026-01-01"), "2025-01-01");
        assert_eq!(from("12 months by recipient", "2026-11-22"), "2025-11-22");
        assert_eq!(from("1 months", "2026-03-31"), "2026-02-28");
        for text in ["this year", "this and last year by recipient", "12 months by recipient"] {
            assert_eq!(Window::read(text).unwrap().to_string(), text);
        }
        for text in ["", "year", "0 months", "121 months", "months", "by recipient"] {
            assert_eq!(Window::read(text), None, "{text}");
        }
    }
}
