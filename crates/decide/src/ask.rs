//! What still matters, and what to ask next (DESIGN section 4, ASK).

use crate::{
    axis::Axis,
    decision::Missing,
    diagram::{Cells, Diagram, FALSE, NodeId, TRUE},
    knowledge::Knowledge,
    remedy,
    table::{Table, UNCOVERED},
};
use model::text::Text;
use rulebook::{book::Rulebook, vocabulary::FactKind};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The class of a state, layer by layer, as functions over what is still open: whether it refuses now, and after measures.
///
/// A transfer is lawful iff no layer refuses, so layers are kept apart: their joint function can be exponentially larger
/// than all of them together. What matters to some layer that can still go either way is what is asked.
pub struct Classes {
    diagram: Diagram,
    layers: Vec<LayerClass>,
}

#[derive(Clone, Copy)]
struct LayerClass {
    refuses_now: NodeId,
    refuses_after: NodeId,
}

impl Classes {
    /// Restricts the table to what is still possible.
    pub fn of(table: &Table, k: &Knowledge, extra: &[NodeId], maybe: &[usize]) -> Self {
        let widths = table.axes.list.iter().map(Axis::width).collect();
        let mut diagram = Diagram::new(widths);
        // After measures an axis has the cell that the measure fixes, whatever it was.
        let mut after = k.allowed.clone();
        for (axis, cell) in remedy::forced(table, maybe.iter().copied()) {
            if let Some(slot) = after.get_mut(axis) {
                *slot = Cells::one(cell);
            }
        }
        let refusals = table.layers.iter().map(|l| l.refuses).chain([table.uncovered]).chain(extra.iter().copied());
        let layers = refusals
            .map(|f| LayerClass {
                refuses_now: diagram.import(&table.diagram, f, &k.allowed),
                refuses_after: diagram.import(&table.diagram, f, &after),
            })
            .filter(|l| l.refuses_now != FALSE)
            .collect();
        Self { diagram, layers }
    }

    /// The axes on which the class still depends.
    pub fn support(&self) -> Vec<usize> {
        support_of(&self.diagram, &self.layers)
    }

    /// How many axes would still be open after an answer that fixes some; none when the class is settled.
    fn left_after(&mut self, fixed: &HashMap<usize, usize>) -> usize {
        let mut left = Vec::with_capacity(self.layers.len());
        for layer in self.layers.clone() {
            let refuses_now = self.diagram.fix(layer.refuses_now, fixed);
            let refuses_after = self.diagram.fix(layer.refuses_after, fixed);
            left.push(LayerClass { refuses_now, refuses_after });
        }
        let opens = left.iter().all(|l| l.refuses_now == FALSE);
        let refused = left.iter().any(|l| l.refuses_after == TRUE);
        let curable = left.iter().any(|l| l.refuses_now == TRUE) && left.iter().all(|l| l.refuses_after == FALSE);
        if opens || refused || curable { 0 } else { support_of(&self.diagram, &left).len() }
    }

    /// Slots that still matter, the one expected to settle most first.
    pub fn ranked(&mut self, table: &Table, k: &Knowledge) -> Vec<String> {
        let mut by_slot: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for axis in self.support() {
            if let Some(slot) = table.axes.list.get(axis).and_then(Axis::slot) {
                by_slot.entry(slot.to_string()).or_default().push(axis);
            }
        }
        let mut scored: Vec<(usize, usize, String)> = Vec::new();
        for (slot, axes) in by_slot {
            let answers = answers(&axes, k);
            let total: usize = answers.iter().map(|fixed| self.left_after(fixed)).sum();
            // Compare means without fractions: scale by a common factor large enough to keep the order.
            let mean = total * 1_000 / answers.len().max(1);
            scored.push((mean, axes.first().copied().unwrap_or(0), slot));
        }
        scored.sort();
        scored.into_iter().map(|(_, _, slot)| slot).collect()
    }
}

