//! Provisions as a Japanese reader cites them: `APPI Art. 28(1)` is 個人情報保護法28条1項.
//!
//! A citation is written once, in English, beside the rule. Its Japanese is made from it: the name of the instrument by a
//! table, articles and paragraphs by their form. What is in neither stays as it stands, so that no number is ever lost.

use model::text::Language;
use std::{borrow::Cow, sync::OnceLock};

/// Names of instruments: English, Japanese, and how its articles are divided: `paragraphs`, or `items` as in Japanese law.
/// Where nothing is said brackets stay as they are: a `(2)` may be a paragraph in one law and an item in another.
const NAMES: &str = include_str!("../i18n/citations.tsv");

/// Words that stand before the number of an article, the longer first.
const MARKS: [&str; 7] = ["Article ", "Arts ", "Arts. ", "Art. ", "Art ", "ss. ", "s. "];

/// How the brackets after an article are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Divided {
    /// As they stand.
    Unsaid,
    /// `(2)` is a paragraph.
    Paragraphs,
    /// And `(ii)` an item.
    Items,
}

struct Name {
    english: &'static str,
    japanese: &'static str,
    divided: Divided,
}

/// The names, the longer first.
fn names() -> &'static [Name] {
    static NAMED: OnceLock<Vec<Name>> = OnceLock::new();
    NAMED.get_or_init(|| {
        let read = |line: &'static str| {
            let mut columns = line.split('\t');
            let (english, japanese) = (columns.next()?, columns.next()?);
            let divided = match columns.next() {
                Some("items") => Divided::Items,
                Some("paragraphs") => Divided::Paragraphs,
                _ => Divided::Unsaid,
            };
            Some(Name { english, japanese, divided })
        };
        let mut names: Vec<Name> = NAMES.lines().filter_map(read).collect();
        names.sort_by_key(|n| usize::MAX - n.english.len());
        names
    })
}

/// A citation, or several set apart by semicolons, in a language.
pub fn cite(language: Language, cites: &str) -> Cow<'_, str> {
    match language {
        Language::En => Cow::Borrowed(cites),
        Language::Ja => {
            // An act of Japan speaks for the rules and orders that are cited after it.
            let mut of_japan = false;
            let parts: Vec<String> = cites.split("; ").map(|one| provision(one, &mut of_japan)).collect();
            Cow::Owned(parts.join("、"))
        }
    }
}

/// One provision: the instrument, then its articles.
fn provision(text: &str, of_japan: &mut bool) -> String {
    let name = names().iter().find(|n| text.strip_prefix(n.english).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)));
    let (mut out, mut rest) = match name {
        Some(n) => {
            *of_japan |= n.divided == Divided::Items;
            (n.japanese.to_string(), text.get(n.english.len()..).unwrap_or_default())
        }
        None => (String::new(), text),
    };
    let divided = name.map_or(Divided::Unsaid, |n| n.divided);
    let divided = if *of_japan && divided == Divided::Unsaid { Divided::Items } else { divided };
    while let Some((before, after)) = mark(rest) {
        // A Japanese name and its article are written together.
        let joint = if out.ends_with(|c: char| !c.is_ascii()) { before.trim_start() } else { before };
        out.push_str(joint);
        let (articles, left) = articles(after, divided);
        out.push_str(&articles);
        rest = left;
    }
    out + &rest.replace(" last sentence", "後段")
}

/// The text before and after the first mark that an article's number follows.
fn mark(text: &str) -> Option<(&str, &str)> {
    let at = |m: &&str| {
        let found = text.match_indices(*m).find(|(i, _)| {
            let starts = text.get(..*i).is_some_and(|b| !b.ends_with(char::is_alphanumeric));
            starts && text.get(i + m.len()..).is_some_and(|a| a.starts_with(|c: char| c.is_ascii_digit()))
        });
        found.map(|(i, _)| (i, m.len()))
    };
    let (i, n) = MARKS.iter().filter_map(at).min_by_key(|(i, n)| (*i, usize::MAX - n))?;
    Some((text.get(..i)?, text.get(i + n..)?))
}

/// Articles set apart by commas, dashes or `and`, and what follows them.
fn articles(text: &str, divided: Divided) -> (String, &str) {
    let (mut out, mut rest) = article(text, divided);
    // Each step takes something from the text, so that it ends.
    while let Some((joint, next)) = JOINTS.iter().find_map(|(between, joint)| Some((joint, rest.strip_prefix(between)?))) {
        let (more, left) = match next.chars().next() {
            Some(c) if c.is_ascii_digit() => article(next, divided),
            Some('(') => parts(next, divided, false),
            _ => break,
        };
        if more.is_empty() {
            break;
        }
        out.push_str(joint);
        out.push_str(&more);
        rest = left;
    }
    (out, rest)
}

