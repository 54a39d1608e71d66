//! What an embedded chain starts from: accounts, subnets, beacon, and the amounts a local chain may set for itself.

use assay_types::{Coldkey, Digest, NetUid, Rao, tagged_hash};
use serde::{Deserialize, Serialize};
use subxt_signer::sr25519::dev;

use crate::Hyperparameters;

/// Block 0; its hash is the chain's genesis hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Genesis {
    /// `Timestamp.Now` of block 0, milliseconds since 1970. Chain time moves by `block_time_ms` a block, whatever the wall
    /// clock does.
    pub time_ms: u64,
    /// Chain time between blocks, milliseconds; 12,000 as on mainnet.
    pub block_time_ms: u64,
    /// `spec_version` of block 0.
    pub spec_version: u32,
    /// Seed of the local beacon's key; not a secret.
    pub beacon_seed: Digest,
    /// If given, a block's hash follows from this seed, the block's number and its fork, whatever is in it: whoever starts the
    /// same chain again meets the same hashes, and so the same draws. Hashes then say nothing about content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_seed: Option<Digest>,
    /// The account that may do what only root may on mainnet.
    pub root: Option<Coldkey>,
    /// Accounts with balances.
    pub accounts: Vec<(Coldkey, Rao)>,
    /// Subnets that are there from the start, without an owner.
    pub subnets: Vec<GenesisSubnet>,
    /// Alpha a started subnet emits a block, rao; 1 alpha on a new mainnet subnet.
    pub alpha_per_block: u64,
    /// The owner's share of the emission, of 65,535; 11,796 (18 %) on mainnet.
    pub owner_cut: u16,
    /// Whether epochs pay into stake; off, they pay into the burn, so that stakes stand still while emission is compared.
    pub pays_stake: bool,
    /// `StakeThreshold`: least stake weight that may set weights and counts in consensus, rao.
    pub stake_threshold_rao: u64,
    /// Blocks between two new subnets; 7,200 on mainnet.
    pub network_rate_limit_blocks: u32,
}

/// A subnet of block 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenesisSubnet {
    /// Its number, not 0.
    pub netuid: NetUid,
    /// What it runs by.
    pub hyperparameters: Hyperparameters,
    /// Whether it emits from the start.
    pub started: bool,
}

impl Default for Genesis {
    fn default() -> Self {
        Self {
            time_ms: 1_750_000_000_000,
            block_time_ms: 12_000,
            spec_version: 425,
            beacon_seed: Digest([7; 32]),
            block_seed: None,
            root: None,
            accounts: Vec::new(),
            subnets: Vec::new(),
            alpha_per_block: 1_000_000_000,
            owner_cut: 11_796,
            pays_stake: true,
            stake_threshold_rao: 0,
            network_rate_limit_blocks: 7_200,
        }
    }
}

/// What each development account starts with: 1,000,000 TAO.
const DEVELOPMENT_RAO: Rao = Rao(1_000_000_000_000_000);

impl Genesis {
    /// A chain to develop on: `//Alice` is root, she and the other well-known keys are rich, subnet 1 is there and started,
    /// others may be made at any time.
    pub fn development() -> Self {
        let keys = [
            dev::alice(),
            dev::bob(),
            dev::charlie(),
            dev::dave(),
            dev::eve(),
            dev::ferdie(),
        ];
        let accounts = keys.map(|key| (Coldkey(key.public_key().0), DEVELOPMENT_RAO));
        Self {
            root: accounts.first().map(|(alice, _)| *alice),
            accounts: accounts.to_vec(),
            subnets: vec![GenesisSubnet {
                netuid: NetUid(1),
                hyperparameters: Hyperparameters::default(),
                started: true,
            }],
            network_rate_limit_blocks: 0,
            ..Self::default()
        }
    }

    /// The hash every transaction is signed for.
    pub fn hash(&self) -> Digest {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        tagged_hash("assay/embedded/genesis/1", &[&bytes])
    }
}
