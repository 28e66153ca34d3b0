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
