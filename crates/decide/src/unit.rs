//! A layer's law of a day, compiled: the exact function that refuses, each clause as a function, over axes of its own.
//!
//! A unit depends on nothing but what its fingerprint covers. So it is made once and shared by every day, and by every
//! version of the rulebook, in which that layer reads the same: countries do not pay for each other.

use crate::{
    axis::{self, Asked, Axes, Plain, Survey},
    cells::Cells,
    diagram::{Diagram, FALSE, NodeId, TRUE},
    gather::{Day, Law, last_day_passed},
    lexicon::{Lexicon, Shape, TooManyCells},
};
use rulebook::{
    expr::{Atom, Expr, Test},
    law::{Entry, IfBreached, Obligation},
};
use std::collections::HashMap;

/// Compiled law over its own axes.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The axes.
    pub axes: Axes,
    /// The functions of all that was compiled together.
    pub diagram: Diagram,
    /// The states that can be, as far as they touch these axes.
    pub constraint: NodeId,
    /// Its negation.
    pub impossible: NodeId,
    /// The law, or the two versions of it that are compared.
    pub laws: Vec<Functions>,
}

/// One law as functions. Clauses are numbered in [`Functions::clauses`].
#[derive(Clone, Debug)]
pub struct Functions {
    /// Ids of its clauses; a gap's is the layer's id.
    pub clauses: Vec<String>,
    /// When it applies (with what replaces it taken away).
    pub applies: NodeId,
    /// When it applies and reaches the act.
    pub reaches: NodeId,
    /// When it reaches the act, or may by a rule that we do not hold.
    pub touched: NodeId,
    /// When it refuses.
    pub refuses: NodeId,
    /// Scope blocks.
    pub scopes: Vec<(usize, NodeId)>,
    /// Out blocks, where it applies.
    pub outs: Vec<(usize, NodeId)>,
    /// Bars, within reach.
    pub bars: Vec<(usize, NodeId)>,
    /// Gates.
    pub gates: Vec<GateFunctions>,
    /// Obligations: when within reach; late within reach; whether lateness alone refuses.
    pub obligations: Vec<(usize, NodeId, NodeId, bool)>,
    /// Gaps: number within the layer, when it may matter.
    pub gaps: Vec<(usize, NodeId)>,
    /// What each clause came to in one state, as one walk: a leaf of [`Functions::leaves`].
    pub class: NodeId,
    /// What the leaves of `class` mean.
    pub leaves: Vec<Leaf>,
    /// The conditions of scopes and routes, and of every other clause that asks a list, part by part, by clause.
    pub conditions: HashMap<usize, Condition>,
    /// The conditions beside.
    pub also: Vec<NodeId>,
}

/// One gate with its routes.
#[derive(Clone, Debug)]
pub struct GateFunctions {
    /// The gate.
    pub clause: usize,
    /// When, within reach.
    pub when: NodeId,
    /// Its routes in the law's own order.
    pub routes: Vec<RouteFunctions>,
}

/// One route.
#[derive(Clone, Debug)]
pub struct RouteFunctions {
    /// The route.
    pub clause: usize,
    /// Its need, and none of its duties late.
    pub need: NodeId,
    /// What it refuses on later hops.
    pub carried: Option<NodeId>,
}

/// How one state stands in one law.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Leaf {
    /// The law does not reach it; the clause that says so, if it applies at all.
    Outside(Option<usize>),
    /// Reached and not refused; the route, or the scope where nothing stands in the way.
    Open(Option<usize>),
    /// Refused; by this clause.
    Refused(Option<usize>),
}

/// A condition with the functions of its parts, in the shape of its expression.
#[derive(Clone, Debug)]
pub struct Condition {
    /// When it holds.
    pub holds: NodeId,
    /// Its parts.
    pub parts: Vec<Condition>,
}

impl Unit {
    /// Compiles one law.
    pub fn compile(day: &Day<'_>, law: &Law<'_>, lexicon: &Lexicon) -> Result<Self, TooManyCells> {
        Self::together(&[(day, law)], lexicon)
    }

