//! Two nodes in one process: from catalog to evidence, and what stops a flow.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world;

use dsp::transfer::State;
use model::event::EventKind;
use node::agent::Node;
use node::error::ActError;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use trust::verify::{Level, Verdict};
use world::{LONG, World, day, listed, offer, until};


fn rows(n: usize) -> Vec<u8> {
    (0..n).flat_map(|i| format!("{i},customer {i},street {}\n", i * 7 % 1000).into_bytes()).collect()
}

struct Scene {
    world: World,
    nord: Arc<Node>,
    kita: Arc<Node>,
    parties: (world::Party, world::Party),
    data: Vec<u8>,
}

fn scene(n_rows: usize) -> Scene {
    let world = World::new();
    let nord_party = world.party("nord", "DE", "VATDE-000000001");
    let kita_party = world.party("kita", "US", "NTRUS-0000002");
    let data = rows(n_rows);
    let source = world.dir.path().join("customers.csv");
    fs::write(&source, &data).unwrap();
    let (nord, kita) = (world.start(&nord_party), world.start(&kita_party));
    nord.know_peer(&listed(&kita_party.id)).unwrap();
    nord.offer(&offer(source)).unwrap();
    Scene { world, nord, kita, parties: (nord_party, kita_party), data }
}

const DATASET: &str = "urn:dataset:customers";

fn begin(scene: &Scene) -> String {
    let negotiation = scene.kita.ask_for(&scene.nord.protocol_address(), DATASET).unwrap();
    until("a transfer", || scene.kita.begun(&negotiation).unwrap())
}

fn verify(scene: &Scene, node: &Node, manifest: &model::Digest) -> trust::verify::Report {
    verify_with(scene, node, manifest, None)
}

fn verify_with(scene: &Scene, node: &Node, manifest: &model::Digest, crls: Option<&Path>) -> trust::verify::Report {
    let container = node.evidence(manifest).unwrap();
    let dir = scene.world.dir.path();
    fs::write(dir.join("e.asice"), &container).unwrap();
    fs::write(dir.join("anchors.pem"), scene.world.authority.certificate.to_pem()).unwrap();
    fs::write(dir.join("log.policy"), node.log_policy()).unwrap();
    fs::write(dir.join("data"), &scene.data).unwrap();
    let (c, a, p, d) =
        (dir.join("e.asice"), dir.join("anchors.pem"), dir.join("log.policy"), dir.join("data"));
    let files = node::verify::Files {
        container: &c,
        anchors: Some(&a),
        policy: Some(&p),
        crls,
        data: Some(&d),
    };
    node::verify::verify_files(files, node.now()).unwrap()
}

/// The numbers of chunks that went over the net, each once and in order.
fn went_once(scene: &Scene) -> usize {
    let chunks = scene.world.net.chunks.lock().unwrap();
    let numbers: Vec<u64> = chunks.iter().map(|(_, n)| *n).collect();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    numbers.len()
}

#[test]
fn a_dataset_is_delivered_with_evidence_on_both_sides() {
    let scene = scene(500);
    let got = scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG).unwrap();
    assert_eq!(fs::read(&got.path).unwrap(), scene.data);
    assert_eq!(went_once(&scene), scene.data.len().div_ceil(1000));
    for node in [&scene.nord, &scene.kita] {
        until("the receipt", || {
            let report = node.report().unwrap();
            report.iter().any(|r| r.parts.contains(&"receipt".to_owned())).then_some(())
        });
        let report = verify(&scene, node, &got.manifest);
        assert_eq!(report.verdict(), Verdict::Passed, "{report}");
        assert_eq!(
            report.levels,
            [Level::Recorded, Level::Witnessed, Level::Sealed, Level::Stamped],
            "{report}"
        );
    }
    let transfer = scene.kita.transfer(&got.transfer).unwrap().unwrap();
    let events = scene.nord.events(transfer.process().provider_pid()).unwrap();
    let kinds: Vec<EventKind> = events.iter().map(|(_, e)| e.kind).collect();
    for kind in [
        EventKind::PassIssued,
        EventKind::FlowOpened,
        EventKind::ManifestCommitted,
        EventKind::Sealed,
        EventKind::Received,
    ] {
        assert_eq!(kinds.iter().filter(|k| **k == kind).count(), 1, "{kind:?} in {kinds:?}");
    }
}

