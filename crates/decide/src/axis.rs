//! Axes: each fact that some condition of a unit asks about, cut into the cells that no condition of it tells apart.

use crate::{
    cells::{CELLS_MAX, Cells},
    diagram::Diagram,
    hash::{QuickMap, QuickSet},
    lexicon::{ANY, Lexicon, Packed, Shape, Slot, TooManyCells},
};
use rulebook::{
    expr::{Atom, Expr, Test},
    law::Entry,
    vocabulary::FactKind,
};

/// One axis of a state space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// What it asks.
    pub of: Asked,
    /// How cells are told.
    pub cut: Cut,
}

/// What an axis asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// A fact, by slot.
    Slot(String),
    /// A disputed question. Always open.
    Reading(String),
    /// A question that we hold no rule for, by layer and name. Always open.
    Gap(String, String),
}

/// How cells are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// One value; each cell is a class of values that no condition tells apart.
    Choice {
        /// The classes, as numbers of values.
        classes: Vec<Cells>,
        /// The class of each value.
        class_of: Vec<u16>,
    },
    /// Whether a set has one of these members. Cells: no, yes.
    Member(Cells),
    /// A count or a day, cut at these: below the first, from the first, …
    Number(Vec<i64>),
    /// Two cells, always open: a and b; harmless and refusing.
    Open,
}

impl Axis {
    /// Number of cells.
    pub fn width(&self) -> usize {
        match &self.cut {
            Cut::Choice { classes, .. } => classes.len(),
            Cut::Number(cuts) => cuts.len() + 1,
            Cut::Member(_) | Cut::Open => 2,
        }
    }

    /// The slot that it belongs to, if it is a fact.
    pub fn slot(&self) -> Option<&str> {
        match &self.of {
            Asked::Slot(slot) => Some(slot),
            _ => None,
        }
    }

    /// The only cell that is possible, if one alone is.
    pub fn cell(&self, at: usize, packed: &Packed) -> Option<usize> {
        let word = |i: usize| packed.0.get(at + i).copied().unwrap_or(0);
        match &self.cut {
            Cut::Choice { class_of, .. } => match word(0) {
                ANY => None,
                value => class_of.get(value as usize).map(|c| usize::from(*c)),
            },
            Cut::Member(members) => (word(0) == 1).then(|| usize::from((0..8).any(|i| members.word(i) != 0 && members.word(i) & word(1 + i) != 0))),
            Cut::Number(cuts) => {
                let cell = |n: i64| cuts.iter().filter(|c| **c <= n).count();
                let (lo, hi) = (cell(word(0) as i64), cell(word(1) as i64));
                (lo == hi).then_some(lo)
            }
            Cut::Open => None,
        }
    }

    /// The cells that are possible.
    pub fn cells(&self, at: usize, packed: &Packed) -> Cells {
        if let Some(cell) = self.cell(at, packed) {
            return Cells::one(cell);
        }
        match &self.cut {
            Cut::Number(cuts) => {
                let word = |i: usize| packed.0.get(at + i).copied().unwrap_or(0) as i64;
                let cell = |n: i64| cuts.iter().filter(|c| **c <= n).count();
                (cell(word(0))..=cell(word(1))).collect()
            }
            _ => Cells::first(self.width()),
        }
    }
}

/// All axes of a unit, and where each slot's lie.
#[derive(Clone, Debug, Default)]
pub struct Axes {
    /// In the order that diagrams ask them.
    pub list: Vec<Axis>,
    by_slot: QuickMap<String, Vec<usize>>,
}

/// A plain test of a slot, lists already expanded to places.
#[derive(Clone, Debug)]
pub enum Plain {
    /// The single value is one of these.
    In(Cells),
    /// The set has one of these.
    HasAny(Cells),
    /// The count, or the day, is at least this.
    AtLeast(i64),
    /// The day is before this.
    Before(i64),
}

/// Collects what conditions ask, before cells are cut.
pub struct Survey<'a> {
    lexicon: &'a Lexicon,
    /// The slots, in the order in which they are asked first.
    slots: Vec<(String, Noted)>,
    places: QuickMap<String, usize>,
    named: Vec<Asked>,
}

