//! The policy inside a message, kept as it came: what was agreed is what was sent, word for word.

use crate::json::{self, Malformed};
use crate::schema;
use model::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An ODRL offer or agreement as JSON; [`crate::policy::Policy::read`] gives its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Terms(Map<String, Value>);

impl Terms {
    /// Takes an object that a schema check has passed or will pass.
    pub fn of(map: Map<String, Value>) -> Terms {
        Terms(map)
    }

    /// Returns the `@id`, empty if there is none.
    pub fn id(&self) -> &str {
        self.text("@id").unwrap_or_default()
    }

    /// Returns the dataset that the policy is about.
    pub fn target(&self) -> Option<&str> {
        self.text("target")
    }

    /// Returns the party that grants.
    pub fn assigner(&self) -> Option<&str> {
        self.text("assigner")
    }

    /// Returns the party that receives.
    pub fn assignee(&self) -> Option<&str> {
        self.text("assignee")
    }

    /// Returns the moment that an agreement says of itself.
    pub fn timestamp(&self) -> Option<&str> {
        self.text("timestamp")
    }

    /// Returns the JSON.
    pub fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// Returns the digest of the canonical JSON, by which a pass or a log names the terms.
    pub fn digest(&self) -> Digest {
        json::digest(&self.to_value())
    }

    /// Returns the offer of a catalog as an offer of a message: the same rules with a target.
    pub fn with_target(&self, dataset: &str) -> Terms {
        let mut map = self.0.clone();
        map.insert("@type".into(), "Offer".into());
        map.insert("target".into(), dataset.into());
        Terms(map)
    }

    /// Makes the agreement to these terms, per DSP 2025-1 (contract agreement message).
    ///
    /// `timestamp` is RFC 3339 text. Fails if the terms lack a target.
    pub fn to_agreement(
        &self,
        id: &str,
        assigner: &str,
        assignee: &str,
        timestamp: &str,
    ) -> Result<Terms, Malformed> {
        let mut map = self.0.clone();
        let named = [("@id", id), ("@type", "Agreement"), ("assigner", assigner), ("assignee", assignee)];
        for (key, text) in named.into_iter().chain([("timestamp", timestamp)]) {
            map.insert(key.into(), text.into());
        }
        let agreement = Terms(map);
        match schema::check_agreement(&agreement.to_value()).into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(agreement),
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }
}
