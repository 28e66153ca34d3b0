//! The issuer service: what we issue and to whom, requests, delivery, and the status of what was issued.
//!
//! A request by a holder whom the definition names is approved at once; another waits for a person. What is approved is
//! made and signed once, kept, and delivered until the holder has it.

use crate::act::claims::standing::Published;
use crate::act::claims::{Denied, RETIRED_MS};
use crate::agent::{Node, lock};
use crate::error::ActError;
use crate::ports::{Request, fresh_name, random};
use identity::dcp::credential::{Credential, SchemaRef};
use identity::dcp::message::{
    Container, CredentialMessage, CredentialObject, CredentialOffer, CredentialRequest, CredentialTerms,
    IssuerMetadata, Outcome, RequestState, credential_status,
};
use identity::dcp::token::Bearer;
use identity::dcp::{Profile, path, service};
use identity::did::DidWeb;
use identity::status::{BITS_MIN, Bitstring, ListForm, StatusEntry, StatusList, StatusPurpose};
use model::Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{StoreError, Together};
use store::keep::{DocumentKind, Expect};

/// LIMIT: how long a version of a status list speaks.
const LIST_LIVES_MS: i64 = 5 * 60_000;
/// LIMIT: how often the number of a bit is drawn before it is said that the list is full.
const DRAWS_MAX: usize = 64;
/// LIMIT: how often a delivery is tried; then it stays for a person.
const TRIES_MAX: u32 = 10;
/// LIMIT: how long a credential may be good, in seconds: a rotated key stays that long in the document.
const LIVES_S_MAX: i64 = RETIRED_MS / 1_000;

/// What we issue.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuable {
    /// Its id, by which it is asked for.
    #[serde(default)]
    pub id: String,
    /// The type of the credential.
    pub kind: String,
    /// The profile's alias.
    pub profile: String,
    /// How the form is called in the message; the profile's alias when it is empty.
    #[serde(default)]
    pub format: String,
    /// Where the shape of its claims lies.
    #[serde(default)]
    pub schema: Option<String>,
    /// What is said of each holder, beside its id.
    #[serde(default)]
    pub claims: Map<String, Value>,
    /// Who gets it without being asked about: DIDs, or `*` for everybody.
    #[serde(default)]
    pub holders: Vec<String>,
    /// How long it is good, in seconds.
    #[serde(default = "a_day")]
    pub lives_s: i64,
}

fn a_day() -> i64 {
    24 * 3_600
}

/// A request to us.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Issuance {
    /// Our name of it.
    pub id: String,
    /// Who asks.
    pub holder: String,
    /// The holder's name of it.
    pub holder_pid: String,
    /// Ids of what is asked for.
    pub credentials: Vec<String>,
    /// `RECEIVED`, `ISSUED` or `REJECTED`.
    pub state: String,
    /// What the holder gave us to store by.
    pub access: Option<String>,
    /// The message to deliver, once it is decided.
    pub message: Option<Value>,
    /// How often it was tried.
    pub tries: u32,
    /// Why the last try failed.
    pub trouble: Option<String>,
}

/// A credential that we issued.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Issued {
    /// The credential's id.
    pub id: String,
    /// Its holder.
    pub holder: String,
    /// Its type.
    pub kind: String,
    /// The profile's alias.
    pub profile: String,
    /// The number of its bit.
    pub index: usize,
    /// Until when it holds.
    pub valid_until: Instant,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Instant>,
}

/// The numbers of one list that are taken, and those that are set.
#[derive(Default, Serialize, Deserialize)]
struct Bits {
    taken: BTreeSet<usize>,
    set: BTreeSet<usize>,
}

fn form_of(profile: Profile) -> ListForm {
    match profile {
        Profile::Vc20Bssl => ListForm::Bitstring,
        Profile::Vc11Sl2021 => ListForm::List2021,
    }
}

/// Under which id the bits of a status list are kept.
fn list_id(form: ListForm) -> String {
    format!("status-list/{}", name_of(form))
}

/// What must stand before bits are written: none yet, or those that were read.
fn expect_of(version: u64) -> Expect {
    if version == 0 { Expect::New } else { Expect::Version(version) }
}

