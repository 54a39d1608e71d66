//! Balances, nonces and stake: where TAO and alpha are, and that none appears or vanishes.
//!
//! TAO is free on an account or in a subnet's reserve; alpha is staked, pending until the next epoch, or burned.

use std::sync::Arc;

use assay_mechanism::yuma::Stake;
use assay_types::{Coldkey, Hotkey, NetUid, Rao};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{ALPHA_PRICE_RAO, DispatchError, Event, ROOT, State, TAO_WEIGHT};

/// `DefaultMinStake`: least TAO of one `add_stake`, rao (opentensor/subtensor 14bc6f9 `pallets/subtensor/src/lib.rs`).
const STAKE_RAO_MIN: u64 = 2_000_000;
/// Share of dividends the hotkey's owner keeps from others' stake, of 65,535: 18 %.
const TAKE: u128 = 11_796;

/// An account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Transactions it has sent.
    pub(crate) nonce: u32,
    /// TAO it may spend, rao.
    pub(crate) free: u64,
}

/// Where all TAO and alpha are; each pair is equal on a sound chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// TAO handed out, rao.
    pub tao_issued: u64,
    /// TAO on accounts and in reserves, rao.
    pub tao_held: u64,
    /// Alpha made over all subnets, rao.
    pub alpha_issued: u64,
    /// Alpha staked, pending or burned, rao.
    pub alpha_held: u64,
}

impl State {
    /// The account as it is, empty if it never was.
    pub(crate) fn account(&self, account: &Coldkey) -> Account {
        self.accounts.get(account).copied().unwrap_or_default()
    }

    pub(super) fn account_mut(&mut self, account: Coldkey) -> &mut Account {
        Arc::make_mut(&mut self.accounts).entry(account).or_default()
    }

    /// Hands out new TAO, as far as the total stays below 2^63.
    pub(super) fn mint(&mut self, account: Coldkey, amount: u64) {
        const TAO_RAO_MAX: u64 = 1 << 63;
        let amount = amount.min(TAO_RAO_MAX.saturating_sub(self.tao_issued));
        self.tao_issued = self.tao_issued.saturating_add(amount);
        let free = &mut self.account_mut(account).free;
        *free = free.saturating_add(amount);
    }

    /// Moves TAO from an account into a subnet's reserve.
    pub(super) fn pay(&mut self, from: Coldkey, netuid: NetUid, amount: u64) -> Result<(), DispatchError> {
        let short = DispatchError::subtensor("NotEnoughBalanceToStake");
        let left = self.account(&from).free.checked_sub(amount).ok_or(short)?;
        let subnet = self.subnet_mut(netuid)?;
        subnet.tao_reserve = subnet.tao_reserve.saturating_add(amount);
        self.account_mut(from).free = left;
        Ok(())
    }

    /// `add_stake`: TAO into the reserve, alpha at the fixed price to the hotkey.
    pub(super) fn add_stake(
        &mut self,
        coldkey: Coldkey,
        hotkey: Hotkey,
        netuid: NetUid,
        amount: Rao,
    ) -> Result<Vec<Event>, DispatchError> {
        let subnet = self
            .subnet(netuid)
            .ok_or(DispatchError::subtensor("SubnetNotExists"))?;
        if netuid != ROOT && subnet.started.is_none() {
            return Err(DispatchError::subtensor("SubtokenDisabled"));
        }
        if amount.0 < STAKE_RAO_MIN {
            return Err(DispatchError::subtensor("AmountTooLow"));
        }
        if self.account(&coldkey).free < amount.0 {
            return Err(DispatchError::subtensor("NotEnoughBalanceToStake"));
        }
        if self.owner_of(&hotkey).is_none() {
            return Err(DispatchError::subtensor("HotKeyAccountNotExists"));
        }
        self.pay(coldkey, netuid, amount.0)?;
        let alpha = alpha_for(amount.0);
        let subnet = self.subnet_mut(netuid)?;
        subnet.alpha_issued = subnet.alpha_issued.saturating_add(alpha);
        subnet.add_alpha(hotkey, coldkey, alpha);
        Ok(vec![Event::new(
            "SubtensorModule.StakeAdded",
            json!({"coldkey": coldkey, "hotkey": hotkey, "netuid": netuid, "tao": amount, "alpha": alpha}),
        )])
    }

    /// Stake weight of a hotkey on a subnet: its alpha and, by [`TAO_WEIGHT`], its root stake.
    pub(crate) fn stake_of(&self, netuid: NetUid, hotkey: &Hotkey) -> Stake {
        let alpha = |netuid| self.subnet(netuid).map_or(0, |subnet| subnet.alpha_of(hotkey));
        Stake::weighted(alpha(netuid), alpha(ROOT), TAO_WEIGHT)
    }

    /// Pays alpha to a hotkey for validating: the take to its owner, the rest by stake.
    pub(super) fn pay_dividends(&mut self, netuid: NetUid, hotkey: Hotkey, amount: u64) {
        let Some(owner) = self.owner_of(&hotkey) else {
            self.burn_alpha(netuid, amount);
            return;
        };
        let Ok(subnet) = self.subnet_mut(netuid) else {
            return;
        };
        let stakers = subnet.stake.get(&hotkey).cloned().unwrap_or_default();
        let total: u128 = stakers.values().map(|&alpha| u128::from(alpha)).sum();
        let shared = u128::from(amount) - u128::from(amount) * TAKE / u128::from(u16::MAX);
        let mut left = amount;
        for (coldkey, alpha) in stakers {
            let part = u64::try_from(shared * u128::from(alpha) / total.max(1)).unwrap_or(0);
            if coldkey != owner && part > 0 {
                subnet.add_alpha(hotkey, coldkey, part);
                left = left.saturating_sub(part);
            }
        }
        subnet.add_alpha(hotkey, owner, left);
    }

    /// Counts alpha as gone.
    pub(super) fn burn_alpha(&mut self, netuid: NetUid, amount: u64) {
        if let Ok(subnet) = self.subnet_mut(netuid) {
            subnet.alpha_burned = subnet.alpha_burned.saturating_add(amount);
        }
    }

    /// Where all TAO and alpha are.
    pub(crate) fn totals(&self) -> Totals {
        let subnets = || self.subnets.values();
        let free: u64 = self.accounts.values().map(|account| account.free).sum();
        Totals {
            tao_issued: self.tao_issued,
            tao_held: free + subnets().map(|subnet| subnet.tao_reserve).sum::<u64>(),
            alpha_issued: subnets().map(|subnet| subnet.alpha_issued).sum(),
            alpha_held: subnets().map(|subnet| subnet.alpha_held()).sum(),
        }
    }
}

/// Alpha that `tao` rao buys at the fixed price.
pub(super) fn alpha_for(tao: u64) -> u64 {
    let alpha = u128::from(tao) * 1_000_000_000 / u128::from(ALPHA_PRICE_RAO);
    u64::try_from(alpha).unwrap_or(u64::MAX)
}
