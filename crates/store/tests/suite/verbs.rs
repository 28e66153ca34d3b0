//! What each verb promises.

use crate::bench::*;
use model::{Digest, Instant};
use store::counter::Reservation;
use store::delivery::Noted;
use store::keep::{DocumentKind, Expect};
use store::lease::{LeaseAsk, Renewal, Standing};
use store::log::{CheckpointRow, Swap};
use store::part::{Part, Subject, SubjectKind};
use store::status::{Remembered, StatusSeen};
use store::token::{NewToken, Role};
use store::write_key::{Claim, Finished};
use store::{Participant, StoreError, Together};

#[test]
fn leaves_are_dense_per_participant_and_open_until_erased() {
    let store = fresh();
    let other = Participant::new("did:web:other.example").unwrap();
    assert_eq!(store.append_events(&aoi(), vec![leaf("a"), leaf("b")]).unwrap(), 0..2);
    assert_eq!(store.append_events(&other, vec![leaf("x")]).unwrap(), 0..1);
    assert_eq!(store.append_events(&aoi(), vec![]).unwrap(), 2..2);
    assert_eq!(store.append_events(&aoi(), vec![leaf("a")]).unwrap(), 2..3);
    let all = store.leaves(&aoi(), 0, 10).unwrap();
    assert_eq!(all.iter().map(|l| l.number).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(store.leaves(&aoi(), 1, 1).unwrap(), all[1..2]);
    let of_a = store.events_of(&aoi(), "a", 0, 10).unwrap();
    assert_eq!(of_a.iter().map(|e| e.number).collect::<Vec<_>>(), [0, 2]);
    for found in &of_a {
        let (salt, event) = found.opening.clone().unwrap();
        assert_eq!(commitment(&salt, &event), found.commitment);
        assert_eq!(found.kind, "negotiated");
    }
    assert_eq!(store.erase_event(&aoi(), 0, Together::leaf(leaf("erasure"))).unwrap(), 3..4);
    let erased = store.event(&aoi(), 0).unwrap().unwrap();
    assert_eq!((erased.commitment, erased.opening), (all[0].commitment, None));
    let none = store.erase_event(&aoi(), 9, Together::leaf(leaf("erasure")));
    assert_eq!(none, Err(StoreError::NotFound { what: "event" }));
    assert_eq!(store.log_size(&aoi()).unwrap(), 4);
}

#[test]
fn the_checkpoint_moves_only_from_what_was_read_and_never_back() {
    let store = fresh();
    store.append_events(&aoi(), vec![leaf("a"), leaf("b"), leaf("c")]).unwrap();
    let at = |size, root| CheckpointRow { size, root: [root; 32], body: vec![root] };
    assert_eq!(store.swap_checkpoint(&aoi(), None, at(2, 1)).unwrap(), Swap::Swapped);
    assert_eq!(store.swap_checkpoint(&aoi(), None, at(3, 2)).unwrap(), Swap::Other(Some(at(2, 1))));
    assert_eq!(store.swap_checkpoint(&aoi(), Some(at(2, 9)), at(3, 2)).unwrap(), Swap::Other(Some(at(2, 1))));
    for wrong in [at(1, 2), at(2, 2), at(4, 2)] {
        let refused = store.swap_checkpoint(&aoi(), Some(at(2, 1)), wrong).unwrap_err();
        assert_eq!(refused.code(), "store/shape");
    }
    assert_eq!(store.checkpoint(&aoi()).unwrap(), Some(at(2, 1)));
    assert_eq!(store.swap_checkpoint(&aoi(), Some(at(2, 1)), at(3, 2)).unwrap(), Swap::Swapped);
    assert_eq!(store.checkpoint(&aoi()).unwrap(), Some(at(3, 2)));
}

#[test]
fn documents_are_kept_by_version_and_found_by_what_they_belong_to() {
    let store = fresh();
    let keep = |d| store.keep(&aoi(), d, Together::default());
    keep(document("a1", "one", Expect::New)).unwrap();
    let full = StoreError::Exceeded { counter: document("a1", "", Expect::Any).kind.as_str().into(), total: 2, cap: 1 };
    assert_eq!(keep(document("a2", "two", Expect::Within(1))), Err(full), "one is there already");
    assert_eq!(keep(document("a1", "two", Expect::New)), Err(StoreError::Stale { what: "document" }));
    assert_eq!(keep(document("a1", "two", Expect::Version(2))), Err(StoreError::Stale { what: "document" }));
    keep(document("a1", "two", Expect::Version(1))).unwrap();
    keep(document("a1", "three", Expect::Any)).unwrap();
    keep(document("a2", "else", Expect::Any)).unwrap();
    let kept = store.kept(&aoi(), DocumentKind::Agreement, "a1").unwrap().unwrap();
    assert_eq!((kept.version, &*kept.body), (3, &b"three"[..]));
    assert_eq!(store.kept(&aoi(), DocumentKind::Offer, "a1").unwrap(), None);
    let ids = |page: Vec<store::keep::Kept>| page.into_iter().map(|k| k.id).collect::<Vec<_>>();
    let kind = DocumentKind::Agreement;
    assert_eq!(ids(store.kept_about(&aoi(), kind, "n1", None, 10).unwrap()), ["a1", "a2"]);
    assert_eq!(ids(store.kept_about(&aoi(), kind, "n1", Some("a1"), 10).unwrap()), ["a2"]);
    assert_eq!(ids(store.kept_about(&aoi(), kind, "n2", None, 10).unwrap()), [""; 0]);
    assert_eq!(ids(store.kept_all(&aoi(), kind, None, 1).unwrap()), ["a1"]);
    store.forget(&aoi(), kind, "a1", Together::leaf(leaf("erasure"))).unwrap();
    assert_eq!(ids(store.kept_all(&aoi(), kind, None, 10).unwrap()), ["a2"]);
    let none = store.forget(&aoi(), kind, "a1", Together::default());
    assert_eq!(none, Err(StoreError::NotFound { what: "document" }));
}

#[test]
fn a_turned_flow_is_not_renewed_and_its_next_pass_has_another_epoch() {
    let store = fresh();
    let ask = |holder: &str, at, until| LeaseAsk {
        flow: "f1".into(),
        decision: Digest::of(b"d"),
        holder: holder.into(),
        at: Instant(at),
        until: Instant(until),
    };
    let issue = |a| store.issue_lease(&aoi(), a, Together::leaf(leaf("f1")));
    assert_eq!(issue(ask("one", 0, 1_000)).unwrap(), (1, 0..1));
    let renew = |epoch, until| store.renew_lease(&aoi(), "f1", epoch, Instant(until)).unwrap();
    assert_eq!(renew(1, 2_000), Renewal::Renewed(Instant(2_000)));
    // Another process may not run it while the lease lasts, and may when it has run out: the first is fenced off.
    assert_eq!(issue(ask("two", 1_999, 3_000)), Err(StoreError::Stale { what: "lease" }));
    assert_eq!(issue(ask("two", 2_000, 3_000)).unwrap().0, 2);
    assert!(
        matches!(renew(1, 9_000), Renewal::Over(lease) if lease.epoch == 2 && lease.until == Instant(3_000))
    );
    let running = |standing| store.leases(&aoi(), standing, None, 10).unwrap().len();
    assert_eq!((running(Standing::Running), running(Standing::Turned)), (1, 0));
    let turn = || store.turn(&aoi(), "f1", b"C-311/18".to_vec(), Instant(2_500), Together::leaf(leaf("f1")));
    assert_eq!(turn().unwrap(), 2..3);
    assert_eq!(turn(), Err(StoreError::Stale { what: "lease" }));
    assert_eq!(store.log_size(&aoi()).unwrap(), 3);
    match renew(2, 9_000) {
        Renewal::Over(lease) => {
            assert_eq!((lease.standing, lease.cause.as_deref()), (Standing::Turned, Some(&b"C-311/18"[..])));
        }
        renewed => panic!("{renewed:?}"),
    }
    // Cured: the same holder or any other goes on with the next epoch.
    let (epoch, _) = issue(ask("three", 2_600, 3_600)).unwrap();
    assert_eq!(epoch, 4);
    store.end_lease(&aoi(), "f1", Instant(3_000), Together::default()).unwrap();
    assert!(matches!(renew(4, 9_000), Renewal::Over(lease) if lease.standing == Standing::Ended));
    let none = store.renew_lease(&aoi(), "f2", 1, Instant(1));
    assert_eq!(none, Err(StoreError::NotFound { what: "lease" }));
}

#[test]
fn chunks_are_noted_in_order_once() {
    let store = fresh();
    let note = |number, text: &str| {
        store.note_chunk(
            &aoi(),
            "f1",
            number,
            &chunk(text),
            &format!("after {text}"),
            Together::leaf(leaf("f1")),
        )
    };
    let stale = Err(StoreError::Stale { what: "chunk" });
    assert_eq!(note(1, "b"), stale);
    assert_eq!(note(0, "a").unwrap(), Noted::Now(0..1));
    assert_eq!(note(1, "bb").unwrap(), Noted::Now(1..2));
    assert_eq!(note(0, "a").unwrap(), Noted::Before);
    assert_eq!(note(0, "other"), stale);
    assert_eq!(note(3, "d"), stale);
    assert_eq!(store.log_size(&aoi()).unwrap(), 2);
    assert_eq!(store.chunks(&aoi(), "f1", 0, 10).unwrap(), [chunk("a"), chunk("bb")]);
    assert_eq!(store.chunks(&aoi(), "f1", 1, 10).unwrap(), [chunk("bb")]);
    let progress = store.progress(&aoi(), "f1").unwrap();
    assert_eq!((progress.n_chunks, progress.bytes, progress.n_rows), (2, 3, 2));
    assert_eq!(progress.position, "after bb");
    assert_eq!(store.progress(&aoi(), "f2").unwrap(), Default::default());
}

#[test]
fn manifests_form_a_chain() {
    let store = fresh();
    let commit = |m: &model::manifest::Manifest| {
        store.commit_manifest(&aoi(), m, Instant(1), Together::leaf(leaf("t1")))
    };
    let first = manifest("t1", 0, None);
    let digest = first.digest().unwrap();
    let second = manifest("t1", 1, Some(digest));
    let stale = Err(StoreError::Stale { what: "manifest" });
    assert_eq!(commit(&second), stale);
    assert_eq!(commit(&first).unwrap(), Noted::Now(0..1));
    assert_eq!(commit(&first).unwrap(), Noted::Before);
    let mut other = first.clone();
    other.position = "4".into();
    assert_eq!(commit(&other), stale);
    assert_eq!(commit(&manifest("t1", 1, None)), stale);
    assert_eq!(commit(&manifest("t1", 2, Some(digest))), stale);
    assert_eq!(commit(&second).unwrap(), Noted::Now(1..2));
    let stored = store.manifest(&aoi(), &digest).unwrap().unwrap();
    assert_eq!((Digest::of(&stored.body), stored.sequence), (digest, 0));
    assert_eq!(store.manifests_of(&aoi(), "t1", 1, 10).unwrap().len(), 1);
    assert_eq!(store.manifests_newest(&aoi(), 10).unwrap().len(), 2);
}

#[test]
fn parts_gather_around_their_subject_and_never_change() {
    let store = fresh();
    let part = |id: &str, name: &str, body: &str, at| Part {
        subject: Subject::new(SubjectKind::Manifest, id),
        name: name.into(),
        at: Instant(at),
        body: body.as_bytes().to_vec(),
    };
    let keep = |p: Part| store.keep_part(&aoi(), p, Together::default());
    keep(part("m1", "seal", "s1", 2)).unwrap();
    keep(part("m2", "seal", "s2", 1)).unwrap();
    keep(part("m3", "receipt", "r3", 1)).unwrap();
    keep(part("m1", "seal", "s1", 9)).unwrap();
    assert_eq!(keep(part("m1", "seal", "forged", 9)), Err(StoreError::Stale { what: "part" }));
    let lacking = || {
        let found = store.lacking(&aoi(), SubjectKind::Manifest, "seal", "stamp", 10).unwrap();
        found.into_iter().map(|s| s.id).collect::<Vec<_>>()
    };
    assert_eq!(lacking(), ["m2", "m1"]);
    keep(part("m2", "stamp", "t2", 3)).unwrap();
    assert_eq!(lacking(), ["m1"]);
    let parts = store.parts(&aoi(), &Subject::new(SubjectKind::Manifest, "m2")).unwrap();
    assert_eq!(parts, [part("m2", "seal", "s2", 1), part("m2", "stamp", "t2", 3)]);
    assert_eq!(store.parts(&aoi(), &Subject::new(SubjectKind::Checkpoint, "m2")).unwrap(), []);
}

#[test]
fn a_token_is_known_by_its_hash_until_it_expires_or_is_revoked() {
    let store = fresh();
    let secret = "tgt_0123456789abcdef0123456789abcdef";
    let token = |id: &str, secret: &str, expires_at| NewToken {
        id: id.into(),
        secret: secret.into(),
        role: Role::Read,
        label: "clerk".into(),
        made_at: Instant(1),
        expires_at,
    };
    let make = |t| store.make_token(&aoi(), t, Together::default());
    make(token("one", secret, Some(Instant(100)))).unwrap();
    assert_eq!(make(token("two", secret, None)), Err(StoreError::Stale { what: "token" }));
    assert_eq!(make(token("three", "short", None)).unwrap_err().code(), "store/shape");
    let known = |secret: &str, now| store.token(&aoi(), secret, Instant(now)).unwrap().map(|t| t.role);
    assert_eq!(known(secret, 99), Some(Role::Read));
    assert_eq!(known(secret, 100), None);
    assert_eq!(known(&secret.to_uppercase(), 99), None);
    store.revoke_token(&aoi(), "one", Instant(50), Together::default()).unwrap();
    store.revoke_token(&aoi(), "one", Instant(60), Together::default()).unwrap();
    assert_eq!(known(secret, 55), None);
    let listed = store.tokens(&aoi()).unwrap();
    assert_eq!((listed.len(), listed[0].revoked_at), (1, Some(Instant(50))));
    // Nothing in the directory has the secret in it.
    for entry in std::fs::read_dir(store.directory.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()));
    }
}

