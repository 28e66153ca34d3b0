//! What turns a running flow beside the law itself: facts told later, a judgment whose term is over, a count that gets there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world;

use dsp::transfer::State;
use model::Digest;
use model::fact::{Said, Spoken};
use model::transfer::Facts;
use node::act::judgment::Judgment;
use node::act::meter::Metered;
use node::act::offer::Offer;
use node::agent::Node;
use node::config::PeerFacts;
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use trust::determination::Determination;
use world::{LONG, World, day, listed, offer, until};

const DATASET: &str = "urn:dataset:customers";

struct Scene {
    world: World,
    nord: Arc<Node>,
    kita: Arc<Node>,
    offer: Offer,
    data: Vec<u8>,
}

impl Scene {
    fn peer(&self) -> String {
        self.kita.id().to_owned()
    }

    /// Begins to get the data, slowly, and waits until some of it is there.
    fn begin(&self) -> String {
        self.world.net.pause_ms.store(5, Ordering::SeqCst);
        let negotiation = self.kita.ask_for(&self.nord.protocol_address(), DATASET).unwrap();
        let transfer = until("a transfer", || self.kita.begun(&negotiation).unwrap());
        until("some chunks", || (self.world.net.chunks.lock().unwrap().len() > 3).then_some(()));
        transfer
    }

    fn suspended(&self, transfer: &str) -> String {
        until("the suspension", || {
            let held = self.kita.transfer(transfer).unwrap().unwrap();
            (held.state() == State::Suspended).then(|| held.process().provider_pid().to_owned())
        })
    }

    fn arrives(&self, transfer: &str) {
        self.world.net.pause_ms.store(0, Ordering::SeqCst);
        let got = until("the data", || self.kita.got(transfer).unwrap());
        assert_eq!(fs::read(&got.path).unwrap(), self.data);
    }
}

fn scene(on: &str, changed: impl Fn(&mut Offer)) -> Scene {
    let world = World::new();
    let mut nord = world.party("nord", "DE", "VATDE-000000001");
    let mut kita = world.party("kita", "US", "NTRUS-0000002");
    for party in [&mut nord, &mut kita] {
        party.config.legal_day = Some(day(on));
        // These tests are about what turns, not about who read the rules.
        party.config.law.accept_drafted = world::rules().layers.keys().cloned().collect();
    }
    let data: Vec<u8> = (0..2000).flat_map(|i| format!("{i},customer {i},street {}\n", i * 7 % 1000).into_bytes()).collect();
    let source = world.dir.path().join("customers.csv");
    fs::write(&source, &data).unwrap();
    let (nord, kita) = (world.start(&nord), world.start(&kita));
    let mut offer = offer(source);
    changed(&mut offer);
    Scene { world, nord, kita, offer, data }
}

fn word(text: &str) -> Said {
    rulebook::book::parse_said(text)
}

#[test]
fn a_fact_told_of_the_receiver_after_the_agreement_turns_the_flow_and_turns_it_back() {
    let scene = scene("2020-07-15", |_| {});
    scene.nord.know_peer(&listed(&scene.peer())).unwrap();
    scene.nord.offer(&scene.offer).unwrap();
    let transfer = scene.begin();
    let mut gone = listed(&scene.peer());
    gone.facts.insert("recipient.listed".into(), Said::claim(Spoken::Words(vec![])));
    let before = Instant::now();
    scene.nord.know_peer(&gone).unwrap();
    let pid = scene.suspended(&transfer);
    let last = scene.world.net.last_chunk.lock().unwrap().unwrap();
    assert!(last.saturating_duration_since(before) < Duration::from_millis(100), "a chunk went after the judgment");
    let stop = scene.nord.report_of(&pid).unwrap().stopped.unwrap();
    assert!(stop.code == "node/law-turned" && stop.rules.iter().any(|r| r.contains("GDPR")), "{stop:?}");
    scene.nord.know_peer(&listed(&scene.peer())).unwrap();
    scene.arrives(&transfer);
}

