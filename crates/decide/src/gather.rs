//! The law of one layer on one day, gathered from the rulebook: what is compiled together, and its fingerprint.

use crate::{hash::QuickSet, lexicon::Lexicon};
use model::{AsOf, Digest};
use rulebook::{
    book::Rulebook,
    diagnostic::Span,
    expr::{Atom, Expr, Test},
    law::{Bar, Due, Entry, Gate, IfBreached, Layer, Obligation, Out, Route, Scope},
    vocabulary::Constraint,
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// What counts on a day, by layer, gate, route and list.
pub struct Day<'a> {
    /// The day.
    pub as_of: AsOf,
    /// Layers that count, in id order.
    pub layers: Vec<&'a Layer>,
    book: &'a Rulebook,
    scopes: HashMap<&'a str, Vec<&'a Scope>>,
    outs: HashMap<&'a str, Vec<&'a Out>>,
    bars: HashMap<&'a str, Vec<&'a Bar>>,
    gates: HashMap<&'a str, Vec<&'a Gate>>,
    routes: HashMap<&'a str, Vec<&'a Route>>,
    obligations: HashMap<&'a str, Vec<&'a Obligation>>,
    of_route: HashMap<&'a str, Vec<&'a Obligation>>,
    lists: HashMap<&'a str, Vec<&'a Entry>>,
    /// By list, the slots that the scopes of its entries ask.
    of_lists: HashMap<&'a str, Vec<&'a str>>,
    /// Every constraint with the slots that it asks.
    constrained: Vec<(&'a Constraint, Vec<&'a str>)>,
}

/// What is compiled together.
#[derive(Clone, Default)]
pub struct Law<'a> {
    /// The layer; none for what stands outside layers.
    pub layer: Option<&'a Layer>,
    /// When the layers that replace it apply.
    pub stronger: Vec<&'a Expr>,
    /// What it reaches.
    pub scopes: Vec<&'a Scope>,
    /// What it does not.
    pub outs: Vec<&'a Out>,
    /// Bars.
    pub bars: Vec<&'a Bar>,
    /// Gates with their routes in the law's own order, each with its duties.
    pub gates: Vec<(&'a Gate, Vec<(&'a Route, Vec<&'a Obligation>)>)>,
    /// Obligations, those of routes too.
    pub obligations: Vec<&'a Obligation>,
    /// States that cannot be, as far as they touch what is asked here.
    pub constraints: Vec<&'a Constraint>,
    /// Conditions beside, compiled over the same axes.
    pub also: Vec<&'a Expr>,
}

fn by<'a, T>(items: &'a [T], counts: impl Fn(&T) -> bool, key: impl Fn(&'a T) -> &'a str) -> HashMap<&'a str, Vec<&'a T>> {
    let mut out: HashMap<&str, Vec<&T>> = HashMap::new();
    for item in items.iter().filter(|i| counts(i)) {
        out.entry(key(item)).or_default().push(item);
    }
    out
}

impl<'a> Day<'a> {
    /// Sorts what counts on a day.
    pub fn of(book: &'a Rulebook, as_of: AsOf) -> Self {
        Self::sorted(book, as_of, None)
    }

    /// The same, with the blocks of one layer alone.
    pub fn of_layer(book: &'a Rulebook, as_of: AsOf, layer: &str) -> Self {
        Self::sorted(book, as_of, Some(layer))
    }

