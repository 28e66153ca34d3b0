//! `/v1` of the data space, move by move: agreements, negotiations, transfers, and the moves as they happen.
//!
//! What is done here by hand asks law and contract as the node itself does; a refusal says which of them refused. A program
//! that reacts to peers asks `/v1/moves?after=…&wait=…` in a loop.

use crate::people::State;
use crate::people::principal::{Act, Bearer, Read};
use crate::problem::{Kind, Problem};
use axum::extract::{Path, Query, State as Held};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, body::Bytes};
use dsp::machine::Role;
use dsp::message::Grounds;
use dsp::message::terms::Terms;
use dsp::message::transfer::DataAddress;
use node::act::offer::{Handling, Handlings};
use node::act::operate::{
    Concluded, NegotiationAct, NegotiationWish, TransferAct, TransferWish, format_or_pull,
};
use node::act::standing::Listing;
use node::agent::Node;
use node::error::ActError;
use serde::{Deserialize, Serialize};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// LIMIT: seconds that a question for moves waits.
const WAIT_MAX: u64 = 30;
/// LIMIT: processes in one answer.
const LIST_MAX: usize = 500;

/// The routes; without a node each of them says that there is none. Those of `people::acts` lie beside them.
pub fn routes() -> Router<State> {
    Router::new()
        .route("/v1/participant", get(participant))
        .route("/v1/offers/{dataset}", get(one_offer).delete(withdraw))
        .route("/v1/offers/{dataset}/negotiations", post(offer_to))
        .route("/v1/agreements", post(agreement))
        .route("/v1/requests", post(ask))
        .route("/v1/negotiations/{id}/standing", get(negotiation))
        .route("/v1/negotiations/{id}/explained", get(explained))
        .route("/v1/negotiations/{id}/{act}", post(act_in_negotiation))
        .route("/v1/transfers", get(transfers).post(request))
        .route("/v1/transfers/{id}", get(transfer))
        .route("/v1/transfers/{id}/{act}", post(act_in_transfer))
        .route("/v1/moves", get(moves))
}

/// Runs an act of the node off the threads that serve.
pub(crate) async fn acting<T: Send + 'static>(
    state: &State,
    act: impl FnOnce(&Arc<Node>) -> Result<T, ActError> + Send + 'static,
) -> Result<T, Problem> {
    let node = state.node().ok_or_else(|| Problem::of(Kind::NoNode, "start with `--config`"))?;
    let done = tokio::task::spawn_blocking(move || act(&node)).await;
    done.map_err(|_| Problem::of(Kind::WentWrong, ""))?.map_err(|e| Problem::act(&e))
}

/// Answers with what the node says.
async fn told<T: Serialize + Send + 'static>(
    state: &State,
    act: impl FnOnce(&Arc<Node>) -> Result<T, ActError> + Send + 'static,
) -> Result<Json<Value>, Problem> {
    acting(state, act).await.map(|said| Json(json!(said)))
}

/// A body as what it must be; an empty one is an empty object.
pub(crate) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    let value: Value = dsp::json::read(body).map_err(|e| Problem::of(Kind::BodyNotJson, e.to_string()))?;
    serde_json::from_value(value).map_err(|e| Problem::of(Kind::ActNotUnderstood, e.to_string()))
}

fn created(path: &str, id: &str, value: Value) -> Response {
    let place = format!("{path}/{}", dsp::paths::segment(id));
    (StatusCode::CREATED, [(header::LOCATION, place)], Json(value)).into_response()
}

/// Who this node is, and where peers reach it.
#[utoipa::path(get, path = "/v1/participant", tag = "space", security(("token" = [])),
    responses((status = 200, description = "id, and base address of the protocol", body = Object)))]
async fn participant(Held(state): Held<State>, _who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    told(&state, |node| {
        Ok(json!({ "id": node.id(), "address": node.protocol_address(), "demo": node.is_demo(),
            "rulebook": node.rulebook(), "legal_day": node.legal_day() }))
    })
    .await
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    after: Option<String>,
    limit: Option<usize>,
}

impl Page {
    fn listing(self) -> Listing {
        Listing { after: self.after, limit: self.limit.unwrap_or(LIST_MAX).min(LIST_MAX) }
    }
}

