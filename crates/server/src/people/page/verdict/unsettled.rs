//! What keeps an answer from being one: questions that still matter, what no answer settles, and what would open it.

use super::{Answer, QUESTIONS, REASONS, field, folded};
use crate::people::asked;
use decide::{
    decision::{CrossingAnswer, Missing},
    knowledge::Truth,
};
use maud::{Markup, html};

impl Answer<'_> {
    /// What is not known yet: questions that still matter, as a form; then what no answer settles.
    pub(super) fn missing(&self, c: &CrossingAnswer) -> Markup {
        let t = self.t;
        let slots: Vec<(&str, String)> = c.missing.iter().filter_map(|m| match m {
            Missing::Fact { slot, knows, .. } => Some((slot.as_str(), t.with("asks", &[("who", &t.who(knows))]))),
            Missing::Judgment { slot, by, .. } => Some((slot.as_str(), t.with("judges", &[("who", &t.who(by))]))),
            _ => None,
        }).collect();
        let (sure, may): (Vec<&Missing>, Vec<&Missing>) = c.missing.iter().partition(|m| self.surely(c, m));
        let sure: Vec<Markup> = sure.into_iter().filter_map(|m| self.unsettled(m)).collect();
        let may: Vec<Markup> = may.into_iter().filter_map(|m| self.unsettled(m)).collect();
        html! {
            @if !slots.is_empty() {
                section aria-labelledby="missing" {
                    h2 #missing { (t.count("page-questions", slots.len())) }
                    p { (t.word("page-questions-lead")) }
                    form method="get" action=(format!("/{}/verdict", t.code())) {
                        @for (name, value) in self.asked.pairs() { input type="hidden" name=(name) value=(value); }
                        @for (slot, hint) in slots.iter().take(QUESTIONS) { (field(t, self.book, slot, self.asked, Some(hint.clone()))) }
                        @if slots.len() > QUESTIONS {
                            details { summary { (t.count("page-more-questions", slots.len() - QUESTIONS)) }
                                @for (slot, hint) in slots.iter().skip(QUESTIONS) { (field(t, self.book, slot, self.asked, Some(hint.clone()))) }
                            }
                        }
                        div.actions { button { (t.word("page-questions-go")) } }
                    }
                }
            }
            @if !sure.is_empty() || !may.is_empty() {
                section aria-labelledby="unsettled" {
                    h2 #unsettled { (t.word("page-unsettled")) }
                    (folded(t, sure, REASONS, false))
                    @if !may.is_empty() {
                        details { summary { (t.count("page-unsettled-may", may.len())) } (folded(t, may, usize::MAX, false)) }
                    }
                }
            }
        }
    }

    /// Whether what is unsettled belongs to a law that surely applies.
    fn surely(&self, c: &CrossingAnswer, m: &Missing) -> bool {
        let applies = |layer: &str| c.layers.iter().any(|l| l.layer == layer && l.applies == Truth::Yes);
        match m {
            Missing::NotCovered { layer, .. } => layer == decide::ask::UNCOVERED || applies(layer),
            Missing::Disputed { id, .. } => self.book.disputed.get(id).is_some_and(|d| {
                let mut own = self.book.layers.values().filter(|l| l.head.span.file == d.head.span.file);
                own.any(|l| applies(&l.id))
            }),
            _ => true,
        }
    }

    pub(super) fn unsettled(&self, m: &Missing) -> Option<Markup> {
        let t = self.t;
        match m {
            Missing::Disputed { id, question, a, b } => {
                let held = self.book.disputed.get(id);
                Some(html! {
                    p.cite { (t.text(question)) " " span.tag { (t.word("disputed")) } }
                    p { b { "a. " } (t.text(a)) @if let Some(h) = held.filter(|h| !h.holders_a.is_empty()) { span.meta lang="en" { " (" (h.holders_a) ")" } } }
                    p { b { "b. " } (t.text(b)) @if let Some(h) = held.filter(|h| !h.holders_b.is_empty()) { span.meta lang="en" { " (" (h.holders_b) ")" } } }
                })
            }
            Missing::NotCovered { layer, says } => Some(html! {
                p.cite { (t.word("not-covered")) }
                p { (t.text(says)) @if self.book.layers.contains_key(layer) { " " a href=(format!("/{}/layer/{}", t.code(), asked::escape(layer))) { (t.word("page-see-layer")) } } }
            }),
            _ => None,
        }
    }

    pub(super) fn would_open(&self, c: &CrossingAnswer) -> Markup {
        let t = self.t;
        html! {
            @if !c.disputes.is_empty() {
                section aria-labelledby="one-reading" {
                    h2 #one-reading { (t.word("would-open-reading")) }
                    @for d in c.disputes.iter().filter_map(|d| self.unsettled(d)) { (d) }
                }
            }
            @if !c.would_open.is_empty() { (self.questions_that_open(c)) }
        }
    }

    fn questions_that_open(&self, c: &CrossingAnswer) -> Markup {
        let t = self.t;
        html! {
            section aria-labelledby="would-open" {
                h2 #would-open { (t.word("would-open")) }
                details {
                    summary { (t.count("page-more-questions", c.would_open.len())) }
                    form method="get" action=(format!("/{}/verdict", t.code())) {
                        @for (name, value) in self.asked.pairs() { input type="hidden" name=(name) value=(value); }
                        @for slot in &c.would_open { (field(t, self.book, slot, self.asked, None)) }
                        div.actions { button { (t.word("page-questions-go")) } }
                    }
                }
            }
        }
    }
}
