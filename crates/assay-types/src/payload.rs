//! The pointer: 124 bytes on the chain that bind a whole submission.
//!
//! A miner encodes it after publishing; validators parse what the chain reveals (mechanism §6.1).
//!
//! | byte | 0 | 1–4 | 5–8 | 9–10 | 11–42 | 43–62 | 63 | 64–123 |
//! |---|---|---|---|---|---|---|---|---|
//! | field | 0x01 | round | n_units | want_next | submission_root | revision | length of repo | repo, zero-padded |

use crate::bytes::take;
use crate::hash::Digest;
use crate::hex::hex_newtype;
use crate::ids::Round;
use thiserror::Error;

/// Length of a pointer.
pub const POINTER_BYTES: usize = 124;

/// First byte of a pointer: tag and version of the message.
pub const POINTER_TAG: u8 = 0x01;

/// Longest repository name in bytes.
pub const REPO_BYTES_MAX: usize = 60;

hex_newtype! {
    /// The revision of a repository: a git commit, or the first 20 bytes of BLAKE3(manifest) in other stores.
    Revision, 20
}

/// Why bytes are no pointer or a text no repository name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PointerError {
    /// Another length than 124 bytes.
    #[error("pointer of `{found}` bytes, not {POINTER_BYTES}")]
    Length {
        /// Bytes given.
        found: usize,
    },
    /// Another message or version.
    #[error("message tag `{0:#04x}` is not a pointer's")]
    Tag(u8),
    /// Not `namespace/name` of 1 to 60 bytes in `[A-Za-z0-9._-]`.
    #[error("repository `{0}` is not `namespace/name` of at most {REPO_BYTES_MAX} bytes in [A-Za-z0-9._-]")]
    Repo(String),
    /// Bytes behind the repository name that are not zero.
    #[error("byte {at} of the padding is not zero")]
    Padding {
        /// Position in the pointer.
        at: usize,
    },
}

/// A repository's `namespace/name`, checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepoName(String);

