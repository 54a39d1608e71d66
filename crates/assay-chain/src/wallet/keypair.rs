//! Keys: from a phrase, a seed, a private key or a secret URI, to an address and signatures.
//!
//! sr25519 with the context `substrate` (schnorrkel), as every key of the chain; ed25519 for the few key files of that
//! type. Phrases become seeds as in substrate: PBKDF2-HMAC-SHA512, 2,048 rounds over the BIP-39 *entropy*, first 32 of 64
//! bytes (paritytech/polkadot-sdk, `substrate/primitives/core/src/crypto.rs`).

use std::fmt;

use bip39::Mnemonic;
use schnorrkel::{ExpansionMode, MiniSecretKey, PublicKey, SecretKey, Signature};
use sha2_010::Sha512;
use zeroize::{Zeroize as _, Zeroizing};

use super::{WalletError, derive, ed25519};

/// Bytes of a signature of either scheme.
pub const SIGNATURE_BYTES: usize = 64;
/// Words of a new phrase: 128 bits, what the other wallets make.
pub const PHRASE_WORDS: usize = 12;
/// Word counts of BIP-39, as errors name them.
pub(super) const WORD_COUNTS: &str = "12, 15, 18, 21 or 24";
/// Longest phrase: 24 words of 8 letters.
pub(super) const PHRASE_BYTES_MAX: usize = 24 * 9;

/// What signatures are made over, besides the message.
const CONTEXT: &[u8] = b"substrate";
/// Rounds of PBKDF2.
const ROUNDS: u32 = 2_048;

/// Kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `cryptoType` 1, the only one that signs transactions here.
    Sr25519,
    /// `cryptoType` 0.
    Ed25519,
}

impl Scheme {
    /// Number in key files.
    pub const fn crypto_type(self) -> u8 {
        match self {
            Self::Sr25519 => 1,
            Self::Ed25519 => 0,
        }
    }

    /// Name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sr25519 => "sr25519",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The other one.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Sr25519 => Self::Ed25519,
            Self::Ed25519 => Self::Sr25519,
        }
    }
}

/// A key with its secret; wiped when dropped, never printed.
#[derive(Clone)]
pub struct KeyPair {
    scheme: Scheme,
    public: [u8; 32],
    /// Expanded sr25519 key, or the ed25519 seed twice as long as needed.
    private: Zeroizing<[u8; 64]>,
    seed: Option<Zeroizing<[u8; 32]>>,
    phrase: Option<Zeroizing<String>>,
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "KeyPair({} {}, secret ***)",
            self.scheme.name(),
            self.address()
        )
    }
}

impl KeyPair {
    /// A new key from the operating system's random bytes, with its phrase of [`PHRASE_WORDS`] words.
    ///
    /// # Errors
    /// [`WalletError::Entropy`] if there are none.
    pub fn generate(scheme: Scheme) -> Result<Self, WalletError> {
        let mut entropy = Zeroizing::new([0_u8; PHRASE_WORDS / 3 * 4]);
        getrandom::fill(entropy.as_mut_slice()).map_err(|error| WalletError::Entropy(error.to_string()))?;
        let mnemonic = Mnemonic::from_entropy(entropy.as_slice()).map_err(|_| WalletError::Phrase)?;
        Self::from_mnemonic(&mnemonic, scheme)
    }

    /// The key of an English BIP-39 phrase; case and spacing do not matter.
    ///
    /// # Errors
    /// [`WalletError::Phrase`] for another number of words, unknown words or a wrong checksum.
    pub fn from_phrase(phrase: &str, scheme: Scheme) -> Result<Self, WalletError> {
        Self::from_mnemonic(&parse_phrase(phrase)?, scheme)
    }

    fn from_mnemonic(mnemonic: &Mnemonic, scheme: Scheme) -> Result<Self, WalletError> {
        let mut key = Self::from_seed(&seed_of(mnemonic, ""), scheme)?;
        key.phrase = Some(Zeroizing::new(mnemonic.to_string()));
        Ok(key)
    }

    /// The key of a 32-byte seed.
    ///
    /// # Errors
    /// [`WalletError::Key`] for bytes that are no key.
    pub fn from_seed(seed: &[u8; 32], scheme: Scheme) -> Result<Self, WalletError> {
        let mut key = match scheme {
            Scheme::Sr25519 => {
                let secret = MiniSecretKey::from_bytes(seed)
                    .map_err(|_| WalletError::Key("sr25519"))?
                    .expand(ExpansionMode::Ed25519);
                Self::from_sr25519(&secret)
            }
            Scheme::Ed25519 => Self::from_ed25519(seed),
        };
        key.seed = Some(Zeroizing::new(*seed));
        Ok(key)
    }