/// What stands between two articles.
const JOINTS: [(&str, &str); 4] = [(", ", "・"), ("–", "〜"), (" and ", "・"), (" or ", "・")];

/// One article: its number, then its paragraphs and items.
fn article(text: &str, divided: Divided) -> (String, &str) {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.')).unwrap_or(text.len());
    let number = text.get(..end).unwrap_or_default().trim_end_matches(['.', '-']);
    let mut pieces = number.split('-');
    let mut out = format!("{}条", pieces.next().unwrap_or_default());
    for piece in pieces {
        out.push('の');
        out.push_str(piece);
    }
    let (more, rest) = parts(text.get(number.len()..).unwrap_or_default(), divided, number.contains('-'));
    (out + &more, rest)
}

/// Paragraphs and items in brackets, one after another: `(2)(c)`. After a branch number each is counted aloud: 27条の12第3号.
fn parts(text: &str, divided: Divided, branch: bool) -> (String, &str) {
    let (mut out, mut rest) = (String::new(), text);
    let aloud = if branch { "第" } else { "" };
    while let Some((part, left)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
        let short = !part.is_empty() && part.len() <= 5 && part.chars().all(|c| c.is_ascii_alphanumeric());
        if !short {
            break;
        }
        out.push_str(&match (divided, part.parse::<u32>(), roman(part)) {
            (Divided::Paragraphs | Divided::Items, Ok(n), _) if out.is_empty() => format!("{aloud}{n}項"),
            (Divided::Items, _, Some(n)) => format!("{aloud}{n}号"),
            _ => format!("({part})"),
        });
        rest = left;
    }
    (out, rest)
}

/// A small roman number.
fn roman(text: &str) -> Option<usize> {
    const ROMAN: [&str; 20] =
        ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xvi", "xvii", "xviii", "xix", "xx"];
    ROMAN.iter().position(|r| *r == text).map(|i| i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_paragraphs_and_items_are_named_as_in_japanese_law() {
        for (english, japanese) in [
            ("APPI Art. 28(1)", "個人情報保護法28条1項"),
            ("APPI Art. 28(1), (2); Enforcement Rules Art. 17", "個人情報保護法28条1項・2項、施行規則17条"),
            ("APPI Art. 27(1)(i)–(iv)", "個人情報保護法27条1項1号〜4号"),
            ("Telecommunications Business Act Art. 27-12(iii)", "電気通信事業法27条の12第3号"),
            ("GDPR Art. 46(2)(c), 46(1)", "GDPR 46条2項(c)・46条1項"),
            ("UK GDPR Arts 44, 46 and 49", "英国GDPR 44条・46条・49条"),
            ("PDPA s. 28(2)", "PDPA 28条(2)"),
            ("APPI Art. 28(1) last sentence", "個人情報保護法28条1項後段"),
            ("C-311/18", "C-311/18"),
            ("Act No. 44 of 2020, Suppl. Art. 5", "Act No. 44 of 2020, Suppl. 5条"),
        ] {
            assert_eq!(cite(Language::Ja, english), japanese);
            assert_eq!(cite(Language::En, english), english);
        }
    }

    /// Every line of the rulebook that cites.
    fn cited(folder: &std::path::Path, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                cited(&path, out);
            } else if path.extension().is_some_and(|e| e == "md") {
                let text = std::fs::read_to_string(&path).unwrap();
                out.extend(text.lines().filter(|l| l.starts_with("cites")).filter_map(|l| Some(l.split_once(": ")?.1.to_string())));
            }
        }
    }

    #[test]
    fn no_number_of_a_provision_of_the_rulebook_is_lost() {
        let mut all = Vec::new();
        cited(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules"), &mut all);
        assert!(all.len() > 1_000, "{}", all.len());
        let numbers = |text: &str| -> Vec<String> { text.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).map(str::to_string).collect() };
        for english in &all {
            let japanese = cite(Language::Ja, english);
            // Items of Japanese law are written in roman numbers in English, and counted in Japanese.
            let mut told = numbers(&japanese).into_iter();
            for n in numbers(english) {
                assert!(told.any(|t| t == n), "{english}: {japanese}: {n}");
            }
        }
    }
}
