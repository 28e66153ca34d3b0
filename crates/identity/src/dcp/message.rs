//! DCP sections 5 and 6: messages, read strictly in what they must say and leniently in what they may say more.

use serde_json::{Value, json};

use super::scope::Scope;
use super::{Profile, message};
use crate::json;
use std::fmt;

// LIMIT: entries of one message, characters of one name.
const MANY_MAX: usize = 64;
const NAME_CHARS_MAX: usize = 512;

/// Why a message is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageError {
    /// It is not a message of this kind.
    Malformed(&'static str),
    /// It asks by a presentation definition, which is not offered here.
    Definition,
    /// It asks by scopes and by a presentation definition at once, or by neither.
    NotOneQuestion,
}

impl MessageError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            MessageError::Malformed(_) => "claims/message-malformed",
            MessageError::Definition => "claims/presentation-definition",
            MessageError::NotOneQuestion => "claims/not-one-question",
        }
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MessageError::Malformed(what) => write!(f, "the message lacks a good `{what}`"),
            MessageError::Definition => {
                f.write_str("presentation definitions are not offered here, ask by `scope`")
            }
            MessageError::NotOneQuestion => {
                f.write_str("a query has either `scope` or `presentationDefinition`")
            }
        }
    }
}

impl std::error::Error for MessageError {}

/// Reads an object that says of itself what it is.
fn read(body: &[u8], kind: &'static str) -> Result<Value, MessageError> {
    let value = json::parse(body).map_err(|_| MessageError::Malformed("JSON"))?;
    match value.get("type").and_then(Value::as_str) == Some(kind) {
        true => Ok(value),
        false => Err(MessageError::Malformed("type")),
    }
}

fn name(value: &Value, member: &'static str) -> Result<String, MessageError> {
    let text = value.get(member).and_then(Value::as_str);
    let text = text.filter(|text| !text.is_empty() && text.chars().count() <= NAME_CHARS_MAX);
    text.map(str::to_owned).ok_or(MessageError::Malformed(member))
}

fn name_if_there(value: &Value, member: &'static str) -> Result<Option<String>, MessageError> {
    match value.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => name(value, member).map(Some),
    }
}

fn list<'a>(value: &'a Value, member: &'static str) -> Result<&'a [Value], MessageError> {
    let list = value.get(member).and_then(Value::as_array).map(Vec::as_slice);
    list.filter(|list| list.len() <= MANY_MAX).ok_or(MessageError::Malformed(member))
}

/// DCP section 5.4.1: asks a holder for presentations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentationQuery {
    /// What is asked for.
    pub scopes: Vec<Scope>,
}

impl PresentationQuery {
    const KIND: &'static str = "PresentationQueryMessage";

    /// Reads the message. A scope of an alias that is not known here asks for nothing we have, and is left out.
    pub fn read(body: &[u8]) -> Result<Self, MessageError> {
        let value = read(body, Self::KIND)?;
        match (value.get("scope"), value.get("presentationDefinition")) {
            (Some(_), Some(_)) => Err(MessageError::NotOneQuestion),
            (None, None | Some(Value::Null)) => Err(MessageError::NotOneQuestion),
            (None, Some(Value::Object(definition))) if !definition.is_empty() => {
                Err(MessageError::Definition)
            }
            (None, Some(_)) => Err(MessageError::Malformed("presentationDefinition")),
            (Some(_), None) => {
                let texts = list(&value, "scope")?;
                if texts.is_empty() || !texts.iter().all(Value::is_string) {
                    return Err(MessageError::Malformed("scope"));
                }
                let known = |one: &Value| one.as_str().and_then(Scope::parse);
                Ok(Self { scopes: texts.iter().filter_map(known).collect() })
            }
        }
    }

    /// Makes the message of scopes as they are to be written.
    pub fn of(scopes: &[String]) -> Value {
        let mut value = message(Self::KIND);
        value["scope"] = json!(scopes);
        value
    }
}

/// DCP section 5.4.2: the presentations of a holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentationResponse {
    /// Each in its signed form.
    pub presentation: Vec<Value>,
}

impl PresentationResponse {
    const KIND: &'static str = "PresentationResponseMessage";

    /// Reads the message.
    pub fn read(body: &[u8]) -> Result<Self, MessageError> {
        let value = read(body, Self::KIND)?;
        Ok(Self { presentation: list(&value, "presentation")?.to_vec() })
    }

    /// The message.
    pub fn to_value(&self) -> Value {
        let mut value = message(Self::KIND);
        value["presentation"] = json!(self.presentation);
        value
    }
}

