//! Verdicts of programs that we did not write, recorded by the scripts in `oracle/`: python-stdnum 2.2, pycanon 1.3.6,
//! OpenDP 0.16.0.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use pets::catalogue::{Catalogue, Verdict};
use pets::measure::Classes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Schemes on which we differ, by how many of the recorded numbers at most, and why.
const DIFFERENCES: [(&str, usize, &str); 11] = [
    ("at-vnr", 4, "a day of birth must stand in the number here; there it is not looked at"),
    ("be-nn", 1, "a birth after today is refused there; nothing here reads a clock"),
    ("cn-uscc", 3, "places 1 and 2 may be letters (GB 32100-2015) here; digits only there"),
    ("cz-sk-rc", 1, "months 41 and above that no law adds to are read there"),
    ("de-idnr", 2, "one digit three times in a row is refused here"),
    ("dk-cpr", 6, "a birth after today is refused there"),
    ("fi-hetu", 1, "a birth after today is refused there"),
    ("iban", 1, "lengths and inner checks of each country are known there only"),
    ("id-nik", 2, "districts are known there, provinces here"),
    ("in-pan", 6, "holder type E (limited liability partnership) passes here"),
    ("isin", 3, "country codes are known there"),
];

/// Schemes on which we differ only in the large record, and why.
const MANY: [(&str, &str); 12] = [
    ("cn-resident-id", "births before 1900 are no days here; single districts are known there, provinces here"),
    ("fr-nir", "9 is no first digit here"),
    ("imei", "2 is no first digit of a reporting body here"),
    ("it-codice-fiscale", "days are read modulo 40 there, as 1 to 31 and 41 to 71 here"),
    ("lei", "check digits are digits here (ISO 17442); a letter that makes the same remainder is read there"),
    ("lt-asmens-kodas", "first digits of later centuries are read there"),
    ("mx-curp", "the second letter is a vowel or X, sex X is read, and places of consonants hold consonants here"),
    ("no-fodselsnummer", "the individual number must fit the century there"),
    ("nz-ird", "eight digits behind a leading zero are read there"),
    ("pl-pesel", "29 February of 1800 is a day here"),
    ("se-personnummer", "coordination numbers (day and 60) are read here"),
    ("si-emso", "years far from ours (770 as 2770) are read there"),
];