#[test]
fn a_measure_that_was_taken_does_not_count_against_what_is_told_later() {
    let scene = scene("2020-07-16", |_| {});
    scene.nord.know_peer(&listed(&scene.peer())).unwrap();
    scene.nord.offer(&scene.offer).unwrap();
    scene.nord.move_legal_day(day("2020-07-15")).unwrap();
    let transfer = scene.begin();
    scene.nord.move_legal_day(day("2020-07-16")).unwrap();
    let pid = scene.suspended(&transfer);
    let cure = scene.nord.cures(&pid).unwrap().remove(0);
    assert!(scene.nord.cure(&pid, &cure).unwrap().verdict.opens());
    // Later the operator tells the clauses away: what is told counts, and the measure does not open any more.
    let makes = || cure.measures.iter().flat_map(|m| &m.makes).filter_map(|l| l.split_once('='));
    let (slot, _) = makes().find(|(slot, _)| slot.starts_with("mechanism.")).unwrap();
    let mut offer = scene.offer.clone();
    offer.facts.insert(slot.into(), Said::claim(Spoken::Words(vec![])));
    scene.nord.offer(&offer).unwrap();
    let (case, decision) = scene.nord.flow_case(&pid).unwrap();
    assert!(!decision.verdict.opens(), "{slot}: {case:?}");
}

#[test]
fn a_judgment_opens_and_when_its_term_is_over_the_flow_stops_with_that_reason() {
    let scene = scene("2020-07-16", |_| {});
    let mut peer = listed(&scene.peer());
    scene.nord.know_peer(&peer).unwrap();
    // The cheapest way, but for the judgment in it, is told as facts.
    let asked = scene.nord.decide(&scene.nord.case_with(&scene.offer, &scene.peer()).unwrap()).unwrap();
    let way = asked.worst().unwrap().remedies[0].clone();
    let mut offer = scene.offer.clone();
    let mut judged = None;
    for (slot, value) in way.measures.iter().flat_map(|m| &m.makes).filter_map(|l| l.split_once('=')) {
        match slot.split_once('.') {
            Some(("assessment", _)) => judged = Some((slot.to_owned(), value.to_owned())),
            Some(("recipient", _)) => drop(peer.facts.insert(slot.into(), word(value))),
            _ => drop(offer.facts.insert(slot.into(), word(value))),
        }
    }
    let (fact, outcome) = judged.expect("a judgment is part of the way");
    scene.nord.know_peer(&peer).unwrap();
    scene.nord.offer(&offer).unwrap();
    let open = |what: &str| {
        let decision = scene.nord.decide(&scene.nord.case_with(&offer, &scene.peer()).unwrap()).unwrap();
        assert_eq!(decision.verdict.opens(), what == "opens", "{what}: {:?}", decision.verdict);
    };
    open("does not open without the judgment");
    let book = world::rules();
    let bound = book.bind(&scene.nord.case_with(&offer, &scene.peer()).unwrap()).unwrap();
    let record = |outcome: &str, until: &str, facts: BTreeMap<String, String>| Judgment {
        record: Determination {
            version: 1,
            fact: fact.clone(),
            outcome: outcome.into(),
            because: "the keys stay here".into(),
            by: "A. Beispiel".into(),
            made: day("2020-07-01"),
            until: day(until),
            rests_on: facts,
            form: "eu.form.tia".into(),
            form_digest: Digest::of(b"form"),
            rulebook: book.digest(),
            paper: Digest::of(b"paper"),
        },
        seal: None,
    };
    let facts = book.circumstances(&bound.crossings[0]);
    // One about another place is worth nothing here.
    let mut elsewhere = facts.clone();
    elsewhere.insert("recipient.place".into(), "IN".into());
    scene.nord.take_judgment(record(&outcome, "2021-07-01", elsewhere)).unwrap();
    open("does not open by a judgment about another place");
    let first = scene.nord.take_judgment(record(&outcome, "2020-07-20", facts.clone())).unwrap();
    open("opens");
    // One that comes out differently: neither counts, until it is given up.
    let other = scene.nord.take_judgment(record("fails", "2021-07-20", facts.clone())).unwrap();
    open("does not open by two that differ");
    scene.nord.give_up_judgment(&other.id.to_string()).unwrap();
    open("opens");

    let transfer = scene.begin();
    scene.nord.move_legal_day(day("2020-07-20")).unwrap();
    let pid = scene.suspended(&transfer);
    let stop = scene.nord.report_of(&pid).unwrap().stopped.unwrap();
    assert_eq!(stop.code, "node/judgment-over");
    assert!(stop.says.contains(&fact) && stop.says.contains("2020-07-20") && !stop.says.contains("Beispiel"), "{stop:?}");
    assert!(stop.rules.iter().any(|r| r.contains("GDPR")), "{stop:?}");
    // Telling the result as a fact beside the record that is over opens nothing; judging again does.
    let mut claimed = offer.clone();
    claimed.facts.insert(fact.clone(), word(&outcome));
    scene.nord.offer(&claimed).unwrap();
    assert!(!scene.nord.flow_case(&pid).unwrap().1.verdict.opens());
    scene.nord.offer(&offer).unwrap();
    scene.nord.take_judgment(record(&outcome, "2021-07-20", facts)).unwrap();
    scene.nord.give_up_judgment(&first.id.to_string()).unwrap();
    scene.arrives(&transfer);
}

