//! Data Plane Signaling between programs of ours that know each other as strangers: a provider and a consumer, each with a
//! control plane and a data plane of its own, four nodes. The bytes go from data plane to data plane; the law is asked by the
//! provider's control plane and again by its data plane.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod port;

use dsp::machine::Role as Part;
use dsp::message::terms::Terms;
use dsp::message::transfer::DataAddress;
use dsp::signaling::flow::State as FlowState;
use dsp::signaling::http;
use dsp::signaling::message::{ControlRegistration, PlaneRegistration};
use dsp::transfer::State as Process;
use model::transfer::Facts;
use node::act::offer::{Handling, Offer};
use node::act::operate::{Concluded, TransferAct, TransferWish};
use node::agent::Node;
use node::config::{Claims, Config, Law, Mode, PeerFacts, Proof, Signaling};
use node::desk::Desk;
use node::ports::{Carrier, Reply, Request};
use port::free_port;
use rulebook::book::{Rulebook, Source};
use serde_json::{Value, json};
use server::carrier::reach::Reach;
use server::carrier::{Terms as CarrierTerms, TlsCarrier};
use server::node_server::{NodeServer, start};
use server::people::principal::{Doorkeeper, Principal, Role};
use server::people::{self, State};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

const DATASET: &str = "urn:dataset:stations";
const AGREEMENT: &str = "urn:agreement:1";

/// The rules of the whole repository, read once for all nodes.
fn rules() -> Rulebook {
    static RULES: OnceLock<Rulebook> = OnceLock::new();
    let read = || {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
        let (mut sources, mut open) = (Vec::new(), vec![root.clone()]);
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                match path.is_dir() {
                    true if name != "cases" => open.push(path),
                    false if name.ends_with(".md") => {
                        sources.push(Source { path: name, text: std::fs::read_to_string(&path).unwrap() });
                    }
                    _ => {}
                }
            }
        }
        Rulebook::parse(sources).0
    };
    RULES.get_or_init(read).clone()
}

/// Data about no person, told to its end, so that the law lets it go between companies in Germany.
fn giver() -> Facts {
    let text = json!({
        "exporter.place": "DE", "exporter.person": "company", "exporter.capacity": ["controller"],
        "exporter.sector": ["retail"], "exporter.targets": ["DE"], "hop.separate_person": true,
        "hop.mode": ["send_copy"], "hop.regularity": "systematic", "hop.need": ["none"],
        "hop.foreign_authority_asks": false, "hop.recipient_sees_clear": true, "data.about_people": false,
        "data.identifiable_for_exporter": "not_reasonably", "data.identifiable_for_recipient": "not_reasonably",
        "data.categories": [], "data.structured": true, "data.official_class": [], "data.received_from": ["own"],
        "subjects.located_in": ["DE"], "subjects.employees": false,
    });
    serde_json::from_value(text).unwrap()
}

fn taker(place: &str) -> Facts {
    let text = json!({
        "recipient.place": place, "recipient.person": "company", "recipient.capacity": ["controller"],
        "recipient.listed": [], "recipient.subject_to": [],
    });
    serde_json::from_value(text).unwrap()
}

struct Keeper(Arc<Desk>);

impl Doorkeeper for Keeper {
    fn admit(&self, secret: &str) -> Option<Principal> {
        let holder = self.0.admit(secret)?;
        let role = if holder.role == "plane" { Role::Plane } else { Role::Admin };
        Some(Principal { participant: self.0.participant().into(), token: holder.token, role })
    }

    fn still(&self, token: &str) -> bool {
        self.0.still(token)
    }
}

/// One program: a node, and its `/v1` with a token for the other plane.
struct Program {
    server: NodeServer,
    desk: Arc<Desk>,
    base: String,
    dir: PathBuf,
}

impl Program {
    /// `other` names the plane whose token will lie in the file of that name.
    fn start(runtime: &tokio::runtime::Runtime, root: &Path, name: &str, did: &str, port: u16, token_s: u64) -> Program {
        let dir = root.join(name);
        // The keys of the DID lie at the data plane, which renews; control planes here are who they say.
        let peers = if name.ends_with("data") { Proof::Either } else { Proof::Certificate };
        let tokens = ["control", "data"].map(|other| (other.to_owned(), PathBuf::from(format!("{other}.token"))));
        let config = Config {
            mode: Mode::Demo,
            test_identity: true,
            participant: did.to_owned(),
            directory: dir.clone(),
            listen: format!("127.0.0.1:{port}"),
            law: Law { accept_drafted: rules().layers.keys().cloned().collect(), ..Law::default() },
            claims: Claims { peers, ..Claims::default() },
            signaling: Signaling { token_s, tokens: tokens.into(), ..Signaling::default() },
            chunk_bytes: 1_000,
            ..Config::default()
        };
        let server = start(config, rules(), |_| None).unwrap();
        let desk = Arc::new(Desk::of(server.node()));
        let state = State::new(rules(), people::Mode::Production, Keeper(desk.clone())).with_node(server.node().clone());
        let door = runtime.block_on(people::bind(([127, 0, 0, 1], 0).into(), state)).unwrap();
        let base = format!("http://{}/v1/signaling", door.address());
        runtime.spawn(door.serve(std::future::pending()));
        Program { server, desk, base, dir }
    }

