//! What would have been refused, of what a policy engine of others asked: by rule, by counter-party, by day.

use super::{Frame, refused, rule_link, time, tongue};
use crate::observed::wanted;
use crate::people::{
    State,
    asked::Pairs,
    principal::{Read, Seat},
    tongue::Tongue,
    wall_day,
};
use crate::space::acting;
use axum::{
    extract::{Path, Query, State as Held},
    http::Uri,
    response::Response,
};
use maud::{Markup, html};
use model::CivilDate;
use node::act::check::READ_ONCE;
use node::act::observe::{Counts, Named, OTHERS, Observed, UNNAMED};
use std::collections::BTreeMap;

/// LIMIT: rows of one table; `/v1` and the command have all.
const ROWS_MAX: usize = 200;

/// `GET /{tongue}/observed`
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, Query(pairs): Query<Pairs>, _seat: Seat<Read>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let asked = match wanted(&pairs, wall_day()) {
        Ok(asked) => asked,
        Err(p) => return refused(&uri, &p),
    };
    let (from, until, of) = asked.clone();
    let seen = match acting(&state, move |node| node.observed(from, until, of.as_deref())).await {
        Ok(seen) => seen,
        Err(p) => return refused(&uri, &p),
    };
    let body = html! {
        h1 { (t.word("observed-title")) }
        p.lead { (t.word("observed-lead")) }
        (form(t, &asked))
        p { (t.with("observed-total", &totals(&seen.total).each_ref().map(|(k, v)| (*k, v.as_str())))) }
        @if seen.total.asked == 0 { p { (t.word("observed-none")) } }
        @else { (rules(t, &seen)) (missing(t, &seen.total)) (parties(t, &seen)) (days(t, &seen)) }
        @if seen.left_off { p.note.warn { (t.word("observed-left-off")) } }
    };
    Frame::new(t, &uri, "flows", t.word("observed-title")).render(&state, body)
}

fn totals(c: &Counts) -> [(&'static str, String); 4] {
    [("asked", c.asked.to_string()), ("let", c.let_go.to_string()), ("refused", c.refused.to_string()), ("unjudged", c.unjudged.to_string())]
}

fn form(t: Tongue, (from, until, of): &(CivilDate, CivilDate, Option<String>)) -> Markup {
    html! {
        form.asof method="get" action=(format!("/{}/observed", t.code())) {
            label for="from" { (t.word("observed-from")) }
            input #from type="date" name="from" value=(from.to_string()) required;
            label for="until" { (t.word("observed-until")) }
            input #until type="date" name="until" value=(until.to_string()) required;
            label for="counterparty" { (t.word("observed-counterparty")) }
            input #counterparty name="counterparty" value=(of.as_deref().unwrap_or_default()) maxlength="200" autocomplete="off";
            button.plain { (t.word("page-as-of-go")) }
        }
    }
}

/// A table whose rows become cards on a narrow screen.
fn table(caption: &str, heads: &[String], rows: &[(Markup, Vec<Markup>)]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.stack {
                caption { (caption) }
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody { @for (name, cells) in rows.iter().take(ROWS_MAX) { tr {
                    th scope="row" { (name) }
                    @for (cell, head) in cells.iter().zip(heads.iter().skip(1)) { td data-label=(head) { (cell) } }
                } } }
            }
        }
    }
}

fn rules(t: Tongue, seen: &Observed) -> Markup {
    let mut all: Vec<(&String, &Named)> = seen.total.rules.iter().collect();
    all.sort_by(|a, b| b.1.n.cmp(&a.1.n).then(a.0.cmp(b.0)));
    let rows: Vec<(Markup, Vec<Markup>)> = all
        .into_iter()
        .map(|(id, named)| {
            let cites = if named.article == READ_ONCE { t.word("observed-read-once") } else { t.cite(&named.article).into_owned() };
            let rule = html! { @if id == OTHERS { (other(t, id)) } @else { a href=(rule_link(t, id.split(' ').next().unwrap_or_default(), seen.until)) { (cites) } br; code { (id) } } };
            let mut cures: Vec<(&String, &u64)> = named.cures.iter().collect();
            cures.sort_by(|a, b| b.1.cmp(a.1));
            let cure = html! { @if cures.is_empty() { (t.word("observed-no-cure")) } @for (cure, n) in cures.iter().take(3) { code { (cure) } " (" (n) ") " } };
            (rule, vec![html! { (named.n) }, cure])
        })
        .collect();
    html! { @if !rows.is_empty() { (table(&t.word("observed-rules"), &["observed-rule", "observed-times", "observed-cure"].map(|id| t.word(id)), &rows)) } }
}

fn missing(t: Tongue, total: &Counts) -> Markup {
    let mut all: Vec<(&String, &u64)> = total.missing.iter().collect();
    all.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let rows: Vec<(Markup, Vec<Markup>)> = all.into_iter().map(|(slot, n)| (html! { code { (slot) } }, vec![html! { (n) }])).collect();
    html! { @if !rows.is_empty() { (table(&t.word("observed-missing"), &["observed-fact", "observed-times"].map(|id| t.word(id)), &rows)) } }
}

fn other(t: Tongue, name: &str) -> String {
    match name {
        OTHERS => t.word("observed-others"),
        UNNAMED => t.word("observed-unnamed"),
        named => named.to_owned(),
    }
}

fn numbers(c: &Counts) -> Vec<Markup> {
    [c.asked, c.let_go, c.refused, c.unjudged].map(|n| html! { (n) }).into()
}

fn heads(t: Tongue, first: &str) -> [String; 5] {
    [first, "observed-asked", "observed-let", "observed-refused", "observed-unjudged"].map(|id| t.word(id))
}

fn parties(t: Tongue, seen: &Observed) -> Markup {
    let mut by: BTreeMap<&str, Counts> = BTreeMap::new();
    seen.days.iter().for_each(|d| by.entry(&d.counterparty).or_default().add(&d.counts));
    let mut all: Vec<(&str, Counts)> = by.into_iter().collect();
    all.sort_by_key(|(_, c)| std::cmp::Reverse(c.refused));
    let rows: Vec<(Markup, Vec<Markup>)> = all.iter().map(|(name, c)| (html! { (other(t, name)) }, numbers(c))).collect();
    table(&t.word("observed-parties"), &heads(t, "observed-counterparty"), &rows)
}

fn days(t: Tongue, seen: &Observed) -> Markup {
    let mut by: BTreeMap<CivilDate, Counts> = BTreeMap::new();
    seen.days.iter().for_each(|d| by.entry(d.day).or_default().add(&d.counts));
    let rows: Vec<(Markup, Vec<Markup>)> = by.iter().rev().map(|(day, c)| (time(t, *day), numbers(c))).collect();
    table(&t.word("observed-days"), &heads(t, "observed-day"), &rows)
}
