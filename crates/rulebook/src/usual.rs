//! What is usually so where nobody has said it, as the vocabulary tells it: for a second, provisional look beside an answer that
//! waits for facts.
//!
//! INVARIANT: no verdict rests on it. A missing fact stays unknown in every decision; what is supposed here is named to the
//! person, who may say it and ask again.

use crate::{
    bind::{Bound, Crossing, Known, contradicts, lies_in},
    block::Line,
    book::{Rulebook, parse_said},
    diagnostic::{Diagnostic, Span},
    expr::{self, Atom, Expr, Test},
    read::Reader,
    vocabulary::{Domain, Fact, ROLES},
};
use model::fact::{Said, Spoken};
use serde::Serialize;

/// One `usual:` line of a fact.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Usual {
    /// The only role of which it speaks, for a fact about a party.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What is usual.
    pub is: Value,
    /// Where alone this is usual; nowhere else is what stands without a condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Expr>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
}

/// What is usual of a fact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A value, written as in a transfer: `yes`, `company`, `none`.
    Said(String),
    /// The place of the party that the fact is about.
    OwnPlace,
    /// The place of the exporter.
    ExporterPlace,
    /// Nothing is: a person is asked.
    Ask,
}

/// The word of a condition for *told, and otherwise than is usual of it*.
const OTHERWISE: &str = "otherwise";

/// Reads the `usual:` lines of a block.
pub(crate) fn read(r: &mut Reader<'_>) -> Vec<Usual> {
    let mut out: Vec<Usual> = Vec::new();
    for line in r.lines("usual") {
        let Some(usual) = read_line(r, line) else { continue };
        if usual.when.is_none() && out.iter().any(|u| u.when.is_none() && u.role == usual.role) {
            r.fault("TGT-R008", line.key_span, "`usual` is said twice", "one stands without a condition; the others say `when`");
        }
        out.push(usual);
    }
    out
}

fn read_line(r: &mut Reader<'_>, line: &Line<'_>) -> Option<Usual> {
    if !line.argument.is_empty() && !ROLES.contains(&line.argument) {
        r.fault("TGT-R008", line.key_span, format!("`{}` is no role", line.argument), "`usual exporter: …` or `usual recipient: …`, for a fact about a party");
    }
    let (value, when) = match line.value.find(" when ") {
        // A condition that cannot be read is told where it stands, and the rulebook does not load.
        Some(at) => (line.value.get(..at)?, Some(expr::parse_at(line, at + 6, line.value.get(at + 6..)?, r.diagnostics)?)),
        None => (line.value.as_ref(), None),
    };
    let is = match value.trim() {
        "party.place" => Value::OwnPlace,
        "exporter.place" => Value::ExporterPlace,
        "ask" => Value::Ask,
        value => Value::Said(value.to_string()),
    };
    let role = Some(line.argument.to_string()).filter(|a| !a.is_empty());
    Some(Usual { role, is, when, span: line.value_span })
}

impl Rulebook {
    /// Every `usual:` line names a value that its fact takes, and asks in its condition what can be asked of what was told.
    pub(crate) fn check_usual(&self, diagnostics: &mut Vec<Diagnostic>) {
        for (fact, usual) in self.vocabulary.facts.values().flat_map(|f| f.usual.iter().map(move |u| (f, u))) {
            let slot = fact.id.replacen("party.", "exporter.", 1);
            let places = matches!(fact.domain, Domain::Place | Domain::Places);
            let wrong = match &usual.is {
                Value::Ask if usual.when.is_some() => None,
                Value::Ask => Some("`ask` stands for where nothing is usual: it needs a condition".to_string()),
                Value::Said(value) => self.bind_fact(&slot, &parse_said(value)).err().map(|d| d.message),
                Value::OwnPlace | Value::ExporterPlace if places => None,
                Value::OwnPlace | Value::ExporterPlace => Some(format!("`{}` takes no place", fact.id)),
            };
            if let Some(message) = wrong {
                diagnostics.push(Diagnostic::error("TGT-R008", usual.span, message, "`usual` is a value of the fact"));
            }
            if usual.role.is_some() && !fact.id.starts_with("party.") {
                diagnostics.push(Diagnostic::error("TGT-R008", usual.span, format!("`{}` is no fact about a party", fact.id), "leave the role out"));
            }
        }
    }

    /// The atoms of all conditions of `usual:` lines, as they are asked of the exporter where they speak of both roles.
    pub(crate) fn usual_atoms(&self) -> Vec<Atom> {
        let mut out = Vec::new();
        for usual in self.vocabulary.facts.values().flat_map(|f| &f.usual) {
            let role = usual.role.as_deref().unwrap_or("exporter");
            usual.when.iter().for_each(|when| when.each_atom(&mut |a| out.push(of_role(a, role))));
        }
        out
    }

