//! Yuma consensus, bit for bit as the subtensor runtime computes it.
//!
//! Stake, weights and bonds of a subnet come in ([`Subnet`]); incentive, dividends, emission, permits and the bonds to
//! store leave ([`Outcome`]), for the simulator and the embedded chain. The order of one epoch, with the file of each step:
//!
//! 1. `consensus`: stake shares, permits, active stake, masked weights, stake-weighted median;
//! 2. `epoch`: clip at consensus, validator trust, incentive;
//! 3. `bonds`: classic, Yuma3 and liquid-alpha bonds, dividends;
//! 4. `epoch`: emission.
//!
//! Source: opentensor/subtensor 14bc6f9, `pallets/subtensor/src/epoch`; the tests reproduce that repository's vectors.
//! An epoch of 256 uids, of which 64 validators rate all 192 miners, takes 1.2 ms (classic), 0.7 ms (Yuma3) or 1.9 ms (liquid
//! alpha) by `cargo bench -p assay-mechanism --bench yuma`.
//! Deliberately absent: what only the chain can know (child keys, root proportion, who owns the burn uid).

mod bonds;
mod consensus;
mod epoch;
mod fixed;
mod matrix;
mod subnet;
mod upscale;

pub use epoch::{Outcome, epoch};
pub use fixed::Fixed;
pub use subnet::{BondRule, LiquidAlpha, Neuron, Stake, Subnet, YumaParams};
pub use upscale::{exceeds_max_weight, max_upscale};
