//! What still matters, and what to ask next (DESIGN section 4, ASK).

use crate::{
    axis::{Asked, Axis, Cut},
    cells::Cells,
    decision::Missing,
    diagram::{Allowed, Diagram, FALSE, Forced, NodeId, TRUE},
    hash::QuickMap,
    knowledge::Knowledge,
    lexicon::{Shape, Slot},
    linked::Linked,
    remedy::Hand,
    table::Table,
    verdict::{Carried, refusals},
};
use model::text::Text;
use rulebook::{
    bind::{Crossing, Known, certainly},
    book::Rulebook,
    expr::{Expr, Test},
    law::Start,
    vocabulary::FactKind,
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// The layer that stands for an exporter's own law that we do not hold.
pub const UNCOVERED: &str = "uncovered";

/// The class of a state, layer by layer, as functions over what is still open: whether it refuses now, and after measures.
///
/// A transfer is lawful iff no layer refuses, so layers are kept apart: their joint function can be exponentially larger
/// than all of them together. What matters to some layer that can still go either way is what is asked.
pub struct Classes<'a> {
    table: &'a Table,
    layers: Vec<LayerClass<'a>>,
    /// What is still asked in some layer, each once; layers point to it.
    asked: Vec<&'a Asked>,
}

struct LayerClass<'a> {
    linked: &'a Linked,
    diagram: Diagram,
    allowed: Allowed,
    now: NodeId,
    after: NodeId,
    support: Vec<usize>,
    /// By place in `support`, what is asked there, as a number of all that is asked.
    asked: Vec<usize>,
    /// By what an answer says of it, how it stands: most answers say the same of most layers.
    known: RefCell<QuickMap<Vec<(usize, usize)>, Rc<Answered>>>,
}

/// How a layer stands after an answer: now, and after measures; each with what is still asked, as places in the support.
type Answered = [(Vec<usize>, Stands); 2];

/// How the functions of a layer stand after an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stands {
    Never,
    Always,
    Depends,
}

/// What one answer says of the axes of each layer: (layer of the classes, axis, cell).
type Answer = Vec<(usize, usize, usize)>;

impl<'a> Classes<'a> {
    /// Restricts the table to what is still possible.
    pub fn of(table: &'a Table, k: &Knowledge, carried: &[Carried], hand: &Hand) -> Self {
        let maybe = &hand.of(table, k).maybe;
        let mut layers = Vec::new();
        for (i, f) in refusals(table, k, carried) {
            let (Some(layer), Some(view)) = (table.layers.get(i), k.view(table, i)) else { continue };
            // After measures an axis has the cell that the measure fixes, whatever it was.
            let allowed = view.allowed(layer.linked(), &k.packed);
            let mut after = allowed.clone();
            for (axis, cell) in layer.forced(|m| maybe.binary_search(&m).is_ok()).iter() {
                after.iter_mut().skip(axis).take(1).for_each(|c| *c = Cells::one(cell));
            }
            layers.extend(LayerClass::of(layer.linked(), f, &allowed, &after));
        }
        let beside = k.beside(table).allowed(&table.beside, &k.packed);
        layers.extend(LayerClass::of(&table.beside, table.uncovered(), &beside, &beside));
        let mut all: BTreeMap<&Asked, usize> = BTreeMap::new();
        for l in &mut layers {
            let linked = l.linked;
            let asked = l.support.iter().filter_map(|a| linked.unit.axes.list.get(*a)).map(|a| {
                let next = all.len();
                *all.entry(&a.of).or_insert(next)
            });
            l.asked = asked.collect();
        }
        let mut asked: Vec<(usize, &Asked)> = all.into_iter().map(|(asked, n)| (n, asked)).collect();
        asked.sort_unstable_by_key(|(n, _)| *n);
        Self { table, layers, asked: asked.into_iter().map(|(_, asked)| asked).collect() }
    }

