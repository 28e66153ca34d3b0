//! Messages of the catalog protocol, DSP 2025-1.

use super::terms::Terms;
use super::{Context, Grounds};
use crate::json::{self, Malformed};
use crate::schema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Asks for a catalog.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogRequest {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// An implementation-specific filter; ours is [`crate::catalog::Filter`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<Value>,
}

/// Asks for one dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetRequest {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// The dataset's id.
    pub dataset: String,
}

/// Says why there is no catalog or dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogError {
    /// The JSON-LD context.
    #[serde(rename = "@context")]
    pub context: Context,
    /// A short code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reason: Vec<Value>,
}

impl CatalogError {
    /// Makes an error body.
    pub fn new(grounds: Grounds) -> CatalogError {
        CatalogError { context: Context::default(), code: grounds.code, reason: grounds.reason }
    }
}

/// A catalog: what a provider shows to one asker, or a catalog within a catalog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Catalog {
    /// The JSON-LD context; present on the outermost catalog alone.
    #[serde(rename = "@context", default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// The catalog's id.
    #[serde(rename = "@id")]
    pub id: String,
    #[serde(rename = "@type")]
    tag: CatalogTag,
    /// Whose catalog; present on the outermost catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<String>,
    /// Where the catalog itself is obtained, for a catalog within a catalog.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distribution: Vec<Distribution>,
    /// The datasets; left out when there are none, since the schema forbids an empty array.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dataset: Vec<Dataset>,
    /// Catalogs within.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catalog: Vec<Catalog>,
    /// The connectors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service: Vec<DataService>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum CatalogTag {
    #[default]
    Catalog,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum DatasetTag {
    #[default]
    Dataset,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum DistributionTag {
    #[default]
    Distribution,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum ServiceTag {
    #[default]
    DataService,
}

impl Catalog {
    /// Makes the outermost catalog of a participant, per DSP 2025-1 (ACK, catalog).
    pub fn root(id: &str, participant_id: &str, service: DataService, dataset: Vec<Dataset>) -> Catalog {
        Catalog {
            context: Some(Context::default()),
            id: id.to_owned(),
            tag: CatalogTag::Catalog,
            participant_id: Some(participant_id.to_owned()),
            distribution: Vec::new(),
            dataset,
            catalog: Vec::new(),
            service: vec![service],
        }
    }

    /// Reads a catalog page that a peer sent.
    pub fn read(bytes: &[u8]) -> Result<Catalog, Malformed> {
        typed(json::read_catalog(bytes)?, "Catalog")
    }

    /// Returns the JSON.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

/// A dataset with its offers and the forms in which it is to be had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dataset {
    /// The dataset's id.
    #[serde(rename = "@id")]
    pub id: String,
    #[serde(rename = "@type", default, deserialize_with = "any_type")]
    tag: DatasetTag,
    /// The offers; at least one.
    pub has_policy: Vec<Terms>,
    /// The forms; at least one.
    pub distribution: Vec<Distribution>,
    /// Further properties, such as `dct:title` and `dcat:keyword`.
    #[serde(flatten)]
    pub properties: Map<String, Value>,
}

impl Dataset {
    /// Makes a dataset.
    pub fn new(id: &str, has_policy: Vec<Terms>, distribution: Vec<Distribution>) -> Dataset {
        let tag = DatasetTag::Dataset;
        Dataset { id: id.to_owned(), tag, has_policy, distribution, properties: Map::new() }
    }

    /// Adds a further property; the keys of the schema cannot be overwritten.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Dataset {
        if !["@id", "@type", "@context", "hasPolicy", "distribution"].contains(&name) {
            self.properties.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Reads a dataset that a peer sent as an answer of its own.
    pub fn read(bytes: &[u8]) -> Result<Dataset, Malformed> {
        let mut body = json::read(bytes)?;
        if let Some(map) = body.as_object_mut() {
            // The dataset schema leaves `@type` open; our check tells schemas apart by it.
            map.entry("@type").or_insert_with(|| "Dataset".into());
        }
        let mut dataset: Dataset = typed(body, "Dataset")?;
        dataset.properties.remove("@context");
        Ok(dataset)
    }

    /// Returns the JSON as an answer of its own, with `@context`.
    pub fn to_root_value(&self) -> Value {
        let mut value = serde_json::to_value(self).unwrap_or(Value::Null);
        if let Some(map) = value.as_object_mut() {
            map.insert("@context".into(), Value::from(Context::default().addresses().to_vec()));
        }
        value
    }
}

/// One form of a dataset and the service that gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Distribution {
    #[serde(rename = "@type", default, deserialize_with = "any_type")]
    tag: DistributionTag,
    /// The format, which a transfer request names.
    pub format: String,
    /// Offers for this form alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub has_policy: Vec<Terms>,
    /// The service or its id.
    pub access_service: AccessService,
}

impl Distribution {
    /// Makes a form that the service of this id gives.
    pub fn new(format: &str, service_id: &str) -> Distribution {
        Distribution {
            tag: DistributionTag::Distribution,
            format: format.to_owned(),
            has_policy: Vec::new(),
            access_service: AccessService::Id(service_id.to_owned()),
        }
    }

    /// Makes a form that carries its service in full, as a dataset answer needs.
    pub fn with_service(format: &str, service: DataService) -> Distribution {
        Distribution { access_service: AccessService::Service(service), ..Distribution::new(format, "") }
    }
}

/// A data service, or the id of one in the same catalog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AccessService {
    /// The id.
    Id(String),
    /// The service.
    Service(DataService),
}

/// A connector where contracts are negotiated and data is obtained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataService {
    /// The service's id.
    #[serde(rename = "@id")]
    pub id: String,
    #[serde(rename = "@type")]
    tag: ServiceTag,
    /// The base address that the protocol paths extend.
    #[serde(rename = "endpointURL")]
    pub endpoint_url: String,
}

impl DataService {
    /// Makes a service.
    pub fn new(id: &str, endpoint_url: &str) -> DataService {
        DataService { id: id.to_owned(), tag: ServiceTag::DataService, endpoint_url: endpoint_url.to_owned() }
    }
}

/// The schema leaves the `@type` of datasets and distributions open, and some peers list several.
fn any_type<'de, D: serde::Deserializer<'de>, T: Default>(from: D) -> Result<T, D::Error> {
    serde::de::IgnoredAny::deserialize(from).map(|_| T::default())
}

fn typed<T: serde::de::DeserializeOwned>(body: Value, kind: &str) -> Result<T, Malformed> {
    if let Some(first) = schema::check(&body).into_iter().next() {
        return Err(first);
    }
    if body.get("@type").and_then(Value::as_str) != Some(kind) {
        return Err(Malformed::new("dsp/schema", "", format!("a `{kind}` was expected")));
    }
    serde_json::from_value(body).map_err(|e| Malformed::new("dsp/schema", "", e.to_string()))
}
