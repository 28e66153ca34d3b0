//! Enrollment, revocation, stamps, cosignatures, and kills.

use super::enroll::{Enrolled, Enrollment, JoinError, Newcomer, SignedEnrollment, join};
use super::*;
use crate::carrier::reach::Reach;
use crate::carrier::{Terms, TlsCarrier};
use identity::key::PublicKey;
use identity::status::StatusEntry;
use identity::x509::path::{
    Purpose, Question, Revocation as Lists, SubIndication, Validation, When, validate,
};
use identity::x509::{Certificate, Crl};
use node::ports::{Carrier, Reply, Request};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use tlog::appender::Appender;
use tlog::checkpoint::Checkpoint;
use tlog::key::KeyName;
use tlog::merkle::{self, Hash};
use tlog::witness::{Request as WitnessRequest, parse_conflict};
use trust::timestamp::{self, Token};

const ANY: &str = "127.0.0.1:0";
const HOUR_MS: i64 = 3_600_000;

fn begin(dir: &Path) -> Running {
    start(dir, ANY.parse().unwrap()).unwrap()
}

fn carrier(running: &Running) -> TlsCarrier {
    TlsCarrier::open(Terms::new(running.ca_pem_path.clone()).reaching(Reach::Anywhere)).unwrap()
}

fn newcomer(name: &str) -> Newcomer {
    Newcomer {
        did: format!("did:web:{name}.example"),
        name: format!("{name} (invented)"),
        country: "DE".into(),
        organization_identifier: format!("VATDE-{name}"),
        hosts: vec!["localhost".into(), "127.0.0.1".into()],
        log_origin: format!("{name}.example/log"),
    }
}

fn enter(running: &Running, name: &str, dir: &Path) -> Result<Enrolled, JoinError> {
    join(&carrier(running), running.url(), &running.enrollment_token().unwrap(), &newcomer(name), dir)
}

fn first(pem: &str) -> Certificate {
    Certificate::from_pem(pem).unwrap().remove(0)
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}

fn get(running: &Running, path: &str) -> Reply {
    carrier(running).send(Request::get(format!("{}{path}", running.url()))).unwrap()
}

fn revoke(running: &Running, token: &str, did: &str) -> Reply {
    let body = serde_json::json!({ "did": did }).to_string().into_bytes();
    let request = Request::post(format!("{}/revoke", running.url()), "application/json", body);
    carrier(running).send(request.with("authorization", format!("Bearer {token}"))).unwrap()
}

fn judge(running: &Running, certificate: &Certificate, purpose: Purpose) -> Validation {
    let anchors = Certificate::from_pem(&text(&get(running, "/ca.pem"))).unwrap();
    let crls = Crl::from_pem(&text(&get(running, "/crl.pem"))).unwrap();
    validate(&Question {
        certificate,
        intermediates: &[],
        anchors: &anchors,
        crls: &crls,
        when: When::UsedAt(MachineClock.now()),
        purpose,
        revocation: Lists::Required,
    })
}

