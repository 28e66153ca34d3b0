//! `decide`: bound knowledge and a rulebook to a decision.

use crate::{
    ask::{self, Classes},
    counter::{Warning, warnings},
    deciding::{deciding, failed_slots},
    decision::{Clause, ClauseKind, CrossingAnswer, Decision, LayerAnswer, Verdict},
    explain,
    given::Given,
    index::Index,
    knowledge::{Knowledge, Truth},
    lexicon::Lexicon,
    remedy::{self, Hand},
    table::{Table, TooManyCells, Units},
    verdict::{Carried, carried, verdict},
};
use model::{AsOf, CivilDate, citation::{Citation, Review, Seen}};
use rulebook::{
    bind::{Bound, Crossing, Known},
    book::Rulebook,
    law::OutKind,
};
use std::{collections::BTreeMap, sync::Arc};

/// A rulebook with the tables made from it so far, one for each as-of.
#[derive(Debug)]
pub struct Engine {
    /// The rulebook, which others may hold too.
    pub book: Arc<Rulebook>,
    index: Index,
    lexicon: Option<Arc<Lexicon>>,
    units: Units,
    tables: BTreeMap<AsOf, Arc<Table>>,
    /// By what questions say, the latest last; none where every question is answered from whole tables.
    narrow: Option<Vec<Narrow>>,
    /// So many questions get tables of their own; after them all are answered from whole tables.
    own_tables: usize,
}

/// Tables for one question.
#[derive(Debug)]
struct Narrow {
    given: Given,
    units: Units,
    tables: BTreeMap<AsOf, Arc<Table>>,
}

// LIMIT: tables kept; the oldest as-of is dropped first.
const TABLES_MAX: usize = 64;
// LIMIT: questions whose tables are kept; the oldest is dropped first.
const NARROW_MAX: usize = 8;
/// After so many questions a whole table has cost less than one more for each.
const QUESTIONS_FEW: usize = 24;

impl Engine {
    /// Starts with no table made.
    pub fn new(book: impl Into<Arc<Rulebook>>) -> Self {
        let book = book.into();
        let index = Index::of(&book);
        Self { book, index, lexicon: None, units: Units::default(), tables: BTreeMap::new(), narrow: None, own_tables: usize::MAX }
    }

    /// For a question or a few: law is compiled only as far as what a question says leaves it open, which costs a small part
    /// of a whole table and answers the same.
    pub fn for_few(book: impl Into<Arc<Rulebook>>) -> Self {
        Self { narrow: Some(Vec::new()), ..Self::new(book) }
    }

    /// For whoever does not know how many questions will come: as for a few, until they are many.
    pub fn growing(book: impl Into<Arc<Rulebook>>) -> Self {
        Self { own_tables: QUESTIONS_FEW, ..Self::for_few(book) }
    }

    /// The engine of another rulebook that takes over every unit whose law reads the same: after the edit of one file,
    /// one file is compiled.
    pub fn revised(&self, book: impl Into<Arc<Rulebook>>) -> Self {
        Self { units: self.units.clone(), narrow: self.narrow.as_ref().map(|_| Vec::new()), own_tables: self.own_tables, ..Self::new(book) }
    }

    /// Takes over every unit of another engine whose law reads the same here.
    pub fn share(&mut self, other: &Self) {
        self.units.share(&other.units);
    }

    /// Whether it answers from whole tables.
    pub fn has_whole_tables(&self) -> bool {
        self.narrow.is_none()
    }

    /// The table for a day, made when first asked for.
    pub fn table(&mut self, as_of: AsOf) -> Result<Arc<Table>, TooManyCells> {
        if let Some(table) = self.tables.get(&as_of) {
            return Ok(table.clone());
        }
        if self.tables.len() >= TABLES_MAX {
            self.tables.pop_first();
        }
        let lexicon = self.lexicon()?;
        let table = Arc::new(Table::compile_with(&self.book, as_of, lexicon, &mut self.units)?);
        self.tables.insert(as_of, table.clone());
        Ok(table)
    }

    fn lexicon(&mut self) -> Result<Arc<Lexicon>, TooManyCells> {
        let lexicon = match &self.lexicon {
            Some(l) => l.clone(),
            None => Arc::new(Lexicon::of(&self.book.vocabulary)?),
        };
        self.lexicon = Some(lexicon.clone());
        Ok(lexicon)
    }

