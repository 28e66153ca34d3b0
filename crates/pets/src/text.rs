//! Finds persons in running text, English and Japanese: addresses of mail, telephone numbers, identifiers, names, places.
//!
//! A single number proves little, so an identifier is reported only if chance hardly passes its check, or if a word
//! that announces it stands before it. Each search begins at a byte that few texts have (`@`, a digit, a capital, a
//! lead byte of Japanese), so that ordinary text costs a glance.

use crate::classify::Knowledge;
use crate::classify::forms::is_email;
use crate::dictionary::Role;
use std::ops::Range;

mod japanese;
mod names;
mod numbers;

/// A place in a text that points at a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spot {
    /// Where, in bytes.
    pub range: Range<usize>,
    /// What: `email`, `phone`, `person-name`, `address`, or a scheme of the catalogue.
    pub kind: String,
    /// What it does to privacy.
    pub role: Role,
}

// LIMIT: a text is looked at in stretches of at most so many bytes, cut where a line ends.
const STRETCH_BYTES_MAX: usize = 1 << 20;

/// Finds spots, in the order of the text, without overlap.
pub fn find(text: &str, knowledge: &Knowledge) -> Vec<Spot> {
    let (mut out, mut from) = (Vec::new(), 0);
    while let Some(stretch) = text.get(from..).map(stretch).filter(|s| !s.is_empty()) {
        let mut spots = Vec::new();
        mails(stretch, &mut spots);
        numbers::find(stretch, knowledge, &mut spots);
        if !stretch.is_ascii() {
            japanese::find(stretch, knowledge, &mut spots);
        }
        names::find(stretch, knowledge, &mut spots);
        out.extend(apart(spots).into_iter().map(|mut spot| {
            spot.range = from + spot.range.start..from + spot.range.end;
            spot
        }));
        from += stretch.len();
    }
    out
}

fn stretch(rest: &str) -> &str {
    if rest.len() <= STRETCH_BYTES_MAX {
        return rest;
    }
    let most = rest.get(..rest.floor_char_boundary(STRETCH_BYTES_MAX)).unwrap_or(rest);
    most.rfind('\n').and_then(|end| most.get(..=end)).unwrap_or(most)
}

/// The text with each spot covered by its kind: `Call [person-name] at [phone]`.
pub fn covered(text: &str, spots: &[Spot]) -> String {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for spot in spots {
        out.push_str(text.get(from..spot.range.start).unwrap_or(""));
        out.push('[');
        out.push_str(&spot.kind);
        out.push(']');
        from = spot.range.end;
    }
    out.push_str(text.get(from..).unwrap_or(""));
    out
}

/// Of spots that overlap, the one that was found by the surer search: they come in that order.
fn apart(spots: Vec<Spot>) -> Vec<Spot> {
    let mut kept: std::collections::BTreeMap<usize, Spot> = std::collections::BTreeMap::new();
    for spot in spots {
        let before = kept.range(..spot.range.end).next_back();
        if before.is_none_or(|(_, b)| b.range.end <= spot.range.start) {
            kept.insert(spot.range.start, spot);
        }
    }
    kept.into_values().collect()
}

fn spot(spots: &mut Vec<Spot>, range: Range<usize>, kind: &str, role: Role) {
    spots.push(Spot { range, kind: kind.into(), role });
}

fn mails(text: &str, spots: &mut Vec<Spot>) {
    for (at, _) in text.match_indices('@') {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
        let start =
            text.get(..at).map_or(at, |before| at - before.chars().rev().take_while(|&c| plain(c)).count());
        let length = text.get(at + 1..).map_or(0, |after| after.chars().take_while(|&c| plain(c)).count());
        let end = at + 1 + length;
        let found = text.get(start..end).unwrap_or("").trim_end_matches(['.', '-']);
        if is_email(found) {
            spot(spots, start..start + found.len(), "email", Role::DirectIdentifier);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::tests::knowledge;

    #[test]
    fn spots_in_letters_of_both_languages() {
        let knowledge = knowledge();
        let check = |text: &str, expect: &[(&str, &str)]| {
            let found: Vec<(String, &str)> =
                find(text, &knowledge).into_iter().map(|s| (s.kind, &text[s.range])).collect();
            let found: Vec<(&str, &str)> = found.iter().map(|(k, t)| (k.as_str(), *t)).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("Please write to lisa.lee@example.com.", &[("email", "lisa.lee@example.com")]);
        check(
            "Call Mr. Brown at +44 20 7946 0958 today",
            &[("person-name", "Brown"), ("phone", "+44 20 7946 0958")],
        );
        check(
            "Seen with James Wilson yesterday; blood pressure 138/78, weight 53.5 kg.",
            &[("person-name", "James Wilson")],
        );
        check(
            "佐藤花子様の電話番号は090-0123-4567です。",
            &[("person-name", "佐藤花子"), ("phone", "090-0123-4567")],
        );
        check(
            "担当の鈴木さんに連絡。マイナンバー：123456789018",
            &[("person-name", "鈴木"), ("jp-my-number", "123456789018")],
        );
        check(
            "住所は東京都千代田区霞が関1-2-3、〒100-0013",
            &[("address", "東京都千代田区霞が関1-2-3"), ("address", "〒100-0013")],
        );
        check(
            "Card 4111 1111 1111 1111, IBAN GB82 WEST 1234 5698 7654 32.",
            &[("payment-card", "4111 1111 1111 1111"), ("iban", "GB82 WEST 1234 5698 7654 32")],
        );
    }

    #[test]
    fn a_long_text_is_read_to_its_end() {
        let text = format!("{}Call Mr. Brown at +44 20 7946 0958", "Nothing is here.\n".repeat(140_000));
        let spots = find(&text, &knowledge());
        assert_eq!(
            spots.iter().map(|s| &text[s.range.clone()]).collect::<Vec<_>>(),
            ["Brown", "+44 20 7946 0958"]
        );
    }

    #[test]
    fn what_was_found_is_covered_and_the_rest_stays() {
        let text = "Call Mr. Brown at +44 20 7946 0958, 佐藤花子様にも。";
        let spots = find(text, &knowledge());
        assert_eq!(covered(text, &spots), "Call Mr. [person-name] at [phone], [person-name]様にも。");
        assert_eq!(covered("nobody", &[]), "nobody");
    }

    #[test]
    fn words_and_order_numbers_are_no_persons() {
        let knowledge = knowledge();
        for text in [
            "The order 123456789018 was shipped on 2026-04-01 at 10:30.",
            "Mark the frame, will you? Grace period ends.",
            "本田の工場の林を東へ進む。",
            "Temperature rose to 48.5 and 1,250 units were made in 2025.",
            "山口県の人口は減った。",
            "Version 10.2.33 build 20260401.",
        ] {
            assert_eq!(find(text, &knowledge), [], "{text}");
        }
    }
}
