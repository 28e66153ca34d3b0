//! The doors of participants: what lies below `/p/NAME` for peers and people, and `/v1/participants` for whoever runs the process.

use super::{AddError, Door, Newcomer, Participants};
use crate::node_server::StartError;
use crate::people::State;
use crate::people::principal::{Bearer, Manage, Operate};
use crate::problem::{Kind, Problem};
use crate::tls::Peer;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Query, Request, State as Held};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, put};
use axum::{Json, Router};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use model::CivilDate;
use node::mark::Mark;
use node::quota::Quotas;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// What lies below `/p/` at the door for peers.
pub fn peers_router(all: &Arc<Participants>) -> Router {
    below(all, Door::Peers)
}

/// What lies below `/p/` at the door for people.
pub fn people_router(all: &Arc<Participants>) -> Router {
    below(all, Door::People)
}

fn below(all: &Arc<Participants>, door: Door) -> Router {
    let all = all.clone();
    let pass = move |request: Request| {
        let name = request.uri().path().split('/').nth(2).unwrap_or_default().to_owned();
        let routes = all.routes(&name, door);
        async move {
            match routes {
                Some(routes) if door == Door::People => led_back(passed(routes, &name, request).await, &name).await,
                Some(routes) => passed(routes, &name, request).await,
                None => Problem::of(Kind::NotFound, format!("no participant `{name}`")).into_response(),
            }
        }
    };
    Router::new().route("/p/{name}/", any(pass.clone())).route("/p/{name}/{*rest}", any(pass))
}

/// Gives a request to the routes of one participant, which know nothing of what lies above them.
async fn passed(routes: Router, name: &str, mut request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
    let rest = path.strip_prefix("/p/").and_then(|p| p.strip_prefix(name)).unwrap_or("/");
    // Who the peer is goes along; what was read out of the path stays here, lest it be taken for a part of theirs.
    let peer = request.extensions_mut().remove::<Peer>();
    request.extensions_mut().clear();
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    // The document of a DID with a path lies where the DID says, which begins with ours.
    let whole = path.ends_with("/did.json");
    if let (false, Ok(uri)) = (whole, rest.parse::<Uri>()) {
        *request.uri_mut() = uri;
    }
    match TowerToHyperService::new(routes).call(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

/// LIMIT: bytes of a page; ours are far smaller.
const PAGE_BYTES_MAX: usize = 64 << 20;

/// Puts the path of a participant before the addresses in its pages, which are written as those of a node of its own; its
/// session is known below that path alone.
///
/// Text is escaped in every page, so what stands here between quotes is an address of an element and nothing that came from outside.
async fn led_back(response: Response, name: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    let below = format!("/p/{name}/");
    let led = |value: &HeaderValue| -> Option<HeaderValue> {
        let text = value.to_str().ok()?;
        let text = match text.strip_prefix('/') {
            Some(rest) => format!("{below}{rest}"),
            None => text.replace("; Path=/;", &format!("; Path={below};")),
        };
        HeaderValue::from_str(&text).ok()
    };
    for name in [header::LOCATION, header::SET_COOKIE] {
        if let Some(value) = parts.headers.get(&name).and_then(led) {
            parts.headers.insert(name, value);
        }
    }
    let is_page = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !is_page {
        return Response::from_parts(parts, body);
    }
    let Ok(bytes) = to_bytes(body, PAGE_BYTES_MAX).await else {
        return Problem::of(Kind::WentWrong, "").into_response();
    };
    let mut page = String::from_utf8_lossy(&bytes).into_owned();
    for attribute in ["href", "action", "src"] {
        page = page.replace(&format!("{attribute}=\"/"), &format!("{attribute}=\"{below}"));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(page))
}

/// `/v1/participants`, for whoever runs the process.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/v1/participants", get(listed).post(taken_in))
        .route("/v1/participants/{name}", delete(released))
        .route("/v1/participants/{name}/figures", get(figures))
        .route("/v1/participants/{name}/marks", put(set_marks))
        .route("/v1/participants/{name}/quotas", get(quotas).put(set_quotas))
}

pub(crate) fn held(state: &State) -> Result<Arc<Participants>, Problem> {
    state.participants().ok_or_else(|| Problem::of(Kind::NoNode, "start with `--config`"))
}

/// The register of participants of this process.
#[utoipa::path(get, path = "/v1/participants", tag = "server", security(("token" = [])),
    responses((status = 200, description = "each with name, id, through whom it acts, address", body = Object)))]
