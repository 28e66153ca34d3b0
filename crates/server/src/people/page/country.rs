//! The law of a place: its layers, each rule one line; gaps are listed openly.

use super::{Frame, as_of_form, rule_link, span_of, tagged, tongue};
use crate::people::{
    State,
    asked::{self, Pairs, place_name},
    law::{self, Rule, Standing},
    tongue::Tongue,
};
use crate::problem::{Kind, Problem};
use axum::{extract::{Path, Query, State as Held}, http::{HeaderMap, Uri}, response::Response};
use maud::{Markup, html};
use model::AsOf;
use rulebook::{book::Rulebook, law::{Head, Layer, Start}};

/// `GET /{tongue}/countries`
pub async fn all(Held(state): Held<State>, Path(code): Path<String>, uri: Uri) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let book = &state.book;
    let as_of = AsOf::then(state.day());
    let mut places: Vec<(&String, &str)> = book.vocabulary.places.iter().map(|(c, n)| (c, t.text(n))).collect();
    places.sort_by(|a, b| a.1.cmp(b.1));
    let held = |code: &str| book.layers.values().filter(|l| law::is_covered(book, l, code, as_of)).collect::<Vec<_>>();
    let (ours, others): (Vec<_>, Vec<_>) = places.into_iter().partition(|(c, _)| !held(c).is_empty());
    let body = html! {
        h1 { (t.word("page-nav-countries")) }
        p.lead { (t.word("page-countries-lead")) }
        p { a href=(format!("/{}/compare", t.code())) { (t.word("page-compare-title")) } }
        h2 { (t.word("page-places-covered")) }
        div.scroll tabindex="0" role="region" aria-label=(t.word("page-places-covered")) {
            table.stack {
                thead { tr { th scope="col" { (t.word("page-place")) } th scope="col" { (t.word("page-general-law")) } } }
                tbody {
                    @for (code, name) in &ours {
                        tr { th scope="row" { a href=(format!("/{}/country/{code}", t.code())) { (name) } } td { @for l in held(code) { div { (t.text(&l.label)) } } } }
                    }
                }
            }
        }
        h2 { (t.word("page-places-others")) }
        p { (t.word("page-places-others-lead")) }
        ul.places { @for (code, name) in &others { li { a href=(format!("/{}/country/{code}", t.code())) { (name) } } } }
    };
    Frame::new(t, &uri, "countries", t.word("page-nav-countries")).render(&state, body)
}

/// `GET /{tongue}/country/{place}`
pub async fn get(
    Held(state): Held<State>,
    Path((code, place)): Path<(String, String)>,
    uri: Uri,
    Query(pairs): Query<Pairs>,
    headers: HeaderMap,
) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let book = &state.book;
    if !book.vocabulary.places.contains_key(&place) {
        return super::refused(&uri, &Problem::of(Kind::NotFound, format!("`{place}`")));
    }
    let as_of = match asked::days(&pairs, state.day()) {
        Ok(d) => d,
        Err(p) => return super::refused(&uri, &p),
    };
    let tag = format!("{}-{}-{}", book.digest().short(), as_of.on, t.code());
    tagged(&headers, &tag, || {
        let name = place_name(book, t, &place);
        let (here, maybe) = law::layers_of(book, &place, as_of);
        let body = html! {
            h1 { (name) " " span.tag { (place) } }
            p.lead { (t.with("page-country-lead", &[("place", &name)])) }
            (as_of_form(t, &format!("/{}/country/{place}", t.code()), &Pairs::new(), as_of))
            @if here.is_empty() { p.note.warn { (t.with("page-country-none", &[("place", &name)])) } }
            @else { nav aria-label=(t.word("page-layers")) { ul { @for l in &here { li { a href=(format!("#{}", l.id)) { (t.text(&l.label)) } } } } } }
            @for l in &here { (layer_section(t, book, l, as_of, 2)) }
            (as_destination(t, book, &place, as_of))
            @if !maybe.is_empty() {
                h2 { (t.word("page-may-reach")) }
                p { (t.word("page-may-reach-lead")) }
                ul { @for l in &maybe { li { a href=(format!("/{}/layer/{}", t.code(), asked::escape(&l.id))) { (t.text(&l.label)) } } } }
            }
        };
        Frame::new(t, &uri, "countries", name.clone()).render(&state, body)
    })
}

/// `GET /{tongue}/layer/{layer}`
pub async fn layer(
    Held(state): Held<State>,
    Path((code, id)): Path<(String, String)>,
    uri: Uri,
    Query(pairs): Query<Pairs>,
    headers: HeaderMap,
) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let book = &state.book;
    let as_of = match asked::days(&pairs, state.day()) {
        Ok(d) => d,
        Err(p) => return super::refused(&uri, &p),
    };
    let Some(l) = book.layers.get(&id) else {
        return super::refused(&uri, &Problem::of(Kind::NotFound, format!("`{id}`")));
    };
    let tag = format!("{}-{}-{}", book.digest().short(), as_of.on, t.code());
    tagged(&headers, &tag, || {
        let body = html! {
            (as_of_form(t, &format!("/{}/layer/{}", t.code(), asked::escape(&id)), &Pairs::new(), as_of))
            (layer_section(t, book, l, as_of, 1))
        };
        Frame::new(t, &uri, "countries", t.text(&l.label)).render(&state, body)
    })
}

