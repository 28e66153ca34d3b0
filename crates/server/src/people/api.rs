//! `/v1`: the doors for programs. Law is public; everything else needs a token.

use super::{
    State,
    asked::{self, Pairs, days, too_many, transfer},
    flows::FlowView,
    law::{self, Standing},
    openapi,
    page::{flow, matrix, register, tagged},
    principal::{Ask, Bearer, Read},
};
use crate::problem::{Kind, Problem};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State as Held},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use decide::engine::Engine;
use model::{AsOf, CivilDate, fact::Said, transfer::Transfer};
use node::{act::judgment::Judgment, determination::Weighed, question::document};
use rulebook::book::Rulebook;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// LIMIT: transfers in one question with full answers; verdicts alone are cheaper.
const CHECKS_MAX: usize = 200;
const VERDICTS_MAX: usize = 10_000;

/// The routes below `/v1` and those beside it.
pub fn routes() -> Router<State> {
    Router::new()
        .route("/v1/checks", post(checks))
        .route("/v1/matrix", post(matrix))
        .route("/v1/register", post(register))
        .route("/v1/bench", get(super::bench::get))
        .route("/v1/bench/tables", post(super::bench::put))
        .route("/v1/bench/answers", post(super::bench::ask))
        .route("/v1/bench/report", get(super::bench::report))
        .route("/v1/bench/release", get(super::bench::release))
        .route("/v1/rules", get(rules))
        .route("/v1/rules/{id}", get(rule))
        .route("/v1/changes", get(changes))
        .route("/v1/layers", get(layers))
        .route("/v1/hygiene", get(hygiene))
        .route("/v1/vocabulary", get(vocabulary))
        .route("/v1/schema/transfer", get(schema))
        .route("/v1/flows", get(flows))
        .route("/v1/flows/{id}", get(one_flow))
        .route("/v1/flows/{id}/evidence", get(evidence))
        .route("/openapi.json", get(description))
        .route("/healthz", get(health))
        .route("/version", get(version))
}

/// A question: one transfer, or many; each in the long form or as flat facts of one hop.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Checks {
    /// One transfer.
    #[schema(value_type = Option<Object>)]
    transfer: Option<Value>,
    /// Many transfers, answered in this order.
    #[schema(value_type = Option<Vec<Object>>)]
    transfers: Option<Vec<Value>>,
    /// The civil day whose law is asked for; today when absent.
    as_of: Option<String>,
    /// Only texts public by this day; that day itself when absent.
    published_by: Option<String>,
    /// `full` (default) or `verdict`.
    detail: Option<String>,
    /// Judgments that were concluded (`tegata determine`): `record`, and `seal` in base64; each counts for the facts and days that it was made on.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    determinations: Vec<Judgment>,
}

/// Whether may these transfers go, by which article, and what is the cheapest way.
#[utoipa::path(post, path = "/v1/checks", tag = "checks", security(("token" = [])),
    request_body(content = Checks, description = "an envelope as described; or a bare transfer, or a list of them, with `as_of` and `published_by` as parameters; with `observe=true` questions of `counterparty` and either `dataset` (offered here) or `transfer`"),
    params(("observe" = Option<bool>, Query, description = "for a policy engine of others: nothing is blocked, the answer is always 200 and says what would have been done (`would`, `because`, `missing`), and it is counted: `/v1/checks/observed`"),
        ("Idempotency-Key" = Option<String>, Header, description = "with `observe=true`: a repeat gets the first answer and is counted once"),
        ("as_of" = Option<String>, Query, description = "civil day, for a bare body"), ("published_by" = Option<String>, Query, description = "civil day, for a bare body")),
    responses((status = 200, description = "a decision document (`tegata.decision.1`), or `decisions` in the order asked", body = Object),
        (status = 422, description = "not understood, with every finding", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "no good token", body = Problem, content_type = "application/problem+json")))]
