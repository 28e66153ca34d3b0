//! A layer's law of a day, compiled: the exact function that refuses, each clause as a function, over axes of its own.
//!
//! A unit depends on nothing but what its fingerprint covers. So it is made once and shared by every day, and by every
//! version of the rulebook, in which that layer reads the same: countries do not pay for each other.

pub(crate) mod class;
mod compiler;

pub use class::{Class, Leaf};

use crate::{
    axis::{Asked, Axes, Axis, Survey},
    diagram::{Diagram, FALSE, NodeId, TRUE},
    gather::{Day, Law},
    given::Given,
    lexicon::{Lexicon, TooManyCells},
    paths::Paths,
};
use compiler::{Compiler, Surveyor};
use std::{borrow::Cow, collections::HashMap, sync::{Arc, OnceLock}};

/// Compiled law over its own axes.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The axes.
    pub axes: Arc<Axes>,
    /// The functions of all that was compiled together.
    pub diagram: Diagram,
    /// The states that can be, as far as they touch these axes.
    pub constraint: NodeId,
    paths: OnceLock<Paths>,
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
    /// The axes on which that depends, ascending.
    pub asks: Vec<usize>,
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
    /// By gap: when it refuses.
    pub gapped: Vec<NodeId>,
    class: OnceLock<Class>,
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
        Self::together_for(&Given::NOTHING, laws, lexicon)
    }

    /// The same for what some questions say: over the same axes, with all that is told already taken out.
    pub fn together_for(given: &Given, laws: &[(&Day<'_>, &Law<'_>)], lexicon: &Lexicon) -> Result<Self, TooManyCells> {
        Ok(Self::over(Arc::new(surveyed(laws, lexicon)?), laws, lexicon, given))
    }

    /// A law of which nothing is known but on what it might hang: it refuses all.
    pub fn shut(axes: Arc<Axes>) -> Self {
        let diagram = axes.diagram();
        Self { axes, diagram, constraint: TRUE, paths: OnceLock::new(), laws: vec![Functions::shut()] }
    }

    /// Makes the functions over axes that are cut already.
    fn over(axes: Arc<Axes>, laws: &[(&Day<'_>, &Law<'_>)], lexicon: &Lexicon, given: &Given) -> Self {
        let diagram = axes.diagram();
        let mut unit = Self { axes, diagram, constraint: TRUE, paths: OnceLock::new(), laws: Vec::new() };
        for (day, law) in laws {
            let mut c = Compiler { day, law, lexicon, given, axes: &unit.axes, diagram: &mut unit.diagram };
            let never: Vec<NodeId> = law.constraints.iter().map(|x| c.expr(&x.never)).collect();
            let some = c.diagram.any(never);
            let functions = c.functions();
            let fine = unit.diagram.not(some);
            unit.constraint = unit.diagram.and(unit.constraint, fine);
            unit.laws.push(functions);
        }
        unit.compact();
        let diagram = &unit.diagram;
        unit.laws.iter_mut().for_each(|l| l.asks = diagram.support(l.refuses));
        unit
    }

    /// Drops the nodes that only building needed.
    fn compact(&mut self) {
        let mut roots = self.functions();
        roots.push(self.constraint);
        let (diagram, names) = self.diagram.kept(&roots);
        let rename = |f: &mut NodeId| *f = names.get(f.0 as usize).copied().unwrap_or(*f);
        rename(&mut self.constraint);
        self.laws.iter_mut().for_each(|l| l.each(&mut |f| rename(f)));
        self.diagram = diagram;
    }

    /// Every function that answers ask for.
    fn functions(&mut self) -> Vec<NodeId> {
        let mut all = Vec::new();
        self.laws.iter_mut().for_each(|l| l.each(&mut |f| all.push(*f)));
        all
    }
}

impl Unit {
    /// The same functions, laid out for walking over what is open; made when first asked for.
    pub fn paths(&self) -> &Paths {
        self.paths.get_or_init(|| {
            let widths: Vec<usize> = self.axes.list.iter().map(Axis::width).collect();
            Paths::of(&self.diagram, &widths, self.constraint)
        })
    }

    /// Bytes held, for reports.
    pub fn bytes(&self) -> usize {
        let classes = self.laws.iter().filter_map(|l| l.class.get()).map(|c| c.diagram.bytes());
        self.diagram.bytes() + self.paths.get().map_or(0, Paths::bytes) + classes.sum::<usize>()
    }

