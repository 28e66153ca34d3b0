//! Reasons: each clause with its truth, each unmet condition in words, from the same functions that decided.

use crate::{
    decision::{Clause, ClauseKind, EntryAnswer, LayerAnswer, ObligationAnswer, Unmet},
    diagram::NodeId,
    index::Index,
    knowledge::{Knowledge, Truth, last_day},
    listed,
    table::{LayerTable, Table},
    unit::Condition,
};
use model::text::Text;
use rulebook::{
    bind::{Crossing, certainly},
    book::Rulebook,
    expr::{Atom, Expr, Test},
    law::{Due, Head},
    vocabulary::Domain,
};

/// What reasons are read from: one crossing's knowledge of one layer.
pub(crate) struct Asked<'a> {
    pub table: &'a Table,
    pub book: &'a Rulebook,
    pub crossing: &'a Crossing,
    index: &'a Index,
    k: &'a Knowledge,
    i: usize,
    layer: &'a LayerTable,
}

impl Asked<'_> {
    /// The truth of a function of the layer.
    pub fn truth(&self, f: NodeId) -> Truth {
        self.k.truth(self.table, self.i, f)
    }
}

/// Reads the clauses of one layer.
pub fn layer(table: &Table, book: &Rulebook, index: &Index, k: &Knowledge, crossing: &Crossing, i: usize) -> Option<LayerAnswer> {
    let lt = table.layers.get(i)?;
    let asked = Asked { table, book, crossing, index, k, i, layer: lt };
    let law = book.layers.get(&lt.id)?;
    let applies = asked.truth(lt.law().applies);
    if applies == Truth::No {
        return None;
    }
    let mut clauses = outside(&asked);
    clauses.extend(inside(&asked, law));
    Some(LayerAnswer {
        layer: lt.id.clone(),
        label: law.label.clone(),
        applies,
        reaches: asked.truth(lt.law().reaches),
        refuses: asked.truth(lt.law().refuses),
        checked: law.checked.clone(),
        not_checked: law.not_checked.clone(),
        clauses,
    })
}

fn clause(a: &Asked<'_>, head: &Head, kind: ClauseKind, truth: Truth) -> Clause {
    Clause {
        id: head.id.clone(),
        kind,
        layer: a.layer.id.clone(),
        truth,
        says: head.says.clone(),
        citation: head.citation(a.table.as_of.on),
        unmet: Vec::new(),
        rank: None,
        beside: None,
        entries: Vec::new(),
    }
}

/// The entries of lists behind a clause, read from the parts of its condition.
fn entries(a: &Asked<'_>, number: usize, e: &Expr, truth: Truth) -> Vec<EntryAnswer> {
    a.layer.law().conditions.get(&number).map_or_else(Vec::new, |c| listed::entries(a, c, e, truth))
}

fn outside(a: &Asked<'_>) -> Vec<Clause> {
    let (mut out, law) = (Vec::new(), a.layer.law());
    for (c, f) in &law.scopes {
        if let Some(scope) = a.index.scope(a.book, a.layer.clause(*c)) {
            let mut said = clause(a, &scope.head, ClauseKind::Scope, a.truth(*f));
            if said.truth != Truth::Yes {
                said.unmet = unmet(a, *c, &scope.reaches);
            }
            said.entries = entries(a, *c, &scope.reaches, said.truth);
            out.push(said);
        }
    }
    for (c, f) in &law.outs {
        let t = a.truth(*f);
        if let Some(o) = a.index.out(a.book, a.layer.clause(*c)).filter(|_| t != Truth::No) {
            let beside = Some(o.remains.clone()).filter(|r| !r.en.is_empty());
            out.push(Clause { beside, entries: entries(a, *c, &o.when, t), ..clause(a, &o.head, ClauseKind::Out, t) });
        }
    }
    out
}

