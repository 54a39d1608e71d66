//! The five lists of the URL filter under their names, each read from a list file or from its artifact.
//!
//! In: files given by the caller. Out: [`UrlLists`] for [`crate::filter::url::UrlFilter`], digests for the recipe.
use std::io::Read;

use super::{HashedSet, WordList};

/// Why a list could not be read.
#[derive(Debug, thiserror::Error)]
pub enum UrlListError {
    /// The source failed.
    #[error("cannot read the list")]
    Read(#[from] std::io::Error),
    /// A line is not UTF-8.
    #[error("line `{line}` of the list is not utf-8")]
    NotUtf8 {
        /// Number of the line, from 1.
        line: usize,
    },
    /// A line is longer than the limit.
    #[error("line `{line}` of the list is longer than `{max}` bytes", max = super::LINE_BYTES_MAX)]
    LineTooLong {
        /// Number of the line, from 1.
        line: usize,
    },
    /// The list is longer than the limit.
    #[error("the list has more than `{max}` entries")]
    TooManyLines {
        /// The limit.
        max: usize,
    },
    /// Bytes that are no artifact of a hashed list.
    #[error("not a list artifact: {why}")]
    BadArtifact {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The archive is no readable zip file.
    #[error("cannot read the wheel")]
    Wheel(#[from] zip::result::ZipError),
    /// The archive lacks a list.
    #[error("the archive has no list `{0}`")]
    Missing(&'static str),
    /// The subword list cannot be searched.
    #[error("the list `banned_subwords` is too large to search")]
    Subwords(#[source] aho_corasick::BuildError),
}

/// One of the five lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UrlListKind {
    /// Registered domains and host names.
    Domains,
    /// Whole URLs.
    Urls,
    /// Words of which one is enough.
    BannedWords,
    /// Words of which two are needed.
    SoftBannedWords,
    /// Strings that may stand anywhere.
    BannedSubwords,
}

impl UrlListKind {
    /// All kinds, in the order the filter asks them.
    pub const ALL: [Self; 5] = [
        Self::Domains,
        Self::Urls,
        Self::BannedWords,
        Self::SoftBannedWords,
        Self::BannedSubwords,
    ];

    /// Name of the list as an artifact; also datatrove's parameter or file stem.
    pub fn name(self) -> &'static str {
        match self {
            Self::Domains => "domains",
            Self::Urls => "urls",
            Self::BannedWords => "banned_words",
            Self::SoftBannedWords => "soft_banned_words",
            Self::BannedSubwords => "banned_subwords",
        }
    }

    /// Name of the list file: `domains` and `urls` in the tarball, `banned_words.txt` and its like beside it.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Domains => "domains",
            Self::Urls => "urls",
            Self::BannedWords => "banned_words.txt",
            Self::SoftBannedWords => "soft_banned_words.txt",
            Self::BannedSubwords => "banned_subwords.txt",
        }
    }
}

/// The five lists; `Default` is five empty ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UrlLists {
    /// Registered domains and host names.
    pub domains: HashedSet,
    /// Whole URLs.
    pub urls: HashedSet,
    /// Words of which one is enough.
    pub banned_words: WordList,
    /// Words of which two are needed.
    pub soft_banned_words: WordList,
    /// Strings that may stand anywhere.
    pub banned_subwords: WordList,
}

impl UrlLists {
    /// Replaces one list by a list file.
    ///
    /// # Errors
    /// Those of reading, and limits on lines.
    pub fn read_list(&mut self, kind: UrlListKind, source: impl Read) -> Result<(), UrlListError> {
        match kind {
            UrlListKind::Domains => self.domains = HashedSet::from_lines(source)?,
            UrlListKind::Urls => self.urls = HashedSet::from_lines(source)?,
            UrlListKind::BannedWords => self.banned_words = WordList::from_lines(source)?,
            UrlListKind::SoftBannedWords => self.soft_banned_words = WordList::from_lines(source)?,
            UrlListKind::BannedSubwords => self.banned_subwords = WordList::from_lines(source)?,
        }
        Ok(())
    }

    /// Replaces one list by its artifact.
    ///
    /// # Errors
    /// Those of reading, and of the artifact's form.
    pub fn read_artifact(&mut self, kind: UrlListKind, source: impl Read) -> Result<(), UrlListError> {
        match kind {
            UrlListKind::Domains => self.domains = HashedSet::decode(source)?,
            UrlListKind::Urls => self.urls = HashedSet::decode(source)?,
            // The artifact of a word list is a list file.
            _ => self.read_list(kind, source)?,
        }
        Ok(())
    }

    /// Writes one list as its artifact.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_artifact(&self, kind: UrlListKind, mut out: impl std::io::Write) -> std::io::Result<()> {
        match kind {
            UrlListKind::Domains => self.domains.encode(out),
            UrlListKind::Urls => self.urls.encode(out),
            UrlListKind::BannedWords => out.write_all(&self.banned_words.encode()),
            UrlListKind::SoftBannedWords => out.write_all(&self.soft_banned_words.encode()),
            UrlListKind::BannedSubwords => out.write_all(&self.banned_subwords.encode()),
        }
    }

    /// BLAKE3-256 of one list's artifact.
    pub fn digest(&self, kind: UrlListKind) -> [u8; 32] {
        match kind {
            UrlListKind::Domains => self.domains.digest(),
            UrlListKind::Urls => self.urls.digest(),
            UrlListKind::BannedWords => self.banned_words.digest(),
            UrlListKind::SoftBannedWords => self.soft_banned_words.digest(),
            UrlListKind::BannedSubwords => self.banned_subwords.digest(),
        }
    }

    /// Number of distinct entries of one list.
    pub fn len(&self, kind: UrlListKind) -> usize {
        match kind {
            UrlListKind::Domains => self.domains.len(),
            UrlListKind::Urls => self.urls.len(),
            UrlListKind::BannedWords => self.banned_words.words().len(),
            UrlListKind::SoftBannedWords => self.soft_banned_words.words().len(),
            UrlListKind::BannedSubwords => self.banned_subwords.words().len(),
        }
    }

    /// Whether all five lists are empty.
    pub fn is_empty(&self) -> bool {
        UrlListKind::ALL.iter().all(|&kind| self.len(kind) == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_survives_its_artifact() {
        for kind in UrlListKind::ALL {
            let mut lists = UrlLists::default();
            lists.read_list(kind, &b"#comment\nzebra.com\nlion"[..]).unwrap();
            assert_eq!(lists.len(kind), 2);
            assert!(!lists.is_empty());
            let mut artifact = Vec::new();
            lists.write_artifact(kind, &mut artifact).unwrap();
            assert_eq!(lists.digest(kind), *blake3::hash(&artifact).as_bytes());
            let mut again = UrlLists::default();
            again.read_artifact(kind, &artifact[..]).unwrap();
            assert_eq!(again, lists, "{}", kind.name());
        }
    }
}
