//! The rulebook through the program: what an answer rests on, how much is held, and the forms that leave it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn run(at: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tegata")).args(args).current_dir(at).env("TEGATA_LANG", "en").env("NO_COLOR", "1").output().unwrap()
}

fn said(at: &Path, args: &[&str]) -> String {
    let out = run(at, args);
    assert!(out.status.code().is_some_and(|c| c != 1 && c != 2), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

const JAPAN: [&str; 11] =
    ["check", "--from", "DE", "--to", "JP", "--fact", "recipient.subject_to={jp.appi}", "--fact", "recipient.capacity={controller}", "--fact", "recipient.person=company"];

#[test]
fn an_answer_names_the_decision_in_text_document_and_memo() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let tree = said(at, &[&JAPAN[..], &["--explain"]].concat());
    assert!(tree.contains("By Implementing Decision (EU) 2019/419 Art. 1, from 2019-01-23") && tree.contains("[eu.adequacy#JP]"), "{tree}");
    let document = said(at, &[&JAPAN[..], &["--json"]].concat());
    assert!(document.contains("\"id\":\"eu.adequacy#JP\"") && document.contains("\"role\":\"carries\""));
    let shield = ["check", "--from", "DE", "--to", "US", "--fact", "recipient.listed={us_privacy_shield}", "--fact", "subjects.employees=no", "--as-of"];
    let after = said(at, &[&shield[..], &["2020-07-16", "--memo", "memo.html", "--explain"]].concat());
    assert!(after.contains("No longer: ") && after.contains("C-311/18") && after.contains("annulled on 2020-07-16"), "{after}");
    let before = said(at, &[&shield[..], &["2020-07-15", "--explain"]].concat());
    assert!(before.contains("By Implementing Decision (EU) 2016/1250") && before.contains("because recipient: "), "{before}");
    assert!(fs::read_to_string(at.join("memo.html")).unwrap().starts_with("<!doctype html>"));
}

#[test]
fn the_report_counts_by_the_layer_that_a_rule_belongs_to() {
    let folder = tempfile::tempdir().unwrap();
    let report = said(folder.path(), &["rules", "report"]);
    let number = |layer: &str, column: usize| {
        let line = report.lines().find(|l| l.split_whitespace().next() == Some(layer)).unwrap();
        line.split_whitespace().nth(column).unwrap().parse::<usize>().unwrap()
    };
    // Rules of this layer have ids that begin otherwise.
    assert!(number("au.privacy", 2) > 0 && number("eu.gdpr", 2) > 0 && number("eu.gdpr", 3) > 20 && number("eu.gdpr", 4) > 0, "{report}");
}

#[test]
fn the_rulebook_leaves_in_every_form_with_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let lines = said(at, &["rules", "export", "out", "--as-of", "2026-11-22"]);
    assert_eq!(lines.lines().count(), 4, "{lines}");
    let read = |name: &str| fs::read_to_string(at.join("out").join(name)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&read("rulebook.json")).unwrap();
    let digest = json["rulebook"].as_str().unwrap();
    let rules = json["rules"].as_array().unwrap();
    assert!(rules.len() > 1000 && rules.iter().all(|r| r["condition"].is_string() && r["layer"].is_string()));
    assert!(rules.iter().any(|r| r["head"].is_null() && r["condition"].as_str().is_some_and(|c| !c.is_empty())));
    let linked: serde_json::Value = serde_json::from_str(&read("rulebook.jsonld")).unwrap();
    assert_eq!(linked["@context"]["dpv"], "https://w3id.org/dpv#");
    assert!(linked["@id"].as_str().unwrap().ends_with(digest));
    let table = read("rules.csv");
    assert!(table.starts_with("\u{feff}\"id\",\"kind\",\"layer\"") && table.lines().count() > 1000);
    assert!(read("entries.csv").contains("2019/419"));
    // No cell is a formula: what follows a comma and a quote never begins with one.
    for name in ["rules.csv", "entries.csv", "measures.csv", "facts.csv", "layers.csv"] {
        for begins in ["\"=", "\"+", "\"@", "\"-"] {
            assert!(!read(name).contains(&format!(",{begins}")) && !read(name).contains(&format!("\n{begins}")), "{name} {begins}");
        }
    }
    assert!(read("html/ja/law-eu.gdpr.html").contains(digest));
    let out = run(at, &["rules", "export", "--format", "pdf", "out"]);
    assert_eq!(out.status.code(), Some(2));
    fs::write(at.join("file"), "").unwrap();
    assert_eq!(run(at, &["rules", "export", "file"]).status.code(), Some(2));
}

