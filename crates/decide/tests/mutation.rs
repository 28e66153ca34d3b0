//! A test of the tests: any child of any node turned to another answer is noticed by the reference, unless no state that
//! can be comes that way.

#[path = "reference/evaluator.rs"]
mod evaluator;
#[path = "reference/generate.rs"]
mod generate;

use decide::{
    axis::{Asked, Cut},
    cells::Cells,
    diagram::{Diagram, FALSE, NodeId, TRUE},
    gather::Day,
    lexicon::Lexicon,
    unit::Unit,
};
use evaluator::{Reference, Value};
use generate::Draw;

/// The cell of each axis of a unit in a state of the reference.
fn cells(unit: &Unit, lexicon: &Lexicon, reference: &Reference, s: &evaluator::State) -> Vec<usize> {
    let cell = |axis: &decide::axis::Axis| {
        let name = match &axis.of {
            Asked::Slot(slot) => slot.clone(),
            Asked::Reading(id) => format!("reading {id}"),
            Asked::Gap(layer, name) => format!("gap {layer} {name}"),
        };
        let index = |w: &str| axis.slot().and_then(|s| lexicon.slot(s)).and_then(|s| s.values.index(w)).unwrap();
        match (&axis.cut, reference.value(s, &name)) {
            (Cut::Choice { class_of, .. }, Value::Word(w)) => usize::from(class_of[index(w)]),
            (Cut::Member(m), Value::Set(ws)) => usize::from(ws.iter().any(|w| m.has(index(w)))),
            (Cut::Number(cuts), Value::From(n)) => cuts.iter().filter(|c| *c <= n).count(),
            // A reading's first cell is a; a gap's first is harmless.
            (Cut::Open, Value::Bit(b)) => usize::from(if matches!(axis.of, Asked::Gap(..)) { *b } else { !*b }),
            (cut, value) => panic!("{cut:?} of {value:?}"),
        }
    };
    unit.axes.list.iter().map(cell).collect()
}

#[test]
fn any_turned_bit_is_noticed() {
    let (mut n_turned, mut n_idle, mut n_units) = (0, 0, 0);
    for n in 0..160 {
        let mut draw = Draw(31_337 + n * 7_927);
        let text = generate::text(&mut draw);
        let (book, as_of) = (text.parse(), generate::as_of(&mut draw));
        if Reference::sized(&book, as_of).is_none_or(|n| n > 3_000) {
            continue;
        }
        let reference = Reference::new(&book, as_of);
        let states = reference.states(&reference.variables.iter().map(|v| (0..v.domain.len()).collect()).collect::<Vec<_>>());
        let lexicon = Lexicon::of(&book.vocabulary).unwrap();
        let day = Day::of(&book, as_of);
        for layer in &day.layers {
            let unit = Unit::compile(&day, &day.law(layer), &lexicon).unwrap();
            let refuses = unit.laws[0].refuses;
            let position = book.layers.keys().position(|id| *id == layer.id).unwrap();
            let rows: Vec<(Vec<usize>, bool)> =
                states.iter().map(|s| (cells(&unit, &lexicon, &reference, s), reference.refusals(s).nth(position).unwrap())).collect();
            assert!(rows.iter().all(|(c, r)| unit.diagram.value(refuses, c) == *r), "{}", text.law());
            n_units += 1;
            for node in unit.diagram.reachable(refuses) {
                for (cell, child) in unit.diagram.children_of(node).to_vec().into_iter().enumerate() {
                    let turned: NodeId = if child == FALSE { TRUE } else { FALSE };
                    let wrong = unit.diagram.with_child(node, cell, turned);
                    if rows.iter().any(|(c, r)| wrong.value(refuses, c) != *r) {
                        n_turned += 1;
                    } else {
                        assert!(!differ(&unit, &wrong, refuses), "a turned bit was not noticed\n{}", text.law());
                        n_idle += 1;
                    }
                }
            }
        }
    }
    println!("{n_turned} turned bits noticed in {n_units} layers; {n_idle} lie where no state comes");
    assert!(n_turned > 500);
}

/// Whether two functions over one unit's axes differ in some state that can be.
fn differ(unit: &Unit, wrong: &Diagram, f: NodeId) -> bool {
    let everything: Vec<Cells> = unit.axes.list.iter().map(|a| Cells::first(a.width())).collect();
    let mut d = unit.axes.diagram();
    let (right, turned) = (d.import(&unit.diagram, f, &everything), d.import(wrong, f, &everything));
    let can_be = d.import(&unit.diagram, unit.constraint, &everything);
    let (not_right, not_turned) = (d.not(right), d.not(turned));
    let (x, y) = (d.and(right, not_turned), d.and(turned, not_right));
    let either = d.or(x, y);
    d.and(either, can_be) != FALSE
}
