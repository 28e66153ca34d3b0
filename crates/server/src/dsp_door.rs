//! The door for peers: the HTTPS binding of DSP 2025-1, from the paths of `dsp` to the acts of `node`.
//!
//! Who the peer is stands in the request's extensions, put there by whoever ended its TLS.

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use dsp::catalog::{Cursor, Filter};
use dsp::message::catalog::{CatalogError, CatalogRequest};
use dsp::message::version::VersionResponse;
use dsp::message::{Grounds, Message, Received};
use dsp::{json, paths};
use node::act::claims::Denied;
use node::act::duty::{NOTICE, Notice};
use node::act::process::Answered;
use node::agent::{Caller, Node};
use node::config::Proof;
use node::error::ActError;
use std::io::Write;
use std::sync::Arc;

use crate::claims_door::{denied, token_in};
use crate::test_identity;
use crate::tls::Peer;

/// The path under which the protocol is served.
pub const BASE: &str = "/dsp";

/// Routes of the Dataspace Protocol for one node.
pub fn router(node: Arc<Node>) -> Router {
    let protocol = Router::new()
        .both(paths::CATALOG_REQUEST, post(catalog))
        .both(paths::CATALOG_DATASET, get(dataset))
        .both(paths::NEGOTIATION, get(negotiation))
        .both(paths::NEGOTIATION_REQUEST, post(opens_negotiation))
        .both(paths::NEGOTIATION_OFFERS, post(opens_negotiation))
        .both(paths::NEGOTIATION_COUNTER, post(moves_negotiation))
        .both(paths::NEGOTIATION_OFFER, post(moves_negotiation))
        .both(paths::NEGOTIATION_AGREEMENT, post(moves_negotiation))
        .both(paths::NEGOTIATION_VERIFICATION, post(moves_negotiation))
        .both(paths::NEGOTIATION_EVENTS, post(moves_negotiation))
        .both(paths::NEGOTIATION_TERMINATION, post(moves_negotiation))
        .both(paths::TRANSFER, get(transfer))
        .both(paths::TRANSFER_REQUEST, post(opens_transfer))
        .both(paths::TRANSFER_START, post(moves_transfer))
        .both(paths::TRANSFER_COMPLETION, post(moves_transfer))
        .both(paths::TRANSFER_SUSPENSION, post(moves_transfer))
        .both(paths::TRANSFER_TERMINATION, post(moves_transfer))
        .route(NOTICE, post(duty_done));
    Router::new()
        .route(paths::VERSIONS, get(|| async { Json(VersionResponse::at(BASE).to_value()) }))
        .nest(BASE, protocol)
        .with_state(node)
}

/// Some peers end each path with a slash.
trait WithAndWithoutSlash {
    fn both(self, path: &str, route: MethodRouter<Arc<Node>>) -> Self;
}

impl WithAndWithoutSlash for Router<Arc<Node>> {
    fn both(self, path: &str, route: MethodRouter<Arc<Node>>) -> Self {
        self.route(path, route.clone()).route(&format!("{path}/"), route)
    }
}

/// What a peer shows of itself; the rest of its request is not looked at before that is judged.
pub(crate) struct Shown {
    caller: Option<Caller>,
    token: Option<String>,
}

impl Shown {
    /// What a request shows: a certificate, what the test identity says, or a token in this header.
    pub(crate) fn of(node: &Node, request: &Request, header: &header::HeaderName) -> Self {
        let accepts = node.config().claims.peers;
        let certified = || request.extensions().get::<Peer>().and_then(|peer| Caller::of((*peer.0).clone()));
        let caller = match (accepts, node.config().test_identity) {
            (Proof::Token, _) => None,
            (_, true) => test_identity::caller(request.headers()),
            (_, false) => certified(),
        };
        let token = match accepts {
            Proof::Certificate => None,
            Proof::Token | Proof::Either => token_in(request.headers(), header),
        };
        Self { caller, token }
    }

    /// Who it is, if that opens the door.
    pub(crate) async fn judged(self, node: &Arc<Node>) -> Result<Caller, Denied> {
        let denied = |status: u16, code: &str, says: &str| Denied { status, code: code.into(), says: says.into() };
        let caller = match (self.token, self.caller) {
            (Some(token), certified) => {
                let of = node.clone();
                let judged = tokio::task::spawn_blocking(move || of.identify(&token)).await;
                let proved = judged.map_err(|_| denied(500, "server/act", "the act did not come to its end"))??;
                if certified.is_some_and(|caller| caller.id != proved.id) {
                    return Err(denied(403, "claims/two-identities", "the certificate and the token name two peers"));
                }
                proved
            }
            (None, Some(caller)) => caller,
            (None, None) if node.config().claims.peers == Proof::Token => {
                return Err(denied(401, "claims/no-token", "a peer shows a self-issued token"));
            }
            (None, None) => return Err(denied(401, "peer/no-certificate", "a peer shows its certificate")),
        };
        match node.admit(&caller) {
            Ok(()) => Ok(caller),
            Err(stopped) => Err(denied(403, &stopped.code, &stopped.says)),
        }
    }
}

