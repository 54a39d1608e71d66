//! Sealed evaluation packs: public now, and closed to everybody until a beacon signs a round.
//!
//! Whoever makes evaluation text seals it before anybody refines for it: a header line names round and pack digest, which is what to
//! publish or commit; the rest is the pack under a key that drand's pulse of the round opens. So the text is provably
//! older than the datasets it judges, and nobody, not even its maker's friends with the file, can train on it.
//!
//! The key is timelocked by [`assay_chain::timelock`]; the text is XORed with `H("assay/pack-stream/1", key ‖ block number)`, 32
//! bytes a block. The pack's digest is checked after opening, so a changed byte is seen.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use assay_chain::Pulse;
use assay_chain::drand::QUICKNET;
use assay_chain::timelock::{Beacon, Entropy, SIGNATURE_BYTES, TimelockError, open, seal};
use assay_eval::pack::{PACK_BYTES_MAX, Pack, PackHeader};
use assay_types::{Digest, hex, tagged_hash};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::EvaluateError;
use crate::local::LocalError;
use crate::local::output::write_atomically;

/// The `schema` of a sealed pack's header.
const SEALED_SCHEMA: &str = "assay.sealed-pack/1";

/// Most bytes of the header line.
const HEADER_BYTES_MAX: u64 = 4_096;

/// Why a sealed pack cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Not the form of a sealed pack.
    #[error("no sealed pack: the first line is not a header of `{SEALED_SCHEMA}`")]
    Form,
    /// The pulse is not the round's, or bytes were changed.
    #[error("round {round}: {source}")]
    Timelock {
        /// The round it is sealed to.
        round: u64,
        /// What is wrong.
        #[source]
        source: TimelockError,
    },
    /// No signature of a pulse.
    #[error("a pulse's signature is {} hexadecimal digits", 2 * SIGNATURE_BYTES)]
    Signature,
    /// What was sealed is another pack than the header promised.
    #[error("the pack inside has digest {found}, the header promised {expected}")]
    Differs {
        /// Of the header.
        expected: Digest,
        /// Of the pack.
        found: Digest,
    },
}

/// First line of a sealed pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedHeader {
    /// `assay.sealed-pack/1`.
    pub schema: String,
    /// The round of drand quicknet whose pulse opens it.
    pub round: u64,
    /// Digest of the pack inside.
    pub digest: Digest,
    /// Bytes of the pack inside.
    pub bytes: u64,
    /// The key, timelocked, in hexadecimal digits.
    pub key: String,
}

/// Seals the bytes of a pack to a round of a beacon and writes them.
///
/// # Errors
/// [`LocalError`]: no random bytes, an output that cannot be written.
pub fn write_sealed(
    beacon: &Beacon,
    (pack, digest): (&[u8], Digest),
    round: u64,
    out: &Path,
) -> Result<SealedHeader, LocalError> {
    let failed = |source| EvaluateError::Sealed {
        path: out.to_owned(),
        source: SealError::Timelock { round, source },
    };
    let (header, bytes) = sealed(pack, digest, round, beacon).map_err(failed)?;
    write_atomically(out, &bytes)?;
    Ok(header)
}

/// Opens a pack that is sealed to drand quicknet with the hexadecimal signature of its round's pulse and writes the pack.
///
/// # Errors
/// [`LocalError`]: no signature, and those of [`open_pack_of`].
pub fn open_sealed_pack(input: &Path, signature: &str, out: &Path) -> Result<PackHeader, LocalError> {
    let signature: [u8; SIGNATURE_BYTES] = hex::decode(signature).map_err(|_| EvaluateError::Sealed {
        path: input.to_owned(),
        source: SealError::Signature,
    })?;
    open_pack_of(&QUICKNET, input, &signature, out)
}

