//! Reasons: each clause with its truth, each unmet condition in words, from the same functions that decided.

use crate::{
    decision::{Clause, ClauseKind, LayerAnswer, ObligationAnswer, Unmet},
    knowledge::{Knowledge, Truth, last_day},
    table::{LayerTable, Table, compile_expr},
};
use model::text::Text;
use rulebook::{
    bind::Crossing,
    book::Rulebook,
    expr::{Atom, Expr, Test},
    law::{Due, Head},
    vocabulary::Domain,
};

/// Reads the clauses of one layer.
pub fn layer(table: &mut Table, book: &Rulebook, k: &Knowledge, index: usize) -> Option<LayerAnswer> {
    let lt = table.layers.get(index)?.clone();
    let law = book.layers.get(&lt.id)?;
    let applies = truth(table, k, lt.applies);
    if applies == Truth::No {
        return None;
    }
    let reaches = truth(table, k, lt.reaches);
    let mut clauses = outside(table, book, k, &lt);
    clauses.extend(inside(table, book, k, &lt));
    Some(LayerAnswer {
        layer: lt.id.clone(),
        label: law.label.clone(),
        applies,
        reaches,
        refuses: truth(table, k, lt.refuses),
        checked: law.checked.clone(),
        not_checked: law.not_checked.clone(),
        clauses,
    })
}

/// The truth of a function whose negation the table holds.
pub fn truth(table: &Table, k: &Knowledge, f: crate::diagram::NodeId) -> Truth {
    k.truth(table, f, table.diagram.negation(f).unwrap_or(crate::diagram::TRUE))
}

fn clause(head: &Head, kind: ClauseKind, layer: &str, truth: Truth) -> Clause {
    Clause {
        id: head.id.clone(),
        kind,
        layer: layer.into(),
        truth,
        says: head.says.clone(),
        citation: head.citation(),
        unmet: Vec::new(),
        rank: None,
        beside: None,
    }
}

fn outside(table: &mut Table, book: &Rulebook, k: &Knowledge, lt: &LayerTable) -> Vec<Clause> {
    let mut out = Vec::new();
    for (i, f) in &lt.scopes {
        if let Some(scope) = book.scopes.get(*i) {
            let mut c = clause(&scope.head, ClauseKind::Scope, &lt.id, truth(table, k, *f));
            if c.truth != Truth::Yes {
                c.unmet = unmet(table, book, k, &scope.reaches);
            }
            out.push(c);
        }
    }
    for (i, f) in &lt.outs {
        let t = truth(table, k, *f);
        if let Some(o) = book.outs.get(*i).filter(|_| t != Truth::No) {
            let beside = Some(o.remains.clone()).filter(|r| !r.en.is_empty());
            out.push(Clause { beside, ..clause(&o.head, ClauseKind::Out, &lt.id, t) });
        }
    }
    out
}

fn inside(table: &mut Table, book: &Rulebook, k: &Knowledge, lt: &LayerTable) -> Vec<Clause> {
    let mut out = Vec::new();
    for (i, f) in &lt.bars {
        let t = truth(table, k, *f);
        if let Some(b) = book.bars.get(*i).filter(|_| t != Truth::No) {
            let beside = Some(b.alternative.clone()).filter(|r| !r.en.is_empty());
            out.push(Clause { beside, ..clause(&b.head, ClauseKind::Bar, &lt.id, t) });
        }
    }
    for g in &lt.gates {
        let when = truth(table, k, g.when);
        let Some(gate) = book.gates.get(g.gate).filter(|_| when != Truth::No) else { continue };
        out.push(clause(&gate.head, ClauseKind::Gate, &lt.id, when));
        for (ri, need) in &g.routes {
            let t = truth(table, k, *need);
            let Some(r) = book.routes.get(*ri) else { continue };
            let mut c = clause(&r.head, ClauseKind::Route, &lt.id, t);
            c.rank = Some(r.rank);
            c.beside = Some(r.not_dispense.clone()).filter(|x| !x.en.is_empty());
            if t != Truth::Yes {
                c.unmet = unmet(table, book, k, &r.need);
            }
            out.push(c);
        }
    }
    for (i, _, late) in &lt.obligations {
        let t = truth(table, k, *late);
        let binding = |o: &&rulebook::law::Obligation| o.if_breached != rulebook::law::IfBreached::SideDuty && t != Truth::No;
        if let Some(o) = book.obligations.get(*i).filter(binding) {
            out.push(clause(&o.head, ClauseKind::Obligation, &lt.id, t));
        }
    }
    if let Some(law) = book.layers.get(&lt.id) {
        for (i, when) in &lt.gaps {
            let t = truth(table, k, *when);
            if let Some(gap) = law.gaps.get(*i).filter(|_| t != Truth::No) {
                let mut c = clause(&law.head, ClauseKind::Gap, &lt.id, t);
                c.says = gap.says.clone();
                out.push(c);
            }
        }
    }
    out
}

