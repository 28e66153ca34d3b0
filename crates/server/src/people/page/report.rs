//! How good the rulebook is: what it covers, how its rules were read, and how old the readings are.

use super::{Frame, tagged, time, tongue};
use crate::people::{State, asked::escape, law::{self, Rule, Standing}, tongue::{Tongue, word_of}};
use axum::{extract::{Path, State as Held}, http::{HeaderMap, Uri}, response::Response};
use maud::{Markup, html};
use model::AsOf;
use rulebook::{book::Rulebook, census};
use std::collections::BTreeMap;

/// `GET /{tongue}/report`
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let book = &state.book;
    let as_of = AsOf::then(state.day());
    let tag = format!("{}-{}-{}", book.digest().short(), as_of.on, t.code());
    tagged(&headers, &tag, || {
        let whole = state.whole();
        let book: &Rulebook = &whole;
        let rules = law::rules(book);
        let covered = book.vocabulary.places.keys().filter(|p| book.layers.values().any(|l| law::is_covered(book, l, p, as_of))).count();
        let figures = [
            ("page-fig-layers", book.layers.len()),
            ("page-fig-rules", rules.len()),
            ("page-fig-places", covered),
            ("page-fig-lists", book.lists.len()),
            ("page-fig-cases", book.cases.len()),
            ("page-fig-disputed", book.disputed.len()),
        ];
        let body = html! {
            h1 { (t.word("page-nav-report")) }
            p.lead { (t.word("page-report-lead")) }
            ul.figures { @for (id, n) in figures { li { b { (n) } (t.word(id)) } } }
            p.small { (t.word("page-rulebook")) " " code { (book.digest()) } }
            h2 { (t.word("page-report-review")) }
            (states(t, &rules))
            h2 { (t.word("page-report-layers")) }
            (layers(t, book, as_of))
            p { a href=(format!("/{}/hygiene", t.code())) { (t.word("page-hygiene")) } }
            h2 { (t.word("page-report-gaps")) }
            p { (t.with("page-report-uncovered", &[("n", &(book.vocabulary.places.len() - covered).to_string())])) }
            @for l in book.layers.values().filter(|l| !l.gaps.is_empty()) {
                h3 { (t.text(&l.label)) }
                ul { @for g in &l.gaps { li { (t.text(&g.says)) } } }
            }
            h2 { (t.word("page-report-disputed")) }
            ul.cards { @for d in book.disputed.values() { li { p.cite { (t.text(&d.question)) } p { "a. " (t.text(&d.a)) } p { "b. " (t.text(&d.b)) } } } }
        };
        Frame::new(t, &uri, "report", t.word("page-nav-report")).render(&state, body)
    })
}

/// Rules by review state and by what was read, with a bar that repeats the number.
fn states(t: Tongue, rules: &[Rule<'_>]) -> Markup {
    let mut counts: BTreeMap<(model::citation::Review, model::citation::Seen), usize> = BTreeMap::new();
    for r in rules {
        *counts.entry((r.head.review, r.head.seen)).or_default() += 1;
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label=(t.word("page-report-review")) {
            table.stack {
                thead { tr { th scope="col" { (t.word("page-review")) } th scope="col" { (t.word("page-seen")) } th.n scope="col" { (t.word("page-fig-rules")) } th scope="col" { (t.word("page-share")) } } }
                tbody {
                    @for ((review, seen), n) in &counts {
                        @let share = n * 100 / rules.len().max(1);
                        tr {
                            th scope="row" { (t.word(&format!("review-{}", word_of(review)))) }
                            td data-label=(t.word("page-seen")) { (t.word(&format!("seen-{}", word_of(seen)))) }
                            td.n data-label=(t.word("page-fig-rules")) { (n) }
                            td data-label=(t.word("page-share")) { svg.bar viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" { rect width=(share) height="4" {} } (share) " %" }
                        }
                    }
                }
            }
        }
    }
}

fn layers(t: Tongue, book: &Rulebook, as_of: AsOf) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(t.word("page-report-layers")) {
            table.stack {
                thead { tr {
                    th scope="col" { (t.word("page-layer")) } th.n scope="col" { (t.word("page-tier")) } th.n scope="col" { (t.word("page-fig-in-force")) } th.n scope="col" { (t.word("page-col-rules")) }
                    th.n scope="col" { (t.word("page-col-entries")) } th.n scope="col" { (t.word("page-col-cases")) }
                    th scope="col" { (t.word("page-weakest-review")) } th scope="col" { (t.word("page-oldest")) } th.n scope="col" { (t.word("page-gaps")) }
                } }
                tbody {
                    @for count in census::layers(book) {
                        @let (l, own) = (count.layer, &count.rules);
                        @let weakest = own.iter().map(|r| r.head.review).min();
                        @let oldest = own.iter().map(|r| r.head.read).min();
                        tr {
                            th scope="row" { a href=(format!("/{}/layer/{}", t.code(), escape(&l.id))) { (t.text(&l.label)) } }
                            td.n data-label=(t.word("page-tier")) { (l.tier) }
                            td.n data-label=(t.word("page-fig-in-force")) { (own.iter().filter(|r| Standing::of(r.head, as_of) == Standing::InForce).count()) }
                            td.n data-label=(t.word("page-col-rules")) { (own.len()) }
                            td.n data-label=(t.word("page-col-entries")) { (count.entries) }
                            td.n data-label=(t.word("page-col-cases")) { (count.cases) }
                            td data-label=(t.word("page-weakest-review")) { @if let Some(w) = weakest { (t.of_value("review-", &w)) } }
                            td data-label=(t.word("page-oldest")) { @if let Some(o) = oldest { (time(t, o)) } }
                            td.n data-label=(t.word("page-gaps")) { (l.gaps.len()) }
                        }
                    }
                }
            }
        }
        p.small { (t.count("page-cases-note", census::cases_by_verdict_alone(book))) " " (t.word("page-tier-note")) }
    }
}
