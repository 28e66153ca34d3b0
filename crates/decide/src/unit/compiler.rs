//! From the conditions of a law to functions over the unit's axes.

use super::{Condition, Functions, GateFunctions, RouteFunctions};
use crate::{
    axis::{self, Asked, Axes, Plain, Survey},
    cells::Cells,
    diagram::{Diagram, FALSE, NodeId, TRUE},
    gather::{Day, Law},
    given::Given,
    lexicon::Lexicon,
};
use rulebook::{
    expr::{Atom, Expr, Test},
    law::{IfBreached, Obligation},
};

/// Notes what conditions ask, before cells are cut.
pub(super) struct Surveyor<'a> {
    pub day: &'a Day<'a>,
    pub lexicon: &'a Lexicon,
}

impl Surveyor<'_> {
    /// Notes an expression, and the scopes of the lists that it asks.
    pub fn expr(&self, e: &Expr, survey: &mut Survey<'_>) {
        for atom in axis::atoms(e) {
            match &atom.test {
                Test::Reading(_) => survey.note_named(Asked::Reading(atom.fact.clone())),
                Test::OnList(list) => {
                    for entry in self.day.entries(list) {
                        if let Some(p) = axis::on_entry(self.lexicon, atom, entry) {
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

/// Makes functions of conditions.
pub(super) struct Compiler<'a, 'd> {
    pub day: &'a Day<'a>,
    pub law: &'a Law<'a>,
    pub lexicon: &'a Lexicon,
    pub given: &'a Given,
    pub axes: &'a Axes,
    pub diagram: &'d mut Diagram,
}

impl Compiler<'_, '_> {
    /// The function of an expression.
    pub fn expr(&mut self, e: &Expr) -> NodeId {
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
    /// only part (none where the place is surely another); so what a unit says of an entry holds for every day on which the list reads the same.
    fn on_list(&mut self, atom: &Atom, list: &str) -> Condition {
        let day = self.day;
        // Entries with one scope are one set of places: a long list is a few tests.
        let mut groups: Vec<(Option<&Expr>, Condition, NodeId)> = Vec::new();
        let mut parts = Vec::new();
        for entry in day.entries(list) {
            let here = axis::on_entry(self.lexicon, atom, entry).map_or(FALSE, |p| self.plain(&atom.fact, &p));
            if here == FALSE {
                parts.push(Condition { holds: FALSE, parts: Vec::new() });
                continue;
            }
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
        match self.lexicon.slot(slot).and_then(|s| self.given.tells(s, plain)) {
            Some(true) => return TRUE,
            Some(false) => return FALSE,
            None => {}
        }
        let literals = self.axes.literals(slot, plain);
        let fs: Vec<NodeId> = literals.into_iter().map(|(axis, cells)| self.diagram.literal(axis, cells)).collect();
        self.diagram.any(fs)
    }

    /// The functions of the law.
    pub fn functions(&mut self) -> Functions {
        let law = self.law;
        let mut out = Functions::nothing();
        out.also = law.also.iter().map(|e| self.expr(e)).collect();
        if let Some(layer) = law.layer {
            out.applies = self.applies();
            self.reach(&mut out);
            self.within(&mut out);
            self.gaps(layer, &mut out);
        }
        out
    }

    /// When the law applies, with what replaces it taken away.
    pub fn applies(&mut self) -> NodeId {
        let law = self.law;
        let mut out = law.layer.map_or(FALSE, |layer| self.expr(&layer.applies));
        for stronger in &law.stronger {
            let theirs = self.expr(stronger);
            let yields = self.diagram.not(theirs);
            out = self.diagram.and(out, yields);
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
        let due = self.expr(&self.day.last_day_passed(&o.due));
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
            out.gapped.push(refusing);
            out.refuses = self.diagram.or(out.refuses, refusing);
        }
    }

    fn harmful(&mut self, layer: &rulebook::law::Layer, gap: usize, when: NodeId) -> NodeId {
        let axis = layer.gaps.get(gap).and_then(|g| self.axes.named(&Asked::Gap(layer.id.clone(), g.name.clone())));
        let harmful = axis.map_or(TRUE, |a| self.diagram.literal(a, Cells::one(1)));
        self.diagram.and(when, harmful)
    }
}
