//! How functions are made of functions; every equal one is one node.

use super::{Diagram, FALSE, Forced, LEAF, Node, NodeId, TRUE, known::Unique};
use crate::{cells::Cells, hash::QuickMap};

/// The axis and the first child of a node, for stepping through its cells; a leaf, and a node that asks later, stays itself.
#[derive(Clone, Copy)]
struct Steps {
    itself: NodeId,
    first: Option<u32>,
}

impl Diagram {
    /// A copy with nothing but these functions, and the new name of each old node, by number.
    pub fn kept(&self, roots: &[NodeId]) -> (Self, Vec<NodeId>) {
        let mut out = Self::new(self.widths.clone());
        let mut names = vec![FALSE; self.nodes.len()];
        let mut name = |old: NodeId, new: NodeId| names.iter_mut().skip(old.0 as usize).take(1).for_each(|n| *n = new);
        name(TRUE, TRUE);
        for (i, old) in self.leaves.iter().enumerate() {
            name(*old, out.leaf(i));
        }
        for root in roots {
            self.keep(*root, &mut out, &mut names);
        }
        out.nodes.shrink_to_fit();
        out.children.shrink_to_fit();
        out.pending = Vec::new();
        (out, names)
    }

    fn keep(&self, f: NodeId, out: &mut Self, names: &mut [NodeId]) -> NodeId {
        match names.get(f.0 as usize) {
            Some(known) if *known != FALSE || f == FALSE => return *known,
            _ => {}
        }
        let start = out.pending.len();
        let mut before = (f, FALSE);
        for child in self.children_of(f) {
            if before.0 != *child {
                before = (*child, self.keep(*child, out, names));
            }
            out.pending.push(before.1);
        }
        let id = out.add(self.axis(f), start);
        names.iter_mut().skip(f.0 as usize).take(1).for_each(|n| *n = id);
        id
    }

