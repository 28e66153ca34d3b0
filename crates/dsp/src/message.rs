//! Every message of DSP 2025-1 as a value, in the compact form that the schemas describe.

pub mod catalog;
pub mod negotiation;
pub mod terms;
pub mod transfer;
pub mod version;

use crate::json::{self, Malformed};
use crate::schema;
use model::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The `@context` of a message: an array that holds the DSP context, and further ones if the sender has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Context(Vec<String>);

impl Default for Context {
    fn default() -> Context {
        Context(vec![schema::CONTEXT.to_owned()])
    }
}

impl Context {
    /// Returns the addresses of the contexts; none is ever fetched.
    pub fn addresses(&self) -> &[String] {
        &self.0
    }
}

/// One message, told apart by `@type`. Catalogs and datasets are answers with their own reader in [`catalog`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "@type")]
pub enum Message {
    /// Asks for a catalog, per DSP 2025-1 (catalog request message).
    CatalogRequestMessage(catalog::CatalogRequest),
    /// Asks for one dataset, per DSP 2025-1 (dataset request message).
    DatasetRequestMessage(catalog::DatasetRequest),
    /// Says why there is no catalog, per DSP 2025-1 (catalog error).
    CatalogError(catalog::CatalogError),
    /// Opens a negotiation or counters an offer, per DSP 2025-1 (contract request message).
    ContractRequestMessage(negotiation::ContractRequest),
    /// Offers, per DSP 2025-1 (contract offer message).
    ContractOfferMessage(negotiation::ContractOffer),
    /// Agrees, per DSP 2025-1 (contract agreement message).
    ContractAgreementMessage(negotiation::ContractAgreement),
    /// Verifies an agreement, per DSP 2025-1 (contract agreement verification message).
    ContractAgreementVerificationMessage(negotiation::AgreementVerification),
    /// Accepts or finalizes, per DSP 2025-1 (contract negotiation event message).
    ContractNegotiationEventMessage(negotiation::NegotiationEvent),
    /// Ends a negotiation, per DSP 2025-1 (contract negotiation termination message).
    ContractNegotiationTerminationMessage(negotiation::NegotiationTermination),
    /// Acknowledges, or tells the state, per DSP 2025-1 (contract negotiation).
    ContractNegotiation(negotiation::ContractNegotiation),
    /// Refuses a message, per DSP 2025-1 (contract negotiation error).
    ContractNegotiationError(negotiation::ContractNegotiationError),
    /// Opens a transfer process, per DSP 2025-1 (transfer request message).
    TransferRequestMessage(transfer::TransferRequest),
    /// Starts or resumes, per DSP 2025-1 (transfer start message).
    TransferStartMessage(transfer::TransferStart),
    /// Suspends, per DSP 2025-1 (transfer suspension message).
    TransferSuspensionMessage(transfer::TransferSuspension),
    /// Completes, per DSP 2025-1 (transfer completion message).
    TransferCompletionMessage(transfer::TransferCompletion),
    /// Ends a transfer process, per DSP 2025-1 (transfer termination message).
    TransferTerminationMessage(transfer::TransferTermination),
    /// Acknowledges, or tells the state, per DSP 2025-1 (transfer process).
    TransferProcess(transfer::TransferProcess),
    /// Refuses a message, per DSP 2025-1 (transfer error).
    TransferError(transfer::TransferError),
}

/// A message as it came in: its value and what identifies its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// The message.
    pub message: Message,
    /// The digest of the body, by which a repeat is known.
    pub digest: Digest,
    /// Whether the body carries an `@id`; without one, two equal bodies may be two acts.
    pub named: bool,
}

impl Received {
    /// Reads a body: limits, then the schema of its type, then the value. The first fault is reported.
    pub fn read(bytes: &[u8]) -> Result<Received, Malformed> {
        Received::from_value(json::read(bytes)?)
    }

    /// Reads a body that is already JSON.
    pub fn from_value(body: Value) -> Result<Received, Malformed> {
        if let Some(first) = schema::check(&body).into_iter().next() {
            return Err(first);
        }
        let (digest, named) = identify(&body);
        let message =
            serde_json::from_value(body).map_err(|e| Malformed::new("dsp/schema", "", e.to_string()))?;
        Ok(Received { message, digest, named })
    }
}

/// Finds what makes a body a repeat of another.
///
/// The pid of the sender alone makes an opening message unique (DSP 2025-1, transfer request message), so the `@id`,
/// which some senders renew at each attempt, does not count there.
fn identify(body: &Value) -> (Digest, bool) {
    let lacks = |key: &str| body.get(key).is_none();
    let opens = match body.get("@type").and_then(Value::as_str) {
        Some("ContractRequestMessage") => lacks("providerPid"),
        Some("ContractOfferMessage") => lacks("consumerPid"),
        Some("TransferRequestMessage") => true,
        _ => false,
    };
    match (opens, body) {
        (true, Value::Object(map)) => {
            let mut content = map.clone();
            content.remove("@id");
            (json::digest(&Value::Object(content)), true)
        }
        _ => (json::digest(body), body.get("@id").is_some_and(Value::is_string)),
    }
}