fn name_of(form: ListForm) -> &'static str {
    match form {
        ListForm::Bitstring => "bitstring",
        ListForm::List2021 => "2021",
    }
}

fn asked(code: &'static str, detail: impl std::fmt::Display) -> ActError {
    ActError::Asked { code, detail: detail.to_string() }
}

impl Node {
    pub(crate) fn take_up_issuing(&self) -> Result<(), ActError> {
        let open =
            self.issuances()?.into_iter().filter(|one| one.message.is_some() && one.state == "RECEIVED");
        lock(&self.issuing).extend(open.map(|one| one.id));
        Ok(())
    }

    /// What we issue.
    pub fn issuables(&self) -> Result<Vec<Issuable>, ActError> {
        self.all_as(DocumentKind::Issuable)
    }

    /// Sets what is issued under an id.
    pub fn set_issuable(&self, id: &str, issuable: Issuable) -> Result<Issuable, ActError> {
        self.need_claims()?;
        let issuable = Issuable { id: id.to_owned(), ..issuable };
        if Profile::from_alias(&issuable.profile).is_none() {
            let known = Profile::ALL.map(Profile::alias).join("`, `");
            return Err(asked("claims/profile", format!("`{}` is no profile; `{known}`", issuable.profile)));
        }
        if issuable.kind.is_empty() || issuable.kind.contains(char::is_whitespace) {
            return Err(asked("claims/kind", "a type of credentials is one word"));
        }
        if !(1..=LIVES_S_MAX).contains(&issuable.lives_s) {
            return Err(asked("claims/lives", format!("`lives_s` lies between 1 and {LIVES_S_MAX}")));
        }
        let wrong = issuable.holders.iter().find(|did| *did != "*" && DidWeb::parse(did).is_err());
        if let Some(did) = wrong {
            return Err(asked("claims/holder", format!("`{did}` is no `did:web` identifier")));
        }
        self.keep_as(DocumentKind::Issuable, id, None, &issuable, Expect::Any)?;
        Ok(issuable)
    }

    fn issuable(&self, id: &str) -> Result<Option<Issuable>, ActError> {
        Ok(self.kept_as(DocumentKind::Issuable, id)?.map(|(_, issuable)| issuable))
    }

    fn object(&self, issuable: Issuable, reason: Option<&str>) -> CredentialObject {
        // The standard wants a shape in the metadata; without one of its own the type's name stands there.
        let schema =
            issuable.schema.unwrap_or_else(|| format!("{}/schema/{}", self.issuer_service(), issuable.kind));
        let more = CredentialTerms {
            kind: issuable.kind,
            schema: Some(schema),
            profile: Some(issuable.profile),
            reason: reason.map(str::to_owned),
        };
        CredentialObject { id: issuable.id, more: Some(more) }
    }

    /// DCP section 6.7: what we issue, for holders.
    pub fn issuer_metadata(&self) -> Result<Value, ActError> {
        let supported = self.issuables()?.into_iter().map(|one| self.object(one, None)).collect();
        Ok(IssuerMetadata { issuer: self.id().to_owned(), supported }.to_value())
    }

    /// DCP section 6.4: takes a request; our name of it.
    pub fn take_credential_request(&self, bearer: &Bearer, body: &[u8]) -> Result<String, Denied> {
        let request = CredentialRequest::read(body)?;
        let mut at_once = true;
        for id in &request.credentials {
            let unknown = || {
                Denied::new(400, "claims/not-issued-here", format!("`{id}` is nothing that is issued here"))
            };
            let issuable = self.issuable(id)?.ok_or_else(unknown)?;
            at_once &= issuable.holders.iter().any(|holder| holder == "*" || *holder == bearer.did);
        }
        let id = fresh_name().map_err(ActError::from)?.trim_start_matches("urn:uuid:").to_owned();
        let issuance = Issuance {
            id: id.clone(),
            holder: bearer.did.clone(),
            holder_pid: request.holder_pid,
            credentials: request.credentials,
            state: RequestState::Received.code().to_owned(),
            access: bearer.access.clone(),
            message: None,
            tries: 0,
            trouble: None,
        };
        self.keep_as(DocumentKind::Issuance, &id, Some(&bearer.did), &issuance, Expect::New)?;
        if at_once {
            self.decide_issuance(&id, None)?;
        }
        Ok(id)
    }

