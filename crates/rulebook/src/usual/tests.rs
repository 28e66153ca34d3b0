use super::*;
use crate::book::Source;
use model::transfer::Transfer;

const WORDS: &str = "```places iso\nvalue DE: Germany | ドイツ\nvalue JP: Japan | 日本\n```\n\
    ```fact party.place\non: party\nkind: given\ndomain: place\nknows: exporter\nlabel: Place | 場所\nask: Where? | どこ。\n```\n\
    ```fact party.targets\non: party\nkind: given\ndomain: places\nknows: exporter\nlabel: Targets | 対象\nask: Which? | どこ。\nusual: party.place\n```\n\
    ```fact hop.same\non: hop\nkind: given\ndomain: yes_no\nknows: exporter\nlabel: Same | 同じ\nask: Same? | 同じですか。\nusual: no\n```\n\
    ```fact hop.other\non: hop\nkind: given\ndomain: yes_no\nknows: exporter\nlabel: Other | 他\nask: Other? | 他ですか。\n```\n\
    ```constraint c\nnever: hop.other and not hop.same\nsays: Other is the same | 他は同じ\n```\n";

fn book(words: &str) -> (Rulebook, Vec<Diagnostic>) {
    Rulebook::parse(vec![Source { path: "vocabulary/x.md".into(), text: words.into() }])
}

#[test]
fn what_is_usual_fills_what_nobody_said_and_contradicts_nothing() {
    let (book, findings) = book(WORDS);
    assert!(findings.is_empty(), "{findings:?}");
    let of = |facts: &[(&str, &str)]| {
        let flat: Vec<_> = facts.iter().map(|(s, v)| (s.to_string(), parse_said(v))).collect();
        book.suppose(&book.bind(&Transfer::single(flat)).unwrap()).1.remove(0)
    };
    assert_eq!(of(&[("exporter.place", "DE")]), ["hop.same", "exporter.targets"]);
    assert_eq!(of(&[("exporter.place", "DE"), ("exporter.targets", "{JP}"), ("hop.other", "yes")]), Vec::<String>::new());
}

#[test]
fn a_usual_value_that_the_fact_does_not_take_is_a_finding() {
    let (_, findings) = book(&WORDS.replace("usual: no", "usual: perhaps"));
    assert_eq!(findings[0].code, "TGT-R008");
}

const PARTY: &str = "```fact party.capacity\non: party\nkind: given\ndomain: set of\nvalue controller: C | C\nvalue processor: P | P\nknows: exporter\nlabel: Capacity | 立場\nask: Which? | どれ。\n\
    usual: controller\nusual recipient: processor when hop.entrusted\n```\n\
    ```fact party.kind\non: party\nkind: given\ndomain: one of\nvalue company: C | C\nvalue state: S | S\nknows: exporter\nlabel: Kind | 種類\nask: Which? | どれ。\nusual: company\nusual: ask when party.place is JP and party.capacity is otherwise\n```\n\
    ```fact hop.entrusted\non: hop\nkind: given\ndomain: yes_no\nknows: exporter\nlabel: Entrusted | 委託\nask: Is it? | そうですか。\nusual: no\n\
    usual: yes when recipient.capacity has only {processor} and recipient.capacity has any {processor}\nusual: ask when recipient.capacity has all {controller, processor}\n```\n";

fn supposed(said: &[(&str, &str)]) -> Vec<String> {
    let (book, findings) = book(&format!("{WORDS}{PARTY}"));
    assert!(findings.is_empty(), "{findings:?}");
    let flat: Vec<_> = said.iter().map(|(s, v)| (s.to_string(), parse_said(v))).collect();
    let (bound, mut slots) = book.suppose(&book.bind(&Transfer::single(flat)).unwrap());
    let of = |slot: &String| format!("{slot}={}", bound.crossings[0].facts[slot].known);
    slots.remove(0).iter().filter(|s| s.contains("recipient.") || s.contains("entrusted")).map(of).collect()
}

#[test]
fn what_is_usual_follows_what_was_told() {
    assert_eq!(supposed(&[]), ["hop.entrusted=no", "recipient.capacity={controller}", "recipient.kind=company"]);
    // What was told of the recipient makes another thing usual of the hop, and the other way round.
    assert_eq!(supposed(&[("recipient.capacity", "processor")]), ["hop.entrusted=yes"]);
    assert_eq!(supposed(&[("hop.entrusted", "yes")]), ["recipient.capacity={processor}", "recipient.kind=company"]);
    assert_eq!(supposed(&[("recipient.capacity", "{controller,processor}")]), Vec::<String>::new());
}

#[test]
fn nothing_is_usual_where_a_condition_may_hold() {
    let kind = |said: &[(&str, &str)]| supposed(said).iter().any(|s| s.starts_with("recipient.kind"));
    let otherwise = ("recipient.capacity", "processor");
    assert!(kind(&[("recipient.place", "JP"), ("recipient.capacity", "controller")]));
    assert!(kind(&[("recipient.place", "DE"), otherwise]));
    assert!(!kind(&[("recipient.place", "JP"), otherwise]));
    // Where it is nobody said: it may be there.
    assert!(!kind(&[otherwise]));
}

#[test]
fn conditions_of_usual_lines_are_checked() {
    let fault = |from: &str, to: &str| {
        let words = format!("{WORDS}{PARTY}");
        assert!(words.contains(from));
        book(&words.replace(from, to)).1.first().map(|d| (d.code, d.message.clone())).unwrap()
    };
    assert_eq!(fault("when hop.entrusted", "when hop.intrusted").0, "TGT-R014");
    assert_eq!(fault("has only {processor}", "has only {proces}").0, "TGT-R014");
    assert_eq!(fault("has only {processor}", "is processor").0, "TGT-R015");
    assert_eq!(fault("recipient: processor when hop.entrusted", "receiver: processor when hop.entrusted").1, "`receiver` is no role");
    assert_eq!(fault("party.capacity is otherwise", "party.place is otherwise").1, "nothing is usual of `exporter.place`");
    assert_eq!(fault("usual: ask when party.place is JP and party.capacity is otherwise", "usual: state").1, "`usual` is said twice");
    assert_eq!(fault("usual: company\n", "usual: ask\n").0, "TGT-R008");
    let (_, findings) = book(&format!("{WORDS}{PARTY}```extend hop.entrusted\nusual: yes\n```\n"));
    assert_eq!(findings.first().map(|d| d.code), Some("TGT-R008"));
}

#[test]
fn the_order_of_lines_does_not_matter_and_an_extension_adds_one() {
    let more = "```extend hop.entrusted\nusual: ask when recipient.capacity has any {processor}\n```\n";
    let (book, findings) = book(&format!("{more}{WORDS}{PARTY}"));
    assert!(findings.is_empty(), "{findings:?}");
    let bound = book.bind(&Transfer::single([("recipient.capacity".to_string(), parse_said("processor"))])).unwrap();
    assert!(!book.suppose(&bound).1[0].contains(&"hop.entrusted".to_string()));
}
