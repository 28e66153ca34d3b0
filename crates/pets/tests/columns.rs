//! Columns of generated people and of other things, from a generator that is not ours: Faker 40.54.0, recorded by
//! `oracle/columns.py`. Precision and recall, with headers and without.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use common::knowledge;
use pets::classify::Scan;
use std::sync::Arc;

#[path = "common/knowledge.rs"]
mod common;

#[derive(Default, Debug)]
struct Tally {
    right: usize,
    missed: Vec<String>,
    invented: Vec<String>,
    confused: Vec<String>,
}

fn judge(headers: bool) -> Tally {
    let knowledge = knowledge();
    let mut tally = Tally::default();
    for (n, line) in include_str!("oracle/columns.tsv").lines().enumerate() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [kind, header, values @ ..] = fields.as_slice() else { panic!("{line}") };
        let name = if headers { header.to_string() } else { format!("c{n}") };
        let array = Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
        let scan = Scan::of(&[RecordBatch::try_from_iter([(&name, array)]).unwrap()], &knowledge);
        let found = scan.columns[0].found.as_ref().map_or("-", |c| c.kind.as_str());
        // Times and article numbers are not about persons; to find them is right.
        let found = if ["time", "ean13"].contains(&found) { "-" } else { found };
        match (*kind, found) {
            (kind, found) if kind == found => tally.right += 1,
            ("-", _) => tally.invented.push(format!("{header}: {found}")),
            (kind, "-") => tally.missed.push(format!("{header}: {kind}")),
            (kind, found) => tally.confused.push(format!("{header}: {kind} taken for {found}")),
        }
    }
    tally
}

// Of 71 columns, 53 hold something personal. On the first run, before anything was corrected after seeing this set: with
// headers 64 right, 1 confused, 6 invented; without headers 49 right, 8 missed, 9 confused, 5 invented. So what is
// asserted here is a guard against getting worse, no longer a measure of how good the detectors are on unseen data.
#[test]
fn with_headers_no_column_is_missed_and_none_invented() {
    let tally = judge(true);
    assert_eq!(tally.right, 71, "{tally:#?}");
}

#[test]
fn without_headers_nothing_is_invented_and_what_is_missed_is_listed() {
    let tally = judge(false);
    assert!(tally.invented.is_empty(), "{tally:#?}");
    // Names and towns of lists we do not have, free words, and codes whose checks fail or that have none.
    assert_eq!(tally.missed, MISSED, "{tally:#?}");
}

const MISSED: [&str; 5] = [
    "Ort: region",
    "주민등록번호: kr-rrn",
    "job: occupation",
    "職業: occupation",
    "username: account-name",
];
