//! The only place where a decision and a ground become a pass.
