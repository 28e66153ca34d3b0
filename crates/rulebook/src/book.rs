//! (path, text) pairs into a checked rulebook.

mod blocks;

use crate::{
    block::{self, Block},
    calendar::{self, Calendar},
    check,
    diagnostic::{Diagnostic, Severity, Span, did_you_mean},
    expr::Expr,
    form::{self, Form},
    law::*,
    read::{Reader, STANDINGS},
    vocabulary::{Constraint, Domain, Vocabulary, Word},
};
use blocks::{LOCALIZATIONS, OUT_KINDS, read_case, read_fact, read_layer, read_list, read_measure, read_obligation, read_words};
use model::{
    Digest,
    fact::{Said, Spoken, Standing},
};
use std::collections::BTreeMap;

/// One source text of the rulebook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its path below `rules/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Everything that the rule files say, parsed and checked.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    /// The texts it was made of, ordered by path.
    pub sources: Vec<Source>,
    /// Facts and places.
    pub vocabulary: Vocabulary,
    /// Instruments, one a file.
    pub instruments: Vec<Instrument>,
    /// Layers by id.
    pub layers: BTreeMap<String, Layer>,
    /// What layers reach.
    pub scopes: Vec<Scope>,
    /// What they do not.
    pub outs: Vec<Out>,
    /// Bars.
    pub bars: Vec<Bar>,
    /// Gates.
    pub gates: Vec<Gate>,
    /// Routes.
    pub routes: Vec<Route>,
    /// Obligations.
    pub obligations: Vec<Obligation>,
    /// Lists by id.
    pub lists: BTreeMap<String, List>,
    /// Calendars of working days by id.
    pub calendars: BTreeMap<String, Calendar>,
    /// Measures that can be offered.
    pub measures: Vec<MeasureOffer>,
    /// Disputed questions by id.
    pub disputed: BTreeMap<String, Disputed>,
    /// Worked cases.
    pub cases: Vec<Case>,
    /// What hygiene finds and is meant to be so.
    pub explained: Vec<Explained>,
    /// Forms that are filled from the facts.
    pub forms: Vec<Form>,
    /// Digest of the sources that decide (cases, explanations and forms left out), in path order.
    pub digest: Option<Digest>,
}

impl Rulebook {
    /// Parses and checks the sources. The rulebook may be used only if no diagnostic is an error.
    pub fn parse(mut sources: Vec<Source>) -> (Self, Vec<Diagnostic>) {
        sources.sort_by(|a, b| a.path.cmp(&b.path));
        let mut diagnostics = Vec::new();
        let mut book = Self { digest: Some(digest_of(&sources)), ..Self::default() };
        let parsed: Vec<Vec<Block>> =
            sources.iter().enumerate().map(|(i, s)| block::parse(i, &s.text, &mut diagnostics)).collect();
        // Vocabulary first: law is checked against it.
        for b in parsed.iter().flatten() {
            book.read_vocabulary(b, &mut diagnostics);
        }
        for b in parsed.iter().flatten().filter(|b| b.kind == "extend") {
            book.extend(b, &mut diagnostics);
        }
        for b in parsed.iter().flatten().filter(|b| b.kind == "spoken") {
            book.speak(b, &mut diagnostics);
        }
        for blocks in &parsed {
            book.read_file(blocks, &mut diagnostics);
        }
        for (i, (source, blocks)) in sources.iter().zip(&parsed).enumerate() {
            book.forms.extend(form::read(i, &source.text, blocks, &mut diagnostics));
        }
        book.place_measures(&mut diagnostics);
        book.check_usual(&mut diagnostics);
        book.check_forms(&mut diagnostics);
        check::check(&book, &parsed, &mut diagnostics);
        drop(parsed);
        book.sources = sources;
        diagnostics.sort_by_key(|d| (d.span, d.code));
        (book, diagnostics)
    }

    /// The digest, or that of nothing for an empty rulebook.
    pub fn digest(&self) -> Digest {
        self.digest.unwrap_or_else(|| Digest::of(b""))
    }

