//! A subnet as the chain stores it: neurons, rows of weights and bonds, commitments, open weight commits, alpha.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use assay_types::{Coldkey, Digest, Hotkey, NetUid};
use serde::{Deserialize, Serialize};

use super::GenesisSubnet;
use crate::{CommitmentField, EpochState, Hyperparameters, SubnetIdentity};

/// Price of a registration on a new subnet, rao: 1 TAO.
const BURN_RAO_START: u64 = 1_000_000_000;
/// `ActivityCutoffFactorMilli` of a new subnet.
const ACTIVITY_FACTOR_MILLI: u32 = 13_889;

/// One uid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Neuron {
    /// Its key.
    pub(crate) hotkey: Hotkey,
    /// Block of its registration.
    pub(crate) registered: u32,
    /// `ValidatorPermit`.
    pub(crate) permit: bool,
    /// `Active`.
    pub(crate) active: bool,
    /// Alpha of the last epoch, rao.
    pub(crate) emission: u64,
    /// Shares of 65,535 by the last epoch.
    pub(crate) dividends: u16,
    /// As above.
    pub(crate) consensus: u16,
    /// As above.
    pub(crate) vtrust: u16,
    /// Announced address and the block of it.
    pub(crate) axon: Option<(SocketAddr, u32)>,
    /// One row a mechanism.
    pub(crate) rows: Vec<Row>,
}

/// What a neuron holds in one mechanism.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Row {
    /// `LastUpdate`.
    pub(crate) last_update: u32,
    /// Share of the miners' emission, of 65,535.
    pub(crate) incentive: u16,
    /// (uid, weight), ascending.
    pub(crate) weights: Vec<(u16, u16)>,
    /// (uid, bond), ascending.
    pub(crate) bonds: Vec<(u16, u16)>,
}

/// A commitment and when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Block.
    pub(crate) block: u32,
    /// Fields that stand.
    pub(crate) fields: Vec<CommitmentField>,
}

/// An opened field: block of opening and plaintext.
pub(crate) type Opened = (u32, Vec<u8>);

/// A timelocked weight commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WeightCommit {
    /// Who.
    pub(crate) hotkey: Hotkey,
    /// Block.
    pub(crate) block: u32,
    /// Ciphertext.
    pub(crate) commit: Vec<u8>,
    /// BLAKE2b-256 of it.
    pub(crate) digest: Digest,
    /// Round that opens it.
    pub(crate) reveal_round: u64,
}

/// Space a hotkey has used in an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct UsedSpace {
    /// `SubnetEpochIndex` it counts for.
    pub(crate) epoch: u64,
    /// Bytes.
    pub(crate) bytes: u64,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subnet {
    /// Its number.
    pub(crate) netuid: NetUid,
    /// `SubnetOwnerHotkey` and `SubnetOwner`.
    pub(crate) owner: Option<(Hotkey, Coldkey)>,
    pub(crate) registered_at: u32,
    /// `FirstEmissionBlockNumber`.
    pub(crate) started: Option<u32>,
    pub(crate) identity: Option<SubnetIdentity>,
    pub(crate) params: Hyperparameters,
    pub(crate) activity_factor_milli: u32,
    /// `Burn`, rao.
    pub(crate) burn: u64,
    pub(crate) last_epoch: u32,
    pub(crate) pending_epoch_at: u32,
    pub(crate) epoch_index: u64,
    pub(crate) blocks_since_last_step: u64,
    pub(crate) last_step: u32,
    /// By uid.
    pub(crate) neurons: Vec<Arc<Neuron>>,
    /// By mechanism, then epoch, in order of arrival.
    pub(crate) commits: BTreeMap<u8, BTreeMap<u64, Vec<WeightCommit>>>,
    pub(crate) commitments: BTreeMap<Hotkey, Arc<Record>>,
    /// Plaintext and block of opening, oldest first.
    pub(crate) revealed: BTreeMap<Hotkey, Arc<Vec<Opened>>>,
    pub(crate) used_space: BTreeMap<Hotkey, UsedSpace>,
    /// Alpha by hotkey and coldkey (TAO on the root).
    pub(crate) stake: BTreeMap<Hotkey, BTreeMap<Coldkey, u64>>,
    pub(crate) tao_reserve: u64,
    pub(crate) alpha_issued: u64,
    pub(crate) alpha_burned: u64,
    pub(crate) pending_emission: u64,
    pub(crate) pending_owner_cut: u64,
    /// Block each hyper-parameter was last set by the owner.
    pub(crate) last_set: BTreeMap<String, u32>,
}

