//! One miner's submission, from its pointer to findings: what the chain binds, what the store holds, what the audit says.
//!
//! Stages V0 to V5 (docs/mechanism.md). A refusal is the miner's, a failure the validator's own: the first becomes a finding,
//! the second an error, which leaves this miner out of the report.

use std::path::Path;

use assay_hub::store::{ObjectPath, Side, StoreError, View};
use assay_mechanism::admit::{Expected, admit_manifest};
use assay_mechanism::assign::Assigned;
use assay_mechanism::network::Found;
use assay_mechanism::sample::{audit_units, common_seed, private_seed};
use assay_mechanism::score::MinerState;
use assay_types::{
    Digest, Hotkey, MANIFEST_BYTES_MAX, MANIFEST_FILE, Manifest, ManifestUnit, ParamSet, Pointer, RecipeId,
    Round, WorkUnit,
};
use fs_err as fs;
use subxt_signer::sr25519::{PublicKey, Signature, verify};

use super::audit::{AuditJob, Audited, drawn_units};
use super::private::PrivateAudit;
use super::worker::Worker;
use crate::miner::{OWNER_FILE, owner_message};
use crate::subnet::{AgentError, Setup};

/// Most bytes read of one submission.
const SUBMISSION_BYTES_MAX: u64 = 2 << 30;

/// What is to be looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Submission<'a> {
    pub(super) setup: &'a Setup,
    pub(super) round: Round,
    pub(super) hotkey: Hotkey,
    pub(super) pointer: &'a Pointer,
    pub(super) assignment: &'a [Assigned],
    /// Recipes it may use.
    pub(super) active: &'a [RecipeId],
    /// By which seed it is looked at.
    pub(super) sample: Sampled<'a>,
    /// `S_t`.
    pub(super) beacon: Digest,
    /// Whether rows are wanted for people to look at.
    pub(super) show: bool,
}

/// By which seed a submission is looked at, and how far.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sampled<'a> {
    /// That of all validators: it decides the verdict.
    Common {
        /// What is known of the miner: all rounds before this one are settled.
        known: MinerState,
    },
    /// The validator's own: it serves proofs.
    Private {
        /// 32 bytes nobody else knows.
        secret: &'a [u8; 32],
        /// How far.
        audit: PrivateAudit,
    },
}

/// A submission that was read and audited.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) manifest: Manifest,
    pub(super) audited: Audited,
}

/// What came of looking.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It counts, with what was found.
    Admitted(Box<Looked>),
    /// It does not count.
    Refused(String),
    /// The miner's store does not give what the chain says is there.
    Unreachable(String),
}

impl Submission<'_> {
    /// Reads, admits and audits it, using `folder` for its files.
    pub(super) async fn look(&self, folder: &Path, worker: &Worker) -> Result<Outcome, AgentError> {
        let view = match self
            .setup
            .store
            .open(&self.pointer.repo, &self.pointer.revision)
            .await
        {
            Ok(view) => view,
            Err(error) => return unreachable(error),
        };
        let manifest = match self.manifest(&view).await {
            Ok(Ok(manifest)) => manifest,
            Ok(Err(refused)) => return Ok(Outcome::Refused(refused)),
            Err(error) => return unreachable(error),
        };
        let units: Vec<WorkUnit> = manifest
            .units
            .iter()
            .filter_map(|unit| self.setup.unit(&unit.unit_id).cloned())
            .collect();
        let (seed, audited) = self.draws(&manifest.submission_root, units.len() as u64);
        let drawn = Drawn {
            units: drawn_units(&seed, manifest.units.len() as u64, audited),
            // Novelty needs the bands of all units, once.
            all_bands: matches!(self.sample, Sampled::Common { .. }),
        };
        if let Err(error) = fetch(&view, &manifest, &drawn, folder).await {
            return unreachable(error);
        }
        let job = AuditJob {
            folder: folder.to_owned(),
            archives: self.setup.archives().clone(),
            open: self.setup.open().without_secrets(),
            audited,
            seed,
            params: self.params()?.to_canonical(),
            recipes: self.setup.recipe_texts(self.active),
            units,
            show: self.show,
        };
        let audited = worker.audit(job).await?;
        Ok(Outcome::Admitted(Box::new(Looked { manifest, audited })))
    }

    /// The seed, and how many of the units delivered are drawn by it.
    fn draws(&self, root: &Digest, delivered: u64) -> (Digest, u64) {
        let (beacon, hotkey) = (&self.beacon.0, &self.hotkey);
        match self.sample {
            Sampled::Common { known } => {
                let values = &self.setup.params.values;
                let audited = audit_units(known.credibility, known.passed, delivered, values);
                (common_seed(beacon, hotkey, root), audited)
            }
            Sampled::Private { secret, audit } => {
                let seed = private_seed(beacon, hotkey, root, secret);
                (seed, audit.units.min(delivered))
            }
        }
    }

    /// The parameter set of the draws: that of the subnet, with a private audit's own numbers of probes.
    fn params(&self) -> Result<ParamSet, AgentError> {
        let mut params = self.setup.params.clone();
        if let Sampled::Private { audit, .. } = self.sample {
            for name in ["rows_kept", "probes_index", "probes_byte"] {
                let set = params.values.set(name, audit.probes);
                set.map_err(|error| AgentError::Unexpected {
                    what: "probes of a private audit",
                    reason: error.to_string(),
                })?;
            }
        }
        Ok(params)
    }

    /// The manifest, if it is the one the chain binds and its owner signed it; else why it is refused.
    async fn manifest(&self, view: &View) -> Result<Result<Manifest, String>, StoreError> {
        let bytes = match view
            .get(&ObjectPath::parse(MANIFEST_FILE)?, MANIFEST_BYTES_MAX as u64)
            .await
        {
            Err(StoreError::TooLarge { bytes, .. }) => {
                return Ok(Err(format!("a manifest of {bytes} bytes")));
            }
            bytes => bytes?,
        };
        let manifest = match Manifest::parse(&bytes) {
            Ok(manifest) => manifest,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let expected = Expected {
            round: self.round,
            hotkey: self.hotkey,
            assignment: self.assignment,
            active: self.active,
        };
        if let Err(refusal) = admit_manifest(&manifest, self.pointer, &expected) {
            return Ok(Err(refusal.to_string()));
        }
        let chain = [
            ("netuid", manifest.netuid == self.setup.netuid),
            (
                "index_root",
                manifest.index_root == self.setup.params.corpus_index_root,
            ),
            (
                "params_version",
                manifest.params_version == self.setup.params.version,
            ),
        ];
        if let Some((name, _)) = chain.into_iter().find(|(_, agrees)| !agrees) {
            return Ok(Err(format!("`{name}` of the manifest is not the chain's")));
        }
        let signature = match view.get(&ObjectPath::parse(OWNER_FILE)?, 256).await {
            Err(StoreError::NoFile { .. } | StoreError::TooLarge { .. }) => Vec::new(),
            bytes => bytes?,
        };
        if is_owners(&signature, &manifest) {
            Ok(Ok(manifest))
        } else {
            Ok(Err(format!("`{OWNER_FILE}` is not the owner's")))
        }
    }
}

