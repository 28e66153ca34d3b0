//! Flows, and the page that matters most of them: a flow that its law stopped.

use super::{Frame, refused, rule_link, time, tongue};
use crate::people::{
    State,
    asked::{Asked, Pairs, escape, place_name, query},
    flows::{FlowState, FlowView, Stop},
    law,
    principal::{Act, Principal, Read, Seat},
    tongue::Tongue,
};
use crate::problem::{Kind, Problem};
use axum::{
    Form,
    extract::{Path, State as Held},
    http::Uri,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use model::AsOf;

async fn blocking<T: Send + 'static>(state: &State, f: impl FnOnce(&dyn crate::people::flows::Flows) -> T + Send + 'static) -> Result<T, Problem> {
    let flows = state.flows.clone();
    tokio::task::spawn_blocking(move || f(flows.as_ref())).await.map_err(|_| Problem::of(Kind::WentWrong, ""))
}

/// One flow, or the problem that there is none.
pub async fn find(state: &State, who: Principal, id: String) -> Result<FlowView, Problem> {
    let name = id.clone();
    let found = blocking(state, move |f| f.one(&who, &id)).await?;
    found.ok_or_else(|| Problem::of(Kind::NotFound, format!("`{name}`")))
}

/// All flows.
pub async fn list(state: &State, who: Principal) -> Result<Vec<FlowView>, Problem> {
    blocking(state, move |f| f.all(&who)).await
}

/// The verification of a flow's evidence.
pub async fn report(state: &State, who: Principal, id: String) -> Result<Option<trust::verify::Report>, Problem> {
    blocking(state, move |f| f.evidence(&who, &id)).await
}

/// How a flow stands: a letter in a box and words.
pub fn standing(t: Tongue, s: FlowState) -> Markup {
    html! {
        span class=(format!("badge {}", s.word())) {
            span.letter aria-hidden="true" { (t.word(&format!("page-letter-{}", s.word()))) } " " (t.word(&format!("page-flow-{}", s.word())))
        }
    }
}

/// `GET /{tongue}/flows`
pub async fn all(Held(state): Held<State>, Path(code): Path<String>, uri: Uri, seat: Seat<Read>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let flows = match list(&state, seat.principal.clone()).await {
        Ok(f) => f,
        Err(p) => return refused(&uri, &p),
    };
    let stopped = flows.iter().filter(|f| f.state == FlowState::Stopped).count();
    let body = html! {
        h1 { (t.word("page-nav-flows")) }
        @if flows.is_empty() {
            p.lead { (t.word("page-flows-none")) }
            p { a.button href=(format!("/{}/check", t.code())) { (t.word("page-flows-first")) } }
        } @else {
            p.lead { @if stopped > 0 { (t.count("page-flows-stopped", stopped)) } @else { (t.word("page-flows-calm")) } }
            div.scroll tabindex="0" role="region" aria-label=(t.word("page-nav-flows")) {
                table.stack {
                    thead { tr { th scope="col" { (t.word("page-dataset")) } th scope="col" { (t.word("page-way")) } th scope="col" { (t.word("page-state")) } th.n scope="col" { (t.word("page-delivered")) } th scope="col" { (t.word("page-evidence")) } } }
                    tbody {
                        @for f in &flows {
                            tr {
                                th scope="row" { a href=(flow_link(t, &f.id)) { (f.dataset) } }
                                td { (place_name(&state.book, t, &f.from.place)) " → " (place_name(&state.book, t, &f.to.place)) }
                                td { (standing(t, f.state)) @if let Some(s) = &f.stop { br; span.small { (t.cite(&s.cites)) } } }
                                td.n { (t.bytes(f.delivered.bytes)) br; span.small { (t.count("page-chunks", usize::try_from(f.delivered.chunks).unwrap_or(usize::MAX))) } }
                                td { @match f.evidence { Some(l) => (t.word(&format!("page-level-{}", l.code()))), None => (t.word("page-level-none")) } }
                            }
                        }
                    }
                }
            }
        }
    };
    // Pages alone have no node to tell of.
    let body = html! { (body) @if state.acts.is_there() { p { a href=(format!("/{}/judgments", t.code())) { (t.word("page-judgments")) " · " (t.word("page-counters")) } " · " a href=(format!("/{}/negotiations", t.code())) { (t.word("page-negotiations")) } " · " a href=(format!("/{}/claims", t.code())) { (t.word("claims-title")) } " · " a href=(format!("/{}/observed", t.code())) { (t.word("observed-title")) } } } };
    Frame::new(t, &uri, "flows", t.word("page-nav-flows")).render(&state, body)
}

