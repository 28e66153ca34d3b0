use super::*;
use crate::{decision::Verdict, engine::decide, index::Index};
use model::transfer::Transfer;
use rulebook::book::Source;

const RULES: &str = "```fact hop.flag\non: hop\nkind: given\ndomain: yes_no\nlabel: F | F\nask: F | F\nknows: exporter\n```\n\
    ```instrument act\ntitle: T | T\nnumber: 1\nsource: https://law.example/act\nlanguage: en\nread: 2024-01-01\nseen: original\nreview: drafted_machine\nsure: high\nfrom: 2020-01-01\n```\n\
    ```layer l\nlabel: L | L\nzone: Z\ntier: A\napplies: yes\ncovers: yes\nchecked: C | C\nnot_checked: N | N\n```\n\
    ```scope l.scope\nlayer: l\nreaches: yes\ncites: A\nsays: S | S\n```\n";

fn made() -> (Arc<Rulebook>, Table) {
    let (book, findings) = Rulebook::parse(vec![Source { path: "a.md".into(), text: RULES.into() }]);
    assert!(rulebook::book::loads(&findings), "{findings:?}");
    let book = Arc::new(book);
    let table = Table::compile(&book, AsOf::then("2024-06-01".parse().unwrap())).unwrap();
    (book, table)
}

fn answer(book: &Rulebook, table: &Table) -> Verdict {
    decide(table, book, &Index::of(book), &book.bind(&Transfer::single([])).unwrap()).verdict
}

#[test]
fn law_that_is_not_found_where_it_should_be_opens_nothing() {
    let (book, mut table) = made();
    assert_eq!(answer(&book, &table), Verdict::Permitted);
    // An outline whose layer the rulebook does not hold.
    let (_, fresh) = made();
    table.layers = fresh.layers.into_iter().map(|l| LayerTable { id: "gone".into(), ..l }).collect();
    assert!(!answer(&book, &table).opens());
}

#[test]
fn a_unit_without_law_opens_nothing() {
    let (book, mut table) = made();
    for layer in &mut table.layers {
        let mut unit = Unit::shut(layer.outline.axes.clone());
        unit.laws.clear();
        layer.linked = OnceLock::from(Linked::of(Arc::new(unit), &table.lexicon));
    }
    assert!(!answer(&book, &table).opens());
    let bits = crate::judge::Bits::of(&table, table.lexicon.pack(&Default::default(), table.as_of.on));
    assert!(!table.judge(&bits, &mut Default::default()).verdict.opens());
}
