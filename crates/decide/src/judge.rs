//! The head of an answer, fast: verdict and clause from packed facts, without reasons.
//!
//! Where everything that is asked on the way is known, one walk a layer tells it, and nothing is allocated once the
//! [`Room`] has grown. Where something asked is open, the question goes to [`crate::verdict`], which weighs every state.
//! Both read the same units, and a test holds them to the same answers.

use crate::{
    decision::Verdict,
    diagram::{FALSE, Forced, TRUE},
    knowledge::Knowledge,
    lexicon::Packed,
    paths,
    remedy::Hand,
    table::{LayerTable, Table},
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
            let leaf = layer.linked.walk(law.class, &bits.facts, &Forced::NONE)?;
            match law.leaf(&layer.linked.unit.diagram, leaf)? {
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
        // A layer that lets it through as it is may refuse it after the measures that another one asks for.
        for i in self.live(&bits.facts) {
            let layer = self.layers.get(i)?;
            if !room.refusing.contains(&i) && layer.effects().is_empty() {
                continue;
            }
            if !self.curable(layer, bits, &mut room.forced)? {
                let law = layer.law();
                let leaf = layer.linked.walk(law.class, &bits.facts, &room.forced)?;
                let clause = match law.leaf(&layer.linked.unit.diagram, leaf)? {
                    Leaf::Refused(clause) => clause,
                    _ => None,
                };
                return Some(Head { verdict: Verdict::Prohibited, layer: Some(i), clause });
            }
        }
        Some(head)
    }

    /// Whether the measures at hand lift the refusal of a layer; none if something asked is open.
    fn curable(&self, layer: &LayerTable, bits: &Bits, forced: &mut Forced) -> Option<bool> {
        forced.clear();
        for (measure, axis, cell) in layer.effects() {
            if self.at_hand(*measure, bits)? {
                forced.fix(*axis, *cell);
            }
        }
        Some(layer.linked.walk(layer.law().refuses, &bits.facts, forced)? == FALSE)
    }

    fn at_hand(&self, measure: usize, bits: &Bits) -> Option<bool> {
        if !self.may_offer(measure, &bits.facts) {
            return Some(false);
        }
        let m = self.measures.get(measure)?;
        if self.beside.walk(m.when, &bits.facts, &Forced::NONE)? != TRUE {
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
