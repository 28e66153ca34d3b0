//! Releases of the rulebook through the program: what is refused, and that nothing is written then.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Command, Output},
};

struct Desk {
    folder: tempfile::TempDir,
    keys: Vec<String>,
}

impl Desk {
    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tegata")).args(args).current_dir(self.folder.path()).env("TEGATA_LANG", "en").output().unwrap()
    }

    fn good(&self, args: &[&str]) -> String {
        let out = self.run(args);
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    fn bad(&self, args: &[&str], code: &str) {
        let out = self.run(args);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(said.contains(&format!("error[{code}]")) && said.lines().count() == 1, "{args:?}: {said}");
        assert_ne!(out.status.code(), Some(0));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Three maintainers with the first edition of keys, and a small rulebook.
    fn new() -> Self {
        let mut desk = Self { folder: tempfile::tempdir().unwrap(), keys: Vec::new() };
        for name in ["aiko", "ben", "chi", "dai"] {
            let key = desk.good(&["rules", "key", "make", "--name", &format!("example.org/{name}"), "--out", &format!("{name}.key")]);
            desk.keys.push(key.trim().to_string());
        }
        let k = desk.keys.clone();
        let edition = ["rules", "key", "edition", "--number", "1", "--quorum", "2", "--key", &k[0], "--key", &k[1], "--key", &k[2]];
        desk.good(&[&edition[..], &["--sign", "aiko.key", "--sign", "ben.key", "--out", "keys-1.note"]].concat());
        fs::create_dir(desk.path("law")).unwrap();
        desk.law("# Law\n");
        desk
    }

    fn law(&self, text: &str) {
        fs::write(self.path("law/act.md"), text).unwrap();
    }

    fn release(&self, number: u32, keys: &[&str], by: &[&str]) -> String {
        let (file, n) = (format!("r{number}.json"), number.to_string());
        let mut args = vec!["rules", "release", "--number", &n, "--rules", "law", "--out", &file];
        keys.iter().for_each(|k| args.extend(["--keys", k]));
        by.iter().for_each(|k| args.extend(["--sign", k]));
        self.good(&args);
        file
    }

    fn take(&self, file: &str) -> Vec<String> {
        ["rules", "sync", file, "--to", "held", "--keys", "keys-1.note"].map(String::from).to_vec()
    }

    fn law_held(&self) -> String {
        fs::read_to_string(self.path("held/act.md")).unwrap_or_default()
    }
}

fn refs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

fn change(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_release_of_two_maintainers_is_taken_and_an_older_one_is_not() {
    let desk = Desk::new();
    let first = desk.release(1, &["keys-1.note"], &["aiko.key"]);
    desk.bad(&refs(&desk.take(&first)), "release/quorum");
    assert!(!desk.path("held").exists(), "nothing was written");
    // The second maintainer signs the same file.
    desk.good(&["rules", "release", "--sign", "ben.key", "--out", &first]);
    let said = desk.good(&refs(&[desk.take(&first), vec!["--dry-run".into()]].concat()));
    assert!(said.contains("nothing written") && !desk.path("held").exists());
    desk.good(&refs(&desk.take(&first)));
    assert_eq!(desk.law_held(), "# Law\n");
    assert!(desk.good(&refs(&desk.take(&first))).contains("held already"));
    desk.law("# Law, second\n");
    let second = desk.release(2, &["keys-1.note"], &["chi.key", "ben.key"]);
    desk.good(&refs(&desk.take(&second)));
    desk.bad(&refs(&desk.take(&first)), "release/downgrade");
    assert_eq!(desk.law_held(), "# Law, second\n");
    // Another release under the same number, well signed, is refused too; and a folder gives the newest.
    desk.law("# Law, third\n");
    let twin = desk.release(2, &["keys-1.note"], &["chi.key", "ben.key"]);
    desk.bad(&refs(&desk.take(&twin)), "release/same-number");
    let third = desk.release(3, &["keys-1.note"], &["chi.key", "ben.key"]);
    fs::create_dir(desk.path("all")).unwrap();
    for file in [&first, &third] {
        fs::copy(desk.path(file), desk.path("all").join(file)).unwrap();
    }
    assert!(desk.good(&refs(&desk.take("all"))).contains("release 3"));
}

#[test]
fn an_altered_file_or_line_is_refused_and_nothing_changes() {
    let desk = Desk::new();
    let file = desk.release(1, &["keys-1.note"], &["aiko.key", "ben.key"]);
    let whole = fs::read_to_string(desk.path(&file)).unwrap();
    for (from, to, code) in [
        ("# Law", "# Lax", "release/altered"),
        ("number 1", "number 9", "tlog/note-signature-bad"),
        ("\"act.md\"", "\"art.md\"", "release/unlisted"),
        ("tegata.rules-release.1", "tegata.rules-release.2", "release/form"),
        ("{", "", "release/form"),
    ] {
        fs::write(desk.path(&file), &whole).unwrap();
        change(&desk.path(&file), from, to);
        desk.bad(&refs(&desk.take(&file)), code);
    }
    assert!(!desk.path("held").exists());
    // By this program's own keys: there are none yet, and it says so. By a folder that is somebody else's: no.
    fs::write(desk.path(&file), &whole).unwrap();
    desk.bad(&["rules", "sync", &file, "--to", "held"], "release/no-keys");
    desk.bad(&["rules", "sync", &file, "--to", "law", "--keys", "keys-1.note"], "TGT-C014");
    desk.bad(&["rules", "sync", "nowhere.json", "--to", "held", "--keys", "keys-1.note"], "TGT-C001");
    desk.bad(&["rules", "release", "--sign", "keys-1.note", "--out", &file], "TGT-C013");
}

#[test]
fn keys_rotate_by_the_old_quorum_and_the_old_ones_end() {
    let desk = Desk::new();
    let first = desk.release(1, &["keys-1.note"], &["aiko.key", "ben.key"]);
    desk.good(&refs(&desk.take(&first)));
    let k = &desk.keys;
    let second = ["rules", "key", "edition", "--number", "2", "--quorum", "2", "--key", &k[1], "--key", &k[2], "--key", &k[3]];
    desk.good(&[&second[..], &["--sign", "dai.key", "--sign", "chi.key", "--out", "keys-2.note"]].concat());
    let rotated = desk.release(2, &["keys-2.note"], &["dai.key", "chi.key"]);
    desk.bad(&refs(&desk.take(&rotated)), "release/quorum");
    // A second of the old ones signs the edition; now it counts, and what the old edition signs counts no more.
    desk.good(&["rules", "key", "edition", "--sign", "ben.key", "--out", "keys-2.note"]);
    let rotated = desk.release(2, &["keys-2.note"], &["dai.key", "chi.key"]);
    assert!(desk.good(&refs(&desk.take(&rotated))).contains("keys edition 2"));
    let by_old = desk.release(3, &["keys-1.note"], &["aiko.key", "ben.key"]);
    desk.bad(&refs(&desk.take(&by_old)), "release/quorum");
}

#[test]
fn a_release_comes_over_the_network_of_this_machine() {
    let desk = Desk::new();
    let file = desk.release(1, &["keys-1.note"], &["aiko.key", "ben.key"]);
    let body = fs::read(desk.path(&file)).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{file}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).unwrap();
    });
    let anchors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/evidence/anchors.pem");
    let anchors = anchors.to_string_lossy();
    let out = desk.run(&["rules", "sync", &url, "--to", "held", "--keys", "keys-1.note", "--ca", &anchors]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    served.join().unwrap();
    // Nobody there: exit 3. Not loopback and not https: not called.
    let out = desk.run(&["rules", "sync", &url, "--to", "held", "--keys", "keys-1.note", "--ca", &anchors]);
    assert_eq!(out.status.code(), Some(3));
    desk.bad(&["rules", "sync", "ftp://127.0.0.1/x", "--to", "held", "--keys", "keys-1.note", "--ca", &anchors], "peer/address");
}
