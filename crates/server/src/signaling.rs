//! `/v1/signaling`: Data Plane Signaling of both sides, for planes of others; and what an operator sees and does of it.
//!
//! A plane of others has a token of the role `plane`, whose id is its id here: it registers under no other, hears and tells
//! of no flow but its own. `/v1/signaling` is the base address of both sides.

use crate::people::State;
use crate::people::principal::{Act, Bearer, Read, Role, Signals};
use crate::problem::{Kind, Problem};
use crate::space::{acting, read};
use axum::extract::{Path, State as Held};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router, body::Bytes};
use dsp::json::Malformed;
use dsp::signaling::Signal;
use dsp::signaling::flow::Told;
use dsp::signaling::message::{ControlRegistration, PlaneRegistration, Status};
use node::act::dataflow::by_hand::DataflowAct;
use serde::Deserialize;
use serde_json::{Value, json};

/// The routes; without a node each of them says that there is none.
pub fn routes() -> Router<State> {
    Router::new()
        .route("/v1/planes", get(planes))
        .route("/v1/transfers/{id}/plane", get(plane))
        .route("/v1/dataflows", get(dataflows))
        .route("/v1/dataflows/{id}", get(dataflow))
        .route("/v1/dataflows/{id}/{act}", post(act_in_dataflow))
        .route("/v1/signaling/dataplanes", put(register_data_plane))
        .route("/v1/signaling/dataplanes/{id}", delete(forget_data_plane))
        .route("/v1/signaling/controlplanes", put(register_control_plane))
        .route("/v1/signaling/controlplanes/{id}", delete(forget_control_plane))
        .route("/v1/signaling/dataflows/prepare", post(prepare))
        .route("/v1/signaling/dataflows/start", post(start))
        .route("/v1/signaling/dataflows/{id}/{signal}", post(signal))
        .route("/v1/signaling/dataflows/{id}/status", get(status))
        .route("/v1/signaling/transfers/{id}/dataflow/{told}", post(told_by_plane))
        .route("/v1/signaling/transfers/{id}/agreement", get(agreement))
}

/// The planes of others that are registered.
#[utoipa::path(get, path = "/v1/planes", tag = "signaling", security(("token" = [])),
    responses((status = 200, description = "data planes and control planes", body = Object)))]
async fn planes(Held(state): Held<State>, _who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    acting(&state, |node| Ok(json!({ "planes": node.planes()? }))).await.map(Json)
}

/// How the data plane of others stands with a transfer of ours, also before the transfer was asked for.
#[utoipa::path(get, path = "/v1/transfers/{id}/plane", tag = "signaling", security(("token" = [])),
    params(("id" = String, Path, description = "our id of the transfer")),
    responses((status = 200, description = "its state, what went wrong, what holds up a signal", body = Object), (status = 404, description = "no such transfer", body = Problem, content_type = "application/problem+json")))]
async fn plane(
    Held(state): Held<State>,
    _who: Bearer<Read>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    acting(&state, move |node| Ok(json!(node.plane_standing(&id)?))).await.map(Json)
}

/// The data flows that we carry for control planes of others.
#[utoipa::path(get, path = "/v1/dataflows", tag = "signaling", security(("token" = [])),
    responses((status = 200, description = "each with its state and what went wrong", body = Object)))]
async fn dataflows(Held(state): Held<State>, _who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    acting(&state, |node| Ok(json!({ "dataflows": node.dataflows()? }))).await.map(Json)
}

/// One data flow that we carry for a control plane of others.
#[utoipa::path(get, path = "/v1/dataflows/{id}", tag = "signaling", security(("token" = [])),
    params(("id" = String, Path, description = "our id")),
    responses((status = 200, description = "how it stands", body = Object), (status = 404, description = "no such data flow", body = Problem, content_type = "application/problem+json")))]
async fn dataflow(
    Held(state): Held<State>,
    _who: Bearer<Read>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    acting(&state, move |node| Ok(json!(node.dataflow(&id)?))).await.map(Json)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    #[serde(default)]
    reason: String,
}

/// Does for a data flow what a person says: `ready` (it was waiting), `complete` (the data went another way), `fail`.
#[utoipa::path(post, path = "/v1/dataflows/{id}/{act}", tag = "signaling", security(("token" = [])),
    params(("id" = String, Path, description = "our id"), ("act" = String, Path, description = "`ready`, `complete` or `fail`; its control plane hears of each")),
    request_body(content = Object, description = "`reason` of a failure"),
    responses((status = 200, description = "how it stands now", body = Object),
        (status = 409, description = "its state has no such move, or law or contract refuse", body = Problem, content_type = "application/problem+json")))]
