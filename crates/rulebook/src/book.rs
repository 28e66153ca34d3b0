//! (path, text) pairs into a checked rulebook.

use crate::{
    block::{self, Block, Line},
    check,
    diagnostic::{Diagnostic, Severity, Span},
    expr::{self, Expr},
    law::*,
    read::{Reader, STANDINGS},
    vocabulary::{Bearer, Constraint, Domain, Fact, FactKind, RESULTS, Vocabulary, Word},
};
use model::{
    AsOf, Digest,
    fact::{Said, Spoken, Standing},
    text::Text,
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
    /// Measures that can be offered.
    pub measures: Vec<MeasureOffer>,
    /// Disputed questions by id.
    pub disputed: BTreeMap<String, Disputed>,
    /// Worked cases.
    pub cases: Vec<Case>,
    /// Digest of the sources that decide (cases left out), in path order.
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
        for blocks in &parsed {
            book.read_file(blocks, &mut diagnostics);
        }
        book.sources = sources;
        book.place_measures(&mut diagnostics);
        check::check(&book, &parsed, &mut diagnostics);
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
        match b.kind.as_str() {
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
                    self.vocabulary.places.insert(line.argument.clone(), label);
                }
                r.finish();
            }
            _ => {}
        }
    }

    fn extend(&mut self, b: &Block, diagnostics: &mut Vec<Diagnostic>) {
        let mut r = Reader::new(b, diagnostics);
        let more = read_words(&mut r);
        r.finish();
        match self.vocabulary.facts.get_mut(&b.id).map(|f| &mut f.domain) {
            Some(Domain::SetOf(words) | Domain::OneOf(words)) => {
                for word in more {
                    if words.iter().any(|w| w.id == word.id) {
                        diagnostics.push(Diagnostic::error("TGT-R011", b.span, format!("`{}` has the value `{}` already", b.id, word.id), "remove it here"));
                    } else {
                        words.push(word);
                    }
                }
            }
            _ => diagnostics.push(Diagnostic::error("TGT-R012", b.span, format!("there is no fact `{}` with words to extend", b.id), "")),
        }
    }

    fn read_file(&mut self, blocks: &[Block], diagnostics: &mut Vec<Diagnostic>) {
        let mut instrument: Option<Head> = None;
        for b in blocks {
            let mut r = Reader::new(b, diagnostics);
            match b.kind.as_str() {
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
                    self.vocabulary.constraints.push(Constraint { id: b.id.clone(), never, says });
                }
                "fact" | "extend" | "places" | "topic" => continue,
                _ => self.read_law(b, &mut r, instrument.as_ref()),
            }
            r.finish();
        }
    }

    fn read_law(&mut self, b: &Block, r: &mut Reader<'_>, instrument: Option<&Head>) {
        if instrument.is_none() {
            r.fault("TGT-R006", b.span, format!("`{}` stands in a file without an instrument", b.id), "begin the file with an `instrument` block");
        }
        let is_law = ["scope", "out", "bar", "gate", "route", "obligation"].contains(&b.kind.as_str());
        let head = r.head(instrument, is_law);
        match b.kind.as_str() {
            "layer" => {
                let layer = read_layer(r, head);
                self.layers.insert(b.id.clone(), layer);
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
                self.lists.insert(b.id.clone(), list);
            }
            "measure" => {
                let measure = read_measure(r, head);
                self.measures.push(measure);
            }
            "disputed" => {
                self.disputed.insert(
                    b.id.clone(),
                    Disputed {
                        id: b.id.clone(),
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

fn digest_of(sources: &[Source]) -> Digest {
    let mut bytes = Vec::new();
    for s in sources.iter().filter(|s| !s.path.starts_with("cases/")) {
        bytes.extend_from_slice(format!("{} {}\n", Digest::of(s.text.as_bytes()), s.path).as_bytes());
    }
    Digest::of(&bytes)
}

fn read_words(r: &mut Reader<'_>) -> Vec<Word> {
    r.lines("value").into_iter().map(|line| Word { id: line.argument.clone(), label: r.both(line) }).collect()
}

fn read_fact(b: &Block, diagnostics: &mut Vec<Diagnostic>) -> Fact {
    let mut r = Reader::new(b, diagnostics);
    let kind = r.word("kind", &FACT_KINDS, None).unwrap_or(FactKind::Given);
    let mut words = read_words(&mut r);
    let domain = match r.required("domain").map(|l| l.value.as_str()) {
        Some("yes_no") => Domain::YesNo,
        Some("count") => Domain::Count,
        Some("date") => Domain::Date,
        Some("place") => Domain::Place,
        Some("places") => Domain::Places,
        Some("set of") => Domain::SetOf(words),
        Some("one of") => {
            if kind == FactKind::Determination && words.is_empty() {
                words = RESULTS.iter().map(|(id, en, ja)| Word { id: (*id).into(), label: Text::of(*en, *ja) }).collect();
            }
            Domain::OneOf(words)
        }
        other => {
            let span = r.block.line("domain").map_or(b.span, |l| l.value_span);
            r.fault("TGT-R008", span, format!("`{}` is no domain", other.unwrap_or("")), "one of: yes_no, one of, set of, count, date, place, places");
            Domain::YesNo
        }
    };
    if let Domain::OneOf(words) | Domain::SetOf(words) = &domain {
        if words.is_empty() {
            r.fault("TGT-R008", b.span, format!("the fact `{}` has no values", b.id), "add lines `value NAME: en | ja`");
        }
    }
    if kind == FactKind::Measure && !matches!(domain, Domain::SetOf(_) | Domain::YesNo) {
        r.fault("TGT-R008", b.span, format!("the measure `{}` is neither a set nor yes_no", b.id), "a measure is there or absent");
    }
    let fact = Fact {
        id: b.id.clone(),
        on: r.word("on", &BEARERS, None).unwrap_or(Bearer::Hop),
        kind,
        domain,
        label: r.text("label"),
        ask: r.text("ask"),
        knows: r.required("knows").map(|l| l.value.clone()).unwrap_or_default(),
        by: Some(r.plain("by")).filter(|s| !s.is_empty()),
        needs: r.word("needs", &STANDINGS, Some(Standing::Claimed)).unwrap_or_default(),
        dpv: Some(r.plain("dpv")).filter(|s| !s.is_empty()),
        span: b.span,
    };
    if kind == FactKind::Determination && fact.by.is_none() {
        r.fault("TGT-R006", b.span, format!("the determination `{}` does not say who makes it", b.id), "add `by: exporter`");
    }
    r.finish();
    fact
}

fn read_layer(r: &mut Reader<'_>, head: Head) -> Layer {
    let zone = r.plain("zone");
    let zone_minutes = parse_zone(&zone).unwrap_or_else(|| {
        let span = r.block.line("zone").map_or(r.block.span, |l| l.value_span);
        r.fault("TGT-R009", span, format!("`{zone}` is not a fixed offset"), "write `zone: +09:00`");
        0
    });
    let gaps = r
        .lines("gap")
        .into_iter()
        .filter_map(|line| {
            let (when, says) = line.value.split_once(';').unwrap_or((line.value.as_str(), ""));
            let says = r.both_of(line, says);
            let when = expr::parse_at(line, 0, when, r.diagnostics)?;
            Some(Gap { name: line.argument.clone(), when, says })
        })
        .collect();
    Layer {
        id: head.id.clone(),
        label: r.text("label"),
        zone_minutes,
        tier: r.plain("tier").chars().next().unwrap_or('C'),
        authority: r.text_or_empty("authority"),
        applies: r.expr("applies"),
        covers: r.expr_or_none("covers"),
        replaces: Some(r.plain("replaces")).filter(|s| !s.is_empty()),
        checked: r.text("checked"),
        not_checked: r.text("not_checked"),
        gaps,
        head,
    }
}

fn parse_zone(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-" | "−", rest) => (-1, rest),
        _ => return None,
    };
    let (h, m) = rest.split_once(':')?;
    let (h, m): (i32, i32) = (h.parse().ok()?, m.parse().ok()?);
    (h <= 14 && m < 60).then_some(sign * (h * 60 + m))
}

fn read_obligation(r: &mut Reader<'_>, head: Head) -> Obligation {
    let due = match r.required("due") {
        None => Due::Before,
        Some(line) => parse_due(&line.value).unwrap_or_else(|| {
            r.fault("TGT-R008", line.value_span, format!("`{}` is no due date", line.value), "one of: before, N days after FACT, on_request, standing");
            Due::Before
        }),
    };
    Obligation {
        layer: r.plain("layer"),
        when: r.expr("when"),
        done: r.expr_or_none("done"),
        due,
        if_breached: r.word("if_breached", &BREACHES, None).unwrap_or(IfBreached::FromStart),
        route: Some(r.plain("route")).filter(|s| !s.is_empty()),
        head,
    }
}

fn parse_due(value: &str) -> Option<Due> {
    match value {
        "before" => Some(Due::Before),
        "on_request" => Some(Due::OnRequest),
        "standing" => Some(Due::Standing),
        _ => {
            let mut words = value.split_whitespace();
            let days = words.next()?.parse().ok()?;
            (words.next()? == "days" && words.next()? == "after").then_some(())?;
            let fact = words.next()?.to_string();
            words.next().is_none().then_some(Due::DaysAfter { days, fact })
        }
    }
}

fn read_list(r: &mut Reader<'_>, head: Head) -> List {
    r.plain("of");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let entries = r
        .lines("entry")
        .into_iter()
        .map(|line| {
            let n = counts.entry(line.argument.clone()).or_default();
            *n += 1;
            read_entry(r, line, &head, *n)
        })
        .collect();
    List {
        label: r.text("label"),
        complete_as_of: r.day("complete_as_of").unwrap_or(head.read),
        entries,
        head,
    }
}

/// `from DATE [until DATE] … ; CITES ; when EXPRESSION ; note TEXT`.
fn read_entry(r: &mut Reader<'_>, line: &Line, list: &Head, nth: usize) -> Entry {
    let suffix = if nth > 1 { format!(".{nth}") } else { String::new() };
    let mut head = Head {
        id: format!("{}#{}{suffix}", list.id, line.argument),
        cites: String::new(),
        from: Start::Unknown,
        until: None,
        published: None,
        annulled: None,
        span: Span { end: line.value_span.end, ..line.key_span },
        ..list.clone()
    };
    let (mut when, mut note) = (None, String::new());
    let mut offset = 0;
    for (i, part) in line.value.split(';').enumerate() {
        let lead = part.len() - part.trim_start().len();
        let trimmed = part.trim();
        if i == 0 {
            read_entry_dates(r, line, trimmed, &mut head);
        } else if let Some(text) = trimmed.strip_prefix("when ") {
            when = expr::parse_at(line, offset + lead + 5, text, r.diagnostics).or(Some(expr::Expr::Const(false)));
        } else if let Some(text) = trimmed.strip_prefix("note ") {
            note = text.to_string();
        } else if head.cites.is_empty() {
            head.cites = trimmed.to_string();
        }
        offset += part.len() + 1;
    }
    if head.cites.is_empty() {
        r.fault("TGT-R003", head.span, format!("the entry `{}` cites nothing", head.id), "entry KEY: from DATE ; CITES ; …");
    }
    Entry { head, key: line.argument.clone(), when, note }
}

fn read_entry_dates(r: &mut Reader<'_>, line: &Line, text: &str, head: &mut Head) {
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let day = words.next().unwrap_or_default();
        if word == "from" && day == "unknown" {
            continue;
        }
        match (word, day.parse()) {
            ("from", Ok(d)) => head.from = Start::On(d),
            ("until", Ok(d)) => head.until = Some(d),
            ("published", Ok(d)) => head.published = Some(d),
            ("annulled", Ok(d)) => head.annulled = Some(d),
            ("from" | "until" | "published" | "annulled", Err(e)) => {
                let at = line.value.find(day).unwrap_or(0);
                r.fault("TGT-R009", line.place(at, at + day.len()), e.to_string(), "");
            }
            _ => r.fault("TGT-R008", line.value_span, format!("`{word}` is not expected in an entry's dates"), "from, until, published, annulled"),
        }
    }
    if !text.contains("from ") {
        r.fault("TGT-R006", line.value_span, "the entry has no start", "entry KEY: from 2018-05-25 ; …");
    }
}

fn read_measure(r: &mut Reader<'_>, head: Head) -> MeasureOffer {
    let does = match r.required("does") {
        None => Vec::new(),
        Some(line) => line
            .value
            .split(';')
            .filter_map(|part| {
                let mut words = part.split_whitespace();
                match (words.next(), words.next(), words.next(), words.next()) {
                    (Some(slot), Some("is" | "has"), Some(value), None) => Some(Effect { slot: slot.into(), value: value.into() }),
                    _ => {
                        r.fault("TGT-R008", line.value_span, format!("`{}` is no effect", part.trim()), "write `fact is value ; fact has value`");
                        None
                    }
                }
            })
            .collect(),
    };
    MeasureOffer {
        id: head.id.clone(),
        layer: r.plain("layer"),
        label: r.text("label"),
        does,
        when: r.expr_or_none("if"),
        decides: r.word("decides", &DECIDERS, None).unwrap_or("authority").to_string(),
        money: r.number("money", 0),
        days: r.number("days", 0),
        utility_loss: r.number("utility_loss", 0),
        note: r.text_or_empty("note"),
        head,
    }
}

fn read_case(r: &mut Reader<'_>) -> Option<Case> {
    let on = r.required("on").and_then(|_| r.day("on"))?;
    let given = r.lines("given").into_iter().map(|l| (l.argument.clone(), parse_said(&l.value))).collect();
    let expect = r.word("expect", &VERDICTS, None).unwrap_or("undetermined").to_string();
    let split = |s: String| s.split(';').map(|p| p.trim().to_string()).filter(|p| !p.is_empty()).collect();
    r.plain("lacks");
    Some(Case {
        id: r.block.id.clone(),
        title: r.text("title"),
        source: r.required("source").map(|l| l.value.clone()).unwrap_or_default(),
        as_of: AsOf { on, published_by: r.day("published_by").unwrap_or(on) },
        given,
        expect,
        by: r.words("by"),
        by_cite: split(r.plain("by_cite")),
        way: r.words("way"),
        missing: r.words("missing"),
        twin: Some(r.plain("twin")).filter(|s| !s.is_empty()),
        author: r.plain("author"),
        span: r.block.span,
    })
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

const FACT_KINDS: [(&str, FactKind); 4] = [
    ("given", FactKind::Given),
    ("measure", FactKind::Measure),
    ("determination", FactKind::Determination),
    ("counter", FactKind::Counter),
];

const BEARERS: [(&str, Bearer); 4] =
    [("party", Bearer::Party), ("hop", Bearer::Hop), ("data", Bearer::Data), ("subjects", Bearer::Subjects)];

const OUT_KINDS: [(&str, OutKind); 4] = [
    ("not_reached", OutKind::NotReached),
    ("not_personal", OutKind::NotPersonal),
    ("no_transfer", OutKind::NoTransfer),
    ("exempt", OutKind::Exempt),
];

const LOCALIZATIONS: [(&str, Localization); 3] = [
    ("copy_here", Localization::CopyHere),
    ("first_here", Localization::FirstHere),
    ("only_here", Localization::OnlyHere),
];

const BREACHES: [(&str, IfBreached); 3] =
    [("from_start", IfBreached::FromStart), ("from_breach", IfBreached::FromBreach), ("side_duty", IfBreached::SideDuty)];

/// Who may decide about a measure.
const DECIDERS: [(&str, &str); 7] = [
    ("exporter", "exporter"),
    ("recipient", "recipient"),
    ("both", "both"),
    ("individual", "individual"),
    ("authority", "authority"),
    ("court", "court"),
    ("legislature", "legislature"),
];

const VERDICTS: [(&str, &str); 5] = [
    ("out_of_scope", "out_of_scope"),
    ("permitted", "permitted"),
    ("conditional", "conditional"),
    ("prohibited", "prohibited"),
    ("undetermined", "undetermined"),
];
