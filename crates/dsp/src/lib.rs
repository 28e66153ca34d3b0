//! The Dataspace Protocol 2025-1, both roles: messages, state machines, policies. Pure values.
//!
//! This room never opens a socket, reads a clock, draws a random number or decides a rule of law; who a peer is, it is told.
//!
//! Path of data: bytes of a peer → [`message::Received::read`] (limits, schema, value, digest) →
//! [`negotiation::Negotiation`] or [`transfer::Transfer`] `step` → the next process and effects (answer, send, record, start
//! or stop the flow), which the caller commits together and then does. Beside it: [`policy`] reads, checks, evaluates and
//! explains ODRL; [`profile`] writes conditions of law as ODRL; [`reason`] says which rule refused; [`catalog`] filters and
//! pages; [`paths`] is the HTTPS binding; [`schema`] is what a body must be before it is a message; [`signaling`] is how a
//! control plane and a data plane of one participant speak.
//!
//! ```
//! use dsp::machine::{Effect, Event, Peer, Step};
//! use dsp::message::{Received, terms::Terms};
//! use dsp::negotiation::{Command, Negotiation, State};
//!
//! let offer: Terms = serde_json::from_str(
//!     r#"{"@id":"urn:o:1","@type":"Offer","target":"urn:d:1","permission":[{"action":"use"}]}"#,
//! )?;
//! let (provider, consumer) = (Peer("did:web:p.example".into()), Peer("did:web:c.example".into()));
//! let (asking, effects) =
//!     Negotiation::request(provider, "urn:c:1", "https://p.example/dsp", "https://c.example/dsp", offer.clone());
//! let Some(Effect::Send { url, message }) = effects.last() else { return Ok(()) };
//! assert_eq!(url, "https://p.example/dsp/negotiations/request");
//!
//! let received = Received::read(&message.to_bytes())?;
//! let (asked, _) = Negotiation::opened(&consumer, "urn:p:1", &received)?;
//! let agreement = offer.to_agreement("urn:a:1", "did:web:p.example", "did:web:c.example", "2026-11-22T00:00:00Z")?;
//! let Step::Next(agreed, _) = asked.step(Event::Command(Command::Agree(agreement))) else { return Ok(()) };
//! assert_eq!((asking.state(), agreed.state()), (State::Requested, State::Agreed));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod message;

pub mod negotiation;
pub mod transfer;

pub mod machine;

pub mod signaling;

pub mod policy;
pub mod profile;
pub mod reason;

pub mod catalog;
pub mod json;
pub mod paths;
pub mod schema;
