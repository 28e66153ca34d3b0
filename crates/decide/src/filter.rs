//! Which of many conditions may hold, told from a few facts.

use crate::{
    axis::{Axes, Axis, Cut},
    cells::Cells,
    diagram::{Diagram, FALSE, NodeId, TRUE},
    hash::QuickMap,
    lexicon::{ANY, Lexicon, Packed, Shape, Slot},
};
use std::collections::{BTreeMap, BTreeSet};

// LIMIT: sets that are looked at.
const SETS_MAX: usize = 6;
/// Words of conditions that are told together: a set is read once for all of them.
const AT_ONCE: usize = 8;

/// Which conditions may hold, told from a few facts: the choice that most of them ask about, and the sets that leave most of
/// them out.
///
/// It only leaves out what cannot hold whatever the other facts are; what it lets through is asked in full.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    n_words: usize,
    everything: Vec<u64>,
    choice: Option<Place>,
    sets: Vec<Set>,
    /// By value of the choice: conditions that may hold though no set has any of the members they ask for.
    direct: Vec<u64>,
    /// By value of the choice: conditions that may hold at all.
    possible: Vec<u64>,
}

/// A condition: a function over some axes.
#[derive(Clone, Copy)]
pub struct Condition<'a> {
    /// The axes.
    pub axes: &'a Axes,
    /// The diagram of the function.
    pub diagram: &'a Diagram,
    /// The function.
    pub f: NodeId,
}

/// A set, and who asks it for what.
#[derive(Clone, Debug)]
struct Set {
    place: Place,
    /// The conditions that ask it for anything.
    asking: Vec<u64>,
    /// By member: the conditions that ask for it.
    by_member: Vec<u64>,
    /// By value of the choice: conditions that may hold though this set has none of the members they ask it for.
    free: Vec<u64>,
}

/// Where a slot lies in what is packed.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: usize,
    n_words: usize,
}

