use std::path::PathBuf;
use super::reach::Reach;
use super::*;
use crate::tls::kit::Town;
use crate::tls::{Clients, Door, Files, Limits as DoorLimits, Listening, bind};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use std::io::{Read, Write};
use std::net::TcpListener;

const QUICK: Limits = Limits {
    connect: Duration::from_millis(400),
    first_byte: Duration::from_millis(400),
    body: Duration::from_millis(400),
    head_bytes_max: 8 << 10,
    headers_max: 32,
    idle: Duration::from_secs(5),
    look_every: Duration::ZERO,
};

fn carrier(town: &Town, limits: Limits) -> TlsCarrier {
    TlsCarrier::open(Terms::new(town.anchors()).reaching(Reach::Anywhere).within(limits)).unwrap()
}

fn serve(identity: (PathBuf, PathBuf), router: Router) -> Listening {
    let files = Files { certificate: identity.0, key: identity.1, clients: Clients::Unasked, revoked: None };
    let door = Door::open(files, DoorLimits::default()).unwrap();
    Listening::start(bind("127.0.0.1:0".parse().unwrap()).unwrap(), router, door).unwrap()
}

/// A peer that does what a test wants with one TCP connection; the thread ends when the test's process does.
fn hostile(act: impl FnOnce(std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || act(listener.accept().unwrap().0));
    format!("https://localhost:{port}/")
}

/// A peer that shakes hands well, reads the request's head, says these bytes, and keeps the line open.
fn says(town: &Town, bytes: impl Into<Vec<u8>>) -> String {
    let (certificate, key) = town.good("server");
    let files = Files { certificate, key, clients: Clients::Unasked, revoked: None };
    let config = Arc::new(crate::tls::server_config(&files).unwrap());
    let bytes = bytes.into();
    hostile(move |stream| {
        let mut stream = rustls::StreamOwned::new(rustls::ServerConnection::new(config).unwrap(), stream);
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut one = [0];
            if stream.read(&mut one).unwrap_or(0) == 0 {
                return;
            }
            head.push(one[0]);
        }
        let _ = stream.write_all(&bytes);
        let _ = stream.flush();
        let _ = stream.read(&mut [0]);
    })
}

#[test]
fn every_way_to_fail_has_one_clear_line() {
    let (town, other) = (Town::new(), Town::new());
    let carrier = carrier(&town, QUICK);
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("https://localhost:{}/", free.local_addr().unwrap().port());
    drop(free);
    let router = || Router::new().route("/", get(|| async { "hello" }));
    let late = serve(town.identity("late", "localhost", -1_000), router());
    let foreign = serve(other.good("server"), router());
    let elsewhere = serve(town.identity("elsewhere", "elsewhere.example", 3_600_000), router());
    let at = |l: &Listening| format!("https://localhost:{}/", l.at().port());
    let ok = "HTTP/1.1 200 OK\r\n";
    let long_head = format!("{ok}X: {}\r\n\r\n", "y".repeat(9_000));
    let many = format!("{ok}{}\r\n", "X: y\r\n".repeat(100));
    let cases: Vec<(&str, String, &str, &str)> = vec![
        ("nobody", nobody, "peer/unreachable", "nobody answers"),
        ("no name", "https://no-such-name.invalid/".into(), "peer/unreachable", "nobody answers"),
        (
            "silent",
            hostile(|mut s| drop(s.read_to_end(&mut vec![]))),
            "peer/slow",
            "no whole answer within 400 ms",
        ),
        (
            "no TLS",
            hostile(|mut s| drop(s.write_all(b"HTTP/1.1 200 OK\r\n\r\n"))),
            "peer/nonsense",
            "does not speak TLS",
        ),
        ("closes", hostile(drop), "peer/nonsense", "ended before"),
        ("expired", at(&late), "peer/untrusted", "its certificate has expired"),
        ("unknown CA", at(&foreign), "peer/untrusted", "leads to none of our anchors"),
        ("other name", at(&elsewhere), "peer/untrusted", "not for the name `localhost`"),
        ("no answer", says(&town, ""), "peer/slow", "no whole answer"),
        ("no HTTP", says(&town, "220 mail.example ESMTP\r\n\r\n"), "peer/nonsense", "cannot be parsed"),
        ("large head", says(&town, long_head), "peer/nonsense", "head of the answer is larger"),
        ("many headers", says(&town, many), "peer/nonsense", "head of the answer is larger"),
        (
            "redirect",
            says(&town, "HTTP/1.1 302 Found\r\nLocation: https://10.0.0.1/\r\nContent-Length: 0\r\n\r\n"),
            "peer/nonsense",
            "redirect",
        ),
        (
            "declares much",
            says(&town, format!("{ok}Content-Length: 101\r\n\r\n")),
            "peer/too-large",
            "more than 100 bytes",
        ),
        (
            "sends much",
            says(
                &town,
                format!("{ok}Transfer-Encoding: chunked\r\n\r\n65\r\n{}\r\n0\r\n\r\n", "x".repeat(101)),
            ),
            "peer/too-large",
            "more than 100 bytes",
        ),
        (
            "half a body",
            says(&town, format!("{ok}Content-Length: 50\r\n\r\nabc")),
            "peer/slow",
            "no whole answer",
        ),
        (
            "two lengths",
            says(&town, format!("{ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello")),
            "peer/nonsense",
            "",
        ),
    ];
    for (what, url, code, say) in cases {
        let error = carrier.send(Request::get(url).up_to(100)).expect_err(what);
        let line = error.to_string();
        assert_eq!(error.code(), code, "{what}: {line}");
        assert!(line.contains(say) && !line.contains('\n'), "{what}: {line}");
    }
}