#[test]
fn who_enrolls_gets_certificates_that_serve_until_revoked() {
    let (dir, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = begin(dir.path());
    let enrolled = enter(&running, "nord", home.path()).unwrap();
    let (tls, seal) = (first(&enrolled.tls_certificate), first(&enrolled.seal_certificate));
    assert!(
        judge(&running, &tls, Purpose::TlsServer).passed()
            && judge(&running, &tls, Purpose::TlsClient).passed()
    );
    assert!(judge(&running, &seal, Purpose::Seal).passed());
    assert!(
        !judge(&running, &seal, Purpose::TlsServer).passed()
            && !judge(&running, &tls, Purpose::Seal).passed()
    );
    let id = seal.subject().attribute(&identity::asn1::oid::ORGANIZATION_IDENTIFIER);
    assert_eq!(id, Some("VATDE-nord"));
    for certificate in [&tls, &seal] {
        assert!(certificate.extensions().alt_names.contains(&AltName::Uri("did:web:nord.example".into())));
        assert_eq!(certificate.extensions().crl_urls, [format!("{}/crl.der", running.url())]);
    }
    // The files are those that a node reads: key and certificate go together.
    assert!(
        node::keys::FileSigner::open(
            &home.path().join("seal.pem"),
            &home.path().join("seal.key"),
            "nord.example/log",
            &home.path().join("log.seed"),
        )
        .is_ok()
    );

    let number = |reply: &Reply| Crl::from_pem(&text(reply)).unwrap()[0].number();
    let before = number(&get(&running, "/crl.pem"));
    assert_eq!(revoke(&running, "guess", "did:web:nord.example").status, 401);
    assert_eq!(revoke(&running, &running.operator_token().unwrap(), "did:web:kita.example").status, 404);
    assert!(judge(&running, &seal, Purpose::Seal).passed());
    assert_eq!(revoke(&running, &running.operator_token().unwrap(), "did:web:nord.example").status, 200);
    assert!(number(&get(&running, "/crl.pem")) > before);
    for (certificate, purpose) in [(&seal, Purpose::Seal), (&tls, Purpose::TlsClient)] {
        assert_eq!(judge(&running, certificate, purpose), Validation::TotalFailed(SubIndication::Revoked));
    }
    let der = get(&running, "/crl.der");
    assert_eq!(der.header("content-type"), Some("application/pkix-crl"));
    assert!(Crl::from_der(&der.body).unwrap().entry(seal.serial()).is_some());
    // Its keys come back under no name.
    assert!(matches!(enter(&running, "nord", home.path()), Err(JoinError::Refused(409, _))));
    running.stop();
    let again = begin(dir.path());
    assert_eq!(judge(&again, &seal, Purpose::Seal), Validation::TotalFailed(SubIndication::Revoked));
}

#[test]
fn two_participants_shake_hands_both_ways() {
    use crate::tls::Peer;
    let (dir, nord, kita) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = begin(dir.path());
    enter(&running, "nord", nord.path()).unwrap();
    enter(&running, "kita", kita.path()).unwrap();
    for (server, client, name) in [(&nord, &kita, "kita"), (&kita, &nord, "nord")] {
        let who = |axum::Extension(Peer(certificate)): axum::Extension<Peer>| async move {
            node::agent::Caller::of((*certificate).clone()).unwrap().id
        };
        let files = Files {
            certificate: server.path().join("tls.pem"),
            key: server.path().join("tls.key"),
            clients: Clients::Known(server.path().join("anchors.pem")),
            revoked: None,
        };
        let door = Door::open(files, Limits::default()).unwrap();
        let router = Router::new().route("/", axum::routing::get(who));
        let listening = Listening::start(tls::bind(ANY.parse().unwrap()).unwrap(), router, door).unwrap();
        let terms = Terms::new(client.path().join("anchors.pem")).reaching(Reach::Anywhere);
        let terms = terms.showing(client.path().join("tls.pem"), client.path().join("tls.key"));
        let reply = TlsCarrier::open(terms)
            .unwrap()
            .send(Request::get(format!("https://{}/", listening.at())))
            .unwrap();
        assert_eq!(text(&reply), format!("did:web:{name}.example"));
    }
}

#[test]
fn nobody_enrolls_without_token_proof_or_a_name_of_its_own() {
    let (dir, home, other) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = begin(dir.path());
    let carrier = carrier(&running);
    let used = running.enrollment_token().unwrap();
    let refused = |token: &str, newcomer: &Newcomer, dir: &Path| match join(
        &carrier,
        running.url(),
        token,
        newcomer,
        dir,
    ) {
        Err(JoinError::Refused(status, why)) => (status, why),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("guess", &newcomer("nord"), home.path()).0, 401);
    join(&carrier, running.url(), &used, &newcomer("nord"), home.path()).unwrap();
    assert_eq!(refused(&used, &newcomer("kita"), other.path()).0, 401);
    let token = || running.enrollment_token().unwrap();
    assert_ne!(token(), used);
    let (status, why) = refused(&token(), &newcomer("nord"), other.path());
    assert!(status == 409 && why.contains("other keys"), "{why}");
    let (status, why) = refused(&token(), &newcomer("kita"), home.path());
    assert!(status == 409 && why.contains("a key is that"), "{why}");
    let (status, why) = refused(
        &token(),
        &Newcomer { log_origin: "nord.example/log".into(), ..newcomer("kita") },
        other.path(),
    );
    assert!(status == 409 && why.contains("log of this name"), "{why}");
    for wrong in [
        Newcomer { did: "did:web:10.0.0.1".into(), ..newcomer("kita") },
        Newcomer { name: "two\nlines".into(), ..newcomer("kita") },
        Newcomer { country: "de".into(), ..newcomer("kita") },
        Newcomer { organization_identifier: "12".into(), ..newcomer("kita") },
        Newcomer { hosts: vec!["*.example".into()], ..newcomer("kita") },
        Newcomer { hosts: vec![], ..newcomer("kita") },
    ] {
        assert_eq!(refused(&token(), &wrong, other.path()).0, 422, "{wrong:?}");
    }
    // The same keys come again, as after an answer that got lost, and the token was spent by none of the refusals.
    join(&carrier, running.url(), &token(), &newcomer("nord"), home.path()).unwrap();

    // A public key that somebody else holds is not certified.
    let (mine, theirs) =
        (running.office.folder.key("mine.key").unwrap(), running.office.folder.key("theirs.key").unwrap());
    let jwk = |key: &SealKey| -> Value { key.public().unwrap().to_jwk() };
    let enrollment = Enrollment {
        token: token(),
        did: "did:web:thief.example".into(),
        name: "thief".into(),
        country: "DE".into(),
        organization_identifier: "VATDE-1".into(),
        hosts: vec!["localhost".into()],
        tls_key: jwk(&mine),
        seal_key: jwk(&theirs),
        log_key: None,
    };
    let proof = register::hex(mine.sign(&enrollment.to_sign().unwrap()).unwrap().bytes());
    let request = SignedEnrollment { enrollment, tls_proof: proof.clone(), seal_proof: proof };
    let send = |body: Vec<u8>| {
        carrier.send(Request::post(format!("{}/enroll", running.url()), "application/json", body)).unwrap()
    };
    let reply = send(serde_json::to_vec(&request).unwrap());
    assert!(reply.status == 422 && text(&reply).contains("seal_proof"), "{}", text(&reply));
    for nonsense in ["", "{}", "[1", "{\"enrollment\":3}"] {
        assert_eq!(send(nonsense.as_bytes().to_vec()).status, 422);
    }
}

#[test]
fn the_status_list_says_what_the_revocation_list_says() {
    let (dir, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = begin(dir.path());
    let enrolled = enter(&running, "nord", home.path()).unwrap();
    let entry = StatusEntry::from_json(&enrolled.status).unwrap();
    let did = format!("did:web:localhost%3A{}", running.addr.port());
    assert_eq!(DidWeb::parse(&did).unwrap().url(), format!("{}/.well-known/did.json", running.url()));
    let document = did::DidDocument::from_json(&did, &get(&running, "/.well-known/did.json").body).unwrap();
    let key: PublicKey = document.key("#status", did::Relationship::AssertionMethod).unwrap();
    let is_set = || {
        let list = StatusList::verify(&text(&get(&running, "/status/1")), &key).unwrap();
        assert_eq!((list.id.as_str(), list.issuer.as_str()), (entry.list.as_str(), did.as_str()));
        list.is_set(&entry, MachineClock.now()).unwrap()
    };
    assert!(!is_set());
    revoke(&running, &running.operator_token().unwrap(), "did:web:nord.example");
    assert!(is_set());
    assert_eq!(get(&running, "/status/2").status, 404);
    assert_eq!(text(&get(&running, "/healthz")), "ok\n");
}

/// A clock that a test moves.
struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Instant {
        Instant(self.0.load(Ordering::SeqCst))
    }
}

#[test]
fn the_list_is_renewed_before_its_time_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(Moved(AtomicI64::new(MachineClock.now().0)));
    let running = start_by(dir.path(), ANY.parse().unwrap(), clock.clone()).unwrap();
    let list = || Crl::from_pem(&text(&get(&running, "/crl.pem"))).unwrap().remove(0);
    let at_first = list();
    assert_eq!(list(), at_first);
    for _ in 0..3 {
        let (before, now) = (list(), clock.0.fetch_add(13 * HOUR_MS, Ordering::SeqCst) + 13 * HOUR_MS);
        assert!(before.next_update().unwrap() > Instant(now), "a list was out until the next one");
        let after = list();
        assert!(after.number() > before.number() && after.next_update().unwrap().0 > now + 12 * HOUR_MS);
    }
}