    /// Compiles several laws over the same axes, so that they can be compared.
    pub fn together(laws: &[(&Day<'_>, &Law<'_>)], lexicon: &Lexicon) -> Result<Self, TooManyCells> {
        let mut survey = Survey::new(lexicon);
        for (day, law) in laws {
            let surveyor = Surveyor { day, lexicon };
            law.exprs(day.as_of.on).iter().for_each(|e| surveyor.expr(e, &mut survey));
        }
        for (day, law) in laws {
            let surveyor = Surveyor { day, lexicon };
            law.constraints.iter().for_each(|c| surveyor.expr(&c.never, &mut survey));
            if let Some(layer) = law.layer {
                layer.gaps.iter().for_each(|g| survey.note_named(Asked::Gap(layer.id.clone(), g.name.clone())));
            }
        }
        let axes = survey.cut()?;
        let diagram = axes.diagram();
        let mut unit = Self { axes, diagram, constraint: TRUE, impossible: FALSE, laws: Vec::new() };
        for (day, law) in laws {
            let mut c = Compiler { day, law, lexicon, axes: &unit.axes, diagram: &mut unit.diagram };
            let never: Vec<NodeId> = law.constraints.iter().map(|x| c.expr(&x.never)).collect();
            let some = c.diagram.any(never);
            let functions = c.functions();
            let fine = unit.diagram.not(some);
            unit.constraint = unit.diagram.and(unit.constraint, fine);
            unit.laws.push(functions);
        }
        for f in unit.functions() {
            unit.diagram.not(f);
        }
        unit.impossible = unit.diagram.not(unit.constraint);
        unit.compact();
        Ok(unit)
    }

    /// Drops the nodes that only building needed.
    fn compact(&mut self) {
        let mut roots = self.functions();
        roots.extend(self.laws.iter().map(|l| l.class));
        roots.push(self.constraint);
        let (diagram, names) = self.diagram.kept(&roots);
        let rename = |f: &mut NodeId| *f = names.get(f).copied().unwrap_or(*f);
        rename(&mut self.constraint);
        rename(&mut self.impossible);
        self.laws.iter_mut().for_each(|l| {
            rename(&mut l.class);
            l.each(&mut |f| rename(f));
        });
        self.diagram = diagram;
    }

    /// Every function that answers ask for; the negation of each is made, so that reading a unit never writes to it.
    fn functions(&mut self) -> Vec<NodeId> {
        let mut all = Vec::new();
        self.laws.iter_mut().for_each(|l| l.each(&mut |f| all.push(*f)));
        all
    }
}

struct Surveyor<'a> {
    day: &'a Day<'a>,
    lexicon: &'a Lexicon,
}

impl Surveyor<'_> {
    fn expr(&self, e: &Expr, survey: &mut Survey<'_>) {
        for atom in axis::atoms(e) {
            match &atom.test {
                Test::Reading(_) => survey.note_named(Asked::Reading(atom.fact.clone())),
                Test::OnList(list) => {
                    for entry in self.day.entries(list) {
                        if let Some(p) = on_entry(self.lexicon, atom, entry) {
                            survey.note(&atom.fact, &p);
                        }
                        entry.when.iter().for_each(|w| self.expr(w, survey));
                    }
                }
                test => {
                    if let Some(slot) = self.lexicon.slot(&atom.fact) {
                        axis::plain(slot, test).iter().for_each(|p| survey.note(&atom.fact, p));
                    }
                }
            }
        }
    }
}

fn on_entry(lexicon: &Lexicon, atom: &Atom, entry: &Entry) -> Option<Plain> {
    let slot = lexicon.slot(&atom.fact)?;
    let places = slot.values.meant(std::slice::from_ref(&entry.key));
    Some(if slot.shape == Shape::Choice { Plain::In(places) } else { Plain::HasAny(places) })
}

struct Compiler<'a, 'd> {
    day: &'a Day<'a>,
    law: &'a Law<'a>,
    lexicon: &'a Lexicon,
    axes: &'a Axes,
    diagram: &'d mut Diagram,
}

impl Compiler<'_, '_> {
    fn expr(&mut self, e: &Expr) -> NodeId {
        self.condition(e).holds
    }

