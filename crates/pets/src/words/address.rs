//! Which words name streets, and which cells read as addresses.

use super::{Known, Words, is_japanese};

// LIMIT: a longer cell is a text, not an address.
const ADDRESS_BYTES_MAX: usize = 200;

impl Words {
    /// True for a word that names a kind of street in some language, or ends as such words do.
    pub(crate) fn is_street(&self, word: &str) -> bool {
        self.is_known_street(word, self.known(word))
    }

    /// The same where the lists were asked.
    pub(crate) fn is_known_street(&self, word: &str, known: Known) -> bool {
        known.has(Known::STREET) || word.len() > 5 && self.ends_as_streets_do(word)
    }

    fn ends_as_streets_do(&self, word: &str) -> bool {
        let ends_of = |last: u8| self.street_endings.get(usize::from(last)).map_or(&[][..], Vec::as_slice).iter();
        if !word.is_ascii() {
            let lower = word.to_lowercase();
            return lower.bytes().next_back().is_some_and(|last| ends_of(last).any(|end| lower.ends_with(end.as_str())));
        }
        let bytes = word.as_bytes();
        let is_end = |end: &String| {
            let tail = bytes.len().checked_sub(end.len()).and_then(|at| bytes.get(at..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
        };
        bytes.last().is_some_and(|last| ends_of(last.to_ascii_lowercase()).any(is_end))
    }

    /// True when a cell reads as an address: a number, and a kind of street, a ward, a block.
    pub(crate) fn is_address(&self, text: &str) -> bool {
        if !text.bytes().any(|b| b.is_ascii_digit()) || text.len() > ADDRESS_BYTES_MAX {
            return false;
        }
        if text.chars().any(|c| is_japanese(c) || ('\u{ac00}'..='\u{d7a3}').contains(&c)) {
            let marks = ["市", "区", "町", "村", "丁目", "番地", "郡", "路", "街", "号", "條", "条", "로", "길", "동"];
            return marks.iter().any(|mark| text.contains(mark)) && !text.contains(['年', '月']);
        }
        // `PO-482913` is an order's.
        if !text.contains([' ', ',', '.']) {
            return false;
        }
        let mut words = text.split(|c: char| !(c.is_alphabetic() || c == '\'')).filter(|w| !w.is_empty());
        words.any(|word| self.is_street(word)) || is_numbered(text)
    }
}

// 488 Wall Crossing: a number of a house, then words with capitals alone.
fn is_numbered(text: &str) -> bool {
    let mut words = text.split(' ');
    let number = words.next().unwrap_or("");
    let (mut count, mut capital) = (0, true);
    for word in words {
        count += 1;
        capital &= word.starts_with(char::is_uppercase) && word.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '-' | '.'));
    }
    (1..=5).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()) && count >= 2 && capital
}
