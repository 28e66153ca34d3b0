//! A bound transfer and a rulebook become a decision, and everything else that reads the same table.
//!
//! This room is the meaning of DESIGN section 4. It never fails for reasons of law, reads no clock, and names no
//! country: law comes from the rulebook, the day from the caller.
//!
//! Path of data: a rulebook and a day → the [`gather`]ed law of each layer → a [`unit`] (exact functions over [`axis`]
//! cells, shared in a [`diagram`]), and all of them linked → [`table::Table`]; a bound crossing → [`knowledge`]; both →
//! [`engine::decide`] with [`verdict`], [`explain`], [`remedy`] and [`ask`]; or only the head of it, fast: [`judge`].
//!
//! ```
//! use decide::{engine::Engine, decision::Verdict};
//! use model::{AsOf, transfer::Transfer};
//! use rulebook::book::{Rulebook, Source};
//! let (book, _) = Rulebook::parse(vec![Source { path: "empty.md".into(), text: String::new() }]);
//! let bound = book.bind(&Transfer::single([])).unwrap();
//! let day = AsOf::then("2026-11-22".parse().unwrap());
//! // A rulebook that holds nothing never says that data may go.
//! assert_eq!(Engine::new(book).decide(&bound, day).unwrap().verdict, Verdict::Undetermined);
//! ```

pub mod decision;
pub mod engine;
pub mod case;
pub mod decisive;
pub mod table;
pub mod linked;
mod filter;
pub mod paths;
pub mod gather;
pub mod given;
pub mod unit;
pub mod axis;
pub mod diagram;
pub mod lexicon;
pub mod knowledge;
pub mod verdict;
pub mod judge;
pub mod line;
mod deciding;
pub mod explain;
mod listed;
pub mod remedy;
pub mod ask;
pub mod suppose;
pub mod footing;
pub mod matrix;
pub mod common;
pub mod change;
pub mod counter;
pub mod hygiene;
pub mod index;
pub mod cells;
mod hash;
