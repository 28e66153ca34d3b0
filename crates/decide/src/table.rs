//! A rulebook compiled for one day: per layer the exact function that refuses, and each clause as a function.

use crate::{
    axis::{self, Axes, Axis, Plain, Survey, TooManyCells, atoms},
    diagram::{Cells, Diagram, FALSE, NodeId, TRUE},
};
use model::{AsOf, CivilDate};
use rulebook::{
    book::Rulebook,
    diagnostic::Span,
    expr::{Atom, Expr, Test},
    law::{Due, Entry, IfBreached, Layer},
};
use std::collections::{BTreeMap, HashMap};

/// Everything that answers are read from, for one as-of.
#[derive(Clone, Debug)]
pub struct Table {
    /// The day it was compiled for.
    pub as_of: AsOf,
    /// The axes.
    pub axes: Axes,
    /// The functions.
    pub diagram: Diagram,
    /// The states that can be.
    pub constraint: NodeId,
    /// Layers in force, in id order.
    pub layers: Vec<LayerTable>,
    /// The exporters whose own law no layer answers for.
    pub uncovered: NodeId,
    /// Measures that are offered that day.
    pub measures: Vec<MeasureTable>,
    /// What a route carries to later hops refuses, by route id.
    pub carries: BTreeMap<String, (NodeId, NodeId)>,
}

/// One layer.
#[derive(Clone, Debug)]
pub struct LayerTable {
    /// Its id.
    pub id: String,
    /// When it applies (with what replaces it taken away).
    pub applies: NodeId,
    /// When it applies and reaches the act.
    pub reaches: NodeId,
    /// When it refuses.
    pub refuses: NodeId,
    /// When it does not.
    pub lawful: NodeId,
    /// Scope blocks: index in the rulebook, function.
    pub scopes: Vec<(usize, NodeId)>,
    /// Out blocks, with `applies`.
    pub outs: Vec<(usize, NodeId)>,
    /// Bars, within reach.
    pub bars: Vec<(usize, NodeId)>,
    /// Gates.
    pub gates: Vec<GateTable>,
    /// Obligations: index, when within reach, late within reach.
    pub obligations: Vec<(usize, NodeId, NodeId)>,
    /// Gaps: index, when it may matter.
    pub gaps: Vec<(usize, NodeId)>,
}

/// One gate with its routes.
#[derive(Clone, Debug)]
pub struct GateTable {
    /// Index in the rulebook.
    pub gate: usize,
    /// When, within reach.
    pub when: NodeId,
    /// Routes: index, need with late obligations negated.
    pub routes: Vec<(usize, NodeId)>,
}

/// One measure.
#[derive(Clone, Debug)]
pub struct MeasureTable {
    /// Index in the rulebook.
    pub measure: usize,
    /// Its precondition.
    pub when: NodeId,
    /// Axes that it fixes.
    pub sets: Vec<(usize, usize)>,
    /// Axes that it fixes by a determination: the cells in which it is not made yet, or passed.
    pub determinations: Vec<(usize, Cells)>,
}

impl Table {
    /// Compiles the rulebook for a day.
    pub fn compile(book: &Rulebook, as_of: AsOf) -> Result<Self, TooManyCells> {
        let mut survey = Survey::default();
        Surveyor { book, as_of }.everything(&mut survey);
        let axes = survey.cut(&book.vocabulary)?;
        let widths = axes.list.iter().map(Axis::width).collect();
        let mut c = Compiler { book, as_of, axes, diagram: Diagram::new(widths) };
        let constraint = c.constraint();
        let (layers, uncovered) = c.layers();
        let measures = c.measures();
        let carries = c.carries();
        c.negate_all(&layers, uncovered, &measures);
        Ok(Self { as_of, axes: c.axes, diagram: c.diagram, constraint, layers, uncovered, measures, carries })
    }
}

/// Entries of a list that count on a day.
pub fn entries<'a>(book: &'a Rulebook, list: &str, as_of: AsOf) -> impl Iterator<Item = &'a Entry> {
    book.lists.get(list).into_iter().flat_map(move |l| l.entries.iter().filter(move |e| e.head.counts(as_of)))
}