impl Message {
    /// Returns the `@type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Message::CatalogRequestMessage(_) => "CatalogRequestMessage",
            Message::DatasetRequestMessage(_) => "DatasetRequestMessage",
            Message::CatalogError(_) => "CatalogError",
            Message::ContractRequestMessage(_) => "ContractRequestMessage",
            Message::ContractOfferMessage(_) => "ContractOfferMessage",
            Message::ContractAgreementMessage(_) => "ContractAgreementMessage",
            Message::ContractAgreementVerificationMessage(_) => "ContractAgreementVerificationMessage",
            Message::ContractNegotiationEventMessage(_) => "ContractNegotiationEventMessage",
            Message::ContractNegotiationTerminationMessage(_) => "ContractNegotiationTerminationMessage",
            Message::ContractNegotiation(_) => "ContractNegotiation",
            Message::ContractNegotiationError(_) => "ContractNegotiationError",
            Message::TransferRequestMessage(_) => "TransferRequestMessage",
            Message::TransferStartMessage(_) => "TransferStartMessage",
            Message::TransferSuspensionMessage(_) => "TransferSuspensionMessage",
            Message::TransferCompletionMessage(_) => "TransferCompletionMessage",
            Message::TransferTerminationMessage(_) => "TransferTerminationMessage",
            Message::TransferProcess(_) => "TransferProcess",
            Message::TransferError(_) => "TransferError",
        }
    }

    /// Returns the provider's and the consumer's pid, as far as the message names them.
    pub fn pids(&self) -> (Option<&str>, Option<&str>) {
        fn both<'a>(provider: &'a str, consumer: &'a str) -> (Option<&'a str>, Option<&'a str>) {
            (Some(provider), Some(consumer))
        }
        match self {
            Message::CatalogRequestMessage(_)
            | Message::DatasetRequestMessage(_)
            | Message::CatalogError(_) => (None, None),
            Message::ContractRequestMessage(m) => (m.provider_pid.as_deref(), Some(&m.consumer_pid)),
            Message::ContractOfferMessage(m) => (Some(&m.provider_pid), m.consumer_pid.as_deref()),
            Message::ContractAgreementMessage(m) => both(&m.provider_pid, &m.consumer_pid),
            Message::ContractAgreementVerificationMessage(m) => both(&m.provider_pid, &m.consumer_pid),
            Message::ContractNegotiationEventMessage(m) => both(&m.provider_pid, &m.consumer_pid),
            Message::ContractNegotiationTerminationMessage(m) => both(&m.provider_pid, &m.consumer_pid),
            Message::ContractNegotiation(m) => both(&m.provider_pid, &m.consumer_pid),
            Message::ContractNegotiationError(m) => both(&m.provider_pid, &m.consumer_pid),
            Message::TransferRequestMessage(m) => (None, Some(&m.consumer_pid)),
            Message::TransferStartMessage(m) => both(&m.provider_pid, &m.consumer_pid),
            Message::TransferSuspensionMessage(m) => both(&m.provider_pid, &m.consumer_pid),
            Message::TransferCompletionMessage(m) => both(&m.provider_pid, &m.consumer_pid),
            Message::TransferTerminationMessage(m) => both(&m.provider_pid, &m.consumer_pid),
            Message::TransferProcess(m) => both(&m.provider_pid, &m.consumer_pid),
            Message::TransferError(m) => both(&m.provider_pid, &m.consumer_pid),
        }
    }

    /// Returns the message as JSON in compact form.
    pub fn to_value(&self) -> Value {
        // Every field has a JSON form, so that the null below is never reached.
        serde_json::to_value(self).unwrap_or(Value::Null)
    }

    /// Returns the bytes to send; the same message gives the same bytes, so that a repeat is one.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_value().to_string().into_bytes()
    }
}

/// Writes the process pids and reason of an error or termination body in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// A short code; ours are stable.
    pub code: Option<String>,
    /// Reasons for people and programs, each one line; see [`crate::reason`].
    pub reason: Vec<Value>,
}

impl Grounds {
    /// Makes grounds of a code and lines of text.
    pub fn of(code: &str, lines: impl IntoIterator<Item = String>) -> Grounds {
        Grounds { code: Some(code.to_owned()), reason: lines.into_iter().map(Value::String).collect() }
    }
}
