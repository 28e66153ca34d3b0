//! Questions of a policy engine of others, answered and counted: what would have been refused here, by which rule, and what cures
//! it. Nothing is blocked by it and nothing is begun.
//!
//! A document for each day and counter-party holds the counts; so they outlive the process, are in each backup, and a question
//! costs one write.

use crate::act::check::{READ_ONCE, headline, refusals};
use crate::agent::{Node, lock};
use crate::error::ActError;
use decide::decision::{Decision, Missing, Verdict};
use dsp::reason::Refusal;
use model::transfer::Transfer;
use model::{CivilDate, Digest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Together;
use store::keep::{DocumentKind, Expect, Keep};

/// LIMIT: counter-parties that are told apart on one day; all others are counted as one.
pub const COUNTERPARTIES_MAX: usize = 1_000;
/// LIMIT: rules, cures and facts that are told apart of one counter-party on one day.
const NAMES_MAX: usize = 200;
/// LIMIT: characters of a counter-party's name.
const NAME_CHARS_MAX: usize = 200;
/// LIMIT: days that are kept.
pub const DAYS_MAX: i32 = 400;
/// LIMIT: counts that one answer is made of.
const COUNTS_MAX: usize = 20_000;
/// What is beyond a limit.
pub const OTHERS: &str = "(others)";
/// A counter-party that was not named.
pub const UNNAMED: &str = "(not named)";

/// What is asked about.
#[derive(Clone, Debug)]
pub enum About {
    /// A dataset that is offered here: its facts and those of the counter-party are known.
    Dataset(String),
    /// A transfer that was told.
    Transfer(Box<Transfer>),
}

/// What would have been done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Would {
    /// Let it go.
    Let,
    /// Refuse it.
    Refuse,
}

/// One rule that refuses, as an observation tells it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Because {
    /// The rule's id.
    pub rule: String,
    /// Its article.
    pub article: String,
    /// The cheapest measures that cure it, joined by `+`; none if nothing that we know does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

/// The answer to one question.
#[derive(Clone, Debug, Serialize)]
pub struct Observation {
    /// Always false: whoever asks may go on.
    pub blocks: bool,
    /// What would have been done here.
    pub would: Would,
    /// The verdict; none if the question was not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// One line for people.
    pub says: String,
    /// The rules that refuse.
    pub because: Vec<Because>,
    /// Facts that were not told and matter, most useful first.
    pub missing: Vec<String>,
    /// The rulebook.
    pub rulebook: Digest,
    /// The day it is counted under, UTC.
    pub day: CivilDate,
    /// The counter-party it is counted under.
    pub counterparty: String,
    /// Whether it was counted.
    pub counted: bool,
}

/// How often something was named, and the last article and cure that stood beside it.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Named {
    /// How often.
    pub n: u64,
    /// The article.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub article: String,
    /// How often each cure was the cheapest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cures: BTreeMap<String, u64>,
}

/// What was counted, of one counter-party on one day or of several together.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Questions.
    pub asked: u64,
    /// Those that would have been let.
    #[serde(rename = "let")]
    pub let_go: u64,
    /// Those that would have been refused.
    pub refused: u64,
    /// Of the refused, those that were not understood.
    pub unjudged: u64,
    /// The rules that refused.
    pub rules: BTreeMap<String, Named>,
    /// The facts that were missing.
    pub missing: BTreeMap<String, u64>,
}

/// The counts of one counter-party on one day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Day {
    /// The day.
    pub day: CivilDate,
    /// The counter-party.
    pub counterparty: String,
    /// What was counted.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What was counted from one day to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Observed {
    /// The first day.
    pub from: CivilDate,
    /// The last day.
    pub until: CivilDate,
    /// All together.
    pub total: Counts,
    /// By day and counter-party, the newest day first.
    pub days: Vec<Day>,
    /// Whether there is more than one answer holds.
    pub left_off: bool,
}

/// Adds to the entry of a name; beyond the limit to that of all others.
fn entry<'m, V: Default>(map: &'m mut BTreeMap<String, V>, name: &str) -> &'m mut V {
    let known = map.contains_key(name) || map.len() < NAMES_MAX;
    map.entry(if known { name } else { OTHERS }.to_owned()).or_default()
}

impl Counts {
    fn note(&mut self, seen: &Observation) {
        self.asked += 1;
        match seen.would {
            Would::Let => self.let_go += 1,
            Would::Refuse => self.refused += 1,
        }
        if seen.verdict.is_none() {
            self.unjudged += 1;
        }
        for because in &seen.because {
            let named = entry(&mut self.rules, &because.rule);
            named.n += 1;
            named.article.clone_from(&because.article);
            if let Some(cure) = &because.cure {
                *entry(&mut named.cures, cure) += 1;
            }
        }
        for slot in &seen.missing {
            *entry(&mut self.missing, slot) += 1;
        }
    }

