//! How each kind of block is read: one function a kind.

use super::parse_said;
use crate::{
    block::{Block, Line},
    calendar,
    diagnostic::{Diagnostic, Span},
    expr,
    law::*,
    read::{Reader, STANDINGS},
    vocabulary::{Bearer, Domain, Fact, FactKind, RESULTS, Word},
};
use model::{AsOf, fact::Standing, text::Text};
use std::collections::BTreeMap;

pub(super) fn read_words(r: &mut Reader<'_>) -> Vec<Word> {
    r.lines("value").into_iter().map(|line| Word::new(line.argument, r.both(line))).collect()
}

pub(super) fn read_fact(b: &Block, diagnostics: &mut Vec<Diagnostic>) -> Fact {
    let mut r = Reader::new(b, diagnostics);
    let kind = r.word("kind", &FACT_KINDS, None).unwrap_or(FactKind::Given);
    let mut words = read_words(&mut r);
    let domain = match r.required("domain").map(|l| l.value.as_ref()) {
        Some("yes_no") => Domain::YesNo,
        Some("count") => Domain::Count,
        Some("date") => Domain::Date,
        Some("place") => Domain::Place,
        Some("places") => Domain::Places,
        Some("set of") => Domain::SetOf(words),
        Some("one of") => {
            if kind == FactKind::Determination && words.is_empty() {
                words = RESULTS.iter().map(|(id, en, ja)| Word::new(*id, Text::of(*en, *ja))).collect();
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
    let window = r.plain("window");
    let read = crate::window::Window::read(&window);
    if !window.is_empty() && (read.is_none() || kind != FactKind::Counter) {
        let span = r.block.line("window").map_or(b.span, |l| l.value_span);
        r.fault("TGT-R008", span, format!("`{window}` is no window of a counter"), "one of: this year, this and last year, 12 months; then `by recipient` if each recipient has a count of its own");
    }
    let fact = Fact {
        id: b.id.to_string(),
        on: r.word("on", &BEARERS, None).unwrap_or(Bearer::Hop),
        kind,
        domain,
        label: r.text("label"),
        ask: r.text("ask"),
        knows: r.required("knows").map(|l| l.value.to_string()).unwrap_or_default(),
        by: Some(r.plain("by")).filter(|s| !s.is_empty()),
        needs: r.word("needs", &STANDINGS, Some(Standing::Claimed)).unwrap_or_default(),
        dpv: Some(r.plain("dpv")).filter(|s| !s.is_empty()),
        usual: crate::usual::read(&mut r),
        window: read,
        span: b.span,
    };
    if kind == FactKind::Determination && fact.by.is_none() {
        r.fault("TGT-R006", b.span, format!("the determination `{}` does not say who makes it", b.id), "add `by: exporter`");
    }
    r.finish();
    fact
}

pub(super) fn read_layer(r: &mut Reader<'_>, head: Head) -> Layer {
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
            let (when, says) = line.value.split_once(';').unwrap_or((line.value.as_ref(), ""));
            let says = r.both_of(line, says);
            let when = expr::parse_at(line, 0, when, r.diagnostics)?;
            Some(Gap { name: line.argument.to_string(), when, says })
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

pub(super) fn read_obligation(r: &mut Reader<'_>, head: Head) -> Obligation {
    let due = match r.required("due") {
        None => Due::Before,
        Some(line) => parse_due(&line.value).unwrap_or_else(|| {
            r.fault("TGT-R008", line.value_span, format!("`{}` is no due date", line.value), "one of: before, N days after FACT, N working days after FACT by CALENDAR, on_request, standing");
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
        other => calendar::read_due(other),
    }
}

pub(super) fn read_list(r: &mut Reader<'_>, head: Head) -> List {
    r.plain("of");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let entries = r
        .lines("entry")
        .into_iter()
        .map(|line| {
            let n = counts.entry(line.argument.to_string()).or_default();
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
        cites_until: Vec::new(),
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
    Entry { head, key: line.argument.to_string(), when, note }
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

pub(super) fn read_measure(r: &mut Reader<'_>, head: Head) -> MeasureOffer {
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

pub(super) fn read_case(r: &mut Reader<'_>) -> Option<Case> {
    let on = r.required("on").and_then(|_| r.day("on"))?;
    let given = r.lines("given").into_iter().map(|l| (l.argument.to_string(), parse_said(&l.value))).collect();
    let expect = r.word("expect", &VERDICTS, None).unwrap_or("undetermined").to_string();
    let split = |s: String| s.split(';').map(|p| p.trim().to_string()).filter(|p| !p.is_empty()).collect();
    r.plain("lacks");
    Some(Case {
        id: r.block.id.to_string(),
        title: r.text("title"),
        source: r.required("source").map(|l| l.value.to_string()).unwrap_or_default(),
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

const FACT_KINDS: [(&str, FactKind); 4] = [
    ("given", FactKind::Given),
    ("measure", FactKind::Measure),
    ("determination", FactKind::Determination),
    ("counter", FactKind::Counter),
];

const BEARERS: [(&str, Bearer); 4] =
    [("party", Bearer::Party), ("hop", Bearer::Hop), ("data", Bearer::Data), ("subjects", Bearer::Subjects)];

pub(super) const OUT_KINDS: [(&str, OutKind); 4] = [
    ("not_reached", OutKind::NotReached),
    ("not_personal", OutKind::NotPersonal),
    ("no_transfer", OutKind::NoTransfer),
    ("exempt", OutKind::Exempt),
];

pub(super) const LOCALIZATIONS: [(&str, Localization); 3] = [
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
