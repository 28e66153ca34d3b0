//! What is done to a whole table before its columns are: noise, microaggregation, sampling, coarser trajectories.
//!
//! Unlike the acts of a [`crate::plan::Plan`], a step sees more than one record, or draws by chance. Randomness is an
//! argument and nothing of it is kept: the same table gives another release each time. A step says nothing about privacy
//! by itself; what comes out is measured like any other table.

use crate::cell::as_text;
use crate::dp::sampler::{Randomness, below};
use crate::number::Decimal;
use crate::ratio::Ratio;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow_schema::{ArrowError, Schema};
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

mod groups;
mod trajectory;

/// One step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// Numbers of a column move by chance, each amount equally likely; what is no number becomes missing.
    Noise {
        /// The column.
        column: String,
        /// At most so far, up or down: what comes out tells the number within this, and no more is promised.
        most: Decimal,
        /// In steps of this.
        step: Decimal,
    },
    /// Numbers become the mean of at least k records that are near each other in these columns together (MDAV, Domingo-Ferrer
    /// and Torra 2005): each combination of means is shared by k records or more.
    Microaggregate {
        /// The columns.
        columns: Vec<String>,
        /// Records of a group, at least.
        k: usize,
        /// Decimals of the means.
        #[serde(default)]
        decimals: u32,
    },
    /// Each record stays with this chance, by itself.
    Sample {
        /// The chance.
        keep: Ratio,
    },
    /// Points of persons' ways become coarse, and both ends of each day's way are cut off, where people live and work.
    Trajectory {
        /// The column of persons.
        person: String,
        /// The column of times, as `2026-01-31T08:15:00Z`.
        time: String,
        /// The column of latitudes, in degrees.
        latitude: String,
        /// The column of longitudes, in degrees.
        longitude: String,
        /// Points nearer than this to the first or the last point of a day are left out.
        cut_meters: u32,
        /// Points move to the middle of a square of this width.
        grid_meters: u32,
        /// Times are cut down to so many minutes; 60 leaves the hour.
        minutes: u32,
    },
}

/// Steps in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// One after the other.
    #[serde(default)]
    pub step: Vec<Step>,
}

/// The text is no list of steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSteps {
    /// Where in the text, in bytes, if one place is at fault.
    pub span: Option<Range<usize>>,
    message: String,
}

impl fmt::Display for NotSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pets/not-steps)", self.message)
    }
}

impl std::error::Error for NotSteps {}

/// Why a step could not be done.
#[derive(Debug)]
pub enum NotDone {
    /// The table has no such column.
    MissingColumn(String),
    /// The step's numbers make no sense; what is wrong.
    Senseless(&'static str),
    /// The table has more records than the step is made for.
    TooMany {
        /// Records.
        records: usize,
        /// At most.
        most: usize,
    },
    /// The source of randomness does not behave like one.
    Randomness,
    /// Arrow could not build the batch.
    Arrow(ArrowError),
}

impl NotDone {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingColumn(_) => "pets/missing-column",
            Self::Senseless(_) => "pets/senseless-step",
            Self::TooMany { .. } => "pets/too-many-records",
            Self::Randomness => "pets/randomness",
            Self::Arrow(_) => "pets/arrow",
        }
    }
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingColumn(name) => write!(f, "a step names column `{name}`, which the table lacks")?,
            Self::Senseless(why) => write!(f, "a step cannot be done: {why}")?,
            Self::TooMany { records, most } => {
                write!(f, "the table has {records} records; this step is made for at most {most}")?
            }
            Self::Randomness => f.write_str("the source of randomness repeats itself")?,
            Self::Arrow(error) => write!(f, "the batch could not be built: {error}")?,
        }
        write!(f, " ({})", self.code())
    }
}

impl std::error::Error for NotDone {}

impl From<ArrowError> for NotDone {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}

impl Steps {
    /// Parses steps from TOML: a table `[[step]]` for each, with `do = "…"`.
    pub fn parse(text: &str) -> Result<Self, NotSteps> {
        toml::from_str(text).map_err(|e| {
            let before = e.span().and_then(|span| text.get(..span.start));
            let place = before.map(|b| format!("line {}: ", b.matches('\n').count() + 1)).unwrap_or_default();
            NotSteps { span: e.span(), message: format!("{place}{}", e.message()) }
        })
    }

