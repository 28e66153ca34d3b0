//! An authority and two nodes as three processes on loopback TLS: delivery with evidence, the day the law changed,
//! and revocation. Death of a process is in `kill.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod port;
mod three;

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use three::{Scene, Stage, until};

fn verdict_of_script(scene: &Scene, container: &Path, data: &Path) -> (i32, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../trust/src/script/verify.sh");
    let output = Command::new("sh")
        .arg(script)
        .arg("--anchors")
        .arg(scene.dir.path().join("nord/anchors.pem"))
        .arg("--policy")
        .arg(scene.dir.path().join("log.policy"))
        .arg(container)
        .arg(data)
        .output()
        .unwrap();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
    )
}

/// Evidence from one node, judged by us and by the script that needs `unzip`, `sha256sum` and `openssl` alone.
fn judge(scene: &mut Scene, who: &str, manifest: &Value, data: &Path) {
    let container = scene.dir.path().join(format!("{who}.asice"));
    scene.ask(who, &json!({ "do": "evidence", "manifest": manifest, "to": container })).unwrap();
    let policy = scene.ask(who, &json!({ "do": "policy" })).unwrap();
    let policy_file = scene.dir.path().join("log.policy");
    fs::write(&policy_file, policy.as_str().unwrap()).unwrap();
    let anchors = scene.dir.path().join("nord/anchors.pem");
    let files = node::verify::Files {
        container: &container,
        anchors: Some(&anchors),
        policy: Some(&policy_file),
        crls: None,
        data: Some(data),
    };
    let now = node::ports::Clock::now(&node::ports::MachineClock);
    let report = node::verify::verify_files(files, now).unwrap();
    assert_eq!(report.verdict(), trust::verify::Verdict::Passed, "{report}");
    let (code, said) = verdict_of_script(scene, &container, data);
    assert_eq!(code, 0, "{said}");
    // Without anchors from outside nothing is green.
    let files = node::verify::Files { anchors: None, policy: None, ..files };
    let report = node::verify::verify_files(files, now).unwrap();
    assert_eq!(report.verdict(), trust::verify::Verdict::Indeterminate, "{report}");
    // Other data fail at the step of the data.
    let other = scene.dir.path().join("other");
    let mut bytes = fs::read(data).unwrap();
    bytes[0] ^= 1;
    fs::write(&other, bytes).unwrap();
    let (code, said) = verdict_of_script(scene, &container, &other);
    assert_eq!(code, 20, "{said}");
    assert!(said.lines().any(|l| l.starts_with("data") && l.contains("FAILED")), "{said}");
}

/// What a process of a test is; in the test run itself it has nothing to do.
#[test]
fn a_party() {
    three::party::run_if_asked();
}

#[test]
fn three_processes_deliver_with_evidence_that_openssl_verifies() {
    let mut scene = Scene::new(4_000, 4_000);
    let transfer = scene.begin();
    let got = scene.got(&transfer);
    let path = Path::new(got["path"].as_str().unwrap()).to_owned();
    assert_eq!(fs::read(&path).unwrap(), scene.data);
    for who in ["nord", "kita"] {
        until("the receipt", || {
            let report = scene.ask(who, &json!({ "do": "report" })).unwrap();
            report[0]["parts"].as_array().unwrap().contains(&json!("receipt")).then_some(())
        });
        judge(&mut scene, who, &got["manifest"], &path);
    }
}

fn numbers(scene: &mut Scene, transfer: &str) -> Vec<u64> {
    let events = scene.ask("kita", &json!({ "do": "events", "process": transfer })).unwrap();
    let received = events.as_array().unwrap().iter().filter(|e| e[1]["kind"] == "chunk_received");
    received.map(|e| e[1]["counts"]["number"].as_u64().unwrap()).collect()
}

