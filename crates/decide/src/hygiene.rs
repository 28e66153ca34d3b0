//! What is wrong with rules as rules: measures that make worse, clauses that never apply or never matter, layers under
//! which nothing can go, places for which nobody answers.
//!
//! Every day on which the law changes is looked at; a layer that reads the same on many days is looked at once.

use crate::{
    axis::Cut,
    diagram::{Diagram, FALSE, Forced, NodeId, Wish},
    gather::{Day, Law},
    lexicon::{Lexicon, TooManyCells},
    table,
    unit::{Functions, Unit},
};
use model::{AsOf, CivilDate, Digest, text::Text};
use rulebook::{
    book::Rulebook,
    law::{Explained, MeasureOffer},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

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
    /// Two layers that reach one transfer, each of which can be obeyed, and that nothing obeys together.
    Clash,
    /// A fact that no rule, list or measure asks: whatever is said of it changes no answer.
    Unasked,
    /// A measure that does nothing that any rule in force asks.
    Idle,
}

impl What {
    /// Every kind.
    pub const ALL: [Self; 8] =
        [Self::DoubleEdged, Self::RefusesAll, Self::Clash, Self::NeverApplies, Self::Shadowed, Self::Idle, Self::Unasked, Self::Uncovered];

    /// The word in files and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::DoubleEdged => "double_edged",
            Self::NeverApplies => "never_applies",
            Self::Shadowed => "shadowed",
            Self::RefusesAll => "refuses_all",
            Self::Uncovered => "uncovered",
            Self::Clash => "clash",
            Self::Unasked => "unasked",
            Self::Idle => "idle",
        }
    }
}

/// What was found, with the reason why it is meant to be so, if somebody gave one.
#[derive(Clone, Debug, Serialize)]
pub struct Judged<'a> {
    /// What was found.
    #[serde(flatten)]
    pub found: Found,
    /// Why it is meant to be so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<&'a Text>,
}

/// Everything found, each with its explanation; and the explanations of what is not found any more.
pub fn judged(book: &Rulebook, found: Vec<Found>) -> (Vec<Judged<'_>>, Vec<&Explained>) {
    let explains = |f: &Found| book.explained.iter().find(|e| e.is_about(f.what.word(), &f.id));
    let idle = book.explained.iter().filter(|e| !found.iter().any(|f| e.is_about(f.what.word(), &f.id))).collect();
    (found.into_iter().map(|found| Judged { because: explains(&found).map(|e| &e.because), found }).collect(), idle)
}

/// Everything that is looked for: what the law says on every day on which it changes, and what it leaves out on this day.
pub fn everything(book: &Rulebook, today: AsOf) -> Result<Vec<Found>, TooManyCells> {
    everything_told(book, today, &mut |_, _| {})
}

/// The same; tells how many of the days on which the law changes are looked through.
pub fn everything_told(book: &Rulebook, today: AsOf, tell: &mut dyn FnMut(usize, usize)) -> Result<Vec<Found>, TooManyCells> {
    let mut out = report_told(book, tell)?;
    out.extend(uncovered(book, today)?.into_iter().map(|id| Found { what: What::Uncovered, id, by: Vec::new(), from: today.on }));
    out.extend(clashes(book, today)?);
    out.extend(idle(book, today));
    Ok(out)
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
    report_told(book, &mut |_, _| {})
}

