//! Remembers what values became: ages, days and words repeat within a batch, and looking up is cheaper than computing.

use super::Cell;
use crate::intern::Mixed;
use std::hash::Hasher;
use std::ops::Range;

// LIMIT: values remembered, and questions after which a memo that seldom knows is no longer asked.
const MEMO_SLOTS: usize = 1024;
const MEMO_TRIAL: usize = 512;
/// Values that come in a row of others and are cheap to compute are not worth remembering.
const CHEAP: usize = 4;

/// A few values with what they became, side by side in one text.
pub(super) struct Memo {
    slots: Vec<Slot>,
    texts: String,
    asked: usize,
    known: usize,
}

/// Where a value and what it became lie; a value that is missing afterwards is there no more.
#[derive(Clone, Default)]
struct Slot {
    at: u32,
    before: u32,
    after: u32,
    is_there: bool,
}

impl Slot {
    fn before(&self) -> Range<usize> {
        self.at as usize..(self.at + self.before) as usize
    }

    fn after(&self) -> Range<usize> {
        (self.at + self.before) as usize..(self.at + self.before + self.after) as usize
    }
}

impl Memo {
    pub(super) fn new() -> Self {
        Self { slots: Vec::new(), texts: String::new(), asked: 0, known: 0 }
    }

    /// What the value becomes, through `cell` where it is not remembered.
    pub(super) fn apply(&mut self, cell: &Cell<'_>, text: &str) -> Option<&str> {
        if self.asked >= MEMO_TRIAL && self.known * CHEAP < self.asked {
            self.texts.clear();
            self.slots.clear();
            let is_there = cell.write(text, &mut self.texts);
            return is_there.then_some(self.texts.as_str());
        }
        if self.slots.is_empty() {
            self.slots.resize(MEMO_SLOTS, Slot::default());
        }
        let mut hash = Mixed::default();
        hash.write(text.as_bytes());
        self.asked += 1;
        // INVARIANT: an empty text is never asked for (it is missing), so a fresh slot matches nothing.
        let slot = self.slots.get_mut(hash.finish() as usize % MEMO_SLOTS)?;
        if self.texts.get(slot.before()) == Some(text) {
            self.known += 1;
        } else {
            let at = self.texts.len();
            self.texts.push_str(text);
            let is_there = cell.write(text, &mut self.texts);
            let after = self.texts.len() - at - text.len();
            let small = |n: usize| u32::try_from(n).unwrap_or(0);
            *slot = Slot { at: small(at), before: small(text.len()), after: small(after), is_there };
        }
        let slot = slot.clone();
        slot.is_there.then(|| self.texts.get(slot.after()))?
    }
}