    fn condition(&mut self, e: &Expr) -> Condition {
        let (holds, parts) = match e {
            Expr::Const(b) => (if *b { TRUE } else { FALSE }, Vec::new()),
            Expr::Not(e) => {
                let inner = self.condition(e);
                (self.diagram.not(inner.holds), vec![inner])
            }
            Expr::And(es) => {
                let parts: Vec<Condition> = es.iter().map(|e| self.condition(e)).collect();
                (self.diagram.all(parts.iter().map(|p| p.holds)), parts)
            }
            Expr::Or(es) => {
                let parts: Vec<Condition> = es.iter().map(|e| self.condition(e)).collect();
                (self.diagram.any(parts.iter().map(|p| p.holds)), parts)
            }
            Expr::Atom(a) => match &a.test {
                Test::OnList(list) => return self.on_list(a, list),
                _ => (self.atom(a), Vec::new()),
            },
        };
        Condition { holds, parts }
    }

    /// Whether a place is on a list.
    ///
    /// INVARIANT: its parts are the entries that count, in the order of the list, each with the condition of its scope as its
    /// only part; so what a unit says of an entry holds for every day on which the list reads the same.
    fn on_list(&mut self, atom: &Atom, list: &str) -> Condition {
        let day = self.day;
        // Entries with one scope are one set of places: a long list is a few tests.
        let mut groups: Vec<(Option<&Expr>, Condition, NodeId)> = Vec::new();
        let mut parts = Vec::new();
        for entry in day.entries(list) {
            let here = on_entry(self.lexicon, atom, entry).map_or(FALSE, |p| self.plain(&atom.fact, &p));
            let known = groups.iter().position(|(w, ..)| *w == entry.when.as_ref());
            let at = known.unwrap_or_else(|| {
                let always = Condition { holds: TRUE, parts: Vec::new() };
                let scope = entry.when.as_ref().map_or(always, |w| self.condition(w));
                groups.push((entry.when.as_ref(), scope, FALSE));
                groups.len() - 1
            });
            let (mut holds, mut scopes) = (FALSE, Vec::new());
            if let Some((_, scope, places)) = groups.get_mut(at) {
                *places = self.diagram.or(*places, here);
                holds = self.diagram.and(here, scope.holds);
                scopes.push(scope.clone());
            }
            parts.push(Condition { holds, parts: scopes });
        }
        let mut holds = FALSE;
        for (_, scope, places) in &groups {
            let hit = self.diagram.and(*places, scope.holds);
            holds = self.diagram.or(holds, hit);
        }
        Condition { holds, parts }
    }

    /// A condition of a clause; kept with its parts where a list is asked, so that the entry can be named.
    fn noted(&mut self, clause: usize, e: &Expr, out: &mut Functions) -> NodeId {
        let condition = self.condition(e);
        let holds = condition.holds;
        if axis::atoms(e).iter().any(|a| matches!(a.test, Test::OnList(_))) {
            out.conditions.insert(clause, condition);
        }
        holds
    }

