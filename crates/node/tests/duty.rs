//! Duties after delivery: what is due is done or attested, told, and overdue on both sides until it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world;

use dsp::message::terms::Terms;
use dsp::policy::duty::Act;
use model::event::EventKind;
use node::act::duty::{Done, Duty, How, Notice};
use node::act::offer::Offer;
use node::agent::Node;
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use std::time::Duration;
use world::{LONG, Party, World, listed, offer, until};

const DATASET: &str = "urn:dataset:customers";

struct Scene {
    world: World,
    nord: Arc<Node>,
    kita: Arc<Node>,
    parties: (Party, Party),
}

fn scene(terms: Value) -> Scene {
    let world = World::new();
    let nord = world.party("nord", "DE", "VATDE-000000001");
    let kita = world.party("kita", "US", "NTRUS-0000002");
    let source = world.dir.path().join("customers.csv");
    fs::write(&source, b"1,customer,street\n".repeat(200)).unwrap();
    let (provider, consumer) = (world.start(&nord), world.start(&kita));
    provider.know_peer(&listed(&kita.id)).unwrap();
    let Value::Object(map) = terms else { panic!() };
    provider.offer(&Offer { terms: Some(Terms::of(map)), ..offer(source) }).unwrap();
    Scene { world, nord: provider, kita: consumer, parties: (nord, kita) }
}

fn within(action: &str, hours: u32) -> Value {
    json!({"action": action, "constraint": [{"leftOperand": "elapsedTime", "operator": "lteq", "rightOperand": format!("PT{hours}H")}]})
}

fn duty(node: &Node, act: Act) -> Duty {
    node.duties().unwrap().into_iter().find(|d| d.act == act).unwrap_or_else(|| panic!("no duty {act:?}"))
}

fn kinds(node: &Node, transfer: &str) -> Vec<EventKind> {
    node.events(transfer)
        .unwrap()
        .into_iter()
        .map(|(_, e)| e.kind)
        .filter(|k| matches!(k, EventKind::DutyFulfilled | EventKind::DutyOverdue))
        .collect()
}

#[test]
fn what_a_program_can_do_is_done_in_time_and_what_it_cannot_is_overdue_until_a_person_says_so() {
    let scene = scene(json!({"@id": "urn:p:1", "permission": [{"action": "use"}],
        "obligation": [within("delete", 2), within("inform", 1), within("tegata:report-use", 2)]}));
    let got = scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG).unwrap();
    assert!(got.path.is_file());
    // Both sides hold the same schedule, from the moment that the receipt names.
    for node in [&scene.nord, &scene.kita] {
        let all = until("the schedule", || Some(node.duties().unwrap()).filter(|all| all.len() == 3));
        assert!(all.iter().all(|d| d.done.is_none() && !d.is_overdue(node.now())), "{all:?}");
    }
    let (ours, theirs) = (duty(&scene.kita, Act::Delete), duty(&scene.nord, Act::Delete));
    assert_eq!(
        (ours.due, ours.delivered, ours.at.as_str()),
        (theirs.due, theirs.delivered, theirs.at.as_str())
    );
    assert!(ours.ours && ours.here && !theirs.ours && !theirs.here);
    assert!(got.path.is_file(), "nothing is deleted before its time");

    scene.world.clock.forward(Duration::from_secs(3 * 3600));
    until("the deletion", || duty(&scene.kita, Act::Delete).done);
    assert!(
        !got.path.exists() && !got.path.parent().unwrap().exists(),
        "the file is gone, and so is its folder"
    );
    // The provider was told, and has it in its log.
    for act in [Act::Delete, Act::Inform] {
        let told = until("the notice", || duty(&scene.nord, act).done);
        assert_eq!(told.how, How::Program);
        until("that it is known to be told", || duty(&scene.kita, act).told);
    }
    // Nobody can know how data was used but who used it: both sides see that the report is late.
    for node in [&scene.nord, &scene.kita] {
        let late = until("the report to be late", || {
            Some(duty(node, Act::ReportUse)).filter(|d| d.is_overdue(node.now()))
        });
        until("the log to say so", || {
            kinds(node, &late.transfer).contains(&EventKind::DutyOverdue).then_some(())
        });
    }
    let late = duty(&scene.kita, Act::ReportUse);
    assert!(late.needs_person());
    assert_eq!(
        scene.nord.attest_duty(&duty(&scene.nord, Act::ReportUse).id, "x").unwrap_err().code(),
        "node/duty"
    );
    assert_eq!(scene.kita.attest_duty(&late.id, "  ").unwrap_err().code(), "node/duty");
    scene.kita.attest_duty(&late.id, "used for the yearly report, by two people").unwrap();
    assert_eq!(scene.kita.attest_duty(&late.id, "again").unwrap_err().code(), "node/duty");
    let told = until("the report", || duty(&scene.nord, Act::ReportUse).done);
    assert_eq!((told.how, told.says.as_str()), (How::Attested, "used for the yearly report, by two people"));
    assert!(!duty(&scene.nord, Act::ReportUse).is_overdue(scene.nord.now()));
    let log = kinds(&scene.kita, &late.transfer);
    assert_eq!(log.iter().filter(|k| **k == EventKind::DutyFulfilled).count(), 3, "{log:?}");
}

#[test]
fn a_restart_forgets_no_duty_and_a_stranger_fulfills_none() {
    let scene = scene(json!({"@id": "urn:p:1", "permission": [{"action": "use", "constraint": [
        {"and": [{"leftOperand": "DataUsageEndDurationDays", "operator": "eq", "rightOperand": "1"}]}]}]}));
    let got = scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG).unwrap();
    let theirs = until("the schedule", || scene.nord.duties().unwrap().into_iter().next());
    assert_eq!((theirs.act, theirs.at.as_str()), (Act::Delete, "/use-end"));
    // Another participant of the data space says that it deleted what it never had.
    let done = Done { at: scene.nord.now(), how: How::Program, says: "gone".into() };
    let notice = Notice { transfer: theirs.provider_pid.clone(), duty: theirs.at.clone(), done };
    let stranger = scene.world.party("oto", "JP", "NTRJP-0000003");
    assert_eq!(scene.nord.hear_duty(&stranger.caller, &notice).unwrap_err().code(), "node/not-found");
    assert!(duty(&scene.nord, Act::Delete).done.is_none());
    // The consumer is down when the use ends: the provider sees that it is overdue; then it comes back.
    let (kita, path) = (scene.kita, got.path);
    scene.world.end(kita);
    scene.world.clock.forward(Duration::from_secs(25 * 3600));
    until("the overdue deletion", || {
        kinds(&scene.nord, &theirs.transfer).contains(&EventKind::DutyOverdue).then_some(())
    });
    assert!(path.is_file());
    let kita = scene.world.start(&scene.parties.1);
    until("the deletion", || duty(&kita, Act::Delete).done);
    assert!(!path.exists());
    until("the notice", || duty(&scene.nord, Act::Delete).done);
}
