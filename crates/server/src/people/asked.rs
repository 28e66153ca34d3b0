//! What is asked: facts and days from a page's query or a program's JSON, and the same as a link or a command.

use super::State;
use crate::problem::{Kind, Problem};
use decide::{decision::Decision, suppose::Supposition, table::TooManyCells};
use model::{
    AsOf, CivilDate,
    fact::{Said, Spoken, Standing},
    transfer::Transfer,
};
use rulebook::{
    book::{Rulebook, parse_said},
    vocabulary::{Domain, Fact, Vocabulary},
};
use node::{determination::{Given, Weighed}, question::{self, place, plain}};
use serde_json::Value;

/// The pairs of a query or form, in order.
pub type Pairs = Vec<(String, String)>;

/// A question about one hop, as pages ask it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Facts by slot.
    pub flat: Vec<(String, Said)>,
    /// The day, when one was chosen; else today.
    pub as_of: AsOf,
    /// Whether a day was chosen that lies before today.
    pub past: bool,
}

impl Asked {
    /// Reads a query: `slot=value` pairs, `fact=slot=value` as ways through give them, and days.
    pub fn read(state: &State, pairs: &Pairs) -> Result<Self, Problem> {
        let today = state.day();
        let as_of = days(pairs, today)?;
        let vocabulary = &state.book.vocabulary;
        let mut flat: Vec<(String, Said)> = Vec::new();
        for (name, value) in pairs {
            let (slot, value) = match name.as_str() {
                "fact" => value.split_once('=').unwrap_or((value, "")),
                _ => (name.as_str(), value.as_str()),
            };
            if let (Some(fact), false) = (vocabulary.of_slot(slot), value.trim().is_empty()) {
                put(vocabulary, fact, slot, value.trim(), &mut flat);
            }
        }
        Ok(Self { flat, past: as_of.on < today, as_of })
    }

    /// The value of a slot as text, for a form that is filled in already.
    pub fn values(&self, slot: &str) -> Vec<String> {
        let said = self.flat.iter().find(|(s, _)| s == slot);
        said.map_or_else(Vec::new, |(_, said)| spoken_words(&said.value))
    }

    /// The first value of a slot.
    pub fn value(&self, slot: &str) -> Option<String> {
        self.values(slot).into_iter().next()
    }

    /// The question as pairs that a link or hidden fields carry.
    pub fn pairs(&self) -> Pairs {
        let mut out: Pairs = Vec::new();
        for (slot, said) in &self.flat {
            match &said.value {
                // Values with a standing, and whole sets, keep it when written as a fact.
                _ if said.standing != Standing::Claimed => out.push(("fact".into(), format!("{slot}={}", plain(said)))),
                _ => out.extend(self.values(slot).into_iter().map(|v| (slot.clone(), v))),
            }
        }
        out.push(("as_of".into(), self.as_of.on.to_string()));
        if self.as_of.published_by != self.as_of.on {
            out.push(("published_by".into(), self.as_of.published_by.to_string()));
        }
        out
    }

    /// The question as a query.
    pub fn query(&self) -> String {
        query(&self.pairs())
    }

    /// The command that asks the same.
    pub fn command(&self) -> String {
        question::command("tegata check", &self.flat, self.as_of)
    }
}

/// A value as text, for a form that is filled in already; "none" is an answer too.
pub fn spoken_words(said: &Spoken) -> Vec<String> {
    match said {
        Spoken::Words(ws) if ws.is_empty() => vec!["none".into()],
        Spoken::Words(ws) => ws.clone(),
        Spoken::Word(w) => vec![w.clone()],
        Spoken::YesNo(b) => vec![if *b { "yes" } else { "no" }.into()],
        Spoken::Number(n) => vec![n.to_string()],
        Spoken::Range { at_least, at_most } => vec![format!("{at_least}..{at_most}")],
    }
}

/// The days of a question: `as_of`, and `published_by` when it differs.
pub fn days(pairs: &[(String, String)], today: CivilDate) -> Result<AsOf, Problem> {
    let find = |name: &str| pairs.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str());
    let day = |text: Option<&str>| text.map(parse_day).transpose();
    let on = day(find("as_of"))?.unwrap_or(today);
    Ok(AsOf { on, published_by: day(find("published_by"))?.unwrap_or(on) })
}

/// Reads a day.
pub fn parse_day(text: &str) -> Result<CivilDate, Problem> {
    text.parse::<CivilDate>().map_err(|e| Problem::of(Kind::DayNotUnderstood, e.to_string()))
}

