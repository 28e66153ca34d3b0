//! Exact totals by group, which never leave this room.

use super::{Person, Question, Refused};
use crate::cell::Cells;
use crate::intern::{Codes, Paths};
use crate::number::Decimal;
use arrow_array::RecordBatch;
use std::collections::HashMap;

/// What one row adds to its group.
#[derive(Clone, Debug)]
pub(super) enum Adds {
    /// One.
    Ones,
    /// One, where the column has a number.
    Filled { column: String },
    /// The number within bounds, less a constant, in units of ten to the minus `decimals`.
    Number { column: String, low: i64, high: i64, minus: i64, decimals: u32 },
    /// One, to the bin of its number.
    Bin { column: String, edges: Vec<Decimal> },
}

impl Adds {
    /// The most that one row can add or take away.
    pub(super) fn most(&self) -> u128 {
        match self {
            Self::Number { low, high, minus, .. } => {
                let far = |end: i64| u128::from(end.abs_diff(*minus));
                far(*low).max(far(*high))
            }
            _ => 1,
        }
    }

    fn column(&self) -> Option<&String> {
        match self {
            Self::Ones => None,
            Self::Filled { column } | Self::Number { column, .. } | Self::Bin { column, .. } => Some(column),
        }
    }

    fn labels(&self) -> Option<Vec<String>> {
        let Self::Bin { edges, .. } = self else { return None };
        let mut labels = Vec::with_capacity(edges.len() + 1);
        labels.extend(edges.first().map(|e| format!("<{e}")));
        labels.extend(edges.windows(2).filter_map(|w| Some(format!("[{},{})", w.first()?, w.get(1)?))));
        labels.extend(edges.last().map(|e| format!(">={e}")));
        Some(labels)
    }

    /// The place among the bins, and what is added; none when the row has no number and one is needed.
    fn of(&self, text: Option<&str>) -> Option<(usize, i64)> {
        if matches!(self, Self::Ones) {
            return Some((0, 1));
        }
        let number: Decimal = text?.parse().ok()?;
        Some(match self {
            Self::Number { low, high, minus, decimals, .. } => {
                (0, number.units(*decimals)?.clamp(*low, *high) - minus)
            }
            Self::Bin { edges, .. } => (edges.partition_point(|edge| *edge <= number), 1),
            _ => (0, 1),
        })
    }
}

/// Totals while rows are counted.
pub(super) struct Totals {
    adds: Adds,
    groups: Vec<Vec<String>>,
    places: HashMap<Vec<String>, usize>,
    bins: usize,
    totals: Vec<i64>,
    persons: Codes,
    seen: HashMap<u32, u32>,
    paths: Paths,
}

impl Totals {
    pub(super) fn of(question: &Question, adds: Adds) -> Result<Self, Refused> {
        let groups = if question.by.is_empty() { vec![Vec::new()] } else { question.groups.clone() };
        let places: HashMap<Vec<String>, usize> =
            groups.iter().cloned().enumerate().map(|(place, group)| (group, place)).collect();
        if groups.is_empty()
            || places.len() != groups.len()
            || groups.iter().any(|g| g.len() != question.by.len())
        {
            return Err(Refused::WrongGroup);
        }
        let bins = adds.labels().map_or(1, |l| l.len());
        let totals = vec![0; groups.len() * bins];
        Ok(Self {
            adds,
            groups,
            places,
            bins,
            totals,
            persons: Codes::default(),
            seen: HashMap::new(),
            paths: Paths::of_width(1),
        })
    }

    pub(super) fn push(&mut self, question: &Question, batch: &RecordBatch) -> Result<(), Refused> {
        let read = |name: &String| {
            batch.column_by_name(name).and_then(Cells::of).ok_or_else(|| Refused::NoColumn(name.clone()))
        };
        let by = question.by.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let added = self.adds.column().map(read).transpose()?;
        let person = match &question.person {
            Person::Row => None,
            Person::Key { column, rows_max } => Some((read(column)?, *rows_max)),
        };
        for row in 0..batch.num_rows() {
            if let Some((cells, rows_max)) = &person
                && !self.counts(cells.text(row).as_deref(), *rows_max)
            {
                continue;
            }
            let group: Vec<String> =
                by.iter().map(|cells| cells.text(row).unwrap_or_default().into_owned()).collect();
            let Some(&place) = self.places.get(&group) else { continue };
            let text = added.as_ref().and_then(|cells| cells.text(row));
            if let Some((bin, amount)) = self.adds.of(text.as_deref())
                && let Some(total) = self.totals.get_mut(place * self.bins + bin)
            {
                *total = total.saturating_add(amount);
            }
        }
        Ok(())
    }

    // The first rows of a person count; which those are depends on that person's rows alone.
    fn counts(&mut self, person: Option<&str>, rows_max: u32) -> bool {
        if person.is_none() {
            return false;
        }
        let person = self.paths.class([self.persons.code(person)]);
        let rows = self.seen.entry(person).or_default();
        *rows = rows.saturating_add(1);
        *rows <= rows_max
    }

    pub(super) fn finish(self) -> impl Iterator<Item = (Vec<String>, i64)> {
        let labels = self.adds.labels();
        let (groups, bins) = (self.groups, self.bins);
        self.totals.into_iter().enumerate().map(move |(at, total)| {
            let mut group = groups.get(at / bins).cloned().unwrap_or_default();
            group.extend(labels.as_ref().and_then(|l| l.get(at % bins)).cloned());
            (group, total)
        })
    }
}
