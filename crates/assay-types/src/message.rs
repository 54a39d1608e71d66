//! The other messages on the chain: recipe, join, digests of reports and proofs, parameter sets, re-queued units.
//!
//! Each is one commitment field; the first byte is tag and version, all integers little-endian, lengths fixed but for 0x92.
//! Unknown tags are ignored by readers ([`Message::parse`] gives [`MessageError::Tag`]) (mechanism §6.1).
//!
//! | tag | bytes | by | layout after the tag |
//! |---|---|---|---|
//! | 0x01 | 124 | miner | [`Pointer`] |
//! | 0x02 | 115 | author | 1 flags, 2–33 recipe_id, 34–53 revision, 54 length of repo, 55–114 repo, zero-padded |
//! | 0x03 | 7 | newcomer | 1–4 round, 5–6 want |
//! | 0x81 | 37 | validator | 1–4 round, 5–36 BLAKE3 of the batch of reports |
//! | 0x82 | 37 | validator | 1–4 round, 5–36 BLAKE3 of the batch of fraud proofs |
//! | 0x91 | 41 | owner | 1–4 version, 5–8 activation_block, 9–40 BLAKE3 of the parameter set |
//! | 0x92 | 5 + 16 n | owner | 1–4 round, then n ≤ 7 unit_ids ascending; none of them: all dead letters |

use crate::bytes::take;
use crate::hash::{Digest, Digest16};
use crate::ids::{BlockNumber, RecipeId, Round, UnitId};
use crate::payload::{POINTER_BYTES, POINTER_TAG, Pointer, PointerError, REPO_BYTES_MAX, RepoName, Revision};
use thiserror::Error;

/// Tag of a recipe's announcement.
pub const RECIPE_TAG: u8 = 0x02;
/// Tag of a newcomer's wish.
pub const JOIN_TAG: u8 = 0x03;
/// Tag of a digest over audit and evaluation reports.
pub const REPORTS_TAG: u8 = 0x81;
/// Tag of a digest over fraud proofs.
pub const PROOFS_TAG: u8 = 0x82;
/// Tag of a parameter set.
pub const PARAMS_TAG: u8 = 0x91;
/// Tag of units that come back.
pub const REQUEUE_TAG: u8 = 0x92;

/// Most units that a message names: a plain field holds 128 bytes.
pub const REQUEUED_UNITS_MAX: usize = 7;

/// Length of a recipe's announcement.
pub const RECIPE_MESSAGE_BYTES: usize = 115;

/// Most commitment fields a hotkey may set at once.
pub const MESSAGES_MAX: usize = 3;

/// Why bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MessageError {
    /// Nothing at all.
    #[error("message is empty")]
    Empty,
    /// A tag of a later version; readers ignore the field.
    #[error("message tag `{0:#04x}` is unknown")]
    Tag(u8),
    /// Another length than the tag's.
    #[error("message `{tag:#04x}` of `{found}` bytes, not {expected}")]
    Length {
        /// Its tag.
        tag: u8,
        /// Bytes given.
        found: usize,
        /// Bytes wanted.
        expected: usize,
    },
    /// Units of a re-queueing that are no list.
    #[error(
        "units of message `{REQUEUE_TAG:#04x}` must be at most {REQUEUED_UNITS_MAX} whole ids, ascending"
    )]
    Units,
    /// Flags that no version defines.
    #[error("flags `{0:#04x}` of a recipe message are not zero")]
    Flags(u8),
    /// Bytes behind the repository name that are not zero.
    #[error("byte {at} of the padding is not zero")]
    Padding {
        /// Position in the message.
        at: usize,
    },
    /// A pointer or repository name that is none.
    #[error(transparent)]
    Pointer(#[from] PointerError),
}

/// A recipe committed by its author before anybody can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeMessage {
    /// The recipe.
    pub recipe_id: RecipeId,
    /// Revision of the repository that holds it.
    pub revision: Revision,
    /// The repository.
    pub repo: RepoName,
}

/// A message of a commitment field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A submission.
    Submission(Pointer),
    /// A recipe.
    Recipe(RecipeMessage),
    /// A newcomer who has nothing to submit yet.
    Join {
        /// Round in which it was sent.
        round: Round,
        /// Units wanted.
        want: u16,
    },
    /// Digest over the sender's batch of reports.
    Reports {
        /// Round of the reports.
        round: Round,
        /// BLAKE3 of the batch.
        digest: Digest,
    },
    /// Digest over the sender's batch of fraud proofs.
    Proofs {
        /// Round of the proofs.
        round: Round,
        /// BLAKE3 of the batch.
        digest: Digest,
    },
    /// A parameter set to come.
    Params {
        /// Its version.
        version: u32,
        /// First block of the first round it may apply to.
        activation_block: BlockNumber,
        /// BLAKE3 of its canonical TOML.
        digest: Digest,
    },
    /// Dead letters that get new attempts.
    Requeue {
        /// The round whose assignment they wait for.
        round: Round,
        /// Which, ascending, at most [`REQUEUED_UNITS_MAX`]; all if none is named.
        units: Vec<UnitId>,
    },
}

