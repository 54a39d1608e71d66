//! A hotkey that signs: its secret half is never shown.

use assay_types::Hotkey;
use subxt_signer::DeriveJunction;
use subxt_signer::sr25519::Keypair;

/// Junction of the key whose public half is the secret of private audits.
const SECRET_JUNCTION: &str = "assay/private/1";

/// A hotkey of an agent.
#[derive(Clone)]
pub struct Signer(pub Keypair);

impl Signer {
    /// Its public half.
    #[must_use]
    pub fn hotkey(&self) -> Hotkey {
        Hotkey(self.0.public_key().0)
    }

    /// 32 bytes that follow from the secret half and from nothing that is public: the public half of a hard-derived key that
    /// is used nowhere else.
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        let derived = self.0.derive([DeriveJunction::hard(SECRET_JUNCTION)]);
        derived.public_key().0
    }

    /// The signature of a message, in hexadecimal as reports and manifests carry it.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> String {
        assay_types::hex::encode(&self.0.sign(message).0)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Signer").field(&self.hotkey().to_ss58()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subxt_signer::sr25519::dev;

    #[test]
    fn the_secret_is_the_keys_own_and_stays_the_same() {
        let secret = Signer(dev::alice()).secret();
        assert_eq!(Signer(dev::alice()).secret(), secret);
        assert_ne!(Signer(dev::bob()).secret(), secret);
        assert_ne!(Signer(dev::alice()).hotkey().0, secret);
    }
}
