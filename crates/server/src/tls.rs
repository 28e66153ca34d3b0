//! TLS from PEM files, and the loop that serves a router over it.
//!
//! TLS 1.3 alone, by ring. Files that change are read again, so that a renewed certificate or a fresh revocation list
//! counts at the next connection without a restart. Sessions are never resumed: a resumed one would skip the look at
//! the peer's certificate, and with it a revocation.

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use identity::x509::Certificate;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

mod fresh;
#[cfg(test)]
pub(crate) mod kit;
mod patience;
#[cfg(test)]
mod tests;

pub(crate) use fresh::Fresh;
use patience::{Bounded, Patient};

/// Why there is no TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsError {
    /// A file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// A file does not hold what it must, or does not go with the others.
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The address cannot be listened at.
    Listen {
        /// The address.
        at: String,
        /// What the system said.
        detail: String,
    },
}

impl TlsError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "tls/unreadable",
            Self::Unusable { .. } => "tls/unusable",
            Self::Listen { .. } => "tls/listen",
        }
    }

    pub(crate) fn unusable(path: &Path, detail: impl fmt::Display) -> Self {
        Self::Unusable { path: path.to_owned(), detail: detail.to_string() }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, detail } => write!(f, "cannot read `{}`: {detail}", path.display()),
            Self::Unusable { path, detail } => write!(f, "`{}` cannot be used: {detail}", path.display()),
            Self::Listen { at, detail } => write!(f, "cannot listen at `{at}`: {detail}"),
        }
    }
}

impl std::error::Error for TlsError {}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn read_all<T: PemObject>(path: &Path, what: &str) -> Result<Vec<T>, TlsError> {
    let bytes = std::fs::read(path)
        .map_err(|e| TlsError::Unreadable { path: path.to_owned(), detail: e.to_string() })?;
    let found: Result<Vec<T>, _> = T::pem_slice_iter(&bytes).collect();
    let found = found.map_err(|e| TlsError::unusable(path, e))?;
    if found.is_empty() { Err(TlsError::unusable(path, format!("holds no {what}"))) } else { Ok(found) }
}

/// Reads a certificate with those above it, and its key.
pub(crate) fn read_identity(
    certificate: &Path,
    key: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = read_all(certificate, "certificate")?;
    let mut keys: Vec<PrivateKeyDer<'static>> = read_all(key, "private key")?;
    Ok((chain, keys.swap_remove(0)))
}

/// Reads the certificates at which paths end.
pub(crate) fn read_anchors(path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    for anchor in read_all::<CertificateDer<'static>>(path, "certificate")? {
        store.add(anchor).map_err(|e| TlsError::unusable(path, e))?;
    }
    Ok(Arc::new(store))
}

/// Reads revocation lists; a path that is not given holds none.
pub(crate) fn read_lists(
    path: Option<&Path>,
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    path.map_or(Ok(Vec::new()), |path| read_all(path, "revocation list"))
}

/// Whether clients are asked for a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clients {
    /// They are not asked.
    Unasked,
    /// One that is shown must lead to an anchor of this file; none need be shown.
    Asked(PathBuf),
    /// Only those whose certificate leads to an anchor of this file come in.
    Known(PathBuf),
}

/// The files of a TLS server, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate, then those above it.
    pub certificate: PathBuf,
    /// Its key, PKCS #8.
    pub key: PathBuf,
    /// Who may come in.
    pub clients: Clients,
    /// Revocation lists by which clients' certificates are judged.
    ///
    /// LIMIT: the age of a list is not judged here; whoever fetches the list decides how old it may be. A connection
    /// that is open when the list changes stays open; whoever acts on a request judges its [`Peer`] anew.
    pub revoked: Option<PathBuf>,
}

impl Files {
    fn paths(&self) -> Vec<PathBuf> {
        let anchors = match &self.clients {
            Clients::Unasked => None,
            Clients::Asked(path) | Clients::Known(path) => Some(path),
        };
        let optional = anchors.into_iter().chain(&self.revoked);
        [&self.certificate, &self.key].into_iter().chain(optional).cloned().collect()
    }
}