impl Subnet {
    /// A new subnet at `block`.
    pub(crate) fn new(netuid: NetUid, block: u32) -> Self {
        let params = Hyperparameters::default();
        let offset = u32::from(netuid.0) % u32::from(params.tempo.max(1));
        Self {
            netuid,
            owner: None,
            registered_at: block,
            started: None,
            identity: None,
            params,
            activity_factor_milli: ACTIVITY_FACTOR_MILLI,
            burn: BURN_RAO_START,
            last_epoch: block.saturating_sub(offset),
            pending_epoch_at: 0,
            epoch_index: 0,
            blocks_since_last_step: 0,
            last_step: 0,
            neurons: Vec::new(),
            commits: BTreeMap::new(),
            commitments: BTreeMap::new(),
            revealed: BTreeMap::new(),
            used_space: BTreeMap::new(),
            stake: BTreeMap::new(),
            tao_reserve: 0,
            alpha_issued: 0,
            alpha_burned: 0,
            pending_emission: 0,
            pending_owner_cut: 0,
            last_set: BTreeMap::new(),
        }
    }

    /// The root: stake only.
    pub(crate) fn root() -> Self {
        Self::new(super::ROOT, 0)
    }

    /// A subnet of block 0.
    pub(crate) fn from_genesis(genesis: &GenesisSubnet) -> Self {
        let mut subnet = Self::new(genesis.netuid, 0);
        subnet.params = genesis.hyperparameters.clone();
        subnet.started = genesis.started.then_some(0);
        subnet
    }

    /// Blocks after which a validator without new weights is inactive: `max(1, factor·tempo/1000)`.
    pub(crate) fn activity_cutoff(&self) -> u32 {
        let cutoff = u64::from(self.activity_factor_milli) * u64::from(self.params.tempo) / 1_000;
        u32::try_from(cutoff.max(1)).unwrap_or(u32::MAX)
    }

    /// Hyper-parameters as a client reads them.
    pub(crate) fn hyperparameters(&self) -> Hyperparameters {
        Hyperparameters {
            activity_cutoff: self.activity_cutoff(),
            ..self.params.clone()
        }
    }

    /// The uid of a hotkey.
    pub(crate) fn uid_of(&self, hotkey: &Hotkey) -> Option<u16> {
        let at = self.neurons.iter().position(|neuron| neuron.hotkey == *hotkey)?;
        u16::try_from(at).ok()
    }

    /// A neuron, to change.
    pub(crate) fn neuron_mut(&mut self, uid: u16) -> Option<&mut Neuron> {
        self.neurons.get_mut(usize::from(uid)).map(Arc::make_mut)
    }

    /// A neuron's row in a mechanism, to change.
    pub(crate) fn row_mut(&mut self, uid: u16, mecid: u8) -> Option<&mut Row> {
        self.neuron_mut(uid)
            .and_then(|neuron| neuron.rows.get_mut(usize::from(mecid)))
    }

    /// Uid of the owner's hotkey, if registered.
    pub(crate) fn owner_uid(&self) -> Option<u16> {
        self.owner.and_then(|(hotkey, _)| self.uid_of(&hotkey))
    }

    /// Alpha of a hotkey, all coldkeys together.
    pub(crate) fn alpha_of(&self, hotkey: &Hotkey) -> u64 {
        self.stake.get(hotkey).map_or(0, |stakers| {
            stakers
                .values()
                .fold(0, |sum: u64, &alpha| sum.saturating_add(alpha))
        })
    }

    /// Adds alpha to a stake; the caller accounts for where it comes from.
    pub(crate) fn add_alpha(&mut self, hotkey: Hotkey, coldkey: Coldkey, amount: u64) {
        if amount > 0 {
            let alpha = self.stake.entry(hotkey).or_default().entry(coldkey).or_default();
            *alpha = alpha.saturating_add(amount);
        }
    }

    /// Alpha staked, pending or burned.
    pub(crate) fn alpha_held(&self) -> u64 {
        let staked: u64 = self.stake.values().flat_map(BTreeMap::values).sum();
        staked + self.pending_emission + self.pending_owner_cut + self.alpha_burned
    }

    /// When its epochs run, as read at `block`.
    pub(crate) fn epoch_state(&self, block: u32) -> EpochState {
        EpochState {
            block: assay_types::BlockNumber(block),
            tempo: self.params.tempo,
            last_epoch: Some(assay_types::BlockNumber(self.last_epoch)),
            pending_epoch_at: assay_types::BlockNumber(self.pending_epoch_at),
            epoch_index: self.epoch_index,
            blocks_since_last_step: self.blocks_since_last_step,
            reveal_period_epochs: self.params.reveal_period_epochs,
        }
    }
}
