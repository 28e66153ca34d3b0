//! The moves of a process: what a message, a command, an answer and a time-out do to it. What a told state does is in
//! `process/reconcile.rs`.

mod reconcile;

use super::{
    Answer, Arrival, Effect, Fault, How, Move, Peer, Pending, Phase, Process, Role, SEEN_MAX, Seen, Step,
};
use crate::message::{Grounds, Message};
use crate::paths;
use model::Digest;

enum Way {
    Advance { settle: bool, withdraw: bool, crossed: bool },
    Stay,
    AlreadyThere,
    Busy,
    Refuse,
}

impl<S: Phase> Process<S> {
    /// Makes the process of the party that opens it; the opening message is pending.
    pub(crate) fn open(
        role: Role,
        peer: Peer,
        own_pid: &str,
        address: &str,
        to: S,
        message: Message,
    ) -> (Self, Vec<Effect>) {
        let url = paths::join(address, S::path(to, role.other(), true));
        let pending = Pending {
            base: None,
            to,
            url: url.clone(),
            message: message.clone(),
            crossed: false,
            refused: false,
            then_end: None,
        };
        let process = Process {
            role,
            peer,
            own_pid: own_pid.to_owned(),
            peer_pid: None,
            address: address.to_owned(),
            state: to,
            moves: 1,
            sent: 1,
            pending: Some(pending),
            asking: None,
            asked: 0,
            seen: Vec::new(),
        };
        let record = process.moved(role, None, How::Commanded, None);
        (process, vec![record, Effect::Send { url, message }])
    }

    /// Makes the process of the party that is asked to open it, with the answer 201.
    pub(crate) fn opened(
        role: Role,
        own_pid: &str,
        peer_pid: &str,
        address: &str,
        got: Arrival<'_, S>,
    ) -> (Self, Vec<Effect>) {
        let mut process = Process {
            role,
            peer: got.from.clone(),
            own_pid: own_pid.to_owned(),
            peer_pid: Some(peer_pid.to_owned()),
            address: address.to_owned(),
            state: got.to,
            moves: 1,
            sent: 0,
            pending: None,
            asking: None,
            asked: 0,
            seen: Vec::new(),
        };
        process.remember(&got, 201);
        let record = process.moved(role.other(), None, How::Received, Some(got.digest));
        let answer = Effect::Answer(Answer { status: 201, body: process.acknowledgement() });
        (process, vec![record, answer])
    }

    /// Makes a process that was carried to its end elsewhere; nothing is sent.
    pub(crate) fn ended_elsewhere(role: Role, peer: Peer, own_pid: &str, address: &str, state: S) -> Self {
        Process {
            role,
            peer,
            own_pid: own_pid.to_owned(),
            peer_pid: None,
            address: address.to_owned(),
            state,
            moves: 1,
            sent: 0,
            pending: None,
            asking: None,
            asked: 0,
            seen: Vec::new(),
        }
    }

    /// Returns the state.
    pub fn state(&self) -> S {
        self.state
    }

    /// Tells whether a message of ours awaits its answer.
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Tells whether both sides are known to hold this state.
    pub fn is_settled(&self) -> bool {
        self.pending.is_none() && self.asking.is_none()
    }

    fn is_unsure(&self) -> bool {
        self.asking.is_some() || self.pending.as_ref().is_some_and(|p| p.crossed)
    }

    /// Returns the number of moves made, which grows with each.
    pub fn moves(&self) -> u32 {
        self.moves
    }

    /// Returns the provider's pid, empty while unknown.
    pub fn provider_pid(&self) -> &str {
        match self.role {
            Role::Provider => &self.own_pid,
            Role::Consumer => self.peer_pid.as_deref().unwrap_or_default(),
        }
    }

    /// Returns the consumer's pid, empty while unknown.
    pub fn consumer_pid(&self) -> &str {
        match self.role {
            Role::Consumer => &self.own_pid,
            Role::Provider => self.peer_pid.as_deref().unwrap_or_default(),
        }
    }

