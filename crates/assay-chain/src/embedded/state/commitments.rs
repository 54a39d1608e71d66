//! Commitments: what a hotkey may leave on the chain, how much of it an epoch, and how timelocked fields open.
//!
//! Rules: opentensor/subtensor 14bc6f9 `pallets/commitments/src/lib.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_types::{Hotkey, NetUid};
use serde_json::json;

use super::subnet::{Record, UsedSpace};
use super::{DispatchError, Event, State};
use crate::embedded::beacon::Signatures;
use crate::{CommitmentField, FIELDS_MAX};

/// `MaxSpace`: bytes a hotkey may commit an epoch on a subnet.
pub(crate) const SPACE_BYTES_MAX: u64 = 3_100;
/// Least a commitment counts for, bytes.
const SPACE_BYTES_MIN: u64 = 100;
/// Opened fields kept a hotkey.
const REVEALED_MAX: usize = 10;

impl State {
    /// `Commitments.set_commitment`.
    pub(super) fn set_commitment(
        &mut self,
        hotkey: Hotkey,
        netuid: NetUid,
        fields: &[CommitmentField],
    ) -> Result<Vec<Event>, DispatchError> {
        let block = self.block;
        let registered = self
            .subnet(netuid)
            .filter(|subnet| subnet.uid_of(&hotkey).is_some());
        let Some(subnet) = registered else {
            return Err(DispatchError::commitments("AccountNotAllowedCommit"));
        };
        if fields.len() > FIELDS_MAX {
            return Err(DispatchError::commitments("TooManyFieldsInCommitmentInfo"));
        }
        let bytes: u64 = fields.iter().map(field_bytes).sum();
        let mut used = subnet.used_space.get(&hotkey).copied().unwrap_or_default();
        if used.epoch != subnet.epoch_index {
            used = UsedSpace {
                epoch: subnet.epoch_index,
                bytes: 0,
            };
        }
        used.bytes += bytes.max(SPACE_BYTES_MIN);
        if used.bytes > SPACE_BYTES_MAX {
            return Err(DispatchError::commitments("SpaceLimitExceeded"));
        }
        let subnet = self.subnet_mut(netuid)?;
        subnet.used_space.insert(hotkey, used);
        let record = Record {
            block,
            fields: fields.to_vec(),
        };
        subnet.commitments.insert(hotkey, Arc::new(record));
        let round = fields.iter().find_map(|field| match field {
            CommitmentField::Timelocked { reveal_round, .. } => Some(*reveal_round),
            _ => None,
        });
        Ok(vec![match round {
            Some(round) => Event::new(
                "Commitments.TimelockCommitment",
                json!({"netuid": netuid, "who": hotkey, "reveal_round": round}),
            ),
            None => Event::new("Commitments.Commitment", json!({"netuid": netuid, "who": hotkey})),
        }])
    }

    /// Opens every timelocked field whose pulse is there; a field that does not open is dropped, and so is a record without
    /// fields.
    pub(super) fn reveal_commitments(&mut self, netuid: NetUid, pulses: &mut Signatures) -> Vec<Event> {
        let due = |fields: &[CommitmentField]| {
            fields.iter().any(
                |field| matches!(field, CommitmentField::Timelocked { reveal_round, .. } if self.has_round(*reveal_round)),
            )
        };
        let Some(subnet) = self.subnet(netuid) else {
            return Vec::new();
        };
        let opening: BTreeMap<Hotkey, Arc<Record>> = subnet
            .commitments
            .iter()
            .filter(|(_, record)| due(&record.fields))
            .map(|(hotkey, record)| (*hotkey, Arc::clone(record)))
            .collect();
        let mut events = Vec::new();
        for (hotkey, record) in opening {
            let (kept, opened) = self.opened(&record, pulses);
            let block = self.block;
            let Ok(subnet) = self.subnet_mut(netuid) else {
                continue;
            };
            if kept.is_empty() {
                subnet.commitments.remove(&hotkey);
            } else {
                let record = Record {
                    block: record.block,
                    fields: kept,
                };
                subnet.commitments.insert(hotkey, Arc::new(record));
            }
            for bytes in opened {
                let revealed = Arc::make_mut(subnet.revealed.entry(hotkey).or_default());
                revealed.push((block, bytes));
                let surplus = revealed.len().saturating_sub(REVEALED_MAX);
                revealed.drain(..surplus);
                events.push(Event::new(
                    "Commitments.CommitmentRevealed",
                    json!({"netuid": netuid, "who": hotkey}),
                ));
            }
        }
        events
    }

    /// What stays sealed, and what opened.
    fn opened(&self, record: &Record, pulses: &mut Signatures) -> (Vec<CommitmentField>, Vec<Vec<u8>>) {
        let (mut kept, mut opened) = (Vec::new(), Vec::new());
        for field in &record.fields {
            match field {
                CommitmentField::Timelocked {
                    ciphertext,
                    reveal_round,
                } if self.has_round(*reveal_round) => opened.extend(pulses.open(ciphertext, *reveal_round)),
                other => kept.push(other.clone()),
            }
        }
        (kept, opened)
    }

    /// Whether the pulse of a round is stored.
    pub(crate) fn has_round(&self, round: u64) -> bool {
        round >= self.first_round.max(1) && round <= self.last_round && !self.missing_rounds.contains(&round)
    }
}

/// What a field counts for.
fn field_bytes(field: &CommitmentField) -> u64 {
    match field {
        CommitmentField::Plain(bytes) => bytes.len() as u64,
        CommitmentField::Blake2(_) => 32,
        CommitmentField::Timelocked { ciphertext, .. } => ciphertext.len() as u64,
    }
}