    /// Does the steps; the table comes back as text, in one batch.
    pub fn apply(
        &self,
        batches: &[RecordBatch],
        randomness: &mut dyn Randomness,
    ) -> Result<Vec<RecordBatch>, NotDone> {
        if self.step.is_empty() {
            return Ok(batches.to_vec());
        }
        // As text first: batches of one table differ in whether a column happens to have gaps.
        let texts = batches.iter().map(as_text).collect::<Result<Vec<_>, _>>()?;
        let Some(first) = texts.first() else { return Ok(Vec::new()) };
        let mut table = concat_batches(&first.schema(), &texts)?;
        for step in &self.step {
            table = step.apply(&table, randomness)?;
        }
        Ok(vec![table])
    }
}

impl Step {
    fn apply(&self, table: &RecordBatch, randomness: &mut dyn Randomness) -> Result<RecordBatch, NotDone> {
        match self {
            Self::Noise { column, most, step } => noise(table, column, *most, *step, randomness),
            Self::Microaggregate { columns, k, decimals } => groups::means(table, columns, *k, *decimals),
            Self::Sample { keep } => sample(table, *keep, randomness),
            Self::Trajectory { person, time, latitude, longitude, cut_meters, grid_meters, minutes } => {
                let columns = [person, time, latitude, longitude].map(String::as_str);
                trajectory::coarser(table, columns, *cut_meters, *grid_meters, *minutes)
            }
        }
    }
}

/// The cells of a text column.
fn column<'a>(table: &'a RecordBatch, name: &str) -> Result<&'a StringArray, NotDone> {
    let array = table.column_by_name(name).and_then(|array| array.as_any().downcast_ref::<StringArray>());
    array.ok_or_else(|| NotDone::MissingColumn(name.into()))
}

/// The table with one column written anew.
fn with(table: &RecordBatch, name: &str, values: StringArray) -> Result<RecordBatch, NotDone> {
    let place = table.schema().index_of(name)?;
    let mut columns: Vec<ArrayRef> = table.columns().to_vec();
    if let Some(slot) = columns.get_mut(place) {
        *slot = Arc::new(values);
    }
    let fields = table.schema().fields().iter().map(|f| Arc::new(f.as_ref().clone().with_nullable(true))).collect::<Vec<_>>();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

// LIMIT: different amounts that noise can have.
const AMOUNTS_MAX: i64 = 1 << 30;

fn noise(
    table: &RecordBatch,
    name: &str,
    most: Decimal,
    step: Decimal,
    randomness: &mut dyn Randomness,
) -> Result<RecordBatch, NotDone> {
    if step <= Decimal::ZERO || most < step {
        return Err(NotDone::Senseless("noise needs a step above zero and at least one step"));
    }
    let steps = most.over(step).filter(|n| *n <= AMOUNTS_MAX).ok_or(NotDone::Senseless("noise has too many steps"))?;
    let mut out: Vec<Option<String>> = Vec::with_capacity(table.num_rows());
    for text in column(table, name)? {
        let Some(number) = text.and_then(|t| t.parse::<Decimal>().ok()) else {
            out.push(None);
            continue;
        };
        let drawn = below(2 * steps.unsigned_abs() as u128 + 1, randomness).ok_or(NotDone::Randomness)?;
        let amount = i64::try_from(drawn).map_err(|_| NotDone::Randomness)? - steps;
        out.push(Some(number.plus(step.times(amount)).to_string()));
    }
    with(table, name, out.into_iter().collect())
}

fn sample(table: &RecordBatch, keep: Ratio, randomness: &mut dyn Randomness) -> Result<RecordBatch, NotDone> {
    let (numerator, denominator) = keep.parts();
    if keep <= Ratio::ZERO || keep > Ratio::ONE {
        return Err(NotDone::Senseless("a sample keeps more than none and at most all"));
    }
    let mut kept = Vec::with_capacity(table.num_rows());
    for _ in 0..table.num_rows() {
        kept.push(below(denominator, randomness).ok_or(NotDone::Randomness)? < numerator);
    }
    Ok(filter_record_batch(table, &BooleanArray::from(kept))?)
}

#[cfg(test)]
mod tests;
