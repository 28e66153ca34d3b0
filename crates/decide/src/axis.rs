//! Axes: each fact that some condition asks about, cut into the cells that no condition can tell apart.

use crate::diagram::{CELLS_MAX, Cells};
use model::CivilDate;
use rulebook::{
    expr::{Atom, Expr, Test},
    vocabulary::{Domain, FactKind, Vocabulary},
};
use std::collections::{BTreeMap, BTreeSet};

/// One axis of the state space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Axis {
    /// A fact with one value; each cell is a class of values that no condition tells apart.
    Choice {
        /// The slot.
        slot: String,
        /// The classes.
        classes: Vec<BTreeSet<String>>,
    },
    /// Whether a set has one of these members (a single word; or places that no condition tells apart). Cells: no, yes.
    Member {
        /// The slot.
        slot: String,
        /// The members.
        members: BTreeSet<String>,
    },
    /// A count, cut at these thresholds: below the first, from the first, …
    Count {
        /// The slot.
        slot: String,
        /// Ascending.
        cuts: Vec<i64>,
    },
    /// A day, cut at these days.
    Day {
        /// The slot.
        slot: String,
        /// Ascending.
        cuts: Vec<CivilDate>,
    },
    /// A disputed question; cells: a, b. Always open.
    Reading(String),
    /// A question that we hold no rule for; cells: harmless, refuses. Always open.
    Gap {
        /// The layer.
        layer: String,
        /// The gap's name.
        name: String,
    },
}

impl Axis {
    /// Number of cells.
    pub fn width(&self) -> usize {
        match self {
            Self::Choice { classes, .. } => classes.len(),
            Self::Count { cuts, .. } => cuts.len() + 1,
            Self::Day { cuts, .. } => cuts.len() + 1,
            Self::Member { .. } | Self::Reading(_) | Self::Gap { .. } => 2,
        }
    }

    /// The slot that it belongs to, if it is a fact.
    pub fn slot(&self) -> Option<&str> {
        match self {
            Self::Choice { slot, .. } | Self::Member { slot, .. } | Self::Count { slot, .. } | Self::Day { slot, .. } => Some(slot),
            _ => None,
        }
    }
}

/// All axes, and where each slot's lie.
#[derive(Clone, Debug, Default)]
pub struct Axes {
    /// In the order that diagrams ask them.
    pub list: Vec<Axis>,
    by_slot: BTreeMap<String, Vec<usize>>,
    by_name: BTreeMap<String, usize>,
}

/// The rulebook needs finer cells than an axis may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooManyCells(pub String);

/// A plain test of a slot, lists already expanded to places.
#[derive(Clone, Debug)]
pub enum Plain {
    /// The single value is one of these.
    In(BTreeSet<String>),
    /// The set has one of these.
    HasAny(BTreeSet<String>),
    /// The count is at least this.
    AtLeast(i64),
    /// The day is before this.
    Before(CivilDate),
}

/// Collects what conditions ask, before cells are cut.
#[derive(Default)]
pub struct Survey {
    order: Vec<String>,
    values: BTreeMap<String, Vec<BTreeSet<String>>>,
    members: BTreeMap<String, Vec<BTreeSet<String>>>,
    counts: BTreeMap<String, BTreeSet<i64>>,
    days: BTreeMap<String, BTreeSet<CivilDate>>,
    named: Vec<Axis>,
}

impl Survey {
    /// Notes a test of a slot.
    pub fn note(&mut self, slot: &str, plain: &Plain) {
        if !self.order.iter().any(|s| s == slot) {
            self.order.push(slot.into());
        }
        match plain {
            Plain::In(v) => self.values.entry(slot.into()).or_default().push(v.clone()),
            Plain::HasAny(v) => self.members.entry(slot.into()).or_default().push(v.clone()),
            Plain::AtLeast(n) => {
                self.counts.entry(slot.into()).or_default().insert(*n);
            }
            Plain::Before(d) => {
                self.days.entry(slot.into()).or_default().insert(*d);
            }
        }
    }

    /// Notes an axis that is no fact.
    pub fn note_named(&mut self, axis: Axis) {
        if !self.named.contains(&axis) {
            self.named.push(axis);
        }
    }

    /// Cuts the cells.
    pub fn cut(self, vocabulary: &Vocabulary) -> Result<Axes, TooManyCells> {
        let mut axes = Axes::default();
        for slot in &self.order {
            if let Some(sets) = self.values.get(slot) {
                let domain = single_values(vocabulary, slot);
                let mut sets = sets.clone();
                // Not made, passed and failed are three different things to a measure, whatever the rules ask.
                if vocabulary.of_slot(slot).is_some_and(|f| f.kind == FactKind::Determination) {
                    sets.extend(domain.iter().map(|v| BTreeSet::from([v.clone()])));
                }
                axes.push(Axis::Choice { slot: slot.clone(), classes: classes(&domain, &sets) })?;
            }
            if let Some(sets) = self.members.get(slot) {
                let domain: BTreeSet<String> = sets.iter().flatten().cloned().collect();
                for members in classes(&domain, sets) {
                    axes.push(Axis::Member { slot: slot.clone(), members })?;
                }
            }
            if let Some(cuts) = self.counts.get(slot) {
                axes.push(Axis::Count { slot: slot.clone(), cuts: cuts.iter().copied().collect() })?;
            }
            if let Some(cuts) = self.days.get(slot) {
                axes.push(Axis::Day { slot: slot.clone(), cuts: cuts.iter().copied().collect() })?;
            }
        }
        for axis in self.named {
            axes.push(axis)?;
        }
        Ok(axes)
    }
}

