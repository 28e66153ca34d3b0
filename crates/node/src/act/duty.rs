//! Duties after delivery: scheduled on both sides when data was delivered, done here where a program can do them, attested by a
//! person where it cannot, told to the provider, and overdue for both to see.
//!
//! The consumer does what it owes; the provider keeps the same schedule and waits to be told. Deleting deletes what the
//! node received; whether copies lie elsewhere no program knows, and for data that never came here a person says so.

use crate::act::contract::Contract;
use crate::act::outbox::back_off;
use crate::agent::{Caller, Node};
use crate::error::ActError;
use crate::ports::Request;
use crate::terms::duty_line;
use dsp::machine::Role;
use dsp::paths;
use dsp::policy::duty::{Act, Owing, owed};
use dsp::transfer::Transfer;
use model::event::EventKind;
use model::text::Text;
use model::{Digest, Instant};
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::Together;
use store::keep::{DocumentKind, Expect, Keep, Kept};

/// Where a consumer tells that it did what it owed, under the base address of the protocol; no part of the protocol.
pub const NOTICE: &str = "/tegata/duties";
/// LIMIT: duties looked at in one round, and shown at once.
const LOOKED_AT_MAX: usize = 1_000;
/// LIMIT: how often a provider is told before we give up.
const TELLS_MAX: u64 = 8;
/// LIMIT: characters of what a person says.
const SAYS_MAX: usize = 2_000;
/// What a duty is about while something is still to come of it.
const OPEN: &str = "duty/open";
const SETTLED: &str = "duty/settled";

/// How a duty was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// This program, or that of the peer, did it.
    Program,
    /// A person says so.
    Attested,
}

/// That a duty was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// When.
    pub at: Instant,
    /// By what.
    pub how: How,
    /// In one line.
    pub says: String,
}

/// One duty of one delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// Its id here.
    pub id: String,
    /// Our id of the transfer.
    pub transfer: String,
    /// The provider's id of the transfer.
    pub provider_pid: String,
    /// The agreement.
    pub agreement: String,
    /// The dataset.
    pub dataset: String,
    /// The other party.
    pub peer: String,
    /// Whether we owe it; else the peer does.
    pub ours: bool,
    /// Its place in the policy.
    pub at: String,
    /// What is owed.
    pub act: Act,
    /// The rule in words.
    pub says: Text,
    /// Until when.
    pub due: Option<Instant>,
    /// When the data was delivered.
    pub delivered: Instant,
    /// Whether the data came to this node's folder, so that it can delete it.
    pub here: bool,
    /// That it was done.
    pub done: Option<Done>,
    /// When the provider took note.
    pub told: Option<Instant>,
    /// Why the provider could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<String>,
    /// How often it was tried to tell, and when next.
    tells: u64,
    again_at: Instant,
    /// Whether the log says that it is overdue.
    noted: bool,
}

impl Duty {
    /// Whether it should have been done by now.
    pub fn is_overdue(&self, now: Instant) -> bool {
        self.done.is_none() && self.due.is_some_and(|due| due < now)
    }

    /// Whether a person has to do it, or to say that it was done.
    pub fn needs_person(&self) -> bool {
        self.ours && self.done.is_none() && !self.is_automatic()
    }

    fn is_automatic(&self) -> bool {
        match self.act {
            Act::Delete => self.here,
            Act::Inform => true,
            Act::ReportUse | Act::Provide | Act::Other => false,
        }
    }

    /// When something is to be done for it that is open, in milliseconds of the clock.
    fn looked_at_next(&self) -> i64 {
        match (&self.done, self.due) {
            (Some(_), _) => self.again_at.0,
            (None, due) => due.map_or(i64::MAX, |due| due.0),
        }
    }

    fn is_settled(&self) -> bool {
        match (self.done.is_some(), self.ours) {
            (true, true) => self.told.is_some() || self.untold.is_some(),
            (true, false) => true,
            (false, true) if self.is_automatic() => self.due.is_none(),
            (false, _) => self.due.is_none() || self.noted,
        }
    }
}

/// What a consumer tells of a duty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The provider's id of the transfer.
    pub transfer: String,
    /// The duty's place in the policy.
    pub duty: String,
    /// What was done.
    pub done: Done,
}

fn id_of(peer: &str, provider_pid: &str, at: &str) -> String {
    Digest::of(format!("{peer}|{provider_pid}|{at}").as_bytes()).to_string().chars().take(16).collect()
}

fn read_duty(kept: &Kept) -> Result<Duty, ActError> {
    serde_json::from_slice(&kept.body).map_err(|e| ActError::evidence("node/duty", e))
}

