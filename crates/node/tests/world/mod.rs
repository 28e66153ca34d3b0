//! A world in one process: an authority and nodes that reach each other through a carrier of function calls.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use identity::asn1::oid::Oid;
use identity::certificate::{Issuer, Order, Profile, prepare, prepare_crl};
use identity::x509::{AltName, Certificate, Name, Revoked};
use model::transfer::Facts;
use model::{CivilDate, Instant};
use node::act::process::Answered;
use node::act::offer::Offer;
use node::act::provide::Given;
use node::agent::{Caller, Node};
use node::config::{Config, Mode, PeerFacts};
use node::keys::{FileSigner, SealKey};
use node::ports::{Carrier, CarrierError, Clock, MachineClock, Reply, Request, random};
use rulebook::book::{Rulebook, Source};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tlog::checkpoint::Checkpoint;
use tlog::cosignature::{Cosigner, Timestamp};
use tlog::key::{KeyName, VerifierKey};
use tlog::witness::{self, Witness};
use trust::timestamp;

const DAY: i64 = 86_400_000;

/// How long a test waits for what must come.
pub const LONG: Duration = Duration::from_secs(60);

/// Looks until it is there.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = std::time::Instant::now() + LONG;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(std::time::Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn rules() -> Rulebook {
    rules_after(|text| text)
}

/// The rulebook after somebody changed its texts.
pub fn rules_after(change: impl Fn(String) -> String) -> Rulebook {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut sources = Vec::new();
    let mut stack = vec![root.clone()];
    while let Some(dir) = stack.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                stack.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                sources.push(Source { path: name, text: change(fs::read_to_string(&path).unwrap()) });
            }
        }
    }
    Rulebook::parse(sources).0
}

pub struct Authority {
    pub key: SealKey,
    pub certificate: Certificate,
    stamper: (SealKey, Certificate),
    witness: Mutex<(Witness, BTreeMap<String, Checkpoint>, Vec<VerifierKey>)>,
    seed: [u8; 32],
    revoked: Mutex<Vec<Revoked>>,
}

pub fn issue(
    ca: &SealKey,
    root: &Certificate,
    subject: Name,
    key: &SealKey,
    profile: Profile,
) -> Certificate {
    let now = MachineClock.now();
    let order = Order {
        subject,
        key: key.public().unwrap(),
        serial: random().unwrap(),
        not_before: Instant(now.0 - DAY / 2),
        not_after: Instant(now.0 + 30 * DAY),
        profile,
        crl_url: None,
    };
    let draft = prepare(&order, Issuer::Authority(root)).unwrap();
    let signature = ca.sign(draft.to_sign()).unwrap();
    draft.finish(&signature).unwrap()
}

impl Authority {
    pub fn new(dir: &Path) -> Arc<Self> {
        fs::create_dir_all(dir).unwrap();
        let key = SealKey::open_or_make(&dir.join("ca.key")).unwrap();
        let now = MachineClock.now();
        let name =
            Name::new().country("JP").organization("Demo Authority (invented)").common_name("Demo Root");
        let order = Order {
            subject: name.clone(),
            key: key.public().unwrap(),
            serial: random().unwrap(),
            not_before: Instant(now.0 - DAY),
            not_after: Instant(now.0 + 60 * DAY),
            profile: Profile::Authority { path_len: 0 },
            crl_url: None,
        };
        let draft = prepare(&order, Issuer::Itself).unwrap();
        let signature = key.sign(draft.to_sign()).unwrap();
        let certificate = draft.finish(&signature).unwrap();
        let stamping = SealKey::open_or_make(&dir.join("tsa.key")).unwrap();
        let subject =
            Name::new().country("JP").organization("Demo Authority (invented)").common_name("Demo Time");
        let stamper = issue(&key, &certificate, subject, &stamping, Profile::TimeStamping);
        let seed = random().unwrap();
        let cosigner = Cosigner::new(KeyName::parse("authority.example/witness").unwrap(), &seed);
        let witness = Witness::new(cosigner, []).unwrap();
        Arc::new(Self {
            key,
            certificate,
            stamper: (stamping, stamper),
            witness: Mutex::new((witness, BTreeMap::new(), Vec::new())),
            seed,
            revoked: Mutex::default(),
        })
    }

