//! The evidence of a flow: how far it reaches, and the verification step by step.

use super::{Frame, flow, refused, tongue};
use crate::people::{State, asked::escape, principal::{Read, Seat}, tongue::Tongue};
use axum::{extract::{Path, State as Held}, http::Uri, response::Response};
use maud::{Markup, html};
use trust::verify::{Level, Outcome, Report, Verdict};

/// `GET /{tongue}/flows/{id}/evidence`
pub async fn get(Held(state): Held<State>, Path((code, id)): Path<(String, String)>, uri: Uri, seat: Seat<Read>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let view = match flow::find(&state, seat.principal.clone(), id.clone()).await {
        Ok(v) => v,
        Err(p) => return refused(&uri, &p),
    };
    let report = match flow::report(&state, seat.principal.clone(), id.clone()).await {
        Ok(r) => r,
        Err(p) => return refused(&uri, &p),
    };
    let title = t.with("page-evidence-of", &[("dataset", &view.dataset)]);
    let body = html! {
        p.meta { a href=(format!("/{}/flows/{}", t.code(), escape(&id))) { (t.word("page-back-to-flow")) } }
        @match &report {
            Some(r) => (steps(t, r, &title)),
            None => { h1 { (title) } p.lead { (t.word("page-evidence-none")) } }
        }
    };
    Frame::new(t, &uri, "flows", title.clone()).render(&state, body)
}

/// The code of an outcome, as a class and in message ids.
fn word(o: &Outcome) -> &'static str {
    match o {
        Outcome::Passed => "passed",
        Outcome::Failed(_) => "failed",
        Outcome::Indeterminate(_) => "indeterminate",
        Outcome::Absent => "absent",
        Outcome::NotReached => "not_reached",
    }
}

fn steps(t: Tongue, r: &Report, title: &str) -> Markup {
    let whole = match r.verdict() {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::Indeterminate => "indeterminate",
    };
    let failed = r.failed_at().map(|s| t.word(&format!("page-step-{}", s.code()))).unwrap_or_default();
    html! {
        section class=(format!("answer {whole}")) aria-labelledby="answer" {
            p.route { (title) }
            h1 #answer { span.letter aria-hidden="true" { (t.word(&format!("page-letter-{whole}"))) } (t.word(&format!("page-evidence-{whole}"))) }
            p { @if r.verdict() == Verdict::Failed { (t.with("page-evidence-failed-at", &[("step", &failed)])) } @else { (t.word(&format!("page-evidence-means-{whole}"))) } }
            @if let Some(at) = r.stamped_at { p.meta { (t.with("page-stamped-at", &[("moment", &t.moment(at))])) } }
        }
        h2 { (t.word("page-levels")) }
        ul.figures {
            @for level in [Level::Recorded, Level::Witnessed, Level::Sealed, Level::Stamped] {
                @let reached = r.levels.contains(&level);
                li class=(if reached { "passed" } else { "absent" }) {
                    span.badge { span.letter aria-hidden="true" { (if reached { "✓" } else { "–" }) } " " (t.word(&format!("page-level-{}", level.code()))) }
                    span.small { " " (t.word(if reached { "page-level-reached" } else { "page-level-open" })) }
                }
            }
        }
        h2 { (t.word("page-steps")) }
        ol.steps {
            @for s in &r.steps {
                @let outcome = word(&s.outcome);
                li class=(outcome) {
                    b { (t.word(&format!("page-step-{}", s.id.code()))) } " "
                    span class=(format!("badge {outcome}")) { (t.word(&format!("page-outcome-{outcome}"))) }
                    @if let Outcome::Failed(c) | Outcome::Indeterminate(c) = &s.outcome { " " code { (c) } }
                    @if s.outcome == Outcome::Passed { p.proves { (t.word(&format!("page-proves-{}", s.id.code()))) } }
                    @if !s.detail.is_empty() { p.meta lang="en" { (s.detail) } }
                }
            }
        }
        p.small { (t.word("page-evidence-note")) }
    }
}
