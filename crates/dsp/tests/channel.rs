//! Both parties, a channel that loses, doubles and reorders, and random wishes on both sides: they end in one state.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dsp::machine::{Answer, Effect, Event, How, Peer, Phase, Process, Role, Step};
use dsp::message::terms::Terms;
use dsp::message::{Grounds, Message, Received};
use dsp::negotiation::{self, Negotiation};
use dsp::transfer::{self, Subject, Transfer};
use serde_json::json;

/// A small generator, so that a seed names a run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

trait Machine: Clone + PartialEq + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned {
    type State: Phase;
    type Command;
    fn open() -> (Self, Vec<Effect>);
    fn opened(from: &Peer, received: &Received) -> Option<(Self, Vec<Effect>)>;
    fn process(&self) -> &Process<Self::State>;
    fn go(&self, event: Event<Self::Command, Self::State>) -> Step<Self>;
    fn wish(&self, dice: &mut Dice) -> Self::Command;
    fn told(message: &Message) -> Option<Self::State>;
}

fn offer() -> Terms {
    let value = json!({"@id": "urn:offer:1", "@type": "Offer", "target": "urn:data:1", "permission": [{"action": "use"}]});
    serde_json::from_value(value).unwrap()
}

fn consumer() -> Peer {
    Peer("did:web:consumer.example".into())
}

fn provider() -> Peer {
    Peer("did:web:provider.example".into())
}

impl Machine for Negotiation {
    type State = negotiation::State;
    type Command = negotiation::Command;

    fn open() -> (Self, Vec<Effect>) {
        Negotiation::request(
            provider(),
            "urn:c:1",
            "https://p.example/dsp",
            "https://c.example/dsp/",
            offer(),
        )
    }

    fn opened(from: &Peer, received: &Received) -> Option<(Self, Vec<Effect>)> {
        Negotiation::opened(from, "urn:p:1", received).ok()
    }

    fn process(&self) -> &Process<Self::State> {
        self.process()
    }

    fn go(&self, event: Event<Self::Command, Self::State>) -> Step<Self> {
        self.step(event)
    }

    fn wish(&self, dice: &mut Dice) -> Self::Command {
        use negotiation::Command as C;
        match dice.roll(12) {
            0 | 1 => C::Counter(offer()),
            2 | 3 => C::Offer(offer()),
            4 | 5 => C::Accept,
            6 => C::Agree(offer().to_agreement("urn:a:1", "p", "c", "2026-11-22T00:00:00Z").unwrap()),
            7 | 8 => C::Verify,
            9 | 10 => C::Finalize,
            _ => C::Terminate(Grounds::default()),
        }
    }

    fn told(message: &Message) -> Option<Self::State> {
        match message {
            Message::ContractNegotiation(m) => Some(m.state),
            _ => None,
        }
    }
}

impl Machine for Transfer {
    type State = transfer::State;
    type Command = transfer::Command;

    fn open() -> (Self, Vec<Effect>) {
        let subject =
            Subject { agreement_id: "urn:a:1".into(), format: "HttpData-PULL".into(), push_to: None };
        Transfer::request(provider(), "urn:c:1", "https://p.example/dsp", "https://c.example/dsp", subject)
    }

    fn opened(from: &Peer, received: &Received) -> Option<(Self, Vec<Effect>)> {
        Transfer::opened(from, "urn:p:1", received).ok()
    }

    fn process(&self) -> &Process<Self::State> {
        self.process()
    }

    fn go(&self, event: Event<Self::Command, Self::State>) -> Step<Self> {
        self.step(event)
    }

    fn wish(&self, dice: &mut Dice) -> Self::Command {
        use transfer::Command as C;
        match dice.roll(24) {
            0..=10 => C::Start(None),
            11..=21 => C::Suspend(Grounds::default()),
            22 => C::Complete,
            _ => C::Terminate(Grounds::default()),
        }
    }

    fn told(message: &Message) -> Option<Self::State> {
        match message {
            Message::TransferProcess(m) => Some(m.state),
            _ => None,
        }
    }
}

#[derive(Clone)]
enum Packet {
    Post { bytes: Vec<u8> },
    Reply { to: Vec<u8>, status: u16, body: Vec<u8> },
    Get { at: u32 },
    Told { at: u32, body: Option<Vec<u8>> },
}

struct Side<M> {
    role: Role,
    machine: Option<M>,
    outbox: Option<Vec<u8>>,
    asked: Option<u32>,
    /// Digest of a body → how often it moved the state; must never exceed one.
    acts: std::collections::BTreeMap<String, u32>,
}

struct World<M> {
    sides: [Side<M>; 2],
    wire: Vec<(usize, Packet)>,
    dice: Dice,
    log: Vec<String>,
}

