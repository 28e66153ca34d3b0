//! The same clauses for two policy engines: every condition of every layer as Cedar and as Rego, written by the same walk.

use decide::{gather::{Day, Law, last_day_passed}, lexicon::{Lexicon, Packed, Shape}};
use rulebook::{expr::{Atom, Expr, Test}, law::IfBreached};
use serde_json::{Map, Value, json};

/// What refuses, clause by clause: gaps left out, as nobody else has them.
pub fn refusals(day: &Day<'_>, law: &Law<'_>) -> Vec<Expr> {
    let Some(layer) = law.layer else { return Vec::new() };
    let not = |e: Expr| Expr::Not(Box::new(e));
    let mut reach = vec![layer.applies.clone()];
    reach.extend(law.stronger.iter().map(|e| not((*e).clone())));
    reach.push(Expr::Or(law.scopes.iter().map(|s| s.reaches.clone()).collect()));
    reach.extend(law.outs.iter().map(|o| not(o.when.clone())));
    let within = |more: Vec<Expr>| Expr::And(reach.iter().cloned().chain(more).collect());
    let late = |o: &rulebook::law::Obligation| {
        let done = o.done.clone().unwrap_or(Expr::Const(false));
        vec![o.when.clone(), not(done), last_day_passed(&o.due, day.as_of.on)]
    };
    let mut out: Vec<Expr> = law.bars.iter().map(|b| within(vec![b.when.clone()])).collect();
    for (gate, routes) in &law.gates {
        let met = routes.iter().map(|(r, duties)| {
            let in_time = duties.iter().map(|o| not(Expr::And(reach.iter().cloned().chain(late(o)).collect())));
            Expr::And(std::iter::once(r.need.clone()).chain(in_time).collect())
        });
        out.push(within(vec![gate.when.clone(), not(Expr::Or(met.collect()))]));
    }
    let binds = |o: &&&rulebook::law::Obligation| o.if_breached != IfBreached::SideDuty && o.route.is_none();
    out.extend(law.obligations.iter().filter(binds).map(|o| within(late(o))));
    out
}

fn name(slot: &str) -> String {
    slot.replace('.', "_")
}

fn quoted<'a>(words: impl IntoIterator<Item = &'a String>) -> String {
    words.into_iter().map(|w| format!("{w:?}")).collect::<Vec<_>>().join(", ")
}

/// The values that an atom's words mean.
fn meant(lexicon: &Lexicon, slot: &str, words: &[String]) -> Vec<String> {
    let Some(s) = lexicon.slot(slot) else { return Vec::new() };
    s.values.meant(words).iter().filter_map(|i| s.values.words.get(i)).cloned().collect()
}

/// An atom without lists: on-list is opened into its entries.
fn opened(day: &Day<'_>, a: &Atom, list: &str) -> Expr {
    Expr::Or(day.entries(list).iter().map(|e| {
        let here = Expr::Atom(Atom { test: Test::In(vec![e.key.clone()]), ..a.clone() });
        Expr::And(std::iter::once(here).chain(e.when.clone()).collect())
    }).collect())
}

/// Cedar's words for a condition.
pub fn cedar(day: &Day<'_>, lexicon: &Lexicon, e: &Expr) -> String {
    let many = |es: &[Expr], op: &str, none: &str| match es.len() {
        0 => none.to_string(),
        _ => format!("({})", es.iter().map(|e| cedar(day, lexicon, e)).collect::<Vec<_>>().join(op)),
    };
    match e {
        Expr::Const(b) => b.to_string(),
        Expr::Not(e) => format!("!({})", cedar(day, lexicon, e)),
        Expr::And(es) => many(es, " && ", "true"),
        Expr::Or(es) => many(es, " || ", "false"),
        Expr::Atom(a) => {
            let fact = format!("context.{}", name(&a.fact));
            match &a.test {
                Test::OnList(list) => cedar(day, lexicon, &opened_typed(day, lexicon, a, list)),
                Test::Reading(side) => format!("(context.reading == {side:?})"),
                Test::Yes => format!("({fact} == \"yes\")"),
                Test::In(ws) => format!("[{}].contains({fact})", quoted(&meant(lexicon, &a.fact, ws))),
                Test::Determined(_) => format!("[\"passes\", \"passes_with_measures\"].contains({fact})"),
                Test::HasAny(ws) => format!("{fact}.containsAny([{}])", quoted(&meant(lexicon, &a.fact, ws))),
                Test::HasAll(ws) => format!("({})", ws.iter().map(|w| format!("{fact}.containsAny([{}])", quoted(&meant(lexicon, &a.fact, std::slice::from_ref(w))))).collect::<Vec<_>>().join(" && ")),
                Test::HasOnly(ws) => format!("[{}].containsAll({fact})", quoted(&meant(lexicon, &a.fact, ws))),
                Test::AtLeast(n) => format!("({fact} >= {n})"),
                Test::Before(d) => format!("({fact} < {})", d.days_since_epoch()),
            }
        }
    }
}