/// What is asked of one slot.
#[derive(Default)]
struct Noted {
    sets: Vec<Cells>,
    seen: QuickSet<Cells>,
    numbers: Vec<i64>,
}

impl<'a> Survey<'a> {
    /// Begins with nothing asked.
    pub fn new(lexicon: &'a Lexicon) -> Self {
        Self { lexicon, slots: Vec::new(), places: QuickMap::default(), named: Vec::new() }
    }

    /// Notes a test of a slot.
    pub fn note(&mut self, slot: &str, plain: &Plain) {
        let place = self.places.get(slot).copied().unwrap_or_else(|| {
            self.places.insert(slot.into(), self.slots.len());
            self.slots.push((slot.into(), Noted::default()));
            self.slots.len() - 1
        });
        let Some((_, noted)) = self.slots.get_mut(place) else { return };
        match plain {
            Plain::In(cells) | Plain::HasAny(cells) => {
                if noted.seen.insert(*cells) {
                    noted.sets.push(*cells);
                }
            }
            Plain::AtLeast(n) | Plain::Before(n) => noted.numbers.push(*n),
        }
    }

    /// Notes an axis that is no fact.
    pub fn note_named(&mut self, asked: Asked) {
        if !self.named.contains(&asked) {
            self.named.push(asked);
        }
    }

    /// Cuts the cells.
    pub fn cut(self) -> Result<Axes, TooManyCells> {
        let mut axes = Axes::default();
        for (name, noted) in &self.slots {
            let Some(slot) = self.lexicon.slot(name) else { continue };
            match slot.shape {
                Shape::Choice => {
                    let mut sets = noted.sets.clone();
                    // Not made, passed and failed are three different things to a measure, whatever the rules ask.
                    if slot.kind == FactKind::Determination {
                        sets.extend(slot.values.all().iter().map(Cells::one));
                    }
                    let classes = classes(slot.values.all(), &sets);
                    let mut class_of = vec![0; slot.values.words.len()];
                    for (c, class) in classes.iter().enumerate() {
                        class.iter().filter_map(|v| class_of.get_mut(v).map(|x| *x = c as u16)).count();
                    }
                    axes.push(name, Cut::Choice { classes, class_of })?;
                }
                Shape::Set => {
                    let domain = noted.sets.iter().fold(Cells::default(), |all, s| all.or(s));
                    for members in classes(domain, &noted.sets) {
                        axes.push(name, Cut::Member(members))?;
                    }
                }
                Shape::Count | Shape::Day => {
                    let mut cuts = noted.numbers.clone();
                    cuts.sort_unstable();
                    cuts.dedup();
                    axes.push(name, Cut::Number(cuts))?;
                }
            }
        }
        for of in self.named {
            axes.list.push(Axis { of, cut: Cut::Open });
        }
        Ok(axes)
    }
}

/// Values that are in exactly the same sets form one class; classes are ordered by their first value.
fn classes(domain: Cells, sets: &[Cells]) -> Vec<Cells> {
    let mut out = if domain.is_empty() { Vec::new() } else { vec![domain] };
    let mut class_of = vec![0; CELLS_MAX];
    for set in sets {
        // What of a class is in the set goes into a class of its own; a class that is in it as a whole stays.
        let mut touched: Vec<usize> = set.and(&domain).iter().filter_map(|v| class_of.get(v).copied()).collect();
        touched.sort_unstable();
        touched.dedup();
        for class in touched {
            let cells = out.get(class).copied().unwrap_or_default();
            let (within, rest) = (cells.and(set), cells.without(set));
            if rest.is_empty() {
                continue;
            }
            out.iter_mut().skip(class).take(1).for_each(|c| *c = rest);
            within.iter().for_each(|v| class_of.iter_mut().skip(v).take(1).for_each(|c| *c = out.len()));
            out.push(within);
        }
    }
    out.sort_by_key(Cells::lowest);
    out
}

