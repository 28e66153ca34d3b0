//! The report on a release: what was measured, exactly; what was observed, with its tolerance; clause by clause.
//!
//! A report proves numbers. Legal effect comes from a rule that cites the power for it; the profile's claims stay claims.

use crate::cell::Cells;
use crate::classify::Knowledge;
use crate::dictionary::{Dictionary, Role};
use crate::examine::{Answer, Examined, Outcome, Shared};
use crate::measure::NotCounted;
use crate::plan::{Act, Plan};
use crate::profile::{Authority, Profile};
use crate::ratio::Ratio;
use crate::transform::could_give;
use crate::utility::ColumnLoss;
use arrow_array::RecordBatch;
use model::Digest;
use model::canonical::{self, CanonicalError};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// The form of this document; a change of meaning changes it.
pub const FORM: &str = "tegata-pets-report/1";

/// A report: two parts, of which only `exact` is reproduced bit for bit by a second implementation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// Integers, rationals and digests.
    pub exact: Exact,
    /// What models and detectors saw.
    pub observed: Observed,
}

/// The exact part. Order of rows and cut into batches do not matter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Exact {
    /// [`FORM`].
    pub form: String,
    /// The profile that was evaluated.
    pub profile: Named,
    /// Who would have to agree, and what each claims. Claims.
    pub authorities: Vec<Authority>,
    /// Digest of the plan's canonical bytes.
    pub plan: Digest,
    /// Digest of the dictionary's canonical bytes.
    pub dictionary: Digest,
    /// Records before.
    pub records_before: u64,
    /// Records released.
    pub records_released: u64,
    /// SHA-256 over the released column names and the sorted SHA-256 of each released row.
    pub content: Digest,
    /// Each column: its role, what was done, what it lost.
    pub columns: BTreeMap<String, Column>,
    /// Quasi-identifiers that make the classes.
    pub quasi_identifiers: Vec<String>,
    /// Classes.
    pub classes: u64,
    /// Size of the smallest class; none when nothing is released.
    pub k: Option<u64>,
    /// Classes by size, smallest first, the first [`SIZES_SHOWN`].
    pub smallest_classes: Vec<(u64, u64)>,
    /// Prosecutor risk, greatest.
    pub risk_max: Ratio,
    /// Prosecutor risk, average; the marketer's on this sample is the same.
    pub risk_average: Ratio,
    /// Records that all released columns together describe alone: outside what the classes claim.
    pub unique_over_all_columns: u64,
    /// For each sensitive column, what the classes give away.
    pub diversity: BTreeMap<String, ExactDiversity>,
    /// For each other released column, how many records share its rarest end or word.
    pub shared: BTreeMap<String, Shared>,
    /// Clause by clause.
    pub clauses: Vec<Answer>,
    /// The worst outcome of a clause that software can judge.
    pub outcome: Outcome,
    /// What has to be judged by others: clause and by whom is in the profile.
    pub left_to_judgement: Vec<String>,
}

/// A profile named so that nothing else can be meant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Digest of its bytes.
    pub digest: Digest,
}

/// What happened to one column.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Column {
    /// What it does to privacy.
    pub role: Role,
    /// What it holds.
    pub kind: Option<String>,
    /// What was done, without the values that a mapping lists.
    pub act: String,
    /// What it lost.
    pub loss: Option<ColumnLoss>,
}

/// The exact measures of diversity.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ExactDiversity {
    /// Distinct l.
    pub distinct_l: u64,
    /// α.
    pub alpha: Ratio,
    /// t, equal distances.
    pub t_equal: Ratio,
    /// t, ordered distances.
    pub t_ordered: Option<Ratio>,
    /// Basic β.
    pub beta: Ratio,
}

/// The observed part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Observed {
    /// Columns in which the detectors see an identifier.
    pub residual: BTreeMap<String, String>,
    /// Weight of the strongest suspicion in each released column, in decibans; tolerance ±1.
    pub suspicion: BTreeMap<String, i32>,
    /// Upper 95 % bound on the share of identifiers that the detectors overlooked in the column looked at least: three
    /// over the values read, where none was found (the rule of three); none when nothing was released.
    pub overlooked_at_most: Option<Ratio>,
    /// Entropy l of each sensitive column in thousandths; tolerance ±1.
    pub entropy_l_thousandths: BTreeMap<String, u64>,
}

// LIMIT: class sizes listed in a report.
const SIZES_SHOWN: usize = 20;

