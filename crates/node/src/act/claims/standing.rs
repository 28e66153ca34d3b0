//! How claims stand, for the people who run a node: who we are, what we hold, ask for and issue, and whom we believe.

use super::Denied;
use crate::act::issue::{Issuable, Issued};
use crate::act::wallet::AskedFor;
use crate::agent::{Node, lock};
use crate::config::{Proof, Words};
use crate::error::ActError;
use crate::keyring::Noted;
use identity::dcp::credential::Credential;
use model::Instant;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A credential in a line: of ours, or of a peer that showed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Paper {
    /// The name under which it is kept here; empty for one of a peer, which is not kept.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its types.
    pub kinds: Vec<String>,
    /// Who issued it.
    pub issuer: String,
    /// Until when it holds.
    pub valid_until: Option<Instant>,
    /// The status lists that were read when it was accepted: it was not set there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
}

impl Paper {
    pub(super) fn of(credential: &Credential) -> Self {
        Self {
            id: String::new(),
            kinds: credential.own_kinds().map(str::to_owned).collect(),
            issuer: credential.issuer.clone(),
            valid_until: credential.valid_until,
            lists: credential.status.iter().map(|entry| entry.list.clone()).collect(),
        }
    }
}

/// What was accepted of a peer, and until when it is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Believed {
    /// The peer.
    pub did: String,
    /// Until when its credentials are not asked for again.
    pub until: Instant,
    /// What it showed.
    pub papers: Vec<Paper>,
    /// What that says in the words of policies.
    pub words: Words,
}

/// Why a peer that proved its name was not believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disbelieved {
    /// The peer.
    pub did: String,
    /// When.
    pub at: Instant,
    /// The stable code.
    pub code: String,
    /// In one line.
    pub says: String,
}

impl Disbelieved {
    pub(super) fn of(did: &str, at: Instant, why: &Denied) -> Self {
        Self { did: did.to_owned(), at, code: why.code.clone(), says: why.says.clone() }
    }
}

/// A request for credentials to us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asker {
    /// Our name of it.
    pub id: String,
    /// Who asks.
    pub holder: String,
    /// Ids of what is asked for.
    pub credentials: Vec<String>,
    /// `RECEIVED`, `ISSUED` or `REJECTED`.
    pub state: String,
    /// Whether it waits for a person.
    pub waits: bool,
    /// Why the last delivery failed.
    pub trouble: Option<String>,
}

/// A status list that we publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Published {
    /// Where it lies.
    pub url: String,
    /// How many credentials have a number in it.
    pub taken: usize,
    /// How many of them are revoked.
    pub revoked: usize,
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// Whether the protocol is spoken.
    pub on: bool,
    /// By what a peer proves who it is.
    pub peers: Proof,
    /// Our DID.
    pub did: String,
    /// The path at which its document lies.
    pub document: Option<String>,
    /// Our credential service.
    pub credential_service: String,
    /// Our issuer service.
    pub issuer_service: String,
    /// The keys of our DID; the last one signs.
    pub keys: Vec<Noted>,
    /// The credentials that we hold.
    pub held: Vec<Paper>,
    /// What we asked issuers for.
    pub asked: Vec<AskedFor>,
    /// What issuers offer us, as it came.
    pub offered: Vec<Value>,
    /// What we issue.
    pub issuable: Vec<Issuable>,
    /// Who asks us.
    pub askers: Vec<Asker>,
    /// What we issued.
    pub issued: Vec<Issued>,
    /// The status lists that we publish.
    pub lists: Vec<Published>,
    /// What a peer must show.
    pub require: Vec<String>,
    /// Whose word counts, and for which types.
    pub trust: BTreeMap<String, Vec<String>>,
    /// Peers whose credentials were accepted since this program started.
    pub believed: Vec<Believed>,
    /// Peers that were refused since then, and why.
    pub refused: Vec<Disbelieved>,
    /// When this was told.
    pub at: Instant,
}

impl Node {
    /// How claims stand: what a person who runs the node wants to see at once.
    pub fn claims_standing(&self) -> Result<Standing, ActError> {
        let held = self.credentials()?.into_iter().map(|one| Paper {
            id: one.id,
            kinds: one.kinds,
            issuer: one.issuer,
            valid_until: one.valid_until,
            lists: Vec::new(),
        });
        let askers = self.issuances()?.into_iter().map(|one| Asker {
            waits: one.message.is_none() && one.state == "RECEIVED",
            id: one.id,
            holder: one.holder,
            credentials: one.credentials,
            state: one.state,
            trouble: one.trouble,
        });
        let (believed, refused) = {
            let known = lock(&self.known);
            (known.believed(), known.refused.values().cloned().collect())
        };
        Ok(Standing {
            on: self.config.claims.on(),
            peers: self.config.claims.peers,
            did: self.id().to_owned(),
            document: self.did_document().map(|(path, _)| path),
            credential_service: self.credential_service(),
            issuer_service: self.issuer_service(),
            keys: self.did_keys(),
            held: held.collect(),
            asked: self.credential_requests()?,
            offered: self.credential_offers()?,
            issuable: self.issuables()?,
            askers: askers.collect(),
            issued: self.issued()?,
            lists: self.published_lists()?,
            require: self.config.claims.require.clone(),
            trust: self.config.claims.trust.clone(),
            believed,
            refused,
            at: self.now(),
        })
    }
}