#[test]
fn changes_come_as_a_feed_with_their_effect() {
    let folder = tempfile::tempdir().unwrap();
    let atom = said(folder.path(), &["rules", "feed", "--as-of", "2020-08-01"]);
    assert!(atom.starts_with("<?xml") && atom.trim_end().ends_with("</feed>"));
    let json = said(folder.path(), &["rules", "feed", "--format", "json", "--as-of", "2020-08-01", "--base", "https://rules.example/"]);
    let feed: serde_json::Value = serde_json::from_str(&json).unwrap();
    let fall = feed["items"].as_array().unwrap().iter().find(|i| i["id"].as_str().unwrap().ends_with("change/2020-07-16")).unwrap();
    assert!(fall["content_text"].as_str().unwrap().contains("2016/1250") && fall["_tegata"]["regions"].as_u64() > Some(0));
    assert_eq!(fall["url"], "https://rules.example/en/effect/2020-07-16");
    assert_eq!(run(folder.path(), &["rules", "feed", "--format", "rss"]).status.code(), Some(2));
}

#[test]
fn what_is_usual_is_shown_and_decides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let asked = ["check", "--from", "DE", "--to", "US", "--data", "contact"];
    let waits = run(folder.path(), &asked);
    let told = String::from_utf8(waits.stdout).unwrap();
    assert_eq!(waits.status.code(), Some(12), "a supposition is no answer: {told}");
    assert!(told.starts_with("Cannot tell") && told.contains("If the usual holds where nothing was said: Not as it is"), "{told}");
    let document = said(folder.path(), &[&asked[..], &["--json"]].concat());
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!((&document["verdict"], &document["if_usual"]["verdict"]), (&"undetermined".into(), &"conditional".into()));
    let taken = run(folder.path(), &[&asked[..], &["--usual"]].concat());
    let told = String::from_utf8(taken.stdout).unwrap();
    assert_eq!(taken.status.code(), Some(10), "{told}");
    let supposed: Vec<&String> = document["if_usual"]["facts"].as_object().unwrap().keys().collect();
    assert!(!supposed.is_empty() && supposed.iter().all(|slot| told.contains(slot.as_str())), "what is taken is listed: {told}");
    assert!(!supposed.iter().any(|slot| slot.as_str() == "data.categories"), "what was said is not supposed");
}

const SMALL: &str = "# An invented act\n\n```places iso\nvalue AA: A-land | A国\nvalue BB: B-land | B国\n```\n\n```fact party.place\non: party\nkind: given\ndomain: place\n\
    label: place | 所在\nask: Where is {party}? | {party}はどこですか\nknows: exporter\n```\n\n```instrument aa.act_1\ntitle: Act | 法\nnumber: 1\nsource: https://example.org/act\n\
    language: en\nfrom: 2020-01-01\npublished: 2020-01-01\nread: 2026-01-01\nseen: original\n```\n\n```layer aa.act\nlabel: A-land | A国\nzone: Z\ntier: C\n\
    applies: exporter.place is AA\ncovers: exporter.place is AA\nchecked: all | 全部\nnot_checked: nothing | なし\n```\n\n```scope aa.1\nlayer: aa.act\ncites: Act s. 1\nsays: Everything. | すべて。\n\
    reaches: yes\n```\n\n```bar aa.2\nlayer: aa.act\ncites: Act s. 2\nsays: Nothing goes to B-land. | B国へは移転できない。\nfrom: 2030-01-01\nwhen: recipient.place is BB\n```\n";

