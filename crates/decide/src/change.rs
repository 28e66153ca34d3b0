//! What a change of law does: between two days, two releases, or today and a draft, exactly, region by region.
//!
//! Layers that read the same on both sides are not looked at. The others are compiled over the same axes, and every
//! pair of answers that some state has on the two sides is a region, shown by one transfer that lies in it.

use crate::{
    axis::Cut,
    cells::Cells,
    decision::Verdict,
    diagram::{Diagram, NodeId},
    engine::Engine,
    gather::{Day, Law},
    lexicon::{Lexicon, Shape, TooManyCells},
    unit::{Leaf, Unit, class},
};
use model::{
    AsOf, CivilDate,
    fact::{Said, Spoken},
    transfer::Transfer,
};
use rulebook::{
    book::Rulebook,
    vocabulary::{Domain, FactKind, Vocabulary},
};
use serde::Serialize;
use std::collections::HashMap;

/// How one layer answers on one side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Side {
    /// Whether the layer refuses, lets through or does not reach it.
    pub stands: Stands,
    /// The clause that says so.
    pub clause: Option<String>,
}

/// How a layer stands to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// It does not reach it, or is not there.
    Outside,
    /// It reaches it and lets it through.
    Open,
    /// It refuses it, as it is.
    Refused,
}

/// One region in which a layer answers otherwise than before.
#[derive(Clone, Debug, Serialize)]
pub struct Region {
    /// The layer.
    pub layer: String,
    /// Before.
    pub before: Side,
    /// After.
    pub after: Side,
    /// Facts of a transfer in the region.
    pub witness: Vec<(String, Said)>,
    /// The verdict on the witness, before and after, where it binds in both vocabularies; sets that it does not speak of
    /// have no member.
    pub verdicts: Option<(Verdict, Verdict)>,
}

impl Region {
    /// Whether it opens, closes, or only rests on another clause.
    pub fn turns(&self) -> bool {
        self.before.stands != self.after.stands
    }
}

/// Every region in which some layer answers otherwise on the other side.
pub fn effect(before: &mut Engine, on_before: AsOf, after: &mut Engine, on_after: AsOf) -> Result<Vec<Region>, TooManyCells> {
    let lexicon = Lexicon::of(&merged(&before.book.vocabulary, &after.book.vocabulary))?;
    let mut out = regions(&before.book, on_before, &after.book, on_after, &lexicon)?;
    if before.has_whole_tables() && after.has_whole_tables() && !out.is_empty() {
        // Most laws read the same on both sides.
        before.table(on_before)?;
        after.share(before);
    }
    for region in &mut out {
        for transfer in [filled(&before.book, &region.witness), Transfer::single(region.witness.iter().cloned())] {
            if let (Ok(a), Ok(b)) = (before.book.bind(&transfer), after.book.bind(&transfer)) {
                region.verdicts = Some((before.verdict(&a, on_before)?, after.verdict(&b, on_after)?));
                break;
            }
        }
    }
    // What turns speaks before what only rests on another clause.
    out.sort_by(|a, b| (!a.turns(), &a.layer, &a.before, &a.after).cmp(&(!b.turns(), &b.layer, &b.before, &b.after)));
    Ok(out)
}

