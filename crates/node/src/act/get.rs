//! Gets a dataset: catalog, negotiation, transfer, chunk after chunk, receipt. What was begun goes on after a restart.

use crate::act::negotiate::At;
use crate::act::offer::FORMAT_PULL;
use crate::agent::{Node, lock};
use crate::error::ActError;
use crate::ports::{Reply, Request, fresh_name};
use dsp::machine::{Peer, Role};
use dsp::message::Context;
use dsp::message::Message;
use dsp::message::catalog::{Catalog, CatalogRequest};
use dsp::negotiation::{self, Negotiation};
use dsp::paths;
use dsp::transfer::{State, Subject as TransferSubject, Transfer};
use model::Digest;
use model::manifest::Manifest;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::keep::{DocumentKind, Expect, Keep};
use store::{StoreError, Together};

/// What is wanted, kept so that it goes on after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wish {
    dataset: String,
    /// The provider's base address of the protocol.
    provider: String,
    /// Our transfer, once it was asked for.
    transfer: Option<String>,
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
    /// Reads a provider's catalog; `provider` is its base address of the protocol (`https://host/dsp`).
    pub fn catalog_of(&self, provider: &str) -> Result<Catalog, ActError> {
        let message = Message::CatalogRequestMessage(CatalogRequest {
            context: Context::default(),
            filter: Vec::new(),
        });
        let url = paths::join(provider, paths::CATALOG_REQUEST);
        let request =
            Request::post(url, "application/json", message.to_bytes()).up_to(dsp::json::CATALOG_BYTES_MAX);
        let reply = self.carrier.send(request)?;
        if !reply.is_success() {
            return Err(refused_reply(provider, &reply));
        }
        Catalog::read(&reply.body).map_err(|e| ActError::nonsense(provider, e))
    }

    /// Begins to get a dataset; returns our id of the negotiation. The rest happens by itself.
    pub fn ask_for(&self, provider: &str, dataset: &str) -> Result<String, ActError> {
        let catalog = self.catalog_of(provider)?;
        let missing = || ActError::NotFound { what: "dataset in the catalog", name: dataset.to_owned() };
        let offered = catalog.dataset.iter().find(|d| d.id == dataset).ok_or_else(missing)?;
        let terms = offered.has_policy.first().ok_or_else(missing)?.with_target(dataset);
        let who = catalog
            .participant_id
            .clone()
            .ok_or_else(|| ActError::nonsense(provider, "a catalog without participant"))?;
        let pid = fresh_name()?;
        let (held, effects) =
            Negotiation::request(Peer(who), &pid, provider, &self.protocol_address(), terms);
        let wish = Wish { dataset: dataset.to_owned(), provider: provider.to_owned(), transfer: None };
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
            return Err(refused(held.ended()));
        }
        Ok(self.wish_of(negotiation)?.and_then(|(wish, _)| wish.transfer))
    }

    /// What a transfer came to, once it is complete.
    pub fn got(&self, transfer: &str) -> Result<Option<Got>, ActError> {
        let Some(held) = self.transfer(transfer)? else { return Ok(None) };
        if held.state() == State::Terminated {
            return Err(refused(held.grounds()));
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
            about: Some(wish.dataset.clone()),
            at: self.now(),
            body: serde_json::to_vec(wish).map_err(|e| ActError::evidence("node/wish", e))?,
            expect,
        })
    }

    fn wish_of(&self, negotiation: &str) -> Result<Option<(Wish, u64)>, ActError> {
        let kept = self.store.kept(&self.participant, DocumentKind::Flow, &format!("wish:{negotiation}"))?;
        Ok(kept.and_then(|k| Some((serde_json::from_slice(&k.body).ok()?, k.version))))
    }

    /// Asks for the transfer of a negotiation that was agreed; tells whether it did.
    pub(crate) fn follow_up(&self, held: &Negotiation) -> Result<bool, ActError> {
        let process = held.process();
        if process.role != Role::Consumer || held.state() != negotiation::State::Finalized {
            return Ok(false);
        }
        let Some((mut wish, version)) = self.wish_of(&process.own_pid)?.filter(|(w, _)| w.transfer.is_none())
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

    /// Sends and moves what is due, until the node stops; pulls have threads of their own.
    pub(crate) fn act_loop(self: &Arc<Self>) {
        while !self.is_stopping() {
            let rings = self.rings();
            // What fails stays where it is and is tried again.
            let moved = [self.send_outbox(), self.advance_negotiations(), self.advance_transfers()];
            let moved = moved.into_iter().any(|round| round.unwrap_or(false));
            self.start_pulls();
            if !moved {
                self.wait(rings, Duration::from_millis(100));
            }
        }
    }

    fn start_pulls(self: &Arc<Self>) {
        let Ok(all) = self.all::<Transfer>() else { return };
        for At { held, .. } in all {
            let process = held.process();
            let pid = process.own_pid.clone();
            let wanted = process.role == Role::Consumer && held.state() == State::Started;
            if !wanted || held.address().is_none() || !lock(&self.pulls).insert(pid.clone()) {
                continue;
            }
            let node = Arc::clone(self);
            let name = pid.clone();
            let spawned = std::thread::Builder::new().name("pull".into()).spawn(move || {
                node.pull_until_done(&pid);
                lock(&node.pulls).remove(&pid);
                node.ring();
            });
            if spawned.is_err() {
                lock(&self.pulls).remove(&name);
            }
        }
    }
}

/// What a peer's refusal says, when it says it in a form that we know: a problem document or an error of the protocol.
fn refused_reply(provider: &str, reply: &Reply) -> ActError {
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let text = |key: &str| body.get(key).and_then(serde_json::Value::as_str).filter(|t| !t.is_empty());
    let line = |t: &str| t.chars().take(200).collect::<String>();
    match (text("code"), text("detail").or_else(|| text("title"))) {
        (Some(code), says) => ActError::Refused { code: line(code), reasons: says.map(line).into_iter().collect() },
        (None, _) => ActError::nonsense(provider, format!("status {} to a catalog request", reply.status)),
    }
}

fn refused(grounds: &dsp::message::Grounds) -> ActError {
    ActError::Refused {
        code: grounds.code.clone().unwrap_or_else(|| "peer/refused".into()),
        reasons: grounds.reason.iter().filter_map(|r| r.as_str().map(str::to_owned)).collect(),
    }
}
