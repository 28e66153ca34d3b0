//! The whole rulebook as pages in files, for an office without this program: no server, no script, made to be printed.
//!
//! What a page shows of a rule is what the served page shows, with the day for which it was written at its head.

use super::{
    law::{self, Rule, Standing},
    page::{self, citation, country::start, rule, span_of, time},
    tongue::{Tongue, word_of},
};
use maud::{DOCTYPE, Markup, html};
use model::{AsOf, text::Language};
use rulebook::{
    block::{self, Block},
    book::Rulebook,
    diagnostic::Diagnostic,
    expr,
    law::{Layer, List},
};
use std::collections::HashMap;

/// The rulebook as files: path and text. `corrections` is where mistakes are reported.
pub fn files(book: &Rulebook, as_of: AsOf, corrections: &str) -> Vec<(String, String)> {
    let parsed = book.sources.iter().enumerate().flat_map(|(i, s)| block::parse(i, &s.text, &mut Vec::new()));
    let blocks: HashMap<&str, Block<'_>> = parsed.filter(|b| b.kind != "case").map(|b| (b.id, b)).collect();
    let rules = law::rules(book);
    let mut out = vec![("style.css".to_string(), page::STYLE.to_string())];
    for t in [Tongue(Language::En), Tongue(Language::Ja)] {
        let office = Office { t, book, as_of, corrections, blocks: &blocks, rules: &rules };
        out.push((format!("{}/index.html", t.code()), office.index()));
        out.extend(book.layers.values().map(|l| (format!("{}/{}", t.code(), layer_file(&l.id)), office.layer(l))));
        out.extend(book.lists.values().map(|l| (format!("{}/{}", t.code(), list_file(&l.head.id)), office.list(l))));
    }
    let first = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; meta name="viewport" content="width=device-width, initial-scale=1"; title { "Tegata" } link rel="stylesheet" href="style.css"; }
            body { main { h1 { "Tegata" } ul { li { a href="en/index.html" lang="en" { "English" } } li { a href="ja/index.html" lang="ja" { "日本語" } } } } }
        }
    };
    out.push(("index.html".into(), first.into_string()));
    out
}

/// Files have a prefix, so that a layer and a list of one name are two.
fn layer_file(id: &str) -> String {
    format!("law-{id}.html")
}

fn list_file(id: &str) -> String {
    format!("list-{id}.html")
}

struct Office<'a> {
    t: Tongue,
    book: &'a Rulebook,
    as_of: AsOf,
    corrections: &'a str,
    blocks: &'a HashMap<&'a str, Block<'a>>,
    rules: &'a [Rule<'a>],
}

