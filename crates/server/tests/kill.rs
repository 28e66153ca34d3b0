//! Death of sender and receiver, two processes with a counting proxy between: at every named place and at random moments,
//! on a disk that keeps its word and on one that drops what was not synced and tears the last write.
//!
//! The long run, a hundred random moments on each disk with the histogram kept: `cargo xtask kills`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(target_os = "linux")]

mod port;
mod three;

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;
use three::disk::{Dice, Disk, compile};
use three::{LONG, Scene, Stage, until};

/// Whole blocks, which go straight to the disk; the last chunk of a delivery is shorter and goes the usual way.
const CHUNK: usize = 4_096;

/// What a process of a test is; in the test run itself it has nothing to do.
#[test]
fn a_party() {
    three::party::run_if_asked();
}

fn stage(n_rows: usize, faulty: bool, seed: u64) -> Stage {
    Stage { proxied: true, faulty, seed, ..Stage::plain(n_rows, CHUNK as u64) }
}

/// The provider's id of a transfer of ours.
fn provider_pid(scene: &mut Scene, transfer: &str) -> String {
    until("the provider's id", || {
        let id = scene.ask("kita", &json!({ "do": "provider_pid", "transfer": transfer })).ok()?;
        id.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
    })
}

/// Everything that must hold when all transfers are complete, whatever died.
fn check(scene: &mut Scene, transfers: &[String], what: &str) {
    let n_chunks = scene.data.len().div_ceil(CHUNK) as u64;
    let mut resent = 0;
    let mut of_flow: BTreeMap<String, String> = BTreeMap::new();
    for transfer in transfers {
        let got = scene.got(transfer);
        assert_eq!(fs::read(got["path"].as_str().unwrap()).unwrap(), scene.data, "{what}: {transfer}");
        let flow = provider_pid(scene, transfer);
        until("the receipt at the sender", || {
            let report = scene.ask("nord", &json!({ "do": "report" })).ok()?;
            let one = report.as_array()?.iter().find(|r| r["id"] == flow.as_str())?;
            one["parts"].to_string().contains("receipt").then_some(())
        });
        let given = scene.proxy.as_ref().unwrap().of(&flow);
        let mut durable = 0;
        for one in &given {
            // What the receiver said it had on its disk is never given again.
            assert!(one.number >= durable, "{what}: chunk {} went though {durable} were durable", one.number);
            assert_eq!(one.number, one.have, "{what}: the window is 1");
            durable = durable.max(one.have);
        }
        let distinct: BTreeSet<u64> = given.iter().filter(|g| g.whole).map(|g| g.number).collect();
        assert_eq!(distinct, (0..n_chunks).collect(), "{what}: chunks that went through whole");
        resent += given.len() as u64 - n_chunks;
        of_flow.insert(flow, transfer.clone());
    }
    // With a window of 1 a death leaves at most one chunk that was not acknowledged durable.
    let deaths = u64::from(scene.deaths);
    assert!(resent <= deaths, "{what}: {resent} chunks went again after {deaths} deaths");
    for who in ["nord", "kita"] {
        leaves(scene, who, &of_flow, n_chunks, what);
    }
}

/// The set of leaves: dense, each readable, none twice, and for each transfer exactly those that must be there.
fn leaves(scene: &mut Scene, who: &str, of_flow: &BTreeMap<String, String>, n_chunks: u64, what: &str) {
    let all = until("the leaves", || scene.ask(who, &json!({ "do": "leaves" })).ok());
    let all = all.as_array().unwrap();
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    let mut count: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (number, leaf) in all.iter().enumerate() {
        assert!(leaf.is_object(), "{what}: leaf {number} of {who} cannot be read");
        let mut one = leaf.clone();
        one.as_object_mut().unwrap().remove("at");
        *told.entry(one.to_string()).or_default() += 1;
        let word = |key: &str| leaf[key].as_str().unwrap_or_default().to_owned();
        *count.entry((word("kind"), word("process"))).or_default() += 1;
    }
    let starts = scene.starts[who];
    for (one, n) in told {
        let leaf: Value = serde_json::from_str(&one).unwrap();
        // A restart loads the rules and decides afresh; nothing else is told twice.
        let again = ["rules_loaded", "decided", "pass_issued"].contains(&leaf["kind"].as_str().unwrap());
        let most = if again { starts + 2 } else { 1 };
        assert!(n <= most, "{what}: {n} times at {who}: {one}");
    }
    for (flow, transfer) in of_flow {
        let must: &[(&str, &str, u64)] = match who {
            "nord" => &[("flow_opened", flow, 1), ("manifest_committed", flow, 1), ("sealed", flow, 1), ("received", flow, 1)],
            _ => &[("chunk_received", transfer, n_chunks), ("manifest_committed", flow, 1), ("received", transfer, 1)],
        };
        for (kind, process, n) in must {
            let found = count.get(&((*kind).to_owned(), (*process).to_owned())).copied().unwrap_or(0);
            assert_eq!(found, *n, "{what}: {kind} of {process} at {who}");
        }
    }
}

