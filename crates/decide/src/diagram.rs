//! Decision diagrams: exact boolean functions over facts with finitely many cells.
//!
//! A node asks one axis and has a child for each of its cells; equal nodes are one node, so that two
//! functions are equal iff their ids are. This is what "compiled" means here (docs/adr/0002).

use std::collections::HashMap;

/// A function, by its id in a [`Diagram`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub u32);

/// The function that is never true.
pub const FALSE: NodeId = NodeId(0);
/// The function that is always true.
pub const TRUE: NodeId = NodeId(1);

/// Which cells of an axis are meant, at most 256.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Cells([u64; 4]);

/// The most cells that an axis may have.
pub const CELLS_MAX: usize = 256;

impl Cells {
    /// The first `n` cells.
    pub fn first(n: usize) -> Self {
        let mut cells = Self::default();
        (0..n).for_each(|i| cells.insert(i));
        cells
    }

    /// One cell.
    pub fn one(i: usize) -> Self {
        let mut cells = Self::default();
        cells.insert(i);
        cells
    }

    /// Adds a cell.
    pub fn insert(&mut self, i: usize) {
        if let Some(word) = self.0.get_mut(i / 64) {
            *word |= 1 << (i % 64);
        }
    }

    /// Whether the cell is in.
    pub fn has(&self, i: usize) -> bool {
        self.0.get(i / 64).is_some_and(|w| w >> (i % 64) & 1 == 1)
    }

    /// How many cells are in.
    pub fn len(&self) -> usize {
        self.0.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Whether no cell is in.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// The cells, ascending.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(i, mut word)| {
            std::iter::from_fn(move || {
                (word != 0).then(|| {
                    let bit = word.trailing_zeros() as usize;
                    word &= word - 1;
                    i * 64 + bit
                })
            })
        })
    }
}

/// What is allowed on each axis: the box of states that a description leaves open.
pub type Allowed = Vec<Cells>;

#[derive(Clone, Debug)]
struct Node {
    axis: u16,
    children: Box<[NodeId]>,
}

/// A set of functions that share their parts.
#[derive(Clone, Debug)]
pub struct Diagram {
    nodes: Vec<Node>,
    widths: Vec<usize>,
    unique: HashMap<(u16, Box<[NodeId]>), NodeId>,
    conjunctions: HashMap<(NodeId, NodeId), NodeId>,
    negations: HashMap<NodeId, NodeId>,
}

const LEAF: u16 = u16::MAX;

impl Diagram {
    /// Makes an empty diagram over axes with these numbers of cells.
    pub fn new(widths: Vec<usize>) -> Self {
        let leaf = Node { axis: LEAF, children: Box::new([]) };
        Self { nodes: vec![leaf.clone(), leaf], widths, unique: HashMap::new(), conjunctions: HashMap::new(), negations: HashMap::new() }
    }

