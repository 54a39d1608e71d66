//! A dataset on disk: its manifest, its tables, its statistics.
//!
//! Opened from a folder that `assay refine` wrote; read by `assay dataset stats` and `assay verify`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use assay_refine::output::{DigestingWriter, DocsReader, read_bands, read_ledger};
use assay_refine::report::DatasetStats;
use assay_refine::unit::{Counts, read_documents_jsonl};
use assay_types::{
    BandRow, DocsRow, Fault, FaultKind, LOCAL_MANIFEST_BYTES_MAX, LedgerRow, Manifest, ManifestUnit,
    Sha256Digest, UnitId,
};
use fs_err as fs;

use super::error::LocalError;
use super::output::{Missing, markers_of, read_marker};

/// A dataset's folder and manifest.
#[derive(Debug)]
pub struct Dataset {
    path: PathBuf,
    /// The parsed and validated manifest.
    pub manifest: Manifest,
    /// Most rows read of any table.
    rows_max: u64,
}

impl Dataset {
    /// Reads and checks `manifest.json` of a folder.
    ///
    /// # Errors
    /// If there is none, or it is no canonical manifest.
    pub fn open(path: &Path) -> Result<Self, LocalError> {
        let file = path.join(assay_types::MANIFEST_FILE);
        let bytes = match read_bounded(&file, LOCAL_MANIFEST_BYTES_MAX as u64) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(LocalError::NoDataset {
                    path: path.to_owned(),
                });
            }
            read => read.map_err(LocalError::read(&file))?,
        };
        // Whether its parts agree is a finding of `verify`, not an error of opening.
        let manifest = Manifest::parse_unchecked(&bytes, LOCAL_MANIFEST_BYTES_MAX)
            .map_err(|source| LocalError::Manifest { path: file, source })?;
        Ok(Self::of(path, manifest))
    }

    /// The same with a bound on what is read of a table, whatever its manifest says: a table beyond it cannot be read.
    #[must_use]
    pub(crate) fn with_rows_max(self, rows_max: u64) -> Self {
        Self { rows_max, ..self }
    }

    /// A folder whose manifest is known already.
    pub(crate) fn of(path: &Path, manifest: Manifest) -> Self {
        Self {
            path: path.to_owned(),
            manifest,
            rows_max: u64::MAX,
        }
    }

    /// The error of a dataset without units.
    pub(super) fn no_units(&self) -> LocalError {
        LocalError::NoUnits {
            path: self.path.clone(),
        }
    }

    /// Whether a unit's completion marker says that only the beginning of its archive was read (`--limit`). Markers are no
    /// part of a published dataset and bind nothing: this explains differences, it excuses none.
    pub(super) fn is_limited(&self, unit: &ManifestUnit) -> bool {
        let folder = self.path.join("units").join(unit.unit_id.to_string());
        read_marker(&folder).is_ok_and(|marker| marker.settings.limit.is_some())
    }

    /// Path of one of the dataset's files.
    pub fn file(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    /// Files of a unit that are missing or differ from the manifest in length or SHA-256.
    pub fn file_faults(&self, unit: &ManifestUnit) -> Result<Vec<Fault>, LocalError> {
        let docs = unit
            .docs
            .iter()
            .map(|entry| (&entry.path, entry.bytes, entry.sha256));
        let tables = [
            (&unit.ledger.path, unit.ledger.bytes, unit.ledger.sha256),
            (&unit.bands.path, unit.bands.bytes, unit.bands.sha256),
        ];
        let mut faults = Vec::new();
        for (path, bytes, sha256) in tables.into_iter().chain(docs) {
            let expected = format!("`{path}` with sha256 {sha256}, {} bytes", bytes.0);
            let found = match sha256_of(&self.file(path)) {
                Ok(found) if found == (bytes.0, sha256) => continue,
                Ok((bytes, sha256)) => format!("sha256 {sha256}, {bytes} bytes"),
                Err(error) => error.to_string(),
            };
            faults.push(Fault {
                kind: FaultKind::FileMismatch,
                unit: unit.unit_id,
                idx: None,
                offset: None,
                expected,
                found,
            });
        }
        Ok(faults)
    }

    /// Files and unit folders that the manifest does not name. A reader that takes every `docs-*` file would read them.
    pub fn unlisted(&self) -> Result<Vec<Fault>, LocalError> {
        let units = self.path.join("units");
        let mut faults = Vec::new();
        let mut unlisted = |unit: UnitId, path: String| {
            faults.push(Fault {
                kind: FaultKind::FileMismatch,
                unit,
                idx: None,
                offset: None,
                expected: "only files that the manifest names".to_owned(),
                found: format!("`{path}`"),
            });
        };
        for folder in names_in(&units)? {
            let known = self
                .manifest
                .units
                .iter()
                .find(|unit| unit.unit_id.to_string() == folder);
            let Some(unit) = known else {
                unlisted(UnitId::default(), format!("units/{folder}"));
                continue;
            };
            for name in names_in(&units.join(&folder))? {
                let path = format!("units/{folder}/{name}");
                let tables = [&unit.ledger.path, &unit.bands.path];
                let mut listed = tables.into_iter().chain(unit.docs.iter().map(|docs| &docs.path));
                if !listed.any(|listed| *listed == path) && !BESIDE.contains(&name.as_str()) {
                    unlisted(unit.unit_id, path);
                }
            }
        }
        Ok(faults)
    }

    /// A unit's ledger.
    pub fn ledger(&self, unit: &ManifestUnit) -> Result<Vec<LedgerRow>, LocalError> {
        let path = self.file(&unit.ledger.path);
        let file = open(&path)?;
        read_ledger(file, rows_max(unit).min(self.rows_max))
            .map_err(|source| LocalError::Table { path, source })
    }

    /// A unit's band keys.
    pub fn bands(&self, unit: &ManifestUnit) -> Result<Vec<BandRow>, LocalError> {
        let path = self.file(&unit.bands.path);
        let file = open(&path)?;
        read_bands(file, rows_max(unit).min(self.rows_max))
            .map_err(|source| LocalError::Table { path, source })
    }

    /// Hands every document of a unit to `each`, in order, a few in memory; gives the number of rows in each file.
    pub fn documents(
        &self,
        unit: &ManifestUnit,
        mut each: impl FnMut(DocsRow),
    ) -> Result<Vec<u64>, LocalError> {
        let mut counts = Vec::new();
        for entry in &unit.docs {
            let mut count = 0;
            let mut each = |row| {
                count += 1;
                each(row);
            };
            let path = self.file(&entry.path);
            let table = |source| LocalError::Table {
                path: path.clone(),
                source,
            };
            let file = open(&path)?;
            if entry.path.ends_with(".parquet") {
                for group in DocsReader::new(file).map_err(table)? {
                    group.map_err(table)?.into_iter().for_each(&mut each);
                }
            } else {
                for row in read_documents_jsonl(file).map_err(table)? {
                    each(row.map_err(table)?);
                }
            }
            counts.push(count);
        }
        Ok(counts)
    }
}

