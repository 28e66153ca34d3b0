//! The hands of a node: threads that send messages and make moves, made when there is work and gone when there is none.
//!
//! Work is named, not carried: whoever does it reads the store and finds what is due. So work that is named twice is
//! done once, what a crash forgets is found again, and one process is in one pair of hands at a time.

use crate::agent::lock;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;
use store::process::ProcessId;

/// LIMIT: hands of one node.
const HANDS_MAX: usize = 32;
/// LIMIT: hands that send to one peer, so that one which does not answer leaves some to the others.
const HANDS_PER_PEER_MAX: usize = 24;
/// How long a hand without work stays.
const IDLE: Duration = Duration::from_secs(2);

/// What there is to do for a process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    /// Send the first message of it that waits, to this peer.
    Send(ProcessId, String),
    /// Write down that its message was answered.
    Settle(ProcessId),
    /// Make the move that is ours.
    Move(ProcessId),
}

impl Work {
    fn process(&self) -> &ProcessId {
        match self {
            Self::Send(process, _) | Self::Settle(process) | Self::Move(process) => process,
        }
    }
}

/// The work that waits and who is at work.
#[derive(Debug, Default)]
pub(crate) struct Crew {
    shift: Mutex<Shift>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Shift {
    /// LIMIT: at most three kinds of work for each open process; one that is named already is not added again.
    waiting: VecDeque<Work>,
    /// Messages whose peer has as many hands as it may; the next one goes on when a pair is free.
    held_up: BTreeMap<String, VecDeque<Work>>,
    known: BTreeSet<Work>,
    busy: BTreeSet<ProcessId>,
    calling: BTreeMap<String, usize>,
    hands: usize,
    idle: usize,
}

impl Shift {
    /// The peer of a message that has as many hands as it may.
    fn held_up_by<'a>(&self, work: &'a Work) -> Option<&'a String> {
        match work {
            Work::Send(_, peer) => self.calling.get(peer).is_some_and(|n| *n >= HANDS_PER_PEER_MAX).then_some(peer),
            Work::Settle(_) | Work::Move(_) => None,
        }
    }

    fn take(&mut self) -> Option<Work> {
        let mut at = 0;
        let work = loop {
            let work = self.waiting.get(at)?;
            if let Some(peer) = self.held_up_by(work).cloned() {
                // Put aside, so that however many wait for one peer, nobody looks through them again and again.
                let aside = self.waiting.remove(at);
                self.held_up.entry(peer).or_default().extend(aside);
            } else if self.busy.contains(work.process()) {
                at += 1;
            } else {
                break self.waiting.remove(at)?;
            }
        };
        self.known.remove(&work);
        self.busy.insert(work.process().clone());
        if let Work::Send(_, peer) = &work {
            *self.calling.entry(peer.clone()).or_default() += 1;
        }
        Some(work)
    }
}

impl Shift {
    /// A pair of hands is free of a peer: the first message that was held up by it goes before all others.
    fn is_free(&mut self, peer: &str) {
        if let Some(n) = self.calling.get_mut(peer) {
            *n -= 1;
            if *n == 0 {
                self.calling.remove(peer);
            }
        }
        let Some(held_up) = self.held_up.get_mut(peer) else { return };
        if let Some(work) = held_up.pop_front() {
            self.waiting.push_front(work);
        }
        if held_up.is_empty() {
            self.held_up.remove(peer);
        }
    }
}

/// Runs something when it is left, also by a panic.
struct Ending<F: Fn()>(F);

impl<F: Fn()> Drop for Ending<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Crew {
    /// Names work; what is named already is not named twice.
    pub(crate) fn add(&self, work: Work) {
        let mut shift = lock(&self.shift);
        if shift.known.insert(work.clone()) {
            shift.waiting.push_back(work);
            self.bell.notify_one();
        }
    }

    /// Whether another pair of hands is wanted; whoever is told so makes it, or says [`Crew::leave`].
    pub(crate) fn wants_hand(&self) -> bool {
        let mut shift = lock(&self.shift);
        let wanted = shift.waiting.len() > shift.idle && shift.hands < HANDS_MAX;
        shift.hands += usize::from(wanted);
        wanted
    }

    /// Does work until there is none for a while, or the node stops.
    ///
    /// What panics ends these hands alone: the process and its peer are free for others.
    pub(crate) fn work(&self, stopping: impl Fn() -> bool, act: impl Fn(&Work)) {
        let _hand = Ending(|| self.leave());
        while let Some(work) = self.next(&stopping) {
            let _done = Ending(|| self.done(&work));
            act(&work);
        }
    }