async fn listed(Held(state): Held<State>, _who: Bearer<Operate>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "participants": held(&state)?.register() })))
}

/// Takes a participant in: its folder, store and keys are made, and it is reached at once.
#[utoipa::path(post, path = "/v1/participants", tag = "server", security(("token" = [])),
    request_body(content = Object, description = "`name` (small letters, digits, hyphens), `did`; if wanted `title`, `through` (the id of the intermediary that acts for it), `accept_drafted`, `quotas`"),
    responses((status = 201, description = "where it is, and its admin token, shown once", body = Object),
        (status = 409, description = "name or id are another's, or there are too many", body = Problem, content_type = "application/problem+json")))]
async fn taken_in(Held(state): Held<State>, _who: Bearer<Manage>, body: Bytes) -> Result<Response, Problem> {
    let newcomer: Newcomer = crate::space::read(&body)?;
    let all = held(&state)?;
    let name = newcomer.name.clone();
    let of = all.clone();
    let added = tokio::task::spawn_blocking(move || of.add(&newcomer)).await;
    let token = added.map_err(|_| Problem::of(Kind::WentWrong, ""))?.map_err(|e| refused(&e))?;
    let node = all.node(&name).ok_or_else(|| Problem::of(Kind::WentWrong, ""))?;
    let told = json!({ "name": name, "id": node.id(), "protocol": node.protocol_address(),
        "api": format!("/p/{name}/v1"), "token": token });
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

/// Serves a participant no longer: its node stops, its folder stays, and taking it in again goes on with it.
#[utoipa::path(delete, path = "/v1/participants/{name}", tag = "server", security(("token" = [])),
    params(("name" = String, Path, description = "its short name")),
    responses((status = 200, description = "whether its folder is `free` by now, to be copied or moved", body = Object),
        (status = 404, description = "no such participant", body = Problem, content_type = "application/problem+json")))]
async fn released(Held(state): Held<State>, _who: Bearer<Manage>, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    let (all, of) = (held(&state)?, name.clone());
    let done = tokio::task::spawn_blocking(move || all.release(&of)).await;
    match done.map_err(|_| Problem::of(Kind::WentWrong, ""))? {
        Ok(Some(free)) => Ok(Json(json!({ "name": name, "free": free }))),
        Ok(None) => Err(Problem::of(Kind::NotFound, format!("no participant `{name}`"))),
        Err(e) => Err(refused(&e)),
    }
}

pub(crate) fn refused(e: &AddError) -> Problem {
    let kind = match e {
        AddError::Name | AddError::Did => Kind::ActNotUnderstood,
        AddError::Taken | AddError::Full => Kind::ActRefused,
        AddError::Folder(_) | AddError::Start(_) => Kind::ActFailed,
    };
    Problem::of(kind, format!("{}: {e}", e.code()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Month {
    month: Option<String>,
}

/// What a participant did in a month: offers, contracts, pairs, bytes. Numbers only: whoever runs the process reads no
/// content.
#[utoipa::path(get, path = "/v1/participants/{name}/figures", tag = "server", security(("token" = [])),
    params(("name" = String, Path, description = "its short name"), ("month" = Option<String>, Query, description = "such as 2026-11; this month if absent")),
    responses((status = 200, description = "figures", body = Object), (status = 404, description = "no such participant", body = Problem, content_type = "application/problem+json")))]
async fn figures(
    Held(state): Held<State>,
    _who: Bearer<Operate>,
    Path(name): Path<String>,
    Query(asked): Query<Month>,
) -> Result<Json<Value>, Problem> {
    let missing = || Problem::of(Kind::NotFound, format!("no participant `{name}`"));
    let node = held(&state)?.node(&name).ok_or_else(missing)?;
    if let Some(other) = asked.month.as_ref().filter(|m| !is_month(m)) {
        return Err(Problem::of(Kind::ActNotUnderstood, format!("`{other}` is no month such as 2026-11")));
    }
    let done = tokio::task::spawn_blocking(move || {
        let month = asked.month.unwrap_or_else(|| node.now().day(0).to_string().chars().take(7).collect());
        node.figures(&month).map(|figures| json!({ "name": name, "month": month, "figures": figures }))
    });
    done.await.map_err(|_| Problem::of(Kind::WentWrong, ""))?.map(Json).map_err(|e| Problem::act(&e))
}

/// Whether it is a month such as 2026-11.
pub(crate) fn is_month(month: &str) -> bool {
    month.len() == 7 && format!("{month}-01").parse::<CivilDate>().is_ok()
}

/// The quotas of a participant, and what of them is used.
#[utoipa::path(get, path = "/v1/participants/{name}/quotas", tag = "server", security(("token" = [])),
    params(("name" = String, Path, description = "its short name")),
    responses((status = 200, description = "quotas and use", body = Object), (status = 404, description = "no such participant", body = Problem, content_type = "application/problem+json")))]
