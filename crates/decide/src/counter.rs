//! Counters that near a threshold of the law: what turns when the count gets there.

use crate::{
    axis::Cut,
    decision::Verdict,
    diagram::Forced,
    knowledge::Knowledge,
    lexicon::Shape,
    remedy::Hand,
    table::Table,
    verdict,
};
use rulebook::bind::{Crossing, Known};
use serde::{Deserialize, Serialize};

/// A threshold ahead of a counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The counter.
    pub slot: String,
    /// The highest count that is possible now, this transfer included.
    pub count: i64,
    /// The threshold.
    pub threshold: i64,
    /// The layers that ask for it.
    pub layers: Vec<String>,
    /// The verdict now.
    pub now: Verdict,
    /// The verdict from the threshold on, all else equal.
    pub then: Verdict,
}

impl Warning {
    /// Whether four fifths of the way are gone.
    pub fn is_near(&self) -> bool {
        self.count.saturating_mul(5) >= self.threshold.saturating_mul(4)
    }
}

/// The next threshold of each stated counter whose crossing turns the verdict, nearest first.
pub fn warnings(table: &Table, crossing: &Crossing) -> Vec<Warning> {
    let k = Knowledge::of(table, crossing);
    let now = verdict::verdict(table, &k, &[], &Hand::default());
    let mut out = Vec::new();
    for slot in table.lexicon.slots().iter().filter(|s| s.shape == Shape::Count) {
        let Some(Known::Range(_, count)) = crossing.facts.get(&slot.name).map(|f| &f.known) else { continue };
        let mut ahead: Vec<(i64, &str)> = Vec::new();
        let applies = |i: &usize| table.layers.get(*i).filter(|l| k.can(table, *i, l.law().applies, &Forced::NONE));
        for layer in k.live.iter().filter_map(applies) {
            let axes = layer.axes();
            for axis in axes.of_slot(&slot.name).iter().filter_map(|a| axes.list.get(*a)) {
                if let Cut::Number(cuts) = &axis.cut {
                    ahead.extend(cuts.iter().filter(|c| *c > count).map(|c| (*c, layer.id.as_str())));
                }
            }
        }
        ahead.sort_unstable();
        let mut thresholds: Vec<i64> = ahead.iter().map(|(c, _)| *c).collect();
        thresholds.dedup();
        for threshold in thresholds {
            let mut packed = k.packed.clone();
            slot.say_range(threshold, threshold, &mut packed);
            let then = verdict::verdict(table, &Knowledge::packed(table, packed), &[], &Hand::default());
            if then != now {
                let layers = ahead.iter().filter(|(c, _)| *c == threshold).map(|(_, l)| l.to_string()).collect();
                out.push(Warning { slot: slot.name.clone(), count: *count, threshold, layers, now, then });
                break;
            }
        }
    }
    out.sort_by_key(|w| w.threshold - w.count);
    out
}