impl Node {
    /// Schedules what is owed for a delivery; what is scheduled already stays as it is.
    pub(crate) fn schedule_duties(
        &self,
        held: &Transfer,
        delivered: Instant,
        here: bool,
    ) -> Result<(), ActError> {
        let process = held.process();
        let found = self.agreement_of(process.role, &held.subject().agreement_id, &process.peer)?;
        let Some(Ok(contract)) = found.as_ref().map(Contract::of) else { return Ok(()) };
        let dataset = self.dataset_of(held)?;
        for owing in owed(contract.policy(), contract.agreed(), delivered) {
            let id = id_of(&process.peer.0, process.provider_pid(), &owing.at);
            if self.store.kept(&self.participant, DocumentKind::Duty, &id)?.is_some() {
                continue;
            }
            let Owing { at, act, by, due, rule } = owing;
            let duty = Duty {
                id,
                transfer: process.own_pid.clone(),
                provider_pid: process.provider_pid().to_owned(),
                agreement: held.subject().agreement_id.clone(),
                dataset: dataset.clone(),
                peer: process.peer.0.clone(),
                ours: by == process.role,
                at,
                act,
                says: duty_line(&rule),
                due,
                delivered,
                here: here && process.role == Role::Consumer,
                done: None,
                told: None,
                untold: None,
                tells: 0,
                again_at: Instant(0),
                noted: false,
            };
            self.keep_duty(&duty, None)?;
        }
        Ok(())
    }

    fn keep_duty(&self, duty: &Duty, event: Option<EventKind>) -> Result<(), ActError> {
        let body = serde_json::to_vec(duty).map_err(|e| ActError::evidence("node/duty", e))?;
        let keep = Keep {
            kind: DocumentKind::Duty,
            id: duty.id.clone(),
            about: Some(if duty.is_settled() { SETTLED } else { OPEN }.to_owned()),
            at: self.now(),
            body,
            expect: Expect::Any,
        };
        let mut together = Together::default();
        if let Some(kind) = event {
            let mut event = self.event(kind, &duty.transfer);
            let done = duty.done.as_ref().map(|done| {
                format!(" by {}", if done.how == How::Program { "program" } else { "attestation" })
            });
            event.rules = vec![format!("{}: {}{}", duty.at, duty.says.en, done.unwrap_or_default())];
            together.leaves.push(self.leaf(&event)?);
        }
        self.store.keep(&self.participant, keep, together)?;
        if !duty.is_settled() {
            self.duties_at.store(0, Ordering::SeqCst);
        }
        Ok(())
    }

    /// All duties: what we owe and what is owed to us.
    pub fn duties(&self) -> Result<Vec<Duty>, ActError> {
        let kept = self.store.kept_all(&self.participant, DocumentKind::Duty, None, LOOKED_AT_MAX)?;
        let mut all = kept.iter().map(read_duty).collect::<Result<Vec<_>, _>>()?;
        let now = self.now();
        all.sort_by_key(|d| (!d.is_overdue(now), d.done.is_some(), d.due.map_or(i64::MAX, |due| due.0)));
        Ok(all)
    }

    fn duty(&self, id: &str) -> Result<Duty, ActError> {
        let missing = || ActError::NotFound { what: "duty", name: id.to_owned() };
        read_duty(&self.store.kept(&self.participant, DocumentKind::Duty, id)?.ok_or_else(missing)?)
    }

    /// A person says that a duty of ours was done, and how; what lies in the node's folder is deleted then and there.
    pub fn attest_duty(&self, id: &str, says: &str) -> Result<Duty, ActError> {
        let refused = |detail: &str| ActError::Asked { code: "node/duty", detail: detail.to_owned() };
        let mut duty = self.duty(id)?;
        if !duty.ours {
            return Err(refused("the other party owes it, and says when it was done"));
        }
        if duty.done.is_some() {
            return Err(refused("it was done already"));
        }
        let says = says.trim();
        if says.is_empty() || says.chars().count() > SAYS_MAX {
            return Err(refused("say in one to two thousand characters what was done"));
        }
        if duty.act == Act::Delete && duty.here {
            self.delete_received(&duty.transfer)?;
        }
        duty.done = Some(Done { at: self.now(), how: How::Attested, says: says.to_owned() });
        self.keep_duty(&duty, Some(EventKind::DutyFulfilled))?;
        self.ring();
        Ok(duty)
    }

    /// Takes what a consumer tells of a duty; only the party of the transfer is heard.
    pub fn hear_duty(&self, from: &Caller, notice: &Notice) -> Result<(), ActError> {
        let missing = || ActError::NotFound { what: "duty", name: notice.duty.clone() };
        let mut duty = self.duty(&id_of(&from.id, &notice.transfer, &notice.duty)).map_err(|_| missing())?;
        if duty.ours || duty.peer != from.id {
            return Err(missing());
        }
        if duty.done.is_some() {
            return Ok(());
        }
        let says = notice.done.says.chars().take(SAYS_MAX).collect();
        // When it was done is the peer's word; when we heard it stands in our log.
        duty.done = Some(Done { says, ..notice.done.clone() });
        duty.told = Some(self.now());
        self.keep_duty(&duty, Some(EventKind::DutyFulfilled))
    }

