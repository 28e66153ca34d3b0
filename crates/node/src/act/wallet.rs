//! The credential service: credentials of ours that issuers store, and that we show to whom we gave leave.

use crate::act::claims::Denied;
use crate::agent::Node;
use crate::error::ActError;
use crate::ports::{Request, fresh_name};
use identity::dcp::credential::{Credential, Signed};
use identity::dcp::message::{
    Container, CredentialMessage, CredentialOffer, CredentialRequest, IssuerMetadata, MessageError, Outcome,
    PresentationQuery, PresentationResponse,
};
use identity::dcp::presentation::{Presentation, Wanting, verify};
use identity::dcp::scope::Scope;
use identity::dcp::token::{Bearer, SKEW_S};
use identity::dcp::{Fault, Profile, path, service};
use model::{Digest, Instant};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::keep::{DocumentKind, Expect, Keep};
use store::{StoreError, Together};

/// LIMIT: credentials, offers and requests that are looked through.
const HELD_MAX: usize = 1_000;
/// LIMIT: how long a presentation lives, in seconds.
const SHOWN_LIVES_S: i64 = 300;

/// A credential as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HeldCredential {
    /// The name under which it is kept here.
    pub id: String,
    /// Its types.
    pub kinds: Vec<String>,
    /// Who issued it.
    pub issuer: String,
    /// The profile's alias.
    pub profile: String,
    /// How issuer and we call its form.
    pub format: String,
    /// Until when it holds.
    pub valid_until: Option<Instant>,
    /// When it came.
    pub received_at: Instant,
    /// Its signed form.
    pub payload: String,
}

/// What we asked an issuer for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AskedFor {
    /// Our name of the request.
    pub id: String,
    /// The issuer.
    pub issuer: String,
    /// Ids of what it offers.
    pub credentials: Vec<String>,
    /// Where it tells how the request stands.
    pub status: Option<String>,
    /// `RECEIVED`, `ISSUED` or `REJECTED`.
    pub state: String,
    /// Why it was rejected, if it was and says.
    pub reason: Option<String>,
}

impl From<MessageError> for Denied {
    fn from(e: MessageError) -> Self {
        let status = if e == MessageError::Definition { 501 } else { 400 };
        Denied::new(status, e.code(), e)
    }
}

impl Node {
    pub(crate) fn keep_as<T: Serialize>(
        &self,
        kind: DocumentKind,
        id: &str,
        about: Option<&str>,
        value: &T,
        expect: Expect,
    ) -> Result<(), ActError> {
        let document = self.to_keep(kind, id, about, value, expect)?;
        self.store.keep(&self.participant, document, Together::default())?;
        Ok(())
    }

    /// A document that is to be kept, alone or with others.
    pub(crate) fn to_keep<T: Serialize>(
        &self,
        kind: DocumentKind,
        id: &str,
        about: Option<&str>,
        value: &T,
        expect: Expect,
    ) -> Result<Keep, ActError> {
        let body = serde_json::to_vec(value).map_err(|e| ActError::evidence("node/claims", e))?;
        let about = about.map(str::to_owned);
        Ok(Keep { kind, id: id.to_owned(), about, at: self.now(), body, expect })
    }

    pub(crate) fn kept_as<T: for<'a> Deserialize<'a>>(
        &self,
        kind: DocumentKind,
        id: &str,
    ) -> Result<Option<(u64, T)>, ActError> {
        let Some(kept) = self.store.kept(&self.participant, kind, id)? else { return Ok(None) };
        let value = serde_json::from_slice(&kept.body).map_err(|e| ActError::evidence("node/claims", e))?;
        Ok(Some((kept.version, value)))
    }

    pub(crate) fn all_as<T: for<'a> Deserialize<'a>>(&self, kind: DocumentKind) -> Result<Vec<T>, ActError> {
        let all = self.store.kept_all(&self.participant, kind, None, HELD_MAX)?;
        let read = |kept: &store::keep::Kept| serde_json::from_slice(&kept.body);
        all.iter().map(read).collect::<Result<_, _>>().map_err(|e| ActError::evidence("node/claims", e))
    }

    /// The credentials that we hold.
    pub fn credentials(&self) -> Result<Vec<HeldCredential>, ActError> {
        self.all_as(DocumentKind::Credential)
    }

    /// What issuers offer us.
    pub fn credential_offers(&self) -> Result<Vec<Value>, ActError> {
        self.all_as(DocumentKind::CredentialOffer)
    }

    /// What we asked issuers for.
    pub fn credential_requests(&self) -> Result<Vec<AskedFor>, ActError> {
        self.all_as(DocumentKind::CredentialRequest)
    }