    /// Tells whether it is this party's move: it can bring the process forward, not merely end it.
    pub fn is_move_of(&self, party: Role) -> bool {
        S::ALL.iter().any(|to| *to != S::ENDED && S::sends(Some(self.state), party, *to))
    }

    /// Returns the states to which our own commands can lead now; none while a message of ours is unsettled but the end.
    pub fn open_moves(&self) -> Vec<S> {
        let open =
            |to: &S| S::sends(Some(self.state), self.role, *to) && (self.is_settled() || *to == S::ENDED);
        S::ALL.iter().copied().filter(open).collect()
    }

    /// Makes the object that tells the state, the answer to a GET.
    pub fn acknowledgement(&self) -> Message {
        self.state.acknowledge(self.provider_pid(), self.consumer_pid())
    }

    /// Makes the error answer to a message that this process refused.
    pub fn error(&self, fault: &Fault) -> Answer {
        self.refusal(fault.status(), fault.grounds())
    }

    /// Makes an error answer of other grounds, such as a rule of law; it moves nothing.
    pub fn refusal(&self, status: u16, grounds: Grounds) -> Answer {
        Answer { status, body: S::refuse(self.provider_pid(), self.consumer_pid(), grounds) }
    }

    /// Returns the id that the next message of ours will carry.
    pub(crate) fn next_id(&self) -> String {
        format!("{}#{}", self.own_pid, self.sent + 1)
    }

    /// Takes a message of the peer.
    pub(crate) fn receive(&self, got: Arrival<'_, S>) -> Step<Self> {
        if *got.from != self.peer {
            return Step::Illegal(Fault::NotFound);
        }
        if let Err(fault) = self.same_pids(&got) {
            return Step::Illegal(fault);
        }
        if let Some(seen) = self.repeat_of(&got) {
            let body = match seen.status {
                200 | 201 => seen.state.acknowledge(self.provider_pid(), self.consumer_pid()),
                _ => self.error(&self.illegal(got.to)).body,
            };
            return Step::Repeat(Answer { status: seen.status, body });
        }
        let mut next = self.clone();
        if next.peer_pid.is_none() {
            next.peer_pid = match self.role {
                Role::Consumer => got.provider_pid.map(str::to_owned),
                Role::Provider => got.consumer_pid.map(str::to_owned),
            };
        }
        let mut effects = Vec::new();
        match self.way(got.to) {
            Way::Busy => return Step::Illegal(Fault::Busy),
            // While a crossing is not cleared up, our state is not sure enough to refuse by.
            Way::Refuse | Way::AlreadyThere if self.is_unsure() => return Step::Illegal(Fault::Busy),
            Way::Refuse => return Step::Illegal(self.illegal(got.to)),
            Way::AlreadyThere => {
                // Remembered, so that a copy that lingers cannot take effect when the state has moved on.
                next.remember(&got, 400);
                let answer = next.error(&self.illegal(got.to));
                return Step::Next(next, vec![Effect::Answer(answer)]);
            }
            Way::Stay => {
                if let Some(pending) = next.pending.as_mut() {
                    pending.crossed = true;
                }
                next.remember(&got, 200);
            }
            Way::Advance { settle, withdraw, crossed } => {
                next.advance(got.to);
                if settle || withdraw {
                    next.pending = None;
                    effects.push(if withdraw { Effect::Withdraw } else { Effect::Settle });
                } else if let Some(pending) = next.pending.as_mut() {
                    pending.crossed |= crossed;
                }
                next.remember(&got, 200);
                effects.push(next.moved(
                    self.role.other(),
                    Some(self.state),
                    How::Received,
                    Some(got.digest),
                ));
            }
        }
        effects.push(Effect::Answer(Answer { status: 200, body: next.acknowledgement() }));
        Step::Next(next, effects)
    }

