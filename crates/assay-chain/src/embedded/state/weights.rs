//! Weights: every check of a set, a commit and a reveal, in the runtime's order.
//!
//! Rules: opentensor/subtensor 14bc6f9 `subnets/weights.rs`.

use assay_mechanism::yuma::{exceeds_max_weight, max_upscale};
use assay_types::{Digest, Hotkey, MechId, NetUid, Uid, Weight};
use blake2::Digest as _;
use serde_json::json;

use super::subnet::WeightCommit;
use super::{DispatchError, Event, ROOT, State, Subnet};
use crate::preflight::OPEN_COMMITS_MAX;
use crate::sealed::COMMIT_REVEAL_VERSION;

/// Most bytes of a weight commit.
pub(crate) const COMMIT_BYTES_MAX: usize = 5_000;

/// Weights as they come in, from a call or out of a commit.
#[derive(Debug, Clone)]
pub(super) struct WeightsVector {
    pub(super) netuid: NetUid,
    pub(super) mecid: MechId,
    pub(super) weights: Vec<(Uid, Weight)>,
    pub(super) version_key: u64,
}

impl WeightsVector {
    fn uids(&self) -> impl Iterator<Item = u16> + '_ {
        self.weights.iter().map(|(uid, _)| uid.0)
    }

    fn values(&self) -> Vec<u16> {
        self.weights.iter().map(|(_, weight)| weight.0).collect()
    }
}

/// A weight commit as it comes in.
#[derive(Debug, Clone)]
pub(super) struct NewCommit<'a> {
    pub(super) netuid: NetUid,
    pub(super) mecid: MechId,
    pub(super) commit: &'a [u8],
    pub(super) reveal_round: u64,
    pub(super) version: u16,
}

/// How weights reach the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// In the clear.
    Set,
    /// Out of a commit, whose block is the last update.
    Reveal,
}

impl State {
    /// `set_mechanism_weights`.
    pub(super) fn set_weights(
        &mut self,
        hotkey: Hotkey,
        vector: &WeightsVector,
    ) -> Result<Vec<Event>, DispatchError> {
        let enabled = |subnet: &Subnet| subnet.params.commit_reveal;
        if self.subnet(vector.netuid).is_some_and(enabled) && vector.netuid != ROOT {
            return Err(DispatchError::subtensor("CommitRevealEnabled"));
        }
        self.store_weights(hotkey, vector, Way::Set)
    }

    /// Checks and stores weights.
    pub(super) fn store_weights(
        &mut self,
        hotkey: Hotkey,
        vector: &WeightsVector,
        way: Way,
    ) -> Result<Vec<Event>, DispatchError> {
        let uid = self.check_weights(hotkey, vector, way)?;
        let block = self.block;
        let subnet = self.subnet_mut(vector.netuid)?;
        if let Some(row) = subnet.row_mut(uid, vector.mecid.0) {
            let mut weights: Vec<(u16, u16)> = vector.uids().zip(max_upscale(&vector.values())).collect();
            weights.sort_unstable();
            row.weights = weights;
            if way == Way::Set {
                row.last_update = block;
            }
        }
        Ok(vec![Event::new(
            "SubtensorModule.WeightsSet",
            json!({"index": storage_index(vector.netuid, vector.mecid), "uid": uid}),
        )])
    }

    /// The checks of a set or a reveal; gives the uid.
    fn check_weights(&self, hotkey: Hotkey, vector: &WeightsVector, way: Way) -> Result<u16, DispatchError> {
        let fail = |name| Err(DispatchError::subtensor(name));
        if vector.netuid == ROOT {
            return fail("CanNotSetRootNetworkWeights");
        }
        let subnet = self.mechanism(vector.netuid, vector.mecid)?;
        let n = subnet.neurons.len();
        if vector.weights.len() > n {
            return fail("UidsLengthExceedUidsInSubNet");
        }
        let Some(uid) = subnet.uid_of(&hotkey) else {
            return fail("HotKeyNotRegisteredInSubNet");
        };
        if !self.has_stake_for_weights(subnet, &hotkey) {
            return fail("NotEnoughStakeToSetWeights");
        }
        let params = &subnet.params;
        if params.version_key != 0 && vector.version_key < params.version_key {
            return fail("IncorrectWeightVersionKey");
        }
        if way == Way::Set && !self.may_update(subnet, uid, vector.mecid) {
            return fail("SettingWeightsTooFast");
        }
        let only_itself = vector.weights.len() == 1 && vector.uids().eq([uid]);
        let neuron = subnet.neurons.get(usize::from(uid));
        let permit = neuron.is_some_and(|neuron| neuron.permit);
        if !(permit || only_itself || subnet.owner_uid() == Some(uid)) {
            return fail("NeuronNoValidatorPermit");
        }
        let mut sorted: Vec<u16> = vector.uids().collect();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() != vector.weights.len() {
            return fail("DuplicateUids");
        }
        if sorted.last().is_some_and(|&last| usize::from(last) >= n) {
            return fail("UidVecContainInvalidOne");
        }
        if vector.weights.len() < n.min(usize::from(params.weights_min)) && !only_itself {
            return fail("WeightVecLengthIsLow");
        }
        if !only_itself && exceeds_max_weight(&max_upscale(&vector.values()), params.weight_max) {
            return fail("MaxWeightExceeded");
        }
        Ok(uid)
    }

