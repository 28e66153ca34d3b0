//! Who a peer is by the Decentralized Claims Protocol, and who we are to it.
//!
//! A peer shows a token of its own; we resolve its DID, verify the token, accept it once, and with the access token in it
//! ask its credential service for what we require. What is accepted is believed for `recheck_ms`, then asked for again.

mod presented;
pub mod standing;

use self::standing::{Believed, Disbelieved, Paper};
use crate::agent::{Caller, Node, lock};
use crate::config::Words;
use crate::error::ActError;
use crate::keyring::{Keyring, Noted};
use crate::ports::{CarrierError, Request, fresh_name};
use identity::dcp::access::{Grant, granted};
use identity::dcp::presentation::{Material, Resource, Wanting};
use identity::dcp::scope::Scope;
use identity::dcp::token::{self, Bearer, SelfIssued, TokenError};
use identity::dcp::{Fault, service};
use identity::did::{DidDocument, DidWeb, Rigor, render_methods};
use model::Instant;
use serde_json::Value;
use std::collections::BTreeMap;
use store::Together;
use store::keep::{DocumentKind, Expect, Keep};

/// LIMIT: how long a token of ours lives, in seconds.
const TOKEN_LIVES_S: i64 = 300;
/// LIMIT: rounds of fetching for one judgement, and things fetched in all of them.
const ROUNDS_MAX: usize = 6;
const RESOURCES_MAX: usize = 32;
/// LIMIT: DIDs whose documents, and peers whose credentials, are known at once.
const KNOWN_MAX: usize = 4_096;
/// LIMIT: bytes of a document, a list or a schema.
const RESOURCE_BYTES_MAX: usize = 1 << 20;
/// A document that could not be had is not asked for again so soon; nor is one because of an unknown key.
const AGAIN_MS: i64 = 200;
/// How long a key that signs no more stays in the document at least: no credential of ours lives longer.
pub(crate) const RETIRED_MS: i64 = 400 * 24 * 3_600_000;

const KEYS: &str = "did-keys";

/// What is known of others for a while.
#[derive(Debug, Default)]
pub struct Known {
    documents: BTreeMap<String, (Instant, Option<DidDocument>)>,
    /// Peers whose credentials were accepted, and until when that is believed.
    accepted: BTreeMap<String, Instant>,
    /// What they say in the words of policies; until others are shown, or none are accepted.
    words: BTreeMap<String, Words>,
    /// The credentials behind that, for people.
    papers: BTreeMap<String, Vec<Paper>>,
    /// Why others were refused last; of those alone that proved their name.
    refused: BTreeMap<String, Disbelieved>,
}

impl Known {
    /// Forgets what is believed of a peer.
    fn disbelieve(&mut self, peer: &str) {
        self.accepted.remove(peer);
        self.words.remove(peer);
        self.papers.remove(peer);
    }

    /// Makes room for one more.
    fn bound(&mut self) {
        if self.accepted.len() >= KNOWN_MAX {
            self.accepted.clear();
            self.words.clear();
            self.papers.clear();
        }
        if self.refused.len() >= KNOWN_MAX {
            self.refused.clear();
        }
    }

    /// The peers whose credentials were accepted.
    fn believed(&self) -> Vec<Believed> {
        let of = |(did, until): (&String, &Instant)| Believed {
            did: did.clone(),
            until: *until,
            papers: self.papers.get(did).cloned().unwrap_or_default(),
            words: self.shown(did),
        };
        self.accepted.iter().map(of).collect()
    }

    /// What the credentials of a peer say in the words of policies.
    pub(crate) fn shown(&self, peer: &str) -> Words {
        self.words.get(peer).cloned().unwrap_or_default()
    }
}

/// Why a claim is not accepted, as a door says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denied {
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// In one line.
    pub says: String,
}

impl Denied {
    pub(crate) fn new(status: u16, code: &str, says: impl std::fmt::Display) -> Self {
        Self { status, code: code.to_owned(), says: says.to_string() }
    }