impl Office<'_> {
    fn frame(&self, file: &str, title: &str, body: Markup) -> String {
        let (t, other) = (self.t, self.t.other());
        let page = html! {
            (DOCTYPE)
            html lang=(t.code()) {
                head {
                    meta charset="utf-8"; meta name="viewport" content="width=device-width, initial-scale=1"; meta name="color-scheme" content="light dark";
                    title { (title) " – " (t.word("page-name")) }
                    link rel="stylesheet" href="../style.css";
                    link rel="alternate" hreflang=(other.code()) href=(format!("../{}/{file}", other.code()));
                }
                body {
                    header { div.top {
                        a.brand href="index.html" lang="en" { span.mark aria-hidden="true" { "手形" } " Tegata" }
                        a.tongue href=(format!("../{}/{file}", other.code())) hreflang=(other.code()) lang=(other.code()) { (t.word("page-other-language")) }
                    } }
                    main #main {
                        p.meta { (t.with("page-law-of", &[("day", &t.day(self.as_of.on))])) " · " (t.word("page-rulebook")) " " code { (self.book.digest()) } }
                        (body)
                    }
                    footer {
                        p { (t.word("page-not-advice")) }
                        p.small { a href=(rulebook::export::LICENSE) rel="license" { "CC BY 4.0" } }
                    }
                }
            }
        };
        page.into_string()
    }

    fn index(&self) -> String {
        let (t, book) = (self.t, self.book);
        let places: Vec<(String, Vec<&Layer>)> = book
            .vocabulary
            .places
            .iter()
            .map(|(code, name)| (format!("{} ({code})", t.text(name)), law::layers_of(book, code, self.as_of).0))
            .filter(|(_, layers)| !layers.is_empty())
            .collect();
        let body = html! {
            h1 { (t.word("page-office-title")) }
            p.lead { (t.word("page-office-lead")) }
            h2 { (t.word("page-nav-countries")) }
            ul { @for (name, layers) in &places { li { (name) ": " (self.links(layers)) } } }
            h2 { (t.word("page-office-laws")) }
            ul { @for l in book.layers.values() { li { (self.links(&[l])) " " span.tag { (l.tier) } } } }
            h2 { (t.word("page-office-lists")) }
            ul { @for l in book.lists.values() { li { a href=(list_file(&l.head.id)) { (t.text(&l.label)) } } } }
            p.small { (t.word("page-tier-note")) }
        };
        self.frame("index.html", &t.word("page-office-title"), body)
    }

    fn links(&self, layers: &[&Layer]) -> Markup {
        html! { @for (i, l) in layers.iter().enumerate() { @if i > 0 { " · " } a href=(layer_file(&l.id)) { (self.t.text(&l.label)) } } }
    }

    fn layer(&self, l: &Layer) -> String {
        let t = self.t;
        let own: Vec<&Rule<'_>> = self.rules.iter().filter(|r| r.layer == Some(l.id.as_str())).collect();
        let body = html! {
            h1 { (t.text(&l.label)) " " span.tag { (t.word("page-tier")) " " (l.tier) } }
            dl {
                dt { (t.word("page-authority")) } dd { (t.text(&l.authority)) }
                dt { (t.word("checked")) } dd { (t.text(&l.checked)) }
                dt { (t.word("not-checked")) } dd { (t.text(&l.not_checked)) }
                dt { (t.word("page-id")) } dd { code { (l.id) } }
            }
            @if !l.gaps.is_empty() { div.note.warn { b { (t.word("page-gaps")) } ul { @for g in &l.gaps { li { (t.text(&g.says)) } } } } }
            @for r in &own { (self.rule(r)) }
        };
        self.frame(&layer_file(&l.id), t.text(&l.label), body)
    }

    fn list(&self, l: &List) -> String {
        let t = self.t;
        let body = html! {
            h1 { (t.text(&l.label)) }
            p.meta { (t.with("page-complete-as-of", &[("day", &t.day(l.complete_as_of))])) " · " code { (l.head.id) } }
            @if !l.head.doubt.is_empty() { h2 { (t.word("page-doubt")) } p.note.warn { (l.head.doubt) } }
            @for r in self.rules.iter().filter(|r| r.head.id.split_once('#').is_some_and(|(list, _)| list == l.head.id)) { (self.rule(r)) }
        };
        self.frame(&list_file(&l.head.id), t.text(&l.label), body)
    }

    /// One rule or entry with its days, sources and review state, and where to report that it is wrong.
    fn rule(&self, r: &Rule<'_>) -> Markup {
        let (t, h) = (self.t, r.head);
        let standing = Standing::of(h, self.as_of);
        html! {
            section id=(h.id) {
                h2 { (t.cite(h.cites_on(self.as_of.on))) " " span.tag { (t.word(&format!("page-kind-{}", r.kind))) } }
                p.says { (law::says(self.book, r).in_(t.0)) }
                p { b { (t.with(&format!("page-standing-{}-on", standing.word()), &[("day", &t.day(self.as_of.on))])) } " · " (span_of(t, start(h), h.until))
                    @if let Some(d) = h.published { " · " (t.word("page-published")) " " (time(t, d)) }
                    @if let Some(d) = h.annulled { " · " (t.word("page-annulled")) " " (time(t, d)) } }
                (self.conditions(r))
                @if !h.doubt.is_empty() && r.kind != "entry" { p.note.warn { b { (t.word("page-doubt")) } ": " (h.doubt) } }
                p.meta { (citation(t, &h.citation(self.as_of.on))) " · " (t.word(&format!("seen-{}", word_of(&h.seen)))) ", " (time(t, h.read)) " · " code { (h.id) } " · "
                    a href=(rule::correction(self.corrections, self.book, h, self.as_of.on)) rel="noreferrer external" { (t.word("page-wrong-go")) } }
            }
        }
    }

    fn conditions(&self, r: &Rule<'_>) -> Markup {
        let t = self.t;
        if r.kind == "entry" {
            let entry = self.book.lists.values().flat_map(|l| &l.entries).find(|e| e.head.id == r.head.id);
            return html! { @if let Some(e) = entry {
                @if let Some(when) = &e.when { (rule::logic(t, self.book, when, true)) }
                @if !e.note.is_empty() { p lang="en" { (e.note) } }
            } };
        }
        let Some(block) = self.blocks.get(r.head.id.as_str()) else { return html! {} };
        html! {
            @for key in rule::CONDITIONS {
                @if let Some(line) = block.line(key) {
                    h3 { (t.word(&format!("page-key-{key}"))) }
                    @match expr::parse(line, &mut Vec::<Diagnostic>::new()) {
                        Some(e) => (rule::logic(t, self.book, &e, true)),
                        None => { p { (said(t, &line.value)) } }
                    }
                }
            }
        }
    }
}

/// The half of `English | 日本語` that a page speaks.
fn said(t: Tongue, value: &str) -> &str {
    match value.split_once(" | ") {
        Some((en, ja)) => if t.code() == "ja" { ja } else { en },
        None => value,
    }
}