async fn act_in_dataflow(
    Held(state): Held<State>,
    _who: Bearer<Act>,
    Path((id, act)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let why: Why = read(&body)?;
    let act = match act.as_str() {
        "ready" => DataflowAct::Ready,
        "complete" => DataflowAct::Complete,
        "fail" => DataflowAct::Fail(why.reason),
        other => return Err(Problem::of(Kind::NotFound, format!("no act `{other}`"))),
    };
    acting(&state, move |node| Ok(json!(node.act_in_dataflow(&id, &act)?))).await.map(Json)
}

fn unread(e: &Malformed) -> Problem {
    Problem::of(Kind::ActNotUnderstood, format!("{}: {e}", e.code()))
}

/// A plane of others speaks for itself alone; the participant may speak for each.
fn own(who: &Bearer<Signals>, id: &str) -> Result<(), Problem> {
    match who.principal.role == Role::Plane && who.principal.token != id {
        true => Err(Problem::of(Kind::ActRefused, "a plane registers under the id of its token")),
        false => Ok(()),
    }
}

/// The plane that asks; none: the participant itself.
fn plane_of(who: &Bearer<Signals>) -> Option<String> {
    (who.principal.role == Role::Plane).then(|| who.principal.token.clone())
}

/// Data Plane Signaling, to our control plane: registers a data plane, or replaces what is known of it.
#[utoipa::path(put, path = "/v1/signaling/dataplanes", tag = "signaling", security(("token" = [])),
    request_body(content = Object, description = "DataPlaneRegistrationMessage"),
    responses((status = 200, description = "registered"), (status = 422, description = "not understood", body = Problem, content_type = "application/problem+json")))]
async fn register_data_plane(
    Held(state): Held<State>,
    who: Bearer<Signals>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let plane = PlaneRegistration::read(&body).map_err(|e| unread(&e))?;
    own(&who, &plane.dataplane_id)?;
    acting(&state, move |node| node.register_data_plane(plane)).await?;
    Ok(Json(json!({})))
}

/// Data Plane Signaling, to our control plane: forgets a data plane.
#[utoipa::path(delete, path = "/v1/signaling/dataplanes/{id}", tag = "signaling", security(("token" = [])),
    params(("id" = String, Path, description = "the data plane's id")),
    responses((status = 204, description = "forgotten"), (status = 404, description = "no such plane", body = Problem, content_type = "application/problem+json")))]
async fn forget_data_plane(
    Held(state): Held<State>,
    who: Bearer<Signals>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    own(&who, &id)?;
    acting(&state, move |node| node.forget_plane("data", &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Data Plane Signaling, to our data plane: registers a control plane, or replaces what is known of it.
#[utoipa::path(put, path = "/v1/signaling/controlplanes", tag = "signaling", security(("token" = [])),
    request_body(content = Object, description = "ControlPlaneRegistrationMessage"),
    responses((status = 200, description = "registered"), (status = 422, description = "not understood", body = Problem, content_type = "application/problem+json")))]
async fn register_control_plane(
    Held(state): Held<State>,
    who: Bearer<Signals>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let plane = ControlRegistration::read(&body).map_err(|e| unread(&e))?;
    own(&who, &plane.controlplane_id)?;
    acting(&state, move |node| node.register_control_plane(plane)).await?;
    Ok(Json(json!({})))
}

/// Data Plane Signaling, to our data plane: forgets a control plane.
#[utoipa::path(delete, path = "/v1/signaling/controlplanes/{id}", tag = "signaling", security(("token" = [])),
    params(("id" = String, Path, description = "the control plane's id")),
    responses((status = 204, description = "forgotten"), (status = 404, description = "no such plane", body = Problem, content_type = "application/problem+json")))]
async fn forget_control_plane(
    Held(state): Held<State>,
    who: Bearer<Signals>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    own(&who, &id)?;
    acting(&state, move |node| node.forget_plane("control", &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// 200 when it is done, 202 with the place of its status when it is being made ready.
fn begun(status: &Status) -> Response {
    if !status.state.is_coming() {
        return Json(json!(status)).into_response();
    }
    let place = format!("/dataflows/{}/status", dsp::paths::segment(&status.data_flow_id));
    (StatusCode::ACCEPTED, [(header::LOCATION, place)], Json(json!(status))).into_response()
}

/// Data Plane Signaling, to our data plane: prepares a flow to us.
#[utoipa::path(post, path = "/v1/signaling/dataflows/prepare", tag = "signaling", security(("token" = [])),
    request_body(content = Object, description = "DataFlowPrepareMessage"),
    responses((status = 200, description = "prepared; for push with the address to push to", body = Object), (status = 202, description = "being prepared", body = Object),
        (status = 422, description = "not understood", body = Problem, content_type = "application/problem+json")))]
async fn prepare(Held(state): Held<State>, who: Bearer<Signals>, body: Bytes) -> Result<Response, Problem> {
    let owner = who.principal.token.clone();
    acting(&state, move |node| node.prepare_dataflow(&owner, &body)).await.map(|s| begun(&s))
}

/// Data Plane Signaling, to our data plane: starts a flow from us. Agreement and law are asked first.
#[utoipa::path(post, path = "/v1/signaling/dataflows/start", tag = "signaling", security(("token" = [])),
    request_body(content = Object, description = "DataFlowStartMessage"),
    responses((status = 200, description = "started; for pull with the address to pull from", body = Object), (status = 202, description = "being started", body = Object),
        (status = 409, description = "law or contract refuse, with rule and article", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "not understood", body = Problem, content_type = "application/problem+json")))]