/// Obligations of a layer that arise or may arise.
pub fn obligations(table: &Table, book: &Rulebook, k: &Knowledge, crossing: &Crossing) -> Vec<ObligationAnswer> {
    let mut out = Vec::new();
    for (i, when, _) in table.layers.iter().flat_map(|l| &l.obligations) {
        let t = truth(table, k, *when);
        let Some(o) = book.obligations.get(*i).filter(|_| t != Truth::No) else { continue };
        out.push(ObligationAnswer {
            id: o.head.id.clone(),
            says: o.head.says.clone(),
            citation: o.head.citation(),
            truth: t,
            due: match &o.due {
                Due::Before => "before".into(),
                Due::OnRequest => "on request".into(),
                Due::Standing => "standing".into(),
                Due::DaysAfter { days, fact } => format!("{days} days after {fact}"),
            },
            last_day: last_day(book, &o.head.id, &crossing.facts),
            if_breached: o.if_breached,
        });
    }
    out
}

/// The first conditions of an expression that are not surely met, outermost first.
pub fn unmet(table: &mut Table, book: &Rulebook, k: &Knowledge, e: &Expr) -> Vec<Unmet> {
    // LIMIT: conditions named for one clause.
    const UNMET_MAX: usize = 4;
    let mut out = Vec::new();
    collect_unmet(table, book, k, e, true, &mut out);
    let mut seen = std::collections::BTreeSet::new();
    out.retain(|u| seen.insert(u.says.en.clone()));
    out.truncate(UNMET_MAX);
    out
}

fn collect_unmet(table: &mut Table, book: &Rulebook, k: &Knowledge, e: &Expr, wanted: bool, out: &mut Vec<Unmet>) {
    let (f, not_f) = compile_expr(table, book, e);
    let t = k.truth(table, f, not_f);
    if t == if wanted { Truth::Yes } else { Truth::No } {
        return;
    }
    match (e, wanted) {
        (Expr::Const(_), _) => {}
        (Expr::Not(inner), _) => collect_unmet(table, book, k, inner, !wanted, out),
        (Expr::And(es), true) | (Expr::Or(es), false) => es.iter().for_each(|e| collect_unmet(table, book, k, e, wanted, out)),
        // Any one of them would do: name the first that is still open, else the first.
        (Expr::Or(es), true) | (Expr::And(es), false) => {
            let mut best: Option<&Expr> = None;
            for e in es {
                let (f, not_f) = compile_expr(table, book, e);
                if k.truth(table, f, not_f) == Truth::Open {
                    best = Some(e);
                    break;
                }
            }
            if let Some(e) = best.or(es.first()) {
                collect_unmet(table, book, k, e, wanted, out);
            }
        }
        (Expr::Atom(a), _) => {
            let truth = if t == Truth::Open { Truth::Open } else { Truth::No };
            let slot = match &a.test {
                Test::Reading(_) => format!("reading {}", a.fact),
                _ => a.fact.clone(),
            };
            out.push(Unmet { slot, says: say_atom(book, a, wanted), truth });
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
