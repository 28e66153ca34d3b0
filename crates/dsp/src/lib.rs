//! Dataspace Protocol 2025-1: messages, state machines, ODRL policy.

pub mod json;
pub mod machine;
pub mod message;
pub mod negotiation;
pub mod paths;
pub mod schema;
pub mod transfer;
