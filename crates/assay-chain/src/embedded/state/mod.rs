//! The embedded chain's state and the rules that change it: pure and deterministic, without clock, disk or randomness.
//!
//! A [`Block`](block::Block) of inherents and transactions comes in; the next state, events and outcomes leave for
//! [`super::node`], which stores the block and answers reads. Rules and their order: opentensor/subtensor 14bc6f9
//! (`pallets/subtensor`, `pallets/commitments`), as docs/chain.md lists them. Each call checks everything before it
//! changes anything, so a failed one leaves only its nonce behind.
//!
//! Deliberately absent: the exchange of TAO for alpha (the price is [`ALPHA_PRICE_RAO`]), child keys, liquid alpha, leases,
//! governance, EVM and the root's part of the validators' emission.

mod account;
mod admin;
pub(crate) mod block;
mod burn;
mod commitments;
mod epoch;
mod error;
mod event;
mod genesis;
mod network;
mod registration;
mod reveal;
mod serving;
mod subnet;
mod weights;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use assay_types::{Coldkey, Hotkey, NetUid};
use serde::{Deserialize, Serialize};

pub(crate) use account::Account;
pub use account::Totals;
pub(crate) use error::DispatchError;
pub use event::Event;
pub use genesis::{Genesis, GenesisSubnet};
pub(crate) use registration::immunity_left;
pub(crate) use reveal::TIMELOCKED_WEIGHTS_REVEALED;
pub(crate) use subnet::{Neuron, Record, Row, Subnet};
pub(crate) use weights::{COMMIT_BYTES_MAX, storage_index};

/// TAO for one alpha, rao: the embedded chain has no exchange.
pub const ALPHA_PRICE_RAO: u64 = 1_000_000_000;
/// The root subnet: TAO staked there counts on every subnet by [`TAO_WEIGHT`].
pub(crate) const ROOT: NetUid = NetUid(0);
/// `TaoWeight` in units of 2^−64, about 0.0527 (docs/embedded-chain.md).
pub(crate) const TAO_WEIGHT: u64 = 971_718_665_099_567_868;

/// Everything the chain knows after a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Height.
    pub(crate) block: u32,
    /// `Timestamp.Now`, milliseconds since 1970.
    pub(crate) time_ms: u64,
    /// `spec_version`.
    pub(crate) spec_version: u32,
    /// What does not change after block 0, but for `alpha_per_block`.
    pub(crate) genesis: Arc<Genesis>,
    /// Balances and nonces.
    pub(crate) accounts: Arc<BTreeMap<Coldkey, Account>>,
    /// `Owner`: who registered a hotkey first.
    pub(crate) owners: Arc<BTreeMap<Hotkey, Coldkey>>,
    /// Subnets, the root among them.
    pub(crate) subnets: BTreeMap<NetUid, Arc<Subnet>>,
    /// Newest stored round of the local beacon; 0 = none.
    pub(crate) last_round: u64,
    /// Oldest stored round.
    pub(crate) first_round: u64,
    /// Rounds in between that never came.
    pub(crate) missing_rounds: BTreeSet<u64>,
    /// All TAO ever handed out, rao.
    pub(crate) tao_issued: u64,
    /// What the last subnet cost and when it was registered.
    pub(crate) last_lock: Option<(u64, u32)>,
}

impl State {
    /// Block 0.
    pub(crate) fn new(genesis: Genesis) -> Self {
        let mut state = Self {
            block: 0,
            time_ms: genesis.time_ms,
            spec_version: genesis.spec_version,
            accounts: Arc::default(),
            owners: Arc::default(),
            subnets: BTreeMap::from([(ROOT, Arc::new(Subnet::root()))]),
            last_round: 0,
            first_round: 0,
            missing_rounds: BTreeSet::new(),
            tao_issued: 0,
            last_lock: None,
            genesis: Arc::new(genesis),
        };
        let genesis = Arc::clone(&state.genesis);
        for (account, amount) in &genesis.accounts {
            state.mint(*account, amount.0);
        }
        for subnet in &genesis.subnets {
            let created = Subnet::from_genesis(subnet);
            state.subnets.insert(subnet.netuid, Arc::new(created));
        }
        state
    }

    /// The subnet, to read.
    pub(crate) fn subnet(&self, netuid: NetUid) -> Option<&Subnet> {
        self.subnets.get(&netuid).map(Arc::as_ref)
    }

    /// The subnet, to change; older states keep theirs.
    pub(crate) fn subnet_mut(&mut self, netuid: NetUid) -> Result<&mut Subnet, DispatchError> {
        self.subnets
            .get_mut(&netuid)
            .map(Arc::make_mut)
            .ok_or(DispatchError::subtensor("SubnetNotExists"))
    }

    /// The owner of a hotkey.
    pub(crate) fn owner_of(&self, hotkey: &Hotkey) -> Option<Coldkey> {
        self.owners.get(hotkey).copied()
    }
}
