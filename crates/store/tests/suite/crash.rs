//! A child process dies at each named place, and at others; what it was answered must be there, and nothing by halves.
//!
//! The child is this test program itself, told by a variable which directory to work in. Each of its threads moves one
//! process: move `v` writes `1 + v % 3` leaves, sends one message, and takes older messages out when `v` is a multiple of
//! four. So the version of a process says exactly which leaves and messages must be there.

use crate::bench::*;
use model::canonical;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use store::process::{Moved, Waiting};
use store::{CRASH_POINTS, Store, Together};

const DIRECTORY: &str = "TEGATA_TEST_DIRECTORY";
const N_THREADS: u64 = 4;
const N_MOVES: u64 = 60;

fn n_leaves(version: u64) -> u64 {
    1 + version % 3
}

fn pid(thread: u64) -> String {
    format!("n{thread}")
}

/// Acts as the child when told to; otherwise nothing.
#[test]
fn child() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    store::crash::arm_from_environment().unwrap();
    let directory = Path::new(&directory);
    let store = Store::open(&directory.join("store")).unwrap();
    let ready = std::thread::scope(|scope| {
        let store = &store;
        let threads: Vec<_> = (0..N_THREADS).map(|t| scope.spawn(move || moves(store, &pid(t)))).collect();
        threads.into_iter().all(|thread| thread.join().unwrap())
    });
    if !ready {
        // A writer that failed once stays stopped until the store is opened again.
        let after = store.append_events(&aoi(), vec![leaf("after")]).unwrap_err();
        println!("stopped {}", after.code());
        std::process::exit(3);
    }
    let copy = directory.join("copy");
    let _ = std::fs::remove_file(&copy);
    store.backup(&copy).unwrap();
    let restored = directory.join("restored");
    let _ = std::fs::remove_dir_all(&restored);
    Store::restore(&copy, &restored).unwrap();
}

/// Moves a process; tells whether no move was refused.
fn moves(store: &Store, pid: &str) -> bool {
    let before = store.process(&aoi(), &negotiation(pid)).unwrap().map(|p| p.version);
    let mut from = before;
    for version in before.unwrap_or(0) + 1..=before.unwrap_or(0) + N_MOVES {
        let mut to = moved(pid, from, "REQUESTED");
        to.waiting = if version % 4 == 0 { Waiting::Leave } else { Waiting::Stay };
        let leaves = (0..n_leaves(version)).map(|n| leaf_of(&event(pid, &[("version", version), ("n", n)])));
        let sends = vec![send(pid, &version.to_string())];
        let together = Together { leaves: leaves.collect(), sends, ..Together::default() };
        match store.move_process(&aoi(), to, together) {
            Ok(Moved::Done { leaves, .. }) => {
                let mut out = std::io::stdout().lock();
                writeln!(out, "answered {pid} {version} {} {}", leaves.start, leaves.end).unwrap();
                out.flush().unwrap();
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                println!("refused {}", error.code());
                return false;
            }
        }
        from = Some(version);
    }
    true
}

struct Answered {
    version: u64,
    leaves: std::ops::Range<u64>,
}

fn command(directory: &Path, crash: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["crash::child", "--exact", "--nocapture", "--test-threads=1"]);
    command.env(DIRECTORY, directory).stdout(Stdio::piped()).stderr(Stdio::null());
    if !crash.is_empty() {
        command.env(store::crash::CRASH_VARIABLE, crash);
    }
    command
}

/// What one child said until it ended.
struct Life {
    answered: BTreeMap<String, Vec<Answered>>,
    /// What it was told when a verb failed.
    words: Vec<String>,
    lived: bool,
}

/// Reads what the child was answered; kills it after `n` answers, if told to.
fn watch(mut child: Child, kill_after: Option<usize>) -> Life {
    let mut life = Life { answered: BTreeMap::new(), words: Vec::new(), lived: false };
    let mut n = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        if line.contains("refused ") || line.contains("stopped ") {
            life.words.push(line.clone());
        }
        // The test harness writes its own words, without an end of line, before the first of ours.
        let Some((_, words)) = line.split_once("answered ") else { continue };
        let words: Vec<&str> = words.split(' ').collect();
        let [pid, version, start, end] = words[..] else { continue };
        let (Ok(version), Ok(start), Ok(end)) = (version.parse(), start.parse(), end.parse()) else {
            continue;
        };
        life.answered.entry(pid.to_owned()).or_default().push(Answered { version, leaves: start..end });
        n += 1;
        if kill_after == Some(n) {
            child.kill().unwrap();
        }
    }
    life.lived = child.wait().unwrap().success();
    life
}

