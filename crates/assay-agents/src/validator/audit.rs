//! The audit of one submission's files: the drawn places recomputed and compared, by a process that may be killed.
//!
//! A job comes in as JSON (a folder with the manifest and the audited units' files, the seed, the recipes); faults, probes and
//! band keys go out. Runs inside `assay worker audit`, since every byte of the folder is a stranger's. Deterministic: two
//! validators with the same job get the same answer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use assay_hub::{OpenOptions, Source};
use assay_mechanism::novelty::KEY_SAMPLE;
use assay_mechanism::sample::{AuditedUnit, Place, draw_places, draw_units};
use assay_refine::engine::Engine;
use assay_refine::url_lists::UrlLists;
use assay_types::{
    Digest, Draws, Fault, FaultKind, FraudKind, FraudProof, LedgerRow, ManifestUnit, ParamSet, Probe, Reason,
    Recipe, UnitId, WorkUnit, blake3_16,
};
use serde::{Deserialize, Serialize};

use crate::local::{Dataset, LocalError, Places, Sample, VerifyJob, verify};
use crate::subnet::Archives;

/// Faults that one report names: beyond them nothing changes.
pub(super) const FAULTS_MAX: usize = 64;

/// Most rows of a unit: six times those of a Common Crawl archive, and what eight ledgers of take stays within the worker's
/// memory (64 bytes a row).
const ROWS_MAX: u64 = 1 << 20;

/// Proofs made of one audit.
const PROOFS_MAX: usize = 2;

/// An audit to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditJob {
    /// Folder with `manifest.json`, all units' band files and the audited units' other files.
    pub folder: PathBuf,
    /// Where the archives are.
    pub archives: Archives,
    /// How they are read; without secrets, which the worker does not get.
    #[serde(default)]
    pub open: OpenOptions,
    /// Units to audit: how many of those delivered.
    pub audited: u64,
    /// Seed of the draws.
    pub seed: Digest,
    /// Parameter set, canonical text.
    pub params: String,
    /// Active recipes, canonical text.
    pub recipes: Vec<String>,
    /// The delivered units as the corpus index has them, by ascending id.
    pub units: Vec<WorkUnit>,
}

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audited {
    /// Distinct faults, by unit and place.
    pub faults: Vec<Fault>,
    /// Rows recomputed, with a digest of each.
    pub probes: Vec<Probe>,
    /// Proofs of faults at distinct places, unsigned: two are fraud, more change nothing.
    pub proofs: Vec<FraudProof>,
    /// Band keys of kept records that enter the novelty index, by unit, ascending.
    pub keys: BTreeMap<UnitId, BTreeSet<u64>>,
}

/// Why an audit could not be done; says nothing about the submission.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A file of the validator's own.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The job itself.
    #[error("audit job: {0}")]
    Job(String),
}

/// The numbers of the units drawn first: which files an audit needs.
#[must_use]
pub fn drawn_units(seed: &Digest, delivered: u64, audited: u64) -> Vec<u64> {
    draw_units(&mut Draws::new(seed.as_bytes()), delivered, audited)
}

/// Does an audit.
///
/// # Errors
/// [`AuditError`] for the validator's own side: an archive or the job cannot be read. What is wrong with the submission is a
/// fault.
pub fn audit(job: &AuditJob) -> Result<Audited, AuditError> {
    let params = ParamSet::parse_any(&job.params).map_err(|error| AuditError::Job(error.to_string()))?;
    let dataset = Dataset::open(&job.folder)?.with_rows_max(ROWS_MAX);
    let mut draws = Draws::new(job.seed.as_bytes());
    let delivered = job.units.len() as u64;
    let drawn: Vec<&ManifestUnit> = draw_units(&mut draws, delivered, job.audited)
        .into_iter()
        .filter_map(|at| {
            usize::try_from(at)
                .ok()
                .and_then(|at| dataset.manifest.units.get(at))
        })
        .collect();
    // A ledger that cannot be read offers no rows to draw; `verify` names the fault.
    let ledgers: Vec<Vec<LedgerRow>> = drawn
        .iter()
        .map(|unit| dataset.ledger(unit).unwrap_or_default())
        .collect();
    let units: Vec<AuditedUnit> = drawn
        .iter()
        .zip(&ledgers)
        .map(|(unit, ledger)| AuditedUnit {
            kept: count(ledger, is_kept),
            content: count(ledger, is_content),
            bytes: job
                .units
                .iter()
                .find(|known| known.unit_id == unit.unit_id)
                .map_or(0, |known| known.bytes.0),
        })
        .collect();
    let sample = draw_places(&mut draws, &units, &params.values);
    let no_places = Places {
        window_bytes: params.values.window,
        ..Places::default()
    };
    let mut places: BTreeMap<UnitId, Places> = drawn
        .iter()
        .map(|unit| (unit.unit_id, no_places.clone()))
        .collect();
    let mut rows = |chosen: &[Place], fits: fn(&LedgerRow) -> bool| {
        for place in chosen {
            let (Some(unit), Some(ledger)) = (drawn.get(place.unit), ledgers.get(place.unit)) else {
                continue;
            };
            let row = ledger.iter().filter(|row| fits(row)).nth(place.at as usize);
            if let (Some(row), Some(places)) = (row, places.get_mut(&unit.unit_id)) {
                places.rows.insert(row.idx);
            }
        }
    };
    rows(&sample.kept, is_kept);
    rows(&sample.content, is_content);
    for place in &sample.offsets {
        let unit = drawn.get(place.unit);
        if let Some(places) = unit.and_then(|unit| places.get_mut(&unit.unit_id)) {
            places.offsets.insert(place.at);
        }
    }
    let (mut faults, proofs) = recompute(job, &dataset, &places)?;
    faults.truncate(FAULTS_MAX);
    let probes = drawn
        .iter()
        .zip(&ledgers)
        .flat_map(|(unit, ledger)| probes(unit.unit_id, ledger, places.get(&unit.unit_id)))
        .collect();
    Ok(Audited {
        faults,
        probes,
        proofs: provable(proofs),
        keys: keys(&dataset),
    })
}

