//! Carries messages to peers over TLS: the outgoing half of the network.
//!
//! A peer's address is data that a stranger may have written. So it is `https` or nothing; the name is resolved, the
//! address judged, and that very address connected to; redirects are not followed; sizes and times are limited.

pub mod reach;
pub(crate) mod shared;
mod terms;

#[cfg(test)]
mod tests;

use crate::tls::{Fresh, TlsError};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use hyper_util::rt::TokioIo;
use node::ports::{Began, Carrier, CarrierError, Reply, Request};
pub use terms::{Limits, Terms};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConfig};
use std::collections::HashMap;
use std::error::Error as _;
use std::fmt;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

// LIMIT: connections that are kept for the next message, for one peer and for all.
const IDLE_PER_PEER_MAX: usize = 32;
const IDLE_MAX: usize = 256;
/// LIMIT: bytes that are read from a connection at once.
const READ_AHEAD: usize = 64 << 10;

/// Carries messages over HTTP/1.1 and TLS 1.3; keeps a few connections for the next one.
pub struct TlsCarrier {
    road: Arc<Road>,
    threads: Arc<Threads>,
}

/// Threads that carry; carriers of one process may share them.
pub(crate) struct Threads(Option<tokio::runtime::Runtime>);

impl Threads {
    /// Starts so many.
    pub(crate) fn start(n: usize) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(n)
            .thread_name("carrier")
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// LIMIT: threads of a carrier that shares them with nobody.
const THREADS: usize = 2;

struct Road {
    terms: Terms,
    tls: Fresh<ClientConfig>,
    idle: Mutex<HashMap<String, Vec<Idle>>>,
}

struct Idle {
    sender: SendRequest<Full<Bytes>>,
    since: Instant,
    /// How many times the files had been read when it was opened.
    times: u64,
}

impl fmt::Debug for TlsCarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsCarrier").field("terms", &self.road.terms).finish_non_exhaustive()
    }
}

impl TlsCarrier {
    /// Reads the files and starts two threads that carry.
    pub fn open(terms: Terms) -> Result<Self, TlsError> {
        let threads = Threads::start(THREADS).map_err(|e| TlsError::unusable(&terms.anchors, e))?;
        Self::on(Arc::new(threads), terms)
    }

    /// The same on threads that are there.
    pub(crate) fn on(threads: Arc<Threads>, terms: Terms) -> Result<Self, TlsError> {
        let of = terms.clone();
        let tls = Fresh::new(terms.paths(), terms.limits.look_every, move || of.client_config())?;
        let road = Arc::new(Road { terms, tls, idle: Mutex::default() });
        Ok(Self { road, threads })
    }
}

impl Carrier for TlsCarrier {
    /// Blocks the thread, which should be none of an event loop.
    fn send(&self, request: Request) -> Result<Reply, CarrierError> {
        self.send_and_tell(request, Box::new(|| ()))
    }

    fn send_and_tell(&self, request: Request, began: Began) -> Result<Reply, CarrierError> {
        let target = Target::parse(&request.url, self.road.terms.clear_on_loopback)?;
        let gone =
            || CarrierError::Unreachable { at: target.at.clone(), detail: "the carrier has ended".into() };
        let runtime = self.threads.0.as_ref().ok_or_else(gone)?;
        // The work is done on the carrier's own threads, so that blocking here can never stop it.
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        let (road, to) = (Arc::clone(&self.road), target.clone());
        runtime.spawn(async move {
            let _ = answer.send(road.exchange(&to, request, began).await);
        });
        answered.recv().map_err(|_| gone())?
    }
}

/// Where a message goes.
#[derive(Clone, Debug)]
struct Target {
    /// Scheme, host and port, for people; never the path, which may hold a secret.
    at: String,
    host: String,
    port: u16,
    authority: String,
    path: String,
    /// Spoken in the clear.
    clear: bool,
}

impl Target {
    fn parse(url: &str, clear: bool) -> Result<Self, CarrierError> {
        let shown = || CarrierError::Address(url.chars().take(200).collect());
        let uri: Uri = url.parse().map_err(|_| shown())?;
        let authority = uri.authority().ok_or_else(shown)?;
        let clear = clear && uri.scheme_str() == Some("http");
        let plain = (clear || uri.scheme_str() == Some("https"))
            && !authority.as_str().contains('@')
            && !url.contains('#');
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if !plain || host.is_empty() {
            return Err(shown());
        }
        let after_host = authority.as_str().strip_prefix(authority.host());
        let port = match authority.port() {
            // A port that is no number of 16 bits reads as none.
            None if after_host != Some("") => return Err(shown()),
            None if clear => 80,
            None => 443,
            Some(port) => port.as_str().parse().ok().filter(|port| *port != 0).ok_or_else(shown)?,
        };
        let authority = authority.as_str().to_owned();
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let scheme = if clear { "http" } else { "https" };
        Ok(Self { at: format!("{scheme}://{authority}"), host, port, authority, path, clear })
    }