    pub fn witness_key(&self) -> String {
        self.witness.lock().unwrap().0.verifier().to_string()
    }

    pub fn know_log(&self, key: VerifierKey) {
        let mut witness = self.witness.lock().unwrap();
        witness.2.push(key);
        let cosigner = Cosigner::new(KeyName::parse("authority.example/witness").unwrap(), &self.seed);
        witness.0 = Witness::new(cosigner, witness.2.clone()).unwrap();
    }

    pub fn revoke(&self, certificate: &Certificate) {
        let at = MachineClock.now();
        self.revoked.lock().unwrap().push(Revoked {
            serial: certificate.serial().to_vec(),
            at,
            reason: Some(1),
        });
    }

    pub fn answer(&self, path: &str, body: &[u8]) -> Reply {
        let now = MachineClock.now();
        let ok = |body: Vec<u8>| Reply { status: 200, headers: vec![], body };
        match path {
            "/crl.pem" => {
                let revoked = self.revoked.lock().unwrap().clone();
                let draft = prepare_crl(
                    &self.certificate,
                    now.0 as u64,
                    Instant(now.0 - 1_000),
                    Instant(now.0 + DAY),
                    &revoked,
                );
                let draft = draft.unwrap();
                let signature = self.key.sign(draft.to_sign()).unwrap();
                ok(draft.finish(&signature).unwrap().to_pem().into_bytes())
            }
            "/tsa" => {
                let request = timestamp::Request::read(body).unwrap();
                let policy = Oid::from_dotted("2.25.1").unwrap();
                let serial: [u8; 16] = random().unwrap();
                let draft = timestamp::prepare(&request, &self.stamper.1, &policy, &serial, now).unwrap();
                let signature = self.stamper.0.sign(draft.to_sign()).unwrap();
                ok(timestamp::grant(&draft.finish(&signature).unwrap()))
            }
            "/add-checkpoint" => {
                let request = witness::Request::parse(body).unwrap();
                let mut guard = self.witness.lock().unwrap();
                let origin = request.origin().to_string();
                let at = Timestamp::new(now.seconds() as u64).unwrap();
                match guard.0.add_checkpoint(&request, guard.1.get(&origin), at) {
                    Ok(cosigned) => {
                        guard.1.insert(origin, cosigned.state.clone());
                        ok(cosigned.body().into_bytes())
                    }
                    Err(refusal) => {
                        Reply { status: refusal.status(), headers: vec![], body: refusal.body().into_bytes() }
                    }
                }
            }
            _ => Reply { status: 404, ..Reply::default() },
        }
    }
}

/// Reaches nodes by their base address; loses messages or answers when told to.
#[derive(Default)]
pub struct Net {
    nodes: Mutex<BTreeMap<String, Weak<Node>>>,
    authority: Mutex<Option<Arc<Authority>>>,
    pub authority_up: AtomicBool,
    pub lose_one_in: AtomicU64,
    count: AtomicU64,
    /// Chunks that went over the net: (transfer path, number).
    pub chunks: Mutex<Vec<(String, u64)>>,
    /// When the last of them went.
    pub last_chunk: Mutex<Option<std::time::Instant>>,
    pub pause_ms: AtomicU64,
    /// Ends of paths whose messages are refused with 409, once for each time that they stand here.
    pub conflicts: Mutex<Vec<&'static str>>,
}

pub struct Line {
    pub net: Arc<Net>,
    pub from: Caller,
}

impl Net {
    fn node(&self, base: &str) -> Option<Arc<Node>> {
        self.nodes.lock().unwrap().get(base).and_then(Weak::upgrade)
    }

