//! The way out: messages that a commit queued are sent, repeated while nobody answers, and settled by the answer.

use crate::act::process::Held;
use crate::act::trace::Trouble;
use crate::agent::{Node, lock};
use crate::error::ActError;
use crate::ports::{CarrierError, Reply, Request};
use dsp::machine::{Effect, Event, Step};
use dsp::message::Received;
use dsp::negotiation::Negotiation;
use dsp::transfer::Transfer;
use model::Instant;
use store::outbox::Queued;
use store::process::{ProcessId, ProcessKind};
use store::{StoreError, Together, crash_point};

impl Node {
    /// Sends what is due; tells whether anything was.
    pub(crate) fn send_outbox(&self) -> Result<bool, ActError> {
        let now = self.now();
        let limits = self.config.limits;
        // A look costs nothing, taking is a write.
        let (_, due) = self.store.outbox_depth(&self.participant)?;
        if due.is_none_or(|due| due > now) {
            return Ok(false);
        }
        let hidden =
            Instant(now.0 + i64::try_from(limits.answer_ms).unwrap_or(i64::MAX / 2) + limits.repeat_ms);
        // LIMIT: messages sent in one round; a slow peer holds up the others of its round.
        let taken = self.store.take_outbox(&self.participant, now, hidden, 8)?;
        for queued in &taken {
            crash_point("node.send.before");
            let message = &queued.message;
            let request = Request::post(message.url.clone(), "application/json", message.body.clone());
            let reply = self.introduced_for(request, &message.process);
            let reply = reply.and_then(|request| self.carrier.send(request));
            crash_point("node.send.after");
            let settled = match message.process.kind {
                ProcessKind::Negotiation => self.answered::<Negotiation>(queued, &reply),
                ProcessKind::Transfer => self.answered::<Transfer>(queued, &reply),
                ProcessKind::Flow => self
                    .store
                    .settle(&self.participant, queued.number, Together::default())
                    .map(|_| ())
                    .map_err(ActError::from),
            };
            if let Err(ActError::Store(StoreError::Stale { .. })) = settled {
                // Another message moved the process meanwhile: the answer is asked for again.
                let _ = self.store.put_off(&self.participant, queued.number, now);
            }
        }
        Ok(!taken.is_empty())
    }

    fn answered<H: Held>(
        &self,
        queued: &Queued,
        reply: &Result<Reply, CarrierError>,
    ) -> Result<(), ActError> {
        let Some(at) = self.load::<H>(&queued.message.process.pid)? else { return Ok(()) };
        let event = match reply {
            Ok(reply) if reply.status >= 500 || matches!(reply.status, 408 | 425 | 429) => None,
            Ok(reply) => Some(Event::Answered {
                status: reply.status,
                body: Received::read(&reply.body).ok().map(|r| r.message),
            }),
            Err(_) => None,
        };
        let later = Instant(self.now().0 + back_off(self.config.limits.repeat_ms, queued.attempts));
        let Some(event) = event else {
            self.store.put_off(&self.participant, queued.number, later)?;
            let (code, says) = match reply {
                Ok(reply) => (format!("http/{}", reply.status), "the peer is not ready".to_owned()),
                Err(e) => (e.code().to_owned(), e.to_string()),
            };
            let trouble = Trouble { code, says, attempts: queued.attempts, again_at: later };
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
                self.commit(Some(at.version), &next, effects, None, Together::default())?;
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
        let stored = self.store.process(&self.participant, process).ok().flatten();
        let peer = stored.map(|stored| stored.peer).unwrap_or_default();
        self.introduced(request, &peer)
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
fn back_off(repeat_ms: i64, attempts: u64) -> i64 {
    /// LIMIT: the longest wait between two attempts.
    const LONGEST_MS: i64 = 60_000;
    let doubled = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    repeat_ms.saturating_mul(1 << doubled).clamp(repeat_ms.min(LONGEST_MS), LONGEST_MS)
}
