//! Quotes of a CSV, followed as its bytes go by: a cell that opens one and never closes it swallows the rows behind it, to the
//! end of the file or to the quote of a later cell.

use std::io::BufRead as _;

/// LIMIT: bytes of one cell in quotes. Nothing longer is a cell; it would be held in memory to the end of the file.
const CELL_BYTES_MAX: u64 = 16 << 20;

/// Where the reading stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Outside quotes, behind this byte.
    Outside(u8),
    /// In a cell in quotes.
    Inside,
    /// Behind a quote in such a cell: the next byte says whether it closed it or stands for itself.
    Quote,
}

/// Follows the quotes of one file.
#[derive(Debug)]
pub(crate) struct Quotes {
    delimiter: u8,
    place: Place,
    /// Of the byte that comes next.
    line: u64,
    /// Of the quote that opened the present cell.
    opened: u64,
    /// Of the present cell, so far.
    bytes: u64,
    /// Whether a line ended in it.
    broken: bool,
}

impl Quotes {
    /// Begins a file with such a sign between its cells.
    pub(crate) fn new(delimiter: u8) -> Self {
        Self { delimiter, place: Place::Outside(b'\n'), line: 1, opened: 1, bytes: 0, broken: false }
    }

    /// Follows more bytes; the line of a quote that nothing of its own closes: too much came behind it, or the quote that
    /// closed it lines later stands before a word, so that it opened one.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<(), u64> {
        // Lines are counted once, of all bytes together; where a quote opened is a place in them until it is asked for.
        let (mut opened_at, mut rest) = (None, bytes);
        let line = |quotes: &Self, at: Option<usize>| at.map_or(quotes.opened, |at| quotes.line + lines(bytes.get(..at)));
        while !rest.is_empty() {
            let (plain, behind) = to_quote(rest);
            let opens = |first: &u8| *first != self.delimiter && !first.is_ascii_whitespace();
            let swallowed = self.place == Place::Quote && self.broken && plain.first().is_some_and(opens);
            self.pass(plain);
            if swallowed || self.place == Place::Inside && self.bytes > CELL_BYTES_MAX {
                return Err(line(self, opened_at));
            }
            let Some(behind) = behind else { break };
            if self.quote() {
                opened_at = Some(bytes.len() - behind.len());
            }
            rest = behind;
        }
        self.opened = line(self, opened_at);
        self.line += lines(Some(bytes));
        Ok(())
    }

    fn pass(&mut self, plain: &[u8]) {
        let Some(last) = plain.last() else { return };
        match self.place {
            Place::Inside => {
                self.bytes += plain.len() as u64;
                self.broken |= plain.contains(&b'\n');
            }
            Place::Quote | Place::Outside(_) => self.place = Place::Outside(*last),
        }
    }

    /// Passes a quote; true if it opens a cell. One in the middle of a cell stands for itself.
    fn quote(&mut self) -> bool {
        let opens = |last: u8| last == self.delimiter || matches!(last, b'\n' | b'\r');
        let (place, opened) = match self.place {
            Place::Inside => (Place::Quote, false),
            Place::Quote => (Place::Inside, false),
            Place::Outside(last) if opens(last) => (Place::Inside, true),
            Place::Outside(_) => (Place::Outside(b'"'), false),
        };
        self.place = place;
        if opened {
            (self.bytes, self.broken) = (0, false);
        }
        opened
    }

    /// At the end of the file: the line of the quote that is still open.
    pub(crate) fn open(&self) -> Option<u64> {
        (self.place == Place::Inside).then_some(self.opened)
    }

    /// The line of the quote that a whole text leaves open.
    pub(crate) fn left_open(text: &str, delimiter: u8) -> Option<u64> {
        let mut quotes = Self::new(delimiter);
        quotes.read(text.as_bytes()).map_or_else(Some, |()| quotes.open())
    }
}

/// Bytes looked through one by one before the rest is searched as a whole.
const NEAR: usize = 24;

/// What stands before the next quote, and what behind it if there is one.
fn to_quote(bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    // Where cells are in quotes the next one is near.
    if let Some(at) = bytes.iter().take(NEAR).position(|b| *b == b'"') {
        return (bytes.get(..at).unwrap_or_default(), bytes.get(at + 1..));
    }
    let mut behind = bytes;
    // A slice has no input that could fail; it is asked because it looks with the widest registers of the machine.
    let n = behind.skip_until(b'"').unwrap_or(0);
    match bytes.get(..n).unwrap_or_default().split_last() {
        Some((b'"', plain)) => (plain, Some(behind)),
        _ => (bytes, None),
    }
}

/// Ends of lines, in sums of bytes, which the compiler turns into wide instructions.
fn lines(bytes: Option<&[u8]>) -> u64 {
    let few = |chunk: &[u8]| chunk.iter().fold(0u8, |n, b| n.wrapping_add(u8::from(*b == b'\n')));
    bytes.unwrap_or_default().chunks(usize::from(u8::MAX)).map(|chunk| u64::from(few(chunk))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_quote_that_stays_open() {
        let check = |text: &str, expect: Option<u64>| {
            assert_eq!(Quotes::left_open(text, b','), expect, "{text}");
            // Wherever the bytes are cut, the answer is the same.
            let mut quotes = Quotes::new(b',');
            let told = text.as_bytes().iter().find_map(|b| quotes.read(&[*b]).err());
            assert_eq!(told.or(quotes.open()), expect, "{text}, byte by byte");
        };
        check("a,b\n1,2\n", None);
        check("a,b\n\"1\",\"two\nlines\"\n", None);
        check("a,b\n\"1 \"\"and\"\" more\",\"\"\n\"\"\"\",x", None);
        check("a,b\n5' 3\",2\nx\"y,\"z\"\n", None);
        check("a;\"b\n", None);
        check("a,b\n1,2\n\"3,4\n5,6\n", Some(3));
        check("a,b\n\"1\",\"two\n\nlines\n", Some(2));
        check("a,b\n1,\"", Some(2));
        check("\"a,b\n1,2\n", Some(1));
        check("a,b\n1,\"2\"\"\n", Some(2));
        // Closed by the quote of a later cell; a word behind a quote in its own line is only careless.
        check("a,b\n\"1,2\n\"3\",4\n", Some(2));
        check("a,b\n\"1,2\n3,\"4\"\n", Some(2));
        check("a,b\n\"1\" x,2\n\"two\nlines\" ,2\n", None);
    }

    #[test]
    fn a_cell_without_an_end_is_not_read_to_the_end() {
        let mut quotes = Quotes::new(b',');
        quotes.read(b"a,b\n\"").unwrap();
        let block = vec![b'x'; 1 << 20];
        assert_eq!((0..20).map(|_| quotes.read(&block)).find_map(Result::err), Some(2));
    }
}
