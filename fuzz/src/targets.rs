//! What is read, with inputs that are in order, and what must hold of every input.

use crate::root;
use identity::x509::{Certificate, Crl};
use model::Instant;
use rulebook::book::{Rulebook, Source};
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

mod space;
mod tables;

pub const NAMES: &[&str] = &[
    "rules", "transfer", "case", "csv", "excel", "parquet", "arrow", "lines", "letters", "register", "container", "log", "dsp", "odrl",
    "signaling", "claims", "certificate", "message", "settings",
];

/// Tells what is wrong with the reader, never with the input.
type Read = Box<dyn Fn(&[u8]) -> Result<(), String>>;

pub struct Target {
    pub seeds: Vec<Vec<u8>>,
    pub read: Read,
    /// Whether an input is in order; each seed must be, or the edits would never reach what lies behind the first check.
    pub accepts: fn(&[u8]) -> bool,
}

fn seed(name: &str) -> Vec<u8> {
    fs::read(root().join("seeds").join(name)).unwrap_or_else(|e| panic!("seeds/{name}: {e}"))
}

fn ours(path: &str) -> PathBuf {
    root().join("..").join(path)
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut stack = vec![ours(folder)];
    while let Some(dir) = stack.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                stack.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                out.push(path);
            }
        }
    }
    out.sort();
    out
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A few instruments, to which a broken file is added.
fn book(folders: &[&str]) -> Vec<Source> {
    let root = ours("rules");
    let of = |folder: &&str| files(&format!("rules/{folder}"), "md");
    let name = |path: &Path| path.strip_prefix(&root).unwrap_or(path).display().to_string();
    let read = |path: PathBuf| Source { path: name(&path), text: fs::read_to_string(&path).unwrap_or_default() };
    folders.iter().flat_map(of).map(read).collect()
}

/// What was read and is written again must be the same bytes.
fn one_spelling<T: Display, E>(what: &str, bytes: &[u8], read: Result<T, E>) -> Result<(), String> {
    match read {
        Ok(value) if value.to_string().as_bytes() != bytes => Err(format!("a {what} has a second spelling")),
        _ => Ok(()),
    }
}

pub fn of(name: &str) -> Option<Target> {
    let target = |seeds: Vec<Vec<u8>>, read: Read| Some(Target { seeds, read, accepts: accepts(name) });
    match name {
        "rules" => {
            let seeds = [files("rules/eu", "md"), files("rules/vocabulary", "md"), files("rules/jp", "md")].concat();
            let seeds = seeds.iter().filter_map(|p| fs::read(p).ok()).filter(|b| b.len() < 120_000).collect();
            target(seeds, Box::new(|bytes| {
                let source = Source { path: "x/input.md".into(), text: text(bytes) };
                let (book, found) = Rulebook::parse(vec![source]);
                let _ = (book.digest(), found.iter().map(ToString::to_string).collect::<String>());
                Ok(())
            }))
        }
        "transfer" => {
            let (book, _) = Rulebook::parse(book(&["vocabulary", "lists", "eu"]));
            let toml = fs::read(ours("examples/transfer/mail-tool.toml")).unwrap_or_default();
            let seeds = vec![seed("transfer.json"), toml];
            target(seeds, Box::new(move |bytes| {
                let json = serde_json::from_slice(bytes).ok();
                let value = json.or_else(|| toml::from_str::<serde_json::Value>(&text(bytes)).ok());
                if let Some(Ok(transfer)) = value.map(node::question::transfer) {
                    let _ = book.bind(&transfer);
                    let _ = model::canonical::to_bytes(&transfer);
                }
                Ok(())
            }))
        }
        "case" => {
            let sources = book(&["vocabulary", "lists", "eu"]);
            let seeds = files("rules/cases", "md").iter().take(6).filter_map(|p| fs::read(p).ok()).collect();
            target(seeds, Box::new(move |bytes| {
                let mut all: Vec<Source> = sources.iter().filter(|s| s.path.starts_with("vocabulary")).cloned().collect();
                all.push(Source { path: "cases/input.md".into(), text: text(bytes) });
                let _ = Rulebook::parse(all);
                Ok(())
            }))
        }
        "csv" | "excel" | "parquet" | "arrow" | "lines" | "letters" => tables::of(name),
        "register" => {
            let naming = fs::read(ours("profiles/register.toml")).unwrap_or_default();
            target(vec![naming], Box::new(|bytes| {
                let _ = node::register::Naming::parse(&text(bytes));
                Ok(())
            }))
        }
        "container" => container(),
        "log" => target(
            vec![seed("checkpoint.txt"), seed("event.tlog-proof"), seed("witness-request.txt"), fs::read(ours("examples/evidence/log.policy")).unwrap_or_default()],
            Box::new(|bytes| {
                one_spelling("note", bytes, tlog::note::Note::parse(bytes))?;
                one_spelling("checkpoint", bytes, tlog::checkpoint::SignedCheckpoint::parse(bytes))?;
                one_spelling("proof", bytes, tlog::proof::Proof::parse(bytes))?;
                let _ = tlog::policy::Policy::parse(bytes);
                let _ = tlog::witness::Request::parse(bytes);
                let _ = tlog::tile::Tile::parse(&text(bytes));
                Ok(())
            }),
        ),
        "dsp" | "odrl" | "signaling" | "claims" => space::of(name),
        "certificate" => target(
            vec![seed("crl.pem"), fs::read(ours("examples/evidence/anchors.pem")).unwrap_or_default(), der()],
            Box::new(|bytes| {
                let _ = (Certificate::from_pem(&text(bytes)), Crl::from_pem(&text(bytes)));
                let _ = (Certificate::from_der(bytes), Crl::from_der(bytes));
                let _ = identity::did::DidWeb::parse(&text(bytes));
                let _ = identity::status::Bitstring::decode(&text(bytes));
                Ok(())
            }),
        ),
        "message" => target(vec![seed("manifest.p7s"), seed("manifest.tst"), seed("receipt.jws")], Box::new(|bytes| {
            let _ = trust::seal::Seal::read(bytes);
            let _ = trust::timestamp::Token::read(bytes);
            let _ = trust::timestamp::Request::read(bytes);
            let _ = trust::timestamp::read_response(bytes);
            let _ = trust::receipt::Receipt::read(&text(bytes));
            let _ = trust::certification::Certification::read(&text(bytes));
            let _ = trust::release::Release::parse(&text(bytes));
            let _ = trust::release::Keys::parse(&text(bytes));
            match trust::determination::Determination::read(bytes) {
                Ok(read) if read.bytes().ok().as_deref() != Some(bytes) => Err("a judgment has a second form".into()),
                _ => Ok(()),
            }
        })),
        "settings" => target(
            vec![seed("config.toml"), seed("plan.toml"), fs::read(ours("examples/data/health.dictionary.toml")).unwrap_or_default()],
            Box::new(|bytes| {
                let text = text(bytes);
                let _ = node::config::Config::parse(&text);
                let _ = pets::plan::Plan::parse(&text);
                let _ = pets::profile::Profile::parse(&text);
                let _ = pets::dictionary::Dictionary::parse(&text);
                Ok(())
            }),
        ),
        _ => None,
    }
}

