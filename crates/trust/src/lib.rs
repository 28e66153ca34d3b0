//! Seal, time-stamp, delivery evidence and the container that carries them to an outsider.
pub(crate) mod cms;
pub mod seal;
pub mod timestamp;
