//! JSON Schema, as far as the shapes of claims use it.
//!
//! INVARIANT: a keyword that asserts something and is not understood refuses; it is never ignored.
//!
//! LIMIT: no `pattern` and no `$ref` beyond the document itself; `format` is a note, as the standard has it by default.

use serde_json::{Map, Value};
use std::fmt;

// LIMIT: how deep schemas and references go.
const DEPTH_MAX: usize = 32;

/// Why a value does not have the shape, or the shape cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShapeError {
    /// The schema says something that is not understood.
    NotUnderstood(String),
    /// The value breaks this keyword at this place.
    Broken {
        /// A JSON Pointer into the value.
        at: String,
        /// The keyword.
        keyword: String,
    },
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShapeError::NotUnderstood(what) => write!(f, "the schema's `{what}` is not understood"),
            ShapeError::Broken { at, keyword } => write!(f, "`{at}` breaks the schema's `{keyword}`"),
        }
    }
}

impl std::error::Error for ShapeError {}

/// Checks a value against a schema.
pub fn check(schema: &Value, value: &Value) -> Result<(), ShapeError> {
    Checker { root: schema }.check(schema, value, "", 0)
}

struct Checker<'a> {
    root: &'a Value,
}

fn not_understood(what: &str) -> ShapeError {
    ShapeError::NotUnderstood(what.chars().take(60).collect())
}

impl Checker<'_> {
    fn check(&self, schema: &Value, value: &Value, at: &str, depth: usize) -> Result<(), ShapeError> {
        if depth > DEPTH_MAX {
            return Err(not_understood("depth"));
        }
        match schema {
            Value::Bool(true) => Ok(()),
            Value::Bool(false) => Err(ShapeError::Broken { at: at.to_owned(), keyword: "false".into() }),
            Value::Object(keywords) => keywords
                .iter()
                .try_for_each(|(keyword, said)| self.keyword(keywords, keyword, said, value, at, depth)),
            _ => Err(not_understood("schema")),
        }
    }

    fn keyword(
        &self,
        all: &Map<String, Value>,
        keyword: &str,
        said: &Value,
        value: &Value,
        at: &str,
        depth: usize,
    ) -> Result<(), ShapeError> {
        let odd = || not_understood(keyword);
        let hold = |holds: bool| match holds {
            true => Ok(()),
            false => Err(ShapeError::Broken { at: at.to_owned(), keyword: keyword.to_owned() }),
        };
        let inside = |schema: &Value, value: &Value, name: &str| {
            self.check(schema, value, &format!("{at}/{name}"), depth + 1)
        };
        let count = || said.as_u64().ok_or_else(odd);
        let list = || said.as_array().ok_or_else(odd);
        let here = |schema: &Value| self.check(schema, value, at, depth + 1);
        let passes = |schema: &Value| match here(schema) {
            Ok(()) => Ok(true),
            Err(ShapeError::Broken { .. }) => Ok(false),
            Err(e) => Err(e),
        };
        match keyword {
            "$schema" | "$id" | "id" | "$comment" | "$defs" | "definitions" | "title" | "description"
            | "default" | "examples" | "format" | "readOnly" | "writeOnly" | "deprecated" => Ok(()),
            "$ref" => {
                let pointer = said.as_str().and_then(|r| r.strip_prefix('#')).ok_or_else(odd)?;
                here(self.root.pointer(pointer).ok_or_else(odd)?)
            }
            "type" => match said {
                Value::String(kind) => hold(is(kind, value).ok_or_else(odd)?),
                _ => {
                    let kinds = list()?.iter().map(|k| k.as_str().and_then(|k| is(k, value)));
                    let kinds: Option<Vec<bool>> = kinds.collect();
                    hold(kinds.ok_or_else(odd)?.contains(&true))
                }
            },
            "const" => hold(said == value),
            "enum" => hold(list()?.contains(value)),
            "required" => {
                let Value::Object(members) = value else { return Ok(()) };
                list()?.iter().try_for_each(|name| hold(members.contains_key(name.as_str().ok_or_else(odd)?)))
            }
            "properties" => {
                let Value::Object(members) = value else { return Ok(()) };
                said.as_object().ok_or_else(odd)?.iter().try_for_each(|(name, schema)| {
                    members.get(name).map_or(Ok(()), |member| inside(schema, member, name))
                })
            }
            "additionalProperties" => {
                let Value::Object(members) = value else { return Ok(()) };
                let known = all.get("properties").and_then(Value::as_object);
                let others = members.iter().filter(|(name, _)| !known.is_some_and(|k| k.contains_key(*name)));
                others.into_iter().try_for_each(|(name, member)| inside(said, member, name))
            }
            "items" => {
                let Value::Array(items) = value else { return Ok(()) };
                if said.is_array() {
                    return Err(odd());
                }
                items.iter().enumerate().try_for_each(|(n, item)| inside(said, item, &n.to_string()))
            }
            "contains" => {
                let Value::Array(items) = value else { return Ok(()) };
                for item in items {
                    match self.check(said, item, at, depth + 1) {
                        Ok(()) => return Ok(()),
                        Err(ShapeError::Broken { .. }) => {}
                        Err(e) => return Err(e),
                    }
                }
                hold(false)
            }
            "minItems" => hold(value.as_array().map_or(Ok(true), |v| count().map(|n| v.len() as u64 >= n))?),
            "maxItems" => hold(value.as_array().map_or(Ok(true), |v| count().map(|n| v.len() as u64 <= n))?),
            "minLength" => hold(length(value).map_or(Ok(true), |l| count().map(|n| l >= n))?),
            "maxLength" => hold(length(value).map_or(Ok(true), |l| count().map(|n| l <= n))?),
            "minimum" => hold(number(value, said).ok_or_else(odd)?.is_none_or(|(v, n)| v >= n)),
            "maximum" => hold(number(value, said).ok_or_else(odd)?.is_none_or(|(v, n)| v <= n)),
            "allOf" => list()?.iter().try_for_each(here),
            "anyOf" => {
                let mut any = false;
                for schema in list()? {
                    any |= passes(schema)?;
                }
                hold(any)
            }
            "oneOf" => {
                let mut n = 0;
                for schema in list()? {
                    n += usize::from(passes(schema)?);
                }
                hold(n == 1)
            }
            "not" => hold(!passes(said)?),
            _ => Err(odd()),
        }
    }
}