    /// Every block of law with dates, in file order, for listings and boundaries.
    pub fn heads(&self) -> Vec<(&'static str, &Head)> {
        let mut out: Vec<(&'static str, &Head)> = Vec::new();
        out.extend(self.scopes.iter().map(|b| ("scope", &b.head)));
        out.extend(self.outs.iter().map(|b| ("out", &b.head)));
        out.extend(self.bars.iter().map(|b| ("bar", &b.head)));
        out.extend(self.gates.iter().map(|b| ("gate", &b.head)));
        out.extend(self.routes.iter().map(|b| ("route", &b.head)));
        out.extend(self.obligations.iter().map(|b| ("obligation", &b.head)));
        for list in self.lists.values() {
            out.extend(list.entries.iter().map(|e| ("entry", &e.head)));
        }
        out.sort_by_key(|(_, h)| h.span);
        out
    }

    /// The head of a rule or list entry by id.
    pub fn head(&self, id: &str) -> Option<&Head> {
        self.heads().into_iter().find(|(_, h)| h.id == id).map(|(_, h)| h)
    }

    /// The days on which some block begins or ceases to count, ascending and distinct.
    pub fn boundaries(&self) -> Vec<model::CivilDate> {
        let mut days: Vec<_> = self.heads().into_iter().flat_map(|(_, h)| h.boundaries().collect::<Vec<_>>()).collect();
        days.extend(self.measures.iter().flat_map(|m| m.head.boundaries().collect::<Vec<_>>()));
        days.sort();
        days.dedup();
        days
    }

    /// A measure is offered where its law applies: the layer that it names, or any of its jurisdiction (the first part of
    /// its id). Two laws may ask for the same fact, such as consent, and mean different acts.
    fn place_measures(&mut self, diagnostics: &mut Vec<Diagnostic>) {
        let jurisdiction = |id: &str| id.split('.').next().unwrap_or_default().to_string();
        for m in &mut self.measures {
            let is_its = |id: &str| if m.layer.is_empty() { jurisdiction(id) == jurisdiction(&m.id) } else { id == m.layer };
            let applies: Vec<Expr> = self.layers.values().filter(|l| is_its(&l.id)).map(|l| l.applies.clone()).collect();
            if applies.is_empty() {
                let help = "name its `layer`, or begin its id with the jurisdiction of one";
                diagnostics.push(Diagnostic::error("TGT-R012", m.head.span, format!("the measure `{}` belongs to no layer", m.id), help));
                continue;
            }
            m.when = Some(Expr::And(std::iter::once(Expr::Or(applies)).chain(m.when.take()).collect()));
        }
    }

    fn read_vocabulary(&mut self, b: &Block, diagnostics: &mut Vec<Diagnostic>) {
        match b.kind {
            "fact" => {
                let fact = read_fact(b, diagnostics);
                if let Some(old) = self.vocabulary.facts.insert(fact.id.clone(), fact) {
                    diagnostics.push(Diagnostic::error("TGT-R011", b.span, format!("the fact `{}` exists already", old.id), "an id is given once"));
                }
            }
            "places" => {
                let mut r = Reader::new(b, diagnostics);
                for line in r.lines("value") {
                    let label = r.both(line);
                    self.vocabulary.places.insert(line.argument.to_string(), label);
                }
                r.finish();
            }
            _ => {}
        }
    }

    fn extend(&mut self, b: &Block, diagnostics: &mut Vec<Diagnostic>) {
        let mut r = Reader::new(b, diagnostics);
        let (more, usual) = (read_words(&mut r), crate::usual::read(&mut r));
        r.finish();
        if let Some(line) = usual.iter().find(|u| u.when.is_none()) {
            diagnostics.push(Diagnostic::error("TGT-R008", line.span, "what is usual everywhere is said where the fact is declared", "here `usual` has a condition: `usual: ask when …`"));
        }
        let fact = self.vocabulary.facts.get_mut(b.id);
        let fact = fact.map(|f| (f.usual.extend(usual), f).1);
        match fact.map(|f| &mut f.domain) {
            Some(Domain::SetOf(words) | Domain::OneOf(words)) => {
                for word in more {
                    if words.iter().any(|w| w.id == word.id) {
                        diagnostics.push(Diagnostic::error("TGT-R011", b.span, format!("`{}` has the value `{}` already", b.id, word.id), "remove it here"));
                    } else {
                        words.push(word);
                    }
                }
            }
            Some(_) if more.is_empty() => {}
            _ => diagnostics.push(Diagnostic::error("TGT-R012", b.span, format!("there is no fact `{}` with words to extend", b.id), "")),
        }
    }

    /// What people call the values of a fact besides.
    fn speak(&mut self, b: &Block, diagnostics: &mut Vec<Diagnostic>) {
        let mut r = Reader::new(b, diagnostics);
        let said: Vec<(Span, Word)> = r.lines("value").into_iter().map(|l| (l.key_span, Word::new(l.argument, r.both(l)))).collect();
        r.finish();
        let Some(Domain::SetOf(words) | Domain::OneOf(words)) = self.vocabulary.facts.get_mut(b.id).map(|f| &mut f.domain) else {
            diagnostics.push(Diagnostic::error("TGT-R012", b.span, format!("there is no fact `{}` with words to speak of", b.id), ""));
            return;
        };
        for (span, spoken) in said {
            match words.iter_mut().find(|w| w.id == spoken.id) {
                Some(word) => word.spoken = Some(spoken.label),
                None => {
                    let help = did_you_mean(&spoken.id, words.iter().map(|w| w.id.as_str()));
                    diagnostics.push(Diagnostic::error("TGT-R012", span, format!("`{}` has no value `{}`", b.id, spoken.id), help));
                }
            }
        }
    }

    fn read_file(&mut self, blocks: &[Block], diagnostics: &mut Vec<Diagnostic>) {
        let mut instrument: Option<Head> = None;
        for b in blocks {
            let mut r = Reader::new(b, diagnostics);
            match b.kind {
                "instrument" => {
                    let head = r.head(None, false);
                    self.instruments.push(Instrument {
                        title: r.text("title"),
                        number: r.plain("number"),
                        language: r.plain("language"),
                        head: head.clone(),
                    });
                    instrument = Some(head);
                }
                "case" => {
                    let case = read_case(&mut r);
                    self.cases.extend(case);
                }
                "constraint" => {
                    let says = r.text("says");
                    let never = r.expr("never");
                    self.vocabulary.constraints.push(Constraint { id: b.id.to_string(), never, says });
                }
                "explained" => {
                    let (what, of, because) = (r.plain("what"), r.words("of"), r.text("because"));
                    self.explained.push(Explained { id: b.id.to_string(), what, of, because, span: b.span });
                }
                "fact" | "extend" | "spoken" | "places" | "topic" | "form" => continue,
                _ => self.read_law(b, &mut r, instrument.as_ref()),
            }
            r.finish();
        }
    }

    fn read_law(&mut self, b: &Block, r: &mut Reader<'_>, instrument: Option<&Head>) {
        if instrument.is_none() {
            r.fault("TGT-R006", b.span, format!("`{}` stands in a file without an instrument", b.id), "begin the file with an `instrument` block");
        }
        let is_law = ["scope", "out", "bar", "gate", "route", "obligation"].contains(&b.kind);
        let head = r.head(instrument, is_law);
        match b.kind {
            "layer" => {
                let layer = read_layer(r, head);
                self.layers.insert(b.id.to_string(), layer);
            }
            "scope" => self.scopes.push(Scope { layer: r.plain("layer"), reaches: r.expr("reaches"), head }),
            "out" => {
                let kind = r.word("kind", &OUT_KINDS, None).unwrap_or(OutKind::NotReached);
                self.outs.push(Out { layer: r.plain("layer"), kind, when: r.expr("when"), remains: r.text_or_empty("remains"), head });
            }
            "bar" => {
                let localization = b.line("localization").and_then(|_| r.word("localization", &LOCALIZATIONS, None));
                self.bars.push(Bar { layer: r.plain("layer"), when: r.expr("when"), localization, alternative: r.text_or_empty("alternative"), head });
            }
            "gate" => self.gates.push(Gate { layer: r.plain("layer"), when: r.expr("when"), head }),
            "route" => {
                let rank = r.number("rank", 1).clamp(1, 99) as u32;
                self.routes.push(Route {
                    gate: r.plain("gate"),
                    rank,
                    need: r.expr("need"),
                    not_dispense: r.text_or_empty("not_dispense"),
                    carries: r.expr_or_none("carries"),
                    head,
                });
            }
            "obligation" => {
                let obligation = read_obligation(r, head);
                self.obligations.push(obligation);
            }
            "list" => {
                let list = read_list(r, head);
                self.lists.insert(b.id.to_string(), list);
            }
            "calendar" => {
                let calendar = calendar::read_calendar(r, head);
                self.calendars.insert(b.id.to_string(), calendar);
            }
            "measure" => {
                let measure = read_measure(r, head);
                self.measures.push(measure);
            }
            "disputed" => {
                self.disputed.insert(
                    b.id.to_string(),
                    Disputed {
                        id: b.id.to_string(),
                        question: r.text("question"),
                        a: r.text("a"),
                        b: r.text("b"),
                        holders_a: r.plain("holders_a"),
                        holders_b: r.plain("holders_b"),
                        head,
                    },
                );
            }
            _ => {}
        }
    }
}

/// Whether a rulebook with these findings may be used.
pub fn loads(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().all(|d| d.severity < Severity::Error)
}

/// The file of explanations: it says why, and decides nothing.
const EXPLAINED: &str = "hygiene.md";

/// Folders of texts that decide nothing: what is expected of the rules, and what is written by them.
const BESIDE: [&str; 2] = ["cases/", "forms/"];

fn digest_of(sources: &[Source]) -> Digest {
    let mut bytes = Vec::new();
    for s in sources.iter().filter(|s| !BESIDE.iter().any(|folder| s.path.starts_with(folder)) && s.path != EXPLAINED) {
        bytes.extend_from_slice(format!("{} {}\n", Digest::of(s.text.as_bytes()), s.path).as_bytes());
    }
    Digest::of(&bytes)
}

/// Reads a fact as people write it on one line: `yes`, `12,000`, `{a, b}`, `a, b`, `DE`, `2022-03-31`, `evidenced eu-wp216`.
pub fn parse_said(text: &str) -> Said {
    let text = text.trim();
    let (standing, text) = STANDINGS
        .iter()
        .find_map(|(w, s)| text.strip_prefix(w).filter(|rest| rest.starts_with(' ')).map(|rest| (*s, rest.trim())))
        .unwrap_or((Standing::Claimed, text));
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}'));
    let number = |t: &str| {
        let digits = t.replace([',', '_'], "");
        let grouped = t.bytes().all(|b| b.is_ascii_digit() || b == b',' || b == b'_');
        digits.parse::<i64>().ok().filter(|_| grouped)
    };
    let value = match (inner, text) {
        (Some(list), _) => Spoken::Words(list.split(',').map(|w| w.trim().to_string()).filter(|w| !w.is_empty()).collect()),
        (None, "none") => Spoken::Words(Vec::new()),
        (None, "yes" | "true") => Spoken::YesNo(true),
        (None, "no" | "false") => Spoken::YesNo(false),
        (None, t) => match (number(t), t.split_once("..")) {
            (Some(n), _) => Spoken::Number(n),
            (None, Some((a, b))) if number(a).is_some() && number(b).is_some() => {
                Spoken::Range { at_least: number(a).unwrap_or(0), at_most: number(b).unwrap_or(i64::MAX) }
            }
            _ if t.contains(',') => Spoken::Words(t.split(',').map(|w| w.trim().to_string()).collect()),
            _ => Spoken::Word(t.into()),
        },
    };
    Said { standing, ..Said::claim(value) }
}