fn inside(a: &Asked<'_>, layer: &rulebook::law::Layer) -> Vec<Clause> {
    let (mut out, law) = (Vec::new(), a.layer.law());
    for (c, f) in &law.bars {
        let t = a.truth(*f);
        if let Some(b) = a.index.bar(a.book, a.layer.clause(*c)).filter(|_| t != Truth::No) {
            let beside = Some(b.alternative.clone()).filter(|r| !r.en.is_empty());
            out.push(Clause { beside, entries: entries(a, *c, &b.when, t), ..clause(a, &b.head, ClauseKind::Bar, t) });
        }
    }
    for g in &law.gates {
        let when = a.truth(g.when);
        let Some(gate) = a.index.gate(a.book, a.layer.clause(g.clause)).filter(|_| when != Truth::No) else { continue };
        let asked_of = entries(a, g.clause, &gate.when, when);
        out.push(Clause { entries: asked_of, ..clause(a, &gate.head, ClauseKind::Gate, when) });
        for route in &g.routes {
            let t = a.truth(route.need);
            let Some(r) = a.index.route(a.book, a.layer.clause(route.clause)) else { continue };
            let mut c = clause(a, &r.head, ClauseKind::Route, t);
            c.rank = Some(r.rank);
            c.beside = Some(r.not_dispense.clone()).filter(|x| !x.en.is_empty());
            if t != Truth::Yes {
                c.unmet = unmet(a, route.clause, &r.need);
            }
            c.entries = entries(a, route.clause, &r.need, t);
            out.push(c);
        }
    }
    for (c, _, late, _) in &law.obligations {
        let t = a.truth(*late);
        let binding = |o: &&rulebook::law::Obligation| o.if_breached != rulebook::law::IfBreached::SideDuty && t != Truth::No;
        if let Some(o) = a.index.obligation(a.book, a.layer.clause(*c)).filter(binding) {
            out.push(Clause { entries: entries(a, *c, &o.when, t), ..clause(a, &o.head, ClauseKind::Obligation, t) });
        }
    }
    for (i, when) in &law.gaps {
        let t = a.truth(*when);
        if let Some(gap) = layer.gaps.get(*i).filter(|_| t != Truth::No) {
            let mut c = clause(a, &layer.head, ClauseKind::Gap, t);
            c.says = gap.says.clone();
            out.push(c);
        }
    }
    out
}

/// Obligations of the layers that arise or may arise.
pub fn obligations(table: &Table, book: &Rulebook, index: &Index, k: &Knowledge, crossing: &Crossing) -> Vec<ObligationAnswer> {
    let mut out = Vec::new();
    let all = k.live.iter().filter_map(|i| table.layers.get(*i).map(|l| (*i, l)));
    for (i, l, (c, when, _, _)) in all.flat_map(|(i, l)| l.law().obligations.iter().map(move |o| (i, l, o))) {
        let t = k.truth(table, i, *when);
        let Some(o) = index.obligation(book, l.clause(*c)).filter(|_| t != Truth::No) else { continue };
        let last_day = last_day(book, &o.due, &crossing.facts);
        let done = o.done.as_ref().is_some_and(|e| certainly(e, crossing) == Some(true));
        out.push(ObligationAnswer {
            id: o.head.id.clone(),
            says: o.head.says.clone(),
            citation: o.head.citation(table.as_of.on),
            truth: t,
            due: match &o.due {
                Due::Before => "before".into(),
                Due::OnRequest => "on request".into(),
                Due::Standing => "standing".into(),
                Due::DaysAfter { days, fact, calendar: None } => format!("{days} days after {fact}"),
                Due::DaysAfter { days, fact, calendar: Some(_) } => format!("{days} working days after {fact}"),
            },
            last_day,
            done,
            overdue: !done && t == Truth::Yes && last_day.is_some_and(|d| d < table.as_of.on),
            if_breached: o.if_breached,
        });
    }
    out
}

/// The first conditions of a clause that are not surely met, outermost first.
fn unmet(a: &Asked<'_>, clause: usize, e: &Expr) -> Vec<Unmet> {
    a.layer.law().conditions.get(&clause).map_or_else(Vec::new, |condition| unmet_of(a, condition, e))
}

/// The first conditions that are not surely met, of a condition with its parts.
pub(crate) fn unmet_of(a: &Asked<'_>, condition: &Condition, e: &Expr) -> Vec<Unmet> {
    // LIMIT: conditions named for one clause.
    const UNMET_MAX: usize = 4;
    let mut out = Vec::new();
    collect_unmet(a, condition, e, true, &mut out);
    let mut seen = std::collections::BTreeSet::new();
    out.retain(|u| seen.insert(u.says.en.clone()));
    out.truncate(UNMET_MAX);
    out
}

