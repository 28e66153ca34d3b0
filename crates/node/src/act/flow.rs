//! Transfers of which we are the provider: begun, kept up, taken up again, closed; and the flow that each opens.

use crate::act::contract::Contract;
use crate::act::process::At;
use crate::act::offer::{Handling, Offer};
use crate::act::turn::{Bytes, Cause, Gate, JUDGMENT_OVER, LAW_TURNED, LEASE_OVER, NOT_STARTED, Running, law_of};
use crate::agent::{Node, lock};
use crate::error::ActError;
use crate::ports::random;
use crate::quota;
use dataplane::encode::Encoding;
use dataplane::flow::{Content, Flow, Stopped};
use dsp::machine::{Peer, Phase, Role};
use dsp::message::Grounds;
use dsp::message::transfer::DataAddress;
use dsp::reason;
use dsp::transfer::{Command, State, Transfer};
use model::event::EventKind;
use model::{Digest, Instant};
use pass::{Ground, Pass, Scope};
use pets::plan::Plan;
use pets::pseudonym::{Domain, DomainKey};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use store::keep::{DocumentKind, Expect, Keep};
use store::lease::{LeaseAsk, Standing};
use store::{StoreError, Together};

/// What the store keeps of a flow beside its lease: never the pass.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FlowRecord {
    pub(crate) dataset: String,
    pub(crate) peer: String,
    pub(crate) agreement: String,
    /// Hash of the bearer token.
    pub(crate) token: Digest,
}

pub(crate) enum Opened {
    Flows(DataAddress),
    Shut(Grounds),
}

/// Bytes that are to be cleared: a flow of ours, under an agreement with a peer.
pub(crate) struct Clearing<'a> {
    pub(crate) pid: &'a str,
    pub(crate) agreement: &'a str,
    pub(crate) peer: &'a Peer,
    /// The digest of the token that fetches them.
    pub(crate) token: Digest,
}

impl Node {
    /// Moves a transfer process of which we are the provider, if a move is ours; notes one that we may have to pull.
    pub(crate) fn move_transfer(&self, pid: &str) -> Result<(), ActError> {
        let Some(at) = self.load::<Transfer>(pid)? else {
            lock(&self.transfers_open).forget(pid);
            return Ok(());
        };
        let process = at.held.process();
        if process.state().is_final() && process.is_settled() {
            // Data that another data plane carried, or a person: when it came is not seen here.
            let came = process.state() == State::Completed
                || self.store.progress(&self.participant, pid)?.n_chunks > 0;
            if came {
                self.schedule_duties(&at.held, at.at, false)?;
            }
            lock(&self.transfers_open).forget(pid);
        }
        if process.role != Role::Provider {
            if process.state() == State::Started {
                lock(&self.wanted).insert(pid.to_owned());
                self.ring();
            }
            return Ok(());
        }
        match process.state() {
            State::Completed | State::Terminated => self.close(&process.own_pid.clone()),
            _ if !process.is_settled() => Ok(false),
            // What a person began with a data plane of others goes on by itself.
            State::Requested
                if self.handling_of(&at.held)? == Handling::Manual && !self.is_elsewhere(pid)? =>
            {
                Ok(false)
            }
            State::Requested => match self.refused_by_peer(pid) {
                Some(grounds) => self.command(&at, Command::Terminate(grounds), Together::default()),
                None => self.begin(&at),
            },
            State::Started => self.keep_up(&at),
            State::Suspended => self.resume(&at),
        }
        .map(drop)
    }

    /// Who makes our moves in a transfer that we provide.
    pub(crate) fn handling_of(&self, transfer: &Transfer) -> Result<Handling, ActError> {
        Ok(self.offer_under(transfer)?.map(|offer| offer.handling.transfer).unwrap_or_default())
    }

    /// The data plane of others that gives the bytes of a transfer that we provide.
    pub(crate) fn plane_of(&self, transfer: &Transfer) -> Result<Option<String>, ActError> {
        Ok(self.offer_under(transfer)?.and_then(|offer| offer.plane))
    }

    /// The offer that a transfer of ours rests on.
    fn offer_under(&self, transfer: &Transfer) -> Result<Option<Offer>, ActError> {
        let agreed = self.agreed_with(&transfer.subject().agreement_id, &transfer.process().peer)?;
        let dataset = agreed.as_ref().and_then(|n| n.agreement()).and_then(|a| a.target());
        Ok(dataset.map(|dataset| self.offer_of(dataset)).transpose()?.flatten())
    }

