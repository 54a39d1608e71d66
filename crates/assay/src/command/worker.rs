//! `assay worker`: does one job on foreign files with little memory, then ends. Started by services, not by people.

use std::io::{Read as _, Write as _};

use anyhow::Context as _;
use assay_agents::validator::{AuditJob, MeasureJob, audit, measure};
use serde::de::DeserializeOwned;

use crate::cli::WorkerCommand;
use crate::command::limits::Limits;
use crate::exit::Status;

/// An honest audit takes a few hundred megabytes; the time is that after which a validator gives a worker up.
const LIMITS: Limits = Limits {
    memory_bytes: 1 << 30,
    cpu_seconds: 600,
    file_bytes: 0,
};

/// Eight archives of Common Crawl with a few recipes, and models of a few million parameters; the time is a day of one core.
const DUEL_LIMITS: Limits = Limits {
    memory_bytes: 8 << 30,
    cpu_seconds: 86_400,
    file_bytes: 4 << 30,
};

/// Most bytes of a job.
const JOB_BYTES_MAX: u64 = 64 << 20;

pub(super) fn run(command: &WorkerCommand) -> anyhow::Result<Status> {
    die_with_parent()?;
    let answer = match command {
        WorkerCommand::Audit => {
            LIMITS.set()?;
            serde_json::to_vec(&audit(&job::<AuditJob>()?)?)?
        }
        WorkerCommand::Measure => {
            DUEL_LIMITS.set()?;
            serde_json::to_vec(&measure(&job::<MeasureJob>()?)?)?
        }
    };
    std::io::stdout().write_all(&answer)?;
    Ok(Status::Ok)
}

/// A worker whose service was killed must not go on in its folder.
fn die_with_parent() -> anyhow::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .context("follow the service to its end")?;
    Ok(())
}

/// The job on standard input.
fn job<J: DeserializeOwned>() -> anyhow::Result<J> {
    let mut job = Vec::new();
    std::io::stdin().take(JOB_BYTES_MAX).read_to_end(&mut job)?;
    serde_json::from_slice(&job).context("read the job")
}
