//! How many events a second the store makes durable: `cargo run -p store --example rate [THREADS] [SECONDS] [DIRECTORY]`.
//!
//! Each thread appends one event and waits for its answer, which comes after the commit is synced. Give a directory on the
//! disk that counts: the usual one for temporary files may lie in memory.
//!
//! Measured on a shared machine of two cores with other builds running, profile dev, 22 November 2026, `rate N 4 DISK`:
//!
//! | threads | durable events/s | a commit | answered in, p50 | p99 |
//! |---|---|---|---|---|
//! | 1 | 1,581 | 1.0 | 0.14 ms | 4.3 ms |
//! | 8 | 7,938 | 8.0 | 0.33 ms | 9.0 ms |
//! | 64 | 20,478 | 60.1 | 1.7 ms | 15.4 ms |
//! | 256 | 20,106 | 252.0 | 12.0 ms | 28.3 ms |

use model::event::{Event, EventKind};
use model::{Digest, Instant};
use std::time::{Duration, Instant as Clock};
use store::log::Leaf;
use store::{Participant, Store};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let n_threads: u64 = arguments.next().map_or(Ok(64), |a| a.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(5), |a| a.parse())?;
    let place = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let directory = tempfile::tempdir_in(place)?;
    let store = Store::open(directory.path())?;
    let someone = Participant::new("did:web:aoi.example")?;
    let begin = Clock::now();
    let end = begin + Duration::from_secs(seconds);
    let mut waits: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads)
            .map(|t| {
                let (store, someone) = (&store, &someone);
                scope.spawn(move || {
                    let mut waits = Vec::new();
                    while Clock::now() < end {
                        let n = waits.len() as u64;
                        let Ok(leaf) = leaf(t, n) else { break };
                        let asked = Clock::now();
                        if store.append_events(someone, vec![leaf]).is_err() {
                            break;
                        }
                        waits.push(asked.elapsed());
                    }
                    waits
                })
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().unwrap_or_default()).collect()
    });
    let took = begin.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |q: usize| waits.get(waits.len() * q / 100).copied().unwrap_or_default();
    println!(
        "{n_threads} threads: {:.0} durable events/s, {:.1} a commit, answered in {:?} (p50), {:?} (p99)",
        waits.len() as f64 / took,
        waits.len() as f64 / store.n_commits().max(1) as f64,
        at(50),
        at(99)
    );
    Ok(())
}

fn leaf(thread: u64, n: u64) -> Result<Leaf, Box<dyn std::error::Error>> {
    let event = Event {
        kind: EventKind::ChunkReceived,
        at: Instant(1_594_857_600_000),
        legal_day: None,
        process: format!("flow-{thread}"),
        binds: [("chunk".to_owned(), Digest::of(&n.to_be_bytes()))].into(),
        rules: Vec::new(),
        counts: [("n".to_owned(), n)].into(),
    };
    Ok(Leaf::new(&event, [7; 32], |bytes| Digest::of(bytes).0)?)
}
