//! What a process that reads strangers' bytes may use at most; set by itself before it reads the first of them.

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Open files and sockets.
const FILES_MAX: u64 = 64;

/// Bounds of a process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Address space, bytes.
    pub(super) memory_bytes: u64,
    /// Processor time, seconds.
    pub(super) cpu_seconds: u64,
    /// Longest file it may write, bytes.
    pub(super) file_bytes: u64,
}

impl Limits {
    /// Sets them for this process, for good.
    pub(super) fn set(self) -> anyhow::Result<()> {
        for (resource, bound) in [
            (Resource::As, self.memory_bytes),
            (Resource::Cpu, self.cpu_seconds),
            (Resource::Nofile, FILES_MAX),
            (Resource::Fsize, self.file_bytes),
        ] {
            let limit = Rlimit {
                current: Some(bound),
                maximum: Some(bound),
            };
            setrlimit(resource, limit).context("limit the process")?;
        }
        Ok(())
    }
}
