//! Moves one generated table between two nodes, three processes in all, and measures rate, memory and start.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -p bench-carry -- [MEGABYTES] [TEGATA]`; 1,000 MB unless said
//! otherwise; TEGATA is the program, to measure `serve` too. Each rate stands beside its baseline of the same run:
//! sealed transfer beside a copy of the same file over plain rustls into a synced file, and de-identified transfer beside
//! parsing and writing the same table. The nodes are those of the three-process tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../crates/server/tests/port/mod.rs"]
mod port;
#[path = "../../../crates/server/tests/three/mod.rs"]
mod three;

use dataplane::encode::{Encoder, Encoding};
use dataplane::table::Table;
use node::ports::{Carrier as _, Request};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use server::carrier::reach::Reach;
use server::carrier::{Terms, TlsCarrier};
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use three::disk::Dice;
use three::{Scene, Stage};

/// Columns of the table: one key, three to hide, short ones, and some of text up to 2 kB.
const N_SHORT: usize = 32;
const N_TEXT: usize = 4;
const TEXT_MAX: u64 = 2_000;
const BLOCK: usize = 256 << 10;

pub fn main() {
    three::party::run_if_asked();
    let mut words = std::env::args().skip(1);
    let megabytes: u64 = words.next().and_then(|n| n.parse().ok()).unwrap_or(1_000);
    let tegata = words.next().map(PathBuf::from);
    let place = tempfile::tempdir().unwrap();
    let table = place.path().join("table.csv");
    let n_rows = generate(&table, megabytes * 1_000_000);
    let bytes = std::fs::metadata(&table).unwrap().len();
    println!("table: {bytes} bytes, {n_rows} rows, {} columns", 4 + N_SHORT + N_TEXT);

    let stage = Stage { chunk_bytes: dataplane::chunk::CHUNK_BYTES as u64, window: 8, ..Stage::plain(1, 1) };
    let mut scene = Scene::on(stage);
    scene.offer_as("urn:dataset:raw", &table, None);
    scene.offer_as("urn:dataset:less", &table, Some(&plan()));
    let keys = scene.dir.path().join("nord");

    // Baseline, transfer, baseline: the machine may be shared, and the better baseline is the harder one.
    let own = seconds(std::process::id());
    let first = copy_over_tls(&table, &place.path().join("copy"), &keys);
    let own = seconds(std::process::id()) - own;
    let raw = transfer(&mut scene, "urn:dataset:raw", bytes);
    let second = copy_over_tls(&table, &place.path().join("copy"), &keys);
    let copy = if first < second { first } else { second };
    std::fs::remove_file(place.path().join("copy")).unwrap();
    say("plain copy over rustls, synced", bytes, copy);
    say("raw and sealed transfer", bytes, raw.took);
    println!("  ratio {:.2}; peak memory: sender {} MB, receiver {} MB", ratio(copy, raw.took), raw.sender, raw.receiver);
    println!("  processor: copy {own:.2} s; sender {:.2} s, receiver {:.2} s", raw.cpu.0, raw.cpu.1);
    println!("  first byte {} ms after the transfer was asked for", raw.first.as_millis());

    let alone = parse_and_write(&table, &place.path().join("written"));
    std::fs::remove_file(place.path().join("written")).unwrap();
    let less = transfer(&mut scene, "urn:dataset:less", bytes);
    say("parsing and writing alone", bytes, alone);
    say("de-identified and sealed transfer", bytes, less.took);
    println!("  ratio {:.2}; peak memory: sender {} MB, receiver {} MB", ratio(alone, less.took), less.sender, less.receiver);

    println!("  processor: sender {:.2} s, receiver {:.2} s", less.cpu.0, less.cpu.1);
    println!("node: first answer over TLS {} ms after its process started", node_start(&mut scene).as_millis());
    if let Some(tegata) = tegata {
        serve(&tegata, place.path());
    }
}

fn say(what: &str, bytes: u64, took: Duration) {
    println!("{what}: {:.2} s, {:.0} MB/s", took.as_secs_f64(), bytes as f64 / 1e6 / took.as_secs_f64());
}