#[test]
fn the_day_the_law_changed_between_processes() {
    let mut scene = Scene::new(30_000, 2_000);
    let transfer = scene.begin();
    until("some chunks", || {
        let report = scene.ask("kita", &json!({ "do": "report" })).unwrap();
        (report[0]["chunks"].as_u64().unwrap_or(0) > 20).then_some(())
    });
    let moved = scene.ask("nord", &json!({ "do": "day", "day": "2020-07-16" })).unwrap();
    let given = scene.ask("nord", &json!({ "do": "report" })).unwrap();
    let flow = given[0]["id"].as_str().unwrap().to_owned();
    let given = given[0]["chunks"].as_u64().unwrap();
    until("the suspension", || {
        let report = scene.ask("kita", &json!({ "do": "report" })).unwrap();
        (report[0]["state"] == "SUSPENDED").then_some(())
    });
    let report = scene.ask("kita", &json!({ "do": "report" })).unwrap();
    let stop = &report[0]["stopped"];
    assert!(stop["rules"].to_string().contains("GDPR Art. 44"), "{stop}");
    // Within one process the bound is 100 ms; here the machine is shared by the whole test run.
    assert!(moved["micros"].as_u64().unwrap() < 2_000_000, "{moved}");
    let after = report[0]["chunks"].as_u64().unwrap();
    assert!(after <= given, "{after} chunks are here, {given} were given when the day was moved");
    assert!(after < (scene.data.len() as u64).div_ceil(2_000), "the flow was over before the judgment");
    let cured = scene.ask("nord", &json!({ "do": "cure", "flow": flow })).unwrap();
    assert_eq!(cured["verdict"], "permitted", "{cured}");
    let got = scene.got(&transfer);
    assert_eq!(fs::read(got["path"].as_str().unwrap()).unwrap(), scene.data);
    let n_chunks = (scene.data.len() as u64).div_ceil(2_000);
    assert_eq!(numbers(&mut scene, &transfer), (0..n_chunks).collect::<Vec<_>>());
    let path = Path::new(got["path"].as_str().unwrap()).to_owned();
    judge(&mut scene, "kita", &got["manifest"], &path);
}

/// A transfer that runs, with a proxy that counts what reaches the receiver.
fn running(grace_ms: u64) -> (Scene, String) {
    let mut scene = Scene::on(Stage { proxied: true, grace_ms: Some(grace_ms), ..Stage::plain(400_000, 1_000) });
    scene.begin();
    let given = scene.proxy.clone().unwrap();
    until("some chunks", || (given.newest().1 > 20_000).then_some(()));
    let transfer = given.newest().0;
    (scene, transfer)
}

/// When the last chunk set out for the receiver, and that nothing came later though we wait.
fn last_chunk(scene: &mut Scene, transfer: &str) -> (Instant, u64) {
    let bytes = |scene: &Scene| -> u64 { scene.proxy.as_ref().unwrap().of(transfer).iter().map(|g| g.bytes).sum() };
    let stop = until("the stop", || {
        let report = scene.ask("nord", &json!({ "do": "report" })).unwrap();
        (!report[0]["stopped"].is_null()).then(|| report[0]["stopped"].clone())
    });
    println!("{stop}");
    std::thread::sleep(Duration::from_millis(200));
    let at_stop = bytes(scene);
    std::thread::sleep(Duration::from_millis(1_000));
    assert_eq!(bytes(scene), at_stop, "bytes reached the receiver after the stop");
    assert!((at_stop as usize) < scene.data.len(), "the flow was over before it was stopped");
    (scene.proxy.as_ref().unwrap().of(transfer).last().unwrap().at, at_stop)
}

