//! Signed transactions of the embedded chain: their bytes, what exactly is signed, and how long they are valid.
//!
//! A [`Call`] and a key pair come in; bytes for the pool leave, and come back as an [`Extrinsic`]. Layout, integers
//! little-endian:
//!
//! | bytes | field |
//! |---|---|
//! | 1 | layout version, 1 |
//! | 32 | signer, an sr25519 public key |
//! | 64 | signature |
//! | 4 | nonce |
//! | 4 | era: block it was born at |
//! | 2 | era: blocks it lives, 1 to [`ERA_BLOCKS_MAX`] |
//! | rest | the call as JSON |
//!
//! Signed (context `substrate`) is `H("assay/embedded/transaction/1", genesis hash ‖ hash of the birth block ‖ spec version
//! u32 ‖ nonce ‖ birth ‖ period ‖ call)`: another chain, fork, runtime or order makes the signature invalid.

use assay_types::{Coldkey, Digest, tagged_hash};
use subxt_signer::sr25519::{self, Keypair, PublicKey, Signature};

use crate::commitment::{BIG_RAW_BYTES_MAX, TIMELOCKED_BYTES_MAX};
use crate::{BlockHash, Call, CommitmentField};

/// First byte of the layout.
const VERSION: u8 = 1;
/// Longest life of a transaction, blocks: hashes of so many are kept.
pub(crate) const ERA_BLOCKS_MAX: u32 = 2_400;
/// Most bytes of a transaction.
pub(crate) const EXTRINSIC_BYTES_MAX: usize = 64 * 1024;

/// What a transaction is signed for, besides its own bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signed {
    /// Genesis hash.
    pub(crate) genesis: Digest,
    /// Hash of the block it was born at.
    pub(crate) birth: BlockHash,
    /// `spec_version`.
    pub(crate) spec_version: u32,
}

/// How a transaction is numbered and how long it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    /// Nonce.
    pub(crate) nonce: u32,
    /// Block it was born at.
    pub(crate) birth: u32,
    /// Blocks it lives.
    pub(crate) period: u16,
}

/// A transaction whose bytes are well formed; [`Extrinsic::is_signed`] tells whether it is its signer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extrinsic {
    /// Account that signed.
    pub(crate) signer: Coldkey,
    /// Nonce and era.
    pub(crate) order: Order,
    /// What it does.
    pub(crate) call: Call,
    signature: [u8; 64],
    bytes: Vec<u8>,
}

impl Extrinsic {
    /// Signs a call.
    pub(crate) fn sign(call: &Call, signer: &Keypair, order: Order, signed: &Signed) -> Self {
        let json = serde_json::to_vec(call).unwrap_or_default();
        let signature = signer.sign(digest(&json, order, signed).as_bytes()).0;
        let signer = Coldkey(signer.public_key().0);
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(signer.as_bytes());
        bytes.extend_from_slice(&signature);
        bytes.extend_from_slice(&order.to_bytes());
        bytes.extend_from_slice(&json);
        Self {
            signer,
            order,
            call: call.clone(),
            signature,
            bytes,
        }
    }

    /// Reads the layout; `None` for anything else, calls whose fields are too long included.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > EXTRINSIC_BYTES_MAX {
            return None;
        }
        let (version, rest) = bytes.split_first()?;
        let (signer, rest) = rest.split_first_chunk::<32>()?;
        let (signature, rest) = rest.split_first_chunk::<64>()?;
        let (nonce, rest) = rest.split_first_chunk::<4>()?;
        let (birth, rest) = rest.split_first_chunk::<4>()?;
        let (period, json) = rest.split_first_chunk::<2>()?;
        let call: Call = serde_json::from_slice(json).ok()?;
        let canonical = serde_json::to_vec(&call).is_ok_and(|written| written == json);
        let order = Order {
            nonce: u32::from_le_bytes(*nonce),
            birth: u32::from_le_bytes(*birth),
            period: u16::from_le_bytes(*period),
        };
        (*version == VERSION && canonical && fits(&call)).then(|| Self {
            signer: Coldkey(*signer),
            order,
            call,
            signature: *signature,
            bytes: bytes.to_vec(),
        })
    }

    /// Whether the signer signed it for this chain, fork and runtime.
    pub(crate) fn is_signed(&self, signed: &Signed) -> bool {
        let json = serde_json::to_vec(&self.call).unwrap_or_default();
        let message = digest(&json, self.order, signed);
        sr25519::verify(
            &Signature(self.signature),
            message.as_bytes(),
            &PublicKey(self.signer.0),
        )
    }

    /// The bytes it was read from.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its hash.
    pub(crate) fn hash(&self) -> Digest {
        hash_of(&self.bytes)
    }
}