fn ask_stamp(running: &Running, body: Vec<u8>) -> Reply {
    let request = Request::post(format!("{}/tsa", running.url()), "application/timestamp-query", body);
    carrier(running).send(request).unwrap()
}

/// What OpenSSL says, or nothing where there is no OpenSSL.
fn openssl(args: &[&str], dir: &Path) -> Option<(bool, String)> {
    let output = Command::new("openssl").args(args).current_dir(dir).output().ok()?;
    Some((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[test]
fn openssl_verifies_a_stamp_that_came_over_http() {
    let (dir, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = begin(dir.path());
    std::fs::write(work.path().join("data"), b"what is stamped").unwrap();
    std::fs::write(work.path().join("forged"), b"what is not stamped").unwrap();
    std::fs::copy(&running.ca_pem_path, work.path().join("ca.pem")).unwrap();
    let query = ["ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "query.tsq"];
    let Some((made, said)) = openssl(&query, work.path()) else { return };
    assert!(made, "{said}");
    let reply = ask_stamp(&running, std::fs::read(work.path().join("query.tsq")).unwrap());
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/timestamp-reply")));
    std::fs::write(work.path().join("reply.tsr"), &reply.body).unwrap();
    for (against, good) in
        [(["-queryfile", "query.tsq"], true), (["-data", "data"], true), (["-data", "forged"], false)]
    {
        let args = [&["ts", "-verify", "-in", "reply.tsr", "-CAfile", "ca.pem"][..], &against].concat();
        let (verified, said) = openssl(&args, work.path()).unwrap();
        assert_eq!(verified, good, "{said}");
    }
}

#[test]
fn serial_numbers_of_stamps_never_repeat_and_refusals_are_answers() {
    let dir = tempfile::tempdir().unwrap();
    let mut serials = BTreeSet::new();
    for round in 0..2 {
        let running = begin(dir.path());
        let anchors = Certificate::from_pem(&std::fs::read_to_string(&running.ca_pem_path).unwrap()).unwrap();
        for n in 0..5u8 {
            let imprint = Digest::of(&[n]);
            let request = timestamp::Request::new(imprint, [n + 1; 16]);
            let token = timestamp::read_response(&ask_stamp(&running, request.to_der()).body).unwrap();
            let token = Token::read(&token).unwrap();
            let crls = Crl::from_pem(&text(&get(&running, "/crl.pem"))).unwrap();
            let trust = trust::seal::Trust {
                anchors: &anchors,
                intermediates: &[],
                crls: &crls,
                revocation: Lists::Required,
            };
            assert!(token.verify(&imprint, Some(&request), &trust).passed());
            assert!(serials.insert(token.serial().to_vec()), "round {round}");
        }
        let refused = ask_stamp(&running, vec![0x30, 0x03, 0x02, 0x01, 0x01]);
        assert_eq!(refused.status, 200);
        assert!(matches!(timestamp::read_response(&refused.body), Err(timestamp::StampError::Refused(2, _))));
        let request = Request::post(format!("{}/tsa", running.url()), "text/plain", vec![]);
        assert_eq!(carrier(&running).send(request).unwrap().status, 415);
        running.stop();
    }
}

/// A log of so many entries, grown at once, from which any older size can be shown.
struct Log {
    signer: tlog::note::Signer,
    leaves: Vec<Hash>,
}

impl Log {
    fn new(home: &Path, name: &str, branch: u8, size: usize) -> Self {
        let seed = node::keys::seed(&home.join("log.seed")).unwrap();
        let signer = tlog::note::Signer::new(KeyName::parse(&format!("{name}.example/log")).unwrap(), &seed);
        let leaf = |n: usize| Hash::new(Digest::of(format!("{branch} {n}").as_bytes()).0);
        Self { signer, leaves: (0..size).map(leaf).collect() }
    }

    /// The request that leads from one size to the next; the proof is empty where there is none.
    fn request(&self, old: u64, new: u64) -> Vec<u8> {
        let growth = Appender::new().append(&self.leaves[..new as usize]).unwrap();
        let tiles: BTreeMap<_, _> = growth.tiles.iter().cloned().collect();
        let mut reader =
            tlog::tile::Reader::new(growth.size, |tile| tiles.get(&tile).cloned().ok_or("no such tile"));
        let proof = merkle::consistency_proof(old, new, |position| reader.hash(position)).unwrap_or_default();
        let checkpoint =
            Checkpoint::new(self.signer.verifier().name().clone(), growth.size, growth.root).unwrap();
        WitnessRequest::new(old, proof, checkpoint.sign(&self.signer).unwrap())
            .unwrap()
            .to_string()
            .into_bytes()
    }
}

fn add(carrier: &dyn Carrier, base: &str, body: Vec<u8>) -> Result<Reply, node::ports::CarrierError> {
    carrier.send(Request::post(format!("{base}/add-checkpoint"), "text/plain", body))
}

#[test]
fn a_witness_never_goes_back_nor_sideways_also_after_a_restart() {
    let (dir, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = begin(dir.path());
    let key = enter(&running, "nord", home.path()).unwrap().witness_key;
    assert_eq!(
        (text(&get(&running, "/witness/vkey")), running.witness_key()),
        (format!("{key}\n"), key.clone())
    );
    let (honest, fork) = (Log::new(home.path(), "nord", 1, 20), Log::new(home.path(), "nord", 2, 20));
    let reply = add(&carrier(&running), running.url(), honest.request(0, 5)).unwrap();
    assert_eq!(reply.status, 200);
    let verifier = tlog::key::VerifierKey::parse(&key).unwrap();
    let signed = String::from_utf8(honest.request(0, 5)).unwrap();
    let mut signed =
        tlog::checkpoint::SignedCheckpoint::parse(signed.split_once("\n\n").unwrap().1.as_bytes()).unwrap();
    signed.attach(&reply.body, &[verifier]).unwrap();
    let check = |running: &Running| {
        let send = |body| add(&carrier(running), running.url(), body).unwrap();
        let at_zero = send(honest.request(0, 3));
        assert_eq!((at_zero.status, parse_conflict(&at_zero.body)), (409, Some(5)));
        assert_eq!(at_zero.header("content-type"), Some(tlog::witness::SIZE_MEDIA_TYPE));
        assert_eq!(send(honest.request(5, 3)).status, 400);
        assert_eq!(send(fork.request(5, 9)).status, 422);
        assert_eq!(send(fork.request(5, 5)).status, 422);
        assert_eq!(send(b"old 5\n".to_vec()).status, 400);
        assert_eq!(send(Log::new(home.path(), "kita", 1, 3).request(0, 3)).status, 404);
        assert_eq!(send(honest.request(5, 5)).status, 200);
    };
    check(&running);
    running.stop();
    let again = begin(dir.path());
    assert_eq!(again.witness_key(), key);
    check(&again);
    again.stop();
    // What cannot be read is not forgotten: nothing starts.
    let state = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().path());
    let state = state.into_iter().find(|path| path.extension().is_some_and(|e| e == "checkpoint")).unwrap();
    let good = std::fs::read(&state).unwrap();
    std::fs::write(&state, &good[..good.len() / 2]).unwrap();
    assert_eq!(start(dir.path(), ANY.parse().unwrap()).unwrap_err().code(), "authority/broken");
}

#[test]
fn many_at_once_lead_along_one_line() {
    let (dir, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = begin(dir.path());
    enter(&running, "nord", home.path()).unwrap();
    let log = Log::new(home.path(), "nord", 1, 400);
    let (carrier, base) = (carrier(&running), running.url());
    let steps = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..8u64 {
            let (log, carrier, steps) = (&log, &carrier, &steps);
            scope.spawn(move || {
                let mut old = 0;
                for n in 0..40u64 {
                    let new = (old + 1 + (thread * 7 + n * 13) % 11).min(400);
                    let reply = add(carrier, base, log.request(old, new)).unwrap();
                    match reply.status {
                        200 => {
                            lock(steps).push((old, new));
                            old = new;
                        }
                        409 => old = parse_conflict(&reply.body).unwrap(),
                        other => panic!("status {other}: {}", text(&reply)),
                    }
                }
            });
        }
    });
    let mut steps = lock(&steps).clone();
    steps.sort_unstable();
    steps.retain(|(old, new)| old != new);
    assert!(steps.len() > 10);
    // Each step that was cosigned begins where another ended: nobody was cosigned twice from one size.
    assert_eq!(steps[0].0, 0);
    assert!(steps.windows(2).all(|pair| pair[0].1 == pair[1].0), "{steps:?}");
}

#[test]
fn one_process_per_directory() {
    let dir = tempfile::tempdir().unwrap();
    let running = begin(dir.path());
    let error = start(dir.path(), ANY.parse().unwrap()).unwrap_err();
    assert_eq!(error.code(), "authority/held");
    running.stop();
    begin(dir.path()).stop();
}

const CHILD: &str = "TEGATA_TEST_AUTHORITY";

/// Not a test of its own: the process that the next test kills.
#[test]
fn child_process() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    run(Path::new(&dir), ANY.parse().unwrap(), |running| println!("\nlistens {}", running.url())).unwrap();
}

fn child(dir: &Path) -> (Child, String) {
    // The path of this module without the crate's name is the name of the test.
    let test = format!("{}::child_process", module_path!().split_once("::").unwrap().1);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", &test, "--nocapture"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let url = lines.into_iter().find_map(|line| line.strip_prefix("listens ").map(str::to_owned));
    (child, url.expect("the child listens"))
}

#[test]
fn killed_at_any_moment_it_keeps_what_it_promised() {
    let (dir, homes) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let home = homes.path().join("nord");
    let mut log = None;
    let (mut cosigned, mut serials) = (0, BTreeSet::new());
    let (mut enrolled, mut revoked): (Vec<Vec<u8>>, Vec<Vec<u8>>) = Default::default();
    let mut list_number = 0;
    for round in 0..6usize {
        let (mut child, base) = child(dir.path());
        let terms = Terms::new(dir.path().join("ca.pem")).reaching(Reach::Anywhere);
        let carrier = TlsCarrier::open(terms).unwrap();
        let token = |file: &str| std::fs::read_to_string(dir.path().join(file)).unwrap().trim().to_owned();
        if log.is_none() {
            join(&carrier, &base, &token("enrollment.token"), &newcomer("nord"), &home).unwrap();
            log = Some(Log::new(&home, "nord", 1, 400));
        }
        let log = log.as_ref().unwrap();
        // What was promised before the kill holds.
        let list = carrier.send(Request::get(format!("{base}/crl.pem"))).unwrap();
        let list = Crl::from_pem(&text(&list)).unwrap().remove(0);
        assert!(list.number().unwrap() > list_number, "round {round}");
        list_number = list.number().unwrap();
        let register = std::fs::read_to_string(dir.path().join("register.json")).unwrap();
        for serial in &enrolled {
            assert!(register.contains(&register::hex(serial)), "round {round}");
        }
        for serial in &revoked {
            assert!(list.entry(serial).is_some(), "round {round}");
        }
        // And it is killed in the middle of more, after so many answers of one kind; kind and number go round.
        let answers: [AtomicUsize; 3] = Default::default();
        std::thread::scope(|scope| {
            let (answers, carrier, base, log) = (&answers, &carrier, base.as_str(), log);
            let cosigning = scope.spawn(move || {
                let mut old = cosigned;
                while let Ok(reply) = add(carrier, base, log.request(old, (old + 1).min(400))) {
                    match reply.status {
                        200 => (old, _) = ((old + 1).min(400), answers[0].fetch_add(1, Ordering::SeqCst)),
                        // It may have stored what it had no time to answer, but never lost what it answered.
                        409 => {
                            let seen = parse_conflict(&reply.body).unwrap();
                            assert!(seen > old, "rolled back to {seen} from {old}");
                            old = seen;
                        }
                        other => panic!("status {other}"),
                    }
                }
                old
            });
            let stamping = scope.spawn(move || {
                let mut seen = Vec::new();
                for n in 0u64.. {
                    let request = timestamp::Request::new(Digest::of(&n.to_be_bytes()), [1; 16]).to_der();
                    let request =
                        Request::post(format!("{base}/tsa"), "application/timestamp-query", request);
                    let Ok(reply) = carrier.send(request) else { break };
                    let token = Token::read(&timestamp::read_response(&reply.body).unwrap()).unwrap();
                    seen.push(token.serial().to_vec());
                    answers[1].fetch_add(1, Ordering::SeqCst);
                }
                seen
            });
            let (homes, token, operator) = (homes.path(), &token, token("operator.token"));
            let enrolling = scope.spawn(move || {
                let (mut came, mut went) = (Vec::new(), Vec::new());
                for n in 0usize.. {
                    let name = format!("p{round}-{n}");
                    match join(
                        carrier,
                        base,
                        &token("enrollment.token"),
                        &newcomer(&name),
                        &homes.join(&name),
                    ) {
                        Ok(enrolled) => came.push(first(&enrolled.seal_certificate).serial().to_vec()),
                        Err(JoinError::Carrier(_)) => break,
                        Err(other) => panic!("{other}"),
                    }
                    answers[2].fetch_add(1, Ordering::SeqCst);
                    let body = serde_json::json!({ "did": newcomer(&name).did }).to_string().into_bytes();
                    let request = Request::post(format!("{base}/revoke"), "application/json", body);
                    match carrier.send(request.with("authorization", format!("Bearer {operator}"))) {
                        Ok(reply) => assert_eq!(reply.status, 200),
                        Err(_) => break,
                    }
                    went.extend(came.last().cloned());
                    answers[2].fetch_add(1, Ordering::SeqCst);
                }
                (came, went)
            });
            while answers[round % 3].load(Ordering::SeqCst) < 1 + round * 2
                && child.try_wait().unwrap().is_none()
            {
                std::thread::yield_now();
            }
            child.kill().unwrap();
            child.wait().unwrap();
            cosigned = cosigning.join().unwrap();
            for serial in stamping.join().unwrap() {
                assert!(serials.insert(serial), "a serial number came twice");
            }
            let (came, went) = enrolling.join().unwrap();
            enrolled.extend(came);
            revoked.extend(went);
        });
    }
    assert!(cosigned > 0 && !serials.is_empty() && !enrolled.is_empty());
}
