//! The register of the participants of this process: who is here, what each did in a month, and a form that takes one in.

use super::{Frame, refused, tongue};
use crate::participants::{Newcomer, Participants, held, is_month};
use crate::people::{
    State,
    asked::{Pairs, escape},
    principal::{Manage, Operate, Seat},
    tongue::Tongue,
};
use crate::problem::{Kind, Problem};
use axum::{
    Form,
    extract::{Path, Query, State as Held},
    http::Uri,
    response::Response,
};
use maud::{Markup, html};
use node::error::ActError;
use node::figures::Figures;
use node::mark::Mark;
use serde_json::Value;
use std::sync::Arc;

/// One row of the register.
struct Row {
    name: String,
    id: String,
    title: String,
    through: Vec<Link>,
    marks: Vec<Seen>,
    figures: Figures,
}

/// One that acts for another.
struct Link {
    id: String,
    here: bool,
    marks: Vec<Seen>,
}

/// A certification that was seen, and whether it counts today.
#[derive(serde::Deserialize)]
struct Seen {
    #[serde(flatten)]
    mark: Mark,
    counts: bool,
}

fn seen(of: Option<&Value>) -> Vec<Seen> {
    of.and_then(|v| serde_json::from_value(v.clone()).ok()).unwrap_or_default()
}

fn rows(all: &Participants, month: &str) -> Result<Vec<Row>, ActError> {
    let text = |v: Option<&Value>| v.and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut out = Vec::new();
    for one in all.register() {
        let name = text(one.get("name"));
        let Some(node) = all.node(&name) else { continue };
        let link = |l: &Value| Link { id: text(l.get("id")), here: l.get("here") == Some(&Value::Bool(true)), marks: seen(l.get("marks")) };
        let through = one.get("chain").and_then(Value::as_array).map(|all| all.iter().map(link).collect()).unwrap_or_default();
        let marks = seen(one.get("marks"));
        out.push(Row { id: text(one.get("id")), title: text(one.get("title")), through, marks, figures: node.figures(month)?, name });
    }
    Ok(out)
}

/// `GET /{tongue}/participants`
pub async fn get(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, Query(pairs): Query<Pairs>, seat: Seat<Operate>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    match list(&state, t, &pairs).await {
        Ok(list) => {
            let body = html! {
                h1 { (t.word("page-participants")) }
                p.lead { (t.word("page-participants-lead")) }
                p { a href="#newcomer" { (t.word("page-participants-below")) } }
                (list)
                (form(t, &seat.csrf, &Pairs::new(), None))
            };
            Frame::new(t, &uri, "participants", t.word("page-participants")).render(&state, body)
        }
        Err(p) => refused(&uri, &p),
    }
}

async fn list(state: &State, t: Tongue, pairs: &Pairs) -> Result<Markup, Problem> {
    let all = held(state)?;
    let asked = pairs.iter().find(|(n, _)| n == "month").map(|(_, m)| m.clone()).filter(|m| is_month(m));
    let month = asked.unwrap_or_else(|| crate::people::wall_day().to_string().chars().take(7).collect());
    let of = month.clone();
    let read = tokio::task::spawn_blocking(move || rows(&all, &of)).await;
    let rows = read.map_err(|_| Problem::of(Kind::WentWrong, ""))?.map_err(|e| Problem::act(&e))?;
    let total = rows.iter().fold((0, 0), |(contracts, bytes), r| (contracts + r.figures.contracts, bytes + r.figures.bytes));
    Ok(html! {
        form.asof method="get" action=(format!("/{}/participants", t.code())) {
            label for="month" { (t.word("page-participants-month")) }
            input #month type="month" name="month" value=(month) required pattern="[0-9]{4}-[0-9]{2}";
            button.plain { (t.word("page-as-of-go")) }
        }
        @if rows.is_empty() { p { (t.word("page-participants-none")) } }
        @else {
            div.scroll tabindex="0" role="region" aria-label=(t.word("page-participants")) {
                table.stack {
                    caption { (t.with("page-participants-caption", &[("n", &rows.len().to_string()), ("month", &month), ("contracts", &total.0.to_string()), ("bytes", &total.1.to_string())])) }
                    thead { tr {
                        th scope="col" { (t.word("page-participant")) }
                        @for key in FIGURES { th.n scope="col" { (t.word(&format!("page-figure-{key}"))) } }
                    } }
                    tbody { @for r in &rows { tr {
                        th scope="row" { (name(t, r)) }
                        @for (key, n) in FIGURES.iter().zip(numbers(&r.figures)) { td.n data-label=(t.word(&format!("page-figure-{key}"))) { (n) } }
                    } } }
                }
            }
        }
    })
}

const FIGURES: [&str; 5] = ["offers", "contracts", "pairs", "deliveries", "bytes"];

