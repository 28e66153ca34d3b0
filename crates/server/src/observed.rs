//! `/v1/checks?observe=true` for a policy engine of others: it asks, nothing is blocked, and what would have been refused is counted.
//!
//! Whatever is wrong with a question is part of the answer, with status 200: an engine that takes any other status for a refusal
//! would be stopped by a question that it wrote badly. A missing token, a body that is too large and a wrong `Host` are refused
//! as everywhere, and so is a process without a node.

use crate::people::State;
use crate::people::asked::{Pairs, parse_day, transfer};
use crate::people::principal::{Bearer, Principal, Read};
use crate::problem::{Kind, Problem};
use crate::space::acting;
use axum::extract::{Query, State as Held};
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};
use model::{CivilDate, Digest};
use node::act::observe::{About, Observation, Would};
use node::agent::Node;
use node::desk::Repeat;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// LIMIT: questions in one request.
const QUESTIONS_MAX: usize = 200;
/// LIMIT: characters of an idempotency key.
const KEY_CHARS_MAX: usize = 200;
/// The days that are told when nobody says which.
const DAYS_USUAL: i32 = 30;

/// The routes; without a node each of them says that there is none.
pub fn routes() -> Router<State> {
    Router::new().route("/v1/checks/observed", get(observed))
}

/// Whether a request is to be counted only.
pub fn is_asked(pairs: &Pairs) -> bool {
    pairs.iter().any(|(name, value)| name == "observe" && value == "true")
}

/// One question.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    counterparty: Option<String>,
    dataset: Option<String>,
    transfer: Option<Value>,
}

/// What is asked about, by whom; or why it is not understood.
struct Asked {
    counterparty: Option<String>,
    about: Result<About, String>,
}

impl Asked {
    fn of(value: Value) -> Self {
        // A question that is not understood is counted under its name too.
        let named = value.get("counterparty").and_then(Value::as_str).map(str::to_owned);
        match Self::read(value) {
            Ok((counterparty, about)) => Self { counterparty, about: Ok(about) },
            Err(line) => Self { counterparty: named, about: Err(line) },
        }
    }

    fn read(value: Value) -> Result<(Option<String>, About), String> {
        let named = |map: &Map<String, Value>| ["counterparty", "dataset", "transfer"].iter().any(|key| map.contains_key(*key));
        let question = match value {
            Value::Object(map) if named(&map) => serde_json::from_value(Value::Object(map)).map_err(|e| e.to_string())?,
            facts => Question { transfer: Some(facts), ..Question::default() },
        };
        let about = match (question.dataset, question.transfer) {
            (Some(dataset), None) => About::Dataset(dataset),
            (None, Some(facts)) => About::Transfer(Box::new(transfer(facts).map_err(|p| p.detail().to_owned())?)),
            _ => return Err("a question has either `dataset` or `transfer`".into()),
        };
        Ok((question.counterparty, about))
    }
}

/// Answers and counts what is asked.
pub async fn observe(state: &State, who: Principal, headers: &HeaderMap, body: &[u8]) -> Result<Json<Value>, Problem> {
    let key = headers.get("idempotency-key").and_then(|v| v.to_str().ok()).map(|k| k.trim().trim_matches('"').to_owned());
    let Some(key) = key.filter(|k| !k.is_empty() && k.len() <= KEY_CHARS_MAX) else {
        return ask(state, body).await.map(Json);
    };
    let request = Digest::of(&[b"observe\n", who.token.as_bytes(), b"\n", body].concat());
    let (acts, claimed) = (state.acts.clone(), key.clone());
    let claim = tokio::task::spawn_blocking(move || acts.claim(&claimed, &request)).await;
    match claim.map_err(|_| Problem::of(Kind::WentWrong, ""))?? {
        Repeat::Done(_, said) => return Ok(Json(serde_json::from_slice(&said).unwrap_or_default())),
        // Another question under the key, or the first is still being answered: answered, and not counted again.
        Repeat::Another | Repeat::UnderWay => {
            return Ok(Json(json!({ "schema": SCHEMA, "blocks": false, "would": "refuse", "counted": false, "says": "the idempotency key belongs to another question" })));
        }
        Repeat::New => {}
    }
    let answer = ask(state, body).await;
    let (acts, said) = (state.acts.clone(), answer.as_ref().ok().map(|v| v.to_string().into_bytes()));
    let kept = tokio::task::spawn_blocking(move || acts.settle(&key, said.as_deref().map(|said| (200, said)))).await;
    kept.map_err(|_| Problem::of(Kind::WentWrong, ""))??;
    answer.map(Json)
}

const SCHEMA: &str = "tegata.observation.1";

