//! Whole files sealed until a pulse: a key of their own under the timelock, the bytes under that key.
//!
//! [`super::seal`] takes what a chain takes; a file may be megabytes. Layout: `assay/sealed/1` and LF (15 bytes) | round, u64
//! little-endian | 276 bytes of timelock ciphertext of the 32-byte key | AES-256-GCM of the file with a nonce of zeros, as each
//! key is used once, and everything before as associated data. Docs: docs/format.md, "Audit report".

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use zeroize::Zeroizing;

use super::blob::NONCE_BYTES;
use super::{Beacon, Entropy, OVERHEAD_BYTES, TimelockError, open, seal};

/// What a sealed file begins with.
const MAGIC: [u8; 15] = *b"assay/sealed/1\n";
const KEY_BYTES: usize = 32;
/// Everything before the encrypted bytes.
const HEAD_BYTES: usize = MAGIC.len() + 8 + KEY_BYTES + OVERHEAD_BYTES;
/// What a sealed file has more than its plaintext, the cipher's tag included.
pub const FILE_OVERHEAD_BYTES: usize = HEAD_BYTES + 16;

/// `plaintext` sealed until `beacon` signs `round`: its length + [`FILE_OVERHEAD_BYTES`] bytes.
///
/// # Errors
/// [`TimelockError::Entropy`], or [`TimelockError::Point`] for an unusable public key.
pub fn seal_file(beacon: &Beacon, round: u64, plaintext: &[u8]) -> Result<Vec<u8>, TimelockError> {
    let key = Zeroizing::new(Entropy::random()?.key);
    let mut bytes = Vec::with_capacity(plaintext.len().saturating_add(FILE_OVERHEAD_BYTES));
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&round.to_le_bytes());
    bytes.extend_from_slice(&seal(beacon, round, key.as_slice(), &Entropy::random()?)?);
    let payload = Payload {
        msg: plaintext,
        aad: &bytes,
    };
    let sealed = Aes256Gcm::new((&*key).into())
        .encrypt(&[0; NONCE_BYTES].into(), payload)
        .map_err(|_| TimelockError::Layout { part: "plaintext" })?;
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}

/// The round whose pulse opens a sealed file.
///
/// # Errors
/// [`TimelockError::Truncated`] and [`TimelockError::Layout`] for bytes that are none.
pub fn round_of_file(sealed: &[u8]) -> Result<u64, TimelockError> {
    let (magic, rest) = split::<15>(sealed, "name")?;
    if *magic != MAGIC {
        return Err(TimelockError::Layout { part: "name" });
    }
    let (round, _) = split::<8>(rest, "round")?;
    Ok(u64::from_le_bytes(*round))
}

/// What a sealed file holds, opened with a pulse's 48-byte signature.
///
/// # Errors
/// [`TimelockError::WrongPulse`] for a pulse of another round or altered bytes; the layout's errors for anything else.
pub fn open_file(sealed: &[u8], signature: &[u8]) -> Result<Vec<u8>, TimelockError> {
    round_of_file(sealed)?;
    let (head, body) = split::<HEAD_BYTES>(sealed, "key")?;
    let (_, key) = head.split_at(MAGIC.len() + 8);
    let key = Zeroizing::new(open(key, signature)?);
    let key: &[u8; KEY_BYTES] = key
        .as_slice()
        .try_into()
        .map_err(|_| TimelockError::Layout { part: "key" })?;
    let payload = Payload { msg: body, aad: head };
    Aes256Gcm::new(key.into())
        .decrypt(&[0; NONCE_BYTES].into(), payload)
        .map_err(|_| TimelockError::WrongPulse)
}

fn split<'a, const N: usize>(
    bytes: &'a [u8],
    part: &'static str,
) -> Result<(&'a [u8; N], &'a [u8]), TimelockError> {
    bytes
        .split_first_chunk::<N>()
        .ok_or(TimelockError::Truncated { part })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timelock::LocalBeacon;

    #[test]
    fn a_file_opens_with_its_pulse_and_no_other_and_no_altered_one_opens() {
        let local = LocalBeacon::from_seed(&[7; 32]).unwrap();
        let text = vec![b'x'; 100_000];
        let sealed = seal_file(local.beacon(), 12, &text).unwrap();
        assert_eq!(sealed.len(), text.len() + FILE_OVERHEAD_BYTES);
        assert_eq!(round_of_file(&sealed), Ok(12));
        let pulse = |round| local.pulse(round).unwrap().signature;
        assert_eq!(open_file(&sealed, &pulse(12)).unwrap(), text);
        assert_eq!(open_file(&sealed, &pulse(13)), Err(TimelockError::WrongPulse));
        for at in [0, 15, 22, 23, 150, HEAD_BYTES - 1, HEAD_BYTES, sealed.len() - 1] {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(open_file(&altered, &pulse(12)).is_err(), "byte {at}");
        }
        for end in [0, 14, 15, 22, 23, HEAD_BYTES - 1, HEAD_BYTES, sealed.len() - 1] {
            assert!(open_file(&sealed[..end], &pulse(12)).is_err(), "cut at {end}");
        }
        assert_ne!(
            seal_file(local.beacon(), 12, &text).unwrap(),
            sealed,
            "no two are alike"
        );
    }

    #[test]
    fn an_empty_file_is_a_file() {
        let local = LocalBeacon::from_seed(&[8; 32]).unwrap();
        let sealed = seal_file(local.beacon(), 1, b"").unwrap();
        assert_eq!(
            open_file(&sealed, &local.pulse(1).unwrap().signature).unwrap(),
            b""
        );
    }
}
