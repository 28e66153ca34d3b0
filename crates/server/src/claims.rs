//! `/v1` of claims: the credentials that we hold and ask for, what we issue, the keys of our DID, and tokens about
//! ourselves for other programs of this participant.

use crate::people::State;
use crate::people::principal::{Act, Bearer, Manage, Read, Right, Role};
use crate::problem::{Kind, Problem};
use crate::space::{acting, read};
use axum::extract::{Form, Path, State as Held};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router, body::Bytes};
use identity::dcp::Profile;
use identity::dcp::access::scopes;
use node::act::issue::Issuable;
use serde::Deserialize;
use serde_json::{Value, json};

/// The routes; without a node each of them says that there is none.
pub fn routes() -> Router<State> {
    Router::new()
        .route("/v1/claims", get(standing))
        .route("/v1/credentials", get(credentials))
        .route("/v1/credentials/{id}", axum::routing::delete(forget))
        .route("/v1/credential-offers", get(offers))
        .route("/v1/credential-requests", get(requests).post(ask))
        .route("/v1/issuer/credentials", get(issuables))
        .route("/v1/issuer/credentials/{id}", put(set_issuable))
        .route("/v1/issuer/requests", get(issuances))
        .route("/v1/issuer/requests/{id}/{act}", post(decide))
        .route("/v1/issuer/issued", get(issued))
        .route("/v1/issuer/issued/{id}/revoke", post(revoke))
        .route("/v1/issuer/offers", post(offer))
        .route("/v1/did/keys", get(keys).post(rotate))
        .route("/v1/did/keys/{id}", axum::routing::delete(revoke_key))
        .route("/v1/sts/token", post(token))
}

/// How claims stand, all at once: who we are and our keys, what we hold, ask for and issue, our status lists, and which peers
/// were believed or refused since the program started.
#[utoipa::path(get, path = "/v1/claims", tag = "claims", security(("token" = [])),
    responses((status = 200, description = "`did`, `keys`, `held`, `asked`, `askers`, `issued`, `lists`, `believed` (with the credentials that each showed), `refused` (with why)", body = Object)))]
async fn standing(Held(state): Held<State>, _who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!(acting(&state, |node| node.claims_standing()).await?)))
}

/// The credentials that we hold, without their signed form.
#[utoipa::path(get, path = "/v1/credentials", tag = "claims", security(("token" = [])),
    responses((status = 200, description = "each with types, issuer, profile, and until when it holds", body = Object)))]
async fn credentials(Held(state): Held<State>, _who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    let held = acting(&state, |node| node.credentials()).await?;
    let listed: Vec<Value> = held
        .iter()
        .map(|one| {
            json!({ "id": one.id, "types": one.kinds, "issuer": one.issuer, "profile": one.profile,
                "format": one.format, "received_at": one.received_at, "valid_until": one.valid_until })
        })
        .collect();
    Ok(Json(json!({ "credentials": listed })))
}

/// Forgets a credential of ours.
#[utoipa::path(delete, path = "/v1/credentials/{id}", tag = "claims", security(("token" = [])),
    params(("id" = String, Path, description = "its id here")),
    responses((status = 204, description = "forgotten"), (status = 404, description = "no such credential", body = Problem, content_type = "application/problem+json")))]
async fn forget(
    Held(state): Held<State>,
    _who: Bearer<Act>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    acting(&state, move |node| node.forget_credential(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What issuers offer us.
#[utoipa::path(get, path = "/v1/credential-offers", tag = "claims", security(("token" = [])),
    responses((status = 200, description = "the offers as they came", body = Object)))]
async fn offers(Held(state): Held<State>, _who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "offers": acting(&state, |node| node.credential_offers()).await? })))
}

/// What we asked issuers for, and how it stands.
#[utoipa::path(get, path = "/v1/credential-requests", tag = "claims", security(("token" = [])),
    responses((status = 200, description = "the requests", body = Object)))]
async fn requests(Held(state): Held<State>, _who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "requests": acting(&state, |node| node.credential_requests()).await? })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    issuer: String,
    credentials: Vec<String>,
    profile: Option<String>,
}

/// Asks an issuer for credentials; they come by themselves when it has decided.
#[utoipa::path(post, path = "/v1/credential-requests", tag = "claims", security(("token" = [])),
    request_body(content = Object, description = "`issuer` (a DID), `credentials` (types or ids of its metadata), if wanted `profile` (`vc20-bssl/jwt`, `vc11-sl2021/jwt`)"),
    responses((status = 201, description = "the request", body = Object), (status = 404, description = "the issuer offers no such credential", body = Problem, content_type = "application/problem+json")))]