/// Whether the last day of an obligation has passed, as a test of the day that it counts from.
///
/// It is a test of that fact and of nothing else, so that an unknown day is asked for, and two deadlines from one day
/// pass together.
fn last_day_passed(due: &Due, on: CivilDate) -> Expr {
    match due {
        // What is due before the act, or as long as it lasts, is late as soon as it is not done.
        Due::Before | Due::Standing => Expr::Const(true),
        Due::OnRequest => Expr::Const(false),
        // The last day itself is still in time.
        Due::DaysAfter { days, fact } => {
            let test = Test::Before(on.plus_days(days.saturating_neg()));
            Expr::Atom(Atom { fact: fact.clone(), test, span: Span::default() })
        }
    }
}

struct Surveyor<'a> {
    book: &'a Rulebook,
    as_of: AsOf,
}

impl Surveyor<'_> {
    fn everything(&self, survey: &mut Survey) {
        let book = self.book;
        for layer in book.layers.values() {
            self.expr(&layer.applies, survey);
            layer.covers.iter().for_each(|e| self.expr(e, survey));
            for gap in &layer.gaps {
                self.expr(&gap.when, survey);
                survey.note_named(Axis::Gap { layer: layer.id.clone(), name: gap.name.clone() });
            }
        }
        survey.note_named(Axis::Gap { layer: UNCOVERED.into(), name: UNCOVERED.into() });
        book.scopes.iter().filter(|b| b.head.counts(self.as_of)).for_each(|b| self.expr(&b.reaches, survey));
        book.outs.iter().filter(|b| b.head.counts(self.as_of)).for_each(|b| self.expr(&b.when, survey));
        book.bars.iter().filter(|b| b.head.counts(self.as_of)).for_each(|b| self.expr(&b.when, survey));
        book.gates.iter().filter(|b| b.head.counts(self.as_of)).for_each(|b| self.expr(&b.when, survey));
        for r in book.routes.iter().filter(|b| b.head.counts(self.as_of)) {
            self.expr(&r.need, survey);
            r.carries.iter().for_each(|e| self.expr(e, survey));
        }
        for o in book.obligations.iter().filter(|b| b.head.counts(self.as_of)) {
            self.expr(&o.when, survey);
            o.done.iter().for_each(|e| self.expr(e, survey));
            self.expr(&last_day_passed(&o.due, self.as_of.on), survey);
        }
        book.measures.iter().filter_map(|m| m.when.as_ref()).for_each(|e| self.expr(e, survey));
        book.vocabulary.constraints.iter().for_each(|c| self.expr(&c.never, survey));
    }

    fn expr(&self, e: &Expr, survey: &mut Survey) {
        for atom in atoms(e) {
            match &atom.test {
                Test::Reading(_) => survey.note_named(Axis::Reading(atom.fact.clone())),
                Test::OnList(list) => {
                    for entry in entries(self.book, list, self.as_of) {
                        survey.note(&atom.fact, &on_entry(self.book, atom, entry));
                        entry.when.iter().for_each(|w| self.expr(w, survey));
                    }
                }
                _ => axis::plain(&self.book.vocabulary, atom).iter().for_each(|p| survey.note(&atom.fact, p)),
            }
        }
    }
}

/// The name of the pseudo layer that stands for an exporter's own law that we do not hold.
pub const UNCOVERED: &str = "uncovered";

fn on_entry(book: &Rulebook, atom: &Atom, entry: &Entry) -> Plain {
    let places = axis::expand(&book.vocabulary, &atom.fact, std::slice::from_ref(&entry.key));
    let single = book.vocabulary.of_slot(&atom.fact).is_some_and(|f| f.domain == rulebook::vocabulary::Domain::Place);
    if single { Plain::In(places) } else { Plain::HasAny(places) }
}

struct Compiler<'a> {
    book: &'a Rulebook,
    as_of: AsOf,
    axes: Axes,
    diagram: Diagram,
}