    /// Adds the node whose children are pending from `start` on.
    fn add(&mut self, axis: u16, start: usize) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node { axis, width: (self.pending.len() - start) as u16, first: self.children.len() as u32 });
        self.children.extend(self.pending.drain(start..));
        id
    }

    /// A copy that can be built upon: its nodes are known by what they are again.
    pub fn thawed(&self) -> Self {
        let mut out = self.clone();
        out.unique = Unique::default();
        for id in (2..self.nodes.len() as u32).map(NodeId) {
            if let Some(axis) = self.asks(id) {
                out.unique.insert(hash_of(axis as u16, self.children_of(id)), id);
            }
        }
        out
    }

    /// One more answer beside *false* and *true*: the `n`th leaf.
    pub fn leaf(&mut self, n: usize) -> NodeId {
        while self.leaves.len() <= n {
            self.leaves.push(NodeId(self.nodes.len() as u32));
            self.nodes.push(Node { axis: LEAF, width: self.leaves.len() as u16, first: 0 });
        }
        self.leaves.get(n).copied().unwrap_or(FALSE)
    }

    /// The function that is true on these cells of an axis.
    pub fn literal(&mut self, axis: usize, cells: Cells) -> NodeId {
        let width = self.widths.get(axis).copied().unwrap_or(0);
        let start = self.pending.len();
        self.pending.extend((0..width).map(|i| if cells.has(i) { TRUE } else { FALSE }));
        self.node(axis as u16, start)
    }

    /// The node whose children are pending from `start` on: the one that is there, or a new one.
    fn node(&mut self, axis: u16, start: usize) -> NodeId {
        let children = self.pending.get(start..).unwrap_or_default();
        let first = children.first().copied().unwrap_or(FALSE);
        if children.iter().all(|c| *c == first) {
            self.pending.truncate(start);
            return first;
        }
        let hash = hash_of(axis, children);
        if let Some(id) = self.unique.find(hash, |id| self.axis(id) == axis && self.children_of(id) == children) {
            self.pending.truncate(start);
            return id;
        }
        let id = self.add(axis, start);
        self.unique.insert(hash, id);
        id
    }

    fn steps(&self, f: NodeId, axis: u16) -> Steps {
        Steps { itself: f, first: self.nodes.get(f.0 as usize).filter(|n| n.axis == axis).map(|n| n.first) }
    }

    fn at(&self, steps: Steps, cell: u32) -> NodeId {
        match steps.first {
            Some(first) => self.children.get((first + cell) as usize).copied().unwrap_or(FALSE),
            None => steps.itself,
        }
    }

    /// Not `f`.
    pub fn not(&mut self, f: NodeId) -> NodeId {
        match f {
            FALSE => return TRUE,
            TRUE => return FALSE,
            _ => {}
        }
        if let Some(g) = self.made.get(f, FALSE, TRUE) {
            return g;
        }
        let axis = self.axis(f);
        let (steps, start) = (self.steps(f, axis), self.pending.len());
        let mut before = (f, f);
        for i in 0..self.width(axis as usize) as u32 {
            let child = self.at(steps, i);
            if before.0 != child {
                before = (child, self.not(child));
            }
            self.pending.push(before.1);
        }
        let g = self.node(axis, start);
        self.made.put((f, FALSE, TRUE), g, self.nodes.len());
        self.made.put((g, FALSE, TRUE), f, self.nodes.len());
        g
    }

    /// `f` and `g`.
    pub fn and(&mut self, f: NodeId, g: NodeId) -> NodeId {
        match (f, g) {
            (FALSE, _) | (_, FALSE) => return FALSE,
            (TRUE, h) | (h, TRUE) => return h,
            (a, b) if a == b => return a,
            _ => {}
        }
        let (f, g) = if f < g { (f, g) } else { (g, f) };
        self.join(f, g, (f, g, FALSE), Self::and)
    }

    /// `f` or `g`.
    pub fn or(&mut self, f: NodeId, g: NodeId) -> NodeId {
        match (f, g) {
            (TRUE, _) | (_, TRUE) => return TRUE,
            (FALSE, h) | (h, FALSE) => return h,
            (a, b) if a == b => return a,
            _ => {}
        }
        let (f, g) = if f < g { (f, g) } else { (g, f) };
        self.join(f, g, (f, TRUE, g), Self::or)
    }

    /// Two functions joined cell by cell of the axis that one of them asks first; what was made before is known by `choice`, the
    /// three functions by whose choice it is the same.
    fn join(&mut self, f: NodeId, g: NodeId, choice: (NodeId, NodeId, NodeId), each: impl Fn(&mut Self, NodeId, NodeId) -> NodeId) -> NodeId {
        if let Some(made) = self.made.get(choice.0, choice.1, choice.2) {
            return made;
        }
        let axis = self.axis(f).min(self.axis(g));
        let (a, b, start) = (self.steps(f, axis), self.steps(g, axis), self.pending.len());
        // Neighboring cells mostly lead to the same.
        let mut before = ((f, g), FALSE);
        for i in 0..self.width(axis as usize) as u32 {
            let pair = (self.at(a, i), self.at(b, i));
            if before.0 != pair {
                before = (pair, each(self, pair.0, pair.1));
            }
            self.pending.push(before.1);
        }
        let made = self.node(axis, start);
        self.made.put(choice, made, self.nodes.len());
        made
    }

    /// `g` where the condition `f` holds, `h` elsewhere; `g` and `h` may have further leaves.
    pub fn choose(&mut self, f: NodeId, g: NodeId, h: NodeId) -> NodeId {
        match (f, g, h) {
            (TRUE, g, _) => return g,
            (FALSE, _, h) => return h,
            (_, g, h) if g == h => return g,
            (f, TRUE, FALSE) => return f,
            _ => {}
        }
        if let Some(made) = self.made.get(f, g, h) {
            return made;
        }
        let axis = self.axis(f).min(self.axis(g)).min(self.axis(h));
        let (a, b, c) = (self.steps(f, axis), self.steps(g, axis), self.steps(h, axis));
        let start = self.pending.len();
        let mut before = ((f, g, h), FALSE);
        for i in 0..self.width(axis as usize) as u32 {
            let next = (self.at(a, i), self.at(b, i), self.at(c, i));
            if before.0 != next {
                before = (next, self.choose(next.0, next.1, next.2));
            }
            self.pending.push(before.1);
        }
        let made = self.node(axis, start);
        self.made.put((f, g, h), made, self.nodes.len());
        made
    }

    /// All of them.
    pub fn all(&mut self, fs: impl IntoIterator<Item = NodeId>) -> NodeId {
        fs.into_iter().fold(TRUE, |acc, f| self.and(acc, f))
    }

    /// Any of them.
    pub fn any(&mut self, fs: impl IntoIterator<Item = NodeId>) -> NodeId {
        fs.into_iter().fold(FALSE, |acc, f| self.or(acc, f))
    }

    /// `f` with some axes fixed to a cell, as a measure fixes them.
    pub fn fix(&mut self, f: NodeId, forced: &Forced) -> NodeId {
        let mut memo = QuickMap::default();
        self.fix_in(f, forced, &mut memo)
    }

    fn fix_in(&mut self, f: NodeId, forced: &Forced, memo: &mut QuickMap<NodeId, NodeId>) -> NodeId {
        let axis = self.axis(f);
        if axis == LEAF {
            return f;
        }
        if let Some(g) = memo.get(&f) {
            return *g;
        }
        let g = match forced.cell(axis as usize) {
            Some(cell) => {
                let child = self.child(f, axis, cell);
                self.fix_in(child, forced, memo)
            }
            None => {
                let (steps, start) = (self.steps(f, axis), self.pending.len());
                for i in 0..self.width(axis as usize) as u32 {
                    let made = self.fix_in(self.at(steps, i), forced, memo);
                    self.pending.push(made);
                }
                self.node(axis, start)
            }
        };
        memo.insert(f, g);
        g
    }

    /// Copies a function of another diagram over the same axes, with what is not allowed forgotten, so that it depends
    /// only on axes that can still make a difference.
    pub fn import(&mut self, from: &Diagram, f: NodeId, allowed: &[Cells]) -> NodeId {
        let mut memo = QuickMap::default();
        self.import_in(from, f, allowed, &mut memo)
    }

    fn import_in(&mut self, from: &Diagram, f: NodeId, allowed: &[Cells], memo: &mut QuickMap<NodeId, NodeId>) -> NodeId {
        let axis = from.axis(f);
        if axis == LEAF {
            return f;
        }
        if let Some(g) = memo.get(&f) {
            return *g;
        }
        let cells = allowed.get(axis as usize).copied().unwrap_or_default();
        let g = match cells.only() {
            Some(cell) => self.import_in(from, from.child(f, axis, cell), allowed, memo),
            None => {
                // A cell that is not allowed repeats an allowed one: no difference is made where none can be seen.
                let first = cells.lowest().map_or(FALSE, |cell| self.import_in(from, from.child(f, axis, cell), allowed, memo));
                let start = self.pending.len();
                for cell in 0..self.width(axis as usize) {
                    let made = if cells.has(cell) { self.import_in(from, from.child(f, axis, cell), allowed, memo) } else { first };
                    self.pending.push(made);
                }
                self.node(axis, start)
            }
        };
        memo.insert(f, g);
        g
    }
}

fn hash_of(axis: u16, children: &[NodeId]) -> u32 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let two = |pair: &[NodeId]| pair.iter().fold(0, |word, c| word << 32 | u64::from(c.0));
    let all = children.chunks(2).fold(u64::from(axis) + 1, |hash, pair| (hash.rotate_left(19) ^ two(pair)).wrapping_mul(STEP));
    (all >> 32) as u32
}