/// Whether the owner of the hotkey signed the manifest.
fn is_owners(signature: &[u8], manifest: &Manifest) -> bool {
    let text = std::str::from_utf8(signature).unwrap_or_default();
    assay_types::hex::decode::<64>(text.trim()).is_ok_and(|signature| {
        verify(
            &Signature(signature),
            owner_message(manifest),
            &PublicKey(manifest.hotkey.0),
        )
    })
}

/// A failure of reading: the miner's if the store answered, the validator's own otherwise.
fn unreachable(error: StoreError) -> Result<Outcome, AgentError> {
    match error.side() {
        Side::Publisher => Ok(Outcome::Unreachable(error.to_string())),
        Side::Reader => Err(error.into()),
    }
}

/// Which files an audit needs.
struct Drawn {
    /// Units audited, by number.
    units: Vec<u64>,
    /// The bands of the other units, too.
    all_bands: bool,
}

impl Drawn {
    fn has(&self, at: usize) -> bool {
        self.units.contains(&(at as u64))
    }
}

/// Brings what the audit needs into `folder`: the manifest, bands, the audited units' ledgers and documents.
async fn fetch(view: &View, manifest: &Manifest, drawn: &Drawn, folder: &Path) -> Result<(), StoreError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::File { path, source }
    };
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(io(folder))?;
    }
    let mut paths = Vec::new();
    for (at, unit) in manifest.units.iter().enumerate() {
        if drawn.all_bands || drawn.has(at) {
            paths.push(&unit.bands.path);
        }
        if drawn.has(at) {
            paths.extend(audited_files(unit));
        }
    }
    let mut budget = SUBMISSION_BYTES_MAX;
    let manifest_path = MANIFEST_FILE.to_owned();
    paths.push(&manifest_path);
    for path in paths {
        let path = ObjectPath::parse(path)?;
        let bytes = view.head(&path)?.bytes;
        budget = budget.checked_sub(bytes).ok_or_else(|| StoreError::TooLarge {
            path: path.clone(),
            bytes,
            limit: SUBMISSION_BYTES_MAX,
        })?;
        view.download(&path, &folder.join(path.as_str())).await?;
    }
    Ok(())
}

fn audited_files(unit: &ManifestUnit) -> impl Iterator<Item = &String> {
    std::iter::once(&unit.ledger.path).chain(unit.docs.iter().map(|docs| &docs.path))
}

/// The finding about a miner whose round does not count.
pub(super) fn absent(hotkey: Hotkey, pointer: Option<&Pointer>, unreachable: bool) -> Found {
    Found {
        hotkey,
        submission_root: pointer.map_or(Digest::ZERO, |pointer| pointer.submission_root),
        unreachable,
        delivered: Vec::new(),
        faults: Vec::new(),
    }
}
