//! Forms that many values share: mail addresses, telephone numbers, postcodes.

pub(crate) fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.split_once('@') else { return false };
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c);
    let labels: Vec<&str> = domain.split('.').collect();
    !local.is_empty()
        && local.chars().all(plain)
        && labels.len() >= 2
        && labels.iter().all(|l| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-'))
        && labels.last().is_some_and(|l| l.chars().count() >= 2 && !l.chars().any(|c| c.is_ascii_digit()))
}

// Written as people write telephone numbers: with a plus, or with a leading zero or parenthesis and separators.
pub(crate) fn is_phone(value: &str) -> bool {
    let value = match value.split_once(['x', 'X']) {
        Some((number, extension))
            if (1..=6).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_digit()) =>
        {
            number.trim_end()
        }
        _ => value,
    };
    // Without allocation: this is asked for every number of a text.
    let (mut digits, mut separators) = (0, 0);
    for (at, c) in value.char_indices() {
        match c {
            '0'..='9' => digits += 1,
            '-' | '.' | ' ' | '(' | ')' | '/' | '‐' | '－' => separators += 1,
            '+' if at == 0 => {}
            _ => return false,
        }
    }
    let begins = value.starts_with('+')
        || separators > 0 && (value.starts_with(['0', '(']) || is_north_american(value));
    (9..=15).contains(&digits) && begins
}

fn is_north_american(value: &str) -> bool {
    let mut parts = value.split(['-', '.', ' ']).map(|p| if p.bytes().all(|b| b.is_ascii_digit()) { p.len() } else { 0 });
    value.starts_with(|c: char| c >= '2')
        && (parts.next(), parts.next(), parts.next(), parts.next()) == (Some(3), Some(3), Some(4), None)
}

pub(crate) fn is_bare_phone(value: &str) -> bool {
    (9..=12).contains(&value.len()) && value.starts_with('0') && value.bytes().all(|b| b.is_ascii_digit())
}

/// Digits and the signs that people put between those of a telephone number, nothing else.
pub(crate) fn may_be_phone(value: &str) -> bool {
    let number = value.split_once(['x', 'X']).map_or(value, |(number, _)| number.trim_end());
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    (7..=15).contains(&digits) && number.bytes().all(|b| b.is_ascii_digit() || b"+-.() /".contains(&b))
}

/// A Chinese mobile number: eleven digits, of which the first two are never others.
pub(crate) fn is_chinese_mobile(value: &str) -> bool {
    matches!(value.as_bytes(), [b'1', b'3'..=b'9', rest @ ..] if rest.len() == 9 && rest.iter().all(u8::is_ascii_digit))
}

// LIMIT: an address is shorter; numbers of houses, floors and flats in it, and letters and digits of each.
const STREET_BYTES_MAX: usize = 120;
const STREET_NUMBERS_MAX: usize = 4;
const STREET_NUMBER_CHARS_MAX: usize = 7;

/// What is left of a value such as `Skolgatan 88` or `193 Viale Morosini, 4` without its numbers, in any language; none
/// where it is not made of words and a few short numbers.
pub(crate) fn street_of(value: &str) -> Option<String> {
    if value.len() > STREET_BYTES_MAX || value.contains(['@', ':', '=', '_', '%', '\\']) {
        return None;
    }
    let (mut numbers, mut street) = (0, String::new());
    for token in value.split([' ', ',', '，', '\u{3000}']).filter(|t| !t.is_empty()) {
        match token.chars().any(char::is_numeric) {
            true if token.chars().count() <= STREET_NUMBER_CHARS_MAX => numbers += 1,
            true => return None,
            false => street.push_str(token),
        }
    }
    let letters = street.chars().filter(|c| c.is_alphabetic()).count();
    ((1..=STREET_NUMBERS_MAX).contains(&numbers) && letters >= 3).then_some(street)
}

/// The year of a day, also where day and month cannot be told apart: `03/04/1962`.
pub(crate) fn year_of(value: &str) -> Option<i32> {
    if let Some(day) = crate::calendar::read_day(value) {
        return Some(day.parts().0);
    }
    let mut parts = value.split(['/', '.', '-']).map(|p| p.parse::<i32>().ok().filter(|_| p.len() <= 4));
    let (Some(a), Some(b), Some(year), None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let day = |n: i32| (1..=31).contains(&n);
    (day(a) && day(b) && (a <= 12 || b <= 12) && (1850..2200).contains(&year)).then_some(year)
}

/// How postcodes are written where more than digits stand in them: `9` a digit, `A` a capital.
const POSTCODES: [&str; 24] = [
    "999-9999", "99999-9999", "99999-999", "9999-999", "99-999", "999 99", // Japan, United States, Brazil, Portugal, Poland, Sweden and others
    "A9 9AA", "A99 9AA", "A9A 9AA", "AA9 9AA", "AA99 9AA", "AA9A 9AA", // Britain
    "A9A 9A9", "9999 AA", "A99 AA99", "A99 A9A9", "A99 A999", "A9999AAA", "AA-9999", "AA-99999", // Canada, Netherlands, Ireland, Argentina, the Baltics
    "A9A9A9", "9999AA", "A-9999", "A-99999", // the same without a space, and with the letter of a country
];
const POSTCODE_CHARS_MAX: usize = 12;

pub(crate) fn is_postcode(value: &str) -> bool {
    let value = value.trim_start_matches('〒').trim();
    if value.len() > POSTCODE_CHARS_MAX {
        return false;
    }
    let mask = |b: u8| if b.is_ascii_digit() { b'9' } else if b.is_ascii_uppercase() { b'A' } else { b };
    POSTCODES.iter().any(|shape| shape.bytes().eq(value.bytes().map(mask)))
}
