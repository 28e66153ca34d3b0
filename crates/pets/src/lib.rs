//! Find, transform and measure personal data over Arrow batches.

pub mod calendar;
pub mod catalogue;
pub mod cell;
pub mod check;
pub mod dictionary;
mod intern;
pub mod measure;
pub mod number;
pub mod plan;
pub mod pseudonym;
pub mod ratio;
pub mod shape;
pub mod transform;
