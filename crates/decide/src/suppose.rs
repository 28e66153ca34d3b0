//! `suppose`: what an answer that waits for facts would be if the usual holds where nobody has said otherwise.
//!
//! INVARIANT: a supposition is not a decision and opens nothing: a pass is made from a [`Decision`] alone.

use crate::{
    decision::{Clause, Decision, Missing, Remedy, Verdict},
    engine::Engine,
    table::TooManyCells,
};
use model::AsOf;
use rulebook::bind::{Bound, BoundFact};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What would be answered, and what it supposes. It may wait even so: for what is not usual either way, or for a rule that is not held.
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
    /// Facts that might open it without measures.
    pub would_open: Vec<String>,
    /// What it would wait for even so, what no answer supplies first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
}

impl Engine {
    /// The answer if the usual holds. `None` when the transfer is decided as it is.
    pub fn suppose(&mut self, bound: &Bound, as_of: AsOf) -> Result<Option<Supposition>, TooManyCells> {
        if self.verdict(bound, as_of)? != Verdict::Undetermined {
            return Ok(None);
        }
        let (supposed, added) = self.book.suppose(bound);
        let wanted = self.decide(&supposed, as_of)?;
        let facts = self.fewest(supposed, added, &wanted, as_of)?;
        let mut out = Supposition { verdict: wanted.verdict, facts, deciding: Vec::new(), remedies: Vec::new(), would_open: Vec::new(), missing: Vec::new() };
        if let Some(worst) = wanted.worst().cloned() {
            (out.deciding, out.remedies, out.would_open, out.missing) = (worst.deciding, worst.remedies, worst.would_open, worst.missing);
        }
        // A question can be answered; that a rule is not held, or is disputed, decides as it stands.
        out.missing.sort_by_key(|m| asked(m).is_some());
        Ok(Some(out))
    }

    /// The usual facts that would settle a transfer that waits for facts, or leave fewer to ask: the fewest without which the answer,
    /// or what it waits for, would be another. Empty when it waits for nothing.
    pub fn usual(&mut self, bound: &Bound, as_of: AsOf) -> Result<BTreeMap<String, BoundFact>, TooManyCells> {
        if self.verdict(bound, as_of)? != Verdict::Undetermined {
            return Ok(BTreeMap::new());
        }
        let (supposed, added) = self.book.suppose(bound);
        let wanted = self.decide(&supposed, as_of)?;
        self.fewest(supposed, added, &wanted, as_of)
    }

    /// Of the facts supposed, the fewest found without which the decision would tell a person something else.
    fn fewest(&mut self, mut supposed: Bound, added: Vec<Vec<String>>, wanted: &Decision, as_of: AsOf) -> Result<BTreeMap<String, BoundFact>, TooManyCells> {
        let mut facts = BTreeMap::new();
        for (i, slots) in added.into_iter().enumerate() {
            for slot in slots {
                let Some(fact) = supposed.crossings.get_mut(i).and_then(|c| c.facts.remove(&slot)) else { continue };
                if !says_the_same(&self.decide(&supposed, as_of)?, wanted) {
                    if let Some(crossing) = supposed.crossings.get_mut(i) {
                        crossing.facts.insert(slot.clone(), fact.clone());
                    }
                    facts.insert(slot, fact);
                }
            }
        }
        Ok(facts)
    }
}

/// Whether two decisions tell a person the same: the verdict, what speaks first, the first way through, and what they wait for.
fn says_the_same(a: &Decision, b: &Decision) -> bool {
    let first = |d: &Decision| {
        let worst = d.worst();
        let clause = worst.and_then(|c| c.deciding.first()).map(|c| c.id.clone());
        let way: Option<Vec<String>> = worst.and_then(|c| c.remedies.first()).map(|r| r.measures.iter().map(|m| m.id.clone()).collect());
        let waits: BTreeSet<String> = worst.iter().flat_map(|c| &c.missing).filter_map(asked).map(str::to_string).collect();
        (d.verdict, clause, way, waits)
    };
    first(a) == first(b)
}

/// The slot of a fact that an answer waits for.
fn asked(missing: &Missing) -> Option<&str> {
    match missing {
        Missing::Fact { slot, .. } | Missing::Judgment { slot, .. } => Some(slot),
        Missing::NotCovered { .. } | Missing::Disputed { .. } => None,
    }
}
