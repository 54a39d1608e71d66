//! Everything Assay writes to a chain, as values both backends encode, and what comes back.
//!
//! Names and argument order: opentensor/subtensor 14bc6f9 (pallets `SubtensorModule`, `Commitments`, `AdminUtils`).

use assay_types::{BlockNumber, Digest, Hotkey, MechId, NetUid, Rao, Uid, Weight};
use serde::{Deserialize, Serialize};

use crate::{BlockHash, CommitmentField};

/// One transaction, without its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum Call {
    /// `Commitments.set_commitment`, by the hotkey.
    SetCommitment {
        /// Subnet.
        netuid: NetUid,
        /// Fields, at most [`crate::FIELDS_MAX`].
        fields: Vec<CommitmentField>,
    },
    /// `set_mechanism_weights` (or `set_weights`), by the hotkey; refused while commit–reveal is on.
    SetWeights {
        /// Subnet.
        netuid: NetUid,
        /// Mechanism.
        mecid: MechId,
        /// Targets and weights.
        weights: Vec<(Uid, Weight)>,
        /// The validator's version.
        version_key: u64,
    },
    /// `commit_timelocked_mechanism_weights` (or `commit_timelocked_weights`), by the hotkey.
    CommitTimelockedWeights {
        /// Subnet.
        netuid: NetUid,
        /// Mechanism.
        mecid: MechId,
        /// Ciphertext of the payload, at most 5,000 bytes.
        commit: Vec<u8>,
        /// drand round that opens it.
        reveal_round: u64,
        /// Must equal `CommitRevealWeightsVersion`, 4.
        version: u16,
    },
    /// `register_limit` (or `burned_register`), by the coldkey.
    Register {
        /// Subnet.
        netuid: NetUid,
        /// Key to register.
        hotkey: Hotkey,
        /// Most it may cost.
        limit_price: Rao,
    },
    /// `serve_axon`, by the hotkey.
    ServeAxon {
        /// Subnet.
        netuid: NetUid,
        /// Address, not loopback, port not 0.
        address: std::net::SocketAddr,
    },
    /// `register_network_with_identity`, by the coldkey.
    RegisterNetwork {
        /// Owner hotkey, uid 0 of the new subnet.
        hotkey: Hotkey,
        /// Identity to set at once.
        identity: Option<SubnetIdentity>,
    },
    /// `start_call`, by the owner's coldkey.
    StartCall {
        /// Subnet.
        netuid: NetUid,
    },
    /// `set_subnet_identity`, by the owner's coldkey.
    SetSubnetIdentity {
        /// Subnet.
        netuid: NetUid,
        /// Identity.
        identity: SubnetIdentity,
    },
    /// `add_stake`, by the coldkey: TAO to alpha on the subnet.
    AddStake {
        /// Hotkey staked to.
        hotkey: Hotkey,
        /// Subnet.
        netuid: NetUid,
        /// Amount of TAO.
        amount: Rao,
    },
    /// `AdminUtils.sudo_set_<name>`, by the owner's coldkey.
    SetHyperparameter {
        /// Subnet.
        netuid: NetUid,
        /// Field of [`crate::Hyperparameters`].
        name: String,
        /// Value; booleans are 0 and 1.
        value: u64,
    },
}

impl Call {
    /// Pallet and function, as errors and logs name it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SetCommitment { .. } => "Commitments.set_commitment",
            Self::SetWeights { .. } => "SubtensorModule.set_mechanism_weights",
            Self::CommitTimelockedWeights { .. } => "SubtensorModule.commit_timelocked_mechanism_weights",
            Self::Register { .. } => "SubtensorModule.register_limit",
            Self::ServeAxon { .. } => "SubtensorModule.serve_axon",
            Self::RegisterNetwork { .. } => "SubtensorModule.register_network_with_identity",
            Self::StartCall { .. } => "SubtensorModule.start_call",
            Self::SetSubnetIdentity { .. } => "SubtensorModule.set_subnet_identity",
            Self::AddStake { .. } => "SubtensorModule.add_stake",
            Self::SetHyperparameter { .. } => "AdminUtils.sudo_set",
        }
    }

    /// Whether sending it twice changes nothing more than sending it once (weights and commitments replace).
    pub const fn repeatable(&self) -> bool {
        !matches!(
            self,
            Self::Register { .. } | Self::RegisterNetwork { .. } | Self::AddStake { .. }
        )
    }
}

/// What a subnet says of itself; at most 1,024 bytes a field, 256 for `subnet_name` and `discord`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SubnetIdentity {
    /// Name.
    pub subnet_name: String,
    /// Repository.
    pub github_repo: String,
    /// Contact.
    pub subnet_contact: String,
    /// Website.
    pub subnet_url: String,
    /// Discord handle.
    pub discord: String,
    /// One paragraph.
    pub description: String,
    /// Logo.
    pub logo_url: String,
    /// Anything more.
    pub additional: String,
}

/// A transaction that was included and succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Hash of the transaction.
    pub extrinsic: Digest,
    /// Block it is in.
    pub block: BlockNumber,
    /// Hash of that block.
    pub hash: BlockHash,
    /// Events of the transaction, `Pallet.Name`, in order.
    pub events: Vec<String>,
}
