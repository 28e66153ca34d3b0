//! Two to six countries side by side: what their law says where they differ; for print, and as CSV.

use super::{Frame, as_of_form, rule_link, tagged, tongue};
use crate::people::{
    State,
    asked::{self, Pairs, place_name},
    law::{self, Standing},
    tongue::Tongue,
};
use crate::problem::{Kind, Problem};
use axum::{
    extract::{Path, Query, State as Held},
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use model::AsOf;
use rulebook::book::Rulebook;
use std::collections::BTreeSet;

/// LIMIT: countries side by side.
const COUNTRIES: std::ops::RangeInclusive<usize> = 2..=6;

/// One thing compared: its name, and for each country what it says, each with the rule that says it.
struct Row {
    name: String,
    cells: Vec<Vec<Said>>,
}

#[derive(PartialEq, Eq)]
struct Said {
    text: String,
    /// The rule and its article, if a rule says it.
    rule: Option<(String, String)>,
}

/// `GET /{tongue}/compare`
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, Query(pairs): Query<Pairs>, headers: HeaderMap) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let book = &state.book;
    let as_of = match asked::days(&pairs, state.day()) {
        Ok(d) => d,
        Err(p) => return super::refused(&uri, &p),
    };
    let mut seen = BTreeSet::new();
    let chosen = pairs.iter().filter(|(n, v)| n == "place" && !v.is_empty()).map(|(_, v)| v.to_uppercase());
    let places: Vec<String> = chosen.filter(|p| seen.insert(p.clone())).collect();
    if let Some(unknown) = places.iter().find(|p| !book.vocabulary.places.contains_key(*p)) {
        return super::refused(&uri, &Problem::of(Kind::NotFound, format!("`{unknown}`")));
    }
    let rows = if COUNTRIES.contains(&places.len()) { rows(t, book, &places, as_of) } else { Vec::new() };
    if pairs.iter().any(|(n, v)| n == "form" && v == "csv") {
        return ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv(&places, &rows)).into_response();
    }
    let tag = format!("{}-{}-{}-{}", book.digest().short(), as_of.on, t.code(), places.join("."));
    tagged(&headers, &tag, || {
        let kept: Pairs = places.iter().map(|p| ("place".to_string(), p.clone())).collect();
        let body = html! {
            h1 { (t.word("page-compare-title")) }
            p.lead { (t.word("page-compare-lead")) }
            (form(t, book, &places))
            @if COUNTRIES.contains(&places.len()) {
                (as_of_form(t, &format!("/{}/compare", t.code()), &kept, as_of))
                (table(t, book, &places, &rows, as_of))
                p { a href=(format!("/{}/compare?{}&as_of={}&form=csv", t.code(), asked::query(&kept), as_of.on)) { (t.word("page-compare-csv")) } }
            } @else if !places.is_empty() {
                p.note.warn { (t.word("page-compare-count")) }
            }
        };
        Frame::new(t, &uri, "countries", t.word("page-compare-title")).render(&state, body)
    })
}

fn form(t: Tongue, book: &Rulebook, places: &[String]) -> Markup {
    let mut names: Vec<(&String, &str)> = book.vocabulary.places.iter().map(|(c, n)| (c, t.text(n))).collect();
    names.sort_by(|a, b| a.1.cmp(b.1));
    html! {
        form method="get" action=(format!("/{}/compare", t.code())) {
            fieldset.picks {
                legend { (t.word("page-compare-places")) }
                @for n in 0..*COUNTRIES.end() {
                    select name="place" aria-label=(t.with("page-compare-place", &[("n", &(n + 1).to_string())])) {
                        option value="" { "–" }
                        @for (code, name) in &names { option value=(code) selected[places.get(n) == Some(*code)] { (name) } }
                    }
                }
            }
            div.actions { button { (t.word("page-compare-go")) } }
        }
    }
}