    /// Whether duties are to be looked at by now.
    pub(crate) fn are_duties_due(&self) -> bool {
        self.duties_at.load(Ordering::SeqCst) <= self.now().0
    }

    /// Tends duties once, on a thread of its own: a provider that does not answer holds up nothing else.
    pub(crate) fn look_after_duties(&self) {
        // What cannot be done stays open and is tried again.
        if self.tend_duties().is_err() {
            self.duties_at.store(0, Ordering::SeqCst);
        }
        // LIMIT: duties are looked at each second.
        for _ in 0..10 {
            if self.is_stopping() || !self.are_duties_due() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Does what is due, tells what was done, writes down what is overdue; whether anything was to be done.
    pub(crate) fn tend_duties(&self) -> Result<bool, ActError> {
        let now = self.now();
        // INVARIANT: put off before the store is asked, so that one that is kept meanwhile is looked at.
        self.duties_at.store(i64::MAX, Ordering::SeqCst);
        let open = self.store.kept_about(&self.participant, DocumentKind::Duty, OPEN, None, LOOKED_AT_MAX)?;
        let open = open.iter().map(read_duty).collect::<Result<Vec<_>, _>>()?;
        let next = match open.len() {
            LOOKED_AT_MAX => 0,
            _ => open.iter().map(Duty::looked_at_next).min().unwrap_or(i64::MAX),
        };
        self.duties_at.fetch_min(next, Ordering::SeqCst);
        let mut any = false;
        for duty in open {
            any |= self.tend(duty, now)?;
        }
        Ok(any)
    }

    fn tend(&self, mut duty: Duty, now: Instant) -> Result<bool, ActError> {
        let due = duty.due.is_some_and(|due| due <= now);
        if duty.ours && duty.done.is_some() && duty.again_at <= now {
            self.tell_duty(&mut duty, now)?;
            return Ok(true);
        }
        if !due || duty.done.is_some() {
            return Ok(false);
        }
        if duty.ours && duty.is_automatic() {
            let says = match duty.act {
                Act::Delete => {
                    if let Err(e) = self.delete_received(&duty.transfer) {
                        self.note_overdue(&mut duty, now)?;
                        return Err(e);
                    }
                    "what was received was deleted from the folder of the node; copies made elsewhere are not known to it"
                }
                _ => "it was delivered and is held under the agreement",
            };
            duty.done = Some(Done { at: now, how: How::Program, says: says.into() });
            self.keep_duty(&duty, Some(EventKind::DutyFulfilled))?;
            return Ok(true);
        }
        self.note_overdue(&mut duty, now)
    }

    fn note_overdue(&self, duty: &mut Duty, now: Instant) -> Result<bool, ActError> {
        let due = !duty.noted && duty.is_overdue(now);
        if due {
            duty.noted = true;
            self.keep_duty(duty, Some(EventKind::DutyOverdue))?;
        }
        Ok(due)
    }

    /// Tells the provider; a connector that knows no such notice is told by a person.
    fn tell_duty(&self, duty: &mut Duty, now: Instant) -> Result<(), ActError> {
        let Some(done) = duty.done.clone() else { return Ok(()) };
        let Some(held) = self.transfer(&duty.transfer)? else { return Ok(()) };
        let notice = Notice { transfer: duty.provider_pid.clone(), duty: duty.at.clone(), done };
        let body = serde_json::to_vec(&notice).map_err(|e| ActError::evidence("node/duty", e))?;
        let request = Request::post(paths::join(&held.process().address, NOTICE), "application/json", body);
        let reply = self.introduced(request, &duty.peer).and_then(|request| self.carrier.send(request));
        duty.tells += 1;
        duty.again_at = Instant(now.0 + back_off(self.config.limits.repeat_ms, duty.tells));
        let failed = match reply {
            Ok(reply) if reply.is_success() => {
                duty.told = Some(now);
                None
            }
            Ok(reply) => {
                Some((format!("status {}", reply.status), matches!(reply.status, 400 | 404 | 405 | 410)))
            }
            Err(e) => Some((e.to_string(), false)),
        };
        if let Some((why, for_good)) = failed
            && (for_good || duty.tells >= TELLS_MAX)
        {
            duty.untold = Some(why);
        }
        self.keep_duty(duty, None)
    }

    /// Deletes what a transfer brought; INVARIANT: it is gone from the disk when this returns.
    fn delete_received(&self, transfer: &str) -> Result<(), ActError> {
        let folder = self.folder(transfer);
        let failed = |e: std::io::Error| {
            ActError::evidence("node/not-deleted", format!("`{}`: {e}", folder.display()))
        };
        match std::fs::remove_dir_all(&folder) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(failed(e)),
        }
        let above = folder.parent().unwrap_or(&self.config.directory);
        std::fs::File::open(above).and_then(|dir| dir.sync_all()).map_err(failed)
    }
}