/// One layer: what it checks and does not, its gaps, and its rules, a line each.
fn layer_section(t: Tongue, book: &Rulebook, l: &Layer, as_of: AsOf, level: u8) -> Markup {
    let rules: Vec<Rule<'_>> = law::rules(book).into_iter().filter(|r| r.layer == Some(l.id.as_str())).collect();
    let (now, then): (Vec<_>, Vec<_>) = rules.into_iter().partition(|r| Standing::of(r.head, as_of) == Standing::InForce);
    html! {
        section {
            @if level == 1 { h1 id=(l.id) { (t.text(&l.label)) } } @else { h2 id=(l.id) { (t.text(&l.label)) } }
            dl {
                dt { (t.word("page-authority")) } dd { (t.text(&l.authority)) }
                dt { (t.word("checked")) } dd { (t.text(&l.checked)) }
                dt { (t.word("not-checked")) } dd { (t.text(&l.not_checked)) }
            }
            @if !l.gaps.is_empty() {
                div.note.warn {
                    b { (t.word("page-gaps")) }
                    ul { @for g in &l.gaps { li { (t.text(&g.says)) } } }
                }
            }
            @if now.is_empty() { p { (t.word("page-no-rules")) } } @else { (rule_table(t, &now, as_of, &t.with("page-rules-of", &[("law", t.text(&l.label)), ("day", &t.day(as_of.on))]))) }
            @if !then.is_empty() {
                details {
                    summary { (t.count("page-not-in-force", then.len())) }
                    (rule_table(t, &then, as_of, &t.word("page-rules-other-days")))
                }
            }
        }
    }
}

/// Rules as rows: kind, sentence, article, days, review.
pub fn rule_table(t: Tongue, rules: &[Rule<'_>], as_of: AsOf, caption: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.stack {
                caption { (caption) }
                thead { tr { th scope="col" { (t.word("page-rule")) } th scope="col" { (t.word("page-article")) } th scope="col" { (t.word("page-in-force")) } th scope="col" { (t.word("page-review")) } } }
                tbody { @for r in rules { (rule_row(t, r, as_of)) } }
            }
        }
    }
}

fn rule_row(t: Tongue, r: &Rule<'_>, as_of: AsOf) -> Markup {
    let standing = Standing::of(r.head, as_of);
    html! {
        tr {
            td { span.tag { (t.word(&format!("page-kind-{}", r.kind))) } " " (t.text(&r.head.says)) }
            td { a href=(rule_link(t, &r.head.id, as_of.on)) { (t.cite(r.head.cites_on(as_of.on))) }
                @if r.head.source.starts_with("https://") { br; a.small href=(r.head.source) rel="noreferrer external" aria-label=(format!("{}: {}", t.word("page-official"), r.head.cites)) { (t.word("page-official")) } } }
            td { (span_of(t, start(r.head), r.head.until)) @if standing != Standing::InForce { br; b { (t.word(&format!("page-standing-{}", standing.word()))) } } }
            td { (t.of_value("review-", &r.head.review)) br; span.small { (t.of_value("seen-", &r.head.seen)) } }
        }
    }
}

/// The first day in force, when it is set.
pub fn start(head: &Head) -> Option<model::CivilDate> {
    match head.from {
        Start::On(d) => Some(d),
        Start::Unknown => None,
    }
}

/// The lists that name a place.
fn as_destination(t: Tongue, book: &Rulebook, place: &str, as_of: AsOf) -> Markup {
    let rows: Vec<_> = book
        .lists
        .values()
        .flat_map(|l| l.entries.iter().map(move |e| (l, e)))
        .filter(|(_, e)| e.key == place || model::place::Place(place.into()).lies_in(&e.key))
        .collect();
    if rows.is_empty() {
        return html! {};
    }
    html! {
        h2 { (t.word("page-on-lists")) }
        div.scroll tabindex="0" role="region" aria-label=(t.word("page-on-lists")) {
            table.stack {
                thead { tr { th scope="col" { (t.word("page-list")) } th scope="col" { (t.word("page-article")) } th scope="col" { (t.word("page-in-force")) } th scope="col" { (t.word("page-note")) } } }
                tbody {
                    @for (list, e) in rows {
                        @let standing = Standing::of(&e.head, as_of);
                        tr {
                            td { (t.text(&list.label)) }
                            td { a href=(rule_link(t, &e.head.id, as_of.on)) { (t.cite(e.head.cites_on(as_of.on))) } }
                            td { (span_of(t, start(&e.head), e.head.until)) @if standing != Standing::InForce { br; b { (t.word(&format!("page-standing-{}", standing.word()))) } } }
                            td { (e.note) }
                        }
                    }
                }
            }
        }
    }
}