#[test]
fn an_older_word_of_an_issuer_never_replaces_a_newer_one() {
    let store = fresh();
    let seen = |issued, at, body: &str| StatusSeen {
        source: "https://ca.example/crl".into(),
        issued_at: Instant(issued),
        seen_at: Instant(at),
        body: body.as_bytes().to_vec(),
    };
    let remember = |s| store.remember_status(&aoi(), s, Together::default()).unwrap();
    assert_eq!(remember(seen(10, 11, "good")), Remembered::Newest(0..0));
    assert_eq!(remember(seen(20, 21, "revoked")), Remembered::Newest(0..0));
    assert_eq!(remember(seen(10, 30, "good")), Remembered::Older(seen(20, 21, "revoked")));
    assert_eq!(remember(seen(20, 40, "revoked")), Remembered::Newest(0..0));
    let stands = store.status(&aoi(), "https://ca.example/crl").unwrap();
    assert_eq!(stands, Some(seen(20, 40, "revoked")));
}

#[test]
fn a_counter_counts_within_its_window_once_per_id_and_refuses_beyond_its_cap() {
    let store = fresh();
    let reservation = |id: &str, on: &str, n, cap| Reservation {
        counter: "cn.people".into(),
        id: id.into(),
        on: day(on),
        n,
        window_from: day("2026-01-01"),
        cap,
    };
    let reserve = |r| store.reserve(&aoi(), r, Together::leaf(leaf("count"))).map(|(total, _)| total);
    assert_eq!(reserve(reservation("t0", "2025-12-31", 500, None)).unwrap(), 0);
    assert_eq!(reserve(reservation("t1", "2026-01-01", 60, Some(100))).unwrap(), 60);
    assert_eq!(reserve(reservation("t1", "2026-01-01", 70, Some(100))).unwrap(), 70);
    let beyond = reserve(reservation("t2", "2026-06-01", 31, Some(100))).unwrap_err();
    assert_eq!(beyond, StoreError::Exceeded { counter: "cn.people".into(), total: 101, cap: 100 });
    assert_eq!(reserve(reservation("t2", "2026-06-01", 30, Some(100))).unwrap(), 100);
    assert_eq!(store.log_size(&aoi()).unwrap(), 4);
    let counted = |from, to| store.counted(&aoi(), "cn.people", day(from), day(to)).unwrap();
    assert_eq!(counted("2025-01-01", "2025-12-31"), 500);
    assert_eq!(counted("2026-01-01", "2026-12-31"), 100);
    assert_eq!(store.reserved(&aoi(), "cn.people", "t1").unwrap(), Some((day("2026-01-01"), 70)));
    assert_eq!(store.reserved(&aoi(), "cn.people", "none").unwrap(), None);
    store.release(&aoi(), "cn.people", "t1", Together::default()).unwrap();
    assert_eq!(counted("2026-01-01", "2026-12-31"), 30);
    let none = store.release(&aoi(), "cn.people", "t1", Together::default());
    assert_eq!(none, Err(StoreError::NotFound { what: "reservation" }));
}

