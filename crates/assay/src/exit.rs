//! Exit codes and how an error is shown.
//!
//! 0 ok, 1 failure, 2 usage or configuration, 3 transient (safe to retry), 4 a check failed, 130 interrupted.

use std::process::ExitCode;

use assay_agents::api::ApiError;
use assay_agents::consume::ConsumeError;
use assay_agents::local::{ErrorKind, LocalError};
use assay_agents::subnet::AgentError;
use assay_chain::ChainError;
use assay_chain::wallet::WalletError;
use assay_hub::HubError;
use assay_server::ServeError;
use assay_server::admin::{AdminError, SocketError};
use assay_server::corpus::CorpusError;
use assay_server::store::{CorpusRefusal, StoreError};

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

/// Code of a call that cannot be understood.
const USAGE: &str = "usage/invalid";

/// Code of a file that is no recipe.
const RECIPE: &str = "recipe/invalid";

/// An error of calling a command wrongly.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct UsageError {
    code: &'static str,
    message: String,
    help: String,
}

impl UsageError {
    /// A wrong argument and what to give instead.
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            code: USAGE,
            message: message.into(),
            help: help.into(),
        }
    }

    /// A file that is no recipe, and how to mend it.
    pub(crate) fn recipe(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            code: RECIPE,
            ..Self::new(message, help)
        }
    }
}

/// Prints clap's own message, with `--json` as an error document; `--help` and `--version` are no errors.
pub(crate) fn usage(error: &clap::Error, is_json: bool) -> ExitCode {
    if is_json && error.use_stderr() {
        let (message, help) = usage_of(error);
        Console::json().error(&message, USAGE, Some(&help), false);
        return ExitCode::from(2);
    }
    // Printing can only fail if nobody listens, and then there is nobody to tell.
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

/// clap's message on one line, and its tips.
fn usage_of(error: &clap::Error) -> (String, String) {
    const MORE: &str = "for more information, try `--help`";
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return ("no command was given".to_owned(), MORE.to_owned());
    }
    let text = error.render().to_string();
    let first: Vec<&str> = text
        .lines()
        .take_while(|line| !line.is_empty())
        .map(str::trim)
        .collect();
    let message = first.join(" ");
    let tips = text.lines().filter_map(|line| line.trim().strip_prefix("tip: "));
    let help: Vec<&str> = tips.chain([MORE]).collect();
    (
        message.strip_prefix("error: ").unwrap_or(&message).to_owned(),
        help.join("; "),
    )
}

/// Prints an error with its cure, and gives its exit code.
pub(crate) fn report(console: &Console, error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let (kind, code, help) = classify(error);
    console.error(
        &message_of(error),
        code,
        help.as_deref(),
        kind == ErrorKind::Transient,
    );
    if is_difference(error) {
        return Status::CheckFailed.code();
    }
    ExitCode::from(match kind {
        ErrorKind::Failure => 1,
        ErrorKind::Usage => 2,
        ErrorKind::Transient => 3,
    })
}

/// The chain of causes on one line; a cause that the message before it already tells is left out.
fn message_of(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if message.is_empty() {
            message = cause;
        } else if !message.contains(&cause) {
            message.push_str(": ");
            message.push_str(&cause);
        }
    }
    message
}

/// A reader that closed the pipe (`assay … | head`) has what it wanted.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// Whether a published dataset was read and is not what was published.
fn is_difference(error: &anyhow::Error) -> bool {
    let mut causes = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<ConsumeError>());
    causes.any(ConsumeError::is_difference)
}

/// What the person gave, or what the machine refused.
fn wallet_kind(error: &WalletError) -> ErrorKind {
    match error {
        WalletError::File { source, .. } => wallet_kind(source),
        WalletError::Io(_) | WalletError::Entropy(_) | WalletError::Stretch(_) => ErrorKind::Failure,
        _ => ErrorKind::Usage,
    }
}

