//! Which validators' reports on a round count: those that can be read in time and are one log from one state.
//!
//! What reading gave comes in, wait or go on comes out: agents and the Task API ask here, so that they settle alike.
//! No clock is read: who reads counts its tries, and the chain's newest block says how long it has waited.
//! Docs: docs/mechanism.md, "Reports that cannot be read".

use crate::clock::Clock;
use assay_types::{AuditReport, BlockNumber, Digest, EvaluationReport, Hotkey, ReportError, Round};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Blocks behind a round's effective block for which reports that cannot be read for the moment are waited for: one whose
/// store is out of reach must not hold up everybody's weights. Everybody stops waiting at the same block.
pub const WAIT_BLOCKS: u32 = 40;

/// How often such reports are asked for at least: who reads long after the round must not give up at the first failure.
pub const TRIES_MIN: u32 = 40;

/// Most reports of a batch: a subnet's hotkeys at two rounds.
pub const REPORTS_MAX: usize = 8_192;

/// Why a validator's reports were not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// Asking again may help: the store is busy, the network is away.
    ForNow,
    /// They are not what the chain says, or not there.
    ForGood,
}

/// What to do after reports were not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing is settled; ask for them again later.
    AskAgain,
    /// They do not count.
    GoOn,
}

/// How often each validator's reports on a round could not be read.
#[derive(Debug, Default)]
pub struct Patience {
    round: Round,
    tries: BTreeMap<Hotkey, u32>,
}

impl Patience {
    /// Whether to ask again: counts the failure.
    fn allows(&mut self, round: Round, validator: Hotkey, has_waited: bool) -> bool {
        if self.round != round {
            *self = Self {
                round,
                tries: BTreeMap::new(),
            };
        }
        let tries = self.tries.entry(validator).or_default();
        *tries = tries.saturating_add(1);
        !has_waited || *tries < TRIES_MIN
    }
}

/// One pass over the validators who reported on a round.
#[derive(Debug)]
pub struct RollCall {
    round: Round,
    has_waited: bool,
    all: u128,
    unread: u128,
}

impl RollCall {
    /// Begins, at the chain's newest block.
    #[must_use]
    pub fn new(clock: &Clock, round: Round, newest: BlockNumber) -> Self {
        let end = clock.effective_block(round).0.saturating_add(WAIT_BLOCKS);
        Self {
            round,
            has_waited: newest.0 >= end,
            all: 0,
            unread: 0,
        }
    }

    /// A validator of this stake was read.
    pub fn read(&mut self, stake: u64) {
        self.all += u128::from(stake);
    }

    /// A validator of this stake was not read.
    pub fn unread(
        &mut self,
        (validator, stake): (Hotkey, u64),
        why: Unread,
        patience: &mut Patience,
    ) -> Next {
        self.all += u128::from(stake);
        if why == Unread::ForGood {
            return Next::GoOn;
        }
        if patience.allows(self.round, validator, self.has_waited) {
            return Next::AskAgain;
        }
        self.unread += u128::from(stake);
        Next::GoOn
    }

    /// Whether to settle by what was read, at the end of the pass.
    ///
    /// Not where most stake could not be read for the moment: the fault is likelier on this side then, and a state of one's
    /// own would agree with nobody's.
    #[must_use]
    pub const fn suffices(&self) -> bool {
        self.unread * 2 <= self.all
    }
}

/// A line of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A finding on a miner's round.
    Audit(AuditReport),
    /// A cell of a duel.
    Cell(EvaluationReport),
}

impl Line {
    /// The line's report: an audit has the field `miner`, a cell has none.
    ///
    /// # Errors
    /// [`ReportError`] naming the field and the rule it breaks.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReportError> {
        match AuditReport::parse(bytes) {
            Ok(report) => Ok(Self::Audit(report)),
            // What is neither is told as the audit it most likely is.
            Err(error) => EvaluationReport::parse(bytes).map(Self::Cell).map_err(|_| error),
        }
    }
}