/// What says of each target whether an input is in order.
fn accepts(name: &str) -> fn(&[u8]) -> bool {
    match name {
        "transfer" => |bytes| {
            let json = serde_json::from_slice(bytes).ok();
            let value = json.or_else(|| toml::from_str::<serde_json::Value>(&text(bytes)).ok());
            value.is_some_and(|v| node::question::transfer(v).is_ok())
        },
        "register" => |bytes| node::register::Naming::parse(&text(bytes)).is_ok(),
        "log" => |bytes| {
            tlog::checkpoint::SignedCheckpoint::parse(bytes).is_ok()
                || tlog::proof::Proof::parse(bytes).is_ok()
                || tlog::policy::Policy::parse(bytes).is_ok()
                || tlog::witness::Request::parse(bytes).is_ok()
        },
        "certificate" => |bytes| {
            let pem = (Certificate::from_pem(&text(bytes)), Crl::from_pem(&text(bytes)));
            let some = pem.0.is_ok_and(|c| !c.is_empty()) || pem.1.is_ok_and(|l| !l.is_empty());
            some || Certificate::from_der(bytes).is_ok()
        },
        "message" => |bytes| {
            trust::seal::Seal::read(bytes).is_ok()
                || trust::timestamp::Token::read(bytes).is_ok()
                || trust::receipt::Receipt::read(&text(bytes)).is_ok()
        },
        "settings" => |bytes| {
            let text = text(bytes);
            node::config::Config::parse(&text).is_ok()
                || pets::plan::Plan::parse(&text).is_ok()
                || pets::dictionary::Dictionary::parse(&text).is_ok()
        },
        _ => |bytes| !bytes.is_empty(),
    }
}

/// A container that is changed anywhere never passes, whatever else it says.
fn container() -> Option<Target> {
    let place = ours("examples/evidence");
    let whole = fs::read(place.join("evidence.asice")).unwrap_or_default();
    let certificates = Certificate::from_pem(&fs::read_to_string(place.join("anchors.pem")).unwrap_or_default());
    let policy = tlog::policy::Policy::parse(&fs::read(place.join("log.policy")).unwrap_or_default());
    let (Ok(certificates), Ok(policy)) = (certificates, policy) else { panic!("examples/evidence is not in order") };
    // 24 November 2026, soon after the sample was made: its certificates hold then.
    let now = Instant(1_795_478_400_000);
    let seeds = vec![whole.clone()];
    Some(Target {
        seeds,
        accepts: |bytes| trust::bundle::Bundle::read(bytes).is_ok(),
        read: Box::new(move |bytes| {
            let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
            let path = dir.path().join("input.asice");
            fs::write(&path, bytes).map_err(|e| e.to_string())?;
            let files = node::verify::Files {
                container: &path,
                anchors: Some(&ours("examples/evidence/anchors.pem")),
                policy: Some(&ours("examples/evidence/log.policy")),
                crls: None,
                data: None,
            };
            let _ = (&certificates, &policy);
            if let Ok(bundle) = trust::bundle::Bundle::read(bytes)
                && bundle.to_bytes().ok().as_deref() != Some(bytes)
            {
                return Err("a container has a second form".into());
            }
            let report = node::verify::verify_files(files, now).map_err(|e| format!("no report: {}", e.code()))?;
            let passed = report.verdict() == trust::verify::Verdict::Passed;
            let failed = report.failed_at().is_some();
            match (bytes == whole.as_slice(), passed, failed) {
                (true, _, true) => Err(format!("the sample fails: {report}")),
                (false, true, _) | (false, _, false) => Err("a changed container does not fail".into()),
                _ => Ok(()),
            }
        }),
    })
}

fn der() -> Vec<u8> {
    let text = fs::read_to_string(ours("examples/evidence/anchors.pem")).unwrap_or_default();
    let all = Certificate::from_pem(&text).unwrap_or_default();
    all.first().map(|c| c.der().to_vec()).unwrap_or_default()
}
