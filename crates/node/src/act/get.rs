//! Gets a dataset: catalog, negotiation, transfer, chunk after chunk, receipt. What was begun goes on after a restart.

use crate::act::operate::offerable;
use crate::act::process::At;
use crate::act::offer::{FORMAT_PULL, Handling, Handlings};
use crate::agent::{Node, lock};
use crate::crew::Work;
use crate::error::ActError;
use crate::ports::fresh_name;
use dsp::machine::{Peer, Role};
use dsp::message::terms::Terms;
use dsp::negotiation::{self, Negotiation};
use dsp::transfer::{State, Subject as TransferSubject, Transfer};
use model::Digest;
use model::manifest::Manifest;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::keep::{DocumentKind, Expect, Keep};
use store::process::{ProcessId, ProcessKind};
use store::{StoreError, Together};

/// What a wish is about while its transfer was not asked for.
const WISH_OPEN: &str = "wish/open";

/// What is wanted, kept so that it goes on after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wish {
    dataset: String,
    /// The provider's base address of the protocol.
    provider: String,
    /// Our transfer, once it was asked for.
    transfer: Option<String>,
    /// Who makes our moves.
    #[serde(default)]
    handling: Handling,
    /// Who asks for the transfer, where another than makes the moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transfer_by: Option<Handling>,
    /// What we asked for, by which an offer in answer is judged.
    #[serde(default)]
    asked: Option<Terms>,
}

impl Wish {
    /// Who asks for the transfer once the agreement stands.
    fn follows(&self) -> Handling {
        self.transfer_by.unwrap_or(self.handling)
    }
}

/// What a get came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    /// Our id of the transfer.
    pub transfer: String,
    /// The file.
    pub path: PathBuf,
    /// The digest of its manifest.
    pub manifest: Digest,
    /// Its bytes.
    pub bytes: u64,
}

impl Node {
    /// Begins to get a dataset; returns our id of the negotiation. The rest happens by itself.
    pub fn ask_for(&self, provider: &str, dataset: &str) -> Result<String, ActError> {
        let (peer, terms) = self.offered_by(provider, dataset)?;
        // What nobody here could decide is not asked for: we would be bound to words that we do not understand.
        let terms = offerable(terms)?;
        self.ask_with(provider, peer, dataset, terms, Handlings::default())
    }

    /// Asks a provider for a dataset on these terms; returns our id of the negotiation.
    pub(crate) fn ask_with(
        &self,
        provider: &str,
        peer: Peer,
        dataset: &str,
        terms: Terms,
        handling: Handlings,
    ) -> Result<String, ActError> {
        let pid = fresh_name()?;
        let asked = Some(terms.clone());
        let (held, effects) = Negotiation::request(peer, &pid, provider, &self.protocol_address(), terms);
        let wish = Wish {
            dataset: dataset.to_owned(),
            provider: provider.to_owned(),
            transfer: None,
            handling: handling.negotiation,
            transfer_by: Some(handling.transfer).filter(|by| *by != handling.negotiation),
            asked,
        };
        let together = Together { keeps: vec![self.wish(&pid, &wish, Expect::New)?], ..Together::default() };
        self.commit(None, &held, effects, None, together)?;
        Ok(pid)
    }

    /// Gets a dataset and waits for it; a refusal by the peer comes back with its rules.
    pub fn get(&self, provider: &str, dataset: &str, at_most: Duration) -> Result<Got, ActError> {
        let negotiation = self.ask_for(provider, dataset)?;
        let transfer = self.until("the transfer", at_most, || self.begun(&negotiation))?;
        self.until("the data", at_most, || self.got(&transfer))
    }

    /// Our transfer of a negotiation, once it was begun.
    pub fn begun(&self, negotiation: &str) -> Result<Option<String>, ActError> {
        let Some(held) = self.negotiation(negotiation)? else { return Ok(None) };
        if held.state() == negotiation::State::Terminated {
            return Err(ActError::refused(held.ended()));
        }
        Ok(self.wish_of(negotiation)?.and_then(|(wish, _)| wish.transfer))
    }

