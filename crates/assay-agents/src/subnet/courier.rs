//! What an agent tells the Task API, and its check of what the server assigns: a convenience that no round depends on.
//!
//! ```text
//! journal, reports ─► Courier ─► Task API        assignment of the server ─► compared with the agent's own
//! ```
//!
//! Everything an agent does follows from the chain. A server that is away, slow or lying costs a line in the log: failures are
//! tried again after a while, and a list that differs is kept as evidence and not followed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use assay_mechanism::plan::assigned;
use assay_types::Round;
use assay_types::api::ProblemKind;
use fs_err as fs;

use super::error::AgentError;
use super::tracker::Tracker;
use crate::api::{ApiError, ServedAssignment, TaskApi};
use crate::local::write_atomically;

/// Pause after a server did not answer.
const PAUSE: Duration = Duration::from_secs(2);

/// An agent's line to a server.
#[derive(Debug)]
pub struct Courier {
    api: TaskApi,
    evidence: PathBuf,
    not_before: Option<Instant>,
    compared: Option<Round>,
    asks: bool,
}

/// What a server's assignment is beside the agent's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The same document, byte for byte; units and holders, where what they follow from is not known here.
    Same,
    /// Another one; kept in the evidence folder with the server's signature.
    Differs,
    /// The server did not say.
    Unknown,
}

impl Courier {
    /// A line that keeps evidence below an agent's folder.
    #[must_use]
    pub fn new(api: TaskApi, folder: &Path) -> Self {
        Self {
            api,
            evidence: folder.join("evidence"),
            not_before: None,
            compared: None,
            asks: true,
        }
    }

    /// A line that tells, and does not ask what the server assigns: the chain alone says that.
    #[must_use]
    pub fn telling_only(self) -> Self {
        Self { asks: false, ..self }
    }

    /// The client, unless the server did not answer a moment ago.
    pub(crate) fn api(&self) -> Option<&TaskApi> {
        let is_paused = self.not_before.is_some_and(|until| Instant::now() < until);
        (!is_paused).then_some(&self.api)
    }

    /// What to do about an error: true if it will not go away and the matter is closed.
    pub(crate) fn is_final(&mut self, what: &str, error: &ApiError) -> bool {
        // What a server that is behind the chain, or somebody in between, says now need not be so later.
        let may_pass = matches!(
            error.kind(),
            Some(
                ProblemKind::UnknownRound
                    | ProblemKind::WrongPhase
                    | ProblemKind::NotRegistered
                    | ProblemKind::NotPermitted
                    | ProblemKind::NotRevealed
            )
        );
        let garbled = matches!(error, ApiError::Unsigned(_) | ApiError::Answer { .. });
        let waits = error.retry_is_safe() || may_pass || garbled;
        if waits {
            self.not_before = Some(Instant::now() + PAUSE);
            tracing::debug!(what, %error, "the server will be told again");
        } else {
            tracing::info!(what, %error, "the server does not take it");
        }
        !waits
    }

    /// Does not speak to the server for a while.
    pub(crate) fn pause(&mut self) {
        self.not_before = Some(Instant::now() + PAUSE);
    }

    /// Compares the server's assignment of a round with the agent's own, once a round.
    ///
    /// # Errors
    /// [`AgentError::File`] if evidence cannot be kept.
    pub async fn compare(&mut self, round: Round, tracker: &Tracker) -> Result<Comparison, AgentError> {
        let Some(own) = tracker.assignment(round) else {
            return Ok(Comparison::Unknown);
        };
        if !self.asks || self.compared >= Some(round) {
            return Ok(Comparison::Unknown);
        }
        let Some(api) = self.api() else {
            return Ok(Comparison::Unknown);
        };
        let served = match api.served_assignment(round).await {
            Ok(answer) => answer,
            Err(error) => {
                if self.is_final("assignment", &error) {
                    self.compared = Some(round);
                }
                return Ok(Comparison::Unknown);
            }
        };
        self.compared = Some(round);
        let is_same = match tracker.document(round) {
            Some(document) => document.to_bytes().is_ok_and(|bytes| bytes == served.bytes),
            None => served
                .document
                .entries
                .iter()
                .map(assigned)
                .eq(own.iter().copied()),
        };
        if is_same {
            return Ok(Comparison::Same);
        }
        self.keep(round, &served)?;
        Ok(Comparison::Differs)
    }

    /// Keeps what a server said and its signature over it: the bytes in one file, what else was signed in another.
    fn keep(&self, round: Round, served: &ServedAssignment) -> Result<(), AgentError> {
        fs::create_dir_all(&self.evidence).map_err(AgentError::file(&self.evidence))?;
        let path = self.evidence.join(format!("assignment-{}.jsonl", round.0));
        let statement = path.with_extension("signed.json");
        let signed = serde_json::to_vec_pretty(&served.statement);
        write_atomically(&path, &served.bytes)?;
        write_atomically(
            &statement,
            &signed.map_err(|error| AgentError::invalid(&statement, error))?,
        )?;
        tracing::warn!(
            round = round.0,
            path = %path.display(),
            "the server assigns other units than the chain does, or from other inputs; the chain is followed"
        );
        Ok(())
    }
}
