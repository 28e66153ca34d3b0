//! The door for peers: the HTTPS binding of DSP 2025-1, from the paths of `dsp` to the acts of `node`.
//!
//! Who the peer is stands in the request's extensions, put there by whoever ended its TLS.

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use dsp::message::catalog::{CatalogError, CatalogRequest};
use dsp::message::version::VersionResponse;
use dsp::message::{Grounds, Message, Received};
use dsp::{json, paths};
use node::act::negotiate::Answered;
use node::agent::{Caller, Node};
use std::sync::Arc;

use crate::tls::Peer;

/// The path under which the protocol is served.
pub const BASE: &str = "/dsp";

/// Routes of the Dataspace Protocol for one node.
pub fn router(node: Arc<Node>) -> Router {
    let protocol = Router::new()
        .route(paths::CATALOG_REQUEST, post(catalog))
        .route(paths::CATALOG_DATASET, get(dataset))
        .route(paths::NEGOTIATION, get(negotiation))
        .route(paths::NEGOTIATION_REQUEST, post(opens_negotiation))
        .route(paths::NEGOTIATION_OFFERS, post(opens_negotiation))
        .route(paths::NEGOTIATION_COUNTER, post(moves_negotiation))
        .route(paths::NEGOTIATION_OFFER, post(moves_negotiation))
        .route(paths::NEGOTIATION_AGREEMENT, post(moves_negotiation))
        .route(paths::NEGOTIATION_VERIFICATION, post(moves_negotiation))
        .route(paths::NEGOTIATION_EVENTS, post(moves_negotiation))
        .route(paths::NEGOTIATION_TERMINATION, post(moves_negotiation))
        .route(paths::TRANSFER, get(transfer))
        .route(paths::TRANSFER_REQUEST, post(opens_transfer))
        .route(paths::TRANSFER_START, post(moves_transfer))
        .route(paths::TRANSFER_COMPLETION, post(moves_transfer))
        .route(paths::TRANSFER_SUSPENSION, post(moves_transfer))
        .route(paths::TRANSFER_TERMINATION, post(moves_transfer));
    Router::new()
        .route(paths::VERSIONS, get(|| async { Json(VersionResponse::at(BASE).to_value()) }))
        .nest(BASE, protocol)
        .with_state(node)
}

/// Who asks, if the peer showed a certificate that opens the door.
pub(crate) fn caller(node: &Node, request: &Request) -> Result<Caller, Response> {
    let shown = request.extensions().get::<Peer>().and_then(|peer| Caller::of((*peer.0).clone()));
    let Some(caller) = shown else {
        return Err(refuse(StatusCode::UNAUTHORIZED, "peer/no-certificate", "a peer shows its certificate"));
    };
    match node.admit(&caller) {
        Ok(()) => Ok(caller),
        Err(stopped) => Err(refuse(StatusCode::FORBIDDEN, &stopped.code, &stopped.says)),
    }
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
    let caller = match caller(&node, &request) {
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

type Tell = fn(&Node, &Caller, &str) -> Answered;

async fn tells(node: Arc<Node>, pid: String, request: Request, tell: Tell) -> Response {
    let caller = match caller(&node, &request) {
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
    if let Err(response) = caller(&node, &request) {
        return response;
    }
    let body = match read_body(request.into_body(), json::MESSAGE_BYTES_MAX).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let error = |status: u16, grounds: Grounds| {
        given(Answered { status, body: Message::CatalogError(CatalogError::new(grounds)).to_bytes() })
    };
    match Received::read(&body).map(|r| r.message) {
        Ok(Message::CatalogRequestMessage(CatalogRequest { filter, .. })) if filter.is_empty() => {}
        Ok(Message::CatalogRequestMessage(_)) => {
            return error(400, Grounds::of("dsp/filter", ["no filter is supported here".to_owned()]));
        }
        Ok(other) => {
            return error(
                400,
                Grounds::of("dsp/wrong-message", [format!("`{}` asks for no catalog", other.kind())]),
            );
        }
        Err(e) => return error(400, Grounds::of(e.code(), [e.to_string()])),
    }
    match blocking(move || node.catalog()).await {
        Ok(Ok(catalog)) => Json(catalog.to_value()).into_response(),
        Ok(Err(e)) => error(503, Grounds::of(&e.code(), [])),
        Err(response) => response,
    }
}

async fn dataset(State(node): State<Arc<Node>>, Path(id): Path<String>, request: Request) -> Response {
    if let Err(response) = caller(&node, &request) {
        return response;
    }
    match blocking(move || node.catalog()).await {
        Ok(Ok(catalog)) => match catalog.dataset.into_iter().find(|d| d.id == id) {
            Some(found) => Json(found.to_root_value()).into_response(),
            None => {
                let grounds = Grounds::of("tegata/no-offer", ["this dataset is not offered".to_owned()]);
                given(Answered {
                    status: 404,
                    body: Message::CatalogError(CatalogError::new(grounds)).to_bytes(),
                })
            }
        },
        Ok(Err(e)) => refuse(StatusCode::SERVICE_UNAVAILABLE, &e.code(), "the catalog is not at hand"),
        Err(response) => response,
    }
}
