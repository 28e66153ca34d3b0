//! The acts: each decides afresh, commits, and only then does.

pub mod catalog;
pub mod check;
mod cure;
pub(crate) mod flow;
pub mod get;
pub mod negotiate;
pub mod offer;
pub mod operate;
pub mod provide;
mod pull;
pub(crate) mod revocation;
pub mod trace;
pub mod turn;