fn opened_typed(day: &Day<'_>, lexicon: &Lexicon, a: &Atom, list: &str) -> Expr {
    let set = lexicon.slot(&a.fact).is_some_and(|s| s.shape == Shape::Set);
    let mut e = opened(day, a, list);
    if let Expr::Or(es) = &mut e {
        for entry in es {
            if let Expr::And(parts) = entry {
                if let Some(Expr::Atom(x)) = parts.first_mut() {
                    let words = match &x.test { Test::In(w) | Test::HasAny(w) => w.clone(), _ => Vec::new() };
                    x.test = if set { Test::HasAny(words) } else { Test::In(words) };
                }
            }
        }
    }
    e
}

/// Rego's rules for a condition; the name of the rule that holds when it does.
pub fn rego(day: &Day<'_>, lexicon: &Lexicon, e: &Expr, out: &mut Vec<String>) -> String {
    let body = match e {
        Expr::Const(b) => vec![b.to_string()],
        Expr::Not(e) => vec![format!("not {}", rego(day, lexicon, e, out))],
        Expr::And(es) if es.is_empty() => vec!["true".into()],
        Expr::And(es) => vec![es.iter().map(|e| rego(day, lexicon, e, out)).collect::<Vec<_>>().join("; ")],
        Expr::Or(es) if es.is_empty() => vec!["false".into()],
        Expr::Or(es) => es.iter().map(|e| rego(day, lexicon, e, out)).collect(),
        Expr::Atom(a) => {
            let fact = format!("input.{}", name(&a.fact));
            let any = |ws: &[String]| format!("some v in {fact}; v in {{{}}}", quoted(&meant(lexicon, &a.fact, ws)));
            match &a.test {
                Test::OnList(list) => vec![rego(day, lexicon, &opened_typed(day, lexicon, a, list), out)],
                Test::Reading(side) => vec![format!("input.reading == {side:?}")],
                Test::Yes => vec![format!("{fact} == \"yes\"")],
                Test::In(ws) => vec![format!("{fact} in {{{}}}", quoted(&meant(lexicon, &a.fact, ws)))],
                Test::Determined(_) => vec![format!("{fact} in {{\"passes\", \"passes_with_measures\"}}")],
                Test::HasAny(ws) => vec![any(ws)],
                Test::HasAll(ws) => {
                    let all: Vec<Expr> = ws.iter().map(|w| Expr::Atom(Atom { test: Test::HasAny(vec![w.clone()]), ..a.clone() })).collect();
                    vec![rego(day, lexicon, &Expr::And(all), out)]
                }
                Test::HasOnly(ws) => vec![format!("count([v | some v in {fact}; not v in {{{}}}]) == 0", quoted(&meant(lexicon, &a.fact, ws)))],
                Test::AtLeast(n) => vec![format!("{fact} >= {n}")],
                Test::Before(d) => vec![format!("{fact} < {}", d.days_since_epoch())],
            }
        }
    };
    let rule = format!("c{}", out.len());
    out.push(body.iter().map(|b| format!("{rule} if {{ {b} }}\n")).collect());
    rule
}

/// The facts of a state in which everything is known, as both engines take them.
pub fn input(lexicon: &Lexicon, facts: &Packed) -> Value {
    let mut out = Map::new();
    out.insert("reading".into(), json!("a"));
    for s in lexicon.slots() {
        let value = match s.shape {
            Shape::Choice => json!(s.word(facts).and_then(|i| s.values.words.get(i))),
            Shape::Set => json!(s.set(facts).unwrap_or_default().iter().filter_map(|i| s.values.words.get(i)).collect::<Vec<_>>()),
            Shape::Count | Shape::Day => json!(facts.0.get(s.at).map(|n| *n as i64)),
        };
        out.insert(name(&s.name), value);
    }
    Value::Object(out)
}
