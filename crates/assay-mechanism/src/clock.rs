//! The protocol's time: rounds, their phases, deadlines, and which pulse of the beacon opens a round's commitments.
//!
//! Blocks and their timestamps come from the chain; the answers decide which submissions count (mechanism §4). No
//! clock is read: with the embedded chain's virtual clock the same functions hold.

use assay_types::{BlockNumber, ParamValues, Round};

/// Seconds a block takes (subtensor; the embedded chain's virtual clock alike).
pub const BLOCK_SECONDS: u64 = 12;

/// Unix time of drand quicknet's first pulse, seconds (chain hash 52db9ba7…, `genesis_time`).
pub const DRAND_GENESIS_SECONDS: u64 = 1_692_803_367;

/// Seconds between two pulses of drand quicknet.
pub const DRAND_PERIOD_SECONDS: u64 = 3;

/// What a block of a round is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Refine, upload privately, commit.
    Work,
    /// Commitments open, repositories become public.
    Publish,
    /// Validators recompute samples; the next round's work has begun.
    Audit,
    /// Digests of reports are on the chain; scores are computed.
    Settle,
    /// Scores and weights use the round.
    Effective,
}

/// The blocks of rounds under one parameter set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    genesis: u64,
    round: u64,
    lead: u64,
    commit: u64,
    publish: u64,
    cutoff: u64,
    effective: u64,
    grace: u64,
}

impl Clock {
    /// The clock of a parameter set; a round is at least one block.
    pub fn new(values: &ParamValues) -> Self {
        Self {
            genesis: values.genesis_block,
            round: values.round_blocks.max(1),
            lead: values.assign_lead,
            commit: values.commit_offset,
            publish: values.publish_end,
            cutoff: values.report_cutoff,
            effective: values.effective_offset,
            grace: values.reveal_grace,
        }
    }

    /// `t(b) = (b − genesis_block) / round_blocks`; none before the genesis block.
    pub fn round_of(&self, block: BlockNumber) -> Option<Round> {
        let since = u64::from(block.0).checked_sub(self.genesis)?;
        u32::try_from(since / self.round).ok().map(Round)
    }

    /// `start(t) = genesis_block + round_blocks·t`, held at the last block number.
    pub fn start(&self, round: Round) -> BlockNumber {
        self.at(round, 0)
    }

    /// The block whose hash is `A_t`: `assign_lead` before the start.
    pub fn assignment_block(&self, round: Round) -> BlockNumber {
        BlockNumber(self.start(round).0.saturating_sub(self.lead as u32))
    }

    /// The block at which the deadline passes: what is sealed on the chain then, counts.
    pub fn deadline_block(&self, round: Round) -> BlockNumber {
        self.at(round, self.commit)
    }

    /// The last block in which repositories become public.
    pub fn publish_end(&self, round: Round) -> BlockNumber {
        self.at(round, self.publish)
    }

    /// From this block on the round counts in scores and weights.
    pub fn effective_block(&self, round: Round) -> BlockNumber {
        self.at(round, self.effective)
    }

    /// The last block in which digests of reports on the round count.
    pub fn report_cutoff(&self, round: Round) -> BlockNumber {
        self.at(round, self.cutoff)
    }

    /// The latest round that is effective at `block`; none before the first is.
    pub fn latest_effective(&self, block: BlockNumber) -> Option<Round> {
        let since = u64::from(block.0).checked_sub(self.genesis + self.effective)?;
        u32::try_from(since / self.round).ok().map(Round)
    }

    /// What `block` is for in the life of `round`; none before its start.
    pub fn phase(&self, round: Round, block: BlockNumber) -> Option<Phase> {
        let offset = u64::from(block.0).checked_sub(u64::from(self.start(round).0))?;
        Some(match offset {
            _ if offset <= self.commit => Phase::Work,
            _ if offset <= self.publish => Phase::Publish,
            _ if offset <= self.cutoff => Phase::Audit,
            _ if offset < self.effective => Phase::Settle,
            _ => Phase::Effective,
        })
    }

    /// `D_t`, the deadline, Unix seconds, from the timestamp of the block that starts the round.
    pub fn deadline_seconds(&self, start_seconds: u64) -> u64 {
        start_seconds.saturating_add(self.commit * BLOCK_SECONDS)
    }

