//! Decision diagrams: exact functions over facts with finitely many cells.
//!
//! A node asks one axis and has a child for each of its cells; equal nodes are one node, so that two
//! functions are equal iff their ids are. This is what "compiled" means here (docs/adr/0002). Beside *false* and
//! *true* a diagram may have more leaves, so that one walk can tell which of several answers holds.

mod ask;
mod build;
mod known;
mod meet;

pub use meet::Wish;

use crate::cells::Cells;
use known::{Made, Unique};

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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
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

    /// Whether nothing is fixed from this axis on.
    fn is_free_from(&self, axis: u16) -> bool {
        // The last one listed is fixed.
        self.0.len() <= usize::from(axis)
    }

    /// Whether nothing is fixed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
    leaves: Vec<NodeId>,
    /// Where the node is that asks an axis and has these children.
    unique: Unique,
    /// What was made of what.
    made: Made,
    /// Children of nodes that are being made.
    pending: Vec<NodeId>,
}

impl Diagram {
    /// Makes an empty diagram over axes with these numbers of cells.
    pub fn new(widths: Vec<usize>) -> Self {
        let leaf = Node { axis: LEAF, width: 0, first: 0 };
        Self {
            nodes: vec![leaf, leaf],
            children: Vec::new(),
            widths,
            leaves: Vec::new(),
            unique: Unique::default(),
            made: Made::default(),
            pending: Vec::new(),
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
        self.nodes.capacity() * 8 + self.children.capacity() * 4 + self.unique.bytes() + self.made.bytes()
    }

    /// Which of the further leaves this is.
    pub fn leaf_index(&self, f: NodeId) -> Option<usize> {
        let node = self.nodes.get(f.0 as usize).filter(|n| n.axis == LEAF && n.width > 0)?;
        Some(usize::from(node.width) - 1)
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

    /// How many cells an axis has.
    pub fn width(&self, axis: usize) -> usize {
        self.widths.get(axis).copied().unwrap_or(0)
    }

    /// The same diagram but for one child of one node: for tests that must notice a wrong bit.
    pub fn with_child(&self, node: NodeId, cell: usize, child: NodeId) -> Self {
        let mut out = self.clone();
        if let Some(slot) = self.nodes.get(node.0 as usize).and_then(|n| out.children.get_mut(n.first as usize + cell)) {
            *slot = child;
        }
        out
    }
}

#[cfg(test)]
mod tests;
