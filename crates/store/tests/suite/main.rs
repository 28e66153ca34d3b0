//! One suite of the verbs. It reaches a store through [`fresh`] alone, so that another engine runs the same suite.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

mod bench;
mod crash;
mod door;
mod isolation;
mod processes;
mod verbs;