    fn way(&self, to: S) -> Way {
        let by = self.role.other();
        let advance = Way::Advance { settle: false, withdraw: false, crossed: false };
        let Some(pending) = self.pending.as_ref().filter(|p| p.to == self.state) else {
            // Nothing on its way, or what is on its way was already overtaken by the peer.
            return match S::takes(self.state, by, to) {
                true => advance,
                false if to == self.state && S::renews(to, by) => Way::Stay,
                false if to == self.state && !to.is_final() => Way::AlreadyThere,
                false => Way::Refuse,
            };
        };
        let from_base = pending.base.is_some_and(|base| S::takes(base, by, to));
        let from_here = S::takes(self.state, by, to);
        if from_base && to == pending.to {
            return Way::Stay;
        }
        if to.is_final() && to.rank() > pending.to.rank() && (from_base || from_here) {
            return Way::Advance { settle: false, withdraw: true, crossed: false };
        }
        // The peer wants back to where our move came from: it may have taken our move, or sent before it came.
        let ambiguous =
            pending.base == Some(to) && S::takes(to, self.role, pending.to) && S::takes(to, by, pending.to);
        match from_here {
            true if ambiguous && to.rank() > pending.to.rank() => {
                Way::Advance { settle: false, withdraw: false, crossed: true }
            }
            true if ambiguous => Way::Busy,
            true => Way::Advance { settle: true, withdraw: false, crossed: false },
            false => Way::Refuse,
        }
    }

    /// Makes a move of our own.
    pub(crate) fn command(&self, to: S, message: Message, grounds: &Grounds) -> Step<Self> {
        let overtakes = to == S::ENDED && !self.state.is_final();
        if !self.is_settled() && !overtakes {
            return Step::Illegal(Fault::Busy);
        }
        if !S::sends(Some(self.state), self.role, to) {
            return Step::Illegal(self.illegal(to));
        }
        let mut next = self.clone();
        let mut effects = Vec::new();
        next.advance(to);
        next.asking = None;
        effects.push(next.moved(self.role, Some(self.state), How::Commanded, None));
        if self.peer_pid.is_none() {
            // The opening stays on its way: only its answer tells at which pid the peer can be told of the end.
            if let Some(pending) = next.pending.as_mut() {
                pending.then_end = Some(grounds.clone());
            }
            return Step::Next(next, effects);
        }
        if self.pending.is_some() {
            effects.push(Effect::Withdraw);
        }
        let base = match self.pending.as_ref() {
            Some(pending) => pending.base,
            None => Some(self.state),
        };
        effects.push(next.put(base, to, message));
        Step::Next(next, effects)
    }

    /// Says again that we are where we are, with what the state now rests on; nothing moves.
    pub(crate) fn renew(&self, message: Message) -> Step<Self> {
        if !self.state.renews(self.role) {
            return Step::Illegal(self.illegal(self.state));
        }
        if !self.is_settled() || self.peer_pid.is_none() {
            return Step::Illegal(Fault::Busy);
        }
        let mut next = self.clone();
        let send = next.put(Some(self.state), self.state, message);
        Step::Next(next, vec![send])
    }

    fn put(&mut self, base: Option<S>, to: S, message: Message) -> Effect {
        let path = paths::with_id(
            S::path(to, self.role.other(), false),
            self.peer_pid.as_deref().unwrap_or_default(),
        );
        let url = paths::join(&self.address, &path);
        self.sent += 1;
        self.pending = Some(Pending {
            base,
            to,
            url: url.clone(),
            message: message.clone(),
            crossed: false,
            refused: false,
            then_end: None,
        });
        Effect::Send { url, message }
    }

