//! What is wrong with rules as rules: measures that make worse, clauses that never apply or never matter, layers under
//! which nothing can go, places for which nobody answers.
//!
//! Every day on which the law changes is looked at; a layer that reads the same on many days is looked at once.

use crate::{
    diagram::{Diagram, FALSE, NodeId},
    gather::{Day, Law},
    lexicon::{Lexicon, TooManyCells},
    table,
    unit::{Functions, Unit},
};
use model::{AsOf, CivilDate, Digest};
use rulebook::{book::Rulebook, law::MeasureOffer};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Found {
    /// What it is.
    pub what: What,
    /// The clause, measure, layer or place.
    pub id: String,
    /// The layer that shows it, or the clauses that leave it no room.
    pub by: Vec<String>,
    /// The first day on which it is so.
    pub from: CivilDate,
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// An offered measure can turn a lawful transfer unlawful: it is double-edged.
    DoubleEdged,
    /// No state that can be meets it, on any day on which it counts.
    NeverApplies,
    /// Wherever it speaks others say the same, on every day on which it counts.
    Shadowed,
    /// Whatever the law reaches, it refuses, and no fact or measure opens it.
    RefusesAll,
    /// No layer in force answers for exporters of this place.
    Uncovered,
}

/// How a clause stood on all days looked at.
#[derive(Clone, Debug, Default)]
struct Seen {
    from: Option<CivilDate>,
    speaks: bool,
    matters: bool,
    by: BTreeSet<String>,
}

/// Everything found, on every day on which the law changes up to and with the last.
pub fn report(book: &Rulebook) -> Result<Vec<Found>, TooManyCells> {
    let lexicon = Lexicon::of(&book.vocabulary)?;
    let mut out = BTreeSet::new();
    let mut looked: HashMap<Digest, ()> = HashMap::new();
    let mut clauses: BTreeMap<String, Seen> = BTreeMap::new();
    for on in book.boundaries() {
        let day = Day::of(book, AsOf::then(on));
        for layer in &day.layers {
            let law = day.law(layer);
            if looked.insert(day.fingerprint(&law, &lexicon), ()).is_some() {
                continue;
            }
            let unit = Unit::compile(&day, &law, &lexicon)?;
            let Some(functions) = unit.laws.first() else { continue };
            let mut d = unit.diagram.thawed();
            look(&mut d, &unit, functions, on, &mut clauses);
            let reached = d.and(functions.reaches, unit.constraint);
            let lawful = d.not(functions.refuses);
            if reached != FALSE && d.and(reached, lawful) == FALSE {
                out.insert(Found { what: What::RefusesAll, id: layer.id.clone(), by: Vec::new(), from: on });
            }
        }
    }
    for (id, seen) in clauses {
        let Some(from) = seen.from else { continue };
        if !seen.speaks {
            out.insert(Found { what: What::NeverApplies, id, by: Vec::new(), from });
        } else if !seen.matters {
            out.insert(Found { what: What::Shadowed, id, by: seen.by.into_iter().collect(), from });
        }
    }
    out.extend(double_edged(book)?);
    Ok(out.into_iter().collect())
}

/// Places for which no layer in force answers on a day.
pub fn uncovered(book: &Rulebook, as_of: AsOf) -> Result<Vec<String>, TooManyCells> {
    let t = table::Table::compile(book, as_of)?;
    let covers = |place: &str| {
        let said = model::fact::Said::claim(model::fact::Spoken::Word(place.into()));
        book.bind(&model::transfer::Transfer::single([("exporter.place".to_string(), said)])).is_ok_and(|bound| {
            bound.crossings.iter().all(|c| !crate::knowledge::Knowledge::of(&t, c).may_be_uncovered(&t))
        })
    };
    Ok(book.vocabulary.places.keys().filter(|p| !covers(p)).cloned().collect())
}