/// One offer, with the terms as peers see them.
#[utoipa::path(get, path = "/v1/offers/{dataset}", tag = "space", security(("token" = [])),
    params(("dataset" = String, Path, description = "the dataset's id")),
    responses((status = 200, description = "the offer", body = Object), (status = 404, description = "no such offer", body = Problem, content_type = "application/problem+json")))]
async fn one_offer(
    Held(state): Held<State>,
    _who: Bearer<Read>,
    Path(dataset): Path<String>,
) -> Result<Json<Value>, Problem> {
    told(&state, move |node| {
        let missing = || ActError::NotFound { what: "offer", name: dataset.clone() };
        let offer = node.offer_of(&dataset)?.ok_or_else(missing)?;
        let terms = node.terms_of(&offer).map(|t| t.to_value());
        Ok(json!({ "offer": offer, "terms": terms.ok() }))
    })
    .await
}

/// Offers a dataset no longer; running flows of it stop.
#[utoipa::path(delete, path = "/v1/offers/{dataset}", tag = "space", security(("token" = [])),
    params(("dataset" = String, Path, description = "the dataset's id")),
    responses((status = 204, description = "withdrawn"), (status = 404, description = "no such offer", body = Problem, content_type = "application/problem+json")))]
async fn withdraw(
    Held(state): Held<State>,
    _who: Bearer<Act>,
    Path(dataset): Path<String>,
) -> Result<StatusCode, Problem> {
    acting(&state, move |node| node.withdraw_offer(&dataset)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    role: Role,
    peer: String,
    address: String,
    agreement: Map<String, Value>,
}

/// Records an agreement that was concluded elsewhere: by another connector, or on paper.
#[utoipa::path(post, path = "/v1/agreements", tag = "space", security(("token" = [])),
    request_body(content = Object, description = "`role` (ours: `provider` or `consumer`), `peer`, `address`, `agreement` as ODRL with `@id`, target, assigner and assignee"),
    responses((status = 201, description = "our id of the negotiation that stands for it", body = Object),
        (status = 422, description = "not understood, or of others", body = Problem, content_type = "application/problem+json")))]
async fn agreement(Held(state): Held<State>, _who: Bearer<Act>, body: Bytes) -> Result<Response, Problem> {
    let Elsewhere { role, peer, address, agreement } = read(&body)?;
    let concluded = Concluded { role, peer, address, agreement: Terms::of(agreement) };
    let id = acting(&state, move |node| node.record_agreement(concluded)).await?;
    Ok(created("/v1/negotiations", &id, json!({ "negotiation": id })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    address: String,
    peer: Option<String>,
    dataset: String,
    terms: Option<Map<String, Value>>,
    #[serde(default)]
    handling: Handling,
    transfer: Option<Handling>,
}

/// Asks a provider for a dataset, on its terms or on others.
#[utoipa::path(post, path = "/v1/requests", tag = "space", security(("token" = [])),
    request_body(content = Object, description = "`address` (the provider's base address of the protocol) and `dataset`; if wanted `peer`, `terms` (those of its catalog), `handling` (who makes our moves: `automatic`, and a transfer follows by itself, or `manual`), `transfer` (`manual`: none follows)"),
    responses((status = 201, description = "our id of the negotiation", body = Object), (status = 502, description = "the peer fails", body = Problem, content_type = "application/problem+json")))]
async fn ask(Held(state): Held<State>, _who: Bearer<Act>, body: Bytes) -> Result<Response, Problem> {
    let Request { address, peer, dataset, terms, handling, transfer } = read(&body)?;
    let terms = terms.map(Terms::of);
    let handling = Handlings { negotiation: handling, transfer: transfer.unwrap_or(handling) };
    let wish = NegotiationWish { role: Role::Consumer, address, peer, dataset, terms, handling };
    open(&state, wish).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Addressed {
    address: String,
    peer: String,
    terms: Option<Map<String, Value>>,
}

/// Offers a dataset to a peer that has not asked for it.
#[utoipa::path(post, path = "/v1/offers/{dataset}/negotiations", tag = "space", security(("token" = [])),
    params(("dataset" = String, Path, description = "the dataset's id")),
    request_body(content = Object, description = "`address` (the consumer's base address of the protocol) and `peer`; if wanted `terms`"),
    responses((status = 201, description = "our id of the negotiation", body = Object), (status = 404, description = "no such offer", body = Problem, content_type = "application/problem+json")))]