pub(super) fn flow_link(t: Tongue, id: &str) -> String {
    format!("/{}/flows/{}", t.code(), escape(id))
}

/// `GET /{tongue}/flows/{id}`
pub async fn get(Held(state): Held<State>, Path((code, id)): Path<(String, String)>, uri: Uri, seat: Seat<Read>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    match find(&state, seat.principal.clone(), id).await {
        Err(p) => refused(&uri, &p),
        Ok(flow) => {
            let page = Page { t, state: &state, flow: &flow, csrf: &seat.csrf };
            let title = format!("{}: {}", flow.dataset, t.word(&format!("page-flow-{}", flow.state.word())));
            Frame::new(t, &uri, "flows", title).render(&state, page.render())
        }
    }
}

struct Page<'a> {
    t: Tongue,
    state: &'a State,
    flow: &'a FlowView,
    csrf: &'a str,
}

impl Page<'_> {
    fn render(&self) -> Markup {
        let (t, f) = (self.t, self.flow);
        html! {
            section class=(format!("answer {}", f.state.word())) aria-labelledby="answer" {
                p.route { (f.dataset) " · " (f.from.name) " (" (place_name(&self.state.book, t, &f.from.place)) ") → " (f.to.name) " (" (place_name(&self.state.book, t, &f.to.place)) ")" }
                h1 #answer { span.letter aria-hidden="true" { (t.word(&format!("page-letter-{}", f.state.word()))) } (t.word(&format!("page-flow-{}", f.state.word()))) }
                @match &f.stop {
                    Some(s) => p { (t.with("page-stop-line", &[("cites", &t.cite(&s.cites)), ("day", &t.day(s.since))])) },
                    None => p { (t.word(&format!("page-flow-means-{}", f.state.word()))) },
                }
                @if let Some(s) = &f.stop { p.meta { (t.with("page-stop-at", &[("moment", &t.moment(s.at))])) } }
            }
            div.cols {
                div {
                    @if let Some(s) = &f.stop { (self.paragraph(s)) (self.delivered(Some(s))) (self.cures(s)) }
                    @else { (self.delivered(None)) }
                }
                aside {
                    h2 { (t.word("page-flow-facts")) }
                    dl {
                        dt { (t.word("page-id")) } dd { code { (f.id) } }
                        @if let Some(at) = f.began { dt { (t.word("page-began")) } dd { (t.moment(at)) } }
                        dt { (t.word("page-evidence")) } dd { @match f.evidence { Some(l) => (t.word(&format!("page-level-{}", l.code()))), None => (t.word("page-level-none")) } }
                    }
                    p { a.button.plain href=(format!("{}/evidence", flow_link(t, &f.id))) { (t.word("page-see-evidence")) } }
                    @if !f.facts.is_empty() {
                        h2 { (t.word("page-ask-again")) }
                        p { a href=(self.question()) { (t.word("page-ask-again-go")) } }
                    }
                }
            }
        }
    }

    fn question(&self) -> String {
        let asked = Asked { flat: self.flow.facts.clone(), as_of: AsOf::then(self.state.day()), past: false };
        format!("/{}/verdict?{}", self.t.code(), query(&asked.pairs()))
    }

    /// Which paragraph, since when, in the words of the rulebook.
    fn paragraph(&self, s: &Stop) -> Markup {
        let t = self.t;
        let rule = law::rule(&self.state.book, &s.rule);
        html! {
            section aria-labelledby="paragraph" {
                h2 #paragraph { (t.word("page-stop-which")) }
                blockquote.stopped {
                    p.cite.gate { a href=(rule_link(t, &s.rule, s.since)) { (t.cite(&s.cites)) } }
                    p { (t.text(&s.says)) }
                    p.meta { (t.with("page-refuses-since", &[("day", &t.day(s.since))]))
                        @if let Some(r) = rule { " · " (t.of_value("review-", &r.head.review)) @if r.head.source.starts_with("https://") { " · " a href=(r.head.source) rel="noreferrer external" { (t.word("page-official")) } } }
                    }
                }
                ol.steps {
                    @if let Some(at) = self.flow.began { li.running { b { (t.word("page-step-opened")) } br; span.meta { (t.moment(at)) } } }
                    li.stopped { b { (t.with("page-step-law", &[("cites", &t.cite(&s.cites))])) } br; span.meta { (time(t, s.since)) } }
                    li.stopped { b { (t.word("page-step-stopped")) } br; span.meta { (t.moment(s.at)) } }
                }
            }
        }
    }

    fn delivered(&self, stop: Option<&Stop>) -> Markup {
        let (t, d) = (self.t, self.flow.delivered);
        let n = usize::try_from(d.chunks).unwrap_or(usize::MAX);
        html! {
            section aria-labelledby="delivered" {
                h2 #delivered { (t.word("page-delivered-title")) }
                p { b { (t.bytes(d.bytes)) } " · " @match d.chunks_all { Some(all) => (t.with("page-chunks-of", &[("n", &d.chunks.to_string()), ("all", &all.to_string())])), None => (t.count("page-chunks", n)) }
                    @if let Some(at) = d.last_at { " · " (t.with("page-last-chunk", &[("moment", &t.moment(at))])) } }
                @if let Some(all) = d.chunks_all.filter(|a| *a > 0) {
                    svg.bar viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" { rect width=(d.chunks.saturating_mul(100) / all) height="4" {} }
                }
                @if let Some(s) = stop {
                    p { (t.word("page-delivered-after")) }
                    h3 { (t.word("page-delivered-what")) }
                    @if !t.text(&s.about_delivered).is_empty() { p { (t.text(&s.about_delivered)) } }
                    ul {
                        li { (t.word("page-delivered-keep")) }
                        li { (t.word("page-delivered-contract")) }
                        li { a href=(format!("{}/evidence", flow_link(t, &self.flow.id))) { (t.word("page-delivered-list")) } }
                    }
                }
            }
        }
    }

    fn cures(&self, s: &Stop) -> Markup {
        let t = self.t;
        html! {
            section aria-labelledby="cures" {
                h2 #cures { (t.word("page-cures")) }
                @if s.remedies.is_empty() { p { (t.word("page-cures-none")) } }
                ol.cards {
                    @for (i, r) in s.remedies.iter().take(3).enumerate() {
                        li {
                            @for m in &r.measures {
                                p { b { (t.text(&m.label)) } " " span.tag { (t.with("decides", &[("who", &t.who(&m.decides))])) } }
                                @if !t.text(&m.note).is_empty() { p.meta { (t.text(&m.note)) } }
                            }
                            p.meta { (super::verdict::cost(t, r)) }
                            form method="post" action=(format!("{}/cure", flow_link(t, &self.flow.id))) {
                                input type="hidden" name="csrf" value=(self.csrf);
                                @for m in &r.measures { input type="hidden" name="measure" value=(m.id); }
                                div.actions { @if i == 0 { button { (t.word("page-cure-go")) } } @else { button.plain { (t.word("page-cure-go")) } } }
                            }
                        }
                    }
                }
                p.small { (t.word("page-cure-note")) }
            }
        }
    }
}

/// `POST /{tongue}/flows/{id}/cure`
pub async fn cure(Held(state): Held<State>, Path((code, id)): Path<(String, String)>, uri: Uri, seat: Seat<Act>, Form(pairs): Form<Pairs>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let csrf = pairs.iter().find(|(n, _)| n == "csrf").map(|(_, v)| v.as_str()).unwrap_or_default();
    if let Err(p) = seat.check(csrf) {
        return refused(&uri, &p);
    }
    let measures: Vec<String> = pairs.into_iter().filter(|(n, _)| n == "measure").map(|(_, v)| v).collect();
    let (who, flow) = (seat.principal.clone(), id.clone());
    match blocking(&state, move |f| f.cure(&who, &flow, &measures)).await {
        Err(p) => refused(&uri, &p),
        Ok(Ok(())) => Redirect::to(&flow_link(t, &id)).into_response(),
        Ok(Err(text)) => {
            let body = html! {
                h1 { (t.word("page-cure-failed")) }
                p.lead { (t.text(&text)) }
                p { a.button.plain href=(flow_link(t, &id)) { (t.word("page-back-to-flow")) } }
            };
            Frame::new(t, &uri, "flows", t.word("page-cure-failed")).render(&state, body)
        }
    }
}
