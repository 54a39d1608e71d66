//! Secret URIs: a phrase or seed, then junctions that each derive a child key.
//!
//! Syntax and junctions are `subxt-signer`'s; the derivations are substrate's (`schnorrkel` for sr25519; for ed25519
//! BLAKE2b-256 of `"Ed25519HDKD"`, seed and chain code: paritytech/polkadot-sdk, `substrate/primitives/core/src/ed25519.rs`).

use blake2::Blake2b;
use blake2::digest::{Digest as _, consts::U32};
use schnorrkel::derive::{ChainCode, Derivation as _};
use schnorrkel::{ExpansionMode, MiniSecretKey, SecretKey};
use std::str::FromStr as _;
use subxt_signer::{DeriveJunction, ExposeSecret, SecretUri};
use zeroize::Zeroizing;

use super::WalletError;
use super::keypair::{KeyPair, Scheme, parse_phrase, seed_of};

/// Longest secret URI.
const URI_BYTES_MAX: usize = 1024;
/// Most junctions of one.
const JUNCTIONS_MAX: usize = 32;

/// The key of a secret URI.
pub(super) fn from_uri(uri: &str, scheme: Scheme) -> Result<KeyPair, WalletError> {
    if uri.len() > URI_BYTES_MAX {
        return Err(WalletError::Uri);
    }
    let uri = SecretUri::from_str(uri).map_err(|_| WalletError::Uri)?;
    if uri.junctions.len() > JUNCTIONS_MAX {
        return Err(WalletError::Uri);
    }
    let phrase = uri.phrase.expose_secret();
    let password = uri.password.as_ref().map(ExposeSecret::expose_secret);
    let seed = match phrase.strip_prefix("0x") {
        Some(hex) => Zeroizing::new(assay_types::hex::decode(hex).map_err(|_| WalletError::Uri)?),
        // A phrase without junctions and password is kept, so that the file written says it.
        None if uri.junctions.is_empty() && password.is_none() => {
            return KeyPair::from_phrase(phrase, scheme);
        }
        None => seed_of(&parse_phrase(phrase)?, password.unwrap_or_default()),
    };
    match scheme {
        Scheme::Sr25519 => sr25519(&seed, &uri.junctions),
        Scheme::Ed25519 => ed25519(seed, &uri.junctions),
    }
}

fn sr25519(seed: &[u8; 32], junctions: &[DeriveJunction]) -> Result<KeyPair, WalletError> {
    let mut mini = Some(MiniSecretKey::from_bytes(seed).map_err(|_| WalletError::Key("sr25519"))?);
    let mut secret = expand(mini.as_ref()).ok_or(WalletError::Key("sr25519"))?;
    for junction in junctions {
        (mini, secret) = match junction {
            DeriveJunction::Soft(code) => (None, secret.derived_key_simple(ChainCode(*code), []).0),
            DeriveJunction::Hard(code) => {
                let child = secret.hard_derive_mini_secret_key(Some(ChainCode(*code)), b"").0;
                let expanded = child.expand(ExpansionMode::Ed25519);
                (Some(child), expanded)
            }
        };
    }
    match mini {
        Some(mini) => KeyPair::from_seed(mini.as_bytes(), Scheme::Sr25519),
        None => Ok(KeyPair::from_sr25519(&secret)),
    }
}

fn expand(mini: Option<&MiniSecretKey>) -> Option<SecretKey> {
    mini.map(|mini| mini.expand(ExpansionMode::Ed25519))
}

fn ed25519(seed: Zeroizing<[u8; 32]>, junctions: &[DeriveJunction]) -> Result<KeyPair, WalletError> {
    /// SCALE of the text: compact length 11, then the bytes.
    const LABEL: &[u8] = b"\x2cEd25519HDKD";
    let mut seed = seed;
    for junction in junctions {
        let DeriveJunction::Hard(code) = junction else {
            return Err(WalletError::SoftDerivation);
        };
        let digest = Blake2b::<U32>::new()
            .chain_update(LABEL)
            .chain_update(*seed)
            .chain_update(code);
        seed = Zeroizing::new(digest.finalize().into());
    }
    KeyPair::from_seed(&seed, Scheme::Ed25519)
}
