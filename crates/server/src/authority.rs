//! The demo authority: certificates, revocation, time-stamps and a log witness in one process.
//!
//! It stands in for four services that a country or a scheme would run apart: a certification authority, its
//! revocation service, a time-stamping authority and a witness of logs. Whoever can read its directory may enroll, and
//! it checks no claim about a person or a firm, so nothing that it says is worth anything outside a demo; its root
//! certificate says `(invented)` in its name, by which a node in production mode refuses it.
//!
//! | Door | Who | What |
//! | --- | --- | --- |
//! | `POST /enroll` | holder of the enrollment token | certificates for TLS and for seals ([`enroll`]) |
//! | `POST /revoke` | operator token | revokes all certificates of a participant |
//! | `GET /ca.pem`, `/crl.pem`, `/crl.der` | all | the root, the revocation list |
//! | `GET /status/1`, `/.well-known/did.json` | all | the W3C status list and the key that signs it |
//! | `POST /tsa` | all | RFC 3161 |
//! | `POST /add-checkpoint`, `GET /witness/vkey` | all | c2sp.org/tlog-witness |
//! | `GET /healthz` | all | `ok` |
//!
//! INVARIANT: nothing is answered before what it promises is on disk; a process killed at any moment starts again and
//! keeps every promise. Each file is written beside its place, synced and renamed.

pub(crate) mod ca;
pub mod enroll;
pub(crate) mod folder;
mod refusal;
mod register;
mod stamp;
mod witness;

#[cfg(test)]
mod tests;

pub use refusal::AuthorityError;

use crate::tls::{self, Clients, Door, Files, Limits, Listening, TlsError};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ca::Ca;
use folder::{Folder, Readers};
use identity::certificate::Profile;
use identity::did::{self, DidWeb};
use identity::key::Algorithm;
use identity::status::{Bitstring, StatusError, StatusList, StatusPurpose};
use identity::x509::{AltName, Name};
use model::{Digest, Instant};
use node::keys::SealKey;
use node::ports::{Clock, MachineClock, random};
use refusal::{Refusal, typed};
use register::Register;
use serde::Deserialize;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const ORGANIZATION: &str = "Demo Authority (invented)";

fn name() -> Name {
    Name::new().country("JP").organization(ORGANIZATION)
}

/// Everything that one authority holds.
struct Office {
    base: String,
    did: DidWeb,
    clock: Arc<dyn Clock>,
    operator: Digest,
    status_key: SealKey,
    register: Mutex<Register>,
    stamps: Mutex<stamp::Desk>,
    witness: Mutex<witness::Desk>,
    folder: Arc<Folder>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked under the lock had stored before it changed anything in memory.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const OPERATOR_TOKEN: &str = "operator.token";

impl Office {
    /// Loads what the directory holds and makes what it lacks.
    fn open(folder: Arc<Folder>, at: SocketAddr, clock: Arc<dyn Clock>) -> Result<Self, AuthorityError> {
        let host = if at.ip().is_unspecified() || at.ip().is_loopback() {
            "localhost".into()
        } else {
            url_host(at.ip())
        };
        let base = format!("https://{host}:{}", at.port());
        let now = clock.now();
        let ca = Ca::open(&folder, format!("{base}/crl.der"), now)?;
        let operator = folder.once(OPERATOR_TOKEN, Readers::Owner, token_line)?;
        let operator = Digest::of(operator.trim_ascii());
        let status_key = folder.key("status.key")?;
        let stamps = stamp::Desk::open(Arc::clone(&folder), &ca, now)?;
        let own = folder.key("tls.key")?;
        let mut names: Vec<AltName> = vec![AltName::Dns("localhost".into())];
        for ip in [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), at.ip()] {
            names.push(AltName::Ip(octets(ip)));
        }
        let subject = name().common_name("Demo Authority");
        let certificate = ca.issue(subject, own.public()?, Profile::Node { names }, now)?;
        folder.write("tls.pem", Readers::All, certificate.to_pem().as_bytes())?;
        let register = Register::open(Arc::clone(&folder), ca, now)?;
        let witness = witness::Desk::open(Arc::clone(&folder), register.log_keys())?;
        let did = DidWeb::parse(&format!("did:web:localhost%3A{}", at.port()));
        let did = did
            .map_err(|e| AuthorityError::Broken { path: folder.path().to_owned(), detail: e.to_string() })?;
        Ok(Self {
            base,
            did,
            clock,
            operator,
            status_key,
            register: Mutex::new(register),
            stamps: Mutex::new(stamps),
            witness: Mutex::new(witness),
            folder,
        })
    }