    /// DCP section 6.8: how a request stands, for who made it.
    pub fn tell_issuance(&self, bearer: &Bearer, id: &str) -> Result<Value, Denied> {
        let found = self.kept_as::<Issuance>(DocumentKind::Issuance, id)?;
        let (_, one) = found
            .filter(|(_, one)| one.holder == bearer.did)
            .ok_or_else(|| Denied::new(404, "claims/no-request", "no such request of yours"))?;
        let state = RequestState::parse(&one.state).unwrap_or(RequestState::Received);
        Ok(credential_status(&one.id, &one.holder_pid, state))
    }

    /// The requests to us.
    pub fn issuances(&self) -> Result<Vec<Issuance>, ActError> {
        self.all_as(DocumentKind::Issuance)
    }

    /// Approves a request, or rejects it with a reason that its holder reads; delivery follows by itself.
    pub fn decide_issuance(&self, id: &str, reject: Option<Option<String>>) -> Result<(), ActError> {
        let missing = || ActError::NotFound { what: "request", name: id.to_owned() };
        let (version, mut one) = self.kept_as::<Issuance>(DocumentKind::Issuance, id)?.ok_or_else(missing)?;
        if one.message.is_some() {
            return Err(asked("claims/decided", "this request is decided"));
        }
        let outcome = match reject {
            Some(reason) => Outcome::Rejected(reason),
            None => Outcome::Issued(self.make_credentials(&one)?),
        };
        let message =
            CredentialMessage { issuer_pid: one.id.clone(), holder_pid: one.holder_pid.clone(), outcome };
        one.message = Some(message.to_value());
        self.keep_as(DocumentKind::Issuance, id, Some(&one.holder), &one, Expect::Version(version))?;
        lock(&self.issuing).insert(id.to_owned());
        self.ring();
        Ok(())
    }

    fn make_credentials(&self, request: &Issuance) -> Result<Vec<Container>, ActError> {
        let mut made = Vec::new();
        for id in &request.credentials {
            let gone = || ActError::NotFound { what: "credential that is issued", name: id.clone() };
            let issuable = self.issuable(id)?.ok_or_else(gone)?;
            let profile = Profile::from_alias(&issuable.profile).ok_or_else(gone)?;
            let form = form_of(profile);
            let (name, index, now) = (fresh_name()?, self.take_bit(form)?, self.now());
            // Whole seconds, as the claims of a token have them.
            let now = Instant(now.0.div_euclid(1_000) * 1_000);
            let valid_until = Instant(now.0 + issuable.lives_s * 1_000);
            let mut subject = issuable.claims.clone();
            subject.insert("id".into(), json!(request.holder));
            let schemas =
                issuable.schema.iter().map(|url| SchemaRef { kind: "JsonSchema".into(), url: url.clone() });
            let credential = Credential {
                profile,
                id: Some(name.clone()),
                kinds: vec![issuable.kind.clone()],
                issuer: self.id().to_owned(),
                subjects: vec![subject],
                valid_from: Some(now),
                valid_until: Some(valid_until),
                status: vec![StatusEntry {
                    form,
                    list: self.list_url(form),
                    purpose: StatusPurpose::Revocation,
                    index,
                }],
                schemas: schemas.collect(),
            };
            let payload = self.signed(|algorithm, key| credential.prepare(algorithm, key))?;
            let issued = Issued {
                id: name.clone(),
                holder: request.holder.clone(),
                kind: issuable.kind.clone(),
                profile: issuable.profile.clone(),
                index,
                valid_until,
                revoked_at: None,
            };
            self.keep_as(DocumentKind::Issued, &name, Some(&request.holder), &issued, Expect::New)?;
            let format = if issuable.format.is_empty() { issuable.profile } else { issuable.format };
            made.push(Container { kind: issuable.kind, payload, format });
        }
        Ok(made)
    }

    /// Starts a thread for each delivery that is due; they are few and a peer may be slow.
    pub(crate) fn start_deliveries(self: &Arc<Self>) {
        let due = std::mem::take(&mut *lock(&self.issuing));
        for id in due {
            let node = Arc::clone(self);
            let name = id.clone();
            let spawned = std::thread::Builder::new().name("issue".into()).spawn(move || {
                while !node.is_stopping() {
                    match node.deliver(&id) {
                        Ok(None) | Err(_) => return,
                        Ok(Some(pause)) => std::thread::sleep(pause),
                    }
                }
            });
            if spawned.is_err() {
                lock(&self.issuing).insert(name);
            }
        }
    }