    /// A pair of hands is gone.
    pub(crate) fn leave(&self) {
        lock(&self.shift).hands -= 1;
    }

    /// The next work for a pair of hands; none when there was none for a while, or the node stops.
    fn next(&self, stopping: impl Fn() -> bool) -> Option<Work> {
        let mut shift = lock(&self.shift);
        while !stopping() {
            if let Some(work) = shift.take() {
                return Some(work);
            }
            shift.idle += 1;
            let waited = self.bell.wait_timeout(shift, IDLE).unwrap_or_else(PoisonError::into_inner);
            shift = waited.0;
            shift.idle -= 1;
            if waited.1.timed_out() {
                return shift.take();
            }
        }
        None
    }

    /// Work is done; what waited for its process or peer may go on.
    fn done(&self, work: &Work) {
        let mut shift = lock(&self.shift);
        shift.busy.remove(work.process());
        if let Work::Send(_, peer) = work {
            shift.is_free(peer);
        }
        if !shift.waiting.is_empty() {
            self.bell.notify_one();
        }
    }

    /// Wakes all hands, so that they see that the node stops.
    pub(crate) fn wake(&self) {
        self.bell.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::process::ProcessKind;

    fn process(pid: &str) -> ProcessId {
        ProcessId::new(ProcessKind::Negotiation, pid)
    }

    #[test]
    fn a_process_is_in_one_pair_of_hands_and_work_named_twice_is_done_once() {
        let crew = Crew::default();
        crew.add(Work::Move(process("a")));
        crew.add(Work::Move(process("a")));
        crew.add(Work::Settle(process("a")));
        crew.add(Work::Move(process("b")));
        let first = crew.next(|| false).unwrap();
        assert_eq!(first, Work::Move(process("a")));
        let second = crew.next(|| false).unwrap();
        assert_eq!(second, Work::Move(process("b")), "a is busy");
        assert_eq!(lock(&crew.shift).take(), None);
        crew.done(&first);
        assert_eq!(crew.next(|| false), Some(Work::Settle(process("a"))));
        assert_eq!(crew.next(|| true), None, "the node stops");
    }

    #[test]
    fn hands_that_panic_leave_their_process_to_others() {
        let crew = Crew::default();
        crew.add(Work::Move(process("a")));
        assert!(crew.wants_hand());
        let hand = std::panic::AssertUnwindSafe(|| crew.work(|| false, |_| panic!("on purpose")));
        assert!(std::panic::catch_unwind(hand).is_err());
        crew.add(Work::Move(process("a")));
        assert!(crew.wants_hand(), "the hands are gone");
        assert_eq!(crew.next(|| false), Some(Work::Move(process("a"))), "the process is not busy");
    }

    #[test]
    fn a_peer_that_does_not_answer_leaves_hands_to_others() {
        let crew = Crew::default();
        for n in 0..HANDS_MAX {
            crew.add(Work::Send(process(&n.to_string()), "https://slow".into()));
        }
        crew.add(Work::Send(process("other"), "https://quick".into()));
        let taken: Vec<Work> = std::iter::from_fn(|| lock(&crew.shift).take()).collect();
        assert_eq!(taken.len(), HANDS_PER_PEER_MAX + 1);
        assert!(taken.contains(&Work::Send(process("other"), "https://quick".into())));
        assert_eq!(lock(&crew.shift).held_up["https://slow"].len(), HANDS_MAX - HANDS_PER_PEER_MAX);
        // Whoever is done lets the first that was held up go on, until none is.
        let mut done: Vec<Work> = taken;
        for at in 0.. {
            let Some(work) = done.get(at).cloned() else { break };
            crew.done(&work);
            done.extend(lock(&crew.shift).take());
        }
        let slow = |n: usize| Work::Send(process(&n.to_string()), "https://slow".into());
        assert!((0..HANDS_MAX).all(|n| done.contains(&slow(n))) && done.len() == HANDS_MAX + 1);
        let shift = std::mem::take(&mut *lock(&crew.shift));
        assert!(shift.held_up.is_empty() && shift.calling.is_empty() && shift.busy.is_empty() && shift.known.is_empty());
        (0..HANDS_MAX).for_each(|n| crew.add(slow(n)));
        assert!((0..HANDS_MAX).all(|_| crew.wants_hand() || lock(&crew.shift).waiting.len() < HANDS_MAX));
    }
}
