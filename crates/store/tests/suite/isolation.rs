//! Every verb, called with another participant's id, finds nothing and changes nothing of the first one's.

use crate::bench::*;
use model::{Digest, Instant};
use rusqlite::types::Value;
use std::collections::BTreeSet;
use std::fmt::Debug;
use store::counter::Reservation;
use store::keep::{DocumentKind, Expect, Keep};
use store::lease::{LeaseAsk, Standing};
use store::log::CheckpointRow;
use store::part::{Part, Subject, SubjectKind};
use store::process::Answer;
use store::status::StatusSeen;
use store::token::{NewToken, Role};
use store::write_key::Finished;
use store::{Participant, Store, Together};

const SECRET: &str = "tgt_0123456789abcdef0123456789abcdef";

type Call = Box<dyn Fn(&Store, &Participant) -> String>;

struct Verb {
    name: &'static str,
    call: Call,
    /// What a stranger gets.
    stranger: &'static str,
}

fn verb<T: Debug>(
    name: &'static str,
    stranger: &'static str,
    call: impl Fn(&Store, &Participant) -> T + 'static,
) -> Verb {
    Verb { name, call: Box::new(move |s, p| format!("{:?}", call(s, p))), stranger }
}

fn said(who: &Participant) -> Vec<u8> {
    format!("private to {who}").into_bytes()
}

fn subject() -> Subject {
    Subject::new(SubjectKind::Manifest, "m1")
}

fn checkpoint() -> CheckpointRow {
    CheckpointRow { size: 1, root: [1; 32], body: vec![1] }
}

/// Verbs that make something: a stranger makes its own, whatever ids it chooses.
fn making() -> Vec<Verb> {
    let none = Together::default;
    vec![
        verb("append_events", "Ok(0..1)", |s, p| s.append_events(p, vec![leaf("n1")])),
        verb("move_process", "Ok(Done { version: 1, leaves: 1..2 })", move |s, p| {
            let mut first = moved("n1", None, "REQUESTED");
            first.body = said(p);
            let sends = vec![send("n1", &format!("private to {p}"))];
            s.move_process(p, first, Together { sends, ..Together::leaf(leaf("n1")) })
        }),
        verb("record_answer", "Ok(202)", move |s, p| {
            let answer = Answer {
                peer: "peer".into(),
                process: "n1".into(),
                digest: Digest::of(b"m"),
                status: if p == &aoi() { 201 } else { 202 },
                body: said(p),
            };
            s.record_answer(p, answer, Instant(1), none()).map(|a| a.status)
        }),
        verb("wake_outbox", "Ok(())", |s, p| s.wake_outbox(p, Instant(0))),
        verb("keep", "Ok(2..2)", move |s, p| {
            let document = Keep {
                kind: DocumentKind::Agreement,
                id: "a1".into(),
                about: Some("n1".into()),
                at: Instant(1),
                body: said(p),
                expect: Expect::New,
            };
            s.keep(p, document, none())
        }),
        verb("issue_lease", "Ok((1, 2..2))", move |s, p| {
            let ask = LeaseAsk {
                flow: "f1".into(),
                decision: Digest::of(b"d"),
                holder: p.to_string(),
                at: Instant(1),
                until: Instant(1_000),
            };
            s.issue_lease(p, ask, none())
        }),
        verb("note_chunk", "Ok(Now(2..2))", move |s, p| s.note_chunk(p, "f1", 0, &chunk("a"), "1", none())),
        verb("note_chunks", "Ok([Now(2..2)])", move |s, p| {
            s.note_chunks(p, "f2", 0, vec![(chunk("a"), none())])
        }),
        verb("commit_manifest", "Ok(Now(2..2))", move |s, p| {
            s.commit_manifest(p, &manifest("t1", 0, None), Instant(1), none())
        }),
        verb("keep_part", "Ok(2..2)", move |s, p| {
            let part = Part { subject: subject(), name: "seal".into(), at: Instant(1), body: said(p) };
            s.keep_part(p, part, none())
        }),
        verb("make_token", "Ok(2..2)", move |s, p| {
            let token = NewToken {
                id: "one".into(),
                secret: format!("{SECRET} of {p}"),
                role: Role::Admin,
                label: p.to_string(),
                made_at: Instant(1),
                expires_at: None,
            };
            s.make_token(p, token, none())
        }),
        verb("remember_status", "Ok(Newest(2..2))", move |s, p| {
            let issued_at = Instant(if p == &aoi() { 9 } else { 1 });
            let status = StatusSeen { source: "crl".into(), issued_at, seen_at: Instant(9), body: said(p) };
            s.remember_status(p, status, none())
        }),
        verb("reserve", "Ok((1, 2..2))", move |s, p| {
            let reservation = Reservation {
                counter: "c".into(),
                id: "t1".into(),
                on: day("2026-01-01"),
                n: if p == &aoi() { 1_000 } else { 1 },
                window_from: day("2026-01-01"),
                cap: Some(1_000),
            };
            s.reserve(p, reservation, none())
        }),
        verb("first_use", "Ok(true)", |s, p| s.first_use(p, "peer", "n1", Instant(1), Instant(9))),
        verb("claim_key", "Ok(Ours)", |s, p| {
            s.claim_key(p, "k1", &Digest::of(p.as_str().as_bytes()), Instant(1))
        }),
    ]
}

