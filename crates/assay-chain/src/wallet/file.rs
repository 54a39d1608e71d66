//! The content of a key file: how it is protected, and what bytes of any age say.
//!
//! Besides JSON, wallets of all years have left a bare hex seed (64 digits), a bare expanded key (128 digits) and a bare
//! phrase; each may begin with `0x` or end with a line break.

use std::fmt;

use zeroize::Zeroizing;

use super::json::Fields;
use super::{KeyPair, Password, Scheme, WalletError, json, nacl};

/// Most bytes of a key file; the largest real ones have 700.
pub const KEY_FILE_BYTES_MAX: usize = 16 * 1024;

/// First bytes of files that older wallets encrypted with `ansible-vault`.
const ANSIBLE: &[u8] = b"$ANSIBLE_VAULT";
/// First bytes of files that the oldest wallets encrypted with Fernet.
const FERNET: &[u8] = b"gAAAAA";

/// How a key file is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Readable by whoever can read the file.
    Plain,
    /// Encrypted with a password.
    Nacl,
    /// Encrypted by older wallets, with the name of the method; not read here.
    Old(&'static str),
}

/// How `bytes` are protected.
pub fn protection(bytes: &[u8]) -> Protection {
    if bytes.starts_with(nacl::MAGIC) {
        Protection::Nacl
    } else if bytes.starts_with(ANSIBLE) {
        Protection::Old("ansible-vault")
    } else if bytes.starts_with(FERNET) {
        Protection::Old("Fernet")
    } else {
        Protection::Plain
    }
}

/// What a key file holds: an address, and the secret unless it is the public half.
#[derive(Clone)]
pub struct KeyFile {
    /// Public key.
    pub public: [u8; 32],
    /// Kind of key.
    pub scheme: Scheme,
    pub(super) secret: Option<KeyPair>,
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = if self.secret.is_some() { "***" } else { "none" };
        write!(
            f,
            "KeyFile({} {}, secret {secret})",
            self.scheme.name(),
            self.address()
        )
    }
}

impl From<KeyPair> for KeyFile {
    fn from(key: KeyPair) -> Self {
        Self {
            public: *key.public(),
            scheme: key.scheme(),
            secret: Some(key),
        }
    }
}

impl KeyFile {
    /// The key in the bytes of a file, decrypted with `password` if need be.
    ///
    /// # Errors
    /// [`WalletError`] naming what is wrong with the file.
    pub fn open(bytes: &[u8], password: Option<&Password>) -> Result<Self, WalletError> {
        if bytes.len() > KEY_FILE_BYTES_MAX {
            return Err(WalletError::TooLong);
        }
        match protection(bytes) {
            Protection::Plain => Self::parse(bytes),
            Protection::Old(method) => Err(WalletError::OldEncryption(method)),
            Protection::Nacl => {
                let password = password.ok_or(WalletError::NeedsPassword)?;
                Self::parse(&nacl::decrypt(bytes, password)?)
            }
        }
    }

    /// The key in unencrypted bytes.
    ///
    /// # Errors
    /// As [`KeyFile::open`].
    pub fn parse(bytes: &[u8]) -> Result<Self, WalletError> {
        Self::parse_as(bytes, Scheme::Sr25519)
    }

    /// As [`KeyFile::parse`]; a bare secret, which does not say its kind, is of `scheme`.
    ///
    /// # Errors
    /// As [`KeyFile::open`].
    pub fn parse_as(bytes: &[u8], scheme: Scheme) -> Result<Self, WalletError> {
        if bytes.len() > KEY_FILE_BYTES_MAX {
            return Err(WalletError::TooLong);
        }
        let text = str::from_utf8(bytes).map_err(|_| WalletError::Foreign)?.trim();
        if text.starts_with('{') {
            return Self::from_fields(&Fields::read(text)?);
        }
        bare(text, scheme).map(Self::from)
    }

    /// Phrase, seed, private key, address: the first there is. The address stated must be the one derived, under the
    /// stated scheme or else the other.
    fn from_fields(fields: &Fields) -> Result<Self, WalletError> {
        let stated = fields.public()?;
        let scheme = fields.scheme()?;
        let Some(derived) = fields.derive(scheme)? else {
            let public = stated.ok_or(WalletError::Empty)?;
            return Ok(Self {
                public,
                scheme,
                secret: None,
            });
        };
        let Some(stated) = stated.filter(|stated| stated != derived.public()) else {
            return Ok(derived.into());
        };
        match fields.derive(scheme.other()) {
            Ok(Some(other)) if *other.public() == stated => Ok(other.into()),
            _ => Err(WalletError::Mismatch {
                derived: derived.address(),
                stated: assay_types::ss58::encode(&stated),
            }),
        }
    }

    /// The public key as SS58.
    pub fn address(&self) -> String {
        assay_types::ss58::encode(&self.public)
    }

    /// The key with its secret.
    ///
    /// # Errors
    /// [`WalletError::PublicOnly`] where the file has none.
    pub fn key(&self) -> Result<&KeyPair, WalletError> {
        self.secret.as_ref().ok_or(WalletError::PublicOnly)
    }

    /// JSON with the secret, as the other wallets write it.
    ///
    /// # Errors
    /// [`WalletError::PublicOnly`] where there is none.
    pub fn secret_json(&self) -> Result<Zeroizing<Vec<u8>>, WalletError> {
        Ok(json::with_secret(self.key()?))
    }

    /// JSON of the public half: `coldkeypub.txt` and `<hotkey>pub.txt`.
    pub fn public_json(&self) -> Vec<u8> {
        json::public_half(&self.public, self.scheme)
    }
}

/// A secret without JSON around it.
fn bare(text: &str, scheme: Scheme) -> Result<KeyPair, WalletError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if let Ok(seed) = assay_types::hex::decode::<32>(digits) {
        return KeyPair::from_seed(&Zeroizing::new(seed), scheme);
    }
    if let Ok(private) = assay_types::hex::decode::<64>(digits) {
        return KeyPair::from_private(Zeroizing::new(private).as_slice(), scheme);
    }
    // Letters and spaces only: anything else is a foreign file, not a mistyped phrase.
    if text.contains(' ')
        && text
            .chars()
            .all(|c| c.is_ascii_alphabetic() || c.is_ascii_whitespace())
    {
        return KeyPair::from_phrase(text, scheme);
    }
    Err(WalletError::Foreign)
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
