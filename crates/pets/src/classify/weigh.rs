//! Weighs what one column may be.

use super::forms::{is_bare_phone, is_email, is_phone, is_postcode};
use super::{Candidate, Evidence, Finding, Knowledge, Weighed};
use crate::calendar::read_day;
use crate::catalogue::{Scheme, Verdict};
use crate::dictionary::Role;
use crate::number::Decimal;
use crate::ratio::Ratio;
use crate::sample::Sample;
use crate::words::{Header, Kind, Words, is_japanese};
use std::collections::BTreeMap;

/// A candidate needs odds of ten to one.
const ENOUGH: i32 = 10;
const HEADER_WHOLE: i32 = 25;
const HEADER_PART: i32 = 11;
const LISTED: i32 = 20;
/// However many values pass, the model (random digits or the scheme, nothing else) is not surer than this.
const CHECKED_MOST: i32 = 60;
/// Checks that half of all numbers pass, or that read a date only, prove little whatever their number.
const WEAK_MOST: i32 = 6;
/// What failing checks cost at most when the whole header names the scheme: test data and invented numbers are still shown.
const FAILING_UNDER_HEADER: i32 = 12;
/// Written with the separators that people write the identifier with.
const LOOK: i32 = 12;
/// Share of wrong numbers (typing errors) expected in a real column.
const ERRORS: f64 = 0.02;

pub(super) fn column(name: &str, sample: &Sample, knowledge: &Knowledge) -> Finding {
    let header = knowledge.words.header(name);
    let values = Values::of(sample);
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut add = |kind: &str, role, evidence: Vec<Weighed>| {
        let decibans = evidence.iter().map(|w| w.decibans).sum();
        if decibans >= ENOUGH {
            candidates.push(Candidate { kind: kind.into(), role, decibans, evidence });
        }
    };
    for scheme in knowledge.catalogue.schemes() {
        add(&scheme.id, scheme.role, weigh_scheme(scheme, &header, &values, &knowledge.words));
    }
    for kind in knowledge.words.kinds() {
        add(&kind.id, kind.role, weigh_kind(kind, &header, &values, &knowledge.words));
    }
    // Equal weights: the one that identifies more, then the name, so that the order of files does not matter.
    candidates
        .sort_by(|a, b| b.decibans.cmp(&a.decibans).then(a.role.cmp(&b.role)).then(a.kind.cmp(&b.kind)));
    let mut candidates = candidates.into_iter();
    let found = candidates.next();
    Finding {
        column: name.into(),
        role: found.as_ref().map_or(Role::Attribute, |c| c.role),
        found,
        alternatives: candidates.take(3).collect(),
        rows: sample.rows(),
        missing: sample.missing(),
        distinct: sample.distinct(),
        distinct_exact: sample.is_whole(),
        looks_like: values.look(),
        mentions: BTreeMap::new(),
        readable: true,
    }
}

// LIMIT: distinct values of a column that are read as text.
const READ_MAX: usize = 2000;
/// Bytes from which a value can hold more than one thing.
const TEXT_BYTES_MIN: usize = 12;
/// A column of text that mentions persons in one value of a hundred identifies directly.
const MENTIONS_SHARE: u64 = 100;

/// Reads the values of a column that is not itself an identifier as text, for persons that they mention.
pub(super) fn mentions(mut finding: Finding, sample: &Sample, knowledge: &Knowledge) -> Finding {
    if finding.role.identifies_alone() {
        return finding;
    }
    let runs_on = |v: &&str| {
        v.len() >= TEXT_BYTES_MIN
            && (v.contains([' ', '@', '\u{3000}', '、', '。', '：'])
                || v.chars().filter(|c| is_japanese(*c)).count() > 5)
    };
    let mut texts: Vec<&str> = sample.values().filter(runs_on).collect();
    texts.sort_unstable();
    texts.truncate(READ_MAX);
    let mut mentioning = 0;
    for text in &texts {
        let kinds: std::collections::BTreeSet<String> =
            crate::text::find(text, knowledge).into_iter().map(|spot| spot.kind).collect();
        mentioning += u64::from(!kinds.is_empty());
        kinds.into_iter().for_each(|kind| *finding.mentions.entry(kind).or_default() += 1);
    }
    let weak = matches!(finding.role, Role::Attribute | Role::NonPersonal);
    if mentioning * MENTIONS_SHARE > texts.len() as u64 && weak {
        let evidence = vec![weighed(ENOUGH, Evidence::Mentions { of: texts.len() as u64, mentioning })];
        finding.role = Role::DirectIdentifier;
        finding.found = Some(Candidate {
            kind: "free-text".into(),
            role: Role::DirectIdentifier,
            decibans: ENOUGH,
            evidence,
        });
    }
    finding
}