    fn fault(fault: Fault, about: &str) -> Self {
        let about = if about.is_empty() { String::new() } else { format!(": `{about}`") };
        Self::new(403, fault.code(), format!("{fault}{about}"))
    }
}

impl From<TokenError> for Denied {
    fn from(e: TokenError) -> Self {
        Self::new(401, e.code(), e)
    }
}

impl From<ActError> for Denied {
    fn from(e: ActError) -> Self {
        Self::new(503, &e.code(), e)
    }
}

impl From<store::StoreError> for Denied {
    fn from(e: store::StoreError) -> Self {
        ActError::from(e).into()
    }
}

fn origin(url: &str) -> String {
    url.split('/').take(3).collect::<Vec<_>>().join("/")
}

impl Node {
    /// Opens the keys of our DID, makes the first one, and finds what is to be delivered.
    pub(crate) fn take_up_claims(&self) -> Result<(), ActError> {
        if !self.config.claims.on() {
            return Ok(());
        }
        let kept = self.store.kept(&self.participant, DocumentKind::Setting, KEYS)?;
        let noted: Vec<Noted> = match kept {
            Some(kept) => {
                serde_json::from_slice(&kept.body).map_err(|e| ActError::evidence("node/did-key", e))?
            }
            None => Vec::new(),
        };
        *lock(&self.keyring) = Keyring::open(&self.config.directory, noted)?;
        if lock(&self.keyring).is_empty() {
            self.rotate_key()?;
        }
        self.take_up_issuing()
    }

    /// Makes a new key for our DID; the one before verifies what it signed.
    pub fn rotate_key(&self) -> Result<String, ActError> {
        self.need_claims()?;
        let now = self.now();
        let mut ring = lock(&self.keyring);
        let id = ring.rotate(&self.config.directory, now, Instant(now.0 + RETIRED_MS))?;
        self.note_keys(&ring)?;
        Ok(id)
    }

    /// Takes a key out of our DID document, and with it all that it signed. That one must not sign any more.
    pub fn revoke_key(&self, id: &str) -> Result<(), ActError> {
        self.need_claims()?;
        let mut ring = lock(&self.keyring);
        if !ring.revoke(id) {
            return Err(ActError::NotFound { what: "key that signs no more", name: id.to_owned() });
        }
        self.note_keys(&ring)
    }

    /// The keys of our DID, the last one signs.
    pub fn did_keys(&self) -> Vec<Noted> {
        lock(&self.keyring).noted()
    }

    fn note_keys(&self, ring: &Keyring) -> Result<(), ActError> {
        let document = Keep {
            kind: DocumentKind::Setting,
            id: KEYS.into(),
            about: None,
            at: self.now(),
            body: serde_json::to_vec(&ring.noted()).map_err(|e| ActError::evidence("node/did-key", e))?,
            expect: Expect::Any,
        };
        self.store.keep(&self.participant, document, Together::default())?;
        Ok(())
    }

    pub(crate) fn need_claims(&self) -> Result<(), ActError> {
        match self.config.claims.on() {
            true => Ok(()),
            false => Err(ActError::Asked {
                code: "claims/off",
                detail:
                    "the Decentralized Claims Protocol is off; set `[claims] peers` to `token` or `either`"
                        .into(),
            }),
        }
    }

    /// The base address of our credential service.
    pub fn credential_service(&self) -> String {
        format!("{}/dcp", self.address)
    }

    /// The base address of our issuer service.
    pub fn issuer_service(&self) -> String {
        format!("{}/dcp/issuer", self.address)
    }