fn put(vocabulary: &Vocabulary, fact: &Fact, slot: &str, value: &str, flat: &mut Vec<(String, Said)>) {
    let mut said = parse_said(value);
    if matches!(fact.domain, Domain::SetOf(_) | Domain::Places) {
        let mut words = match said.value {
            Spoken::Words(ws) => ws,
            Spoken::Word(w) if w == "unknown" => return,
            _ => vec![value.to_string()],
        };
        if fact.domain == Domain::Places {
            words = words.iter().map(|w| place(vocabulary, w)).collect();
        }
        if let Some((_, old)) = flat.iter_mut().find(|(s, _)| s == slot) {
            if let Spoken::Words(all) = &mut old.value {
                words.retain(|w| !all.contains(w));
                all.extend(words);
                old.standing = old.standing.max(said.standing);
                return;
            }
        }
        said.value = Spoken::Words(words);
    } else if fact.domain == Domain::Place {
        said.value = Spoken::Word(place(vocabulary, value));
    }
    flat.retain(|(s, _)| s != slot);
    flat.push((slot.to_string(), said));
}

/// Pairs as a query.
pub fn query(pairs: &[(String, String)]) -> String {
    let parts: Vec<String> = pairs.iter().map(|(n, v)| format!("{}={}", escape(n), escape(v))).collect();
    parts.join("&")
}

/// RFC 3986 percent-encoding of everything that is not unreserved.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(b)),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// One transfer from JSON: the long form with parties and hops, or flat facts of one hop.
pub fn transfer(value: Value) -> Result<Transfer, Problem> {
    question::transfer(value).map_err(|line| Problem::of(Kind::TransferNotUnderstood, line))
}

/// The rules cannot be compiled.
pub fn too_many(e: TooManyCells) -> Problem {
    Problem::of(Kind::RulesTooFine, format!("too many kinds of `{}`", e.0))
}

/// What an answer that waits for facts would be if the usual holds; `None` for one that does not wait.
pub fn suppose(engine: &mut decide::engine::Engine, transfer: &Transfer, as_of: AsOf) -> Result<Option<Supposition>, Problem> {
    let bound = engine.book.bind(transfer).map_err(|f| Problem::findings(&f))?;
    engine.suppose(&bound, as_of).map_err(too_many)
}

/// Decides one transfer; for a past day also as understood today.
pub fn decide(
    engine: &mut decide::engine::Engine,
    transfer: &Transfer,
    as_of: AsOf,
    today: Option<CivilDate>,
) -> Result<(Decision, Option<Decision>), Problem> {
    let bound = engine.book.bind(transfer).map_err(|f| Problem::findings(&f))?;
    let decision = engine.decide_with_horizon(&bound, as_of).map_err(too_many)?;
    let now = match today {
        Some(today) if today > as_of.published_by => {
            Some(engine.decide(&bound, AsOf { on: as_of.on, published_by: today }).map_err(too_many)?)
        }
        _ => None,
    };
    Ok((decision, now))
}

/// Puts judgments into a transfer, each as the fact that it counts as; tells what each came to. Those that are `held` and about
/// other facts are left out: they belong to other transfers.
pub fn judged(engine: &decide::engine::Engine, t: &mut Transfer, said: Vec<Given>, held: &[Given], as_of: AsOf) -> Result<Vec<Weighed>, Problem> {
    if said.is_empty() && held.is_empty() {
        return Ok(Vec::new());
    }
    let bound = engine.book.bind(t).map_err(|f| Problem::findings(&f))?;
    let [crossing] = bound.crossings.as_slice() else {
        return match said.is_empty() {
            true => Ok(Vec::new()),
            false => Err(Problem::of(Kind::TransferNotUnderstood, "a judgment is about one hop with one dataset and one group; ask about that hop alone")),
        };
    };
    let n_said = said.len();
    let given: Vec<Given> = said.into_iter().chain(held.iter().cloned()).collect();
    let all = node::determination::weigh_all(&engine.book, given, &engine.book.circumstances(crossing), as_of.on);
    let mut n = 0;
    let all: Vec<Weighed> = all.into_iter().filter(|w| { n += 1; n <= n_said || w.is_about_these_facts() }).collect();
    let facts: Vec<(String, Said)> = all.iter().filter_map(|w| w.counts().map(|said| (w.record.fact.clone(), said.clone()))).collect();
    question::overlay(t, &facts);
    Ok(all)
}

/// The judgments of the node behind this door.
pub fn held(state: &State) -> Vec<Given> {
    state.node().and_then(|node| node.judgments_held().ok()).unwrap_or_default()
}

/// The name of a place.
pub fn place_name(book: &Rulebook, tongue: super::tongue::Tongue, code: &str) -> String {
    book.vocabulary.places.get(code).map_or_else(|| code.to_string(), |t| tongue.text(t).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_survives_escaping() {
        assert_eq!(query(&[("fact".into(), "a=b c&d".into())]), "fact=a%3Db%20c%26d");
        assert_eq!(escape("日"), "%E6%97%A5");
    }
}
