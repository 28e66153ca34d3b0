//! An opening that rests on rules read once makes no pass, unless the operator accepts them by name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world;

use node::act::check::READ_ONCE;
use node::config::Law;
use node::error::ActError;
use std::fs;
use world::{LONG, World, listed, offer, rules_after};

const DATASET: &str = "urn:dataset:customers";

fn deliver(accept: &[&str]) -> Result<Vec<String>, String> {
    let world = World::new();
    let mut nord_party = world.party("nord", "DE", "VATDE-000000001");
    nord_party.config.law = Law { accept_drafted: accept.iter().map(|s| (*s).to_owned()).collect(), ..Law::default() };
    let kita_party = world.party("kita", "US", "NTRUS-0000002");
    let source = world.dir.path().join("customers.csv");
    fs::write(&source, "1,a\n2,b\n").unwrap();
    let book = rules_after(|text| text.replace("review: checked_machine", "review: drafted_machine"));
    nord_party.config.check_law(&book).map_err(|e| e.to_string())?;
    let (nord, kita) = (world.start_by(&nord_party, book), world.start(&kita_party));
    nord.know_peer(&listed(&kita_party.id)).unwrap();
    nord.offer(&offer(source)).unwrap();
    let got = kita.get(&nord.protocol_address(), DATASET, LONG);
    let told = match got {
        Err(ActError::Refused { code, reasons }) => Err(format!("{code}: {reasons:?}")),
        Err(e) => Err(e.to_string()),
        Ok(got) => {
            let transfer = kita.transfer(&got.transfer).unwrap().unwrap();
            let events = nord.events(transfer.process().provider_pid()).unwrap();
            Ok(events.into_iter().flat_map(|(_, e)| e.rules).collect())
        }
    };
    world.end(nord);
    world.end(kita);
    told
}

#[test]
fn a_rule_read_once_opens_no_flow_and_the_rule_is_named() {
    let told = deliver(&[]).unwrap_err();
    assert!(told.contains(READ_ONCE) && told.contains("eu.gdpr.45"), "{told}");
}

#[test]
fn the_operator_may_accept_it_by_rule_or_by_layer_and_the_evidence_says_so() {
    // Rule and decision were each read once: the rule's name alone does not take the decision upon itself.
    let told = deliver(&["eu.gdpr.45"]).unwrap_err();
    assert!(told.contains(READ_ONCE) && told.contains("eu.adequacy#US ("), "{told}");
    for names in [&["eu.gdpr.45", "eu.adequacy"][..], &["eu.gdpr.45", "eu.adequacy#US"], &["eu.gdpr"]] {
        let rules = deliver(names).unwrap();
        let said = rules.iter().any(|r| r.starts_with("read once, accepted by the operator: eu.gdpr.45") && r.contains("eu.adequacy#US ("));
        assert!(said, "{rules:?}");
        let entry = rules.iter().any(|r| r.starts_with("rests on: eu.gdpr.45") && r.contains("2016/1250"));
        assert!(entry, "the evidence names the decision: {rules:?}");
    }
    // Another rule's name accepts nothing here, and a name that is none does not start.
    assert!(deliver(&["jp.appi"]).unwrap_err().contains(READ_ONCE));
    assert!(deliver(&["eu.gdpr.4"]).unwrap_err().contains("eu.gdpr.4"));
}