    /// The axes on which the class still depends.
    fn support(&self) -> impl Iterator<Item = &'a Axis> {
        self.layers.iter().flat_map(|l| l.support.iter().filter_map(|a| l.linked.unit.axes.list.get(*a)))
    }

    /// How many facts would still be open after an answer; none when the class is settled.
    fn left_after(&self, answer: &Answer) -> usize {
        let (mut opens, mut refused, mut shut, mut curable) = (true, false, false, true);
        let mut left = vec![false; self.asked.len()];
        for (i, l) in self.layers.iter().enumerate() {
            let answered = l.answered(answer, i);
            let [(axes, now), (more, after)] = &*answered;
            opens &= *now == Stands::Never;
            shut |= *now == Stands::Always;
            refused |= *after == Stands::Always;
            curable &= *after == Stands::Never;
            axes.iter().chain(more).for_each(|place| left.iter_mut().skip(l.asked.get(*place).copied().unwrap_or(usize::MAX)).take(1).for_each(|x| *x = true));
        }
        if opens || refused || shut && curable { 0 } else { left.into_iter().filter(|x| *x).count() }
    }

    /// Slots that still matter to what is refused now: first those of which one answer alone opens, then as [`Self::ranked`].
    pub fn opening(&self) -> Vec<String> {
        let (alone, others): (Vec<String>, Vec<String>) =
            self.ranked().into_iter().partition(|slot| self.answers(slot).iter().any(|answer| self.opens_after(answer)));
        alone.into_iter().chain(others).collect()
    }

    /// Disputed questions of which one reading alone opens what is refused now.
    pub fn readings(&self) -> BTreeSet<&'a str> {
        let disputed = self.support().filter_map(|a| match &a.of {
            Asked::Reading(id) => Some(id.as_str()),
            _ => None,
        });
        disputed.filter(|id| (0..2).any(|side| self.opens_after(&self.reading(id, side)))).collect()
    }

    /// One reading of a disputed question, as an answer.
    fn reading(&self, id: &str, side: usize) -> Answer {
        let is = |a: &Axis| matches!(&a.of, Asked::Reading(of) if of == id);
        let axes = |l: &LayerClass<'_>| -> Vec<usize> { l.linked.unit.axes.list.iter().enumerate().filter(|(_, a)| is(a)).map(|(i, _)| i).collect() };
        self.layers.iter().enumerate().flat_map(|(i, l)| axes(l).into_iter().map(move |axis| (i, axis, side))).collect()
    }

    fn opens_after(&self, answer: &Answer) -> bool {
        self.layers.iter().enumerate().all(|(i, l)| l.answered(answer, i)[0].1 == Stands::Never)
    }

    /// Slots that still matter, the one expected to settle most first.
    pub fn ranked(&self) -> Vec<String> {
        // LIMIT: facts weighed by what each answer would leave open; those deeper in the law keep their order behind.
        const WEIGHED_MAX: usize = 24;
        let mut near: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for l in &self.layers {
            for (depth, axis) in l.support.iter().enumerate() {
                if let Some(slot) = l.linked.unit.axes.list.get(*axis).and_then(Axis::slot) {
                    let at = near.entry(slot).or_insert((depth, 0));
                    *at = (at.0.min(depth), at.1 + 1);
                }
            }
        }
        let mut slots: Vec<(&str, (usize, usize))> = near.into_iter().collect();
        slots.sort_by_key(|(slot, (depth, n))| (*depth, usize::MAX - n, *slot));
        let mut scored: Vec<(usize, usize, &str)> = Vec::new();
        for (place, (slot, _)) in slots.iter().enumerate() {
            let mean = if place < WEIGHED_MAX {
                let answers = self.answers(slot);
                let total: usize = answers.iter().map(|a| self.left_after(a)).sum();
                // Compare means without fractions: scale by a common factor large enough to keep the order.
                total * 1_000 / answers.len().max(1)
            } else {
                usize::MAX
            };
            scored.push((mean, place, slot));
        }
        scored.sort_unstable();
        scored.into_iter().map(|(_, _, slot)| slot.to_string()).collect()
    }

    /// The answers a person may give to a question, as far as the layers tell them apart: each value; for a set, none or one member.
    fn answers(&self, slot: &str) -> Vec<Answer> {
        // LIMIT: answers tried for one question while ranking.
        const ANSWERS_MAX: usize = 24;
        let Some(slot) = self.table.lexicon.slot(slot) else { return Vec::new() };
        let mut out: Vec<Answer> = Vec::new();
        for value in values(slot, self.layers.iter().flat_map(|l| l.axes(&slot.name))) {
            let mut answer = Answer::new();
            let mut possible = true;
            for (i, l) in self.layers.iter().enumerate() {
                for axis in l.linked.unit.axes.of_slot(&slot.name) {
                    let Some(cell) = l.linked.unit.axes.list.get(*axis).map(|a| cell_of(a, &value)) else { continue };
                    possible &= slot.shape == Shape::Set || l.allowed.get(*axis).is_some_and(|c| c.has(cell));
                    answer.push((i, *axis, cell));
                }
            }
            if possible && !out.contains(&answer) {
                out.push(answer);
            }
            if out.len() >= ANSWERS_MAX {
                break;
            }
        }
        out
    }
}

