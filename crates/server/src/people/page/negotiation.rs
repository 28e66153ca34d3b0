//! Negotiations in two lanes: our moves and theirs, why one stands still, what to do, and what a button binds us to.

use super::{Frame, duty, flow::flow_link, refused, tongue};
use crate::people::{
    State,
    asked::{Pairs, escape},
    principal::{Act, Read, Seat},
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
use dsp::message::Grounds;
use maud::{Markup, html};
use node::act::explain::{Choice, Explained};
use node::act::operate::NegotiationAct;

fn link(t: Tongue, id: &str) -> String {
    format!("/{}/negotiations/{}", t.code(), escape(id))
}

/// `GET /{tongue}/negotiations`
pub async fn all(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, seat: Seat<Read>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let found = acting(&state, |node| Ok((node.negotiation_reports()?, node.duties()?, node.now()))).await;
    let (mut all, duties, now) = match found {
        Ok(found) => found,
        Err(p) => return refused(&uri, &p),
    };
    // What waits for us comes first, what has ended last.
    all.sort_by_key(|n| (n.move_of == "nobody", n.move_of != "ours"));
    let body = html! {
        h1 { (t.word("page-negotiations")) }
        @if all.is_empty() { p.lead { (t.word("page-negotiations-none")) } }
        @else {
            div.scroll tabindex="0" role="region" aria-label=(t.word("page-negotiations")) {
                table.stack {
                    thead { tr { th scope="col" { (t.word("page-dataset")) } th scope="col" { (t.word("page-lane-theirs")) } th scope="col" { (t.word("page-state")) } th scope="col" { (t.word("page-whose-move")) } } }
                    tbody {
                        @for n in &all {
                            tr {
                                th scope="row" { a href=(link(t, &n.id)) { (n.dataset) } }
                                td { (n.peer) }
                                td { code { (n.state) } }
                                td { (t.word(&format!("page-move-{}", n.move_of))) @if let Some(e) = &n.ended { br; span.small { (e.code) } } }
                            }
                        }
                    }
                }
            }
        }
        (duty::section(t, &duties, now, &seat.csrf))
    };
    Frame::new(t, &uri, "flows", t.word("page-negotiations")).render(&state, body)
}

/// `GET /{tongue}/negotiations/{id}`
pub async fn get(Held(state): Held<State>, Path((code, id)): Path<(String, String)>, uri: Uri, seat: Seat<Read>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    match acting(&state, move |node| node.explain_negotiation(&id)).await {
        Err(p) => refused(&uri, &p),
        Ok(told) => {
            let title = told.standing.dataset.clone().unwrap_or_else(|| told.standing.id.clone());
            Frame::new(t, &uri, "flows", title).render(&state, render(t, &told, &seat.csrf))
        }
    }
}

fn render(t: Tongue, told: &Explained, csrf: &str) -> Markup {
    let s = &told.standing;
    html! {
        section.answer aria-labelledby="answer" {
            p.route { (s.dataset.as_deref().unwrap_or_default()) " · " (s.peer) }
            h1 #answer { (t.word(&format!("page-move-{}", told.whose_move))) }
            p { (t.text(&told.why)) }
            p { b { (t.text(&told.todo)) } }
            @if !told.reasons.is_empty() { ul { @for line in &told.reasons { li { (line) } } } }
        }
        div.cols {
            div {
                h2 { (t.word("page-lanes")) }
                table {
                    thead { tr { th scope="col" { (t.word("page-lane-ours")) } th scope="col" { (t.word("page-lane-theirs")) } th scope="col" { (t.word("page-when")) } } }
                    tbody {
                        @for step in &told.steps {
                            tr {
                                td { @if step.ours { b { (step.state) } } }
                                td { @if !step.ours { b { (step.state) } } }
                                td.small { (t.moment(step.at)) }
                            }
                        }
                        @if told.whose_move != "nobody" {
                            tr {
                                td { @if told.whose_move == "ours" { "… " (t.word("page-move-ours")) } }
                                td { @if told.whose_move == "theirs" { "… " (t.word("page-move-theirs")) } }
                                td {}
                            }
                        }
                    }
                }
                @if !told.choices.is_empty() {
                    h2 { (t.word("page-choices")) }
                    @for choice in told.choices.iter().filter(|c| by_button(c)) { (button(t, &s.id, choice, csrf)) }
                    @for choice in told.choices.iter().filter(|c| !by_button(c)) { p.small { code { (choice.act) } " " (t.text(&choice.says)) " " (t.word("page-choice-program")) } }
                }
            }
            aside {
                h2 { (t.word("page-terms")) }
                ul { @for line in &told.terms { li { (t.text(line)) } } }
                dl {
                    dt { (t.word("page-id")) } dd { code { (s.id) } }
                    @if let Some(theirs) = &s.peer_pid { dt { (t.word("page-lane-theirs")) } dd { code { (theirs) } } }
                    dt { (t.word("page-state")) } dd { code { (s.state) } }
                }
                @if let Some(transfer) = &told.transfer { p { a.button.plain href=(flow_link(t, transfer)) { (t.word("page-see-flow")) } } }
            }
        }
    }
}

/// Offers need terms, which programs write.
fn by_button(choice: &Choice) -> bool {
    !matches!(choice.act, "offer" | "counter")
}

/// A button that says what it does before it does it: the first click opens what it binds us to, the second is the act.
fn button(t: Tongue, id: &str, choice: &Choice, csrf: &str) -> Markup {
    html! {
        details {
            summary { (t.word(&format!("page-act-{}", choice.act))) }
            p { b { (t.word(if choice.binds { "page-binds" } else { "page-no-way-back" })) } " " (t.text(&choice.says)) }
            form method="post" action=(format!("{}/{}", link(t, id), choice.act)) {
                input type="hidden" name="csrf" value=(csrf);
                div.actions { button { (t.word(&format!("page-do-{}", choice.act))) } }
            }
        }
    }
}

/// `POST /{tongue}/negotiations/{id}/{act}`
pub async fn act(Held(state): Held<State>, Path((code, id, name)): Path<(String, String, String)>, uri: Uri, seat: Seat<Act>, Form(pairs): Form<Pairs>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let csrf = pairs.iter().find(|(n, _)| n == "csrf").map(|(_, v)| v.as_str()).unwrap_or_default();
    if let Err(p) = seat.check(csrf) {
        return refused(&uri, &p);
    }
    let wanted = match name.as_str() {
        "accept" => NegotiationAct::Accept,
        "agree" => NegotiationAct::Agree,
        "verify" => NegotiationAct::Verify,
        "finalize" => NegotiationAct::Finalize,
        "terminate" => NegotiationAct::Terminate(Grounds::of("tegata/by-hand", ["a person ended it".to_owned()])),
        _ => return refused(&uri, &Problem::of(Kind::NotFound, format!("no act `{name}`"))),
    };
    let back = link(t, &id);
    match acting(&state, move |node| node.act_in_negotiation(&id, &wanted)).await {
        Ok(_) => Redirect::to(&back).into_response(),
        Err(p) => refused(&uri, &p),
    }
}
