//! Doors for programs and people.

pub mod authority;
pub mod carrier;
pub mod tls;

pub mod claims;
pub mod claims_door;
pub mod people;
pub mod problem;
pub mod data_door;
pub mod dataflow_door;
pub mod dsp_door;
pub mod duties;
pub mod node_flows;
pub mod node_acts;
pub mod node_server;
pub mod observed;
pub mod participants;
pub mod signaling;
pub mod space;
pub mod test_identity;
