//! Rows of weights and bonds, and timelocked weights that are not revealed yet.

use assay_types::{BlockNumber, Digest, Hotkey, MechId, NetUid, Uid, Weight};
use subxt::ext::scale_value::Value;

use crate::subtensor::encode::SUBTENSOR;
use crate::subtensor::header::blake2_256;
use crate::subtensor::node::Node;
use crate::subtensor::view::View;
use crate::{ChainError, PendingCommit, WeightRow};

/// Subnets a mechanism's storage index leaves room for: index = mecid * 4096 + netuid (opentensor/subtensor 14bc6f9,
/// `pallets/subtensor/src/subnets/mechanism.rs`).
const SUBNETS_PER_MECHANISM: u16 = 4_096;

/// The key of weights, bonds, last updates and incentives.
pub(crate) fn storage_index(netuid: NetUid, mecid: MechId) -> u16 {
    u16::from(mecid.0)
        .saturating_mul(SUBNETS_PER_MECHANISM)
        .saturating_add(netuid.0)
}

/// All rows of `entry` (`Weights` or `Bonds`), in uid order.
pub(crate) async fn rows(
    view: &View<'_>,
    entry: &str,
    netuid: NetUid,
    mecid: MechId,
) -> Result<Vec<WeightRow>, ChainError> {
    let index = Value::from(storage_index(netuid, mecid));
    let mut rows = Vec::new();
    for (keys, list) in view.entries(SUBTENSOR, entry, &[index]).await? {
        let uid = view.required(keys.last().and_then(Node::number), entry)?;
        let mut weights = Vec::new();
        for pair in view.required(list.list(), entry)? {
            let to = view.required(pair.nth(0).and_then(Node::number), entry)?;
            let weight = view.required(pair.nth(1).and_then(Node::number), entry)?;
            weights.push((Uid(to), Weight(weight)));
        }
        weights.sort_by_key(|(uid, _)| *uid);
        rows.push(WeightRow {
            uid: Uid(uid),
            weights,
        });
    }
    rows.sort_by_key(|row| row.uid);
    Ok(rows)
}

/// Timelocked weights that wait for their pulse, oldest first.
pub(crate) async fn pending(
    view: &View<'_>,
    netuid: NetUid,
    mecid: MechId,
) -> Result<Vec<PendingCommit>, ChainError> {
    let entry = "TimelockedWeightCommits";
    let index = Value::from(storage_index(netuid, mecid));
    let mut pending = Vec::new();
    for (keys, list) in view.entries(SUBTENSOR, entry, &[index]).await? {
        let epoch = view.required(keys.last().and_then(Node::number), entry)?;
        for commit in view.required(list.list(), entry)? {
            let part = |at: usize| commit.nth(at);
            let bytes = view.required(part(2).and_then(Node::bytes), "TimelockedWeightCommits.2")?;
            pending.push(PendingCommit {
                hotkey: Hotkey(view.required(part(0).and_then(Node::bytes32), "TimelockedWeightCommits.0")?),
                epoch,
                block: BlockNumber(
                    view.required(part(1).and_then(Node::number), "TimelockedWeightCommits.1")?,
                ),
                commit: Digest(blake2_256(&bytes)),
                reveal_round: view.required(part(3).and_then(Node::number), "TimelockedWeightCommits.3")?,
            });
        }
    }
    pending.sort_by_key(|commit| (commit.epoch, commit.block));
    Ok(pending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_a_mechanism() {
        assert_eq!(storage_index(NetUid(7), MechId(0)), 7);
        assert_eq!(storage_index(NetUid(7), MechId(1)), 4_103);
    }
}
