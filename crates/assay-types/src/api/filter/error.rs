//! What is wrong with a query, and where.

use crate::api::ProblemKind;
use thiserror::Error;

/// What is wrong with a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterErrorKind {
    /// A field nobody knows.
    UnknownField,
    /// A number is needed, or a number has no order here.
    BadNumber,
    /// More bytes or terms than allowed.
    TooLong,
    /// Not of the grammar.
    Malformed,
}

impl FilterErrorKind {
    /// The problem document's kind.
    pub const fn problem(self) -> ProblemKind {
        match self {
            Self::UnknownField => ProblemKind::FilterUnknownField,
            Self::BadNumber => ProblemKind::FilterBadNumber,
            Self::TooLong => ProblemKind::FilterTooLong,
            Self::Malformed => ProblemKind::FilterMalformed,
        }
    }
}

/// A query that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message} at column {column}")]
pub struct FilterError {
    /// What is wrong.
    pub kind: FilterErrorKind,
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong, with what was found.
    pub message: String,
    /// The field that was probably meant.
    pub nearest: Option<&'static str>,
}

/// Levenshtein distance, in characters.
pub(super) fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, character) in left.chars().enumerate() {
        let mut next = vec![at + 1];
        for (place, other) in right.iter().enumerate() {
            let replaced = row.get(place).copied().unwrap_or(0) + usize::from(character != *other);
            let inserted = next.last().copied().unwrap_or(0) + 1;
            let deleted = row.get(place + 1).copied().unwrap_or(0) + 1;
            next.push(replaced.min(inserted).min(deleted));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
