//! Hostile peers: each is refused with the protocol's error, and what it sends takes up no memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use flate2::{Compression, write::GzEncoder};
use node::act::offer::{Handling, Handlings, Offer};
use node::act::operate::{NegotiationWish, TransferWish};
use node::config::{Config, Mode};
use rulebook::book::{Rulebook, Source};
use serde_json::{Value, json};
use server::node_server::{NodeServer, start};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

const CONTEXT: &str = "https://w3id.org/dspace/2025/1/context.jsonld";

/// A rulebook without rules: what is asked here is not the law.
fn no_rules() -> Rulebook {
    Rulebook::parse(Vec::<Source>::new()).0
}

fn node(dir: &Path) -> NodeServer {
    let config = Config {
        mode: Mode::Demo,
        test_identity: true,
        participant: "did:web:under-test.example".into(),
        directory: dir.to_owned(),
        listen: "127.0.0.1:0".into(),
        ..Config::default()
    };
    start(config, no_rules(), |_| None).unwrap()
}

struct Answer {
    status: u16,
    body: Value,
}

fn host(server: &NodeServer) -> String {
    server.address().strip_prefix("http://").unwrap().to_owned()
}

fn raw(server: &NodeServer, head: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(host(server)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    // The other side may close before all is sent.
    let _sent = stream.write_all(body);
    read_answer(&mut stream)
}

fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let mut block = [0_u8; 4096];
    loop {
        match stream.read(&mut block) {
            Ok(0) | Err(_) => break,
            Ok(n) => bytes.extend_from_slice(&block[..n]),
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if length.is_some_and(|n: usize| body.len() >= n) {
                break;
            }
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    let body = text.split_once("\r\n\r\n").map(|(_, b)| b.to_owned()).unwrap_or_default();
    Answer { status, body: serde_json::from_str(&body).unwrap_or(Value::Null) }
}

fn head(server: &NodeServer, method: &str, path: &str, who: &str, length: usize) -> String {
    format!(
        "{method} /dsp{path} HTTP/1.1\r\nhost: {}\r\nauthorization: {{\"clientId\":\"{who}\"}}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n",
        host(server)
    )
}

fn post(server: &NodeServer, path: &str, who: &str, body: &Value) -> Answer {
    let body = body.to_string();
    raw(server, &head(server, "POST", path, who, body.len()), body.as_bytes())
}

fn get(server: &NodeServer, path: &str, who: &str) -> Answer {
    raw(server, &head(server, "GET", path, who, 0), b"")
}

fn request(pid: &str, callback: &str) -> Value {
    json!({ "@context": [CONTEXT], "@type": "ContractRequestMessage", "consumerPid": pid,
        "callbackAddress": callback, "offer": { "@id": "urn:o", "@type": "Offer", "target": "urn:d",
        "permission": [{ "action": "use" }] } })
}

fn resident_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").trim().parse().unwrap_or(0)
}

fn offer(dir: &Path, server: &NodeServer) {
    let source = dir.join("d.csv");
    std::fs::write(&source, "a\n1\n").unwrap();
    let handling = Handlings { negotiation: Handling::Manual, transfer: Handling::Manual };
    let offer = Offer {
        dataset: "urn:d".into(),
        title: "d".into(),
        source,
        facts: Default::default(),
        plan: None,
        release: None,
        meter: Vec::new(),
        handling,
        plane: None,
        terms: None,
        access: None,
    };
    // Kept even where no rule is at hand that would open it; nothing is agreed to here.
    let _terms = server.node().offer(&offer);
}

#[test]
fn out_of_order_of_others_and_unnamed() {
    let dir = tempfile::tempdir().unwrap();
    let server = node(dir.path());
    offer(dir.path(), &server);
    let opened = post(&server, "/negotiations/request", "mallory", &request("urn:c:1", "http://127.0.0.1:9/"));
    assert_eq!(opened.status, 201, "{}", opened.body);
    let pid = opened.body["providerPid"].as_str().unwrap().to_owned();
    let verification = json!({ "@context": [CONTEXT], "@type": "ContractAgreementVerificationMessage",
        "providerPid": pid, "consumerPid": "urn:c:1" });
    // Before there is an agreement.
    let path = format!("/negotiations/{pid}/agreement/verification");
    let early = post(&server, &path, "mallory", &verification);
    assert!(matches!(early.status, 400 | 404), "{}", early.body);
    assert_eq!(early.body["@type"], "ContractNegotiationError");
    // Another's process is not there, whatever is asked of it.
    for answer in [post(&server, &path, "eve", &verification), get(&server, &format!("/negotiations/{pid}"), "eve")] {
        assert_eq!((answer.status, &answer.body["@type"]), (404, &json!("ContractNegotiationError")), "{}", answer.body);
    }
    // Another's pid in the body of one's own.
    let mut crossed = verification.clone();
    crossed["consumerPid"] = json!("urn:c:2");
    assert!(matches!(post(&server, &path, "mallory", &crossed).status, 400 | 404));
    // Nobody.
    let body = verification.to_string();
    let anonymous = head(&server, "POST", &path, "x", body.len()).replace("authorization: {\"clientId\":\"x\"}\r\n", "");
    assert_eq!(raw(&server, &anonymous, body.as_bytes()).status, 401);
    // A message at an address that carries another.
    let wrong = post(&server, "/transfers/request", "mallory", &request("urn:c:3", "http://127.0.0.1:9/"));
    assert_eq!((wrong.status, &wrong.body["@type"]), (400, &json!("TransferError")), "{}", wrong.body);
    server.stop();
}

#[test]
fn bodies_that_are_large_deep_or_no_json() {
    let dir = tempfile::tempdir().unwrap();
    let server = node(dir.path());
    let before = resident_kib();
    // A hundred megabytes are announced, and sent as far as they are taken.
    let mut stream = TcpStream::connect(host(&server)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    let n = 100 << 20;
    stream.write_all(head(&server, "POST", "/negotiations/request", "mallory", n).as_bytes()).unwrap();
    let block = vec![b' '; 1 << 20];
    for _ in 0..100 {
        if stream.write_all(&block).is_err() {
            break;
        }
    }
    let answer = read_answer(&mut stream);
    assert!(matches!(answer.status, 413 | 0), "{} {}", answer.status, answer.body);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let many = format!("[{}1]", "1,".repeat(400_000));
    let twice = r#"{"@type":"ContractRequestMessage","@type":"TransferRequestMessage"}"#;
    for (what, body) in [("deep", deep.as_str()), ("many", &many), ("twice", twice), ("no json", "{"), ("empty", "")] {
        let answer = raw(&server, &head(&server, "POST", "/negotiations/request", "mallory", body.len()), body.as_bytes());
        assert_eq!(answer.status, 400, "{what}: {}", answer.body);
        assert_eq!(answer.body["@type"], "ContractNegotiationError", "{what}");
    }
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 64 << 10, "grew by {grown} KiB");
    server.stop();
}

/// A provider that answers each request with what the closure writes.
fn provider(answer: impl Fn(&mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("http://{}/dsp", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = [0_u8; 8192];
            let _asked = stream.read(&mut head);
            answer(&mut stream);
        }
    });
    at
}

