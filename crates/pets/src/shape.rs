//! Shapes of identifiers: a pattern language that a form in print uses.
//!
//! `9` digit, `A` letter, `X` letter or digit, `[…]` one of (with ranges), `{n}` or `{n,m}` repeats of the element
//! before, any other character itself.

use std::fmt;

/// A pattern over ASCII, matched on the whole value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    elements: Vec<Element>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Element {
    /// One bit for each ASCII character that may stand here.
    allowed: u128,
    least: usize,
    most: usize,
}

/// The text is no shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAShape {
    text: String,
}

impl fmt::Display for NotAShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a shape", self.text)
    }
}

impl std::error::Error for NotAShape {}

// LIMIT: an identifier has at most 64 characters.
const LENGTH_MAX: usize = 64;

impl Shape {
    /// Parses the pattern.
    pub fn parse(text: &str) -> Result<Self, NotAShape> {
        let elements = elements(text).ok_or_else(|| NotAShape { text: text.into() })?;
        Ok(Self { elements })
    }

    /// True when the whole value has the shape.
    pub fn matches(&self, value: &[u8]) -> bool {
        value.len() <= LENGTH_MAX && matches(&self.elements, value)
    }

    /// One bit for each number of letters and digits that a value of this shape may have.
    pub(crate) fn lengths(&self) -> u128 {
        let kept = span(b'0', b'9') | span(b'A', b'Z') | span(b'a', b'z');
        self.elements.iter().fold(1, |bits, e| {
            let always = e.allowed & !kept == 0;
            let never = e.allowed & kept == 0;
            let (least, most) = (if always { e.least } else { 0 }, if never { 0 } else { e.most });
            (least..=most).fold(0, |sum, n| sum | bits << n)
        })
    }

    /// The characters that may stand at each place, repeats filled to their least length; for drawing examples.
    pub fn places(&self) -> Vec<Vec<u8>> {
        let choices = |e: &Element| (0..128u8).filter(|&c| e.allowed >> c & 1 == 1).collect::<Vec<u8>>();
        self.elements.iter().flat_map(|e| std::iter::repeat_n(choices(e), e.least)).collect()
    }
}

fn matches(elements: &[Element], value: &[u8]) -> bool {
    let Some((element, rest)) = elements.split_first() else { return value.is_empty() };
    let fitting =
        value.iter().take(element.most).take_while(|&&c| c < 128 && element.allowed >> c & 1 == 1).count();
    (element.least..=fitting).rev().any(|n| value.get(n..).is_some_and(|tail| matches(rest, tail)))
}

fn elements(text: &str) -> Option<Vec<Element>> {
    let mut out: Vec<Element> = Vec::new();
    let mut bytes = text.bytes();
    while let Some(c) = bytes.next() {
        let allowed = match c {
            b'9' => span(b'0', b'9'),
            b'A' => span(b'A', b'Z'),
            b'X' => span(b'A', b'Z') | span(b'0', b'9'),
            b'[' => class(&bytes.by_ref().take_while(|&c| c != b']').collect::<Vec<u8>>())?,
            b'{' => {
                let inside = String::from_utf8(bytes.by_ref().take_while(|&c| c != b'}').collect()).ok()?;
                let (least, most) = inside.split_once(',').unwrap_or((&inside, &inside));
                let last = out.last_mut()?;
                (last.least, last.most) = (least.parse().ok()?, most.parse().ok()?);
                if last.least > last.most || last.most > LENGTH_MAX {
                    return None;
                }
                continue;
            }
            c if c.is_ascii_graphic() || c == b' ' => span(c, c),
            _ => return None,
        };
        out.push(Element { allowed, least: 1, most: 1 });
    }
    (!out.is_empty()).then_some(out)
}

fn span(from: u8, to: u8) -> u128 {
    (from..=to).fold(0, |bits, c| bits | 1 << c)
}

// A hyphen is a range between two characters and itself at either end.
fn class(inside: &[u8]) -> Option<u128> {
    let mut bits = 0;
    let mut rest = inside;
    while let [first, tail @ ..] = rest {
        match tail {
            [b'-', last, after @ ..] if first <= last && *last < 128 => {
                bits |= span(*first, *last);
                rest = after;
            }
            _ if *first < 128 => {
                bits |= span(*first, *first);
                rest = tail;
            }
            _ => return None,
        }
    }
    (bits != 0).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_match_whole_values() {
        let check = |shape: &str, value: &str, expect: bool| {
            assert_eq!(Shape::parse(shape).unwrap().matches(value.as_bytes()), expect, "{shape} {value}")
        };
        check("9{12}", "123456789012", true);
        check("9{12}", "12345678901", false);
        check("9{12}", "1234567890123", false);
        check("[1-8]9{2}", "912", false);
        check("[9]9", "91", true);
        check("AA99X{11,30}", "GB82WEST12345698765432", true);
        check("AA99X{11,30}", "GB82WEST1234", false);
        check("X{2,4}99", "AB1299", true);
        check("9{6}[-+A]9", "010190-1", true);
        check("9{6}[-+A]9", "010190B1", false);
        check("35[2-8]9", "3530", true);
        for wrong in ["", "{3}", "9{4,2}", "[]", "9{99}", "é"] {
            assert!(Shape::parse(wrong).is_err(), "{wrong}");
        }
    }
}