    /// Our DID document, and the path at which it lies.
    pub fn did_document(&self) -> Option<(String, Value)> {
        let did = DidWeb::parse(self.id()).ok().filter(|_| self.config.claims.on())?;
        let (credentials, issuer) = (self.credential_service(), self.issuer_service());
        let catalog = format!("{}/catalog", self.protocol_address());
        let services = [
            ("credentials", service::CREDENTIALS, credentials.as_str()),
            ("issuer", service::ISSUER, issuer.as_str()),
            ("catalog", "CatalogService", catalog.as_str()),
        ];
        let methods = lock(&self.keyring).methods(self.now());
        Some((did.path(), render_methods(&did, &methods, &services)))
    }

    pub(crate) fn rigor(&self) -> Rigor {
        if self.config.claims.drafts { Rigor::Drafts } else { Rigor::Full }
    }

    /// Signs a token about ourselves for one verifier, with leave to read what these scopes name.
    pub fn self_issued(&self, audience: &str, scopes: &[Scope]) -> Result<String, ActError> {
        self.need_claims()?;
        let now = self.now();
        let access = match scopes.is_empty() {
            true => None,
            false => {
                let grant = Grant {
                    holder: self.id(),
                    verifier: audience,
                    scopes,
                    issued_at: now,
                    lives_s: TOKEN_LIVES_S,
                };
                Some(self.signed(|algorithm, key| grant.prepare(algorithm, key))?)
            }
        };
        self.token_with(audience, access.as_deref())
    }

    /// Signs a token about ourselves that carries what somebody gave us for its receiver.
    pub(crate) fn token_with(&self, audience: &str, access: Option<&str>) -> Result<String, ActError> {
        let id = fresh_name()?;
        let made = SelfIssued {
            did: self.id(),
            audience,
            id: &id,
            issued_at: self.now(),
            lives_s: TOKEN_LIVES_S,
            access,
        };
        self.signed(|algorithm, key| made.prepare(algorithm, key))
    }

    pub(crate) fn signed(
        &self,
        prepare: impl FnOnce(identity::key::Algorithm, &str) -> identity::jwt::Draft,
    ) -> Result<String, ActError> {
        self.signed_if(|algorithm, key| Ok(prepare(algorithm, key)))
    }

    pub(crate) fn signed_if(
        &self,
        prepare: impl FnOnce(identity::key::Algorithm, &str) -> Result<identity::jwt::Draft, ActError>,
    ) -> Result<String, ActError> {
        lock(&self.keyring).sign(self.id(), prepare)
    }

    /// What we show to peers.
    fn shown_scopes(&self) -> Vec<Scope> {
        self.config.claims.show.iter().filter_map(|text| Scope::of(text)).collect()
    }

    /// Puts a token for a peer into a header of a message to it.
    pub(crate) fn claiming(
        &self,
        request: Request,
        header: &str,
        peer: &str,
    ) -> Result<Request, CarrierError> {
        let at = || origin(&request.url);
        let token = self
            .self_issued(peer, &self.shown_scopes())
            .map_err(|e| CarrierError::Untrusted { at: at(), detail: e.to_string() })?;
        Ok(request.with(header, format!("Bearer {token}")))
    }

    /// Says who we are beside the token of a transfer, which takes the usual header.
    pub(crate) fn introduced_beside(&self, request: Request, peer: &str) -> Result<Request, CarrierError> {
        match self.config.claims.on() {
            true => self.claiming(request, "tegata-identity", peer),
            false => Ok(request),
        }
    }

    /// Who is at an address: the DID whose document lies there and names a service there. Nothing is asked when peers are
    /// known by their certificates.
    ///
    /// INVARIANT: a token for a DID whose name was learned from an address goes to no other address than its own.
    pub(crate) fn claimant_at(&self, url: &str) -> Result<String, ActError> {
        if !self.config.claims.on() {
            return Ok(String::new());
        }
        let place = origin(url);
        let reply = self
            .carrier
            .send(Request::get(format!("{place}/.well-known/did.json")).up_to(RESOURCE_BYTES_MAX))?;
        let told: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let did = told.get("id").and_then(Value::as_str).filter(|_| reply.is_success());
        let did = did.ok_or_else(|| ActError::nonsense(&place, "no DID document at its root"))?;
        let document = self.document(did, true).map_err(|e| ActError::nonsense(&place, e.says))?;
        let here = [service::CREDENTIALS, "CatalogService", "DataService"];
        match here.iter().any(|kind| document.service(kind).is_some_and(|at| origin(at) == place)) {
            true => Ok(did.to_owned()),
            false => Err(ActError::nonsense(&place, format!("`{did}` names no service at this address"))),
        }
    }

