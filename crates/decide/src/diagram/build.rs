//! How functions are made of functions; every equal one is one node.

use super::{Diagram, FALSE, Forced, LEAF, Node, NodeId, TRUE};
use crate::{cells::Cells, hash::QuickMap};

impl Diagram {
    /// A copy with nothing but these functions and their negations, and the new name of each old node.
    pub fn kept(&self, roots: &[NodeId]) -> (Self, QuickMap<NodeId, NodeId>) {
        let mut out = Self { leaves: Vec::new(), ..Self::new(self.widths.clone()) };
        let mut names: QuickMap<NodeId, NodeId> = QuickMap::default();
        names.insert(FALSE, FALSE);
        names.insert(TRUE, TRUE);
        for i in 0..self.leaves.len() {
            let old = self.leaves.get(i).copied().unwrap_or(FALSE);
            let new = out.leaf(i);
            names.insert(old, new);
        }
        for root in roots {
            self.keep(*root, &mut out, &mut names);
            if let Some(not) = self.negations.get(root) {
                self.keep(*not, &mut out, &mut names);
                if let (Some(f), Some(g)) = (names.get(root), names.get(not)) {
                    out.negations.insert(*f, *g);
                    out.negations.insert(*g, *f);
                }
            }
        }
        out.nodes.shrink_to_fit();
        out.children.shrink_to_fit();
        (out, names)
    }

    fn keep(&self, f: NodeId, out: &mut Self, names: &mut QuickMap<NodeId, NodeId>) -> NodeId {
        if let Some(known) = names.get(&f) {
            return *known;
        }
        let children: Vec<NodeId> = self.children_of(f).iter().map(|c| self.keep(*c, out, names)).collect();
        let id = NodeId(out.nodes.len() as u32);
        out.nodes.push(Node { axis: self.axis(f), width: children.len() as u16, first: out.children.len() as u32 });
        out.children.extend_from_slice(&children);
        names.insert(f, id);
        id
    }

