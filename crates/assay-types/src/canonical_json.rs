//! Canonical JSON (RFC 8785) with integers only, and a reader that accepts nothing else.
//!
//! Manifests and fraud proofs are written and read here; equal values give equal bytes, so their digests mean
//! something. Floats and integers from 2^53 on are refused: every reader must see the same number.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

/// Most bytes of a document (mechanism §2: manifest 4 MiB).
pub const JSON_BYTES_MAX: usize = 4 << 20;

/// Most nested arrays and objects.
pub const JSON_DEPTH_MAX: usize = 32;

/// Integers are below this: 2^53, the range in which every JSON reader is exact.
pub const JSON_INTEGER_END: u64 = 1 << 53;

/// Why bytes are no canonical document, or a value has no canonical form.
#[derive(Debug, Error)]
pub enum CanonicalJsonError {
    /// Too many bytes.
    #[error("document of {found} bytes exceeds {max}")]
    TooLong {
        /// Bytes given.
        found: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Nested too deeply.
    #[error("document nests deeper than {JSON_DEPTH_MAX}")]
    TooDeep,
    /// Not JSON, or not of the wanted shape (unknown, missing or repeated keys, wrong types).
    #[error("document is not of the expected form")]
    Form(#[source] serde_json::Error),
    /// A number that is no integer or too large.
    #[error("number `{0}` is not an integer below 2^53")]
    Number(String),
    /// Valid JSON, but spaced, ordered or spelled otherwise than RFC 8785 says.
    #[error("document is not in canonical form from byte {at} on")]
    NotCanonical {
        /// First byte that differs from the canonical spelling.
        at: usize,
    },
}

/// The canonical bytes of `value`: keys by UTF-16 code units, no spaces, shortest escapes.
///
/// # Errors
/// [`CanonicalJsonError`] for floats, integers of 2^53 or more in magnitude, and too deep nesting.
pub fn to_bytes(value: &Value) -> Result<Vec<u8>, CanonicalJsonError> {
    let mut out = Vec::new();
    write(value, JSON_DEPTH_MAX, &mut out)?;
    Ok(out)
}

/// [`to_bytes`] of anything that serialises.
///
/// # Errors
/// As [`to_bytes`], and if `value` does not serialise to JSON.
pub fn emit<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalJsonError> {
    to_bytes(&serde_json::to_value(value).map_err(CanonicalJsonError::Form)?)
}

/// The value of a canonical document of at most `bytes_max` bytes.
///
/// Repeated keys, spaces and other spellings are refused because emitting the parsed value again gives other
/// bytes.
///
/// # Errors
/// [`CanonicalJsonError`] for anything but the canonical bytes of some value.
pub fn parse(bytes: &[u8], bytes_max: usize) -> Result<Value, CanonicalJsonError> {
    if bytes.len() > bytes_max {
        return Err(CanonicalJsonError::TooLong {
            found: bytes.len(),
            max: bytes_max,
        });
    }
    check_depth(bytes)?;
    let value: Value = serde_json::from_slice(bytes).map_err(CanonicalJsonError::Form)?;
    check_same(&to_bytes(&value)?, bytes)?;
    Ok(value)
}

/// [`parse`] into a type, which must emit the same bytes again: no optional key has two spellings.
///
/// # Errors
/// As [`parse`], and if the document is not a `T`.
pub fn parse_as<T>(bytes: &[u8], bytes_max: usize) -> Result<T, CanonicalJsonError>
where
    T: Serialize + DeserializeOwned,
{
    let value = T::deserialize(parse(bytes, bytes_max)?).map_err(CanonicalJsonError::Form)?;
    check_same(&emit(&value)?, bytes)?;
    Ok(value)
}

/// Whether `found` is byte for byte the `canonical` spelling.
fn check_same(canonical: &[u8], found: &[u8]) -> Result<(), CanonicalJsonError> {
    if canonical == found {
        return Ok(());
    }
    let at = canonical.iter().zip(found).take_while(|(a, b)| a == b).count();
    Err(CanonicalJsonError::NotCanonical { at })
}

/// Whether brackets outside of strings nest no deeper than allowed, before any memory is spent on them.
fn check_depth(bytes: &[u8]) -> Result<(), CanonicalJsonError> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > JSON_DEPTH_MAX {
            return Err(CanonicalJsonError::TooDeep);
        }
    }
    Ok(())
}

/// Appends `value`, which may nest `depth_left` levels more.
fn write(value: &Value, depth_left: usize, out: &mut Vec<u8>) -> Result<(), CanonicalJsonError> {
    let deeper = || depth_left.checked_sub(1).ok_or(CanonicalJsonError::TooDeep);
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => {
            let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            if magnitude.is_none_or(|magnitude| magnitude >= JSON_INTEGER_END) {
                return Err(CanonicalJsonError::Number(number.to_string()));
            }
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            let deeper = deeper()?;
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, deeper, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let deeper = deeper()?;
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (i, (key, member)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_string(key, out);
                out.push(b':');
                write(member, deeper, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// Appends a string with the escapes of RFC 8785 §3.2.2.2.
fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[track_caller]
    fn refused(bytes: &[u8], message: &str) {
        let error = parse(bytes, JSON_BYTES_MAX).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn keys_are_ordered_by_utf16_and_escapes_are_the_shortest() {
        // The order of RFC 8785 §3.2.3: U+FB33 sorts after the surrogates of U+1F600.
        let value =
            json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "ö": 7});
        let bytes = to_bytes(&value).unwrap();
        let expected =
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        assert_eq!(
            to_bytes(&json!("\u{1f}\u{7f}/\"\u{8}")).unwrap(),
            b"\"\\u001f\x7f/\\\"\\b\""
        );
    }

    #[test]
    fn other_spellings_are_refused() {
        refused(b"{ }", "not in canonical form from byte 1");
        refused(br#"{"b":1,"a":2}"#, "not in canonical form");
        refused(br#"{"a":1,"a":1}"#, "not in canonical form");
        refused(br#""\u0041""#, "not in canonical form");
        refused(b"[1.0]", "not an integer");
        refused(b"-0", "not an integer");
        refused(b"9007199254740992", "not an integer");
        refused(b"{\"a\":1}\n", "not in canonical form");
        refused(b"[", "not of the expected form");
        refused("[".repeat(100).as_bytes(), "deeper than 32");
        refused(&vec![b' '; JSON_BYTES_MAX + 1], "exceeds");
        assert!(parse(br#"[{"a":-9007199254740991},true,null]"#, JSON_BYTES_MAX).is_ok());
        let deep = format!("{}{}", "[".repeat(32), "]".repeat(32));
        assert!(parse(deep.as_bytes(), JSON_BYTES_MAX).is_ok());
    }

    /// Values with every form of leaf and a few levels.
    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-(1_i64 << 53) + 1..1 << 53).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_survive_the_round_trip(value in any_value()) {
            let bytes = to_bytes(&value).unwrap();
            prop_assert_eq!(parse(&bytes, JSON_BYTES_MAX).unwrap(), value);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = parse(&bytes, JSON_BYTES_MAX) {
                prop_assert_eq!(to_bytes(&value).unwrap(), bytes);
            }
        }
    }
}