struct Values<'a> {
    sample: &'a Sample,
    of: u64,
}

impl<'a> Values<'a> {
    fn of(sample: &'a Sample) -> Self {
        Self { sample, of: sample.len() as u64 }
    }

    fn count(&self, fits: impl Fn(&str) -> bool) -> u64 {
        self.sample.values().filter(|v| fits(v)).count() as u64
    }

    // Looks with ties broken by text, so that the answer is one.
    fn look(&self) -> Option<String> {
        let mut looks: BTreeMap<String, u64> = BTreeMap::new();
        for (value, n) in self.sample.counted() {
            *looks.entry(look(value)).or_default() += n;
        }
        looks.into_iter().max_by_key(|(text, n)| (*n, std::cmp::Reverse(text.clone()))).map(|(text, _)| text)
    }
}

// LIMIT: a look shows at most this many characters.
const LOOK_MAX: usize = 24;

fn look(value: &str) -> String {
    let mask = |c: char| match c {
        '0'..='9' => '9',
        c if is_japanese(c) => '字',
        c if c.is_uppercase() => 'A',
        c if c.is_alphabetic() => 'a',
        c if c.is_numeric() => '9',
        c => c,
    };
    let mut out: String = value.chars().take(LOOK_MAX).map(mask).collect();
    if value.chars().nth(LOOK_MAX).is_some() {
        out.push('…');
    }
    out
}

fn weighed(decibans: i32, evidence: Evidence) -> Weighed {
    Weighed { decibans, evidence }
}

fn announced(words: &Words, header: &Header, headers: &[String], unless: &[String]) -> Option<Weighed> {
    let found = words.announced(header, headers, unless)?;
    let decibans = if found.whole { HEADER_WHOLE } else { HEADER_PART };
    Some(weighed(decibans, Evidence::Header { word: found.word, whole: found.whole }))
}

fn weigh_scheme(scheme: &Scheme, header: &Header, values: &Values<'_>, words: &Words) -> Vec<Weighed> {
    let (mut fitting, mut passing) = (0, 0);
    for value in values.sample.values() {
        match scheme.judge(value) {
            Verdict::Foreign => {}
            Verdict::Fails => fitting += 1,
            Verdict::Passes => (fitting, passing) = (fitting + 1, passing + 1),
        }
    }
    // A scheme speaks for a column only if nearly all values have its shape.
    if values.of == 0 || fitting * 10 < values.of * 9 {
        return Vec::new();
    }
    let mut weight = likelihood(passing, fitting, scheme.chance);
    if !scheme.is_checked() {
        weight = 0;
    } else if scheme.chance > Ratio::share(3, 10) || !scheme.is_arithmetic() {
        weight = weight.min(WEAK_MOST);
    }
    let header = announced(words, header, &scheme.headers, &[]);
    if header.as_ref().is_some_and(|h| h.decibans == HEADER_WHOLE) {
        weight = weight.max(-FAILING_UNDER_HEADER);
    }
    let checked = Evidence::CheckDigits { of: values.of, fitting, passing, chance: scheme.chance };
    let mut out = vec![weighed(weight, checked)];
    let looking = values.count(|v| scheme.looks_like(v));
    if looking * 10 >= values.of * 9 {
        out.push(weighed(LOOK, Evidence::Form { of: values.of, fitting: looking }));
    }
    out.extend(header);
    out
}

/// Log-likelihood ratio, in decibans, of so many passes under the scheme and by chance.
fn likelihood(passing: u64, fitting: u64, chance: Ratio) -> i32 {
    let chance = chance.to_f64().clamp(1e-6, 1.0);
    let passes = passing as f64 * ((1.0 - ERRORS) / chance).log10();
    let fails = (fitting - passing) as f64 * (ERRORS / (1.0 - chance).max(ERRORS)).log10();
    ((passes + fails) * 10.0).clamp(-f64::from(CHECKED_MOST), CHECKED_MOST.into()) as i32
}