    /// Answers a transfer request: decides afresh, and starts with a pass or ends with the reason.
    fn begin(&self, at: &At<Transfer>) -> Result<bool, ActError> {
        if let Some(plane) = self.plane_of(&at.held)? {
            return self.begin_elsewhere(at, &plane);
        }
        match self.open_flow(&at.held, true)? {
            Opened::Flows(address) => self.command(at, Command::Start(Some(address)), Together::default()),
            Opened::Shut(grounds) => self.command(at, Command::Terminate(grounds), Together::default()),
        }
    }

    /// Looks after a started flow: suspends one that stopped, takes up one that a restart left.
    fn keep_up(&self, at: &At<Transfer>) -> Result<bool, ActError> {
        let pid = &at.held.process().own_pid;
        let running = lock(&self.flows).get(pid).cloned();
        match running {
            Some(running) => {
                let gate = lock(&running.gate).clone();
                match gate.stopped() {
                    // The process was stopped by its states alone and is started again, by the consumer: some of them
                    // count on it only when the address comes again.
                    Some(stopped) if stopped.code == NOT_STARTED => match self.open_flow(&at.held, false)? {
                        Opened::Flows(address) => {
                            self.command(at, Command::Renew(address), Together::default())?;
                            Ok(true)
                        }
                        Opened::Shut(grounds) => {
                            self.command(at, Command::Suspend(grounds), Together::default())
                        }
                    },
                    Some(stopped) if stopped.code == LEASE_OVER => Ok(false),
                    Some(stopped) => self.command(
                        at,
                        Command::Suspend(self.stop_grounds(pid, &running, &stopped)?),
                        Together::default(),
                    ),
                    None => Ok(false),
                }
            }
            None if self.is_ended(pid)? => Ok(false),
            None => match self.open_flow(&at.held, false)? {
                Opened::Flows(_) => Ok(true),
                Opened::Shut(grounds) => self.command(at, Command::Suspend(grounds), Together::default()),
            },
        }
    }

    /// Decides a flow afresh that we suspended, once something has changed.
    fn resume(&self, at: &At<Transfer>) -> Result<bool, ActError> {
        let pid = &at.held.process().own_pid;
        let lease = self.store.lease(&self.participant, pid)?.filter(|l| l.standing == Standing::Turned);
        let Some(lease) = lease else { return Ok(false) };
        let cause = lease.cause.and_then(|body| serde_json::from_slice::<Cause>(&body).ok());
        let new_month = cause.is_some_and(|c| c.code == quota::BYTES && quota::month_has_turned(c.at, self.now()));
        let epoch = self.epoch.load(Ordering::SeqCst);
        let tried = lock(&self.flows).get(pid).map(|r| r.judged_epoch.swap(epoch, Ordering::SeqCst));
        if tried == Some(epoch) && !new_month {
            return Ok(false);
        }
        match self.open_flow(&at.held, false)? {
            Opened::Flows(address) => self.command(at, Command::Start(Some(address)), Together::default()),
            Opened::Shut(_) => Ok(false),
        }
    }

    fn is_ended(&self, pid: &str) -> Result<bool, ActError> {
        Ok(self.store.lease(&self.participant, pid)?.is_some_and(|l| l.standing == Standing::Ended))
    }

    pub(crate) fn close(&self, pid: &str) -> Result<bool, ActError> {
        let Some(running) = lock(&self.flows).remove(pid) else { return Ok(false) };
        self.take_counts_back(&running.dataset, &running.peer, pid)?;
        match self.store.end_lease(&self.participant, pid, self.now(), Together::default()) {
            Ok(_) | Err(StoreError::Stale { .. } | StoreError::NotFound { .. }) => Ok(true),
            Err(e) => Err(e.into()),
        }
    }

    /// Issues a pass and opens the flow, or says why the law or the contract does not open.
    pub(crate) fn open_flow(&self, transfer: &Transfer, fresh: bool) -> Result<Opened, ActError> {
        let process = transfer.process();
        let (address, token) = self.data_address(transfer, fresh)?;
        let asked = Clearing {
            pid: &process.own_pid,
            agreement: &transfer.subject().agreement_id,
            peer: &process.peer,
            token: Digest::of(token.as_bytes()),
        };
        Ok(match self.clear(&asked)? {
            Some(grounds) => Opened::Shut(grounds),
            None => Opened::Flows(address),
        })
    }