async fn start(Held(state): Held<State>, who: Bearer<Signals>, body: Bytes) -> Result<Response, Problem> {
    let owner = who.principal.token.clone();
    acting(&state, move |node| node.start_dataflow(&owner, &body)).await.map(|s| begun(&s))
}

/// Data Plane Signaling, to our data plane: `started`, `suspend`, `resume`, `completed`, `terminate`.
#[utoipa::path(post, path = "/v1/signaling/dataflows/{id}/{signal}", tag = "signaling", security(("token" = [])),
    params(("id" = String, Path, description = "the data flow's id"), ("signal" = String, Path, description = "what to do")),
    request_body(content = Object, description = "the message of the signal"),
    responses((status = 200, description = "how it stands now", body = Object), (status = 404, description = "no such data flow of this control plane", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "its state has no such move, or law or contract refuse", body = Problem, content_type = "application/problem+json")))]
async fn signal(
    Held(state): Held<State>,
    who: Bearer<Signals>,
    Path((id, signal)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let all = [Signal::Started, Signal::Suspend, Signal::Resume, Signal::Completed, Signal::Terminate];
    let named = all.into_iter().find(|s| s.path().rsplit('/').next() == Some(signal.as_str()));
    let signal = named.ok_or_else(|| Problem::of(Kind::NotFound, format!("no signal `{signal}`")))?;
    let owner = who.principal.token.clone();
    let status = acting(&state, move |node| node.signal_dataflow(&owner, &id, signal, &body)).await?;
    Ok(Json(json!(status)))
}

/// Data Plane Signaling, to our data plane: how a flow stands.
#[utoipa::path(get, path = "/v1/signaling/dataflows/{id}/status", tag = "signaling", security(("token" = [])),
    params(("id" = String, Path, description = "the data flow's id")),
    responses((status = 200, description = "DataFlowStatusResponseMessage", body = Object), (status = 404, description = "no such data flow of this control plane", body = Problem, content_type = "application/problem+json")))]
async fn status(
    Held(state): Held<State>,
    who: Bearer<Signals>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let owner = who.principal.token.clone();
    let status = acting(&state, move |node| node.dataflow_status(&owner, &id)).await?;
    Ok(Json(json!({ "dataFlowId": status.data_flow_id, "state": status.state })))
}

/// Data Plane Signaling, to our control plane: a data plane tells that a flow is `prepared`, `started`, `completed`, `errored`.
#[utoipa::path(post, path = "/v1/signaling/transfers/{id}/dataflow/{told}", tag = "signaling", security(("token" = [])),
    params(("id" = String, Path, description = "our id of the transfer"), ("told" = String, Path, description = "what happened")),
    request_body(content = Object, description = "DataFlowStatusMessage"),
    responses((status = 200, description = "heard"), (status = 404, description = "no such transfer of this data plane", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "that cannot be now", body = Problem, content_type = "application/problem+json")))]
async fn told_by_plane(
    Held(state): Held<State>,
    who: Bearer<Signals>,
    Path((id, told)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let told = Told::of(&told).ok_or_else(|| Problem::of(Kind::NotFound, format!("nothing is `{told}`")))?;
    let plane = plane_of(&who);
    acting(&state, move |node| node.hear_of_flow(plane.as_deref(), &id, told, &body)).await?;
    Ok(Json(json!({})))
}

/// Data Plane Signaling, to our control plane: the agreement under which a transfer runs.
#[utoipa::path(get, path = "/v1/signaling/transfers/{id}/agreement", tag = "signaling", security(("token" = [])),
    params(("id" = String, Path, description = "our id of the transfer")),
    responses((status = 200, description = "AgreementResponse", body = Object), (status = 404, description = "no such transfer of this data plane", body = Problem, content_type = "application/problem+json")))]
async fn agreement(
    Held(state): Held<State>,
    who: Bearer<Signals>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let plane = plane_of(&who);
    acting(&state, move |node| node.agreement_for_plane(plane.as_deref(), &id)).await.map(Json)
}

/// What is described of these routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(
        planes, plane, dataflows, dataflow, act_in_dataflow, register_data_plane, forget_data_plane, register_control_plane,
        forget_control_plane, prepare, start, signal, status, told_by_plane, agreement
    ),
    tags((name = "signaling", description = "data plane signaling, both sides"))
)]
pub struct Described;
