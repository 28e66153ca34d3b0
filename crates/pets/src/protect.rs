//! Finds the plan that meets a profile at least loss, applies it, examines the result and reports.

use crate::cell::Cells;
use crate::classify::Knowledge;
use crate::dictionary::{Dictionary, Role};
use crate::examine::Examined;
use crate::measure::{Classes, NotCounted};
use crate::plan::{Act, Plan};
use crate::profile::Profile;
use crate::pseudonym::DomainKey;
use crate::ratio::Ratio;
use crate::report::Report;
use crate::transform::{Border, Refusal};
use crate::utility::Losses;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use model::canonical::CanonicalError;
use std::fmt;

mod ladder;
mod lattice;
mod tails;

pub use ladder::{Ladders, NotLadders};

/// What is protected, and how it is to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The data; all batches of one schema.
    pub batches: &'a [RecordBatch],
    /// What each column is; a column that it does not name is dropped.
    pub dictionary: &'a Dictionary,
    /// What has to be met.
    pub profile: &'a Profile,
    /// What the detectors know, for the look at the result.
    pub knowledge: &'a Knowledge,
    /// The key of pseudonyms, where a column gets them.
    pub key: Option<&'a DomainKey>,
}

/// Protected data with their report.
#[derive(Debug, Clone)]
pub struct Protected {
    /// What was done to each column.
    pub plan: Plan,
    /// The released batches.
    pub batches: Vec<RecordBatch>,
    /// What was measured and how the profile's clauses came out. `exact.outcome` says whether all numbers are met.
    pub report: Report,
    /// Whether the plan is the best of all that the ladders allow, or the best that a greedy walk found.
    pub optimal: bool,
    /// Plans that were tried.
    pub tried: u64,
}

/// Why nothing could be protected.
#[derive(Debug)]
pub enum NotProtected {
    /// There is no batch.
    Empty,
    /// A batch did not pass the plan.
    Refused(Refusal),
    /// The result could not be counted.
    NotCounted(NotCounted),
    /// The report has no canonical bytes.
    Report(CanonicalError),
}

impl fmt::Display for NotProtected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no data to protect (pets/empty)"),
            Self::Refused(why) => why.fmt(f),
            Self::NotCounted(why) => why.fmt(f),
            Self::Report(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for NotProtected {}

impl From<Refusal> for NotProtected {
    fn from(why: Refusal) -> Self {
        Self::Refused(why)
    }
}

impl From<NotCounted> for NotProtected {
    fn from(why: NotCounted) -> Self {
        Self::NotCounted(why)
    }
}

impl From<CanonicalError> for NotProtected {
    fn from(why: CanonicalError) -> Self {
        Self::Report(why)
    }
}

/// How a table's quasi-identifiers become coarser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// One rung for each column, the best of all: full-domain recoding over the lattice of ladders.
    #[default]
    Lattice,
    /// From the lattice's plan down again, class by class, wherever a finer rung leaves every part good.
    Local,
    /// Classes cut in halves along the widest column, as long as both halves are good; values become ranges.
    Mondrian,
}

/// A plan that the search proposes, before anything is transformed.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// What would be done to each column.
    pub plan: Plan,
    /// Whether it is the best of all that the ladders allow, or the best that a greedy walk found.
    pub optimal: bool,
    /// Plans that were counted.
    pub tried: u64,
}

/// Searches alone: the plan that [`protect`] would start from.
pub fn propose(request: Request<'_>) -> Result<Proposal, NotProtected> {
    lattice::search(&request, &fixed_plan(&request)?)
}

// LIMIT: leaving out records can make ends of columns rare again; they are coded anew at most this often.
const ROUNDS_MAX: usize = 4;

/// Searches, applies, examines, reports. A profile that cannot be met is an answer: the report says which clause and how far.
pub fn protect(request: Request<'_>) -> Result<Protected, NotProtected> {
    protect_by(request, Method::Lattice)
}

/// The same by another method. Where that does not meet the profile and the lattice does, the lattice's release is given.
pub fn protect_by(request: Request<'_>, method: Method) -> Result<Protected, NotProtected> {
    let mut fixed = fixed_plan(&request)?;
    let mut found = lattice::search(&request, &fixed)?;
    let mut kept = keep(&request, &found.plan)?;
    for _ in 0..ROUNDS_MAX {
        let tails = tails::acts(&request, &found.plan, &kept)?;
        if tails.is_empty() {
            break;
        }
        // Coarser ends may let sensitive columns lose diversity, so the classes are judged again.
        fixed.columns.extend(tails.clone());
        found.plan.columns.extend(tails);
        kept = keep(&request, &found.plan)?;
    }
    let recoded = match method {
        Method::Lattice => None,
        Method::Local => lattice::local(&request, &found.plan, &kept)?,
        Method::Mondrian => lattice::mondrian(&request, &found.plan)?,
    };
    if let Some(recoded) = recoded {
        let kept = if method == Method::Mondrian {
            request.batches.iter().map(|b| vec![true; b.num_rows()]).collect()
        } else {
            kept.clone()
        };
        let of = Proposal { plan: recoded.plan, optimal: false, tried: found.tried };
        let protected = release(request, of, kept, recoded.batches)?;
        if protected.is_met() {
            return Ok(protected);
        }
    }
    let border = border(&request, &found.plan)?;
    let after = request.batches.iter().map(|b| border.apply(b)).collect::<Result<Vec<_>, _>>()?;
    release(request, found, kept, after)
}

