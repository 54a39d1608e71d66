//! Registration: who pays what for a uid, which uid it is, and who has to go for it.
//!
//! Order of checks and rules: opentensor/subtensor 14bc6f9 `subnets/registration.rs`, `uids.rs`.

use std::sync::Arc;

use assay_types::{Coldkey, Hotkey, NetUid, Rao};
use serde_json::json;

use super::account::alpha_for;
use super::subnet::Row;
use super::{DispatchError, Event, Neuron, ROOT, State, Subnet};

impl State {
    /// `register_limit`: burns the price for a uid.
    pub(super) fn register(
        &mut self,
        coldkey: Coldkey,
        netuid: NetUid,
        hotkey: Hotkey,
        limit: Rao,
    ) -> Result<Vec<Event>, DispatchError> {
        if netuid == ROOT {
            return Err(DispatchError::subtensor("RegistrationNotPermittedOnRootSubnet"));
        }
        let block = self.block;
        let subnet = self
            .subnet(netuid)
            .ok_or(DispatchError::subtensor("SubnetNotExists"))?;
        if !subnet.params.registration_allowed {
            return Err(DispatchError::subtensor("SubNetRegistrationDisabled"));
        }
        if subnet.uid_of(&hotkey).is_some() {
            return Err(DispatchError::subtensor("HotKeyAlreadyRegisteredInSubNet"));
        }
        let price = subnet.burn;
        if price > limit.0 {
            return Err(DispatchError::subtensor("RegistrationPriceLimitExceeded"));
        }
        if self.account(&coldkey).free < price {
            return Err(DispatchError::subtensor("NotEnoughBalanceToStake"));
        }
        if self.owner_of(&hotkey).is_some_and(|owner| owner != coldkey) {
            return Err(DispatchError::subtensor("NonAssociatedColdKey"));
        }
        let uid = self
            .uid_for_new(subnet)
            .ok_or(DispatchError::subtensor("NoNeuronIdAvailable"))?;
        self.pay(coldkey, netuid, price)?;
        self.own(hotkey, coldkey);
        let subnet = self.subnet_mut(netuid)?;
        let alpha = alpha_for(price);
        subnet.alpha_issued = subnet.alpha_issued.saturating_add(alpha);
        subnet.alpha_burned = subnet.alpha_burned.saturating_add(alpha);
        subnet.place(uid, hotkey, block);
        subnet.raise_burn();
        Ok(vec![Event::new(
            "SubtensorModule.NeuronRegistered",
            json!({"netuid": netuid, "uid": uid, "hotkey": hotkey}),
        )])
    }

    /// Notes who owns a hotkey, the first time.
    pub(super) fn own(&mut self, hotkey: Hotkey, coldkey: Coldkey) {
        if self.owner_of(&hotkey).is_none() {
            Arc::make_mut(&mut self.owners).insert(hotkey, coldkey);
        }
    }

    /// The next free uid, or the one to be pruned; `None` if nobody may be pruned.
    fn uid_for_new(&self, subnet: &Subnet) -> Option<u16> {
        let n = subnet.neurons.len();
        if n < usize::from(subnet.params.uids_max) {
            return u16::try_from(n).ok();
        }
        let immune_owners = self.immune_owner_hotkeys(subnet);
        let mut best: [Option<(u64, u32, u16)>; 2] = [None, None];
        let mut not_immune = 0;
        for (uid, neuron) in (0_u16..).zip(&subnet.neurons) {
            if immune_owners.contains(&neuron.hotkey) {
                continue;
            }
            let immune = immunity_left(subnet, neuron, self.block) > 0;
            not_immune += u16::from(!immune);
            let rank = (neuron.emission, neuron.registered, uid);
            if let Some(best) = best.get_mut(usize::from(immune)) {
                *best = Some(best.map_or(rank, |found| found.min(rank)));
            }
        }
        let [open, immune] = best.map(|rank| rank.map(|(_, _, uid)| uid));
        if not_immune > subnet.params.non_immune_uids_min {
            open
        } else {
            immune
        }
    }

    /// Hotkeys of the owner that are never pruned: `SubnetOwnerHotkey`, then the oldest others of the owner's coldkey.
    fn immune_owner_hotkeys(&self, subnet: &Subnet) -> Vec<Hotkey> {
        let Some((owner_hotkey, owner_coldkey)) = subnet.owner else {
            return Vec::new();
        };
        let mut owned: Vec<(bool, u32, u16, Hotkey)> = (0_u16..)
            .zip(&subnet.neurons)
            .filter(|(_, neuron)| self.owner_of(&neuron.hotkey) == Some(owner_coldkey))
            .map(|(uid, neuron)| {
                let first = neuron.hotkey != owner_hotkey;
                (first, neuron.registered, uid, neuron.hotkey)
            })
            .collect();
        owned.sort_unstable();
        owned.truncate(usize::from(subnet.params.immune_owner_uids_max));
        owned.into_iter().map(|(.., hotkey)| hotkey).collect()
    }
}

impl Subnet {
    /// Puts a hotkey on a uid: nothing of what was there before stays, and nobody's weights point to it.
    pub(super) fn place(&mut self, uid: u16, hotkey: Hotkey, block: u32) {
        let row = Row {
            last_update: block,
            ..Row::default()
        };
        let neuron = Arc::new(Neuron {
            hotkey,
            registered: block,
            permit: false,
            active: true,
            emission: 0,
            dividends: 0,
            consensus: 0,
            vtrust: 0,
            axon: None,
            rows: vec![row; usize::from(self.params.mechanisms.max(1))],
        });
        if let Some(seat) = self.neurons.get_mut(usize::from(uid)) {
            *seat = neuron;
            self.forget_weights_for(uid);
        } else {
            self.neurons.push(neuron);
        }
    }

    fn forget_weights_for(&mut self, uid: u16) {
        for neuron in &mut self.neurons {
            let points = |rows: &[Row]| {
                rows.iter()
                    .any(|row| row.weights.iter().any(|&(target, _)| target == uid))
            };
            if points(&neuron.rows) {
                for row in &mut Arc::make_mut(neuron).rows {
                    row.weights.retain(|&(target, _)| target != uid);
                }
            }
        }
    }
}

/// Blocks until a neuron may be pruned; 0 = now.
pub(crate) fn immunity_left(subnet: &Subnet, neuron: &Neuron, block: u32) -> u32 {
    let age = block.saturating_sub(neuron.registered);
    u32::from(subnet.params.immunity_period).saturating_sub(age)
}