fn support_of(diagram: &Diagram, layers: &[LayerClass]) -> Vec<usize> {
    let mut axes: Vec<usize> = layers.iter().flat_map(|l| [diagram.support(l.refuses_now), diagram.support(l.refuses_after)]).flatten().collect();
    axes.sort_unstable();
    axes.dedup();
    axes
}

// LIMIT: answers tried for one question while ranking.
const ANSWERS_MAX: usize = 24;

/// The answers a person may give to the question behind some axes: each single cell; for sets, none or one member.
fn answers(axes: &[usize], k: &Knowledge) -> Vec<HashMap<usize, usize>> {
    match axes {
        [axis] => k.allowed.get(*axis).copied().unwrap_or_default().iter().take(ANSWERS_MAX).map(|cell| HashMap::from([(*axis, cell)])).collect(),
        many => {
            let none: HashMap<usize, usize> = many.iter().map(|a| (*a, 0)).collect();
            let mut out = vec![none.clone()];
            out.extend(many.iter().take(ANSWERS_MAX).map(|a| {
                let mut one = none.clone();
                one.insert(*a, 1);
                one
            }));
            out
        }
    }
}

/// What keeps the answer open, most useful first.
pub fn missing(table: &Table, book: &Rulebook, k: &Knowledge, classes: &mut Classes) -> Vec<Missing> {
    let mut out: Vec<Missing> = classes.ranked(table, k).into_iter().filter_map(|slot| question(book, slot)).collect();
    let support: BTreeSet<usize> = classes.support().into_iter().collect();
    for axis in &support {
        match table.axes.list.get(*axis) {
            Some(Axis::Reading(id)) => {
                if let Some(d) = book.disputed.get(id) {
                    out.push(Missing::Disputed { id: id.clone(), question: d.question.clone(), a: d.a.clone(), b: d.b.clone() });
                }
            }
            Some(Axis::Gap { layer, name }) if layer != UNCOVERED => {
                let gap = book.layers.get(layer).and_then(|l| l.gaps.iter().find(|g| &g.name == name));
                if let Some(gap) = gap {
                    out.push(Missing::NotCovered { layer: layer.clone(), says: gap.says.clone() });
                }
            }
            _ => {}
        }
    }
    if k.can(table, table.uncovered, &HashMap::new()) {
        let not = table.diagram.negation(table.uncovered).unwrap_or(TRUE);
        if !k.can(table, not, &HashMap::new()) {
            out.push(Missing::NotCovered {
                layer: UNCOVERED.into(),
                says: Text::of("We hold no rules for the law of the exporter's own country.", "送り手の国の法律についてのルールを保有していません。"),
            });
        }
    }
    if out.is_empty() {
        out.extend(open_preconditions(table, k).into_iter().filter_map(|slot| question(book, slot)));
    }
    out
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
fn open_preconditions(table: &Table, k: &Knowledge) -> Vec<String> {
    let (sure, maybe) = remedy::at_hand(table, k);
    let refusing = table.layers.iter().filter(|l| k.can(table, l.refuses, &HashMap::new()));
    let touched: BTreeSet<usize> = refusing.flat_map(|l| table.diagram.support(l.refuses)).collect();
    let mut diagram = Diagram::new(table.axes.list.iter().map(Axis::width).collect());
    let mut axes = BTreeSet::new();
    for measure in maybe.iter().filter(|m| !sure.contains(m)).filter_map(|m| table.measures.get(*m)) {
        if measure.sets.iter().any(|(axis, _)| touched.contains(axis)) {
            let when = diagram.import(&table.diagram, measure.when, &k.allowed);
            axes.extend(diagram.support(when));
            // A determination that expired may have come out either way.
            axes.extend(measure.determinations.iter().map(|(axis, _)| *axis).filter(|a| k.allowed.get(*a).is_some_and(|c| c.iter().count() > 1)));
        }
    }
    let mut slots: Vec<String> = axes.iter().filter_map(|a| table.axes.list.get(*a).and_then(Axis::slot)).map(str::to_string).collect();
    slots.dedup();
    slots
}

fn party_ja(role: &str) -> &'static str {
    if role == "recipient" { "受け手" } else { "送り手" }
}