/// The hash of a transaction's bytes.
pub(crate) fn hash_of(bytes: &[u8]) -> Digest {
    tagged_hash("assay/embedded/extrinsic/1", &[bytes])
}

/// Whether every field has a length the chain can encode.
pub(crate) fn fits(call: &Call) -> bool {
    match call {
        Call::SetCommitment { fields, .. } => fields.iter().all(|field| match field {
            CommitmentField::Plain(bytes) => bytes.len() <= BIG_RAW_BYTES_MAX,
            CommitmentField::Blake2(_) => true,
            CommitmentField::Timelocked { ciphertext, .. } => ciphertext.len() <= TIMELOCKED_BYTES_MAX,
        }),
        Call::CommitTimelockedWeights { commit, .. } => commit.len() <= super::COMMIT_BYTES_MAX,
        _ => true,
    }
}

impl Order {
    fn to_bytes(self) -> [u8; 10] {
        let mut bytes = [0; 10];
        let fields = [
            self.nonce.to_le_bytes().as_slice(),
            &self.birth.to_le_bytes(),
            &self.period.to_le_bytes(),
        ]
        .concat();
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        bytes
    }

    /// Last block it may be in.
    pub(crate) fn era_end(self) -> u32 {
        self.birth.saturating_add(u32::from(self.period))
    }
}

fn digest(json: &[u8], order: Order, signed: &Signed) -> Digest {
    tagged_hash(
        "assay/embedded/transaction/1",
        &[
            signed.genesis.as_bytes(),
            signed.birth.as_bytes(),
            &signed.spec_version.to_le_bytes(),
            &order.to_bytes(),
            json,
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::NetUid;
    use proptest::prelude::*;
    use subxt_signer::sr25519::dev;

    const ORDER: Order = Order {
        nonce: 3,
        birth: 7,
        period: 32,
    };

    fn signed(spec_version: u32) -> Signed {
        Signed {
            genesis: Digest([1; 32]),
            birth: Digest([2; 32]),
            spec_version,
        }
    }

    fn example() -> Extrinsic {
        let call = Call::StartCall { netuid: NetUid(3) };
        Extrinsic::sign(&call, &dev::alice(), ORDER, &signed(425))
    }

    #[test]
    fn what_is_signed_is_read_back_and_verified() {
        let sent = example();
        let read = Extrinsic::decode(sent.bytes()).unwrap();
        assert_eq!(read, sent);
        assert!(read.is_signed(&signed(425)));
        assert!(!read.is_signed(&signed(426)), "another runtime");
        let elsewhere = Signed {
            genesis: Digest([9; 32]),
            ..signed(425)
        };
        assert!(!read.is_signed(&elsewhere), "another chain");
    }

    #[test]
    fn cut_bytes_are_no_transaction() {
        let bytes = example().bytes().to_vec();
        for length in 0..bytes.len() {
            assert_eq!(Extrinsic::decode(&bytes[..length]), None, "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn a_changed_bit_is_never_valid(at in 0_usize..1_000, bit in 0_u8..8) {
            let mut bytes = example().bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            if let Some(read) = Extrinsic::decode(&bytes) {
                prop_assert!(!read.is_signed(&signed(425)));
            }
        }
    }
}
