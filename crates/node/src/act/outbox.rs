//! The way out: messages that a commit queued are sent, repeated while nobody answers, and settled by the answer.
//!
//! That a peer took a message is written down a moment later: mostly its own next message comes before, and settles ours
//! with it. A crash in between sends the message again, which the peer knows as a repeat.

use crate::act::process::{Held, host_of};
use crate::act::trace::Trouble;
use crate::agent::{Node, lock};
use crate::crew::Work;
use crate::error::ActError;
use crate::ports::{CarrierError, Reply, Request};
use dsp::machine::{Effect, Event, Step};
use dsp::message::Received;
use dsp::negotiation::Negotiation;
use dsp::transfer::Transfer;
use model::Instant;
use std::time::Duration;
use store::outbox::Queued;
use store::process::{ProcessId, ProcessKind};
use store::{StoreError, Together, crash_point};

/// How long an answer waits for the peer's next message before it is written down by itself.
const SETTLE_AFTER: Duration = Duration::from_millis(20);
/// LIMIT: processes whose messages are looked up at once.
const DUE_MAX: usize = 256;
/// LIMIT: how often an answer is tried to be written down when another move came first.
const TRIES_MAX: usize = 8;
/// LIMIT: how often a peer may say that it is busy with the process (409) before it counts as its refusal.
const CONFLICTS_MAX: u64 = 6;

/// A message that a peer took.
#[derive(Debug)]
pub(crate) struct Taken {
    queued: Queued,
    reply: Reply,
    since: std::time::Instant,
}

impl Node {
    /// Names the messages that are due as work: after a start, and those that were put off.
    pub(crate) fn find_outbox(&self) -> Result<(), ActError> {
        for (process, url) in self.store.outbox_due(&self.participant, self.now(), DUE_MAX)? {
            if !lock(&self.answered).contains_key(&process) {
                self.crew.add(Work::Send(process, host_of(&url)));
            }
        }
        Ok(())
    }

    /// Names the answers that waited long enough as work; tells when the next will have.
    pub(crate) fn find_answered(&self) -> Option<Duration> {
        let mut next: Option<Duration> = None;
        for (process, taken) in lock(&self.answered).iter() {
            match SETTLE_AFTER.checked_sub(taken.since.elapsed()).filter(|left| !left.is_zero()) {
                None => self.crew.add(Work::Settle(process.clone())),
                Some(left) => next = Some(next.map_or(left, |n| n.min(left))),
            }
        }
        next
    }

    /// Sends the first message of a process that waits, if it is due.
    pub(crate) fn send_first(&self, process: &ProcessId) -> Result<(), ActError> {
        let first = self.store.outbox(&self.participant, process)?.into_iter().next();
        let Some(queued) = first.filter(|q| q.not_before <= self.now()) else { return Ok(()) };
        if lock(&self.answered).get(process).is_some_and(|taken| taken.queued.number == queued.number) {
            return Ok(());
        }
        crash_point("node.send.before");
        let message = &queued.message;
        let request = Request::post(message.url.clone(), "application/json", message.body.clone());
        let reply = self.introduced_for(request, &message.process);
        let reply = reply.and_then(|request| self.carrier.send(request));
        crash_point("node.send.after");
        if process.kind == ProcessKind::Flow {
            self.store.settle(&self.participant, queued.number, Together::default())?;
            return Ok(());
        }
        match reply {
            Ok(reply) if reply.is_success() => {
                let taken = Taken { queued, reply, since: std::time::Instant::now() };
                lock(&self.answered).insert(process.clone(), taken);
                self.ring();
                Ok(())
            }
            reply => self.settled(&queued, &reply),
        }
    }

    /// Writes down that the message of a process was answered, if it was and that is not written.
    pub(crate) fn settle_answered(&self, process: &ProcessId) -> Result<(), ActError> {
        let Some(taken) = lock(&self.answered).remove(process) else { return Ok(()) };
        self.settled(&taken.queued, &Ok(taken.reply))
    }

    fn waits(&self, queued: &Queued) -> Result<bool, ActError> {
        let waiting = self.store.outbox(&self.participant, &queued.message.process)?;
        Ok(waiting.iter().any(|w| w.number == queued.number))
    }

    fn settled(&self, queued: &Queued, reply: &Result<Reply, CarrierError>) -> Result<(), ActError> {
        for _ in 0..TRIES_MAX {
            let settled = match queued.message.process.kind {
                ProcessKind::Negotiation => self.answered::<Negotiation>(queued, reply),
                ProcessKind::Transfer | ProcessKind::Flow => self.answered::<Transfer>(queued, reply),
            };
            match settled {
                // Another message moved the process meanwhile.
                Err(ActError::Store(StoreError::Stale { .. })) => {}
                settled => return settled,
            }
        }
        Ok(())
    }

