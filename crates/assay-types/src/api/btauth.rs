//! btauth/1: the bytes a hotkey signs over a request, and those the server signs over its answer.
//!
//! Layout of requests: package `bittensor` 11.3.0 (docs/api.md, "Signed requests"). Hashing and keys are the callers'
//! business: SHA-256 of the body comes in, text to sign goes out.

use crate::hash::Sha256Digest;

/// Version, always `1`.
pub const HEADER_VERSION: &str = "x-bittensor-version";
/// Sender, SS58.
pub const HEADER_HOTKEY: &str = "x-bittensor-hotkey";
/// Receiver, SS58.
pub const HEADER_RECEIVER: &str = "x-bittensor-receiver";
/// Unix nanoseconds, decimal.
pub const HEADER_NONCE: &str = "x-bittensor-nonce";
/// Scheme, absent for sr25519.
pub const HEADER_CRYPTO: &str = "x-bittensor-crypto";
/// `0x` and 64 bytes in hexadecimal.
pub const HEADER_SIGNATURE: &str = "x-bittensor-signature";
/// Who signed an answer, SS58.
pub const HEADER_SERVER: &str = "x-assay-server";
/// The server's signature over an answer, `0x` and 64 bytes in hexadecimal.
pub const HEADER_SERVER_SIGNATURE: &str = "x-assay-signature";
/// Oldest nonce that counts, milliseconds before now.
pub const NONCE_AGE_MS_MAX: u64 = 10_000;
/// Newest nonce that counts, milliseconds ahead of now.
pub const NONCE_AHEAD_MS_MAX: u64 = 2_000;

/// Kind of the sender's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthScheme {
    /// The chain's own.
    Sr25519,
    /// A few old key files.
    Ed25519,
}

impl AuthScheme {
    /// Name in the header and in the signed text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sr25519 => "sr25519",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The scheme of a header; absent is sr25519.
    pub fn parse(header: Option<&str>) -> Option<Self> {
        match header {
            None | Some("sr25519") => Some(Self::Sr25519),
            Some("ed25519") => Some(Self::Ed25519),
            Some(_) => None,
        }
    }
}

/// A request as it is signed.
#[derive(Debug, Clone, Copy)]
pub struct RequestToSign<'a> {
    /// Kind of key.
    pub scheme: AuthScheme,
    /// Method, upper case.
    pub method: &'a str,
    /// Path and query as sent.
    pub target: &'a str,
    /// SHA-256 of the raw body.
    pub body: Sha256Digest,
    /// The nonce, decimal.
    pub nonce: &'a str,
    /// Sender, SS58.
    pub sender: &'a str,
    /// Receiver, SS58, or `-`.
    pub receiver: &'a str,
}

impl RequestToSign<'_> {
    /// The eight lines that are signed, without an end of line after the last.
    pub fn text(&self) -> String {
        [
            "btauth/1",
            self.scheme.name(),
            self.method,
            self.target,
            &self.body.to_string(),
            self.nonce,
            self.sender,
            self.receiver,
        ]
        .join("\n")
    }
}

/// An answer as it is signed: nobody can deny it, and it fits no other question.
#[derive(Debug, Clone, Copy)]
pub struct ResponseToSign<'a> {
    /// Method of the request.
    pub method: &'a str,
    /// Path and query of the request.
    pub target: &'a str,
    /// Status of the answer.
    pub status: u16,
    /// SHA-256 of the body of the answer, uncompressed.
    pub body: Sha256Digest,
    /// Nonce of the request, or `-` if it was not signed.
    pub nonce: &'a str,
    /// The server, SS58.
    pub server: &'a str,
}

impl ResponseToSign<'_> {
    /// The seven lines that are signed.
    pub fn text(&self) -> String {
        [
            "assay-response/1",
            self.method,
            self.target,
            &self.status.to_string(),
            &self.body.to_string(),
            self.nonce,
            self.server,
        ]
        .join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_text_of_the_worked_example() {
        // The vector of docs/api.md; its SHA-256 and a signature are checked where hashes and keys are.
        let body: Sha256Digest = "96b668231c9fafa8ed49ee1450221a7e47f98ebb4e68a05449494eda8d7a82b5"
            .parse()
            .unwrap();
        let request = RequestToSign {
            scheme: AuthScheme::Sr25519,
            method: "POST",
            target: "/v1/tasks?limit=2",
            body,
            nonce: "1750000000000000000",
            sender: "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
            receiver: "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
        };
        let text = request.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 8);
        assert_eq!(lines[1], "sr25519");
        assert!(!text.ends_with('\n'));
    }

    #[test]
    fn unknown_schemes_are_none() {
        assert_eq!(AuthScheme::parse(None), Some(AuthScheme::Sr25519));
        assert_eq!(AuthScheme::parse(Some("ed25519")), Some(AuthScheme::Ed25519));
        assert_eq!(AuthScheme::parse(Some("ecdsa")), None);
    }
}
