//! Hyper-parameters: who may set which, to what, and when.
//!
//! Rules: opentensor/subtensor 14bc6f9 `pallets/admin-utils`. The genesis' root account may set all
//! of them at any time.

use assay_types::{Coldkey, NetUid, Rao};
use serde_json::json;

use super::{DispatchError, Event, ROOT, State, Subnet};

/// Blocks before an epoch in which the owner may set nothing.
const FREEZE_BLOCKS: u32 = 10;
/// Blocks between two settings of the tempo by the owner.
const TEMPO_COOLDOWN_BLOCKS: u32 = 360;
/// Most uids of a subnet, its mechanisms counted together.
const UIDS_TIMES_MECHANISMS_MAX: u64 = 256;
/// Tempos between two settings of the same value by the owner.
const TEMPOS_BETWEEN: u32 = 2;
/// As above, for the version key.
const TEMPOS_BETWEEN_VERSION_KEYS: u32 = 5;

/// Who may set a hyper-parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Owner,
    Root,
}

/// Name, who sets it, least and most; for the owner only, root may exceed them.
const RULES: &[(&str, By, u64, u64)] = &[
    ("tempo", By::Owner, 360, 50_400),
    ("uids_max", By::Owner, 64, 256),
    ("validators_max", By::Root, 0, 65_535),
    ("weights_min", By::Owner, 0, 65_535),
    ("weight_max", By::Owner, 0, 65_535),
    ("weights_rate_limit", By::Root, 0, u64::MAX),
    ("version_key", By::Owner, 0, u64::MAX),
    ("immunity_period", By::Owner, 0, 65_535),
    ("commit_reveal", By::Owner, 0, 1),
    ("reveal_period_epochs", By::Owner, 1, 100),
    ("yuma3", By::Owner, 0, 1),
    ("kappa", By::Root, 0, 65_535),
    ("bonds_moving_average", By::Owner, 0, 975_000),
    ("bonds_penalty", By::Owner, 0, 65_535),
    ("burn_min", By::Owner, 0, 999_999_999),
    ("burn_max", By::Owner, 100_000_001, u64::MAX),
    ("burn_half_life", By::Owner, 1, 36_100),
    ("burn_increase_milli", By::Owner, 1_000, 3_000),
    ("registration_allowed", By::Root, 0, 1),
    ("non_immune_uids_min", By::Root, 0, 65_535),
    ("immune_owner_uids_max", By::Owner, 1, 10),
    ("serving_rate_limit", By::Owner, 0, u64::MAX),
    ("activity_cutoff_factor_milli", By::Owner, 1_000, 50_000),
    ("activity_cutoff", By::Owner, 360, 65_535),
    ("mechanisms", By::Owner, 1, 2),
];

/// That so many uids for so many mechanisms are not too many.
fn check_uids(uids: u64, mechanisms: u64) -> Result<(), DispatchError> {
    if uids.saturating_mul(mechanisms) > UIDS_TIMES_MECHANISMS_MAX {
        return Err(DispatchError::subtensor("TooManyUIDsPerMechanism"));
    }
    Ok(())
}

impl State {
    /// `AdminUtils.sudo_set_<name>`.
    pub(super) fn set_hyperparameter(
        &mut self,
        signer: Coldkey,
        netuid: NetUid,
        name: &str,
        value: u64,
    ) -> Result<Vec<Event>, DispatchError> {
        let is_root = self.genesis.root == Some(signer);
        let block = self.block;
        let rule = RULES.iter().find(|(known, ..)| *known == name);
        let Some(&(_, by, least, most)) = rule else {
            return Err(DispatchError::admin("UnknownHyperparameter"));
        };
        if netuid == ROOT {
            return Err(DispatchError::admin("NotPermittedOnRootSubnet"));
        }
        let subnet = self
            .subnets
            .get_mut(&netuid)
            .map(std::sync::Arc::make_mut)
            .ok_or(DispatchError::admin("SubnetDoesNotExist"))?;
        if !is_root {
            let is_owner = subnet.owner.is_some_and(|(_, owner)| owner == signer);
            if by == By::Root || !is_owner {
                return Err(DispatchError::bad_origin());
            }
            subnet.check_timing(name, block)?;
            if !(least..=most).contains(&value) {
                return Err(DispatchError::admin("ValueNotInBounds"));
            }
        }
        subnet.set(name, value, block)?;
        if !is_root {
            subnet.last_set.insert(name.to_owned(), block);
        }
        Ok(vec![Event::new(
            "AdminUtils.HyperparameterSet",
            json!({"netuid": netuid, "name": name, "value": value}),
        )])
    }
}

