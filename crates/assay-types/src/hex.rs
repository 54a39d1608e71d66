//! Fixed-length byte strings written as lower-case hexadecimal, the one text form of every digest and key.
//!
//! Data comes from JSON, TOML and the command line as text; it leaves as the newtypes of `hash.rs` and `ids.rs`.

use thiserror::Error;

/// Why a text is not the hexadecimal form of a fixed number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HexError {
    /// The text has another number of characters than twice the number of bytes.
    #[error("expected {expected} hexadecimal digits, found {found} bytes of text")]
    Length {
        /// Digits wanted.
        expected: usize,
        /// Bytes of text given.
        found: usize,
    },
    /// A character is not one of `0-9a-f`; capitals are refused so that every value has one spelling.
    #[error("byte {at} of the text is not a lower-case hexadecimal digit")]
    Digit {
        /// Byte position of the first offending character.
        at: usize,
    },
}

/// `bytes` as lower-case hexadecimal text, two digits a byte.
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(*DIGITS.get(usize::from(nibble)).unwrap_or(&b'0'));
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// The `N` bytes that `text` spells.
///
/// # Errors
/// [`HexError`] if the length is not `2·N` or a character is not in `0-9a-f`.
pub fn decode<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return Err(HexError::Length {
            expected: 2 * N,
            found: digits.len(),
        });
    }
    let mut out = [0; N];
    for (at, &digit) in digits.iter().enumerate() {
        let nibble = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return Err(HexError::Digit { at }),
        };
        if let Some(byte) = out.get_mut(at / 2) {
            *byte = (*byte << 4) | nibble;
        }
    }
    Ok(out)
}

/// The OpenAPI schema of `digits` lower-case hexadecimal digits.
pub(crate) fn schema(digits: usize, what: &str) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    utoipa::openapi::schema::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .pattern(Some(format!("^[0-9a-f]{{{digits}}}$")))
        .description(Some(format!("{what}: {digits} lower-case hexadecimal digits")))
        .into()
}

/// Defines a newtype over `[u8; $bytes]` whose text and serde form is lower-case hexadecimal.
macro_rules! hex_newtype {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; $bytes]);

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $crate::hex::schema(2 * $bytes, stringify!($name))
            }
        }

        impl utoipa::ToSchema for $name {}

        impl $name {
            /// All bytes zero.
            pub const ZERO: Self = Self([0; $bytes]);

            /// Length in bytes.
            pub const BYTES: usize = $bytes;

            /// The raw bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// Whether every byte is zero, the form of "none" in stored rows.
            pub fn is_zero(&self) -> bool {
                *self == Self::ZERO
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&$crate::hex::encode(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::hex::HexError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::hex::decode(text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use hex_newtype;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_the_round_trip_and_only_lower_case_is_read() {
        assert_eq!(encode(&[0, 0xab, 0xff]), "00abff");
        assert_eq!(decode::<3>("00abff"), Ok([0, 0xab, 0xff]));
        assert_eq!(decode::<3>("00aBff"), Err(HexError::Digit { at: 3 }));
        assert_eq!(
            decode::<3>("00ab"),
            Err(HexError::Length {
                expected: 6,
                found: 4
            })
        );
        assert_eq!(decode::<1>("é"), Err(HexError::Digit { at: 0 }));
    }
}