impl RepoName {
    /// The name `text` spells.
    ///
    /// # Errors
    /// [`PointerError::Repo`] unless it is two parts of `[A-Za-z0-9._-]+`, neither `.` nor `..`, at most 60 bytes.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        let part = |part: &str| {
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
            !part.is_empty() && part != "." && part != ".." && part.bytes().all(legal)
        };
        let legal = text
            .split_once('/')
            .is_some_and(|(space, name)| part(space) && part(name));
        if !legal || text.len() > REPO_BYTES_MAX {
            return Err(PointerError::Repo(text.chars().take(REPO_BYTES_MAX).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a miner commits to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    /// The round.
    pub round: Round,
    /// Units delivered.
    pub n_units: u32,
    /// Units wanted in the next round.
    pub want_next: u16,
    /// Digest over all units.
    pub submission_root: Digest,
    /// Revision of the repository that holds them.
    pub revision: Revision,
    /// The repository.
    pub repo: RepoName,
}

impl Pointer {
    /// The 124 bytes.
    pub fn encode(&self) -> [u8; POINTER_BYTES] {
        let mut out = [0; POINTER_BYTES];
        let fields: [&[u8]; 8] = [
            &[POINTER_TAG],
            &self.round.0.to_le_bytes(),
            &self.n_units.to_le_bytes(),
            &self.want_next.to_le_bytes(),
            self.submission_root.as_bytes(),
            self.revision.as_bytes(),
            &[self.repo.0.len() as u8],
            self.repo.0.as_bytes(),
        ];
        for (to, from) in out.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        out
    }

    /// The pointer that `bytes` hold; there is exactly one encoding of each pointer.
    ///
    /// # Errors
    /// [`PointerError`] for another length or tag, an illegal repository name, or padding that is not zero.
    pub fn parse(bytes: &[u8]) -> Result<Self, PointerError> {
        let wrong_length = || PointerError::Length { found: bytes.len() };
        let whole: &[u8; POINTER_BYTES] = bytes.try_into().map_err(|_| wrong_length())?;
        let mut rest = whole.as_slice();
        let [tag] = take(&mut rest).ok_or_else(wrong_length)?;
        if tag != POINTER_TAG {
            return Err(PointerError::Tag(tag));
        }
        let round = Round(u32::from_le_bytes(take(&mut rest).ok_or_else(wrong_length)?));
        let n_units = u32::from_le_bytes(take(&mut rest).ok_or_else(wrong_length)?);
        let want_next = u16::from_le_bytes(take(&mut rest).ok_or_else(wrong_length)?);
        let submission_root = Digest(take(&mut rest).ok_or_else(wrong_length)?);
        let revision = Revision(take(&mut rest).ok_or_else(wrong_length)?);
        let [repo_len] = take(&mut rest).ok_or_else(wrong_length)?;
        let illegal = || PointerError::Repo(String::from_utf8_lossy(rest).into_owned());
        let (repo, padding) = rest.split_at_checked(usize::from(repo_len)).ok_or_else(illegal)?;
        let repo = RepoName::parse(std::str::from_utf8(repo).map_err(|_| illegal())?)?;
        if let Some(at) = padding.iter().position(|&byte| byte != 0) {
            return Err(PointerError::Padding {
                at: POINTER_BYTES - padding.len() + at,
            });
        }
        Ok(Self {
            round,
            n_units,
            want_next,
            submission_root,
            revision,
            repo,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The payload of mechanism §15.
    fn example() -> Pointer {
        Pointer {
            round: Round(12),
            n_units: 3,
            want_next: 8,
            submission_root: Digest(std::array::from_fn(|i| i as u8)),
            revision: Revision(std::array::from_fn(|i| 0x40 + i as u8)),
            repo: RepoName::parse("acme/assay-r12").unwrap(),
        }
    }

    #[test]
    fn the_bytes_of_the_worked_example() {
        let bytes = example().encode();
        assert!(crate::hex::encode(&bytes).starts_with("010c00000003000000080000010203"));
        let digest = Digest::of(&bytes).to_string();
        assert_eq!(
            digest,
            "1c6a5a064603c91f52d7ae967dd4f209a2f67cf5041d09af4495c82ee42494a6"
        );
        assert_eq!(Pointer::parse(&bytes), Ok(example()));
    }

    #[test]
    fn illegal_names_and_bytes_are_refused() {
        for name in [
            "",
            "a",
            "/a",
            "a/",
            "a/b/c",
            "../b",
            "a/..",
            "a/b c",
            "ä/b",
            &format!("a/{}", "b".repeat(59)),
        ] {
            assert!(
                matches!(RepoName::parse(name), Err(PointerError::Repo(_))),
                "{name}"
            );
        }
        assert!(RepoName::parse(&format!("a/{}", "b".repeat(58))).is_ok());
        let mut bytes = example().encode();
        bytes[123] = 1;
        assert_eq!(Pointer::parse(&bytes), Err(PointerError::Padding { at: 123 }));
        bytes[63] = 61;
        assert!(matches!(Pointer::parse(&bytes), Err(PointerError::Repo(_))));
        bytes[0] = 2;
        assert_eq!(Pointer::parse(&bytes), Err(PointerError::Tag(2)));
        assert_eq!(
            Pointer::parse(&bytes[1..]),
            Err(PointerError::Length { found: 123 })
        );
    }

    proptest! {
        #[test]
        fn a_changed_bit_gives_another_pointer_or_none(bit in 0_usize..POINTER_BYTES * 8) {
            let mut bytes = example().encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(pointer) = Pointer::parse(&bytes) {
                prop_assert_ne!(&pointer, &example());
                prop_assert_eq!(pointer.encode(), bytes);
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..130)) {
            if let Ok(pointer) = Pointer::parse(&bytes) {
                prop_assert_eq!(pointer.encode().to_vec(), bytes);
            }
        }
    }
}