impl Report {
    /// Writes what was examined.
    pub fn of(
        profile: &Profile,
        dictionary: &Dictionary,
        plan: &Plan,
        examined: &Examined,
        losses: &BTreeMap<String, ColumnLoss>,
        released: &[RecordBatch],
    ) -> Result<Self, CanonicalError> {
        let clauses = examined.answer(profile, dictionary, plan);
        let judged = |a: &&Answer| a.outcome == Outcome::Judgement;
        let outcome = clauses.iter().filter(|a| !judged(a)).map(|a| a.outcome).max().unwrap_or(Outcome::Met);
        let left_to_judgement = clauses.iter().filter(judged).map(|a| a.clause.clone()).collect();
        let sizes = &examined.measures.sizes;
        let exact = Exact {
            form: FORM.into(),
            profile: Named { id: profile.id.clone(), version: profile.version, digest: profile.digest },
            authorities: profile.authorities.clone(),
            plan: Digest::of(&canonical::to_bytes(plan)?),
            dictionary: Digest::of(&canonical::to_bytes(dictionary)?),
            records_before: examined.records_before,
            records_released: sizes.records(),
            content: content(released),
            columns: columns(dictionary, plan, losses),
            quasi_identifiers: examined.measures.quasi.clone(),
            classes: sizes.classes(),
            k: sizes.k(),
            smallest_classes: sizes.by_size().take(SIZES_SHOWN).collect(),
            risk_max: sizes.risk_max(),
            risk_average: sizes.risk_average(),
            unique_over_all_columns: examined.unique_over_all,
            diversity: examined
                .measures
                .diversity
                .iter()
                .map(|(name, d)| {
                    (
                        name.clone(),
                        ExactDiversity {
                            distinct_l: d.distinct_l,
                            alpha: d.alpha,
                            t_equal: d.t_equal,
                            t_ordered: d.t_ordered,
                            beta: d.beta,
                        },
                    )
                })
                .collect(),
            shared: examined.shared.clone(),
            clauses,
            outcome,
            left_to_judgement,
        };
        Ok(Self { exact, observed: observed(examined) })
    }

    /// The canonical bytes (RFC 8785) of the whole report.
    pub fn bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical::to_bytes(self)
    }

    /// The digest by which passes and manifests name this report.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Ok(Digest::of(&self.bytes()?))
    }

    /// The digest of the exact part alone, which a second implementation reproduces.
    pub fn exact_digest(&self) -> Result<Digest, CanonicalError> {
        Ok(Digest::of(&canonical::to_bytes(&self.exact)?))
    }
}

/// Evaluates a profile on data that are already transformed, without searching: what was done is told by the plan, what
/// each column was by the dictionary. Losses are not known then, because the original is not looked at.
pub fn certify(
    profile: &Profile,
    dictionary: &Dictionary,
    plan: &Plan,
    records_before: u64,
    released: &[RecordBatch],
    knowledge: &Knowledge,
) -> Result<Report, NotCertified> {
    // A column that the plan does not release has no business in the data.
    let names = released
        .iter()
        .flat_map(|b| b.schema().fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>());
    if let Some(stray) = names.into_iter().find(|name| !plan.released().any(|known| known == name)) {
        return Err(NotCertified::StrayColumn(stray));
    }
    if let Some(column) = raw_column(plan, released) {
        return Err(NotCertified::NotAsPlanned(column));
    }
    let examined = Examined::of(records_before, released, dictionary, plan, knowledge)
        .map_err(NotCertified::NotCounted)?;
    Report::of(profile, dictionary, plan, &examined, &BTreeMap::new(), released).map_err(NotCertified::Report)
}

/// Why data could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotCertified {
    /// The data cannot be counted.
    NotCounted(NotCounted),
    /// The data hold a column that the plan does not release.
    StrayColumn(String),
    /// A column holds a value that its act cannot have given.
    NotAsPlanned(String),
    /// The report has no canonical bytes.
    Report(CanonicalError),
}

