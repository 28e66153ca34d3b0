//! The real rulebook, clause by clause: states drawn on both sides of each clause, read aloud and walked.

use crate::evaluator::{Reference, Value};
use decide::{
    axis::{Axis, Cut},
    cells::Cells,
    diagram::{Diagram, NodeId},
    gather::Day,
    lexicon::{Lexicon, Shape},
    unit::Unit,
};
use model::AsOf;
use rulebook::book::{Rulebook, Source, loads};
use std::{collections::{BTreeMap, BTreeSet}, fs, path::Path, time::Instant};

/// States drawn on each side of each clause.
const EACH_WAY: usize = 100;

pub fn sources(root: &Path) -> Vec<Source> {
    let mut out = Vec::new();
    let mut stack = vec![root.to_path_buf()];
    while let Some(dir) = stack.pop() {
        for entry in fs::read_dir(&dir).expect("the rules can be read") {
            let path = entry.expect("the rules can be read").path();
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            if path.is_dir() && name != "demo" {
                stack.push(path);
            } else if path.extension().is_some_and(|x| x == "md") && !name.starts_with("cases") {
                out.push(Source { path: name, text: fs::read_to_string(&path).expect("the rules can be read") });
            }
        }
    }
    out
}

pub fn agree(root: &str) -> Result<(), String> {
    let (book, findings) = Rulebook::parse(sources(Path::new(root)));
    if !loads(&findings) {
        return Err(format!("the rules do not load: {findings:?}"));
    }
    let begun = Instant::now();
    let as_of = AsOf::then("2026-11-22".parse().expect("a day"));
    let lexicon = Lexicon::of(&book.vocabulary).map_err(|e| e.0)?;
    let day = Day::of(&book, as_of);
    let mut reference = Reference::at(&book, as_of, BTreeMap::new());
    let (mut n_clauses, mut n_states, mut one_sided) = (0, 0, Vec::new());
    for layer in &day.layers {
        let unit = Unit::compile(&day, &day.law(layer), &lexicon).map_err(|e| e.0)?;
        let law = &unit.laws[0];
        let mut clauses: Vec<(String, NodeId)> = vec![(layer.id.clone(), law.applies)];
        let of = |c: &usize| law.clauses[*c].clone();
        clauses.extend(law.scopes.iter().chain(&law.outs).chain(&law.bars).map(|(c, f)| (of(c), *f)));
        clauses.extend(law.gates.iter().flat_map(|g| g.routes.iter().map(|r| (of(&r.clause), r.need)).chain([(of(&g.clause), g.when)])));
        clauses.extend(law.obligations.iter().map(|(c, _, late, _)| (of(c), *late)));
        clauses.push((format!("{} refuses", layer.id), law.refuses));
        let mut draw = crate::generate::Draw(clauses.len() as u64 + 77);
        let mut diagram = unit.diagram.thawed();
        for (id, f) in clauses {
            n_clauses += 1;
            for side in [true, false] {
                let g = if side { f } else { diagram.not(f) };
                for _ in 0..EACH_WAY {
                    let Some(cells) = state((&unit, &diagram), g, &mut draw) else {
                        one_sided.push(format!("{id} is {}", if side { "never" } else { "always" }));
                        break;
                    };
                    n_states += 1;
                    let mut facts = spoken(&unit, &lexicon, &cells, &mut draw);
                    facts.extend(readings(&unit, &cells));
                    reference.put(&facts);
                    let refuses = reference.layer_refuses(&layer.id);
                    if refuses != unit.diagram.value(law.refuses, &cells) {
                        let said: Vec<String> = unit.axes.list.iter().filter_map(|a| a.slot()).map(|slot| format!("{slot}={:?}", facts.get(slot))).collect();
                        return Err(format!("{id}: read aloud `{}` refuses: {refuses}, walked: {}; {}", layer.id, !refuses, said.join(" ")));
                    }
                }
            }
        }
    }
    println!("the real rulebook: {n_clauses} clauses and layers, {n_states} states, {EACH_WAY} on each side of each, in {:?}", begun.elapsed());
    println!("  {} sides have no state: {}", one_sided.len(), one_sided.iter().take(12).cloned().collect::<Vec<_>>().join("; "));
    Ok(())
}

/// A random state within the constraint in which a function holds.
fn state((unit, diagram): (&Unit, &Diagram), f: NodeId, draw: &mut crate::generate::Draw) -> Option<Vec<usize>> {
    // Some cells are fixed at random first, so that states differ; where they leave nothing, fewer are.
    let everything: Vec<Cells> = unit.axes.list.iter().map(|a| Cells::first(a.width())).collect();
    for percent in [70, 35, 10, 0] {
        let mut allowed = everything.clone();
        for c in &mut allowed {
            if draw.percent(percent) {
                *c = Cells::one(draw.below(c.len()));
            }
        }
        if let Some(path) = diagram.witness(f, unit.constraint, &allowed) {
            return Some(path.iter().zip(&allowed).map(|(p, a)| p.or(a.lowest()).unwrap_or(0)).collect());
        }
    }
    None
}

/// The readings of a state, and each gap against us as the state has it.
fn readings(unit: &Unit, cells: &[usize]) -> BTreeMap<String, Value> {
    use decide::axis::Asked;
    unit.axes.list.iter().zip(cells).filter_map(|(a, c)| match &a.of {
        Asked::Reading(id) => Some((format!("reading {id}"), Value::Bit(*c == 0))),
        Asked::Gap(layer, name) => Some((format!("gap {layer} {name}"), Value::Bit(*c == 1))),
        Asked::Slot(_) => None,
    }).collect()
}

fn spoken(unit: &Unit, lexicon: &Lexicon, cells: &[usize], draw: &mut crate::generate::Draw) -> BTreeMap<String, Value> {
    let mut out: BTreeMap<String, Value> = BTreeMap::new();
    for slot in lexicon.slots() {
        let first = slot.values.words.first().cloned().unwrap_or_default();
        out.insert(slot.name.clone(), match slot.shape {
            Shape::Choice => Value::Word(first),
            Shape::Set => Value::Set(BTreeSet::new()),
            Shape::Count => Value::From(0),
            Shape::Day => Value::From(i64::MIN),
        });
    }
    for (axis, cell) in unit.axes.list.iter().zip(cells) {
        let Axis { cut, .. } = axis;
        let Some(slot) = axis.slot().and_then(|s| lexicon.slot(s)) else { continue };
        let one = |c: &Cells, draw: &mut crate::generate::Draw| c.iter().nth(draw.below(c.len())).and_then(|i| slot.values.words.get(i)).cloned().unwrap_or_default();
        match (cut, out.get_mut(&slot.name)) {
            (Cut::Choice { classes, .. }, Some(v)) => *v = Value::Word(one(&classes[*cell], draw)),
            (Cut::Member(m), Some(Value::Set(ws))) if *cell == 1 => drop(ws.insert(one(m, draw))),
            (Cut::Number(cuts), Some(v)) => *v = Value::From(cell.checked_sub(1).map_or(cuts[0].saturating_sub(1), |i| cuts[i])),
            _ => {}
        }
    }
    out
}
