//! Messages of the transfer process protocol, DSP 2025-1.

use super::{Context, Grounds};
use crate::transfer::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum AddressTag {
    #[default]
    DataAddress,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum PropertyTag {
    #[default]
    EndpointProperty,
}

/// Says where and how data is fetched (pull) or delivered (push), per DSP 2025-1 (data address).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataAddress {
    #[serde(rename = "@type")]
    tag: AddressTag,
    /// The kind of transport.
    pub endpoint_type: String,
    /// The address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What the transport needs, such as `authorization` and `authType`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoint_properties: Vec<EndpointProperty>,
}

/// One named text of a data address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointProperty {
    #[serde(rename = "@type")]
    tag: PropertyTag,
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl DataAddress {
    /// Makes an address of the given transport.
    pub fn new(endpoint_type: impl Into<String>, endpoint: impl Into<String>) -> DataAddress {
        DataAddress {
            tag: AddressTag::DataAddress,
            endpoint_type: endpoint_type.into(),
            endpoint: Some(endpoint.into()),
            endpoint_properties: Vec::new(),
        }
    }

    /// Adds a property.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> DataAddress {
        let value = value.into();
        self.endpoint_properties.push(EndpointProperty {
            tag: PropertyTag::EndpointProperty,
            name: name.to_owned(),
            value,
        });
        self
    }

    /// Adds a bearer token as `authorization` and `authType`, per DSP 2025-1 (transfer start message).
    pub fn with_bearer(self, token: impl Into<String>) -> DataAddress {
        self.with("authorization", token).with("authType", "bearer")
    }

    /// Returns the first property of this name.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.endpoint_properties.iter().find(|p| p.name == name).map(|p| p.value.as_str())
    }
}

/// Opens a transfer process under an agreement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferRequest {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// The id of this message.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The consumer's id of the process.
    pub consumer_pid: String,
    /// The agreement that permits it.
    pub agreement_id: String,
    /// The format of a distribution of the dataset.
    pub format: String,
    /// Where to push; only for push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_address: Option<DataAddress>,
    /// Where the consumer listens.
    pub callback_address: String,
}

/// Starts or resumes; carries the address for pull.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferStart {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// The id of this message.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The provider's id of the process.
    pub provider_pid: String,
    /// The consumer's id of the process.
    pub consumer_pid: String,
    /// Where to pull from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_address: Option<DataAddress>,
}

/// Completes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferCompletion {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// The id of this message.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The provider's id of the process.
    pub provider_pid: String,
    /// The consumer's id of the process.
    pub consumer_pid: String,
}

macro_rules! with_grounds {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// The JSON-LD context.
            #[serde(rename = "@context")]
            pub context: Context,
            /// The id of this message.
            #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
            pub id: Option<String>,
            /// The provider's id of the process.
            pub provider_pid: String,
            /// The consumer's id of the process.
            pub consumer_pid: String,
            /// A short code.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub code: Option<String>,
            /// Why; left out when there is none, never empty.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub reason: Vec<Value>,
        }

        impl $name {
            /// Makes the message; unknown pids are empty text, since the schema demands both.
            pub fn new(provider_pid: &str, consumer_pid: &str, id: Option<String>, grounds: Grounds) -> $name {
                $name {
                    context: Context::default(),
                    id,
                    provider_pid: provider_pid.to_owned(),
                    consumer_pid: consumer_pid.to_owned(),
                    code: grounds.code,
                    reason: grounds.reason,
                }
            }
        }
    };
}

with_grounds!(
    /// Suspends.
    TransferSuspension
);
with_grounds!(
    /// Ends the process.
    TransferTermination
);
with_grounds!(
    /// Refuses a message; causes no transition.
    TransferError
);

/// Tells the state of a transfer process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferProcess {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// The provider's id of the process.
    pub provider_pid: String,
    /// The consumer's id of the process.
    pub consumer_pid: String,
    /// The state.
    pub state: State,
}
