//! `tegata doctor` finds and explains what is wrong on a machine, one line each; and `serve` starts on nothing at all.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::{Command, Output},
};

fn tegata(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tegata")).args(args).env("NO_COLOR", "1").env("TEGATA_LANG", "en").output().unwrap()
}

struct Folder(PathBuf);

impl Folder {
    fn fresh(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("tegata-doctor-{}-{name}", std::process::id()));
        let _old = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn text(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// A configuration in this folder, with a line more.
    fn config(&self, more: &str) -> String {
        fs::write(self.0.join("tegata.toml"), format!("directory = \".\"\nlisten = \"127.0.0.1:0\"\npages = \"127.0.0.1:0\"\n{more}")).unwrap();
        self.text("tegata.toml")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// The line that doctor says of one thing, and what it says to do.
fn finding(args: &[&str], state: &str, name: &str, words: &str) {
    let out = tegata(&[&["doctor"], args].concat());
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|l| l.starts_with(state) && l[6..].starts_with(name) && l.contains(words));
    let at = at.unwrap_or_else(|| panic!("no `{state} {name} … {words}` in:\n{text}"));
    if state != "ok" {
        assert!(lines.get(at + 1).is_some_and(|l| l.trim_start().starts_with('→')), "it says what to do:\n{text}");
    }
    assert_eq!(out.status.code(), Some(if text.lines().any(|l| l.starts_with("fail")) { 1 } else { 0 }), "{text}");
}

#[test]
fn a_wrong_clock_and_old_rules() {
    let folder = Folder::fresh("clock");
    let config = folder.config("");
    finding(&["--config", &config, "--now", "2020-01-01"], "fail", "clock", "before the rules were read");
    finding(&["--config", &config, "--now", "2040-01-01"], "fail", "clock", "ten years after");
    finding(&["--config", &config, "--now", "2028-01-01"], "warn", "rules", "older than their interval");
    finding(&["--config", &config], "ok", "clock", "20");
    // A folder without a configuration runs on defaults.
    let bare = Folder::fresh("bare");
    finding(&["--dir", &bare.text("")], "ok", "config", "no file");
    finding(&["--dir", &bare.text("")], "ok", "directory", "bare");
}

#[test]
fn a_port_in_use_and_a_peer_that_is_not_there() {
    let folder = Folder::fresh("port");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    fs::write(folder.0.join("tegata.toml"), format!("directory = \".\"\nlisten = \"{at}\"\n")).unwrap();
    finding(&["--dir", &folder.text("")], "fail", "port", &at);
    let config = folder.config("");
    finding(&["--config", &config, "--peer", "https://127.0.0.1:1"], "fail", "peer", "127.0.0.1:1");
    finding(&["--config", &config, "--peer", "https://no-such-host.invalid"], "fail", "peer", "no address");
    finding(&["--config", &config, "--peer", &format!("https://{at}")], "ok", "peer", "answers");
}

#[test]
fn certificates_that_are_missing_or_expired() {
    let folder = Folder::fresh("certificates");
    let config = folder.config("");
    finding(&["--config", &config], "fail", "tls", "tls.pem");
    let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/evidence/anchors.pem");
    for name in ["tls.pem", "seal.pem", "anchors.pem"] {
        fs::copy(&example, folder.0.join(name)).unwrap();
    }
    finding(&["--config", &config, "--now", "2090-01-01"], "fail", "anchors", "expired on");
    finding(&["--config", &config], "ok", "anchors", "is good until");
}

#[cfg(unix)]
#[test]
fn a_full_disk() {
    let folder = Folder::fresh("disk");
    let config = folder.config("");
    // No file may grow beyond 100 blocks: the write fails as on a full disk.
    let script = format!("trap '' XFSZ; ulimit -f 100; exec {} doctor --config {config}", env!("CARGO_BIN_EXE_tegata"));
    let out = Command::new("sh").args(["-c", &script]).env("NO_COLOR", "1").output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(text.lines().any(|l| l.starts_with("fail") && l.contains("disk")), "{text}");
    assert_eq!(out.status.code(), Some(1));
    assert!(!folder.0.join(".tegata-doctor.tmp").exists(), "nothing half-written stays");
}

#[test]
fn a_rule_that_is_accepted_by_a_wrong_name() {
    let folder = Folder::fresh("law");
    let config = folder.config("[law]\naccept_drafted = [\"eu.gdpr.4\"]\n");
    finding(&["--config", &config], "fail", "law", "eu.gdpr.4");
    let config = folder.config("[law]\naccept_drafted = [\"th.pdpa\"]\n");
    finding(&["--config", &config], "warn", "law", "th.pdpa");
    let config = folder.config("lisen = 1\n");
    finding(&["--config", &config], "fail", "config", "lisen");
}
