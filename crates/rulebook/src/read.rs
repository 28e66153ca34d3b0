//! One block into one noun: keys, dates, words and texts, each fault with its place.

use crate::{
    block::{Block, Line},
    diagnostic::{Diagnostic, Span, did_you_mean},
    expr::{self, Expr},
    law::{Head, Start, Sure},
};
use model::{
    CivilDate,
    citation::{Force, Review, Seen},
    fact::Standing,
    text::Text,
};
use std::collections::BTreeSet;

/// Keys that any block may carry.
const SHARED: [&str; 15] = [
    "cites", "says", "source", "force", "from", "until", "published", "annulled", "read", "seen", "review", "sure", "doubt",
    "recorded", "confidence",
];

/// Reads one block, collecting what is wrong.
pub struct Reader<'a> {
    /// The block.
    pub block: &'a Block<'a>,
    /// Where faults go.
    pub diagnostics: &'a mut Vec<Diagnostic>,
    /// The keys asked for, some more than once.
    used: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    /// Starts on a block.
    pub fn new(block: &'a Block<'a>, diagnostics: &'a mut Vec<Diagnostic>) -> Self {
        Self { block, diagnostics, used: Vec::new() }
    }

    /// Notes a fault.
    pub fn fault(&mut self, code: &'static str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, span, message, help));
    }

    /// The line of a key.
    pub fn line(&mut self, key: &'static str) -> Option<&'a Line<'a>> {
        self.used.push(key);
        self.block.line(key)
    }

    /// The lines of a key that repeats.
    pub fn lines(&mut self, key: &'static str) -> Vec<&'a Line<'a>> {
        self.used.push(key);
        self.block.lines_of(key).collect()
    }

    /// The value of a required key.
    pub fn required(&mut self, key: &'static str) -> Option<&'a Line<'a>> {
        let line = self.line(key);
        if line.is_none() {
            self.fault("TGT-R006", self.block.span, format!("`{}` has no `{key}`", self.block.id), format!("add a line `{key}: …`"));
        }
        line
    }

    /// A plain text value, empty when absent.
    pub fn plain(&mut self, key: &'static str) -> String {
        self.line(key).map(|l| l.value.to_string()).unwrap_or_default()
    }

    /// `English | 日本語`, required.
    pub fn text(&mut self, key: &'static str) -> Text {
        self.required(key).map(|l| self.both(l)).unwrap_or_default()
    }

    /// `English | 日本語`, empty when absent.
    pub fn text_or_empty(&mut self, key: &'static str) -> Text {
        self.line(key).map(|l| self.both(l)).unwrap_or_default()
    }

    /// Splits a line into its two languages.
    pub fn both(&mut self, line: &Line) -> Text {
        self.both_of(line, &line.value)
    }

    /// Splits a part of a line into its two languages.
    pub fn both_of(&mut self, line: &Line, value: &str) -> Text {
        match value.split_once('|') {
            Some((en, ja)) if !en.trim().is_empty() && !ja.trim().is_empty() => Text::of(en.trim(), ja.trim()),
            _ => {
                self.fault("TGT-R007", line.value_span, format!("`{}` is not in both languages", line.key), "write English | 日本語");
                Text::of(value.trim(), value.trim())
            }
        }
    }

    /// A required expression.
    pub fn expr(&mut self, key: &'static str) -> Expr {
        // A missing condition must never make a rule milder: it reads as `yes`, and the rulebook does not load.
        self.required(key).and_then(|l| expr::parse(l, self.diagnostics)).unwrap_or(Expr::Const(true))
    }

    /// An expression that may be absent.
    pub fn expr_or_none(&mut self, key: &'static str) -> Option<Expr> {
        let line = self.line(key)?;
        Some(expr::parse(line, self.diagnostics).unwrap_or(Expr::Const(true)))
    }

    /// One of some words.
    pub fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)], default: Option<T>) -> Option<T> {
        let Some(line) = self.line(key) else {
            if default.is_none() {
                self.required(key);
            }
            return default;
        };
        let value = line.value.replace(' ', "_");
        let hit = words.iter().find(|(w, _)| *w == value).map(|(_, t)| *t);
        if hit.is_none() {
            let known: Vec<&str> = words.iter().map(|(w, _)| *w).collect();
            let help = format!("{} one of: {}", did_you_mean(&value, known.iter().copied()), known.join(", "));
            self.fault("TGT-R008", line.value_span, format!("`{}` is no value of `{key}`", line.value), help.trim().to_string());
        }
        hit.or(default)
    }

    /// A whole number, or the default.
    pub fn number(&mut self, key: &'static str, default: i64) -> i64 {
        let Some(line) = self.line(key) else { return default };
        line.value.replace([',', '_'], "").parse().unwrap_or_else(|_| {
            self.fault("TGT-R008", line.value_span, format!("`{}` is not a whole number", line.value), "");
            default
        })
    }

    /// Words separated by commas or spaces.
    pub fn words(&mut self, key: &'static str) -> Vec<String> {
        self.line(key).map(|l| l.value.split([',', ' ']).filter(|w| !w.is_empty()).map(str::to_string).collect()).unwrap_or_default()
    }

    /// A day, or none.
    pub fn day(&mut self, key: &'static str) -> Option<CivilDate> {
        let line = self.line(key)?;
        let parsed = line.value.parse();
        if let Err(e) = &parsed {
            self.fault("TGT-R009", line.value_span, format!("{e}"), "dates are civil days of the rule's own zone");
        }
        parsed.ok()
    }

    /// The shared keys, with the instrument's as defaults.
    pub fn head(&mut self, instrument: Option<&Head>, is_law: bool) -> Head {
        let block = self.block;
        let cites = self.plain("cites");
        if is_law && cites.is_empty() {
            self.fault("TGT-R003", block.span, format!("the rule `{}` cites no article", block.id), "add `cites: Act, Art. 46(2)(c)`");
        }
        let says = if is_law { self.text("says") } else { self.text_or_empty("says") };
        let from = match self.line("from") {
            Some(l) if l.value == "unknown" => Some(Start::Unknown),
            // A day that cannot be read is one fault, told where it stands, and not one more for each rule below it.
            Some(_) => Some(Start::On(self.day("from").unwrap_or(CivilDate::from_days(0)))),
            None => None,
        };
        // A start that is not set is said by the rule itself; it is never inherited by silence.
        let of_instrument_from = instrument.map(|i| i.from).filter(|f| *f != Start::Unknown);
        let from = from.or(of_instrument_from).unwrap_or_else(|| {
            if is_law {
                self.fault("TGT-R006", block.span, format!("the rule `{}` has no date", block.id), "add `from: 2018-05-25`, here or in the instrument");
            }
            Start::Unknown
        });
        let until = self.day("until").or(instrument.and_then(|i| i.until));
        if let (Start::On(f), Some(u)) = (from, until) {
            if u <= f {
                self.fault("TGT-R009", block.span, format!("`{}` ends on {u}, not after its start {f}", block.id), "`until` is the first day no longer in force");
            }
        }
        // An instrument's publication day speaks for the blocks that share its start, not for later amendments.
        let own_from = block.line("from").is_some();
        let published = self.day("published").or(instrument.filter(|_| !own_from).and_then(|i| i.published));
        let of_instrument = |f: fn(&Head) -> String| instrument.map(f).unwrap_or_default();
        let source = Some(self.plain("source")).filter(|s| !s.is_empty()).unwrap_or_else(|| of_instrument(|i| i.source.clone()));
        if let Some(line) = block.line("source").filter(|l| !l.value.starts_with("https://") && !l.value.starts_with("http://")) {
            self.fault("TGT-R003", line.value_span, format!("`{}` is no address", line.value), "write `source: https://…`, the official text");
        }
        if is_law && source.is_empty() {
            self.fault("TGT-R003", block.span, format!("the rule `{}` has no official link", block.id), "add `source: https://…`, here or in the instrument");
        }
        Head {
            id: block.id.to_string(),
            cites,
            cites_until: self.cites_until(),
            says,
            source,
            force: self.word("force", &FORCES, Some(instrument.map_or(Force::Statute, |i| i.force))).unwrap_or(Force::Practice),
            from,
            until,
            published,
            annulled: self.day("annulled"),
            read: self.day("read").or(instrument.map(|i| i.read)).unwrap_or(CivilDate::from_days(0)),
            seen: self.word("seen", &SEEN, Some(instrument.map_or(Seen::Memory, |i| i.seen))).unwrap_or(Seen::Memory),
            review: self.word("review", &REVIEWS, Some(instrument.map_or(Review::DraftedMachine, |i| i.review))).unwrap_or(Review::Signpost),
            sure: self.word("sure", &SURE, Some(instrument.map_or(Sure::Low, |i| i.sure))).unwrap_or(Sure::Low),
            doubt: self.plain("doubt"),
            heading: block.heading.to_string(),
            prose: block.prose.clone(),
            instrument: instrument.map(|i| i.id.clone()).unwrap_or_else(|| block.id.to_string()),
            span: block.span,
        }
    }

    /// `cites until 2022-04-01: Act Art. 24`: how the provision was cited before that day.
    fn cites_until(&mut self) -> Vec<(CivilDate, String)> {
        let mut out = Vec::new();
        for line in self.lines("cites").into_iter().filter(|l| !l.argument.is_empty()) {
            match line.argument.strip_prefix("until ").and_then(|d| d.trim().parse::<CivilDate>().ok()) {
                Some(until) if !line.value.is_empty() => out.push((until, line.value.to_string())),
                _ => self.fault("TGT-R009", line.key_span, format!("`cites {}` names no day", line.argument), "`cites until 2022-04-01: Act Art. 24`, the first day on which it is cited otherwise"),
            }
        }
        out.sort();
        out
    }

    /// Reports keys that no reader asked for, and keys said twice.
    pub fn finish(self) {
        let mut seen = BTreeSet::new();
        for line in &self.block.lines {
            if !self.used.contains(&line.key) && !SHARED.contains(&line.key) {
                let keys: BTreeSet<&str> = self.used.iter().copied().collect();
                let help = did_you_mean(&line.key, keys.into_iter().chain(SHARED));
                self.diagnostics.push(Diagnostic::error("TGT-R008", line.key_span, format!("`{}` is no key of `{}`", line.key, self.block.kind), help));
            }
            // A year of a calendar, or the end of an old number, stands between key and colon.
            let of_a_year = if ["closed", "open", "cites"].contains(&line.key) { line.argument } else { "" };
            if !["value", "entry", "gap", "given", "usual"].contains(&line.key) && !seen.insert((line.key, of_a_year)) {
                self.diagnostics.push(Diagnostic::error("TGT-R008", line.key_span, format!("`{}` is said twice", line.key), "join both with `or`, or make two blocks"));
            }
        }
    }
}

