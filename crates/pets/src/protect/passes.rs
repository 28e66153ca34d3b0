//! A table that does not fit the memory: read again for each pass, and what grows with its records goes out into parts.
//!
//! The search sees distinct combinations, never records; the release is made, measured and given away batch by batch.
//! The way is that of a table in memory, step by step, so plan, records and report are the same to the byte.

use super::{
    Dictionary, DomainKey, Examining, Knowledge, LossesOutside, NotProtected, Plan, Profile, Refusal, Report, Request, Spill, border,
    filter_record_batch, found,
};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

/// Sees a batch.
pub type See<'a> = &'a mut dyn FnMut(&RecordBatch) -> Result<(), NotProtected>;

/// A table that can be read from the beginning as often as needed.
pub trait Passes {
    /// The schema; none of no table.
    fn schema(&self) -> Option<SchemaRef>;
    /// Gives each batch in order; the same batches each time.
    fn each(&self, see: See<'_>) -> Result<(), NotProtected>;
}

impl Passes for &[RecordBatch] {
    fn schema(&self) -> Option<SchemaRef> {
        self.first().map(RecordBatch::schema)
    }

    fn each(&self, see: See<'_>) -> Result<(), NotProtected> {
        self.iter().try_for_each(see)
    }
}

/// Makes a new place for parts.
pub type Room<'a> = &'a mut dyn FnMut() -> Box<dyn Spill<Failed = String>>;

/// A table of any size, and how it is to be judged.
#[derive(Clone, Copy)]
pub struct Large<'a> {
    /// The table.
    pub source: &'a dyn Passes,
    /// What each column is; a column that it does not name is dropped.
    pub dictionary: &'a Dictionary,
    /// What has to be met.
    pub profile: &'a Profile,
    /// What the detectors know, for the look at the result.
    pub knowledge: &'a Knowledge,
    /// The key of pseudonyms, where a column gets them.
    pub key: Option<&'a DomainKey>,
    /// Bytes for what is counted. Distinct combinations and values have to fit it; records do not.
    pub memory: usize,
}

/// A release that was given away batch by batch.
#[derive(Clone, Debug)]
pub struct Released {
    /// What was done to each column.
    pub plan: Plan,
    /// What was measured and how the profile's clauses came out.
    pub report: Report,
    /// Whether the plan is the best of all that the ladders allow.
    pub optimal: bool,
    /// Plans that were tried.
    pub tried: u64,
    /// Bytes that went out into parts.
    pub spilled: u64,
}

/// What the search and the passes need to know; a request's batches are one way to have it.
#[derive(Clone, Copy)]
pub(super) struct Over<'a> {
    pub(super) source: &'a dyn Passes,
    pub(super) dictionary: &'a Dictionary,
    pub(super) profile: &'a Profile,
    pub(super) knowledge: &'a Knowledge,
    pub(super) key: Option<&'a DomainKey>,
    /// None: everything is held anyway.
    pub(super) memory: Option<usize>,
}

impl Over<'_> {
    pub(super) fn schema(&self) -> Result<SchemaRef, NotProtected> {
        self.source.schema().ok_or(NotProtected::Empty)
    }
}

impl Request<'_> {
    pub(super) fn over(&self) -> Over<'_> {
        let Self { batches, dictionary, profile, knowledge, key } = self;
        Over { source: batches, dictionary, profile, knowledge, key: *key, memory: None }
    }
}

/// Protects a table of any size by the lattice. `write` gets each batch of the release before it is known whether the
/// profile is met: who writes keeps it back until then.
pub fn protect_large(of: &Large<'_>, room: Room<'_>, write: See<'_>) -> Result<Released, NotProtected> {
    let Large { source, dictionary, profile, knowledge, key, memory } = *of;
    let over = Over { source, dictionary, profile, knowledge, key, memory: Some(memory) };
    let (found, kept) = found(&over)?;
    let border = border(&over, &found.plan)?;
    // Half of what may be held is for what each column loses, a quarter for digests of rows.
    let mut losses = LossesOutside::of(memory / 2, room(), room());
    let mut examining = Examining::of(dictionary, &found.plan, Some((memory / 4, room())));
    let (mut records, mut kept) = (0, kept.iter());
    source.each(&mut |batch| {
        let (after, kept) = (border.apply(batch)?, kept.next().ok_or(NotProtected::Empty)?);
        losses.push(batch, &after, kept).map_err(NotProtected::Spill)?;
        records += batch.num_rows() as u64;
        let released = filter_record_batch(&after, kept).map_err(Refusal::from)?;
        examining.push(&released)?;
        write(&released)
    })?;
    let unread = losses.unread(&found.plan);
    let (losses, lost) = losses.finish().map_err(NotProtected::Spill)?;
    let (mut examined, sorted) = examining.finish(Some(records), &found.plan, knowledge)?;
    examined.unread = unread;
    let report = Report::of(profile, dictionary, &found.plan, &examined, &losses)?;
    Ok(Released { plan: found.plan, report, optimal: found.optimal, tried: found.tried, spilled: lost + sorted })
}
