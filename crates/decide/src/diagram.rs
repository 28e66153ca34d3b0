//! Decision diagrams: exact functions over facts with finitely many cells.
//!
//! A node asks one axis and has a child for each of its cells; equal nodes are one node, so that two
//! functions are equal iff their ids are. This is what "compiled" means here (docs/adr/0002). Beside *false* and
//! *true* a diagram may have more leaves, so that one walk can tell which of several answers holds.

use crate::{
    cells::Cells,
    hash::{QuickMap, QuickSet},
};
use std::collections::{BTreeSet, HashMap};

/// A function, by its id in a [`Diagram`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub u32);

/// The function that is never true.
pub const FALSE: NodeId = NodeId(0);
/// The function that is always true.
pub const TRUE: NodeId = NodeId(1);

/// What is allowed on each axis: the box of states that a description leaves open.
pub type Allowed = Vec<Cells>;

/// Cells that measures fix, by axis; empty when nothing is fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forced(Vec<u16>);

const FREE: u16 = u16::MAX;

impl Forced {
    /// Nothing is fixed.
    pub const NONE: Self = Self(Vec::new());

    /// Fixes an axis, unless it is fixed already: what is listed first stands.
    pub fn fix(&mut self, axis: usize, cell: usize) {
        if self.0.len() <= axis {
            self.0.resize(axis + 1, FREE);
        }
        if let Some(slot) = self.0.get_mut(axis).filter(|s| **s == FREE) {
            *slot = cell as u16;
        }
    }

    /// The cell that an axis is fixed to.
    pub fn cell(&self, axis: usize) -> Option<usize> {
        self.0.get(axis).filter(|c| **c != FREE).map(|c| usize::from(*c))
    }

    /// What is fixed.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize)> {
        self.0.iter().enumerate().filter(|(_, c)| **c != FREE).map(|(a, c)| (a, usize::from(*c)))
    }

    /// Fixes nothing any more, and keeps its room.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    axis: u16,
    width: u16,
    first: u32,
}

const LEAF: u16 = u16::MAX;

/// A set of functions that share their parts.
#[derive(Clone, Debug)]
pub struct Diagram {
    nodes: Vec<Node>,
    children: Vec<NodeId>,
    widths: Vec<usize>,
    unique: QuickMap<u64, NodeId>,
    conjunctions: QuickMap<(NodeId, NodeId), NodeId>,
    choices: QuickMap<(NodeId, NodeId, NodeId), NodeId>,
    negations: QuickMap<NodeId, NodeId>,
    leaves: Vec<NodeId>,
}

impl Diagram {
    /// Makes an empty diagram over axes with these numbers of cells.
    pub fn new(widths: Vec<usize>) -> Self {
        let leaf = Node { axis: LEAF, width: 0, first: 0 };
        Self {
            nodes: vec![leaf, leaf],
            children: Vec::new(),
            widths,
            unique: QuickMap::default(),
            conjunctions: QuickMap::default(),
            choices: QuickMap::default(),
            negations: QuickMap::default(),
            leaves: Vec::new(),
        }
    }