const FORCES: [(&str, Force); 6] = [
    ("statute", Force::Statute),
    ("delegated", Force::Delegated),
    ("decision", Force::Decision),
    ("judgment", Force::Judgment),
    ("guidance", Force::Guidance),
    ("practice", Force::Practice),
];

const SEEN: [(&str, Seen); 5] = [
    ("original", Seen::Original),
    ("official_translation", Seen::OfficialTranslation),
    ("unofficial_translation", Seen::UnofficialTranslation),
    ("secondary", Seen::Secondary),
    ("memory", Seen::Memory),
];

const REVIEWS: [(&str, Review); 10] = [
    ("withdrawn", Review::Withdrawn),
    ("signpost", Review::Signpost),
    ("stale", Review::Stale),
    ("disputed", Review::Disputed),
    ("drafted_machine", Review::DraftedMachine),
    ("drafted_person", Review::DraftedPerson),
    ("checked_machine", Review::CheckedMachine),
    ("checked_person", Review::CheckedPerson),
    ("lawyer_reviewed", Review::LawyerReviewed),
    ("authority_confirmed", Review::AuthorityConfirmed),
];

const SURE: [(&str, Sure); 3] = [("low", Sure::Low), ("medium", Sure::Medium), ("high", Sure::High)];

/// Words for standings.
pub const STANDINGS: [(&str, Standing); 3] =
    [("claimed", Standing::Claimed), ("evidenced", Standing::Evidenced), ("verified", Standing::Verified)];
