use super::*;
use crate::book::{Source, parse_said};
use model::{CivilDate, transfer::Transfer};

const WORDS: &str = "```places iso\nvalue DE: Germany | ドイツ\nvalue IN: India | インド\n```\n\
    ```fact party.place\non: party\nkind: given\ndomain: place\nknows: exporter\nlabel: Place | 場所\nask: Where is {party}? | {party}はどこですか。\n```\n\
    ```fact hop.mode\non: hop\nkind: given\ndomain: yes_no\nknows: exporter\nlabel: Remote | 遠隔\nask: Remote? | 遠隔ですか。\n```\n\
    ```fact assessment.x\non: hop\nkind: determination\nby: exporter\ndomain: one of\nknows: exporter\nlabel: X | X\nask: Made? | 実施しましたか。\n```\n";

const FORM: &str = "# A form\n\n```form de.tia\nkind: assessment\ntitle: Assessment | 評価\nfact: assessment.x\ncites: Act, Art. 1\nsays: Is made. | 行う。\nsource: https://law.example/1\nfrom: 2020-01-01\nread: 2026-11-22\n```\n\n\
    ## English\n\n{{exporter.name}} to {{recipient.name}} in {{recipient.place}}; from {{exporter.place}}.\n{{when hop.mode}}\nRemote access: who?\n{{end}}\n\n## 日本語\n\n{{recipient.place}}。\n";

fn book(form: &str) -> (Rulebook, Vec<Diagnostic>) {
    Rulebook::parse(vec![
        Source { path: "forms/de.md".into(), text: form.into() },
        Source { path: "vocabulary/x.md".into(), text: WORDS.into() },
    ])
}

fn filled(facts: &[(&str, &str)], language: Language) -> Filled {
    let (book, findings) = book(FORM);
    assert!(findings.is_empty(), "{findings:?}");
    let bound = book.bind(&Transfer::single(facts.iter().map(|(s, v)| (s.to_string(), parse_said(v))))).unwrap();
    let paper = Paper { crossing: &bound.crossings[0], exporter: Some("Nord GmbH"), recipient: None, data: None, today: CivilDate::from_days(0), transfer: bound.transfer };
    book.fill(book.form("de.tia").unwrap(), &paper, language)
}

#[test]
fn what_is_known_is_written_and_what_is_not_stays_a_blank_with_its_question() {
    let en = filled(&[("recipient.place", "IN"), ("hop.mode", "no")], Language::En);
    assert_eq!(en.text, "Nord GmbH to ______ in India; from ______ (Where is the exporter?).\n");
    assert_eq!(en.blanks, 2);
    assert_eq!(filled(&[("recipient.place", "IN")], Language::Ja).text, "インド。\n");
}

#[test]
fn a_part_stays_unless_its_condition_certainly_fails() {
    assert!(filled(&[], Language::En).text.contains("Remote access"), "nobody said that there is none");
    assert!(filled(&[("hop.mode", "yes")], Language::En).text.contains("Remote access"));
    assert!(!filled(&[("hop.mode", "no")], Language::En).text.contains("Remote access"));
}

#[test]
fn a_form_that_names_what_is_not_there_is_a_finding_and_a_form_decides_nothing() {
    let (_, findings) = book(&FORM.replace("{{recipient.place}};", "{{recipient.plaec}};"));
    assert_eq!((findings[0].code, findings[0].help.contains("recipient.place")), ("TGT-R012", true), "{findings:?}");
    let (_, findings) = book(&FORM.replace("{{end}}\n", ""));
    assert_eq!(findings[0].code, "TGT-R005");
    let (_, findings) = book(&FORM.replace("fact: assessment.x", "fact: hop.mode"));
    assert_eq!(findings[0].code, "TGT-R012");
    let (a, b) = (book(FORM).0, book(&FORM.replace("Remote access", "Access")).0);
    assert_eq!(a.digest(), b.digest());
    assert_ne!(a.form("de.tia").unwrap().digest, b.form("de.tia").unwrap().digest);
}
