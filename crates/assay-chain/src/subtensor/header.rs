//! Block headers as a node sends them, with the hash computed here: an endpoint cannot give one block another's name.

use serde_json::Value as Json;
use subxt::config::Hasher as _;
use subxt::config::substrate::{BlakeTwo256, H256, SubstrateHeader};
use subxt::ext::codec::Encode as _;

use crate::BlockHash;
use assay_types::{BlockNumber, Digest};

/// A head without its time, which is state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawHead {
    pub(crate) number: BlockNumber,
    pub(crate) hash: BlockHash,
    pub(crate) parent: BlockHash,
}

impl RawHead {
    /// Reads a header and hashes it (BLAKE2b-256 of its SCALE bytes).
    pub(crate) fn read(header: &Json) -> Result<Self, String> {
        let wrong = |error: String| format!("unreadable header: {error}");
        let header: SubstrateHeader<H256> =
            serde_json::from_value(header.clone()).map_err(|error| wrong(error.to_string()))?;
        let number = u32::try_from(header.number).map_err(|error| wrong(error.to_string()))?;
        let hash = blake2_256(&header.encode());
        Ok(Self {
            number: BlockNumber(number),
            hash: Digest(hash),
            parent: Digest(header.parent_hash.0),
        })
    }
}

/// BLAKE2b-256, the chain's hash of headers and transactions.
pub(crate) fn blake2_256(bytes: &[u8]) -> [u8; 32] {
    // Only `new` looks at metadata, and this hasher has no state.
    BlakeTwo256.hash(bytes).0
}

/// A hash as JSON-RPC writes it.
pub(crate) fn hex0x(bytes: &[u8]) -> String {
    format!("0x{}", assay_types::hex::encode(bytes))
}

/// Bytes that JSON-RPC writes as `0x…`, in either case.
pub(crate) fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else {
        return Err(format!("{} hexadecimal digits are no whole bytes", digits.len()));
    };
    pairs
        .iter()
        .map(|&[high, low]| {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            let (high, low) = (digit(high)?, digit(low)?);
            u8::try_from(high << 4 | low).ok()
        })
        .collect::<Option<Vec<u8>>>()
        .ok_or_else(|| "a digit that is not hexadecimal".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_header_is_hashed_over_its_scale_bytes() {
        let header = |root: u8| {
            json!({
                "parentHash": hex0x(&[0; 32]), "number": "0x0", "stateRoot": hex0x(&[root; 32]),
                "extrinsicsRoot": hex0x(&[2; 32]), "digest": {"logs": ["0x0661757261081234"]},
            })
        };
        let (first, second) = (
            RawHead::read(&header(1)).unwrap(),
            RawHead::read(&header(3)).unwrap(),
        );
        assert_ne!(first.hash, second.hash);
        let mut bytes = vec![0; 32];
        bytes.push(0);
        bytes.extend([1; 32]);
        bytes.extend([2; 32]);
        bytes.extend([4, 6, b'a', b'u', b'r', b'a', 8, 0x12, 0x34]);
        assert_eq!(first.hash.0, blake2_256(&bytes));
        assert_eq!(first.number, BlockNumber(0));
        assert!(RawHead::read(&json!({"number": "0x1"})).is_err());
    }

    #[test]
    fn hexadecimal_is_read_in_either_case() {
        assert_eq!(unhex("0xAbcd"), Ok(vec![0xab, 0xcd]));
        assert_eq!(unhex("0x"), Ok(vec![]));
        assert!(unhex("0xabc").is_err());
        assert!(unhex("zz").is_err());
        // BLAKE2b-256 of nothing, as every implementation gives it.
        assert_eq!(
            hex0x(&blake2_256(b"")),
            "0x0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
        );
    }
}
