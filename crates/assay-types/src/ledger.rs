//! The ledger row: one record of an archive, what was decided about it, in exactly 58 bytes.
//!
//! The engine makes rows in file order; they go to `ledger.parquet`, and their leaves into the unit's tree.
//! The layout is fixed by the format (mechanism §6.3): a change needs a new leaf prefix.

use crate::bytes::take;
use crate::hash::{Digest, Digest16};
use crate::ids::{RecordDigest, UnitId};
use crate::reason::{Decision, Reason, ReasonError};
use thiserror::Error;

/// Bytes of an encoded row.
pub const LEDGER_ROW_BYTES: usize = 58;

/// Version of the layout; the leaf prefix below stands for it inside the tree.
pub const LEDGER_VERSION: u32 = 1;

/// First byte of a ledger leaf's preimage (mechanism §6.4).
const LEAF_PREFIX: u8 = 0x00;

/// `dup_of` of a row that repeats nothing.
const NO_DUPLICATE: u32 = u32::MAX;

/// Columns of `ledger.parquet` with their types, in order; offsets are those of the encoded row.
pub const LEDGER_COLUMNS: [(&str, &str, usize); 9] = [
    ("idx", "u32", 0),
    ("offset", "u64", 4),
    ("length", "u32", 12),
    ("record_digest", "bytes[16]", 16),
    ("decision", "u8", 32),
    ("reason", "u8", 33),
    ("dup_of", "u32", 34),
    ("text_hash", "bytes[16]", 38),
    ("n_tokens", "u32", 54),
];

/// Why bytes are no row, or rows no ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// Another length than 58 bytes.
    #[error("ledger row of `{found}` bytes, not {LEDGER_ROW_BYTES}")]
    Length {
        /// Bytes given.
        found: usize,
    },
    /// Decision or reason byte without meaning.
    #[error(transparent)]
    Reason(#[from] ReasonError),
    /// The decision is not the reason's.
    #[error("row `{idx}` has decision {decision:?} but reason {reason:?}")]
    Contradiction {
        /// Row number.
        idx: u32,
        /// Decision found.
        decision: Decision,
        /// Reason found.
        reason: Reason,
    },
    /// Rows are not numbered 0, 1, 2 ….
    #[error("row `{found}` stands where `{expected}` belongs")]
    Index {
        /// Number by position.
        expected: u32,
        /// Number found.
        found: u32,
    },
    /// A row does not start where the one before it ends, or the last one does not end with the archive.
    #[error("row `{idx}` starts at {found}, the bytes before it end at {expected}")]
    Gap {
        /// Row number; the number of rows if it is the end that is wrong.
        idx: u32,
        /// Offset by the rows before, in bytes.
        expected: u64,
        /// Offset found (or the archive's length at the end), in bytes.
        found: u64,
    },
    /// `dup_of` names the row itself or a later one.
    #[error("row `{idx}` repeats row `{dup_of}`, which is not before it")]
    DuplicateOfLater {
        /// Row number.
        idx: u32,
        /// Row named.
        dup_of: u32,
    },
    /// A duplicate without `dup_of`, or `dup_of` on a row that is none.
    #[error("row `{idx}` has reason {reason:?} and the wrong presence of `dup_of`")]
    Witness {
        /// Row number.
        idx: u32,
        /// Reason found.
        reason: Reason,
    },
    /// More rows than a u32 numbers.
    #[error("ledger of `{0}` rows is too long")]
    TooManyRows(usize),
}

/// One record of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerRow {
    /// Number of the record in the file, from 0.
    pub idx: u32,
    /// First byte of the record in the archive (or in the inflated stream, see `Addressing`).
    pub offset: u64,
    /// Bytes of the record, so that the next one starts at `offset + length`.
    pub length: u32,
    /// BLAKE3 (16 bytes) of the raw bytes; zero for reason 1.
    pub record_digest: RecordDigest,
    /// In the dataset or not.
    pub decision: Decision,
    /// Why.
    pub reason: Reason,
    /// The smallest earlier row that shares a band key, for duplicates.
    pub dup_of: Option<u32>,
    /// BLAKE3 (16 bytes) of the final text of kept and duplicate records, else zero.
    pub text_hash: Digest16,
    /// GPT-2 tokens of the text before the PII stage; zero unless kept.
    pub n_tokens: u32,
}

