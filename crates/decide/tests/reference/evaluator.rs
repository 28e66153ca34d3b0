//! The reference evaluator: DESIGN section 4 ("Normative semantics") and docs/rule-format.md, read aloud.
//!
//! It enumerates every state and knows no diagram, no cell sharing and no shortcut. It was written from the text,
//! without reading the engine, so that a shared mistake would have to be made twice.
#![allow(dead_code)]

use decide::decision::Verdict;
use model::{AsOf, CivilDate, place::Place};
use rulebook::{
    bind::{Crossing, Known},
    book::Rulebook,
    expr::{Expr, Test},
    law::{Due, IfBreached, Obligation},
    vocabulary::{Domain, Fact, FactKind},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One value of one fact; a count or a day stands for its whole cell up to the next threshold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Value {
    Word(String),
    Set(BTreeSet<String>),
    From(i64),
    Bit(bool),
}

/// A state gives each variable the index of one value of its domain.
pub type State = Vec<usize>;

/// A fact, a disputed reading (`reading ID`) or a gap (`gap LAYER NAME`), with its domain.
pub struct Variable {
    pub name: String,
    pub domain: Vec<Value>,
}

/// What a person can do: a written measure, as it counts on the day.
pub struct Offer {
    pub id: String,
    pub when: Expr,
    pub effects: Vec<(usize, String)>,
}

/// What ⟦K⟧ and the offers at hand come to.
pub struct Case {
    pub states: Vec<State>,
    pub sure: Vec<usize>,
    pub maybe: Vec<usize>,
}

/// How a single state stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    Opens,
    Curable,
    Refused,
}

pub struct Reference<'a> {
    pub book: &'a Rulebook,
    pub as_of: AsOf,
    pub variables: Vec<Variable>,
    index: HashMap<String, usize>,
    layers: Vec<String>,
    pub offers: Vec<Offer>,
    /// What earlier hops' routes carry here.
    pub carried: Vec<Expr>,
}

impl<'a> Reference<'a> {
    pub fn new(book: &'a Rulebook, as_of: AsOf) -> Self {
        let mut it = Self {
            book,
            as_of,
            variables: Vec::new(),
            index: HashMap::new(),
            layers: book.layers.keys().cloned().collect(),
            offers: Vec::new(),
            carried: Vec::new(),
        };
        it.variables = it.mentioned();
        it.index = it.variables.iter().enumerate().map(|(i, v)| (v.name.clone(), i)).collect();
        it.offers = it.offered();
        it
    }

    /// The facts that a large rulebook mentions, with their domains; those of sets are left empty (they are too many).
    pub fn facts_of(book: &'a Rulebook, as_of: AsOf) -> Vec<Variable> {
        let it = Self {
            book,
            as_of,
            variables: Vec::new(),
            index: HashMap::new(),
            layers: Vec::new(),
            offers: Vec::new(),
            carried: Vec::new(),
        };
        it.mentioned().into_iter().filter(|v| !v.name.contains(' ')).collect()
    }

    /// A large rulebook in one state of its facts: readings vary, and each rule that is missing may be against us.
    pub fn at(book: &'a Rulebook, as_of: AsOf, facts: BTreeMap<String, Value>) -> Self {
        let mut it = Self {
            book,
            as_of,
            variables: Vec::new(),
            index: HashMap::new(),
            layers: book.layers.keys().cloned().collect(),
            offers: Vec::new(),
            carried: Vec::new(),
        };
        it.variables = it.mentioned();
        for v in &mut it.variables {
            match facts.get(&v.name) {
                Some(value) => v.domain = vec![value.clone()],
                None if v.name.starts_with("gap ") => v.domain = vec![Value::Bit(true)],
                None => {}
            }
        }
        it.index = it.variables.iter().enumerate().map(|(i, v)| (v.name.clone(), i)).collect();
        it
    }

    /// The first state of the domains.
    pub fn first(&self) -> State {
        vec![0; self.variables.len()]
    }