/// Opens what the dead child left and holds it against what it was answered.
fn check(directory: &Path, answered: &BTreeMap<String, Vec<Answered>>, what: &str) {
    let store = Store::open(&directory.join("store")).unwrap();
    let leaves = store.leaves(&aoi(), 0, 10_000).unwrap();
    assert!(leaves.iter().enumerate().all(|(at, leaf)| leaf.number == at as u64), "{what}: not dense");
    assert_eq!(
        store.log_size(&aoi()).unwrap(),
        leaves.len() as u64,
        "{what}: the sequence and the leaves differ"
    );
    let mut n_expected = 0;
    for t in 0..N_THREADS {
        let pid = pid(t);
        let version = store.process(&aoi(), &negotiation(&pid)).unwrap().map_or(0, |p| p.version);
        let mine = answered.get(&pid).map_or(&[][..], |a| a);
        if let Some(last) = mine.last() {
            let in_flight = last.version..=last.version + 1;
            assert!(in_flight.contains(&version), "{what}: {pid} is at {version}, was told {}", last.version);
        }
        let events = store.events_of(&aoi(), &pid, 0, 10_000).unwrap();
        let expected: Vec<(u64, u64)> =
            (1..=version).flat_map(|v| (0..n_leaves(v)).map(move |n| (v, n))).collect();
        let found: Vec<(u64, u64)> = events
            .iter()
            .map(|e| {
                let (salt, bytes) = e.opening.clone().unwrap();
                assert_eq!(commitment(&salt, &bytes), e.commitment, "{what}");
                let read: model::event::Event = serde_json::from_slice(&bytes).unwrap();
                assert_eq!(canonical::to_bytes(&read).unwrap(), bytes);
                (read.counts["version"], read.counts["n"])
            })
            .collect();
        assert_eq!(found, expected, "{what}: leaves of {pid} at {version}");
        for told in mine {
            let first = expected.iter().position(|(v, _)| *v == told.version).unwrap();
            let numbers: Vec<u64> =
                events.iter().skip(first).take(n_leaves(told.version) as usize).map(|e| e.number).collect();
            assert_eq!(
                numbers,
                told.leaves.clone().collect::<Vec<_>>(),
                "{what}: answered and stored differ"
            );
        }
        let sent: Vec<String> = store
            .outbox(&aoi(), &negotiation(&pid))
            .unwrap()
            .into_iter()
            .map(|q| String::from_utf8(q.message.body).unwrap())
            .collect();
        let left = (version / 4 * 4).max(1);
        let waiting: Vec<String> = (left..=version).map(|v| v.to_string()).collect();
        assert_eq!(sent, waiting, "{what}: outbox of {pid} at {version}");
        n_expected += expected.len();
    }
    assert_eq!(leaves.len(), n_expected, "{what}: leaves that belong to nothing");
}

#[test]
fn a_process_that_dies_at_any_named_place_leaves_a_whole_store() {
    for name in CRASH_POINTS {
        // The same directory dies several times, so that recovery is itself recovered from.
        let directory = tempfile::tempdir().unwrap();
        let often = name.starts_with("store.backup") || name.starts_with("store.restore");
        let counts: &[u64] = if often || name.starts_with("store.wal") { &[1] } else { &[1, 2, 23] };
        for n in counts {
            let crash = format!("{name}:{n}");
            let Life { answered, lived, .. } =
                watch(command(directory.path(), &crash).spawn().unwrap(), None);
            assert!(!lived, "`{crash}` was never passed");
            check(directory.path(), &answered, &crash);
        }
        check_copies(directory.path(), name);
        let Life { answered, lived, .. } = watch(command(directory.path(), "").spawn().unwrap(), None);
        assert!(lived, "after `{name}` the child no longer lives");
        check(directory.path(), &answered, &format!("life after {name}"));
    }
}

