//! What we write satisfies the schemas; what the schemas refuse, we refuse.
//!
//! The checks in `dsp::schema` were compared with the official schemas by an outside validator on 75,000 bodies made from the
//! official examples by mutation; the few differences are all on the strict side and named in `schema.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dsp::json::Malformed;
use dsp::machine::{Effect, Event, Fault, Peer, Step};
use dsp::message::catalog::{
    Catalog, CatalogError, CatalogRequest, DataService, Dataset, DatasetRequest, Distribution,
};
use dsp::message::terms::Terms;
use dsp::message::transfer::DataAddress;
use dsp::message::version::VersionResponse;
use dsp::message::{Context, Grounds, Message, Received};
use dsp::negotiation::{self, Negotiation};
use dsp::transfer::{self, Subject, Transfer};
use dsp::{paths, schema};
use serde_json::{Value, json};

const PROVIDER: &str = "did:web:provider.example";
const CONSUMER: &str = "did:web:consumer.example";

fn offer() -> Terms {
    serde_json::from_value(json!({
        "@id": "urn:offer:1", "@type": "Offer", "target": "urn:data:1",
        "permission": [{"action": "use", "constraint": [{"leftOperand": "dateTime", "operator": "lteq", "rightOperand": "2027-12-31"}]}]
    }))
    .unwrap()
}

fn sent(effects: &[Effect], all: &mut Vec<(String, Message)>) -> Message {
    for effect in effects {
        match effect {
            Effect::Send { url, message } => all.push((url.clone(), message.clone())),
            Effect::Answer(answer) => all.push((String::new(), answer.body.clone())),
            _ => {}
        }
    }
    all.last().unwrap().1.clone()
}

/// Drives both parties through everything they can say and collects it.
fn every_message() -> Vec<(String, Message)> {
    let mut all = Vec::new();
    let (p, c) = (Peer(PROVIDER.into()), Peer(CONSUMER.into()));
    let (asking, effects) =
        Negotiation::request(p.clone(), "urn:c:1", "https://p.example", "https://c.example/", offer());
    let request = Received::read(&sent(&effects, &mut all).to_bytes()).unwrap();
    let (asked, effects) = Negotiation::opened(&c, "urn:p:1", &request).unwrap();
    let ack = sent(&effects, &mut all);
    let Step::Next(asking, _) = asking.step(Event::Answered { status: 201, body: Some(ack) }) else {
        panic!()
    };
    let mut sides = [asking, asked];
    let agreement = offer().to_agreement("urn:a:1", PROVIDER, CONSUMER, "2026-11-22T00:00:00.000Z").unwrap();
    let grounds = Grounds::of("tegata/law", ["rule=eu.gdpr.44".to_owned()]);
    let script: [(usize, negotiation::Command); 7] = [
        (1, negotiation::Command::Offer(offer())),
        (0, negotiation::Command::Counter(offer())),
        (1, negotiation::Command::Offer(offer())),
        (0, negotiation::Command::Accept),
        (1, negotiation::Command::Agree(agreement)),
        (0, negotiation::Command::Verify),
        (1, negotiation::Command::Finalize),
    ];
    for (who, command) in script {
        if who == 0 {
            // What each side could say instead.
            let end = negotiation::Command::Terminate(grounds.clone());
            if let Step::Next(_, effects) = sides[0].step(Event::Command(end)) {
                sent(&effects, &mut all);
            }
        }
        let Step::Next(moved, effects) = sides[who].step(Event::Command(command)) else { panic!() };
        let message = Received::read(&sent(&effects, &mut all).to_bytes()).unwrap();
        let from = if who == 0 { c.clone() } else { p.clone() };
        let Step::Next(other, effects) = sides[1 - who].step(Event::Received { from, message }) else {
            panic!()
        };
        let body = Some(sent(&effects, &mut all));
        let Step::Next(settled, _) = moved.step(Event::Answered { status: 200, body }) else { panic!() };
        assert!(settled.process().is_settled());
        sides[who] = settled;
        sides[1 - who] = other;
    }
    assert_eq!([sides[0].state(), sides[1].state()], [negotiation::State::Finalized; 2]);
    assert_eq!(sides[0].agreement(), sides[1].agreement());
    all.push((String::new(), sides[0].process().error(&Fault::Busy).body));
    let (_, effects) =
        Negotiation::offer(c.clone(), "urn:p:2", "https://c.example", "https://p.example", offer());
    let first = Received::read(&sent(&effects, &mut all).to_bytes()).unwrap();
    assert!(Negotiation::opened(&p, "urn:c:2", &first).is_ok());

    let push =
        DataAddress::new("https://w3id.org/idsa/v4.1/HTTP", "https://c.example/in").with_bearer("secret");
    let subject =
        Subject { agreement_id: "urn:a:1".into(), format: "HttpData-PUSH".into(), push_to: Some(push) };
    let (asking, effects) =
        Transfer::request(p.clone(), "urn:c:3", "https://p.example", "https://c.example", subject);
    let request = Received::read(&sent(&effects, &mut all).to_bytes()).unwrap();
    let (asked, effects) = Transfer::opened(&c, "urn:p:3", &request).unwrap();
    let ack = sent(&effects, &mut all);
    let Step::Next(asking, _) = asking.step(Event::Answered { status: 201, body: Some(ack) }) else {
        panic!()
    };
    let mut sides = [asking, asked];
    let address =
        DataAddress::new("https://w3id.org/idsa/v4.1/HTTP", "https://p.example/out").with_bearer("secret");
    let script = [
        (1, transfer::Command::Start(Some(address))),
        (0, transfer::Command::Suspend(grounds.clone())),
        (1, transfer::Command::Start(None)),
        (1, transfer::Command::Suspend(Grounds::default())),
        (0, transfer::Command::Start(None)),
        (0, transfer::Command::Complete),
    ];
    for (who, command) in script {
        let end = transfer::Command::Terminate(grounds.clone());
        if let Step::Next(_, effects) = sides[who].step(Event::Command(end)) {
            sent(&effects, &mut all);
        }
        let Step::Next(moved, effects) = sides[who].step(Event::Command(command)) else { panic!() };
        let message = Received::read(&sent(&effects, &mut all).to_bytes()).unwrap();
        let from = if who == 0 { c.clone() } else { p.clone() };
        let Step::Next(other, effects) = sides[1 - who].step(Event::Received { from, message }) else {
            panic!()
        };
        let body = Some(sent(&effects, &mut all));
        let Step::Next(settled, _) = moved.step(Event::Answered { status: 200, body }) else { panic!() };
        sides[who] = settled;
        sides[1 - who] = other;
    }
    assert_eq!([sides[0].state(), sides[1].state()], [transfer::State::Completed; 2]);
    assert_eq!(sides[0].address().and_then(|a| a.property("authorization")), Some("secret"));
    all.push((String::new(), sides[1].process().error(&Fault::NotFound).body));

    let context = Context::default();
    all.push((String::new(), Message::CatalogRequestMessage(CatalogRequest::default())));
    let by_title = json!({"property": "title", "operator": "contains", "value": "rice"});
    all.push((
        String::new(),
        Message::CatalogRequestMessage(CatalogRequest { context: context.clone(), filter: vec![by_title] }),
    ));
    all.push((
        String::new(),
        Message::DatasetRequestMessage(DatasetRequest { context, dataset: "urn:data:1".into() }),
    ));
    all.push((
        String::new(),
        Message::CatalogError(CatalogError::new(Grounds::of("dsp/filter", ["no".into()]))),
    ));
    all
}

