//! A subnet's hyper-parameters as the chain stores them, with the values of a new subnet.
//!
//! Names and values: opentensor/subtensor 14bc6f9 (`spec_version` 425); the table is in docs/chain.md.

use assay_types::Rao;
use serde::{Deserialize, Serialize};

/// What a subnet runs by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hyperparameters {
    /// `Tempo`: blocks between epochs.
    pub tempo: u16,
    /// `MaxAllowedUids`.
    pub uids_max: u16,
    /// `MaxAllowedValidators`.
    pub validators_max: u16,
    /// `MinAllowedWeights`.
    pub weights_min: u16,
    /// `MaxWeightsLimit`, of 65,535 = no limit.
    pub weight_max: u16,
    /// `WeightsSetRateLimit`, blocks.
    pub weights_rate_limit: u64,
    /// `WeightsVersionKey`.
    pub version_key: u64,
    /// `ImmunityPeriod`, blocks.
    pub immunity_period: u16,
    /// `CommitRevealWeightsEnabled`.
    pub commit_reveal: bool,
    /// `RevealPeriodEpochs`.
    pub reveal_period_epochs: u64,
    /// `Yuma3On`.
    pub yuma3: bool,
    /// `Kappa`, of 65,535.
    pub kappa: u16,
    /// `BondsMovingAverage`, of 1,000,000.
    pub bonds_moving_average: u64,
    /// `BondsPenalty`, of 65,535.
    pub bonds_penalty: u16,
    /// `MinBurn`.
    pub burn_min: Rao,
    /// `MaxBurn`.
    pub burn_max: Rao,
    /// `BurnHalfLife`: blocks in which the price of a registration halves.
    #[serde(default = "burn_half_life")]
    pub burn_half_life: u16,
    /// `BurnIncreaseMult` in thousandths: what each registration multiplies the price by.
    #[serde(default = "burn_increase_milli")]
    pub burn_increase_milli: u32,
    /// `NetworkRegistrationAllowed`.
    pub registration_allowed: bool,
    /// `MinNonImmuneUids`.
    pub non_immune_uids_min: u16,
    /// `ImmuneOwnerUidsLimit`.
    pub immune_owner_uids_max: u16,
    /// `ServingRateLimit`, blocks.
    pub serving_rate_limit: u64,
    /// Blocks after which a validator without new weights is inactive.
    pub activity_cutoff: u32,
    /// `MechanismCountCurrent`.
    pub mechanisms: u8,
}

/// That of a new subnet; also for state written when it was the only one.
const fn burn_half_life() -> u16 {
    360
}

/// As [`burn_half_life`].
const fn burn_increase_milli() -> u32 {
    1_260
}

impl Default for Hyperparameters {
    fn default() -> Self {
        Self {
            tempo: 360,
            uids_max: 256,
            validators_max: 64,
            weights_min: 1,
            weight_max: u16::MAX,
            weights_rate_limit: 100,
            version_key: 0,
            immunity_period: 5_000,
            commit_reveal: true,
            reveal_period_epochs: 1,
            yuma3: true,
            kappa: 32_767,
            bonds_moving_average: 900_000,
            bonds_penalty: u16::MAX,
            burn_min: Rao(500_000),
            burn_max: Rao(100_000_000_000),
            burn_half_life: burn_half_life(),
            burn_increase_milli: burn_increase_milli(),
            registration_allowed: true,
            non_immune_uids_min: 10,
            immune_owner_uids_max: 1,
            serving_rate_limit: 50,
            activity_cutoff: 5_000,
            mechanisms: 1,
        }
    }
}
