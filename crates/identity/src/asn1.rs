//! Strict DER, as far as certificates, seals and time-stamps need it: definite minimal lengths, one-byte tags.
//!
//! Reading gives slices of the original bytes, because a signature is verified over what arrived and never over
//! what we would have written. Writing gives the one DER form.

pub mod oid;
pub mod write;

use std::fmt;

use model::{CivilDate, Instant};

/// X.690: the tags used here, as the whole identifier octet.
pub mod tag {
    #![allow(missing_docs)]
    pub const BOOLEAN: u8 = 0x01;
    pub const INTEGER: u8 = 0x02;
    pub const BIT_STRING: u8 = 0x03;
    pub const OCTET_STRING: u8 = 0x04;
    pub const NULL: u8 = 0x05;
    pub const OID: u8 = 0x06;
    pub const ENUMERATED: u8 = 0x0a;
    pub const UTF8_STRING: u8 = 0x0c;
    pub const PRINTABLE_STRING: u8 = 0x13;
    pub const TELETEX_STRING: u8 = 0x14;
    pub const IA5_STRING: u8 = 0x16;
    pub const UTC_TIME: u8 = 0x17;
    pub const GENERALIZED_TIME: u8 = 0x18;
    pub const BMP_STRING: u8 = 0x1e;
    pub const SEQUENCE: u8 = 0x30;
    pub const SET: u8 = 0x31;
    /// Context-specific, primitive, number 0.
    pub const CONTEXT_0: u8 = 0x80;
    /// Context-specific, constructed, number 0.
    pub const CONTEXT_CONSTRUCTED_0: u8 = 0xa0;
}

/// X.690: why bytes are not the DER that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DerError {
    /// The bytes end inside an element.
    Truncated,
    /// A length is indefinite, not minimal or absurdly large.
    Length,
    /// Another element stands where this one was expected.
    Unexpected {
        /// The identifier octet that was expected.
        expected: u8,
        /// The identifier octet that was found.
        found: u8,
    },
    /// Bytes follow where none may.
    Trailing,
    /// The content of an element breaks its own rules.
    Value,
}

impl fmt::Display for DerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DerError::Truncated => write!(f, "the bytes end inside an element"),
            DerError::Length => write!(f, "a length is not in its one DER form"),
            DerError::Unexpected { expected, found } => {
                write!(f, "expected element `{expected:#04x}`, found `{found:#04x}`")
            }
            DerError::Trailing => write!(f, "bytes follow where none may"),
            DerError::Value => write!(f, "the content of an element breaks its own rules"),
        }
    }
}

impl std::error::Error for DerError {}

/// X.690 section 8.1: one element, as slices of the bytes that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The identifier octet.
    pub tag: u8,
    /// The content octets.
    pub value: &'a [u8],
    /// Identifier, length and content octets.
    pub raw: &'a [u8],
}