    fn sorted(book: &'a Rulebook, as_of: AsOf, only: Option<&str>) -> Self {
        let its = |layer: &str| only.is_none_or(|only| only == layer);
        let mut routes = by(&book.routes, |r| r.head.counts(as_of), |r| r.gate.as_str());
        routes.values_mut().for_each(|rs| rs.sort_by_key(|r| (r.rank, r.head.span)));
        let obligations = by(&book.obligations, |o| its(&o.layer) && o.head.counts(as_of), |o| o.layer.as_str());
        let weighs = |o: &Obligation| o.head.counts(as_of) && o.if_breached != IfBreached::SideDuty && o.route.is_some();
        let mut day = Self {
            as_of,
            layers: book.layers.values().filter(|l| l.head.counts(as_of)).collect(),
            book,
            scopes: by(&book.scopes, |b| its(&b.layer) && b.head.counts(as_of), |b| b.layer.as_str()),
            outs: by(&book.outs, |b| its(&b.layer) && b.head.counts(as_of), |b| b.layer.as_str()),
            bars: by(&book.bars, |b| its(&b.layer) && b.head.counts(as_of), |b| b.layer.as_str()),
            gates: by(&book.gates, |b| its(&b.layer) && b.head.counts(as_of), |b| b.layer.as_str()),
            routes,
            obligations,
            of_route: by(&book.obligations, weighs, |o| o.route.as_deref().unwrap_or_default()),
            lists: book.lists.iter().map(|(id, l)| (id.as_str(), l.entries.iter().filter(|e| e.head.counts(as_of)).collect())).collect(),
            of_lists: HashMap::new(),
            constrained: Vec::new(),
        };
        day.of_lists = day.lists.keys().map(|id| (*id, day.slots_of_list(id))).collect();
        day.constrained = book.vocabulary.constraints.iter().map(|c| (c, day.slots_asked(&c.never))).collect();
        day
    }

    /// Entries of a list that count.
    pub fn entries(&self, list: &str) -> &[&'a Entry] {
        self.lists.get(list).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether the last day of an obligation has passed, as a test of the day that it counts from.
    ///
    /// It is a test of that fact and of nothing else, so that an unknown day is asked for, and two deadlines from one day
    /// pass together.
    pub fn last_day_passed(&self, due: &Due) -> Expr {
        match due {
            // What is due before the act, or as long as it lasts, is late as soon as it is not done.
            Due::Before | Due::Standing => Expr::Const(true),
            Due::OnRequest => Expr::Const(false),
            // The last day itself is still in time.
            Due::DaysAfter { fact, .. } => {
                let first = self.book.first_in_time(due, self.as_of.on).unwrap_or(self.as_of.on);
                Expr::Atom(Atom { fact: fact.clone(), test: Test::Before(first), span: Span::default() })
            }
        }
    }

    /// The law of one layer.
    pub fn law(&self, layer: &'a Layer) -> Law<'a> {
        let id = layer.id.as_str();
        fn of<'a, T>(map: &HashMap<&str, Vec<&'a T>>, id: &str) -> Vec<&'a T> {
            map.get(id).cloned().unwrap_or_default()
        }
        let with_duties = |r: &'a Route| (r, of(&self.of_route, &r.head.id));
        let mut law = Law {
            layer: Some(layer),
            stronger: self.layers.iter().filter(|s| s.replaces.as_deref() == Some(id)).map(|s| &s.applies).collect(),
            scopes: of(&self.scopes, id),
            outs: of(&self.outs, id),
            bars: of(&self.bars, id),
            gates: of(&self.gates, id).into_iter().map(|g| (g, of(&self.routes, &g.head.id).into_iter().map(with_duties).collect())).collect(),
            obligations: of(&self.obligations, id),
            ..Law::default()
        };
        self.constrain(&mut law);
        law
    }