#[test]
fn providers_that_never_end_lead_in_circles_or_blow_up() {
    let dir = tempfile::tempdir().unwrap();
    let server = node(dir.path());
    let before = resident_kib();
    let endless = provider(|stream| {
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n");
        let block = format!("{:x}\r\n{}\r\n", 1 << 16, " ".repeat(1 << 16));
        while stream.write_all(block.as_bytes()).is_ok() {}
    });
    assert_eq!(server.node().catalog_of(&endless).unwrap_err().code(), "peer/too-large");
    let circle = provider(|stream| {
        let at = stream.local_addr().unwrap();
        let _sent = write!(stream, "HTTP/1.1 302 Found\r\nlocation: http://{at}/dsp/catalog/request\r\ncontent-length: 0\r\n\r\n");
    });
    assert_eq!(server.node().catalog_of(&circle).unwrap_err().code(), "peer/nonsense");
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let block = vec![b' '; 1 << 20];
    for _ in 0..96 {
        packed.write_all(&block).unwrap();
    }
    let packed = packed.finish().unwrap();
    let bomb = provider(move |stream| {
        let _sent = write!(stream, "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", packed.len());
        let _sent = stream.write_all(&packed);
    });
    assert_eq!(server.node().catalog_of(&bomb).unwrap_err().code(), "peer/too-large");
    // LIMIT of a catalog is 32 MiB; what was read is given back or at least not held twice.
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 160 << 10, "grew by {grown} KiB");
    server.stop();
}

