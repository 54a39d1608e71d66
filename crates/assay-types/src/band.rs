//! Band keys: 14 integers a document, two documents are near-duplicates if they share one.
//!
//! MinHash minima come from the engine's `minhash` step; keys go to `bands.parquet` and decide duplicates.

use crate::hash::{tagged_hash, u64_le};

/// Bands of a document (mechanism §3).
pub const BANDS: usize = 14;

/// MinHash minima of a band (mechanism §3).
pub const BAND_MINIMA: usize = 8;

/// Version of the columns of `bands.parquet`.
pub const BANDS_VERSION: u32 = 1;

/// Columns of `bands.parquet`, in order; `idx` is u32, the others u64.
pub const BANDS_COLUMNS: [&str; 1 + BANDS] = [
    "idx", "band_00", "band_01", "band_02", "band_03", "band_04", "band_05", "band_06", "band_07", "band_08",
    "band_09", "band_10", "band_11", "band_12", "band_13",
];

/// The key of band `k`: `u64(H("assay/band/1", k ‖ 8 minima))`, minima little-endian (mechanism §6.3).
pub fn band_key(k: u8, minima: &[u64; BAND_MINIMA]) -> u64 {
    let minima = minima.map(u64::to_le_bytes);
    u64_le(&tagged_hash("assay/band/1", &[&[k], minima.as_flattened()]))
}

/// The keys of one document, band 0 first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BandKeys(pub [u64; BANDS]);

impl BandKeys {
    /// The keys of 14 × 8 minima, band after band.
    pub fn of(minima: &[[u64; BAND_MINIMA]; BANDS]) -> Self {
        let mut keys = [0; BANDS];
        for ((key, minima), k) in keys.iter_mut().zip(minima).zip(0..) {
            *key = band_key(k, minima);
        }
        Self(keys)
    }

    /// Whether both documents have the same key in some band.
    pub fn share_a_band(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(ours, theirs)| ours == theirs)
    }
}

/// One row of `bands.parquet`: a record that passed all record steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BandRow {
    /// The record's ledger row.
    pub idx: u32,
    /// Its keys.
    pub bands: BandKeys,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Digest;

    #[test]
    fn a_key_depends_on_band_and_minima() {
        let minima = [1, 2, 3, 4, 5, 6, 7, u64::MAX];
        let mut preimage = b"assay/band/1\0\x03".to_vec();
        preimage.extend(minima.iter().flat_map(|m| m.to_le_bytes()));
        assert_eq!(band_key(3, &minima), u64_le(&Digest::of(&preimage)));
        assert_ne!(band_key(3, &minima), band_key(4, &minima));
    }

    #[test]
    fn sharing_means_the_same_band() {
        let one = BandKeys::of(&[[0; BAND_MINIMA]; BANDS]);
        let mut other = BandKeys(one.0.map(|key| !key));
        assert!(one.share_a_band(&one) && !one.share_a_band(&other));
        other.0[13] = one.0[13];
        assert!(one.share_a_band(&other));
        other.0[13] = one.0[12];
        assert!(!one.share_a_band(&other));
    }

    #[test]
    fn columns_are_numbered() {
        for (k, column) in BANDS_COLUMNS.iter().skip(1).enumerate() {
            assert_eq!(*column, format!("band_{k:02}"));
        }
    }
}
