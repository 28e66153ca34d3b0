//! An answer that rests on an entry of a list names the entry: the decision, listing or designation, with its dates and
//! review state; and where it went, if that is why not.

#![allow(clippy::unwrap_used)]

use decide::{
    decision::{Clause, Decision, EntryAnswer, EntryRole, Verdict},
    engine::Engine,
    footing,
};
use model::{AsOf, citation::Review, transfer::Transfer};
use rulebook::book::{Rulebook, Source, loads, parse_said};
use std::path::Path;

const LAW: &str = "# Law
```instrument xx.text
title: Act | 法
number: 1
source: https://example.org/act
language: English
force: statute
from: 2020-01-01
read: 2026-01-01
seen: original
review: checked_machine
sure: high
```
```layer xx.act
label: Act | 法
zone: +00:00
tier: A
authority: Board | 委員会
applies: exporter.place is XX
covers: exporter.place is XX
checked: transfers | 移転
not_checked: nothing | なし
```
```scope xx.act.1
layer: xx.act
reaches: yes
cites: Art. 1
says: All of it. | 全部。
```
```gate xx.act.2
layer: xx.act
when: not recipient.place is XX
cites: Art. 2
says: Only by a route. | 経路による。
```
```route xx.act.3
gate: xx.act.2
rank: 1
need: NEED
cites: Art. 3
says: To a place on the list. | リストの国へ。
```
";

const LIST: &str = "# List
```instrument xx.decisions
title: Decisions | 決定
number: 1
source: https://example.org/list
language: English
force: decision
from: 2020-01-01
read: 2026-01-01
seen: secondary
review: REVIEW
sure: high
```
```list xx.good
label: Good places | 良い国
of: place
complete_as_of: 2026-01-01
entry YY: from 2020-01-01 until 2024-01-01 ; Decision 1
entry YY: from 2024-01-01 ; Decision 2 renewing Decision 1
entry ZZ: from 2020-01-01 annulled 2022-01-01 ; Decision 3, invalid: C-1/22 ; when recipient.listed has any {shield}
entry ZZ: from 2023-01-01 ; Decision 4 ; when recipient.listed has any {frame}
entry WW: from 2020-01-01 until 2023-01-01 ; Decision 5
entry VV: from 2027-01-01 published 2020-01-01 ; Decision 6
```
";

const WORDS: &str = "# Vocabulary
```fact party.place
on: party
domain: place
kind: given
label: place | 所在
ask: Where? | どこ?
knows: exporter
```
```fact party.listed
on: party
domain: set of
value shield: Shield | シールド
value frame: Frame | フレーム
kind: given
label: lists that it is on | 掲載リスト
ask: Which lists? | どのリスト?
knows: recipient
```
```places all
value XX: X | X
value YY: Y | Y
value ZZ: Z | Z
value WW: W | W
value VV: V | V
value UU: U | U
```
";

fn invented(need: &str, review: &str) -> Engine {
    let text = |path: &str, text: String| Source { path: path.into(), text };
    let sources = vec![
        text("xx/act.md", LAW.replace("NEED", need)),
        text("lists/good.md", LIST.replace("REVIEW", review)),
        text("vocabulary/words.md", WORDS.into()),
    ];
    let (book, findings) = Rulebook::parse(sources);
    assert!(loads(&findings), "{findings:?}");
    Engine::new(book)
}

fn real() -> Engine {
    fn collect(dir: &Path, root: &Path, out: &mut Vec<Source>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                collect(&path, root, out);
            } else if name.ends_with(".md") && !name.starts_with("demo") && !name.starts_with("cases") {
                out.push(Source { path: name, text: std::fs::read_to_string(&path).unwrap() });
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources);
    Engine::new(Rulebook::parse(sources).0)
}