    /// Adds other counts to these.
    pub fn add(&mut self, other: &Counts) {
        self.asked += other.asked;
        self.let_go += other.let_go;
        self.refused += other.refused;
        self.unjudged += other.unjudged;
        for (rule, more) in &other.rules {
            let named = self.rules.entry(rule.clone()).or_default();
            named.n += more.n;
            named.article.clone_from(&more.article);
            more.cures.iter().for_each(|(cure, n)| *named.cures.entry(cure.clone()).or_default() += n);
        }
        other.missing.iter().for_each(|(slot, n)| *self.missing.entry(slot.clone()).or_default() += n);
    }
}

/// The name of a counter-party as it is counted.
fn name_of(counterparty: Option<&str>) -> String {
    let name: String = counterparty.unwrap_or_default().trim().chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
    if name.is_empty() { UNNAMED.to_owned() } else { name }
}

fn id_of(day: CivilDate, counterparty: &str) -> String {
    format!("{day} {counterparty}")
}

impl Node {
    /// Answers one question and counts it. What goes wrong is an answer too: whoever asks is never held up by it.
    pub fn observe(&self, counterparty: Option<&str>, about: Result<About, String>) -> Observation {
        let name = name_of(counterparty);
        let mut seen = self.observed_now(&name, about);
        let counted = self.count_observation(&mut seen);
        seen.counted = counted.is_ok();
        seen
    }

    fn observed_now(&self, name: &str, about: Result<About, String>) -> Observation {
        let transfer = about.and_then(|about| self.told_of(name, about));
        let decided = transfer.and_then(|t| self.decide(&t).map_err(|e| format!("{}: {e}", e.code())));
        let mut seen = Observation {
            blocks: false,
            would: Would::Refuse,
            verdict: None,
            says: String::new(),
            because: Vec::new(),
            missing: Vec::new(),
            rulebook: self.rulebook(),
            day: self.now().day(0),
            counterparty: name.to_owned(),
            counted: false,
        };
        match decided {
            Err(says) => seen.says = says,
            Ok(decided) => {
                let decision = decided.decision();
                seen.verdict = Some(decision.verdict);
                seen.says = headline(decision);
                if self.opens(decision) {
                    seen.would = Would::Let;
                } else {
                    seen.because = self.because(decision);
                    seen.missing = missing(decision);
                }
            }
        }
        seen
    }

    fn told_of(&self, name: &str, about: About) -> Result<Transfer, String> {
        match about {
            About::Transfer(transfer) => Ok(*transfer),
            About::Dataset(dataset) => {
                let line = |e: ActError| format!("{}: {e}", e.code());
                let none = || format!("node/not-found: no dataset `{dataset}` is offered here; tell the facts as `transfer`");
                let offer = self.offer_of(&dataset).map_err(line)?.ok_or_else(none)?;
                self.case_with(&offer, name).map_err(line)
            }
        }
    }

    /// The rules that refuse; of an answer that would open by rules read once, those.
    fn because(&self, decision: &Decision) -> Vec<Because> {
        let by_law = |r: Refusal| Because { rule: r.rule, article: r.article, cure: r.cure };
        match self.read_once(decision) {
            Some(rules) => {
                let cure = Some("[law] accept_drafted".to_owned());
                rules.into_iter().map(|rule| Because { rule, article: READ_ONCE.to_owned(), cure: cure.clone() }).collect()
            }
            None => refusals(decision).into_iter().map(by_law).collect(),
        }
    }

    fn count_observation(&self, seen: &mut Observation) -> Result<(), ActError> {
        // One at a time: what is read is written with this question added.
        let _turn = lock(&self.observing);
        if self.count_under(seen.day, &seen.counterparty)?.is_none() && self.is_full(seen.day)? {
            seen.counterparty = OTHERS.to_owned();
        }
        let (mut counts, expect) = match self.count_under(seen.day, &seen.counterparty)? {
            Some((counts, version)) => (counts, Expect::Version(version)),
            None => (Counts::default(), Expect::New),
        };
        counts.note(seen);
        let keep = Keep {
            kind: DocumentKind::Observation,
            id: id_of(seen.day, &seen.counterparty),
            about: Some(seen.day.to_string()),
            at: self.now(),
            body: serde_json::to_vec(&counts).map_err(|e| ActError::evidence("node/observe", e))?,
            expect,
        };
        self.store.keep(&self.participant, keep, Together::default())?;
        if expect == Expect::New {
            self.forget_old_observations(seen.day)?;
        }
        Ok(())
    }

    fn count_under(&self, day: CivilDate, counterparty: &str) -> Result<Option<(Counts, u64)>, ActError> {
        let kept = self.store.kept(&self.participant, DocumentKind::Observation, &id_of(day, counterparty))?;
        let read = |k: store::keep::Kept| {
            let counts = serde_json::from_slice(&k.body).map_err(|e| ActError::evidence("node/observe", e))?;
            Ok((counts, k.version))
        };
        kept.map(read).transpose()
    }

