//! One participant's agent: where pure answers become acts.
//!
//! This room never parses HTTP: a [`ports::Carrier`] carries its messages, and the server calls it with bodies and the
//! identity of the peer. It blocks; whoever calls it from an event loop gives it a thread.
//!
//! Path of data: a peer's message → [`act::negotiate`] → the law ([`act::check`]) and the contract → an agreement → a pass →
//! a flow ([`act::turn`]) → chunks ([`act::provide`]) → the receiver ([`act::get`]) → manifest, seal, stamp, receipt, log
//! ([`prove`]) → a container that anybody verifies ([`verify`]).
//!
//! ```
//! let config = node::config::Config::parse("mode = \"demo\"\nlegal_day = \"2020-07-15\"").unwrap();
//! assert_eq!(config.chunk_bytes, 4 << 20);
//! ```

pub mod config;
pub mod error;
pub mod keyring;
pub mod keys;
pub mod ports;

pub mod agent;
pub mod act;
mod crew;
mod live;
pub mod prove;
mod evidence;
pub mod figures;
pub mod report;
mod rounds;
pub mod verify;

pub mod desk;
pub mod determination;
pub mod protect;
pub mod register;
pub mod terms;
pub mod question;
pub mod quota;
pub mod mark;
pub mod feed;

/// The named places of this room and of those below, for a test that lets the process die at each.
pub fn crash_points() -> Vec<&'static str> {
    let own = [
        "node.move.before",
        "node.move.after",
        "node.send.before",
        "node.send.after",
        "provide.note.before",
        "provide.note.after",
        "provide.manifest.before",
        "provide.manifest.after",
        "provide.receipt.before",
        "provide.receipt.after",
        "get.fetch.before",
        "get.fetch.after",
        "get.note.before",
        "get.note.after",
        "get.receipt.before",
        "get.receipt.after",
        "prove.swap.before",
        "prove.swap.after",
    ];
    store::CRASH_POINTS.iter().chain(dataplane::CRASH_POINTS).copied().chain(own).collect()
}

/// Arms the crash point that the environment names; refused unless the node is in demo mode.
pub fn arm_crash_point(config: &config::Config) -> Result<bool, String> {
    if std::env::var(store::crash::CRASH_VARIABLE).is_err() {
        return Ok(false);
    }
    if config.mode != config::Mode::Demo {
        return Err("crash points need `mode = \"demo\"`".into());
    }
    store::crash::arm_from_environment().map_err(|e| e.to_string())
}