    /// What a transfer came to, once it is complete.
    pub fn got(&self, transfer: &str) -> Result<Option<Got>, ActError> {
        let Some(held) = self.transfer(transfer)? else { return Ok(None) };
        if held.state() == State::Terminated {
            return Err(ActError::refused(held.grounds()));
        }
        if held.state() != State::Completed {
            return Ok(None);
        }
        let Some(stored) = self.manifest_of(held.process().provider_pid())? else { return Ok(None) };
        let manifest: Manifest =
            serde_json::from_slice(&stored.body).map_err(|e| ActError::evidence("node/manifest", e))?;
        let path = self.folder(transfer).join(self.file_name(&held)?);
        Ok(Some(Got {
            transfer: transfer.to_owned(),
            path,
            manifest: stored.digest,
            bytes: manifest.bytes(),
        }))
    }

    fn wish(&self, negotiation: &str, wish: &Wish, expect: Expect) -> Result<Keep, ActError> {
        Ok(Keep {
            kind: DocumentKind::Flow,
            id: format!("wish:{negotiation}"),
            // What is still to be asked for is found by this after a restart.
            about: Some(match (&wish.transfer, wish.follows()) {
                (None, Handling::Automatic) => WISH_OPEN.to_owned(),
                _ => wish.dataset.clone(),
            }),
            at: self.now(),
            body: serde_json::to_vec(wish).map_err(|e| ActError::evidence("node/wish", e))?,
            expect,
        })
    }

