//! The worked cases as packed facts: as described, and with everything said.

use crate::{generate::Draw, real};
use cpu_time::ThreadTime;
use decide::{
    judge::{Bits, Room},
    lexicon::{ANY, Packed, Shape},
    table::Table,
};
use model::transfer::Transfer;
use rulebook::book::Rulebook;
use std::{path::Path, time::Duration};

/// The rules with their worked cases.
pub fn cases(root: &Path) -> Rulebook {
    let mut sources = real::sources(root);
    for entry in std::fs::read_dir(root.join("cases")).expect("cases") {
        let path = entry.expect("cases").path();
        let text = std::fs::read_to_string(&path).expect("cases");
        sources.push(rulebook::book::Source { path: format!("cases/{}", path.file_name().unwrap_or_default().to_string_lossy()), text });
    }
    Rulebook::parse(sources).0
}

/// The least disturbed of some runs, for each of `n` things done in a run.
pub fn each(n: usize, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..9).map(|_| {
        let t = ThreadTime::now();
        run();
        t.elapsed()
    }).collect();
    times.sort();
    times[0] / n.max(1) as u32
}

/// What each worked case says.
pub fn pack(book: &Rulebook, cases: &Rulebook, table: &Table) -> Vec<Packed> {
    let bound = cases.cases.iter().filter_map(|c| book.bind(&Transfer::single(c.given.iter().cloned())).ok());
    bound.map(|b| table.lexicon.pack(&b.crossings[0].facts, table.as_of.on)).collect()
}

/// Worked cases with everything said: what is open takes a value at random that leaves the verdict told.
pub fn known(table: &Table, packed: &[Packed]) -> Vec<Bits> {
    let mut draw = Draw(99);
    let mut room = Room::default();
    let mut out = Vec::new();
    for p in packed.iter().cycle().take(packed.len() * 6) {
        let mut facts = p.clone();
        for slot in table.lexicon.slots() {
            let at = facts.0.get(slot.at).copied().unwrap_or(0);
            match slot.shape {
                Shape::Choice if at == ANY => slot.say_word(draw.below(slot.values.words.len()), &mut facts),
                Shape::Set if at == 0 => slot.say_set(Default::default(), &mut facts),
                Shape::Count if facts.0.get(slot.at + 1) == Some(&(i64::MAX as u64)) => slot.say_range(10, 10, &mut facts),
                Shape::Day if at == i64::MIN as u64 => slot.say_range(20_000, 20_000, &mut facts),
                _ => {}
            }
        }
        let bits = Bits::of(table, facts);
        if table.judge_known(&bits, &mut room).is_some() {
            out.push(bits);
        }
    }
    out
}
