use super::*;
use std::collections::BTreeSet;

#[test]
fn equal_functions_are_one_node() {
    let mut d = Diagram::new(vec![2, 3]);
    let a = d.literal(0, Cells::one(1));
    let b = d.literal(1, Cells::one(2));
    let ab = d.and(a, b);
    let (na, nb) = (d.not(a), d.not(b));
    let either = d.or(na, nb);
    assert_eq!(d.not(either), ab);
    assert_eq!(d.support(ab), vec![0, 1]);
    assert!(d.value(ab, &[1, 2]) && !d.value(ab, &[1, 1]));
}

#[test]
fn what_is_not_allowed_is_forgotten() {
    let mut d = Diagram::new(vec![2, 3]);
    let a = d.literal(0, Cells::one(1));
    let b = d.literal(1, Cells::one(2));
    let f = d.or(a, b);
    let mut scratch = Diagram::new(vec![2, 3]);
    let allowed = vec![Cells::one(0), Cells::first(3)];
    let g = scratch.import(&d, f, &allowed);
    assert_eq!(scratch.support(g), vec![1]);
    assert!(d.can(f, TRUE, &allowed, &Forced::NONE));
    assert!(!d.can(a, TRUE, &allowed, &Forced::NONE));
    let mut forced = Forced::default();
    forced.fix(0, 1);
    assert!(d.can(a, TRUE, &allowed, &forced), "a measure fixes what the function reads");
}

#[test]
fn further_leaves_say_which_answer_holds() {
    let mut d = Diagram::new(vec![2, 2]);
    let (a, b) = (d.literal(0, Cells::one(1)), d.literal(1, Cells::one(1)));
    let (x, y, z) = (d.leaf(0), d.leaf(1), d.leaf(2));
    let rest = d.choose(b, y, z);
    let f = d.choose(a, x, rest);
    assert_eq!([[0, 0], [0, 1], [1, 0], [1, 1]].map(|s| d.leaf_index(d.leaf_in(f, &s))), [Some(2), Some(1), Some(0), Some(0)]);
    let g = d.choose(b, y, rest);
    let found = d.pairs(f, g, TRUE, &[Cells::first(2), Cells::first(2)]);
    assert_eq!(found.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::from([(x, y), (x, z)]));
    assert_eq!(found[&(x, z)], vec![Some(1), Some(0)]);
}