fn numbers(f: &Figures) -> [u64; 5] {
    [f.offers, f.contracts, f.pairs, f.deliveries, f.bytes]
}

fn name(t: Tongue, r: &Row) -> Markup {
    html! {
        a href=(format!("/p/{}/{}/", escape(&r.name), t.code())) { (if r.title.is_empty() { &r.name } else { &r.title }) }
        br; span.small { code { (r.id) } }
        (marks(t, &r.marks))
        @for (nth, link) in r.through.iter().enumerate() {
            br; span.small { (t.word(if nth == 0 { "page-participant-via" } else { "page-participant-further" })) " " code { (link.id) } }
            @if !link.here { br; span.small { (t.word("page-participant-elsewhere")) } }
            @else if link.marks.iter().all(|m| !m.counts) { br; span.small { (t.word("page-participant-uncertified")) } }
            (marks(t, &link.marks))
        }
    }
}

fn marks(t: Tongue, marks: &[Seen]) -> Markup {
    html! {
        @for Seen { mark, counts } in marks {
            @let args = [("scheme", mark.scheme.as_str()), ("id", &mark.id), ("by", &mark.by), ("until", &t.day(mark.until))];
            br; span.small { (t.with(if *counts { "page-participant-mark" } else { "page-participant-mark-over" }, &args)) }
        }
    }
}

/// The form that takes somebody in; what was written stays when it is refused.
fn form(t: Tongue, csrf: &str, written: &Pairs, wrong: Option<&str>) -> Markup {
    let of = |name: &str| written.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default();
    let field = |name: &str, required: bool, pattern: Option<&str>| {
        html! {
            div.field {
                label for=(name) { (t.word(&format!("page-participant-{name}"))) }
                input id=(name) name=(name) value=(of(name)) required[required] pattern=[pattern] maxlength="300" autocomplete="off" aria-describedby=(format!("{name}-hint"));
                p.small id=(format!("{name}-hint")) { (t.word(&format!("page-participant-{name}-hint"))) }
            }
        }
    };
    html! {
        section aria-labelledby="newcomer" {
            h2 #newcomer { (t.word("page-participant-new")) }
            @if let Some(line) = wrong { p.note.warn role="alert" { (line) } }
            form method="post" action=(format!("/{}/participants", t.code())) {
                input type="hidden" name="csrf" value=(csrf);
                (field("name", true, Some("[a-z0-9][a-z0-9\\-]{0,39}")))
                (field("did", true, Some("did:.+:.+")))
                (field("title", false, None))
                (field("through", false, Some("did:.+:.+")))
                div.actions { button { (t.word("page-participant-add")) } }
            }
        }
    }
}

/// `POST /{tongue}/participants`: takes somebody in and shows its token, once.
pub async fn post(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, seat: Seat<Manage>, Form(pairs): Form<Pairs>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let of = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.trim().to_owned()).unwrap_or_default();
    let all = match seat.check(&of("csrf")).and_then(|()| held(&state)) {
        Ok(all) => all,
        Err(p) => return refused(&uri, &p),
    };
    let newcomer = Newcomer {
        name: of("name"),
        did: of("did"),
        title: of("title"),
        through: Some(of("through")).filter(|id| !id.is_empty()),
        accept_drafted: Vec::new(),
        quotas: Default::default(),
    };
    let (name, taken) = (newcomer.name.clone(), all.clone());
    let added = tokio::task::spawn_blocking(move || taken.add(&newcomer)).await;
    let frame = Frame::new(t, &uri, "participants", t.word("page-participants"));
    match added {
        Ok(Ok(token)) => frame.render(&state, taken_in(t, &all, &name, token.as_deref())),
        Ok(Err(e)) => {
            let problem = crate::participants::refused(&e);
            let body = html! { h1 { (t.word("page-participants")) } (form(t, &seat.csrf, &pairs, Some(problem.detail()))) };
            let mut response = frame.render(&state, body);
            *response.status_mut() = problem.kind().status();
            response
        }
        Err(_) => refused(&uri, &Problem::of(Kind::WentWrong, "")),
    }
}

fn taken_in(t: Tongue, all: &Arc<Participants>, name: &str, token: Option<&str>) -> Markup {
    let node = all.node(name);
    let (id, protocol) = node.map(|n| (n.id().to_owned(), n.protocol_address())).unwrap_or_default();
    html! {
        h1 { (t.word("page-participants")) }
        div.note role="status" {
            p { (t.with("participant-added", &[("did", &id), ("protocol", &protocol)])) }
            @match token {
                Some(token) => { p { (t.word("page-participant-token")) } pre tabindex="0" { (token) } },
                None => p { (t.word("page-participant-tokens-kept")) },
            }
        }
        p { a href=(format!("/p/{}/{}/", escape(name), t.code())) { (t.word("page-participant-pages")) } " · " a href=(format!("/{}/participants", t.code())) { (t.word("page-participants")) } }
    }
}
