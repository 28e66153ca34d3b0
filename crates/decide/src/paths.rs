//! A unit's functions laid out for walking over everything that is still possible.
//!
//! Children of a node that are equal are one path, with the cells that lead there as bits: a fact that nobody knows costs as
//! many steps as it makes differences, not as it has values. Which states can be at all is told once for each box
//! ([`Paths::heed`]), so that a walk never enters where no state is left.

use crate::{
    cells::Cells,
    diagram::{Diagram, FALSE, Forced, NodeId, TRUE},
};
use std::cell::Cell;

/// The cells that stay possible on each axis, as words of bits, each read when first asked for.
#[derive(Clone, Debug, Default)]
pub struct Possible {
    /// INVARIANT: an axis whose words are all zero was not read yet; on one that was, some cell is possible.
    words: Vec<Cell<u64>>,
}

/// Where the cells of axes are read.
pub trait Reads {
    /// The only cell that is possible on an axis, if one alone is.
    fn cell(&self, axis: usize) -> Option<usize>;
    /// The cells that are possible on an axis.
    fn cells(&self, axis: usize) -> Cells;
    /// The same where more than one is, as words.
    fn open(&self, axis: usize, words: &[Cell<u64>]) {
        let cells = self.cells(axis);
        words.iter().enumerate().for_each(|(i, w)| w.set(cells.word(i)));
    }
}

/// The functions of a unit, as paths.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// By axis, where its words begin in a box; and at the end, how many there are.
    words_at: Vec<u32>,
    /// By node.
    forks: Vec<Fork>,
    paths: Vec<Path>,
    /// The bits of paths, each pattern once.
    masks: Vec<u64>,
    /// The constraint alone: children before parents, [`NEVER`] and [`ALWAYS`] first.
    bounds: Vec<Fork>,
}

#[derive(Clone, Copy, Debug)]
struct Fork {
    axis: u16,
    n: u16,
    first: u32,
}

#[derive(Clone, Copy, Debug)]
struct Path {
    mask: u32,
    to: u32,
}

const LEAF: u16 = u16::MAX;
const NEVER: u32 = 0;
const ALWAYS: u32 = 1;

