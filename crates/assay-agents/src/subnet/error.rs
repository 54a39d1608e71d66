//! What stops an agent's step: what failed, whether trying again helps, and the cure.

use std::path::PathBuf;

use assay_chain::ChainError;
use assay_hub::store::StoreError;
use thiserror::Error;

use crate::local::{ErrorKind, LocalError};

/// An agent's failure.
#[derive(Debug, Error)]
pub enum AgentError {
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Refining or verifying on this machine.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// A file of the agent or of the subnet.
    #[error("`{}`", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file that does not hold what it should.
    #[error("`{}` is not valid: {reason}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Something the chain says that makes no sense, or does not say.
    #[error("{what}: {reason}")]
    Unexpected {
        /// What was asked.
        what: &'static str,
        /// Why it cannot be used.
        reason: String,
    },
    /// The worker for foreign files ended without an answer.
    #[error("worker: {0}")]
    Worker(String),
}

impl AgentError {
    /// Whether the same step may simply be taken again.
    #[must_use]
    pub fn retry_is_safe(&self) -> bool {
        match self {
            Self::Chain(error) => error.retry_is_safe(),
            Self::Store(error) => error.retry_is_safe(),
            Self::Worker(_) => true,
            // A network that breaks or gives something else than the archive, a folder that is locked for the moment: at worst a
            // round is missed.
            Self::Local(error) => {
                error.kind() == ErrorKind::Transient || matches!(error, LocalError::Archive { .. })
            }
            _ => false,
        }
    }

    /// What kind of failure it is, for exit statuses.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Local(error) => error.kind(),
            Self::Invalid { .. } => ErrorKind::Usage,
            error if error.retry_is_safe() => ErrorKind::Transient,
            _ => ErrorKind::Failure,
        }
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Chain(error) => error.code(),
            Self::Local(error) => error.code(),
            Self::Store(_) => "agent/store",
            Self::File { .. } => "agent/file",
            Self::Invalid { .. } => "agent/invalid",
            Self::Unexpected { .. } => "agent/unexpected",
            Self::Worker(_) => "agent/worker",
        }
    }

    /// The cure.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Chain(error) => return Some(error.help()),
            Self::Local(error) => return error.help(),
            Self::Store(error) => return Some(error.help()),
            Self::File { .. } => "make it readable and writable, or give another folder",
            Self::Invalid { .. } => "give another folder or file, or take the one named out of the way",
            Self::Unexpected { .. } => "check --network and --subnet: they must be of the same subnet",
            Self::Worker(_) => "try again; the log has what the worker said",
        };
        Some(text.to_owned())
    }

    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    pub(crate) fn invalid(path: impl Into<PathBuf>, reason: impl std::fmt::Display) -> Self {
        Self::Invalid {
            path: path.into(),
            reason: reason.to_string(),
        }
    }
}
