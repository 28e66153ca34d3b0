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
    let outs: Vec<_> = law.outs.iter().map(|(c, f)| (*f, leaf(d, Leaf::Outside(Some(*c))))).collect();
    let elsewhere = leaf(d, Leaf::Outside(None));
    let outside = leaf(d, Leaf::Outside(scope));
    let outside = first(d, &outs, outside);
    let outside = d.choose(law.applies, outside, elsewhere);
    let mut met: Vec<(NodeId, NodeId)> = Vec::new();
    for (g, r) in law.gates.iter().flat_map(|g| g.routes.iter().map(move |r| (g, r))) {
        met.push((d.and(g.when, r.need), leaf(d, Leaf::Open(Some(r.clause)))));
    }
    let open = leaf(d, Leaf::Open(scope));
    let open = first(d, &met, open);
    let class = d.choose(law.touched, open, outside);
    let mut refusing: Vec<(NodeId, NodeId)> = law.bars.iter().map(|(c, f)| (*f, leaf(d, Leaf::Refused(Some(*c))))).collect();
    for g in &law.gates {
        let met = d.any(g.routes.iter().map(|r| r.need).collect::<Vec<_>>());
        let unmet = d.not(met);
        refusing.push((d.and(g.when, unmet), leaf(d, Leaf::Refused(Some(g.clause)))));
    }
    let late = law.obligations.iter().filter(|(_, _, _, binds)| *binds);
    refusing.extend(late.map(|(c, _, late, _)| (*late, leaf(d, Leaf::Refused(Some(*c))))));
    refusing.extend(law.gapped.iter().map(|f| (*f, leaf(d, Leaf::Refused(None)))));
    first(d, &refusing, class)
}

/// The leaf of the first condition that holds, or what stands where none does. Halves are joined, so that no step goes through
/// all that was made before.
fn first(d: &mut Diagram, conditions: &[(NodeId, NodeId)], none: NodeId) -> NodeId {
    match halves(d, conditions) {
        Some((any, class)) => d.choose(any, class, none),
        None => none,
    }
}

/// When some condition holds, and the leaf of the first that does (any leaf where none holds).
fn halves(d: &mut Diagram, conditions: &[(NodeId, NodeId)]) -> Option<(NodeId, NodeId)> {
    if let [] | [_] = conditions {
        return conditions.first().copied();
    }
    let (before, after) = conditions.split_at(conditions.len() / 2);
    let ((f, first), (g, second)) = (halves(d, before)?, halves(d, after)?);
    Some((d.or(f, g), d.choose(f, first, second)))
}
