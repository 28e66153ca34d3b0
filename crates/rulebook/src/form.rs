//! Forms: papers that a law asks for, as text with places for facts. An assessment to be made, an annex to clauses, what people must
//! be told.
//!
//! A form is a file in `rules/forms/` that a lawyer reads: a `form` block that cites the law, then the text under `## English` and
//! under `## 日本語`. In it `{{slot}}` stands for what is known of a fact, `{{exporter.name}}` for a name, and the lines between
//! `{{when CONDITION}}` and `{{end}}` are left out where the condition certainly does not hold. A form decides nothing: it is no part
//! of the rulebook's digest.

mod fill;

pub use fill::{BLANK, Filled, Paper};

use crate::{
    block::{Block, Line},
    book::Rulebook,
    diagnostic::{Diagnostic, Span, did_you_mean},
    expr::{self, Atom, Expr},
    law::Head,
    read::Reader,
    vocabulary::FactKind,
};
use model::{Digest, text::{Language, Text}};

/// What a form is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FormKind {
    /// A judgment that somebody makes, records and stands for.
    Assessment,
    /// What is filled in beside clauses of fixed text.
    Annex,
    /// What people or an authority must be told.
    Notice,
}

impl FormKind {
    /// The word in files and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Assessment => "assessment",
            Self::Annex => "annex",
            Self::Notice => "notice",
        }
    }
}

const KINDS: [(&str, FormKind); 3] =
    [("assessment", FormKind::Assessment), ("annex", FormKind::Annex), ("notice", FormKind::Notice)];

/// One form in both languages.
#[derive(Clone, Debug)]
pub struct Form {
    /// What it is for.
    pub kind: FormKind,
    /// Its name.
    pub title: Text,
    /// The determination that it records, for an assessment.
    pub fact: Option<String>,
    /// The measures, routes and obligations that it serves, by id.
    pub serves: Vec<String>,
    /// The official text that it belongs to, and which version of it.
    pub version: String,
    /// The longest term of an assessment in months: after it the assessment is made again.
    pub months: u32,
    /// Id, citation, dates, and how well it was read.
    pub head: Head,
    /// Digest of the file: the version of this form.
    pub digest: Digest,
    english: Vec<Piece>,
    japanese: Vec<Piece>,
}

/// A stretch of a form's text.
#[derive(Clone, Debug)]
enum Piece {
    /// Text as it stands.
    Plain(String),
    /// A place for a fact or a name.
    Place(String, Span),
    /// Lines that stand unless the condition certainly does not hold.
    When(Expr, Vec<Piece>),
}

/// Names that stand beside the facts; not part of the vocabulary.
const NAMES: [&str; 6] = ["exporter.name", "recipient.name", "data.name", "today", "rulebook", "transfer"];

/// The headings under which the text stands.
const ENGLISH: &str = "## English";
const JAPANESE: &str = "## 日本語";

/// LIMIT: conditions inside conditions.
const DEPTH_MAX: usize = 8;

/// Reads the form of a file, if it holds one.
pub(crate) fn read(file: usize, text: &str, blocks: &[Block], diagnostics: &mut Vec<Diagnostic>) -> Option<Form> {
    let block = blocks.iter().find(|b| b.kind == "form")?;
    let mut r = Reader::new(block, diagnostics);
    let kind = r.word("kind", &KINDS, None).unwrap_or(FormKind::Notice);
    let title = r.text("title");
    let fact = r.line("fact").map(|l| l.value.to_string());
    let (serves, version) = (r.words("serves"), r.plain("version"));
    let months = r.number("months", 12).clamp(1, 60) as u32;
    let head = r.head(None, true);
    if kind == FormKind::Assessment && fact.is_none() {
        r.fault("TGT-R006", block.span, format!("the assessment `{}` records no determination", block.id), "add `fact: assessment.…`");
    }
    r.finish();
    let english = body(file, text, ENGLISH, block.span, diagnostics);
    let japanese = body(file, text, JAPANESE, block.span, diagnostics);
    Some(Form { kind, title, fact, serves, version, months, head, digest: Digest::of(text.as_bytes()), english, japanese })
}

/// The pieces of the text under a heading, up to the other language's.
fn body(file: usize, text: &str, heading: &str, at: Span, diagnostics: &mut Vec<Diagnostic>) -> Vec<Piece> {
    let mut offset = 0;
    let mut lines: Option<Vec<(usize, &str)>> = None;
    for raw in text.split_inclusive('\n') {
        let (start, line) = (offset, raw.trim_end());
        offset += raw.len();
        match &mut lines {
            None if line == heading => lines = Some(Vec::new()),
            None => {}
            Some(_) if line == ENGLISH || line == JAPANESE => break,
            Some(lines) => lines.push((start, line)),
        }
    }
    let Some(lines) = lines else {
        diagnostics.push(Diagnostic::error("TGT-R007", at, format!("the form has no text under `{heading}`"), "a form stands in both languages"));
        return Vec::new();
    };
    let mut parser = Parser { file, lines: &lines, at: 0, diagnostics };
    parser.pieces(0)
}