    /// A copy that can be built upon: its nodes are known by what they are again.
    pub fn thawed(&self) -> Self {
        let mut out = self.clone();
        out.unique.clear();
        for id in 2..self.nodes.len() as u32 {
            if let Some(axis) = self.asks(NodeId(id)) {
                let mut key = key_of(axis as u16, self.children_of(NodeId(id)));
                while out.unique.contains_key(&key) {
                    key = key.wrapping_add(1);
                }
                out.unique.insert(key, NodeId(id));
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

    /// The same function with every further leaf's number raised, so that two functions answer with leaves of their own.
    pub fn leaves_moved(&mut self, f: NodeId, by: usize) -> NodeId {
        let mut memo = QuickMap::default();
        self.move_leaves(f, by, &mut memo)
    }

    fn move_leaves(&mut self, f: NodeId, by: usize, memo: &mut QuickMap<NodeId, NodeId>) -> NodeId {
        if let Some(g) = memo.get(&f) {
            return *g;
        }
        let g = match (self.asks(f), self.leaf_index(f)) {
            (Some(axis), _) => {
                let children = self.children_of(f).to_vec();
                let children: Vec<NodeId> = children.into_iter().map(|c| self.move_leaves(c, by, memo)).collect();
                self.node(axis as u16, &children)
            }
            (None, Some(leaf)) => self.leaf(leaf + by),
            (None, None) => f,
        };
        memo.insert(f, g);
        g
    }

    /// The function that is true on these cells of an axis.
    pub fn literal(&mut self, axis: usize, cells: Cells) -> NodeId {
        let width = self.widths.get(axis).copied().unwrap_or(0);
        let children: Vec<NodeId> = (0..width).map(|i| if cells.has(i) { TRUE } else { FALSE }).collect();
        self.node(axis as u16, &children)
    }

    fn node(&mut self, axis: u16, children: &[NodeId]) -> NodeId {
        let first = children.first().copied().unwrap_or(FALSE);
        if children.iter().all(|c| *c == first) {
            return first;
        }
        let mut key = key_of(axis, children);
        // Two nodes with one key are told apart by looking; the later one takes the next key.
        loop {
            match self.unique.get(&key) {
                Some(id) if self.axis(*id) == axis && self.children_of(*id) == children => return *id,
                Some(_) => key = key.wrapping_add(1),
                None => break,
            }
        }
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node { axis, width: children.len() as u16, first: self.children.len() as u32 });
        self.children.extend_from_slice(children);
        self.unique.insert(key, id);
        id
    }

    /// Not `f`.
    pub fn not(&mut self, f: NodeId) -> NodeId {
        match f {
            FALSE => return TRUE,
            TRUE => return FALSE,
            _ => {}
        }
        if let Some(g) = self.negations.get(&f) {
            return *g;
        }
        let children = self.children_of(f).to_vec();
        let negated: Vec<NodeId> = children.into_iter().map(|c| self.not(c)).collect();
        let g = self.node(self.axis(f), &negated);
        self.negations.insert(f, g);
        self.negations.insert(g, f);
        g
    }

    /// The negation of `f` when it was made already (every negation made is kept both ways).
    pub fn negation(&self, f: NodeId) -> Option<NodeId> {
        match f {
            FALSE => Some(TRUE),
            TRUE => Some(FALSE),
            _ => self.negations.get(&f).copied(),
        }
    }

    /// `f` and `g`.
    pub fn and(&mut self, f: NodeId, g: NodeId) -> NodeId {
        match (f, g) {
            (FALSE, _) | (_, FALSE) => return FALSE,
            (TRUE, h) | (h, TRUE) => return h,
            (a, b) if a == b => return a,
            _ => {}
        }
        let key = if f < g { (f, g) } else { (g, f) };
        if let Some(h) = self.conjunctions.get(&key) {
            return *h;
        }
        let axis = self.axis(f).min(self.axis(g));
        let width = self.widths.get(axis as usize).copied().unwrap_or(0);
        let mut children = Vec::with_capacity(width);
        for i in 0..width {
            let (a, b) = (self.child(f, axis, i), self.child(g, axis, i));
            children.push(self.and(a, b));
        }
        let h = self.node(axis, &children);
        self.conjunctions.insert(key, h);
        h
    }

    /// `f` or `g`.
    pub fn or(&mut self, f: NodeId, g: NodeId) -> NodeId {
        self.choose(f, TRUE, g)
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
        if let Some(known) = self.choices.get(&(f, g, h)) {
            return *known;
        }
        let axis = self.axis(f).min(self.axis(g)).min(self.axis(h));
        let width = self.widths.get(axis as usize).copied().unwrap_or(0);
        let mut children = Vec::with_capacity(width);
        for i in 0..width {
            let (a, b, c) = (self.child(f, axis, i), self.child(g, axis, i), self.child(h, axis, i));
            children.push(self.choose(a, b, c));
        }
        let made = self.node(axis, &children);
        self.choices.insert((f, g, h), made);
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
                let children = self.children_of(f).to_vec();
                let children: Vec<NodeId> = children.into_iter().map(|c| self.fix_in(c, forced, memo)).collect();
                self.node(axis, &children)
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
                let width = self.widths.get(axis as usize).copied().unwrap_or(0);
                let mut children = vec![None; width];
                let mut first = None;
                for cell in cells.iter() {
                    let g = self.import_in(from, from.child(f, axis, cell), allowed, memo);
                    first.get_or_insert(g);
                    if let Some(slot) = children.get_mut(cell) {
                        *slot = Some(g);
                    }
                }
                // A cell that is not allowed repeats an allowed one: no difference is made where none can be seen.
                let children: Vec<NodeId> = children.into_iter().map(|c| c.or(first).unwrap_or(FALSE)).collect();
                self.node(axis, &children)
            }
        };
        memo.insert(f, g);
        g
    }
}

fn key_of(axis: u16, children: &[NodeId]) -> u64 {
    children.iter().fold(u64::from(axis) + 1, |key, c| (key.rotate_left(19) ^ u64::from(c.0)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
