use super::*;
use model::transfer::Transfer;
use rulebook::book::{Source, parse_said};

const WORDS: &str = "```places iso\nvalue DE: Germany | ドイツ\nvalue IN: India | インド\nvalue US: America | 米国\n```\n\
    ```fact party.place\non: party\nkind: given\ndomain: place\nknows: exporter\nlabel: Place | 場所\nask: Where is {party}? | {party}はどこですか。\n```\n\
    ```fact mechanism.signed_on\non: hop\nkind: given\ndomain: date\nknows: exporter\nlabel: Signed | 締結\nask: When? | いつ。\n```\n\
    ```fact assessment.x\non: hop\nkind: determination\nby: exporter\ndomain: one of\nknows: exporter\nlabel: X | X\nask: Made? | 実施しましたか。\n```\n";
const FORM: &str = "# A form\n\n```form de.tia\nkind: assessment\ntitle: Assessment | 評価\nfact: assessment.x\nmonths: 6\ncites: Act, Art. 1\nsays: Is made. | 行う。\nsource: https://law.example/1\nfrom: 2020-01-01\nread: 2026-11-22\n```\n\n## English\n\nTo {{recipient.name}}.\n\n## 日本語\n\n{{recipient.name}}へ。\n";

fn book() -> Rulebook {
    let (book, findings) = Rulebook::parse(vec![
        Source { path: "forms/de.md".into(), text: FORM.into() },
        Source { path: "vocabulary/x.md".into(), text: WORDS.into() },
    ]);
    assert!(findings.is_empty(), "{findings:?}");
    book
}

fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn crossing(book: &Rulebook, to: &str) -> rulebook::bind::Crossing {
    let flat = [("exporter.place", "DE"), ("recipient.place", to), ("mechanism.signed_on", "2026-01-01")];
    book.bind(&Transfer::single(flat.map(|(s, v)| (s.to_string(), parse_said(v))))).unwrap().crossings.remove(0)
}

fn paper(book: &Rulebook) -> String {
    let crossing = crossing(book, "IN");
    let about = Paper { crossing: &crossing, exporter: None, recipient: None, data: None, today: day("2026-08-31"), transfer: Digest::of(b"t") };
    draw_up(book, book.form("de.tia").unwrap(), &about, Language::En)
}

/// The paper as somebody fills it in.
fn filled(book: &Rulebook, outcome: &str, until: &str) -> String {
    paper(book)
        .replace("To ______.", "To Pune Ltd.")
        .replace("outcome = \"______\"", &format!("outcome = \"{outcome}\""))
        .replace("2027-02-28", until)
        .replace(BLANK, "A. Beispiel")
}

#[test]
fn a_paper_with_a_blank_concludes_nothing_and_a_filled_one_does() {
    let book = book();
    assert!(paper(&book).contains("until = \"2027-02-28\""), "six months after the last of August");
    assert!(matches!(conclude(&book, &paper(&book)), Err(NotConcluded::Blank(_))));
    let record = conclude(&book, &filled(&book, "passes", "2027-02-28")).unwrap();
    assert_eq!((record.fact.as_str(), record.outcome.as_str(), record.by.as_str()), ("assessment.x", "passes", "A. Beispiel"));
    assert_eq!(record.rests_on.keys().collect::<Vec<_>>(), ["exporter.place", "recipient.place"], "the day of signing is no circumstance");
}

#[test]
fn what_cannot_be_signed_for_is_refused() {
    let book = book();
    let is = |text: &str| conclude(&book, text).unwrap_err();
    assert_eq!(is(&filled(&book, "not_made", "2027-02-28")), NotConcluded::Outcome("not_made".into()));
    assert_eq!(is(&filled(&book, "passes", "2028-01-01")), NotConcluded::Term(6));
    assert_eq!(is(&filled(&book, "passes", "2026-08-31")), NotConcluded::Term(6));
    assert!(matches!(is("nothing"), NotConcluded::Block(_)));
    let older = filled(&book, "passes", "2027-02-28").replace(&book.form("de.tia").unwrap().digest.to_string(), &Digest::of(b"older").to_string());
    assert_eq!(is(&older), NotConcluded::Older("de.tia".into()));
}

#[test]
fn a_judgment_counts_for_its_facts_and_its_days_alone() {
    let book = book();
    let record = conclude(&book, &filled(&book, "passes", "2027-02-28")).unwrap();
    let of = |to: &str, on: &str| weigh(&book, &record, &Backing::Unsealed, &book.circumstances(&crossing(&book, to)), day(on));
    let Worth::Counts(said) = of("IN", "2026-09-01") else { panic!("it counts") };
    assert_eq!((said.standing, said.until, said.by.as_deref()), (Standing::Claimed, Some(day("2027-02-28")), Some("A. Beispiel")));
    assert!(matches!(of("US", "2026-09-01"), Worth::OtherFacts(d) if d.len() == 1));
    assert_eq!(of("IN", "2027-02-28"), Worth::OtherDay);
    assert_eq!(of("IN", "2026-08-30"), Worth::OtherDay);
    let elsewhere = Rulebook::default();
    assert_eq!(weigh(&elsewhere, &record, &Backing::Unsealed, &BTreeMap::new(), day("2026-09-01")), Worth::Unknown);
}

#[test]
fn a_seal_that_is_none_is_refused() {
    assert_eq!(backing(b"x", None, &[], Instant(0)), Ok(Backing::Unsealed));
    assert!(backing(b"x", Some(b"not a seal"), &[], Instant(0)).is_err());
}