#[test]
fn a_judgment_that_is_not_what_it_says_is_not_taken() {
    let scene = scene("2020-07-16", |_| {});
    let record = Determination {
        version: 1,
        fact: "exporter.place".into(),
        outcome: "passes".into(),
        because: "so".into(),
        by: "A. Beispiel".into(),
        made: day("2020-07-01"),
        until: day("2021-07-01"),
        rests_on: BTreeMap::new(),
        form: "eu.form.tia".into(),
        form_digest: Digest::of(b"form"),
        rulebook: Digest::of(b"rules"),
        paper: Digest::of(b"paper"),
    };
    let refused = |judgment| scene.nord.take_judgment(judgment).unwrap_err().code();
    assert_eq!(refused(Judgment { record: record.clone(), seal: None }), "node/judgment", "a place is no judgment");
    let judged = Determination { fact: "assessment.eu_third_country".into(), ..record };
    assert_eq!(refused(Judgment { record: judged.clone(), seal: Some("bm8gc2VhbA==".into()) }), "node/judgment", "that is no seal");
    assert_eq!(refused(Judgment { record: Determination { until: judged.made, ..judged.clone() }, seal: None }), "node/judgment");
    let sealed = {
        let party = scene.nord.config();
        let bytes = judged.bytes().unwrap();
        node::protect::seal(&bytes, &party.file("seal.pem".as_ref()), &party.file("seal.key".as_ref()), scene.nord.now())
    };
    if let Ok(seal) = sealed {
        let judgment = Judgment::of_files(&judged.bytes().unwrap(), Some(&seal)).unwrap();
        let held = scene.nord.take_judgment(judgment.clone()).unwrap();
        assert!(matches!(held.backing, node::determination::Backing::Sealed(_)), "{:?}", held.backing);
        let other = Determination { because: "for another reason".into(), ..judged };
        assert_eq!(refused(Judgment { record: other, ..judgment }), "node/judgment", "the seal is over other bytes");
    }
}

/// A company in China that counts, and an affiliate abroad; below 100,000 people a year nothing more is asked.
fn chinese(offer: &mut Offer, people: u64) {
    let lines = [
        ("exporter.place", "CN"),
        ("exporter.person", "company"),
        ("exporter.capacity", "{controller}"),
        ("exporter.conferred", "none"),
        ("exporter.sector", "{manufacturing}"),
        ("exporter.targets", "{CN}"),
        ("hop.mode", "{send_copy}"),
        ("hop.need", "none"),
        ("hop.foreign_authority_asks", "no"),
        ("hop.foreign_data_only_passing", "no"),
        ("hop.separate_person", "yes"),
        ("hop.same_group", "yes"),
        ("data.about_people", "yes"),
        ("data.identifiable_for_exporter", "identified"),
        ("data.identifiable_for_recipient", "identified"),
        ("data.categories", "{contact}"),
        ("data.public", "no"),
        ("data.official_class", "none"),
        ("data.collected_in", "{CN}"),
        ("subjects.located_in", "{CN}"),
        ("subjects.employees", "no"),
        ("subjects.children", "no"),
        // What left by other ways than this node.
        ("volume.cn_people_since_jan1", "90000"),
        ("volume.cn_sensitive_people_since_jan1", "0"),
        ("consent.given", "{consent,separate,told_recipient}"),
        ("notice.kind", "{cn_individual_notice}"),
        ("assessment.cn_pipia", "passes"),
    ];
    offer.facts = lines.iter().map(|(slot, value)| ((*slot).to_owned(), word(value))).collect();
    let window = Some(rulebook::window::Window::read("this year").unwrap());
    offer.meter = vec![Metered { fact: "volume.cn_people_since_jan1".into(), people, row_is_person: false, window }];
}