async fn checks(Held(state): Held<State>, who: Bearer<Ask>, Query(pairs): Query<Pairs>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    if crate::observed::is_asked(&pairs) {
        return Ok(crate::observed::observe(&state, who.principal, &headers, &body).await?.into_response());
    }
    let (question, many) = question(parse(&body)?, &pairs)?;
    let transfers = question.transfers.unwrap_or_default();
    let brief = question.detail.as_deref() == Some("verdict");
    let most = if brief { VERDICTS_MAX } else { CHECKS_MAX };
    if transfers.len() > most {
        return Err(Problem::of(Kind::TooMany, format!("at most {most} transfers in one question")));
    }
    let today = state.day();
    let as_of = day_of(question.as_of.as_deref(), question.published_by.as_deref(), today)?;
    let now = (question.published_by.is_none() && as_of.on < today).then_some(today);
    let anchors = state.node().map(|node| node.anchors().to_vec()).unwrap_or_default();
    let given = question.determinations.into_iter().map(|j| j.verified(&anchors, super::wall_now()));
    let given = given.collect::<Result<Vec<_>, _>>().map_err(|line| Problem::of(Kind::ActNotUnderstood, line))?;
    let held = asked::held(&state);
    let answers = state
        .think(move |engine| {
            let one = |engine: &mut Engine, value| {
                let mut t = transfer(value)?;
                let judged = asked::judged(engine, &mut t, given.clone(), &held, as_of)?;
                answer(engine, &t, &judged, as_of, now, brief)
            };
            transfers.into_iter().map(|v| one(engine, v)).collect::<Vec<_>>()
        })
        .await?;
    if many {
        let answers: Vec<Value> = answers.into_iter().map(|a| a.unwrap_or_else(|p| json!({ "problem": p }))).collect();
        return Ok(Json(json!({ "decisions": answers })).into_response());
    }
    let first = answers.into_iter().next();
    Ok(Json(first.unwrap_or_else(|| Err(Problem::of(Kind::TransferNotUnderstood, "no transfer")))?).into_response())
}

fn answer(engine: &mut Engine, t: &Transfer, judged: &[Weighed], as_of: AsOf, now: Option<CivilDate>, brief: bool) -> Result<Value, Problem> {
    if brief {
        let bound = engine.book.bind(t).map_err(|f| Problem::findings(&f))?;
        let verdict = engine.verdict(&bound, as_of).map_err(too_many)?;
        return Ok(json!({ "schema": "tegata.verdict.1", "id": t.id, "verdict": verdict, "as_of": as_of, "rulebook": engine.book.digest() }));
    }
    let (decision, now) = asked::decide(engine, t, as_of, now)?;
    let mut value = document(&decision, now.as_ref(), super::wall_day());
    if let (Some(map), Some(id)) = (value.as_object_mut(), &t.id) {
        map.insert("id".into(), id.clone().into());
    }
    let (bound, mut more) = (engine.book.bind(t).map_err(|f| Problem::findings(&f))?, Map::new());
    let ahead = engine.ahead(&bound, as_of).map_err(too_many)?;
    if !judged.is_empty() {
        more.insert("determinations".into(), judged.iter().map(Weighed::document).collect());
    }
    if !ahead.is_empty() {
        more.insert("thresholds".into(), json!(ahead));
    }
    if let Some(map) = value.as_object_mut() {
        map.extend(more);
    }
    Ok(value)
}

fn parse(body: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(body).map_err(|e| Problem::of(Kind::BodyNotJson, e.to_string()))
}

/// The envelope, or a bare transfer or list put into one; and whether many were asked for.
fn question(body: Value, pairs: &Pairs) -> Result<(Checks, bool), Problem> {
    let find = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let bare = |transfers: Vec<Value>| Checks {
        transfer: None,
        transfers: Some(transfers),
        as_of: find("as_of"),
        published_by: find("published_by"),
        detail: find("detail"),
        determinations: Vec::new(),
    };
    match body {
        Value::Array(all) => Ok((bare(all), true)),
        Value::Object(map) if map.contains_key("transfer") || map.contains_key("transfers") => {
            let mut q: Checks = serde_json::from_value(Value::Object(map))
                .map_err(|e| Problem::of(Kind::TransferNotUnderstood, e.to_string()))?;
            let many = q.transfers.is_some();
            q.transfers.get_or_insert_default().splice(0..0, q.transfer.take());
            Ok((q, many))
        }
        one => Ok((bare(vec![one]), false)),
    }
}

