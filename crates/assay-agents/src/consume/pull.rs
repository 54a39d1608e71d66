//! Fetches units of a published dataset into a folder that the local driver reads, each file and root checked.
//!
//! Units are whole and come in an order drawn by the seed, so that a budget is a fair sample. A folder becomes a dataset
//! when its `manifest.json` appears, last; `published.json` beside it is the publisher's manifest from the start. The same
//! call again takes up what is missing; a larger budget adds units.

use std::collections::BTreeSet;
use std::path::Path;

use assay_hub::store::ObjectPath;
use assay_types::{Fault, MANIFEST_FILE, Manifest, ManifestUnit, Tokens, UnitId, tagged_hash};
use fs_err as fs;

use super::error::ConsumeError;
use super::published::Published;
use crate::local::{Dataset, LocalError, unit_faults, write_atomically};

/// The publisher's manifest in a pulled folder; `manifest.json` names only the units that are there.
pub const PUBLISHED_FILE: &str = "published.json";

/// Files beside the units that are fetched where they are published.
const BESIDE: [&str; 2] = ["OWNER.sig", "README.md"];

/// What to fetch.
#[derive(Debug)]
pub struct PullJob<'a> {
    /// The open revision.
    pub published: &'a Published,
    /// The folder to fill.
    pub out: &'a Path,
    /// Most tokens (GPT-2), as the manifest counts them; all units without.
    pub tokens: Option<Tokens>,
    /// Seed of the order in which units are taken.
    pub seed: u64,
}

/// What was fetched.
#[derive(Debug, Default)]
pub struct Pulled {
    /// Units in the folder now.
    pub units: u64,
    /// Tokens of them.
    pub tokens: Tokens,
    /// Documents of them.
    pub documents: u64,
    /// Bytes transferred by this call.
    pub bytes: u64,
    /// What is not as the manifest says; then the folder is no dataset.
    pub faults: Vec<Fault>,
}

/// Fetches and checks; reports each unit to `each` when it is whole.
///
/// # Errors
/// [`ConsumeError`] if a file cannot be read or written, or differs from the revision's own list of files. What differs
/// from the manifest is in [`Pulled::faults`].
pub async fn pull(job: &PullJob<'_>, each: &(dyn Fn(&ManifestUnit) + Sync)) -> Result<Pulled, ConsumeError> {
    let manifest = &job.published.manifest;
    let chosen = chosen(job)?;
    begin(job)?;
    let dataset = Dataset::of(job.out, manifest.clone());
    let mut pulled = Pulled::default();
    for unit in manifest
        .units
        .iter()
        .filter(|unit| chosen.contains(&unit.unit_id))
    {
        for path in paths(unit) {
            pulled.bytes += fetch(job, path).await?;
        }
        let faults = unit_faults(&dataset, unit)?;
        if faults.is_empty() {
            pulled.units += 1;
            pulled.tokens = Tokens(pulled.tokens.0.saturating_add(unit.n_tokens.0));
            pulled.documents += u64::from(unit.n_kept);
            each(unit);
        }
        pulled.faults.extend(faults);
    }
    for name in BESIDE {
        if job
            .published
            .view
            .list(name)
            .any(|entry| entry.path.as_str() == name)
        {
            pulled.bytes += fetch(job, name).await?;
        }
    }
    if pulled.faults.is_empty() {
        finish(job, &chosen)?;
    }
    Ok(pulled)
}

/// The units to have: those that are there, and as many others as fit, in the seed's order.
fn chosen(job: &PullJob<'_>) -> Result<BTreeSet<UnitId>, ConsumeError> {
    let units = &job.published.manifest.units;
    let Some(budget) = job.tokens else {
        return Ok(units.iter().map(|unit| unit.unit_id).collect());
    };
    let there: BTreeSet<UnitId> = match Dataset::open(job.out) {
        Ok(dataset) => dataset.manifest.units.iter().map(|unit| unit.unit_id).collect(),
        Err(_) => BTreeSet::new(),
    };
    let mut order: Vec<&ManifestUnit> = units.iter().collect();
    let seed = job.seed.to_le_bytes();
    order.sort_by_key(|unit| {
        let drawn = tagged_hash("assay/pull/1", &[&seed, unit.unit_id.as_bytes()]);
        (!there.contains(&unit.unit_id), drawn)
    });
    let mut chosen = BTreeSet::new();
    let mut left = budget.0;
    for unit in order {
        let is_there = there.contains(&unit.unit_id);
        if is_there || unit.n_tokens.0 <= left {
            left = left.saturating_sub(unit.n_tokens.0);
            chosen.insert(unit.unit_id);
        }
    }
    match units.iter().map(|unit| unit.n_tokens).min() {
        Some(smallest) if chosen.is_empty() => Err(ConsumeError::Budget { budget, smallest }),
        _ => Ok(chosen),
    }
}

/// Makes the folder this dataset's, or refuses another's.
fn begin(job: &PullJob<'_>) -> Result<(), ConsumeError> {
    let published = job.out.join(PUBLISHED_FILE);
    fs::create_dir_all(job.out).map_err(LocalError::io(job.out))?;
    let is_same = match fs::read(&published) {
        Ok(bytes) => bytes == job.published.bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => !job.out.join(MANIFEST_FILE).exists(),
        Err(error) => return Err(LocalError::io(&published)(error).into()),
    };
    if !is_same {
        return Err(ConsumeError::OtherDataset {
            path: job.out.to_owned(),
        });
    }
    Ok(write_atomically(&published, &job.published.bytes)?)
}

/// Writes the manifest of what is there: the publisher's own where that is everything.
fn finish(job: &PullJob<'_>, chosen: &BTreeSet<UnitId>) -> Result<(), ConsumeError> {
    let path = job.out.join(MANIFEST_FILE);
    let whole = &job.published.manifest;
    if chosen.len() == whole.units.len() {
        return Ok(write_atomically(&path, &job.published.bytes)?);
    }
    let units = whole.units.iter().filter(|unit| chosen.contains(&unit.unit_id));
    let part = Manifest::local(units.cloned().collect(), whole.tool.clone(), &whole.licence);
    let bytes = part.to_canonical_bytes().map_err(|source| LocalError::Manifest {
        path: path.clone(),
        source,
    })?;
    Ok(write_atomically(&path, &bytes)?)
}

async fn fetch(job: &PullJob<'_>, path: &str) -> Result<u64, ConsumeError> {
    let object = ObjectPath::parse(path).map_err(assay_hub::store::StoreError::from)?;
    let target = job.out.join(path);
    Ok(job.published.view.download(&object, &target).await?)
}

fn paths(unit: &ManifestUnit) -> impl Iterator<Item = &str> {
    let docs = unit.docs.iter().map(|docs| docs.path.as_str());
    [unit.ledger.path.as_str(), unit.bands.path.as_str()]
        .into_iter()
        .chain(docs)
}