    /// Forgets a credential of ours.
    pub fn forget_credential(&self, id: &str) -> Result<(), ActError> {
        let forgotten =
            self.store.forget(&self.participant, DocumentKind::Credential, id, Together::default());
        match forgotten {
            Err(StoreError::NotFound { .. }) => {
                Err(ActError::NotFound { what: "credential", name: id.to_owned() })
            }
            other => other.map(drop).map_err(ActError::from),
        }
    }

    /// DCP section 5.4: answers a query with presentations of what the bearer may read.
    ///
    /// LIMIT: of several credentials of one type by one issuer the newest is shown; whether one was revoked since is for the
    /// verifier to look.
    pub fn present(&self, bearer: &Bearer, body: &[u8]) -> Result<Value, Denied> {
        let query = PresentationQuery::read(body)?;
        let granted = self.granted_to(bearer)?;
        if self.config.claims.drafts && query.scopes.iter().any(|scope| !granted.contains(scope)) {
            // Early drafts refused what is now answered with less.
            return Err(Denied::new(403, "claims/not-granted", "more is asked for than the token grants"));
        }
        let (now, rigor) = (self.now(), self.rigor());
        let under =
            |scopes: &[Scope], credential: &Credential| scopes.iter().any(|scope| scope.covers(credential));
        let mut newest: BTreeMap<(Profile, String, Vec<String>), (Instant, String)> = BTreeMap::new();
        for held in self.credentials()? {
            let Ok(signed) = Signed::read(&held.payload, rigor) else { continue };
            let credential = signed.credential;
            let readable = under(&query.scopes, &credential) && under(&granted, &credential);
            if !readable || credential.in_time(now, SKEW_S).is_err() {
                continue;
            }
            let asked_by_id =
                query.scopes.iter().any(|scope| matches!(scope, Scope::Id(_)) && scope.covers(&credential));
            let mut key = (credential.profile, credential.issuer.clone(), credential.kinds.clone());
            if asked_by_id {
                key.2.extend(credential.id.clone());
            }
            let one = (held.received_at, held.payload);
            newest
                .entry(key)
                .and_modify(|known| {
                    if known.0 < one.0 {
                        *known = one.clone()
                    }
                })
                .or_insert(one);
        }
        let mut presentation = Vec::new();
        for profile in Profile::ALL {
            let of = newest.iter().filter(|((one, ..), _)| *one == profile);
            let credentials: Vec<&str> = of.map(|(_, (_, payload))| payload.as_str()).collect();
            if credentials.is_empty() {
                continue;
            }
            let id = fresh_name().map_err(ActError::from)?;
            let made = Presentation {
                profile,
                holder: self.id(),
                verifier: &bearer.did,
                id: &id,
                issued_at: now,
                lives_s: SHOWN_LIVES_S,
                credentials: &credentials,
            };
            presentation.push(json!(self.signed(|algorithm, key| made.prepare(algorithm, key))?));
        }
        Ok(PresentationResponse { presentation }.to_value())
    }

    /// DCP section 6.5: takes credentials that an issuer sends: those that we asked it for, or of an issuer whose word counts.
    pub fn take_credentials(&self, bearer: &Bearer, body: &[u8]) -> Result<(), Denied> {
        let message = CredentialMessage::read(body)?;
        let asked = self.kept_as::<AskedFor>(DocumentKind::CredentialRequest, &message.holder_pid)?;
        let asked = asked.filter(|(_, asked)| asked.issuer == bearer.did);
        if asked.is_none() && !self.config.claims.trust.contains_key(&bearer.did) {
            return Err(Denied::new(
                403,
                "claims/not-asked-for",
                "this was not asked for, nor does your word count here",
            ));
        }
        let (state, reason) = match &message.outcome {
            Outcome::Rejected(reason) => ("REJECTED", reason.clone()),
            Outcome::Issued(containers) => {
                let good =
                    containers.iter().map(|one| self.judged(bearer, one)).collect::<Result<Vec<_>, _>>()?;
                for held in good {
                    let about = held.kinds.last().cloned();
                    self.keep_as(DocumentKind::Credential, &held.id, about.as_deref(), &held, Expect::Any)?;
                }
                ("ISSUED", None)
            }
        };
        if let Some((_, mut asked)) = asked {
            (asked.state, asked.reason) = (state.to_owned(), reason);
            self.keep_as(
                DocumentKind::CredentialRequest,
                &asked.id,
                Some(&asked.issuer),
                &asked,
                Expect::Any,
            )?;
        }
        self.ring();
        Ok(())
    }