    pub fn join(&self, node: &Arc<Node>) {
        self.nodes.lock().unwrap().insert(node.address().to_owned(), Arc::downgrade(node));
    }

    pub fn leave(&self, address: &str) {
        self.nodes.lock().unwrap().remove(address);
    }
}

impl Carrier for Line {
    fn send(&self, request: Request) -> Result<Reply, CarrierError> {
        let rest = request.url.strip_prefix("https://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        let (base, path) = (format!("https://{host}"), format!("/{path}"));
        let gone = || CarrierError::Unreachable { at: base.clone(), detail: "gone".into() };
        if host == "authority" {
            let authority = self.net.authority.lock().unwrap().clone().unwrap();
            return match self.net.authority_up.load(Ordering::SeqCst) {
                true => Ok(authority.answer(&path, &request.body)),
                false => Err(gone()),
            };
        }
        {
            let mut conflicts = self.net.conflicts.lock().unwrap();
            if let Some(n) = conflicts.iter().position(|end| path.ends_with(end)) {
                conflicts.remove(n);
                return Ok(Reply { status: 409, ..Reply::default() });
            }
        }
        let one_in = self.net.lose_one_in.load(Ordering::SeqCst);
        let turn = self.net.count.fetch_add(1, Ordering::SeqCst);
        let lost = one_in > 0 && turn % one_in == 0;
        if lost && turn % 2 == 0 {
            return Err(gone());
        }
        let node = self.net.node(&base).ok_or_else(gone)?;
        let reply = serve(&node, &self.from, &request, &path, &self.net);
        match lost {
            true => Err(CarrierError::Slow { at: base, ms: 1 }),
            false => Ok(reply),
        }
    }
}

fn plain(answered: Answered) -> Reply {
    Reply { status: answered.status, headers: vec![], body: answered.body }
}

fn given(given: Given) -> Reply {
    match given {
        Given::Chunk(piece) => Reply {
            status: 200,
            headers: vec![
                ("tegata-chunk".into(), piece.chunk().id.to_string()),
                ("tegata-rows".into(), piece.chunk().rows.to_string()),
            ],
            body: piece.bytes().to_vec(),
        },
        Given::End => Reply { status: 204, ..Reply::default() },
        Given::Stopped(s) => Reply { status: 410, headers: vec![], body: s.says.into_bytes() },
        Given::Refused { status, says, .. } => Reply { status, headers: vec![], body: says.into_bytes() },
    }
}

fn decode(segment: &str) -> String {
    segment.replace("%3A", ":").replace("%2F", "/")
}

fn serve(node: &Arc<Node>, from: &Caller, request: &Request, path: &str, net: &Net) -> Reply {
    if let Err(stopped) = node.admit(from) {
        return Reply { status: 403, headers: vec![], body: stopped.says.into_bytes() };
    }
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let token = request
        .headers
        .iter()
        .find(|(n, _)| n == "authorization")
        .map(|(_, v)| v.trim_start_matches("Bearer ").to_owned());
    let token = token.unwrap_or_default();
    match parts.as_slice() {
        ["dsp", "catalog", "request"] => Reply {
            status: 200,
            headers: vec![],
            body: node.catalog(&from.id).unwrap().to_value().to_string().into_bytes(),
        },
        ["dsp", "tegata", "duties"] => {
            let notice = serde_json::from_slice(&request.body).unwrap();
            let status = if node.hear_duty(from, &notice).is_ok() { 204 } else { 404 };
            Reply { status, ..Reply::default() }
        }
        ["dsp", "negotiations", "request" | "offers"] => {
            plain(node.receive_negotiation(from, None, &request.body))
        }
        ["dsp", "negotiations", pid] => plain(node.tell_negotiation(from, &decode(pid))),
        ["dsp", "negotiations", pid, ..] => {
            plain(node.receive_negotiation(from, Some(&decode(pid)), &request.body))
        }
        ["dsp", "transfers", "request"] => plain(node.receive_transfer(from, None, &request.body)),
        ["dsp", "transfers", pid] => plain(node.tell_transfer(from, &decode(pid))),
        ["dsp", "transfers", pid, ..] => {
            plain(node.receive_transfer(from, Some(&decode(pid)), &request.body))
        }
        ["data", pid, "manifest"] => match node.give_evidence(from, &decode(pid), &token) {
            Ok(handover) => {
                Reply { status: 200, headers: vec![], body: serde_json::to_vec(&handover).unwrap() }
            }
            Err(g) => given(g),
        },
        ["data", pid, "receipt"] => {
            match node.take_receipt(from, &decode(pid), &token, &String::from_utf8_lossy(&request.body)) {
                Ok(()) => Reply { status: 204, ..Reply::default() },
                Err(g) => given(g),
            }
        }
        ["data", pid, n] => {
            let pause = net.pause_ms.load(Ordering::SeqCst);
            if pause > 0 {
                std::thread::sleep(std::time::Duration::from_millis(pause));
            }
            let number = n.parse().unwrap();
            let reply = given(node.give_chunk(from, &decode(pid), number, &token));
            if reply.status == 200 {
                net.chunks.lock().unwrap().push((decode(pid), number));
                *net.last_chunk.lock().unwrap() = Some(std::time::Instant::now());
            }
            reply
        }
        _ => Reply { status: 404, ..Reply::default() },
    }
}

/// The wall clock of the nodes: that of the machine, moved forward.
#[derive(Debug, Default)]
pub struct Wall(AtomicI64);

impl Clock for Wall {
    fn now(&self) -> Instant {
        Instant(MachineClock.now().0 + self.0.load(Ordering::SeqCst))
    }
}

impl Wall {
    pub fn wall(&self) -> Instant {
        self.now()
    }