    /// Why an atom cannot be asked in such a condition.
    pub(crate) fn usual_fault(&self, a: &Atom) -> Option<String> {
        let usual = self.vocabulary.of_slot(&a.fact).map(|f| &f.usual);
        match &a.test {
            Test::Determined(_) | Test::Reading(_) => Some("what is usual hangs on told facts alone".into()),
            _ if is_otherwise(a) => usual.filter(|us| us.iter().all(|u| u.when.is_some())).map(|_| format!("nothing is usual of `{}`", a.fact)),
            _ => None,
        }
    }

    /// The same transfer with what is usually so where nobody has said it, and the slots supposed, crossing by crossing. Nothing is
    /// supposed that contradicts what was said, or that is not usual where that was said.
    pub fn suppose(&self, bound: &Bound) -> (Bound, Vec<Vec<String>>) {
        let mut supposed = bound.clone();
        let slots = self.vocabulary.slots();
        let told_and_supposed = bound.crossings.iter().zip(&mut supposed.crossings);
        let added = told_and_supposed.map(|(told, c)| slots.iter().filter(|s| self.suppose_one(told, c, s)).cloned().collect()).collect();
        (supposed, added)
    }

    fn suppose_one(&self, told: &Crossing, crossing: &mut Crossing, slot: &str) -> bool {
        let fact = self.vocabulary.of_slot(slot).filter(|_| !told.facts.contains_key(slot));
        let said = fact.and_then(|fact| self.usual_of(fact, slot, told)).and_then(|value| said(value, fact?, slot, told));
        let Some(Ok(Some(fact))) = said.map(|s| self.bind_fact(slot, &s)) else { return false };
        crossing.facts.insert(slot.to_string(), fact);
        if contradicts(self, crossing) {
            crossing.facts.remove(slot);
        }
        crossing.facts.contains_key(slot)
    }

    /// What is usual of a fact where this was told. The order of lines does not matter: of those that may hold all must hold and say
    /// the same, else nothing is usual.
    fn usual_of<'a>(&self, fact: &'a Fact, slot: &str, told: &Crossing) -> Option<&'a Value> {
        let role = slot.split_once('.')?.0;
        let mut found: Option<(&Value, bool)> = None;
        for (usual, when) in of(fact, role).filter_map(|u| u.when.as_ref().map(|w| (u, w))) {
            let holds = self.holds(when, false, role, told);
            found = match found {
                _ if !holds.may => found,
                None => Some((&usual.is, holds.must)),
                Some((is, must)) => Some((is, must && holds.must && *is == usual.is)),
            };
        }
        match found {
            Some((is, sure)) => Some(is).filter(|_| sure),
            None => plain(fact, role),
        }
        .filter(|is| **is != Value::Ask)
    }

    fn holds(&self, e: &Expr, turned: bool, role: &str, told: &Crossing) -> Holds {
        match e {
            Expr::Const(b) => Holds::surely(*b != turned),
            Expr::Not(e) => self.holds(e, !turned, role, told),
            Expr::And(es) | Expr::Or(es) => {
                let all = matches!(e, Expr::And(_)) != turned;
                es.iter().map(|e| self.holds(e, turned, role, told)).fold(Holds::surely(all), |a, b| match all {
                    true => Holds { may: a.may && b.may, must: a.must && b.must },
                    false => Holds { may: a.may || b.may, must: a.must || b.must },
                })
            }
            Expr::Atom(a) => self.atom_holds(&of_role(a, role), turned, told),
        }
    }

    fn atom_holds(&self, a: &Atom, turned: bool, told: &Crossing) -> Holds {
        let Some(fact) = self.vocabulary.of_slot(&a.fact) else { return Holds { may: true, must: false } };
        // What was not told is as is usual of it. Where nothing is, it speaks neither for a condition nor against it; only where a
        // party is may be anywhere.
        let known = told.facts.get(&a.fact).map(|f| f.known.clone()).or_else(|| self.usually(fact, &a.fact, told));
        let Some(known) = known else { return Holds { may: fact.domain == Domain::Place && fact.usual.is_empty(), must: false } };
        let holds = match is_otherwise(a) {
            true => self.otherwise(fact, &a.fact, &known, told),
            false => self.test_holds(&a.test, &known),
        };
        if turned { Holds { may: !holds.must, must: !holds.may } } else { holds }
    }

    /// What is usual of a fact whatever else was told.
    fn usually(&self, fact: &Fact, slot: &str, told: &Crossing) -> Option<Known> {
        let usual = plain(fact, slot.split('.').next()?)?;
        Some(self.bind_fact(slot, &said(usual, fact, slot, told)?).ok()??.known)
    }

    /// Whether something told is otherwise than is usual of it.
    fn otherwise(&self, fact: &Fact, slot: &str, known: &Known, told: &Crossing) -> Holds {
        match (self.usually(fact, slot, told), known) {
            (None, _) => Holds { may: true, must: false },
            (Some(usual), known) if usual == *known => Holds::surely(false),
            // A part of the usual place is no other place.
            (Some(Known::Members(usual)), Known::Members(m)) if fact.domain == Domain::Places => {
                Holds::surely(m.is_empty() || m.iter().any(|x| !usual.iter().any(|u| lies_in(x, u))))
            }
            (Some(Known::Values(usual)), Known::Values(v)) => Holds { may: true, must: v.is_disjoint(&usual) },
            _ => Holds::surely(true),
        }
    }

    fn test_holds(&self, test: &Test, known: &Known) -> Holds {
        let of_values = |holds: &dyn Fn(&String) -> bool, v: &mut dyn Iterator<Item = &String>| {
            let (mut may, mut must) = (false, true);
            v.for_each(|x| (may, must) = (may || holds(x), must && holds(x)));
            Holds { may, must: must && may }
        };
        let in_words = |x: &String, words: &[String]| words.iter().any(|w| lies_in(x, w));
        match (test, known) {
            (Test::Yes, Known::Values(v)) => of_values(&|x| x == "yes", &mut v.iter()),
            (Test::In(words), Known::Values(v)) => of_values(&|x| in_words(x, words), &mut v.iter()),
            (Test::HasAny(words), Known::Members(m)) => Holds::surely(m.iter().any(|x| in_words(x, words))),
            (Test::HasAll(words), Known::Members(m)) => Holds::surely(words.iter().all(|w| m.iter().any(|x| lies_in(x, w)))),
            (Test::HasOnly(words), Known::Members(m)) => Holds::surely(m.iter().all(|x| in_words(x, words))),
            (Test::AtLeast(n), Known::Range(lo, hi)) => Holds { may: hi >= n, must: lo >= n },
            (Test::Before(day), Known::Day(d)) => Holds::surely(d < day),
            // Which entries count is a matter of the day and of the rest of the transfer.
            (Test::OnList(list), Known::Values(v) | Known::Members(v)) => {
                let entries = self.lists.get(list).map(|l| l.entries.as_slice()).unwrap_or_default();
                Holds { may: v.iter().any(|x| entries.iter().any(|e| lies_in(x, &e.key))), must: false }
            }
            _ => Holds { may: true, must: false },
        }
    }
}

