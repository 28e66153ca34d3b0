//! Two states that differ are brought together: by what the peer told of its own, or by ending the process.

use crate::machine::{Effect, How, Phase, Process, Role, Step};
use crate::message::Grounds;

impl<S: Phase> Process<S> {
    /// Compares our state with the one that the peer told.
    pub(crate) fn told(&self, theirs: Option<S>, at: u32) -> Step<Self> {
        let mut next = self.clone();
        // Only the answer to the latest question counts; an older one tells an older state.
        if self.asking.is_none() || at != self.asked {
            return Step::Next(next, Vec::new());
        }
        if self.asking != Some(self.moves) {
            let ask = next.ask();
            return Step::Next(next, vec![ask]);
        }
        next.asking = None;
        let refused = next.pending.take_if(|p| p.refused);
        let mut effects: Vec<Effect> = refused.iter().map(|_| Effect::Settle).collect();
        let Some(theirs) = theirs else {
            next.end_here(&mut effects);
            return Step::Next(next, effects);
        };
        if theirs == self.state {
            return Step::Next(next, effects);
        }
        if S::lost(theirs, self.role, self.state) && next.pending.is_none() {
            next.become_state(theirs, How::RolledBack, &mut effects);
            return Step::Next(next, effects);
        }
        let by = self.role.other();
        match refused.filter(|p| p.to == self.state) {
            Some(p) => {
                let back =
                    p.base.is_some_and(|b| b == theirs || S::takes(b, by, theirs) && S::brings(b, theirs));
                match p.base {
                    // What the peer's message brings is still to come, so we wait for it where we were.
                    Some(base) if back => next.become_state(base, How::RolledBack, &mut effects),
                    Some(base) if reaches(base, theirs) => {
                        next.become_state(theirs, How::Adopted, &mut effects)
                    }
                    _ if p.to.is_final() => {
                        effects.push(next.moved(by, Some(self.state), How::Diverged, None))
                    }
                    _ => next.end(&mut effects),
                }
            }
            None if self.state.is_final() => {
                effects.push(next.moved(by, Some(self.state), How::Diverged, None))
            }
            None if theirs.rank() > self.state.rank() && reaches(self.state, theirs) => {
                next.become_state(theirs, How::Adopted, &mut effects);
            }
            None => {
                let insist = self.state.insist(
                    self.provider_pid(),
                    self.consumer_pid(),
                    self.next_id(),
                    Grounds::default(),
                );
                match insist.filter(|_| S::takes(theirs, self.role, self.state)) {
                    Some(message) => effects.push(next.put(Some(theirs), self.state, message)),
                    None => next.end(&mut effects),
                }
            }
        }
        Step::Next(next, effects)
    }

    fn become_state(&mut self, to: S, how: How, effects: &mut Vec<Effect>) {
        let from = self.state;
        self.advance(to);
        effects.push(self.moved(self.role.other(), Some(from), how, None));
    }

    fn end_here(&mut self, effects: &mut Vec<Effect>) {
        if !self.state.is_final() {
            self.become_state(S::ENDED, How::Diverged, effects);
        }
    }

    /// Ends the process, here and if the protocol lets us at the peer: states that differ must end, DSP 2025-1.
    fn end(&mut self, effects: &mut Vec<Effect>) {
        let base = self.state;
        let grounds = Grounds::of("dsp/diverged", ["the two sides held different states".to_owned()]);
        let message = S::ENDED.insist(self.provider_pid(), self.consumer_pid(), self.next_id(), grounds);
        self.end_here(effects);
        if let Some(message) = message {
            effects.push(self.put(Some(base), S::ENDED, message));
        }
    }
}

fn reaches<S: Phase>(from: S, to: S) -> bool {
    let mut known = vec![from];
    let mut n = 0;
    while let Some(at) = known.get(n).copied() {
        n += 1;
        for next in S::ALL {
            let step = [Role::Consumer, Role::Provider]
                .into_iter()
                .any(|by| S::takes(at, by, *next) && !S::brings(at, *next));
            if step && !known.contains(next) {
                known.push(*next);
            }
        }
    }
    to != from && known.contains(&to)
}
