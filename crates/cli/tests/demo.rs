//! The demo follows from the rulebook and the table: one edit turns exactly the steps that it must.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn fresh(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("tegata-demo-test-{}-{name}", std::process::id()));
    let _gone = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{} does not say {from}", file.display());
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

struct Told {
    ok: bool,
    /// What each scene said, without what differs from run to run.
    scenes: BTreeMap<u32, String>,
}

fn play(dir: &Path, more: &[&str]) -> Told {
    let play = dir.join("play");
    let out = Command::new(env!("CARGO_BIN_EXE_tegata"))
        .args(["demo", "--headless", "--lang", "en", "--dir", play.to_str().unwrap()])
        .args(more)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let mut scenes: BTreeMap<u32, String> = BTreeMap::new();
    let mut at = 0;
    for line in text.lines() {
        if let Some(n) = line.strip_prefix("── ").and_then(|l| l.split(' ').next()).and_then(|n| n.parse().ok()) {
            at = n;
        }
        let varies = ["https://", " ms", "chunks", "manifest ", "sha256 ", " passed ", "bytes"];
        if !varies.iter().any(|v| line.contains(v)) {
            scenes.entry(at).or_default().push_str(&format!("{line}\n"));
        }
    }
    fs::remove_dir_all(play).unwrap();
    Told { ok: out.status.success(), scenes }
}

/// The scenes that say something else.
fn turned(a: &Told, b: &Told, among: &[u32]) -> Vec<u32> {
    among.iter().copied().filter(|n| a.scenes.get(n) != b.scenes.get(n)).collect()
}

fn rules(dir: &Path) -> PathBuf {
    let rules = dir.join("rules");
    copy(&repository().join("rules"), &rules);
    // Worked cases name the entries that they rest on; without one of these the book would not load.
    fs::remove_dir_all(rules.join("cases")).unwrap();
    rules
}

const ALL: [u32; 5] = [1, 2, 4, 5, 6];

#[test]
fn as_it_stands_every_step_follows() {
    let dir = fresh("plain");
    let told = play(&dir, &[]);
    assert!(told.ok, "{:#?}", told.scenes);
    assert!(told.scenes[&4].contains("eu.gdpr.44"), "{}", told.scenes[&4]);
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn without_the_adequacy_of_japan_scene_2_alone_turns() {
    let dir = fresh("delete");
    let rules = rules(&dir);
    let plain = play(&dir, &["--rules", rules.to_str().unwrap()]);
    let list = rules.join("lists/eu-adequacy.md");
    let text = fs::read_to_string(&list).unwrap();
    let kept: Vec<&str> = text.lines().filter(|l| !l.starts_with("entry JP:")).collect();
    assert!(kept.len() < text.lines().count());
    fs::write(&list, kept.join("\n") + "\n").unwrap();
    let told = play(&dir, &["--rules", rules.to_str().unwrap()]);
    assert_eq!(turned(&plain, &told, &ALL), [2]);
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_judgment_a_day_later_does_not_stop_the_flow() {
    let dir = fresh("date");
    let rules = rules(&dir);
    let list = rules.join("lists/eu-adequacy.md");
    // The entry that fell on 16 July 2020 falls a day later; the flow runs on through scene 4, which then does not follow.
    edit(&list, "annulled 2020-07-16", "annulled 2020-07-17");
    let told = play(&dir, &["--rules", rules.to_str().unwrap()]);
    assert!(!told.ok, "scene 4 must not follow: {:?}", told.scenes.get(&4));
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn one_more_column_of_names_turns_the_look_alone() {
    let dir = fresh("column");
    let world = dir.join("world");
    copy(&repository().join("examples/data"), &dir.join("data"));
    copy(&repository().join("examples/world"), &world);
    let file = world.join("demo.toml");
    let plain = play(&dir, &["--world", file.to_str().unwrap()]);
    let table = dir.join("data/health.csv");
    let text = fs::read_to_string(&table).unwrap();
    let added: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(i, l)| if i == 0 { format!("{l},contact_person") } else { format!("{l},{}", l.split(',').next().unwrap_or("")) })
        .collect();
    fs::write(&table, added.join("\n") + "\n").unwrap();
    let told = play(&dir, &["--world", file.to_str().unwrap()]);
    assert_eq!(turned(&plain, &told, &[1, 2, 4]), [1]);
    assert!(told.ok, "the release still drops what identifies: {:#?}", told.scenes.get(&5));
    fs::remove_dir_all(dir).unwrap();
}