    /// Resolves a DID; `fresh` asks again, though one is known.
    pub(crate) fn document(&self, did: &str, fresh: bool) -> Result<DidDocument, Denied> {
        let missing =
            |why: &dyn std::fmt::Display| Denied::new(401, "claims/unresolved", format!("`{did}`: {why}"));
        let name = DidWeb::parse(did).map_err(|e| missing(&e))?;
        if did == self.id() {
            let (_, own) = self.did_document().ok_or_else(|| missing(&"claims are off"))?;
            return DidDocument::from_json(did, own.to_string().as_bytes()).map_err(|e| missing(&e));
        }
        let now = self.now();
        if let Some((at, held)) = lock(&self.known).documents.get(did) {
            let age = now.0 - at.0;
            match held {
                Some(document) if age < self.config.claims.document_ms && (!fresh || age < AGAIN_MS) => {
                    return Ok(document.clone());
                }
                None if age < AGAIN_MS => return Err(missing(&"its document cannot be had")),
                _ => {}
            }
        }
        let scheme = if self.config.test_identity { "http" } else { "https" };
        let base = self.config.claims.resolve.get(did).map(|base| base.trim_end_matches('/').to_owned());
        let url = format!("{}{}", base.unwrap_or_else(|| format!("{scheme}://{}", name.host())), name.path());
        let found = self.carrier.send(Request::get(url).up_to(RESOURCE_BYTES_MAX));
        let found = match found {
            Ok(reply) if reply.is_success() => {
                DidDocument::from_json(did, &reply.body).map_err(|e| missing(&e))
            }
            Ok(reply) => Err(missing(&format!("status {} instead of its document", reply.status))),
            Err(e) => Err(missing(&e)),
        };
        let mut known = lock(&self.known);
        if known.documents.len() >= KNOWN_MAX {
            known.documents.clear();
        }
        known.documents.insert(did.to_owned(), (now, found.clone().ok()));
        found
    }

    /// Judges what needs things that lie elsewhere: fetches what is missing, again with new documents if a key is not known.
    pub(crate) fn resolving<T>(
        &self,
        mut judge: impl FnMut(&Material) -> Result<T, Wanting>,
    ) -> Result<T, Denied> {
        let (mut material, mut fresh, mut fetched) = (Material::default(), false, 0);
        for _ in 0..ROUNDS_MAX {
            match judge(&material) {
                Ok(answer) => return Ok(answer),
                Err(Wanting::Refused(Fault::CredentialKey | Fault::PresentationKey, _)) if !fresh => {
                    // The key may be newer than the document that we know.
                    (material, fresh) = (Material::default(), true);
                }
                Err(Wanting::Refused(fault, about)) => return Err(Denied::fault(fault, &about)),
                Err(Wanting::Missing(resources)) => {
                    for resource in resources {
                        fetched += 1;
                        if fetched > RESOURCES_MAX {
                            return Err(Denied::new(403, "claims/unresolved", "too much has to be resolved"));
                        }
                        self.resolve(&mut material, resource, fresh)?;
                    }
                }
            }
        }
        Err(Denied::new(403, "claims/unresolved", "what a credential rests on leads too far"))
    }

