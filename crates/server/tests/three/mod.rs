//! Three processes and how to lead them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod party;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(120);

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

pub struct Scene {
    pub dir: tempfile::TempDir,
    pub data: Vec<u8>,
    parties: BTreeMap<String, Party>,
    pub deaths: u32,
}

const DATASET: &str = "urn:dataset:customers";

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn spawn(kind: &str, dir: &Path, crash: Option<String>) -> Option<Party> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "a_party", "--nocapture"])
        .env("TEGATA_TEST_PARTY", kind)
        .env("TEGATA_TEST_DIRECTORY", dir);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
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
        Self::new_with(n_rows, chunk_bytes, |_| None)
    }

    /// Three processes; `crash` names the place where one of the nodes dies.
    pub fn new_with(n_rows: usize, chunk_bytes: u64, crash: impl Fn(&str) -> Option<String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data: Vec<u8> = (0..n_rows).flat_map(|i| format!("{i},customer {i}\n").into_bytes()).collect();
        fs::write(dir.path().join("customers.csv"), &data).unwrap();
        let mut scene = Self { dir, data, parties: BTreeMap::new(), deaths: 0 };
        let place = scene.dir.path().join("authority");
        scene.parties.insert("authority".into(), spawn("authority", &place, None).unwrap());
        for (name, country, organization) in
            [("nord", "DE", "VATDE-000000001"), ("kita", "US", "NTRUS-0000002")]
        {
            let enroll = json!({
                "do": "enroll",
                "dir": scene.dir.path().join(name),
                "id": format!("did:web:{name}.example"),
                "name": name,
                "country": country,
                "organization": organization,
                "listen": format!("127.0.0.1:{}", free_port()),
                "chunk_bytes": chunk_bytes,
                "day": "2020-07-15",
            });
            scene.ask("authority", &enroll).unwrap();
            scene.start(name, crash(name));
        }
        scene.offer();
        scene
    }

    /// Starts a node, again if it dies while it starts.
    pub fn start(&mut self, who: &str, crash: Option<String>) {
        let place = self.dir.path().join(who);
        let party = spawn("node", &place, crash).unwrap_or_else(|| {
            self.deaths += 1;
            spawn("node", &place, None).expect("a node starts")
        });
        self.parties.insert(who.to_owned(), party);
    }

    pub fn kill(&mut self, who: &str) {
        // On Unix this is SIGKILL.
        self.parties.remove(who);
    }

    fn offer(&mut self) {
        let source = self.dir.path().join("customers.csv");
        let offer = json!({ "dataset": DATASET, "title": "Customers (invented)", "source": source, "facts": {
            "exporter.place": "DE", "exporter.person": "company", "exporter.capacity": ["controller"],
            "exporter.sector": ["retail"], "exporter.targets": ["DE"], "hop.separate_person": true,
            "hop.mode": ["send_copy"], "hop.regularity": "systematic", "hop.need": ["none"],
            "hop.foreign_authority_asks": false, "hop.recipient_sees_clear": true, "data.about_people": true,
            "data.identifiable_for_exporter": "identified", "data.identifiable_for_recipient": "identified",
            "data.categories": ["contact"], "data.structured": true, "data.official_class": [],
            "data.received_from": ["own"], "subjects.located_in": ["DE"], "subjects.employees": false } });
        let peer = json!({ "id": "did:web:kita.example", "facts": {
            "recipient.place": "US", "recipient.person": "company", "recipient.capacity": ["processor"],
            "recipient.listed": ["us_privacy_shield"], "recipient.subject_to": [] } });
        self.insist("nord", &json!({ "do": "know", "peer": peer }));
        self.insist("nord", &json!({ "do": "offer", "offer": offer }));
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
            self.deaths += 1;
            self.kill(who);
            self.start(who, None);
        }
    }

    fn insist(&mut self, who: &str, command: &Value) -> Value {
        until("an answer without an error", || self.ask(who, command).ok())
    }

    /// Asks for the dataset and returns our transfer; a process that dies meanwhile starts again.
    pub fn begin(&mut self) -> String {
        let provider = format!("{}/dsp", self.parties["nord"].address);
        let mut negotiation = None;
        until("a transfer", || {
            let report = self.ask("kita", &json!({ "do": "report" })).ok()?;
            if let Some(id) = report[0]["id"].as_str() {
                return Some(id.to_owned());
            }
            if negotiation.is_none() {
                let deaths = self.deaths;
                let asked =
                    self.ask("kita", &json!({ "do": "ask", "provider": provider, "dataset": DATASET }));
                // A process that died while it was asked may or may not have begun; asking again is another negotiation.
                negotiation = asked.ok().filter(|_| deaths == self.deaths || negotiation.is_none());
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

    pub fn deliver(&mut self) -> (String, Value) {
        let transfer = self.begin();
        let got = self.got(&transfer);
        (transfer, got)
    }
}