/// An answer as a person gives it.
enum Value {
    Word(usize),
    Members(Option<usize>),
    Number(i64),
}

fn values<'a>(slot: &Slot, axes: impl Iterator<Item = &'a Axis>) -> Vec<Value> {
    match slot.shape {
        Shape::Choice => (0..slot.values.words.len()).map(Value::Word).collect(),
        Shape::Set => {
            let asked = axes.fold(Cells::default(), |all, a| match &a.cut {
                Cut::Member(m) => all.or(m),
                _ => all,
            });
            std::iter::once(Value::Members(None)).chain(asked.iter().map(|m| Value::Members(Some(m)))).collect()
        }
        Shape::Count | Shape::Day => {
            let mut cuts: Vec<i64> = axes.flat_map(|a| match &a.cut {
                Cut::Number(cuts) => cuts.clone(),
                _ => Vec::new(),
            }).collect();
            cuts.sort_unstable();
            cuts.dedup();
            let below = cuts.first().map(|c| c.saturating_sub(1)).into_iter();
            below.chain(cuts.iter().copied()).map(Value::Number).collect()
        }
    }
}

fn cell_of(axis: &Axis, value: &Value) -> usize {
    match (&axis.cut, value) {
        (Cut::Choice { class_of, .. }, Value::Word(w)) => class_of.get(*w).map_or(0, |c| usize::from(*c)),
        (Cut::Member(members), Value::Members(m)) => usize::from(m.is_some_and(|m| members.has(m))),
        (Cut::Number(cuts), Value::Number(n)) => cuts.iter().filter(|c| *c <= n).count(),
        _ => 0,
    }
}

impl<'a> LayerClass<'a> {
    /// Copies the functions over what is open; none if the layer cannot refuse.
    fn of(linked: &'a Linked, f: NodeId, allowed: &Allowed, after: &Allowed) -> Option<Self> {
        let mut diagram = linked.unit.axes.diagram();
        let now = diagram.import(&linked.unit.diagram, f, allowed);
        if now == FALSE {
            return None;
        }
        let after = diagram.import(&linked.unit.diagram, f, after);
        let mut support = diagram.support(now);
        support.extend(diagram.support(after));
        support.sort_unstable();
        support.dedup();
        Some(Self { linked, diagram, allowed: allowed.clone(), now, after, support, asked: Vec::new(), known: RefCell::default() })
    }