/// What of the constraint is left to heed in one box: how each of its nodes stands there. Empty when nothing is.
#[derive(Clone, Debug, Default)]
pub struct Heeded(Vec<Stands>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stands {
    /// No state of the box is left.
    Never,
    /// Some are.
    Some,
    /// All of them.
    All,
    /// No state of the box leads there.
    Unread,
}

/// Which leaves a walk looks for, or has found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends(u8);

impl Ends {
    /// *True*.
    pub const TRUE: Self = Self(2);
    /// *False*.
    pub const FALSE: Self = Self(1);
    /// Both.
    pub const BOTH: Self = Self(3);

    /// Whether all of the other's are among these.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Room to walk in, kept between walks.
#[derive(Clone, Debug, Default)]
pub struct Room {
    stack: Vec<(u32, u32)>,
    seen: Seen,
}

/// Pairs that a walk has been at.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// A pair, and the walk that was there.
    table: Vec<(u64, u32)>,
    walk: u32,
    n: usize,
}

impl Possible {
    /// The words of an axis.
    #[inline]
    fn words(&self, paths: &Paths, axis: usize, reads: &impl Reads) -> &[Cell<u64>] {
        let words = self.words.get(paths.range(axis)).unwrap_or_default();
        if words.iter().all(|w| w.get() == 0) {
            match reads.cell(axis) {
                Some(cell) => words.iter().skip(cell / 64).take(1).for_each(|w| w.set(1 << (cell % 64))),
                None => reads.open(axis, words),
            }
        }
        words
    }

    /// The cells of an axis.
    pub fn cells(&self, paths: &Paths, axis: usize, reads: &impl Reads) -> Cells {
        let words = self.words(paths, axis, reads);
        let mut out = Cells::default();
        words.iter().enumerate().for_each(|(i, w)| out.put_word(i, w.get()));
        out
    }
}

impl Paths {
    /// Lays out a diagram over axes with these numbers of cells, and what of its states can be.
    pub fn of(diagram: &Diagram, widths: &[usize], constraint: NodeId) -> Self {
        let mut out = Self { words_at: vec![0], ..Self::default() };
        for width in widths {
            let last = out.words_at.last().copied().unwrap_or(0);
            out.words_at.push(last + width.div_ceil(64).max(1) as u32);
        }
        let mut known = crate::hash::QuickMap::default();
        for id in 0..diagram.len() as u32 {
            let fork = out.fork(diagram, NodeId(id), &mut known);
            out.forks.push(fork);
        }
        out.bound(diagram, constraint);
        out
    }

    fn fork(&mut self, diagram: &Diagram, id: NodeId, known: &mut crate::hash::QuickMap<Vec<u64>, u32>) -> Fork {
        let first = self.paths.len() as u32;
        let Some(axis) = diagram.asks(id) else { return Fork { axis: LEAF, n: 0, first } };
        let mut ways: Vec<(NodeId, Cells)> = Vec::with_capacity(2);
        for (cell, child) in diagram.children_of(id).iter().enumerate() {
            match ways.iter_mut().find(|(to, _)| to == child) {
                Some((_, cells)) => cells.insert(cell),
                None => ways.push((*child, Cells::one(cell))),
            }
        }
        let n_words = self.range(axis).len();
        for (to, cells) in &ways {
            let words: Vec<u64> = (0..n_words).map(|i| cells.word(i)).collect();
            let masks = &mut self.masks;
            let mask = *known.entry(words).or_insert_with_key(|words| {
                masks.extend_from_slice(words);
                (masks.len() - words.len()) as u32
            });
            self.paths.push(Path { mask, to: to.0 });
        }
        Fork { axis: axis as u16, n: ways.len() as u16, first }
    }

    /// Copies the constraint's nodes, with numbers of their own.
    fn bound(&mut self, diagram: &Diagram, constraint: NodeId) {
        let leaf = Fork { axis: LEAF, n: 0, first: 0 };
        self.bounds = vec![leaf, leaf];
        let mut nodes = diagram.reachable(constraint);
        // INVARIANT: a diagram's children are made before their parents.
        nodes.sort_unstable();
        let number = |id: u32| match NodeId(id) {
            FALSE => NEVER,
            TRUE => ALWAYS,
            id => nodes.binary_search(&id).map_or(NEVER, |i| i as u32 + 2),
        };
        for id in &nodes {
            let fork = self.forks.get(id.0 as usize).copied().unwrap_or(leaf);
            let first = self.paths.len() as u32;
            let ways: Vec<Path> = self.ways(fork).iter().map(|p| Path { to: number(p.to), ..*p }).collect();
            self.paths.extend(ways);
            self.bounds.push(Fork { first, ..fork });
        }
        if constraint == FALSE {
            self.bounds.push(Fork { axis: 0, n: 0, first: 0 });
        }
    }

    fn range(&self, axis: usize) -> std::ops::Range<usize> {
        let at = |i: usize| self.words_at.get(i).map_or(0, |w| *w as usize);
        at(axis)..at(axis + 1)
    }

    fn ways(&self, fork: Fork) -> &[Path] {
        self.paths.get(fork.first as usize..fork.first as usize + usize::from(fork.n)).unwrap_or_default()
    }

    /// Bytes held, for reports.
    pub fn bytes(&self) -> usize {
        (self.forks.capacity() + self.bounds.capacity() + self.paths.capacity()) * 8 + self.masks.capacity() * 8
    }

    /// A box of which nothing was read yet.
    pub fn possible(&self) -> Possible {
        Possible { words: vec![Cell::new(0); self.words_at.last().map_or(0, |n| *n as usize)] }
    }

    /// Whether a path can be taken in a box, and another one in the same state.
    #[inline]
    fn can_take(&self, possible: &[Cell<u64>], a: Path, b: Option<Path>) -> bool {
        let mask = |p: Path, i: usize| self.masks.get(p.mask as usize + i).copied().unwrap_or(0);
        possible.iter().enumerate().any(|(i, word)| word.get() & mask(a, i) & b.map_or(u64::MAX, |b| mask(b, i)) != 0)
    }

    /// Tells what of the constraint is to be heeded in a box.
    pub fn heed(&self, possible: &Possible, reads: &impl Reads) -> Heeded {
        let root = self.bounds.len().saturating_sub(1);
        // Where no state leads there, how it stands does not matter.
        let mut stands = vec![Stands::Unread; self.bounds.len()];
        stands.iter_mut().zip([Stands::Never, Stands::All]).for_each(|(s, leaf)| *s = leaf);
        // Where every state of the box can be, there is nothing to heed.
        match self.stand(root, &mut stands, possible, reads) {
            Stands::All => Heeded(Vec::new()),
            _ => Heeded(stands),
        }
    }

    /// How a node of the constraint stands in a box; those that states of the box lead to are noted too.
    fn stand(&self, at: usize, stands: &mut [Stands], possible: &Possible, reads: &impl Reads) -> Stands {
        match stands.get(at) {
            Some(Stands::Unread) => {}
            known => return known.copied().unwrap_or(Stands::Never),
        }
        let Some(fork) = self.bounds.get(at) else { return Stands::Never };
        let (mut some, mut all) = (false, true);
        let words = possible.words(self, usize::from(fork.axis), reads);
        for p in self.ways(*fork).iter().filter(|p| self.can_take(words, **p, None)) {
            let there = self.stand(p.to as usize, stands, possible, reads);
            some |= there != Stands::Never;
            all &= there == Stands::All;
        }
        let found = match (some, all) {
            (false, _) => Stands::Never,
            (true, true) => Stands::All,
            (true, false) => Stands::Some,
        };
        stands.iter_mut().skip(at).take(1).for_each(|s| *s = found);
        found
    }

    /// The box without cells that no possible state has: what follows from stated facts need not be asked.
    pub fn tightened(&self, possible: &Possible, heeded: &Heeded, reads: &impl Reads) -> Possible {
        let out = possible.clone();
        // A box with no possible state is bind's diagnostic; should one come here, nothing is dropped and nothing opens.
        if heeded.0.is_empty() || heeded.is_never() {
            return out;
        }
        let mut axes: Vec<u16> = self.bounds.iter().map(|f| f.axis).filter(|a| *a != LEAF).collect();
        axes.sort_unstable();
        axes.dedup();
        let place = |axis: u16| axes.binary_search(&axis).unwrap_or(axes.len());
        let mut used = vec![0; possible.words.len()];
        // Axes that some way of being possible does not ask: any cell will do.
        let mut free = vec![false; axes.len()];
        let mut on_way = vec![false; self.bounds.len()];
        let pass = |free: &mut Vec<bool>, from: usize, to: usize| free.iter_mut().take(to).skip(from).for_each(|f| *f = true);
        if let (Some(root), Some(fork)) = (on_way.last_mut(), self.bounds.last()) {
            *root = true;
            pass(&mut free, 0, place(fork.axis));
        }
        for (i, fork) in self.bounds.iter().enumerate().skip(2).rev() {
            if !on_way.get(i).copied().unwrap_or(false) {
                continue;
            }
            let words = possible.words(self, usize::from(fork.axis), reads);
            for p in self.ways(*fork) {
                let there = heeded.0.get(p.to as usize).copied().unwrap_or(Stands::Never);
                if there == Stands::Never || !self.can_take(words, *p, None) {
                    continue;
                }
                for (i, word) in used.get_mut(self.range(usize::from(fork.axis))).into_iter().flatten().enumerate() {
                    *word |= self.masks.get(p.mask as usize + i).copied().unwrap_or(0);
                }
                on_way.iter_mut().skip(p.to as usize).take(1).for_each(|w| *w = true);
                let next = self.bounds.get(p.to as usize).map_or(axes.len(), |f| place(f.axis));
                pass(&mut free, place(fork.axis) + 1, next);
            }
        }
        for (axis, _) in axes.iter().zip(&free).filter(|(_, free)| !**free) {
            let used = used.get(self.range(usize::from(*axis))).unwrap_or_default();
            for (word, used) in out.words(self, usize::from(*axis), reads).iter().zip(used) {
                word.set(word.get() & used);
            }
        }
        out
    }

    /// Which of the wanted leaves a function has in some state that can be, where the function (not the constraint) reads
    /// the forced cell on forced axes. It stops as soon as all of them are found.
    pub fn ends(&self, f: NodeId, wanted: Ends, (possible, heeded): (&Possible, &Heeded), reads: &impl Reads, forced: &Forced, room: &mut Room) -> Ends {
        let mut found = 0;
        room.stack.clear();
        room.seen.begin();
        let mut at = match heeded.0.last() {
            None => Some((f.0, ALWAYS)),
            Some(Stands::Never) => None,
            Some(_) => Some((f.0, heeded.0.len() as u32 - 1)),
        };
        while let Some((f, c)) = at {
            let f = self.past_forced(f, forced);
            let fork = self.forks.get(f as usize).copied().unwrap_or(Fork { axis: LEAF, n: 0, first: 0 });
            if fork.axis == LEAF {
                // Some state is left here, whatever the constraint still asks.
                found |= match NodeId(f) {
                    FALSE => Ends::FALSE.0,
                    TRUE => Ends::TRUE.0,
                    _ => 0,
                };
                if found & wanted.0 == wanted.0 {
                    break;
                }
                at = room.stack.pop();
                continue;
            }
            at = self.onward((f, fork), c, (possible, heeded), reads, room).or_else(|| room.stack.pop());
        }
        Ends(found & wanted.0)
    }

    fn past_forced(&self, mut f: u32, forced: &Forced) -> u32 {
        if forced.is_empty() {
            return f;
        }
        while let Some(fork) = self.forks.get(f as usize).filter(|fork| fork.axis != LEAF) {
            let Some(cell) = forced.cell(usize::from(fork.axis)) else { break };
            let leads = |p: &&Path| self.masks.get(p.mask as usize + cell / 64).is_some_and(|w| w >> (cell % 64) & 1 == 1);
            f = self.ways(*fork).iter().find(leads).map_or(FALSE.0, |p| p.to);
        }
        f
    }

    /// Puts the ways on from a pair on the stack, and gives one of them.
    fn onward(&self, (f, fork): (u32, Fork), c: u32, (possible, heeded): (&Possible, &Heeded), reads: &impl Reads, room: &mut Room) -> Option<(u32, u32)> {
        let bound = self.bounds.get(c as usize).copied().unwrap_or(Fork { axis: LEAF, n: 0, first: 0 });
        let words = possible.words(self, usize::from(fork.axis.min(bound.axis)), reads);
        let (mut one, mut several) = (None, false);
        let mut take = |next: (u32, u32)| -> bool {
            match one {
                None => one = Some(next),
                Some(_) if !several => {
                    several = true;
                    // Only where several ways lead on must the place be remembered.
                    if !room.seen.insert((f, c)) {
                        return false;
                    }
                    room.stack.push(next);
                }
                Some(_) => room.stack.push(next),
            }
            true
        };
        let heed = |to: u32| match heeded.0.get(to as usize) {
            Some(Stands::Some) => Some(to),
            Some(Stands::All) => Some(ALWAYS),
            Some(Stands::Never | Stands::Unread) | None => None,
        };
        if fork.axis < bound.axis {
            for p in self.ways(fork) {
                if self.can_take(words, *p, None) && !take((p.to, c)) {
                    return None;
                }
            }
        } else if bound.axis < fork.axis {
            for b in self.ways(bound) {
                let Some(to) = heed(b.to).filter(|_| self.can_take(words, *b, None)) else { continue };
                if !take((f, to)) {
                    return None;
                }
            }
        } else {
            for b in self.ways(bound) {
                let Some(to) = heed(b.to) else { continue };
                for p in self.ways(fork) {
                    if self.can_take(words, *p, Some(*b)) && !take((p.to, to)) {
                        return None;
                    }
                }
            }
        }
        one
    }
}

impl Heeded {
    /// Whether every state of the box can be.
    pub fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether no state of the box can be.
    pub fn is_never(&self) -> bool {
        self.0.last() == Some(&Stands::Never)
    }
}

impl Seen {
    const FIRST: usize = 256;

    fn begin(&mut self) {
        if self.table.is_empty() {
            self.table = vec![(0, 0); Self::FIRST];
        }
        self.n = 0;
        self.walk = self.walk.wrapping_add(1);
        if self.walk == 0 {
            self.table.iter_mut().for_each(|e| *e = (0, 0));
            self.walk = 1;
        }
    }

    /// Whether the pair was not there yet.
    fn insert(&mut self, (f, c): (u32, u32)) -> bool {
        if self.n * 2 >= self.table.len() {
            self.grow();
        }
        let key = u64::from(f) << 32 | u64::from(c);
        let walk = self.walk;
        match self.place(key).and_then(|i| self.table.get_mut(i)) {
            Some(entry) if entry.1 != walk => {
                *entry = (key, walk);
                self.n += 1;
                true
            }
            _ => false,
        }
    }

    /// Where a pair is, or would be.
    fn place(&self, key: u64) -> Option<usize> {
        let mask = self.table.len().checked_sub(1)?;
        let mut i = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        // LIMIT: at most half of the table is taken, so a free place is met.
        while self.table.get(i).is_some_and(|(k, w)| *w == self.walk && *k != key) {
            i = (i + 1) & mask;
        }
        Some(i)
    }

    fn grow(&mut self) {
        let old = std::mem::take(&mut self.table);
        self.table = vec![(0, 0); (old.len() * 2).max(Self::FIRST)];
        for (key, walk) in old.into_iter().filter(|(_, w)| *w == self.walk) {
            if let Some(entry) = self.place(key).and_then(|i| self.table.get_mut(i)) {
                *entry = (key, walk);
            }
        }
    }
}

#[cfg(test)]
mod tests;