/// Most rows read of a unit's table: enough to count by how much a manifest lies, without decoding whatever a footer claims.
fn rows_max(unit: &ManifestUnit) -> u64 {
    2 * u64::from(unit.n_records) + 10_000
}

/// Files that may lie beside those of the manifest.
const BESIDE: [&str; 2] = ["done.json", "features.parquet"];

/// Names in a folder in order, hidden ones left out; none if there is no such folder.
fn names_in(folder: &Path) -> Result<Vec<String>, LocalError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(LocalError::read(folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(LocalError::read(folder))?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    Ok(names)
}

/// A file's bytes, one more than `bytes_max` if it has more.
pub(crate) fn read_bounded(path: &Path, bytes_max: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(bytes_max + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn open(path: &Path) -> Result<std::fs::File, LocalError> {
    fs::File::open(path)
        .map(fs::File::into_file)
        .map_err(LocalError::read(path))
}

/// Length and SHA-256 of a file.
pub(super) fn sha256_of(path: &Path) -> Result<(u64, Sha256Digest), LocalError> {
    let mut writer = DigestingWriter::new(std::io::sink());
    std::io::copy(&mut open(path)?, &mut writer).map_err(LocalError::read(path))?;
    let (_, digested) = writer.finish();
    Ok((digested.bytes, digested.sha256))
}

/// Reads every document of a dataset and adds up what `assay dataset stats` shows.
pub fn dataset_stats(path: &Path) -> Result<DatasetStats, LocalError> {
    let dataset = Dataset::open(path)?;
    let mut stats = DatasetStats {
        units: dataset.manifest.units.len() as u64,
        ..DatasetStats::default()
    };
    for unit in &dataset.manifest.units {
        unit.check_paths().map_err(|source| LocalError::Manifest {
            path: dataset.file(assay_types::MANIFEST_FILE),
            source,
        })?;
        dataset.documents(unit, |row| stats.add(&row))?;
    }
    // Markers are no part of a published dataset; without them there is no funnel.
    for marker in markers_of(path, Missing::Skip)? {
        if stats.counts.stages.is_empty() {
            let stages: Vec<&str> = marker
                .counts
                .stages
                .iter()
                .map(|stage| stage.stage.as_str())
                .collect();
            // The last stage is added by `Counts::new` itself.
            stats.counts = Counts::new(stages.split_last().map_or(&[], |(_, rest)| rest));
        }
        stats.counts.add(&marker.counts);
    }
    Ok(stats)
}