    /// What stands outside layers: conditions, with every constraint.
    pub fn beside(&self, also: Vec<&'a Expr>) -> Law<'a> {
        Law { also, constraints: self.book.vocabulary.constraints.iter().collect(), ..Law::default() }
    }

    /// Adds the constraints that touch what is asked, and those that touch these.
    pub fn constrain(&self, law: &mut Law<'a>) {
        let exprs = law.exprs(self);
        let mut slots = QuickSet::default();
        exprs.iter().for_each(|e| self.slots_in(e, &mut slots));
        let mut left: Vec<&(&Constraint, Vec<&str>)> = self.constrained.iter().collect();
        law.constraints.clear();
        loop {
            let before = left.len();
            left.retain(|(c, theirs)| {
                let touches = theirs.iter().any(|s| slots.contains(s));
                if touches {
                    slots.extend(theirs);
                    law.constraints.push(*c);
                }
                !touches
            });
            if left.len() == before {
                return;
            }
        }
    }

    /// The slots that an expression asks, those of lists' conditions too.
    pub fn slots_of(&self, e: &Expr, out: &mut BTreeSet<String>) {
        let mut slots = QuickSet::default();
        self.slots_in(e, &mut slots);
        out.extend(slots.into_iter().map(str::to_string));
    }

    fn slots_in<'x>(&self, e: &'x Expr, out: &mut QuickSet<&'x str>)
    where
        'a: 'x,
    {
        e.each_atom(&mut |atom| {
            if matches!(atom.test, Test::Reading(_)) {
                return;
            }
            out.insert(&atom.fact);
            if let Test::OnList(list) = &atom.test {
                match self.of_lists.get(list.as_str()) {
                    Some(known) => out.extend(known),
                    None => out.extend(self.slots_of_list(list)),
                }
            }
        });
    }

    fn slots_asked(&self, e: &'a Expr) -> Vec<&'a str> {
        let mut slots = QuickSet::default();
        self.slots_in(e, &mut slots);
        slots.into_iter().collect()
    }

    fn slots_of_list(&self, list: &str) -> Vec<&'a str> {
        let mut slots = QuickSet::default();
        self.entries(list).iter().filter_map(|e| e.when.as_ref()).for_each(|w| self.slots_in(w, &mut slots));
        slots.into_iter().collect()
    }

    /// Equal fingerprints compile to equal units: everything that the compiler reads is in it.
    pub fn fingerprint(&self, law: &Law<'a>, lexicon: &Lexicon) -> Digest {
        let mut f = Feed(Vec::with_capacity(8192));
        law.feed(&mut f, self);
        let exprs = law.exprs(self);
        let (mut slots, mut lists) = (QuickSet::default(), BTreeMap::new());
        for e in exprs.iter().map(|e| &**e).chain(law.constraints.iter().map(|c| &c.never)) {
            self.slots_in(e, &mut slots);
            self.lists_of(e, &mut lists);
        }
        for (list, entries) in lists {
            f.word(list);
            for e in entries {
                f.word(&e.key);
                e.when.iter().for_each(|w| f.expr(w));
            }
        }
        let mut slots: Vec<&str> = slots.into_iter().collect();
        slots.sort_unstable();
        for slot in slots.into_iter().filter_map(|s| lexicon.slot(s)) {
            f.word(&slot.name);
            f.0.extend([slot.shape as u8, slot.kind as u8]);
            f.0.extend_from_slice(&slot.values.key().to_be_bytes());
        }
        Digest::of(&f.0)
    }

    fn lists_of<'s>(&'s self, e: &Expr, out: &mut BTreeMap<&'a str, &'s [&'a Entry]>) {
        e.each_atom(&mut |atom| {
            if let Test::OnList(list) = &atom.test {
                if let Some((id, entries)) = self.lists.get_key_value(list.as_str()) {
                    if out.insert(*id, entries).is_none() {
                        entries.iter().filter_map(|e| e.when.as_ref()).for_each(|w| self.lists_of(w, out));
                    }
                }
            }
        });
    }
}

impl<'a> Law<'a> {
    /// Every condition, constraints left out, in the order in which axes are asked.
    pub fn exprs(&self, day: &Day<'_>) -> Vec<Cow<'a, Expr>> {
        let mut out: Vec<Cow<'a, Expr>> = Vec::new();
        let mut note = |e: &'a Expr| out.push(Cow::Borrowed(e));
        self.layer.iter().for_each(|l| note(&l.applies));
        self.stronger.iter().for_each(|e| note(*e));
        self.layer.iter().flat_map(|l| &l.gaps).for_each(|g| note(&g.when));
        self.scopes.iter().for_each(|b| note(&b.reaches));
        self.outs.iter().for_each(|b| note(&b.when));
        self.bars.iter().for_each(|b| note(&b.when));
        self.gates.iter().for_each(|(g, _)| note(&g.when));
        for (r, _) in self.gates.iter().flat_map(|(_, rs)| rs) {
            note(&r.need);
            r.carries.iter().for_each(&mut note);
        }
        let duties = self.gates.iter().flat_map(|(_, rs)| rs.iter().flat_map(|(_, os)| os));
        for o in self.obligations.iter().chain(duties) {
            out.push(Cow::Borrowed(&o.when));
            out.extend(o.done.iter().map(Cow::Borrowed));
            out.push(Cow::Owned(day.last_day_passed(&o.due)));
        }
        out.extend(self.also.iter().map(|e| Cow::Borrowed(*e)));
        out
    }

    fn feed(&self, f: &mut Feed, day: &Day<'_>) {
        if let Some(l) = self.layer {
            f.word(&l.id);
            f.expr(&l.applies);
            for g in &l.gaps {
                f.word(&g.name);
                f.expr(&g.when);
            }
        }
        f.mark(b'r');
        self.stronger.iter().for_each(|e| f.expr(e));
        f.mark(b's');
        self.scopes.iter().for_each(|b| f.clause(&b.head.id, &b.reaches));
        f.mark(b'o');
        self.outs.iter().for_each(|b| f.clause(&b.head.id, &b.when));
        f.mark(b'b');
        self.bars.iter().for_each(|b| f.clause(&b.head.id, &b.when));
        for (g, routes) in &self.gates {
            f.mark(b'g');
            f.clause(&g.head.id, &g.when);
            for (r, duties) in routes {
                f.mark(b'w');
                f.clause(&r.head.id, &r.need);
                r.carries.iter().for_each(|e| f.expr(e));
                f.mark(b'd');
                duties.iter().for_each(|o| f.duty(o, day));
            }
        }
        f.mark(b'd');
        self.obligations.iter().for_each(|o| f.duty(o, day));
        f.mark(b'c');
        self.constraints.iter().for_each(|c| f.expr(&c.never));
        f.mark(b'a');
        self.also.iter().for_each(|e| f.expr(e));
    }
}

/// Bytes that tell two laws apart: every part is closed, so that no two run into one.
struct Feed(Vec<u8>);

impl Feed {
    fn mark(&mut self, b: u8) {
        self.0.extend([0xfe, b]);
    }

