//! `/v1` of duties after delivery: what is owed, by whom, until when, what was done, and what is overdue.

use crate::people::State;
use crate::people::principal::{Act, Bearer, Read};
use crate::problem::Problem;
use crate::space::{acting, read};
use axum::extract::{Path, State as Held};
use axum::routing::{get, post};
use axum::{Json, Router, body::Bytes};
use model::Instant;
use node::act::duty::Duty;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// The routes; without a node each of them says that there is none.
pub fn routes() -> Router<State> {
    Router::new().route("/v1/duties", get(duties)).route("/v1/duties/{id}/attest", post(attest))
}

/// What a person says of a duty.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attested {
    /// What was done, in one to two thousand characters. The provider gets it.
    pub says: String,
}

/// A duty as programs see it.
pub fn told(duty: &Duty, now: Instant) -> Value {
    let mut value = json!(duty);
    if let Some(map) = value.as_object_mut() {
        for inner in ["tells", "again_at", "noted"] {
            map.remove(inner);
        }
        map.insert("overdue".into(), duty.is_overdue(now).into());
        map.insert("needs_person".into(), duty.needs_person().into());
    }
    value
}

/// What we owe and what is owed to us after deliveries; overdue ones first.
#[utoipa::path(get, path = "/v1/duties", tag = "space", security(("token" = [])), responses((status = 200, description = "duties", body = Object)))]
async fn duties(Held(state): Held<State>, _who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    acting(&state, |node| {
        let now = node.now();
        Ok(Json(json!({ "duties": node.duties()?.iter().map(|d| told(d, now)).collect::<Vec<_>>() })))
    })
    .await
}

/// Says that a duty of ours was done. It binds: it is written into the log, and the provider is told.
#[utoipa::path(post, path = "/v1/duties/{id}/attest", tag = "space", security(("token" = [])), params(("id" = String, Path, description = "the duty's id")),
    request_body(content = Attested),
    responses((status = 200, description = "the duty", body = Object),
        (status = 400, description = "not ours, done already, or nothing was said", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no such duty", body = Problem, content_type = "application/problem+json")))]
async fn attest(Held(state): Held<State>, _who: Bearer<Act>, Path(id): Path<String>, body: Bytes) -> Result<Json<Value>, Problem> {
    let said: Attested = read(&body)?;
    acting(&state, move |node| Ok(Json(told(&node.attest_duty(&id, &said.says)?, node.now())))).await
}

/// The paths that the description lists.
#[derive(utoipa::OpenApi)]
#[openapi(paths(duties, attest), components(schemas(Attested)))]
pub struct Described;