/// DCP section 6.5.2: one credential on its way to its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its type.
    pub kind: String,
    /// Its signed form.
    pub payload: String,
    /// How issuer and holder call that form.
    pub format: String,
}

/// DCP section 6.5.1: what an issuer tells a holder in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The credentials.
    Issued(Vec<Container>),
    /// There are none, and perhaps why.
    Rejected(Option<String>),
}

/// DCP section 6.5.1: delivers credentials, or says that there will be none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialMessage {
    /// The issuer's name of the request.
    pub issuer_pid: String,
    /// The holder's.
    pub holder_pid: String,
    /// What came of it.
    pub outcome: Outcome,
}

impl CredentialMessage {
    const KIND: &'static str = "CredentialMessage";

    /// Reads the message.
    ///
    /// LIMIT: the specification lets `holderPid` be absent; without it nothing ties the message to a request, and it is
    /// refused.
    pub fn read(body: &[u8]) -> Result<Self, MessageError> {
        let value = read(body, Self::KIND)?;
        let container = |one: &Value| {
            let payload =
                one.get("payload").and_then(Value::as_str).ok_or(MessageError::Malformed("payload"))?;
            let (kind, format) = (name(one, "credentialType")?, name(one, "format")?);
            Ok(Container { kind, payload: payload.to_owned(), format })
        };
        let outcome = match name(&value, "status")?.as_str() {
            "ISSUED" => {
                Outcome::Issued(list(&value, "credentials")?.iter().map(container).collect::<Result<_, _>>()?)
            }
            "REJECTED" => Outcome::Rejected(name_if_there(&value, "rejectionReason")?),
            _ => return Err(MessageError::Malformed("status")),
        };
        if outcome == Outcome::Issued(Vec::new()) {
            return Err(MessageError::Malformed("credentials"));
        }
        Ok(Self { issuer_pid: name(&value, "issuerPid")?, holder_pid: name(&value, "holderPid")?, outcome })
    }

    /// The message.
    pub fn to_value(&self) -> Value {
        let mut value = message(Self::KIND);
        value["issuerPid"] = json!(self.issuer_pid);
        value["holderPid"] = json!(self.holder_pid);
        match &self.outcome {
            Outcome::Issued(all) => {
                let container = |one: &Container| json!({ "credentialType": one.kind, "payload": one.payload, "format": one.format });
                value["status"] = json!("ISSUED");
                value["credentials"] = all.iter().map(container).collect();
            }
            Outcome::Rejected(reason) => {
                value["status"] = json!("REJECTED");
                if let Some(reason) = reason {
                    value["rejectionReason"] = json!(reason);
                }
            }
        }
        value
    }
}

/// DCP section 6.6.2: a credential that may be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialObject {
    /// Its id, by which it is asked for.
    pub id: String,
    /// The rest, when the object is more than its id.
    pub more: Option<CredentialTerms>,
}

/// DCP section 6.6.2: what a credential object says beside its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialTerms {
    /// The type of the credential.
    pub kind: String,
    /// Where the shape of its claims lies.
    pub schema: Option<String>,
    /// The profile's alias.
    pub profile: Option<String>,
    /// Why it is offered: `reissue`, `proof-key-revocation`, or another reason.
    pub reason: Option<String>,
}

impl CredentialObject {
    fn read(value: &Value) -> Result<Self, MessageError> {
        let id = name(value, "id")?;
        let sparse = value.get("type").is_none() && value.get("credentialType").is_none();
        if sparse {
            return Ok(Self { id, more: None });
        }
        if value.get("type").and_then(Value::as_str) != Some("CredentialObject") {
            return Err(MessageError::Malformed("type"));
        }
        let more = CredentialTerms {
            kind: name(value, "credentialType")?,
            schema: name_if_there(value, "credentialSchema")?,
            profile: name_if_there(value, "profile")?,
            reason: name_if_there(value, "offerReason")?,
        };
        Ok(Self { id, more: Some(more) })
    }

    /// The object; without more than its id it is sparse.
    pub fn to_value(&self) -> Value {
        let Some(more) = &self.more else { return json!({ "id": self.id }) };
        let mut value = json!({
            "id": self.id, "type": "CredentialObject", "credentialType": more.kind,
            "bindingMethods": ["did:web"], "issuancePolicy": {},
            "offerReason": more.reason.as_deref().unwrap_or("issue"),
        });
        for (member, text) in [("credentialSchema", &more.schema), ("profile", &more.profile)] {
            if let Some(text) = text {
                value[member] = json!(text);
            }
        }
        value
    }
}