    /// Issues a pass for bytes under an agreement and opens the flow; none: it is open, else why it is not.
    pub(crate) fn clear(&self, asked: &Clearing<'_>) -> Result<Option<Grounds>, ActError> {
        let (pid, agreement) = (asked.pid.to_owned(), asked.agreement.to_owned());
        let peer = asked.peer.0.clone();
        let Some(negotiation) = self.agreed_with(&agreement, asked.peer)? else {
            return Ok(Some(Grounds::of(
                "tegata/no-agreement",
                ["no such agreement in force".to_owned()],
            )));
        };
        let dataset = negotiation.agreement().and_then(|a| a.target()).unwrap_or_default().to_owned();
        let Some(offer) = self.offer_of(&dataset)? else {
            return Ok(Some(Grounds::of(
                "tegata/no-offer",
                ["this dataset is no longer offered".to_owned()],
            )));
        };
        if let Some(stopped) = self.revocation_stops(&peer) {
            return Ok(Some(Grounds::of(&stopped.code, [stopped.says])));
        }
        let contract = match Contract::of(&negotiation) {
            Ok(contract) => contract,
            Err(line) => return Ok(Some(Grounds::of(reason::BY_POLICY, [line]))),
        };
        let starts = lock(&self.flows).get(&pid).is_none();
        if let Err(stopped) = self.contract_stands(&contract, &peer, starts)? {
            return Ok(Some(Grounds::of(reason::BY_POLICY, [stopped.says])));
        }
        if let Err(stopped) = self.bytes_left()? {
            return Ok(Some(Grounds::of(&stopped.code, [stopped.says])));
        }
        let judged_epoch = self.epoch.load(Ordering::SeqCst);
        let judged = law_of(self, &offer, &peer, Some(&pid))?;
        // The bytes of a data plane of others are not seen here: what goes is what was offered, as it is.
        let content = match &offer.plane {
            Some(_) => None,
            None => Some(self.content(&offer, &peer)?),
        };
        let scope = Scope {
            exporter: self.id().into(),
            recipient: peer.clone(),
            dataset: dataset.clone(),
            form: content.as_ref().map_or(pass::Form::Raw, Content::form),
        };
        let now = self.now();
        let names = &self.config.law.accept_drafted;
        let pass = match Pass::issue(&judged.decision, Ground::Agreement(&negotiation), &scope, names, now) {
            Ok(pass) => pass,
            Err(pass::Refused::DoesNotOpen | pass::Refused::ReadOnce(_)) => {
                let decided = self.decided(&pid, &judged.decision)?;
                self.store.append_events(&self.participant, vec![decided])?;
                return Ok(Some(self.grounds(&judged.decision)));
            }
            Err(refused) => return Ok(Some(Grounds::of(refused.code(), [refused.to_string()]))),
        };
        let mut event = self.event(EventKind::PassIssued, &pid);
        event.legal_day = Some(judged.decision.as_of.on);
        event.binds.insert("decision".into(), pass.decision());
        event.binds.insert("rulebook".into(), pass.rulebook());
        event.binds.extend(negotiation.agreement().map(|a| ("agreement".to_owned(), a.digest())));
        event.rules = footing_lines(&pass);
        let record = FlowRecord {
            dataset: dataset.clone(),
            peer: peer.clone(),
            agreement,
            token: asked.token,
        };
        let together = Together {
            leaves: vec![self.decided(&pid, &judged.decision)?, self.leaf(&event)?],
            keeps: vec![Keep {
                kind: DocumentKind::Flow,
                id: pid.clone(),
                about: Some(dataset.clone()),
                at: now,
                body: serde_json::to_vec(&record).map_err(|e| ActError::evidence("node/flow", e))?,
                expect: Expect::Any,
            }],
            reservations: self.reservations(&offer, &peer, &pid, self.store.progress(&self.participant, &pid)?.n_rows),
            ..Together::default()
        };
        let until = Instant(now.0 + self.config.limits.lease_ms);
        let ask = LeaseAsk {
            flow: pid.clone(),
            decision: pass.decision(),
            holder: self.holder.clone(),
            at: now,
            until,
        };
        let (epoch, _) = self.store.issue_lease(&self.participant, ask, together)?;
        let gate = Arc::new(Gate::until(until));
        let decision = pass.decision();
        let lease = self.lease_of(&gate);
        let running = lock(&self.flows).get(&pid).cloned();
        match running {
            Some(running) => {
                match &running.bytes {
                    Bytes::Ours(flow) => lock(flow).renew(pass, lease)?,
                    Bytes::Theirs(held) => *lock(held) = pass,
                }
                *lock(&running.gate) = gate;
                *lock(&running.decision) = decision;
                running.lease_epoch.store(epoch, Ordering::SeqCst);
                running.judged_epoch.store(judged_epoch, Ordering::SeqCst);
            }
            None => {
                let bytes = match content {
                    None => Bytes::Theirs(Mutex::new(pass)),
                    Some(content) => match Flow::open(pass, content, lease, self.config.chunk_bytes) {
                        Ok(flow) => Bytes::Ours(Box::new(Mutex::new(flow))),
                        Err(e) => return Ok(Some(Grounds::of(e.code(), [e.to_string()]))),
                    },
                };
                let running = Running {
                    bytes,
                    gate: Mutex::new(gate),
                    dataset,
                    peer,
                    contract,
                    lease_epoch: AtomicU64::new(epoch),
                    judged_epoch: AtomicU64::new(judged_epoch),
                    decision: Mutex::new(decision),
                };
                lock(&self.flows).insert(pid, Arc::new(running));
                self.ring();
            }
        }
        Ok(None)
    }

