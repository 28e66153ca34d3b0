use super::*;
use crate::classify::tests::{knowledge, table};
use crate::dictionary::Dictionary;
use crate::profile::Profile;
use crate::protect::Request;

const PROFILE: &str = include_str!("../../../../../profiles/eu-wp216-k11.toml");

fn csv(seed: u64, rows: usize) -> String {
    let mut state = seed;
    let mut draw = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut text = String::from("age,size,town,s\n");
    for _ in 0..rows {
        text.push_str(&format!("{},{},t{},v{}\n", 20 + draw(40), draw(6), draw(5) * draw(3), draw(4)));
    }
    text
}

// A point counted from single combinations, not from a point counted before.
fn alone(table: &Table, point: &[usize]) -> Count {
    table.count(&Groupings::of(table).at(table, point), point)
}

fn dictionary() -> Dictionary {
    Dictionary::parse(
        "[columns.age]\nrole='quasi-identifier'\nkind='age'\n[columns.size]\nrole='quasi-identifier'\nkind='household'\n\
         [columns.town]\nrole='quasi-identifier'\nladder=[{act='map',to={t0='a',t1='a',t2='b',t3='b'},otherwise='c'}]\n[columns.s]\nrole='sensitive'",
    ).unwrap()
}

// The optimum of bound and pruning against counting every point, on tables that leave little room.
#[test]
fn the_optimum_is_that_of_trying_every_point() {
    let knowledge = knowledge();
    let mut pruned = 0;
    for (seed, k, l, left_out, t) in [
        (1, 3, 1, "1/10", "1"),
        (2, 5, 2, "1/20", "1/2"),
        (3, 11, 2, "1/10", "1/4"),
        (4, 2, 3, "1/50", "1"),
        (5, 30, 4, "1/5", "1/10"),
        (6, 200, 1, "1/100", "1"),
    ] {
        let profile = PROFILE
            .replace("k = 11", &format!("k = {k}"))
            .replace("least = 2", &format!("least = {l}"))
            .replace("most = \"1/10\"", &format!("most = \"{left_out}\""))
            + &format!(
                "\n[[clause]]\nid='t'\ncites='chosen'\ntext={{en='',ja=''}}\nneed={{is='closeness',most='{t}'}}"
            );
        let (batches, profile, dictionary) =
            (table(&csv(seed, 300), 70), Profile::parse(&profile).unwrap(), dictionary());
        let request = Request {
            batches: &batches,
            dictionary: &dictionary,
            profile: &profile,
            knowledge: &knowledge,
            key: None,
        };
        let table = Table::of(&request.over(), Rows::Forgotten).unwrap();
        let points: usize = table.columns.iter().map(|c| c.rungs.len()).product();
        let every =
            (0..points).map(|n| alone(&table, &table.point(n))).filter(|c| c.allowed).map(|c| c.loss).min();
        let (point, optimal, tried) = table.optimum(points);
        let found = alone(&table, &point);
        assert!(optimal);
        assert_eq!(every, found.allowed.then_some(found.loss), "seed {seed}");
        pruned += points as u64 - tried;
        let (walked, _, _) = table.walk();
        let walked = alone(&table, &walked);
        assert_eq!(walked.allowed, found.allowed);
        assert!(!walked.allowed || walked.loss >= found.loss);
    }
    assert!(pruned > 0);
}