    /// Sends what was decided to its holder; how long to wait before the next try, or nothing when there is none.
    fn deliver(&self, id: &str) -> Result<Option<std::time::Duration>, ActError> {
        let Some((_, mut one)) = self.kept_as::<Issuance>(DocumentKind::Issuance, id)? else {
            return Ok(None);
        };
        let Some(message) = one.message.clone().filter(|_| one.state == "RECEIVED") else { return Ok(None) };
        let tried = self.try_delivery(&one, &message);
        one.tries += 1;
        let again = match tried {
            Ok(()) => {
                one.state = message.get("status").and_then(Value::as_str).unwrap_or("ISSUED").to_owned();
                (one.access, one.trouble) = (None, None);
                None
            }
            Err(e) => {
                one.trouble = Some(e.to_string());
                let pause = std::time::Duration::from_millis(200 << one.tries.min(8));
                Some(pause).filter(|_| one.tries < TRIES_MAX)
            }
        };
        self.keep_as(DocumentKind::Issuance, id, Some(&one.holder), &one, Expect::Any)?;
        Ok(again)
    }

    fn try_delivery(&self, one: &Issuance, message: &Value) -> Result<(), ActError> {
        let wrong = |denied: Denied| ActError::nonsense(&one.holder, denied.says);
        let document = self.document(&one.holder, one.tries > 0).map_err(wrong)?;
        let base = document.service(service::CREDENTIALS);
        let base =
            base.ok_or_else(|| ActError::nonsense(&one.holder, "no credential service in its DID document"))?;
        let url = format!("{}{}", base.trim_end_matches('/'), path::CREDENTIALS);
        let token = self.token_with(&one.holder, one.access.as_deref())?;
        let request = Request::post(url, "application/json", message.to_string().into_bytes())
            .with("authorization", format!("Bearer {token}"));
        let reply = self.carrier.send(request)?;
        match reply.is_success() {
            true => Ok(()),
            false => Err(ActError::nonsense(&one.holder, format!("status {} to credentials", reply.status))),
        }
    }

    /// Offers a holder what we issue, as after a key was rotated (`reissue`) or revoked (`proof-key-revocation`).
    pub fn offer_credentials(&self, holder: &str, ids: &[String], reason: &str) -> Result<(), ActError> {
        self.need_claims()?;
        let wrong = |denied: Denied| ActError::Refused { code: denied.code, reasons: vec![denied.says] };
        let document = self.document(holder, true).map_err(wrong)?;
        let base = document.service(service::CREDENTIALS);
        let base =
            base.ok_or_else(|| ActError::nonsense(holder, "no credential service in its DID document"))?;
        let mut credentials = Vec::new();
        for id in ids {
            let gone = || ActError::NotFound { what: "credential that is issued", name: id.clone() };
            credentials.push(self.object(self.issuable(id)?.ok_or_else(gone)?, Some(reason)));
        }
        let body =
            CredentialOffer { issuer: self.id().to_owned(), credentials }.to_value().to_string().into_bytes();
        let token = self.token_with(holder, None)?;
        let url = format!("{}{}", base.trim_end_matches('/'), path::OFFERS);
        let request =
            Request::post(url, "application/json", body).with("authorization", format!("Bearer {token}"));
        let reply = self.carrier.send(request)?;
        match reply.is_success() {
            true => Ok(()),
            false => {
                let says = format!("status {} to an offer of credentials", reply.status);
                Err(ActError::Refused { code: "peer/refused".into(), reasons: vec![says] })
            }
        }
    }

    /// What we issued.
    pub fn issued(&self) -> Result<Vec<Issued>, ActError> {
        self.all_as(DocumentKind::Issued)
    }