/// Places that small deliveries pass; backup, restore and a long write-ahead log have tests of their own in `store`.
fn places() -> Vec<&'static str> {
    let passed = |p: &&str| {
        !p.starts_with("store.backup") && !p.starts_with("store.restore") && !p.starts_with("store.wal")
    };
    node::crash_points().into_iter().filter(passed).collect()
}

/// Each place of one side in turn, one a life, while deliveries go on.
fn dies_at_every_place(faulty: bool) {
    let what = if faulty { "faulty disk" } else { "good disk" };
    let mut scene = Scene::on(stage(2_400, faulty, 7));
    for place in places() {
        // Not the first time, so that a delivery has begun; the first where it happens once.
        let once = ["provide.manifest", "provide.receipt", "get.receipt", "sink.assemble", "sink.create", "prove"];
        let nth = if once.iter().any(|o| place.starts_with(o)) { place.to_owned() } else { format!("{place}:3") };
        for who in ["nord", "kita"] {
            let other = if who == "nord" { ["get", "sink"] } else { ["provide", "provide"] };
            if !other.iter().any(|o| place.starts_with(o)) {
                scene.places.entry(who.into()).or_default().push_back(nth.clone());
            }
        }
    }
    let all: usize = scene.places.values().map(|p| p.len()).sum();
    for who in ["nord", "kita"] {
        scene.kill(who);
    }
    let mut transfers = Vec::new();
    let mut idle = 0;
    while scene.died.len() < all {
        let before = scene.died.len();
        let transfer = scene.begin();
        scene.got(&transfer);
        transfers.push(transfer);
        idle = if scene.died.len() == before { idle + 1 } else { 0 };
        assert!(idle < 3, "{what}: nobody dies any more; left: {:?}", scene.places);
    }
    check(&mut scene, &transfers, what);
    report_disks(&scene, what);
}

fn report_disks(scene: &Scene, what: &str) {
    let (lost, torn) = scene.disks.values().fold((0, 0), |(l, t), d| (l + d.lost, t + d.torn));
    println!("{what}: {} deaths, {lost} writes and names lost, {torn} torn", scene.deaths);
    assert!(scene.disks.is_empty() || (lost > 0 && torn > 0), "the faulty disk lost nothing");
}

#[test]
fn death_at_every_named_place_costs_nothing_but_time() {
    dies_at_every_place(false);
}

#[test]
fn death_at_every_named_place_on_a_disk_that_forgets() {
    dies_at_every_place(true);
}

/// Where between the first and the last chunk the kills fell.
#[derive(Default)]
struct Moments {
    before: u64,
    tenths: [u64; 10],
    after: u64,
}

impl Moments {
    fn between(&self) -> u64 {
        self.tenths.iter().sum()
    }

    fn render(&self) -> String {
        let mut out = String::new();
        let mut line = |name: &str, n: u64| {
            let _ = writeln!(out, "{name:>22} {n:>4} {}", "#".repeat(n as usize));
        };
        line("before the first", self.before);
        for (tenth, n) in self.tenths.iter().enumerate() {
            line(&format!("{:>3} to {:>3} % given", tenth * 10, tenth * 10 + 10), *n);
        }
        line("after the last", self.after);
        out
    }
}

/// Kills at random moments: of five, four between the first and the last chunk.
fn killed_at_random(n_kills: u64, faulty: bool, seed: u64) -> (Moments, String) {
    let what = if faulty { "faulty disk" } else { "good disk" };
    let mut scene = Scene::on(stage(if n_kills > 20 { 24_000 } else { 12_000 }, faulty, seed));
    let n_chunks = scene.data.len().div_ceil(CHUNK) as u64;
    let mut dice = Dice(seed ^ 0xdead);
    let (mut moments, mut transfers, mut n) = (Moments::default(), Vec::new(), 0);
    while n < n_kills {
        let who = |dice: &mut Dice| if dice.below(2) == 0 { "nord" } else { "kita" };
        let kills = (n_kills - n).min(5);
        n += kills;
        let edge = kills == 5;
        let mut goals: Vec<u64> = (0..kills - u64::from(edge)).map(|_| 1 + dice.below(n_chunks - 2)).collect();
        goals.sort_unstable();
        let transfer = scene.begin();
        if edge && transfers.len() % 2 == 0 {
            std::thread::sleep(Duration::from_millis(dice.below(10)));
            kill(&mut scene, who(&mut dice), None, n_chunks, &mut moments);
        }
        let flow = provider_pid(&mut scene, &transfer);
        for goal in goals {
            await_chunks(&scene, &flow, goal);
            // Somewhere within the chunks that follow.
            std::thread::sleep(Duration::from_micros(dice.below(2_000)));
            kill(&mut scene, who(&mut dice), Some(&flow), n_chunks, &mut moments);
        }
        if edge && transfers.len() % 2 == 1 {
            await_chunks(&scene, &flow, n_chunks);
            std::thread::sleep(Duration::from_micros(dice.below(30_000)));
            kill(&mut scene, who(&mut dice), Some(&flow), n_chunks, &mut moments);
        }
        scene.got(&transfer);
        transfers.push(transfer);
    }
    check(&mut scene, &transfers, what);
    report_disks(&scene, what);
    let resent: u64 = transfers
        .iter()
        .map(|t| {
            let flow = provider_pid(&mut scene, t);
            scene.proxy.as_ref().unwrap().of(&flow).len() as u64 - n_chunks
        })
        .sum();
    let words = format!(
        "{what}: {n_kills} kills in {} transfers of {n_chunks} chunks, {} between first and last chunk, {resent} chunks resent\n{}",
        transfers.len(),
        moments.between(),
        moments.render()
    );
    (moments, words)
}