    fn is_operator(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        // Digests are compared, so that the time of the comparison tells nothing about the token.
        given
            .and_then(|text| text.strip_prefix("Bearer "))
            .is_some_and(|token| Digest::of(token.as_bytes()) == self.operator)
    }

    fn enroll(&self, body: &[u8]) -> Result<Response, Refusal> {
        let now = self.clock.now();
        let request =
            enroll::SignedEnrollment::read(body).map_err(|detail| Refusal::bad("enroll-form", detail))?;
        let mut register = lock(&self.register);
        let issued = register.enroll(&request, now)?;
        // Under the same lock, so that witness and register never disagree about the logs.
        let mut witness = lock(&self.witness);
        witness.know(register.log_keys())?;
        let answer = enroll::Enrolled {
            tls_certificate: issued.tls.to_pem(),
            seal_certificate: issued.seal.to_pem(),
            anchors: register.ca().root().to_pem(),
            revocation_list: format!("{}/crl.pem", self.base),
            time_stamp: format!("{}/tsa", self.base),
            witness: self.base.clone(),
            witness_key: witness.verifier(),
            status: self.status_entry(issued.status_index).to_json(),
        };
        let body = serde_json::to_string(&answer).unwrap_or_default();
        Ok(typed(StatusCode::CREATED, "application/json", body))
    }

    fn status_entry(&self, index: usize) -> identity::status::StatusEntry {
        let list = format!("{}/status/1", self.base);
        identity::status::StatusEntry { form: identity::status::ListForm::Bitstring, list, purpose: StatusPurpose::Revocation, index }
    }

    fn revoke(&self, headers: &HeaderMap, body: &[u8]) -> Result<Response, Refusal> {
        if !self.is_operator(headers) {
            return Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "operator-token",
                "the operator token is needed",
            ));
        }
        let order: Revocation = serde_json::from_slice(body).map_err(|e| Refusal::bad("revoke-form", e))?;
        let number = lock(&self.register).revoke(&order.did, order.reason, self.clock.now())?;
        let body = serde_json::json!({ "did": order.did, "revocation_list_number": number });
        Ok(typed(StatusCode::OK, "application/json", body.to_string()))
    }

    fn crl(&self) -> Result<identity::x509::Crl, Refusal> {
        Ok(lock(&self.register).crl(self.clock.now())?)
    }

    fn status(&self, number: &str) -> Result<Response, Refusal> {
        if number != "1" {
            return Err(Refusal::new(StatusCode::NOT_FOUND, "status-list", "there is one list, of number 1"));
        }
        let now = self.clock.now();
        let mut bits = Bitstring::new(identity::status::BITS_MIN);
        for index in lock(&self.register).revoked_indexes() {
            bits.set(index).map_err(AuthorityError::from)?;
        }
        let list = StatusList {
            form: identity::status::ListForm::Bitstring,
            id: format!("{}/status/1", self.base),
            issuer: self.did.to_string(),
            purpose: StatusPurpose::Revocation,
            valid_from: Instant(now.0 - ca::BACKDATED_MS),
            valid_until: Instant(now.0 + ca::LIST_MS),
            bits,
        };
        let draft =
            list.prepare(Algorithm::Es256, &format!("{}#status", self.did)).map_err(AuthorityError::from)?;
        let signature = self.status_key.sign(draft.to_sign()).map_err(AuthorityError::from)?;
        let token = draft.finish(&signature).map_err(|_| AuthorityError::from(StatusError::Signature))?;
        Ok(typed(StatusCode::OK, "application/vc+jwt", token))
    }

    fn did_document(&self) -> Result<Response, Refusal> {
        let key = self.status_key.public().map_err(AuthorityError::from)?;
        let document = did::render(&self.did, &[("status", &key)], &[]);
        Ok(typed(StatusCode::OK, "application/did+json", document.to_string()))
    }

    fn stamp(&self, headers: &HeaderMap, body: &[u8]) -> Result<Response, Refusal> {
        const QUERY: &[u8] = b"application/timestamp-query";
        if headers.get(header::CONTENT_TYPE).map(header::HeaderValue::as_bytes) != Some(QUERY) {
            let detail = "a request has the type `application/timestamp-query`";
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "stamp-type", detail));
        }
        let reply = lock(&self.stamps).answer(body, self.clock.now())?;
        Ok(typed(StatusCode::OK, "application/timestamp-reply", reply))
    }

    fn cosign(&self, body: &[u8]) -> Result<Response, Refusal> {
        let (status, media_type, body) = lock(&self.witness).answer(body, self.clock.now())?;
        Ok(typed(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), media_type, body))
    }
}

