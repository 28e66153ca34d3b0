//! The first page: what this is, the question, and what the law does next.

use super::{Frame, field, rule_link, time, tongue};
use crate::people::{State, law};
use axum::{extract::{Path, State as Held}, http::Uri, response::Response};
use maud::html;
use model::AsOf;

// LIMIT: coming changes that the first page names.
const NEXT: usize = 5;

/// `GET /{tongue}/`
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let book = &state.book;
    let today = state.day();
    let mut coming: Vec<law::Turn<'_>> = law::turns(book, |_| true).into_iter().filter(|x| x.on > today && !(x.begin.is_empty() && x.end.is_empty())).collect();
    coming.reverse();
    let doors = ["countries", "matrix", "register", "flows", "changes", "report"];
    let body = html! {
        h1 { (t.word("page-home-title")) }
        p.lead { (t.word("page-home-lead")) }
        form method="get" action=(format!("/{}/check", t.code())) {
            div.pair {
                div.field { label for="from" { (t.word("interview-from")) } (field::place_select(t, book, "from", "exporter.place", None, true, AsOf::then(today))) }
                div.field { label for="to" { (t.word("interview-to")) } (field::place_select(t, book, "to", "recipient.place", None, true, AsOf::then(today))) }
            }
            div.actions { button { (t.word("page-home-go")) } }
        }
        h2 { (t.word("page-home-doors")) }
        ul.tiles {
            @for door in doors {
                li { a href=(format!("/{}/{door}", t.code())) { (t.word(&format!("page-nav-{door}"))) } p { (t.word(&format!("page-door-{door}"))) } }
            }
        }
        h2 { (t.word("page-home-next")) }
        @if coming.is_empty() { p { (t.word("page-home-none")) } }
        ul.cards {
            @for turn in coming.iter().take(NEXT) {
                li {
                    p { b { (time(t, turn.on)) } " " span.meta { (t.count("page-days-left", usize::try_from(turn.on.days_since_epoch() - today.days_since_epoch()).unwrap_or(0))) } }
                    @for r in turn.begin.iter().chain(&turn.end).take(3) {
                        p { a href=(rule_link(t, &r.head.id, turn.on)) { (t.cite(r.head.cites_on(turn.on))) } " – " (law::says(book, r).in_(t.0)) }
                    }
                }
            }
        }
        p { a href=(format!("/{}/changes", t.code())) { (t.word("page-home-all")) } }
    };
    Frame::new(t, &uri, "", t.word("page-home-title")).render(&state, body)
}
