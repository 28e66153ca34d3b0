//! The messages of Data Plane Signaling 1.0-RC3, both ways.

use super::flow::State;
use crate::json::{self, Malformed};
use crate::message::transfer::DataAddress;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// LIMIT: bytes of one name or id in a message.
const NAME_BYTES_MAX: usize = 1024;
/// LIMIT: profiles that one data plane names.
const PROFILES_MAX: usize = 100;

/// Asks a data plane to prepare or to start a flow; a start for push carries the address to push to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowMessage {
    /// The id of this message; a repeat has the same.
    pub message_id: String,
    /// The participant whose control plane this is.
    pub participant_id: String,
    /// The other participant.
    pub counter_party_id: String,
    /// The data space, where a data plane serves several.
    pub dataspace_context: String,
    /// The control plane's id of the transfer process.
    pub process_id: String,
    /// The agreement.
    pub agreement_id: String,
    /// The dataset, as the catalog names it.
    pub dataset_id: String,
    /// How the bytes go: the name of a transfer profile.
    pub profile: String,
    /// What the control plane verified of the other participant.
    pub claims: Map<String, Value>,
    /// What the profile may need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Flavors of the flow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Where to push to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_address: Option<DataAddress>,
}

/// Tells a data plane something of a flow that it has: started, suspend, resume, terminate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The id of this message; a repeat has the same.
    pub message_id: String,
    /// Where the data are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_address: Option<DataAddress>,
    /// Why, to suspend or to terminate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a flow stands: the answer to prepare, start and resume, and what a data plane tells by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The id of this message.
    #[serde(default)]
    pub message_id: String,
    /// The data plane's id of the flow.
    #[serde(default)]
    pub data_flow_id: String,
    /// Its state.
    pub state: State,
    /// Where the data are, or where they may be pushed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_address: Option<DataAddress>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// By what a plane proves itself to the other; the profiles of the specification are all optional.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// The profile's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the profile needs.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A data plane that offers itself to a control plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaneRegistration {
    /// Its id.
    pub dataplane_id: String,
    /// The base address of its signaling.
    pub endpoint: String,
    /// The transfer profiles that it speaks.
    pub profiles: Vec<String>,
    /// By what it wants to be addressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
    /// Its labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

/// A control plane that wants to use a data plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlRegistration {
    /// Its id.
    pub controlplane_id: String,
    /// The base address at which it hears of flows.
    pub endpoint: String,
    /// By what it wants to be addressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
}

impl FlowMessage {
    /// Reads the body of a prepare or a start.
    pub fn read(bytes: &[u8]) -> Result<FlowMessage, Malformed> {
        let message: FlowMessage = value_of(bytes)?;
        named("messageId", &message.message_id)?;
        named("participantId", &message.participant_id)?;
        named("counterPartyId", &message.counter_party_id)?;
        named("processId", &message.process_id)?;
        named("agreementId", &message.agreement_id)?;
        named("datasetId", &message.dataset_id)?;
        named("profile", &message.profile)?;
        Ok(message)
    }
}

impl Notice {
    /// Reads the body of a notice.
    pub fn read(bytes: &[u8]) -> Result<Notice, Malformed> {
        let notice: Notice = value_of(bytes)?;
        named("messageId", &notice.message_id)?;
        Ok(notice)
    }
}

impl Status {
    /// Reads what a data plane says of a flow.
    ///
    /// A data plane that leaves out the ids is understood: the message stands in an answer to ours or under the id of the
    /// process. The specification demands them, the planes in use do not always send them.
    pub fn read(bytes: &[u8]) -> Result<Status, Malformed> {
        value_of(bytes)
    }
}

impl PlaneRegistration {
    /// Reads a registration.
    pub fn read(bytes: &[u8]) -> Result<PlaneRegistration, Malformed> {
        let plane: PlaneRegistration = value_of(bytes)?;
        named("dataplaneId", &plane.dataplane_id)?;
        address("endpoint", &plane.endpoint)?;
        if plane.profiles.is_empty() || plane.profiles.len() > PROFILES_MAX {
            let says = format!("must name one profile at least, {PROFILES_MAX} at most");
            return Err(Malformed::new("dps/message", "/profiles", says));
        }
        plane.profiles.iter().try_for_each(|profile| named("profiles", profile))?;
        Ok(plane)
    }
}