/// DCP section 6.6.1: an issuer offers credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialOffer {
    /// Who offers: a DID.
    pub issuer: String,
    /// What.
    pub credentials: Vec<CredentialObject>,
}

impl CredentialOffer {
    const KIND: &'static str = "CredentialOfferMessage";

    /// Reads the message.
    pub fn read(body: &[u8]) -> Result<Self, MessageError> {
        let value = read(body, Self::KIND)?;
        let issuer = name(&value, "issuer")?;
        let credentials =
            list(&value, "credentials")?.iter().map(CredentialObject::read).collect::<Result<Vec<_>, _>>()?;
        match credentials.is_empty() {
            true => Err(MessageError::Malformed("credentials")),
            false => Ok(Self { issuer, credentials }),
        }
    }

    /// The message.
    pub fn to_value(&self) -> Value {
        let mut value = message(Self::KIND);
        value["issuer"] = json!(self.issuer);
        value["credentials"] = self.credentials.iter().map(CredentialObject::to_value).collect();
        value
    }
}

/// DCP section 6.4.1: a holder asks for credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRequest {
    /// The holder's name of the request.
    pub holder_pid: String,
    /// Ids of what the issuer offers.
    pub credentials: Vec<String>,
}

impl CredentialRequest {
    const KIND: &'static str = "CredentialRequestMessage";

    /// Reads the message.
    pub fn read(body: &[u8]) -> Result<Self, MessageError> {
        let value = read(body, Self::KIND)?;
        let credentials =
            list(&value, "credentials")?.iter().map(|one| name(one, "id")).collect::<Result<Vec<_>, _>>()?;
        match credentials.is_empty() {
            true => Err(MessageError::Malformed("credentials")),
            false => Ok(Self { holder_pid: name(&value, "holderPid")?, credentials }),
        }
    }

    /// The message.
    pub fn to_value(&self) -> Value {
        let mut value = message(Self::KIND);
        value["holderPid"] = json!(self.holder_pid);
        value["credentials"] = self.credentials.iter().map(|id| json!({ "id": id })).collect();
        value
    }
}

/// DCP section 6.8.1: how a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// It is here and not decided, or decided and not delivered.
    Received,
    /// The credentials were delivered.
    Issued,
    /// There will be none.
    Rejected,
}

impl RequestState {
    /// The word in the standard.
    pub fn code(self) -> &'static str {
        match self {
            RequestState::Received => "RECEIVED",
            RequestState::Issued => "ISSUED",
            RequestState::Rejected => "REJECTED",
        }
    }

    /// Finds the state of a word.
    pub fn parse(word: &str) -> Option<RequestState> {
        let all = [RequestState::Received, RequestState::Issued, RequestState::Rejected];
        all.into_iter().find(|state| state.code() == word)
    }
}

/// DCP section 6.8.1: tells how a request stands.
pub fn credential_status(issuer_pid: &str, holder_pid: &str, state: RequestState) -> Value {
    let mut value = message("CredentialStatus");
    value["issuerPid"] = json!(issuer_pid);
    value["holderPid"] = json!(holder_pid);
    value["status"] = json!(state.code());
    value
}

/// DCP section 6.7.1: what an issuer issues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerMetadata {
    /// Who: a DID.
    pub issuer: String,
    /// What.
    pub supported: Vec<CredentialObject>,
}

impl IssuerMetadata {
    const KIND: &'static str = "IssuerMetadata";

    /// Reads the message.
    pub fn read(body: &[u8]) -> Result<Self, MessageError> {
        let value = read(body, Self::KIND)?;
        let supported = match value.get("credentialsSupported") {
            None => Vec::new(),
            Some(_) => list(&value, "credentialsSupported")?
                .iter()
                .map(CredentialObject::read)
                .collect::<Result<_, _>>()?,
        };
        Ok(Self { issuer: name(&value, "issuer")?, supported })
    }

    /// The message.
    pub fn to_value(&self) -> Value {
        let mut value = message(Self::KIND);
        value["issuer"] = json!(self.issuer);
        value["credentialsSupported"] = self.supported.iter().map(CredentialObject::to_value).collect();
        value
    }

    /// The ids of what is of these types, and of this profile if one is wanted.
    pub fn ids_of(&self, kinds: &[String], profile: Option<Profile>) -> Vec<String> {
        let fits = |object: &&CredentialObject| {
            object.more.as_ref().is_some_and(|more| {
                kinds.contains(&more.kind)
                    && profile.is_none_or(|profile| more.profile.as_deref() == Some(profile.alias()))
            })
        };
        self.supported.iter().filter(fits).map(|object| object.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