impl LedgerRow {
    /// First byte after the record.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(u64::from(self.length))
    }

    /// The 58 bytes of the row, integers little-endian.
    pub fn encode(&self) -> [u8; LEDGER_ROW_BYTES] {
        let mut out = [0; LEDGER_ROW_BYTES];
        let fields: [&[u8]; 9] = [
            &self.idx.to_le_bytes(),
            &self.offset.to_le_bytes(),
            &self.length.to_le_bytes(),
            self.record_digest.as_bytes(),
            &[self.decision.to_u8()],
            &[self.reason.to_u8()],
            &self.dup_of.unwrap_or(NO_DUPLICATE).to_le_bytes(),
            self.text_hash.as_bytes(),
            &self.n_tokens.to_le_bytes(),
        ];
        for (to, from) in out.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        out
    }

    /// The row that `bytes` hold; whether its fields agree is [`Self::check`]'s question.
    ///
    /// # Errors
    /// [`LedgerError`] if there are not 58 bytes, or the decision or reason byte has no meaning.
    pub fn decode(bytes: &[u8]) -> Result<Self, LedgerError> {
        let wrong_length = LedgerError::Length { found: bytes.len() };
        let row: &[u8; LEDGER_ROW_BYTES] = bytes.try_into().map_err(|_| wrong_length)?;
        let mut rest = row.as_slice();
        Ok(Self {
            idx: u32::from_le_bytes(take(&mut rest).ok_or(wrong_length)?),
            offset: u64::from_le_bytes(take(&mut rest).ok_or(wrong_length)?),
            length: u32::from_le_bytes(take(&mut rest).ok_or(wrong_length)?),
            record_digest: Digest16(take(&mut rest).ok_or(wrong_length)?),
            decision: Decision::from_u8(u8::from_le_bytes(take(&mut rest).ok_or(wrong_length)?))?,
            reason: Reason::from_u8(u8::from_le_bytes(take(&mut rest).ok_or(wrong_length)?))?,
            dup_of: Some(u32::from_le_bytes(take(&mut rest).ok_or(wrong_length)?))
                .filter(|&dup_of| dup_of != NO_DUPLICATE),
            text_hash: Digest16(take(&mut rest).ok_or(wrong_length)?),
            n_tokens: u32::from_le_bytes(take(&mut rest).ok_or(wrong_length)?),
        })
    }

    /// Whether decision and reason agree, and duplicates and only they name an earlier row.
    ///
    /// # Errors
    /// [`LedgerError`] naming the contradiction.
    pub fn check(&self) -> Result<(), LedgerError> {
        let Self {
            idx,
            decision,
            reason,
            ..
        } = *self;
        if decision != reason.decision() {
            return Err(LedgerError::Contradiction {
                idx,
                decision,
                reason,
            });
        }
        match self.dup_of {
            Some(dup_of) if dup_of >= idx => Err(LedgerError::DuplicateOfLater { idx, dup_of }),
            Some(_) if reason != Reason::Duplicate => Err(LedgerError::Witness { idx, reason }),
            None if reason == Reason::Duplicate => Err(LedgerError::Witness { idx, reason }),
            _ => Ok(()),
        }
    }

    /// The row's leaf: BLAKE3(`0x00 ‖ unit_id ‖ row`).
    pub fn leaf(&self, unit: &UnitId) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(&[LEAF_PREFIX])
            .update(unit.as_bytes())
            .update(&self.encode());
        Digest(*hasher.finalize().as_bytes())
    }
}

