//! What is known of one crossing, and what stays possible on the axes of each layer (DESIGN section 4, KNOWLEDGE).

use crate::{
    cells::Cells,
    diagram::{Allowed, Forced, NodeId, TRUE},
    lexicon::Packed,
    table::{Linked, Table},
};
use model::CivilDate;
use rulebook::{
    bind::{BoundFact, Crossing, Known},
    book::Rulebook,
    law::Due,
};
use serde::{Deserialize, Serialize};
use std::{cell::OnceCell, collections::BTreeMap};

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

/// What is known of a crossing. The box of states that it leaves possible is kept layer by layer, each made when a layer
/// is first asked about.
#[derive(Clone, Debug)]
pub struct Knowledge {
    /// The facts as words of bits.
    pub packed: Packed,
    /// The layers that may apply.
    pub live: Vec<usize>,
    views: Vec<OnceCell<View>>,
    beside: OnceCell<View>,
}

/// The box over the axes of one unit.
#[derive(Clone, Debug)]
pub struct View {
    /// Cells by axis.
    pub allowed: Allowed,
    /// What of the constraint is left to heed.
    pub constraint: NodeId,
}

impl View {
    fn of(linked: &Linked, packed: &Packed) -> Self {
        let mut view = Self { allowed: linked.allowed(packed), constraint: linked.unit.constraint };
        if !linked.unit.diagram.can(linked.unit.impossible, TRUE, &view.allowed, &Forced::NONE) {
            // Every state of the box can be: there is nothing to heed, and nothing to drop.
            view.constraint = TRUE;
        } else {
            view.tighten(linked);
        }
        view
    }

    /// Drops cells that no possible state has: what follows from stated facts need not be asked.
    fn tighten(&mut self, linked: &Linked) {
        let diagram = &linked.unit.diagram;
        for axis in diagram.support(self.constraint) {
            let cells = self.allowed.get(axis).copied().unwrap_or_default();
            let mut left = Cells::default();
            for cell in cells.iter().filter(|_| cells.only().is_none()) {
                let mut only = self.allowed.clone();
                if let Some(slot) = only.get_mut(axis) {
                    *slot = Cells::one(cell);
                }
                if diagram.can(self.constraint, TRUE, &only, &Forced::NONE) {
                    left.insert(cell);
                }
            }
            // A box with no possible state is bind's diagnostic; should one come here, nothing is dropped and nothing opens.
            if let Some(slot) = self.allowed.get_mut(axis).filter(|_| !left.is_empty()) {
                *slot = left;
            }
        }
    }

    /// Whether a function of the unit holds in some state, after measures.
    pub fn can(&self, linked: &Linked, f: NodeId, forced: &Forced) -> bool {
        linked.unit.diagram.can(f, self.constraint, &self.allowed, forced)
    }

    /// The truth of a function.
    pub fn truth(&self, linked: &Linked, f: NodeId) -> Truth {
        let can = self.can(linked, f, &Forced::NONE);
        // A function whose negation was not made reads as possibly false, which is the safe side.
        let can_not = self.can(linked, linked.unit.diagram.negation(f).unwrap_or(TRUE), &Forced::NONE);
        match (can, can_not) {
            (_, false) => Truth::Yes,
            (false, true) => Truth::No,
            (true, true) => Truth::Open,
        }
    }
}

impl Knowledge {
    /// Reads a crossing on the table's day.
    pub fn of(table: &Table, crossing: &Crossing) -> Self {
        Self::packed(table, table.lexicon.pack(&crossing.facts, table.as_of.on))
    }

    /// Takes what is packed already.
    pub fn packed(table: &Table, packed: Packed) -> Self {
        let live = table.live(&packed).collect();
        Self { packed, live, views: vec![OnceCell::new(); table.layers.len()], beside: OnceCell::new() }
    }

    /// The box of one layer.
    pub fn view(&self, table: &Table, layer: usize) -> Option<&View> {
        let linked = &table.layers.get(layer)?.linked;
        Some(self.views.get(layer)?.get_or_init(|| View::of(linked, &self.packed)))
    }

    fn with<T>(&self, table: &Table, layer: usize, otherwise: T, ask: impl FnOnce(&View, &Linked) -> T) -> T {
        let linked = table.layers.get(layer).map(|l| &l.linked);
        match (linked, self.views.get(layer)) {
            (Some(linked), Some(view)) => ask(view.get_or_init(|| View::of(linked, &self.packed)), linked),
            _ => otherwise,
        }
    }

    /// The box of what stands outside layers.
    pub fn beside(&self, table: &Table) -> &View {
        self.beside.get_or_init(|| View::of(&table.beside, &self.packed))
    }

    /// Whether some state is possible at all.
    pub fn is_possible(&self, table: &Table) -> bool {
        self.beside(table).can(&table.beside, TRUE, &Forced::NONE)
    }

    /// Whether the exporter's own law may be one that we do not hold.
    pub fn may_be_uncovered(&self, table: &Table) -> bool {
        self.beside(table).can(&table.beside, table.uncovered(), &Forced::NONE)
    }

    /// The truth of a function of a layer.
    pub fn truth(&self, table: &Table, layer: usize, f: NodeId) -> Truth {
        self.with(table, layer, Truth::Open, |view, linked| view.truth(linked, f))
    }

    /// Whether a function of a layer holds in some state, after measures.
    pub fn can(&self, table: &Table, layer: usize, f: NodeId, forced: &Forced) -> bool {
        self.with(table, layer, true, |view, linked| view.can(linked, f, forced))
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