#[test]
fn every_disagreement_with_python_stdnum_is_listed_with_a_reason() {
    let catalogue = Catalogue::parse(include_str!("../../../profiles/identifiers.toml")).unwrap();
    let mut seen: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    for line in include_str!("oracle/identifiers.tsv").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [scheme, number, said] = fields.as_slice() else { panic!("{line}") };
        let ours = catalogue.scheme(scheme).unwrap().judge(number) == Verdict::Passes;
        let entry = seen.entry(scheme).or_default();
        entry.0 += 1;
        if ours != (*said == "1") {
            entry.1.push(format!("{number} is {said} there, {ours} here"));
        }
    }
    assert!(
        seen.len() > 55 && seen.values().all(|s| s.0 > 100),
        "{:?}",
        seen.iter().map(|s| (s.0, s.1.0)).collect::<Vec<_>>()
    );
    let mut wrong = Vec::new();
    for (scheme, (_, differing)) in &seen {
        let allowed = DIFFERENCES.iter().find(|d| d.0 == *scheme).map_or(0, |d| d.1);
        if differing.len() > allowed {
            wrong.push(format!("{scheme}: {} {:?}", differing.len(), &differing[..differing.len().min(4)]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let stale: Vec<_> = DIFFERENCES.iter().filter(|d| seen.get(d.0).is_none_or(|s| s.1.is_empty())).collect();
    assert!(stale.is_empty(), "no longer differ: {stale:?}");
}

/// `cargo xtask oracle` records a hundred thousand numbers a scheme and names the file here; without it the small record is
/// counted in the same way, so that this is never an empty test.
#[test]
fn of_many_numbers_the_share_of_disagreements_is_as_recorded() {
    let catalogue = Catalogue::parse(include_str!("../../../profiles/identifiers.toml")).unwrap();
    let text = match std::env::var("TEGATA_ORACLE") {
        Ok(path) => std::fs::read_to_string(path).unwrap(),
        Err(_) => include_str!("oracle/identifiers.tsv").to_string(),
    };
    // Scheme → numbers, valid there, valid there and not here, valid here and not there, one of each.
    let mut seen: BTreeMap<&str, ([u64; 4], [&str; 2])> = BTreeMap::new();
    let mut lines: BTreeMap<&str, String> = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [scheme, number, said] = fields.as_slice() else { panic!("{line}") };
        let (ours, theirs) =
            (catalogue.scheme(scheme).unwrap().judge(number) == Verdict::Passes, *said == "1");
        let all = lines.entry(scheme).or_default();
        all.push_str(line);
        all.push('\n');
        let (counts, examples) = seen.entry(scheme).or_default();
        counts[0] += 1;
        counts[1] += u64::from(theirs);
        if ours != theirs {
            counts[2 + usize::from(ours)] += 1;
            examples[usize::from(ours)] = number;
        }
    }
    let mut wrong = Vec::new();
    for (scheme, ([n, valid, missed, more], examples)) in &seen {
        let digest = model::Digest::of(lines[scheme].as_bytes());
        println!("{scheme}\t{n}\t{valid}\t{missed}\t{more}\t{}\t{}\t{digest}", examples[0], examples[1]);
        let reason = DIFFERENCES.iter().any(|d| d.0 == *scheme) || MANY.iter().any(|d| d.0 == *scheme);
        if missed + more > 0 && !reason {
            wrong.push(format!("{scheme}: {missed} + {more} of {n}, {examples:?}"));
        }
    }
    assert!(wrong.is_empty(), "disagreements without a reason: {wrong:#?}");
}

/// What came out of a hundred thousand numbers a scheme, when `cargo xtask oracle` was last run: every scheme that differed has its reason, and
/// the catalogue of now says of the one number of each kind that is kept what it said then. The numbers themselves, of which each
/// line keeps the digest, are made again by the program that the list names.
#[test]
fn what_many_numbers_showed_is_so_of_the_catalogue_of_now() {
    let catalogue = Catalogue::parse(include_str!("../../../profiles/identifiers.toml")).unwrap();
    let (mut schemes, mut numbers) = (0, 0);
    for line in include_str!("oracle/many.tsv").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [scheme, of, _valid, missed, more, there, here, digest] = fields.as_slice() else { panic!("{line}") };
        let count = |text: &str| text.parse::<u64>().unwrap();
        let passes = |number: &str| catalogue.scheme(scheme).unwrap().judge(number) == Verdict::Passes;
        let reason = DIFFERENCES.iter().any(|d| d.0 == *scheme) || MANY.iter().any(|d| d.0 == *scheme);
        assert!(count(missed) + count(more) == 0 || reason, "{scheme} differs without a reason");
        assert!(there.is_empty() == (count(missed) == 0) && (there.is_empty() || !passes(there)), "{scheme} {there}");
        assert!(here.is_empty() == (count(more) == 0) && (here.is_empty() || passes(here)), "{scheme} {here}");
        assert_eq!(digest.len(), 64);
        (schemes, numbers) = (schemes + 1, numbers + count(of));
    }
    assert!(schemes == 62 && numbers > 5_000_000, "{schemes} {numbers}");
}

/// Each record is the one that `oracle/README.md` names by its digest: a record that was edited is seen.
#[test]
fn records_are_those_of_the_list() {
    let list = include_str!("oracle/README.md");
    let records: [(&str, &[u8]); 8] = [
        ("identifiers.tsv", include_bytes!("oracle/identifiers.tsv")),
        ("measures.json", include_bytes!("oracle/measures.json")),
        ("columns.tsv", include_bytes!("oracle/columns.tsv")),
        ("privacy.tsv", include_bytes!("oracle/privacy.tsv")),
        ("many.tsv", include_bytes!("oracle/many.tsv")),
        ("attacks.json", include_bytes!("oracle/attacks.json")),
        ("extracts.json", include_bytes!("oracle/extracts.json")),
        ("arx.tsv", include_bytes!("oracle/arx.tsv")),
    ];
    for (name, bytes) in records {
        let digest = model::Digest::of(bytes).to_string();
        let line = list.lines().find(|line| line.starts_with(&format!("| `{name}`"))).unwrap();
        assert!(line.contains(&digest), "{name} is {digest}, the list says: {line}");
    }
}

fn privacy() -> impl Iterator<Item = (&'static str, Vec<f64>)> {
    include_str!("oracle/privacy.tsv").lines().map(|line| {
        let (what, numbers) = line.split_once('\t').unwrap();
        (what, numbers.split('\t').map(|n| n.parse().unwrap()).collect())
    })
}

#[test]
fn what_noise_costs_is_what_opendp_says() {
    use pets::dp::{Ledger, Person, Question, What, ask, rho_of_epsilon};
    let table = RecordBatch::try_from_iter([("n", Arc::new(StringArray::from(vec!["1"])) as ArrayRef)]).unwrap();
    let mut checked = 0;
    for (what, numbers) in privacy() {
        match (what, numbers.as_slice()) {
            ("gaussian", &[sensitivity, sigma, rho]) => {
                let (d, s) = (sensitivity as u128, sigma as u128);
                let cost = pets::ratio::Ratio::of(d * d, 2 * s * s).unwrap();
                let sum = What::Sum { column: "n".into(), low: 0, high: d as i64, decimals: 0 };
                let question = Question { by: vec![], groups: vec![], what: sum, person: Person::Row };
                let mut ledger = Ledger::open("t", "r", "row", cost);
                let mut random = source(1);
                let day = model::CivilDate::of(2026, 11, 22).unwrap();
                let out = ask(&question, &[table.clone()], cost, &mut ledger, day, &mut random).unwrap();
                // The same loss asks for the same deviation, to the last bit where a float can hold it.
                assert_eq!(out.variance, [pets::ratio::Ratio::of(s * s, 1).unwrap()], "{sensitivity} {sigma}");
                assert!((cost.to_f64() - rho).abs() <= f64::EPSILON * rho, "{cost} {rho}");
            }
            ("epsilon", &[rho, epsilon]) => {
                // Our ε is the plain bound and never below theirs, which is the tightest known: it allows 0.57 to 0.84 of the loss.
                let wanted = pets::ratio::Ratio::of((epsilon * 1e6) as u128, 1_000_000).unwrap();
                let ours = rho_of_epsilon(wanted, 6).unwrap().to_f64();
                assert!(ours <= rho && ours >= rho * 0.55, "ρ {ours} here, {rho} there, for ε {epsilon}");
            }
            _ => continue,
        }
        checked += 1;
    }
    assert_eq!(checked, 42 + 5);
}

/// SplitMix64: fixed draws, for this test alone.
fn source(mut state: u64) -> impl FnMut(&mut [u8]) {
    move |bytes: &mut [u8]| {
        for chunk in bytes.chunks_mut(8) {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

// Pearson's test of two samples of the same size: are both drawn from one law?
#[test]
fn our_draws_and_those_of_opendp_come_from_one_law() {
    use pets::dp::sampler::{discrete_gaussian, discrete_laplace};
    for law in ["gaussian", "laplace"] {
        for scale in [1u128, 4] {
            let mut theirs: BTreeMap<i64, f64> = BTreeMap::new();
            for (_, n) in privacy().filter(|(what, n)| *what == format!("draws-{law}") && n[0] == scale as f64) {
                theirs.insert(n[1] as i64, n[2]);
            }
            let mut random = source(7 + scale as u64);
            let ratio = |n: u128| pets::ratio::Ratio::of(n, 1).unwrap();
            let mut ours: BTreeMap<i64, f64> = BTreeMap::new();
            for _ in 0..100_000 {
                let z = match law {
                    "gaussian" => discrete_gaussian(ratio(scale * scale), &mut random),
                    _ => discrete_laplace(ratio(scale), &mut random),
                };
                *ours.entry(z.unwrap()).or_default() += 1.0;
            }
            let (mut statistic, mut cells) = (0.0, 0);
            for (z, there) in &theirs {
                let here = ours.get(z).copied().unwrap_or(0.0);
                if there + here >= 20.0 {
                    statistic += (there - here).powi(2) / (there + here);
                    cells += 1;
                }
            }
            // Five standard deviations above the mean of the statistic.
            let most = f64::from(cells) + 5.0 * (2.0 * f64::from(cells)).sqrt();
            assert!(cells > 6 && statistic < most, "{law} {scale}: {statistic} on {cells} cells");
        }
    }
}

/// The health study as one batch of text; the file has no quotes.
fn health() -> RecordBatch {
    let mut lines = include_str!("../../../examples/data/health.csv").lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|l| l.split(',').collect()).collect();
    let column = |i: usize| Arc::new(rows.iter().map(|r| Some(r[i])).collect::<StringArray>()) as ArrayRef;
    RecordBatch::try_from_iter(names.iter().enumerate().map(|(i, n)| (*n, column(i)))).unwrap()
}

#[test]
fn measures_agree_with_pycanon_to_a_billionth() {
    let table = health();
    let record: serde_json::Value = serde_json::from_str(include_str!("oracle/measures.json")).unwrap();
    for (name, said) in record.as_object().unwrap() {
        let quasi: Vec<String> =
            said["quasi"].as_array().unwrap().iter().map(|q| q.as_str().unwrap().to_string()).collect();
        let sensitive = said["sensitive"].as_str().unwrap().to_string();
        let mut classes = Classes::of(&quasi, std::slice::from_ref(&sensitive));
        classes.push(&table).unwrap();
        let measures = classes.measure();
        let d = &measures.diversity[&sensitive];
        let near = |what: &str, ours: f64| {
            let theirs = said[what].as_f64().unwrap();
            assert!(
                (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0),
                "{name} {what}: {ours} here, {theirs} there"
            );
        };
        near("k", measures.sizes.k().unwrap() as f64);
        near("l", d.distinct_l as f64);
        near("alpha", d.alpha.to_f64());
        near("beta", d.beta.to_f64());
        near("t", d.t_ordered.unwrap_or(d.t_equal).to_f64());
        // pycanon rounds entropy l down to a whole number.
        near("entropy_l", (d.entropy_l + 1e-9).floor());
    }
}