async fn ask(Held(state): Held<State>, _who: Bearer<Act>, body: Bytes) -> Result<Response, Problem> {
    let Wish { issuer, credentials, profile } = read(&body)?;
    let profile = match profile {
        None => None,
        Some(alias) => {
            let known = Profile::from_alias(&alias);
            Some(
                known
                    .ok_or_else(|| Problem::of(Kind::ActNotUnderstood, format!("`{alias}` is no profile")))?,
            )
        }
    };
    let asked = acting(&state, move |node| node.request_credentials(&issuer, &credentials, profile)).await?;
    Ok((StatusCode::CREATED, Json(json!(asked))).into_response())
}

/// What we issue.
#[utoipa::path(get, path = "/v1/issuer/credentials", tag = "claims", security(("token" = [])),
    responses((status = 200, description = "the definitions", body = Object)))]
async fn issuables(Held(state): Held<State>, _who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "credentials": acting(&state, |node| node.issuables()).await? })))
}

/// Sets what is issued under an id.
#[utoipa::path(put, path = "/v1/issuer/credentials/{id}", tag = "claims", security(("token" = [])),
    params(("id" = String, Path, description = "by which holders ask for it")),
    request_body(content = Object, description = "`kind` (the type), `profile`, if wanted `format`, `schema`, `claims`, `holders` (DIDs that get it without a person, or `*`), `lives_s`"),
    responses((status = 200, description = "the definition", body = Object), (status = 422, description = "not understood", body = Problem, content_type = "application/problem+json")))]
async fn set_issuable(
    Held(state): Held<State>,
    _who: Bearer<Act>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let issuable: Issuable = read(&body)?;
    Ok(Json(json!(acting(&state, move |node| node.set_issuable(&id, issuable)).await?)))
}

/// Requests for credentials to us.
#[utoipa::path(get, path = "/v1/issuer/requests", tag = "claims", security(("token" = [])),
    responses((status = 200, description = "each with its holder, state, and trouble in delivery", body = Object)))]
async fn issuances(Held(state): Held<State>, _who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    let all = acting(&state, |node| node.issuances()).await?;
    let listed: Vec<Value> = all
        .iter()
        .map(|one| {
            json!({ "id": one.id, "holder": one.holder, "credentials": one.credentials, "state": one.state,
                "decided": one.message.is_some(), "tries": one.tries, "trouble": one.trouble })
        })
        .collect();
    Ok(Json(json!({ "requests": listed })))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: Option<String>,
}

/// Decides a request that waits for a person: `approve` or `reject`.
#[utoipa::path(post, path = "/v1/issuer/requests/{id}/{act}", tag = "claims", security(("token" = [])),
    params(("id" = String, Path, description = "our id of the request"), ("act" = String, Path, description = "`approve` or `reject`")),
    request_body(content = Object, description = "`reason` of a rejection, which the holder reads"),
    responses((status = 204, description = "decided; delivery follows"), (status = 404, description = "no such request", body = Problem, content_type = "application/problem+json")))]
async fn decide(
    Held(state): Held<State>,
    _who: Bearer<Act>,
    Path((id, act)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let Why { reason } = read(&body)?;
    let reject = match act.as_str() {
        "approve" => None,
        "reject" => Some(reason),
        other => return Err(Problem::of(Kind::NotFound, format!("no act `{other}`"))),
    };
    acting(&state, move |node| node.decide_issuance(&id, reject)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What we issued.
#[utoipa::path(get, path = "/v1/issuer/issued", tag = "claims", security(("token" = [])),
    responses((status = 200, description = "each with its holder and whether it was revoked", body = Object)))]
async fn issued(Held(state): Held<State>, _who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "issued": acting(&state, |node| node.issued()).await? })))
}

/// Revokes a credential that we issued.
#[utoipa::path(post, path = "/v1/issuer/issued/{id}/revoke", tag = "claims", security(("token" = [])),
    params(("id" = String, Path, description = "the credential's id")),
    responses((status = 200, description = "as it stands now", body = Object), (status = 404, description = "no such credential", body = Problem, content_type = "application/problem+json")))]
