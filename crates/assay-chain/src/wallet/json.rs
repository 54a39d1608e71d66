//! Key file JSON: the fields of all wallets, read with their quirks, and written.
//!
//! serde's own messages quote values; here only line, column and field names are told.

use assay_types::{hex, ss58};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use super::{KeyPair, Scheme, WalletError};

/// A secret text of a file, wiped when dropped.
struct SecretText(Zeroizing<String>);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// The fields that are read; others are ignored.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    #[serde(rename = "accountId")]
    account_id: Option<String>,
    #[serde(rename = "publicKey")]
    public_key: Option<String>,
    #[serde(rename = "secretPhrase")]
    phrase: Option<SecretText>,
    #[serde(rename = "secretSeed")]
    seed: Option<SecretText>,
    #[serde(rename = "privateKey")]
    private: Option<SecretText>,
    // Some versions wrote the name with a space in front.
    #[serde(rename = "ss58Address", alias = " ss58Address")]
    address: Option<String>,
    #[serde(rename = "cryptoType")]
    crypto_type: Option<CryptoType>,
    encoded: Option<IgnoredAny>,
    encoding: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CryptoType {
    Number(u64),
    Text(String),
}

impl Fields {
    /// The fields of a JSON object.
    pub(super) fn read(text: &str) -> Result<Self, WalletError> {
        let fields: Self = serde_json::from_str(text).map_err(|error| WalletError::Json {
            line: error.line(),
            column: error.column(),
        })?;
        if fields.encoded.is_some() && fields.encoding.is_some() {
            return Err(WalletError::PolkadotJs);
        }
        Ok(fields)
    }

    /// The kind of key; sr25519 where the file does not say.
    pub(super) fn scheme(&self) -> Result<Scheme, WalletError> {
        match &self.crypto_type {
            None | Some(CryptoType::Number(1)) => Ok(Scheme::Sr25519),
            Some(CryptoType::Number(0)) => Ok(Scheme::Ed25519),
            Some(CryptoType::Text(text)) => match text.trim().to_ascii_lowercase().as_str() {
                "1" | "sr25519" => Ok(Scheme::Sr25519),
                "0" | "ed25519" => Ok(Scheme::Ed25519),
                _ => Err(WalletError::Field("cryptoType")),
            },
            Some(CryptoType::Number(_)) => Err(WalletError::Field("cryptoType")),
        }
    }

    /// The public key the file states, by its address or its hex forms, which must agree.
    pub(super) fn public(&self) -> Result<Option<[u8; 32]>, WalletError> {
        let mut stated = match self.address.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => Some(ss58::decode(text)?),
        };
        for (text, name) in [(&self.public_key, "publicKey"), (&self.account_id, "accountId")] {
            let Some(text) = text.as_deref().map(str::trim).filter(|text| !text.is_empty()) else {
                continue;
            };
            let found = hex::decode::<32>(text.strip_prefix("0x").unwrap_or(text))
                .map_err(|_| WalletError::Field(name))?;
            if *stated.get_or_insert(found) != found {
                return Err(WalletError::Contradiction(name));
            }
        }
        Ok(stated)
    }

    /// The key of the first secret there is: phrase, seed, private key.
    pub(super) fn derive(&self, scheme: Scheme) -> Result<Option<KeyPair>, WalletError> {
        if let Some(phrase) = present(self.phrase.as_ref()) {
            return KeyPair::from_phrase(phrase, scheme).map(Some);
        }
        if let Some(seed) = present(self.seed.as_ref()) {
            let bytes = Zeroizing::new(hex::decode(seed).map_err(|_| WalletError::Field("secretSeed"))?);
            return KeyPair::from_seed(&bytes, scheme).map(Some);
        }
        let Some(private) = present(self.private.as_ref()) else {
            return Ok(None);
        };
        let malformed = || WalletError::Field("privateKey");
        let key = if private.len() == 2 * 32 {
            let bytes = Zeroizing::new(hex::decode::<32>(private).map_err(|_| malformed())?);
            KeyPair::from_private(bytes.as_slice(), scheme)
        } else {
            let bytes = Zeroizing::new(hex::decode::<64>(private).map_err(|_| malformed())?);
            KeyPair::from_private(bytes.as_slice(), scheme)
        };
        key.map(Some)
    }
}

/// A secret that is not empty, without `0x`.
fn present(text: Option<&SecretText>) -> Option<&str> {
    let text = text?.0.trim();
    Some(text.strip_prefix("0x").unwrap_or(text)).filter(|text| !text.is_empty())
}

/// A key file as the other wallets write it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    account_id: &'a str,
    public_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_phrase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_seed: Option<&'a str>,
    ss58_address: &'a str,
    crypto_type: u8,
}

/// JSON with the secret.
pub(super) fn with_secret(key: &KeyPair) -> Zeroizing<Vec<u8>> {
    let public = prefixed(key.public());
    let private = prefixed(key.private());
    let seed = key.seed().map(|seed| prefixed(seed));
    write(&Written {
        account_id: &public,
        public_key: &public,
        private_key: Some(&private),
        secret_phrase: key.phrase().map(|phrase| phrase.as_str()),
        secret_seed: seed.as_ref().map(|seed| seed.as_str()),
        ss58_address: &key.address(),
        crypto_type: key.scheme().crypto_type(),
    })
}

/// JSON of the public half.
pub(super) fn public_half(public: &[u8; 32], scheme: Scheme) -> Vec<u8> {
    let hex = prefixed(public);
    write(&Written {
        account_id: &hex,
        public_key: &hex,
        private_key: None,
        secret_phrase: None,
        secret_seed: None,
        ss58_address: &ss58::encode(public),
        crypto_type: scheme.crypto_type(),
    })
    .to_vec()
}

fn prefixed(bytes: &[u8]) -> Zeroizing<String> {
    let digits = Zeroizing::new(hex::encode(bytes));
    let mut text = Zeroizing::new(String::with_capacity(2 + digits.len()));
    text.push_str("0x");
    text.push_str(&digits);
    text
}

fn write(fields: &Written<'_>) -> Zeroizing<Vec<u8>> {
    // Large enough at once: a buffer that grows leaves copies of secrets behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2048));
    // Text fields into memory: nothing here can fail.
    let written = serde_json::to_writer(&mut *bytes, fields);
    debug_assert!(written.is_ok(), "{written:?}");
    bytes
}
