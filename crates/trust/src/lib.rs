//! Proof for outsiders: seals, time-stamps, receipts, certifications, and the container that carries them.
//!
//! This room never speaks HTTP, holds a key, reads a clock or a file. What it makes is made in two halves: `prepare`
//! gives a draft whose `to_sign` bytes somebody else signs, `finish` takes the signature. What it verifies is judged
//! to anchors that come from outside, in the words of ETSI EN 319 102-1.
//!
//! Path of data: manifest, event and receipt → [`bundle`] → [`seal`] → [`timestamp`] → one container file;
//! a container file, anchors and data → [`mod@verify`] → a report of steps. [`script`] takes the same steps with
//! `unzip`, `sha256sum` and `openssl` alone.
//!
//! ```
//! use model::{Digest, Instant};
//! use trust::verify::{Anchors, Inputs, Verdict, verify};
//! let nothing = Anchors::default();
//! let inputs = Inputs { container: b"not a container", anchors: &nothing, crls: &[], data: None, now: Instant(0) };
//! assert_eq!(verify(inputs).verdict(), Verdict::Failed);
//! ```

mod cms;

pub mod seal;
pub mod timestamp;

pub mod receipt;

pub mod bundle;
pub mod script;
pub mod verify;

pub mod certification;
pub mod determination;
pub mod release;

/// The tag under which an event's canonical bytes and salt are committed to as a log entry.
pub const EVENT_TAG: &str = "tegata/event/v1";