fn catalog_offer() -> Terms {
    let mut value = offer().to_value();
    value.as_object_mut().unwrap().remove("target");
    serde_json::from_value(value).unwrap()
}

fn dataset(n: u32) -> Dataset {
    let service = DataService::new("urn:service:1", "https://p.example/dsp");
    Dataset::new(
        &format!("urn:data:{n}"),
        vec![catalog_offer()],
        vec![Distribution::with_service("HttpData-PULL", service)],
    )
    .with("dct:title", "rice harvest")
}

#[test]
fn everything_we_write_is_valid_and_reads_back() {
    let all = every_message();
    let mut kinds = std::collections::BTreeSet::new();
    for (url, message) in &all {
        let value = message.to_value();
        assert_eq!(schema::check(&value), Vec::<Malformed>::new(), "{value}");
        let back = Received::read(&message.to_bytes()).unwrap();
        assert_eq!(&back.message, message);
        assert_eq!(back.message.to_bytes(), message.to_bytes());
        assert_eq!(value.get("@type").and_then(Value::as_str), Some(message.kind()));
        kinds.insert(message.kind());
        if !url.is_empty() {
            let fits = |r: &&paths::Route| {
                let (head, tail) = r.path.split_once("{id}").unwrap_or((r.path, ""));
                let path = url.trim_start_matches("https://").split_once('/').map_or("", |(_, p)| p);
                let path = format!("/{path}");
                r.carries == Some(message.kind()) && path.starts_with(head) && path.ends_with(tail)
            };
            assert!(paths::ROUTES.iter().any(|r| fits(&r)), "{url} {}", message.kind());
        }
    }
    assert_eq!(kinds.len(), 18, "{kinds:?}");
}

