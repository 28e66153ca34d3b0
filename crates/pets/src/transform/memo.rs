//! Remembers what values became: ages, days and words repeat within a batch, and looking up is cheaper than computing.

use super::Cell;
use crate::intern::Mixed;
use arrow_array::StringArray;
use arrow_buffer::{NullBufferBuilder, OffsetBuffer};
use arrow_schema::ArrowError;
use std::hash::Hasher;
use std::ops::Range;

// LIMIT: values remembered, and questions after which a memo that seldom knows is no longer asked.
const MEMO_SLOTS: usize = 4096;
const MEMO_TRIAL: usize = 512;
/// Values that come in a row of others and are cheap to compute are not worth remembering.
const CHEAP: usize = 4;

/// A column of text that is being written: texts one after the other, and where each ends.
pub(super) struct Written {
    texts: String,
    ends: Vec<i32>,
    there: NullBufferBuilder,
}

impl Written {
    pub(super) fn of(rows: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self { texts: String::with_capacity(rows * 8), ends, there: NullBufferBuilder::new(rows) }
    }

    /// One more cell; what the writer answers is whether it is there.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut String) -> bool) {
        let is_there = write(&mut self.texts);
        self.there.append(is_there);
        // Beyond two gigabytes the ends go down, and the array is refused.
        self.ends.push(i32::try_from(self.texts.len()).unwrap_or(-1));
    }

    pub(super) fn finish(mut self) -> Result<StringArray, ArrowError> {
        if self.ends.contains(&-1) {
            return Err(ArrowError::OffsetOverflowError(self.texts.len()));
        }
        StringArray::try_new(OffsetBuffer::new(self.ends.into()), self.texts.into_bytes().into(), self.there.finish())
    }
}

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

    /// Appends what the value becomes, through `cell` where it is not remembered; false, and nothing, when it is missing.
    pub(super) fn write(&mut self, cell: &Cell<'_>, text: &str, out: &mut String) -> bool {
        if self.asked >= MEMO_TRIAL && self.known * CHEAP < self.asked {
            return cell.write(text, out);
        }
        if self.slots.is_empty() {
            self.slots.resize(MEMO_SLOTS, Slot::default());
        }
        let mut hash = Mixed::default();
        hash.write(text.as_bytes());
        self.asked += 1;
        // INVARIANT: an empty text is never asked for (it is missing), so a fresh slot matches nothing.
        let Some(slot) = self.slots.get_mut(hash.finish() as usize % MEMO_SLOTS) else { return cell.write(text, out) };
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
        if slot.is_there {
            out.push_str(self.texts.get(slot.after()).unwrap_or(""));
        }
        slot.is_there
    }
}