    fn atom(&mut self, a: &Atom) -> NodeId {
        match &a.test {
            Test::Reading(side) => {
                let cell = usize::from(side == "b");
                match self.axes.named(&Asked::Reading(a.fact.clone())) {
                    Some(axis) => self.diagram.literal(axis, Cells::one(cell)),
                    None => FALSE,
                }
            }
            test => {
                let Some(slot) = self.lexicon.slot(&a.fact) else { return FALSE };
                let fs: Vec<NodeId> = axis::plain(slot, test).iter().map(|p| self.plain(&a.fact, p)).collect();
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

    fn functions(&mut self) -> Functions {
        let law = self.law;
        let mut out = Functions::nothing();
        out.also = law.also.iter().map(|e| self.expr(e)).collect();
        if let Some(layer) = law.layer {
            out.applies = self.expr(&layer.applies);
            for stronger in &law.stronger {
                let theirs = self.expr(stronger);
                let yields = self.diagram.not(theirs);
                out.applies = self.diagram.and(out.applies, yields);
            }
            self.reach(&mut out);
            self.within(&mut out);
            self.gaps(layer, &mut out);
            self.class(&mut out);
        }
        out
    }

    fn reach(&mut self, out: &mut Functions) {
        for s in &self.law.scopes {
            let clause = out.add(&s.head.id);
            let condition = self.condition(&s.reaches);
            out.reaches = self.diagram.or(out.reaches, condition.holds);
            out.scopes.push((clause, condition.holds));
            out.conditions.insert(clause, condition);
        }
        out.reaches = self.diagram.and(out.reaches, out.applies);
        for o in &self.law.outs {
            let clause = out.add(&o.head.id);
            let when = self.noted(clause, &o.when, out);
            let not = self.diagram.not(when);
            out.reaches = self.diagram.and(out.reaches, not);
            out.outs.push((clause, self.diagram.and(out.applies, when)));
        }
    }

    fn within(&mut self, out: &mut Functions) {
        let reaches = out.reaches;
        for b in &self.law.bars {
            let clause = out.add(&b.head.id);
            let when = self.noted(clause, &b.when, out);
            let f = self.diagram.and(reaches, when);
            out.bars.push((clause, f));
            out.refuses = self.diagram.or(out.refuses, f);
        }
        for (g, routes) in &self.law.gates {
            let clause = out.add(&g.head.id);
            let when = self.noted(clause, &g.when, out);
            let when = self.diagram.and(reaches, when);
            let mut gate = GateFunctions { clause, when, routes: Vec::new() };
            let mut met = FALSE;
            for (r, duties) in routes {
                let clause = out.add(&r.head.id);
                let condition = self.condition(&r.need);
                let mut need = condition.holds;
                for duty in duties {
                    let (_, late) = self.late(duty, reaches);
                    let in_time = self.diagram.not(late);
                    need = self.diagram.and(need, in_time);
                }
                met = self.diagram.or(met, need);
                let carried = r.carries.as_ref().map(|e| {
                    let kept = self.expr(e);
                    self.diagram.not(kept)
                });
                gate.routes.push(RouteFunctions { clause, need, carried });
                out.conditions.insert(clause, condition);
            }
            let unmet = self.diagram.not(met);
            let shut = self.diagram.and(when, unmet);
            out.refuses = self.diagram.or(out.refuses, shut);
            out.gates.push(gate);
        }
        for o in &self.law.obligations {
            let clause = out.add(&o.head.id);
            self.noted(clause, &o.when, out);
            let (when, late) = self.late(o, reaches);
            let binds = o.if_breached != IfBreached::SideDuty && o.route.is_none();
            if binds {
                out.refuses = self.diagram.or(out.refuses, late);
            }
            out.obligations.push((clause, when, late, binds));
        }
    }

    fn late(&mut self, o: &Obligation, reaches: NodeId) -> (NodeId, NodeId) {
        let when = self.expr(&o.when);
        let when = self.diagram.and(reaches, when);
        let done = o.done.as_ref().map_or(FALSE, |d| self.expr(d));
        let open = self.diagram.not(done);
        let due = self.expr(&last_day_passed(&o.due, self.day.as_of.on));
        (when, self.diagram.all([when, open, due]))
    }

    fn gaps(&mut self, layer: &rulebook::law::Layer, out: &mut Functions) {
        out.touched = out.reaches;
        for (i, gap) in layer.gaps.iter().enumerate() {
            let when = self.expr(&gap.when);
            let when = self.diagram.and(out.applies, when);
            out.gaps.push((i, when));
            out.touched = self.diagram.or(out.touched, when);
            let refusing = self.harmful(layer, i, when);
            out.refuses = self.diagram.or(out.refuses, refusing);
        }
    }

    fn harmful(&mut self, layer: &rulebook::law::Layer, gap: usize, when: NodeId) -> NodeId {
        let axis = layer.gaps.get(gap).and_then(|g| self.axes.named(&Asked::Gap(layer.id.clone(), g.name.clone())));
        let harmful = axis.map_or(TRUE, |a| self.diagram.literal(a, Cells::one(1)));
        self.diagram.and(when, harmful)
    }

    /// One function whose leaves say how a state stands, and by which clause: the first that speaks.
    fn class(&mut self, out: &mut Functions) {
        let mut leaves: Vec<Leaf> = Vec::new();
        let mut leaf = |d: &mut Diagram, l: Leaf| {
            let n = leaves.iter().position(|x| *x == l).unwrap_or_else(|| {
                leaves.push(l);
                leaves.len() - 1
            });
            d.leaf(n)
        };
        let d = &mut *self.diagram;
        let scope = out.scopes.first().map(|(c, _)| *c);
        let mut outside = leaf(d, Leaf::Outside(scope));
        for (clause, f) in out.outs.iter().rev() {
            let this = leaf(d, Leaf::Outside(Some(*clause)));
            outside = d.choose(*f, this, outside);
        }
        let elsewhere = leaf(d, Leaf::Outside(None));
        outside = d.choose(out.applies, outside, elsewhere);
        let mut open = leaf(d, Leaf::Open(scope));
        for g in out.gates.iter().rev() {
            for r in g.routes.iter().rev() {
                let this = leaf(d, Leaf::Open(Some(r.clause)));
                let met = d.and(g.when, r.need);
                open = d.choose(met, this, open);
            }
        }
        let mut class = d.choose(out.touched, open, outside);
        if let Some(layer) = self.law.layer {
            for (i, when) in out.gaps.clone() {
                let refusing = self.harmful(layer, i, when);
                let this = leaf(self.diagram, Leaf::Refused(None));
                class = self.diagram.choose(refusing, this, class);
            }
        }
        let d = &mut *self.diagram;
        for (clause, _, late, _) in out.obligations.iter().rev().filter(|(_, _, _, binds)| *binds) {
            let this = leaf(d, Leaf::Refused(Some(*clause)));
            class = d.choose(*late, this, class);
        }
        for g in out.gates.iter().rev() {
            let met = d.any(g.routes.iter().map(|r| r.need).collect::<Vec<_>>());
            let unmet = d.not(met);
            let shut = d.and(g.when, unmet);
            let this = leaf(d, Leaf::Refused(Some(g.clause)));
            class = d.choose(shut, this, class);
        }
        for (clause, f) in out.bars.iter().rev() {
            let this = leaf(d, Leaf::Refused(Some(*clause)));
            class = d.choose(*f, this, class);
        }
        out.class = class;
        out.leaves = leaves;
    }
}

impl Functions {
    /// A law that applies to nothing.
    pub fn nothing() -> Self {
        Self {
            clauses: Vec::new(),
            applies: FALSE,
            reaches: FALSE,
            touched: FALSE,
            refuses: FALSE,
            scopes: Vec::new(),
            outs: Vec::new(),
            bars: Vec::new(),
            gates: Vec::new(),
            obligations: Vec::new(),
            gaps: Vec::new(),
            class: FALSE,
            leaves: Vec::new(),
            conditions: HashMap::new(),
            also: Vec::new(),
        }
    }

    /// Visits every function but the class.
    fn each(&mut self, visit: &mut impl FnMut(&mut NodeId)) {
        fn parts(c: &mut Condition, visit: &mut impl FnMut(&mut NodeId)) {
            visit(&mut c.holds);
            c.parts.iter_mut().for_each(|p| parts(p, visit));
        }
        [&mut self.applies, &mut self.reaches, &mut self.touched, &mut self.refuses].into_iter().for_each(&mut *visit);
        let clauses = self.scopes.iter_mut().chain(&mut self.outs).chain(&mut self.bars).chain(&mut self.gaps);
        clauses.for_each(|(_, f)| visit(f));
        for (_, when, late, _) in &mut self.obligations {
            visit(when);
            visit(late);
        }
        for g in &mut self.gates {
            visit(&mut g.when);
            for r in &mut g.routes {
                visit(&mut r.need);
                r.carried.iter_mut().for_each(&mut *visit);
            }
        }
        self.also.iter_mut().for_each(&mut *visit);
        self.conditions.values_mut().for_each(|c| parts(c, visit));
    }

    fn add(&mut self, id: &str) -> usize {
        self.clauses.push(id.to_string());
        self.clauses.len() - 1
    }

    /// What a leaf of `class` means.
    pub fn leaf(&self, diagram: &Diagram, f: NodeId) -> Option<Leaf> {
        diagram.leaf_index(f).and_then(|i| self.leaves.get(i)).copied()
    }
}
