//! Emission and epochs: what a block adds to a subnet, when its epoch is due, and who gets what.
//!
//! The consensus itself is `assay_mechanism::yuma`. Rules: opentensor/subtensor
//! 14bc6f9 `coinbase/run_coinbase.rs`, `epoch/run_epoch.rs`.

use std::sync::Arc;

use assay_mechanism::yuma::{self, BondRule, Outcome, YumaParams};
use assay_types::{BlockNumber, NetUid};
use serde_json::json;

use super::{Event, Neuron, ROOT, State, Subnet};

/// Epochs of one block; further subnets wait for the next.
const EPOCHS_PER_BLOCK_MAX: usize = 2;
/// An epoch is due after so many blocks without one, whatever the tempo.
const BLOCKS_WITHOUT_STEP_MAX: u64 = 50_400;

impl Subnet {
    /// Whether an epoch is due at `block` and has not run.
    pub(crate) fn epoch_due(&self, block: u32) -> bool {
        let pending = self.pending_epoch_at > 0 && block >= self.pending_epoch_at;
        let overdue = self.blocks_since_last_step > BLOCKS_WITHOUT_STEP_MAX;
        let passed = block.saturating_sub(self.last_epoch) >= u32::from(self.params.tempo);
        self.params.tempo > 0 && (pending || overdue || passed)
    }

    /// `SubnetEpochIndex` as calls of `block` see it.
    pub(crate) fn epoch_seen(&self, block: u32) -> u64 {
        self.epoch_index + u64::from(self.epoch_due(block))
    }

    /// What consensus reads, for one mechanism.
    fn consensus_input(&self, state: &State, mecid: u8) -> yuma::Subnet {
        let commits = self.commits.get(&mecid);
        let earliest = |neuron: &Neuron| {
            let commits = commits?.values().flatten();
            let own = commits.filter(|commit| commit.hotkey == neuron.hotkey);
            own.map(|commit| BlockNumber(commit.block)).min()
        };
        let neuron = |neuron: &Arc<Neuron>| {
            let row = neuron.rows.get(usize::from(mecid)).cloned().unwrap_or_default();
            yuma::Neuron {
                stake: state.stake_of(self.netuid, &neuron.hotkey),
                registered: BlockNumber(neuron.registered),
                last_update: BlockNumber(row.last_update),
                commit: self.params.commit_reveal.then(|| earliest(neuron)).flatten(),
                permit: neuron.permit,
                weights: row.weights,
                bonds: row.bonds,
            }
        };
        let params = &self.params;
        yuma::Subnet {
            block: BlockNumber(state.block),
            last_step: BlockNumber(self.last_step),
            tempo: params.tempo,
            owner: self.owner_uid(),
            params: YumaParams {
                kappa: params.kappa,
                bonds_penalty: params.bonds_penalty,
                bonds_moving_average: u32::try_from(params.bonds_moving_average).unwrap_or(u32::MAX),
                validators_max: params.validators_max,
                activity_cutoff: self.activity_cutoff(),
                stake_threshold_rao: state.genesis.stake_threshold_rao,
                bonds: if params.yuma3 {
                    BondRule::Yuma3
                } else {
                    BondRule::Classic
                },
            },
            neurons: self.neurons.iter().map(neuron).collect(),
        }
    }
}

impl State {
    /// Adds the block's alpha to every started subnet and runs the epochs that are due.
    pub(super) fn coinbase(&mut self) -> Vec<Event> {
        let block = self.block;
        let (per_block, owner_cut) = (self.genesis.alpha_per_block, self.genesis.owner_cut);
        let mut events = Vec::new();
        let mut epochs = 0;
        let netuids: Vec<NetUid> = self
            .subnets
            .keys()
            .copied()
            .filter(|&netuid| netuid != ROOT)
            .collect();
        for netuid in netuids {
            let Ok(subnet) = self.subnet_mut(netuid) else {
                continue;
            };
            if subnet.started.is_some_and(|start| start <= block) {
                subnet.accrue(per_block, owner_cut);
            }
            if !subnet.epoch_due(block) {
                subnet.blocks_since_last_step = subnet.blocks_since_last_step.saturating_add(1);
            } else if epochs == EPOCHS_PER_BLOCK_MAX {
                subnet.pending_epoch_at = block.saturating_add(1);
                subnet.blocks_since_last_step = subnet.blocks_since_last_step.saturating_add(1);
                events.push(Event::new(
                    "SubtensorModule.EpochDeferred",
                    json!({"netuid": netuid}),
                ));
            } else {
                epochs += 1;
                events.extend(self.run_epoch(netuid));
            }
        }
        events
    }

