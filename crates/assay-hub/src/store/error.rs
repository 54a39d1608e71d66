//! What can go wrong between a store and those who publish and read: what failed, whose side it was, and the cure.
//!
//! Made by every module of `store`; miners ask [`StoreError::retry_is_safe`], validators [`StoreError::side`] (a failure
//! of their own never counts against a miner: mechanism §7.3), people read [`StoreError::help`]. No variant holds a
//! credential.

use std::io;
use std::path::PathBuf;

use assay_types::{RepoName, Revision};

use super::path::{ObjectPath, PathError};
use crate::HubError;

/// Whose side a failure of reading was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The reader's machine, the network, or a store that did not answer as it should: says nothing about the publisher.
    Reader,
    /// The store answered, and what the publisher promised is not there, not open or not the same: his.
    Publisher,
}

/// A failure to publish or to read what was published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A path that is not legal inside a revision.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A set of files that cannot become a revision.
    #[error("cannot be published: {what}")]
    Unpublishable {
        /// What is wrong.
        what: String,
    },
    /// A file on this machine, to publish or downloaded, that cannot be read or written.
    #[error("`{}`", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The folder of a local store cannot be used.
    #[error("store folder `{}`", .path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The folder that holds all repositories is not there, or holds none: nothing can be said about any of them.
    #[error("`{}` holds no repository at all", .path.display())]
    OutOfReach {
        /// The folder.
        path: PathBuf,
    },
    /// Another process publishes into the repository.
    #[error("another process is publishing to `{}`", .repo.as_str())]
    Busy {
        /// The repository.
        repo: RepoName,
    },
    /// The revision is not there, or not public yet.
    #[error("`{}` has no public revision `{revision}`", .repo.as_str())]
    NotPublished {
        /// The repository.
        repo: RepoName,
        /// The revision asked for.
        revision: Revision,
    },
    /// The revision holds no file of this name.
    #[error("revision `{revision}` holds no `{path}`")]
    NoFile {
        /// The revision.
        revision: Revision,
        /// The path asked for.
        path: ObjectPath,
    },
    /// A file of the revision is gone or refused.
    #[error("`{path}` of revision `{revision}` is gone: {what}")]
    Gone {
        /// The revision.
        revision: Revision,
        /// The file.
        path: ObjectPath,
        /// What the store says.
        what: String,
    },
    /// A file of the revision is not what the revision says.
    #[error("`{path}` of revision `{revision}` differs: expected {expected}, found {found}")]
    Differs {
        /// The revision.
        revision: Revision,
        /// The file.
        path: ObjectPath,
        /// What the revision says.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The list of a revision's files cannot be used.
    #[error("index of revision `{revision}` is not valid: {what}")]
    BadIndex {
        /// The revision.
        revision: Revision,
        /// What is wrong.
        what: String,
    },
    /// More bytes than the caller or a bound allows.
    #[error("`{path}` has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// The file.
        path: ObjectPath,
        /// Its length.
        bytes: u64,
        /// The bound.
        limit: u64,
    },
    /// A range that ends behind the file.
    #[error("{len} bytes at {offset} are outside of `{path}` ({bytes} bytes)")]
    OutOfRange {
        /// The file.
        path: ObjectPath,
        /// First byte.
        offset: u64,
        /// Bytes asked for.
        len: u64,
        /// Length of the file.
        bytes: u64,
    },
    /// Reading failed on the way.
    #[error("cannot read from the store")]
    Read(#[source] HubError),
    /// A request failed, and so did its repetitions.
    #[error("{action} at `{store}`: {cause}")]
    Request {
        /// What was being done.
        action: &'static str,
        /// The store, without credentials.
        store: String,
        /// What the store or the network said.
        cause: String,
        /// Whether the same call may succeed later.
        passes: bool,
    },
    /// The store refuses the credentials, or there are none.
    #[error("`{store}` refuses {action} ({status})")]
    Refused {
        /// What was being done.
        action: &'static str,
        /// The store, without credentials.
        store: String,
        /// HTTP status.
        status: u16,
    },
    /// The repository changed while a revision was being published.
    #[error("`{}` changed while it was published to", .repo.as_str())]
    Conflict {
        /// The repository.
        repo: RepoName,
    },
    /// The store cannot do this at all.
    #[error("`{store}` cannot {what}")]
    Unsupported {
        /// The store.
        store: String,
        /// What it cannot.
        what: &'static str,
    },
    /// Address or options of a store cannot be used.
    #[error("store `{store}` cannot be used: {reason}")]
    BadStore {
        /// The address, without credentials.
        store: String,
        /// What is wrong.
        reason: String,
    },
}

