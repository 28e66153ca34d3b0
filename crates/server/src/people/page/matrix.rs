//! One origin to every destination, as a map and as its twin, a table: letters and words, never color alone.

use super::{Frame, as_of_form, badge, tongue};
use crate::people::{State, asked::{self, Asked, Pairs, place_name, query, too_many}, principal::{Ask, Seat}, tongue::Tongue};
use crate::problem::Problem;
use axum::{extract::{Path, Query, State as Held}, http::Uri, response::Response};
use decide::{decision::Verdict, engine::Engine};
use maud::{Markup, html};
use model::{AsOf, fact::{Said, Spoken}, transfer::Transfer};

/// The verdict for every destination, the facts staying the same.
pub fn verdicts(engine: &mut Engine, flat: &[(String, Said)], as_of: AsOf) -> Result<Vec<(String, Verdict)>, Problem> {
    let places: Vec<String> = engine.book.vocabulary.places.keys().cloned().collect();
    let mut out = Vec::with_capacity(places.len());
    for place in places {
        let mut facts: Vec<_> = flat.iter().filter(|(s, _)| s != "recipient.place").cloned().collect();
        facts.push(("recipient.place".into(), Said::claim(Spoken::Word(place.clone()))));
        let bound = engine.book.bind(&Transfer::single(facts)).map_err(|f| Problem::findings(&f))?;
        out.push((place, engine.verdict(&bound, as_of).map_err(too_many)?));
    }
    Ok(out)
}

const ORDER: [Verdict; 5] =
    [Verdict::Permitted, Verdict::OutOfScope, Verdict::Conditional, Verdict::Prohibited, Verdict::Undetermined];

/// `GET /{tongue}/matrix`
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, Query(pairs): Query<Pairs>, _seat: Seat<Ask>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let asked = match Asked::read(&state, &pairs) {
        Ok(a) => a,
        Err(p) => return super::refused(&uri, &p),
    };
    let origin = asked.value("exporter.place");
    let answers = match &origin {
        None => Ok(Vec::new()),
        Some(_) => {
            let (flat, as_of) = (asked.flat.clone(), asked.as_of);
            state.think(move |engine| verdicts(engine, &flat, as_of)).await.and_then(|a| a)
        }
    };
    let answers = match answers {
        Ok(a) => a,
        Err(p) => return super::refused(&uri, &p),
    };
    let body = html! {
        h1 { @match &origin { Some(o) => (t.with("page-matrix-from", &[("place", &place_name(&state.book, t, o))])), None => (t.word("page-nav-matrix")) } }
        p.lead { (t.word("page-matrix-lead")) }
        (form(t, &state, &asked, origin.is_none()))
        @if origin.is_some() {
            (as_of_form(t, &format!("/{}/matrix", t.code()), &asked.pairs(), asked.as_of))
            @let others: Pairs = asked.pairs().into_iter().filter(|(n, _)| n != "recipient.place").collect();
            (super::map::map(t, &state, origin.as_deref().unwrap_or_default(), &others, &answers))
            (table(t, &state, &asked, &answers))
        }
    };
    Frame::new(t, &uri, "matrix", t.word("page-nav-matrix")).render(&state, body)
}

fn form(t: Tongue, state: &State, asked: &Asked, open: bool) -> Markup {
    html! {
        details open[open] {
            summary { (t.word("page-matrix-ask")) }
            form method="get" action=(format!("/{}/matrix", t.code())) {
                (super::field::field(t, &state.book, "exporter.place", asked, None))
                (super::field::field(t, &state.book, "data.categories", asked, Some(t.word("page-all-that-fit"))))
                (super::field::field(t, &state.book, "hop.purpose", asked, Some(t.word("page-all-that-fit"))))
                @for (name, value) in asked.pairs() {
                    @if !["exporter.place", "recipient.place", "data.categories", "hop.purpose"].contains(&name.as_str()) { input type="hidden" name=(name) value=(value); }
                }
                div.actions { button { (t.word("page-matrix-go")) } }
            }
        }
    }
}

fn table(t: Tongue, state: &State, asked: &Asked, answers: &[(String, Verdict)]) -> Markup {
    let others: Pairs = asked.pairs().into_iter().filter(|(n, _)| n != "recipient.place").collect();
    let of = |v: Verdict| answers.iter().filter(|(_, x)| *x == v).count();
    let mut rows: Vec<(&str, String, Verdict)> = answers.iter().map(|(p, v)| (p.as_str(), place_name(&state.book, t, p), *v)).collect();
    let order = |v: Verdict| ORDER.iter().position(|o| *o == v).unwrap_or(0);
    rows.sort_by(|a, b| order(a.2).cmp(&order(b.2)).then_with(|| a.1.cmp(&b.1)));
    let caption = t.count("page-matrix-caption", rows.len());
    html! {
        ul.figures { @for v in ORDER { @if of(v) > 0 { li { b { (of(v)) } (badge(t, v)) } } } }
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.stack {
                caption { (caption) }
                thead { tr { th scope="col" { (t.word("page-destination")) } th scope="col" { (t.word("page-answer")) } th scope="col" { (t.word("page-why")) } } }
                tbody {
                    @for (place, name, v) in &rows {
                        @let to: Pairs = others.iter().cloned().chain([("recipient.place".to_string(), place.to_string())]).collect();
                        tr {
                            th scope="row" { (name) " " span.tag { (place) } }
                            td { (badge(t, *v)) }
                            td { a href=(format!("/{}/verdict?{}", t.code(), query(&to))) aria-label=(t.with("page-why-place", &[("place", name)])) { (t.word("page-why-link")) } }
                        }
                    }
                }
            }
        }
        p.small { (t.word("page-matrix-note")) " " code { (format!("{} --to-all", asked.command())) } @if asked.flat.is_empty() { (asked::escape("")) } }
    }
}
