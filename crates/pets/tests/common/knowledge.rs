//! What the house knows, for the tests of this crate and for the benchmarks: each takes this file by its path.

use pets::catalogue::Catalogue;
use pets::classify::Knowledge;
use pets::protect::Ladders;
use pets::words::{NameLists, Words};

/// The catalogue, the words with the long lists of names, and the ladders of `profiles/`.
pub fn knowledge() -> Knowledge {
    Knowledge {
        catalogue: Catalogue::parse(include_str!("../../../../profiles/identifiers.toml")).unwrap(),
        words: Words::parse(include_str!("../../../../profiles/words.toml")).unwrap().with_names(NameLists {
            given: include_str!("../../../../profiles/names/given-latin.txt"),
            family: include_str!("../../../../profiles/names/family-latin.txt"),
            given_ja: include_str!("../../../../profiles/names/given-ja.txt"),
            family_ja: include_str!("../../../../profiles/names/family-ja.txt"),
            given_scripts: include_str!("../../../../profiles/names/given-scripts.txt"),
            family_scripts: include_str!("../../../../profiles/names/family-scripts.txt"),
            kana: include_str!("../../../../profiles/names/kana.txt"),
            towns: include_str!("../../../../profiles/names/towns.txt"),
        }),
        ladders: Ladders::parse(include_str!("../../../../profiles/ladders.toml")).unwrap(),
    }
}
