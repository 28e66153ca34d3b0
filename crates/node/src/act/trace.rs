//! What moved lately, for a program that reacts to it, and what holds up a message, for a person who wonders.
//!
//! A trace is a convenience of the running process: the log tells what happened, the store how it stands.

use crate::agent::{Node, lock};
use crate::error::ActError;
use dsp::message::Grounds;
use model::Instant;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// LIMIT: moves that a program may be behind.
const MOVES_MAX: usize = 16_384;
/// LIMIT: moves told at once.
const PAGE_MAX: usize = 500;
/// LIMIT: processes whose trouble is remembered.
const TROUBLES_MAX: usize = 10_000;

/// One move of a process, of either side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// `negotiation` or `transfer`.
    pub process: &'static str,
    /// Our id of it.
    pub id: String,
    /// Which party we are.
    pub role: dsp::machine::Role,
    /// The other party.
    pub peer: String,
    /// The state reached.
    pub state: &'static str,
    /// The dataset of a negotiation, the agreement of a transfer.
    pub about: String,
    /// When.
    pub at: Instant,
}

/// Why a message is still on its way, or a pull does not go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// A stable code, or `http/` and the status.
    pub code: String,
    /// One line.
    pub says: String,
    /// How often it was tried.
    pub attempts: u64,
    /// When it is tried again.
    pub again_at: Instant,
}

/// A page of moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Traces {
    /// The moves, in order.
    pub moves: Vec<Trace>,
    /// What to ask after next time.
    pub next: String,
    /// Whether moves before these are forgotten: look at the processes as they stand.
    pub missed: bool,
}

/// The moves and troubles that are remembered.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Tells this run of the program from others.
    run: String,
    /// The number of the first remembered move.
    first: u64,
    moves: VecDeque<Trace>,
    troubles: BTreeMap<String, Trouble>,
    /// Why a move of ours could not be made out, by process; cleared by the next that is.
    stuck: BTreeMap<String, Trouble>,
    /// Why a process was ended that could not be decided; the peer is not told.
    undecided: BTreeMap<String, String>,
    /// What peers said when they refused a message; cleared by the next that they take.
    refusals: BTreeMap<String, String>,
}

impl Memory {
    pub(crate) fn new(run: &str) -> Self {
        let run = run.chars().filter(char::is_ascii_hexdigit).take(12).collect();
        Self { run, first: 0, moves: VecDeque::new(), troubles: BTreeMap::new(), stuck: BTreeMap::new(), undecided: BTreeMap::new(), refusals: BTreeMap::new() }
    }

    pub(crate) fn note(&mut self, trace: Trace) {
        if self.moves.len() >= MOVES_MAX {
            self.moves.pop_front();
            self.first += 1;
        }
        self.moves.push_back(trace);
    }

    pub(crate) fn trouble(&mut self, process: &str, trouble: Option<Trouble>) {
        match trouble {
            None => drop(self.troubles.remove(process)),
            Some(trouble) if self.troubles.len() < TROUBLES_MAX => {
                self.troubles.insert(process.to_owned(), trouble);
            }
            Some(_) => {}
        }
    }

    pub(crate) fn stuck(&mut self, process: &str, failed: Option<&ActError>, again_at: Instant) {
        let attempts = self.stuck.get(process).map_or(0, |t| t.attempts);
        match failed {
            None => drop(self.stuck.remove(process)),
            Some(e) if self.stuck.len() < TROUBLES_MAX || attempts > 0 => {
                let trouble = Trouble { code: e.code(), says: e.to_string(), attempts: attempts + 1, again_at };
                self.stuck.insert(process.to_owned(), trouble);
            }
            Some(_) => {}
        }
    }

    pub(crate) fn undecided(&mut self, process: &str, says: String) {
        if self.undecided.len() < TROUBLES_MAX {
            self.undecided.insert(process.to_owned(), says);
        }
    }

    pub(crate) fn refusal(&mut self, process: &str, says: Option<String>) {
        match says {
            None => drop(self.refusals.remove(process)),
            Some(says) if self.refusals.len() < TROUBLES_MAX => {
                self.refusals.insert(process.to_owned(), says);
            }
            Some(_) => {}
        }
    }

    fn after(&self, cursor: Option<&str>) -> Traces {
        let end = self.first + self.moves.len() as u64;
        let asked = cursor
            .and_then(|c| c.rsplit_once('.'))
            .filter(|(run, _)| *run == self.run)
            .and_then(|(_, n)| n.parse::<u64>().ok());
        let known = asked.filter(|n| (self.first..=end).contains(n));
        let from = known.unwrap_or(match cursor {
            None => end,
            Some(_) => self.first,
        });
        let skip = usize::try_from(from - self.first).unwrap_or(usize::MAX);
        let moves: Vec<Trace> = self.moves.iter().skip(skip).take(PAGE_MAX).cloned().collect();
        let next = format!("{}.{}", self.run, from + moves.len() as u64);
        Traces { moves, next, missed: cursor.is_some() && known.is_none() }
    }
}

impl Node {
    /// The moves after a cursor, of either side; waits for the first one, but not longer than `at_most`.
    ///
    /// Without a cursor it tells none and gives the cursor of now.
    pub fn traces(&self, after: Option<&str>, at_most: Duration) -> Traces {
        let end = std::time::Instant::now() + at_most;
        loop {
            let rings = self.rings();
            let page = lock(&self.memory).after(after);
            let left = end.saturating_duration_since(std::time::Instant::now());
            if after.is_none() || !page.moves.is_empty() || page.missed || left.is_zero() || self.is_stopping() {
                return page;
            }
            self.wait(rings, left);
        }
    }

    /// The grounds to end a process whose peer refused what we did by ourselves: the same again would be refused again.
    pub(crate) fn refused_by_peer(&self, process: &str) -> Option<Grounds> {
        let says = lock(&self.memory).refusals.get(process).cloned()?;
        Some(Grounds::of("tegata/peer-refused", [format!("the peer refused our message: {says}")]))
    }

    /// Why a process was ended undecided, as far as this run of the program knows.
    pub(crate) fn why_undecided(&self, process: &str) -> Option<String> {
        lock(&self.memory).undecided.get(process).cloned()
    }

    /// What holds up a process, its message or a move of ours, if something does.
    pub fn trouble(&self, process: &str) -> Option<Trouble> {
        let memory = lock(&self.memory);
        memory.troubles.get(process).or_else(|| memory.stuck.get(process)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(n: usize) -> Trace {
        Trace {
            process: "negotiation",
            id: n.to_string(),
            role: dsp::machine::Role::Provider,
            peer: "p".into(),
            state: "REQUESTED",
            about: "d".into(),
            at: Instant(0),
        }
    }

    #[test]
    fn each_move_is_told_once_and_a_gap_is_said() {
        let mut memory = Memory::new("urn:uuid:00ff");
        memory.note(trace(0));
        let start = memory.after(None);
        assert!(start.moves.is_empty() && !start.missed);
        memory.note(trace(1));
        memory.note(trace(2));
        let page = memory.after(Some(&start.next));
        assert_eq!(page.moves.iter().map(|m| m.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
        assert!(memory.after(Some(&page.next)).moves.is_empty());
        let other = memory.after(Some("another.7"));
        assert!(other.missed && other.moves.len() == 3);
        for n in 3..MOVES_MAX + 5 {
            memory.note(trace(n));
        }
        let late = memory.after(Some(&page.next));
        assert!(late.missed && late.moves.len() == PAGE_MAX);
    }
}
