//! When committed weights are revealed: a simulation of the subnet's epochs from one block's state, and the drand round.
//!
//! opentensor/subtensor 14bc6f9 (`pallets/subtensor/src/coinbase`): an epoch is due at a block when `PendingEpochAt` is
//! reached, more than [`STEP_BLOCKS_MAX`] blocks passed without a step, or `Tempo` blocks passed since `LastEpochBlock`.
//! The index seen in a block counts an epoch due in it. Older runtimes count `(block + netuid + 1) / (tempo + 1)`.

use assay_types::{BlockNumber, NetUid};
use thiserror::Error;

use crate::EpochState;
use crate::drand::{GENESIS_S, PERIOD_S};

/// Blocks between the reveal block and the round waited for, so that the chain has stored its pulse.
pub const SECURITY_BLOCKS: u64 = 3;
/// Blocks without a step after which an epoch is due whatever the tempo.
pub const STEP_BLOCKS_MAX: u64 = 50_400;
/// Most epochs a reveal may be away; a larger value read from a chain is refused.
pub const REVEAL_PERIOD_EPOCHS_MAX: u64 = 1_000;

/// Why no reveal can be predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RevealError {
    /// A subnet without epochs never reveals.
    #[error("tempo is 0: this subnet runs no epochs, so weights are never revealed")]
    NoEpochs,
    /// More than [`REVEAL_PERIOD_EPOCHS_MAX`].
    #[error("reveal period of `{0}` epochs is more than {REVEAL_PERIOD_EPOCHS_MAX}")]
    Period(u64),
    /// Past what block numbers count.
    #[error("the reveal would lie past the last block number")]
    Overflow,
}

/// What becomes of weights committed in the next block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reveal {
    /// Epoch the commit counts for.
    pub commit_epoch: u64,
    /// First block that may reveal it.
    pub block: BlockNumber,
    /// drand round to seal to.
    pub round: u64,
}

/// The clock the prediction uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockClock {
    /// Time at the block the state was read at, milliseconds since 1970.
    pub now_ms: u64,
    /// Time between blocks (`Aura.SlotDuration`), milliseconds.
    pub block_ms: u64,
}

/// Predicts the reveal of weights committed in the block after `state.block`.
///
/// # Errors
/// [`RevealError`] for tempo 0, an absurd period and numbers past the last block.
pub fn reveal_of(state: &EpochState, netuid: NetUid, clock: BlockClock) -> Result<Reveal, RevealError> {
    if state.tempo == 0 {
        return Err(RevealError::NoEpochs);
    }
    if state.reveal_period_epochs > REVEAL_PERIOD_EPOCHS_MAX {
        return Err(RevealError::Period(state.reveal_period_epochs));
    }
    let head = u64::from(state.block.0);
    let (commit_epoch, block) = match state.last_epoch {
        Some(last) => stateful(state, u64::from(last.0)),
        None => by_modulo(state, netuid),
    };
    let number = u32::try_from(block).map_err(|_| RevealError::Overflow)?;
    let wait_ms = (block + SECURITY_BLOCKS)
        .saturating_sub(head)
        .checked_mul(clock.block_ms)
        .and_then(|wait_ms| wait_ms.checked_add(clock.now_ms))
        .ok_or(RevealError::Overflow)?;
    Ok(Reveal {
        commit_epoch,
        block: BlockNumber(number),
        round: wait_ms.saturating_sub(GENESIS_S * 1000) / (PERIOD_S * 1000),
    })
}

/// Commit epoch and reveal block where epochs are counted as they run.
fn stateful(state: &EpochState, last: u64) -> (u64, u64) {
    let next = u64::from(state.block.0) + 1;
    let mut epochs = Epochs {
        last,
        pending: u64::from(state.pending_epoch_at.0),
        // The first block whose count of blocks without a step is above the bound.
        overdue: next + (STEP_BLOCKS_MAX + 1).saturating_sub(state.blocks_since_last_step),
        tempo: u64::from(state.tempo),
    };
    let mut commit_epoch = state.epoch_index;
    let mut block = epochs.due(next);
    if block == next {
        commit_epoch = commit_epoch.saturating_add(1);
        epochs.run(block);
        block = epochs.due(next + 1);
    }
    if state.reveal_period_epochs == 0 {
        return (commit_epoch, next);
    }
    for _ in 1..state.reveal_period_epochs {
        epochs.run(block);
        block = epochs.due(block + 1);
    }
    (commit_epoch, block)
}

/// Commit epoch and reveal block where the block number decides.
fn by_modulo(state: &EpochState, netuid: NetUid) -> (u64, u64) {
    let next = u64::from(state.block.0) + 1;
    let shift = u64::from(netuid.0) + 1;
    let blocks = u64::from(state.tempo) + 1;
    let commit_epoch = (next + shift) / blocks;
    let first = (commit_epoch + state.reveal_period_epochs) * blocks;
    (commit_epoch, first.saturating_sub(shift).max(next))
}

/// What decides when the next epoch runs.
struct Epochs {
    last: u64,
    pending: u64,
    overdue: u64,
    tempo: u64,
}