/// Waits until so many chunks are through, looking far more often than chunks come on a quick machine.
fn await_chunks(scene: &Scene, flow: &str, goal: u64) {
    let given = scene.proxy.as_ref().unwrap();
    let begun = std::time::Instant::now();
    while given.whole(flow) < goal {
        assert!(begun.elapsed() < LONG, "chunk {goal} did not come");
        std::thread::sleep(Duration::from_micros(100));
    }
}

fn kill(scene: &mut Scene, who: &str, flow: Option<&str>, n_chunks: u64, moments: &mut Moments) {
    let given = scene.proxy.as_ref().unwrap();
    match flow.map_or(0, |flow| given.whole(flow)) {
        0 => moments.before += 1,
        n if n >= n_chunks => moments.after += 1,
        n => moments.tenths[(n * 10 / n_chunks).min(9) as usize] += 1,
    }
    scene.kill(who);
}

#[test]
fn kill_at_random_moments_costs_nothing_but_time() {
    // LIMIT: few moments here, half of them on each disk; the long run has a hundred on each.
    let long: Option<u64> = std::env::var("TEGATA_KILLS").ok().and_then(|n| n.parse().ok());
    let n_kills = long.unwrap_or(6);
    let mut kept = String::new();
    for (faulty, seed) in [(false, 11), (true, 13)] {
        let (moments, words) = killed_at_random(n_kills, faulty, seed);
        println!("{words}");
        kept.push_str(&words);
        kept.push('\n');
        assert!(moments.between() * 10 >= n_kills * 6, "{words}");
    }
    if let Ok(path) = std::env::var("TEGATA_KILLS_TO") {
        fs::write(path, kept).unwrap();
    }
}

/// Both sides as they stand, once nothing is on its way: each process of one with that of the other, and their states.
fn settled(scene: &mut Scene) -> BTreeMap<String, (String, String)> {
    until("both sides to settle", || {
        let theirs = scene.ask("nord", &json!({ "do": "processes" })).ok()?;
        let ours = scene.ask("kita", &json!({ "do": "processes" })).ok()?;
        let rows = |v: &Value| v.as_array().cloned().unwrap_or_default();
        let (theirs, ours) = (rows(&theirs), rows(&ours));
        let final_state = |row: &Value| ["FINALIZED", "COMPLETED", "TERMINATED"].contains(&row["state"].as_str().unwrap());
        let done = |row: &Value| row["settled"] == true && final_state(row);
        if ours.len() != theirs.len() || !ours.iter().chain(&theirs).all(done) {
            return None;
        }
        // Every negotiation that was agreed has its transfer.
        let kinds = |kind: &str| ours.iter().filter(|r| r["kind"] == kind).count();
        if kinds("negotiation") != kinds("transfer") {
            return None;
        }
        let mut pairs = BTreeMap::new();
        for row in &ours {
            let other = theirs.iter().find(|t| t["id"] == row["peer_pid"])?;
            assert_eq!(other["peer_pid"], row["id"], "the two sides name each other's process");
            let state = |r: &Value| r["state"].as_str().unwrap().to_owned();
            pairs.insert(row["id"].as_str().unwrap().to_owned(), (state(row), state(other)));
        }
        Some(pairs)
    })
}

/// What a side told its log of one negotiation: the states of the protocol, in the order in which it reached them.
fn told(scene: &mut Scene, who: &str, process: &str) -> Vec<String> {
    let events = until("the events", || scene.ask(who, &json!({ "do": "events", "process": process })).ok());
    let of = |e: &Value| match e[1]["kind"].as_str()? {
        "negotiated" => e[1]["rules"][0].as_str()?.strip_prefix("dsp ").map(str::to_owned),
        "agreed" => Some("FINALIZED".to_owned()),
        _ => None,
    };
    events.as_array().unwrap().iter().filter_map(of).collect()
}

