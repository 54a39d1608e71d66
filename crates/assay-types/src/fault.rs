//! What can be wrong with a dataset, each class of tampering under one stable name.
//!
//! `verify` finds faults by comparing files with a re-execution; reports print them, fraud proofs carry them.

use crate::ids::UnitId;
use crate::ledger::LedgerError;
use serde::{Deserialize, Serialize};

/// A class of faults.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A text is not what the record and the recipe give.
    TextChanged,
    /// A record of the archive has no row in the ledger, or a kept one no document.
    RowHidden,
    /// A row or document that no record stands behind.
    RowAdded,
    /// A row does not start where the one before it ends.
    OffsetMoved,
    /// Another reason than re-execution gives.
    ReasonChanged,
    /// Kept instead of dropped, or the reverse.
    DecisionChanged,
    /// A declared number is not the counted one.
    CountLied,
    /// Made by another recipe than the one named.
    OtherRecipe,
    /// A duplicate without the witness, another witness, or a kept text that has one.
    DupWrong,
    /// A column of a document differs.
    ColumnWrong,
    /// Band keys differ.
    BandsWrong,
    /// A Merkle or unit root is not the one of its parts.
    RootMismatch,
    /// A file has another length or SHA-256 than the manifest says.
    FileMismatch,
    /// The digest of a record's bytes is not the one of the archive.
    DigestWrong,
    /// A file is missing, or cannot be read as what it must be.
    Unreadable,
    /// The archive is not the one the manifest names, or not there.
    SourceMismatch,
    /// An earlier submission is no longer as it was published.
    NotRetained,
}

impl FaultKind {
    /// All kinds, in the order of their severity for a reader of the list: content first, envelope last.
    pub const ALL: [Self; 17] = [
        Self::TextChanged,
        Self::RowHidden,
        Self::RowAdded,
        Self::OffsetMoved,
        Self::ReasonChanged,
        Self::DecisionChanged,
        Self::CountLied,
        Self::OtherRecipe,
        Self::DupWrong,
        Self::ColumnWrong,
        Self::BandsWrong,
        Self::RootMismatch,
        Self::FileMismatch,
        Self::DigestWrong,
        Self::Unreadable,
        Self::SourceMismatch,
        Self::NotRetained,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TextChanged => "text_changed",
            Self::RowHidden => "row_hidden",
            Self::RowAdded => "row_added",
            Self::OffsetMoved => "offset_moved",
            Self::ReasonChanged => "reason_changed",
            Self::DecisionChanged => "decision_changed",
            Self::CountLied => "count_lied",
            Self::OtherRecipe => "other_recipe",
            Self::DupWrong => "dup_wrong",
            Self::ColumnWrong => "column_wrong",
            Self::BandsWrong => "bands_wrong",
            Self::RootMismatch => "root_mismatch",
            Self::FileMismatch => "file_mismatch",
            Self::DigestWrong => "digest_wrong",
            Self::Unreadable => "unreadable",
            Self::SourceMismatch => "source_mismatch",
            Self::NotRetained => "not_retained",
        }
    }

    /// One sentence for people.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::TextChanged => "The text differs from what this recipe makes of this record.",
            Self::RowHidden => "A record of the archive is missing from the ledger or the documents.",
            Self::RowAdded => "A row or document stands for no record of the archive.",
            Self::OffsetMoved => {
                "Rows leave a gap or overlap, or a row points to other bytes than its record's."
            }
            Self::ReasonChanged => "The reason differs from the one the recipe gives this record.",
            Self::DecisionChanged => {
                "The record was kept where the recipe drops it, or dropped where it keeps it."
            }
            Self::CountLied => "A declared count differs from what the rows add up to.",
            Self::OtherRecipe => "The rows were made by another recipe than the one the manifest names.",
            Self::DupWrong => "A duplicate's witness is missing or wrong, or a duplicate was kept.",
            Self::ColumnWrong => "A column of a document differs from what the record gives.",
            Self::BandsWrong => "The band keys of a record differ from those of its text.",
            Self::RootMismatch => "A root differs from the one its parts give.",
            Self::FileMismatch => "A file differs in length or SHA-256 from the manifest.",
            Self::DigestWrong => "The record's digest differs from that of the archive's bytes.",
            Self::Unreadable => "A file is missing or is not of the format its name says.",
            Self::SourceMismatch => "The archive given is not the one the unit was made from.",
            Self::NotRetained => "An earlier submission is gone or changed before its time is over.",
        }
    }
}

impl std::fmt::Display for FaultKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl From<&LedgerError> for FaultKind {
    /// The class of a break inside a ledger.
    fn from(error: &LedgerError) -> Self {
        match error {
            LedgerError::Length { .. } | LedgerError::TooManyRows(_) => Self::Unreadable,
            LedgerError::Reason(_) => Self::ReasonChanged,
            LedgerError::Contradiction { .. } => Self::DecisionChanged,
            LedgerError::Index { expected, found } if found > expected => Self::RowHidden,
            LedgerError::Index { .. } => Self::RowAdded,
            LedgerError::Gap { .. } => Self::OffsetMoved,
            LedgerError::DuplicateOfLater { .. } | LedgerError::Witness { .. } => Self::DupWrong,
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Its class.
    pub kind: FaultKind,
    /// The unit.
    pub unit: UnitId,
    /// The ledger row, if one is to blame.
    pub idx: Option<u32>,
    /// The first byte of the record in the archive, if known.
    pub offset: Option<u64>,
    /// What the archive and the recipe give, named.
    pub expected: String,
    /// What the dataset holds.
    pub found: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: unit {}", self.kind, self.unit)?;
        if let Some(idx) = self.idx {
            write!(f, ", row {idx}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, ", byte {offset}")?;
        }
        write!(f, ": expected {}, found {}", self.expected, self.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_json_and_differ() {
        let mut names: Vec<&str> = FaultKind::ALL.iter().map(|kind| kind.name()).collect();
        for kind in FaultKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert!(kind.explanation().ends_with('.'));
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FaultKind::ALL.len());
    }

    #[test]
    fn a_fault_reads_alone() {
        let fault = Fault {
            kind: FaultKind::TextChanged,
            unit: UnitId::default(),
            idx: Some(7),
            offset: Some(4096),
            expected: "text_hash aa".into(),
            found: "text_hash bb".into(),
        };
        let zeros = "0".repeat(32);
        assert_eq!(
            fault.to_string(),
            format!(
                "text_changed: unit {zeros}, row 7, byte 4096: expected text_hash aa, found text_hash bb"
            )
        );
    }
}