#[test]
fn only_https_addresses_are_called() {
    let town = Town::new();
    let carrier = carrier(&town, QUICK);
    for url in [
        "",
        "http://localhost/",
        "https://",
        "https://user:pw@localhost/",
        "file:///etc/passwd",
        "https://localhost:0/",
        "https://localhost:99999/",
        "https://localhost/#x",
        "//localhost/",
        "https://local host/",
        "/path",
    ] {
        let error = carrier.send(Request::get(url)).unwrap_err();
        assert_eq!(error.code(), "peer/address", "{url}: {error}");
    }
}

#[test]
fn inner_addresses_are_called_only_when_listed() {
    let town = Town::new();
    let listening = serve(town.good("server"), Router::new().route("/", get(|| async { "hello" })));
    let port = listening.at().port();
    let send = |also: Vec<String>, host: &str| {
        let terms = Terms::new(town.anchors()).reaching(Reach::Outside { also });
        TlsCarrier::open(terms).unwrap().send(Request::get(format!("https://{host}:{port}/")))
    };
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        let error = send(vec![], host).unwrap_err();
        assert!(error.to_string().contains("inner address"), "{host}: {error}");
    }
    assert_eq!(send(vec![format!("localhost:{port}")], "localhost").unwrap().body, b"hello");
    assert!(send(vec![format!("localhost:{}", port.wrapping_add(1))], "localhost").is_err());
}

#[test]
fn a_message_arrives_whole_and_its_answer_too() {
    let town = Town::new();
    let echo = |headers: axum::http::HeaderMap, body: axum::body::Bytes| async move {
        let one = headers.get("tegata-have").cloned().unwrap();
        (StatusCode::CONFLICT, [("tegata-chunk", one)], body)
    };
    let router = Router::new().route("/echo", post(echo)).layer(axum::extract::DefaultBodyLimit::disable());
    let listening = serve(town.good("server"), router);
    let carrier = Arc::new(carrier(&town, Limits::default()));
    let body: Vec<u8> = (0..(8 << 20) + 5u32).map(|n| n as u8).collect();
    let url = format!("https://localhost:{}/echo?x=1", listening.at().port());
    let message = Request::post(url, "application/octet-stream", body.clone())
        .with("tegata-have", "7")
        .up_to(body.len());
    let reply = carrier.send(message.clone()).unwrap();
    assert_eq!((reply.status, reply.header("tegata-chunk")), (409, Some("7")));
    assert!(reply.body == body);
    // Many at once, from threads and from inside an event loop's blocking threads.
    let small = Request { body: vec![1; 100], ..message.clone() };
    let threads: Vec<_> = (0..16)
        .map(|_| {
            let (carrier, small) = (Arc::clone(&carrier), small.clone());
            std::thread::spawn(move || (0..8).all(|_| carrier.send(small.clone()).unwrap().body.len() == 100))
        })
        .collect();
    assert!(threads.into_iter().all(|t| t.join().unwrap()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let reply =
        runtime.block_on(async { tokio::task::spawn_blocking(move || carrier.send(small)).await.unwrap() });
    assert_eq!(reply.unwrap().body.len(), 100);
    // A header that would break out of its line is not sent.
    let bad = self::carrier(&town, QUICK).send(message.with("x", "a\r\nb: c")).unwrap_err();
    assert!(bad.to_string().contains("header `x`"), "{bad}");
}

#[test]
fn a_connection_that_the_peer_has_closed_is_opened_anew() {
    let town = Town::new();
    let router = Router::new().route("/", get(|| async { "hello" }));
    let listening = serve(town.good("server"), router.clone());
    let at = listening.at();
    let carrier = carrier(&town, Limits::default());
    let send = || carrier.send(Request::get(format!("https://localhost:{}/", at.port())));
    assert_eq!(send().unwrap().body, b"hello");
    listening.stop();
    let (certificate, key) = town.good("server");
    let files = Files { certificate, key, clients: Clients::Unasked, revoked: None };
    let door = Door::open(files, DoorLimits::default()).unwrap();
    let again = Listening::start(bind(at).unwrap(), router, door).unwrap();
    assert_eq!(send().unwrap().body, b"hello");
    again.stop();
    assert_eq!(send().unwrap_err().code(), "peer/unreachable");
}
