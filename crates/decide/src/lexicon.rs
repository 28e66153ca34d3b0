//! Every slot of the vocabulary with a number for each of its values, and what is known of a crossing as words of bits.

use crate::{
    cells::{CELLS_MAX, Cells},
    hash::{Fold, Quick},
};
use model::{CivilDate, fact::Standing, place::Place};
use rulebook::{
    bind::{BoundFact, Known, absent_when_unsaid},
    vocabulary::{Domain, Fact, FactKind, Vocabulary},
};
use std::{
    collections::{BTreeMap, HashMap},
    hash::Hasher,
    sync::Arc,
};

/// The rules, or the words of one fact, need finer cells than an axis may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooManyCells(pub String);

/// How a slot's value is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// One word: its number, or [`ANY`].
    Choice,
    /// Whether the set is known, then a bit for each word.
    Set,
    /// The lowest and the highest count.
    Count,
    /// The earliest and the latest day.
    Day,
}

/// The words of a domain.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// In the order of the vocabulary.
    pub words: Vec<String>,
    by_word: HashMap<String, usize, Quick>,
    /// For places: what each stands for, itself and its parts.
    parts: Vec<Cells>,
    key: u64,
}

impl Values {
    fn of(words: Vec<String>, places: bool) -> Self {
        let by_word = words.iter().enumerate().map(|(i, w)| (w.clone(), i)).collect();
        let parts = match places {
            false => Vec::new(),
            true => words.iter().map(|w| words.iter().enumerate().filter(|(_, p)| Place((*p).clone()).lies_in(w)).map(|(i, _)| i).collect()).collect(),
        };
        let mut key = Fold::default();
        words.iter().for_each(|w| { key.write(w.as_bytes()); key.write_u64(0xff) });
        key.write_u64(u64::from(places));
        Self { words, by_word, parts, key: key.finish() }
    }

    /// Tells lists of words apart.
    pub fn key(&self) -> u64 {
        self.key
    }

    /// The number of a word.
    pub fn index(&self, word: &str) -> Option<usize> {
        self.by_word.get(word).copied()
    }

    /// The values that words of a condition stand for: a place stands for its parts too.
    pub fn meant(&self, words: &[String]) -> Cells {
        words.iter().filter_map(|w| self.index(w)).fold(Cells::default(), |out, i| match self.parts.get(i) {
            Some(parts) => out.or(parts),
            None => out.or(&Cells::one(i)),
        })
    }

    /// All of them.
    pub fn all(&self) -> Cells {
        Cells::first(self.words.len())
    }
}

/// One slot.
#[derive(Clone, Debug)]
pub struct Slot {
    /// `recipient.place`, `hop.mode`.
    pub name: String,
    /// Where its words of bits begin.
    pub at: usize,
    /// How it is kept.
    pub shape: Shape,
    /// Its values, if they have names.
    pub values: Arc<Values>,
    /// Its kind.
    pub kind: FactKind,
    /// A weaker standing counts as not said.
    pub needs: Standing,
    domain: Sort,
    /// What it is when nobody said it; for a choice the number, for a set the empty set.
    absent: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sort {
    YesNo,
    Place,
    Other,
}

/// No single value is known.
pub const ANY: u64 = u64::MAX;

/// All slots.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    slots: Vec<Slot>,
    by_name: HashMap<String, usize, Quick>,
    nothing: Vec<u64>,
}

/// What is known of one crossing: a few words of bits for each slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed(pub Vec<u64>);

impl Lexicon {
    /// Numbers the words of a vocabulary.
    pub fn of(vocabulary: &Vocabulary) -> Result<Self, TooManyCells> {
        let places = Arc::new(Values::of(vocabulary.places.keys().cloned().collect(), true));
        let mut out = Self::default();
        for name in vocabulary.slots() {
            let Some(fact) = vocabulary.of_slot(&name) else { continue };
            let values = match &fact.domain {
                Domain::Place | Domain::Places => places.clone(),
                _ => Arc::new(Values::of(vocabulary.values(fact).into_iter().map(str::to_string).collect(), false)),
            };
            if values.words.len() > CELLS_MAX {
                return Err(TooManyCells(name));
            }
            out.add(name, fact, values);
        }
        Ok(out)
    }

    fn add(&mut self, name: String, fact: &Fact, values: Arc<Values>) {
        let shape = match fact.domain {
            Domain::YesNo | Domain::OneOf(_) | Domain::Place => Shape::Choice,
            Domain::SetOf(_) | Domain::Places => Shape::Set,
            Domain::Count => Shape::Count,
            Domain::Date => Shape::Day,
        };
        let lacking = || values.index("not_made").or(values.index("no")).map(|i| i as u64);
        let absent = match shape {
            Shape::Choice if absent_when_unsaid(fact) => lacking(),
            Shape::Set if absent_when_unsaid(fact) => Some(0),
            _ => None,
        };
        let at = self.nothing.len();
        match shape {
            Shape::Choice => self.nothing.push(absent.unwrap_or(ANY)),
            Shape::Set => {
                self.nothing.push(u64::from(absent.is_some()));
                self.nothing.extend(std::iter::repeat_n(0, values.words.len().div_ceil(64)));
            }
            Shape::Count => self.nothing.extend([0, i64::MAX as u64]),
            Shape::Day => self.nothing.extend([i64::MIN as u64, i64::MAX as u64]),
        }
        let domain = match fact.domain {
            Domain::YesNo => Sort::YesNo,
            Domain::Place | Domain::Places => Sort::Place,
            _ => Sort::Other,
        };
        self.by_name.insert(name.clone(), self.slots.len());
        self.slots.push(Slot { name, at, shape, values, kind: fact.kind, needs: fact.needs, domain, absent });
    }

