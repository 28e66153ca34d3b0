//! Beside an EDC: `tegata import` from a small management API in which nothing can be written, and a policy engine of others that
//! asks a node and is never held up.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::{Arc, Mutex},
};

const EDC: &str = "https://w3id.org/edc/v0.0.1/ns/";
const CX: &str = "https://w3id.org/catenax/2025/9/policy/";
/// Fewer than are asked for: a short page is no end.
const PAGE_MAX: usize = 70;

/// Rows of each kind, and what was asked that is no reading.
#[derive(Default)]
struct Held {
    assets: Vec<Value>,
    policies: Vec<Value>,
    definitions: Vec<Value>,
    odd: Vec<String>,
    /// Gives the first page again and again, as an API does that changes while it is read.
    restless: bool,
}

#[derive(Clone)]
struct Management {
    held: Arc<Mutex<Held>>,
    base: String,
}

impl Management {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/management", listener.local_addr().unwrap());
        let held: Arc<Mutex<Held>> = Arc::default();
        let answers = held.clone();
        std::thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap(), &answers)));
        Self { held, base }
    }

    fn with(&self, change: impl FnOnce(&mut Held)) {
        change(&mut self.held.lock().unwrap());
    }
}

fn answer(mut stream: TcpStream, held: &Mutex<Held>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length, mut key) = (String::new(), 0, String::new());
    reader.read_line(&mut head).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim().split_once(": ") {
            Some(("content-length", n)) => length = n.parse().unwrap(),
            Some(("x-api-key", value)) => key = value.to_owned(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut held = held.lock().unwrap();
    let (status, said) = if key != "sesame" { (401, Value::Null) } else { rows(&mut held, head.trim(), &body) };
    let said = said.to_string();
    write!(stream, "HTTP/1.0 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{said}", said.len()).unwrap();
}

fn rows(held: &mut Held, head: &str, body: &[u8]) -> (u16, Value) {
    let all = match head.split(' ').nth(1).unwrap_or_default() {
        "/management/v3/assets/request" => held.assets.clone(),
        "/management/v3/policydefinitions/request" => held.policies.clone(),
        "/management/v3/contractdefinitions/request" => held.definitions.clone(),
        _ => {
            held.odd.push(head.to_owned());
            return (404, Value::Null);
        }
    };
    let query: Value = serde_json::from_slice(body).unwrap();
    let fits = |row: &&Value| query["filterExpression"].as_array().into_iter().flatten().all(|c| {
        let (word, operator) = (c["operandLeft"].as_str().unwrap().trim_start_matches(EDC), c["operator"].as_str().unwrap());
        let value = if word == "id" { &row["@id"] } else { &row["properties"][word] };
        match operator {
            "=" => *value == c["operandRight"],
            "in" => c["operandRight"].as_array().unwrap().contains(value),
            _ => panic!("{operator}"),
        }
    });
    let mut all: Vec<Value> = all.iter().filter(fits).cloned().collect();
    all.sort_by_key(|row| row["@id"].to_string());
    let n = |key: &str| usize::try_from(query[key].as_u64().unwrap()).unwrap();
    let offset = if held.restless { 0 } else { n("offset") };
    (200, all.into_iter().skip(offset).take(n("limit").min(PAGE_MAX)).collect())
}

fn told(mut row: Value) -> Value {
    row["@context"] = json!({ "@vocab": EDC, "edc": EDC, "odrl": "http://www.w3.org/ns/odrl/2/" });
    row
}

fn asset(id: &str, kind: &str) -> Value {
    told(json!({ "@id": id, "@type": "Asset", "properties": { "id": id, "name": format!("Name of {id}"), "kind": kind },
        "dataAddress": { "@type": "DataAddress", "type": "HttpData", "baseUrl": "https://user:secret@inner.example/source" } }))
}

fn policy(id: &str, left: &str, right: &str) -> Value {
    told(json!({ "@id": id, "@type": "PolicyDefinition", "policy": { "@id": format!("{:p}", id.as_ptr()), "@type": "odrl:Set", "odrl:permission":
        { "odrl:action": { "@id": "odrl:use" }, "odrl:constraint": { "odrl:leftOperand": { "@id": left }, "odrl:operator": { "@id": "odrl:eq" }, "odrl:rightOperand": right } },
        "odrl:prohibition": [], "odrl:obligation": [] } }))
}

fn open_policy(id: &str) -> Value {
    told(json!({ "@id": id, "@type": "PolicyDefinition", "policy": { "@type": "odrl:Set", "odrl:permission": { "odrl:action": { "@id": "odrl:use" } },
        "odrl:prohibition": [], "odrl:obligation": [] } }))
}

fn definition(id: &str, access: &str, terms: &str, left: &str, operator: &str, right: Value) -> Value {
    told(json!({ "@id": id, "@type": "ContractDefinition", "accessPolicyId": access, "contractPolicyId": terms,
        "assetsSelector": { "@type": "Criterion", "operandLeft": left, "operator": operator, "operandRight": right } }))
}

/// A node under the test identity.
struct Node {
    dir: PathBuf,
    child: Child,
    _said: BufReader<ChildStdout>,
}

impl Node {
    fn start(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("tegata-beside-{name}-{}", std::process::id()));
        let _old = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("data")).unwrap();
        let listed = command(&dir, &["rules", "ls"]).output().unwrap();
        let layers: Vec<String> = text(&listed).lines().filter_map(|l| l.strip_prefix("layer ")?.split_whitespace().next().map(str::to_owned)).collect();
        let config = "mode = \"demo\"\ntest_identity = true\nparticipant = \"did:web:import.example\"\nlisten = \"127.0.0.1:0\"\npages = \"127.0.0.1:0\"\ndirectory = \".\"\n";
        fs::write(dir.join("tegata.toml"), format!("{config}[law]\naccept_drafted = {}\n", json!(layers))).unwrap();
        fs::write(dir.join("key"), "sesame\n").unwrap();
        fs::write(dir.join("facts.toml"), "exporter.place = \"DE\"\ndata.about_people = false\n").unwrap();
        let (child, said) = serve(&dir);
        Self { dir, child, _said: said }
    }

    /// Kills it as a power cut would, and starts it again.
    fn start_again(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let _gone = fs::remove_file(self.dir.join("door.json"));
        (self.child, self._said) = serve(&self.dir);
    }

    /// Asks by HTTP as a program of others does; the status and the answer.
    fn post(&self, path: &str, key: Option<&str>, body: &str) -> (u16, Value) {
        let door: Value = serde_json::from_str(&fs::read_to_string(self.dir.join("door.json")).unwrap()).unwrap();
        let host = door["address"].as_str().unwrap().trim_start_matches("http://").trim_end_matches('/').to_owned();
        let key = key.map(|k| format!("idempotency-key: {k}\r\n")).unwrap_or_default();
        let mut stream = TcpStream::connect(&host).unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\n{key}connection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", door["token"].as_str().unwrap(), body.len());
        stream.write_all(head.as_bytes()).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
    }

    fn import(&self, edc: &Management, more: &[&str]) -> (Option<i32>, String) {
        let base = ["import", "--edc", &edc.base, "--edc-key-file", "key", "--dir", ".", "--facts", "facts.toml"];
        let out = command(&self.dir, &[&base, more].concat()).output().unwrap();
        (out.status.code(), text(&out))
    }

    fn outcomes(&self, edc: &Management, more: &[&str]) -> (Option<i32>, Vec<(String, String)>, Value) {
        let (code, said) = self.import(edc, &[more, &["--json"]].concat());
        let document: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
        let word = |a: &Value, key: &str| a[key].as_str().unwrap().to_owned();
        let all = document["assets"].as_array().unwrap().iter().map(|a| (word(a, "asset"), word(a, "outcome"))).collect();
        (code, all, document)
    }

    fn offers(&self) -> Vec<Value> {
        let out = command(&self.dir, &["offer", "--dir", ".", "--json"]).output().unwrap();
        serde_json::from_str::<Value>(&text(&out)).unwrap()["offers"].as_array().unwrap().clone()
    }
}

