//! A bench to try things on: the study that ships with the program, under a profile whose k is moved.

use super::{ProtectError, knowledge, profile};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use pets::{
    cell::Cells,
    classify::Scan,
    dictionary::Dictionary,
    measure::{Classes, Sizes},
    profile::Need,
    protect::Request,
    ratio::Ratio,
};
use serde::Serialize;
use std::sync::Arc;

const STUDY: &str = include_str!("../../../../examples/data/health.csv");
const DICTIONARY: &str = include_str!("../../../../examples/data/health.dictionary.toml");
/// LIMIT: k on the bench; the study has 5,265 records.
pub const K_MAX: u64 = 500;
/// Records shown before and after.
const SHOWN: usize = 5;

/// One try.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// The profile's id.
    pub profile: String,
    /// The smallest class that was asked for.
    pub k: u64,
    /// The smallest class that the profile itself asks for.
    pub k_of_profile: u64,
    /// Whether the profile with this k is met.
    pub met: bool,
    /// Whether the profile as it is written is met: only then a report on it is a fact.
    pub holds: bool,
    /// The table as it was, over the columns that tell people apart together.
    pub before: Risk,
    /// The release.
    pub after: Risk,
    /// Each column: what it is, what was done, what it lost.
    pub columns: Vec<Column>,
    /// Names of the shown columns, and a few records before and after.
    pub records: Records,
    /// Clauses that are not met.
    pub short: Vec<String>,
}

/// How far people can be told apart.
#[derive(Clone, Debug, Serialize)]
pub struct Risk {
    /// Records.
    pub records: u64,
    /// The smallest class.
    pub k: Option<u64>,
    /// Records that are alone.
    pub alone: u64,
    /// One over the smallest class.
    pub most: Ratio,
    /// Classes over records.
    pub average: Ratio,
}

/// One column.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it does to privacy.
    pub role: &'static str,
    /// What was done.
    pub act: String,
    /// The share of telling apart that is gone.
    pub loss: Option<Ratio>,
}

/// A few records.
#[derive(Clone, Debug, Serialize)]
pub struct Records {
    /// Columns of the original.
    pub columns: Vec<String>,
    /// Values before.
    pub before: Vec<Vec<Option<String>>>,
    /// Columns of the release.
    pub released: Vec<String>,
    /// Values after: other records than those before, the first of the release.
    pub after: Vec<Vec<Option<String>>>,
}

fn study() -> Result<RecordBatch, ProtectError> {
    // The file has no quotes.
    let mut lines = STUDY.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let column = |i: usize| {
        let value = |row: &Vec<&str>| row.get(i).copied().filter(|v| !v.is_empty()).map(str::to_string);
        Arc::new(rows.iter().map(value).collect::<StringArray>()) as ArrayRef
    };
    RecordBatch::try_from_iter(names.iter().enumerate().map(|(i, n)| (*n, column(i))))
        .map_err(|e| ProtectError::Encoding(e.to_string()))
}

/// Protects the study under a profile with another k.
pub fn bench(id: &str, k: u64) -> Result<Tried, ProtectError> {
    let mut profile = profile(id)?;
    let k_of_profile = profile.k();
    let k = k.clamp(2, K_MAX);
    for clause in &mut profile.clauses {
        match &mut clause.need {
            Need::MinClass { k: least } => *least = k,
            Need::RiskMax { most } => *most = Ratio::share(1, k),
            // An average that was set for the profile's own k moves with it.
            Need::RiskAverage { most } if k < k_of_profile => *most = Ratio::ONE,
            _ => {}
        }
    }
    let (knowledge, batches) = (knowledge()?, [study()?]);
    let person = Dictionary::parse(DICTIONARY).map_err(|e| ProtectError::Document(e.message().to_string()))?;
    let dictionary = Scan::of(&batches, &knowledge).dictionary().corrected_by(&person);
    let request = Request { batches: &batches, dictionary: &dictionary, profile: &profile, knowledge: &knowledge, key: None };
    let out = pets::protect::protect(request).map_err(ProtectError::NotProtected)?;
    let exact = &out.report.exact;
    let quasi: Vec<String> = exact.columns.iter().filter(|(_, c)| c.role == pets::dictionary::Role::QuasiIdentifier).map(|(n, _)| n.clone()).collect();
    let released: Vec<String> = out.plan.released().filter(|n| quasi.iter().any(|q| q == n)).map(Into::into).collect();
    let sizes = |columns: &[String], batches: &[RecordBatch]| {
        let mut classes = Classes::of(columns, &[]);
        for batch in batches {
            classes.push(batch).map_err(|e| ProtectError::NotProtected(e.into()))?;
        }
        Ok::<_, ProtectError>(classes.measure().sizes)
    };
    let columns = exact.columns.iter().map(|(name, c)| Column {
        name: name.clone(),
        role: c.role.word(),
        act: c.act.clone(),
        loss: c.loss.as_ref().map(|l| l.loss),
    });
    let met = out.is_met();
    let [original] = &batches;
    Ok(Tried {
        profile: id.to_string(),
        k,
        k_of_profile,
        met,
        holds: met && k >= k_of_profile,
        before: Risk::of(&sizes(&quasi, &batches)?),
        after: Risk::of(&sizes(&released, &out.batches)?),
        columns: columns.collect(),
        records: Records {
            columns: names(original),
            before: first(original),
            released: out.batches.first().map(names).unwrap_or_default(),
            after: out.batches.first().map(first).unwrap_or_default(),
        },
        short: out.report.clauses().filter(|c| c.outcome == pets::examine::Outcome::NotMet).map(|c| c.clause.clone()).collect(),
    })
}

impl Risk {
    fn of(sizes: &Sizes) -> Self {
        Self { records: sizes.records(), k: sizes.k(), alone: sizes.uniques(), most: sizes.risk_max(), average: sizes.risk_average() }
    }
}

fn names(batch: &RecordBatch) -> Vec<String> {
    batch.schema().fields().iter().map(|f| f.name().clone()).collect()
}

fn first(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let cells: Vec<_> = batch.columns().iter().map(Cells::of).collect();
    let row = |row: usize| cells.iter().map(|c| c.as_ref().and_then(|c| c.text(row)).map(|t| t.into_owned())).collect();
    (0..batch.num_rows().min(SHOWN)).map(row).collect()
}