fn day_of(on: Option<&str>, published_by: Option<&str>, today: CivilDate) -> Result<AsOf, Problem> {
    let pair = |name: &str, v: Option<&str>| v.map(|v| (name.to_string(), v.to_string()));
    let pairs: Vec<_> = [pair("as_of", on), pair("published_by", published_by)].into_iter().flatten().collect();
    days(&pairs, today)
}

/// One origin to every destination: facts as in a check, without `recipient.place`.
#[utoipa::path(post, path = "/v1/matrix", tag = "checks", security(("token" = [])),
    request_body(content = Object, description = "`{\"transfer\": flat facts, \"as_of\": day}` or bare flat facts"),
    responses((status = 200, description = "a verdict for each place of the vocabulary", body = Object)))]
async fn matrix(Held(state): Held<State>, _who: Bearer<Ask>, Query(pairs): Query<Pairs>, body: Bytes) -> Result<Json<Value>, Problem> {
    let (question, _) = question(parse(&body)?, &pairs)?;
    let as_of = day_of(question.as_of.as_deref(), question.published_by.as_deref(), state.day())?;
    let value = question.transfers.unwrap_or_default().into_iter().next().unwrap_or_default();
    let flat = flat_facts(value)?;
    let rulebook = state.book.digest();
    let all = state.think(move |engine| matrix::verdicts(engine, &flat, as_of)).await??;
    let answers: Vec<Value> = all.into_iter().map(|(place, verdict)| json!({ "to": place, "verdict": verdict })).collect();
    Ok(Json(json!({ "schema": "tegata.matrix.1", "as_of": as_of, "rulebook": rulebook, "answers": answers })))
}

/// The flat facts of a transfer of one hop.
fn flat_facts(value: Value) -> Result<Vec<(String, Said)>, Problem> {
    let t = transfer(value)?;
    let Some(hop) = t.hops.first().filter(|_| t.hops.len() == 1) else {
        return Err(Problem::of(Kind::TransferNotUnderstood, "a matrix takes a transfer of one hop"));
    };
    let mut out: Vec<(String, Said)> = hop.facts.clone().into_iter().collect();
    for (role, name) in [("exporter", &hop.from), ("recipient", &hop.to)] {
        let facts = t.parties.get(name).map(|p| p.facts.clone()).unwrap_or_default();
        out.extend(facts.into_iter().map(|(id, v)| (format!("{role}.{}", id.trim_start_matches("party.")), v)));
    }
    for dataset in t.datasets.into_values() {
        out.extend(dataset.facts);
        out.extend(dataset.subjects.into_values().flatten());
    }
    Ok(out)
}

/// The list of transfers that a firm keeps, as CSV: an answer for each row.
#[utoipa::path(post, path = "/v1/register", tag = "checks", security(("token" = [])),
    request_body(content = String, content_type = "text/csv", description = "a first line with names of columns, in English or Japanese; UTF-8"),
    params(("as_of" = Option<String>, Query, description = "civil day")),
    responses((status = 200, description = "columns as understood, and a decision for each row", body = Object)))]
async fn register(Held(state): Held<State>, _who: Bearer<Ask>, Query(pairs): Query<Pairs>, body: Bytes) -> Result<Json<Value>, Problem> {
    let text = String::from_utf8(body.to_vec()).map_err(|_| Problem::of(Kind::ListNotRead, "the list is not UTF-8"))?;
    let as_of = days(&pairs, state.day())?;
    let answered = state.think(move |engine| register::answer(engine, &text, as_of)).await??;
    let rows: Vec<Value> = answered
        .rows
        .into_iter()
        .map(|(row, decision)| {
            let answer = decision.map_or_else(|p| json!({ "problem": p }), |d| json!({ "decision": document(&d, None, super::wall_day()) }));
            let mut value = json!({ "line": row.line, "id": row.id, "not_understood": row.not_understood });
            if let (Some(map), Value::Object(more)) = (value.as_object_mut(), answer) {
                map.extend(more);
            }
            value
        })
        .collect();
    Ok(Json(json!({ "schema": "tegata.register.1", "as_of": as_of, "columns": answered.columns, "rows": rows })))
}

