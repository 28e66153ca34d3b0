//! Wrong input is told whole: a file with twenty faults shows twenty, each in its place; facts that contradict each other,
//! alone or only together, are both named.

use model::{
    fact::{Said, Spoken},
    transfer::Transfer,
};
use rulebook::book::{Rulebook, Source, loads};

const WORDS: &str = "# Words
```places some
value DE: Germany | ドイツ
value JP: Japan | 日本
```
```fact party.place
on: party
kind: given
domain: place
label: place | 場所
ask: Where? | どこ
knows: exporter
```
```fact data.people
on: data
kind: given
domain: yes_no
label: people | 個人
ask: People? | 個人
knows: exporter
```
```fact data.names
on: data
kind: given
domain: yes_no
label: names | 氏名
ask: Names? | 氏名
knows: exporter
```
```fact data.machines_only
on: data
kind: given
domain: yes_no
label: machines only | 機械のみ
ask: Machines only? | 機械のみ
knows: exporter
```
```constraint c.names
never: data.names and not data.people
says: Names are about people. | 氏名は個人に関する。
```
```constraint c.machines
never: data.machines_only and data.people
says: Machines are no people. | 機械は個人ではない。
```
";

/// One fault a line of the comment beside it.
const FAULTS: &str = "# Twenty faults
```instrument act
title: Act
number: 1
source: https://law.example/act
language: en
read: 2026-13-01
seen: orginal
review: drafted_machine
sure: high
from: 2020-01-01
```
```layer l
label: L | L
zone: nine
tier: D
applies: exporter.plaec is DE
checked: C | C
not_checked: N | N
```
```scope l.scope
layer: ll
reaches: exporter.place is XX
cites: s. 1
says: S | S
```
```bar l.bar
layer: l
when: exporter.place >= 5
says: S | S
```
```bar l.bar
layer: l
when: yes and
cites: s. 2
says: S
```
```gate l.gate
layer: l
when: (yes
cites: s. 3
says: S | S
```
```route l.route
gate: l.gaet
rank: 1
need: reading q is c
cites: s. 3
says: S | S
```
```obligation l.duty
layer: l
when: yes
due: soon
if_breached: maybe
cites: s. 4
says: S | S
```
```gaet l.other
when: yes
```
```measure m
label: M | M
does: data.people is yes
decides: somebody
```
";

#[test]
fn a_file_with_twenty_faults_shows_twenty() {
    let (_, found) = Rulebook::parse(vec![
        Source { path: "a.md".into(), text: WORDS.into() },
        Source { path: "b.md".into(), text: FAULTS.into() },
    ]);
    for d in &found {
        let at = d.span.map(|s| FAULTS.get(s.start..s.end).unwrap_or("?").lines().next().unwrap_or("").to_string());
        println!("{} {} — {:?}", d.code, d.message, at);
    }
    let placed = found.iter().filter(|d| d.span.is_some_and(|s| s.file == 1 && s.start < s.end && s.end <= FAULTS.len())).count();
    assert!(!loads(&found));
    assert!(placed >= 20, "only {placed} faults are shown in their place");
}

fn diagnostics(facts: &[(&str, bool)]) -> Vec<String> {
    let (book, found) = Rulebook::parse(vec![Source { path: "a.md".into(), text: WORDS.into() }]);
    assert!(loads(&found), "{found:?}");
    let said = facts.iter().map(|(s, b)| (s.to_string(), Said::claim(Spoken::YesNo(*b))));
    match book.bind(&Transfer::single(said)) {
        Ok(_) => Vec::new(),
        Err(found) => found.into_iter().map(|d| d.message).collect(),
    }
}

#[test]
fn facts_that_contradict_each_other_are_both_named() {
    let direct = diagnostics(&[("data.names", true), ("data.people", false)]);
    assert!(direct.len() == 1 && direct[0].contains("`data.names`") && direct[0].contains("`data.people`"), "{direct:?}");
    // Neither constraint alone says so: names are about people, and machines are no people.
    let joint = diagnostics(&[("data.names", true), ("data.machines_only", true)]);
    assert!(joint.len() == 1 && joint[0].contains("`data.names`") && joint[0].contains("`data.machines_only`"), "{joint:?}");
    assert!(diagnostics(&[("data.names", true)]).is_empty());
}
