//! A described transfer against the vocabulary: typed knowledge, or what is wrong with it.

use crate::{
    book::Rulebook,
    diagnostic::{Diagnostic, did_you_mean},
    expr::{Atom, Expr, Test},
    vocabulary::{Bearer, Domain, Fact, FactKind, ROLES},
};
use model::{
    CivilDate, Digest, canonical,
    fact::{Said, Spoken, Standing},
    transfer::{Facts, Transfer},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

// LIMIT: one described transfer.
const CROSSINGS_MAX: usize = 4_096;
const HOPS_MAX: usize = 256;

/// What is known of one slot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// One of these values (yes/no, words, a place); exactly one when it is known.
    Values(BTreeSet<String>),
    /// Exactly these members.
    Members(BTreeSet<String>),
    /// A count within these bounds.
    Range(i64, i64),
    /// This day.
    Day(CivilDate),
}

impl std::fmt::Display for Known {
    /// As `--fact slot=VALUE` takes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let joined = |words: &BTreeSet<String>| words.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        match self {
            Self::Values(v) => f.write_str(&joined(v)),
            Self::Members(m) if m.is_empty() => f.write_str("none"),
            Self::Members(m) => write!(f, "{{{}}}", joined(m)),
            Self::Range(lo, hi) if lo == hi => write!(f, "{lo}"),
            Self::Range(lo, hi) => write!(f, "{lo}..{hi}"),
            Self::Day(day) => write!(f, "{day}"),
        }
    }
}

/// A fact as bound: typed, with its end and standing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BoundFact {
    /// What is known.
    pub known: Known,
    /// How well it is supported.
    pub standing: Standing,
    /// The first day on which it no longer counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<CivilDate>,
}

/// One hop for one dataset and one group of people: the atom of a decision.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Crossing {
    /// The hop.
    pub hop: String,
    /// The party that gives.
    pub from: String,
    /// The party that gets.
    pub to: String,
    /// The dataset.
    pub dataset: String,
    /// The group of people.
    pub group: String,
    /// The hop before, if this one is onward.
    pub after: Option<String>,
    /// What is known, by slot. A slot that is absent is unsaid.
    pub facts: BTreeMap<String, BoundFact>,
}

/// A transfer that speaks the vocabulary and does not contradict itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Bound {
    /// Its atoms, in the order of hops, datasets and groups.
    pub crossings: Vec<Crossing>,
    /// Digest of the transfer as described.
    pub transfer: Digest,
}

impl Rulebook {
    /// Checks a transfer against the vocabulary: unknown words, wrong types and contradictions are named, all of them.
    pub fn bind(&self, transfer: &Transfer) -> Result<Bound, Vec<Diagnostic>> {
        let mut binder = Binder { book: self, diagnostics: Vec::new() };
        let crossings = binder.crossings(transfer);
        for c in &crossings {
            binder.contradictions(c);
        }
        binder.diagnostics.dedup();
        if binder.diagnostics.is_empty() {
            let transfer = canonical::to_bytes(transfer).map(|b| Digest::of(&b)).unwrap_or_else(|_| Digest::of(b""));
            Ok(Bound { crossings, transfer })
        } else {
            Err(binder.diagnostics)
        }
    }

    /// Types one fact as said for a slot.
    pub fn bind_fact(&self, slot: &str, said: &Said) -> Result<Option<BoundFact>, Diagnostic> {
        match self.vocabulary.of_slot(slot) {
            Some(fact) => typed(self, fact, slot, said),
            None => {
                let slots = self.vocabulary.slots();
                Err(Diagnostic::error("TGT-T001", None, format!("there is no fact `{slot}`"), did_you_mean(slot, slots.iter().map(String::as_str))))
            }
        }
    }
}

/// Whether facts said of a crossing cannot be together.
pub(crate) fn contradicts(book: &Rulebook, crossing: &Crossing) -> bool {
    let mut binder = Binder { book, diagnostics: Vec::new() };
    binder.contradictions(crossing);
    !binder.diagnostics.is_empty()
}

struct Binder<'a> {
    book: &'a Rulebook,
    diagnostics: Vec<Diagnostic>,
}

