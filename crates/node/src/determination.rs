//! Papers drawn up from a form, judgments concluded on them, and what a concluded judgment is worth for a transfer.
//!
//! A paper of an assessment ends with a block that the person who judges fills in. [`conclude`] makes the record of it, [`weigh`] says
//! what the record is worth for a transfer on a day: a judgment about other facts, of another day or under a seal that does not hold is
//! worth nothing, and the answer says so.

use identity::x509::{Certificate, path::{Revocation, Validation, When}};
use model::{
    CivilDate, Digest, Instant,
    fact::{Said, Spoken, Standing},
    text::Language,
};
use rulebook::{
    book::Rulebook,
    form::{BLANK, Form, FormKind, Paper},
    vocabulary::RESULTS,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};
use trust::{
    determination::{Determination, Difference},
    seal::{Seal, Trust},
};
use words::{Arg, say};

/// The fence of the block that the person who judges fills in.
const FENCE: &str = "```determination";

/// LIMIT: bytes of a paper.
pub const PAPER_BYTES_MAX: u64 = 1 << 20;

/// The block at the end of an assessment.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Conclusion {
    outcome: String,
    because: String,
    by: String,
    made: CivilDate,
    until: CivilDate,
    form: String,
    form_digest: Digest,
    rulebook: Digest,
    rests_on: BTreeMap<String, String>,
}

/// Why a paper is no concluded judgment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotConcluded {
    /// It has no block to conclude with, or it does not read.
    Block(String),
    /// A place is left blank; its line, from 1.
    Blank(usize),
    /// The form is not one of these rules.
    Form(String),
    /// The form has changed since the paper was drawn up.
    Older(String),
    /// No result that can be signed for.
    Outcome(String),
    /// The days are not in order, or the term is longer than the form allows; months.
    Term(u32),
}

impl fmt::Display for NotConcluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(why) => write!(f, "the paper does not end in a `determination` block that can be read: {why}"),
            Self::Blank(line) => write!(f, "line {line} still has a blank `{BLANK}`; fill it in, or write why it is left out"),
            Self::Form(id) => write!(f, "these rules have no assessment `{id}`"),
            Self::Older(id) => write!(f, "the form `{id}` has changed since this paper was drawn up; draw it up again"),
            Self::Outcome(word) => write!(f, "`{word}` is no outcome: passes, passes_with_measures or fails"),
            Self::Term(months) => write!(f, "`until` lies after `made`, at most {months} months: then it is judged again"),
        }
    }
}

/// Draws up a paper. An assessment ends with the block that whoever judges fills in.
pub fn draw_up(book: &Rulebook, form: &Form, paper: &Paper<'_>, language: Language) -> String {
    let filled = book.fill(form, paper, language);
    let mut text = format!("{}\n", heading(book, form, paper, language)) + &filled.text;
    if form.kind == FormKind::Assessment {
        text.push_str(&conclusion(book, form, paper, language));
    }
    text
}

fn heading(book: &Rulebook, form: &Form, paper: &Paper<'_>, language: Language) -> String {
    let (date, rules) = (paper.today.to_string(), book.digest().short());
    let args = [
        ("form", Arg::Text(&form.head.id)),
        ("version", Arg::Text(&form.version)),
        ("cites", Arg::Text(&words::cite(language, form.head.cites_on(paper.today)))),
        ("source", Arg::Text(&form.head.source)),
        ("date", Arg::Text(&date)),
        ("rulebook", Arg::Text(&rules)),
    ];
    let text = if form.version.is_empty() { "paper-heading" } else { "paper-heading-text" };
    format!("# {}\n\n{}\n", form.title.in_(language), say(language, text, &args))
}

fn conclusion(book: &Rulebook, form: &Form, paper: &Paper<'_>, language: Language) -> String {
    let block = Conclusion {
        outcome: BLANK.into(),
        because: BLANK.into(),
        by: BLANK.into(),
        made: paper.today,
        until: months_after(paper.today, form.months),
        form: form.head.id.clone(),
        form_digest: form.digest,
        rulebook: book.digest(),
        rests_on: book.circumstances(paper.crossing),
    };
    let toml = toml::to_string(&block).unwrap_or_default();
    let months = i64::from(form.months);
    format!("\n## {}\n\n{}\n\n{FENCE}\n{toml}```\n", say(language, "paper-conclusion", &[]), say(language, "paper-conclude", &[("months", Arg::Number(months))]))
}