impl fmt::Display for NotCertified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCounted(why) => why.fmt(f),
            Self::StrayColumn(name) => {
                write!(f, "column `{name}` is in the data and not released by the plan (pets/stray-column)")
            }
            Self::NotAsPlanned(name) => {
                write!(
                    f,
                    "column `{name}` holds a value that its act cannot have given (pets/not-as-planned)"
                )
            }
            Self::Report(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for NotCertified {}

// The plan is the holder's word; the values are the fact.
fn raw_column(plan: &Plan, released: &[RecordBatch]) -> Option<String> {
    for (batch, (name, act)) in released.iter().flat_map(|b| plan.columns.iter().map(move |c| (b, c))) {
        let Some(cells) = batch.column_by_name(name).and_then(Cells::of) else { continue };
        let raw = |row: usize| cells.text(row).is_some_and(|text| !could_give(act, &text));
        if (0..batch.num_rows()).any(raw) {
            return Some(name.clone());
        }
    }
    None
}

fn columns(
    dictionary: &Dictionary,
    plan: &Plan,
    losses: &BTreeMap<String, ColumnLoss>,
) -> BTreeMap<String, Column> {
    let column = |(name, act): (&String, &Act)| {
        let entry = dictionary.columns.get(name);
        let role = entry.map_or(Role::Attribute, |e| e.role);
        (
            name.clone(),
            Column {
                role,
                kind: entry.and_then(|e| e.kind.clone()),
                act: describe(act),
                loss: losses.get(name).cloned(),
            },
        )
    };
    plan.columns.iter().map(column).collect()
}

// INVARIANT: no value of the data: a mapping shows how many values it has and never which.
fn describe(act: &Act) -> String {
    let end = |name: &str, value: &Option<crate::number::Decimal>| {
        value.map_or(String::new(), |v| format!(", {name} {v}"))
    };
    match act {
        Act::Keep => "keep".into(),
        Act::Drop => "drop".into(),
        Act::Suppress => "suppress".into(),
        Act::Bin { width, below, above, .. } => {
            format!("bin of {width}{}{}", end("below", below), end("above", above))
        }
        Act::Clamp { below, above } => format!("clamp{}{}", end("below", below), end("above", above)),
        Act::Date { to } => format!(
            "date to {}",
            match to {
                crate::plan::DateUnit::Month => "month",
                crate::plan::DateUnit::Quarter => "quarter",
                crate::plan::DateUnit::Year => "year",
                crate::plan::DateUnit::Decade => "decade",
            }
        ),
        Act::Prefix { keep } => format!("first {keep} characters"),
        Act::Map { to, .. } => format!("map of {} values", to.len()),
        Act::Pseudonym { .. } => "keyed pseudonym".into(),
    }
}

fn observed(examined: &Examined) -> Observed {
    let weights = examined.scan.columns.iter().filter_map(|f| {
        Some((f.column.clone(), f.found.as_ref().filter(|c| c.role.identifies_alone())?.decibans))
    });
    let thousandths = |l: f64| if l.is_finite() { (l * 1000.0).round() as u64 } else { 0 };
    Observed {
        residual: examined.residual.clone(),
        suspicion: weights.collect(),
        overlooked_at_most: examined
            .scan
            .columns
            .iter()
            .map(|f| f.distinct)
            .filter(|n| *n > 0)
            .min()
            .map(|n| Ratio::share(3, n.max(3))),
        entropy_l_thousandths: examined
            .measures
            .diversity
            .iter()
            .map(|(name, d)| (name.clone(), thousandths(d.entropy_l)))
            .collect(),
    }
}

/// SHA-256 of the released columns' names and of the sorted digests of rows: equal for equal tables in any order.
pub fn content(batches: &[RecordBatch]) -> Digest {
    let mut whole = Sha256::new();
    if let Some(first) = batches.first() {
        first.schema().fields().iter().for_each(|f| feed(&mut whole, Some(f.name())));
    }
    let mut rows: Vec<Digest> = batches.iter().flat_map(row_digests).collect();
    rows.sort_unstable();
    rows.iter().for_each(|row| whole.update(row.0));
    Digest(whole.finalize().into())
}

/// The digest of each row: SHA-256 over its cells in order.
pub(crate) fn row_digests(batch: &RecordBatch) -> Vec<Digest> {
    let cells: Vec<Option<Cells<'_>>> = batch.columns().iter().map(Cells::of).collect();
    let digest = |row: usize| {
        let mut digest = Sha256::new();
        cells.iter().for_each(|c| feed(&mut digest, c.as_ref().and_then(|c| c.text(row)).as_deref()));
        Digest(digest.finalize().into())
    };
    (0..batch.num_rows()).map(digest).collect()
}

/// The digest of a row of so many missing values.
pub(crate) fn empty_row(width: usize) -> Digest {
    let mut digest = Sha256::new();
    (0..width).for_each(|_| feed(&mut digest, None));
    Digest(digest.finalize().into())
}

// Missing is one byte, a value its length and its bytes: no two rows read alike.
fn feed(digest: &mut Sha256, text: Option<&str>) {
    match text {
        None => digest.update([0]),
        Some(text) => {
            digest.update([1]);
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        }
    }
}