impl<'a> Element<'a> {
    /// Reads the elements inside this one.
    pub fn inside(&self) -> Reader<'a> {
        Reader::new(self.value)
    }

    /// X.690 section 8.3: the content of a non-negative INTEGER without its sign octet.
    pub fn unsigned(&self) -> Result<&'a [u8], DerError> {
        match self.value {
            [] => Err(DerError::Value),
            [0] => Ok(self.value),
            [0, next, ..] if next & 0x80 == 0 => Err(DerError::Value),
            [0, rest @ ..] => Ok(rest),
            [first, ..] if first & 0x80 != 0 => Err(DerError::Value),
            all => Ok(all),
        }
    }

    /// X.690 section 8.3: a non-negative INTEGER that fits 64 bits.
    pub fn small(&self) -> Result<u64, DerError> {
        let bytes = self.unsigned()?;
        if bytes.len() > 8 {
            return Err(DerError::Value);
        }
        Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// X.690 section 8.2: a BOOLEAN in its one DER form.
    pub fn boolean(&self) -> Result<bool, DerError> {
        match self.value {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(DerError::Value),
        }
    }

    /// X.690 section 8.6: the content of a BIT STRING that holds whole octets.
    pub fn whole_bits(&self) -> Result<&'a [u8], DerError> {
        match self.value {
            [0, rest @ ..] => Ok(rest),
            _ => Err(DerError::Value),
        }
    }

    /// The text of a character string of the kinds that names use.
    pub fn text(&self) -> Result<String, DerError> {
        match self.tag {
            tag::UTF8_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING => {
                std::str::from_utf8(self.value).map(str::to_owned).map_err(|_| DerError::Value)
            }
            // Teletex text in old certificates is Latin-1 in practice.
            tag::TELETEX_STRING => Ok(self.value.iter().map(|byte| char::from(*byte)).collect()),
            tag::BMP_STRING => {
                let units: Vec<u16> = self
                    .value
                    .chunks(2)
                    .map(|pair| pair.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte)))
                    .collect();
                String::from_utf16(&units).map_err(|_| DerError::Value)
            }
            found => Err(DerError::Unexpected { expected: tag::UTF8_STRING, found }),
        }
    }

    /// RFC 5280 section 4.1.2.5 and RFC 3161 section 2.4.2: UTCTime or GeneralizedTime, always in UTC.
    pub fn time(&self) -> Result<Instant, DerError> {
        let text = std::str::from_utf8(self.value).map_err(|_| DerError::Value)?;
        let digits = text.strip_suffix('Z').ok_or(DerError::Value)?;
        let (digits, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DerError::Value);
        }
        let (year, rest) = match (self.tag, digits.len()) {
            (tag::UTC_TIME, 12) => {
                let year = number(&digits[..2])?;
                (if year < 50 { 2000 + year } else { 1900 + year }, &digits[2..])
            }
            (tag::GENERALIZED_TIME, 14) => (number(&digits[..4])?, &digits[4..]),
            _ => return Err(DerError::Value),
        };
        let field = |at: usize| number(&rest[at..at + 2]);
        let (month, day, hour, minute, second) = (field(0)?, field(2)?, field(4)?, field(6)?, field(8)?);
        if hour > 23 || minute > 59 || second > 59 {
            return Err(DerError::Value);
        }
        let day = CivilDate::of(year as i32, month as u32, day as u32).ok_or(DerError::Value)?;
        let millis = match fraction {
            None => 0,
            Some(_) if self.tag == tag::UTC_TIME => return Err(DerError::Value),
            Some(text) => fraction_millis(text)?,
        };
        let seconds = hour * 3_600 + minute * 60 + second;
        Ok(Instant(Instant::start_of(day, 0).0 + seconds * 1_000 + millis))
    }
}

fn number(digits: &str) -> Result<i64, DerError> {
    digits.parse().map_err(|_| DerError::Value)
}

/// DER allows a fraction only without trailing zeros; what is finer than a millisecond is cut.
fn fraction_millis(text: &str) -> Result<i64, DerError> {
    if text.is_empty() || text.ends_with('0') || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DerError::Value);
    }
    let mut padded: String = text.chars().take(3).collect();
    while padded.len() < 3 {
        padded.push('0');
    }
    number(&padded)
}

