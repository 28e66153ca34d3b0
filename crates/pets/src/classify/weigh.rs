//! Weighs what one column may be.

use super::forms::{is_bare_phone, is_chinese_mobile, is_email, is_phone, is_postcode, may_be_phone, street_of};
use super::values::{GLANCE, Values};
use super::{Candidate, Evidence, Finding, Knowledge, Weighed};
use crate::calendar::read_day;
use crate::catalogue::{Scheme, Verdict};
use crate::dictionary::Role;
use crate::number::Decimal;
use crate::ratio::Ratio;
use crate::sample::Kept;
use crate::words::{Header, Kind, MadeOf, Words, capitals, is_japanese};
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
const MANY: u64 = 30;
/// What failing checks cost at most when the whole header names the scheme: test data and invented numbers are still shown.
const FAILING_UNDER_HEADER: i32 = 12;
/// Written with the separators that people write the identifier with.
const LOOK: i32 = 12;
/// So many decibans apart, two schemes are as likely.
const ALIKE: i32 = 3;
/// Share of wrong numbers (typing errors) expected in a real column.
const ERRORS: f64 = 0.02;

pub(super) fn column(name: &str, sample: &Kept, knowledge: &Knowledge) -> Finding {
    let header = knowledge.words.header(name);
    let values = Values::of(sample);
    let mut candidates: Vec<(Candidate, i32)> = Vec::new();
    let mut add = |kind: &str, role, evidence: Vec<Weighed>, surer: i32| {
        let decibans = evidence.iter().map(|w| w.decibans).sum();
        if decibans >= ENOUGH {
            candidates.push((Candidate { kind: kind.into(), role, decibans, evidence }, surer));
        }
    };
    for scheme in knowledge.catalogue.schemes() {
        let (evidence, surer) = weigh_scheme(scheme, &header, &values, &knowledge.words);
        add(&scheme.id, scheme.role, evidence, surer);
    }
    for kind in knowledge.words.kinds() {
        add(&kind.id, kind.role, weigh_kind(kind, &header, &values, &knowledge.words), 0);
    }
    // Equal weights: what chance meets less often, then the one that identifies more, then the narrower shape, then the name,
    // so that the order of files does not matter.
    let width = |kind: &str| knowledge.catalogue.scheme(kind).map_or(0, Scheme::width);
    candidates.sort_by(|(a, surer_a), (b, surer_b)| {
        let order = b.decibans.cmp(&a.decibans).then(surer_b.cmp(surer_a));
        order.then(a.role.cmp(&b.role)).then(width(&a.kind).cmp(&width(&b.kind))).then(a.kind.cmp(&b.kind))
    });
    let mut candidates = candidates.into_iter().map(|(candidate, _)| candidate);
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
/// Words, or Japanese characters, from which a value is a text.
const TEXT_WORDS_MIN: usize = 5;
const TEXT_CHARS_MIN: usize = 12;
/// One value of so many has to be a text for the column to be one of texts.
const TEXTS_SHARE: usize = 5;
/// A column of text that mentions persons in one value of a hundred identifies directly.
const MENTIONS_SHARE: u64 = 100;

/// Reads the values of a column that is not itself an identifier as text, for persons that they mention.
pub(super) fn mentions(mut finding: Finding, sample: &Kept, knowledge: &Knowledge) -> Finding {
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
    // A few words with capitals are rather what a company or a country is called than a text about somebody; so is the
    // seldom longer one among such.
    let is_text = |text: &&str| {
        text.split_whitespace().nth(TEXT_WORDS_MIN - 1).is_some()
            || text.chars().filter(|c| is_japanese(*c)).count() >= TEXT_CHARS_MIN
    };
    let are_texts = texts.iter().filter(|t| is_text(t)).count() * TEXTS_SHARE >= sample.len();
    for text in &texts {
        let is_text = are_texts && is_text(text);
        let spots = crate::text::find(text, knowledge).into_iter().map(|spot| spot.kind.into_owned());
        let kinds: std::collections::BTreeSet<String> = spots.filter(|kind| is_text || kind != "person-name").collect();
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

/// Schemes whose check digits say the same of the values, within what one typing error weighs, and whose other evidence does.
pub(super) fn are_alike(a: &Candidate, b: &Candidate) -> bool {
    let checked = |c: &Candidate| {
        c.evidence.iter().find_map(|w| match w.evidence {
            Evidence::CheckDigits { passing, fitting, chance, .. } => Some(likelihood(passing, fitting, chance)),
            _ => None,
        })
    };
    let (Some(surer_a), Some(surer_b)) = (checked(a), checked(b)) else { return false };
    (a.decibans - b.decibans).abs() <= ALIKE && (surer_a - surer_b).abs() <= ALIKE
}

pub(super) fn weighed(decibans: i32, evidence: Evidence) -> Weighed {
    Weighed { decibans, evidence }
}

fn announced(words: &Words, header: &Header, headers: &[String], unless: &[String]) -> Option<Weighed> {
    let found = words.announced(header, headers, unless)?;
    let decibans = if found.whole { HEADER_WHOLE } else { HEADER_PART };
    Some(weighed(decibans, Evidence::Header { word: found.word, whole: found.whole }))
}

// The evidence, and what the check digits alone say beyond any bound: which of two schemes that all values pass is meant.
fn weigh_scheme(scheme: &Scheme, header: &Header, values: &Values<'_>, words: &Words) -> (Vec<Weighed>, i32) {
    // No value at all: the header is believed, as for kinds.
    if values.of == 0 {
        return (announced(words, header, &scheme.headers, &[]).into_iter().collect(), 0);
    }
    let (mut fitting, mut passing) = (0, 0);
    // Few schemes have values of such a length at all: the others are not asked.
    let most = values.counts.may_fit(scheme);
    let first = values.of.min(GLANCE as u64);
    if most * 2 < first || values.of <= GLANCE as u64 && most * 10 < values.of * 9 {
        return (Vec::new(), 0);
    }
    for (place, (value, folded)) in values.folded().enumerate() {
        // Nine in ten must have the shape: half of the first ones do, but for once in 10^30.
        if place == GLANCE && fitting * 2 < GLANCE as u64 {
            return (Vec::new(), 0);
        }
        match scheme.judge_of(value, folded) {
            Verdict::Foreign => {}
            Verdict::Fails => fitting += 1,
            Verdict::Passes => (fitting, passing) = (fitting + 1, passing + 1),
        }
    }
    // A scheme speaks for a column only if nearly all values have its shape.
    if fitting * 10 < values.of * 9 {
        return (Vec::new(), 0);
    }
    let surer = if scheme.is_checked() { likelihood(passing, fitting, scheme.chance) } else { 0 };
    let mut weight = surer.clamp(-CHECKED_MOST, CHECKED_MOST);
    if !scheme.is_checked() {
        weight = 0;
    } else if scheme.chance > Ratio::share(3, 10) || !scheme.is_arithmetic() {
        // Dates and ranges that hardly anything else meets prove just enough where many values meet them.
        let telling = scheme.chance <= Ratio::share(4, 100) && values.of >= MANY;
        weight = weight.min(if telling { ENOUGH } else { WEAK_MOST });
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
    (out, surer)
}

/// Log-likelihood ratio, in decibans, of so many passes under the scheme and by chance.
fn likelihood(passing: u64, fitting: u64, chance: Ratio) -> i32 {
    let chance = chance.to_f64().clamp(1e-6, 1.0);
    let passes = passing as f64 * ((1.0 - ERRORS) / chance).log10();
    let fails = (fitting - passing) as f64 * (ERRORS / (1.0 - chance).max(ERRORS)).log10();
    ((passes + fails) * 10.0) as i32
}

fn weigh_kind(kind: &Kind, header: &Header, values: &Values<'_>, words: &Words) -> Vec<Weighed> {
    let mut out: Vec<Weighed> = announced(words, header, &kind.headers, &kind.unless).into_iter().collect();
    if values.of == 0 {
        return out;
    }
    if !kind.values.is_empty() {
        let listed = values.count(|v| kind.lists(v));
        let weight = match listed * 10 / values.of {
            8.. => LISTED,
            2..8 => 0,
            _ if kind.open => 0,
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
        "person-name" => weigh_names(values, words),
        "address" if !values.has_letters => None,
        "address" => {
            let fitting = values.count(|v| words.is_address(v));
            let known = (fitting * 10 >= of * 6).then(|| weighed(if of >= 10 { 22 } else { 12 }, Evidence::Form { of, fitting }));
            known.or_else(|| weigh_streets(values))
        }
        "email" => form(values.count(is_email), 40),
        "phone" => {
            let written = values.count(is_phone);
            let bare = values.count(is_bare_phone);
            let some = written * 3 >= of;
            // One column holds numbers written in several ways, with and without the country.
            let mixed = || written * 10 >= of && values.looks() >= WRITINGS && values.count(may_be_phone) * 100 >= of * 95;
            form(written, 18)
                .or_else(|| form(written + bare, if some { 14 } else { 4 }))
                .or_else(|| mixed().then(|| weighed(14, Evidence::Form { of, fitting: written })))
                .or_else(|| (of >= MANY).then(|| form(values.count(is_chinese_mobile), 14)).flatten())
        }
        "ip-address" => form(values.count(|v| v.parse::<std::net::IpAddr>().is_ok()), 40),
        "url" => {
            // A page of a person is told by the header or by the host; any other address of a page is a thing's.
            let fitting = values.count(is_profile);
            form(fitting, 20)
        }
        "postcode" => form(values.count(is_postcode), 15).or_else(|| weigh_bare_postcodes(values)),
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

/// Postcodes of five digits, or of six: a number would have no zero in front, a running number not every digit there, and a
/// day or a time of six digits not every month or minute.
fn weigh_bare_postcodes(values: &Values<'_>) -> Option<Weighed> {
    let of = values.of;
    let mut firsts = [0u64; 10];
    let length = values.sample.values().next().map(str::len).filter(|n| (5..=6).contains(n))?;
    for value in values.sample.values() {
        let first = value.bytes().next()?;
        if value.len() != length || !value.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if let Some(n) = firsts.get_mut(usize::from(first - b'0')) {
            *n += 1;
        }
    }
    let spread = firsts.iter().filter(|n| **n > 0).count();
    let in_front = firsts.first().copied().unwrap_or(0) * 100;
    // The third and fourth digit of six, in days and times of all orders, are a month, a day or a minute.
    let small = |v: &str| v.get(2..4).and_then(|n| n.parse::<u8>().ok()).is_some_and(|n| n < 60);
    if length == 6 && values.count(small) * 100 >= of * 95 {
        return None;
    }
    (of >= MANY && spread >= 6 && (of..=of * 30).contains(&in_front)).then(|| weighed(BARE_POSTCODES, Evidence::Form { of, fitting: of }))
}

/// Ways of writing from which numbers are of telephones that people wrote down, not of one register.
const WRITINGS: usize = 2;

/// More than that all values differ.
const BARE_POSTCODES: i32 = 12;

/// So many streets at least, and one in eight values: a town has many, a building few rooms.
const STREETS_MIN: usize = 25;

/// Addresses in languages whose words for streets are in no list: words and short numbers, and the words are many. Rooms, versions and batches repeat them.
fn weigh_streets(values: &Values<'_>) -> Option<Weighed> {
    if values.of < MANY {
        return None;
    }
    let mut streets: std::collections::BTreeSet<String> = std::collections::BTreeSet::new();
    let mut fitting = 0u64;
    for street in values.sample.values().filter_map(street_of) {
        fitting += 1;
        streets.insert(street);
    }
    let many = streets.len() >= STREETS_MIN && streets.len() as u64 * 8 >= values.of;
    (fitting * 100 >= values.of * 85 && many)
        .then(|| weighed(14, Evidence::Form { of: values.of, fitting }))
}

/// From how many different ones a column of Korean or Chinese family names is told, and how surely.
const FAMILIES_MIN: u64 = 8;
const FAMILIES: i32 = 14;

fn weigh_names(values: &Values<'_>, words: &Words) -> Option<Weighed> {
    let of = values.of;
    let records = values.sample.rows() - values.sample.missing();
    let against =
        |fitting: u64, decibans: i32| weighed(decibans, Evidence::Contradicted { of, unfitting: of - fitting });
    let with_digits = || values.count(|v| v.chars().any(|c| c.is_ascii_digit()));
    if !values.has_letters {
        // Nothing below finds a name or a company in these.
        let (weight, sure) = if of >= 20 { (-5, true) } else { (-20, with_digits() * 2 > of) };
        return sure.then(|| against(0, weight));
    }
    // Running text is read as text, for whom it mentions.
    if values.are_long(NAME_BYTES_MAX) {
        return None;
    }
    if values.count(|v| words.is_company(v)) * 10 > of {
        return Some(against(0, -30));
    }
    let listed = |fitting: u64, decibans: i32| Some(weighed(decibans, Evidence::List { of, listed: fitting }));
    // Few values that come again and again are a list of colors or months that are names too.
    let (few, again) = (of < 20, records >= of * 3);
    let surety = match (few, again) {
        (false, _) => 22,
        (true, false) => 12,
        (true, true) => 4,
    };
    // Korean and Chinese family names are few: hardly any other column holds them alone, or other syllables alone.
    let families = values.count(|v| words.is_east_asian_family(v));
    let syllables = || of >= SYLLABLES_MIN && families * 100 >= of * 60 && values.count(|v| words.is_syllable(v)) * 100 >= of * 95;
    if of >= FAMILIES_MIN && families * 100 >= of * 95 || syllables() {
        return listed(families, surety.max(FAMILIES));
    }
    let many = values.count(|v| words.is_listed_name(v));
    // The long lists know one town in three; the frequent names make a tenth of a column of people and hardly any of another.
    if many * 100 >= of * 45 {
        return listed(many, surety);
    }
    // Names are many; countries and trades that come again and again are few.
    let various = of >= VARIOUS || of >= MANY && records < of * 10;
    if various && is_unlisted(many, values, words) {
        return listed(many, UNLISTED);
    }
    // Chinese and Korean given names alone.
    let given = values.count(|v| words.is_east_asian_given(v));
    if of >= 20 && given * 100 >= of * 75 {
        return listed(given, surety);
    }
    let fitting = values.count(|v| words.is_name(v));
    match fitting * 100 / of {
        15.. if many * 4 >= fitting => listed(fitting, surety),
        5.. => None,
        0 if of >= 20 && many == 0 && values.count(|v| v.is_ascii()) == of => Some(against(fitting, -5)),
        _ if with_digits() * 2 > of => Some(against(0, -20)),
        _ => None,
    }
}

// LIMIT: names of people and of companies have fewer bytes; a column where nearly all values have more is none of names.
const NAME_BYTES_MAX: usize = 160;

/// How surely a column of names is told of which the lists know few.
const UNLISTED: i32 = 14;
/// So many different values are various however often they come.
const VARIOUS: u64 = 300;
/// From how many different ones a column of Korean syllables is told.
const SYLLABLES_MIN: u64 = 20;

/// Names that the lists know only some of: what nearly all values are made of must speak for names, and towns must be few.
///
/// Companies, towns and words of every day were seen to have such names in less than a fifth of the values where nearly all
/// are one word with a capital, and in less than a third where nearly all are several.
fn is_unlisted(many: u64, values: &Values<'_>, words: &Words) -> bool {
    let of = values.of;
    let made_of = |read: &dyn Fn(&str) -> Option<MadeOf>| {
        let (mut fitting, mut sum) = (0, MadeOf::default());
        for made in values.sample.values().filter_map(read) {
            fitting += 1;
            (sum.of, sum.usual) = (sum.of + made.of, sum.usual + made.usual);
        }
        (fitting, sum.usual * 100 >= sum.of * 45)
    };
    if many * 100 >= of * 20 {
        let one = values.count(|v| capitals(v) == Some(1));
        let several = values.count(|v| capitals(v).is_some_and(|n| (2..=4).contains(&n)));
        let told = one * 100 >= of * 85 || several * 100 >= of * 85 && many * 100 >= of * 38;
        if told && values.count(|v| words.is_town(v)) * 100 <= of * 15 {
            return true;
        }
    }
    let (given, given_usual) = made_of(&|v| words.given_zh(v));
    let (full, full_usual) = made_of(&|v| words.full_zh(v));
    given * 100 >= of * 95 && given_usual
        || full * 100 >= of * 90 && full_usual
        || values.count(|v| words.is_full_ko(v)) * 100 >= of * 80
}

/// Hosts where a page is a person's.
const PROFILES: [&str; 8] =
    ["linkedin.com/in/", "facebook.com/", "twitter.com/", "x.com/", "instagram.com/", "github.com/", "tiktok.com/@", "note.com/"];

fn is_profile(value: &str) -> bool {
    let bare = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    bare.map(|b| b.strip_prefix("www.").unwrap_or(b)).is_some_and(|b| PROFILES.iter().any(|host| b.starts_with(host)))
}

/// Columns of degrees that no header announces: many decimals, within the globe. Two of them beside each other are a place.
pub(super) fn coordinates(columns: &mut [Finding], samples: &[Kept]) {
    let degrees = |sample: &Kept, within: f64| {
        let (mut fine, mut of, mut least, mut most) = (0u64, 0u64, f64::MAX, f64::MIN);
        for value in sample.values() {
            let Ok(number) = value.parse::<f64>() else { return None };
            if number.abs() > within {
                return None;
            }
            of += 1;
            fine += u64::from(value.split_once('.').is_some_and(|(_, decimals)| decimals.len() >= DECIMALS));
            (least, most) = (least.min(number), most.max(number));
        }
        // A rate or a fraction stays within one.
        (of >= 10 && fine * 10 >= of * 8 && most - least > 1e-3 && most.abs().max(least.abs()) > 1.0).then_some((of, fine))
    };
    for (finding, sample) in columns.iter_mut().zip(samples) {
        if finding.found.is_none() && let Some((of, fitting)) = degrees(sample, 180.0) {
            finding.role = Role::QuasiIdentifier;
            finding.found = Some(Candidate {
                kind: "coordinates".into(),
                role: Role::QuasiIdentifier,
                decibans: ENOUGH + 1,
                evidence: vec![weighed(ENOUGH + 1, Evidence::Form { of, fitting })],
            });
        }
    }
}

/// Decimals with which degrees tell a house from the next: a meter is the fifth.
const DECIMALS: usize = 5;

fn weigh_days(kind: &str, values: &Values<'_>) -> Option<Weighed> {
    let years = values.years();
    if years.is_empty() && values.of > GLANCE as u64 {
        return None;
    }
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
