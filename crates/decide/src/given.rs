//! What one question says, so that law is compiled for it alone: conditions on what is said become constants.
//!
//! A whole table answers anything; one for a question is a thousandth of it and gives the same answers to that question, and
//! to all that say more (a property test holds both to each other).

use crate::{
    axis::{self, Plain},
    gather::Day,
    lexicon::{ANY, Lexicon, Packed, Shape, Slot},
};
use model::CivilDate;
use rulebook::{
    bind::Bound,
    book::Rulebook,
    expr::{Atom, Expr, Test},
    law::Entry,
};
use std::collections::BTreeSet;

/// What is said of each crossing of a question, as far as nothing that is asked of it can change it.
///
/// INVARIANT: a slot that a measure works upon, and every count, says nothing here: ways through and thresholds ahead are told
/// by moving them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given(Vec<Packed>);

impl Given {
    /// Nothing is said: what is compiled answers every question.
    pub const NOTHING: Self = Self(Vec::new());

    /// What a transfer says on a day.
    pub fn of(book: &Rulebook, lexicon: &Lexicon, bound: &Bound, on: CivilDate) -> Self {
        Self::told(book, lexicon, bound.crossings.iter().map(|c| lexicon.pack(&c.facts, on)))
    }

    /// What crossings say.
    pub fn told(book: &Rulebook, lexicon: &Lexicon, crossings: impl Iterator<Item = Packed>) -> Self {
        let worked_upon: BTreeSet<&str> = book.measures.iter().flat_map(|m| &m.does).map(|e| e.slot.as_str()).collect();
        let free: Vec<&Slot> = lexicon.slots().iter().filter(|s| s.shape == Shape::Count || worked_upon.contains(s.name.as_str())).collect();
        let mut all: Vec<Packed> = Vec::new();
        for mut packed in crossings {
            free.iter().for_each(|slot| slot.open(&mut packed));
            if !all.contains(&packed) {
                all.push(packed);
            }
        }
        Self(all)
    }

    /// Whether nothing is said.
    pub fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether each crossing of the other says all that some crossing here says.
    pub fn covers(&self, other: &Self, lexicon: &Lexicon) -> bool {
        let refines = |more: &Packed, less: &Packed| lexicon.slots().iter().all(|s| !s.is_told(less) || s.same(more, less));
        other.0.iter().all(|more| self.0.iter().any(|less| refines(more, less)))
    }

    /// The truth of a test, if what is said tells it for every crossing.
    pub(crate) fn tells(&self, slot: &Slot, plain: &Plain) -> Option<bool> {
        let mut all = self.0.iter().map(|packed| told(packed, slot, plain));
        let first = all.next()??;
        all.all(|t| t == Some(first)).then_some(first)
    }

    /// The truth of a condition, where what is said tells it part by part. None where it does not, or needs a closer look.
    pub(crate) fn truth(&self, e: &Expr, day: &Day<'_>, lexicon: &Lexicon) -> Option<bool> {
        match e {
            _ if self.is_nothing() => None,
            Expr::Const(b) => Some(*b),
            Expr::Not(e) => self.truth(e, day, lexicon).map(|b| !b),
            Expr::And(es) => all(es.iter().map(|e| self.truth(e, day, lexicon))),
            Expr::Or(es) => any(es.iter().map(|e| self.truth(e, day, lexicon))),
            Expr::Atom(a) => self.atom(a, day, lexicon),
        }
    }

    fn atom(&self, a: &Atom, day: &Day<'_>, lexicon: &Lexicon) -> Option<bool> {
        let slot = lexicon.slot(&a.fact)?;
        let plain = |p: &Plain| self.tells(slot, p);
        match &a.test {
            Test::Reading(_) => None,
            Test::OnList(list) => {
                let on = |entry: &Entry| {
                    let here = axis::on_entry(lexicon, a, entry).and_then(|p| plain(&p));
                    let scope = || entry.when.as_ref().map_or(Some(true), |w| self.truth(w, day, lexicon));
                    if here == Some(false) { here } else { all([here, scope()].into_iter()) }
                };
                any(day.entries(list).iter().map(|e| on(e)))
            }
            test => {
                let holds = all(axis::plain(slot, test).iter().map(plain));
                if matches!(test, Test::HasOnly(_)) { holds.map(|b| !b) } else { holds }
            }
        }
    }
}

fn told(packed: &Packed, slot: &Slot, plain: &Plain) -> Option<bool> {
    let word = |i: usize| packed.0.get(slot.at + i).copied().unwrap_or(0);
    match plain {
        Plain::In(cells) => (word(0) != ANY).then(|| cells.has(word(0) as usize)),
        Plain::HasAny(cells) => (word(0) == 1).then(|| (0..slot.n_words()).any(|i| cells.word(i) & word(1 + i) != 0)),
        Plain::AtLeast(n) => between(word(0) as i64 >= *n, word(1) as i64 >= *n),
        Plain::Before(n) => between((word(0) as i64) < *n, (word(1) as i64) < *n),
    }
}

/// What holds at both ends of a range holds within it.
fn between(lo: bool, hi: bool) -> Option<bool> {
    (lo == hi).then_some(lo)
}

fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut certain = Some(true);
    for part in parts {
        match part {
            Some(false) => return part,
            Some(true) => {}
            None => certain = None,
        }
    }
    certain
}

fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(parts.map(|p| p.map(|b| !b))).map(|b| !b)
}
