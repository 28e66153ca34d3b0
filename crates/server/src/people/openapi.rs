//! The description of `/v1`, OpenAPI 3.1: paths from the code, the transfer's schema from the vocabulary.

use super::{acts, api::Described};
use rulebook::{book::Rulebook, schema::transfer_schema};
use serde_json::{Value, json};
use utoipa::OpenApi as _;

/// Renders the document.
pub fn document(book: &Rulebook) -> Value {
    let mut value = serde_json::to_value(Described::openapi().merge_from(acts::Described::openapi()).merge_from(crate::space::Described::openapi()).merge_from(crate::duties::Described::openapi()).merge_from(crate::observed::Described::openapi()).merge_from(crate::claims::Described::openapi()).merge_from(crate::signaling::Described::openapi()).merge_from(crate::participants::Described::openapi())).unwrap_or_default();
    let mut transfer = transfer_schema(&book.vocabulary);
    if let Some(map) = transfer.as_object_mut() {
        // Its references begin at its own root.
        map.insert("$id".into(), "/v1/schema/transfer".into());
    }
    if let Some(info) = value.pointer_mut("/info") {
        *info = json!({
            "title": "Tegata",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Whether data may cross a border, by which article, and what is the cheapest way. Information, not legal advice.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        });
    }
    if let Some(components) = value.pointer_mut("/components").and_then(Value::as_object_mut) {
        if let Some(schemas) = components.get_mut("schemas").and_then(Value::as_object_mut) {
            schemas.insert("Transfer".into(), transfer);
        }
        let scheme = json!({ "type": "http", "scheme": "bearer", "description": "a token of the participant" });
        components.insert("securitySchemes".into(), json!({ "token": scheme }));
    }
    let refs = [
        ("/components/schemas/Checks/properties/transfer", json!({ "$ref": "#/components/schemas/Transfer" })),
        (
            "/components/schemas/Checks/properties/transfers",
            json!({ "type": "array", "items": { "$ref": "#/components/schemas/Transfer" } }),
        ),
    ];
    for (place, schema) in refs {
        if let Some(slot) = value.pointer_mut(place) {
            *slot = schema;
        }
    }
    value
}
