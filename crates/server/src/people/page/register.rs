//! The list of transfers that a firm keeps, pasted: which rows are red, and why.

use super::{Frame, badge, rule_link, tongue};
use crate::people::{
    State,
    asked::{Asked, Pairs, days, query, too_many},
    principal::{Ask, Seat},
    tongue::Tongue,
};
use crate::problem::{Kind, Problem};
use axum::{Form, extract::{Path, Query, State as Held}, http::Uri, response::Response};
use decide::{decision::{ClauseKind, CrossingAnswer, Decision, Missing, Verdict}, engine::Engine};
use maud::{Markup, html};
use model::AsOf;
use node::register::{Column, NAMING, Naming, Row};

/// LIMIT: rows of a list that are answered at once.
pub const ROWS_MAX: usize = 200;
const EXAMPLE: &str = include_str!("../../../../../examples/register/demo-seiki.csv");

/// A list with its answers.
pub struct Answered {
    /// The columns and the facts they stand for.
    pub columns: Vec<Column>,
    /// Each row with its decision, or why it is no transfer.
    pub rows: Vec<(Row, Result<Decision, Problem>)>,
}

/// Reads a table as people paste it: commas, or tabs as a spreadsheet copies them.
pub fn table(text: &str) -> Result<(Vec<String>, Vec<(usize, Vec<String>)>), Problem> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let delimiter = if first.contains('\t') { b'\t' } else if first.contains(';') && !first.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let wrong = |e: csv::Error| Problem::of(Kind::ListNotRead, e.to_string());
    let header: Vec<String> = reader.headers().map_err(wrong)?.iter().map(str::to_string).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let line = record.position().map_or(0, |p| usize::try_from(p.line()).unwrap_or(0));
        if record.iter().any(|c| !c.is_empty()) {
            rows.push((line, record.iter().map(str::to_string).collect()));
        }
        if rows.len() > ROWS_MAX {
            return Err(Problem::of(Kind::TooMany, format!("a list has at most {ROWS_MAX} rows here; `tegata check --register` takes more")));
        }
    }
    match header.len() >= 2 && !rows.is_empty() {
        true => Ok((header, rows)),
        false => Err(Problem::of(Kind::ListNotRead, "a first line with the names of columns, then a line for each transfer")),
    }
}

/// Answers for each row of a list.
pub fn answer(engine: &mut Engine, text: &str, as_of: AsOf) -> Result<Answered, Problem> {
    let (header, rows) = table(text)?;
    let naming = Naming::parse(NAMING).map_err(|e| Problem::of(Kind::WentWrong, e))?;
    let columns = naming.columns(&header, &[]);
    let rows = rows
        .into_iter()
        .map(|(line, cells)| {
            let row = naming.row(&engine.book.vocabulary, &columns, line, &cells);
            let bound = engine.book.bind(&row.transfer()).map_err(|f| Problem::findings(&f));
            let decision = bound.and_then(|b| engine.decide(&b, as_of).map_err(too_many));
            (row, decision)
        })
        .collect();
    Ok(Answered { columns, rows })
}

/// `GET /{tongue}/register`
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, Query(pairs): Query<Pairs>, seat: Seat<Ask>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let text = if pairs.iter().any(|(n, _)| n == "example") { EXAMPLE } else { "" };
    Frame::new(t, &uri, "register", t.word("page-nav-register")).render(&state, form(t, &seat.csrf, text, AsOf::then(state.day())))
}

/// `POST /{tongue}/register`
pub async fn post(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, seat: Seat<Ask>, Form(pairs): Form<Pairs>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let find = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default();
    let text = find("list");
    let checked = seat.check(&find("csrf")).and_then(|()| days(&pairs, state.day()));
    let as_of = match checked {
        Ok(d) => d,
        Err(p) => return super::refused(&uri, &p),
    };
    let list = text.clone();
    let answered = state.think(move |engine| answer(engine, &list, as_of)).await.and_then(|a| a);
    let body = match answered {
        Err(p) => html! {
            div.note.warn role="alert" { p { b { (t.word(&format!("page-problem-{}", p.kind().slug()))) } } p { (p.detail()) } }
            (form(t, &seat.csrf, &text, as_of))
        },
        Ok(a) => results(t, &state, &a, &seat.csrf, &text, as_of),
    };
    Frame::new(t, &uri, "register", t.word("page-nav-register")).render(&state, body)
}

fn form(t: Tongue, csrf: &str, text: &str, as_of: AsOf) -> Markup {
    html! {
        h1 { (t.word("page-nav-register")) }
        p.lead { (t.word("page-register-lead")) }
        (fields(t, csrf, text, as_of))
    }
}

