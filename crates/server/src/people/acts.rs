//! `/v1` of a node: offers, peers, catalogs, negotiations, evidence. Writes take an idempotency key.
//!
//! What a page does, a program does here too. A write under the same `Idempotency-Key` is done once: a repeat gets the
//! first answer, another request under the same key is refused.

use super::{
    State,
    principal::{Act, Bearer, Manage, Operate, Principal, Read, Right},
};
use crate::problem::{Kind, Problem};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State as Held},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use model::{CivilDate, Digest};
use node::{act::{judgment::Judgment, offer::Offer}, config::PeerFacts, desk::{Desk, Repeat}};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// LIMIT: characters of an idempotency key.
const KEY_CHARS_MAX: usize = 200;

/// What may be asked of a node.
#[derive(Clone, Debug)]
pub enum Look {
    /// All offers.
    Offers,
    /// What is known of peers.
    Peers,
    /// The judgments that are held.
    Judgments,
    /// The counters of the law as the node's meter has them.
    Counters,
    /// All negotiations.
    Negotiations,
    /// One negotiation, with the transfer that followed.
    Negotiation(String),
    /// The log: its size and checkpoint, and the policy by which outsiders check it.
    Log,
}

/// What a node may be told to do.
#[derive(Clone, Debug)]
pub enum Order {
    /// Offer a dataset.
    Offer(Box<Offer>),
    /// Say what offering a dataset would come to; nothing is offered.
    CheckOffer(Box<Offer>),
    /// Know a peer, for the law.
    Know(PeerFacts),
    /// Read a provider's catalog.
    Catalog(Provider),
    /// Begin to get a dataset.
    Ask(Wanted),
    /// Rest on a judgment.
    Judge(Box<Judgment>),
    /// Give a judgment up.
    GiveUp(String),
    /// Take a way through for a stopped flow.
    Cure(String, Measures),
    /// Move the legal clock of a demo.
    LegalDay(Day),
}

/// A provider's address.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The base address of its protocol, `https://host/dsp`.
    pub provider: String,
}

/// A dataset of a provider.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The base address of the provider's protocol, `https://host/dsp`.
    pub provider: String,
    /// The dataset's id, as in its catalog.
    pub dataset: String,
}

/// Measures that were taken, by id.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Measures {
    /// All measures of one way through.
    pub measures: Vec<String>,
}

/// Whether an order is only looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Checking {
    check: bool,
}

/// A token to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Its id, by which it is listed and revoked.
    pub id: String,
    /// `operator`, `admin`, `act`, `read`, `auditor`, `regulator` or `plane`.
    pub role: String,
}

/// A civil day.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Day {
    /// Such as `2020-07-16`.
    #[schema(value_type = String)]
    pub day: CivilDate,
}

/// A node as its programs see it. Calls may block; they run off the serving threads.
pub trait Acts: Send + Sync {
    /// Whether there is a node behind these pages.
    fn is_there(&self) -> bool {
        true
    }

    /// Tells.
    fn look(&self, who: &Principal, what: Look) -> Result<Value, Problem>;
    /// Does; the status and the body of the answer.
    fn act(&self, who: &Principal, order: Order) -> Result<(u16, Value), Problem>;
    /// The evidence of a transfer as a container.
    fn container(&self, who: &Principal, transfer: &str) -> Result<Vec<u8>, Problem>;
    /// All tokens, without their secrets.
    fn tokens(&self) -> Result<Value, Problem>;
    /// Makes a token and returns its secret, which is shown once.
    fn make_token(&self, wanted: &NewToken) -> Result<String, Problem>;
    /// Revokes a token.
    fn revoke_token(&self, id: &str) -> Result<(), Problem>;
    /// Claims an idempotency key.
    fn claim(&self, key: &str, request: &Digest) -> Result<Repeat, Problem>;
    /// Keeps the answer under a key, or gives the key up.
    fn settle(&self, key: &str, answer: Option<(u16, &[u8])>) -> Result<(), Problem>;
}

/// No node: a desk with its tokens, or nothing at all.
#[derive(Clone, Debug, Default)]
pub struct NoNode(pub Option<Arc<Desk>>);

impl NoNode {
    fn desk(&self) -> Result<&Desk, Problem> {
        self.0.as_deref().ok_or_else(no_node)
    }
}

fn no_node() -> Problem {
    Problem::of(Kind::NoNode, "start one with `tegata serve --dir FOLDER` on a folder that was enrolled")
}