/// Verbs that find something: a stranger finds nothing.
fn finding() -> Vec<Verb> {
    let none = Together::default;
    vec![
        verb("log_size", "Ok(0)", |s, p| s.log_size(p)),
        verb("leaves", "Ok([])", |s, p| s.leaves(p, 0, 10)),
        verb("event", "Ok(None)", |s, p| s.event(p, 0)),
        verb("events_of", "Ok([])", |s, p| s.events_of(p, "n1", 0, 10)),
        verb("erase_event", r#"Err(NotFound { what: "event" })"#, move |s, p| s.erase_event(p, 0, none())),
        verb("checkpoint", "Ok(None)", |s, p| s.checkpoint(p)),
        verb("swap_checkpoint", "Ok(Other(None))", |s, p| {
            s.swap_checkpoint(p, Some(checkpoint()), CheckpointRow { size: 2, ..checkpoint() })
        }),
        verb("move_process", r#"Err(Stale { what: "process" })"#, move |s, p| {
            s.move_process(p, moved("n1", Some(1), "AGREED"), none())
        }),
        verb("answer", "Ok(None)", |s, p| s.answer(p, "peer", "n1", &Digest::of(b"m"))),
        verb("process", "Ok(None)", |s, p| s.process(p, &negotiation("n1"))),
        verb("process_of_peer", "Ok(None)", |s, p| {
            s.process_of_peer(p, negotiation("").kind, "did:web:peer.example", "peer-n1")
        }),
        verb("processes", "Ok([])", |s, p| s.processes(p, negotiation("").kind, None, 10)),
        verb("processes_but", "Ok([])", |s, p| s.processes_but(p, negotiation("").kind, &["x"], None, 10)),
        verb("outbox_due", "Ok([])", |s, p| s.outbox_due(p, Instant(i64::MAX), 10)),
        verb("outbox", "Ok([])", |s, p| s.outbox(p, &negotiation("n1"))),
        verb("outbox_depth", "Ok((0, None))", |s, p| s.outbox_depth(p)),
        verb("settle", r#"Err(NotFound { what: "message" })"#, move |s, p| s.settle(p, 0, none())),
        verb("put_off", r#"Err(NotFound { what: "message" })"#, |s, p| s.put_off(p, 0, Instant(9))),
        verb("kept", "Ok(None)", |s, p| s.kept(p, DocumentKind::Agreement, "a1")),
        verb("kept_all", "Ok([])", |s, p| s.kept_all(p, DocumentKind::Agreement, None, 10)),
        verb("kept_about", "Ok([])", |s, p| s.kept_about(p, DocumentKind::Agreement, "n1", None, 10)),
        verb("forget", r#"Err(NotFound { what: "document" })"#, move |s, p| {
            s.forget(p, DocumentKind::Agreement, "a1", none())
        }),
        verb("renew_lease", r#"Err(NotFound { what: "lease" })"#, |s, p| {
            s.renew_lease(p, "f1", 1, Instant(9))
        }),
        verb("turn", r#"Err(NotFound { what: "lease" })"#, move |s, p| {
            s.turn(p, "f1", b"why".to_vec(), Instant(9), none())
        }),
        verb("end_lease", r#"Err(NotFound { what: "lease" })"#, move |s, p| {
            s.end_lease(p, "f1", Instant(9), none())
        }),
        verb("lease", "Ok(None)", |s, p| s.lease(p, "f1")),
        verb("leases", "Ok([])", |s, p| s.leases(p, Standing::Running, None, 10)),
        verb("note_chunk", r#"Err(Stale { what: "chunk" })"#, move |s, p| {
            s.note_chunk(p, "f1", 1, &chunk("b"), "2", none())
        }),
        verb("note_chunks", r#"Err(Stale { what: "chunk" })"#, move |s, p| {
            s.note_chunks(p, "f2", 1, vec![(chunk("b"), none())])
        }),
        verb("chunks", "Ok([])", |s, p| s.chunks(p, "f1", 0, 10)),
        verb("progress", r#"Ok(Progress { n_chunks: 0, bytes: 0, n_rows: 0, position: "" })"#, |s, p| {
            s.progress(p, "f1")
        }),
        verb("commit_manifest", r#"Err(Stale { what: "manifest" })"#, move |s, p| {
            let previous = manifest("t1", 0, None).digest().unwrap();
            s.commit_manifest(p, &manifest("t1", 1, Some(previous)), Instant(1), none())
        }),
        verb("manifest", "Ok(None)", |s, p| s.manifest(p, &manifest("t1", 0, None).digest().unwrap())),
        verb("manifests_of", "Ok([])", |s, p| s.manifests_of(p, "t1", 0, 10)),
        verb("manifests_newest", "Ok([])", |s, p| s.manifests_newest(p, 10)),
        verb("parts", "Ok([])", |s, p| s.parts(p, &subject())),
        verb("lacking", "Ok([])", |s, p| s.lacking(p, SubjectKind::Manifest, "seal", "stamp", 10)),
        verb("token", "Ok(None)", |s, p| s.token(p, &format!("{SECRET} of {}", aoi()), Instant(2))),
        verb("tokens", "Ok([])", |s, p| s.tokens(p)),
        verb("revoke_token", r#"Err(NotFound { what: "token" })"#, move |s, p| {
            s.revoke_token(p, "one", Instant(2), none())
        }),
        verb("status", "Ok(None)", |s, p| s.status(p, "crl")),
        verb("counted", "Ok(0)", |s, p| s.counted(p, "c", day("2000-01-01"), day("2100-01-01"))),
        verb("reserved", "Ok(None)", |s, p| s.reserved(p, "c", "t1")),
        verb("release", r#"Err(NotFound { what: "reservation" })"#, move |s, p| {
            s.release(p, "c", "t1", none())
        }),
        verb("finish_key", r#"Err(NotFound { what: "key" })"#, |s, p| {
            s.finish_key(p, Finished { key: "k1".into(), status: 200, body: Vec::new() })
        }),
        verb("release_key", r#"Err(NotFound { what: "key" })"#, |s, p| s.release_key(p, "k1")),
        verb("forget_answers", "Ok(0)", |s, p| s.forget_answers(p, Instant(i64::MAX), 10)),
    ]
}

