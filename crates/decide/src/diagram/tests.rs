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
    let everything = d.everything();
    let found = d.pairs(f, g, TRUE, &[&everything]);
    assert_eq!(found.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::from([(x, y), (x, z)]));
    assert_eq!(found[&(x, z)], vec![Some(1), Some(0)]);
}

/// Numbers that look drawn, the same each time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn cells(&mut self, width: usize) -> Cells {
        (0..width).filter(|_| self.below(3) > 0).collect()
    }

    fn function(&mut self, d: &mut Diagram, depth: usize) -> NodeId {
        if depth == 0 {
            let axis = self.below(d.widths.len());
            let cells = self.cells(d.width(axis));
            return d.literal(axis, cells);
        }
        let (f, g) = (self.function(d, depth - 1), self.function(d, depth - 1));
        let f = if self.below(3) == 0 { d.not(f) } else { f };
        if self.below(2) == 0 { d.and(f, g) } else { d.or(f, g) }
    }

    fn forced(&mut self, d: &Diagram) -> Forced {
        let mut out = Forced::NONE;
        (0..self.below(4)).for_each(|_| {
            let axis = self.below(d.widths.len());
            out.fix(axis, self.below(d.width(axis)));
        });
        out
    }
}

#[test]
fn wishes_meet_where_some_state_fulfils_all() {
    let mut draw = Draw(7);
    let mut n_met = [0, 0];
    for _ in 0..20_000 {
        let mut d = Diagram::new(vec![2, 3, 2, 4, 2]);
        let fs = [3, 3, 2].map(|depth| draw.function(&mut d, depth));
        // Often the same function twice, as when a law is held against itself after a measure.
        let fs = if draw.below(2) == 0 { [fs[0], fs[0], fs[2]] } else { fs };
        let (forced, holds) = ([(); 3].map(|()| draw.forced(&d)), [(); 3].map(|()| draw.below(2) == 0));
        let wish = |i: usize| if holds[i] { Wish::yes(fs[i]) } else { Wish::no(fs[i]) }.after(&forced[i]);
        let allowed: Allowed = d.widths.clone().into_iter().map(|w| if draw.below(3) == 0 { draw.cells(w) } else { Cells::first(w) }).collect();
        if allowed.iter().any(Cells::is_empty) {
            continue;
        }
        let mut states = vec![Vec::new()];
        for cells in &allowed {
            states = states.iter().flat_map(|s: &Vec<usize>| cells.iter().map(|c| [s.as_slice(), &[c]].concat())).collect();
        }
        let fulfils = |s: &[usize], i: usize| {
            let mut after = s.to_vec();
            forced[i].iter().for_each(|(axis, cell)| after[axis] = cell);
            d.value(fs[i], &after) == holds[i]
        };
        let some = |n: usize| states.iter().any(|s| (0..n).all(|i| fulfils(s, i)));
        assert_eq!((d.meets([wish(0), wish(1)], &allowed), d.meets([wish(0), wish(1), wish(2)], &allowed)), (some(2), some(3)));
        n_met[usize::from(some(3))] += 1;
    }
    assert!(n_met.iter().all(|n| *n > 2_000), "{n_met:?}");
}
