use super::kit::Town;
use super::*;
use crate::carrier::reach::Reach;
use crate::carrier::{Terms, TlsCarrier};
use axum::Extension;
use axum::routing::{get, post};
use hyper::body::Bytes;
use identity::x509::AltName;
use node::ports::{Carrier, CarrierError, Reply, Request as Message};
use std::io::{Read, Write};

const FAST: Limits = Limits {
    connections_max: 64,
    handshake: Duration::from_millis(300),
    head: Duration::from_millis(300),
    head_bytes_max: 8 << 10,
    headers_max: 32,
    body: Duration::from_millis(300),
    body_bytes_max: 1_000,
    taking: Duration::from_millis(300),
    farewell: Duration::from_secs(20),
    look_every: Duration::ZERO,
};

fn serve(
    town: &Town,
    limits: Limits,
    clients: Clients,
    revoked: Option<PathBuf>,
    router: Router,
) -> Listening {
    let (certificate, key) = town.good("server");
    let door = Door::open(Files { certificate, key, clients, revoked }, limits).unwrap();
    Listening::start(bind("127.0.0.1:0".parse().unwrap()).unwrap(), router, door).unwrap()
}

fn carrier(town: &Town, identity: Option<(PathBuf, PathBuf)>) -> TlsCarrier {
    let terms = Terms { identity, ..Terms::new(town.anchors()).reaching(Reach::Anywhere) };
    let limits = crate::carrier::Limits { look_every: Duration::ZERO, ..terms.limits };
    TlsCarrier::open(terms.within(limits)).unwrap()
}

fn url(listening: &Listening, path: &str) -> String {
    format!("https://localhost:{}{path}", listening.at().port())
}

/// Answers with the URI in the caller's certificate.
fn who() -> Router {
    let answer = |peer: Option<Extension<Peer>>| async move {
        peer.map_or("nobody".to_owned(), |Extension(Peer(certificate))| {
            let names = &certificate.extensions().alt_names;
            names
                .iter()
                .find_map(|n| match n {
                    AltName::Uri(uri) => Some(uri.clone()),
                    _ => None,
                })
                .unwrap_or_default()
        })
    };
    Router::new().route("/who", get(answer))
}

fn ask(carrier: &TlsCarrier, listening: &Listening) -> Result<String, CarrierError> {
    let reply: Result<Reply, _> = carrier.send(Message::get(url(listening, "/who")));
    reply.map(|reply| String::from_utf8(reply.body).unwrap())
}

#[test]
fn both_sides_must_lead_to_the_anchor() {
    let (town, other) = (Town::new(), Town::new());
    let known = serve(&town, FAST, Clients::Known(town.anchors()), None, who());
    let nord = carrier(&town, Some(town.good("nord")));
    assert_eq!(ask(&nord, &known).as_deref(), Ok("did:web:nord.example"));
    // The kept connection serves again, and so does a new one.
    assert_eq!(ask(&nord, &known).as_deref(), Ok("did:web:nord.example"));

    let untrusted = |carrier: &TlsCarrier, at: &Listening, say: &str| {
        let error = ask(carrier, at).unwrap_err();
        assert_eq!(error.code(), "peer/untrusted", "{error}");
        assert!(error.to_string().contains(say), "{error}");
    };
    untrusted(&carrier(&town, None), &known, "asks for a certificate");
    untrusted(&carrier(&town, Some(other.good("nord"))), &known, "refuses our certificate");
    untrusted(
        &carrier(&town, Some(town.identity("late", "localhost", -1_000))),
        &known,
        "refuses our certificate",
    );
    untrusted(&carrier(&other, Some(town.good("nord"))), &known, "none of our anchors");

    let asked = serve(&town, FAST, Clients::Asked(town.anchors()), None, who());
    assert_eq!(ask(&carrier(&town, None), &asked).as_deref(), Ok("nobody"));
    assert_eq!(ask(&nord, &asked).as_deref(), Ok("did:web:nord.example"));
    untrusted(&carrier(&town, Some(other.good("nord"))), &asked, "refuses our certificate");
}

#[test]
fn a_new_revocation_list_counts_at_the_next_connection() {
    let town = Town::new();
    let nord = town.good("nord");
    let list = town.revoke(&[]);
    let listening = serve(&town, FAST, Clients::Known(town.anchors()), Some(list), who());
    assert!(ask(&carrier(&town, Some(nord.clone())), &listening).is_ok());
    town.revoke(&["nord"]);
    let error = ask(&carrier(&town, Some(nord)), &listening).unwrap_err();
    assert_eq!(error.code(), "peer/untrusted", "{error}");
    assert!(ask(&carrier(&town, Some(town.good("kita"))), &listening).is_ok());

    // And the other way: the caller looks at the server's certificate, also where it had kept a connection.
    let revoked = Some(town.revoke(&[]));
    let asked = serve(&town, FAST, Clients::Unasked, None, who());
    town.revoke(&[]);
    let terms = Terms { revoked, ..Terms::new(town.anchors()).reaching(Reach::Anywhere) };
    let limits = crate::carrier::Limits { look_every: Duration::ZERO, ..terms.limits };
    let caller = TlsCarrier::open(terms.within(limits)).unwrap();
    assert!(ask(&caller, &asked).is_ok());
    town.revoke(&["server"]);
    let error = ask(&caller, &asked).unwrap_err();
    assert!(error.to_string().contains("revoked"), "{error}");
}