impl Compiler<'_> {
    fn expr(&mut self, e: &Expr) -> NodeId {
        match e {
            Expr::Const(true) => TRUE,
            Expr::Const(false) => FALSE,
            Expr::Not(e) => {
                let f = self.expr(e);
                self.diagram.not(f)
            }
            Expr::And(es) => {
                let fs: Vec<NodeId> = es.iter().map(|e| self.expr(e)).collect();
                self.diagram.all(fs)
            }
            Expr::Or(es) => {
                let fs: Vec<NodeId> = es.iter().map(|e| self.expr(e)).collect();
                self.diagram.any(fs)
            }
            Expr::Atom(a) => self.atom(a),
        }
    }

    fn atom(&mut self, a: &Atom) -> NodeId {
        match &a.test {
            Test::Reading(side) => {
                let cell = usize::from(side == "b");
                match self.axes.named(&format!("reading {}", a.fact)) {
                    Some(axis) => self.diagram.literal(axis, Cells::one(cell)),
                    None => FALSE,
                }
            }
            Test::OnList(list) => {
                let book = self.book;
                let mut any = FALSE;
                for entry in entries(book, list, self.as_of) {
                    let here = self.plain(&a.fact, &on_entry(book, a, entry));
                    let when = entry.when.as_ref().map_or(TRUE, |w| self.expr(w));
                    let hit = self.diagram.and(here, when);
                    any = self.diagram.or(any, hit);
                }
                any
            }
            test => {
                let fs: Vec<NodeId> = axis::plain(&self.book.vocabulary, a).iter().map(|p| self.plain(&a.fact, p)).collect();
                let all = self.diagram.all(fs);
                if matches!(test, Test::HasOnly(_)) { self.diagram.not(all) } else { all }
            }
        }
    }

    fn plain(&mut self, slot: &str, plain: &Plain) -> NodeId {
        let literals = self.axes.literals(slot, plain);
        let fs: Vec<NodeId> = literals.into_iter().map(|(axis, cells)| self.diagram.literal(axis, cells)).collect();
        self.diagram.any(fs)
    }

    fn constraint(&mut self) -> NodeId {
        let book = self.book;
        let never: Vec<NodeId> = book.vocabulary.constraints.iter().map(|c| self.expr(&c.never)).collect();
        let some = self.diagram.any(never);
        self.diagram.not(some)
    }

    fn layers(&mut self) -> (Vec<LayerTable>, NodeId) {
        let book = self.book;
        // A layer counts when its own block does; an empty scope then reaches nothing.
        let layers: Vec<&Layer> = book.layers.values().filter(|l| l.head.counts(self.as_of)).collect();
        let own: HashMap<&str, NodeId> = layers.iter().map(|l| (l.id.as_str(), self.expr(&l.applies))).collect();
        let covers: Vec<NodeId> = layers.iter().filter_map(|l| l.covers.as_ref()).map(|e| self.expr(e)).collect();
        let covered = self.diagram.any(covers);
        let uncovered = self.diagram.not(covered);
        let mut out = Vec::new();
        for layer in &layers {
            let mut applies = own.get(layer.id.as_str()).copied().unwrap_or(FALSE);
            for stronger in layers.iter().filter(|s| s.replaces.as_deref() == Some(&layer.id)) {
                let theirs = own.get(stronger.id.as_str()).copied().unwrap_or(FALSE);
                let yields = self.diagram.not(theirs);
                applies = self.diagram.and(applies, yields);
            }
            out.push(self.layer(layer, applies));
        }
        (out, uncovered)
    }

    fn layer(&mut self, layer: &Layer, applies: NodeId) -> LayerTable {
        let (book, as_of) = (self.book, self.as_of);
        let mut scopes = Vec::new();
        for (i, s) in book.scopes.iter().enumerate().filter(|(_, s)| s.layer == layer.id && s.head.counts(as_of)) {
            let f = self.expr(&s.reaches);
            scopes.push((i, f));
        }
        let mut outs = Vec::new();
        let mut reaches = self.diagram.any(scopes.iter().map(|(_, f)| *f).collect::<Vec<_>>());
        reaches = self.diagram.and(reaches, applies);
        for (i, o) in book.outs.iter().enumerate().filter(|(_, o)| o.layer == layer.id && o.head.counts(as_of)) {
            let when = self.expr(&o.when);
            let not = self.diagram.not(when);
            reaches = self.diagram.and(reaches, not);
            outs.push((i, self.diagram.and(applies, when)));
        }
        let mut bars = Vec::new();
        for (i, b) in book.bars.iter().enumerate().filter(|(_, b)| b.layer == layer.id && b.head.counts(as_of)) {
            let when = self.expr(&b.when);
            bars.push((i, self.diagram.and(reaches, when)));
        }
        let obligations = self.obligations(layer, reaches);
        let gates = self.gates(layer, reaches);
        let mut gaps = Vec::new();
        let mut refuses = FALSE;
        for (i, gap) in layer.gaps.iter().enumerate() {
            let when = self.expr(&gap.when);
            let when = self.diagram.and(applies, when);
            gaps.push((i, when));
            let axis = self.axes.named(&format!("gap {} {}", layer.id, gap.name));
            let harmful = axis.map_or(TRUE, |a| self.diagram.literal(a, Cells::one(1)));
            let refusing = self.diagram.and(when, harmful);
            refuses = self.diagram.or(refuses, refusing);
        }
        for (_, f) in &bars {
            refuses = self.diagram.or(refuses, *f);
        }
        for g in &gates {
            let met = self.diagram.any(g.routes.iter().map(|(_, f)| *f).collect::<Vec<_>>());
            let unmet = self.diagram.not(met);
            let shut = self.diagram.and(g.when, unmet);
            refuses = self.diagram.or(refuses, shut);
        }
        for (i, _, late) in &obligations {
            let binding = book.obligations.get(*i).is_some_and(|o| o.if_breached != IfBreached::SideDuty && o.route.is_none());
            if binding {
                refuses = self.diagram.or(refuses, *late);
            }
        }
        let lawful = self.diagram.not(refuses);
        LayerTable { id: layer.id.clone(), applies, reaches, refuses, lawful, scopes, outs, bars, gates, obligations, gaps }
    }

    fn obligations(&mut self, layer: &Layer, reaches: NodeId) -> Vec<(usize, NodeId, NodeId)> {
        let (book, as_of) = (self.book, self.as_of);
        let mut out = Vec::new();
        for (i, o) in book.obligations.iter().enumerate().filter(|(_, o)| o.layer == layer.id && o.head.counts(as_of)) {
            let when = self.expr(&o.when);
            let when = self.diagram.and(reaches, when);
            let done = o.done.as_ref().map_or(FALSE, |d| self.expr(d));
            let open = self.diagram.not(done);
            let due = self.expr(&last_day_passed(&o.due, as_of.on));
            let late = self.diagram.all([when, open, due]);
            out.push((i, when, late));
        }
        out
    }

    fn gates(&mut self, layer: &Layer, reaches: NodeId) -> Vec<GateTable> {
        let (book, as_of) = (self.book, self.as_of);
        let mut out = Vec::new();
        for (gi, g) in book.gates.iter().enumerate().filter(|(_, g)| g.layer == layer.id && g.head.counts(as_of)) {
            let when = self.expr(&g.when);
            let when = self.diagram.and(reaches, when);
            let mut routes = Vec::new();
            for (ri, r) in book.routes.iter().enumerate().filter(|(_, r)| r.gate == g.head.id && r.head.counts(as_of)) {
                let mut need = self.expr(&r.need);
                for late in self.late_of_route(&r.head.id, reaches) {
                    let in_time = self.diagram.not(late);
                    need = self.diagram.and(need, in_time);
                }
                routes.push((ri, need));
            }
            routes.sort_by_key(|(ri, _)| book.routes.get(*ri).map(|r| (r.rank, r.head.span)));
            out.push(GateTable { gate: gi, when, routes });
        }
        out
    }

    fn late_of_route(&mut self, route: &str, reaches: NodeId) -> Vec<NodeId> {
        let (book, as_of) = (self.book, self.as_of);
        let belongs = |o: &&rulebook::law::Obligation| {
            o.route.as_deref() == Some(route) && o.head.counts(as_of) && o.if_breached != IfBreached::SideDuty
        };
        let mut out = Vec::new();
        for o in book.obligations.iter().filter(belongs) {
            let when = self.expr(&o.when);
            let when = self.diagram.and(reaches, when);
            let done = o.done.as_ref().map_or(FALSE, |d| self.expr(d));
            let open = self.diagram.not(done);
            let due = self.expr(&last_day_passed(&o.due, as_of.on));
            out.push(self.diagram.all([when, open, due]));
        }
        out
    }

    fn measures(&mut self) -> Vec<MeasureTable> {
        let (book, as_of) = (self.book, self.as_of);
        let mut out = Vec::new();
        for (i, m) in book.measures.iter().enumerate().filter(|(_, m)| m.head.counts(as_of)) {
            let when = m.when.as_ref().map_or(TRUE, |e| self.expr(e));
            let (mut sets, mut determinations) = (Vec::new(), Vec::new());
            for effect in &m.does {
                for &axis in self.axes.of_slot(&effect.slot) {
                    match self.axes.list.get(axis) {
                        Some(Axis::Member { members, .. }) if members.contains(&effect.value) => sets.push((axis, 1)),
                        Some(Axis::Choice { classes, .. }) => {
                            let Some(cell) = classes.iter().position(|c| c.contains(&effect.value)) else { continue };
                            sets.push((axis, cell));
                            if effect.value.starts_with("passes") {
                                let mut fine = Cells::default();
                                let not_failed = |c: &std::collections::BTreeSet<String>| !c.contains("fails") || c.contains(&effect.value);
                                classes.iter().enumerate().filter(|(_, c)| not_failed(c)).for_each(|(k, _)| fine.insert(k));
                                determinations.push((axis, fine));
                            }
                        }
                        _ => {}
                    }
                }
            }
            if !sets.is_empty() {
                out.push(MeasureTable { measure: i, when, sets, determinations });
            }
        }
        out
    }

    /// Makes the negation of every function that answers ask for, so that reading a table never writes to it.
    fn negate_all(&mut self, layers: &[LayerTable], uncovered: NodeId, measures: &[MeasureTable]) {
        let mut all = vec![uncovered];
        for l in layers {
            all.extend([l.applies, l.reaches, l.refuses]);
            all.extend(l.scopes.iter().chain(&l.outs).chain(&l.bars).chain(&l.gaps).map(|(_, f)| *f));
            all.extend(l.obligations.iter().flat_map(|(_, a, b)| [*a, *b]));
            all.extend(l.gates.iter().flat_map(|g| g.routes.iter().map(|(_, f)| *f).chain([g.when])));
        }
        all.extend(measures.iter().map(|m| m.when));
        for f in all {
            self.diagram.not(f);
        }
    }

    fn carries(&mut self) -> BTreeMap<String, (NodeId, NodeId)> {
        let (book, as_of) = (self.book, self.as_of);
        let mut out = BTreeMap::new();
        for r in book.routes.iter().filter(|r| r.head.counts(as_of)) {
            if let Some(carries) = &r.carries {
                let kept = self.expr(carries);
                let refused = self.diagram.not(kept);
                out.insert(r.head.id.clone(), (kept, refused));
            }
        }
        out
    }
}

