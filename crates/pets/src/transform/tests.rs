use super::*;
use arrow_array::{Int64Array, StringArray};

fn text(act: &str, value: &str) -> Option<String> {
    let plan = Plan::parse(&format!("[columns.x]\n{act}")).unwrap();
    Cell::of(&plan.columns["x"], "x", None).apply(value)
}

#[test]
fn each_act_on_a_cell() {
    let check = |act: &str, value: &str, expect: &str| {
        assert_eq!(text(act, value).as_deref(), (!expect.is_empty()).then_some(expect), "{act} {value}")
    };
    check("act='bin'\nwidth=5", "24", "[20,25)");
    check("act='bin'\nwidth=5", "25", "[25,30)");
    check("act='bin'\nwidth=5\nabove=85", "92", ">=85");
    check("act='bin'\nwidth=10\nabove=85", "82", "[80,85)");
    check("act='bin'\nwidth=10\nbelow=18", "19", "[18,20)");
    check("act='bin'\nwidth=10\nbelow=18", "17", "<18");
    check("act='bin'\nwidth='0.5'", "6.2", "[6,6.5)");
    check("act='bin'\nwidth=5", "unknown", "");
    check("act='clamp'\nbelow=40\nabove=120", "39.9", "<40");
    check("act='clamp'\nbelow=40\nabove=120", "79.50", "79.5");
    check("act='date'\nto='year'", "1952-12-26", "1952");
    check("act='date'\nto='quarter'", "昭和27年12月26日", "1952-Q4");
    check("act='date'\nto='decade'", "1952-12-26", "1950s");
    check("act='date'\nto='year'", "03/04/2020", "");
    check("act='prefix'\nkeep=3", "984-7289", "984*");
    check("act='prefix'\nkeep=1", "東京都", "東*");
    check("act='map'\nto={Tokyo='Kanto'}", "Tokyo", "Kanto");
    check("act='map'\nto={Tokyo='Kanto'}", "Osaka", "");
    check("act='map'\nto={Tokyo='Kanto'}\notherwise='elsewhere'", "Osaka", "elsewhere");
    check("act='suppress'", "anything", "");
    check("act='ip'\nv4=24\nv6=48", "192.0.2.77", "192.0.2.0/24");
    check("act='ip'\nv4=24\nv6=48", "2001:db8:1:2::7", "2001:db8:1::/48");
    check("act='ip'\nv4=0\nv6=0", "192.0.2.77", "0.0.0.0/0");
    check("act='ip'\nv4=24\nv6=48", "not an address", "");
}

#[test]
fn days_of_one_person_move_together_and_tokens_need_the_key() {
    let column = |v: &[Option<&str>]| Arc::new(arrow_array::StringArray::from(v.to_vec())) as ArrayRef;
    let table = RecordBatch::try_from_iter([
        ("patient", column(&[Some("a"), Some("a"), Some("b"), None])),
        (
            "seen",
            column(&[Some("2026-01-10"), Some("令和8年1月20日"), Some("2026-01-10"), Some("2026-01-10")]),
        ),
    ])
    .unwrap();
    let plan = Plan::parse(
        "[columns.patient]\nact='token'\n[columns.seen]\nact='shift'\nperson='patient'\ndays=90",
    )
    .unwrap();
    assert_eq!(Border::prepare(&plan, &table.schema(), None).unwrap_err().code(), "pets/needs-key");
    let domain =
        crate::pseudonym::Domain { recipient: "r".into(), purpose: "p".into(), period: "1".into() };
    let key = DomainKey::derive(&[3; 32], &domain).unwrap();
    let out = Border::prepare(&plan, &table.schema(), Some(key.clone())).unwrap().apply(&table).unwrap();
    let (patients, seen) = (Cells::of(out.column(0)).unwrap(), Cells::of(out.column(1)).unwrap());
    assert_eq!(key.value("patient", &patients.text(2).unwrap()).as_deref(), Some("b"));
    let day = |row: usize| read_day(&seen.text(row).unwrap()).unwrap().days_since_epoch();
    assert_eq!(day(1) - day(0), 10);
    assert_ne!(day(0), read_day("2026-01-10").unwrap().days_since_epoch());
    assert!((day(2) - read_day("2026-01-10").unwrap().days_since_epoch()).abs() <= 90);
    assert_eq!(seen.text(3), None);
}

