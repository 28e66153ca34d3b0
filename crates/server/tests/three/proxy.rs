//! Stands between receiver and sender and counts what passes: each chunk that is given, its number, what the receiver
//! said it had, and whether the chunk came through whole.
//!
//! It ends the TLS of both with their own keys, which a test has, so that it sees chunks and not only bytes.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// One answer with a chunk.
#[derive(Clone, Debug)]
pub struct Given {
    pub transfer: String,
    pub number: u64,
    /// How many chunks the receiver had on its disk when it asked.
    pub have: u64,
    pub whole: bool,
    pub bytes: u64,
    pub at: Instant,
}

#[derive(Clone)]
pub struct Proxy {
    at: SocketAddr,
    pub given: Arc<Mutex<Vec<Given>>>,
}

struct Ends {
    to: SocketAddr,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl Proxy {
    /// Takes an address before anybody has keys.
    pub fn bind() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        (listener, url)
    }

    /// Passes on what comes to the sender at `to`; `sender` and `receiver` are directories with keys.
    pub fn start(listener: TcpListener, to: SocketAddr, sender: &Path, receiver: &Path) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = |dir: &Path| -> Vec<CertificateDer<'static>> {
            CertificateDer::pem_file_iter(dir.join("tls.pem")).unwrap().map(Result::unwrap).collect()
        };
        let key = |dir: &Path| PrivateKeyDer::from_pem_file(dir.join("tls.key")).unwrap();
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain(sender), key(sender))
            .unwrap();
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut anchors = RootCertStore::empty();
        for anchor in CertificateDer::pem_file_iter(receiver.join("anchors.pem")).unwrap() {
            anchors.add(anchor.unwrap()).unwrap();
        }
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(anchors)
            .with_client_auth_cert(chain(receiver), key(receiver))
            .unwrap();
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        let proxy = Self { at: listener.local_addr().unwrap(), given: Arc::default() };
        let ends = Arc::new(Ends { to, server: Arc::new(server), client: Arc::new(client) });
        let given = proxy.given.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (ends, given) = (ends.clone(), given.clone());
                // A connection ends when either side dies; the other learns it by the end of its stream.
                std::thread::spawn(move || drop(pass(stream, &ends, &given)));
            }
        });
        proxy
    }

    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// The transfer of which a chunk was given last, and the bytes of its chunks.
    pub fn newest(&self) -> (String, u64) {
        let given = self.given.lock().unwrap();
        let transfer = given.last().map(|g| g.transfer.clone()).unwrap_or_default();
        let bytes = given.iter().filter(|g| g.transfer == transfer).map(|g| g.bytes).sum();
        (transfer, bytes)
    }

    /// How many chunks of a transfer came through whole.
    pub fn whole(&self, transfer: &str) -> u64 {
        let given = self.given.lock().unwrap();
        let numbers: BTreeSet<u64> =
            given.iter().filter(|g| g.transfer == transfer && g.whole).map(|g| g.number).collect();
        numbers.len() as u64
    }

    /// What was given of one transfer, in order.
    pub fn of(&self, transfer: &str) -> Vec<Given> {
        self.given.lock().unwrap().iter().filter(|g| g.transfer == transfer).cloned().collect()
    }
}

fn pass(near: TcpStream, ends: &Ends, given: &Mutex<Vec<Given>>) -> io::Result<()> {
    near.set_nodelay(true)?;
    let mut near = StreamOwned::new(ServerConnection::new(ends.server.clone()).map_err(io::Error::other)?, near);
    let far = TcpStream::connect(ends.to)?;
    far.set_nodelay(true)?;
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut far =
        StreamOwned::new(ClientConnection::new(ends.client.clone(), name).map_err(io::Error::other)?, far);
    loop {
        let (head, rest) = head(&mut near)?;
        let mut words = head.split([' ', '\r']);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default().to_owned());
        let asks = method == "GET";
        let have = header(&head, "tegata-have").and_then(|h| h.parse().ok()).unwrap_or(0);
        far.write_all(head.as_bytes())?;
        copy(&mut near, &mut far, rest, length(&head), |_| ())?;
        far.flush()?;
        let (head, rest) = self::head(&mut far)?;
        let chunk = path.strip_prefix("/data/").and_then(|p| p.split_once('/'));
        let chunk = chunk.and_then(|(t, n)| Some((t.to_owned(), n.parse::<u64>().ok()?)));
        let chunk = chunk.filter(|_| asks && head.starts_with("HTTP/1.1 200"));
        let place = chunk.map(|(transfer, number)| {
            let transfer = transfer.replace("%3A", ":");
            let one = Given { transfer, number, have, whole: false, bytes: 0, at: Instant::now() };
            let mut all = given.lock().unwrap();
            all.push(one);
            all.len() - 1
        });
        let count = |n: usize| {
            if let Some(place) = place {
                given.lock().unwrap()[place].bytes += n as u64;
            }
        };
        near.write_all(head.as_bytes())?;
        let length = if head.starts_with("HTTP/1.1 204") { 0 } else { length(&head) };
        copy(&mut far, &mut near, rest, length, count)?;
        near.flush()?;
        if let Some(place) = place {
            given.lock().unwrap()[place].whole = true;
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (n, v) = line.split_once(':')?;
        n.eq_ignore_ascii_case(name).then(|| v.trim())
    })
}

fn length(head: &str) -> usize {
    assert_eq!(header(head, "transfer-encoding"), None, "{head}");
    header(head, "content-length").and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// The head of a message, and what was read after it.
fn head(from: &mut impl Read) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let n = from.read(&mut part)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&part[..n]);
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
    }
}

fn copy(
    from: &mut impl Read,
    to: &mut impl Write,
    first: Vec<u8>,
    length: usize,
    mut count: impl FnMut(usize),
) -> io::Result<()> {
    let mut left = length - first.len().min(length);
    to.write_all(&first)?;
    count(first.len());
    let mut part = vec![0; 64 << 10];
    while left > 0 {
        let n = from.read(&mut part[..left.min(64 << 10)])?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        to.write_all(&part[..n])?;
        count(n);
        left -= n;
    }
    Ok(())
}