/// Only what differs: a row in which every country says the same is left out.
fn rows(t: Tongue, book: &Rulebook, places: &[String], as_of: AsOf) -> Vec<Row> {
    let layers: Vec<_> = places.iter().map(|p| law::layers_of(book, p, as_of).0).collect();
    let plain = |text: &str| Said { text: text.to_string(), rule: None };
    let of_layers = |say: &dyn Fn(&rulebook::law::Layer) -> Vec<Said>| -> Vec<Vec<Said>> { layers.iter().map(|ls| ls.iter().flat_map(|l| say(l)).collect()).collect() };
    let mut out = vec![
        Row { name: t.word("page-laws"), cells: of_layers(&|l| vec![plain(t.text(&l.label))]) },
        Row { name: t.word("page-authority"), cells: of_layers(&|l| vec![plain(t.text(&l.authority))]) },
    ];
    let rules = law::rules(book);
    for kind in ["scope", "out", "bar", "gate", "route", "obligation"] {
        let said = |l: &rulebook::law::Layer| {
            let here = rules.iter().filter(|r| r.kind == kind && r.layer == Some(l.id.as_str()) && Standing::of(r.head, as_of) == Standing::InForce);
            here.map(|r| Said { text: t.text(&r.head.says).to_string(), rule: Some((r.head.id.clone(), t.cite(r.head.cites_on(as_of.on)).into_owned())) }).collect()
        };
        out.push(Row { name: t.word(&format!("page-kind-{kind}")), cells: of_layers(&said) });
    }
    out.push(Row { name: t.word("page-gaps"), cells: of_layers(&|l| l.gaps.iter().map(|g| plain(t.text(&g.says))).collect()) });
    out.push(Row { name: t.word("not-checked"), cells: of_layers(&|l| vec![plain(t.text(&l.not_checked))]) });
    for cell in out.iter_mut().flat_map(|row| &mut row.cells) {
        // Two laws of one authority name it once; a law that names none names nothing.
        let mut seen = Vec::new();
        cell.retain(|said| !said.text.is_empty() && (said.rule.is_some() || !seen.contains(&said.text)) && {
            seen.push(said.text.clone());
            true
        });
    }
    out.retain(|r| r.cells.windows(2).any(|w| w.first() != w.get(1)));
    out
}

fn table(t: Tongue, book: &Rulebook, places: &[String], rows: &[Row], as_of: AsOf) -> Markup {
    let caption = t.with("page-compare-caption", &[("day", &t.day(as_of.on))]);
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.stack.wide {
                caption { (caption) }
                thead { tr { th scope="col" { (t.word("page-rule")) } @for p in places { th scope="col" { a href=(format!("/{}/country/{p}", t.code())) { (place_name(book, t, p)) } } } } }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" { (row.name) }
                            @for (cell, place) in row.cells.iter().zip(places) {
                                td data-label=(place_name(book, t, place)) { @if cell.is_empty() { "–" } @else { ul { @for said in cell { li { (said.text) @if let Some((id, cites)) = &said.rule { " " a.small href=(rule_link(t, id, as_of.on)) { (cites) } } } } } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn csv(places: &[String], rows: &[Row]) -> String {
    let quoted = |s: &str| format!("\"{}\"", s.replace('"', "\"\""));
    let mut out = std::iter::once(quoted("")).chain(places.iter().map(|p| quoted(p))).collect::<Vec<_>>().join(",") + "\r\n";
    for row in rows {
        let cell = |cell: &Vec<Said>| {
            let lines: Vec<String> = cell.iter().map(|s| s.rule.as_ref().map_or_else(|| s.text.clone(), |(_, cites)| format!("{} ({cites})", s.text))).collect();
            quoted(&lines.join("\n"))
        };
        out += &(std::iter::once(quoted(&row.name)).chain(row.cells.iter().map(cell)).collect::<Vec<_>>().join(",") + "\r\n");
    }
    out
}