async fn ask(state: &State, body: &[u8]) -> Result<Value, Problem> {
    let node = state.node().ok_or_else(|| Problem::of(Kind::NoNode, "start one with `tegata serve --dir FOLDER` on a folder that was enrolled"))?;
    let (questions, many) = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Array(all)) if all.len() > QUESTIONS_MAX => (vec![not_understood(format!("at most {QUESTIONS_MAX} questions in one request"))], false),
        Ok(Value::Array(all)) => (all.into_iter().map(Asked::of).collect(), true),
        Ok(one) => (vec![Asked::of(one)], false),
        Err(e) => (vec![not_understood(format!("the body is not JSON: {e}"))], false),
    };
    let told = move |node: &Arc<Node>, questions: Vec<Asked>| -> Vec<Value> {
        questions.into_iter().map(|q| document(&node.observe(q.counterparty.as_deref(), q.about))).collect()
    };
    match state.work(move || told(&node, questions)).await {
        Ok(all) if many => Ok(json!({ "schema": SCHEMA, "observations": all })),
        Ok(all) => Ok(all.into_iter().next().unwrap_or_default()),
        // Too many wait: that is no reason to hold anybody up.
        Err(problem) => Ok(json!({ "schema": SCHEMA, "blocks": false, "would": Would::Refuse, "counted": false, "says": problem.kind().code() })),
    }
}

fn not_understood(line: String) -> Asked {
    Asked { counterparty: None, about: Err(line) }
}

fn document(seen: &Observation) -> Value {
    let mut value = json!(seen);
    if let Some(map) = value.as_object_mut() {
        map.insert("schema".into(), SCHEMA.into());
    }
    value
}

/// The days and the counter-party that a question about the counts names: the last thirty days, and all, when it does not say.
pub fn wanted(pairs: &Pairs, today: CivilDate) -> Result<(CivilDate, CivilDate, Option<String>), Problem> {
    let find = |name: &str| pairs.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str());
    let until = find("until").map(parse_day).transpose()?.unwrap_or(today);
    let from = find("from").map(parse_day).transpose()?.unwrap_or_else(|| until.plus_days(1 - DAYS_USUAL));
    Ok((from, until, find("counterparty").map(str::to_owned)))
}

/// What would have been refused, of what another policy engine asked: together, and by day and counter-party.
#[utoipa::path(get, path = "/v1/checks/observed", tag = "checks", security(("token" = [])),
    params(("from" = Option<String>, Query, description = "the first civil day, UTC; thirty days before the last when absent"),
        ("until" = Option<String>, Query, description = "the last one; today when absent"),
        ("counterparty" = Option<String>, Query, description = "of this counter-party alone")),
    responses((status = 200, description = "`total` and `days`, each with `asked`, `let`, `refused`, `unjudged`, `rules` (article, count, cures) and `missing` facts; `left_off` when there is more", body = Object),
        (status = 404, description = "no node", body = Problem, content_type = "application/problem+json")))]
async fn observed(Held(state): Held<State>, _who: Bearer<Read>, Query(pairs): Query<Pairs>) -> Result<Json<Value>, Problem> {
    let now = crate::people::wall_day();
    let (from, until, of) = wanted(&pairs, now)?;
    let told = acting(&state, move |node| node.observed(from, until, of.as_deref())).await?;
    let mut value = json!(told);
    if let Some(map) = value.as_object_mut() {
        map.insert("schema".into(), "tegata.observed.1".into());
    }
    Ok(Json(value))
}

/// The paths that the description lists.
#[derive(utoipa::OpenApi)]
#[openapi(paths(observed))]
pub struct Described;

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: Value) -> (Option<String>, Result<About, String>) {
        let asked = Asked::of(value);
        (asked.counterparty, asked.about)
    }

    #[test]
    fn a_question_names_a_dataset_or_tells_facts() {
        let (who, about) = asked(json!({ "counterparty": "did:web:a", "dataset": "d" }));
        assert!(who.as_deref() == Some("did:web:a") && matches!(about, Ok(About::Dataset(d)) if d == "d"));
        assert!(matches!(asked(json!({ "exporter.place": "DE" })), (None, Ok(About::Transfer(_)))));
        assert!(matches!(asked(json!({ "counterparty": "x", "transfer": { "exporter.place": "DE" } })), (Some(_), Ok(About::Transfer(_)))));
        for wrong in [json!({ "counterparty": "x" }), json!({ "dataset": "d", "transfer": {} }), json!({ "dataset": "d", "other": 1 }), json!(7)] {
            assert!(asked(wrong.clone()).1.is_err(), "{wrong}");
        }
    }

    #[test]
    fn thirty_days_are_told_when_nobody_says_which() {
        let today: CivilDate = "2026-11-23".parse().unwrap();
        let (from, until, of) = wanted(&Vec::new(), today).unwrap();
        assert_eq!((from.to_string(), until, of), ("2026-10-25".into(), today, None));
        assert!(wanted(&vec![("from".into(), "soon".into())], today).is_err());
    }
}
