//! Cross references and types: every fact, word, place, list, layer and route that a rule names exists.

use crate::{
    block::Block,
    book::Rulebook,
    diagnostic::{Diagnostic, Span, did_you_mean},
    expr::{Atom, Expr, Test},
    law::*,
    usual,
    vocabulary::{Domain, Fact, FactKind},
};
use model::citation::{Force, Review};
use std::collections::{BTreeMap, BTreeSet};

/// Checks a parsed rulebook as a whole.
pub fn check(book: &Rulebook, parsed: &[Vec<Block>], diagnostics: &mut Vec<Diagnostic>) {
    let mut c = Checker { book, diagnostics };
    c.ids(parsed);
    c.references();
    c.expressions();
    c.circles();
    c.measures();
    c.layers();
    c.cases();
}

struct Checker<'a> {
    book: &'a Rulebook,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    fn error(&mut self, code: &'static str, span: Span, message: String, help: String) {
        self.diagnostics.push(Diagnostic::error(code, span, message, help));
    }

    fn ids(&mut self, parsed: &[Vec<Block>]) {
        // Cases are numbered apart from law: a case may bear the name of the rule that it tests.
        let mut seen: BTreeMap<(bool, &str), Span> = BTreeMap::new();
        for b in parsed.iter().flatten().filter(|b| !["fact", "extend", "spoken", "places", "explained"].contains(&b.kind)) {
            if seen.insert((b.kind == "case", b.id), b.span).is_some() {
                self.error("TGT-R011", b.span, format!("the id `{}` is taken", b.id), "an id is given once and never reused".into());
            }
        }
    }

    fn references(&mut self) {
        let book = self.book;
        let mut layers: Vec<(&str, Span)> = Vec::new();
        layers.extend(book.scopes.iter().map(|b| (b.layer.as_str(), b.head.span)));
        layers.extend(book.outs.iter().map(|b| (b.layer.as_str(), b.head.span)));
        layers.extend(book.bars.iter().map(|b| (b.layer.as_str(), b.head.span)));
        layers.extend(book.gates.iter().map(|b| (b.layer.as_str(), b.head.span)));
        layers.extend(book.obligations.iter().map(|b| (b.layer.as_str(), b.head.span)));
        layers.extend(book.layers.values().filter_map(|l| l.replaces.as_deref().map(|r| (r, l.head.span))));
        for (layer, span) in layers {
            if !book.layers.contains_key(layer) {
                let help = did_you_mean(layer, book.layers.keys().map(String::as_str));
                self.error("TGT-R012", span, format!("there is no layer `{layer}`"), help);
            }
        }
        let gates: BTreeSet<&str> = book.gates.iter().map(|g| g.head.id.as_str()).collect();
        let routes: BTreeSet<&str> = book.routes.iter().map(|r| r.head.id.as_str()).collect();
        for route in &book.routes {
            if !gates.contains(route.gate.as_str()) {
                let help = did_you_mean(&route.gate, book.gates.iter().map(|g| g.head.id.as_str()));
                self.error("TGT-R012", route.head.span, format!("there is no gate `{}`", route.gate), help);
            }
        }
        for o in &book.obligations {
            if let Some(route) = o.route.as_ref().filter(|id| !routes.contains(id.as_str())) {
                let help = did_you_mean(route, book.routes.iter().map(|r| r.head.id.as_str()));
                self.error("TGT-R012", o.head.span, format!("there is no route `{route}`"), help);
            }
            if let Due::DaysAfter { fact, calendar, .. } = &o.due {
                if let Some(id) = calendar.as_ref().filter(|id| !book.calendars.contains_key(*id)) {
                    let help = did_you_mean(id, book.calendars.keys().map(String::as_str));
                    self.error("TGT-R012", o.head.span, format!("there is no calendar `{id}`"), help);
                }
                if !matches!(book.vocabulary.of_slot(fact).map(|f| &f.domain), Some(Domain::Date)) {
                    self.error("TGT-R012", o.head.span, format!("`{fact}` is no date to count from"), String::new());
                }
            }
        }
        for bar in book.bars.iter().filter(|b| b.head.force >= Force::Guidance) {
            self.error("TGT-R013", bar.head.span, format!("the bar `{}` rests on guidance alone", bar.head.id), "guidance never forbids by itself; make it a reading or a gap".into());
        }
    }

    fn expressions(&mut self) {
        let book = self.book;
        let mut all: Vec<(&Expr, Span)> = Vec::new();
        all.extend(book.scopes.iter().map(|b| (&b.reaches, b.head.span)));
        all.extend(book.outs.iter().map(|b| (&b.when, b.head.span)));
        all.extend(book.bars.iter().map(|b| (&b.when, b.head.span)));
        all.extend(book.gates.iter().map(|b| (&b.when, b.head.span)));
        all.extend(book.routes.iter().flat_map(|b| [Some(&b.need), b.carries.as_ref()].into_iter().flatten().map(|e| (e, b.head.span))));
        all.extend(book.obligations.iter().flat_map(|b| [Some(&b.when), b.done.as_ref()].into_iter().flatten().map(|e| (e, b.head.span))));
        all.extend(book.layers.values().flat_map(|l| {
            [Some(&l.applies), l.covers.as_ref()].into_iter().flatten().chain(l.gaps.iter().map(|g| &g.when)).map(|e| (e, l.head.span))
        }));
        all.extend(book.lists.values().flat_map(|l| l.entries.iter().filter_map(|e| e.when.as_ref().map(|w| (w, e.head.span)))));
        all.extend(book.measures.iter().filter_map(|m| m.when.as_ref().map(|w| (w, m.head.span))));
        all.extend(book.vocabulary.constraints.iter().map(|c| (&c.never, Span::default())));
        for (expr, _) in all {
            let mut atoms = Vec::new();
            expr.each_atom(&mut |a| atoms.push(a));
            atoms.into_iter().for_each(|a| self.atom(a));
        }
        for a in book.usual_atoms() {
            match book.usual_fault(&a) {
                Some(fault) => self.error("TGT-R015", a.span, fault, "`usual` hangs on facts that were told, by words that rules use too".into()),
                None if usual::is_otherwise(&a) && book.vocabulary.of_slot(&a.fact).is_some() => {}
                None => self.atom(&a),
            }
        }
        for list in book.lists.values() {
            for entry in &list.entries {
                if !book.vocabulary.places.contains_key(&entry.key) {
                    let help = did_you_mean(&entry.key, book.vocabulary.places.keys().map(String::as_str));
                    self.error("TGT-R014", entry.head.span, format!("`{}` is no place", entry.key), help);
                }
            }
        }
    }

    /// The scope of an entry may ask another list, never its own, nor one that asks it.
    fn circles(&mut self) {
        let book = self.book;
        let asks = |list: &str| -> BTreeSet<&str> {
            let mut out = BTreeSet::new();
            for when in book.lists.get(list).into_iter().flat_map(|l| l.entries.iter().filter_map(|e| e.when.as_ref())) {
                when.each_atom(&mut |a| {
                    if let Test::OnList(l) = &a.test {
                        out.insert(l.as_str());
                    }
                });
            }
            out
        };
        for (id, list) in &book.lists {
            let mut seen: BTreeSet<&str> = BTreeSet::new();
            let mut stack: Vec<&str> = asks(id).into_iter().collect();
            while let Some(next) = stack.pop() {
                if seen.insert(next) {
                    stack.extend(asks(next));
                }
            }
            if seen.contains(id.as_str()) {
                self.error("TGT-R013", list.head.span, format!("the list `{id}` asks for itself"), "the scope of an entry must not come back to its own list".into());
            }
        }
    }

    fn atom(&mut self, a: &Atom) {
        let book = self.book;
        if let Test::Reading(_) = &a.test {
            if !book.disputed.contains_key(&a.fact) {
                let help = did_you_mean(&a.fact, book.disputed.keys().map(String::as_str));
                self.error("TGT-R012", a.span, format!("there is no disputed question `{}`", a.fact), help);
            }
            return;
        }
        let Some(fact) = book.vocabulary.of_slot(&a.fact) else {
            let slots = book.vocabulary.slots();
            let help = did_you_mean(&a.fact, slots.iter().map(String::as_str));
            self.error("TGT-R014", a.span, format!("there is no fact `{}`", a.fact), help);
            return;
        };
        let fits = match (&a.test, &fact.domain) {
            (Test::Yes, Domain::YesNo)
            | (Test::In(_), Domain::OneOf(_) | Domain::Place | Domain::YesNo)
            | (Test::HasAny(_) | Test::HasAll(_) | Test::HasOnly(_), Domain::SetOf(_) | Domain::Places)
            | (Test::AtLeast(_), Domain::Count)
            | (Test::Before(_), Domain::Date)
            | (Test::OnList(_), Domain::Place | Domain::Places)
            | (Test::Determined(_), Domain::OneOf(_)) => true,
            (Test::Reading(_), _) | (_, _) => false,
        };
        if !fits {
            self.error("TGT-R015", a.span, format!("`{}` cannot be asked that", a.fact), how_to_ask(fact, &a.fact));
            return;
        }
        match &a.test {
            Test::In(words) | Test::HasAny(words) | Test::HasAll(words) | Test::HasOnly(words) => {
                for word in words.iter().filter(|w| !book.vocabulary.has_value(fact, w)) {
                    let help = match &fact.domain {
                        Domain::Place | Domain::Places => did_you_mean(word, book.vocabulary.values(fact)),
                        _ => crate::search::help_for_value(word, fact),
                    };
                    self.error("TGT-R014", a.span, format!("`{word}` is no value of `{}`", a.fact), help);
                }
            }
            Test::OnList(list) if !book.lists.contains_key(list) => {
                let help = did_you_mean(list, book.lists.keys().map(String::as_str));
                self.error("TGT-R012", a.span, format!("there is no list `{list}`"), help);
            }
            Test::Determined(by) if fact.by.as_deref() != Some(by) => {
                self.error("TGT-R015", a.span, format!("`{}` is not determined by `{by}`", a.fact), format!("the vocabulary says by `{}`", fact.by.as_deref().unwrap_or("nobody")));
            }
            _ => {}
        }
    }

    fn measures(&mut self) {
        let book = self.book;
        for m in &book.measures {
            for effect in &m.does {
                match book.vocabulary.of_slot(&effect.slot) {
                    None => {
                        let slots = book.vocabulary.slots();
                        let help = did_you_mean(&effect.slot, slots.iter().map(String::as_str));
                        self.error("TGT-R014", m.head.span, format!("there is no fact `{}`", effect.slot), help);
                    }
                    Some(f) if !matches!(f.kind, FactKind::Measure | FactKind::Determination) => {
                        self.error("TGT-R013", m.head.span, format!("`{}` is a circumstance, not a measure", effect.slot), "a change of recipient, place, purpose or content is an alternative, never a measure".into());
                    }
                    Some(f) if !book.vocabulary.has_value(f, &effect.value) => {
                        let help = did_you_mean(&effect.value, book.vocabulary.values(f));
                        self.error("TGT-R014", m.head.span, format!("`{}` is no value of `{}`", effect.value, effect.slot), help);
                    }
                    Some(_) => {}
                }
            }
        }
    }

    fn layers(&mut self) {
        for layer in self.book.layers.values() {
            if !['A', 'B', 'C'].contains(&layer.tier) {
                self.error("TGT-R008", layer.head.span, format!("`{}` is no tier", layer.tier), "A, B or C".into());
            }
            if layer.head.review == Review::Signpost && layer.gaps.is_empty() {
                self.error("TGT-R013", layer.head.span, format!("the signpost `{}` has no gap", layer.id), "a signpost answers *not covered*: add `gap all: yes ; en | ja`".into());
            }
        }
    }

    fn cases(&mut self) {
        let book = self.book;
        let ids: BTreeSet<&str> = book.cases.iter().map(|c| c.id.as_str()).collect();
        let clauses: BTreeSet<&str> = book.heads().into_iter().map(|(_, h)| h.id.as_str()).chain(book.layers.keys().map(String::as_str)).collect();
        for case in &book.cases {
            if let Some(twin) = case.twin.as_deref().filter(|t| !ids.contains(t)) {
                self.error("TGT-R012", case.span, format!("there is no case `{twin}`"), did_you_mean(twin, ids.iter().copied()));
            }
            for id in case.by.iter().filter(|id| !clauses.contains(id.as_str())) {
                self.error("TGT-R012", case.span, format!("there is no rule `{id}`"), did_you_mean(id, clauses.iter().copied()));
            }
            for (slot, _) in &case.given {
                if book.vocabulary.of_slot(slot).is_none() {
                    let slots = book.vocabulary.slots();
                    let help = did_you_mean(slot, slots.iter().map(String::as_str));
                    self.error("TGT-R014", case.span, format!("there is no fact `{slot}`"), help);
                }
            }
        }
    }
}

fn how_to_ask(fact: &Fact, slot: &str) -> String {
    match &fact.domain {
        Domain::YesNo => format!("write `{slot}` or `not {slot}`"),
        Domain::OneOf(_) => format!("write `{slot} is VALUE` or `{slot} in {{A, B}}`"),
        Domain::SetOf(_) => format!("write `{slot} has any {{A, B}}`"),
        Domain::Count => format!("write `{slot} >= 100,000`"),
        Domain::Date => format!("write `{slot} before 2022-04-01`"),
        Domain::Place => format!("write `{slot} is JP` or `{slot} on LIST`"),
        Domain::Places => format!("write `{slot} has any {{JP, KR}}` or `{slot} on LIST`"),
    }
}

