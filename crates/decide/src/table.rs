//! A rulebook compiled for one day: a unit for each layer, shared with every day on which it reads the same, and what
//! joins them: the places of facts, the measures on offer, and which layers may concern a crossing at all. The functions of a
//! layer are made when it is first asked about.

use crate::{
    axis::{Axes, Axis, Cut},
    cells::Cells,
    diagram::{Allowed, FALSE, Forced, NodeId, TRUE, Wish},
    filter::{Condition, Filter},
    gather::{Day, Law},
    given::Given,
    hash::QuickMap,
    lexicon::{Lexicon, Packed, Shape},
    linked::Linked,
    unit::{Functions, Outline, Unit},
};
pub use crate::lexicon::TooManyCells;
use model::{AsOf, Digest};
use rulebook::{
    book::Rulebook,
    expr::{Atom, Expr, Test},
    law::{Effect, MeasureOffer},
    vocabulary::FactKind,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

/// Everything that answers are read from, for one as-of.
#[derive(Clone, Debug)]
pub struct Table {
    /// The day it was compiled for.
    pub as_of: AsOf,
    /// The numbers of words.
    pub lexicon: Arc<Lexicon>,
    /// Layers in force, in id order.
    pub layers: Vec<LayerTable>,
    /// What stands outside layers: constraints, cover, and the preconditions of measures.
    pub beside: Linked,
    /// Measures that are offered that day.
    pub measures: Vec<MeasureTable>,
    filter: Filter,
    offers: Filter,
}

/// One layer.
#[derive(Clone, Debug)]
pub struct LayerTable {
    /// Its id.
    pub id: String,
    outline: Arc<Outline>,
    /// Its compiled law, once it was asked for.
    linked: OnceLock<Linked>,
    source: Arc<Source>,
    /// Effects of measures on its axes: measure, axis, cell; in the order of measures.
    effects: Vec<(usize, usize, usize)>,
    /// By clause, the rank of a route in the law's own order; made when first asked for.
    ranks: OnceLock<Vec<u32>>,
}

/// Where the law of layers is read when it is first asked for.
#[derive(Debug)]
struct Source {
    book: Arc<Rulebook>,
    as_of: AsOf,
    given: Given,
    lexicon: Arc<Lexicon>,
}

/// One measure.
#[derive(Clone, Debug)]
pub struct MeasureTable {
    /// Index in the rulebook.
    pub measure: usize,
    /// The facts that it makes true.
    pub does: Vec<Effect>,
    /// Its precondition, in [`Table::beside`].
    pub when: NodeId,
    /// Determinations that it makes: axis of [`Table::beside`], and the cells in which it is not made yet, or passed.
    pub determinations: Vec<(usize, Cells)>,
}

/// Units looked at so far, by fingerprint.
#[derive(Clone, Debug, Default)]
pub struct Units(HashMap<Digest, Arc<Outline>>);

// LIMIT: units kept although no table uses them.
const UNITS_MAX: usize = 4_096;

impl Units {
    fn get(&mut self, key: Digest, look: impl FnOnce() -> Result<Outline, TooManyCells>) -> Result<Arc<Outline>, TooManyCells> {
        if let Some(outline) = self.0.get(&key) {
            return Ok(outline.clone());
        }
        if self.0.len() >= UNITS_MAX {
            self.0.retain(|_, u| Arc::strong_count(u) > 1);
        }
        let outline = Arc::new(look()?);
        self.0.insert(key, outline.clone());
        Ok(outline)
    }

    /// Takes over those of another rulebook or day: what reads the same is made once.
    pub fn share(&mut self, others: &Self) {
        for (key, unit) in &others.0 {
            self.0.entry(*key).or_insert_with(|| unit.clone());
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was made.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes in their diagrams, for reports.
    pub fn bytes(&self) -> usize {
        let made = |o: &Outline| o.made().map_or(0, |u| u.bytes());
        self.0.values().map(|o| o.diagram.bytes() + made(o)).sum()
    }
}

impl Source {
    fn linked(&self, outline: &Outline, layer: &str) -> Linked {
        let day = Day::of_layer(&self.book, self.as_of, layer);
        // INVARIANT: the layer counts on that day, for the outline was made of it. Should it not, nothing is known of its law, and it
        // refuses all.
        let unit = match day.layers.iter().find(|l| l.id == layer) {
            Some(l) => outline.unit(&self.given, &day, &day.law(l), &self.lexicon).clone(),
            None => Arc::new(Unit::shut(outline.axes.clone())),
        };
        Linked::of(unit, &self.lexicon)
    }
}

impl LayerTable {
    /// Its compiled law, made when first asked for.
    pub fn linked(&self) -> &Linked {
        self.linked.get_or_init(|| match self.outline.made() {
            Some(unit) => Linked::of(unit.clone(), &self.source.lexicon),
            None => self.source.linked(&self.outline, &self.id),
        })
    }

    /// The axes of its law, whether or not the law was made.
    pub fn axes(&self) -> &Axes {
        &self.outline.axes
    }

    /// Its law as functions.
    pub fn law(&self) -> &Functions {
        // INVARIANT: a layer's unit is compiled from exactly one law. Should it hold none, it refuses all.
        static SHUT: OnceLock<Functions> = OnceLock::new();
        self.linked().unit.laws.first().unwrap_or_else(|| SHUT.get_or_init(Functions::shut))
    }

    /// The cells that a set of measures fixes. Where two fix one axis, the one listed first in the rulebook stands.
    pub fn forced(&self, set: impl Fn(usize) -> bool) -> Forced {
        let mut out = Forced::NONE;
        self.force(set, &mut out);
        out
    }

    /// The same, into room that is there.
    pub fn force(&self, set: impl Fn(usize) -> bool, out: &mut Forced) {
        for (_, axis, cell) in self.effects.iter().filter(|(m, _, _)| set(*m)) {
            out.fix(*axis, *cell);
        }
    }

    /// The measures that work on its axes, with the axis and the cell.
    pub fn effects(&self) -> &[(usize, usize, usize)] {
        &self.effects
    }

    /// The rank of a route in the law's own order, by its clause.
    pub fn rank(&self, clause: usize) -> u32 {
        let made = || {
            let mut ranks: QuickMap<&str, u32> = QuickMap::default();
            for r in &self.source.book.routes {
                ranks.entry(&r.head.id).or_insert(r.rank);
            }
            self.law().clauses.iter().map(|id| ranks.get(id.as_str()).copied().unwrap_or(0)).collect()
        };
        self.ranks.get_or_init(made).get(clause).copied().unwrap_or(0)
    }

    /// The id of a clause.
    pub fn clause(&self, clause: usize) -> &str {
        self.law().clauses.get(clause).map_or("", String::as_str)
    }
}

impl Table {
    /// Compiles the rulebook for a day, with nothing made before.
    pub fn compile(book: &Arc<Rulebook>, as_of: AsOf) -> Result<Self, TooManyCells> {
        let lexicon = Arc::new(Lexicon::of(&book.vocabulary)?);
        Self::compile_with(book, as_of, lexicon, &mut Units::default())
    }

    /// Compiles what is not among the units yet, and links the rest.
    pub fn compile_with(book: &Arc<Rulebook>, as_of: AsOf, lexicon: Arc<Lexicon>, units: &mut Units) -> Result<Self, TooManyCells> {
        Self::compile_for(&Given::NOTHING, book, as_of, lexicon, units)
    }

    /// The same for what a question says: it answers that question, and those that say more. Units made for one question are
    /// no other's.
    pub fn compile_for(given: &Given, book: &Arc<Rulebook>, as_of: AsOf, lexicon: Arc<Lexicon>, units: &mut Units) -> Result<Self, TooManyCells> {
        let day = Day::of(book, as_of);
        let source = Arc::new(Source { book: book.clone(), as_of, given: given.clone(), lexicon: lexicon.clone() });
        let mut layers = Vec::with_capacity(day.layers.len());
        for layer in day.layers.iter().filter(|l| given.truth(&l.applies, &day, &lexicon) != Some(false)) {
            let law = day.law(layer);
            let outline = units.get(day.fingerprint(&law, &lexicon), || Outline::of(given, &day, &law, &lexicon))?;
            layers.push(LayerTable { id: layer.id.clone(), outline, linked: OnceLock::new(), source: source.clone(), effects: Vec::new(), ranks: OnceLock::new() });
        }
        let offered: Vec<(usize, &MeasureOffer)> = book.measures.iter().enumerate().filter(|(_, m)| m.head.counts(as_of)).collect();
        let mut does: QuickMap<&str, Vec<(usize, usize, &Effect)>> = QuickMap::default();
        for (n, (_, m)) in offered.iter().enumerate() {
            m.does.iter().enumerate().for_each(|(i, e)| does.entry(&e.slot).or_default().push((n, i, e)));
        }
        let mut touching = vec![false; offered.len()];
        for layer in &mut layers {
            let axes = &layer.outline.axes;
            let worked_upon = axes.by_slot().filter_map(|(slot, _)| does.get(slot)).flatten();
            let mut found: Vec<(usize, usize, usize, usize)> = worked_upon.flat_map(|(n, i, e)| effects(axes, &lexicon, e).into_iter().map(|(a, c)| (*n, *i, a, c))).collect();
            // In the order of measures, and of what each does.
            found.sort_unstable();
            found.iter().for_each(|(n, ..)| touching.iter_mut().skip(*n).take(1).for_each(|t| *t = true));
            layer.effects = found.into_iter().map(|(n, _, a, c)| (n, a, c)).collect();
        }
        let beside_exprs = beside(&day, &offered, &lexicon);
        let law = day.beside(beside_exprs.iter().collect());
        let outline = units.get(day.fingerprint(&law, &lexicon), || Outline::of(given, &day, &law, &lexicon))?;
        let beside = Linked::of(outline.unit(given, &day, &law, &lexicon).clone(), &lexicon);
        let also = beside.unit.laws.first().map(|l| l.also.clone()).unwrap_or_default();
        let measures: Vec<MeasureTable> = offered.iter().zip(touching).enumerate().map(|(n, ((index, m), touches))| MeasureTable {
            measure: *index,
            does: m.does.clone(),
            // What no rule asks about opens nothing, nor does what has no condition; the number stays, so that effects point to it.
            when: if touches { also.get(n + 1).copied().unwrap_or(FALSE) } else { FALSE },
            determinations: m.does.iter().flat_map(|e| determinations(&beside.unit.axes, &lexicon, e)).collect(),
        }).collect();
        let law: Vec<Condition<'_>> = layers.iter().map(|l| Condition { axes: &l.outline.axes, diagram: &l.outline.diagram, f: l.outline.applies }).collect();
        let filter = Filter::of(&law, &lexicon);
        let whens: Vec<Condition<'_>> = measures.iter().map(|m| Condition { axes: &beside.unit.axes, diagram: &beside.unit.diagram, f: m.when }).collect();
        let offers = Filter::of(&whens, &lexicon);
        Ok(Self { as_of, lexicon, layers, beside, measures, filter, offers })
    }

    /// A unit over this table's facts.
    pub fn linked(&self, unit: Arc<Unit>) -> Linked {
        Linked::of(unit, &self.lexicon)
    }

    /// The cells that a set of measures fixes on the axes of any unit of the day.
    pub fn effects_on(&self, unit: &Unit, set: impl Fn(usize) -> bool) -> Forced {
        let mut out = Forced::NONE;
        for (_, m) in self.measures.iter().enumerate().filter(|(i, _)| set(*i)) {
            m.does.iter().flat_map(|e| effects(&unit.axes, &self.lexicon, e)).for_each(|(a, c)| out.fix(a, c));
        }
        out
    }

    /// The exporters whose own law no layer answers for.
    pub fn uncovered(&self) -> NodeId {
        self.beside.unit.laws.first().and_then(|l| l.also.first()).copied().unwrap_or(TRUE)
    }

    /// The layers that may apply, whatever else turns out.
    pub fn live(&self, packed: &Packed) -> impl Iterator<Item = usize> {
        self.filter.passing(packed)
    }

    /// The measures whose precondition may hold, whatever else turns out.
    pub fn offered(&self, packed: &Packed) -> impl Iterator<Item = usize> {
        self.offers.passing(packed)
    }

    /// Whether a measure may be offered at all.
    pub fn may_offer(&self, measure: usize, packed: &Packed) -> bool {
        self.offers.lets(measure, packed)
    }

    /// Makes the functions of every layer, and which clause speaks, for whoever would rather wait now.
    pub fn make(&self) {
        for layer in &self.layers {
            let _class = layer.law().class(&layer.linked().unit.diagram);
        }
    }

    /// Nodes and axes of all layers that were asked about so far, for reports.
    pub fn size(&self) -> (usize, usize) {
        let made = self.layers.iter().filter_map(|l| l.linked.get());
        made.map(|l| (l.unit.diagram.len(), l.unit.axes.list.len())).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    }

    /// What routes carry to later hops: the route's id, the layer, the function that refuses.
    pub fn carries(&self) -> BTreeMap<&str, (usize, NodeId)> {
        let mut out = BTreeMap::new();
        for (i, layer) in self.layers.iter().enumerate().filter(|(_, l)| l.outline.carries) {
            for r in layer.law().gates.iter().flat_map(|g| &g.routes) {
                out.extend(r.carried.map(|f| (layer.clause(r.clause), (i, f))));
            }
        }
        out
    }
}

/// Cover first (turned round), then each measure's precondition; then a test of each determination that a measure makes, so
/// that its results are told apart.
fn beside(day: &Day<'_>, offered: &[(usize, &MeasureOffer)], lexicon: &Lexicon) -> Vec<Expr> {
    let covers: Vec<Expr> = day.layers.iter().filter_map(|l| l.covers.clone()).collect();
    let mut out = vec![Expr::Not(Box::new(Expr::Or(covers)))];
    out.extend(offered.iter().map(|(_, m)| m.when.clone().unwrap_or(Expr::Const(true))));
    let made = offered.iter().flat_map(|(_, m)| &m.does).filter(|e| lexicon.slot(&e.slot).is_some_and(|s| s.kind == FactKind::Determination));
    out.extend(made.map(|e| Expr::Atom(Atom { fact: e.slot.clone(), test: Test::In(vec![e.value.clone()]), span: rulebook::diagnostic::Span::default() })));
    out
}

fn effects(axes: &Axes, lexicon: &Lexicon, effect: &Effect) -> Vec<(usize, usize)> {
    let value = lexicon.slot(&effect.slot).and_then(|s| s.values.index(&effect.value));
    let Some(value) = value else { return Vec::new() };
    let cell = |axis: &Axis| match &axis.cut {
        Cut::Member(members) if members.has(value) => Some(1),
        Cut::Choice { class_of, .. } => class_of.get(value).map(|c| usize::from(*c)),
        _ => None,
    };
    axes.of_slot(&effect.slot).iter().filter_map(|a| axes.list.get(*a).and_then(cell).map(|c| (*a, c))).collect()
}

fn determinations(axes: &Axes, lexicon: &Lexicon, effect: &Effect) -> Vec<(usize, Cells)> {
    let slot = lexicon.slot(&effect.slot).filter(|s| s.shape == Shape::Choice);
    let (Some(slot), true) = (slot, effect.value.starts_with("passes")) else { return Vec::new() };
    let value = slot.values.index(&effect.value);
    let failed = slot.values.index("fails");
    let fine = |classes: &[Cells]| {
        let not_failed = |c: &Cells| !failed.is_some_and(|f| c.has(f)) || value.is_some_and(|v| c.has(v));
        classes.iter().enumerate().filter(|(_, c)| not_failed(c)).map(|(i, _)| i).collect::<Cells>()
    };
    axes.of_slot(&effect.slot).iter().filter_map(|a| axes.list.get(*a).map(|x| (*a, x))).filter_map(|(a, x)| match &x.cut {
        Cut::Choice { classes, .. } => Some((a, fine(classes))),
        _ => None,
    }).collect()
}

/// Which measures might turn a state that is lawful under a law unlawful, whether or not they are ever offered there: never
/// too few. Measures that do the same to what the law asks are looked at once.
pub fn may_turn(unit: &Unit, law: &Functions, measures: &[MeasureOffer], lexicon: &Lexicon) -> Vec<usize> {
    let everything = unit.diagram.everything();
    let mut known: HashMap<(Forced, Allowed), bool> = HashMap::new();
    let mut turns = |m: &MeasureOffer| {
        let (forced, allowed) = done_by(unit, m, &everything, lexicon);
        if forced.is_empty() {
            return false;
        }
        *known.entry((forced, allowed)).or_insert_with_key(|(forced, allowed)| unit.diagram.meets([Wish::no(law.refuses), Wish::yes(law.refuses).after(forced)], allowed))
    };
    measures.iter().enumerate().filter(|(_, m)| turns(m)).map(|(i, _)| i).collect()
}

/// The cells that a measure fixes, and those that a state may have where it is offered: a determination that has failed is
/// not made good by making it again.
fn done_by(unit: &Unit, m: &MeasureOffer, everything: &[Cells], lexicon: &Lexicon) -> (Forced, Allowed) {
    let (mut forced, mut allowed) = (Forced::NONE, everything.to_vec());
    m.does.iter().flat_map(|e| effects(&unit.axes, lexicon, e)).for_each(|(a, c)| forced.fix(a, c));
    for (axis, fine) in m.does.iter().flat_map(|e| determinations(&unit.axes, lexicon, e)) {
        allowed.iter_mut().skip(axis).take(1).for_each(|c| *c = c.and(&fine));
    }
    (forced, allowed)
}

/// Which measures can turn a state that is lawful under a law unlawful: they are double-edged.
pub fn double_edged_under<'a>(day: &Day<'a>, law: &Law<'a>, measures: &[(usize, &'a MeasureOffer)], lexicon: &Lexicon) -> Result<Vec<usize>, TooManyCells> {
    let yes = Expr::Const(true);
    let mut law = law.clone();
    law.also = measures.iter().map(|(_, m)| m.when.as_ref().unwrap_or(&yes)).collect();
    let unit = Unit::compile(day, &law, lexicon)?;
    let mut diagram = unit.diagram.thawed();
    let Some(functions) = unit.laws.first() else { return Ok(Vec::new()) };
    let lawful = diagram.not(functions.refuses);
    let mut out = Vec::new();
    for ((index, m), when) in measures.iter().zip(&functions.also) {
        let mut forced = Forced::NONE;
        m.does.iter().flat_map(|e| effects(&unit.axes, lexicon, e)).for_each(|(a, c)| forced.fix(a, c));
        let after = diagram.fix(functions.refuses, &forced);
        let turned = diagram.all([lawful, after, *when, unit.constraint]);
        // A determination that has failed is not made good by making it again: that state is never offered.
        let possible = m.does.iter().flat_map(|e| determinations(&unit.axes, lexicon, e)).fold(turned, |f, (axis, fine)| {
            let open = diagram.literal(axis, fine);
            diagram.and(f, open)
        });
        if possible != FALSE {
            out.push(*index);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
