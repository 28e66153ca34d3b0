//! The version answer, DSP 2025-1 (exposure of versions).

use crate::json::{self, Malformed};
use crate::schema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version tag of the protocol that this crate speaks.
pub const VERSION: &str = "2025-1";
/// The binding that this crate speaks.
pub const BINDING: &str = "HTTPS";

/// The versions that a connector speaks; it has no `@context`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionResponse {
    /// At least one.
    pub protocol_versions: Vec<Version>,
}

/// One version and where its endpoints are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// The tag.
    pub version: String,
    /// The path to append to the root.
    pub path: String,
    /// The binding, `HTTPS`.
    pub binding: String,
    /// The data service, the same for all its versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<String>,
    /// The kind of participant id, such as `did:web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier_type: Option<String>,
    /// How the endpoints are secured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
}

/// How endpoints are secured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    /// The protocol, such as `DCP`.
    pub protocol: String,
    /// Its version.
    pub version: String,
    /// Its profiles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profile: Vec<String>,
}

impl VersionResponse {
    /// Makes the answer of a connector that speaks 2025-1 at this path.
    pub fn at(path: &str) -> VersionResponse {
        VersionResponse {
            protocol_versions: vec![Version {
                version: VERSION.to_owned(),
                path: path.to_owned(),
                binding: BINDING.to_owned(),
                service_id: None,
                identifier_type: None,
                auth: None,
            }],
        }
    }

    /// Reads the answer of a peer.
    pub fn read(bytes: &[u8]) -> Result<VersionResponse, Malformed> {
        let body = json::read(bytes)?;
        if let Some(first) = schema::check_versions(&body).into_iter().next() {
            return Err(first);
        }
        serde_json::from_value(body).map_err(|e| Malformed::new("dsp/schema", "", e.to_string()))
    }

    /// Returns the entry that we can speak, if any; without one the communication ends.
    pub fn ours(&self) -> Option<&Version> {
        self.protocol_versions.iter().find(|v| v.version == VERSION && v.binding == BINDING)
    }

    /// Returns the JSON.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}