impl From<HubError> for StoreError {
    fn from(error: HubError) -> Self {
        Self::Read(error)
    }
}

impl StoreError {
    /// Whether the same call may be made again, and may succeed without anybody changing anything. Repeating a call is
    /// never harmful: publishing and revealing are idempotent.
    #[must_use]
    pub fn retry_is_safe(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Conflict { .. } | Self::OutOfReach { .. } => true,
            Self::Read(error) => error.retryable(),
            Self::Request { passes, .. } => *passes,
            _ => false,
        }
    }

    /// Whose side the failure was. Only for failures of reading; one of publishing is the publisher's own business.
    #[must_use]
    pub fn side(&self) -> Side {
        match self {
            Self::NotPublished { .. }
            | Self::NoFile { .. }
            | Self::Gone { .. }
            | Self::Differs { .. }
            | Self::BadIndex { .. }
            | Self::TooLarge { .. }
            | Self::OutOfRange { .. }
            | Self::Path(_) => Side::Publisher,
            _ => Side::Reader,
        }
    }

    /// The cure, in one line.
    #[must_use]
    pub fn help(&self) -> String {
        let help = match self {
            Self::Path(_) => "use relative paths of letters, digits and `._=+@-`, parts joined by `/`",
            Self::Unpublishable { .. } => "publish a folder that `assay refine` wrote, or name its files",
            Self::File { .. } => "check that the file is there, its permissions, and the space on its disk",
            Self::Folder { .. } => "check permissions and free space of the store's folder",
            Self::OutOfReach { .. } => {
                "mount the folder, or give the right one; the first to publish makes it"
            }
            Self::Busy { .. } => {
                "wait for the other process, or stop it: one hotkey publishes from one process"
            }
            Self::NotPublished { .. } => {
                "check repository and revision; a revision is readable only once its publisher revealed it"
            }
            Self::NoFile { .. } => "list the revision's files first",
            Self::Gone { .. } => {
                "the publisher's store answered and does not give the file: publish the revision again, or ask him"
            }
            Self::Differs { .. } | Self::BadIndex { .. } => {
                "what is stored is not what was published: take another copy, or publish it again"
            }
            Self::TooLarge { .. } => "read it in ranges or download it; limits stand in docs/storage.md",
            Self::OutOfRange { .. } => "ask for a range inside the file",
            Self::Read(error) => {
                return error
                    .help()
                    .unwrap_or_else(|| "check network and store".to_owned());
            }
            Self::Request { passes: true, .. } => {
                "the store or the network failed: run it again, finished uploads are kept"
            }
            Self::Request { .. } => "check address, repository or bucket, and quota of the store",
            Self::Refused { .. } => {
                "give credentials that may write: HF_TOKEN with write permission, or the S3 keys of the bucket's owner"
            }
            Self::Conflict { .. } => {
                "somebody else committed meanwhile: run it again, or give the repository one writer"
            }
            Self::Unsupported { .. } => {
                "use a local folder, s3:// or hf:// (docs/storage.md says which store can what)"
            }
            Self::BadStore { .. } => "give a folder, s3://bucket/prefix, https://host/prefix or hf://",
        };
        help.to_owned()
    }
}
