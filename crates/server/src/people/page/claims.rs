//! Claims, for the people who run the node: who we are, what we hold, ask for and issue, and which peers are believed on what.

use super::{Frame, refused, tongue};
use crate::people::{
    State,
    asked::Pairs,
    principal::{Act, Read, Right, Seat},
    tongue::Tongue,
};
use crate::problem::{Kind, Problem};
use crate::space::acting;
use axum::{
    Form,
    extract::{Path, State as Held},
    http::Uri,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use model::Instant;
use node::act::claims::standing::{Asker, Believed, Paper, Standing};
use node::act::issue::Issued;

/// `GET /{tongue}/claims`
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, seat: Seat<Read>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let s = match acting(&state, |node| node.claims_standing()).await {
        Ok(s) => s,
        Err(p) => return refused(&uri, &p),
    };
    // Who may only read is shown no button.
    let csrf = Act::allows(seat.principal.role).then_some(seat.csrf.as_str());
    let body = html! {
        h1 { (t.word("claims-title")) }
        p.lead { (t.word("claims-lead")) }
        @if !s.on { p.note.warn { (t.word("claims-off")) } }
        (ourselves(t, &s))
        (holding(t, &s, csrf))
        (issuing(t, &s, csrf))
        (peers(t, &s))
    };
    Frame::new(t, &uri, "flows", t.word("claims-title")).render(&state, body)
}

fn ourselves(t: Tongue, s: &Standing) -> Markup {
    html! {
        section aria-labelledby="ourselves" {
            h2 #ourselves { (t.word("claims-ourselves")) }
            p { code { (s.did) } }
            @if let Some(path) = &s.document { p.meta { (t.with("claims-document", &[("path", path)])) } }
            @if !s.keys.is_empty() {
                h3 { (t.word("claims-keys")) }
                ul { @for (n, key) in s.keys.iter().enumerate().rev() { li {
                    code { (key.id) } " · " (t.moment(key.made_at)) " · "
                    @match key.retired_until {
                        Some(until) => (t.with("claims-key-retired", &[("until", &t.moment(until))])),
                        None if n + 1 == s.keys.len() => (t.word("claims-key-signs")),
                        None => (t.word("claims-key-verifies")),
                    }
                } } }
            }
        }
    }
}

fn papers(t: Tongue, all: &[Paper], now: Instant, mut beside: impl FnMut(&Paper) -> Markup) -> Markup {
    html! { ul.cards { @for one in all { li {
        p { b { (one.kinds.join(", ")) } @if one.valid_until.is_some_and(|end| end <= now) { " " (over(t)) } }
        p.meta { (t.with("claims-by", &[("issuer", &one.issuer)])) @if let Some(end) = one.valid_until { " · " (t.with("claims-until", &[("until", &t.moment(end))])) } }
        @for list in &one.lists { p.meta { (t.with("claims-not-revoked", &[("list", list)])) } }
        (beside(one))
    } } } }
}

/// The mark of what has ended.
fn over(t: Tongue) -> Markup {
    html! { span.badge.stopped { span.letter aria-hidden="true" { "!" } " " (t.word("claims-over")) } }
}

fn holding(t: Tongue, s: &Standing, csrf: Option<&str>) -> Markup {
    html! {
        section aria-labelledby="holding" {
            h2 #holding { (t.word("claims-held")) }
            @if s.held.is_empty() { p { (t.word("claims-held-none")) } }
            (papers(t, &s.held, s.at, |one| order(t, csrf, "forget", &one.id)))
            @if !s.offered.is_empty() { p { (t.count("claims-offered", s.offered.len())) } }
            @if !s.asked.is_empty() {
                h3 { (t.word("claims-asked")) }
                ul { @for one in &s.asked { li { (one.credentials.join(", ")) " · " (one.issuer) " · " (state_word(t, &one.state)) @if let Some(why) = &one.reason { " · " (why) } } } }
            }
        }
    }
}

fn issuing(t: Tongue, s: &Standing, csrf: Option<&str>) -> Markup {
    html! {
        section aria-labelledby="issuing" {
            h2 #issuing { (t.word("claims-issue")) }
            @if s.issuable.is_empty() { p { (t.word("claims-issue-none")) } }
            @else { ul { @for one in &s.issuable { li { b { (one.kind) } " · " code { (one.id) } " · " (one.profile) } } } }
            @if !s.askers.is_empty() {
                h3 { (t.word("claims-askers")) }
                ul.cards { @for one in &s.askers { li { (asker(t, one, csrf)) } } }
            }
            @if !s.issued.is_empty() {
                h3 { (t.word("claims-issued")) }
                ul.cards { @for one in &s.issued { li { (issued(t, one, csrf)) } } }
            }
            @for list in &s.lists { p.meta { (t.with("claims-list", &[("url", &list.url), ("taken", &list.taken.to_string()), ("revoked", &list.revoked.to_string())])) } }
        }
    }
}

