//! Where foreign files are read: another process, limited in memory and time, whose death harms nobody.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::audit::{AuditJob, Audited, audit};
use super::measure::{MeasureJob, measure};
use crate::local::MeasuredCells;
use crate::subnet::AgentError;

/// Longest an audit may take: ten times what the largest honest one takes.
const AUDIT_TIME_MAX: Duration = Duration::from_mins(10);

/// Longest a measurement may take: half a cycle of ten rounds, with time to report.
const MEASURE_TIME_MAX: Duration = Duration::from_hours(10);

/// Most bytes of an answer: probes and keys of 256 units.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// Where audits are done.
#[derive(Debug, Clone)]
pub enum Worker {
    /// In this process: for tests of the audit itself.
    Here,
    /// In a process of this program, started as `<program> worker audit` or `worker measure`.
    Process(PathBuf),
}

impl Worker {
    /// Does an audit.
    ///
    /// # Errors
    /// [`AgentError::Worker`] if the worker died, was killed, or could not read the validator's own files: never the miner's
    /// fault.
    pub async fn audit(&self, job: AuditJob) -> Result<Audited, AgentError> {
        self.ask(("audit", AUDIT_TIME_MAX), job, audit).await
    }

    /// Measures the cells of a duel's stage.
    ///
    /// # Errors
    /// [`AgentError::Worker`] if the worker died, was killed, or could not measure.
    pub async fn measure(&self, job: MeasureJob) -> Result<MeasuredCells, AgentError> {
        self.ask(("measure", MEASURE_TIME_MAX), job, measure).await
    }

    /// Does a job here, or in a process that is given `time_max`.
    async fn ask<J, A, E>(
        &self,
        (name, time_max): (&str, Duration),
        job: J,
        here: fn(&J) -> Result<A, E>,
    ) -> Result<A, AgentError>
    where
        J: Serialize + Send + 'static,
        A: DeserializeOwned + Send + 'static,
        E: std::fmt::Display + Send + 'static,
    {
        let failed = |error: &dyn std::fmt::Display| AgentError::Worker(error.to_string());
        let Self::Process(program) = self else {
            let done = tokio::task::spawn_blocking(move || here(&job)).await;
            return done
                .map_err(|error| failed(&error))?
                .map_err(|error| failed(&error));
        };
        let question = serde_json::to_vec(&job).map_err(|error| failed(&error))?;
        let mut child = Command::new(program)
            .args(["worker", name])
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
        let ended = tokio::time::timeout(time_max, child.wait_with_output()).await;
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