impl<M: Machine> World<M> {
    fn new(seed: u64) -> Self {
        let side = |role| Side { role, machine: None, outbox: None, asked: None, acts: Default::default() };
        let mut world = World {
            sides: [side(Role::Consumer), side(Role::Provider)],
            wire: Vec::new(),
            dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            log: Vec::new(),
        };
        let (machine, effects) = M::open();
        world.adopt(0, None, machine, effects, None);
        world
    }

    fn peer_of(who: usize) -> Peer {
        if who == 0 { provider() } else { consumer() }
    }

    /// Commits a step: the transition is checked against the figure, the value survives storage, effects are done.
    fn adopt(
        &mut self,
        who: usize,
        before: Option<&M>,
        after: M,
        effects: Vec<Effect>,
        reply_to: Option<Vec<u8>>,
    ) {
        let role = self.sides[who].role;
        let from = before.map(|m| m.process().state());
        let to = after.process().state();
        let mut moves = 0;
        for effect in &effects {
            if let Effect::Record(m) = effect {
                moves += 1;
                if let Some(digest) = m.digest {
                    *self.sides[who].acts.entry(digest.to_string()).or_default() += 1;
                }
                match m.how {
                    How::Received => assert!(
                        from.is_none_or(|f| M::State::takes(f, role.other(), to)
                            || before.is_some_and(|b| b.process().is_pending())),
                        "{from:?} {to:?}"
                    ),
                    How::Commanded => assert!(M::State::sends(from, role, to), "{from:?} {to:?}"),
                    How::RolledBack | How::Adopted | How::Diverged | How::Refused => {}
                }
            }
        }
        assert_eq!(
            moves > 0,
            from != Some(to)
                || effects.iter().any(|e| matches!(e, Effect::Record(m) if m.how == How::Diverged)),
            "{from:?} {to:?} {effects:?}"
        );
        // Final states of settled processes never change.
        if let Some(b) = before.filter(|b| b.process().state().is_final() && b.process().is_settled()) {
            assert_eq!(b.process().state(), to);
        }
        let stored = serde_json::to_string(&after).unwrap();
        assert_eq!(serde_json::from_str::<M>(&stored).unwrap(), after);
        self.log.push(format!(
            "{who} {from:?} -> {to:?} {:?}",
            effects
                .iter()
                .map(|e| match e {
                    Effect::Record(m) => format!("record {:?}", m.how),
                    Effect::Answer(a) => format!("answer {}", a.status),
                    Effect::Send { message, .. } => format!("send {}", message.kind()),
                    other => format!("{other:?}"),
                })
                .collect::<Vec<_>>()
        ));
        self.sides[who].machine = Some(after);
        for effect in effects {
            match effect {
                Effect::Send { message, .. } => {
                    let bytes = message.to_bytes();
                    self.sides[who].outbox = Some(bytes.clone());
                    self.wire.push((1 - who, Packet::Post { bytes }));
                }
                Effect::Withdraw | Effect::Settle => self.sides[who].outbox = None,
                Effect::Ask { at, .. } => {
                    self.sides[who].asked = Some(at);
                    self.wire.push((1 - who, Packet::Get { at }));
                }
                Effect::Answer(answer) => self.reply(who, reply_to.clone(), answer),
                Effect::Record(_) | Effect::StartFlow { .. } | Effect::StopFlow => {}
            }
        }
    }

    fn reply(&mut self, who: usize, to: Option<Vec<u8>>, answer: Answer) {
        let (status, body) = (answer.status, answer.body.to_bytes());
        if let Some(to) = to {
            self.wire.push((1 - who, Packet::Reply { to, status, body }));
        }
    }

    fn event(&mut self, who: usize, event: Event<M::Command, M::State>, reply_to: Option<Vec<u8>>) {
        let Some(before) = self.sides[who].machine.clone() else { return };
        match before.go(event) {
            Step::Next(after, effects) => self.adopt(who, Some(&before), after, effects, reply_to),
            Step::Repeat(answer) => self.reply(who, reply_to, answer),
            Step::Illegal(fault) => {
                let answer = before.process().error(&fault);
                if reply_to.is_some() {
                    self.log.push(format!("{who} refuses {fault}"));
                }
                self.reply(who, reply_to, answer);
            }
        }
    }

