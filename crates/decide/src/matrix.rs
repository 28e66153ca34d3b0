//! One profile of data from every origin to every destination, and places that the rules do not tell apart.

use crate::{
    axis::{Axes, Cut},
    decision::Verdict,
    diagram::NodeId,
    judge::{Bits, Head, Room},
    lexicon::Packed,
    table::{LayerTable, Table},
};
use serde::Serialize;
use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

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
        let all: Vec<&Axes> = self.layers.iter().map(LayerTable::axes).chain([&*self.beside.unit.axes]).collect();
        let axes: Vec<_> = all.iter().flat_map(|x| slots.iter().flat_map(|s| x.of_slot(s)).filter_map(|a| x.list.get(*a))).collect();
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

    /// Judges a profile between all kinds of places: what is stated stays, only the two ends move. From one origin few laws may
    /// speak; destinations that none of these tells apart are judged once.
    pub fn heads(&self, profile: &Packed, origins: &[Vec<usize>], destinations: &[Vec<usize>], room: &mut Room) -> Vec<Head> {
        let [from, to] = ENDS.map(|s| self.lexicon.slot(s));
        let mut out = Vec::with_capacity(origins.len() * destinations.len());
        let mut beside = Beside { table: self, known: HashMap::new() };
        let values: Vec<usize> = destinations.iter().map(|d| d.first().copied().unwrap_or(0)).collect();
        for o in origins {
            let mut facts = profile.clone();
            if let (Some(slot), Some(value)) = (from, o.first()) {
                slot.say_word(*value, &mut facts);
            }
            if let Some(slot) = to {
                slot.open(&mut facts);
            }
            let groups = together(&values, &self.told_apart(&facts, &mut beside));
            let mut known: Vec<Option<Head>> = vec![None; destinations.len()];
            for (d, group) in destinations.iter().zip(groups) {
                let judged = known.get(group).copied().flatten().unwrap_or_else(|| {
                    let mut facts = facts.clone();
                    if let (Some(slot), Some(value)) = (to, d.first()) {
                        slot.say_word(*value, &mut facts);
                    }
                    self.judge(&Bits::of(self, facts), room)
                });
                known.iter_mut().skip(group).take(1).for_each(|k| *k = Some(judged));
                out.push(judged);
            }
        }
        out
    }

    /// By each function that may speak wherever these facts hold: the kinds of destination that it tells apart, by value.
    fn told_apart<'t>(&'t self, facts: &Packed, beside: &mut Beside<'t>) -> Vec<Rc<[u16]>> {
        let layers = self.live(facts).filter_map(|i| self.layers.get(i)).map(LayerTable::axes);
        let mut out: Vec<Rc<[u16]>> = layers.filter_map(|axes| to_axis(axes).map(|(_, class_of)| class_of.into())).collect();
        let whens = self.offered(facts).filter_map(|i| self.measures.get(i)).map(|m| m.when);
        let asked: BTreeSet<NodeId> = whens.chain([self.beside.unit.constraint, self.uncovered()]).collect();
        out.extend(asked.into_iter().filter_map(|f| beside.kinds(f)));
        out.sort_unstable();
        out.dedup();
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

/// The values in groups that no classing tells apart: by value, the number of its group, at most as many as there are values.
fn together(values: &[usize], classings: &[Rc<[u16]>]) -> Vec<usize> {
    let mut groups = vec![0; values.len()];
    let mut n_groups = 1;
    for class_of in classings {
        let width = class_of.iter().max().map_or(1, |c| usize::from(*c) + 1);
        let mut names = vec![usize::MAX; n_groups * width];
        n_groups = 0;
        for (group, value) in groups.iter_mut().zip(values) {
            let class = class_of.get(*value).copied().map_or(0, usize::from);
            if let Some(name) = names.get_mut(*group * width + class) {
                if *name == usize::MAX {
                    *name = n_groups;
                    n_groups += 1;
                }
                *group = *name;
            }
        }
    }
    groups
}

/// Kinds of destination that a function beside the laws tells apart.
struct Beside<'t> {
    table: &'t Table,
    known: HashMap<NodeId, Option<Rc<[u16]>>>,
}

impl Beside<'_> {
    /// By value of the destination, its kind; none where all are one to it.
    fn kinds(&mut self, f: NodeId) -> Option<Rc<[u16]>> {
        let table = self.table;
        let told = || {
            let unit = &*table.beside.unit;
            let (axis, class_of) = to_axis(&unit.axes)?;
            let asking: Vec<NodeId> = unit.diagram.reachable(f).into_iter().filter(|n| unit.diagram.asks(*n) == Some(axis)).collect();
            let mut kinds: HashMap<Vec<NodeId>, u16> = HashMap::new();
            let kind_of: Vec<u16> = (0..unit.diagram.width(axis)).map(|cell| {
                let (leads, next) = (asking.iter().map(|n| unit.diagram.step(*n, cell)).collect(), kinds.len() as u16);
                *kinds.entry(leads).or_insert(next)
            }).collect();
            let of_value = |class: &u16| kind_of.get(usize::from(*class)).copied().unwrap_or(0);
            (kinds.len() > 1).then(|| class_of.iter().map(of_value).collect())
        };
        self.known.entry(f).or_insert_with(told).clone()
    }
}

/// The axis of the destination among some, and the cell of each value.
fn to_axis(axes: &Axes) -> Option<(usize, &[u16])> {
    let [_, to] = ENDS;
    let axis = *axes.of_slot(to).first()?;
    match &axes.list.get(axis)?.cut {
        Cut::Choice { class_of, .. } => Some((axis, class_of)),
        _ => None,
    }
}