    fn word(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0xff);
    }

    fn clause(&mut self, id: &str, e: &Expr) {
        self.word(id);
        self.expr(e);
    }

    fn duty(&mut self, o: &Obligation, day: &Day<'_>) {
        self.clause(&o.head.id, &o.when);
        o.done.iter().for_each(|e| self.expr(e));
        self.expr(&day.last_day_passed(&o.due));
        let weighs = o.if_breached != IfBreached::SideDuty;
        self.0.extend([0xfd, u8::from(weighs), u8::from(o.route.is_some())]);
    }

    fn many(&mut self, tag: u8, es: &[Expr]) {
        self.0.extend([0xfc, tag]);
        es.iter().for_each(|e| self.expr(e));
        self.0.push(0xfb);
    }

    fn expr(&mut self, e: &Expr) {
        match e {
            Expr::Const(b) => self.0.extend([0xfa, u8::from(*b)]),
            Expr::Not(e) => self.many(b'!', std::slice::from_ref(e)),
            Expr::And(es) => self.many(b'&', es),
            Expr::Or(es) => self.many(b'|', es),
            Expr::Atom(a) => {
                self.word(&a.fact);
                let (tag, words): (&str, &[String]) = match &a.test {
                    Test::Yes => ("yes", &[]),
                    Test::In(ws) => ("in", ws),
                    Test::HasAny(ws) => ("any", ws),
                    Test::HasAll(ws) => ("all", ws),
                    Test::HasOnly(ws) => ("only", ws),
                    Test::OnList(l) => ("list", std::slice::from_ref(l)),
                    Test::Determined(by) => ("by", std::slice::from_ref(by)),
                    Test::Reading(side) => ("reading", std::slice::from_ref(side)),
                    Test::AtLeast(n) => return self.word(&format!(">={n}")),
                    Test::Before(d) => return self.word(&format!("<{d}")),
                };
                self.word(tag);
                words.iter().for_each(|w| self.word(w));
                self.0.push(0xf9);
            }
        }
    }
}
