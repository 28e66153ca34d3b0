//! The door for data: chunks under a lease, the evidence of what was given, the receipt; and the public log.

use crate::claims_door::denied;
use crate::dsp_door::{Shown, blocking, read_body, refuse};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use node::act::provide::Given;
use node::act::turn::{DECIDING, LEASE_OUT, LEASE_OVER, NOT_STARTED};
use node::agent::Node;
use std::sync::Arc;

/// LIMIT: bytes of a receipt.
const RECEIPT_BYTES_MAX: usize = 64 << 10;

/// The digest of the chunk in the body.
pub const CHUNK: HeaderName = HeaderName::from_static("tegata-chunk");
/// Its rows.
pub const ROWS: HeaderName = HeaderName::from_static("tegata-rows");

/// A token about the consumer itself, where peers prove themselves by claims: the usual header has the transfer's.
pub const IDENTITY: HeaderName = HeaderName::from_static("tegata-identity");

/// Routes for data and log of one node.
pub fn router(node: Arc<Node>) -> Router {
    Router::new()
        .route("/data/{transfer}/manifest", get(manifest))
        .route("/data/{transfer}/receipt", post(receipt))
        .route("/data/{transfer}/{number}", get(chunk))
        .route("/log/checkpoint", get(checkpoint))
        .route("/log/{*tile}", get(tile))
        .with_state(node)
}

fn token(headers: &HeaderMap) -> String {
    let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    given.strip_prefix("Bearer ").unwrap_or_default().to_owned()
}

async fn chunk(
    State(node): State<Arc<Node>>,
    Path((transfer, number)): Path<(String, u64)>,
    request: Request,
) -> Response {
    let caller = match Shown::of(&node, &request, &IDENTITY).judged(&node).await {
        Ok(caller) => caller,
        Err(e) => return denied(&e),
    };
    let token = token(request.headers());
    match blocking(move || node.give_chunk(&caller, &transfer, number, &token)).await {
        Ok(given) => respond(given),
        Err(response) => response,
    }
}

/// The bytes of a chunk on their way out, which the flow keeps too until the next is asked for.
pub(crate) struct Shared(pub(crate) Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn respond(given: Given) -> Response {
    match given {
        Given::Chunk(piece) => {
            let value = |text: String| HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
            let headers = [
                (CHUNK, value(piece.chunk().id.to_string())),
                (ROWS, value(piece.chunk().rows.to_string())),
                (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
            ];
            let body = axum::body::Bytes::from_owner(Shared(Arc::clone(piece.bytes())));
            (StatusCode::OK, headers, body).into_response()
        }
        Given::End => StatusCode::NO_CONTENT.into_response(),
        Given::Stopped(stopped) => {
            let short = [DECIDING, LEASE_OUT, LEASE_OVER, NOT_STARTED].contains(&stopped.code.as_str());
            let status = if short { StatusCode::CONFLICT } else { StatusCode::GONE };
            let body = serde_json::json!({
                "type": format!("urn:tegata:{}", stopped.code),
                "title": stopped.says,
                "status": status.as_u16(),
                "code": stopped.code,
                "rules": stopped.rules,
            });
            (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
        }
        Given::Refused { status, code, says } => {
            refuse(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &code, &says)
        }
    }
}

async fn manifest(State(node): State<Arc<Node>>, Path(transfer): Path<String>, request: Request) -> Response {
    let caller = match Shown::of(&node, &request, &IDENTITY).judged(&node).await {
        Ok(caller) => caller,
        Err(e) => return denied(&e),
    };
    let token = token(request.headers());
    match blocking(move || node.give_evidence(&caller, &transfer, &token)).await {
        Ok(Ok(handover)) => Json(handover).into_response(),
        Ok(Err(given)) => respond(given),
        Err(response) => response,
    }
}

async fn receipt(State(node): State<Arc<Node>>, Path(transfer): Path<String>, request: Request) -> Response {
    let caller = match Shown::of(&node, &request, &IDENTITY).judged(&node).await {
        Ok(caller) => caller,
        Err(e) => return denied(&e),
    };
    let token = token(request.headers());
    let body = match read_body(request.into_body(), RECEIPT_BYTES_MAX).await {
        Ok(body) => String::from_utf8_lossy(&body).into_owned(),
        Err(response) => return response,
    };
    match blocking(move || node.take_receipt(&caller, &transfer, &token, &body)).await {
        Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        Ok(Err(given)) => respond(given),
        Err(response) => response,
    }
}

async fn checkpoint(State(node): State<Arc<Node>>) -> Response {
    match blocking(move || node.checkpoint()).await {
        Ok(Some((text, _))) => text.into_response(),
        Ok(None) => refuse(StatusCode::NOT_FOUND, "node/no-checkpoint", "the log has no checkpoint yet"),
        Err(response) => response,
    }
}

async fn tile(State(node): State<Arc<Node>>, Path(path): Path<String>) -> Response {
    match blocking(move || node.tile(&path)).await {
        Ok(Some(bytes)) => bytes.into_response(),
        Ok(None) => refuse(StatusCode::NOT_FOUND, "node/no-tile", "the log has no such tile"),
        Err(response) => response,
    }
}