#[test]
fn a_write_under_a_key_happens_once() {
    let store = fresh();
    let claim = |body: &[u8]| store.claim_key(&aoi(), "k1", &Digest::of(body), Instant(5)).unwrap();
    assert_eq!(claim(b"body"), Claim::Ours);
    assert_eq!(claim(b"body"), Claim::Begun(Instant(5)));
    assert_eq!(claim(b"another"), Claim::Another);
    store.release_key(&aoi(), "k1").unwrap();
    assert_eq!(claim(b"body"), Claim::Ours);
    let finished = Finished { key: "k1".into(), status: 201, body: b"made".to_vec() };
    let together = Together { finished: Some(finished.clone()), ..Together::default() };
    store.keep(&aoi(), document("a1", "terms", Expect::New), together.clone()).unwrap();
    assert_eq!(claim(b"body"), Claim::Answered { status: 201, body: b"made".to_vec() });
    assert_eq!(claim(b"another"), Claim::Another);
    // A second write under the finished key does not happen.
    let again = store.keep(&aoi(), document("a2", "terms", Expect::New), together);
    assert_eq!(again, Err(StoreError::NotFound { what: "key" }));
    assert_eq!(store.kept(&aoi(), DocumentKind::Agreement, "a2").unwrap(), None);
    assert_eq!(store.finish_key(&aoi(), finished), Err(StoreError::NotFound { what: "key" }));
    store.record_answer(&aoi(), answer(b"old", "x"), Instant(4), Together::default()).unwrap();
    assert_eq!(store.forget_answers(&aoi(), Instant(5), 10).unwrap(), 1);
    assert_eq!(store.forget_answers(&aoi(), Instant(6), 10).unwrap(), 1);
    assert_eq!(claim(b"another"), Claim::Ours);
}