    fn is_full(&self, day: CivilDate) -> Result<bool, ActError> {
        let about = day.to_string();
        let there = self.store.kept_about(&self.participant, DocumentKind::Observation, &about, None, COUNTERPARTIES_MAX)?;
        Ok(there.len() >= COUNTERPARTIES_MAX)
    }

    fn forget_old_observations(&self, today: CivilDate) -> Result<(), ActError> {
        let first = today.plus_days(-DAYS_MAX).to_string();
        // Ids begin with the day, so the oldest come first.
        for old in self.store.kept_all(&self.participant, DocumentKind::Observation, None, COUNTERPARTIES_MAX)? {
            if old.about.as_deref().is_none_or(|day| day >= first.as_str()) {
                break;
            }
            self.store.forget(&self.participant, DocumentKind::Observation, &old.id, Together::default())?;
        }
        Ok(())
    }

    /// What was counted from one day to another, both included; of one counter-party, if it is named.
    pub fn observed(&self, from: CivilDate, until: CivilDate, counterparty: Option<&str>) -> Result<Observed, ActError> {
        let mut out = Observed { from, until, total: Counts::default(), days: Vec::new(), left_off: false };
        let mut after = format!("{from} ");
        loop {
            let page = self.store.kept_all(&self.participant, DocumentKind::Observation, Some(&after), 1_000)?;
            let last = page.last().map(|k| k.id.clone());
            for kept in &page {
                let Some((day, name)) = kept.id.split_once(' ') else { continue };
                let Ok(day) = day.parse::<CivilDate>() else { continue };
                if day > until || out.days.len() >= COUNTS_MAX {
                    out.left_off = day <= until;
                    out.days.reverse();
                    return Ok(out);
                }
                if counterparty.is_some_and(|wanted| wanted != name) {
                    continue;
                }
                let counts: Counts = serde_json::from_slice(&kept.body).map_err(|e| ActError::evidence("node/observe", e))?;
                out.total.add(&counts);
                out.days.push(Day { day, counterparty: name.to_owned(), counts });
            }
            match last {
                Some(last) if page.len() == 1_000 => after = last,
                _ => break,
            }
        }
        out.days.reverse();
        Ok(out)
    }
}

/// The facts and judgments that a decision waits for.
fn missing(decision: &Decision) -> Vec<String> {
    // LIMIT: facts named in one answer.
    const SLOTS_MAX: usize = 5;
    let mut out: Vec<String> = Vec::new();
    for one in decision.worst().iter().flat_map(|c| &c.missing) {
        if let Missing::Fact { slot, .. } | Missing::Judgment { slot, .. } = one
            && out.len() < SLOTS_MAX
            && !out.contains(slot)
        {
            out.push(slot.clone());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(would: Would, rules: &[(&str, Option<&str>)]) -> Observation {
        let because = |(rule, cure): &(&str, Option<&str>)| Because { rule: (*rule).into(), article: "Art. 1".into(), cure: cure.map(Into::into) };
        Observation {
            blocks: false, would, verdict: Some(Verdict::Conditional), says: String::new(), because: rules.iter().map(because).collect(),
            missing: vec!["data.categories".into()], rulebook: Digest::of(b""), day: "2026-11-23".parse().unwrap(), counterparty: "p".into(), counted: true,
        }
    }

    #[test]
    fn counts_add_up_by_rule_and_cure() {
        let mut counts = Counts::default();
        counts.note(&seen(Would::Refuse, &[("a", Some("m")), ("b", None)]));
        counts.note(&seen(Would::Refuse, &[("a", Some("m+n"))]));
        counts.note(&seen(Would::Let, &[]));
        assert_eq!((counts.asked, counts.let_go, counts.refused, counts.unjudged), (3, 1, 2, 0));
        assert_eq!((counts.rules["a"].n, counts.rules["a"].cures.clone()), (2, [("m".to_owned(), 1), ("m+n".to_owned(), 1)].into()));
        let mut both = counts.clone();
        both.add(&counts);
        assert_eq!((both.asked, both.rules["a"].n, both.rules["a"].cures["m"], both.missing["data.categories"]), (6, 4, 2, 6));
    }

    #[test]
    fn names_beyond_the_limit_are_counted_together() {
        let mut counts = Counts::default();
        for n in 0..NAMES_MAX + 5 {
            counts.note(&seen(Would::Refuse, &[(&format!("rule.{n}"), None)]));
        }
        assert_eq!((counts.rules.len(), counts.rules[OTHERS].n), (NAMES_MAX + 1, 5));
    }

    #[test]
    fn a_counterparty_has_a_name_that_can_be_kept() {
        assert_eq!(name_of(Some(" did:web:a\n ")), "did:web:a");
        assert_eq!((name_of(None), name_of(Some(""))), (UNNAMED.to_owned(), UNNAMED.to_owned()));
        assert_eq!(name_of(Some(&"x".repeat(500))).len(), NAME_CHARS_MAX);
    }
}