fn single_values(vocabulary: &Vocabulary, slot: &str) -> BTreeSet<String> {
    vocabulary.of_slot(slot).map(|f| vocabulary.values(f).into_iter().map(str::to_string).collect()).unwrap_or_default()
}

/// Values that are in exactly the same sets form one class; classes are ordered by their first value.
fn classes(domain: &BTreeSet<String>, sets: &[BTreeSet<String>]) -> Vec<BTreeSet<String>> {
    let mut by_signature: BTreeMap<Vec<bool>, BTreeSet<String>> = BTreeMap::new();
    for value in domain {
        let signature = sets.iter().map(|s| s.contains(value)).collect();
        by_signature.entry(signature).or_default().insert(value.clone());
    }
    let mut out: Vec<_> = by_signature.into_values().collect();
    out.sort();
    out
}

impl Axes {
    fn push(&mut self, axis: Axis) -> Result<(), TooManyCells> {
        if axis.width() > CELLS_MAX {
            return Err(TooManyCells(axis.slot().unwrap_or_default().into()));
        }
        let index = self.list.len();
        match &axis {
            Axis::Reading(id) => {
                self.by_name.insert(format!("reading {id}"), index);
            }
            Axis::Gap { layer, name } => {
                self.by_name.insert(format!("gap {layer} {name}"), index);
            }
            _ => self.by_slot.entry(axis.slot().unwrap_or_default().into()).or_default().push(index),
        }
        self.list.push(axis);
        Ok(())
    }

    /// The axes of a slot.
    pub fn of_slot(&self, slot: &str) -> &[usize] {
        self.by_slot.get(slot).map(Vec::as_slice).unwrap_or_default()
    }

    /// The axis of a name: `reading ID`, `gap LAYER NAME`.
    pub fn named(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The literal (axis, cells) pairs, any of which makes the test true.
    pub fn literals(&self, slot: &str, plain: &Plain) -> Vec<(usize, Cells)> {
        let mut out = Vec::new();
        for &i in self.of_slot(slot) {
            let Some(axis) = self.list.get(i) else { continue };
            let cells = match (axis, plain) {
                (Axis::Choice { classes, .. }, Plain::In(wanted)) => cells_where(classes.iter().map(|c| c.iter().all(|v| wanted.contains(v)))),
                (Axis::Member { members, .. }, Plain::HasAny(wanted)) if members.iter().all(|m| wanted.contains(m)) => Cells::one(1),
                (Axis::Count { cuts, .. }, Plain::AtLeast(n)) => cells_where((0..=cuts.len()).map(|cell| cuts.iter().position(|c| c == n).is_some_and(|p| cell > p))),
                (Axis::Day { cuts, .. }, Plain::Before(d)) => cells_where((0..=cuts.len()).map(|cell| cuts.iter().position(|c| c == d).is_some_and(|p| cell <= p))),
                _ => continue,
            };
            out.push((i, cells));
        }
        out
    }
}

fn cells_where(flags: impl Iterator<Item = bool>) -> Cells {
    let mut cells = Cells::default();
    flags.enumerate().filter(|(_, f)| *f).for_each(|(i, _)| cells.insert(i));
    cells
}

/// Calls `f` with each atom of an expression; a helper that keeps callers on one line.
pub fn atoms(e: &Expr) -> Vec<&Atom> {
    let mut out = Vec::new();
    e.each_atom(&mut |a| out.push(a));
    out
}

/// Whether a test reads a single value, a set, a count or a day.
pub fn is_place(vocabulary: &Vocabulary, slot: &str) -> bool {
    vocabulary.of_slot(slot).is_some_and(|f| matches!(f.domain, Domain::Place | Domain::Places))
}

/// The values that a word of a condition stands for: a place stands for its parts too.
pub fn expand(vocabulary: &Vocabulary, slot: &str, words: &[String]) -> BTreeSet<String> {
    if !is_place(vocabulary, slot) {
        return words.iter().cloned().collect();
    }
    vocabulary.places.keys().filter(|p| words.iter().any(|w| model::place::Place((*p).clone()).lies_in(w))).cloned().collect()
}

/// The tests of an atom that need no list: `has all` is the conjunction and `has only` the negation of others.
pub fn plain(vocabulary: &Vocabulary, atom: &Atom) -> Vec<Plain> {
    let slot = &atom.fact;
    match &atom.test {
        Test::Yes => vec![Plain::In(BTreeSet::from(["yes".into()]))],
        Test::In(words) => vec![Plain::In(expand(vocabulary, slot, words))],
        Test::HasAny(words) => vec![Plain::HasAny(expand(vocabulary, slot, words))],
        Test::HasAll(words) => words.iter().map(|w| Plain::HasAny(expand(vocabulary, slot, std::slice::from_ref(w)))).collect(),
        Test::HasOnly(words) => {
            let allowed = expand(vocabulary, slot, words);
            let all = single_values(vocabulary, slot);
            vec![Plain::HasAny(all.difference(&allowed).cloned().collect())]
        }
        Test::AtLeast(n) => vec![Plain::AtLeast(*n)],
        Test::Before(d) => vec![Plain::Before(*d)],
        Test::Determined(_) => vec![Plain::In(BTreeSet::from(["passes".into(), "passes_with_measures".into()]))],
        Test::OnList(_) | Test::Reading(_) => Vec::new(),
    }
}
