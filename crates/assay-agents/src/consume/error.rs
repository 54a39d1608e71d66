//! What can go wrong while a published dataset is read, with its cure.
//!
//! Differences between a dataset and what was promised are findings, not errors.

use std::path::PathBuf;

use assay_hub::store::StoreError;
use assay_types::{ManifestError, Tokens};

use crate::local::{ErrorKind, LocalError};

/// Why a published dataset cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The store failed, or what it holds is not what was published.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Files on this machine.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The manifest of the revision contradicts itself.
    #[error("manifest of `{place}`: {source}")]
    Manifest {
        /// Repository and revision.
        place: String,
        /// What is wrong.
        #[source]
        source: ManifestError,
    },
    /// No unit fits the budget.
    #[error("no unit has at most {budget} tokens; the smallest has {smallest}")]
    Budget {
        /// Tokens asked for.
        budget: Tokens,
        /// Tokens of the smallest unit.
        smallest: Tokens,
    },
    /// A revision without files of text.
    #[error("`{place}` holds no Parquet, JSON Lines or text file of at most {bytes_max} bytes")]
    NoTexts {
        /// Repository and revision.
        place: String,
        /// Longest file that is fetched.
        bytes_max: u64,
    },
    /// A unit is not what its manifest says.
    #[error("`{place}` is not what its manifest says: {fault}")]
    Fault {
        /// Repository and revision.
        place: String,
        /// The first fault.
        fault: String,
    },
    /// The folder holds something else.
    #[error("`{}` holds another dataset", .path.display())]
    OtherDataset {
        /// The folder.
        path: PathBuf,
    },
}

impl ConsumeError {
    /// Whether this says that the dataset is not what was published, and not that reading failed.
    #[must_use]
    pub fn is_difference(&self) -> bool {
        matches!(
            self,
            Self::Manifest { .. } | Self::Store(StoreError::Differs { .. } | StoreError::BadIndex { .. })
        )
    }

    /// Stable code of the error, `area/what`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => store_code(error),
            Self::Local(error) => error.code(),
            Self::Manifest { .. } | Self::Fault { .. } => "dataset/damaged",
            Self::NoTexts { .. } => "input/nothing-found",
            Self::Budget { .. } => "dataset/budget",
            Self::OtherDataset { .. } => "output/other-dataset",
        }
    }

    /// Which exit code fits.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => store_kind(error),
            Self::Local(error) => error.kind(),
            Self::Manifest { .. } | Self::Fault { .. } => ErrorKind::Failure,
            Self::NoTexts { .. } | Self::Budget { .. } | Self::OtherDataset { .. } => ErrorKind::Usage,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => Some(error.help()),
            Self::Local(error) => error.help(),
            Self::NoTexts { .. } => Some("name a revision with files of texts, or download the files that are meant and give them".to_owned()),
            Self::Manifest { .. } | Self::Fault { .. } => {
                Some("what is published is no dataset, or not the one that was meant: check repository and revision".to_owned())
            }
            Self::Budget { smallest, .. } => Some(format!("units are fetched whole: give `--tokens {smallest}` or more")),
            Self::OtherDataset { .. } => Some("choose another `--out`, or remove the folder".to_owned()),
        }
    }
}

/// Stable code of a store's error.
fn store_code(error: &StoreError) -> &'static str {
    match error {
        StoreError::Path(_)
        | StoreError::BadStore { .. }
        | StoreError::Unsupported { .. }
        | StoreError::OutOfReach { .. } => "store/address",
        StoreError::NotPublished { .. } | StoreError::NoFile { .. } => "store/not-published",
        StoreError::Gone { .. } => "store/gone",
        StoreError::Differs { .. } | StoreError::BadIndex { .. } | StoreError::TooLarge { .. } => {
            "store/differs"
        }
        StoreError::Refused { .. } => "store/refused",
        StoreError::File { .. } | StoreError::Folder { .. } => "file/unusable",
        _ => "store/unreachable",
    }
}

fn store_kind(error: &StoreError) -> ErrorKind {
    match error {
        // A person who names a folder has named the wrong one.
        StoreError::Path(_)
        | StoreError::BadStore { .. }
        | StoreError::Unsupported { .. }
        | StoreError::OutOfReach { .. } => ErrorKind::Usage,
        error if error.retry_is_safe() => ErrorKind::Transient,
        _ => ErrorKind::Failure,
    }
}