    /// `commit_timelocked_mechanism_weights`.
    pub(super) fn commit_weights(
        &mut self,
        hotkey: Hotkey,
        new: &NewCommit<'_>,
    ) -> Result<Vec<Event>, DispatchError> {
        let uid = self.check_commit(&hotkey, new)?;
        let block = self.block;
        let digest = commit_digest(new.commit);
        let subnet = self.subnet_mut(new.netuid)?;
        let epoch = subnet.epoch_seen(block);
        if let Some(row) = subnet.row_mut(uid, new.mecid.0) {
            row.last_update = block;
        }
        let epochs = subnet.commits.entry(new.mecid.0).or_default();
        epochs.entry(epoch).or_default().push(WeightCommit {
            hotkey,
            block,
            commit: new.commit.to_vec(),
            digest,
            reveal_round: new.reveal_round,
        });
        Ok(vec![Event::new(
            "SubtensorModule.TimelockedWeightsCommitted",
            json!({"who": hotkey, "index": storage_index(new.netuid, new.mecid), "commit": digest, "round": new.reveal_round}),
        )])
    }

    fn check_commit(&self, hotkey: &Hotkey, new: &NewCommit<'_>) -> Result<u16, DispatchError> {
        let fail = |name| Err(DispatchError::subtensor(name));
        if let Some(subnet) = self.subnet(new.netuid)
            && !self.has_stake_for_weights(subnet, hotkey)
        {
            return fail("NotEnoughStakeToSetWeights");
        }
        if new.reveal_round < self.last_round {
            return fail("InvalidRevealRound");
        }
        let subnet = self.mechanism(new.netuid, new.mecid)?;
        if !subnet.params.commit_reveal {
            return fail("CommitRevealDisabled");
        }
        if new.version != COMMIT_REVEAL_VERSION {
            return fail("IncorrectCommitRevealVersion");
        }
        let Some(uid) = subnet.uid_of(hotkey) else {
            return fail("HotKeyNotRegisteredInSubNet");
        };
        if !self.may_update(subnet, uid, new.mecid) {
            return fail("CommittingWeightsTooFast");
        }
        let epoch = subnet.epoch_seen(self.block);
        let open = subnet
            .commits
            .get(&new.mecid.0)
            .and_then(|epochs| epochs.get(&epoch))
            .map_or(0, |commits| {
                commits.iter().filter(|commit| commit.hotkey == *hotkey).count()
            });
        if open >= OPEN_COMMITS_MAX {
            return fail("TooManyUnrevealedCommits");
        }
        Ok(uid)
    }

    /// The subnet, if it has the mechanism.
    fn mechanism(&self, netuid: NetUid, mecid: MechId) -> Result<&Subnet, DispatchError> {
        self.subnet(netuid)
            .filter(|subnet| netuid != ROOT && mecid.0 < subnet.params.mechanisms)
            .ok_or(DispatchError::subtensor("MechanismDoesNotExist"))
    }

    /// Whether the stake reaches `StakeThreshold`; the owner needs none.
    pub(crate) fn has_stake_for_weights(&self, subnet: &Subnet, hotkey: &Hotkey) -> bool {
        let is_owner = subnet.owner.is_some_and(|(owner, _)| owner == *hotkey);
        is_owner || self.stake_of(subnet.netuid, hotkey).rao() >= self.genesis.stake_threshold_rao
    }

    /// Whether `WeightsSetRateLimit` lets a uid update now; a last update of 0 always does.
    pub(crate) fn may_update(&self, subnet: &Subnet, uid: u16, mecid: MechId) -> bool {
        let row = subnet
            .neurons
            .get(usize::from(uid))
            .and_then(|neuron| neuron.rows.get(usize::from(mecid.0)));
        let last = row.map_or(0, |row| row.last_update);
        let passed = u64::from(self.block.saturating_sub(last));
        last == 0 || passed >= subnet.params.weights_rate_limit
    }
}

/// `mecid·4096 + netuid`, the number events and storage know a mechanism by.
pub(crate) fn storage_index(netuid: NetUid, mecid: MechId) -> u32 {
    u32::from(mecid.0) * 4_096 + u32::from(netuid.0)
}

/// BLAKE2b-256 of a ciphertext.
fn commit_digest(commit: &[u8]) -> Digest {
    Digest(blake2::Blake2b256::digest(commit).into())
}
