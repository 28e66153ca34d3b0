//! Two nodes and an authority run by hand, as the README says it, each a process of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

fn repository() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

fn command(at: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tegata"));
    command.args(args).current_dir(at).env("NO_COLOR", "1").env("TEGATA_LANG", "en");
    command
}

fn run(at: &Path, args: &[&str]) -> Output {
    command(at, args).output().unwrap()
}

fn said(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

fn does(at: &Path, args: &[&str]) -> String {
    let out = run(at, args);
    assert!(out.status.success(), "{args:?}: {}", said(&out));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// A process that serves; it is ended when dropped.
struct Serving {
    child: Child,
    _said: BufReader<ChildStdout>,
    lines: Vec<String>,
}

impl Serving {
    fn start(at: &Path, args: &[&str], n_lines: usize) -> Self {
        let mut child = command(at, args).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let lines = (0..n_lines)
            .map(|_| {
                let mut line = String::new();
                said.read_line(&mut line).unwrap();
                line.trim().to_string()
            })
            .collect();
        Self { child, _said: said, lines }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

struct Folder(PathBuf);

impl Folder {
    fn fresh(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("tegata-hand-{}-{name}", std::process::id()));
        let _old = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn text(path: PathBuf) -> String {
    path.display().to_string()
}

#[test]
fn the_steps_of_the_readme_carry_a_file_and_prove_it() {
    let folder = Folder::fresh("readme");
    let at = folder.0.as_path();
    let examples = repository().join("examples");
    let (data, facts) = (text(examples.join("data/health.csv")), text(examples.join("nodes/munich-boston.toml")));
    does(at, &["check", &facts]);

    let authority = Serving::start(at, &["authority", "--listen", "127.0.0.1:0"], 3);
    does(at, &["enroll", "--dir", "munich", "--name", "Demo Nord GmbH", "--country", "DE"]);
    does(at, &["enroll", "--dir", "boston", "--name", "Demo Labs Inc.", "--country", "US"]);
    let munich = Serving::start(at, &["serve", "--dir", "munich"], 2);
    let _boston = Serving::start(at, &["serve", "--dir", "boston"], 2);
    assert!(munich.lines[0].starts_with("http://127.0.0.1:"), "{:?}", munich.lines);

    let offered = does(at, &["offer", &data, "--dir", "munich", "--facts", &facts, "--to", "did:web:boston.example"]);
    let get = offered.lines().find(|l| l.contains("tegata get ")).unwrap();
    let provider = get.split_whitespace().find(|w| w.starts_with("https://")).unwrap();
    assert!(does(at, &["catalog", provider, "--dir", "boston"]).contains("urn:dataset:health"));

    let got = does(at, &["get", provider, "urn:dataset:health", "--dir", "boston", "--out", "got.csv"]);
    assert!(got.contains("got.csv"), "{got}");
    assert_eq!(fs::read(at.join("got.csv")).unwrap(), fs::read(&data).unwrap());
    assert!(does(at, &["why", "--dir", "munich"]).contains("completed"));

    let anchors = ["--anchors", "authority/ca.pem"];
    for node in ["munich", "boston"] {
        let out = format!("evidence-{node}");
        does(at, &["evidence", "--dir", node, "--out", &out]);
        let (container, policy, script) = (format!("{out}/evidence.asice"), format!("{out}/log.policy"), format!("{out}/verify.sh"));
        does(at, &[&["verify", &container, "--policy", &policy, "--data", "got.csv"], &anchors[..]].concat());
        let by_openssl = Command::new("sh")
            .args([&script, "--anchors", "authority/ca.pem", "--policy", &policy, &container, "got.csv"])
            .current_dir(at)
            .output()
            .unwrap();
        assert!(by_openssl.status.success(), "{}", said(&by_openssl));
    }

    // A participant whose certificates are taken back gets nothing more, and is told so.
    does(at, &["authority", "--revoke", "did:web:boston.example"]);
    std::thread::sleep(std::time::Duration::from_secs(1));
    let out = run(at, &["get", provider, "urn:dataset:health", "--dir", "boston", "--out", "again.csv", "--wait", "3"]);
    assert_eq!(out.status.code(), Some(3), "{}", said(&out));
    assert!(!at.join("again.csv").exists());
    drop(authority);
}

#[test]
fn a_law_that_refuses_is_told_with_its_rule_and_nothing_moves() {
    let folder = Folder::fresh("refused");
    let at = folder.0.as_path();
    let examples = repository().join("examples");
    let facts = fs::read_to_string(examples.join("nodes/munich-boston.toml")).unwrap();
    fs::write(at.join("facts.toml"), facts.replace("listed = [\"us_dpf\"]", "listed = []")).unwrap();
    fs::write(at.join("table.csv"), "a,b\n1,2\n").unwrap();
    let _authority = Serving::start(at, &["authority", "--listen", "127.0.0.1:0"], 3);
    does(at, &["enroll", "--dir", "munich", "--name", "Demo Nord GmbH", "--country", "DE"]);
    does(at, &["enroll", "--dir", "boston", "--name", "Demo Labs Inc.", "--country", "US"]);
    let again = run(at, &["enroll", "--dir", "munich", "--name", "x", "--country", "DE"]);
    assert_eq!(again.status.code(), Some(2), "a folder is enrolled once: {}", said(&again));
    let not_serving = run(at, &["get", "https://127.0.0.1:1/dsp", "urn:x", "--dir", "boston"]);
    assert_eq!(not_serving.status.code(), Some(3));
    assert!(said(&not_serving).contains("TGT-C011"), "{}", said(&not_serving));
    let _munich = Serving::start(at, &["serve", "--dir", "munich"], 2);
    let _boston = Serving::start(at, &["serve", "--dir", "boston"], 2);
    let nobody = run(at, &["catalog", "https://127.0.0.1:1/dsp", "--dir", "boston"]);
    assert_eq!(nobody.status.code(), Some(3), "{}", said(&nobody));
    assert!(said(&nobody).contains("peer/unreachable"), "{}", said(&nobody));
    let keys = run(at, &["offer", "munich/seal.key", "--dir", "munich", "--facts", "facts.toml", "--to", "did:web:boston.example"]);
    assert_eq!(keys.status.code(), Some(2), "nothing of the node's own folder is offered: {}", said(&keys));

    let offered = does(at, &["offer", "table.csv", "--dir", "munich", "--facts", "facts.toml", "--to", "did:web:boston.example"]);
    let provider = offered.split_whitespace().find(|w| w.starts_with("https://")).unwrap().to_string();
    let out = run(at, &["get", &provider, "urn:dataset:table", "--dir", "boston", "--out", "got.csv"]);
    assert_eq!(out.status.code(), Some(3), "{}", said(&out));
    assert!(said(&out).contains("GDPR Art. 44"), "{}", said(&out));
    assert!(!at.join("got.csv").exists());
    assert!(does(at, &["why", "--dir", "boston"]).contains("eu.gdpr.44"));
}

/// One request to a node's pages, with its own secret.
fn call(at: &Path, dir: &str, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    use std::io::{Read, Write};
    let door: String = fs::read_to_string(at.join(dir).join("door.json")).unwrap();
    let field = |name: &str| door.split(&format!("\"{name}\": \"")).nth(1).unwrap().split('"').next().unwrap().to_string();
    let (address, token) = (field("address"), field("token"));
    let host = address.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).unwrap();
    let text = String::from_utf8_lossy(&raw).into_owned();
    (text.split(' ').nth(1).unwrap().parse().unwrap(), text)
}

#[test]
fn a_write_under_one_key_is_done_once_and_a_copy_of_a_running_node_starts_again() {
    let folder = Folder::fresh("keys");
    let at = folder.0.as_path();
    fs::write(at.join("table.csv"), "a,b\n1,2\n").unwrap();
    let _authority = Serving::start(at, &["authority", "--listen", "127.0.0.1:0"], 3);
    does(at, &["enroll", "--dir", "munich", "--name", "Demo Nord GmbH", "--country", "DE"]);
    let munich = Serving::start(at, &["serve", "--dir", "munich"], 2);
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(at.join("munich/door.json")).unwrap().permissions());
    assert_eq!(mode & 0o077, 0, "the secret of this start is for its user alone");
    let offer = |title: &str| format!(r#"{{"dataset":"urn:x","title":"{title}","source":"{}","facts":{{"exporter.place":"DE"}}}}"#, at.join("table.csv").display());
    let key = "idempotency-key: one\r\n";
    let (status, first) = call(at, "munich", "POST", "/v1/offers", key, &offer("a"));
    assert_eq!(status, 201, "{first}");
    let (status, again) = call(at, "munich", "POST", "/v1/offers", key, &offer("a"));
    assert!(status == 201 && again.to_lowercase().contains("idempotent-replayed: true"), "{again}");
    assert_eq!(first.split("\r\n\r\n").nth(1), again.split("\r\n\r\n").nth(1), "the same answer");
    let (status, other) = call(at, "munich", "POST", "/v1/offers", key, &offer("b"));
    assert!(status == 422 && other.contains("TGT-H017"), "{other}");
    // What failed without effect may be tried again under its key.
    let (status, _) = call(at, "munich", "POST", "/v1/catalog", "idempotency-key: two\r\n", r#"{"provider":"https://127.0.0.1:1/dsp"}"#);
    assert_eq!(status, 502);
    let (status, _) = call(at, "munich", "POST", "/v1/catalog", "idempotency-key: two\r\n", r#"{"provider":"https://127.0.0.1:1/dsp"}"#);
    assert_eq!(status, 502);
    // A token is shown once, does what its role says, and ends when it is revoked.
    let secret = does(at, &["token", "make", "reader", "--role", "read", "--dir", "munich"]);
    fs::write(at.join("reader.token"), &secret).unwrap();
    let address = munich.lines[0].trim_end_matches('/').to_string();
    let reader = ["--at", address.as_str(), "--token-file", "reader.token"];
    does(at, &[&["offer"], &reader[..]].concat());
    let act = run(at, &[&["catalog", "https://127.0.0.1:1/dsp"], &reader[..]].concat());
    assert!(act.status.code() == Some(2) && said(&act).contains("TGT-H003"), "{}", said(&act));
    assert!(does(at, &["token", "--dir", "munich"]).contains("reader"));
    does(at, &["token", "revoke", "reader", "--dir", "munich"]);
    let gone = run(at, &[&["offer"], &reader[..]].concat());
    assert!(said(&gone).contains("TGT-H002"), "{}", said(&gone));
    // A node of the trial may move its legal clock.
    let (status, moved) = call(at, "munich", "POST", "/v1/legal-day", "", r#"{"day":"2020-07-15"}"#);
    assert_eq!(status, 200, "{moved}");

    does(at, &["backup", "--dir", "munich", "copy.backup"]);
    let twice = run(at, &["backup", "--dir", "munich", "copy.backup"]);
    assert!(!twice.status.success() && said(&twice).contains("store/occupied"), "{}", said(&twice));
    drop(munich);
    fs::create_dir(at.join("second")).unwrap();
    for entry in fs::read_dir(at.join("munich")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        // Keys, certificates and the configuration are not in the copy: it holds what was remembered.
        if path.is_file() && !name.starts_with("tegata.sqlite") && name != "lock" && name != "door.json" {
            fs::copy(&path, at.join("second").join(name)).unwrap();
        }
    }
    does(at, &["restore", "copy.backup", "--dir", "second"]);
    let _second = Serving::start(at, &["serve", "--dir", "second"], 2);
    assert!(does(at, &["offer", "--dir", "second"]).contains("urn:x"));

    let none = run(at, &["backup", "--dir", "nothing", "n.backup"]);
    assert!(said(&none).contains("store/not-a-store") && said(&none).lines().count() == 1, "{}", said(&none));
    let none = run(at, &["restore", "nothing.backup", "--dir", "third"]);
    assert!(said(&none).contains("store/not-a-store") && !at.join("third").exists(), "{}", said(&none));
    fs::write(at.join("rubbish"), "no store").unwrap();
    let none = run(at, &["restore", "rubbish", "--dir", "third"]);
    assert!(!none.status.success() && !at.join("third").exists(), "nothing half-made stays: {}", said(&none));
}

#[test]
fn production_takes_nothing_of_the_trial() {
    let folder = Folder::fresh("production");
    let at = folder.0.as_path();
    let _authority = Serving::start(at, &["authority", "--listen", "127.0.0.1:0"], 3);
    does(at, &["enroll", "--dir", "munich", "--name", "Demo Nord GmbH", "--country", "DE"]);
    let file = at.join("munich/tegata.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("mode = \"demo\""), "{text}");
    fs::write(&file, text.replace("mode = \"demo\"", "mode = \"production\"")).unwrap();
    let out = run(at, &["serve", "--dir", "munich"]);
    assert_eq!(out.status.code(), Some(2), "{}", said(&out));
    assert!(said(&out).contains("config/demo-only"), "{}", said(&out));
    for (line, code) in [("legal_day = \"2020-07-15\"\n", "config/demo-only"), ("lisen = 1\n", "config/malformed"), ("[law]\naccept_drafted = [\"x.y\"]\n", "config/no-such-rule"), ("[law]\nmeasures = [\"x.y\"]\n", "config/no-such-measure")] {
        fs::create_dir_all(at.join("empty")).unwrap();
        fs::write(at.join("empty/tegata.toml"), format!("pages = \"127.0.0.1:0\"\ndirectory = \".\"\n{line}")).unwrap();
        let out = run(at, &["serve", "--dir", "empty"]);
        assert!(out.status.code() == Some(2) && said(&out).contains(code), "{line}: {}", said(&out));
        assert_eq!(said(&out).lines().count(), 1, "{}", said(&out));
    }
}

#[test]
fn peers_that_answer_nothing_nonsense_or_slowly_get_one_line() {
    use std::io::Write;
    use std::net::TcpListener;
    let folder = Folder::fresh("peers");
    let at = folder.0.as_path();
    let _authority = Serving::start(at, &["authority", "--listen", "127.0.0.1:0"], 3);
    does(at, &["enroll", "--dir", "munich", "--name", "Demo Nord GmbH", "--country", "DE"]);
    let file = at.join("munich/tegata.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("answer_ms = 10000", "answer_ms = 700")).unwrap();
    let _munich = Serving::start(at, &["serve", "--dir", "munich"], 2);
    let asks = |what: &str, peer: fn(std::net::TcpStream)| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let provider = format!("https://{}/dsp", listener.local_addr().unwrap());
        std::thread::spawn(move || listener.incoming().flatten().for_each(peer));
        let before = std::time::Instant::now();
        let out = run(at, &["catalog", &provider, "--dir", "munich"]);
        assert_eq!(out.status.code(), Some(3), "{what}: {}", said(&out));
        assert!(said(&out).contains("peer/") && said(&out).lines().count() == 1, "{what}: {}", said(&out));
        assert!(before.elapsed() < std::time::Duration::from_secs(30), "{what}");
    };
    asks("nothing", |stream| std::mem::forget(stream));
    asks("a closed line", drop);
    asks("nonsense", |mut stream| drop(stream.write_all(b"220 mail.example ESMTP\r\n")));
    asks("byte by byte", |mut stream| {
        for b in b"HTTP/1.1 200 OK\r\n" {
            let _slow = stream.write_all(&[*b]);
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    });
}