/// The same day so many months later, or the last of that month.
fn months_after(day: CivilDate, months: u32) -> CivilDate {
    let (year, month, d) = day.parts();
    let index = month - 1 + months;
    let (year, month) = (year + (index / 12) as i32, index % 12 + 1);
    (1..=d).rev().find_map(|d| CivilDate::of(year, month, d)).unwrap_or(day)
}

/// The record of a paper whose blanks are filled and whose end says the result.
pub fn conclude(book: &Rulebook, text: &str) -> Result<Determination, NotConcluded> {
    let wrong = |e: &dyn fmt::Display| NotConcluded::Block(e.to_string().lines().next().unwrap_or_default().to_string());
    let (_, rest) = text.rsplit_once(FENCE).ok_or_else(|| wrong(&"there is none"))?;
    let (block, _) = rest.split_once("```").ok_or_else(|| wrong(&"it is never closed"))?;
    if let Some(line) = text.lines().position(|l| l.contains(BLANK)) {
        return Err(NotConcluded::Blank(line + 1));
    }
    let block: Conclusion = toml::from_str(block).map_err(|e| wrong(&e.message()))?;
    let form = book.form(&block.form).filter(|f| f.kind == FormKind::Assessment).ok_or_else(|| NotConcluded::Form(block.form.clone()))?;
    let fact = form.fact.clone().ok_or_else(|| NotConcluded::Form(block.form.clone()))?;
    if form.digest != block.form_digest {
        return Err(NotConcluded::Older(block.form));
    }
    if block.outcome == "not_made" || !RESULTS.iter().any(|(word, _, _)| *word == block.outcome) {
        return Err(NotConcluded::Outcome(block.outcome));
    }
    if block.until <= block.made || block.until > months_after(block.made, form.months) {
        return Err(NotConcluded::Term(form.months));
    }
    Ok(Determination {
        version: Determination::VERSION,
        fact,
        outcome: block.outcome,
        because: block.because,
        by: block.by,
        made: block.made,
        until: block.until,
        rests_on: block.rests_on,
        form: block.form,
        form_digest: block.form_digest,
        rulebook: block.rulebook,
        paper: Digest::of(text.as_bytes()),
    })
}

/// What stands behind a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backing {
    /// A seal that was verified to anchors from outside; whose.
    Sealed(String),
    /// A seal that nobody gave anchors for.
    NotVerified,
    /// None.
    Unsealed,
}

/// What a record is worth for a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It counts as this fact.
    Counts(Said),
    /// It was made about other facts.
    OtherFacts(Vec<Difference>),
    /// It does not count on this day.
    OtherDay,
    /// The fact that it is about is no determination of these rules.
    Unknown,
}

/// The seal of a record: who sealed it, or why it may not be relied on.
pub fn backing(record: &[u8], seal: Option<&[u8]>, anchors: &[Certificate], now: Instant) -> Result<Backing, String> {
    let Some(bytes) = seal else { return Ok(Backing::Unsealed) };
    let seal = Seal::read(bytes).map_err(|e| e.to_string())?;
    if anchors.is_empty() {
        return Ok(Backing::NotVerified);
    }
    let to = Trust { anchors, intermediates: &[], crls: &[], revocation: Revocation::IfGiven };
    match seal.verify(&Digest::of(record), &to, When::UsedAt(now)) {
        Validation::TotalPassed(_) => {
            let owner = seal.signer().and_then(|c| c.subject().attribute(&identity::asn1::oid::ORGANIZATION).map(str::to_string));
            Ok(Backing::Sealed(owner.unwrap_or_default()))
        }
        other => Err(format!("the seal does not hold: {other:?}")),
    }
}

/// What a record is worth for a transfer with these circumstances on a day.
pub fn weigh(book: &Rulebook, record: &Determination, backing: &Backing, circumstances: &BTreeMap<String, String>, on: CivilDate) -> Worth {
    if !is_determination(book, &record.fact) {
        return Worth::Unknown;
    }
    let differences = record.differences(circumstances);
    if !differences.is_empty() {
        return Worth::OtherFacts(differences);
    }
    if !record.counts_on(on) {
        return Worth::OtherDay;
    }
    Worth::Counts(Said {
        value: Spoken::Word(record.outcome.clone()),
        standing: if matches!(backing, Backing::Sealed(_)) { Standing::Evidenced } else { Standing::Claimed },
        on: Some(record.made),
        until: Some(record.until),
        by: Some(record.by.clone()),
        document: Some(record.paper.to_string()),
    })
}

