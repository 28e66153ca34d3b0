//! The answer: may it go, by which article, and what is the cheapest way.

mod label;
mod unsettled;

pub use label::{cost, slot_label, values_label};

use super::{Frame, as_of_form, badge, citation, field::field, folded, rule_link, time, tongue};
use crate::people::{
    State,
    asked::{self, Asked, Pairs, place_name, query},
    principal::{Ask, Seat},
    tongue::Tongue,
};
use axum::{extract::{Path, Query, State as Held}, http::Uri, response::Response};
use decide::{
    counter::Warning,
    decision::{Clause, ClauseKind, CrossingAnswer, Decision, Remedy, Verdict},
    footing,
    knowledge::Truth,
    suppose::Supposition,
};
use maud::{Markup, html};
use model::{CivilDate, transfer::Transfer};
use label::{due, in_words, known_values, said_label};
use node::determination::Weighed;
use rulebook::book::Rulebook;

/// Reasons and ways at once; the others behind a fold.
const REASONS: usize = 4;
const WAYS: usize = 3;
const QUESTIONS: usize = 4;
/// Laws that may apply too, shown without a fold.
const MAY_APPLY: usize = 4;

/// `GET /{tongue}/verdict`
pub async fn get(
    Held(state): Held<State>,
    Path(code): Path<String>,
    uri: Uri,
    Query(pairs): Query<Pairs>,
    _seat: Seat<Ask>,
) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let asked = match Asked::read(&state, &pairs) {
        Ok(a) => a,
        Err(p) => return super::refused(&uri, &p),
    };
    let (mut transfer, as_of, today) = (Transfer::single(asked.flat.clone()), asked.as_of, asked.past.then(|| state.day()));
    let held = asked::held(&state);
    let answer = state.think(move |engine| {
        let judged = asked::judged(engine, &mut transfer, Vec::new(), &held, as_of)?;
        let (decision, now) = asked::decide(engine, &transfer, as_of, today)?;
        let bound = engine.book.bind(&transfer).map_err(|f| crate::problem::Problem::findings(&f))?;
        let beside = Beside { judged, ahead: engine.ahead(&bound, as_of).map_err(asked::too_many)? };
        Ok((decision, now, asked::suppose(engine, &transfer, as_of)?, beside))
    });
    let answer = answer.await.and_then(|a| a);
    match answer {
        Err(p) => not_understood(&state, t, &uri, &asked, &p),
        Ok((decision, now, supposed, more)) => {
            let page = Answer { more: &more, t, book: &state.book, asked: &asked, decision: &decision, now: now.as_ref(), supposed: supposed.as_ref() };
            let title = format!("{}: {}", t.word(&format!("verdict-{}", decision.verdict.word())), page.route());
            Frame::new(t, &uri, "check", title).render(&state, page.render())
        }
    }
}

fn not_understood(state: &State, t: Tongue, uri: &Uri, asked: &Asked, problem: &crate::problem::Problem) -> Response {
    let body = html! {
        h1 { (t.word(&format!("page-problem-{}", problem.kind().slug()))) }
        ul { @for (message, help) in problem.lines() { li { (message) @if !help.is_empty() { " – " (help) } } } }
        p { a.button href=(format!("/{}/check?{}", t.code(), asked.query())) { (t.word("page-change-answers")) } }
    };
    Frame::new(t, uri, "check", t.word("page-check-title")).render(state, body)
}

/// What an answer rests on or nears beside the facts that were asked about.
struct Beside {
    judged: Vec<Weighed>,
    ahead: Vec<Warning>,
}

struct Answer<'a> {
    t: Tongue,
    more: &'a Beside,
    book: &'a Rulebook,
    asked: &'a Asked,
    decision: &'a Decision,
    now: Option<&'a Decision>,
    supposed: Option<&'a Supposition>,
}