fn weigh_kind(kind: &Kind, header: &Header, values: &Values<'_>, words: &Words) -> Vec<Weighed> {
    let mut out: Vec<Weighed> = announced(words, header, &kind.headers, &kind.unless).into_iter().collect();
    if values.of == 0 {
        return out;
    }
    if !kind.values.is_empty() {
        let listed = values.count(|v| kind.values.contains(&v.to_lowercase()));
        let weight = match listed * 10 / values.of {
            8.. => LISTED,
            2..8 => 0,
            _ => -8,
        };
        out.push(weighed(weight, Evidence::List { of: values.of, listed }));
    }
    out.extend(weigh_form(&kind.id, values, words));
    out
}

fn weigh_form(kind: &str, values: &Values<'_>, words: &Words) -> Option<Weighed> {
    let of = values.of;
    let form = |fitting: u64, decibans: i32| {
        (fitting * 10 >= of * 9).then(|| weighed(decibans, Evidence::Form { of, fitting }))
    };
    let against = |fitting: u64, decibans: i32| {
        weighed(decibans, Evidence::Contradicted { of, unfitting: of - fitting })
    };
    match kind {
        "person-name" => {
            let fitting = values.count(|v| words.is_name(v));
            // Names make more than a tenth of a column of people and hardly any of another; few values prove little.
            let surety = if of >= 20 { 22 } else { 12 };
            match fitting * 100 / of {
                _ if values.count(|v| words.is_company(v)) * 10 > of => Some(against(fitting, -30)),
                15.. => Some(weighed(surety, Evidence::List { of, listed: fitting })),
                5..15 => None,
                0 if of >= 20 && values.count(|v| v.is_ascii()) == of => Some(against(fitting, -5)),
                _ if values.count(|v| v.chars().any(|c| c.is_ascii_digit())) * 2 > of => {
                    Some(against(0, -20))
                }
                _ => None,
            }
        }
        "email" => form(values.count(is_email), 40),
        "phone" => {
            let written = values.count(is_phone);
            let bare = values.count(is_bare_phone);
            let some = written * 3 >= of;
            form(written, 18).or_else(|| form(written + bare, if some { 14 } else { 4 }))
        }
        "ip-address" => form(values.count(|v| v.parse::<std::net::IpAddr>().is_ok()), 40),
        "url" => form(values.count(|v| v.starts_with("http://") || v.starts_with("https://")), 15),
        "postcode" => form(values.count(is_postcode), 15),
        "birth-date" | "event-date" | "time" => weigh_days(kind, values),
        "age" => {
            let fitting = values.count(|v| {
                v.parse::<Decimal>().is_ok_and(|n| n >= Decimal::ZERO && n < Decimal::whole(130))
                    || v.contains(['-', '歳', '[', '<', '>'])
            });
            (fitting * 10 < of * 9).then(|| against(fitting, -30))
        }
        "record-number" | "device-id" => weigh_distinct(kind, values),
        _ => None,
    }
}

fn weigh_days(kind: &str, values: &Values<'_>) -> Option<Weighed> {
    let years: Vec<i32> = values.sample.values().filter_map(|v| read_day(v).map(|d| d.parts().0)).collect();
    let (of, fitting) = (values.of, years.len() as u64);
    if fitting * 10 < of * 9 {
        return (kind == "birth-date")
            .then(|| weighed(-5, Evidence::Contradicted { of, unfitting: of - fitting }));
    }
    // Days over two generations are days of birth more often than anything else.
    let wide = years.iter().max().zip(years.iter().min()).is_some_and(|(last, first)| last - first >= 40);
    let decibans = match (kind, wide) {
        ("birth-date", true) => 12,
        ("birth-date", false) => 2,
        ("time", _) => 10,
        _ => 5,
    };
    Some(weighed(decibans, Evidence::Form { of, fitting }))
}

// LIMIT: below this many records, that all values differ says nothing.
const DIFFERENT_ROWS_MIN: u64 = 50;

fn weigh_distinct(kind: &str, values: &Values<'_>) -> Option<Weighed> {
    let (distinct, records) = (values.sample.distinct(), values.sample.rows() - values.sample.missing());
    if records < DIFFERENT_ROWS_MIN || distinct * 100 < records * 95 {
        return None;
    }
    let code = |v: &str| {
        v.len() >= 5
            && v.bytes().any(|b| b.is_ascii_digit())
            && v.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && read_day(v).is_none()
    };
    let decibans = match kind {
        "record-number" if values.count(code) * 10 >= values.of * 9 => 11,
        _ => 3,
    };
    Some(weighed(decibans, Evidence::AllDifferent { distinct, records }))
}
