//! MinHash as datatrove computes it, band keys, and the two ways to remove near-duplicates.
//!
//! `signature` turns words into 112 minima, `bands` these into 14 keys; `unit` decides inside a unit while the ledger is
//! written, `cluster` over a whole corpus.

mod bands;
pub mod cluster;
mod constants;
mod signature;
pub mod unit;

pub use bands::band_keys;
pub use constants::constants;
pub use signature::{MinHasher, Signature};
pub use unit::UnitDedup;

/// Bands of a signature (datatrove 0.10.1 `MinhashConfig.num_buckets`).
pub const BANDS: usize = 14;
/// Hashes a band (datatrove 0.10.1 `MinhashConfig.hashes_per_bucket`).
pub const ROWS: usize = 8;
/// Hashes of a signature.
pub const HASHES: usize = BANDS * ROWS;
/// Words of a shingle (datatrove 0.10.1 `MinhashConfig.n_grams`).
pub const SHINGLE_WORDS: usize = 5;
/// The Mersenne prime 2^61 − 1 (datatrove 0.10.1 `pipeline/dedup/minhash.py`).
pub const PRIME: u64 = (1 << 61) - 1;