fn asker(t: Tongue, one: &Asker, csrf: Option<&str>) -> Markup {
    html! {
        p { b { (one.holder) } ": " (one.credentials.join(", ")) }
        p.meta { (if one.waits { t.word("claims-waits") } else { state_word(t, &one.state) }) @if let Some(why) = &one.trouble { " · " (t.with("claims-trouble", &[("why", why)])) } }
        @if one.waits { (order(t, csrf, "approve", &one.id)) (order(t, csrf, "reject", &one.id)) }
    }
}

fn issued(t: Tongue, one: &Issued, csrf: Option<&str>) -> Markup {
    html! {
        p { b { (one.kind) } " → " (one.holder) }
        p.meta { (t.with("claims-until", &[("until", &t.moment(one.valid_until))])) @if let Some(at) = one.revoked_at { " · " (t.with("claims-revoked", &[("at", &t.moment(at))])) } }
        @if one.revoked_at.is_none() { (order(t, csrf, "revoke", &one.id)) }
    }
}

fn peers(t: Tongue, s: &Standing) -> Markup {
    html! {
        section aria-labelledby="believed" {
            h2 #believed { (t.word("claims-peers")) }
            p { (if s.require.is_empty() { t.word("claims-require-none") } else { t.with("claims-require", &[("kinds", &s.require.join(", "))]) }) }
            @if !s.trust.is_empty() {
                p { (t.word("claims-trust")) }
                ul { @for (issuer, kinds) in &s.trust { li { code { (issuer) } ": " (kinds.join(", ")) } } }
            }
            @if s.believed.is_empty() && s.refused.is_empty() { p { (t.word("claims-peers-none")) } }
            @for one in &s.believed { (believed(t, one, s.at)) }
            @if !s.refused.is_empty() {
                h3 { (t.word("claims-refused")) }
                ul { @for one in &s.refused { li { b { (one.did) } " · " (t.moment(one.at)) " · " (one.says) " " code { (one.code) } } } }
            }
        }
    }
}

fn believed(t: Tongue, one: &Believed, now: Instant) -> Markup {
    html! {
        h3 { (one.did) }
        p.meta { (t.with("claims-believed", &[("until", &t.moment(one.until))])) @if one.until <= now { " " (over(t)) } }
        (papers(t, &one.papers, now, |_| html! {}))
        @if !one.words.is_empty() { ul { @for (word, values) in &one.words { li { code { (word) } " = " (values.iter().cloned().collect::<Vec<_>>().join(", ")) } } } }
    }
}

fn state_word(t: Tongue, state: &str) -> String {
    match state {
        "ISSUED" => t.word("claims-state-issued"),
        "REJECTED" => t.word("claims-state-rejected"),
        _ => t.word("claims-state-open"),
    }
}

/// A button that does one thing, and says before what that brings.
fn order(t: Tongue, csrf: Option<&str>, act: &str, id: &str) -> Markup {
    html! {
        @if let Some(csrf) = csrf { details {
            summary { (t.word(&format!("claims-do-{act}"))) }
            p { (t.word(&format!("claims-brings-{act}"))) }
            form method="post" action=(format!("/{}/claims", t.code())) {
                input type="hidden" name="csrf" value=(csrf);
                input type="hidden" name="act" value=(act);
                input type="hidden" name="id" value=(id);
                div.actions { button { (t.word("claims-do-it")) } }
            }
        } }
    }
}

/// `POST /{tongue}/claims`: approves or rejects who asks, revokes what was issued, forgets what is held.
pub async fn post(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, seat: Seat<Act>, Form(pairs): Form<Pairs>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let of = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default();
    if let Err(p) = seat.check(&of("csrf")) {
        return refused(&uri, &p);
    }
    let (act, id) = (of("act"), of("id"));
    let done = match act.as_str() {
        "approve" => acting(&state, move |node| node.decide_issuance(&id, None)).await,
        "reject" => acting(&state, move |node| node.decide_issuance(&id, Some(None))).await,
        "revoke" => acting(&state, move |node| node.revoke_issued(&id).map(|_| ())).await,
        "forget" => acting(&state, move |node| node.forget_credential(&id)).await,
        other => Err(Problem::of(Kind::ActNotUnderstood, format!("no act `{other}`"))),
    };
    match done {
        Ok(()) => Redirect::to(&format!("/{}/claims", t.code())).into_response(),
        Err(p) => refused(&uri, &p),
    }
}
