//! One participant's agent: where pure answers become acts.

pub mod register;
pub mod protect;