impl Binder<'_> {
    fn fault(&mut self, code: &'static str, message: String, help: String) {
        self.diagnostics.push(Diagnostic::error(code, None, message, help));
    }

    fn crossings(&mut self, t: &Transfer) -> Vec<Crossing> {
        if t.hops.is_empty() {
            self.fault("TGT-T002", "the transfer has no hop".into(), "say from whom to whom the data goes".into());
        }
        if t.hops.len() > HOPS_MAX {
            self.fault("TGT-T002", format!("the transfer has more than {HOPS_MAX} hops"), String::new());
            return Vec::new();
        }
        let ids: Vec<String> = (0..t.hops.len()).map(|i| t.hop_id(i)).collect();
        let mut out = Vec::new();
        for (i, hop) in t.hops.iter().enumerate() {
            let id = ids.get(i).cloned().unwrap_or_default();
            if let Some(after) = hop.after.as_ref().filter(|a| !ids.contains(a)) {
                self.fault("TGT-T003", format!("the hop `{id}` comes after `{after}`, which is not there"), did_you_mean(after, ids.iter().map(String::as_str)));
            }
            let (Some(from), Some(to)) = (self.party(t, &hop.from), self.party(t, &hop.to)) else { continue };
            let mut base = BTreeMap::new();
            self.facts(&from.facts, Bearer::Party, Some(ROLES[0]), &mut base);
            self.facts(&to.facts, Bearer::Party, Some(ROLES[1]), &mut base);
            self.facts(&hop.facts, Bearer::Hop, None, &mut base);
            for name in &hop.data {
                let Some(dataset) = t.datasets.get(name) else {
                    self.fault("TGT-T003", format!("the hop `{id}` moves `{name}`, which is no dataset"), did_you_mean(name, t.datasets.keys().map(String::as_str)));
                    continue;
                };
                let mut with_data = base.clone();
                self.facts(&dataset.facts, Bearer::Data, None, &mut with_data);
                let nobody = BTreeMap::from([("people".to_string(), Facts::new())]);
                let groups = if dataset.subjects.is_empty() { &nobody } else { &dataset.subjects };
                for (group, facts) in groups {
                    let mut all = with_data.clone();
                    self.facts(facts, Bearer::Subjects, None, &mut all);
                    out.push(Crossing {
                        hop: id.clone(),
                        from: hop.from.clone(),
                        to: hop.to.clone(),
                        dataset: name.clone(),
                        group: group.clone(),
                        after: hop.after.clone(),
                        facts: all,
                    });
                }
            }
            if hop.data.is_empty() {
                self.fault("TGT-T002", format!("the hop `{id}` moves no dataset"), "name at least one in `data`".into());
            }
        }
        if out.len() > CROSSINGS_MAX {
            self.fault("TGT-T002", format!("the transfer has more than {CROSSINGS_MAX} crossings"), "split it".into());
            out.clear();
        }
        self.cycles(t, &ids);
        out
    }

    fn cycles(&mut self, t: &Transfer, ids: &[String]) {
        for start in ids {
            let mut at = start;
            for _ in 0..=ids.len() {
                let next = ids.iter().position(|i| i == at).and_then(|i| t.hops.get(i)).and_then(|h| h.after.as_ref());
                match next {
                    None => break,
                    Some(n) if n == start => {
                        self.fault("TGT-T003", format!("the hops form a circle through `{start}`"), "a journey has a first hop".into());
                        return;
                    }
                    Some(n) => at = n,
                }
            }
        }
    }

    fn party<'t>(&mut self, t: &'t Transfer, name: &str) -> Option<&'t model::transfer::Party> {
        let party = t.parties.get(name);
        if party.is_none() {
            self.fault("TGT-T003", format!("there is no party `{name}`"), did_you_mean(name, t.parties.keys().map(String::as_str)));
        }
        party
    }

    fn facts(&mut self, facts: &Facts, bearer: Bearer, role: Option<&str>, out: &mut BTreeMap<String, BoundFact>) {
        for (id, said) in facts {
            let slot = match (role, id.strip_prefix("party.")) {
                (Some(role), Some(rest)) => format!("{role}.{rest}"),
                _ => id.clone(),
            };
            if let Some(fact) = self.book.vocabulary.of_slot(&slot).filter(|f| f.on != bearer) {
                self.fault("TGT-T004", format!("`{id}` hangs on a {:?}, not here", fact.on).to_lowercase(), String::new());
                continue;
            }
            match self.book.bind_fact(&slot, said) {
                Ok(Some(bound)) => {
                    out.insert(slot, bound);
                }
                Ok(None) => {}
                Err(d) => self.diagnostics.push(d),
            }
        }
    }

    fn contradictions(&mut self, c: &Crossing) {
        let book = self.book;
        for constraint in &book.vocabulary.constraints {
            if certainly(&constraint.never, c) == Some(true) {
                let mut names = Vec::new();
                constraint.never.each_atom(&mut |a: &Atom| names.push(format!("`{}`", a.fact)));
                names.dedup();
                self.fault("TGT-T005", format!("these facts contradict each other: {}", names.join(" and ")), constraint.says.en.clone());
            }
        }
        self.joint_contradictions(c);
    }

    /// Facts that contradict each other only together: what follows from some is excluded by what follows from others.
    fn joint_contradictions(&mut self, c: &Crossing) {
        let book = self.book;
        let (mut known, mut because) = (c.clone(), BTreeMap::<String, BTreeSet<String>>::new());
        let broken = |known: &Crossing| book.vocabulary.constraints.iter().filter(|x| certainly(&x.never, known) == Some(true)).count();
        if broken(c) > 0 {
            return;
        }
        // LIMIT: as many steps as there are constraints; each makes one more fact known.
        for _ in 0..book.vocabulary.constraints.len() {
            let next = book.vocabulary.constraints.iter().find_map(|x| follows(book, &x.never, &known).map(|f| (x, f)));
            let Some((constraint, (slot, fact))) = next else { return };
            let reasons = said_behind(&constraint.never, &slot, c, &because);
            known.facts.insert(slot.clone(), fact);
            because.insert(slot, reasons);
            if let Some(b) = book.vocabulary.constraints.iter().find(|x| certainly(&x.never, &known) == Some(true)) {
                let mut names = said_behind(&b.never, "", c, &because);
                names.extend(because.values().flatten().filter(|_| names.len() < 2).cloned().collect::<Vec<_>>());
                let names: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
                self.fault("TGT-T005", format!("these facts contradict each other: {}", names.join(" and ")), format!("{} {}", constraint.says.en, b.says.en));
                return;
            }
        }
    }
}

