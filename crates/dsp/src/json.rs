//! JSON from strangers: bytes to a value within named limits, and the digest by which a repeat is known.

use model::Digest;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;

/// LIMIT: bytes of one control message; a peer that sends more is refused before parsing.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// LIMIT: bytes of a catalog page that we read as a client.
pub const CATALOG_BYTES_MAX: usize = 32 << 20;
/// LIMIT: nesting of arrays and objects.
pub const DEPTH_MAX: usize = 32;
/// LIMIT: values in one message, keys not counted.
pub const VALUES_MAX: usize = 50_000;
/// LIMIT: values in one catalog page.
pub const CATALOG_VALUES_MAX: usize = 2_000_000;

/// Says why bytes are not a message of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    code: &'static str,
    at: String,
    message: String,
}

impl Malformed {
    /// Names a fault at a JSON pointer.
    pub fn new(code: &'static str, at: impl Into<String>, message: impl Into<String>) -> Malformed {
        Malformed { code, at: at.into(), message: message.into() }
    }

    /// Returns the stable code, such as `dsp/too-large`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns the JSON pointer to the place, empty for the whole message.
    pub fn at(&self) -> &str {
        &self.at
    }

    /// Returns the explanation without the place.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.is_empty() {
            true => write!(f, "{}", self.message),
            false => write!(f, "`{}`: {}", self.at, self.message),
        }
    }
}

impl std::error::Error for Malformed {}

/// Reads a control message: size, depth and number of values are limited and a key may not occur twice.
pub fn read(bytes: &[u8]) -> Result<Value, Malformed> {
    read_within(bytes, MESSAGE_BYTES_MAX, VALUES_MAX)
}

/// Reads a catalog page, which may be larger than a control message.
pub fn read_catalog(bytes: &[u8]) -> Result<Value, Malformed> {
    read_within(bytes, CATALOG_BYTES_MAX, CATALOG_VALUES_MAX)
}

fn read_within(bytes: &[u8], bytes_max: usize, values_max: usize) -> Result<Value, Malformed> {
    if bytes.len() > bytes_max {
        return Err(Malformed::new("dsp/too-large", "", format!("the body has more than {bytes_max} bytes")));
    }
    let left = Cell::new(values_max);
    let mut text = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: DEPTH_MAX, left: &left }
        .deserialize(&mut text)
        .map_err(|e| Malformed::new("dsp/not-json", "", e.to_string()))?;
    text.end().map_err(|e| Malformed::new("dsp/not-json", "", e.to_string()))?;
    Ok(value)
}

/// Digests a message body so that the same message in another key order or spacing is the same message.
///
/// A body that RFC 8785 without floats cannot hold is digested as serialized.
pub fn digest(value: &Value) -> Digest {
    match model::canonical::to_bytes(value) {
        Ok(bytes) => Digest::of(&bytes),
        Err(_) => Digest::of(value.to_string().as_bytes()),
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    left: &'a Cell<usize>,
}

impl Strict<'_> {
    fn spend<E: de::Error>(&self) -> Result<(), E> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(E::custom("the body holds too many values")),
        }
    }

    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Strict { depth, ..self }),
            None => Err(E::custom(format!("the body nests deeper than {DEPTH_MAX}"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        self.spend()?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_f64<E: de::Error>(self, v: f64) -> Result<Value, E> {
        Number::from_f64(v).map(Value::Number).ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(inner)?;
            // Two readers that keep different ones of two equal keys would see two contracts.
            if object.insert(key.clone(), value).is_some() {
                return Err(de::Error::custom(format!("the key `{key}` occurs twice")));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_bodies_are_refused() {
        assert_eq!(read(br#"{"a":1,"a":2}"#).unwrap_err().code(), "dsp/not-json");
        assert!(read(b"{} {}").is_err());
        let deep = format!("{}{}", "[".repeat(DEPTH_MAX + 1), "]".repeat(DEPTH_MAX + 1));
        assert!(read(deep.as_bytes()).unwrap_err().message().contains("deeper"));
        let flat = format!("{}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
        assert!(read(flat.as_bytes()).is_ok());
        let long = vec![b' '; MESSAGE_BYTES_MAX + 1];
        assert_eq!(read(&long).unwrap_err().code(), "dsp/too-large");
        let many = format!("[{}1]", "1,".repeat(VALUES_MAX));
        assert!(read(many.as_bytes()).unwrap_err().message().contains("too many"));
    }

    #[test]
    fn key_order_and_spacing_do_not_change_the_digest() {
        let a = read(br#"{"x":1,"y":["z"]}"#).unwrap();
        let b = read(br#" { "y" : ["z"], "x":1 } "#).unwrap();
        assert_eq!(digest(&a), digest(&b));
        assert_ne!(digest(&a), digest(&read(br#"{"x":1,"y":["Z"]}"#).unwrap()));
        // Floats have no canonical form; they still have a digest.
        assert_eq!(digest(&read(b"[1.5]").unwrap()), digest(&read(b"[1.5]").unwrap()));
    }
}
