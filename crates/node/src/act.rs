//! The acts: each decides afresh, commits, and only then does.

pub(crate) mod case;
pub mod catalog;
pub mod check;
pub mod claims;
pub mod dataflow;
mod counter;
mod cure;
pub(crate) mod flow;
pub mod get;
pub mod issue;
pub mod judgment;
pub mod meter;
pub mod negotiate;
pub mod offer;
pub mod operate;
pub(crate) mod outbox;
pub mod plane;
pub mod process;
pub mod provide;
mod pull;
pub(crate) mod revocation;
pub mod standing;
pub mod trace;
pub mod turn;
pub mod wallet;