/// A JSON answer about the rulebook, tagged with its digest and the day.
fn law_answer(headers: &HeaderMap, book: &Rulebook, as_of: Option<AsOf>, value: impl FnOnce() -> Value) -> Response {
    let day = as_of.map(|a| format!("-{}-{}", a.on, a.published_by)).unwrap_or_default();
    tagged(headers, &format!("{}{day}", book.digest()), || Json(value()).into_response())
}

/// Every rule with its article, days and review; `layer` narrows, `in_force=true` keeps those that count.
#[utoipa::path(get, path = "/v1/rules", tag = "law",
    params(("as_of" = Option<String>, Query, description = "civil day"), ("layer" = Option<String>, Query, description = "a layer's id"),
        ("in_force" = Option<bool>, Query, description = "only rules in force on that day")),
    responses((status = 200, description = "rules in the order of their files", body = Object)))]
async fn rules(Held(state): Held<State>, Query(pairs): Query<Pairs>, headers: HeaderMap) -> Result<Response, Problem> {
    let as_of = days(&pairs, state.day())?;
    let find = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let (layer, in_force) = (find("layer"), find("in_force") == Some("true"));
    let book = &state.book;
    let tag = format!("{}-{}-{}-{}", book.digest(), as_of.on, layer.unwrap_or_default().replace(|c: char| !c.is_ascii_graphic() || c == '"', ""), in_force);
    Ok(tagged(&headers, &tag, || {
        let kept = law::rules(book).into_iter().filter(|r| layer.is_none_or(|l| r.layer == Some(l)));
        let rows: Vec<Value> = kept
            .map(|r| (Standing::of(r.head, as_of), r))
            .filter(|(s, _)| !in_force || *s == Standing::InForce)
            .map(|(s, r)| json!({ "id": r.head.id, "kind": r.kind, "layer": r.layer, "standing": s, "says": r.head.says, "citation": r.head.citation(as_of.on) }))
            .collect();
        Json(json!({ "as_of": as_of, "rulebook": book.digest(), "rules": rows })).into_response()
    }))
}

/// One rule: prose, citation, days, versions beside it, and its block as the program reads it.
#[utoipa::path(get, path = "/v1/rules/{id}", tag = "law",
    params(("id" = String, Path, description = "the rule's id"), ("as_of" = Option<String>, Query, description = "civil day")),
    responses((status = 200, description = "the rule", body = Object), (status = 404, description = "no such rule", body = Problem, content_type = "application/problem+json")))]
async fn rule(Held(state): Held<State>, Path(id): Path<String>, Query(pairs): Query<Pairs>, headers: HeaderMap) -> Result<Response, Problem> {
    let as_of = days(&pairs, state.day())?;
    let book = &state.book;
    let rule = law::rule(book, &id).ok_or_else(|| Problem::of(Kind::NotFound, format!("no rule `{id}`")))?;
    Ok(law_answer(&headers, book, Some(as_of), || {
        let (before, after) = law::neighbors(book, &rule);
        let ids = |rules: Vec<law::Rule<'_>>| rules.iter().map(|r| r.head.id.clone()).collect::<Vec<_>>();
        let block: Map<String, Value> = law::block_of(book, rule.head)
            .map(|b| b.lines.iter().map(|l| (format!("{} {}", l.key, l.argument).trim().to_string(), l.value.clone().into())).collect())
            .unwrap_or_default();
        json!({
            "as_of": as_of, "rulebook": book.digest(), "standing": Standing::of(rule.head, as_of), "rule": rule,
            "file": law::path_of(book, rule.head), "block": block, "before": ids(before), "after": ids(after)
        })
    }))
}

