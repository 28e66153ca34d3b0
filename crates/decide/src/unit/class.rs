//! Which clause speaks: how one state stands in a law, told by a single walk.

use super::Functions;
use crate::diagram::{Diagram, NodeId};

/// How one state stands in one law.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Leaf {
    /// The law does not reach it; the clause that says so, if it applies at all.
    Outside(Option<usize>),
    /// Reached and not refused; the route, or the scope where nothing stands in the way.
    Open(Option<usize>),
    /// Refused; by this clause.
    Refused(Option<usize>),
}

/// One function whose leaves say how a state stands, and by which clause: the first that speaks.
#[derive(Clone, Debug)]
pub struct Class {
    /// The diagram that it lies in, alone.
    pub diagram: Diagram,
    /// The function.
    pub root: NodeId,
    leaves: Vec<Leaf>,
}

impl Class {
    /// Makes it of the functions of a law.
    pub(super) fn of(law: &Functions, diagram: &Diagram) -> Self {
        let mut leaves: Vec<Leaf> = Vec::new();
        let mut building = diagram.thawed();
        let root = of(law, &mut building, &mut |d, leaf| {
            let n = leaves.iter().position(|x| *x == leaf).unwrap_or_else(|| {
                leaves.push(leaf);
                leaves.len() - 1
            });
            d.leaf(n)
        });
        let (diagram, names) = building.kept(&[root]);
        Self { diagram, root: names.get(root.0 as usize).copied().unwrap_or(root), leaves }
    }

    /// What a leaf means.
    pub fn leaf(&self, f: NodeId) -> Option<Leaf> {
        self.diagram.leaf_index(f).and_then(|i| self.leaves.get(i)).copied()
    }
}

/// Makes the function in the diagram of the law's functions, with leaves as they are given.
pub(crate) fn of(law: &Functions, d: &mut Diagram, leaf: &mut impl FnMut(&mut Diagram, Leaf) -> NodeId) -> NodeId {
    let scope = law.scopes.first().map(|(c, _)| *c);
    let mut outside = leaf(d, Leaf::Outside(scope));
    for (clause, f) in law.outs.iter().rev() {
        let this = leaf(d, Leaf::Outside(Some(*clause)));
        outside = d.choose(*f, this, outside);
    }
    let elsewhere = leaf(d, Leaf::Outside(None));
    outside = d.choose(law.applies, outside, elsewhere);
    let mut open = leaf(d, Leaf::Open(scope));
    for g in law.gates.iter().rev() {
        for r in g.routes.iter().rev() {
            let this = leaf(d, Leaf::Open(Some(r.clause)));
            let met = d.and(g.when, r.need);
            open = d.choose(met, this, open);
        }
    }
    let mut class = d.choose(law.touched, open, outside);
    for refusing in &law.gapped {
        let this = leaf(d, Leaf::Refused(None));
        class = d.choose(*refusing, this, class);
    }
    for (clause, _, late, _) in law.obligations.iter().rev().filter(|(_, _, _, binds)| *binds) {
        let this = leaf(d, Leaf::Refused(Some(*clause)));
        class = d.choose(*late, this, class);
    }
    for g in law.gates.iter().rev() {
        let met = d.any(g.routes.iter().map(|r| r.need).collect::<Vec<_>>());
        let unmet = d.not(met);
        let shut = d.and(g.when, unmet);
        let this = leaf(d, Leaf::Refused(Some(g.clause)));
        class = d.choose(shut, this, class);
    }
    for (clause, f) in law.bars.iter().rev() {
        let this = leaf(d, Leaf::Refused(Some(*clause)));
        class = d.choose(*f, this, class);
    }
    class
}