/// Who asks, if what the peer shows opens the door.
async fn caller(node: &Arc<Node>, shown: Shown) -> Result<Caller, Response> {
    shown.judged(node).await.map_err(|e| denied(&e))
}

/// A problem document (RFC 9457).
pub(crate) fn refuse(status: StatusCode, code: &str, says: &str) -> Response {
    let body = serde_json::json!({ "type": format!("urn:tegata:{code}"), "title": says, "status": status.as_u16(), "code": code });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

/// Runs an act, which blocks, on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Response> {
    tokio::task::spawn_blocking(act).await.map_err(|_| {
        refuse(StatusCode::INTERNAL_SERVER_ERROR, "server/act", "the act did not come to its end")
    })
}

pub(crate) async fn read_body(body: Body, bytes_max: usize) -> Result<Vec<u8>, Response> {
    match to_bytes(body, bytes_max).await {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(_) => Err(refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "dsp/too-large",
            "the body is too large or was cut short",
        )),
    }
}

fn given(answered: Answered) -> Response {
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], answered.body).into_response()
}

type Receive = fn(&Node, &Caller, Option<&str>, &[u8]) -> Answered;

async fn receives(node: Arc<Node>, pid: Option<String>, request: Request, receive: Receive) -> Response {
    let shown = Shown::of(&node, &request, &header::AUTHORIZATION);
    let caller = match caller(&node, shown).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    let body = match read_body(request.into_body(), json::MESSAGE_BYTES_MAX).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    match blocking(move || receive(&node, &caller, pid.as_deref(), &body)).await {
        Ok(answered) => given(answered),
        Err(response) => response,
    }
}

async fn opens_negotiation(State(node): State<Arc<Node>>, request: Request) -> Response {
    receives(node, None, request, Node::receive_negotiation).await
}

async fn moves_negotiation(
    State(node): State<Arc<Node>>,
    Path(pid): Path<String>,
    request: Request,
) -> Response {
    receives(node, Some(pid), request, Node::receive_negotiation).await
}

async fn opens_transfer(State(node): State<Arc<Node>>, request: Request) -> Response {
    receives(node, None, request, Node::receive_transfer).await
}

async fn moves_transfer(
    State(node): State<Arc<Node>>,
    Path(pid): Path<String>,
    request: Request,
) -> Response {
    receives(node, Some(pid), request, Node::receive_transfer).await
}

/// A consumer tells that it did what it owed; no part of the protocol.
async fn duty_done(State(node): State<Arc<Node>>, request: Request) -> Response {
    let shown = Shown::of(&node, &request, &header::AUTHORIZATION);
    let caller = match caller(&node, shown).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    let body = match read_body(request.into_body(), json::MESSAGE_BYTES_MAX).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let Ok(notice) = serde_json::from_slice::<Notice>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "node/duty", "no notice of a duty");
    };
    match blocking(move || node.hear_duty(&caller, &notice)).await {
        Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        Ok(Err(e @ ActError::NotFound { .. })) => refuse(StatusCode::NOT_FOUND, "node/not-found", &e.to_string()),
        Ok(Err(e)) => refuse(StatusCode::SERVICE_UNAVAILABLE, &e.code(), "the notice could not be kept"),
        Err(response) => response,
    }
}

type Tell = fn(&Node, &Caller, &str) -> Answered;

async fn tells(node: Arc<Node>, pid: String, request: Request, tell: Tell) -> Response {
    let shown = Shown::of(&node, &request, &header::AUTHORIZATION);
    let caller = match caller(&node, shown).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    match blocking(move || tell(&node, &caller, &pid)).await {
        Ok(answered) => given(answered),
        Err(response) => response,
    }
}

async fn negotiation(State(node): State<Arc<Node>>, Path(pid): Path<String>, request: Request) -> Response {
    tells(node, pid, request, Node::tell_negotiation).await
}

async fn transfer(State(node): State<Arc<Node>>, Path(pid): Path<String>, request: Request) -> Response {
    tells(node, pid, request, Node::tell_transfer).await
}

