//! Which entry of a list a clause rests on: the decision or designation that a rule itself only points to.

use crate::{
    decision::{EntryAnswer, EntryRole, Unmet},
    explain::{Asked, say_atom, unmet_of},
    knowledge::Truth,
    unit::Condition,
};
use model::{citation::Review, text::Text};
use rulebook::{
    bind::{Crossing, Known, certainly},
    expr::{Atom, Expr, Test},
    law::{Entry, List, Start},
};
use std::cmp::Reverse;

/// The entries behind a clause of this truth: those that carry it; or, where it does not hold, those that would.
///
/// LIMIT: entries are named for a place that is known. Where it is not, the clause asks the whole list.
pub fn entries(a: &Asked<'_>, c: &Condition, e: &Expr, truth: Truth) -> Vec<EntryAnswer> {
    let mut out = match truth {
        Truth::Yes => carrying(a, c, e, true),
        Truth::Open | Truth::No => near(a, c, e, true, &|_| true),
    };
    let mut seen = std::collections::BTreeSet::new();
    out.retain(|entry| seen.insert(entry.id.clone()));
    out.sort_by_key(|entry| entry.role);
    out
}

/// A smallest set of entries that an expression rests on: all that a conjunction needs, of alternatives the one that was
/// read best. Where no alternative is sure by itself, all that may be.
fn carrying(a: &Asked<'_>, c: &Condition, e: &Expr, wanted: bool) -> Vec<EntryAnswer> {
    let sure = if wanted { Truth::Yes } else { Truth::No };
    match (e, wanted) {
        (Expr::Const(_), _) => Vec::new(),
        (Expr::Not(inner), _) => c.parts.iter().flat_map(|p| carrying(a, p, inner, !wanted)).collect(),
        (Expr::And(es), true) | (Expr::Or(es), false) => es.iter().zip(&c.parts).flat_map(|(e, p)| carrying(a, p, e, wanted)).collect(),
        (Expr::Or(es), true) | (Expr::And(es), false) => {
            let holding = es.iter().zip(&c.parts).filter(|(_, p)| a.truth(p.holds) == sure);
            let best = holding.map(|(e, p)| carrying(a, p, e, wanted)).max_by_key(|found| strength(found));
            best.unwrap_or_else(|| near(a, c, e, wanted, &EntryRole::carries))
        }
        (Expr::Atom(atom), true) => match list_of(a, atom) {
            Some(list) => {
                let here = on(a, c, atom, list, &EntryRole::carries);
                let best = here.iter().filter(|x| x.role == EntryRole::Carries).max_by_key(|x| (x.citation.review, x.citation.from)).cloned();
                best.map_or(here, |x| vec![x])
            }
            None => Vec::new(),
        },
        // Not on a list: the list is complete, and no entry carries that.
        (Expr::Atom(_), false) => Vec::new(),
    }
}

/// How well a set of entries was read; needing none is best, then fewer.
fn strength(found: &[EntryAnswer]) -> (Review, Reverse<usize>) {
    (found.iter().map(|x| x.citation.review).min().unwrap_or(Review::AuthorityConfirmed), Reverse(found.len()))
}

/// Every entry for the known place that an expression asks about, by how it stands.
fn near(a: &Asked<'_>, c: &Condition, e: &Expr, wanted: bool, keep: &dyn Fn(EntryRole) -> bool) -> Vec<EntryAnswer> {
    match e {
        Expr::Const(_) => Vec::new(),
        Expr::Not(inner) => c.parts.iter().flat_map(|p| near(a, p, inner, !wanted, keep)).collect(),
        Expr::And(es) | Expr::Or(es) => es.iter().zip(&c.parts).flat_map(|(e, p)| near(a, p, e, wanted, keep)).collect(),
        Expr::Atom(atom) if wanted => list_of(a, atom).map_or_else(Vec::new, |list| on(a, c, atom, list, keep)),
        Expr::Atom(_) => Vec::new(),
    }
}

fn list_of<'a>(a: &Asked<'a>, atom: &Atom) -> Option<&'a List> {
    match &atom.test {
        Test::OnList(list) => a.book.lists.get(list),
        _ => None,
    }
}

