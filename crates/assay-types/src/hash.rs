//! Tagged BLAKE3 hashes and the digest types of everything that is signed, stored or compared.
//!
//! Bytes come from every module of this crate; digests go into rows, trees, manifests and chain messages.
//! The rule is `H(tag, x…) = BLAKE3-256(tag ‖ 0x00 ‖ x…)`, `H16` its first 16 bytes (mechanism §1).

use crate::hex::hex_newtype;

hex_newtype! {
    /// A 32-byte BLAKE3 digest.
    Digest, 32
}

hex_newtype! {
    /// The first 16 bytes of a BLAKE3 digest.
    Digest16, 16
}

hex_newtype! {
    /// A SHA-256 digest of a published file; it is computed where the file is written, not here.
    Sha256Digest, 32
}

impl Digest {
    /// BLAKE3 of plain bytes, without a tag: recipe ids, artifacts.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The first 16 bytes.
    pub fn truncated(&self) -> Digest16 {
        let mut out = [0; 16];
        for (to, from) in out.iter_mut().zip(self.0) {
            *to = from;
        }
        Digest16(out)
    }
}

/// `H(tag, parts…)`: BLAKE3-256 of the ASCII `tag`, one zero byte, then the parts one after the other.
///
/// The parts are joined without separators, so a caller puts at most one part of variable length, or lengths.
pub fn tagged_hash(tag: &str, parts: &[&[u8]]) -> Digest {
    // Draws, scores and keys hash some hundred bytes: one piece costs a third of the same bytes fed part by part.
    let mut buffer = [0; SHORT_BYTES];
    if let Some(bytes) = joined(&mut buffer, tag, parts) {
        return Digest::of(bytes);
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(tag.as_bytes()).update(&[0]);
    for part in parts {
        hasher.update(part);
    }
    Digest(*hasher.finalize().as_bytes())
}

/// Longest input hashed in one piece.
const SHORT_BYTES: usize = 192;

/// `tag ‖ 0x00 ‖ parts` in `buffer`, if they fit.
fn joined<'a>(buffer: &'a mut [u8; SHORT_BYTES], tag: &str, parts: &[&[u8]]) -> Option<&'a [u8]> {
    let mut end = 0;
    for part in [tag.as_bytes(), &[0]].into_iter().chain(parts.iter().copied()) {
        buffer.get_mut(end..end + part.len())?.copy_from_slice(part);
        end += part.len();
    }
    buffer.get(..end)
}

/// `H16(tag, parts…)`: the first 16 bytes of [`tagged_hash`].
pub fn tagged_hash16(tag: &str, parts: &[&[u8]]) -> Digest16 {
    tagged_hash(tag, parts).truncated()
}

/// BLAKE3 of plain bytes cut to 16 bytes: `record_digest` and `text_hash` of a ledger row (mechanism §6.3).
pub fn blake3_16(bytes: &[u8]) -> Digest16 {
    Digest::of(bytes).truncated()
}

/// The first 8 bytes of a digest as a little-endian integer.
pub fn u64_le(digest: &Digest) -> u64 {
    u64::from_le_bytes(*digest.0.first_chunk().unwrap_or(&[0; 8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tagged_hash_is_blake3_of_tag_zero_and_parts() {
        assert_eq!(tagged_hash("t", &[b"ab", b"c"]), Digest::of(b"t\0abc"));
        for length in [SHORT_BYTES - 3, SHORT_BYTES - 2, SHORT_BYTES - 1, 5_000] {
            let part = vec![7; length];
            let whole = [b"t\0".as_slice(), &part].concat();
            assert_eq!(tagged_hash("t", &[&part]), Digest::of(&whole), "{length}");
        }
        assert_eq!(tagged_hash16("t", &[]).0, tagged_hash("t", &[]).0[..16]);
    }

    #[test]
    fn a_tagged_hash_equals_that_of_another_implementation() {
        // blake3("assay/hrw/1" ‖ 0x00 ‖ 32 x 0xA1 ‖ unit ‖ 32 x n), read as a little-endian u64 (Python, package blake3).
        let unit = tagged_hash16("assay/unit/1", &[b"cc:EXAMPLE/00000"]);
        let first = [
            0x2bd3_fa3f_482e_e83d,
            0x6cac_ea22_11b8_dfed,
            0x0249_6044_a168_cb39,
            0x6c90_9562_1a2a_9b4a,
        ];
        for (byte, expected) in (1_u8..).zip(first) {
            let digest = tagged_hash("assay/hrw/1", &[&[0xA1; 32], unit.as_bytes(), &[byte; 32]]);
            assert_eq!(u64_le(&digest), expected);
        }
    }

    #[test]
    fn digests_read_what_they_print() {
        let digest = Digest::of(b"hello");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(
            serde_json::to_string(&Digest16::ZERO).unwrap(),
            format!("\"{}\"", "0".repeat(32))
        );
        assert!(serde_json::from_str::<Digest16>("\"00\"").is_err());
        assert!(Digest16::ZERO.is_zero() && !digest.is_zero());
    }
}