impl Axes {
    fn push(&mut self, slot: &str, cut: Cut) -> Result<(), TooManyCells> {
        let axis = Axis { of: Asked::Slot(slot.into()), cut };
        if axis.width() > CELLS_MAX {
            return Err(TooManyCells(slot.into()));
        }
        self.by_slot.entry(slot.into()).or_default().push(self.list.len());
        self.list.push(axis);
        Ok(())
    }

    /// A diagram over these axes.
    pub fn diagram(&self) -> Diagram {
        Diagram::new(self.list.iter().map(Axis::width).collect())
    }

    /// Every slot with its axes, in no order that counts.
    pub fn by_slot(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.by_slot.iter().map(|(slot, axes)| (slot.as_str(), axes.as_slice()))
    }

    /// The axes of a slot.
    pub fn of_slot(&self, slot: &str) -> &[usize] {
        self.by_slot.get(slot).map(Vec::as_slice).unwrap_or_default()
    }

    /// The axis that is no fact.
    pub fn named(&self, asked: &Asked) -> Option<usize> {
        self.list.iter().position(|a| a.of == *asked)
    }

    /// The literal (axis, cells) pairs, any of which makes the test true.
    pub fn literals(&self, slot: &str, plain: &Plain) -> Vec<(usize, Cells)> {
        let mut out = Vec::new();
        for &i in self.of_slot(slot) {
            let Some(axis) = self.list.get(i) else { continue };
            let cells = match (&axis.cut, plain) {
                (Cut::Choice { classes, class_of }, Plain::In(wanted)) => {
                    let of_wanted: Cells = wanted.iter().filter_map(|v| class_of.get(v)).map(|c| usize::from(*c)).collect();
                    of_wanted.iter().filter(|i| classes.get(*i).is_some_and(|c| c.without(wanted).is_empty())).collect()
                }
                (Cut::Member(members), Plain::HasAny(wanted)) if members.without(wanted).is_empty() => Cells::one(1),
                (Cut::Number(cuts), Plain::AtLeast(n)) => (0..=cuts.len()).filter(|cell| cuts.iter().position(|c| c == n).is_some_and(|p| *cell > p)).collect(),
                (Cut::Number(cuts), Plain::Before(n)) => (0..=cuts.len()).filter(|cell| cuts.iter().position(|c| c == n).is_some_and(|p| *cell <= p)).collect(),
                _ => continue,
            };
            out.push((i, cells));
        }
        out
    }
}

/// Every atom of an expression.
pub fn atoms(e: &Expr) -> Vec<&Atom> {
    let mut out = Vec::new();
    e.each_atom(&mut |a| out.push(a));
    out
}

/// The test of an atom that asks a list, for one of its entries.
pub(crate) fn on_entry(lexicon: &Lexicon, atom: &Atom, entry: &Entry) -> Option<Plain> {
    let slot = lexicon.slot(&atom.fact)?;
    let places = slot.values.meant(std::slice::from_ref(&entry.key));
    Some(if slot.shape == Shape::Choice { Plain::In(places) } else { Plain::HasAny(places) })
}

/// The tests of an atom that need no list: `has all` is the conjunction and `has only` the negation of others.
pub fn plain(slot: &Slot, test: &Test) -> Vec<Plain> {
    let values = &slot.values;
    match test {
        Test::Yes => vec![Plain::In(values.meant(&["yes".into()]))],
        Test::In(words) => vec![Plain::In(values.meant(words))],
        Test::HasAny(words) => vec![Plain::HasAny(values.meant(words))],
        Test::HasAll(words) => words.iter().map(|w| Plain::HasAny(values.meant(std::slice::from_ref(w)))).collect(),
        Test::HasOnly(words) => vec![Plain::HasAny(values.all().without(&values.meant(words)))],
        Test::AtLeast(n) => vec![Plain::AtLeast(*n)],
        Test::Before(d) => vec![Plain::Before(i64::from(d.days_since_epoch()))],
        Test::Determined(_) => vec![Plain::In(values.meant(&["passes".into(), "passes_with_measures".into()]))],
        Test::OnList(_) | Test::Reading(_) => Vec::new(),
    }
}