/// Opens a sealed pack with the signature of its round's pulse of a beacon and writes the pack.
///
/// # Errors
/// [`LocalError`]: no sealed pack, a pulse of another round, an output that cannot be written.
pub fn open_pack_of(
    beacon: &Beacon,
    input: &Path,
    signature: &[u8],
    out: &Path,
) -> Result<PackHeader, LocalError> {
    let failed = |source| EvaluateError::Sealed {
        path: input.to_owned(),
        source,
    };
    let signature: [u8; SIGNATURE_BYTES] = signature.try_into().map_err(|_| failed(SealError::Signature))?;
    let mut bytes = Vec::new();
    let file = fs::File::open(input).map_err(LocalError::io(input))?;
    file.take(PACK_BYTES_MAX + HEADER_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(LocalError::io(input))?;
    let (header, pack) = opened(&bytes, &signature, beacon).map_err(failed)?;
    let found = Pack::read(pack.as_slice()).map_err(|source| EvaluateError::Pack {
        path: input.to_owned(),
        source,
    })?;
    if found.header.digest != header.digest {
        let (expected, found) = (header.digest, found.header.digest);
        return Err(failed(SealError::Differs { expected, found }).into());
    }
    write_atomically(out, &pack)?;
    Ok(found.header)
}

/// The header if a file is a sealed pack.
pub fn sealed_header(path: &Path) -> Option<SealedHeader> {
    let mut line = Vec::new();
    let file = fs::File::open(path).ok()?;
    BufReader::new(file.take(HEADER_BYTES_MAX))
        .read_until(b'\n', &mut line)
        .ok()?;
    parse(&line).ok()
}

fn parse(line: &[u8]) -> Result<SealedHeader, SealError> {
    let header: SealedHeader = serde_json::from_slice(line).map_err(|_| SealError::Form)?;
    if header.schema == SEALED_SCHEMA {
        Ok(header)
    } else {
        Err(SealError::Form)
    }
}

fn sealed(
    pack: &[u8],
    digest: Digest,
    round: u64,
    beacon: &Beacon,
) -> Result<(SealedHeader, Vec<u8>), TimelockError> {
    // The key of the text is not the one that the timelock wraps: each is used once.
    let key = Entropy::random()?.key;
    let header = SealedHeader {
        schema: SEALED_SCHEMA.to_owned(),
        round,
        digest,
        bytes: pack.len() as u64,
        key: hex::encode(&seal(beacon, round, &key, &Entropy::random()?)?),
    };
    let mut bytes = serde_json::json!(header).to_string().into_bytes();
    bytes.push(b'\n');
    let start = bytes.len();
    bytes.extend_from_slice(pack);
    if let Some(body) = bytes.get_mut(start..) {
        apply_stream(&key, body);
    }
    Ok((header, bytes))
}

fn opened(
    bytes: &[u8],
    signature: &[u8; SIGNATURE_BYTES],
    beacon: &Beacon,
) -> Result<(SealedHeader, Vec<u8>), SealError> {
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or(SealError::Form)?;
    let (line, rest) = bytes.split_at_checked(end + 1).ok_or(SealError::Form)?;
    let header = parse(line)?;
    let of_round = |source| SealError::Timelock {
        round: header.round,
        source,
    };
    // The pulse must be the header's round: a pack that promised a later one is refused.
    let pulse = Pulse {
        round: header.round,
        randomness: Digest(sha2::Sha256::digest(signature).into()),
        signature: signature.to_vec(),
    };
    beacon.verify(&pulse).map_err(of_round)?;
    let wrapped = hex_bytes(&header.key).ok_or(SealError::Form)?;
    let key = open(&wrapped, signature).map_err(of_round)?;
    let key: [u8; 32] = key.try_into().map_err(|_| SealError::Form)?;
    let mut pack = rest.to_vec();
    apply_stream(&key, &mut pack);
    if pack.len() as u64 != header.bytes {
        return Err(SealError::Form);
    }
    Ok((header, pack))
}

/// Bytes of hexadecimal digits of any length.
fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// XORs the stream of a key; twice gives what was.
fn apply_stream(key: &[u8; 32], bytes: &mut [u8]) {
    for (number, block) in (0_u64..).zip(bytes.chunks_mut(32)) {
        let stream = tagged_hash("assay/pack-stream/1", &[key, &number.to_le_bytes()]);
        for (byte, mask) in block.iter_mut().zip(stream.as_bytes()) {
            *byte ^= mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_chain::timelock::LocalBeacon;

    #[test]
    fn a_sealed_pack_opens_with_its_round_and_no_other() {
        let local = LocalBeacon::from_seed(&[7; 32]).unwrap();
        let text: Vec<u8> = (0..1_000_u32).flat_map(u32::to_le_bytes).collect();
        let (header, bytes) = sealed(&text, Digest([3; 32]), 500, local.beacon()).unwrap();
        assert_eq!((header.round, header.bytes), (500, 4_000));
        assert!(
            !bytes
                .windows(16)
                .any(|window| text.windows(16).any(|part| part == window)),
            "nothing is readable"
        );
        let signature = |round| local.pulse(round).unwrap().signature.try_into().unwrap();
        let open = |bytes: &[u8], round| opened(bytes, &signature(round), local.beacon());
        assert_eq!(open(&bytes, 500).unwrap(), (header.clone(), text.clone()));
        for round in [499, 501] {
            let error = open(&bytes, round).unwrap_err();
            assert!(
                matches!(error, SealError::Timelock { round: 500, .. }),
                "{error:?}"
            );
        }
        // Another pack under the same key is another text: two seals never share a stream.
        let (_, again) = sealed(&text, Digest([3; 32]), 500, local.beacon()).unwrap();
        assert_ne!(bytes, again);
        // A header that promises a later round than it was sealed to.
        let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let mut later = header;
        later.round = 900;
        let mut forged = serde_json::to_vec(&later).unwrap();
        forged.extend_from_slice(&bytes[line..]);
        assert!(open(&forged, 500).is_err() && open(&forged, 900).is_err());
        for cut in [0, 10, line, bytes.len() - 1] {
            assert!(open(&bytes[..cut], 500).is_err(), "cut at {cut}");
        }
    }
}
