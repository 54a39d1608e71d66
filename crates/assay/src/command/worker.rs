//! `assay worker`: does one job on foreign files with little memory, then ends. Started by services, not by people.

use std::io::{Read as _, Write as _};

use anyhow::Context as _;
use assay_agents::validator::{AuditJob, audit};

use crate::cli::WorkerCommand;
use crate::command::limits::Limits;
use crate::exit::Status;

/// An honest audit takes a few hundred megabytes; the time is that after which a validator gives a worker up.
const LIMITS: Limits = Limits {
    memory_bytes: 1 << 30,
    cpu_seconds: 600,
};

/// Most bytes of a job.
const JOB_BYTES_MAX: u64 = 64 << 20;

pub(super) fn run(command: &WorkerCommand) -> anyhow::Result<Status> {
    let WorkerCommand::Audit = command;
    LIMITS.set()?;
    let mut job = Vec::new();
    std::io::stdin().take(JOB_BYTES_MAX).read_to_end(&mut job)?;
    let job: AuditJob = serde_json::from_slice(&job).context("read the job")?;
    let answer = serde_json::to_vec(&audit(&job)?)?;
    std::io::stdout().write_all(&answer)?;
    Ok(Status::Ok)
}
