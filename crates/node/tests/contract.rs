//! Contracts beside the law: who sees an offer, what a peer must be, what nobody here decides, and a use that ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world;

use dsp::message::terms::Terms;
use node::act::offer::Offer;
use node::agent::Node;
use node::config::{PeerFacts, Words};
use node::error::ActError;
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use std::time::Duration;
use world::{LONG, World, listed, offer};

const DATASET: &str = "urn:dataset:customers";

struct Scene {
    world: World,
    nord: Arc<Node>,
    kita: Arc<Node>,
    plain: Offer,
    data: Vec<u8>,
}

fn scene() -> Scene {
    let world = World::new();
    let mut nord = world.party("nord", "DE", "VATDE-000000001");
    let mut kita = world.party("kita", "US", "NTRUS-0000002");
    for party in [&mut nord, &mut kita] {
        party.config.legal_day = Some(world::day("2020-07-15"));
    }
    let data = b"1,customer,street\n".repeat(200);
    let source = world.dir.path().join("customers.csv");
    fs::write(&source, &data).unwrap();
    let (provider, consumer) = (world.start(&nord), world.start(&kita));
    provider.know_peer(&listed(&kita.id)).unwrap();
    Scene { world, nord: provider, kita: consumer, plain: offer(source), data }
}

fn terms(value: Value) -> Option<Terms> {
    let Value::Object(map) = value else { panic!() };
    Some(Terms::of(map))
}

fn catena(action: &str, constraints: Value) -> Option<Terms> {
    terms(
        json!({"@id": "urn:p:1", "@type": "Set", "permission": [{"action": action, "constraint": [{"and": constraints}]}]}),
    )
}

fn member() -> Value {
    json!({"leftOperand": "Membership", "operator": "eq", "rightOperand": "active"})
}

impl Scene {
    fn know(&self, words: &[(&str, &str)]) {
        let words: Words = words.iter().map(|(o, v)| ((*o).to_owned(), [(*v).to_owned()].into())).collect();
        let id = self.kita.id().to_owned();
        self.nord.know_peer(&PeerFacts { words, ..listed(&id) }).unwrap();
    }

    fn ask(&self) -> Result<Vec<u8>, ActError> {
        Ok(fs::read(self.kita.get(&self.nord.protocol_address(), DATASET, LONG)?.path).unwrap())
    }
}

#[test]
fn terms_of_the_data_space_bind_and_a_peer_that_is_not_known_to_be_a_member_gets_nothing() {
    let scene = scene();
    let asked = json!([member(),
        {"leftOperand": "UsagePurpose", "operator": "isAnyOf", "rightOperand": ["cx.pcf.base:1"]},
        {"leftOperand": "ContractReference", "operator": "isAllOf", "rightOperand": ["C-1"]}]);
    let given = scene.nord.offer(&Offer { terms: catena("use", asked), ..scene.plain.clone() }).unwrap();
    // What goes over the wire needs no context of ours, and carries the law's condition beside the terms.
    let text = given.to_value().to_string();
    assert!(
        text.contains("https://w3id.org/catenax/2025/9/policy/Membership")
            && text.contains("tegata:rulebook"),
        "{text}"
    );

    let ActError::Refused { code, reasons } = scene.ask().unwrap_err() else { panic!() };
    assert_eq!(code, "tegata/policy");
    assert_eq!(reasons, ["cx-policy:Membership eq active is not known"]);
    scene.know(&[("cx-policy:Membership", "lapsed")]);
    let ActError::Refused { reasons, .. } = scene.ask().unwrap_err() else { panic!() };
    assert_eq!(reasons, ["cx-policy:Membership eq active is not met"]);
    scene.know(&[("https://w3id.org/catenax/2025/9/policy/Membership", "active")]);
    assert_eq!(scene.ask().unwrap(), scene.data, "in any spelling");
}

#[test]
fn a_member_gets_the_data_and_facts_that_come_later_leave_its_membership() {
    let scene = scene();
    scene.nord.offer(&Offer { terms: catena("use", json!([member()])), ..scene.plain.clone() }).unwrap();
    scene.know(&[("cx-policy:Membership", "active")]);
    scene.nord.know_peer(&listed(scene.kita.id())).unwrap();
    assert_eq!(scene.ask().unwrap(), scene.data);
}

