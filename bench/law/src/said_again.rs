//! The law of a day said again for others: when a layer refuses, as one condition, and that condition in Cedar and in Rego.

use decide::{
    cells::Cells,
    gather::{Day, Law},
    lexicon::{ANY, Lexicon, Packed, Shape, Slot},
    table::Table,
};
use rulebook::{
    expr::{Atom, Expr, Test},
    law::{IfBreached, Obligation},
};
use std::{collections::HashMap, fmt::Write};

/// A condition over plain facts: lists are read out, places stand for their parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    Const(bool),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Is(String, bool),
    In(String, Vec<String>),
    Any(String, Vec<String>),
    Only(String, Vec<String>),
    AtLeast(String, i64),
}

/// When a law refuses (DESIGN section 4, LAYER), with questions that we hold no rule for taken as harmless.
pub fn refusal(day: &Day<'_>, law: &Law<'_>, lexicon: &Lexicon) -> Condition {
    let read = |e: &Expr| condition(day, lexicon, e);
    let mut reach = law.layer.iter().map(|l| read(&l.applies)).collect::<Vec<_>>();
    reach.extend(law.stronger.iter().map(|e| not(read(e))));
    reach.push(Condition::Or(law.scopes.iter().map(|s| read(&s.reaches)).collect()));
    reach.extend(law.outs.iter().map(|o| not(read(&o.when))));
    let late = |o: &Obligation| {
        let open = o.done.as_ref().map_or(Condition::Const(true), |d| not(read(d)));
        Condition::And(vec![read(&o.when), open, read(&day.last_day_passed(&o.due))])
    };
    let mut refuses: Vec<Condition> = law.bars.iter().map(|b| read(&b.when)).collect();
    for (gate, routes) in &law.gates {
        let met = routes.iter().map(|(r, duties)| {
            let mut need = vec![read(&r.need)];
            need.extend(duties.iter().map(|o| not(late(o))));
            Condition::And(need)
        });
        refuses.push(Condition::And(vec![read(&gate.when), not(Condition::Or(met.collect()))]));
    }
    refuses.extend(law.obligations.iter().filter(|o| o.if_breached != IfBreached::SideDuty && o.route.is_none()).map(|o| late(o)));
    reach.push(Condition::Or(refuses));
    Condition::And(reach)
}

fn not(c: Condition) -> Condition {
    Condition::Not(Box::new(c))
}

fn condition(day: &Day<'_>, lexicon: &Lexicon, e: &Expr) -> Condition {
    match e {
        Expr::Const(b) => Condition::Const(*b),
        Expr::Not(e) => not(condition(day, lexicon, e)),
        Expr::And(es) => Condition::And(es.iter().map(|e| condition(day, lexicon, e)).collect()),
        Expr::Or(es) => Condition::Or(es.iter().map(|e| condition(day, lexicon, e)).collect()),
        Expr::Atom(a) => atom(day, lexicon, a),
    }
}

fn atom(day: &Day<'_>, lexicon: &Lexicon, a: &Atom) -> Condition {
    let name = a.fact.clone();
    // A reading is read our way where all that is asked is known without it.
    let Some(slot) = lexicon.slot(&a.fact) else { return Condition::Const(matches!(&a.test, Test::Reading(side) if side == "a")) };
    let words = |ws: &[String]| spelled(slot, slot.values.meant(ws));
    match &a.test {
        Test::Yes if slot.is_yes_no() => Condition::Is(name, true),
        Test::Yes => Condition::In(name, vec!["yes".into()]),
        Test::In(ws) => Condition::In(name, words(ws)),
        Test::HasAny(ws) => Condition::Any(name, words(ws)),
        Test::HasAll(ws) => Condition::And(ws.iter().map(|w| Condition::Any(name.clone(), words(std::slice::from_ref(w)))).collect()),
        Test::HasOnly(ws) => Condition::Only(name, words(ws)),
        Test::AtLeast(n) => Condition::AtLeast(name, *n),
        Test::Before(d) => not(Condition::AtLeast(name, i64::from(d.days_since_epoch()))),
        Test::Determined(_) => Condition::In(name, vec!["passes".into(), "passes_with_measures".into()]),
        Test::Reading(_) => Condition::Const(false),
        Test::OnList(list) => {
            // Entries with one scope are one set of places.
            let mut groups: Vec<(Option<&Expr>, Vec<String>)> = Vec::new();
            for entry in day.entries(list) {
                match groups.iter_mut().find(|(when, _)| *when == entry.when.as_ref()) {
                    Some((_, keys)) => keys.push(entry.key.clone()),
                    None => groups.push((entry.when.as_ref(), vec![entry.key.clone()])),
                }
            }
            let each = groups.into_iter().map(|(when, keys)| {
                let here = if slot.shape == Shape::Choice { Condition::In(name.clone(), words(&keys)) } else { Condition::Any(name.clone(), words(&keys)) };
                Condition::And(std::iter::once(here).chain(when.map(|w| condition(day, lexicon, w))).collect())
            });
            Condition::Or(each.collect())
        }
    }
}

fn spelled(slot: &Slot, cells: Cells) -> Vec<String> {
    cells.iter().filter_map(|i| slot.values.words.get(i)).cloned().collect()
}

