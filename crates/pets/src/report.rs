//! The report on a release: what was measured, exactly; what was observed, with its tolerance; clause by clause.
//!
//! A report proves numbers. Legal effect comes from a rule that cites the power for it; the profile's claims stay claims.

use crate::attack::{self, Attack, Attacked};
use crate::cell::Cells;
use crate::classify::Knowledge;
use crate::dictionary::{Dictionary, Role};
use crate::examine::{Answer, Examined, Outcome, Shared};
use crate::measure::{Diversity, NotCounted, PopulationRisk, against_population};
use crate::plan::{Act, Plan};
use crate::profile::{Authority, Profile};
use crate::ratio::Ratio;
use crate::seen;
use crate::transform::{Border, Refusal, Unread, could_give, unread};
use crate::utility::ColumnLoss;
use arrow_array::RecordBatch;
use model::Digest;
use model::canonical::{self, CanonicalError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

mod digest;

pub use digest::content;
pub(crate) use digest::{RowsSorted, empty_row, row_digests};

/// The form of this document; a change of meaning changes it.
pub const FORM: &str = "tegata-pets-report/3";

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
    /// Records before; none when nobody said.
    pub records_before: Option<u64>,
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
    /// Against a table of the population, if one was given.
    pub population: Option<PopulationRisk>,
    /// For each other released column, how many records share its rarest end or word.
    pub shared: BTreeMap<String, Shared>,
    /// Clause by clause, those that detectors and attacks answer apart.
    pub clauses: Vec<Answer>,
    /// The worst outcome of a clause here that software can judge.
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
    /// Values before that the act could not read and that are missing now; none where it has none to read, or nobody counted.
    pub unread: Option<Unread>,
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
    /// c of recursive (c,2)-diversity; none when a class has one value.
    pub recursive_c: Option<Ratio>,
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
    /// δ of δ-disclosure privacy of each sensitive column in thousandths; tolerance ±1.
    pub delta_thousandths: BTreeMap<String, u64>,
    /// Enhanced β of each sensitive column in thousandths; tolerance ±1.
    pub beta_enhanced_thousandths: BTreeMap<String, u64>,
    /// Records alone in the release that a model expects to be alone in the population too, in thousandths; tolerance ±1.
    pub expected_population_uniques_thousandths: Option<u64>,
    /// What the three attacks came to; empty when none was tried.
    pub attacks: BTreeMap<Attack, Option<Attacked>>,
    /// How people and columns were drawn for the attacks.
    pub seed_rule: String,
    /// The clauses that detectors and attacks answer.
    pub clauses: Vec<Answer>,
    /// The worst outcome of those that could be answered.
    pub outcome: Outcome,
    /// Those that could not: no original, no plan.
    pub left_to_judgement: Vec<String>,
}

