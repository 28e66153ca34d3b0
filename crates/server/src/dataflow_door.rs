//! The door for bytes of data flows that control planes of others drive: pulled from us, pushed to us, access renewed.
//!
//! Whoever comes here shows the token of the data address alone; the data plane that it comes from may be anybody's.

use crate::claims_door::token_in;
use crate::data_door::Shared;
use crate::dsp_door::{blocking, read_body, refuse};
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use hyper::body::Frame;
use node::act::claims::Denied;
use node::act::dataflow::bytes::{BODY_BYTES_MAX, Withheld};
use node::agent::Node;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// LIMIT: bytes of a form that renews a token.
const FORM_BYTES_MAX: usize = 8 << 10;
/// LIMIT: pieces that wait for a slow reader.
const PIECES_WAITING: usize = 2;

/// Routes for the bytes of one node's data flows.
pub fn router(node: Arc<Node>) -> Router {
    Router::new()
        .route("/dataflows/token", post(renew))
        .route("/dataflows/{id}", get(pull).post(push))
        .with_state(node)
}

fn bearer(headers: &HeaderMap) -> String {
    let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (scheme, token) = given.split_once(' ').unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") { token.trim().to_owned() } else { String::new() }
}

fn withheld(why: &Withheld) -> Response {
    let status = StatusCode::from_u16(why.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    refuse(status, &why.code, &why.says)
}

/// Pieces on their way out; what breaks off breaks off the body, so that it does not look whole.
struct Pieces(mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|p| p.map(Frame::data)))
    }
}

async fn pull(State(node): State<Arc<Node>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let token = bearer(&headers);
    let (first_node, first_id, first_token) = (node.clone(), id.clone(), token.clone());
    // The first piece tells whether anything is given at all.
    let first = match blocking(move || first_node.give_piece(&first_id, &first_token, 0)).await {
        Ok(Ok(first)) => first,
        Ok(Err(why)) => return withheld(&why),
        Err(response) => return response,
    };
    let Some(first) = first else { return StatusCode::OK.into_response() };
    let (send, pieces) = mpsc::channel(PIECES_WAITING);
    tokio::task::spawn_blocking(move || {
        let mut next = Ok(Some(first));
        let mut number = 0;
        loop {
            match next {
                Ok(Some(piece)) => {
                    if send.blocking_send(Ok(Bytes::from_owner(Shared(Arc::clone(piece.bytes()))))).is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(why) => {
                    let Withheld { code, says, .. } = why;
                    let _gone = send.blocking_send(Err(io::Error::other(format!("{code}: {says}"))));
                    return;
                }
            }
            number += 1;
            next = node.give_piece(&id, &token, number);
        }
    });
    ([(header::CONTENT_TYPE, "application/octet-stream")], Body::new(Pieces(pieces))).into_response()
}

async fn push(State(node): State<Arc<Node>>, Path(id): Path<String>, request: Request) -> Response {
    let token = bearer(request.headers());
    let body = match read_body(request.into_body(), BODY_BYTES_MAX).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    match blocking(move || node.take_pushed(&id, &token, body)).await {
        Ok(Ok(_)) => StatusCode::NO_CONTENT.into_response(),
        Ok(Err(why)) => withheld(&why),
        Err(response) => response,
    }
}

/// An error of OAuth 2 (RFC 6749, section 5.2).
fn ungranted(denied: &Denied) -> Response {
    let status = StatusCode::from_u16(denied.status).unwrap_or(StatusCode::BAD_REQUEST);
    let error = match denied.status {
        400 => denied.code.as_str(),
        _ => "invalid_client",
    };
    let body = serde_json::json!({ "error": error, "error_description": format!("{}: {}", denied.code, denied.says) });
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

async fn renew(State(node): State<Arc<Node>>, RawQuery(query): RawQuery, request: Request) -> Response {
    let Some(token) = token_in(request.headers(), &header::AUTHORIZATION) else {
        let says =
            "the client proves itself by a token that it signed, as `Authorization: Bearer`".to_owned();
        return ungranted(&Denied { status: 401, code: "claims/no-token".into(), says });
    };
    let body = match read_body(request.into_body(), FORM_BYTES_MAX).await {
        Ok(body) => String::from_utf8_lossy(&body).into_owned(),
        Err(response) => return response,
    };
    // The profile's example has the form in the query.
    let form = if body.is_empty() { query.unwrap_or_default() } else { body };
    match blocking(move || node.renew_access(&form, &token)).await {
        Ok(Ok(given)) => ([(header::CACHE_CONTROL, "no-store")], Json(given)).into_response(),
        Ok(Err(denied)) => ungranted(&denied),
        Err(response) => response,
    }
}
