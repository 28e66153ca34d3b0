//! A unit and where its axes find their facts in what is packed.

use crate::{
    axis::Cut,
    cells::Cells,
    diagram::{Allowed, Diagram, Forced, NodeId},
    lexicon::{ANY, Lexicon, Packed},
    paths::Reads,
    unit::Unit,
};
use std::{cell::Cell, sync::Arc};

/// A unit and where its axes find their facts.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The compiled law.
    pub unit: Arc<Unit>,
    /// By axis, how its cell is read.
    reads: Vec<Read>,
    /// The class of each value, the members or the cuts that [`Read`]s point into.
    words: Vec<u64>,
}

/// What is packed, read by the axes of a unit.
#[derive(Clone, Copy)]
pub struct Packs<'a>(pub &'a Linked, pub &'a Packed);

impl Reads for Packs<'_> {
    #[inline]
    fn cell(&self, axis: usize) -> Option<usize> {
        self.0.cell(axis, self.1)
    }

    fn cells(&self, axis: usize) -> Cells {
        self.0.cells(axis, self.1)
    }

    fn open(&self, axis: usize, words: &[Cell<u64>]) {
        let (first, last) = self.0.open(axis, self.1);
        for (i, word) in words.iter().enumerate() {
            let below = |n: usize| match n.saturating_sub(i * 64) {
                n if n >= 64 => u64::MAX,
                n => (1 << n) - 1,
            };
            word.set(below(last + 1) & !below(first));
        }
    }
}

/// How the cell of one axis is read.
#[derive(Clone, Copy, Debug)]
struct Read {
    how: How,
    /// The first word of its slot.
    at: u32,
    /// The first of its own words, and how many.
    first: u32,
    n: u32,
    /// How many cells the axis has.
    width: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Class,
    Member,
    Number,
    Open,
}

impl Linked {
    /// Links a unit to the places of facts.
    pub fn of(unit: Arc<Unit>, lexicon: &Lexicon) -> Self {
        let list = &unit.axes.list;
        let (mut words, mut reads) = (Vec::new(), Vec::with_capacity(list.len()));
        for axis in list {
            let first = words.len() as u32;
            let how = match &axis.cut {
                Cut::Choice { class_of, .. } => {
                    words.extend(class_of.iter().map(|c| u64::from(*c)));
                    How::Class
                }
                Cut::Member(members) => {
                    let last = (0..crate::cells::WORDS).rev().find(|i| members.word(*i) != 0);
                    words.extend((0..last.map_or(0, |i| i + 1)).map(|i| members.word(i)));
                    How::Member
                }
                Cut::Number(cuts) => {
                    words.extend(cuts.iter().map(|c| *c as u64));
                    How::Number
                }
                Cut::Open => How::Open,
            };
            let at = axis.slot().and_then(|s| lexicon.slot(s)).map_or(0, |s| s.at as u32);
            reads.push(Read { how, at, first, n: words.len() as u32 - first, width: axis.width() as u16 });
        }
        Self { unit, reads, words }
    }

    /// The cells that stay possible on each axis.
    pub fn allowed(&self, packed: &Packed) -> Allowed {
        (0..self.reads.len()).map(|axis| self.cells(axis, packed)).collect()
    }

    /// The cells that stay possible on an axis.
    pub fn cells(&self, axis: usize, packed: &Packed) -> Cells {
        let at = self.reads.get(axis).map_or(0, |r| r.at as usize);
        self.unit.axes.list.get(axis).map(|a| a.cells(at, packed)).unwrap_or_default()
    }

    /// The first and the last cell of an axis on which more than one is possible: cells between two that are possible are too.
    fn open(&self, axis: usize, packed: &Packed) -> (usize, usize) {
        let Some(read) = self.reads.get(axis) else { return (0, 0) };
        let last = usize::from(read.width).saturating_sub(1);
        if read.how != How::Number {
            return (0, last);
        }
        let own = self.words.get(read.first as usize..(read.first + read.n) as usize).unwrap_or_default();
        let word = |i: usize| packed.0.get(read.at as usize + i).copied().unwrap_or(0) as i64;
        let cell = |n: i64| own.iter().filter(|c| (**c as i64) <= n).count();
        (cell(word(0)), cell(word(1)))
    }

    /// The leaf that is reached without asking anything unknown.
    pub fn walk(&self, f: NodeId, packed: &Packed, forced: &Forced) -> Option<NodeId> {
        self.walk_in(&self.unit.diagram, f, packed, forced)
    }

    /// The same in another diagram over the axes of the unit.
    #[inline]
    pub fn walk_in(&self, diagram: &Diagram, f: NodeId, packed: &Packed, forced: &Forced) -> Option<NodeId> {
        let mut at = f;
        while let Some(axis) = diagram.asks(at) {
            let cell = match forced.cell(axis) {
                Some(cell) => cell,
                None => self.cell(axis, packed)?,
            };
            at = diagram.step(at, cell);
        }
        Some(at)
    }

    /// The only cell that is possible on an axis.
    #[inline]
    pub fn cell(&self, axis: usize, packed: &Packed) -> Option<usize> {
        let read = self.reads.get(axis)?;
        let own = self.words.get(read.first as usize..(read.first + read.n) as usize)?;
        let said = packed.0.get(read.at as usize..)?;
        let word = |i: usize| said.get(i).copied().unwrap_or(0);
        match read.how {
            How::Class => match word(0) {
                ANY => None,
                value => own.get(value as usize).map(|c| *c as usize),
            },
            How::Member => (word(0) == 1).then(|| usize::from(own.iter().zip(said.get(1..).unwrap_or_default()).any(|(a, b)| a & b != 0))),
            How::Number => {
                let cell = |n: i64| own.iter().filter(|c| (**c as i64) <= n).count();
                let (lo, hi) = (cell(word(0) as i64), cell(word(1) as i64));
                (lo == hi).then_some(lo)
            }
            How::Open => None,
        }
    }
}