#[test]
fn what_an_act_gives_it_could_give_and_raw_values_it_could_not() {
    let acts = [
        "act='bin'\nwidth=5\nabove=85\nbelow=18",
        "act='bin'\nwidth='0.5'",
        "act='clamp'\nbelow=40\nabove=120",
        "act='date'\nto='month'",
        "act='date'\nto='quarter'",
        "act='date'\nto='year'",
        "act='date'\nto='decade'",
        "act='prefix'\nkeep=3",
        "act='map'\nto={Tokyo='Kanto'}\notherwise='elsewhere'",
    ];
    for act in acts {
        let plan = Plan::parse(&format!("[columns.x]\n{act}")).unwrap();
        for value in [
            "3",
            "17.9",
            "18",
            "20",
            "84.5",
            "85",
            "119",
            "121",
            "-4",
            "1952-12-26",
            "984-7289",
            "Tokyo",
            "昭和27年12月26日",
        ] {
            if let Some(given) = text(act, value) {
                assert!(could_give(&plan.columns["x"], &given), "{act} {value} {given}");
                let raw = could_give(&plan.columns["x"], value);
                assert!(!raw || given == value || act.contains("prefix"), "{act} {value}");
            }
        }
        for raw in ["1952-12-26", "Lisa Lee", "984-7289"] {
            assert!(!could_give(&plan.columns["x"], raw), "{act} {raw}");
        }
    }
}

fn table(fields: &[(&str, ArrayRef)]) -> RecordBatch {
    RecordBatch::try_from_iter(fields.iter().cloned()).unwrap()
}

fn column(values: Vec<&str>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

#[test]
fn a_column_that_appears_later_than_the_plan_stops_at_the_border() {
    let plan = Plan::parse("[columns.age]\nact='bin'\nwidth=10\n[columns.name]\nact='drop'").unwrap();
    let first = table(&[("name", column(vec!["a"])), ("age", Arc::new(Int64Array::from(vec![34])))]);
    let border = Border::prepare(&plan, &first.schema(), None).unwrap();
    let out = border.apply(&first).unwrap();
    assert_eq!(
        out,
        table(&[("age", column(vec!["[30,40)"]))]).with_schema(border.schema().clone()).unwrap()
    );
    let later = table(&[
        ("name", column(vec!["a"])),
        ("age", Arc::new(Int64Array::from(vec![34]))),
        ("phone", column(vec!["1"])),
    ]);
    assert!(matches!(border.apply(&later), Err(Refusal::UnplannedColumn(name)) if name == "phone"));
    assert!(matches!(Border::prepare(&plan, &later.schema(), None), Err(Refusal::UnplannedColumn(_))));
    let swapped = table(&[("age", Arc::new(Int64Array::from(vec![34]))), ("name", column(vec!["a"]))]);
    assert!(matches!(border.apply(&swapped), Err(Refusal::SchemaChanged(_))));
    let retyped = table(&[("name", column(vec!["a"])), ("age", column(vec!["34"]))]);
    assert!(matches!(border.apply(&retyped), Err(Refusal::SchemaChanged(name)) if name == "age"));
    let missing = table(&[("name", column(vec!["a"]))]);
    assert!(
        matches!(Border::prepare(&plan, &missing.schema(), None), Err(Refusal::MissingColumn(name)) if name == "age")
    );
}

#[test]
fn a_pseudonym_needs_a_key_and_batches_are_independent() {
    let plan = Plan::parse("[columns.id]\nact='pseudonym'").unwrap();
    let (one, two) = (table(&[("id", column(vec!["1", "2"]))]), table(&[("id", column(vec!["2"]))]));
    assert!(matches!(Border::prepare(&plan, &one.schema(), None), Err(Refusal::NeedsKey(_))));
    let domain =
        crate::pseudonym::Domain { recipient: "r".into(), purpose: "p".into(), period: "2026".into() };
    let border =
        Border::prepare(&plan, &one.schema(), DomainKey::derive(&[1; 32], &domain).ok()).unwrap();
    let (one, two) = (border.apply(&one).unwrap(), border.apply(&two).unwrap());
    let read = |b: &RecordBatch, row| Cells::of(b.column(0)).unwrap().text(row).unwrap().into_owned();
    assert_eq!(read(&one, 1), read(&two, 0));
    assert_ne!(read(&one, 0), read(&one, 1));
}
