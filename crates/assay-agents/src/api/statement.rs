//! An answer that a server has signed: with its body it is proof to anybody of what the server said.

use assay_chain::wallet::{SIGNATURE_BYTES, Scheme, verify};
use assay_types::api::ResponseToSign;
use assay_types::{Hotkey, Sha256Digest, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a server's signature is over, beside the body (docs/api.md, "Signed requests"), and the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerStatement {
    /// Method of the request.
    pub method: String,
    /// Path with query of the request.
    pub target: String,
    /// Status of the answer.
    pub status: u16,
    /// Nonce of the request, `-` for one that was not signed.
    pub nonce: String,
    /// SS58 of the server's hotkey.
    pub server: String,
    /// sr25519, `0x` and hexadecimal.
    pub signature: String,
}

impl ServerStatement {
    /// Whether the server has signed this answer with this body.
    #[must_use]
    pub fn is_over(&self, body: &[u8]) -> bool {
        let text = ResponseToSign {
            method: &self.method,
            target: &self.target,
            status: self.status,
            body: Sha256Digest(Sha256::digest(body).into()),
            nonce: &self.nonce,
            server: &self.server,
        }
        .text();
        let signature = self
            .signature
            .strip_prefix("0x")
            .and_then(|digits| hex::decode::<SIGNATURE_BYTES>(digits).ok());
        match (Hotkey::from_ss58(&self.server), signature) {
            (Ok(server), Some(signature)) => verify(Scheme::Sr25519, &server.0, text.as_bytes(), &signature),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_chain::wallet::KeyPair;

    #[test]
    fn a_statement_holds_for_its_own_body_and_words() {
        let key = KeyPair::from_uri("//server", Scheme::Sr25519).unwrap();
        let mut said = ServerStatement {
            method: "GET".to_owned(),
            target: "/v1/rounds/0/assignment".to_owned(),
            status: 200,
            nonce: "-".to_owned(),
            server: key.address(),
            signature: String::new(),
        };
        assert!(!said.is_over(b"body"));
        let text = ResponseToSign {
            method: "GET",
            target: "/v1/rounds/0/assignment",
            status: 200,
            body: Sha256Digest(Sha256::digest(b"body").into()),
            nonce: "-",
            server: &said.server,
        }
        .text();
        said.signature = format!("0x{}", hex::encode(&key.sign(text.as_bytes()).unwrap()));
        assert!(said.is_over(b"body"));
        assert!(!said.is_over(b"bodY"));
        for change in [
            |said: &mut ServerStatement| said.status = 201,
            |said: &mut ServerStatement| said.target.push('?'),
            |said: &mut ServerStatement| said.method = "POST".to_owned(),
            |said: &mut ServerStatement| said.nonce = "1".to_owned(),
            |said: &mut ServerStatement| {
                said.server = KeyPair::from_uri("//other", Scheme::Sr25519).unwrap().address();
            },
        ] {
            let mut other = said.clone();
            change(&mut other);
            assert!(!other.is_over(b"body"), "{other:?}");
        }
    }
}