impl Subnet {
    fn check_timing(&self, name: &str, block: u32) -> Result<(), DispatchError> {
        let tempo = u32::from(self.params.tempo);
        let next = self.last_epoch.saturating_add(tempo);
        if tempo > 0 && next.saturating_sub(block) <= FREEZE_BLOCKS {
            return Err(DispatchError::admin("AdminActionProhibitedDuringWeightsWindow"));
        }
        let tempos = match name {
            "version_key" => TEMPOS_BETWEEN_VERSION_KEYS,
            _ => TEMPOS_BETWEEN,
        };
        let between = if name == "tempo" {
            TEMPO_COOLDOWN_BLOCKS
        } else {
            tempo.saturating_mul(tempos)
        };
        let set = self.last_set.get(name);
        if set.is_some_and(|&set| block.saturating_sub(set) < between) {
            return Err(DispatchError::subtensor("TxRateLimitExceeded"));
        }
        Ok(())
    }

    /// Stores a value that fits its type.
    fn set(&mut self, name: &str, value: u64, block: u32) -> Result<(), DispatchError> {
        let out_of_bounds = DispatchError::admin("ValueNotInBounds");
        let short = u16::try_from(value).map_err(|_| out_of_bounds.clone());
        let params = &mut self.params;
        match name {
            "tempo" => {
                params.tempo = short?;
                self.last_epoch = block;
            }
            "uids_max" => {
                let most = short?;
                if usize::from(most) < self.neurons.len() {
                    return Err(DispatchError::admin("MaxAllowedUIdsLessThanCurrentUIds"));
                }
                check_uids(u64::from(most), u64::from(params.mechanisms))?;
                params.uids_max = most;
            }
            "validators_max" => params.validators_max = short?,
            "weights_min" => params.weights_min = short?,
            "weight_max" => params.weight_max = short?,
            "weights_rate_limit" => params.weights_rate_limit = value,
            "version_key" => params.version_key = value,
            "immunity_period" => params.immunity_period = short?,
            "commit_reveal" => params.commit_reveal = value != 0,
            "reveal_period_epochs" => params.reveal_period_epochs = value,
            "yuma3" => params.yuma3 = value != 0,
            "kappa" => params.kappa = short?,
            "bonds_moving_average" => params.bonds_moving_average = value,
            "bonds_penalty" => params.bonds_penalty = short?,
            "burn_min" => params.burn_min = Rao(value),
            "burn_max" => params.burn_max = Rao(value),
            "burn_half_life" => params.burn_half_life = short?,
            "burn_increase_milli" => {
                params.burn_increase_milli = u32::try_from(value).map_err(|_| out_of_bounds)?;
            }
            "registration_allowed" => params.registration_allowed = value != 0,
            "non_immune_uids_min" => params.non_immune_uids_min = short?,
            "immune_owner_uids_max" => params.immune_owner_uids_max = short?,
            "serving_rate_limit" => params.serving_rate_limit = value,
            "activity_cutoff_factor_milli" => {
                self.activity_factor_milli = u32::try_from(value).map_err(|_| out_of_bounds)?;
            }
            // In blocks, as older runtimes have it: the least factor that gives so many.
            "activity_cutoff" => {
                let factor = value
                    .saturating_mul(1_000)
                    .div_ceil(u64::from(params.tempo.max(1)));
                self.activity_factor_milli = u32::try_from(factor).map_err(|_| out_of_bounds)?;
            }
            "mechanisms" => self.set_mechanisms(value, block)?,
            _ => return Err(DispatchError::admin("UnknownHyperparameter")),
        }
        Ok(())
    }

    /// More or fewer rows for every uid.
    fn set_mechanisms(&mut self, value: u64, block: u32) -> Result<(), DispatchError> {
        const MECHANISMS_MAX: u64 = 2;
        if !(1..=MECHANISMS_MAX).contains(&value) {
            return Err(DispatchError::admin("ValueNotInBounds"));
        }
        check_uids(u64::from(self.params.uids_max), value)?;
        self.params.mechanisms = u8::try_from(value).unwrap_or(1);
        let fresh = super::subnet::Row {
            last_update: block,
            ..Default::default()
        };
        for neuron in &mut self.neurons {
            std::sync::Arc::make_mut(neuron)
                .rows
                .resize(usize::from(self.params.mechanisms), fresh.clone());
        }
        self.commits.retain(|&mecid, _| mecid < self.params.mechanisms);
        Ok(())
    }
}