/// Whether the rows are numbered from 0, consistent in themselves, and cover an archive of `len` bytes without
/// gap or overlap.
///
/// # Errors
/// [`LedgerError`] for the first row that breaks a rule.
pub fn check_contiguous(rows: &[LedgerRow], len: u64) -> Result<(), LedgerError> {
    let count = u32::try_from(rows.len()).map_err(|_| LedgerError::TooManyRows(rows.len()))?;
    let mut end = 0;
    for (expected, row) in (0..count).zip(rows) {
        if row.idx != expected {
            return Err(LedgerError::Index {
                expected,
                found: row.idx,
            });
        }
        if row.offset != end {
            return Err(LedgerError::Gap {
                idx: row.idx,
                expected: end,
                found: row.offset,
            });
        }
        row.check()?;
        end = row.end();
    }
    if end != len {
        return Err(LedgerError::Gap {
            idx: count,
            expected: end,
            found: len,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::blake3_16;
    use crate::merkle::MerkleTree;
    use proptest::prelude::*;

    /// The three rows of mechanism §15.
    fn example_rows() -> [LedgerRow; 3] {
        let dropped = LedgerRow {
            idx: 0,
            offset: 0,
            length: 400,
            record_digest: Digest16::ZERO,
            decision: Decision::Drop,
            reason: Reason::NotContent,
            dup_of: None,
            text_hash: Digest16::ZERO,
            n_tokens: 0,
        };
        let kept = LedgerRow {
            idx: 1,
            offset: 400,
            length: 9000,
            record_digest: Digest16([0x11; 16]),
            decision: Decision::Keep,
            reason: Reason::Kept,
            text_hash: blake3_16(b"hello"),
            n_tokens: 2,
            ..dropped
        };
        let stepped = LedgerRow {
            idx: 2,
            offset: 9400,
            length: 7000,
            record_digest: Digest16([0x22; 16]),
            reason: Reason::Step(1),
            ..dropped
        };
        [dropped, kept, stepped]
    }

    #[test]
    fn the_ledger_root_of_the_worked_example() {
        let unit = UnitId::of("cc", "EXAMPLE/00000");
        let leaves = example_rows().map(|row| row.leaf(&unit));
        let root = MerkleTree::root(&leaves).to_string();
        assert_eq!(
            root,
            "880ff97f6adc1bd4d663f6855acde4f00fb97d3e017ae1a288c170861bc66c87"
        );
    }

    #[test]
    fn breaks_in_a_ledger_are_named() {
        let rows = example_rows();
        assert_eq!(check_contiguous(&rows, 16_400), Ok(()));
        assert_eq!(
            check_contiguous(&rows, 16_401),
            Err(LedgerError::Gap {
                idx: 3,
                expected: 16_400,
                found: 16_401
            })
        );
        assert_eq!(
            check_contiguous(&rows[1..], 9),
            Err(LedgerError::Index {
                expected: 0,
                found: 1
            })
        );
        let mut moved = rows;
        moved[2].offset += 1;
        let gap = LedgerError::Gap {
            idx: 2,
            expected: 9400,
            found: 9401,
        };
        assert_eq!(check_contiguous(&moved, 16_401), Err(gap));
        let mut later = rows;
        later[2].dup_of = Some(2);
        assert_eq!(
            check_contiguous(&later, 16_400),
            Err(LedgerError::DuplicateOfLater { idx: 2, dup_of: 2 })
        );
        let mut kept = rows;
        kept[2].decision = Decision::Keep;
        assert!(matches!(
            check_contiguous(&kept, 16_400),
            Err(LedgerError::Contradiction { idx: 2, .. })
        ));
    }

    #[test]
    fn columns_are_the_encoded_fields() {
        let widths = [4, 8, 4, 16, 1, 1, 4, 16, 4];
        let ends = LEDGER_COLUMNS
            .iter()
            .zip(widths)
            .map(|((.., offset), width)| offset + width);
        let starts = LEDGER_COLUMNS
            .iter()
            .map(|column| column.2)
            .skip(1)
            .chain([LEDGER_ROW_BYTES]);
        assert!(ends.eq(starts));
    }

    fn any_row() -> impl Strategy<Value = LedgerRow> {
        let head = (1..u32::MAX, any::<u64>(), any::<u32>(), any::<[u8; 16]>());
        (
            head,
            0_u8..80,
            any::<Option<u32>>(),
            any::<[u8; 16]>(),
            any::<u32>(),
        )
            .prop_map(
                |((idx, offset, length, digest), reason, dup_of, text, n_tokens)| {
                    let reason = Reason::from_u8(reason).unwrap_or(Reason::Kept);
                    LedgerRow {
                        idx,
                        offset,
                        length,
                        record_digest: Digest16(digest),
                        decision: reason.decision(),
                        reason,
                        dup_of: dup_of.map(|dup_of| dup_of % idx),
                        text_hash: Digest16(text),
                        n_tokens,
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn rows_survive_the_round_trip(row in any_row()) {
            prop_assert_eq!(LedgerRow::decode(&row.encode()), Ok(row));
        }

        #[test]
        fn decoded_bytes_are_encoded_again(bytes in any::<[u8; 32]>(), tail in any::<[u8; 26]>()) {
            let bytes = [bytes.as_slice(), &tail].concat();
            if let Ok(row) = LedgerRow::decode(&bytes) {
                prop_assert_eq!(row.encode().to_vec(), bytes);
            }
        }
    }
}
