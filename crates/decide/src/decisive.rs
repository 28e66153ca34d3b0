//! Which rules and list entries the worked cases turn on: each is taken out, and the cases are run again without it.

use crate::{
    decision::{Decision, Missing, Verdict},
    engine::{Engine, decide},
    table::TooManyCells,
};
use model::{AsOf, transfer::Transfer};
use rulebook::{bind::Bound, book::Rulebook, census, law::Case};
use std::collections::{BTreeMap, BTreeSet};

/// The worked cases with what came out of each: the same rulebook without one rule is held against it.
#[derive(Debug)]
pub struct Worked {
    engine: Engine,
    days: BTreeMap<AsOf, Vec<Ran>>,
}

/// One case as it came out by the whole rulebook.
#[derive(Debug)]
struct Ran {
    bound: Bound,
    substance: Substance,
    /// Layers that the answer speaks of.
    layers: BTreeSet<String>,
    duties: BTreeSet<String>,
    /// Rules that the case itself names.
    by: Vec<String>,
}

/// What of an answer counts here: what may be done, by which ways, what is asked. Which clauses are named beside is no turn.
#[derive(Debug, PartialEq)]
struct Substance {
    verdict: Verdict,
    ways: BTreeSet<Vec<String>>,
    missing: BTreeSet<String>,
}

impl Substance {
    fn of(decision: &Decision) -> Self {
        let crossings = || decision.crossings.iter();
        let way = |r: &crate::decision::Remedy| r.measures.iter().map(|m| m.id.clone()).collect();
        let asked = |m: &Missing| match m {
            Missing::Fact { slot, .. } | Missing::Judgment { slot, .. } => slot.clone(),
            Missing::Disputed { id, .. } => id.clone(),
            Missing::NotCovered { layer, .. } => layer.clone(),
        };
        Self {
            verdict: decision.verdict,
            ways: crossings().flat_map(|c| &c.remedies).map(way).collect(),
            missing: crossings().flat_map(|c| &c.missing).map(asked).collect(),
        }
    }
}

impl Worked {
    /// Runs every case once. A case that does not speak the vocabulary is left out: running the cases says so.
    pub fn of(mut book: Rulebook) -> Result<Self, TooManyCells> {
        let cases = std::mem::take(&mut book.cases);
        let mut worked = Self { engine: Engine::new(book), days: BTreeMap::new() };
        let mut by_day: BTreeMap<AsOf, Vec<Case>> = BTreeMap::new();
        cases.into_iter().for_each(|c| by_day.entry(c.as_of).or_default().push(c));
        for (day, cases) in by_day {
            let ran = cases.iter().map(|c| worked.ran(c)).collect::<Result<Vec<_>, _>>()?;
            worked.days.insert(day, ran.into_iter().flatten().collect());
        }
        Ok(worked)
    }

    fn ran(&mut self, case: &Case) -> Result<Option<Ran>, TooManyCells> {
        let Ok(bound) = self.engine.book.bind(&Transfer::single(case.given.iter().cloned())) else { return Ok(None) };
        let decision = self.engine.decide(&bound, case.as_of)?;
        let crossings = || decision.crossings.iter();
        Ok(Some(Ran {
            substance: Substance::of(&decision),
            layers: crossings().flat_map(|c| &c.layers).map(|l| l.layer.clone()).collect(),
            duties: crossings().flat_map(|c| &c.obligations).map(|o| o.id.clone()).collect(),
            by: case.by.clone(),
            bound,
        }))
    }

    /// Every rule and list entry, in the order of files.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.engine.book.heads().into_iter().map(|(_, head)| head.id.as_str())
    }

    /// Whether some case comes out otherwise, in its verdict, its ways or its questions, once the rule or list entry is taken
    /// out; a duty turns the cases whose answers owe it.
    pub fn turns(&self, id: &str) -> Result<bool, TooManyCells> {
        if self.days.values().flatten().any(|r| r.duties.contains(id)) {
            return Ok(true);
        }
        let layers = layers_of(&self.engine.book, id);
        let asks = |r: &&Ran| r.layers.iter().any(|l| layers.contains(l.as_str()));
        let mut days: Vec<(AsOf, Vec<&Ran>)> = self.days.iter().map(|(day, all)| (*day, all.iter().filter(asks).collect())).collect();
        days.retain(|(_, all): &(AsOf, Vec<&Ran>)| !all.is_empty());
        // A day costs a table: first those whose cases name the rule, then those with the most cases.
        days.sort_by_key(|(_, all)| {
            let naming = all.iter().filter(|r| r.by.iter().any(|by| by == id)).count();
            std::cmp::Reverse((naming, all.len()))
        });
        let mut engine = self.engine.revised(without(&self.engine.book, id));
        for (day, all) in days {
            let table = engine.table(day)?;
            let turned = |r: &&Ran| Substance::of(&decide(&table, &engine.book, engine.index(), &r.bound)) != r.substance;
            if all.iter().any(turned) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The layers that a rule belongs to, or whose rules ask the list of an entry.
fn layers_of<'a>(book: &'a Rulebook, id: &str) -> BTreeSet<&'a str> {
    let list = book.lists.iter().find(|(_, l)| l.entries.iter().any(|e| e.head.id == id)).map(|(name, _)| name.as_str());
    if let Some(list) = list {
        return book.layers.values().filter(|l| census::lists_of(book, l).contains(list)).map(|l| l.id.as_str()).collect();
    }
    rulebook::lookup::rules(book).into_iter().filter(|r| r.head.id == id).filter_map(|r| r.layer).collect()
}

/// The rulebook without one block of law or list entry.
fn without(book: &Rulebook, id: &str) -> Rulebook {
    let mut out = book.clone();
    out.scopes.retain(|b| b.head.id != id);
    out.outs.retain(|b| b.head.id != id);
    out.bars.retain(|b| b.head.id != id);
    out.gates.retain(|b| b.head.id != id);
    out.routes.retain(|b| b.head.id != id);
    out.obligations.retain(|b| b.head.id != id);
    out.lists.values_mut().for_each(|l| l.entries.retain(|e| e.head.id != id));
    out
}
