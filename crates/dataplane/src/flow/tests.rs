use super::*;
use decide::engine::Engine;
use model::{AsOf, Instant, transfer::Transfer};
use pass::{Ground, Scope};
use rulebook::book::{Rulebook, Source};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A pass by the real road: a decision that opens.
fn pass(form: Form) -> Pass {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut sources = Vec::new();
    let mut stack = vec![root.clone()];
    while let Some(dir) = stack.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                stack.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                sources.push(Source { path: name, text: fs::read_to_string(&path).unwrap() });
            }
        }
    }
    let (book, _) = Rulebook::parse(sources);
    // As the law was on the day before C-311/18: a recipient on the Privacy Shield list.
    let facts = [
        ("exporter.place", "\"DE\""),
        ("exporter.person", "\"company\""),
        ("exporter.capacity", "[\"controller\"]"),
        ("exporter.sector", "[\"retail\"]"),
        ("exporter.targets", "[\"DE\"]"),
        ("recipient.place", "\"US\""),
        ("recipient.person", "\"company\""),
        ("recipient.capacity", "[\"processor\"]"),
        ("recipient.listed", "[\"us_privacy_shield\"]"),
        ("recipient.subject_to", "[]"),
        ("hop.separate_person", "true"),
        ("hop.mode", "[\"send_copy\"]"),
        ("hop.regularity", "\"systematic\""),
        ("hop.need", "[\"none\"]"),
        ("hop.foreign_authority_asks", "false"),
        ("hop.recipient_sees_clear", "true"),
        ("data.about_people", "true"),
        ("data.identifiable_for_exporter", "\"identified\""),
        ("data.identifiable_for_recipient", "\"identified\""),
        ("data.categories", "[\"contact\"]"),
        ("data.structured", "true"),
        ("data.official_class", "[]"),
        ("data.received_from", "[\"own\"]"),
        ("subjects.located_in", "[\"DE\"]"),
        ("subjects.employees", "false"),
    ];
    let flat = facts.map(|(id, json)| (id.to_owned(), serde_json::from_str(json).unwrap()));
    let bound = book.bind(&Transfer::single(flat)).unwrap();
    let decision = Engine::new(book).decide(&bound, AsOf::then("2020-07-15".parse().unwrap())).unwrap();
    let scope =
        Scope { exporter: "exporter".into(), recipient: "recipient".into(), dataset: "data".into(), form };
    Pass::issue(&decision, Ground::OwnGroup, &scope, &[], Instant(0))
        .unwrap_or_else(|e| panic!("{e}: {:?}", decision.deciding_ids()))
}

fn free() -> Lease {
    Box::new(|| Ok(()))
}

fn all(flow: &mut Flow) -> Vec<u8> {
    let mut out = Vec::new();
    for n in 0.. {
        match flow.chunk(n).unwrap() {
            Some(piece) => out.extend(piece.bytes().iter()),
            None => break,
        }
    }
    out
}

#[test]
fn flows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("people.csv");
    let text: String = std::iter::once("name,age,town\n".to_owned())
        .chain((0..20_000).map(|n| format!("p{n},{},t{}\n", n % 90, n % 7)))
        .collect();
    fs::write(&path, &text).unwrap();

    // As it is: any chunk, in any order, the same bytes; a lease that falls stops the next chunk.
    let stands = Arc::new(AtomicBool::new(true));
    let asked = stands.clone();
    let stopped = Stopped { code: "test/turned".into(), rules: vec!["r".into()], says: "turned".into() };
    let lease: Lease =
        Box::new(move || if asked.load(Ordering::SeqCst) { Ok(()) } else { Err(stopped.clone()) });
    let mut flow = Flow::open(pass(Form::Raw), Content::File(path.clone()), lease, 1000).unwrap();
    let fifth = flow.chunk(5).unwrap().unwrap();
    assert_eq!(fifth.bytes().as_slice(), &text.as_bytes()[5000..6000]);
    stands.store(false, Ordering::SeqCst);
    assert_eq!(flow.chunk(6).unwrap_err().code(), "test/turned");
    stands.store(true, Ordering::SeqCst);
    assert_eq!(all(&mut flow), text.as_bytes());
    assert_eq!(flow.chunk(5).unwrap().unwrap(), fifth);

    // In flight through a plan: equal bytes after a restart, at any chunk.
    let plan = || {
        Plan::parse("[columns.name]\nact=\"drop\"\n[columns.age]\nact=\"bin\"\nwidth=10\n[columns.town]\nact=\"keep\"").unwrap()
    };
    let content =
        |plan: Plan| Content::InFlight { path: path.clone(), plan, key: None, encoding: Encoding::Csv };
    let mut flow = Flow::open(pass(Form::Raw), content(plan()), free(), 4096).unwrap();
    let out = String::from_utf8(all(&mut flow)).unwrap();
    assert!(out.starts_with("age,town\n\"[0,10)\",t0\n"), "{}", &out[..60]);
    assert!(!out.contains("p19999"));
    assert_eq!(flow.meter().rows, 20_000);
    assert_eq!(flow.columns(), ["age", "town"]);
    let mut again = Flow::open(pass(Form::Raw), content(plan()), free(), 4096).unwrap();
    assert_eq!(again.chunk(7).unwrap(), flow.chunk(7).unwrap());

    // A column that the plan does not name stops at the border.
    let narrow = Plan::parse("[columns.age]\nact=\"keep\"\n[columns.name]\nact=\"drop\"").unwrap();
    let refused = Flow::open(pass(Form::Raw), content(narrow), free(), 4096).err().unwrap();
    assert_eq!(refused.code(), "pets/unplanned-column");

    // A release goes only with a pass that names its report, and only with the bytes of that report.
    let report = Digest::of(b"report");
    let staged = |content| Content::Staged { path: path.clone(), report, content };
    let whole = Digest::of(text.as_bytes());
    assert_eq!(
        Flow::open(pass(Form::Raw), staged(whole), free(), 9).err().unwrap().code(),
        "dataplane/other-form"
    );
    let other = Form::Release(Digest::of(b"other report"));
    assert_eq!(
        Flow::open(pass(other), staged(whole), free(), 9).err().unwrap().code(),
        "dataplane/other-form"
    );
    let mut flow = Flow::open(pass(Form::Release(report)), staged(whole), free(), 1 << 16).unwrap();
    assert_eq!(all(&mut flow), text.as_bytes());
    let mut flow =
        Flow::open(pass(Form::Release(report)), staged(Digest::of(b"x")), free(), 1 << 20).unwrap();
    assert!(flow.chunk(0).unwrap().is_some());
    assert_eq!(flow.chunk(1).unwrap_err().code(), "dataplane/not-the-release");
    assert_eq!(
        Flow::open(pass(Form::Release(report)), Content::File(path.clone()), free(), 9).err().unwrap().code(),
        "dataplane/other-form"
    );
}
