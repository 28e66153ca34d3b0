use super::*;

/// Draws numbers.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn cells(&mut self, width: usize) -> Cells {
        let some: Cells = (0..width).filter(|_| self.below(2) == 0).collect();
        if some.is_empty() { Cells::one(self.below(width)) } else { some }
    }

    fn function(&mut self, d: &mut Diagram, widths: &[usize], depth: usize) -> NodeId {
        if depth == 0 || self.below(5) == 0 {
            let axis = self.below(widths.len());
            let cells = self.cells(widths[axis]);
            return d.literal(axis, cells);
        }
        let (f, g) = (self.function(d, widths, depth - 1), self.function(d, widths, depth - 1));
        match self.below(3) {
            0 => d.and(f, g),
            1 => d.or(f, g),
            _ => d.not(f),
        }
    }
}

struct Drawn<'a>(&'a [Cells]);

impl Reads for Drawn<'_> {
    fn cell(&self, axis: usize) -> Option<usize> {
        self.0[axis].only()
    }

    fn cells(&self, axis: usize) -> Cells {
        self.0[axis]
    }
}

/// Every walk finds what trying each way one by one finds; and a box loses exactly the cells that no possible state has.
#[test]
fn walks_agree_with_trying_each_way() {
    let widths = [2, 3, 70, 2, 5, 2, 130, 2];
    let (mut room, mut seen) = (Room::default(), std::collections::BTreeMap::<(bool, bool, bool), usize>::new());
    for n in 0..3_000 {
        let mut draw = Draw(n * 7 + 1);
        let mut d = Diagram::new(widths.to_vec());
        let f = draw.function(&mut d, &widths, 4);
        let c = draw.function(&mut d, &widths, 3);
        let not = d.not(f);
        let (d, names) = d.kept(&[f, c, not]);
        let [f, c, not] = [f, c, not].map(|x| names[x.0 as usize]);
        let paths = Paths::of(&d, &widths, c);
        let allowed: Vec<Cells> = widths.iter().map(|w| if draw.below(2) == 0 { Cells::one(draw.below(*w)) } else { draw.cells(*w) }).collect();
        let mut forced = Forced::default();
        for (axis, width) in widths.iter().enumerate().filter(|_| n % 3 == 0) {
            if draw.below(3) == 0 {
                forced.fix(axis, draw.below(*width));
            }
        }
        let (possible, reads) = (paths.possible(), Drawn(&allowed));
        let heeded = paths.heed(&possible, &reads);
        let tight = paths.tightened(&possible, &heeded, &reads);
        let found = paths.ends(f, Ends::BOTH, (&possible, &heeded), &reads, &forced, &mut room);
        let expected = (d.can(f, c, &allowed, &forced), d.can(not, c, &allowed, &forced));
        assert_eq!((found.has(Ends::TRUE), found.has(Ends::FALSE)), expected, "{n}");
        for (ends, expected) in [(Ends::TRUE, expected.0), (Ends::FALSE, expected.1)] {
            assert_eq!(paths.ends(f, ends, (&possible, &heeded), &reads, &forced, &mut room).has(ends), expected, "{n}");
        }
        assert_eq!(heeded.is_never(), !d.can(TRUE, c, &allowed, &Forced::NONE), "{n}");
        for (axis, cells) in allowed.iter().enumerate() {
            let left: Cells = cells.iter().filter(|cell| {
                let mut only = allowed.clone();
                only[axis] = Cells::one(*cell);
                d.can(TRUE, c, &only, &Forced::NONE)
            }).collect();
            let left = if heeded.is_never() { *cells } else { left };
            assert_eq!(tight.cells(&paths, axis, &reads), left, "{n}, axis {axis}");
        }
        *seen.entry((expected.0, expected.1, heeded.0.is_empty())).or_default() += 1;
    }
    println!("{seen:?}");
    assert!(seen.values().filter(|n| **n > 50).count() >= 6, "{seen:?}");
}
