//! Why a record was kept or dropped, as one byte of its ledger row.
//!
//! The engine decides; the ledger stores the byte, reports and `--explain` print the name (mechanism §3).

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Most steps a recipe may have, so that every step's reason fits its byte.
pub const STEPS_MAX: usize = 64;

/// First byte value of the recipe's steps: step `k` (from 0) is `16 + k`.
const STEP_BASE: u8 = 16;

/// A byte that no reason or decision has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReasonError {
    /// Neither a fixed reason (0–7) nor a step (16–79).
    #[error("`{0}` is not a reason")]
    Reason(u8),
    /// Neither 0 (drop) nor 1 (keep).
    #[error("`{0}` is not a decision")]
    Decision(u8),
}

/// Whether a record's text is in the dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Not in the dataset; byte 0.
    Drop,
    /// In the dataset; byte 1.
    Keep,
}

impl Decision {
    /// The byte of the ledger row.
    pub const fn to_u8(self) -> u8 {
        match self {
            Self::Drop => 0,
            Self::Keep => 1,
        }
    }

    /// The decision of a ledger byte.
    ///
    /// # Errors
    /// [`ReasonError::Decision`] for a byte above 1.
    pub const fn from_u8(byte: u8) -> Result<Self, ReasonError> {
        match byte {
            0 => Ok(Self::Drop),
            1 => Ok(Self::Keep),
            _ => Err(ReasonError::Decision(byte)),
        }
    }
}

/// The cause of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// 0: the record passed everything.
    Kept,
    /// 1: a request, metadata, warcinfo or revisit record.
    NotContent,
    /// 2: content of another kind than text or HTML, or without a readable character set.
    NotText,
    /// 3: a broken record or a stretch of bytes that is no record.
    Malformed,
    /// 4: a budget of the recipe was used up.
    OverBudget,
    /// 5: no text was found in it.
    Empty,
    /// 6: an earlier record of the unit shares a band key.
    Duplicate,
    /// 7: on the protocol's removal list.
    Removal,
    /// 16 + k: dropped by the recipe's step `k`, counted from 0.
    Step(u8),
}

impl Reason {
    /// The reasons that are no steps, in byte order.
    pub const FIXED: [Self; 8] = [
        Self::Kept,
        Self::NotContent,
        Self::NotText,
        Self::Malformed,
        Self::OverBudget,
        Self::Empty,
        Self::Duplicate,
        Self::Removal,
    ];

    /// The byte of the ledger row; a step beyond 63 (no recipe has one) is held at 79.
    pub const fn to_u8(self) -> u8 {
        match self {
            Self::Kept => 0,
            Self::NotContent => 1,
            Self::NotText => 2,
            Self::Malformed => 3,
            Self::OverBudget => 4,
            Self::Empty => 5,
            Self::Duplicate => 6,
            Self::Removal => 7,
            Self::Step(k) if (k as usize) < STEPS_MAX => STEP_BASE + k,
            Self::Step(_) => STEP_BASE + STEPS_MAX as u8 - 1,
        }
    }

    /// The reason of a ledger byte.
    ///
    /// # Errors
    /// [`ReasonError::Reason`] for 8–15 and for bytes from 80.
    pub const fn from_u8(byte: u8) -> Result<Self, ReasonError> {
        Ok(match byte {
            0 => Self::Kept,
            1 => Self::NotContent,
            2 => Self::NotText,
            3 => Self::Malformed,
            4 => Self::OverBudget,
            5 => Self::Empty,
            6 => Self::Duplicate,
            7 => Self::Removal,
            STEP_BASE..80 => Self::Step(byte - STEP_BASE),
            _ => return Err(ReasonError::Reason(byte)),
        })
    }

    /// The decision that goes with the reason.
    pub const fn decision(self) -> Decision {
        match self {
            Self::Kept => Decision::Keep,
            _ => Decision::Drop,
        }
    }

    /// The stable name of a reason; steps are named by the recipe (`Recipe::reason_name`), here only `step`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::NotContent => "not_content",
            Self::NotText => "not_text",
            Self::Malformed => "malformed",
            Self::OverBudget => "over_budget",
            Self::Empty => "empty",
            Self::Duplicate => "duplicate",
            Self::Removal => "removal",
            Self::Step(_) => "step",
        }
    }
}

/// The reason of the recipe's step `k`, counted from 0.
pub const fn step_reason(k: u8) -> Reason {
    Reason::Step(k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_reason_and_back_or_refused() {
        for byte in 0..=u8::MAX {
            match Reason::from_u8(byte) {
                Ok(reason) => assert_eq!(reason.to_u8(), byte),
                Err(error) => {
                    assert_eq!(error, ReasonError::Reason(byte));
                    assert!((8..16).contains(&byte) || byte >= 80);
                }
            }
        }
        assert_eq!(Reason::Step(200).to_u8(), 79);
        assert_eq!(step_reason(1).to_u8(), 17);
        for (byte, reason) in (0..).zip(Reason::FIXED) {
            assert_eq!(reason.to_u8(), byte);
        }
    }

    #[test]
    fn only_kept_keeps() {
        assert_eq!(Reason::Kept.decision(), Decision::Keep);
        assert_eq!(Reason::Step(0).decision(), Decision::Drop);
        assert_eq!(Decision::from_u8(1), Ok(Decision::Keep));
        assert_eq!(Decision::from_u8(2), Err(ReasonError::Decision(2)));
    }
}