    fn deliver(&mut self, who: usize, packet: Packet) {
        match packet {
            Packet::Post { bytes } => {
                let received = Received::read(&bytes).unwrap();
                if self.sides[who].machine.is_none() {
                    let Some((machine, effects)) = M::opened(&Self::peer_of(who), &received) else { return };
                    return self.adopt(who, None, machine, effects, Some(bytes));
                }
                let event = Event::Received { from: Self::peer_of(who), message: received };
                self.event(who, event, Some(bytes));
            }
            Packet::Reply { to, status, body } => {
                if self.sides[who].outbox.as_ref() == Some(&to) {
                    let body = Some(Received::read(&body).unwrap().message);
                    self.event(who, Event::Answered { status, body }, None);
                }
            }
            Packet::Get { at } => {
                let body = self.sides[who].machine.as_ref().map(|m| m.process().acknowledgement().to_bytes());
                self.wire.push((1 - who, Packet::Told { at, body }));
            }
            Packet::Told { at, body } => {
                if self.sides[who].asked == Some(at) {
                    self.sides[who].asked = None;
                    let state = body.and_then(|b| M::told(&Received::read(&b).unwrap().message));
                    self.event(who, Event::Told { state, at }, None);
                }
            }
        }
    }

    fn tick(&mut self, who: usize) {
        if self.sides[who].machine.as_ref().is_some_and(|m| !m.process().is_settled()) {
            self.event(who, Event::Timeout, None);
        }
    }

    fn chaos(&mut self, turns: usize) {
        for _ in 0..turns {
            let who = self.dice.roll(2);
            match self.dice.roll(10) {
                0 | 1 => {
                    if let Some(machine) = self.sides[who].machine.clone() {
                        let wish = machine.wish(&mut self.dice);
                        self.event(who, Event::Command(wish), None);
                    }
                }
                2 => self.tick(who),
                3 if !self.wire.is_empty() => {
                    let n = self.dice.roll(self.wire.len());
                    self.wire.swap_remove(n);
                }
                4 if !self.wire.is_empty() && self.wire.len() < 40 => {
                    let n = self.dice.roll(self.wire.len());
                    let copy = self.wire[n].clone();
                    self.wire.push(copy);
                }
                _ if !self.wire.is_empty() => {
                    let n = self.dice.roll(self.wire.len());
                    let (to, packet) = self.wire.swap_remove(n);
                    self.deliver(to, packet);
                }
                _ => {}
            }
        }
    }

    /// The channel delivers at last, in any order; wishes stop.
    fn calm(&mut self) {
        for round in 0..400 {
            let mut deliveries = 0;
            while !self.wire.is_empty() {
                deliveries += 1;
                let tail = self.log.iter().rev().take(40).rev().cloned().collect::<Vec<_>>().join("\n");
                assert!(deliveries < 2000, "round {round}: messages breed:\n{tail}");
                let n = self.dice.roll(self.wire.len());
                let (to, packet) = self.wire.swap_remove(n);
                self.deliver(to, packet);
            }
            let unsettled = |s: &Side<M>| s.machine.as_ref().is_some_and(|m| !m.process().is_settled());
            if !self.sides.iter().any(unsettled) {
                return;
            }
            self.tick(0);
            self.tick(1);
        }
        panic!("never settles:\n{}", self.log.join("\n"));
    }

    fn end(&self) -> (Option<M::State>, Option<M::State>) {
        let state = |s: &Side<M>| s.machine.as_ref().map(|m| m.process().state());
        (state(&self.sides[0]), state(&self.sides[1]))
    }
}

fn run<M: Machine>(seeds: u64, turns: usize) -> std::collections::BTreeMap<String, u32> {
    let mut ends = std::collections::BTreeMap::new();
    for seed in 1..=seeds {
        let mut world = World::<M>::new(seed);
        world.chaos(turns);
        world.calm();
        let (a, b) = world.end();
        match (a, b) {
            (Some(a), Some(b)) => assert_eq!(a, b, "seed {seed}\n{}", world.log.join("\n")),
            // The request never arrived and was given up.
            (Some(a), None) => assert_eq!(a, M::State::ENDED),
            other => panic!("{other:?}"),
        }
        for side in &world.sides {
            assert!(
                side.acts.values().all(|n| *n == 1),
                "a body acted twice, seed {seed}\n{}",
                world.log.join("\n")
            );
        }
        *ends.entry(a.map_or("", |s| s.name()).to_owned()).or_default() += 1;
    }
    ends
}

#[test]
fn negotiations_end_alike() {
    let mut ends = run::<Negotiation>(3000, 120);
    for (state, n) in run::<Negotiation>(800, 600) {
        *ends.entry(state).or_default() += n;
    }
    assert!(ends.contains_key("FINALIZED") && ends.contains_key("TERMINATED"), "{ends:?}");
}

#[test]
fn transfers_end_alike() {
    let ends = run::<Transfer>(4000, 150);
    for state in ["STARTED", "SUSPENDED", "COMPLETED", "TERMINATED"] {
        assert!(ends.contains_key(state), "{ends:?}");
    }
}