impl Message {
    /// The bytes of the field.
    pub fn encode(&self) -> Vec<u8> {
        let parts = |tag: u8, parts: &[&[u8]]| std::iter::once(tag).chain(parts.concat()).collect();
        match self {
            Self::Submission(pointer) => pointer.encode().to_vec(),
            Self::Recipe(recipe) => {
                let repo = recipe.repo.as_str().as_bytes();
                let mut out: Vec<u8> = parts(
                    RECIPE_TAG,
                    &[
                        &[0],
                        recipe.recipe_id.as_bytes(),
                        recipe.revision.as_bytes(),
                        &[repo.len() as u8],
                        repo,
                    ],
                );
                out.resize(RECIPE_MESSAGE_BYTES, 0);
                out
            }
            Self::Join { round, want } => parts(JOIN_TAG, &[&round.0.to_le_bytes(), &want.to_le_bytes()]),
            Self::Reports { round, digest } => {
                parts(REPORTS_TAG, &[&round.0.to_le_bytes(), digest.as_bytes()])
            }
            Self::Proofs { round, digest } => parts(PROOFS_TAG, &[&round.0.to_le_bytes(), digest.as_bytes()]),
            Self::Params {
                version,
                activation_block,
                digest,
            } => parts(
                PARAMS_TAG,
                &[
                    &version.to_le_bytes(),
                    &activation_block.0.to_le_bytes(),
                    digest.as_bytes(),
                ],
            ),
            Self::Requeue { round, units } => {
                let units: Vec<u8> = units.iter().flat_map(|unit| *unit.as_bytes()).collect();
                parts(REQUEUE_TAG, &[&round.0.to_le_bytes(), &units])
            }
        }
    }

    /// The message that `bytes` hold; there is exactly one encoding of each.
    ///
    /// # Errors
    /// [`MessageError`] for an unknown tag, another length, or fields that are out of their form.
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        let (&tag, mut rest) = bytes.split_first().ok_or(MessageError::Empty)?;
        if tag == REQUEUE_TAG {
            return parse_requeue(rest).ok_or(MessageError::Units);
        }
        let expected = match tag {
            POINTER_TAG => POINTER_BYTES,
            RECIPE_TAG => RECIPE_MESSAGE_BYTES,
            JOIN_TAG => 7,
            REPORTS_TAG | PROOFS_TAG => 37,
            PARAMS_TAG => 41,
            _ => return Err(MessageError::Tag(tag)),
        };
        let wrong_length = || MessageError::Length {
            tag,
            found: bytes.len(),
            expected,
        };
        if bytes.len() != expected {
            return Err(wrong_length());
        }
        let rest = &mut rest;
        Ok(match tag {
            POINTER_TAG => Self::Submission(Pointer::parse(bytes)?),
            RECIPE_TAG => Self::Recipe(parse_recipe(rest).ok_or_else(wrong_length)??),
            JOIN_TAG => Self::Join {
                round: Round(take(rest).map(u32::from_le_bytes).ok_or_else(wrong_length)?),
                want: take(rest).map(u16::from_le_bytes).ok_or_else(wrong_length)?,
            },
            PARAMS_TAG => Self::Params {
                version: take(rest).map(u32::from_le_bytes).ok_or_else(wrong_length)?,
                activation_block: BlockNumber(take(rest).map(u32::from_le_bytes).ok_or_else(wrong_length)?),
                digest: take(rest).map(Digest).ok_or_else(wrong_length)?,
            },
            _ => {
                let round = Round(take(rest).map(u32::from_le_bytes).ok_or_else(wrong_length)?);
                let digest = take(rest).map(Digest).ok_or_else(wrong_length)?;
                if tag == REPORTS_TAG {
                    Self::Reports { round, digest }
                } else {
                    Self::Proofs { round, digest }
                }
            }
        })
    }
}

/// Round and units of a re-queueing; none if they are out of their form.
fn parse_requeue(mut rest: &[u8]) -> Option<Message> {
    let round = Round(take(&mut rest).map(u32::from_le_bytes)?);
    let (ids, []) = rest.as_chunks::<16>() else {
        return None;
    };
    let units: Vec<UnitId> = ids.iter().map(|id| UnitId(Digest16(*id))).collect();
    let is_list = units.len() <= REQUEUED_UNITS_MAX && units.is_sorted_by(|a, b| a < b);
    is_list.then_some(Message::Requeue { round, units })
}

