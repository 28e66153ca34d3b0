//! What is known of one crossing, as the cells that stay possible on each axis (DESIGN section 4, KNOWLEDGE).

use crate::{
    axis::Axis,
    diagram::{Allowed, Cells, NodeId},
    table::Table,
};
use model::CivilDate;
use rulebook::{
    bind::{BoundFact, Crossing, Known, absent_when_unsaid},
    book::Rulebook,
    law::Due,
    vocabulary::FactKind,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The truth of a condition over everything still possible.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// In every state.
    Yes,
    /// In none.
    No,
    /// In some.
    Open,
}

/// The box of states that a crossing leaves possible.
#[derive(Clone, Debug)]
pub struct Knowledge {
    /// Cells by axis.
    pub allowed: Allowed,
}

impl Knowledge {
    /// Reads a crossing on the table's day.
    pub fn of(table: &Table, book: &Rulebook, crossing: &Crossing) -> Self {
        let on = table.as_of.on;
        let allowed = table.axes.list.iter().map(|axis| cells_of(axis, book, &crossing.facts, on)).collect();
        let mut known = Self { allowed };
        known.tighten(table);
        known
    }

    /// Drops cells that no possible state has: what follows from stated facts need not be asked.
    fn tighten(&mut self, table: &Table) {
        for axis in table.diagram.support(table.constraint) {
            let cells = self.allowed.get(axis).copied().unwrap_or_default();
            let mut left = Cells::default();
            for cell in cells.iter().filter(|_| cells.len() > 1) {
                let mut only = self.allowed.clone();
                if let Some(slot) = only.get_mut(axis) {
                    *slot = Cells::one(cell);
                }
                if table.diagram.can(table.constraint, crate::diagram::TRUE, &only, &HashMap::new()) {
                    left.insert(cell);
                }
            }
            // A box with no possible state is bind's diagnostic; should one come here, nothing is dropped and nothing opens.
            if let Some(slot) = self.allowed.get_mut(axis).filter(|_| !left.is_empty()) {
                *slot = left;
            }
        }
    }

    /// The truth of a function.
    pub fn truth(&self, table: &Table, f: NodeId, not_f: NodeId) -> Truth {
        self.truth_after(table, f, not_f, &HashMap::new())
    }

    /// The truth of a function after measures.
    pub fn truth_after(&self, table: &Table, f: NodeId, not_f: NodeId, forced: &HashMap<usize, usize>) -> Truth {
        let can = table.diagram.can(f, table.constraint, &self.allowed, forced);
        let can_not = table.diagram.can(not_f, table.constraint, &self.allowed, forced);
        match (can, can_not) {
            (_, false) => Truth::Yes,
            (false, true) => Truth::No,
            (true, true) => Truth::Open,
        }
    }

    /// Whether the function holds in some state, after measures.
    pub fn can(&self, table: &Table, f: NodeId, forced: &HashMap<usize, usize>) -> bool {
        table.diagram.can(f, table.constraint, &self.allowed, forced)
    }
}

fn cells_of(axis: &Axis, book: &Rulebook, facts: &BTreeMap<String, BoundFact>, on: CivilDate) -> Cells {
    let everything = Cells::first(axis.width());
    match axis {
        Axis::Reading(_) | Axis::Gap { .. } => everything,
        _ => {
            let slot = axis.slot().unwrap_or_default();
            match facts.get(slot) {
                Some(bound) if bound.until.is_none_or(|u| on < u) => said_cells(axis, &bound.known),
                // What has expired no longer counts, and says nothing about what took its place.
                Some(_) => expired_cells(axis, book, slot),
                None => unsaid_cells(axis, book, slot),
            }
        }
    }
}

fn said_cells(axis: &Axis, known: &Known) -> Cells {
    let mut cells = Cells::default();
    match (axis, known) {
        (Axis::Choice { classes, .. }, Known::Values(values)) => {
            classes.iter().enumerate().filter(|(_, c)| values.iter().any(|v| c.contains(v))).for_each(|(i, _)| cells.insert(i));
        }
        (Axis::Member { members, .. }, Known::Members(said)) => cells.insert(usize::from(members.iter().any(|m| said.contains(m)))),
        (Axis::Count { cuts, .. }, Known::Range(lo, hi)) => {
            let cell = |n: &i64| cuts.iter().filter(|c| *c <= n).count();
            (cell(lo)..=cell(hi)).for_each(|i| cells.insert(i));
        }
        (Axis::Day { cuts, .. }, Known::Day(d)) => cells.insert(cuts.iter().filter(|c| *c <= d).count()),
        // A value of another type cannot be bound; should it happen, everything stays possible.
        _ => cells = Cells::first(axis.width()),
    }
    cells
}

fn expired_cells(axis: &Axis, book: &Rulebook, slot: &str) -> Cells {
    match book.vocabulary.of_slot(slot).map(|f| f.kind) {
        Some(FactKind::Measure) => unsaid_cells(axis, book, slot),
        _ => Cells::first(axis.width()),
    }
}

fn unsaid_cells(axis: &Axis, book: &Rulebook, slot: &str) -> Cells {
    let absent = book.vocabulary.of_slot(slot).is_some_and(absent_when_unsaid);
    match axis {
        Axis::Member { .. } if absent => Cells::one(0),
        Axis::Choice { classes, .. } if absent => {
            let lacking = |c: &std::collections::BTreeSet<String>| c.contains("not_made") || c.contains("no");
            classes.iter().position(lacking).map_or(Cells::first(axis.width()), Cells::one)
        }
        _ => Cells::first(axis.width()),
    }
}

/// The last day on which an obligation counted from a fact is in time, when that day is known.
pub fn last_day(book: &Rulebook, id: &str, facts: &BTreeMap<String, BoundFact>) -> Option<CivilDate> {
    match book.obligations.iter().find(|o| o.head.id == id).map(|o| &o.due) {
        Some(Due::DaysAfter { days, fact }) => match facts.get(fact).map(|b| &b.known) {
            Some(Known::Day(day)) => Some(day.plus_days(*days)),
            _ => None,
        },
        _ => None,
    }
}
