//! Counter-offers: a request that the law refuses as it is, and a way through that both sides said they are ready to take.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world;

use dsp::negotiation::State;
use dsp::policy::Policy;
use dsp::profile::{self, BECAUSE, MEASURE};
use dsp::reason::Refusal;
use node::agent::Node;
use node::error::ActError;
use serde_json::Value;
use std::fs;
use std::sync::Arc;
use world::{LONG, World, listed, offer, until};

const DATASET: &str = "urn:dataset:customers";
/// The day after the list of the Privacy Shield was struck down: as it is, nothing may go.
const DAY: &str = "2020-07-16";

struct Scene {
    _world: World,
    nord: Arc<Node>,
    kita: Arc<Node>,
    data: Vec<u8>,
}

/// Two nodes on that day; what each is ready to take.
fn scene(nord_takes: &[String], kita_takes: &[String]) -> Scene {
    let world = World::new();
    let mut nord = world.party("nord", "DE", "VATDE-000000001");
    let mut kita = world.party("kita", "US", "NTRUS-0000002");
    for (party, takes) in [(&mut nord, nord_takes), (&mut kita, kita_takes)] {
        party.config.legal_day = Some(world::day(DAY));
        party.config.law.measures = takes.to_vec();
    }
    let data = b"1,customer,street\n".repeat(200);
    let source = world.dir.path().join("customers.csv");
    fs::write(&source, &data).unwrap();
    let (provider, consumer) = (world.start(&nord), world.start(&kita));
    provider.know_peer(&listed(&kita.id)).unwrap();
    provider.offer(&offer(source)).unwrap();
    Scene { _world: world, nord: provider, kita: consumer, data }
}

/// The measures of the cheapest way through on that day, as the rulebook names them.
fn cheapest() -> Vec<String> {
    let scene = scene(&[], &[]);
    let refused = scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG);
    let ActError::Refused { reasons, .. } = refused.unwrap_err() else { panic!("no refusal") };
    let refusal = Refusal::read(&Value::String(reasons.first().unwrap().clone())).unwrap();
    assert!(refusal.rule.starts_with("eu.gdpr"), "{refusal:?}");
    refusal.cure.unwrap().split('+').map(str::to_owned).collect()
}

#[test]
fn what_both_are_ready_to_take_becomes_a_condition_of_the_contract_and_the_data_go() {
    let measures = cheapest();
    let scene = scene(&measures, &measures);
    let got = scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG).unwrap();
    assert_eq!(fs::read(&got.path).unwrap(), scene.data);
    for node in [&scene.nord, &scene.kita] {
        let held = node.negotiations().unwrap().remove(0);
        assert_eq!(held.state(), State::Finalized);
        let agreed = Policy::of_terms(held.agreement().unwrap()).unwrap();
        assert_eq!(profile::said_of(&agreed, MEASURE), measures, "the contract names what is taken");
        assert_eq!(profile::rulebooks(&agreed), [scene.nord.rulebook().to_string().as_str()]);
        let because = profile::said_of(&agreed, BECAUSE);
        let why = Refusal::read(&Value::String(because[0].clone())).unwrap();
        assert!(why.article.contains("GDPR") && why.as_of == DAY, "{why:?}");
    }
    // What was agreed stands in the case: a second request is agreed to at once, with no counter-offer.
    scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG).unwrap();
    let terms: Vec<usize> = scene
        .nord
        .negotiations()
        .unwrap()
        .iter()
        .map(|n| profile::said_of(&Policy::of_terms(n.agreement().unwrap()).unwrap(), MEASURE).len())
        .collect();
    assert!(terms.contains(&0) && terms.contains(&measures.len()), "{terms:?}");
}

#[test]
fn a_consumer_that_is_not_ready_declines_with_the_measure_and_the_article() {
    let measures = cheapest();
    let scene = scene(&measures, &[]);
    let refused = scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG).unwrap_err();
    let ActError::Refused { code, reasons } = refused else { panic!("{refused}") };
    assert_eq!(code, "tegata/measure-declined");
    assert!(measures.iter().all(|m| reasons.iter().any(|line| line.contains(m.as_str()))), "{reasons:?}");
    assert!(reasons.iter().any(|line| line.contains("article=")), "{reasons:?}");
    let theirs = until("the provider to hear", || {
        scene.nord.negotiations().unwrap().into_iter().find(|n| n.state() == State::Terminated)
    });
    assert_eq!(theirs.ended().code.as_deref(), Some("tegata/measure-declined"));
}

#[test]
fn a_provider_that_is_not_ready_refuses_as_before() {
    let measures = cheapest();
    let scene = scene(&[], &measures);
    let refused = scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG).unwrap_err();
    assert_eq!(refused.code(), "tegata/law");
}

#[test]
fn a_measure_that_no_rule_knows_is_no_configuration() {
    let mut config = node::config::Config::default();
    config.law.measures = vec!["eu.no-such-measure".into()];
    assert_eq!(config.check_law(&world::rules()).unwrap_err().code(), "config/no-such-measure");
}
