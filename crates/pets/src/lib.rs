//! Find, transform and measure personal data over Arrow batches.

pub mod calendar;
pub mod catalogue;
pub mod cell;
pub mod check;
pub mod classify;
pub mod dictionary;
mod intern;
pub mod measure;
pub mod number;
pub mod plan;
pub mod pseudonym;
pub mod ratio;
mod sample;
pub mod shape;
pub mod single_out;
pub mod transform;
pub mod words;
