//! Duties after delivery, as a part of pages: what is owed by whom until when, and a person's word where no program can know.

use super::{refused, tongue};
use crate::people::{
    State,
    asked::{Pairs, escape},
    principal::{Act, Seat},
    tongue::Tongue,
};
use crate::space::acting;
use axum::{
    Form,
    extract::{Path, State as Held},
    http::Uri,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use model::Instant;
use node::act::duty::{Duty, How};

/// The duties in a table, overdue ones first; nothing where nothing is owed.
pub fn section(t: Tongue, duties: &[Duty], now: Instant, csrf: &str) -> Markup {
    html! {
        @if !duties.is_empty() {
            section aria-labelledby="duties" {
                h2 #duties { (t.word("page-duties")) }
                table.stack {
                    thead { tr { th scope="col" { (t.word("page-duty")) } th scope="col" { (t.word("page-owed-by")) } th scope="col" { (t.word("page-due")) } th scope="col" { (t.word("page-state")) } } }
                    tbody {
                        @for d in duties {
                            tr {
                                th scope="row" { (t.text(&d.says)) br; span.small { (d.dataset) " · " (d.peer) } }
                                td { (t.word(if d.ours { "page-owed-by-us" } else { "page-owed-by-them" })) }
                                td { @match d.due { Some(due) => (t.moment(due)), None => (t.word("duties-no-day")) } }
                                td { (standing(t, d, now)) @if d.needs_person() { (attest_form(t, d, csrf)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn standing(t: Tongue, d: &Duty, now: Instant) -> Markup {
    html! {
        @match &d.done {
            Some(done) => {
                (t.word(if done.how == How::Program { "duties-done" } else { "duties-attested" })) " " span.small { (t.moment(done.at)) } br; span.small { (done.says) }
                @if let Some(why) = &d.untold { br; span.small { (t.with("duties-untold", &[("why", why)])) } }
            },
            None if d.is_overdue(now) => span.badge.stopped { span.letter aria-hidden="true" { "!" } " " (t.word("duties-overdue")) },
            None => (t.word("duties-open")),
        }
    }
}

/// The word of a person binds: it says so before it is given.
fn attest_form(t: Tongue, d: &Duty, csrf: &str) -> Markup {
    html! {
        details {
            summary { (t.word("page-attest")) }
            p { b { (t.word("page-binds")) } " " (t.with("page-attest-binds", &[("peer", &d.peer)])) }
            form method="post" action=(format!("/{}/duties/{}/attest", t.code(), escape(&d.id))) {
                input type="hidden" name="csrf" value=(csrf);
                label for=(format!("says-{}", d.id)) { (t.word("page-attest-says")) }
                input id=(format!("says-{}", d.id)) name="says" required maxlength="2000";
                div.actions { button { (t.word("page-attest-do")) } }
            }
        }
    }
}

/// `POST /{tongue}/duties/{id}/attest`
pub async fn attest(Held(state): Held<State>, Path((code, id)): Path<(String, String)>, uri: Uri, seat: Seat<Act>, Form(pairs): Form<Pairs>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let of = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default();
    if let Err(p) = seat.check(&of("csrf")) {
        return refused(&uri, &p);
    }
    let says = of("says");
    match acting(&state, move |node| node.attest_duty(&id, &says)).await {
        Ok(_) => Redirect::to(&format!("/{}/negotiations", t.code())).into_response(),
        Err(p) => refused(&uri, &p),
    }
}