async fn quotas(Held(state): Held<State>, _who: Bearer<Operate>, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    let missing = || Problem::of(Kind::NotFound, format!("no participant `{name}`"));
    let node = held(&state)?.node(&name).ok_or_else(missing)?;
    let done = tokio::task::spawn_blocking(move || {
        node.quotas_used().map(|used| json!({ "name": name, "quotas": node.quotas(), "used": used }))
    });
    done.await.map_err(|_| Problem::of(Kind::WentWrong, ""))?.map(Json).map_err(|e| Problem::act(&e))
}

/// Sets quotas of a participant, from now on; what is not named stays as it is.
#[utoipa::path(put, path = "/v1/participants/{name}/quotas", tag = "server", security(("token" = [])),
    params(("name" = String, Path, description = "its short name")),
    request_body(content = Object, description = "any of `offers`, `negotiations` (open at a time), `bytes_month` (in a calendar month of UTC)"),
    responses((status = 200, description = "the quotas as they stand", body = Object), (status = 404, description = "no such participant", body = Problem, content_type = "application/problem+json")))]
async fn set_quotas(
    Held(state): Held<State>,
    _who: Bearer<Manage>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let told: Quotas = crate::space::read(&body)?;
    let (all, of) = (held(&state)?, name.clone());
    let done = tokio::task::spawn_blocking(move || all.set_quotas(&of, told)).await;
    match done.map_err(|_| Problem::of(Kind::WentWrong, ""))? {
        Ok(Some(quotas)) => Ok(Json(json!({ "name": name, "quotas": quotas }))),
        Ok(None) => Err(Problem::of(Kind::NotFound, format!("no participant `{name}`"))),
        Err(e) => Err(refused(&e)),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marks {
    marks: Vec<Mark>,
}

/// Records certifications of a participant that whoever runs the process has seen, in place of those before. The law takes one that counts
/// as a value of `exporter.listed`, until its end.
#[utoipa::path(put, path = "/v1/participants/{name}/marks", tag = "server", security(("token" = [])),
    params(("name" = String, Path, description = "its short name")),
    request_body(content = Object, description = "`marks`: each with `scheme` (a value of `party.listed`), `id`, `by`, `until` (the first day on which it no longer counts)"),
    responses((status = 200, description = "the certifications, and whether each counts today", body = Object),
        (status = 404, description = "no such participant", body = Problem, content_type = "application/problem+json")))]
async fn set_marks(
    Held(state): Held<State>,
    _who: Bearer<Manage>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let told: Marks = crate::space::read(&body)?;
    let (all, of) = (held(&state)?, name.clone());
    let done = tokio::task::spawn_blocking(move || all.set_marks(&of, told.marks)).await;
    match done.map_err(|_| Problem::of(Kind::WentWrong, ""))? {
        Ok(Some(marks)) => Ok(Json(json!({ "name": name, "marks": marks }))),
        Ok(None) => Err(Problem::of(Kind::NotFound, format!("no participant `{name}`"))),
        Err(AddError::Start(StartError::Act(e))) => Err(Problem::act(&e)),
        Err(e) => Err(refused(&e)),
    }
}

/// What of `/v1` is described here.
#[derive(utoipa::OpenApi)]
#[openapi(paths(listed, taken_in, released, figures, quotas, set_quotas, set_marks))]
pub(crate) struct Described;
