//! What an epoch reads from the chain: neurons with stake, weights and bonds, and the hyper-parameters.
//!
//! Storage of a subnet (or a simulated one) comes in; [`super::epoch()`] reads it. Names and defaults are the chain's
//! (opentensor/subtensor 14bc6f9, pallets/subtensor; new subnets in `spec_version` 425).

use assay_types::BlockNumber;

/// Stake weight of a hotkey on a subnet in units of 2^−64 rao (the runtime's I64F64, never negative).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stake(u128);

impl Stake {
    /// Largest value kept: 2^62 rao, far above all alpha and TAO there can be (21e6 tokens of 1e9 rao are 2^54.2).
    const BITS_MAX: u128 = 1 << 126;

    /// Stake of `rao` alpha and nothing on the root subnet.
    pub const fn from_rao(rao: u64) -> Self {
        Self::held((rao as u128) << 64)
    }

    /// `alpha + tao_weight/2^64·root_tao`: both in rao, `tao_weight` in units of 2^−64 (about 0.0527 in
    /// `spec_version` 425).
    pub const fn weighted(alpha_rao: u64, root_tao_rao: u64, tao_weight: u64) -> Self {
        let root = root_tao_rao as u128 * tao_weight as u128;
        Self::held(((alpha_rao as u128) << 64).saturating_add(root))
    }

    const fn held(bits: u128) -> Self {
        Self(if bits < Self::BITS_MAX {
            bits
        } else {
            Self::BITS_MAX
        })
    }

    /// Whole rao, floor.
    pub const fn rao(self) -> u64 {
        (self.0 >> 64) as u64
    }

    /// The bits, in units of 2^−64 rao.
    pub(crate) const fn bits(self) -> u128 {
        self.0
    }
}

/// One uid as the chain stores it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Neuron {
    /// Stake weight on this subnet.
    pub stake: Stake,
    /// `BlockAtRegistration`.
    pub registered: BlockNumber,
    /// `LastUpdate`: block of the last weights set or committed.
    pub last_update: BlockNumber,
    /// Earliest live weight commit, if commit–reveal is on and there is one.
    pub commit: Option<BlockNumber>,
    /// `ValidatorPermit` as stored by the last epoch.
    pub permit: bool,
    /// `Weights`: (uid, weight), the largest being 65,535. Uids that do not exist are ignored; of a repeated uid (which
    /// `set_weights` refuses) the last entry counts.
    pub weights: Vec<(u16, u16)>,
    /// `Bonds` as stored by the last epoch: (uid, bond).
    pub bonds: Vec<(u16, u16)>,
}

/// How bonds move and pay dividends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BondRule {
    /// Column-normalised moving average of stake-weighted weights (`Yuma3On` false).
    Classic,
    /// Moving average of weights per cell, stake applied at payment (`Yuma3On` true, the default of new subnets).
    Yuma3,
    /// Yuma3 with a rate per cell (`LiquidAlphaOn` true).
    Yuma3Liquid(LiquidAlpha),
}

/// Bounds of the rate of liquid alpha (`AlphaValues`, `AlphaSigmoidSteepness`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiquidAlpha {
    /// Lowest rate, share of 65,535; default 45,875.
    pub low: u16,
    /// Highest rate, share of 65,535; default 58,982.
    pub high: u16,
    /// Steepness of the sigmoid in hundredths; default 1,000.
    pub steepness: i16,
}

impl Default for LiquidAlpha {
    fn default() -> Self {
        Self {
            low: 45_875,
            high: 58_982,
            steepness: 1_000,
        }
    }
}

/// Hyper-parameters an epoch reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YumaParams {
    /// `Kappa`: stake majority of the consensus, share of 65,535; default 32,767.
    pub kappa: u16,
    /// `BondsPenalty`: how far weights above consensus are clipped for bonds, share of 65,535; default 65,535 = wholly.
    pub bonds_penalty: u16,
    /// `BondsMovingAverage`: share of the old bond that stays, in millionths; default 900,000.
    pub bonds_moving_average: u32,
    /// `MaxAllowedValidators`: permits given by stake; default 64.
    pub validators_max: u16,
    /// Blocks after which a neuron without new weights counts as inactive; default 5,000.
    pub activity_cutoff: u32,
    /// `StakeThreshold`: least stake that counts, rao; default 0.
    pub stake_threshold_rao: u64,
    /// How bonds move.
    pub bonds: BondRule,
}

impl Default for YumaParams {
    fn default() -> Self {
        Self {
            kappa: 32_767,
            bonds_penalty: u16::MAX,
            bonds_moving_average: 900_000,
            validators_max: 64,
            activity_cutoff: 5_000,
            stake_threshold_rao: 0,
            bonds: BondRule::Yuma3,
        }
    }
}

/// A subnet at the block of an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subnet {
    /// Current block.
    pub block: BlockNumber,
    /// `LastMechansimStepBlock` (the chain's spelling); 0 before the first.
    pub last_step: BlockNumber,
    /// `Tempo`, blocks.
    pub tempo: u16,
    /// Uid of `SubnetOwnerHotkey`, if it is registered: keeps its permit and its weight on itself.
    pub owner: Option<u16>,
    /// Hyper-parameters.
    pub params: YumaParams,
    /// Neurons; the position is the uid.
    pub neurons: Vec<Neuron>,
}
