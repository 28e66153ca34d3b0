//! Moves data: sources, sinks, chunks, manifests, meters.
//!
//! This room never decides. A [`flow::Flow`] opens only with a [`pass::Pass`], asks its lease before every chunk and
//! refuses bytes of another form than the pass names.
//!
//! Path of data: a file → [`table`] (Arrow batches) → a plan of `pets` → [`encode`] → [`mod@chunk`] → [`flow`] → the wire →
//! [`sink`] → [`manifest`]. A file that goes as it is skips the first three. [`sheet`] reads small tables for people.
//!
//! ```
//! use dataplane::chunk::Cutter;
//! let mut cutter = Cutter::new(b"abcdef".as_slice(), 4);
//! assert_eq!(cutter.cut().unwrap().unwrap().bytes().as_slice(), b"abcd");
//! assert_eq!(cutter.cut().unwrap().unwrap().chunk().bytes, 2);
//! assert!(cutter.cut().unwrap().is_none());
//! ```

mod ahead;
pub mod chunk;
pub mod encode;
pub mod flow;
mod growing;
mod guard;
mod lines;
pub mod manifest;
pub mod meter;
mod quotes;
mod reading;
pub mod sheet;
pub mod sink;
pub mod table;

/// Tells a caller that a named place was passed, so that a test can let the process die there.
pub type Mark = fn(&str);

/// The named places of this room, in the order in which one chunk and one file pass them.
pub const CRASH_POINTS: &[&str] = &[
    "sink.create.after",
    "sink.write.after",
    "sink.sync.after",
    "sink.assemble.linked",
    "sink.assemble.synced",
    "sink.assemble.swept",
];