impl Epochs {
    /// The first block from `from` on in which an epoch is due.
    fn due(&self, from: u64) -> u64 {
        let mut block = (self.last + self.tempo).min(self.overdue);
        if self.pending > 0 {
            block = block.min(self.pending);
        }
        block.max(from)
    }

    /// An epoch runs at `block`.
    const fn run(&mut self, block: u64) {
        self.last = block;
        self.pending = 0;
        self.overdue = block + STEP_BLOCKS_MAX + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CLOCK: BlockClock = BlockClock {
        now_ms: 1_750_000_000_000,
        block_ms: 12_000,
    };

    fn state(last: u32, pending: u32, index: u64, tempo: u16, head: u32) -> EpochState {
        EpochState {
            block: BlockNumber(head),
            tempo,
            last_epoch: Some(BlockNumber(last)),
            pending_epoch_at: BlockNumber(pending),
            epoch_index: index,
            blocks_since_last_step: u64::from(head - last),
            reveal_period_epochs: 1,
        }
    }

    #[test]
    fn the_table_of_the_reference() {
        let check = |state: EpochState, expected: (u64, u32, u64)| {
            let found = reveal_of(&state, NetUid(3), CLOCK).unwrap();
            assert_eq!(
                (found.commit_epoch, found.block.0, found.round),
                expected,
                "{state:?}"
            );
        };
        check(state(10, 0, 0, 50, 10), (0, 60, 19_065_756));
        check(state(80, 95, 0, 20, 91), (0, 95, 19_065_572));
        check(state(100, 0, 0, 50, 120), (0, 150, 19_065_676));
        check(state(100, 0, 0, 50, 149), (1, 200, 19_065_760));
        let mut slow = state(1000, 0, 42, 360, 1100);
        slow.reveal_period_epochs = 3;
        check(slow, (42, 2080, 19_069_476));
    }

    #[test]
    fn older_runtimes_count_by_the_block_number() {
        let mut old = state(0, 0, 0, 360, 1000);
        old.last_epoch = None;
        // (1001 + 4) / 361 = 2; the third epoch begins at 3·361 − 4.
        let found = reveal_of(&old, NetUid(3), CLOCK).unwrap();
        assert_eq!((found.commit_epoch, found.block.0), (2, 1079));
        old.block = BlockNumber(1078);
        let found = reveal_of(&old, NetUid(3), CLOCK).unwrap();
        assert_eq!((found.commit_epoch, found.block.0), (3, 1440));
    }

    #[test]
    fn a_subnet_without_epochs_and_absurd_values_are_errors() {
        let still = state(0, 0, 0, 0, 10);
        assert_eq!(reveal_of(&still, NetUid(1), CLOCK), Err(RevealError::NoEpochs));
        let mut absurd = state(0, 0, 0, 360, 10);
        absurd.reveal_period_epochs = u64::MAX;
        assert_eq!(
            reveal_of(&absurd, NetUid(1), CLOCK),
            Err(RevealError::Period(u64::MAX))
        );
        let late = state(u32::MAX, 0, 0, 360, u32::MAX);
        assert_eq!(reveal_of(&late, NetUid(1), CLOCK), Err(RevealError::Overflow));
    }

    #[test]
    fn a_subnet_that_stood_still_steps_at_the_bound() {
        let mut stuck = state(100, 0, 0, u16::MAX, 110);
        stuck.blocks_since_last_step = STEP_BLOCKS_MAX;
        // Not above the bound in block 111, above it in block 112.
        assert_eq!(
            reveal_of(&stuck, NetUid(1), CLOCK).unwrap().block,
            BlockNumber(112)
        );
    }

    /// Block by block, as the chain does it.
    fn walked(state: &EpochState) -> (u64, u32) {
        let tempo = u32::from(state.tempo);
        let (mut last, mut pending) = (state.last_epoch.unwrap().0, state.pending_epoch_at.0);
        let (mut steps, mut index) = (state.blocks_since_last_step, state.epoch_index);
        let mut commit_epoch = None;
        for block in state.block.0 + 1.. {
            if (pending > 0 && block >= pending) || steps > STEP_BLOCKS_MAX || block - last >= tempo {
                (last, pending, steps, index) = (block, 0, 0, index + 1);
            } else {
                steps += 1;
            }
            let committed = *commit_epoch.get_or_insert(index);
            if index >= committed + state.reveal_period_epochs {
                return (committed, block);
            }
        }
        unreachable!()
    }

    proptest! {
        #[test]
        fn the_prediction_is_what_walking_finds(
            last in 0_u32..200,
            since in 0_u32..500,
            pending in 0_u32..900,
            tempo in 1_u16..400,
            period in 0_u64..6,
            steps in prop_oneof![0_u64..500, (STEP_BLOCKS_MAX - 100)..(STEP_BLOCKS_MAX + 100)],
        ) {
            let mut state = state(last, pending, 7, tempo, last + since);
            state.reveal_period_epochs = period;
            state.blocks_since_last_step = steps;
            let found = reveal_of(&state, NetUid(1), CLOCK).unwrap();
            prop_assert_eq!((found.commit_epoch, found.block.0), walked(&state));
        }
    }
}
