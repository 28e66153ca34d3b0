//! Three processes and how to lead them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

pub mod disk;
pub mod party;
pub mod proxy;

use crate::port::free_port;
use disk::{Dice, Disk};
use proxy::Proxy;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

pub const LONG: Duration = Duration::from_secs(120);

pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LONG;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

struct Party {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    address: String,
}

impl Drop for Party {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a scene is set up.
#[derive(Clone, Copy)]
pub struct Stage {
    pub n_rows: usize,
    pub chunk_bytes: u64,
    /// Whether a proxy stands between the nodes and counts.
    pub proxied: bool,
    /// Whether the nodes write on a disk that forgets what was not synced.
    pub faulty: bool,
    pub seed: u64,
    /// How long flows go on without a revocation list, when not as long as usual.
    pub grace_ms: Option<u64>,
    /// How many chunks may be on their way.
    pub window: u64,
}

impl Stage {
    pub fn plain(n_rows: usize, chunk_bytes: u64) -> Self {
        Self { n_rows, chunk_bytes, proxied: false, faulty: false, seed: 1, grace_ms: None, window: 1 }
    }
}

pub struct Scene {
    pub dir: tempfile::TempDir,
    pub data: Vec<u8>,
    pub deaths: u32,
    pub proxy: Option<Proxy>,
    pub dice: Dice,
    /// Places at which a process dies in its next lives, one each.
    pub places: BTreeMap<String, VecDeque<String>>,
    /// Where processes died that were told to.
    pub died: Vec<(String, String)>,
    pub starts: BTreeMap<String, u64>,
    pub disks: BTreeMap<String, Disk>,
    parties: BTreeMap<String, Party>,
    armed: BTreeMap<String, String>,
    known: BTreeSet<String>,
}

const DATASET: &str = "urn:dataset:customers";

fn spawn(kind: &str, dir: &Path, crash: Option<&str>, disk: Option<&mut Disk>) -> Option<Party> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "a_party", "--nocapture"])
        .env("TEGATA_TEST_PARTY", kind)
        .env("TEGATA_TEST_DIRECTORY", dir);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some(disk) = disk {
        disk.put_under(&mut command);
    }
    match crash {
        Some(place) => command.env("TEGATA_CRASH", place),
        None => command.env_remove("TEGATA_CRASH"),
    };
    let mut child = command.spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    let stdout = child.stdout.take().unwrap();
    let (tell, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok).filter(|l| l.starts_with('{')) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    let first = lines.recv_timeout(LONG);
    let mut party = Party { child, stdin, lines, address: String::new() };
    let ready: Value = serde_json::from_str(&first.ok()?).unwrap();
    party.address = ready["ready"].as_str().unwrap().to_owned();
    Some(party)
}

impl Scene {
    pub fn new(n_rows: usize, chunk_bytes: u64) -> Self {
        Self::on(Stage::plain(n_rows, chunk_bytes))
    }

