//! The byte layout of a sealed payload, read with bounds and written.
//!
//! Lengths are u64 little-endian: U (96 bytes) | 32, V | 32, W | n, body | 8, `AES_GCM_`; body = m, ciphertext and tag |
//! 12, nonce. Source: arkworks `CanonicalSerialize` of `TLECiphertext`, checked against `bittensor-core` 0.1.5.

use super::TimelockError;
use super::beacon::PUBLIC_KEY_BYTES;

/// What a sealed payload has more than its plaintext.
pub const OVERHEAD_BYTES: usize = 244;
/// Most bytes of a ciphertext: what a weights commit takes (opentensor/subtensor 14bc6f9, `MAX_CRV3_COMMIT_SIZE_BYTES`).
pub const SEALED_BYTES_MAX: usize = 5000;

/// A masked 32-byte value.
pub(super) const MASK_BYTES: usize = 32;
/// Nonce of AES-GCM.
pub(super) const NONCE_BYTES: usize = 12;
/// Tag of AES-GCM, the least a ciphertext holds.
pub(super) const TAG_BYTES: usize = 16;
/// Name of the cipher, the last part.
const CIPHER: &[u8] = b"AES_GCM_";

/// A sealed payload in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    /// U, compressed point of G2.
    pub(super) u: [u8; PUBLIC_KEY_BYTES],
    /// V, sigma masked by the pairing.
    pub(super) v: [u8; MASK_BYTES],
    /// W, the content key masked by sigma.
    pub(super) w: [u8; MASK_BYTES],
    /// Ciphertext and tag.
    pub(super) ciphertext: Vec<u8>,
    /// Nonce.
    pub(super) nonce: [u8; NONCE_BYTES],
}

impl Blob {
    /// The parts of `bytes`; nothing may follow them.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, TimelockError> {
        if bytes.len() > SEALED_BYTES_MAX {
            return Err(TimelockError::TooLong {
                found: bytes.len(),
                max: SEALED_BYTES_MAX,
            });
        }
        let mut rest = bytes;
        let u = take(&mut rest, "U")?;
        let v = sized(&mut rest, "V")?;
        let w = sized(&mut rest, "W")?;
        let mut body = run(&mut rest, "body")?;
        if run(&mut rest, "cipher name")? != CIPHER {
            return Err(TimelockError::Layout { part: "cipher name" });
        }
        let ciphertext = run(&mut body, "encrypted body")?;
        let nonce = sized(&mut body, "nonce")?;
        if ciphertext.len() < TAG_BYTES {
            return Err(TimelockError::Layout {
                part: "encrypted body",
            });
        }
        if !rest.is_empty() || !body.is_empty() {
            return Err(TimelockError::Layout { part: "end" });
        }
        Ok(Self {
            u,
            v,
            w,
            ciphertext: ciphertext.to_vec(),
            nonce,
        })
    }

    /// The bytes that [`Blob::parse`] reads.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.ciphertext.len() + NONCE_BYTES + 16);
        push(&mut body, &self.ciphertext);
        push(&mut body, &self.nonce);
        let mut bytes = Vec::with_capacity(OVERHEAD_BYTES + self.ciphertext.len());
        bytes.extend_from_slice(&self.u);
        for part in [self.v.as_slice(), &self.w, &body, CIPHER] {
            push(&mut bytes, part);
        }
        bytes
    }
}

fn push(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
    bytes.extend_from_slice(part);
}

fn take<const N: usize>(rest: &mut &[u8], part: &'static str) -> Result<[u8; N], TimelockError> {
    let (head, tail) = rest
        .split_first_chunk::<N>()
        .ok_or(TimelockError::Truncated { part })?;
    *rest = tail;
    Ok(*head)
}

/// Bytes with their length in front.
fn run<'a>(rest: &mut &'a [u8], part: &'static str) -> Result<&'a [u8], TimelockError> {
    let count =
        usize::try_from(u64::from_le_bytes(take(rest, part)?)).map_err(|_| TimelockError::Layout { part })?;
    let (head, tail) = rest
        .split_at_checked(count)
        .ok_or(TimelockError::Truncated { part })?;
    *rest = tail;
    Ok(head)
}

/// A run of exactly `N` bytes.
fn sized<const N: usize>(rest: &mut &[u8], part: &'static str) -> Result<[u8; N], TimelockError> {
    run(rest, part)?
        .try_into()
        .map_err(|_| TimelockError::Layout { part })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blob(plaintext_bytes: usize) -> Blob {
        Blob {
            u: [1; PUBLIC_KEY_BYTES],
            v: [2; MASK_BYTES],
            w: [3; MASK_BYTES],
            ciphertext: vec![4; plaintext_bytes + TAG_BYTES],
            nonce: [5; NONCE_BYTES],
        }
    }

    #[test]
    fn the_overhead_is_what_it_is_said_to_be() {
        for count in [0, 1, 124, 1069] {
            assert_eq!(blob(count).to_bytes().len(), count + OVERHEAD_BYTES);
        }
    }

    #[test]
    fn a_cut_anywhere_and_a_byte_too_many_are_refused() {
        let bytes = blob(5).to_bytes();
        assert_eq!(Blob::parse(&bytes), Ok(blob(5)));
        for end in 0..bytes.len() {
            assert!(Blob::parse(&bytes[..end]).is_err(), "cut at {end}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(Blob::parse(&longer), Err(TimelockError::Layout { part: "end" }));
        let huge = vec![0; SEALED_BYTES_MAX + 1];
        assert!(matches!(Blob::parse(&huge), Err(TimelockError::TooLong { .. })));
    }

    proptest! {
        #[test]
        fn layouts_survive_the_round_trip(count in 0_usize..600, fill: u8) {
            let mut written = blob(count);
            written.ciphertext.fill(fill);
            prop_assert_eq!(Blob::parse(&written.to_bytes()), Ok(written));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), at in 0_usize..260, to: u8) {
            let _ = Blob::parse(&bytes);
            let mut altered = blob(5).to_bytes();
            if let Some(byte) = altered.get_mut(at) {
                *byte = to;
            }
            if let Ok(parsed) = Blob::parse(&altered) {
                prop_assert_eq!(parsed.to_bytes(), altered);
            }
        }
    }
}
