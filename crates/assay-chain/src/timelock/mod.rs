//! Timelock encryption to a drand beacon: anyone seals bytes now, and nobody opens them before a round's pulse.
//!
//! Boneh–Franklin identity-based encryption on BLS12-381 with signatures in G1 and keys in G2, the scheme of drand
//! quicknet, in the byte layout that subtensor opens (`TLECiphertext` of ideal-lab5/timelock with AES-256-GCM; peer:
//! `bittensor-core` 0.1.5). A payload costs [`OVERHEAD_BYTES`] more than its plaintext. [`LocalBeacon`] is a beacon of
//! the same scheme with a key of one's own: the embedded chain and tests have no drand network.
//!
//! Nothing here reads a clock or a socket: rounds come from [`crate::drand`], randomness is an argument ([`Entropy`]).

mod beacon;
mod blob;
mod error;
mod file;
mod seal;
mod weights;

pub use beacon::{Beacon, LocalBeacon, PUBLIC_KEY_BYTES, SIGNATURE_BYTES};
pub use blob::{OVERHEAD_BYTES, SEALED_BYTES_MAX};
pub use error::TimelockError;
pub use file::{FILE_OVERHEAD_BYTES, open_file, round_of_file, seal_file};
pub use seal::{Entropy, open, seal};
pub use weights::{PAYLOAD_WEIGHTS_MAX, WeightsPayload};