    fn resolve(&self, material: &mut Material, resource: Resource, fresh: bool) -> Result<(), Denied> {
        let fetch = |url: &str, what: &str| {
            let denied =
                |why: &dyn std::fmt::Display| Denied::new(403, "claims/unresolved", format!("{what}: {why}"));
            let reply =
                self.carrier.send(Request::get(url).up_to(RESOURCE_BYTES_MAX)).map_err(|e| denied(&e))?;
            match reply.is_success() {
                true => Ok(reply.body),
                false => Err(denied(&format!("status {}", reply.status))),
            }
        };
        match resource {
            Resource::Document(did) => {
                let document = self.document(&did, fresh)?;
                material.documents.insert(did, document);
            }
            Resource::StatusList(url) => {
                let list = match self.own_status_list(&url) {
                    Some(own) => own?,
                    None => String::from_utf8_lossy(&fetch(&url, "a status list")?).into_owned(),
                };
                material.lists.insert(url, list);
            }
            Resource::Schema(url) => {
                let body = fetch(&url, "a schema")?;
                let schema = identity::json::parse(&body);
                let schema =
                    schema.map_err(|e| Denied::new(403, "claims/unresolved", format!("a schema: {e}")))?;
                material.schemas.insert(url, schema);
            }
        }
        Ok(())
    }

    /// DCP section 4.3.3: verifies a token that somebody shows us, and accepts it this once.
    pub fn bearer(&self, text: &str) -> Result<Bearer, Denied> {
        self.need_claims().map_err(|e| Denied::new(404, "claims/off", e))?;
        let shown = token::read(text, self.id())?;
        let did = shown.did.to_string();
        let verify = |document: &DidDocument| shown.verify(document, self.id(), self.now(), self.rigor());
        let bearer = match verify(&self.document(&did, false)?) {
            // The key may be newer than the document that we know.
            Err(TokenError::Key) => verify(&self.document(&did, true)?)?,
            other => other?,
        };
        let now = self.now();
        match self.store.first_use(&self.participant, &bearer.did, &bearer.id, now, bearer.remember_until)? {
            true => Ok(bearer),
            false => Err(Denied::new(401, "claims/token-replayed", "the token was shown before")),
        }
    }

    /// Who a peer is, by a token that it shows and the credentials that we require.
    pub fn identify(&self, text: &str) -> Result<Caller, Denied> {
        let bearer = self.bearer(text)?;
        let scopes: Vec<Scope> =
            self.config.claims.require.iter().filter_map(|text| Scope::of(text)).collect();
        if scopes.is_empty() {
            return Ok(Caller::by_claims(&bearer.did));
        }
        let now = self.now();
        let believed = lock(&self.known).accepted.get(&bearer.did).copied();
        if believed.is_none_or(|until| until <= now) {
            let accepted = self.ask_for_presentations(&bearer, &scopes);
            let mut known = lock(&self.known);
            known.bound();
            match accepted {
                Ok((until, shown)) => {
                    known.refused.remove(&bearer.did);
                    known.accepted.insert(bearer.did.clone(), until);
                    known.words.insert(bearer.did.clone(), self.words_shown(&shown));
                    known.papers.insert(bearer.did.clone(), shown.iter().map(Paper::of).collect());
                }
                Err(denied) => {
                    known.disbelieve(&bearer.did);
                    known.refused.insert(bearer.did.clone(), Disbelieved::of(&bearer.did, now, &denied));
                    return Err(denied);
                }
            }
        }
        Ok(Caller::by_claims(&bearer.did))
    }

    /// What a bearer may read of ours, by the access token in its own.
    pub(crate) fn granted_to(&self, bearer: &Bearer) -> Result<Vec<Scope>, Denied> {
        let access = bearer.access.as_deref();
        let access = access.ok_or_else(|| {
            Denied::new(401, "claims/no-access", "the token carries no access token of ours")
        })?;
        let ring = lock(&self.keyring);
        granted(access, self.id(), &bearer.did, self.now(), |key| ring.public(key)).ok_or_else(|| {
            Denied::new(401, "claims/access", "the access token is not ours, not yours, or over")
        })
    }
}
