//! Where foreign files are read: another process, limited in memory and time, whose death harms nobody.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::audit::{AuditJob, Audited, audit};
use crate::subnet::AgentError;

/// Longest an audit may take: ten times what the largest honest one takes.
const AUDIT_TIME_MAX: Duration = Duration::from_mins(10);

/// Most bytes of an answer: probes and keys of 256 units.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// Where audits are done.
#[derive(Debug, Clone)]
pub enum Worker {
    /// In this process: for tests of the audit itself.
    Here,
    /// In a process of this program, started as `<program> worker audit`.
    Process(PathBuf),
}

impl Worker {
    /// Does an audit.
    ///
    /// # Errors
    /// [`AgentError::Worker`] if the worker died, was killed, or could not read the validator's own files: never the miner's
    /// fault.
    pub async fn audit(&self, job: AuditJob) -> Result<Audited, AgentError> {
        let failed = |error: &dyn std::fmt::Display| AgentError::Worker(error.to_string());
        let Self::Process(program) = self else {
            let done = tokio::task::spawn_blocking(move || audit(&job)).await;
            return done
                .map_err(|error| failed(&error))?
                .map_err(|error| failed(&error));
        };
        let question = serde_json::to_vec(&job).map_err(|error| failed(&error))?;
        let mut child = Command::new(program)
            .args(["worker", "audit"])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(&error))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(&question).await.map_err(|error| failed(&error))?;
        }
        let ended = tokio::time::timeout(AUDIT_TIME_MAX, child.wait_with_output()).await;
        let output = ended
            .map_err(|error| failed(&error))?
            .map_err(|error| failed(&error))?;
        if !output.status.success() || output.stdout.len() > ANSWER_BYTES_MAX {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().last().unwrap_or_default().chars().take(300);
            return Err(AgentError::Worker(format!(
                "{}: {}",
                output.status,
                last.collect::<String>()
            )));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| failed(&error))
    }
}
