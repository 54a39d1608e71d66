//! Encrypted key files: `$NACL`, nonce, XSalsa20-Poly1305 box under a key stretched from the password.
//!
//! Key = Argon2i v1.3, 8 passes over 512 MiB, one lane, with a fixed salt (libsodium's SENSITIVE limits; RaoFoundation
//! `bittensor-core` 0.1.5, `keyfile`). The salt is the same for all, so a weak password is weak for everybody at once.

use argon2::{Algorithm, Argon2, Params, Version};
use crypto_secretbox::XSalsa20Poly1305;
use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use zeroize::Zeroizing;

use super::{Password, WalletError};

/// First bytes of an encrypted file.
pub(super) const MAGIC: &[u8] = b"$NACL";
/// Salt of every file.
const SALT: [u8; 16] = [
    0x13, 0x71, 0x83, 0xdf, 0xf1, 0x5a, 0x09, 0xbc, 0x9c, 0x90, 0xb5, 0x51, 0x87, 0x39, 0xe9, 0xb1,
];
/// Memory of the stretching.
const MEMORY_KIB: u32 = 524_288;
/// Passes over it.
const PASSES: u32 = 8;
/// Lanes.
const LANES: u32 = 1;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// The content of an encrypted file.
///
/// # Errors
/// [`WalletError::WrongPassword`] for another password or altered bytes, [`WalletError::EncryptedCut`] for too few.
pub fn decrypt(bytes: &[u8], password: &Password) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(WalletError::Foreign)?;
    let (nonce, sealed) = rest
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(WalletError::EncryptedCut)?;
    if sealed.len() < TAG_BYTES {
        return Err(WalletError::EncryptedCut);
    }
    let key = stretch(password)?;
    XSalsa20Poly1305::new((&*key).into())
        .decrypt(nonce.into(), sealed)
        .map(Zeroizing::new)
        .map_err(|_| WalletError::WrongPassword)
}

/// An encrypted file of `content`.
///
/// # Errors
/// [`WalletError::Entropy`] without random bytes, [`WalletError::Stretch`] without memory.
pub fn encrypt(content: &[u8], password: &Password) -> Result<Vec<u8>, WalletError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|error| WalletError::Entropy(error.to_string()))?;
    let key = stretch(password)?;
    let sealed = XSalsa20Poly1305::new((&*key).into())
        .encrypt((&nonce).into(), content)
        .map_err(|_| WalletError::TooLong)?;
    let mut bytes = Vec::with_capacity(MAGIC.len() + NONCE_BYTES + sealed.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}

fn stretch(password: &Password) -> Result<Zeroizing<[u8; 32]>, WalletError> {
    let failed = |error: argon2::Error| WalletError::Stretch(error.to_string());
    let mut key = Zeroizing::new([0; 32]);
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(key.len())).map_err(failed)?;
    Argon2::new(Algorithm::Argon2i, Version::V0x13, params)
        .hash_password_into(password.expose().as_bytes(), &SALT, key.as_mut_slice())
        .map_err(failed)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by the other wallets' code: password `test-password`.
    const VECTOR: &str = "244e41434cff3b2bf5b7632deff8f007865da7bf656e7d88dc59a14bc7761cdc3d61c20bf0587450ead21b9f9f97a5f0d05fc34ba17a8512be927e3d3cae8df5470c07f9a26b6326959132559ffd33efc50490d1c468ee03ae43e933e7317a45db9ed9a7ddf19b4fe346f96f88e881";

    #[test]
    fn the_reference_vector_opens_and_other_passwords_do_not() {
        let bytes: [u8; VECTOR.len() / 2] = assay_types::hex::decode(VECTOR).unwrap();
        let content = decrypt(&bytes, &Password::new("test-password")).unwrap();
        assert_eq!(
            content.as_slice(),
            br#"{"ss58Address":"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"}"#
        );
        let wrong = decrypt(&bytes, &Password::new("test-passworD")).unwrap_err();
        assert!(matches!(wrong, WalletError::WrongPassword), "{wrong}");
    }

    #[test]
    fn short_files_are_refused_before_the_costly_part() {
        let bytes: [u8; VECTOR.len() / 2] = assay_types::hex::decode(VECTOR).unwrap();
        let password = Password::new("x");
        for end in 0..MAGIC.len() {
            assert!(matches!(
                decrypt(&bytes[..end], &password),
                Err(WalletError::Foreign)
            ));
        }
        for end in MAGIC.len()..MAGIC.len() + NONCE_BYTES + TAG_BYTES {
            assert!(matches!(
                decrypt(&bytes[..end], &password),
                Err(WalletError::EncryptedCut)
            ));
        }
    }
}
