//! What is wrong with rules as rules; worked out once for a process, off the threads that serve.

use super::{Frame, rule_link, tagged, tongue};
use crate::people::{State, tongue::Tongue};
use axum::{
    extract::{Path, State as Held},
    http::{HeaderMap, HeaderValue, Uri, header},
    response::Response,
};
use decide::hygiene::{self, Found, Judged, What};
use maud::{Markup, html};
use model::AsOf;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// Findings at once; the others behind a fold.
const SHOWN: usize = 12;

/// The findings of this process's rulebook, once they are there.
#[derive(Debug, Default)]
pub struct Shelf {
    begun: AtomicBool,
    found: Mutex<Option<Vec<Found>>>,
}

impl Shelf {
    /// The findings; the first who asks begins the work, and nobody waits for it.
    pub fn ask(state: &State) -> Option<Vec<Found>> {
        let shelf = &state.hygiene;
        if !shelf.begun.swap(true, Ordering::SeqCst) {
            let (book, shelf, today) = (state.book.clone(), shelf.clone(), AsOf::then(state.day()));
            tokio::task::spawn_blocking(move || {
                // A rulebook that cannot be compiled shows nothing here; the doors say so on every question.
                let found = hygiene::everything(&book, today).unwrap_or_default();
                *shelf.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
            });
        }
        shelf.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// `GET /{tongue}/hygiene`
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let title = t.word("page-hygiene");
    let Some(found) = Shelf::ask(&state) else {
        let body = html! { h1 { (title) } p.lead { (t.word("page-hygiene-waits")) } };
        let mut waits = Frame::new(t, &uri, "report", title).render(&state, body);
        waits.headers_mut().insert(header::REFRESH, HeaderValue::from_static("5"));
        waits.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return waits;
    };
    let (judged, _) = hygiene::judged(&state.book, found);
    tagged(&headers, &format!("{}-hygiene-{}", state.book.digest().short(), t.code()), || {
        let open = judged.iter().filter(|j| j.because.is_none()).count();
        let body = html! {
            h1 { (title) }
            p.lead { (t.word("page-hygiene-lead")) }
            p { (t.with("hygiene-sum", &[("n", &judged.len().to_string()), ("open", &open.to_string())])) }
            @for what in What::ALL { (kind(t, &state, what, &judged)) }
        };
        Frame::new(t, &uri, "report", title.clone()).render(&state, body)
    })
}

fn kind(t: Tongue, state: &State, what: What, judged: &[Judged<'_>]) -> Markup {
    let of: Vec<Markup> = judged.iter().filter(|j| j.found.what == what).map(|j| item(t, state, j)).collect();
    html! {
        h2 { (t.word(&format!("hygiene-{}", what.word()))) " (" (of.len()) ")" }
        @if of.is_empty() { p.small { (t.word("page-hygiene-none")) } }
        (super::folded(t, of, SHOWN, false))
    }
}

fn item(t: Tongue, state: &State, j: &Judged<'_>) -> Markup {
    let head = state.book.head(&j.found.id);
    html! {
        p {
            @match head {
                Some(h) => { a href=(rule_link(t, &h.id, j.found.from)) { (t.cite(&h.cites)) } " " code { (h.id) } }
                None => { code { (j.found.id) } }
            }
            @if !j.found.by.is_empty() { " ← " (j.found.by.join(", ")) }
        }
        @if let Some(because) = j.because { p.meta { (t.word("hygiene-because")) ": " (t.text(because)) } }
    }
}