/// Answers so many requests with this status, and gives back what came.
fn receiver(n: usize, status: &'static str) -> (String, std::thread::JoinHandle<Vec<String>>) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let answers = move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut got, mut some) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&got).contains("\"rulebook\"") {
            let read = stream.read(&mut some).unwrap();
            got.extend_from_slice(&some[..read]);
        }
        stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes()).unwrap();
        String::from_utf8(got).unwrap()
    };
    (url, std::thread::spawn(move || (0..n).map(|_| answers()).collect()))
}

#[test]
fn a_change_is_sent_once_signed_and_again_only_when_it_reads_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("law")).unwrap();
    fs::write(at.join("law/act.md"), SMALL).unwrap();
    fs::write(at.join("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    let anchors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/evidence/anchors.pem").to_string_lossy().into_owned();
    let send = |url: &str| run(at, &["rules", "feed", "--rules", "law", "--as-of", "2026-02-01", "--post", url, "--secret", "secret", "--memory", "sent.json", "--ca", &anchors]);
    // Nobody takes it: exit 3, and it is not taken for sent.
    let (url, got) = receiver(1, "503 Busy");
    let out = send(&url);
    assert_eq!(out.status.code(), Some(3), "{}", String::from_utf8_lossy(&out.stderr));
    got.join().unwrap();
    let (url, got) = receiver(1, "204 No Content");
    let out = send(&url);
    assert!(out.status.success() && String::from_utf8_lossy(&out.stdout).starts_with("1 changes sent"), "{out:?}");
    let got = got.join().unwrap().remove(0).to_lowercase();
    assert!(got.contains("webhook-signature: v1,") && got.contains("webhook-id: tag:tegata,2026:change/2030-01-01#") && got.contains("act s. 2"), "{got}");
    // Nothing new: nobody is called. What reads otherwise goes again.
    assert!(String::from_utf8_lossy(&send(&url).stdout).starts_with("0 changes sent"));
    fs::write(at.join("law/act.md"), SMALL.replace("Nothing goes", "Nothing ever goes")).unwrap();
    let (url, got) = receiver(1, "200 OK");
    assert!(send(&url).status.success());
    assert!(got.join().unwrap()[0].contains("Nothing ever goes"));
    fs::write(at.join("secret"), "whsec_c2hvcnQ=").unwrap();
    assert_eq!(send(&url).status.code(), Some(2));
    // No address that messages go to.
    let early = run(at, &["rules", "feed", "--post", "ftp://desk.example/x", "--secret", "secret"]);
    assert!(early.status.code() == Some(2) && String::from_utf8_lossy(&early.stderr).starts_with("error[peer/address]"), "{early:?}");
}

#[test]
fn a_page_that_reads_otherwise_is_named_with_what_rests_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let list = |args: &[&str]| run(at, &[&["rules", "watchlist", "tr."], args].concat());
    let fetch = String::from_utf8(list(&["--curl", "pages"]).stdout).unwrap();
    let files: Vec<&str> = fetch.lines().filter_map(|l| l.split("--output ").nth(1)?.split(' ').next()).collect();
    assert!(files.len() > 3 && fetch.starts_with("mkdir -p pages\n"), "{fetch}");
    assert_eq!(list(&["--pages", "pages"]).status.code(), Some(2), "nothing was fetched");
    fs::create_dir(at.join("pages")).unwrap();
    files.iter().for_each(|f| fs::write(at.join(f), format!("<html><body>Article 1 of {f}</body></html>")).unwrap());
    assert_eq!(list(&["--pages", "pages"]).status.code(), Some(0), "the first look finds nothing to compare with");
    fs::write(at.join(files[1]), format!("<html><script>x</script><body> <b>Article</b> 1 of {}</body></html>", files[1])).unwrap();
    assert_eq!(list(&["--pages", "pages"]).status.code(), Some(0), "markup says nothing");
    fs::write(at.join(files[1]), "<html><body>Article 2</body></html>").unwrap();
    let out = list(&["--pages", "pages"]);
    let told = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.code() == Some(10) && told.contains("reads otherwise since") && told.contains("1 read otherwise, 0 seen for the first time"), "{told}");
    assert_eq!(list(&["--pages", "pages"]).status.code(), Some(0), "it was told");
}