fn tables(fresh: &Fresh) -> BTreeSet<String> {
    let file = rusqlite::Connection::open(fresh.directory.path().join(store::store::FILE_NAME)).unwrap();
    let mut names = file.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    names.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Every row of every table that is one participant's, as it lies in the file.
fn rows(fresh: &Fresh, who: &Participant) -> Vec<(String, Vec<Value>)> {
    let file = rusqlite::Connection::open(fresh.directory.path().join(store::store::FILE_NAME)).unwrap();
    let mut all = Vec::new();
    for table in tables(fresh) {
        let mut select = file.prepare(&format!("SELECT * FROM {table} WHERE participant = ?1")).unwrap();
        let n = select.column_count();
        let found = select.query_map([who.as_str()], |row| (0..n).map(|at| row.get(at)).collect()).unwrap();
        all.extend(found.map(|row| (table.clone(), row.unwrap())));
    }
    all
}

/// A store in which the first participant has made something by every verb.
fn filled() -> Fresh {
    let fresh = fresh();
    for verb in making() {
        let made = (verb.call)(&fresh, &aoi());
        assert!(made.starts_with("Ok("), "`{}` made {made}", verb.name);
    }
    fresh.swap_checkpoint(&aoi(), None, checkpoint()).unwrap();
    fresh
}

#[test]
fn a_stranger_finds_nothing_and_changes_nothing_by_any_verb() {
    let fresh = filled();
    let stranger = Participant::new("did:web:stranger.example").unwrap();
    let before = rows(&fresh, &aoi());
    let filled: BTreeSet<String> = before.iter().map(|(table, _)| table.clone()).collect();
    assert_eq!(filled, tables(&fresh), "a table has no row that a stranger could find");
    for verb in finding() {
        assert_eq!((verb.call)(&fresh, &stranger), verb.stranger, "`{}` of a stranger", verb.name);
        assert_eq!(rows(&fresh, &stranger), [], "`{}` of a stranger left something", verb.name);
    }
    for verb in making() {
        assert_eq!((verb.call)(&fresh, &stranger), verb.stranger, "`{}` of a stranger", verb.name);
    }
    assert_eq!(rows(&fresh, &aoi()), before);
    let private = said(&aoi());
    for (table, row) in rows(&fresh, &stranger) {
        assert!(!row.contains(&Value::Blob(private.clone())), "{table}");
    }
}

#[test]
fn what_a_stranger_does_not_find_the_first_one_does() {
    for verb in finding() {
        let fresh = filled();
        assert_ne!((verb.call)(&fresh, &aoi()), verb.stranger, "`{}` proves nothing", verb.name);
    }
}

#[test]
fn every_verb_of_the_store_is_tried_by_the_stranger() {
    let tried: BTreeSet<String> = making().iter().chain(&finding()).map(|v| v.name.to_owned()).collect();
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut verbs = BTreeSet::new();
    for entry in std::fs::read_dir(sources).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
        for verb in text.split("\nimpl Store {").skip(1).flat_map(|body| {
            let body = body.split("\n}\n").next().unwrap_or_default();
            body.split("\n    pub fn ").skip(1)
        }) {
            let (name, rest) = verb.split_once('(').unwrap();
            let head: String = rest.split_whitespace().collect::<Vec<_>>().join(" ");
            if head.starts_with("&self, participant: &Participant") {
                verbs.insert(name.to_owned());
            } else {
                // What concerns the whole directory and reads no row.
                assert!(
                    ["open", "directory", "n_commits", "rest", "backup", "backup_of", "restore"].contains(&name),
                    "`{name}` {head}"
                );
            }
        }
    }
    assert_eq!(tried, verbs);
}