impl ControlRegistration {
    /// Reads a registration.
    pub fn read(bytes: &[u8]) -> Result<ControlRegistration, Malformed> {
        let plane: ControlRegistration = value_of(bytes)?;
        named("controlplaneId", &plane.controlplane_id)?;
        address("endpoint", &plane.endpoint)?;
        Ok(plane)
    }
}

fn named(field: &str, text: &str) -> Result<(), Malformed> {
    match !text.is_empty() && text.len() <= NAME_BYTES_MAX {
        true => Ok(()),
        false => {
            let says = format!("must have 1 to {NAME_BYTES_MAX} bytes");
            Err(Malformed::new("dps/message", format!("/{field}"), says))
        }
    }
}

fn address(field: &str, text: &str) -> Result<(), Malformed> {
    match crate::paths::is_callback(text) {
        true => Ok(()),
        false => Err(Malformed::new(
            "dps/message",
            format!("/{field}"),
            "must be an address such as https://host/path",
        )),
    }
}

fn value_of<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    let mut body = json::read(bytes)?;
    if let Some(address) = body.get_mut("dataAddress") {
        // `"dataAddress": null` says that there is none.
        tagged(address);
    }
    serde_json::from_value(body).map_err(|e| Malformed::new("dps/message", "", e.to_string()))
}

/// Puts in the types that the Dataspace Protocol demands of a data address and the examples of signaling leave out.
fn tagged(address: &mut Value) {
    let Value::Object(map) = address else { return };
    map.entry("@type").or_insert_with(|| "DataAddress".into());
    let properties = map.get_mut("endpointProperties").and_then(Value::as_array_mut);
    for property in properties.into_iter().flatten() {
        if let Value::Object(map) = property {
            map.entry("@type").or_insert_with(|| "EndpointProperty".into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn start() -> Value {
        json!({ "messageId": "m", "participantId": "p", "counterPartyId": "c", "dataspaceContext": "s", "processId": "t",
            "agreementId": "a", "datasetId": "d", "profile": "x-pull", "claims": {} })
    }

    #[test]
    fn each_required_member_is_required() {
        let full = start();
        assert!(FlowMessage::read(full.to_string().as_bytes()).is_ok());
        for key in full.as_object().unwrap().keys() {
            let mut less = full.clone();
            less.as_object_mut().unwrap().remove(key);
            let refused = FlowMessage::read(less.to_string().as_bytes()).unwrap_err();
            assert!(refused.to_string().contains(key.as_str()), "{key}: {refused}");
        }
        let mut empty = full;
        empty["processId"] = "".into();
        assert_eq!(FlowMessage::read(empty.to_string().as_bytes()).unwrap_err().at(), "/processId");
    }

    #[test]
    fn an_address_without_types_is_one_and_written_it_has_them() {
        let body = json!({ "messageId": "m", "dataAddress": { "endpointType": "x", "endpoint": "https://a.example",
            "endpointProperties": [{ "name": "authorization", "value": "t" }] } });
        let notice = Notice::read(body.to_string().as_bytes()).unwrap();
        let written = serde_json::to_value(&notice).unwrap();
        assert_eq!(written["dataAddress"]["@type"], "DataAddress");
        assert_eq!(written["dataAddress"]["endpointProperties"][0]["@type"], "EndpointProperty");
        let none = json!({ "messageId": "m", "dataAddress": null });
        assert_eq!(Notice::read(none.to_string().as_bytes()).unwrap().data_address, None);
    }

    #[test]
    fn a_registration_names_an_address_and_a_profile() {
        let plane = |endpoint: &str, profiles: &[&str]| {
            let body = json!({ "dataplaneId": "d", "endpoint": endpoint, "profiles": profiles });
            PlaneRegistration::read(body.to_string().as_bytes())
        };
        assert!(plane("https://d.example/signaling", &["x-pull"]).is_ok());
        assert_eq!(plane("ftp://d.example", &["x-pull"]).unwrap_err().at(), "/endpoint");
        assert_eq!(plane("https://d.example", &[]).unwrap_err().at(), "/profiles");
    }
}