#[test]
fn a_name_counts_once_while_it_is_remembered() {
    let store = fresh();
    let first = |by: &str, name: &str, now| store.first_use(&aoi(), by, name, Instant(now), Instant(now + 10)).unwrap();
    assert!(first("b", "1", 0));
    assert!(!first("b", "1", 0));
    assert!(first("c", "1", 0) && first("b", "2", 0));
    assert!(!first("b", "1", 10));
    // Past its end it could not be shown any more, and is forgotten.
    assert!(first("b", "1", 11));
    assert!(!first("b", "1", 12));
    let end = store.first_use(&aoi(), "", "1", Instant(0), Instant(1));
    assert_eq!(end.unwrap_err().code(), "store/shape");
}

#[test]
fn what_is_too_long_or_nameless_is_refused_before_it_is_written() {
    let store = fresh();
    assert!(Participant::new("").is_err());
    assert!(Participant::new(&"x".repeat(4_097)).is_err());
    let mut huge = document("a1", "", Expect::Any);
    huge.body = vec![0; (16 << 20) + 1];
    assert_eq!(store.keep(&aoi(), huge, Together::default()).unwrap_err().code(), "store/shape");
    let nameless = store.move_process(&aoi(), moved("", None, "REQUESTED"), Together::default());
    assert_eq!(nameless.unwrap_err().to_string(), "`pid` has 1 to 4096 bytes");
}
