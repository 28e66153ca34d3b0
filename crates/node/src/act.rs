//! The acts: each decides afresh, commits, and only then does.

pub mod check;
pub mod get;
pub mod negotiate;
pub mod offer;
pub mod provide;
pub mod turn;