/// What the Task API's server, client and administration fail with.
fn classify_service(
    cause: &(dyn std::error::Error + 'static),
) -> Option<(ErrorKind, &'static str, Option<String>)> {
    if let Some(api) = cause.downcast_ref::<ApiError>() {
        let kind = if api.retry_is_safe() {
            ErrorKind::Transient
        } else {
            ErrorKind::Failure
        };
        let help = "check --server and --server-hotkey against what `assay serve` prints";
        return Some((kind, "api/unanswered", Some(help.to_owned())));
    }
    if let Some(admin) = cause.downcast_ref::<AdminError>() {
        let (kind, help) = admin_kind(admin);
        return Some((kind, "serve/admin", help.map(str::to_owned)));
    }
    if let Some(socket) = cause.downcast_ref::<SocketError>() {
        let help = "give another --admin-socket, or end who uses this one";
        let kind = match socket {
            SocketError::NotASocket { .. } => ErrorKind::Usage,
            SocketError::Taken { .. } | SocketError::Failed { .. } => ErrorKind::Failure,
        };
        return Some((kind, "serve/admin-socket", Some(help.to_owned())));
    }
    if cause.downcast_ref::<CorpusRefusal>().is_some() {
        let help = "docs/api.md, \"Corpora\", shows how a corpus index grows";
        return Some((ErrorKind::Usage, "serve/corpus", Some(help.to_owned())));
    }
    if let Some(corpus) = cause.downcast_ref::<CorpusError>() {
        let help = "docs/api.md, \"Corpora\", shows what is a corpus";
        let kind = match corpus {
            CorpusError::Hub(hub) if hub.retryable() => ErrorKind::Transient,
            _ => ErrorKind::Usage,
        };
        return Some((kind, "serve/corpus", Some(help.to_owned())));
    }
    if let Some(store) = cause.downcast_ref::<StoreError>() {
        let (kind, help) = database_kind(store);
        return Some((kind, "serve/database", Some(help.to_owned())));
    }
    cause.downcast_ref::<ServeError>().map(|_| {
        let help = "give another --listen or --metrics-listen, or end who listens there";
        (ErrorKind::Failure, "serve/address", Some(help.to_owned()))
    })
}

/// Whether nobody answered, or the server said no: then its own words are the cure.
fn admin_kind(error: &AdminError) -> (ErrorKind, Option<&'static str>) {
    match error {
        AdminError::Connect { .. } => (
            ErrorKind::Failure,
            Some("`assay serve admin --admin-socket` must name the socket of a running server"),
        ),
        AdminError::Io(_) | AdminError::Answer(_) => (
            ErrorKind::Failure,
            Some("see the server's log; it must be of this program's version"),
        ),
        AdminError::Refused(_) => (ErrorKind::Failure, None),
    }
}

/// What was given, what may pass, and what somebody has to mend.
fn database_kind(error: &StoreError) -> (ErrorKind, &'static str) {
    match error {
        StoreError::Address(_) => (
            ErrorKind::Usage,
            "give --database a file, `sqlite:FILE` or `postgres://USER@HOST/NAME`",
        ),
        StoreError::Foreign { .. } => (
            ErrorKind::Usage,
            "give the --database of this chain and subnet, or a new one",
        ),
        StoreError::Away { .. } => (
            ErrorKind::Transient,
            "start the database server, or mend its address",
        ),
        StoreError::Closed | StoreError::Busy | StoreError::Stale => {
            (ErrorKind::Transient, "try again in a moment")
        }
        StoreError::Place { .. } => (
            ErrorKind::Failure,
            "make the folder, and let this user write in it; or give another --database",
        ),
        StoreError::Full => (ErrorKind::Failure, "make room on the disk of the database"),
        StoreError::Newer { .. } => (
            ErrorKind::Failure,
            "use the program that made it, or give another --database",
        ),
        StoreError::Corrupt { .. } | StoreError::Value(_) => {
            (ErrorKind::Failure, "restore a backup, or give another --database")
        }
        StoreError::Backup { .. } => (ErrorKind::Usage, "give another file"),
        StoreError::Database(_) => (ErrorKind::Failure, "see what the database says, and its log"),
    }
}

fn classify(error: &anyhow::Error) -> (ErrorKind, &'static str, Option<String>) {
    for cause in error.chain() {
        if let Some(local) = cause.downcast_ref::<LocalError>() {
            return (local.kind(), local.code(), local.help());
        }
        if let Some(agent) = cause.downcast_ref::<AgentError>() {
            return (agent.kind(), agent.code(), agent.help());
        }
        if let Some(consume) = cause.downcast_ref::<ConsumeError>() {
            return (consume.kind(), consume.code(), consume.help());
        }
        if let Some(hub) = cause.downcast_ref::<HubError>() {
            let kind = if hub.retryable() {
                ErrorKind::Transient
            } else {
                ErrorKind::Failure
            };
            return (kind, "input/unreadable", hub.help());
        }
        if let Some(wallet) = cause.downcast_ref::<WalletError>() {
            return (wallet_kind(wallet), wallet.code(), Some(wallet.help().to_owned()));
        }
        if let Some(chain) = cause.downcast_ref::<ChainError>() {
            let kind = if chain.retry_is_safe() {
                ErrorKind::Transient
            } else {
                ErrorKind::Failure
            };
            return (kind, chain.code(), Some(chain.help()));
        }
        if let Some(found) = classify_service(cause) {
            return found;
        }
        if let Some(usage) = cause.downcast_ref::<UsageError>() {
            return (ErrorKind::Usage, usage.code, Some(usage.help.clone()));
        }
    }
    (ErrorKind::Failure, "failure/other", None)
}
