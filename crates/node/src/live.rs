//! Which processes may need a move of ours: those that were touched, and now and then all that are open.
//!
//! Processes that ended are not looked at again, however many there are.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// LIMIT: how long an open process is left alone when nothing touched it.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// The open processes of one protocol.
#[derive(Debug, Default)]
pub(crate) struct Live {
    open: BTreeSet<String>,
    touched: BTreeSet<String>,
    swept: Option<Instant>,
}

impl Live {
    /// A process moved, or something happened that concerns it.
    pub(crate) fn touch(&mut self, pid: &str) {
        self.open.insert(pid.to_owned());
        self.touched.insert(pid.to_owned());
    }

    /// A process moved; `ours` says whether something of ours may follow, else it is only known as open.
    pub(crate) fn moved(&mut self, pid: &str, ours: bool) {
        self.open.insert(pid.to_owned());
        if ours {
            self.touched.insert(pid.to_owned());
        }
    }

    /// The same, for a process that may be none of these.
    pub(crate) fn touch_known(&mut self, pid: &str) {
        if self.open.contains(pid) {
            self.touched.insert(pid.to_owned());
        }
    }

    /// Something happened that concerns all of them.
    pub(crate) fn touch_all(&mut self) {
        self.swept = None;
    }

    /// Takes those that are to be looked at now.
    pub(crate) fn due(&mut self) -> Vec<String> {
        if self.swept.is_none_or(|at| at.elapsed() >= SWEEP_EVERY) {
            self.swept = Some(Instant::now());
            self.touched.clear();
            return self.open.iter().cloned().collect();
        }
        std::mem::take(&mut self.touched).into_iter().collect()
    }

    /// How many are open.
    pub(crate) fn n_open(&self) -> usize {
        self.open.len()
    }

    /// A process has ended and nothing more is to be done for it.
    pub(crate) fn forget(&mut self, pid: &str) {
        self.open.remove(pid);
        self.touched.remove(pid);
    }
}

#[cfg(test)]
mod tests {
    use super::Live;

    #[test]
    fn what_was_touched_comes_once_and_what_is_open_comes_again() {
        let mut live = Live::default();
        live.touch("a");
        assert_eq!(live.due(), ["a"], "the first look is a sweep");
        live.touch("b");
        assert_eq!(live.due(), ["b"]);
        assert!(live.due().is_empty());
        live.touch_all();
        assert_eq!(live.due(), ["a", "b"]);
        live.moved("c", false);
        assert!(live.due().is_empty(), "it waits for the peer");
        live.forget("c");
        live.forget("a");
        live.touch_all();
        assert_eq!(live.due(), ["b"]);
    }
}
