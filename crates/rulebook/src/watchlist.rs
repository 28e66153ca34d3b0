//! The official pages that the rulebook was read from: whoever keeps it current looks at these.

use crate::book::Rulebook;
use model::{
    CivilDate,
    citation::{Review, Seen},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One official page, and what rests on it.
#[derive(Clone, Debug, Serialize)]
pub struct OfficialPage<'a> {
    /// Its address.
    pub link: &'a str,
    /// The instruments whose rules name it.
    pub instruments: BTreeSet<&'a str>,
    /// How many rules and list entries name it.
    pub rules: usize,
    /// The oldest reading of them.
    pub read: CivilDate,
    /// The least that happened to one of them.
    pub review: Review,
    /// The least that was read for one of them.
    pub seen: Seen,
}

/// Every official page, the oldest reading first.
pub fn official_pages(book: &Rulebook) -> Vec<OfficialPage<'_>> {
    let mut pages: BTreeMap<&str, OfficialPage<'_>> = BTreeMap::new();
    let lists = book.lists.values().map(|l| &l.head);
    let heads = book.heads().into_iter().map(|(_, head)| head).chain(lists);
    for head in heads.filter(|h| h.source.starts_with("https://") || h.source.starts_with("http://")) {
        let page = pages.entry(&head.source).or_insert_with(|| OfficialPage {
            link: &head.source,
            instruments: BTreeSet::new(),
            rules: 0,
            read: head.read,
            review: head.review,
            seen: head.seen,
        });
        page.instruments.insert(&head.instrument);
        page.rules += 1;
        page.read = page.read.min(head.read);
        page.review = page.review.min(head.review);
        page.seen = page.seen.min(head.seen);
    }
    let mut out: Vec<OfficialPage<'_>> = pages.into_values().collect();
    out.sort_by_key(|p| (p.read, p.link));
    out
}

/// What a page says, without what changes at each look: markup, scripts and runs of white space. Other files are taken as they are.
pub fn told(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let head: String = text.chars().take(1_024).collect::<String>().to_ascii_lowercase();
    if !head.contains("<html") && !head.contains("<!doctype html") {
        return bytes.to_vec();
    }
    let mut out = String::with_capacity(text.len() / 2);
    let mut rest: &str = &text;
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        out.push(' ');
        let name: String = tag.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
        rest = match name.as_str() {
            "script" | "style" | "noscript" => after(tag, &format!("</{name}")),
            _ => tag,
        };
        rest = rest.split_once('>').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ").into_bytes()
}

/// What follows an ending, however its letters are written.
fn after<'t>(text: &'t str, ending: &str) -> &'t str {
    let at = text.to_ascii_lowercase().find(ending);
    at.and_then(|i| text.get(i..)).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn markup_and_scripts_say_nothing() {
        let a = "<!DOCTYPE html><html><head><STYLE>p{}</STYLE><script>var n=1;</script></head><body><p class=a>Article 1</p>\n<p>Data may go.</p></body></html>";
        let b = a.replace("n=1", "n=2").replace("class=a", "class='b c'").replace('\n', "  \r\n ");
        assert_eq!(told(a.as_bytes()), b"Article 1 Data may go.");
        assert_eq!(told(a.as_bytes()), told(b.as_bytes()));
        assert_ne!(told(a.as_bytes()), told(a.replace("may go", "may not go").as_bytes()));
        assert_eq!(told(b"%PDF-1.7 <p>  x"), b"%PDF-1.7 <p>  x");
    }
}