/// Whether a slot is a determination of these rules.
pub fn is_determination(book: &Rulebook, slot: &str) -> bool {
    book.vocabulary.of_slot(slot).is_some_and(|f| f.kind == rulebook::vocabulary::FactKind::Determination)
}

/// A record with what stands behind it.
#[derive(Clone, Debug)]
pub struct Given {
    /// The record.
    pub record: Determination,
    /// What stands behind it.
    pub backing: Backing,
}

/// A record, and what it is worth for one transfer beside other records.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// The record.
    pub record: Determination,
    /// What stands behind it.
    pub backing: Backing,
    /// What it is worth.
    pub worth: Worth,
    /// Another record on the same question comes out differently: then neither counts.
    pub contested: bool,
}

impl Weighed {
    /// The fact that it counts as.
    pub fn counts(&self) -> Option<&Said> {
        match &self.worth {
            Worth::Counts(said) if !self.contested => Some(said),
            _ => None,
        }
    }

    /// Whether it was made on exactly the facts at hand, whatever the day.
    pub fn is_about_these_facts(&self) -> bool {
        matches!(self.worth, Worth::Counts(_) | Worth::OtherDay)
    }

    /// For programs.
    pub fn document(&self) -> serde_json::Value {
        let differs: Vec<String> = match &self.worth {
            Worth::OtherFacts(differences) => differences.iter().map(difference).collect(),
            _ => Vec::new(),
        };
        let counts = self.counts().is_some();
        serde_json::json!({ "record": self.record, "backing": self.backing, "counts": counts, "contested": self.contested, "differs": differs })
    }

    /// One line for people: what was judged, by whom, on what day, under which seal; or why it does not count. `lies` says where the record lies.
    pub fn line(&self, book: &Rulebook, language: Language, lies: &str) -> String {
        let r = &self.record;
        let word = |id: &str| say(language, id, &[]);
        let label = book.vocabulary.of_slot(&r.fact).map_or_else(|| r.fact.clone(), |f| f.label.in_(language).to_string());
        let seal = match &self.backing {
            Backing::Sealed(owner) => say(language, "judged-sealed", &[("owner", Arg::Text(owner))]),
            Backing::NotVerified => word("judged-not-verified"),
            Backing::Unsealed => word("judged-unsealed"),
        };
        let why = match &self.worth {
            _ if self.contested => word("judged-contested"),
            Worth::Counts(_) => String::new(),
            Worth::OtherFacts(differences) => {
                let all: Vec<String> = differences.iter().take(3).map(difference).collect();
                say(language, "judged-other-facts", &[("facts", Arg::Text(&all.join("; ")))])
            }
            Worth::OtherDay => word("judged-other-day"),
            Worth::Unknown => word("judged-unknown"),
        };
        let (made, until, outcome) = (r.made.to_string(), r.until.to_string(), word(&format!("judged-{}", r.outcome)));
        let args = [
            ("what", Arg::Text(&label)),
            ("outcome", Arg::Text(&outcome)),
            ("by", Arg::Text(&r.by)),
            ("made", Arg::Text(&made)),
            ("until", Arg::Text(&until)),
            ("seal", Arg::Text(&seal)),
            ("path", Arg::Text(lies)),
            ("why", Arg::Text(&why)),
        ];
        say(language, if why.is_empty() { "judged" } else { "judged-not" }, &args)
    }
}

fn difference(d: &Difference) -> String {
    let or_none = |v: &Option<String>| v.clone().unwrap_or_else(|| "—".into());
    format!("{}: {} → {}", d.slot, or_none(&d.then), or_none(&d.now))
}

/// Weighs records beside each other: two that count and come out differently count for nothing, both (DESIGN section 4, KNOWLEDGE).
pub fn weigh_all(book: &Rulebook, given: Vec<Given>, circumstances: &BTreeMap<String, String>, on: CivilDate) -> Vec<Weighed> {
    let mut all: Vec<Weighed> = given
        .into_iter()
        .map(|g| Weighed { worth: weigh(book, &g.record, &g.backing, circumstances, on), record: g.record, backing: g.backing, contested: false })
        .collect();
    let counting: Vec<(String, String)> =
        all.iter().filter(|w| matches!(w.worth, Worth::Counts(_))).map(|w| (w.record.fact.clone(), w.record.outcome.clone())).collect();
    for w in all.iter_mut().filter(|w| matches!(w.worth, Worth::Counts(_))) {
        w.contested = counting.iter().any(|(fact, outcome)| *fact == w.record.fact && *outcome != w.record.outcome);
    }
    all
}

#[cfg(test)]
mod tests;