    /// Lets time pass for every node.
    pub fn forward(&self, by: std::time::Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

pub struct World {
    pub clock: Arc<Wall>,
    pub dir: tempfile::TempDir,
    pub net: Arc<Net>,
    pub authority: Arc<Authority>,
}

pub struct Party {
    pub id: String,
    pub config: Config,
    pub caller: Caller,
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new(&dir.path().join("authority"));
        let net = Arc::new(Net::default());
        *net.authority.lock().unwrap() = Some(authority.clone());
        net.authority_up.store(true, Ordering::SeqCst);
        Self { clock: Arc::default(), dir, net, authority }
    }

    /// Makes directory, keys and certificates of a party.
    pub fn party(&self, name: &str, country: &str, organization_id: &str) -> Party {
        let dir = self.dir.path().join(name);
        fs::create_dir_all(&dir).unwrap();
        let id = format!("did:web:{name}.example");
        let config = Config {
            mode: Mode::Demo,
            participant: id.clone(),
            directory: dir.clone(),
            chunk_bytes: 1000,
            legal_day: Some("2020-07-15".parse().unwrap()),
            authority: node::config::Authority {
                revocation_list: Some("https://authority/crl.pem".into()),
                time_stamp: Some("https://authority/tsa".into()),
                witness: Some("https://authority".into()),
                witness_key: Some(self.authority.witness_key()),
            },
            ..Config::default()
        };
        fs::write(dir.join("anchors.pem"), self.authority.certificate.to_pem()).unwrap();
        let subject = || {
            Name::new()
                .country(country)
                .organization(name)
                .organization_identifier(organization_id)
                .common_name(name)
        };
        let seal = SealKey::open_or_make(&dir.join("seal.key")).unwrap();
        let names = vec![AltName::Uri(id.clone())];
        let ca = (&self.authority.key, &self.authority.certificate);
        let sealing = issue(ca.0, ca.1, subject(), &seal, Profile::Seal { names: names.clone() });
        fs::write(dir.join("seal.pem"), sealing.to_pem()).unwrap();
        let tls = SealKey::open_or_make(&dir.join("tls.key")).unwrap();
        let certificate = issue(ca.0, ca.1, subject(), &tls, Profile::Node { names });
        fs::write(dir.join("tls.pem"), certificate.to_pem()).unwrap();
        Party { id, config, caller: Caller::of(certificate).unwrap() }
    }

    /// Starts a node; started again in the same directory it goes on where it was.
    pub fn start(&self, party: &Party) -> Arc<Node> {
        self.start_by(party, rules())
    }

    /// Starts a node that decides by this rulebook.
    pub fn start_by(&self, party: &Party, book: Rulebook) -> Arc<Node> {
        let dir = &party.config.directory;
        let signer = FileSigner::open(
            &dir.join("seal.pem"),
            &dir.join("seal.key"),
            &party.config.log_origin(),
            &dir.join("log.seed"),
        )
        .unwrap();
        self.authority.know_log(node::ports::Signer::log(&signer).verifier().clone());
        let line = Line { net: self.net.clone(), from: party.caller.clone() };
        let address = format!("https://{}", party.id.trim_start_matches("did:web:"));
        let node = Node::start(
            party.config.clone(),
            &address,
            book,
            Arc::new(line),
            Arc::new(signer),
            self.clock.clone(),
        )
        .unwrap();
        self.net.join(&node);
        node.run().unwrap();
        node
    }

    /// Stops a node and waits until its directory is free.
    pub fn end(&self, node: Arc<Node>) {
        self.net.leave(node.address());
        node.stop();
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let weak = Arc::downgrade(&node);
        drop(node);
        while weak.upgrade().is_some() {
            assert!(std::time::Instant::now() < end, "the threads of a node do not end");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

fn facts(lines: &[(&str, &str)]) -> Facts {
    lines.iter().map(|(id, json)| ((*id).to_owned(), serde_json::from_str(json).unwrap())).collect()
}

/// A table of customers in Germany, about whom everything is said that the law asks.
pub fn offer(source: PathBuf) -> Offer {
    Offer {
        dataset: "urn:dataset:customers".into(),
        title: "Customers (invented)".into(),
        source,
        facts: facts(&[
            ("exporter.place", "\"DE\""),
            ("exporter.person", "\"company\""),
            ("exporter.capacity", "[\"controller\"]"),
            ("exporter.sector", "[\"retail\"]"),
            ("exporter.targets", "[\"DE\"]"),
            ("hop.separate_person", "true"),
            ("hop.mode", "[\"send_copy\"]"),
            ("hop.regularity", "\"systematic\""),
            ("hop.need", "[\"none\"]"),
            ("hop.foreign_authority_asks", "false"),
            ("hop.recipient_sees_clear", "true"),
            ("data.about_people", "true"),
            ("data.identifiable_for_exporter", "\"identified\""),
            ("data.identifiable_for_recipient", "\"identified\""),
            ("data.categories", "[\"contact\"]"),
            ("data.structured", "true"),
            ("data.official_class", "[]"),
            ("data.received_from", "[\"own\"]"),
            ("subjects.located_in", "[\"DE\"]"),
            ("subjects.employees", "false"),
        ]),
        plan: None,
        release: None,
        meter: Vec::new(),
        handling: Default::default(),
        plane: None,
        terms: None,
        access: None,
    }
}

/// A company in the United States on the Privacy Shield list.
pub fn listed(id: &str) -> PeerFacts {
    PeerFacts {
        id: id.into(),
        facts: facts(&[
            ("recipient.place", "\"US\""),
            ("recipient.person", "\"company\""),
            ("recipient.capacity", "[\"processor\"]"),
            ("recipient.listed", "[\"us_privacy_shield\"]"),
            ("recipient.subject_to", "[]"),
        ]),
        ..PeerFacts::default()
    }
}

pub fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}