fn ratio(baseline: Duration, took: Duration) -> f64 {
    baseline.as_secs_f64() / took.as_secs_f64()
}

/// Writes the table; the same bytes each time.
fn generate(to: &Path, bytes: u64) -> u64 {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(to).unwrap());
    let mut dice = Dice(40);
    let short = (0..N_SHORT).map(|n| format!(",c{n}")).collect::<String>();
    let texts = (0..N_TEXT).map(|n| format!(",t{n}")).collect::<String>();
    let head = format!("id,name,age,town{short}{texts}\n");
    out.write_all(head.as_bytes()).unwrap();
    let (mut written, mut n_rows) = (head.len() as u64, 0);
    let prose = "the quick brown fox, as they say, jumps over the lazy dog and sleeps; ".repeat(40);
    let mut row = String::new();
    while written < bytes {
        row.clear();
        let age = 18 + dice.below(70);
        row.push_str(&format!("{n_rows},Person {},{age},town {}", dice.below(1 << 40), dice.below(1_000)));
        for column in 0..N_SHORT {
            row.push_str(&format!(",{}", dice.below(10_u64.pow(1 + column as u32 % 9))));
        }
        for _ in 0..N_TEXT {
            // Most are short, some long, none above the limit.
            let length = dice.below(TEXT_MAX) * dice.below(TEXT_MAX) / TEXT_MAX;
            row.push_str(",\"");
            row.push_str(&prose[..length as usize]);
            row.push('"');
        }
        row.push('\n');
        out.write_all(row.as_bytes()).unwrap();
        written += row.len() as u64;
        n_rows += 1;
    }
    out.into_inner().unwrap().sync_all().unwrap();
    n_rows
}

fn plan() -> String {
    let mut plan = String::from(
        "[columns.id]\nact=\"pseudonym\"\n[columns.name]\nact=\"drop\"\n[columns.age]\nact=\"bin\"\nwidth=10\n[columns.town]\nact=\"keep\"\n",
    );
    for column in (0..N_SHORT).map(|n| format!("c{n}")).chain((0..N_TEXT).map(|n| format!("t{n}"))) {
        plan.push_str(&format!("[columns.{column}]\nact=\"keep\"\n"));
    }
    plan
}

struct Moved {
    took: Duration,
    first: Duration,
    sender: u64,
    receiver: u64,
    /// Processor seconds of sender and receiver.
    cpu: (f64, f64),
}

/// From asking for the dataset to the receipt: negotiation, decision, chunks, seal, stamp.
fn transfer(scene: &mut Scene, dataset: &str, bytes: u64) -> Moved {
    for who in ["nord", "kita"] {
        // 5 sets the peak back to what is used now.
        let _ = std::fs::write(format!("/proc/{}/clear_refs", scene.pid(who)), "5");
    }
    let cpu = |scene: &Scene| (seconds(scene.pid("nord")), seconds(scene.pid("kita")));
    let before = cpu(scene);
    let start = Instant::now();
    let transfer = scene.begin_of(dataset);
    let report = |scene: &mut Scene| {
        let all = scene.ask("kita", &serde_json::json!({ "do": "report" })).unwrap();
        let one = all.as_array().unwrap().iter().find(|r| r["id"] == transfer.as_str()).cloned().unwrap();
        one["chunks"].as_u64().unwrap()
    };
    while report(scene) == 0 {
        std::thread::sleep(Duration::from_millis(2));
    }
    let first = start.elapsed();
    let got = scene.got(&transfer);
    let took = start.elapsed();
    let after = cpu(scene);
    let path = got["path"].as_str().unwrap();
    assert!(dataset.ends_with("less") || std::fs::metadata(path).unwrap().len() == bytes);
    std::fs::remove_file(path).unwrap();
    Moved { took, first, sender: peak(scene.pid("nord")), receiver: peak(scene.pid("kita")), cpu: (after.0 - before.0, after.1 - before.1) }
}

fn memory(pid: u32, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(what)).unwrap_or_default();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1_000
}

