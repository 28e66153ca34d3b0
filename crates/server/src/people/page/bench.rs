//! The bench as a page: move k and ε, see risk, usefulness and each law's answer change, put a table of one's own there, certify.

use super::{Frame, badge, tongue};
use crate::people::{
    State,
    asked::{Pairs, place_name, query},
    bench::{self, Asking, Bench, PROFILES, Privacy, Shown, noise},
    principal::{Ask, Seat},
    tongue::Tongue,
};
use crate::problem::{Kind, Problem};
use axum::{
    Form,
    extract::{Path, Query, State as Held},
    http::Uri,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use node::protect::{K_MAX, PIECE_BYTES_MAX, Risk, STUDY_ID, Sealable, short};
use pets::examine::Outcome;

/// k as buttons: what authorities and papers name.
const STEPS: [u64; 7] = [2, 3, 5, 11, 20, 50, 100];
/// ε whose noise is told before anything is asked.
const EPSILONS: [&str; 6] = ["0.1", "0.3", "0.5", "1", "2", "3"];
/// What the form asks first of the study.
const USUAL_COLUMN: &str = "sex";
const USUAL_VALUES: &str = "female, male";
/// How much the form asks for first.
const USUAL_EPSILON: &str = "0.5";

/// `GET /{tongue}/bench`
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, Query(pairs): Query<Pairs>, seat: Seat<Ask>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    match page(t, &state, &pairs, &seat).await {
        Ok(body) => Frame::new(t, &uri, "bench", t.word("page-bench-title")).render(&state, body),
        Err(p) => super::refused(&uri, &p),
    }
}

async fn page(t: Tongue, state: &State, pairs: &Pairs, seat: &Seat<Ask>) -> Result<Markup, Problem> {
    let bench = Bench::read(state, pairs)?;
    let who = &seat.principal.participant;
    let shown = bench.show(state, who).await?;
    let made = match pairs.iter().any(|(n, v)| n == "certify" && !v.is_empty()) {
        true => Some(bench.certified(state, who).await?),
        false => None,
    };
    let columns: Vec<String> = state.bench.piece(who, &bench.table)?.columns().into_iter().map(|(n, _)| n).collect();
    Ok(html! {
        h1 { (t.word("page-bench-title")) }
        p.lead { (t.word("page-bench-lead")) }
        (form(t, state, &bench, &state.bench.names(who)))
        (steps(t, &bench))
        (outcome(t, &shown))
        (risk(t, &shown))
        (verdicts(t, state, &shown))
        (self::columns(t, &shown))
        (records(t, &shown))
        (privacy(t, &bench, &shown.privacy, &columns, &seat.csrf))
        (certify(t, &bench, made.as_ref()))
        (own(t, &seat.csrf))
        p.small { (t.word("page-bench-note")) }
    })
}

/// `POST /{tongue}/bench/table`
pub async fn put(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, seat: Seat<Ask>, Form(pairs): Form<Pairs>) -> Response {
    let find = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default();
    let put = match (tongue(&code, &uri), seat.check(&find("csrf"))) {
        (Err(r), _) => return r,
        (_, Err(p)) => Err(p),
        (Ok(_), Ok(())) => bench::put_on(&state, &seat.principal.participant, find("text")).await,
    };
    match put {
        Ok(put) => Redirect::to(&format!("/{code}/bench?{}", query(&vec![("table".to_string(), put.table)]))).into_response(),
        Err(p) => super::refused(&uri, &p),
    }
}

/// `POST /{tongue}/bench/ask`
pub async fn ask(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, seat: Seat<Ask>, Form(pairs): Form<Pairs>) -> Response {
    let find = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.trim().to_string()).unwrap_or_default();
    let number = |name: &str| find(name).parse::<i64>().unwrap_or(0);
    let asking = Asking {
        table: find("table"),
        what: find("what"),
        column: find("column"),
        values: find("values").split([',', '、']).map(str::to_string).collect(),
        low: number("low"),
        high: number("high"),
        epsilon: find("epsilon"),
    };
    let asked = match (tongue(&code, &uri), seat.check(&find("csrf"))) {
        (Err(r), _) => return r,
        (_, Err(p)) => Err(p),
        (Ok(_), Ok(())) => bench::ask_of(&state, &seat.principal.participant, asking).await,
    };
    let not_asked = ["csrf", "what", "column", "values", "low", "high"];
    let keep: Pairs = pairs.iter().filter(|(n, v)| !not_asked.contains(&n.as_str()) && !v.is_empty()).cloned().collect();
    match asked {
        Ok(_) => Redirect::to(&format!("/{code}/bench?{}#privacy", query(&keep))).into_response(),
        Err(p) => super::refused(&uri, &p),
    }
}