    /// A slot by name.
    pub fn slot(&self, name: &str) -> Option<&Slot> {
        self.by_name.get(name).and_then(|i| self.slots.get(*i))
    }

    /// All of them.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Makes `out` say nothing, in the room that it has.
    pub fn clear(&self, out: &mut Packed) {
        out.0.clear();
        out.0.extend_from_slice(&self.nothing);
    }

    /// What is known when nothing was said.
    pub fn nothing(&self) -> Packed {
        Packed(self.nothing.clone())
    }

    /// What is known of a crossing on a day.
    pub fn pack(&self, facts: &BTreeMap<String, BoundFact>, on: CivilDate) -> Packed {
        let mut out = self.nothing();
        for (name, fact) in facts {
            let Some(slot) = self.slot(name) else { continue };
            if fact.until.is_none_or(|u| on < u) {
                slot.say(&fact.known, &mut out);
            } else if slot.kind != FactKind::Measure {
                // What has expired no longer counts, and says nothing about what took its place.
                slot.open(&mut out);
            }
        }
        out
    }
}

impl Slot {
    /// Writes what is known. A value of another type cannot be bound; should it happen, everything stays possible.
    pub fn say(&self, known: &Known, out: &mut Packed) {
        match (self.shape, known) {
            (Shape::Choice, Known::Values(vs)) => {
                let mut numbers = vs.iter().filter_map(|v| self.values.index(v));
                let one = numbers.next().filter(|_| vs.len() == 1 && numbers.next().is_none());
                out.write(self.at, &[one.map_or(ANY, |i| i as u64)]);
            }
            (Shape::Set, Known::Members(ms)) => {
                let cells: Cells = ms.iter().filter_map(|m| self.values.index(m)).collect();
                self.say_set(cells, out);
            }
            (Shape::Count, Known::Range(lo, hi)) => out.write(self.at, &[*lo as u64, *hi as u64]),
            (Shape::Day, Known::Day(d)) => {
                let day = i64::from(d.days_since_epoch()) as u64;
                out.write(self.at, &[day, day]);
            }
            _ => self.open(out),
        }
    }

    /// Writes a known set.
    pub fn say_set(&self, cells: Cells, out: &mut Packed) {
        out.write(self.at, &[1]);
        for i in 0..self.values.words.len().div_ceil(64) {
            out.write(self.at + 1 + i, &[cells.word(i)]);
        }
    }

    /// Writes the lowest and the highest count or day.
    pub fn say_range(&self, lo: i64, hi: i64, out: &mut Packed) {
        out.write(self.at, &[lo as u64, hi as u64]);
    }

    /// Whether it takes yes or no.
    pub fn is_yes_no(&self) -> bool {
        self.domain == Sort::YesNo
    }

    /// Whether it takes places.
    pub fn is_place(&self) -> bool {
        self.domain == Sort::Place
    }

    /// Writes one value, by number.
    pub fn say_word(&self, index: usize, out: &mut Packed) {
        out.write(self.at, &[index as u64]);
    }

    /// Writes that nothing is known.
    pub fn open(&self, out: &mut Packed) {
        match self.shape {
            Shape::Choice => out.write(self.at, &[ANY]),
            Shape::Set => {
                out.write(self.at, &[0]);
                (0..self.values.words.len().div_ceil(64)).for_each(|i| out.write(self.at + 1 + i, &[0]));
            }
            Shape::Count => out.write(self.at, &[0, i64::MAX as u64]),
            Shape::Day => out.write(self.at, &[i64::MIN as u64, i64::MAX as u64]),
        }
    }

    /// How many words the members of a set take.
    pub(crate) fn n_words(&self) -> usize {
        self.values.words.len().div_ceil(64)
    }

    /// The words of bits that it takes.
    fn range(&self) -> std::ops::Range<usize> {
        let n = match self.shape {
            Shape::Choice => 1,
            Shape::Set => 1 + self.n_words(),
            Shape::Count | Shape::Day => 2,
        };
        self.at..self.at + n
    }

    /// Whether two say the same of it.
    pub(crate) fn same(&self, a: &Packed, b: &Packed) -> bool {
        a.0.get(self.range()) == b.0.get(self.range())
    }

    /// Whether anything is known of it.
    pub(crate) fn is_told(&self, packed: &Packed) -> bool {
        let word = |i: usize| packed.0.get(self.at + i).copied().unwrap_or(0);
        match self.shape {
            Shape::Choice => word(0) != ANY,
            Shape::Set => word(0) == 1,
            Shape::Count => word(0) != 0 || word(1) != i64::MAX as u64,
            Shape::Day => word(0) != i64::MIN as u64 || word(1) != i64::MAX as u64,
        }
    }

    /// Whether its unsaid value is that it is lacking.
    pub fn is_absent_when_unsaid(&self) -> bool {
        self.absent.is_some()
    }

    /// The known set, if it is known.
    pub fn set(&self, packed: &Packed) -> Option<Cells> {
        let words = packed.0.get(self.at..)?;
        let (known, bits) = words.split_first()?;
        let n = self.values.words.len();
        (*known == 1).then(|| (0..n).filter(|i| bits.get(i / 64).is_some_and(|w| w >> (i % 64) & 1 == 1)).collect())
    }

    /// The known value, if one is known.
    pub fn word(&self, packed: &Packed) -> Option<usize> {
        packed.0.get(self.at).filter(|w| **w != ANY).map(|w| *w as usize)
    }
}

impl Packed {
    fn write(&mut self, at: usize, words: &[u64]) {
        if let Some(slots) = self.0.get_mut(at..at + words.len()) {
            slots.copy_from_slice(words);
        }
    }
}