/// Processor seconds that a process used so far.
fn seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |n: usize| after.split_whitespace().nth(n).and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0);
    // Fields 14 and 15 of the whole line; a tick is a hundredth of a second on Linux.
    (ticks(11) + ticks(12)) / 100.0
}

fn peak(pid: u32) -> u64 {
    memory(pid, "VmHWM")
}

/// The same file over one plain TLS 1.3 stream into a file that is synced at the end.
fn copy_over_tls(from: &Path, to: &Path, keys: &Path) -> Duration {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(keys.join("tls.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(keys.join("tls.key")).unwrap();
    let server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let mut anchors = rustls::RootCertStore::empty();
    for anchor in CertificateDer::pem_file_iter(keys.join("anchors.pem")).unwrap() {
        anchors.add(anchor.unwrap()).unwrap();
    }
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(anchors)
        .with_no_client_auth();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let source = from.to_owned();
    let start = Instant::now();
    let sender = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(server)).unwrap();
        let mut out = rustls::StreamOwned::new(connection, stream);
        let mut file = File::open(source).unwrap();
        let mut block = vec![0; BLOCK];
        loop {
            let n = file.read(&mut block).unwrap();
            if n == 0 {
                break;
            }
            out.write_all(&block[..n]).unwrap();
        }
        out.conn.send_close_notify();
        out.flush().unwrap();
    });
    let connection =
        rustls::ClientConnection::new(Arc::new(client), ServerName::try_from("127.0.0.1").unwrap()).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, TcpStream::connect(at).unwrap());
    let mut file = File::create(to).unwrap();
    let mut block = vec![0; BLOCK];
    loop {
        let n = stream.read(&mut block).unwrap();
        if n == 0 {
            break;
        }
        file.write_all(&block[..n]).unwrap();
    }
    file.sync_all().unwrap();
    sender.join().unwrap();
    start.elapsed()
}

/// The table parsed and written again, by the same reader and writer, and synced.
fn parse_and_write(from: &Path, to: &Path) -> Duration {
    let start = Instant::now();
    let mut table = Table::open(from, None).unwrap();
    let mut encoder = Encoder::new(Encoding::Csv, table.schema()).unwrap();
    let mut out = File::create(to).unwrap();
    while let Some(batch) = table.batch().unwrap() {
        out.write_all(&encoder.push(&batch).unwrap()).unwrap();
    }
    out.write_all(&encoder.finish().unwrap()).unwrap();
    out.sync_all().unwrap();
    start.elapsed()
}

/// A node that is started again, until its first answer over TLS.
fn node_start(scene: &mut Scene) -> Duration {
    let anchors = scene.dir.path().join("nord/anchors.pem");
    let carrier = TlsCarrier::open(Terms::new(anchors).reaching(Reach::Anywhere)).unwrap();
    let url = format!("{}/.well-known/dspace-version", scene.address("nord"));
    scene.end("nord");
    let start = Instant::now();
    let asked = std::thread::spawn(move || {
        while carrier.send(Request::get(url.clone())).is_err() {
            std::thread::sleep(Duration::from_millis(2));
        }
        start.elapsed()
    });
    scene.start("nord");
    asked.join().unwrap()
}

/// The program as people start it: its first page, and the memory that it keeps.
fn serve(tegata: &Path, place: &Path) {
    let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let start = Instant::now();
    let mut child = Command::new(tegata)
        .args(["serve", "--listen", &at.to_string(), "--dir"])
        .arg(place.join("served"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let first = loop {
        let mut answer = String::new();
        if let Ok(mut stream) = TcpStream::connect(at) {
            let _ = write!(stream, "GET / HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n");
            let _ = stream.read_to_string(&mut answer);
        }
        if answer.starts_with("HTTP/1.1") {
            break start.elapsed();
        }
        assert!(start.elapsed() < Duration::from_secs(30), "serve does not answer");
        std::thread::sleep(Duration::from_millis(2));
    };
    std::thread::sleep(Duration::from_secs(2));
    println!(
        "serve: first page {} ms after its process started; memory idle {} MB, peak {} MB",
        first.as_millis(),
        memory(child.id(), "VmRSS"),
        peak(child.id())
    );
    let _ = child.kill();
    let _ = child.wait();
}