#[test]
fn the_meter_is_a_fact_of_the_law_and_warns_before_the_threshold() {
    let scene = scene("2026-03-02", |offer| chinese(offer, 2_310));
    let told = [("recipient.place", "JP"), ("recipient.person", "company"), ("recipient.capacity", "{controller}")];
    let facts: Facts = told.iter().map(|(slot, value)| ((*slot).to_owned(), word(value))).collect();
    scene.nord.know_peer(&PeerFacts { id: scene.peer(), facts, ..PeerFacts::default() }).unwrap();
    scene.nord.offer(&scene.offer).unwrap();
    let count = || scene.nord.counts().unwrap().remove(0);
    let before = count();
    assert_eq!((before.metered, before.from, before.on), (0, day("2026-01-01"), day("2026-03-02")));
    let ahead = &before.ahead[0].warning;
    assert_eq!((ahead.count, ahead.threshold), (92_310, 100_000), "what left elsewhere, and this act");
    assert!(ahead.is_near() && ahead.now.opens() && !ahead.then.opens(), "{ahead:?}");
    // Four transfers go, 99,240 people; with the fifth it would be 101,550, and that one is refused.
    for n in 1..=4 {
        scene.world.net.chunks.lock().unwrap().clear();
        let got = scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG).unwrap();
        assert_eq!(fs::read(&got.path).unwrap(), scene.data);
        assert_eq!(count().metered, n * 2_310);
    }
    let refused = scene.kita.get(&scene.nord.protocol_address(), DATASET, LONG).unwrap_err();
    assert_eq!(refused.code(), "tegata/law", "{refused}");
    assert_eq!(count().metered, 4 * 2_310, "what did not go is not counted");
    // With the next year the window begins anew.
    scene.nord.move_legal_day(day("2027-01-01")).unwrap();
    assert_eq!(count().metered, 0);
}

#[test]
fn a_count_that_others_bring_to_the_threshold_stops_what_runs() {
    let scene = scene("2026-03-02", |offer| chinese(offer, 2_310));
    let told = [("recipient.place", "JP"), ("recipient.person", "company"), ("recipient.capacity", "{controller}")];
    let facts: Facts = told.iter().map(|(slot, value)| ((*slot).to_owned(), word(value))).collect();
    scene.nord.know_peer(&PeerFacts { id: scene.peer(), facts, ..PeerFacts::default() }).unwrap();
    scene.nord.offer(&scene.offer).unwrap();
    let transfer = scene.begin();
    // Somebody tells that more left by other ways.
    let mut more = scene.offer.clone();
    more.facts.insert("volume.cn_people_since_jan1".into(), word("98000"));
    scene.nord.offer(&more).unwrap();
    let pid = scene.suspended(&transfer);
    assert!(scene.nord.report_of(&pid).unwrap().stopped.is_some());
    scene.nord.offer(&scene.offer).unwrap();
    scene.arrives(&transfer);
}

#[test]
fn a_counter_or_window_that_is_not_the_laws_is_refused() {
    let scene = scene("2026-03-02", |_| {});
    let refused = |fact: &str, window: Option<&str>| {
        let mut offer = scene.offer.clone();
        let window = window.map(|w| rulebook::window::Window::read(w).unwrap());
        offer.meter = vec![Metered { fact: fact.into(), people: 1, row_is_person: false, window }];
        scene.nord.offer(&offer).map(|_| ()).map_err(|e| e.code())
    };
    assert_eq!(refused("exporter.place", Some("this year")), Err("node/meter".into()));
    assert_eq!(refused("volume.no_such", Some("this year")), Err("node/meter".into()));
    let law = world::rules().vocabulary.facts["volume.cn_people_since_jan1"].window;
    match law {
        None => assert_eq!(refused("volume.cn_people_since_jan1", None), Err("node/meter".into())),
        Some(_) => assert_eq!(refused("volume.cn_people_since_jan1", Some("7 months")), Err("node/meter".into())),
    }
}
