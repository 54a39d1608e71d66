//! Exit codes and how an error is shown.
//!
//! 0 ok, 1 failure, 2 usage or configuration, 3 transient (safe to retry), 4 a check failed, 130 interrupted.

use std::process::ExitCode;

use assay_agents::local::{ErrorKind, LocalError};
use assay_hub::HubError;

use crate::console::Console;

/// How a command that did its work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Everything is as it should be.
    Ok,
    /// The work was done and a check failed (`verify`, `recipe check`).
    CheckFailed,
}

impl Status {
    pub(crate) fn code(self) -> ExitCode {
        match self {
            Self::Ok => ExitCode::SUCCESS,
            Self::CheckFailed => ExitCode::from(4),
        }
    }
}

/// An error of calling a command wrongly.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct UsageError {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl UsageError {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: Some(help.into()),
        }
    }
}

/// Prints clap's own message; `--help` and `--version` are no errors.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // Printing can only fail if nobody listens, and then there is nobody to tell.
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

/// Prints an error with its cure, and gives its exit code.
pub(crate) fn report(console: &Console, error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let (kind, code, help) = classify(error);
    console.error(
        &format!("{error:#}"),
        code,
        help.as_deref(),
        kind == ErrorKind::Transient,
    );
    ExitCode::from(match kind {
        ErrorKind::Failure => 1,
        ErrorKind::Usage => 2,
        ErrorKind::Transient => 3,
    })
}

/// A reader that closed the pipe (`assay … | head`) has what it wanted.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

fn classify(error: &anyhow::Error) -> (ErrorKind, &'static str, Option<String>) {
    for cause in error.chain() {
        if let Some(local) = cause.downcast_ref::<LocalError>() {
            return (local.kind(), local.code(), local.help());
        }
        if let Some(hub) = cause.downcast_ref::<HubError>() {
            let kind = if hub.retryable() {
                ErrorKind::Transient
            } else {
                ErrorKind::Failure
            };
            return (kind, "input/unreadable", hub.help());
        }
        if let Some(usage) = cause.downcast_ref::<UsageError>() {
            return (ErrorKind::Usage, "usage/invalid", usage.help.clone());
        }
    }
    (ErrorKind::Failure, "failure/other", None)
}