/// Recomputes the places, recipe by recipe; faults by unit and place, each place once.
fn recompute(
    job: &AuditJob,
    dataset: &Dataset,
    places: &BTreeMap<UnitId, Places>,
) -> Result<(Vec<Fault>, Vec<FraudProof>), AuditError> {
    let archives = job
        .units
        .iter()
        .map(|unit| {
            job.archives
                .source(unit)
                .map_err(|error| AuditError::Job(error.to_string()))
        })
        .collect::<Result<Vec<Source>, AuditError>>()?;
    let (mut found, mut proofs) = (Vec::new(), Vec::new());
    for text in &job.recipes {
        let recipe = Recipe::parse(text).map_err(|error| AuditError::Job(error.to_string()))?;
        let of_recipe: BTreeMap<UnitId, Places> = dataset
            .manifest
            .units
            .iter()
            .filter(|unit| unit.recipe_id == recipe.id())
            .filter_map(|unit| Some((unit.unit_id, places.get(&unit.unit_id)?.clone())))
            .collect();
        if of_recipe.is_empty() {
            continue;
        }
        let engine = engine(recipe)?;
        let verified = verify(&VerifyJob {
            dataset,
            archives: &archives,
            open: &job.open,
            engine: &engine,
            others: &[],
            sample: Sample::Places(&of_recipe),
            seed: 0,
            prefix: false,
            threads: 1,
        })?;
        found.extend(verified.faults);
        proofs.extend(verified.proofs);
    }
    Ok((distinct(found, &job.folder), proofs))
}

/// The proofs worth having: one a row, first those that anybody with the archive can check.
fn provable(mut proofs: Vec<FraudProof>) -> Vec<FraudProof> {
    proofs.sort_by_key(|proof| proof.kind == FraudKind::ColumnWrong);
    let mut places = BTreeSet::new();
    proofs.retain(|proof| places.insert((proof.unit.unit_id, proof.rows.first().map(|row| row.index))));
    proofs.truncate(PROOFS_MAX);
    proofs
}

fn engine(recipe: Recipe) -> Result<Engine, AuditError> {
    Engine::new(recipe, &UrlLists::default()).map_err(|error| AuditError::Job(error.to_string()))
}

/// One fault a place, in the order of units and places, with nothing in it that names this machine.
fn distinct(mut faults: Vec<Fault>, folder: &Path) -> Vec<Fault> {
    let place = |fault: &Fault| (fault.unit, fault.idx, fault.offset);
    faults.sort_by_key(|fault| (place(fault), fault.kind));
    faults.dedup_by_key(|fault| place(fault));
    let here = folder.to_string_lossy().into_owned();
    for fault in &mut faults {
        if matches!(fault.kind, FaultKind::Unreadable | FaultKind::FileMismatch) {
            fault.found = fault.found.replace(&here, "");
        }
    }
    faults
}

fn is_kept(row: &LedgerRow) -> bool {
    row.reason == Reason::Kept
}

fn is_content(row: &LedgerRow) -> bool {
    row.reason != Reason::NotContent
}

fn count(ledger: &[LedgerRow], fits: fn(&LedgerRow) -> bool) -> u64 {
    ledger.iter().filter(|row| fits(row)).count() as u64
}

fn probes(unit: UnitId, ledger: &[LedgerRow], places: Option<&Places>) -> Vec<Probe> {
    let chosen = |row: &&LedgerRow| places.is_some_and(|places| places.rows.contains(&row.idx));
    let rows = ledger.iter().filter(chosen);
    rows.map(|row| Probe {
        unit,
        idx: row.idx,
        result: blake3_16(&row.encode()),
    })
    .collect()
}

/// Band keys that enter the novelty index; a file that cannot be read gives none, and its unit is not paid for novelty by it:
/// an audited unit without readable bands is a fault.
fn keys(dataset: &Dataset) -> BTreeMap<UnitId, BTreeSet<u64>> {
    let units = dataset.manifest.units.iter();
    units
        .map(|unit| {
            let bands = dataset.bands(unit).unwrap_or_default();
            let keys = bands.iter().flat_map(|row| row.bands.0);
            (unit.unit_id, keys.filter(|key| key % KEY_SAMPLE == 0).collect())
        })
        .collect()
}
