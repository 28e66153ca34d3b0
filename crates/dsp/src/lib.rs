//! Dataspace Protocol 2025-1: messages, state machines, ODRL policy.

pub mod catalog;
pub mod json;
pub mod machine;
pub mod message;
pub mod negotiation;
pub mod paths;
pub mod policy;
pub mod profile;
pub mod reason;
pub mod schema;
pub mod transfer;
