//! The question: a form in plain words, made of the vocabulary.

use super::{Frame, field::field, tongue};
use crate::people::{State, asked::{Asked, Pairs}, principal::{Ask, Seat}};
use axum::{extract::{Path, Query, State as Held}, http::Uri, response::Response};
use maud::html;

/// What everybody can answer; the rest is asked only if it still matters.
const FIRST: [&str; 4] = ["exporter.place", "recipient.place", "data.categories", "hop.purpose"];

/// `GET /{tongue}/check`
pub async fn get(
    Held(state): Held<State>,
    Path(code): Path<String>,
    uri: Uri,
    Query(pairs): Query<Pairs>,
    _seat: Seat<Ask>,
) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let asked = match Asked::read(&state, &pairs) {
        Ok(a) => a,
        Err(p) => return super::refused(&uri, &p),
    };
    let book = &state.book;
    let rest: Vec<&str> = asked.flat.iter().map(|(s, _)| s.as_str()).filter(|s| !FIRST.contains(s)).collect();
    let body = html! {
        h1 { (t.word("page-check-title")) }
        p.lead { (t.word("page-check-lead")) }
        form method="get" action=(format!("/{}/verdict", t.code())) {
            div.pair { @for slot in &FIRST[..2] { (field(t, book, slot, &asked, None)) } }
            (field(t, book, "data.categories", &asked, Some(t.word("page-all-that-fit"))))
            (field(t, book, "hop.purpose", &asked, Some(t.word("page-all-that-fit"))))
            @if !rest.is_empty() {
                h2 { (t.word("page-check-said")) }
                @for slot in rest { (field(t, book, slot, &asked, None)) }
            }
            @if asked.values("mechanism.kind").is_empty() {
              details {
                summary { (t.word("page-check-in-place")) }
                (field(t, book, "mechanism.kind", &asked, Some(t.word("page-check-in-place-hint"))))
              }
            }
            div.field {
                label for="as_of" { (t.word("page-check-day")) span.hint { (t.word("page-check-day-hint")) } }
                input #as_of type="date" name="as_of" value=(asked.as_of.on.to_string()) min="1900-01-01" max="2200-12-31";
            }
            div.actions { button { (t.word("page-check-go")) } }
        }
    };
    Frame::new(t, &uri, "check", t.word("page-check-title")).render(&state, body)
}
