//! The judgments that the node rests on, and its counters: what a flow's law asks beside the facts of its parties.

use super::{Frame, refused, time, tongue};
use crate::people::{
    State,
    acts::{Look, Order},
    asked::{Pairs, place_name},
    principal::{Act, Principal, Read, Seat},
    tongue::Tongue,
};
use crate::problem::{Kind, Problem};
use axum::{
    Form,
    extract::{Path, State as Held},
    http::Uri,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use node::act::{judgment, judgment::Judgment, meter::Count};
use serde_json::Value;

async fn ask(state: &State, who: Principal, what: Look) -> Result<Value, Problem> {
    let acts = state.acts.clone();
    tokio::task::spawn_blocking(move || acts.look(&who, what)).await.map_err(|_| Problem::of(Kind::WentWrong, ""))?
}

/// The list under a key, as the node's own nouns.
fn all<T: serde::de::DeserializeOwned>(mut value: Value, key: &str) -> Vec<T> {
    value.get_mut(key).map(Value::take).and_then(|list| serde_json::from_value(list).ok()).unwrap_or_default()
}

/// `GET /{tongue}/judgments`
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, seat: Seat<Read>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let judgments = ask(&state, seat.principal.clone(), Look::Judgments).await;
    let counters = ask(&state, seat.principal.clone(), Look::Counters).await;
    let (held, counts) = match (judgments, counters) {
        (Ok(j), Ok(c)) => (all::<judgment::Held>(j, "determinations"), all::<Count>(c, "counters")),
        (Err(p), _) | (_, Err(p)) => return refused(&uri, &p),
    };
    let body = html! {
        h1 { (t.word("page-judgments")) }
        p.lead { (t.word("page-judgments-lead")) }
        @if held.is_empty() { p { (t.word("page-judgments-none")) } }
        ul.cards { @for h in &held { li { (one(&state, t, h, &seat.csrf)) } } }
        form method="post" action=(format!("/{}/judgments", t.code())) {
            input type="hidden" name="csrf" value=(seat.csrf);
            div.field { label for="record" { (t.word("page-judgment-record")) } textarea #record name="record" rows="8" cols="60" required {} }
            div.field { label for="seal" { (t.word("page-judgment-seal")) } textarea #seal name="seal" rows="3" cols="60" {} }
            p.note.warn { (t.word("page-judgment-binds")) }
            div.actions { button { (t.word("page-judgment-take")) } }
        }
        h2 { (t.word("page-counters")) }
        p { (t.word("page-counters-lead")) }
        @if counts.is_empty() { p { (t.word("page-counters-none")) } }
        ul.cards { @for c in &counts { li { (count(&state, t, c)) } } }
    };
    Frame::new(t, &uri, "flows", t.word("page-judgments")).render(&state, body)
}

fn one(state: &State, t: Tongue, h: &judgment::Held, csrf: &str) -> Markup {
    let r = &h.judgment.record;
    let label = state.book.vocabulary.of_slot(&r.fact).map_or_else(|| r.fact.clone(), |f| t.text(&f.label).to_string());
    let end = |slot: &str| r.rests_on.get(slot).map(|code| place_name(&state.book, t, code)).unwrap_or_else(|| t.word("page-somewhere"));
    html! {
        p { b { (label) } ": " (t.word(&format!("judged-{}", r.outcome))) @if r.until <= state.day() { " " span.tag { (t.word("page-judgment-over")) } } }
        p { (end("exporter.place")) " → " (end("recipient.place")) }
        p.meta { (r.by) " · " (time(t, r.made)) " · " (t.word("page-judgment-until")) " " (time(t, r.until)) " · " code { (h.id.short()) } }
        form method="post" action=(format!("/{}/judgments", t.code())) {
            input type="hidden" name="csrf" value=(csrf);
            input type="hidden" name="give_up" value=(h.id.to_string());
            button.plain { (t.word("page-judgment-give-up")) }
        }
    }
}

fn count(state: &State, t: Tongue, c: &Count) -> Markup {
    let label = state.book.vocabulary.of_slot(&c.fact).map_or_else(|| c.fact.clone(), |f| t.text(&f.label).to_string());
    html! {
        p { b { (label) } ": " (c.metered) }
        p.meta { (t.with("page-counters-window", &[("from", &t.day(c.from)), ("to", &t.day(c.on))])) @if let Some(who) = &c.recipient { " · " (who) } }
        @for a in &c.ahead {
            p class=(if a.warning.is_near() { "note warn" } else { "note" }) { (a.dataset) " → " (a.recipient) ": " (node::question::threshold(&state.book, t.0, &a.warning)) }
        }
    }
}

/// `POST /{tongue}/judgments`: takes a judgment, or gives one up.
pub async fn post(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, seat: Seat<Act>, Form(pairs): Form<Pairs>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let find = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.trim()).unwrap_or_default();
    if let Err(p) = seat.check(find("csrf")) {
        return refused(&uri, &p);
    }
    let order = match find("give_up") {
        "" => match serde_json::from_str(find("record")) {
            Ok(record) => {
                let seal: String = find("seal").split_whitespace().collect();
                Order::Judge(Box::new(Judgment { record, seal: Some(seal).filter(|s| !s.is_empty()) }))
            }
            Err(e) => return refused(&uri, &Problem::of(Kind::ActNotUnderstood, e.to_string())),
        },
        id => Order::GiveUp(id.to_owned()),
    };
    let (acts, who) = (state.acts.clone(), seat.principal.clone());
    match tokio::task::spawn_blocking(move || acts.act(&who, order)).await {
        Ok(Ok(_)) => Redirect::to(&format!("/{}/judgments", t.code())).into_response(),
        Ok(Err(p)) => refused(&uri, &p),
        Err(_) => refused(&uri, &Problem::of(Kind::WentWrong, "")),
    }
}