    /// How it stands after an answer; `i` is its number among the layers.
    fn answered(&self, answer: &Answer, i: usize) -> Rc<Answered> {
        let asked = |axis: &usize| self.support.binary_search(axis).is_ok();
        let fixed: Vec<(usize, usize)> = answer.iter().filter(|(layer, axis, _)| *layer == i && asked(axis)).map(|(_, axis, cell)| (*axis, *cell)).collect();
        if let Some(known) = self.known.borrow().get(&fixed) {
            return known.clone();
        }
        let now = self.stands(self.now, &fixed);
        let after = if self.after == self.now { now.clone() } else { self.stands(self.after, &fixed) };
        let answered = Rc::new([now, after]);
        self.known.borrow_mut().insert(fixed, answered.clone());
        answered
    }

    fn axes(&self, slot: &str) -> impl Iterator<Item = &'a Axis> {
        self.linked.unit.axes.of_slot(slot).iter().filter_map(|a| self.linked.unit.axes.list.get(*a))
    }

    /// The axes still asked (places in `support`), and whether the function still depends on them, when some are fixed.
    fn stands(&self, f: NodeId, fixed: &[(usize, usize)]) -> (Vec<usize>, Stands) {
        let mut asked = vec![false; self.support.len()];
        let (mut never, mut always) = (true, true);
        // Children are made before their parents: no node of `f` has a higher number.
        let mut seen = vec![0_u64; f.0 as usize / 64 + 1];
        let mut stack = vec![f];
        while let Some(at) = stack.pop() {
            let (word, bit) = (at.0 as usize / 64, 1 << (at.0 % 64));
            let Some(word) = seen.get_mut(word).filter(|w| **w & bit == 0) else { continue };
            *word |= bit;
            let Some(axis) = self.diagram.asks(at) else {
                never &= at == FALSE;
                always &= at == TRUE;
                continue;
            };
            match fixed.iter().find(|(a, _)| *a == axis) {
                Some((_, cell)) => stack.push(self.diagram.step(at, *cell)),
                None => {
                    let place = self.support.binary_search(&axis).unwrap_or(usize::MAX);
                    asked.iter_mut().skip(place).take(1).for_each(|x| *x = true);
                    let mut before = None;
                    for child in self.diagram.children_of(at) {
                        if before != Some(child) {
                            stack.push(*child);
                        }
                        before = Some(child);
                    }
                }
            }
        }
        match (never, always) {
            (true, _) => (Vec::new(), Stands::Never),
            (_, true) => (Vec::new(), Stands::Always),
            _ => (asked.iter().enumerate().filter(|(_, x)| **x).map(|(place, _)| place).collect(), Stands::Depends),
        }
    }
}

/// What keeps the answer open, most useful first.
pub fn missing(table: &Table, book: &Rulebook, k: &Knowledge, crossing: &Crossing, classes: &Classes<'_>, hand: &Hand) -> Vec<Missing> {
    let mut out: Vec<Missing> = classes.ranked().into_iter().filter_map(|slot| question(book, slot)).collect();
    let named: BTreeSet<&Asked> = classes.support().map(|a| &a.of).collect();
    for asked in named {
        match asked {
            Asked::Reading(id) => out.extend(dispute(book, id)),
            Asked::Gap(layer, name) => {
                let gap = book.layers.get(layer).and_then(|l| l.gaps.iter().find(|g| &g.name == name));
                if let Some(gap) = gap {
                    out.push(Missing::NotCovered { layer: layer.clone(), says: gap.says.clone() });
                }
            }
            Asked::Slot(_) => {}
        }
    }
    if k.may_be_uncovered(table) && !k.may_be_covered(table) {
        // No answer of a person helps where the country's law is not held: that is said first.
        out.insert(0, Missing::NotCovered { layer: UNCOVERED.into(), says: uncovered(table, book, crossing) });
    }
    if out.is_empty() {
        out.extend(open_preconditions(table, k, hand).into_iter().filter_map(|slot| question(book, slot)));
    }
    out
}

