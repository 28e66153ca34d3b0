//! What is remembered, in domain verbs.
//!
//! A verb is one whole transaction: the state, the events that tell of it, the messages that it sends and the counts that
//! it adds commit together ([`together::Together`]) or not at all, and the caller is answered when they are on the disk.
//! Every verb takes the participant first, and every key begins with it, so that nobody reaches another's rows.
//!
//! This room never holds a rule and never opens the bytes it is given: protocol values, decisions and evidence are
//! canonical bytes of the rooms above, beside the few columns by which they are found. It keeps no pass and no secret: of
//! tokens it has hashes, of the log's salts only those not yet erased.
//!
//! Path of data: verb → queue → the one writer, which runs all verbs that wait in savepoints of one transaction → one
//! commit, synced → answers. Reads go past the writer and see what is committed. The embedded form is SQLite in one
//! directory that one process holds; while nobody asks it may rest ([`Store::rest`]), with no file open but the lock.
//!
//! ```
//! use model::{Instant, event::{Event, EventKind}};
//! use store::{log::Leaf, participant::Participant, store::Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let directory = tempfile::tempdir()?;
//! let store = Store::open(directory.path())?;
//! let aoi = Participant::new("did:web:aoi.example")?;
//! let event = Event {
//!     kind: EventKind::Decided,
//!     at: Instant(1_594_857_600_000),
//!     legal_day: None,
//!     process: "transfer-1".into(),
//!     binds: Default::default(),
//!     rules: Vec::new(),
//!     counts: Default::default(),
//! };
//! let leaf = Leaf::new(&event, [7; 32], |bytes| model::Digest::of(bytes).0)?;
//! assert_eq!(store.append_events(&aoi, vec![leaf])?, 0..1);
//! assert_eq!(store.log_size(&aoi)?, 1);
//! assert_eq!(store.log_size(&Participant::new("did:web:else.example")?)?, 0);
//! # Ok(())
//! # }
//! ```

mod column;
mod lock;
mod recent;
mod writer;

pub mod backup;
pub mod counter;
pub mod crash;
pub mod delivery;
pub mod error;
pub mod keep;
pub mod lease;
pub mod log;
pub mod once;
pub mod outbox;
pub mod part;
pub mod participant;
pub mod process;
pub mod status;
pub mod store;
pub mod together;
pub mod token;
pub mod write_key;

pub use crash::{CRASH_POINTS, crash_point};
pub use error::StoreError;
pub use participant::Participant;
pub use store::Store;
pub use together::Together;
