//! The head of an answer, fast: verdict and clause from packed facts, without reasons.
//!
//! Where everything that is asked on the way is known, one walk a layer tells it, and nothing is allocated once the
//! [`Room`] has grown. Where something asked is open, the question goes to [`crate::verdict`], which weighs every state.
//! Both read the same units, and a test holds them to the same answers.

use crate::{
    decision::Verdict,
    diagram::{FALSE, Forced, NodeId, TRUE},
    knowledge::Knowledge,
    lexicon::Packed,
    paths,
    remedy::Hand,
    table::Table,
    unit::Leaf,
    verdict,
};

/// One crossing's facts, ready to be judged on the day of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bits {
    facts: Packed,
    /// Whether every fact that tells whether such a state can be, and whether it is covered, says yes.
    settled: bool,
}

/// A verdict and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The verdict.
    pub verdict: Verdict,
    /// The layer that speaks (a number of the table's layers), if one was told apart.
    pub layer: Option<usize>,
    /// Its clause.
    pub clause: Option<usize>,
}

/// Room to work in, kept between judgments.
#[derive(Clone, Debug, Default)]
pub struct Room {
    refusing: Vec<usize>,
    /// The measures at hand, a bit each.
    hand: Vec<u64>,
    forced: Forced,
    walk: paths::Room,
}

impl Bits {
    /// Looks once at what does not belong to a layer.
    pub fn of(table: &Table, facts: Packed) -> Self {
        let ends = |f, leaf| table.beside.walk(f, &facts, &Forced::NONE) == Some(leaf);
        let settled = ends(table.beside.unit.constraint, TRUE) && ends(table.uncovered(), FALSE);
        Self { facts, settled }
    }

    /// Whether such a state can surely be, and its exporter is surely covered.
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// Gives the packed facts back, for the next question.
    pub fn into_facts(self) -> Packed {
        self.facts
    }

    /// The packed facts.
    pub fn facts(&self) -> &Packed {
        &self.facts
    }
}

impl Table {
    /// Judges one crossing that stands alone.
    pub fn judge(&self, bits: &Bits, room: &mut Room) -> Head {
        self.judge_possible(bits, room).unwrap_or(Head { verdict: Verdict::Undetermined, layer: None, clause: None })
    }

    /// The same; none where facts contradict each other, so that no state can be.
    pub fn judge_possible(&self, bits: &Bits, room: &mut Room) -> Option<Head> {
        match self.judge_known(bits, room) {
            Some(head) => Some(head),
            None => self.judge_open(bits, room),
        }
    }

    /// Judges where all that is asked is known; none where it is not.
    pub fn judge_known(&self, bits: &Bits, room: &mut Room) -> Option<Head> {
        if !bits.settled {
            return None;
        }
        room.refusing.clear();
        let mut head = Head { verdict: Verdict::OutOfScope, layer: None, clause: None };
        for i in self.live(&bits.facts) {
            let layer = self.layers.get(i)?;
            let law = layer.law();
            let linked = layer.linked();
            let class = law.class(&linked.unit.diagram);
            let leaf = linked.walk_in(&class.diagram, class.root, &bits.facts, &Forced::NONE)?;
            match class.leaf(leaf)? {
                Leaf::Refused(clause) => {
                    if room.refusing.is_empty() {
                        head = Head { verdict: Verdict::Conditional, layer: Some(i), clause };
                    }
                    room.refusing.push(i);
                }
                Leaf::Open(clause) if room.refusing.is_empty() && head.verdict == Verdict::OutOfScope => {
                    head = Head { verdict: Verdict::Permitted, layer: Some(i), clause };
                }
                Leaf::Outside(clause @ Some(_)) if head.layer.is_none() => {
                    head = Head { layer: Some(i), clause, ..head };
                }
                Leaf::Open(_) | Leaf::Outside(_) => {}
            }
        }
        if room.refusing.is_empty() {
            return Some(head);
        }
        self.take_in_hand(bits, &mut room.hand)?;
        // A layer that lets it through as it is may refuse it after the measures that another one asks for.
        for i in self.live(&bits.facts) {
            let layer = self.layers.get(i)?;
            room.forced.clear();
            for (measure, axis, cell) in layer.effects() {
                if room.hand.get(measure / 64).is_some_and(|w| w >> (measure % 64) & 1 == 1) {
                    room.forced.fix(*axis, *cell);
                }
            }
            let refuses = match room.forced.is_empty() {
                // No measure works upon it: as it was it stays.
                true => room.refusing.contains(&i),
                false => layer.linked().walk(layer.law().refuses, &bits.facts, &room.forced)? != FALSE,
            };
            if refuses {
                let law = layer.law();
                let class = law.class(&layer.linked().unit.diagram);
                let leaf = layer.linked().walk_in(&class.diagram, class.root, &bits.facts, &room.forced)?;
                let clause = match class.leaf(leaf)? {
                    Leaf::Refused(clause) => clause,
                    _ => None,
                };
                return Some(Head { verdict: Verdict::Prohibited, layer: Some(i), clause });
            }
        }
        Some(head)
    }

    /// Tells which measures are at hand; none if something asked is open.
    fn take_in_hand(&self, bits: &Bits, hand: &mut Vec<u64>) -> Option<()> {
        hand.clear();
        hand.resize(self.measures.len().div_ceil(64), 0);
        // Measures of one law share their precondition.
        let mut before: Option<(NodeId, bool)> = None;
        for measure in self.offered(&bits.facts) {
            if self.at_hand(measure, bits, &mut before)? {
                hand.iter_mut().skip(measure / 64).take(1).for_each(|w| *w |= 1 << (measure % 64));
            }
        }
        Some(())
    }

    fn at_hand(&self, measure: usize, bits: &Bits, before: &mut Option<(NodeId, bool)>) -> Option<bool> {
        let m = self.measures.get(measure)?;
        let holds = match before {
            Some((when, holds)) if *when == m.when => *holds,
            _ => self.beside.walk(m.when, &bits.facts, &Forced::NONE)? == TRUE,
        };
        *before = Some((m.when, holds));
        if !holds {
            return Some(false);
        }
        for (axis, fine) in &m.determinations {
            if !fine.has(self.beside.cell(*axis, &bits.facts)?) {
                return Some(false);
            }
        }
        Some(true)
    }

    fn judge_open(&self, bits: &Bits, room: &mut Room) -> Option<Head> {
        let k = Knowledge::within(self, bits.facts.clone(), std::mem::take(&mut room.walk));
        if !k.is_possible(self) {
            room.walk = k.into_room();
            return None;
        }
        let verdict = verdict::verdict(self, &k, &[], &Hand::default());
        let refuses = |i: &usize| self.layers.get(*i).is_some_and(|l| k.can(self, *i, l.law().refuses, &Forced::NONE));
        let reached = |i: &usize| self.layers.get(*i).is_some_and(|l| k.can(self, *i, l.law().touched, &Forced::NONE));
        let layer = if verdict.opens() { k.live.iter().copied().find(reached) } else { k.live.iter().copied().find(refuses) };
        room.walk = k.into_room();
        Some(Head { verdict, layer, clause: None })
    }

    /// The id of the clause, or else of the layer, that a head names.
    pub fn named(&self, head: &Head) -> &str {
        match (head.layer.and_then(|i| self.layers.get(i)), head.clause) {
            (Some(layer), Some(clause)) => layer.clause(clause),
            (Some(layer), None) => &layer.id,
            (None, _) => "",
        }
    }
}