    /// Verifies a credential that came, as a verifier would.
    fn judged(&self, bearer: &Bearer, container: &Container) -> Result<HeldCredential, Denied> {
        let refused = |fault: Fault| Denied::new(400, fault.code(), fault);
        let signed = Signed::read(&container.payload, self.rigor()).map_err(refused)?;
        let credential = &signed.credential;
        if credential.issuer != bearer.did || !credential.kinds.contains(&container.kind) {
            return Err(refused(Fault::CredentialMalformed));
        }
        if !credential.is_about(self.id()) {
            return Err(refused(Fault::CredentialHolder));
        }
        let now = self.now();
        self.resolving(|material| -> Result<(), Wanting> { verify(&signed, material, now, self.rigor()) })
            .map_err(|denied| Denied { status: 400, ..denied })?;
        Ok(HeldCredential {
            id: Digest::of(container.payload.as_bytes()).to_string(),
            kinds: credential.kinds.clone(),
            issuer: credential.issuer.clone(),
            profile: credential.profile.alias().to_owned(),
            format: container.format.clone(),
            valid_until: credential.valid_until,
            received_at: now,
            payload: container.payload.clone(),
        })
    }

    /// DCP section 6.6: hears what an issuer, whose word counts, offers us.
    pub fn take_credential_offer(&self, bearer: &Bearer, body: &[u8]) -> Result<(), Denied> {
        let offer = CredentialOffer::read(body)?;
        if offer.issuer != bearer.did {
            return Err(Denied::new(403, "claims/not-the-issuer", "the offer is another issuer's"));
        }
        if !self.config.claims.trust.contains_key(&bearer.did) {
            return Err(Denied::new(403, "claims/issuer-not-trusted", "your word does not count here"));
        }
        let value = offer.to_value();
        let id = Digest::of(value.to_string().as_bytes()).to_string();
        self.keep_as(DocumentKind::CredentialOffer, &id, Some(&bearer.did), &value, Expect::Any)?;
        self.ring();
        Ok(())
    }

    /// Asks an issuer for credentials: those of these types in its metadata, or of these ids.
    pub fn request_credentials(
        &self,
        issuer: &str,
        wanted: &[String],
        profile: Option<Profile>,
    ) -> Result<AskedFor, ActError> {
        self.need_claims()?;
        let wrong = |denied: Denied| ActError::Refused { code: denied.code, reasons: vec![denied.says] };
        let document = self.document(issuer, true).map_err(wrong)?;
        let base = document.service(service::ISSUER);
        let base = base.ok_or_else(|| ActError::nonsense(issuer, "no issuer service in its DID document"))?;
        let base = base.trim_end_matches('/').to_owned();
        let reply = self.carrier.send(Request::get(format!("{base}{}", path::METADATA)))?;
        let metadata = IssuerMetadata::read(&reply.body).map_err(|e| ActError::nonsense(issuer, e))?;
        let mut credentials = metadata.ids_of(wanted, profile);
        let by_id = metadata.supported.iter().filter(|one| wanted.contains(&one.id));
        credentials.extend(by_id.map(|one| one.id.clone()));
        if credentials.is_empty() {
            return Err(ActError::NotFound { what: "credential of this issuer", name: wanted.join(", ") });
        }
        let id = fresh_name()?;
        let mut asked = AskedFor {
            id: id.clone(),
            issuer: issuer.to_owned(),
            credentials: credentials.clone(),
            status: None,
            state: "RECEIVED".into(),
            reason: None,
        };
        // It stands before it is sent: the answer may come at once.
        self.keep_as(DocumentKind::CredentialRequest, &id, Some(issuer), &asked, Expect::New)?;
        let body =
            CredentialRequest { holder_pid: id.clone(), credentials }.to_value().to_string().into_bytes();
        let token = self.token_with(issuer, None)?;
        let request = Request::post(format!("{base}{}", path::CREDENTIALS), "application/json", body)
            .with("authorization", format!("Bearer {token}"));
        let reply = self.carrier.send(request)?;
        if !reply.is_success() {
            let said: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            let line = said.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
            asked.state = "REJECTED".into();
            asked.reason = Some(format!("status {} {line}", reply.status));
            self.keep_as(DocumentKind::CredentialRequest, &id, Some(issuer), &asked, Expect::Any)?;
            let code = said.get("code").and_then(Value::as_str).unwrap_or("peer/refused").to_owned();
            return Err(ActError::Refused { code, reasons: vec![format!("status {} {line}", reply.status)] });
        }
        // The credentials may have come meanwhile; then the request stands as it says.
        let now = self.kept_as::<AskedFor>(DocumentKind::CredentialRequest, &id)?;
        let (version, mut stands) = now.unwrap_or((0, asked));
        stands.status = reply.header("location").map(str::to_owned);
        match self.keep_as(
            DocumentKind::CredentialRequest,
            &id,
            Some(issuer),
            &stands,
            Expect::Version(version),
        ) {
            Ok(()) | Err(ActError::Store(StoreError::Stale { .. })) => Ok(stands),
            Err(e) => Err(e),
        }
    }
}
