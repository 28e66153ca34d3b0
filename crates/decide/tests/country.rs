//! A country is added by editing `rules/` alone: an invented one, with a fact, a threshold, a list and a sector rule of
//! its own, end to end.

#[path = "reference/rules.rs"]
mod rules;

use decide::{
    case::{self, Outcome},
    counter,
    decision::{Missing, Verdict},
    engine::Engine,
    hygiene,
};
use model::{
    AsOf,
    fact::{Said, Spoken},
    transfer::Transfer,
};
use rulebook::book::Source;

const WORDS: &str = "# Words of Ruritania
```places ruritania
value XR: Ruritania | ルリタニア
```
```fact hop.xr_royal_seal
on: hop
kind: measure
domain: yes_no
label: royal seal on the transfer | 移転への王印
ask: Is the royal seal on it? | 王印がありますか
knows: exporter
```
```fact volume.xr_subjects_this_year
on: hop
kind: counter
domain: count
label: subjects this year | 本年の対象者数
ask: How many people this year? | 本年の人数は
knows: exporter
```
";

const LAW: &str = "# Ruritania · Data Ordinance
```instrument xr.ordinance
title: Data Ordinance | データ令
number: Ord. 7/2024
source: https://law.example/xr
language: en
force: statute
from: 2024-01-01
read: 2026-11-01
seen: original
review: drafted_machine
sure: high
```
```layer xr.ordinance_layer
label: Ruritania: Data Ordinance | ルリタニア:データ令
zone: +01:00
tier: A
authority: Chancery | 官房
covers: exporter.place is XR
applies: exporter.place is XR
checked: ss 1 to 5 | 1条から5条
not_checked: nothing else exists | ほかになし
```
## s. 1
```scope xr.1
layer: xr.ordinance_layer
reaches: data.about_people and not recipient.place is XR
cites: s. 1
says: Data about people that leave the realm. | 国外に出る個人に関するデータ。
```
## s. 2
```gate xr.2
layer: xr.ordinance_layer
when: not recipient.place on xr.friends
cites: s. 2
says: Only with the seal, unless to a friend. | 友好国以外は王印が必要。
```
```route xr.2.seal
gate: xr.2
rank: 1
need: hop.xr_royal_seal
cites: s. 2(1)
says: The royal seal is on it. | 王印がある。
```
## s. 3
```bar xr.3
layer: xr.ordinance_layer
when: volume.xr_subjects_this_year >= 5,000
cites: s. 3
says: Never five thousand subjects a year. | 年間5千人以上は不可。
alternative: Send fewer. | 減らす。
```
## s. 4
```bar xr.4
layer: xr.ordinance_layer
when: exporter.sector has any {finance}
localization: only_here
cites: s. 4
says: Banks keep their books at home. | 銀行の帳簿は国内に置く。
alternative: Keep them at home. | 国内に置く。
```
```measure xr.m.seal
label: Ask the Chancery for the seal | 官房に王印を求める
does: hop.xr_royal_seal is yes
if: exporter.place is XR
decides: authority
money: 100
days: 30
```
";

const LIST: &str = "# Friends
```instrument xr.friends_order
title: Friends Order | 友好国令
number: 1
source: https://law.example/xr/friends
language: en
force: delegated
from: 2024-01-01
read: 2026-11-01
seen: original
review: drafted_machine
sure: high
```
```list xr.friends
label: friends of the realm | 友好国
of: place
complete_as_of: 2026-11-01
entry JP: from 2024-06-01 ; Friends Order 1
```
";

