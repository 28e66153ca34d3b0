use super::*;
use arrow_array::{ArrayRef, Int64Array, StringArray};
use std::sync::Arc;

fn table(zip: &[&str], age: &[&str], salary: &[i64], disease: &[&str]) -> RecordBatch {
    let text = |v: &[&str]| Arc::new(StringArray::from(v.to_vec())) as ArrayRef;
    RecordBatch::try_from_iter([
        ("zip", text(zip)),
        ("age", text(age)),
        ("salary", Arc::new(Int64Array::from(salary.to_vec())) as ArrayRef),
        ("disease", text(disease)),
    ])
    .unwrap()
}

// Table 3 of Li, Li and Venkatasubramanian, "t-Closeness" (ICDE 2007): nine people, three classes of three.
fn nine() -> RecordBatch {
    table(
        &["476**", "476**", "476**", "4790*", "4790*", "4790*", "476**", "476**", "476**"],
        &["2*", "2*", "2*", ">=40", ">=40", ">=40", "3*", "3*", "3*"],
        &[3, 4, 5, 6, 11, 8, 7, 9, 10],
        &[
            "gastric ulcer",
            "gastritis",
            "stomach cancer",
            "gastritis",
            "flu",
            "bronchitis",
            "bronchitis",
            "pneumonia",
            "stomach cancer",
        ],
    )
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| n.to_string()).collect()
}

fn measure(batches: &[RecordBatch]) -> Measures {
    let mut classes = Classes::of(&names(&["zip", "age"]), &names(&["salary", "disease"]));
    for batch in batches {
        classes.push(batch).unwrap();
    }
    classes.measure()
}

fn r(text: &str) -> Ratio {
    text.parse().unwrap()
}

#[test]
fn the_published_table_has_its_published_measures() {
    let m = measure(&[nine()]);
    assert_eq!((m.sizes.records(), m.sizes.classes(), m.sizes.k()), (9, 3, Some(3)));
    assert_eq!((m.sizes.risk_max(), m.sizes.risk_average()), (r("1/3"), r("1/3")));
    let salary = &m.diversity["salary"];
    assert_eq!((salary.distinct_l, salary.alpha, salary.recursive_c), (3, r("1/3"), Some(r("1/2"))));
    // The paper: D[{3k,4k,5k}, all] = 0.375 and D[{6k,8k,11k}, all] = 0.167; the class {7k,9k,10k} has 0.236.
    assert_eq!(salary.t_ordered, Some(r("3/8")));
    // By hand: three values at 1/3 against 1/9 each: 3 × 2/9.
    assert_eq!((salary.t_equal, salary.beta), (r("2/3"), r("2")));
    let disease = &m.diversity["disease"];
    // Shares of the whole: gastritis, stomach cancer, bronchitis 2/9; ulcer, flu, pneumonia 1/9. First class: 2/9 + 1/9 + 1/9.
    assert_eq!((disease.t_equal, disease.t_ordered, disease.distinct_l), (r("4/9"), None, 3));
    assert!((disease.entropy_l - 3.0).abs() < 1e-12);
}

#[test]
fn order_of_rows_and_cut_into_batches_do_not_matter() {
    let whole = nine();
    let expect = measure(std::slice::from_ref(&whole));
    let parts: Vec<_> = [8, 3, 5, 0, 7, 1, 6, 2, 4].iter().map(|&row| whole.slice(row, 1)).collect();
    assert_eq!(measure(&parts), expect);
}

#[test]
fn sizes_by_hand() {
    let s = Sizes::of([1, 1, 4, 10, 11, 0]);
    assert_eq!((s.records(), s.classes(), s.k(), s.uniques()), (27, 5, Some(1), 2));
    assert_eq!((s.records_below(11), s.records_above(r("0.09")), s.records_above(r("1/11"))), (16, 27, 16));
    assert_eq!(s.risk_average(), r("5/27"));
    let empty = Sizes::of([]);
    assert_eq!((empty.k(), empty.risk_max(), empty.risk_average()), (None, Ratio::ZERO, Ratio::ZERO));
}

