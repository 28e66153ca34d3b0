//! Participants behind the doors of one process: taken in at once, found again after a restart, and strangers to each other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::authority::{self, Running};
use crate::node_acts::NodeActs;
use crate::node_server::{self, NodeServer};
use crate::participants::{self, AddError, Newcomer, Participants};
use crate::people::principal::{Doorkeeper, Principal, Role};
use crate::people::{self, State};
use model::transfer::Facts;
use node::act::operate::NegotiationWish;
use node::act::offer::Offer;
use node::agent::Node;
use node::config::{Config, Law, Mode, PeerFacts};
use node::desk::Desk;
use node::quota::Quotas;
use rulebook::book::{Rulebook, Source};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who may come in: whoever has a token of this desk.
struct Keeper(Arc<Desk>);

impl Doorkeeper for Keeper {
    fn admit(&self, secret: &str) -> Option<Principal> {
        let holder = self.0.admit(secret)?;
        Some(Principal { participant: self.0.participant().into(), token: holder.token, role: Role::Admin })
    }

    fn still(&self, token: &str) -> bool {
        self.0.still(token)
    }
}

fn law() -> Arc<Rulebook> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let (mut sources, mut stack) = (Vec::new(), vec![root.clone()]);
    while let Some(dir) = stack.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            match path.is_dir() {
                true if name != "cases" && name != "demo" => stack.push(path),
                false if name.ends_with(".md") => {
                    sources.push(Source { path: name, text: std::fs::read_to_string(&path).unwrap() });
                }
                _ => {}
            }
        }
    }
    Arc::new(Rulebook::parse(sources).0)
}

struct House {
    server: NodeServer,
    all: Arc<Participants>,
    people: std::net::SocketAddr,
    token: String,
    /// Whoever moves data shows a certificate; without an authority the header says who it is.
    authority: Option<Running>,
    _runtime: tokio::runtime::Runtime,
}

/// A process with its own node and whoever has a folder beside it; the one before must have let go of the stores.
fn house(dir: &Path, book: &Arc<Rulebook>) -> House {
    let config = Config { test_identity: true, ..named("did:web:host.example", dir) };
    until("the start", || open(config.clone(), book))
}

/// The same with certificates of an authority.
fn certified_house(dir: &Path, book: &Arc<Rulebook>) -> House {
    let authority = authority::start(&dir.join("authority"), "127.0.0.1:0".parse().unwrap()).unwrap();
    let mut config = named("did:web:host.example", dir);
    enroll(&authority, &mut config, dir);
    let house = until("the start", || open(config.clone(), book));
    House { authority: Some(authority), ..house }
}

fn enroll(authority: &Running, config: &mut Config, house: &Path) {
    let (token, anchors) = (authority.enrollment_token().unwrap(), house.join("authority/ca.pem"));
    let organization = format!("NTRDE-INVENTED-{}", config.name.to_uppercase());
    node_server::enroll(config, authority.url(), &anchors, &token, "DE", &organization).unwrap();
}

fn named(did: &str, directory: &Path) -> Config {
    let name = did.rsplit(':').next().unwrap().split('.').next().unwrap().to_owned();
    Config { mode: Mode::Demo, participant: did.into(), name, directory: directory.to_owned(), ..Config::default() }
}