/// Whether a condition may hold, and whether it must.
#[derive(Clone, Copy)]
struct Holds {
    may: bool,
    must: bool,
}

impl Holds {
    fn surely(b: bool) -> Self {
        Self { may: b, must: b }
    }
}

/// The lines that speak of a role.
fn of<'a>(fact: &'a Fact, role: &str) -> impl Iterator<Item = &'a Usual> {
    fact.usual.iter().filter(move |u| u.role.as_deref().is_none_or(|r| r == role))
}

/// What stands without a condition; what is said of the role alone before what is said of both.
fn plain<'a>(fact: &'a Fact, role: &str) -> Option<&'a Value> {
    of(fact, role).filter(|u| u.when.is_none()).max_by_key(|u| u.role.is_some()).map(|u| &u.is)
}

/// An atom as it is asked of a role: `party.place` is the place of the party that the fact is about.
fn of_role(a: &Atom, role: &str) -> Atom {
    match a.fact.strip_prefix("party.") {
        Some(rest) => Atom { fact: format!("{role}.{rest}"), ..a.clone() },
        None => a.clone(),
    }
}

/// Whether an atom asks that something was told otherwise than is usual.
pub(crate) fn is_otherwise(a: &Atom) -> bool {
    matches!(&a.test, Test::In(words) if words.as_slice() == [OTHERWISE])
}

/// The usual value as somebody would say it.
fn said(value: &Value, fact: &Fact, slot: &str, crossing: &Crossing) -> Option<Said> {
    let place_of = |role: &str| match crossing.facts.get(&format!("{role}.place")).map(|f| &f.known) {
        Some(Known::Values(v)) if v.len() == 1 => v.first().cloned(),
        _ => None,
    };
    let place = match value {
        Value::Said(value) => return Some(parse_said(value)),
        Value::OwnPlace => place_of(slot.split_once('.')?.0)?,
        Value::ExporterPlace => place_of("exporter")?,
        Value::Ask => return None,
    };
    Some(Said::claim(match fact.domain {
        Domain::Places => Spoken::Words(vec![place]),
        _ => Spoken::Word(place),
    }))
}

#[cfg(test)]
mod tests;