/// One kind of clause: each function, and whether what it says makes a difference beside the others.
fn look(d: &mut Diagram, unit: &Unit, law: &Functions, on: CivilDate, out: &mut BTreeMap<String, Seen>) {
    let applying: Vec<(usize, NodeId)> = law.scopes.iter().map(|(c, f)| (*c, d.and(*f, law.applies))).collect();
    beside(d, unit, law, &applying, on, out);
    let reach = d.any(applying.iter().map(|(_, f)| *f).collect::<Vec<_>>());
    let outs: Vec<(usize, NodeId)> = law.outs.iter().map(|(c, f)| (*c, d.and(*f, reach))).collect();
    beside(d, unit, law, &outs, on, out);
    let mut refusing = law.bars.clone();
    for g in &law.gates {
        let met = d.any(g.routes.iter().map(|r| r.need).collect::<Vec<_>>());
        let unmet = d.not(met);
        refusing.push((g.clause, d.and(g.when, unmet)));
    }
    refusing.extend(law.obligations.iter().filter(|(_, _, _, binds)| *binds).map(|(c, _, late, _)| (*c, *late)));
    beside(d, unit, law, &refusing, on, out);
    for g in &law.gates {
        let routes: Vec<(usize, NodeId)> = g.routes.iter().map(|r| (r.clause, d.and(g.when, r.need))).collect();
        beside(d, unit, law, &routes, on, out);
    }
    // What does not refuse by itself speaks when it arises, and always matters to the person it binds.
    for (c, when, _, binds) in &law.obligations {
        let speaks = d.and(*when, unit.constraint) != FALSE;
        let seen = out.entry(name(law, *c)).or_default();
        seen.from = seen.from.or(Some(on));
        seen.speaks |= speaks;
        seen.matters |= speaks && !binds;
    }
}

fn beside(d: &mut Diagram, unit: &Unit, law: &Functions, all: &[(usize, NodeId)], on: CivilDate, out: &mut BTreeMap<String, Seen>) {
    for (i, (clause, f)) in all.iter().enumerate() {
        let speaks = d.and(*f, unit.constraint);
        let others = d.any(all.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, (_, g))| *g).collect::<Vec<_>>());
        let silent = d.not(others);
        let alone = d.and(speaks, silent);
        let seen = out.entry(name(law, *clause)).or_default();
        seen.from = seen.from.or(Some(on));
        seen.speaks |= speaks != FALSE;
        seen.matters |= alone != FALSE;
        if speaks != FALSE && alone == FALSE {
            let covering = all.iter().enumerate().filter(|(j, (_, g))| *j != i && d.and(speaks, *g) != FALSE);
            seen.by.extend(covering.map(|(_, (c, _))| name(law, *c)).take(4));
        }
    }
}

fn name(law: &Functions, clause: usize) -> String {
    law.clauses.get(clause).cloned().unwrap_or_default()
}

/// Offered measures that can turn a lawful state unlawful, with the layer that says so.
pub fn double_edged(book: &Rulebook) -> Result<Vec<Found>, TooManyCells> {
    let lexicon = Lexicon::of(&book.vocabulary)?;
    let mut looked: HashMap<(Digest, Vec<usize>), ()> = HashMap::new();
    let mut out: BTreeMap<(String, String), CivilDate> = BTreeMap::new();
    for on in book.boundaries() {
        let day = Day::of(book, AsOf::then(on));
        for layer in &day.layers {
            let mut law = day.law(layer);
            let touching = touching(book, &day, &law);
            law.also = touching.iter().filter_map(|(_, m)| m.when.as_ref()).collect();
            day.constrain(&mut law);
            let key = (day.fingerprint(&law, &lexicon), touching.iter().map(|(i, _)| *i).collect());
            if looked.insert(key, ()).is_none() {
                for i in table::double_edged_under(&day, &law, &touching, &lexicon)? {
                    let id = book.measures.get(i).map(|m| m.id.clone()).unwrap_or_default();
                    out.entry((id, layer.id.clone())).or_insert(on);
                }
            }
        }
    }
    Ok(out.into_iter().map(|((id, layer), from)| Found { what: What::DoubleEdged, id, by: vec![layer], from }).collect())
}

/// The measures on offer that work on what a law asks.
pub fn touching<'a>(book: &'a Rulebook, day: &Day<'a>, law: &Law<'a>) -> Vec<(usize, &'a MeasureOffer)> {
    let mut slots = BTreeSet::new();
    law.exprs(day.as_of.on).iter().for_each(|e| day.slots_of(e, &mut slots));
    let offered = book.measures.iter().enumerate().filter(|(_, m)| m.head.counts(day.as_of));
    offered.filter(|(_, m)| m.does.iter().any(|e| slots.contains(&e.slot))).collect()
}
