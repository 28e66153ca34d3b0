//! Finds the plan that meets a profile at least loss, applies it, examines the result and reports.

use crate::cell::Cells;
use crate::classify::Knowledge;
use crate::dictionary::{Dictionary, Role};
use crate::examine::{Examined, Examining};
use crate::measure::{Classes, NotCounted};
use crate::plan::{Act, Plan};
use crate::profile::Profile;
use crate::pseudonym::DomainKey;
use crate::ratio::Ratio;
use crate::report::Report;
use crate::transform::{Border, Refusal};
use crate::utility::{Losses, LossesOutside};
use crate::outside::Spill;
use arrow_array::{BooleanArray, RecordBatch, new_empty_array};
use arrow_schema::SchemaRef;
use arrow_select::filter::filter_record_batch;
use model::canonical::CanonicalError;
use std::fmt;

mod ladder;
mod lattice;
mod passes;
mod tails;

use passes::Over;
pub use passes::{Large, Passes, Released, Room, protect_large};

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
    /// The table could not be read again.
    Unread(String),
    /// Parts could not be kept beside, or the release not be written.
    Spill(String),
}

impl fmt::Display for NotProtected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no data to protect (pets/empty)"),
            Self::Refused(why) => why.fmt(f),
            Self::NotCounted(why) => why.fmt(f),
            Self::Report(why) => why.fmt(f),
            Self::Unread(why) => write!(f, "the table cannot be read again: {why} (pets/unread)"),
            Self::Spill(why) => write!(f, "parts of the table cannot be kept: {why} (pets/spill)"),
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
    lattice::search(&request.over(), &fixed_plan(&request.over())?)
}

// LIMIT: leaving out records can make ends of columns rare again; they are coded anew at most this often.
const ROUNDS_MAX: usize = 4;

/// Searches, applies, examines, reports. A profile that cannot be met is an answer: the report says which clause and how far.
pub fn protect(request: Request<'_>) -> Result<Protected, NotProtected> {
    protect_by(request, Method::Lattice)
}

/// The same by another method. Where that does not meet the profile and the lattice does, the lattice's release is given.
pub fn protect_by(request: Request<'_>, method: Method) -> Result<Protected, NotProtected> {
    let over = request.over();
    let (found, kept) = found(&over)?;
    let recoded = match method {
        Method::Lattice => None,
        Method::Local => lattice::local(&request, &found.plan, &kept)?,
        Method::Mondrian => lattice::mondrian(&request, &found.plan)?,
    };
    if let Some(recoded) = recoded {
        let kept = match method {
            Method::Mondrian => request.batches.iter().map(|b| BooleanArray::from(vec![true; b.num_rows()])).collect(),
            _ => kept.clone(),
        };
        let of = Proposal { plan: recoded.plan, optimal: false, tried: found.tried };
        let mut batches = recoded.batches.into_iter();
        let protected = held(&over, of, &kept, &mut |_| batches.next().ok_or(NotProtected::Empty))?;
        if protected.is_met() {
            return Ok(protected);
        }
    }
    let border = border(&over, &found.plan)?;
    held(&over, found, &kept, &mut |batch| Ok(border.apply(batch)?))
}

/// The plan, and the records that it releases, batch by batch.
fn found(over: &Over<'_>) -> Result<(Proposal, Vec<BooleanArray>), NotProtected> {
    let mut fixed = fixed_plan(over)?;
    let mut found = lattice::search(over, &fixed)?;
    let mut kept = keep(over, &found.plan)?;
    for _ in 0..ROUNDS_MAX {
        let tails = tails::acts(over, &found.plan, &kept)?;
        if tails.is_empty() {
            break;
        }
        // Coarser ends may let sensitive columns lose diversity, so the classes are judged again.
        fixed.columns.extend(tails.clone());
        found.plan.columns.extend(tails);
        kept = keep(over, &found.plan)?;
    }
    Ok((found, kept))
}

fn fixed_plan(over: &Over<'_>) -> Result<Plan, NotProtected> {
    let schema = over.schema()?;
    let acts = schema.fields().iter().map(|f| (f.name().clone(), fixed_act(over, &schema, f.name())));
    Ok(Plan { columns: acts.collect() })
}