fn decide(engine: &mut Engine, facts: &[(&str, &str)], on: &str) -> Decision {
    let given = facts.iter().map(|(slot, value)| (slot.to_string(), parse_said(value)));
    let bound = engine.book.bind(&Transfer::single(given)).unwrap();
    engine.decide(&bound, AsOf::then(on.parse().unwrap())).unwrap()
}

fn to(engine: &mut Engine, place: &str, on: &str) -> Decision {
    decide(engine, &[("exporter.place", "XX"), ("recipient.place", place)], on)
}

fn entries(d: &Decision) -> Vec<(&str, EntryRole)> {
    let all = d.crossings.iter().flat_map(|c| &c.deciding).flat_map(|c| &c.entries);
    all.map(|e| (e.id.as_str(), e.role)).collect()
}

fn clause<'a>(d: &'a Decision, id: &str) -> &'a Clause {
    d.crossings.iter().flat_map(|c| c.layers.iter().flat_map(|l| &l.clauses)).find(|c| c.id == id).unwrap()
}

fn entry<'a>(d: &'a Decision, id: &str) -> &'a EntryAnswer {
    d.crossings.iter().flat_map(|c| &c.deciding).flat_map(|c| &c.entries).find(|e| e.id == id).unwrap()
}

#[test]
fn the_entry_of_the_day_carries_the_rule_and_is_named_with_its_dates() {
    let mut engine = invented("recipient.place on xx.good", "checked_machine");
    for (on, id, cites) in [("2021-01-01", "xx.good#YY", "Decision 1"), ("2024-01-01", "xx.good#YY.2", "Decision 2 renewing Decision 1")] {
        let d = to(&mut engine, "YY", on);
        assert_eq!((d.verdict, entries(&d)), (Verdict::Permitted, vec![(id, EntryRole::Carries)]));
        assert_eq!(entry(&d, id).citation.cites, cites);
        assert_eq!(entry(&d, id).citation.source, "https://example.org/list");
        assert!(footing::carried_by_entries(&d) == [format!("xx.act.3 (Art. 3) by {id} ({cites})")]);
    }
}

#[test]
fn an_entry_for_those_who_are_on_a_list_themselves_says_so() {
    let mut engine = invented("recipient.place on xx.good", "checked_machine");
    let listed = |value| [("exporter.place", "XX"), ("recipient.place", "ZZ"), ("recipient.listed", value)];
    let d = decide(&mut engine, &listed("{frame}"), "2025-01-01");
    assert_eq!(entries(&d), [("xx.good#ZZ.2", EntryRole::Carries)]);
    assert_eq!(entry(&d, "xx.good#ZZ.2").given[0].en, "recipient: lists that it is on: Frame");
    // On no list: the entry is in force and does not cover it, and its own condition says why.
    let d = decide(&mut engine, &listed("none"), "2025-01-01");
    let falls = &clause(&d, "xx.act.3").entries;
    assert_eq!(falls.iter().map(|e| (e.id.as_str(), e.role)).collect::<Vec<_>>(), [("xx.good#ZZ.2", EntryRole::FallsShort)]);
    assert!(falls[0].unmet[0].says.en.contains("Frame"));
    // Not said: it may.
    let d = to(&mut engine, "ZZ", "2025-01-01");
    assert_eq!(clause(&d, "xx.act.3").entries[0].role, EntryRole::MayCarry);
}