    fn answered<H: Held>(
        &self,
        queued: &Queued,
        reply: &Result<Reply, CarrierError>,
    ) -> Result<(), ActError> {
        let Some(at) = self.load::<H>(&queued.message.process.pid)? else {
            // Nobody is left to whom the answer matters.
            self.store.settle(&self.participant, queued.number, Together::default())?;
            return Ok(());
        };
        // INVARIANT: looked at after the process was read. A message that waits still is the one that is pending in what was
        // read, or another move came first and this one is stale; asked the other way round, the answer to one message could
        // settle the next, which would then never be sent.
        if !self.waits(queued)? {
            return Ok(());
        }
        let event = match reply {
            Ok(reply) if is_not_now(reply.status, queued.attempts) => None,
            Ok(reply) => Some(Event::Answered {
                status: reply.status,
                body: Received::read(&reply.body).ok().map(|r| r.message),
            }),
            Err(_) => None,
        };
        let attempts = queued.attempts + 1;
        let later = Instant(self.now().0 + back_off(self.config.limits.repeat_ms, attempts));
        let Some(event) = event else {
            self.store.put_off(&self.participant, queued.number, later)?;
            let (code, says) = match reply {
                Ok(reply) => (format!("http/{}", reply.status), "the peer is not ready".to_owned()),
                Err(e) => (e.code().to_owned(), e.to_string()),
            };
            let trouble = Trouble { code, says, attempts, again_at: later };
            lock(&self.memory).trouble(&queued.message.process.pid, Some(trouble));
            return Ok(());
        };
        {
            let mut memory = lock(&self.memory);
            memory.trouble(&queued.message.process.pid, None);
            memory.refusal(&queued.message.process.pid, reply.as_ref().ok().and_then(refusal_of));
        }
        match at.held.step(event) {
            Step::Next(next, effects) => {
                let settles = effects.iter().any(|e| matches!(e, Effect::Settle | Effect::Withdraw));
                self.commit(at.version, &next, effects, None, Together::default())?;
                if !settles {
                    // It may have been settled by what the peer told.
                    let _ = self.store.put_off(&self.participant, queued.number, later);
                }
            }
            Step::Repeat(_) | Step::Illegal(_) => {}
        }
        Ok(())
    }

    /// Says who we are to the peer of a process.
    fn introduced_for(&self, request: Request, process: &ProcessId) -> Result<Request, CarrierError> {
        let known = || self.store.process(&self.participant, process).ok().flatten();
        // Only a token names the peer that it is for.
        let stored = if self.config.claims.on() { known() } else { None };
        self.introduced(request, &stored.map(|stored| stored.peer).unwrap_or_default())
    }

    /// Says who we are where the connection does not: by a token of our own, or as the test identity does.
    pub(crate) fn introduced(&self, request: Request, peer: &str) -> Result<Request, CarrierError> {
        if self.config.claims.on() {
            return self.claiming(request, "authorization", peer);
        }
        if !self.config.test_identity {
            return Ok(request);
        }
        let audience = request.url.split('/').take(3).collect::<Vec<_>>().join("/");
        let who = serde_json::json!({ "clientId": self.id(), "audience": audience, "region": "any" });
        Ok(request.with("authorization", who.to_string()))
    }
}

/// Whether an answer asks to come again; some peers say 409 while another message holds the process.
fn is_not_now(status: u16, attempts: u64) -> bool {
    status >= 500 || matches!(status, 408 | 425 | 429) || status == 409 && attempts < CONFLICTS_MAX
}

/// What a peer says when it refuses a message for good.
fn refusal_of(reply: &Reply) -> Option<String> {
    let refuses = (400..500).contains(&reply.status) && !matches!(reply.status, 408 | 425 | 429);
    refuses.then(|| {
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let reasons = body.get("reason").and_then(|r| r.as_array()).cloned().unwrap_or_default();
        let said: Vec<&str> = reasons.iter().filter_map(|r| r.as_str()).collect();
        // LIMIT: characters of a peer's words that are kept.
        format!("status {} {}", reply.status, said.join(" | ")).trim().chars().take(500).collect()
    })
}

/// How long a message waits that was sent so often: doubled each time, a minute at most.
pub(crate) fn back_off(repeat_ms: i64, attempts: u64) -> i64 {
    /// LIMIT: the longest wait between two attempts.
    const LONGEST_MS: i64 = 60_000;
    let doubled = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    repeat_ms.saturating_mul(1 << doubled).clamp(repeat_ms.min(LONGEST_MS), LONGEST_MS)
}
