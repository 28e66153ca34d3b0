//! Writing DER: each function gives one whole element.

use model::Instant;

use super::{oid::Oid, tag};

/// X.690 section 8.1: an element of this tag and content.
pub fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    if value.len() < 0x80 {
        out.push(value.len() as u8);
    } else {
        let bytes = value.len().to_be_bytes();
        let skip = bytes.iter().take_while(|byte| **byte == 0).count();
        out.push(0x80 | (bytes.len() - skip) as u8);
        out.extend_from_slice(&bytes[skip..]);
    }
    out.extend_from_slice(value);
    out
}

/// X.690 section 8.9: a SEQUENCE of these elements in this order.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(tag::SEQUENCE, &parts.concat())
}

/// X.690 section 11.6: a SET OF these elements, sorted by their encodings as DER demands.
pub fn set_of(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    element(tag::SET, &parts.concat())
}

/// X.690 section 8.19: an OBJECT IDENTIFIER.
pub fn oid(oid: &Oid) -> Vec<u8> {
    element(tag::OID, oid.content())
}

/// X.690 section 8.3: a non-negative INTEGER from its big-endian bytes.
pub fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let skip = bytes.iter().take_while(|byte| **byte == 0).count();
    let trimmed = &bytes[skip..];
    let mut value = Vec::with_capacity(trimmed.len() + 1);
    if trimmed.first().is_none_or(|byte| byte & 0x80 != 0) {
        value.push(0);
    }
    value.extend_from_slice(trimmed);
    element(tag::INTEGER, &value)
}

/// X.690 section 8.3: a small non-negative INTEGER.
pub fn small(number: u64) -> Vec<u8> {
    unsigned(&number.to_be_bytes())
}

/// X.690 section 8.7: an OCTET STRING.
pub fn octets(bytes: &[u8]) -> Vec<u8> {
    element(tag::OCTET_STRING, bytes)
}

/// X.690 section 8.6: a BIT STRING of whole octets.
pub fn bits(bytes: &[u8]) -> Vec<u8> {
    element(tag::BIT_STRING, &[&[0], bytes].concat())
}

/// X.690 section 11.2.2: a BIT STRING of named bits (number 0 is the top bit), without trailing zero bits.
pub fn named_bits(mask: u16) -> Vec<u8> {
    let bytes = mask.to_be_bytes();
    let used = if mask == 0 {
        &bytes[..0]
    } else if mask & 0xff == 0 {
        &bytes[..1]
    } else {
        &bytes[..]
    };
    let unused = used.last().map_or(0, |byte| byte.trailing_zeros() as u8);
    element(tag::BIT_STRING, &[&[unused], used].concat())
}

/// X.690 section 8.2: a BOOLEAN that is true; one that is false is the default everywhere and is never written.
pub fn yes() -> Vec<u8> {
    element(tag::BOOLEAN, &[0xff])
}

/// X.690 section 8.8: NULL.
pub fn null() -> Vec<u8> {
    element(tag::NULL, &[])
}

/// A UTF8String.
pub fn utf8(text: &str) -> Vec<u8> {
    element(tag::UTF8_STRING, text.as_bytes())
}

/// An explicitly tagged element, context-specific.
pub fn explicit(number: u8, inner: &[u8]) -> Vec<u8> {
    element(tag::CONTEXT_CONSTRUCTED_0 | number, inner)
}

/// An implicitly tagged primitive element, context-specific.
pub fn implicit(number: u8, value: &[u8]) -> Vec<u8> {
    element(tag::CONTEXT_0 | number, value)
}

/// RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050, whole seconds.
pub fn time(at: Instant) -> Vec<u8> {
    let (year, text) = digits(at);
    match text.get(2..) {
        Some(short) if (1950..2050).contains(&year) => element(tag::UTC_TIME, format!("{short}Z").as_bytes()),
        _ => element(tag::GENERALIZED_TIME, format!("{text}Z").as_bytes()),
    }
}

/// RFC 3161 section 2.4.2: GeneralizedTime with the milliseconds, without trailing zeros.
pub fn generalized_time(at: Instant) -> Vec<u8> {
    let (_, mut text) = digits(at);
    let millis = at.0.rem_euclid(1_000);
    if millis != 0 {
        text.push_str(format!(".{millis:03}").trim_end_matches('0'));
    }
    text.push('Z');
    element(tag::GENERALIZED_TIME, text.as_bytes())
}

fn digits(at: Instant) -> (i32, String) {
    let (year, month, day) = at.day(0).parts();
    let second = at.seconds().rem_euclid(86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    (year, format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_bits_are_minimal() {
        assert_eq!(small(0), [2, 1, 0]);
        assert_eq!(small(128), [2, 2, 0, 128]);
        assert_eq!(unsigned(&[0, 0, 5]), [2, 1, 5]);
        assert_eq!(named_bits(0x8000), [3, 2, 7, 0x80]);
        assert_eq!(named_bits(0x0600), [3, 2, 1, 0x06]);
        assert_eq!(named_bits(0), [3, 1, 0]);
        assert_eq!(element(4, &[0; 200])[..3], [4, 0x81, 200]);
        assert_eq!(set_of(vec![small(2), small(1)]), [0x31, 6, 2, 1, 1, 2, 1, 2]);
    }
}
