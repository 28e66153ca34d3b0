//! Whether some state gives several functions the values that are wished for, without making the function that says so.

use super::{Diagram, FALSE, Forced, LEAF, NodeId, TRUE};
use crate::{cells::Cells, hash::QuickSet};

/// A function and the value that it is to have, where it reads the forced cell on forced axes.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    f: NodeId,
    forced: &'a Forced,
    holds: bool,
}

static NOTHING: Forced = Forced::NONE;

impl<'a> Wish<'a> {
    /// That it holds.
    pub fn yes(f: NodeId) -> Self {
        Self { f, forced: &NOTHING, holds: true }
    }

    /// That it does not.
    pub fn no(f: NodeId) -> Self {
        Self { holds: false, ..Self::yes(f) }
    }

    /// The same after measures.
    pub fn after(self, forced: &'a Forced) -> Self {
        Self { forced, ..self }
    }
}

impl Diagram {
    /// Whether some state within `allowed` fulfils every wish.
    ///
    /// For two or three wishes that are near to each other: where none does, every combination of their nodes is looked at.
    pub fn meets<const N: usize>(&self, wishes: [Wish<'_>; N], allowed: &[Cells]) -> bool {
        Meet { diagram: self, wishes, allowed, been: QuickSet::default() }.go(wishes.map(|w| w.f))
    }

    /// Every cell of every axis.
    pub fn everything(&self) -> Vec<Cells> {
        self.widths.iter().map(|w| Cells::first(*w)).collect()
    }
}

struct Meet<'a, const N: usize> {
    diagram: &'a Diagram,
    wishes: [Wish<'a>; N],
    allowed: &'a [Cells],
    been: QuickSet<[NodeId; N]>,
}

impl<const N: usize> Meet<'_, N> {
    fn go(&mut self, mut at: [NodeId; N]) -> bool {
        let d = self.diagram;
        let mut axis = LEAF;
        for (f, wish) in at.iter_mut().zip(&self.wishes) {
            while let Some(cell) = wish.forced.cell(usize::from(d.axis(*f))) {
                *f = d.child(*f, d.axis(*f), cell);
            }
            match (*f, wish.holds) {
                (TRUE, true) | (FALSE, false) => {}
                (TRUE, false) | (FALSE, true) => return false,
                _ => axis = axis.min(d.axis(*f)),
            }
        }
        if axis == LEAF {
            return true;
        }
        if self.excluded(&at) || !self.been.insert(at) {
            return false;
        }
        let mut before = None;
        for cell in self.allowed.get(usize::from(axis)).copied().unwrap_or_default().iter() {
            let next = at.map(|f| d.child(f, axis, cell));
            if before != Some(next) && self.go(next) {
                return true;
            }
            before = Some(next);
        }
        false
    }

    /// Whether two wishes are contrary of what is one function from here on.
    fn excluded(&self, at: &[NodeId; N]) -> bool {
        let all = || at.iter().zip(&self.wishes);
        let yes = all().filter(|(_, w)| w.holds);
        yes.into_iter().any(|(f, a)| {
            let axis = self.diagram.axis(*f);
            let free = |w: &Wish<'_>| w.forced.is_free_from(axis);
            all().any(|(g, b)| g == f && !b.holds && free(a) && free(b))
        })
    }
}