async fn offer_to(
    Held(state): Held<State>,
    _who: Bearer<Act>,
    Path(dataset): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let Addressed { address, peer, terms } = read(&body)?;
    let (peer, terms, handling) = (Some(peer), terms.map(Terms::of), Handling::Manual.into());
    open(&state, NegotiationWish { role: Role::Provider, address, peer, dataset, terms, handling }).await
}

async fn open(state: &State, wish: NegotiationWish) -> Result<Response, Problem> {
    let id = acting(state, move |node| node.open_negotiation(wish)).await?;
    Ok(created("/v1/negotiations", &id, json!({ "negotiation": id })))
}

/// One negotiation as both parties see it: state, whose move, latest offer, agreement, reasons.
#[utoipa::path(get, path = "/v1/negotiations/{id}/standing", tag = "space", security(("token" = [])), params(("id" = String, Path, description = "our id")),
    responses((status = 200, description = "how it stands", body = Object), (status = 404, description = "no such negotiation", body = Problem, content_type = "application/problem+json")))]
async fn negotiation(
    Held(state): Held<State>,
    _who: Bearer<Read>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    told(&state, move |node| node.negotiation_standing(&id)).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    terms: Option<Map<String, Value>>,
    code: Option<String>,
    #[serde(default)]
    reasons: Vec<String>,
}

impl Said {
    fn grounds(self) -> Grounds {
        Grounds { code: self.code, reason: self.reasons.into_iter().map(Value::String).collect() }
    }
}

/// Does something in a negotiation: `offer`, `counter`, `accept`, `agree`, `verify`, `finalize`, `terminate`.
#[utoipa::path(post, path = "/v1/negotiations/{id}/{act}", tag = "space", security(("token" = [])),
    params(("id" = String, Path, description = "our id"), ("act" = String, Path, description = "what to do; `agree` and `finalize` bind us, `accept` and `verify` too")),
    request_body(content = Object, description = "`terms` to offer or counter; `code` and `reasons` to terminate, which the peer reads"),
    responses((status = 200, description = "how it stands now", body = Object),
        (status = 409, description = "the protocol has no such move now, or law or contract refuse", body = Problem, content_type = "application/problem+json")))]
async fn act_in_negotiation(
    Held(state): Held<State>,
    _who: Bearer<Act>,
    Path((id, act)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let mut said: Said = read(&body)?;
    let terms = said.terms.take().map(Terms::of);
    let act = match (act.as_str(), terms) {
        ("offer", terms) => NegotiationAct::Offer(terms),
        ("counter", Some(terms)) => NegotiationAct::Counter(terms),
        ("counter", None) => return Err(Problem::of(Kind::ActNotUnderstood, "a counter-offer has `terms`")),
        ("accept", _) => NegotiationAct::Accept,
        ("agree", _) => NegotiationAct::Agree,
        ("verify", _) => NegotiationAct::Verify,
        ("finalize", _) => NegotiationAct::Finalize,
        ("terminate", _) => NegotiationAct::Terminate(said.grounds()),
        (other, _) => return Err(Problem::of(Kind::NotFound, format!("no act `{other}`"))),
    };
    told(&state, move |node| node.act_in_negotiation(&id, &act)).await
}

/// One negotiation explained: who moved when, whose move it is, why it stands still, what to do, and which acts bind.
#[utoipa::path(get, path = "/v1/negotiations/{id}/explained", tag = "space", security(("token" = [])), params(("id" = String, Path, description = "our id")),
    responses((status = 200, description = "`steps`, `whose_move`, `why`, `todo`, `choices`, `terms`", body = Object), (status = 404, description = "no such negotiation", body = Problem, content_type = "application/problem+json")))]
async fn explained(
    Held(state): Held<State>,
    _who: Bearer<Read>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    told(&state, move |node| node.explain_negotiation(&id)).await
}

/// The transfers, both roles; `after` and `limit` page.
#[utoipa::path(get, path = "/v1/transfers", tag = "space", security(("token" = [])),
    params(("after" = Option<String>, Query, description = "the id before the page"), ("limit" = Option<usize>, Query, description = "at most 500")),
    responses((status = 200, description = "each with its state, whose move it is, and what holds it up", body = Object)))]