    /// When reports become readable, Unix seconds, from the timestamp of the block that starts the round: an eighth of the
    /// way from the cutoff to the effective block. As much later than the cutoff as a chain that is slow may be.
    pub fn opening_seconds(&self, start_seconds: u64) -> u64 {
        let margin = self.effective.saturating_sub(self.cutoff) / 8;
        start_seconds.saturating_add((self.cutoff + margin) * BLOCK_SECONDS)
    }

    /// `R_t`, the first pulse emitted after the deadline; none if the deadline lies before drand's genesis.
    pub fn pulse_after(deadline_seconds: u64) -> Option<u64> {
        let since = deadline_seconds.checked_sub(DRAND_GENESIS_SECONDS)?;
        Some(since / DRAND_PERIOD_SECONDS + 2)
    }

    /// Whether a commitment counts: its extrinsic's block not after the deadline, its reveal at most `reveal_grace`
    /// blocks after the first block that stores the pulse.
    pub fn counts(&self, commitment: &CommitmentTimes) -> bool {
        let grace_end = u64::from(commitment.pulse_block.0) + self.grace;
        commitment.committed_seconds <= commitment.deadline_seconds
            && u64::from(commitment.reveal_block.0) <= grace_end
    }

    fn at(&self, round: Round, offset: u64) -> BlockNumber {
        let block = self.genesis + self.round * u64::from(round.0) + offset;
        BlockNumber(u32::try_from(block).unwrap_or(u32::MAX))
    }
}

/// When a commitment was made and opened; all of it chain data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitmentTimes {
    /// Unix seconds of the block with the commit extrinsic.
    pub committed_seconds: u64,
    /// `D_t`, Unix seconds.
    pub deadline_seconds: u64,
    /// Block of the reveal.
    pub reveal_block: BlockNumber,
    /// First block that stores pulse `R_t`.
    pub pulse_block: BlockNumber,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> Clock {
        let mut values = ParamValues::default();
        values.set("genesis_block", 1_000).unwrap();
        Clock::new(&values)
    }

    #[test]
    fn the_pulse_of_the_worked_example() {
        let deadline = clock().deadline_seconds(1_800_000_000);
        assert_eq!(Clock::pulse_after(deadline), Some(35_734_373));
        assert_eq!(Clock::pulse_after(DRAND_GENESIS_SECONDS), Some(2));
        assert_eq!(Clock::pulse_after(0), None);
    }

    #[test]
    fn reports_open_between_cutoff_and_effective_block() {
        // 1,080 and 1,200 blocks: fifteen later.
        assert_eq!(clock().opening_seconds(1_000_000), 1_000_000 + 1_095 * 12);
    }

    #[test]
    fn blocks_and_rounds_agree_at_their_edges() {
        let clock = clock();
        assert_eq!(clock.round_of(BlockNumber(999)), None);
        assert_eq!(clock.round_of(BlockNumber(1_000)), Some(Round(0)));
        assert_eq!(clock.round_of(BlockNumber(1_719)), Some(Round(0)));
        assert_eq!(clock.round_of(BlockNumber(1_720)), Some(Round(1)));
        assert_eq!(clock.assignment_block(Round(1)), BlockNumber(1_710));
        assert_eq!(clock.latest_effective(BlockNumber(2_199)), None);
        assert_eq!(clock.latest_effective(BlockNumber(2_200)), Some(Round(0)));
        assert_eq!(clock.start(Round(u32::MAX)), BlockNumber(u32::MAX));
        let phase = |block: u32| clock.phase(Round(0), BlockNumber(1_000 + block));
        for (block, expected) in [
            (0, Phase::Work),
            (540, Phase::Work),
            (541, Phase::Publish),
            (601, Phase::Audit),
            (1_081, Phase::Settle),
            (1_200, Phase::Effective),
        ] {
            assert_eq!(phase(block), Some(expected), "{block}");
        }
        assert_eq!(clock.phase(Round(1), BlockNumber(1_719)), None);
    }

    #[test]
    fn late_commit() {
        let clock = clock();
        let times = CommitmentTimes {
            committed_seconds: 100,
            deadline_seconds: 100,
            reveal_block: BlockNumber(15),
            pulse_block: BlockNumber(10),
        };
        assert!(clock.counts(&times));
        let late = CommitmentTimes {
            committed_seconds: 101,
            ..times
        };
        assert!(!clock.counts(&late));
        let opened_late = CommitmentTimes {
            reveal_block: BlockNumber(16),
            ..times
        };
        assert!(!clock.counts(&opened_late));
    }
}
