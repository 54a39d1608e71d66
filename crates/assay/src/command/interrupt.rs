//! The wait of services for their end: Ctrl-C, or the signal by which service managers end them.

use anyhow::Context as _;
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

/// Ends when this process is asked to.
pub(super) async fn interrupted() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = ctrl_c() => interrupted.context("wait for an interrupt"),
        _ = terminate.recv() => Ok(()),
    }
}