    fn slow(&self, limit: Duration) -> CarrierError {
        CarrierError::Slow { at: self.at.clone(), ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX) }
    }

    fn unreachable(&self, detail: impl fmt::Display) -> CarrierError {
        CarrierError::Unreachable { at: self.at.clone(), detail: detail.to_string() }
    }

    fn untrusted(&self, detail: impl fmt::Display) -> CarrierError {
        CarrierError::Untrusted { at: self.at.clone(), detail: detail.to_string() }
    }

    fn nonsense(&self, detail: impl fmt::Display) -> CarrierError {
        CarrierError::Nonsense { at: self.at.clone(), detail: detail.to_string() }
    }
}

impl Road {
    async fn exchange(&self, to: &Target, request: Request, began: Began) -> Result<Reply, CarrierError> {
        let limits = self.terms.limits;
        let answer_bytes_max = request.answer_bytes_max;
        let mut message = message(to, request)?;
        let (tls, times) = self.tls.get();
        let (mut sender, response) = loop {
            let (mut sender, kept) = match self.take(&to.at, times) {
                Some(sender) => (sender, true),
                None => (self.connect(to, &tls).await?, false),
            };
            let sent = tokio::time::timeout(limits.first_byte, sender.try_send_request(message)).await;
            match sent.map_err(|_| to.slow(limits.first_byte))? {
                Ok(response) => break (sender, response),
                Err(mut fault) => match fault.take_message() {
                    // The peer had closed a connection that we kept; not a byte of the message went out.
                    Some(unsent) if kept => message = unsent,
                    _ => return Err(fault_of(to, fault.error())),
                },
            }
        };
        let status = response.status().as_u16();
        if !(200..300).contains(&status) && status < 400 {
            return Err(to.nonsense(format!("status {status}, a redirect or switch that is not followed")));
        }
        if status == 200 {
            began();
        }
        let headers = response.headers().iter();
        let headers: Vec<(String, String)> = headers
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let body = read_body(to, response.into_body(), answer_bytes_max);
        let body = tokio::time::timeout(limits.body, body).await.map_err(|_| to.slow(limits.body))??;
        let body = match header_of(&headers, "content-encoding") {
            None | Some("identity") => body,
            Some("gzip") => unzip(to, &body, answer_bytes_max)?,
            Some(_) => return Err(to.nonsense("its answer is packed in a way that was not asked for")),
        };
        // The connection's own task notes the end of the answer a moment later.
        if let Ok(Ok(())) = tokio::time::timeout(Duration::from_millis(50), sender.ready()).await {
            self.keep(&to.at, Idle { sender, since: Instant::now(), times });
        }
        Ok(Reply { status, headers, body })
    }

    async fn connect(
        &self,
        to: &Target,
        tls: &Arc<ClientConfig>,
    ) -> Result<SendRequest<Full<Bytes>>, CarrierError> {
        let limit = self.terms.limits.connect;
        let opened = tokio::time::timeout(limit, async {
            let stream = self.stream(to).await?;
            let _ = stream.set_nodelay(true);
            if to.clear {
                return self.shake(to, stream).await;
            }
            let name =
                ServerName::try_from(to.host.clone()).map_err(|_| CarrierError::Address(to.at.clone()))?;
            let connector = TlsConnector::from(Arc::clone(tls));
            // A TLS session asks for 4 KiB at a time: a call of the system for each would cost more than to decrypt them.
            let stream = BufReader::with_capacity(READ_AHEAD, stream);
            let stream = connector.connect(name, stream).await.map_err(|e| io_fault(to, &e))?;
            self.shake(to, stream).await
        });
        opened.await.map_err(|_| to.slow(limit))?
    }

    async fn shake<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        to: &Target,
        stream: S,
    ) -> Result<SendRequest<Full<Bytes>>, CarrierError> {
        let (sender, connection) = http1::Builder::new()
            .max_header_size(self.terms.limits.head_bytes_max)
            .max_headers(self.terms.limits.headers_max)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|e| fault_of(to, &e))?;
        // It ends with the connection; its error reaches the message that waits for an answer.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    async fn stream(&self, to: &Target) -> Result<TcpStream, CarrierError> {
        let found = tokio::net::lookup_host((to.host.as_str(), to.port)).await;
        let found: Vec<SocketAddr> = found.map_err(|e| to.unreachable(e))?.collect();
        let mut last = to.unreachable("the name has no address");
        for address in found {
            if to.clear && !address.ip().is_loopback() {
                last = to.untrusted("it would be spoken to in the clear beyond loopback");
                continue;
            }
            if !self.terms.reach.allows(&to.host, to.port, address.ip()) {
                last = to.untrusted(format!(
                    "it leads to the inner address {}, which is not listed",
                    address.ip()
                ));
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(e) => last = to.unreachable(e),
            }
        }
        Err(last)
    }

    fn take(&self, authority: &str, times: u64) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(authority)?;
        while let Some(one) = kept.pop() {
            if one.times == times && one.since.elapsed() < self.terms.limits.idle && one.sender.is_ready() {
                return Some(one.sender);
            }
        }
        None
    }

    fn keep(&self, authority: &str, one: Idle) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let alive = |one: &Idle| one.since.elapsed() < self.terms.limits.idle && !one.sender.is_closed();
        idle.retain(|_, kept| {
            kept.retain(alive);
            !kept.is_empty()
        });
        let all: usize = idle.values().map(Vec::len).sum();
        let kept = idle.entry(authority.to_owned()).or_default();
        if kept.len() < IDLE_PER_PEER_MAX && all < IDLE_MAX {
            kept.push(one);
        }
    }
}

