//! Find, transform and measure personal data over Arrow batches.

pub mod calendar;
pub mod cell;
pub mod dictionary;
mod intern;
pub mod measure;
pub mod number;
pub mod plan;
pub mod pseudonym;
pub mod ratio;
pub mod transform;
