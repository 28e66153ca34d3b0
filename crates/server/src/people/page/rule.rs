//! One rule at a day, at an address that a lawyer can cite.

use super::{Frame, as_of_form, rule_link, span_of, tagged, time, tongue};
use crate::people::{
    State,
    asked::{self, Pairs, escape},
    law::{self, Rule, Standing},
    page::country::start,
    tongue::Tongue,
};
use crate::problem::{Kind, Problem};
use axum::{
    extract::{Path, Query, State as Held},
    http::{HeaderMap, Uri},
    response::{IntoResponse, Redirect, Response},
};
use decide::explain::say_atom;
use maud::{Markup, html};
use model::{AsOf, CivilDate};
use rulebook::{block::Block, book::Rulebook, diagnostic::Diagnostic, expr::{self, Expr}, law::Head};

/// `GET /{tongue}/rule/{id}`: leads to today's address, or to that of the day asked for.
pub async fn today(Held(state): Held<State>, Path((code, id)): Path<(String, String)>, uri: Uri, Query(pairs): Query<Pairs>) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    match asked::days(&pairs, state.day()) {
        Ok(day) => Redirect::to(&rule_link(t, &id, day.on)).into_response(),
        Err(p) => super::refused(&uri, &p),
    }
}

/// `GET /{tongue}/rule/{id}/{date}`
pub async fn get(
    Held(state): Held<State>,
    Path((code, id, date)): Path<(String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let t = match tongue(&code, &uri) {
        Ok(t) => t,
        Err(r) => return r,
    };
    let on = match asked::parse_day(&date) {
        Ok(d) => d,
        Err(p) => return super::refused(&uri, &p),
    };
    let Some(rule) = law::rule(&state.book, &id) else {
        return super::refused(&uri, &Problem::of(Kind::NotFound, format!("`{id}`")));
    };
    let tag = format!("{}-{on}-{}", state.book.digest().short(), t.code());
    tagged(&headers, &tag, || {
        let page = Page { t, state: &state, book: &state.book, rule, as_of: AsOf::then(on) };
        let mut frame = Frame::new(t, &uri, "countries", t.cite(rule.head.cites_on(on)).into_owned());
        frame.json_ld = Some(page.json_ld());
        frame.render(&state, page.render())
    })
}

struct Page<'a> {
    t: Tongue,
    state: &'a State,
    book: &'a Rulebook,
    rule: Rule<'a>,
    as_of: AsOf,
}

