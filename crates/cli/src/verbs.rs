//! One file a verb.

pub mod rules;
