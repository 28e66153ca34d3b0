//! `suppose`: what an answer that waits for facts would be if the usual holds where nobody has said otherwise.
//!
//! INVARIANT: a supposition is not a decision and opens nothing: a pass is made from a [`Decision`] alone.

use crate::{
    decision::{Clause, Remedy, Verdict},
    engine::{Engine, verdicts},
    table::TooManyCells,
};
use model::AsOf;
use rulebook::bind::{Bound, BoundFact};
use serde::Serialize;
use std::collections::BTreeMap;

/// What would be answered, and what it supposes.
#[derive(Clone, Debug, Serialize)]
pub struct Supposition {
    /// The verdict that would follow.
    pub verdict: Verdict,
    /// The facts supposed, by slot: the fewest found without which it would not follow.
    pub facts: BTreeMap<String, BoundFact>,
    /// What would decide.
    pub deciding: Vec<Clause>,
    /// The ways through that would be offered.
    pub remedies: Vec<Remedy>,
}

impl Engine {
    /// The answer if the usual holds. `None` when the transfer is decided as it is, or would not be decided even so.
    pub fn suppose(&mut self, bound: &Bound, as_of: AsOf) -> Result<Option<Supposition>, TooManyCells> {
        if self.verdict(bound, as_of)? != Verdict::Undetermined {
            return Ok(None);
        }
        let (mut supposed, added) = self.book.suppose(bound);
        let verdict = self.verdict(&supposed, as_of)?;
        if verdict == Verdict::Undetermined {
            return Ok(None);
        }
        let table = self.table(as_of)?;
        let same = |b: &Bound| verdicts(&table, &self.book, b).into_iter().max_by_key(|v| v.severity()) == Some(verdict);
        let mut facts = BTreeMap::new();
        for (i, slots) in added.into_iter().enumerate() {
            for slot in slots {
                let Some(fact) = supposed.crossings.get_mut(i).and_then(|c| c.facts.remove(&slot)) else { continue };
                if !same(&supposed) {
                    if let Some(crossing) = supposed.crossings.get_mut(i) {
                        crossing.facts.insert(slot.clone(), fact.clone());
                    }
                    facts.insert(slot, fact);
                }
            }
        }
        let decision = self.decide(&supposed, as_of)?;
        let worst = decision.worst().cloned();
        let (deciding, remedies) = worst.map(|c| (c.deciding, c.remedies)).unwrap_or_default();
        Ok(Some(Supposition { verdict, facts, deciding, remedies }))
    }
}