#[test]
fn what_nobody_here_decides_is_refused_when_the_offer_is_written() {
    let scene = scene();
    let written = |offer: Offer| scene.nord.offer(&offer).unwrap_err();
    let odd = json!([{"leftOperand": "Horoscope", "operator": "eq", "rightOperand": "leo"}]);
    for (offer, says) in [
        (Offer { terms: catena("use", odd.clone()), ..scene.plain.clone() }, "Horoscope"),
        (Offer { access: catena("access", odd), ..scene.plain.clone() }, "Horoscope"),
        (Offer { terms: catena("access", json!([member()])), ..scene.plain.clone() }, "does not belong here"),
        (Offer { access: catena("use", json!([member()])), ..scene.plain.clone() }, "does not belong here"),
        (
            Offer {
                terms: terms(json!({"@id": "urn:p:1", "prohibition": [{"action": "distribute"}]})),
                ..scene.plain.clone()
            },
            "nothing is permitted",
        ),
    ] {
        let error = written(offer);
        assert_eq!(error.code(), "dsp/policy");
        assert!(error.to_string().contains(says), "{error}");
    }
    assert!(scene.nord.offers().unwrap().is_empty());
    let odd = PeerFacts {
        words: [("Horoscope".to_owned(), ["leo".to_owned()].into())].into(),
        ..listed(scene.kita.id())
    };
    assert_eq!(scene.nord.know_peer(&odd).unwrap_err().code(), "dsp/policy");
}

