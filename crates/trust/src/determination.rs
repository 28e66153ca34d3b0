//! Determinations: a judgment that the law leaves to somebody, made on stated facts, signed for by name, and good until a day.
//!
//! The record is canonical JSON, sealed like any other bytes ([`crate::seal`]). It holds the result and what it rests on; the paper
//! with the reasoning stays beside it, under its digest.

use std::collections::BTreeMap;

use model::{CivilDate, Digest, canonical};
use serde::{Deserialize, Serialize};

use crate::certification::RecordError;

/// LIMIT: bytes of a determination.
pub const DETERMINATION_BYTES_MAX: usize = 64 << 10;

/// The version of the form of this record.
const VERSION: u32 = 1;

/// One judgment, as it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Determination {
    /// The version of this form, 1.
    pub version: u32,
    /// What was judged: a determination of the vocabulary, such as `assessment.eu_third_country`.
    pub fact: String,
    /// The result, a value of that fact.
    pub outcome: String,
    /// Why, in the words of whoever judged.
    pub because: String,
    /// Who judged: name and function.
    pub by: String,
    /// The day on which it was made; before it, it does not count.
    pub made: CivilDate,
    /// The first day on which it no longer counts.
    pub until: CivilDate,
    /// The given facts that it rests on: slot and value. It says nothing about a transfer of which these are not the facts.
    pub rests_on: BTreeMap<String, String>,
    /// The form that it was made on.
    pub form: String,
    /// The version of that form, by its digest.
    pub form_digest: Digest,
    /// The rules that it was made under.
    pub rulebook: Digest,
    /// The paper that holds the reasoning.
    pub paper: Digest,
}

/// How the facts that a judgment rests on differ from those at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The slot.
    pub slot: String,
    /// What was said then, if anything.
    pub then: Option<String>,
    /// What is said now, if anything.
    pub now: Option<String>,
}

impl Determination {
    /// The version of records that are made.
    pub const VERSION: u32 = VERSION;

    /// The canonical bytes, which are sealed.
    pub fn bytes(&self) -> Result<Vec<u8>, RecordError> {
        canonical::to_bytes(self).map_err(|_| RecordError::Form)
    }

    /// Reads canonical bytes of this version; anything else is refused.
    pub fn read(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.len() > DETERMINATION_BYTES_MAX {
            return Err(RecordError::Form);
        }
        let record: Self = serde_json::from_slice(bytes).map_err(|_| RecordError::Form)?;
        match record.bytes()? == bytes && record.version == VERSION && record.made < record.until {
            true => Ok(record),
            false => Err(RecordError::Form),
        }
    }

    /// Where the facts at hand are not those that it rests on. Facts that were not said then count too: nobody judged them.
    pub fn differences(&self, now: &BTreeMap<String, String>) -> Vec<Difference> {
        let slots: std::collections::BTreeSet<&String> = self.rests_on.keys().chain(now.keys()).collect();
        let pair = |slot: &String| (self.rests_on.get(slot).cloned(), now.get(slot).cloned());
        let differs = |slot: &&String| {
            let (then, now) = pair(slot);
            then != now
        };
        slots
            .into_iter()
            .filter(differs)
            .map(|slot| {
                let (then, now) = pair(slot);
                Difference { slot: slot.clone(), then, now }
            })
            .collect()
    }

    /// Whether it counts on a day.
    pub fn counts_on(&self, day: CivilDate) -> bool {
        self.made <= day && day < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Determination {
        Determination {
            version: 1,
            fact: "assessment.eu_third_country".into(),
            outcome: "passes".into(),
            because: "the keys stay here".into(),
            by: "A. Beispiel, data protection officer".into(),
            made: CivilDate::of(2026, 11, 22).unwrap(),
            until: CivilDate::of(2027, 11, 22).unwrap(),
            rests_on: BTreeMap::from([("recipient.place".into(), "IN".into())]),
            form: "eu.form.tia".into(),
            form_digest: Digest::of(b"form"),
            rulebook: Digest::of(b"rules"),
            paper: Digest::of(b"paper"),
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        let bytes = record().bytes().unwrap();
        assert_eq!(Determination::read(&bytes), Ok(record()));
        let spaced = String::from_utf8(bytes.clone()).unwrap().replacen(':', ": ", 1);
        assert_eq!(Determination::read(spaced.as_bytes()), Err(RecordError::Form));
        let backwards = Determination { until: CivilDate::of(2026, 1, 1).unwrap(), ..record() };
        assert_eq!(Determination::read(&backwards.bytes().unwrap()), Err(RecordError::Form));
    }

    #[test]
    fn it_speaks_of_the_facts_it_was_made_on_and_of_no_others() {
        let r = record();
        assert_eq!(r.differences(&r.rests_on), []);
        let moved = BTreeMap::from([("recipient.place".to_string(), "US".to_string()), ("data.categories".into(), "{health}".into())]);
        let slots: Vec<_> = r.differences(&moved).into_iter().map(|d| (d.slot, d.then.is_some(), d.now.is_some())).collect();
        assert_eq!(slots, [("data.categories".into(), false, true), ("recipient.place".into(), true, true)]);
        assert!(r.counts_on(r.made) && !r.counts_on(r.until));
    }
}