impl Filter {
    /// Looks at each condition once.
    pub fn of(conditions: &[Condition<'_>], lexicon: &Lexicon) -> Self {
        let n_words = conditions.len().div_ceil(64);
        let mut out = Self { n_words, everything: bits(n_words, 0..conditions.len()), ..Self::default() };
        let supports: Vec<Vec<&str>> = conditions.iter().map(slots).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for slots in &supports {
            // A condition counts once, however many members it asks for.
            slots.iter().collect::<BTreeSet<_>>().into_iter().for_each(|s| *counts.entry(s).or_default() += 1);
        }
        let of_shape = |shape: Shape| counts.iter().filter_map(|(s, n)| lexicon.slot(s).map(|s| (s, *n))).filter(move |(s, _)| s.shape == shape);
        let Some((choice, _)) = of_shape(Shape::Choice).max_by_key(|(s, n)| (*n, std::cmp::Reverse(&s.name))) else { return out };
        let n_values = choice.values.words.len();
        out.choice = Some(Place { at: choice.at, n_words: 1 });
        let asked: Vec<(Choosing<'_>, Cells)> = conditions.iter().map(|c| Choosing::of(*c, &choice.name)).map(|c| (c, c.letting(&[]))).collect();
        let mut sets: Vec<_> = of_shape(Shape::Set).map(|(s, _)| (left_out_by(&s.name, &asked, &supports, choice), s)).collect();
        sets.sort_by_key(|(n, s)| (std::cmp::Reverse(*n), &s.name));
        let sets: Vec<&Slot> = sets.into_iter().take(SETS_MAX).filter(|(n, _)| *n > 0).map(|(_, s)| s).collect();
        for set in &sets {
            let n_members = set.values.words.len();
            let place = Place { at: set.at, n_words: n_members.div_ceil(64) };
            out.sets.push(Set { place, asking: vec![0; n_words], by_member: vec![0; n_members * n_words], free: vec![0; n_values * n_words] });
        }
        out.direct = vec![0; n_values * n_words];
        out.possible = vec![0; n_values * n_words];
        for (i, condition) in asked.iter().enumerate() {
            out.add(i, condition, &sets.iter().map(|s| s.name.as_str()).collect::<Vec<_>>());
        }
        out
    }

    fn add(&mut self, i: usize, (axis, possible): &(Choosing<'_>, Cells), sets: &[&str]) {
        let (condition, axes) = (axis.condition, axis.condition.axes);
        let members: Vec<usize> = sets.iter().flat_map(|s| axes.of_slot(s)).copied().collect();
        let n_words = self.n_words;
        let put = |rows: &mut Vec<u64>, cells: Cells| {
            for value in 0..rows.len() / n_words.max(1) {
                if let Some(word) = rows.get_mut(value * n_words + i / 64).filter(|_| cells.has(axis.cell(value))) {
                    *word |= 1 << (i % 64);
                }
            }
        };
        put(&mut self.direct, axis.letting(&members));
        put(&mut self.possible, *possible);
        let support = condition.diagram.support(condition.f);
        for (name, set) in sets.iter().zip(&mut self.sets) {
            // Where it asks nothing of a set, nothing in that one leaves it as it is.
            let asks = axes.of_slot(name).iter().any(|a| support.binary_search(a).is_ok());
            put(&mut set.free, if asks { axis.letting(axes.of_slot(name)) } else { *possible });
        }
        let (word, bit) = (i / 64, 1 << (i % 64));
        for (name, set) in sets.iter().zip(&mut self.sets) {
            for axis in axes.of_slot(name).iter().filter(|a| support.contains(a)).filter_map(|a| axes.list.get(*a)) {
                let Cut::Member(cells) = &axis.cut else { continue };
                set.asking.iter_mut().skip(word).take(1).for_each(|w| *w |= bit);
                for m in cells.iter() {
                    set.by_member.iter_mut().skip(m * self.n_words + word).take(1).for_each(|w| *w |= bit);
                }
            }
        }
    }

    /// Some words of conditions from the `first`th on, a bit for each that may hold: 64 of them a word.
    #[inline]
    fn words(&self, packed: &Packed, first: usize) -> [u64; AT_ONCE] {
        let n = self.n_words.saturating_sub(first).min(AT_ONCE);
        let part = |words: &[u64], row: usize| -> [u64; AT_ONCE] {
            let at = row * self.n_words + first;
            let mut out = [0; AT_ONCE];
            match words.get(at..at + n) {
                Some(found) => out.iter_mut().zip(found).for_each(|(o, w)| *o = *w),
                None => out.iter_mut().zip(self.everything.get(first..).unwrap_or_default()).for_each(|(o, w)| *o = *w),
            }
            out
        };
        let value = self.choice.map_or(ANY, |choice| packed.0.get(choice.at).copied().unwrap_or(ANY));
        if value == ANY {
            return part(&self.everything, 0);
        }
        let value = value as usize;
        // What may hold with nothing in any of the sets, or with something that it asks one of them for …
        let mut wanted = part(&self.direct, value);
        // … and, set by set, with nothing in that one, or something that it asks that one for.
        let mut possible = part(&self.possible, value);
        for set in &self.sets {
            if packed.0.get(set.place.at) != Some(&1) {
                // Nobody said what is in it: whoever asks it may hold.
                add(&mut wanted, &part(&set.asking, 0));
                continue;
            }
            let mut hit = [0; AT_ONCE];
            for i in 0..set.place.n_words {
                let mut bits = packed.0.get(set.place.at + 1 + i).copied().unwrap_or(0);
                while bits != 0 {
                    add(&mut hit, &part(&set.by_member, i * 64 + bits.trailing_zeros() as usize));
                    bits &= bits - 1;
                }
            }
            add(&mut wanted, &hit);
            add(&mut hit, &part(&set.free, value));
            possible.iter_mut().zip(&hit).for_each(|(p, h)| *p &= h);
        }
        wanted.iter_mut().zip(&possible).for_each(|(w, p)| *w &= p);
        wanted
    }

    /// Whether one condition may hold.
    pub fn lets(&self, condition: usize, packed: &Packed) -> bool {
        let first = condition / 64 / AT_ONCE * AT_ONCE;
        self.words(packed, first).get(condition / 64 - first).is_some_and(|w| w >> (condition % 64) & 1 == 1)
    }

    /// The conditions that may hold, ascending.
    #[inline]
    pub fn passing(&self, packed: &Packed) -> impl Iterator<Item = usize> {
        (0..self.n_words).step_by(AT_ONCE).flat_map(move |first| {
            let mut words = self.words(packed, first);
            let mut w = 0;
            std::iter::from_fn(move || {
                while let Some(bits) = words.get_mut(w) {
                    if *bits != 0 {
                        let i = bits.trailing_zeros() as usize;
                        *bits &= *bits - 1;
                        return Some((first + w) * 64 + i);
                    }
                    w += 1;
                }
                None
            })
        })
    }
}

/// Adds the conditions of one to another.
#[inline]
fn add(to: &mut [u64; AT_ONCE], more: &[u64; AT_ONCE]) {
    to.iter_mut().zip(more).for_each(|(t, m)| *t |= m);
}

/// The axis of a choice, if a condition may ask it.
#[derive(Clone, Copy)]
struct Choosing<'a> {
    condition: Condition<'a>,
    axis: Option<usize>,
    class_of: Option<&'a [u16]>,
}

impl<'a> Choosing<'a> {
    fn of(condition: Condition<'a>, choice: &str) -> Self {
        let axis = condition.axes.of_slot(choice).first().copied();
        let class_of = axis.and_then(|a| condition.axes.list.get(a)).and_then(|a| match &a.cut {
            Cut::Choice { class_of, .. } => Some(class_of.as_slice()),
            _ => None,
        });
        Self { condition, axis, class_of }
    }

    fn cell(&self, value: usize) -> usize {
        self.class_of.and_then(|c| c.get(value)).map_or(0, |c| usize::from(*c))
    }

    /// The cells with which the condition may hold where these axes have their first cell.
    fn letting(&self, without: &[usize]) -> Cells {
        letting(self.condition.diagram, self.condition.f, self.axis, without, &mut QuickMap::default())
    }
}

/// How many conditions, value by value of the choice, cannot hold where a set has nothing that they ask it for.
fn left_out_by(set: &str, conditions: &[(Choosing<'_>, Cells)], supports: &[Vec<&str>], choice: &Slot) -> usize {
    // Measures of one law are one condition, and stand beside each other.
    let mut before: Option<((NodeId, *const Diagram), usize)> = None;
    let mut of = |(axis, possible): &(Choosing<'_>, Cells)| {
        let this = (axis.condition.f, std::ptr::from_ref(axis.condition.diagram));
        let n = match before {
            Some((same, n)) if same == this => n,
            _ => {
                let only_with = possible.without(&axis.letting(axis.condition.axes.of_slot(set)));
                (0..choice.values.words.len()).filter(|v| only_with.has(axis.cell(*v))).count()
            }
        };
        before = Some((this, n));
        n
    };
    conditions.iter().zip(supports).filter(|(_, slots)| slots.contains(&set)).map(|(c, _)| of(c)).sum()
}

fn slots<'a>(condition: &Condition<'a>) -> Vec<&'a str> {
    let mut out: Vec<&str> = condition.diagram.support(condition.f).iter().filter_map(|a| condition.axes.list.get(*a).and_then(Axis::slot)).collect();
    out.dedup();
    out
}

/// The cells of an axis with which a function may hold, where some axes have their first cell. Without the axis: the cell 0.
fn letting(diagram: &Diagram, f: NodeId, axis: Option<usize>, without: &[usize], memo: &mut QuickMap<NodeId, Cells>) -> Cells {
    match f {
        FALSE => return Cells::default(),
        TRUE => return Cells::first(axis.map_or(1, |a| diagram.width(a))),
        _ => {}
    }
    if let Some(known) = memo.get(&f) {
        return *known;
    }
    let asked = diagram.asks(f);
    let mut out = Cells::default();
    let mut before = None;
    for (cell, child) in diagram.children_of(f).iter().enumerate() {
        if asked.is_some_and(|a| without.contains(&a)) && cell > 0 {
            break;
        }
        if asked.is_some() && asked == axis {
            if letting(diagram, *child, axis, without, memo).has(cell) {
                out.insert(cell);
            }
        } else if before != Some(child) {
            out = out.or(&letting(diagram, *child, axis, without, memo));
        }
        before = Some(child);
    }
    memo.insert(f, out);
    out
}

fn bits(n_words: usize, items: impl Iterator<Item = usize>) -> Vec<u64> {
    let mut out = vec![0; n_words];
    for i in items {
        if let Some(w) = out.get_mut(i / 64) {
            *w |= 1 << (i % 64);
        }
    }
    out
}