    fn node(&self) -> &Arc<Node> {
        self.server.node()
    }

    /// Lets a plane of another program in, which finds its token where its configuration says.
    fn let_in(&self, id: &str, other: &Program, as_named: &str) {
        let secret = self.desk.token_of_role(id, "plane").unwrap();
        std::fs::write(other.dir.join(format!("{as_named}.token")), secret).unwrap();
    }
}

/// A provider and a consumer with two programs each.
struct Space {
    _runtime: tokio::runtime::Runtime,
    dir: tempfile::TempDir,
    provider: [Program; 2],
    consumer: [Program; 2],
    data: Vec<u8>,
}

const CONTROL: usize = 0;
const DATA: usize = 1;

impl Space {
    fn new(profile: &str, token_s: u64) -> Space {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let ports = [free_port(), free_port(), free_port(), free_port()];
        // A participant's DID document lies at one of its two programs: at its data plane, which renews tokens.
        let did = |n: usize| format!("did:web:localhost%3A{}", ports[n]);
        let (giver_did, taker_did) = (did(1), did(3));
        let program = |name: &str, did: &str, n: usize| Program::start(&runtime, dir.path(), name, did, ports[n], token_s);
        let provider = [program("p-control", &giver_did, 0), program("p-data", &giver_did, 1)];
        let consumer = [program("c-control", &taker_did, 2), program("c-data", &taker_did, 3)];
        let data: Vec<u8> = (0..700).flat_map(|n| format!("station,{n}\n").into_bytes()).collect();
        let source = dir.path().join("stations.csv");
        std::fs::write(&source, &data).unwrap();
        for side in [&provider, &consumer] {
            side[DATA].let_in("control", &side[CONTROL], "data");
            side[CONTROL].let_in("data", &side[DATA], "control");
            let endpoint = side[DATA].base.clone();
            let plane = PlaneRegistration {
                dataplane_id: "data".into(),
                endpoint,
                profiles: vec![profile.to_owned()],
                authorization: None,
                labels: Vec::new(),
            };
            side[CONTROL].node().register_data_plane(plane).unwrap();
            let endpoint = side[CONTROL].base.clone();
            let control = ControlRegistration { controlplane_id: "control".into(), endpoint, authorization: None };
            side[DATA].node().register_control_plane(control).unwrap();
        }
        for (n, plane) in [(CONTROL, Some("data".to_owned())), (DATA, None)] {
            let offer = Offer {
                dataset: DATASET.into(),
                title: "Stations".into(),
                source: source.clone(),
                facts: giver(),
                plan: None,
                release: None,
                meter: Vec::new(),
                handling: Default::default(),
                plane,
                terms: None,
                access: None,
            };
            provider[n].node().know_peer(&PeerFacts { id: taker_did.clone(), facts: taker("DE"), ..Default::default() }).unwrap();
            provider[n].node().offer(&offer).unwrap();
        }
        let agreement = json!({ "@id": AGREEMENT, "@type": "Agreement", "target": DATASET, "assigner": giver_did,
            "assignee": taker_did, "timestamp": "2026-11-22T00:00:00Z", "permission": [{ "action": "use" }] });
        let agreement = Terms::of(agreement.as_object().unwrap().clone());
        let concluded = |role, peer: &str, at: &Program| Concluded {
            role,
            peer: peer.to_owned(),
            address: at.node().protocol_address(),
            agreement: agreement.clone(),
        };
        // The provider's data plane holds no agreement: its control plane shows it.
        provider[CONTROL].node().record_agreement(concluded(Part::Provider, &taker_did, &consumer[CONTROL])).unwrap();
        consumer[CONTROL].node().record_agreement(concluded(Part::Consumer, &giver_did, &provider[CONTROL])).unwrap();
        Space { _runtime: runtime, dir, provider, consumer, data }
    }

    fn ask(&self, profile: &str) -> String {
        let wish = TransferWish {
            agreement: AGREEMENT.into(),
            peer: None,
            address: None,
            format: profile.to_owned(),
            push_to: None,
            handling: Handling::Automatic,
            plane: Some("data".into()),
        };
        self.consumer[CONTROL].node().open_transfer(wish).unwrap()
    }

