//! Messages of the contract negotiation protocol, DSP 2025-1.

use super::terms::Terms;
use super::{Context, Grounds};
use crate::negotiation::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Opens a negotiation (`callbackAddress`) or counters the last offer (`providerPid`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractRequest {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// The id of this message.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The consumer's id of the negotiation.
    pub consumer_pid: String,
    /// The provider's id; present when the negotiation exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_pid: Option<String>,
    /// What the consumer asks for.
    pub offer: Terms,
    /// Where the consumer listens; present when the negotiation is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_address: Option<String>,
}

/// Offers: opens a negotiation (`callbackAddress`) or answers a request (`consumerPid`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractOffer {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// The id of this message.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The provider's id of the negotiation.
    pub provider_pid: String,
    /// The consumer's id; present when the negotiation exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer_pid: Option<String>,
    /// What the provider offers.
    pub offer: Terms,
    /// Where the provider listens; present when the negotiation is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_address: Option<String>,
}

/// Agrees: carries the complete agreement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractAgreement {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// The id of this message.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The provider's id of the negotiation.
    pub provider_pid: String,
    /// The consumer's id of the negotiation.
    pub consumer_pid: String,
    /// The agreement.
    pub agreement: Terms,
}

/// Verifies the agreement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgreementVerification {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// The id of this message.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The provider's id of the negotiation.
    pub provider_pid: String,
    /// The consumer's id of the negotiation.
    pub consumer_pid: String,
}

/// What an event message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    /// The consumer accepts the provider's offer.
    Accepted,
    /// The provider finalizes: data may be requested.
    Finalized,
}

/// Accepts (consumer) or finalizes (provider).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NegotiationEvent {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// The id of this message.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The provider's id of the negotiation.
    pub provider_pid: String,
    /// The consumer's id of the negotiation.
    pub consumer_pid: String,
    /// Which event.
    pub event_type: EventType,
}

/// Ends the negotiation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NegotiationTermination {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// The id of this message.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The provider's id of the negotiation.
    pub provider_pid: String,
    /// The consumer's id of the negotiation.
    pub consumer_pid: String,
    /// A short code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why; left out when there is none, never empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reason: Vec<Value>,
}

/// Tells the state of a negotiation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractNegotiation {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// The provider's id of the negotiation.
    pub provider_pid: String,
    /// The consumer's id of the negotiation.
    pub consumer_pid: String,
    /// The state.
    pub state: State,
}

/// Refuses a message; causes no transition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractNegotiationError {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// The provider's id of the negotiation.
    pub provider_pid: String,
    /// The consumer's id of the negotiation.
    pub consumer_pid: String,
    /// A short code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why; left out when there is none, never empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reason: Vec<Value>,
}

impl ContractNegotiationError {
    /// Makes an error body; unknown pids are empty text, since the schema demands both.
    pub fn new(provider_pid: &str, consumer_pid: &str, grounds: Grounds) -> ContractNegotiationError {
        ContractNegotiationError {
            context: Context::default(),
            provider_pid: provider_pid.to_owned(),
            consumer_pid: consumer_pid.to_owned(),
            code: grounds.code,
            reason: grounds.reason,
        }
    }
}
