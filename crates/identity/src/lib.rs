//! Who somebody is: X.509 certificates and their paths, revocation lists, status lists, `did:web`, signed tokens, and
//! the Decentralized Claims Protocol over them.
//!
//! This room never fetches, keeps state, reads a clock, draws randomness or holds a private key. A verifier takes
//! material that somebody resolved and the instant it is judged at; what it lacks it names as `Missing`. A maker
//! gives a draft, the draft gives the bytes to sign, and `finish` takes the signature.
//!
//! Path of data: bytes → [`asn1`] → [`x509`] (typed, untrusted) → [`x509::path`] (judged to anchors at an instant);
//! an order → [`certificate`] → draft → certificate; text → [`jwt`], [`did`], [`status`] → [`dcp`].
//!
//! ```
//! use identity::x509::{Certificate, path};
//! let anchors = Certificate::from_pem("").unwrap();
//! assert!(anchors.is_empty()); // and with no anchor nothing ever passes
//! # let _ = path::Purpose::Seal;
//! ```

pub mod asn1;
pub mod certificate;
pub mod dcp;
pub mod did;
pub mod json;
pub mod jwt;
pub mod key;
pub mod status;
pub mod x509;