#[test]
fn a_revocation_by_the_third_process_stops_the_flow_within_a_second() {
    let (mut scene, transfer) = running(60_000);
    let kita = scene.dir.path().join("kita");
    scene.ask("authority", &json!({ "do": "revoke", "dir": kita, "id": "did:web:kita.example" })).unwrap();
    // The list is published when the command is answered.
    let published = Instant::now();
    let (last, bytes) = last_chunk(&mut scene, &transfer);
    let took = last.saturating_duration_since(published);
    println!("the last chunk set out {took:?} after the list was published, {bytes} bytes in all");
    assert!(took < Duration::from_secs(1), "{took:?}");
    let report = scene.ask("nord", &json!({ "do": "report" })).unwrap();
    assert_eq!(report[0]["stopped"]["code"], "node/revoked", "{report}");
}

#[test]
fn without_the_authority_the_flow_stops_after_the_grace() {
    const GRACE: u64 = 1_500;
    let (mut scene, transfer) = running(GRACE);
    let gone = Instant::now();
    scene.end("authority");
    let (last, _) = last_chunk(&mut scene, &transfer);
    let took = last.saturating_duration_since(gone);
    println!("the last chunk set out {took:?} after the authority was gone, the grace is {GRACE} ms");
    // The last list may have come a moment before; the flow goes on while the grace lasts, and not a second longer.
    assert!(took > Duration::from_millis(GRACE / 2), "{took:?}");
    assert!(took < Duration::from_millis(GRACE + 1_000), "{took:?}");
    let report = scene.ask("nord", &json!({ "do": "report" })).unwrap();
    assert_eq!(report[0]["stopped"]["code"], "node/status-unknown", "{report}");
}

#[test]
fn who_shows_no_certificate_gets_nothing_and_production_takes_nothing_of_the_demo() {
    use node::ports::{Carrier as _, Request};
    use server::carrier::reach::Reach;
    use server::carrier::{Terms, TlsCarrier};
    let dir = tempfile::tempdir().unwrap();
    let authority =
        server::authority::start(&dir.path().join("authority"), "127.0.0.1:0".parse().unwrap()).unwrap();
    let mut config = node::config::Config {
        mode: node::config::Mode::Demo,
        participant: "did:web:nord.example".into(),
        name: "nord".into(),
        directory: dir.path().join("nord"),
        ..Default::default()
    };
    fs::create_dir_all(&config.directory).unwrap();
    let token = authority.enrollment_token().unwrap();
    let enroll = server::node_server::enroll;
    enroll(&mut config, authority.url(), &authority.ca_pem_path, &token, "DE", "VATDE-000000001").unwrap();
    let book = || rulebook::book::Rulebook::parse(Vec::new()).0;
    let server = server::node_server::start(config.clone(), book(), |_| None).unwrap();
    let stranger = TlsCarrier::open(Terms::new(&authority.ca_pem_path).reaching(Reach::Anywhere)).unwrap();
    let paths = [
        "/dsp/negotiations/x",
        "/dsp/transfers/x",
        "/data/x/0",
        "/data/x/manifest",
        "/dsp/catalog/datasets/x",
    ];
    for path in paths {
        let reply = stranger.send(Request::get(format!("{}{path}", server.address()))).unwrap();
        assert_eq!(reply.status, 401, "{path}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    }
    let posts = dsp::paths::ROUTES.iter().filter(|r| r.method == "POST");
    for route in posts {
        let url = format!("{}/dsp{}", server.address(), dsp::paths::with_id(route.path, "x"));
        assert_eq!(
            stranger.send(Request::post(url, "application/json", b"{}".to_vec())).unwrap().status,
            401
        );
    }
    let open = stranger.send(Request::get(format!("{}{}", server.address(), dsp::paths::VERSIONS))).unwrap();
    assert_eq!(open.status, 200);
    // The directory is held by one process at a time, which is said in one line.
    let held = server::node_server::start(config.clone(), book(), |_| None).err().unwrap();
    assert_eq!(held.code(), "store/held");
    server.stop();
    config.mode = node::config::Mode::Production;
    let refused = server::node_server::start(config, book(), |_| None).err().unwrap();
    assert_eq!(refused.code(), "config/demo-only", "{refused}");
}
