//! A tiled transparency log after the C2SP specifications: bytes in, values out.
//!
//! This room builds and checks logs that nobody can rewrite unnoticed. It does no input or output, reads no clock,
//! makes no randomness and knows none of our words: an entry is bytes, an origin is a name. Times, seeds, salts and
//! stored tiles are arguments.
//!
//! The path of data: an event becomes an [`entry`], entries stand in [`bundle`]s, an [`appender`] turns their
//! [`merkle`] leaf hashes into [`tile`]s and a root, the log signs the root as a [`checkpoint`] (a [`note`] under a
//! [`key`]), a [`witness`] adds a [`cosignature`], and a [`proof`] leads from one entry to that checkpoint, which a
//! [`policy`] from outside accepts or not. [`fsck`] goes the same way again over what is stored.
//!
//! Deviations, all stricter than the text: checkpoints have no extension lines; keys are Ed25519 only; a log's key
//! bears its origin as name; every text has one spelling, so that reading and writing again gives the same bytes.
//!
//! ```
//! use tlog::appender::Appender;
//! use tlog::checkpoint::Checkpoint;
//! use tlog::cosignature::{Cosigner, Timestamp};
//! use tlog::entry::{Commitment, Salt, Tag};
//! use tlog::key::KeyName;
//! use tlog::merkle;
//! use tlog::note::Signer;
//! use tlog::policy::{Period, Policy};
//! use tlog::proof::Proof;
//! use tlog::tile::Reader;
//! use tlog::witness::{Request, Witness};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Real seeds and salts come from a source of cryptographic randomness.
//! let origin = KeyName::parse("log.example/2026h2")?;
//! let log = Signer::new(origin.clone(), &[1; 32]);
//! let cosigner = Cosigner::new(KeyName::parse("witness.example/w1")?, &[2; 32]);
//! let policy = format!("log {}\nwitness w {}\nquorum w\n", log.verifier(), cosigner.verifier());
//! let witness = Witness::new(cosigner, [log.verifier().clone()])?;
//! let now = Timestamp::new(1_790_000_000).ok_or("no such time")?;
//!
//! // Three events enter the log.
//! let tag = Tag::new("example/event/v1").ok_or("no such tag")?;
//! let entry = |n: u8| Commitment::new(&tag, &Salt::new([n; 32]), format!("{{\"n\":{n}}}").as_bytes());
//! let leaves: Vec<_> = (0..3).map(|n| entry(n).leaf_hash()).collect();
//! let growth = Appender::new().append(&leaves)?;
//! let mut signed = Checkpoint::new(origin, growth.size, growth.root)?.sign(&log)?;
//!
//! // A witness that has not seen the log before cosigns.
//! let request = Request::new(0, vec![], signed.clone())?;
//! let answer = witness.add_checkpoint(&request, None, now)?.body();
//! signed.attach(answer.as_bytes(), &[witness.verifier().clone()])?;
//!
//! // Anyone with the policy can check the receipt of the second event, offline.
//! let fetch = |tile| growth.tiles.iter().find(|(t, _)| *t == tile).map(|(_, b)| b.clone()).ok_or("no such tile");
//! let mut tiles = Reader::new(growth.size, fetch);
//! let path = merkle::inclusion_proof(1, growth.size, |position| tiles.hash(position))?;
//! let receipt = Proof::new(1, path, signed)?.to_string();
//! let policy = Policy::parse(policy.as_bytes()).map_err(|faults| faults[0].clone())?;
//! let receipt = Proof::parse(receipt.as_bytes())?;
//! assert!(receipt.verify(&leaves[1], &policy, Period::up_to(now)).is_ok());
//! assert!(receipt.verify(&leaves[2], &policy, Period::up_to(now)).is_err());
//! # Ok(())
//! # }
//! ```

pub mod entry;

pub mod bundle;
pub mod merkle;
pub mod tile;

pub mod appender;

pub mod key;
pub mod note;

pub mod checkpoint;
pub mod cosignature;

pub mod policy;
pub mod proof;
pub mod witness;

pub mod fsck;
