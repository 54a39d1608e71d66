//! What can be told without asking anybody: bits, cores, memory, disk, tokens.

use std::path::Path;

use assay_agents::local::{REFERENCE_PAGES, REFERENCE_ROOT, reference_root};
use assay_refine::report;
use assay_types::recipe::ENGINE;

use super::{Check, State};
use crate::cli::Role;
use crate::command::threads;
use crate::config;
use crate::recipes;

/// Memory that is free for comfort, bytes: a worker holds a record and its tables, about 64 MB each (docs/performance.md).
const MEMORY_COMFORT: u64 = 2 << 30;
/// Room that is needed whatever the work, and room that is comfortable without a subnet's file, bytes.
const DISK_MIN: u64 = 1 << 30;
const DISK_COMFORT: u64 = 10 << 30;

pub(super) fn version() -> Check {
    Check::ok(
        "version",
        format!(
            "assay {}, engine {ENGINE}, {} {}",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
            std::env::consts::ARCH
        ),
    )
}

/// Refines the reference records on all cores: every machine must come to the same root.
pub(super) fn bits() -> Check {
    const NAME: &str = "bits";
    const CURE: &str = "do not mine or validate on this machine; send `assay doctor --report`";
    let refined = || -> anyhow::Result<String> {
        let folder = tempfile::tempdir()?;
        let engine = recipes::engine("fineweb-en-v1", None)?;
        Ok(reference_root(&engine, folder.path(), threads(None))?.to_string())
    };
    match refined() {
        Ok(root) if root == REFERENCE_ROOT => Check::ok(
            NAME,
            format!("{REFERENCE_PAGES} reference records refined to the same bytes as everywhere"),
        ),
        Ok(root) => Check::bad(
            NAME,
            State::Fail,
            format!("the reference records came out as {root} instead of {REFERENCE_ROOT}"),
            CURE,
        ),
        Err(error) => Check::bad(NAME, State::Fail, format!("{error:#}"), CURE),
    }
}

pub(super) fn cores() -> Check {
    match threads(None) {
        1 => Check::bad(
            "cores",
            State::Warn,
            "1 core: about a unit of Common Crawl in an hour",
            "take a machine with more cores, or a smaller `--want`",
        ),
        cores => Check::ok("cores", format!("{cores} cores")),
    }
}

pub(super) fn memory() -> Check {
    const NAME: &str = "memory";
    let Some(free) = available_memory() else {
        return Check::skip(NAME, "this system does not say how much memory is free");
    };
    let found = format!("{} available", report::bytes(free));
    if free < MEMORY_COMFORT {
        return Check::bad(
            NAME,
            State::Warn,
            found,
            "close other programs, or use fewer `--threads`",
        );
    }
    Check::ok(NAME, found)
}

/// `MemAvailable` of Linux, bytes (proc(5)).
fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1_024)
}

/// Room in the folder of the work, against `want` units of `unit_bytes` each.
pub(super) fn disk(folder: &Path, want: u16, unit_bytes: Option<u64>) -> Check {
    const NAME: &str = "disk";
    // The folder may not be there yet.
    let there = folder
        .ancestors()
        .find(|path| path.is_dir())
        .unwrap_or(Path::new("."));
    let free = match rustix::fs::statvfs(there) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => {
            let cure = "give another folder with `--dir`";
            return Check::bad(
                NAME,
                State::Fail,
                format!("the folder cannot be asked: {error}"),
                cure,
            );
        }
    };
    // Archives are read as they come; what stays is the refined rows, less than the archive.
    let needed = unit_bytes.map_or(DISK_COMFORT, |bytes| bytes.saturating_mul(u64::from(want)));
    let found = format!(
        "{} free of about {} for the work",
        report::bytes(free),
        report::bytes(needed)
    );
    let cure = "make room, take another `--dir`, or want fewer units";
    if free < DISK_MIN {
        Check::bad(NAME, State::Fail, found, cure)
    } else if free < needed {
        Check::bad(NAME, State::Warn, found, cure)
    } else {
        Check::ok(NAME, found)
    }
}

/// Whether there is a token of the hub: set or not, never what it is.
pub(super) fn token(role: Option<Role>) -> Check {
    const NAME: &str = "token";
    if config::store_options().hf_token.is_some() {
        return Check::ok(NAME, "HF_TOKEN is set");
    }
    if role == Some(Role::Miner) || role == Some(Role::Validator) {
        let cure =
            "set HF_TOKEN to a token with write access, unless the subnet's store is a folder or bucket";
        return Check::bad(NAME, State::Warn, "HF_TOKEN is not set", cure);
    }
    Check::skip(NAME, "HF_TOKEN is not set; only publishing on the hub needs it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_is_weighed_against_the_work() {
        let here = std::env::temp_dir();
        assert_eq!(disk(&here, 1, Some(0)).state, State::Ok);
        let much = disk(&here.join("not/there/yet"), u16::MAX, Some(u64::MAX));
        assert_eq!(much.state, State::Warn, "{much:?}");
        assert!(much.cure.is_some());
    }

    #[test]
    fn the_machine_is_described() {
        assert!(version().found.contains(ENGINE));
        assert_ne!(cores().state, State::Fail);
        assert_ne!(memory().state, State::Fail);
    }
}