/// The entries of one list for the known place.
fn on(a: &Asked<'_>, c: &Condition, atom: &Atom, list: &List, keep: &dyn Fn(EntryRole) -> bool) -> Vec<EntryAnswer> {
    let as_of = a.table.as_of;
    let mut counting = 0;
    let mut out = Vec::new();
    for entry in &list.entries {
        let counts = entry.head.counts(as_of);
        // INVARIANT: the parts of a list's condition are its entries that count, in this order (see `unit`).
        let part = c.parts.get(counting).filter(|_| counts);
        counting += usize::from(counts);
        if !is_for(a.crossing, &atom.fact, &entry.key) {
            continue;
        }
        let role = match part {
            Some(p) => match a.truth(p.holds) {
                Truth::Yes => EntryRole::Carries,
                Truth::Open => EntryRole::MayCarry,
                Truth::No => EntryRole::FallsShort,
            },
            None => match lapse(a, entry) {
                Some(role) => role,
                None => continue,
            },
        };
        if keep(role) {
            out.push(answer(a, list, entry, role, part));
        }
    }
    // What was renewed is no lapse.
    if out.iter().any(|x| x.role.carries()) {
        out.retain(|x| !x.role.lapsed());
    }
    out
}

/// Whether a fact surely names a place that an entry stands for.
fn is_for(crossing: &Crossing, slot: &str, key: &str) -> bool {
    let lies = |word: &String| model::place::Place(word.clone()).lies_in(key);
    match crossing.facts.get(slot).map(|f| &f.known) {
        Some(Known::Values(v)) if v.len() == 1 => v.iter().any(lies),
        Some(Known::Members(m)) => m.iter().any(lies),
        _ => false,
    }
}

/// Why an entry that would carry does not count, if its own scope is surely met.
fn lapse(a: &Asked<'_>, entry: &Entry) -> Option<EntryRole> {
    let (as_of, head) = (a.table.as_of, &entry.head);
    let mut live = a.crossing.clone();
    live.facts.retain(|_, f| f.until.is_none_or(|u| as_of.on < u));
    if entry.when.as_ref().is_some_and(|w| certainly(w, &live) != Some(true)) {
        return None;
    }
    match head.from {
        _ if head.annulled.is_some_and(|d| d <= as_of.published_by) => Some(EntryRole::Annulled),
        Start::On(_) if head.until.is_some_and(|u| u <= as_of.on) => Some(EntryRole::Ended),
        // Text that was not public on the day is not known on the day.
        Start::On(from) if head.published.unwrap_or(from) <= as_of.published_by && as_of.on < from => Some(EntryRole::NotYet),
        _ => None,
    }
}

fn answer(a: &Asked<'_>, list: &List, entry: &Entry, role: EntryRole, part: Option<&Condition>) -> EntryAnswer {
    let scope = part.and_then(|p| p.parts.first()).zip(entry.when.as_ref());
    let unmet: Vec<Unmet> = scope.filter(|_| role != EntryRole::Carries).map_or_else(Vec::new, |(c, e)| unmet_of(a, c, e));
    let mut given = Vec::new();
    if let Some((c, e)) = scope {
        met(a, c, e, true, &mut given);
    }
    EntryAnswer {
        id: entry.head.id.clone(),
        list: list.head.id.clone(),
        label: list.label.clone(),
        role,
        citation: entry.head.citation(a.table.as_of.on),
        annulled: entry.head.annulled.filter(|_| role == EntryRole::Annulled),
        given,
        unmet,
        note: entry.note.clone(),
    }
}

/// The conditions by which an expression holds, in words.
fn met(a: &Asked<'_>, c: &Condition, e: &Expr, wanted: bool, out: &mut Vec<Text>) {
    let sure = if wanted { Truth::Yes } else { Truth::No };
    if a.truth(c.holds) != sure {
        return;
    }
    match (e, wanted) {
        (Expr::Const(_), _) => {}
        (Expr::Not(inner), _) => c.parts.iter().for_each(|p| met(a, p, inner, !wanted, out)),
        (Expr::And(es), true) | (Expr::Or(es), false) => es.iter().zip(&c.parts).for_each(|(e, p)| met(a, p, e, wanted, out)),
        (Expr::Or(es), true) | (Expr::And(es), false) => {
            if let Some((e, p)) = es.iter().zip(&c.parts).find(|(_, p)| a.truth(p.holds) == sure) {
                met(a, p, e, wanted, out);
            }
        }
        (Expr::Atom(atom), _) => out.push(say_atom(a.book, atom, wanted)),
    }
}