fn report_told(book: &Rulebook, tell: &mut dyn FnMut(usize, usize)) -> Result<Vec<Found>, TooManyCells> {
    let lexicon = Lexicon::of(&book.vocabulary)?;
    let mut out = BTreeSet::new();
    // What each law is, and the measures that may turn it against the transfer.
    let mut looked: HashMap<Digest, Vec<usize>> = HashMap::new();
    let mut edges = Edges { lexicon: &lexicon, looked: HashSet::new(), found: BTreeMap::new() };
    let mut clauses: BTreeMap<String, Seen> = BTreeMap::new();
    let days = book.boundaries();
    for (done, on) in days.iter().copied().enumerate() {
        tell(done, days.len());
        let day = Day::of(book, AsOf::then(on));
        for layer in &day.layers {
            let law = day.law(layer);
            let key = day.fingerprint(&law, &lexicon);
            if !looked.contains_key(&key) {
                let unit = Unit::compile(&day, &law, &lexicon)?;
                let Some(functions) = unit.laws.first() else { continue };
                look(&unit, functions, on, &mut clauses);
                if refuses_all(&unit, functions) {
                    out.insert(Found { what: What::RefusesAll, id: layer.id.clone(), by: Vec::new(), from: on });
                }
                looked.insert(key, table::may_turn(&unit, functions, &book.measures, &lexicon));
            }
            edges.note(book, &day, law, looked.get(&key).map(Vec::as_slice).unwrap_or_default())?;
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
    out.extend(edges.told());
    Ok(out.into_iter().collect())
}

/// Whether a law reaches something, and refuses all that it reaches.
fn refuses_all(unit: &Unit, law: &Functions) -> bool {
    let (d, everything) = (&unit.diagram, unit.diagram.everything());
    let [reached, possible] = [law.reaches, unit.constraint].map(Wish::yes);
    d.meets([reached, possible], &everything) && !d.meets([reached, possible, Wish::no(law.refuses)], &everything)
}

/// Places for which no layer in force answers on a day.
pub fn uncovered(book: &Rulebook, as_of: AsOf) -> Result<Vec<String>, TooManyCells> {
    let t = table::Table::compile(&Arc::new(book.clone()), as_of)?;
    let covers = |place: &str| {
        let said = model::fact::Said::claim(model::fact::Spoken::Word(place.into()));
        book.bind(&model::transfer::Transfer::single([("exporter.place".to_string(), said)])).is_ok_and(|bound| {
            bound.crossings.iter().all(|c| !crate::knowledge::Knowledge::of(&t, c).may_be_uncovered(&t))
        })
    };
    Ok(book.vocabulary.places.keys().filter(|p| !covers(p)).cloned().collect())
}

/// Pairs of layers that reach one transfer and cannot both be obeyed though each can: one demands a safeguard that the
/// other forbids. What is in the hand of the parties, and what we hold no rule for, may be as it helps most.
pub fn clashes(book: &Rulebook, as_of: AsOf) -> Result<Vec<Found>, TooManyCells> {
    let lexicon = Lexicon::of(&book.vocabulary)?;
    let day = Day::of(book, as_of);
    let mut laws: Vec<(&str, Law<'_>, Wishes)> = Vec::new();
    for layer in &day.layers {
        let law = day.law(layer);
        let wishes = Wishes::of(&Unit::compile(&day, &law, &lexicon)?, &lexicon);
        laws.push((layer.id.as_str(), law, wishes));
    }
    let mut out = Vec::new();
    for (i, (one, a, wants)) in laws.iter().enumerate() {
        // Where no safeguard helps under one law and harms under the other, having all that help obeys both.
        for (other, b, _) in laws.iter().skip(i + 1).filter(|(_, _, theirs)| wants.against(theirs)) {
            if clash(&Unit::together(&[(&day, a), (&day, b)], &lexicon)?, &lexicon) {
                out.push(Found { what: What::Clash, id: one.to_string(), by: vec![other.to_string()], from: as_of.on });
            }
        }
    }
    Ok(out)
}

fn in_hand(lexicon: &Lexicon, slot: &str) -> bool {
    lexicon.slot(slot).is_some_and(|s| s.is_absent_when_unsaid())
}

/// Safeguards that help under a law, and those that harm, by slot and word.
struct Wishes {
    help: BTreeSet<(String, usize)>,
    harm: BTreeSet<(String, usize)>,
}

impl Wishes {
    fn of(unit: &Unit, lexicon: &Lexicon) -> Self {
        let mut out = Self { help: BTreeSet::new(), harm: BTreeSet::new() };
        let Some(law) = unit.laws.first() else { return out };
        let (d, everything) = (&unit.diagram, unit.diagram.everything());
        for (axis, x) in unit.axes.list.iter().enumerate() {
            let Some(slot) = x.slot().filter(|s| in_hand(lexicon, s)) else { continue };
            let (words, present): (Vec<usize>, usize) = match &x.cut {
                Cut::Member(members) => (members.iter().collect(), 1),
                Cut::Choice { class_of, .. } => match lexicon.slot(slot).and_then(|s| s.values.index("yes")) {
                    Some(yes) => (vec![yes], class_of.get(yes).copied().unwrap_or(0).into()),
                    // A judgment that one makes oneself helps where it is asked for, and is forbidden nowhere.
                    None => continue,
                },
                Cut::Number(_) | Cut::Open => continue,
            };
            let [without, with] = [usize::from(present == 0), present].map(|cell| {
                let mut forced = Forced::NONE;
                forced.fix(axis, cell);
                forced
            });
            let turns = |bad: &Forced, good: &Forced| d.meets([Wish::yes(law.refuses).after(bad), Wish::no(law.refuses).after(good)], &everything);
            let keys = || words.iter().map(|w| (slot.to_string(), *w));
            if turns(&without, &with) {
                out.help.extend(keys());
            }
            if turns(&with, &without) {
                out.harm.extend(keys());
            }
        }
        out
    }

    fn against(&self, other: &Self) -> bool {
        !self.help.is_disjoint(&other.harm) || !self.harm.is_disjoint(&other.help)
    }
}

/// Whether two laws that were compiled together clash somewhere.
fn clash(unit: &Unit, lexicon: &Lexicon) -> bool {
    let [f, g] = unit.laws.as_slice() else { return false };
    let mut d = unit.diagram.thawed();
    let reached = d.all([f.reaches, g.reaches, unit.constraint]);
    if reached == FALSE {
        return false;
    }
    let free: Vec<usize> = unit.axes.list.iter().enumerate().filter(|(_, x)| x.slot().is_none_or(|s| in_hand(lexicon, s))).map(|(n, _)| n).collect();
    let (open_f, open_g) = (d.not(f.refuses), d.not(g.refuses));
    let both = d.and(open_f, open_g);
    let [reached, f_alone, g_alone, both] = [reached, open_f, open_g, both].map(|h| {
        let possible = d.and(h, unit.constraint);
        some(&mut d, possible, &free)
    });
    let never = d.not(both);
    d.all([reached, f_alone, g_alone, never]) != FALSE
}

/// Whether some cells of these axes meet a function, as a function of the others.
fn some(d: &mut Diagram, f: NodeId, axes: &[usize]) -> NodeId {
    let mut out = f;
    for axis in d.support(f).into_iter().filter(|a| axes.contains(a)).rev() {
        let ways: Vec<NodeId> = (0..d.width(axis))
            .map(|cell| {
                let mut forced = Forced::NONE;
                forced.fix(axis, cell);
                d.fix(out, &forced)
            })
            .collect();
        out = d.any(ways);
    }
    out
}

/// Facts that nothing asks, and measures on offer that do nothing which a rule in force asks.
pub fn idle(book: &Rulebook, as_of: AsOf) -> Vec<Found> {
    let day = Day::of(book, as_of);
    let (mut now, mut ever) = (BTreeSet::new(), BTreeSet::new());
    for layer in &day.layers {
        day.law(layer).exprs(&day).iter().for_each(|e| day.slots_of(e, &mut now));
    }
    for on in book.boundaries() {
        let day = Day::of(book, AsOf::then(on));
        day.layers.iter().for_each(|l| day.law(l).exprs(&day).iter().for_each(|e| day.slots_of(e, &mut ever)));
    }
    book.vocabulary.constraints.iter().for_each(|c| day.slots_of(&c.never, &mut ever));
    book.measures.iter().flat_map(|m| &m.when).for_each(|e| day.slots_of(e, &mut ever));
    let asked = |id: &str| {
        let rest = id.strip_prefix("party.");
        ever.contains(id) || rest.is_some_and(|r| ["exporter", "recipient"].iter().any(|role| ever.contains(&format!("{role}.{r}"))))
    };
    let found = |what, id: &str| Found { what, id: id.to_string(), by: Vec::new(), from: as_of.on };
    let facts = book.vocabulary.facts.keys().filter(|id| !asked(id)).map(|id| found(What::Unasked, id));
    let offered = book.measures.iter().filter(|m| m.head.counts(as_of) && !m.does.iter().any(|e| now.contains(&e.slot)));
    facts.chain(offered.map(|m| found(What::Idle, &m.id))).collect()
}

/// Every clause of a law: whether it speaks, and whether what it says makes a difference beside the others of its kind. One
/// that was seen to do both on some day is not looked at again.
fn look(unit: &Unit, law: &Functions, on: CivilDate, out: &mut BTreeMap<String, Seen>) {
    for clause in 0..law.clauses.len() {
        let seen = out.entry(name(law, clause)).or_default();
        seen.from = seen.from.or(Some(on));
    }
    let open = |out: &BTreeMap<String, Seen>, clause: usize| out.get(&name(law, clause)).is_none_or(|s| !(s.speaks && s.matters));
    let any_open = |out: &BTreeMap<String, Seen>, all: &[(usize, NodeId)]| all.iter().any(|(c, _)| open(out, *c));
    if !(0..law.clauses.len()).any(|c| open(out, c)) {
        return;
    }
    let d = &mut unit.diagram.thawed();
    let applying: Vec<(usize, NodeId)> = law.scopes.iter().map(|(c, f)| (*c, d.and(*f, law.applies))).collect();
    beside(d, unit, law, &applying, out);
    if any_open(out, &law.outs) {
        let reach = d.any(applying.iter().map(|(_, f)| *f).collect::<Vec<_>>());
        let outs: Vec<(usize, NodeId)> = law.outs.iter().map(|(c, f)| (*c, d.and(*f, reach))).collect();
        beside(d, unit, law, &outs, out);
    }
    let mut refusing = law.bars.clone();
    refusing.extend(law.gates.iter().map(|g| (g.clause, g.when)));
    refusing.extend(law.obligations.iter().filter(|(_, _, _, binds)| *binds).map(|(c, _, late, _)| (*c, *late)));
    if any_open(out, &refusing) {
        for (g, (_, f)) in law.gates.iter().zip(refusing.iter_mut().skip(law.bars.len())) {
            let met = d.any(g.routes.iter().map(|r| r.need).collect::<Vec<_>>());
            let unmet = d.not(met);
            *f = d.and(g.when, unmet);
        }
        beside(d, unit, law, &refusing, out);
    }
    for g in &law.gates {
        if !g.routes.iter().any(|r| open(out, r.clause)) {
            continue;
        }
        let routes: Vec<(usize, NodeId)> = g.routes.iter().map(|r| (r.clause, d.and(g.when, r.need))).collect();
        beside(d, unit, law, &routes, out);
    }
    // What does not refuse by itself speaks when it arises, and always matters to the person it binds.
    let everything = d.everything();
    for (c, when, _, binds) in &law.obligations {
        let seen = out.entry(name(law, *c)).or_default();
        if !seen.speaks || !seen.matters && !binds {
            let speaks = d.meets([*when, unit.constraint].map(Wish::yes), &everything);
            seen.speaks |= speaks;
            seen.matters |= speaks && !binds;
        }
    }
}

fn beside(d: &mut Diagram, unit: &Unit, law: &Functions, all: &[(usize, NodeId)], out: &mut BTreeMap<String, Seen>) {
    let everything = d.everything();
    // What stands after each: with what stands before it, that is what the others say.
    let mut after = vec![FALSE];
    for (_, f) in all.iter().rev() {
        after.push(d.or(*f, after.last().copied().unwrap_or(FALSE)));
    }
    let mut before = FALSE;
    for (i, (clause, f)) in all.iter().enumerate() {
        let earlier = before;
        before = d.or(before, *f);
        let seen = out.entry(name(law, *clause)).or_default();
        if seen.speaks && seen.matters {
            continue;
        }
        let later = after.get(all.len() - 1 - i).copied().unwrap_or(FALSE);
        let [speaks, possible] = [*f, unit.constraint].map(Wish::yes);
        if !d.meets([speaks, possible], &everything) {
            continue;
        }
        seen.speaks = true;
        if d.meets([speaks, possible, Wish::no(earlier), Wish::no(later)], &everything) {
            seen.matters = true;
        } else {
            let covers = |g: NodeId| d.meets([speaks, possible, Wish::yes(g)], &everything);
            let covering = all.iter().enumerate().filter(|(j, (_, g))| *j != i && covers(*g));
            seen.by.extend(covering.map(|(_, (c, _))| name(law, *c)).take(4));
        }
    }
}

fn name(law: &Functions, clause: usize) -> String {
    law.clauses.get(clause).cloned().unwrap_or_default()
}

/// Offered measures that can turn a lawful state unlawful, with the layer that says so and the first day.
struct Edges<'a> {
    lexicon: &'a Lexicon,
    looked: HashSet<(Digest, Vec<usize>)>,
    found: BTreeMap<(String, String), CivilDate>,
}

impl Edges<'_> {
    /// Looks through those measures on offer that may turn this law.
    fn note<'b>(&mut self, book: &'b Rulebook, day: &Day<'b>, mut law: Law<'b>, risky: &[usize]) -> Result<(), TooManyCells> {
        // Nearly always there is none, and what is asked of measures need not be compiled.
        if risky.is_empty() {
            return Ok(());
        }
        let touching: Vec<(usize, &MeasureOffer)> = touching(book, day, &law).into_iter().filter(|(i, _)| risky.contains(i)).collect();
        law.also = touching.iter().filter_map(|(_, m)| m.when.as_ref()).collect();
        day.constrain(&mut law);
        let key = (day.fingerprint(&law, self.lexicon), touching.iter().map(|(i, _)| *i).collect());
        if !touching.is_empty() && self.looked.insert(key) {
            for i in table::double_edged_under(day, &law, &touching, self.lexicon)? {
                let [id, layer] = [book.measures.get(i).map(|m| &m.id), law.layer.map(|l| &l.id)].map(|id| id.cloned().unwrap_or_default());
                self.found.entry((id, layer)).or_insert(day.as_of.on);
            }
        }
        Ok(())
    }

    fn told(self) -> impl Iterator<Item = Found> {
        self.found.into_iter().map(|((id, layer), from)| Found { what: What::DoubleEdged, id, by: vec![layer], from })
    }
}

/// The measures on offer that work on what a law asks.
pub fn touching<'a>(book: &'a Rulebook, day: &Day<'a>, law: &Law<'a>) -> Vec<(usize, &'a MeasureOffer)> {
    let mut slots = BTreeSet::new();
    law.exprs(day).iter().for_each(|e| day.slots_of(e, &mut slots));
    let offered = book.measures.iter().enumerate().filter(|(_, m)| m.head.counts(day.as_of));
    offered.filter(|(_, m)| m.does.iter().any(|e| slots.contains(&e.slot))).collect()
}

#[cfg(test)]
mod tests;
