//! The round that a block assigns: inputs from the chain and the database, the list from the mechanism.

use super::FollowError;
use crate::app::App;
use crate::store::{self, AddRound};
use assay_chain::{Commitment, Head, Metagraph, RevealedCommitment, members, offers, requeued};
use assay_mechanism::clock::Clock;
use assay_mechanism::plan::{assigned, fresh_window, plan};
use assay_types::api::{ASSIGNMENT_VERSION, AssignmentHeader};
use assay_types::{BlockNumber, Round};

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
    let members = members(metagraph, standing, opened);
    let before = store::network_state(readers).await?;
    let mut state = before.clone();
    if let Some(units) = requeued(metagraph, standing, round) {
        state.revive(&units);
    }
    let index_root = store::index_root(readers).await?;
    let pinned = app.params().corpus_index_root;
    if !pinned.is_zero() && index_root != pinned {
        return Err(FollowError::OtherIndex {
            pinned,
            found: index_root,
        });
    }
    if state.contest.is_none() {
        state.contest = app.contest().cloned();
    }
    if let Some(contest) = &mut state.contest {
        let offers = offers(metagraph, standing, opened);
        contest.offered(round, &offers, &app.params().values);
    }
    // A server that began later than the subnet: rounds before are not its own.
    state.assigned = state.assigned.max(round.0);
    state.settled = state
        .settled
        .max(state.out.keys().next().copied().unwrap_or(round.0));
    let header = AssignmentHeader {
        version: ASSIGNMENT_VERSION,
        genesis: app.identity().genesis,
        netuid: app.identity().netuid,
        round,
        params: app.params_digest(),
        block: head.number,
        beacon: head.hash,
        index_root,
        cursor: u64::from(state.cursor),
        next_cursor: 0,
        candidates: state.candidates(&members, &app.params().values),
        requeued: state.requeued(),
    };
    let fresh = store::units_from(readers, header.cursor, fresh_window(&header.candidates)).await?;
    let assignment = plan(&header, &fresh, &app.params().values);
    let next_cursor = u32::try_from(assignment.header.next_cursor).unwrap_or(u32::MAX);
    state.remember(assignment.entries.iter().map(assigned).collect(), next_cursor);
    let document = String::from_utf8(assignment.to_bytes()?).unwrap_or_default();
    let offset = u32::try_from(app.params().values.commit_offset).unwrap_or(u32::MAX);
    Ok(AddRound {
        assignment,
        document,
        before,
        state,
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