/// That no law of the exporter's own country is held on the day, and from when on one is.
fn uncovered(table: &Table, book: &Rulebook, crossing: &Crossing) -> Text {
    let starts = book.layers.values().filter(|l| l.covers.as_ref().is_some_and(|e| certainly(e, crossing) == Some(true) || names_place(book, e, crossing)));
    let later = starts.filter_map(|l| match l.head.from {
        Start::On(day) if day > table.as_of.on => Some(day),
        _ => None,
    });
    match later.min() {
        Some(day) => Text::of(
            format!("We hold no rules for the law of the exporter's own country on this day; ours begin on {day}."),
            format!("送り手の国のこの日の法律についてのルールを保有していません(保有は{day}から)。"),
        ),
        None => Text::of("We hold no rules for the law of the exporter's own country on this day.", "送り手の国のこの日の法律についてのルールを保有していません。"),
    }
}

/// Whether an expression asks for a list on which the exporter's place stands, on whatever day.
fn names_place(book: &Rulebook, e: &Expr, crossing: &Crossing) -> bool {
    let Some(Known::Values(places)) = crossing.facts.get("exporter.place").map(|f| &f.known) else { return false };
    let mut found = false;
    e.each_atom(&mut |a| {
        if let Test::OnList(list) = &a.test {
            found |= book.lists.get(list).is_some_and(|l| l.entries.iter().any(|e| places.contains(&e.key)));
        }
    });
    found
}

/// A disputed question with both readings.
pub fn dispute(book: &Rulebook, id: &str) -> Option<Missing> {
    let d = book.disputed.get(id)?;
    Some(Missing::Disputed { id: d.id.clone(), question: d.question.clone(), a: d.a.clone(), b: d.b.clone() })
}

/// The question behind a slot.
fn question(book: &Rulebook, slot: String) -> Option<Missing> {
    let fact = book.vocabulary.of_slot(&slot)?;
    let role = slot.split('.').next().unwrap_or_default();
    let ask = Text::of(fact.ask.en.replace("{party}", &format!("the {role}")), fact.ask.ja.replace("{party}", party_ja(role)));
    Some(match (fact.kind, &fact.by) {
        (FactKind::Determination, Some(by)) => Missing::Judgment { slot, ask, by: by.clone() },
        _ => Missing::Fact { slot, ask, knows: fact.knows.clone() },
    })
}

/// Where the law itself leaves nothing open: the slots on which it hangs whether a measure can be taken.
fn open_preconditions(table: &Table, k: &Knowledge, hand: &Hand) -> Vec<String> {
    let hand = hand.of(table, k);
    let mut touched: BTreeSet<usize> = BTreeSet::new();
    for (i, layer) in k.live.iter().filter_map(|i| table.layers.get(*i).map(|l| (*i, l))) {
        if k.can(table, i, layer.law().refuses, &Forced::NONE) {
            let support = layer.linked().unit.support(layer.law().refuses);
            touched.extend(layer.effects().iter().filter(|(_, axis, _)| support.binary_search(axis).is_ok()).map(|(m, _, _)| *m));
        }
    }
    let allowed = k.beside(table).allowed(&table.beside, &k.packed);
    let mut diagram = table.beside.unit.axes.diagram();
    let mut axes = BTreeSet::new();
    let open = hand.maybe.iter().filter(|m| hand.sure.binary_search(m).is_err() && touched.contains(m));
    for measure in open.filter_map(|m| table.measures.get(*m)) {
        let when = diagram.import(&table.beside.unit.diagram, measure.when, &allowed);
        axes.extend(diagram.support(when));
        // A determination that expired may have come out either way.
        axes.extend(measure.determinations.iter().map(|(axis, _)| *axis).filter(|a| allowed.get(*a).is_some_and(|c| c.only().is_none())));
    }
    let mut slots: Vec<String> = axes.iter().filter_map(|a| table.beside.unit.axes.list.get(*a).and_then(Axis::slot)).map(str::to_string).collect();
    slots.dedup();
    slots
}

fn party_ja(role: &str) -> &'static str {
    if role == "recipient" { "受け手" } else { "送り手" }
}