/// The truth functions of one expression, for explanations: compiled on a copy, off the hot path.
pub fn compile_expr(table: &mut Table, book: &Rulebook, e: &Expr) -> (NodeId, NodeId) {
    let axes = std::mem::take(&mut table.axes);
    let diagram = std::mem::replace(&mut table.diagram, Diagram::new(Vec::new()));
    let mut c = Compiler { book, as_of: table.as_of, axes, diagram };
    let f = c.expr(e);
    let not = c.diagram.not(f);
    table.axes = c.axes;
    table.diagram = c.diagram;
    (f, not)
}

/// Which offered measures can turn a lawful state unlawful, with the layer that says so: they are double-edged.
pub fn double_edged(table: &mut Table) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    let layers: Vec<(LayerTable, Vec<usize>)> = table.layers.iter().map(|l| (l.clone(), table.diagram.support(l.refuses))).collect();
    for m in table.measures.clone() {
        let forced: HashMap<usize, usize> = m.sets.iter().copied().collect();
        let touched = |support: &[usize]| m.sets.iter().any(|(axis, _)| support.contains(axis));
        for (layer, _) in layers.iter().filter(|(_, support)| touched(support)) {
            let after = table.diagram.fix(layer.refuses, &forced);
            let turned = table.diagram.and(layer.lawful, after);
            let turned = table.diagram.and(turned, m.when);
            // A determination that has failed is not made good by making it again: that state is never offered.
            let possible = m.determinations.iter().fold(turned, |f, (axis, fine)| {
                let open = table.diagram.literal(*axis, *fine);
                table.diagram.and(f, open)
            });
            if table.diagram.and(possible, table.constraint) != FALSE {
                out.push((m.measure, layer.id.clone()));
            }
        }
    }
    out
}