/// Builds the TLS server of these files.
pub fn server_config(files: &Files) -> Result<ServerConfig, TlsError> {
    let (chain, key) = read_identity(&files.certificate, &files.key)?;
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| TlsError::unusable(&files.certificate, e))?;
    let builder = match &files.clients {
        Clients::Unasked => builder.with_no_client_auth(),
        Clients::Asked(path) | Clients::Known(path) => {
            let mut verifier = WebPkiClientVerifier::builder_with_provider(read_anchors(path)?, provider())
                .with_crls(read_lists(files.revoked.as_deref())?)
                .only_check_end_entity_revocation();
            if matches!(files.clients, Clients::Asked(_)) {
                verifier = verifier.allow_unauthenticated();
            }
            builder.with_client_cert_verifier(verifier.build().map_err(|e| TlsError::unusable(path, e))?)
        }
    };
    let mut config =
        builder.with_single_cert(chain, key).map_err(|e| TlsError::unusable(&files.certificate, e))?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What one server and one of its connections may take up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// LIMIT: connections at once; one more waits until another ends.
    pub connections_max: usize,
    /// LIMIT: the time of a TLS handshake.
    pub handshake: Duration,
    /// LIMIT: the time from one request to the whole head of the next.
    pub head: Duration,
    /// LIMIT: bytes of a request's head.
    pub head_bytes_max: usize,
    /// LIMIT: headers of a request.
    pub headers_max: usize,
    /// LIMIT: the time in which a request's body arrives.
    pub body: Duration,
    /// LIMIT: bytes of a request's body, whatever the router allows.
    pub body_bytes_max: usize,
    /// LIMIT: how long a client may take nothing of an answer.
    pub taking: Duration,
    /// LIMIT: the time that running answers have when the server stops.
    pub farewell: Duration,
    /// How often files are looked at for a change.
    pub look_every: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            head_bytes_max: 32 << 10,
            headers_max: 64,
            body: Duration::from_secs(60),
            body_bytes_max: 16 << 20,
            taking: Duration::from_secs(30),
            farewell: Duration::from_secs(5),
            look_every: Duration::from_millis(500),
        }
    }
}