    /// The axes on which a function depends, ascending.
    pub fn support(&self, f: NodeId) -> Cow<'_, [usize]> {
        match self.laws.iter().find(|l| l.refuses == f) {
            Some(law) => Cow::Borrowed(&law.asks),
            None => Cow::Owned(self.diagram.support(f)),
        }
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
            asks: Vec::new(),
            scopes: Vec::new(),
            outs: Vec::new(),
            bars: Vec::new(),
            gates: Vec::new(),
            obligations: Vec::new(),
            gaps: Vec::new(),
            gapped: Vec::new(),
            class: OnceLock::new(),
            conditions: HashMap::new(),
            also: Vec::new(),
        }
    }

    /// A law that refuses everything, for where law ought to be and is not.
    pub fn shut() -> Self {
        Self { applies: TRUE, reaches: TRUE, touched: TRUE, refuses: TRUE, gapped: vec![TRUE], ..Self::nothing() }
    }

    /// Visits every function.
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
        self.gapped.iter_mut().chain(&mut self.also).for_each(&mut *visit);
        self.conditions.values_mut().for_each(|c| parts(c, visit));
    }

    fn add(&mut self, id: &str) -> usize {
        self.clauses.push(id.to_string());
        self.clauses.len() - 1
    }

    /// Which clause speaks, as one walk; `diagram` is the one of these functions. Made when first asked for: of all that a law
    /// says it is the largest, and only heads of answers read it.
    pub fn class(&self, diagram: &Diagram) -> &Class {
        self.class.get_or_init(|| Class::of(self, diagram))
    }
}

/// The axes on which laws are compiled.
fn surveyed(laws: &[(&Day<'_>, &Law<'_>)], lexicon: &Lexicon) -> Result<Axes, TooManyCells> {
    let mut survey = Survey::new(lexicon);
    for (day, law) in laws {
        let surveyor = Surveyor { day, lexicon };
        law.exprs(day).iter().for_each(|e| surveyor.expr(e, &mut survey));
    }
    for (day, law) in laws {
        let surveyor = Surveyor { day, lexicon };
        law.constraints.iter().for_each(|c| surveyor.expr(&c.never, &mut survey));
        if let Some(layer) = law.layer {
            layer.gaps.iter().for_each(|g| survey.note_named(Asked::Gap(layer.id.clone(), g.name.clone())));
        }
    }
    survey.cut()
}

/// What is told of a law before its functions are made: on what it hangs, and when it applies. Most laws apply to nothing that
/// is ever asked about, so the rest is made when first asked for, once for all tables that share it.
#[derive(Debug)]
pub struct Outline {
    /// The axes.
    pub axes: Arc<Axes>,
    /// The diagram of [`Outline::applies`].
    pub diagram: Diagram,
    /// When the law applies.
    pub applies: NodeId,
    /// Whether one of its routes carries something to later hops.
    pub carries: bool,
    unit: OnceLock<Arc<Unit>>,
}

impl Outline {
    /// Looks at a law.
    pub fn of(given: &Given, day: &Day<'_>, law: &Law<'_>, lexicon: &Lexicon) -> Result<Self, TooManyCells> {
        let axes = Arc::new(surveyed(&[(day, law)], lexicon)?);
        let mut diagram = axes.diagram();
        let applies = Compiler { day, law, lexicon, given, axes: &axes, diagram: &mut diagram }.applies();
        let (diagram, names) = diagram.kept(&[applies]);
        let applies = names.get(applies.0 as usize).copied().unwrap_or(applies);
        let carries = law.gates.iter().flat_map(|(_, routes)| routes).any(|(r, _)| r.carries.is_some());
        Ok(Self { axes, diagram, applies, carries, unit: OnceLock::new() })
    }

    /// The functions of the law that it was made of.
    pub fn unit(&self, given: &Given, day: &Day<'_>, law: &Law<'_>, lexicon: &Lexicon) -> &Arc<Unit> {
        self.unit.get_or_init(|| Arc::new(Unit::over(self.axes.clone(), &[(day, law)], lexicon, given)))
    }

    /// The functions, if they were made.
    pub fn made(&self) -> Option<&Arc<Unit>> {
        self.unit.get()
    }
}