    fn run_epoch(&mut self, netuid: NetUid) -> Vec<Event> {
        let block = self.block;
        let Ok(subnet) = self.subnet_mut(netuid) else {
            return Vec::new();
        };
        let emission = std::mem::take(&mut subnet.pending_emission);
        let cut = std::mem::take(&mut subnet.pending_owner_cut);
        let count = subnet.params.mechanisms.max(1);
        let part = emission / u64::from(count);
        let first = emission - part * u64::from(count - 1);
        let mut all: Vec<Vec<Outcome>> = Vec::new();
        for mecid in 0..count {
            let amount = if mecid == 0 { first } else { part };
            if let Some(subnet) = self.subnet(netuid) {
                all.push(yuma::epoch(&subnet.consensus_input(self, mecid), amount));
            }
        }
        let (mut paid, mut merged) = (0, Vec::new());
        for (mecid, outcomes) in (0_u8..).zip(&all) {
            merge(&mut merged, outcomes, count);
            self.store_rows(netuid, mecid, outcomes);
            paid += self.pay_epoch(netuid, outcomes);
        }
        self.pay_owner(netuid, cut);
        let incentives: Vec<u64> = merged.iter().map(|neuron| neuron.miner).collect();
        let Ok(subnet) = self.subnet_mut(netuid) else {
            return Vec::new();
        };
        // A few rao of rounding are gone; where nobody has stake, the next epoch has everything.
        let left = emission.saturating_sub(paid);
        if paid == 0 {
            subnet.pending_emission = left;
        } else {
            subnet.alpha_burned = subnet.alpha_burned.saturating_add(left);
        }
        for (seat, new) in subnet.neurons.iter_mut().zip(merged) {
            let neuron = Arc::make_mut(seat);
            neuron.permit = new.permit;
            neuron.active = new.active;
            neuron.emission = new.emission;
            neuron.dividends = new.dividends;
            neuron.consensus = new.consensus;
            neuron.vtrust = new.vtrust;
        }
        subnet.last_epoch = block;
        subnet.pending_epoch_at = 0;
        subnet.epoch_index += 1;
        subnet.blocks_since_last_step = 0;
        subnet.last_step = block;
        vec![Event::new(
            "SubtensorModule.IncentiveAlphaEmittedToMiners",
            json!({"netuid": netuid, "emissions": incentives}),
        )]
    }

    fn store_rows(&mut self, netuid: NetUid, mecid: u8, outcomes: &[Outcome]) {
        let Ok(subnet) = self.subnet_mut(netuid) else {
            return;
        };
        for (uid, outcome) in (0_u16..).zip(outcomes) {
            if let Some(row) = subnet.row_mut(uid, mecid) {
                row.incentive = outcome.incentive.to_share();
                row.bonds.clone_from(&outcome.bonds);
            }
        }
    }

    /// Pays miners and validators; gives what was paid. Miners of the owner's coldkey are burned.
    fn pay_epoch(&mut self, netuid: NetUid, outcomes: &[Outcome]) -> u64 {
        let Some(subnet) = self.subnet(netuid) else {
            return 0;
        };
        let hotkeys: Vec<_> = subnet.neurons.iter().map(|neuron| neuron.hotkey).collect();
        let owner = subnet.owner.map(|(_, coldkey)| coldkey);
        let mut paid = 0;
        for (hotkey, outcome) in hotkeys.into_iter().zip(outcomes) {
            paid += outcome.miner_emission + outcome.validator_emission;
            if !self.genesis.pays_stake {
                self.burn_alpha(netuid, outcome.miner_emission + outcome.validator_emission);
                continue;
            }
            self.pay_dividends(netuid, hotkey, outcome.validator_emission);
            match self.owner_of(&hotkey) {
                Some(coldkey) if Some(coldkey) != owner => {
                    if let Ok(subnet) = self.subnet_mut(netuid) {
                        subnet.add_alpha(hotkey, coldkey, outcome.miner_emission);
                    }
                }
                _ => self.burn_alpha(netuid, outcome.miner_emission),
            }
        }
        paid
    }

    fn pay_owner(&mut self, netuid: NetUid, cut: u64) {
        let Ok(subnet) = self.subnet_mut(netuid) else {
            return;
        };
        match subnet.owner {
            Some((hotkey, coldkey)) => subnet.add_alpha(hotkey, coldkey, cut),
            None => self.burn_alpha(netuid, cut),
        }
    }
}

impl Subnet {
    fn accrue(&mut self, per_block: u64, owner_cut: u16) {
        let cut = u128::from(per_block) * u128::from(owner_cut) / u128::from(u16::MAX);
        let cut = u64::try_from(cut).unwrap_or(per_block).min(per_block);
        self.alpha_issued = self.alpha_issued.saturating_add(per_block);
        self.pending_owner_cut = self.pending_owner_cut.saturating_add(cut);
        self.pending_emission = self.pending_emission.saturating_add(per_block - cut);
    }
}

/// What the mechanisms of a subnet say of a uid together: sums of alpha, means of shares.
#[derive(Debug, Clone, Default)]
struct Merged {
    permit: bool,
    active: bool,
    emission: u64,
    miner: u64,
    dividends: u16,
    consensus: u16,
    vtrust: u16,
}

fn merge(merged: &mut Vec<Merged>, outcomes: &[Outcome], count: u8) {
    merged.resize_with(outcomes.len(), Merged::default);
    let part = |share: u16| share / u16::from(count);
    for (into, outcome) in merged.iter_mut().zip(outcomes) {
        into.permit |= outcome.permit;
        into.active |= outcome.active;
        into.emission = into.emission.saturating_add(outcome.emission);
        into.miner = into.miner.saturating_add(outcome.miner_emission);
        into.dividends = into.dividends.saturating_add(part(outcome.dividends.to_share()));
        into.consensus = into.consensus.saturating_add(part(outcome.consensus.to_share()));
        into.vtrust = into
            .vtrust
            .saturating_add(part(outcome.validator_trust.to_share()));
    }
}