async fn transfers(
    Held(state): Held<State>,
    _who: Bearer<Read>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    told(&state, |node| Ok(json!({ "transfers": node.transfer_standings(&page.listing())? }))).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Want {
    agreement: String,
    peer: Option<String>,
    address: Option<String>,
    format: Option<String>,
    push_to: Option<DataAddress>,
    #[serde(default)]
    handling: Handling,
    plane: Option<String>,
}

/// Asks for a transfer under an agreement in which we are the consumer.
#[utoipa::path(post, path = "/v1/transfers", tag = "space", security(("token" = [])),
    request_body(content = Object, description = "`agreement`; if wanted `format`, `push_to` (a data address), `peer`, `address`, `handling` (`manual`: the node does not pull by itself), `plane` (a registered data plane of others that shall have the data)"),
    responses((status = 201, description = "our id", body = Object), (status = 404, description = "no such agreement in force", body = Problem, content_type = "application/problem+json")))]
async fn request(Held(state): Held<State>, _who: Bearer<Act>, body: Bytes) -> Result<Response, Problem> {
    let Want { agreement, peer, address, format, push_to, handling, plane } = read(&body)?;
    let wish =
        TransferWish { agreement, peer, address, format: format_or_pull(format), push_to, handling, plane };
    let id = acting(&state, move |node| node.open_transfer(wish)).await?;
    Ok(created("/v1/transfers", &id, json!({ "id": id })))
}

/// One transfer as both parties see it.
#[utoipa::path(get, path = "/v1/transfers/{id}", tag = "space", security(("token" = [])), params(("id" = String, Path, description = "our id")),
    responses((status = 200, description = "how it stands", body = Object), (status = 404, description = "no such transfer", body = Problem, content_type = "application/problem+json")))]
async fn transfer(
    Held(state): Held<State>,
    _who: Bearer<Read>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    told(&state, move |node| node.transfer_standing(&id)).await
}

/// Does something in a transfer: `start`, `suspend`, `resume`, `complete`, `terminate`.
#[utoipa::path(post, path = "/v1/transfers/{id}/{act}", tag = "space", security(("token" = [])),
    params(("id" = String, Path, description = "our id"), ("act" = String, Path, description = "what to do")),
    request_body(content = Object, description = "`code` and `reasons` to suspend or terminate, which the peer reads"),
    responses((status = 200, description = "how it stands now", body = Object),
        (status = 409, description = "the protocol has no such move now, or law or contract refuse", body = Problem, content_type = "application/problem+json")))]
async fn act_in_transfer(
    Held(state): Held<State>,
    _who: Bearer<Act>,
    Path((id, act)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let said: Said = read(&body)?;
    let act = match act.as_str() {
        "start" | "resume" => TransferAct::Start,
        "suspend" => TransferAct::Suspend(said.grounds()),
        "complete" => TransferAct::Complete,
        "terminate" => TransferAct::Terminate(said.grounds()),
        other => return Err(Problem::of(Kind::NotFound, format!("no act `{other}`"))),
    };
    told(&state, move |node| node.act_in_transfer(&id, &act)).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    after: Option<String>,
    wait: Option<u64>,
}

/// The moves of negotiations and transfers, of either side, as they happen; waits for the next one.
#[utoipa::path(get, path = "/v1/moves", tag = "space", security(("token" = [])),
    params(("after" = Option<String>, Query, description = "`next` of the answer before; without it the answer is the cursor of now"),
        ("wait" = Option<u64>, Query, description = "seconds, at most 30")),
    responses((status = 200, description = "`moves` in order, `next`, and `missed`: whether moves before these are forgotten, so that the lists must be read", body = Object)))]
async fn moves(
    Held(state): Held<State>,
    _who: Bearer<Read>,
    Query(cursor): Query<Cursor>,
) -> Result<Json<Value>, Problem> {
    let wait = Duration::from_secs(cursor.wait.unwrap_or(0).min(WAIT_MAX));
    told(&state, move |node| Ok(node.traces(cursor.after.as_deref(), wait))).await
}

/// What is described of these routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(
        participant, one_offer, withdraw, offer_to, agreement, ask, negotiation, explained, act_in_negotiation, transfers, request, transfer, act_in_transfer, moves
    ),
    tags((name = "space", description = "the data space: offers, negotiations, transfers"))
)]
pub struct Described;