async fn revoke(
    Held(state): Held<State>,
    _who: Bearer<Act>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(json!(acting(&state, move |node| node.revoke_issued(&id)).await?)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Offered {
    holder: String,
    credentials: Vec<String>,
    reason: Option<String>,
}

/// Offers credentials to a holder.
#[utoipa::path(post, path = "/v1/issuer/offers", tag = "claims", security(("token" = [])),
    request_body(content = Object, description = "`holder` (a DID), `credentials` (ids of what we issue), if wanted `reason` (`reissue`, `proof-key-revocation`)"),
    responses((status = 204, description = "the holder has heard it"), (status = 502, description = "the holder fails", body = Problem, content_type = "application/problem+json")))]
async fn offer(Held(state): Held<State>, _who: Bearer<Act>, body: Bytes) -> Result<StatusCode, Problem> {
    let Offered { holder, credentials, reason } = read(&body)?;
    let reason = reason.unwrap_or_else(|| "issue".into());
    acting(&state, move |node| node.offer_credentials(&holder, &credentials, &reason)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The keys of our DID; the last one signs.
#[utoipa::path(get, path = "/v1/did/keys", tag = "claims", security(("token" = [])),
    responses((status = 200, description = "each with its id, and until when it stays in the document", body = Object)))]
async fn keys(Held(state): Held<State>, _who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "keys": acting(&state, |node| Ok(node.did_keys())).await? })))
}

/// Makes a new key for our DID; the one before verifies what it signed.
#[utoipa::path(post, path = "/v1/did/keys", tag = "claims", security(("token" = [])),
    responses((status = 201, description = "the id of the new key", body = Object)))]
async fn rotate(Held(state): Held<State>, _who: Bearer<Manage>) -> Result<Response, Problem> {
    let id = acting(&state, |node| node.rotate_key()).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))).into_response())
}

/// Revokes a key that signs no more: all that it signed is no longer good.
#[utoipa::path(delete, path = "/v1/did/keys/{id}", tag = "claims", security(("token" = [])),
    params(("id" = String, Path, description = "the key's id")),
    responses((status = 204, description = "it is out of the document"), (status = 404, description = "no such key, or it signs: rotate first", body = Problem, content_type = "application/problem+json")))]
async fn revoke_key(
    Held(state): Held<State>,
    _who: Bearer<Manage>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    acting(&state, move |node| node.revoke_key(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Grant {
    grant_type: String,
    client_id: String,
    client_secret: String,
    audience: String,
    bearer_access_scope: Option<String>,
}

/// RFC 6749 section 5.2: an error of the token endpoint.
fn oauth(status: StatusCode, error: &str, says: &str) -> Response {
    (status, Json(json!({ "error": error, "error_description": says }))).into_response()
}

/// A self-issued token for a program of this participant (OAuth 2 client credentials: `client_id` is the participant's DID,
/// `client_secret` a token of this door that may act).
#[utoipa::path(post, path = "/v1/sts/token", tag = "claims",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded", description = "`grant_type` = `client_credentials`, `client_id`, `client_secret`, `audience` (a DID), if wanted `bearer_access_scope`"),
    responses((status = 200, description = "`access_token`: the self-issued token", body = Object), (status = 401, description = "not a good client", body = Object)))]
async fn token(Held(state): Held<State>, Form(grant): Form<Grant>) -> Response {
    let who = state.admit(&grant.client_secret);
    let may = |role: Role| Act::allows(role);
    let Some(node) = state.node() else {
        return Problem::of(Kind::NoNode, "start with `--config`").into_response();
    };
    if grant.grant_type != "client_credentials" {
        return oauth(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "`client_credentials` alone is offered",
        );
    }
    if grant.client_id != node.id() || !who.is_some_and(|who| may(who.role)) {
        return oauth(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "the secret is none that may act for this participant",
        );
    }
    let Some(scopes) = scopes(grant.bearer_access_scope.as_deref().unwrap_or_default()) else {
        return oauth(StatusCode::BAD_REQUEST, "invalid_scope", "a scope is not understood");
    };
    let made = acting(&state, move |node| node.self_issued(&grant.audience, &scopes)).await;
    match made {
        Ok(token) => {
            let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 300 });
            ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// For the description of `/v1`.
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    standing, credentials, forget, offers, requests, ask, issuables, set_issuable, issuances, decide, issued, revoke, offer, keys,
    rotate, revoke_key, token
), tags((name = "claims", description = "credentials, by the Decentralized Claims Protocol")))]
pub struct Described;
