use super::*;
use arrow_array::{ArrayRef, StringArray};
use std::sync::Arc;

// One file for these tests, those beside the crate and the benchmarks.
#[path = "../../tests/common/knowledge.rs"]
mod house;
pub(crate) use house::knowledge;

/// A CSV without quotes, as batches of text; enough for our own example files.
pub(crate) fn table(text: &str, batch: usize) -> Vec<RecordBatch> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|l| l.split(',').collect()).collect();
    rows.chunks(batch)
        .map(|rows| {
            let column = |i: usize| {
                Arc::new(rows.iter().map(|r| Some(r[i]).filter(|t| !t.is_empty())).collect::<StringArray>())
                    as ArrayRef
            };
            RecordBatch::try_from_iter(names.iter().enumerate().map(|(i, n)| (*n, column(i)))).unwrap()
        })
        .collect()
}

pub(crate) fn health() -> &'static str {
    include_str!("../../../../examples/data/health.csv")
}

#[test]
fn the_health_study_is_told_column_by_column() {
    let scan = Scan::of(&table(health(), 1000), &knowledge());
    let said: Vec<String> = scan
        .columns
        .iter()
        .map(|f| format!("{} {} {}", f.column, f.found.as_ref().map_or("-", |c| &c.kind), f.role.word()))
        .collect();
    assert_eq!(
        said,
        [
            "name person-name direct-identifier",
            "phone phone direct-identifier",
            "email email direct-identifier",
            "my_number jp-my-number identification-code",
            "birth_date birth-date quasi-identifier",
            "prefecture region quasi-identifier",
            "postcode postcode quasi-identifier",
            "respondent record-number linking-code",
            "age age quasi-identifier",
            "sex sex quasi-identifier",
            "race race quasi-identifier",
            "education education quasi-identifier",
            "marital_status marital-status quasi-identifier",
            "household_size household quasi-identifier",
            "household_income income sensitive",
            "income_ratio income sensitive",
            "height_cm health sensitive",
            "weight_kg health sensitive",
            "systolic_mmhg health sensitive",
            "diastolic_mmhg health sensitive",
            "glycohemoglobin health sensitive",
            "diabetes health sensitive",
        ]
    );
    let all = scan.singling_out.iter().find(|s| s.all_quasi).unwrap();
    assert_eq!((all.uniques, all.of), (5265, 5265));
    assert_eq!(scan.column("postcode").unwrap().looks_like.as_deref(), Some("999-9999"));
}

#[test]
fn without_headers_the_values_alone_tell_the_identifiers() {
    let text = health().split_once('\n').unwrap().1;
    let headers: Vec<String> = (1..=22).map(|n| format!("c{n}")).collect();
    let scan = Scan::of(&table(&format!("{}\n{text}", headers.join(",")), 5000), &knowledge());
    let kind = |n: &str| scan.column(n).unwrap().found.as_ref().map_or("-", |c| c.kind.as_str()).to_string();
    let said: Vec<String> = headers.iter().map(|h| kind(h)).collect();
    let expect = [
        "person-name",
        "phone",
        "email",
        "jp-my-number",
        "birth-date",
        "region",
        "postcode",
        "record-number",
        "-",
        "sex",
        "race",
        "-",
        "marital-status",
    ];
    assert_eq!(said[..13], expect);
    assert!(said[13..].iter().all(|s| s == "-"), "{said:?}");
}

#[test]
fn the_sensors_have_no_person() {
    let scan = Scan::of(&table(include_str!("../../../../examples/data/sensor.csv"), 500), &knowledge());
    let roles: Vec<_> = scan.columns.iter().map(|f| (f.column.as_str(), f.role)).collect();
    assert!(roles.iter().all(|(_, role)| *role == Role::NonPersonal), "{roles:?}");
    assert!(scan.singling_out.is_empty());
}

#[test]
fn decoys_are_not_taken_for_identifiers() {
    // Order numbers of twelve digits: one in ten passes the check digit of a My Number, as chance has it.
    let orders: Vec<String> = (0..500u64).map(|n| (100_000_000_000 + n * 7_919).to_string()).collect();
    // Words that are names of people too, and a place.
    let lines: Vec<String> = orders
        .iter()
        .enumerate()
        .map(|(n, o)| {
            format!(
                "{o},{},{}",
                ["mark", "bill", "will", "frame", "bolt", "gear", "valve", "seal", "nut", "ring"][n % 10],
                20 + n % 50
            )
        })
        .collect();
    let scan = Scan::of(&table(&format!("order,part,torque\n{}", lines.join("\n")), 100), &knowledge());
    assert_ne!(scan.column("order").unwrap().found.as_ref().map(|c| c.kind.as_str()), Some("jp-my-number"));
    assert!(scan.column("part").unwrap().found.is_none(), "{:?}", scan.column("part"));
    assert!(scan.column("torque").unwrap().found.is_none());
}

#[test]
fn empty_and_null_columns_have_an_answer() {
    let empty = Scan::of(&[], &knowledge());
    assert!(empty.columns.is_empty() && empty.rows == 0);
    let scan = Scan::of(&table("a,email\n,\n,", 10), &knowledge());
    assert_eq!(scan.column("a").unwrap().missing, 2);
    assert_eq!(scan.column("email").unwrap().role, Role::DirectIdentifier);
}