#[test]
fn the_day_the_law_changed() {
    let scene = scene(2000);
    scene.world.net.pause_ms.store(5, Ordering::SeqCst);
    let transfer = begin(&scene);
    until("some chunks", || (scene.world.net.chunks.lock().unwrap().len() > 3).then_some(()));
    let before = Instant::now();
    scene.nord.move_legal_day(day("2020-07-16")).unwrap();
    let stopped_at = scene.world.net.chunks.lock().unwrap().len();
    until("the suspension", || {
        let held = scene.kita.transfer(&transfer).unwrap().unwrap();
        (held.state() == State::Suspended).then_some(())
    });
    // Within one process the last chunk goes at most 100 ms after the judgment, however long the law is asked.
    let last = scene.world.net.last_chunk.lock().unwrap().unwrap();
    let after = last.saturating_duration_since(before);
    assert!(after < Duration::from_millis(100), "{after:?}");
    // At most the chunk that was being read when the judgment came.
    let after = scene.world.net.chunks.lock().unwrap().len();
    assert!(after <= stopped_at + 1, "{after} > {stopped_at}");
    let report = scene.kita.report_of(&transfer).unwrap();
    let stop = report.stopped.unwrap();
    assert!(stop.rules.iter().any(|r| r.contains("GDPR Art. 44")), "{stop:?}");
    let held = scene.kita.transfer(&transfer).unwrap().unwrap();
    let pid = held.process().provider_pid().to_owned();
    assert!(scene.nord.report_of(&pid).unwrap().stopped.is_some());

    let cures = scene.nord.cures(&pid).unwrap();
    let cure = cures.first().expect("a way through");
    let words: Vec<&str> = cure.measures.iter().map(|m| m.id.as_str()).collect();
    assert!(words.contains(&"eu.tia"), "{words:?}");
    let decision = scene.nord.cure(&pid, cure).unwrap();
    assert!(decision.verdict.opens(), "{:?} after {words:?}", decision.verdict);
    scene.world.net.pause_ms.store(0, Ordering::SeqCst);
    let got = until("the data", || scene.kita.got(&transfer).unwrap());
    assert_eq!(fs::read(&got.path).unwrap(), scene.data);
    // Nothing went twice.
    assert_eq!(went_once(&scene), scene.data.len().div_ceil(1000));
    let report = verify(&scene, &scene.kita, &got.manifest);
    assert_eq!(report.verdict(), Verdict::Passed, "{report}");
    let events = scene.nord.events(&pid).unwrap();
    let stops: Vec<_> = events.iter().filter(|(_, e)| e.kind == EventKind::FlowStopped).collect();
    assert_eq!(stops.len(), 1);
    assert_eq!(stops[0].1.legal_day, Some(day("2020-07-16")));
    assert_eq!(events.iter().filter(|(_, e)| e.kind == EventKind::FlowResumed).count(), 1);
}

/// Turns flows that run, by what can turn them within a process, and prints how long after the order the last chunk set out:
/// `cargo test -p node --test delivery within_a_process -- --nocapture`.
#[test]
fn a_turn_within_a_process_lets_no_chunk_out_after_100_ms() {
    const BOUND: Duration = Duration::from_millis(100);
    type Turn = fn(&Scene);
    let turns: [(&str, Turn); 2] = [
        ("the law of another day", |s| s.nord.move_legal_day(day("2020-07-16")).unwrap()),
        ("an offer withdrawn", |s| s.nord.withdraw_offer(DATASET).unwrap()),
    ];
    for (name, turn) in turns {
        for round in 0..5_usize {
            let scene = scene(20_000);
            scene.world.net.pause_ms.store(1, Ordering::SeqCst);
            begin(&scene);
            let count = || scene.world.net.chunks.lock().unwrap().len();
            until("some chunks", || (count() > 5 + 7 * round).then_some(()));
            let ordered = Instant::now();
            turn(&scene);
            let took = ordered.elapsed();
            // Twice the bound: what came later than it would be seen.
            std::thread::sleep(2 * BOUND);
            let last = scene.world.net.last_chunk.lock().unwrap().unwrap();
            let after = last.saturating_duration_since(ordered);
            println!(
                "{name}: last chunk {:.1} ms after the order, decided after {:.1} ms, {} of {} chunks were out",
                after.as_secs_f64() * 1e3,
                took.as_secs_f64() * 1e3,
                count(),
                scene.data.len().div_ceil(1000),
            );
            assert!(after < BOUND, "{name}: {after:?}");
            assert!(scene.nord.report().unwrap()[0].stopped.is_some(), "{name}: the flow did not turn");
            assert!(count() < scene.data.len().div_ceil(1000), "{name}: the flow was over before it was turned");
        }
    }
}

