//! Why a server's answer cannot be used.

use assay_hub::ExchangeError;
use assay_types::api::{AssignmentError, Problem, ProblemKind};
use thiserror::Error;

/// A question to the Task API that got no usable answer.
#[derive(Debug, Error)]
pub enum ApiError {
    /// No answer.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The server refused.
    #[error("{}: {} ({})", .0.title, .0.detail, .0.code)]
    Problem(Box<Problem>),
    /// An answer that is not signed by the server's hotkey.
    #[error(
        "the answer to `{0}` is not signed by the server's hotkey; it is not that server, or somebody is in between"
    )]
    Unsigned(String),
    /// A signed answer of another form than this version's.
    #[error("the answer to `{target}` cannot be read: {reason}")]
    Answer {
        /// What was asked.
        target: String,
        /// What is wrong.
        reason: String,
    },
    /// An assignment document that is none.
    #[error("the server's assignment cannot be read")]
    Assignment(#[from] AssignmentError),
    /// The own key does not sign.
    #[error("the hotkey cannot sign")]
    Key(#[from] assay_chain::wallet::WalletError),
}

impl ApiError {
    /// What the server refused for.
    pub fn kind(&self) -> Option<ProblemKind> {
        match self {
            Self::Problem(problem) => ProblemKind::parse(&problem.code),
            _ => None,
        }
    }

    /// Whether the same request, signed anew, may succeed later without doing anything twice.
    pub fn retry_is_safe(&self) -> bool {
        match self {
            Self::Exchange(ExchangeError::Failed { .. }) => true,
            Self::Problem(problem) => problem.retry_after.is_some(),
            _ => false,
        }
    }
}
