//! The legal act to be judged: a skeleton of parties, datasets and hops, with facts hung on them.

use crate::fact::Said;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Facts by their vocabulary id (`party.place`, `data.categories`, `mechanism.kind`).
pub type Facts = BTreeMap<String, Said>;

/// A transfer as described: parties, datasets with groups of people, and the hops between parties.
///
/// ```
/// use model::transfer::Transfer;
/// let t: Transfer = serde_json::from_str(r#"{
///   "parties": { "hq": { "facts": { "party.place": "JP" } }, "plant": { "facts": { "party.place": "TH" } } },
///   "datasets": { "payroll": { "facts": { "data.about_people": true } } },
///   "hops": [ { "from": "plant", "to": "hq", "data": ["payroll"] } ] }"#).unwrap();
/// assert_eq!(t.hops.len(), 1);
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// A name that the owner of the list knows it by; never a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The parties by their local name.
    pub parties: BTreeMap<String, Party>,
    /// The datasets by their local name.
    pub datasets: BTreeMap<String, Dataset>,
    /// The hops, in any order; `after` makes them a journey.
    pub hops: Vec<Hop>,
}

/// A person, firm or body at one end of a hop.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its facts (`party.…`).
    #[serde(default)]
    pub facts: Facts,
}

/// What moves.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Its name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its facts (`data.…`).
    #[serde(default)]
    pub facts: Facts,
    /// Groups of people in it, each with facts (`subjects.…`). None given = one group of which nothing is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subjects: BTreeMap<String, Facts>,
}

/// One step from a party to a party.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hop {
    /// A local name; `hop1`, `hop2`, … when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Party that gives.
    pub from: String,
    /// Party that gets.
    pub to: String,
    /// Datasets that move on it.
    pub data: Vec<String>,
    /// The hop that must come before, if this is an onward hop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Facts of the act itself (`hop.…`, `mechanism.…`, `consent.…`, `volume.…`).
    #[serde(default)]
    pub facts: Facts,
}

impl Transfer {
    /// Makes a transfer of one hop from flat facts: `exporter.place`, `recipient.place`, `data.…`, `subjects.…`, `hop.…`.
    pub fn single(flat: impl IntoIterator<Item = (String, Said)>) -> Self {
        let mut exporter = Facts::new();
        let mut recipient = Facts::new();
        let mut data = Facts::new();
        let mut subjects = Facts::new();
        let mut hop = Facts::new();
        for (id, said) in flat {
            if let Some(rest) = id.strip_prefix("exporter.") {
                exporter.insert(format!("party.{rest}"), said);
            } else if let Some(rest) = id.strip_prefix("recipient.") {
                recipient.insert(format!("party.{rest}"), said);
            } else if id.starts_with("data.") {
                data.insert(id, said);
            } else if id.starts_with("subjects.") {
                subjects.insert(id, said);
            } else {
                hop.insert(id, said);
            }
        }
        let dataset = Dataset { name: None, facts: data, subjects: BTreeMap::from([("people".into(), subjects)]) };
        Self {
            id: None,
            parties: BTreeMap::from([
                ("exporter".into(), Party { name: None, facts: exporter }),
                ("recipient".into(), Party { name: None, facts: recipient }),
            ]),
            datasets: BTreeMap::from([("data".into(), dataset)]),
            hops: vec![Hop {
                id: Some("hop1".into()),
                from: "exporter".into(),
                to: "recipient".into(),
                data: vec!["data".into()],
                after: None,
                facts: hop,
            }],
        }
    }

    /// The id of a hop: its own, or `hopN` by position.
    pub fn hop_id(&self, index: usize) -> String {
        self.hops.get(index).and_then(|h| h.id.clone()).unwrap_or_else(|| format!("hop{}", index + 1))
    }
}