fn is(kind: &str, value: &Value) -> Option<bool> {
    Some(match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => return None,
    })
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

/// Both as numbers; the inner is empty when the value is no number, the outer when the bound is none.
fn number(value: &Value, bound: &Value) -> Option<Option<(f64, f64)>> {
    let bound = bound.as_f64()?;
    Some(value.as_f64().map(|value| (value, bound)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shapes_hold_or_break_where_it_is_said() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "required": ["id", "level"],
            "properties": {
                "id": { "type": "string", "minLength": 3 },
                "level": { "enum": ["one", "two"] },
                "since": { "type": "integer", "minimum": 1900 },
                "marks": { "type": "array", "items": { "$ref": "#/$defs/mark" }, "maxItems": 2 },
            },
            "additionalProperties": false,
            "$defs": { "mark": { "type": ["string", "null"] } },
        });
        let check = |value: Value| match check(&schema, &value) {
            Err(ShapeError::Broken { at, keyword }) => format!("{at} {keyword}"),
            other => format!("{other:?}"),
        };
        assert_eq!(
            check(json!({ "id": "abc", "level": "one", "since": 2020, "marks": ["a", null] })),
            "Ok(())"
        );
        assert_eq!(check(json!({ "id": "abc" })), " required");
        assert_eq!(check(json!({ "id": "ab", "level": "one" })), "/id minLength");
        assert_eq!(check(json!({ "id": "abc", "level": "three" })), "/level enum");
        assert_eq!(check(json!({ "id": "abc", "level": "one", "since": 1 })), "/since minimum");
        assert_eq!(check(json!({ "id": "abc", "level": "one", "since": "x" })), "/since type");
        assert_eq!(check(json!({ "id": "abc", "level": "one", "marks": [1] })), "/marks/0 type");
        assert_eq!(check(json!({ "id": "abc", "level": "one", "more": 1 })), "/more false");
        assert_eq!(check(json!("text")), " type");
    }

    #[test]
    fn combinations() {
        let schema = json!({
            "anyOf": [{ "const": 1 }, { "const": 2 }],
            "not": { "const": 2 },
            "oneOf": [{ "type": "integer" }, { "type": "string" }],
        });
        assert_eq!(check(&schema, &json!(1)), Ok(()));
        for value in [json!(2), json!(3)] {
            assert!(matches!(check(&schema, &value), Err(ShapeError::Broken { .. })), "{value}");
        }
    }

    #[test]
    fn what_is_not_understood_refuses() {
        for schema in [
            json!({ "pattern": "a" }),
            json!({ "$ref": "https://elsewhere.example/s" }),
            json!({ "$ref": "#" }),
            json!({ "type": "date" }),
            json!({ "not": { "unevaluatedProperties": false } }),
            json!(7),
        ] {
            assert!(matches!(check(&schema, &json!({})), Err(ShapeError::NotUnderstood(_))), "{schema}");
        }
    }
}
