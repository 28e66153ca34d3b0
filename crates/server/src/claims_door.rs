//! The door for claims: the DID document of this participant, its credential service, its issuer service and the status
//! lists of what it issued (DCP 1.0.1). Absent where `[claims] peers` is `certificate`.

use crate::dsp_door::{blocking, read_body, refuse};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use identity::dcp::path;
use identity::dcp::token::{Bearer, of_header};
use node::act::claims::Denied;
use node::agent::Node;
use serde_json::json;
use std::sync::Arc;

/// LIMIT: bytes of a message with credentials.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Routes of one node; none where claims are off.
pub fn router(node: Arc<Node>) -> Router {
    let Some((document, _)) = node.did_document() else { return Router::new() };
    let issuer = Router::new()
        .route(path::CREDENTIALS, post(request))
        .route(path::METADATA, get(metadata))
        .route(&format!("{}/{{id}}", path::REQUESTS), get(standing))
        .route("/status/{list}", get(status_list));
    let holder = Router::new()
        .route(path::QUERY, post(query))
        .route(path::CREDENTIALS, post(store))
        .route(path::OFFERS, post(offer))
        .route("/standing", post(who))
        .nest("/issuer", issuer);
    Router::new().route(&document, get(did)).nest("/dcp", holder).with_state(node)
}

/// What a door says of a claim that is not accepted; RFC 6750 names it for any client.
pub(crate) fn denied(denied: &Denied) -> Response {
    let status = StatusCode::from_u16(denied.status).unwrap_or(StatusCode::FORBIDDEN);
    let mut response = refuse(status, &denied.code, &denied.says);
    if status == StatusCode::UNAUTHORIZED {
        let says = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, says);
    }
    response
}

fn gone(e: node::error::ActError) -> Response {
    denied(&Denied::from(e))
}

/// The token of a header that names it as one.
pub(crate) fn token_in(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).and_then(of_header).map(str::to_owned)
}

fn no_token() -> Response {
    let says = "send `Authorization: Bearer …` with a self-issued token".to_owned();
    denied(&Denied { status: 401, code: "claims/no-token".into(), says })
}

/// Verifies the token of a request, reads its body, and acts for its bearer.
async fn by_bearer<T: Send + 'static>(
    node: Arc<Node>,
    request: Request,
    act: impl FnOnce(&Node, &Bearer, &[u8]) -> Result<T, Denied> + Send + 'static,
) -> Result<T, Response> {
    let token = token_in(request.headers(), &header::AUTHORIZATION).ok_or_else(no_token)?;
    let body = read_body(request.into_body(), MESSAGE_BYTES_MAX).await?;
    let done = blocking(move || node.bearer(&token).and_then(|bearer| act(&node, &bearer, &body))).await?;
    done.map_err(|e| denied(&e))
}

async fn did(State(node): State<Arc<Node>>) -> Response {
    match node.did_document() {
        Some((_, document)) => {
            ([(header::CONTENT_TYPE, "application/did+json")], document.to_string()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn query(State(node): State<Arc<Node>>, request: Request) -> Response {
    match by_bearer(node, request, Node::present).await {
        Ok(answer) => Json(answer).into_response(),
        Err(response) => response,
    }
}

async fn store(State(node): State<Arc<Node>>, request: Request) -> Response {
    match by_bearer(node, request, Node::take_credentials).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(response) => response,
    }
}

async fn offer(State(node): State<Arc<Node>>, request: Request) -> Response {
    match by_bearer(node, request, Node::take_credential_offer).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(response) => response,
    }
}

async fn request(State(node): State<Arc<Node>>, request: Request) -> Response {
    let base = node.issuer_service();
    match by_bearer(node, request, Node::take_credential_request).await {
        Ok(id) => {
            let place = format!("{base}{}/{id}", path::REQUESTS);
            (StatusCode::CREATED, [(header::LOCATION, place)]).into_response()
        }
        Err(response) => response,
    }
}

async fn standing(State(node): State<Arc<Node>>, Path(id): Path<String>, request: Request) -> Response {
    match by_bearer(node, request, move |node, bearer, _| node.tell_issuance(bearer, &id)).await {
        Ok(status) => Json(status).into_response(),
        Err(response) => response,
    }
}

async fn metadata(State(node): State<Arc<Node>>) -> Response {
    match blocking(move || node.issuer_metadata()).await {
        Ok(Ok(metadata)) => Json(metadata).into_response(),
        Ok(Err(e)) => gone(e),
        Err(response) => response,
    }
}

async fn status_list(State(node): State<Arc<Node>>, Path(list): Path<String>) -> Response {
    match blocking(move || node.status_list(&list)).await {
        Ok(Ok(Some(text))) => ([(header::CONTENT_TYPE, "application/vc+jwt")], text).into_response(),
        Ok(Ok(None)) => refuse(StatusCode::NOT_FOUND, "claims/no-list", "there is no such status list"),
        Ok(Err(e)) => gone(e),
        Err(response) => response,
    }
}

/// Tells a peer whether its token and its credentials suffice here, as each door of the data space would find.
async fn who(State(node): State<Arc<Node>>, request: Request) -> Response {
    let Some(token) = token_in(request.headers(), &header::AUTHORIZATION) else { return no_token() };
    match blocking(move || node.identify(&token)).await {
        Ok(Ok(caller)) => Json(json!({ "participant": caller.id })).into_response(),
        Ok(Err(e)) => denied(&e),
        Err(response) => response,
    }
}
