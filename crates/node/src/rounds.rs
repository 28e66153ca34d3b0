//! Rounds: what a node looks after again and again, each on a thread of its own that is there while there is something to
//! look after. A node at rest has one thread, which finds out what is wanted, and lets the store rest too.
//!
//! INVARIANT: whoever gives a round its first work rings afterwards, or the round begins a second later.

use crate::agent::{Node, lock};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// What is looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Round {
    /// What is owed after delivery.
    Duties,
    /// Flows that run: their leases, and what their decisions rest on.
    Leases,
    /// The log's checkpoints, and the evidence of deliveries.
    Log,
    /// Data planes of others, and control planes of others.
    Planes,
    /// The revocation list.
    Status,
}

impl Round {
    const ALL: [Self; 5] = [Self::Duties, Self::Leases, Self::Log, Self::Planes, Self::Status];

    fn name(self) -> &'static str {
        match self {
            Self::Duties => "duties",
            Self::Leases => "leases",
            Self::Log => "log",
            Self::Planes => "planes",
            Self::Status => "status",
        }
    }
}

/// The rounds that somebody makes.
#[derive(Debug, Default)]
pub(crate) struct Rounds(Mutex<BTreeSet<Round>>);

impl Rounds {
    /// Whether somebody is to begin a round: it is wanted, and nobody makes it.
    fn begin(&self, round: Round, wanted: impl FnOnce() -> bool) -> bool {
        let mut made = lock(&self.0);
        !made.contains(&round) && wanted() && made.insert(round)
    }

    /// Whether who makes a round leaves: it is not wanted. What is given to it from now on begins it anew.
    fn end(&self, round: Round, wanted: impl FnOnce() -> bool) -> bool {
        let mut made = lock(&self.0);
        let over = !wanted();
        if over {
            made.remove(&round);
        }
        over
    }
}

/// A round of which nobody is left when its thread panics.
struct Making<'a>(&'a Rounds, Round);

impl Drop for Making<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end(self.1, || false);
        }
    }
}

impl Node {
    /// Begins the rounds that are wanted and that nobody makes.
    pub(crate) fn begin_rounds(self: &Arc<Self>) {
        for round in Round::ALL {
            if !self.rounds.begin(round, || self.wants(round)) {
                continue;
            }
            let node = Arc::clone(self);
            let make = move || {
                let _making = Making(&node.rounds, round);
                node.make_round(round);
            };
            if std::thread::Builder::new().name(round.name().into()).spawn(make).is_err() {
                // It is tried again in a moment.
                self.rounds.end(round, || false);
            }
        }
    }

    fn wants(&self, round: Round) -> bool {
        !self.is_stopping()
            && match round {
                Round::Duties => self.are_duties_due(),
                Round::Leases => !lock(&self.flows).is_empty(),
                Round::Log => self.log_is_wanted(),
                Round::Planes => lock(&self.signals_open).n_open() + lock(&self.dataflows_open).n_open() > 0,
                Round::Status => self.config.authority.revocation_list.is_some(),
            }
    }

    fn make_round(self: &Arc<Self>, round: Round) {
        let mut seen = None;
        while !self.rounds.end(round, || self.wants(round)) {
            match round {
                Round::Duties => self.look_after_duties(),
                Round::Leases => self.look_after_leases(&mut seen),
                Round::Log => self.look_after_log(),
                Round::Planes => self.look_after_planes(),
                Round::Status => self.look_after_status(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_made_once_while_it_is_wanted_and_begins_anew() {
        let rounds = Rounds::default();
        assert!(!rounds.begin(Round::Log, || false), "nobody wants it");
        assert!(rounds.begin(Round::Log, || true));
        assert!(!rounds.begin(Round::Log, || true), "somebody makes it");
        assert!(rounds.begin(Round::Leases, || true));
        assert!(!rounds.end(Round::Log, || true));
        assert!(rounds.end(Round::Log, || false));
        assert!(rounds.begin(Round::Log, || true));
    }

    #[test]
    fn a_round_whose_thread_panics_begins_anew() {
        let rounds = Arc::new(Rounds::default());
        assert!(rounds.begin(Round::Planes, || true));
        let of = rounds.clone();
        let made = std::thread::spawn(move || {
            let _making = Making(&of, Round::Planes);
            panic!("on purpose");
        });
        assert!(made.join().is_err());
        assert!(rounds.begin(Round::Planes, || true));
    }
}