fn collect_unmet(a: &Asked<'_>, c: &Condition, e: &Expr, wanted: bool, out: &mut Vec<Unmet>) {
    let t = a.truth(c.holds);
    if t == if wanted { Truth::Yes } else { Truth::No } {
        return;
    }
    match (e, wanted) {
        (Expr::Const(_), _) => {}
        (Expr::Not(inner), _) => c.parts.iter().for_each(|p| collect_unmet(a, p, inner, !wanted, out)),
        (Expr::And(es), true) | (Expr::Or(es), false) => es.iter().zip(&c.parts).for_each(|(e, p)| collect_unmet(a, p, e, wanted, out)),
        // Any one of them would do: name the first that is still open, else the first.
        (Expr::Or(es), true) | (Expr::And(es), false) => {
            let mut parts = es.iter().zip(&c.parts);
            let open = parts.clone().find(|(_, p)| a.truth(p.holds) == Truth::Open);
            if let Some((e, p)) = open.or(parts.next()) {
                collect_unmet(a, p, e, wanted, out);
            }
        }
        (Expr::Atom(atom), _) => {
            let truth = if t == Truth::Open { Truth::Open } else { Truth::No };
            let slot = match &atom.test {
                Test::Reading(_) => format!("reading {}", atom.fact),
                _ => atom.fact.clone(),
            };
            out.push(Unmet { slot, says: say_atom(a.book, atom, wanted), truth });
        }
    }
}

/// An atom in words, or its negation.
pub fn say_atom(book: &Rulebook, a: &Atom, wanted: bool) -> Text {
    if let Test::Reading(side) = &a.test {
        let question = book.disputed.get(&a.fact).map(|d| d.question.clone()).unwrap_or_default();
        return Text::of(format!("reading {side} of: {}", question.en), format!("論点の{side}説:{}", question.ja));
    }
    let Some(fact) = book.vocabulary.of_slot(&a.fact) else { return Text::of(&a.fact, &a.fact) };
    let (role_en, role_ja) = match a.fact.split('.').next() {
        Some("exporter") => ("exporter: ", "送り手:"),
        Some("recipient") => ("recipient: ", "受け手:"),
        _ => ("", ""),
    };
    let (en, ja) = (format!("{role_en}{}", fact.label.en), format!("{role_ja}{}", fact.label.ja));
    let join = |words: &[String], sep_en: &str| {
        let labels: Vec<Text> = words.iter().take(6).map(|w| book.vocabulary.label(fact, w)).collect();
        let more = words.len() > 6;
        let en = labels.iter().map(|t| t.en.as_str()).collect::<Vec<_>>().join(sep_en);
        let ja = labels.iter().map(|t| t.ja.as_str()).collect::<Vec<_>>().join("/");
        if more { (format!("{en} …"), format!("{ja}…")) } else { (en, ja) }
    };
    let (not_en, not_ja) = if wanted { ("", "") } else { ("not ", "でない") };
    let (value_en, value_ja) = match &a.test {
        Test::Yes if fact.domain == Domain::YesNo => return Text::of(format!("{en}: {}", if wanted { "yes" } else { "no" }), format!("{ja}:{}", if wanted { "はい" } else { "いいえ" })),
        Test::Yes | Test::Reading(_) => ("yes".into(), "はい".into()),
        Test::In(w) | Test::HasAny(w) => join(w, " or "),
        Test::HasAll(w) => join(w, " and "),
        Test::HasOnly(w) => {
            let (e, j) = join(w, ", ");
            (format!("only {e}"), format!("{j}のみ"))
        }
        Test::AtLeast(n) if wanted => return Text::of(format!("{en}: at least {n}"), format!("{ja}:{n}以上")),
        Test::AtLeast(n) => return Text::of(format!("{en}: less than {n}"), format!("{ja}:{n}未満")),
        Test::Before(d) if wanted => return Text::of(format!("{en}: before {d}"), format!("{ja}:{d}より前")),
        Test::Before(d) => return Text::of(format!("{en}: {d} or later"), format!("{ja}:{d}以後")),
        Test::OnList(l) => {
            let label = book.lists.get(l).map(|l| l.label.clone()).unwrap_or_default();
            (format!("on the list “{}”", label.en), format!("リスト「{}」に掲載", label.ja))
        }
        Test::Determined(_) => ("made, and it passes".into(), "実施済みで適合".into()),
    };
    Text::of(format!("{en}: {not_en}{value_en}"), format!("{ja}:{value_ja}{not_ja}"))
}