    fn state(&self, pid: &str) -> Option<Process> {
        self.consumer[CONTROL].node().transfer(pid).unwrap().map(|t| t.state())
    }

    /// The one flow that a data plane carries.
    fn flow(&self, side: &[Program; 2]) -> Option<node::act::dataflow::by_hand::DataflowView> {
        side[DATA].node().dataflows().unwrap().into_iter().next()
    }

    fn received(&self) -> Vec<u8> {
        let flow = self.flow(&self.consumer).unwrap();
        let plain: String = flow.id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        std::fs::read(self.consumer[DATA].dir.join("received").join(plain).join("data")).unwrap()
    }

    fn carrier(&self) -> TlsCarrier {
        let anchors = self.consumer[CONTROL].dir.join("anchors.pem");
        TlsCarrier::open(CarrierTerms::new(anchors).reaching(Reach::Anywhere).clear_on_loopback()).unwrap()
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

fn ends_together(space: &Space, pid: &str, process: Process, flow: FlowState) {
    until("the end of the process", || (space.state(pid) == Some(process)).then_some(()));
    for side in [&space.provider, &space.consumer] {
        until("the end of the flow", || space.flow(side).filter(|f| f.state == flow && f.untold == 0).map(drop));
    }
    let theirs = space.provider[CONTROL].node().transfers().unwrap();
    assert_eq!(theirs.iter().map(|t| t.state()).collect::<Vec<_>>(), [process]);
}

#[test]
fn a_pull_goes_from_data_plane_to_data_plane_and_everybody_hears_of_its_end() {
    let space = Space::new(http::PULL, 300);
    let pid = space.ask(http::PULL);
    ends_together(&space, &pid, Process::Completed, FlowState::Completed);
    assert_eq!(space.received(), space.data);
    let given = space.flow(&space.provider).unwrap();
    assert_eq!((given.role, given.agreement.as_str(), given.process.as_str()), (Part::Provider, AGREEMENT, given.process.as_str()));
    // The provider's data plane has its own evidence: what it cleared and what went.
    let events = space.provider[DATA].node().events(&given.id).unwrap();
    let kinds: Vec<String> = events.iter().map(|(_, e)| format!("{:?}", e.kind)).collect();
    assert!(["Decided", "PassIssued", "ManifestCommitted"].iter().all(|k| kinds.iter().any(|has| has == k)), "{kinds:?}");
}

#[test]
fn a_push_is_delivered_where_the_consumers_data_plane_said() {
    let space = Space::new(http::PUSH, 300);
    let pid = space.ask(http::PUSH);
    ends_together(&space, &pid, Process::Completed, FlowState::Completed);
    assert_eq!(space.received(), space.data);
}

#[test]
fn access_that_is_over_is_renewed_by_the_client_alone() {
    // Each token is over at once: the data plane of the consumer renews before it pulls, and is then too late again.
    let space = Space::new(http::PULL, 1);
    space.ask(http::PULL);
    until("the data", || space.flow(&space.consumer).filter(|f| f.state == FlowState::Completed).map(drop));
    assert_eq!(space.received(), space.data);
    let transfer = space.provider[CONTROL].node().transfers().unwrap().remove(0);
    let address: DataAddress = transfer.address().unwrap().clone();
    let get = |token: &str| {
        let request = Request::get(address.endpoint.clone().unwrap()).with("authorization", format!("Bearer {token}"));
        space.carrier().send(request).unwrap()
    };
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(get(address.property("authorization").unwrap()).status, 401, "a token that is over");
    let renew = |by: &Program, refresh: &str| -> Reply {
        let token = by.node().self_issued(space.provider[DATA].node().id(), &[]).unwrap();
        let form = format!("grant_type=refresh_token&refresh_token={refresh}").into_bytes();
        let request = Request::post(address.property("refreshEndpoint").unwrap(), "application/x-www-form-urlencoded", form);
        space.carrier().send(request.with("authorization", format!("Bearer {token}"))).unwrap()
    };
    let refresh = address.property("refreshToken").unwrap();
    let stranger = renew(&space.provider[DATA], refresh);
    assert_eq!((stranger.status, error_of(&stranger).as_str()), (400, "invalid_grant"), "bound to the consumer");
    let unbound = renew(&space.consumer[DATA], refresh);
    assert_eq!(error_of(&unbound), "invalid_grant", "the client does not show the access token that goes with it");
    let anonymous = space.carrier().send(Request::post(address.property("refreshEndpoint").unwrap(), "application/x-www-form-urlencoded", Vec::new())).unwrap();
    assert_eq!((anonymous.status, error_of(&anonymous).as_str()), (401, "invalid_client"));
}

fn error_of(reply: &Reply) -> String {
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    body["error"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_plane_that_nobody_registered_takes_nothing_and_a_source_that_is_gone_ends_the_transfer() {
    let space = Space::new(http::PULL, 300);
    let consumer = space.consumer[CONTROL].node();
    space.consumer[DATA].node().forget_plane("control", "control").unwrap();
    let refused = space.ask(http::PULL);
    let why = until("the refusal", || consumer.plane_standing(&refused).unwrap().refused);
    assert!(why.contains("dps/not-registered"), "{why}");
    // No transfer is asked for that nobody would receive.
    assert_eq!(space.state(&refused), None);
    assert!(space.provider[CONTROL].node().transfers().unwrap().is_empty());
    let endpoint = space.consumer[CONTROL].base.clone();
    let control = ControlRegistration { controlplane_id: "control".into(), endpoint, authorization: None };
    space.consumer[DATA].node().register_control_plane(control).unwrap();
    std::fs::remove_file(space.dir.path().join("stations.csv")).unwrap();
    let pid = space.ask(http::PULL);
    until("the end", || (space.state(&pid) == Some(Process::Terminated)).then_some(()));
    let transfer = space.provider[CONTROL].node().transfers().unwrap().remove(0);
    assert_eq!(transfer.grounds().code.as_deref(), Some("dps/refused"));
    until("the end of the prepared flow", || space.flow(&space.consumer).filter(|f| f.state == FlowState::Terminated).map(drop));
}

#[test]
fn what_is_suspended_gives_no_byte_and_goes_on_at_a_new_address() {
    let space = Space::new(http::PULL, 300);
    let (control, data) = (space.provider[CONTROL].node(), space.provider[DATA].node());
    // The consumer has no data plane here: this test is the client.
    let wish = TransferWish {
        agreement: AGREEMENT.into(),
        peer: None,
        address: None,
        format: http::PULL.into(),
        push_to: None,
        handling: Handling::Manual,
        plane: None,
    };
    let pid = space.consumer[CONTROL].node().open_transfer(wish).unwrap();
    until("the start", || (space.state(&pid) == Some(Process::Started)).then_some(()));
    let theirs = control.transfers().unwrap().remove(0).process().own_pid.clone();
    let address = |differs: Option<&DataAddress>| {
        let transfer = space.consumer[CONTROL].node().transfer(&pid).unwrap().unwrap();
        transfer.address().cloned().filter(|a| Some(a) != differs)
    };
    let get = |address: &DataAddress| {
        let bearer = format!("Bearer {}", address.property("authorization").unwrap());
        let request = Request::get(address.endpoint.clone().unwrap()).with("authorization", bearer);
        space.carrier().send(request).unwrap()
    };
    let first = until("the address", || address(None));
    let act = |act: TransferAct| {
        until("our own message to be answered", || control.act_in_transfer(&theirs, &act).ok().map(drop));
    };
    let mut known = first.clone();
    // Several times: whether the data plane or the consumer answers first is chance.
    for _ in 0..4 {
        act(TransferAct::Suspend(Default::default()));
        until("the flow to stand", || space.flow(&space.provider).filter(|f| f.state == FlowState::Suspended).map(drop));
        assert_eq!(get(&known).status, 409);
        // A data plane of others is no party: what it does not hold it does not move.
        assert!(data.dataflow_status("somebody", &space.flow(&space.provider).unwrap().id).is_err());
        act(TransferAct::Start);
        known = until("the new address", || address(Some(&known)));
    }
    assert_eq!(get(&first).status, 401, "the first token is dead");
    assert_eq!(get(&known).body, space.data);
}

#[test]
fn a_recipient_that_the_law_does_not_open_gets_no_flow_though_the_control_plane_asks() {
    let space = Space::new(http::PULL, 300);
    let provider = space.provider[DATA].node();
    // The data plane knows what the control plane does not: the stations are people's, and nobody says where they go.
    let mut offer = provider.offer_of(DATASET).unwrap().unwrap();
    let people = json!({ "data.about_people": true, "data.identifiable_for_exporter": "identified",
        "data.identifiable_for_recipient": "identified", "data.categories": ["contact"] });
    offer.facts.extend(serde_json::from_value::<Facts>(people).unwrap());
    provider.offer(&offer).unwrap();
    provider.know_peer(&PeerFacts { id: space.consumer[DATA].node().id().to_owned(), facts: Facts::new(), ..Default::default() }).unwrap();
    let pid = space.ask(http::PULL);
    until("the end", || (space.state(&pid) == Some(Process::Terminated)).then_some(()));
    let transfer = space.provider[CONTROL].node().transfers().unwrap().remove(0);
    assert_eq!(transfer.grounds().code.as_deref(), Some("dps/refused"));
    assert!(provider.dataflows().unwrap().is_empty());
}
