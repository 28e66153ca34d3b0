//! The one canonical encoding: RFC 8785 (JCS) restricted to integers.

use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// Why a value has no canonical encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CanonicalError {
    /// The value holds a number that is not an integer within ±(2^53 − 1); write it as text.
    NotAnInteger(String),
    /// The value cannot be represented as JSON at all.
    NotJson(String),
}

impl fmt::Display for CanonicalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnInteger(n) => write!(f, "`{n}` is not an integer that JSON carries exactly; write it as text"),
            Self::NotJson(why) => write!(f, "the value has no JSON form: {why}"),
        }
    }
}

impl std::error::Error for CanonicalError {}

/// The largest integer that every JSON reader carries exactly (RFC 7493, 2.2).
const INTEGER_MAX: i64 = (1 << 53) - 1;

/// Encodes a value per RFC 8785; equal values give equal bytes. Floats are refused.
pub fn to_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let value = serde_json::to_value(value).map_err(|e| CanonicalError::NotJson(e.to_string()))?;
    let mut out = Vec::with_capacity(256);
    write_value(&value, &mut out)?;
    Ok(out)
}

fn write_value(value: &Value, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(n) => match n.as_i64() {
            Some(i) if (-INTEGER_MAX..=INTEGER_MAX).contains(&i) => out.extend_from_slice(i.to_string().as_bytes()),
            _ => return Err(CanonicalError::NotAnInteger(n.to_string())),
        },
        Value::String(s) => write_text(s, out),
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_value(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            // RFC 8785, 3.2.3: order by UTF-16 code units, which differs from byte order beyond U+FFFF.
            keys.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_text(key, out);
                out.push(b':');
                if let Some(item) = map.get(key) {
                    write_value(item, out)?;
                }
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\r' => out.extend_from_slice(b"\\r"),
            c if (c as u32) < 0x20 => out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_smallest_integer_is_refused_as_every_other_that_is_too_large() {
        assert!(to_bytes(&i64::MIN).is_err());
        assert!(to_bytes(&-INTEGER_MAX).is_ok());
        assert!(to_bytes(&(-INTEGER_MAX - 1)).is_err());
    }

    #[test]
    fn keys_are_ordered_by_utf16_as_in_rfc_8785_3_2_3() {
        let value = json!({"\u{20ac}":"Euro","\r":"CR","\u{fb33}":"Dalet","1":"One","\u{1f600}":"Smile","\u{80}":"Ctrl","\u{f6}":"o"});
        let text = String::from_utf8(to_bytes(&value).unwrap()).unwrap();
        let order: Vec<usize> = ["CR", "One", "Ctrl", "\"o\"", "Euro", "Smile", "Dalet"].iter().map(|w| text.find(w).unwrap()).collect();
        assert!(order.windows(2).all(|w| w[0] < w[1]), "{text}");
    }

    #[test]
    fn floats_and_large_integers_are_refused() {
        assert!(matches!(to_bytes(&json!(1.5)), Err(CanonicalError::NotAnInteger(_))));
        assert!(matches!(to_bytes(&json!(1u64 << 60)), Err(CanonicalError::NotAnInteger(_))));
        assert_eq!(to_bytes(&json!([true, null, -3])).unwrap(), b"[true,null,-3]");
    }

    #[test]
    fn control_characters_take_the_short_form() {
        assert_eq!(to_bytes("\u{8}\n\u{1}\u{7f}\"\\").unwrap(), "\"\\b\\n\\u0001\u{7f}\\\"\\\\\"".as_bytes());
    }
}
