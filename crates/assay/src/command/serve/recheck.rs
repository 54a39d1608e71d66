//! `assay serve recheck`: judges one fraud proof from stdin in a process that can do little harm.

use std::io::{Read as _, Write as _};

use anyhow::Context as _;
use assay_server::recheck::{RecheckTask, judge};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::config;

/// Memory, bytes.
const MEMORY_BYTES_MAX: u64 = 2 << 30;
/// Processor time, seconds.
const CPU_SECONDS_MAX: u64 = 30;
/// Open files and sockets.
const FILES_MAX: u64 = 64;
/// Longest task, bytes: a proof and a recipe.
const TASK_BYTES_MAX: u64 = 8 << 20;

pub(super) fn run(archives: &str) -> anyhow::Result<()> {
    for (resource, bound) in [
        (Resource::As, MEMORY_BYTES_MAX),
        (Resource::Cpu, CPU_SECONDS_MAX),
        (Resource::Nofile, FILES_MAX),
        // It writes no file.
        (Resource::Fsize, 0),
    ] {
        let limit = Rlimit {
            current: Some(bound),
            maximum: Some(bound),
        };
        setrlimit(resource, limit).context("limit the process")?;
    }
    let mut bytes = Vec::new();
    std::io::stdin().take(TASK_BYTES_MAX).read_to_end(&mut bytes)?;
    let task: RecheckTask = serde_json::from_slice(&bytes).context("read the task")?;
    let judged = judge(&task, archives, &config::open_options())?;
    let mut stdout = anstream::stdout().lock();
    serde_json::to_writer(&mut stdout, &judged)?;
    Ok(stdout.write_all(b"\n")?)
}
