//! How much is held of each layer: its rules, the list entries that they ask, and the worked cases that name them.

use crate::{
    book::Rulebook,
    expr::{Expr, Test},
    law::{Case, Layer},
    lookup::{self, Rule},
};
use std::collections::BTreeSet;

/// One layer counted.
#[derive(Clone, Debug)]
pub struct LayerCount<'a> {
    /// The layer.
    pub layer: &'a Layer,
    /// Its rules, whatever their ids begin with.
    pub rules: Vec<Rule<'a>>,
    /// Entries of the lists that the layer and its rules ask, and that their scopes ask.
    pub entries: usize,
    /// Worked cases that name a rule of it, an article of it, or the layer itself as what is missing.
    pub cases: usize,
}

/// Every layer, in id order.
pub fn layers(book: &Rulebook) -> Vec<LayerCount<'_>> {
    let rules = lookup::rules(book);
    book.layers
        .values()
        .map(|layer| {
            let own: Vec<Rule<'_>> = rules.iter().filter(|r| r.layer == Some(layer.id.as_str())).copied().collect();
            let lists = lists_of(book, layer);
            let entries = lists.iter().filter_map(|l| book.lists.get(*l)).map(|l| l.entries.len()).sum();
            let cases = book.cases.iter().filter(|c| names(c, layer, &own)).count();
            LayerCount { layer, rules: own, entries, cases }
        })
        .collect()
}

/// Worked cases that name neither a rule nor an article nor a layer: they say what comes out, not by what.
pub fn cases_by_verdict_alone(book: &Rulebook) -> usize {
    let by_layer = |c: &Case| c.missing.iter().any(|m| book.layers.contains_key(m));
    book.cases.iter().filter(|c| c.by.is_empty() && c.by_cite.is_empty() && !by_layer(c)).count()
}

/// An article may be cited by several laws; a case is one of the country that its id begins with.
fn names(case: &Case, layer: &Layer, own: &[Rule<'_>]) -> bool {
    let by_rule = own.iter().any(|r| case.by.contains(&r.head.id));
    let country = |id: &str| id.split('.').next().unwrap_or_default().to_string();
    let cited = |cite: &String| own.iter().any(|r| r.head.cites.contains(cite.as_str()));
    let by_article = country(&case.id) == country(&layer.id) && case.by_cite.iter().any(cited);
    by_rule || by_article || case.missing.contains(&layer.id) || case.by.contains(&layer.id)
}

/// The lists that a layer asks, those of its entries' scopes too.
pub fn lists_of<'a>(book: &'a Rulebook, layer: &'a Layer) -> BTreeSet<&'a str> {
    let mut out = BTreeSet::new();
    asked_by(book, layer).into_iter().for_each(|e| lists_in(book, e, &mut out));
    out
}

/// The slots that a layer asks about: `recipient.place`, `hop.mode`.
pub fn slots_of<'a>(book: &'a Rulebook, layer: &'a Layer) -> BTreeSet<&'a str> {
    let mut out = BTreeSet::new();
    for e in asked_by(book, layer) {
        e.each_atom(&mut |atom| {
            if book.vocabulary.of_slot(&atom.fact).is_some() {
                out.insert(atom.fact.as_str());
            }
        });
    }
    out
}

/// Every condition of a layer and of its rules.
fn asked_by<'a>(book: &'a Rulebook, layer: &'a Layer) -> Vec<&'a Expr> {
    let id = &layer.id;
    let gates: BTreeSet<&str> = book.gates.iter().filter(|g| g.layer == *id).map(|g| g.head.id.as_str()).collect();
    let mut asked: Vec<&Expr> = vec![&layer.applies];
    asked.extend(layer.gaps.iter().map(|g| &g.when));
    asked.extend(book.scopes.iter().filter(|b| b.layer == *id).map(|b| &b.reaches));
    asked.extend(book.outs.iter().filter(|b| b.layer == *id).map(|b| &b.when));
    asked.extend(book.bars.iter().filter(|b| b.layer == *id).map(|b| &b.when));
    asked.extend(book.gates.iter().filter(|b| b.layer == *id).map(|b| &b.when));
    for r in book.routes.iter().filter(|r| gates.contains(r.gate.as_str())) {
        asked.push(&r.need);
        asked.extend(&r.carries);
    }
    for o in book.obligations.iter().filter(|b| b.layer == *id) {
        asked.push(&o.when);
        asked.extend(&o.done);
    }
    asked
}

fn lists_in<'a>(book: &'a Rulebook, e: &Expr, out: &mut BTreeSet<&'a str>) {
    e.each_atom(&mut |atom| {
        if let Test::OnList(name) = &atom.test {
            if let Some((id, list)) = book.lists.get_key_value(name) {
                if out.insert(id) {
                    list.entries.iter().filter_map(|e| e.when.as_ref()).for_each(|w| lists_in(book, w, out));
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Source;

    const LAW: &str = "# L
```instrument xx.act
title: T | T
number: 1
source: https://example.org
language: en
force: statute
from: 2020-01-01
read: 2026-01-01
seen: original
review: drafted_machine
sure: high
```
```layer xx.privacy
label: L | L
zone: +00:00
tier: A
authority: A | A
applies: exporter.place is XX
checked: c | c
not_checked: n | n
```
```scope xx.act.1
layer: xx.privacy
reaches: yes
cites: Act s. 1
says: s | s
```
```gate xx.act.2
layer: xx.privacy
when: yes
cites: Act s. 2
says: s | s
```
```route xx.act.3
gate: xx.act.2
need: recipient.place on xx.good
cites: Act s. 3
says: s | s
```
```list xx.good
label: G | G
of: place
complete_as_of: 2026-01-01
entry XX: from 2020-01-01 ; Decision 1
```
";
    const REST: &str = "# R
```fact party.place
on: party
kind: given
domain: place
knows: exporter
label: p | p
ask: p? | p?
```
```places all
value XX: X | X
```
```case xx.one
title: t | t
source: invented
on: 2021-01-01
expect: permitted
by: xx.act.3
author: a
```
```case xx.two
title: t | t
source: invented
on: 2021-01-01
expect: permitted
by_cite: s. 2
author: a
```
```case yy.three
title: t | t
source: invented
on: 2021-01-01
expect: permitted
by_cite: s. 2
author: a
```
```case xx.four
title: t | t
source: invented
on: 2021-01-01
expect: permitted
author: a
```
";

    #[test]
    fn a_rule_counts_for_its_layer_whatever_its_id_begins_with() {
        let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
        let (book, _) = Rulebook::parse(vec![source("xx/act.md", LAW), source("vocabulary/r.md", REST)]);
        assert_eq!(book.cases.len(), 4);
        let counted = layers(&book);
        let only = &counted[0];
        assert_eq!((only.layer.id.as_str(), only.rules.len(), only.entries, only.cases), ("xx.privacy", 3, 1, 2));
        assert_eq!(cases_by_verdict_alone(&book), 1);
        let asked: Vec<&str> = slots_of(&book, only.layer).into_iter().collect();
        assert_eq!(asked, ["exporter.place", "recipient.place"]);
    }
}
