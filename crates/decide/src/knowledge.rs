//! What is known of one crossing, and what stays possible on the axes of each layer (DESIGN section 4, KNOWLEDGE).

use crate::{
    cells::Cells,
    diagram::{Allowed, FALSE, Forced, NodeId, TRUE},
    lexicon::Packed,
    linked::{Linked, Packs},
    paths::{Ends, Heeded, Possible, Room},
    table::Table,
};
use model::CivilDate;
use rulebook::{
    bind::{BoundFact, Crossing, Known},
    book::Rulebook,
    law::Due,
};
use serde::{Deserialize, Serialize};
use std::{cell::{OnceCell, RefCell}, collections::BTreeMap};

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
    /// By place in `live`.
    views: Vec<OnceCell<View>>,
    /// By layer, for those that are asked though they cannot apply.
    elsewhere: OnceCell<Vec<OnceCell<View>>>,
    beside: OnceCell<View>,
    room: RefCell<Room>,
}

/// The box over the axes of one unit.
#[derive(Clone, Debug)]
pub struct View {
    possible: Possible,
    /// What of the constraint is left to heed.
    heeded: Heeded,
    /// The box without cells that no possible state has.
    tight: OnceCell<Possible>,
}

impl View {
    fn of(linked: &Linked, packed: &Packed) -> Self {
        let paths = linked.unit.paths();
        let possible = paths.possible();
        let heeded = paths.heed(&possible, &Packs(linked, packed));
        Self { possible, heeded, tight: OnceCell::new() }
    }

    /// The cells of an axis that some possible state has.
    pub fn cells(&self, linked: &Linked, packed: &Packed, axis: usize) -> Cells {
        let (paths, reads) = (linked.unit.paths(), Packs(linked, packed));
        let cells = self.possible.cells(paths, axis, &reads);
        if self.heeded.is_nothing() || cells.only().is_some() {
            return cells;
        }
        self.tight.get_or_init(|| paths.tightened(&self.possible, &self.heeded, &reads)).cells(paths, axis, &reads)
    }

    /// The same for all axes.
    pub fn allowed(&self, linked: &Linked, packed: &Packed) -> Allowed {
        (0..linked.unit.axes.list.len()).map(|axis| self.cells(linked, packed, axis)).collect()
    }
}

impl Knowledge {
    /// Reads a crossing on the table's day.
    pub fn of(table: &Table, crossing: &Crossing) -> Self {
        Self::packed(table, table.lexicon.pack(&crossing.facts, table.as_of.on))
    }

    /// Takes what is packed already.
    pub fn packed(table: &Table, packed: Packed) -> Self {
        Self::within(table, packed, Room::default())
    }

    /// The same, in room that was used before.
    pub fn within(table: &Table, packed: Packed, room: Room) -> Self {
        let live: Vec<usize> = table.live(&packed).collect();
        Self { views: vec![OnceCell::new(); live.len()], live, packed, elsewhere: OnceCell::new(), beside: OnceCell::new(), room: RefCell::new(room) }
    }

    /// Gives the room back.
    pub fn into_room(self) -> Room {
        self.room.into_inner()
    }

    /// The box of one layer.
    pub fn view(&self, table: &Table, layer: usize) -> Option<&View> {
        let layer_table = table.layers.get(layer)?;
        let kept = match self.live.iter().position(|l| *l == layer) {
            Some(place) => self.views.get(place)?,
            None => self.elsewhere.get_or_init(|| vec![OnceCell::new(); table.layers.len()]).get(layer)?,
        };
        Some(kept.get_or_init(|| View::of(layer_table.linked(), &self.packed)))
    }

    /// Which ends a function has over everything still possible, after measures.
    fn ends(&self, view: &View, linked: &Linked, f: NodeId, wanted: Ends, forced: &Forced) -> Ends {
        match self.room.try_borrow_mut() {
            Ok(mut room) => linked.unit.paths().ends(f, wanted, (&view.possible, &view.heeded), &Packs(linked, &self.packed), forced, &mut room),
            // INVARIANT: no walk begins within a walk. Should one, both ends are possible, which is the safe side.
            Err(_) => wanted,
        }
    }

    fn of_layer(&self, table: &Table, layer: usize, f: NodeId, wanted: Ends, forced: &Forced) -> Ends {
        match (table.layers.get(layer), self.view(table, layer)) {
            (Some(layer), Some(view)) => self.ends(view, layer.linked(), f, wanted, forced),
            _ => wanted,
        }
    }

    fn of_beside(&self, table: &Table, f: NodeId, wanted: Ends) -> Ends {
        // Where nothing unknown is asked on the way there is one end, if there is any state at all.
        match table.beside.walk(f, &self.packed, &Forced::NONE) {
            Some(TRUE) if self.is_possible(table) => return Ends::TRUE,
            Some(FALSE) if self.is_possible(table) => return Ends::FALSE,
            _ => {}
        }
        self.ends(self.beside(table), &table.beside, f, wanted, &Forced::NONE)
    }

    /// The box of what stands outside layers.
    pub fn beside(&self, table: &Table) -> &View {
        self.beside.get_or_init(|| View::of(&table.beside, &self.packed))
    }

    /// Whether some state is possible at all.
    pub fn is_possible(&self, table: &Table) -> bool {
        !self.beside(table).heeded.is_never()
    }

    /// Whether the exporter's own law may be one that we do not hold.
    pub fn may_be_uncovered(&self, table: &Table) -> bool {
        self.of_beside(table, table.uncovered(), Ends::TRUE).has(Ends::TRUE)
    }

    /// Whether the exporter's own law may be one that we hold.
    pub fn may_be_covered(&self, table: &Table) -> bool {
        self.of_beside(table, table.uncovered(), Ends::FALSE).has(Ends::FALSE)
    }

    /// The truth of a function that stands outside layers.
    pub fn truth_beside(&self, table: &Table, f: NodeId) -> Truth {
        truth(self.of_beside(table, f, Ends::BOTH))
    }

    /// The truth of a function of a layer.
    pub fn truth(&self, table: &Table, layer: usize, f: NodeId) -> Truth {
        truth(self.of_layer(table, layer, f, Ends::BOTH, &Forced::NONE))
    }

    /// Whether a function of a layer holds in some state, after measures.
    pub fn can(&self, table: &Table, layer: usize, f: NodeId, forced: &Forced) -> bool {
        self.of_layer(table, layer, f, Ends::TRUE, forced).has(Ends::TRUE)
    }

    /// Whether a function of a layer does not hold in some state, after measures.
    pub fn can_not(&self, table: &Table, layer: usize, f: NodeId, forced: &Forced) -> bool {
        self.of_layer(table, layer, f, Ends::FALSE, forced).has(Ends::FALSE)
    }
}

/// Where no state is possible, everything is true.
fn truth(found: Ends) -> Truth {
    match (found.has(Ends::TRUE), found.has(Ends::FALSE)) {
        (_, false) => Truth::Yes,
        (false, true) => Truth::No,
        (true, true) => Truth::Open,
    }
}

/// The last day on which an obligation counted from a fact is in time, when that day is known.
pub fn last_day(book: &Rulebook, due: &Due, facts: &BTreeMap<String, BoundFact>) -> Option<CivilDate> {
    let Due::DaysAfter { fact, .. } = due else { return None };
    match facts.get(fact).map(|b| &b.known) {
        Some(Known::Day(day)) => book.last_day(due, *day),
        _ => None,
    }
}
