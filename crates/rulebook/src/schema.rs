//! The JSON Schema of a transfer, from skeleton and vocabulary, a sentence for each field in both languages.

use crate::vocabulary::{Bearer, Domain, Fact, Vocabulary};
use serde_json::{Map, Value, json};

/// Renders the JSON Schema (draft 2020-12) of [`model::transfer::Transfer`] under this vocabulary.
pub fn transfer_schema(vocabulary: &Vocabulary) -> Value {
    let facts = |bearer: Bearer| {
        let properties: Map<String, Value> =
            vocabulary.facts.values().filter(|f| f.on == bearer).map(|f| (f.id.clone(), fact_schema(f))).collect();
        json!({ "type": "object", "additionalProperties": false, "properties": properties })
    };
    let places: Vec<&String> = vocabulary.places.keys().collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Transfer",
        "description": "The legal act to be judged: parties, datasets, hops, and facts hung on them. | 判定の対象となる移転行為:当事者・データセット・ホップと、それぞれに付く事実。",
        "type": "object",
        "additionalProperties": false,
        "required": ["parties", "datasets", "hops"],
        "properties": {
            "id": { "type": "string", "description": "A name of your own for this transfer; never a person's. | この移転の呼び名(個人名は不可)。" },
            "parties": { "type": "object", "description": "The parties by a local name. | 当事者(任意の名前ごと)。", "additionalProperties": {
                "type": "object", "additionalProperties": false, "properties": {
                    "name": { "type": "string", "description": "Its name, for people. | 表示用の名称。" },
                    "facts": facts(Bearer::Party) } } },
            "datasets": { "type": "object", "description": "What moves, by a local name. | 移転されるデータセット(任意の名前ごと)。", "additionalProperties": {
                "type": "object", "additionalProperties": false, "properties": {
                    "name": { "type": "string", "description": "Its name, for people. | 表示用の名称。" },
                    "facts": facts(Bearer::Data),
                    "subjects": { "type": "object", "description": "Groups of people in it. | 含まれる本人のグループ。", "additionalProperties": facts(Bearer::Subjects) } } } },
            "hops": { "type": "array", "minItems": 1, "description": "Steps from a party to a party. | 当事者間の各ホップ。", "items": {
                "type": "object", "additionalProperties": false, "required": ["from", "to", "data"], "properties": {
                    "id": { "type": "string", "description": "A local name of the hop. | ホップの名前。" },
                    "from": { "type": "string", "description": "The party that gives. | 送り手。" },
                    "to": { "type": "string", "description": "The party that gets. | 受け手。" },
                    "data": { "type": "array", "minItems": 1, "items": { "type": "string" }, "description": "The datasets that move. | 移転されるデータセット。" },
                    "after": { "type": "string", "description": "The hop before, if this one is onward. | 前のホップ(再移転の場合)。" },
                    "facts": facts(Bearer::Hop) } } }
        },
        "$defs": { "place": { "enum": places, "description": "ISO 3166-1 alpha-2, or a named part of a place. | ISO 3166-1の2文字コード又はその一部の名称。" },
            "standing": { "enum": ["claimed", "evidenced"], "description": "How well a fact is supported. | 事実の裏付けの程度。" } }
    })
}

fn fact_schema(fact: &Fact) -> Value {
    let words = |ws: &[crate::vocabulary::Word]| {
        let mut one: Vec<Value> = ws.iter().map(|w| json!({ "const": w.id, "description": format!("{} | {}", w.label.en, w.label.ja) })).collect();
        one.push(json!({ "const": "unknown", "description": "not known | 不明" }));
        one
    };
    let value = match &fact.domain {
        Domain::YesNo => json!({ "enum": [true, false, "yes", "no", "unknown"] }),
        Domain::OneOf(ws) => json!({ "oneOf": words(ws) }),
        Domain::SetOf(ws) => json!({ "oneOf": [{ "type": "array", "items": { "oneOf": words(ws) } }, { "oneOf": words(ws) }] }),
        Domain::Count => json!({ "oneOf": [{ "type": "integer", "minimum": 0 }, { "const": "unknown" },
            { "type": "object", "required": ["at_least", "at_most"], "properties": { "at_least": { "type": "integer" }, "at_most": { "type": "integer" } } }] }),
        Domain::Date => json!({ "oneOf": [{ "type": "string", "format": "date" }, { "const": "unknown" }] }),
        Domain::Place => json!({ "oneOf": [{ "$ref": "#/$defs/place" }, { "const": "unknown" }] }),
        Domain::Places => json!({ "type": "array", "items": { "$ref": "#/$defs/place" } }),
    };
    json!({
        "description": format!("{} | {}", fact.ask.en.replace("{party}", "the party"), fact.ask.ja.replace("{party}", "当事者")),
        "anyOf": [value, { "type": "object", "required": ["value"], "additionalProperties": false, "properties": {
            "value": value, "standing": { "$ref": "#/$defs/standing" }, "on": { "type": "string", "format": "date" },
            "until": { "type": "string", "format": "date" }, "by": { "type": "string" }, "document": { "type": "string" } } }]
    })
}
