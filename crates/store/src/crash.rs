//! Named places where a test lets the process die.
//!
//! Compiled in always, so that what is tested is what runs; a place that is not armed costs one relaxed load.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Each place of this room, in the order of a write, of a backup and of a restore. Rooms above keep a list of their own.
pub const CRASH_POINTS: &[&str] = &[
    "store.begin.after",
    "store.verb.after",
    "store.commit.before",
    "store.commit.after",
    "store.answer.after",
    "store.wal.before",
    "store.wal.after",
    "store.backup.copied",
    "store.backup.synced",
    "store.backup.renamed",
    "store.restore.copied",
    "store.restore.synced",
    "store.restore.renamed",
];

/// The environment variable that names the place: `name`, or `name:n` for the n-th time it is passed.
pub const CRASH_VARIABLE: &str = "TEGATA_CRASH";

static ARMED: AtomicBool = AtomicBool::new(false);
static PLAN: OnceLock<Plan> = OnceLock::new();

struct Plan {
    name: String,
    left: AtomicU64,
}

/// The text names no place to die at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotACrashPoint {
    text: String,
}

impl fmt::Display for NotACrashPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no crash point; write `name` or `name:n`, once per process", self.text)
    }
}

impl std::error::Error for NotACrashPoint {}

/// Arms one place, given as `name` or `name:n`; a process can be armed once.
///
/// The caller decides whether that is allowed: a node arms in demo mode alone, tests arm their own processes.
pub fn arm(text: &str) -> Result<(), NotACrashPoint> {
    let wrong = || NotACrashPoint { text: text.chars().take(80).collect() };
    let (name, left) = match text.split_once(':') {
        Some((name, n)) => (name, n.parse::<u64>().ok().filter(|n| *n > 0).ok_or_else(wrong)?),
        None => (text, 1),
    };
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(wrong());
    }
    PLAN.set(Plan { name: name.to_owned(), left: AtomicU64::new(left) }).map_err(|_| wrong())?;
    ARMED.store(true, Ordering::Release);
    Ok(())
}

/// Arms the place that [`CRASH_VARIABLE`] names, if it is set; tells whether it was.
pub fn arm_from_environment() -> Result<bool, NotACrashPoint> {
    match std::env::var(CRASH_VARIABLE) {
        Ok(text) => arm(&text).map(|()| true),
        Err(_) => Ok(false),
    }
}

/// Dies here, at once and without unwinding or flushing, if this place is armed and its count is reached.
#[inline]
pub fn crash_point(name: &str) {
    if ARMED.load(Ordering::Relaxed) {
        die_if_named(name);
    }
}

#[cold]
fn die_if_named(name: &str) {
    let Some(plan) = PLAN.get().filter(|plan| plan.name == name) else { return };
    if plan.left.fetch_sub(1, Ordering::AcqRel) == 1 {
        std::process::abort();
    }
}
