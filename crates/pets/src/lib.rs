//! Finds, transforms and measures personal data over Arrow batches, and reports what was proved.
//!
//! This room works on values alone: batches, and documents passed in as text. It never opens a file or a socket, reads a
//! clock, or makes up randomness; it never says what a measure does in law (a rule does), only what the numbers are.
//!
//! Path of data: [`classify`] tells what each column holds, with evidence, by the [`catalogue`] and the [`words`]; a
//! person corrects the [`dictionary`]; [`protect`] searches the ladders for the plan that meets a [`profile`] at the
//! least loss; [`transform`] applies a [`plan`] batch by batch (also alone, in flight, where a column that the plan does
//! not name stops at the border); [`measure`] counts classes; [`examine`] answers the profile clause by clause; the
//! [`report`] holds an exact part and an observed one, and no value of the data.
//!
//! ```
//! use arrow_array::{ArrayRef, RecordBatch, StringArray};
//! use pets::{plan::Plan, transform::{Border, Refusal}};
//! use std::sync::Arc;
//!
//! let column = |v: &str| Arc::new(StringArray::from(vec![v])) as ArrayRef;
//! let table = RecordBatch::try_from_iter([("name", column("Lisa Lee")), ("age", column("66"))])?;
//! let plan = Plan::parse("[columns.name]\nact = 'drop'\n[columns.age]\nact = 'bin'\nwidth = 10")?;
//! let border = Border::prepare(&plan, &table.schema(), None)?;
//! let out = border.apply(&table)?;
//! assert_eq!(format!("{:?}", out.column(0)), "StringArray\n[\n  \"[60,70)\",\n]");
//!
//! let later = RecordBatch::try_from_iter([("name", column("Lisa Lee")), ("age", column("66")), ("phone", column("1"))])?;
//! assert!(matches!(border.apply(&later), Err(Refusal::UnplannedColumn(name)) if name == "phone"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod across;
pub mod attack;
pub mod calendar;
pub mod catalogue;
pub mod cell;
pub mod check;
pub mod classify;
pub mod dictionary;
pub mod dp;
pub mod examine;
mod intern;
pub mod measure;
pub mod number;
pub mod outside;
pub mod plan;
pub mod profile;
pub mod protect;
pub mod pseudonym;
pub mod ratio;
pub mod report;
mod sample;
pub mod seen;
pub mod separate;
pub mod shape;
pub mod shares;
pub mod single_out;
pub mod text;
pub mod transform;
pub mod utility;
pub mod whole;
pub mod words;

// The tests share a file that speaks of this crate from outside.
#[cfg(test)]
extern crate self as pets;