impl Acts for NoNode {
    fn is_there(&self) -> bool {
        false
    }

    fn look(&self, _: &Principal, _: Look) -> Result<Value, Problem> {
        Err(no_node())
    }

    fn act(&self, _: &Principal, _: Order) -> Result<(u16, Value), Problem> {
        Err(no_node())
    }

    fn container(&self, _: &Principal, _: &str) -> Result<Vec<u8>, Problem> {
        Err(no_node())
    }

    fn tokens(&self) -> Result<Value, Problem> {
        tokens_of(self.desk()?)
    }

    fn make_token(&self, wanted: &NewToken) -> Result<String, Problem> {
        make_token_at(self.desk()?, wanted)
    }

    fn revoke_token(&self, id: &str) -> Result<(), Problem> {
        self.desk()?.revoke(id).map_err(|e| Problem::act(&e))
    }

    fn claim(&self, _: &str, _: &Digest) -> Result<Repeat, Problem> {
        Err(no_node())
    }

    fn settle(&self, _: &str, _: Option<(u16, &[u8])>) -> Result<(), Problem> {
        Err(no_node())
    }
}

/// The tokens of a desk.
pub fn tokens_of(desk: &Desk) -> Result<Value, Problem> {
    Ok(serde_json::json!({ "tokens": desk.tokens().map_err(|e| Problem::act(&e))? }))
}

/// Makes a token at a desk.
pub fn make_token_at(desk: &Desk, wanted: &NewToken) -> Result<String, Problem> {
    const ROLES: [&str; 7] = ["operator", "admin", "act", "read", "auditor", "regulator", "plane"];
    if !ROLES.contains(&wanted.role.as_str()) {
        return Err(Problem::of(Kind::ActNotUnderstood, format!("`{}` is no role; one of {}", wanted.role, ROLES.join(", "))));
    }
    let taken = desk.tokens().map_err(|e| Problem::act(&e))?.iter().any(|t| t.get("id").and_then(Value::as_str) == Some(&wanted.id));
    if taken || wanted.id == node::desk::LOCAL {
        return Err(Problem::of(Kind::ActRefused, format!("there is a token `{}` already", wanted.id)));
    }
    desk.token_of_role(&wanted.id, &wanted.role).map_err(|e| Problem::act(&e))
}

/// The routes of a node.
pub fn routes() -> Router<State> {
    Router::new()
        .route("/v1/offers", get(offers).post(offer))
        .route("/v1/peers", get(peers).post(know))
        .route("/v1/determinations", get(judgments).post(judge))
        .route("/v1/determinations/{id}/give-up", post(give_up))
        .route("/v1/counters", get(counters))
        .route("/v1/catalog", post(catalog))
        .route("/v1/negotiations", get(negotiations).post(ask))
        .route("/v1/negotiations/{id}", get(negotiation))
        .route("/v1/flows/{id}/cure", post(cure))
        .route("/v1/flows/{id}/container", get(container))
        .route("/v1/log", get(log))
        .route("/v1/legal-day", post(legal_day))
        .route("/v1/tokens", get(tokens).post(token))
        .route("/v1/tokens/{id}/revoke", post(revoke))
}

async fn blocking<T: Send + 'static>(state: &State, f: impl FnOnce(&dyn Acts) -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    let acts = state.acts.clone();
    tokio::task::spawn_blocking(move || f(acts.as_ref())).await.map_err(|_| Problem::of(Kind::WentWrong, ""))?
}

async fn tell(state: &State, who: Principal, what: Look) -> Result<Json<Value>, Problem> {
    Ok(Json(blocking(state, move |a| a.look(&who, what)).await?))
}

/// One write: read the body, honor the key, act, answer.
struct Write<'a> {
    state: &'a State,
    who: Principal,
    headers: &'a HeaderMap,
    route: &'a str,
    body: Bytes,
}