async fn catalog(State(node): State<Arc<Node>>, request: Request) -> Response {
    let shown = Shown::of(&node, &request, &header::AUTHORIZATION);
    let caller = match shown.judged(&node).await {
        Ok(caller) => caller,
        Err(e) => return unseen(&node, e),
    };
    let token = request.uri().query().and_then(continuation);
    let zipped = takes_gzip(request.headers());
    let body = match read_body(request.into_body(), json::MESSAGE_BYTES_MAX).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    match blocking(move || catalog_page(&node, &caller, &body, token.as_deref(), zipped)).await {
        Ok(response) | Err(response) => response,
    }
}

/// Says to somebody who asks for the catalog why it is not opened.
fn unseen(node: &Node, e: Denied) -> Response {
    match node.config().claims.on() {
        true => catalog_error(e.status, Grounds::of(&e.code, [e.says])),
        false => denied(&e),
    }
}

fn catalog_error(status: u16, grounds: Grounds) -> Response {
    given(Answered { status, body: Message::CatalogError(CatalogError::new(grounds)).to_bytes() })
}

/// Answers a catalog request: filtered, a page of it, compressed where the peer takes that.
fn catalog_page(node: &Node, caller: &Caller, body: &[u8], token: Option<&str>, zipped: bool) -> Response {
    let malformed = |e: json::Malformed| catalog_error(400, Grounds::of(e.code(), [e.to_string()]));
    let filter = match Received::read(body).map(|r| r.message) {
        Ok(Message::CatalogRequestMessage(CatalogRequest { filter, .. })) => Filter::read(&filter),
        Ok(other) => {
            let says = format!("`{}` asks for no catalog", other.kind());
            return catalog_error(400, Grounds::of("dsp/wrong-message", [says]));
        }
        Err(e) => Err(e),
    };
    let filter = match filter {
        Ok(filter) => filter,
        Err(e) => return malformed(e),
    };
    let cursor = match token.map(|token| Cursor::read(token, &filter)).transpose() {
        Ok(cursor) => cursor.filter(|cursor| !cursor.backward),
        Err(e) => return malformed(e),
    };
    match node.catalog_page(&filter, cursor.as_ref(), &caller.id) {
        Ok(page) => {
            let url = paths::join(&node.protocol_address(), paths::CATALOG_REQUEST);
            let link = page.link(&url).and_then(|link| HeaderValue::from_str(&link).ok());
            let mut response = json_body(page.catalog.to_value().to_string().into_bytes(), zipped);
            if let Some(link) = link {
                response.headers_mut().insert(header::LINK, link);
            }
            response
        }
        Err(e) => catalog_error(503, Grounds::of(&e.code(), [])),
    }
}

/// The paging token of a query.
fn continuation(query: &str) -> Option<String> {
    query.split('&').find_map(|pair| pair.strip_prefix("continuationToken=")).map(str::to_owned)
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    named.flat_map(|v| v.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        parts.next() == Some("gzip") && !parts.any(|weight| weight.starts_with("q=0") && !weight.contains('.'))
    })
}

fn json_body(body: Vec<u8>, zipped: bool) -> Response {
    /// Bodies below this are not worth it.
    const WORTH_ZIPPING: usize = 1024;
    let plain = [(header::CONTENT_TYPE, "application/json"), (header::VARY, "accept-encoding")];
    if !zipped || body.len() < WORTH_ZIPPING {
        return (plain, body).into_response();
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    match encoder.write_all(&body).and_then(|()| encoder.finish()) {
        Ok(small) => (plain, [(header::CONTENT_ENCODING, "gzip")], small).into_response(),
        Err(_) => (plain, body).into_response(),
    }
}

async fn dataset(State(node): State<Arc<Node>>, Path(id): Path<String>, request: Request) -> Response {
    let shown = Shown::of(&node, &request, &header::AUTHORIZATION);
    let caller = match shown.judged(&node).await {
        Ok(caller) => caller,
        Err(e) => return unseen(&node, e),
    };
    match blocking(move || node.dataset(&id, &caller.id)).await {
        Ok(Ok(Some(found))) => Json(found.to_root_value()).into_response(),
        Ok(Ok(None)) => {
            let grounds = Grounds::of("tegata/no-offer", ["this dataset is not offered".to_owned()]);
            catalog_error(404, grounds)
        }
        Ok(Err(e)) => refuse(StatusCode::SERVICE_UNAVAILABLE, &e.code(), "the catalog is not at hand"),
        Err(response) => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_gzip_says_so() {
        let asks = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            takes_gzip(&headers)
        };
        assert!(asks("gzip") && asks("deflate, gzip;q=0.5") && asks("br, gzip"));
        assert!(!asks("br") && !asks("gzip;q=0") && !asks("identity"));
        assert_eq!(continuation("a=b&continuationToken=f12").as_deref(), Some("f12"));
    }
}
