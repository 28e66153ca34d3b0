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

pub(crate) fn is_postcode(value: &str) -> bool {
    let digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
    let japanese = value.trim_start_matches('〒').trim();
    if let Some((area, rest)) = japanese.split_once('-') {
        return digits(area, 3) && digits(rest, 4) || digits(area, 5) && (digits(rest, 4) || digits(rest, 3));
    }
    // Britain: one or two letters, a digit, perhaps one more, a space, digit, two letters.
    let Some((out, inward)) = value.split_once(' ') else { return false };
    let inward = inward.as_bytes();
    (2..=4).contains(&out.len())
        && out.starts_with(|c: char| c.is_ascii_uppercase())
        && out.bytes().any(|b| b.is_ascii_digit())
        && matches!(inward, [d, a, b] if d.is_ascii_digit() && a.is_ascii_uppercase() && b.is_ascii_uppercase())
}
