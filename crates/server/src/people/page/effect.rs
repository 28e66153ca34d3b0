//! What the law of a day changes: each region in which a layer answers otherwise than the day before, with a transfer that
//! shows it.

use super::verdict::{slot_label, values_label};
use super::{Frame, badge, rule_link, tongue};
use crate::people::{State, asked::{Pairs, query, too_many}, tongue::Tongue};
use crate::problem::{Kind, Problem};
use axum::{extract::{Path, State as Held}, http::Uri, response::Response};
use decide::change::{self, Region, Side, Stands};
use decide::decision::Verdict;
use maud::{Markup, html};
use model::{AsOf, CivilDate, fact::Said};
use rulebook::book::Rulebook;

/// LIMIT: regions at once; a change as large is read layer by layer.
const REGIONS: usize = 60;

/// `GET /{tongue}/effect/{day}`
pub async fn get(Held(state): Held<State>, Path((code, day)): Path<(String, String)>, uri: Uri) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let Ok(on) = day.parse::<CivilDate>() else {
        return super::refused(&uri, &Problem::of(Kind::NotFound, format!("`{day}`")));
    };
    let found = state
        .think(move |engine| {
            let (mut before, mut after) = (engine.revised(engine.book.clone()), engine.revised(engine.book.clone()));
            change::effect(&mut before, AsOf::then(on.plus_days(-1)), &mut after, AsOf::then(on)).map_err(too_many)
        })
        .await
        .and_then(|f| f);
    let regions: Vec<Region> = match found {
        Ok(found) => found.into_iter().filter(Region::turns).collect(),
        Err(p) => return super::refused(&uri, &p),
    };
    let book = &state.book;
    let body = html! {
        h1 { (t.with("page-effect-title", &[("day", &t.day(on))])) }
        p.lead { (t.word("page-effect-lead")) }
        nav.days aria-label=(t.word("page-effect-days")) {
            @for (day, arrow) in [(on.plus_days(-1), "← "), (on.plus_days(1), "→ ")] {
                a href=(format!("/{}/effect/{day}", t.code())) { (arrow) (t.day(day)) }
            }
            a href=(format!("/{}/changes", t.code())) { (t.word("page-nav-changes")) }
        }
        @if regions.is_empty() { p { (t.word("page-effect-none")) } }
        @else {
            p { (t.count("page-effect-regions", regions.len())) }
            div.scroll tabindex="0" role="region" aria-label=(t.with("page-effect-title", &[("day", &t.day(on))])) {
                table.stack.wide {
                    thead { tr { th scope="col" { (t.word("page-layer")) } th scope="col" { (t.word("page-effect-before")) } th scope="col" { (t.word("page-effect-after")) } th scope="col" { (t.word("page-effect-witness")) } } }
                    tbody { @for r in regions.iter().take(REGIONS) { (row(t, book, r, on)) } }
                }
            }
        }
    };
    Frame::new(t, &uri, "changes", t.with("page-effect-title", &[("day", &t.day(on))])).render(&state, body)
}

fn row(t: Tongue, book: &Rulebook, r: &Region, on: CivilDate) -> Markup {
    let label = book.layers.get(&r.layer).map_or(r.layer.as_str(), |l| t.text(&l.label));
    let facts: Pairs = r.witness.iter().map(|(s, v)| (s.clone(), plain(v))).collect();
    let at = |day: CivilDate| {
        let pairs: Pairs = facts.iter().cloned().chain([("as_of".to_string(), day.to_string())]).collect();
        format!("/{}/verdict?{}", t.code(), query(&pairs))
    };
    html! {
        tr {
            th scope="row" { (label) }
            td data-label=(t.word("page-effect-before")) { (side(t, book, &r.before, on.plus_days(-1))) @if let Some((v, _)) = r.verdicts { (together(t, v, &at(on.plus_days(-1)))) } }
            td data-label=(t.word("page-effect-after")) { (side(t, book, &r.after, on)) @if let Some((_, v)) = r.verdicts { (together(t, v, &at(on))) } }
            td data-label=(t.word("page-effect-witness")) {
                @let (ends, rest): (Vec<_>, Vec<_>) = r.witness.iter().partition(|(slot, _)| slot.ends_with(".place"));
                @for (slot, said) in ends { div { span.meta { (slot_label(t, book, slot)) } " " b { (values_label(t, book, slot, said)) } } }
                @if !rest.is_empty() {
                    details {
                        summary { (t.count("page-effect-facts", rest.len())) }
                        @for (slot, said) in rest { div.meta { (slot_label(t, book, slot)) ": " span { (values_label(t, book, slot, said)) } } }
                    }
                }
            }
        }
    }
}

/// What all laws together answer, beside what this one says.
fn together(t: Tongue, verdict: Verdict, address: &str) -> Markup {
    html! { div.meta { (t.word("page-effect-together")) } a href=(address) { (badge(t, verdict)) } }
}

fn plain(said: &Said) -> String {
    node::question::plain(said)
}

fn side(t: Tongue, book: &Rulebook, s: &Side, on: CivilDate) -> Markup {
    let word = match s.stands {
        Stands::Outside => "effect-outside",
        Stands::Open => "effect-open",
        Stands::Refused => "effect-refused",
    };
    html! {
        (t.word(word))
        @if let Some(h) = s.clause.as_ref().and_then(|c| book.head(c)) { br; a.small href=(rule_link(t, &h.id, on)) { (t.cite(h.cites_on(on))) } }
    }
}