    /// How many nodes there are, for reports.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether only the two constants are there.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 2
    }

    /// Bytes held, for reports.
    pub fn bytes(&self) -> usize {
        let maps = (self.unique.capacity() + self.negations.capacity()) * 12 + self.conjunctions.capacity() * 16 + self.choices.capacity() * 20;
        self.nodes.capacity() * 8 + self.children.capacity() * 4 + maps
    }

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

    /// Which of the further leaves this is.
    pub fn leaf_index(&self, f: NodeId) -> Option<usize> {
        let node = self.nodes.get(f.0 as usize).filter(|n| n.axis == LEAF && n.width > 0)?;
        Some(usize::from(node.width) - 1)
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

    fn axis(&self, f: NodeId) -> u16 {
        self.nodes.get(f.0 as usize).map_or(LEAF, |n| n.axis)
    }

    /// The axis that a node asks; none for a leaf.
    pub fn asks(&self, f: NodeId) -> Option<usize> {
        Some(self.axis(f)).filter(|a| *a != LEAF).map(usize::from)
    }

    /// The children of a node, by cell.
    pub fn children_of(&self, f: NodeId) -> &[NodeId] {
        match self.nodes.get(f.0 as usize) {
            Some(n) if n.axis != LEAF => self.children.get(n.first as usize..n.first as usize + usize::from(n.width)).unwrap_or_default(),
            _ => &[],
        }
    }

    fn child(&self, f: NodeId, axis: u16, cell: usize) -> NodeId {
        match self.nodes.get(f.0 as usize) {
            Some(n) if n.axis == axis => self.children.get(n.first as usize + cell).copied().unwrap_or(FALSE),
            _ => f,
        }
    }

    /// The function under one cell of an axis that is its first.
    pub fn step(&self, f: NodeId, cell: usize) -> NodeId {
        match self.nodes.get(f.0 as usize) {
            Some(n) if cell < usize::from(n.width) => self.children.get(n.first as usize + cell).copied().unwrap_or(FALSE),
            _ => FALSE,
        }
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

    /// How many cells an axis has.
    pub fn width(&self, axis: usize) -> usize {
        self.widths.get(axis).copied().unwrap_or(0)
    }

    /// The axes that `f` depends on, ascending.
    pub fn support(&self, f: NodeId) -> Vec<usize> {
        let mut seen = QuickSet::default();
        let mut axes = BTreeSet::new();
        let mut stack = vec![f];
        while let Some(id) = stack.pop() {
            if let Some(axis) = self.asks(id).filter(|_| seen.insert(id)) {
                axes.insert(axis);
                stack.extend_from_slice(self.children_of(id));
            }
        }
        axes.into_iter().collect()
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

    /// Every pair of leaves that `f` and `g` have in one state within `allowed` and the constraint, each with a state
    /// that shows it.
    pub fn pairs(&self, f: NodeId, g: NodeId, constraint: NodeId, allowed: &[Cells]) -> HashMap<(NodeId, NodeId), Vec<Option<usize>>> {
        let mut walk = Pairs { diagram: self, allowed, path: vec![None; self.widths.len()], seen: QuickSet::default(), found: HashMap::new() };
        walk.go((f, g, constraint));
        walk.found
    }

    /// The same diagram but for one child of one node: for tests that must notice a wrong bit.
    pub fn with_child(&self, node: NodeId, cell: usize, child: NodeId) -> Self {
        let mut out = self.clone();
        if let Some(slot) = self.nodes.get(node.0 as usize).and_then(|n| out.children.get_mut(n.first as usize + cell)) {
            *slot = child;
        }
        out
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
    found: HashMap<(NodeId, NodeId), Vec<Option<usize>>>,
}

impl Pairs<'_> {
    fn go(&mut self, at: (NodeId, NodeId, NodeId)) {
        let (f, g, c) = at;
        let d = self.diagram;
        // Where both are one function they cannot differ, and only differences are looked for.
        if c == FALSE || f == g || !self.seen.insert(at) {
            return;
        }
        let axis = d.axis(f).min(d.axis(g)).min(d.axis(c));
        if axis == LEAF {
            self.found.entry((f, g)).or_insert_with(|| self.path.clone());
            return;
        }
        for cell in self.allowed.get(axis as usize).copied().unwrap_or_default().iter() {
            if let Some(slot) = self.path.get_mut(axis as usize) {
                *slot = Some(cell);
            }
            self.go((d.child(f, axis, cell), d.child(g, axis, cell), d.child(c, axis, cell)));
        }
        if let Some(slot) = self.path.get_mut(axis as usize) {
            *slot = None;
        }
    }
}

fn key_of(axis: u16, children: &[NodeId]) -> u64 {
    children.iter().fold(u64::from(axis) + 1, |key, c| (key.rotate_left(19) ^ u64::from(c.0)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_functions_are_one_node() {
        let mut d = Diagram::new(vec![2, 3]);
        let a = d.literal(0, Cells::one(1));
        let b = d.literal(1, Cells::one(2));
        let ab = d.and(a, b);
        let (na, nb) = (d.not(a), d.not(b));
        let either = d.or(na, nb);
        assert_eq!(d.not(either), ab);
        assert_eq!(d.support(ab), vec![0, 1]);
        assert!(d.value(ab, &[1, 2]) && !d.value(ab, &[1, 1]));
    }

    #[test]
    fn what_is_not_allowed_is_forgotten() {
        let mut d = Diagram::new(vec![2, 3]);
        let a = d.literal(0, Cells::one(1));
        let b = d.literal(1, Cells::one(2));
        let f = d.or(a, b);
        let mut scratch = Diagram::new(vec![2, 3]);
        let allowed = vec![Cells::one(0), Cells::first(3)];
        let g = scratch.import(&d, f, &allowed);
        assert_eq!(scratch.support(g), vec![1]);
        assert!(d.can(f, TRUE, &allowed, &Forced::NONE));
        assert!(!d.can(a, TRUE, &allowed, &Forced::NONE));
        let mut forced = Forced::default();
        forced.fix(0, 1);
        assert!(d.can(a, TRUE, &allowed, &forced), "a measure fixes what the function reads");
    }

    #[test]
    fn further_leaves_say_which_answer_holds() {
        let mut d = Diagram::new(vec![2, 2]);
        let (a, b) = (d.literal(0, Cells::one(1)), d.literal(1, Cells::one(1)));
        let (x, y, z) = (d.leaf(0), d.leaf(1), d.leaf(2));
        let rest = d.choose(b, y, z);
        let f = d.choose(a, x, rest);
        assert_eq!([[0, 0], [0, 1], [1, 0], [1, 1]].map(|s| d.leaf_index(d.leaf_in(f, &s))), [Some(2), Some(1), Some(0), Some(0)]);
        let g = d.choose(b, y, rest);
        let found = d.pairs(f, g, TRUE, &[Cells::first(2), Cells::first(2)]);
        assert_eq!(found.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::from([(x, y), (x, z)]));
        assert_eq!(found[&(x, z)], vec![Some(1), Some(0)]);
    }
}