    /// How many nodes there are, for reports.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether only the two constants are there.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 2
    }

    /// The function that is true on these cells of an axis.
    pub fn literal(&mut self, axis: usize, cells: Cells) -> NodeId {
        let width = self.widths.get(axis).copied().unwrap_or(0);
        let children = (0..width).map(|i| if cells.has(i) { TRUE } else { FALSE }).collect();
        self.node(axis as u16, children)
    }

    fn node(&mut self, axis: u16, children: Box<[NodeId]>) -> NodeId {
        if let Some(first) = children.first().copied().filter(|f| children.iter().all(|c| c == f)) {
            return first;
        }
        if let Some(id) = self.unique.get(&(axis, children.clone())) {
            return *id;
        }
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node { axis, children: children.clone() });
        self.unique.insert((axis, children), id);
        id
    }

    fn axis(&self, f: NodeId) -> u16 {
        self.nodes.get(f.0 as usize).map_or(LEAF, |n| n.axis)
    }

    fn child(&self, f: NodeId, axis: u16, cell: usize) -> NodeId {
        match self.nodes.get(f.0 as usize) {
            Some(n) if n.axis == axis => n.children.get(cell).copied().unwrap_or(FALSE),
            _ => f,
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
        let (axis, children) = self.nodes.get(f.0 as usize).map(|n| (n.axis, n.children.to_vec())).unwrap_or((LEAF, Vec::new()));
        let negated: Box<[NodeId]> = children.into_iter().map(|c| self.not(c)).collect();
        let g = self.node(axis, negated);
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
        let children: Box<[NodeId]> =
            (0..width).map(|i| (self.child(f, axis, i), self.child(g, axis, i))).collect::<Vec<_>>().into_iter().map(|(a, b)| self.and(a, b)).collect();
        let h = self.node(axis, children);
        self.conjunctions.insert(key, h);
        h
    }

    /// `f` or `g`.
    pub fn or(&mut self, f: NodeId, g: NodeId) -> NodeId {
        let (f, g) = (self.not(f), self.not(g));
        let h = self.and(f, g);
        self.not(h)
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
    pub fn fix(&mut self, f: NodeId, forced: &HashMap<usize, usize>) -> NodeId {
        let mut memo = HashMap::new();
        self.fix_in(f, forced, &mut memo)
    }

    fn fix_in(&mut self, f: NodeId, forced: &HashMap<usize, usize>, memo: &mut HashMap<NodeId, NodeId>) -> NodeId {
        let axis = self.axis(f);
        if axis == LEAF {
            return f;
        }
        if let Some(g) = memo.get(&f) {
            return *g;
        }
        let g = match forced.get(&(axis as usize)) {
            Some(cell) => {
                let child = self.child(f, axis, *cell);
                self.fix_in(child, forced, memo)
            }
            None => {
                let children = self.nodes.get(f.0 as usize).map(|n| n.children.to_vec()).unwrap_or_default();
                let children = children.into_iter().map(|c| self.fix_in(c, forced, memo)).collect();
                self.node(axis, children)
            }
        };
        memo.insert(f, g);
        g
    }

    /// Whether some state within `allowed` that satisfies `constraint` makes `f` true, where `f` (not the constraint)
    /// reads the forced cell on forced axes.
    pub fn can(&self, f: NodeId, constraint: NodeId, allowed: &Allowed, forced: &HashMap<usize, usize>) -> bool {
        let mut dead = std::collections::HashSet::new();
        self.can_in(f, constraint, allowed, forced, &mut dead)
    }

    fn can_in(&self, f: NodeId, c: NodeId, allowed: &Allowed, forced: &HashMap<usize, usize>, dead: &mut std::collections::HashSet<(NodeId, NodeId)>) -> bool {
        match (f, c) {
            (FALSE, _) | (_, FALSE) => return false,
            (TRUE, TRUE) => return true,
            _ => {}
        }
        if dead.contains(&(f, c)) {
            return false;
        }
        let axis = self.axis(f).min(self.axis(c));
        let cells = allowed.get(axis as usize).copied().unwrap_or_default();
        let forced_cell = forced.get(&(axis as usize));
        for cell in cells.iter() {
            let f_next = self.child(f, axis, forced_cell.copied().unwrap_or(cell));
            let c_next = self.child(c, axis, cell);
            if self.can_in(f_next, c_next, allowed, forced, dead) {
                return true;
            }
        }
        dead.insert((f, c));
        false
    }

    /// Copies a function of another diagram over the same axes, with what is not allowed forgotten, so that it depends
    /// only on axes that can still make a difference.
    pub fn import(&mut self, from: &Diagram, f: NodeId, allowed: &Allowed) -> NodeId {
        let mut memo = HashMap::new();
        self.import_in(from, f, allowed, &mut memo)
    }

    fn import_in(&mut self, from: &Diagram, f: NodeId, allowed: &Allowed, memo: &mut HashMap<NodeId, NodeId>) -> NodeId {
        let axis = from.axis(f);
        if axis == LEAF {
            return f;
        }
        if let Some(g) = memo.get(&f) {
            return *g;
        }
        let cells = allowed.get(axis as usize).copied().unwrap_or_default();
        let width = self.widths.get(axis as usize).copied().unwrap_or(0);
        let mut children = vec![FALSE; width];
        let mut first = None;
        for cell in cells.iter() {
            let g = self.import_in(from, from.child(f, axis, cell), allowed, memo);
            first.get_or_insert(g);
            if let Some(slot) = children.get_mut(cell) {
                *slot = g;
            }
        }
        // A cell that is not allowed repeats an allowed one: no difference is made where none can be seen.
        for (i, slot) in children.iter_mut().enumerate() {
            if !cells.has(i) {
                *slot = first.unwrap_or(FALSE);
            }
        }
        let g = self.node(axis, children.into());
        memo.insert(f, g);
        g
    }

    /// The axes that `f` depends on, ascending.
    pub fn support(&self, f: NodeId) -> Vec<usize> {
        let mut seen = std::collections::HashSet::new();
        let mut axes = std::collections::BTreeSet::new();
        let mut stack = vec![f];
        while let Some(id) = stack.pop() {
            let Some(node) = self.nodes.get(id.0 as usize) else { continue };
            if node.axis != LEAF && seen.insert(id) {
                axes.insert(node.axis as usize);
                stack.extend(node.children.iter().copied());
            }
        }
        axes.into_iter().collect()
    }

    /// The value of `f` in one state (a cell for each axis).
    pub fn value(&self, f: NodeId, state: &[usize]) -> bool {
        let mut at = f;
        while self.axis(at) != LEAF {
            let axis = self.axis(at);
            at = self.child(at, axis, state.get(axis as usize).copied().unwrap_or(0));
        }
        at == TRUE
    }
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
        assert!(d.can(f, TRUE, &allowed, &HashMap::new()));
        assert!(!d.can(a, TRUE, &allowed, &HashMap::new()));
        assert!(d.can(a, TRUE, &allowed, &HashMap::from([(0, 1)])), "a measure fixes what the function reads");
    }
}