/// The same for every report: whoever has the release has the seed, so attacks are drawn alike. Noise has no such rule.
const SEED_RULE: &str =
    "SHA-256 of `tegata/attack/1`, the content digest and the row digest; smallest first, at most 10000";

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
    ) -> Result<Self, CanonicalError> {
        let answered = examined.answer(profile, dictionary, plan).into_iter().zip(&profile.clauses);
        let (seen, counted): (Vec<_>, Vec<_>) = answered.partition(|(_, clause)| clause.need.is_observed());
        let clauses: Vec<Answer> = counted.into_iter().map(|(answer, _)| answer).collect();
        let seen: Vec<Answer> = seen.into_iter().map(|(answer, _)| answer).collect();
        let (outcome, left_to_judgement) = outcome(&clauses);
        let sizes = &examined.measures.sizes;
        let exact = Exact {
            form: FORM.into(),
            profile: Named { id: profile.id.clone(), version: profile.version, digest: profile.digest },
            authorities: profile.authorities.clone(),
            plan: Digest::of(&canonical::to_bytes(plan)?),
            dictionary: Digest::of(&canonical::to_bytes(dictionary)?),
            records_before: examined.records_before,
            records_released: sizes.records(),
            content: examined.content,
            columns: columns(dictionary, plan, losses, &examined.unread),
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
                            recursive_c: d.recursive_c,
                        },
                    )
                })
                .collect(),
            population: examined.population,
            shared: examined.shared.clone(),
            clauses,
            outcome,
            left_to_judgement,
        };
        Ok(Self { exact, observed: observed(examined, seen) })
    }

    /// True when every clause that software can judge is met.
    pub fn is_met(&self) -> bool {
        self.exact.outcome == Outcome::Met && self.observed.outcome == Outcome::Met
    }

    /// Every clause with its answer, the exact ones first.
    pub fn clauses(&self) -> impl Iterator<Item = &Answer> {
        self.exact.clauses.iter().chain(&self.observed.clauses)
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

/// What is known beside the released data. Each missing piece leaves its clauses to judgement.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// What was done to each column; without it, what shows in the values.
    pub plan: Option<&'a Plan>,
    /// How many records there were.
    pub records_before: Option<u64>,
    /// The table that the release was made of; with the plan, attacks are tried.
    pub original: Option<&'a [RecordBatch]>,
    /// People of the same kind of whom it was not made.
    pub control: Option<&'a [RecordBatch]>,
    /// The population in which the people lie, in original or in released values.
    pub population: Option<&'a [RecordBatch]>,
    /// How many people the population has, where there is no table of it.
    pub population_size: Option<u64>,
}

/// Evaluates a profile on data that are already transformed, without searching; what each column was is told by the
/// dictionary. Returns the plan that it was held against, and the report, which has no losses.
pub fn certify(
    profile: &Profile,
    dictionary: &Dictionary,
    released: &[RecordBatch],
    knowledge: &Knowledge,
    beside: &Beside<'_>,
) -> Result<(Plan, Report), NotCertified> {
    let plan = beside.plan.cloned().unwrap_or_else(|| seen::plan(released, dictionary));
    // A column that the plan does not release has no business in the data.
    let names = released
        .iter()
        .flat_map(|b| b.schema().fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>());
    for name in names {
        if !plan.released().any(|known| *known == name) {
            return Err(NotCertified::StrayColumn(name));
        }
        if !dictionary.columns.contains_key(&name) {
            return Err(NotCertified::UnknownColumn(name));
        }
    }
    if let Some(column) = raw_column(&plan, released) {
        return Err(NotCertified::NotAsPlanned(column));
    }
    let before = beside.original.map(|batches| batches.iter().map(|b| b.num_rows() as u64).sum());
    let mut examined = Examined::of(before.or(beside.records_before), released, dictionary, &plan, knowledge)
        .map_err(NotCertified::NotCounted)?;
    let quasi = examined.measures.quasi.clone();
    examined.population_size = beside.population_size;
    if let Some(population) = beside.population {
        let coarse = coarse(&plan, population, &quasi).map_err(NotCertified::Refused)?;
        let (risk, rows) =
            (against_population(released, &coarse, &quasi), coarse.iter().map(|b| b.num_rows() as u64));
        examined.population = risk.map_err(NotCertified::NotCounted)?;
        examined.population_size = Some(rows.sum());
    }
    if let (Some(original), Some(_)) = (beside.original, beside.plan) {
        let sensitive: Vec<String> = examined.measures.diversity.keys().cloned().collect();
        let ground = attack::Ground {
            released,
            plan: &plan,
            original,
            control: beside.control,
            quasi: &quasi,
            sensitive: &sensitive,
        };
        examined.unread = unread(&plan, original);
        examined.attacks = attack::attack(&ground).map_err(NotCertified::Refused)?.into_iter().collect();
    }
    let report = Report::of(profile, dictionary, &plan, &examined, &BTreeMap::new());
    Ok((plan, report.map_err(NotCertified::Report)?))
}