fn fixed_plan(request: &Request<'_>) -> Result<Plan, NotProtected> {
    let schema = request.batches.first().ok_or(NotProtected::Empty)?.schema();
    let acts = schema.fields().iter().map(|f| (f.name().clone(), fixed_act(request, f.name())));
    Ok(Plan { columns: acts.collect() })
}

// Columns that the search does not move: what a person chose; else the mildest act that the profile permits.
fn fixed_act(request: &Request<'_>, name: &str) -> Act {
    let Some(entry) = request.dictionary.columns.get(name) else { return Act::Drop };
    if let Some(act) = &entry.act {
        return act.clone();
    }
    if !is_readable(request, name) {
        return Act::Drop;
    }
    let pseudonym = Act::Pseudonym { namespace: None };
    let wanted = match entry.role {
        role if role.identifies_alone() => [Act::Drop, Act::Drop],
        _ => [Act::Keep, Act::Drop],
    };
    // Numbers that link records keep their use as pseudonyms, where the profile permits them and there is a key.
    if entry.role == Role::LinkingCode && request.key.is_some() && request.profile.permits(entry, &pseudonym)
    {
        return pseudonym;
    }
    wanted.into_iter().find(|act| request.profile.permits(entry, act)).unwrap_or(Act::Drop)
}

// Lists, structs and bytes cannot be measured, so nothing could be said about them, and they stay behind.
fn is_readable(request: &Request<'_>, name: &str) -> bool {
    request.batches.iter().all(|b| b.column_by_name(name).is_some_and(|array| Cells::of(array).is_some()))
}

/// Rows whose class meets the profile, batch by batch.
fn keep(request: &Request<'_>, plan: &Plan) -> Result<Vec<Vec<bool>>, NotProtected> {
    let released = |role: Role| -> Vec<String> {
        plan.released()
            .filter(|n| request.dictionary.columns.get(*n).is_some_and(|e| e.role == role))
            .map(Into::into)
            .collect()
    };
    let (quasi, sensitive) = (released(Role::QuasiIdentifier), released(Role::Sensitive));
    let border = border(request, plan)?;
    let (k, l, t) = (request.profile.k(), request.profile.distinct_l(), request.profile.closeness());
    let looks = l > 1 || t < Ratio::ONE;
    let mut classes = Classes::of(&quasi, if looks { &sensitive } else { &[] });
    let mut rows = Vec::with_capacity(request.batches.len());
    for batch in request.batches {
        rows.push(classes.push(&border.apply(batch)?)?);
    }
    let good = classes.good(k, l, t);
    let is_good = |class: &u32| good.get(*class as usize) == Some(&true);
    Ok(rows.iter().map(|rows| rows.iter().map(is_good).collect()).collect())
}

fn border(request: &Request<'_>, plan: &Plan) -> Result<Border, NotProtected> {
    let schema = request.batches.first().ok_or(NotProtected::Empty)?.schema();
    Ok(Border::prepare(plan, &schema, request.key.cloned())?)
}

fn release(
    request: Request<'_>,
    found: Proposal,
    kept: Vec<Vec<bool>>,
    after: Vec<RecordBatch>,
) -> Result<Protected, NotProtected> {
    let (mut losses, mut batches, mut records) = (Losses::default(), Vec::with_capacity(kept.len()), 0);
    for ((batch, kept), after) in request.batches.iter().zip(kept).zip(after) {
        losses.push(batch, &after, &kept);
        records += batch.num_rows() as u64;
        batches.push(filter_record_batch(&after, &BooleanArray::from(kept)).map_err(Refusal::from)?);
    }
    let examined = Examined::of(Some(records), &batches, request.dictionary, &found.plan, request.knowledge)?;
    let report =
        Report::of(request.profile, request.dictionary, &found.plan, &examined, &losses.finish(), &batches)?;
    Ok(Protected { plan: found.plan, batches, report, optimal: found.optimal, tried: found.tried })
}

impl Protected {
    /// True when every clause that software can judge is met.
    pub fn is_met(&self) -> bool {
        self.report.is_met()
    }
}

#[cfg(test)]
mod tests;
