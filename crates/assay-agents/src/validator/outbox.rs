//! Reports on their way to the Task API: kept as a file a round until the server has them all or the round counts.

use std::path::{Path, PathBuf};

use assay_types::{AuditReport, Round};
use fs_err as fs;

use crate::local::{read_bounded, write_atomically};
use crate::subnet::{AgentError, Courier};

/// Most bytes of a round's reports.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Where reports wait.
#[derive(Debug)]
pub(super) struct Outbox {
    folder: PathBuf,
}

impl Outbox {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.join("outbox"),
        }
    }

    fn path(&self, round: Round) -> PathBuf {
        self.folder.join(format!("{}.jsonl", round.0))
    }

    /// Keeps a round's reports; they are on the chain already.
    pub(super) fn put(&self, round: Round, reports: &[AuditReport]) -> Result<(), AgentError> {
        fs::create_dir_all(&self.folder).map_err(AgentError::file(&self.folder))?;
        let mut bytes = Vec::new();
        for report in reports {
            let line = report
                .to_canonical_bytes()
                .map_err(|error| AgentError::invalid(&self.folder, error))?;
            bytes.extend_from_slice(&line);
            bytes.push(b'\n');
        }
        Ok(write_atomically(&self.path(round), &bytes)?)
    }

    /// Rounds whose reports wait, oldest first.
    pub(super) fn rounds(&self) -> Result<Vec<Round>, AgentError> {
        if !self.folder.exists() {
            return Ok(Vec::new());
        }
        let mut rounds = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(AgentError::file(&self.folder))? {
            let name = entry.map_err(AgentError::file(&self.folder))?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".jsonl"));
            rounds.extend(number.and_then(|number| number.parse().ok()).map(Round));
        }
        rounds.sort_unstable();
        Ok(rounds)
    }

    /// Sends a round's reports in their order; they are forgotten when the server has all of them or refuses one.
    pub(super) async fn send(&self, round: Round, courier: &mut Courier) -> Result<(), AgentError> {
        let path = self.path(round);
        let bytes = read_bounded(&path, FILE_BYTES_MAX).map_err(AgentError::file(&path))?;
        for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let report = AuditReport::parse(line).map_err(|error| AgentError::invalid(&path, error))?;
            let Some(api) = courier.api() else { return Ok(()) };
            if let Err(error) = api.report(&report).await {
                if courier.is_final("report", &error) {
                    break;
                }
                return Ok(());
            }
        }
        self.forget(round)
    }

    /// Drops a round's reports.
    pub(super) fn forget(&self, round: Round) -> Result<(), AgentError> {
        let path = self.path(round);
        fs::remove_file(&path).map_err(AgentError::file(&path))
    }
}
