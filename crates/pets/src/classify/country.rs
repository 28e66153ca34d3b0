//! Numbers of several countries with the same arithmetic: no value parts them, the rest of the table may.
//!
//! Each other column is asked which of the tied countries its values speak for: the numbers of a country that are known, telephone
//! numbers, accounts, domains, postcodes, words. A column has one voice, and one only if it speaks for one country far more
//! than for the others. Where the voices leave no clear winner, both kinds stay beside each other with the same weight.

use super::weigh::{self, weighed};
use super::{Candidate, Evidence, Finding, Knowledge};
use crate::sample::Kept;
use std::collections::BTreeMap;

/// What the rest of a table adds: enough to part two that are alike, not to make up for checks that fail.
const SAID_BY_TABLE: i32 = 12;
/// A column speaks for a country by at least so many different values, or one in fifty, and four times as many as for any other.
const VALUES_MIN: u64 = 2;
const SHARE: u64 = 50;
const TIMES: u64 = 4;

/// Ranks tied schemes anew by what the other columns say.
pub(super) fn settle(columns: &mut [Finding], samples: &[Kept], knowledge: &Knowledge) {
    let tied: Vec<(usize, Vec<String>)> =
        (0..).zip(columns.iter()).map(|(at, f)| (at, tied(f, knowledge))).filter(|(_, of)| of.len() > 1).collect();
    let settled: Vec<(usize, String, u64)> = tied
        .iter()
        .filter_map(|(at, of)| {
            let others = (0..).zip(columns.iter().zip(samples)).filter(|(other, _)| tied.iter().all(|(t, _)| t != other));
            let (country, said) = most(others.filter_map(|(_, (finding, sample))| voice(finding, sample, of, knowledge)))?;
            Some((*at, country, said))
        })
        .collect();
    for (at, country, said) in settled {
        columns.get_mut(at).into_iter().for_each(|finding| favor(finding, &country, said, knowledge));
    }
}

/// The countries of the schemes that a column may be of as likely as of the best; two at least, or none that matters.
fn tied(finding: &Finding, knowledge: &Knowledge) -> Vec<String> {
    let country = |c: &Candidate| knowledge.catalogue.scheme(&c.kind).map(|s| s.jurisdiction.clone()).filter(|j| j != "*");
    let Some(best) = &finding.found else { return Vec::new() };
    let alike = finding.alternatives.iter().filter(|other| weigh::are_alike(best, other));
    let mut out: Vec<String> = std::iter::once(best).chain(alike).filter_map(country).collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// The country that a column speaks for, among these.
fn voice(finding: &Finding, sample: &Kept, of: &[String], knowledge: &Knowledge) -> Option<String> {
    let scheme = finding.found.as_ref().and_then(|c| knowledge.catalogue.scheme(&c.kind));
    if let Some(scheme) = scheme.filter(|s| s.jurisdiction != "*") {
        return of.contains(&scheme.jurisdiction).then(|| scheme.jurisdiction.clone());
    }
    let mut counts: Vec<(u64, &String)> = Vec::with_capacity(of.len());
    for id in of {
        let Some(country) = knowledge.words.country(id) else { continue };
        let values = sample.values().filter(|v| country.is_said_by(v)).count() as u64;
        // A header in the country's language is worth a few values.
        counts.push((values + if country.is_said_by(&finding.column) { VALUES_MIN } else { 0 }, id));
    }
    let (said, id) = counts.iter().max()?;
    let next = counts.iter().filter(|(_, other)| other != id).map(|(n, _)| *n).max().unwrap_or(0);
    let enough = *said >= VALUES_MIN && *said * SHARE >= sample.len() as u64 && *said >= next * TIMES;
    enough.then(|| (*id).clone())
}

/// Who has more voices than all others together.
fn most(voices: impl Iterator<Item = String>) -> Option<(String, u64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    voices.for_each(|country| *counts.entry(country).or_default() += 1);
    let all: u64 = counts.values().sum();
    counts.into_iter().find(|(_, n)| *n * 2 > all)
}

fn favor(finding: &mut Finding, country: &str, columns: u64, knowledge: &Knowledge) {
    let is_of = |c: &Candidate| knowledge.catalogue.scheme(&c.kind).is_some_and(|s| s.jurisdiction == country);
    let Some(best) = finding.found.take() else { return };
    let place = finding.alternatives.iter().position(|other| is_of(other) && weigh::are_alike(&best, other));
    let mut named = match place {
        Some(place) if !is_of(&best) => {
            let named = finding.alternatives.remove(place);
            finding.alternatives.insert(0, best);
            named
        }
        _ => best,
    };
    named.evidence.push(weighed(SAID_BY_TABLE, Evidence::Table { country: country.into(), columns }));
    named.decibans += SAID_BY_TABLE;
    finding.role = named.role;
    finding.found = Some(named);
}
