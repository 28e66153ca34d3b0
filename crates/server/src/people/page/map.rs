//! The map: one tile a place, where it lies in the world; neither borders nor areas, which would speak of more than the answer.
//!
//! The table below it is its twin and says the same in words; so the map is for the eye alone, and a click.

use crate::people::{State, asked::{Pairs, place_name, query}, tongue::Tongue};
use decide::decision::Verdict;
use maud::{Markup, html};

/// Code, column and row of each place.
const TILES: &str = include_str!("map.tsv");

/// A tile, in units of the drawing.
const SIDE: u32 = 30;
const STEP: u32 = 32;

/// Where the tiles lie: code, column, row.
fn tiles() -> impl Iterator<Item = (&'static str, u32, u32)> {
    TILES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut parts = line.split('\t');
        Some((parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    })
}

/// The answers of one origin as tiles; `others` are the facts of the question but the destination.
pub fn map(t: Tongue, state: &State, origin: &str, others: &Pairs, answers: &[(String, Verdict)]) -> Markup {
    let (columns, rows) = tiles().fold((0, 0), |(c, r), (_, column, row)| (c.max(column + 1), r.max(row + 1)));
    let verdict = |code: &str| answers.iter().find(|(place, _)| place == code).map(|(_, v)| *v);
    let here = origin.split('-').next().unwrap_or(origin);
    html! {
        figure.map tabindex="0" aria-label=(t.word("page-nav-matrix")) {
            svg viewBox=(format!("0 0 {} {}", columns * STEP, rows * STEP)) aria-hidden="true" focusable="false" {
                @for (code, column, row) in tiles() {
                    @if let Some(v) = verdict(code) {
                        @let to: Pairs = others.iter().cloned().chain([("recipient.place".to_string(), code.to_string())]).collect();
                        a href=(format!("/{}/verdict?{}", t.code(), query(&to))) tabindex="-1" {
                            title { (place_name(&state.book, t, code)) " – " (t.word(&format!("verdict-{}", v.word()))) }
                            g class=(format!("tile {}{}", v.word(), if code == here { " here" } else { "" })) transform=(format!("translate({} {})", column * STEP, row * STEP)) {
                                rect width=(SIDE) height=(SIDE) rx="3" {}
                                text x=(SIDE / 2) y="13" { (code) }
                                text.letter x=(SIDE / 2) y="26" { (t.word(&format!("page-letter-{}", v.word()))) }
                            }
                        }
                    }
                }
            }
            figcaption.small { (t.word("page-map-note")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::tiles;
    use std::collections::BTreeSet;

    #[test]
    fn every_place_has_a_tile_of_its_own_and_neighbors_stay_neighbors() {
        let text = include_str!("../../../../../rules/vocabulary/places.md");
        let named: BTreeSet<&str> = text.lines().filter_map(|l| l.strip_prefix("value ")?.split_once(':')).map(|(code, _)| code).filter(|c| c.len() == 2).collect();
        let drawn: BTreeSet<&str> = tiles().map(|(code, _, _)| code).collect();
        assert_eq!(drawn, named);
        assert_eq!(tiles().map(|(_, c, r)| (c, r)).collect::<BTreeSet<_>>().len(), named.len(), "no two on one tile");
        let at = |code: &str| tiles().find(|(c, _, _)| *c == code).map(|(_, c, r)| (c, r)).unwrap();
        assert!(at("JP").0 > at("DE").0 && at("DE").0 > at("US").0 && at("ZA").1 > at("DE").1 && at("NZ").1 > at("JP").1);
    }
}
