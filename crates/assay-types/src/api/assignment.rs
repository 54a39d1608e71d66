//! The assignment document: what a round's assignment was computed from, and what it is.
//!
//! Canonical JSON lines, each ended by LF: a header with every input that the list follows from (beacon, candidates with
//! caps and wants, units given again, cursor into the corpus index), then one line a unit in the order given. The server
//! serves and signs these bytes, `assay chain assignments` writes the same ones (docs/api.md).

use crate::canonical_json::{CanonicalJsonError, JSON_BYTES_MAX, emit, parse_as};
use crate::hash::Digest;
use crate::ids::{BlockNumber, Coldkey, Hotkey, NetUid, Round, UnitId};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

/// The `version` of this form.
pub const ASSIGNMENT_VERSION: u32 = 1;

/// Most bytes of a document: 65,536 units on lines of 240 bytes.
const DOCUMENT_BYTES_MAX: usize = 16 << 20;

/// Why bytes are no assignment document.
#[derive(Debug, Error)]
pub enum AssignmentError {
    /// No line at all, or none ended.
    #[error("assignment has no header line")]
    Empty,
    /// More bytes than any has.
    #[error("assignment of `{0}` bytes is longer than {DOCUMENT_BYTES_MAX}")]
    TooLong(usize),
    /// A line that is not canonical JSON of the right keys.
    #[error("line {line} of the assignment cannot be read")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// Why.
        #[source]
        source: CanonicalJsonError,
    },
    /// Another version.
    #[error("assignment has version `{0}`, not `1`")]
    Version(u32),
}

/// A hotkey that could be given units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentCandidate {
    /// The hotkey.
    pub hotkey: Hotkey,
    /// Its owner.
    pub coldkey: Coldkey,
    /// Block of its registration.
    pub registered: BlockNumber,
    /// Units it wants, by its last message on the chain.
    pub want: u16,
    /// Units it may hold.
    pub cap: u32,
}

/// A unit that comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequeuedUnit {
    /// The unit.
    pub unit: UnitId,
    /// Who failed it and does not get it again, ascending.
    pub failed: Vec<Hotkey>,
}

/// What an assignment follows from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentHeader {
    /// [`ASSIGNMENT_VERSION`].
    pub version: u32,
    /// Genesis hash of the chain.
    pub genesis: Digest,
    /// The subnet.
    pub netuid: NetUid,
    /// The round.
    pub round: Round,
    /// Digest of the parameter set.
    pub params: Digest,
    /// Block of beacon, metagraph and wants.
    pub block: BlockNumber,
    /// `A_t`, its hash.
    pub beacon: Digest,
    /// Root of the corpus index.
    pub index_root: Digest,
    /// Place in the index of the first unit that was never given.
    pub cursor: u64,
    /// The same after this round.
    pub next_cursor: u64,
    /// Candidates that want units, by ascending hotkey.
    pub candidates: Vec<AssignmentCandidate>,
    /// Units that come back, by ascending id.
    pub requeued: Vec<RequeuedUnit>,
}

/// A unit and who works on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentEntry {
    /// The unit.
    pub unit: UnitId,
    /// Who holds it.
    pub holder: Hotkey,
    /// Who holds it too.
    pub replica: Option<Hotkey>,
    /// Whether it was drawn for a second holder, found or not.
    pub replicated: bool,
}

impl AssignmentEntry {
    /// Whether `hotkey` holds the unit.
    pub fn is_held_by(&self, hotkey: &Hotkey) -> bool {
        self.holder == *hotkey || self.replica.as_ref() == Some(hotkey)
    }
}

/// An assignment with its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// What it follows from.
    pub header: AssignmentHeader,
    /// Units in the order given.
    pub entries: Vec<AssignmentEntry>,
}

impl Assignment {
    /// The lines.
    ///
    /// # Errors
    /// [`CanonicalJsonError`] if a number is 2^53 or more.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalJsonError> {
        let mut bytes = emit(&self.header)?;
        bytes.push(b'\n');
        for entry in &self.entries {
            bytes.extend_from_slice(&emit(entry)?);
            bytes.push(b'\n');
        }
        Ok(bytes)
    }

    /// The assignment of such lines.
    ///
    /// # Errors
    /// [`AssignmentError`] naming the first line that cannot be read.
    pub fn parse(bytes: &[u8]) -> Result<Self, AssignmentError> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(AssignmentError::TooLong(bytes.len()));
        }
        let body = bytes.strip_suffix(b"\n").ok_or(AssignmentError::Empty)?;
        let mut lines = body.split(|byte| *byte == b'\n');
        let unreadable = |line, source| AssignmentError::Line { line, source };
        let header: AssignmentHeader = parse_as(lines.next().unwrap_or_default(), JSON_BYTES_MAX)
            .map_err(|source| unreadable(1, source))?;
        if header.version != ASSIGNMENT_VERSION {
            return Err(AssignmentError::Version(header.version));
        }
        let mut entries = Vec::new();
        for (at, line) in lines.enumerate() {
            entries.push(parse_as(line, JSON_BYTES_MAX).map_err(|source| unreadable(at + 2, source))?);
        }
        Ok(Self { header, entries })
    }

    /// What a hotkey holds, in the order given.
    pub fn of(&self, hotkey: &Hotkey) -> impl Iterator<Item = &AssignmentEntry> {
        self.entries.iter().filter(move |entry| entry.is_held_by(hotkey))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Assignment {
        let header = AssignmentHeader {
            version: ASSIGNMENT_VERSION,
            genesis: Digest([1; 32]),
            netuid: NetUid(7),
            round: Round(12),
            params: Digest([2; 32]),
            block: BlockNumber(8_630),
            beacon: Digest([3; 32]),
            index_root: Digest([4; 32]),
            cursor: 5,
            next_cursor: 6,
            candidates: vec![AssignmentCandidate {
                hotkey: Hotkey([5; 32]),
                coldkey: Coldkey([6; 32]),
                registered: BlockNumber(3),
                want: 8,
                cap: 4,
            }],
            requeued: vec![RequeuedUnit {
                unit: UnitId::of("cc", "x"),
                failed: vec![Hotkey([7; 32])],
            }],
        };
        let entry = AssignmentEntry {
            unit: UnitId::of("cc", "y"),
            holder: Hotkey([5; 32]),
            replica: None,
            replicated: true,
        };
        Assignment {
            header,
            entries: vec![entry],
        }
    }

    #[test]
    fn a_document_is_read_as_written_and_in_no_other_spelling() {
        let document = example();
        let bytes = document.to_bytes().unwrap();
        assert_eq!(bytes.split(|byte| *byte == b'\n').count() - 1, 2);
        assert_eq!(Assignment::parse(&bytes).unwrap(), document);
        for broken in [
            &bytes[..bytes.len() - 1],
            &bytes[..bytes.len() - 2],
            b"\n",
            b"",
            b"{}\n",
        ] {
            assert!(Assignment::parse(broken).is_err());
        }
        let spaced = String::from_utf8(bytes).unwrap().replace(":7,", ": 7,");
        assert!(matches!(
            Assignment::parse(spaced.as_bytes()),
            Err(AssignmentError::Line { line: 1, .. })
        ));
    }
}