impl Write<'_> {
    async fn order<T: DeserializeOwned>(self, order: impl FnOnce(T) -> Order) -> Result<Response, Problem> {
        let value: Value = serde_json::from_slice(&self.body).map_err(|e| Problem::of(Kind::BodyNotJson, e.to_string()))?;
        let read: T = serde_json::from_value(value).map_err(|e| Problem::of(Kind::ActNotUnderstood, e.to_string()))?;
        let (order, who) = (order(read), self.who.clone());
        let Some(key) = self.key()? else {
            let (status, body) = blocking(self.state, move |a| a.act(&who, order)).await?;
            return Ok(respond(status, body.to_string().into_bytes(), Repeated::No));
        };
        // The token is part of the request: one holder never gets the answer to another.
        let request = Digest::of(&[self.route.as_bytes(), b"\n", self.who.token.as_bytes(), b"\n", &self.body].concat());
        let done = blocking(self.state, move |a| {
            match a.claim(&key, &request)? {
                Repeat::Done(status, body) => return Ok((status, body, Repeated::Yes)),
                Repeat::UnderWay => return Err(Problem::of(Kind::KeyUnderWay, "ask again, or look whether it was done")),
                Repeat::Another => return Err(Problem::of(Kind::KeyTaken, "")),
                Repeat::New => {}
            }
            match a.act(&who, order) {
                Ok((status, body)) => {
                    let body = body.to_string().into_bytes();
                    a.settle(&key, Some((status, &body)))?;
                    Ok((status, body, Repeated::No))
                }
                Err(problem) => {
                    // Nothing was done, so the key is free again.
                    a.settle(&key, None)?;
                    Err(problem)
                }
            }
        });
        let (status, body, repeated) = done.await?;
        Ok(respond(status, body, repeated))
    }

    fn key(&self) -> Result<Option<String>, Problem> {
        let Some(value) = self.headers.get("idempotency-key") else { return Ok(None) };
        let key = value.to_str().unwrap_or_default().trim().trim_matches('"');
        match !key.is_empty() && key.len() <= KEY_CHARS_MAX && key.chars().all(|c| c.is_ascii_graphic()) {
            true => Ok(Some(key.to_string())),
            false => Err(Problem::of(Kind::ActNotUnderstood, "`Idempotency-Key` is 1 to 200 printable characters")),
        }
    }
}

enum Repeated {
    Yes,
    No,
}

fn respond(status: u16, body: Vec<u8>, repeated: Repeated) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    if matches!(repeated, Repeated::Yes) {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}

fn write<'a, R: Right>(state: &'a State, who: Bearer<R>, headers: &'a HeaderMap, route: &'a str, body: Bytes) -> Write<'a> {
    Write { state, who: who.principal, headers, route, body }
}

/// What is offered, with the condition of law that the catalog shows.
#[utoipa::path(get, path = "/v1/offers", tag = "node", security(("token" = [])), responses((status = 200, description = "offers", body = Object)))]
async fn offers(Held(state): Held<State>, who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    tell(&state, who.principal, Look::Offers).await
}

/// Offer a file: what is known of it for the law goes with it. With `check=true` nothing is offered: the answer says what would be.
#[utoipa::path(post, path = "/v1/offers", tag = "node", security(("token" = [])),
    params(("check" = Option<bool>, Query, description = "only say what would be offered, and whether nothing (`new`), the same or another offer of this dataset is there"),
        ("Idempotency-Key" = Option<String>, Header, description = "a repeat gets the first answer")),
    request_body(content = Object, description = "`dataset`, `title`, `source` (a file of the node's machine), `facts` by slot; `terms` of use and `access` (who sees it) as ODRL; `plan` or `release` when it was measured"),
    responses((status = 201, description = "the terms as the catalog shows them", body = Object),
        (status = 200, description = "the same for `check=true`, with `stands`: `new`, `same` or `other`", body = Object),
        (status = 409, description = "the law leaves no way to anybody", body = Problem, content_type = "application/problem+json")))]
async fn offer(Held(state): Held<State>, who: Bearer<Act>, Query(asked): Query<Checking>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    match asked.check {
        true => write(&state, who, &headers, "offers?check", body).order(|o: Offer| Order::CheckOffer(Box::new(o))).await,
        false => write(&state, who, &headers, "offers", body).order(|o: Offer| Order::Offer(Box::new(o))).await,
    }
}

/// What is known of peers.
#[utoipa::path(get, path = "/v1/peers", tag = "node", security(("token" = [])), responses((status = 200, description = "peers with their facts", body = Object)))]
async fn peers(Held(state): Held<State>, who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    tell(&state, who.principal, Look::Peers).await
}

/// Know a peer: `id`, and its facts as `recipient.…`. Flows to it are decided afresh.
#[utoipa::path(post, path = "/v1/peers", tag = "node", security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "a repeat gets the first answer")),
    request_body(content = Object, description = "`id`, `facts`, and `words`: what it is in the words of policies, an operand and its values"),
    responses((status = 200, description = "known", body = Object)))]