    /// The table that answers a question on a day.
    fn table_for(&mut self, bound: &Bound, as_of: AsOf) -> Result<Arc<Table>, TooManyCells> {
        if self.narrow.is_none() {
            return self.table(as_of);
        }
        let lexicon = self.lexicon()?;
        let (book, all) = (self.book.clone(), self.narrow.get_or_insert_default());
        let given = Given::of(&book, &lexicon, bound, as_of.on);
        if !all.iter().any(|n| n.given.covers(&given, &lexicon)) {
            if self.own_tables == 0 {
                self.narrow = None;
                return self.table(as_of);
            }
            self.own_tables = self.own_tables.saturating_sub(1);
            if all.len() >= NARROW_MAX {
                all.remove(0);
            }
            all.push(Narrow { given: given.clone(), units: Units::default(), tables: BTreeMap::new() });
        }
        // The one that says most has the smallest tables, and was made last.
        let Some(narrow) = all.iter_mut().rev().find(|n| n.given.covers(&given, &lexicon)) else { return self.table(as_of) };
        if let Some(table) = narrow.tables.get(&as_of) {
            return Ok(table.clone());
        }
        if narrow.tables.len() >= TABLES_MAX {
            narrow.tables.pop_first();
        }
        let table = Arc::new(Table::compile_for(&narrow.given, &book, as_of, lexicon, &mut narrow.units)?);
        narrow.tables.insert(as_of, table.clone());
        Ok(table)
    }

    /// The compiled units, for reports.
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// Where rules stand in the rulebook.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Decides a bound transfer for a day, with reasons, ways through and what is missing.
    pub fn decide(&mut self, bound: &Bound, as_of: AsOf) -> Result<Decision, TooManyCells> {
        let table = self.table_for(bound, as_of)?;
        Ok(decide(&table, &self.book, &self.index, bound))
    }

    /// Decides, and says until when the answer holds with no new fact.
    pub fn decide_with_horizon(&mut self, bound: &Bound, as_of: AsOf) -> Result<Decision, TooManyCells> {
        let mut decision = self.decide(bound, as_of)?;
        decision.holds_until = self.holds_until(bound, as_of, decision.verdict)?;
        Ok(decision)
    }

    /// The thresholds ahead of the counts that were stated: what turns when a count gets there, nearest first.
    pub fn ahead(&mut self, bound: &Bound, as_of: AsOf) -> Result<Vec<Warning>, TooManyCells> {
        let stated = |c: &&Crossing| c.facts.values().any(|f| matches!(f.known, Known::Range(..)));
        if !bound.crossings.iter().any(|c| stated(&c)) {
            return Ok(Vec::new());
        }
        let table = self.table_for(bound, as_of)?;
        let mut all: Vec<Warning> = Vec::new();
        for warning in bound.crossings.iter().filter(stated).flat_map(|c| warnings(&table, c)) {
            if !all.contains(&warning) {
                all.push(warning);
            }
        }
        all.sort_by_key(|w| w.threshold - w.count);
        Ok(all)
    }

    /// The verdict alone.
    pub fn verdict(&mut self, bound: &Bound, as_of: AsOf) -> Result<Verdict, TooManyCells> {
        let table = self.table_for(bound, as_of)?;
        Ok(verdicts(&table, &self.book, bound).into_iter().max_by_key(|v| v.severity()).unwrap_or(Verdict::Undetermined))
    }

    /// The first day after `as_of.on` on which the verdict is another one, from what is published by now.
    pub fn holds_until(&mut self, bound: &Bound, as_of: AsOf, verdict: Verdict) -> Result<Option<CivilDate>, TooManyCells> {
        let mut days = self.book.boundaries();
        for crossing in &bound.crossings {
            days.extend(crossing.facts.values().filter_map(|f| f.until));
            for o in &self.book.obligations {
                days.extend(crate::knowledge::last_day(&self.book, &o.due, &crossing.facts).map(|d| d.plus_days(1)));
            }
        }
        days.retain(|d| *d > as_of.on);
        days.sort();
        days.dedup();
        // LIMIT: days looked at; boundaries in the future are few.
        for day in days.into_iter().take(48) {
            if self.verdict(bound, AsOf { on: day, published_by: as_of.published_by.max(as_of.on) })? != verdict {
                return Ok(Some(day));
            }
        }
        Ok(None)
    }
}

/// The verdicts of all crossings, in order, without reasons.
pub fn verdicts(table: &Table, book: &Rulebook, bound: &Bound) -> Vec<Verdict> {
    let known: Vec<Knowledge> = bound.crossings.iter().map(|c| Knowledge::of(table, c)).collect();
    let of = |(i, k): (usize, &Knowledge)| verdict(table, k, &carried(table, book, bound, &known, i), &Hand::default());
    known.iter().enumerate().map(of).collect()
}