#[test]
fn who_may_not_see_an_offer_cannot_ask_for_it_either() {
    let scene = scene();
    let open = Offer { dataset: "urn:dataset:open".into(), ..scene.plain.clone() };
    scene.nord.offer(&open).unwrap();
    scene.nord.offer(&Offer { access: catena("access", json!([member()])), ..scene.plain.clone() }).unwrap();
    let sees = |peer: &str| -> Vec<String> {
        scene.nord.catalog(peer).unwrap().dataset.into_iter().map(|d| d.id).collect()
    };
    let kita = scene.kita.id().to_owned();
    assert_eq!(sees(&kita), ["urn:dataset:open"]);
    assert!(scene.nord.dataset(DATASET, &kita).unwrap().is_none());
    // It knows the offer from somewhere, and asks all the same: the answer is that of an offer that is not there.
    let known = scene.nord.terms_of(&scene.nord.offer_of(DATASET).unwrap().unwrap()).unwrap();
    let wish = node::act::operate::NegotiationWish {
        role: dsp::machine::Role::Consumer,
        address: scene.nord.protocol_address(),
        peer: Some(scene.nord.id().to_owned()),
        dataset: DATASET.into(),
        terms: Some(known),
        handling: Default::default(),
    };
    let asked = scene.kita.open_negotiation(wish).unwrap();
    let end = std::time::Instant::now() + LONG;
    let ended = loop {
        let held = scene.kita.negotiation(&asked).unwrap().unwrap();
        if held.state() == dsp::negotiation::State::Terminated {
            break held.ended().clone();
        }
        assert!(std::time::Instant::now() < end);
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(ended.code.as_deref(), Some("tegata/no-offer"));
    scene.know(&[("cx-policy:Membership", "active")]);
    assert_eq!(sees(&kita).len(), 2);
    assert_eq!(scene.ask().unwrap(), scene.data);
}

#[test]
fn a_use_that_has_ended_starts_no_transfer_any_more() {
    let scene = scene();
    let now = scene.world.clock.wall();
    let end = model::Instant(now.0 + 3_600_000).to_string();
    let end = format!("{}Z", end.split('.').next().unwrap());
    let until = json!([{"leftOperand": "DataUsageEndDate", "operator": "eq", "rightOperand": end}]);
    scene.nord.offer(&Offer { terms: catena("use", until), ..scene.plain.clone() }).unwrap();
    assert_eq!(scene.ask().unwrap(), scene.data);
    scene.world.clock.forward(Duration::from_secs(7_200));
    let agreement = scene.kita.negotiations().unwrap().remove(0).agreement().unwrap().id().to_owned();
    let wish = || node::act::operate::TransferWish {
        agreement: agreement.clone(),
        peer: None,
        address: None,
        format: node::act::offer::FORMAT_PULL.into(),
        push_to: None,
        handling: Default::default(),
        plane: None,
    };
    let mut pid = scene.kita.open_transfer(wish()).unwrap();
    let limit = std::time::Instant::now() + LONG;
    let grounds = loop {
        let held = scene.kita.transfer(&pid).unwrap().unwrap();
        match held.grounds().code.as_deref() {
            // Two hours passed in a moment, so that the revocation list has to be fetched first.
            Some(node::act::turn::STATUS_UNKNOWN) => pid = scene.kita.open_transfer(wish()).unwrap(),
            _ if held.state() == dsp::transfer::State::Terminated => break held.grounds().clone(),
            _ => {}
        }
        assert!(std::time::Instant::now() < limit);
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(grounds.code.as_deref(), Some("tegata/policy"));
    assert!(format!("{:?}", grounds.reason).contains("the use that was agreed ended at"), "{grounds:?}");
}

#[test]
fn a_negotiation_by_hand_is_explained_in_two_lanes_with_what_each_act_binds_to() {
    use node::act::offer::{Handling, Handlings};
    use node::act::operate::{NegotiationAct, NegotiationWish};
    let scene = scene();
    let handling = Handlings { negotiation: Handling::Manual, ..Handlings::default() };
    scene.nord.offer(&Offer { handling, ..scene.plain.clone() }).unwrap();
    let asked = scene
        .kita
        .open_negotiation(NegotiationWish {
            role: dsp::machine::Role::Consumer,
            address: scene.nord.protocol_address(),
            peer: None,
            dataset: DATASET.into(),
            terms: None,
            handling: Handlings { negotiation: Handling::Manual, transfer: Handling::Manual },
        })
        .unwrap();
    let end = std::time::Instant::now() + LONG;
    let ready = |node: &Node, state: &str, whose: &str| loop {
        let found = node.negotiations().unwrap().into_iter().next();
        let told = found.map(|n| node.explain_negotiation(&n.process().own_pid).unwrap());
        if let Some(told) = told.filter(|t| t.standing.state == state && t.whose_move == whose) {
            break told;
        }
        assert!(std::time::Instant::now() < end, "{state} {whose}");
        std::thread::sleep(Duration::from_millis(5));
    };
    let acts = |told: &node::act::explain::Explained| {
        told.choices.iter().map(|c| (c.act, c.binds)).collect::<Vec<_>>()
    };
    let lanes = |told: &node::act::explain::Explained| {
        told.steps.iter().map(|s| (s.ours, s.state.clone())).collect::<Vec<_>>()
    };

    let ours = ready(&scene.nord, "REQUESTED", "ours");
    assert_eq!(acts(&ours), [("offer", true), ("agree", true), ("terminate", false)]);
    assert_eq!(lanes(&ours), [(false, "REQUESTED".to_owned())]);
    assert!(
        ours.why.en.contains("has waited for you") && ours.why.ja.contains("待っています"),
        "{:?}",
        ours.why
    );
    assert!(ours.choices[1].says.en.contains("You conclude a contract with did:"), "{:?}", ours.choices);
    assert!(ours.terms.iter().any(|line| line.en.starts_with("Permitted: use")), "{:?}", ours.terms);
    let theirs = loop {
        let told = ready(&scene.kita, "REQUESTED", "theirs");
        // Until its answer is written down, a message is on its way.
        if !told.why.en.contains("is on its way") {
            break told;
        }
        assert!(std::time::Instant::now() < end, "{:?}", told.why);
    };
    assert_eq!((lanes(&theirs)[0].0, acts(&theirs)), (true, vec![("terminate", false)]));
    assert!(theirs.why.en.contains("has not moved since"), "{:?}", theirs.why);

    scene.nord.act_in_negotiation(&ours.standing.id, &NegotiationAct::Agree).unwrap();
    let told = ready(&scene.kita, "AGREED", "ours");
    assert_eq!(acts(&told), [("verify", true), ("terminate", false)]);
    scene.kita.act_in_negotiation(&asked, &NegotiationAct::Verify).unwrap();
    let told = ready(&scene.nord, "VERIFIED", "ours");
    scene.nord.act_in_negotiation(&told.standing.id, &NegotiationAct::Finalize).unwrap();
    for node in [&scene.nord, &scene.kita] {
        let told = ready(node, "FINALIZED", "nobody");
        assert!(told.choices.is_empty() && told.why.en.contains("one agreement"), "{told:?}");
        let states: Vec<String> = told.steps.iter().map(|s| s.state.clone()).collect();
        assert_eq!(states, ["REQUESTED", "AGREED", "VERIFIED", "FINALIZED"]);
    }
}

#[test]
fn facts_that_contradict_are_refused_when_told_and_end_a_negotiation_when_they_come_together() {
    let scene = scene();
    let kita = scene.kita.id().to_owned();
    let told = |place: &str| {
        let mut peer = listed(&kita);
        peer.facts.insert("recipient.place".into(), rulebook::book::parse_said(place));
        scene.nord.know_peer(&peer)
    };
    let refused = told("US, CN").unwrap_err();
    assert!(matches!(&refused, ActError::Facts(_)) && refused.to_string().contains("recipient.place"), "{refused}");
    // Each is fine alone: that it sees the data in the clear stands in the offer.
    let mut peer = listed(&kita);
    peer.facts.insert("recipient.excluded_from_content".into(), rulebook::book::parse_said("yes"));
    scene.nord.know_peer(&peer).unwrap();
    scene.nord.offer(&scene.plain).unwrap();
    let Err(ActError::Refused { code, reasons }) = scene.ask() else { panic!("nothing was agreed") };
    assert_eq!(code, "tegata/undecided");
    assert!(reasons.iter().all(|line| !line.contains("data.")), "the peer is told no fact: {reasons:?}");
    let ours = &scene.nord.negotiations().unwrap()[0].process().own_pid.clone();
    let told = scene.nord.explain_negotiation(ours).unwrap();
    assert!(told.reasons.iter().any(|line| line.contains("the facts do not hold")), "{:?}", told.reasons);
}