async fn know(Held(state): Held<State>, who: Bearer<Act>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    write(&state, who, &headers, "peers", body).order(Order::Know).await
}

/// The judgments that the node rests on.
#[utoipa::path(get, path = "/v1/determinations", tag = "node", security(("token" = [])), responses((status = 200, description = "records with their seals", body = Object)))]
async fn judgments(Held(state): Held<State>, who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    tell(&state, who.principal, Look::Judgments).await
}

/// Rest on a judgment: a fact of every act whose facts are those that it was made on, until its last day. Flows are decided afresh.
#[utoipa::path(post, path = "/v1/determinations", tag = "node", security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "a repeat gets the first answer")),
    request_body(content = Object, description = "`record` as `tegata determine` wrote it, `seal` (CAdES, DER) in base64"),
    responses((status = 201, description = "held, with what stands behind it", body = Object),
        (status = 422, description = "no such record, or its seal does not hold", body = Problem, content_type = "application/problem+json")))]
async fn judge(Held(state): Held<State>, who: Bearer<Act>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    write(&state, who, &headers, "determinations", body).order(|j: Judgment| Order::Judge(Box::new(j))).await
}

/// Give a judgment up; flows that rest on it stop.
#[utoipa::path(post, path = "/v1/determinations/{id}/give-up", tag = "node", security(("token" = [])), params(("id" = String, Path, description = "the record's digest")),
    responses((status = 200, description = "given up", body = Object), (status = 404, description = "no such judgment", body = Problem, content_type = "application/problem+json")))]
async fn give_up(Held(state): Held<State>, who: Bearer<Act>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(blocking(&state, move |a| a.act(&who.principal, Order::GiveUp(id))).await?.1))
}

/// How many people left, added up over the window of each law that counts them, and the thresholds ahead.
#[utoipa::path(get, path = "/v1/counters", tag = "node", security(("token" = [])), responses((status = 200, description = "counters with their windows, and what turns at which count", body = Object)))]
async fn counters(Held(state): Held<State>, who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    tell(&state, who.principal, Look::Counters).await
}

/// Read a provider's catalog.
#[utoipa::path(post, path = "/v1/catalog", tag = "node", security(("token" = [])), request_body(content = Provider),
    responses((status = 200, description = "the catalog, DSP 2025-1", body = Object),
        (status = 502, description = "the peer gave no good answer", body = Problem, content_type = "application/problem+json")))]
async fn catalog(Held(state): Held<State>, who: Bearer<Act>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    write(&state, who, &headers, "catalog", body).order(Order::Catalog).await
}

/// All negotiations: whose move it is, and why one ended.
#[utoipa::path(get, path = "/v1/negotiations", tag = "node", security(("token" = [])), responses((status = 200, description = "negotiations", body = Object)))]
async fn negotiations(Held(state): Held<State>, who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    tell(&state, who.principal, Look::Negotiations).await
}

/// Begin to get a dataset; agreement, transfer and receipt follow by themselves.
#[utoipa::path(post, path = "/v1/negotiations", tag = "node", security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "a repeat gets the first answer")),
    request_body(content = Wanted),
    responses((status = 202, description = "`negotiation`: its id here", body = Object),
        (status = 502, description = "the peer gave no good answer", body = Problem, content_type = "application/problem+json")))]
async fn ask(Held(state): Held<State>, who: Bearer<Act>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    write(&state, who, &headers, "negotiations", body).order(Order::Ask).await
}

/// One negotiation, with the flow that followed and the file once it is whole.
#[utoipa::path(get, path = "/v1/negotiations/{id}", tag = "node", security(("token" = [])), params(("id" = String, Path, description = "its id here")),
    responses((status = 200, description = "the negotiation", body = Object), (status = 404, description = "no such negotiation", body = Problem, content_type = "application/problem+json")))]
async fn negotiation(Held(state): Held<State>, who: Bearer<Read>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    tell(&state, who.principal, Look::Negotiation(id)).await
}

/// Record that all measures of one way through are in place; the flow is decided afresh and goes on if it opens.
#[utoipa::path(post, path = "/v1/flows/{id}/cure", tag = "flows", security(("token" = [])), params(("id" = String, Path, description = "the flow's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "a repeat gets the first answer")),
    request_body(content = Measures),
    responses((status = 200, description = "recorded, and it opens", body = Object),
        (status = 409, description = "no such way, or the law does not open", body = Problem, content_type = "application/problem+json")))]
