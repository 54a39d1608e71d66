//! drand quicknet: its key, its clock, and the seed of an audit that its pulses decide.
//!
//! Values: drand quicknet's published chain information (chain hash [`CHAIN_HASH`]); the chain stores its pulses.

use assay_types::{Digest, tagged_hash};
use thiserror::Error;

use crate::timelock::{Beacon, TimelockError};
use crate::{Head, Pulse};

/// Unix time of round 1, seconds.
pub const GENESIS_S: u64 = 1_692_803_367;
/// Seconds between rounds.
pub const PERIOD_S: u64 = 3;
/// Name of the chain of pulses.
pub const CHAIN_HASH: &str = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971";
/// The public key that signs quicknet's rounds.
pub const QUICKNET: Beacon = Beacon {
    public_key: [
        0x83, 0xcf, 0x0f, 0x28, 0x96, 0xad, 0xee, 0x7e, 0xb8, 0xb5, 0xf0, 0x1f, 0xca, 0xd3, 0x91, 0x22, 0x12,
        0xc4, 0x37, 0xe0, 0x07, 0x3e, 0x91, 0x1f, 0xb9, 0x00, 0x22, 0xd3, 0xe7, 0x60, 0x18, 0x3c, 0x8c, 0x4b,
        0x45, 0x0b, 0x6a, 0x0a, 0x6c, 0x3a, 0xc6, 0xa5, 0x77, 0x6a, 0x2d, 0x10, 0x64, 0x51, 0x0d, 0x1f, 0xec,
        0x75, 0x8c, 0x92, 0x1c, 0xc2, 0x2b, 0x0e, 0x17, 0xe6, 0x3a, 0xaf, 0x4b, 0xcb, 0x5e, 0xd6, 0x63, 0x04,
        0xde, 0x9c, 0xf8, 0x09, 0xbd, 0x27, 0x4c, 0xa7, 0x3b, 0xab, 0x4a, 0xf5, 0xa6, 0xe9, 0xc7, 0x6a, 0x4b,
        0xc0, 0x9e, 0x76, 0xea, 0xe8, 0x99, 0x1e, 0xf5, 0xec, 0xe4, 0x5a,
    ],
};

/// The newest round at `time_s` (Unix seconds) by the reference's formula, `(time − genesis) / period`; 0 before genesis.
///
/// Round 1 is emitted at genesis, so this is one less than the round just emitted: a pulse of it always exists.
pub const fn round_at(time_s: u64) -> u64 {
    time_s.saturating_sub(GENESIS_S) / PERIOD_S
}

/// Unix time, seconds, at which `round` is emitted (round 1 at genesis).
pub const fn emitted_at_s(round: u64) -> u64 {
    GENESIS_S.saturating_add(round.saturating_sub(1).saturating_mul(PERIOD_S))
}

/// The first round emitted after `time_s`: the round that a commitment due at `time_s` is sealed to.
pub const fn round_after(time_s: u64) -> u64 {
    if time_s < GENESIS_S {
        return 1;
    }
    round_at(time_s).saturating_add(2)
}

/// Where an audit's seed came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedSource {
    /// The pulse of this round.
    Pulse(u64),
    /// The hash of a block, because the runtime has no drand.
    Block,
}

/// An audit's seed and its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditSeed {
    /// 32 bytes that nobody knew before.
    pub seed: Digest,
    /// Where they are from.
    pub source: SeedSource,
}

/// Why there is no seed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BeaconError {
    /// The pulse is that of another round.
    #[error("pulse of round `{found}` is not that of round `{expected}`")]
    Round {
        /// Round asked for.
        expected: u64,
        /// Round given.
        found: u64,
    },
    /// The pulse is not the beacon's.
    #[error(transparent)]
    Pulse(#[from] TimelockError),
}

/// The seed of the audit of a round sealed to `expected`: the pulse's randomness, or, where there is no drand, the tagged
/// hash of the block `fallback` (docs/mechanism.md, "beacon").
///
/// The pulse is verified: an endpoint that invents one is noticed. `None` as pulse means that the runtime has no drand at
/// all; a pulse that is late is waited for by the caller, never replaced.
///
/// # Errors
/// [`BeaconError`] for a pulse of another round or with a false signature.
pub fn audit_seed(
    beacon: &Beacon,
    expected: u64,
    pulse: Option<&Pulse>,
    fallback: &Head,
) -> Result<AuditSeed, BeaconError> {
    let Some(pulse) = pulse else {
        return Ok(AuditSeed {
            seed: tagged_hash("assay/beacon/1", &[fallback.hash.as_bytes()]),
            source: SeedSource::Block,
        });
    };
    if pulse.round != expected {
        return Err(BeaconError::Round {
            expected,
            found: pulse.round,
        });
    }
    beacon.verify(pulse)?;
    Ok(AuditSeed {
        seed: pulse.randomness,
        source: SeedSource::Pulse(pulse.round),
    })
}

/// quicknet's pulse of round 1000.
#[cfg(test)]
pub(crate) fn test_pulse_1000() -> Pulse {
    use sha2_010::Digest as _;
    let signature: [u8; 48] = assay_types::hex::decode(
        "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
    )
    .unwrap();
    Pulse {
        round: 1000,
        randomness: Digest(sha2_010::Sha256::digest(signature).into()),
        signature: signature.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::BlockNumber;

    fn head() -> Head {
        Head {
            number: BlockNumber(560),
            hash: Digest([9; 32]),
            parent: Digest([8; 32]),
            time_ms: 0,
        }
    }

    #[test]
    fn rounds_and_times_agree() {
        // docs/mechanism.md: a round begun at 1,800,000,000, due 540 blocks of 12 s later.
        assert_eq!(round_after(1_800_000_000 + 540 * 12), 35_734_373);
        for time_s in [
            GENESIS_S,
            GENESIS_S + 1,
            GENESIS_S + 3,
            1_750_000_000,
            1_800_000_000,
        ] {
            let next = round_after(time_s);
            assert!(emitted_at_s(next) > time_s, "{time_s}");
            assert!(emitted_at_s(next - 1) <= time_s, "{time_s}");
            assert!(emitted_at_s(round_at(time_s)) <= time_s, "{time_s}");
        }
        assert_eq!((round_at(0), round_after(0)), (0, 1));
        assert!(emitted_at_s(u64::MAX) >= GENESIS_S);
    }

    #[test]
    fn a_verified_pulse_is_the_seed() {
        let pulse = test_pulse_1000();
        let seed = audit_seed(&QUICKNET, 1000, Some(&pulse), &head()).unwrap();
        assert_eq!(seed.seed, pulse.randomness);
        assert_eq!(seed.source, SeedSource::Pulse(1000));
    }

    #[test]
    fn another_round_or_an_invented_pulse_is_no_seed() {
        let mut pulse = test_pulse_1000();
        assert_eq!(
            audit_seed(&QUICKNET, 1001, Some(&pulse), &head()),
            Err(BeaconError::Round {
                expected: 1001,
                found: 1000
            })
        );
        pulse.randomness = Digest([0; 32]);
        assert!(matches!(
            audit_seed(&QUICKNET, 1000, Some(&pulse), &head()),
            Err(BeaconError::Pulse(_))
        ));
    }

    #[test]
    fn without_drand_the_block_decides() {
        let seed = audit_seed(&QUICKNET, 1000, None, &head()).unwrap();
        assert_eq!(seed.source, SeedSource::Block);
        assert_eq!(seed.seed, tagged_hash("assay/beacon/1", &[&[9; 32]]));
    }
}
