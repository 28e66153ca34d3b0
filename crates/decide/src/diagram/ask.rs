//! What a function is asked: whether some state makes it true, what it depends on, and where two of them differ.

use super::{Diagram, FALSE, Forced, LEAF, NodeId, TRUE};
use crate::{cells::Cells, hash::QuickSet};
use std::collections::HashMap;

impl Diagram {
    /// Whether some state within `allowed` that satisfies `constraint` makes `f` true, where `f` (not the constraint)
    /// reads the forced cell on forced axes.
    pub fn can(&self, f: NodeId, constraint: NodeId, allowed: &[Cells], forced: &Forced) -> bool {
        self.can_in(f, constraint, allowed, forced, &mut QuickSet::default())
    }

    fn can_in(&self, f: NodeId, c: NodeId, allowed: &[Cells], forced: &Forced, dead: &mut QuickSet<(NodeId, NodeId)>) -> bool {
        let (mut f, mut c) = (f, c);
        loop {
            match (f, c) {
                (FALSE, _) | (_, FALSE) => return false,
                (TRUE, TRUE) => return true,
                _ => {}
            }
            let axis = self.axis(f).min(self.axis(c));
            let cells = allowed.get(axis as usize).copied().unwrap_or_default();
            let fixed = forced.cell(axis as usize);
            // What is known leads straight on; only where several cells are possible must the way be remembered.
            if let Some(cell) = cells.only() {
                (f, c) = (self.child(f, axis, fixed.unwrap_or(cell)), self.child(c, axis, cell));
                continue;
            }
            if dead.contains(&(f, c)) {
                return false;
            }
            for cell in cells.iter() {
                let f_next = self.child(f, axis, fixed.unwrap_or(cell));
                let c_next = self.child(c, axis, cell);
                if self.can_in(f_next, c_next, allowed, forced, dead) {
                    return true;
                }
            }
            dead.insert((f, c));
            return false;
        }
    }

    /// One state within `allowed` that satisfies the constraint and makes `f` true, as cells by axis; axes that need
    /// not be told are `None`.
    pub fn witness(&self, f: NodeId, constraint: NodeId, allowed: &[Cells]) -> Option<Vec<Option<usize>>> {
        let mut path = vec![None; self.widths.len()];
        self.witness_in(f, constraint, allowed, &mut path, &mut QuickSet::default()).then_some(path)
    }

    fn witness_in(&self, f: NodeId, c: NodeId, allowed: &[Cells], path: &mut Vec<Option<usize>>, dead: &mut QuickSet<(NodeId, NodeId)>) -> bool {
        match (f, c) {
            (FALSE, _) | (_, FALSE) => return false,
            (TRUE, TRUE) => return true,
            _ => {}
        }
        if dead.contains(&(f, c)) {
            return false;
        }
        let axis = self.axis(f).min(self.axis(c));
        for cell in allowed.get(axis as usize).copied().unwrap_or_default().iter() {
            if let Some(slot) = path.get_mut(axis as usize) {
                *slot = Some(cell);
            }
            if self.witness_in(self.child(f, axis, cell), self.child(c, axis, cell), allowed, path, dead) {
                return true;
            }
        }
        if let Some(slot) = path.get_mut(axis as usize) {
            *slot = None;
        }
        dead.insert((f, c));
        false
    }

    /// The axes that `f` depends on, ascending.
    pub fn support(&self, f: NodeId) -> Vec<usize> {
        // Children are made before their parents: no node of `f` has a higher number.
        let mut seen = vec![0_u64; f.0 as usize / 64 + 1];
        let mut axes = vec![false; self.widths.len()];
        let mut stack = vec![f];
        while let Some(id) = stack.pop() {
            let Some(axis) = self.asks(id) else { continue };
            let (word, bit) = (id.0 as usize / 64, 1 << (id.0 % 64));
            let Some(word) = seen.get_mut(word).filter(|w| **w & bit == 0) else { continue };
            *word |= bit;
            axes.iter_mut().skip(axis).take(1).for_each(|a| *a = true);
            stack.extend_from_slice(self.children_of(id));
        }
        axes.iter().enumerate().filter(|(_, asked)| **asked).map(|(axis, _)| axis).collect()
    }

    /// How many nodes a function has.
    pub fn size(&self, f: NodeId) -> usize {
        let mut seen = QuickSet::default();
        let mut stack = vec![f];
        while let Some(id) = stack.pop() {
            if seen.insert(id) {
                stack.extend_from_slice(self.children_of(id));
            }
        }
        seen.len()
    }

    /// The value of `f` in one state (a cell for each axis).
    pub fn value(&self, f: NodeId, state: &[usize]) -> bool {
        self.leaf_in(f, state) == TRUE
    }

    /// The leaf of `f` in one state (a cell for each axis).
    pub fn leaf_in(&self, f: NodeId, state: &[usize]) -> NodeId {
        let mut at = f;
        while let Some(axis) = self.asks(at) {
            at = self.child(at, axis as u16, state.get(axis).copied().unwrap_or(0));
        }
        at
    }

