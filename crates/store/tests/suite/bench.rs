//! What every test of the suite needs: a fresh store, and small values.

use model::event::{Event, EventKind};
use model::manifest::{Chunk, Manifest};
use model::{CivilDate, Digest, Instant};
use std::collections::BTreeMap;
use store::keep::{DocumentKind, Expect, Keep};
use store::log::Leaf;
use store::outbox::Outgoing;
use store::process::{Answer, Move, ProcessId, ProcessKind, Waiting};
use store::{Participant, Store};

/// A store that nobody has written to, gone with the test.
pub struct Fresh {
    pub store: Store,
    pub directory: tempfile::TempDir,
}

impl std::ops::Deref for Fresh {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

pub fn fresh() -> Fresh {
    let directory = tempfile::tempdir().unwrap();
    Fresh { store: Store::open(directory.path()).unwrap(), directory }
}

pub fn aoi() -> Participant {
    Participant::new("did:web:aoi.example").unwrap()
}

pub fn event(process: &str, counts: &[(&str, u64)]) -> Event {
    Event {
        kind: EventKind::Negotiated,
        at: Instant(1_594_857_600_000),
        legal_day: None,
        process: process.into(),
        binds: BTreeMap::new(),
        rules: Vec::new(),
        counts: counts.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect(),
    }
}

pub fn leaf_of(event: &Event) -> Leaf {
    let salt = Digest::of(format!("{event:?}").as_bytes()).0;
    Leaf::new(event, salt, |bytes| commitment(&salt, bytes)).unwrap()
}

pub fn leaf(process: &str) -> Leaf {
    leaf_of(&event(process, &[]))
}

pub fn commitment(salt: &[u8; 32], event: &[u8]) -> [u8; 32] {
    Digest::of(&[b"test\n", salt.as_slice(), event].concat()).0
}

pub fn negotiation(pid: &str) -> ProcessId {
    ProcessId::new(ProcessKind::Negotiation, pid)
}

pub fn moved(pid: &str, from: Option<u64>, state: &str) -> Move {
    Move {
        process: negotiation(pid),
        from,
        peer: "did:web:peer.example".into(),
        peer_pid: Some(format!("peer-{pid}")),
        state: state.into(),
        body: format!("{pid} {state}").into_bytes(),
        at: Instant(5),
        waiting: Waiting::Stay,
        answer: None,
    }
}

pub fn send(pid: &str, body: &str) -> Outgoing {
    Outgoing {
        process: negotiation(pid),
        url: "https://peer.example/dsp".into(),
        body: body.as_bytes().to_vec(),
    }
}

pub fn chunk(text: &str) -> Chunk {
    Chunk { id: Digest::of(text.as_bytes()), bytes: text.len() as u64, rows: 1 }
}

pub fn manifest(transfer: &str, sequence: u64, previous: Option<Digest>) -> Manifest {
    Manifest {
        version: 1,
        transfer: transfer.into(),
        sequence,
        agreement: "agreement-1".into(),
        decision: Digest::of(b"decision"),
        rulebook: Digest::of(b"rulebook"),
        report: None,
        schema: vec!["a".into()],
        chunks: vec![chunk("one")],
        position: "3".into(),
        previous,
    }
}

pub fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

pub fn document(id: &str, body: &str, expect: Expect) -> Keep {
    Keep {
        kind: DocumentKind::Agreement,
        id: id.into(),
        about: Some("n1".into()),
        at: Instant(1),
        body: body.as_bytes().to_vec(),
        expect,
    }
}

pub fn answer(digest: &[u8], body: &str) -> Answer {
    Answer {
        peer: "did:web:peer.example".into(),
        process: "peer-n1".into(),
        digest: Digest::of(digest),
        status: 201,
        body: body.as_bytes().to_vec(),
    }
}