impl Answer<'_> {
    fn on(&self) -> CivilDate {
        self.decision.as_of.on
    }

    /// From where to where, in words.
    fn route(&self) -> String {
        let end = |slot: &str| {
            let code = self.asked.value(slot);
            code.map_or_else(|| self.t.word("page-somewhere"), |c| place_name(self.book, self.t, &c))
        };
        format!("{} → {}", end("exporter.place"), end("recipient.place"))
    }

    fn render(&self) -> Markup {
        let t = self.t;
        let Some(c) = self.decision.worst() else { return html! {} };
        html! {
            (self.banner())
            (self.rests_on())
            div.cols {
                div {
                    @match c.verdict {
                        // One press settles most of it: that stands before the questions one by one.
                        Verdict::Undetermined => { @if let Some(s) = self.supposed { (self.supposed(s)) } (self.missing(c)) (self.because(c)) }
                        Verdict::Conditional => { (self.ways(c)) (self.because(c)) (self.would_open(c)) }
                        _ => { (self.because(c)) }
                    }
                    (self.duties(c))
                    (self.coverage(c))
                    (tree(t, self.book, c, self.on()))
                    details {
                        summary { (t.word("page-repeat")) }
                        pre tabindex="0" aria-label=(t.word("page-repeat")) { (lines(&self.asked.command())) }
                    }
                }
                aside { (self.beside()) }
            }
        }
    }

    fn banner(&self) -> Markup {
        let (t, v) = (self.t, self.decision.verdict);
        html! {
            section class=(format!("answer {}", v.word())) aria-labelledby="answer" {
                p.route { (self.route()) }
                h1 #answer { span.letter aria-hidden="true" { (t.word(&format!("page-letter-{}", v.word()))) } (t.word(&format!("verdict-{}", v.word()))) }
                p { (t.word(&format!("page-means-{}", v.word()))) }
                @if let Some(d) = self.decision.worst().and_then(CrossingAnswer::shut_by) {
                    p { b { (t.word("shut-anyway")) } ": " (t.cite(&d.citation.cites)) " – " (t.text(&d.says)) }
                }
                p.meta {
                    (t.with("page-law-of", &[("day", &t.day(self.on()))]))
                    @if let Some(day) = self.decision.holds_until { " · " (t.with("page-holds-until", &[("day", &t.day(day))])) }
                }
            }
            @if let Some(now) = self.now { @if now.verdict != self.decision.verdict || now.deciding_ids() != self.decision.deciding_ids() {
                div.note.warn {
                    p { (t.with("page-understood-now", &[("day", &t.day(now.as_of.published_by))])) " " (badge(t, now.verdict)) }
                    @if let Some(c) = now.worst() { @for d in c.deciding.iter().take(2) { p.meta { b { (t.cite(&d.citation.cites)) } " – " (t.text(&d.says)) } } }
                }
            } }
        }
    }

    /// The judgments behind the answer, and the thresholds ahead of its counts.
    fn rests_on(&self) -> Markup {
        let t = self.t;
        html! {
            @for w in &self.more.judged { p.note { (w.line(self.book, t.0, &t.word("page-judgments"))) } }
            @for w in &self.more.ahead { p class=(if w.is_near() { "note warn" } else { "note" }) { (node::question::threshold(self.book, t.0, w)) } }
        }
    }

    /// The clauses that decide, those that speak most plainly first.
    fn because(&self, c: &CrossingAnswer) -> Markup {
        let mut shown: Vec<&Clause> = c.deciding.iter().filter(|d| d.kind != ClauseKind::Route || c.verdict.opens() || d.barely().next().is_some()).collect();
        let surely = |d: &Clause| c.layers.iter().any(|l| l.layer == d.layer && l.applies == Truth::Yes);
        let plain = |d: &Clause| matches!(d.kind, ClauseKind::Bar | ClauseKind::Gate | ClauseKind::Carried);
        if c.verdict == Verdict::Undetermined {
            // What is missing is the answer; of the rules behind it only those that surely apply stand here, all in the tree.
            shown.retain(|d| surely(d) && d.kind != ClauseKind::Gap);
            shown.sort_by_key(|d| !plain(d));
        } else {
            shown.sort_by_key(|d| (d.kind == ClauseKind::Gap, d.kind == ClauseKind::Scope));
        }
        if shown.is_empty() && c.verdict.opens() {
            let says = self.t.word("nothing-asks");
            return html! { section aria-labelledby="because" { h2 #because { (self.t.word("because")) } p { (says) } } };
        }
        if shown.is_empty() {
            return html! {};
        }
        let items = shown.into_iter().map(|d| self.clause(d)).collect();
        html! { section aria-labelledby="because" { h2 #because { (self.t.word("because")) } (folded(self.t, items, REASONS, false)) } }
    }

    fn clause(&self, d: &Clause) -> Markup {
        let t = self.t;
        let beside = d.beside.as_ref().filter(|_| matches!(d.kind, ClauseKind::Out | ClauseKind::Route | ClauseKind::Bar));
        let label = match d.kind {
            ClauseKind::Out => "remain",
            ClauseKind::Route => "not-dispense",
            _ => "other-way",
        };
        html! {
            p.cite {
                @if d.citation.cites.is_empty() { (t.word("kind-gap")) }
                @else { a href=(rule_link(t, &d.id, self.on())) { (t.cite(&d.citation.cites)) } }
                " " span.tag { (t.of_value("kind-", &d.kind)) }
            }
            p.says { (clause_says(t, d)) }
            @if d.kind != ClauseKind::Gap { p.meta { (citation(t, &d.citation)) } }
            (entries(t, d, self.on()))
            @if let Some(b) = beside { p { b { (t.word(label)) ":" } " " (t.text(b)) } }
        }
    }

    fn ways(&self, c: &CrossingAnswer) -> Markup {
        let t = self.t;
        let items = c.remedies.iter().map(|r| self.way(r)).collect();
        html! {
            section aria-labelledby="ways" {
                h2 #ways { (t.word("ways")) }
                (folded(t, items, WAYS, true))
                p.small { (t.word("page-cost-guess")) }
            }
        }
    }

    /// What would follow if the usual holds where nothing was said: no answer, and one press from one.
    fn supposed(&self, s: &Supposition) -> Markup {
        let t = self.t;
        let facts = s.facts.iter().map(|(slot, f)| ("fact".to_string(), format!("{slot}={}", f.known)));
        let with: Pairs = self.asked.pairs().into_iter().chain(facts).collect();
        let reasons = s.deciding.iter().filter(|d| s.missing.is_empty() && (d.kind != ClauseKind::Route || s.verdict.opens()));
        let reason = reasons.min_by_key(|d| d.kind == ClauseKind::Gap);
        let waits: Vec<Markup> = s.missing.iter().filter_map(|m| self.unsettled(m)).collect();
        html! {
            section aria-labelledby="supposed" {
                h2 #supposed { (t.word("supposed")) }
                p { (badge(t, s.verdict)) @if let Some(d) = reason { " " b { (t.cite(&d.citation.cites)) } " – " (t.text(&d.says)) } }
                (folded(t, waits, REASONS, false))
                ul { @for (slot, f) in &s.facts {
                    li { (slot_label(t, self.book, slot)) ": " (in_words(t, self.book, slot, &known_values(&f.known))) }
                } }
                p { a.button href=(format!("/{}/verdict?{}", t.code(), query(&with))) { (t.word("page-take-usual")) } }
            }
        }
    }

    fn way(&self, r: &Remedy) -> Markup {
        let t = self.t;
        let facts = r.measures.iter().flat_map(|m| m.makes.iter()).map(|f| ("fact".to_string(), f.clone()));
        let with: Pairs = self.asked.pairs().into_iter().chain(facts).collect();
        html! {
            @for m in &r.measures {
                p { b { (t.text(&m.label)) } " " span.tag { (t.with("decides", &[("who", &t.who(&m.decides))])) } }
                @if !t.text(&m.note).is_empty() { p.meta { (t.text(&m.note)) } }
            }
            p.meta { (cost(t, r)) " · " (t.word("page-opens-by")) " "
                @for (i, id) in r.routes.iter().enumerate() {
                    @if i > 0 { ", " }
                    a href=(rule_link(t, id, self.on())) { (t.cite(self.book.head(id).map_or(id.as_str(), |h| h.cites.as_str()))) }
                }
            }
            p.noprint { a.button.plain href=(format!("/{}/verdict?{}", t.code(), query(&with))) { (t.word("page-with-this")) } }
        }
    }

    fn duties(&self, c: &CrossingAnswer) -> Markup {
        let t = self.t;
        let items: Vec<Markup> = c.obligations.iter().filter(|o| o.truth == Truth::Yes && !o.done).map(|o| html! {
            p.cite { a href=(rule_link(t, &o.id, self.on())) { (t.cite(&o.citation.cites)) } " "
                span.tag { @match o.last_day { Some(d) => (t.with("page-due-by", &[("day", &t.day(d))])), None => (due(t, self.book, &o.id)) } }
                @if o.overdue { " " span.tag.warn { (t.word("overdue")) } } }
            p.says { (t.text(&o.says)) }
            p.meta { (t.of_value("if-", &o.if_breached)) }
        }).collect();
        if items.is_empty() || !matches!(c.verdict, Verdict::Permitted | Verdict::Conditional) {
            return html! {};
        }
        html! { section aria-labelledby="duties" { h2 #duties { (t.word("duties")) } (folded(t, items, REASONS, false)) } }
    }

    fn coverage(&self, c: &CrossingAnswer) -> Markup {
        let t = self.t;
        let sure: Vec<_> = c.layers.iter().filter(|l| l.applies == Truth::Yes).collect();
        let may: Vec<_> = c.layers.iter().filter(|l| l.applies == Truth::Open).collect();
        html! {
            section aria-labelledby="checked" {
                h2 #checked { (t.word("page-checked-title")) }
                @for l in &sure {
                    h3 { a href=(format!("/{}/layer/{}", t.code(), asked::escape(&l.layer))) { (t.text(&l.label)) } }
                    dl {
                        dt { (t.word("checked")) } dd { (t.text(&l.checked)) }
                        dt { (t.word("not-checked")) } dd { (t.text(&l.not_checked)) }
                    }
                }
                @if !may.is_empty() {
                    details open[may.len() <= MAY_APPLY] {
                        summary { (t.count("page-may-apply", may.len())) }
                        ul.places { @for l in &may { li { a href=(format!("/{}/layer/{}", t.code(), asked::escape(&l.layer))) { (t.text(&l.label)) } } } }
                    }
                }
            }
        }
    }

    fn beside(&self) -> Markup {
        let (t, d) = (self.t, self.decision);
        let back = format!("/{}/check?{}", t.code(), self.asked.query());
        html! {
            h2 { (t.word("page-you-said")) }
            dl { @for (slot, said) in &self.asked.flat { dt { (slot_label(t, self.book, slot)) } dd { (said_label(t, self.book, slot, self.asked)) @if said.standing != model::fact::Standing::Claimed { " " span.tag { (t.word("page-evidenced")) } } } } }
            p.noprint { a href=(back) { (t.word("page-change-answers")) } }
            (as_of_form(t, &format!("/{}/verdict", t.code()), &self.asked.pairs(), d.as_of))
            @if let (Some(review), Some(seen), Some(read)) = (d.weakest_review, d.weakest_seen, d.oldest_read) {
                h2 { (t.word("weakest")) }
                p { (t.with("weakest-value", &[("state", &t.of_value("review-", &review)), ("seen", &t.of_value("seen-", &seen)), ("date", &t.day(read))])) @if let Some(c) = d.weakest() { " (" (t.cite(&c.cites)) ")" } }
            }
            @let once: Vec<String> = footing::read_once(d).iter().map(|r| r.names()).collect();
            @if !once.is_empty() {
                p.box.warn { (t.with("read-once", &[("rules", &once.join("; "))])) }
            }
            @let stale = footing::stale(d, crate::people::wall_day());
            @if let Some(oldest) = stale.iter().map(|(_, day)| *day).min() {
                p.box.warn { (t.with("read-stale", &[("date", &t.day(oldest)), ("rules", &stale.iter().map(|(id, _)| *id).collect::<Vec<_>>().join(", "))])) }
            }
            p.small {
                (t.word("page-rulebook")) " " code { (d.rulebook.short()) } br;
                (t.word("page-decision")) " " code { (d.digest().short()) }
            }
            p.noprint { a.button.plain href=(format!("/{}/matrix?{}", t.code(), self.asked.query())) { (t.word("page-all-destinations")) } }
            p.small { (t.word("page-print-hint")) }
        }
    }
}

/// The entries of lists behind a clause: those that carry it; of one that does not hold, those that would.
fn entries(t: Tongue, d: &Clause, on: CivilDate) -> Markup {
    html! {
        @for e in &d.entries {
            p { (node::question::entry(t.0, e)) " · " a href=(rule_link(t, &e.id, on)) { code { (e.id) } } }
            p.meta { (citation(t, &e.citation)) @if !e.note.is_empty() { " · " span lang="en" { (e.note) } } }
        }
    }
}

/// What a clause says; of a scope that does not reach the act, that it is not applicable, and why.
fn clause_says(t: Tongue, c: &Clause) -> String {
    if c.kind != ClauseKind::Scope || c.truth != Truth::No {
        return t.text(&c.says).to_string();
    }
    let unmet: Vec<&str> = c.unmet.iter().map(|u| t.text(&u.says)).collect();
    let id = if unmet.is_empty() { "scope-not" } else { "scope-not-because" };
    t.with(id, &[("says", t.text(&c.says)), ("unmet", &unmet.join("; "))])
}

/// A command with an option a line, as a shell reads it.
fn lines(command: &str) -> String {
    command.replace(" --fact ", " \\\n  --fact ").replace(" --as-of ", " \\\n  --as-of ")
}

/// Every layer, clause and route with its first unmet conditions, folded away.
fn tree(t: Tongue, book: &Rulebook, c: &CrossingAnswer, on: CivilDate) -> Markup {
    html! {
        details.tree {
            summary { (t.word("page-tree")) }
            @for layer in c.layers.iter().filter(|l| l.applies != Truth::No) {
                h3 { (t.text(&layer.label)) }
                ul.cards {
                    @for d in &layer.clauses {
                        li {
                            p { a href=(rule_link(t, &d.id, on)) { @if d.citation.cites.is_empty() { (d.id) } @else { (t.cite(&d.citation.cites)) } }
                                " " span.tag { (t.of_value("kind-", &d.kind)) } " " b { (t.of_value("truth-", &d.truth)) } }
                            p.meta { (t.text(&d.says)) }
                            (entries(t, d, on))
                            @for u in &d.unmet { p.meta { "✗ " (t.text(&u.says)) " (" (t.of_value("truth-", &u.truth)) ")" } }
                        }
                    }
                }
            }
            @if c.layers.is_empty() { p { (time(t, on)) " " (book.layers.len()) } }
        }
    }
}