#[test]
fn who_asks_on_the_day_is_refused_with_the_article() {
    let scene = scene(10);
    scene.nord.move_legal_day(day("2020-07-16")).unwrap();
    match scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG) {
        Err(ActError::Refused { code, reasons }) => {
            assert_eq!(code, "tegata/law");
            assert!(reasons.iter().any(|r| r.contains("GDPR Art. 44")), "{reasons:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_revoked_certificate_stops_the_flow() {
    let scene = scene(4000);
    scene.world.net.pause_ms.store(5, Ordering::SeqCst);
    begin(&scene);
    until("some chunks", || (scene.world.net.chunks.lock().unwrap().len() > 3).then_some(()));
    scene.world.authority.revoke(scene.parties.1.caller.certificate.as_ref().unwrap());
    let revoked = Instant::now();
    let count = || scene.world.net.chunks.lock().unwrap().len();
    until("a stop", || {
        let now = count();
        std::thread::sleep(Duration::from_millis(60));
        (count() == now).then_some(())
    });
    assert!(revoked.elapsed() < Duration::from_millis(1500), "{:?}", revoked.elapsed());
    assert!(count() < scene.data.len().div_ceil(1000));
    let stop = until("the reason", || scene.nord.report().unwrap()[0].stopped.clone());
    assert_eq!(stop.code, "node/revoked");
}

#[test]
fn what_was_received_stays_proved_when_a_certificate_is_revoked_afterwards() {
    let scene = scene(50);
    let got = scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG).unwrap();
    for node in [&scene.nord, &scene.kita] {
        until("the evidence, before anybody asks", || {
            let report = node.report().unwrap();
            report.iter().any(|r| r.parts.contains(&"container".to_owned())).then_some(())
        });
    }
    std::thread::sleep(Duration::from_millis(5));
    scene.world.authority.revoke(scene.parties.1.caller.certificate.as_ref().unwrap());
    let list = scene.world.dir.path().join("later.pem");
    fs::write(&list, scene.world.authority.answer("/crl.pem", b"").body).unwrap();
    for node in [&scene.nord, &scene.kita] {
        let report = verify_with(&scene, node, &got.manifest, Some(&list));
        assert_eq!(report.verdict(), Verdict::Passed, "{report}");
    }
}

#[test]
fn without_the_list_the_flow_stops_after_the_grace_and_comes_back() {
    let mut world_scene = scene(6000);
    world_scene.world.net.pause_ms.store(5, Ordering::SeqCst);
    // A short grace, so that the test is short.
    let (nord, nord_party) = (world_scene.nord, &mut world_scene.parties.0);
    world_scene.world.end(nord);
    nord_party.config.limits.status_grace_ms = 400;
    world_scene.nord = world_scene.world.start(nord_party);
    let transfer = begin(&world_scene);
    until("some chunks", || (world_scene.world.net.chunks.lock().unwrap().len() > 3).then_some(()));
    world_scene.world.net.authority_up.store(false, Ordering::SeqCst);
    let stop = until("the stop", || world_scene.nord.report().unwrap()[0].stopped.clone());
    assert_eq!(stop.code, "node/status-unknown");
    world_scene.world.net.authority_up.store(true, Ordering::SeqCst);
    world_scene.world.net.pause_ms.store(0, Ordering::SeqCst);
    let got = until("the data", || world_scene.kita.got(&transfer).unwrap());
    assert_eq!(fs::read(&got.path).unwrap(), world_scene.data);
}

#[test]
fn a_bad_channel_and_restarts_change_nothing_but_the_time() {
    let mut scene = scene(3000);
    scene.world.net.pause_ms.store(2, Ordering::SeqCst);
    let negotiation = scene.kita.ask_for(&scene.nord.protocol_address(), DATASET).unwrap();
    scene.world.net.lose_one_in.store(5, Ordering::SeqCst);
    let transfer = until("a transfer", || scene.kita.begun(&negotiation).unwrap());
    until("some chunks", || (scene.world.net.chunks.lock().unwrap().len() > 5).then_some(()));
    // The receiver starts again, then the sender.
    let kita = scene.kita;
    scene.world.end(kita);
    scene.kita = scene.world.start(&scene.parties.1);
    until("more chunks", || (scene.world.net.chunks.lock().unwrap().len() > 20).then_some(()));
    let nord = scene.nord;
    scene.world.end(nord);
    scene.nord = scene.world.start(&scene.parties.0);
    scene.world.net.pause_ms.store(0, Ordering::SeqCst);
    let got = until("the data", || scene.kita.got(&transfer).unwrap());
    assert_eq!(fs::read(&got.path).unwrap(), scene.data);
    let distinct: BTreeSet<u64> = scene.world.net.chunks.lock().unwrap().iter().map(|(_, n)| *n).collect();
    assert_eq!(distinct.len(), scene.data.len().div_ceil(1000));
    scene.world.net.lose_one_in.store(0, Ordering::SeqCst);
    let report = verify(&scene, &scene.kita, &got.manifest);
    assert_eq!(report.verdict(), Verdict::Passed, "{report}");
}

#[test]
fn a_received_file_that_changed_meanwhile_ends_the_transfer_with_one_line() {
    let mut scene = scene(4_000);
    scene.world.net.pause_ms.store(5, Ordering::SeqCst);
    let transfer = begin(&scene);
    until("some chunks", || (scene.world.net.chunks.lock().unwrap().len() > 5).then_some(()));
    let kita = scene.kita;
    scene.world.end(kita);
    let received = scene.parties.1.config.directory.join("received");
    let folder = fs::read_dir(received).unwrap().next().unwrap().unwrap().path();
    let growing = folder.join(".receiving");
    let mut bytes = fs::read(&growing).unwrap();
    bytes[1_500] ^= 1;
    fs::write(&growing, bytes).unwrap();
    scene.kita = scene.world.start(&scene.parties.1);
    match until("the end", || scene.kita.got(&transfer).err()) {
        ActError::Refused { code, reasons } => {
            assert_eq!(code, "dataplane/received-changed");
            assert_eq!(reasons.len(), 1);
            assert!(reasons[0].contains(".receiving` no longer holds chunk 1"), "{reasons:?}");
        }
        other => panic!("{other}"),
    }
    // The sender knows too, and nothing is asked for any more.
    until("the sender's end", || {
        let ended = |t: &dsp::transfer::Transfer| t.state() == State::Terminated;
        scene.nord.transfers().unwrap().iter().all(ended).then_some(())
    });
    let asked = scene.world.net.chunks.lock().unwrap().len();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(scene.world.net.chunks.lock().unwrap().len(), asked);
}

#[test]
fn a_restored_backup_signs_nothing_that_its_witness_has_outgrown() {
    let mut scene = scene(20);
    let copy = scene.world.dir.path().join("copy.sqlite");
    until("a cosigned checkpoint", || scene.nord.advance_log().unwrap_or(false).then_some(()));
    scene.nord.backup(&copy).unwrap();
    let before = scene.nord.log_size().unwrap();
    scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG).unwrap();
    until("a cosigned checkpoint", || scene.nord.advance_log().unwrap_or(false).then_some(()));
    let witnessed = scene.nord.log_size().unwrap();
    let nord = scene.nord;
    scene.world.end(nord);
    let directory = &scene.parties.0.config.directory;
    for name in ["tegata.sqlite", "tegata.sqlite-wal", "tegata.sqlite-shm"] {
        let _ = fs::remove_file(directory.join(name));
    }
    fs::copy(&copy, directory.join("tegata.sqlite")).unwrap();
    scene.nord = scene.world.start(&scene.parties.0);
    match until("the refusal", || scene.nord.advance_log().err()) {
        ActError::LogBehind { witnessed: seen, here } => {
            assert!(seen >= witnessed && here > before && here < seen, "{seen} {here} {before} {witnessed}");
        }
        other => panic!("{other}"),
    }
    assert_eq!(scene.nord.checkpoint(), None);
}