    /// The negotiations after which a transfer is still to be asked for.
    pub(crate) fn open_wishes(&self) -> Result<Vec<String>, ActError> {
        let mut out: Vec<String> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let kept =
                self.store.kept_about(&self.participant, DocumentKind::Flow, WISH_OPEN, after.as_deref(), 1000)?;
            out.extend(kept.iter().filter_map(|k| k.id.strip_prefix("wish:").map(str::to_owned)));
            match kept.last() {
                Some(last) if kept.len() == 1000 => after = Some(last.id.clone()),
                _ => return Ok(out),
            }
        }
    }

    fn wish_of(&self, negotiation: &str) -> Result<Option<(Wish, u64)>, ActError> {
        let kept = self.store.kept(&self.participant, DocumentKind::Flow, &format!("wish:{negotiation}"))?;
        Ok(kept.and_then(|k| Some((serde_json::from_slice(&k.body).ok()?, k.version))))
    }

    /// What we asked for in a negotiation in which we are the consumer.
    pub(crate) fn asked_terms(&self, negotiation: &str) -> Result<Option<Terms>, ActError> {
        Ok(self.wish_of(negotiation)?.and_then(|(wish, _)| wish.asked))
    }

    /// Who makes our moves in a negotiation in which we are the consumer; nobody asked for what has no wish.
    pub(crate) fn wish_handling(&self, negotiation: &str) -> Result<Handling, ActError> {
        Ok(self.wish_of(negotiation)?.map_or(Handling::Manual, |(wish, _)| wish.handling))
    }

    /// Asks for the transfer of a negotiation that was agreed; tells whether it did.
    pub(crate) fn follow_up(&self, held: &Negotiation) -> Result<bool, ActError> {
        let process = held.process();
        if process.role != Role::Consumer || held.state() != negotiation::State::Finalized {
            return Ok(false);
        }
        let wish = self.wish_of(&process.own_pid)?;
        let Some((mut wish, version)) =
            wish.filter(|(w, _)| w.transfer.is_none() && w.follows() == Handling::Automatic)
        else {
            return Ok(false);
        };
        let Some(agreement) = held.agreement().map(|a| a.id().to_owned()) else { return Ok(false) };
        let pid = fresh_name()?;
        let subject = TransferSubject { agreement_id: agreement, format: FORMAT_PULL.into(), push_to: None };
        let (transfer, effects) =
            Transfer::request(process.peer.clone(), &pid, &wish.provider, &self.protocol_address(), subject);
        wish.transfer = Some(pid);
        let keep = self.wish(&process.own_pid, &wish, Expect::Version(version))?;
        let together = Together { keeps: vec![keep], ..Together::default() };
        match self.commit(None, &transfer, effects, None, together) {
            Ok(_) => Ok(true),
            Err(ActError::Store(StoreError::Stale { .. })) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Finds what is due and gives it to hands, until the node stops; pulls have threads of their own.
    pub(crate) fn act_loop(self: &Arc<Self>) {
        /// How often the store is asked for messages that wait; those of a commit are known without asking.
        const LOOK_EVERY: Duration = Duration::from_millis(100);
        /// The same while no process is open; whatever opens one rings.
        const LOOK_IDLE: Duration = Duration::from_secs(1);
        /// After how long without a verb the store rests.
        const REST_AFTER: Duration = Duration::from_secs(3);
        let (mut looked, mut settle_at) = (None::<std::time::Instant>, None::<std::time::Instant>);
        let mut empty_at = None;
        while !self.is_stopping() {
            let (rings, n_commits) = (self.rings(), self.store.n_commits());
            let idle = lock(&self.negotiations_open).n_open() + lock(&self.transfers_open).n_open() == 0;
            let look = if idle { LOOK_IDLE } else { LOOK_EVERY };
            if empty_at != Some(n_commits) && looked.is_none_or(|at| at.elapsed() >= look) {
                // What fails stays where it is and is tried again.
                let _ = self.find_outbox();
                looked = Some(std::time::Instant::now());
                // Nothing waits before something is committed.
                let nothing = idle && self.store.outbox_depth(&self.participant).is_ok_and(|(waiting, _)| waiting == 0);
                empty_at = nothing.then_some(n_commits);
            }
            if idle {
                self.store.rest(REST_AFTER);
            }
            if settle_at.is_none_or(|at| at <= std::time::Instant::now()) {
                settle_at = self.find_answered().map(|left| std::time::Instant::now() + left);
            }
            for pid in lock(&self.negotiations_open).due() {
                self.crew.add(Work::Move(ProcessId::new(ProcessKind::Negotiation, pid)));
            }
            for pid in lock(&self.transfers_open).due() {
                self.crew.add(Work::Move(ProcessId::new(ProcessKind::Transfer, pid)));
            }
            self.begin_rounds();
            self.start_hands();
            self.start_deliveries();
            self.start_pulls();
            let settle_in = settle_at.map(|at| at.saturating_duration_since(std::time::Instant::now()));
            self.wait(rings, settle_in.unwrap_or(look).min(look));
        }
        self.crew.wake();
    }

    fn start_hands(self: &Arc<Self>) {
        while self.crew.wants_hand() {
            let node = Arc::clone(self);
            let hand = move || node.crew.work(|| node.is_stopping(), |work| node.work(work));
            if std::thread::Builder::new().name("hand".into()).spawn(hand).is_err() {
                // The hands that are there go on.
                self.crew.leave();
                return;
            }
        }
    }

    fn work(&self, work: &Work) {
        let done = match work {
            Work::Send(process, _) => self.send_first(process),
            Work::Settle(process) => self.settle_answered(process),
            Work::Move(process) => self.make_move(process),
        };
        // What fails stays where it is and is looked at again; a move that another overtook, at once.
        if let Work::Move(process) = work {
            let overtaken = matches!(done, Err(ActError::Store(StoreError::Stale { .. })));
            let failed = done.as_ref().err().filter(|_| !overtaken);
            lock(&self.memory).stuck(&process.pid, failed, self.now());
        }
        if let (Err(failed), Work::Move(process)) = (done, work) {
            let live = match process.kind {
                ProcessKind::Transfer => &self.transfers_open,
                ProcessKind::Negotiation | ProcessKind::Flow => &self.negotiations_open,
            };
            lock(live).touch(&process.pid);
            if matches!(failed, ActError::Store(StoreError::Stale { .. })) {
                self.ring();
            }
        }
    }

    fn make_move(&self, process: &ProcessId) -> Result<(), ActError> {
        match process.kind {
            ProcessKind::Negotiation => self.move_negotiation(&process.pid),
            ProcessKind::Transfer => self.move_transfer(&process.pid),
            ProcessKind::Flow => Ok(()),
        }
    }

    fn start_pulls(self: &Arc<Self>) {
        let wanted = std::mem::take(&mut *lock(&self.wanted));
        for pid in wanted {
            let Ok(Some(At { held, .. })) = self.load::<Transfer>(&pid) else { continue };
            let pulls = held.process().role == Role::Consumer && held.state() == State::Started;
            let handling = self.pull_handling(&pid).unwrap_or(Handling::Manual);
            if !pulls || held.address().is_none() || handling == Handling::Manual {
                continue;
            }
            if !lock(&self.pulls).insert(pid.clone()) {
                continue;
            }
            let node = Arc::clone(self);
            let name = pid.clone();
            let spawned = std::thread::Builder::new().name("pull".into()).spawn(move || {
                node.pull_until_done(&pid);
                lock(&node.pulls).remove(&pid);
                // It may have been started again while this thread was ending.
                lock(&node.wanted).insert(pid);
                node.ring();
            });
            if spawned.is_err() {
                lock(&self.pulls).remove(&name);
                lock(&self.wanted).insert(name);
            }
        }
    }
}
