//! Opening, holding, copying: what concerns the directory as a whole.

use crate::bench::*;
use std::sync::atomic::{AtomicBool, Ordering};
use store::process::Moved;
use store::store::{FILE_NAME, SCHEMA_VERSION};
use store::{Store, StoreError, Together};

#[test]
fn threads_are_answered_when_it_is_committed_and_numbers_are_dense() {
    let store = fresh();
    let (n_threads, n_each) = (16, 50);
    let mut numbers: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads)
            .map(|t| {
                let store = &store;
                scope.spawn(move || {
                    let mut mine = Vec::new();
                    for n in 0..n_each {
                        let leaf = leaf_of(&event("p", &[("thread", t), ("n", n)]));
                        let range = store.append_events(&aoi(), vec![leaf]).unwrap();
                        // Answered means committed: whoever reads now sees it.
                        assert!(store.event(&aoi(), range.start).unwrap().is_some());
                        mine.extend(range);
                    }
                    assert!(mine.is_sorted());
                    mine
                })
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (0..n_threads * n_each).collect::<Vec<_>>());
    assert!(store.n_commits() < n_threads * n_each, "no two of {} verbs shared a commit", store.n_commits());
}

#[test]
fn what_was_answered_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.move_process(&aoi(), moved("n1", None, "REQUESTED"), Together::leaf(leaf("n1"))).unwrap();
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.process(&aoi(), &negotiation("n1")).unwrap().unwrap().version, 1);
    assert_eq!(store.append_events(&aoi(), vec![leaf("n1")]).unwrap(), 1..2);
}

#[test]
fn a_held_directory_names_its_holder() {
    let store = fresh();
    let error = Store::open(store.directory.path()).unwrap_err();
    let directory = store.directory.path().display();
    assert_eq!(error.to_string(), format!("`{directory}` is held by process {}", std::process::id()));
    assert_eq!(error.code(), "store/held");
    // A restore does not walk over it either.
    assert_eq!(
        Store::restore(store.directory.path(), store.directory.path()).unwrap_err().code(),
        "store/held"
    );
    let path = store.directory.path().to_owned();
    drop(store.store);
    Store::open(&path).unwrap();
}

#[test]
fn a_newer_schema_and_a_foreign_file_are_refused_and_left_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path()).unwrap());
    let file = directory.path().join(FILE_NAME);
    let raw = rusqlite::Connection::open(&file).unwrap();
    raw.execute_batch(&format!("PRAGMA user_version = {}", SCHEMA_VERSION + 1)).unwrap();
    drop(raw);
    let error = Store::open(directory.path()).unwrap_err();
    assert_eq!(error, StoreError::Newer { found: SCHEMA_VERSION + 1, known: SCHEMA_VERSION });
    assert!(error.to_string().ends_with("use the newer program"));

    for content in
        [&b"a list of transfers, not a store, and long enough to have a header of its own"[..], &[0; 4096]]
    {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE_NAME);
        std::fs::write(&file, content).unwrap();
        assert_eq!(Store::open(directory.path()).unwrap_err().code(), "store/not-a-store");
        assert_eq!(std::fs::read(&file).unwrap(), content);
    }
    let directory = tempfile::tempdir().unwrap();
    let other = rusqlite::Connection::open(directory.path().join(FILE_NAME)).unwrap();
    other.execute_batch("CREATE TABLE theirs (a)").unwrap();
    assert_eq!(Store::open(directory.path()).unwrap_err().code(), "store/not-a-store");
}

#[test]
fn a_copy_made_while_verbs_go_on_restores_to_one_committed_state() {
    let store = fresh();
    let copies = tempfile::tempdir().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for t in 0..4_u64 {
            let (store, done) = (&store, &done);
            scope.spawn(move || {
                let (pid, mut from) = (format!("n{t}"), None);
                while !done.load(Ordering::Relaxed) {
                    // State and two leaves commit together, so a copy must have both or none.
                    let leaves = vec![leaf(&pid), leaf(&pid)];
                    let together = Together { leaves, ..Together::default() };
                    let moved = store.move_process(&aoi(), moved(&pid, from, "REQUESTED"), together).unwrap();
                    let Moved::Done { version, .. } = moved else { panic!("{moved:?}") };
                    from = Some(version);
                }
            });
        }
        for n in 0..5 {
            let seen = store.log_size(&aoi()).unwrap();
            let copy = copies.path().join(format!("{n}.backup"));
            store.backup(&copy).unwrap();
            let restored = copies.path().join(format!("{n}"));
            Store::restore(&copy, &restored).unwrap();
            let restored = Store::open(&restored).unwrap();
            let size = restored.log_size(&aoi()).unwrap();
            assert!(size >= seen, "the copy has {size} leaves, {seen} were committed before it began");
            check_whole(&restored, size);
        }
        done.store(true, Ordering::Relaxed);
    });
    // Never over what is there.
    let copy = copies.path().join("0.backup");
    assert_eq!(store.backup(&copy).unwrap_err().code(), "store/occupied");
    assert_eq!(Store::restore(&copy, &copies.path().join("0")).unwrap_err().code(), "store/occupied");
}

fn check_whole(store: &Store, size: u64) {
    let leaves = store.leaves(&aoi(), 0, 10_000).unwrap();
    assert_eq!(leaves.len() as u64, size);
    assert!(leaves.iter().enumerate().all(|(at, leaf)| leaf.number == at as u64));
    let processes = store.processes(&aoi(), negotiation("").kind, None, 10).unwrap();
    assert_eq!(processes.iter().map(|p| p.version * 2).sum::<u64>(), size);
    for process in processes {
        let events = store.events_of(&aoi(), &process.process.pid, 0, 10_000).unwrap();
        assert_eq!(events.len() as u64, process.version * 2);
    }
}

#[test]
fn a_damaged_copy_is_not_restored() {
    let store = fresh();
    let leaves = (0..500).map(|n| leaf(&format!("p{n}"))).collect();
    store.append_events(&aoi(), leaves).unwrap();
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy");
    store.backup(&copy).unwrap();
    let whole = std::fs::read(&copy).unwrap();
    for (name, bytes) in [
        ("half", whole[..whole.len() / 2].to_vec()),
        ("torn", {
            let mut torn = whole.clone();
            let middle = torn.len() / 2 / 4096 * 4096;
            torn[middle..middle + 4096].fill(0);
            torn
        }),
    ] {
        let damaged = place.path().join(name);
        std::fs::write(&damaged, bytes).unwrap();
        let target = place.path().join(format!("{name}-restored"));
        let error = Store::restore(&damaged, &target).unwrap_err();
        assert_eq!(error.code(), "store/damaged", "{name}");
        assert!(!target.join(FILE_NAME).exists());
    }
    let missing = Store::restore(&place.path().join("missing"), &place.path().join("new")).unwrap_err();
    assert_eq!(missing.code(), "store/disk");
}