#[test]
fn a_plan_goes_in_flight_and_what_it_does_not_name_stops_at_the_border() {
    let scene = scene(10);
    let source = scene.world.dir.path().join("people.csv");
    fs::write(&source, "name,age,town\nAoi,34,Kyoto\nRen,61,Nara\n").unwrap();
    let mut planned = offer(source);
    planned.dataset = "urn:dataset:people".into();
    planned.plan = Some(
        "[columns.name]\nact=\"drop\"\n[columns.age]\nact=\"bin\"\nwidth=10\n[columns.town]\nact=\"keep\""
            .into(),
    );
    scene.nord.offer(&planned).unwrap();
    let got = scene.kita.get(&scene.nord.protocol_address(), "urn:dataset:people", LONG).unwrap();
    assert_eq!(fs::read_to_string(&got.path).unwrap(), "age,town\n\"[30,40)\",Kyoto\n\"[60,70)\",Nara\n");
    // The same plan over a table that has one more column: nothing goes, and the receiver is told which.
    let source = scene.world.dir.path().join("more.csv");
    fs::write(&source, "name,age,town,phone\nAoi,34,Kyoto,1\n").unwrap();
    let wider = node::act::offer::Offer { dataset: "urn:dataset:more".into(), source, ..planned };
    scene.nord.offer(&wider).unwrap();
    match scene.kita.get(&scene.nord.protocol_address(), "urn:dataset:more", LONG) {
        Err(ActError::Refused { code, reasons }) => {
            assert_eq!(code, "pets/unplanned-column");
            assert!(reasons[0].contains("phone"), "{reasons:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nobody_but_the_peer_with_its_token_gets_a_byte() {
    use node::act::provide::Given;
    let scene = scene(30_000);
    scene.world.net.pause_ms.store(5, Ordering::SeqCst);
    let transfer = begin(&scene);
    let held =
        until("an address", || scene.kita.transfer(&transfer).unwrap().filter(|t| t.address().is_some()));
    let pid = held.process().provider_pid().to_owned();
    let token = held.address().unwrap().property("authorization").unwrap().to_owned();
    let stranger = scene.world.party("mallory", "US", "NTRUS-0000003").caller;
    let peer = scene.parties.1.caller.clone();
    let status = |given: Given| match given {
        Given::Refused { status, .. } => status,
        Given::Chunk(_) => 200,
        _ => 0,
    };
    assert_eq!(status(scene.nord.give_chunk(&stranger, &pid, 0, &token)), 404);
    assert_eq!(status(scene.nord.give_chunk(&peer, &pid, 0, "guessed")), 403);
    assert_eq!(status(scene.nord.give_chunk(&peer, "urn:uuid:none", 0, &token)), 404);
    // A chunk that is not the next one is not given before those before it.
    let early = until("an answer", || match scene.nord.give_chunk(&peer, &pid, 700, &token) {
        // While the law is asked afresh no chunk passes at all; that is another answer, soon over.
        Given::Stopped(_) => None,
        given => Some(status(given)),
    });
    assert_eq!(early, 409);
    assert_eq!(scene.nord.tell_transfer(&stranger, &pid).status, 404);
    assert_eq!(scene.nord.receive_transfer(&stranger, Some(&pid), b"{}").status, 400);
    assert_eq!(scene.nord.receive_negotiation(&peer, None, b"not json").status, 400);
}

#[test]
fn a_store_that_cannot_be_written_stops_the_flow_and_nothing_is_lost() {
    let scene = scene(4000);
    scene.world.net.pause_ms.store(5, Ordering::SeqCst);
    let transfer = begin(&scene);
    let count = || scene.world.net.chunks.lock().unwrap().len();
    until("some chunks", || (count() > 3).then_some(()));
    let other = rusqlite::Connection::open(scene.parties.0.config.directory.join("tegata.sqlite")).unwrap();
    other.busy_timeout(Duration::from_secs(5)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let at = count();
    // Longer than a lease.
    std::thread::sleep(Duration::from_millis(1_300));
    assert!(count() <= at + 1, "{} chunks went while the store could not be written", count() - at);
    other.execute_batch("ROLLBACK").unwrap();
    scene.world.net.pause_ms.store(0, Ordering::SeqCst);
    let got = until("the data", || scene.kita.got(&transfer).unwrap());
    assert_eq!(fs::read(&got.path).unwrap(), scene.data);
    let distinct: BTreeSet<u64> = scene.world.net.chunks.lock().unwrap().iter().map(|(_, n)| *n).collect();
    assert_eq!(distinct.len(), scene.data.len().div_ceil(1000));
}

#[test]
fn a_peer_that_says_that_the_moment_is_wrong_is_told_again_and_nothing_ends() {
    let scene = scene(20);
    scene.world.net.conflicts.lock().unwrap().extend(["/agreement", "/start", "/start"]);
    let got = scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG).unwrap();
    assert_eq!(fs::read(&got.path).unwrap(), scene.data);
    assert!(scene.world.net.conflicts.lock().unwrap().is_empty(), "every refusal was met");
}