impl Page<'_> {
    fn render(&self) -> Markup {
        let (t, h) = (self.t, self.rule.head);
        let standing = Standing::of(h, self.as_of);
        let tone = match standing {
            Standing::InForce => "permitted",
            Standing::NotYet | Standing::StartUnknown => "out_of_scope",
            Standing::Ended | Standing::Annulled => "prohibited",
        };
        let layer = self.rule.layer.and_then(|l| self.book.layers.get(l));
        html! {
            p.meta {
                @if let Some(l) = layer { a href=(format!("/{}/layer/{}?as_of={}", t.code(), escape(&l.id), self.as_of.on)) { (t.text(&l.label)) } }
                @else { (self.list_label()) }
                " · " (t.word(&format!("page-kind-{}", self.rule.kind)))
            }
            h1 { (t.cite(h.cites_on(self.as_of.on))) }
            div.cols {
                div {
                    p.lead { (law::says(self.book, &self.rule).in_(t.0)) }
                    p class=(format!("note {tone}")) {
                        b { (t.with(&format!("page-standing-{}-on", standing.word()), &[("day", &t.day(self.as_of.on))])) }
                        br; (span_of(t, start(h), h.until))
                    }
                    (self.understood_today())
                    @if !h.prose.trim().is_empty() {
                        h2 { @if h.heading.is_empty() { (t.word("page-prose")) } @else { (h.heading) } }
                        @for part in h.prose.trim().split("\n\n") { p { (plain(part)) } }
                        @if t.code() == "ja" { p.small { (t.word("page-prose-language")) } }
                    }
                    (self.conditions())
                    @if !h.doubt.is_empty() { h2 { (t.word("page-doubt")) } p.note.warn lang="en" { (h.doubt) } }
                    (self.versions())
                }
                aside {
                    (as_of_form(t, &format!("/{}/rule/{}", t.code(), escape(&h.id)), &Pairs::new(), self.as_of))
                    h2 { (t.word("page-source")) }
                    @if h.source.starts_with("https://") { p { a href=(h.source) rel="noreferrer external" { (t.word("page-official-text")) } } }
                    dl {
                        dt { (t.word("page-force")) } dd { (t.of_value("page-force-", &h.force)) }
                        @if let Some(d) = h.published { dt { (t.word("page-published")) } dd { (time(t, d)) } }
                        @if let Some(d) = h.annulled { dt { (t.word("page-annulled")) } dd { (time(t, d)) } }
                        dt { (t.word("page-review")) } dd { (t.of_value("review-", &h.review)) }
                        dt { (t.word("page-seen")) } dd { (t.of_value("seen-", &h.seen)) ", " (time(t, h.read)) }
                        dt { (t.word("page-sure")) } dd { (t.of_value("page-sure-", &h.sure)) }
                        dt { (t.word("page-id")) } dd { code { (h.id) } }
                        dt { (t.word("page-file")) } dd { code { (law::path_of(self.book, h)) } }
                    }
                    h2 { (t.word("page-wrong-title")) }
                    p { (t.word("page-wrong-lead")) }
                    p.noprint { a.button.plain href=(self.correction()) rel="noreferrer external" { (t.word("page-wrong-go")) } }
                }
            }
        }
    }

    /// For a past day: how the rule stands by what is public today, when that is another thing.
    fn understood_today(&self) -> Markup {
        let today = self.state.day();
        let now = Standing::of(self.rule.head, AsOf { on: self.as_of.on, published_by: today });
        if today <= self.as_of.on || now == Standing::of(self.rule.head, self.as_of) {
            return html! {};
        }
        let t = self.t;
        html! { p.note.warn { (t.with("page-understood-now", &[("day", &t.day(today))])) " " b { (t.word(&format!("page-standing-{}", now.word()))) } } }
    }

    fn list_label(&self) -> String {
        let list = self.rule.head.id.split_once('#').and_then(|(l, _)| self.book.lists.get(l));
        list.map(|l| self.t.text(&l.label).to_string()).unwrap_or_default()
    }

    /// The conditions of the block in words, and as the program reads them.
    fn conditions(&self) -> Markup {
        let t = self.t;
        let Some(block) = law::block_of(self.book, self.rule.head) else { return html! {} };
        if self.rule.kind == "entry" {
            return self.entry_condition();
        }
        let rows: Vec<(&str, Markup)> = CONDITIONS.iter().filter_map(|key| Some((*key, self.condition(&block, key)?))).collect();
        html! {
            h2 { (t.word("page-conditions")) }
            @for (key, says) in rows { h3 { (t.word(&format!("page-key-{key}"))) } (says) }
            details {
                summary { (t.word("page-as-read")) }
                pre tabindex="0" aria-label=(t.word("page-as-read")) { (fence(self.book, &block)) }
            }
        }
    }

    fn condition(&self, block: &Block, key: &str) -> Option<Markup> {
        let line = block.line(key)?;
        let mut ignored: Vec<Diagnostic> = Vec::new();
        Some(expr::parse(line, &mut ignored).map_or_else(|| html! { p { (self.said(&line.value)) } }, |e| logic(self.t, self.book, &e, true)))
    }

    /// The half of `English | 日本語` that this page speaks; a value without a bar as it is.
    fn said<'b>(&self, value: &'b str) -> &'b str {
        match value.split_once(" | ") {
            Some((en, ja)) => if self.t.code() == "ja" { ja } else { en },
            None => value,
        }
    }

    fn entry_condition(&self) -> Markup {
        let entry = self.book.lists.values().flat_map(|l| &l.entries).find(|e| e.head.id == self.rule.head.id);
        let Some(entry) = entry else { return html! {} };
        html! {
            @if let Some(when) = &entry.when { h2 { (self.t.word("page-conditions")) } (logic(self.t, self.book, when, true)) }
            @if !entry.note.is_empty() { p.note { (entry.note) } }
        }
    }

    /// The blocks that stand or stood at this place of the law.
    fn versions(&self) -> Markup {
        let t = self.t;
        let (before, after) = law::neighbors(self.book, &self.rule);
        let all = law::same_place(self.book, &self.rule);
        html! {
            h2 { (t.word("page-history")) }
            div.scroll tabindex="0" role="region" aria-label=(t.word("page-history")) {
                table.stack {
                    thead { tr { th scope="col" { (t.word("page-in-force")) } th scope="col" { (t.word("page-article")) } th scope="col" { (t.word("page-rule")) } } }
                    tbody {
                        @for r in &all {
                            @let this = r.head.id == self.rule.head.id;
                            tr aria-current=[this.then_some("true")] {
                                td { (span_of(t, start(r.head), r.head.until)) }
                                td { @if this { b { (t.cite(r.head.cites_on(self.as_of.on))) " (" (t.word("page-this")) ")" } } @else { a href=(rule_link(t, &r.head.id, start(r.head).unwrap_or(self.as_of.on))) { (t.cite(r.head.cites_on(self.as_of.on))) } } }
                                td { (law::says(self.book, r).in_(t.0)) }
                            }
                        }
                    }
                }
            }
            @for r in &before { p { (t.word("page-before")) " " a href=(rule_link(t, &r.head.id, r.head.until.map_or(self.as_of.on, |u| u.plus_days(-1)))) { (t.cite(r.head.cites_on(self.as_of.on))) } } }
            @for r in &after { p { (t.word("page-after")) " " a href=(rule_link(t, &r.head.id, start(r.head).unwrap_or(self.as_of.on))) { (t.cite(r.head.cites_on(self.as_of.on))) } } }
            (self.days())
        }
    }

    /// Links to the days on which this block itself turns.
    fn days(&self) -> Markup {
        let t = self.t;
        let mut days: Vec<CivilDate> = self.rule.head.boundaries().collect();
        days.sort();
        days.dedup();
        html! {
            p { (t.word("page-turns-on")) " "
                @for (i, d) in days.iter().enumerate() { @if i > 0 { " · " } a href=(rule_link(t, &self.rule.head.id, *d)) { (time(t, *d)) } }
            }
        }
    }

    fn correction(&self) -> String {
        correction(&self.state.corrections, self.book, self.rule.head, self.as_of.on)
    }

    /// schema.org `Legislation`: the block as a dated piece of law.
    fn json_ld(&self) -> serde_json::Value {
        let h = self.rule.head;
        let force = match Standing::of(h, self.as_of) {
            Standing::InForce => "https://schema.org/InForce",
            _ => "https://schema.org/NotInForce",
        };
        serde_json::json!({
            "@context": "https://schema.org",
            "@type": "Legislation",
            "@id": rule_link(self.t, &h.id, self.as_of.on),
            "legislationIdentifier": h.id,
            "name": h.cites,
            "abstract": law::says(self.book, &self.rule).in_(self.t.0),
            "inLanguage": self.t.code(),
            "url": h.source,
            "legislationLegalForce": force,
            "datePublished": h.published.or(start(h)).map(|d| d.to_string()),
            "temporalCoverage": format!("{}/{}", start(h).map(|d| d.to_string()).unwrap_or_else(|| "..".into()), h.until.map(|d| d.to_string()).unwrap_or_else(|| "..".into())),
            "version": self.book.digest().to_string(),
            "isBasedOn": h.source
        })
    }
}

