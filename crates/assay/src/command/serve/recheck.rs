//! `assay serve recheck`: judges one fraud proof from stdin in a process that can do little harm.

use std::io::{Read as _, Write as _};

use anyhow::Context as _;
use assay_hub::store::open_store;
use assay_server::recheck::{Places, Published, RecheckTask, judge};

use crate::command::limits::Limits;
use crate::config;

/// A proof is one record, a recipe, and at most one file of documents.
const LIMITS: Limits = Limits {
    memory_bytes: 2 << 30,
    cpu_seconds: 30,
    file_bytes: 0,
};
/// Longest task, bytes: a proof and a recipe.
const TASK_BYTES_MAX: u64 = 8 << 20;

pub(super) fn run(
    archives: &str,
    store: Option<&str>,
    runtime: &tokio::runtime::Handle,
) -> anyhow::Result<()> {
    LIMITS.set()?;
    let mut bytes = Vec::new();
    std::io::stdin().take(TASK_BYTES_MAX).read_to_end(&mut bytes)?;
    let task: RecheckTask = serde_json::from_slice(&bytes).context("read the task")?;
    let store = store
        .map(|address| open_store(address, &config::store_options()))
        .transpose()?;
    let published = store.as_deref().map(|store| Published { store, runtime });
    let places = Places { archives, published };
    let judged = judge(&task, &places, &config::open_options())?;
    let mut stdout = anstream::stdout().lock();
    serde_json::to_writer(&mut stdout, &judged)?;
    Ok(stdout.write_all(b"\n")?)
}
