//! What the verbs of processes promise: moves, answers to repeats, and the messages that are to be sent.

use crate::bench::*;
use model::{Digest, Instant};
use store::keep::{DocumentKind, Expect};
use store::process::{Moved, ProcessId, Waiting};
use store::{StoreError, Together};

#[test]
fn a_move_commits_state_answer_messages_documents_and_events_as_one() {
    let store = fresh();
    let mut first = moved("n1", None, "REQUESTED");
    first.answer = Some(answer(b"request", "created"));
    let together = Together {
        leaves: vec![leaf("n1"), leaf("n1")],
        keeps: vec![document("a1", "terms", Expect::New)],
        sends: vec![send("n1", "one"), send("n1", "two")],
        ..Together::default()
    };
    let done = store.move_process(&aoi(), first, together).unwrap();
    assert_eq!(done, Moved::Done { version: 1, leaves: 0..2 });
    let stored = store.process(&aoi(), &negotiation("n1")).unwrap().unwrap();
    assert_eq!((stored.version, &*stored.state, &*stored.body), (1, "REQUESTED", &b"n1 REQUESTED"[..]));
    let of_peer = store.process_of_peer(&aoi(), stored.process.kind, "did:web:peer.example", "peer-n1");
    assert_eq!(of_peer.unwrap(), Some(stored));
    assert_eq!(store.outbox(&aoi(), &negotiation("n1")).unwrap().len(), 2);
    assert_eq!(store.kept(&aoi(), DocumentKind::Agreement, "a1").unwrap().unwrap().body, b"terms");
    assert_eq!(store.log_size(&aoi()).unwrap(), 2);
}

#[test]
fn a_process_that_a_peer_began_is_one_process_however_often_it_is_begun() {
    let store = fresh();
    let begun = |ours: &str, peer: &str| store::process::Move { process: negotiation(ours), peer: peer.into(), ..moved("n1", None, "REQUESTED") };
    let begin = |ours: &str, peer: &str| store.move_process(&aoi(), begun(ours, peer), Together::default());
    assert_eq!(begin("n1", "did:web:peer.example"), Ok(Moved::Done { version: 1, leaves: 0..0 }));
    assert_eq!(begin("n2", "did:web:peer.example"), Err(StoreError::Stale { what: "process" }), "the same id of the same peer");
    assert_eq!(begin("n3", "did:web:other.example"), Ok(Moved::Done { version: 1, leaves: 0..0 }), "another peer may call its own so");
}

#[test]
fn a_move_that_came_too_late_writes_nothing_at_all() {
    let store = fresh();
    store.move_process(&aoi(), moved("n1", None, "REQUESTED"), Together::default()).unwrap();
    let with_all = || Together {
        leaves: vec![leaf("n1")],
        keeps: vec![document("a1", "terms", Expect::Any)],
        sends: vec![send("n1", "one")],
        ..Together::default()
    };
    for from in [None, Some(0), Some(2)] {
        let late = store.move_process(&aoi(), moved("n1", from, "AGREED"), with_all());
        assert_eq!(late, Err(StoreError::Stale { what: "process" }));
    }
    // And when what comes with it is refused, the move itself does not stand.
    let mut refused = with_all();
    refused.keeps.push(document("a1", "other", Expect::New));
    let late = store.move_process(&aoi(), moved("n1", Some(1), "AGREED"), refused);
    assert_eq!(late, Err(StoreError::Stale { what: "document" }));
    assert_eq!(store.process(&aoi(), &negotiation("n1")).unwrap().unwrap().state, "REQUESTED");
    assert_eq!(store.log_size(&aoi()).unwrap(), 0);
    assert_eq!(store.outbox_depth(&aoi()).unwrap(), (0, None));
    assert_eq!(store.kept(&aoi(), DocumentKind::Agreement, "a1").unwrap(), None);
}