#[test]
fn missing_is_a_value_and_an_empty_or_one_row_table_has_answers() {
    let some = |v: Vec<Option<&str>>| Arc::new(StringArray::from(v)) as ArrayRef;
    let batch = RecordBatch::try_from_iter([
        ("q", some(vec![None, Some(""), Some("a")])),
        ("s", some(vec![None, Some("x"), None])),
    ])
    .unwrap();
    let mut classes = Classes::of(&names(&["q"]), &names(&["s"]));
    assert_eq!(classes.measure().diversity["s"].distinct_l, 0);
    assert_eq!(classes.push(&batch).unwrap(), [0, 0, 1]);
    let m = classes.measure();
    assert_eq!((m.sizes.classes(), m.sizes.uniques(), m.diversity["s"].distinct_l), (2, 1, 1));
    assert_eq!(m.diversity["s"].recursive_c, None);
    assert_eq!(classes.push(&nine()), Err(NotCounted::MissingColumn("q".into())));
}

#[test]
fn journalist_risk_counts_the_population_not_the_sample() {
    let column = |v: Vec<&str>| {
        RecordBatch::try_from_iter([("q", Arc::new(StringArray::from(v)) as ArrayRef)]).unwrap()
    };
    let population = column(vec!["a", "a", "a", "b", "b", "c"]);
    let risk =
        against_population(&[column(vec!["a", "b", "z"])], &[population], &names(&["q"])).unwrap().unwrap();
    assert_eq!((risk.k_map, risk.journalist_max, risk.unmatched), (2, r("1/2"), 1));
    assert_eq!(risk.population_uniques, 0);
    // (1/3 + 1/2 + 0) / 3, each size of class rounded down.
    assert_eq!(risk.marketer, r("833333333333/3000000000000"));
}

// Ten thousand people in classes of one to six; one in ten is drawn. The truth is counted, the model must come near.
#[test]
fn the_model_of_population_uniques_errs_upward_and_not_by_far() {
    let (mut people, mut drawn, mut state) = (Vec::new(), BTreeMap::<u64, u64>::new(), 1u64);
    for class in 0u64..4000 {
        people.extend(std::iter::repeat_n(class, 1 + (class * class % 11 / 2) as usize));
    }
    let sizes = |class: u64| people.iter().filter(|&&c| c == class).count();
    for &class in &people {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if state >> 33 < (1 << 31) / 10 {
            *drawn.entry(class).or_default() += 1;
        }
    }
    let sample = Sizes::of(drawn.values().copied());
    let truth = drawn.iter().filter(|&(&class, &n)| n == 1 && sizes(class) == 1).count() as f64;
    let model = sample.expected_population_uniques(people.len() as u64).unwrap() as f64 / 1000.0;
    assert!(truth > 50.0 && model >= truth && model <= sample.uniques() as f64, "{model} {truth}");
    assert_eq!(sample.expected_population_uniques(sample.records()), None);
}

// Two releases, each with classes of two, that together single everyone out.
#[test]
fn two_harmless_releases_together_can_single_out() {
    let some = |v: &[u32]| v.iter().map(|&c| Some(c)).collect::<Vec<_>>();
    let (by_age, by_town) = (some(&[0, 0, 1, 1]), some(&[0, 1, 0, 1]));
    assert_eq!(
        (across(std::slice::from_ref(&by_age)).k(), across(&[by_age.clone(), by_town.clone()]).k()),
        (Some(2), Some(1))
    );
    assert_eq!(across(&[by_age.clone(), by_town]).uniques(), 4);
    assert_eq!(across(&[by_age.clone(), vec![Some(0), None, None, Some(0)]]).uniques(), 4);
    assert_eq!(across(&[by_age, vec![None; 4]]).k(), Some(2));
    assert_eq!(across(&[]).k(), None);
}