#[test]
fn renewed_files_are_read_and_broken_ones_are_not() {
    let town = Town::new();
    let listening = serve(&town, FAST, Clients::Unasked, None, who());
    let fresh = || carrier(&town, None);
    town.put("server.pem", b"-----BEGIN CERTIFICATE-----\n!!\n");
    assert!(ask(&fresh(), &listening).is_ok());
    town.identity("server", "localhost", -1_000);
    let error = ask(&fresh(), &listening).unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");
    town.good("server");
    assert!(ask(&fresh(), &listening).is_ok());
}

#[test]
fn stopping_gives_the_answers_that_are_being_made() {
    let town = Town::new();
    let (begun, release) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let (b, r) = (Arc::clone(&begun), Arc::clone(&release));
    let slow = move || async move {
        b.notify_one();
        r.notified().await;
        "whole"
    };
    let listening = serve(&town, FAST, Clients::Unasked, None, Router::new().route("/who", get(slow)));
    let carrier = carrier(&town, None);
    let to = url(&listening, "/who");
    let asking = std::thread::spawn(move || carrier.send(Message::get(to)));
    listening.runtime().unwrap().block_on(begun.notified());
    let stopping = std::thread::spawn(move || listening.stop());
    release.notify_one();
    assert_eq!(asking.join().unwrap().unwrap().body, b"whole");
    stopping.join().unwrap();
}

/// A TLS client that says exactly what a test wants.
fn raw(
    town: &Town,
    listening: &Listening,
) -> rustls::StreamOwned<rustls::ClientConnection, std::net::TcpStream> {
    let config = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(read_anchors(&town.anchors()).unwrap())
        .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = std::net::TcpStream::connect(listening.at()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    rustls::StreamOwned::new(connection, stream)
}

#[test]
fn the_slow_and_the_greedy_are_cut_off() {
    let town = Town::new();
    let take = |body: Bytes| async move { body.len().to_string() };
    let router = || Router::new().route("/", post(take));
    let listening = serve(&town, FAST, Clients::Unasked, None, router());
    let until_end = |stream: &mut dyn Read| {
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    };

    let mut silent = std::net::TcpStream::connect(listening.at()).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(until_end(&mut silent), "");

    let mut half_a_head = raw(&town, &listening);
    half_a_head.write_all(b"POST / HTTP/1.1\r\nHost: x\r\n").unwrap();
    assert!(!until_end(&mut half_a_head).contains("200"));

    let mut half_a_body = raw(&town, &listening);
    half_a_body.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc").unwrap();
    let said = until_end(&mut half_a_body);
    assert!(said.starts_with("HTTP/1.1 400"), "{said}");

    let mut large_head = raw(&town, &listening);
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(9_000));
    let _ = large_head.write_all(head.as_bytes());
    let said = until_end(&mut large_head);
    assert!(said.starts_with("HTTP/1.1 431"), "{said}");

    let carrier = carrier(&town, None);
    let send = |bytes: usize| {
        carrier.send(Message::post(url(&listening, "/"), "text/plain", vec![b'x'; bytes])).unwrap()
    };
    assert_eq!(send(1_000).body, b"1000");
    assert_eq!(send(1_001).status, 413);
}

#[test]
fn no_more_connections_than_are_allowed() {
    let town = Town::new();
    let limits = Limits { connections_max: 1, head: Duration::from_millis(200), ..FAST };
    let listening = serve(&town, limits, Clients::Unasked, None, who());
    let first = carrier(&town, None);
    assert!(ask(&first, &listening).is_ok());
    // The first is kept by its carrier and holds the only seat until the server's patience ends.
    assert!(ask(&carrier(&town, None), &listening).is_ok());
}

#[test]
fn who_takes_nothing_of_an_answer_loses_it() {
    let town = Town::new();
    let limits = Limits { connections_max: 1, ..FAST };
    let much = || async { vec![b'x'; 64 << 20] };
    let router = who().route("/much", get(much));
    let listening = serve(&town, limits, Clients::Unasked, None, router);
    let mut idle = raw(&town, &listening);
    idle.write_all(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    // The only seat is free again although the first client still holds its end.
    assert!(ask(&carrier(&town, None), &listening).is_ok());
    drop(idle);
}

#[test]
fn files_that_do_not_serve_are_named() {
    let town = Town::new();
    let (certificate, key) = town.good("server");
    let open = |certificate: &Path, key: &Path| {
        let files = Files {
            certificate: certificate.into(),
            key: key.into(),
            clients: Clients::Unasked,
            revoked: None,
        };
        Door::open(files, FAST).unwrap_err()
    };
    let error = open(Path::new("/nowhere/tls.pem"), &key);
    assert_eq!((error.code(), error.to_string().contains("/nowhere/tls.pem")), ("tls/unreadable", true));
    let error = open(&key, &key);
    assert!(error.to_string().contains("holds no certificate"), "{error}");
    let (_, foreign) = town.good("other");
    assert_eq!(open(&certificate, &foreign).code(), "tls/unusable");
}