/// Puts a message into the form of HTTP; the body is moved, not copied.
fn message(to: &Target, request: Request) -> Result<hyper::Request<Full<Bytes>>, CarrierError> {
    let unsendable =
        |what: &str| to.nonsense(format!("the message to it cannot be sent: its {what} is no HTTP"));
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| unsendable("method"))?;
    let mut message = hyper::Request::new(Full::new(Bytes::from(request.body)));
    *message.method_mut() = method;
    *message.uri_mut() = to.path.parse().map_err(|_| unsendable("path"))?;
    let headers = message.headers_mut();
    for (name, value) in &request.headers {
        let wrong = || unsendable(&format!("header `{name}`"));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        headers.append(name, HeaderValue::from_str(value).map_err(|_| wrong())?);
    }
    headers.insert(HOST, HeaderValue::from_str(&to.authority).map_err(|_| unsendable("host"))?);
    Ok(message)
}

fn header_of<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.trim())
}

/// Unpacks an answer; what grows beyond the limit is refused before it is unpacked further.
fn unzip(to: &Target, packed: &[u8], bytes_max: usize) -> Result<Vec<u8>, CarrierError> {
    let mut body = Vec::new();
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    flate2::read::GzDecoder::new(packed)
        .take(most)
        .read_to_end(&mut body)
        .map_err(|_| to.nonsense("its answer does not unpack"))?;
    match body.len() > bytes_max {
        true => Err(CarrierError::TooLarge { at: to.at.clone(), bytes_max }),
        false => Ok(body),
    }
}

async fn read_body(to: &Target, mut body: Incoming, bytes_max: usize) -> Result<Vec<u8>, CarrierError> {
    let too_large = || CarrierError::TooLarge { at: to.at.clone(), bytes_max };
    let declared = body.size_hint().lower();
    if declared > bytes_max as u64 {
        return Err(too_large());
    }
    // What is declared is believed up to the limit, so that a whole chunk is copied once.
    let mut bytes = Vec::with_capacity(usize::try_from(declared).unwrap_or(0));
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|e| fault_of(to, &e))?.into_data() else { continue };
        if bytes.len() + data.len() > bytes_max {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn fault_of(to: &Target, fault: &hyper::Error) -> CarrierError {
    if fault.is_parse_too_large() {
        return to.nonsense("the head of the answer is larger than is read");
    }
    if fault.is_parse() {
        return to.nonsense("it cannot be parsed");
    }
    let mut source = fault.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return io_fault(to, io);
        }
        source = cause.source();
    }
    if fault.is_incomplete_message() || fault.is_canceled() || fault.is_closed() {
        return to.nonsense("it ended before the answer was whole");
    }
    to.nonsense(fault)
}

fn io_fault(to: &Target, fault: &std::io::Error) -> CarrierError {
    use std::io::ErrorKind as K;
    let tls = fault.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (tls, fault.kind()) {
        (Some(tls), _) => tls_fault(to, tls),
        (None, K::UnexpectedEof | K::ConnectionReset | K::BrokenPipe | K::ConnectionAborted) => {
            to.nonsense("it ended before the answer was whole")
        }
        (None, _) => to.unreachable(fault),
    }
}

fn tls_fault(to: &Target, fault: &rustls::Error) -> CarrierError {
    use CertificateError as C;
    match fault {
        rustls::Error::InvalidCertificate(wrong) => to.untrusted(match wrong {
            C::Expired | C::ExpiredContext { .. } => "its certificate has expired".to_owned(),
            C::NotValidYet | C::NotValidYetContext { .. } => "its certificate is not valid yet".to_owned(),
            C::Revoked => "its certificate is revoked".to_owned(),
            // A namesake of an anchor with another key is none.
            C::UnknownIssuer | C::BadSignature => "its certificate leads to none of our anchors".to_owned(),
            C::UnknownRevocationStatus => "no revocation list speaks of its certificate".to_owned(),
            C::NotValidForName | C::NotValidForNameContext { .. } => {
                format!("its certificate is not for the name `{}`", to.host)
            }
            C::InvalidPurpose | C::InvalidPurposeContext { .. } => {
                "its certificate is for another use".to_owned()
            }
            other => format!("its certificate is refused: {other}"),
        }),
        rustls::Error::AlertReceived(alert) => to.untrusted(match alert {
            AlertDescription::CertificateRequired => {
                "it asks for a certificate that we did not show".to_owned()
            }
            other => format!("it refuses our certificate or ways: {other:?}"),
        }),
        rustls::Error::InvalidMessage(_) => to.nonsense("it does not speak TLS"),
        rustls::Error::PeerIncompatible(why) => to.nonsense(format!("it does not speak our TLS: {why:?}")),
        other => to.nonsense(format!("TLS fails: {other}")),
    }
}
