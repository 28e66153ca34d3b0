//! `tegata rules decisive`: the rules and list entries that no worked case turns on.

use super::Common;
use crate::rules_source;
use decide::{decisive::Worked, table::TooManyCells};
use std::sync::atomic::{AtomicUsize, Ordering};
use words::{Arg, say};

/// Takes each rule and list entry out whose id begins so and runs the cases again.
pub fn run(prefix: &str, common: &Common) -> Result<Vec<String>, String> {
    let book = rules_source::load(common.rules.as_deref())?;
    let voice = common.voice();
    let bar = super::wheel(&voice.word("decisive-wait"));
    let worked = Worked::of(book).map_err(super::too_many)?;
    let ids: Vec<&str> = worked.ids().filter(|id| id.starts_with(prefix)).collect();
    if ids.is_empty() {
        return Err(format!("error[TGT-C006]: no rule or list entry begins with `{prefix}`; `tegata rules ls` lists them"));
    }
    let count = |n: usize| Arg::Number(i64::try_from(n).unwrap_or(i64::MAX));
    let looked = AtomicUsize::new(0);
    let told = || {
        let done = looked.fetch_add(1, Ordering::Relaxed) + 1;
        bar.set_message(say(voice.language, "decisive-rules", &[("done", count(done)), ("all", count(ids.len()))]));
    };
    let idle = idle(&worked, &ids, &told).map_err(super::too_many)?;
    bar.finish_and_clear();
    let mut lines: Vec<String> = idle.iter().map(|id| format!("  {id}")).collect();
    lines.push(say(voice.language, "decisive-sum", &[("turning", count(ids.len() - idle.len())), ("all", count(ids.len()))]));
    Ok(lines)
}

/// Those that turn nothing, in the order of files; each core takes the next one.
fn idle<'a>(worked: &Worked, ids: &[&'a str], told: &(impl Fn() + Sync)) -> Result<Vec<&'a str>, TooManyCells> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let look = || {
        let mut idle = Vec::new();
        while let Some(id) = ids.get(next.fetch_add(1, Ordering::Relaxed)) {
            if !worked.turns(id)? {
                idle.push(*id);
            }
            told();
        }
        Ok::<_, TooManyCells>(idle)
    };
    let found: Vec<&str> = std::thread::scope(|scope| {
        let cores: Vec<_> = (0..cores).map(|_| scope.spawn(look)).collect();
        let looked = cores.into_iter().map(|core| core.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        looked.collect::<Result<Vec<_>, _>>()
    })?.concat();
    Ok(ids.iter().copied().filter(|id| found.contains(id)).collect())
}