    /// The key of an expanded private key: 64 bytes for sr25519, 32 (the seed) or 64 (seed, public) for ed25519.
    ///
    /// # Errors
    /// [`WalletError::Key`] for bytes that are no key.
    pub fn from_private(bytes: &[u8], scheme: Scheme) -> Result<Self, WalletError> {
        match scheme {
            Scheme::Sr25519 => SecretKey::from_bytes(bytes)
                .map(|secret| Self::from_sr25519(&secret))
                .map_err(|_| WalletError::Key("sr25519")),
            Scheme::Ed25519 => {
                let (seed, rest) = bytes
                    .split_first_chunk::<32>()
                    .ok_or(WalletError::Key("ed25519"))?;
                let key = Self::from_seed(seed, scheme)?;
                if !rest.is_empty() && rest != key.public {
                    return Err(WalletError::Key("ed25519"));
                }
                Ok(key)
            }
        }
    }

    /// The key of a secret URI: `[phrase or 0x seed][//hard][/soft][///password]`; without phrase the public development
    /// phrase, so that `//Alice` is everybody's test account.
    ///
    /// # Errors
    /// [`WalletError::Uri`], [`WalletError::Phrase`] or [`WalletError::SoftDerivation`].
    pub fn from_uri(uri: &str, scheme: Scheme) -> Result<Self, WalletError> {
        derive::from_uri(uri, scheme)
    }

    pub(super) fn from_sr25519(secret: &SecretKey) -> Self {
        Self {
            scheme: Scheme::Sr25519,
            public: secret.to_public().to_bytes(),
            private: Zeroizing::new(secret.to_bytes()),
            seed: None,
            phrase: None,
        }
    }

    fn from_ed25519(seed: &[u8; 32]) -> Self {
        let public = ed25519::public(seed);
        let mut private = Zeroizing::new([0; 64]);
        for (byte, from) in private.iter_mut().zip(seed.iter().chain(&public)) {
            *byte = *from;
        }
        Self {
            scheme: Scheme::Ed25519,
            public,
            private,
            seed: None,
            phrase: None,
        }
    }

    /// Kind of key.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The public key, the account on the chain.
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The public key as SS58.
    pub fn address(&self) -> String {
        assay_types::ss58::encode(&self.public)
    }

    /// The phrase, where the key was made from one. For the one moment in which its owner writes it down.
    pub fn phrase(&self) -> Option<&Zeroizing<String>> {
        self.phrase.as_ref()
    }

    pub(super) fn seed(&self) -> Option<&[u8; 32]> {
        self.seed.as_deref()
    }

    /// 64 bytes of an expanded sr25519 key, 32 of an ed25519 key.
    pub(super) fn private(&self) -> &[u8] {
        match self.scheme {
            Scheme::Sr25519 => self.private.as_slice(),
            Scheme::Ed25519 => self.private.first_chunk::<32>().map_or(&[], |seed| seed),
        }
    }

    /// A signature over `message`. sr25519 signatures are randomised: two over one message differ.
    ///
    /// # Errors
    /// [`WalletError::Key`] if the key is unusable, which none that was made here is.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], WalletError> {
        match self.scheme {
            Scheme::Sr25519 => {
                let secret = SecretKey::from_bytes(self.private.as_slice())
                    .map_err(|_| WalletError::Key("sr25519"))?;
                Ok(secret
                    .sign_simple(CONTEXT, message, &secret.to_public())
                    .to_bytes())
            }
            Scheme::Ed25519 => {
                let seed = self.private.first_chunk().ok_or(WalletError::Key("ed25519"))?;
                Ok(ed25519::sign(seed, message))
            }
        }
    }
}

/// Whether `signature` over `message` is that of the key `public`.
pub fn verify(scheme: Scheme, public: &[u8; 32], message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
    match scheme {
        Scheme::Sr25519 => PublicKey::from_bytes(public).is_ok_and(|key| {
            Signature::from_bytes(signature)
                .is_ok_and(|signature| key.verify_simple(CONTEXT, message, &signature).is_ok())
        }),
        Scheme::Ed25519 => ed25519::verify(public, message, signature),
    }
}

/// The phrase in `text`.
pub(super) fn parse_phrase(text: &str) -> Result<Mnemonic, WalletError> {
    if text.len() > 2 * PHRASE_BYTES_MAX {
        return Err(WalletError::Phrase);
    }
    let mut words = Zeroizing::new(String::with_capacity(text.len()));
    for word in text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words.make_ascii_lowercase();
    Mnemonic::parse_in_normalized(bip39::Language::English, &words).map_err(|_| WalletError::Phrase)
}

/// The seed of a phrase and its password.
pub(super) fn seed_of(mnemonic: &Mnemonic, password: &str) -> Zeroizing<[u8; 32]> {
    let (mut entropy, count) = mnemonic.to_entropy_array();
    let mut salt = Zeroizing::new(String::from("mnemonic"));
    salt.push_str(password);
    // PBKDF2 derives each 64-byte block alone: the first 32 bytes are those of the 64 that substrate derives.
    let mut seed = Zeroizing::new([0_u8; 32]);
    let bytes = entropy.get(..count).unwrap_or_default();
    pbkdf2::pbkdf2_hmac::<Sha512>(bytes, salt.as_bytes(), ROUNDS, seed.as_mut_slice());
    entropy.zeroize();
    seed
}

#[cfg(test)]
#[path = "keypair_tests.rs"]
mod tests;