#[test]
fn a_repeat_gets_the_stored_answer_and_moves_nothing() {
    let store = fresh();
    let mut first = moved("n1", None, "REQUESTED");
    first.answer = Some(answer(b"request", "created n1"));
    store.move_process(&aoi(), first.clone(), Together::leaf(leaf("n1"))).unwrap();
    // The repeat would open another process with another answer.
    let mut again = moved("n2", None, "REQUESTED");
    again.answer = Some(answer(b"request", "created n2"));
    let repeat = store.move_process(&aoi(), again, Together::leaf(leaf("n2"))).unwrap();
    assert_eq!(repeat, Moved::Repeat(answer(b"request", "created n1")));
    assert_eq!(store.process(&aoi(), &negotiation("n2")).unwrap(), None);
    assert_eq!(store.log_size(&aoi()).unwrap(), 1);
    let (peer, process) = ("did:web:peer.example", "peer-n1");
    let before = store.answer(&aoi(), peer, process, &Digest::of(b"request")).unwrap();
    assert_eq!(before, Some(answer(b"request", "created n1")));
    for (peer, process, body) in [
        ("did:web:else.example", process, &b"request"[..]),
        (peer, "peer-n2", b"request"),
        (peer, process, b"another"),
    ] {
        assert_eq!(store.answer(&aoi(), peer, process, &Digest::of(body)).unwrap(), None);
    }
    // A refusal is an answer too, and the first one stands.
    let record =
        |body: &str| store.record_answer(&aoi(), answer(b"bad", body), Instant(6), Together::default());
    assert_eq!(record("no").unwrap(), answer(b"bad", "no"));
    assert_eq!(record("perhaps").unwrap(), answer(b"bad", "no"));
}

#[test]
fn processes_are_listed_in_pages() {
    let store = fresh();
    for pid in ["n3", "n1", "n2"] {
        store.move_process(&aoi(), moved(pid, None, "REQUESTED"), Together::default()).unwrap();
    }
    let pids = |after, n| {
        let kind = negotiation("").kind;
        let page = store.processes(&aoi(), kind, after, n).unwrap();
        page.into_iter().map(|p| p.process.pid).collect::<Vec<_>>()
    };
    assert_eq!(pids(None, 2), ["n1", "n2"]);
    assert_eq!(pids(Some("n2"), 2), ["n3"]);
    assert_eq!(pids(Some("n3"), 2), [""; 0]);
}

#[test]
fn the_outbox_gives_the_first_of_each_process_and_the_next_when_that_is_settled() {
    let store = fresh();
    let mut first = moved("n1", None, "REQUESTED");
    let sends = |pid: &str, bodies: &[&str]| Together {
        sends: bodies.iter().map(|body| send(pid, body)).collect(),
        ..Together::default()
    };
    store.move_process(&aoi(), first.clone(), sends("n1", &["a1", "a2"])).unwrap();
    store.move_process(&aoi(), moved("n2", None, "REQUESTED"), sends("n2", &["b1"])).unwrap();
    let due = |now| {
        let due = store.outbox_due(&aoi(), Instant(now), 10).unwrap();
        let head = |process: &ProcessId| store.outbox(&aoi(), process).unwrap().remove(0);
        let told = |(process, url): (ProcessId, String)| {
            let head = head(&process);
            assert_eq!(head.message.url, url);
            (head.number, head.attempts, head.message.body)
        };
        due.into_iter().map(told).collect::<Vec<_>>()
    };
    // Looking takes nothing: who dies while it sends has lost nothing.
    for _ in 0..2 {
        assert_eq!(due(100).iter().map(|(_, _, b)| &**b).collect::<Vec<_>>(), [b"a1", b"b1"]);
    }
    store.put_off(&aoi(), 0, Instant(200)).unwrap();
    assert_eq!(due(199), [(2, 0, b"b1".to_vec())], "the second of a process waits for its first");
    assert_eq!(due(200).into_iter().map(|(n, a, _)| (n, a)).collect::<Vec<_>>(), [(0, 1), (2, 0)]);
    store.put_off(&aoi(), 0, Instant(1_000)).unwrap();
    store.settle(&aoi(), 2, Together::leaf(leaf("n2"))).unwrap();
    assert_eq!(store.settle(&aoi(), 2, Together::default()), Err(StoreError::NotFound { what: "message" }));
    assert_eq!(due(999), []);
    store.settle(&aoi(), 0, Together::default()).unwrap();
    assert_eq!(due(999), [(1, 0, b"a2".to_vec())]);
    store.put_off(&aoi(), 1, Instant(1_100)).unwrap();
    // At start all are due at once.
    store.wake_outbox(&aoi(), Instant(5)).unwrap();
    assert_eq!(store.outbox_depth(&aoi()).unwrap(), (1, Some(Instant(5))));
    // A move that settles takes what waits out; a number is never given twice.
    first.from = Some(1);
    first.waiting = Waiting::Leave;
    store.move_process(&aoi(), first, sends("n1", &["a3"])).unwrap();
    assert_eq!(due(10), [(3, 0, b"a3".to_vec())]);
    assert_eq!(store.put_off(&aoi(), 1, Instant(7)), Err(StoreError::NotFound { what: "message" }));
}