    /// The states that differ in readings alone: those of one jurisdiction (the first part of an id) vary together, the
    /// others stay as they are. A layer refuses by the readings of its own law, so each refusal is found, and the states
    /// do not double with every question that somebody somewhere disputes.
    pub fn readings(&self) -> Vec<State> {
        let law = |v: &Variable| v.name.strip_prefix("reading ").map(|id| id.split('.').next().unwrap_or(id).to_string());
        let laws: BTreeSet<Option<String>> = self.variables.iter().map(law).collect();
        let of = |one: &Option<String>| {
            let varies = |v: &Variable| law(v).is_none() || law(v) == *one;
            let allowed = self.variables.iter().map(|v| if varies(v) { (0..v.domain.len()).collect() } else { vec![0] });
            self.states(&allowed.collect::<Vec<_>>())
        };
        laws.iter().flat_map(of).collect()
    }

    // ---- FACTS: the domain of each fact that the rules mention --------------------------------------------------

    fn every_expression(&self) -> Vec<Expr> {
        let b = self.book;
        let mut all: Vec<Expr> = Vec::new();
        for l in b.layers.values() {
            all.push(l.applies.clone());
            all.extend(l.covers.clone());
            all.extend(l.gaps.iter().map(|g| g.when.clone()));
        }
        all.extend(b.scopes.iter().map(|x| x.reaches.clone()));
        all.extend(b.outs.iter().map(|x| x.when.clone()));
        all.extend(b.bars.iter().map(|x| x.when.clone()));
        all.extend(b.gates.iter().map(|x| x.when.clone()));
        all.extend(b.routes.iter().flat_map(|x| [Some(x.need.clone()), x.carries.clone()]).flatten());
        all.extend(b.obligations.iter().flat_map(|x| [Some(x.when.clone()), x.done.clone()]).flatten());
        all.extend(b.lists.values().flat_map(|l| l.entries.iter().filter_map(|e| e.when.clone())));
        all.extend(b.measures.iter().filter_map(|m| m.when.clone()));
        all.extend(b.vocabulary.constraints.iter().map(|c| c.never.clone()));
        all
    }

    fn mentioned(&self) -> Vec<Variable> {
        let mut slots: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
        let mut readings = BTreeSet::new();
        for e in &self.every_expression() {
            e.each_atom(&mut |a| {
                if matches!(a.test, Test::Reading(_)) {
                    readings.insert(a.fact.clone());
                    return;
                }
                let thresholds = slots.entry(a.fact.clone()).or_default();
                match &a.test {
                    Test::AtLeast(n) => thresholds.extend([*n]),
                    Test::Before(d) => thresholds.extend([i64::from(d.days_since_epoch())]),
                    _ => {}
                }
            });
        }
        for m in &self.book.measures {
            for e in &m.does {
                slots.entry(e.slot.clone()).or_default();
            }
        }
        for o in &self.book.obligations {
            if let Due::DaysAfter { fact, .. } = &o.due {
                let first_in_time = self.first_in_time(&o.due);
                slots.entry(fact.clone()).or_default().insert(i64::from(first_in_time.days_since_epoch()));
            }
        }
        let mut out: Vec<Variable> =
            slots.into_iter().map(|(name, t)| Variable { domain: self.domain(&name, &t), name }).collect();
        let bits = || vec![Value::Bit(false), Value::Bit(true)];
        out.extend(readings.into_iter().map(|id| Variable { name: format!("reading {id}"), domain: bits() }));
        for l in self.book.layers.values() {
            out.extend(
                l.gaps.iter().map(|g| Variable { name: format!("gap {} {}", l.id, g.name), domain: bits() }),
            );
        }
        out.push(Variable { name: "gap not covered".into(), domain: bits() });
        out
    }