/// A population table in the values of the release: as it is where its values are such already, else by the plan.
fn coarse(plan: &Plan, population: &[RecordBatch], quasi: &[String]) -> Result<Vec<RecordBatch>, Refusal> {
    let acts = |batch: &RecordBatch| -> Plan {
        let of = |name: &String| match plan.columns.get(name) {
            Some(act) if quasi.contains(name) && raw_value(act, name, population) => act.clone(),
            Some(_) if quasi.contains(name) => Act::Keep,
            _ => Act::Drop,
        };
        let schema = batch.schema();
        Plan { columns: schema.fields().iter().map(|f| (f.name().clone(), of(f.name()))).collect() }
    };
    let prepared = |batch: &RecordBatch| Border::prepare(&acts(batch), &batch.schema(), None)?.apply(batch);
    population.iter().map(prepared).collect()
}

fn raw_value(act: &Act, name: &str, batches: &[RecordBatch]) -> bool {
    batches.iter().any(|batch| {
        batch.column_by_name(name).and_then(Cells::of).is_some_and(|cells| {
            (0..cells.len()).any(|row| cells.text(row).is_some_and(|text| !could_give(act, &text)))
        })
    })
}

/// Why data could not be evaluated.
#[derive(Debug)]
pub enum NotCertified {
    /// The data cannot be counted.
    NotCounted(NotCounted),
    /// The data hold a column that the plan does not release.
    StrayColumn(String),
    /// The dictionary does not say what a column is.
    UnknownColumn(String),
    /// A column holds a value that its act cannot have given.
    NotAsPlanned(String),
    /// The original, control or population table does not fit the plan.
    Refused(Refusal),
    /// The report has no canonical bytes.
    Report(CanonicalError),
}

impl fmt::Display for NotCertified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCounted(why) => why.fmt(f),
            Self::Refused(why) => why.fmt(f),
            Self::StrayColumn(name) => {
                write!(f, "column `{name}` is in the data and not released by the plan (pets/stray-column)")
            }
            Self::UnknownColumn(name) => {
                write!(f, "column `{name}` is not in the dictionary; say what it is (pets/unplanned-column)")
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
    unread: &BTreeMap<String, Unread>,
) -> BTreeMap<String, Column> {
    let column = |(name, act): (&String, &Act)| {
        let entry = dictionary.columns.get(name);
        let role = entry.map_or(Role::Attribute, |e| e.role);
        (
            name.clone(),
            Column {
                role,
                kind: entry.and_then(|e| e.kind.clone()),
                act: digest::describe(act),
                unread: unread.get(name).copied(),
                loss: losses.get(name).cloned(),
            },
        )
    };
    plan.columns.iter().map(column).collect()
}

fn outcome(clauses: &[Answer]) -> (Outcome, Vec<String>) {
    let judged = |a: &&Answer| a.outcome == Outcome::Judgement;
    let worst = clauses.iter().filter(|a| !judged(a)).map(|a| a.outcome).max().unwrap_or(Outcome::Met);
    (worst, clauses.iter().filter(judged).map(|a| a.clause.clone()).collect())
}

fn observed(examined: &Examined, clauses: Vec<Answer>) -> Observed {
    let (outcome, left_to_judgement) = outcome(&clauses);
    let weights = examined.scan.columns.iter().filter_map(|f| {
        Some((f.column.clone(), f.found.as_ref().filter(|c| c.role.identifies_alone())?.decibans))
    });
    let thousandths = |l: f64| if l.is_finite() { (l * 1000.0).round() as u64 } else { 0 };
    let of_each = |figure: fn(&Diversity) -> f64| {
        let each = examined.measures.diversity.iter();
        each.map(|(name, d)| (name.clone(), thousandths(figure(d)))).collect::<BTreeMap<_, _>>()
    };
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
        entropy_l_thousandths: of_each(|d| d.entropy_l),
        delta_thousandths: of_each(|d| d.delta),
        beta_enhanced_thousandths: of_each(|d| d.beta_enhanced),
        expected_population_uniques_thousandths: examined
            .population_size
            .and_then(|size| examined.measures.sizes.expected_population_uniques(size)),
        attacks: examined.attacks.clone(),
        seed_rule: SEED_RULE.into(),
        clauses,
        outcome,
        left_to_judgement,
    }
}
