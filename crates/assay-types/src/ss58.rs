//! SS58, the text form of keys on the chain: base58 of prefix, key and checksum.
//!
//! Wallets, explorers and people write keys so; everything inside uses the 32 bytes. Checksum = first two bytes of
//! BLAKE2b-512 over `"SS58PRE" ‖ prefix ‖ key` (paritytech/polkadot-sdk, `substrate/primitives/core/src/crypto.rs`).

use crate::ids::{Coldkey, Hotkey};
use blake2::{Blake2b512, Digest as _};
use thiserror::Error;

/// The network prefix of generic substrate keys, used by subtensor.
pub const SS58_PREFIX: u8 = 42;

/// Longest text of a key: base58 of 35 bytes.
pub const SS58_CHARS_MAX: usize = 48;

/// Prefix, key and checksum.
const BYTES: usize = 35;

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Ss58Error {
    /// More characters than any key has.
    #[error("key of `{found}` characters is longer than {SS58_CHARS_MAX}")]
    TooLong {
        /// Characters given.
        found: usize,
    },
    /// A character that base58 does not use.
    #[error("`{0}` is not base58")]
    Alphabet(String),
    /// Another number of bytes than prefix, key and checksum have.
    #[error("`{text}` holds `{found}` bytes, not {BYTES}")]
    Length {
        /// Text given.
        text: String,
        /// Bytes found.
        found: usize,
    },
    /// A key of another network.
    #[error("network prefix `{0}` is not {SS58_PREFIX}")]
    Prefix(u8),
    /// A mistyped key.
    #[error("checksum of `{0}` is wrong")]
    Checksum(String),
}

/// The text of a key.
pub fn encode(key: &[u8; 32]) -> String {
    let mut bytes = Vec::with_capacity(BYTES);
    bytes.push(SS58_PREFIX);
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(&checksum(key));
    bs58::encode(bytes).into_string()
}

/// The key that `text` spells.
///
/// # Errors
/// [`Ss58Error`] for another alphabet, length, network or checksum.
pub fn decode(text: &str) -> Result<[u8; 32], Ss58Error> {
    if text.len() > SS58_CHARS_MAX {
        return Err(Ss58Error::TooLong { found: text.len() });
    }
    let bytes = bs58::decode(text)
        .into_vec()
        .map_err(|_| Ss58Error::Alphabet(text.to_owned()))?;
    let whole: [u8; BYTES] = bytes.as_slice().try_into().map_err(|_| Ss58Error::Length {
        text: text.to_owned(),
        found: bytes.len(),
    })?;
    let [prefix, rest @ ..] = whole;
    if prefix != SS58_PREFIX {
        return Err(Ss58Error::Prefix(prefix));
    }
    let (key, found) = rest.split_first_chunk::<32>().ok_or_else(|| Ss58Error::Length {
        text: text.to_owned(),
        found: BYTES,
    })?;
    if found != checksum(key) {
        return Err(Ss58Error::Checksum(text.to_owned()));
    }
    Ok(*key)
}

fn checksum(key: &[u8; 32]) -> [u8; 2] {
    let digest = Blake2b512::new()
        .chain_update(b"SS58PRE")
        .chain_update([SS58_PREFIX])
        .chain_update(key)
        .finalize();
    let mut bytes = digest.iter().copied();
    std::array::from_fn(|_| bytes.next().unwrap_or_default())
}

impl Hotkey {
    /// The key as people and wallets write it.
    pub fn to_ss58(&self) -> String {
        encode(self.as_bytes())
    }

    /// The hotkey that `text` spells.
    ///
    /// # Errors
    /// [`Ss58Error`] as [`decode`].
    pub fn from_ss58(text: &str) -> Result<Self, Ss58Error> {
        decode(text).map(Self)
    }
}

impl Coldkey {
    /// The key as people and wallets write it.
    pub fn to_ss58(&self) -> String {
        encode(self.as_bytes())
    }

    /// The coldkey that `text` spells.
    ///
    /// # Errors
    /// [`Ss58Error`] as [`decode`].
    pub fn from_ss58(text: &str) -> Result<Self, Ss58Error> {
        decode(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The development account `//Alice` of substrate, as every explorer prints it.
    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    const ALICE_HEX: &str = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

    #[test]
    fn a_known_account_is_read_and_written() {
        let key: Hotkey = ALICE_HEX.parse().unwrap();
        assert_eq!(key.to_ss58(), ALICE);
        assert_eq!(Hotkey::from_ss58(ALICE), Ok(key));
        assert_eq!(Coldkey::from_ss58(ALICE), Ok(Coldkey(key.0)));
    }

    #[test]
    fn other_texts_are_refused_by_name() {
        assert_eq!(decode(&"1".repeat(49)), Err(Ss58Error::TooLong { found: 49 }));
        assert!(matches!(decode("0OIl"), Err(Ss58Error::Alphabet(_))));
        assert!(matches!(decode("5Grw"), Err(Ss58Error::Length { .. })));
        // The same account under Polkadot's prefix 0.
        let polkadot = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5";
        assert!(matches!(
            decode(polkadot),
            Err(Ss58Error::Prefix(0) | Ss58Error::Length { .. })
        ));
        let mistyped = ALICE.replace("QY", "QZ");
        assert_eq!(decode(&mistyped), Err(Ss58Error::Checksum(mistyped.clone())));
    }

    proptest! {
        #[test]
        fn keys_survive_the_round_trip(key in any::<[u8; 32]>()) {
            let text = encode(&key);
            prop_assert!(text.len() <= SS58_CHARS_MAX && text.starts_with('5'));
            prop_assert_eq!(decode(&text), Ok(key));
        }

        #[test]
        fn one_changed_character_is_noticed(at in 0_usize..48, to in "[1-9A-HJ-NP-Za-km-z]") {
            let mut text = ALICE.to_owned();
            text.replace_range(at..=at, &to);
            prop_assume!(text != ALICE);
            prop_assert!(decode(&text).is_err());
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,60}") {
            if let Ok(key) = decode(&text) {
                prop_assert_eq!(encode(&key), text);
            }
        }
    }
}