async fn cure(Held(state): Held<State>, who: Bearer<Act>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let route = format!("flows/{id}/cure");
    write(&state, who, &headers, &route, body).order(|m| Order::Cure(id, m)).await
}

/// The evidence of a flow, an ASiC-E container that anybody can verify.
#[utoipa::path(get, path = "/v1/flows/{id}/container", tag = "flows", security(("token" = [])), params(("id" = String, Path, description = "the flow's id")),
    responses((status = 200, description = "the container", body = Vec<u8>, content_type = "application/vnd.etsi.asic-e+zip"),
        (status = 404, description = "no such flow, or no evidence of it yet", body = Problem, content_type = "application/problem+json")))]
async fn container(Held(state): Held<State>, who: Bearer<Read>, Path(id): Path<String>) -> Result<Response, Problem> {
    let bytes = blocking(&state, move |a| a.container(&who.principal, &id)).await?;
    Ok(([(header::CONTENT_TYPE, "application/vnd.etsi.asic-e+zip")], bytes).into_response())
}

/// The log: how many entries, how far its checkpoint reaches, and the policy by which an outsider checks it.
#[utoipa::path(get, path = "/v1/log", tag = "node", security(("token" = [])), responses((status = 200, description = "`size`, `reach`, `policy`", body = Object)))]
async fn log(Held(state): Held<State>, who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    tell(&state, who.principal, Look::Log).await
}

/// Move the legal clock; in `mode = "demo"` alone.
#[utoipa::path(post, path = "/v1/legal-day", tag = "node", security(("token" = [])), request_body(content = Day),
    responses((status = 200, description = "moved; running flows are decided afresh", body = Object),
        (status = 403, description = "not in production", body = Problem, content_type = "application/problem+json")))]
async fn legal_day(Held(state): Held<State>, who: Bearer<Operate>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    write(&state, who, &headers, "legal-day", body).order(Order::LegalDay).await
}

/// All tokens: id, role, when made and revoked; never a secret.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens", security(("token" = [])), responses((status = 200, description = "tokens", body = Object)))]
async fn tokens(Held(state): Held<State>, _who: Bearer<Manage>) -> Result<Json<Value>, Problem> {
    Ok(Json(blocking(&state, |a| a.tokens()).await?))
}

/// Make a token. Its secret is in this answer and nowhere else, so a repeat is refused and not answered again.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", security(("token" = [])), request_body(content = NewToken),
    responses((status = 201, description = "`id` and `secret`", body = Object),
        (status = 409, description = "the id is taken", body = Problem, content_type = "application/problem+json")))]
async fn token(Held(state): Held<State>, _who: Bearer<Manage>, body: Bytes) -> Result<Response, Problem> {
    let value: Value = serde_json::from_slice(&body).map_err(|e| Problem::of(Kind::BodyNotJson, e.to_string()))?;
    let wanted: NewToken = serde_json::from_value(value).map_err(|e| Problem::of(Kind::ActNotUnderstood, e.to_string()))?;
    let id = wanted.id.clone();
    let secret = blocking(&state, move |a| a.make_token(&wanted)).await?;
    Ok((StatusCode::CREATED, Json(serde_json::json!({ "id": id, "secret": secret }))).into_response())
}

/// Revoke a token; sessions of pages that it opened end with it.
#[utoipa::path(post, path = "/v1/tokens/{id}/revoke", tag = "tokens", security(("token" = [])), params(("id" = String, Path, description = "the token's id")),
    responses((status = 200, description = "revoked", body = Object), (status = 404, description = "no such token", body = Problem, content_type = "application/problem+json")))]
async fn revoke(Held(state): Held<State>, _who: Bearer<Manage>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let name = id.clone();
    blocking(&state, move |a| a.revoke_token(&name)).await?;
    Ok(Json(serde_json::json!({ "id": id })))
}

/// The paths that the description lists.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(offers, offer, peers, know, judgments, judge, give_up, counters, catalog, negotiations, ask, negotiation, cure, container, log, legal_day, tokens, token, revoke),
    components(schemas(Provider, Wanted, Measures, Day, NewToken)),
    tags((name = "node", description = "offers, peers, negotiations; where a node runs"), (name = "tokens", description = "who may come in"))
)]
pub struct Described;