/// The address at which a mistake in a rule is reported, with its id, file and day and the digest of the rulebook.
pub fn correction(address: &str, book: &Rulebook, h: &Head, on: CivilDate) -> String {
    let title = format!("rules: {} ({})", h.cites, h.id);
    let body = format!(
        "Rule: {}\nFile: rules/{}\nRulebook: {}\nDay: {on}\n\nWhat is wrong, and where the law says so:\n",
        h.id, law::path_of(book, h), book.digest()
    );
    format!("{address}?title={}&body={}", escape(&title), escape(&body))
}

/// Keys of a block that a page shows in words, in the order of the law.
pub const CONDITIONS: [&str; 11] =
    ["reaches", "when", "need", "carries", "due", "done", "if_breached", "remains", "not_dispense", "alternative", "except"];

/// An expression in words: nested lists of "all of" and "one of".
pub fn logic(t: Tongue, book: &Rulebook, e: &Expr, wanted: bool) -> Markup {
    match e {
        Expr::Const(b) => html! { p { (t.word(if *b == wanted { "page-always" } else { "page-never" })) } },
        Expr::Atom(a) => html! { p { (t.text(&say_atom(book, a, wanted))) } },
        Expr::Not(e) => logic(t, book, e, !wanted),
        Expr::And(es) => many(t, book, es, wanted, wanted),
        Expr::Or(es) => many(t, book, es, wanted, !wanted),
    }
}

fn many(t: Tongue, book: &Rulebook, es: &[Expr], wanted: bool, all: bool) -> Markup {
    html! {
        p.meta { (t.word(if all { "page-all-of" } else { "page-one-of" })) }
        ul.logic { @for e in es { li { (logic(t, book, e, wanted)) } } }
    }
}

/// The block's text in its file.
fn fence(book: &Rulebook, block: &Block) -> String {
    let Some(source) = book.sources.get(block.span.file) else { return String::new() };
    let rest = source.text.get(block.span.start..).unwrap_or_default();
    rest.split("\n```").next().unwrap_or_default().to_string()
}

/// Markdown emphasis and links down to plain words; law prose uses no more of it.
fn plain(text: &str) -> String {
    text.replace("**", "").replace('`', "")
}