    /// Takes the peer's answer to the pending message.
    pub(crate) fn answered(&self, status: u16, peer_pid: Option<&str>) -> Step<Self> {
        let Some(pending) = self.pending.as_ref() else { return Step::Next(self.clone(), Vec::new()) };
        let mut next = self.clone();
        match status {
            200..=299 => {
                if next.peer_pid.is_none() {
                    next.peer_pid = peer_pid.map(str::to_owned);
                }
                next.pending = None;
                let mut effects = vec![Effect::Settle];
                let (provider_pid, consumer_pid) = (next.provider_pid(), next.consumer_pid());
                let end = pending.then_end.clone().filter(|_| next.peer_pid.is_some());
                match end.and_then(|g| S::ENDED.insist(provider_pid, consumer_pid, next.next_id(), g)) {
                    Some(message) => effects.push(next.put(Some(pending.to), S::ENDED, message)),
                    None if pending.crossed && !self.state.is_final() => effects.push(next.ask()),
                    None => {}
                }
                Step::Next(next, effects)
            }
            // Not now: the outbox waits, then says so with `Event::Timeout`.
            408 | 425 | 429 => Step::Next(next, Vec::new()),
            400..=499 if pending.base.is_none() => {
                next.pending = None;
                let mut effects = vec![Effect::Settle];
                if !self.state.is_final() {
                    next.advance(S::ENDED);
                    effects.push(next.moved(self.role.other(), Some(self.state), How::Refused, None));
                }
                Step::Next(next, effects)
            }
            400..=499 => {
                if let Some(pending) = next.pending.as_mut() {
                    pending.refused = true;
                }
                let ask = next.ask();
                Step::Next(next, vec![ask])
            }
            _ => Step::Next(next, Vec::new()),
        }
    }

    fn ask(&mut self) -> Effect {
        self.asking = Some(self.moves);
        self.asked += 1;
        let path = paths::with_id(S::ask_path(), self.peer_pid.as_deref().unwrap_or_default());
        Effect::Ask { url: paths::join(&self.address, &path), at: self.asked }
    }

    /// Does again what got no answer.
    pub(crate) fn timeout(&self) -> Step<Self> {
        let mut next = self.clone();
        let effects = match (self.asking.is_some(), self.pending.as_ref()) {
            (true, _) => vec![next.ask()],
            (false, Some(p)) => vec![Effect::Send { url: p.url.clone(), message: p.message.clone() }],
            (false, None) => Vec::new(),
        };
        Step::Next(next, effects)
    }

    fn advance(&mut self, to: S) {
        self.state = to;
        self.moves += 1;
    }

    fn moved(&self, by: Role, from: Option<S>, how: How, digest: Option<Digest>) -> Effect {
        let from = from.map(|s| s.name().to_owned());
        Effect::Record(Move { by, from, to: self.state.name().to_owned(), how, digest })
    }

    fn illegal(&self, to: S) -> Fault {
        Fault::IllegalMove { from: self.state.name(), to: to.name() }
    }

    fn same_pids(&self, got: &Arrival<'_, S>) -> Result<(), Fault> {
        let pairs = [
            (got.provider_pid, self.provider_pid(), "providerPid", self.role == Role::Provider),
            (got.consumer_pid, self.consumer_pid(), "consumerPid", self.role == Role::Consumer),
        ];
        for (said, held, field, own) in pairs {
            let known = own || self.peer_pid.is_some();
            if known && said.is_some_and(|said| said != held) {
                return Err(Fault::Mismatch { field });
            }
        }
        Ok(())
    }

    fn repeat_of(&self, got: &Arrival<'_, S>) -> Option<&Seen<S>> {
        // INVARIANT: a body without `@id` counts as a repeat only while nothing has moved since, because two acts may
        // look alike (suspend, resume, suspend).
        self.seen.iter().find(|s| s.digest == got.digest && (s.named || s.moves == self.moves))
    }

    fn remember(&mut self, got: &Arrival<'_, S>, status: u16) {
        let seen =
            Seen { digest: got.digest, status, state: self.state, moves: self.moves, named: got.named };
        self.seen.push(seen);
        if self.seen.len() > SEEN_MAX {
            self.seen.remove(0);
        }
    }
}
