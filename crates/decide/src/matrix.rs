//! One profile of data from every origin to every destination, and places that the rules do not tell apart.

use crate::{
    axis::Cut,
    decision::Verdict,
    judge::{Bits, Head, Room},
    lexicon::Packed,
    table::Table,
};
use serde::Serialize;
use std::collections::HashMap;

/// Places as the rules tell them apart, and an answer for each pair of kinds.
#[derive(Clone, Debug, Serialize)]
pub struct Matrix {
    /// Kinds of origin: places between which no rule that answers makes a difference.
    pub origins: Vec<Vec<String>>,
    /// Kinds of destination.
    pub destinations: Vec<Vec<String>>,
    /// By origin, then destination.
    pub cells: Vec<Vec<Cell>>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The verdict.
    pub verdict: Verdict,
    /// The clause that speaks, or its layer.
    pub by: String,
}

/// The slot of a transfer's origin, and of its destination: the skeleton of every transfer has them.
pub const ENDS: [&str; 2] = ["exporter.place", "recipient.place"];

impl Table {
    /// Groups of values of a slot that nothing in force tells apart, by the number of the value; each in ascending order.
    pub fn kinds(&self, slots: &[&str]) -> Vec<Vec<usize>> {
        let n = slots.iter().filter_map(|s| self.lexicon.slot(s)).map(|s| s.values.words.len()).max().unwrap_or(0);
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut known: HashMap<Vec<u16>, usize> = HashMap::new();
        let units: Vec<_> = self.layers.iter().map(|l| &l.linked.unit).chain([&self.beside.unit]).collect();
        let axes: Vec<_> = units.iter().flat_map(|u| slots.iter().flat_map(|s| u.axes.of_slot(s)).filter_map(|a| u.axes.list.get(*a))).collect();
        for value in 0..n {
            let class = axes.iter().map(|a| match &a.cut {
                Cut::Choice { class_of, .. } => class_of.get(value).copied().unwrap_or(0),
                Cut::Member(m) => u16::from(m.has(value)),
                _ => 0,
            });
            let group = *known.entry(class.collect()).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups.iter_mut().skip(group).take(1).for_each(|g| g.push(value));
        }
        groups
    }

    /// Judges a profile between all kinds of places: what is stated stays, only the two ends move.
    pub fn heads(&self, profile: &Packed, origins: &[Vec<usize>], destinations: &[Vec<usize>], room: &mut Room) -> Vec<Head> {
        let [from, to] = ENDS.map(|s| self.lexicon.slot(s));
        let mut out = Vec::with_capacity(origins.len() * destinations.len());
        for o in origins {
            for d in destinations {
                let mut facts = profile.clone();
                for (slot, kind) in [(from, o), (to, d)] {
                    if let (Some(slot), Some(value)) = (slot, kind.first()) {
                        slot.say_word(*value, &mut facts);
                    }
                }
                out.push(self.judge(&Bits::of(self, facts), room));
            }
        }
        out
    }

    /// The whole matrix, with names. Some origins may be chosen; none chosen means all.
    pub fn matrix(&self, profile: &Packed, only_from: &[String]) -> Matrix {
        let [from, to] = ENDS.map(|s| self.lexicon.slot(s));
        let names = |kind: &[usize]| kind.iter().filter_map(|i| from.or(to).and_then(|s| s.values.words.get(*i))).cloned().collect::<Vec<_>>();
        let mut origins = self.kinds(&ENDS[..1]);
        if !only_from.is_empty() {
            let wanted = |i: &usize| from.and_then(|s| s.values.words.get(*i)).is_some_and(|w| only_from.contains(w));
            origins.iter_mut().for_each(|k| k.retain(wanted));
            origins.retain(|k| !k.is_empty());
        }
        let destinations = self.kinds(&ENDS[1..]);
        let heads = self.heads(profile, &origins, &destinations, &mut Room::default());
        let cell = |h: &Head| Cell { verdict: h.verdict, by: self.named(h).to_string() };
        Matrix {
            cells: heads.chunks(destinations.len().max(1)).map(|row| row.iter().map(cell).collect()).collect(),
            origins: origins.iter().map(|k| names(k)).collect(),
            destinations: destinations.iter().map(|k| names(k)).collect(),
        }
    }
}