/// What must be so lest the expression hold: the one part of a conjunction that is not known yet, turned round.
fn follows(book: &Rulebook, never: &Expr, c: &Crossing) -> Option<(String, BoundFact)> {
    let parts = match never {
        Expr::And(es) => es.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut open = parts.iter().filter(|e| certainly(e, c) != Some(true));
    let (one, more) = (open.next()?, open.next());
    if more.is_some() || certainly(one, c) == Some(false) {
        return None;
    }
    let (atom, wanted) = match one {
        Expr::Atom(a) => (a, false),
        Expr::Not(e) => match &**e {
            Expr::Atom(a) => (a, true),
            _ => return None,
        },
        _ => return None,
    };
    let yes_no = book.vocabulary.of_slot(&atom.fact).is_some_and(|f| f.domain == Domain::YesNo);
    let value = match (&atom.test, yes_no, wanted) {
        (Test::Yes, true, true) => "yes",
        (Test::Yes, true, false) => "no",
        _ => return None,
    };
    let known = Known::Values(BTreeSet::from([value.to_string()]));
    Some((atom.fact.clone(), BoundFact { known, standing: Standing::Claimed, until: None }))
}

/// The stated facts that an expression rests on, through what followed from them.
fn said_behind(e: &Expr, leave_out: &str, c: &Crossing, because: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    e.each_atom(&mut |a: &Atom| {
        if let Some(reasons) = because.get(&a.fact) {
            out.extend(reasons.iter().cloned());
        } else if a.fact != leave_out && c.facts.contains_key(&a.fact) {
            out.insert(a.fact.clone());
        }
    });
    out
}

/// Whether an expression certainly holds (or not) on said facts alone; `None` when it is not certain.
pub fn certainly(e: &Expr, c: &Crossing) -> Option<bool> {
    match e {
        Expr::Const(b) => Some(*b),
        Expr::Not(e) => certainly(e, c).map(|b| !b),
        Expr::And(es) => fold(es, c, false),
        Expr::Or(es) => fold(es, c, true),
        Expr::Atom(a) => {
            let known = &c.facts.get(&a.fact)?.known;
            match (&a.test, known) {
                (Test::Yes, Known::Values(v)) if v.len() == 1 => Some(v.contains("yes")),
                (Test::In(words), Known::Values(v)) if v.len() == 1 => {
                    Some(v.iter().all(|x| words.iter().any(|w| lies_in(x, w))))
                }
                (Test::HasAny(words), Known::Members(m)) => Some(words.iter().any(|w| has(m, w))),
                (Test::HasAll(words), Known::Members(m)) => Some(words.iter().all(|w| has(m, w))),
                (Test::HasOnly(words), Known::Members(m)) => Some(m.iter().all(|x| words.iter().any(|w| lies_in(x, w)))),
                (Test::AtLeast(n), Known::Range(lo, hi)) => {
                    if lo >= n { Some(true) } else if hi < n { Some(false) } else { None }
                }
                (Test::Before(d), Known::Day(x)) => Some(x < d),
                _ => None,
            }
        }
    }
}

/// A place matches its parts too, alone and in a set.
pub(crate) fn lies_in(value: &str, word: &str) -> bool {
    model::place::Place(value.into()).lies_in(word)
}

fn has(members: &BTreeSet<String>, word: &str) -> bool {
    members.iter().any(|m| lies_in(m, word))
}

fn fold(es: &[Expr], c: &Crossing, absorbing: bool) -> Option<bool> {
    let mut all_certain = true;
    for e in es {
        match certainly(e, c) {
            Some(b) if b == absorbing => return Some(absorbing),
            Some(_) => {}
            None => all_certain = false,
        }
    }
    all_certain.then_some(!absorbing)
}

fn typed(book: &Rulebook, fact: &Fact, slot: &str, said: &Said) -> Result<Option<BoundFact>, Diagnostic> {
    // Unknown is a value, and a standing weaker than the fact needs counts as not said.
    if said.is_unknown() || said.standing < fact.needs {
        return Ok(None);
    }
    let wrong = |what: &str, help: String| Diagnostic::error("TGT-T004", None, format!("`{slot}` {what}"), help);
    let word = |w: &String| -> Result<String, Diagnostic> {
        let w = if matches!(fact.domain, Domain::Place | Domain::Places) { w.to_uppercase() } else { w.clone() };
        if book.vocabulary.has_value(fact, &w) {
            return Ok(w);
        }
        let (code, what) = match fact.domain {
            Domain::Place | Domain::Places => ("TGT-T006", "place"),
            _ => ("TGT-T001", "value"),
        };
        let help = match fact.domain {
            Domain::Place | Domain::Places => "places are ISO 3166-1 codes such as `DE`".to_string(),
            _ => crate::search::help_for_value(&w, fact),
        };
        Err(Diagnostic::error(code, None, format!("`{w}` is no {what} of `{slot}`"), help))
    };
    let known = match (&fact.domain, &said.value) {
        (Domain::YesNo, Spoken::YesNo(b)) => Known::Values(BTreeSet::from([if *b { "yes" } else { "no" }.to_string()])),
        (Domain::YesNo, Spoken::Word(w)) if w == "yes" || w == "no" => Known::Values(BTreeSet::from([w.clone()])),
        (Domain::YesNo | Domain::OneOf(_) | Domain::Place, Spoken::Words(ws)) if ws.len() > 1 => {
            return Err(wrong(&format!("takes one value, and was said to be {}", ws.join(" and ")), "say it once".into()));
        }
        (Domain::YesNo, _) => return Err(wrong("takes yes or no", String::new())),
        (Domain::OneOf(_) | Domain::Place, Spoken::Word(w)) => Known::Values(BTreeSet::from([word(w)?])),
        (Domain::OneOf(_) | Domain::Place, Spoken::Words(ws)) if ws.len() == 1 => {
            Known::Values(ws.iter().map(word).collect::<Result<_, _>>()?)
        }
        (Domain::OneOf(_) | Domain::Place, _) => return Err(wrong("takes one value", String::new())),
        (Domain::SetOf(_) | Domain::Places, Spoken::Word(w)) if w == "none" => Known::Members(BTreeSet::new()),
        (Domain::SetOf(_) | Domain::Places, Spoken::Word(w)) => Known::Members(BTreeSet::from([word(w)?])),
        (Domain::SetOf(_) | Domain::Places, Spoken::Words(ws)) => Known::Members(ws.iter().map(word).collect::<Result<_, _>>()?),
        (Domain::SetOf(_) | Domain::Places, _) => return Err(wrong("takes words", String::new())),
        (Domain::Count, Spoken::Number(n)) if *n >= 0 => Known::Range(*n, *n),
        (Domain::Count, Spoken::Range { at_least, at_most }) if 0 <= *at_least && at_least <= at_most => Known::Range(*at_least, *at_most),
        (Domain::Count, _) => return Err(wrong("takes a number that is not negative", "or { at_least = 1, at_most = 9 }".into())),
        (Domain::Date, Spoken::Word(w)) => Known::Day(w.parse().map_err(|e| Diagnostic::error("TGT-T007", None, format!("`{slot}`: {e}"), String::new()))?),
        (Domain::Date, _) => return Err(wrong("takes a day", "such as 2022-04-01".into())),
    };
    Ok(Some(BoundFact { known, standing: said.standing, until: said.until }))
}

/// Whether an unsaid fact of this kind is a safeguard that is then absent.
pub fn absent_when_unsaid(fact: &Fact) -> bool {
    match fact.kind {
        FactKind::Measure => true,
        FactKind::Determination => fact.by.as_deref() == Some("exporter"),
        FactKind::Given | FactKind::Counter => false,
    }
}