/// The fields of a recipe message; none if there are too few bytes.
fn parse_recipe(rest: &mut &[u8]) -> Option<Result<RecipeMessage, MessageError>> {
    let [flags] = take(rest)?;
    let recipe_id = RecipeId(Digest(take(rest)?));
    let revision = Revision(take(rest)?);
    let [repo_len] = take(rest)?;
    let field: [u8; REPO_BYTES_MAX] = take(rest)?;
    let checked = || {
        if flags != 0 {
            return Err(MessageError::Flags(flags));
        }
        let illegal = || PointerError::Repo(String::from_utf8_lossy(&field).into_owned());
        let (repo, padding) = field
            .split_at_checked(usize::from(repo_len))
            .ok_or_else(illegal)?;
        let repo = RepoName::parse(std::str::from_utf8(repo).map_err(|_| illegal())?)?;
        if let Some(at) = padding.iter().position(|&byte| byte != 0) {
            return Err(MessageError::Padding {
                at: RECIPE_MESSAGE_BYTES - padding.len() + at,
            });
        }
        Ok(RecipeMessage {
            recipe_id,
            revision,
            repo,
        })
    };
    Some(checked())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn examples() -> Vec<Message> {
        let digest = Digest(std::array::from_fn(|i| i as u8));
        vec![
            Message::Submission(Pointer {
                round: Round(12),
                n_units: 3,
                want_next: 8,
                submission_root: digest,
                revision: Revision([0x40; 20]),
                repo: RepoName::parse("acme/assay-r12").unwrap(),
            }),
            Message::Recipe(RecipeMessage {
                recipe_id: RecipeId(digest),
                revision: Revision([0x40; 20]),
                repo: RepoName::parse("acme/recipes").unwrap(),
            }),
            Message::Join {
                round: Round(12),
                want: 256,
            },
            Message::Reports {
                round: Round(12),
                digest,
            },
            Message::Proofs {
                round: Round(13),
                digest,
            },
            Message::Params {
                version: 2,
                activation_block: BlockNumber(72_000),
                digest,
            },
            Message::Requeue {
                round: Round(14),
                units: vec![UnitId(Digest16([1; 16])), UnitId(Digest16([2; 16]))],
            },
        ]
    }

    #[test]
    fn every_message_has_its_length_and_is_read_as_written() {
        let lengths: Vec<usize> = examples().iter().map(|message| message.encode().len()).collect();
        assert_eq!(lengths, [124, 115, 7, 37, 37, 41, 37]);
        for message in examples() {
            assert_eq!(Message::parse(&message.encode()), Ok(message));
        }
    }

    #[test]
    fn integers_are_little_endian() {
        let join = Message::Join {
            round: Round(0x0102),
            want: 0x0304,
        };
        assert_eq!(join.encode(), [3, 2, 1, 0, 0, 4, 3]);
    }

    #[test]
    fn other_bytes_are_refused_by_name() {
        assert_eq!(Message::parse(&[]), Err(MessageError::Empty));
        assert_eq!(Message::parse(&[0x77, 1]), Err(MessageError::Tag(0x77)));
        let short = MessageError::Length {
            tag: JOIN_TAG,
            found: 6,
            expected: 7,
        };
        assert_eq!(Message::parse(&[3, 0, 0, 0, 0, 0]), Err(short));
        let mut recipe = examples()[1].encode();
        recipe[1] = 1;
        assert_eq!(Message::parse(&recipe), Err(MessageError::Flags(1)));
        recipe[1] = 0;
        recipe[114] = 1;
        assert_eq!(Message::parse(&recipe), Err(MessageError::Padding { at: 114 }));
        recipe[54] = 61;
        assert!(matches!(Message::parse(&recipe), Err(MessageError::Pointer(_))));
    }

    #[test]
    fn requeued_units_are_a_list_or_all() {
        let of = |ids: &[u8]| Message::Requeue {
            round: Round(3),
            units: ids.iter().map(|id| UnitId(Digest16([*id; 16]))).collect(),
        };
        assert_eq!(Message::parse(&[0x92, 3, 0, 0, 0]), Ok(of(&[])));
        let full = of(&[1, 2, 3, 4, 5, 6, 7]).encode();
        assert_eq!(full.len(), 117);
        assert_eq!(Message::parse(&full), Ok(of(&[1, 2, 3, 4, 5, 6, 7])));
        let bad = [
            of(&[1, 2, 3, 4, 5, 6, 7, 8]).encode(),
            of(&[2, 1]).encode(),
            of(&[1, 1]).encode(),
            full[..116].to_vec(),
            vec![0x92, 3, 0, 0],
        ];
        for bytes in bad {
            assert_eq!(Message::parse(&bytes), Err(MessageError::Units), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(tag in prop_oneof![
            Just(1_u8), Just(2), Just(3), Just(0x81), Just(0x82), Just(0x91), Just(0x92), any::<u8>()
        ], bytes in proptest::collection::vec(any::<u8>(), 0..130)) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() {
                *first = tag;
            }
            if let Ok(message) = Message::parse(&bytes) {
                prop_assert_eq!(message.encode(), bytes);
            }
        }

        #[test]
        fn a_changed_bit_gives_another_message_or_none(which in 0_usize..7, bit in any::<usize>()) {
            let original = examples()[which].clone();
            let mut bytes = original.encode();
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(message) = Message::parse(&bytes) {
                prop_assert_ne!(&message, &original);
                prop_assert_eq!(message.encode(), bytes);
            }
        }
    }
}