/// Why reports are no log.
#[derive(Debug, Error)]
pub enum LogError {
    /// Too many.
    #[error("it has more than {REPORTS_MAX} lines")]
    TooMany,
    /// A miner has more than one.
    #[error("it has two reports on `{0}`")]
    Twice(Hotkey),
    /// One that does not name the one before it, or another state than the first.
    #[error("its report on `{0}` does not follow the one before it from one state")]
    Broken(Hotkey),
    /// One that no document can hold.
    #[error("a report cannot be written")]
    Document(#[from] assay_types::ReportError),
}

/// Checks that reports are one a miner, each naming the one before it, all from one state.
///
/// # Errors
/// [`LogError`] for the first that is not: then none of them counts.
pub fn check_log<'a>(reports: impl IntoIterator<Item = &'a AuditReport>) -> Result<(), LogError> {
    let mut miners = BTreeSet::new();
    let (mut previous, mut checkpoint) = (Digest::ZERO, None);
    for report in reports {
        if miners.len() == REPORTS_MAX {
            return Err(LogError::TooMany);
        }
        if !miners.insert(report.miner) {
            return Err(LogError::Twice(report.miner));
        }
        if report.previous != previous || *checkpoint.get_or_insert(report.checkpoint) != report.checkpoint {
            return Err(LogError::Broken(report.miner));
        }
        previous = report.digest()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::{AUDIT_REPORT_VERSION, NetUid, ParamValues, Verdict};

    const NAME: Hotkey = Hotkey([1; 32]);

    /// The block at which nobody waits for reports on a round any more, and the one before it.
    fn end(round: u32) -> [BlockNumber; 2] {
        let end = clock().effective_block(Round(round)).0 + WAIT_BLOCKS;
        [BlockNumber(end), BlockNumber(end - 1)]
    }

    fn clock() -> Clock {
        Clock::new(&ParamValues::default())
    }

    fn ask(patience: &mut Patience, round: u32, newest: BlockNumber) -> Next {
        let mut call = RollCall::new(&clock(), Round(round), newest);
        call.unread((NAME, 1), Unread::ForNow, patience)
    }

    #[test]
    fn reports_out_of_reach_are_asked_for_forty_times_and_until_a_block_that_all_know() {
        let mut patience = Patience::default();
        let [over, before] = end(3);
        for _ in 0..100 {
            assert_eq!(ask(&mut patience, 3, before), Next::AskAgain);
        }
        assert_eq!(ask(&mut patience, 3, over), Next::GoOn);
        for _ in 1..TRIES_MIN {
            assert_eq!(ask(&mut patience, 4, end(9)[0]), Next::AskAgain, "another round");
        }
        assert_eq!(ask(&mut patience, 4, end(9)[0]), Next::GoOn);
    }

    #[test]
    fn reports_that_are_wrong_are_not_asked_for_again() {
        let mut call = RollCall::new(&clock(), Round(0), end(0)[1]);
        let next = call.unread((NAME, 9), Unread::ForGood, &mut Patience::default());
        assert_eq!(next, Next::GoOn);
        assert!(call.suffices(), "whoever publishes nonsense holds nobody up");
    }

    #[test]
    fn nothing_is_settled_where_most_stake_is_out_of_reach() {
        let [over, _] = end(0);
        for (stakes, suffices) in [([5, 5, 0], true), ([6, 5, 0], false), ([5, 3, 2], true)] {
            let mut call = RollCall::new(&clock(), Round(0), over);
            let mut patience = Patience::default();
            for _ in 1..TRIES_MIN {
                ask(&mut patience, 0, over);
            }
            let next = call.unread((NAME, stakes[0]), Unread::ForNow, &mut patience);
            assert_eq!(next, Next::GoOn);
            call.read(stakes[1]);
            call.read(stakes[2]);
            assert_eq!(call.suffices(), suffices, "{stakes:?}");
        }
    }

    #[test]
    fn a_log_is_one_report_a_miner_in_a_chain_from_one_state() {
        let report = |miner: u8, previous: Digest, checkpoint: u8| AuditReport {
            version: AUDIT_REPORT_VERSION,
            netuid: NetUid(1),
            round: Round(0),
            validator: NAME,
            miner: Hotkey([miner; 32]),
            submission_root: Digest::ZERO,
            params: Digest::ZERO,
            previous,
            checkpoint: Digest([checkpoint; 32]),
            delivered: Vec::new(),
            probes: Vec::new(),
            faults: Vec::new(),
            unreachable: false,
            verdict: Verdict::NoShow,
            signature: String::new(),
        };
        let first = report(1, Digest::ZERO, 7);
        let after = first.digest().unwrap();
        assert!(check_log(&[]).is_ok());
        assert!(check_log(&[first.clone(), report(2, after, 7)]).is_ok());
        let twice = [first.clone(), report(1, after, 7)];
        assert!(matches!(check_log(&twice), Err(LogError::Twice(miner)) if miner == first.miner));
        for broken in [report(2, Digest::ZERO, 7), report(2, after, 8)] {
            let log = [first.clone(), broken];
            assert!(matches!(check_log(&log), Err(LogError::Broken(miner)) if miner == Hotkey([2; 32])));
        }
        assert!(matches!(
            check_log(&[report(1, after, 7)]),
            Err(LogError::Broken(_))
        ));
    }
}