    /// Every pair of different leaves that `f` and `g` have in one state within one of these boxes and the constraint, each with
    /// a state that shows it, from the first box that has one.
    pub fn pairs(&self, f: NodeId, g: NodeId, constraint: NodeId, boxes: &[&[Cells]]) -> HashMap<(NodeId, NodeId), Vec<Option<usize>>> {
        let mut walk = Pairs { diagram: self, allowed: &[], path: vec![None; self.widths.len()], seen: QuickSet::default(), met: vec![0; self.leaves.len() + 2], ends: vec![0; f.0.max(g.0) as usize + 1], found: HashMap::new() };
        for allowed in boxes {
            walk.allowed = allowed;
            walk.seen.clear();
            walk.ends.iter_mut().for_each(|known| *known = 0);
            walk.go((f, g, constraint));
        }
        walk.found
    }

    /// Every node that a function reaches, leaves left out.
    pub fn reachable(&self, f: NodeId) -> Vec<NodeId> {
        let mut seen = QuickSet::default();
        let mut stack = vec![f];
        let mut out = Vec::new();
        while let Some(id) = stack.pop() {
            if self.asks(id).is_some() && seen.insert(id) {
                out.push(id);
                stack.extend_from_slice(self.children_of(id));
            }
        }
        out
    }
}

/// The search for pairs of leaves.
struct Pairs<'a> {
    diagram: &'a Diagram,
    allowed: &'a [Cells],
    path: Vec<Option<usize>>,
    seen: QuickSet<(NodeId, NodeId, NodeId)>,
    /// By leaf of the first function, the leaves of the second that it was met with, a bit each.
    met: Vec<u128>,
    /// By node, the leaves that it leads to within the box, a bit each; none where that was not looked for yet. Children are made
    /// before their parents, so no node has a higher number than where the search began.
    ends: Vec<u128>,
    found: HashMap<(NodeId, NodeId), Vec<Option<usize>>>,
}

impl Pairs<'_> {
    /// The number of a leaf among all.
    fn number(&self, f: NodeId) -> usize {
        self.diagram.leaf_index(f).map_or(f.0 as usize, |i| i + 2)
    }

    /// The leaves that a node leads to within the box.
    fn ends(&mut self, f: NodeId) -> u128 {
        if self.diagram.asks(f).is_none() {
            return 1 << self.number(f);
        }
        if let Some(known) = self.ends.get(f.0 as usize).filter(|known| **known != 0) {
            return *known;
        }
        let d = self.diagram;
        let (mut ends, mut before) = (0, None);
        let (axis, allowed) = (d.axis(f), self.allowed);
        for cell in allowed.get(usize::from(axis)).copied().unwrap_or_default().iter() {
            let child = d.child(f, axis, cell);
            if before != Some(child) {
                ends |= self.ends(child);
            }
            before = Some(child);
        }
        self.ends.iter_mut().skip(f.0 as usize).take(1).for_each(|known| *known = ends);
        ends
    }

    /// Whether two functions lead to a pair of leaves that was not met yet.
    fn is_new(&mut self, f: NodeId, g: NodeId) -> bool {
        // LIMIT: leaves told by bits; with more of them every way is gone.
        if self.met.len() > 128 {
            return true;
        }
        let (mut firsts, seconds) = (self.ends(f), self.ends(g));
        while firsts != 0 {
            let n = firsts.trailing_zeros() as usize;
            firsts &= firsts - 1;
            if seconds & !(1 << n) & !self.met.get(n).copied().unwrap_or(0) != 0 {
                return true;
            }
        }
        false
    }

    fn go(&mut self, at: (NodeId, NodeId, NodeId)) {
        let (f, g, c) = at;
        let d = self.diagram;
        // Where both are one function they cannot differ, and only differences are looked for.
        if c == FALSE || f == g || !self.is_new(f, g) || !self.seen.insert(at) {
            return;
        }
        let axis = d.axis(f).min(d.axis(g)).min(d.axis(c));
        if axis == LEAF {
            let (n, second) = (self.number(f), self.number(g));
            self.met.iter_mut().skip(n).take(1).for_each(|met| *met |= 1_u128.checked_shl(second as u32).unwrap_or(0));
            self.found.entry((f, g)).or_insert_with(|| self.path.clone());
            return;
        }
        let mut before = None;
        for cell in self.allowed.get(axis as usize).copied().unwrap_or_default().iter() {
            let next = (d.child(f, axis, cell), d.child(g, axis, cell), d.child(c, axis, cell));
            // Neighboring cells mostly lead to the same.
            if before == Some(next) {
                continue;
            }
            before = Some(next);
            if let Some(slot) = self.path.get_mut(axis as usize) {
                *slot = Some(cell);
            }
            self.go(next);
        }
        if let Some(slot) = self.path.get_mut(axis as usize) {
            *slot = None;
        }
    }
}