/// The days on which rules begin, end, were published or annulled, latest first.
#[utoipa::path(get, path = "/v1/changes", tag = "law",
    params(("layer" = Option<String>, Query, description = "a layer's id")),
    responses((status = 200, description = "days with the ids of rules", body = Object)))]
async fn changes(Held(state): Held<State>, Query(pairs): Query<Pairs>, headers: HeaderMap) -> Response {
    let layer = pairs.iter().find(|(n, _)| n == "layer").map(|(_, v)| v.as_str());
    let book = &state.book;
    let tag = format!("{}-{}", book.digest(), layer.filter(|l| book.layers.contains_key(*l)).unwrap_or("all"));
    tagged(&headers, &tag, || {
        let ids = |rules: &[law::Rule<'_>]| rules.iter().map(|r| r.head.id.clone()).collect::<Vec<_>>();
        let turns: Vec<Value> = law::turns(book, |r| layer.is_none_or(|l| r.layer == Some(l)))
            .iter()
            .map(|t| json!({ "on": t.on, "begin": ids(&t.begin), "end": ids(&t.end), "published": ids(&t.published), "annulled": ids(&t.annulled) }))
            .collect();
        Json(json!({ "rulebook": book.digest(), "changes": turns })).into_response()
    })
}

/// Every layer: what it applies to, checks and does not check, and its gaps; `place` keeps those of a place.
#[utoipa::path(get, path = "/v1/layers", tag = "law",
    params(("place" = Option<String>, Query, description = "a place's code"), ("as_of" = Option<String>, Query, description = "civil day")),
    responses((status = 200, description = "layers; for a place those that apply to every exporter there, and those that may", body = Object)))]
async fn layers(Held(state): Held<State>, Query(pairs): Query<Pairs>, headers: HeaderMap) -> Result<Response, Problem> {
    let as_of = days(&pairs, state.day())?;
    let book = &state.book;
    let place = pairs.iter().find(|(n, _)| n == "place").map(|(_, v)| v.as_str());
    if let Some(p) = place.filter(|p| !book.vocabulary.places.contains_key(*p)) {
        return Err(Problem::of(Kind::NotFound, format!("no place `{p}`")));
    }
    let tag = format!("{}-{}-{}", book.digest(), as_of.on, place.unwrap_or("all"));
    Ok(tagged(&headers, &tag, || {
        let value = match place {
            None => json!({ "rulebook": book.digest(), "layers": book.layers.values().collect::<Vec<_>>() }),
            Some(p) => {
                let (here, maybe) = law::layers_of(book, p, as_of);
                json!({ "rulebook": book.digest(), "as_of": as_of, "place": p, "apply": here, "may_apply": maybe })
            }
        };
        Json(value).into_response()
    }))
}

/// What is wrong with rules as rules, with what is explained; worked out once for a process.
#[utoipa::path(get, path = "/v1/hygiene", tag = "law", responses((status = 200, description = "findings", body = Object),
    (status = 503, description = "being worked out; come again in a few seconds", body = Problem, content_type = "application/problem+json")))]
async fn hygiene(Held(state): Held<State>, headers: HeaderMap) -> Result<Response, Problem> {
    let found = super::page::hygiene::Shelf::ask(&state).ok_or_else(|| Problem::of(Kind::Busy, ""))?;
    Ok(law_answer(&headers, &state.book, None, || {
        let (judged, _) = decide::hygiene::judged(&state.book, found);
        let open = judged.iter().filter(|j| j.because.is_none()).count();
        json!({ "schema": "tegata.hygiene.1", "rulebook": state.book.digest(), "findings": judged, "unexplained": open })
    }))
}

/// The vocabulary: facts, values, questions, places.
#[utoipa::path(get, path = "/v1/vocabulary", tag = "law", responses((status = 200, description = "facts by id and places by code", body = Object)))]
async fn vocabulary(Held(state): Held<State>, headers: HeaderMap) -> Response {
    law_answer(&headers, &state.book, None, || serde_json::to_value(&state.book.vocabulary).unwrap_or_default())
}

