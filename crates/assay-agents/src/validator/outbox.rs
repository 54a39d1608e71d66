//! Reports and samples on their way to the Task API: kept as a file a round until the server has them all or the round counts.

use std::path::{Path, PathBuf};

use assay_mechanism::reports::Line;
use assay_types::{AuditSample, ReportError, Round};
use fs_err as fs;

use crate::local::{read_bounded, write_atomically};
use crate::subnet::{AgentError, Courier};

/// Most bytes of a round's lines.
const FILE_BYTES_MAX: u64 = 96 << 20;

/// What an outbox holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Audit reports, which are on the chain already.
    Reports,
    /// Audited rows to look at.
    Samples,
}

/// When a round's lines are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Others could still report the same.
    Later,
    /// The server takes them.
    Now,
    /// The round is over.
    Never,
}

/// Where lines wait.
#[derive(Debug)]
pub(super) struct Outbox {
    folder: PathBuf,
    kind: Kind,
}

impl Outbox {
    pub(super) fn new(folder: &Path, kind: Kind) -> Self {
        let name = match kind {
            Kind::Reports => "outbox",
            Kind::Samples => "samples",
        };
        Self {
            folder: folder.join(name),
            kind,
        }
    }

    fn path(&self, round: Round) -> PathBuf {
        self.folder.join(format!("{}.jsonl", round.0))
    }

    /// Keeps a round's canonical lines.
    pub(super) fn put(
        &self,
        round: Round,
        lines: impl Iterator<Item = Result<Vec<u8>, ReportError>>,
    ) -> Result<(), AgentError> {
        fs::create_dir_all(&self.folder).map_err(AgentError::file(&self.folder))?;
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend(line.map_err(|error| AgentError::invalid(&self.folder, error))?);
            bytes.push(b'\n');
        }
        Ok(write_atomically(&self.path(round), &bytes)?)
    }

    /// Rounds whose lines wait, oldest first.
    fn rounds(&self) -> Result<Vec<Round>, AgentError> {
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

    /// Sends what may be sent now, and drops what is about rounds that are over.
    pub(super) async fn clear(
        &self,
        courier: &mut Courier,
        when: impl Fn(Round) -> When,
    ) -> Result<(), AgentError> {
        for round in self.rounds()? {
            match when(round) {
                When::Later => {}
                When::Now => self.send(round, courier).await?,
                When::Never => self.forget(round)?,
            }
        }
        Ok(())
    }

    /// Sends a round's lines in their order; they are forgotten when the server has all of them or refuses one.
    async fn send(&self, round: Round, courier: &mut Courier) -> Result<(), AgentError> {
        let path = self.path(round);
        let bytes = read_bounded(&path, FILE_BYTES_MAX).map_err(AgentError::file(&path))?;
        for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let Some(api) = courier.api() else { return Ok(()) };
            let invalid = |error: ReportError| AgentError::invalid(&path, error);
            let sent = match self.kind {
                Kind::Reports => match Line::parse(line).map_err(invalid)? {
                    Line::Audit(report) => api.report(&report).await,
                    Line::Cell(cell) => api.report_cell(&cell).await,
                },
                Kind::Samples => api.sample(&AuditSample::parse(line).map_err(invalid)?).await,
            };
            if let Err(error) = sent {
                match self.kind {
                    // Each report names the one before it.
                    Kind::Reports if courier.is_final("report", &error) => break,
                    Kind::Samples if courier.is_final("sample", &error) => {}
                    _ => return Ok(()),
                }
            }
        }
        self.forget(round)
    }

    /// Drops a round's lines.
    fn forget(&self, round: Round) -> Result<(), AgentError> {
        let path = self.path(round);
        fs::remove_file(&path).map_err(AgentError::file(&path))
    }
}
