//! Subnets themselves: what a new one costs, its owner, identity and start.
//!
//! Rules: opentensor/subtensor 14bc6f9 `subnets/subnet.rs`, `coinbase/root.rs`. Absent: a full
//! chain refuses with `SubnetLimitReached` instead of dissolving the cheapest subnet.

use std::sync::Arc;

use assay_types::{Coldkey, Hotkey, NetUid};
use serde_json::json;

use super::account::alpha_for;
use super::{DispatchError, Event, ROOT, State, Subnet};
use crate::SubnetIdentity;

/// Least a subnet costs, rao: 1,000 TAO.
const LOCK_RAO_MIN: u64 = 1_000_000_000_000;
/// Blocks in which twice the last price falls to zero.
const LOCK_FALL_BLOCKS: u64 = 100_800;
/// Most subnets besides the root.
const SUBNETS_MAX: usize = 128;
/// Most bytes of an identity's fields.
const IDENTITY_BYTES_MAX: usize = 1_024;
/// Most bytes of its `subnet_name` and `discord`.
const IDENTITY_NAME_BYTES_MAX: usize = 256;

impl State {
    /// What a subnet costs now: `max(minimum, 2·last − last/100800 a block since)`.
    pub(crate) fn lock_cost(&self) -> u64 {
        let Some((last, block)) = self.last_lock else {
            return LOCK_RAO_MIN;
        };
        let fallen = (last / LOCK_FALL_BLOCKS).saturating_mul(u64::from(self.block.saturating_sub(block)));
        last.saturating_mul(2).saturating_sub(fallen).max(LOCK_RAO_MIN)
    }

    /// Whether a new subnet comes too soon after the last.
    pub(crate) fn network_is_limited(&self) -> bool {
        let limit = self.genesis.network_rate_limit_blocks;
        self.last_lock
            .is_some_and(|(_, block)| self.block.saturating_sub(block) < limit)
    }

    /// `register_network_with_identity`: the hotkey gets uid 0.
    pub(super) fn register_network(
        &mut self,
        coldkey: Coldkey,
        hotkey: Hotkey,
        identity: Option<&SubnetIdentity>,
    ) -> Result<Vec<Event>, DispatchError> {
        if self.owner_of(&hotkey).is_some_and(|owner| owner != coldkey) {
            return Err(DispatchError::subtensor("NonAssociatedColdKey"));
        }
        if self.network_is_limited() {
            return Err(DispatchError::subtensor("NetworkTxRateLimitExceeded"));
        }
        if let Some(identity) = identity {
            check_identity(identity)?;
        }
        if self.subnets.len() > SUBNETS_MAX {
            return Err(DispatchError::subtensor("SubnetLimitReached"));
        }
        let price = self.lock_cost();
        if self.account(&coldkey).free < price {
            return Err(DispatchError::subtensor("CannotAffordLockCost"));
        }
        let mut numbers = (1..=u16::MAX).map(NetUid);
        let netuid = numbers
            .find(|netuid| !self.subnets.contains_key(netuid))
            .ok_or(DispatchError::subtensor("SubnetLimitReached"))?;
        let mut subnet = Subnet::new(netuid, self.block);
        subnet.owner = Some((hotkey, coldkey));
        subnet.identity = identity.cloned();
        subnet.place(0, hotkey, self.block);
        self.subnets.insert(netuid, Arc::new(subnet));
        self.pay(coldkey, netuid, price)?;
        let subnet = self.subnet_mut(netuid)?;
        // What the lock buys belongs to nobody, like the alpha of a registration.
        subnet.alpha_issued = alpha_for(price);
        subnet.alpha_burned = alpha_for(price);
        self.own(hotkey, coldkey);
        self.last_lock = Some((price, self.block));
        Ok(vec![Event::new(
            "SubtensorModule.NetworkAdded",
            json!({"netuid": netuid, "owner": coldkey}),
        )])
    }

    /// The subnet, if `coldkey` owns it or is root.
    pub(super) fn owned(&mut self, netuid: NetUid, coldkey: Coldkey) -> Result<&mut Subnet, DispatchError> {
        let is_root = self.genesis.root == Some(coldkey);
        if netuid == ROOT {
            return Err(DispatchError::subtensor("SubnetNotExists"));
        }
        let subnet = self.subnet_mut(netuid)?;
        if is_root || subnet.owner.is_some_and(|(_, owner)| owner == coldkey) {
            Ok(subnet)
        } else {
            Err(DispatchError::subtensor("NotSubnetOwner"))
        }
    }

    /// `start_call`: emission begins.
    pub(super) fn start_call(
        &mut self,
        coldkey: Coldkey,
        netuid: NetUid,
    ) -> Result<Vec<Event>, DispatchError> {
        let block = self.block;
        let subnet = self.owned(netuid, coldkey)?;
        if subnet.started.is_some() {
            return Err(DispatchError::subtensor("FirstEmissionBlockNumberAlreadySet"));
        }
        subnet.started = Some(block.saturating_add(1));
        let fields = json!({"netuid": netuid, "block": block.saturating_add(1)});
        Ok(vec![Event::new(
            "SubtensorModule.FirstEmissionBlockNumberSet",
            fields,
        )])
    }

    /// `set_subnet_identity`.
    pub(super) fn set_subnet_identity(
        &mut self,
        coldkey: Coldkey,
        netuid: NetUid,
        identity: &SubnetIdentity,
    ) -> Result<Vec<Event>, DispatchError> {
        let subnet = self.owned(netuid, coldkey)?;
        check_identity(identity)?;
        subnet.identity = Some(identity.clone());
        let fields = json!({"netuid": netuid});
        Ok(vec![Event::new("SubtensorModule.SubnetIdentitySet", fields)])
    }
}

fn check_identity(identity: &SubnetIdentity) -> Result<(), DispatchError> {
    let short = [&identity.subnet_name, &identity.discord];
    let long = [
        &identity.github_repo,
        &identity.subnet_contact,
        &identity.subnet_url,
        &identity.description,
        &identity.logo_url,
        &identity.additional,
    ];
    let fits = short.iter().all(|text| text.len() <= IDENTITY_NAME_BYTES_MAX)
        && long.iter().all(|text| text.len() <= IDENTITY_BYTES_MAX);
    if fits {
        Ok(())
    } else {
        Err(DispatchError::subtensor("InvalidIdentity"))
    }
}
