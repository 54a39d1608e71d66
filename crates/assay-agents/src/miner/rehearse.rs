//! A round without a chain's consequences: refined as it would be, neither published nor committed.

use std::time::Instant;

use assay_types::{MANIFEST_FILE, Manifest, Round, UnitId};
use fs_err as fs;
use serde::Serialize;

use super::submission::Work;
use super::{Conduct, Miner};
use crate::local::read_bounded;
use crate::subnet::AgentError;

/// What a rehearsal came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rehearsal {
    /// The round whose units were taken; none if the hotkey holds none and the first of the corpus were taken.
    pub round: Option<Round>,
    /// Units refined.
    pub units: usize,
    /// Bytes of their archives.
    pub archive_bytes: u64,
    /// Records in them.
    pub records: u64,
    /// Records kept.
    pub kept: u64,
    /// Tokens of what was kept.
    pub tokens: u64,
    /// Seconds it took.
    pub seconds: f64,
    /// Root that would be committed.
    pub submission_root: assay_types::Digest,
}

impl Miner<'_> {
    /// Refines what the hotkey holds in the newest round, or as many units as a newcomer gets, into `dry-run` of the miner's
    /// folder.
    ///
    /// # Errors
    /// [`AgentError`], as in a round.
    pub async fn rehearse(&mut self) -> Result<Rehearsal, AgentError> {
        let head = self.chain.head(assay_chain::At::Head).await?.number;
        self.tracker.advance(self.chain, self.setup, head).await?;
        let newest = Round(self.tracker.state().assigned.saturating_sub(1));
        let hotkey = self.options.signer.hotkey();
        let assigned = self.tracker.assignment(newest).unwrap_or_default().iter();
        let mut units: Vec<UnitId> = assigned
            .filter(|one| one.is_held_by(&hotkey))
            .map(|one| one.unit)
            .collect();
        let round = (!units.is_empty()).then_some(newest);
        if units.is_empty() {
            let few = usize::try_from(self.setup.params.values.cap_first).unwrap_or(usize::MAX);
            units = self
                .setup
                .corpus
                .iter()
                .take(few)
                .map(|unit| unit.unit_id)
                .collect();
        }
        let folder = self.options.folder.join("dry-run");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(AgentError::file(&folder))?;
        }
        let known = units.iter().filter_map(|unit| self.setup.unit(unit));
        let archive_bytes = known.map(|unit| unit.bytes.0).sum();
        let mut options = self.options.clone();
        options.conduct = Conduct::Honest;
        let recipe = self.recipe(newest).await?;
        let work = Work {
            setup: self.setup.clone(),
            recipe,
            options,
            round: newest,
            units: units.clone(),
            folder: folder.clone(),
            created: self.setup.clock.start(newest),
            public: Vec::new(),
        };
        let began = Instant::now();
        let root = tokio::task::spawn_blocking(move || work.refine())
            .await
            .map_err(|error| AgentError::Worker(error.to_string()))??;
        let path = folder.join(MANIFEST_FILE);
        let bytes = read_bounded(&path, assay_types::MANIFEST_BYTES_MAX as u64);
        let manifest = Manifest::parse(&bytes.map_err(AgentError::file(&path))?)
            .map_err(|error| AgentError::invalid(&path, error))?;
        let sum = |of: fn(&assay_types::ManifestUnit) -> u64| manifest.units.iter().map(of).sum();
        Ok(Rehearsal {
            round,
            units: units.len(),
            archive_bytes,
            records: sum(|unit| u64::from(unit.n_records)),
            kept: sum(|unit| u64::from(unit.n_kept)),
            tokens: sum(|unit| unit.n_tokens.0),
            seconds: began.elapsed().as_secs_f64(),
            submission_root: root,
        })
    }
}
