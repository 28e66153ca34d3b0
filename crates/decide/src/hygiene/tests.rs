//! The same report by looking at every state of every law of every day, on random small rulebooks.

use super::*;
use generate::Draw;

#[path = "../../tests/reference/generate.rs"]
mod generate;

const N_BOOKS: u64 = 2_000;
// LIMIT: states of one law; a random book with more is left out and counted.
const STATES_MAX: usize = 20_000;

type States = Vec<Vec<usize>>;

fn states(unit: &Unit) -> Option<States> {
    let widths: Vec<usize> = (0..unit.axes.list.len()).map(|a| unit.diagram.width(a)).collect();
    let n = widths.iter().product::<usize>();
    let nth = |mut n: usize| widths.iter().map(|w| (n % w, n /= w).0).collect();
    let possible = |s: &Vec<usize>| unit.diagram.value(unit.constraint, s);
    (n <= STATES_MAX).then(|| (0..n).map(nth).filter(possible).collect())
}

/// Clauses of one kind, each with the states in which it speaks.
type Kind = Vec<(usize, Vec<bool>)>;

fn kinds(unit: &Unit, law: &Functions, states: &States) -> Vec<Kind> {
    let on = |f: NodeId| -> Vec<bool> { states.iter().map(|s| unit.diagram.value(f, s)).collect() };
    let both = |a: &[bool], b: &[bool]| -> Vec<bool> { a.iter().zip(b).map(|(a, b)| *a && *b).collect() };
    let any = |all: &[Vec<bool>]| -> Vec<bool> { (0..states.len()).map(|i| all.iter().any(|a| a[i])).collect() };
    let applies = on(law.applies);
    let scopes: Kind = law.scopes.iter().map(|(c, f)| (*c, both(&on(*f), &applies))).collect();
    let reach = any(&scopes.iter().map(|(_, f)| f.clone()).collect::<Vec<_>>());
    let mut out = vec![scopes, law.outs.iter().map(|(c, f)| (*c, both(&on(*f), &reach))).collect()];
    let mut refusing: Kind = law.bars.iter().map(|(c, f)| (*c, on(*f))).collect();
    for g in &law.gates {
        let needs: Vec<Vec<bool>> = g.routes.iter().map(|r| on(r.need)).collect();
        let unmet: Vec<bool> = any(&needs).iter().map(|b| !b).collect();
        refusing.push((g.clause, both(&on(g.when), &unmet)));
        out.push(g.routes.iter().zip(&needs).map(|(r, need)| (r.clause, both(&on(g.when), need))).collect());
    }
    refusing.extend(law.obligations.iter().filter(|(_, _, _, binds)| *binds).map(|(c, _, late, _)| (*c, on(*late))));
    out.push(refusing);
    out
}

/// What is said of clauses and of whole laws; none where a law has too many states.
fn by_states(book: &Rulebook) -> Option<BTreeSet<Found>> {
    let lexicon = Lexicon::of(&book.vocabulary).unwrap();
    let (mut out, mut clauses, mut read) = (BTreeSet::new(), BTreeMap::<String, Seen>::new(), HashSet::new());
    for on in book.boundaries() {
        let day = Day::of(book, AsOf::then(on));
        for layer in &day.layers {
            // A law that reads as it did on a day before is told once.
            if !read.insert(day.fingerprint(&day.law(layer), &lexicon)) {
                continue;
            }
            let unit = Unit::compile(&day, &day.law(layer), &lexicon).unwrap();
            let (law, states) = (&unit.laws[0], states(&unit)?);
            let reached: Vec<&Vec<usize>> = states.iter().filter(|s| unit.diagram.value(law.reaches, s)).collect();
            if !reached.is_empty() && reached.iter().all(|s| unit.diagram.value(law.refuses, s)) {
                out.insert(Found { what: What::RefusesAll, id: layer.id.clone(), by: Vec::new(), from: on });
            }
            for kind in kinds(&unit, law, &states) {
                for (i, (clause, speaks)) in kind.iter().enumerate() {
                    let others = || kind.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, other)| other);
                    let alone = (0..states.len()).any(|s| speaks[s] && !others().any(|(_, f)| f[s]));
                    let seen = clauses.entry(name(law, *clause)).or_default();
                    seen.from = seen.from.or(Some(on));
                    seen.speaks |= speaks.contains(&true);
                    seen.matters |= alone;
                    if speaks.contains(&true) && !alone {
                        let covering = others().filter(|(_, f)| (0..states.len()).any(|s| speaks[s] && f[s]));
                        seen.by.extend(covering.map(|(c, _)| name(law, *c)).take(4));
                    }
                }
            }
            for (clause, when, _, binds) in &law.obligations {
                let seen = clauses.entry(name(law, *clause)).or_default();
                let speaks = states.iter().any(|s| unit.diagram.value(*when, s));
                seen.from = seen.from.or(Some(on));
                seen.speaks |= speaks;
                seen.matters |= speaks && !binds;
            }
        }
    }
    for (id, seen) in clauses.into_iter().filter(|(_, s)| !s.speaks || !s.matters) {
        let (what, by) = if seen.speaks { (What::Shadowed, seen.by.into_iter().collect()) } else { (What::NeverApplies, Vec::new()) };
        out.insert(Found { what, id, by, from: seen.from.unwrap() });
    }
    Some(out)
}

/// Every measure on offer held against every law of every day, with all that is asked of measures.
fn double_edged_by_all(book: &Rulebook) -> BTreeSet<Found> {
    let lexicon = Lexicon::of(&book.vocabulary).unwrap();
    let mut out = BTreeMap::new();
    for on in book.boundaries() {
        let day = Day::of(book, AsOf::then(on));
        for layer in &day.layers {
            let mut law = day.law(layer);
            let touching = touching(book, &day, &law);
            law.also = touching.iter().filter_map(|(_, m)| m.when.as_ref()).collect();
            day.constrain(&mut law);
            for i in table::double_edged_under(&day, &law, &touching, &lexicon).unwrap() {
                out.entry((book.measures[i].id.clone(), layer.id.clone())).or_insert(on);
            }
        }
    }
    out.into_iter().map(|((id, layer), from)| Found { what: What::DoubleEdged, id, by: vec![layer], from }).collect()
}

#[test]
fn what_is_found_is_what_every_state_shows() {
    let mut n_found: BTreeMap<What, usize> = BTreeMap::new();
    let mut n_left_out = 0;
    for n in 0..N_BOOKS {
        let text = generate::text(&mut Draw(90_001 + n * 15_485_863));
        let book = text.parse();
        let Some(mut expected) = by_states(&book) else {
            n_left_out += 1;
            continue;
        };
        expected.extend(double_edged_by_all(&book));
        let found = report(&book).unwrap();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{}", text.law());
        found.iter().for_each(|f| *n_found.entry(f.what).or_default() += 1);
    }
    println!("{n_found:?}, {n_left_out} left out");
    let often = |what| n_found.get(&what).is_some_and(|n| *n > 20);
    assert!([What::DoubleEdged, What::NeverApplies, What::Shadowed, What::RefusesAll].into_iter().all(often), "{n_found:?}");
    assert!(n_left_out < N_BOOKS / 4, "{n_left_out}");
}
