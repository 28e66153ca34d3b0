//! When the law turns: the days on which rules begin and end.

use super::{Frame, rule_link, tagged, time, tongue};
use crate::people::{State, asked::{Pairs, place_name}, law::{self, Rule, Turn}, tongue::Tongue};
use axum::{extract::{Path, Query, State as Held}, http::{HeaderMap, Uri}, response::Response};
use maud::{Markup, html};
use model::CivilDate;
use rulebook::book::Rulebook;

/// Days of the past at once; the others behind a fold.
const PAST: usize = 12;
/// Rules of a day at once.
const RULES: usize = 6;

/// `GET /{tongue}/changes`
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, Query(pairs): Query<Pairs>, headers: HeaderMap) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let layer = pairs.iter().find(|(n, v)| n == "layer" && !v.is_empty()).map(|(_, v)| v.clone());
    let book = &state.book;
    let today = state.day();
    let tag = format!("{}-{today}-{}-{}", book.digest().short(), t.code(), layer.as_deref().unwrap_or("all"));
    if layer.as_ref().is_some_and(|l| !book.layers.contains_key(l)) {
        return super::refused(&uri, &crate::problem::Problem::of(crate::problem::Kind::NotFound, ""));
    }
    tagged(&headers, &tag, || {
        let turns = law::turns(book, |r| layer.as_deref().is_none_or(|l| r.layer == Some(l)));
        let (mut coming, past): (Vec<_>, Vec<_>) = turns.into_iter().partition(|x| x.on > today);
        coming.reverse();
        let body = html! {
            h1 { (t.word("page-nav-changes")) }
            p.lead { (t.word("page-changes-lead")) }
            form.asof method="get" action=(format!("/{}/changes", t.code())) {
                label for="layer" { (t.word("page-layer")) }
                select #layer name="layer" {
                    option value="" { (t.word("page-all-layers")) }
                    @for l in book.layers.values() { option value=(l.id) selected[layer.as_deref() == Some(l.id.as_str())] { (t.text(&l.label)) } }
                }
                button.plain { (t.word("page-show")) }
            }
            p.small.noprint { a href=(format!("/feed.atom?lang={}", t.code())) type="application/atom+xml" { "Atom" } " · " a href=(format!("/feed.json?lang={}", t.code())) type="application/feed+json" { "JSON Feed" } }
            h2 { (t.word("page-coming")) }
            @if coming.is_empty() { p { (t.word("page-coming-none")) } }
            ol.steps { @for x in &coming { (turn(t, book, x, today)) } }
            h2 { (t.word("page-past")) }
            ol.steps { @for x in past.iter().take(PAST) { (turn(t, book, x, today)) } }
            @if past.len() > PAST {
                details { summary { (t.count("page-more-days", past.len() - PAST)) } ol.steps { @for x in past.iter().skip(PAST) { (turn(t, book, x, today)) } } }
            }
        };
        Frame::new(t, &uri, "changes", t.word("page-nav-changes")).render(&state, body)
    })
}

fn turn(t: Tongue, book: &Rulebook, x: &Turn<'_>, today: CivilDate) -> Markup {
    let left = x.on.days_since_epoch() - today.days_since_epoch();
    html! {
        li {
            h3 { (time(t, x.on)) @if left > 0 { " " span.tag { (t.count("page-days-left", usize::try_from(left).unwrap_or(0))) } } }
            p.small { a href=(format!("/{}/effect/{}", t.code(), x.on)) { (t.word("page-effect-link")) } }
            (rules(t, book, "page-begins", &x.begin, x.on))
            (rules(t, book, "page-ends", &x.end, x.on.plus_days(-1)))
            (rules(t, book, "page-was-annulled", &x.annulled, x.on))
            (rules(t, book, "page-was-published", &x.published, x.on))
        }
    }
}

fn rules(t: Tongue, book: &Rulebook, word: &str, rules: &[Rule<'_>], on: CivilDate) -> Markup {
    if rules.is_empty() {
        return html! {};
    }
    let items = lines(t, book, rules, on);
    let shown = RULES.min(items.len());
    let (first, rest) = items.split_at(shown);
    html! {
        p { b { (t.word(word)) } }
        ul { @for i in first { li { (i) } } }
        @if !rest.is_empty() { details { summary { (t.count("page-more", rest.len())) } ul { @for i in rest { li { (i) } } } } }
    }
}

/// A line for each rule; the entries of one list that one text makes share a line.
fn lines(t: Tongue, book: &Rulebook, rules: &[Rule<'_>], on: CivilDate) -> Vec<Markup> {
    let mut out = Vec::new();
    let mut groups: Vec<(&str, &str, Vec<&Rule<'_>>)> = Vec::new();
    for r in rules {
        match r.head.id.split_once('#').filter(|_| r.kind == "entry") {
            None => out.push(html! { a href=(rule_link(t, &r.head.id, on)) { (t.cite(r.head.cites_on(on))) } " – " (t.text(&r.head.says)) }),
            Some((list, _)) => match groups.iter_mut().find(|(l, c, _)| *l == list && *c == r.head.cites) {
                Some((_, _, all)) => all.push(r),
                None => groups.push((list, &r.head.cites, vec![r])),
            },
        }
    }
    for (list, cites, all) in groups {
        let label = book.lists.get(list).map(|l| t.text(&l.label)).unwrap_or_default();
        out.push(html! {
            b { (t.cite(cites)) } " – " (label) ": "
            @for (i, r) in all.iter().enumerate() {
                @if i > 0 { (t.word("page-comma")) }
                @let key = r.head.id.rsplit('#').next().and_then(|k| k.split('.').next()).unwrap_or_default();
                a href=(rule_link(t, &r.head.id, on)) { (place_name(book, t, key)) }
            }
        });
    }
    out
}
