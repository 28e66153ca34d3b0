//! A plan: what happens to each column. Written as TOML, judged by profiles, applied to batches.

use crate::number::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What happens to one column. An act looks at one cell alone, [`Act::Shift`] at the person's beside it, so that it can be
/// applied in flight; only [`Act::Local`] and [`Act::Range`] need the whole table.
///
/// INVARIANT: an act other than [`Act::Keep`] never passes a value that it cannot read; such a value becomes missing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Act {
    /// The column goes as it is.
    Keep,
    /// The column does not go.
    Drop,
    /// The column goes empty: every value is missing.
    Suppress,
    /// Numbers become half-open bins `[20,25)`; beyond `below` and `above` they are coded at the ends.
    Bin {
        /// Width of a bin, above zero.
        width: Decimal,
        /// Where bins start counting.
        #[serde(default = "zero", skip_serializing_if = "is_zero")]
        origin: Decimal,
        /// Numbers under this become `<20`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        below: Option<Decimal>,
        /// Numbers from this on become `>=85`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        above: Option<Decimal>,
    },
    /// Top and bottom coding: numbers between stay, those under `below` become `<20`, those from `above` on `>=85`.
    Clamp {
        /// Numbers under this become `<20`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        below: Option<Decimal>,
        /// Numbers from this on become `>=85`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        above: Option<Decimal>,
    },
    /// Days become a month, a quarter, a year, a decade.
    Date {
        /// The unit that remains.
        to: DateUnit,
    },
    /// The first characters remain, the rest becomes `*`: `984-7289` → `984*`.
    Prefix {
        /// How many characters remain.
        keep: usize,
    },
    /// Each value becomes what the table says; a value that is not in it becomes `otherwise`, or missing.
    Map {
        /// From value to value.
        to: BTreeMap<String, String>,
        /// What a value outside the table becomes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        otherwise: Option<String>,
    },
    /// Each value becomes a keyed pseudonym of the flow's domain.
    Pseudonym {
        /// Columns with one namespace share pseudonyms and can be joined; by default the column's own name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
    },
    /// Each value becomes a token of the flow's domain that the holder of the secret can turn back (AES-SIV).
    Token {
        /// Columns with one namespace share tokens; by default the column's own name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
    },
    /// Days move by a number of days that is the same for all days of one person: what lies between them stays.
    Shift {
        /// The column whose values are persons; it need not be released.
        person: String,
        /// At most so many days, earlier or later.
        days: u16,
    },
    /// Addresses of the internet keep their first bits: `192.0.2.7` → `192.0.2.0/24`.
    Ip {
        /// Bits that remain of version 4.
        v4: u8,
        /// Bits that remain of version 6.
        v6: u8,
    },
    /// Each record takes one of these acts, the finest that its class allows: local recoding, which needs the whole table.
    Local {
        /// From finest to coarsest.
        of: Vec<Act>,
    },
    /// Each value becomes the range of those of its class, which are neighbors: Mondrian, which needs the whole table.
    /// Numbers and days `[20,37]`, words `a|b`; a class that has one value alone keeps it.
    Range,
}

fn zero() -> Decimal {
    Decimal::ZERO
}

fn is_zero(value: &Decimal) -> bool {
    *value == Decimal::ZERO
}

/// How much of a date remains, finest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateUnit {
    /// `2020-07`
    Month,
    /// `2020-Q3`
    Quarter,
    /// `2020`
    Year,
    /// `2020s`
    Decade,
}

impl Act {
    /// The family of technique, as ISO/IEC 20889 calls it.
    pub fn technique(&self) -> Technique {
        match self {
            Self::Keep => Technique::None,
            Self::Drop | Self::Suppress => Technique::Suppression,
            Self::Bin { .. }
            | Self::Date { .. }
            | Self::Prefix { .. }
            | Self::Map { .. }
            | Self::Ip { .. }
            | Self::Local { .. }
            | Self::Range => Technique::Generalization,
            Self::Shift { .. } => Technique::Randomization,
            Self::Clamp { .. } => Technique::TopBottomCoding,
            Self::Pseudonym { .. } | Self::Token { .. } => Technique::Pseudonymization,
        }
    }
}

/// A family of technique (ISO/IEC 20889:2018).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Technique {
    /// Nothing is done.
    None,
    /// Values or columns are removed.
    Suppression,
    /// Values become coarser.
    Generalization,
    /// Extremes become one value.
    TopBottomCoding,
    /// Values become keyed names.
    Pseudonymization,
    /// Values move by a secret amount.
    Randomization,
}

/// What happens to each column of a table. A column that the plan does not name stops at the border.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Column name → act.
    pub columns: BTreeMap<String, Act>,
}

/// The text is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAPlan {
    /// Where in the text, in bytes, if one place is at fault.
    pub span: Option<std::ops::Range<usize>>,
    message: String,
}

impl std::fmt::Display for NotAPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (pets/not-a-plan)", self.message)
    }
}

impl std::error::Error for NotAPlan {}

impl Plan {
    /// Parses a plan from TOML: a table `[columns.NAME]` for each column, with `act = "…"`.
    pub fn parse(text: &str) -> Result<Self, NotAPlan> {
        toml::from_str(text).map_err(|e| NotAPlan { span: e.span(), message: e.message().to_string() })
    }

    /// Renders the plan as TOML that [`Plan::parse`] reads back.
    pub fn render(&self) -> Result<String, NotAPlan> {
        toml::to_string(self).map_err(|e| NotAPlan { span: None, message: e.to_string() })
    }

    /// True when some act needs the whole table, so that the plan cannot be applied in flight.
    pub fn needs_whole_table(&self) -> bool {
        self.columns.values().any(|act| matches!(act, Act::Local { .. } | Act::Range))
    }

    /// The names of columns that go out, in the plan's order.
    pub fn released(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|(_, act)| **act != Act::Drop).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_text_and_back() {
        let text = r#"
            [columns.age]
            act = "bin"
            width = 5
            above = 85
            [columns.weight]
            act = "clamp"
            below = 40.5
            [columns.birth_date]
            act = "date"
            to = "year"
            [columns.patient]
            act = "pseudonym"
            [columns.name]
            act = "drop"
        "#;
        let plan = Plan::parse(text).unwrap();
        assert_eq!(plan.columns["weight"], Act::Clamp { below: Some("40.5".parse().unwrap()), above: None });
        assert_eq!(Plan::parse(&plan.render().unwrap()).unwrap(), plan);
        assert_eq!(plan.released().collect::<Vec<_>>(), ["age", "birth_date", "patient", "weight"]);
    }

    #[test]
    fn an_unknown_act_or_key_is_pointed_at() {
        let wrong = Plan::parse("[columns.age]\nact = \"blur\"").unwrap_err();
        assert!(wrong.span.is_some() && wrong.to_string().contains("blur"), "{wrong}");
        assert!(Plan::parse("[columns.age]\nact = \"bin\"\nwidht = 5").is_err());
        assert!(Plan::parse("[column.age]\nact = \"keep\"").is_err());
    }
}
