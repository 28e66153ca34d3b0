//! What needs a hand on the writer: batches that are made to form, and a disk without room.

use super::*;
use crate::log::Leaf;
use crate::participant::Participant;
use model::Instant;
use model::event::{Event, EventKind};
use std::sync::mpsc::{Receiver, Sender, channel};

fn leaf(process: &str) -> Leaf {
    let event = Event {
        kind: EventKind::Decided,
        at: Instant(1),
        legal_day: None,
        process: process.into(),
        binds: Default::default(),
        rules: Vec::new(),
        counts: Default::default(),
    };
    Leaf::new(&event, [9; 32], |bytes| model::Digest::of(bytes).0).unwrap()
}

fn someone() -> Participant {
    Participant::new("did:web:aoi.example").unwrap()
}

/// A verb that holds the writer until it is let go, so that others gather behind it.
fn hold<'scope>(store: &'scope Store, scope: &'scope std::thread::Scope<'scope, '_>) -> Sender<()> {
    let (go, wait): (Sender<()>, Receiver<()>) = channel();
    let (begun, is_held) = channel();
    scope.spawn(move || {
        store.write(move |_| {
            begun.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        })
    });
    is_held.recv().unwrap();
    go
}

#[test]
fn verbs_that_wait_share_one_commit_and_one_that_fails_takes_no_other_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let before = store.n_commits();
    let sent = AtomicU64::new(0);
    let mut results = Vec::new();
    std::thread::scope(|scope| {
        let go = hold(&store, scope);
        let threads: Vec<_> = (0..40_u64)
            .map(|n| {
                let (store, sent) = (&store, &sent);
                scope.spawn(move || {
                    sent.fetch_add(1, Ordering::SeqCst);
                    // Each tenth one writes a leaf and fails after it.
                    store.write(move |c| {
                        let numbers = crate::log::append(c, &someone(), &[leaf(&format!("p{n}"))])?;
                        if n % 10 == 0 { Err(StoreError::Stale { what: "test" }) } else { Ok(numbers.start) }
                    })
                })
            })
            .collect();
        while sent.load(Ordering::SeqCst) < 40 {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        results.extend(threads.into_iter().map(|t| t.join().unwrap()));
    });
    assert_eq!(results.iter().filter(|r| r.is_err()).count(), 4);
    let mut numbers: Vec<u64> = results.into_iter().flatten().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..36).collect::<Vec<_>>());
    assert_eq!(store.leaves(&someone(), 0, 100).unwrap().len(), 36);
    // One for the holder, and few for the forty: some may have come late to the queue.
    assert!(store.n_commits() - before < 20, "{} commits", store.n_commits() - before);
}

#[test]
fn a_full_disk_is_one_clear_error_and_leaves_nothing_half_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.append_events(&someone(), vec![leaf("before")]).unwrap();
    let pages = |n: i64| {
        store.write(move |c| {
            Ok(c.query_row(&format!("PRAGMA max_page_count = {n}"), [], |r| r.get::<_, i64>(0))?)
        })
    };
    let used: i64 = store.read(|c| Ok(c.query_row("PRAGMA page_count", [], |row| row.get(0))?)).unwrap();
    pages(used + 2).unwrap();
    let many: Vec<Leaf> = (0..2_000).map(|n| leaf(&format!("many-{n}"))).collect();
    let error = store.append_events(&someone(), many.clone()).unwrap_err();
    assert_eq!(error, StoreError::DiskFull);
    assert_eq!(error.to_string(), "the disk is full; nothing was written");
    assert_eq!(store.log_size(&someone()).unwrap(), 1);
    assert_eq!(store.leaves(&someone(), 0, 10).unwrap().len(), 1);
    // With room again it goes on where it was.
    pages(1_000_000).unwrap();
    assert_eq!(store.append_events(&someone(), many).unwrap(), 1..2_001);
    assert_eq!(store.leaves(&someone(), 0, 10_000).unwrap().len(), 2_001);
}

