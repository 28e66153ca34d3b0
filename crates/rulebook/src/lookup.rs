//! The rulebook as people and programs look things up in it: rules by id, by layer, by day, by place.

use model::{AsOf, CivilDate, text::Text};
use crate::{
    block::{self, Block},
    book::Rulebook,
    expr::{Expr, Test},
    law::{Head, Layer, Start},
};
use serde::Serialize;

/// One rule or list entry with the layer or list that it belongs to.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Rule<'a> {
    /// `scope`, `out`, `bar`, `gate`, `route`, `obligation` or `entry`.
    pub kind: &'static str,
    /// The layer; none for an entry of a list.
    pub layer: Option<&'a str>,
    /// What every block of law carries.
    #[serde(flatten)]
    pub head: &'a Head,
}

/// How a rule stands on a day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// In force.
    InForce,
    /// Published, or not even that; begins later.
    NotYet,
    /// Enacted, its start not set.
    StartUnknown,
    /// Ended.
    Ended,
    /// Annulled: it never counted.
    Annulled,
}

impl Standing {
    /// How a block stands on a day.
    pub fn of(head: &Head, as_of: AsOf) -> Self {
        match head.from {
            _ if head.annulled.is_some_and(|a| a <= as_of.published_by) => Self::Annulled,
            Start::Unknown => Self::StartUnknown,
            Start::On(_) if head.counts(as_of) => Self::InForce,
            Start::On(_) if head.until.is_some_and(|u| u <= as_of.on) => Self::Ended,
            Start::On(_) => Self::NotYet,
        }
    }

    /// The word in files and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::InForce => "in_force",
            Self::NotYet => "not_yet",
            Self::StartUnknown => "start_unknown",
            Self::Ended => "ended",
            Self::Annulled => "annulled",
        }
    }
}

/// All rules in file order.
pub fn rules(book: &Rulebook) -> Vec<Rule<'_>> {
    let mut out: Vec<Rule<'_>> = Vec::new();
    let mut add = |kind, layer: Option<&'_ str>, head| out.push(Rule { kind, layer: layer.map(|l| of(book, l)), head });
    book.scopes.iter().for_each(|b| add("scope", Some(&b.layer), &b.head));
    book.outs.iter().for_each(|b| add("out", Some(&b.layer), &b.head));
    book.bars.iter().for_each(|b| add("bar", Some(&b.layer), &b.head));
    book.gates.iter().for_each(|b| add("gate", Some(&b.layer), &b.head));
    book.routes.iter().for_each(|b| {
        let gate = book.gates.iter().find(|g| g.head.id == b.gate);
        add("route", gate.map(|g| g.layer.as_str()), &b.head);
    });
    book.obligations.iter().for_each(|b| add("obligation", Some(&b.layer), &b.head));
    book.lists.values().flat_map(|l| &l.entries).for_each(|e| add("entry", None, &e.head));
    out.sort_by_key(|r| r.head.span);
    out
}

/// The layer's own id, which lives as long as the book.
fn of<'a>(book: &'a Rulebook, layer: &str) -> &'a str {
    book.layers.get_key_value(layer).map_or("", |(id, _)| id.as_str())
}

/// One rule.
pub fn rule<'a>(book: &'a Rulebook, id: &str) -> Option<Rule<'a>> {
    rules(book).into_iter().find(|r| r.head.id == id)
}

/// The block of a rule as the program reads it; for an entry, that of its list.
pub fn block_of<'a>(book: &'a Rulebook, head: &Head) -> Option<Block<'a>> {
    let source = book.sources.get(head.span.file)?;
    let id = head.id.split_once('#').map_or(head.id.as_str(), |(list, _)| list);
    block::parse(head.span.file, &source.text, &mut Vec::new()).into_iter().find(|b| b.id == id)
}

/// A rule in one sentence; for an entry, its list and place.
pub fn says(book: &Rulebook, rule: &Rule<'_>) -> Text {
    let Some((list, key)) = rule.head.id.split_once('#').filter(|_| rule.kind == "entry") else {
        return rule.head.says.clone();
    };
    let list = book.lists.get(list).map(|l| l.label.clone()).unwrap_or_default();
    let code = key.split('.').next().unwrap_or_default();
    let place = book.vocabulary.places.get(code).cloned().unwrap_or_else(|| Text::of(code, code));
    Text::of(format!("{}: {}", list.en, place.en), format!("{}:{}", list.ja, place.ja))
}

/// The path of the file that a rule stands in.
pub fn path_of<'a>(book: &'a Rulebook, head: &Head) -> &'a str {
    book.sources.get(head.span.file).map_or("", |s| s.path.as_str())
}

/// The rules that stood in a rule's place before it, and those that stand there after it: same kind and body of
/// law, an end that meets a start, and the same heading or provision.
pub fn neighbors<'a>(book: &'a Rulebook, rule: &Rule<'a>) -> (Vec<Rule<'a>>, Vec<Rule<'a>>) {
    let all = rules(book);
    let kin: Vec<Rule<'a>> = all.into_iter().filter(|r| r.head.id != rule.head.id && is_kin(r, rule)).collect();
    let start = |h: &Head| match h.from {
        Start::On(d) => Some(d),
        Start::Unknown => None,
    };
    let before = kin.iter().filter(|r| r.head.until.is_some() && r.head.until == start(rule.head)).copied().collect();
    let after = kin.iter().filter(|r| rule.head.until.is_some() && start(r.head) == rule.head.until).copied().collect();
    (before, after)
}

