use super::*;
use crate::classify::tests::table;
use crate::dp::sampler::tests::Fixed;
use std::collections::BTreeMap;

fn done(text: &str, batches: &[RecordBatch]) -> Result<RecordBatch, NotDone> {
    Steps::parse(text).unwrap().apply(batches, &mut Fixed(9)).map(|b| b[0].clone())
}

fn texts(table: &RecordBatch, name: &str) -> Vec<String> {
    column(table, name).unwrap().iter().map(|t| t.unwrap_or("").to_string()).collect()
}

#[test]
fn noise_stays_within_its_bound_and_takes_every_amount() {
    let lines: Vec<String> = (0..4000).map(|n| format!("{n},100")).collect();
    let batches = table(&format!("id,weight\n{}\nx,unknown", lines.join("\n")), 500);
    let out = done("[[step]]\ndo='noise'\ncolumn='weight'\nmost=2\nstep='0.5'", &batches).unwrap();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    texts(&out, "weight").into_iter().for_each(|w| *seen.entry(w).or_default() += 1);
    assert_eq!(seen.remove(""), Some(1));
    assert_eq!(seen.keys().cloned().collect::<Vec<_>>(), ["100", "100.5", "101", "101.5", "102", "98", "98.5", "99", "99.5"]);
    // Nine amounts 444 times each on average; six deviations are 120.
    assert!(seen.values().all(|n| (325..565).contains(n)), "{seen:?}");
    let again = Steps::parse("[[step]]\ndo='noise'\ncolumn='weight'\nmost=2\nstep='0.5'").unwrap();
    assert_ne!(again.apply(&batches, &mut Fixed(10)).unwrap()[0], out);
}

#[test]
fn means_are_shared_by_k_records_and_keep_the_sum() {
    let lines: Vec<String> = (0..103).map(|n| format!("{},{}", n * n % 97, 1000 - n * 7 % 50)).collect();
    let batches = table(&format!("a,b\n{}\n,5", lines.join("\n")), 40);
    let out = done("[[step]]\ndo='microaggregate'\ncolumns=['a','b']\nk=5\ndecimals=9", &batches).unwrap();
    let (a, b) = (texts(&out, "a"), texts(&out, "b"));
    let mut groups: BTreeMap<(&String, &String), usize> = BTreeMap::new();
    a.iter().zip(&b).filter(|(a, _)| !a.is_empty()).for_each(|pair| *groups.entry(pair).or_default() += 1);
    assert!(groups.values().all(|n| (5..10).contains(n)), "{groups:?}");
    // Who lacks a number is near nobody.
    assert_eq!((a.last().unwrap().as_str(), b.last().unwrap().as_str()), ("", ""));
    let sum: f64 = a.iter().filter_map(|t| t.parse::<f64>().ok()).sum();
    let truth: f64 = (0..103).map(|n| f64::from(n * n % 97)).sum();
    assert!((sum - truth).abs() < 1e-6, "{sum} {truth}");
    // Near ones go together: two clouds far apart are never mixed.
    let clouds: Vec<Vec<f64>> = (0..20).map(|n| vec![if n % 2 == 0 { 0.0 } else { 50.0 } + f64::from(n) / 100.0]).collect();
    assert!(groups::mdav(&clouds, 5).iter().all(|g| g.iter().all(|i| i % 2 == g[0] % 2)));
}

#[test]
fn a_sample_keeps_about_its_share_of_records_and_all_at_one() {
    let lines: Vec<String> = (0..4000).map(|n| n.to_string()).collect();
    let batches = table(&format!("id\n{}", lines.join("\n")), 500);
    let kept = done("[[step]]\ndo='sample'\nkeep='1/10'", &batches).unwrap().num_rows();
    assert!((300..500).contains(&kept), "{kept}");
    assert_eq!(done("[[step]]\ndo='sample'\nkeep='1'", &batches).unwrap().num_rows(), 4000);
    assert_eq!(done("[[step]]\ndo='sample'\nkeep='0'", &batches).unwrap_err().code(), "pets/senseless-step");
}

#[test]
fn both_ends_of_a_way_are_cut_and_the_rest_is_coarse() {
    // Home at 35.0000, 139.0000, straight north, a point about every 111 meters; and one more day of one point.
    let mut lines: Vec<String> =
        (0..60).map(|n| format!("p,2026-01-31T08:{n:02}:30Z,{:.4},139.0000", 35.0 + f64::from(n) / 1000.0)).collect();
    lines.push("p,2026-02-01T08:00:00Z,35.0,139.0".into());
    lines.push("p,no time,35.02,139.0".into());
    let batches = table(&format!("who,at,lat,lon\n{}", lines.join("\n")), 7);
    let step = "[[step]]\ndo='trajectory'\nperson='who'\ntime='at'\nlatitude='lat'\nlongitude='lon'\ncut_meters=500\ngrid_meters=1000\nminutes=15";
    let out = done(step, &batches).unwrap();
    // Five points at each end are nearer than 500 meters.
    assert_eq!(out.num_rows(), 50);
    let times: std::collections::BTreeSet<String> = texts(&out, "at").into_iter().collect();
    assert_eq!(times.into_iter().collect::<Vec<_>>(), ["2026-01-31T08:00", "2026-01-31T08:15", "2026-01-31T08:30", "2026-01-31T08:45"]);
    let squares: std::collections::BTreeSet<String> = texts(&out, "lat").into_iter().collect();
    assert!(squares.len() <= 7, "{squares:?}");
    for (lat, n) in texts(&out, "lat").iter().zip(5..) {
        assert!((lat.parse::<f64>().unwrap() - (35.0 + f64::from(n) / 1000.0)).abs() * 111_132.0 <= 501.0);
    }
}

#[test]
fn what_cannot_be_done_is_said_in_a_line() {
    let batches = table("a\n1\n2", 10);
    for (step, code) in [
        ("do='noise'\ncolumn='b'\nmost=1\nstep=1", "pets/missing-column"),
        ("do='noise'\ncolumn='a'\nmost=1\nstep=0", "pets/senseless-step"),
        ("do='noise'\ncolumn='a'\nmost=1\nstep=2", "pets/senseless-step"),
        ("do='microaggregate'\ncolumns=['a']\nk=1", "pets/senseless-step"),
        ("do='microaggregate'\ncolumns=['c']\nk=3", "pets/missing-column"),
    ] {
        let why = done(&format!("[[step]]\n{step}"), &batches).unwrap_err();
        assert_eq!(why.code(), code, "{step}");
        assert_eq!(why.to_string().lines().count(), 1);
    }
    let refused = |text: &str| Steps::parse(text).unwrap_err().to_string();
    assert!(refused("[[step]]\ndo='blur'").contains("pets/not-steps"));
    assert!(refused("# steps\n\n[[step]]\ncolumn='weight'").starts_with("line 3: missing field `do`"));
    // Fewer records than a group: nothing is left of their numbers.
    let out = done("[[step]]\ndo='microaggregate'\ncolumns=['a']\nk=3", &batches).unwrap();
    assert_eq!(texts(&out, "a"), ["", ""]);
}