#[test]
fn a_full_disk_loses_a_batch_as_a_whole_and_tells_each_caller() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let used: i64 = store.read(|c| Ok(c.query_row("PRAGMA page_count", [], |row| row.get(0))?)).unwrap();
    store
        .write(move |c| {
            Ok(c.query_row(&format!("PRAGMA max_page_count = {}", used + 8), [], |r| r.get::<_, i64>(0))?)
        })
        .unwrap();
    let results: Vec<_> = std::thread::scope(|scope| {
        let go = hold(&store, scope);
        let threads: Vec<_> = (0..30)
            .map(|t| {
                let store = &store;
                scope.spawn(move || {
                    let leaves: Vec<Leaf> = (0..30).map(|n| leaf(&format!("p{t}-{n}"))).collect();
                    store.append_events(&someone(), leaves)
                })
            })
            .collect();
        go.send(()).unwrap();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let told: Vec<_> = results.iter().flatten().cloned().collect();
    assert!(results.contains(&Err(StoreError::DiskFull)));
    let there = store.leaves(&someone(), 0, 10_000).unwrap();
    assert_eq!(there.len(), told.len() * 30);
    assert!(told.iter().all(|range| range.end <= there.len() as u64));
    assert!(there.iter().enumerate().all(|(at, leaf)| leaf.number == at as u64));
}

#[test]
fn a_commit_is_synced_before_it_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let pragma = |name: &'static str| {
        store.write(move |c| Ok(c.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, String>(0))?))
    };
    assert_eq!(pragma("journal_mode").unwrap(), "wal");
    // 2 is FULL.
    let synchronous =
        store.write(|c| Ok(c.query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0))?)).unwrap();
    assert_eq!(synchronous, 2);
}

#[test]
fn a_store_that_rests_holds_the_lock_alone_and_wakes_with_the_next_verb() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.append_events(&someone(), vec![leaf("a")]).unwrap(), 0..1);
    assert_eq!(store.log_size(&someone()).unwrap(), 1);
    let wal = directory.path().join(format!("{FILE_NAME}-wal"));
    store.rest(Duration::from_secs(3600));
    assert!(wal.exists(), "it was asked a moment ago");
    store.rest(Duration::ZERO);
    assert!(lock(&store.writer).is_none() && lock(&store.readers).is_empty());
    assert!(!wal.exists(), "what was written is folded into the file");
    assert!(matches!(Store::open(directory.path()), Err(StoreError::Held { .. })));
    assert_eq!(store.log_size(&someone()).unwrap(), 1);
    store.rest(Duration::ZERO);
    assert_eq!(store.append_events(&someone(), vec![leaf("b")]).unwrap(), 1..2);
    drop(store);
    assert_eq!(Store::open(directory.path()).unwrap().log_size(&someone()).unwrap(), 2);
}

#[test]
fn verbs_that_come_while_a_store_goes_to_rest_are_all_done() {
    const N_EACH: u64 = 50;
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let left = AtomicU64::new(4);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (store, left) = (&store, &left);
            scope.spawn(move || {
                for n in 0..N_EACH {
                    store.append_events(&someone(), vec![leaf(&format!("{thread}/{n}"))]).unwrap();
                    assert!(store.log_size(&someone()).unwrap() > n);
                }
                left.fetch_sub(1, Ordering::SeqCst);
            });
        }
        scope.spawn(|| {
            while left.load(Ordering::SeqCst) > 0 {
                store.rest(Duration::ZERO);
                std::thread::yield_now();
            }
        });
    });
    assert_eq!(store.log_size(&someone()).unwrap(), 4 * N_EACH);
}

#[test]
fn a_store_whose_commit_failed_does_not_rest() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.stopped.store(true, Ordering::Relaxed);
    store.rest(Duration::ZERO);
    assert!(lock(&store.writer).is_some());
}

#[test]
fn what_is_asked_for_each_message_is_found_by_an_index() {
    let directory = tempfile::tempdir().unwrap();
    let _store = Store::open(directory.path()).unwrap();
    let connection = reader(&directory.path().join(FILE_NAME)).unwrap();
    for (sql, index) in [
        (crate::process::of_peer(), "process_by_peer (participant=? AND kind=? AND peer=? AND peer_pid=?)"),
        (crate::outbox::of_process(), "outbox_by_process (participant=? AND kind=? AND pid=?)"),
        (crate::keep::about_it(), "kept_by_about (participant=? AND kind=? AND about=? AND id>?)"),
    ] {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
        let steps = steps.unwrap();
        assert!(steps.iter().any(|step| step.ends_with(index)), "{sql}: {steps:?}");
        let reads = |step: &&String| step.starts_with("SCAN") || step.ends_with("(participant=?)") || step.ends_with("(participant=? AND kind=?)");
        assert_eq!(steps.iter().find(reads), None, "{sql}: {steps:?}");
    }
}