/// The facts of a state, as an object.
pub fn facts(table: &Table, packed: &Packed) -> serde_json::Value {
    let mut out = serde_json::Map::new();
    for slot in table.lexicon.slots() {
        let at = packed.0[slot.at];
        let value = match slot.shape {
            Shape::Choice => {
                let word = slot.values.words[if at == ANY { 0 } else { at as usize }].as_str();
                if slot.is_yes_no() { (word == "yes").into() } else { word.into() }
            }
            Shape::Set => spelled(slot, slot.set(packed).unwrap_or_default()).into(),
            Shape::Count | Shape::Day => (at as i64).into(),
        };
        out.insert(slot.name.clone(), value);
    }
    out.into()
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>().join(", ")
}

impl Condition {
    /// In Cedar, over the context.
    pub fn cedar(&self) -> String {
        let joined = |cs: &[Self], with: &str, none: &str| match cs {
            [] => none.to_string(),
            [one] => one.cedar(),
            _ => format!("({})", cs.iter().map(Self::cedar).collect::<Vec<_>>().join(with)),
        };
        match self {
            Self::Const(b) => b.to_string(),
            Self::Not(c) => format!("!({})", c.cedar()),
            Self::And(cs) => joined(cs, " && ", "true"),
            Self::Or(cs) => joined(cs, " || ", "false"),
            Self::Is(slot, b) => format!("context[\"{slot}\"] == {b}"),
            Self::In(slot, words) => match words.as_slice() {
                [one] => format!("context[\"{slot}\"] == \"{one}\""),
                _ => format!("[{}].contains(context[\"{slot}\"])", quoted(words)),
            },
            Self::Any(slot, words) => match words.as_slice() {
                [one] => format!("context[\"{slot}\"].contains(\"{one}\")"),
                _ => format!("context[\"{slot}\"].containsAny([{}])", quoted(words)),
            },
            Self::Only(slot, words) => format!("[{}].containsAll(context[\"{slot}\"])", quoted(words)),
            Self::AtLeast(slot, n) => format!("context[\"{slot}\"] >= {n}"),
        }
    }
}

/// Rules of Rego: a condition with alternatives is a rule with a body for each.
#[derive(Default)]
pub struct Rego {
    text: String,
    names: HashMap<Condition, String>,
}

impl Rego {
    /// The whole, with the names of what refuses: the first that holds ends it.
    pub fn text(&self, refusals: &[String]) -> String {
        // LIMIT: a rule of regorus has room for some 250 alternatives.
        const TOGETHER: usize = 64;
        let mut out = format!("package law\n\nimport rego.v1\n\n{}", self.text);
        let mut chain: Vec<String> = Vec::new();
        for (n, group) in refusals.chunks(TOGETHER).enumerate() {
            let of_group: Vec<String> = group.iter().map(|r| format!("true if {{ {r} }}")).collect();
            let _written = writeln!(out, "refused{n} := {}", of_group.join("\nelse := "));
            chain.push(format!("false if {{ refused{n} }}"));
        }
        let _written = write!(out, "\nlawful := {} else := true\n", chain.join("\nelse := "));
        out
    }

    /// The name of a rule that holds when the condition does.
    pub fn rule(&mut self, c: &Condition) -> String {
        if let Some(name) = self.names.get(c) {
            return name.clone();
        }
        let bodies: Vec<String> = match c {
            Condition::Or(cs) => cs.iter().map(|c| self.body(c)).collect(),
            one => vec![self.body(one)],
        };
        let name = format!("r{}", self.names.len());
        self.names.insert(c.clone(), name.clone());
        if bodies.is_empty() {
            let _written = writeln!(self.text, "{name} if {{ false }}");
        }
        for body in bodies {
            let _written = writeln!(self.text, "{name} if {{ {body} }}");
        }
        name
    }

    fn body(&mut self, c: &Condition) -> String {
        match c {
            Condition::Const(b) => b.to_string(),
            Condition::And(cs) if cs.is_empty() => "true".into(),
            Condition::And(cs) => cs.iter().map(|c| match c {
                Condition::And(_) | Condition::Any(..) => self.rule(c),
                c => self.body(c),
            }).collect::<Vec<_>>().join("; "),
            Condition::Or(_) => self.rule(c),
            Condition::Not(c) => match &**c {
                Condition::Is(slot, b) => format!("input[\"{slot}\"] == {}", !b),
                Condition::AtLeast(slot, n) => format!("input[\"{slot}\"] < {n}"),
                c => format!("not {}", self.rule(c)),
            },
            Condition::Is(slot, b) => format!("input[\"{slot}\"] == {b}"),
            Condition::In(slot, words) => format!("input[\"{slot}\"] in {{{}}}", quoted(words)),
            Condition::Any(slot, words) => match words.as_slice() {
                [one] => format!("\"{one}\" in input[\"{slot}\"]"),
                _ => format!("some w in input[\"{slot}\"]; w in {{{}}}", quoted(words)),
            },
            Condition::Only(slot, words) => format!("every w in input[\"{slot}\"] {{ w in {{{}}} }}", quoted(words)),
            Condition::AtLeast(slot, n) => format!("input[\"{slot}\"] >= {n}"),
        }
    }
}