/// The order to revoke all certificates of a participant.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    did: String,
    /// RFC 5280 section 5.3.1; 1, key compromise, unless said otherwise.
    #[serde(default = "key_compromise")]
    reason: u8,
}

fn key_compromise() -> u8 {
    1
}

fn url_host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// A fresh secret of 32 bytes as a line of text.
fn token_line() -> Result<Vec<u8>, AuthorityError> {
    Ok(format!("{}\n", Digest(random()?)).into_bytes())
}

type Shared = State<Arc<Office>>;

/// Does work that signs and syncs on a thread that may block.
async fn on_a_thread(
    State(office): Shared,
    work: impl FnOnce(&Office) -> Result<Response, Refusal> + Send + 'static,
) -> Response {
    match tokio::task::spawn_blocking(move || work(&office)).await {
        Ok(Ok(response)) => response,
        Ok(Err(refusal)) => refusal.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn router(office: Arc<Office>) -> Router {
    // LIMIT: bytes of a request; that of a witness is the largest.
    const BODY_BYTES_MAX: usize =
        if tlog::witness::REQUEST_BYTES_MAX > 64 << 10 { tlog::witness::REQUEST_BYTES_MAX } else { 64 << 10 };
    let crl_pem = |state: Shared| {
        on_a_thread(state, |o| Ok(typed(StatusCode::OK, "application/x-pem-file", o.crl()?.to_pem())))
    };
    let crl_der = |state: Shared| {
        on_a_thread(state, |o| Ok(typed(StatusCode::OK, "application/pkix-crl", o.crl()?.der().to_vec())))
    };
    let root = |state: Shared| {
        on_a_thread(state, |o| {
            let pem = lock(&o.register).ca().root().to_pem();
            Ok(typed(StatusCode::OK, "application/pem-certificate-chain", pem))
        })
    };
    let vkey = |State(office): Shared| async move {
        typed(StatusCode::OK, "text/plain; charset=utf-8", format!("{}\n", lock(&office.witness).verifier()))
    };
    let enroll = |state: Shared, body: Bytes| on_a_thread(state, move |o| o.enroll(&body));
    let revoke = |state: Shared, headers: HeaderMap, body: Bytes| {
        on_a_thread(state, move |o| o.revoke(&headers, &body))
    };
    let status =
        |state: Shared, UrlPath(number): UrlPath<String>| on_a_thread(state, move |o| o.status(&number));
    let did = |state: Shared| on_a_thread(state, Office::did_document);
    let tsa = |state: Shared, headers: HeaderMap, body: Bytes| {
        on_a_thread(state, move |o| o.stamp(&headers, &body))
    };
    let cosign = |state: Shared, body: Bytes| on_a_thread(state, move |o| o.cosign(&body));
    Router::new()
        .route("/enroll", post(enroll))
        .route("/revoke", post(revoke))
        .route("/ca.pem", get(root))
        .route("/crl.pem", get(crl_pem))
        .route("/crl.der", get(crl_der))
        .route("/status/{number}", get(status))
        .route("/.well-known/did.json", get(did))
        .route("/tsa", post(tsa))
        .route("/add-checkpoint", post(cosign))
        .route("/witness/vkey", get(vkey))
        .route("/healthz", get(|| async { "ok\n" }))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(office)
}

/// A running authority; it stops when this is dropped.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The file of its root certificate, for the anchors of nodes.
    pub ca_pem_path: PathBuf,
    /// The file of the token that lets an operator revoke.
    pub operator_token_path: PathBuf,
    /// The file of the token that lets one participant enroll; each use puts a new one there.
    pub enrollment_token_path: PathBuf,
    office: Arc<Office>,
    listening: Listening,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Running {
    /// The base address of its doors.
    pub fn url(&self) -> &str {
        &self.office.base
    }

    /// The verifier key string of its witness.
    pub fn witness_key(&self) -> String {
        lock(&self.office.witness).verifier()
    }

    /// Reads the enrollment token that is good now.
    pub fn enrollment_token(&self) -> Result<String, AuthorityError> {
        self.read_token(register::ENROLLMENT_TOKEN)
    }

    /// Reads the operator token.
    pub fn operator_token(&self) -> Result<String, AuthorityError> {
        self.read_token(OPERATOR_TOKEN)
    }

    fn read_token(&self, file: &str) -> Result<String, AuthorityError> {
        let bytes = self.office.folder.read(file)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// Stops it: answers that are being made are given, then the directory is let go.
    pub fn stop(self) {
        self.listening.stop();
    }
}

/// Starts an authority in a directory, which is made when there is none; port 0 takes a free port.
pub fn start(dir: &Path, addr: SocketAddr) -> Result<Running, AuthorityError> {
    start_by(dir, addr, Arc::new(MachineClock))
}

/// Starts an authority that tells the time by this clock.
fn start_by(dir: &Path, addr: SocketAddr, clock: Arc<dyn Clock>) -> Result<Running, AuthorityError> {
    let folder = Arc::new(Folder::open(dir)?);
    let listener = tls::bind(addr)?;
    let wrong = |e: std::io::Error| TlsError::Listen { at: addr.to_string(), detail: e.to_string() };
    let addr = listener.local_addr().map_err(wrong)?;
    let office = Arc::new(Office::open(Arc::clone(&folder), addr, clock)?);
    let files = Files {
        certificate: folder.place("tls.pem"),
        key: folder.place("tls.key"),
        clients: Clients::Unasked,
        revoked: None,
    };
    let limits = Limits { body_bytes_max: 1 << 20, ..Limits::default() };
    let listening = Listening::start(listener, router(Arc::clone(&office)), Door::open(files, limits)?)?;
    Ok(Running {
        addr,
        ca_pem_path: folder.place(ca::ROOT),
        operator_token_path: folder.place(OPERATOR_TOKEN),
        enrollment_token_path: folder.place(register::ENROLLMENT_TOKEN),
        office,
        listening,
    })
}

/// Runs an authority until the process is asked to end; `ready` is told once when it listens.
///
/// Not to be called from an event loop.
pub fn run(dir: &Path, addr: SocketAddr, ready: impl FnOnce(&Running)) -> Result<(), AuthorityError> {
    let running = start(dir, addr)?;
    ready(&running);
    if let Some(runtime) = running.listening.runtime() {
        runtime.block_on(asked_to_end());
    }
    running.stop();
    Ok(())
}

/// Waits until the process is asked to end, by Ctrl-C or SIGTERM.
pub async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
