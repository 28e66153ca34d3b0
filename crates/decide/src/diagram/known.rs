//! What a diagram knows while it is built: which nodes there are, and what was made of what.

use super::NodeId;

/// Nodes by what they are. A place holds the hash and the node's number; node 0 is a leaf, so that 0 marks a free place.
#[derive(Clone, Debug, Default)]
pub(super) struct Unique {
    places: Vec<(u32, u32)>,
    n: usize,
}

impl Unique {
    const FIRST: usize = 256;

    /// The node with this hash that is the one looked for.
    pub fn find(&self, hash: u32, is: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        let mask = self.places.len().checked_sub(1)?;
        let mut i = hash as usize & mask;
        // LIMIT: at most half of the places are taken, so a free one is met.
        loop {
            match self.places.get(i) {
                Some((h, id)) if *id != 0 => {
                    if *h == hash && is(NodeId(*id)) {
                        return Some(NodeId(*id));
                    }
                }
                _ => return None,
            }
            i = (i + 1) & mask;
        }
    }

    /// Notes a node that is not there yet.
    pub fn insert(&mut self, hash: u32, id: NodeId) {
        if self.n * 2 >= self.places.len() {
            let larger = vec![(0, 0); (self.places.len() * 2).max(Self::FIRST)];
            for (hash, id) in std::mem::replace(&mut self.places, larger).into_iter().filter(|(_, id)| *id != 0) {
                self.put(hash, id);
            }
        }
        self.n += 1;
        self.put(hash, id.0);
    }

    fn put(&mut self, hash: u32, id: u32) {
        let mask = self.places.len().saturating_sub(1);
        let mut i = hash as usize & mask;
        while self.places.get(i).is_some_and(|(_, there)| *there != 0) {
            i = (i + 1) & mask;
        }
        if let Some(place) = self.places.get_mut(i) {
            *place = (hash, id);
        }
    }

    /// Bytes held, for reports.
    pub fn bytes(&self) -> usize {
        self.places.capacity() * 8
    }
}

/// What was made of three functions. A later one takes the place of an earlier one with the same hash: what is forgotten is
/// made again and is the same node.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    places: Vec<(NodeId, NodeId, NodeId, NodeId)>,
}

impl Made {
    const FIRST: usize = 1 << 10;

    /// What was made of these, if it is still known. The first is no constant, which marks a free place.
    pub fn get(&self, f: NodeId, g: NodeId, h: NodeId) -> Option<NodeId> {
        let (a, b, c, made) = self.places.get(self.place(f, g, h))?;
        ((*a, *b, *c) == (f, g, h)).then_some(*made)
    }

    /// Notes what was made of these, in a diagram of so many nodes.
    pub fn put(&mut self, (f, g, h): (NodeId, NodeId, NodeId), made: NodeId, n_nodes: usize) {
        if self.places.len() < n_nodes * 2 || self.places.is_empty() {
            let larger = vec![(NodeId(0), NodeId(0), NodeId(0), NodeId(0)); (self.places.len() * 4).max(Self::FIRST)];
            for entry in std::mem::replace(&mut self.places, larger).into_iter().filter(|e| e.0.0 != 0) {
                self.set(entry);
            }
        }
        self.set((f, g, h, made));
    }

    fn set(&mut self, entry: (NodeId, NodeId, NodeId, NodeId)) {
        let i = self.place(entry.0, entry.1, entry.2);
        if let Some(place) = self.places.get_mut(i) {
            *place = entry;
        }
    }

    fn place(&self, f: NodeId, g: NodeId, h: NodeId) -> usize {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let two = (u64::from(f.0) << 32 | u64::from(g.0)).wrapping_mul(STEP);
        let all = (two ^ two >> 29 ^ u64::from(h.0)).wrapping_mul(STEP);
        (all >> 32) as usize & self.places.len().saturating_sub(1)
    }

    /// Bytes held, for reports.
    pub fn bytes(&self) -> usize {
        self.places.capacity() * 16
    }
}