const CASES: &str = "# Cases
```case xr.friend
title: To a friend | 友好国へ
source: invented
on: 2026-11-22
given exporter.place: XR
given exporter.targets: {XR}
given exporter.sector: {retail}
given recipient.place: JP
given data.about_people: yes
given data.categories: {contact}
given volume.xr_subjects_this_year: 10
expect: permitted
twin: xr.friend.before
author: written with the test
```
```case xr.friend.before
title: Before it was a friend | 友好国となる前
source: invented
on: 2024-05-31
given exporter.place: XR
given exporter.targets: {XR}
given exporter.sector: {retail}
given recipient.place: JP
given data.about_people: yes
given data.categories: {contact}
given volume.xr_subjects_this_year: 10
expect: conditional
way: xr.m.seal
twin: xr.friend
author: written with the test
```
```case xr.bank
title: A bank | 銀行
source: invented
on: 2026-11-22
given exporter.place: XR
given exporter.targets: {XR}
given exporter.sector: {finance}
given recipient.place: JP
given data.about_people: yes
given data.categories: {contact}
given volume.xr_subjects_this_year: 10
expect: prohibited
by: xr.4
twin: xr.friend
author: written with the test
```
";

fn engine() -> Engine {
    let mut sources = rules::sources();
    let new = [("vocabulary/xr.md", WORDS), ("xr/ordinance.md", LAW), ("lists/xr-friends.md", LIST), ("cases/xr.md", CASES)];
    sources.extend(new.map(|(path, text)| Source { path: path.into(), text: text.into() }));
    Engine::new(rules::parse(sources))
}

fn facts(more: &[(&str, Spoken)]) -> Transfer {
    let base = [("exporter.place", Spoken::Word("XR".into())), ("exporter.targets", Spoken::Words(vec!["XR".into()])), ("data.about_people", Spoken::YesNo(true)), ("data.categories", Spoken::Words(vec!["contact".into()]))];
    Transfer::single(base.iter().chain(more).map(|(s, v)| (s.to_string(), Said::claim(v.clone()))))
}

#[test]
fn an_invented_country_is_decided_end_to_end() {
    let mut engine = engine();
    let today = AsOf::then("2026-11-22".parse().unwrap());
    for c in engine.book.cases.clone().iter().filter(|c| c.id.starts_with("xr.")) {
        let (outcome, _) = case::run(&mut engine, c).unwrap();
        assert!(matches!(outcome, Outcome::Passed), "{}: {outcome:?}", c.id);
    }
    // Its own fact is asked for, and its threshold is warned of.
    let retail = ("exporter.sector", Spoken::Words(vec!["retail".into()]));
    let open = engine.book.bind(&facts(&[("recipient.place", Spoken::Word("JP".into())), retail.clone()])).unwrap();
    let d = engine.decide(&open, today).unwrap();
    assert_eq!(d.verdict, Verdict::Undetermined);
    assert!(matches!(&d.crossings[0].missing[0], Missing::Fact { slot, .. } if slot == "volume.xr_subjects_this_year"), "{:?}", d.crossings[0].missing);
    let near = engine.book.bind(&facts(&[("recipient.place", Spoken::Word("JP".into())), retail, ("volume.xr_subjects_this_year", Spoken::Number(4_800))])).unwrap();
    let table = engine.table(today).unwrap();
    let warned = counter::warnings(&table, &near.crossings[0]);
    assert_eq!(warned.len(), 1);
    assert_eq!((warned[0].count, warned[0].threshold, warned[0].now, warned[0].then), (4_800, 5_000, Verdict::Permitted, Verdict::Prohibited));
    // It answers for its exporters now, and nothing is wrong with its rules.
    assert!(!hygiene::uncovered(&engine.book, today).unwrap().contains(&"XR".to_string()));
}

#[test]
fn nothing_of_another_country_is_compiled_anew() {
    let mut before = Engine::new(rules::parse(rules::sources()));
    let today = AsOf::then("2026-11-22".parse().unwrap());
    before.table(today).unwrap();
    let (n, mut sources) = (before.units().len(), rules::sources());
    // An edit of one act: its layers alone are compiled again.
    let act = sources.iter_mut().find(|s| s.path == "th/pdpa.md").unwrap();
    act.text = act.text.replacen("\nreaches: ", "\nreaches: hop.same_group and ", 1);
    let mut after = before.revised(rules::parse(sources));
    after.table(today).unwrap();
    assert!(after.units().len() > n && after.units().len() <= n + 2, "{n} units before, {} after", after.units().len());
}
