//! A subnet's neurons at one block: what a validator scores and what a leaderboard shows.

use assay_types::{BlockNumber, Coldkey, Hotkey, NetUid, Rao, Uid};
use serde::{Deserialize, Serialize};

use crate::BlockHash;

/// A subnet and its neurons; every value was read at block `hash`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metagraph {
    /// Subnet.
    pub netuid: NetUid,
    /// Height of the block read.
    pub block: BlockNumber,
    /// Hash of the block read.
    pub hash: BlockHash,
    /// `SubnetOwnerHotkey`.
    pub owner_hotkey: Option<Hotkey>,
    /// `SubnetOwner`.
    pub owner_coldkey: Option<Coldkey>,
    /// Neurons in uid order, without gaps.
    pub neurons: Vec<Neuron>,
}

/// One uid. State is keyed by (`hotkey`, `registered`): uids are reused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neuron {
    /// Place in the subnet.
    pub uid: Uid,
    /// Key that signs for it.
    pub hotkey: Hotkey,
    /// Owner of the hotkey.
    pub coldkey: Coldkey,
    /// Stake weight on this subnet: alpha and weighted root TAO.
    pub stake: Rao,
    /// May set weights that count.
    pub permit: bool,
    /// Set or committed weights within the activity cutoff.
    pub active: bool,
    /// Share of the miners' emission of mechanism 0, of 65,535.
    pub incentive: u16,
    /// Share of the validators' emission, of 65,535.
    pub dividends: u16,
    /// Consensus weight, of 65,535.
    pub consensus: u16,
    /// Validator trust, of 65,535.
    pub vtrust: u16,
    /// Alpha emission of the last epoch, rao.
    pub emission: Rao,
    /// Block of the last weights set or committed.
    pub last_update: BlockNumber,
    /// Block of its registration.
    pub registered: BlockNumber,
    /// Blocks until it can be pruned; 0 = not immune.
    pub immunity_left: u32,
    /// Address it serves at, `ip:port`, if it announced one.
    pub axon: Option<std::net::SocketAddr>,
}

impl Neuron {
    /// Whether it may set weights and has set or committed some since its registration.
    pub fn validates(&self) -> bool {
        self.permit && self.last_update > self.registered
    }
}

impl Metagraph {
    /// The neuron of `hotkey`.
    pub fn neuron(&self, hotkey: &Hotkey) -> Option<&Neuron> {
        self.neurons.iter().find(|neuron| neuron.hotkey == *hotkey)
    }

    /// The neuron of the subnet's owner: emission to it is burned, so weights of what is not paid go there.
    pub fn burn(&self) -> Option<&Neuron> {
        self.owner_hotkey.as_ref().and_then(|owner| self.neuron(owner))
    }
}
