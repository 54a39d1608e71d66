//! `assay serve recheck`: judges one fraud proof from stdin in a process that can do little harm.

use std::io::{Read as _, Write as _};

use anyhow::Context as _;
use assay_server::recheck::{RecheckTask, judge};

use crate::command::limits::Limits;
use crate::config;

/// A proof is one record and a recipe.
const LIMITS: Limits = Limits {
    memory_bytes: 2 << 30,
    cpu_seconds: 30,
};
/// Longest task, bytes: a proof and a recipe.
const TASK_BYTES_MAX: u64 = 8 << 20;

pub(super) fn run(archives: &str) -> anyhow::Result<()> {
    LIMITS.set()?;
    let mut bytes = Vec::new();
    std::io::stdin().take(TASK_BYTES_MAX).read_to_end(&mut bytes)?;
    let task: RecheckTask = serde_json::from_slice(&bytes).context("read the task")?;
    let judged = judge(&task, archives, &config::open_options())?;
    let mut stdout = anstream::stdout().lock();
    serde_json::to_writer(&mut stdout, &judged)?;
    Ok(stdout.write_all(b"\n")?)
}