/// A TLS server's files and limits.
pub struct Door {
    /// None in the clear.
    config: Option<Fresh<ServerConfig>>,
    limits: Limits,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Door {
    /// Reads the files.
    pub fn open(files: Files, limits: Limits) -> Result<Self, TlsError> {
        let config = Fresh::new(files.paths(), limits.look_every, move || server_config(&files))?;
        Ok(Self { config: Some(config), limits })
    }

    /// A door without TLS, for the test identity on loopback.
    pub(crate) fn in_the_clear(limits: Limits) -> Self {
        Self { config: None, limits }
    }

    /// The TLS server of the files as they are now.
    pub fn config(&self) -> Option<Arc<ServerConfig>> {
        self.config.as_ref().map(|config| config.get().0)
    }
}

/// The certificate that the client showed and whose path was judged: an extension of each of its requests.
#[derive(Clone, Debug)]
pub struct Peer(pub Arc<Certificate>);

/// Serves a router over TLS until `stop` turns true; then running answers are given and the rest is closed.
///
/// Each request carries [`Peer`] where the client showed a certificate, and `ConnectInfo<SocketAddr>`.
pub async fn serve_tls(
    listener: TcpListener,
    router: Router,
    door: Arc<Door>,
    mut stop: watch::Receiver<bool>,
) {
    let seats = Arc::new(Semaphore::new(door.limits.connections_max));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = accept(&listener, &seats) => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Some((seat, stream, from)) => {
                let (router, door, stop) = (router.clone(), Arc::clone(&door), stop.clone());
                connections.spawn(async move {
                    serve_one(stream, from, router, &door, stop).await;
                    drop(seat);
                });
            }
            // The system is out of something, such as file numbers; a moment later it may have them again.
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    drop(listener);
    let farewell = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(door.limits.farewell, farewell).await;
}

/// Waits for the word to stop; a sender that is gone says so too.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

type Accepted = (tokio::sync::OwnedSemaphorePermit, TcpStream, SocketAddr);

async fn accept(listener: &TcpListener, seats: &Arc<Semaphore>) -> Option<Accepted> {
    let seat = Arc::clone(seats).acquire_owned().await.ok()?;
    let (stream, from) = listener.accept().await.ok()?;
    Some((seat, stream, from))
}

async fn serve_one(
    stream: TcpStream,
    from: SocketAddr,
    router: Router,
    door: &Door,
    mut stop: watch::Receiver<bool>,
) {
    let limits = door.limits;
    let _ = stream.set_nodelay(true);
    let stream = Patient::new(stream, limits.taking);
    let Some(config) = door.config() else {
        return converse(stream, from, None, router, limits, stop).await;
    };
    let handshake = TlsAcceptor::from(config).accept(stream);
    let handshake = tokio::time::timeout(limits.handshake, handshake);
    let stream = tokio::select! {
        () = stopped(&mut stop) => return,
        shaken = handshake => match shaken {
            Ok(Ok(stream)) => stream,
            _ => return,
        },
    };
    let peer = match stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(<[_]>::first)
        .map(|der| Certificate::from_der(der))
    {
        None => None,
        Some(Ok(certificate)) => Some(Peer(Arc::new(certificate))),
        // What our own reader does not understand speaks for nobody.
        Some(Err(_)) => return,
    };
    converse(stream, from, peer, router, limits, stop).await;
}

/// Serves the requests of one connection.
async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    from: SocketAddr,
    peer: Option<Peer>,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let service = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(|body| Bounded::new(body, limits));
        request.extensions_mut().insert(ConnectInfo(from));
        if let Some(peer) = &peer {
            request.extensions_mut().insert(peer.clone());
        }
        service.call(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_header_size(limits.head_bytes_max)
        .max_headers(limits.headers_max)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// A router that is served on a small runtime of its own, for callers that are no event loop.
#[derive(Debug)]
pub struct Listening {
    at: SocketAddr,
    stop: watch::Sender<bool>,
    served: Option<tokio::task::JoinHandle<()>>,
    runtime: Option<tokio::runtime::Runtime>,
}

/// Binds an address; port 0 takes a free one.
pub fn bind(at: SocketAddr) -> Result<std::net::TcpListener, TlsError> {
    let wrong = |e: std::io::Error| TlsError::Listen { at: at.to_string(), detail: e.to_string() };
    let listener = std::net::TcpListener::bind(at).map_err(wrong)?;
    listener.set_nonblocking(true).map_err(wrong)?;
    Ok(listener)
}

impl Listening {
    /// Serves the router at the listener, which [`bind`] gave.
    pub fn start(listener: std::net::TcpListener, router: Router, door: Door) -> Result<Self, TlsError> {
        let wrong = |e: std::io::Error| TlsError::Listen { at: "listener".into(), detail: e.to_string() };
        let at = listener.local_addr().map_err(wrong)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("doors")
            .enable_all()
            .build()
            .map_err(wrong)?;
        let entered = runtime.enter();
        let listener = TcpListener::from_std(listener).map_err(wrong)?;
        drop(entered);
        let (stop, stopped) = watch::channel(false);
        let served = runtime.spawn(serve_tls(listener, router, Arc::new(door), stopped));
        Ok(Self { at, stop, served: Some(served), runtime: Some(runtime) })
    }

    /// Where it listens.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// The runtime on which it is served.
    pub(crate) fn runtime(&self) -> Option<&tokio::runtime::Runtime> {
        self.runtime.as_ref()
    }

    /// Stops: running answers are given, then everything is closed. Not to be called from an event loop.
    pub fn stop(mut self) {
        let _ = self.stop.send(true);
        if let (Some(runtime), Some(served)) = (self.runtime.take(), self.served.take()) {
            let _ = runtime.block_on(served);
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(runtime) = self.runtime.take() {
            // Dropped without `stop`: nobody waits, and an event loop may be what drops it.
            runtime.shutdown_background();
        }
    }
}