#[test]
fn what_ended_was_annulled_or_has_not_begun_is_why_not() {
    let mut engine = invented("recipient.place on xx.good", "checked_machine");
    let d = to(&mut engine, "WW", "2023-01-01");
    assert_eq!((d.verdict, entries(&d)), (Verdict::Prohibited, vec![("xx.good#WW", EntryRole::Ended)]));
    assert_eq!(entry(&d, "xx.good#WW").citation.until, Some("2023-01-01".parse().unwrap()));
    let d = to(&mut engine, "VV", "2023-01-01");
    assert_eq!(entries(&d), [("xx.good#VV", EntryRole::NotYet)]);
    let shield = [("exporter.place", "XX"), ("recipient.place", "ZZ"), ("recipient.listed", "{shield}")];
    let d = decide(&mut engine, &shield, "2022-01-01");
    assert_eq!((d.verdict, entries(&d)), (Verdict::Prohibited, vec![("xx.good#ZZ", EntryRole::Annulled)]));
    assert_eq!(entry(&d, "xx.good#ZZ").annulled, Some("2022-01-01".parse().unwrap()));
    // The day before it carried; and a place that never was on the list names no entry.
    assert_eq!(entries(&decide(&mut engine, &shield, "2021-12-31")), [("xx.good#ZZ", EntryRole::Carries)]);
    assert!(entries(&to(&mut engine, "UU", "2023-01-01")).is_empty());
    // A renewed entry is no lapse.
    assert!(to(&mut engine, "YY", "2024-01-01").crossings[0].deciding.iter().all(|c| c.lapsed().next().is_none()));
}

#[test]
fn a_weaker_reading_of_the_entry_weakens_the_answer_and_opens_no_flow_unnamed() {
    let mut engine = invented("recipient.place on xx.good", "drafted_machine");
    let d = to(&mut engine, "YY", "2025-01-01");
    assert_eq!((d.verdict, d.weakest_review), (Verdict::Permitted, Some(Review::DraftedMachine)));
    assert_eq!(d.weakest_seen, Some(model::citation::Seen::Secondary));
    let once = footing::read_once(&d);
    assert_eq!(once.len(), 1);
    assert_eq!(once[0].names(), "xx.good#YY.2 (Decision 2 renewing Decision 1)");
    let names = |n: &str| once[0].accepted(&[n.to_string()]).is_some();
    assert!(names("xx.good#YY.2") && names("xx.good") && names("xx.act"));
    assert!(!names("xx.act.3") && !names("xx.good#YY"), "the rule was read twice; the entry is what must be accepted");
    // What the answer does not rest on weakens nothing.
    let d = to(&mut engine, "UU", "2025-01-01");
    assert_eq!(d.weakest_review, Some(Review::CheckedMachine));
}

#[test]
fn of_alternatives_the_one_that_was_read_best_carries() {
    let need = "recipient.place on xx.good or not recipient.place is UU";
    let mut engine = invented(need, "drafted_machine");
    let d = to(&mut engine, "YY", "2025-01-01");
    assert_eq!((d.verdict, entries(&d), footing::read_once(&d).len()), (Verdict::Permitted, vec![], 0));
    let mut engine = invented("not (not recipient.place on xx.good)", "checked_machine");
    assert_eq!(entries(&to(&mut engine, "YY", "2025-01-01")), [("xx.good#YY.2", EntryRole::Carries)]);
}

#[test]
fn the_real_rulebook_names_the_decision_on_japan_and_the_end_of_the_shield() {
    let mut engine = real();
    let japan = [
        ("exporter.place", "DE"), ("recipient.place", "JP"), ("recipient.subject_to", "{jp.appi}"), ("recipient.capacity", "{controller}"),
    ];
    let d = decide(&mut engine, &japan, "2026-11-22");
    let route = clause(&d, "eu.gdpr.45");
    assert!(route.carriers().any(|e| e.id == "eu.adequacy#JP" && e.citation.cites.contains("2019/419")), "{route:?}");
    let shield = [("exporter.place", "DE"), ("recipient.place", "US"), ("recipient.listed", "{us_privacy_shield}"), ("subjects.employees", "no")];
    let before = decide(&mut engine, &shield, "2020-07-15");
    assert!(clause(&before, "eu.gdpr.45").carriers().any(|e| e.citation.cites.contains("2016/1250")));
    let after = decide(&mut engine, &shield, "2020-07-16");
    let lapsed = clause(&after, "eu.gdpr.45").lapsed().next().unwrap();
    assert!(lapsed.citation.cites.contains("C-311/18") && lapsed.role == EntryRole::Annulled);
}
