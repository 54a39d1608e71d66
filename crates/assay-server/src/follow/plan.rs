//! The round that a block assigns: inputs from the chain and the database, the list from the mechanism.

use super::FollowError;
use crate::app::App;
use crate::store::{self, AddRound};
use assay_chain::{Commitment, Head, Metagraph, RevealedCommitment, messages};
use assay_mechanism::clock::Clock;
use assay_mechanism::plan::{fresh_window, latest_wants, plan};
use assay_types::api::{ASSIGNMENT_VERSION, AssignmentCandidate, AssignmentHeader, RequeuedUnit};
use assay_types::{BlockNumber, Hotkey, Round};
use std::collections::BTreeMap;

/// The round whose beacon is the hash of `block`.
pub(super) fn round_assigned_by(clock: &Clock, block: BlockNumber) -> Option<Round> {
    let first = Round(0);
    if clock.assignment_block(first) == block {
        return Some(first);
    }
    // The next round's: the lead is shorter than a round.
    let next = clock
        .round_of(block)
        .map_or(first, |round| Round(round.0.saturating_add(1)));
    (clock.assignment_block(next) == block).then_some(next)
}

/// The assignment of a round.
pub(super) async fn plan_round(
    app: &App,
    round: Round,
    head: &Head,
    (metagraph, standing, opened): (&Metagraph, &[Commitment], &[RevealedCommitment]),
) -> Result<AddRound, FollowError> {
    let readers = app.database().readers();
    let caps: BTreeMap<(Hotkey, BlockNumber), u32> = store::miner_records(readers)
        .await?
        .into_iter()
        .map(|record| ((record.hotkey, record.registered), record.cap))
        .collect();
    let cap_first = u32::try_from(app.params().values.cap_first).unwrap_or(u32::MAX);
    let wants = latest_wants(messages(standing, opened));
    let mut candidates: Vec<AssignmentCandidate> = metagraph
        .neurons
        .iter()
        .filter_map(|neuron| {
            let (_, want) = wants
                .get(&neuron.hotkey)
                .filter(|(block, _)| *block >= neuron.registered)?;
            Some(AssignmentCandidate {
                hotkey: neuron.hotkey,
                coldkey: neuron.coldkey,
                registered: neuron.registered,
                want: *want,
                cap: caps
                    .get(&(neuron.hotkey, neuron.registered))
                    .copied()
                    .unwrap_or(cap_first),
            })
        })
        .filter(|candidate| candidate.want > 0)
        .collect();
    candidates.sort_by_key(|candidate| candidate.hotkey);
    let requeued = store::queue_records(readers, "waiting").await?;
    let header = AssignmentHeader {
        version: ASSIGNMENT_VERSION,
        genesis: app.identity().genesis,
        netuid: app.identity().netuid,
        round,
        params: app.params_digest(),
        block: head.number,
        beacon: head.hash,
        index_root: store::index_root(readers).await?,
        cursor: store::newest_round(readers)
            .await?
            .map_or(0, |row| row.next_cursor),
        next_cursor: 0,
        candidates,
        requeued: requeued
            .into_iter()
            .map(|record| RequeuedUnit {
                unit: record.unit,
                failed: record.failed.into_iter().collect(),
            })
            .collect(),
    };
    let fresh = store::units_from(readers, header.cursor, fresh_window(&header)).await?;
    let assignment = plan(&header, &fresh, &app.params().values);
    let document = String::from_utf8(assignment.to_bytes()?).unwrap_or_default();
    let offset = u32::try_from(app.params().values.commit_offset).unwrap_or(u32::MAX);
    Ok(AddRound {
        assignment,
        document,
        deadline: BlockNumber(app.rounds().start(round).0.saturating_add(offset)),
        now_ms: app.clock().now_ms(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::ParamValues;

    #[test]
    fn each_round_is_assigned_by_one_block() {
        let mut values = ParamValues::default();
        values.set("genesis_block", 1_000).unwrap();
        let clock = Clock::new(&values);
        for (block, round) in [
            (989, None),
            (990, Some(0)),
            (991, None),
            (1_000, None),
            (1_710, Some(1)),
            (1_720, None),
        ] {
            assert_eq!(
                round_assigned_by(&clock, BlockNumber(block)),
                round.map(Round),
                "{block}"
            );
        }
    }
}