/// The regions, without asking what becomes of their witnesses.
pub fn regions(before: &Rulebook, on_before: AsOf, after: &Rulebook, on_after: AsOf, lexicon: &Lexicon) -> Result<Vec<Region>, TooManyCells> {
    let (old_day, new_day) = (Day::of(before, on_before), Day::of(after, on_after));
    let mut ids: Vec<&str> = old_day.layers.iter().chain(&new_day.layers).map(|l| l.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut out = Vec::new();
    for id in ids {
        let (old, new) = (law_of(&old_day, id), law_of(&new_day, id));
        if old_day.fingerprint(&old, lexicon) == new_day.fingerprint(&new, lexicon) {
            continue;
        }
        let unit = Unit::together(&[(&old_day, &old), (&new_day, &new)], lexicon)?;
        let [a, b] = unit.laws.as_slice() else { continue };
        // Leaves say how a layer answers, so that what answers alike on both sides is one function and is not looked into.
        let (mut diagram, mut sides) = (unit.diagram.thawed(), Vec::new());
        let [f, g] = [a, b].map(|law| class::of(law, &mut diagram, &mut |d, leaf| {
            let side = said(law, leaf);
            let n = sides.iter().position(|s| *s == side).unwrap_or_else(|| {
                sides.push(side);
                sides.len() - 1
            });
            d.leaf(n)
        }));
        for ((f, g), path) in shown(&unit, &diagram, (f, g), &[a.applies, b.applies]) {
            let [before, after] = [f, g].map(|leaf| diagram.leaf_index(leaf).and_then(|i| sides.get(i)).cloned());
            if let (Some(before), Some(after)) = (before, after) {
                out.push(Region { layer: id.to_string(), before, after, witness: witness(&unit, lexicon, &path), verdicts: None });
            }
        }
    }
    Ok(out)
}

/// Pairs of answers with the plainest state that shows each: first with nothing in the sets on which it hangs whether the
/// layer applies (an exporter of the place itself), then with everything.
fn shown(unit: &Unit, diagram: &Diagram, (f, g): (NodeId, NodeId), applies: &[NodeId]) -> HashMap<(NodeId, NodeId), Vec<Option<usize>>> {
    let everything: Vec<Cells> = unit.axes.list.iter().map(|a| Cells::first(a.width())).collect();
    let mut plain = everything.clone();
    for axis in applies.iter().flat_map(|f| diagram.support(*f)) {
        let set = unit.axes.list.get(axis).is_some_and(|a| matches!(a.cut, Cut::Member(_)));
        plain.iter_mut().skip(axis).take(usize::from(set)).for_each(|c| *c = Cells::one(0));
    }
    diagram.pairs(f, g, unit.constraint, &[&plain, &everything])
}

/// A witness with nothing in every set that nobody spoke of, so that other layers can be told too.
fn filled(book: &Rulebook, witness: &[(String, Said)]) -> Transfer {
    let mut facts: Vec<(String, Said)> = witness.to_vec();
    for slot in book.vocabulary.slots() {
        let set = book.vocabulary.of_slot(&slot).is_some_and(|f| matches!(f.domain, Domain::SetOf(_) | Domain::Places) && f.kind == FactKind::Given);
        if set && !facts.iter().any(|(s, _)| *s == slot) {
            facts.push((slot, Said::claim(Spoken::Words(Vec::new()))));
        }
    }
    Transfer::single(facts)
}

/// The law of a layer, or one that reaches nothing where there is no such layer.
fn law_of<'a>(day: &Day<'a>, id: &str) -> Law<'a> {
    day.layers.iter().find(|l| l.id == id).map_or_else(Law::default, |l| day.law(l))
}

fn said(law: &crate::unit::Functions, leaf: Leaf) -> Side {
    let (stands, clause) = match leaf {
        Leaf::Outside(c) => (Stands::Outside, c),
        Leaf::Open(c) => (Stands::Open, c),
        Leaf::Refused(c) => (Stands::Refused, c),
    };
    Side { stands, clause: clause.and_then(|c| law.clauses.get(c)).cloned() }
}

