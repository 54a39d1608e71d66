//! The form in which a key signs transactions: `subxt-signer`'s pair.
//!
//! That crate makes pairs from seeds. A key file of a derived account (`//Alice/x`, or any made from a URI by the other
//! wallets) holds an expanded key and no seed; the one way in for it is the crate's reader of polkadot.js exports, so such
//! a key is written as an export in memory, with an empty password, and read back (about 0.1 s, once a process).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::XSalsa20Poly1305;
use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use subxt_signer::{polkadot_js_compat, sr25519};
use zeroize::Zeroizing;

use super::{KeyPair, Scheme, WalletError};

/// scrypt's N of an export, the cheapest the reader takes.
const SCRYPT_N: u32 = 1 << 15;
/// scrypt's p.
const SCRYPT_P: u32 = 1;
/// scrypt's r.
const SCRYPT_R: u32 = 8;
/// log2 of [`SCRYPT_N`].
const SCRYPT_LOG_N: u8 = 15;

/// PKCS#8 in front of the secret and between secret and public key (polkadot-js/common, `packages/keyring/src/pair`).
const HEADER: [u8; 16] = [48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
const DIVIDER: [u8; 5] = [161, 35, 3, 33, 0];

impl KeyPair {
    /// The pair that signs transactions.
    ///
    /// # Errors
    /// [`WalletError::NotSr25519`] for an ed25519 key.
    pub fn signer(&self) -> Result<sr25519::Keypair, WalletError> {
        if self.scheme() != Scheme::Sr25519 {
            return Err(WalletError::NotSr25519);
        }
        let unusable = WalletError::Key("sr25519");
        if let Some(seed) = self.seed() {
            return sr25519::Keypair::from_secret_key(*seed).map_err(|_| unusable);
        }
        let export = self.export()?;
        polkadot_js_compat::decrypt_json(&export, "").map_err(|_| unusable)
    }

    /// The key as a polkadot.js export with an empty password; stays in memory.
    fn export(&self) -> Result<Zeroizing<String>, WalletError> {
        let unusable = || WalletError::Key("sr25519");
        let (scalar, nonce) = self.private().split_first_chunk::<32>().ok_or_else(unusable)?;
        let mut plain = Zeroizing::new(Vec::with_capacity(117));
        plain.extend_from_slice(&HEADER);
        plain.extend_from_slice(times_cofactor(scalar).as_slice());
        plain.extend_from_slice(nonce);
        plain.extend_from_slice(&DIVIDER);
        plain.extend_from_slice(self.public());
        let salt = [0_u8; 32];
        let nonce = [0_u8; 24];
        let params = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P, 32).map_err(|_| unusable())?;
        let mut key = Zeroizing::new([0_u8; 32]);
        scrypt::scrypt(b"", &salt, &params, key.as_mut_slice()).map_err(|_| unusable())?;
        let sealed = XSalsa20Poly1305::new((&*key).into())
            .encrypt((&nonce).into(), plain.as_slice())
            .map_err(|_| unusable())?;
        let mut bytes = Vec::with_capacity(68 + sealed.len());
        bytes.extend_from_slice(&salt);
        for number in [SCRYPT_N, SCRYPT_P, SCRYPT_R] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        let encoded = Zeroizing::new(STANDARD.encode(bytes));
        Ok(Zeroizing::new(format!(
            r#"{{"encoded":"{}","encoding":{{"content":["pkcs8","sr25519"],"type":["scrypt","xsalsa20-poly1305"],"version":"3"}},"address":"{}"}}"#,
            *encoded,
            self.address()
        )))
    }
}

/// The scalar times 8, little-endian: exports hold it so, key files do not.
fn times_cofactor(scalar: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let mut low = 0;
    let mut product = Zeroizing::new(*scalar);
    for byte in product.iter_mut() {
        let high = *byte >> 5;
        *byte = (*byte << 3) | low;
        low = high;
    }
    product
}