/// The JSON Schema of a transfer under this rulebook.
#[utoipa::path(get, path = "/v1/schema/transfer", tag = "law", responses((status = 200, description = "JSON Schema, draft 2020-12", body = Object)))]
async fn schema(Held(state): Held<State>, headers: HeaderMap) -> Response {
    law_answer(&headers, &state.book, None, || rulebook::schema::transfer_schema(&state.book.vocabulary))
}

/// The flows of the token's participant.
#[utoipa::path(get, path = "/v1/flows", tag = "flows", security(("token" = [])), responses((status = 200, description = "flows", body = Object)))]
async fn flows(Held(state): Held<State>, who: Bearer<Read>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "flows": flow::list(&state, who.principal).await? })))
}

/// One flow: how it stands, what was delivered, and why it was stopped.
#[utoipa::path(get, path = "/v1/flows/{id}", tag = "flows", security(("token" = [])), params(("id" = String, Path, description = "the flow's id")),
    responses((status = 200, description = "the flow", body = Object), (status = 404, description = "no such flow", body = Problem, content_type = "application/problem+json")))]
async fn one_flow(Held(state): Held<State>, who: Bearer<Read>, Path(id): Path<String>) -> Result<Json<FlowView>, Problem> {
    Ok(Json(flow::find(&state, who.principal, id).await?))
}

/// The verification of a flow's evidence, step by step.
#[utoipa::path(get, path = "/v1/flows/{id}/evidence", tag = "flows", security(("token" = [])), params(("id" = String, Path, description = "the flow's id")),
    responses((status = 200, description = "steps in order, and the levels reached", body = Object)))]
async fn evidence(Held(state): Held<State>, who: Bearer<Read>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    use trust::verify::Outcome;
    let report = flow::report(&state, who.principal, id.clone()).await?;
    let report = report.ok_or_else(|| Problem::of(Kind::NotFound, format!("no evidence of `{id}` yet")))?;
    let outcome = |o: &Outcome| match o {
        Outcome::Passed => ("passed", None),
        Outcome::Failed(c) => ("failed", Some(c.clone())),
        Outcome::Indeterminate(c) => ("indeterminate", Some(c.clone())),
        Outcome::Absent => ("absent", None),
        Outcome::NotReached => ("not_reached", None),
    };
    let steps: Vec<Value> = report
        .steps
        .iter()
        .map(|s| {
            let (word, code) = outcome(&s.outcome);
            json!({ "step": s.id.code(), "outcome": word, "code": code, "detail": s.detail })
        })
        .collect();
    let levels: Vec<&str> = report.levels.iter().map(|l| l.code()).collect();
    Ok(Json(json!({ "steps": steps, "levels": levels, "stamped_at": report.stamped_at })))
}

/// This description.
async fn description(Held(state): Held<State>, headers: HeaderMap) -> Response {
    law_answer(&headers, &state.book, None, || openapi::document(&state.book))
}

/// Whether this process answers.
#[utoipa::path(get, path = "/healthz", tag = "server", responses((status = 200, description = "it does", body = String)))]
async fn health() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "ok\n")
}

/// Versions of the program and of the rulebook.
#[utoipa::path(get, path = "/version", tag = "server", responses((status = 200, description = "versions", body = Object)))]
async fn version(Held(state): Held<State>) -> Json<Value> {
    Json(json!({ "name": "tegata", "version": env!("CARGO_PKG_VERSION"), "rulebook": state.book.digest(), "today": state.day() }))
}

/// The paths that the description lists.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(checks, matrix, register, super::bench::get, super::bench::put, super::bench::ask, super::bench::report, super::bench::release, rules, rule, changes, layers, hygiene, vocabulary, schema, flows, one_flow, evidence, health, version),
    components(schemas(Problem, crate::problem::Finding, Checks)),
    tags((name = "checks", description = "may it go, by which article, and what is the cheapest way"),
        (name = "law", description = "the rulebook; public"), (name = "flows", description = "what moves, and why it stopped"), (name = "server", description = "this process"))
)]
pub struct Described;