/// A transfer of a region: what the path says, and nothing else.
fn witness(unit: &Unit, lexicon: &Lexicon, path: &[Option<usize>]) -> Vec<(String, Said)> {
    let mut out: Vec<(String, Said)> = Vec::new();
    for (axis, cell) in unit.axes.list.iter().zip(path).filter_map(|(a, c)| c.map(|c| (a, c))) {
        let Some(slot) = axis.slot().and_then(|s| lexicon.slot(s)) else { continue };
        let words = |cells: Cells| cells.lowest().and_then(|i| slot.values.words.get(i)).cloned();
        let spoken = match (&axis.cut, slot.shape) {
            (Cut::Choice { classes, .. }, _) => classes.get(cell).and_then(|c| words(*c)).map(|w| match w.as_str() {
                "yes" if slot.is_yes_no() => Spoken::YesNo(true),
                "no" if slot.is_yes_no() => Spoken::YesNo(false),
                _ => Spoken::Word(w),
            }),
            (Cut::Member(members), _) => {
                let more = if cell == 1 { words(*members) } else { None };
                match out.iter_mut().find(|(s, _)| *s == slot.name).map(|(_, said)| &mut said.value) {
                    Some(Spoken::Words(ws)) => {
                        ws.extend(more);
                        None
                    }
                    _ => Some(Spoken::Words(more.into_iter().collect())),
                }
            }
            (Cut::Number(cuts), shape) => Some(number(cuts, cell, shape)),
            (Cut::Open, _) => None,
        };
        if let Some(value) = spoken {
            let standing = slot.needs;
            out.push((slot.name.clone(), Said { standing, ..Said::claim(value) }));
        }
    }
    // What is absent when nobody says it need not be said.
    out.retain(|(s, said)| {
        let absent = matches!(&said.value, Spoken::Words(ws) if ws.is_empty()) || matches!(&said.value, Spoken::YesNo(false)) || said.value == Spoken::Word("not_made".into());
        !(absent && lexicon.slot(s).is_some_and(|x| x.is_absent_when_unsaid()))
    });
    out
}

fn number(cuts: &[i64], cell: usize, shape: Shape) -> Spoken {
    let n = match cell.checked_sub(1).and_then(|i| cuts.get(i)) {
        Some(from) => *from,
        None => cuts.first().map_or(0, |c| c.saturating_sub(1)),
    };
    match shape {
        Shape::Day => Spoken::Word(CivilDate::from_days(n.clamp(-20_000, 100_000) as i32).to_string()),
        _ => Spoken::Number(n.max(0)),
    }
}

/// A vocabulary with every fact and word of both; where a fact is of two types, the later one stands.
fn merged(a: &Vocabulary, b: &Vocabulary) -> Vocabulary {
    let mut out = b.clone();
    for (id, label) in &a.places {
        out.places.entry(id.clone()).or_insert_with(|| label.clone());
    }
    for (id, old) in &a.facts {
        match out.facts.get_mut(id) {
            None => {
                out.facts.insert(id.clone(), old.clone());
            }
            Some(new) => {
                if let (Domain::OneOf(x) | Domain::SetOf(x), Domain::OneOf(y) | Domain::SetOf(y)) = (&mut new.domain, &old.domain) {
                    let more: Vec<_> = y.iter().filter(|w| !x.iter().any(|v| v.id == w.id)).cloned().collect();
                    x.extend(more);
                }
            }
        }
    }
    out
}

/// A row whose verdict turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// Its place among those asked about.
    pub row: usize,
    /// Before.
    pub before: Verdict,
    /// After.
    pub after: Verdict,
}

/// Which of these transfers turn. A transfer that no longer binds cannot be told.
pub fn turns(before: &mut Engine, on_before: AsOf, after: &mut Engine, on_after: AsOf, transfers: &[Transfer]) -> Result<Vec<Turn>, TooManyCells> {
    let mut out = Vec::new();
    for (row, t) in transfers.iter().enumerate() {
        let Ok(a) = before.book.bind(t) else { continue };
        let a = before.verdict(&a, on_before)?;
        let b = match after.book.bind(t) {
            Ok(b) => after.verdict(&b, on_after)?,
            Err(_) => Verdict::Undetermined,
        };
        if a != b {
            out.push(Turn { row, before: a, after: b });
        }
    }
    Ok(out)
}

/// The rulebook with texts of a draft laid over it: a path that is there is replaced, another is added.
pub fn overlaid(book: &Rulebook, draft: Vec<rulebook::book::Source>) -> (Rulebook, Vec<rulebook::diagnostic::Diagnostic>) {
    let mut sources: Vec<_> = book.sources.iter().filter(|s| !draft.iter().any(|d| d.path == s.path)).cloned().collect();
    sources.extend(draft);
    Rulebook::parse(sources)
}