#[test]
fn a_peer_that_never_answers_is_asked_ever_more_seldom_and_said_to_be() {
    let dir = tempfile::tempdir().unwrap();
    let server = node(dir.path());
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/dsp", dead.local_addr().unwrap());
    drop(dead);
    let terms = serde_json::from_value(json!({ "@id": "urn:o", "@type": "Offer", "permission": [{ "action": "use" }] }));
    let wish = NegotiationWish {
        role: dsp::machine::Role::Consumer,
        address,
        peer: Some("did:web:gone.example".into()),
        dataset: "urn:d".into(),
        terms: Some(terms.unwrap()),
        handling: Handling::Manual.into(),
    };
    let pid = server.node().open_negotiation(wish).unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    let trouble = loop {
        let standing = server.node().negotiation_standing(&pid).unwrap();
        assert!(standing.on_its_way);
        if let Some(trouble) = standing.trouble.filter(|t| t.attempts >= 3) {
            break trouble;
        }
        assert!(Instant::now() < end, "no third attempt");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(trouble.code, "peer/unreachable");
    let wait = trouble.again_at.0 - server.node().now().0;
    assert!(wait > 1_000, "the third pause is {wait} ms, not longer than the first");
    // What was never agreed opens no transfer.
    let wish = TransferWish {
        agreement: "urn:none".into(),
        peer: None,
        address: None,
        format: "HttpData-PULL".into(),
        push_to: None,
        handling: Handling::Manual,
        plane: None,
    };
    assert_eq!(server.node().open_transfer(wish).unwrap_err().code(), "node/not-found");
    server.stop();
}

/// A provider that takes the request, and refuses every verification of its own agreement.
fn stubborn(pid: &'static str) -> (String, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("http://{}/dsp", listener.local_addr().unwrap());
    let asked = std::sync::Arc::<std::sync::Mutex<Vec<String>>>::default();
    let paths = asked.clone();
    let state = move |state: &str| {
        json!({ "@context": [CONTEXT], "@type": "ContractNegotiation", "providerPid": pid, "consumerPid": "urn:c", "state": state })
    };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = vec![0_u8; 65_536];
            let n = stream.read(&mut bytes).unwrap_or(0);
            let text = String::from_utf8_lossy(&bytes[..n]).into_owned();
            let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
            let (status, body) = match path.rsplit('/').next().unwrap_or_default() {
                "request" => (201, state("REQUESTED")),
                "verification" => (
                    400,
                    json!({ "@context": [CONTEXT], "@type": "ContractNegotiationError", "providerPid": pid,
                        "consumerPid": "urn:c", "code": "x", "reason": ["not today"] }),
                ),
                "termination" => (200, state("TERMINATED")),
                _ => (200, state("AGREED")),
            };
            paths.lock().unwrap().push(path);
            let body = body.to_string();
            let _sent = write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    (at, asked)
}

#[test]
fn what_a_peer_refuses_is_not_said_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let server = node(dir.path());
    let (address, asked) = stubborn("urn:p:1");
    let terms = json!({ "@id": "urn:o", "@type": "Offer", "permission": [{ "action": "use" }] });
    let wish = NegotiationWish {
        role: dsp::machine::Role::Consumer,
        address,
        peer: Some("did:web:stubborn.example".into()),
        dataset: "urn:d".into(),
        terms: Some(serde_json::from_value(terms).unwrap()),
        handling: Handling::Automatic.into(),
    };
    let pid = server.node().open_negotiation(wish).unwrap();
    let agreement = json!({ "@context": [CONTEXT], "@type": "ContractAgreementMessage", "@id": "urn:m:1",
        "providerPid": "urn:p:1", "consumerPid": pid, "agreement": { "@id": "urn:a:1", "@type": "Agreement",
        "target": "urn:d", "assigner": "did:web:stubborn.example", "assignee": "did:web:under-test.example",
        "timestamp": "2026-11-22T00:00:00Z", "permission": [{ "action": "use" }] } });
    let path = format!("/negotiations/{}/agreement", dsp::paths::segment(&pid));
    let end = Instant::now() + Duration::from_secs(30);
    while post(&server, &path, "did:web:stubborn.example", &agreement).status != 200 {
        assert!(Instant::now() < end, "the agreement was not taken");
        std::thread::sleep(Duration::from_millis(20));
    }
    let standing = loop {
        let standing = server.node().negotiation_standing(&pid).unwrap();
        if standing.state == "TERMINATED" && !standing.on_its_way {
            break standing;
        }
        assert!(Instant::now() < end, "still {}", standing.state);
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(standing.code.as_deref(), Some("tegata/peer-refused"));
    assert!(standing.reasons[0].as_str().unwrap().contains("not today"), "{:?}", standing.reasons);
    let said = asked.lock().unwrap().iter().filter(|p| p.ends_with("/verification")).count();
    assert_eq!(said, 1);
    server.stop();
}