#[test]
fn catalogs_and_versions_are_valid_and_read_back() {
    let service = DataService::new("urn:service:1", "https://p.example/dsp");
    for n in [0, 1, 3] {
        let catalog =
            Catalog::root("urn:catalog:1", PROVIDER, service.clone(), (0..n).map(dataset).collect());
        let value = catalog.to_value();
        assert_eq!(schema::check(&value), Vec::<Malformed>::new(), "{value}");
        assert_eq!(value.get("dataset").is_some(), n > 0);
        assert_eq!(Catalog::read(value.to_string().as_bytes()).unwrap(), catalog);
    }
    let value = dataset(1).to_root_value();
    assert_eq!(schema::check(&value), Vec::<Malformed>::new(), "{value}");
    assert_eq!(Dataset::read(value.to_string().as_bytes()).unwrap(), dataset(1));
    let versions = VersionResponse::at("/dsp/2025-1");
    assert_eq!(schema::check_versions(&versions.to_value()), Vec::<Malformed>::new());
    let back = VersionResponse::read(versions.to_value().to_string().as_bytes()).unwrap();
    assert_eq!(back.ours().map(|v| v.path.as_str()), Some("/dsp/2025-1"));
    assert!(VersionResponse::read(br#"{"protocolVersions":[]}"#).is_err());
}

#[test]
fn an_offer_of_a_catalog_becomes_one_of_a_message_and_back() {
    assert!(schema::check_catalog_offer(&catalog_offer().to_value()).is_empty());
    assert!(!schema::check_catalog_offer(&offer().to_value()).is_empty());
    assert_eq!(catalog_offer().with_target("urn:data:1"), offer());
    assert!(catalog_offer().to_agreement("urn:a", "p", "c", "2026-01-01T00:00:00Z").is_err());
    assert!(offer().to_agreement("urn:a", "p", "c", "yesterday").is_err());
}

/// Changes one thing in a valid request and expects a fault at the given place.
fn spoiled(at: &str, change: impl FnOnce(&mut Value)) {
    let mut body = json!({
        "@context": [schema::CONTEXT], "@type": "ContractRequestMessage", "consumerPid": "urn:c:1",
        "offer": {"@id": "urn:o:1", "@type": "Offer", "target": "urn:d:1", "permission": [{"action": "use", "constraint": [
            {"or": [{"leftOperand": "spatial", "operator": "isAnyOf", "rightOperand": ["JP", "DE"]}]}]}]},
        "callbackAddress": "https://c.example"
    });
    assert!(Received::from_value(body.clone()).is_ok());
    change(&mut body);
    let fault = Received::from_value(body).unwrap_err();
    assert_eq!(fault.at(), at, "{fault}");
}

#[test]
fn what_the_schema_refuses_is_refused() {
    let atom = "/offer/permission/0/constraint/0/or/0";
    spoiled("", |b| b["@context"] = json!(schema::CONTEXT));
    spoiled("", |b| b["@context"] = json!(["https://other.example/context.jsonld"]));
    spoiled("", |b| b["@type"] = json!("Nonsense"));
    spoiled("", |b| b["providerPid"] = json!("urn:p:1"));
    spoiled("", |b| drop(b.as_object_mut().unwrap().remove("callbackAddress")));
    spoiled("", |b| drop(b.as_object_mut().unwrap().remove("consumerPid")));
    spoiled("/offer", |b| drop(b["offer"].as_object_mut().unwrap().remove("@id")));
    spoiled("/offer", |b| drop(b["offer"].as_object_mut().unwrap().remove("@type")));
    spoiled("/offer", |b| drop(b["offer"].as_object_mut().unwrap().remove("permission")));
    spoiled("/offer/permission", |b| b["offer"]["permission"] = json!([]));
    spoiled("/offer/permission/0", |b| {
        drop(b["offer"]["permission"][0].as_object_mut().unwrap().remove("action"))
    });
    spoiled(&format!("{atom}/operator"), |b| {
        b["offer"]["permission"][0]["constraint"][0]["or"][0]["operator"] = json!("in")
    });
    spoiled(&format!("{atom}/rightOperand"), |b| {
        b["offer"]["permission"][0]["constraint"][0]["or"][0]["rightOperand"] = json!(3)
    });
    spoiled(atom, |b| b["offer"]["permission"][0]["constraint"][0]["or"][0]["and"] = json!([]));
}

#[test]
fn an_opening_message_is_the_same_with_another_message_id() {
    let body = |id: &str| {
        json!({"@context": [schema::CONTEXT], "@type": "TransferRequestMessage", "@id": id, "consumerPid": "urn:c:1",
               "agreementId": "urn:a:1", "format": "x", "callbackAddress": "https://c.example"})
    };
    let read = |id| Received::from_value(body(id)).unwrap().digest;
    assert_eq!(read("urn:1"), read("urn:2"));
    let later = |id: &str| {
        let body = json!({"@context": [schema::CONTEXT], "@type": "TransferCompletionMessage", "@id": id,
                          "providerPid": "urn:p:1", "consumerPid": "urn:c:1"});
        Received::from_value(body).unwrap().digest
    };
    assert_ne!(later("urn:1"), later("urn:2"));
}
