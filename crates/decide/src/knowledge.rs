//! What is known of one crossing, and what stays possible on the axes of each layer (DESIGN section 4, KNOWLEDGE).

use crate::{
    cells::Cells,
    diagram::{Allowed, Forced, NodeId},
    lexicon::Packed,
    linked::Linked,
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
    /// The slots of which something is said.
    said: Vec<u16>,
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
}

impl View {
    fn of(linked: &Linked, packed: &Packed, said: &[u16]) -> Self {
        let mut possible = linked.possible(packed, said);
        let heeded = linked.unit.paths.heed(&mut possible);
        Self { possible, heeded }
    }

    /// The cells that are possible on an axis.
    pub fn cells(&self, linked: &Linked, axis: usize) -> Cells {
        self.possible.cells(&linked.unit.paths, axis)
    }

    /// The same for all axes.
    pub fn allowed(&self, linked: &Linked) -> Allowed {
        (0..linked.unit.axes.list.len()).map(|axis| self.cells(linked, axis)).collect()
    }

    fn ends(&self, linked: &Linked, f: NodeId, wanted: Ends, forced: &Forced, room: &RefCell<Room>) -> Ends {
        match room.try_borrow_mut() {
            Ok(mut room) => linked.unit.paths.ends(f, wanted, (&self.possible, &self.heeded), forced, &mut room),
            // INVARIANT: no walk begins within a walk. Should one, both ends are possible, which is the safe side.
            Err(_) => wanted,
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
        Self::within(table, packed, Room::default())
    }

    /// The same, in room that was used before.
    pub fn within(table: &Table, packed: Packed, room: Room) -> Self {
        let live: Vec<usize> = table.live(&packed).collect();
        let said = table.lexicon.said(&packed);
        Self { said, views: vec![OnceCell::new(); live.len()], live, packed, elsewhere: OnceCell::new(), beside: OnceCell::new(), room: RefCell::new(room) }
    }

    /// Gives the room back.
    pub fn into_room(self) -> Room {
        self.room.into_inner()
    }

    /// The box of one layer.
    pub fn view(&self, table: &Table, layer: usize) -> Option<&View> {
        let linked = &table.layers.get(layer)?.linked;
        let kept = match self.live.iter().position(|l| *l == layer) {
            Some(place) => self.views.get(place)?,
            None => self.elsewhere.get_or_init(|| vec![OnceCell::new(); table.layers.len()]).get(layer)?,
        };
        Some(kept.get_or_init(|| View::of(linked, &self.packed, &self.said)))
    }

    fn with<T>(&self, table: &Table, layer: usize, otherwise: T, ask: impl FnOnce(&View, &Linked) -> T) -> T {
        match (table.layers.get(layer), self.view(table, layer)) {
            (Some(layer), Some(view)) => ask(view, &layer.linked),
            _ => otherwise,
        }
    }

    /// The box of what stands outside layers.
    pub fn beside(&self, table: &Table) -> &View {
        self.beside.get_or_init(|| View::of(&table.beside, &self.packed, &self.said))
    }

    /// Whether some state is possible at all.
    pub fn is_possible(&self, table: &Table) -> bool {
        !self.beside(table).heeded.is_never()
    }

    /// Whether the exporter's own law may be one that we do not hold.
    pub fn may_be_uncovered(&self, table: &Table) -> bool {
        self.beside(table).ends(&table.beside, table.uncovered(), Ends::TRUE, &Forced::NONE, &self.room).has(Ends::TRUE)
    }

    /// Whether the exporter's own law may be one that we hold.
    pub fn may_be_covered(&self, table: &Table) -> bool {
        self.beside(table).ends(&table.beside, table.uncovered(), Ends::FALSE, &Forced::NONE, &self.room).has(Ends::FALSE)
    }

    /// The truth of a function that stands outside layers.
    pub fn truth_beside(&self, table: &Table, f: NodeId) -> Truth {
        truth(self.beside(table).ends(&table.beside, f, Ends::BOTH, &Forced::NONE, &self.room))
    }

    /// The truth of a function of a layer.
    pub fn truth(&self, table: &Table, layer: usize, f: NodeId) -> Truth {
        self.with(table, layer, Truth::Open, |view, linked| truth(view.ends(linked, f, Ends::BOTH, &Forced::NONE, &self.room)))
    }

    /// Whether a function of a layer holds in some state, after measures.
    pub fn can(&self, table: &Table, layer: usize, f: NodeId, forced: &Forced) -> bool {
        self.with(table, layer, true, |view, linked| view.ends(linked, f, Ends::TRUE, forced, &self.room).has(Ends::TRUE))
    }

    /// Whether a function of a layer does not hold in some state, after measures.
    pub fn can_not(&self, table: &Table, layer: usize, f: NodeId, forced: &Forced) -> bool {
        self.with(table, layer, true, |view, linked| view.ends(linked, f, Ends::FALSE, forced, &self.room).has(Ends::FALSE))
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
pub fn last_day(book: &Rulebook, id: &str, facts: &BTreeMap<String, BoundFact>) -> Option<CivilDate> {
    match book.obligations.iter().find(|o| o.head.id == id).map(|o| &o.due) {
        Some(Due::DaysAfter { days, fact }) => match facts.get(fact).map(|b| &b.known) {
            Some(Known::Day(day)) => Some(day.plus_days(*days)),
            _ => None,
        },
        _ => None,
    }
}
