//! What somebody says about a transfer, before it is checked against the vocabulary.

use crate::date::CivilDate;
use serde::{Deserialize, Serialize};

/// How well a fact is supported, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Somebody says so.
    #[default]
    Claimed,
    /// A document shows it.
    Evidenced,
    /// A technical check established it. Minted in `node` alone; outside input is at most evidenced.
    Verified,
}

/// A value as a person or program writes it; the vocabulary gives it a type later.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Spoken {
    /// yes or no.
    YesNo(bool),
    /// A count.
    Number(i64),
    /// A word of the vocabulary, a date, a place, or `unknown`.
    Word(String),
    /// Several words; an empty list says "none of them".
    Words(Vec<String>),
    /// A count known only between bounds, both included.
    Range {
        /// Lower bound.
        at_least: i64,
        /// Upper bound.
        at_most: i64,
    },
}

/// One fact as said: a value with its standing and dates.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Said {
    /// The value.
    pub value: Spoken,
    /// How well it is supported.
    #[serde(skip_serializing_if = "is_claimed")]
    pub standing: Standing,
    /// The day on which it was so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<CivilDate>,
    /// The first day on which it no longer counts (an expired determination or certification).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<CivilDate>,
    /// Who says or determined it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The document that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

fn is_claimed(s: &Standing) -> bool {
    *s == Standing::Claimed
}

impl Said {
    /// A plain claim.
    pub fn claim(value: Spoken) -> Self {
        Self { value, standing: Standing::Claimed, on: None, until: None, by: None, document: None }
    }

    /// Whether the value says that it is not known.
    pub fn is_unknown(&self) -> bool {
        matches!(&self.value, Spoken::Word(w) if w == "unknown")
    }
}

// A fact may be written plainly (`place = "DE"`) or with its standing (`{ value = "DE", standing = "evidenced" }`).
impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Full {
            value: Spoken,
            #[serde(default)]
            standing: Standing,
            on: Option<CivilDate>,
            until: Option<CivilDate>,
            by: Option<String>,
            document: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Full(Full),
            Plain(Spoken),
        }
        Ok(match Form::deserialize(d)? {
            Form::Plain(value) => Said::claim(value),
            Form::Full(f) => {
                Said { value: f.value, standing: f.standing, on: f.on, until: f.until, by: f.by, document: f.document }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_plain_or_full() {
        let plain: Said = serde_json::from_str(r#""DE""#).unwrap();
        assert_eq!(plain, Said::claim(Spoken::Word("DE".into())));
        let full: Said = serde_json::from_str(r#"{"value":["a"],"standing":"evidenced","until":"2027-01-01"}"#).unwrap();
        assert_eq!(full.standing, Standing::Evidenced);
        let range: Said = serde_json::from_str(r#"{"at_least":1,"at_most":9}"#).unwrap();
        assert_eq!(range.value, Spoken::Range { at_least: 1, at_most: 9 });
        assert!(serde_json::from_str::<Said>(r#"{"value":1,"x":2}"#).is_err());
    }
}
