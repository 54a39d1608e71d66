//! Band keys: 64 bits for each band of eight minima, what a ledger publishes and duplicates share.
//!
//! `band_k = u64(H("assay/band/1", k u8 ‖ 8 minima u64))`, H(tag, x) = BLAKE3(tag ‖ 0x00 ‖ x), u64 = the first eight bytes,
//! little-endian (mechanism §6.3). Signatures come from `signature`; the keys go to `bands.parquet` and to `unit`.

use super::{BANDS, ROWS, Signature};

/// Tag of the hash.
const TAG: &[u8] = b"assay/band/1\0";

/// The band keys of a signature.
pub fn band_keys(signature: &Signature) -> [u64; BANDS] {
    let mut bands = signature.minima().chunks_exact(ROWS);
    let mut band = 0_u8;
    std::array::from_fn(|_| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(TAG);
        hasher.update(&[band]);
        for minimum in bands.next().unwrap_or(&[]) {
            hasher.update(&minimum.to_le_bytes());
        }
        band += 1;
        hasher
            .finalize()
            .as_bytes()
            .first_chunk::<8>()
            .map_or(0, |first| u64::from_le_bytes(*first))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_key_hashes_number_and_minima() {
        let minima: [u64; super::super::HASHES] = std::array::from_fn(|i| i as u64);
        let keys = band_keys(&Signature::new(minima));
        let mut input = b"assay/band/1\0\x01".to_vec();
        (8_u64..16).for_each(|x| input.extend(x.to_le_bytes()));
        let digest = blake3::hash(&input);
        assert_eq!(keys[1].to_le_bytes(), digest.as_bytes()[..8]);
        assert_ne!(keys[0], keys[1]);
    }
}