/// `GET /{tongue}/bench/report.json` and `release.csv`
pub async fn download(Held(state): Held<State>, Path((code, name)): Path<(String, String)>, uri: Uri, Query(pairs): Query<Pairs>, seat: Seat<Ask>) -> Response {
    if let Err(r) = tongue(&code, &uri) {
        return r;
    }
    let made = match Bench::read(&state, &pairs) {
        Ok(bench) if matches!(name.as_str(), "report.json" | "release.csv") => bench.certified(&state, &seat.principal.participant).await,
        Ok(_) => Err(Problem::of(Kind::NotFound, uri.path())),
        Err(p) => Err(p),
    };
    match (made, name.as_str()) {
        (Ok(made), "report.json") => bench::file("report.json", "application/json", made.bytes),
        (Ok(made), _) => bench::file("release.csv", "text/csv; charset=utf-8", made.release),
        (Err(p), _) => super::refused(&uri, &p),
    }
}

fn form(t: Tongue, state: &State, bench: &Bench, own: &[String]) -> Markup {
    html! {
        form method="get" action=(format!("/{}/bench", t.code())) {
            div.field {
                label for="b-table" { (t.word("page-bench-table")) }
                select #b-table name="table" {
                    option value=(STUDY_ID) selected[bench.table == STUDY_ID] { (t.word("page-bench-study")) }
                    @for id in own { option value=(id) selected[*id == bench.table] { (t.with("page-bench-own-named", &[("name", &short(id))])) } }
                }
                p.small { a href="#own" { (t.word("page-bench-own")) } }
            }
            div.field {
                label for="b-profile" { (t.word("page-bench-profile")) }
                select #b-profile name="profile" { @for p in PROFILES { option value=(p) selected[p == bench.profile] { (p) } } }
            }
            div.field {
                label for="b-k" { (t.word("page-bench-k")) }
                input #b-k name="k" type="number" min="2" max=(K_MAX) value=(bench.k);
            }
            (super::field::field(t, &state.book, "exporter.place", &bench.asked, None))
            @if bench.table != STUDY_ID { (super::field::field(t, &state.book, "data.categories", &bench.asked, Some(t.word("page-all-that-fit")))) }
            (super::field::field(t, &state.book, "hop.purpose", &bench.asked, Some(t.word("page-all-that-fit"))))
            div.actions { button { (t.word("page-bench-go")) } }
        }
    }
}

fn steps(t: Tongue, bench: &Bench) -> Markup {
    let with = |k: u64| {
        let mut pairs: Pairs = bench.pairs().into_iter().filter(|(n, _)| n != "k").collect();
        pairs.push(("k".to_string(), k.to_string()));
        format!("/{}/bench?{}", t.code(), query(&pairs))
    };
    html! {
        nav aria-label=(t.word("page-bench-k")) {
            ul.figures { @for k in STEPS { li { a href=(with(k)) aria-current=[(k == bench.k).then_some("true")] { "k = " (k) } } } }
        }
    }
}

