//! Ports for nodes whose name holds their port, and which so must choose it before they listen.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// The ports of these tests: below those that systems hand out to passing connections (from 32768), and below those that `tegata enroll`
/// looks through.
const FIRST: u16 = 10_000;
const COUNT: u16 = 10_000;
/// How far apart two processes that follow one another begin.
const APART: u32 = 97;

/// A port that is free now and that no other test of this process is given.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id().wrapping_mul(APART) % u32::from(COUNT)) as u16;
    (0..COUNT)
        .map(|_| FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