fn fields(t: Tongue, csrf: &str, text: &str, as_of: AsOf) -> Markup {
    html! {
        form method="post" action=(format!("/{}/register", t.code())) {
            input type="hidden" name="csrf" value=(csrf);
            div.field {
                label for="list" { (t.word("page-register-list")) span.hint { (t.word("page-register-hint")) } }
                textarea #list name="list" required spellcheck="false" { (text) }
            }
            div.field { label for="as_of" { (t.word("page-check-day")) } input #as_of type="date" name="as_of" value=(as_of.on.to_string()); }
            div.actions {
                button { (t.word("page-register-go")) }
                a.button.plain href=(format!("/{}/register?example=1", t.code())) { (t.word("page-register-example")) }
            }
        }
    }
}

fn results(t: Tongue, state: &State, a: &Answered, csrf: &str, text: &str, as_of: AsOf) -> Markup {
    let mut rows: Vec<&(Row, Result<Decision, Problem>)> = a.rows.iter().collect();
    let weight = |d: &Result<Decision, Problem>| d.as_ref().map_or(9, |d| d.verdict.severity());
    rows.sort_by_key(|(r, d)| (std::cmp::Reverse(weight(d)), r.line));
    let of = |v: Verdict| a.rows.iter().filter(|(_, d)| d.as_ref().is_ok_and(|d| d.verdict == v)).count();
    let all = [Verdict::Prohibited, Verdict::Undetermined, Verdict::Conditional, Verdict::Permitted, Verdict::OutOfScope];
    let caption = t.with("page-register-caption", &[("n", &a.rows.len().to_string()), ("day", &t.day(as_of.on))]);
    let unused: Vec<&str> = a.columns.iter().filter(|c| c.slot.is_none()).map(|c| c.header.as_str()).collect();
    html! {
        h1 { (t.word("page-register-answers")) }
        ul.figures { @for v in all { @if of(v) > 0 { li { b { (of(v)) } (badge(t, v)) } } } }
        @if !unused.is_empty() { p.note.warn { (t.word("page-register-unused")) " " (unused.join(", ")) } }
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.stack {
                caption { (caption) }
                thead { tr { th scope="col" { (t.word("page-register-row")) } th scope="col" { (t.word("page-answer")) } th scope="col" { (t.word("because")) } th scope="col" { (t.word("page-register-next")) } } }
                tbody { @for (row, decision) in rows { (result(t, state, row, decision, as_of)) } }
            }
        }
        details { summary { (t.word("page-register-again")) } (fields(t, csrf, text, as_of)) }
    }
}

fn result(t: Tongue, state: &State, row: &Row, decision: &Result<Decision, Problem>, as_of: AsOf) -> Markup {
    let asked = Asked { flat: row.facts.clone(), as_of, past: false };
    html! {
        tr {
            th scope="row" { (row.id) @if let Some(way) = way(t, state, row) { br; span.way { (way) } } br; span.small { (t.with("page-line", &[("n", &row.line.to_string())])) }
                @for (header, value) in &row.not_understood { br; span.small { (t.with("page-not-understood", &[("column", header), ("value", value)])) } } }
            @match decision {
                Err(p) => { td { (t.word("page-register-unread")) } td colspan="2" data-label=(t.word("because")) { (p.detail()) } }
                Ok(d) => {
                    td { a href=(format!("/{}/verdict?{}", t.code(), query(&asked.pairs()))) aria-label=(format!("{}: {}", row.id, t.word(&format!("verdict-{}", d.verdict.word())))) { (badge(t, d.verdict)) } }
                    @match d.worst() {
                        Some(c) => { td data-label=(t.word("because")) { (articles(t, c, as_of)) } td data-label=[first(c).then(|| t.word("page-register-next"))] { (next(t, state, c)) } }
                        None => { td {} td {} }
                    }
                }
            }
        }
    }
}

/// From where to where a row goes and what it carries, as far as the row says.
fn way(t: Tongue, state: &State, row: &Row) -> Option<String> {
    let said = |slot: &str| row.facts.iter().find(|(s, _)| s == slot).map(|(_, said)| super::verdict::values_label(t, &state.book, slot, said));
    let ends = [said("exporter.place"), said("recipient.place")];
    let somewhere = || t.word("page-somewhere");
    let [from, to] = ends.map(|end| end.filter(|text| !text.is_empty()));
    let way = (from.is_some() || to.is_some()).then(|| format!("{} → {}", from.unwrap_or_else(somewhere), to.unwrap_or_else(somewhere)));
    let carries = said("data.categories").filter(|text| !text.is_empty());
    match (way, carries) {
        (Some(way), Some(what)) => Some(format!("{way} · {what}")),
        (way, what) => way.or(what),
    }
}

fn articles(t: Tongue, c: &CrossingAnswer, as_of: AsOf) -> Markup {
    let mut shown: Vec<_> = c.deciding.iter().filter(|d| (d.kind != ClauseKind::Route || c.verdict.opens()) && d.kind != ClauseKind::Gap).collect();
    shown.dedup_by_key(|d| d.citation.cites.clone());
    html! { @for d in shown.iter().take(2) { div { a href=(rule_link(t, &d.id, as_of.on)) { (t.cite(&d.citation.cites)) } } } }
}

/// Whether there is something to do first.
fn first(c: &CrossingAnswer) -> bool {
    matches!(c.verdict, Verdict::Conditional | Verdict::Undetermined) || c.verdict == Verdict::Prohibited && c.deciding.iter().any(|d| d.beside.is_some())
}

/// The first thing to do: the cheapest way, the first question, or another transfer that would pass.
fn next(t: Tongue, state: &State, c: &CrossingAnswer) -> Markup {
    match c.verdict {
        Verdict::Conditional => html! {
            @if let Some(r) = c.remedies.first() {
                @for m in &r.measures { div { (t.text(&m.label)) " " span.tag { (t.with("decides", &[("who", &t.who(&m.decides))])) } } }
                span.small { (super::verdict::cost(t, r)) }
            }
        },
        Verdict::Undetermined => match c.missing.first() {
            Some(Missing::Fact { slot, .. } | Missing::Judgment { slot, .. }) => html! {
                @if let Some(f) = state.book.vocabulary.of_slot(slot) { (super::field::question(t, f, slot)) }
            },
            Some(Missing::Disputed { question, .. }) => html! { (t.word("disputed")) ": " (t.text(question)) },
            Some(Missing::NotCovered { says, .. }) => html! { (t.text(says)) },
            None => html! {},
        },
        Verdict::Prohibited => html! { @if let Some(b) = c.deciding.iter().find_map(|d| d.beside.as_ref()) { (t.text(b)) } },
        _ => html! {},
    }
}