    fn content(&self, offer: &Offer, peer: &str) -> Result<Content, ActError> {
        let path = offer.source.clone();
        Ok(match (&offer.plan, &offer.release) {
            (_, Some(release)) => Content::Staged { path, report: release.report, content: release.content },
            (Some(plan), None) => {
                let plan = Plan::parse(plan).map_err(|e| ActError::Facts(vec![e.to_string()]))?;
                let secret = crate::keys::seed(&self.config.directory.join("pseudonym.seed"))?;
                let domain =
                    Domain { recipient: peer.into(), purpose: offer.dataset.clone(), period: "1".into() };
                let key =
                    DomainKey::derive(&secret, &domain).map_err(|e| ActError::Facts(vec![e.to_string()]))?;
                Content::InFlight { path, plan, key: Some(key), encoding: Encoding::Csv }
            }
            (None, None) => Content::File(path),
        })
    }

    /// The address to pull from: the one that was given before, or a new one with a fresh token.
    fn data_address(&self, transfer: &Transfer, fresh: bool) -> Result<(DataAddress, String), ActError> {
        if let Some(address) = self.address_elsewhere(&transfer.process().own_pid)? {
            let token = address.property("authorization").unwrap_or_default().to_owned();
            return Ok((address, token));
        }
        if let Some(address) = transfer.address().filter(|_| !fresh) {
            let token = address.property("authorization").unwrap_or_default().to_owned();
            return Ok((address.clone(), token));
        }
        let token = Digest(random()?).to_string();
        let endpoint = format!("{}/data/{}", self.address, dsp::paths::segment(&transfer.process().own_pid));
        let address =
            DataAddress::new("https://w3id.org/idsa/v4.1/HTTP", endpoint).with_bearer(token.clone());
        Ok((address, token))
    }

    /// What the peer is told: rules and articles; what we know of ourselves stays here.
    fn stop_grounds(&self, pid: &str, running: &Running, stopped: &Stopped) -> Result<Grounds, ActError> {
        if [LAW_TURNED, JUDGMENT_OVER].contains(&stopped.code.as_str())
            && let Some(offer) = self.offer_of(&running.dataset)?
        {
            let judged = law_of(self, &offer, &running.peer, Some(pid))?;
            if !self.opens(&judged.decision) {
                return Ok(self.grounds(&judged.decision));
            }
        }
        Ok(Grounds::of(&stopped.code, [stopped.says.clone()]))
    }
}

/// What the evidence says of what a pass rests on: rules that were read once and that the operator accepted by name, and
/// the entries of lists that carry its rules.
pub(crate) fn footing_lines(pass: &Pass) -> Vec<String> {
    let accepted = pass.accepted().iter().map(|rule| format!("read once, accepted by the operator: {rule}"));
    accepted.chain(pass.entries().iter().map(|rule| format!("rests on: {rule}"))).collect()
}
