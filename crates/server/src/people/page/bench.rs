//! The bench as a page: move k, see risk, usefulness and each law's answer change.

use super::{Frame, badge, tongue};
use crate::people::{
    State,
    asked::{Pairs, place_name, query},
    bench::{Bench, PROFILES, Shown},
    principal::{Ask, Seat},
    tongue::Tongue,
};
use axum::{extract::{Path, Query, State as Held}, http::Uri, response::Response};
use maud::{Markup, html};
use node::protect::{K_MAX, Risk};

/// k as buttons: what authorities and papers name.
const STEPS: [u64; 7] = [2, 3, 5, 11, 20, 50, 100];

/// `GET /{tongue}/bench`
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, Query(pairs): Query<Pairs>, _seat: Seat<Ask>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let bench = match Bench::read(&state, &pairs) {
        Ok(bench) => bench,
        Err(p) => return super::refused(&uri, &p),
    };
    let shown = match bench.show(&state).await {
        Ok(shown) => shown,
        Err(p) => return super::refused(&uri, &p),
    };
    let body = html! {
        h1 { (t.word("page-bench-title")) }
        p.lead { (t.word("page-bench-lead")) }
        (form(t, &state, &bench))
        (steps(t, &bench))
        (outcome(t, &shown))
        (risk(t, &shown))
        (verdicts(t, &state, &shown))
        (columns(t, &shown))
        (records(t, &shown))
        p.small { (t.word("page-bench-note")) }
    };
    Frame::new(t, &uri, "bench", t.word("page-bench-title")).render(&state, body)
}

fn form(t: Tongue, state: &State, bench: &Bench) -> Markup {
    html! {
        form method="get" action=(format!("/{}/bench", t.code())) {
            div.field {
                label for="b-profile" { (t.word("page-bench-profile")) }
                select #b-profile name="profile" { @for p in PROFILES { option value=(p) selected[p == bench.profile] { (p) } } }
            }
            div.field {
                label for="b-k" { (t.word("page-bench-k")) }
                input #b-k name="k" type="number" min="2" max=(K_MAX) value=(bench.k);
            }
            (super::field::field(t, &state.book, "exporter.place", &bench.asked, None))
            (super::field::field(t, &state.book, "hop.purpose", &bench.asked, Some(t.word("page-all-that-fit"))))
            div.actions { button { (t.word("page-bench-go")) } }
        }
    }
}

fn steps(t: Tongue, bench: &Bench) -> Markup {
    let with = |k: u64| {
        let mut pairs: Pairs = bench.asked.pairs().into_iter().filter(|(n, _)| n != "as_of").collect();
        pairs.extend([("profile".to_string(), bench.profile.clone()), ("k".to_string(), k.to_string())]);
        format!("/{}/bench?{}", t.code(), query(&pairs))
    };
    html! {
        nav aria-label=(t.word("page-bench-k")) {
            ul.figures { @for k in STEPS { li { a href=(with(k)) aria-current=[(k == bench.k).then_some("true")] { "k = " (k) } } } }
        }
    }
}

fn outcome(t: Tongue, shown: &Shown) -> Markup {
    let tried = &shown.tried;
    let k = tried.k_of_profile.to_string();
    let args = [("profile", tried.profile.as_str()), ("k", k.as_str())];
    html! {
        @if tried.holds { p.note { (t.with("page-bench-holds", &args)) } }
        @else if tried.met { p.note.warn { (t.with("page-bench-milder", &args)) } }
        @else { p.note.warn { (t.with("page-bench-short", &[("clauses", &tried.short.join(", "))])) } }
    }
}

fn risk(t: Tongue, shown: &Shown) -> Markup {
    let row = |name: &str, of: &dyn Fn(&Risk) -> String| {
        html! { tr { th scope="row" { (t.word(name)) } td { (of(&shown.tried.before)) } td { (of(&shown.tried.after)) } } }
    };
    html! {
        table {
            caption { (t.word("page-bench-risk")) }
            thead { tr { th scope="col" {} th scope="col" { (t.word("page-bench-before")) } th scope="col" { (t.word("page-bench-after")) } } }
            tbody {
                (row("page-bench-records", &|r| r.records.to_string()))
                (row("page-bench-smallest", &|r| r.k.map_or("–".into(), |k| k.to_string())))
                (row("page-bench-alone", &|r| r.alone.to_string()))
                (row("page-bench-most", &|r| r.most.percent(1)))
                (row("page-bench-average", &|r| r.average.percent(2)))
            }
        }
    }
}

fn verdicts(t: Tongue, state: &State, shown: &Shown) -> Markup {
    let from = place_name(&state.book, t, &shown.from);
    html! {
        table.stack {
            caption { (t.with("page-bench-verdicts", &[("place", &from)])) }
            thead { tr { th scope="col" { (t.word("page-destination")) } th scope="col" { (t.word("page-bench-before")) } th scope="col" { (t.word("page-bench-after")) } } }
            tbody {
                @for v in &shown.verdicts {
                    tr {
                        th scope="row" { (place_name(&state.book, t, &v.place)) " " span.tag { (v.place) } }
                        td { (badge(t, v.raw)) }
                        td { (badge(t, v.released)) }
                    }
                }
            }
        }
    }
}

fn columns(t: Tongue, shown: &Shown) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(t.word("page-bench-columns")) {
            table {
                caption { (t.word("page-bench-columns")) }
                thead { tr {
                    th scope="col" { (t.word("page-bench-column")) }
                    th scope="col" { (t.word("page-bench-role")) }
                    th scope="col" { (t.word("page-bench-done")) }
                    th scope="col" { (t.word("page-bench-lost")) }
                } }
                tbody {
                    @for c in &shown.tried.columns {
                        tr { th scope="row" { (c.name) } td { (c.role) } td { (c.act) } td { (c.loss.map_or("–".into(), |l| l.percent(0))) } }
                    }
                }
            }
        }
    }
}

fn records(t: Tongue, shown: &Shown) -> Markup {
    let r = &shown.tried.records;
    let table = |caption: String, names: &[String], rows: &[Vec<Option<String>>]| {
        html! {
            div.scroll tabindex="0" role="region" aria-label=(caption) {
                table {
                    caption { (caption) }
                    thead { tr { @for n in names { th scope="col" { (n) } } } }
                    tbody { @for row in rows { tr { @for v in row { td { (v.as_deref().unwrap_or("–")) } } } } }
                }
            }
        }
    };
    html! {
        (table(t.word("page-bench-records-before"), &r.columns, &r.before))
        (table(t.word("page-bench-records-after"), &r.released, &r.after))
    }
}
