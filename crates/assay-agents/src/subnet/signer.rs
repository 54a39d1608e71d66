//! A hotkey that signs: its secret half is never shown.

use assay_types::Hotkey;
use subxt_signer::sr25519::Keypair;

/// A hotkey of an agent.
#[derive(Clone)]
pub struct Signer(pub Keypair);

impl Signer {
    /// Its public half.
    #[must_use]
    pub fn hotkey(&self) -> Hotkey {
        Hotkey(self.0.public_key().0)
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
