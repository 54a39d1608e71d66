//! ed25519 keys: public key, signature and check of the few key files that are not sr25519.

use ed25519_zebra::{Signature, SigningKey, VerificationKey, VerificationKeyBytes};

/// Public key of a seed.
pub(super) fn public(seed: &[u8; 32]) -> [u8; 32] {
    VerificationKeyBytes::from(&SigningKey::from(*seed)).into()
}

/// Signature by the key of a seed.
pub(super) fn sign(seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
    SigningKey::from(*seed).sign(message).to_bytes()
}

/// Whether the signature holds, by the rules of ZIP 215, as in substrate.
pub(super) fn verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerificationKey::try_from(*public)
        .is_ok_and(|key| key.verify(&Signature::from_bytes(signature), message).is_ok())
}