#[test]
fn kill_at_random_moments_of_the_protocol_leaves_both_sides_in_one_state() {
    // LIMIT: few moments here; the long run has two hundred, half of them on a disk that forgets.
    let long: Option<u64> = std::env::var("TEGATA_KILLS").ok().and_then(|n| n.parse().ok());
    let n_kills = long.unwrap_or(4);
    let mut kept = String::new();
    for (faulty, seed) in [(false, 17), (true, 19)] {
        let what = if faulty { "faulty disk" } else { "good disk" };
        let mut scene = Scene::on(Stage { faulty, seed, ..Stage::plain(100, CHUNK as u64) });
        let mut dice = Dice(seed ^ 0xbeef);
        let ask = json!({ "do": "ask", "provider": scene.provider(), "dataset": "urn:dataset:customers" });
        let begun = std::time::Instant::now();
        scene.ask("kita", &ask).unwrap();
        settled(&mut scene);
        // What one takes without a death, its settling included: the moments are spread over that.
        let span = u64::try_from(begun.elapsed().as_micros()).unwrap();
        let mut found: BTreeMap<String, u64> = BTreeMap::new();
        for _ in 0..n_kills {
            let negotiation = scene.ask("kita", &ask).unwrap().as_str().unwrap().to_owned();
            std::thread::sleep(Duration::from_micros(dice.below(span)));
            let who = if dice.below(2) == 0 { "nord" } else { "kita" };
            scene.kill(who);
            // How far the consumer is when the one that died is back.
            let rows = until("the processes", || scene.ask("kita", &json!({ "do": "processes" })).ok());
            let row = rows.as_array().unwrap().iter().find(|r| r["id"] == negotiation.as_str()).cloned();
            let at = row.map_or("nothing".to_owned(), |r| r["state"].as_str().unwrap().to_owned());
            *found.entry(at).or_default() += 1;
        }
        let pairs = settled(&mut scene);
        assert_eq!(pairs.len() as u64, 2 * (n_kills + 1), "{what}: a negotiation and a transfer for each request");
        for (process, (ours, theirs)) in &pairs {
            assert_eq!(ours, theirs, "{what}: {process}");
            assert_ne!(ours, "TERMINATED", "{what}: {process} was ended by a death");
        }
        let all = scene.ask("kita", &json!({ "do": "processes" })).unwrap();
        for row in all.as_array().unwrap().iter().filter(|r| r["kind"] == "negotiation") {
            for (who, id) in [("kita", &row["id"]), ("nord", &row["peer_pid"])] {
                let states = told(&mut scene, who, id.as_str().unwrap());
                // INVARIANT: each state once and in the order of the protocol, whatever was sent again.
                assert_eq!(states, ["REQUESTED", "AGREED", "VERIFIED", "FINALIZED"], "{what}: {who} {id}");
            }
        }
        let words = format!("{what}, through the protocol: {n_kills} kills over {span} us each; the consumer was then at {found:?}\n");
        println!("{words}");
        kept.push_str(&words);
    }
    if let Ok(path) = std::env::var("TEGATA_KILLS_TO") {
        let beside = std::path::Path::new(&path).with_file_name("KILLS-PROTOCOL.txt");
        fs::write(beside, kept).unwrap();
    }
}

/// The disk of these tests does forget: else they would prove nothing.
#[test]
fn a_disk_that_forgets_forgets() {
    let dir = tempfile::tempdir().unwrap();
    let shim = compile(dir.path());
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("old"), "old").unwrap();
    let mut disk = Disk::new(&root, &shim);
    let mut n_kept_whole = 0;
    for seed in 0..8 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "a_party", "--nocapture"]).stdout(std::process::Stdio::null());
        command.env("TEGATA_TEST_PARTY", "writer").env("TEGATA_TEST_DIRECTORY", &root);
        disk.put_under(&mut command);
        assert!(!command.status().unwrap().success());
        disk.lose_power(&mut Dice(seed));
        let named = fs::read(root.join("named")).unwrap();
        assert!(named.starts_with(&[b'a'; 600]), "{}", named.len());
        n_kept_whole += usize::from(named.len() == 2_600);
        if root.join("nothing").exists() {
            assert!(fs::read(root.join("nothing")).unwrap().len() < 2_001);
        }
        for name in ["named", "nameless", "nothing"] {
            let _ = fs::remove_file(root.join(name));
        }
        fs::write(root.join("old"), "old").unwrap();
    }
    assert!(disk.lost > 0 && disk.torn > 0 && n_kept_whole < 8);
}