    /// Revokes a credential that we issued: its bit is set from now on.
    pub fn revoke_issued(&self, id: &str) -> Result<Issued, ActError> {
        let missing = || ActError::NotFound { what: "credential that we issued", name: id.to_owned() };
        loop {
            let (version, mut one) = self.kept_as::<Issued>(DocumentKind::Issued, id)?.ok_or_else(missing)?;
            if one.revoked_at.is_some() {
                return Ok(one);
            }
            let form = form_of(Profile::from_alias(&one.profile).ok_or_else(missing)?);
            one.revoked_at = Some(self.now());
            let (seen, mut bits) = self.bits(form)?;
            bits.set.insert(one.index);
            // The bit and the record of it stand together or not at all.
            let record = self.to_keep(DocumentKind::Issued, id, Some(&one.holder), &one, Expect::Version(version))?;
            let list = self.to_keep(DocumentKind::Setting, &list_id(form), None, &bits, expect_of(seen))?;
            match self.store.keep(&self.participant, list, Together { keeps: vec![record], ..Together::default() }) {
                Ok(_) => return Ok(one),
                Err(StoreError::Stale { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// The status lists in which something was issued.
    pub(crate) fn published_lists(&self) -> Result<Vec<Published>, ActError> {
        let mut out = Vec::new();
        for form in [ListForm::Bitstring, ListForm::List2021] {
            let bits = self.bits(form)?.1;
            if !bits.taken.is_empty() {
                out.push(Published { url: self.list_url(form), taken: bits.taken.len(), revoked: bits.set.len() });
            }
        }
        Ok(out)
    }

    fn list_url(&self, form: ListForm) -> String {
        format!("{}/status/{}", self.issuer_service(), name_of(form))
    }

    fn bits(&self, form: ListForm) -> Result<(u64, Bits), ActError> {
        let id = list_id(form);
        Ok(self.kept_as(DocumentKind::Setting, &id)?.unwrap_or_default())
    }

    fn change_bits<T>(&self, form: ListForm, mut change: impl FnMut(&mut Bits) -> T) -> Result<T, ActError> {
        loop {
            let (version, mut bits) = self.bits(form)?;
            let answer = change(&mut bits);
            match self.keep_as(DocumentKind::Setting, &list_id(form), None, &bits, expect_of(version)) {
                Ok(()) => return Ok(answer),
                Err(ActError::Store(StoreError::Stale { .. })) => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Takes a number that no other credential has; drawn at random, so that it tells nothing of when it was issued.
    fn take_bit(&self, form: ListForm) -> Result<usize, ActError> {
        let mut draws = Vec::new();
        for _ in 0..DRAWS_MAX {
            draws.push(u64::from_le_bytes(random::<8>()?) as usize % BITS_MIN);
        }
        let taken =
            self.change_bits(form, |bits| draws.iter().copied().find(|index| bits.taken.insert(*index)))?;
        taken.ok_or_else(|| asked("claims/list-full", "the status list has no room left"))
    }

    /// The status list at an address, signed, if it is one of ours.
    pub(crate) fn own_status_list(&self, url: &str) -> Option<Result<String, ActError>> {
        let forms = [ListForm::Bitstring, ListForm::List2021];
        let form = forms.into_iter().find(|form| self.list_url(*form) == url)?;
        Some(self.status_list(name_of(form)).and_then(|list| {
            list.ok_or_else(|| ActError::NotFound { what: "status list", name: url.to_owned() })
        }))
    }

    /// A status list of ours by its name, signed for the next minutes.
    pub fn status_list(&self, name: &str) -> Result<Option<String>, ActError> {
        let forms = [ListForm::Bitstring, ListForm::List2021];
        let Some(form) = forms.into_iter().find(|form| name_of(*form) == name) else { return Ok(None) };
        let wrong = |e: identity::status::StatusError| ActError::evidence("node/status-list", e);
        let mut bits = Bitstring::new(BITS_MIN);
        for index in self.bits(form)?.1.set {
            bits.set(index).map_err(wrong)?;
        }
        let now = self.now();
        let list = StatusList {
            form,
            id: self.list_url(form),
            issuer: self.id().to_owned(),
            purpose: StatusPurpose::Revocation,
            valid_from: Instant(now.0.div_euclid(1_000) * 1_000),
            valid_until: Instant(now.0 + LIST_LIVES_MS),
            bits,
        };
        self.signed_if(|algorithm, key| list.prepare(algorithm, key).map_err(wrong)).map(Some)
    }
}