/// Other blocks of the same provision, whatever their days.
pub fn same_place<'a>(book: &'a Rulebook, rule: &Rule<'a>) -> Vec<Rule<'a>> {
    let mut out: Vec<Rule<'a>> = rules(book).into_iter().filter(|r| r.head.id == rule.head.id || is_kin(r, rule)).collect();
    out.sort_by_key(|r| match r.head.from {
        Start::On(d) => (0, d),
        Start::Unknown => (1, CivilDate::from_days(0)),
    });
    out
}

fn is_kin(a: &Rule<'_>, b: &Rule<'_>) -> bool {
    let list_key = |r: &Rule<'_>| {
        let (list, key) = r.head.id.split_once('#')?;
        Some((list.to_string(), key.split('.').next()?.to_string()))
    };
    if a.kind != b.kind || a.layer != b.layer {
        return false;
    }
    if a.kind == "entry" {
        return list_key(a) == list_key(b);
    }
    let provision = |r: &Rule<'_>| r.head.cites.split([';', ',']).next().unwrap_or_default().trim().to_string();
    a.head.span.file == b.head.span.file && (provision(a) == provision(b) && a.head.heading == b.head.heading)
}

/// What an expression says when only the exporter's place is known; `None` when other facts decide.
pub fn for_exporter(book: &Rulebook, e: &Expr, place: &str, as_of: AsOf) -> Option<bool> {
    match e {
        Expr::Const(b) => Some(*b),
        Expr::Not(e) => for_exporter(book, e, place, as_of).map(|b| !b),
        Expr::And(es) => fold(es.iter().map(|e| for_exporter(book, e, place, as_of)), false),
        Expr::Or(es) => fold(es.iter().map(|e| for_exporter(book, e, place, as_of)), true),
        Expr::Atom(a) if a.fact == "exporter.place" => match &a.test {
            Test::In(words) => Some(words.iter().any(|w| model::place::Place(place.into()).lies_in(w))),
            Test::OnList(list) => Some(is_on(book, list, place, as_of)),
            _ => None,
        },
        Expr::Atom(_) => None,
    }
}

fn is_on(book: &Rulebook, list: &str, place: &str, as_of: AsOf) -> bool {
    let entries = book.lists.get(list).map(|l| l.entries.as_slice()).unwrap_or_default();
    entries.iter().any(|e| e.head.counts(as_of) && model::place::Place(place.into()).lies_in(&e.key))
}

fn fold(parts: impl Iterator<Item = Option<bool>>, absorbing: bool) -> Option<bool> {
    let mut sure = true;
    for part in parts {
        match part {
            Some(b) if b == absorbing => return Some(absorbing),
            Some(_) => {}
            None => sure = false,
        }
    }
    sure.then_some(!absorbing)
}

/// The layers of a place: those that apply to every exporter there, and those that may.
pub fn layers_of<'a>(book: &'a Rulebook, place: &str, as_of: AsOf) -> (Vec<&'a Layer>, Vec<&'a Layer>) {
    let says = |l: &Layer| for_exporter(book, &l.applies, place, as_of);
    let here = book.layers.values().filter(|l| says(l) == Some(true) || is_covered(book, l, place, as_of)).collect();
    let maybe = book.layers.values().filter(|l| says(l).is_none() && !is_covered(book, l, place, as_of)).collect();
    (here, maybe)
}

/// Whether a layer is the general answer for exporters of a place.
pub fn is_covered(book: &Rulebook, layer: &Layer, place: &str, as_of: AsOf) -> bool {
    layer.covers.as_ref().is_some_and(|c| for_exporter(book, c, place, as_of) == Some(true))
}

/// A day on which rules begin, end, were published or annulled.
#[derive(Clone, Debug, Serialize)]
pub struct Turn<'a> {
    /// The day.
    pub on: CivilDate,
    /// Rules in force from this day.
    pub begin: Vec<Rule<'a>>,
    /// Rules no longer in force from this day.
    pub end: Vec<Rule<'a>>,
    /// Rules that were published on this day and begin later, or whose start is not set.
    pub published: Vec<Rule<'a>>,
    /// Rules that a judgment of this day removed.
    pub annulled: Vec<Rule<'a>>,
}

/// All days on which the law turns, latest first.
pub fn turns<'a>(book: &'a Rulebook, keep: impl Fn(&Rule<'a>) -> bool) -> Vec<Turn<'a>> {
    let rules: Vec<Rule<'a>> = rules(book).into_iter().filter(|r| keep(r)).collect();
    let mut days: Vec<CivilDate> = rules.iter().flat_map(|r| r.head.boundaries()).collect();
    days.sort();
    days.dedup();
    days.reverse();
    let on = |day: CivilDate, f: &dyn Fn(&Head) -> Option<CivilDate>| -> Vec<Rule<'a>> {
        rules.iter().filter(|r| f(r.head) == Some(day)).copied().collect()
    };
    let start = |h: &Head| match h.from {
        Start::On(d) => Some(d),
        Start::Unknown => None,
    };
    days.into_iter()
        .map(|day| Turn {
            on: day,
            begin: on(day, &start),
            end: on(day, &|h| h.until),
            published: on(day, &|h| h.published.filter(|p| start(h).is_none_or(|s| s != *p))),
            annulled: on(day, &|h| h.annulled),
        })
        .collect()
}
