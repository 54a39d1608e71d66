//! A dataset on disk: its manifest, its tables, its statistics.
//!
//! Opened from a folder that `assay refine` wrote; read by `assay dataset stats` and `assay verify`.

use std::path::{Path, PathBuf};

use assay_refine::output::{DigestingWriter, DocsReader, read_bands, read_ledger};
use assay_refine::report::DatasetStats;
use assay_refine::unit::{Counts, read_documents_jsonl};
use assay_types::{
    BandRow, DocsRow, Fault, FaultKind, LOCAL_MANIFEST_BYTES_MAX, LedgerRow, Manifest, ManifestUnit,
    Sha256Digest,
};
use fs_err as fs;

use super::error::LocalError;
use super::output::markers_of;

/// A dataset's folder and manifest.
#[derive(Debug)]
pub struct Dataset {
    path: PathBuf,
    /// The parsed and validated manifest.
    pub manifest: Manifest,
}

impl Dataset {
    /// Reads and checks `manifest.json` of a folder.
    ///
    /// # Errors
    /// If there is none, or it is no canonical manifest.
    pub fn open(path: &Path) -> Result<Self, LocalError> {
        let file = path.join(assay_types::MANIFEST_FILE);
        let bytes = match fs::read(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(LocalError::NoDataset {
                    path: path.to_owned(),
                });
            }
            read => read.map_err(LocalError::io(&file))?,
        };
        // Whether its parts agree is a finding of `verify`, not an error of opening.
        let manifest = Manifest::parse_unchecked(&bytes, LOCAL_MANIFEST_BYTES_MAX)
            .map_err(|source| LocalError::Manifest { path: file, source })?;
        Ok(Self {
            path: path.to_owned(),
            manifest,
        })
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

    /// A unit's ledger.
    pub fn ledger(&self, unit: &ManifestUnit) -> Result<Vec<LedgerRow>, LocalError> {
        let path = self.file(&unit.ledger.path);
        let file = open(&path)?;
        read_ledger(file).map_err(|source| LocalError::Table { path, source })
    }

    /// A unit's band keys.
    pub fn bands(&self, unit: &ManifestUnit) -> Result<Vec<BandRow>, LocalError> {
        let path = self.file(&unit.bands.path);
        let file = open(&path)?;
        read_bands(file).map_err(|source| LocalError::Table { path, source })
    }

    /// Hands every document of a unit to `each`, in order, one row group in memory.
    pub fn documents(&self, unit: &ManifestUnit, mut each: impl FnMut(DocsRow)) -> Result<(), LocalError> {
        for entry in &unit.docs {
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
        }
        Ok(())
    }
}

fn open(path: &Path) -> Result<std::fs::File, LocalError> {
    fs::File::open(path)
        .map(fs::File::into_file)
        .map_err(LocalError::io(path))
}

/// Length and SHA-256 of a file.
pub(super) fn sha256_of(path: &Path) -> Result<(u64, Sha256Digest), LocalError> {
    let mut writer = DigestingWriter::new(std::io::sink());
    std::io::copy(&mut open(path)?, &mut writer).map_err(LocalError::io(path))?;
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
    for marker in markers_of(path)? {
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
