//! A fast hash of short byte strings, for tables in memory only: nothing that is written depends on it.
//!
//! Keys come from `words`, `memo` and `gpt2`.

/// A 64-bit hash of bytes, eight at a time; only for look-ups in memory, never written anywhere.
#[inline]
pub(in crate::text) fn hash(bytes: &[u8]) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut h = K ^ bytes.len() as u64;
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        h = (h.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(K);
    }
    let last = tail.iter().rev().fold(0, |x, &byte| x << 8 | u64::from(byte));
    h = (h.rotate_left(5) ^ last).wrapping_mul(K);
    h ^ h >> 29
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_every_byte_count() {
        let inputs: [&[u8]; 6] = [b"", b"\0", b"\0\0", b"abcdefgh", b"abcdefgi", b"abcdefgh\0"];
        let hashes: std::collections::BTreeSet<u64> = inputs.iter().map(|input| hash(input)).collect();
        assert_eq!(hashes.len(), inputs.len());
    }
}