/// A copy or a restored store that has its name is whole.
fn check_copies(directory: &Path, name: &str) {
    let (copy, restored) = (directory.join("copy"), directory.join("restored"));
    if copy.exists() {
        let trial = directory.join("trial");
        Store::restore(&copy, &trial).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    if restored.join(store::store::FILE_NAME).exists() {
        let whole = Store::open(&restored).unwrap();
        assert!(whole.log_size(&aoi()).unwrap() > 0, "{name}");
    }
    assert_eq!(copy.exists(), name.starts_with("store.restore") || name == "store.backup.renamed", "{name}");
}

#[test]
fn a_process_killed_after_any_answer_keeps_what_it_answered() {
    let directory = tempfile::tempdir().unwrap();
    for n in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 200] {
        let Life { answered, .. } = watch(command(directory.path(), "").spawn().unwrap(), Some(n));
        let n_answered: usize = answered.values().map(Vec::len).sum();
        assert!(n_answered >= n);
        check(directory.path(), &answered, &format!("killed after {n} answers"));
    }
}

/// A disk that takes no more bytes in the middle of a commit: the limit of file size stands for it.
#[test]
fn a_disk_that_fails_stops_the_writer_and_keeps_what_was_answered() {
    let directory = tempfile::tempdir().unwrap();
    let exe = std::env::current_exe().unwrap();
    let mut command = Command::new("sh");
    // In blocks of 512 bytes by POSIX, of 1,024 in some shells; the child lives well within either when it starts.
    command.args(["-c", "trap '' XFSZ; ulimit -f 700; exec \"$0\" crash::child --exact --nocapture"]);
    command.arg(exe).env(DIRECTORY, directory.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Life { answered, words, lived } = watch(command.spawn().unwrap(), None);
    assert!(!lived && !answered.is_empty());
    assert!(words.iter().any(|w| w.ends_with("refused store/disk")), "{words:?}");
    assert!(words.iter().any(|w| w.ends_with("stopped store/stopped")), "{words:?}");
    check(directory.path(), &answered, "the disk failed");
    let Life { answered, lived, .. } = watch(self::command(directory.path(), "").spawn().unwrap(), None);
    assert!(lived);
    check(directory.path(), &answered, "after the disk failed");
}

/// What a disk may do to writes that were not synced when the power went: drop them, or keep some sectors and not others.
#[test]
fn a_torn_end_of_the_log_loses_the_unanswered_verb_alone_and_as_a_whole() {
    const SECTOR: usize = 512;
    let store = fresh();
    let wal = format!("{}-wal", store::store::FILE_NAME);
    let read = |name: &str| std::fs::read(store.directory.path().join(name)).unwrap();
    let step = |version: u64| {
        let leaves = vec![leaf_of(&event("n0", &[("version", version)])), leaf("n0")];
        let together = Together { leaves, sends: vec![send("n0", "x")], ..Together::default() };
        let from = (version > 1).then_some(version - 1);
        store.move_process(&aoi(), moved("n0", from, "REQUESTED"), together).unwrap();
    };
    (1..=5).for_each(step);
    let answered = read(&wal);
    step(6);
    let (file, whole) = (read(store::store::FILE_NAME), read(&wal));
    assert!(whole.starts_with(&answered) && whole.len() > answered.len());
    let mut torn: Vec<Vec<u8>> =
        (answered.len()..whole.len()).step_by(SECTOR).map(|n| whole[..n].to_vec()).collect();
    for lost in (answered.len()..whole.len()).step_by(SECTOR) {
        let mut wal = whole.clone();
        let end = (lost + SECTOR).min(wal.len());
        wal[lost..end].fill(0);
        torn.push(wal);
    }
    torn.push(whole.clone());
    for (at, bytes) in torn.into_iter().enumerate() {
        // A sector that held nothing but zeros is not lost by losing it.
        let expected = if bytes == whole { 6 } else { 5 };
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join(store::store::FILE_NAME), &file).unwrap();
        std::fs::write(place.path().join(&wal), bytes).unwrap();
        let left = Store::open(place.path()).unwrap();
        let version = left.process(&aoi(), &negotiation("n0")).unwrap().unwrap().version;
        assert_eq!(version, expected, "tear {at}");
        let leaves = left.leaves(&aoi(), 0, 100).unwrap();
        assert_eq!(leaves.len() as u64, version * 2, "tear {at}");
        assert_eq!(left.outbox_depth(&aoi()).unwrap().0, version, "tear {at}");
        assert_eq!(left.append_events(&aoi(), vec![leaf("n0")]).unwrap().start, version * 2);
    }
}
