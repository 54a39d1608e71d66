//! Timelocked weights: opened at the start of each block of their reveal epoch, silently dropped when they do not open.
//!
//! Rules: opentensor/subtensor 14bc6f9 `coinbase/reveal_commits.rs`.

use assay_types::{MechId, NetUid};
use serde_json::json;

use super::subnet::WeightCommit;
use super::weights::{Way, WeightsVector, storage_index};
use super::{Event, State};
use crate::embedded::beacon::Signatures;
use crate::timelock::WeightsPayload;

/// The event of weights that were opened and stored.
pub(crate) const TIMELOCKED_WEIGHTS_REVEALED: &str = "SubtensorModule.TimelockedWeightsRevealed";

impl State {
    /// Opens the commits that are due on a subnet; those of earlier epochs are gone, those without a pulse wait.
    pub(super) fn reveal_weights(&mut self, netuid: NetUid, pulses: &mut Signatures) -> Vec<Event> {
        let Some(subnet) = self.subnet(netuid) else {
            return Vec::new();
        };
        if subnet.commits.values().all(std::collections::BTreeMap::is_empty) {
            return Vec::new();
        }
        let seen = subnet.epoch_seen(self.block);
        let Some(due) = seen.checked_sub(subnet.params.reveal_period_epochs) else {
            return Vec::new();
        };
        let mecids: Vec<u8> = subnet.commits.keys().copied().collect();
        let mut events = Vec::new();
        for mecid in mecids.into_iter().map(MechId) {
            events.extend(self.reveal_mechanism(netuid, mecid, due, pulses));
        }
        events
    }

    fn reveal_mechanism(
        &mut self,
        netuid: NetUid,
        mecid: MechId,
        due: u64,
        pulses: &mut Signatures,
    ) -> Vec<Event> {
        let Ok(subnet) = self.subnet_mut(netuid) else {
            return Vec::new();
        };
        let epochs = subnet.commits.entry(mecid.0).or_default();
        *epochs = epochs.split_off(&due);
        let commits = epochs.remove(&due).unwrap_or_default();
        let mut events = Vec::new();
        let mut waiting = Vec::new();
        for commit in commits {
            if self.has_round(commit.reveal_round) {
                events.extend(self.reveal_one(netuid, mecid, &commit, pulses));
            } else {
                waiting.push(commit);
            }
        }
        if !waiting.is_empty()
            && let Ok(subnet) = self.subnet_mut(netuid)
        {
            subnet.commits.entry(mecid.0).or_default().insert(due, waiting);
        }
        events
    }

    /// Nothing tells of a commit that does not open or whose weights are refused.
    fn reveal_one(
        &mut self,
        netuid: NetUid,
        mecid: MechId,
        commit: &WeightCommit,
        pulses: &mut Signatures,
    ) -> Vec<Event> {
        let opened = pulses.open(&commit.commit, commit.reveal_round);
        let Some(payload) = opened.and_then(|bytes| WeightsPayload::decode(&bytes).ok()) else {
            return Vec::new();
        };
        if payload.hotkey != commit.hotkey {
            return Vec::new();
        }
        let vector = WeightsVector {
            netuid,
            mecid,
            weights: payload.weights,
            version_key: payload.version_key,
        };
        let Ok(mut events) = self.store_weights(commit.hotkey, &vector, Way::Reveal) else {
            return Vec::new();
        };
        events.push(Event::new(
            TIMELOCKED_WEIGHTS_REVEALED,
            json!({"index": storage_index(netuid, mecid), "who": commit.hotkey}),
        ));
        events
    }
}
