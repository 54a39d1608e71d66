//! A round's work on this machine: units refined into a folder, and the manifest that binds them to round and hotkey.

use std::path::PathBuf;

use assay_hub::Source;
use assay_refine::unit::Format;
use assay_types::{
    BlockNumber, Digest, MANIFEST_FILE, Manifest, ManifestError, RecipeId, Round, UnitId, WorkUnit,
};

use super::conduct::Conduct;
use super::suspect;
use super::{MinerOptions, RoundJournal};
use crate::local::{RefineJob, Silent, refine, write_atomically};
use crate::subnet::{AgentError, Setup};

/// What is to be done, whole: it runs on a thread of its own.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) setup: Setup,
    pub(super) options: MinerOptions,
    pub(super) recipe: RecipeId,
    pub(super) round: Round,
    pub(super) units: Vec<UnitId>,
    pub(super) folder: PathBuf,
    pub(super) created: BlockNumber,
    /// Units of the round before, which everybody can read by now; only the copycat looks.
    pub(super) public: Vec<UnitId>,
}

impl Work {
    /// Refines the units and writes the round's manifest and the owner's signature; gives the submission root.
    ///
    /// Finished units of an earlier, killed run are taken over.
    pub(super) fn refine(&self) -> Result<Digest, AgentError> {
        let engine = self.setup.engine(&self.recipe)?;
        let sources = self.sources()?;
        let alter = self.options.conduct.alter();
        let open = self.setup.open();
        let job = RefineJob {
            sources: &sources,
            open,
            out: self.folder.clone(),
            engine: &engine,
            threads: self.options.threads,
            limit: None,
            format: Format::Parquet,
            features: false,
            alter: alter.as_deref(),
        };
        let report = refine(&job, &Silent)?;
        if let Some(failed) = report.failed.into_iter().next() {
            return Err(failed.error.into());
        }
        if self.options.conduct == Conduct::Honest {
            suspect::check((&self.setup, &self.folder), &report.manifest, &sources)?;
        }
        self.sign(report.manifest)
    }

    /// The archives, under the names of the units they are filed as.
    fn sources(&self) -> Result<Vec<Source>, AgentError> {
        let mut sources = Vec::with_capacity(self.units.len());
        for id in &self.units {
            let unit = self.unit(id)?;
            let mut source = self.setup.source(unit)?;
            if self.options.conduct == Conduct::Copycat
                && let Some(other) = self.another(id)?
            {
                source = Source {
                    input: other.input,
                    bytes: other.bytes,
                    ..source
                };
            }
            sources.push(source);
        }
        Ok(sources)
    }

    fn unit(&self, id: &UnitId) -> Result<&WorkUnit, AgentError> {
        self.setup.unit(id).ok_or_else(|| AgentError::Unexpected {
            what: "assignment",
            reason: format!("unit `{id}` is not in the corpus"),
        })
    }

    /// The archive of a public unit other than this one: what the copycat files instead.
    fn another(&self, id: &UnitId) -> Result<Option<Source>, AgentError> {
        let held = self.units.iter().position(|held| held == id).unwrap_or_default();
        let others: Vec<&UnitId> = self.public.iter().filter(|public| *public != id).collect();
        let Some(other) = others.get(held % others.len().max(1)) else {
            return Ok(None);
        };
        Ok(Some(self.setup.source(self.unit(other)?)?))
    }

    /// The manifest of the round over the units refined, in place of the local run's, and the owner's signature beside it.
    fn sign(&self, local: Manifest) -> Result<Digest, AgentError> {
        let path = self.folder.join(MANIFEST_FILE);
        let invalid = |error: ManifestError| AgentError::invalid(&path, error);
        let hotkey = self.options.signer.hotkey();
        let mut manifest = Manifest {
            genesis: self.setup.genesis,
            netuid: self.setup.netuid,
            round: self.round,
            hotkey,
            params_version: self.setup.params.version,
            index_root: self.setup.params.corpus_index_root,
            prev_submission_root: self.previous()?,
            created_block: self.created,
            ..local
        };
        manifest.submission_root = manifest.expected_root();
        manifest.validate().map_err(invalid)?;
        let bytes = manifest.to_canonical_bytes().map_err(invalid)?;
        let message = owner_message(&manifest);
        let signature = self.options.signer.sign(&message);
        write_atomically(&self.folder.join(OWNER_FILE), signature.as_bytes())?;
        write_atomically(&path, &bytes)?;
        Ok(manifest.submission_root)
    }

    /// The root of the miner's submission before this one; zeros for the first.
    fn previous(&self) -> Result<Digest, AgentError> {
        let rounds = self.options.folder.join("rounds");
        for round in (0..self.round.0).rev().take(8) {
            let journal = RoundJournal::load(&rounds.join(round.to_string()))?;
            if let Some(root) = journal.and_then(|journal| journal.submission_root) {
                return Ok(root);
            }
        }
        Ok(Digest::ZERO)
    }
}

/// Name of the owner's signature.
pub(crate) const OWNER_FILE: &str = "OWNER.sig";

/// What the owner signs: `"assay/owner/1" ‖ 0x00 ‖ netuid ‖ round ‖ hotkey ‖ submission_root`.
pub(crate) fn owner_message(manifest: &Manifest) -> Vec<u8> {
    let mut message = b"assay/owner/1\0".to_vec();
    message.extend_from_slice(&manifest.netuid.0.to_le_bytes());
    message.extend_from_slice(&manifest.round.0.to_le_bytes());
    message.extend_from_slice(manifest.hotkey.as_bytes());
    message.extend_from_slice(manifest.submission_root.as_bytes());
    message
}