fn open(config: Config, book: &Arc<Rulebook>) -> Option<House> {
    let doors = |node: &Arc<Node>| {
        let desk = Arc::new(Desk::of(node));
        let first = desk.first_token()?;
        let state = State::new(law(), people::Mode::Demo, Keeper(desk.clone()));
        Ok((state.with_node(node.clone()).with_acts(NodeActs::new(node.clone(), desk)), first))
    };
    let mut all = None;
    let server = node_server::start(config, book.clone(), |host| {
        let (others, failed) = Participants::open(host, book.clone(), Box::new(doors));
        let routes = participants::peers_router(&others);
        match failed.is_empty() {
            true => all = Some(others),
            false => others.stop(),
        }
        Some(routes)
    });
    let (server, all) = (server.ok()?, all?);
    let desk = Arc::new(Desk::of(server.node()));
    let token = desk.first_token().unwrap().unwrap_or_default();
    let state = State::new(book.clone(), people::Mode::Demo, Keeper(desk)).with_participants(all.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let entered = runtime.enter();
    let door = people::held(listener, state).unwrap();
    drop(entered);
    runtime.spawn(door.serve(std::future::pending()));
    Some(House { server, all, people: at, token, authority: None, _runtime: runtime })
}

impl House {
    /// Asks at the door for people.
    fn ask(&self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let with = format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n");
        let (status, _, body) = self.send(method, path, &with, &body);
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// The answer's status, head and body.
    fn send(&self, method: &str, path: &str, with: &str, body: &str) -> (u16, String, String) {
        let mut stream = std::net::TcpStream::connect(self.people).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{with}content-length: {}\r\n\r\n{body}",
            self.people,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
    }

    /// Opens a session of the pages below a path and returns its cookie, with the path that it is for.
    fn enter(&self, below: &str, token: &str) -> (String, String) {
        let form = "content-type: application/x-www-form-urlencoded\r\n";
        let (status, head, _) = self.send("POST", &format!("{below}/en/enter"), form, &format!("next=&token={token}"));
        assert_eq!(status, 303, "{head}");
        assert!(head.contains(&format!("location: {below}/en/\r\n")), "{head}");
        let cookie = head.lines().find_map(|l| l.strip_prefix("set-cookie: ")).unwrap();
        let path = cookie.split("; ").find_map(|p| p.strip_prefix("Path=")).unwrap();
        (cookie.split(';').next().unwrap().to_owned(), path.to_owned())
    }

    fn take_in(&self, book: &Rulebook, name: &str, through: Option<&str>) -> String {
        let layers: Vec<&String> = book.layers.keys().collect();
        let did = format!("did:web:{name}.example");
        if let Some(authority) = &self.authority {
            let house = self.server.node().config().directory.clone();
            let folder = house.join(participants::FOLDER).join(name);
            std::fs::create_dir_all(&folder).unwrap();
            enroll(authority, &mut named(&did, &folder), &house);
        }
        let newcomer = json!({ "name": name, "did": did, "through": through,
            "accept_drafted": layers });
        let (status, made) = self.ask("POST", "/v1/participants", &self.token, &newcomer);
        assert_eq!(status, 201, "{made}");
        assert!(made["protocol"].as_str().unwrap().ends_with(&format!("/p/{name}/dsp")), "{made}");
        made["token"].as_str().unwrap().to_owned()
    }
}

fn facts(text: Value) -> Facts {
    serde_json::from_value(text).unwrap()
}

/// Data about no person between companies of one country.
fn offer(node: &Arc<Node>, dir: &Path) {
    node.offer(&stations(dir)).unwrap();
}

fn stations(dir: &Path) -> Offer {
    let source = dir.join("stations.csv");
    std::fs::write(&source, "station,temperature\nA,21\n").unwrap();
    Offer {
        dataset: "urn:stations".into(),
        title: "stations".into(),
        source,
        facts: facts(json!({
            "exporter.place": "DE", "exporter.person": "company", "exporter.capacity": ["controller"],
            "exporter.sector": ["retail"], "exporter.targets": ["DE"], "hop.separate_person": true,
            "hop.mode": ["send_copy"], "hop.regularity": "systematic", "hop.need": ["none"],
            "hop.foreign_authority_asks": false, "hop.recipient_sees_clear": true, "data.about_people": false,
            "data.identifiable_for_exporter": "not_reasonably", "data.identifiable_for_recipient": "not_reasonably",
            "data.categories": [], "data.structured": true, "data.official_class": [], "data.received_from": ["own"],
            "subjects.located_in": ["DE"], "subjects.employees": false
        })),
        terms: None,
        access: None,
        plan: None,
        release: None,
        handling: Default::default(),
        plane: None,
        meter: Default::default(),
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn participants_of_one_process_deal_with_each_other_and_find_nothing_of_each_other() {
    let (dir, book) = (tempfile::tempdir().unwrap(), law());
    let house = certified_house(dir.path(), &book);
    let (aoi, kita) = (house.take_in(&book, "aoi", None), house.take_in(&book, "kita", Some("did:web:aoi.example")));
    let (a, k) = (house.all.node("aoi").unwrap(), house.all.node("kita").unwrap());
    offer(&a, dir.path());
    know(&a, &k);

    // They deal as two nodes anywhere do: over the network, by what the protocol says.
    let negotiation = k.open_negotiation(wish(&a)).unwrap();
    let transfer = until("the transfer", || k.begun(&negotiation).unwrap());
    let got = until("the data", || k.got(&transfer).unwrap());
    assert_eq!(std::fs::read(&got.path).unwrap(), std::fs::read(dir.path().join("stations.csv")).unwrap());

    // What is one's own is found below one's own path with one's own token, and nowhere else.
    let none = Value::Null;
    let standing = format!("/v1/negotiations/{}/standing", negotiation.replace(':', "%3A"));
    assert_eq!(house.ask("GET", &format!("/p/kita{standing}"), &kita, &none).0, 200);
    for (path, token, status) in [
        (format!("/p/aoi{standing}"), &aoi, 404),
        (format!("/p/aoi{standing}"), &kita, 401),
        (format!("/p/kita{standing}"), &aoi, 401),
        (format!("/p/kita{standing}"), &house.token, 401),
        (standing.clone(), &kita, 401),
        ("/p/aoi/v1/offers".into(), &kita, 401),
        ("/p/nobody/v1/offers".into(), &aoi, 404),
        ("/p/aoi/../kita/v1/offers".into(), &aoi, 404),
        ("/v1/participants".into(), &aoi, 401),
        // A participant is no host: it takes nobody in.
        ("/p/aoi/v1/participants".into(), &aoi, 404),
    ] {
        let (found, body) = house.ask("GET", &path, token, &none);
        assert_eq!(found, status, "{path}: {body}");
    }
    let offers = |name: &str, token: &str| {
        let (status, body) = house.ask("GET", &format!("/p/{name}/v1/offers"), token, &none);
        assert_eq!(status, 200, "{body}");
        body["offers"].as_array().unwrap().len()
    };
    assert_eq!((offers("aoi", &aoi), offers("kita", &kita)), (1, 0));
    assert!(house.server.node().negotiations().unwrap().is_empty(), "the host has its own store");
    // Each has its own log: the events of the one are no leaves of the other.
    assert!(k.events(&negotiation).unwrap().len() > 2);
    assert!(a.events(&negotiation).unwrap().is_empty());

    // Whoever runs the process sees the register and figures.
    let (_, register) = house.ask("GET", "/v1/participants", &house.token, &none);
    let rows = register["participants"].as_array().unwrap();
    assert_eq!(rows.iter().map(|r| r["name"].as_str().unwrap()).collect::<Vec<_>>(), ["aoi", "kita"]);
    assert_eq!(rows[1]["through"], json!(["did:web:aoi.example"]));
    let (_, told) = house.ask("GET", "/v1/participants/aoi/figures", &house.token, &none);
    let figures = &told["figures"];
    let numbers = ["offers", "contracts", "pairs"].map(|key| figures[key].as_u64().unwrap());
    assert_eq!(numbers, [1, 1, 1], "{told}");
    assert!(figures["bytes"].as_u64().unwrap() >= got.bytes, "{told}");
    let (_, before) = house.ask("GET", "/v1/participants/aoi/figures?month=2020-01", &house.token, &none);
    assert_eq!(before["figures"]["contracts"], 0);
}

fn know(a: &Arc<Node>, k: &Arc<Node>) {
    let taker = json!({ "recipient.place": "DE", "recipient.person": "company",
        "recipient.capacity": ["controller"], "recipient.listed": [], "recipient.subject_to": [] });
    a.know_peer(&PeerFacts { id: k.id().into(), facts: facts(taker), ..PeerFacts::default() }).unwrap();
}

fn wish(of: &Arc<Node>) -> NegotiationWish {
    NegotiationWish {
        role: dsp::machine::Role::Consumer,
        address: of.protocol_address(),
        peer: None,
        dataset: "urn:stations".into(),
        terms: None,
        handling: Default::default(),
    }
}

#[test]
fn a_quota_that_is_used_up_says_so_and_what_stood_still_for_it_goes_on_when_it_is_raised() {
    let (dir, book) = (tempfile::tempdir().unwrap(), law());
    let house = certified_house(dir.path(), &book);
    let (aoi, _) = (house.take_in(&book, "aoi", None), house.take_in(&book, "kita", None));
    let (a, k) = (house.all.node("aoi").unwrap(), house.all.node("kita").unwrap());
    let quota = |told: Value| {
        let (status, body) = house.ask("PUT", "/v1/participants/aoi/quotas", &house.token, &told);
        assert_eq!(status, 200, "{body}");
    };
    assert_eq!(a.quotas(), Quotas::OF_A_NEWCOMER);
    let own = house.ask("PUT", "/v1/participants/aoi/quotas", &aoi, &json!({ "offers": 9 }));
    assert_eq!(own.0, 401, "nobody raises its own");

    // Offers: a second is one too many; what is offered may be told anew.
    quota(json!({ "offers": 1, "bytes_month": 10 }));
    offer(&a, dir.path());
    offer(&a, dir.path());
    let other = Offer { dataset: "urn:other".into(), ..stations(dir.path()) };
    let (status, body) = house.ask("POST", "/p/aoi/v1/offers", &aoi, &serde_json::to_value(&other).unwrap());
    assert_eq!((status, body["code"].as_str()), (429, Some("TGT-H024")), "{body}");
    assert!(body["detail"].as_str().unwrap().contains("quota/offers"), "{body}");
    assert!(a.offer_of("urn:other").unwrap().is_none());

    // Negotiations: none of ours may be opened, and that of a peer waits.
    quota(json!({ "negotiations": 0 }));
    let to = NegotiationWish { role: dsp::machine::Role::Provider, peer: Some(k.id().into()), ..wish(&k) };
    assert_eq!(a.open_negotiation(to).unwrap_err().code(), "quota/negotiations");
    know(&a, &k);
    let negotiation = k.open_negotiation(wish(&a)).unwrap();
    let trouble = until("the refusal", || k.negotiation_standing(&negotiation).ok()?.trouble);
    assert_eq!(trouble.code, "http/503", "{trouble:?}");
    assert!(a.negotiations().unwrap().is_empty());
    quota(json!({ "negotiations": 5 }));

    // Bytes: the first chunk is beyond what is left, so the transfer stands still, and both know why.
    let transfer = until("the transfer", || k.begun(&negotiation).unwrap());
    let told = until("the suspension", || {
        let standing = k.transfer_standing(&transfer).ok()?;
        (standing.state == "SUSPENDED").then_some(standing)
    });
    assert!(format!("{told:?}").contains("quota/bytes"), "{told:?}");
    assert!(k.got(&transfer).unwrap().is_none());
    quota(json!({ "bytes_month": 1000 }));
    let got = until("the data", || k.got(&transfer).unwrap());
    let (_, used) = house.ask("GET", "/v1/participants/aoi/quotas", &house.token, &Value::Null);
    assert_eq!(used["used"], json!({ "offers": 1, "negotiations": 0, "bytes_month": got.bytes }), "{used}");
    assert_eq!(used["quotas"], json!({ "offers": 1, "negotiations": 5, "bytes_month": 1000 }), "{used}");

    // They are there after a restart, for they are in its configuration.
    let file = dir.path().join(participants::FOLDER).join("aoi/tegata.toml");
    assert_eq!(Config::read(&file).unwrap().quotas, a.quotas());
}

#[test]
fn a_certification_counts_for_the_law_until_its_end_and_is_named_along_the_chain() {
    let (dir, book) = (tempfile::tempdir().unwrap(), law());
    let house = house(dir.path(), &book);
    house.take_in(&book, "kita", None);
    house.take_in(&book, "aoi", Some("did:web:kita.example"));
    let (a, k) = (house.all.node("aoi").unwrap(), house.all.node("kita").unwrap());
    let mut offered = stations(dir.path());
    offered.facts.extend(facts(json!({ "exporter.listed": ["cbpr", "prp"] })));
    a.offer(&offered).unwrap();
    let record = |name: &str, scheme: &str, until: &str| {
        let mark = json!({ "scheme": scheme, "id": "C-17", "by": "did:web:agent.example", "until": until });
        house.ask("PUT", &format!("/v1/participants/{name}/marks"), &house.token, &json!({ "marks": [mark] }))
    };
    let listed = || {
        let act = serde_json::to_value(a.case_with(&offered, k.id()).unwrap()).unwrap();
        act["parties"][a.id()]["facts"]["party.listed"].clone()
    };
    assert_eq!(record("aoi", "no_such_scheme", "2099-01-01").0, 422);
    // Nobody has recorded anything: what was told counts.
    assert!(listed().to_string().contains("cbpr"), "{}", listed());
    assert_eq!(record("aoi", "cbpr", "2099-01-01").0, 200);
    let said = listed();
    assert_eq!((&said["standing"], &said["until"]), (&json!("evidenced"), &json!("2099-01-01")), "{said}");
    let shown = serde_json::to_value(a.dataset("urn:stations", k.id()).unwrap().unwrap()).unwrap();
    assert_eq!(shown["tegata:through"], "did:web:kita.example");
    assert_eq!(shown["tegata:mark"], json!(["cbpr C-17 by did:web:agent.example until 2099-01-01"]));
    // Once it is over, its word falls out of what was told, and the others stay.
    assert_eq!(record("aoi", "cbpr", "2020-01-01").0, 200);
    assert_eq!(listed()["value"], json!(["prp"]));
    assert_eq!(record("kita", "cbpr", "2020-01-01").0, 200);
    let (_, register) = house.ask("GET", "/v1/participants", &house.token, &Value::Null);
    let chain = &register["participants"][0]["chain"];
    assert_eq!((&chain[0]["here"], &chain[0]["marks"][0]["counts"]), (&json!(true), &json!(false)), "{register}");
    let (cookie, _) = house.enter("", &house.token);
    let (_, _, page) = house.send("GET", "/en/participants", &format!("cookie: {cookie}\r\n"), "");
    assert!(page.contains("no longer certified: cbpr") && page.contains("did:web:kita.example"), "{page}");
}

#[test]
fn the_register_is_a_page_and_each_has_its_own_pages_below_its_path() {
    let (dir, book) = (tempfile::tempdir().unwrap(), law());
    let house = house(dir.path(), &book);
    let (cookie, path) = house.enter("", &house.token);
    assert_eq!(path, "/");
    let session = format!("cookie: {cookie}\r\n");
    let (status, _, page) = house.send("GET", "/en/participants", &session, "");
    assert_eq!(status, 200, "{page}");
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = format!("{session}content-type: application/x-www-form-urlencoded\r\n");
    let taking = |body: &str| house.send("POST", "/en/participants", &form, &format!("csrf={csrf}&{body}"));
    assert_eq!(house.send("POST", "/en/participants", &form, "csrf=x&name=aoi&did=did:web:aoi.example").0, 403);
    let (status, _, page) = taking("name=aoi&did=did%3Aweb%3Aaoi.example&title=Aoi+AG&through=");
    assert_eq!(status, 200, "{page}");
    let token = page.split("<pre tabindex=\"0\">").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(house.ask("GET", "/p/aoi/v1/offers", token, &Value::Null).0, 200);
    let (status, _, again) = taking("name=aoi&did=did%3Aweb%3Aother.example");
    assert!(status == 409 && again.contains("role=\"alert\"") && again.contains("did:web:other.example"), "{status} {again}");
    for tongue in ["en", "ja"] {
        let (_, _, page) = house.send("GET", &format!("/{tongue}/participants?month=2026-11"), &session, "");
        assert!(page.contains(&format!("href=\"/p/aoi/{tongue}/\"")) && page.contains("Aoi AG"), "{page}");
    }

    // Its pages lead to its pages, and its session is none of the others'.
    let (aois, path) = house.enter("/p/aoi", token);
    assert_eq!(path, "/p/aoi/");
    let flows = |with: &str| house.send("GET", "/p/aoi/en/flows", &format!("cookie: {with}\r\n"), "");
    let (status, _, page) = flows(&aois);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("href=\"/p/aoi/en/check\"") && page.contains("href=\"/p/aoi/style.css"), "{page}");
    assert!(!page.contains("=\"/en/") && !page.contains("=\"/ja/"), "{page}");
    assert_eq!(flows(&cookie).0, 401, "who runs the process does not come in by that");
    assert_eq!(house.send("GET", "/en/participants", &format!("cookie: {aois}\r\n"), "").0, 401);
}

#[test]
fn they_are_there_again_after_a_restart_and_a_name_is_given_once() {
    let (dir, book) = (tempfile::tempdir().unwrap(), law());
    let first = house(dir.path(), &book);
    let token = first.take_in(&book, "aoi", None);
    let newcomer = |name: &str, did: &str| Newcomer {
        name: name.into(),
        did: did.into(),
        title: String::new(),
        through: None,
        accept_drafted: Vec::new(),
        quotas: Quotas::default(),
    };
    for (name, did, code) in [
        ("aoi", "did:web:other.example", "participants/taken"),
        ("other", "did:web:aoi.example", "participants/taken"),
        ("other", "did:web:host.example", "participants/taken"),
        ("../up", "did:web:up.example", "participants/name"),
        ("", "did:web:up.example", "participants/name"),
        ("Up", "did:web:up.example", "participants/name"),
        ("up", "up.example", "participants/did"),
    ] {
        let refused = first.all.add(&newcomer(name, did)).map_err(|e: AddError| e.code());
        assert_eq!(refused.unwrap_err(), code, "{name} {did}");
    }
    offer(&first.all.node("aoi").unwrap(), dir.path());

    // Released, it is not there, and nobody comes in its place; taken in again, it goes on with what it had.
    let gone = first.ask("DELETE", "/v1/participants/aoi", &first.token, &Value::Null);
    assert_eq!(gone, (200, json!({ "name": "aoi", "free": true })));
    assert_eq!(first.ask("GET", "/p/aoi/v1/offers", &token, &Value::Null).0, 404);
    assert_eq!(first.ask("DELETE", "/v1/participants/aoi", &first.token, &Value::Null).0, 404);
    assert_eq!(first.all.add(&newcomer("aoi", "did:web:other.example")).unwrap_err().code(), "participants/taken");
    assert!(first.all.add(&newcomer("aoi", "did:web:aoi.example")).unwrap().is_none(), "it has its tokens");
    assert_eq!(first.ask("GET", "/p/aoi/v1/offers", &token, &Value::Null).1["offers"].as_array().map(Vec::len), Some(1));
    let House { server, all, _runtime: runtime, .. } = first;
    all.stop();
    server.stop();
    // The doors hold the nodes, and these their stores.
    drop((all, runtime));
    let second = house(dir.path(), &book);
    let (status, body) = second.ask("GET", "/p/aoi/v1/offers", &token, &Value::Null);
    assert_eq!((status, body["offers"].as_array().map(Vec::len)), (200, Some(1)), "{body}");
}

#[test]
fn one_of_another_mode_is_not_started_and_stops_nobody() {
    let (dir, book) = (tempfile::tempdir().unwrap(), law());
    let folder = dir.path().join(participants::FOLDER).join("odd");
    std::fs::create_dir_all(&folder).unwrap();
    let odd = Config { participant: "did:web:odd.example".into(), law: Law::default(), ..Config::default() };
    std::fs::write(folder.join("tegata.toml"), odd.render()).unwrap();
    let config = Config {
        mode: Mode::Demo,
        test_identity: true,
        participant: "did:web:host.example".into(),
        directory: dir.path().to_owned(),
        ..Config::default()
    };
    let mut codes = Vec::new();
    let server = node_server::start(config, book.clone(), |host| {
        let nobody = |_: &Arc<Node>| unreachable!("it is refused before its doors are made");
        let (all, failed) = Participants::open(host, book.clone(), Box::new(nobody));
        codes = failed.into_iter().map(|(name, e)| (name, e.code())).collect();
        assert!(all.register().is_empty());
        None
    });
    assert!(server.is_ok());
    assert_eq!(codes, [("odd".to_owned(), "config/demo-only".to_owned())]);
}