/// Answers with noise: what they would be worth, a question, the last answers, and the ledger.
fn privacy(t: Tongue, bench: &Bench, privacy: &Privacy, columns: &[String], csrf: &str) -> Markup {
    let is_study = bench.table == STUDY_ID;
    let column = columns.iter().find(|c| is_study && *c == USUAL_COLUMN);
    html! {
        section #privacy aria-labelledby="h-privacy" {
            h2 #h-privacy { (t.word("page-bench-dp")) }
            p { (t.word("page-bench-dp-lead")) }
            form method="post" action=(format!("/{}/bench/ask", t.code())) {
                input type="hidden" name="csrf" value=(csrf);
                @for (name, value) in bench.pairs() { input type="hidden" name=(name) value=(value); }
                div.field {
                    label for="b-column" { (t.word("page-bench-column")) }
                    select #b-column name="column" { @for c in columns { option value=(c) selected[Some(c) == column] { (c) } } }
                }
                fieldset {
                    legend { (t.word("page-bench-asked")) }
                    div.choice { input #b-count type="radio" name="what" value="count" checked; label for="b-count" { (t.word("page-bench-count")) } }
                    div.field {
                        label for="b-values" { (t.word("page-bench-values")) span.hint { (t.word("page-bench-values-hint")) } }
                        input #b-values name="values" autocomplete="off" value=[is_study.then_some(USUAL_VALUES)];
                    }
                    div.choice { input #b-mean type="radio" name="what" value="mean"; label for="b-mean" { (t.word("page-bench-mean")) } }
                    div.pair {
                        div.field { label for="b-low" { (t.word("page-bench-low")) } input #b-low name="low" type="number" value="0"; }
                        div.field { label for="b-high" { (t.word("page-bench-high")) } input #b-high name="high" type="number" value="100"; }
                    }
                }
                div.field {
                    label for="b-epsilon" { (t.word("page-bench-epsilon")) span.hint { (t.word("page-bench-epsilon-hint")) } }
                    input #b-epsilon.slide name="epsilon" type="range" min="0.1" max="3" step="0.1" value=(USUAL_EPSILON) list="b-epsilons";
                    datalist #b-epsilons { @for e in EPSILONS { option value=(e) label=(e) {} } }
                    p.ends.small aria-hidden="true" { span { "ε = 0.1" } span { "ε = 3" } }
                }
                div.actions { button { (t.word("page-bench-ask")) } }
            }
            table {
                caption { (t.word("page-bench-noise")) }
                thead { tr { th scope="col" { "ε" } th.n scope="col" { (t.word("page-bench-within")) } } }
                tbody { @for e in EPSILONS { tr { th scope="row" { (e) } td.n { "± " (noise(e).unwrap_or_default()) } } } }
            }
            (answers(t, privacy))
            (ledger(t, privacy))
        }
    }
}

fn answers(t: Tongue, privacy: &Privacy) -> Markup {
    html! {
        @for answered in &privacy.answers {
            div.scroll tabindex="0" role="region" aria-label=(answered.asked) {
                table {
                    caption { (answered.asked) ", ε = " (answered.epsilon) }
                    thead { tr {
                        th scope="col" { (t.word("page-bench-group")) } th.n scope="col" { (t.word("page-bench-told")) }
                        th.n scope="col" { (t.word("page-bench-within")) } th.n scope="col" { (t.word("page-bench-truth")) }
                    } }
                    tbody { @for row in &answered.rows { tr {
                        th scope="row" { @if row.group.is_empty() { (t.word("page-bench-all")) } @else { (row.group) } }
                        td.n { (row.value) } td.n { "± " (row.within) } td.n { (row.exact.map_or("–".into(), |n| n.to_string())) }
                    } } }
                }
            }
        }
    }
}

fn ledger(t: Tongue, privacy: &Privacy) -> Markup {
    let budget = privacy.epsilon_budget.to_string();
    html! {
        h3 { (t.word("page-bench-ledger")) }
        p { (t.with("page-bench-spent", &[("spent", &privacy.epsilon_spent), ("budget", &budget)])) }
        meter.spent min="0" max=(budget) value=(privacy.epsilon_spent) aria-label=(t.word("page-bench-ledger")) {}
        @if !privacy.spent.is_empty() {
            div.scroll tabindex="0" role="region" aria-label=(t.word("page-bench-ledger")) {
                table {
                    thead { tr { th scope="col" { (t.word("page-bench-question")) } th.n scope="col" { "ρ" } th scope="col" { (t.word("page-bench-on")) } } }
                    tbody { @for loss in &privacy.spent { tr { td { (loss.asked) } td.n { (format!("{:.6}", loss.rho.to_f64())) } td { (super::time(t, loss.on)) } } } }
                }
            }
        }
    }
}

/// The release under the profile as it is written, looked at afresh: each clause, and the files.
fn certify(t: Tongue, bench: &Bench, made: Option<&Sealable>) -> Markup {
    let pairs = bench.pairs();
    let file = |name: &str| format!("/{}/bench/{name}?{}", t.code(), query(&pairs));
    html! {
        section #certify aria-labelledby="h-certify" {
            h2 #h-certify { (t.word("page-bench-certify")) }
            p { (t.with("page-bench-certify-lead", &[("profile", &bench.profile)])) }
            @match made {
                None => form method="get" action=(format!("/{}/bench#certify", t.code())) {
                    @for (name, value) in &pairs { input type="hidden" name=(name) value=(value); }
                    input type="hidden" name="certify" value="1";
                    div.actions { button { (t.word("page-bench-certify-go")) } }
                },
                Some(made) => {
                    (clauses(t, made))
                    p { (t.word("page-bench-digest")) " " code { (model::Digest::of(&made.bytes)) } }
                    div.actions {
                        a.button href=(file("report.json")) download="report.json" { (t.word("page-bench-report")) }
                        a.button.plain href=(file("release.csv")) download="release.csv" { (t.word("page-bench-release")) }
                    }
                    p.small { (t.word("page-bench-seal")) }
                    pre tabindex="0" { "tegata protect certify release.csv --profile " (bench.profile) " --original TABLE.csv --out report.json --dir PARTICIPANT" }
                }
            }
        }
    }
}

fn clauses(t: Tongue, made: &Sealable) -> Markup {
    let word = |o: Outcome| t.word(match o {
        Outcome::Met => "page-bench-met",
        Outcome::Judgement => "page-bench-judgement",
        Outcome::NotMet => "page-bench-not-met",
    });
    let figure = |f: &Option<pets::examine::Figure>| f.as_ref().map_or("–".to_string(), ToString::to_string);
    html! {
        @if made.report.is_met() { p.note { (t.word("page-bench-all-met")) } } @else { p.note.warn { (t.word("page-bench-some-short")) } }
        table.stack {
            caption { (t.word("page-bench-clauses")) }
            thead { tr {
                th scope="col" { (t.word("page-bench-clause")) } th scope="col" { (t.word("page-bench-ground")) } th scope="col" { (t.word("page-bench-outcome")) }
                th.n scope="col" { (t.word("page-bench-measured")) } th.n scope="col" { (t.word("page-bench-limit")) }
            } }
            tbody { @for c in made.report.clauses() { tr {
                th scope="row" { (c.clause) }
                td data-label=(t.word("page-bench-ground")) { (t.cite(&c.cites)) }
                td data-label=(t.word("page-bench-outcome")) { (word(c.outcome)) }
                td.n data-label=(t.word("page-bench-measured")) { (figure(&c.measured)) }
                td.n data-label=(t.word("page-bench-limit")) { (figure(&c.limit)) @if c.chosen { " *" } }
            } } }
        }
        p.small { (t.word("page-bench-chosen")) }
    }
}

fn own(t: Tongue, csrf: &str) -> Markup {
    let most = (PIECE_BYTES_MAX >> 20).to_string();
    html! {
        section #own aria-labelledby="h-own" {
            h2 #h-own { (t.word("page-bench-own")) }
            form method="post" action=(format!("/{}/bench/table", t.code())) {
                input type="hidden" name="csrf" value=(csrf);
                div.field {
                    label for="b-text" { (t.word("page-bench-paste")) span.hint { (t.with("page-bench-paste-hint", &[("most", &most)])) } }
                    textarea #b-text name="text" required spellcheck="false" maxlength=(PIECE_BYTES_MAX) {}
                }
                div.actions { button { (t.word("page-bench-put")) } }
            }
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
            thead { tr { th scope="col" { (t.word("page-bench-figure")) } th scope="col" { (t.word("page-bench-before")) } th scope="col" { (t.word("page-bench-after")) } } }
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
                        td data-label=(t.word("page-bench-before")) { (badge(t, v.raw)) }
                        td data-label=(t.word("page-bench-after")) { (badge(t, v.released)) }
                    }
                }
            }
        }
    }
}

fn columns(t: Tongue, shown: &Shown) -> Markup {
    let many: Vec<&str> = shown.tried.columns.iter().filter(|c| c.unread.is_some_and(|u| u.is_many())).map(|c| c.name.as_str()).collect();
    html! {
        @if !many.is_empty() { p.note.warn { (t.with("page-bench-unread-many", &[("columns", &many.join(", "))])) } }
        div.scroll tabindex="0" role="region" aria-label=(t.word("page-bench-columns")) {
            table {
                caption { (t.word("page-bench-columns")) }
                thead { tr {
                    th scope="col" { (t.word("page-bench-column")) }
                    th scope="col" { (t.word("page-bench-role")) }
                    th scope="col" { (t.word("page-bench-done")) }
                    th.n scope="col" { (t.word("page-bench-unread")) }
                    th scope="col" { (t.word("page-bench-lost")) }
                } }
                tbody {
                    @for c in &shown.tried.columns {
                        tr { th scope="row" { (c.name) } td { (c.role) } td { (c.act) } td.n { (c.unread.map_or("–".into(), |u| format!("{} / {}", u.values, u.of))) } td { (c.loss.map_or("–".into(), |l| l.percent(0))) } }
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
