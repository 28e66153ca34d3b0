//! Nouns that every room shares, each with one canonical encoding.
//!
//! This room holds values: a digest, a day, an instant, a place, a citation, what somebody said about a
//! transfer. It never *does* anything: no file, clock, network or randomness, and no law.
//!
//! Path of data: foreign text or JSON is parsed into these nouns at a door, travels through the rooms as
//! values, and is hashed or signed through [`canonical`].
//!
//! ```
//! use model::{canonical, date::CivilDate, digest::Digest};
//! let day: CivilDate = "2020-07-16".parse().unwrap();
//! let bytes = canonical::to_bytes(&serde_json::json!({ "on": day, "n": 1 })).unwrap();
//! assert_eq!(bytes, br#"{"n":1,"on":"2020-07-16"}"#);
//! assert_eq!(Digest::of(b"").to_string().len(), 64);
//! ```

pub mod canonical;
pub mod citation;
pub mod date;
pub mod digest;
pub mod event;
pub mod fact;
pub mod manifest;
pub mod place;
pub mod text;
pub mod transfer;

pub use date::{AsOf, CivilDate, Instant};
pub use digest::Digest;