fn serve(dir: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut child = command(dir, &["serve", "--dir", "."]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    while !dir.join("door.json").exists() {
        let mut line = String::new();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it serves");
    }
    (child, said)
}

impl Drop for Node {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
        let _gone = fs::remove_dir_all(&self.dir);
    }
}

fn command(at: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tegata"));
    command.args(args).current_dir(at).env("NO_COLOR", "1").env("TEGATA_LANG", "en");
    command
}

fn text(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn what_an_edc_offers_is_offered_here_whole_or_not_at_all() {
    let (edc, node) = (Management::start(), Node::start("import"));
    for name in ["one.csv", "two.csv"] {
        fs::write(node.dir.join("data").join(name), "a,b\n1,2\n").unwrap();
    }
    let data = node.dir.parent().unwrap().join(format!("tegata-import-data-{}", std::process::id()));
    let _old = fs::remove_dir_all(&data);
    fs::rename(node.dir.join("data"), &data).unwrap();
    let files = ["--files", data.to_str().unwrap()];
    let with = |more: &[&'static str]| -> Vec<String> { files.iter().map(ToString::to_string).chain(more.iter().map(ToString::to_string)).collect() };
    let run = |more: &[&'static str]| {
        let all = with(more);
        node.outcomes(&edc, &all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    edc.with(|held| {
        held.assets = ["one", "two", "three", "four"].iter().map(|id| asset(id, "table")).collect();
        held.policies = vec![open_policy("open"), policy("member", &format!("{CX}Membership"), "active"), policy("mood", &format!("{EDC}mood"), "good")];
        held.definitions = vec![
            definition("d1", "member", "open", &format!("{EDC}id"), "=", json!("one")),
            definition("d2", "open", "mood", &format!("{EDC}id"), "in", json!(["two"])),
            definition("d3", "open", "open", &format!("{EDC}id"), "=", json!("three")),
        ];
    });

    let expected = pairs(&[("four", "skipped"), ("one", "new"), ("three", "refused"), ("two", "refused")]);
    let (code, all, document) = run(&[]);
    assert_eq!((code, &all), (Some(1), &expected), "{document}");
    assert!(node.offers().is_empty(), "a plan changes nothing");
    let code_of = |at: usize| document["assets"][at]["reasons"][0]["code"].as_str().unwrap().to_owned();
    assert_eq!((code_of(2), code_of(3)), ("import/no-file".into(), "import/terms".into()));
    assert!(!document.to_string().contains("secret"), "a data address is nobody's to read");
    let all: Vec<String> = with(&[]);
    let (_, said) = node.import(&edc, &all.iter().map(String::as_str).collect::<Vec<_>>());
    for line in ["✓ member  as who sees the offer", "membership of the data space is active", "nobody here decides `https://w3id.org/edc/v0.0.1/ns/mood`", "✓ one  Name of one  would be offered", "Nothing was changed"] {
        assert!(said.contains(line), "no `{line}` in\n{said}");
    }

    assert_eq!(run(&["--apply"]).1[1], ("one".into(), "offered".into()));
    let offers = node.offers();
    assert_eq!((offers.len(), offers[0]["dataset"].as_str(), offers[0]["title"].as_str()), (1, Some("one"), Some("Name of one")));
    assert!(offers[0]["access"].to_string().contains("Membership"), "{offers:?}");
    assert_eq!(run(&["--apply"]).1[1], ("one".into(), "same".into()), "a repeat does nothing");

    // What changes in the EDC does not change what is offered here until somebody says so.
    edc.with(|held| held.policies[0] = policy("open", "http://www.w3.org/ns/odrl/2/industry", "retail"));
    assert_eq!(run(&["--apply"]).1[1], ("one".into(), "other".into()));
    assert!(!node.offers()[0]["terms"].to_string().contains("industry"));
    let (code, all, _) = run(&["--apply", "--replace", "--asset", "one"]);
    assert_eq!((code, all), (Some(0), pairs(&[("one", "replaced")])));
    assert!(node.offers()[0]["terms"].to_string().contains("industry"));

    let wrong = |more: &[&str], code: i32, says: &str| {
        let (came, said) = node.import(&edc, more);
        assert!(came == Some(code) && said.contains(says), "{code} `{says}`: {said}");
    };
    wrong(&["--asset", "nine"], 2, "no asset `nine`");
    wrong(&["--plane", "nowhere", "--asset", "one"], 2, "no registered data plane `nowhere`");
    wrong(&["--fact", "recipient.place=US"], 2, "say which participant");
    fs::write(node.dir.join("key"), "wrong").unwrap();
    wrong(&[], 3, "wants another key");
    fs::write(node.dir.join("key"), "sesame").unwrap();
    edc.with(|held| held.restless = true);
    wrong(&[], 3, "twice");
    edc.with(|held| assert!(held.odd.is_empty(), "it was only read: {:?}", held.odd));
    fs::remove_dir_all(&data).unwrap();
}

#[test]
fn many_pages_come_whole() {
    let (edc, ids) = (Management::start(), (0..230).map(|n| format!("a{n:03}")).collect::<Vec<_>>());
    edc.with(|held| {
        held.assets = ids.iter().map(|id| asset(id, if id.ends_with('7') { "odd" } else { "table" })).collect();
        held.policies = vec![open_policy("open")];
        held.definitions = vec![definition("tables", "open", "open", &format!("{EDC}kind"), "=", json!("table"))];
    });
    // No node serves there, so the plan ends before a node is asked; the assets are counted by the definition.
    let dir = std::env::temp_dir().join(format!("tegata-import-none-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("key"), "sesame").unwrap();
    let out = command(&dir, &["import", "--edc", &edc.base, "--edc-key-file", "key", "--dir", ".", "--json"]).output().unwrap();
    assert_eq!(out.status.code(), Some(3), "{}", text(&out));
    fs::write(dir.join("door.json"), json!({ "address": "http://127.0.0.1:1/", "participant": "did:web:x.example", "token": "t" }).to_string()).unwrap();
    let out = command(&dir, &["import", "--edc", &edc.base, "--edc-key-file", "key", "--dir", ".", "--json"]).output().unwrap();
    let document: Value = serde_json::from_str(&text(&out)).unwrap();
    let (assets, definition) = (document["assets"].as_array().unwrap(), &document["definitions"][0]);
    assert_eq!((assets.len(), definition["assets"].as_u64()), (230, Some(207)), "{definition}");
    let skipped = assets.iter().filter(|a| a["outcome"] == "skipped").count();
    assert_eq!(skipped, 23);
    assert!(assets.iter().all(|a| a["outcome"] == "skipped" || a["reasons"][0]["code"] == "import/no-bytes"), "without a node nobody is asked: {document}");
    fs::remove_dir_all(&dir).unwrap();
}

/// Facts of a transfer between two firms in Germany, of data about nobody, told to their end.
const HARMLESS: &str = r#"{ "exporter.place": "DE", "exporter.person": "company", "exporter.capacity": ["controller"], "exporter.sector": ["retail"],
  "exporter.targets": ["DE"], "hop.separate_person": true, "hop.mode": ["send_copy"], "hop.regularity": "systematic", "hop.need": ["none"],
  "hop.foreign_authority_asks": false, "hop.recipient_sees_clear": true, "data.about_people": false, "data.identifiable_for_exporter": "not_reasonably",
  "data.identifiable_for_recipient": "not_reasonably", "data.categories": [], "data.structured": true, "data.official_class": [],
  "data.received_from": ["own"], "subjects.located_in": ["DE"], "subjects.employees": false, "recipient.place": "DE", "recipient.person": "company",
  "recipient.capacity": ["controller"], "recipient.listed": [], "recipient.subject_to": [] }"#;

#[test]
fn an_engine_that_asks_is_never_held_up_and_what_would_be_refused_is_counted() {
    let mut node = Node::start("observe");
    let observe = "/v1/checks?observe=true";
    let letting = format!("{{ \"counterparty\": \"did:web:good.example\", \"transfer\": {HARMLESS} }}");
    let (status, said) = node.post(observe, None, &letting);
    assert_eq!((status, &said["would"], &said["blocks"], &said["counted"]), (200, &json!("let"), &json!(false), &json!(true)), "{said}");

    // A mail tool without any safeguard; twice under one key, which is one question.
    let mail = HARMLESS.replace("\"recipient.place\": \"DE\"", "\"recipient.place\": \"US\"").replace("\"data.about_people\": false", "\"data.about_people\": true")
        .replace("\"not_reasonably\"", "\"identified\"").replace("\"data.categories\": []", "\"data.categories\": [\"contact\"]");
    let refused = format!("{{ \"counterparty\": \"did:web:mail.example\", \"transfer\": {mail} }}");
    let (status, first) = node.post(observe, Some("negotiation-1"), &refused);
    assert_eq!((status, &first["would"], &first["verdict"]), (200, &json!("refuse"), &json!("conditional")), "{first}");
    assert!(first["because"][0]["rule"].as_str().unwrap().starts_with("eu.gdpr.") && first["because"][0]["cure"].is_string(), "{first}");
    assert_eq!(node.post(observe, Some("negotiation-1"), &refused), (200, first.clone()));
    let (status, other) = node.post(observe, Some("negotiation-1"), &letting);
    assert_eq!((status, &other["counted"]), (200, &json!(false)), "another question under the key: {other}");

    // What is not understood is answered too, as a refusal, and counted as such.
    for odd in ["{", "[[]]", r#"{ "counterparty": "did:web:mail.example", "dataset": "urn:no:such" }"#, r#"{ "exporter.place": "nowhere" }"#] {
        let (status, said) = node.post(observe, None, odd);
        let said = if said["observations"].is_array() { said["observations"][0].clone() } else { said };
        assert_eq!((status, &said["would"], &said["verdict"]), (200, &json!("refuse"), &Value::Null), "{odd}: {said}");
    }
    let many: Vec<Value> = (0..201).map(|_| json!({})).collect();
    assert_eq!(node.post(observe, None, &json!(many).to_string()).1["verdict"], Value::Null);

    // What is counted outlives the process.
    node.start_again();
    let told = |more: &[&str]| text(&command(&node.dir, &[&["observed", "--dir", "."], more].concat()).output().unwrap());
    let counts: Value = serde_json::from_str(&told(&["--json"])).unwrap();
    let total = &counts["total"];
    assert_eq!((&total["asked"], &total["let"], &total["refused"], &total["unjudged"]), (&json!(7), &json!(1), &json!(6), &json!(5)), "{counts}");
    let rule = first["because"][0]["rule"].as_str().unwrap();
    assert_eq!(total["rules"][rule]["n"], 1, "{counts}");
    let said = told(&[]);
    for words in ["asked 7, would have been let 1", rule, "did:web:mail.example: asked 2"] {
        assert!(said.contains(words), "no `{words}` in\n{said}");
    }
    assert!(told(&["--counterparty", "did:web:good.example"]).contains("asked 1, would have been let 1"));
    assert!(told(&["--until", "2020-01-31"]).contains("Nothing was asked"));
}