/// Decides with a table at hand.
pub fn decide(table: &Table, book: &Rulebook, index: &Index, bound: &Bound) -> Decision {
    let known: Vec<Knowledge> = bound.crossings.iter().map(|c| Knowledge::of(table, c)).collect();
    let mut crossings = Vec::with_capacity(known.len());
    for (i, (crossing, k)) in bound.crossings.iter().zip(&known).enumerate() {
        let carried = carried(table, book, bound, &known, i);
        crossings.push(answer(table, book, index, crossing, k, &carried));
    }
    let verdict = crossings.iter().map(|c| c.verdict).max_by_key(|v| v.severity()).unwrap_or(Verdict::Undetermined);
    let read: Vec<&Citation> = crossings.iter().flat_map(CrossingAnswer::weighing).flat_map(Clause::rests_on).collect();
    let weakest_review: Option<Review> = read.iter().map(|c| c.review).min();
    let weakest_seen: Option<Seen> = read.iter().map(|c| c.seen).min();
    let oldest_read = read.iter().map(|c| c.read).min();
    Decision {
        verdict,
        as_of: table.as_of,
        rulebook: book.digest(),
        transfer: bound.transfer,
        weakest_review,
        weakest_seen,
        oldest_read,
        holds_until: None,
        crossings,
    }
}

fn answer(table: &Table, book: &Rulebook, index: &Index, crossing: &Crossing, k: &Knowledge, carried: &[Carried]) -> CrossingAnswer {
    let hand = Hand::default();
    let verdict = verdict(table, k, carried, &hand);
    let layers: Vec<LayerAnswer> = k.live.iter().filter_map(|i| explain::layer(table, book, index, k, crossing, *i)).collect();
    let (remedies, more_remedies) = match verdict {
        Verdict::Conditional => remedy::remedies(table, book, k, carried, &hand.of(table, k).sure),
        _ => (Vec::new(), false),
    };
    let missing = match verdict {
        Verdict::Undetermined => ask::missing(table, book, k, crossing, &Classes::of(table, k, carried, &hand), &hand),
        _ => Vec::new(),
    };
    let (would_open, disputes) = match verdict {
        Verdict::Conditional => {
            let classes = Classes::of(table, k, carried, &hand);
            let disputes = classes.readings().into_iter().filter_map(|id| ask::dispute(book, id)).collect();
            (classes.opening().into_iter().take(6).collect(), disputes)
        }
        _ => (Vec::new(), Vec::new()),
    };
    let obligations = if verdict == Verdict::OutOfScope { Vec::new() } else { explain::obligations(table, book, index, k, crossing) };
    let mut deciding = deciding(&layers, verdict, &remedies, &missing, &failed_slots(book, crossing));
    deciding.extend(carried_clauses(table, book, index, k, carried, verdict));
    CrossingAnswer {
        hop: crossing.hop.clone(),
        from: crossing.from.clone(),
        to: crossing.to.clone(),
        dataset: crossing.dataset.clone(),
        group: crossing.group.clone(),
        outside: outside_kinds(index, book, &layers, verdict),
        verdict,
        deciding,
        layers,
        remedies,
        more_remedies,
        missing,
        would_open,
        disputes,
        obligations,
    }
}

fn carried_clauses(table: &Table, book: &Rulebook, index: &Index, k: &Knowledge, carried: &[Carried], verdict: Verdict) -> Vec<Clause> {
    if verdict.opens() {
        return Vec::new();
    }
    let mut out: Vec<Clause> = Vec::new();
    for c in carried {
        let truth = match k.truth(table, c.layer, c.refused) {
            Truth::Yes if !c.sure => Truth::Open,
            t => t,
        };
        if let Some(r) = index.route(book, &c.route).filter(|_| truth != Truth::No) {
            out.push(Clause {
                id: r.head.id.clone(),
                kind: ClauseKind::Carried,
                layer: index.gate(book, &r.gate).map(|g| g.layer.clone()).unwrap_or_default(),
                truth,
                says: r.head.says.clone(),
                citation: r.head.citation(table.as_of.on),
                unmet: Vec::new(),
                rank: None,
                beside: None,
                entries: Vec::new(),
            });
        }
    }
    out
}

fn outside_kinds(index: &Index, book: &Rulebook, layers: &[LayerAnswer], verdict: Verdict) -> Vec<OutKind> {
    if verdict != Verdict::OutOfScope {
        return Vec::new();
    }
    let mut kinds: Vec<OutKind> = layers
        .iter()
        .flat_map(|l| &l.clauses)
        .filter(|c| c.kind == ClauseKind::Out && c.truth == Truth::Yes)
        .filter_map(|c| index.out(book, &c.id).map(|o| o.kind))
        .collect();
    if kinds.is_empty() {
        kinds.push(OutKind::NotReached);
    }
    kinds.sort();
    kinds.dedup();
    kinds
}
