//! The doors through a socket: who may come in, what every answer carries, and that pages say what the engine says.

use super::{Mode, State, bind, principal::{OneToken, Principal, Role}};
use decide::engine::Engine;
use model::{AsOf, CivilDate, transfer::Transfer};
use rulebook::book::{Rulebook, Source, loads};
use std::{collections::BTreeSet, net::SocketAddr, path::{Path, PathBuf}};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SECRET: &str = "a-token-of-the-tests-32-bytes-and-more";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn texts(dir: &Path, ending: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(texts(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            out.push((path.to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    out
}

fn book() -> Rulebook {
    let folder = root().join("rules");
    let sources = texts(&folder, ".md").into_iter().filter_map(|(path, text)| {
        let path = Path::new(&path).strip_prefix(&folder).ok()?.to_string_lossy().into_owned();
        (!path.starts_with("demo/") && !path.starts_with("cases/")).then_some(Source { path, text })
    });
    let (book, findings) = Rulebook::parse(sources.collect());
    assert!(loads(&findings));
    book
}

async fn door(mode: Mode, role: Role) -> SocketAddr {
    let who = Principal { participant: "p".into(), token: "t".into(), role };
    let today: CivilDate = "2026-11-22".parse().unwrap();
    let state = State::new(book(), mode, OneToken::new(SECRET, who)).with_today(move || today);
    let door = bind(([127, 0, 0, 1], 0).into(), state).await.unwrap();
    let address = door.address();
    tokio::spawn(door.serve(std::future::pending()));
    address
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|l| l.split_once(": "));
        lines.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v).next()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn send(at: SocketAddr, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut text = format!("{line} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    if !headers.iter().any(|(n, _)| *n == "Host") {
        text.push_str("Host: localhost\r\n");
    }
    headers.iter().for_each(|(n, v)| text.push_str(&format!("{n}: {v}\r\n")));
    text.push_str("\r\n");
    text.push_str(body);
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).await.unwrap();
    let raw = String::from_utf8(raw).unwrap();
    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.into(), body: body.into() }
}

const BEARER: (&str, &str) = ("Authorization", "Bearer a-token-of-the-tests-32-bytes-and-more");
const FACTS: &str = r#"{"exporter.place":"DE","recipient.place":"US","data.categories":["contact"]}"#;

#[tokio::test]
async fn a_foreign_host_is_refused_and_every_answer_is_guarded() {
    let at = door(Mode::Demo, Role::Act).await;
    let foreign = send(at, "GET /healthz", &[("Host", "evil.example")], "").await;
    assert_eq!((foreign.status, foreign.json()["code"].as_str()), (421, Some("TGT-H001")));
    for path in ["/healthz", "/en/", "/v1/rules", "/nothing"] {
        let answer = send(at, &format!("GET {path}"), &[], "").await;
        assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'self'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}

#[tokio::test]
async fn law_is_public_and_everything_else_needs_a_token() {
    let at = door(Mode::Demo, Role::Read).await;
    let open = ["/version", "/openapi.json", "/healthz", "/v1/rules", "/v1/layers?place=DE", "/v1/vocabulary", "/v1/schema/transfer",
        "/v1/changes", "/en/", "/ja/countries", "/en/country/JP", "/en/rule/eu.gdpr.44/2024-01-15", "/en/changes", "/ja/report"];
    for path in open {
        assert_eq!(send(at, &format!("GET {path}"), &[], "").await.status, 200, "{path}");
    }
    for path in ["/en/check", "/en/verdict", "/en/matrix", "/en/bench", "/v1/bench", "/ja/register", "/en/flows", "/en/flows/x", "/en/flows/x/evidence", "/v1/flows"] {
        assert_eq!(send(at, &format!("GET {path}"), &[], "").await.status, 401, "{path}");
    }
    for path in ["/v1/checks", "/v1/matrix", "/v1/register", "/en/register", "/en/flows/x/cure", "/en/leave"] {
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        assert_eq!(send(at, &format!("POST {path}"), &[form], "").await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn a_check_answers_what_the_engine_answers() {
    let at = door(Mode::Production, Role::Read).await;
    let answer = send(at, "POST /v1/checks?as_of=2021-10-01", &[BEARER], FACTS).await.json();
    let transfer: Transfer = super::asked::transfer(serde_json::from_str(FACTS).unwrap()).unwrap();
    let mut engine = Engine::new(book());
    let bound = engine.book.bind(&transfer).unwrap();
    let decision = engine.decide_with_horizon(&bound, AsOf::then("2021-10-01".parse().unwrap())).unwrap();
    assert_eq!(answer["digest"], decision.digest().to_string());
    assert_eq!(answer["verdict"], decision.verdict.word());

    let many = format!(r#"{{"transfers":[{FACTS},{{"exporter.plaec":"DE"}}],"detail":"verdict"}}"#);
    let many = send(at, "POST /v1/checks", &[BEARER], &many).await.json();
    assert!(many["decisions"][0]["verdict"].is_string());
    assert_eq!(many["decisions"][1]["problem"]["findings"][0]["help"], "did you mean `exporter.place`?");

    let wrong = send(at, "POST /v1/checks?as_of=yesterday", &[BEARER], FACTS).await;
    assert_eq!((wrong.status, wrong.header("content-type")), (400, Some("application/problem+json")));
    assert_eq!(send(at, "POST /v1/checks", &[BEARER], "{").await.json()["code"], "TGT-H008");
}

#[tokio::test]
async fn a_matrix_and_a_list_answer_every_row() {
    let at = door(Mode::Production, Role::Read).await;
    let pages = door(Mode::Demo, Role::Read).await;
    let entered = send(pages, &format!("GET /en/enter?token={SECRET}"), &[], "").await;
    let cookie = ("Cookie", entered.header("set-cookie").unwrap().split(';').next().unwrap());
    let page = send(pages, "GET /en/map?exporter.place=JP&data.categories=contact", &[cookie], "").await;
    let (tiles, rows) = (page.body.matches("class=\"tile ").count(), page.body.matches("<th scope=\"row\">").count());
    assert_eq!((tiles, rows), (250, book().vocabulary.places.len()), "a tile for each place, a row for each and for each part");
    let matrix = send(at, "POST /v1/matrix", &[BEARER], FACTS).await.json();
    let answers = matrix["answers"].as_array().unwrap();
    assert_eq!(answers.len(), book().vocabulary.places.len());
    let list = std::fs::read_to_string(root().join("examples/register/demo-seiki.csv")).unwrap();
    let register = send(at, "POST /v1/register", &[BEARER], &list).await.json();
    assert_eq!(register["rows"].as_array().unwrap().len(), list.lines().count() - 1);
    assert!(register["rows"].as_array().unwrap().iter().all(|r| r["decision"]["verdict"].is_string()), "every row binds");
}

#[tokio::test]
async fn on_the_bench_the_answers_move_with_k() {
    let at = door(Mode::Demo, Role::Act).await;
    let tried = async |query: &str| send(at, &format!("GET /v1/bench?{query}"), &[BEARER], "").await;
    let facts = "profile=jp-anonymised&exporter.place=JP&data.jp_anonymous_duties=method_secured&data.jp_anonymous_duties=items_published\
        &data.jp_anonymous_duties=provision_published&data.jp_anonymous_duties=marked";
    let (ten, five) = (tried(&format!("{facts}&k=10")).await.json(), tried(&format!("{facts}&k=5")).await.json());
    assert_eq!((ten["holds"].as_bool(), five["holds"].as_bool(), five["met"].as_bool()), (Some(true), Some(false), Some(true)));
    assert!(ten["after"]["k"].as_u64() >= Some(10) && (5..10).contains(&five["after"]["k"].as_u64().unwrap()));
    assert!(ten["before"]["alone"].as_u64() > Some(100) && ten["records"]["after"].as_array().unwrap().len() == 5);
    let to_us = |answer: &serde_json::Value, which: &str| {
        let all = answer["verdicts"].as_array().unwrap();
        all.iter().find(|v| v["place"] == "US").unwrap()[which].as_str().unwrap().to_string()
    };
    // The law counts the report alone: the same table, the same duties, another k.
    assert!(["permitted", "out_of_scope"].contains(&to_us(&ten, "released").as_str()), "{}", to_us(&ten, "released"));
    assert_ne!(to_us(&five, "released"), to_us(&ten, "released"));
    assert_ne!(to_us(&ten, "raw"), to_us(&ten, "released"));
    for (wrong, status) in [("profile=none", 404), ("k=1", 422), ("k=many", 422)] {
        assert_eq!(tried(wrong).await.status, status, "{wrong}");
    }
    let entered = send(at, &format!("GET /en/enter?token={}", super::asked::escape(SECRET)), &[], "").await;
    let cookie = ("Cookie", entered.header("set-cookie").unwrap().split(';').next().unwrap());
    for (tongue, word) in [("en", "Smallest class"), ("ja", "最小クラス")] {
        let page = send(at, &format!("GET /{tongue}/bench?{facts}&k=10"), &[cookie], "").await;
        assert!(page.status == 200 && page.body.contains(word) && page.body.contains("k = 11"), "{tongue}");
    }
}

#[tokio::test]
async fn a_table_of_ones_own_is_asked_about_until_its_privacy_is_spent_and_is_certified() {
    let at = door(Mode::Demo, Role::Act).await;
    let mut text = String::from("name,age,sex,city\n");
    for n in 0..400 {
        text += &format!("Person {n},{},{},{}\n", 20 + n % 60, ["female", "male"][n % 2], ["Sendai", "Osaka"][n / 2 % 2]);
    }
    let put = send(at, "POST /v1/bench/tables", &[BEARER, ("Content-Type", "text/csv")], &text).await;
    assert_eq!((put.status, put.json()["records"].as_u64()), (201, Some(400)), "{}", put.body);
    let table = put.json()["table"].as_str().unwrap().to_string();
    let shown = send(at, &format!("GET /v1/bench?table={table}&k=5"), &[BEARER], "").await.json();
    assert_eq!(shown["before"]["records"], 400);
    assert!(shown["after"]["k"].as_u64() >= Some(5), "{shown}");

    let ask = |epsilon: &str| format!(r#"{{"table":"{table}","what":"count","column":"sex","values":["female","male"],"epsilon":"{epsilon}"}}"#);
    let json = ("Content-Type", "application/json");
    let privacy = send(at, "POST /v1/bench/answers", &[BEARER, json], &ask("1")).await.json();
    let rows = privacy["answers"][0]["rows"].as_array().unwrap();
    // Twelve standard deviations: fails once in 10^32.
    let near = |row: &serde_json::Value| {
        let of = |field: &str| row[field].as_str().unwrap().parse::<i64>().unwrap();
        row["exact"] == 200 && (of("value") - 200).abs() <= of("within") * 6
    };
    assert!(rows.len() == 2 && rows.iter().all(near), "{privacy}");
    assert_eq!(privacy["spent"].as_array().unwrap().len(), 1);
    assert_eq!(send(at, "POST /v1/bench/answers", &[BEARER, json], &ask("3.9")).await.status, 409, "more than is left");
    // The same table again has the same ledger.
    assert_eq!(send(at, "POST /v1/bench/tables", &[BEARER], &text).await.status, 201);
    let after = send(at, &format!("GET /v1/bench?table={table}"), &[BEARER], "").await.json();
    assert_eq!((after["privacy"]["spent"].as_array().unwrap().len(), &after["privacy"]["rho_left"]), (1, &privacy["rho_left"]));

    let report = send(at, &format!("GET /v1/bench/report?table={table}&profile=ema-0070"), &[BEARER], "").await;
    assert_eq!(report.json()["exact"]["profile"]["id"], "ema-0070");
    assert!(!report.body.contains("Person 1"), "a report holds no value");
    let release = send(at, &format!("GET /v1/bench/release?table={table}&profile=ema-0070"), &[BEARER], "").await;
    assert!(release.status == 200 && !release.body.contains("Person 1"));

    for (wrong, status) in [("", 422), ("a,b\n", 422), ("a,b\n1\n", 422), ("someone@example.com,b\n1,2\n", 422)] {
        assert_eq!(send(at, "POST /v1/bench/tables", &[BEARER], wrong).await.status, status, "{wrong}");
    }
    assert_eq!(send(at, "GET /v1/bench?table=none", &[BEARER], "").await.status, 404);
    for (what, status) in [("\"values\":[]", 422), ("\"values\":[\"x\"],\"more\":1", 422)] {
        let body = format!(r#"{{"what":"count","column":"sex",{what},"epsilon":"1"}}"#);
        assert_eq!(send(at, "POST /v1/bench/answers", &[BEARER, json], &body).await.status, status, "{what}");
    }
}

#[tokio::test]
async fn a_session_is_opened_by_the_link_in_a_demo_only_and_forms_carry_its_token() {
    let link = format!("GET /en/enter?token={}", super::asked::escape(SECRET));
    let production = door(Mode::Production, Role::Act).await;
    assert!(send(production, &link, &[], "").await.header("set-cookie").is_none());

    let at = door(Mode::Demo, Role::Act).await;
    let entered = send(at, &link, &[], "").await;
    let cookie = entered.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains(SECRET));
    let cookie = ("Cookie", cookie.split(';').next().unwrap());
    let page = send(at, "GET /en/register", &[cookie], "").await;
    let csrf = page.body.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let list = "list=From+country,To+country%0AGermany,Japan";
    assert_eq!(send(at, "POST /en/register", &[cookie, form], list).await.status, 403, "a form without the token");
    let with = format!("{list}&csrf={csrf}");
    assert_eq!(send(at, "POST /en/register", &[cookie, form], &with).await.status, 200);
    assert_eq!(send(at, "POST /en/leave", &[cookie, form], &format!("csrf={csrf}")).await.status, 303);
    assert_eq!(send(at, "GET /en/check", &[cookie], "").await.status, 401, "the session is closed");
    let elsewhere = [form, ("Sec-Fetch-Site", "cross-site")];
    let login = format!("token={}", super::asked::escape(SECRET));
    assert_eq!(send(at, "POST /en/enter", &elsewhere, &login).await.status, 403, "a login from another site");
}

#[tokio::test]
async fn a_reader_may_not_press() {
    let at = door(Mode::Demo, Role::Read).await;
    let entered = send(at, &format!("GET /en/enter?token={}", super::asked::escape(SECRET)), &[], "").await;
    let cookie = ("Cookie", entered.header("set-cookie").unwrap().split(';').next().unwrap());
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(send(at, "POST /en/flows/T-02/cure", &[cookie, form], "csrf=x").await.status, 403);
}

#[tokio::test]
async fn law_is_tagged_by_the_rulebook_and_the_day() {
    let at = door(Mode::Demo, Role::Read).await;
    let first = send(at, "GET /v1/layers", &[], "").await;
    let tag = first.header("etag").unwrap().to_string();
    assert!(tag.contains(&book().digest().to_string()));
    let again = send(at, "GET /v1/layers", &[("If-None-Match", &tag)], "").await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let other = send(at, "GET /v1/rules?as_of=2020-01-01", &[("If-None-Match", &tag)], "").await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn beyond_loopback_the_clear_is_refused() {
    let who = Principal { participant: "p".into(), token: "t".into(), role: Role::Act };
    let (empty, _) = Rulebook::parse(Vec::new());
    let state = State::new(empty, Mode::Demo, OneToken::new(SECRET, who));
    let refused = bind(([0, 0, 0, 0], 0).into(), state).await;
    assert_eq!(refused.err().unwrap().kind(), std::io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn the_description_resolves_and_names_every_path() {
    let at = door(Mode::Demo, Role::Read).await;
    let document = send(at, "GET /openapi.json", &[], "").await.json();
    assert_eq!(document["openapi"].as_str().map(|v| &v[..3]), Some("3.1"));
    for path in ["/v1/checks", "/v1/matrix", "/v1/register", "/v1/rules", "/v1/rules/{id}", "/v1/layers", "/v1/vocabulary", "/v1/schema/transfer"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    let text = document.to_string();
    for name in text.split("#/components/schemas/").skip(1).map(|r| r.split('"').next().unwrap()) {
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
}

#[tokio::test]
async fn an_answer_names_the_entry_that_carries_it_on_the_page_and_in_the_document() {
    let at = door(Mode::Demo, Role::Act).await;
    let facts = r#"{"exporter.place":"DE","recipient.place":"JP","recipient.subject_to":["jp.appi"],"recipient.capacity":["controller"],"recipient.person":"company"}"#;
    let answer = send(at, "POST /v1/checks", &[BEARER], facts).await.json();
    let clauses = answer["crossings"][0]["layers"].as_array().unwrap().iter().flat_map(|l| l["clauses"].as_array().unwrap());
    let entry = clauses.filter_map(|c| c["entries"].as_array()).flatten().find(|e| e["id"] == "eu.adequacy#JP").unwrap();
    assert!(entry["citation"]["cites"].as_str().unwrap().contains("2019/419") && entry["role"] == "carries", "{entry}");
    assert!(entry["citation"]["review"].is_string() && entry["citation"]["seen"].is_string() && entry["citation"]["source"].is_string());
    let entered = send(at, &format!("GET /en/enter?token={}", super::asked::escape(SECRET)), &[], "").await;
    let cookie = ("Cookie", entered.header("set-cookie").unwrap().split(';').next().unwrap());
    let page = send(at, "GET /ja/verdict?exporter.place=DE&recipient.place=JP&recipient.subject_to=jp.appi&recipient.capacity=controller&recipient.person=company", &[cookie], "").await;
    assert!(page.body.contains("2019/419") && page.body.contains("/ja/rule/eu.adequacy%23JP/"), "the entry and its address");
}

#[tokio::test]
async fn changes_come_as_feeds_in_both_languages() {
    let at = door(Mode::Demo, Role::Read).await;
    let atom = send(at, "GET /feed.atom?lang=ja", &[], "").await;
    assert_eq!((atom.status, atom.header("content-type")), (200, Some("application/atom+xml; charset=utf-8")));
    assert!(atom.body.contains("xml:lang=\"ja\"") && atom.body.contains("<entry>") && atom.body.contains("http://localhost/ja/effect/"));
    let json = send(at, "GET /feed.json", &[], "").await.json();
    assert_eq!(json["version"], "https://jsonfeed.org/version/1.1");
    assert!(!json["items"].as_array().unwrap().is_empty());
    assert_eq!(send(at, "GET /feed.json?lang=fr", &[], "").await.status, 404);
}

#[tokio::test]
async fn hygiene_is_worked_out_once_and_nobody_waits_for_it() {
    let who = Principal { participant: "p".into(), token: "t".into(), role: Role::Read };
    let (empty, _) = Rulebook::parse(Vec::new());
    let door = bind(([127, 0, 0, 1], 0).into(), State::new(empty, Mode::Demo, OneToken::new(SECRET, who))).await.unwrap();
    let at = door.address();
    tokio::spawn(door.serve(std::future::pending()));
    let first = send(at, "GET /en/hygiene", &[], "").await;
    assert_eq!(first.status, 200);
    while send(at, "GET /v1/hygiene", &[], "").await.status == 503 {
        tokio::task::yield_now().await;
    }
    assert_eq!(send(at, "GET /v1/hygiene", &[], "").await.json()["unexplained"], 0);
    assert!(send(at, "GET /ja/hygiene", &[], "").await.header("refresh").is_none());
}

#[test]
fn the_pages_for_an_office_hold_every_rule_once_in_each_language_and_ask_no_server() {
    let (book, day) = (book(), AsOf::then("2026-11-22".parse().unwrap()));
    let files = super::office::files(&book, day, super::CORRECTIONS);
    let names: BTreeSet<&str> = files.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names.len(), files.len());
    for tongue in ["en", "ja"] {
        let mut anchors = BTreeSet::new();
        for (name, text) in files.iter().filter(|(n, _)| n.starts_with(tongue)) {
            assert!(!text.contains("<script") && text.contains("../style.css"), "{name}");
            for id in text.split("<section id=\"").skip(1).map(|r| r.split('"').next().unwrap()) {
                assert!(anchors.insert(id.to_string()), "{id} twice");
            }
            // Every link within the folder leads to a file.
            for link in text.split("href=\"").skip(1).map(|r| r.split('"').next().unwrap()) {
                let (other, here) = (link.strip_prefix("../"), format!("{tongue}/{link}"));
                let inner = !link.starts_with("https:") && !link.starts_with('#') && !link.starts_with("http:");
                assert!(!inner || names.contains(other.unwrap_or(&here)), "{name}: {link}");
            }
        }
        let missing: Vec<_> = book.heads().into_iter().filter(|(_, h)| !anchors.contains(&h.id)).map(|(_, h)| &h.id).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
    let japan = &files.iter().find(|(n, _)| n == "en/list-eu.adequacy.html").unwrap().1;
    assert!(japan.contains("2019/419") && japan.contains(&book.digest().to_string()));
    let reported = format!("Rulebook%3A%20{}", book.digest());
    assert!(japan.contains(&reported), "a correction carries the digest");
}

#[test]
fn every_message_that_a_page_says_is_there_and_every_message_is_said() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let code: String = texts(&folder, ".rs").into_iter().filter(|(p, _)| !p.ends_with("tests.rs")).map(|(_, t)| t).collect();
    let said: BTreeSet<&str> = code.split('"').filter(|s| s.starts_with("page-") && !s.contains(char::is_whitespace)).collect();
    let known: BTreeSet<&str> = words::ids(words::EN).into_iter().collect();
    let whole = |id: &str| !id.contains('{') && !id.ends_with('-');
    let missing: Vec<_> = said.iter().filter(|id| whole(id) && !known.contains(*id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let begins: Vec<&str> = said.iter().filter(|id| !whole(id)).map(|id| id.split('{').next().unwrap()).collect();
    let unused: Vec<_> = known.iter().filter(|id| id.starts_with("page-") && !said.contains(*id) && !begins.iter().any(|b| id.starts_with(b))).collect();
    assert!(unused.is_empty(), "{unused:?}");
}