struct Parser<'a> {
    file: usize,
    lines: &'a [(usize, &'a str)],
    at: usize,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Parser<'_> {
    /// Pieces up to the end, or the `{{end}}` that closes this depth.
    fn pieces(&mut self, depth: usize) -> Vec<Piece> {
        let mut out = Vec::new();
        while let Some(&(start, line)) = self.lines.get(self.at) {
            self.at += 1;
            let command = line.trim().strip_prefix("{{").and_then(|l| l.strip_suffix("}}")).map(str::trim);
            match command {
                Some("end") if depth > 0 => return out,
                Some("end") => self.fault(start, line, "`{{end}}` closes nothing"),
                Some(c) if c.starts_with("when ") => out.push(self.when(start, line, c, depth)),
                _ => self.line(start, line, &mut out),
            }
        }
        if depth > 0 {
            let &(start, line) = self.lines.last().unwrap_or(&(0, ""));
            self.fault(start, line, "a `{{when …}}` is never closed");
        }
        out
    }

    fn when(&mut self, start: usize, line: &str, command: &str, depth: usize) -> Piece {
        if depth >= DEPTH_MAX {
            self.fault(start, line, "conditions stand too deep in each other");
        }
        let condition = command.trim_start_matches("when ").trim();
        let offset = line.find(condition).unwrap_or(0);
        let read = expr::parse(&Line::loose(self.file, start + offset, condition), self.diagnostics);
        // What cannot be read stays in the paper: leaving out is the mistake that nobody sees.
        Piece::When(read.unwrap_or(Expr::Const(true)), self.pieces(depth + 1))
    }

    fn line(&mut self, start: usize, line: &str, out: &mut Vec<Piece>) {
        let (mut rest, mut at) = (line, start);
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((slot, tail)) = after.split_once("}}") else { break };
            let from = at + before.len();
            out.push(Piece::Plain(before.into()));
            out.push(Piece::Place(slot.trim().into(), Span { file: self.file, start: from, end: from + slot.len() + 4 }));
            (rest, at) = (tail, from + slot.len() + 4);
        }
        out.push(Piece::Plain(format!("{rest}\n")));
    }

    fn fault(&mut self, start: usize, line: &str, message: &str) {
        let span = Span { file: self.file, start, end: start + line.len().max(1) };
        self.diagnostics.push(Diagnostic::error("TGT-R005", span, message, "a condition is `{{when CONDITION}}` and `{{end}}`, each on a line of its own"));
    }
}

impl Form {
    fn pieces(&self, language: Language) -> &[Piece] {
        match language {
            Language::En => &self.english,
            Language::Ja => &self.japanese,
        }
    }

    /// Calls `place` with every place and `atom` with every condition of its text.
    fn each<'a>(&'a self, place: &mut impl FnMut(&'a str, Span), atom: &mut impl FnMut(&'a Atom)) {
        fn walk<'a>(pieces: &'a [Piece], place: &mut impl FnMut(&'a str, Span), atom: &mut impl FnMut(&'a Atom)) {
            for piece in pieces {
                match piece {
                    Piece::Plain(_) => {}
                    Piece::Place(slot, span) => place(slot, *span),
                    Piece::When(e, inner) => {
                        e.each_atom(&mut |a| atom(a));
                        walk(inner, place, atom);
                    }
                }
            }
        }
        walk(&self.english, place, atom);
        walk(&self.japanese, place, atom);
    }
}

impl Rulebook {
    /// The form with this id.
    pub fn form(&self, id: &str) -> Option<&Form> {
        self.forms.iter().find(|f| f.head.id == id)
    }

    /// Every place, condition and id that a form names exists, and an assessment records a determination.
    pub(crate) fn check_forms(&self, diagnostics: &mut Vec<Diagnostic>) {
        let slots = self.vocabulary.slots();
        let near = |word: &str| did_you_mean(word, slots.iter().map(String::as_str).chain(NAMES));
        for form in &self.forms {
            let span = form.head.span;
            let mut unknown: Vec<(String, Span)> = Vec::new();
            form.each(
                &mut |slot, at| if !NAMES.contains(&slot) && self.vocabulary.of_slot(slot).is_none() { unknown.push((slot.into(), at)) },
                &mut |_| {},
            );
            form.each(&mut |_, _| {}, &mut |a| if self.vocabulary.of_slot(&a.fact).is_none() { unknown.push((a.fact.clone(), a.span)) });
            for (slot, at) in unknown {
                diagnostics.push(Diagnostic::error("TGT-R012", at, format!("there is no fact `{slot}`"), near(&slot)));
            }
            for id in form.serves.iter().filter(|id| !self.is_served(id)) {
                diagnostics.push(Diagnostic::error("TGT-R012", span, format!("the form serves `{id}`, which is no measure, route or obligation"), ""));
            }
            let records = form.fact.as_ref().is_none_or(|id| self.vocabulary.of_slot(id).is_some_and(|f| f.kind == FactKind::Determination));
            if !records {
                diagnostics.push(Diagnostic::error("TGT-R012", span, "an assessment records a determination of the vocabulary", ""));
            }
        }
    }

    fn is_served(&self, id: &str) -> bool {
        self.measures.iter().any(|m| m.id == id) || self.routes.iter().any(|r| r.head.id == id) || self.obligations.iter().any(|o| o.head.id == id)
    }
}

#[cfg(test)]
mod tests;