    fn fact(&self, slot: &str) -> &'a Fact {
        self.book.vocabulary.of_slot(slot).unwrap_or_else(|| panic!("no fact {slot}"))
    }

    fn domain(&self, slot: &str, thresholds: &BTreeSet<i64>) -> Vec<Value> {
        let word = |w: &str| Value::Word(w.into());
        // Sets of many words are not enumerated; a large rulebook is read in one state only.
        let subsets = |words: Vec<&String>| {
            let words = if words.len() > 6 { Vec::new() } else { words };
            (0..1usize << words.len())
                .map(|bits| {
                    Value::Set(
                        words
                            .iter()
                            .enumerate()
                            .filter(|(i, _)| bits >> i & 1 == 1)
                            .map(|(_, w)| (*w).clone())
                            .collect(),
                    )
                })
                .collect()
        };
        match &self.fact(slot).domain {
            Domain::YesNo => vec![word("no"), word("yes")],
            Domain::OneOf(ws) => ws.iter().map(|w| word(&w.id)).collect(),
            Domain::SetOf(ws) => subsets(ws.iter().map(|w| &w.id).collect()),
            Domain::Place => self.book.vocabulary.places.keys().map(|p| word(p)).collect(),
            Domain::Places => subsets(self.book.vocabulary.places.keys().collect()),
            Domain::Count => [0]
                .into_iter()
                .chain(thresholds.iter().copied().filter(|n| *n > 0))
                .map(Value::From)
                .collect(),
            Domain::Date => {
                [i64::MIN].into_iter().chain(thresholds.iter().copied()).map(Value::From).collect()
            }
        }
    }

    pub fn value(&self, s: &State, name: &str) -> &Value {
        let i = self.index[name];
        &self.variables[i].domain[s[i]]
    }

    // ---- EXPRESSION: classical over a state ---------------------------------------------------------------------

    pub fn holds(&self, e: &Expr, s: &State) -> bool {
        match e {
            Expr::Const(b) => *b,
            Expr::Not(e) => !self.holds(e, s),
            Expr::And(es) => es.iter().all(|e| self.holds(e, s)),
            Expr::Or(es) => es.iter().any(|e| self.holds(e, s)),
            Expr::Atom(a) => {
                if let Test::Reading(side) = &a.test {
                    return *self.value(s, &format!("reading {}", a.fact)) == Value::Bit(side == "a");
                }
                match (&a.test, self.value(s, &a.fact)) {
                    (Test::Yes, Value::Word(w)) => w == "yes",
                    // A place matches its parts too; other words have no parts.
                    (Test::In(words), Value::Word(w)) => words.iter().any(|x| Place(w.clone()).lies_in(x)),
                    (Test::HasAny(words), Value::Set(m)) => words.iter().any(|w| has(m, w)),
                    (Test::HasAll(words), Value::Set(m)) => words.iter().all(|w| has(m, w)),
                    (Test::HasOnly(words), Value::Set(m)) => {
                        m.iter().all(|x| words.iter().any(|w| Place(x.clone()).lies_in(w)))
                    }
                    (Test::AtLeast(n), Value::From(v)) => v >= n,
                    (Test::Before(d), Value::From(v)) => *v < i64::from(d.days_since_epoch()),
                    (Test::OnList(list), Value::Word(w)) => self.on_list(list, w, s),
                    (Test::OnList(list), Value::Set(m)) => m.iter().any(|w| self.on_list(list, w, s)),
                    (Test::Determined(_), Value::Word(w)) => w == "passes" || w == "passes_with_measures",
                    (test, value) => panic!("{test:?} asked of {value:?}"),
                }
            }
        }
    }

    fn on_list(&self, list: &str, place: &str, s: &State) -> bool {
        self.book.lists[list].entries.iter().any(|e| {
            e.head.counts(self.as_of)
                && Place(place.into()).lies_in(&e.key)
                && e.when.as_ref().is_none_or(|w| self.holds(w, s))
        })
    }

    // ---- LAYERS -------------------------------------------------------------------------------------------------

    fn applies(&self, layer: &str, s: &State) -> bool {
        let stronger = self
            .book
            .layers
            .values()
            .any(|m| m.replaces.as_deref() == Some(layer) && m.head.counts(self.as_of) && self.holds(&m.applies, s));
        let layer = &self.book.layers[layer];
        layer.head.counts(self.as_of) && self.holds(&layer.applies, s) && !stronger
    }

    fn scope(&self, layer: &str, s: &State) -> bool {
        let day = self.as_of;
        let reaches = self
            .book
            .scopes
            .iter()
            .any(|x| x.layer == layer && x.head.counts(day) && self.holds(&x.reaches, s));
        let out =
            self.book.outs.iter().any(|x| x.layer == layer && x.head.counts(day) && self.holds(&x.when, s));
        reaches && !out
    }

    /// Late from the day after the last one: the fact's day + N < on  ⇔  the fact's day before on − N; of working days, N
    /// are counted back from the day, a day that does not work standing with the next that does.
    fn first_in_time(&self, due: &Due) -> CivilDate {
        let Due::DaysAfter { days, calendar, .. } = due else { panic!("{due:?} counts no days") };
        let Some(calendar) = calendar.as_ref().and_then(|id| self.book.calendars.get(id)) else {
            return self.as_of.on.plus_days(-days);
        };
        let in_time = |from: &CivilDate| {
            let passed = (1..).map(|n| from.plus_days(n)).take_while(|d| *d < self.as_of.on).filter(|d| calendar.works(*d)).count();
            passed < *days as usize
        };
        (0..4_000).map(|n| self.as_of.on.plus_days(-n)).take_while(in_time).last().unwrap_or(self.as_of.on)
    }

    fn late(&self, o: &Obligation, s: &State) -> bool {
        let due = match &o.due {
            // A standing duty is due as long as the transfer lasts, so from its first day.
            Due::Before | Due::Standing => true,
            Due::DaysAfter { fact, .. } => match self.value(s, fact) {
                Value::From(v) => *v < i64::from(self.first_in_time(&o.due).days_since_epoch()),
                other => panic!("{other:?} is no day"),
            },
            Due::OnRequest => false,
        };
        let weighs = o.if_breached != IfBreached::SideDuty;
        o.head.counts(self.as_of)
            && weighs
            && due
            && self.holds(&o.when, s)
            && !o.done.as_ref().is_some_and(|d| self.holds(d, s))
    }

    pub fn met(&self, route: &rulebook::law::Route, s: &State) -> bool {
        let missed =
            self.book.obligations.iter().any(|o| o.route.as_ref() == Some(&route.head.id) && self.late(o, s));
        route.head.counts(self.as_of) && self.holds(&route.need, s) && !missed
    }

    /// What the routes that are satisfied in a state carry to later hops: routes of gates that this act must pass.
    pub fn carries(&self, s: &State) -> Vec<Expr> {
        let stands = |r: &&rulebook::law::Route| {
            let gate = self.book.gates.iter().find(|g| g.head.id == r.gate);
            gate.is_some_and(|g| {
                g.head.counts(self.as_of)
                    && self.applies(&g.layer, s)
                    && self.scope(&g.layer, s)
                    && self.holds(&g.when, s)
            })
        };
        self.book
            .routes
            .iter()
            .filter(stands)
            .filter(|r| self.met(r, s))
            .filter_map(|r| r.carries.clone())
            .collect()
    }

    fn gap(&self, layer: &str, s: &State) -> bool {
        self.book.layers[layer].gaps.iter().any(|g| {
            self.holds(&g.when, s) && *self.value(s, &format!("gap {layer} {}", g.name)) == Value::Bit(true)
        })
    }

    fn uncovered(&self, s: &State) -> bool {
        !self.book.layers.values().any(|l| l.covers.as_ref().is_some_and(|c| self.holds(c, s)))
    }

    fn refuses(&self, layer: &str, s: &State) -> bool {
        let day = self.as_of;
        let barred = || {
            self.book.bars.iter().any(|b| b.layer == layer && b.head.counts(day) && self.holds(&b.when, s))
        };
        let shut = || {
            self.book.gates.iter().any(|g| {
                g.layer == layer
                    && g.head.counts(day)
                    && self.holds(&g.when, s)
                    && !self.book.routes.iter().any(|r| r.gate == g.head.id && self.met(r, s))
            })
        };
        let late =
            || self.book.obligations.iter().any(|o| o.layer == layer && o.route.is_none() && self.late(o, s));
        self.applies(layer, s)
            && (self.gap(layer, s) || self.scope(layer, s) && (barred() || shut() || late()))
    }

    /// Each layer's refusal; the last two are the layer of what is not covered and that of what is carried.
    pub fn refusals<'s>(&'s self, s: &'s State) -> impl Iterator<Item = bool> + 's {
        let not_covered = || self.uncovered(s) && *self.value(s, "gap not covered") == Value::Bit(true);
        let carried = || self.carried.iter().any(|e| !self.holds(e, s));
        (0..self.layers.len() + 2).map(move |i| match i.checked_sub(self.layers.len()) {
            None => self.refuses(&self.layers[i], s),
            Some(0) => not_covered(),
            Some(_) => carried(),
        })
    }

    pub fn lawful(&self, s: &State) -> bool {
        !self.refusals(s).any(|refused| refused)
    }

    /// Whether something reaches a state, or may by a rule that is missing.
    pub fn is_touched(&self, s: &State) -> bool {
        self.reached(s) || self.gap_open(s)
    }

    /// How many states a rulebook has, before any is made.
    pub fn sized(book: &'a Rulebook, as_of: AsOf) -> Option<usize> {
        let it = Self {
            book,
            as_of,
            variables: Vec::new(),
            index: HashMap::new(),
            layers: Vec::new(),
            offers: Vec::new(),
            carried: Vec::new(),
        };
        it.mentioned().iter().try_fold(1usize, |n, v| n.checked_mul(v.domain.len()))
    }

    /// Puts a large rulebook into one state: what is not named takes the first value that it could have.
    pub fn put(&mut self, values: &BTreeMap<String, Value>) {
        for v in &mut self.variables {
            let first = || v.domain.first().cloned().unwrap_or(Value::Bit(false));
            let value = values.get(&v.name).cloned().unwrap_or_else(first);
            v.domain = vec![value];
        }
    }

    /// Whether one layer refuses in the state that was put.
    pub fn layer_refuses(&self, layer: &str) -> bool {
        self.refuses(layer, &self.first())
    }

    fn reached(&self, s: &State) -> bool {
        !self.carried.is_empty() || self.layers.iter().any(|l| self.applies(l, s) && self.scope(l, s))
    }

    fn gap_open(&self, s: &State) -> bool {
        self.uncovered(s) || self.layers.iter().any(|l| self.applies(l, s) && self.gap(l, s))
    }

    // ---- KNOWLEDGE ----------------------------------------------------------------------------------------------

    /// The values that K leaves each variable.
    pub fn allowed(&self, c: &Crossing) -> Vec<Vec<usize>> {
        self.variables
            .iter()
            .map(|v| (0..v.domain.len()).filter(|i| self.is_possible(v, *i, c)).collect())
            .collect()
    }

    fn is_possible(&self, v: &Variable, i: usize, c: &Crossing) -> bool {
        if v.name.contains(' ') {
            return true;
        }
        let fact = self.fact(&v.name);
        let said = c.facts.get(&v.name);
        let counts = said.filter(|f| f.until.is_none_or(|u| self.as_of.on < u));
        let (value, next) = (&v.domain[i], v.domain.get(i + 1));
        match (counts.map(|f| &f.known), value) {
            (Some(Known::Values(ws)), Value::Word(w)) => ws.contains(w),
            (Some(Known::Members(ms)), Value::Set(m)) => ms == m,
            (Some(Known::Range(lo, hi)), Value::From(v)) => {
                v <= hi && !matches!(next, Some(Value::From(n)) if n <= lo)
            }
            (Some(Known::Day(d)), Value::From(v)) => {
                let d = i64::from(d.days_since_epoch());
                *v <= d && !matches!(next, Some(Value::From(n)) if *n <= d)
            }
            (Some(known), value) => panic!("{known:?} for {value:?}"),
            (None, value) => match fact.kind {
                FactKind::Measure => {
                    matches!(value, Value::Word(w) if w == "no")
                        || matches!(value, Value::Set(m) if m.is_empty())
                }
                FactKind::Determination if fact.by.as_deref() == Some("exporter") && said.is_none() => {
                    *value == Value::Word("not_made".into())
                }
                _ => true,
            },
        }
    }

    /// All states in the box that satisfy C.
    pub fn states(&self, allowed: &[Vec<usize>]) -> Vec<State> {
        let mut out = vec![Vec::new()];
        for values in allowed {
            out = out
                .iter()
                .flat_map(|s: &State| values.iter().map(|v| s.iter().copied().chain([*v]).collect()))
                .collect();
        }
        out.retain(|s| self.is_state(s));
        out
    }

    pub fn is_state(&self, s: &State) -> bool {
        !self.book.vocabulary.constraints.iter().any(|c| self.holds(&c.never, s))
    }

    pub fn n_states(&self) -> usize {
        self.variables.iter().map(|v| v.domain.len()).product()
    }

    // ---- MEASURES -----------------------------------------------------------------------------------------------

    fn offered(&self) -> Vec<Offer> {
        let written = self.book.measures.iter().filter(|m| m.head.counts(self.as_of)).map(|m| Offer {
            id: m.id.clone(),
            when: m.when.clone().unwrap_or(Expr::Const(true)),
            effects: m.does.iter().map(|e| (self.index[&e.slot], e.value.clone())).collect(),
        });
        let all: Vec<State> =
            self.states(&self.variables.iter().map(|v| (0..v.domain.len()).collect()).collect::<Vec<_>>());
        let lawful: Vec<&State> = all.iter().filter(|s| self.lawful(s)).collect();
        written.filter(|m| !lawful.iter().any(|s| !self.lawful(&self.after(s, [m])))).collect()
    }

    /// The measures of the day that may make things worse: never offered.
    pub fn double_edged(&self) -> BTreeSet<String> {
        let counting = self.book.measures.iter().filter(|m| m.head.counts(self.as_of)).map(|m| m.id.clone());
        counting.filter(|id| !self.offers.iter().any(|o| o.id == *id)).collect()
    }

    pub fn after<'o>(&self, s: &State, offers: impl IntoIterator<Item = &'o Offer>) -> State {
        let mut out = s.clone();
        for (i, value) in offers.into_iter().flat_map(|o| &o.effects) {
            let domain = &self.variables[*i].domain;
            let wanted = match &domain[out[*i]] {
                Value::Set(m) => Value::Set(m.iter().cloned().chain([value.clone()]).collect()),
                _ => Value::Word(value.clone()),
            };
            out[*i] = domain.iter().position(|v| *v == wanted).expect("the effect is in the domain");
        }
        out
    }

    /// A judgment that is made and failed closes its route: no measure unmakes it.
    fn unmakes(&self, o: &Offer, s: &State) -> bool {
        o.effects.iter().any(|(i, _)| self.variables[*i].domain[s[*i]] == Value::Word("fails".into()))
    }

    pub fn can(&self, o: &Offer, s: &State) -> bool {
        self.holds(&o.when, s) && !self.unmakes(o, s)
    }

    pub fn case(&self, c: &Crossing) -> Case {
        let states = self.states(&self.allowed(c));
        let at = |want: &dyn Fn(&Offer) -> bool| {
            (0..self.offers.len()).filter(|i| want(&self.offers[*i])).collect()
        };
        let sure = at(&|o| states.iter().all(|s| self.can(o, s)));
        let maybe = at(&|o| states.iter().any(|s| self.can(o, s)));
        Case { states, sure, maybe }
    }

    fn with(&self, s: &State, set: &[usize]) -> State {
        self.after(s, set.iter().map(|i| &self.offers[*i]))
    }

    fn opened_by(&self, case: &Case, set: &[usize]) -> bool {
        case.states.iter().all(|s| self.lawful(&self.with(s, set)))
    }

    // ---- VERDICT, REMEDIES, ASK ---------------------------------------------------------------------------------

    pub fn verdict(&self, case: &Case) -> Verdict {
        let out_of_scope = !case.states.iter().any(|s| self.reached(s) || self.gap_open(s));
        let refused_by = |layer: usize| {
            case.states.iter().all(|s| self.refusals(&self.with(s, &case.maybe)).nth(layer) == Some(true))
        };
        if out_of_scope {
            Verdict::OutOfScope
        } else if case.states.iter().all(|s| self.lawful(s)) {
            Verdict::Permitted
        } else if (0..self.layers.len() + 2).any(refused_by) {
            Verdict::Prohibited
        } else if self.opened_by(case, &case.sure) {
            Verdict::Conditional
        } else {
            Verdict::Undetermined
        }
    }

    /// The ⊆-minimal sets of sure measures that open, by brute force.
    pub fn remedies(&self, case: &Case) -> BTreeSet<BTreeSet<String>> {
        let n = case.sure.len();
        let set = |bits: usize| -> Vec<usize> {
            (0..n).filter(|i| bits >> i & 1 == 1).map(|i| case.sure[i]).collect()
        };
        let opening: Vec<usize> = (0..1usize << n).filter(|bits| self.opened_by(case, &set(*bits))).collect();
        let minimal = opening.iter().filter(|b| !opening.iter().any(|o| o != *b && o & *b == *o));
        minimal
            .map(|b| set(*b).iter().map(|i| self.offers[*i].id.clone()).collect())
            .filter(|s: &BTreeSet<String>| !s.is_empty())
            .collect()
    }

    pub fn class(&self, s: &State) -> Class {
        let can: Vec<usize> = (0..self.offers.len()).filter(|i| self.can(&self.offers[*i], s)).collect();
        if self.lawful(s) {
            Class::Opens
        } else if self.lawful(&self.with(s, &can)) {
            Class::Curable
        } else {
            Class::Refused
        }
    }

    /// How one layer stands in a state: whether it refuses, and whether it does so after all that can be done.
    fn stand(&self, s: &State) -> Vec<(bool, bool)> {
        let can: Vec<usize> = (0..self.offers.len()).filter(|i| self.can(&self.offers[*i], s)).collect();
        let after = self.with(s, &can);
        self.refusals(s).zip(self.refusals(&after)).collect()
    }

    /// The variables that matter: two states of ⟦K⟧ that differ only in it differ in class.
    pub fn matters(&self, case: &Case) -> BTreeSet<String> {
        self.differing(case, |s| self.class(s))
    }

    /// The variables that matter to some layer, whatever the others say.
    pub fn matters_to_a_layer(&self, case: &Case) -> BTreeSet<String> {
        self.differing(case, |s| self.stand(s))
    }

    fn differing<T: PartialEq + Clone>(&self, case: &Case, class: impl Fn(&State) -> T) -> BTreeSet<String> {
        let classes: Vec<T> = case.states.iter().map(class).collect();
        let mut out = BTreeSet::new();
        for (i, v) in self.variables.iter().enumerate() {
            let mut seen: HashMap<State, T> = HashMap::new();
            for (s, class) in case.states.iter().zip(&classes) {
                let mut rest = s.clone();
                rest[i] = 0;
                if seen.entry(rest).or_insert_with(|| class.clone()) != class {
                    out.insert(v.name.clone());
                }
            }
        }
        out
    }
}

/// Whether a set has a word, or a part of the place that it names.
fn has(members: &BTreeSet<String>, word: &str) -> bool {
    members.iter().any(|m| Place(m.clone()).lies_in(word))
}