#[test]
fn a_scan_holds_no_value_of_the_data() {
    let scan = serde_json::to_string(&Scan::of(&table(health(), 1000), &knowledge())).unwrap();
    for line in health().lines().skip(1).take(200) {
        for value in line.split(',').take(8).filter(|v| v.len() > 6) {
            assert!(!scan.contains(value), "{value}");
        }
    }
}

#[test]
fn six_digits_are_postcodes_where_zeros_stand_in_front_and_are_no_days() {
    let kind = |value: &dyn Fn(u32) -> String| {
        let values: StringArray = (0..200).map(|n| Some(value(n))).collect();
        let batch = RecordBatch::try_from_iter([("c1", Arc::new(values) as ArrayRef)]).unwrap();
        let mut found = Scan::of(&[batch], &knowledge()).columns.remove(0);
        (found.found.take().map(|c| c.kind).unwrap_or_default(), found.role)
    };
    // A step that shares no factor with a million visits every first digit.
    let spread = |n: u32| n * 387_421 % 1_000_000;
    assert_eq!(kind(&|n| format!("{:06}", spread(n))), ("postcode".into(), Role::QuasiIdentifier));
    // Numbers that have no zero in front, a running number, and days of three generations are not.
    assert_ne!(kind(&|n| format!("{}", 100_000 + spread(n) % 900_000)).0, "postcode");
    assert_ne!(kind(&|n| format!("{n:06}")).0, "postcode");
    assert_ne!(kind(&|n| format!("{:02}{:02}{:02}", n * 37 % 100, n % 12 + 1, n % 28 + 1)).0, "postcode");
}

#[test]
fn a_column_without_a_value_is_what_its_header_says() {
    let empty = Arc::new(StringArray::from(vec![None::<&str>; 3])) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("my_number", empty.clone()), ("name", empty.clone()), ("c3", empty)]).unwrap();
    let said: Vec<Role> = Scan::of(&[batch], &knowledge()).columns.iter().map(|f| f.role).collect();
    assert_eq!(said, [Role::IdentificationCode, Role::DirectIdentifier, Role::Attribute]);
}

/// Numbers that Estonia and Lithuania would both give out.
fn of_both(n: usize) -> Vec<String> {
    let knowledge = knowledge();
    let scheme = |id: &str| knowledge.catalogue.scheme(id).unwrap();
    let (ee, lt) = (scheme("ee-isikukood"), scheme("lt-asmens-kodas"));
    let passes = |v: &String| [ee, lt].iter().all(|s| s.judge(v) == crate::catalogue::Verdict::Passes);
    let stems = (0..).map(|i: u64| format!("{}{:02}{:02}{:02}{:03}", 3 + i % 4, i * 7 % 100, i % 12 + 1, i % 28 + 1, i * 37 % 1000));
    stems.filter_map(|stem| (0..10).map(|c| format!("{stem}{c}")).find(passes)).take(n).collect()
}

#[test]
fn numbers_of_two_countries_are_parted_by_the_rest_of_the_table_or_stay_beside_each_other() {
    let numbers = of_both(60);
    let check = |beside: &[&dyn Fn(usize) -> String], expect: &str, as_likely: &[&str]| {
        let rows: Vec<String> = (0..60)
            .map(|n| std::iter::once(numbers[n].clone()).chain(beside.iter().map(|f| f(n))).collect::<Vec<_>>().join(","))
            .collect();
        let heads: Vec<String> = (0..=beside.len()).map(|n| format!("c{n}")).collect();
        let scan = Scan::of(&table(&format!("{}\n{}", heads.join(","), rows.join("\n")), 100), &knowledge());
        let found = &scan.columns[0];
        let others: Vec<&str> = found.as_likely().map(|c| c.kind.as_str()).collect();
        assert_eq!((found.found.as_ref().unwrap().kind.as_str(), others.as_slice(), found.role), (expect, as_likely, Role::IdentificationCode), "{heads:?}");
    };
    let phone = |prefix: &'static str| move |n: usize| format!("+{prefix} 5{:07}", n * 7919);
    let town = |name: &'static str| move |n: usize| if n % 3 == 0 { format!("{name} {n}") } else { format!("Berlin {n}") };
    check(&[], "lt-asmens-kodas", &["ee-isikukood"]);
    check(&[&phone("49")], "lt-asmens-kodas", &["ee-isikukood"]);
    check(&[&phone("372")], "ee-isikukood", &[]);
    check(&[&phone("370")], "lt-asmens-kodas", &[]);
    check(&[&town("Tartu")], "ee-isikukood", &[]);
    check(&[&|n| format!("x{n}@firma.ee")], "ee-isikukood", &[]);
    check(&[&|n| format!("LT-{:05}", n * 317)], "lt-asmens-kodas", &[]);
    // One voice for each, and one column that speaks for both.
    check(&[&phone("372"), &town("Vilnius")], "lt-asmens-kodas", &["ee-isikukood"]);
    check(&[&|n| format!("+37{} 5{:07}", if n % 2 == 0 { 2 } else { 0 }, n * 7919)], "lt-asmens-kodas", &["ee-isikukood"]);
    // Two voices against one.
    check(&[&phone("372"), &|n| format!("x{n}@firma.ee"), &town("Vilnius")], "ee-isikukood", &[]);
}
