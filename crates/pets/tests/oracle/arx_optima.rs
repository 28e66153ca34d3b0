//! Not compiled here: the data (ARX's data/adult.csv and its hierarchies) are not ours to commit. To repeat, copy this file
//! to crates/pets/tests/, put the data in /tmp/arx, and run `cargo test -p pets --test arx_optima -- --nocapture`.
//! README.md beside this file has the results of 2026-11-22 and ARX's own.

use arrow_array::*;
use pets::{catalogue::Catalogue, classify::*, dictionary::*, plan::Act, profile::Profile, protect::*, words::Words};
use std::{collections::BTreeMap, sync::Arc, time::Instant};
#[test]
fn arx() {
    let k = Knowledge { catalogue: Catalogue::parse(include_str!("../../../profiles/identifiers.toml")).unwrap(), words: Words::parse(include_str!("../../../profiles/words.toml")).unwrap(), ladders: Ladders::parse(include_str!("../../../profiles/ladders.toml")).unwrap() };
    let read = |f: &str| std::fs::read_to_string(format!("/tmp/arx/{f}")).unwrap();
    let text = read("adult.csv");
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(';').collect();
    let rows: Vec<Vec<&str>> = lines.map(|l| l.split(';').collect()).collect();
    let column = |i: usize| Arc::new(rows.iter().map(|r| Some(r[i])).collect::<StringArray>()) as ArrayRef;
    let batch = RecordBatch::try_from_iter(names.iter().enumerate().map(|(i, n)| (*n, column(i)))).unwrap();
    let mut d = Dictionary::default();
    let level: BTreeMap<&str, usize> = [("sex", 0), ("age", 3), ("race", 0), ("marital-status", 1), ("education", 1), ("native-country", 1), ("workclass", 1), ("occupation", 2), ("salary-class", 0)].into();
    for n in &names {
        let h: Vec<Vec<String>> = read(&format!("adult_hierarchy_{n}.csv")).lines().map(|l| l.split(';').map(Into::into).collect()).collect();
        let ladder: Vec<Act> = (1..h[0].len() - 1).map(|i| Act::Map { to: h.iter().map(|r| (r[0].clone(), r[i].clone())).collect(), otherwise: None }).collect();
        d.columns.insert(n.to_string(), Entry { role: Role::QuasiIdentifier, kind: None, said_by: SaidBy::Person, ladder, weight: 1, act: None });
    }
    let profile = Profile::parse(&include_str!("../../../profiles/eu-wp216-k11.toml").replace("k = 11", "k = 5").replace("most = \"1/10\"", "most = \"0.04\"")).unwrap();
    let batches = [batch];
    let request = Request { batches: &batches, dictionary: &d, profile: &profile, knowledge: &k, key: None };
    let t = Instant::now();
    let out = protect(request).unwrap();
    println!("ours: optimal {} tried {} total time {:?} released {} avg {} = {}", out.optimal, out.tried, t.elapsed(), out.report.exact.records_released, out.report.exact.risk_average, out.report.exact.risk_average.to_f64());
    for n in &names { let l = &d.columns[*n].ladder; println!("  {n}: level {}", match &out.plan.columns[*n] { Act::Keep => 0, Act::Drop => l.len() + 1, a => l.iter().position(|x| x == a).unwrap() + 1 }); }
    for (what, limit, sensitive) in [("unlimited", "1", false), ("8 QI, 2-diversity", "0.04", true)] {
        let profile = Profile::parse(&include_str!("../../../profiles/eu-wp216-k11.toml").replace("k = 11", "k = 5").replace("most = \"1/10\"", &format!("most = \"{limit}\""))).unwrap();
        let mut d = d.clone();
        if sensitive { let e = d.columns.get_mut("salary-class").unwrap(); e.role = Role::Sensitive; e.act = Some(Act::Keep); }
        let t = Instant::now();
        let out = protect(Request { profile: &profile, dictionary: &d, ..request }).unwrap();
        println!("{what}: optimal {} tried {} {:?} released {} avg {} l {:?}", out.optimal, out.tried, t.elapsed(), out.report.exact.records_released, out.report.exact.risk_average.to_f64(), out.report.exact.diversity);
        for n in &names { let l = &d.columns[*n].ladder; print!(" {n}:{}", match &out.plan.columns[*n] { Act::Keep => 0, Act::Drop => l.len() + 1, a => l.iter().position(|x| x == a).unwrap() + 1 }); }
        println!();
    }
    let mut fixed = d.clone();
    for (n, e) in fixed.columns.iter_mut() { let l = level[n.as_str()]; e.act = Some(if l == 0 { Act::Keep } else if l > e.ladder.len() { Act::Drop } else { e.ladder[l - 1].clone() }); }
    let out = protect(Request { dictionary: &fixed, ..request }).unwrap();
    println!("at ARX's optimum: k {:?} released {} avg {:.18}", out.report.exact.k, out.report.exact.records_released, out.report.exact.risk_average.to_f64());
}