// Columns that the search does not move: what a person chose; else the mildest act that the profile permits.
fn fixed_act(over: &Over<'_>, schema: &SchemaRef, name: &str) -> Act {
    let Some(entry) = over.dictionary.columns.get(name) else { return Act::Drop };
    if let Some(act) = &entry.act {
        return act.clone();
    }
    if !is_readable(schema, name) {
        return Act::Drop;
    }
    let pseudonym = Act::Pseudonym { namespace: None };
    let wanted = match entry.role {
        role if role.identifies_alone() => [Act::Drop, Act::Drop],
        _ => [Act::Keep, Act::Drop],
    };
    // Numbers that link records keep their use as pseudonyms, where the profile permits them and there is a key.
    if entry.role == Role::LinkingCode && over.key.is_some() && over.profile.permits(entry, &pseudonym) {
        return pseudonym;
    }
    wanted.into_iter().find(|act| over.profile.permits(entry, act)).unwrap_or(Act::Drop)
}

// Lists, structs and bytes cannot be measured, so nothing could be said about them, and they stay behind.
fn is_readable(schema: &SchemaRef, name: &str) -> bool {
    schema.field_with_name(name).is_ok_and(|f| Cells::of(&new_empty_array(f.data_type())).is_some())
}

/// Rows whose class meets the profile, batch by batch.
fn keep(over: &Over<'_>, plan: &Plan) -> Result<Vec<BooleanArray>, NotProtected> {
    let released = |role: Role| -> Vec<String> {
        plan.released()
            .filter(|n| over.dictionary.columns.get(*n).is_some_and(|e| e.role == role))
            .map(Into::into)
            .collect()
    };
    let (quasi, sensitive) = (released(Role::QuasiIdentifier), released(Role::Sensitive));
    let border = border(over, plan)?;
    let (k, l, t) = (over.profile.k(), over.profile.distinct_l(), over.profile.closeness());
    let looks = l > 1 || t < Ratio::ONE;
    let mut classes = Classes::of(&quasi, if looks { &sensitive } else { &[] });
    let mut rows = Vec::new();
    over.source.each(&mut |batch| {
        let ids = classes.push(&border.apply(batch)?)?;
        if over.memory.is_none() {
            rows.push(ids);
        }
        Ok(())
    })?;
    let good = classes.good(k, l, t);
    drop(classes);
    let kept = |ids: &[u32]| BooleanArray::from_iter(ids.iter().map(|id| Some(good.get(*id as usize) == Some(&true))));
    if over.memory.is_none() {
        return Ok(rows.iter().map(|ids| kept(ids)).collect());
    }
    // Read once more instead of four bytes held for each record: classes get the same numbers again.
    let (mut classes, mut out) = (Classes::of(&quasi, &[]), Vec::new());
    over.source.each(&mut |batch| {
        out.push(kept(&classes.push(&border.apply(batch)?)?));
        Ok(())
    })?;
    Ok(out)
}

fn border(over: &Over<'_>, plan: &Plan) -> Result<Border, NotProtected> {
    Ok(Border::prepare(plan, &over.schema()?, over.key.cloned())?)
}

/// What makes a batch of the release out of one of the table, before records are left out.
type Make<'a> = &'a mut dyn FnMut(&RecordBatch) -> Result<RecordBatch, NotProtected>;

/// A release in memory.
fn held(over: &Over<'_>, found: Proposal, kept: &[BooleanArray], make: Make<'_>) -> Result<Protected, NotProtected> {
    let (mut losses, mut batches, mut records) = (Losses::default(), Vec::with_capacity(kept.len()), 0);
    let mut kept = kept.iter();
    over.source.each(&mut |batch| {
        let (after, kept) = (make(batch)?, kept.next().ok_or(NotProtected::Empty)?);
        losses.push(batch, &after, kept);
        records += batch.num_rows() as u64;
        batches.push(filter_record_batch(&after, kept).map_err(Refusal::from)?);
        Ok(())
    })?;
    let mut examined = Examined::of(Some(records), &batches, over.dictionary, &found.plan, over.knowledge)?;
    examined.unread = losses.unread(&found.plan);
    let report = Report::of(over.profile, over.dictionary, &found.plan, &examined, &losses.finish())?;
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
