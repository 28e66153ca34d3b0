//! Doors for programs and people.

pub mod authority;
pub mod carrier;
pub mod tls;

pub mod people;
pub mod problem;