    /// Three processes.
    pub fn on(stage: Stage) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data: Vec<u8> = (0..stage.n_rows).flat_map(|i| format!("{i},customer {i}\n").into_bytes()).collect();
        fs::write(dir.path().join("customers.csv"), &data).unwrap();
        let mut scene = Self {
            dir,
            data,
            deaths: 0,
            proxy: None,
            dice: Dice(stage.seed),
            places: BTreeMap::new(),
            died: Vec::new(),
            starts: BTreeMap::new(),
            disks: BTreeMap::new(),
            parties: BTreeMap::new(),
            armed: BTreeMap::new(),
            known: BTreeSet::new(),
        };
        let place = scene.dir.path().join("authority");
        scene.parties.insert("authority".into(), spawn("authority", &place, None, None).unwrap());
        let between = stage.proxied.then(Proxy::bind);
        let nord_port = free_port();
        for (name, country, organization) in
            [("nord", "DE", "VATDE-000000001"), ("kita", "US", "NTRUS-0000002")]
        {
            let port = if name == "nord" { nord_port } else { free_port() };
            let address = between.as_ref().filter(|_| name == "nord").map(|(_, url)| url.clone());
            let enroll = json!({
                "do": "enroll",
                "dir": scene.dir.path().join(name),
                "id": format!("did:web:{name}.example"),
                "name": name,
                "country": country,
                "organization": organization,
                "listen": format!("127.0.0.1:{port}"),
                "address": address,
                "chunk_bytes": stage.chunk_bytes,
                "day": "2020-07-15",
                "grace_ms": stage.grace_ms,
                "window": stage.window,
            });
            scene.ask("authority", &enroll).unwrap();
        }
        if let Some((listener, _)) = between {
            let to = std::net::SocketAddr::from(([127, 0, 0, 1], nord_port));
            let (sender, receiver) = (scene.dir.path().join("nord"), scene.dir.path().join("kita"));
            scene.proxy = Some(Proxy::start(listener, to, &sender, &receiver));
        }
        if stage.faulty {
            let shim = disk::compile(scene.dir.path());
            for name in ["nord", "kita"] {
                let disk = Disk::new(&scene.dir.path().join(name), &shim);
                scene.disks.insert(name.into(), disk);
            }
        }
        for name in ["nord", "kita"] {
            scene.start(name);
        }
        scene.offer();
        scene
    }

    /// Starts a node, again if it dies while it starts; it dies at the next of its places, if there is one.
    pub fn start(&mut self, who: &str) {
        let place = self.dir.path().join(who);
        loop {
            let crash = self.places.get_mut(who).and_then(VecDeque::pop_front);
            *self.starts.entry(who.into()).or_default() += 1;
            match spawn("node", &place, crash.as_deref(), self.disks.get_mut(who)) {
                Some(party) => {
                    self.parties.insert(who.to_owned(), party);
                    self.armed.extend(crash.map(|c| (who.to_owned(), c)));
                    return;
                }
                None => {
                    assert!(crash.is_some(), "{who} does not start");
                    self.died.extend(crash.map(|c| (who.to_owned(), c)));
                    self.dead(who);
                }
            }
        }
    }

    /// After a death: the disk forgets.
    fn dead(&mut self, who: &str) {
        self.deaths += 1;
        if let Some(disk) = self.disks.get_mut(who) {
            disk.lose_power(&mut self.dice);
        }
    }

    /// Kills a node, on Unix with SIGKILL, and starts it again.
    pub fn kill(&mut self, who: &str) {
        self.parties.remove(who);
        self.armed.remove(who);
        self.dead(who);
        self.start(who);
    }

    /// Ends a process for good.
    pub fn end(&mut self, who: &str) {
        self.parties.remove(who);
    }

    /// Whether a node waits to die at a place.
    pub fn is_armed(&self, who: &str) -> bool {
        self.armed.contains_key(who)
    }

    fn offer(&mut self) {
        let peer = json!({ "id": "did:web:kita.example", "facts": {
            "recipient.place": "US", "recipient.person": "company", "recipient.capacity": ["processor"],
            "recipient.listed": ["us_privacy_shield"], "recipient.subject_to": [] } });
        self.insist("nord", &json!({ "do": "know", "peer": peer }));
        let source = self.dir.path().join("customers.csv");
        self.offer_as(DATASET, &source, None);
    }

    /// Offers a file, as it is or through a plan.
    pub fn offer_as(&mut self, dataset: &str, source: &Path, plan: Option<&str>) {
        let mut offer = json!({ "dataset": dataset, "title": "Customers (invented)", "source": source, "facts": {
            "exporter.place": "DE", "exporter.person": "company", "exporter.capacity": ["controller"],
            "exporter.sector": ["retail"], "exporter.targets": ["DE"], "hop.separate_person": true,
            "hop.mode": ["send_copy"], "hop.regularity": "systematic", "hop.need": ["none"],
            "hop.foreign_authority_asks": false, "hop.recipient_sees_clear": true, "data.about_people": true,
            "data.identifiable_for_exporter": "identified", "data.identifiable_for_recipient": "identified",
            "data.categories": ["contact"], "data.structured": true, "data.official_class": [],
            "data.received_from": ["own"], "subjects.located_in": ["DE"], "subjects.employees": false } });
        if let Some(plan) = plan {
            offer["plan"] = plan.into();
        }
        self.insist("nord", &json!({ "do": "offer", "offer": offer }));
    }

    /// The process number of a party.
    pub fn pid(&self, who: &str) -> u32 {
        self.parties[who].child.id()
    }

    /// Where a node is reached.
    pub fn address(&self, who: &str) -> &str {
        &self.parties[who].address
    }

    /// Asks a process; none if it died.
    fn try_ask(&mut self, who: &str, command: &Value) -> Option<Result<Value, String>> {
        let party = self.parties.get_mut(who)?;
        writeln!(party.stdin, "{command}").ok()?;
        party.stdin.flush().ok()?;
        let line = party.lines.recv_timeout(LONG).ok()?;
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        Some(match answer.get("error").and_then(Value::as_str) {
            Some(why) => Err(why.to_owned()),
            None => Ok(answer["ok"].take()),
        })
    }

    /// Asks a process, which starts again if it died meanwhile.
    pub fn ask(&mut self, who: &str, command: &Value) -> Result<Value, String> {
        loop {
            if let Some(answer) = self.try_ask(who, command) {
                return answer;
            }
            assert_ne!(who, "authority", "the authority died");
            let armed = self.armed.remove(who);
            assert!(armed.is_some(), "{who} died by itself");
            self.died.extend(armed.map(|place| (who.to_owned(), place)));
            self.parties.remove(who);
            self.dead(who);
            self.start(who);
        }
    }

    fn insist(&mut self, who: &str, command: &Value) -> Value {
        until("an answer without an error", || self.ask(who, command).ok())
    }

    /// Where the provider is reached, through the proxy if there is one.
    pub fn provider(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("https://{}/dsp", proxy.at()),
            None => format!("{}/dsp", self.parties["nord"].address),
        }
    }

    /// Asks for the dataset and returns our transfer; a process that dies meanwhile starts again.
    pub fn begin(&mut self) -> String {
        self.begin_of(DATASET)
    }

    /// The same for another dataset.
    pub fn begin_of(&mut self, dataset: &str) -> String {
        let provider = self.provider();
        let mut asked = false;
        until("a transfer", || {
            let report = self.ask("kita", &json!({ "do": "report" })).ok()?;
            let ids = report.as_array()?.iter().filter_map(|r| r["id"].as_str());
            let fresh = ids.map(str::to_owned).find(|id| !self.known.contains(id));
            if let Some(id) = fresh {
                self.known.insert(id.clone());
                return Some(id);
            }
            if !asked {
                let deaths = self.deaths;
                let ask = self.ask("kita", &json!({ "do": "ask", "provider": provider, "dataset": dataset }));
                // A process that died while it was asked may or may not have begun; asking again is another negotiation.
                asked = ask.is_ok() && deaths == self.deaths;
            }
            // The sender is asked too, so that a dead one starts again.
            let _ = self.ask("nord", &json!({ "do": "log" }));
            None
        })
    }

    /// Waits for the data.
    pub fn got(&mut self, transfer: &str) -> Value {
        until("the data", || {
            let _ = self.ask("nord", &json!({ "do": "log" }));
            let got = self.ask("kita", &json!({ "do": "got", "transfer": transfer })).ok()?;
            (!got.is_null()).then_some(got)
        })
    }
}
