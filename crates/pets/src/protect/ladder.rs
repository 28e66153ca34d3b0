//! Ladders: how the values of a column become coarser, rung by rung.

use crate::dictionary::Entry;
use crate::number::Decimal;
use crate::plan::Act;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// The usual ladders of kinds.
#[derive(Clone, Debug, Default)]
pub struct Ladders {
    by_kind: BTreeMap<String, Vec<Act>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rungs {
    rungs: Vec<Act>,
}

/// The text is no set of ladders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotLadders {
    /// Where in the text, in bytes, if one place is at fault.
    pub span: Option<Range<usize>>,
    message: String,
}

impl fmt::Display for NotLadders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pets/not-ladders)", self.message)
    }
}

impl std::error::Error for NotLadders {}

impl Ladders {
    /// Parses ladders; `profiles/ladders.toml` describes the format.
    pub fn parse(text: &str) -> Result<Self, NotLadders> {
        let document: BTreeMap<String, Rungs> = toml::from_str(text)
            .map_err(|e| NotLadders { span: e.span(), message: e.message().to_string() })?;
        Ok(Self { by_kind: document.into_iter().map(|(kind, rungs)| (kind, rungs.rungs)).collect() })
    }

    /// The rungs of a column, finest first, `keep` and `drop` included. `values` are its distinct values.
    pub fn of<'a>(&self, entry: &Entry, values: impl Iterator<Item = &'a str>) -> Vec<Act> {
        if let Some(chosen) = &entry.act {
            return vec![chosen.clone()];
        }
        let middle = match &entry.kind {
            _ if !entry.ladder.is_empty() => entry.ladder.clone(),
            Some(kind) if self.by_kind.contains_key(kind) => {
                self.by_kind.get(kind).cloned().unwrap_or_default()
            }
            _ => bins(values),
        };
        let keeps = middle.first() == Some(&Act::Keep);
        let mut out = if keeps { Vec::new() } else { vec![Act::Keep] };
        out.extend(middle.into_iter().filter(|act| *act != Act::Drop));
        out.push(Act::Drop);
        out
    }
}

// Numbers of no known kind: bins of 1, 2 or 5 times a power of ten, about 50, 20, 10, 5 and 2 of them over the range.
fn bins<'a>(values: impl Iterator<Item = &'a str>) -> Vec<Act> {
    let Some(numbers) = values.map(|v| v.parse::<Decimal>().ok()).collect::<Option<Vec<Decimal>>>() else {
        return Vec::new();
    };
    let (Some(least), Some(most)) = (numbers.iter().min(), numbers.iter().max()) else { return Vec::new() };
    let range = most.to_f64() - least.to_f64();
    let mut out: Vec<Act> = Vec::new();
    for parts in [50.0, 20.0, 10.0, 5.0, 2.0] {
        let rough: f64 = range / parts;
        if rough <= 0.0 {
            continue;
        }
        let power = 10f64.powi(rough.log10().floor() as i32);
        let width = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|m| m * power)
            .find(|w| *w >= rough)
            .unwrap_or(10.0 * power);
        // Widths below a billionth cannot be written; such columns go whole or not at all.
        let Ok(width) = format!("{width:.9}").parse::<Decimal>() else { continue };
        let act = Act::Bin { width, origin: Decimal::ZERO, below: None, above: None };
        if width > Decimal::ZERO && out.last() != Some(&act) {
            out.push(act);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictionary::{Role, SaidBy};

    #[test]
    fn ladders_begin_with_keep_and_end_with_drop() {
        let ladders = Ladders::parse(include_str!("../../../../profiles/ladders.toml")).unwrap();
        let entry = |kind: Option<&str>| Entry {
            role: Role::QuasiIdentifier,
            kind: kind.map(Into::into),
            said_by: SaidBy::Scan,
            ladder: Vec::new(),
            weight: 1,
            act: None,
        };
        let of = |kind: Option<&str>, values: &[&str]| ladders.of(&entry(kind), values.iter().copied());
        let postcodes = of(Some("postcode"), &["984-7289"]);
        assert_eq!(
            (postcodes.first(), postcodes.last(), postcodes.len()),
            (Some(&Act::Keep), Some(&Act::Drop), 6)
        );
        assert_eq!(of(None, &["a", "b"]), [Act::Keep, Act::Drop]);
        let widths: Vec<String> = of(None, &["0", "97"])
            .iter()
            .filter_map(|a| if let Act::Bin { width, .. } = a { Some(width.to_string()) } else { None })
            .collect();
        assert_eq!(widths, ["2", "5", "10", "20", "50"]);
        assert_eq!(of(None, &["5", "5"]), [Act::Keep, Act::Drop]);
        let chosen = Entry { act: Some(Act::Suppress), ..entry(Some("age")) };
        assert_eq!(ladders.of(&chosen, ["1"].into_iter()), [Act::Suppress]);
    }
}
