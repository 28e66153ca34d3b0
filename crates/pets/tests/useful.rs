//! Usefulness on the NHANES slice: who has diabetes, told from the release under the profile that Japan's verdict needs.
//!
//! Every second record trains, the others are held out. The model (naive Bayes over bins of training quantiles) is the same
//! for raw and released data; the share kept is (score − majority) / (raw score − majority), on held-out rows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use pets::cell::Cells;
use pets::classify::Scan;
use pets::dictionary::Dictionary;
use pets::profile::Profile;
use pets::protect::{Request, protect};
use std::collections::BTreeMap;
use std::sync::Arc;

#[path = "common/knowledge.rs"]
mod common;

const TARGET: &str = "diabetes";
const FEATURES: [&str; 6] =
    ["age", "weight_kg", "height_cm", "systolic_mmhg", "diastolic_mmhg", "glycohemoglobin"];

fn table(rows: &[&str]) -> RecordBatch {
    let names: Vec<&str> =
        include_str!("../../../examples/data/health.csv").lines().next().unwrap().split(',').collect();
    let cells: Vec<Vec<&str>> = rows.iter().map(|r| r.split(',').collect()).collect();
    let column = |i: usize| Arc::new(cells.iter().map(|r| Some(r[i])).collect::<StringArray>()) as ArrayRef;
    RecordBatch::try_from_iter(names.iter().enumerate().map(|(i, n)| (*n, column(i)))).unwrap()
}

/// Numbers as an analyst reads a release: the middle of a bin, the edge of a coded end.
fn number(text: &str) -> Option<f64> {
    if let Some((low, high)) =
        text.strip_prefix('[').and_then(|t| t.strip_suffix(')')).and_then(|t| t.split_once(','))
    {
        return Some((low.parse::<f64>().ok()? + high.parse::<f64>().ok()?) / 2.0);
    }
    text.trim_start_matches(['<', '>', '=']).parse().ok()
}

type Row = (String, Vec<Option<f64>>);

fn rows(batches: &[RecordBatch]) -> Vec<Row> {
    let mut out = Vec::new();
    for batch in batches {
        let cells = |name: &str| batch.column_by_name(name).and_then(Cells::of);
        let (target, features) = (cells(TARGET).unwrap(), FEATURES.map(cells));
        for row in 0..batch.num_rows() {
            let Some(class) = target.text(row) else { continue };
            let values = features.iter().map(|f| number(&f.as_ref()?.text(row)?)).collect();
            out.push((class.into_owned(), values));
        }
    }
    out
}

struct Model {
    edges: Vec<Vec<f64>>,
    classes: BTreeMap<String, f64>,
    /// Feature → (class, bin) → rows.
    counts: Vec<BTreeMap<(String, usize), f64>>,
}

const BINS: usize = 8;

impl Model {
    fn train(rows: &[Row]) -> Self {
        let edges = |f: usize| {
            let mut values: Vec<f64> = rows.iter().filter_map(|r| r.1[f]).collect();
            values.sort_by(f64::total_cmp);
            (1..BINS).filter_map(|b| values.get(values.len() * b / BINS).copied()).collect::<Vec<_>>()
        };
        let mut model = Self {
            edges: (0..FEATURES.len()).map(edges).collect(),
            classes: BTreeMap::new(),
            counts: vec![BTreeMap::new(); FEATURES.len()],
        };
        for (class, values) in rows {
            *model.classes.entry(class.clone()).or_default() += 1.0;
            for (f, value) in values.iter().enumerate() {
                if let Some(value) = value {
                    let bin = model.bin(f, *value);
                    *model.counts[f].entry((class.clone(), bin)).or_default() += 1.0;
                }
            }
        }
        model
    }

    fn bin(&self, f: usize, value: f64) -> usize {
        self.edges[f].partition_point(|edge| *edge <= value)
    }

    fn guess(&self, values: &[Option<f64>]) -> &str {
        let weight = |class: &String, n: f64| {
            let mut weight = n.ln();
            for (f, value) in values.iter().enumerate() {
                if let Some(value) = value {
                    let count =
                        self.counts[f].get(&(class.clone(), self.bin(f, *value))).copied().unwrap_or(0.0);
                    weight += ((count + 0.5) / (n + 0.5 * BINS as f64)).ln();
                }
            }
            weight
        };
        self.classes.iter().max_by(|a, b| weight(a.0, *a.1).total_cmp(&weight(b.0, *b.1))).unwrap().0
    }

    fn score(&self, rows: &[Row]) -> f64 {
        rows.iter().filter(|r| self.guess(&r.1) == r.0).count() as f64 / rows.len() as f64
    }
}

#[test]
fn nine_tenths_of_what_can_be_told_is_still_told() {
    let lines: Vec<&str> = include_str!("../../../examples/data/health.csv").lines().skip(1).collect();
    let half = |n: usize| table(&lines.iter().skip(n).step_by(2).copied().collect::<Vec<_>>());
    let (training, held_out) = ([half(0)], rows(&[half(1)]));
    let knowledge = common::knowledge();
    let person = Dictionary::parse(include_str!("../../../examples/data/health.dictionary.toml")).unwrap();
    let dictionary = Scan::of(&training, &knowledge).dictionary().corrected_by(&person);
    let profile = Profile::parse(include_str!("../../../profiles/jp-anonymised.toml")).unwrap();
    let request = Request {
        batches: &training,
        dictionary: &dictionary,
        profile: &profile,
        knowledge: &knowledge,
        key: None,
    };
    let released = protect(request).unwrap();
    assert!(released.is_met());

    let raw = Model::train(&rows(&training));
    let kept = Model::train(&rows(&released.batches));
    let most = raw.classes.values().fold(0.0, |a: f64, b| a.max(*b));
    let majority_class = raw.classes.iter().find(|c| *c.1 == most).unwrap().0;
    let majority = held_out.iter().filter(|r| r.0 == *majority_class).count() as f64 / held_out.len() as f64;
    let (raw, kept) = (raw.score(&held_out), kept.score(&held_out));
    println!(
        "majority {majority:.4}, raw {raw:.4}, released {kept:.4}, kept {:.3}",
        (kept - majority) / (raw - majority)
    );
    assert!(raw - majority > 0.02, "the target tells something: {majority} {raw}");
    assert!((kept - majority) / (raw - majority) >= 0.9, "{majority} {raw} {kept}");
}
