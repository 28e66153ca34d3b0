//! One flat JSON line straight into packed facts: `{"id": "t1", "exporter.place": "DE", "data.categories": ["contact"]}`.
//!
//! It understands plain claims alone. Anything else (standings, dates of facts, hops, a word it does not know) is
//! [`Otherwise`]: the caller takes the long way, which says what is wrong. Both ways pack the same bits.

use crate::lexicon::{Lexicon, Packed, Shape, Slot};
use model::{CivilDate, fact::Standing};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, fmt};

/// The line is not a flat list of plain claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Otherwise;

/// What stands in a line beside facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The name that the owner knows the transfer by.
    pub id: Option<String>,
    /// The day whose law is asked for.
    pub as_of: Option<CivilDate>,
}

/// Packs a line over what is there; `out` must hold [`Lexicon::nothing`].
pub fn pack(lexicon: &Lexicon, line: &str, out: &mut Packed) -> Result<Named, Otherwise> {
    let mut d = serde_json::Deserializer::from_str(line);
    let mut named = Named::default();
    d.deserialize_map(Facts { lexicon, out, named: &mut named }).and_then(|()| d.end()).map_err(|_| Otherwise)?;
    Ok(named)
}

struct Facts<'a> {
    lexicon: &'a Lexicon,
    out: &'a mut Packed,
    named: &'a mut Named,
}

impl<'de> Visitor<'de> for Facts<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("facts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // A slot said twice is decided by the long way, and the short way must not differ.
        let mut seen: Vec<usize> = Vec::with_capacity(32);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match key.as_ref() {
                "id" => self.named.id = map.next_value()?,
                "as_of" => {
                    let day: Cow<'de, str> = map.next_value()?;
                    self.named.as_of = Some(day.parse().map_err(|_| A::Error::custom("no day"))?);
                }
                name => {
                    let slot = self.lexicon.slot(name).ok_or_else(|| A::Error::custom("no fact"))?;
                    if seen.contains(&slot.at) {
                        return Err(A::Error::custom("said twice"));
                    }
                    seen.push(slot.at);
                    map.next_value_seed(Claim { slot, out: self.out })?;
                }
            }
        }
        Ok(())
    }
}

struct Claim<'a> {
    slot: &'a Slot,
    out: &'a mut Packed,
}

impl<'de> DeserializeSeed<'de> for Claim<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl Claim<'_> {
    fn word<E: Error>(&self, word: &str) -> Result<usize, E> {
        let found = self.slot.values.index(word).or_else(|| self.slot.values.index(&word.to_uppercase()).filter(|_| self.slot.is_place()));
        found.ok_or_else(|| E::custom("no value"))
    }

    /// A standing weaker than the fact needs counts as not said.
    fn counts(&self) -> bool {
        self.slot.needs <= Standing::Claimed
    }
}

impl<'de> Visitor<'de> for Claim<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain claim")
    }

    fn visit_bool<E: Error>(self, b: bool) -> Result<(), E> {
        if !self.slot.is_yes_no() {
            return Err(E::custom("no yes or no"));
        }
        if self.counts() {
            let word = self.word(if b { "yes" } else { "no" })?;
            self.slot.say_word(word, self.out);
        }
        Ok(())
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<(), E> {
        let n = i64::try_from(n).map_err(|_| E::custom("too large"))?;
        if self.slot.shape != Shape::Count {
            return Err(E::custom("no count"));
        }
        if self.counts() {
            self.slot.say_range(n, n, self.out);
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, w: &str) -> Result<(), E> {
        if w == "unknown" || !self.counts() {
            return Ok(());
        }
        match self.slot.shape {
            Shape::Choice => {
                let word = self.word(w)?;
                self.slot.say_word(word, self.out);
            }
            Shape::Set if w == "none" => self.slot.say_set(Default::default(), self.out),
            Shape::Set => {
                let word = self.word(w)?;
                self.slot.say_set(crate::cells::Cells::one(word), self.out);
            }
            Shape::Day => {
                let day: CivilDate = w.parse().map_err(|_| E::custom("no day"))?;
                let day = i64::from(day.days_since_epoch());
                self.slot.say_range(day, day, self.out);
            }
            Shape::Count => return Err(E::custom("no number")),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if self.slot.shape != Shape::Set {
            return Err(A::Error::custom("no set"));
        }
        let mut cells = crate::cells::Cells::default();
        while let Some(word) = seq.next_element::<Cow<'de, str>>()? {
            if self.counts() {
                cells.insert(self.word(&word)?);
            }
        }
        if self.counts() {
            self.slot.say_set(cells, self.out);
        }
        Ok(())
    }
}