/// X.690: reads elements one after the other, refusing what is not DER.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first of these bytes.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    /// Reads bytes that are exactly one element with this tag.
    pub fn only(bytes: &'a [u8], tag: u8) -> Result<Element<'a>, DerError> {
        let mut reader = Reader::new(bytes);
        let element = reader.take(tag)?;
        reader.end()?;
        Ok(element)
    }

    /// Is nothing left?
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next element, if one is left.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Reads the next element, whatever it is.
    pub fn element(&mut self) -> Result<Element<'a>, DerError> {
        let (&tag, after_tag) = self.rest.split_first().ok_or(DerError::Truncated)?;
        // LIMIT: tag numbers above 30 occur in none of our formats.
        if tag & 0x1f == 0x1f {
            return Err(DerError::Value);
        }
        let (&first, after_first) = after_tag.split_first().ok_or(DerError::Truncated)?;
        let (length, length_octets) = if first < 0x80 {
            (usize::from(first), 0)
        } else {
            // LIMIT: four length octets, so an element has at most 4 GiB.
            let octets = usize::from(first & 0x7f);
            if octets == 0 || octets > 4 {
                return Err(DerError::Length);
            }
            let bytes = after_first.get(..octets).ok_or(DerError::Truncated)?;
            let length = bytes.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
            let minimal = length >= 0x80 && bytes.first() != Some(&0);
            if !minimal {
                return Err(DerError::Length);
            }
            (length, octets)
        };
        let start = 2 + length_octets;
        let end = start.checked_add(length).ok_or(DerError::Length)?;
        let raw = self.rest.get(..end).ok_or(DerError::Truncated)?;
        self.rest = &self.rest[end..];
        Ok(Element { tag, value: &raw[start..], raw })
    }

    /// Reads the next element, which must have this tag.
    pub fn take(&mut self, tag: u8) -> Result<Element<'a>, DerError> {
        match self.peek() {
            None => Err(DerError::Truncated),
            Some(found) if found != tag => Err(DerError::Unexpected { expected: tag, found }),
            Some(_) => self.element(),
        }
    }

    /// Reads the next element if it has this tag.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, DerError> {
        if self.peek() == Some(tag) { self.element().map(Some) } else { Ok(None) }
    }

    /// Reads an OBJECT IDENTIFIER.
    pub fn oid(&mut self) -> Result<oid::Oid, DerError> {
        oid::Oid::from_content(self.take(tag::OID)?.value)
    }

    /// Reads all that is left as elements with this tag.
    pub fn all(&mut self, tag: u8) -> Result<Vec<Element<'a>>, DerError> {
        let mut elements = Vec::new();
        while !self.is_empty() {
            elements.push(self.take(tag)?);
        }
        Ok(elements)
    }

    /// Checks that nothing is left.
    pub fn end(&self) -> Result<(), DerError> {
        if self.is_empty() { Ok(()) } else { Err(DerError::Trailing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_one_form() {
        assert_eq!(Reader::new(&[0x04, 0x80]).element(), Err(DerError::Length));
        assert_eq!(Reader::new(&[0x04, 0x81, 0x01, 0x00]).element(), Err(DerError::Length));
        assert_eq!(Reader::new(&[0x04, 0x82, 0x00, 0x80]).element(), Err(DerError::Length));
        assert_eq!(Reader::new(&[0x04, 0x02, 0x00]).element(), Err(DerError::Truncated));
        assert_eq!(Reader::new(&[0x04, 0x84, 0xff, 0xff, 0xff, 0xff]).element(), Err(DerError::Truncated));
        assert_eq!(Reader::only(&[0x05, 0x00, 0x00], tag::NULL), Err(DerError::Trailing));
    }

    #[test]
    fn integers_are_minimal_and_not_negative() {
        let read = |bytes: &[u8]| Reader::only(bytes, tag::INTEGER).and_then(|e| e.small());
        assert_eq!(read(&[2, 1, 0]), Ok(0));
        assert_eq!(read(&[2, 2, 0, 0x80]), Ok(128));
        assert_eq!(read(&[2, 1, 0x80]), Err(DerError::Value));
        assert_eq!(read(&[2, 2, 0, 1]), Err(DerError::Value));
        assert_eq!(read(&[2, 0]), Err(DerError::Value));
    }

    #[test]
    fn times_survive_both_ways() {
        for millis in
            [0, 951_782_399_000, 951_868_800_000, 1_795_318_442_000, 2_524_607_999_000, 2_524_608_000_000]
        {
            let at = Instant(millis);
            let bytes = write::time(at);
            assert_eq!(Reader::new(&bytes).element().and_then(|e| e.time()), Ok(at));
        }
        assert_eq!(write::time(Instant(951_782_399_000)), b"\x17\x0d000228235959Z");
        assert_eq!(write::time(Instant(2_524_608_000_000)), b"\x18\x0f20500101000000Z");
        assert_eq!(write::generalized_time(Instant(1_500)), b"\x18\x1119700101000001.5Z");
        let read =
            |text: &str| Element { tag: tag::GENERALIZED_TIME, value: text.as_bytes(), raw: &[] }.time();
        assert_eq!(read("19700101000001.5Z"), Ok(Instant(1_500)));
        for wrong in
            ["19700101000001.50Z", "19700101000001", "19700230000001Z", "19701301000001Z", "1970010100000Z"]
        {
            assert_eq!(read(wrong), Err(DerError::Value), "{wrong}");
        }
    }
}
